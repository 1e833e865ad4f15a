/* The push data of a run node, in one of three forms: by the members' names with the types that the
 * shader declares, as a list of typed scalars, or as bytes. Every byte of the block must be given;
 * the gaps between members are zeros. */
#include "yaml/pipeline.h"

#include <stdio.h>

/* A bool in a push-constant block is a uint as far as SPIR-V tells, hence true and false there. */
static bool read_scalar(rp_reader *r, const rp_yaml_node *node, rp_scalar scalar, uint8_t out[4]) {
    int64_t value = rp_read_bool(node);
    switch (scalar) {
    case RP_SCALAR_U32:
        if (value < 0) return rp_read_number(r, node, RP_U32, out);
        memcpy(out, &(uint32_t){(uint32_t)value}, 4);
        return true;
    case RP_SCALAR_I32: return rp_read_number(r, node, RP_I32, out);
    case RP_SCALAR_F32: return rp_read_number(r, node, RP_F32, out);
    case RP_SCALAR_BOOL:
        if (value < 0 && !rp_read_integer(r, node, "a bool", 0, 1, &value)) return false;
        memcpy(out, &(uint32_t){(uint32_t)value}, 4);
        return true;
    case RP_SCALAR_OTHER: break;
    }
    return rp_read_error(r, node,
                         "the type of this member has no literal here: give the whole push "
                         "data as bytes, \"00100000 acc52737\"");
}

static bool read_member(rp_reader *r, const rp_yaml_node *node, const rp_kernel_member *member,
                        uint8_t *push) {
    const rp_yaml_node *const *items = node->kind == RP_YAML_LIST ? node->items : &node;
    uint32_t given = node->kind == RP_YAML_LIST ? node->count : 1;
    uint32_t count = member->scalar == RP_SCALAR_OTHER ? given : member->size / 4;
    if (given != count || !given)
        return rp_read_error(r, node, "push member '%s' has %u value%s, not %u", member->name,
                             count, count == 1 ? "" : "s", given);
    bool good = true;
    for (uint32_t i = 0; i < count && good; i++) {
        uint8_t value[4];
        good = read_scalar(r, items[i], member->scalar, value);
        if (good) memcpy(push + member->offset + 4 * (size_t)i, value, sizeof value);
    }
    return good;
}

static const rp_kernel_member *find_member(const rp_kernel_module *module, const char *name) {
    for (uint32_t i = 0; i < module->member_count; i++)
        if (*name && strcmp(module->members[i].name, name) == 0) return &module->members[i];
    return NULL;
}

static bool read_members(rp_reader *r, const rp_yaml_node *node, const rp_kernel_module *module,
                         uint8_t *push) {
    rp_name_list list = {0};
    for (uint32_t i = 0; i < module->member_count; i++)
        rp_list_add(&list, "%.40s", module->members[i].name);
    bool good = true;
    for (uint32_t i = 0; i < node->count; i++) {
        const rp_yaml_node *key = rp_yaml_key(node, i);
        const rp_kernel_member *member = find_member(module, key->text);
        if (member)
            good &= read_member(r, rp_yaml_value(node, i), member, push);
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
                            uint8_t *push) {
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
        rp_dtype dtype = type->text[0] == 'u' ? RP_U32 : type->text[0] == 'i' ? RP_I32 : RP_F32;
        good &= rp_read_number(r, rp_yaml_value(item, 0), dtype, push + 4 * (size_t)i);
    }
    return good;
}

bool rp_read_push(rp_reader *r, const rp_yaml_node *run, const rp_kernel_module *module,
                  uint8_t push[RP_MAX_PUSH_BYTES]) {
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
    if (node->kind == RP_YAML_MAP) return read_members(r, node, module, push);
    if (node->kind == RP_YAML_LIST) return read_typed_list(r, node, module, push);
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
