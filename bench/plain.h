/* Plain Vulkan for the benchmarks: what a program without Reprise does, to measure against, and the
 * device that both run on. Vulkan is opened at run time, as the runtime opens it. */
#ifndef REPRISE_BENCH_PLAIN_H
#define REPRISE_BENCH_PLAIN_H

#include <stdbool.h>
#include <stdio.h>
#include <vulkan/vulkan_core.h>

#include <reprise/runtime.h>

/* Its layout of this list does not settle. */
/* clang-format off */
#define PLAIN_FUNCTIONS(X) \
    X(EnumerateDeviceExtensionProperties) \
    X(EnumeratePhysicalDevices) X(GetPhysicalDeviceProperties) X(CreateDevice) X(GetDeviceQueue) \
    X(GetPhysicalDeviceQueueFamilyProperties) X(GetPhysicalDeviceMemoryProperties) \
    X(CreateFence) X(WaitForFences) X(ResetFences) X(DestroyFence) \
    X(QueueSubmit) X(QueueSubmit2) X(CreateSemaphore) X(DestroySemaphore) X(WaitSemaphores) \
    X(CreateCommandPool) X(DestroyCommandPool) X(AllocateCommandBuffers) X(FreeCommandBuffers) \
    X(BeginCommandBuffer) X(EndCommandBuffer) X(CmdBindPipeline) X(CmdDispatch) \
    X(CmdDispatchIndirect) X(CmdPipelineBarrier) X(CmdPipelineBarrier2) X(CmdBindDescriptorSets) \
    X(CmdPushConstants) X(CmdCopyBuffer) X(CmdFillBuffer) \
    X(CreateShaderModule) X(DestroyShaderModule) \
    X(CreateDescriptorSetLayout) X(DestroyDescriptorSetLayout) X(CreatePipelineLayout) \
    X(DestroyPipelineLayout) X(CreateComputePipelines) X(DestroyPipeline) X(CreatePipelineCache) \
    X(DestroyPipelineCache) \
    X(CreateDescriptorPool) X(DestroyDescriptorPool) X(ResetDescriptorPool) \
    X(AllocateDescriptorSets) X(UpdateDescriptorSets) \
    X(CreateBuffer) X(DestroyBuffer) X(GetBufferMemoryRequirements) X(AllocateMemory) \
    X(FreeMemory) X(BindBufferMemory) X(MapMemory) X(DeviceWaitIdle) X(DestroyDevice) \
    X(DestroyInstance)
/* clang-format on */

extern struct plain_functions {
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
    PFN_vkCreateInstance CreateInstance;
#define X(name) PFN_vk##name name;
    PLAIN_FUNCTIONS(X)
#undef X
} vk;

/* Leaves a function that returns int, with what failed on stderr. For results of Vulkan, statuses
 * and the functions below: 0 is good. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        long long result = (long long)(call);                                                      \
        if (result != 0) {                                                                         \
            fprintf(stderr, "%s:%d: %s: %lld\n", __FILE__, __LINE__, #call, result);               \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

typedef struct plain {
    VkInstance instance;
    VkPhysicalDevice physical;
    VkPhysicalDeviceProperties properties;
    VkDevice device;
    uint32_t family;
    VkQueue queue;
    VkCommandPool pool;
    VkDescriptorPool sets;
} plain;

/* The first GPU, or else the first device; Vulkan 1.3. */
int plain_open(plain *p);
void plain_close(plain *p);
/* The same device for Reprise. */
int plain_import(const plain *p, rp_diags *diags, rp_device **out_device);

/* Where a buffer lies. */
typedef enum plain_memory {
    PLAIN_DEVICE,
    PLAIN_UPLOAD,  /* written by the host: coherent */
    PLAIN_READBACK /* read by the host: coherent, cached where that exists */
} plain_memory;

typedef struct plain_buffer {
    VkBuffer handle;
    VkDeviceMemory memory;
    uint8_t *mapped; /* NULL on the device */
    uint64_t bytes;
} plain_buffer;

int plain_buffer_create(const plain *p, uint64_t bytes, plain_memory where, plain_buffer *out);
void plain_buffer_destroy(const plain *p, plain_buffer *b);
/* The whole buffer as a storage; `mapped` false: as if the host did not see it. */
int plain_storage(rp_device *device, const plain_buffer *b, bool mapped, rp_diags *diags,
                  rp_storage **out_storage);

/* A kernel with storage buffers at bindings 0, 1, ... of set 0. */
typedef struct plain_kernel {
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkPipeline pipeline;
} plain_kernel;

int plain_kernel_create(const plain *p, const rp_plan_kernel_info *kernel, uint32_t bindings,
                        VkDescriptorType type, VkPipelineCache cache, plain_kernel *out);
void plain_kernel_destroy(const plain *p, plain_kernel *k);
int plain_set(const plain *p, const plain_kernel *k, VkDescriptorType type,
              const VkDescriptorBufferInfo *ranges, uint32_t count, VkDescriptorSet *out);

int plain_commands(const plain *p, VkCommandBuffer *out); /* allocates one */
int plain_begin(VkCommandBuffer commands, VkCommandBufferUsageFlags flags);
void plain_barrier(VkCommandBuffer commands, VkPipelineStageFlags2 src, VkAccessFlags2 written,
                   VkPipelineStageFlags2 dst, VkAccessFlags2 used);

int plain_timeline(const plain *p, VkSemaphore *out);
int plain_wait(const plain *p, VkSemaphore timeline, uint64_t value);
/* One batch that signals a timeline. */
int plain_submit(const plain *p, VkCommandBuffer commands, VkSemaphore timeline, uint64_t value);

#endif
