/* Plan to plan: 64 plans behind each other on the same bytes. */
#include "embed.h"

enum { LINKS = 64, CHAIN_BYTES = 4 << 10, CHAIN_COUNT = CHAIN_BYTES / 4 };

typedef struct chain_state {
    rp_exec *execs[2];
    rp_storage *storage;
    plain_buffer data;
    plain_kernel kernel;
    VkDescriptorSet set;
    VkCommandBuffer whole, links[LINKS], recorded;
    VkSemaphore timeline;
    uint64_t value, chains;
} chain_state;

static int record_link(bench *b, rp_program *program, rp_recorder *r, void *user) {
    static const char glsl[] =
        "#version 450\n"
        "layout(local_size_x = 64) in;\n"
        "layout(binding = 0) buffer Data { uint v[]; } data;\n"
        "void main() { uint i = gl_GlobalInvocationID.x; data.v[i] = 3 * data.v[i] + 1; }\n";
    rp_buffer data;
    rp_kernel kernel;
    (void)user;
    TRY(rp_program_buffer(program,
                          &(rp_buffer_params){.size = sizeof(rp_buffer_params),
                                              .name = "data",
                                              .kind = RP_INOUT,
                                              .bytes = CHAIN_BYTES},
                          b->diags, &data));
    TRY(rp_program_kernel(
        program,
        &(rp_kernel_params){.size = sizeof(rp_kernel_params), .name = "link", .glsl = glsl},
        b->diags, &kernel));
    rp_bind_kernel(r, kernel);
    rp_bind(r, 0, (rp_range){data});
    rp_dispatch(r, CHAIN_COUNT / 64, 1, 1);
    return 0;
}

/* ---- By hand --------------------------------------------------------------------------------- */

static void record_dispatch(VkCommandBuffer c, bool barrier) {
    const VkPipelineStageFlags2 compute = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT;
    if (barrier)
        plain_barrier(c, compute, VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT, compute,
                      VK_ACCESS_2_SHADER_STORAGE_READ_BIT | VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT);
    vk.CmdDispatch(c, CHAIN_COUNT / 64, 1, 1);
}

static int begin_chain(chain_state *s, VkCommandBuffer c) {
    TRY(plain_begin(c, 0));
    vk.CmdBindPipeline(c, VK_PIPELINE_BIND_POINT_COMPUTE, s->kernel.pipeline);
    vk.CmdBindDescriptorSets(c, VK_PIPELINE_BIND_POINT_COMPUTE, s->kernel.layout, 0, 1, &s->set, 0,
                             NULL);
    return 0;
}

static int record_by_hand(bench *b, chain_state *s) {
    TRY(plain_commands(&b->plain, &s->whole));
    TRY(begin_chain(s, s->whole));
    for (uint32_t i = 0; i < LINKS; i++) record_dispatch(s->whole, i > 0);
    TRY(vk.EndCommandBuffer(s->whole));
    for (uint32_t i = 0; i < LINKS; i++) {
        TRY(plain_commands(&b->plain, &s->links[i]));
        TRY(begin_chain(s, s->links[i]));
        record_dispatch(s->links[i], true);
        TRY(vk.EndCommandBuffer(s->links[i]));
    }
    return 0;
}

static int run_whole(bench *b, void *state) {
    chain_state *s = state;
    TRY(plain_submit(&b->plain, s->whole, s->timeline, ++s->value));
    return plain_wait(&b->plain, s->timeline, s->value);
}

static int run_links(bench *b, void *state) {
    chain_state *s = state;
    VkCommandBufferSubmitInfo commands[LINKS];
    VkSubmitInfo2 batches[LINKS];
    const VkSemaphoreSubmitInfo signal = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                          .semaphore = s->timeline,
                                          .value = ++s->value,
                                          .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    for (uint32_t i = 0; i < LINKS; i++) {
        commands[i] = (VkCommandBufferSubmitInfo){
            .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, .commandBuffer = s->links[i]};
        batches[i] = (VkSubmitInfo2){.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                     .commandBufferInfoCount = 1,
                                     .pCommandBufferInfos = &commands[i],
                                     .signalSemaphoreInfoCount = i == LINKS - 1,
                                     .pSignalSemaphoreInfos = &signal};
    }
    TRY(vk.QueueSubmit2(b->plain.queue, LINKS, batches, VK_NULL_HANDLE));
    return plain_wait(&b->plain, s->timeline, s->value);
}

/* ---- With execs ------------------------------------------------------------------------------ */

static int run_one_submit(bench *b, void *state) {
    chain_state *s = state;
    rp_submission submissions[LINKS];
    for (uint32_t i = 0; i < LINKS; i++) submissions[i] = (rp_submission){.exec = s->execs[i % 2]};
    TRY(rp_device_submit(b->device, submissions, LINKS, b->diags, NULL));
    return rp_exec_wait(s->execs[1], 0, UINT64_MAX, b->diags);
}

static int run_joined(bench *b, void *state) {
    chain_state *s = state;
    rp_submission submissions[LINKS];
    for (uint32_t i = 0; i < LINKS; i++)
        submissions[i] = (rp_submission){.exec = s->execs[i % 2], .join = 1};
    TRY(rp_device_submit(b->device, submissions, LINKS, b->diags, NULL));
    return rp_exec_wait(s->execs[1], 0, UINT64_MAX, b->diags);
}

static int run_semaphores(bench *b, void *state) {
    chain_state *s = state;
    uint64_t replay = 0;
    for (uint32_t i = 0; i < LINKS; i++) {
        const rp_semaphore before = {rp_exec_timeline(s->execs[(i + 1) % 2]), replay, 0};
        const rp_submit_params params = {
            .size = sizeof params, .waits = &before, .wait_count = i > 0};
        TRY(rp_exec_submit(s->execs[i % 2], &params, b->diags, &replay));
    }
    return rp_exec_wait(s->execs[1], replay, UINT64_MAX, b->diags);
}

static int run_recorded(bench *b, void *state) {
    chain_state *s = state;
    TRY(plain_submit(&b->plain, s->recorded, s->timeline, ++s->value));
    return plain_wait(&b->plain, s->timeline, s->value);
}

/* The plans in a command buffer of the application, with its barriers between them. */
static int record_execs(bench *b, chain_state *s) {
    rp_scopes scopes = {.size = sizeof scopes};
    TRY(rp_exec_get_scopes(s->execs[0], &scopes));
    TRY(plain_commands(&b->plain, &s->recorded));
    TRY(plain_begin(s->recorded, 0));
    for (uint32_t i = 0; i < LINKS; i++) {
        if (i > 0)
            plain_barrier(s->recorded, scopes.stages, scopes.writes, scopes.stages,
                          scopes.reads | scopes.writes);
        TRY(rp_exec_record(s->execs[i % 2], 0, s->recorded, b->diags));
    }
    TRY(vk.EndCommandBuffer(s->recorded));
    return 0;
}

static int run_host(bench *b, void *state) {
    chain_state *s = state;
    for (uint32_t i = 0; i < LINKS; i++) {
        TRY(rp_exec_submit(s->execs[i % 2], NULL, b->diags, NULL));
        TRY(rp_exec_wait(s->execs[i % 2], 0, UINT64_MAX, b->diags));
    }
    return 0;
}

/* ---- The case -------------------------------------------------------------------------------- */

static int settle_chain(bench *b, void *state) {
    chain_state *s = state;
    TRY(rp_exec_wait(s->execs[0], 0, UINT64_MAX, b->diags));
    s->chains++;
    return 0;
}

/* All chains on one word. */
static int check_chain(bench *b, chain_state *s) {
    uint32_t expected = 0, word;
    for (uint64_t i = 0; i < s->chains * LINKS; i++) expected = 3 * expected + 1;
    TRY(rp_storage_read(s->storage, CHAIN_BYTES - 4, &word, 4, b->diags));
    if (word == expected) return 0;
    fprintf(stderr, "a chain did not run in order\n");
    return -1;
}

static int open_chain(bench *b, chain_state *s) {
    static const uint32_t zeros[CHAIN_COUNT];
    const plain *p = &b->plain;
    const VkDescriptorType type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    rp_plan *plan;
    TRY(plan_of(b, record_link, NULL, &plan));
    TRY(plain_buffer_create(p, CHAIN_BYTES, PLAIN_DEVICE, &s->data));
    TRY(plain_storage(b->device, &s->data, false, b->diags, &s->storage));
    TRY(rp_storage_write(s->storage, 0, zeros, CHAIN_BYTES, b->diags));
    const rp_binding binding = {.buffer = "data", .storage = s->storage};
    const rp_exec_params params = {.size = sizeof params, .bindings = &binding, .binding_count = 1};
    for (uint32_t i = 0; i < 2; i++)
        TRY(rp_exec_create(b->device, plan, &params, b->diags, &s->execs[i]));
    rp_plan_kernel_info kernel = {.size = sizeof kernel};
    TRY(rp_plan_get_kernel(plan, 0, &kernel));
    const VkDescriptorBufferInfo range = {s->data.handle, 0, CHAIN_BYTES};
    TRY(plain_kernel_create(p, &kernel, 1, type, VK_NULL_HANDLE, &s->kernel));
    TRY(plain_set(p, &s->kernel, type, &range, 1, &s->set));
    TRY(plain_timeline(p, &s->timeline));
    rp_plan_destroy(plan);
    TRY(record_by_hand(b, s));
    return record_execs(b, s);
}

int bench_chain(bench *b) {
    static const way ways[] = {
        {"by hand: one command buffer, barriers", run_whole, settle_chain, 0},
        {"by hand: 64 command buffers", run_links, settle_chain, 0},
        {"rp_device_submit of 64", run_one_submit, settle_chain, 0},
        {"rp_device_submit of 64, joined", run_joined, settle_chain, 0},
        {"rp_exec_record of 64, one command buffer", run_recorded, settle_chain, 0},
        {"64 rp_exec_submit with semaphores", run_semaphores, settle_chain, 0},
        {"64 rp_exec_submit, the host waits", run_host, settle_chain, 0},
    };
    chain_state s = {0};
    TRY(open_chain(b, &s));
    TRY(compare(b, &(comparison){"chain, for a plan", ways, 7, &s, .operations = LINKS}));
    TRY(check_chain(b, &s));
    for (uint32_t i = 0; i < 2; i++) rp_exec_destroy(s.execs[i]);
    rp_storage_release(s.storage);
    plain_kernel_destroy(&b->plain, &s.kernel);
    plain_buffer_destroy(&b->plain, &s.data);
    vk.DestroySemaphore(b->plain.device, s.timeline, NULL);
    return 0;
}
