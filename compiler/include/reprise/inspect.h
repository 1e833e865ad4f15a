/* Inspections: everything that is known of a compilation, as one JSON document (docs/json.md, "Inspections")
 * and as one HTML page that shows it (docs/inspection.md).
 *
 *   rp_inspection_create
 *   rp_inspection_begin        once for each form of the plan
 *   rp_inspection_observe      as the observer of rp_passes_run or rp_compile; or
 *   rp_inspection_add          for a graph whose passes are not known
 *   rp_inspection_print        any time: of a compilation that failed, what there was until then
 *
 * What is printed belongs to the caller and needs the inspection no more. An inspection is used by one
 * thread at a time; it keeps copies of what it is given. NULL where an inspection or an out-parameter must be
 * gives RP_ERROR_USAGE.
 */
#ifndef REPRISE_INSPECT_H
#define REPRISE_INSPECT_H

#include "reprise/graph.h"
#include "reprise/passes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_inspection rp_inspection;

/* Zero is the default everywhere but in `size`. */
typedef struct rp_inspection_params {
    size_t size;      /* sizeof(rp_inspection_params) */
    const char *file; /* what is inspected, for people: "mlp.yaml"; NULL: nothing with a name */
    const char
        *text; /* the text that places of the source are lines of; NULL: not at hand. Lines that
                       * nodes stand on are copied */
    size_t text_size; /* its bytes */
} rp_inspection_params;

RP_API rp_status rp_inspection_create(const rp_allocator *allocator,
                                      const rp_inspection_params *params, rp_diags *diags,
                                      rp_inspection **out_inspection);
/* NULL is fine. */
RP_API void rp_inspection_destroy(rp_inspection *inspection);

/* What is told from now on is of another form of the plan. `title` is "form 1 of 3: tokens <= 8", or NULL where
 * there is but one. */
RP_API rp_status rp_inspection_begin(rp_inspection *inspection, const char *title);

/* An rp_pass_observer, for rp_pass_options.observer; its user is the inspection. Begins a form where none was
 * begun. */
RP_API rp_status rp_inspection_observe(void *inspection, int index, const rp_pass_report *report,
                                       const rp_graph *graph);

/* A graph as it is, and what it was compiled from (may be NULL), in place of passes. */
RP_API rp_status rp_inspection_add(rp_inspection *inspection, const rp_graph *source,
                                   const rp_graph *compiled);

/* What was measured of the form that was begun last: the JSON object that `reprise profile --format json` prints, of
 * `size` bytes. RP_ERROR_INVALID for what is no JSON object; what its members say is not judged. */
RP_API rp_status rp_inspection_profile(rp_inspection *inspection, const char *json, size_t size);

/* Another graph to which those of the form begun last are compared: what changed from `other` to the last one that
 * was given. `name` is the other's, for people. */
RP_API rp_status rp_inspection_compare(rp_inspection *inspection, const char *name,
                                       const rp_graph *other);

typedef enum rp_inspection_format {
    RP_INSPECTION_JSON = 0, /* the document */
    RP_INSPECTION_PAGE = 1  /* HTML with the document inside; needs no other file and no network */
} rp_inspection_format;

/* Terminated text, to be released with rp_inspection_release. */
RP_API rp_status rp_inspection_print(rp_inspection *inspection, rp_inspection_format format,
                                     rp_diags *diags, char **out_text, size_t *out_size);
RP_API void rp_inspection_release(const rp_inspection *inspection, char *text);

#ifdef __cplusplus
}
#endif

#endif
