/* Plans between an application's own work on the GPU.
 *
 *   example_embed FOLDER      of smooth.rplan and outline.rplan
 *
 * The application has a Vulkan instance, a device, a queue and buffers of its own. Each frame is
 *
 *   own compute pass  ->  plan "smooth"  ->  plan "outline"  ->  own graphics pass
 *     writes a curve        filters it        makes vertices      draws them into a picture
 *
 * all of it on the GPU: passes and plans hand over by timeline semaphores, the plans to each other by
 * a barrier, and no byte is copied between them, since the plans work in the application's buffers.
 * Up to three frames are in flight. At the end the host looks at every picture.
 *
 * What is Reprise is in this file; vulkan_setup.c and passes.c are plain Vulkan. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <reprise/runtime.h>

#include "passes.h"

enum {
    FRAMES = 30,
    CURVE_BYTES = POINTS * sizeof(float),
    VERTICES_BYTES = 2 * CURVE_BYTES,
    FILTER_BYTES = POINTS * POINTS * sizeof(float),
    /* What a frame has in the buffer of frames. */
    CURVE_AT = 0,
    SMOOTH_AT = CURVE_AT + CURVE_BYTES,
    VERTICES_AT = SMOOTH_AT + CURVE_BYTES,
    FRAME_BYTES = VERTICES_AT + VERTICES_BYTES
};

typedef struct application {
    vulkan vk;
    passes passes;
    buffer frames;                                  /* SLOTS x FRAME_BYTES */
    buffer filter;                                  /* the weights of both plans */
    buffer pictures;                                /* FRAMES of them, for the host */
    VkSemaphore curve_ready, vertices_ready, drawn; /* each counts frames */

    rp_diags *diags;
    rp_plan *smooth_plan, *outline_plan;
    rp_device *device;
    rp_storage *frame_storage, *filter_storage;
    rp_exec *smooth, *outline;
} application;

/* ---- Errors ---------------------------------------------------------------------------------- */

static void check(const application *a, rp_status status) {
    if (status == RP_OK) return;
    for (uint32_t i = 0; i < rp_diags_count(a->diags); i++)
        fprintf(stderr, "embed: %s\n", rp_diags_get(a->diags, i).message);
    fprintf(stderr, "embed: %s: %s\n", rp_status_name(status), rp_status_advice(status));
    exit(1);
}

/* ---- Setting up ------------------------------------------------------------------------------ */

static rp_plan *open_plan(const application *a, const char *folder, const char *file) {
    char path[4096];
    rp_plan *plan;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    check(a, rp_plan_open(NULL, path, a->diags, &plan));
    return plan;
}

/* Whether the device that was chosen can run the plans; then what they need is enabled, beside what
 * the application has in its chain of features for itself. */
static void create_device(application *a) {
    const uint64_t needs = rp_plan_needs(a->smooth_plan) | rp_plan_needs(a->outline_plan);
    const rp_device_import candidate = {
        .size = sizeof candidate,
        .get_instance_proc_addr = (void *)vkGetInstanceProcAddr,
        .instance = a->vk.instance,
        .api_version = VK_API_VERSION_1_3,
        .physical_device = a->vk.physical,
    };
    rp_device_info info = {.size = sizeof info};
    check(a, rp_device_probe(&candidate, a->diags, &info));
    if (!info.suitable || needs & ~info.needs) {
        fprintf(stderr, "embed: %s cannot run the plans\n", info.name);
        exit(1);
    }
    check(a, rp_needs_enable(needs, VK_API_VERSION_1_3, &a->vk.features, a->diags));
    vulkan_create_device(&a->vk);
}

/* The application's device becomes one of Reprise's. */
static void import_device(application *a) {
    const rp_device_import import = {
        .size = sizeof import,
        .get_instance_proc_addr = (void *)vkGetInstanceProcAddr,
        .instance = a->vk.instance,
        .api_version = VK_API_VERSION_1_3,
        .physical_device = a->vk.physical,
        .device = a->vk.device,
        .features = &a->vk.features, /* what VkDeviceCreateInfo.pNext was */
        .debug_utils = 1,            /* VK_EXT_debug_utils is on: names and labels */
        .queue = a->vk.queue,
        .queue_family = a->vk.family,
    };
    const rp_device_params params = {.size = sizeof params, .import = &import};
    check(a, rp_device_create(NULL, &params, a->diags, &a->device));
}

/* So do its buffers: storage is a name for a range of a VkBuffer. */
static rp_storage *import_buffer(application *a, const buffer *b, uint64_t bytes,
                                 const char *name) {
    rp_storage *storage;
    const rp_storage_import import = {
        .size = sizeof import, .buffer = b->handle, .bytes = bytes, .name = name};
    check(a, rp_storage_import_buffer(a->device, &import, a->diags, &storage));
    return storage;
}

static void create_buffers(application *a) {
    const VkBufferUsageFlags plans = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                                     VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                     VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    a->frames = vulkan_buffer(&a->vk, SLOTS * FRAME_BYTES,
                              plans | VK_BUFFER_USAGE_VERTEX_BUFFER_BIT, false);
    a->filter = vulkan_buffer(&a->vk, FILTER_BYTES, plans, false);
    a->pictures =
        vulkan_buffer(&a->vk, FRAMES * PICTURE_BYTES, VK_BUFFER_USAGE_TRANSFER_DST_BIT, true);
    a->frame_storage = import_buffer(a, &a->frames, SLOTS * FRAME_BYTES, "frames");
    a->filter_storage = import_buffer(a, &a->filter, FILTER_BYTES, "filter");
}

/* Each point is a quarter of its neighbours and half of itself. */
static void write_filter(application *a) {
    float *filter = calloc(POINTS * POINTS, sizeof *filter);
    if (!filter) check(a, RP_ERROR_NO_MEMORY);
    for (uint32_t i = 0; i < POINTS; i++) {
        filter[i * POINTS + i] = 0.5f;
        filter[i * POINTS + (i + 1) % POINTS] = 0.25f;
        filter[i * POINTS + (i + POINTS - 1) % POINTS] = 0.25f;
    }
    check(a, rp_storage_write(a->filter_storage, 0, filter, FILTER_BYTES, a->diags));
    free(filter);
}

/* An exec with a slot for each frame in flight. Two of the plan's buffers lie in each frame's part of
 * the application's buffer; the filter is the same memory for all slots of both plans. */
static rp_exec *create_exec(application *a, rp_plan *plan, const char *from, uint64_t from_at,
                            const char *to, uint64_t to_at) {
    const rp_binding bindings[] = {
        {from, a->frame_storage, from_at, RP_ALL_SLOTS, FRAME_BYTES},
        {to, a->frame_storage, to_at, RP_ALL_SLOTS, FRAME_BYTES},
        {"filter", a->filter_storage, 0, RP_ALL_SLOTS, 0},
    };
    rp_exec *exec;
    const rp_exec_params params = {
        .size = sizeof params, .slots = SLOTS, .bindings = bindings, .binding_count = 3};
    check(a, rp_exec_create(a->device, plan, &params, a->diags, &exec));
    rp_plan_destroy(plan); /* the exec keeps it */
    return exec;
}

static void set_up(application *a, const char *folder) {
    a->diags = rp_diags_create(NULL);
    vulkan_open(&a->vk);
    a->smooth_plan = open_plan(a, folder, "smooth.rplan");
    a->outline_plan = open_plan(a, folder, "outline.rplan");
    create_device(a);
    import_device(a);
    create_buffers(a);
    write_filter(a);
    a->smooth = create_exec(a, a->smooth_plan, "curve", CURVE_AT, "smooth", SMOOTH_AT);
    a->outline = create_exec(a, a->outline_plan, "smooth", SMOOTH_AT, "vertices", VERTICES_AT);
    passes_create(&a->passes, &a->vk, a->frames.handle, CURVE_BYTES);
    a->curve_ready = vulkan_timeline(&a->vk);
    a->vertices_ready = vulkan_timeline(&a->vk);
    a->drawn = vulkan_timeline(&a->vk);
}

/* ---- A frame --------------------------------------------------------------------------------- */

static float gain_of(uint32_t frame) {
    return (float)(frame % 4) * 0.5f;
}

static void draw_frame(application *a, uint32_t frame) {
    const uint32_t slot = frame % SLOTS;
    const uint64_t at = (uint64_t)slot * FRAME_BYTES, number = frame + 1;

    /* The slot's last frame is done: the only wait of the host. */
    if (frame >= SLOTS) vulkan_wait(&a->vk, a->drawn, number - SLOTS);

    const moment curve = {a->curve_ready, number, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT};
    VkCommandBuffer wave = passes_wave(&a->passes, slot, frame, at + CURVE_AT);
    vulkan_submit(&a->vk, wave, NULL, &curve);

    const float gain = gain_of(frame);
    check(a, rp_exec_set_live(a->outline, slot, "gain", 0, &gain, 1, a->diags));

    /* Both plans in one batch of one vkQueueSubmit2; the barrier between them is Reprise's. */
    const rp_semaphore wait = {a->curve_ready, number, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT};
    const rp_semaphore signal = {a->vertices_ready, number, 0};
    const rp_submit_params smooth = {
        .size = sizeof smooth, .slot = slot, .waits = &wait, .wait_count = 1};
    const rp_submit_params outline = {
        .size = sizeof outline, .slot = slot, .signals = &signal, .signal_count = 1};
    const rp_submission plans[] = {{a->smooth, &smooth, 0}, {a->outline, &outline, .join = 1}};
    check(a, rp_device_submit(a->device, plans, 2, a->diags, NULL));

    const moment vertices = {a->vertices_ready, number,
                             VK_PIPELINE_STAGE_2_VERTEX_ATTRIBUTE_INPUT_BIT};
    const moment drawn = {a->drawn, number, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    VkCommandBuffer draw = passes_draw(&a->passes, slot, a->frames.handle, at + VERTICES_AT,
                                       a->pictures.handle, (VkDeviceSize)frame * PICTURE_BYTES);
    vulkan_submit(&a->vk, draw, &vertices, &drawn);
}

/* ---- Judging --------------------------------------------------------------------------------- */

static void filter(const float *x, float *y) {
    for (uint32_t i = 0; i < POINTS; i++)
        y[i] = 0.5f * x[i] + 0.25f * (x[(i + 1) % POINTS] + x[(i + POINTS - 1) % POINTS]);
}

/* The row of each point, computed by the host. All values are small multiples of a power of two, so
 * that float computes them exactly, in whatever order. */
static void expected_rows(uint32_t frame, int rows[POINTS]) {
    float curve[POINTS], once[POINTS], smooth[POINTS], wide[POINTS];
    for (uint32_t i = 0; i < POINTS; i++) {
        int wave = abs((int)((i + 5 * frame) % 64) - 32), noise = (int)((7 * i + frame) % 5) - 2;
        curve[i] = (float)wave / 16 - 1 + (float)noise / 8;
    }
    filter(curve, once);
    filter(once, smooth);
    filter(smooth, wide);
    for (uint32_t i = 0; i < POINTS; i++)
        rows[i] =
            HEIGHT / 2 + (int)rintf(20 * (smooth[i] + gain_of(frame) * (smooth[i] - wide[i])));
}

/* Whether a picture has one bright pixel in each column, in the right row. */
static bool is_right(const unsigned char *picture, uint32_t frame) {
    int rows[POINTS];
    uint32_t wrong = 0;
    expected_rows(frame, rows);
    for (int row = 0; row < HEIGHT; row++)
        for (int column = 0; column < WIDTH; column++)
            wrong += picture[row * WIDTH + column] != (row == rows[column] ? 255 : 0);
    if (wrong) fprintf(stderr, "embed: %u pixels of frame %u are wrong\n", wrong, frame);
    return wrong == 0;
}

static void tear_down(application *a) {
    VK(vkDeviceWaitIdle(a->vk.device)); /* before semaphores are destroyed */
    rp_exec_destroy(a->smooth);
    rp_exec_destroy(a->outline);
    rp_storage_release(a->frame_storage);
    rp_storage_release(a->filter_storage);
    check(a, rp_device_destroy(a->device, a->diags));
    rp_diags_destroy(a->diags);
    passes_destroy(&a->passes, &a->vk);
    vkDestroySemaphore(a->vk.device, a->curve_ready, NULL);
    vkDestroySemaphore(a->vk.device, a->vertices_ready, NULL);
    vkDestroySemaphore(a->vk.device, a->drawn, NULL);
    vulkan_buffer_destroy(&a->vk, &a->frames);
    vulkan_buffer_destroy(&a->vk, &a->filter);
    vulkan_buffer_destroy(&a->vk, &a->pictures);
    vulkan_close(&a->vk);
}

int main(int argc, char **argv) {
    static application a;
    uint32_t right = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: example_embed FOLDER\n");
        return 2;
    }
    set_up(&a, argv[1]);
    for (uint32_t frame = 0; frame < FRAMES; frame++) draw_frame(&a, frame);
    vulkan_wait(&a.vk, a.drawn, FRAMES);
    for (uint32_t frame = 0; frame < FRAMES; frame++)
        right += is_right((unsigned char *)a.pictures.mapped + frame * PICTURE_BYTES, frame);
    tear_down(&a);
    printf("%u of %u pictures are right, %u validation messages\n", right, FRAMES, a.vk.messages);
    return right == FRAMES && a.vk.messages == 0 ? 0 : 1;
}
