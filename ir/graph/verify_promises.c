/* Warnings for kernels that cannot do what their uses promise, or that lay out their elements
 * unlike the buffer they are bound to.
 *
 * `w` promises that every byte of the range is written, and passes rely on it: what was there
 * before may be dropped, or be something else's bytes. Nobody can prove it of a shader, but two
 * ways of breaking it can be seen: fewer stores in all invocations together than elements in the
 * range, and elements with padding, as those of `vec3 v[]` have in std430. The second is a mistake
 * of reading as well when the buffer is typed and dense.
 *
 * Each parameter of a kernel is warned of once. Cost: linear in uses. */
#include "graph/verify.h"

#include "ops/op.h"

/* How many invocations a node has, at most UINT64_MAX. */
static uint64_t invocations(const rp_graph_node *n, const rp_graph_kernel *k) {
    uint64_t total = 1;
    for (uint32_t i = 0; i < 3; i++) {
        if (__builtin_mul_overflow(total, n->grid[i], &total)) return UINT64_MAX;
        if (__builtin_mul_overflow(total, k->local[i], &total)) return UINT64_MAX;
    }
    return total;
}

/* Elements of the block's array in a use. */
static uint64_t elements(const rp_graph_array *a, const rp_graph_use *u) {
    return u->size <= a->offset ? 0 : (u->size - a->offset) / a->stride;
}

static bool warn_too_few(rp_verifier *v, const rp_graph_node *n, const rp_graph_use *u,
                         const rp_graph_param *p) {
    const rp_graph_array *a = &p->array;
    uint64_t threads = invocations(n, &v->graph->kernels[n->kernel]), most;
    if (!rp_use_overwrites(n, u) || a->stores == 0) return false;
    if (__builtin_mul_overflow(threads, a->stores, &most) || most >= elements(a, u)) return false;
    rp_diags_add(v->diags, RP_WARNING, v->file, n->pos.line, n->pos.column,
                 "n%u: %s: its %llu invocations write at most %llu of %llu elements ('%.60s', %u "
                 "bytes each), but w promises that every byte is written: what is left may be "
                 "anything; run more, bind less, or fill it first and declare the use rw",
                 n->id, rp_show_use(v->graph, u).text, (unsigned long long)threads,
                 (unsigned long long)most, (unsigned long long)elements(a, u),
                 rp_graph_string(v->graph, p->name), a->stride);
    return true;
}

/* Whether a buffer holds scalars of the shader's width one behind the other, as far as its shape
 * tells: a last dimension that fills whole strides is how padding looks. */
static bool is_dense(const rp_graph *g, const rp_graph_buffer *b, const rp_graph_array *a) {
    uint32_t width = b->rank ? rp_dtype_size((rp_dtype)b->dtype) : 0;
    if (width == 0 || width * a->components != a->element) return false;
    uint64_t last = g->dims[b->first_dim + b->rank - 1];
    if (last * width % a->stride != 0) return true;
    return b->rank == 1 && a->components > 1 && last % a->components == 0;
}

static bool warn_gaps(rp_verifier *v, const rp_graph_node *n, const rp_graph_use *u,
                      const rp_graph_param *p) {
    const rp_graph_array *a = &p->array;
    const rp_graph_buffer *b = &v->graph->buffers[u->buffer];
    if (a->stride <= a->element) return false;
    bool dense = a->offset == 0 && is_dense(v->graph, b, a), promised = rp_use_overwrites(n, u);
    if (!dense && !promised) return false;
    rp_text text;
    rp_text_init(&text, &v->graph->allocator);
    rp_text_format(&text, "n%u: %s: elements of '%.60s' have %u bytes at a stride of %u", n->id,
                   rp_show_use(v->graph, u).text, rp_graph_string(v->graph, p->name), a->element,
                   a->stride);
    if (dense)
        rp_text_format(&text,
                       ", while the buffer's have no bytes between them: element i is at byte "
                       "%u * i, not %u * i",
                       a->stride, a->element);
    if (promised)
        rp_text_format(&text,
                       "; the %u bytes of padding in each are never written, which w promises",
                       a->stride - a->element);
    rp_text_string(&text, "; use an array of scalars in the shader");
    if (dense) rp_text_string(&text, ", or give the buffer a shape that has the padding");
    if (promised) rp_text_string(&text, ", or fill it first and declare the use rw");
    if (text.failed)
        v->status = RP_ERROR_NO_MEMORY;
    else
        rp_diags_add(v->diags, RP_WARNING, v->file, n->pos.line, n->pos.column, "%s", text.data);
    rp_text_free(&text);
    return true;
}

void rp_verify_promises(rp_verifier *v) {
    const rp_graph *g = v->graph;
    if (!v->diags || g->stages) return; /* said of the source */
    bool *warned = rp_alloc_zero(&g->allocator, g->params_count, sizeof *warned);
    if (!warned) v->status = RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < g->nodes_count && v->status == RP_OK; i++) {
        const rp_graph_node *n = &g->nodes[i];
        if (n->kind != RP_RUN || n->unknown || n->member_count) continue;
        const rp_graph_kernel *k = &g->kernels[n->kernel];
        for (uint32_t p = k->first_param; p < k->first_param + k->param_count; p++) {
            const rp_graph_use *u = &rp_node_uses(g, n)[p - k->first_param];
            const rp_graph_param *param = &g->params[p];
            if (warned[p] || param->array.stride == 0) continue;
            warned[p] = warn_gaps(v, n, u, param) || warn_too_few(v, n, u, param);
        }
    }
    rp_release(&g->allocator, warned);
}
