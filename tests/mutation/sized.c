/* Mutations of plans whose shapes follow live sizes: whatever is changed in a size, a grid that follows
 * one, or who reads which live value, the proof or the comparison with generated kernels must find. */
#include <stdlib.h>

#include "graph/graph.h"
#include "reprise/check.h"
#include "reprise/compiler.h"
#include "support/unit.h"

static const char text[] =
    "reprise 1\ngraph sized {\n  buf $n live u32[2] = 05000000 02000000 max 9\n"
    "  buf $m live u32[1] = 03000000 max 9\n  buf $x in f32[{$n},{$m},8]\n  buf $w weight f32[8]\n"
    "  buf %a tmp f32[{$n},{$m},8]\n  buf %b tmp f32[{$n},{$m},8]\n  buf %c tmp f32[{$m},8]\n"
    "  buf $k weight f32[4,8]\n  buf $p out f32[{$n},{$m},4]\n  buf $v in f32[{$m},8]\n  buf $y "
    "out f32[{$n},{$m},8]\n  buf $z out f32[{$m},8]\n"
    "  buf $q in f32[{$m},2,8]\n  buf $s in u32[{$n + 1}]\n  buf $d in f32[{$n},2,8]\n"
    "  buf $h in f32[{$n},6,1,8]\n  buf $l in u32[1]\n  buf $e out f32[{$m},2,8]\n"
    "  buf $f out f32[{$n},2,8]\n  buf %g tmp f32[2,{2 * $n},8]\n"
    "  buf %i tmp f32[2,{2 * $n}]\n  buf %j tmp f32[2,{2 * $n}]\n"
    "  n0 = op rms_norm (r $x:f32[{$n},{$m},8], r $w:f32[8], w %a:f32[{$n},{$m},8])\n"
    "  n1 = op silu (r %a:f32[{8 * $n * $m}], w %b:f32[{8 * $n * $m}])\n"
    "  n2 = op neg (r $v:f32[{$m},8], w %c:f32[{$m},8])\n"
    "  n3 = op add (r %b:f32[{$n},{$m},8], r %c:f32[{$m},8], w $y:f32[{$n},{$m},8])\n"
    "  n4 = op abs (r %c:f32[{$m},8], w $z:f32[{$m},8])\n"
    "  n5 = op matmul {transpose_b=1} (r %b:f32[{$n},{$m},8], r $k:f32[4,8], "
    "w $p:f32[{$n},{$m},4])\n"
    "  n6 = op attention_prefill {whole=1} (r $q:f32[{$m},2,8], r $h:f32[{$n},6,1,8], "
    "r $h:f32[{$n},6,1,8], -, -, -, -, -, r $s:u32[{$n + 1}], -, w $e:f32[{$m},2,8])\n"
    "  n7 = op attention_partial {splits=2} (r $d:f32[{$n},2,8], r $h:f32[{$n},6,1,8], "
    "r $h:f32[{$n},6,1,8], r $l:u32[1], -, -, -, w %g:f32[2,{2 * $n},8], w %i:f32[2,{2 * $n}], "
    "w %j:f32[2,{2 * $n}])\n"
    "  n8 = op attention_combine (r %g:f32[2,{2 * $n},8], r %i:f32[2,{2 * $n}], "
    "r %j:f32[2,{2 * $n}], -, w $f:f32[{$n},2,8])\n}\n";

static rp_graph *source, *plain, *fused;
static uint32_t tried;

static rp_graph *compile(const char *pipeline) {
    const rp_pass_options options = {
        .size = sizeof options, .pipeline = pipeline, .lowering = rp_lowering_default()};
    rp_graph *out = NULL;
    if (rp_passes_run(source, &options, NULL, &out, NULL, NULL) != RP_OK) abort();
    return out;
}

static bool accepted(const rp_graph *compiled, const rp_graph *of) {
    return rp_check(compiled, of, NULL, NULL, NULL) == RP_OK &&
           rp_check_kernels(compiled, NULL, NULL) == RP_OK;
}

/* Asks of a changed copy, and lets it go. */
static void must_be_found(rp_graph *changed, const rp_graph *of, const char *what, uint32_t where) {
    tried++;
    if (accepted(changed, of)) fprintf(stderr, "\n  not found: %s %u", what, where);
    CU_ASSERT(!accepted(changed, of));
    rp_graph_destroy(changed);
}

static rp_graph *copy_of(const rp_graph *g) {
    rp_graph *copy = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_clone(g, &copy), RP_OK);
    return copy;
}

/* Every extent of the plan follows another size, one more, or none. */
static void test_extents(const rp_graph *g) {
    for (uint32_t b = 0; b < g->buffers_count; b++) {
        const rp_graph_buffer *buffer = &g->buffers[b];
        if (buffer->removed || buffer->kind == RP_TMP || buffer->kind == RP_LIVE) continue;
        for (uint32_t d = buffer->first_dim; d < buffer->first_dim + buffer->rank; d++)
            for (uint32_t s = 0; s < 2; s++) {
                rp_graph *changed = copy_of(g);
                changed->dim_powers[d] ^= rp_powers_of(s, 1);
                must_be_found(changed, source, "extent of a buffer", d);
            }
    }
    for (uint32_t o = 0; o < g->operands_count; o++)
        for (uint32_t d = 0; !g->operands[o].absent && d < g->operands[o].rank; d++)
            for (uint32_t s = 0; s < 2; s++) {
                rp_graph *changed = copy_of(g);
                changed->dim_powers[g->operands[o].first_dim + d] ^= rp_powers_of(s, 1);
                must_be_found(changed, source, "extent of an operand", o);
            }
}

/* The grids of lowered nodes: other steps, other live values, numbers in their place. */
static void test_grids(const rp_graph *g) {
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        CU_ASSERT_EQUAL(n->grid_kind, RP_GRID_LIVE);
        for (uint32_t axis = 0; axis < 3; axis++) {
            rp_graph *changed = copy_of(g);
            if (!(n->live_mask >> axis & 1)) {
                changed->nodes[i].grid[axis]++;
                must_be_found(changed, source, "grid", i);
                continue;
            }
            rp_graph_destroy(changed);
            const rp_graph_expr *e = &g->exprs[n->grid[axis]];
            for (uint32_t s = e->first_op; s < e->first_op + e->op_count; s++) {
                changed = copy_of(g);
                rp_expr_op *op = &changed->expr_ops[s];
                if (op->code == RP_EXPR_CONST)
                    op->value *= 2;
                else if (op->code == RP_EXPR_LIVE && op->buffer == rp_graph_find_buffer(g, "n"))
                    op->element ^= 1;
                else if (op->code == RP_EXPR_LIVE)
                    op->buffer = rp_graph_find_buffer(g, "n");
                else if (op->code == RP_EXPR_MUL)
                    op->code = RP_EXPR_ADD;
                else
                    op->code = RP_EXPR_DIV;
                must_be_found(changed, source, "step of a grid", s);
            }
        }
        rp_graph *changed = copy_of(g);
        changed->nodes[i].grid_kind = RP_GRID_DIRECT;
        changed->nodes[i].live_mask = 0;
        for (uint32_t axis = 0; axis < 3; axis++) changed->nodes[i].grid[axis] = 1;
        must_be_found(changed, source, "fixed grid", i);
    }
}

/* The live buffers that lowered nodes read. */
static void test_uses(const rp_graph *g) {
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        uint32_t own = rp_node_member_uses(g, &g->nodes[i]);
        CU_ASSERT(own < g->nodes[i].use_count);
        for (uint32_t u = own; u < g->nodes[i].use_count; u++) {
            rp_graph *changed = copy_of(g);
            rp_graph_use *use = &changed->uses[changed->nodes[i].first_use + u];
            uint32_t n = rp_graph_find_buffer(g, "n"), m = rp_graph_find_buffer(g, "m");
            use->buffer = use->buffer == n ? m : n;
            use->size = 4;
            must_be_found(changed, source, "live buffer of node", i);
            changed = copy_of(g);
            changed->nodes[i].use_count--;
            must_be_found(changed, source, "one live buffer less of node", i);
        }
    }
}

/* Sources for which no plan is right: an overwrite up to a size of what is fixed, parts. */
static void test_sources(void) {
    for (uint32_t b = 0; b < source->buffers_count; b++)
        for (uint32_t d = 0; d < source->buffers[b].rank; d++) {
            rp_graph *wrong = copy_of(source), *same = NULL;
            uint32_t at = source->buffers[b].first_dim + d;
            if (!wrong->dim_powers[at]) {
                rp_graph_destroy(wrong);
                continue;
            }
            wrong->dim_powers[at] = 0;
            /* What is only read may be of fixed size: its first part is taken. */
            if (wrong->buffers[b].kind == RP_IN && !rp_buffer_powers(wrong, &wrong->buffers[b])) {
                rp_graph_destroy(wrong);
                continue;
            }
            const rp_pass_options options = {
                .size = sizeof options, .pipeline = "schedule=source,place=separate,sync=full"};
            if (rp_passes_run(wrong, &options, NULL, &same, NULL, NULL) == RP_OK && same)
                must_be_found(same, wrong, "source with a fixed extent", at);
            rp_graph_destroy(wrong);
        }
}

static void test_plain(void) {
    CU_ASSERT(accepted(plain, source));
    test_extents(plain);
    test_grids(plain);
    test_uses(plain);
}

static void test_fused(void) {
    CU_ASSERT(accepted(fused, source));
    CU_ASSERT(fused->nodes_count < plain->nodes_count);
    test_extents(fused);
    test_grids(fused);
    test_uses(fused);
    printf("%u changes ... ", tried);
    CU_ASSERT(tried > 250);
}

int main(void) {
    static const rp_test tests[] = {{"a plan of single ops", test_plain},
                                    {"a fused one", test_fused},
                                    {"sources", test_sources},
                                    {NULL, NULL}};
    if (rp_graph_parse(NULL, text, sizeof text - 1, "t", NULL, &source) != RP_OK) return 1;
    plain = compile("lower,schedule=source,place=separate,sync=full");
    fused = compile("dce,rename,fuse,lower,schedule,place,sync");
    int result = rp_run_tests("sized plans", tests);
    rp_graph_destroy(plain);
    rp_graph_destroy(fused);
    rp_graph_destroy(source);
    return result;
}
