/* Every change that breaks a fused node must be noticed, every time.
 *
 * Random graphs of ops are fused, lowered to abstract kernels, scheduled, placed and synchronised.
 * Then a member is dropped, two members that depend on each other swapped, a read retargeted to
 * another range or another value, an attribute or a formula changed, an op exchanged, a result that
 * somebody needs no longer stored, a member's id changed, a node made optional. The checker must object to each, against
 * the source graph. Nor may a value inside a node stand for a read that the source makes of other
 * bytes or as another type, so source and compiled graph are changed together, too. */
#include <stdlib.h>

#include "mutate.h"
#include "support/cases.h"
#include "support/abstract_lowering.h"
#include "support/random_ops.h"
#include "support/unit.h"

enum {
    DROP,
    SWAP,
    REREAD,
    REVALUE,
    ATTRIBUTE,
    OP,
    UNSTORED,
    ID,
    RETYPED,
    PART,
    OVERWRITTEN,
    SWITCH,
    KINDS
};

typedef struct trial {
    const rp_graph *source, *compiled;
    uint64_t tried[KINDS];
    char why[RP_WHY]; /* the first change that went unnoticed */
} trial;

static void must_object(trial *t, rp_graph *mutant, uint32_t kind, const char *what, uint32_t id) {
    char text[RP_WHY];
    t->tried[kind]++;
    if (!*t->why && !objects(mutant, t->source, text))
        snprintf(t->why, RP_WHY, "unnoticed: %s, member n%u", what, id);
    rp_graph_destroy(mutant);
}

static rp_graph_node *node_of(rp_graph *g, uint32_t i) {
    return &g->nodes[i];
}

static rp_graph_member *member_of(rp_graph *g, uint32_t node, uint32_t member) {
    return &g->members[g->nodes[node].first_member + member];
}

/* Whether a later member of the node reads a value of this one. */
static bool feeds(const rp_graph *g, const rp_graph_node *n, uint32_t from, uint32_t to) {
    const rp_graph_member *a = &rp_node_members(g, n)[from], *b = &rp_node_members(g, n)[to];
    for (uint32_t i = 0; i < a->operand_count; i++)
        for (uint32_t k = 0; k < b->operand_count; k++) {
            const rp_graph_operand *x = &rp_member_operands(g, a)[i];
            const rp_graph_operand *y = &rp_member_operands(g, b)[k];
            if (rp_access_writes(x->access) && !rp_access_writes(y->access) && !x->absent &&
                !y->absent && y->use == RP_NONE && x->value == y->value)
                return true;
        }
    return false;
}

static void change_members(trial *t, uint32_t node) {
    const rp_graph *g = t->compiled;
    const rp_graph_node *n = &g->nodes[node];
    for (uint32_t k = 0; k < n->member_count && !*t->why; k++) {
        uint32_t id = rp_node_members(g, n)[k].id;
        rp_graph *m;
        if (n->member_count > 1) {
            m = mutant_of(g);
            for (uint32_t i = k; i + 1 < n->member_count; i++)
                *member_of(m, node, i) = *member_of(m, node, i + 1);
            node_of(m, node)->member_count--;
            must_object(t, m, DROP, "a member dropped", id);
        }
        if (k + 1 < n->member_count && feeds(g, n, k, k + 1)) {
            m = mutant_of(g);
            rp_graph_member swap = *member_of(m, node, k);
            *member_of(m, node, k) = *member_of(m, node, k + 1);
            *member_of(m, node, k + 1) = swap;
            must_object(t, m, SWAP, "a value's writer and reader swapped", id);
        }
        m = mutant_of(g);
        member_of(m, node, k)->id = 100000;
        must_object(t, m, ID, "a member of another id", id);

        m = mutant_of(g);
        rp_graph_member *member = member_of(m, node, k);
        const rp_op *op = member->op;
        for (uint32_t i = 0; i < rp_op_count() && member->op == op; i++) {
            const rp_op *other = rp_op_at(i);
            /* One that takes the same operands and has no attributes that would matter. */
            if (other->form == op->form && other->operand_count == op->operand_count &&
                strcmp(other->name, "map") != 0)
                if (other != op) member->op = other;
        }
        if (member->op == op)
            rp_graph_destroy(m);
        else
            must_object(t, m, OP, "another op", id);
    }
}

static void change_operand(trial *t, uint32_t node, uint32_t index) {
    const rp_graph *g = t->compiled;
    const rp_graph_node *n = &g->nodes[node];
    const rp_graph_operand *o = &g->operands[index];
    if (o->absent) return;
    for (uint32_t u = 0; u < n->use_count && o->use != RP_NONE; u++) {
        if (u == o->use) continue;
        rp_graph *m = mutant_of(g);
        m->operands[index].use = u;
        must_object(t, m, REREAD, "an operand moved to another use", n->id);
    }
    if (o->use == RP_NONE && !rp_access_writes(o->access)) {
        rp_graph *m = mutant_of(g);
        m->operands[index].value += o->value > 0 ? -1u : 1u;
        must_object(t, m, REVALUE, "another value read", n->id);
    }
    if (o->use != RP_NONE && rp_access_writes(o->access)) {
        rp_graph *m = mutant_of(g);
        m->operands[index].use = RP_NONE;
        must_object(t, m, UNSTORED, "a result not stored", n->id);
    }
    rp_graph *m = mutant_of(g);
    m->operands[index].dtype = o->dtype == RP_F32 ? RP_I32 : o->dtype == RP_U32 ? RP_I32 : RP_F32;
    must_object(t, m, REREAD, "an operand of another dtype", n->id);
}

static void must_object_both(trial *t, rp_graph *source, rp_graph *mutant, uint32_t kind,
                             const char *what, uint32_t id) {
    const rp_graph *good = t->source;
    t->source = source;
    must_object(t, mutant, kind, what, id);
    t->source = good;
    rp_graph_destroy(source);
}

/* Gives an operand dimensions of its own, the first one halved. */
static void halve(rp_graph *g, uint32_t operand) {
    rp_graph_operand *o = &g->operands[operand];
    rp_tensor shape;
    rp_graph_shape(g, o->first_dim, o->rank, &shape);
    shape.dims[0] /= 2;
    o->first_dim = rp_graph_add_dims(g, shape.dims, shape.powers, o->rank);
    if (o->first_dim == RP_NONE) abort();
}

/* The operand of the source that operand k of a member is; RP_NONE where it has no op node. */
static uint32_t source_operand(const rp_graph *s, uint32_t id, uint32_t k, uint32_t *use) {
    for (uint32_t i = 0; i < s->nodes_count; i++) {
        const rp_graph_node *n = &s->nodes[i];
        if (n->id != id || n->kind != RP_OP) continue;
        uint32_t operand = rp_node_members(s, n)->first_operand + k;
        *use = n->first_use + s->operands[operand].use;
        return operand;
    }
    return RP_NONE;
}

/* Room between the ids: each is twice what it was. */
static void spread_ids(rp_graph *g) {
    for (uint32_t i = 0; i < g->nodes_count; i++) g->nodes[i].id *= 2;
    for (uint32_t i = 0; i < g->members_count; i++) g->members[i].id *= 2;
}

/* A fill in front of the node `id`, of half of what it reads. */
static void add_fill(rp_graph *s, uint32_t id, rp_graph_use use) {
    use.access = RP_WRITE;
    use.size /= 2;
    use.offset += use.size;
    rp_graph_node node = {.id = id - 1,
                          .kind = RP_FILL,
                          .kernel = RP_NONE,
                          .use_count = 1,
                          .label = RP_NONE,
                          .op = RP_NONE};
    uint32_t at = rp_graph_add_node(s, &node, &use, NULL);
    if (at == RP_NONE) abort();
    for (node = s->nodes[at]; at > 0 && s->nodes[at - 1].id > node.id; at--)
        s->nodes[at] = s->nodes[at - 1];
    s->nodes[at] = node;
}

/* An input that is a value of an earlier member, while the source reads half of what that wrote,
 * the first or the second, or all of it as another type. */
static void change_value(trial *t, const rp_graph_member *member, uint32_t k) {
    uint32_t operand = member->first_operand + k, use;
    const rp_graph_operand *o = &t->compiled->operands[operand];
    if (o->absent || o->use != RP_NONE || rp_access_writes(o->access)) return;
    uint32_t other = source_operand(t->source, member->id, k, &use);
    if (other == RP_NONE) return;
    if (rp_dtype_size((rp_dtype)o->dtype) == 4) {
        rp_graph *s = mutant_of(t->source), *m = mutant_of(t->compiled);
        s->operands[other].dtype = m->operands[operand].dtype =
            o->dtype == RP_I32 ? RP_U32 : RP_I32;
        must_object_both(t, s, m, RETYPED, "a value read as another type", member->id);
    }
    if (t->source->uses[use].size % 8 == 0) {
        rp_graph *s = mutant_of(t->source), *m = mutant_of(t->compiled);
        spread_ids(s);
        spread_ids(m);
        add_fill(s, 2 * member->id, t->source->uses[use]);
        must_object_both(t, s, m, OVERWRITTEN, "a value half of which was overwritten", member->id);
    }
    if (o->rank == 0 || t->compiled->dims[o->first_dim] % 2 || t->source->uses[use].size % 8)
        return;
    for (uint32_t second = 0; second < 2; second++) {
        rp_graph *s = mutant_of(t->source), *m = mutant_of(t->compiled);
        s->uses[use].size /= 2;
        s->uses[use].offset += second * s->uses[use].size;
        halve(s, other);
        halve(m, operand);
        must_object_both(t, s, m, PART, "a value for a part of what was written", member->id);
    }
}

static void change_attributes(trial *t, const rp_graph_member *member) {
    for (uint32_t i = 0; i < member->attr_count && !*t->why; i++) {
        rp_graph *m = mutant_of(t->compiled);
        rp_graph_attr *attr = &m->attrs[member->first_attr + i];
        bool number = attr->text == RP_NONE;
        if (number)
            attr->number = attr->number == 1 ? 2 : 1; /* one more than infinity is no change */
        else
            attr->text = rp_graph_intern(m, "a + 1", 5);
        must_object(t, m, ATTRIBUTE, "another attribute", member->id);
        if (!number || *t->why) continue;
        m = mutant_of(t->compiled);
        m->attrs[member->first_attr + i].rest += 1; /* the last digit of 64 bits */
        must_object(t, m, ATTRIBUTE, "an attribute with another digit", member->id);
    }
    if (member->attr_count == 0) return;
    rp_graph *m = mutant_of(t->compiled);
    m->members[member - t->compiled->members].attr_count--;
    must_object(t, m, ATTRIBUTE, "an attribute left out", member->id);
}

/* A node that can be left out in other cases than its members in the source. */
static void change_switch(trial *t, uint32_t node) {
    const rp_graph_node *n = &t->compiled->nodes[node];
    rp_graph *m = mutant_of(t->compiled);
    m->nodes[node].optional = !n->optional;
    must_object(t, m, SWITCH, "optional or not", n->id);
    if (!n->optional) return;
    m = mutant_of(t->compiled);
    m->nodes[node].label = n->label == RP_NONE ? rp_graph_intern(m, "s9", 2) : RP_NONE;
    must_object(t, m, SWITCH, "optional under another label", n->id);
}

static void try_all(trial *t) {
    const rp_graph *g = t->compiled;
    char text[RP_WHY];
    if (objects(g, t->source, text)) {
        snprintf(t->why, RP_WHY, "objects to the unchanged graph: %.900s", text);
        return;
    }
    for (uint32_t i = 0; i < g->nodes_count && !*t->why; i++) {
        const rp_graph_node *n = &g->nodes[i];
        change_members(t, i);
        change_switch(t, i);
        for (uint32_t k = 0; k < n->member_count && !*t->why; k++) {
            const rp_graph_member *member = &rp_node_members(g, n)[k];
            change_attributes(t, member);
            for (uint32_t o = 0; o < member->operand_count && !*t->why; o++) {
                change_operand(t, i, member->first_operand + o);
                change_value(t, member, o);
            }
        }
    }
}

static rp_graph *compile(const rp_graph *source) {
    rp_graph *compiled = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline = "dce,rename,fuse,lower,schedule,place,sync",
                                     .lowering = abstract_lowering()};
    if (rp_passes_run(source, &options, diags, &compiled, NULL, NULL) != RP_OK) {
        char why[RP_WHY];
        rp_why_diags(why, "compiling", diags);
        fprintf(stderr, "\n%s\n", why);
    }
    rp_diags_destroy(diags);
    return compiled;
}

static void test_fused(void) {
    uint64_t seed = rp_environment("RP_SEED", 1), cases = rp_cases(150, 40);
    static trial t;
    for (uint64_t i = 0; i < cases && !*t.why; i++) {
        rp_random_ops *ops = rp_random_ops_create(seed + i);
        rp_graph *source = rp_random_ops_build(&ops, 1), *compiled = compile(source);
        t.source = source;
        t.compiled = compiled;
        CU_ASSERT_PTR_NOT_NULL(compiled);
        if (compiled) try_all(&t);
        if (*t.why) fprintf(stderr, "\nRP_SEED=%llu: %s\n", (unsigned long long)(seed + i), t.why);
        rp_graph_destroy(compiled);
        rp_graph_destroy(source);
        rp_random_ops_destroy(ops);
    }
    CU_ASSERT_EQUAL(*t.why, 0);
    uint64_t total = 0;
    for (uint32_t k = 0; k < KINDS; k++) {
        if (!t.tried[k]) fprintf(stderr, "\nkind %u had no chance", k);
        CU_ASSERT(t.tried[k] > 0); /* each kind of change must have had its chance */
        total += t.tried[k];
    }
    printf("%llu changes noticed ... ", (unsigned long long)total);
}

/* One member of a fused node works in place, which no text can say: the checker looks for itself.
 */
static void test_in_place(void) {
#define HEAD "  buf $x in f32[16]\n  buf $y out f32[16]\n  buf $z out f32[16]\n  buf %t tmp 64\n"
#define T "%t[0+64]:f32[16]"
    static const char text[] =
        "reprise 1\ngraph g {\n" HEAD "  n0 = op relu (r $x:f32[16], w " T ")\n"
        "  n1 = op relu (r " T ", w " T ")\n"
        "  n2 = op relu (r $x:f32[16], w $z:f32[16])\n"
        "  n3 = op relu (r " T ", w $y:f32[16])\n}\n";
    static const char plan[] =
        "reprise 1\ngraph g scheduled synced {\n" HEAD "  buf %u tmp 64\n"
        "  kern @a spirv - local 64 1 1 (r, w)\n  kern @b spirv - local 64 1 1 (r, w, r, w)\n"
        "  barrier compute:rw -> compute:w\n  group 0\n"
        "    n0 = run @a grid 1 1 1 (r $x, w %t) for {\n      n0 = relu (r $x:f32[16], w " T ")\n"
        "    }\n  barrier compute:w -> compute:rw\n  group 1\n"
        "    n1 = run @b grid 1 1 1 (r %t, w %u, r $x, w $z) for {\n"
        "      n1 = relu (r " T
        ", w %u[0+64]:f32[16])\n      n2 = relu (r $x:f32[16], w $z:f32[16])\n    }\n"
        "  barrier compute:w -> compute:r\n  group 2\n"
        "    n3 = run @a grid 1 1 1 (r %u, w $y) for {\n"
        "      n3 = relu (r %u[0+64]:f32[16], w $y:f32[16])\n    }\n"
        "  barrier compute:w -> host:r\n}\n";
#undef HEAD
#undef T
    rp_graph *source = NULL, *compiled = NULL;
    char said[RP_WHY];
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, strlen(text), NULL, NULL, &source), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, plan, strlen(plan), NULL, NULL, &compiled), RP_OK);
    uint32_t one = rp_graph_find_buffer(compiled, "t"), two = rp_graph_find_buffer(compiled, "u");
    for (uint32_t i = 0; i < compiled->uses_count; i++)
        if (compiled->uses[i].buffer == two) compiled->uses[i].buffer = one;
    CU_ASSERT_FALSE(objects(compiled, source, said));
    rp_graph *apart = apart_from(compiled, 1, 1); /* the node's uses 0 and 1 */
    CU_ASSERT_FATAL(apart != NULL);
    CU_ASSERT(objects(apart, source, said));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "of n1 share bytes, and one is written"));
    rp_graph_destroy(apart);
    rp_graph_destroy(source);
    rp_graph_destroy(compiled);
}

int main(void) {
    static const rp_test tests[] = {
        {"fused nodes", test_fused}, {"in place", test_in_place}, {NULL, NULL}};
    return rp_run_tests("fused nodes", tests);
}
