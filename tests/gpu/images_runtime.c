/* What the runtime does around images on a real device: slots, pieces, copies that submissions bring,
 * nodes that are left out, profiles, other plans, and images of the application. */
#include "device/device.h"
#include "exec/exec.h"
#include "images.h"

enum { W = 16, H = 8, BYTES = W * H * 4, SLOTS = 3 };

static const char add_glsl[] = "#version 450\n"
                               "layout(local_size_x = 8, local_size_y = 8) in;\n"
                               "layout(binding = 0, r32ui) readonly uniform uimage2D x;\n"
                               "layout(binding = 1, r32ui) writeonly uniform uimage2D y;\n"
                               "layout(push_constant) uniform Push { uint more; };\n"
                               "void main() {\n"
                               "    ivec2 p = ivec2(gl_GlobalInvocationID.xy);\n"
                               "    imageStore(y, p, imageLoad(x, p) + more);\n"
                               "}\n";
static const images_kernel kernels[] = {{"add", add_glsl}, {0}};

static rp_device *device;

/* y = x + 1 + 2 + 4 + more, by three transients that can share; s counts up in place. */
static rp_plan *plan_of(uint32_t more) {
    char text[2048];
    snprintf(text, sizeof text,
             "reprise 1\ngraph adds {\n"
             "  buf $x in image 2d r32ui[16,8]\n"
             "  buf $s inout image 2d r32ui[16,8]\n"
             "  buf $y out image 2d r32ui[16,8]\n"
             "  buf %%a tmp image 2d r32ui[16,8]\n"
             "  buf %%b tmp image 2d r32ui[16,8]\n"
             "  buf %%c tmp image 2d r32ui[16,8]\n"
             "  buf %%d tmp image 2d r32ui[16,8]\n"
             "  kern @add spirv - local 8 8 1 (r image 2d r32ui, w image 2d r32ui)\n"
             "  n0 = run @add grid 2 1 1 push 01000000 (r $x, w %%a)\n"
             "  n1 = run @add grid 2 1 1 push 02000000 (r %%a, w %%b)\n"
             "  n2 = run @add grid 2 1 1 push 04000000 (r %%b, w %%c)\n"
             "  n3 = run @add grid 2 1 1 push %02x000000 (r %%c, w $y)\n"
             "  n4 = run @add grid 2 1 1 push 01000000 (r $s, w %%d)\n"
             "  n5 = copy (r %%d, w $s)\n}\n",
             more);
    return images_plan(text, kernels, 1);
}

static void fill(uint32_t *x, uint32_t seed) {
    for (uint32_t i = 0; i < W * H; i++) x[i] = i * 2654435761u + seed;
}

static uint32_t count_wrong(const uint32_t *y, const uint32_t *x, uint32_t more) {
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < W * H; i++) wrong += y[i] != x[i] + more;
    return wrong;
}

/* Several in flight, with the bytes beside them. */
static void test_slots(void) {
    static uint32_t x[9][W * H], y[9][W * H], s[W * H];
    rp_plan *plan = plan_of(8);
    for (int own = 0; own < 2; own++) {
        device = images_open();
        const rp_exec_params params = {.size = sizeof params,
                                       .cache_path = "",
                                       .slots = SLOTS,
                                       .state_per_slot = own,
                                       .pieces = 1 + 2 * own,
                                       .timestamps = 1,
                                       .markers = own};
        rp_exec *exec = gpu_exec(device, plan, &params);
        for (uint32_t i = 0; i < 9; i++) {
            const rp_upload up = {.buffer = "x", .size = BYTES, .data = x[i]};
            const rp_download down = {.buffer = "y", .size = BYTES, .data = y[i]};
            const rp_submit_params submit = {.size = sizeof submit,
                                             .slot = i % SLOTS,
                                             .uploads = &up,
                                             .upload_count = 1,
                                             .downloads = &down,
                                             .download_count = 1};
            fill(x[i], i);
            CU_ASSERT_EQUAL(rp_exec_submit(exec, &submit, NULL, NULL), RP_OK);
        }
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
        for (uint32_t i = 0; i < 9; i++) CU_ASSERT_EQUAL(count_wrong(y[i], x[i], 15), 0);
        CU_ASSERT_EQUAL(rp_exec_read(exec, 1, "s", 0, s, BYTES, NULL), RP_OK);
        for (uint32_t i = 0; i < W * H; i++) CU_ASSERT_EQUAL(s[i], own ? 3 : 9);
        rp_exec_destroy(exec);
        images_close(device);
    }
    rp_plan_destroy(plan);
}

/* A profile leaves the state as it was; then another plan keeps it, and other images take its place. */
static void test_changes(void) {
    static uint32_t x[W * H], y[W * H], s[W * H];
    rp_plan *one = plan_of(8), *other = plan_of(16);
    device = images_open();
    rp_exec *exec = gpu_exec(device, one, NULL);
    fill(x, 1);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, BYTES, NULL), RP_OK);
    images_replay(exec);
    uint32_t shared = 0; /* of the four transients: what the plan lets share memory does */
    for (uint32_t i = 0; i < rp_plan_count(one, RP_SECTION_BUFFERS); i++)
        shared += exec->slots[0].places[i].storage->shares;
    CU_ASSERT_TRUE(shared >= 2);
    rp_profile *profile = NULL;
    const rp_profile_params params = {.size = sizeof params, .rounds = 2};
    CU_ASSERT_EQUAL(rp_exec_profile(exec, &params, NULL, &profile), RP_OK);
    rp_profile_destroy(profile);
    images_replay(exec);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "s", 0, s, BYTES, NULL), RP_OK);
    for (uint32_t i = 0; i < W * H; i++) CU_ASSERT_EQUAL(s[i], 2);
    rp_update_report report = {.size = sizeof report};
    CU_ASSERT_EQUAL(rp_exec_update(exec, other, &report, NULL), RP_OK);
    CU_ASSERT_EQUAL(report.buffers_kept, 3);
    images_replay(exec);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "s", 0, s, BYTES, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, y, BYTES, NULL), RP_OK);
    for (uint32_t i = 0; i < W * H; i++) CU_ASSERT_EQUAL(s[i], 3);
    CU_ASSERT_EQUAL(count_wrong(y, x, 23), 0);
    rp_exec_destroy(exec);
    images_close(device);
    rp_plan_destroy(one);
    rp_plan_destroy(other);
}

/* ---- The application's images ---------------------------------------------------------------- */

/* The result of one plan, left for a shader to read, is what another one begins with: its barriers of
 * layouts take it from there and back. */
static void test_lent(void) {
    static uint32_t x[W * H], y[W * H];
    const VkImageUsageFlags usage = VK_IMAGE_USAGE_STORAGE_BIT | VK_IMAGE_USAGE_SAMPLED_BIT;
    const VkImageLayout read = VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL;
    rp_plan *plan = plan_of(8);
    device = images_open();
    images_own own = images_make_own(device, W, H, usage);
    rp_storage *made = images_lend(device, &own, usage, VK_IMAGE_LAYOUT_UNDEFINED, read);
    rp_storage *read_again = images_lend(device, &own, usage, read, read);
    const rp_binding y_there = {.buffer = "y", .storage = made};
    const rp_binding x_there = {.buffer = "x", .storage = read_again};
    rp_exec_params params = {
        .size = sizeof params, .cache_path = "", .bindings = &y_there, .binding_count = 1};
    rp_exec *first = gpu_exec(device, plan, &params);
    params.bindings = &x_there;
    rp_exec *second = gpu_exec(device, plan, &params);
    fill(x, 9);
    CU_ASSERT_EQUAL(rp_exec_write(first, 0, "x", 0, x, BYTES, NULL), RP_OK);
    for (int round = 0; round < 2; round++) {
        const rp_submission both[] = {{.exec = first}, {.exec = second}};
        CU_ASSERT_EQUAL(rp_device_submit(device, both, 2, NULL, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(second, 0, UINT64_MAX, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_read(second, 0, "y", 0, y, BYTES, NULL), RP_OK);
        CU_ASSERT_EQUAL(count_wrong(y, x, 30), 0);
    }
    CU_ASSERT_EQUAL(rp_exec_read(first, 0, "y", 0, y, BYTES, NULL), RP_ERROR_USAGE);
    rp_exec_destroy(first);
    rp_exec_destroy(second);
    rp_storage_release(made);
    rp_storage_release(read_again);
    images_drop_own(device, &own);
    images_close(device);
    rp_plan_destroy(plan);
}

/* In GENERAL the host may copy it, and it may be bound anew. */
static void test_bound(void) {
    static uint32_t x[W * H], y[W * H];
    const VkImageUsageFlags usage = VK_IMAGE_USAGE_STORAGE_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
    rp_plan *plan = plan_of(8);
    device = images_open();
    images_own own = images_make_own(device, W, H, usage);
    rp_storage *first =
        images_lend(device, &own, usage, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
    rp_storage *storage =
        images_lend(device, &own, usage, VK_IMAGE_LAYOUT_GENERAL, VK_IMAGE_LAYOUT_GENERAL);
    rp_exec *exec = gpu_exec(device, plan, NULL);
    fill(x, 2);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, BYTES, NULL), RP_OK);
    images_replay(exec);
    rp_binding binding = {.buffer = "y", .storage = first};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, NULL), RP_OK);
    images_replay(exec); /* brings it into GENERAL */
    binding.storage = storage;
    CU_ASSERT_EQUAL(rp_exec_bind(exec, &binding, 1, NULL), RP_OK);
    images_replay(exec);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, y, BYTES, NULL), RP_OK);
    CU_ASSERT_EQUAL(count_wrong(y, x, 15), 0);
    memset(y, 0, BYTES);
    CU_ASSERT_EQUAL(rp_storage_read(storage, 0, y, BYTES, NULL), RP_OK);
    CU_ASSERT_EQUAL(count_wrong(y, x, 15), 0);
    rp_exec_destroy(exec);
    rp_storage_release(first);
    rp_storage_release(storage);
    images_drop_own(device, &own);
    images_close(device);
    rp_plan_destroy(plan);
}

int main(void) {
    static const rp_test tests[] = {{"slots", test_slots},
                                    {"profiles and other plans", test_changes},
                                    {"lent in another layout", test_lent},
                                    {"bound", test_bound},
                                    {0}};
    return rp_run_tests("images and the runtime", tests);
}
