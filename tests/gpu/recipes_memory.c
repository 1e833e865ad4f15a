/* Recipes: where the bytes are. */
#include "recipes.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- Memory ---------------------------------------------------------------------------------- */

/* w[i] = 2 in a file of its own. */
static void save_weights(const char *path) {
    char header[128];
    int length = snprintf(header, sizeof header,
                          "{'descr': '<u4', 'fortran_order': False, 'shape': (%d,)}\n", COUNT);
    FILE *out = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    fwrite("\x93NUMPY\1", 1, 8, out);
    fputc(length, out);
    fputc(0, out);
    fwrite(header, 1, (size_t)length, out);
    for (uint32_t i = 0; i < COUNT; i++) fwrite(&(uint32_t){2}, 1, 4, out);
    CU_ASSERT_EQUAL_FATAL(fclose(out), 0);
}

void test_weights_once(void) {
    char folder[] = "/tmp/reprise-recipes-XXXXXX", path[64];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/w.npy", folder);
    save_weights(path);

    rp_weights *file;
    check(rp_weights_open(NULL, path, diags, &file)); /* w.npy; or a .safetensors file */
    const rp_plan *const plans[] = {plan, later_plan};
    const rp_weights_load_params load = {
        .size = sizeof load, .plans = plans, .plan_count = 2, .files = &file, .file_count = 1};
    rp_loaded_weights *weights;
    check(rp_weights_load(device, &load, diags, &weights));
    rp_weights_close(file);

    rp_exec *execs[2];
    for (uint32_t e = 0; e < 2; e++) {
        rp_binding bindings[8];
        rp_exec_params params = {.size = sizeof params, .bindings = bindings};
        check(rp_loaded_weights_bindings(weights, plans[e], diags, bindings, 8,
                                         &params.binding_count));
        check(rp_exec_create(device, plans[e], &params, diags, &execs[e]));
    }
    rp_loaded_weights_destroy(weights); /* the execs hold what they read */

    uint32_t x[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) x[i] = i;
    for (uint32_t e = 0; e < 2; e++) {
        check(rp_exec_write(execs[e], 0, "x", 0, x, sizeof x, diags));
        check(rp_exec_submit(execs[e], NULL, diags, NULL));
        check(rp_exec_wait(execs[e], 0, UINT64_MAX, diags));
        expect_results(execs[e], 0, e ? 6 : 2, 0, 0);
        rp_exec_destroy(execs[e]);
    }
    CU_ASSERT_EQUAL(remove(path) | remove(folder), 0);
}

void test_arena(void) {
    rp_plan_info first = {.size = sizeof first}, second = {.size = sizeof second};
    check(rp_plan_get_info(plan, &first));
    check(rp_plan_get_info(later_plan, &second));
    uint64_t bytes =
        first.arena_bytes > second.arena_bytes ? first.arena_bytes : second.arena_bytes;

    rp_storage *arena = create_storage(bytes);
    const rp_binding binding = {.buffer = NULL, .storage = arena, .slot = RP_ALL_SLOTS};
    const rp_exec_params params = {.size = sizeof params, .bindings = &binding, .binding_count = 1};
    rp_exec *a, *b;
    check(rp_exec_create(device, plan, &params, diags, &a));
    check(rp_exec_create(device, later_plan, &params, diags, &b));
    rp_storage_release(arena);

    write_inputs(a, 0, 0);
    write_inputs(b, 0, 0);
    const rp_submission both[] = {{a, NULL}, {b, NULL}};
    check(rp_device_submit(device, both, 2, diags, NULL));
    check(rp_exec_wait(b, 0, UINT64_MAX, diags));
    check(rp_exec_wait(a, 0, UINT64_MAX, diags));
    expect_results(a, 0, 2, 0, 0);
    expect_results(b, 0, 6, 0, 0);
    rp_exec_destroy(a);
    rp_exec_destroy(b);
}

void test_host_visible(void) {
    const rp_storage_params params = {
        .size = sizeof params, .bytes = 2 * BYTES, .host_visible = 1, .name = "results"};
    rp_storage *storage;
    check(rp_storage_create(device, &params, diags, &storage));
    const rp_binding bindings[] = {{"x", storage, 0, RP_ALL_SLOTS, 0},
                                   {"y", storage, BYTES, RP_ALL_SLOTS, 0}};
    const rp_exec_params bound = {.size = sizeof bound, .bindings = bindings, .binding_count = 2};
    rp_exec *exec = create(&bound);
    write_inputs(exec, 0, 0);

    void *x, *y;
    check(rp_exec_map(exec, 0, "x", diags, &x, NULL));
    check(rp_exec_map(exec, 0, "y", diags, &y, NULL));
    ((uint32_t *)x)[0] = 0; /* while the slot is idle */
    check(rp_exec_submit(exec, NULL, diags, NULL));
    check(rp_exec_wait(exec, 0, UINT64_MAX, diags));
    expect_values(y, 2, 0, 0);

    rp_exec_destroy(exec);
    rp_storage_release(storage);
}

/* ---- An application's allocator -------------------------------------------------------------- */

static int held; /* pieces of memory that were given and are not back */

/* The best of the types that will do. */
static uint32_t choose_type(const vulkan *gpu, const rp_memory_request *asked) {
    VkPhysicalDeviceMemoryProperties properties;
    vkGetPhysicalDeviceMemoryProperties(gpu->physical, &properties);
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < properties.memoryTypeCount; i++) {
        uint32_t flags = properties.memoryTypes[i].propertyFlags & asked->wanted_flags;
        if ((asked->type_bits >> i & 1) && (best == UINT32_MAX || flags == asked->wanted_flags))
            best = i;
    }
    return best;
}

static int32_t on_allocate(void *allocator, const rp_memory_request *asked, rp_memory *out) {
    vulkan *gpu = allocator;
    const VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                       .allocationSize = asked->bytes,
                                       .memoryTypeIndex = choose_type(gpu, asked)};
    VkDeviceMemory memory;
    VkResult result = vkAllocateMemory(gpu->device, &info, NULL, &memory);
    if (result != VK_SUCCESS) return result;
    if (asked->required_flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)
        VK(vkMapMemory(gpu->device, memory, 0, VK_WHOLE_SIZE, 0, &out->mapped));
    out->memory = memory;
    out->type = info.memoryTypeIndex;
    held++;
    return VK_SUCCESS;
}

static void on_release(void *allocator, const rp_memory *memory) {
    vulkan *gpu = allocator;
    vkFreeMemory(gpu->device, (VkDeviceMemory)memory->memory, NULL);
    held--;
}

void test_allocator(void) {
    rp_device *own;
    const rp_device_import import = {
        .size = sizeof import,
        .get_instance_proc_addr = (void *)vkGetInstanceProcAddr,
        .instance = vk.instance,
        .api_version = VK_API_VERSION_1_3,
        .physical_device = vk.physical,
        .device = vk.device,
        .features = &vk.features,
        .debug_utils = 1,
        .queue = vk.queue,
        .queue_family = vk.family,
        .allocate = on_allocate,
        .release = on_release,
        .allocator = &vk,
    };
    const rp_device_params params = {.size = sizeof params, .import = &import};
    check(rp_device_create(NULL, &params, diags, &own));
    rp_exec *exec;
    check(rp_exec_create(own, plan, NULL, diags, &exec));
    CU_ASSERT_TRUE(held > 3);
    write_inputs(exec, 0, 0);
    replay_once(exec);
    expect_results(exec, 0, 2, 0, 0);
    rp_exec_destroy(exec);
    check(rp_device_destroy(own, diags));
    CU_ASSERT_EQUAL(held, 0);
}

/* ---- Memory that others see ------------------------------------------------------------------ */

/* Another device of the same GPU, as another process would have it. */
static rp_device *open_other(void) {
    rp_device_info info = {.size = sizeof info};
    check(rp_device_get_info(device, &info));
    const rp_device_params params = {.size = sizeof params, .select = info.name, .validation = 1};
    rp_device *other;
    check(rp_device_create(NULL, &params, diags, &other));
    return other;
}

/* Bytes go through a storage that is mapped on both sides. */
static void share_mapped(rp_device *other, rp_fd_type type) {
    const rp_storage_params params = {
        .size = sizeof params, .bytes = BYTES, .host_visible = 1, .exportable = type};
    rp_storage_fd fd = {.size = sizeof fd};
    rp_storage *here, *there;
    uint32_t sent[COUNT], back[COUNT] = {0};
    for (uint32_t i = 0; i < COUNT; i++) sent[i] = i * i;
    check(rp_storage_create(device, &params, diags, &here));
    check(rp_storage_export_fd(here, type, diags, &fd));
    check(rp_storage_import_fd(other, &fd, diags, &there));
    check(rp_storage_write(here, 0, sent, sizeof sent, diags));
    check(rp_storage_hand_over(here, diags));
    check(rp_storage_take_over(there, diags));
    rp_storage_info info = {.size = sizeof info};
    check(rp_storage_get_info(there, &info));
    CU_ASSERT_PTR_NOT_NULL_FATAL(info.mapped);
    CU_ASSERT_EQUAL(memcmp(info.mapped, sent, sizeof sent), 0);
    rp_storage_release(here); /* the memory stays */
    check(rp_storage_read(there, 0, back, sizeof back, diags));
    CU_ASSERT_EQUAL(memcmp(back, sent, sizeof sent), 0);
    rp_storage_release(there);
}

static void share_results(rp_device *other) {
    const rp_storage_params params = {
        .size = sizeof params, .bytes = BYTES, .exportable = RP_FD_OPAQUE, .name = "results"};
    rp_storage *results, *seen;
    check(rp_storage_create(device, &params, diags, &results));
    rp_storage_fd fd = {.size = sizeof fd};
    check(rp_storage_export_fd(results, RP_FD_OPAQUE, diags, &fd));

    check(rp_storage_import_fd(other, &fd, diags, &seen)); /* takes fd.fd */

    const rp_binding out = {"y", results, 0, RP_ALL_SLOTS, 0}, in = {"x", seen, 0, RP_ALL_SLOTS, 0};
    rp_exec_params bound = {.size = sizeof bound, .bindings = &out, .binding_count = 1};
    rp_exec *first, *second;
    check(rp_exec_create(device, plan, &bound, diags, &first));
    bound.bindings = &in;
    check(rp_exec_create(other, plan, &bound, diags, &second));
    write_inputs(first, 0, 0);
    uint32_t w[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) w[i] = 2;
    check(rp_exec_write(second, 0, "w", 0, w, sizeof w, diags));

    check(rp_exec_submit(first, NULL, diags, NULL));
    check(rp_exec_wait(first, 0, UINT64_MAX, diags));
    check(rp_storage_hand_over(results, diags));
    check(rp_storage_take_over(seen, diags)); /* the other one's business */
    check(rp_exec_submit(second, NULL, diags, NULL));

    check(rp_exec_wait(second, 0, UINT64_MAX, diags));
    expect_results(second, 0, 4, 0, 0);
    rp_exec_destroy(first);
    rp_exec_destroy(second);
    rp_storage_release(results);
    rp_storage_release(seen);
}

void test_shared(void) {
    if (!shares_fd) {
        printf("skipped: the device has no VK_KHR_external_memory_fd ");
        return;
    }
    rp_device *other = open_other();
    share_results(other);
    share_mapped(other, RP_FD_OPAQUE);
    if (shares_dma_buf)
        share_mapped(other, RP_FD_DMA_BUF);
    else
        printf("no dma-bufs here ");
    CU_ASSERT_EQUAL(rp_device_messages(other, diags), 0);
    check(rp_device_destroy(other, diags));
}

/* ---- The host's bytes ------------------------------------------------------------------------ */

enum { LAYERS = 3, LAYER_BYTES = 3 << 20 };

/* Tells the user, and goes on. */
static int on_progress(void *user, uint64_t done, uint64_t total) {
    *(double *)user = (double)done / (double)total;
    return 0; /* anything else stops */
}

void test_uploads(void) {
    static uint32_t layers[LAYERS][LAYER_BYTES / 4], back[LAYER_BYTES / 4];
    for (uint32_t i = 0; i < LAYERS; i++)
        for (uint32_t k = 0; k < LAYER_BYTES / 4; k++) layers[i][k] = i + k;
    rp_storage *weights = create_storage(LAYERS * LAYER_BYTES);

    rp_storage_upload uploads[LAYERS];
    for (uint32_t i = 0; i < LAYERS; i++)
        uploads[i] = (rp_storage_upload){weights, i * LAYER_BYTES, LAYER_BYTES, layers[i]};
    double shown = 0;
    const rp_transfer_params params = {.size = sizeof params,
                                       .uploads = uploads,
                                       .upload_count = LAYERS,
                                       .progress = on_progress,
                                       .user = &shown};
    check(rp_device_transfer(device, &params, diags));

    CU_ASSERT_EQUAL(shown, 1);
    check(rp_storage_read(weights, 2 * LAYER_BYTES, back, sizeof back, diags));
    CU_ASSERT_EQUAL(memcmp(back, layers[2], sizeof back), 0);
    rp_storage_release(weights);
}

void test_bytes_of_an_exec(void) {
    uint32_t x[COUNT], w[COUNT], y[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) x[i] = i, w[i] = 2;
    rp_exec *exec = create(NULL);

    const rp_upload in[] = {{.buffer = "x", .size = sizeof x, .data = x},
                            {.buffer = "w", .size = sizeof w, .data = w}};
    check(rp_exec_transfer(exec, 0, in, 2, NULL, 0, diags));
    check(rp_exec_submit(exec, NULL, diags, NULL));
    check(rp_exec_wait(exec, 0, UINT64_MAX, diags));
    check(rp_exec_read(exec, 0, "y", 0, y, sizeof y, diags)); /* one range */

    expect_values(y, 2, 0, 0);
    rp_exec_destroy(exec);
}

void test_frames(void) {
    const rp_exec_params params = {.size = sizeof params, .slots = SLOTS};
    rp_exec *exec = create(&params);
    write_inputs(exec, 0, 0);

    uint32_t x[COUNT], y[SLOTS][COUNT];
    uint64_t replays[SLOTS] = {0};
    for (uint32_t frame = 0; frame < 10; frame++) {
        uint32_t slot = frame % SLOTS;
        if (replays[slot]) {
            check(rp_exec_wait(exec, replays[slot], UINT64_MAX, diags)); /* y[slot] is there */
            expect_values(y[slot], 2, frame - SLOTS, 0);
        }
        for (uint32_t i = 0; i < COUNT; i++) x[i] = i + frame;
        const rp_upload in = {.buffer = "x", .size = sizeof x, .data = x};
        const rp_download out = {.buffer = "y", .size = sizeof y[slot], .data = y[slot]};
        const rp_submit_params submit = {.size = sizeof submit,
                                         .slot = slot,
                                         .uploads = &in,
                                         .upload_count = 1,
                                         .downloads = &out,
                                         .download_count = 1};
        check(rp_exec_submit(exec, &submit, diags, &replays[slot])); /* x was read */
    }
    check(rp_exec_wait(exec, 0, UINT64_MAX, diags));
    for (uint32_t frame = 7; frame < 10; frame++) expect_values(y[frame % SLOTS], 2, frame, 0);
    rp_exec_destroy(exec);
}
