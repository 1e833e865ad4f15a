/* The rules of images and samplers: which there can be, which bytes are subresources, what fits to what.
 * Values come from files and from C callers: each function answers for what is in no set. */
#include "base/image.h"

#include <stddef.h>
#include <string.h>

#include "base/checked.h"
#include "reprise/types.h"

/* ---- Shapes ---------------------------------------------------------------------------------- */

const char *rp_image_wrong(const rp_image_shape *s) {
    if (!rp_image_format_name((rp_image_format)s->format)) return "its format does not exist";
    if (!rp_image_dim_name((rp_image_dim)s->dim)) return "an image has 1, 2 or 3 dimensions";
    if (s->width == 0 || s->height == 0 || s->depth == 0) return "an extent is 0";
    if (s->layers == 0) return "it has no layers";
    if (s->dim == RP_IMAGE_1D && s->height != 1) return "an image of 1 dimension has height 1";
    if (s->dim != RP_IMAGE_3D && s->depth != 1) return "only an image of 3 dimensions has a depth";
    if (s->dim == RP_IMAGE_3D && s->layers != 1) return "an image of 3 dimensions has one layer";
    if (s->dim == RP_IMAGE_CUBE && s->layers % 6) return "a cube has 6 layers, or a multiple";
    if (s->dim == RP_IMAGE_CUBE && s->width != s->height) return "a cube's faces are square";
    if (s->mips == 0 || s->mips > rp_image_max_mips(s->width, s->height, s->depth))
        return "it has no mips, or more than come down to one texel";
    return rp_image_bytes(s) ? NULL : "it has 2^40 bytes or more";
}

uint64_t rp_layer_bytes(const rp_image_shape *s, uint32_t mip) {
    uint32_t extent[3];
    uint64_t bytes = rp_image_format_get((rp_image_format)s->format).bytes;
    rp_image_extent(s, mip, extent);
    for (int i = 0; i < 3; i++)
        if (!rp_mul_u64(bytes, extent[i], &bytes) || bytes >= RP_MAX_BUFFER_BYTES) return 0;
    return bytes;
}

bool rp_mip_bytes(const rp_image_shape *s, uint32_t first, uint32_t count, uint64_t *out) {
    *out = 0;
    for (uint32_t m = first; m < first + count; m++) {
        uint64_t bytes = rp_layer_bytes(s, m);
        if (bytes == 0 || !rp_mul_u64(bytes, s->layers, &bytes) || bytes >= RP_MAX_BUFFER_BYTES)
            return false;
        *out += bytes;
        if (*out >= RP_MAX_BUFFER_BYTES) return false;
    }
    return true;
}

bool rp_image_subresources(const rp_image_shape *s, uint64_t offset, uint64_t size,
                           rp_subresources *out) {
    uint32_t mip = 0, mips = 0;
    uint64_t bytes = 0, at = 0;
    if (size == 0) return false;
    for (; mip < s->mips; mip++, at += bytes) { /* the mip in which the range begins */
        if (!rp_mip_bytes(s, mip, 1, &bytes)) return false;
        if (offset < at + bytes) break;
    }
    if (mip == s->mips) return false;
    uint64_t layer = bytes / s->layers, from = offset - at;
    if (from || size < bytes) {
        *out = (rp_subresources){mip, 1, (uint32_t)(from / layer), (uint32_t)(size / layer)};
        return from % layer == 0 && size % layer == 0 && rp_range_inside(from, size, bytes);
    }
    for (uint64_t left = size; left; mips++, left -= bytes) {
        if (mip + mips == s->mips || !rp_mip_bytes(s, mip + mips, 1, &bytes) || bytes > left)
            return false;
    }
    *out = (rp_subresources){mip, mips, 0, s->layers};
    return true;
}

bool rp_image_copies(const rp_image_shape *a, const rp_subresources *s, const rp_image_shape *b,
                     const rp_subresources *t) {
    if (s->mips != t->mips || s->layers != t->layers ||
        (a->dim == RP_IMAGE_1D) != (b->dim == RP_IMAGE_1D) ||
        rp_image_format_get((rp_image_format)a->format).bytes !=
            rp_image_format_get((rp_image_format)b->format).bytes ||
        (a->format != b->format && (rp_image_is_depth(a->format) || rp_image_is_depth(b->format))))
        return false;
    for (uint32_t m = 0; m < s->mips; m++) {
        uint32_t from[3], to[3];
        rp_image_extent(a, s->first_mip + m, from);
        rp_image_extent(b, t->first_mip + m, to);
        if (memcmp(from, to, sizeof from) != 0) return false;
    }
    return true;
}

const char *rp_image_blit_wrong(const rp_image_shape *a, const rp_subresources *s,
                                const rp_image_shape *b, const rp_subresources *t,
                                uint32_t filter) {
    rp_texel texel = rp_image_format_get((rp_image_format)a->format).texel;
    if (s->mips != 1 || t->mips != 1) return "both sides are one mip";
    if (s->layers != t->layers) return "both sides have as many layers";
    if ((a->dim == RP_IMAGE_3D) != (b->dim == RP_IMAGE_3D)) return "both have depth, or none";
    if (texel != rp_image_format_get((rp_image_format)b->format).texel)
        return "both are floats, or signed, or unsigned integers";
    if (!rp_filter_name((rp_filter)filter)) return "the filter does not exist";
    if (filter == RP_FILTER_LINEAR && texel != RP_TEXEL_FLOAT) return "integers take nearest";
    bool depth = rp_image_is_depth(a->format) || rp_image_is_depth(b->format);
    if (depth && (a->format != b->format || filter != RP_FILTER_NEAREST))
        return "depth is blitted to its own format, and takes nearest";
    return NULL;
}

bool rp_view_fits(rp_view view, const rp_image_shape *s, uint32_t layers) {
    switch (view) {
    case RP_VIEW_1D: return s->dim == RP_IMAGE_1D && layers == 1;
    case RP_VIEW_1D_ARRAY: return s->dim == RP_IMAGE_1D;
    case RP_VIEW_2D: return (s->dim == RP_IMAGE_2D || s->dim == RP_IMAGE_CUBE) && layers == 1;
    case RP_VIEW_2D_ARRAY: return s->dim == RP_IMAGE_2D || s->dim == RP_IMAGE_CUBE;
    case RP_VIEW_3D: return s->dim == RP_IMAGE_3D;
    case RP_VIEW_CUBE: return s->dim == RP_IMAGE_CUBE && layers == 6;
    case RP_VIEW_CUBE_ARRAY: return s->dim == RP_IMAGE_CUBE && layers % 6 == 0;
    }
    return false;
}

const char *rp_image_find_part(const rp_image_shape *s, const rp_subresources *given, bool one_mip,
                               rp_subresources *out) {
    *out = (rp_subresources){0};
    if (s->format == RP_IMAGE_NONE) return "it is a buffer; expected an image";
    if (given->first_mip >= s->mips || given->mips > s->mips - given->first_mip)
        return "it does not have these mips";
    if (given->first_layer >= s->layers || given->layers > s->layers - given->first_layer)
        return "it does not have these layers";
    *out = *given;
    if (out->mips == 0) out->mips = one_mip ? 1 : s->mips - given->first_mip;
    if (out->layers == 0) out->layers = s->layers - given->first_layer;
    return one_mip && out->mips > 1 ? "one mip can be there" : NULL;
}

uint32_t rp_image_pieces(const rp_image_shape *s, const rp_subresources *part) {
    return part->layers == s->layers ? 1 : part->mips;
}

void rp_image_piece(const rp_image_shape *s, const rp_subresources *part, uint32_t piece,
                    uint64_t *out_offset, uint64_t *out_size) {
    bool whole = rp_image_pieces(s, part) == 1;
    (void)rp_image_range(s, part->first_mip + piece, whole ? part->mips : 1, part->first_layer,
                         part->layers, out_offset, out_size);
}

/* ---- Samplers -------------------------------------------------------------------------------- */

/* Vulkan's rules of VkSamplerCreateInfo, where they need no device. Comparisons are the other way round
 * so that NaN is wrong. */
const char *rp_sampler_wrong(const rp_sampler_info *i) {
    if (!rp_filter_name((rp_filter)i->mag) || !rp_filter_name((rp_filter)i->min) ||
        !rp_filter_name((rp_filter)i->mip))
        return "its filters are nearest or linear";
    if (!rp_address_name((rp_address)i->u) || !rp_address_name((rp_address)i->v) ||
        !rp_address_name((rp_address)i->w))
        return "an address mode does not exist";
    if (!rp_compare_name((rp_compare)i->compare)) return "its comparison does not exist";
    if (!rp_border_name((rp_border)i->border)) return "its border does not exist";
    if (i->unnormalised > 1 || i->reserved[0] || i->reserved[1] || i->reserved[2])
        return "a field of it has a value that means nothing";
    if (!(i->anisotropy == 0 || (i->anisotropy >= 1 && i->anisotropy <= 1024)))
        return "its anisotropy is 0 for none, or 1 and more samples";
    if (!(i->bias >= -1024 && i->bias <= 1024)) return "its bias is not between -1024 and 1024";
    if (!(i->min_level >= 0 && i->min_level <= i->max_level && i->max_level <= RP_LEVEL_ALL))
        return "its levels are from 0 up, the smallest first, at most 1000";
    if (!i->unnormalised) return NULL;
    if (i->mag != i->min || i->mip != RP_FILTER_NEAREST || i->min_level != 0 || i->max_level != 0)
        return "one that counts texels has one filter, mip nearest, and levels 0 to 0";
    if ((i->u != RP_ADDRESS_CLAMP_TO_EDGE && i->u != RP_ADDRESS_CLAMP_TO_BORDER) ||
        (i->v != RP_ADDRESS_CLAMP_TO_EDGE && i->v != RP_ADDRESS_CLAMP_TO_BORDER))
        return "one that counts texels clamps to the edge or to the border";
    if (i->anisotropy != 0 || i->compare != RP_COMPARE_OFF)
        return "one that counts texels has no anisotropy and compares nothing";
    return NULL;
}
