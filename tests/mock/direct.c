/* Direct mode on the fake driver: random calls, whose stream is judged by the rules of Vulkan alone;
 * what is counted and told of it; and that work that comes back costs nothing. */
#include "direct_opened.h"
#include "hazards.h"
#include "support/cases.h"

enum { SEQUENCES = RP_PART > 1 ? 30 : 80, CALLS = 40 };

static rp_encoder_report end(void) {
    rp_encoder_report report = {.size = sizeof report};
    rp_status status = rp_direct_end(direct, &report);
    if (status != RP_OK) said();
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    CU_ASSERT_EQUAL_FATAL(own_commands_end(device, &commands), VK_SUCCESS);
    return report;
}

/* ---- Random calls ---------------------------------------------------------------------------- */

/* Makes the pipelines in the order of the kernels, so that their numbers are known. */
static void use_kernels(hazard_binding bindings[], size_t *out_count) {
    static const char *const access[] = {[RP_READ] = "SR",
                                         [RP_WRITE] = "SW",
                                         [RP_READ_WRITE] = "SRSW",
                                         [RP_UNIFORM] = "UR",
                                         [RP_SAMPLED] = "SS"};
    hazard_forget_sets();
    rp_recorder *r = begin(NULL);
    *out_count = 0;
    for (uint32_t i = 0; i < RP_CALLS_KERNELS; i++) {
        const rp_calls_kernel *k = &rp_calls_kernels[i];
        rp_bind_kernel(r, calls.kernels[i]);
        for (uint32_t j = 0; j < k->binding_count; j++) {
            const rp_calls_binding *b = &k->bindings[j];
            rp_bind_in_set(r, b->set, b->binding, (rp_range){calls.buffers[1 + j], 0, 256});
            bindings[(*out_count)++] = (hazard_binding){i, b->set, b->binding, access[b->access]};
        }
        rp_push(r, 0, &i, sizeof i);
        rp_dispatch(r, 1, 1, 1);
    }
    end();
}

static void take_sets(void) {
    CU_ASSERT(strlen(mock.descriptors) + 100 < sizeof mock.descriptors);
    hazard_sets(mock.descriptors);
    *mock.descriptors = '\0';
}

static uint32_t sum(const uint32_t *counts) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < RP_HAZARD_KINDS; i++) total += counts[i];
    return total;
}

static void check_stream(const hazard_binding *bindings, size_t count, bool fences,
                         const rp_encoder_report *report, uint64_t seed) {
    hazard_stream *stream = hazard_read(mock_commands(commands.handle), bindings, count);
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    bool ok = hazard_ordered(stream, false) && (fences || hazard_minimal(stream));
    if (!ok) printf("  seed %llu\n", (unsigned long long)seed);
    CU_ASSERT(ok);
    CU_ASSERT_EQUAL(hazard_barriers(stream), sum(report->emitted));
    CU_ASSERT_EQUAL(hazard_nodes(stream), report->dispatches + report->transfers);
    CU_ASSERT_EQUAL(hazard_nodes(stream),
                    sum(report->emitted) + sum(report->elided) + report->independent);
    hazard_free(stream);
}

static void test_random(void) {
    hazard_binding bindings[16];
    size_t count;
    uint32_t emitted[RP_HAZARD_KINDS] = {0}, elided[RP_HAZARD_KINDS] = {0}, independent = 0;
    open_all();
    use_kernels(bindings, &count);
    take_sets();
    for (uint64_t seed = 1; seed <= SEQUENCES; seed++) {
        bool fences = seed % 4 == 0;
        rp_recorder *r = begin(NULL);
        rp_calls_make(&calls, r, seed, CALLS, fences);
        const rp_encoder_report report = end();
        take_sets();
        check_stream(bindings, count, fences, &report, seed);
        for (uint32_t i = 0; i < RP_HAZARD_KINDS; i++) {
            emitted[i] += report.emitted[i];
            elided[i] += report.elided[i];
        }
        independent += report.independent;
        rp_direct_done(direct, report.number);
    }
    /* There was something of everything. */
    for (uint32_t i = 0; i < RP_ORDER; i++) CU_ASSERT(emitted[i] > 10 && elided[i] > 10);
    CU_ASSERT(emitted[RP_ORDER] > 0);
    CU_ASSERT(independent > 100);
    close_all();
}

/* Two buffers of the program at bytes that they share: hazards are those of the bytes. */
static void test_shared_bytes(void) {
    hazard_binding bindings[16];
    size_t count;
    open_all();
    rp_storage *both;
    const rp_storage_params params = {
        .size = sizeof params, .bytes = RP_CALLS_BYTES, .uninitialised = 1};
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &both), RP_OK);
    use_kernels(bindings, &count);
    for (uint32_t i = 1; i <= 2; i++)
        CU_ASSERT_EQUAL(rp_direct_bind(direct, calls.buffers[i], both, 0, diags), RP_OK);
    rp_recorder *r = begin(NULL);
    rp_fill(r, (rp_range){calls.buffers[1]}, 1);
    rp_copy(r, (rp_range){calls.buffers[2]}, (rp_range){calls.buffers[3]});
    const rp_encoder_report report = end();
    take_sets();
    check_stream(bindings, count, false, &report, 0);
    CU_ASSERT_EQUAL(report.emitted[RP_RAW_HAZARD], 1);
    rp_storage_release(both);
    close_all();
}

/* ---- What is told ---------------------------------------------------------------------------- */

static void dispatch(rp_recorder *r, uint32_t kernel, uint32_t from, uint32_t to, uint32_t value) {
    rp_bind_kernel(r, calls.kernels[kernel]);
    rp_bind(r, kernel == 0, (rp_range){calls.buffers[from]});
    rp_bind(r, kernel != 0, (rp_range){calls.buffers[to]});
    rp_push(r, 0, &value, sizeof value);
    rp_dispatch(r, 1, 1, 1);
}

static void expect(const char *expected) {
    const char *got = mock_commands(commands.handle);
    if (!got) got = ""; /* nothing was ever written */
    CU_ASSERT_STRING_EQUAL(got, expected);
    if (strcmp(got, expected) != 0) printf("\n--- got\n%s--- expected\n%s", got, expected);
}

/* Barriers with the scopes that each call needs, once; nothing is bound again that is bound. */
static void test_commands(void) {
    open_all();
    rp_recorder *r = begin(NULL);
    rp_label_begin(r, "fill");
    rp_fill(r, (rp_range){calls.buffers[1], 0, 8}, 7); /* s */
    rp_label_end(r);
    dispatch(r, 0, 0, 2, 1); /* t from x */
    dispatch(r, 1, 1, 2, 2); /* t and s: raw of both */
    dispatch(r, 1, 1, 2, 2); /* the same again: raw of t */
    rp_copy(r, (rp_range){calls.buffers[2], 0, 64}, (rp_range){calls.buffers[3], 0, 64});
    rp_copy(r, (rp_range){calls.buffers[2], 64, 64}, (rp_range){calls.buffers[3], 64, 64});
    rp_fill(r, (rp_range){calls.buffers[1], 0, 4}, 7);           /* war and waw */
    rp_update(r, (rp_range){calls.buffers[3], 4, 0}, "abcd", 4); /* waw: covered */
    const rp_encoder_report report = end();
    expect("fill b1+0 8 00000007\n"
           "pipeline p0\nset 0 s0\npush 0 01000000\ndispatch 1 1 1\n"
           "barrier compute|transfer:TW:SW -> compute:SR:SW\n"
           "pipeline p1\nset 0 s1\npush 0 02000000\ndispatch 1 1 1\n"
           "barrier compute:SW -> compute:SR:SW\n"
           "dispatch 1 1 1\n"
           "barrier compute:SW -> transfer:TR\n"
           "copy b2+0 b3+0 64\n"
           "copy b2+64 b3+64 64\n"
           "barrier compute|transfer:TW -> transfer:TW\n"
           "fill b1+0 4 00000007\n"
           "update b3+4 4 61626364\n");
    CU_ASSERT_EQUAL(report.number, 1);
    CU_ASSERT_EQUAL(report.dispatches, 3);
    CU_ASSERT_EQUAL(report.transfers, 5);
    CU_ASSERT_EQUAL(report.emitted[RP_RAW_HAZARD], 3);
    CU_ASSERT_EQUAL(report.emitted[RP_WAW_HAZARD], 1);
    CU_ASSERT_EQUAL(sum(report.emitted), 4);
    CU_ASSERT_EQUAL(report.elided[RP_RAW_HAZARD], 1); /* the second copy */
    CU_ASSERT_EQUAL(report.elided[RP_WAW_HAZARD], 1);
    CU_ASSERT_EQUAL(sum(report.elided), 2);
    CU_ASSERT_EQUAL(report.independent, 2);
    CU_ASSERT_EQUAL(report.sets_written, 2);
    /* The last barrier stands behind all dispatches and both copies. */
    CU_ASSERT_EQUAL(report.open_stages, VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT);
    CU_ASSERT_EQUAL(report.open_access, VK_ACCESS_2_TRANSFER_WRITE_BIT);
    close_all();
}

/* A set is bound again where another layout has come between, and not where none has. */
static void test_sets(void) {
    open_all();
    rp_recorder *r = begin(NULL);
    for (uint32_t i = 0; i < 3; i++) {
        rp_bind_kernel(r, calls.kernels[3]);
        rp_bind(r, 0, (rp_range){calls.buffers[0]});
        rp_bind_in_set(r, 1, 0, (rp_range){calls.buffers[0]});
        rp_bind_in_set(r, 1, 2, (rp_range){calls.buffers[1]});
        rp_push(r, 0, "0123", 4);
        rp_dispatch(r, 1, 1, 1);
        if (i == 1) dispatch(r, 2, 0, 2, 0x33323130); /* a uniform buffer at set 0 */
    }
    end();
    expect("pipeline p0\nset 0 s0\nset 1 s16\npush 0 30313233\ndispatch 1 1 1\n"
           "barrier compute:SW -> compute:SW\n"
           "dispatch 1 1 1\n"
           "pipeline p1\nset 0 s32\ndispatch 1 1 1\n"
           "barrier compute:SW -> compute:SW\n"
           "pipeline p0\nset 0 s0\nset 1 s16\ndispatch 1 1 1\n");
    close_all();
}

/* What is open: nothing of nothing; reads alone; what a barrier has waited for no longer. */
static void test_open(void) {
    open_all();
    (void)begin(NULL);
    rp_encoder_report report = end();
    CU_ASSERT_EQUAL(report.open_stages, 0);
    CU_ASSERT_EQUAL(report.open_access, 0);
    CU_ASSERT_EQUAL(sum(report.emitted) + sum(report.elided) + report.independent, 0);
    expect("");

    rp_recorder *r = begin(NULL);
    dispatch(r, 2, 0, 1, 1); /* reads a uniform buffer, reads and writes another */
    rp_fence(r);             /* with nothing behind it, it orders nothing */
    report = end();
    CU_ASSERT_EQUAL(report.open_stages, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT);
    CU_ASSERT_EQUAL(report.open_access, VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT);
    CU_ASSERT_EQUAL(sum(report.emitted), 0);

    r = begin(NULL);
    dispatch(r, 0, 0, 1, 1);
    rp_copy(r, (rp_range){calls.buffers[1], 0, 4}, (rp_range){calls.buffers[2], 0, 4});
    report = end();
    CU_ASSERT_EQUAL(report.open_stages, VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT);

    r = begin(NULL); /* the grid is read at a stage of its own */
    rp_bind_kernel(r, calls.kernels[4]);
    rp_bind(r, 3, (rp_range){calls.buffers[1]});
    rp_push(r, 0, "0123", 4);
    rp_dispatch_indirect(r, (rp_range){calls.buffers[2], 16, 0});
    report = end();
    CU_ASSERT_EQUAL(report.open_stages,
                    VK_PIPELINE_STAGE_2_DRAW_INDIRECT_BIT | VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT);
    expect("pipeline p2\nset 0 s32\npush 0 30313233\nindirect b2+16\n");
    close_all();
}

/* What the application had open: each stage waits once, when it comes to be used. */
static void test_incoming(void) {
    const rp_encoder_begin_params params = {
        .size = sizeof params,
        .open_stages = VK_PIPELINE_STAGE_2_HOST_BIT,
        .open_access = VK_ACCESS_2_HOST_READ_BIT}; /* any that the fake driver can write down */
    open_all();
    (void)begin(&params);
    rp_encoder_report report = end();
    CU_ASSERT_EQUAL(report.open_stages, VK_PIPELINE_STAGE_2_HOST_BIT); /* nobody has waited */
    CU_ASSERT_EQUAL(report.open_access, VK_ACCESS_2_HOST_READ_BIT);

    rp_recorder *r = begin(&params);
    dispatch(r, 0, 0, 1, 1);
    dispatch(r, 0, 0, 2, 1);
    rp_copy(r, (rp_range){calls.buffers[2], 0, 4}, (rp_range){calls.buffers[3], 0, 4});
    dispatch(r, 0, 0, 4, 1);
    report = end();
    expect("barrier host:HR -> compute:SR:SW\n"
           "pipeline p0\nset 0 s0\npush 0 01000000\ndispatch 1 1 1\n"
           "set 0 s1\ndispatch 1 1 1\n"
           "barrier compute|host:HR:SW -> transfer:TR:TW\n"
           "copy b2+0 b3+0 4\n"
           "set 0 s2\ndispatch 1 1 1\n");
    CU_ASSERT_EQUAL(report.emitted[RP_ORDER], 1);
    CU_ASSERT_EQUAL(report.emitted[RP_RAW_HAZARD], 1);
    CU_ASSERT_EQUAL(report.open_stages,
                    VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT);
    close_all();
}

static void test_fence(void) {
    open_all();
    rp_recorder *r = begin(NULL);
    rp_fence(r); /* nothing is before it */
    dispatch(r, 0, 0, 1, 1);
    rp_fence(r);
    dispatch(r, 0, 0, 2, 1);
    dispatch(r, 0, 0, 3, 1);
    const rp_encoder_report report = end();
    expect("pipeline p0\nset 0 s0\npush 0 01000000\ndispatch 1 1 1\n"
           "barrier indirect|compute|transfer:TW:SW -> "
           "indirect|compute|transfer:IR:UR:TR:TW:SR:SW:SS\n"
           "set 0 s1\ndispatch 1 1 1\n"
           "set 0 s2\ndispatch 1 1 1\n");
    CU_ASSERT_EQUAL(report.emitted[RP_ORDER], 1);
    CU_ASSERT_EQUAL(report.independent, 2);
    close_all();
}

/* ---- Coming back ----------------------------------------------------------------------------- */

/* The same calls again: no allocation, no descriptor set. */
static void test_steady(void) {
    open_all();
    for (uint32_t round = 0; round < 4; round++) {
        long before = memory.calls;
        uint32_t vulkan = mock.calls;
        rp_recorder *r = begin(NULL);
        rp_calls_make(&calls, r, 5, 200, true);
        const rp_encoder_report report = end();
        CU_ASSERT_EQUAL(report.number, round + 1);
        if (round == 0) CU_ASSERT(report.sets_written > 20 && memory.calls > before);
        if (round == 0) continue;
        CU_ASSERT_EQUAL(memory.calls, before);
        CU_ASSERT_EQUAL(mock.calls, vulkan + 2); /* to begin and to end the command buffer */
        CU_ASSERT_EQUAL(report.sets_written, 0);
        *mock.descriptors = '\0';
    }
    close_all();
}

/* Ranges that never come back: sets are written anew once the GPU is done with them, else there are
 * more and more. */
static void test_done(void) {
    open_all();
    for (int say = 1; say >= 0; say--) {
        int early = 0, largest = 0;
        for (uint32_t i = 0; i < 60; i++) {
            *mock.descriptors = '\0';
            rp_recorder *r = begin(NULL);
            rp_bind_kernel(r, calls.kernels[4]);
            rp_push(r, 0, "0123", 4);
            for (uint32_t j = 0; j < 4; j++) {
                rp_bind(r, 3, (rp_range){calls.buffers[1], (i * 4 + j) * 16, say ? 16 : 32});
                rp_dispatch(r, 1, 1, 1);
            }
            const rp_encoder_report report = end();
            CU_ASSERT_EQUAL(report.sets_written, 4);
            if (say && i >= 2) rp_direct_done(direct, report.number - 2);
            if (i == 8) early = mock.objects;
            if (mock.objects > largest) largest = mock.objects;
        }
        /* Three frames in flight, with room to spare; or all there ever were. */
        CU_ASSERT(say ? largest == early : largest > early + 150);
    }
    close_all();
}

/* A buffer moves while calls are encoded: what is bound moves with it, sets and hazards too. */
static void test_move(void) {
    open_all();
    rp_recorder *r = begin(NULL);
    dispatch(r, 0, 0, 1, 1);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, calls.buffers[1], storages[2], 0, diags), RP_OK);
    rp_dispatch(r, 1, 1, 1); /* writes t's memory: nothing to wait for */
    rp_copy(r, (rp_range){calls.buffers[2], 0, 4}, (rp_range){calls.buffers[3], 0, 4});
    CU_ASSERT_EQUAL(rp_direct_bind(direct, calls.buffers[1], storages[1], 0, diags), RP_OK);
    rp_dispatch(r, 1, 1, 1);
    const rp_encoder_report report = end();
    expect("pipeline p0\nset 0 s0\npush 0 01000000\ndispatch 1 1 1\n"
           "set 0 s1\ndispatch 1 1 1\n"
           "barrier compute:SW -> transfer:TR\n"
           "copy b2+0 b3+0 4\n"
           "barrier compute:SW -> compute:SW\n"
           "set 0 s0\ndispatch 1 1 1\n");
    CU_ASSERT_STRING_EQUAL(mock.descriptors, "s0.0 storage b1+0 4096\ns0.1 storage b0+0 4096\n"
                                             "s1.0 storage b2+0 4096\ns1.1 storage b0+0 4096\n");
    CU_ASSERT_EQUAL(report.emitted[RP_WAW_HAZARD], 1);
    close_all();
}

/* A storage that takes the place of a dead one, VkBuffer and all, is another one. */
static void test_storages_differ(void) {
    open_all();
    for (uint32_t i = 0; i < 3; i++) {
        const rp_storage_params params = {
            .size = sizeof params, .bytes = RP_CALLS_BYTES, .uninitialised = 1};
        rp_storage *storage;
        CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &storage), RP_OK);
        CU_ASSERT_EQUAL(rp_direct_bind(direct, calls.buffers[1], storage, 0, diags), RP_OK);
        rp_storage_release(storage); /* the encoder holds on to it until the next is bound */
        rp_recorder *r = begin(NULL);
        dispatch(r, 0, 0, 1, 1);
        CU_ASSERT_EQUAL(end().sets_written, 1);
    }
    close_all();
}

/* More VkBuffers come and go than there are buffers. */
static void test_many_storages(void) {
    enum { MANY = 200 };
    static rp_storage *many[MANY];
    open_all();
    for (uint32_t i = 0; i < MANY; i++) {
        const rp_storage_params params = {
            .size = sizeof params, .bytes = RP_CALLS_BYTES, .uninitialised = 1};
        CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &many[i]), RP_OK);
    }
    for (uint32_t frame = 0; frame < 3; frame++) {
        rp_recorder *r = begin(NULL);
        for (uint32_t i = 0; i < MANY; i++) { /* a chain through all of them */
            rp_storage *to = many[(i + 1) % MANY];
            CU_ASSERT_EQUAL(rp_direct_bind(direct, calls.buffers[1], many[i], 0, diags), RP_OK);
            CU_ASSERT_EQUAL(rp_direct_bind(direct, calls.buffers[2], to, 0, diags), RP_OK);
            rp_copy(r, (rp_range){calls.buffers[1]}, (rp_range){calls.buffers[2]});
        }
        const rp_encoder_report report = end();
        CU_ASSERT_EQUAL(report.emitted[RP_RAW_HAZARD], MANY - 1);
    }
    for (uint32_t i = 0; i < MANY; i++) rp_storage_release(many[i]);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"random calls", test_random},
                                    {"shared bytes", test_shared_bytes},
                                    {"commands", test_commands},
                                    {"sets", test_sets},
                                    {"open scopes", test_open},
                                    {"incoming scopes", test_incoming},
                                    {"fence", test_fence},
                                    {"steady", test_steady},
                                    {"done", test_done},
                                    {"moving buffers", test_move},
                                    {"storages differ", test_storages_differ},
                                    {"many storages", test_many_storages},
                                    {0}};
    return rp_run_tests("direct mode", tests);
}
