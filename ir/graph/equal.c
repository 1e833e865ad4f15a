/* Equality and hash of graphs: everything the text form holds.
 *
 * One walk does both: it goes through two graphs side by side, compares each field, and folds the
 * first graph's fields into a hash. The hash of a graph is the walk of a graph with itself, so what
 * is hashed and what is compared cannot drift apart. Buffers and kernels are named by their names,
 * as in the text, because indices differ where a pass removed something. The same few names come
 * again and again: what was lately hashed is remembered. O(size of the graph), no memory but the
 * stack's. */
#include "graph/graph.h"

#include "base/hash.h"

enum {
    ROW = 64,  /* numbers that are hashed at once */
    MOST = 64, /* numbers between two calls of fold_rows, at most */
    SEEN = 1024
};

/* What a walk does most is inlined into what asks for it, so that of a graph beside itself no
 * comparison is left there. */
#define INLINED static inline __attribute__((always_inline))

typedef struct pair {
    const rp_graph *g, *h;
} pair;

/* A string of the first graph: its size and its hash. */
typedef struct seen_string {
    uint32_t string, size;
    uint64_t hash;
} seen_string;

typedef struct walk {
    bool differs;
    uint64_t hash;  /* of the rows that are full */
    uint32_t count; /* numbers of the next */
    uint64_t row[ROW + MOST];
    seen_string seen[SEEN]; /* by some bits of the string; RP_NONE = nothing yet */
} walk;

static void start(walk *w) {
    w->differs = false;
    w->hash = w->count = 0;
    for (uint32_t i = 0; i < SEEN; i++) w->seen[i].string = RP_NONE;
}

/* Asked for between things rather than for every number, of which each thing has less than MOST. */
static void fold_rows(walk *w) {
    if (w->count < ROW) return;
    w->hash = rp_hash_mix(w->hash, w->row, ROW * sizeof *w->row);
    w->count -= ROW;
    memcpy(w->row, w->row + ROW, w->count * sizeof *w->row);
}

INLINED void number(walk *w, uint64_t a, uint64_t b) {
    w->differs |= a != b;
    w->row[w->count++] = a;
}

/* The same field of two things. */
#define FIELD(w, x, y, field) number((w), (x)->field, (y)->field)

INLINED void bytes(walk *w, const void *a, const void *b, size_t a_size, size_t b_size) {
    number(w, a_size, b_size);
    if (w->differs || a_size == 0) return;
    if (a != b && memcmp(a, b, a_size) != 0) w->differs = true;
    uint64_t hash = rp_hash(a, a_size);
    number(w, hash, hash);
}

static const seen_string *look(walk *w, pair p, uint32_t string) {
    seen_string *seen = &w->seen[string * UINT32_C(0x9e3779b1) >> 22]; /* of SEEN */
    if (seen->string == string) return seen;
    const char *text = rp_graph_string(p.g, string);
    size_t size = strlen(text);
    *seen = (seen_string){string, (uint32_t)size, size ? rp_hash(text, size) : 0};
    return seen;
}

INLINED void string(walk *w, pair p, uint32_t a, uint32_t b) {
    number(w, a == RP_NONE, b == RP_NONE);
    if (w->differs || a == RP_NONE) return;
    const seen_string *seen = look(w, p, a);
    const char *x = rp_graph_string(p.g, a), *y = rp_graph_string(p.h, b);
    number(w, seen->size, x == y ? seen->size : strlen(y));
    if (w->differs || seen->size == 0) return;
    if (x != y && memcmp(x, y, seen->size) != 0) w->differs = true;
    number(w, seen->hash, seen->hash);
}

/* What few graphs have: hashed where it is there alone, and marked, so that it is nothing else. */
INLINED void rare(walk *w, uint64_t a, uint64_t b) {
    w->differs |= a != b;
    if (a) number(w, a | UINT64_C(1) << 63, b | UINT64_C(1) << 63);
}

INLINED void buffer_name(walk *w, pair p, uint32_t a, uint32_t b) {
    string(w, p, p.g->buffers[a].name, p.h->buffers[b].name);
}

static void walk_expr(walk *w, pair p, const rp_graph_expr *x, const rp_graph_expr *y) {
    FIELD(w, x, y, op_count);
    for (uint32_t i = 0; !w->differs && i < x->op_count; i++) {
        fold_rows(w);
        const rp_expr_op *a = &p.g->expr_ops[x->first_op + i];
        const rp_expr_op *b = &p.h->expr_ops[y->first_op + i];
        FIELD(w, a, b, code);
        if (w->differs) return;
        if (a->code == RP_EXPR_LIVE) {
            buffer_name(w, p, a->buffer, b->buffer);
            FIELD(w, a, b, element);
        } else if (a->code == RP_EXPR_CONST) {
            number(w, (uint64_t)a->value, (uint64_t)b->value);
        }
    }
}

/* Dimensions; of what they follow the sizes are compared, and hashed, by what they are. */
static void walk_dims(walk *w, pair p, uint32_t x, uint32_t y, uint32_t count) {
    w->differs |= !rp_graph_same_dims(p.g, x, p.h, y, count);
    if (w->differs) return;
    for (uint32_t i = 0; i < count; i++) {
        number(w, p.g->dims[x + i], p.h->dims[y + i]);
        for (uint32_t s = 0; p.g->dim_powers[x + i] && s < p.g->sizes.count; s++) {
            const rp_graph_expr *e = &p.g->exprs[p.g->size_exprs[s]];
            rare(w, rp_power_of(p.g->dim_powers[x + i], s), rp_power_of(p.g->dim_powers[x + i], s));
            if (rp_power_of(p.g->dim_powers[x + i], s)) walk_expr(w, (pair){p.g, p.g}, e, e);
        }
    }
}

INLINED void walk_buffer(walk *w, pair p, const rp_graph_buffer *x, const rp_graph_buffer *y) {
    fold_rows(w);
    string(w, p, x->name, y->name);
    FIELD(w, x, y, kind);
    FIELD(w, x, y, dtype);
    FIELD(w, x, y, rank);
    FIELD(w, x, y, size);
    FIELD(w, x, y, offset);
    rare(w, x->tagged, y->tagged);
    rare(w, x->image.format, y->image.format);
    if (x->image.format) {
        FIELD(w, x, y, image.dim);
        FIELD(w, x, y, image.mips);
        FIELD(w, x, y, image.width);
        FIELD(w, x, y, image.height);
        FIELD(w, x, y, image.depth);
        FIELD(w, x, y, image.layers);
    }
    if (w->differs) return;
    walk_dims(w, p, x->first_dim, y->first_dim, x->rank);
    if (x->kind != RP_LIVE) return;
    FIELD(w, x, y, max_value);
    FIELD(w, x, y, follow_count);
    for (uint32_t i = 0; !w->differs && i < x->follow_count; i++) {
        fold_rows(w);
        const rp_graph_follow *a = &p.g->follows[x->first_follow + i];
        const rp_graph_follow *b = &p.h->follows[y->first_follow + i];
        buffer_name(w, p, a->buffer, b->buffer);
        FIELD(w, a, b, from);
        FIELD(w, a, b, to);
        FIELD(w, a, b, size);
    }
    bool a = x->first_default != RP_NONE, b = y->first_default != RP_NONE;
    number(w, a, b);
    if (a && b)
        bytes(w, p.g->bytes + x->first_default, p.h->bytes + y->first_default, x->size, y->size);
}

/* What a parameter is beside a buffer. */
static uint64_t kind_of(const rp_graph_param *p) {
    return p->resource | (uint64_t)p->view << 8 | (uint64_t)p->format << 16 |
           (uint64_t)p->texel << 24;
}

static void walk_sampler(walk *w, pair p, const rp_graph_sampler *x, const rp_graph_sampler *y) {
    fold_rows(w);
    string(w, p, x->name, y->name);
    bytes(w, &x->info, &y->info, sizeof x->info, sizeof y->info);
}

static void walk_kernel(walk *w, pair p, const rp_graph_kernel *x, const rp_graph_kernel *y) {
    fold_rows(w);
    string(w, p, x->name, y->name);
    FIELD(w, x, y, hash);
    string(w, p, x->entry, y->entry);
    for (int i = 0; i < 3; i++) FIELD(w, x, y, local[i]);
    FIELD(w, x, y, shared_bytes);
    FIELD(w, x, y, push_bytes);
    FIELD(w, x, y, param_count);
    FIELD(w, x, y, spec_count);
    for (uint32_t i = 0; !w->differs && i < x->param_count; i++) {
        fold_rows(w);
        const rp_graph_param *a = &p.g->params[x->first_param + i];
        const rp_graph_param *b = &p.h->params[y->first_param + i];
        FIELD(w, a, b, access);
        FIELD(w, a, b, set);
        FIELD(w, a, b, binding);
        FIELD(w, a, b, skip);
        rare(w, kind_of(a), kind_of(b));
        rare(w, a->elements, b->elements);
    }
    for (uint32_t i = 0; !w->differs && i < x->spec_count; i++) {
        fold_rows(w);
        const rp_graph_spec *s = &p.g->specs[x->first_spec + i];
        const rp_graph_spec *t = &p.h->specs[y->first_spec + i];
        FIELD(w, s, t, id);
        FIELD(w, s, t, bytes);
        FIELD(w, s, t, value);
    }
}

static void walk_addresses(walk *w, pair p, const rp_graph_node *x, const rp_graph_node *y) {
    FIELD(w, x, y, address_count);
    for (uint32_t i = 0; !w->differs && i < x->address_count; i++) {
        fold_rows(w);
        const rp_graph_address *a = &p.g->addresses[x->first_address + i];
        const rp_graph_address *b = &p.h->addresses[y->first_address + i];
        FIELD(w, a, b, at);
        FIELD(w, a, b, use);
        FIELD(w, a, b, offset);
    }
}

INLINED void walk_run(walk *w, pair p, const rp_graph_node *x, const rp_graph_node *y) {
    FIELD(w, x, y, grid_kind);
    FIELD(w, x, y, unknown);
    number(w, x->grid_kind == RP_GRID_LIVE ? x->live_mask : 0,
           y->grid_kind == RP_GRID_LIVE ? y->live_mask : 0);
    string(w, p, p.g->kernels[x->kernel].name, p.h->kernels[y->kernel].name);
    if (w->differs || x->grid_kind == RP_GRID_INDIRECT) return;
    for (uint32_t i = 0; i < 3; i++) {
        if (x->grid_kind == RP_GRID_LIVE && x->live_mask >> i & 1)
            walk_expr(w, p, &p.g->exprs[x->grid[i]], &p.h->exprs[y->grid[i]]);
        else
            FIELD(w, x, y, grid[i]);
    }
}

static void walk_operand(walk *w, pair p, const rp_graph_operand *x, const rp_graph_operand *y) {
    fold_rows(w);
    FIELD(w, x, y, access);
    FIELD(w, x, y, absent);
    if (w->differs || x->absent) return;
    FIELD(w, x, y, dtype);
    FIELD(w, x, y, rank);
    FIELD(w, x, y, use);
    FIELD(w, x, y, value);
    string(w, p, x->name, y->name);
    if (!w->differs) walk_dims(w, p, x->first_dim, y->first_dim, x->rank);
}

static void walk_double(walk *w, double x, double y) {
    uint64_t bits[2] = {0, 0};
    memcpy(&bits[0], &x, sizeof x);
    memcpy(&bits[1], &y, sizeof y);
    number(w, bits[0], bits[1]);
}

static void walk_attr(walk *w, pair p, const rp_graph_attr *x, const rp_graph_attr *y) {
    fold_rows(w);
    string(w, p, x->name, y->name);
    string(w, p, x->text, y->text);
    if (w->differs || x->text != RP_NONE) return;
    walk_double(w, x->number, y->number);
    walk_double(w, x->rest, y->rest);
}

static void walk_member(walk *w, pair p, const rp_graph_member *x, const rp_graph_member *y) {
    fold_rows(w);
    FIELD(w, x, y, id);
    bytes(w, x->op->name, y->op->name, strlen(x->op->name), strlen(y->op->name));
    FIELD(w, x, y, operand_count);
    FIELD(w, x, y, attr_count);
    for (uint32_t i = 0; !w->differs && i < x->operand_count; i++)
        walk_operand(w, p, &p.g->operands[x->first_operand + i],
                     &p.h->operands[y->first_operand + i]);
    for (uint32_t i = 0; !w->differs && i < x->attr_count; i++)
        walk_attr(w, p, &p.g->attrs[x->first_attr + i], &p.h->attrs[y->first_attr + i]);
}

INLINED void walk_node(walk *w, pair p, const rp_graph_node *x, const rp_graph_node *y) {
    fold_rows(w);
    FIELD(w, x, y, id);
    FIELD(w, x, y, kind);
    if (p.g->stages & RP_STAGE_SCHEDULED) FIELD(w, x, y, group);
    FIELD(w, x, y, use_count);
    FIELD(w, x, y, member_count);
    FIELD(w, x, y, optional);
    string(w, p, x->label, y->label);
    string(w, p, x->op, y->op);
    if (w->differs) return;
    if (x->kind == RP_RUN) walk_run(w, p, x, y);
    if (x->kind == RP_RUN) walk_addresses(w, p, x, y);
    if (x->kind == RP_FILL || x->kind == RP_BLIT) FIELD(w, x, y, pattern);
    if (x->kind == RP_RUN || x->kind == RP_UPDATE || x->kind == RP_CLEAR)
        bytes(w, p.g->bytes + x->first_byte, p.h->bytes + y->first_byte, x->byte_count,
              y->byte_count);
    for (uint32_t i = 0; !w->differs && i < x->use_count; i++) {
        fold_rows(w);
        const rp_graph_use *u = &p.g->uses[x->first_use + i], *v = &p.h->uses[y->first_use + i];
        buffer_name(w, p, u->buffer, v->buffer);
        FIELD(w, u, v, access);
        FIELD(w, u, v, indirect);
        FIELD(w, u, v, addressed);
        FIELD(w, u, v, offset);
        FIELD(w, u, v, size);
        rare(w, u->step | (uint64_t)u->format << 8, v->step | (uint64_t)v->format << 8);
    }
    rare(w, x->sampler_count, y->sampler_count);
    for (uint32_t i = 0; !w->differs && i < x->sampler_count; i++) {
        fold_rows(w);
        string(w, p, p.g->samplers[p.g->sampler_refs[x->first_sampler + i]].name,
               p.h->samplers[p.h->sampler_refs[y->first_sampler + i]].name);
    }
    for (uint32_t i = 0; !w->differs && i < x->member_count; i++)
        walk_member(w, p, &p.g->members[x->first_member + i], &p.h->members[y->first_member + i]);
}

/* Moves *i to the next buffer that is there; false behind the last. */
static bool next_buffer(const rp_graph *g, uint32_t *i) {
    while (*i < g->buffers_count && g->buffers[*i].removed) ++*i;
    return *i < g->buffers_count;
}

static bool next_kernel(const rp_graph *g, uint32_t *i) {
    while (*i < g->kernels_count && g->kernels[*i].removed) ++*i;
    return *i < g->kernels_count;
}

INLINED void walk_declarations(walk *w, pair p) {
    for (uint32_t i = 0, j = 0; !w->differs; i++, j++) {
        bool more = next_buffer(p.g, &i);
        number(w, more, next_buffer(p.h, &j));
        if (w->differs || !more) break;
        walk_buffer(w, p, &p.g->buffers[i], &p.h->buffers[j]);
    }
    for (uint32_t i = 0, j = 0; !w->differs; i++, j++) {
        bool more = next_kernel(p.g, &i);
        number(w, more, next_kernel(p.h, &j));
        if (w->differs || !more) break;
        walk_kernel(w, p, &p.g->kernels[i], &p.h->kernels[j]);
    }
    rare(w, p.g->samplers_count, p.h->samplers_count);
    for (uint32_t i = 0; !w->differs && i < p.g->samplers_count; i++)
        walk_sampler(w, p, &p.g->samplers[i], &p.h->samplers[i]);
}

/* `portable` goes without saying. */
static void walk_target(walk *w, const rp_graph *a, const rp_graph *b) {
    bool plain = rp_graph_is_portable(a);
    w->differs |= plain != rp_graph_is_portable(b);
    if (w->differs || plain) return;
    rp_target x = a->target, y = b->target;
    bytes(w, x.name, y.name, strlen(x.name), strlen(y.name));
    for (uint32_t key = 0; key < RP_TARGET_KEYS; key++) {
        fold_rows(w);
        number(w, *rp_target_figure_of(&x, key), *rp_target_figure_of(&y, key));
    }
}

INLINED void walk_graph(walk *w, pair p) {
    const rp_graph *a = p.g, *b = p.h;
    string(w, p, a->name, b->name);
    FIELD(w, a, b, stages);
    FIELD(w, a, b, nodes_count);
    if (w->differs) return;
    if (a->stages & RP_STAGE_PLACED) FIELD(w, a, b, arena_bytes);
    if (a->stages & RP_STAGE_SCHEDULED) FIELD(w, a, b, group_count);
    walk_target(w, a, b);
    walk_declarations(w, p);
    for (uint32_t i = 0; !w->differs && i < a->nodes_count; i++)
        walk_node(w, p, &a->nodes[i], &b->nodes[i]);
    if (w->differs || !(a->stages & RP_STAGE_SYNCED)) return;
    FIELD(w, a, b, barriers_count);
    for (uint32_t i = 0; !w->differs && i < a->barriers_count; i++) {
        fold_rows(w);
        FIELD(w, &a->barriers[i], &b->barriers[i], src);
        FIELD(w, &a->barriers[i], &b->barriers[i], dst);
    }
    rare(w, a->tagged_barriers_count, b->tagged_barriers_count);
    for (uint32_t i = 0; !w->differs && i < a->tagged_barriers_count; i++) {
        fold_rows(w);
        FIELD(w, &a->tagged_barriers[i], &b->tagged_barriers[i], src);
        FIELD(w, &a->tagged_barriers[i], &b->tagged_barriers[i], dst);
    }
}

int rp_graph_equal(const rp_graph *a, const rp_graph *b) {
    if (!a || !b) return a == b;
    walk w;
    start(&w);
    walk_graph(&w, (pair){a, b});
    return !w.differs;
}

uint64_t rp_graph_hash(const rp_graph *graph) {
    if (!graph) return 0;
    walk w;
    start(&w);
    walk_graph(&w, (pair){graph, graph});
    fold_rows(&w);
    return w.count ? rp_hash_mix(w.hash, w.row, w.count * sizeof *w.row) : w.hash;
}
