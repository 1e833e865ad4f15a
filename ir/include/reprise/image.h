/* Images: formats, shapes, views and samplers.
 *
 * An image is a buffer whose bytes the device lays out. For everybody else its bytes are *packed*: mip
 * by mip from the largest, in each mip layer by layer, in each layer slice by slice (3D), row by row
 * from the top, texel by texel, with nothing in between. A mip of a layer, a *subresource* in Vulkan's
 * words, is so a range of bytes. What uses an image says such ranges; the host reads and writes it in
 * this form; a copy between an image and a buffer keeps the order.
 */
#ifndef REPRISE_IMAGE_H
#define REPRISE_IMAGE_H

#include <stdint.h>
#include "reprise/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Texel formats: symbol, code, keyword, VkFormat without its VK_FORMAT_, bytes of a texel, channels,
 * class, NumPy's descriptor of a channel ("" where a texel is one packed word). Keywords are GLSL's
 * layout qualifiers where it has one. Classes: F float, N unorm, S snorm, U uint, I int, R unorm in
 * sRGB, D depth, from 0 to 1, which is sampled and compared and never stored to; shaders read all but U
 * and I as floats. Codes are stored in plans. */
#define RP_IMAGE_FORMAT_LIST(X)                                                                    \
    X(RP_IMAGE_RGBA32F, 1, "rgba32f", R32G32B32A32_SFLOAT, 16, 4, 'F', "f4")                       \
    X(RP_IMAGE_RGBA16F, 2, "rgba16f", R16G16B16A16_SFLOAT, 8, 4, 'F', "f2")                        \
    X(RP_IMAGE_RG32F, 3, "rg32f", R32G32_SFLOAT, 8, 2, 'F', "f4")                                  \
    X(RP_IMAGE_RG16F, 4, "rg16f", R16G16_SFLOAT, 4, 2, 'F', "f2")                                  \
    X(RP_IMAGE_R32F, 5, "r32f", R32_SFLOAT, 4, 1, 'F', "f4")                                       \
    X(RP_IMAGE_R16F, 6, "r16f", R16_SFLOAT, 2, 1, 'F', "f2")                                       \
    X(RP_IMAGE_R11G11B10F, 7, "r11f_g11f_b10f", B10G11R11_UFLOAT_PACK32, 4, 3, 'F', "")            \
    X(RP_IMAGE_RGBA16, 8, "rgba16", R16G16B16A16_UNORM, 8, 4, 'N', "u2")                           \
    X(RP_IMAGE_RGB10A2, 9, "rgb10_a2", A2B10G10R10_UNORM_PACK32, 4, 4, 'N', "")                    \
    X(RP_IMAGE_RGBA8, 10, "rgba8", R8G8B8A8_UNORM, 4, 4, 'N', "u1")                                \
    X(RP_IMAGE_RG16, 11, "rg16", R16G16_UNORM, 4, 2, 'N', "u2")                                    \
    X(RP_IMAGE_RG8, 12, "rg8", R8G8_UNORM, 2, 2, 'N', "u1")                                        \
    X(RP_IMAGE_R16, 13, "r16", R16_UNORM, 2, 1, 'N', "u2")                                         \
    X(RP_IMAGE_R8, 14, "r8", R8_UNORM, 1, 1, 'N', "u1")                                            \
    X(RP_IMAGE_RGBA16_SNORM, 15, "rgba16_snorm", R16G16B16A16_SNORM, 8, 4, 'S', "i2")              \
    X(RP_IMAGE_RGBA8_SNORM, 16, "rgba8_snorm", R8G8B8A8_SNORM, 4, 4, 'S', "i1")                    \
    X(RP_IMAGE_RG16_SNORM, 17, "rg16_snorm", R16G16_SNORM, 4, 2, 'S', "i2")                        \
    X(RP_IMAGE_RG8_SNORM, 18, "rg8_snorm", R8G8_SNORM, 2, 2, 'S', "i1")                            \
    X(RP_IMAGE_R16_SNORM, 19, "r16_snorm", R16_SNORM, 2, 1, 'S', "i2")                             \
    X(RP_IMAGE_R8_SNORM, 20, "r8_snorm", R8_SNORM, 1, 1, 'S', "i1")                                \
    X(RP_IMAGE_RGBA32I, 21, "rgba32i", R32G32B32A32_SINT, 16, 4, 'I', "i4")                        \
    X(RP_IMAGE_RGBA16I, 22, "rgba16i", R16G16B16A16_SINT, 8, 4, 'I', "i2")                         \
    X(RP_IMAGE_RGBA8I, 23, "rgba8i", R8G8B8A8_SINT, 4, 4, 'I', "i1")                               \
    X(RP_IMAGE_RG32I, 24, "rg32i", R32G32_SINT, 8, 2, 'I', "i4")                                   \
    X(RP_IMAGE_RG16I, 25, "rg16i", R16G16_SINT, 4, 2, 'I', "i2")                                   \
    X(RP_IMAGE_RG8I, 26, "rg8i", R8G8_SINT, 2, 2, 'I', "i1")                                       \
    X(RP_IMAGE_R32I, 27, "r32i", R32_SINT, 4, 1, 'I', "i4")                                        \
    X(RP_IMAGE_R16I, 28, "r16i", R16_SINT, 2, 1, 'I', "i2")                                        \
    X(RP_IMAGE_R8I, 29, "r8i", R8_SINT, 1, 1, 'I', "i1")                                           \
    X(RP_IMAGE_RGBA32UI, 30, "rgba32ui", R32G32B32A32_UINT, 16, 4, 'U', "u4")                      \
    X(RP_IMAGE_RGBA16UI, 31, "rgba16ui", R16G16B16A16_UINT, 8, 4, 'U', "u2")                       \
    X(RP_IMAGE_RGB10A2UI, 32, "rgb10_a2ui", A2B10G10R10_UINT_PACK32, 4, 4, 'U', "")                \
    X(RP_IMAGE_RGBA8UI, 33, "rgba8ui", R8G8B8A8_UINT, 4, 4, 'U', "u1")                             \
    X(RP_IMAGE_RG32UI, 34, "rg32ui", R32G32_UINT, 8, 2, 'U', "u4")                                 \
    X(RP_IMAGE_RG16UI, 35, "rg16ui", R16G16_UINT, 4, 2, 'U', "u2")                                 \
    X(RP_IMAGE_RG8UI, 36, "rg8ui", R8G8_UINT, 2, 2, 'U', "u1")                                     \
    X(RP_IMAGE_R32UI, 37, "r32ui", R32_UINT, 4, 1, 'U', "u4")                                      \
    X(RP_IMAGE_R16UI, 38, "r16ui", R16_UINT, 2, 1, 'U', "u2")                                      \
    X(RP_IMAGE_R8UI, 39, "r8ui", R8_UINT, 1, 1, 'U', "u1")                                         \
    X(RP_IMAGE_RGBA8_SRGB, 40, "rgba8_srgb", R8G8B8A8_SRGB, 4, 4, 'R', "u1")                       \
    X(RP_IMAGE_BGRA8, 41, "bgra8", B8G8R8A8_UNORM, 4, 4, 'N', "u1")                                \
    X(RP_IMAGE_BGRA8_SRGB, 42, "bgra8_srgb", B8G8R8A8_SRGB, 4, 4, 'R', "u1")                       \
    X(RP_IMAGE_D32F, 43, "d32f", D32_SFLOAT, 4, 1, 'D', "f4")

typedef enum rp_image_format {
    RP_IMAGE_NONE = 0, /* of a buffer that is no image */
#define RP_X(symbol, code, ...) symbol = code,
    RP_IMAGE_FORMAT_LIST(RP_X)
#undef RP_X
} rp_image_format;

/* How many coordinates a texel has: symbol, code, keyword. A cube has square layers, six for each
 * cube. */
#define RP_IMAGE_DIM_LIST(X)                                                                       \
    X(RP_IMAGE_1D, 0, "1d")                                                                        \
    X(RP_IMAGE_2D, 1, "2d")                                                                        \
    X(RP_IMAGE_3D, 2, "3d")                                                                        \
    X(RP_IMAGE_CUBE, 3, "cube")

/* As what a shader sees an image: symbol, code, keyword. */
#define RP_VIEW_LIST(X)                                                                            \
    X(RP_VIEW_1D, 0, "1d")                                                                         \
    X(RP_VIEW_2D, 1, "2d")                                                                         \
    X(RP_VIEW_3D, 2, "3d")                                                                         \
    X(RP_VIEW_CUBE, 3, "cube")                                                                     \
    X(RP_VIEW_1D_ARRAY, 4, "1d_array")                                                             \
    X(RP_VIEW_2D_ARRAY, 5, "2d_array")                                                             \
    X(RP_VIEW_CUBE_ARRAY, 6, "cube_array")

/* What a kernel's binding is: symbol, code, keyword. Its access says the rest: a uniform buffer has
 * access `u`, a sampled image and a uniform texel buffer `s`, storage of each kind r, w or rw. */
#define RP_RESOURCE_LIST(X)                                                                        \
    X(RP_RESOURCE_BUFFER, 0, "buffer")                                                             \
    X(RP_RESOURCE_IMAGE, 1, "image")                                                               \
    X(RP_RESOURCE_COMBINED, 2, "combined") /* a sampled image with its sampler */                  \
    X(RP_RESOURCE_SAMPLER, 3, "sampler")   /* a sampler alone: no memory, access `s` */            \
    X(RP_RESOURCE_TEXELS, 4, "texels")     /* a buffer seen as texels of a format */               \
    X(RP_RESOURCE_STALL, 5, "stall") /* a word of the replay's own, set by who gave up waiting  \
                                            * for a tagged element; access `rw` */

/* What a shader reads and writes a texel as: symbol, code, keyword. */
#define RP_TEXEL_LIST(X)                                                                           \
    X(RP_TEXEL_FLOAT, 0, "float")                                                                  \
    X(RP_TEXEL_INT, 1, "int")                                                                      \
    X(RP_TEXEL_UINT, 2, "uint")

/* Fields of a sampler: VkFilter, VkSamplerMipmapMode, VkSamplerAddressMode, VkCompareOp and
 * VkBorderColor have these numbers. */
#define RP_FILTER_LIST(X)                                                                          \
    X(RP_FILTER_NEAREST, 0, "nearest")                                                             \
    X(RP_FILTER_LINEAR, 1, "linear")
#define RP_ADDRESS_LIST(X)                                                                         \
    X(RP_ADDRESS_REPEAT, 0, "repeat")                                                              \
    X(RP_ADDRESS_MIRRORED_REPEAT, 1, "mirrored_repeat")                                            \
    X(RP_ADDRESS_CLAMP_TO_EDGE, 2, "clamp_to_edge")                                                \
    X(RP_ADDRESS_CLAMP_TO_BORDER, 3, "clamp_to_border")                                            \
    X(RP_ADDRESS_MIRROR_CLAMP_TO_EDGE, 4, "mirror_clamp_to_edge")
#define RP_COMPARE_LIST(X)                                                                         \
    X(RP_COMPARE_NEVER, 0, "never")                                                                \
    X(RP_COMPARE_LESS, 1, "less")                                                                  \
    X(RP_COMPARE_EQUAL, 2, "equal")                                                                \
    X(RP_COMPARE_LESS_OR_EQUAL, 3, "less_or_equal")                                                \
    X(RP_COMPARE_GREATER, 4, "greater")                                                            \
    X(RP_COMPARE_NOT_EQUAL, 5, "not_equal")                                                        \
    X(RP_COMPARE_GREATER_OR_EQUAL, 6, "greater_or_equal")                                          \
    X(RP_COMPARE_ALWAYS, 7, "always")                                                              \
    X(RP_COMPARE_OFF, 8, "off") /* the sampler compares nothing */
#define RP_BORDER_LIST(X)                                                                          \
    X(RP_BORDER_FLOAT_TRANSPARENT, 0, "transparent")                                               \
    X(RP_BORDER_INT_TRANSPARENT, 1, "int_transparent")                                             \
    X(RP_BORDER_FLOAT_BLACK, 2, "black")                                                           \
    X(RP_BORDER_INT_BLACK, 3, "int_black")                                                         \
    X(RP_BORDER_FLOAT_WHITE, 4, "white")                                                           \
    X(RP_BORDER_INT_WHITE, 5, "int_white")

#define RP_X(symbol, code, ...) symbol = code,
typedef enum rp_image_dim { RP_IMAGE_DIM_LIST(RP_X) } rp_image_dim;
typedef enum rp_view { RP_VIEW_LIST(RP_X) } rp_view;
typedef enum rp_resource { RP_RESOURCE_LIST(RP_X) } rp_resource;
typedef enum rp_texel { RP_TEXEL_LIST(RP_X) } rp_texel;
typedef enum rp_filter { RP_FILTER_LIST(RP_X) } rp_filter;
typedef enum rp_address { RP_ADDRESS_LIST(RP_X) } rp_address;
typedef enum rp_compare { RP_COMPARE_LIST(RP_X) } rp_compare;
typedef enum rp_border { RP_BORDER_LIST(RP_X) } rp_border;
#undef RP_X

/* What an image is. `width`, `height`, `depth`: of mip 0, 1 where the dimension is not there; each mip
 * has half of that, rounded down, and at least 1. Samples are 1. Part of the plan file. */
typedef struct rp_image_shape {
    uint8_t format; /* rp_image_format; RP_IMAGE_NONE: no image, all else is 0 */
    uint8_t dim;    /* rp_image_dim */
    uint16_t mips;  /* 1 to the number that it takes to come down to one texel */
    uint32_t width, height, depth;
    uint32_t layers; /* 1 for 3D, a multiple of 6 for cubes */
} rp_image_shape;

/* How a sampler reads: Vulkan's VkSamplerCreateInfo. Part of the plan file. rp_sampler_default: linear
 * filters, clamped to the edge, all mips, nothing compared. */
typedef struct rp_sampler_info {
    uint8_t mag, min, mip;      /* rp_filter; mip: the mipmap mode */
    uint8_t u, v, w;            /* rp_address */
    uint8_t compare;            /* rp_compare */
    uint8_t border;             /* rp_border */
    uint8_t unnormalised;       /* 0 or 1: coordinates count texels */
    uint8_t reserved[3];        /* 0 */
    float anisotropy;           /* at most so many samples; 0: off */
    float bias;                 /* added to the level */
    float min_level, max_level; /* levels are clamped to these */
} rp_sampler_info;
#define RP_LEVEL_ALL 1000.0f /* a max_level that clamps nothing: VK_LOD_CLAMP_NONE */
RP_API extern const rp_sampler_info rp_sampler_default;

/* Keywords of the sets above; NULL for a value outside the set. */
RP_API const char *rp_image_format_name(rp_image_format format);
RP_API const char *rp_image_dim_name(rp_image_dim dim);
RP_API const char *rp_view_name(rp_view view);
RP_API const char *rp_resource_name(rp_resource resource);
RP_API const char *rp_texel_name(rp_texel texel);
RP_API const char *rp_filter_name(rp_filter filter);
RP_API const char *rp_address_name(rp_address address);
RP_API const char *rp_compare_name(rp_compare compare);
RP_API const char *rp_border_name(rp_border border);

/* What a format is; all 0 for a value outside the set. */
typedef struct rp_image_format_info {
    uint32_t bytes, channels;
    char class_of; /* F, N, S, U, I, R or D, as in RP_IMAGE_FORMAT_LIST */
    rp_texel texel;
    const char *numpy; /* of a channel; "" where a texel is one packed word */
} rp_image_format_info;
RP_API rp_image_format_info rp_image_format_get(rp_image_format format);

/* Packed bytes of an image; 0 for a shape that no image has, or of 2^40 bytes or more. */
RP_API uint64_t rp_image_bytes(const rp_image_shape *shape);
/* The three extents of a mip: at least 1 each. */
RP_API void rp_image_extent(const rp_image_shape *shape, uint32_t mip, uint32_t *out_extent);
/* The most mips that an image of these extents may have. */
RP_API uint32_t rp_image_max_mips(uint32_t width, uint32_t height, uint32_t depth);
/* The bytes of mips first_mip .. + mips with layers first_layer .. + layers, where they are one range:
 * one mip, or all layers. RP_ERROR_USAGE where they are not, or are not in the image. */
RP_API rp_status rp_image_range(const rp_image_shape *shape, uint32_t first_mip, uint32_t mips,
                                uint32_t first_layer, uint32_t layers, uint64_t *out_offset,
                                uint64_t *out_size);

#ifdef __cplusplus
}
#endif

#endif
