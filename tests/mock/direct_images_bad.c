/* Images in direct mode, called wrongly: what is said of each call, storages and formats that do not fit,
 * and nothing that is left when a call of Vulkan or an allocation fails. */
#include "direct_images.h"

#include <stdlib.h>

#include "recorder/recorder.h"

/* ---- Mistakes -------------------------------------------------------------------------------- */

static rp_image_part image_part(uint32_t image, uint32_t first_mip, uint32_t mips,
                                uint32_t first_layer, uint32_t layers) {
    return (rp_image_part){shots.images[image], first_mip, mips, first_layer, layers};
}

/* Kernel "sum" with all that it binds; images s and t. */
static void set_sum(rp_recorder *r) {
    rp_bind_kernel(r, shots.kernels[1]);
    rp_bind_combined(r, 0, 0, 0, image_part(1, 0, 1, 0, 1), shots.near);
    rp_bind_image(r, 0, 1, 0, image_part(2, 0, 1, 0, 1));
    rp_push(r, 0, "abcd", 4);
}

static void set_both(rp_recorder *r) {
    rp_bind_kernel(r, shots.kernels[2]);
    for (uint32_t i = 0; i < 2; i++) rp_bind_image(r, 0, 0, i, image_part(0, 0, 1, i, 1));
    rp_bind_sampler(r, 0, 1, 0, shots.near);
    rp_bind(r, 2, (rp_range){shots.buffers[0]});
    rp_bind_image(r, 0, 3, 0, image_part(2, 0, 1, 0, 1));
    rp_push(r, 0, "abcd", 4);
}

static void set_texels(rp_recorder *r) {
    rp_bind_kernel(r, shots.kernels[3]);
    rp_bind_texels(r, 0, 0, 0, (rp_range){shots.buffers[0], 0, 512}, RP_IMAGE_RG32UI);
    rp_bind_image(r, 0, 1, 0, image_part(2, 0, 1, 0, 1));
    rp_push(r, 0, "abcd", 4);
}

#define MISTAKE(name, ...)                                                                         \
    static void name(rp_recorder *r) {                                                             \
        __VA_ARGS__;                                                                               \
        rp_dispatch(r, 1, 1, 1);                                                                   \
    }
#define IN_SUM(name, ...) MISTAKE(name, set_sum(r); __VA_ARGS__)

IN_SUM(no_image, rp_bind_image(r, 0, 1, 0, (rp_image_part){{0}}))
IN_SUM(no_sampler, rp_bind_combined(r, 0, 0, 0, image_part(1, 0, 1, 0, 1), (rp_sampler){0}))
IN_SUM(no_binding, rp_bind_image(r, 0, 7, 0, image_part(1, 0, 1, 0, 1)))
IN_SUM(no_mip, rp_bind_image(r, 0, 1, 0, image_part(1, 2, 1, 0, 1)))
IN_SUM(no_layer, rp_bind_image(r, 0, 1, 0, image_part(1, 0, 1, 2, 2)))
IN_SUM(two_mips, rp_bind_image(r, 0, 1, 0, image_part(1, 0, 2, 0, 1)))
IN_SUM(two_layers, rp_bind_image(r, 0, 1, 0, image_part(1, 0, 1, 0, 2)))
IN_SUM(no_element, rp_bind_image(r, 0, 1, 1, image_part(1, 0, 1, 0, 1)))
IN_SUM(a_buffer, rp_bind_image(r, 0, 1, 0, (rp_image_part){shots.buffers[0]}))
IN_SUM(a_range, rp_bind(r, 1, (rp_range){shots.buffers[0]}))
IN_SUM(an_element, rp_bind_element(r, 0, 1, 0, (rp_range){shots.buffers[0]}))
IN_SUM(some_texels, rp_bind_texels(r, 0, 1, 0, (rp_range){shots.buffers[0]}, RP_IMAGE_R32UI))
IN_SUM(a_sampler, rp_bind_sampler(r, 0, 0, 0, shots.near))
IN_SUM(combined, rp_bind_combined(r, 0, 1, 0, image_part(1, 0, 1, 0, 1), shots.near))
IN_SUM(read_only, rp_bind_image(r, 0, 1, 0, image_part(0, 0, 1, 0, 1)))
IN_SUM(sampled_and_written, rp_bind_image(r, 0, 1, 0, image_part(1, 0, 1, 0, 1)))
IN_SUM(other_access, rp_bind_access(r, 0, 0, RP_READ))
IN_SUM(image_grid, rp_dispatch_indirect(r, (rp_range){shots.images[1]}))
MISTAKE(half_an_array, set_both(r); rp_bind_kernel(r, shots.kernels[2]);
        rp_bind_image(r, 0, 0, 1, image_part(0, 0, 1, 0, 1));
        rp_bind_sampler(r, 0, 1, 0, shots.near); rp_bind(r, 2, (rp_range){shots.buffers[0]});
        rp_bind_image(r, 0, 3, 0, image_part(2, 0, 1, 0, 1)); rp_push(r, 0, "abcd", 4))
MISTAKE(incomplete, rp_bind_kernel(r, shots.kernels[2]); rp_bind_sampler(r, 0, 1, 0, shots.near);
        rp_push(r, 0, "abcd", 4))
MISTAKE(image_as_buffer, set_both(r); rp_bind(r, 2, (rp_range){shots.images[1]}))
MISTAKE(image_as_element, set_both(r); rp_bind_element(r, 0, 2, 0, (rp_range){shots.images[1]}))
MISTAKE(no_format, set_texels(r);
        rp_bind_texels(r, 0, 0, 0, (rp_range){shots.buffers[0]}, RP_IMAGE_NONE))
MISTAKE(float_texels, set_texels(r);
        rp_bind_texels(r, 0, 0, 0, (rp_range){shots.buffers[0]}, RP_IMAGE_R32F))
MISTAKE(odd_texels, set_texels(r);
        rp_bind_texels(r, 0, 0, 0, (rp_range){shots.buffers[0], 0, 12}, RP_IMAGE_RG32UI))
MISTAKE(image_texels, set_texels(r);
        rp_bind_texels(r, 0, 0, 0, (rp_range){shots.images[1]}, RP_IMAGE_R32UI))
MISTAKE(storage_without_texels, set_texels(r);
        rp_bind_texels(r, 0, 0, 0, (rp_range){shots.buffers[0], 0, 64}, RP_IMAGE_R32UI))
MISTAKE(copy_of_nothing, rp_copy_image(r, (rp_image_part){{0}}, image_part(1, 0, 1, 0, 1)))
MISTAKE(copy_to_nothing, rp_copy_image(r, image_part(1, 0, 1, 0, 1), (rp_image_part){{0}}))
MISTAKE(copy_of_pieces, rp_copy_image(r, image_part(1, 0, 2, 0, 1), image_part(2, 0, 2, 0, 1)))
MISTAKE(copy_of_mips, rp_copy_image(r, image_part(1, 0, 1, 0, 1), image_part(2, 1, 1, 0, 1)))
MISTAKE(copy_to_itself, rp_copy_image(r, image_part(1, 0, 1, 0, 2), image_part(1, 0, 1, 1, 2)))
MISTAKE(copy_to_read_only, rp_copy_image(r, image_part(1, 0, 1, 0, 1), image_part(0, 0, 1, 0, 1)))
MISTAKE(copy_of_bytes,
        rp_copy(r, (rp_range){shots.images[1], 4, 64}, (rp_range){shots.buffers[0], 0, 64}))
MISTAKE(copy_of_less,
        rp_copy_to_image(r, (rp_range){shots.buffers[0], 0, 64}, image_part(1, 0, 1, 0, 1)))
MISTAKE(copy_beyond, rp_copy_from_image(r, image_part(1, 0, 1, 0, 1),
                                        (rp_range){shots.buffers[0], RP_SHOTS_BYTES - 64}))
MISTAKE(copy_misplaced,
        rp_copy_from_image(r, image_part(1, 0, 1, 0, 1), (rp_range){shots.buffers[0], 2, 128}))
MISTAKE(copy_of_a_buffer,
        rp_copy_to_image(r, (rp_range){shots.buffers[0]}, (rp_image_part){shots.buffers[0]}))
MISTAKE(blit_of_mips,
        rp_blit(r, image_part(1, 0, 2, 0, 1), image_part(2, 0, 1, 0, 1), RP_FILTER_NEAREST))
MISTAKE(blit_of_integers,
        rp_blit(r, image_part(1, 0, 1, 0, 1), image_part(2, 1, 1, 0, 1), RP_FILTER_LINEAR))
MISTAKE(blit_of_layers,
        rp_blit(r, image_part(1, 0, 1, 0, 1), image_part(2, 1, 1, 0, 2), RP_FILTER_NEAREST))
MISTAKE(blit_of_a_buffer,
        rp_blit(r, (rp_image_part){shots.buffers[0]}, image_part(2, 1, 1, 0, 2), RP_FILTER_NEAREST))
MISTAKE(mips_of_one, rp_make_mips(r, image_part(1, 1, 1, 0, 1), RP_FILTER_NEAREST))
MISTAKE(mips_of_a_buffer, rp_make_mips(r, (rp_image_part){shots.buffers[0]}, RP_FILTER_NEAREST))
MISTAKE(mips_of_nothing, rp_make_mips(r, (rp_image_part){{0}}, RP_FILTER_NEAREST))
MISTAKE(clear_of_pieces, rp_clear(r, image_part(1, 0, 2, 0, 1), (rp_texel_value){{0}}))
MISTAKE(clear_of_read_only, rp_clear(r, image_part(0, 0, 1, 0, 1), (rp_texel_value){{0}}))
MISTAKE(fill_of_image, rp_fill(r, (rp_range){shots.images[1]}, 0))
MISTAKE(update_of_image, rp_update(r, (rp_range){shots.images[1], 0, 4}, "abcd", 4))

static const struct {
    void (*make)(rp_recorder *r);
    const char *call, *what;
} mistakes[] = {
    {no_image, "call 5 (rp_bind_image): ", "buffer: the handle is 0"},
    {no_sampler, "call 5 (rp_bind_combined): ", "sampler: the handle is 0"},
    {no_binding, "call 5 (rp_bind_image): ", "kernel 'sum' has no binding 7 in set 0"},
    {no_mip, "call 5 (rp_bind_image) was refused",
     "sum: mips 2+1, layers 0+1 of s, which has 2 and 3: it does not have these mips"},
    {no_layer, "(rp_bind_image) was refused", "it does not have these layers"},
    {two_mips, "(rp_bind_image) was refused", "one mip can be there"},
    {two_layers, "(rp_bind_image) was refused", "sum: parameter 1, s: the kernel sees a 2d image"},
    {no_element, "(rp_bind_image) was refused", "sum: parameter 1 has no element 1; it has 1"},
    {a_buffer, "(rp_bind_image) was refused", "it is a buffer; expected an image"},
    {a_range, "(rp_bind) was refused", "sum: parameter 1 is a storage image"},
    {an_element, "(rp_bind_element) was refused", "sum: parameter 1 is a storage image"},
    {some_texels, "(rp_bind_texels) was refused", "sum: parameter 1 is a storage image"},
    {a_sampler, "(rp_bind_sampler) was refused", "sum: parameter 0 is a sampled image with its "},
    {combined, "(rp_bind_combined) was refused", "sum: parameter 1 is a storage image"},
    {read_only, "(rp_dispatch) was refused", "sum: writes x, which is read only"},
    {sampled_and_written, "(rp_dispatch) was refused",
     "ranges of s and s overlap, and one is written, "
     "and the other a source, a grid or a uniform "
     "buffer, or sampled"},
    {other_access, "(rp_bind_access) was refused", "parameter 0 cannot be used with access r"},
    {image_grid, "(rp_dispatch_indirect) was refused", "sum: s is an image; expected a buffer"},
    {half_an_array, "(rp_dispatch) was refused",
     "both: element 0 of parameter 0 is not set; expected the first ones without gaps"},
    {incomplete, "(rp_dispatch) was refused", "both: parameter 0 has no range"},
    {image_as_buffer, "(rp_bind) was refused", "both: s is an image; expected a buffer"},
    {image_as_element, "(rp_bind_element) was refused", "both: s is an image; expected a buffer"},
    {no_format, "(rp_bind_texels) was refused", "texels: parameter 0, w: the kernel sees texels"},
    {float_texels, "(rp_bind_texels) was refused", "it is bound as r32f, which are floats"},
    {odd_texels, "(rp_bind_texels) was refused", "no whole number of texels of rg32ui"},
    {image_texels, "(rp_bind_texels) was refused", "texels: s is an image; expected a buffer"},
    {copy_of_nothing, "call 1 (rp_copy_image): ", "buffer: the handle is 0"},
    {copy_to_nothing, "call 1 (rp_copy_image): ", "buffer: the handle is 0"},
    {copy_of_pieces,
     "(rp_copy_image): ", "of 's', which has 2 and 3: expected one mip, or all layers"},
    {copy_of_mips, "(rp_copy_image) was refused", "of s and t are not texels of one size"},
    {copy_to_itself, "(rp_copy_image) was refused", "copy: ranges of s and s overlap"},
    {copy_to_read_only, "(rp_copy_image) was refused", "copy: writes x, which is read only"},
    {copy_of_bytes, "(rp_copy) was refused", "bytes [4+64] of s: they are no whole subresources"},
    {copy_of_less, "(rp_copy_to_image) was refused",
     "the source has 64 bytes, the destination 128"},
    {copy_beyond, "(rp_copy_from_image) was refused", "w has 2048 bytes"},
    {copy_misplaced, "(rp_copy_from_image) was refused",
     "in w texels of s begin at byte 2 of the VkBuffer; expected a multiple of 4 and of 4"},
    {copy_of_a_buffer, "(rp_copy_to_image): ", "it is a buffer; expected an image"},
    {blit_of_mips, "(rp_blit) was refused", "one mip can be there"},
    {blit_of_integers, "(rp_blit) was refused", "blit: s to t: integers take nearest"},
    {blit_of_layers, "(rp_blit) was refused", "blit: s to t: both sides have as many layers"},
    {blit_of_a_buffer, "(rp_blit) was refused", "it is a buffer; expected an image"},
    {mips_of_one, "(rp_make_mips): ", "there is nothing to make"},
    {mips_of_a_buffer, "(rp_make_mips) was refused", "it is a buffer; expected an image"},
    {mips_of_nothing, "(rp_make_mips): ", "buffer: the handle is 0"},
    {clear_of_pieces, "(rp_clear) was refused",
     "clear: layers 0+1 of 3 of several mips of s; expected one mip, or all layers of some"},
    {clear_of_read_only, "(rp_clear) was refused", "clear: writes x, which is read only"},
    {fill_of_image, "(rp_fill) was refused", "fill: s is an image; expected a buffer"},
    {update_of_image, "(rp_update) was refused", "update: s is an image; expected a buffer"},
};

static void expect_refused(void (*make)(rp_recorder *r), rp_status status, const char *call,
                           const char *what) {
    rp_diags_clear(diags);
    make(begin());
    CU_ASSERT_EQUAL(rp_direct_end(direct, NULL), status);
    CU_ASSERT(rp_test_said(diags, call));
    CU_ASSERT(rp_test_said(diags, what));
    CU_ASSERT_EQUAL(rp_diags_error_count(diags), 1);
    own_commands_end(device, &commands);
}

static void test_mistakes(void) {
    open_all();
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        expect_refused(mistakes[i].make, RP_ERROR_INVALID, mistakes[i].call, mistakes[i].what);
    /* All is well again. */
    rp_shots_make(&shots, begin(), 1, 20);
    CU_ASSERT_EQUAL(rp_direct_end(direct, NULL), RP_OK);
    own_commands_end(device, &commands);
    close_all();
}

/* ---- Storages and devices -------------------------------------------------------------------- */

static void refuse_binding(rp_buffer buffer, rp_storage *storage, uint64_t offset,
                           const char *what) {
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, buffer, storage, offset, diags), RP_ERROR_USAGE);
    CU_ASSERT(rp_test_said(diags, what));
}

static void test_storages(void) {
    open_all();
    rp_image_shape shape = rp_shots_shape;
    shape.layers = 2;
    rp_storage *smaller = make_image(device, shape, "smaller"), *lent = NULL;
    refuse_binding(shots.images[1], buffers[0], 0, "s cannot lie in w: it is an image");
    refuse_binding(shots.buffers[0], images[1], 0, "w cannot lie in s: it is a buffer");
    refuse_binding(shots.images[1], smaller, 0, "s cannot lie in smaller: the storage is an image");
    refuse_binding(shots.images[1], images[2], 4, "at byte 4 of t, which has 480");
    /* One that the application made for one use alone. */
    rp_storage_image params = {.size = sizeof params,
                               .image = images[1]->image,
                               .shape = rp_shots_shape,
                               .usage = VK_IMAGE_USAGE_SAMPLED_BIT,
                               .before = VK_IMAGE_LAYOUT_GENERAL,
                               .after = VK_IMAGE_LAYOUT_GENERAL,
                               .name = "lent"};
    CU_ASSERT_EQUAL_FATAL(rp_storage_import_image(device, &params, diags, &lent), RP_OK);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, shots.images[2], lent, 0, diags), RP_OK);
    rp_recorder *r = begin();
    set_sum(r);
    rp_dispatch(r, 1, 1, 1);
    CU_ASSERT_EQUAL(rp_direct_end(direct, NULL), RP_ERROR_INVALID);
    CU_ASSERT(
        rp_test_said(diags, "sum: the storage of t was created without a usage that this takes"));
    own_commands_end(device, &commands);
    rp_clear(begin(), image_part(2, 0, 1, 0, 1), (rp_texel_value){{0}});
    CU_ASSERT_EQUAL(rp_direct_end(direct, NULL), RP_ERROR_INVALID);
    CU_ASSERT(rp_test_said(diags, "clear: the storage of t was created without"));
    own_commands_end(device, &commands);
    /* Nowhere. */
    CU_ASSERT_EQUAL(rp_direct_bind(direct, shots.images[2], NULL, 0, diags), RP_OK);
    rp_clear(begin(), image_part(2, 0, 1, 0, 1), (rp_texel_value){{0}});
    CU_ASSERT_EQUAL(rp_direct_end(direct, NULL), RP_ERROR_INVALID);
    CU_ASSERT(rp_test_said(diags, "it is not bound to a storage"));
    own_commands_end(device, &commands);
    /* A buffer that was not made for texels; transients are. */
    rp_storage *plain = NULL;
    const rp_storage_params plain_params = {
        .size = sizeof plain_params, .bytes = RP_SHOTS_BYTES, .uninitialised = 1};
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &plain_params, diags, &plain), RP_OK);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, shots.images[2], images[2], 0, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, shots.buffers[0], plain, 0, diags), RP_OK);
    expect_refused(storage_without_texels, RP_ERROR_INVALID, "(rp_dispatch) was refused",
                   "its storage was created without VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT");
    rp_storage_release(plain);
    rp_storage_release(smaller);
    rp_storage_release(lent);
    close_all();
}

static void sum_once(rp_recorder *r) {
    set_sum(r);
    rp_dispatch(r, 1, 1, 1);
}

static void both_once(rp_recorder *r) {
    set_both(r);
    rp_dispatch(r, 1, 1, 1);
}

static void texels_once(rp_recorder *r) {
    set_texels(r);
    rp_dispatch(r, 1, 1, 1);
}

static void blit_once(rp_recorder *r) {
    rp_blit(r, image_part(1, 0, 1, 0, 1), image_part(2, 1, 1, 0, 1), RP_FILTER_NEAREST);
}

/* What a device lacks is said with the first call that wants it. */
static void test_formats(void) {
    static const struct {
        VkFormatFeatureFlags2 image, texels;
        void (*make)(rp_recorder *r);
        const char *call, *what;
    } lacks[] = {
        {VK_FORMAT_FEATURE_2_STORAGE_IMAGE_BIT, 0, sum_once, "(rp_dispatch)",
         "sum: t is of format r32ui, which is not for storage images"},
        {VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_BIT, 0, sum_once, "(rp_dispatch)",
         "sum: s is of format r32ui, which is not for sampled images"},
        {VK_FORMAT_FEATURE_2_BLIT_SRC_BIT, 0, blit_once, "(rp_blit)",
         "blit: s is of format r32ui, which is not for being blitted from"},
        {VK_FORMAT_FEATURE_2_BLIT_DST_BIT, 0, blit_once, "(rp_blit)",
         "blit: t is of format r32ui, which is not for being blitted to"},
        {0, VK_FORMAT_FEATURE_2_UNIFORM_TEXEL_BUFFER_BIT, texels_once, "(rp_dispatch)",
         "texels: w there is of format rg32ui, which is not for uniform texel buffers"},
    };
    for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++) {
        open_all();
        mock.image_features = ~lacks[i].image;
        mock.texel_features = ~lacks[i].texels;
        rp_direct *other = direct; /* asks when it is created */
        CU_ASSERT_EQUAL_FATAL(rp_direct_create(shots.program, device, NULL, diags, &direct), RP_OK);
        for (uint32_t k = 0; k < RP_SHOTS_IMAGES; k++)
            if (images[k])
                CU_ASSERT_EQUAL(rp_direct_bind(direct, shots.images[k], images[k], 0, diags),
                                RP_OK);
        CU_ASSERT_EQUAL(rp_direct_bind(direct, shots.buffers[0], buffers[0], 0, diags), RP_OK);
        expect_refused(lacks[i].make, RP_ERROR_UNSUPPORTED, lacks[i].call, lacks[i].what);
        rp_direct_destroy(other);
        close_all();
    }
    /* Arrays whose elements are not all bound, and queues that only compute. */
    open_all();
    device->adapter.features &= ~(uint64_t)RP_FEATURE_PARTIALLY_BOUND;
    expect_refused(half_an_array, RP_ERROR_INVALID, "(rp_dispatch)", "expected all of them");
    both_once(begin());
    CU_ASSERT_EQUAL(rp_direct_end(direct, NULL), RP_OK);
    own_commands_end(device, &commands);
    device->adapter.info.queue_draws = 0;
    expect_refused(blit_once, RP_ERROR_UNSUPPORTED, "(rp_blit)", "it only computes");
    close_all();
}

/* ---- Encoders -------------------------------------------------------------------------------- */

static void refuse_encoder(const rp_encoder_params *params, rp_status status, const char *what) {
    rp_encoder *encoder = (rp_encoder *)1;
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_encoder_create(device, params, diags, &encoder), status);
    CU_ASSERT_PTR_NULL(encoder);
    CU_ASSERT(rp_test_said(diags, what));
}

/* Parameters say an access, the module what is there. */
static void test_encoders(void) {
    rp_sampler_info info = rp_sampler_default;
    rp_encoder_param params[2] = {{0, 0, RP_SAMPLED}, {0, 1, RP_READ_WRITE}};
    open_all();
    const rp_kernel_module *m = &shots.program->modules[1];
    rp_encoder_kernel kernel = {.size = sizeof kernel,
                                .name = "sum",
                                .spirv = m->words,
                                .spirv_size = m->word_count * 4,
                                .params = params,
                                .param_count = 2,
                                .push_bytes = 4};
    rp_encoder_buffer buffer = {.size = sizeof buffer, .image = rp_shots_shape};
    rp_encoder_params given = {.size = sizeof given,
                               .kernels = &kernel,
                               .kernel_count = 1,
                               .buffers = &buffer,
                               .buffer_count = 1,
                               .cache_path = "",
                               .samplers = &info,
                               .sampler_count = 1};
    rp_encoder *encoder = NULL;
    CU_ASSERT_EQUAL(rp_encoder_create(device, &given, diags, &encoder), RP_OK);
    CU_ASSERT_EQUAL(rp_encoder_bind(encoder, 0, images[1], 0, diags), RP_OK);
    const rp_encoder_part part = {0};
    CU_ASSERT_EQUAL(rp_encoder_set_image(encoder, 1, 0, &part), RP_ERROR_USAGE); /* not encoding */
    CU_ASSERT_EQUAL(rp_encoder_blit(encoder, &part, &part, RP_FILTER_NEAREST), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_encoder_clear(encoder, &part, "0123456789abcdef"), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_encoder_set_sampler(encoder, 1, 0, 0), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_encoder_set_element(encoder, 1, 0, 0, 0, 0), RP_ERROR_USAGE);
    for (int i = 0; i < 3; i++) {
        rp_diags_clear(diags);
        own_commands_begin(device, &commands);
        CU_ASSERT_EQUAL(rp_encoder_begin(encoder, commands.handle, NULL, diags), RP_OK);
        rp_encoder_set_kernel(encoder, 0);
        rp_status status = i == 0   ? rp_encoder_set_combined(encoder, 0, 0, &part, 1)
                           : i == 1 ? rp_encoder_set_image(encoder, 1, 0, NULL)
                                    : rp_encoder_set_image(encoder, 1, 0, &(rp_encoder_part){7});
        CU_ASSERT_EQUAL(status, RP_ERROR_INVALID);
        CU_ASSERT(rp_test_said(diags, i == 0   ? "sum: there is no sampler 1; there are 1"
                                      : i == 1 ? "sum: a part of an image is needed"
                                               : "sum: there is no buffer 7; there are 1"));
        CU_ASSERT_EQUAL(rp_encoder_end(encoder, NULL), RP_ERROR_INVALID);
        own_commands_end(device, &commands);
    }
    rp_encoder_destroy(encoder);
    params[0].access = RP_READ;
    refuse_encoder(&given, RP_ERROR_INVALID,
                   "binding 0 of set 0 is a sampled image with its sampler in its SPIR-V");
    params[0].access = RP_SAMPLED;
    params[1].access = RP_READ;
    refuse_encoder(&given, RP_ERROR_INVALID, "binding 1 of set 0 is a storage image in its SPIR-V");
    params[1] = (rp_encoder_param){0, 9, RP_SAMPLED};
    refuse_encoder(&given, RP_ERROR_INVALID, "binding 1 of set 0 is used by its SPIR-V and no ");
    CU_ASSERT(
        rp_test_said(diags, "parameter 1 is sampled, and its SPIR-V uses nothing at binding 9"));
    params[1] = (rp_encoder_param){0, 1, RP_READ_WRITE};
    info.min_level = 3;
    info.max_level = 2;
    refuse_encoder(&given, RP_ERROR_INVALID, "sampler 0: there is no such sampler: its levels");
    info = rp_sampler_default;
    info.bias = 1000;
    refuse_encoder(&given, RP_ERROR_UNSUPPORTED, "sampler @0 has a bias of 1000, more than");
    info = rp_sampler_default;
    given.samplers = NULL;
    refuse_encoder(&given, RP_ERROR_USAGE, "rp_encoder_params.samplers");
    given.samplers = &info;
    buffer.bytes = 64;
    refuse_encoder(&given, RP_ERROR_INVALID, "buffer 0: there is no such image: its packed form");
    buffer.bytes = 0;
    buffer.image.mips = 9;
    refuse_encoder(&given, RP_ERROR_INVALID, "buffer 0: there is no such image: it has no mips, ");
    close_all();
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static uint32_t calls_before_destroy;

/* Two encodings with all that they stand on, up to the first failure. */
static rp_status live_a_life(const rp_shots *s, const rp_allocator *allocator, rp_diags *to) {
    const rp_device_params device_params = {.size = sizeof device_params,
                                            .get_instance_proc_addr = mock_entry(),
                                            .pipeline_threads = -1};
    const rp_direct_params params = {.size = sizeof params, .cache_path = ""};
    const rp_storage_params words = {
        .size = sizeof words, .bytes = RP_SHOTS_BYTES, .usage = TEXEL_USAGE, .uninitialised = 1};
    const rp_storage_params texels = {.size = sizeof texels, .image = rp_shots_shape};
    rp_device *own = NULL;
    rp_direct *d = NULL;
    rp_storage *storages[RP_SHOTS_IMAGES + 2] = {0}, *lent = NULL;
    own_commands c = {0};
    rp_status status = rp_device_create(allocator, &device_params, to, &own);
    if (status == RP_OK) mock_spared(own_commands_create(own, &c));
    if (status == RP_OK) status = rp_direct_create(s->program, own, &params, to, &d);
    if (status == RP_OK) status = rp_storage_create(own, &words, to, &storages[RP_SHOTS_IMAGES]);
    if (status == RP_OK)
        status = rp_direct_bind(d, s->buffers[0], storages[RP_SHOTS_IMAGES], 0, to);
    for (uint32_t i = 0; status == RP_OK && i < RP_SHOTS_IMAGES; i++) {
        if (rp_shots_image_kind(i) == RP_TMP) continue;
        status = rp_storage_create(own, &texels, to, &storages[i]);
        if (status == RP_OK) status = rp_direct_bind(d, s->images[i], storages[i], 0, to);
    }
    if (status == RP_OK) { /* one of them is lent */
        const rp_storage_image lending = {.size = sizeof lending,
                                          .image = storages[1]->image,
                                          .shape = rp_shots_shape,
                                          .usage = storages[1]->usage,
                                          .before = VK_IMAGE_LAYOUT_UNDEFINED,
                                          .after = VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL};
        status = rp_storage_import_image(own, &lending, to, &lent);
        if (status == RP_OK) status = rp_direct_bind(d, s->images[1], lent, 0, to);
    }
    for (uint32_t i = 0; status == RP_OK && i < 2; i++) {
        rp_recorder *r = NULL;
        mock_spared(own_commands_begin(own, &c));
        status = rp_direct_begin(d, c.handle, NULL, to, &r);
        rp_shots_make(s, r, 3 + i, 30);
        rp_status ended = rp_direct_end(d, NULL);
        if (status == RP_OK) status = ended;
        mock_spared(own_commands_end(own, &c));
    }
    calls_before_destroy = mock.calls;
    rp_direct_destroy(d);
    rp_storage_release(lent);
    for (uint32_t i = 0; i < RP_SHOTS_IMAGES + 2; i++) rp_storage_release(storages[i]);
    if (c.pool) own_commands_destroy(own, &c);
    rp_device_destroy(own, NULL);
    return status;
}

static void test_vulkan(void) {
    rp_shots s = {0};
    mock_reset();
    rp_program *program = make_program(&s, NULL);
    s.whole = false;
    CU_ASSERT_EQUAL_FATAL(live_a_life(&s, NULL, NULL), RP_OK);
    uint32_t count = calls_before_destroy, failed = 0, views = 0;
    for (uint32_t i = 1; i <= count; i++) {
        mock_reset();
        mock.fail_at = i;
        mock.fail_with = VK_ERROR_OUT_OF_DEVICE_MEMORY;
        rp_diags *to = rp_diags_create(NULL);
        rp_status status = live_a_life(&s, NULL, to);
        /* Caches are but an optimisation; an image that cannot be is not supported. */
        bool ours = mock.failed && !strstr(mock.failed, "PipelineCache");
        bool asked = mock.failed && strstr(mock.failed, "ImageFormat");
        rp_status expected = asked ? RP_ERROR_UNSUPPORTED : RP_ERROR_DEVICE_MEMORY;
        bool fine = !ours || (status == expected && rp_diags_error_count(to) > 0);
        failed += ours;
        views += mock.failed && strstr(mock.failed, "View");
        if (!fine || mock.objects || mock.mistake)
            printf("\n  call %u, %s: status %d, %u errors, %d objects left, mistake %s\n", i,
                   mock.failed ? mock.failed : "none", status, rp_diags_error_count(to),
                   mock.objects, mock.mistake ? mock.mistake : "none");
        CU_ASSERT(fine);
        rp_diags_destroy(to);
        mock_done();
    }
    CU_ASSERT(failed > 60 && views > 20);
    rp_program_destroy(program);
}

static void test_allocations(void) {
    rp_shots s = {0};
    mock_allocator count;
    mock_reset();
    rp_program *program = make_program(&s, NULL);
    mock_allocator_init(&count);
    CU_ASSERT_EQUAL_FATAL(live_a_life(&s, &count.allocator, NULL), RP_OK);
    long total = count.calls;
    CU_ASSERT(total > 100);
    for (long i = 1; i <= total; i++) {
        mock_reset();
        mock_allocator_init(&count);
        count.fail_at = i;
        CU_ASSERT_EQUAL(live_a_life(&s, &count.allocator, NULL), RP_ERROR_NO_MEMORY);
        CU_ASSERT_EQUAL(count.alive, 0);
        mock_done();
    }
    rp_program_destroy(program);
}

int main(void) {
    static const rp_test tests[] = {{"mistakes", test_mistakes},
                                    {"storages", test_storages},
                                    {"formats", test_formats},
                                    {"encoders", test_encoders},
                                    {"Vulkan calls", test_vulkan},
                                    {"allocations", test_allocations},
                                    {0}};
    return rp_run_tests("images in direct mode, wrongly", tests);
}
