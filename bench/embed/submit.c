/* Submitting: with semaphores, and a frame with a little data in and out. */
#include <string.h>

#include "embed.h"

/* ---- 2 waits, 2 signals ---------------------------------------------------------------------- */

enum { DISPATCHES = 8, SEMAPHORES = 2, IN_A_ROW = 16 };

typedef struct submit_state {
    rp_exec *exec;
    VkCommandBuffer commands;               /* the exec's own recording */
    VkSemaphore timelines[SEMAPHORES], own; /* `own`: what the exec has besides */
    uint64_t value, own_value;
} submit_state;

static int record_adds(bench *b, rp_program *program, rp_recorder *r, void *user) {
    static const char glsl[] = "#version 450\n"
                               "layout(local_size_x = 64) in;\n"
                               "layout(binding = 0) buffer Data { uint v[]; } data;\n"
                               "void main() { data.v[gl_GlobalInvocationID.x] += 1; }\n";
    rp_buffer data;
    rp_kernel kernel;
    (void)user;
    TRY(rp_program_buffer(
        program,
        &(rp_buffer_params){
            .size = sizeof(rp_buffer_params), .name = "data", .kind = RP_INOUT, .bytes = 256},
        b->diags, &data));
    TRY(rp_program_kernel(
        program, &(rp_kernel_params){.size = sizeof(rp_kernel_params), .name = "add", .glsl = glsl},
        b->diags, &kernel));
    rp_bind_kernel(r, kernel);
    rp_bind(r, 0, (rp_range){data});
    for (uint32_t i = 0; i < DISPATCHES; i++) rp_dispatch(r, 1, 1, 1);
    return 0;
}

static int submit_bare(bench *b, submit_state *s, uint32_t signal_count) {
    VkSemaphoreSubmitInfo waits[SEMAPHORES], signals[SEMAPHORES + 1];
    for (uint32_t i = 0; i <= SEMAPHORES; i++) {
        signals[i] =
            (VkSemaphoreSubmitInfo){.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                    .semaphore = i < SEMAPHORES ? s->timelines[i] : s->own,
                                    .value = i < SEMAPHORES ? s->value + 1 : s->own_value + 1,
                                    .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
        if (i == SEMAPHORES) break;
        waits[i] = signals[i];
        waits[i].value = s->value;
    }
    const VkCommandBufferSubmitInfo commands = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, .commandBuffer = s->commands};
    const VkSubmitInfo2 info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                .waitSemaphoreInfoCount = SEMAPHORES,
                                .pWaitSemaphoreInfos = waits,
                                .commandBufferInfoCount = 1,
                                .pCommandBufferInfos = &commands,
                                .signalSemaphoreInfoCount = signal_count,
                                .pSignalSemaphoreInfos = signals};
    s->value++;
    if (signal_count > SEMAPHORES) s->own_value++;
    return vk.QueueSubmit2(b->plain.queue, 1, &info, VK_NULL_HANDLE);
}

static int submit_exec(bench *b, submit_state *s) {
    rp_semaphore waits[SEMAPHORES], signals[SEMAPHORES];
    for (uint32_t i = 0; i < SEMAPHORES; i++) {
        waits[i] = (rp_semaphore){s->timelines[i], s->value, 0};
        signals[i] = (rp_semaphore){s->timelines[i], s->value + 1, 0};
    }
    s->value++;
    const rp_submit_params params = {.size = sizeof params,
                                     .waits = waits,
                                     .wait_count = SEMAPHORES,
                                     .signals = signals,
                                     .signal_count = SEMAPHORES};
    return rp_exec_submit(s->exec, &params, b->diags, NULL);
}

static int run_bare(bench *b, void *state) {
    for (uint32_t i = 0; i < IN_A_ROW; i++) TRY(submit_bare(b, state, SEMAPHORES));
    return 0;
}
static int run_bare_and_own(bench *b, void *state) {
    for (uint32_t i = 0; i < IN_A_ROW; i++) TRY(submit_bare(b, state, SEMAPHORES + 1));
    return 0;
}
static int run_submit(bench *b, void *state) {
    for (uint32_t i = 0; i < IN_A_ROW; i++) TRY(submit_exec(b, state));
    return 0;
}

static int settle_submit(bench *b, void *state) {
    submit_state *s = state;
    TRY(plain_wait(&b->plain, s->timelines[1], s->value));
    return rp_exec_wait(s->exec, 0, UINT64_MAX, b->diags);
}

int bench_submit(bench *b) {
    static const way ways[] = {
        {"vkQueueSubmit2, 2 waits, 2 signals", run_bare, settle_submit, 0},
        {"the same with a third signal", run_bare_and_own, settle_submit, 0},
        {"rp_exec_submit, 2 waits, 2 signals", run_submit, settle_submit, 0},
    };
    submit_state s = {0};
    rp_plan *plan;
    TRY(plan_of(b, record_adds, NULL, &plan));
    TRY(rp_exec_create(b->device, plan, NULL, b->diags, &s.exec));
    rp_plan_destroy(plan);
    s.commands = rp_exec_command_buffer(s.exec, 0, 0);
    for (uint32_t i = 0; i < SEMAPHORES; i++) TRY(plain_timeline(&b->plain, &s.timelines[i]));
    TRY(plain_timeline(&b->plain, &s.own));
    TRY(compare(b, &(comparison){"submit", ways, 3, &s, .operations = IN_A_ROW, .by_cpu = true}));
    rp_exec_destroy(s.exec);
    vk.DestroySemaphore(b->plain.device, s.own, NULL);
    for (uint32_t i = 0; i < SEMAPHORES; i++)
        vk.DestroySemaphore(b->plain.device, s.timelines[i], NULL);
    return 0;
}

/* ---- A frame --------------------------------------------------------------------------------- */

enum { FRAME_BYTES = 4096, FRAME_COUNT = FRAME_BYTES / 4 };

typedef struct frame_state {
    rp_exec *exec;
    rp_storage *storages[2];
    plain_buffer x, y, up, down;
    plain_kernel kernel;
    VkDescriptorSet set;
    VkCommandBuffer commands;
    VkSemaphore timeline;
    uint64_t value;
    uint32_t frame, in[FRAME_COUNT], out[FRAME_COUNT];
} frame_state;

static int record_frame(bench *b, rp_program *program, rp_recorder *r, void *user) {
    static const char glsl[] =
        "#version 450\n"
        "layout(local_size_x = 64) in;\n"
        "layout(binding = 0) readonly buffer X { uint v[]; } x;\n"
        "layout(binding = 1) writeonly buffer Y { uint v[]; } y;\n"
        "void main() { uint i = gl_GlobalInvocationID.x; y.v[i] = x.v[i] + 1; }\n";
    rp_buffer x, y;
    rp_kernel kernel;
    (void)user;
    TRY(rp_program_buffer(
        program,
        &(rp_buffer_params){
            .size = sizeof(rp_buffer_params), .name = "x", .kind = RP_IN, .bytes = FRAME_BYTES},
        b->diags, &x));
    TRY(rp_program_buffer(
        program,
        &(rp_buffer_params){
            .size = sizeof(rp_buffer_params), .name = "y", .kind = RP_OUT, .bytes = FRAME_BYTES},
        b->diags, &y));
    TRY(rp_program_kernel(
        program,
        &(rp_kernel_params){.size = sizeof(rp_kernel_params), .name = "next", .glsl = glsl},
        b->diags, &kernel));
    rp_bind_kernel(r, kernel);
    rp_bind(r, 0, (rp_range){x});
    rp_bind(r, 1, (rp_range){y});
    rp_dispatch(r, FRAME_COUNT / 64, 1, 1);
    return 0;
}

/* Copy in, dispatch, copy out. */
static int record_frame_by_hand(bench *b, frame_state *s) {
    const VkPipelineStageFlags2 copy = VK_PIPELINE_STAGE_2_COPY_BIT;
    const VkPipelineStageFlags2 compute = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT;
    const VkBufferCopy region = {.size = FRAME_BYTES};
    VkCommandBuffer c;
    TRY(plain_commands(&b->plain, &s->commands));
    c = s->commands;
    TRY(plain_begin(c, 0));
    vk.CmdCopyBuffer(c, s->up.handle, s->x.handle, 1, &region);
    plain_barrier(c, copy, VK_ACCESS_2_TRANSFER_WRITE_BIT, compute,
                  VK_ACCESS_2_SHADER_STORAGE_READ_BIT);
    vk.CmdBindPipeline(c, VK_PIPELINE_BIND_POINT_COMPUTE, s->kernel.pipeline);
    vk.CmdBindDescriptorSets(c, VK_PIPELINE_BIND_POINT_COMPUTE, s->kernel.layout, 0, 1, &s->set, 0,
                             NULL);
    vk.CmdDispatch(c, FRAME_COUNT / 64, 1, 1);
    plain_barrier(c, compute, VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT, copy,
                  VK_ACCESS_2_TRANSFER_READ_BIT);
    vk.CmdCopyBuffer(c, s->y.handle, s->down.handle, 1, &region);
    plain_barrier(c, copy, VK_ACCESS_2_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_2_HOST_BIT,
                  VK_ACCESS_2_HOST_READ_BIT);
    TRY(vk.EndCommandBuffer(c));
    return 0;
}

static int expect_frame(frame_state *s) {
    for (uint32_t i = 0; i < FRAME_COUNT; i++)
        if (s->out[i] != s->in[i] + 1) {
            fprintf(stderr, "frame %u is wrong\n", s->frame);
            return -1;
        }
    s->frame++;
    memset(s->out, 0, sizeof s->out);
    for (uint32_t i = 0; i < FRAME_COUNT; i++) s->in[i] = i + s->frame;
    return 0;
}

static int run_frame_by_hand(bench *b, void *state) {
    frame_state *s = state;
    memcpy(s->up.mapped, s->in, FRAME_BYTES);
    TRY(plain_submit(&b->plain, s->commands, s->timeline, ++s->value));
    TRY(plain_wait(&b->plain, s->timeline, s->value));
    memcpy(s->out, s->down.mapped, FRAME_BYTES);
    return 0;
}

static int run_frame(bench *b, void *state) {
    frame_state *s = state;
    TRY(rp_exec_write(s->exec, 0, "x", 0, s->in, FRAME_BYTES, b->diags));
    TRY(rp_exec_submit(s->exec, NULL, b->diags, NULL));
    TRY(rp_exec_wait(s->exec, 0, UINT64_MAX, b->diags));
    TRY(rp_exec_read(s->exec, 0, "y", 0, s->out, FRAME_BYTES, b->diags));
    return 0;
}

/* The copies are part of the submission. */
static int run_frame_at_once(bench *b, void *state) {
    frame_state *s = state;
    const rp_upload in = {.buffer = "x", .size = FRAME_BYTES, .data = s->in};
    const rp_download out = {.buffer = "y", .size = FRAME_BYTES, .data = s->out};
    const rp_submit_params params = {.size = sizeof params,
                                     .uploads = &in,
                                     .upload_count = 1,
                                     .downloads = &out,
                                     .download_count = 1};
    TRY(rp_exec_submit(s->exec, &params, b->diags, NULL));
    return rp_exec_wait(s->exec, 0, UINT64_MAX, b->diags);
}

static int settle_frame(bench *b, void *state) {
    (void)b;
    return expect_frame(state);
}

static int open_frame(bench *b, frame_state *s) {
    rp_plan *plan;
    rp_binding bindings[2];
    const plain *p = &b->plain;
    TRY(plan_of(b, record_frame, NULL, &plan));
    TRY(plain_buffer_create(p, FRAME_BYTES, PLAIN_DEVICE, &s->x));
    TRY(plain_buffer_create(p, FRAME_BYTES, PLAIN_DEVICE, &s->y));
    TRY(plain_buffer_create(p, FRAME_BYTES, PLAIN_UPLOAD, &s->up));
    TRY(plain_buffer_create(p, FRAME_BYTES, PLAIN_READBACK, &s->down));
    for (uint32_t i = 0; i < 2; i++) { /* both work in the same buffers, of the device alone */
        TRY(plain_storage(b->device, i ? &s->y : &s->x, false, b->diags, &s->storages[i]));
        bindings[i] = (rp_binding){.buffer = i ? "y" : "x", .storage = s->storages[i]};
    }
    const rp_exec_params params = {.size = sizeof params, .bindings = bindings, .binding_count = 2};
    TRY(rp_exec_create(b->device, plan, &params, b->diags, &s->exec));
    rp_plan_kernel_info kernel = {.size = sizeof kernel};
    TRY(rp_plan_get_kernel(plan, 0, &kernel));
    const VkDescriptorType type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    const VkDescriptorBufferInfo ranges[] = {{s->x.handle, 0, FRAME_BYTES},
                                             {s->y.handle, 0, FRAME_BYTES}};
    TRY(plain_kernel_create(p, &kernel, 2, type, VK_NULL_HANDLE, &s->kernel));
    TRY(plain_set(p, &s->kernel, type, ranges, 2, &s->set));
    TRY(plain_timeline(p, &s->timeline));
    rp_plan_destroy(plan);
    return record_frame_by_hand(b, s);
}

int bench_frame(bench *b) {
    static const way ways[] = {
        {"by hand: copy, dispatch, copy", run_frame_by_hand, settle_frame, 0},
        {"rp_exec_submit with both, wait", run_frame_at_once, settle_frame, 0},
        {"rp_exec_write, submit, wait, read", run_frame, settle_frame, 0},
    };
    static frame_state s;
    s = (frame_state){0};
    TRY(open_frame(b, &s));
    TRY(compare(b, &(comparison){"frame", ways, 3, &s, .counted = true}));
    rp_exec_destroy(s.exec);
    for (uint32_t i = 0; i < 2; i++) rp_storage_release(s.storages[i]);
    plain_kernel_destroy(&b->plain, &s.kernel);
    plain_buffer_destroy(&b->plain, &s.x);
    plain_buffer_destroy(&b->plain, &s.y);
    plain_buffer_destroy(&b->plain, &s.up);
    plain_buffer_destroy(&b->plain, &s.down);
    vk.DestroySemaphore(b->plain.device, s.timeline, NULL);
    return 0;
}
