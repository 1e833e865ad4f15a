/* nearest_partial against the metric's op and top_k_partial, to the bit: the same graph has both,
 * on data that is made to trip a filter or a list.
 *
 * Ties by the thousand, rows of zeros, distances that fall from row to row (each row comes before
 * all that were seen), large vectors with small differences (|a|^2 - 2ab + |b|^2 has no right digit
 * there), rows all far from zero but for one, queries that are rows, lengths from a thousandth to a
 * thousand, queries of which one is too long for the others, infinities and NaN, lengths that are no multiple of anything, masks that leave a few rows or
 * none, more neighbours wanted than there are. Every variant that fits computes each. */
#include <math.h>
#include <stdlib.h>

#include "gpu.h"
#include "support/random_graph.h"

static struct {
    rp_device *device;
    rp_target large; /* a large GPU, as far as the device can pass for it */
} T;

typedef enum data_kind {
    RANDOM,  /* between -1 and 1 */
    TIES,    /* whole numbers below 3 */
    ZEROS,   /* queries of zeros as well */
    FALLING, /* distances from a query of zeros fall from row to row */
    LARGE,   /* a million, and less than one apart */
    AWAY,    /* a hundred, and less than one apart; the first row is zeros; queries are rows */
    SPREAD,  /* the longest row a million times as long as the shortest, queries as well */
    GIANT,   /* queries of 1e17, of 1e-10, and of rows' length */
    LONE,    /* the first query has one element, of 3e7; the others are short beside rows */
    TINY,    /* squares of rows are denormals, or zero */
    WILD,    /* every seventh row as large as floats go, some of infinities and NaN */
    KINDS
} data_kind;

typedef enum rows_left { ALL, SOME, FEW, NOTHING, MASKS } rows_left; /* rows that are left */

typedef struct search {
    const char *metric, *op;
    uint32_t queries, rows, length, k, parts;
    rows_left mask;
    uint32_t variants; /* to try for a large target, as far as it has matrices; 0: for any device */
} search;

static float element(rp_random *random, data_kind kind, uint32_t row, uint32_t column, bool query,
                     uint32_t rows) {
    static const float lengths[] = {1e17f, 1e-10f, 1};
    float number = (float)rp_random_below(random, 1 << 20) / (1 << 19) - 1;
    switch (kind) {
    case TIES: return (float)rp_random_below(random, 3);
    case ZEROS: return 0;
    case FALLING: return query ? 0 : (float)(rows - row);
    case LARGE: return 1e6f + number;
    case AWAY: return !query && row == 0 ? 0 : 100 + number;
    case SPREAD: return ldexpf(number, (int)(row % 21) - 10);
    case GIANT: return query ? number * lengths[row % 3] : number;
    case LONE:
        if (query && row == 0) return column ? 0 : 3.4e7f;
        return query ? number / 4 : number * (float)(1 + row % 12);
    case TINY: return query ? 1 : ldexpf(1 + number / 2, -64);
    case WILD:
        if (row % 11 == 3) return row % 2 ? INFINITY : NAN;
        return !query && row % 7 == 0 ? number * 1e25f : number;
    case RANDOM:
    case KINDS: break;
    }
    return number;
}

static void fill(rp_exec *exec, const char *name, rp_random *random, const search *s,
                 data_kind kind, bool query) {
    uint32_t rows = query ? s->queries : s->rows, count = rows * s->length;
    uint32_t *words = malloc(count * sizeof *words);
    if (!words) abort();
    if (kind == AWAY && query) /* those of the rows from 1 on */
        for (uint32_t i = 0; i < s->length; i++) element(random, kind, 0, i, false, s->rows);
    for (uint32_t i = 0; i < count; i++) {
        float number = element(random, kind, i / s->length, i % s->length, query, s->rows);
        memcpy(&words[i], &number, sizeof number);
        if (strcmp(s->metric, "hamming") == 0 && kind != TIES)
            words[i] = (uint32_t)rp_random_next(random);
    }
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, name, 0, words, count * sizeof *words, NULL), RP_OK);
    free(words);
}

static void fill_mask(rp_exec *exec, rp_random *random, const search *s) {
    uint32_t count = (s->rows + 31) / 32;
    uint32_t *words = malloc(count * sizeof *words);
    if (!words) abort();
    for (uint32_t i = 0; i < count; i++)
        words[i] = s->mask == SOME ? (uint32_t)rp_random_next(random) : UINT32_MAX;
    if (s->mask == FEW) words[count / 2] &= ~UINT32_C(0x104);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "excluded", 0, words, count * sizeof *words, NULL),
                    RP_OK);
    free(words);
}

/* Both searches, with results of their own. */
static rp_graph *make_graph(const search *s) {
    char text[4096], operand[64] = "-";
    const char *in = strcmp(s->metric, "hamming") == 0 ? "u32" : "f32";
    bool masked = s->mask != ALL;
    uint32_t words = (s->rows + 31) / 32;
    if (masked) snprintf(operand, sizeof operand, "r $excluded:u32[%u]", words);
    size_t at = (size_t)snprintf(
        text, sizeof text,
        "reprise 1\ngraph search {\n  buf $q in %s[%u,%u]\n  buf $b in %s[%u,%u]\n", in, s->queries,
        s->length, in, s->rows, s->length);
    if (masked)
        at += (size_t)snprintf(text + at, sizeof text - at, "  buf $excluded in u32[%u]\n", words);
    for (int i = 0; i < 2; i++)
        at += (size_t)snprintf(text + at, sizeof text - at,
                               "  buf $v%d out %s[%u,%u,%u]\n  buf $i%d out u32[%u,%u,%u]\n", i, in,
                               s->queries, s->parts, s->k, i, s->queries, s->parts, s->k);
    at += (size_t)snprintf(text + at, sizeof text - at, "  buf %%d tmp %s[%u,%u]\n", in, s->queries,
                           s->rows);
    at += (size_t)snprintf(text + at, sizeof text - at,
                           "  n0 = op nearest_partial {metric=%s, k=%u, splits=%u} (r "
                           "$q:%s[%u,%u], r $b:%s[%u,%u], %s, "
                           "w $v0:%s[%u,%u,%u], w $i0:u32[%u,%u,%u])\n",
                           s->metric, s->k, s->parts, in, s->queries, s->length, in, s->rows,
                           s->length, operand, in, s->queries, s->parts, s->k, s->queries, s->parts,
                           s->k);
    at += (size_t)snprintf(text + at, sizeof text - at,
                           "  n1 = op %s (r $q:%s[%u,%u], r $b:%s[%u,%u], w %%d:%s[%u,%u])\n",
                           s->op, in, s->queries, s->length, in, s->rows, s->length, in, s->queries,
                           s->rows);
    snprintf(text + at, sizeof text - at,
             "  n2 = op top_k_partial {k=%u, order=%s, splits=%u} (r %%d:%s[%u,%u], %s, "
             "w $v1:%s[%u,%u,%u], w $i1:u32[%u,%u,%u])\n}\n",
             s->k, strcmp(s->metric, "dot") == 0 ? "largest" : "smallest", s->parts, in, s->queries,
             s->rows, operand, in, s->queries, s->parts, s->k, s->queries, s->parts, s->k);
    return gpu_parse(text);
}

static uint32_t *results(rp_exec *exec, const char *name, uint32_t count) {
    uint32_t *words = calloc(count, sizeof *words);
    if (!words) abort();
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, name, 0, words, count * sizeof *words, NULL), RP_OK);
    return words;
}

static void compare(rp_exec *exec, const search *s, data_kind kind, uint32_t skip) {
    uint32_t count = s->queries * s->parts * s->k, wrong = 0, first = 0;
    uint32_t *v0 = results(exec, "v0", count), *v1 = results(exec, "v1", count);
    uint32_t *i0 = results(exec, "i0", count), *i1 = results(exec, "i1", count);
    for (uint32_t i = count; i--;)
        if (v0[i] != v1[i] || i0[i] != i1[i]) wrong++, first = i;
    CU_ASSERT_EQUAL(wrong, 0);
    if (wrong)
        fprintf(stderr,
                "\n  %s of %u x %u x %u, k %u, parts %u, mask %d, kind %d, %u variants skipped: %u "
                "of %u wrong; [%u] is row %u, %08x instead of row %u, %08x",
                s->metric, s->queries, s->rows, s->length, s->k, s->parts, s->mask, kind, skip,
                wrong, count, first, i0[first], v0[first], i1[first], v1[first]);
    free(v0), free(v1), free(i0), free(i1);
}

static void try_search(const search *s) {
    uint32_t variants = s->variants && T.large.matrix_shapes ? s->variants : 1;
    for (uint32_t skip = 0; skip < variants; skip++) {
        rp_graph *g = make_graph(s);
        g->skip_variants = skip;
        if (s->variants) CU_ASSERT_EQUAL(rp_graph_set_target(g, &T.large), RP_OK);
        rp_plan *plan = gpu_compile(g, 0);
        rp_exec *exec = gpu_exec(T.device, plan, NULL);
        for (data_kind kind = RANDOM; kind < KINDS; kind++) {
            rp_random random = {7 + kind};
            fill(exec, "q", &random, s, kind, true);
            fill(exec, "b", &random, s, kind, false);
            if (s->mask != ALL) fill_mask(exec, &random, s);
            CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
            CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
            compare(exec, s, kind, skip);
        }
        rp_exec_destroy(exec);
        rp_plan_destroy(plan);
        rp_graph_destroy(g);
    }
}

/* Of `count` searches those of numbers `first` and so on that gpu_tries. */
static void try_every(const search *searches, uint32_t count, uint32_t first, uint32_t every) {
    for (uint32_t i = 0; i < count; i++)
        if (gpu_tries(T.device, i + first, every)) try_search(&searches[i]);
}

/* The same of those that gpu_tries_middle. */
static void try_middle(const search *searches, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (gpu_tries_middle(T.device, i)) try_search(&searches[i]);
}

static void test_metrics(void) {
    static const search searches[] = {
        {"l2", "l2_distance", 5, 700, 48, 10, 2, ALL},
        {"cosine", "cosine_distance", 5, 700, 48, 10, 2, ALL},
        {"dot", "dot_product", 5, 700, 48, 10, 2, ALL},
        {"manhattan", "manhattan", 5, 700, 48, 10, 2, ALL},
        {"chebyshev", "chebyshev", 5, 700, 48, 10, 2, ALL},
        {"hamming", "hamming", 5, 700, 48, 10, 2, ALL},
    };
    try_every(searches, sizeof searches / sizeof *searches, 0, 1);
}

static void test_lengths(void) {
    static const search searches[] = {
        {"l2", "l2_distance", 3, 333, 1, 5, 1, SOME},
        {"l2", "l2_distance", 11, 613, 67, 33, 3, SOME},
        {"cosine", "cosine_distance", 3, 333, 29, 12, 2, SOME},
        {"dot", "dot_product", 3, 333, 20, 100, 1, ALL},
        {"manhattan", "manhattan", 2, 300, 130, 300, 1, ALL},
    };
    try_every(searches, sizeof searches / sizeof *searches, 1, 2);
}

static void test_masks(void) {
    for (rows_left mask = SOME; mask < MASKS; mask++) {
        search l2 = {"l2", "l2_distance", 4, 900, 32, 10, 3, mask};
        search dot = {"dot", "dot_product", 4, 900, 32, 10, 3, mask};
        try_search(&l2);
        try_search(&dot);
    }
}

/* 256 queries and few rows: a software device stops loops after 65535 turns in all, and what cannot
 * be filtered goes over a tile query by query. */
static void test_tiles(void) {
    static const search searches[] = {
        {"l2", "l2_distance", 256, 264, 16, 10, 1, ALL, 3},
        {"l2", "l2_distance", 260, 500, 32, 3, 2, SOME, 3},
        {"cosine", "cosine_distance", 256, 264, 16, 10, 1, SOME, 3},
        {"dot", "dot_product", 256, 264, 16, 12, 1, FEW, 3},
        {"l2", "l2_distance", 256, 264, 16, 10, 1, NOTHING, 3},
    };
    try_every(searches, sizeof searches / sizeof *searches, 4, 5);
}

/* Where the device has no matrices, other variants compute these and those below. */
static void test_strips(void) {
    static const search searches[] = {
        {"l2", "l2_distance", 4, 2100, 128, 10, 1, ALL, 1},
        {"dot", "dot_product", 16, 1300, 16, 32, 1, SOME, 1},
        {"cosine", "cosine_distance", 5, 2100, 144, 10, 2, SOME, 1},
        {"l2", "l2_distance", 20, 1100, 176, 3, 3, FEW, 1},
        {"cosine", "cosine_distance", 40, 900, 112, 20, 1, ALL, 1},
        {"l2", "l2_distance", 100, 600, 64, 10, 1, ALL, 1},
        {"dot", "dot_product", 10, 700, 768, 10, 2, NOTHING, 1},
        {"l2", "l2_distance", 3, 40, 32, 30, 2, SOME, 1},
    };
    try_every(searches, sizeof searches / sizeof *searches, 0, 4);
}

static void test_matrices(void) {
    static const search searches[] = {
        {"l2", "l2_distance", 12, 700, 48, 10, 2, ALL, 2},
        {"cosine", "cosine_distance", 17, 700, 48, 10, 2, SOME, 2},
        {"dot", "dot_product", 33, 700, 80, 10, 2, SOME, 2},
        {"l2", "l2_distance", 70, 300, 128, 1, 2, ALL, 2},
        {"dot", "dot_product", 11, 600, 16, 100, 1, ALL, 1},
        {"l2", "l2_distance", 11, 600, 160, 40, 3, SOME, 1},
        {"cosine", "cosine_distance", 20, 300, 32, 10, 3, FEW, 2},
        {"l2", "l2_distance", 6, 300, 768, 10, 3, NOTHING, 2},
    };
    try_middle(searches, sizeof searches / sizeof *searches);
}

/* Subgroups with lists of their own, where those of the device have as many invocations as entries are
 * wanted. */
static void test_few(void) {
    static const search searches[] = {
        {"l2", "l2_distance", 2, 2100, 96, 10, 1, SOME, 1},
        {"hamming", "hamming", 1, 900, 7, 10, 2, SOME, 1},
        {"chebyshev", "chebyshev", 2, 700, 67, 32, 2, ALL, 1},
        {"cosine", "cosine_distance", 1, 700, 72, 10, 3, FEW, 1},
        {"l2", "l2_distance", 2, 2100, 128, 8, 1, SOME, 1},
        {"dot", "dot_product", 1, 1200, 32, 7, 1, ALL, 1},
        {"cosine", "cosine_distance", 2, 700, 72, 1, 3, SOME, 1},
        {"hamming", "hamming", 1, 1900, 64, 5, 2, NOTHING, 1},
    };
    try_middle(searches, sizeof searches / sizeof *searches);
}

static void use_large(void) {
    gpu_target_like(T.device, rp_target_builtin("h200"), &T.large);
}

int main(void) {
    static const rp_test tests[] = {{"every metric", test_metrics},
                                    {"odd lengths", test_lengths},
                                    {"rows left out", test_masks},
                                    {"a target that is large", use_large},
                                    {"one or two queries", test_few},
                                    {"several queries", test_strips},
                                    {"by matrices", test_matrices},
                                    {"many queries by tiles", test_tiles},
                                    {NULL, NULL}};
    rp_diags *diags = rp_diags_create(NULL);
    if (rp_device_create(NULL, NULL, diags, &T.device) != RP_OK) {
        gpu_report(diags);
        return 99;
    }
    int failures = rp_run_tests("nearest", tests);
    rp_device_destroy(T.device, NULL);
    rp_diags_destroy(diags);
    return failures;
}
