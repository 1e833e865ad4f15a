/* Values for a block of a shader, by the layout that its module says: push data, and what a binding
 * is given in place of a buffer. A struct is a map of its members, or a list of them in order; an
 * array, a vector or a matrix is a list of its elements, as m[i] has them in the shader, or a flat
 * list of all their numbers. What lies between is zero, and nobody's business.
 *
 * A live value may stand for a number, or for a sequence of as many: its bytes are then followed. */
#include "yaml/expand.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct packer {
    rp_reader *r;
    const rp_block_layouts *layouts;
    rp_block_values *out;
    char path[160]; /* of the member that is being read */
} packer;

static const rp_block_layout *layout_at(const packer *p, uint32_t index) {
    return &p->layouts->items[index];
}

/* The array at the end of a block has as many elements as are given. */
static uint32_t count_of(const packer *p, const rp_block_layout *l) {
    return l->open ? p->out->open_count : l->count;
}

static uint64_t numbers_of(const packer *p, const rp_block_layout *l) {
    return l->open ? l->numbers * p->out->open_count : l->numbers;
}

/* ---- Live values ----------------------------------------------------------------------------- */

/* A live value, or one element of it. */
typedef struct live_value {
    uint32_t buffer, first, count;
} live_value;

/* "gain" or "limits[1]", where nothing else has the name. False for any other text, which is a
 * number or will be found to be none. */
static bool find_live(rp_reader *r, const rp_yaml_node *node, live_value *out) {
    if (node->kind != RP_YAML_SCALAR) return false;
    size_t length = strcspn(node->text, "["), digits = 0;
    bool whole = length == node->length;
    if (!whole) {
        const char *index = node->text + length + 1;
        digits = strspn(index, "0123456789");
        if (digits == 0 || digits > 9 || strcmp(index + digits, "]") != 0) return false;
    }
    const char *text = node->text;
    size_t name_length = length;
    const rp_yaml_binding *binding = rp_scope_find(node, text, length);
    if (binding && (binding->is_number || binding->given->kind != RP_YAML_SCALAR)) return false;
    if (binding) { /* a block's parameter, which stands for a name */
        text = binding->given->text;
        name_length = binding->given->length;
    }
    if (rp_names_find(&r->param_names, text, name_length)) return false;
    const rp_name *name = rp_names_find(&r->buffer_names, text, name_length);
    if (!name || name->value == RP_NONE || r->graph->buffers[name->value].kind != RP_LIVE)
        return false;
    const rp_graph_buffer *b = &r->graph->buffers[name->value];
    *out = (live_value){name->value, 0, (uint32_t)(b->size / rp_dtype_size((rp_dtype)b->dtype))};
    if (whole) return true;
    out->count = 1;
    for (size_t i = 0; i < digits; i++)
        out->first = out->first * 10 + (uint32_t)(node->text[length + 1 + i] - '0');
    if (binding) { /* its name means nothing in the flat pipeline */
        char element[160];
        snprintf(element, sizeof element, "%.128s[%u]", name->text, out->first);
        rp_flat_text(r, node, element);
    }
    return true;
}

/* What a live value for a number must be; RP_RAW: there is none. A bool in a block is a uint as far
 * as SPIR-V tells. */
static rp_dtype dtype_of(const rp_block_layout *number) {
    if (number->size < 4) return RP_RAW;
    return number->scalar == RP_SCALAR_BOOL ? RP_U32 : rp_scalar_dtype(number->scalar);
}

/* The number that a layout is made of. */
static const rp_block_layout *number_in(const packer *p, uint32_t index) {
    const rp_block_layout *l = layout_at(p, index);
    while (l->form == RP_BLOCK_SEQUENCE) l = layout_at(p, l->first);
    return l;
}

/* Where the k-th number of a sequence of numbers lies. */
static uint64_t number_offset(const packer *p, uint32_t index, uint64_t k) {
    uint64_t offset = 0;
    for (const rp_block_layout *l = layout_at(p, index); l->form == RP_BLOCK_SEQUENCE;) {
        const rp_block_layout *element = layout_at(p, l->first);
        offset += k / element->numbers * l->stride;
        k %= element->numbers;
        l = element;
    }
    return offset;
}

/* Lets four bytes at `to` follow some of a live buffer. */
static bool follow_word(packer *p, uint32_t buffer, uint32_t from, uint32_t to) {
    rp_block_values *v = p->out;
    rp_graph_follow *last = v->follows_count ? &v->follows[v->follows_count - 1] : NULL;
    if (last && last->buffer == buffer && last->to + last->size == to &&
        last->from + last->size == from) {
        last->size += 4;
        return true;
    }
    if (!RP_RESERVE(&p->r->a, v->follows, v->follows_count, v->follows_capacity, 1))
        return rp_read_no_memory(p->r);
    v->follows[v->follows_count++] = (rp_graph_follow){buffer, from, to, 4};
    return true;
}

/* Lets all numbers of a layout follow a live value. */
static bool follow(packer *p, const rp_yaml_node *node, const live_value *value, uint32_t index,
                   uint64_t offset) {
    rp_reader *r = p->r;
    const rp_graph_buffer *b = &r->graph->buffers[value->buffer];
    uint32_t count = (uint32_t)(b->size / rp_dtype_size((rp_dtype)b->dtype));
    uint64_t numbers = numbers_of(p, layout_at(p, index));
    rp_dtype dtype = dtype_of(number_in(p, index));
    if (value->first >= count)
        return rp_read_error(r, node, "'%.*s' is outside its %u elements", RP_CLIP(node), count);
    if (dtype == RP_RAW)
        return rp_read_error(r, node,
                             "live values are followed by numbers of 32 and 64 bits: those of '%s' "
                             "have %u",
                             p->path, 8 * (uint32_t)number_in(p, index)->size);
    if (b->dtype != dtype)
        return rp_read_error(r, node, "live value '%.*s' is %s: expected %s", RP_CLIP(node),
                             rp_dtype_name((rp_dtype)b->dtype), rp_dtype_name(dtype));
    if (value->count > numbers && numbers == 1)
        return rp_read_error(r, node, "live value '%.*s' has %u elements: one of them is '%.*s[0]'",
                             RP_CLIP(node), value->count, RP_CLIP(node));
    if (value->count != numbers)
        return rp_read_error(r, node, "live value '%.*s' has %u element%s: expected %llu",
                             RP_CLIP(node), value->count, value->count == 1 ? "" : "s",
                             (unsigned long long)numbers);
    uint32_t width = rp_dtype_size(dtype);
    for (uint32_t at = 0; at < value->count * width; at += 4) {
        uint64_t to = offset + number_offset(p, index, at / width) + at % width;
        if (!follow_word(p, value->buffer, width * value->first + at, (uint32_t)to)) return false;
    }
    return true;
}

/* Reports an expression that names a live value; true when it does. */
static bool computes_with_live(rp_reader *r, const rp_yaml_node *node) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    const char *at = node->kind == RP_YAML_SCALAR ? node->text : "";
    while (*(at += strcspn(at, letters))) {
        size_t length = 1;
        while (at[length] && (strchr(letters, at[length]) || strchr("0123456789.", at[length])))
            length++;
        const rp_name *name = rp_names_find(&r->buffer_names, at, length);
        if (name && name->value != RP_NONE && r->graph->buffers[name->value].kind == RP_LIVE &&
            !rp_names_find(&r->param_names, at, length) && !rp_scope_find(node, at, length)) {
            rp_read_error(r, node,
                          "live value '%.*s' stands alone in a block: it is copied there, "
                          "nothing is computed",
                          (int)(length < 60 ? length : 60), at);
            return true;
        }
        at += length;
    }
    return false;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static bool is_unsigned(rp_scalar scalar) {
    return scalar == RP_SCALAR_BOOL || scalar == RP_SCALAR_U8 || scalar == RP_SCALAR_U16 ||
           scalar == RP_SCALAR_U32 || scalar == RP_SCALAR_U64;
}

static bool read_bytes(rp_reader *r, const rp_yaml_node *node, rp_scalar scalar, uint8_t bytes[8]) {
    int said = is_unsigned(scalar) ? rp_read_bool(node) : -1;
    if (said < 0) return rp_read_number(r, node, rp_scalar_dtype(scalar), bytes);
    bytes[0] = (uint8_t)said;
    return true;
}

static bool read_number(packer *p, const rp_yaml_node *node, uint32_t index, uint64_t offset) {
    const rp_block_layout *l = layout_at(p, index);
    live_value value;
    uint8_t bytes[8] = {0};
    if (find_live(p->r, node, &value)) return follow(p, node, &value, index, offset);
    if (l->scalar == RP_SCALAR_ADDRESS)
        return rp_read_error(p->r, node,
                             "%s '%s' is a buffer reference: expected {address: buffer}",
                             p->out->what, p->path);
    if (node->kind != RP_YAML_SCALAR)
        return rp_read_error(p->r, node, "%s '%s' is a single number, not %s", p->out->what,
                             p->path, rp_yaml_kind_name(node));
    if (computes_with_live(p->r, node) || !read_bytes(p->r, node, l->scalar, bytes)) return false;
    if (offset + l->size <= p->out->size) memcpy(p->out->bytes + offset, bytes, l->size);
    return true;
}

/* ---- Addresses ------------------------------------------------------------------------------- */

static bool is_address(const rp_yaml_node *node) {
    return node->kind == RP_YAML_MAP && rp_yaml_find(node, "address");
}

/* What may hold an address: a reference, a number of 64 bits, or two words. */
static bool holds_address(const packer *p, const rp_block_layout *l) {
    if (l->form == RP_BLOCK_NUMBER)
        return l->scalar == RP_SCALAR_ADDRESS || l->scalar == RP_SCALAR_U64;
    if (l->form != RP_BLOCK_SEQUENCE || l->count != 2 || l->stride != 4) return false;
    const rp_block_layout *word = layout_at(p, l->first);
    return word->form == RP_BLOCK_NUMBER && word->scalar == RP_SCALAR_U32;
}

/* {address: x, offset: 16}: where a byte of a buffer lies, known when the plan is replayed. */
static bool read_address(packer *p, const rp_yaml_node *node, uint32_t index, uint64_t at) {
    static const char *const keys[] = {"address", "offset", NULL};
    rp_reader *r = p->r;
    rp_push_addresses *out = p->out->addresses;
    if (!holds_address(p, layout_at(p, index)))
        return rp_read_error(r, node,
                             "%s '%s' has no place for an address, which is a buffer reference or "
                             "64 bits",
                             p->out->what, p->path);
    if (!out || out->count == RP_MAX_PUSH_ADDRESSES || at % 4 || at > RP_MAX_PUSH_BYTES)
        return rp_read_error(
            r, node,
            "'%s': addresses stand in push data, or in a block of at most %d bytes "
            "that a node binds by values",
            p->path, RP_MAX_PUSH_BYTES);
    if (!rp_read_map(r, node, "an address", keys)) return false;
    const rp_yaml_node *offset = rp_yaml_find(node, "offset");
    const rp_name *name =
        rp_read_find(r, &r->buffer_names, rp_yaml_find(node, "address"), "buffer");
    if (!name || name->value == RP_NONE) return false;
    const rp_graph_buffer *buffer = &r->graph->buffers[name->value];
    int64_t begin = 0;
    if (offset && !rp_read_integer(r, offset, "offset", 0, INT64_MAX, &begin)) return false;
    if ((uint64_t)begin >= buffer->size)
        return rp_read_error(r, offset, "offset %lld lies outside '%s', which has %llu bytes",
                             (long long)begin, name->text, (unsigned long long)buffer->size);
    out->items[out->count++] = (rp_pushed_address){
        .node = node, .at = (uint32_t)at, .buffer = name->value, .offset = (uint64_t)begin};
    return true;
}

/* ---- Sequences, structs ---------------------------------------------------------------------- */

static bool read_value(packer *p, const rp_yaml_node *node, uint32_t index, uint64_t offset);

/* Continues the path by what is printed; returns where it ended. */
static size_t enter(packer *p, const char *format, ...) RP_PRINTF(2, 3);
static size_t enter(packer *p, const char *format, ...) {
    size_t length = strlen(p->path);
    va_list args;
    va_start(args, format);
    vsnprintf(p->path + length, sizeof p->path - length, format, args);
    va_end(args);
    return length;
}

static bool read_flat(packer *p, const rp_yaml_node *node, uint32_t index, uint64_t offset) {
    uint32_t number = index;
    while (layout_at(p, number)->form == RP_BLOCK_SEQUENCE) number = layout_at(p, number)->first;
    bool good = true;
    for (uint32_t i = 0; i < node->count; i++)
        good &= read_number(p, node->items[i], number, offset + number_offset(p, index, i));
    return good;
}

static bool read_sequence(packer *p, const rp_yaml_node *node, uint32_t index, uint64_t offset) {
    const rp_block_layout *l = layout_at(p, index);
    live_value value;
    if (l->numbers && find_live(p->r, node, &value)) return follow(p, node, &value, index, offset);
    uint32_t count = count_of(p, l);
    uint64_t numbers = numbers_of(p, l);
    if (node->kind != RP_YAML_LIST && count == 1) return read_value(p, node, l->first, offset);
    uint32_t given = node->kind == RP_YAML_LIST ? node->count : 1;
    if (node->kind != RP_YAML_LIST || (given != count && (!numbers || given != numbers))) {
        char type[RP_BLOCK_TEXT];
        rp_block_layout_print(p->layouts, index, type);
        if (numbers && numbers != count)
            return rp_read_error(p->r, node, "%s '%s' is %s: it has %llu values in all, not %u",
                                 p->out->what, p->path, type, (unsigned long long)numbers, given);
        return rp_read_error(p->r, node, "%s '%s' has %u value%s, not %u", p->out->what, p->path,
                             count, count == 1 ? "" : "s", given);
    }
    if (given != count) return read_flat(p, node, index, offset);
    bool good = true;
    for (uint32_t i = 0; i < count; i++) {
        size_t length = enter(p, "[%u]", i);
        good &= read_value(p, node->items[i], l->first, offset + (uint64_t)i * l->stride);
        p->path[length] = '\0';
    }
    return good;
}

static bool read_part(packer *p, const rp_yaml_node *node, uint32_t part, uint64_t offset) {
    const rp_block_layout *l = layout_at(p, part);
    size_t length = enter(p, "%s%.60s", *p->path ? "." : "", l->name);
    bool good = read_value(p, node, part, offset + l->offset);
    p->path[length] = '\0';
    return good;
}

static uint32_t find_part(const packer *p, const rp_block_layout *l, const char *name) {
    for (uint32_t i = l->first; i < l->first + l->parts; i++)
        if (*name && strcmp(layout_at(p, i)->name, name) == 0) return i;
    return RP_NONE;
}

/* "kernel 'k' has no push member 'x' (it has a, b)". */
static bool no_part(packer *p, const rp_yaml_node *key, const rp_block_layout *l) {
    rp_name_list list = {0};
    for (uint32_t i = l->first; i < l->first + l->parts; i++)
        rp_list_add(&list, "%.40s", layout_at(p, i)->name);
    return rp_read_error(p->r, key, "%s%s%s%s has no %s '%.*s' (%s%s)", p->out->owner,
                         *p->path ? ": '" : "", p->path, *p->path ? "'" : "", p->out->what,
                         RP_CLIP(key), list.length ? "it has " : "it has none", list.text);
}

static bool read_members(packer *p, const rp_yaml_node *node, const rp_block_layout *l,
                         uint64_t offset) {
    bool good = true;
    for (uint32_t i = l->first; i < l->first + l->parts; i++)
        if (!*layout_at(p, i)->name)
            return rp_read_error(p->r, node,
                                 "%s: the members have no names in the module: give a list of "
                                 "their values, or bytes",
                                 p->out->owner);
    for (uint32_t i = 0; i < node->count; i++) {
        const rp_yaml_node *key = rp_yaml_key(node, i);
        uint32_t part = find_part(p, l, key->text);
        if (part == RP_NONE)
            good = no_part(p, key, l);
        else
            good &= read_part(p, rp_yaml_value(node, i), part, offset);
    }
    for (uint32_t i = l->first; i < l->first + l->parts; i++)
        if (!rp_yaml_find(node, layout_at(p, i)->name))
            good = rp_read_error(p->r, node, "%s '%s%s%s' is missing", p->out->what, p->path,
                                 *p->path ? "." : "", layout_at(p, i)->name);
    return good;
}

static bool read_struct(packer *p, const rp_yaml_node *node, uint32_t index, uint64_t offset) {
    const rp_block_layout *l = layout_at(p, index);
    if (node->kind == RP_YAML_MAP) return read_members(p, node, l, offset);
    bool only = l->parts == 1 && layout_at(p, l->first)->form == RP_BLOCK_SEQUENCE;
    if (only) return read_part(p, node, l->first, offset);
    if (node->kind != RP_YAML_LIST)
        return rp_read_error(p->r, node, "%s%s%s%s is a struct: expected a map of its members",
                             *p->path ? p->out->what : p->out->owner, *p->path ? " '" : "", p->path,
                             *p->path ? "'" : "");
    if (node->count != l->parts)
        return rp_read_error(p->r, node, "%s%s%s%s has %u members, not %u",
                             *p->path ? p->out->what : p->out->owner, *p->path ? " '" : "", p->path,
                             *p->path ? "'" : "", l->parts, node->count);
    bool good = true;
    for (uint32_t i = 0; i < l->parts; i++)
        good &= read_part(p, node->items[i], l->first + i, offset);
    return good;
}

static bool read_value(packer *p, const rp_yaml_node *node, uint32_t index, uint64_t offset) {
    if (is_address(node) && layout_at(p, index)->form != RP_BLOCK_STRUCT)
        return read_address(p, node, index, offset);
    switch ((rp_block_layout_form)layout_at(p, index)->form) {
    case RP_BLOCK_NUMBER: return read_number(p, node, index, offset);
    case RP_BLOCK_SEQUENCE: return read_sequence(p, node, index, offset);
    case RP_BLOCK_STRUCT: return read_struct(p, node, index, offset);
    }
    return false;
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b) {
    const rp_graph_follow *x = a, *y = b;
    return x->to < y->to ? -1 : x->to > y->to;
}

/* How many elements the array at the end of a block is given; false after reporting why it cannot be
 * told. */
static bool count_open(packer *p, const rp_yaml_node *node, uint32_t index) {
    const rp_block_layout *l = layout_at(p, index);
    if (l->form != RP_BLOCK_STRUCT || l->parts == 0) return true;
    const rp_block_layout *last = layout_at(p, l->first + l->parts - 1);
    if (!last->open) return true;
    const rp_yaml_node *value = node;
    if (node->kind == RP_YAML_MAP)
        value = rp_yaml_find(node, last->name);
    else if (node->kind == RP_YAML_LIST && l->parts > 1)
        value = node->count == l->parts ? node->items[node->count - 1] : NULL;
    if (!value) return true; /* which will be said */
    live_value live;
    uint64_t given = value->kind == RP_YAML_LIST ? value->count : 1;
    uint64_t each = last->numbers; /* of one element */
    bool flat = each > 1 && value->kind == RP_YAML_LIST && value->count &&
                value->items[0]->kind == RP_YAML_SCALAR && !find_live(p->r, value->items[0], &live);
    if (each && find_live(p->r, value, &live)) {
        given = live.count;
        flat = true;
    }
    if (given == 0 || (flat && given % each))
        return rp_read_error(p->r, value, "%s '%s': %llu value%s are no whole number of elements",
                             p->out->what, last->name, (unsigned long long)given,
                             given == 1 ? "" : "s");
    if (flat) given /= each;
    uint64_t end = l->size > last->offset ? l->size : last->offset;
    if (given > RP_MAX_LIVE_BYTES || last->offset + given * last->stride > RP_MAX_LIVE_BYTES)
        return rp_read_error(
            p->r, value,
            "%s '%s': %llu elements are too many: a block of values has at most %d "
            "bytes; bind a buffer",
            p->out->what, last->name, (unsigned long long)given, RP_MAX_LIVE_BYTES);
    p->out->open_count = (uint32_t)given;
    uint64_t size = last->offset + given * last->stride;
    p->out->size = size > end ? size : end;
    return true;
}

/* The bytes of a block: room for its layout, or for `least`. */
static bool make_room(packer *p, const rp_yaml_node *node, uint32_t index, uint64_t least) {
    rp_block_values *v = p->out;
    uint64_t size = layout_at(p, index)->size;
    v->size = size > least ? size : least;
    if (!count_open(p, node, index)) return false;
    if (v->size > RP_MAX_LIVE_BYTES)
        return rp_read_error(p->r, node,
                             "%s has %llu bytes: a block of values has at most %d; bind a buffer",
                             v->owner, (unsigned long long)v->size, RP_MAX_LIVE_BYTES);
    v->size = (v->size + 3) & ~UINT64_C(3);
    v->bytes = rp_alloc_zero(&p->r->a, (size_t)v->size, 1);
    return v->bytes ? true : rp_read_no_memory(p->r);
}

static bool read_block(packer *p, const rp_yaml_node *node, uint32_t index) {
    rp_block_values *v = p->out;
    if (!read_value(p, node, index, 0)) return false;
    if (v->follows_count) qsort(v->follows, v->follows_count, sizeof *v->follows, by_place);
    return true;
}

bool rp_read_block(rp_reader *r, const rp_yaml_node *node, const rp_block_layouts *layouts,
                   uint32_t index, rp_block_values *out) {
    packer p = {.r = r, .layouts = layouts, .out = out};
    return read_block(&p, node, index);
}

bool rp_read_new_block(rp_reader *r, const rp_yaml_node *node, const rp_block_layouts *layouts,
                       uint32_t index, uint64_t least, rp_block_values *out) {
    packer p = {.r = r, .layouts = layouts, .out = out};
    return make_room(&p, node, index, least) && read_block(&p, node, index);
}

bool rp_read_typed(rp_reader *r, const rp_yaml_node *node, rp_scalar scalar, uint32_t offset,
                   rp_block_values *out) {
    rp_block_layout number = {
        .form = RP_BLOCK_NUMBER, .scalar = scalar, .size = rp_scalar_bytes(scalar), .numbers = 1};
    const rp_block_layouts layouts = {&number, 1, 1};
    packer p = {.r = r, .layouts = &layouts, .out = out};
    return read_number(&p, node, 0, offset);
}
