/* Plans with tagged buffers on the device at hand: in every form that they are recorded in, replayed back
 * to back, in slots, in pieces and broken off, with memory that others use; and where the order of starts
 * is broken on purpose. Results are those of -O0. */
#include "gpu.h"

#include "device/device.h"
#include "driver/quirks.h"

enum { ROWS = 64, COLUMNS = 256, COUNT = ROWS * COLUMNS, BYTES = COUNT * 4, MANY = 25 };

/* A reader of all rows behind a writer of some, several readers, and a state that counts replays. */
static const char text[] =
    "reprise 1\ngraph tags {\n"
    "  buf $x in f32[64,256]\n  buf $s inout f32[64,256]\n  buf $y out f32[64,256]\n"
    "  buf %a tmp f32[64,256]\n  buf %b tmp f32[64,256]\n  buf %c tmp f32[64,256]\n"
    "  n0 = op silu (r $x:f32[64,256], w %a:f32[64,256])\n"
    "  n1 = op softmax (r %a:f32[64,256], -, w %b:f32[64,256])\n"
    "  n2 = op add (r %a:f32[64,256], r %b:f32[64,256], w %c:f32[64,256])\n"
    "  n3 = op add (r %c:f32[64,256], r $s:f32[64,256], w $y:f32[64,256])\n"
    "  n4 = op add (r $s:f32[64,256], r %c:f32[64,256], w $s:f32[64,256])\n}\n";

static const char pipeline[] = "schedule,flow=all,lower,place,sync";

static rp_device *device;
static rp_target target;
static rp_plan *tagged, *plain;
static rp_diags *diags;
static float x[COUNT];

static void expect(rp_status status, rp_status wanted) {
    CU_ASSERT_EQUAL(status, wanted);
    if (status != wanted) gpu_report(diags);
    rp_diags_clear(diags);
}

static rp_graph *compile(const char *what) {
    rp_graph *source = gpu_parse(what), *compiled = NULL;
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline = pipeline,
                                     .lowering = rp_lowering_default(),
                                     .target = &target};
    expect(rp_passes_run(source, &options, diags, &compiled, NULL, NULL), RP_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(compiled);
    rp_graph_destroy(source);
    return compiled;
}

static rp_joining joining; /* of the execs that tests open */

static rp_exec *open_exec(const rp_plan *plan, rp_exec_params params) {
    params.size = sizeof params;
    params.joining = joining;
    params.cache_path = "";
    rp_exec *exec = gpu_exec(device, plan, &params);
    for (uint32_t s = 0; s < (params.slots ? params.slots : 1); s++)
        expect(rp_exec_write(exec, s, "x", 0, x, BYTES, diags), RP_OK);
    return exec;
}

/* Results of a slot after so many replays at -O0. */
static void compare(rp_exec *exec, uint32_t slot, uint32_t replays, const char *buffer) {
    static float is[COUNT], wanted[COUNT];
    rp_exec *other = open_exec(plain, (rp_exec_params){0});
    for (uint32_t i = 0; i < replays; i++) expect(rp_exec_submit(other, NULL, diags, NULL), RP_OK);
    expect(rp_exec_wait(other, 0, UINT64_MAX, diags), RP_OK);
    expect(rp_exec_read(other, 0, buffer, 0, wanted, BYTES, diags), RP_OK);
    expect(rp_exec_read(exec, slot, buffer, 0, is, BYTES, diags), RP_OK);
    CU_ASSERT_EQUAL(memcmp(is, wanted, BYTES), 0);
    rp_exec_destroy(other);
}

static rp_counters counters_of(rp_exec *exec) {
    rp_counters c = {.size = sizeof c};
    expect(rp_exec_get_counters(exec, &c), RP_OK);
    return c;
}

static void submit(rp_exec *exec, uint32_t slot, uint32_t count) {
    const rp_submit_params params = {.size = sizeof params, .slot = slot};
    for (uint32_t i = 0; i < count; i++) expect(rp_exec_submit(exec, &params, diags, NULL), RP_OK);
}

/* ---- Forms ----------------------------------------------------------------------------------- */

/* The first replay finds memory of which nothing is known; all others leave barriers out. */
static void test_in_a_row(void) {
    rp_exec *exec = open_exec(tagged, (rp_exec_params){.tags = RP_TAGS_ON});
    submit(exec, 0, MANY);
    expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    compare(exec, 0, MANY, "y");
    compare(exec, 0, MANY, "s");
    rp_counters c = counters_of(exec);
    CU_ASSERT_EQUAL(c.replays_tagged, MANY - 1);
    CU_ASSERT_EQUAL(c.stalls, 0);
    rp_exec_destroy(exec);
}

static void test_off(void) {
    rp_exec *exec = open_exec(tagged, (rp_exec_params){.tags = RP_TAGS_OFF});
    submit(exec, 0, MANY);
    expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    compare(exec, 0, MANY, "s");
    rp_counters c = counters_of(exec);
    CU_ASSERT_EQUAL(c.replays_tagged, 0);
    CU_ASSERT(c.barriers > 0);
    rp_exec_destroy(exec);
    const rp_exec_params wrong = {.size = sizeof wrong, .tags = (rp_tags)7};
    expect(rp_exec_create(device, tagged, &wrong, diags, &exec), RP_ERROR_USAGE);
}

/* Fewer barriers are recorded, and the plan says how many. */
static void test_fewer(void) {
    rp_plan_info info = {.size = sizeof info};
    expect(rp_plan_get_info(tagged, &info), RP_OK);
    CU_ASSERT_EQUAL(info.tagged, 3);
    CU_ASSERT(info.tagged_barriers < info.barriers);
    rp_exec *exec = open_exec(tagged, (rp_exec_params){.tags = RP_TAGS_ON});
    submit(exec, 0, 1);
    uint64_t first = counters_of(exec).barriers;
    submit(exec, 0, 1);
    CU_ASSERT_EQUAL(counters_of(exec).barriers - first + info.barriers - info.tagged_barriers,
                    first);
    expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    rp_exec_destroy(exec);
}

static void test_slots(void) {
    enum { SLOTS = 3 };
    rp_exec *exec = open_exec(
        tagged, (rp_exec_params){.tags = RP_TAGS_ON, .slots = SLOTS, .state_per_slot = 1});
    for (uint32_t i = 0; i < MANY; i++)
        for (uint32_t s = 0; s <= i % SLOTS; s++) submit(exec, s, 1);
    expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    for (uint32_t s = 0; s < SLOTS; s++) {
        uint32_t replays = 0;
        for (uint32_t i = 0; i < MANY; i++) replays += s <= i % SLOTS;
        compare(exec, s, replays, "s");
    }
    CU_ASSERT_EQUAL(counters_of(exec).replays_tagged, counters_of(exec).replays - SLOTS);
    rp_exec_destroy(exec);
}

/* Behind a replay that was broken off, words of two replays lie side by side. */
static void test_cancelled(void) {
    rp_exec *exec = open_exec(tagged, (rp_exec_params){.tags = RP_TAGS_ON, .pieces = 4});
    CU_ASSERT_FATAL(rp_exec_piece_count(exec) > 1);
    submit(exec, 0, 2);
    for (uint32_t i = 1; i < rp_exec_piece_count(exec); i++) {
        const rp_submit_params some = {.size = sizeof some, .pieces = i};
        uint64_t before = counters_of(exec).replays_tagged;
        expect(rp_exec_submit(exec, &some, diags, NULL), RP_OK);
        expect(rp_exec_cancel(exec, diags), RP_OK);
        submit(exec, 0, 1);
        CU_ASSERT_EQUAL(counters_of(exec).replays_tagged, before + 1);
        submit(exec, 0, 3);
        CU_ASSERT_EQUAL(counters_of(exec).replays_tagged, before + 4);
        expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        float zeros[COUNT] = {0};
        expect(rp_exec_write(exec, 0, "s", 0, zeros, BYTES, diags), RP_OK);
        submit(exec, 0, 1);
        expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        compare(exec, 0, 1, "y");
    }
    rp_exec_destroy(exec);
}

/* What the application may submit again and again, whenever it wants, has all barriers. */
static void test_commands(void) {
    rp_exec *exec = open_exec(tagged, (rp_exec_params){.tags = RP_TAGS_ON});
    submit(exec, 0, 3);
    CU_ASSERT_PTR_NOT_NULL(rp_exec_command_buffer(exec, 0, 0));
    uint64_t replay = 0;
    expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    expect(rp_exec_submit(exec, NULL, diags, &replay), RP_OK);
    expect(rp_exec_wait(exec, replay, UINT64_MAX, diags), RP_OK);
    compare(exec, 0, 4, "s");
    rp_exec_destroy(exec);
}

/* An arena that the application lends may hold anything between replays: words with any tag. */
static void test_lent_arena(void) {
    rp_plan_info info = {.size = sizeof info};
    expect(rp_plan_get_info(tagged, &info), RP_OK);
    const rp_storage_params params = {.size = sizeof params, .bytes = info.arena_bytes};
    rp_storage *arena = NULL;
    expect(rp_storage_create(device, &params, diags, &arena), RP_OK);
    const rp_binding binding = {NULL, arena, 0, 0, 0};
    rp_exec *execs[2];
    for (uint32_t i = 0; i < 2; i++)
        execs[i] = open_exec(
            tagged, (rp_exec_params){.tags = RP_TAGS_ON, .bindings = &binding, .binding_count = 1});
    for (uint32_t i = 0; i < 4; i++) {
        submit(execs[i % 2], 0, 1);
        expect(rp_exec_wait(execs[i % 2], 0, UINT64_MAX, diags), RP_OK);
    }
    for (uint32_t i = 0; i < 2; i++) {
        compare(execs[i], 0, 2, "s");
        CU_ASSERT_EQUAL(counters_of(execs[i]).replays_tagged, 0);
        rp_exec_destroy(execs[i]);
    }
    rp_storage_release(arena);
}

/* Bound anew, memory is another, and so are its words. */
static void test_bound_anew(void) {
    const rp_storage_params params = {.size = sizeof params, .bytes = BYTES};
    rp_storage *y = NULL;
    rp_exec *exec = open_exec(tagged, (rp_exec_params){.tags = RP_TAGS_ON});
    submit(exec, 0, 3);
    expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    expect(rp_storage_create(device, &params, diags, &y), RP_OK);
    const rp_binding binding = {"y", y, 0, 0, 0};
    expect(rp_exec_bind(exec, &binding, 1, diags), RP_OK);
    submit(exec, 0, 3);
    expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    compare(exec, 0, 6, "s");
    CU_ASSERT_EQUAL(counters_of(exec).replays_tagged, 2 + 2);
    rp_exec_destroy(exec);
    rp_storage_release(y);
}

/* ---- Stalls ---------------------------------------------------------------------------------- */

/* The plan with a reader of tagged elements in front of their writer: it waits in vain. */
static rp_plan *make_broken(void) {
    rp_graph *g = compile(text);
    uint32_t group[2] = {g->nodes[0].group, g->nodes[1].group};
    CU_ASSERT_EQUAL(group[1], group[0] + 1);
    rp_graph_node node = g->nodes[0];
    g->nodes[0] = g->nodes[1];
    g->nodes[1] = node;
    for (uint32_t i = 0; i < 2; i++) g->nodes[i].group = group[i];
    rp_plan *plan = gpu_pack(g);
    rp_graph_destroy(g);
    return plan;
}

/* Nothing hangs, who waits is told, and the exec goes on with barriers. What the writer left then is there
 * for the reader of the next replay: with the same inputs, the right elements. */
static void test_stall(void) {
    rp_plan *broken = make_broken();
    rp_exec *exec = open_exec(broken, (rp_exec_params){.tags = RP_TAGS_ON});
    uint64_t replay = 0;
    expect(rp_exec_submit(exec, NULL, diags, &replay), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, replay, UINT64_MAX, diags), RP_ERROR_STALLED);
    CU_ASSERT_EQUAL(rp_diags_count(diags), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(rp_diags_get(diags, 0).message, "gave up waiting"));
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(counters_of(exec).stalls, 1);
    submit(exec, 0, 2);
    expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    float zeros[COUNT] = {0};
    expect(rp_exec_write(exec, 0, "s", 0, zeros, BYTES, diags), RP_OK);
    submit(exec, 0, 1);
    expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    compare(exec, 0, 1, "y");
    CU_ASSERT_EQUAL(counters_of(exec).replays_tagged, 0);
    CU_ASSERT_EQUAL(counters_of(exec).stalls, 1);
    expect(rp_exec_wait(exec, replay, UINT64_MAX, diags), RP_ERROR_STALLED); /* of it, still true */
    rp_exec_destroy(exec);
    rp_plan_destroy(broken);
}

/* Polled until it is done, and then gone on with, read, or asked for without waiting. */
static void test_polled(void) {
    rp_plan *broken = make_broken();
    static float y[COUNT];
    for (uint32_t way = 0; way < 3; way++) {
        rp_exec *exec = open_exec(broken, (rp_exec_params){.tags = RP_TAGS_ON});
        uint64_t replay = 0;
        expect(rp_exec_submit(exec, NULL, diags, &replay), RP_OK);
        while (rp_exec_completed(exec) < replay) {
        }
        rp_status status = way == 0   ? rp_exec_submit(exec, NULL, diags, NULL)
                           : way == 1 ? rp_exec_read(exec, 0, "y", 0, y, BYTES, diags)
                                      : rp_exec_wait(exec, replay, 0, diags);
        CU_ASSERT_EQUAL(status, RP_ERROR_STALLED);
        rp_diags_clear(diags);
        submit(exec, 0, 1);
        expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        expect(rp_exec_read(exec, 0, "y", 0, y, BYTES, diags), RP_OK);
        rp_exec_destroy(exec);
    }
    rp_plan_destroy(broken);
}

/* ---- By address ------------------------------------------------------------------------------ */

/* Two dispatches or more are one, in replays that wait for elements and in no others. */
static void test_persistent(void) {
    const rp_joining ways[] = {RP_JOINING_OFF, RP_JOINING_PERSISTENT};
    uint64_t dispatches[2][2];
    for (uint32_t i = 0; i < 2; i++) {
        joining = ways[i];
        rp_exec *exec = open_exec(tagged, (rp_exec_params){.tags = RP_TAGS_ON});
        submit(exec, 0, 1);
        dispatches[i][0] = counters_of(exec).dispatches;
        submit(exec, 0, 1);
        dispatches[i][1] = counters_of(exec).dispatches - dispatches[i][0];
        expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        compare(exec, 0, 2, "s");
        rp_exec_destroy(exec);
    }
    CU_ASSERT_EQUAL(dispatches[0][0], 5);
    CU_ASSERT_EQUAL(dispatches[1][0], 5);
    CU_ASSERT_EQUAL(dispatches[0][1], 5);
    CU_ASSERT(dispatches[1][1] < 5);
    const rp_exec_params wrong = {.size = sizeof wrong, .joining = (rp_joining)3};
    rp_exec *exec;
    expect(rp_exec_create(device, tagged, &wrong, diags, &exec), RP_ERROR_USAGE);
}

/* Products of blocks, one of what the other makes. */
static const char blocks_text[] =
    "reprise 1\ngraph blocks {\n"
    "  buf $x in f32[1,128]\n  buf $w weight q8_0[96,128]\n  buf $v weight q4_0[64,96]\n"
    "  buf %h tmp f32[1,96]\n  buf $y out f32[1,64]\n"
    "  n0 = op matvec (r $x:f32[1,128], r $w:q8_0[96,128], w %h:f32[1,96])\n"
    "  n1 = op matvec (r %h:f32[1,96], r $v:q4_0[64,96], w $y:f32[1,64])\n}\n";
enum {
    W_BYTES = 96 * 128 / 32 * 34,
    V_BYTES = 64 * 96 / 32 * 18,
    WITH_ADDRESS = 0x20000 /* VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT */
};

static void replay_blocks(const rp_plan *plan, rp_joining way, uint32_t usage, float y[64]) {
    uint8_t w[W_BYTES];
    for (uint32_t i = 0; i < W_BYTES; i++) /* scales are halves: small ones */
        w[i] = i % 34 == 1 ? 0x2c : (uint8_t)(i * 37u + i / 34u);
    uint8_t v[V_BYTES];
    for (uint32_t i = 0; i < V_BYTES; i++) v[i] = i % 18 == 1 ? 0x2c : (uint8_t)(i * 53u);
    const rp_storage_params params = {.size = sizeof params, .bytes = W_BYTES, .usage = usage};
    rp_storage *lent = NULL;
    expect(rp_storage_create(device, &params, diags, &lent), RP_OK);
    expect(rp_storage_write(lent, 0, w, W_BYTES, diags), RP_OK);
    const rp_binding binding = {"w", lent, 0, 0, 0};
    const rp_exec_params exec_params = {.size = sizeof exec_params,
                                        .cache_path = "",
                                        .bindings = &binding,
                                        .binding_count = 1,
                                        .tags = RP_TAGS_ON,
                                        .joining = way};
    rp_exec *exec = gpu_exec(device, plan, &exec_params);
    expect(rp_exec_write(exec, 0, "v", 0, v, V_BYTES, diags), RP_OK);
    expect(rp_exec_write(exec, 0, "x", 0, x, 128 * sizeof *x, diags), RP_OK);
    submit(exec, 0, 3);
    expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(counters_of(exec).replays_tagged, 2);
    expect(rp_exec_read(exec, 0, "y", 0, y, 64 * sizeof *y, diags), RP_OK);
    rp_exec_destroy(exec);
    rp_storage_release(lent);
}

/* The same bits one by one by address, as on drivers that check loads, as one, and where what is lent has no address. */
static void test_blocks(void) {
    rp_graph *compiled = compile(blocks_text);
    rp_plan *plan = gpu_pack(compiled);
    float off[64], by_address[64], persistent[64], lent[64];
    rp_plan_info info = {.size = sizeof info};
    expect(rp_plan_get_info(plan, &info), RP_OK);
    CU_ASSERT_EQUAL(info.tagged, 1);
    replay_blocks(plan, RP_JOINING_OFF, 0, off);
    replay_blocks(plan, RP_JOINING_PERSISTENT, WITH_ADDRESS, persistent);
    replay_blocks(plan, RP_JOINING_PERSISTENT, 0, lent);
    device->quirks |= RP_QUIRK_CHECKED_LOADS;
    replay_blocks(plan, RP_JOINING_AUTO, WITH_ADDRESS, by_address);
    device->quirks &= ~(uint32_t)RP_QUIRK_CHECKED_LOADS;
    CU_ASSERT(off[3] != 0.0f && off[3] == off[3]);
    CU_ASSERT_EQUAL(memcmp(off, by_address, sizeof off), 0);
    CU_ASSERT_EQUAL(memcmp(off, persistent, sizeof off), 0);
    CU_ASSERT_EQUAL(memcmp(off, lent, sizeof off), 0);
    rp_graph_destroy(compiled);
    rp_plan_destroy(plan);
}

static void test_open(void) {
    device = gpu_open(0);
    device->quirks &= ~(uint32_t)RP_QUIRK_SHORT_LOOPS; /* these loops are */
    for (uint32_t i = 0; i < COUNT; i++) x[i] = (float)(i % 77) * 0.05f - 1.5f;
    target.size = sizeof target;
    expect(rp_device_target(device, &target), RP_OK);
    rp_graph *compiled = compile(text), *source = gpu_parse(text);
    tagged = gpu_pack(compiled);
    plain = gpu_compile_ops(source, 0, &target);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
}

int main(void) {
    static const rp_test tests[] = {{"plans", test_open},
                                    {"replays in a row", test_in_a_row},
                                    {"without tags", test_off},
                                    {"fewer barriers", test_fewer},
                                    {"slots", test_slots},
                                    {"broken off", test_cancelled},
                                    {"the application's commands", test_commands},
                                    {"an arena that is lent", test_lent_arena},
                                    {"bound anew", test_bound_anew},
                                    {"readers in front of writers", test_stall},
                                    {"the same, polled", test_polled},
                                    {NULL, NULL}};
    static const rp_test addressed[] = {{"persistent kernels", test_persistent},
                                        {"replays in a row", test_in_a_row},
                                        {"slots", test_slots},
                                        {"broken off", test_cancelled},
                                        {"an arena that is lent", test_lent_arena},
                                        {"bound anew", test_bound_anew},
                                        {"readers in front of writers", test_stall},
                                        {"blocks", test_blocks},
                                        {NULL, NULL}};
    diags = rp_diags_create(NULL);
    joining = RP_JOINING_OFF;
    int status = rp_run_tests("tagged buffers", tests);
    joining = RP_JOINING_PERSISTENT;
    status |= rp_run_tests("by address", addressed);
    rp_plan_destroy(tagged);
    rp_plan_destroy(plain);
    rp_diags_destroy(diags);
    rp_device_destroy(device, NULL);
    return status;
}
