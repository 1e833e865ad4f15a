/* Internal: which subresources a range of an image's packed bytes is; see reprise/image.h. */
#ifndef RP_BASE_IMAGE_H
#define RP_BASE_IMAGE_H

#include <stdbool.h>

#include "reprise/image.h"

typedef struct rp_subresources {
    uint32_t first_mip, mips, first_layer, layers;
} rp_subresources;

/* The way back from rp_image_range: false for bytes that are no whole subresources, and for some of the
 * layers of several mips, which are several ranges. */
bool rp_image_subresources(const rp_image_shape *shape, uint64_t offset, uint64_t size,
                           rp_subresources *out);

/* Bytes of one layer of a mip; 0: too many. And of mips first .. first + count with all layers; false:
 * too many. */
uint64_t rp_layer_bytes(const rp_image_shape *shape, uint32_t mip);
bool rp_mip_bytes(const rp_image_shape *shape, uint32_t first, uint32_t count, uint64_t *out);

/* What is wrong with a shape, NULL for nothing: static text. */
const char *rp_image_wrong(const rp_image_shape *shape);
/* The same of a sampler. */
const char *rp_sampler_wrong(const rp_sampler_info *info);

/* Of depth: what Vulkan does with colours it does not do with it, or not in every queue. */
static inline bool rp_image_is_depth(uint32_t format) {
    return rp_image_format_get((rp_image_format)format).class_of == 'D';
}

/* Whether texels can be copied one by one: of one size, in mips of the same extents. Vulkan copies no
 * image of 1 dimension to one of 2, and depth to its own format alone. */
bool rp_image_copies(const rp_image_shape *from, const rp_subresources *source,
                     const rp_image_shape *to, const rp_subresources *destination);
/* What is wrong with scaling one to the other by an rp_filter, NULL for nothing: static text. */
const char *rp_image_blit_wrong(const rp_image_shape *from, const rp_subresources *source,
                                const rp_image_shape *to, const rp_subresources *destination,
                                uint32_t filter);

static inline bool rp_image_same(const rp_image_shape *a, const rp_image_shape *b) {
    return a->format == b->format && a->dim == b->dim && a->mips == b->mips &&
           a->width == b->width && a->height == b->height && a->depth == b->depth &&
           a->layers == b->layers;
}

/* Whether a view can show mips and layers of an image: a cube all six faces, a single layer one. */
bool rp_view_fits(rp_view view, const rp_image_shape *shape, uint32_t layers);

/* The mips and layers that a caller gives, of whom a count of 0 is all from the first on; with `one_mip`
 * there can be no more, and 0 is one. NULL, or what is wrong: static text. */
const char *rp_image_find_part(const rp_image_shape *shape, const rp_subresources *given,
                               bool one_mip, rp_subresources *out);
/* In how many ranges of packed bytes a part lies, and each of them: some layers of several mips are one
 * range for each mip. */
uint32_t rp_image_pieces(const rp_image_shape *shape, const rp_subresources *part);
void rp_image_piece(const rp_image_shape *shape, const rp_subresources *part, uint32_t piece,
                    uint64_t *out_offset, uint64_t *out_size);

/* What a kernel sees of an image or a texel buffer; format RP_IMAGE_NONE: it declares none. */
typedef struct rp_seen_as {
    uint8_t view, format, texel; /* rp_view, rp_image_format, rp_texel */
    bool sampled;
} rp_seen_as;
/* Whether that is wrong for a part of an image, or for bytes of a buffer as texels of a format; with the
 * reason, and what would do. misfit.c. */
enum { RP_MISFIT_TEXT = 224 };
bool rp_image_misfit(const rp_seen_as *as, const rp_image_shape *shape, const rp_subresources *part,
                     char why[RP_MISFIT_TEXT]);
bool rp_texels_misfit(const rp_seen_as *as, uint32_t format, uint64_t offset, uint64_t size,
                      char why[RP_MISFIT_TEXT]);

#endif
