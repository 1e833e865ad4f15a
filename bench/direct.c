/* What direct mode costs the CPU, against the same commands written by hand.
 *
 *   bench_direct [DISPATCHES] [REPEATS]
 *
 * Four streams of DISPATCHES (default 1000) tiny dispatches are encoded into a command buffer of the
 * benchmark's own VkDevice, REPEATS (default 400) times each way in turn:
 *
 *   by hand      vkCmdBindPipeline, vkCmdBindDescriptorSets, vkCmdPushConstants, vkCmdDispatch,
 *                vkCmdPipelineBarrier2, each where it is needed and nowhere else, with descriptor
 *                sets that were written before
 *   with sets    the same, and what work that differs needs as well: a set is taken from a pool and
 *                written wherever the ranges are not those of the dispatch before
 *   encoder      rp_encoder_set_kernel to rp_encoder_dispatch, which finds out what is needed
 *   direct mode  the calls of a recorder, rp_bind_kernel to rp_dispatch
 *
 * All ways write the same commands; the benchmark counts barriers and descriptor sets and says
 * so when they differ. Nothing is submitted. Times are CPU time of the thread for a dispatch with all
 * that belongs to it; medians over all rounds, and the ratio to what is written by hand. */
#define VOLK_IMPLEMENTATION
#include <volk.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <reprise/direct.h>
#include <reprise/runtime.h>

#include "statistics.h"

enum { PIECE = 256, KERNELS = 2, WARM_UP = 5 };

typedef struct bench {
    uint32_t dispatches, repeats;
    VkInstance instance;
    VkPhysicalDevice physical;
    VkDevice device;
    VkQueue queue;
    uint32_t family;
    VkCommandPool pool;
    VkCommandBuffer commands;
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkPipeline pipelines[KERNELS];
    VkDescriptorPool set_pool, frame_pool;
    VkDescriptorSet *sets; /* by dispatch of the stream, of set_pool */
    VkBuffer handles[2];

    rp_diags *diags;
    rp_device *rp;
    rp_storage *storage[2];
    rp_program *program;
    rp_buffer buffers[2];
    rp_kernel kernels[KERNELS];
    rp_direct *direct;
    rp_encoder *encoder;
} bench;

static void fail(const bench *b, const char *what, long long code) {
    for (uint32_t i = 0; i < rp_diags_count(b->diags); i++)
        fprintf(stderr, "bench_direct: %s\n", rp_diags_get(b->diags, i).message);
    fprintf(stderr, "bench_direct: %s: %lld\n", what, code);
    exit(1);
}

#define TRY(call)                                                                                  \
    do {                                                                                           \
        long long result = (long long)(call);                                                      \
        if (result != 0) fail(b, #call, result);                                                   \
    } while (0)

/* ---- What is dispatched ---------------------------------------------------------------------- */

/* Kernels read a range of one buffer and write a range of the other, or of the same. */
static const char shader[] = "#version 450\n"
                             "layout(local_size_x = 64) in;\n"
                             "layout(binding = 0) readonly buffer A { uint v[]; } a;\n"
                             "layout(binding = 1) buffer B { uint v[]; } b;\n"
                             "layout(push_constant) uniform Push { uint add, scale; };\n"
                             "void main() {\n"
                             "    uint i = gl_GlobalInvocationID.x;\n"
                             "    b.v[i] = b.v[i] * FACTOR + a.v[i] * scale + add;\n"
                             "}\n";

/* Dispatch i of a stream: kernel, and pieces of buffer 0 and 1. */
typedef struct work {
    uint32_t kernel, from, to; /* pieces; of buffer from_buffer and the other one */
    uint32_t from_buffer;
    int barrier; /* by hand: before it */
} work;

/* Each reads what the one before it wrote. */
static work chain(uint32_t i) {
    return (work){.kernel = i % KERNELS, .from_buffer = i % 2, .barrier = i > 0};
}

/* Each works on bytes of its own. */
static work independent(uint32_t i) {
    return (work){.kernel = 0, .from = i, .to = i};
}

/* Groups of eight that do not touch each other, and work on what the last group wrote. */
static work layers(uint32_t i) {
    uint32_t piece = i % 8;
    return (work){.kernel = i / 8 % KERNELS,
                  .from = piece,
                  .to = (piece + 1) % 8,
                  .from_buffer = i / 8 % 2,
                  .barrier = i >= 8 && piece == 0};
}

/* The same dispatch again and again: only the barrier and the push constants change. */
static work repeated(uint32_t i) {
    return (work){.barrier = i > 0};
}

static const struct stream {
    const char *name;
    work (*at)(uint32_t i);
    uint32_t push; /* push constants change every so many dispatches */
} streams[] = {
    {"chain", chain, 1},
    {"independent", independent, 1},
    {"layers of 8", layers, 1},
    {"repeated", repeated, 1},
};
enum { STREAMS = sizeof streams / sizeof *streams };

/* ---- By hand --------------------------------------------------------------------------------- */

static VkDescriptorSet make_set(bench *b, VkDescriptorPool pool, const work *w) {
    VkDescriptorSet made;
    const VkDescriptorSetAllocateInfo set = {.sType =
                                                 VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                             .descriptorPool = pool,
                                             .descriptorSetCount = 1,
                                             .pSetLayouts = &b->set_layout};
    TRY(vkAllocateDescriptorSets(b->device, &set, &made));
    const VkDescriptorBufferInfo ranges[2] = {
        {b->handles[w->from_buffer], (uint64_t)w->from * PIECE, PIECE},
        {b->handles[1 - w->from_buffer], (uint64_t)w->to * PIECE, PIECE}};
    const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                        .dstSet = made,
                                        .descriptorCount = 2,
                                        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                        .pBufferInfo = ranges};
    vkUpdateDescriptorSets(b->device, 1, &write, 0, NULL);
    return made;
}

static bool same_ranges(const work *v, const work *w) {
    return v->from == w->from && v->to == w->to && v->from_buffer == w->from_buffer;
}

static inline void encode_by_hand(bench *b, const struct stream *s, bool with_sets) {
    const VkMemoryBarrier2 memory = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                     .srcStageMask = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT,
                                     .srcAccessMask = VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT,
                                     .dstStageMask = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT,
                                     .dstAccessMask = VK_ACCESS_2_SHADER_STORAGE_READ_BIT |
                                                      VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT};
    const VkDependencyInfo barrier = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                      .memoryBarrierCount = 1,
                                      .pMemoryBarriers = &memory};
    VkPipeline bound = VK_NULL_HANDLE;
    VkDescriptorSet bound_set = VK_NULL_HANDLE;
    work before = {0};
    if (with_sets) TRY(vkResetDescriptorPool(b->device, b->frame_pool, 0));
    for (uint32_t i = 0; i < b->dispatches; i++) {
        const work w = s->at(i);
        const uint32_t push[2] = {i / s->push, 3};
        VkDescriptorSet set = b->sets[i];
        if (with_sets)
            set = i && same_ranges(&before, &w) ? bound_set : make_set(b, b->frame_pool, &w);
        before = w;
        if (w.barrier) vkCmdPipelineBarrier2(b->commands, &barrier);
        if (b->pipelines[w.kernel] != bound) {
            bound = b->pipelines[w.kernel];
            vkCmdBindPipeline(b->commands, VK_PIPELINE_BIND_POINT_COMPUTE, bound);
        }
        if (set != bound_set) {
            bound_set = set;
            vkCmdBindDescriptorSets(b->commands, VK_PIPELINE_BIND_POINT_COMPUTE, b->layout, 0, 1,
                                    &set, 0, NULL);
        }
        vkCmdPushConstants(b->commands, b->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push,
                           push);
        vkCmdDispatch(b->commands, 1, 1, 1);
    }
}

static void by_hand(bench *b, const struct stream *s) {
    encode_by_hand(b, s, false);
}

static void by_hand_with_sets(bench *b, const struct stream *s) {
    encode_by_hand(b, s, true);
}

/* ---- By Reprise ------------------------------------------------------------------------------ */

static rp_encoder_report last;

static void by_encoder(bench *b, const struct stream *s) {
    uint32_t kernel = UINT32_MAX;
    rp_encoder *e = b->encoder;
    TRY(rp_encoder_begin(e, b->commands, NULL, b->diags));
    for (uint32_t i = 0; i < b->dispatches; i++) {
        const work w = s->at(i);
        const uint32_t push[2] = {i / s->push, 3};
        if (w.kernel != kernel) (void)rp_encoder_set_kernel(e, kernel = w.kernel);
        (void)rp_encoder_set_range(e, 0, w.from_buffer, (uint64_t)w.from * PIECE, PIECE);
        (void)rp_encoder_set_range(e, 1, 1 - w.from_buffer, (uint64_t)w.to * PIECE, PIECE);
        (void)rp_encoder_push(e, 0, push, sizeof push);
        (void)rp_encoder_dispatch(e, 1, 1, 1);
    }
    last.size = sizeof last;
    TRY(rp_encoder_end(e, &last));
}

static void encode(rp_recorder *r, const bench *b, const struct stream *s) {
    uint32_t kernel = UINT32_MAX;
    for (uint32_t i = 0; i < b->dispatches; i++) {
        const work w = s->at(i);
        const uint32_t push[2] = {i / s->push, 3};
        if (w.kernel != kernel) rp_bind_kernel(r, b->kernels[kernel = w.kernel]);
        rp_bind(r, 0, (rp_range){b->buffers[w.from_buffer], (uint64_t)w.from * PIECE, PIECE});
        rp_bind(r, 1, (rp_range){b->buffers[1 - w.from_buffer], (uint64_t)w.to * PIECE, PIECE});
        rp_push(r, 0, push, sizeof push);
        rp_dispatch(r, 1, 1, 1);
    }
}

static void by_direct(bench *b, const struct stream *s) {
    rp_recorder *recorder;
    TRY(rp_direct_begin(b->direct, b->commands, NULL, b->diags, &recorder));
    encode(recorder, b, s);
    last.size = sizeof last;
    TRY(rp_direct_end(b->direct, &last));
}

static VkDescriptorPool create_pool(bench *b) {
    VkDescriptorPool made;
    const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 2 * b->dispatches};
    const VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .maxSets = b->dispatches,
                                             .poolSizeCount = 1,
                                             .pPoolSizes = &size};
    TRY(vkCreateDescriptorPool(b->device, &pool, NULL, &made));
    return made;
}

/* The sets that a stream binds by hand, written before it is measured; one for equal ranges. */
static void create_sets(bench *b, const struct stream *s) {
    b->set_pool = create_pool(b);
    b->frame_pool = create_pool(b);
    for (uint32_t i = 0; i < b->dispatches; i++) {
        const work w = s->at(i);
        uint32_t same = 0;
        for (work o = s->at(0); same < i && !same_ranges(&o, &w);) o = s->at(++same);
        b->sets[i] = same < i ? b->sets[same] : make_set(b, b->set_pool, &w);
    }
}

static const struct way {
    const char *name;
    void (*encode)(bench *b, const struct stream *s);
} ways[] = {{"by hand", by_hand},
            {"with sets", by_hand_with_sets},
            {"encoder", by_encoder},
            {"direct mode", by_direct}};
enum { WAYS = sizeof ways / sizeof *ways, ENCODER = 2 };

static void check_report(bench *b, const struct stream *s, const char *way) {
    uint32_t barriers = 0, emitted = 0;
    for (uint32_t i = 0; i < b->dispatches; i++) barriers += s->at(i).barrier != 0;
    for (uint32_t i = 0; i < RP_HAZARD_KINDS; i++) emitted += last.emitted[i];
    if (emitted != barriers || last.sets_written)
        printf("%s, %s: %u barriers, by hand %u; %u descriptor sets written\n", s->name, way,
               emitted, barriers, last.sets_written);
}

static void measure(bench *b, const struct stream *s) {
    double *seconds[WAYS];
    create_sets(b, s);
    for (uint32_t w = 0; w < WAYS; w++) seconds[w] = calloc(b->repeats, sizeof **seconds);
    for (uint32_t round = 0; round < b->repeats + WARM_UP; round++)
        for (uint32_t w = 0; w < WAYS; w++) {
            const VkCommandBufferBeginInfo begin = {
                .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
            TRY(vkBeginCommandBuffer(b->commands, &begin));
            double start = thread_seconds();
            ways[w].encode(b, s);
            double taken = thread_seconds() - start;
            TRY(vkEndCommandBuffer(b->commands));
            if (round >= WARM_UP) seconds[w][round - WARM_UP] = taken;
            if (round == WARM_UP && w >= ENCODER) check_report(b, s, ways[w].name);
        }
    double base = 0;
    for (uint32_t w = 0; w < WAYS; w++) {
        double each = median(seconds[w], b->repeats) / b->dispatches;
        if (w == 0) base = each;
        printf("%-12s %-12s %7.0f ns a dispatch (%.2fx)\n", s->name, ways[w].name, each * 1e9,
               each / base);
        free(seconds[w]);
    }
    vkDestroyDescriptorPool(b->device, b->set_pool, NULL);
    vkDestroyDescriptorPool(b->device, b->frame_pool, NULL);
}

/* ---- Setting up ------------------------------------------------------------------------------ */

static VkPhysicalDeviceVulkan13Features features13 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES, .synchronization2 = VK_TRUE};
static VkPhysicalDeviceVulkan12Features features12 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
    .pNext = &features13,
    .timelineSemaphore = VK_TRUE};

static void open_device(bench *b) {
    const VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                   .apiVersion = VK_API_VERSION_1_3};
    const VkInstanceCreateInfo instance = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                           .pApplicationInfo = &app};
    VkPhysicalDevice devices[8];
    uint32_t count = 8;
    TRY(volkInitialize());
    TRY(vkCreateInstance(&instance, NULL, &b->instance));
    volkLoadInstance(b->instance);
    VkResult listed = vkEnumeratePhysicalDevices(b->instance, &count, devices);
    if ((listed != VK_SUCCESS && listed != VK_INCOMPLETE) || count == 0) fail(b, "devices", listed);
    VkPhysicalDeviceProperties p = {0};
    for (uint32_t i = count; i--;) { /* a GPU before software */
        vkGetPhysicalDeviceProperties(devices[i], &p);
        if (i == count - 1 || p.deviceType != VK_PHYSICAL_DEVICE_TYPE_CPU) b->physical = devices[i];
    }
    vkGetPhysicalDeviceProperties(b->physical, &p);
    printf("%s\n", p.deviceName);
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const VkDeviceCreateInfo device = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                       .pNext = &features12,
                                       .queueCreateInfoCount = 1,
                                       .pQueueCreateInfos = &queue};
    TRY(vkCreateDevice(b->physical, &device, NULL, &b->device));
    volkLoadDevice(b->device);
    vkGetDeviceQueue(b->device, 0, 0, &b->queue);
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT};
    TRY(vkCreateCommandPool(b->device, &pool, NULL, &b->pool));
    const VkCommandBufferAllocateInfo commands = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = b->pool,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = 1};
    TRY(vkAllocateCommandBuffers(b->device, &commands, &b->commands));
}

static void create_program(bench *b) {
    const rp_device_import import = {.size = sizeof import,
                                     .get_instance_proc_addr = (void *)vkGetInstanceProcAddr,
                                     .instance = b->instance,
                                     .api_version = VK_API_VERSION_1_3,
                                     .physical_device = b->physical,
                                     .device = b->device,
                                     .features = &features12,
                                     .queue = b->queue};
    const rp_device_params params = {.size = sizeof params, .import = &import};
    TRY(rp_device_create(NULL, &params, b->diags, &b->rp));
    TRY(rp_program_create(NULL, "direct", &b->program));
    for (uint32_t i = 0; i < 2; i++) {
        const rp_storage_params storage = {.size = sizeof storage,
                                           .bytes = (uint64_t)b->dispatches * PIECE};
        const rp_buffer_params buffer = {.size = sizeof buffer,
                                         .name = i ? "b" : "a",
                                         .kind = RP_INOUT,
                                         .bytes = (uint64_t)b->dispatches * PIECE};
        rp_storage_info info = {.size = sizeof info};
        TRY(rp_storage_create(b->rp, &storage, b->diags, &b->storage[i]));
        TRY(rp_storage_get_info(b->storage[i], &info));
        b->handles[i] = (VkBuffer)info.buffer;
        TRY(rp_program_buffer(b->program, &buffer, b->diags, &b->buffers[i]));
    }
    static const char *const ops[KERNELS] = {"FACTOR=5", "FACTOR=7"};
    for (uint32_t i = 0; i < KERNELS; i++) {
        const rp_kernel_params kernel = {.size = sizeof kernel,
                                         .name = i ? "second" : "first",
                                         .glsl = shader,
                                         .defines = &ops[i],
                                         .define_count = 1};
        TRY(rp_program_kernel(b->program, &kernel, b->diags, &b->kernels[i]));
    }
    TRY(rp_direct_create(b->program, b->rp, NULL, b->diags, &b->direct));
    for (uint32_t i = 0; i < 2; i++)
        TRY(rp_direct_bind(b->direct, b->buffers[i], b->storage[i], 0, b->diags));
}

/* The kernels' SPIR-V is that of a plan which runs them. */
static rp_plan *compile(bench *b) {
    rp_recorder *recorder;
    rp_graph *graph;
    rp_plan *plan;
    const work first = {.kernel = 0}, second = {.kernel = 1};
    TRY(rp_recorder_create(b->program, &recorder));
    for (const work *w = &first; w; w = w == &first ? &second : NULL) {
        rp_bind_kernel(recorder, b->kernels[w->kernel]);
        rp_bind(recorder, 0, (rp_range){b->buffers[0], 0, PIECE});
        rp_bind(recorder, 1, (rp_range){b->buffers[1], 0, PIECE});
        rp_push(recorder, 0, (uint32_t[2]){0}, 8);
        rp_dispatch(recorder, 1, 1, 1);
    }
    TRY(rp_program_graph(b->program, &recorder, 1, b->diags, &graph));
    TRY(rp_compile(graph, NULL, b->diags, &plan, NULL));
    rp_graph_destroy(graph);
    rp_recorder_destroy(recorder);
    return plan;
}

static void create_layout(bench *b) {
    const VkDescriptorSetLayoutBinding bindings[] = {
        {0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL},
        {1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL}};
    const VkDescriptorSetLayoutCreateInfo sets = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 2,
        .pBindings = bindings};
    TRY(vkCreateDescriptorSetLayout(b->device, &sets, NULL, &b->set_layout));
    const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 8};
    const VkPipelineLayoutCreateInfo layout = {.sType =
                                                   VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                               .setLayoutCount = 1,
                                               .pSetLayouts = &b->set_layout,
                                               .pushConstantRangeCount = 1,
                                               .pPushConstantRanges = &push};
    TRY(vkCreatePipelineLayout(b->device, &layout, NULL, &b->layout));
}

static void create_pipelines(bench *b, const rp_plan_kernel_info *infos) {
    for (uint32_t i = 0; i < KERNELS; i++) {
        VkShaderModule module;
        const VkShaderModuleCreateInfo code = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                               .codeSize = infos[i].spirv_bytes,
                                               .pCode = infos[i].spirv};
        TRY(vkCreateShaderModule(b->device, &code, NULL, &module));
        const VkComputePipelineCreateInfo info = {
            .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
            .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                      .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                      .module = module,
                      .pName = infos[i].entry},
            .layout = b->layout};
        TRY(vkCreateComputePipelines(b->device, VK_NULL_HANDLE, 1, &info, NULL, &b->pipelines[i]));
        vkDestroyShaderModule(b->device, module, NULL);
    }
}

static void create_encoder(bench *b, const rp_plan_kernel_info *infos) {
    static const rp_encoder_param params[] = {{0, 0, RP_READ}, {0, 1, RP_READ_WRITE}};
    rp_encoder_kernel kernels[KERNELS];
    for (uint32_t i = 0; i < KERNELS; i++)
        kernels[i] = (rp_encoder_kernel){.size = sizeof(rp_encoder_kernel),
                                         .name = infos[i].name,
                                         .spirv = infos[i].spirv,
                                         .spirv_size = infos[i].spirv_bytes,
                                         .entry = infos[i].entry,
                                         .params = params,
                                         .param_count = 2,
                                         .push_bytes = 8};
    const rp_encoder_buffer buffers[2] = {
        {sizeof *buffers, "a", (uint64_t)b->dispatches * PIECE, 0},
        {sizeof *buffers, "b", (uint64_t)b->dispatches * PIECE, 0}};
    const rp_encoder_params given = {.size = sizeof given,
                                     .kernels = kernels,
                                     .kernel_count = KERNELS,
                                     .buffers = buffers,
                                     .buffer_count = 2};
    TRY(rp_encoder_create(b->rp, &given, b->diags, &b->encoder));
    for (uint32_t i = 0; i < 2; i++)
        TRY(rp_encoder_bind(b->encoder, i, b->storage[i], 0, b->diags));
}

static void set_up(bench *b) {
    rp_plan_kernel_info infos[KERNELS];
    b->diags = rp_diags_create(NULL);
    open_device(b);
    create_program(b);
    rp_plan *plan = compile(b);
    for (uint32_t i = 0; i < KERNELS; i++) {
        infos[i] = (rp_plan_kernel_info){.size = sizeof infos[i]};
        TRY(rp_plan_get_kernel(plan, i, &infos[i]));
    }
    create_layout(b);
    create_pipelines(b, infos);
    b->sets = calloc(b->dispatches, sizeof *b->sets);
    create_encoder(b, infos);
    rp_plan_destroy(plan);
}

static void tear_down(bench *b) {
    rp_encoder_destroy(b->encoder);
    rp_direct_destroy(b->direct);
    rp_program_destroy(b->program);
    for (uint32_t i = 0; i < 2; i++) rp_storage_release(b->storage[i]);
    TRY(rp_device_destroy(b->rp, b->diags));
    free(b->sets);
    for (uint32_t i = 0; i < KERNELS; i++) vkDestroyPipeline(b->device, b->pipelines[i], NULL);
    vkDestroyPipelineLayout(b->device, b->layout, NULL);
    vkDestroyDescriptorSetLayout(b->device, b->set_layout, NULL);
    vkDestroyCommandPool(b->device, b->pool, NULL);
    vkDestroyDevice(b->device, NULL);
    vkDestroyInstance(b->instance, NULL);
    rp_diags_destroy(b->diags);
}

int main(int argc, char **argv) {
    static bench b;
    b.dispatches = argc > 1 ? (uint32_t)atoi(argv[1]) : 1000;
    b.repeats = argc > 2 ? (uint32_t)atoi(argv[2]) : 400;
    if (b.dispatches == 0 || b.repeats == 0) return 2;
    set_up(&b);
    for (uint32_t i = 0; i < STREAMS; i++) measure(&b, &streams[i]);
    tear_down(&b);
    return 0;
}
