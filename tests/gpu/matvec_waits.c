/* Products that wait: what other products of the same replay store is tagged, and equal to the bit. */
#include "matvec.h"

#include "reprise/needs.h"

static void compare_waiting(const char *buffers, const char *nodes) {
    static char text[8192];
    snprintf(text, sizeof text, "reprise 1\ngraph program {\n%s%s}\n", buffers, nodes);
    rp_graph *g = parse(text);
    contents a, b;
    run(g, 0, &a);
    run(g, GPU_ALL_TAGGED, &b);
    compare(g, &a, g, &b);
    release(&a);
    release(&b);
    rp_graph_destroy(g);
}

/* x and a residual that other products of the same replay store. */
static void check_product(uint32_t b, uint32_t k, uint32_t m, const char *weight) {
    static char buffers[2048], nodes[4096];
    snprintf(buffers, sizeof buffers,
             "  buf $x in f32[%u,24]\n  buf $u weight f16[%u,24]\n  buf $v weight f32[%u,24]\n"
             "  buf $w weight %s[%u,%u]\n  buf $y out f32[%u,%u]\n"
             "  buf %%p tmp f32[%u,%u]\n  buf %%r tmp f32[%u,%u]\n  buf %%a tmp f32[%u,%u]\n",
             b, k, m, weight, m, k, b, m, b, k, b, m, b, m);
    snprintf(nodes, sizeof nodes,
             "  n0 = op matvec (r $x:f32[%u,24], r $u:f16[%u,24], w %%p:f32[%u,%u])\n"
             "  n1 = op matvec (r $x:f32[%u,24], r $v:f32[%u,24], w %%r:f32[%u,%u])\n"
             "  n2 = op matvec (r %%p:f32[%u,%u], r $w:%s[%u,%u], w %%a:f32[%u,%u])\n"
             "  n3 = op add (r %%a:f32[%u,%u], r %%r:f32[%u,%u], w $y:f32[%u,%u])\n",
             b, k, b, k, b, m, b, m, b, k, weight, m, k, b, m, b, m, b, m, b, m);
    compare_waiting(buffers, nodes);
}

/* Parts of an attention that are stored meanwhile. */
static void check_parts(uint32_t parts, uint32_t heads, uint32_t d, uint32_t m,
                        const char *weight) {
    static char buffers[2048], nodes[4096];
    uint32_t each = parts * heads, all = each * d, k = heads * d;
    snprintf(buffers, sizeof buffers,
             "  buf $x in f32[1,24]\n  buf $u weight f16[%u,24]\n  buf $v weight f16[%u,24]\n"
             "  buf $t weight f16[%u,24]\n  buf $w weight %s[%u,%u]\n  buf $y out f32[1,%u]\n"
             "  buf %%p tmp f32[1,%u]\n  buf %%m tmp f32[1,%u]\n  buf %%s tmp f32[1,%u]\n"
             "  buf %%a tmp f32[%u,%u]\n",
             all, each, each, weight, m, k, m, all, each, each, heads, d);
    snprintf(
        nodes, sizeof nodes,
        "  n0 = op matvec (r $x:f32[1,24], r $u:f16[%u,24], w %%p:f32[1,%u])\n"
        "  n1 = op matvec (r $x:f32[1,24], r $v:f16[%u,24], w %%m:f32[1,%u])\n"
        "  n2 = op matvec (r $x:f32[1,24], r $t:f16[%u,24], w %%s:f32[1,%u])\n"
        "  n3 = op attention_combine (r %%p:f32[%u,%u,%u], r %%m:f32[%u,%u], r %%s:f32[%u,%u], "
        "-, w %%a:f32[%u,%u])\n"
        "  n4 = op matvec (r %%a:f32[1,%u], r $w:%s[%u,%u], w $y:f32[1,%u])\n",
        all, all, each, each, each, each, parts, heads, d, parts, heads, parts, heads, heads, d, k,
        weight, m, k, m);
    compare_waiting(buffers, nodes);
}

/* Words that make whole tiles and such that do not; more results than threads, and fewer. A processor tries
 * each with one number of multiprocessors. */
void check_waiting(rp_target *target) {
    static const struct {
        uint32_t b, k, m;
        const char *weight;
    } products[] = {{1, 512, 320, "q8_0"}, {1, 264, 1219, "f16"}, {3, 100, 129, "bf16"},
                    {2, 256, 700, "q4_0"}, {1, 2600, 33, "f16"},  {1, 8500, 19, "f32"}};
    static const struct {
        uint32_t parts, heads, d, m;
        const char *weight;
    } joined[] = {{9, 4, 64, 44, "f16"}, {3, 4, 16, 300, "q8_0"}, {5, 3, 6, 33, "f32"}};
    enum { PRODUCTS = sizeof products / sizeof *products, JOINED = sizeof joined / sizeof *joined };
    const uint32_t multiprocessors[2] = {target->multiprocessors, 2};
    if (!rp_target_has(target, RP_NEED_INT64 | RP_NEED_INT64_ATOMICS)) return;
    for (uint32_t half = 0; half < 2; half++) {
        target->multiprocessors = multiprocessors[half];
        for (uint32_t i = 0; i < PRODUCTS; i++)
            if (gpu_tries(T.device, i + half, 2))
                check_product(products[i].b, products[i].k, products[i].m, products[i].weight);
        for (uint32_t i = 0; i < JOINED; i++)
            if (gpu_tries(T.device, i + half, 2))
                check_parts(joined[i].parts, joined[i].heads, joined[i].d, joined[i].m,
                            joined[i].weight);
    }
    target->multiprocessors = multiprocessors[0];
}
