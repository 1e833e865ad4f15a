/* The push data of a run node, in one of three forms: by the members' names with the types that the
 * shader declares, as a list of typed scalars, or as bytes. Every byte of the block must be given;
 * the gaps between members are zeros. In the first two a live value may stand for a number, and is
 * then followed. */
#include "yaml/expand.h"

#include <stdio.h>

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

/* Lets `words` words from byte `offset` on follow the live value. */
static bool follow(rp_reader *r, const rp_yaml_node *node, const live_value *value, rp_dtype dtype,
                   uint32_t offset, uint32_t words, rp_live_push *live) {
    const rp_graph_buffer *b = &r->graph->buffers[value->buffer];
    uint32_t count = (uint32_t)(b->size / rp_dtype_size((rp_dtype)b->dtype));
    if (value->first >= count)
        return rp_read_error(r, node, "'%.*s' is outside its %u elements", RP_CLIP(node), count);
    if (b->dtype != dtype)
        return rp_read_error(r, node, "live value '%.*s' is %s: expected %s", RP_CLIP(node),
                             rp_dtype_name((rp_dtype)b->dtype), rp_dtype_name(dtype));
    if (value->count > words && words == 1)
        return rp_read_error(r, node, "live value '%.*s' has %u elements: one of them is '%.*s[0]'",
                             RP_CLIP(node), value->count, RP_CLIP(node));
    if (value->count != words)
        return rp_read_error(r, node, "live value '%.*s' has %u element%s: expected %u",
                             RP_CLIP(node), value->count, value->count == 1 ? "" : "s", words);
    for (uint32_t i = 0; i < words; i++) {
        live->words |= UINT64_C(1) << (offset / 4 + i);
        live->buffer[offset / 4 + i] = value->buffer;
        live->offset[offset / 4 + i] = 4 * (value->first + i);
    }
    return true;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

/* What a live value for it must be. A bool in a push-constant block is a uint as far as SPIR-V
 * tells, hence true and false there. */
static rp_dtype dtype_of(rp_scalar scalar) {
    return scalar == RP_SCALAR_BOOL ? RP_U32 : rp_scalar_dtype(scalar);
}

static bool read_scalar(rp_reader *r, const rp_yaml_node *node, rp_scalar scalar, uint8_t out[8]) {
    int value = rp_read_bool(node);
    if (scalar == RP_SCALAR_OTHER)
        return rp_read_error(r, node,
                             "the type of this member has no literal here: give the whole push "
                             "data as bytes, \"00100000 acc52737\"");
    if (value < 0 || (scalar != RP_SCALAR_U32 && scalar != RP_SCALAR_BOOL))
        return rp_read_number(r, node, rp_scalar_dtype(scalar), out);
    memcpy(out, &(uint32_t){(uint32_t)value}, 4);
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
                          "live value '%.*s' stands alone in push data: it is copied there, "
                          "nothing is computed",
                          (int)(length < 60 ? length : 60), at);
            return true;
        }
        at += length;
    }
    return false;
}

/* One number, or of 32 bits a live value, at byte `offset`. */
static bool read_word(rp_reader *r, const rp_yaml_node *node, rp_scalar scalar, uint32_t offset,
                      uint8_t *push, rp_live_push *live) {
    live_value value;
    uint8_t bytes[8] = {0};
    uint32_t width = rp_scalar_bytes(scalar);
    if (width == 4 && find_live(r, node, &value))
        return follow(r, node, &value, dtype_of(scalar), offset, 1, live);
    if (computes_with_live(r, node)) return false;
    if (!read_scalar(r, node, scalar, bytes)) return false;
    memcpy(push + offset, bytes, width);
    return true;
}

static bool read_member(rp_reader *r, const rp_yaml_node *node, const rp_kernel_member *member,
                        uint8_t *push, rp_live_push *live) {
    const rp_yaml_node *const *items = node->kind == RP_YAML_LIST ? node->items : &node;
    uint32_t given = node->kind == RP_YAML_LIST ? node->count : 1;
    uint32_t width = rp_scalar_bytes(member->scalar);
    uint32_t count = width == 0 ? given : member->size / width;
    live_value value;
    if (width == 4 && find_live(r, node, &value))
        return follow(r, node, &value, dtype_of(member->scalar), member->offset, count, live);
    if (given != count || !given)
        return rp_read_error(r, node, "push member '%s' has %u value%s, not %u", member->name,
                             count, count == 1 ? "" : "s", given);
    bool good = true;
    for (uint32_t i = 0; i < count && good; i++)
        good = read_word(r, items[i], member->scalar, member->offset + width * i, push, live);
    return good;
}

/* ---- The forms ------------------------------------------------------------------------------- */

static const rp_kernel_member *find_member(const rp_kernel_module *module, const char *name) {
    for (uint32_t i = 0; i < module->member_count; i++)
        if (*name && strcmp(module->members[i].name, name) == 0) return &module->members[i];
    return NULL;
}

static bool read_members(rp_reader *r, const rp_yaml_node *node, const rp_kernel_module *module,
                         uint8_t *push, rp_live_push *live) {
    rp_name_list list = {0};
    for (uint32_t i = 0; i < module->member_count; i++)
        rp_list_add(&list, "%.40s", module->members[i].name);
    bool good = true;
    for (uint32_t i = 0; i < node->count; i++) {
        const rp_yaml_node *key = rp_yaml_key(node, i);
        const rp_kernel_member *member = find_member(module, key->text);
        if (member)
            good &= read_member(r, rp_yaml_value(node, i), member, push, live);
        else
            good = rp_read_error(r, key, "kernel '%s' has no push member '%.*s' (it has %s)",
                                 module->name, RP_CLIP(key), list.text);
    }
    for (uint32_t i = 0; i < module->member_count; i++) {
        const rp_kernel_member *member = &module->members[i];
        if (!member->name[0])
            return rp_read_error(r, node,
                                 "the push members of kernel '%s' have no names: give a list "
                                 "of typed values, or bytes",
                                 module->name);
        if (!rp_yaml_find(node, member->name))
            good = rp_read_error(r, node, "push member '%s' is missing", member->name);
    }
    return good;
}

/* [{u32: 5}, {f32: 0.5}, ...], back to back. */
static bool read_typed_list(rp_reader *r, const rp_yaml_node *node, const rp_kernel_module *module,
                            uint8_t *push, rp_live_push *live) {
    if ((uint64_t)node->count * 4 != module->push_bytes)
        return rp_read_error(r, node,
                             "the list has %u values of 4 bytes, the push data of kernel "
                             "'%s' %u bytes",
                             node->count, module->name, module->push_bytes);
    bool good = true;
    for (uint32_t i = 0; i < node->count; i++) {
        const rp_yaml_node *item = node->items[i];
        const rp_yaml_node *type =
            item->kind == RP_YAML_MAP && item->count == 1 ? rp_yaml_key(item, 0) : NULL;
        if (!type ||
            !(rp_yaml_is(type, "u32") || rp_yaml_is(type, "i32") || rp_yaml_is(type, "f32"))) {
            good = rp_read_error(r, item, "expected {u32: value}, {i32: value} or {f32: value}");
            continue;
        }
        rp_scalar scalar = type->text[0] == 'u'   ? RP_SCALAR_U32
                           : type->text[0] == 'i' ? RP_SCALAR_I32
                                                  : RP_SCALAR_F32;
        good &= read_word(r, rp_yaml_value(item, 0), scalar, 4 * i, push, live);
    }
    return good;
}

bool rp_read_push(rp_reader *r, const rp_yaml_node *run, const rp_kernel_module *module,
                  uint8_t push[RP_MAX_PUSH_BYTES], rp_live_push *live) {
    const rp_yaml_node *node = rp_yaml_find(run, "push");
    if (!node) {
        if (!rp_kernel_push_bytes(module)) return true;
        return rp_read_error(r, run, "kernel '%s' has %u bytes of push data: 'push' is missing",
                             module->name, module->push_bytes);
    }
    if (!module->push_bytes)
        return rp_read_error(r, node, "kernel '%s' has no push data", module->name);
    if (module->push_bytes > RP_MAX_PUSH_BYTES)
        return rp_read_error(r, node, "kernel '%s' has %u bytes of push data: %d are the most",
                             module->name, module->push_bytes, RP_MAX_PUSH_BYTES);
    if (node->kind == RP_YAML_MAP) return read_members(r, node, module, push, live);
    if (node->kind == RP_YAML_LIST) return read_typed_list(r, node, module, push, live);
    uint8_t *bytes;
    uint32_t size;
    if (!rp_read_bytes(r, node, &bytes, &size)) return false;
    bool good = size == module->push_bytes;
    if (good)
        memcpy(push, bytes, size);
    else
        rp_read_error(r, node, "%u bytes of push data, kernel '%s' has %u", size, module->name,
                      module->push_bytes);
    rp_release(&r->a, bytes);
    return good;
}
