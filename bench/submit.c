/* What a replay costs the CPU, against the least it can cost and against recording again.
 *
 *   bench_submit [DISPATCHES] [REPEATS]
 *
 * One plan of DISPATCHES (default 1000) tiny dispatches, half of them chained, is replayed on a
 * VkDevice that the benchmark itself created; compared in one process and on one queue are
 *
 *   bare            vkQueueSubmit of the same recorded command buffer, with a fence
 *   bare, timeline  the same, signalling a timeline semaphore instead: what waiting without fences
 *                   needs
 *   replay          rp_exec_submit
 *   re-record       vkBeginCommandBuffer ... the same dispatches and barriers ...
 *                   vkEndCommandBuffer, submit
 *
 * Each round runs all in turn and waits in between, outside of the timed part. Times are CPU time
 * of the submitting thread, and wall time of the call; medians over all rounds.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <vulkan/vulkan_core.h>

#include <reprise/compiler.h>
#include <reprise/runtime.h>

#include "statistics.h"

/* Its layout of this list does not settle. */
/* clang-format off */
#define FUNCTIONS(X) \
    X(EnumeratePhysicalDevices) X(GetPhysicalDeviceProperties) X(CreateDevice) X(GetDeviceQueue) \
    X(GetPhysicalDeviceFeatures2) X(EnumerateDeviceExtensionProperties) X(CreateFence) \
    X(WaitForFences) X(ResetFences) X(DestroyFence) X(QueueSubmit) X(CreateCommandPool) \
    X(DestroyCommandPool) X(AllocateCommandBuffers) X(BeginCommandBuffer) X(EndCommandBuffer) \
    X(CmdBindPipeline) X(CmdDispatch) X(CmdPipelineBarrier) X(CmdBindDescriptorSets) \
    X(CmdPushConstants) X(CreateShaderModule) X(DestroyShaderModule) \
    X(CreateDescriptorSetLayout) X(DestroyDescriptorSetLayout) X(CreatePipelineLayout) \
    X(DestroyPipelineLayout) X(CreateComputePipelines) X(DestroyPipeline) \
    X(CreateDescriptorPool) X(DestroyDescriptorPool) X(AllocateDescriptorSets) \
    X(UpdateDescriptorSets) X(CreateBuffer) X(DestroyBuffer) X(GetBufferMemoryRequirements) \
    X(GetPhysicalDeviceMemoryProperties) X(AllocateMemory) X(FreeMemory) X(BindBufferMemory) \
    X(CreateSemaphore) X(DestroySemaphore) X(WaitSemaphores) X(DeviceWaitIdle) X(DestroyDevice) \
    X(DestroyInstance)
/* clang-format on */

static struct {
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
    PFN_vkCreateInstance CreateInstance;
#define X(name) PFN_vk##name name;
    FUNCTIONS(X)
#undef X
} vk;

typedef struct bench {
    uint32_t dispatches, repeats;
    VkInstance instance;
    VkPhysicalDevice physical;
    VkDevice device;
    VkQueue queue;
    uint32_t family;
    VkFence fence;
    VkSemaphore timeline;
    uint64_t value;
    VkCommandPool pool;
    VkCommandBuffer recorded; /* re-recorded in every round */
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkPipeline pipeline;
    VkDescriptorPool sets;
    VkDescriptorSet set;
    VkBuffer buffer;
    VkDeviceMemory memory;
    rp_diags *diags;
    rp_program *program;
    rp_recorder *recorder;
    rp_plan *plan;
    rp_device *rp;
    rp_exec *exec;
} bench;

static const char shader[] = "#version 450\n"
                             "layout(local_size_x = 64) in;\n"
                             "layout(set = 0, binding = 0) buffer Data { uint v[]; } data;\n"
                             "layout(push_constant) uniform Push { uint add; } push;\n"
                             "void main() { data.v[gl_GlobalInvocationID.x] += push.add; }\n";

#define TRY(call)                                                                                  \
    do {                                                                                           \
        long long result = (long long)(call);                                                      \
        if (result != 0) {                                                                         \
            fprintf(stderr, "bench_submit: %s: %lld\n", #call, result);                            \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

/* ---- A device of our own --------------------------------------------------------------------- */

static int open_vulkan(bench *b) {
    void *library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) return -1;
    *(void **)&vk.GetInstanceProcAddr = dlsym(library, "vkGetInstanceProcAddr");
    *(void **)&vk.CreateInstance = (void *)vk.GetInstanceProcAddr(NULL, "vkCreateInstance");
    const VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                   .apiVersion = VK_API_VERSION_1_2};
    TRY(vk.CreateInstance(&(VkInstanceCreateInfo){.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                                  .pApplicationInfo = &app},
                          NULL, &b->instance));
#define X(name) *(void **)&vk.name = (void *)vk.GetInstanceProcAddr(b->instance, "vk" #name);
    FUNCTIONS(X)
#undef X
    uint32_t count = 8;
    VkPhysicalDevice devices[8];
    VkResult listed = vk.EnumeratePhysicalDevices(b->instance, &count, devices);
    if ((listed != VK_SUCCESS && listed != VK_INCOMPLETE) || count == 0) return -1;
    b->physical = devices[0];
    for (uint32_t i = count; i--;) {
        VkPhysicalDeviceProperties p;
        vk.GetPhysicalDeviceProperties(devices[i], &p);
        if (p.deviceType != VK_PHYSICAL_DEVICE_TYPE_CPU) b->physical = devices[i];
    }
    return 0;
}

/* What the device is created with. */
static const VkPhysicalDeviceSynchronization2Features sync2 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES,
    .synchronization2 = VK_TRUE};
static const VkPhysicalDeviceTimelineSemaphoreFeatures timeline_on = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
    .pNext = (void *)&sync2,
    .timelineSemaphore = VK_TRUE};
static const char *const extensions[] = {"VK_KHR_synchronization2"};

static int open_device(bench *b) {
    TRY(vk.CreateDevice(
        b->physical,
        &(VkDeviceCreateInfo){
            .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
            .pNext = &timeline_on,
            .queueCreateInfoCount = 1,
            .pQueueCreateInfos =
                &(VkDeviceQueueCreateInfo){.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueCount = 1,
                                           .pQueuePriorities = &(float){1.0f}},
            .enabledExtensionCount = 1,
            .ppEnabledExtensionNames = extensions},
        NULL, &b->device));
    vk.GetDeviceQueue(b->device, 0, 0, &b->queue);
    TRY(vk.CreateFence(b->device,
                       &(VkFenceCreateInfo){.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO}, NULL,
                       &b->fence));
    VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                      .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    TRY(vk.CreateSemaphore(
        b->device,
        &(VkSemaphoreCreateInfo){.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type},
        NULL, &b->timeline));
    TRY(vk.CreateCommandPool(
        b->device,
        &(VkCommandPoolCreateInfo){.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                   .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT},
        NULL, &b->pool));
    TRY(vk.AllocateCommandBuffers(
        b->device,
        &(VkCommandBufferAllocateInfo){.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                       .commandPool = b->pool,
                                       .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                       .commandBufferCount = 1},
        &b->recorded));
    return 0;
}

/* ---- The plan -------------------------------------------------------------------------------- */

static rp_status record_plan(bench *b, uint64_t bytes) {
    rp_buffer data;
    rp_kernel kernel;
    rp_status status = rp_program_create(NULL, "submit", &b->program);
    if (status == RP_OK)
        status = rp_program_buffer(
            b->program, &(rp_buffer_params){.name = "data", .kind = RP_INOUT, .size = bytes},
            b->diags, &data);
    if (status == RP_OK)
        status = rp_program_kernel(b->program, &(rp_kernel_params){.name = "add", .glsl = shader},
                                   b->diags, &kernel);
    if (status == RP_OK) status = rp_recorder_create(b->program, &b->recorder);
    if (status != RP_OK) return status;
    rp_bind_kernel(b->recorder, kernel);
    for (uint32_t i = 0; i < b->dispatches; i++) {
        /* Every second dispatch works on the bytes of the one before it. */
        rp_bind(b->recorder, 0, (rp_range){data, (uint64_t)(i / 2) * 256, 256});
        rp_push(b->recorder, 0, &(uint32_t){i}, 4);
        rp_dispatch(b->recorder, 1, 1, 1);
    }
    rp_graph *graph = NULL;
    status = rp_program_graph(b->program, &b->recorder, 1, b->diags, &graph);
    if (status == RP_OK) status = rp_compile(graph, NULL, b->diags, &b->plan, NULL);
    rp_graph_destroy(graph);
    return status;
}

static int make_exec(bench *b, uint64_t bytes) {
    TRY(record_plan(b, bytes));
    const rp_device_import import = {.size = sizeof import,
                                     .get_instance_proc_addr = (void *)vk.GetInstanceProcAddr,
                                     .instance = b->instance,
                                     .physical_device = b->physical,
                                     .device = b->device,
                                     .features = &timeline_on,
                                     .extensions = extensions,
                                     .extension_count = 1,
                                     .queue = b->queue};
    TRY(rp_device_create(NULL,
                         &(rp_device_params){.size = sizeof(rp_device_params), .import = &import},
                         b->diags, &b->rp));
    TRY(rp_exec_create(b->rp, b->plan, NULL, b->diags, &b->exec));
    return 0;
}

/* ---- The same by hand, for re-recording ------------------------------------------------------ */

static int make_buffer(bench *b, uint64_t bytes) {
    TRY(vk.CreateBuffer(b->device,
                        &(VkBufferCreateInfo){.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                              .size = bytes,
                                              .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT},
                        NULL, &b->buffer));
    VkMemoryRequirements need;
    VkPhysicalDeviceMemoryProperties types;
    vk.GetBufferMemoryRequirements(b->device, b->buffer, &need);
    vk.GetPhysicalDeviceMemoryProperties(b->physical, &types);
    uint32_t type = 0;
    while (type < types.memoryTypeCount &&
           !(need.memoryTypeBits >> type & 1 &&
             types.memoryTypes[type].propertyFlags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT))
        type++;
    TRY(vk.AllocateMemory(b->device,
                          &(VkMemoryAllocateInfo){.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                                  .allocationSize = need.size,
                                                  .memoryTypeIndex = type},
                          NULL, &b->memory));
    TRY(vk.BindBufferMemory(b->device, b->buffer, b->memory, 0));
    return 0;
}

static int make_pipeline(bench *b, const uint32_t *words, size_t size) {
    VkShaderModule module;
    VkDescriptorSetLayoutBinding binding = {.descriptorType =
                                                VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC,
                                            .descriptorCount = 1,
                                            .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    VkPushConstantRange push = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = 4};
    TRY(vk.CreateShaderModule(
        b->device,
        &(VkShaderModuleCreateInfo){
            .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = size, .pCode = words},
        NULL, &module));
    TRY(vk.CreateDescriptorSetLayout(
        b->device,
        &(VkDescriptorSetLayoutCreateInfo){.sType =
                                               VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                           .bindingCount = 1,
                                           .pBindings = &binding},
        NULL, &b->set_layout));
    TRY(vk.CreatePipelineLayout(
        b->device,
        &(VkPipelineLayoutCreateInfo){.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                      .setLayoutCount = 1,
                                      .pSetLayouts = &b->set_layout,
                                      .pushConstantRangeCount = 1,
                                      .pPushConstantRanges = &push},
        NULL, &b->layout));
    VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = "main"},
        .layout = b->layout};
    TRY(vk.CreateComputePipelines(b->device, VK_NULL_HANDLE, 1, &info, NULL, &b->pipeline));
    vk.DestroyShaderModule(b->device, module, NULL);
    return 0;
}

static int make_set(bench *b) {
    VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC, 1};
    TRY(vk.CreateDescriptorPool(
        b->device,
        &(VkDescriptorPoolCreateInfo){.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                      .maxSets = 1,
                                      .poolSizeCount = 1,
                                      .pPoolSizes = &size},
        NULL, &b->sets));
    TRY(vk.AllocateDescriptorSets(
        b->device,
        &(VkDescriptorSetAllocateInfo){.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                       .descriptorPool = b->sets,
                                       .descriptorSetCount = 1,
                                       .pSetLayouts = &b->set_layout},
        &b->set));
    VkDescriptorBufferInfo range = {b->buffer, 0, 256};
    VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                  .dstSet = b->set,
                                  .descriptorCount = 1,
                                  .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC,
                                  .pBufferInfo = &range};
    vk.UpdateDescriptorSets(b->device, 1, &write, 0, NULL);
    return 0;
}

/* What an application without a recorder does each step: record all, a barrier after each dispatch
 * that others wait for. */
static int record_again(bench *b) {
    const VkMemoryBarrier barrier = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                     .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
                                     .dstAccessMask =
                                         VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT};
    TRY(vk.BeginCommandBuffer(
        b->recorded,
        &(VkCommandBufferBeginInfo){.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                    .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT}));
    vk.CmdBindPipeline(b->recorded, VK_PIPELINE_BIND_POINT_COMPUTE, b->pipeline);
    for (uint32_t i = 0; i < b->dispatches; i++) {
        uint32_t offset = i / 2 * 256;
        vk.CmdBindDescriptorSets(b->recorded, VK_PIPELINE_BIND_POINT_COMPUTE, b->layout, 0, 1,
                                 &b->set, 1, &offset);
        vk.CmdPushConstants(b->recorded, b->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4, &i);
        vk.CmdDispatch(b->recorded, 1, 1, 1);
        vk.CmdPipelineBarrier(b->recorded, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                              VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 1, &barrier, 0, NULL, 0,
                              NULL);
    }
    TRY(vk.EndCommandBuffer(b->recorded));
    return 0;
}

/* ---- The four ways --------------------------------------------------------------------------- */

static int submit_fence(bench *b, VkCommandBuffer commands) {
    VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                         .commandBufferCount = 1,
                         .pCommandBuffers = &commands};
    return vk.QueueSubmit(b->queue, 1, &info, b->fence);
}

static int wait_fence(bench *b) {
    TRY(vk.WaitForFences(b->device, 1, &b->fence, VK_TRUE, UINT64_MAX));
    TRY(vk.ResetFences(b->device, 1, &b->fence));
    return 0;
}

static int bare(bench *b) {
    return submit_fence(b, (VkCommandBuffer)rp_exec_command_buffer(b->exec, 0, 0));
}

static int bare_timeline(bench *b) {
    VkCommandBuffer commands = (VkCommandBuffer)rp_exec_command_buffer(b->exec, 0, 0);
    uint64_t value = ++b->value;
    VkTimelineSemaphoreSubmitInfo timeline = {.sType =
                                                  VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
                                              .signalSemaphoreValueCount = 1,
                                              .pSignalSemaphoreValues = &value};
    VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                         .pNext = &timeline,
                         .commandBufferCount = 1,
                         .pCommandBuffers = &commands,
                         .signalSemaphoreCount = 1,
                         .pSignalSemaphores = &b->timeline};
    return vk.QueueSubmit(b->queue, 1, &info, VK_NULL_HANDLE);
}

static int wait_timeline(bench *b) {
    VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                .semaphoreCount = 1,
                                .pSemaphores = &b->timeline,
                                .pValues = &b->value};
    return vk.WaitSemaphores(b->device, &info, UINT64_MAX);
}

static int replay(bench *b) {
    return rp_exec_submit(b->exec, NULL, NULL, NULL);
}
static int wait_replay(bench *b) {
    return rp_exec_wait(b->exec, 0, UINT64_MAX, NULL);
}

static int again(bench *b) {
    return record_again(b) ? -1 : submit_fence(b, b->recorded);
}

static const struct way {
    const char *name;
    int (*submit)(bench *b);
    int (*wait)(bench *b);
} ways[] = {
    {"bare vkQueueSubmit, fence", bare, wait_fence},
    {"bare vkQueueSubmit, timeline", bare_timeline, wait_timeline},
    {"replay (rp_exec_submit)", replay, wait_replay},
    {"record again and submit", again, wait_fence},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

static int compare_ways(bench *b) {
    double *cpu[WAYS], *wall[WAYS];
    for (uint32_t w = 0; w < WAYS; w++) {
        cpu[w] = calloc(b->repeats, sizeof **cpu);
        wall[w] = calloc(b->repeats, sizeof **wall);
    }
    for (uint32_t r = 0; r < b->repeats + 3; r++)
        for (uint32_t w = 0; w < WAYS; w++) {
            double wall_start = wall_seconds(), cpu_start = thread_seconds();
            TRY(ways[w].submit(b));
            if (r >= 3) { /* the first rounds warm up */
                cpu[w][r - 3] = thread_seconds() - cpu_start;
                wall[w][r - 3] = wall_seconds() - wall_start;
            }
            TRY(ways[w].wait(b));
        }
    double base_cpu = 0, base_wall = 0;
    for (uint32_t w = 0; w < WAYS; w++) {
        double c = median(cpu[w], b->repeats), l = median(wall[w], b->repeats);
        if (w == 0) base_cpu = c, base_wall = l;
        printf("%-30s %9.2f us CPU (%.2fx) %9.2f us wall (%.2fx)\n", ways[w].name, c * 1e6,
               c / base_cpu, l * 1e6, l / base_wall);
        free(cpu[w]);
        free(wall[w]);
    }
    return 0;
}

static int run(bench *b) {
    uint64_t bytes = (uint64_t)(b->dispatches / 2 + 1) * 256;
    b->diags = rp_diags_create(NULL);
    TRY(open_vulkan(b));
    TRY(open_device(b));
    TRY(make_exec(b, bytes));
    rp_plan_kernel_info kernel = {.size = sizeof kernel};
    TRY(rp_plan_get_kernel(b->plan, 0, &kernel));
    TRY(make_buffer(b, bytes));
    TRY(make_pipeline(b, kernel.spirv, kernel.spirv_bytes));
    TRY(make_set(b));
    rp_device_info info = {.size = sizeof info};
    TRY(rp_device_get_info(b->rp, &info));
    rp_plan_info plan = {.size = sizeof plan};
    TRY(rp_plan_get_info(b->plan, &plan));
    printf("%s, %s: %u dispatches, %u barriers, median of %u\n", info.name, info.driver,
           plan.dispatches, plan.barriers, b->repeats);
    return compare_ways(b);
}

static void close_all(bench *b) {
    rp_exec_destroy(b->exec);
    rp_device_destroy(b->rp, NULL);
    rp_plan_destroy(b->plan);
    rp_recorder_destroy(b->recorder);
    rp_program_destroy(b->program);
    rp_diags_destroy(b->diags);
    if (!b->device) return;
    vk.DeviceWaitIdle(b->device);
    vk.DestroyPipeline(b->device, b->pipeline, NULL);
    vk.DestroyPipelineLayout(b->device, b->layout, NULL);
    vk.DestroyDescriptorSetLayout(b->device, b->set_layout, NULL);
    vk.DestroyDescriptorPool(b->device, b->sets, NULL);
    vk.DestroyBuffer(b->device, b->buffer, NULL);
    vk.FreeMemory(b->device, b->memory, NULL);
    vk.DestroyCommandPool(b->device, b->pool, NULL);
    vk.DestroySemaphore(b->device, b->timeline, NULL);
    vk.DestroyFence(b->device, b->fence, NULL);
    vk.DestroyDevice(b->device, NULL);
    vk.DestroyInstance(b->instance, NULL);
}

int main(int argc, char **argv) {
    bench b = {.dispatches = argc > 1 ? (uint32_t)atoi(argv[1]) : 1000,
               .repeats = argc > 2 ? (uint32_t)atoi(argv[2]) : 100};
    if (b.dispatches == 0 || b.repeats == 0) {
        fprintf(stderr, "usage: bench_submit [DISPATCHES] [REPEATS]\n");
        return 2;
    }
    int failed = run(&b);
    for (uint32_t i = 0; i < rp_diags_count(b.diags); i++)
        fprintf(stderr, "%s\n", rp_diags_get(b.diags, i).message);
    close_all(&b);
    return failed ? 1 : 0;
}
