/* Every change that breaks a fused node must be noticed, every time.
 *
 * Random graphs of ops are fused, lowered to abstract kernels, scheduled, placed and synchronised.
 * Then a member is dropped, two members that depend on each other swapped, a read retargeted to
 * another range or another value, an attribute or a formula changed, an op exchanged, a result that
 * somebody needs no longer stored, a member's id changed. The checker must object to each, against
 * the source graph. */
#include <stdlib.h>

#include "mutate.h"
#include "support/abstract_lowering.h"
#include "support/random_ops.h"
#include "support/unit.h"

typedef struct trial {
    const rp_graph *source, *compiled;
    uint64_t tried[8];
    char why[RP_WHY]; /* the first change that went unnoticed */
} trial;

enum { DROP, SWAP, REREAD, REVALUE, ATTRIBUTE, OP, UNSTORED, ID };

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

static void change_attributes(trial *t, const rp_graph_member *member) {
    for (uint32_t i = 0; i < member->attr_count && !*t->why; i++) {
        rp_graph *m = mutant_of(t->compiled);
        rp_graph_attr *attr = &m->attrs[member->first_attr + i];
        if (attr->text == RP_NONE)
            attr->number += 1;
        else
            attr->text = rp_graph_intern(m, "a + 1", 5);
        must_object(t, m, ATTRIBUTE, "another attribute", member->id);
    }
    if (member->attr_count == 0) return;
    rp_graph *m = mutant_of(t->compiled);
    m->members[member - t->compiled->members].attr_count--;
    must_object(t, m, ATTRIBUTE, "an attribute left out", member->id);
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
        for (uint32_t k = 0; k < n->member_count && !*t->why; k++) {
            const rp_graph_member *member = &rp_node_members(g, n)[k];
            change_attributes(t, member);
            for (uint32_t o = 0; o < member->operand_count && !*t->why; o++)
                change_operand(t, i, member->first_operand + o);
        }
    }
}

static rp_graph *compile(const rp_graph *source) {
    rp_graph *compiled = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    const rp_pass_options options = {.pipeline = "dce,rename,fuse,lower,schedule,place,sync",
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
    const char *seed_text = getenv("RP_SEED"), *cases_text = getenv("RP_CASES");
    uint64_t seed = seed_text && *seed_text ? strtoull(seed_text, NULL, 0) : 1;
    uint64_t cases = cases_text && *cases_text ? strtoull(cases_text, NULL, 0) : 150;
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
    for (uint32_t k = 0; k < 8; k++) {
        CU_ASSERT(t.tried[k] > 0); /* each kind of change must have had its chance */
        total += t.tried[k];
    }
    printf("%llu changes noticed ... ", (unsigned long long)total);
}

int main(void) {
    static const rp_test tests[] = {{"fused nodes", test_fused}, {NULL, NULL}};
    return rp_run_tests("fused nodes", tests);
}
