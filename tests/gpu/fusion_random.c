/* Fused and tagged against unfused on random graphs of ops, on the device at hand: bit-equal, but for NaN.
 * Each plan is replayed back to back in one slot, and in three slots with as many replays in flight.
 *
 * Graphs are compiled and run in batches, side by side in one graph, since a driver takes its time
 * for each pipeline and kernels of equal text are shared within a plan. When a result differs, the
 * graph it belongs to is tried alone, made smaller while it still differs, and printed with its
 * seed. Nearly all of the time goes into drivers' compiling, some ten kernels a graph: where all graphs are
 * to be tried, those for the same target and of the same shapes come one after the other, since a
 * device keeps its pipelines and they have more of them in common.
 *
 * Drivers compile on one thread. So several processes take some batches in turn, with a device of their
 * own each, and no batch is begun after the budget of time is spent. They are forked before any driver is
 * loaded and write into shared memory. To spread it over machines, or visits, give each its range of seeds.
 *
 *   RP_CASES=n   so many graphs, however long it takes     RP_SECONDS=n   the budget, 15
 *   RP_SEED=n    of the first one     RP_BATCH=n     RP_JOBS=n   processes
 *   RP_LEVELS=23 each batch at these: 1 with barriers alone, 2 tagged where it pays, 3 all that can be is
 *                tagged; without, batches take turns
 *   RP_JOINING=n     rp_exec_params.joining: 2 for persistent kernels wherever they can be
 *   RP_TARGET=NAME   compiled for this one; without, the batches take the built-in ones in turn, as
 *                    far as the device can pass for them
 *
 * At level 2 graphs for a target on which tags may pay are compiled one by one: side by side, a barrier that
 * one of them needs is there for the others as well, and nothing is tagged.
 *
 * What fusion did is counted: a suite in which nothing is fused would prove nothing. */
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gpu.h"
#include "support/random_ops.h"
#include "support/same_values.h"
#include "support/plan_info.h"

enum { MAX_BATCH = 64, MAX_FAILURES = 3, MAX_JOBS = 64, LEAST = 30, NO_DEVICE = 99, TARGETS = 8 };
enum {
    REPLAYS = 4
}; /* of each slot, back to back: tagged buffers are waited for from the second on */
enum { SLOTS = 3, PRICED = 2, LEVELS = GPU_ALL_TAGGED };
enum { CHUNK = 8 }; /* batches that a process takes at once where all are tried */

#define TALLY(X)                                                                                   \
    X(graphs)                                                                                      \
    X(graphs_all_tagged)                                                                           \
    X(nodes)                                                                                       \
    X(dispatches)                                                                                  \
    X(plain_dispatches)                                                                            \
    X(multi)                                                                                       \
    X(plans)                                                                                       \
    X(tagged)                                                                                      \
    X(tagged_priced)                                                                               \
    X(replays)                                                                                     \
    X(replays_tagged)                                                                              \
    X(pipelines)                                                                                   \
    X(refused)                                                                                     \
    X(failures)

typedef struct tally {
#define COUNT(name) uint64_t name;
    TALLY(COUNT)
#undef COUNT
    char device[256];
} tally;

/* A graph to be tried, and for what. */
typedef struct trial {
    uint64_t seed;
    uint32_t target, shapes;
} trial;

/* What all processes see. */
typedef struct shared {
    _Atomic uint32_t next; /* chunk of batches */
    tally tallies[MAX_JOBS];
} shared;

static struct {
    rp_device *device;
    uint32_t cases, batch, jobs, seconds;
    const char *levels; /* NULL: in turn */
    rp_joining joining;
    bool limited; /* by time */
    uint64_t seed;
    struct timespec begin;
    trial *items; /* in the order in which they are tried */
    shared *shared;
    tally sum;
} S;

/* This process's. */
static tally *T;
static rp_target targets[TARGETS];
static uint32_t target_count;
static const rp_target *target; /* of the batch at hand */
static int fused_level;         /* 1, 2, or GPU_ALL_TAGGED */

static void *need(void *block) {
    if (!block) abort();
    return block;
}

static rp_graph *build(rp_random_ops *const *items, uint32_t count) {
    rp_graph *g = rp_random_ops_build(items, count);
    rp_graph_set_target(g, target);
    return g;
}

/* ---- Running --------------------------------------------------------------------------------- */

static rp_plan *compile(const rp_graph *g, int level) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = gpu_try_compile_ops(g, level, NULL, diags);
    if (!plan) {
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

static void free_outcomes(outcome *o, uint32_t count) {
    for (; count--; o++) {
        for (uint32_t i = 0; i < o->count; i++) free(o->bytes[i]);
        free(o->bytes);
        *o = (outcome){0};
    }
}

static uint32_t all_buffers(rp_random_ops *const *items, uint32_t count) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) n += rp_random_ops_buffers(items[i]);
    return n;
}

/* Inputs in before the replay, results out after it. */
static bool transfer(rp_exec *exec, uint32_t slot, rp_random_ops *const *items, uint32_t count,
                     outcome *out) {
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
                ok &= rp_exec_read(exec, slot, name, 0, bytes, size, NULL) == RP_OK;
                out->bytes[at] = bytes;
                continue;
            }
            rp_random_ops_fill(items[i], b, bytes);
            ok &= rp_exec_write(exec, slot, name, 0, bytes, size, NULL) == RP_OK;
            free(bytes);
        }
    return ok;
}

/* All slots, one replay each in turn, without a wait. */
static bool replay(rp_exec *exec, uint32_t slots) {
    bool ok = true;
    for (uint32_t i = 0; i < REPLAYS * slots; i++) {
        const rp_submit_params params = {.size = sizeof params, .slot = i % slots};
        ok = ok && rp_exec_submit(exec, &params, NULL, NULL) == RP_OK;
    }
    ok = ok && rp_exec_wait(exec, 0, UINT64_MAX, NULL) == RP_OK;
    rp_counters c = {.size = sizeof c};
    if (rp_exec_get_counters(exec, &c) == RP_OK) {
        T->replays += c.replays;
        T->replays_tagged += c.replays_tagged;
        T->pipelines += c.pipelines_created;
    }
    return ok;
}

/* The results of each slot; out: [slots]. */
static bool run_plan(const rp_plan *plan, rp_random_ops *const *items, uint32_t count,
                     uint32_t slots, outcome *out) {
    const rp_exec_params params = {.size = sizeof params,
                                   .cache_path = "",
                                   .slots = slots,
                                   .state_per_slot = 1,
                                   .joining = S.joining};
    rp_diags *diags = rp_diags_create(NULL);
    rp_exec *exec = NULL;
    bool ok = rp_exec_create(S.device, plan, &params, diags, &exec) == RP_OK;
    if (!ok) gpu_report(diags);
    for (uint32_t slot = 0; slot < slots && ok; slot++)
        ok = transfer(exec, slot, items, count, NULL);
    ok = ok && replay(exec, slots);
    for (uint32_t slot = 0; slot < slots && ok; slot++) {
        out[slot].count = all_buffers(items, count);
        out[slot].bytes = need(calloc(out[slot].count + 1, sizeof *out->bytes));
        ok = transfer(exec, slot, items, count, &out[slot]);
    }
    rp_exec_destroy(exec);
    rp_diags_destroy(diags);
    return ok;
}

enum { OUTCOMES = 1 + SLOTS }; /* of one slot alone, and of three */

/* At -O0 one slot is all that is asked for: only `out` then, and else [OUTCOMES]. */
static bool run_level(const rp_graph *g, rp_random_ops *const *items, uint32_t count, int level,
                      outcome *out, uint64_t *dispatches) {
    rp_plan *plan = compile(g, level);
    bool ok = plan && run_plan(plan, items, count, 1, out);
    if (level > 0) ok = ok && run_plan(plan, items, count, SLOTS, out + 1);
    if (plan && dispatches) *dispatches += plan_info(plan).dispatches;
    if (plan) T->tagged += plan_info(plan).tagged;
    if (plan && level == PRICED) T->tagged_priced += plan_info(plan).tagged;
    T->plans += level > 0;
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
        snprintf(what, size, "b%u, element %llu: %.9g at -O0, %.9g fused", k,
                 (unsigned long long)at, x[at], y[at]);
        free(x);
        free(y);
        return false;
    }
    return true;
}

/* The same of each slot. */
static bool slots_same(const rp_random_ops *item, uint32_t first, const outcome *plain,
                       const outcome *fused, char *what, size_t size) {
    for (uint32_t i = 0; i < OUTCOMES; i++) {
        if (item_same(item, first, plain, &fused[i], what, size)) continue;
        size_t at = strlen(what);
        if (i == 0)
            snprintf(what + at, size - at, ", alone in flight");
        else
            snprintf(what + at, size - at, ", slot %u of %u", i - 1, SLOTS);
        return false;
    }
    return true;
}

/* ---- Alone and smaller ----------------------------------------------------------------------- */

static char said[256];

static bool differs_alone(void *context, rp_random_ops *ops) {
    (void)context;
    rp_graph *g = build(&ops, 1);
    outcome a = {0}, b[OUTCOMES] = {0};
    bool ran = run_level(g, &ops, 1, 0, &a, NULL) && run_level(g, &ops, 1, fused_level, b, NULL);
    if (!ran) snprintf(said, sizeof said, "does not compile or run");
    bool differs = !ran || !slots_same(ops, 0, &a, b, said, sizeof said);
    free_outcomes(&a, 1);
    free_outcomes(b, OUTCOMES);
    rp_graph_destroy(g);
    return differs;
}

static void print_graph(rp_random_ops *ops) {
    rp_graph *g = build(&ops, 1), *fused = NULL;
    char *text = NULL;
    const rp_pass_options options = {.size = sizeof options, .pipeline = "dce,rename,fuse"};
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
    T->failures++;
    fprintf(
        stderr,
        "\nfused differs from unfused: RP_LEVELS=%d RP_TARGET=%s RP_SEED=%llu RP_CASES=1\n  %s\n",
        fused_level, target->name, (unsigned long long)rp_random_ops_seed(item), what);
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
    const rp_pass_options options = {.size = sizeof options, .pipeline = "dce,rename,fuse"};
    if (rp_passes_run(g, &options, NULL, &fused, NULL, NULL) != RP_OK) return;
    for (uint32_t i = 0; i < fused->nodes_count; i++) T->multi += fused->nodes[i].member_count > 1;
    rp_graph_destroy(fused);
}

/* At `fused_level`, against what -O0 gave. */
static void try_level(const rp_graph *g, rp_random_ops **items, uint32_t count,
                      const outcome *plain) {
    outcome fused[OUTCOMES] = {0};
    if (fused_level == GPU_ALL_TAGGED) T->graphs_all_tagged += count;
    bool ran = plain->bytes && run_level(g, items, count, fused_level, fused, &T->dispatches);
    uint32_t first = 0;
    for (uint32_t i = 0; i < count && T->failures < MAX_FAILURES; i++) {
        char what[256] = "the batch does not compile or run";
        uint32_t buffers = rp_random_ops_buffers(items[i]);
        if (ran ? !slots_same(items[i], first, plain, fused, what, sizeof what)
                : differs_alone(NULL, items[i]))
            investigate(items[i], what);
        first += buffers;
    }
    if (!ran && T->failures == 0) {
        fprintf(stderr, "\nseeds from %llu fail for %s as a batch of %u only\n",
                (unsigned long long)rp_random_ops_seed(items[0]), target->name, count);
        T->failures++;
    }
    free_outcomes(fused, OUTCOMES);
}

/* The same, each in a plan of its own. */
static void try_each(rp_random_ops **items, uint32_t count, const outcome *plain) {
    uint32_t first = 0;
    for (uint32_t i = 0; i < count && T->failures < MAX_FAILURES; i++) {
        uint32_t buffers = rp_random_ops_buffers(items[i]);
        const outcome own = {plain->bytes ? plain->bytes + first : NULL, buffers};
        rp_graph *g = build(&items[i], 1);
        try_level(g, &items[i], 1, &own);
        rp_graph_destroy(g);
        first += buffers;
    }
}

static void try_batch(rp_random_ops **items, uint32_t count, uint32_t turn) {
    rp_graph *g = build(items, count);
    rp_diags *diags = rp_diags_create(NULL);
    outcome plain = {0};
    T->nodes += g->nodes_count;
    if (rp_graph_verify(g, NULL, diags) != RP_OK) gpu_report(diags);
    rp_diags_destroy(diags);
    count_fused(g);
    if (!run_level(g, items, count, 0, &plain, &T->plain_dispatches)) free_outcomes(&plain, 1);
    for (int level = 1; level <= LEVELS; level++) { /* in turn the last one comes first */
        bool wanted = S.levels ? strchr(S.levels, '0' + level) != NULL
                               : (int)((turn + LEVELS - 1) % LEVELS) + 1 == level;
        fused_level = level;
        if (!wanted || T->failures >= MAX_FAILURES) continue;
        if (level == PRICED && target->ordered_starts)
            try_each(items, count, &plain);
        else
            try_level(g, items, count, &plain);
    }
    free_outcomes(&plain, 1);
    rp_graph_destroy(g);
}

static double seconds_gone(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - S.begin.tv_sec) + (double)(now.tv_nsec - S.begin.tv_nsec) / 1e9;
}

/* Of those from `first` to `end` a batch, for one target; how many. */
static uint32_t run_batch(uint32_t first, uint32_t end, uint32_t turn) {
    rp_random_ops *items[MAX_BATCH];
    uint32_t count = 0;
    while (count < S.batch && first + count < end &&
           S.items[first + count].target == S.items[first].target)
        count++;
    target = &targets[S.items[first].target];
    for (uint32_t i = 0; i < count; i++) {
        items[i] = rp_random_ops_create(S.items[first + i].seed);
        T->refused += rp_random_ops_refused(items[i]);
    }
    try_batch(items, count, turn);
    T->graphs += count;
    for (uint32_t i = 0; i < count; i++) rp_random_ops_destroy(items[i]);
    return count;
}

static void run_batches(uint32_t job) {
    uint32_t chunk = S.limited ? S.batch : S.batch * CHUNK;
    for (uint32_t c; (c = atomic_fetch_add(&S.shared->next, 1)) <= (S.cases - 1) / chunk;) {
        uint32_t first = c * chunk, end = first + chunk < S.cases ? first + chunk : S.cases;
        if (S.limited && first >= LEAST && seconds_gone() > S.seconds) break;
        for (uint32_t turn = c / target_count; first < end && T->failures < MAX_FAILURES; turn++)
            first += run_batch(first, end, turn);
        if (T->failures >= MAX_FAILURES) break;
        if (job == 0 && isatty(2)) fprintf(stderr, "\r%u of %u ", end, S.cases);
    }
}

static int compare_items(const void *left, const void *right) {
    const trial *a = left, *b = right;
    if (a->target != b->target) return a->target < b->target ? -1 : 1;
    if (a->shapes != b->shapes) return a->shapes < b->shapes ? -1 : 1;
    return a->seed < b->seed ? -1 : 1;
}

/* With a budget of time all targets and shapes have their turn from the beginning. */
static void make_items(void) {
    S.items = need(calloc(S.cases + 1, sizeof *S.items));
    for (uint32_t i = 0; i < S.cases; i++)
        S.items[i] =
            (trial){S.seed + i, (S.limited ? i / S.batch : (uint32_t)(S.seed + i)) % target_count,
                    rp_random_ops_shapes(S.seed + i)};
    if (!S.limited) qsort(S.items, S.cases, sizeof *S.items, compare_items);
}

/* False where RP_TARGET names none. */
static bool find_targets(void) {
    const char *only = getenv("RP_TARGET");
    const rp_target *t;
    for (uint32_t i = 0; i + 1 < TARGETS && (t = rp_target_list(i)); i++)
        if (!only || strcmp(only, t->name) == 0)
            gpu_target_like(S.device, t, &targets[target_count++]);
    if (only && strcmp(only, "few") != 0) return target_count > 0;
    /* A GPU so small that maps have four elements a thread however few there are. */
    rp_target *few = &targets[target_count++];
    gpu_target_like(S.device, rp_target_portable, few);
    strcpy(few->name, "few");
    few->multiprocessors = few->resident_invocations = 1;
    return true;
}

/* What a process does; its exit status. */
static int work(uint32_t job) {
    rp_diags *diags = rp_diags_create(NULL);
    T = &S.shared->tallies[job];
    bool open = rp_device_create(NULL, NULL, diags, &S.device) == RP_OK;
    if (open && find_targets()) {
        rp_device_info info = {.size = sizeof info};
        rp_device_get_info(S.device, &info);
        snprintf(T->device, sizeof T->device, "%s", info.name);
        make_items();
        run_batches(job);
        free(S.items);
        rp_device_destroy(S.device, NULL);
    } else {
        gpu_report(diags);
    }
    rp_diags_destroy(diags);
    return open ? 0 : NO_DEVICE;
}

static void add_up(const tally *t) {
#define ADD(name) S.sum.name += t->name;
    TALLY(ADD)
#undef ADD
}

/* Runs all of it. False when there is no device; a process that dies is a failure. */
static bool run_all(void) {
    pid_t children[MAX_JOBS];
    bool open = true;
    fflush(NULL);
    for (uint32_t i = 0; i < S.jobs; i++) {
        children[i] = fork();
        if (children[i] == 0) _exit(work(i));
        if (children[i] < 0) abort();
    }
    for (uint32_t i = 0; i < S.jobs; i++) {
        int status = 0;
        waitpid(children[i], &status, 0);
        open &= !(WIFEXITED(status) && WEXITSTATUS(status) == NO_DEVICE);
        if (!WIFEXITED(status)) {
            fprintf(stderr, "\nprocess %u ended with signal %d\n", i, WTERMSIG(status));
            S.sum.failures++;
        }
        add_up(&S.shared->tallies[i]);
    }
    return open;
}

static void test_random(void) {
    CU_ASSERT_EQUAL(S.sum.failures, 0);
    CU_ASSERT_EQUAL(S.sum.refused, 0);
    CU_ASSERT(S.sum.graphs >= (S.cases < LEAST ? S.cases : LEAST));
}

/* How often each batch is run fused. */
static uint64_t levels_each(void) {
    return S.levels ? strlen(S.levels) : 1;
}

static void test_fused_enough(void) {
    if (S.sum.graphs < 20) return; /* a single seed being looked into */
    CU_ASSERT(S.sum.nodes >= S.sum.graphs * 4);
    CU_ASSERT(S.sum.dispatches * 4 <= S.sum.plain_dispatches * 3 * levels_each());
    CU_ASSERT(S.sum.multi * 2 >= S.sum.graphs);
    CU_ASSERT(S.sum.tagged * 10 >= S.sum.graphs_all_tagged);
    if (!S.levels) CU_ASSERT(S.sum.graphs_all_tagged > 0);
    if (S.levels && strchr(S.levels, '0' + PRICED) && !getenv("RP_TARGET") && S.sum.graphs >= 1000)
        CU_ASSERT(S.sum.tagged_priced > 0);
}

static uint32_t environment(const char *name, uint32_t otherwise) {
    const char *text = getenv(name);
    return text && *text ? (uint32_t)strtoul(text, NULL, 0) : otherwise;
}

static void configure(void) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    clock_gettime(CLOCK_MONOTONIC, &S.begin);
    S.cases = environment("RP_CASES", 1000);
    S.limited = !getenv("RP_CASES");
    S.seconds = environment("RP_SECONDS", 12);
    S.seed = environment("RP_SEED", 1);
    S.joining = (rp_joining)environment("RP_JOINING", RP_JOINING_AUTO);
    S.levels = getenv("RP_LEVELS");
    if (S.levels && (!*S.levels || strspn(S.levels, "123") != strlen(S.levels))) S.levels = NULL;
    S.batch = environment("RP_BATCH", 10);
    S.jobs = environment("RP_JOBS", processors > 4 ? 4 : processors > 1 ? (uint32_t)processors : 1);
    if (S.batch == 0 || S.batch > MAX_BATCH) S.batch = MAX_BATCH;
    if (S.jobs == 0 || S.jobs > MAX_JOBS) S.jobs = 1;
    if (S.jobs > (S.cases + S.batch - 1) / S.batch) S.jobs = (S.cases + S.batch - 1) / S.batch;
    S.shared =
        mmap(NULL, sizeof *S.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (S.shared == MAP_FAILED) abort();
}

static void print_counts(void) {
    const tally *s = &S.sum;
    printf(
        "%s: seeds %llu to %llu, %s: %llu graphs, %llu ops, %llu dispatches at -O0, %llu in %llu "
        "fused plans, ",
        S.shared->tallies[0].device, (unsigned long long)S.seed,
        (unsigned long long)(S.seed + S.cases - 1),
        S.limited ? "as far as time allowed" : "all of them", (unsigned long long)s->graphs,
        (unsigned long long)s->nodes, (unsigned long long)s->plain_dispatches,
        (unsigned long long)s->dispatches, (unsigned long long)s->plans);
    printf("%llu nodes of several ops, %llu buffers tagged, %llu of them at level 2, %llu replays, "
           "%llu of them waiting for "
           "words, %llu pipelines, %llu differing, %.0f s\n",
           (unsigned long long)s->multi, (unsigned long long)s->tagged,
           (unsigned long long)s->tagged_priced, (unsigned long long)s->replays,
           (unsigned long long)s->replays_tagged, (unsigned long long)s->pipelines,
           (unsigned long long)s->failures, seconds_gone());
}

int main(void) {
    static const rp_test tests[] = {{"all levels are bit-equal to -O0", test_random},
                                    {"much was fused", test_fused_enough},
                                    {NULL, NULL}};
    configure();
    printf("random graphs of ops: %s%u from seed %llu, %u at once in %u processes\n",
           S.limited ? "at most " : "", S.cases, (unsigned long long)S.seed, S.batch, S.jobs);
    if (!run_all()) return NO_DEVICE;
    print_counts();
    return rp_run_tests("random fusion", tests);
}
