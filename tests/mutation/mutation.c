/* Every change that breaks a compiled graph must be noticed, every time.
 *
 * Each real graph and many random ones are compiled and then changed: a barrier removed, one bit of
 * a scope cleared, a write in a scope weakened to a read, a transient moved onto bytes that are in
 * use, an image into the alias set of one in use, two dependent nodes swapped, a needed node
 * dropped, a use shifted, another mip, layer or sampler taken, a piece of an image dropped, a node's
 * data changed, a field of a kernel, of an image's shape or of a buffer that the application sees,
 * what is behind in-place work shifted.
 * Which changes break the graph is decided here, word by word, without the checker's or the passes'
 * means. */
#include <stdlib.h>

#include "base/checked.h"
#include "mutate.h"
#include "support/cases.h"
#include "support/unit.h"

typedef struct trial {
    const rp_graph *source, *compiled;
    dependences deps;
    uint32_t step; /* try every step-th of a long list */
    uint64_t tried;
    char *why; /* the first change that went unnoticed; "" so far */
} trial;

static uint64_t moved_in_place; /* chances that the suite had for it */
static uint64_t changed_images; /* likewise */

static void must_object(trial *t, rp_graph *mutant, const char *what, uint32_t where) {
    char said[RP_WHY];
    t->tried++;
    if (!*t->why && !objects(mutant, t->source, said))
        snprintf(t->why, RP_WHY, "unnoticed: %s %u", what, where);
    rp_graph_destroy(mutant);
}

/* ---- Barriers -------------------------------------------------------------------------------- */

static uint32_t weaker_reads(uint32_t bit) {
    if (bit == RP_SCOPE_COMPUTE_W)
        return RP_SCOPE_COMPUTE_R | RP_SCOPE_COMPUTE_U | RP_SCOPE_COMPUTE_S;
    return bit == RP_SCOPE_TRANSFER_W ? RP_SCOPE_TRANSFER_R : 0;
}

static void weaken_barriers(trial *t) {
    const rp_graph *g = t->compiled;
    for (uint32_t b = 0; b <= g->group_count && !*t->why;
         b += b + t->step <= g->group_count ? t->step : 1) {
        if (!g->barriers[b].src && !g->barriers[b].dst) continue;
        rp_graph *m = mutant_of(g);
        m->barriers[b] = (rp_graph_barrier){0};
        must_object(t, m, "no barrier before group", b);
        for (uint32_t bit = 1; bit < RP_SCOPE_ALL; bit *= 2) {
            if (g->barriers[b].src & bit) {
                m = mutant_of(g);
                m->barriers[b].src &= ~bit;
                must_object(t, m, "a bit of the source scope before group", b);
            }
            if ((g->barriers[b].src & bit) && weaker_reads(bit)) {
                m = mutant_of(g);
                m->barriers[b].src = (m->barriers[b].src & ~bit) | weaker_reads(bit);
                must_object(t, m, "reads for writes in the source scope before group", b);
            }
            if (g->barriers[b].dst & bit) {
                m = mutant_of(g);
                m->barriers[b].dst &= ~bit;
                must_object(t, m, "a bit of the destination scope before group", b);
            }
        }
    }
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* Whether node k writes transient b on the byte `at` of the arena, and to no byte of the node that
 * wrote it or reads it. */
static bool overwrites(const rp_graph *g, uint32_t k, uint32_t b, uint64_t at) {
    for (uint32_t i = 0; i < g->nodes[k].use_count; i++) {
        const rp_graph_use *u = &rp_node_uses(g, &g->nodes[k])[i];
        uint64_t lo = g->buffers[u->buffer].offset + u->offset;
        if (u->buffer == b && rp_access_writes(u->access) && lo <= at && at < lo + u->size)
            return true;
    }
    return false;
}

/* Moves transients onto the byte that a dependence lives in, when one of their writers runs while
 * the byte is needed. */
static void move_transients(trial *t) {
    const rp_graph *g = t->compiled;
    if (!(g->stages & RP_STAGE_PLACED)) return;
    for (uint32_t i = 0; i < t->deps.count && !*t->why; i += t->step) {
        const dependence *d = &t->deps.items[i];
        if (d->reader == RP_NONE) continue;
        uint32_t a = rp_node_uses(g, &g->nodes[d->reader])[d->read_use].buffer;
        if (!rp_buffer_in_arena(&g->buffers[a])) continue;
        uint64_t byte = g->buffers[a].offset + d->at;
        uint32_t from = g->nodes[d->writer].group, to = g->nodes[d->reader].group;
        for (uint32_t k = 0; k < g->nodes_count && !*t->why; k++) {
            const rp_graph_node *n = &g->nodes[k];
            if (k == d->writer || k == d->reader || n->group < from || n->group > to) continue;
            for (uint32_t u = 0; u < n->use_count; u++) {
                const rp_graph_use *use = &rp_node_uses(g, n)[u];
                if (!rp_access_writes(use->access) || use->buffer == a ||
                    !rp_buffer_in_arena(&g->buffers[use->buffer]) || use->offset > byte)
                    continue;
                rp_graph *m = mutant_of(g);
                m->buffers[use->buffer].offset = byte - use->offset;
                m->arena_bytes += g->buffers[use->buffer].size;
                bool hit = overwrites(m, k, use->buffer, byte);
                if (hit)
                    must_object(t, m, "a transient moved onto bytes in use, buffer", use->buffer);
                else
                    rp_graph_destroy(m);
            }
        }
    }
}

/* Whether some node uses the buffer; and the groups from the first use to the last. */
static bool lifetime(const rp_graph *g, uint32_t buffer, uint32_t out[2]) {
    out[0] = RP_NONE;
    for (uint32_t i = 0; i < g->nodes_count; i++)
        for (uint32_t u = 0; u < g->nodes[i].use_count; u++) {
            if (rp_node_uses(g, &g->nodes[i])[u].buffer != buffer) continue;
            if (out[0] == RP_NONE) out[0] = g->nodes[i].group;
            out[1] = g->nodes[i].group;
        }
    return out[0] != RP_NONE;
}

/* Puts two images into one alias set that are alive at the same time. */
static void share_images(trial *t) {
    const rp_graph *g = t->compiled;
    for (uint32_t a = 0; a < g->buffers_count; a++)
        for (uint32_t b = 0; b < g->buffers_count && !*t->why; b++) {
            const rp_graph_buffer *x = &g->buffers[a], *y = &g->buffers[b];
            uint32_t one[2], other[2];
            if (a == b || x->kind != RP_TMP || y->kind != RP_TMP || !rp_buffer_is_image(x) ||
                !rp_buffer_is_image(y) || !lifetime(g, a, one) || !lifetime(g, b, other) ||
                one[0] > other[1] || other[0] > one[1])
                continue;
            rp_graph *m = mutant_of(g);
            m->buffers[b].offset = x->offset;
            changed_images++;
            must_object(t, m, "an image in the alias set of one in use, buffer", b);
        }
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

static void change_nodes(trial *t) {
    const rp_graph *g = t->compiled;
    for (uint32_t i = 0; i < t->deps.count && !*t->why; i += t->step) {
        const dependence *d = &t->deps.items[i];
        rp_graph *m = mutant_of(g);
        rp_graph_use *write = &m->uses[g->nodes[d->writer].first_use + d->write_use];
        write->offset += write->offset >= 4 ? -4 : 4;
        must_object(t, m, "a write shifted, node", g->nodes[d->writer].id);
        m = mutant_of(g);
        drop_node(m, d->writer);
        must_object(t, m, "a needed node dropped, node", g->nodes[d->writer].id);
        if (d->reader == RP_NONE) continue;

        m = mutant_of(g);
        rp_graph_use *read = &m->uses[g->nodes[d->reader].first_use + d->read_use];
        read->offset += read->offset >= 4 ? -4 : 4;
        must_object(t, m, "a read shifted, node", g->nodes[d->reader].id);

        m = mutant_of(g);
        rp_graph_node swap = m->nodes[d->writer];
        m->nodes[d->writer] = m->nodes[d->reader];
        m->nodes[d->reader] = swap;
        uint32_t group = m->nodes[d->writer].group;
        m->nodes[d->writer].group = m->nodes[d->reader].group;
        m->nodes[d->reader].group = group;
        must_object(t, m, "dependent nodes swapped, node", g->nodes[d->reader].id);

        m = mutant_of(g);
        m->nodes[d->reader].group = m->nodes[d->writer].group;
        sort_by_group(m);
        must_object(t, m, "dependent nodes in one group, node", g->nodes[d->reader].id);
    }
}

/* Another mip or layer, fewer of them, another sampler, another element of an array. */
static void change_descriptors(trial *t, uint32_t node) {
    const rp_graph *g = t->compiled;
    const rp_graph_node *n = &g->nodes[node];
    for (uint32_t k = 0; k < n->use_count && !*t->why; k++) {
        const rp_graph_use *u = &rp_node_uses(g, n)[k];
        const rp_graph_buffer *b = &g->buffers[u->buffer];
        for (uint32_t step = 0; n->kind == RP_RUN && step <= RP_USE_PIECE; step++) {
            if (step == u->step) continue;
            rp_graph *m = mutant_of(g);
            m->uses[n->first_use + k].step = (uint8_t)step;
            must_object(t, m, "a use of another descriptor, node", n->id);
        }
        rp_graph *m = mutant_of(g);
        m->uses[n->first_use + k].format++;
        must_object(t, m, "texels of another format, node", n->id);
        if (u->step == RP_USE_PIECE) {
            m = mutant_of(g);
            memmove(&m->uses[n->first_use + k], &m->uses[n->first_use + k + 1],
                    (n->use_count - k - 1) * sizeof *m->uses);
            m->nodes[node].use_count--;
            must_object(t, m, "a piece dropped, node", n->id);
        }
        if (!rp_buffer_is_image(b)) continue;
        changed_images++;
        for (uint32_t mip = 0; mip < b->image.mips; mip++)
            for (uint32_t layer = 0; layer < b->image.layers; layer++) {
                uint64_t offset, size;
                rp_image_range(&b->image, mip, 1, layer, 1, &offset, &size);
                if (offset == u->offset || !rp_range_inside(offset, u->size, b->size)) continue;
                m = mutant_of(g);
                m->uses[n->first_use + k].offset = offset;
                must_object(t, m, "another mip or layer, node", n->id);
                m = mutant_of(g);
                m->uses[n->first_use + k].offset = offset;
                m->uses[n->first_use + k].size = size;
                must_object(t, m, "one layer of another mip, node", n->id);
            }
    }
    for (uint32_t k = 0; k < n->sampler_count && !*t->why; k++)
        for (uint32_t s = 0; s < g->samplers_count; s++) {
            uint32_t now = g->sampler_refs[n->first_sampler + k];
            if (s == now) continue;
            rp_graph *m = mutant_of(g);
            m->sampler_refs[n->first_sampler + k] = s;
            must_object(t, m, "another sampler, node", n->id);
            m = mutant_of(g);
            m->samplers[now] = m->samplers[s];
            must_object(t, m, "a sampler changed, node", n->id);
        }
    if (n->sampler_count == 0) return;
    rp_graph *m = mutant_of(g);
    m->nodes[node].sampler_count--;
    must_object(t, m, "a sampler dropped, node", n->id);
    m = mutant_of(g);
    m->sampler_refs[n->first_sampler] = g->samplers_count;
    must_object(t, m, "a sampler that is not there, node", n->id);
}

static void change_data(trial *t) {
    const rp_graph *g = t->compiled;
    for (uint32_t i = 0; i < g->nodes_count && !*t->why; i += t->step) {
        const rp_graph_node *n = &g->nodes[i];
        rp_graph *m;
        if (n->byte_count) {
            m = mutant_of(g);
            m->bytes[n->first_byte + n->byte_count / 2] ^= 1;
            must_object(t, m, "data changed, node", n->id);
        }
        change_descriptors(t, i);
        if (n->kind == RP_FILL || n->kind == RP_BLIT) {
            m = mutant_of(g);
            m->nodes[i].pattern++;
            must_object(t, m, "pattern changed, node", n->id);
        }
        if (n->kind == RP_RUN && n->grid_kind != RP_GRID_INDIRECT) {
            m = mutant_of(g);
            m->nodes[i].grid[1]++;
            must_object(t, m, "grid changed, node", n->id);
        }
        m = mutant_of(g);
        m->nodes[i].optional = !n->optional;
        must_object(t, m, "optional or not, node", n->id);
        if (n->optional) {
            m = mutant_of(g);
            m->nodes[i].label = rp_graph_intern(m, "another", 7);
            must_object(t, m, "optional under another label, node", n->id);
        }
        for (uint32_t k = 0; k < 3 * n->address_count; k++) {
            m = mutant_of(g);
            rp_graph_address *a = &m->addresses[n->first_address + k / 3];
            k % 3 == 0 ? a->at += 4 : k % 3 == 1 ? a->use ^= 1 : (a->offset += 4);
            must_object(t, m, "address changed, node", n->id);
        }
        for (uint32_t k = 0; k < n->use_count; k++) {
            m = mutant_of(g);
            m->uses[n->first_use + k].addressed = !rp_node_uses(g, n)[k].addressed;
            must_object(t, m, "bound or addressed, node", n->id);
            m = mutant_of(g);
            m->uses[n->first_use + k].access =
                rp_node_uses(g, n)[k].access == RP_READ_WRITE ? RP_WRITE : RP_READ_WRITE;
            must_object(t, m, "access changed, node", n->id);
            m = mutant_of(g);
            m->uses[n->first_use + k].size -= m->uses[n->first_use + k].size > 4 ? 4 : 0;
            if (m->uses[n->first_use + k].size == rp_node_uses(g, n)[k].size)
                rp_graph_destroy(m);
            else
                must_object(t, m, "size changed, node", n->id);
        }
        m = mutant_of(g);
        m->nodes[i].id = 1000000;
        must_object(t, m, "a node of another id, node", n->id);
    }
}

/* ---- Kernels and buffers --------------------------------------------------------------------- */

/* Every field of a kernel that some node runs, one after the other. False behind the last. */
static bool change_kernel(rp_graph *m, rp_graph_kernel *k, uint32_t field) {
    rp_graph_param *param = k->param_count ? &m->params[k->first_param + k->param_count - 1] : NULL;
    rp_graph_spec *spec = k->spec_count ? &m->specs[k->first_spec + k->spec_count - 1] : NULL;
    switch (field) {
    case 0: k->hash++; return true;
    case 1: k->entry = rp_graph_intern(m, "another", 7); return true;
    case 2:
    case 3:
    case 4: k->local[field - 2]++; return true;
    case 5: k->shared_bytes += 4; return true;
    case 6: k->push_bytes += 4; return true;
    case 7: k->param_count -= param != NULL; return true;
    case 8: param ? param->set++ : 0; return true;
    case 9: param ? param->binding++ : 0; return true;
    case 10: param ? param->access = (uint8_t)((param->access + 1) % 5) : 0; return true;
    case 11: k->spec_count -= spec != NULL; return true;
    case 12: spec ? spec->id++ : 0; return true;
    case 13: spec ? spec->value ^= 1 : 0; return true;
    case 14: param ? param->resource++ : 0; return true;
    case 15: param ? param->view++ : 0; return true;
    case 16: param ? param->format++ : 0; return true;
    case 17: param ? param->texel++ : 0; return true;
    case 18: param ? param->elements++ : 0; return true;
    }
    return false;
}

static void change_kernels(trial *t) {
    const rp_graph *g = t->compiled;
    bool *run = calloc(g->kernels_count + 1, 1);
    if (!run) abort();
    for (uint32_t i = 0; i < g->nodes_count; i++)
        if (g->nodes[i].kind == RP_RUN) run[g->nodes[i].kernel] = true;
    for (uint32_t i = 0; i < g->kernels_count && !*t->why; i += t->step)
        for (uint32_t field = 0; run[i] && !*t->why; field++) {
            rp_graph *m = mutant_of(g);
            bool more = change_kernel(m, &m->kernels[i], field);
            if (more && rp_graph_equal(m, g) == 0)
                must_object(t, m, "kernel changed, field", field);
            else
                rp_graph_destroy(m);
            if (!more) break;
        }
    free(run);
}

enum { FIRST_BEYOND = 15 };

/* Every field of an image's shape. False behind the last. */
static bool change_shape(rp_image_shape *s, uint32_t field) {
    switch (field) {
    case 0: s->format++; return true;
    case 1: s->dim ^= 1; return true;
    case 2: s->mips++; return true;
    case 3: s->width++; return true;
    case 4: s->height++; return true;
    case 5: s->depth++; return true;
    case 6: s->layers++; return true;
    case 7: *s = (rp_image_shape){0}; return true;
    }
    return false;
}

/* Of all images, transients too. */
static void change_shapes(trial *t) {
    const rp_graph *g = t->compiled;
    for (uint32_t i = 0; i < g->buffers_count && !*t->why; i++) {
        uint32_t used[2];
        if (!rp_buffer_is_image(&g->buffers[i]) || g->buffers[i].removed) continue;
        if (g->buffers[i].kind == RP_TMP && !lifetime(g, i, used)) continue;
        for (uint32_t field = 0; !*t->why; field++) {
            rp_graph *m = mutant_of(g);
            bool more = change_shape(&m->buffers[i].image, field);
            if (more)
                must_object(t, m, "an image of another shape, field", field);
            else
                rp_graph_destroy(m);
            if (!more) break;
        }
    }
}

/* Every field of a buffer that the application sees. False behind the last. */
static bool change_buffer(rp_graph *m, rp_graph_buffer *b, uint32_t field) {
    switch (field) {
    case 0: b->name = rp_graph_intern(m, "another", 7); return true;
    case 1: b->kind = b->kind == RP_IN ? RP_WEIGHT : RP_IN; return true;
    case 2: b->dtype = b->dtype == RP_U32 ? RP_F32 : RP_U32; return true;
    case 3: b->rank ? m->dims[b->first_dim]++ : 0; return true;
    case 4: b->rank ? b->rank-- : 0; return true;
    case 5: b->size += 4; return true;
    case 6: b->max_value -= b->kind == RP_LIVE; return true;
    case 7:
        if (b->first_default != RP_NONE) m->bytes[b->first_default + b->size / 2] ^= 1;
        return true;
    case 8:
        if (b->first_default != RP_NONE) m->bytes[b->first_default + b->size - 1] ^= 128;
        return true;
    case 9: b->first_default = RP_NONE; return true;
    case 10: b->follow_count ? m->follows[b->first_follow].from ^= 4 : 0; return true;
    case 11: b->follow_count ? m->follows[b->first_follow].to ^= 4 : 0; return true;
    case 12: b->follow_count ? m->follows[b->first_follow].size += 4 : 0; return true;
    case 13: b->follow_count ? m->follows[b->first_follow].buffer ^= 1 : 0; return true;
    case 14: b->follow_count -= b->follow_count > 0; return true;
    /* Behind the ends of their arrays: what has such an index cannot be compared. */
    case FIRST_BEYOND:
        b->follow_count ? m->follows[b->first_follow].buffer = RP_NONE : 0;
        return true;
    case 16: b->first_follow += b->follow_count > 0 ? 1000 : 0; return true;
    }
    return false;
}

static void change_buffers(trial *t) {
    const rp_graph *g = t->compiled;
    for (uint32_t i = 0; i < g->buffers_count && !*t->why; i++) {
        if (g->buffers[i].kind == RP_TMP || g->buffers[i].removed) continue;
        if (i % t->step && g->buffers[i].kind != RP_LIVE) continue;
        for (uint32_t field = 0; !*t->why; field++) {
            rp_graph *m = mutant_of(g);
            bool more = change_buffer(m, &m->buffers[i], field);
            bool beyond = field >= FIRST_BEYOND && g->buffers[i].follow_count > 0;
            if (more && (beyond || rp_graph_equal(m, g) == 0))
                must_object(t, m, "buffer changed, field", field);
            else
                rp_graph_destroy(m);
            if (!more) break;
        }
    }
}

/* ---- In-place work --------------------------------------------------------------------------- */

static void move_in_place(trial *t) {
    const rp_graph *g = t->compiled;
    for (uint32_t i = 0; i < g->nodes_count && !*t->why; i++)
        for (uint32_t pair = 0; pair < g->nodes[i].use_count * g->nodes[i].use_count; pair++) {
            rp_graph *m = apart_from(g, i, pair);
            if (!m) continue;
            moved_in_place++;
            must_object(t, m, "work in place at a distance, node", g->nodes[i].id);
        }
}

/* ---- On many graphs -------------------------------------------------------------------------- */

/* All changes to one compiled graph. Barriers of `sync=full` may be superfluous. */
static uint64_t try_all(const rp_graph *source, const rp_graph *compiled, bool narrow,
                        uint32_t step, char why[RP_WHY]) {
    char said[RP_WHY];
    trial t = {.source = source, .compiled = compiled, .step = step, .why = why};
    *why = 0;
    if (objects(compiled, source, said)) {
        snprintf(why, RP_WHY, "objects to the unchanged graph: %.900s", said);
        return 1;
    }
    t.deps = find_dependences(compiled);
    if (narrow) weaken_barriers(&t);
    move_transients(&t);
    if (compiled->stages & RP_STAGE_PLACED) share_images(&t);
    change_nodes(&t);
    change_data(&t);
    change_kernels(&t);
    change_buffers(&t);
    change_shapes(&t);
    move_in_place(&t);
    free(t.deps.items);
    return t.tried;
}

static const char *const pipelines[] = {
    "dce,rename,schedule,place,sync",
    "schedule=source,place,sync",
    "schedule=source,place=separate,sync=full",
};

static void try_real(void *context, const char *name, const rp_graph *source) {
    uint64_t *total = context;
    if (RP_PART > 1 && source->nodes_count > 300) return;
    for (uint32_t i = 0; i < sizeof pipelines / sizeof *pipelines; i++) {
        char why[RP_WHY] = "";
        rp_graph *compiled = compile_with(source, pipelines[i], why);
        /* A change costs a check of the whole graph, so of large graphs a part is tried. */
        uint32_t step = 1 + source->nodes_count * RP_PART / 25;
        if (compiled) *total += try_all(source, compiled, i < 2, step, why);
        if (*why) fprintf(stderr, "\n%s, %s: %s", name, pipelines[i], why);
        CU_ASSERT(compiled != NULL && *why == 0);
        rp_graph_destroy(compiled);
    }
}

static void test_real_graphs(void) {
    uint64_t tried = 0;
    CU_ASSERT(each_real_graph(try_real, &tried) >= 10);
    printf("%llu changes noticed ... ", (unsigned long long)tried);
    CU_ASSERT(tried > 1000 / RP_PART);
    CU_ASSERT(changed_images > 0);
}

static bool try_random(void *context, uint64_t seed, const rp_graph *source, char why[RP_WHY]) {
    uint64_t *total = context;
    uint32_t i = (uint32_t)(seed % (sizeof pipelines / sizeof *pipelines));
    rp_graph *compiled = compile_with(source, pipelines[i], why);
    if (!compiled) return false;
    *total += try_all(source, compiled, i < 2, 1 + source->nodes_count / 20, why);
    rp_graph_destroy(compiled);
    return *why == 0;
}

static void test_random_graphs(void) {
    uint64_t tried = 0;
    CU_ASSERT_EQUAL(rp_random_suite("changes to random graphs", 150, try_random, &tried), 0);
    printf("%llu changes noticed ... ", (unsigned long long)tried);
    CU_ASSERT(moved_in_place > 0);
}

int main(void) {
    static const rp_test tests[] = {
        {"real graphs", test_real_graphs},
        {"random graphs", test_random_graphs},
        {NULL, NULL},
    };
    return rp_run_tests("mutation", tests);
}
