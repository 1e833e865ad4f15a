/* The kernel, the buffer and the use that stand for push data which follows live values; see
 * live_push.h. */
#include "kernel/live_push.h"

#include <stdio.h>

#include "base/hash.h"
#include "kernel/spirv.h"

enum { MAX_SET = 3, MAX_BINDING = 255 };

static rp_status refuse(char why[512], const char *what) {
    snprintf(why, 512, "%s", what);
    return RP_ERROR_INVALID;
}

/* ---- The kernel ------------------------------------------------------------------------------ */

/* Whether something of the module is at that binding, or in that set (binding RP_NONE). */
static bool is_taken(const rp_spirv_reader *r, uint32_t set, uint32_t binding) {
    for (uint32_t i = 0; i < r->resource_count; i++) {
        const rp_spirv_resource *resource = &r->resources[i];
        if (resource->kind == RP_SPIRV_PUSH_BLOCK || resource->set != set) continue;
        if (binding == RP_NONE || resource->binding == binding) return true;
    }
    return false;
}

/* The set behind those that the module has, so that nodes which differ in their push data alone
 * share the others; else what is free in the last one. */
static bool find_place(const rp_spirv_reader *r, uint32_t *out_set, uint32_t *out_binding) {
    uint32_t set = MAX_SET + 1;
    while (set > 0 && !is_taken(r, set - 1, RP_NONE)) set--;
    *out_set = set <= MAX_SET ? set : MAX_SET;
    *out_binding = 0;
    while (set > MAX_SET && *out_binding <= MAX_BINDING && is_taken(r, MAX_SET, *out_binding))
        ++*out_binding;
    return *out_binding <= MAX_BINDING;
}

static rp_status place_block(const rp_allocator *a, const rp_kernel_module *m, uint32_t *out_set,
                             uint32_t *out_binding, char why[512]) {
    rp_spirv_reader reader;
    char said[128];
    rp_spirv_reader_init(&reader, a);
    rp_status status = rp_spirv_read(&reader, m->words, m->word_count, m->entry, NULL, 0, said);
    if (status == RP_ERROR_DAMAGED)
        status = refuse(why, said);
    else if (status == RP_OK && !find_place(&reader, out_set, out_binding))
        status = refuse(why, "no descriptor set has a binding left");
    rp_spirv_reader_free(&reader);
    return status;
}

/* The kernel of the same name with the block as its last parameter. */
static rp_status add_kernel(rp_graph *g, const rp_kernel_module *m, uint32_t kernel, uint32_t name,
                            char why[512], uint32_t *out) {
    const rp_allocator *a = &g->allocator;
    rp_graph_kernel copy = g->kernels[kernel];
    uint32_t set = 0, binding = 0, *words;
    if (copy.param_count >= RP_MAX_PARAMS) return refuse(why, "it has no parameter left");
    RP_TRY(place_block(a, m, &set, &binding, why));
    RP_TRY(rp_spirv_push_to_buffer(a, m->words, m->word_count, set, binding, &words,
                                   &copy.word_count));
    rp_status status = rp_spirv_check(a, words, copy.word_count, why);
    if (status == RP_OK &&
        !RP_RESERVE(a, g->params, g->params_count, g->params_capacity, copy.param_count + 1))
        status = RP_ERROR_NO_MEMORY;
    if (status == RP_OK) {
        rp_graph_param *to = g->params + g->params_count;
        if (copy.param_count)
            memcpy(to, g->params + copy.first_param, copy.param_count * sizeof *to);
        to[copy.param_count] = (rp_graph_param){.access = RP_READ,
                                                .set = (uint8_t)set,
                                                .binding = (uint8_t)binding,
                                                .name = RP_NONE,
                                                .min_size = m->push_bytes};
        copy.name = name;
        copy.first_param = g->params_count;
        copy.param_count++;
        copy.push_bytes = 0;
        copy.hash = rp_hash(words, (size_t)copy.word_count * 4);
        if (copy.hash == 0) copy.hash = 1; /* 0 marks abstract kernels */
        *out = rp_graph_add_kernel(g, &copy, NULL, NULL, words);
        if (*out != RP_NONE) g->params_count += copy.param_count;
        if (*out == RP_NONE) status = RP_ERROR_NO_MEMORY;
    }
    rp_release(a, words);
    return status;
}

/* Front ends give no kernel a name with a '-', so this one is free: "scale-live". */
static rp_status find_kernel(rp_graph *g, const rp_kernel_module *m, uint32_t kernel, char why[512],
                             uint32_t *out) {
    rp_text text;
    rp_text_init(&text, &g->allocator);
    rp_text_format(&text, "%s-live", rp_graph_string(g, g->kernels[kernel].name));
    uint32_t name = text.failed ? RP_NONE : rp_graph_intern(g, text.data, text.size);
    *out = name == RP_NONE ? RP_NONE : rp_graph_find_kernel(g, text.data);
    rp_text_free(&text);
    if (name == RP_NONE) return RP_ERROR_NO_MEMORY;
    return *out == RP_NONE ? add_kernel(g, m, kernel, name, why, out) : RP_OK;
}

/* ---- The buffer ------------------------------------------------------------------------------ */

typedef struct block {
    uint32_t size, piece_count;
    uint8_t bytes[RP_MAX_PUSH_BYTES];
    rp_graph_follow pieces[RP_MAX_PUSH_WORDS];
} block;

static void fill_block(const rp_live_push *live, const uint8_t *push, uint32_t size, block *out) {
    *out = (block){.size = size};
    memcpy(out->bytes, push, size);
    for (uint32_t i = 0; i < size / 4; i++) {
        if (!(live->words >> i & 1)) continue;
        memset(out->bytes + 4 * (size_t)i, 0, 4);
        rp_graph_follow *last = out->piece_count ? &out->pieces[out->piece_count - 1] : NULL;
        bool longer = last && last->buffer == live->buffer[i] && last->to + last->size == 4 * i &&
                      last->from + last->size == live->offset[i];
        if (longer)
            last->size += 4;
        else
            out->pieces[out->piece_count++] =
                (rp_graph_follow){live->buffer[i], live->offset[i], 4 * i, 4};
    }
}

static bool is_zero(const rp_block_bytes *b) {
    for (uint32_t i = 0; i < b->size; i++)
        if (b->bytes[i]) return false;
    return true;
}

static bool same_block(const rp_graph *g, uint32_t buffer, const rp_block_bytes *wanted) {
    const rp_graph_buffer *b = &g->buffers[buffer];
    if (b->size != wanted->size || b->follow_count != wanted->piece_count) return false;
    bool same = b->first_default == RP_NONE
                    ? is_zero(wanted)
                    : memcmp(g->bytes + b->first_default, wanted->bytes, wanted->size) == 0;
    return same &&
           (b->follow_count == 0 || memcmp(g->follows + b->first_follow, wanted->pieces,
                                           wanted->piece_count * sizeof *wanted->pieces) == 0);
}

static rp_status add_buffer(rp_graph *g, const rp_block_bytes *wanted, uint32_t number,
                            rp_source_pos pos, uint32_t *out) {
    const rp_allocator *a = &g->allocator;
    char name[32];
    snprintf(name, sizeof name, "%s-%u", wanted->name, number);
    bool zero = is_zero(wanted); /* not kept */
    rp_graph_buffer buffer = {.name = rp_graph_intern(g, name, strlen(name)),
                              .kind = RP_LIVE,
                              .dtype = RP_RAW,
                              .size = wanted->size,
                              .offset = RP_NOT_PLACED,
                              .first_default = zero ? RP_NONE : g->bytes_count,
                              .max_value = UINT32_MAX,
                              .first_follow = g->follows_count,
                              .follow_count = wanted->piece_count,
                              .pos = pos};
    if (buffer.name == RP_NONE ||
        !RP_RESERVE(a, g->bytes, g->bytes_count, g->bytes_capacity, wanted->size) ||
        !RP_RESERVE(a, g->follows, g->follows_count, g->follows_capacity, wanted->piece_count))
        return RP_ERROR_NO_MEMORY;
    *out = rp_graph_add_buffer(g, &buffer, NULL);
    if (*out == RP_NONE) return RP_ERROR_NO_MEMORY;
    if (!zero) memcpy(g->bytes + g->bytes_count, wanted->bytes, wanted->size);
    if (wanted->piece_count)
        memcpy(g->follows + g->follows_count, wanted->pieces,
               wanted->piece_count * sizeof *wanted->pieces);
    if (!zero) g->bytes_count += wanted->size;
    g->follows_count += wanted->piece_count;
    return RP_OK;
}

rp_status rp_block_buffer(rp_graph *g, rp_push_blocks *blocks, const rp_block_bytes *wanted,
                          rp_source_pos pos, uint32_t *out) {
    uint64_t hash = rp_hash(wanted->bytes, wanted->size);
    uint32_t key =
        (uint32_t)rp_hash_mix(hash, wanted->pieces, wanted->piece_count * sizeof *wanted->pieces);
    for (uint32_t at = 0; rp_table_next(&blocks->table, key, &at, out);)
        if (same_block(g, *out, wanted)) return RP_OK;
    if (!rp_table_reserve(&g->allocator, &blocks->table, blocks->table.count + 1))
        return RP_ERROR_NO_MEMORY;
    RP_TRY(add_buffer(g, wanted, blocks->count + 1, pos, out));
    blocks->count++;
    rp_table_add(&g->allocator, &blocks->table, key, *out);
    return RP_OK;
}

/* ---- The node -------------------------------------------------------------------------------- */

rp_status rp_live_push_apply(rp_graph *g, rp_push_blocks *blocks, const rp_kernel_module *module,
                             const rp_live_push *live, const uint8_t *push, rp_graph_node *node,
                             rp_graph_use *uses, char why[512]) {
    block wanted;
    uint32_t kernel, buffer;
    fill_block(live, push, node->byte_count, &wanted);
    if (wanted.piece_count == 0 && !live->always) return RP_OK;
    RP_TRY(find_kernel(g, module, node->kernel, why, &kernel));
    const rp_block_bytes bytes = {.name = "push",
                                  .bytes = wanted.bytes,
                                  .pieces = wanted.pieces,
                                  .size = wanted.size,
                                  .piece_count = wanted.piece_count};
    RP_TRY(rp_block_buffer(g, blocks, &bytes, node->pos, &buffer));
    uint32_t at = node->use_count; /* the last parameter's */
    while (at && (uses[at - 1].indirect || uses[at - 1].addressed)) at--;
    for (uint32_t i = node->use_count; i > at; i--) uses[i] = uses[i - 1];
    for (uint32_t i = 0; i < node->address_count; i++) g->addresses[node->first_address + i].use++;
    uses[at] = (rp_graph_use){.buffer = buffer, .access = RP_READ, .size = wanted.size};
    node->use_count++;
    node->kernel = kernel;
    node->byte_count = 0;
    return RP_OK;
}
