/* Internal: the descriptors that a dispatch binds, out of its kernel's parameters and its uses.
 *
 * Uses stand in the order of the parameters. Most parameters have one; an array has one for each element
 * that is bound; an element has several where an image shows some layers of several mips, which are
 * several ranges of its bytes; a sampler has none, nor has the word of stalls. Each use says how it follows the one before. Graphs
 * and plans have records of their own for all this: the walk is told where the few bytes lie that it
 * looks at.
 */
#ifndef RP_BASE_DESCRIPTOR_H
#define RP_BASE_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "reprise/image.h"

/* The most uses of a dispatch, and elements of an array: uses are compared pairwise. */
enum { RP_MAX_USES = 1024 };

/* The push data of a dispatch with tagged uses begins with the tag of the replay. */
enum { RP_TAG_BYTES = 4 };

/* To which descriptor of a dispatch a use belongs, seen from the use before it. Part of plans. */
typedef enum rp_use_step {
    RP_USE_PARAM = 0,     /* the first of the next parameter that has memory */
    RP_USE_ELEMENT = 1,   /* the next of the same parameter, an array */
    RP_USE_PIECE = 2,     /* the same descriptor: the same layers of the next mip of an image */
    RP_USE_ADDRESSED = 3, /* in plans: none, it is reached through an address; behind all others */
} rp_use_step;

/* Whether a parameter of this rp_resource has uses: it shows memory of the program's. */
static inline bool rp_resource_has_uses(uint8_t resource) {
    return resource != RP_RESOURCE_SAMPLER && resource != RP_RESOURCE_STALL;
}

typedef struct rp_descriptor_source {
    const uint8_t *params; /* the first parameter, `param_stride` bytes each: */
    size_t param_stride, resource_at, elements_at; /* its uint8_t rp_resource, uint32_t elements */
    const uint8_t *uses;                           /* the first use: */
    size_t use_stride, step_at;                    /* its uint8_t rp_use_step */
    uint32_t param_count, use_count;               /* without the grid's and addressed uses */
} rp_descriptor_source;

typedef struct rp_descriptor {
    uint32_t param, element;       /* which parameter, and which of its array */
    uint32_t first_use, use_count; /* counted from the source's first; none where there are none */
    uint32_t sampler;              /* which of the dispatch's samplers; UINT32_MAX for none */
    uint32_t next_sampler;
    bool begun;
} rp_descriptor;

/* Moves to the next descriptor, to the first one of a zeroed *d; false behind the last. An array of which
 * fewer elements are bound than it has ends early. */
static inline bool rp_descriptor_step(const rp_descriptor_source *s, rp_descriptor *d) {
    const uint8_t *param = s->params + d->param * s->param_stride;
    uint32_t at = d->first_use + d->use_count, elements;
    if (d->begun) {
        bool more = at < s->use_count && s->uses[at * s->use_stride + s->step_at] == RP_USE_ELEMENT;
        memcpy(&elements, param + s->elements_at, sizeof elements);
        if (param[s->resource_at] == RP_RESOURCE_SAMPLER) more = d->element + 1 < elements;
        d->param += !more;
        d->element = more ? d->element + 1 : 0;
    }
    d->begun = true;
    d->first_use = at;
    d->use_count = 0;
    d->sampler = UINT32_MAX;
    if (d->param >= s->param_count) return false;
    uint8_t resource = s->params[d->param * s->param_stride + s->resource_at];
    if (resource == RP_RESOURCE_SAMPLER || resource == RP_RESOURCE_COMBINED)
        d->sampler = d->next_sampler++;
    if (!rp_resource_has_uses(resource) || at >= s->use_count) return true;
    do d->use_count++;
    while (at + d->use_count < s->use_count &&
           s->uses[(at + d->use_count) * s->use_stride + s->step_at] == RP_USE_PIECE);
    return true;
}

/* What is wrong with the uses of a dispatch, beside what each of them is: static text, NULL for nothing.
 * The walk above may then be trusted. Where it is their number, *have and *wanted differ: parameters that
 * have uses, and those that are to have some. */
static inline const char *rp_descriptors_wrong(const rp_descriptor_source *s, uint32_t *have,
                                               uint32_t *wanted) {
    uint32_t params = 0;
    *have = *wanted = 0;
    if (s->use_count > RP_MAX_USES) return "a dispatch has at most 1024 uses";
    for (uint32_t i = 0; i < s->use_count; i++) {
        uint8_t step = s->uses[i * s->use_stride + s->step_at];
        if (step > RP_USE_PIECE || (i == 0 && step != RP_USE_PARAM))
            return "a use follows no other of its binding";
        params += step == RP_USE_PARAM;
    }
    *have = params;
    for (uint32_t i = 0; i < s->param_count; i++)
        *wanted += rp_resource_has_uses(s->params[i * s->param_stride + s->resource_at]);
    if (*have != *wanted) return "there are more or fewer uses than parameters";
    for (rp_descriptor d = {0}; rp_descriptor_step(s, &d);) {
        uint32_t elements;
        memcpy(&elements, s->params + d.param * s->param_stride + s->elements_at, sizeof elements);
        if (d.element && d.element >= elements) return "an array has fewer elements than are bound";
    }
    return NULL;
}

#endif
