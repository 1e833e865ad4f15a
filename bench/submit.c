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
#include <string.h>

#include "plain.h"
#include "recorded.h"
#include "statistics.h"

typedef struct bench {
    recorded r;
    plain plain;
    VkFence fence;
    VkSemaphore timeline;
    uint64_t value;
    VkCommandBuffer recorded; /* re-recorded in every round */
    plain_kernel kernel;
    VkDescriptorSet set;
    plain_buffer buffer;
    rp_exec *exec;
} bench;

static const char shader[] = "#version 450\n"
                             "layout(local_size_x = 64) in;\n"
                             "layout(set = 0, binding = 0) buffer Data { uint v[]; } data;\n"
                             "layout(push_constant) uniform Push { uint add; } push;\n"
                             "void main() { data.v[gl_GlobalInvocationID.x] += push.add; }\n";

/* ---- The plan -------------------------------------------------------------------------------- */

static int make_plan(bench *b, uint64_t bytes) {
    rp_buffer data;
    TRY(recorded_begin(&b->r, "submit", shader, bytes, &data));
    for (uint32_t i = 0; i < b->r.dispatches; i++) {
        /* Every second dispatch works on the bytes of the one before it. */
        rp_bind(b->r.recorder, 0, (rp_range){data, (uint64_t)(i / 2) * 256, 256});
        rp_push(b->r.recorder, 0, &(uint32_t){i}, 4);
        rp_dispatch(b->r.recorder, 1, 1, 1);
    }
    TRY(recorded_compile(&b->r));
    return 0;
}

static int make_exec(bench *b, uint64_t bytes) {
    TRY(make_plan(b, bytes));
    TRY(plain_import(&b->plain, b->r.diags, &b->r.device));
    TRY(rp_exec_create(b->r.device, b->r.plan, NULL, b->r.diags, &b->exec));
    return 0;
}

/* ---- The same by hand, for re-recording ------------------------------------------------------ */

static int make_by_hand(bench *b, uint64_t bytes) {
    const plain *p = &b->plain;
    const VkDescriptorType type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    rp_plan_kernel_info kernel = {.size = sizeof kernel};
    TRY(rp_plan_get_kernel(b->r.plan, 0, &kernel));
    TRY(plain_buffer_create(p, bytes, PLAIN_DEVICE, &b->buffer));
    const VkDescriptorBufferInfo range = {b->buffer.handle, 0, 256};
    TRY(plain_kernel_create(p, &kernel, 1, type, VK_NULL_HANDLE, &b->kernel));
    TRY(plain_set(p, &b->kernel, type, &range, 1, &b->set));
    TRY(plain_commands(p, &b->recorded));
    TRY(plain_timeline(p, &b->timeline));
    TRY(vk.CreateFence(p->device, &fence, NULL, &b->fence));
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
    vk.CmdBindPipeline(b->recorded, VK_PIPELINE_BIND_POINT_COMPUTE, b->kernel.pipeline);
    for (uint32_t i = 0; i < b->r.dispatches; i++) {
        uint32_t offset = i / 2 * 256;
        vk.CmdBindDescriptorSets(b->recorded, VK_PIPELINE_BIND_POINT_COMPUTE, b->kernel.layout, 0,
                                 1, &b->set, 1, &offset);
        vk.CmdPushConstants(b->recorded, b->kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4, &i);
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
    return vk.QueueSubmit(b->plain.queue, 1, &info, b->fence);
}

static int wait_fence(bench *b) {
    TRY(vk.WaitForFences(b->plain.device, 1, &b->fence, VK_TRUE, UINT64_MAX));
    TRY(vk.ResetFences(b->plain.device, 1, &b->fence));
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
    return vk.QueueSubmit(b->plain.queue, 1, &info, VK_NULL_HANDLE);
}

static int wait_timeline(bench *b) {
    return plain_wait(&b->plain, b->timeline, b->value);
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
        cpu[w] = calloc(b->r.repeats, sizeof **cpu);
        wall[w] = calloc(b->r.repeats, sizeof **wall);
    }
    for (uint32_t r = 0; r < b->r.repeats + 3; r++)
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
        double c = median(cpu[w], b->r.repeats), l = median(wall[w], b->r.repeats);
        if (w == 0) base_cpu = c, base_wall = l;
        printf("%-30s %9.2f us CPU (%.2fx) %9.2f us wall (%.2fx)\n", ways[w].name, c * 1e6,
               c / base_cpu, l * 1e6, l / base_wall);
        free(cpu[w]);
        free(wall[w]);
    }
    return 0;
}

static int run(bench *b) {
    uint64_t bytes = (uint64_t)(b->r.dispatches / 2 + 1) * 256;
    TRY(plain_open(&b->plain));
    TRY(make_exec(b, bytes));
    TRY(make_by_hand(b, bytes));
    rp_device_info info = {.size = sizeof info};
    TRY(rp_device_get_info(b->r.device, &info));
    rp_plan_info plan = {.size = sizeof plan};
    TRY(rp_plan_get_info(b->r.plan, &plan));
    printf("%s, %s: %u dispatches, %u barriers, median of %u\n", info.name, info.driver,
           plan.dispatches, plan.barriers, b->r.repeats);
    return compare_ways(b);
}

/* After the runtime, whose device wraps this one. */
static void close_plain(bench *b) {
    if (b->plain.device) {
        vk.DeviceWaitIdle(b->plain.device);
        plain_kernel_destroy(&b->plain, &b->kernel);
        plain_buffer_destroy(&b->plain, &b->buffer);
        vk.DestroySemaphore(b->plain.device, b->timeline, NULL);
        vk.DestroyFence(b->plain.device, b->fence, NULL);
    }
    plain_close(&b->plain);
}

int main(int argc, char **argv) {
    bench b = {0};
    if (!recorded_arguments(&b.r, argc, argv, 1, 100)) return 2;
    int failed = run(&b);
    rp_exec_destroy(b.exec);
    int result = recorded_end(&b.r, failed);
    close_plain(&b);
    return result;
}
