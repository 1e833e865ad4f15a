/* Images: buffers of a format and extents, samplers, parts of images, and the nodes that only images
 * have: blit, clear, and mips, which makes each mip of the one before. */
#include "yaml/pipeline.h"

#include "base/image.h"
#include "graph/keywords.h"

/* ---- Buffers --------------------------------------------------------------------------------- */

static const char *format_keyword(uint32_t code) {
    return rp_image_format_name((rp_image_format)code);
}

enum { FORMATS = RP_IMAGE_D32F + 1 };

int rp_read_format(rp_reader *r, const rp_yaml_node *node) {
    for (uint32_t code = 1; code < FORMATS; code++)
        if (node->kind == RP_YAML_SCALAR && rp_yaml_is(node, format_keyword(code)))
            return (int)code;
    if (rp_read_text(r, node, "format"))
        rp_read_error(r, node, "'%.*s' is no format of texels: expected one like rgba8 or r32f",
                      RP_CLIP(node));
    return -1;
}

static const char *dim_keyword(uint32_t code) {
    return rp_image_dim_name((rp_image_dim)code);
}

/* [width], [width, height] or [width, height, depth]. */
static bool read_extent(rp_reader *r, const rp_yaml_node *node, uint32_t extent[3],
                        uint32_t *out_count) {
    const rp_yaml_node *const *items = node->kind == RP_YAML_LIST ? node->items : &node;
    uint32_t count = node->kind == RP_YAML_LIST ? node->count : 1;
    if (node->kind == RP_YAML_MAP || count < 1 || count > 3)
        return rp_read_error(r, node,
                             "an image's extent is [width], [width, height] or "
                             "[width, height, depth]");
    bool good = true;
    for (uint32_t i = 0; i < count; i++) {
        int64_t value = 1;
        good &= rp_read_integer(r, items[i], "extent", 1, UINT32_MAX, &value);
        extent[i] = (uint32_t)value;
    }
    *out_count = count;
    return good;
}

bool rp_read_image(rp_reader *r, const rp_yaml_node *node, rp_graph_buffer *out) {
    const rp_yaml_node *image = rp_yaml_find(node, "image"), *dim = rp_yaml_find(node, "dim");
    const rp_yaml_node *extent = rp_yaml_find(node, "extent");
    const rp_yaml_node *layers = rp_yaml_find(node, "layers"), *mips = rp_yaml_find(node, "mips");
    static const char *const others[] = {"dtype", "shape", "size"};
    for (uint32_t i = 0; i < sizeof others / sizeof *others; i++)
        if (rp_yaml_find(node, others[i]))
            return rp_read_error(r, rp_yaml_find(node, others[i]),
                                 "an image has 'extent' and no '%s'", others[i]);
    if (!extent) return rp_read_error(r, node, "'extent' of this image is missing");
    uint32_t extents[3] = {1, 1, 1}, count = 0;
    int64_t layer_count = 1, mip_count = 1;
    int format = rp_read_format(r, image);
    bool good = read_extent(r, extent, extents, &count) && format > 0;
    int code = good ? (int)count - 1 : 0; /* 1d, 2d, 3d */
    if (dim) code = rp_read_keyword(r, dim, "dim", dim_keyword, RP_IMAGE_CUBE + 1);
    if (code == RP_IMAGE_CUBE) layer_count = 6;
    if (layers) good &= rp_read_integer(r, layers, "layers", 1, UINT32_MAX, &layer_count);
    uint32_t most = rp_image_max_mips(extents[0], extents[1], extents[2]);
    if (mips && rp_yaml_is(mips, "all"))
        mip_count = most;
    else if (mips)
        good &= rp_read_integer(r, mips, "mips", 1, UINT16_MAX, &mip_count);
    if (good && mip_count > most)
        return rp_read_error(r, mips, "an image of these extents has at most %u mips: 'mips: all'",
                             most);
    if (!good || code < 0) return false;
    out->image = (rp_image_shape){.format = (uint8_t)format,
                                  .dim = (uint8_t)code,
                                  .mips = (uint16_t)mip_count,
                                  .width = extents[0],
                                  .height = extents[1],
                                  .depth = extents[2],
                                  .layers = (uint32_t)layer_count};
    const char *wrong = rp_image_wrong(&out->image);
    if (wrong) return rp_read_error(r, node, "there is no such image: %s", wrong);
    out->dtype = RP_RAW;
    out->size = rp_image_bytes(&out->image);
    return true;
}

/* ---- Samplers -------------------------------------------------------------------------------- */

static bool read_field(rp_reader *r, const rp_yaml_node *key, const rp_yaml_node *value,
                       rp_sampler_info *info) {
    static const char *const both[] = {"filter", "address"};
    const char *fields[2][3] = {{"mag", "min", "mip"}, {"u", "v", "w"}};
    for (uint32_t i = 0; i < 2; i++) {
        if (!rp_yaml_is(key, both[i])) continue;
        for (uint32_t k = 0; k < 3; k++) { /* all three at once */
            const rp_sampler_field *f = rp_sampler_find_field(fields[i][k], strlen(fields[i][k]));
            if (value->kind != RP_YAML_SCALAR ||
                !rp_sampler_set_word(info, f, value->text, value->length))
                return rp_read_error(r, value, "'%s' is one of %s", both[i], rp_sampler_words(f));
        }
        return true;
    }
    const rp_sampler_field *field = rp_sampler_find_field(key->text, key->length);
    if (!field)
        return rp_read_error(r, key,
                             "a sampler has no '%.*s': expected filter, mag, min, mip, address, u, "
                             "v, w, compare, border, unnormalised, anisotropy, bias, min_level or "
                             "max_level",
                             RP_CLIP(key));
    if (field->kind == RP_SAMPLER_NUMBER) {
        double number;
        if (!rp_read_double(r, value, field->name, &number)) return false;
        const float as_float = (float)number;
        memcpy((char *)info + field->offset, &as_float, sizeof as_float);
        return true;
    }
    int flag = field->kind == RP_SAMPLER_FLAG ? rp_read_bool(value) : -1;
    const char *word = flag < 0 ? value->text : flag ? "true" : "false";
    if (value->kind == RP_YAML_SCALAR && rp_sampler_set_word(info, field, word, strlen(word)))
        return true;
    return rp_read_error(r, value, "'%s' is one of %s", field->name, rp_sampler_words(field));
}

bool rp_read_samplers(rp_reader *r, const rp_yaml_node *node) {
    if (!rp_read_map(r, node, "'samplers'", NULL)) {
        r->sampler_names.broken = true;
        return false;
    }
    for (uint32_t i = 0; i < node->count && !r->no_memory; i++) {
        const rp_yaml_node *key = rp_yaml_key(node, i), *value = rp_yaml_value(node, i);
        rp_graph_sampler sampler = {.info = rp_sampler_default, .pos = rp_read_pos(key)};
        const rp_name *other = rp_names_find(&r->sampler_names, key->text, key->length);
        bool good = rp_read_name(r, key, "sampler");
        if (other)
            good = rp_read_error(r, key, "'%s' is defined at line %u already", key->text,
                                 other->node->line);
        if (!rp_yaml_is_null(value)) good &= rp_read_map(r, value, "a sampler", NULL);
        for (uint32_t k = 0; value->kind == RP_YAML_MAP && k < value->count; k++)
            good &= read_field(r, rp_yaml_key(value, k), rp_yaml_value(value, k), &sampler.info);
        const char *wrong = rp_sampler_wrong(&sampler.info);
        if (good && wrong) good = rp_read_error(r, value, "there is no such sampler: %s", wrong);
        uint32_t index = RP_NONE;
        if (good) {
            sampler.name = rp_graph_intern(r->graph, key->text, key->length);
            if (sampler.name != RP_NONE) index = rp_graph_add_sampler(r->graph, &sampler);
            if (index == RP_NONE) return rp_read_no_memory(r);
        }
        if (!other && !rp_names_add(&r->a, &r->sampler_names, &(rp_name){key->text, key, index}))
            return rp_read_no_memory(r);
    }
    return !r->failed;
}

uint32_t rp_read_sampler(rp_reader *r, const rp_yaml_node *node) {
    if (!rp_read_text(r, node, "sampler")) return RP_NONE;
    const rp_name *name = rp_read_find(r, &r->sampler_names, node, "sampler");
    return name ? name->value : RP_NONE;
}

/* ---- Parts of images ------------------------------------------------------------------------- */

/* `one: i`, or `many: [first, count]`; all where neither is there. */
static bool read_count(rp_reader *r, const rp_yaml_node *map, const char *one, const char *many,
                       uint32_t total, uint32_t *first, uint32_t *count) {
    const rp_yaml_node *single = rp_yaml_find(map, one), *list = rp_yaml_find(map, many);
    int64_t from = 0, number = total;
    if (single && list)
        return rp_read_error(r, list, "'%s' stands beside '%s': one of the two", many, one);
    if (single) {
        number = 1;
        if (!rp_read_integer(r, single, one, 0, INT32_MAX, &from)) return false;
    } else if (list) {
        if (list->kind != RP_YAML_LIST || list->count != 2)
            return rp_read_error(r, list, "'%s' is [first, count]", many);
        if (!rp_read_integer(r, list->items[0], "first", 0, INT32_MAX, &from) ||
            !rp_read_integer(r, list->items[1], "count", 1, INT32_MAX, &number))
            return false;
    }
    if ((uint64_t)from + (uint64_t)number > total)
        return rp_read_error(r, single ? single : list,
                             "%s %lld to %lld reach outside the image, which has %u, from 0 on",
                             many, (long long)from, (long long)(from + number - 1), total);
    *first = (uint32_t)from;
    *count = (uint32_t)number;
    return true;
}

static bool no_image(rp_reader *r, const rp_yaml_node *node, const rp_name *name) {
    return rp_read_error(r, node, "'%s' is no image: declare it with 'image' and 'extent'",
                         name->text);
}

/* Appends the ranges of mips and layers of an image; several where they are some of the layers of
 * several mips. */
static bool add_part(rp_reader *r, rp_use_list *list, uint32_t buffer, uint8_t access,
                     const rp_subresources *part, uint8_t step) {
    const rp_image_shape *shape = &r->graph->buffers[buffer].image;
    uint32_t pieces = rp_image_pieces(shape, part);
    if (!RP_RESERVE(&r->a, list->uses, list->uses_count, list->uses_capacity, pieces))
        return rp_read_no_memory(r);
    for (uint32_t i = 0; i < pieces; i++) {
        rp_graph_use use = {.buffer = buffer, .access = access, .step = i ? RP_USE_PIECE : step};
        rp_image_piece(shape, part, i, &use.offset, &use.size);
        list->uses[list->uses_count++] = use;
    }
    return true;
}

bool rp_read_part(rp_reader *r, const rp_yaml_node *node, rp_use_list *list, uint8_t access,
                  uint8_t step, bool one_mip, const rp_yaml_node **out_sampler) {
    static const char *const keys[] = {"buffer", "mip",    "mips",    "layer",
                                       "layers", "access", "sampler", NULL};
    bool is_map = node->kind == RP_YAML_MAP;
    const rp_yaml_node *name_node = is_map ? rp_yaml_find(node, "buffer") : node;
    if (is_map && !rp_read_map(r, node, "a part of an image", keys)) return false;
    if (!name_node) return rp_read_error(r, node, "'buffer' of this part is missing");
    const rp_name *name = rp_read_find(r, &r->buffer_names, name_node, "buffer");
    if (!name || name->value == RP_NONE) return false;
    const rp_image_shape *shape = &r->graph->buffers[name->value].image;
    if (!shape->format) return no_image(r, name_node, name);
    rp_subresources part = {0, one_mip ? 1 : shape->mips, 0, shape->layers};
    if (is_map &&
        (!read_count(r, node, "mip", "mips", shape->mips, &part.first_mip, &part.mips) ||
         !read_count(r, node, "layer", "layers", shape->layers, &part.first_layer, &part.layers)))
        return false;
    if (is_map && one_mip && !rp_yaml_find(node, "mip") && !rp_yaml_find(node, "mips"))
        part.first_mip = 0, part.mips = 1;
    if (out_sampler) *out_sampler = is_map ? rp_yaml_find(node, "sampler") : NULL;
    return add_part(r, list, name->value, access, &part, step);
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

static bool add_node(rp_reader *r, rp_graph_node *node, const rp_graph_use *uses,
                     uint32_t use_count, const uint8_t *bytes) {
    node->use_count = use_count;
    return rp_graph_add_node(r->graph, node, uses, bytes) == RP_NONE ? rp_read_no_memory(r) : true;
}

/* A side of a transfer: one range of an image. */
static bool read_side(rp_reader *r, const rp_yaml_node *map, const char *what, const char *key,
                      uint8_t access, rp_use_list *list) {
    const rp_yaml_node *side = rp_yaml_find(map, key);
    uint32_t before = list->uses_count;
    if (!side) return rp_read_error(r, map, "'%s' of %s is missing", key, what);
    bool blit = strcmp(what, "blit") == 0;
    if (!rp_read_part(r, side, list, access, RP_USE_PARAM, blit, NULL)) return false;
    if (access == RP_WRITE && !rp_read_writable(r, side, list->uses[before].buffer)) return false;
    return list->uses_count == before + 1 ||
           rp_read_error(r, side, "%s takes one mip, or all layers of some", what);
}

static const char *filter_keyword(uint32_t code) {
    return rp_filter_name((rp_filter)code);
}

static bool read_filter(rp_reader *r, const rp_yaml_node *map, rp_graph_node *node) {
    const rp_yaml_node *filter = rp_yaml_find(map, "filter");
    int code = filter ? rp_read_keyword(r, filter, "filter", filter_keyword, RP_FILTER_LINEAR + 1)
                      : RP_FILTER_LINEAR;
    node->kind = RP_BLIT;
    node->pattern = (uint32_t)code;
    return code >= 0;
}

bool rp_read_blit(rp_reader *r, const rp_yaml_node *map, rp_graph_node *node) {
    static const char *const keys[] = {"from", "to", "filter", NULL};
    if (!rp_read_map(r, map, "blit", keys)) return false;
    rp_use_list list = {0};
    bool good = read_side(r, map, "blit", "from", RP_READ, &list) &&
                read_side(r, map, "blit", "to", RP_WRITE, &list) && read_filter(r, map, node) &&
                add_node(r, node, list.uses, list.uses_count, NULL);
    rp_release(&r->a, list.uses);
    return good;
}

bool rp_read_clear(rp_reader *r, const rp_yaml_node *map, rp_graph_node *node) {
    static const char *const keys[] = {"to", "value", NULL};
    if (!rp_read_map(r, map, "clear", keys)) return false;
    const rp_yaml_node *value = rp_yaml_find(map, "value");
    rp_use_list list = {0};
    bool good = read_side(r, map, "clear", "to", RP_WRITE, &list);
    uint8_t texel[16] = {0}, *numbers = NULL;
    uint32_t size = 0;
    if (good && value) {
        uint8_t format = r->graph->buffers[list.uses[0].buffer].image.format;
        rp_texel kind = rp_image_format_get((rp_image_format)format).texel;
        rp_dtype dtype = kind == RP_TEXEL_FLOAT ? RP_F32 : kind == RP_TEXEL_INT ? RP_I32 : RP_U32;
        good = rp_read_numbers(r, value, dtype, &numbers, &size);
        if (good && size != 4 && size != 16)
            good = rp_read_error(r, value, "a texel has 4 channels, or one value for all of them");
        for (uint32_t i = 0; good && i < 16; i++) texel[i] = numbers[i % size];
        rp_release(&r->a, numbers);
    }
    node->kind = RP_CLEAR;
    node->byte_count = sizeof texel;
    good = good && add_node(r, node, list.uses, list.uses_count, texel);
    rp_release(&r->a, list.uses);
    return good;
}

bool rp_read_mips(rp_reader *r, const rp_yaml_node *map, rp_graph_node *node) {
    static const char *const keys[] = {"image", "filter", NULL};
    const rp_yaml_node *name_node = map;
    bool good = map->kind != RP_YAML_MAP || rp_read_map(r, map, "mips", keys);
    if (map->kind == RP_YAML_MAP) name_node = rp_yaml_find(map, "image");
    if (!name_node) return rp_read_error(r, map, "'image' of mips is missing");
    const rp_name *name = rp_read_find(r, &r->buffer_names, name_node, "buffer");
    if (!good || !name || name->value == RP_NONE) return false;
    const rp_image_shape shape = r->graph->buffers[name->value].image;
    node->kind = RP_BLIT;
    node->pattern = RP_FILTER_LINEAR;
    if (!shape.format) return no_image(r, name_node, name);
    if (shape.mips < 2)
        return rp_read_error(r, name_node, "'%s' has one mip: give it 'mips: all'", name->text);
    if (!rp_read_writable(r, name_node, name->value)) return false;
    if (map->kind == RP_YAML_MAP && !read_filter(r, map, node)) return false;
    for (uint32_t mip = 1; mip < shape.mips; mip++) {
        rp_graph_use uses[2] = {{.buffer = name->value, .access = RP_READ},
                                {.buffer = name->value, .access = RP_WRITE}};
        for (uint32_t i = 0; i < 2; i++)
            (void)rp_image_range(&shape, mip - 1 + i, 1, 0, shape.layers, &uses[i].offset,
                                 &uses[i].size);
        node->id = r->graph->nodes_count;
        if (!add_node(r, node, uses, 2, NULL)) return false;
    }
    return true;
}
