/* Live sizes on the device at hand: graphs whose shapes follow live values, replayed at several values,
 * must give the bits of graphs with these numbers in their place, compiled for them alone; where those chose
 * other kernels, or other sizes of their tiles, the bits of another level of optimisation.
 *
 * Random graphs of ops, as many as RP_SECONDS allow or RP_CASES say, from RP_SEED on. Several are compiled
 * side by side. One exec is replayed at all sizes, so that what a larger one left behind is there. */
#include <stdlib.h>
#include <time.h>

#include "gpu.h"
#include "graph/members.h"
#include "support/cases.h"
#include "support/random_ops.h"
#include "support/same_values.h"

enum { MOST = 32, MAX_FAILURES = 3, SIZES = 5, TARGETS = 8 };

static rp_device *device;
static rp_target target;
static uint32_t failures, refused, graphs, compared, others;

static void *need(void *block) {
    if (!block) abort();
    return block;
}

/* ---- Running --------------------------------------------------------------------------------- */

typedef uint32_t sizes[RP_SIZED];

static void name_of(char name[32], uint32_t item, uint32_t buffer) {
    snprintf(name, 32, "g%u.b%u", item, buffer);
}

static uint64_t bytes_at(const rp_random_ops *ops, uint32_t buffer, const uint32_t *at) {
    const rp_tensor t = rp_random_ops_tensor_at(ops, buffer, at);
    return rp_tensor_elements(&t) ? rp_tensor_bytes(&t) : 0;
}

/* Inputs: the first bytes of what the largest would be filled with. */
static bool write_inputs(rp_exec *exec, rp_random_ops *const *items, uint32_t count,
                         const uint32_t *at) {
    bool ok = true;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t b = 0; b < rp_random_ops_buffers(items[i]); b++) {
            rp_buffer_kind kind = rp_random_ops_kind(items[i], b);
            char name[32];
            if (kind != RP_IN && kind != RP_INOUT) continue;
            uint8_t *bytes = need(malloc(rp_tensor_bytes(rp_random_ops_tensor(items[i], b))));
            rp_random_ops_fill(items[i], b, bytes);
            name_of(name, i, b);
            ok &= rp_exec_write(exec, 0, name, 0, bytes, bytes_at(items[i], b, at), NULL) == RP_OK;
            free(bytes);
        }
    return ok;
}

static bool replay(rp_exec *exec, rp_random_ops *const *items, uint32_t count, const uint32_t *at,
                   bool live) {
    bool ok = true;
    for (uint32_t i = 0; live && i < RP_SIZED; i++) {
        char name[8];
        uint32_t value = rp_random_ops_live(items[0], at[i]);
        snprintf(name, sizeof name, "size%u", i);
        ok &= rp_exec_set_live(exec, 0, name, 0, &value, 1, NULL) == RP_OK;
    }
    return ok && write_inputs(exec, items, count, at) &&
           rp_exec_submit(exec, NULL, NULL, NULL) == RP_OK &&
           rp_exec_wait(exec, 0, UINT64_MAX, NULL) == RP_OK;
}

static rp_exec *exec_of(rp_random_ops *const *items, uint32_t count, int level) {
    const rp_exec_params params = {.size = sizeof params, .cache_path = ""};
    rp_graph *g = rp_random_ops_build(items, count);
    rp_diags *diags = rp_diags_create(NULL);
    rp_exec *exec = NULL;
    rp_graph_set_target(g, &target);
    rp_plan *plan = NULL;
    if (rp_graph_verify(g, NULL, diags) == RP_OK) plan = gpu_try_compile_ops(g, level, NULL, diags);
    if (!plan || rp_exec_create(device, plan, &params, diags, &exec) != RP_OK) gpu_report(diags);
    rp_plan_destroy(plan);
    rp_graph_destroy(g);
    rp_diags_destroy(diags);
    return exec;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

static bool same_buffer(rp_exec *a, rp_exec *b, const rp_random_ops *ops, uint32_t item,
                        uint32_t buffer, const uint32_t *at) {
    char name[32];
    uint64_t size = bytes_at(ops, buffer, at), there = 0, shape[RP_MAX_RANK];
    uint8_t *x = need(calloc(size + 1, 1)), *y = need(calloc(size + 1, 1));
    name_of(name, item, buffer);
    bool ok = rp_exec_read(a, 0, name, 0, x, size, NULL) == RP_OK &&
              rp_exec_read(b, 0, name, 0, y, size, NULL) == RP_OK &&
              rp_exec_get_shape(a, 0, name, shape, &there, NULL) == RP_OK && there == size;
    uint8_t dtype = rp_random_ops_tensor(ops, buffer)->dtype;
    uint64_t byte = rp_first_difference(dtype, x, y, size);
    if (!ok || byte != UINT64_MAX)
        fprintf(stderr, "\n  %s at sizes %u, %u: %s element %llu of a buffer of %llu bytes", name,
                at[0], at[1], ok ? "differs at" : "cannot be read,",
                (unsigned long long)(ok ? byte : 0), (unsigned long long)there);
    free(x);
    free(y);
    compared++;
    return ok && byte == UINT64_MAX;
}

static bool same_results(rp_exec *live, rp_exec *fixed, rp_random_ops *const *items, uint32_t count,
                         const uint32_t *at) {
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t b = 0; b < rp_random_ops_buffers(items[i]); b++) {
            rp_buffer_kind kind = rp_random_ops_kind(items[i], b);
            if (kind != RP_OUT && kind != RP_INOUT) continue;
            if (!same_buffer(live, fixed, items[i], i, b, at)) return false;
        }
    return true;
}

/* Whether the plan that follows sizes gives what one of numbers gives. */
static bool same_at(rp_exec *live, rp_random_ops *const *items, uint32_t count, const uint32_t *at,
                    int level) {
    for (uint32_t i = 0; i < count; i++) rp_random_ops_fix(items[i], at);
    rp_exec *fixed = exec_of(items, count, level);
    bool same = fixed && replay(fixed, items, count, at, false) &&
                same_results(live, fixed, items, count, at);
    for (uint32_t i = 0; i < count; i++) rp_random_ops_fix(items[i], NULL);
    rp_exec_destroy(fixed);
    return same;
}

/* The calls of a graph's nodes, their kernels chosen. */
static bool call_at(const rp_graph *g, uint32_t node, rp_op_call *out) {
    rp_member_call(g, rp_node_members(g, &g->nodes[node]), out);
    return rp_member_choose(g, out);
}

/* Whether a call that follows sizes is computed as one of numbers: by the same kernel, with the same choices. */
static bool same_choice(const rp_op_call *live, const rp_op_call *fixed) {
    bool same = live->variant == fixed->variant;
    if (live->op->form == RP_OP_ROWS)
        same &= rp_op_row_threads(live, &target) == rp_op_row_threads(fixed, &target);
    for (char s = 'A'; s <= 'Z' && live->variant; s++)
        if (!live->powers[s - 'A'] && !live->counts[s - 'A'].of)
            same &= rp_sym(live, s) == rp_sym(fixed, s);
    return same;
}

static bool chooses_alike(rp_random_ops *const *items, uint32_t count, const uint32_t *at) {
    rp_graph *live = rp_random_ops_build(items, count);
    for (uint32_t i = 0; i < count; i++) rp_random_ops_fix(items[i], at);
    rp_graph *fixed = rp_random_ops_build(items, count);
    for (uint32_t i = 0; i < count; i++) rp_random_ops_fix(items[i], NULL);
    rp_graph_set_target(live, &target);
    rp_graph_set_target(fixed, &target);
    bool alike = live->nodes_count == fixed->nodes_count;
    for (uint32_t i = 0; i < live->nodes_count && alike; i++) {
        rp_op_call a, b;
        alike = call_at(live, i, &a) && call_at(fixed, i, &b) && same_choice(&a, &b);
    }
    rp_graph_destroy(live);
    rp_graph_destroy(fixed);
    return alike;
}

/* Whether another level of optimisation gives the same at the sizes. */
static bool same_at_level(rp_exec *live, rp_random_ops *const *items, uint32_t count,
                          const uint32_t *at, int level) {
    rp_exec *other = exec_of(items, count, level);
    bool same = other && replay(other, items, count, at, true) &&
                same_results(live, other, items, count, at);
    rp_exec_destroy(other);
    others++;
    return same;
}

typedef struct trial {
    uint64_t seed;
    int level, other; /* of the plan that follows sizes, and of the one that does not */
} trial;

static bool try_round(const trial *r, rp_random_ops *const *items, uint32_t count) {
    rp_random random = {r->seed * 31 + 7};
    uint32_t rows = RP_SIZED_ROWS, columns = RP_SIZED_COLUMNS;
    const sizes at[] = {
        {rows, columns},
        {1 + rp_random_below(&random, rows - 1), 1 + rp_random_below(&random, columns - 1)},
        {0, 1 + rp_random_below(&random, columns)},
        {1 + rp_random_below(&random, rows), 0},
        {1 + rp_random_below(&random, rows - 1), 1 + rp_random_below(&random, columns)}};
    rp_exec *live = exec_of(items, count, r->level);
    bool ok = live != NULL;
    for (uint32_t i = 0; i < sizeof at / sizeof *at && ok; i++) {
        ok = replay(live, items, count, at[i], true);
        if (!ok || i == 1 || i == 2 + r->seed % 2) continue; /* one of those without elements */
        ok = chooses_alike(items, count, at[i])
                 ? same_at(live, items, count, at[i], r->other)
                 : same_at_level(live, items, count, at[i], r->other);
    }
    rp_exec_destroy(live);
    return ok;
}

/* ---- Smaller --------------------------------------------------------------------------------- */

static bool fails(void *context, rp_random_ops *ops) {
    return !try_round(context, &ops, 1);
}

static void investigate(trial *r, rp_random_ops *item) {
    if (!fails(r, item)) return;
    failures++;
    rp_random_ops_shrink(item, fails, r);
    rp_graph *g = rp_random_ops_build(&item, 1);
    char *text = NULL;
    fprintf(stderr, "\nRP_SEED=%llu RP_CASES=1, -O%d against -O%d, target %s:\n",
            (unsigned long long)rp_random_ops_seed(item), r->level, r->other, target.name);
    if (rp_graph_print(g, RP_FORMAT_TEXT, &text, NULL) == RP_OK) fputs(text, stderr);
    rp_text_release(g, text);
    rp_graph_destroy(g);
}

/* ---- Many ------------------------------------------------------------------------------------ */

static void test_random(void) {
    static const int levels[][2] = {{1, 0}, {0, 0}, {2, 1}, {GPU_ALL_TAGGED, 1}};
    uint64_t seed = rp_environment("RP_SEED", 1), cases = rp_environment("RP_CASES", 1000);
    uint64_t batch = rp_environment("RP_BATCH", 8), seconds = rp_environment("RP_SECONDS", 4);
    bool limited = !getenv("RP_CASES");
    if (batch == 0 || batch > MOST) batch = MOST;
    device = gpu_open(0);
    if (!device) return;
    for (uint64_t c = 0; c < cases && failures < MAX_FAILURES; c += batch) {
        if (limited && c > 0 && !gpu_has_seconds((long)seconds)) break;
        rp_random_ops *items[MOST];
        uint32_t count = (uint32_t)(cases - c < batch ? cases - c : batch);
        const rp_target *list[TARGETS];
        uint32_t targets = 0;
        while (targets < TARGETS && (list[targets] = rp_target_list(targets))) targets++;
        gpu_target_like(device, list[(seed + c) / batch % targets], &target);
        trial r = {seed + c, levels[c / batch % 4][0], levels[c / batch % 4][1]};
        for (uint32_t i = 0; i < count; i++) {
            items[i] = rp_random_ops_create_sized(seed + c + i);
            refused += rp_random_ops_refused(items[i]);
        }
        if (!try_round(&r, items, count)) {
            uint32_t before = failures;
            for (uint32_t i = 0; i < count && failures < MAX_FAILURES; i++)
                investigate(&r, items[i]);
            failures += failures == before; /* together alone */
        }
        graphs += count;
        for (uint32_t i = 0; i < count; i++) rp_random_ops_destroy(items[i]);
    }
    rp_device_destroy(device, NULL);
    printf("%u graphs, %u results compared, %u times with another level ", graphs, compared,
           others);
    CU_ASSERT_EQUAL(failures, 0);
    CU_ASSERT_EQUAL(refused, 0);
    CU_ASSERT(compared >= graphs);
}

int main(void) {
    static const rp_test tests[] = {{"as for fixed sizes", test_random}, {NULL, NULL}};
    return rp_run_tests("live sizes", tests);
}
