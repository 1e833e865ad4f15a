/* What a kernel sees of an image or of texels, against what is bound there, in words that say what would
 * do: for graphs, whose verifier says where, and for encoders. */
#include "base/image.h"

#include <stdio.h>

static const char *texel_words(rp_texel texel) {
    switch (texel) {
    case RP_TEXEL_FLOAT: return "floats";
    case RP_TEXEL_INT: return "signed integers";
    case RP_TEXEL_UINT: return "unsigned integers";
    }
    return "?";
}

/* The formats do not fit: declared by the kernel, and what is bound. */
static void say_format(const rp_seen_as *as, uint32_t format, const char *what,
                       char why[RP_MISFIT_TEXT]) {
    rp_texel texel = rp_image_format_get((rp_image_format)format).texel;
    if (as->format)
        snprintf(why, RP_MISFIT_TEXT,
                 "the kernel declares format %s there, and %s %s: the two must agree",
                 rp_image_format_name((rp_image_format)as->format), what,
                 rp_image_format_name((rp_image_format)format));
    else
        snprintf(why, RP_MISFIT_TEXT, "the kernel sees %s there, and %s %s, which are %s",
                 texel_words((rp_texel)as->texel), what,
                 rp_image_format_name((rp_image_format)format), texel_words(texel));
}

static bool fits_format(const rp_seen_as *as, uint32_t format) {
    if (as->format) return format == as->format;
    return (uint8_t)rp_image_format_get((rp_image_format)format).texel == as->texel;
}

static void say_view(const rp_seen_as *as, const rp_image_shape *shape, uint32_t layers,
                     char why[RP_MISFIT_TEXT]) {
    const char *view = rp_view_name((rp_view)as->view);
    if (layers > 1 && rp_view_fits((rp_view)as->view, shape, 1))
        snprintf(why, RP_MISFIT_TEXT,
                 "the kernel sees a %s image there, and this has %u layers: take one", view,
                 layers);
    else
        snprintf(why, RP_MISFIT_TEXT,
                 "the kernel sees a %s image there, and this is %s with %u layer%s", view,
                 rp_image_dim_name((rp_image_dim)shape->dim), layers, layers == 1 ? "" : "s");
}

bool rp_image_misfit(const rp_seen_as *as, const rp_image_shape *shape, const rp_subresources *part,
                     char why[RP_MISFIT_TEXT]) {
    if (!rp_view_fits((rp_view)as->view, shape, part->layers))
        say_view(as, shape, part->layers, why);
    else if (!fits_format(as, shape->format))
        say_format(as, shape->format, "the image is of", why);
    else if (!as->sampled && rp_image_is_depth(shape->format))
        snprintf(why, RP_MISFIT_TEXT, "depth is sampled and never stored to: store to r32f");
    else if (!as->sampled && part->mips > 1)
        snprintf(why, RP_MISFIT_TEXT, "a storage image is one mip: take one");
    else
        return false;
    return true;
}

bool rp_texels_misfit(const rp_seen_as *as, uint32_t format, uint64_t offset, uint64_t size,
                      char why[RP_MISFIT_TEXT]) {
    uint64_t bytes = rp_image_format_get((rp_image_format)format).bytes;
    if (!bytes)
        snprintf(why, RP_MISFIT_TEXT, "the kernel sees texels there: say of which format");
    else if (!fits_format(as, format))
        say_format(as, format, "it is bound as", why);
    else if (size % bytes || offset % bytes)
        snprintf(why, RP_MISFIT_TEXT,
                 "the range is no whole number of texels of %s: begin at a multiple of %llu bytes, "
                 "and take one",
                 rp_image_format_name((rp_image_format)format), (unsigned long long)bytes);
    else
        return false;
    return true;
}
