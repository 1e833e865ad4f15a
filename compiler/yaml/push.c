/* The push data of a run node, in one of three forms: by the members' names with the types that the
 * shader declares (block.c), as a list of typed scalars, or as bytes. Every member must be given; the
 * gaps between them are zeros. In the first two a live value may stand for a number, and is then
 * followed. */
#include "yaml/pipeline.h"

#include <stdio.h>

/* [{u32: 5}, {f32: 0.5}, ...], back to back. */
static bool read_typed_list(rp_reader *r, const rp_yaml_node *node, const rp_kernel_module *module,
                            rp_block_values *values) {
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
        good &= rp_read_typed(r, rp_yaml_value(item, 0), scalar, 4 * i, values);
    }
    return good;
}

/* Whether a list is one of typed scalars, and not one of the members' values in order. */
static bool is_typed(const rp_yaml_node *node) {
    for (uint32_t i = 0; i < node->count; i++)
        if (node->items[i]->kind == RP_YAML_MAP && node->items[i]->count == 1 &&
            !rp_yaml_find(node->items[i], "address"))
            return true;
    return false;
}

static bool read_bytes(rp_reader *r, const rp_yaml_node *node, const rp_kernel_module *module,
                       uint8_t push[RP_MAX_PUSH_BYTES]) {
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

static bool read_members(rp_reader *r, const rp_yaml_node *node, const rp_kernel_module *module,
                         rp_block_values *values) {
    if (module->push_layout != RP_NONE)
        return rp_read_block(r, node, &module->layouts, module->push_layout, values);
    return rp_read_error(
        r, node,
        "the push data of kernel '%s' cannot be given by member, as %s: give it as "
        "bytes, \"00100000 acc52737\"",
        module->name, module->no_push_layout);
}

/* What follows, word by word. */
static void take_follows(const rp_block_values *values, rp_live_push *live) {
    for (uint32_t i = 0; i < values->follows_count; i++) {
        const rp_graph_follow *f = &values->follows[i];
        for (uint32_t at = 0; at < f->size; at += 4) {
            uint32_t word = (f->to + at) / 4;
            live->words |= UINT64_C(1) << word;
            live->buffer[word] = f->buffer;
            live->offset[word] = f->from + at;
        }
    }
}

bool rp_read_push(rp_reader *r, const rp_yaml_node *run, const rp_kernel_module *module,
                  uint8_t push[RP_MAX_PUSH_BYTES], rp_live_push *live,
                  rp_push_addresses *addresses) {
    const rp_yaml_node *node = rp_yaml_find(run, "push");
    if (!node) {
        if (!rp_kernel_push_bytes(module)) return true;
        return rp_read_error(r, run, "kernel '%s' has %u bytes of push data: 'push' is missing",
                             module->name, module->push_bytes);
    }
    if (!module->push_bytes)
        return rp_read_error(r, node, "kernel '%s' has no push data", module->name);
    if (node->kind == RP_YAML_SCALAR) return read_bytes(r, node, module, push);
    char owner[96];
    snprintf(owner, sizeof owner, "kernel '%.60s'", module->name);
    rp_block_values values = {.what = "push member",
                              .owner = owner,
                              .bytes = push,
                              .size = module->push_bytes,
                              .addresses = addresses};
    bool typed = node->kind == RP_YAML_LIST && is_typed(node);
    bool good =
        typed ? read_typed_list(r, node, module, &values) : read_members(r, node, module, &values);
    if (good) take_follows(&values, live);
    rp_release(&r->a, values.follows);
    return good;
}
