/* Names, sizes and packed bytes of images, from the tables in reprise/image.h. Shapes and values come
 * from files and from C callers: each function answers for what is in no set. */
#include "reprise/image.h"

#include <stddef.h>

#include "base/checked.h"
#include "base/image.h"
#include "reprise/types.h"

const rp_sampler_info rp_sampler_default = {
    .mag = RP_FILTER_LINEAR,
    .min = RP_FILTER_LINEAR,
    .mip = RP_FILTER_LINEAR,
    .u = RP_ADDRESS_CLAMP_TO_EDGE,
    .v = RP_ADDRESS_CLAMP_TO_EDGE,
    .w = RP_ADDRESS_CLAMP_TO_EDGE,
    .compare = RP_COMPARE_OFF,
    .max_level = RP_LEVEL_ALL,
};

#define RP_CASE(symbol, code, name, ...)                                                           \
    case symbol:                                                                                   \
        return name;
#define NAMES(type, list)                                                                          \
    const char *type##_name(type value) {                                                          \
        switch ((int)value) { list(RP_CASE) }                                                      \
        return NULL;                                                                               \
    }
NAMES(rp_image_format, RP_IMAGE_FORMAT_LIST)
NAMES(rp_image_dim, RP_IMAGE_DIM_LIST)
NAMES(rp_view, RP_VIEW_LIST)
NAMES(rp_resource, RP_RESOURCE_LIST)
NAMES(rp_texel, RP_TEXEL_LIST)
NAMES(rp_filter, RP_FILTER_LIST)
NAMES(rp_address, RP_ADDRESS_LIST)
NAMES(rp_compare, RP_COMPARE_LIST)
NAMES(rp_border, RP_BORDER_LIST)

rp_image_format_info rp_image_format_get(rp_image_format format) {
    rp_image_format_info info = {0};
    switch ((int)format) {
#define RP_X(symbol, code, name, vulkan, bytes, channels, class_of, numpy)                         \
    case symbol:                                                                                   \
        info = (rp_image_format_info){bytes, channels, class_of, RP_TEXEL_FLOAT, numpy};           \
        break;
        RP_IMAGE_FORMAT_LIST(RP_X)
#undef RP_X
    }
    if (info.class_of == 'I') info.texel = RP_TEXEL_INT;
    if (info.class_of == 'U') info.texel = RP_TEXEL_UINT;
    return info;
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

uint32_t rp_image_max_mips(uint32_t width, uint32_t height, uint32_t depth) {
    uint32_t most = width | height | depth, mips = 0; /* the highest bit of the largest */
    for (; most; most >>= 1) mips++;
    return mips;
}

void rp_image_extent(const rp_image_shape *s, uint32_t mip, uint32_t *out) {
    if (!s || !out) return;
    const uint32_t whole[3] = {s->width, s->height, s->depth};
    for (int i = 0; i < 3; i++) {
        out[i] = mip < 32 ? whole[i] >> mip : 0;
        if (out[i] == 0) out[i] = 1;
    }
}

uint64_t rp_image_bytes(const rp_image_shape *s) {
    uint64_t bytes;
    if (!s || s->mips > rp_image_max_mips(s->width, s->height, s->depth)) return 0;
    return rp_mip_bytes(s, 0, s->mips, &bytes) ? bytes : 0;
}

rp_status rp_image_range(const rp_image_shape *s, uint32_t first_mip, uint32_t mips,
                         uint32_t first_layer, uint32_t layers, uint64_t *out_offset,
                         uint64_t *out_size) {
    if (!s || !out_offset || !out_size || rp_image_wrong(s)) return RP_ERROR_USAGE;
    if (mips == 0 || layers == 0 || !rp_range_inside(first_mip, mips, s->mips) ||
        !rp_range_inside(first_layer, layers, s->layers) || (mips > 1 && layers != s->layers))
        return RP_ERROR_USAGE;
    uint64_t before, size;
    if (!rp_mip_bytes(s, 0, first_mip, &before) || !rp_mip_bytes(s, first_mip, mips, &size))
        return RP_ERROR_USAGE;
    if (layers != s->layers) {
        uint64_t layer = rp_layer_bytes(s, first_mip);
        before += first_layer * layer;
        size = layers * layer;
    }
    *out_offset = before;
    *out_size = size;
    return RP_OK;
}
