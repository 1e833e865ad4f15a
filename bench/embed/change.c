/* Changing 1 of 1000 nodes, by each tier. Node 500 is the one that changes: it alone has a live grid,
 * a switch, a buffer of its own, and a push constant that differs between two plans. */
#include <string.h>

#include "embed.h"

enum { NODES = 1000, CHANGED = 500, RANGE = 256, BATCH = 64 };

typedef struct change_state {
    rp_exec *exec, *made;
    rp_storage *storages[2]; /* for the buffer of node 500 */
    rp_plan *plans[2];
    rp_program *program;
    rp_buffer all, own;
    rp_kernel kernel;
    uint32_t live, turn;
    uint32_t *mapped; /* a word that the host writes by hand */
    plain_buffer word, data;
    plain_kernel plain_kernel;
    VkDescriptorSet set;
    VkCommandBuffer commands;
} change_state;

static const char glsl[] = "#version 450\n"
                           "layout(local_size_x = 64) in;\n"
                           "layout(binding = 0) buffer Data { uint v[]; } data;\n"
                           "layout(push_constant) uniform Push { uint add; } push;\n"
                           "void main() { data.v[gl_GlobalInvocationID.x] += push.add; }\n";

/* Buffers and kernel are made once; what changes is recorded anew. */
static int make_program(bench *b, change_state *s) {
    const rp_buffer_params data = {.size = sizeof data,
                                   .name = "data",
                                   .kind = RP_INOUT,
                                   .bytes = (uint64_t)NODES / 2 * RANGE};
    const rp_buffer_params own = {
        .size = sizeof own, .name = "own", .kind = RP_INOUT, .bytes = RANGE};
    const rp_buffer_params live = {.size = sizeof live,
                                   .name = "n",
                                   .kind = RP_LIVE,
                                   .dtype = RP_U32,
                                   .rank = 1,
                                   .shape = {1},
                                   .initial = &(uint32_t){1}};
    rp_buffer n;
    TRY(rp_program_create(NULL, "change", &s->program));
    TRY(rp_program_buffer(s->program, &data, b->diags, &s->all));
    TRY(rp_program_buffer(s->program, &own, b->diags, &s->own));
    TRY(rp_program_buffer(s->program, &live, b->diags, &n));
    TRY(rp_program_kernel(
        s->program,
        &(rp_kernel_params){.size = sizeof(rp_kernel_params), .name = "add", .glsl = glsl},
        b->diags, &s->kernel));
    return 0;
}

static int compile_nodes(bench *b, change_state *s, uint32_t add, rp_plan **out) {
    rp_recorder *r;
    rp_graph *graph;
    TRY(rp_recorder_create(s->program, &r));
    rp_bind_kernel(r, s->kernel);
    for (uint32_t i = 0; i < NODES; i++) {
        const rp_range range = {s->all, (uint64_t)(i / 2) * RANGE, RANGE};
        rp_bind(r, 0, i == CHANGED ? (rp_range){s->own} : range);
        rp_push(r, 0, i == CHANGED ? &add : &i, 4);
        if (i != CHANGED) {
            rp_dispatch(r, 1, 1, 1);
            continue;
        }
        rp_label_begin(r, "changed");
        rp_optional_begin(r);
        rp_dispatch_live(r, "min(n, 1)", "1", "1");
        rp_optional_end(r);
        rp_label_end(r);
    }
    TRY(rp_program_graph(s->program, &r, 1, b->diags, &graph));
    TRY(rp_compile(graph, NULL, b->diags, out, NULL));
    rp_graph_destroy(graph);
    rp_recorder_destroy(r);
    return 0;
}

/* ---- A value --------------------------------------------------------------------------------- */

static int run_word(bench *b, void *state) {
    change_state *s = state;
    (void)b;
    for (uint32_t i = 0; i < BATCH; i++) {
        const uint32_t value = i % 2;
        memcpy(s->mapped, &value, sizeof value);
        __asm__ volatile("" ::: "memory"); /* each of them */
    }
    return 0;
}

static int run_live(bench *b, void *state) {
    change_state *s = state;
    for (uint32_t i = 0; i < BATCH; i++)
        TRY(rp_exec_set_live_at(s->exec, 0, s->live, 0, &(uint32_t){i % 2}, 1, b->diags));
    return 0;
}

static int run_live_by_name(bench *b, void *state) {
    change_state *s = state;
    for (uint32_t i = 0; i < BATCH; i++)
        TRY(rp_exec_set_live(s->exec, 0, "n", 0, &(uint32_t){i % 2}, 1, b->diags));
    return 0;
}

static int run_enable(bench *b, void *state) {
    change_state *s = state;
    for (uint32_t i = 0; i < BATCH; i++)
        TRY(rp_exec_enable(s->exec, 0, "changed", i % 2, b->diags));
    return 0;
}

/* ---- A node ---------------------------------------------------------------------------------- */

/* What an application without plans does: all of it again. */
static int run_again(bench *b, void *state) {
    change_state *s = state;
    const VkPipelineStageFlags2 compute = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT;
    VkCommandBuffer c = s->commands;
    (void)b;
    TRY(plain_begin(c, 0));
    vk.CmdBindPipeline(c, VK_PIPELINE_BIND_POINT_COMPUTE, s->plain_kernel.pipeline);
    for (uint32_t i = 0; i < NODES; i++) {
        const uint32_t offset = i / 2 * RANGE;
        vk.CmdBindDescriptorSets(c, VK_PIPELINE_BIND_POINT_COMPUTE, s->plain_kernel.layout, 0, 1,
                                 &s->set, 1, &offset);
        vk.CmdPushConstants(c, s->plain_kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4, &i);
        vk.CmdDispatch(c, 1, 1, 1);
        if (i == NODES / 2)
            plain_barrier(c, compute, VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT, compute,
                          VK_ACCESS_2_SHADER_STORAGE_READ_BIT |
                              VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT);
    }
    TRY(vk.EndCommandBuffer(c));
    return 0;
}

static int run_bind(bench *b, void *state) {
    change_state *s = state;
    const rp_binding binding = {.buffer = "own", .storage = s->storages[s->turn ^= 1]};
    return rp_exec_bind(s->exec, &binding, 1, b->diags);
}

static int run_update(bench *b, void *state) {
    change_state *s = state;
    return rp_exec_update(s->exec, s->plans[s->turn ^= 1], NULL, b->diags);
}

static int run_compile(bench *b, void *state) {
    change_state *s = state;
    rp_plan *plan;
    TRY(compile_nodes(b, s, s->turn ^= 1, &plan));
    TRY(rp_exec_update(s->exec, plan, NULL, b->diags));
    rp_plan_destroy(plan);
    return 0;
}

static int run_create(bench *b, void *state) {
    change_state *s = state;
    return rp_exec_create(b->device, s->plans[0], NULL, b->diags, &s->made);
}

static int settle_create(bench *b, void *state) {
    change_state *s = state;
    (void)b;
    rp_exec_destroy(s->made);
    s->made = NULL;
    return 0;
}

/* ---- The case -------------------------------------------------------------------------------- */

static int open_change(bench *b, change_state *s) {
    const plain *p = &b->plain;
    const uint64_t bytes = (uint64_t)NODES / 2 * RANGE;
    TRY(make_program(b, s));
    for (uint32_t i = 0; i < 2; i++) {
        const rp_storage_params params = {.size = sizeof params, .bytes = RANGE};
        TRY(compile_nodes(b, s, i, &s->plans[i]));
        TRY(rp_storage_create(b->device, &params, b->diags, &s->storages[i]));
    }
    static const char *const switches[] = {"changed"};
    const rp_exec_params params = {.size = sizeof params, .switches = switches, .switch_count = 1};
    TRY(rp_exec_create(b->device, s->plans[0], &params, b->diags, &s->exec));
    TRY(rp_exec_find(s->exec, "n", &s->live));
    rp_plan_kernel_info kernel = {.size = sizeof kernel};
    TRY(rp_plan_get_kernel(s->plans[0], 0, &kernel));
    const VkDescriptorType type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
    TRY(plain_buffer_create(p, bytes, PLAIN_DEVICE, &s->data));
    TRY(plain_buffer_create(p, 256, PLAIN_UPLOAD, &s->word));
    s->mapped = (uint32_t *)(void *)s->word.mapped;
    const VkDescriptorBufferInfo range = {s->data.handle, 0, RANGE};
    TRY(plain_kernel_create(p, &kernel, 1, type, VK_NULL_HANDLE, &s->plain_kernel));
    TRY(plain_set(p, &s->plain_kernel, type, &range, 1, &s->set));
    return plain_commands(p, &s->commands);
}

int bench_change(bench *b) {
    static const way values[] = {
        {"a memcpy of 4 bytes", run_word, NULL, 0},
        {"rp_exec_set_live_at, a grid follows", run_live, NULL, 0},
        {"rp_exec_set_live, by name", run_live_by_name, NULL, 0},
        {"rp_exec_enable of the node", run_enable, NULL, 0},
    };
    static const way nodes[] = {
        {"by hand: record 1000 dispatches", run_again, NULL, 0},
        {"rp_exec_bind of 1 buffer", run_bind, NULL, 0},
        {"rp_exec_update to a plan that is there", run_update, NULL, 0},
        {"record calls, compile, rp_exec_update", run_compile, NULL, 0},
        {"rp_exec_create", run_create, settle_create, 0},
    };
    change_state s = {0};
    TRY(open_change(b, &s));
    TRY(compare(b, &(comparison){"change a value", values, 4, &s, .operations = BATCH}));
    TRY(compare(b, &(comparison){"change 1 of 1000 nodes", nodes, 5, &s}));
    rp_exec_destroy(s.exec);
    for (uint32_t i = 0; i < 2; i++) {
        rp_plan_destroy(s.plans[i]);
        rp_storage_release(s.storages[i]);
    }
    rp_program_destroy(s.program);
    plain_kernel_destroy(&b->plain, &s.plain_kernel);
    plain_buffer_destroy(&b->plain, &s.data);
    plain_buffer_destroy(&b->plain, &s.word);
    return 0;
}
