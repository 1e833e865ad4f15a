/* Damaged plans of images: one case for each rule, with the message it must give. */
#include "plan_damage.h"

static const char image_text[] =
    "reprise 1\ngraph images {\n  buf $x in image 2d rgba8[8,8] layers 4 mips 3\n"
    "  buf $t in 256\n  buf $y out image 2d r32f[4,4]\n"
    "  buf %a tmp image 2d rgba8[8,8] layers 4 mips 3\n"
    "  kern @k spirv - local 64 1 1 (s image 2d_array float x 3, s combined 2d rgba8, s sampler, "
    "s texels r32f, w image 2d r32f)\n"
    "  samp @p ()\n  samp @q (mag=nearest)\n"
    "  n0 = blit linear (r $x[mip 0+1], w %a[mip 0+1])\n"
    "  n1 = clear 00000000 00000000 00000000 00000000 (w %a[mip 1+2])\n"
    "  n2 = run @k grid 1 1 1 (s $x[mip 0+1 layer 1+2], also s $x[mip 1+1 layer 1+2], next s %a, "
    "s %a[mip 2+1 layer 0+1], s $t as r32f, w $y) samplers (@p, @q)\n}\n";

/* Buffers x, t, y, a; uses of n0, n1, n2 from 0, 2, 3 on. */
static const rule image_rules[] = {
    {RP_SECTION_BUFFERS, 0, FIELD(rp_plan_buffer, format), 0, "fields of an image and is none"},
    {RP_SECTION_BUFFERS, 0, FIELD(rp_plan_buffer, format), 44, "its format does not exist"},
    {RP_SECTION_BUFFERS, 0, FIELD(rp_plan_buffer, format), RP_IMAGE_R8, "an image of 1344 bytes"},
    {RP_SECTION_BUFFERS, 0, FIELD(rp_plan_buffer, dim), 4, "an image has 1, 2 or 3 dimensions"},
    {RP_SECTION_BUFFERS, 0, FIELD(rp_plan_buffer, dim), RP_IMAGE_1D, "has height 1"},
    {RP_SECTION_BUFFERS, 0, FIELD(rp_plan_buffer, mips), 5, "more than come down to one texel"},
    {RP_SECTION_BUFFERS, 0, FIELD(rp_plan_buffer, mips), 0, "it has no mips"},
    {RP_SECTION_BUFFERS, 0, FIELD(rp_plan_buffer, width), 0, "an extent is 0"},
    {RP_SECTION_BUFFERS, 0, FIELD(rp_plan_buffer, height), UINT32_MAX, "an image of 1344 bytes"},
    {RP_SECTION_BUFFERS, 0, FIELD(rp_plan_buffer, depth), 2, "only an image of 3 dimensions"},
    {RP_SECTION_BUFFERS, 0, FIELD(rp_plan_buffer, layers), 0, "it has no layers"},
    {RP_SECTION_BUFFERS, 0, FIELD(rp_plan_buffer, layers), UINT32_MAX, "2^40 bytes or more"},
    {RP_SECTION_BUFFERS, 0, FIELD(rp_plan_buffer, dtype), RP_F32, "its shape makes 4 bytes"},
    {RP_SECTION_BUFFERS, 1, FIELD(rp_plan_buffer, width), 1, "fields of an image and is none"},
    {RP_SECTION_BUFFERS, 3, FIELD(rp_plan_buffer, offset), 4, "alias set 4; there are 4 buffers"},
    {RP_SECTION_SAMPLERS, 1, FIELD(rp_plan_sampler, name), 1 << 20, "is not a string"},
    {RP_SECTION_SAMPLERS, 1, FIELD(rp_plan_sampler, mag), 2, "its filters are"},
    {RP_SECTION_SAMPLERS, 1, FIELD(rp_plan_sampler, mip), 2, "its filters are"},
    {RP_SECTION_SAMPLERS, 1, FIELD(rp_plan_sampler, v), 5, "an address mode does not exist"},
    {RP_SECTION_SAMPLERS, 1, FIELD(rp_plan_sampler, compare), 9, "its comparison does not exist"},
    {RP_SECTION_SAMPLERS, 1, FIELD(rp_plan_sampler, border), 6, "its border does not exist"},
    {RP_SECTION_SAMPLERS, 1, FIELD(rp_plan_sampler, unnormalised), 1, "one that counts texels"},
    {RP_SECTION_SAMPLERS, 1, FIELD(rp_plan_sampler, unnormalised), 2, "that means nothing"},
    {RP_SECTION_SAMPLERS, 1, FIELD(rp_plan_sampler, reserved), 1, "that means nothing"},
    {RP_SECTION_SAMPLERS, 1, FIELD(rp_plan_sampler, anisotropy), 0x7fc00000, "its anisotropy"},
    {RP_SECTION_SAMPLERS, 1, FIELD(rp_plan_sampler, bias), 0x7fc00000, "its bias"},
    {RP_SECTION_SAMPLERS, 1, FIELD(rp_plan_sampler, min_level), 0xbf800000, "its levels"},
    {RP_SECTION_SAMPLERS, 1, FIELD(rp_plan_sampler, max_level), 0x7f800000, "its levels"},
    {RP_SECTION_SAMPLER_REFS, 1, 0, 4, 2, "sampler index 2 is outside 0..2"},
    {RP_SECTION_PARAMS, 0, FIELD(rp_plan_param, resource), 5, "param 0 (access 4"},
    {RP_SECTION_PARAMS, 0, FIELD(rp_plan_param, resource), RP_RESOURCE_BUFFER, "param 0 (access 4"},
    {RP_SECTION_PARAMS, 0, FIELD(rp_plan_param, resource), RP_RESOURCE_TEXELS, "use 0 is not what"},
    {RP_SECTION_PARAMS, 0, FIELD(rp_plan_param, view), 7, "param 0 (access 4"},
    {RP_SECTION_PARAMS, 0, FIELD(rp_plan_param, view), RP_VIEW_2D, "use 0 is not what param 0"},
    {RP_SECTION_PARAMS, 0, FIELD(rp_plan_param, texel), 3, "param 0 (access 4"},
    {RP_SECTION_PARAMS, 0, FIELD(rp_plan_param, texel), RP_TEXEL_INT, "use 0 is not what param 0"},
    {RP_SECTION_PARAMS, 0, FIELD(rp_plan_param, elements), 1025, "param 0 (access 4"},
    {RP_SECTION_PARAMS, 0, FIELD(rp_plan_param, elements), 1, "fewer elements than are bound"},
    {RP_SECTION_PARAMS, 0, FIELD(rp_plan_param, skip), 4, "param 0 (access 4"},
    {RP_SECTION_PARAMS, 0, FIELD(rp_plan_param, access), RP_READ, "access s does not fit"},
    {RP_SECTION_PARAMS, 1, FIELD(rp_plan_param, format), RP_IMAGE_R32UI, "param 1 (access 4"},
    {RP_SECTION_PARAMS, 1, FIELD(rp_plan_param, format), RP_IMAGE_R8, "use 3 is not what param 1"},
    {RP_SECTION_PARAMS, 1, FIELD(rp_plan_param, access), RP_READ, "param 1 (access 0"},
    {RP_SECTION_PARAMS, 2, FIELD(rp_plan_param, elements), 2, "2 samplers do not fit kernel 0's 3"},
    {RP_SECTION_PARAMS, 3, FIELD(rp_plan_param, format), RP_IMAGE_RG16F, "use 4 is not what"},
    {RP_SECTION_USES, 0, FIELD(rp_plan_use, step), 1, "use 0 belongs to no binding"},
    {RP_SECTION_USES, 2, FIELD(rp_plan_use, format), 1, "use 0 belongs to no binding"},
    {RP_SECTION_USES, 0, FIELD(rp_plan_use, offset), 4, "use 0: bytes 4 + 1024 are no sub"},
    {RP_SECTION_USES, 0, FIELD(rp_plan_use, size), 256, "both sides have as many layers"},
    {RP_SECTION_USES, 3, FIELD(rp_plan_use, offset), 1, "are no subresources of image 0"},
    {RP_SECTION_USES, 3, FIELD(rp_plan_use, offset), 0, "use 0 is not what param 0"},
    {RP_SECTION_USES, 3, FIELD(rp_plan_use, step), 1, "follows no other of its binding"},
    {RP_SECTION_USES, 3, FIELD(rp_plan_use, format), 1, "use 0 is not what param 0"},
    {RP_SECTION_USES, 4, FIELD(rp_plan_use, step), 0, "more or fewer uses than parameters"},
    {RP_SECTION_USES, 4, FIELD(rp_plan_use, step), 9, "a flag is unknown"},
    {RP_SECTION_USES, 4, FIELD(rp_plan_use, buffer), 3, "use 0 is not what param 0"},
    {RP_SECTION_USES, 4, FIELD(rp_plan_use, indirect), 1, "use 0 is not what param 0"},
    {RP_SECTION_USES, 7, FIELD(rp_plan_use, format), 0, "use 4 is not what param 3"},
    {RP_SECTION_USES, 7, FIELD(rp_plan_use, format), 44, "a flag is unknown"},
    {RP_SECTION_USES, 7, FIELD(rp_plan_use, size), 254, "use 4 is not what param 3"},
    {RP_SECTION_USES, 8, FIELD(rp_plan_use, access), RP_SAMPLED, "does not fit the kernel's w"},
    {RP_SECTION_NODES, 0, FIELD(rp_plan_node, pattern), 2, "the filter does not exist"},
    {RP_SECTION_NODES, 0, FIELD(rp_plan_node, kind), RP_COPY, "fields that a copy does not have"},
    {RP_SECTION_NODES, 0, FIELD(rp_plan_node, sampler_count), 1, "fields that a blit does not"},
    {RP_SECTION_NODES, 1, FIELD(rp_plan_node, kind), RP_FILL, "fields that a fill does not have"},
    {RP_SECTION_NODES, 1, FIELD(rp_plan_node, kind), RP_UPDATE, "it writes bytes of an image"},
    {RP_SECTION_NODES, 2, FIELD(rp_plan_node, sampler_count), 3, "exceed section sampler refs"},
    {RP_SECTION_NODES, 2, FIELD(rp_plan_node, first_sampler), 1, "do not follow those before"},
    {RP_SECTION_NODES, 2, FIELD(rp_plan_node, sampler_count), 1, "1 samplers do not fit"},
};

static void test_image_rules(void) {
    base = sample_make(image_text);
    good = rp_plan_data(base.plan, &good_size);
    for (size_t i = 0; i < sizeof image_rules / sizeof *image_rules; i++) expect(&image_rules[i]);
    sample_free(&base);
}

/* As arrays: what was built a moment ago says the same as what was read. */
static void expect_array(const rp_plan *plan, uint32_t index, rp_dtype dtype, uint32_t rank,
                         const uint64_t *shape) {
    rp_plan_buffer_info b = {.size = sizeof b};
    CU_ASSERT_EQUAL(rp_plan_get_buffer(plan, index, &b), RP_OK);
    CU_ASSERT_EQUAL(b.dtype, dtype);
    CU_ASSERT_EQUAL(b.rank, rank);
    CU_ASSERT(rank ? b.shape && memcmp(b.shape, shape, rank * sizeof *shape) == 0 : !b.shape);
}

static void test_arrays(void) {
    static const char text[] =
        "reprise 1\ngraph arrays {\n  buf $raw in 256\n  buf $plain in image 2d rgba16f[6,4]\n"
        "  buf $grey in image 2d r8[6,4] layers 3\n  buf $solid in image 3d rg32ui[6,4,2]\n"
        "  buf $packed in image 1d rgb10_a2[6]\n  buf $chain in image 2d rgba8[6,4] mips 2\n"
        "  buf $y out image 2d r8[6,4] layers 3\n  n0 = copy (r $grey, w $y)\n}\n";
    rp_plan *read = NULL;
    size_t size;
    base = sample_make(text);
    const void *data = rp_plan_data(base.plan, &size);
    CU_ASSERT_EQUAL(rp_plan_from_memory(NULL, data, size, NULL, NULL, &read), RP_OK);
    const rp_plan *plans[] = {base.plan, read};
    for (uint32_t i = 0; i < 2; i++) {
        expect_array(plans[i], 0, RP_RAW, 0, NULL);
        expect_array(plans[i], 1, RP_F16, 3, (uint64_t[]){4, 6, 4});
        expect_array(plans[i], 2, RP_U8, 3, (uint64_t[]){3, 4, 6});
        expect_array(plans[i], 3, RP_U32, 4, (uint64_t[]){2, 4, 6, 2});
        expect_array(plans[i], 4, RP_U32, 1, (uint64_t[]){6});
        expect_array(plans[i], 5, RP_RAW, 0, NULL);
    }
    rp_plan_destroy(read);
    sample_free(&base);
}

int main(void) {
    static const rp_test tests[] = {{"rules", test_image_rules}, {"arrays", test_arrays}, {0}};
    return rp_run_tests("plan images", tests);
}
