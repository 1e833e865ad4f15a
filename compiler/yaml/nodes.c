/* The section `nodes`: what kind each item is, its label, and the transfers. Run nodes are in
 * run.c. */
#include "yaml/pipeline.h"

/* ---- Transfers ------------------------------------------------------------------------------- */

/* A range that is the target of a transfer. */
static bool read_target(rp_reader *r, const rp_yaml_node *map, const char *what, uint32_t alignment,
                        rp_graph_use *use, bool *sized) {
    const rp_yaml_node *to = rp_yaml_find(map, "to");
    if (!to) return rp_read_error(r, map, "'to' of %s is missing", what);
    if (!rp_read_range(r, to, RP_RANGE_PLAIN, alignment, use, sized)) return false;
    use->access = RP_WRITE;
    return rp_read_writable(r, to, use->buffer);
}

static bool add_node(rp_reader *r, const rp_graph_node *node, const rp_graph_use *uses,
                     const uint8_t *bytes) {
    return rp_graph_add_node(r->graph, node, uses, bytes) == RP_NONE ? rp_read_no_memory(r) : true;
}

/* A side without an extent takes the other's. */
static bool match_sizes(rp_reader *r, const rp_yaml_node *at, rp_graph_use uses[2],
                        const bool sized[2]) {
    for (uint32_t i = 0; i < 2; i++)
        if (!sized[i] && sized[1 - i] && uses[1 - i].size <= uses[i].size)
            uses[i].size = uses[1 - i].size;
    if (uses[0].size == uses[1].size) return true;
    return rp_read_error(r, at,
                         "copy from %llu bytes to %llu bytes: give 'size', 'elements' or 'rows'",
                         (unsigned long long)uses[0].size, (unsigned long long)uses[1].size);
}

/* Whether a side of a copy names an image. */
static bool is_image(rp_reader *r, const rp_yaml_node *side) {
    const rp_yaml_node *name = side;
    if (side && side->kind == RP_YAML_MAP) name = rp_yaml_find(side, "buffer");
    if (!name || name->kind != RP_YAML_SCALAR) return false;
    const rp_name *found = rp_names_find(&r->buffer_names, name->text, name->length);
    return found && found->value != RP_NONE && rp_buffer_is_image(&r->graph->buffers[found->value]);
}

/* A side of a copy: a range of a buffer, or one of an image's packed bytes. */
static bool read_copy_side(rp_reader *r, const rp_yaml_node *side, rp_graph_use *use, bool *sized) {
    if (!is_image(r, side)) return rp_read_range(r, side, RP_RANGE_PLAIN, 1, use, sized);
    rp_use_list list = {0};
    bool good = rp_read_part(r, side, &list, RP_READ, RP_USE_PARAM, false, NULL);
    if (good && list.uses_count != 1)
        good = rp_read_error(r, side, "a copy takes one mip, or all layers of some");
    if (good) *use = list.uses[0];
    *sized = true;
    rp_release(&r->a, list.uses);
    return good;
}

static bool read_copy(rp_reader *r, const rp_yaml_node *map, rp_graph_node *node) {
    static const char *const keys[] = {"from", "to", NULL};
    bool good = rp_read_map(r, map, "copy", keys);
    if (map->kind != RP_YAML_MAP) return false;
    rp_graph_use uses[2] = {0};
    bool sized[2] = {false, false};
    const rp_yaml_node *from = rp_yaml_find(map, "from");
    if (!from)
        good = rp_read_error(r, map, "'from' of copy is missing");
    else
        good &= read_copy_side(r, from, &uses[0], &sized[0]);
    const rp_yaml_node *to = rp_yaml_find(map, "to");
    if (is_image(r, to)) {
        good &=
            read_copy_side(r, to, &uses[1], &sized[1]) && rp_read_writable(r, to, uses[1].buffer);
        uses[1].access = RP_WRITE;
    } else {
        good &= read_target(r, map, "copy", 1, &uses[1], &sized[1]);
    }
    if (!good || !match_sizes(r, map, uses, sized)) return false;
    if (uses[0].buffer == uses[1].buffer && uses[0].offset < uses[1].offset + uses[1].size &&
        uses[1].offset < uses[0].offset + uses[0].size)
        return rp_read_error(r, map, "copy onto itself: the ranges overlap in '%s'",
                             rp_graph_string(r->graph, r->graph->buffers[uses[0].buffer].name));
    uses[0].access = RP_READ;
    node->kind = RP_COPY;
    node->use_count = 2;
    return add_node(r, node, uses, NULL);
}

/* The type of a transfer's values: `dtype`, else the buffer's; -1 after reporting. */
static int value_type(rp_reader *r, const rp_yaml_node *map, const rp_graph_use *use) {
    const rp_yaml_node *dtype = rp_yaml_find(map, "dtype");
    return dtype ? rp_read_dtype(r, dtype) : r->graph->buffers[use->buffer].dtype;
}

static bool check_words(rp_reader *r, const rp_yaml_node *at, const char *what, uint64_t size) {
    if (size % 4 == 0) return true;
    return rp_read_error(r, at, "%s writes whole 32-bit words: %llu bytes are none", what,
                         (unsigned long long)size);
}

/* The word to repeat: hexadecimal is the word itself, else one value of the buffer's type, repeated
 * where the type is narrower. Raw bytes take a whole word: an integer, or a float where the value
 * is one. */
static bool read_pattern(rp_reader *r, const rp_yaml_node *node, int dtype, uint32_t *out) {
    uint64_t hex;
    if (rp_read_hex(node, 8, &hex)) {
        *out = (uint32_t)hex;
        return true;
    }
    rp_value value;
    if (dtype == RP_RAW && !rp_read_expr(r, node, "value", RP_PARAMS_ONLY, &value, NULL))
        return false;
    if (dtype == RP_RAW) dtype = value.kind == RP_VALUE_REAL ? RP_F32 : RP_U32;
    uint8_t word[8];
    if (!rp_read_number(r, node, (rp_dtype)dtype, word)) return false;
    uint32_t width = rp_dtype_size((rp_dtype)dtype);
    if (width == 8 && memcmp(word, word + 4, 4) != 0)
        return rp_read_error(r, node,
                             "'%.*s' as %s is no 32-bit word twice over, which is all that a fill "
                             "repeats",
                             RP_CLIP(node), rp_dtype_name((rp_dtype)dtype));
    for (uint32_t i = width; i < 4; i++) word[i] = word[i - width];
    *out = (uint32_t)word[0] | (uint32_t)word[1] << 8 | (uint32_t)word[2] << 16 |
           (uint32_t)word[3] << 24;
    return true;
}

static bool read_fill(rp_reader *r, const rp_yaml_node *map, rp_graph_node *node) {
    static const char *const keys[] = {"to", "value", "dtype", NULL};
    bool good = rp_read_map(r, map, "fill", keys), sized;
    if (map->kind != RP_YAML_MAP) return false;
    rp_graph_use use;
    if (!read_target(r, map, "fill", 4, &use, &sized) || !good) return false;
    const rp_yaml_node *value = rp_yaml_find(map, "value");
    if (!value) return rp_read_error(r, map, "'value' of fill is missing");
    int dtype = value_type(r, map, &use);
    if (dtype < 0 || !read_pattern(r, value, dtype, &node->pattern) ||
        !check_words(r, rp_yaml_find(map, "to"), "fill", use.size))
        return false;
    node->kind = RP_FILL;
    node->use_count = 1;
    return add_node(r, node, &use, NULL);
}

static bool read_update(rp_reader *r, const rp_yaml_node *map, rp_graph_node *node) {
    static const char *const keys[] = {"to", "data", "dtype", NULL};
    bool good = rp_read_map(r, map, "update", keys), sized;
    if (map->kind != RP_YAML_MAP) return false;
    rp_graph_use use;
    if (!read_target(r, map, "update", 4, &use, &sized) || !good) return false;
    const rp_yaml_node *data = rp_yaml_find(map, "data"), *to = rp_yaml_find(map, "to");
    if (!data) return rp_read_error(r, map, "'data' of update is missing");
    int dtype = value_type(r, map, &use);
    if (dtype < 0) return false;
    if (dtype == RP_RAW)
        return rp_read_error(r, data, "the buffer is raw bytes: 'dtype' of the data is missing");
    uint8_t *bytes;
    uint32_t size;
    if (!rp_read_numbers(r, data, (rp_dtype)dtype, &bytes, &size)) return false;
    good = check_words(r, data, "update", size);
    if (size == 0)
        good = rp_read_error(r, data, "an update without data");
    else if (size > RP_MAX_UPDATE_BYTES)
        good = rp_read_error(r, data,
                             "an update of %u bytes: %d are the most, use an in or weight "
                             "buffer and copy",
                             size, RP_MAX_UPDATE_BYTES);
    else if (size > use.size || (sized && size != use.size))
        good = rp_read_error(r, to, "%u bytes of data for a range of %llu bytes", size,
                             (unsigned long long)use.size);
    use.size = size;
    node->kind = RP_UPDATE;
    node->use_count = 1;
    node->byte_count = size;
    good = good && add_node(r, node, &use, bytes);
    rp_release(&r->a, bytes);
    return good;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

static bool read_label(rp_reader *r, const rp_yaml_node *map, const char *key, uint32_t *out) {
    const rp_yaml_node *node = rp_yaml_find(map, key);
    if (!node) return true;
    if (!rp_read_text(r, node, key)) return false;
    if (node->length > 1024) return rp_read_error(r, node, "%s is longer than 1024 bytes", key);
    *out = rp_graph_intern(r->graph, node->text, node->length);
    return *out == RP_NONE ? rp_read_no_memory(r) : true;
}

/* `optional: true`, of what runs a kernel. */
static bool read_optional(rp_reader *r, const rp_yaml_node *map, const rp_yaml_node *kind,
                          bool *out) {
    const rp_yaml_node *node = rp_yaml_find(map, "optional");
    if (!node) return true;
    int value = rp_read_bool(node);
    if (value < 0) return rp_read_error(r, node, "'optional' is true or false");
    *out = value == 1;
    bool copy = rp_yaml_is(kind, "copy"), fill = rp_yaml_is(kind, "fill");
    if (copy || fill)
        return rp_read_error(r, node,
                             "a %s cannot be optional, only what runs a kernel can: write it as "
                             "'op: %s'",
                             kind->text, copy ? "copy" : "fill_words");
    if (!rp_yaml_is(kind, "run") && !rp_yaml_is(kind, "op") && !rp_yaml_is(kind, "map"))
        return rp_read_error(r, node, "%s %s cannot be optional, only what runs a kernel can",
                             kind->text[0] == 'u' ? "an" : "a", kind->text);
    return true;
}

/* The key that says what a node is; NULL after reporting. */
static const rp_yaml_node *find_kind(rp_reader *r, const rp_yaml_node *node) {
    static const char *const kinds[] = {"run", "copy", "fill", "update", "fence",
                                        "op",  "map",  "blit", "clear",  "mips"};
    const rp_yaml_node *found = NULL;
    for (uint32_t i = 0; i < node->count; i++) {
        const rp_yaml_node *key = rp_yaml_key(node, i);
        for (uint32_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            if (!rp_yaml_is(key, kinds[k])) continue;
            if (found) {
                rp_read_error(r, key, "a node is one thing: '%s' stands beside '%s'", key->text,
                              found->text);
                return NULL;
            }
            found = key;
        }
    }
    if (!found)
        rp_read_error(r, node,
                      "a node has one of the keys op, map, run, copy, fill, update, fence, blit, "
                      "clear, mips");
    return found;
}

static bool read_fence(rp_reader *r, const rp_yaml_node *value, rp_graph_node *node) {
    if (value && !rp_yaml_is_null(value))
        return rp_read_error(r, value, "a fence has no value: write '- fence'");
    node->kind = RP_FENCE;
    return add_node(r, node, NULL, NULL);
}

static bool read_node(rp_reader *r, const rp_yaml_node *node) {
    static const char *const other_keys[] = {"copy", "fill",  "update", "fence",    "blit", "clear",
                                             "mips", "label", "tag",    "optional", NULL};
    rp_graph_node out = {.id = r->graph->nodes_count,
                         .kernel = RP_NONE,
                         .label = RP_NONE,
                         .op = RP_NONE,
                         .pos = rp_read_pos(node)};
    if (rp_yaml_is(node, "fence")) return read_fence(r, NULL, &out);
    if (node->kind != RP_YAML_MAP) {
        rp_read_error(r, node,
                      "a node is a map with one of the keys op, map, run, copy, fill, update, "
                      "fence");
        return rp_read_wrong_node(r, node);
    }
    const rp_yaml_node *kind = find_kind(r, node);
    if (!kind) return rp_read_wrong_node(r, node);
    bool good = read_label(r, node, "label", &out.label);
    good &= read_label(r, node, "tag", &out.op);
    good &= read_optional(r, node, kind, &out.optional);
    const rp_yaml_node *value = rp_yaml_find(node, kind->text);
    if (rp_yaml_is(kind, "run")) return rp_read_run(r, node, value, &out) && good;
    if (rp_yaml_is(kind, "op")) return rp_read_op(r, node, value, &out) && good;
    if (rp_yaml_is(kind, "map")) return rp_read_map_node(r, node, value, &out) && good;
    good &= rp_read_map(r, node, "a node", other_keys);
    if (rp_yaml_is(kind, "copy")) return read_copy(r, value, &out) && good;
    if (rp_yaml_is(kind, "fill")) return read_fill(r, value, &out) && good;
    if (rp_yaml_is(kind, "update")) return read_update(r, value, &out) && good;
    if (rp_yaml_is(kind, "blit")) return rp_read_blit(r, value, &out) && good;
    if (rp_yaml_is(kind, "clear")) return rp_read_clear(r, value, &out) && good;
    if (rp_yaml_is(kind, "mips")) return rp_read_mips(r, value, &out) && good;
    return read_fence(r, value, &out) && good;
}

bool rp_read_nodes(rp_reader *r, const rp_yaml_node *node) {
    if (!rp_read_list(r, node, "'nodes'")) return false;
    for (uint32_t i = 0; i < node->count && !r->no_memory; i++) read_node(r, node->items[i]);
    return !r->failed;
}
