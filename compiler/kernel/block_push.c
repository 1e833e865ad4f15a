/* SPIR-V with one of its blocks in push constants: the other way round from push_block.c.
 *
 * A block that only constants and addresses of buffers fill cannot lie in a buffer: where buffers lie
 * differs from slot to slot, and is known when a replay is recorded. Push constants are recorded, and
 * already hold addresses. So the words are copied with
 *   - the block's variable in class PushConstant, without its descriptor
 *   - pointers into it of that class: types of their own, in front of the variable, since other blocks
 *     may share those that were there
 * What else is done with such pointers than accessing members and loading fails validation, which the
 * caller does, as does a module whose types may not lie there.
 *
 * Cost: three walks over the words, and a table of ids. */
#include "kernel/block_push.h"

#include <spirv/unified1/spirv.h>
#include <stdio.h>

#include "base/hash.h"
#include "kernel/spirv.h"

enum { INSIDE = 1, OLDER = 2 };

typedef struct mover {
    const rp_allocator *a;
    const uint32_t *from;
    uint32_t count, bound;
    uint32_t *pointee; /* by id of a pointer type: what it points to; 0: it is none */
    uint32_t *moved;   /* by id of a type: the new pointer to it; 0: none yet */
    uint64_t *places;  /* by id of a variable: its descriptor */
    uint8_t *inside;   /* by id: INSIDE of a pointer into the block; OLDER of a type */
    uint32_t variable, next;
    char *why; /* 512 */
} mover;

static rp_status refuse(const mover *m, const char *what) {
    snprintf(m->why, 512, "%s", what);
    return RP_ERROR_INVALID;
}

static uint32_t op_at(const mover *m, uint32_t at) {
    return m->from[at] & 0xffff;
}

static uint32_t length_at(const mover *m, uint32_t at) {
    return m->from[at] >> 16;
}

#define EACH(m, at) for (uint32_t at = RP_SPIRV_HEADER; at < (m)->count; at += length_at(m, at))

/* An id's descriptor, as place() has it, and whether it is a block of an older kind. */
static uint64_t place(uint32_t set, uint32_t binding) {
    return (uint64_t)set << 32 | binding;
}

static void note(mover *m, const uint32_t *w) {
    uint64_t *p = &m->places[w[1]];
    if (w[2] == SpvDecorationDescriptorSet) *p = place(w[3], (uint32_t)*p);
    if (w[2] == SpvDecorationBinding) *p = place((uint32_t)(*p >> 32), w[3]);
    if (w[2] == SpvDecorationBufferBlock) m->inside[w[1]] = OLDER;
}

static rp_status find_variable(mover *m, const rp_block_push *block) {
    EACH(m, at) {
        const uint32_t *w = m->from + at;
        uint32_t op = op_at(m, at), class = op == SpvOpVariable ? w[3] : SpvStorageClassFunction;
        if (op == SpvOpDecorate) note(m, w);
        if (op == SpvOpTypePointer) m->pointee[w[1]] = w[3];
        if ((class != SpvStorageClassUniform && class != SpvStorageClassStorageBuffer) ||
            m->places[w[2]] != place(block->set, block->binding))
            continue;
        if (m->variable) return refuse(m, "another block has the same binding");
        m->variable = w[2];
        if (m->inside[m->pointee[w[1]]] == OLDER)
            return refuse(m, "it is of a version of SPIR-V before 1.3");
    }
    return m->variable ? RP_OK : refuse(m, "its code does not use it");
}

static bool is_access(uint32_t op) {
    return op == SpvOpAccessChain || op == SpvOpInBoundsAccessChain || op == SpvOpCopyObject;
}

/* Gives each type that is pointed to in the block a pointer, and finds those pointers. */
static void find_pointers(mover *m) {
    EACH(m, at) {
        const uint32_t *w = m->from + at;
        if (op_at(m, at) == SpvOpVariable && w[2] == m->variable) {
            m->inside[w[2]] = INSIDE;
            m->moved[m->pointee[w[1]]] = m->next++;
        }
        if (!is_access(op_at(m, at)) || m->inside[w[3]] != INSIDE) continue;
        m->inside[w[2]] = INSIDE;
        uint32_t *moved = &m->moved[m->pointee[w[1]]];
        if (*moved == 0) *moved = m->next++;
    }
}

static uint32_t put_pointers(const mover *m, uint32_t *to) {
    uint32_t written = 0;
    for (uint32_t type = 0; type < m->bound; type++) {
        if (!m->moved[type]) continue;
        const uint32_t words[] = {4 << 16 | SpvOpTypePointer, m->moved[type],
                                  SpvStorageClassPushConstant, type};
        memcpy(to + written, words, sizeof words);
        written += 4;
    }
    return written;
}

static uint32_t write_words(const mover *m, uint32_t *to) {
    uint32_t written = RP_SPIRV_HEADER;
    memcpy(to, m->from, RP_SPIRV_HEADER * sizeof *to);
    to[3] = m->next;
    EACH(m, at) {
        const uint32_t *w = m->from + at;
        uint32_t op = op_at(m, at), length = length_at(m, at);
        bool variable = op == SpvOpVariable && w[2] == m->variable;
        if (op == SpvOpDecorate && w[1] == m->variable) continue; /* a descriptor's */
        if (variable) written += put_pointers(m, to + written);
        memcpy(to + written, w, length * sizeof *w);
        if (variable) to[written + 3] = SpvStorageClassPushConstant;
        if (variable || (is_access(op) && m->inside[w[3]] == INSIDE))
            to[written + 1] = m->moved[m->pointee[w[1]]];
        written += length;
    }
    return written;
}

static rp_status move(mover *m, const rp_block_push *block, uint32_t **out_words,
                      uint32_t *out_count) {
    RP_TRY(find_variable(m, block));
    find_pointers(m);
    size_t room = m->count + 4 * (size_t)(m->next - m->bound);
    *out_words = rp_alloc(m->a, room, sizeof **out_words);
    if (!*out_words) return RP_ERROR_NO_MEMORY;
    *out_count = write_words(m, *out_words);
    return RP_OK;
}

static rp_status block_to_push(const rp_allocator *a, const uint32_t *words, uint32_t count,
                               const rp_block_push *block, uint32_t **out_words,
                               uint32_t *out_count, char why[512]) {
    mover m = {
        .a = a, .from = words, .count = count, .bound = words[3], .next = words[3], .why = why};
    *out_words = NULL;
    m.pointee = rp_alloc_zero(a, m.bound, sizeof *m.pointee);
    m.moved = rp_alloc_zero(a, m.bound, sizeof *m.moved);
    m.places = rp_alloc_zero(a, m.bound, sizeof *m.places);
    m.inside = rp_alloc_zero(a, m.bound, 1);
    bool room = m.pointee && m.moved && m.places && m.inside;
    rp_status status = room ? RP_OK : RP_ERROR_NO_MEMORY;
    if (status == RP_OK) status = move(&m, block, out_words, out_count);
    rp_release(a, m.pointee);
    rp_release(a, m.moved);
    rp_release(a, m.places);
    rp_release(a, m.inside);
    return status;
}

/* ---- The kernel ------------------------------------------------------------------------------ */

/* The kernel of the same name without the parameter, whose block is its push data. */
static rp_status add_kernel(rp_graph *g, uint32_t kernel, const rp_block_push *block, uint32_t name,
                            char why[512], uint32_t *out) {
    const rp_allocator *a = &g->allocator;
    rp_graph_kernel copy = g->kernels[kernel];
    uint32_t *words, kept = 0;
    RP_TRY(block_to_push(a, g->words + copy.first_word, copy.word_count, block, &words,
                         &copy.word_count, why));
    rp_status status = rp_spirv_check(a, words, copy.word_count, why);
    if (status == RP_OK &&
        !RP_RESERVE(a, g->params, g->params_count, g->params_capacity, copy.param_count))
        status = RP_ERROR_NO_MEMORY;
    if (status == RP_OK) {
        for (uint32_t i = 0; i < copy.param_count; i++) {
            const rp_graph_param *p = &g->params[copy.first_param + i];
            if (p->set != block->set || p->binding != block->binding)
                g->params[g->params_count + kept++] = *p;
        }
        copy.name = name;
        copy.first_param = g->params_count;
        copy.param_count = kept;
        copy.push_bytes = block->size;
        copy.hash = rp_hash(words, (size_t)copy.word_count * 4);
        if (copy.hash == 0) copy.hash = 1; /* 0 marks abstract kernels */
        *out = rp_graph_add_kernel(g, &copy, NULL, NULL, words);
        if (*out == RP_NONE) status = RP_ERROR_NO_MEMORY;
        if (*out != RP_NONE) g->params_count += kept;
    }
    rp_release(a, words);
    return status;
}

rp_status rp_block_push_kernel(rp_graph *g, uint32_t kernel, const rp_block_push *block,
                               char why[512], uint32_t *out) {
    rp_text text;
    rp_text_init(&text, &g->allocator);
    rp_text_format(&text, "%s-block%u.%u-%u", rp_graph_string(g, g->kernels[kernel].name),
                   block->set, block->binding, block->size);
    uint32_t name = text.failed ? RP_NONE : rp_graph_intern(g, text.data, text.size);
    *out = name == RP_NONE ? RP_NONE : rp_graph_find_kernel(g, text.data);
    rp_text_free(&text);
    if (name == RP_NONE) return RP_ERROR_NO_MEMORY;
    return *out == RP_NONE ? add_kernel(g, kernel, block, name, why, out) : RP_OK;
}
