/* Images on the fake driver: the very commands around layouts and shared memory, who shares it and when
 * not, what is bound, what a device lacks, and that nothing is left when a call fails. */
#include <stdio.h>
#include <stdlib.h>
#include "mock_objects.h"
#include "opened.h"

static const char chain[] = "reprise 1\n"
                            "graph chain scheduled placed synced arena 0 {\n"
                            "  buf $x in image 2d r32ui[4,4]\n"
                            "  buf $y out image 2d r32ui[4,4]\n"
                            "  buf %a tmp image 2d r32ui[4,4] alias 0\n"
                            "  buf %b tmp image 2d r32ui[4,4] alias 1\n"
                            "  buf %c tmp image 2d r32ui[4,2] alias 0\n"
                            "  kern @k spirv - local 4 4 1 (r image 2d r32ui, w image 2d r32ui)\n"
                            "  kern @l spirv - local 4 4 1 (s image 2d uint, w image 2d r32ui)\n"
                            "  barrier compute:rws,transfer:r -> compute:rw,transfer:w\n"
                            "  group 0\n"
                            "    n0 = run @k grid 1 1 1 (r $x, w %a)\n"
                            "  barrier compute:w -> compute:s\n"
                            "  group 1\n"
                            "    n1 = run @l grid 1 1 1 (s %a, w %b)\n"
                            "  barrier compute:w -> compute:r\n"
                            "  group 2\n"
                            "    n2 = run @k grid 1 1 1 (r %b, w %c)\n"
                            "  barrier compute:w -> compute:r\n"
                            "  group 3\n"
                            "    n3 = run @k grid 1 1 1 (r %c, w $y)\n"
                            "  barrier compute:w -> host:r\n"
                            "}\n";

static void open_with(const char *text, const rp_exec_params *params) {
    mock_allocator_init(&memory);
    diags = rp_diags_create(NULL);
    device = mock_open(&memory.allocator, diags);
    plan = mock_plan(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, params ? params : &mock_params, diags, &exec),
                    RP_OK);
    for (uint32_t i = 0; !exec && i < rp_diags_count(diags); i++)
        printf("\n  said: %s", rp_diags_get(diags, i).message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
}

static void replay(void) {
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
}

static void expect(const char *got, const char *expected) {
    CU_ASSERT_STRING_EQUAL(got, expected);
    if (strcmp(got, expected) != 0) printf("--- got\n%s--- expected\n%s", got, expected);
}

/* Images: 0 x, 1 y, 2 a, 3 b, 4 c. a and c share memory, so each is taken over where it is used first:
 * behind what either is used for. */
static void test_commands(void) {
    mock_reset();
    mock.races = true;
    open_with(chain, NULL);
    expect(mock_effects(rp_exec_command_buffer(exec, 0, 0)),
           "image i2 0 -> 1 compute:SW -> compute:SW:SS\n"
           "barrier compute|transfer:TW:SW -> compute|transfer:TW:SR:SW:SS\n"
           "p0 push  0.0 i0+0 64  0.1 i2+0 64 dispatch 1 1 1\n"
           "barrier compute:SW -> compute:SS\n"
           "p1 push  0.0 i2+0 64  0.1 i3+0 64 dispatch 1 1 1\n"
           "image i4 0 -> 1 compute:SW -> compute:SR:SW\n"
           "barrier compute:SW -> compute:SR:SW\n"
           "p0 push  0.0 i3+0 64  0.1 i4+0 32 dispatch 1 1 1\n"
           "barrier compute:SW -> compute:SR\n"
           "p0 push  0.0 i4+0 32  0.1 i1+0 64 dispatch 1 1 1\n");
    uint64_t a, b, c;
    CU_ASSERT_PTR_EQUAL(mock_image_bytes(2, &a), mock_image_bytes(4, &c));
    CU_ASSERT_PTR_NOT_EQUAL(mock_image_bytes(2, &a), mock_image_bytes(3, &b));
    CU_ASSERT_TRUE(a == c && a != b);
    CU_ASSERT_EQUAL(mock_image_layout(2), VK_IMAGE_LAYOUT_UNDEFINED); /* until it is used */
    CU_ASSERT_EQUAL(mock_image_layout(0), VK_IMAGE_LAYOUT_GENERAL);
    for (int i = 0; i < 3; i++) replay();
    close_all();
}

/* Two that are alive at once and share: the fake driver sees it, as the checker would have. */
static void test_wrong_sharing(void) {
    char text[sizeof chain];
    strcpy(text, chain);
    char *alias = strstr(text, "alias 1");
    alias[6] = '0';
    mock_reset();
    open_with(text, NULL);
    replay();
    CU_ASSERT_PTR_NOT_NULL(mock.mistake);
    mock.mistake = NULL;
    close_all();
}

static uint32_t types_apart(uint32_t image) {
    return image == 4 ? 2 : 1; /* c is of other memory than a */
}

/* Nothing is shared where memory would not do for all, where each wants its own, or somebody is to see
 * each by itself; the barriers stay. */
static void test_apart(void) {
    for (int why = 0; why < 3; why++) {
        const rp_exec_params params = {
            .size = sizeof params, .cache_path = "", .separate_buffers = why == 2};
        mock_reset();
        mock.races = true;
        if (why == 0) mock.image_types = types_apart;
        if (why == 0)
            mock.memory.memoryTypes[1].propertyFlags = mock.memory.memoryTypes[0].propertyFlags;
        mock.images_dedicated = why == 1;
        open_with(chain, &params);
        CU_ASSERT_PTR_NOT_EQUAL(mock_image_bytes(2, NULL), mock_image_bytes(4, NULL));
        replay();
        CU_ASSERT_PTR_NOT_NULL(strstr(mock_effects(rp_exec_command_buffer(exec, 0, 0)),
                                      "image i4 0 -> 1 compute:SW -> compute:SR:SW\n"));
        close_all();
    }
}

/* Each slot has images of its own, but for what slots share; they share none of their memory. */
static void test_slots(void) {
    const rp_exec_params params = {
        .size = sizeof params, .cache_path = "", .slots = 3, .pieces = 2};
    mock_reset();
    mock.races = true;
    open_with(chain, &params);
    CU_ASSERT_EQUAL(mock_image_layout(15), VK_IMAGE_LAYOUT_MAX_ENUM);
    for (uint32_t i = 0; i < 15; i++)
        for (uint32_t j = 0; j < i; j++)
            if (i / 5 != j / 5)
                CU_ASSERT_PTR_NOT_EQUAL(mock_image_bytes(i, NULL), mock_image_bytes(j, NULL));
    for (uint32_t i = 0; i < 9; i++) {
        const rp_submit_params submit = {.size = sizeof submit, .slot = i % 3};
        CU_ASSERT_EQUAL(rp_exec_submit(exec, &submit, diags, NULL), RP_OK);
    }
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    close_all();
}

/* ---- The host's bytes ------------------------------------------------------------------------ */

static const char copies[] = "reprise 1\n"
                             "graph copies scheduled placed synced arena 0 {\n"
                             "  buf $x in image 2d rgba8[6,4] layers 2 mips 2\n"
                             "  buf $y out image 2d rgba8[6,4] layers 2 mips 2\n"
                             "  buf $z out 240\n"
                             "  barrier transfer:rw -> transfer:w\n"
                             "  group 0\n"
                             "    n0 = copy (r $x, w $y)\n"
                             "    n1 = copy (r $x, w $z)\n"
                             "  barrier transfer:w -> host:r\n"
                             "}\n";

/* Packed bytes all the way, whole, by subresources, and beside a replay. */
static void test_bytes(void) {
    uint8_t x[240], y[240], z[240];
    for (uint32_t i = 0; i < 240; i++) x[i] = (uint8_t)(i * 7 + 1);
    mock_reset();
    mock.races = true;
    open_with(copies, NULL);
    for (uint32_t i = 0; i < 240; i++) y[i] = mock_image_bytes(1, NULL)[i];
    for (uint32_t i = 0; i < 240; i++) CU_ASSERT_EQUAL(y[i], 0);
    /* mip 0: two layers of 96 bytes; mip 1: two of 24 */
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, 96, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 96, x + 96, 96, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 192, x + 192, 48, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 8, x, 16, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "bytes 8 + 16 of x, an image, are no layers of one mip"));
    replay();
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, y, 240, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "z", 0, z, 240, diags), RP_OK);
    CU_ASSERT_EQUAL(memcmp(x, y, 240), 0);
    CU_ASSERT_EQUAL(memcmp(x, z, 240), 0);
    for (uint32_t i = 0; i < 240; i++) x[i] = (uint8_t)(i * 3 + 2);
    const rp_upload up = {.buffer = "x", .size = 240, .data = x};
    const rp_download down = {.buffer = "y", .offset = 96, .size = 96, .data = y};
    const rp_submit_params submit = {.size = sizeof submit,
                                     .uploads = &up,
                                     .upload_count = 1,
                                     .downloads = &down,
                                     .download_count = 1};
    for (int i = 0; i < 2; i++) {
        memset(y, 0, sizeof y);
        CU_ASSERT_EQUAL(rp_exec_submit(exec, &submit, diags, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        CU_ASSERT_EQUAL(memcmp(y, x + 96, 96), 0);
    }
    void *mapped;
    CU_ASSERT_EQUAL(rp_exec_map(exec, 0, "y", diags, &mapped, NULL), RP_ERROR_UNSUPPORTED);
    CU_ASSERT_TRUE(rp_test_said(diags, "y is an image, whose bytes the device lays out: copy it"));
    rp_range_info range = {.size = sizeof range};
    CU_ASSERT_EQUAL(rp_exec_get_range(exec, 0, "y", diags, &range), RP_OK);
    CU_ASSERT_TRUE(range.offset == 0 && range.bytes == 240);
    rp_storage_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_storage_get_info(range.storage, &info), RP_OK);
    CU_ASSERT_TRUE(info.image && !info.buffer && info.offset == 0 && info.bytes == 240);
    close_all();
}

/* An image of many pieces goes in rows, to the end of each mip. */
static void test_large(void) {
    const char *text = "reprise 1\n"
                       "graph large scheduled placed synced arena 0 {\n"
                       "  buf $x inout image 2d rgba32f[1000,700] layers 2 mips 10\n"
                       "}\n";
    mock_reset();
    open_with(text, NULL);
    rp_range_info range = {.size = sizeof range};
    CU_ASSERT_EQUAL(rp_exec_get_range(exec, 0, "x", diags, &range), RP_OK);
    uint8_t *x = malloc(range.bytes), *y = malloc(range.bytes);
    for (uint64_t i = 0; i < range.bytes; i++) x[i] = (uint8_t)(i * 2654435761u >> 16);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, range.bytes, diags), RP_OK);
    CU_ASSERT_EQUAL(memcmp(mock_image_bytes(0, NULL), x, range.bytes), 0);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "x", 0, y, range.bytes, diags), RP_OK);
    CU_ASSERT_EQUAL(memcmp(x, y, range.bytes), 0);
    free(x);
    free(y);
    close_all();
}

/* ---- Descriptors ----------------------------------------------------------------------------- */

static const char bound[] =
    "reprise 1\n"
    "graph bound scheduled placed synced arena 512 {\n"
    "  buf $x in image cube rgba8[4,4] layers 6 mips 2\n"
    "  buf $z in image 2d rgba8[4,4]\n"
    "  buf $y out 512\n"
    "  buf %t tmp 512 at 0\n"
    "  samp @near (mag=nearest, min=nearest, mip=nearest)\n"
    "  samp @linear ()\n"
    "  kern @k spirv - local 4 4 1 (s combined cube float, s image 2d_array float x 3, "
    "s sampler x 2, w texels r32ui, s texels float, r x 2)\n"
    "  barrier transfer:w,compute:rws -> compute:w,transfer:w\n"
    "  group 0\n"
    "    n0 = fill 00000000 (w %t)\n"
    "  barrier transfer:w -> compute:rws\n"
    "  group 1\n"
    "    n1 = run @k grid 1 1 1 (s $x, s $x[mip 1+1 layer 2+2], next s $z, w $y[0+256] as r32ui, "
    "s %t[256+64] as rgba8, r %t[0+256], next r %t[0+64]) samplers (@linear, @near, @linear)\n"
    "    n2 = run @k grid 1 1 1 (s $x, s $x[mip 1+1 layer 2+2], next s $z, w $y[256+256] as r32ui, "
    "s %t[256+64] as rgba8, r %t[0+256], next r %t[0+64]) samplers (@linear, @near, @linear)\n"
    "  barrier compute:w -> host:r\n"
    "}\n";

static void test_descriptors(void) {
    mock_reset();
    open_with(bound, NULL);
    expect(mock.descriptors, "s0.0 combined i0+0 480 sampler 0\n"
                             "s0.1 sampled i0+416 32\n"
                             "s0.1[1] sampled i1+0 64\n"
                             "s0.2 sampler sampler 1\n"
                             "s0.2[1] sampler sampler 0\n"
                             "s0.3 storage texels b1+0 256\n"
                             "s0.4 uniform texels b0+256 64\n"
                             "s0.5 storage b0+0 256\n"
                             "s0.5 storage b0+0 64\n"
                             "s1.0 combined i0+0 480 sampler 0\n"
                             "s1.1 sampled i0+416 32\n"
                             "s1.1[1] sampled i1+0 64\n"
                             "s1.2 sampler sampler 1\n"
                             "s1.2[1] sampler sampler 0\n"
                             "s1.3 storage texels b1+256 256\n"
                             "s1.4 uniform texels b0+256 64\n"
                             "s1.5 storage b0+0 256\n"
                             "s1.5 storage b0+0 64\n");
    CU_ASSERT_EQUAL(mock_counters(exec).descriptor_sets, 2);
    int objects = mock.objects;
    rp_plan *again = mock_plan(bound);
    for (int i = 0; i < 3; i++) { /* what is the same stays: views and samplers do not add up */
        CU_ASSERT_EQUAL(rp_exec_update(exec, again, NULL, diags), RP_OK);
        CU_ASSERT_TRUE(mock.objects <= objects);
    }
    rp_plan_destroy(again);
    replay();
    close_all();
}

/* ---- What a device lacks --------------------------------------------------------------------- */

static void refused(const char *text, const char *said) {
    mock_allocator_init(&memory);
    diags = rp_diags_create(NULL);
    device = mock_open(&memory.allocator, diags);
    plan = mock_plan(text);
    exec = NULL;
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &mock_params, diags, &exec), RP_ERROR_UNSUPPORTED);
    CU_ASSERT_TRUE(rp_test_said(diags, said));
    close_all();
}

static void test_lacks(void) {
    mock_reset();
    mock.image_features = ~VK_FORMAT_FEATURE_2_STORAGE_IMAGE_BIT;
    refused(chain,
            "n0: a is of format r32ui, which is not for storage images: take another format");
    mock_reset();
    mock.image_features = ~VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_FILTER_LINEAR_BIT;
    refused(bound,
            "n1: x is of format rgba8, which is not for linear filters as those of @linear: take");
    mock_reset();
    mock.texel_features = VK_FORMAT_FEATURE_2_STORAGE_TEXEL_BUFFER_BIT;
    refused(bound, "n1: t there is of format rgba8, which is not for uniform texel buffers: take");
    mock_reset();
    mock.properties.limits.maxTexelBufferElements = 63;
    refused(bound, "n1 sees y as 64 texels, more than 63");
    mock_reset();
    mock.properties.limits.minTexelBufferOffsetAlignment = 512;
    refused(bound, "n2 sees y as texels from byte 256 on, no multiple of 512");
    mock_reset();
    mock.partially_bound = false;
    refused(bound, "n1 binds 2 of the 3 elements of @k's binding 0.1");
    mock_reset();
    mock.properties.limits.maxPerStageDescriptorSampledImages = 4;
    refused(bound, "kernel @k has 5 sampled images and uniform texel buffers, more than 4");
    mock_reset();
    refused("reprise 1\ngraph g scheduled placed synced arena 0 {\n"
            "  buf $x in image 1d r8[5000]\n}\n",
            "x has 5000 x 1 x 1 texels, more than 4096 x 1 x 1");
    mock_reset();
    refused("reprise 1\ngraph g scheduled placed synced arena 0 {\n"
            "  buf $x in image 2d r8[4,4] layers 300\n}\n",
            "x has 300 layers, more than 256");
    mock_reset();
    mock.anisotropy = false;
    refused("reprise 1\ngraph g scheduled placed synced arena 0 {\n"
            "  samp @s (anisotropy=4, bias=20)\n}\n",
            "sampler @s is anisotropic, which needs samplerAnisotropy");
    mock_reset();
    refused("reprise 1\ngraph g scheduled placed synced arena 0 {\n"
            "  samp @s (anisotropy=32, bias=20)\n}\n",
            "sampler @s has a bias of 20, more than 15");
}

/* Blits are for queues that draw. */
static void test_blits(void) {
    const char *text = "reprise 1\n"
                       "graph blits scheduled placed synced arena 0 {\n"
                       "  buf $x in image 2d rgba8[8,8]\n"
                       "  buf $y out image 2d rgba8[4,4] mips 2\n"
                       "  barrier transfer:rw -> transfer:w\n"
                       "  group 0\n"
                       "    n0 = blit linear (r $x, w $y[mip 0+1])\n"
                       "    n1 = clear 01020304 05060708 090a0b0c 0d0e0f10 (w $y[mip 1+1])\n"
                       "  barrier transfer:w -> host:r\n"
                       "}\n";
    mock_reset();
    mock.families[0].queueFlags |= VK_QUEUE_GRAPHICS_BIT;
    open_with(text, NULL);
    expect(mock_effects(rp_exec_command_buffer(exec, 0, 0)), "barrier transfer:TW -> transfer:TW\n"
                                                             "blit linear i0+0 i1+0 64 from 256\n"
                                                             "clear i1+64 16 04030201\n");
    replay();
    close_all();
    mock_reset();
    for (uint32_t i = 0; i < mock.family_count; i++)
        mock.families[i].queueFlags &= ~(VkQueueFlags)VK_QUEUE_GRAPHICS_BIT;
    refused(text, "n0 blits, which the queue of family ");
}

/* Depth has an aspect, a clear and a copy of its own, all in queues that draw. */
static void test_depth(void) {
    const char *text = "reprise 1\n"
                       "graph depth scheduled placed synced arena 0 {\n"
                       "  buf $x in image 2d d32f[4,4] mips 2\n"
                       "  buf $b in 64\n"
                       "  buf $y out image 2d d32f[4,4] layers 2\n"
                       "  buf $z out image 2d r32f[4,4]\n"
                       "  kern @k spirv - local 4 4 1 (s combined 2d float, w image 2d r32f)\n"
                       "  samp @s (compare=less)\n"
                       "  barrier transfer:rw,compute:s -> transfer:w,compute:w\n"
                       "  group 0\n"
                       "    n0 = clear 0000803f 00000000 00000000 00000000 (w $y[layer 0+1])\n"
                       "    n1 = copy (r $b, w $y[layer 1+1])\n"
                       "    n2 = run @k grid 1 1 1 (s $x[mip 0+1], w $z) samplers (@s)\n"
                       "  barrier transfer:w,compute:w -> host:r\n"
                       "}\n";
    mock_reset();
    mock.families[0].queueFlags |= VK_QUEUE_GRAPHICS_BIT;
    open_with(text, NULL);
    const char *effects = mock_effects(rp_exec_command_buffer(exec, 0, 0));
    CU_ASSERT_PTR_NOT_NULL(strstr(effects, "clear i1+0 64 3f800000\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(effects, "upload i1+64 b"));
    replay();
    close_all();
    /* Of a depth beyond 1, or none, something is cleared to. */
    char beyond[1024];
    for (int i = 0; i < 2; i++) {
        snprintf(beyond, sizeof beyond, "%s", text);
        memcpy(strstr(beyond, "0000803f"), i ? "00000040" : "0000c07f", 8);
        mock_reset();
        mock.families[0].queueFlags |= VK_QUEUE_GRAPHICS_BIT;
        open_with(beyond, NULL);
        effects = mock_effects(rp_exec_command_buffer(exec, 0, 0));
        CU_ASSERT_PTR_NOT_NULL(
            strstr(effects, i ? "clear i1+0 64 3f800000\n" : "clear i1+0 64 00000000\n"));
        close_all();
    }
    mock_reset();
    for (uint32_t i = 0; i < mock.family_count; i++)
        mock.families[i].queueFlags &= ~(VkQueueFlags)VK_QUEUE_GRAPHICS_BIT;
    refused(text, "x is of format d32f, and the queue of family ");
}

/* ---- The application's images ---------------------------------------------------------------- */

static const rp_image_shape shape = {RP_IMAGE_R32UI, RP_IMAGE_2D, 1, 4, 4, 1, 1};
enum { USAGE = VK_IMAGE_USAGE_STORAGE_BIT | VK_IMAGE_USAGE_SAMPLED_BIT };

static VkImage make_image(VkDeviceMemory *out_memory) {
    const VkImageCreateInfo info = {.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                                    .format = VK_FORMAT_R32_UINT,
                                    .extent = {4, 4, 1},
                                    .mipLevels = 1,
                                    .arrayLayers = 1,
                                    .usage = USAGE};
    const VkMemoryAllocateInfo wanted = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                         .allocationSize = 256};
    VkImage image;
    mock_CreateImage(NULL, &info, NULL, &image);
    mock_AllocateMemory(NULL, &wanted, NULL, out_memory);
    mock_BindImageMemory(NULL, image, *out_memory, 0);
    return image;
}

static rp_storage *import(rp_storage_image params) {
    rp_storage *storage = NULL;
    params.size = sizeof params;
    (void)rp_storage_import_image(device, &params, diags, &storage);
    return storage;
}

static rp_status bind(const char *buffer, rp_storage *storage) {
    const rp_binding binding = {.buffer = buffer, .storage = storage};
    return rp_exec_bind(exec, &binding, 1, diags);
}

static void test_lent(void) {
    VkDeviceMemory block;
    mock_reset();
    mock.races = true;
    open_with(chain, NULL);
    VkImage image = make_image(&block);
    const VkImageLayout read = VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL;
    rp_storage_image params = {.image = image, .shape = shape, .usage = USAGE, .after = read};
    rp_storage *storage = import(params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(storage);
    CU_ASSERT_EQUAL(bind("y", storage), RP_OK);
    const char *effects = mock_effects(rp_exec_command_buffer(exec, 0, 0));
    CU_ASSERT_PTR_NOT_NULL(strstr(effects, "image i5 0 -> 1 all:MW -> compute:SW\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(effects, "image i5 1 -> 5 compute:SW -> all:MR:MW\n"));
    replay();
    CU_ASSERT_EQUAL(mock_image_layout(5), read);
    uint8_t y[64];
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, y, 64, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "y was imported in another layout than GENERAL"));
    /* What does not fit. */
    CU_ASSERT_EQUAL(bind("a", storage), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "a cannot be bound: a transient image is the exec's own"));
    params.shape.width = 8, params.shape.height = 2;
    rp_storage *wide = import(params);
    CU_ASSERT_EQUAL(bind("y", wide), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(
        rp_test_said(diags, "y cannot lie in imported image: the storage is an image of an"));
    params.shape = shape, params.usage = VK_IMAGE_USAGE_SAMPLED_BIT;
    rp_storage *poor = import(params);
    CU_ASSERT_EQUAL(bind("y", poor), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "was created without a usage that the plan has for it"));
    const rp_storage_params buffer_params = {.size = sizeof buffer_params, .bytes = 64};
    rp_storage *buffer = NULL;
    CU_ASSERT_EQUAL(rp_storage_create(device, &buffer_params, diags, &buffer), RP_OK);
    CU_ASSERT_EQUAL(bind("y", buffer), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "it is an image, and the storage is a buffer"));
    CU_ASSERT_EQUAL(bind("x", storage), RP_ERROR_USAGE); /* y lies there */
    CU_ASSERT_TRUE(rp_test_said(diags, "are one VkImage, and not both only read"));
    replay(); /* it is as it was */
    /* What is none. */
    CU_ASSERT_PTR_NULL(import((rp_storage_image){.shape = shape, .after = read}));
    params.after = VK_IMAGE_LAYOUT_UNDEFINED;
    CU_ASSERT_PTR_NULL(import(params));
    CU_ASSERT_TRUE(rp_test_said(diags, "nothing is left in layout UNDEFINED"));
    params.after = read, params.shape.mips = 9;
    CU_ASSERT_PTR_NULL(import(params));
    rp_storage *none = NULL;
    CU_ASSERT_EQUAL(rp_storage_import_image(device, NULL, diags, &none), RP_ERROR_USAGE);
    rp_exec_destroy(exec);
    exec = NULL;
    rp_storage *all[] = {storage, wide, poor, buffer};
    for (size_t i = 0; i < 4; i++) rp_storage_release(all[i]);
    mock_DestroyImage(NULL, image, NULL);
    mock_FreeMemory(NULL, block, NULL);
    close_all();
}

/* ---- Faults ---------------------------------------------------------------------------------- */

/* Every call and every allocation fails in turn: nothing is left, and the next try succeeds. */
static void test_faults(void) {
    static const char *const texts[] = {chain, bound, copies};
    for (size_t t = 0; t < 3; t++)
        for (int kind = 0; kind < 2; kind++)
            for (long at = 1, going = 1; going; at++) {
                mock_reset();
                mock_allocator_init(&memory);
                diags = rp_diags_create(NULL);
                device = mock_open(&memory.allocator, diags);
                plan = mock_plan(texts[t]);
                exec = NULL;
                if (kind == 0)
                    mock.fail_at = mock.calls + (uint32_t)at;
                else
                    memory.fail_at = memory.calls + at;
                rp_status status = rp_exec_create(device, plan, &mock_params, diags, &exec);
                going = status != RP_OK;
                CU_ASSERT_TRUE((status == RP_OK) == (exec != NULL));
                mock.fail_at = 0;
                memory.fail_at = 0;
                if (!going) replay();
                close_all();
            }
}

int main(void) {
    static const rp_test tests[] = {{"commands", test_commands},
                                    {"what may not share", test_wrong_sharing},
                                    {"apart", test_apart},
                                    {"slots", test_slots},
                                    {"the host's bytes", test_bytes},
                                    {"many pieces", test_large},
                                    {"descriptors", test_descriptors},
                                    {"what a device lacks", test_lacks},
                                    {"blits", test_blits},
                                    {"depth", test_depth},
                                    {"lent images", test_lent},
                                    {"faults", test_faults},
                                    {0}};
    return rp_run_tests("images", tests);
}
