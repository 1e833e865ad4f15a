/* A generated kernel that is not what its ops make must be noticed, also where records, text,
 * hashes and certificate all agree with each other.
 *
 * Random graphs of ops are compiled with real kernels, exactly and fast. Then the compiled graph is
 * changed as whoever wants to deceive would: another grid, workgroup, specialisation constant,
 * binding or entry point, a word of the SPIR-V with its hash, another node's kernel, push data. A
 * plan is built of that with the certificate that the checker gives for it, and must not be proven.
 * Unchanged, in every way of lowering, it must. */
#include <stdlib.h>

#include "base/hash.h"
#include "mutate.h"
#include "reprise/compiler.h"
#include "support/cases.h"
#include "support/random_ops.h"
#include "support/unit.h"

enum { GRID, AXES, LOCAL, SHARED, CONSTANT, FEWER, BINDING, ENTRY, WORD, OTHER, PUSH, KINDS };

typedef struct trial {
    const rp_graph *source, *compiled;
    uint64_t tried[KINDS];
    uint64_t by_kernels; /* noticed by nothing but rp_check_kernels */
    char why[RP_WHY];    /* the first change that went unnoticed */
} trial;

/* Whether the plan of the graph, stated proven, is proven; false also when there can be none. */
static bool is_proven(trial *t, const rp_graph *compiled) {
    rp_certificate certificate;
    rp_plan *plan = NULL;
    bool sound = rp_check(compiled, t->source, NULL, NULL, &certificate) == RP_OK;
    if (!sound || rp_plan_build(compiled, t->source, &certificate, NULL, &plan) != RP_OK)
        return false;
    bool proven = rp_plan_check(plan, NULL, NULL, NULL) == RP_OK;
    if (!proven && rp_check_kernels(compiled, NULL, NULL) == RP_ERROR_UNPROVEN) t->by_kernels++;
    rp_plan_destroy(plan);
    return proven;
}

static void must_object(trial *t, rp_graph *mutant, uint32_t kind, const char *what, uint32_t id) {
    t->tried[kind]++;
    if (!*t->why && is_proven(t, mutant)) snprintf(t->why, RP_WHY, "unnoticed: %s, n%u", what, id);
    rp_graph_destroy(mutant);
}

static void change_grid(trial *t, uint32_t node) {
    const rp_graph_node *n = &t->compiled->nodes[node];
    for (uint32_t axis = 0; axis < 3; axis++) {
        rp_graph *m = mutant_of(t->compiled);
        m->nodes[node].grid[axis]++;
        must_object(t, m, GRID, "another grid", n->id);
    }
    if (n->grid[0] > 1) {
        rp_graph *m = mutant_of(t->compiled);
        m->nodes[node].grid[0]--;
        must_object(t, m, GRID, "a smaller grid", n->id);
    }
    if (n->grid[0] == n->grid[1]) return;
    rp_graph *m = mutant_of(t->compiled);
    m->nodes[node].grid[0] = n->grid[1];
    m->nodes[node].grid[1] = n->grid[0];
    must_object(t, m, AXES, "a turned grid", n->id);
}

static void change_constants(trial *t, const rp_graph_node *n) {
    const rp_graph_kernel *k = &t->compiled->kernels[n->kernel];
    for (uint32_t i = 0; i < k->spec_count; i++) {
        uint32_t value = t->compiled->specs[k->first_spec + i].value;
        const uint32_t others[] = {value + 1, value - 1, value ^ 0x80000000u, value == 0};
        for (uint32_t o = 0; o < 4; o++) {
            rp_graph *m = mutant_of(t->compiled);
            m->specs[k->first_spec + i].value = others[o];
            must_object(t, m, CONSTANT, "another specialisation constant", n->id);
        }
    }
    if (k->spec_count == 0) return;
    rp_graph *m = mutant_of(t->compiled);
    m->kernels[n->kernel].spec_count--;
    must_object(t, m, FEWER, "a specialisation constant left out", n->id);
}

/* What an instruction could be instead; its first word when nothing is to be changed. `at` is the
 * word to change: an operation that may be contracted, another constant, a difference for a sum. */
static uint32_t other_word(const uint32_t *op, uint32_t *at) {
    enum { DECORATE = 71, NO_CONTRACTION = 42, CONSTANT_OP = 43, FADD = 129, FSUB = 131 };
    uint32_t code = op[0] & 0xffff;
    *at = 0;
    if (code == FADD || code == FSUB) return op[0] ^ (FADD ^ FSUB);
    if (code == CONSTANT_OP) return *at = 3, op[3] + 1;
    if (code == DECORATE && op[2] == NO_CONTRACTION) return *at = 2, 0;
    return op[0];
}

/* Some words of the module, each with the hash that then belongs to it. */
static void change_words(trial *t, const rp_graph_node *n) {
    const rp_graph_kernel *k = &t->compiled->kernels[n->kernel];
    const uint32_t *words = t->compiled->words + k->first_word;
    for (uint32_t i = 5, found = 0; i < k->word_count; i += words[i] >> 16) {
        uint32_t at, word = other_word(words + i, &at);
        if (word == words[i + at] || found++ % 16) continue;
        rp_graph *m = mutant_of(t->compiled);
        m->words[k->first_word + i + at] = word;
        m->kernels[n->kernel].hash = rp_hash(m->words + k->first_word, k->word_count * 4ull);
        must_object(t, m, WORD, "another word of SPIR-V", n->id);
    }
}

static void change_kernel(trial *t, const rp_graph_node *n) {
    const rp_graph *g = t->compiled;
    const rp_graph_kernel *k = &g->kernels[n->kernel];
    rp_graph *m = mutant_of(g);
    m->kernels[n->kernel].local[0] *= 2;
    must_object(t, m, LOCAL, "another workgroup", n->id);
    m = mutant_of(g);
    m->kernels[n->kernel].local[1]++;
    must_object(t, m, LOCAL, "another workgroup", n->id);
    m = mutant_of(g);
    m->kernels[n->kernel].shared_bytes += 4;
    must_object(t, m, SHARED, "more shared memory", n->id);
    m = mutant_of(g);
    m->kernels[n->kernel].entry = rp_graph_intern(m, "other", 5);
    must_object(t, m, ENTRY, "another entry point", n->id);
    for (uint32_t i = 1; i < k->param_count; i++) {
        m = mutant_of(g);
        m->params[k->first_param + i - 1].binding++;
        m->params[k->first_param + i].binding--;
        must_object(t, m, BINDING, "two bindings swapped", n->id);
    }
}

static void change_node(trial *t, uint32_t node) {
    const rp_graph *g = t->compiled;
    const rp_graph_node *n = &g->nodes[node];
    for (uint32_t i = 0; i < g->kernels_count; i++) {
        if (i == n->kernel || g->kernels[i].removed) continue;
        rp_graph *m = mutant_of(g);
        m->nodes[node].kernel = i;
        must_object(t, m, OTHER, "another node's kernel", n->id);
    }
    rp_graph *m = mutant_of(g);
    m->kernels[n->kernel].push_bytes = 4;
    m->nodes[node].first_byte = m->bytes_count;
    m->nodes[node].byte_count = 4;
    if (!RP_RESERVE(&m->allocator, m->bytes, m->bytes_count, m->bytes_capacity, 4)) abort();
    memset(m->bytes + m->bytes_count, 0, 4);
    m->bytes_count += 4;
    must_object(t, m, PUSH, "push data", n->id);
}

static void try_all(trial *t) {
    const rp_graph *g = t->compiled;
    if (!is_proven(t, g)) snprintf(t->why, RP_WHY, "the unchanged plan is not proven");
    for (uint32_t i = 0; i < g->nodes_count && !*t->why; i++) {
        const rp_graph_node *n = &g->nodes[i];
        if (n->kind != RP_RUN || n->member_count == 0) continue;
        change_grid(t, i);
        change_constants(t, n);
        change_words(t, n);
        change_kernel(t, n);
        change_node(t, i);
    }
}

static const char *const pipelines[] = {
    "dce,rename,fuse,lower,schedule,place,sync",
    "dce,rename,fuse,lower=fast,schedule,place,sync",
    "lower,schedule=source,place,sync",
};

static rp_graph *compile(const rp_graph *source, const char *pipeline, char why[RP_WHY]) {
    rp_graph *compiled = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    const rp_pass_options options = {
        .size = sizeof options, .pipeline = pipeline, .lowering = rp_lowering_default()};
    if (rp_passes_run(source, &options, diags, &compiled, NULL, NULL) != RP_OK)
        rp_why_diags(why, pipeline, diags);
    rp_diags_destroy(diags);
    return compiled;
}

static void test_kernels(void) {
    uint64_t seed = rp_environment("RP_SEED", 1), cases = rp_cases(9, 3);
    static trial t;
    for (uint64_t i = 0; i < cases && !*t.why; i++) {
        rp_random_ops *ops = rp_random_ops_create(seed + i);
        rp_graph *source = rp_random_ops_build(&ops, 1);
        rp_graph *compiled = compile(source, pipelines[(seed + i) % 3], t.why);
        t.source = source;
        t.compiled = compiled;
        if (compiled) try_all(&t);
        if (*t.why) fprintf(stderr, "\nRP_SEED=%llu: %s\n", (unsigned long long)(seed + i), t.why);
        rp_graph_destroy(compiled);
        rp_graph_destroy(source);
        rp_random_ops_destroy(ops);
    }
    CU_ASSERT_EQUAL(*t.why, 0);
    uint64_t total = 0;
    for (uint32_t k = 0; k < KINDS; k++) {
        CU_ASSERT(t.tried[k] > 0); /* each kind of change must have had its chance */
        total += t.tried[k];
    }
    CU_ASSERT(t.by_kernels > total / 2);
    printf("%llu changes noticed, %llu by the kernels alone ... ", (unsigned long long)total,
           (unsigned long long)t.by_kernels);
}

static void test_wrong_calls(void) {
    rp_certificate certificate = {.verdict = 1};
    CU_ASSERT_EQUAL(rp_plan_check(NULL, NULL, NULL, &certificate), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(certificate.verdict, 0);
    CU_ASSERT_EQUAL(rp_check_kernels(NULL, NULL, NULL), RP_ERROR_USAGE);
}

/* One change of each kind to one node, and what is said of it. */
static void test_messages(void) {
    static const char text[] = "reprise 1\ngraph g {\n  buf $x in f32[4,8]\n  buf $y out f32[4,8]\n"
                               "  n7 = op softmax (r $x:f32[4,8], -, w $y:f32[4,8])\n}\n";
    static const char *const expected[KINDS] = {
        [GRID] = "n7 runs @softmax, which was made of ops, but its grid is 9 x",
        [LOCAL] = "its workgroup is 9 x 1 x 1, its ops make",
        [SHARED] = "it has 9 bytes of shared memory, its ops make",
        [CONSTANT] = "specialisation constant 0 is 00000009, its ops make constant 0",
        [FEWER] = "it has 0 specialisation constants, its ops make",
        [BINDING] = "it binds other things than its ops make",
        [ENTRY] = "its entry point is \"other\", its ops make \"main\"",
        [WORD] = "its SPIR-V is not what this version of Reprise makes of its ops",
        [PUSH] = "it has 9 bytes of push constants, its ops make 0",
    };
    char why[RP_WHY] = "";
    rp_graph *source = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, strlen(text), NULL, NULL, &source), RP_OK);
    rp_graph *compiled = compile(source, pipelines[0], why);
    CU_ASSERT_FATAL(compiled != NULL && compiled->kernels[0].spec_count > 0);
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        if (!expected[kind]) continue;
        rp_diags *diags = rp_diags_create(NULL);
        rp_graph *m = mutant_of(compiled);
        rp_graph_kernel *k = &m->kernels[0];
        if (kind == GRID) m->nodes[0].grid[0] = 9;
        if (kind == LOCAL) k->local[0] = 9;
        if (kind == SHARED) k->shared_bytes = 9;
        if (kind == CONSTANT) m->specs[k->first_spec].value = 9;
        if (kind == FEWER) k->spec_count = 0;
        if (kind == BINDING) m->params[k->first_param].set = 1;
        if (kind == ENTRY) k->entry = rp_graph_intern(m, "other", 5);
        if (kind == WORD) k->hash++;
        if (kind == PUSH) k->push_bytes = 9;
        CU_ASSERT_EQUAL(rp_check_kernels(m, "g.rpir", diags), RP_ERROR_UNPROVEN);
        CU_ASSERT_EQUAL_FATAL(rp_diags_count(diags), 1);
        const char *message = rp_diags_get(diags, 0).message;
        CU_ASSERT_PTR_NOT_NULL(strstr(message, expected[kind]));
        if (!strstr(message, expected[kind])) fprintf(stderr, "\n%s", message);
        rp_graph_destroy(m);
        rp_diags_destroy(diags);
    }
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
}

int main(void) {
    static const rp_test tests[] = {
        {"generated kernels", test_kernels},
        {"messages", test_messages},
        {"wrong calls", test_wrong_calls},
        {NULL, NULL},
    };
    return rp_run_tests("generated kernels", tests);
}
