/* Work that differs from frame to frame, encoded at once into the application's own command buffer.
 *
 *   example_direct
 *
 * A pond of water is a row of heights. In each frame some drops fall, somewhere, and the waves go on
 * for some steps; how many of either only the frame knows. A graph compiled ahead of time would have to
 * be compiled anew each time, so encode() below is given a recorder of direct mode: its calls become
 * dispatches as they are made, with a barrier where one is needed. Drops in different parts of the
 * pond fall side by side, each step waits for the one before.
 *
 * Before and behind are commands of the application's own: it says what it has open, and hears what
 * is. Two frames are in flight. The host computes the same waves and compares every frame; and the
 * first frame is run once more as a graph, made by the very same function.
 *
 * The Vulkan program around it is that of examples/embed (vulkan_setup.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <reprise/direct.h>
#include <reprise/runtime.h>

#include "../embed/vulkan_setup.h"

enum {
    FRAMES = 40,
    IN_FLIGHT = 2,
    PARTS = 16, /* of the pond, 64 heights each */
    PART_BYTES = 64 * sizeof(uint32_t),
    POND_BYTES = PARTS * PART_BYTES,
    POINTS = PARTS * 64
};

/* One wave: where a point goes next follows from its neighbours, and from where it was last. */
static const char step_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 64) in;\n"
    "layout(binding = 0) readonly buffer Now { uint v[]; } now;\n"
    "layout(binding = 1) buffer Next { uint v[]; } next; /* is the last one when it begins */\n"
    "void main() {\n"
    "    uint i = gl_GlobalInvocationID.x, n = now.v.length();\n"
    "    next.v[i] = now.v[(i + n - 1) % n] + now.v[(i + 1) % n] - next.v[i];\n"
    "}\n";

static const char drop_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 64) in;\n"
    "layout(binding = 0) buffer Part { uint v[]; } part;\n"
    "layout(push_constant) uniform Push { uint depth; };\n"
    "void main() { part.v[gl_GlobalInvocationID.x] += depth * gl_LocalInvocationIndex; }\n";

/* What a frame has to do. */
typedef struct work {
    uint32_t drops, steps;
    struct {
        uint32_t part, depth;
    } drop[8];
} work;

/* The frame begins with heights[now] on top of heights[1 - now]. */
typedef struct pond {
    rp_program *program;
    rp_kernel step, drop;
    rp_buffer heights[2];
} pond;

/* Returns which of the two is the pond when the work is done. */
static uint32_t encode(rp_recorder *r, const pond *p, const work *w, uint32_t now) {
    rp_label_begin(r, "drops");
    rp_bind_kernel(r, p->drop);
    for (uint32_t i = 0; i < w->drops; i++) {
        rp_bind(r, 0, (rp_range){p->heights[now], w->drop[i].part * PART_BYTES, PART_BYTES});
        rp_push(r, 0, &w->drop[i].depth, sizeof w->drop[i].depth);
        rp_dispatch(r, 1, 1, 1);
    }
    rp_label_end(r);
    rp_label_begin(r, "waves");
    rp_bind_kernel(r, p->step);
    for (uint32_t i = 0; i < w->steps; i++, now = 1 - now) {
        rp_bind(r, 0, (rp_range){p->heights[now]});
        rp_bind(r, 1, (rp_range){p->heights[1 - now]});
        rp_dispatch(r, PARTS, 1, 1);
    }
    rp_label_end(r);
    return now;
}

/* ---- The application ------------------------------------------------------------------------- */

typedef struct application {
    vulkan vk;
    buffer water;    /* the two ponds; the application's own memory */
    buffer pictures; /* one for each frame in flight, for the host */
    VkSemaphore done;
    VkCommandPool pool;
    VkCommandBuffer commands[IN_FLIGHT];

    rp_diags *diags;
    rp_device *device;
    rp_storage *water_storage;
    pond pond;
    rp_direct *direct;
    rp_encoder_report reports[IN_FLIGHT];

    uint32_t now;                      /* which of the two is the pond */
    uint32_t expected[2][POINTS];      /* what the host computed */
    uint32_t shown[IN_FLIGHT][POINTS]; /* of it, when the frame was encoded */
    uint32_t wrong, barriers, elided;
} application;

static void check(const application *a, rp_status status) {
    if (status == RP_OK) return;
    for (uint32_t i = 0; i < rp_diags_count(a->diags); i++)
        fprintf(stderr, "direct: %s\n", rp_diags_get(a->diags, i).message);
    fprintf(stderr, "direct: %s: %s\n", rp_status_name(status), rp_status_advice(status));
    exit(1);
}

static void create_pond(application *a) {
    pond *p = &a->pond;
    check(a, rp_program_create(NULL, "pond", &p->program));
    for (uint32_t i = 0; i < 2; i++) {
        const rp_buffer_params heights = {.size = sizeof heights,
                                          .name = i ? "odd" : "even",
                                          .kind = RP_INOUT,
                                          .dtype = RP_U32,
                                          .rank = 1,
                                          .shape = {POINTS}};
        check(a, rp_program_buffer(p->program, &heights, a->diags, &p->heights[i]));
    }
    const rp_kernel_params step = {.size = sizeof step, .name = "step", .glsl = step_glsl};
    const rp_kernel_params drop = {.size = sizeof drop, .name = "drop", .glsl = drop_glsl};
    check(a, rp_program_kernel(p->program, &step, a->diags, &p->step));
    check(a, rp_program_kernel(p->program, &drop, a->diags, &p->drop));
}

/* The application's device and buffer become those of Reprise. */
static void create_direct(application *a) {
    const rp_device_import import = {
        .size = sizeof import,
        .get_instance_proc_addr = (void *)vkGetInstanceProcAddr,
        .instance = a->vk.instance,
        .api_version = VK_API_VERSION_1_3,
        .physical_device = a->vk.physical,
        .device = a->vk.device,
        .features = &a->vk.features,
        .debug_utils = 1,
        .queue = a->vk.queue,
        .queue_family = a->vk.family,
    };
    const rp_device_params params = {.size = sizeof params, .import = &import};
    check(a, rp_device_create(NULL, &params, a->diags, &a->device));
    const rp_storage_import water = {
        .size = sizeof water, .buffer = a->water.handle, .bytes = 2 * POND_BYTES, .name = "water"};
    check(a, rp_storage_import_buffer(a->device, &water, a->diags, &a->water_storage));
    check(a, rp_direct_create(a->pond.program, a->device, NULL, a->diags, &a->direct));
    for (uint32_t i = 0; i < 2; i++)
        check(a, rp_direct_bind(a->direct, a->pond.heights[i], a->water_storage, i * POND_BYTES,
                                a->diags));
}

static void create_commands(application *a) {
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                          .queueFamilyIndex = a->vk.family};
    VK(vkCreateCommandPool(a->vk.device, &pool, NULL, &a->pool));
    const VkCommandBufferAllocateInfo commands = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = a->pool,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = IN_FLIGHT};
    VK(vkAllocateCommandBuffers(a->vk.device, &commands, a->commands));
}

static void set_up(application *a) {
    const VkBufferUsageFlags water = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                                     VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                     VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    a->diags = rp_diags_create(NULL);
    vulkan_open(&a->vk);
    vulkan_create_device(&a->vk);
    a->water = vulkan_buffer(&a->vk, 2 * POND_BYTES, water, false);
    a->pictures =
        vulkan_buffer(&a->vk, IN_FLIGHT * POND_BYTES, VK_BUFFER_USAGE_TRANSFER_DST_BIT, true);
    a->done = vulkan_timeline(&a->vk);
    create_commands(a);
    create_pond(a);
    create_direct(a);
}

static void tear_down(application *a) {
    rp_direct_destroy(a->direct);
    rp_program_destroy(a->pond.program);
    rp_storage_release(a->water_storage);
    check(a, rp_device_destroy(a->device, a->diags));
    vkDestroyCommandPool(a->vk.device, a->pool, NULL);
    vkDestroySemaphore(a->vk.device, a->done, NULL);
    vulkan_buffer_destroy(&a->vk, &a->water);
    vulkan_buffer_destroy(&a->vk, &a->pictures);
    vulkan_close(&a->vk);
    rp_diags_destroy(a->diags);
}

/* ---- The same on the host -------------------------------------------------------------------- */

static work invent(uint32_t frame) {
    uint32_t random = frame * 2654435761u + 12345;
    work w = {.drops = random >> 7 & 7, .steps = 1 + (random >> 13 & 3)};
    for (uint32_t i = 0; i < w.drops; i++) {
        random = random * 1664525u + 1013904223u;
        w.drop[i].part = random >> 28;
        w.drop[i].depth = random >> 20 & 15;
    }
    return w;
}

static void follow(application *a, const work *w) {
    uint32_t now = a->now;
    for (uint32_t i = 0; i < w->drops; i++)
        for (uint32_t j = 0; j < 64; j++)
            a->expected[now][w->drop[i].part * 64 + j] += w->drop[i].depth * j;
    for (uint32_t s = 0; s < w->steps; s++, now = 1 - now)
        for (uint32_t i = 0; i < POINTS; i++)
            a->expected[1 - now][i] = a->expected[now][(i + POINTS - 1) % POINTS] +
                                      a->expected[now][(i + 1) % POINTS] - a->expected[1 - now][i];
}

/* ---- A frame --------------------------------------------------------------------------------- */

static void wait_in_commands(VkCommandBuffer commands, VkPipelineStageFlags2 stages,
                             VkAccessFlags2 access, VkPipelineStageFlags2 to_stages,
                             VkAccessFlags2 to_access) {
    const VkMemoryBarrier2 memory = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                     .srcStageMask = stages,
                                     .srcAccessMask = access,
                                     .dstStageMask = to_stages,
                                     .dstAccessMask = to_access};
    const VkDependencyInfo info = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                   .memoryBarrierCount = 1,
                                   .pMemoryBarriers = &memory};
    vkCmdPipelineBarrier2(commands, &info);
}

/* The copy of the frame before, and before the first one a fill: these are open when it begins. */
static void begin_commands(const application *a, VkCommandBuffer commands, uint32_t frame) {
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    VK(vkBeginCommandBuffer(commands, &begin));
    if (frame == 0) vkCmdFillBuffer(commands, a->water.handle, 0, VK_WHOLE_SIZE, 0);
}

static void encode_frame(application *a, uint32_t frame) {
    uint32_t slot = frame % IN_FLIGHT;
    VkCommandBuffer commands = a->commands[slot];
    const work w = invent(frame);
    begin_commands(a, commands, frame);

    const rp_encoder_begin_params open = {.size = sizeof open,
                                          .open_stages = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
                                          .open_access = VK_ACCESS_2_TRANSFER_WRITE_BIT};
    rp_encoder_report *report = &a->reports[slot];
    rp_recorder *recorder;
    report->size = sizeof *report;
    check(a, rp_direct_begin(a->direct, commands, &open, a->diags, &recorder));
    uint32_t now = encode(recorder, &a->pond, &w, a->now);
    check(a, rp_direct_end(a->direct, report));

    wait_in_commands(commands, report->open_stages, report->open_access,
                     VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT, VK_ACCESS_2_TRANSFER_READ_BIT);
    const VkBufferCopy picture = {now * POND_BYTES, slot * POND_BYTES, POND_BYTES};
    vkCmdCopyBuffer(commands, a->water.handle, a->pictures.handle, 1, &picture);
    wait_in_commands(commands, VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT, VK_ACCESS_2_TRANSFER_WRITE_BIT,
                     VK_PIPELINE_STAGE_2_HOST_BIT, VK_ACCESS_2_HOST_READ_BIT);
    VK(vkEndCommandBuffer(commands));

    follow(a, &w);
    memcpy(a->shown[slot], a->expected[now], POND_BYTES);
    a->now = now;
    for (uint32_t i = 0; i < RP_HAZARD_KINDS; i++) {
        a->barriers += report->emitted[i];
        a->elided += report->elided[i];
    }
}

/* The frame that had the slot before is done: its picture is looked at, its descriptor sets are free. */
static void finish_frame(application *a, uint32_t frame) {
    uint32_t slot = frame % IN_FLIGHT;
    vulkan_wait(&a->vk, a->done, frame + 1);
    rp_direct_done(a->direct, a->reports[slot].number);
    const char *picture = (const char *)a->pictures.mapped + slot * POND_BYTES;
    a->wrong += memcmp(picture, a->shown[slot], POND_BYTES) != 0;
}

static void run(application *a) {
    for (uint32_t frame = 0; frame < FRAMES; frame++) {
        if (frame >= IN_FLIGHT) finish_frame(a, frame - IN_FLIGHT);
        encode_frame(a, frame);
        /* Frames follow each other on the queue; the copy of one and the waves of the next are
         * ordered by what was said to be open. */
        const moment signal = {a->done, frame + 1, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
        vulkan_submit(&a->vk, a->commands[frame % IN_FLIGHT], NULL, &signal);
    }
    for (uint32_t frame = FRAMES - IN_FLIGHT; frame < FRAMES; frame++) finish_frame(a, frame);
}

/* ---- The same function as a graph ------------------------------------------------------------ */

static void run_as_graph(application *a) {
    const work w = invent(0);
    rp_recorder *recorder;
    rp_graph *graph;
    rp_plan *plan;
    rp_exec *exec;
    uint32_t result[POINTS];
    check(a, rp_recorder_create(a->pond.program, &recorder));
    uint32_t now = encode(recorder, &a->pond, &w, 0);
    check(a, rp_program_graph(a->pond.program, &recorder, 1, a->diags, &graph));
    check(a, rp_compile(graph, NULL, a->diags, &plan, NULL));
    check(a, rp_exec_create(a->device, plan, NULL, a->diags, &exec));
    check(a, rp_exec_submit(exec, NULL, a->diags, NULL));
    check(a, rp_exec_wait(exec, 0, UINT64_MAX, a->diags));
    check(a, rp_exec_read(exec, 0, now ? "odd" : "even", 0, result, POND_BYTES, a->diags));
    memset(a->expected, 0, sizeof a->expected);
    a->now = 0;
    follow(a, &w);
    a->wrong += memcmp(result, a->expected[now], POND_BYTES) != 0;
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    rp_graph_destroy(graph);
    rp_recorder_destroy(recorder);
}

int main(void) {
    static application a;
    set_up(&a);
    run(&a);
    run_as_graph(&a);
    printf("%d frames, %u barriers, %u that stood there anyway\n", FRAMES, a.barriers, a.elided);
    uint32_t messages = a.vk.messages, wrong = a.wrong;
    tear_down(&a);
    if (wrong) fprintf(stderr, "direct: %u frames are wrong\n", wrong);
    return wrong || messages ? 1 : 0;
}
