/* See layout.h. Types of a module form a graph in which one may occur many times, so the tree of a
 * block is bounded: a block with more parts has none. */
#include "kernel/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/sized.h"
#include "graph/graph.h"

enum { MAX_PARTS = 1 << 14, MAX_DEPTH = 32 };

typedef struct builder {
    const rp_allocator *a;
    rp_block_layouts *layouts;
    const rp_spirv_reader *reader;
    uint32_t begin; /* of this block's */
    const char *why;
} builder;

static rp_status refuse(builder *b, const char *why) {
    b->why = why;
    return RP_ERROR_INVALID;
}

/* Room for layouts that lie side by side; zeroed. */
static rp_status add(builder *b, uint32_t count, uint32_t *out) {
    rp_block_layouts *l = b->layouts;
    if (count > MAX_PARTS - (l->count - b->begin)) return refuse(b, "it has too many parts");
    if (!RP_RESERVE(b->a, l->items, l->count, l->capacity, count)) return RP_ERROR_NO_MEMORY;
    *out = l->count;
    if (count) memset(l->items + l->count, 0, count * sizeof *l->items);
    l->count += count;
    return RP_OK;
}

static rp_status fill(builder *b, uint32_t at, uint32_t type, const rp_spirv_member *member,
                      uint32_t depth);

/* A sequence whose element is still to be filled in. */
static rp_status begin_sequence(builder *b, uint32_t at, uint64_t count, uint32_t stride,
                                uint32_t *out_element) {
    if (count > UINT32_MAX) return refuse(b, "the length of an array in it is not known");
    RP_TRY(add(b, 1, out_element));
    rp_block_layout *l = &b->layouts->items[at];
    l->form = RP_BLOCK_SEQUENCE;
    l->count = (uint32_t)count;
    l->stride = stride;
    l->first = *out_element;
    l->parts = 1;
    return RP_OK;
}

/* What is known of a sequence when its element is. */
static rp_status end_sequence(builder *b, uint32_t at) {
    rp_block_layout *l = &b->layouts->items[at];
    const rp_block_layout *element = &b->layouts->items[l->first];
    if (l->stride < element->size && l->count != 1 && element->form == RP_BLOCK_STRUCT)
        return refuse(b, "the elements of an array in it overlap");
    l->size = l->count ? (uint64_t)l->stride * (l->count - 1) + element->size : 0;
    l->numbers = element->numbers * (l->open ? 1 : l->count);
    return RP_OK;
}

static rp_status fill_number(builder *b, uint32_t at, const rp_spirv_shape *shape) {
    rp_block_layout *l = &b->layouts->items[at];
    l->form = RP_BLOCK_NUMBER;
    l->scalar = shape->scalar;
    l->size = rp_scalar_bytes(shape->scalar);
    if (l->size == 0) return refuse(b, "it has numbers of an odd width");
    l->numbers = 1;
    return RP_OK;
}

static rp_status fill_vector(builder *b, uint32_t at, const rp_spirv_shape *shape,
                             uint32_t stride) {
    uint32_t element;
    rp_spirv_shape number = rp_spirv_get_shape(b->reader, shape->element);
    if (number.form != RP_SPIRV_NUMBER) return refuse(b, "it has a type without numbers");
    RP_TRY(begin_sequence(b, at, shape->count, stride ? stride : rp_scalar_bytes(number.scalar),
                          &element));
    RP_TRY(fill_number(b, element, &number));
    return end_sequence(b, at);
}

static rp_status fill_matrix(builder *b, uint32_t at, const rp_spirv_shape *shape,
                             const rp_spirv_member *member) {
    uint32_t column;
    rp_spirv_shape vector = rp_spirv_get_shape(b->reader, shape->element);
    rp_spirv_shape number = rp_spirv_get_shape(b->reader, vector.element);
    if (vector.form != RP_SPIRV_VECTOR || !member || !member->matrix_stride)
        return refuse(b, "it has a matrix whose stride is not said");
    RP_TRY(begin_sequence(
        b, at, shape->count,
        member->row_major ? rp_scalar_bytes(number.scalar) : member->matrix_stride, &column));
    RP_TRY(fill_vector(b, column, &vector, member->row_major ? member->matrix_stride : 0));
    return end_sequence(b, at);
}

static rp_status fill_array(builder *b, uint32_t at, const rp_spirv_shape *shape,
                            const rp_spirv_member *member, uint32_t depth) {
    uint32_t element;
    if (!shape->stride) return refuse(b, "it has an array whose stride is not said");
    RP_TRY(begin_sequence(b, at, shape->count, shape->stride, &element));
    b->layouts->items[at].open = shape->open;
    RP_TRY(fill(b, element, shape->element, member, depth + 1));
    return end_sequence(b, at);
}

static char *copy_text(const rp_allocator *a, const char *text) {
    return rp_dup(a, text, strlen(text) + 1);
}

static int by_offset(const void *a, const void *b) {
    const rp_block_layout *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static rp_status fill_struct(builder *b, uint32_t at, uint32_t type, uint64_t count,
                             uint32_t depth) {
    uint32_t first;
    if (count > MAX_PARTS) return refuse(b, "it has too many parts");
    RP_TRY(add(b, (uint32_t)count, &first));
    rp_block_layout *l = &b->layouts->items[at];
    l->form = RP_BLOCK_STRUCT;
    l->first = first;
    uint64_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        rp_spirv_member member = rp_spirv_get_member(b->reader, type, i);
        RP_TRY(fill(b, first + i, member.type, &member, depth + 1));
        rp_block_layout *part = &b->layouts->items[first + i];
        part->offset = member.offset;
        part->name = copy_text(b->a, rp_spirv_member_name(b->reader, type, i));
        if (!part->name) return RP_ERROR_NO_MEMORY;
        b->layouts->items[at].parts = i + 1;
        if (part->offset + part->size > size) size = part->offset + part->size;
    }
    if (count) qsort(b->layouts->items + first, count, sizeof *b->layouts->items, by_offset);
    b->layouts->items[at].size = size;
    return RP_OK;
}

/* `member` says how matrices lie. */
static rp_status fill(builder *b, uint32_t at, uint32_t type, const rp_spirv_member *member,
                      uint32_t depth) {
    rp_spirv_shape shape = rp_spirv_get_shape(b->reader, type);
    if (depth > MAX_DEPTH) return refuse(b, "its types nest too deep");
    switch ((rp_spirv_form)shape.form) {
    case RP_SPIRV_NUMBER: return fill_number(b, at, &shape);
    case RP_SPIRV_VECTOR: return fill_vector(b, at, &shape, 0);
    case RP_SPIRV_MATRIX: return fill_matrix(b, at, &shape, member);
    case RP_SPIRV_ARRAY: return fill_array(b, at, &shape, member, depth);
    case RP_SPIRV_STRUCT: return fill_struct(b, at, type, shape.count, depth);
    case RP_SPIRV_OTHER: break;
    }
    return refuse(b, "it has a type without numbers");
}

static void cut(const rp_allocator *a, rp_block_layouts *layouts, uint32_t count) {
    while (layouts->count > count) rp_release(a, layouts->items[--layouts->count].name);
}

rp_status rp_block_layout_add(const rp_allocator *a, rp_block_layouts *layouts,
                              const rp_spirv_reader *reader, uint32_t type, uint32_t *out,
                              const char **why) {
    builder b = {.a = a, .layouts = layouts, .reader = reader, .begin = layouts->count};
    rp_status status = add(&b, 1, out);
    if (status == RP_OK) status = fill(&b, *out, type, NULL, 0);
    if (status != RP_OK) {
        cut(a, layouts, b.begin);
        *out = RP_NONE;
    }
    *why = b.why;
    return status;
}

void rp_block_layout_free(const rp_allocator *a, rp_block_layouts *layouts) {
    cut(a, layouts, 0);
    rp_release(a, layouts->items);
    *layouts = (rp_block_layouts){0};
}

/* ---- In words -------------------------------------------------------------------------------- */

void rp_block_layout_print(const rp_block_layouts *layouts, uint32_t index,
                           char text[RP_BLOCK_TEXT]) {
    const rp_block_layout *l = &layouts->items[index];
    size_t used = 0;
    for (; l->form == RP_BLOCK_SEQUENCE && used < RP_BLOCK_TEXT - 24;
         l = &layouts->items[l->first]) {
        int more = l->open ? snprintf(text + used, RP_BLOCK_TEXT - used, "any number x ")
                           : snprintf(text + used, RP_BLOCK_TEXT - used, "%u x ", l->count);
        used += (size_t)more;
    }
    if (l->form != RP_BLOCK_NUMBER)
        snprintf(text + used, RP_BLOCK_TEXT - used, "struct");
    else
        snprintf(text + used, RP_BLOCK_TEXT - used, "%s",
                 l->scalar == RP_SCALAR_ADDRESS ? "address"
                                                : rp_dtype_name(rp_scalar_dtype(l->scalar)));
}

/* ---- Paths ----------------------------------------------------------------------------------- */

static uint32_t find_member(const rp_block_layouts *layouts, const rp_block_layout *l,
                            const char *name, size_t length) {
    for (uint32_t i = l->first; l->form == RP_BLOCK_STRUCT && i < l->first + l->parts; i++) {
        const char *own = layouts->items[i].name;
        if (length && strlen(own) == length && memcmp(own, name, length) == 0) return i;
    }
    return RP_NONE;
}

/* Takes "[12]". */
static bool take_index(const char **at, uint64_t *out) {
    const char *c = *at + 1;
    size_t digits = strspn(c, "0123456789");
    if (digits == 0 || digits > 9 || c[digits] != ']') return false;
    *out = strtoull(c, NULL, 10);
    *at = c + digits + 1;
    return true;
}

uint32_t rp_block_layout_path(const rp_block_layouts *layouts, uint32_t index, const char *path,
                              uint64_t *out_offset, char why[RP_BLOCK_WHY]) {
    uint64_t offset = 0;
    char type[RP_BLOCK_TEXT];
    const char *at = path;
    for (bool first = true; *at; first = false) {
        const rp_block_layout *l = &layouts->items[index];
        rp_block_layout_print(layouts, index, type);
        uint64_t element;
        if (*at == '[') {
            if (l->form != RP_BLOCK_SEQUENCE || !take_index(&at, &element)) {
                snprintf(why, RP_BLOCK_WHY, "'%.60s' begins at %s: there is no element", at, type);
                return RP_NONE;
            }
            if (!l->open && element >= l->count) {
                snprintf(why, RP_BLOCK_WHY, "element %llu of %u: '%.60s'",
                         (unsigned long long)element, l->count, path);
                return RP_NONE;
            }
            offset += element * l->stride;
            index = l->first;
            continue;
        }
        if (!first && *at == '.') at++;
        size_t length = strcspn(at, ".[");
        index = find_member(layouts, l, at, length);
        if (index == RP_NONE) {
            snprintf(why, RP_BLOCK_WHY, "there is no member '%.*s'",
                     (int)(length < 60 ? length : 60), at);
            return RP_NONE;
        }
        offset += layouts->items[index].offset;
        at += length;
    }
    *out_offset = offset;
    return index;
}

/* ---- Copying --------------------------------------------------------------------------------- */

/* The parts of what was copied to `at` are still those of `from`. */
static bool copy_parts(const rp_allocator *a, const rp_block_layouts *from, rp_block_layouts *to,
                       uint32_t at) {
    uint32_t parts = to->items[at].parts, first = to->items[at].first, begin = to->count;
    to->items[at].first = begin;
    to->items[at].parts = 0; /* those that were copied */
    if (!RP_RESERVE(a, to->items, to->count, to->capacity, parts)) return false;
    for (uint32_t i = 0; i < parts; i++) {
        rp_block_layout part = from->items[first + i];
        if (part.name) part.name = copy_text(a, part.name);
        if (from->items[first + i].name && !part.name) return false;
        to->items[to->count++] = part;
    }
    to->items[at].parts = parts;
    for (uint32_t i = 0; i < parts; i++)
        if (!copy_parts(a, from, to, begin + i)) return false;
    return true;
}

uint32_t rp_block_layout_copy(const rp_allocator *a, const rp_block_layouts *from, uint32_t index,
                              rp_block_layouts *to) {
    uint32_t at = to->count;
    if (!RP_RESERVE(a, to->items, to->count, to->capacity, 1)) return RP_NONE;
    to->items[at] = from->items[index];
    to->items[at].name = NULL;
    to->count++;
    if (copy_parts(a, from, to, at)) return at;
    cut(a, to, at);
    return RP_NONE;
}

/* ---- By member ------------------------------------------------------------------------------- */

static rp_status not_found(rp_diags *diags, const char *owner, const char *why) {
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s: %s", owner, why);
    return RP_ERROR_NOT_FOUND;
}

static const rp_block_layout *number_in(const rp_block_layouts *layouts, const rp_block_layout *l) {
    while (l->form == RP_BLOCK_SEQUENCE) l = &layouts->items[l->first];
    return l;
}

rp_status rp_block_layout_member(const rp_block_layouts *layouts, uint32_t index, const char *owner,
                                 const char *path, rp_diags *diags, rp_block_member *out) {
    char why[RP_BLOCK_WHY];
    rp_block_member found = {0};
    uint32_t at = rp_block_layout_path(layouts, index, path, &found.offset, why);
    if (at == RP_NONE) return not_found(diags, owner, why);
    const rp_block_layout *l = &layouts->items[at], *number = number_in(layouts, l);
    found.bytes = l->size;
    found.number_bytes = l->open ? 0 : l->numbers * number->size;
    found.dtype = number->form == RP_BLOCK_NUMBER ? rp_scalar_dtype(number->scalar) : RP_RAW;
    rp_sized_give(&found, sizeof found, out);
    return RP_OK;
}

static const uint8_t *scatter(const rp_block_layouts *layouts, const rp_block_layout *l,
                              const uint8_t *data, uint8_t *to) {
    if (l->form == RP_BLOCK_NUMBER) {
        memcpy(to, data, l->size);
        return data + l->size;
    }
    for (uint32_t i = 0; i < l->count; i++)
        data = scatter(layouts, &layouts->items[l->first], data, to + (uint64_t)i * l->stride);
    return data;
}

rp_status rp_block_layout_pack(const rp_block_layouts *layouts, uint32_t index, const char *owner,
                               const char *path, const void *numbers, size_t size, void *block,
                               size_t block_size, rp_diags *diags) {
    char why[RP_BLOCK_WHY];
    uint64_t offset;
    uint32_t at = rp_block_layout_path(layouts, index, path, &offset, why);
    if (at == RP_NONE) return not_found(diags, owner, why);
    const rp_block_layout *l = &layouts->items[at];
    uint64_t wanted = l->open ? 0 : l->numbers * number_in(layouts, l)->size;
    if (wanted == 0) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s: '%.60s' is no number, and no sequence of numbers: give its members",
                     owner, path);
        return RP_ERROR_INVALID;
    }
    if (size != wanted || offset > block_size || l->size > block_size - offset) {
        rp_diags_add(
            diags, RP_ERROR, NULL, 0, 0,
            "%s: '%.60s' has %llu bytes of numbers, and lies at [%llu+%llu]: got %zu, for a "
            "block of %zu",
            owner, path, (unsigned long long)wanted, (unsigned long long)offset,
            (unsigned long long)l->size, size, block_size);
        return RP_ERROR_INVALID;
    }
    scatter(layouts, l, numbers, (uint8_t *)block + offset);
    return RP_OK;
}
