/* Internal: what there is to know about the bits of a barrier's scope, all of it from RP_SCOPE_LIST
 * in reprise/types.h. */
#ifndef RP_BASE_SCOPE_H
#define RP_BASE_SCOPE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "reprise/types.h"

enum {
#define RP_X(...) +1
    RP_SCOPE_BITS = 0 RP_SCOPE_LIST(RP_X),
#undef RP_X
    RP_SCOPE_ALL = (1 << RP_SCOPE_BITS) - 1,
    /* What a fence or a node without declared uses may touch: all but the host. */
    RP_SCOPE_ANY = RP_SCOPE_ALL & ~RP_SCOPE_HOST_R,
};

/* The bits that write. */
static inline uint32_t rp_scope_writes(void) {
#define RP_X(symbol, bit, stage, access, ...) | (access[0] == 'w' ? (uint32_t)symbol : 0)
    return 0 RP_SCOPE_LIST(RP_X);
#undef RP_X
}

/* All bits of the stage to which a bit belongs. */
static inline uint32_t rp_scope_stage(uint32_t scope_bit) {
    const char *name = "";
    uint32_t all = 0;
#define RP_X(symbol, bit, stage, ...)                                                              \
    if (scope_bit == symbol) name = stage;
    RP_SCOPE_LIST(RP_X)
#undef RP_X
#define RP_X(symbol, bit, stage, ...)                                                              \
    if (strcmp(name, stage) == 0) all |= symbol;
    RP_SCOPE_LIST(RP_X)
#undef RP_X
    return all;
}

/* The scope bit of the reading part and of the writing part of a use, RP_SCOPE_NONE for none.
 * `compute`: of a dispatch, else of a transfer; `indirect`: it is the grid. */
static inline uint32_t rp_scope_of_read(bool compute, bool indirect, uint8_t access) {
    if (indirect) return RP_SCOPE_INDIRECT_R;
    if (access == RP_WRITE) return RP_SCOPE_NONE;
    if (!compute) return RP_SCOPE_TRANSFER_R;
    return access == RP_UNIFORM   ? RP_SCOPE_COMPUTE_U
           : access == RP_SAMPLED ? RP_SCOPE_COMPUTE_S
                                  : RP_SCOPE_COMPUTE_R;
}

static inline uint32_t rp_scope_of_write(bool compute, bool indirect, uint8_t access) {
    if (indirect || (access != RP_WRITE && access != RP_READ_WRITE)) return RP_SCOPE_NONE;
    return compute ? RP_SCOPE_COMPUTE_W : RP_SCOPE_TRANSFER_W;
}

/* Removes bits that others imply: in a source scope, stage:r, stage:u and stage:s beside stage:w. */
static inline uint32_t rp_scope_normalise_src(uint32_t src) {
    uint32_t writes = src & rp_scope_writes(), implied = 0;
#define RP_X(symbol, ...)                                                                          \
    if (writes & symbol) implied |= rp_scope_stage(symbol);
    RP_SCOPE_LIST(RP_X)
#undef RP_X
    return (src & ~implied) | writes;
}

/* Every access that a source scope covers: writes must be made available, for reads the execution
 * dependency on their stage is enough. */
static inline uint32_t rp_scope_covered_by_src(uint32_t src) {
    uint32_t stages = 0;
#define RP_X(symbol, ...)                                                                          \
    if (src & symbol) stages |= rp_scope_stage(symbol);
    RP_SCOPE_LIST(RP_X)
#undef RP_X
    return (stages & ~rp_scope_writes()) | (src & rp_scope_writes());
}

/* The two scopes of a barrier, rp_scope bits each; both 0 = no barrier. */
typedef struct rp_barrier {
    uint32_t src, dst;
} rp_barrier;

/* Orders whatever came before with whatever comes, but for the host. */
static inline bool rp_barrier_is_full(rp_barrier b) {
    const uint32_t src = rp_scope_normalise_src(RP_SCOPE_ANY);
    return (b.dst & RP_SCOPE_ANY) == RP_SCOPE_ANY && (b.src & src) == src;
}

/* Why a barrier stands, read off its scopes, which are no wider than the hazards that it orders: a
 * read in the second is there for a read after a write; without one, a write in the first is there
 * for a write after a write. A barrier over everything is there for order alone. */
static inline rp_hazard_kind rp_scope_reason(rp_barrier barrier) {
    if ((barrier.dst & RP_SCOPE_ANY) == RP_SCOPE_ANY) return RP_ORDER;
    if (barrier.dst & ~rp_scope_writes()) return RP_RAW_HAZARD;
    return barrier.src & rp_scope_writes() ? RP_WAW_HAZARD : RP_WAR_HAZARD;
}

#endif
