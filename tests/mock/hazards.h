/* Judges a stream of commands, as the fake driver wrote it down, by the rules of Vulkan alone: every
 * two accesses in conflict have a barrier between them whose scopes cover both, and no barrier, and no
 * stage or access of one, could be left out. Looks at nothing of ours. */
#ifndef RP_MOCK_HAZARDS_H
#define RP_MOCK_HAZARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a kernel does to a binding: "SR", "UR" or "SS", "SW", or both as "SRSW". Kernels are numbered as
 * their pipelines were created. */
typedef struct hazard_binding {
    uint32_t pipeline, set, binding;
    const char *access;
    uint32_t element;
} hazard_binding;

typedef struct hazard_stream hazard_stream;

/* Reads commands; descriptor sets are those of `descriptors`, text of the fake driver too, and of
 * earlier calls of hazard_sets. NULL, with the line printed, for what it does not understand. */
hazard_stream *hazard_read(const char *commands, const hazard_binding *bindings, size_t count);
void hazard_free(hazard_stream *stream);
void hazard_sets(const char *descriptors);
void hazard_forget_sets(void);

/* Whether all conflicts are ordered; prints the first that is not, unless `quiet`. */
bool hazard_ordered(const hazard_stream *stream, bool quiet);
/* Whether each part of each barrier is needed; prints the first that is not. */
bool hazard_minimal(hazard_stream *stream);
/* How many barriers there are, and how many commands that access memory. */
uint32_t hazard_barriers(const hazard_stream *stream);
uint32_t hazard_nodes(const hazard_stream *stream);

#endif
