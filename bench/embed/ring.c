/* A ring of three slots against one, with work for the host and for the device in each frame: the
 * host writes 256 KiB and reads as much, the kernel does a little with each word. */
#include <string.h>

#include "embed.h"

enum { RING = 3, FRAMES = 30, RING_BYTES = 256 << 10, RING_COUNT = RING_BYTES / 4 };

/* One slot or three; all work in the same memory. */
typedef struct ring {
    uint32_t slots;
    rp_exec *exec;
    uint64_t replays[RING];
} ring;

typedef struct ring_state {
    plain_buffer x, y; /* RING x RING_BYTES each, mapped */
    rp_storage *storages[2];
    plain_kernel kernel;
    VkDescriptorSet sets[RING];
    VkCommandBuffer commands[RING];
    VkSemaphore timeline;
    uint64_t value;
    ring one, three;
    uint32_t in[RING_COUNT], out[RING_COUNT];
} ring_state;

static int record_work(bench *b, rp_program *program, rp_recorder *r, void *user) {
    static const char glsl[] =
        "#version 450\n"
        "layout(local_size_x = 64) in;\n"
        "layout(binding = 0) readonly buffer X { uint v[]; } x;\n"
        "layout(binding = 1) writeonly buffer Y { uint v[]; } y;\n"
        "void main() {\n"
        "    uint i = gl_GlobalInvocationID.x, value = x.v[i];\n"
        "    for (uint k = 0; k < 8; k++) value = value * 1664525 + 1013904223;\n"
        "    y.v[i] = value;\n"
        "}\n";
    rp_buffer x, y;
    rp_kernel kernel;
    (void)user;
    TRY(rp_program_buffer(
        program,
        &(rp_buffer_params){
            .size = sizeof(rp_buffer_params), .name = "x", .kind = RP_IN, .bytes = RING_BYTES},
        b->diags, &x));
    TRY(rp_program_buffer(
        program,
        &(rp_buffer_params){
            .size = sizeof(rp_buffer_params), .name = "y", .kind = RP_OUT, .bytes = RING_BYTES},
        b->diags, &y));
    TRY(rp_program_kernel(
        program,
        &(rp_kernel_params){.size = sizeof(rp_kernel_params), .name = "work", .glsl = glsl},
        b->diags, &kernel));
    rp_bind_kernel(r, kernel);
    rp_bind(r, 0, (rp_range){x});
    rp_bind(r, 1, (rp_range){y});
    rp_dispatch(r, RING_COUNT / 64, 1, 1);
    return 0;
}

/* ---- Frames ---------------------------------------------------------------------------------- */

static void write_frame(ring_state *s, uint32_t slot) {
    memcpy(s->x.mapped + (size_t)slot * RING_BYTES, s->in, RING_BYTES);
}
static void read_frame(ring_state *s, uint32_t slot) {
    memcpy(s->out, s->y.mapped + (size_t)slot * RING_BYTES, RING_BYTES);
}

static int frames_by_hand(bench *b, ring_state *s, uint32_t slots) {
    uint64_t first = s->value;
    for (uint32_t f = 0; f < FRAMES + slots; f++) {
        if (f >= slots) {
            TRY(plain_wait(&b->plain, s->timeline, first + f - slots + 1));
            read_frame(s, f % slots);
        }
        if (f >= FRAMES) continue;
        write_frame(s, f % slots);
        TRY(plain_submit(&b->plain, s->commands[f % slots], s->timeline, ++s->value));
    }
    return 0;
}

static int frames(bench *b, ring_state *s, ring *r) {
    for (uint32_t f = 0; f < FRAMES + r->slots; f++) {
        uint32_t slot = f % r->slots;
        if (f >= r->slots) {
            TRY(rp_exec_wait(r->exec, r->replays[slot], UINT64_MAX, b->diags));
            read_frame(s, slot);
        }
        if (f >= FRAMES) continue;
        write_frame(s, slot);
        const rp_submit_params params = {.size = sizeof params, .slot = slot};
        TRY(rp_exec_submit(r->exec, &params, b->diags, &r->replays[slot]));
    }
    return 0;
}

static int run_one_by_hand(bench *b, void *state) {
    return frames_by_hand(b, state, 1);
}
static int run_three_by_hand(bench *b, void *state) {
    return frames_by_hand(b, state, RING);
}
static int run_one(bench *b, void *state) {
    return frames(b, state, &((ring_state *)state)->one);
}
static int run_three(bench *b, void *state) {
    return frames(b, state, &((ring_state *)state)->three);
}

static int settle_ring(bench *b, void *state) {
    ring_state *s = state;
    (void)b;
    for (uint32_t i = 0; i < RING_COUNT; i += 97) {
        uint32_t value = s->in[i];
        for (uint32_t k = 0; k < 8; k++) value = value * 1664525 + 1013904223;
        if (s->out[i] != value) {
            fprintf(stderr, "a frame of the ring is wrong\n");
            return -1;
        }
    }
    for (uint32_t i = 0; i < RING_COUNT; i++) s->in[i] += i;
    memset(s->out, 0, sizeof s->out);
    return 0;
}

/* ---- The case -------------------------------------------------------------------------------- */

static int record_ring_by_hand(bench *b, ring_state *s, uint32_t slot) {
    const VkDescriptorType type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    const VkDeviceSize at = (VkDeviceSize)slot * RING_BYTES;
    const VkDescriptorBufferInfo ranges[] = {{s->x.handle, at, RING_BYTES},
                                             {s->y.handle, at, RING_BYTES}};
    VkCommandBuffer c;
    TRY(plain_set(&b->plain, &s->kernel, type, ranges, 2, &s->sets[slot]));
    TRY(plain_commands(&b->plain, &s->commands[slot]));
    c = s->commands[slot];
    TRY(plain_begin(c, 0));
    vk.CmdBindPipeline(c, VK_PIPELINE_BIND_POINT_COMPUTE, s->kernel.pipeline);
    vk.CmdBindDescriptorSets(c, VK_PIPELINE_BIND_POINT_COMPUTE, s->kernel.layout, 0, 1,
                             &s->sets[slot], 0, NULL);
    vk.CmdDispatch(c, RING_COUNT / 64, 1, 1);
    plain_barrier(c, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT, VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT,
                  VK_PIPELINE_STAGE_2_HOST_BIT, VK_ACCESS_2_HOST_READ_BIT);
    TRY(vk.EndCommandBuffer(c));
    return 0;
}

static int open_exec(bench *b, ring_state *s, const rp_plan *plan, uint32_t slots, ring *r) {
    const rp_binding bindings[] = {{"x", s->storages[0], 0, RP_ALL_SLOTS, RING_BYTES},
                                   {"y", s->storages[1], 0, RP_ALL_SLOTS, RING_BYTES}};
    const rp_exec_params params = {
        .size = sizeof params, .slots = slots, .bindings = bindings, .binding_count = 2};
    r->slots = slots;
    TRY(rp_exec_create(b->device, plan, &params, b->diags, &r->exec));
    return 0;
}

static int open_ring(bench *b, ring_state *s) {
    const plain *p = &b->plain;
    rp_plan *plan;
    TRY(plan_of(b, record_work, NULL, &plan));
    TRY(plain_buffer_create(p, RING * RING_BYTES, PLAIN_UPLOAD, &s->x));
    TRY(plain_buffer_create(p, RING * RING_BYTES, PLAIN_READBACK, &s->y));
    TRY(plain_storage(b->device, &s->x, true, b->diags, &s->storages[0]));
    TRY(plain_storage(b->device, &s->y, true, b->diags, &s->storages[1]));
    TRY(open_exec(b, s, plan, 1, &s->one));
    TRY(open_exec(b, s, plan, RING, &s->three));
    rp_plan_kernel_info kernel = {.size = sizeof kernel};
    TRY(rp_plan_get_kernel(plan, 0, &kernel));
    TRY(plain_kernel_create(p, &kernel, 2, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, VK_NULL_HANDLE,
                            &s->kernel));
    rp_plan_destroy(plan);
    TRY(plain_timeline(p, &s->timeline));
    for (uint32_t i = 0; i < RING; i++) TRY(record_ring_by_hand(b, s, i));
    return 0;
}

int bench_ring(bench *b) {
    static const way ways[] = {
        {"by hand, one slot", run_one_by_hand, settle_ring, 0},
        {"rp, one slot", run_one, settle_ring, 0},
        {"by hand, three", run_three_by_hand, settle_ring, 0},
        {"rp, three slots", run_three, settle_ring, 2},
    };
    static ring_state s;
    s = (ring_state){0};
    TRY(open_ring(b, &s));
    const comparison c = {"ring, for a frame", ways, 4, &s, .rounds = b->rounds / 4 + 3,
                          .operations = FRAMES};
    TRY(compare(b, &c));
    rp_exec_destroy(s.one.exec);
    rp_exec_destroy(s.three.exec);
    for (uint32_t i = 0; i < 2; i++) rp_storage_release(s.storages[i]);
    plain_kernel_destroy(&b->plain, &s.kernel);
    plain_buffer_destroy(&b->plain, &s.x);
    plain_buffer_destroy(&b->plain, &s.y);
    vk.DestroySemaphore(b->plain.device, s.timeline, NULL);
    return 0;
}
