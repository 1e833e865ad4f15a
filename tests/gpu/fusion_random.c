/* Fused against unfused on random graphs of ops, on the device at hand: bit-equal.
 *
 * Graphs are compiled and run in batches, side by side in one graph, since a driver takes its time
 * for each pipeline and kernels of equal text are shared within a plan. When a result differs, the
 * graph it belongs to is tried alone, made smaller while it still differs, and printed with its
 * seed. A NaN equals any NaN: which bits it has is up to the device.
 *
 *   RP_CASES=n RP_SEED=n RP_BATCH=n
 *
 * What fusion did is counted: a suite in which nothing is fused would prove nothing. */
#include <stdlib.h>
#include <unistd.h>

#include "gpu.h"
#include "support/random_ops.h"
#include "support/same_values.h"

enum { MAX_BATCH = 64, MAX_FAILURES = 3 };

static struct {
    rp_device *device;
    uint32_t cases, batch;
    uint64_t seed;
    uint64_t nodes, dispatches, plain_dispatches, multi, refused, failures;
} T;

static void *need(void *block) {
    if (!block) abort();
    return block;
}

/* ---- Running --------------------------------------------------------------------------------- */

static rp_plan *compile(const rp_graph *g, int level) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = NULL;
    const rp_pass_options options = {.pipeline = rp_pass_level(level),
                                     .lowering = rp_lowering_default()};
    if (rp_compile(g, &options, diags, &plan, NULL) != RP_OK) {
        fprintf(stderr, "\n  -O%d:", level);
        gpu_report(diags);
    }
    rp_diags_destroy(diags);
    return plan;
}

typedef struct outcome {
    uint8_t **bytes; /* per item and buffer, in a row; NULL: not a result */
    uint32_t count;
} outcome;

static void free_outcome(outcome *o) {
    for (uint32_t i = 0; i < o->count; i++) free(o->bytes[i]);
    free(o->bytes);
    *o = (outcome){0};
}

static uint32_t all_buffers(rp_random_ops *const *items, uint32_t count) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) n += rp_random_ops_buffers(items[i]);
    return n;
}

/* Inputs in before the replay, results out after it. */
static bool transfer(rp_exec *exec, rp_random_ops *const *items, uint32_t count, outcome *out) {
    uint32_t at = 0;
    bool ok = true;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t b = 0; b < rp_random_ops_buffers(items[i]); b++, at++) {
            rp_buffer_kind kind = rp_random_ops_kind(items[i], b);
            uint64_t size = rp_tensor_bytes(rp_random_ops_tensor(items[i], b));
            char name[32];
            if (kind == RP_TMP || (out ? kind == RP_IN : kind == RP_OUT)) continue;
            snprintf(name, sizeof name, "g%u.b%u", i, b);
            uint8_t *bytes = need(calloc(size, 1));
            if (out) {
                ok &= rp_exec_read(exec, name, 0, bytes, size, NULL) == RP_OK;
                out->bytes[at] = bytes;
                continue;
            }
            rp_random_ops_fill(items[i], b, bytes);
            ok &= rp_exec_write(exec, name, 0, bytes, size, NULL) == RP_OK;
            free(bytes);
        }
    return ok;
}

static bool run_plan(const rp_plan *plan, rp_random_ops *const *items, uint32_t count,
                     outcome *out) {
    const rp_exec_params params = {.cache_path = ""};
    rp_diags *diags = rp_diags_create(NULL);
    rp_exec *exec = NULL;
    out->count = all_buffers(items, count);
    out->bytes = need(calloc(out->count + 1, sizeof *out->bytes));
    bool ok = rp_exec_create(T.device, plan, &params, diags, &exec) == RP_OK;
    if (!ok) gpu_report(diags);
    ok = ok && transfer(exec, items, count, NULL) && rp_exec_submit(exec) == RP_OK &&
         rp_exec_wait(exec, UINT64_MAX) == RP_OK && transfer(exec, items, count, out);
    rp_exec_destroy(exec);
    rp_diags_destroy(diags);
    return ok;
}

static bool run_level(const rp_graph *g, rp_random_ops *const *items, uint32_t count, int level,
                      outcome *out, uint64_t *dispatches) {
    rp_plan *plan = compile(g, level);
    bool ok = plan && run_plan(plan, items, count, out);
    if (plan && dispatches) *dispatches += rp_plan_get_info(plan).dispatches;
    rp_plan_destroy(plan);
    return ok;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

/* Whether item `i`, whose buffers begin at `first`, came out the same. */
static bool item_same(const rp_random_ops *item, uint32_t first, const outcome *a, const outcome *b,
                      char *what, size_t size) {
    for (uint32_t k = 0; k < rp_random_ops_buffers(item); k++) {
        if (!a->bytes[first + k] || !b->bytes[first + k]) continue;
        const rp_tensor *t = rp_random_ops_tensor(item, k);
        uint64_t at = rp_first_difference(t->dtype, a->bytes[first + k], b->bytes[first + k],
                                          rp_tensor_bytes(t));
        if (at == UINT64_MAX) continue;
        double *x = need(malloc(rp_tensor_elements(t) * sizeof *x));
        double *y = need(malloc(rp_tensor_elements(t) * sizeof *y));
        rp_values_decode(t, a->bytes[first + k], x);
        rp_values_decode(t, b->bytes[first + k], y);
        snprintf(what, size, "b%u, element %llu: %.9g at -O0, %.9g at -O1", k,
                 (unsigned long long)at, x[at], y[at]);
        free(x);
        free(y);
        return false;
    }
    return true;
}

/* ---- Alone and smaller ----------------------------------------------------------------------- */

static char said[256];

static bool differs_alone(void *context, rp_random_ops *ops) {
    (void)context;
    rp_graph *g = rp_random_ops_build(&ops, 1);
    outcome a = {0}, b = {0};
    bool ran = run_level(g, &ops, 1, 0, &a, NULL) && run_level(g, &ops, 1, 1, &b, NULL);
    if (!ran) snprintf(said, sizeof said, "does not compile or run");
    bool differs = !ran || !item_same(ops, 0, &a, &b, said, sizeof said);
    free_outcome(&a);
    free_outcome(&b);
    rp_graph_destroy(g);
    return differs;
}

static void print_graph(rp_random_ops *ops) {
    rp_graph *g = rp_random_ops_build(&ops, 1), *fused = NULL;
    char *text = NULL;
    const rp_pass_options options = {.pipeline = "dce,rename,fuse"};
    if (rp_graph_print(g, RP_FORMAT_TEXT, &text, NULL) == RP_OK) fputs(text, stderr);
    rp_text_release(g, text);
    text = NULL;
    if (rp_passes_run(g, &options, NULL, &fused, NULL, NULL) == RP_OK &&
        rp_graph_print(fused, RP_FORMAT_TEXT, &text, NULL) == RP_OK)
        fprintf(stderr, "after fuse:\n%s", text);
    if (fused) rp_text_release(fused, text);
    rp_graph_destroy(fused);
    rp_graph_destroy(g);
}

static void investigate(rp_random_ops *item, const char *what) {
    T.failures++;
    fprintf(stderr, "\nfused differs from unfused: RP_SEED=%llu RP_CASES=1\n  %s\n",
            (unsigned long long)rp_random_ops_seed(item), what);
    if (!differs_alone(NULL, item)) {
        fprintf(stderr, "  but not when it is compiled alone\n");
        print_graph(item);
        return;
    }
    rp_random_ops_shrink(item, differs_alone, NULL);
    differs_alone(NULL, item);
    fprintf(stderr, "  %s\n  smallest graph:\n", said);
    print_graph(item);
}

/* ---- Many ------------------------------------------------------------------------------------ */

static void count_fused(const rp_graph *g) {
    rp_graph *fused = NULL;
    const rp_pass_options options = {.pipeline = "dce,rename,fuse"};
    if (rp_passes_run(g, &options, NULL, &fused, NULL, NULL) != RP_OK) return;
    for (uint32_t i = 0; i < fused->nodes_count; i++) T.multi += fused->nodes[i].member_count > 1;
    rp_graph_destroy(fused);
}

static void try_batch(rp_random_ops **items, uint32_t count) {
    rp_graph *g = rp_random_ops_build(items, count);
    rp_diags *diags = rp_diags_create(NULL);
    outcome a = {0}, b = {0};
    T.nodes += g->nodes_count;
    if (rp_graph_verify(g, NULL, diags) != RP_OK) gpu_report(diags);
    rp_diags_destroy(diags);
    count_fused(g);
    bool ran = run_level(g, items, count, 0, &a, &T.plain_dispatches) &&
               run_level(g, items, count, 1, &b, &T.dispatches);
    uint32_t first = 0;
    for (uint32_t i = 0; i < count && T.failures < MAX_FAILURES; i++) {
        char what[256] = "the batch does not compile or run";
        uint32_t buffers = rp_random_ops_buffers(items[i]);
        if (ran ? !item_same(items[i], first, &a, &b, what, sizeof what)
                : differs_alone(NULL, items[i]))
            investigate(items[i], what);
        first += buffers;
    }
    if (!ran && T.failures == 0) {
        fprintf(stderr, "\nseeds from %llu fail as a batch of %u only\n",
                (unsigned long long)rp_random_ops_seed(items[0]), count);
        T.failures++;
    }
    free_outcome(&a);
    free_outcome(&b);
    rp_graph_destroy(g);
}

static void test_random(void) {
    for (uint32_t c = 0; c < T.cases && T.failures < MAX_FAILURES; c += T.batch) {
        rp_random_ops *items[MAX_BATCH];
        uint32_t count = T.cases - c < T.batch ? T.cases - c : T.batch;
        for (uint32_t i = 0; i < count; i++) {
            items[i] = rp_random_ops_create(T.seed + c + i);
            T.refused += rp_random_ops_refused(items[i]);
        }
        try_batch(items, count);
        for (uint32_t i = 0; i < count; i++) rp_random_ops_destroy(items[i]);
        if (isatty(2)) fprintf(stderr, "\r%u of %u ", c + count, T.cases);
    }
    printf("%llu ops, %llu dispatches at -O0, %llu at -O1, %llu nodes of several ops ... ",
           (unsigned long long)T.nodes, (unsigned long long)T.plain_dispatches,
           (unsigned long long)T.dispatches, (unsigned long long)T.multi);
    CU_ASSERT_EQUAL(T.failures, 0);
    CU_ASSERT_EQUAL(T.refused, 0);
}

static void test_fused_enough(void) {
    if (T.cases < 20) return; /* a single seed being looked into */
    CU_ASSERT(T.nodes >= T.cases * 4);
    CU_ASSERT(T.dispatches * 4 <= T.plain_dispatches * 3);
    CU_ASSERT(T.multi * 2 >= T.cases);
}

static uint32_t environment(const char *name, uint32_t otherwise) {
    const char *text = getenv(name);
    return text && *text ? (uint32_t)strtoul(text, NULL, 0) : otherwise;
}

int main(void) {
    static const rp_test tests[] = {{"-O1 is bit-equal to -O0", test_random},
                                    {"much was fused", test_fused_enough},
                                    {NULL, NULL}};
    rp_diags *diags = rp_diags_create(NULL);
    T.cases = environment("RP_CASES", 1000);
    T.seed = environment("RP_SEED", 1);
    T.batch = environment("RP_BATCH", 25);
    if (T.batch == 0 || T.batch > MAX_BATCH) T.batch = MAX_BATCH;
    if (rp_device_create(NULL, NULL, diags, &T.device) != RP_OK) {
        gpu_report(diags);
        return 99;
    }
    printf("random graphs of ops on %s: %u from seed %llu, %u at once\n",
           rp_device_get_info(T.device).name, T.cases, (unsigned long long)T.seed, T.batch);
    int failures = rp_run_tests("random fusion", tests);
    rp_device_destroy(T.device);
    rp_diags_destroy(diags);
    return failures;
}
