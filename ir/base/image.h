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

/* Whether texels can be copied one by one: of one size, in mips of the same extents. Vulkan copies no
 * image of 1 dimension to one of 2. */
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

#endif
