/* Internal: targets inside the library. */
#ifndef RP_TARGET_TARGET_H
#define RP_TARGET_TARGET_H

#include <stdbool.h>
#include "reprise/target.h"

/* A target as its owner gave it, whatever version its header had; NULL: nothing is known. Behind
 * the name all is zeros. False when its size says that nobody set it. */
bool rp_target_take(const rp_target *given, rp_target *out);

enum { RP_TARGET_BUILTINS = 3 };
extern const rp_target *const rp_target_builtins[RP_TARGET_BUILTINS];
/* The first of them. */
extern const rp_target *const rp_target_portable;

/* As given, with what is not known as `portable` has it; NULL: `portable` itself. False when its
 * size says that nobody set it. */
bool rp_target_fill(const rp_target *given, rp_target *out);

/* Whether both say the same, names included. Of two of this version. */
bool rp_target_same(const rp_target *a, const rp_target *b);

/* ---- Figures by number ----------------------------------------------------------------------- */

enum {
#define RP_X(field, what) RP_TARGET_KEY_##field,
    RP_TARGET_LIST(RP_X)
#undef RP_X
        RP_TARGET_KEYS
};
extern const char *const rp_target_keys[RP_TARGET_KEYS];

/* RP_TARGET_KEYS for an unknown one. */
uint32_t rp_target_key(const char *text, size_t length);
uint64_t *rp_target_figure_of(rp_target *target, uint32_t key);

/* What is wrong with a figure that somebody wrote, as the rest of "KEY ..."; false when it is fine.
 */
typedef struct rp_target_fault {
    char text[96];
} rp_target_fault;
bool rp_target_is_wrong(uint32_t key, uint64_t value, rp_target_fault *fault);

/* ---- What follows from the figures ----------------------------------------------------------- */

/* Whether staging in workgroup memory makes anything faster there. */
static inline bool rp_target_stages(const rp_target *t) {
    return t->shared_rate > t->cache_rate;
}

/* A processor's core runs one workgroup after the other, a subgroup being its vector. */
static inline bool rp_target_is_software(const rp_target *t) {
    return t->resident_groups == 1;
}

/* Whether an invocation may make so many turns of loops: Mesa's software drivers end every loop of an
 * invocation that has made more in all, and say nothing. */
static inline bool rp_target_turns(const rp_target *t, double turns) {
    return !t->loop_turns || turns <= (double)t->loop_turns;
}

/* What a kernel asks for that is not known to be there is not there. */
static inline bool rp_target_has(const rp_target *t, uint64_t needs) {
    return (t->needs & needs) == needs;
}

static inline bool rp_target_has_subgroup(const rp_target *t, uint32_t size) {
    return t->subgroup == size ||
           (t->subgroup_least && t->subgroup_least <= size && size <= t->subgroup_most);
}

#endif
