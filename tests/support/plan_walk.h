/* Reads an open plan to its last byte, the way the runtime does, and makes the header of a changed
 * plan right again, so that what lies behind the hash is reached. For the fuzz target and the unit
 * tests. */
#ifndef RP_TESTS_PLAN_WALK_H
#define RP_TESTS_PLAN_WALK_H

#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "plan/format.h"
#include "support/plan_info.h"

#define WALK_HOLDS(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static volatile uint64_t walk_sink; /* keeps reads from being optimised away */

static inline void walk_touch(const void *data, uint64_t size) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < size; i++) sum += ((const uint8_t *)data)[i];
    walk_sink += sum;
}

static inline void walk_info(const rp_plan *plan) {
    rp_plan_info info = plan_info(plan);
    walk_touch(info.name, strlen(info.name));
    for (uint32_t i = 0; i < rp_plan_buffer_count(plan); i++) {
        rp_plan_buffer_info buffer = plan_buffer(plan, i);
        walk_touch(buffer.name, strlen(buffer.name));
        walk_touch(buffer.shape, buffer.rank * sizeof *buffer.shape);
        WALK_HOLDS(buffer.kind != RP_TMP && buffer.bytes > 0);
        rp_plan_bytes gap = {0};
        uint32_t gaps = 0;
        WALK_HOLDS(rp_plan_get_unwritten(plan, i, &gap, 1, &gaps) == RP_OK);
        WALK_HOLDS(gap.offset + gap.size <= buffer.bytes && (gaps > 0) == (gap.size > 0));
    }
    size_t size;
    const char *text = rp_plan_text(plan, &size);
    WALK_HOLDS(strlen(text) == size);
    text = rp_plan_source_text(plan, &size);
    WALK_HOLDS(strlen(text) == size);
}

static inline void walk_kernels(const rp_plan *plan) {
    const rp_plan_kernel *kernels = rp_plan_records(plan, RP_SECTION_KERNELS);
    const uint32_t *words = rp_plan_records(plan, RP_SECTION_WORDS);
    const rp_plan_param *params = rp_plan_records(plan, RP_SECTION_PARAMS);
    const rp_plan_spec *specs = rp_plan_records(plan, RP_SECTION_SPECS);
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_KERNELS); i++) {
        const rp_plan_kernel *k = &kernels[i];
        walk_touch(rp_plan_string(plan, k->name), strlen(rp_plan_string(plan, k->name)));
        walk_touch(rp_plan_string(plan, k->entry), strlen(rp_plan_string(plan, k->entry)));
        walk_touch(words + k->first_word, (uint64_t)k->word_count * sizeof *words);
        walk_touch(params + k->first_param, (uint64_t)k->param_count * sizeof *params);
        walk_touch(specs + k->first_spec, (uint64_t)k->spec_count * sizeof *specs);
    }
}

static inline bool walk_live(void *context, uint32_t buffer, uint32_t element, int64_t *out) {
    const rp_plan *plan = context;
    const rp_plan_buffer *b =
        (const rp_plan_buffer *)rp_plan_records(plan, RP_SECTION_BUFFERS) + buffer;
    uint32_t width = rp_dtype_size((rp_dtype)b->dtype);
    WALK_HOLDS(b->kind == RP_LIVE && (uint64_t)(element + 1) * width <= b->size);
    *out = 1;
    if (b->first_default == UINT32_MAX) return true;
    const uint8_t *bytes = rp_plan_records(plan, RP_SECTION_BYTES);
    *out = bytes[b->first_default + element * width];
    return true;
}

static inline void walk_grid(const rp_plan *plan, const rp_plan_node *n) {
    const rp_plan_expr *exprs = rp_plan_records(plan, RP_SECTION_EXPRS);
    const rp_expr_op *ops = rp_plan_records(plan, RP_SECTION_EXPR_OPS);
    for (int i = 0; i < 3; i++) {
        if (!(n->live_mask >> i & 1)) continue;
        const rp_plan_expr *e = &exprs[n->grid[i]];
        int64_t value;
        const char *why;
        rp_expr_eval(ops + e->first_op, e->op_count, walk_live, (void *)plan, &value, &why);
    }
}

/* What a dispatch binds: each use belongs to one descriptor, and each sampler. */
static inline void walk_descriptors(const rp_plan *plan, const rp_plan_node *n) {
    const rp_plan_kernel *kernels = rp_plan_records(plan, RP_SECTION_KERNELS);
    const rp_plan_sampler *samplers = rp_plan_records(plan, RP_SECTION_SAMPLERS);
    const uint32_t *refs = rp_plan_records(plan, RP_SECTION_SAMPLER_REFS);
    const rp_descriptor_source source =
        rp_plan_descriptors(n, kernels, rp_plan_records(plan, RP_SECTION_PARAMS),
                            rp_plan_records(plan, RP_SECTION_USES));
    uint32_t uses = 0, samplers_seen = 0;
    for (rp_descriptor d = {0}; rp_descriptor_step(&source, &d);) {
        WALK_HOLDS(d.param < kernels[n->kernel].param_count && d.first_use == uses);
        uses += d.use_count;
        if (d.sampler == UINT32_MAX) continue;
        WALK_HOLDS(d.sampler == samplers_seen++ && d.sampler < n->sampler_count);
        walk_touch(&samplers[refs[n->first_sampler + d.sampler]], sizeof *samplers);
    }
    WALK_HOLDS(uses == source.use_count && samplers_seen == n->sampler_count);
}

static inline void walk_nodes(const rp_plan *plan) {
    const rp_plan_node *nodes = rp_plan_records(plan, RP_SECTION_NODES);
    const rp_plan_group *groups = rp_plan_records(plan, RP_SECTION_GROUPS);
    const rp_plan_use *uses = rp_plan_records(plan, RP_SECTION_USES);
    const rp_plan_buffer *buffers = rp_plan_records(plan, RP_SECTION_BUFFERS);
    const uint8_t *bytes = rp_plan_records(plan, RP_SECTION_BYTES);
    const rp_plan_graph *graph = rp_plan_records(plan, RP_SECTION_GRAPH);
    for (uint32_t g = 0; g < rp_plan_count(plan, RP_SECTION_GROUPS); g++) {
        for (uint32_t i = 0; i < groups[g].node_count; i++) {
            const rp_plan_node *n = &nodes[groups[g].first_node + i];
            WALK_HOLDS(n->group == g);
            walk_touch(bytes + n->first_byte, n->byte_count);
            const char *label = rp_plan_string(plan, n->label);
            if (label) walk_touch(label, strlen(label));
            walk_grid(plan, n);
            for (uint32_t u = 0; u < n->use_count; u++) {
                const rp_plan_use *use = &uses[n->first_use + u];
                const rp_plan_buffer *b = &buffers[use->buffer];
                WALK_HOLDS(use->offset + use->size <= b->size);
                WALK_HOLDS(!rp_plan_in_arena(b) || b->offset + b->size <= graph->arena_bytes);
            }
            if (n->kind == RP_RUN) walk_descriptors(plan, n);
        }
    }
    walk_touch(rp_plan_records(plan, RP_SECTION_BARRIERS),
               (rp_plan_count(plan, RP_SECTION_GROUPS) + UINT64_C(1)) * sizeof(rp_plan_barrier));
}

static inline void walk_addresses(const rp_plan *plan) {
    const rp_plan_address *addresses = rp_plan_records(plan, RP_SECTION_ADDRESSES);
    const rp_plan_node *nodes = rp_plan_records(plan, RP_SECTION_NODES);
    const rp_plan_use *uses = rp_plan_records(plan, RP_SECTION_USES);
    const uint8_t *bytes = rp_plan_records(plan, RP_SECTION_BYTES);
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_ADDRESSES); i++) {
        const rp_plan_node *n = &nodes[addresses[i].node];
        WALK_HOLDS(addresses[i].at + 8 <= n->byte_count && addresses[i].use < n->use_count);
        WALK_HOLDS(addresses[i].offset < uses[n->first_use + addresses[i].use].size);
        walk_touch(bytes + n->first_byte + addresses[i].at, 8);
    }
}

/* Each form, and that they have in common what replays of all of them use. */
static inline void walk_plan(const rp_plan *plan) {
    uint32_t form;
    char title[64];
    walk_info(plan);
    for (uint32_t i = 0; i < rp_plan_form_count(plan); i++) {
        const rp_plan *one = rp_plan_form(plan, i);
        WALK_HOLDS(rp_plan_buffer_count(one) == rp_plan_buffer_count(plan));
        for (uint32_t b = 0; b < rp_plan_buffer_count(plan); b++)
            WALK_HOLDS(plan_buffer(one, b).bytes <= plan_buffer(plan, b).bytes);
        WALK_HOLDS(rp_plan_form_title(plan, i, title, sizeof title) == RP_OK);
        walk_info(one);
        walk_kernels(one);
        walk_nodes(one);
        walk_addresses(one);
    }
    if (rp_plan_choose_form(plan, NULL, 0, &form) == RP_OK)
        WALK_HOLDS(form < rp_plan_form_count(plan));
}

static inline void walk_repair(uint8_t *data, size_t size);

/* The forms of a file, as far as its table names bytes of it. Their headers say what they need. */
static inline uint64_t walk_repair_forms(uint8_t *data, size_t size, uint32_t count) {
    uint64_t needs = 0;
    for (uint32_t i = 0; i < count; i++) {
        rp_plan_form_place place;
        size_t at = sizeof(rp_plan_header) + i * sizeof place;
        if (at + sizeof place > size) return needs;
        memcpy(&place, data + at, sizeof place);
        if (place.offset > size || place.size > size - place.offset) return needs;
        if (place.offset < sizeof(rp_plan_header) || place.size < sizeof(rp_plan_header)) continue;
        rp_plan_header form;
        memcpy(&form, data + place.offset, sizeof form);
        if (form.version != RP_PLAN_FORMS_VERSION)
            walk_repair(data + place.offset, (size_t)place.size);
        memcpy(&form, data + place.offset, sizeof form);
        needs |= form.needs;
    }
    return needs;
}

/* Makes right what has one right value whatever the rest is. */
static inline void walk_repair(uint8_t *data, size_t size) {
    rp_plan_header header;
    if (size < sizeof header) return;
    memcpy(&header, data, sizeof header);
    memcpy(header.magic, RP_PLAN_MAGIC, sizeof header.magic);
    if (header.version == RP_PLAN_FORMS_VERSION) {
        header.needs = walk_repair_forms(data, size, header.section_count % (RP_MAX_FORMS + 1));
    } else {
        header.version = RP_PLAN_VERSION;
        header.section_count = RP_SECTION_COUNT;
    }
    header.file_size = size;
    memset(header.reserved, 0, sizeof header.reserved);
    memcpy(data, &header, sizeof header);
    size_t hashed = offsetof(rp_plan_header, needs);
    header.content_hash = rp_hash(data + hashed, size - hashed);
    memcpy(data, &header, sizeof header);
}

#endif
