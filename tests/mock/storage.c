/* Storages: made, imported, looked into, and what is wrong about them. */
#include "mock_objects.h"
#include "opened.h"

static const char text[] = "reprise 1\n"
                           "graph one scheduled placed synced arena 0 {\n"
                           "  buf $x in 256\n"
                           "  buf $y out 256\n"
                           "  group 0\n"
                           "    n0 = copy (r $x, w $y)\n"
                           "}\n";

static rp_storage *create(rp_storage_params params) {
    rp_storage *storage = NULL;
    params.size = sizeof params;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &storage), RP_OK);
    return storage;
}

static rp_storage_info info_of(const rp_storage *storage) {
    rp_storage_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_storage_get_info(storage, &info), RP_OK);
    return info;
}

/* Memory begins as zeros unless that is not wanted, and is seen by the host when that is. */
static void test_create(void) {
    mock_reset();
    open_text(text, &mock_params);
    rp_storage *zeros = create((rp_storage_params){.bytes = 1001});
    const uint32_t plain = mock.buffer_usage;
    CU_ASSERT_EQUAL(plain, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT |
                               VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT |
                               VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    rp_storage_info info = info_of(zeros);
    CU_ASSERT_PTR_NOT_NULL(info.buffer);
    CU_ASSERT_PTR_NULL(info.mapped);
    CU_ASSERT_EQUAL(info.offset, 0);
    CU_ASSERT_EQUAL(info.bytes, 1001);
    unsigned char bytes[1001];
    memset(bytes, 1, sizeof bytes);
    CU_ASSERT_EQUAL(rp_storage_read(zeros, 0, bytes, 1001, diags), RP_OK);
    for (uint32_t i = 0; i < 1001; i++) CU_ASSERT_EQUAL(bytes[i], 0);

    uint32_t submits = mock.submits;
    rp_storage *drawn = create((rp_storage_params){.bytes = 64,
                                                   .usage = VK_BUFFER_USAGE_VERTEX_BUFFER_BIT,
                                                   .uninitialised = 1,
                                                   .host_visible = 1,
                                                   .name = "vertices"});
    CU_ASSERT_EQUAL(mock.submits, submits);
    CU_ASSERT_EQUAL(mock.buffer_usage, plain | VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    info = info_of(drawn);
    CU_ASSERT_PTR_NOT_NULL_FATAL(info.mapped);
    CU_ASSERT_EQUAL(*(unsigned char *)info.mapped, 0xa5); /* as it was */
    CU_ASSERT_EQUAL(rp_storage_write(drawn, 60, "end", 4, diags), RP_OK);
    CU_ASSERT_STRING_EQUAL((char *)info.mapped + 60, "end");
    CU_ASSERT_EQUAL(rp_storage_read(drawn, 60, bytes, 4, diags), RP_OK);
    CU_ASSERT_STRING_EQUAL((char *)bytes, "end");

    CU_ASSERT_PTR_EQUAL(rp_storage_retain(zeros), zeros);
    rp_storage_release(zeros);
    CU_ASSERT_EQUAL(rp_storage_read(zeros, 0, bytes, 1001, diags), RP_OK);
    rp_exec_destroy(exec);
    exec = NULL;
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_ERROR_BUSY);
    CU_ASSERT_TRUE(rp_test_said(diags, "still in use by 2 storages"));
    rp_storage_release(zeros);
    rp_storage_release(drawn);
    CU_ASSERT_PTR_NULL(rp_storage_retain(NULL));
    rp_storage_release(NULL);
    close_all();
}

static void expect_refused(rp_storage_params params, rp_status status, const char *said) {
    rp_storage *storage = (rp_storage *)1;
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_storage_create(device, &params, diags, &storage), status);
    CU_ASSERT_PTR_NULL(storage);
    CU_ASSERT_TRUE(rp_test_said(diags, said));
}

static void test_wrong(void) {
    mock_reset();
    mock.max_buffer_size = 1 << 20;
    open_text(text, &mock_params);
    const size_t size = sizeof(rp_storage_params);
    expect_refused((rp_storage_params){.bytes = 4}, RP_ERROR_USAGE, "sizeof(rp_storage_params)");
    expect_refused((rp_storage_params){.size = size, .name = "none"}, RP_ERROR_USAGE,
                   "none cannot have 0 bytes");
    expect_refused((rp_storage_params){.size = size, .bytes = UINT64_MAX}, RP_ERROR_USAGE,
                   "storage cannot have 18446744073709551615 bytes");
    expect_refused((rp_storage_params){.size = size, .bytes = (1 << 20) + 1}, RP_ERROR_UNSUPPORTED,
                   "storage has 1048577 bytes, more than the 1048576");
    expect_refused((rp_storage_params){.size = size,
                                       .bytes = 64,
                                       .usage = VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT},
                   RP_ERROR_UNSUPPORTED, "device Mock 9000 has none (bufferDeviceAddress)");
    expect_refused(
        (rp_storage_params){.size = size, .bytes = 64, .usage = 0x80000 | 0x80040080},
        RP_ERROR_USAGE,
        "storage cannot have the usage VK_BUFFER_USAGE_ACCELERATION_STRUCTURE_BUILD_INPUT_"
        "READ_ONLY_BIT_KHR, which is an extension's: create the VkBuffer and import it");
    CU_ASSERT_TRUE(rp_test_said(diags, "storage cannot have the usage 0x80040000: no such flags"));
    rp_storage *storage = create((rp_storage_params){.bytes = 100, .name = "mine"});
    char bytes[8];
    CU_ASSERT_EQUAL(rp_storage_write(storage, 97, bytes, 4, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "bytes 97 + 4 are outside mine, which has 100"));
    CU_ASSERT_EQUAL(rp_storage_read(storage, UINT64_MAX, bytes, 2, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_storage_write(storage, 100, NULL, 0, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_storage_write(storage, 0, NULL, 1, diags), RP_ERROR_USAGE);
    rp_storage_info unset = {0};
    CU_ASSERT_EQUAL(rp_storage_get_info(storage, &unset), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_storage_get_info(NULL, &unset), RP_ERROR_USAGE);
    rp_storage_release(storage);
    close_all();
    /* Nothing that the host sees. */
    mock_reset();
    mock.memory.memoryTypeCount = 1;
    diags = rp_diags_create(NULL);
    device = mock_open(NULL, diags);
    expect_refused(
        (rp_storage_params){.size = size, .bytes = 64, .host_visible = 1, .name = "seen"},
        RP_ERROR_UNSUPPORTED, "seen");
    exec = NULL;
    plan = NULL;
    memory.alive = 0;
    close_all();
}

/* A device address is a promise about the memory as well; execs' own memory does not make it. */
static void test_device_address(void) {
    mock_reset();
    mock.device_address = true;
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL(exec);
    rp_storage *storage = create(
        (rp_storage_params){.bytes = 64, .usage = VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT});
    rp_storage_release(storage);
    close_all();
}

/* ---- Images ---------------------------------------------------------------------------------- */

static const char images_text[] = "reprise 1\n"
                                  "graph two scheduled placed synced arena 0 {\n"
                                  "  buf $x in image 2d rgba8[4,4] mips 3\n"
                                  "  buf $y out image 2d rgba8[4,4] mips 3\n"
                                  "  group 0\n"
                                  "    n0 = copy (r $x, w $y)\n"
                                  "  barrier transfer:w -> host:r\n"
                                  "}\n";
static const rp_image_shape image_shape = {RP_IMAGE_RGBA8, RP_IMAGE_2D, 3, 4, 4, 1, 1};

/* Images of the application's own making are bound as all storages are, and the host reaches their packed
 * bytes. */
static void test_images(void) {
    mock_reset();
    open_text(images_text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    rp_storage *x = create((rp_storage_params){.image = image_shape, .name = "mine"});
    CU_ASSERT_EQUAL(mock.image_usage, VK_IMAGE_USAGE_STORAGE_BIT | VK_IMAGE_USAGE_SAMPLED_BIT |
                                          VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
                                          VK_IMAGE_USAGE_TRANSFER_DST_BIT);
    mock.image_features &= ~(VkFlags)VK_FORMAT_FEATURE_STORAGE_IMAGE_BIT;
    rp_storage *y = create((rp_storage_params){
        .image = image_shape, .bytes = 84, .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT});
    CU_ASSERT_EQUAL(mock.image_usage, VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
                                          VK_IMAGE_USAGE_TRANSFER_DST_BIT |
                                          VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT);
    const rp_storage_info info = info_of(x);
    CU_ASSERT_PTR_NULL(info.buffer);
    CU_ASSERT_PTR_NOT_NULL(info.image);
    CU_ASSERT_EQUAL(info.bytes, 84);
    uint8_t bytes[84], got[84] = {1};
    CU_ASSERT_EQUAL(rp_storage_read(x, 0, got, 84, diags), RP_OK);
    for (int i = 0; i < 84; i++) CU_ASSERT_EQUAL(got[i], 0);
    for (int i = 0; i < 84; i++) bytes[i] = (uint8_t)(3 * i + 1);
    CU_ASSERT_EQUAL(rp_storage_write(x, 0, bytes, 84, diags), RP_OK);
    const rp_binding bindings[] = {{"x", x, 0, 0, 0}, {"y", y, 0, 0, 0}};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, bindings, 2, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_storage_read(y, 64, got, 20, diags), RP_OK); /* the small mips */
    CU_ASSERT_EQUAL(memcmp(got, bytes + 64, 20), 0);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, got, 84, diags), RP_OK);
    CU_ASSERT_EQUAL(memcmp(got, bytes, 84), 0);
    rp_storage_release(x);
    rp_storage_release(y);
    close_all();
}

static void test_wrong_images(void) {
    const size_t size = sizeof(rp_storage_params);
    mock_reset();
    open_text(text, &mock_params);
    rp_image_shape shape = image_shape;
    shape.mips = 4;
    expect_refused((rp_storage_params){.size = size, .image = shape, .name = "mine"},
                   RP_ERROR_USAGE, "mine: there is no such image: it has no mips, or more");
    shape = image_shape;
    shape.width = 8192;
    expect_refused((rp_storage_params){.size = size, .image = shape}, RP_ERROR_UNSUPPORTED,
                   "storage has 8192 x 4 x 1 texels, more than 4096 x 4096 x 1; device Mock 9000");
    expect_refused((rp_storage_params){.size = size, .image = image_shape, .bytes = 64},
                   RP_ERROR_USAGE, "its packed form has another number of bytes");
    expect_refused((rp_storage_params){.size = size, .image = image_shape, .host_visible = 1},
                   RP_ERROR_USAGE, "the host maps no image");
    expect_refused(
        (rp_storage_params){.size = size, .image = image_shape, .exportable = RP_FD_OPAQUE},
        RP_ERROR_USAGE, "images are not exported");
    expect_refused((rp_storage_params){.size = size, .image = image_shape, .uninitialised = 1},
                   RP_ERROR_USAGE, "images begin as zeros");
    expect_refused((rp_storage_params){.size = size,
                                       .image = image_shape,
                                       .usage = VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT},
                   RP_ERROR_USAGE, "create the VkImage and import it");
    expect_refused((rp_storage_params){.size = size, .image = image_shape, .priority = 2},
                   RP_ERROR_USAGE, "priority");
    shape = image_shape;
    shape.format = RP_IMAGE_D32F;
    rp_storage *depth = create(
        (rp_storage_params){.image = shape, .usage = VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT});
    CU_ASSERT(mock.image_usage & VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT);
    rp_storage_release(depth);
    expect_refused((rp_storage_params){.size = size,
                                       .image = shape,
                                       .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT},
                   RP_ERROR_USAGE, "of depth DEPTH_STENCIL_ATTACHMENT");
    mock.image_features &= ~(VkFlags)VK_FORMAT_FEATURE_TRANSFER_DST_BIT;
    expect_refused((rp_storage_params){.size = size, .image = image_shape}, RP_ERROR_UNSUPPORTED,
                   "storage is of format rgba8, which is not for being copied to");
    close_all();
}

/* Whichever call to Vulkan and whichever allocation fails, nothing is left. */
static void test_failing_images(void) {
    uint32_t failures = 0;
    for (uint32_t n = 1; n < 100; n++) {
        mock_reset();
        open_text(text, &mock_params);
        const rp_storage_params params = {.size = sizeof params, .image = image_shape};
        rp_storage *storage = NULL;
        mock.fail_at = mock.calls + n;
        mock.fail_with = VK_ERROR_OUT_OF_DEVICE_MEMORY;
        rp_status status = rp_storage_create(device, &params, diags, &storage);
        bool failed = mock.calls >= mock.fail_at;
        mock.fail_at = 0;
        CU_ASSERT_EQUAL(status == RP_OK, storage != NULL);
        CU_ASSERT(failed || status == RP_OK);
        failures += status != RP_OK;
        rp_storage_release(storage);
        close_all();
        if (!failed) break;
    }
    CU_ASSERT(failures > 4);
}

/* ---- Imported -------------------------------------------------------------------------------- */

static VkBuffer own_buffer(uint64_t bytes, VkDeviceMemory *memory_of) {
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                     .size = bytes,
                                     .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                                              VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                              VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    const VkMemoryAllocateInfo wanted = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                         .allocationSize = bytes,
                                         .memoryTypeIndex = 1};
    VkBuffer buffer = VK_NULL_HANDLE;
    CU_ASSERT_EQUAL(mock_CreateBuffer(NULL, &info, NULL, &buffer), VK_SUCCESS);
    CU_ASSERT_EQUAL(mock_AllocateMemory(NULL, &wanted, NULL, memory_of), VK_SUCCESS);
    CU_ASSERT_EQUAL(mock_BindBufferMemory(NULL, buffer, *memory_of, 0), VK_SUCCESS);
    return buffer;
}

static void test_import(void) {
    mock_reset();
    open_text(text, &mock_params);
    VkDeviceMemory memory_of;
    VkBuffer buffer = own_buffer(2048, &memory_of);
    void *mapped = NULL;
    CU_ASSERT_EQUAL(mock_MapMemory(NULL, memory_of, 0, VK_WHOLE_SIZE, 0, &mapped), VK_SUCCESS);
    rp_storage_import import = {.size = sizeof import,
                                .buffer = buffer,
                                .offset = 512,
                                .bytes = 1024,
                                .mapped = (char *)mapped + 512};
    rp_storage *seen = NULL, *unseen = NULL;
    CU_ASSERT_EQUAL(rp_storage_import_buffer(device, &import, diags, &seen), RP_OK);
    import.mapped = NULL;
    CU_ASSERT_EQUAL(rp_storage_import_buffer(device, &import, diags, &unseen), RP_OK);
    const rp_storage_info info = info_of(seen);
    CU_ASSERT_PTR_EQUAL(info.buffer, buffer);
    CU_ASSERT_EQUAL(info.offset, 512);
    CU_ASSERT_EQUAL(info.bytes, 1024);
    CU_ASSERT_PTR_EQUAL(info.mapped, (char *)mapped + 512);

    /* x behind one, y behind the other: the bytes go where they belong, by the GPU and by the host. */
    const rp_binding bindings[] = {{"x", seen, 256, 0, 0}, {"y", unseen, 512, 0, 0}};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, bindings, 2, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, "hello", 6, diags), RP_OK);
    CU_ASSERT_STRING_EQUAL((char *)mapped + 512 + 256, "hello");
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_STRING_EQUAL((char *)mapped + 512 + 512, "hello");
    char bytes[6];
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, bytes, 6, diags), RP_OK);
    CU_ASSERT_STRING_EQUAL(bytes, "hello");
    CU_ASSERT_EQUAL(rp_storage_write(unseen, 512, "other", 6, diags), RP_OK);
    CU_ASSERT_STRING_EQUAL((char *)mapped + 1024, "other");

    /* Two imports of one VkBuffer are one memory. */
    const rp_binding same[] = {{"x", seen, 256, 0, 0}, {"y", unseen, 256, 0, 0}};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, same, 2, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "x and y lie on the same memory, bytes 768 to 1023"));
    rp_storage_release(seen);
    rp_storage_release(unseen);
    rp_exec_destroy(exec);
    exec = NULL;
    mock_DestroyBuffer(NULL, buffer, NULL); /* the application's, as before */
    mock_FreeMemory(NULL, memory_of, NULL);
    close_all();
}

static void expect_no_import(rp_storage_import import, const char *said) {
    rp_storage *storage = (rp_storage *)1;
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_storage_import_buffer(device, &import, diags, &storage), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(storage);
    CU_ASSERT_TRUE(rp_test_said(diags, said));
}

static void test_wrong_imports(void) {
    mock_reset();
    open_text(text, &mock_params);
    VkDeviceMemory memory_of;
    void *buffer = own_buffer(2048, &memory_of);
    const size_t size = sizeof(rp_storage_import);
    expect_no_import((rp_storage_import){.buffer = buffer, .bytes = 4},
                     "sizeof(rp_storage_import)");
    expect_no_import((rp_storage_import){.size = size, .bytes = 4},
                     "rp_storage_import.buffer is NULL");
    expect_no_import((rp_storage_import){.size = size, .buffer = buffer, .name = "mine"},
                     "mine cannot be bytes 0 + 0 of a VkBuffer: 1 to");
    expect_no_import(
        (rp_storage_import){.size = size, .buffer = buffer, .offset = UINT64_MAX - 3, .bytes = 4},
        "cannot be bytes 18446744073709551612 + 4 of a VkBuffer");
    expect_no_import((rp_storage_import){.size = size, .buffer = buffer, .offset = 8, .bytes = 4},
                     "begins at byte 8 of its VkBuffer; Mock 9000 binds storage buffers at "
                     "multiples of 16");
    expect_no_import(
        (rp_storage_import){.size = size, .buffer = buffer, .offset = 2032, .bytes = 17},
        "is bytes 2032 to 2048 of a VkBuffer that has no more than 2048");
    mock_DestroyBuffer(NULL, (VkBuffer)buffer, NULL);
    mock_FreeMemory(NULL, memory_of, NULL);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"create", test_create},
                                    {"wrong", test_wrong},
                                    {"device address", test_device_address},
                                    {"images", test_images},
                                    {"wrong images", test_wrong_images},
                                    {"images, with calls that fail", test_failing_images},
                                    {"import", test_import},
                                    {"wrong imports", test_wrong_imports},
                                    {0}};
    return rp_run_tests("storage", tests);
}
