/* A plan that somebody holds. Nothing of it is decoded but the extents that its images have as arrays:
 * no record holds them, and rp_plan_get_buffer gives pointers to shapes. */
#include "plan/validate.h"

uint32_t rp_image_array(const rp_image_shape *s, uint64_t dims[RP_IMAGE_RANK]) {
    const rp_image_format_info format = rp_image_format_get((rp_image_format)s->format);
    uint32_t rank = 0;
    if (s->mips > 1) return 0;
    if (s->layers > 1) dims[rank++] = s->layers;
    if (s->dim == RP_IMAGE_3D) dims[rank++] = s->depth;
    if (s->dim != RP_IMAGE_1D) dims[rank++] = s->height;
    dims[rank++] = s->width;
    if (*format.numpy && format.channels > 1) dims[rank++] = format.channels;
    return rank;
}

static bool describe_images(rp_plan *plan) {
    const rp_plan_buffer *buffers = rp_plan_records(plan, RP_SECTION_BUFFERS);
    for (uint32_t i = 0; i < plan->external_count; i++) {
        const rp_image_shape shape = rp_plan_image(&buffers[i]);
        if (shape.format == RP_IMAGE_NONE) continue;
        if (!plan->image_dims)
            plan->image_dims = rp_alloc_zero(&plan->allocator, plan->external_count,
                                             RP_IMAGE_RANK * sizeof *plan->image_dims);
        if (!plan->image_dims) return false;
        rp_image_array(&shape, plan->image_dims + (size_t)i * RP_IMAGE_RANK);
    }
    return true;
}

rp_plan *rp_plan_keep(rp_plan *plan) {
    bool described = describe_images(plan);
    for (uint32_t i = 0; i < plan->form_count; i++) described &= describe_images(&plan->forms[i]);
    rp_plan *kept = described ? rp_dup(&plan->allocator, plan, sizeof *plan) : NULL;
    if (kept) {
        atomic_init(&kept->holders, 1);
        for (uint32_t i = 0; i < kept->form_count; i++) kept->forms[i].whole = kept;
    } else {
        rp_release(&plan->allocator, plan->image_dims);
        rp_plan_free_forms(plan);
    }
    return kept;
}
