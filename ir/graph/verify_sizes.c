/* The rules of buffers whose shape follows live sizes.
 *
 * In a replay such a buffer is its first bytes, as many as its shape has at the sizes of that replay;
 * the others are nobody's. All that reason about ranges see it at its largest. That is the same for
 * every size where whoever uses such a buffer uses all of it, as many elements as it has: then what a
 * node writes is what another finds there, at every size. So these are the rules:
 *   - An operand in such a buffer is the whole buffer, in any shape with as many elements at all sizes.
 *   - An operand that follows sizes may be read from a buffer of fixed size: the first part of what is
 *     there. It may be written in part (rw). Written whole it is not: nobody would know how much of
 *     the buffer that is.
 *   - A kernel of one's own uses the whole buffer, and is to look at as much of it as there is.
 *   - What is copied out of such a buffer goes into one that follows the same sizes.
 *   - What is filled or updated is the whole buffer, too; more than there is does no harm. */
#include <stdio.h>

#include "graph/verify.h"

RP_PRINTF(4, 5)
static void size_error(rp_verifier *v, const rp_graph_node *n, const rp_graph_use *u,
                       const char *format, ...) {
    char message[400];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    rp_verify_error(v, n->pos, "n%u: %s %s", n->id, rp_show_use(v->graph, u).text, message);
}

/* The size of a buffer as people know it: "4 * tokens". */
static const char *show_size(const rp_graph *g, rp_powers powers, char text[160]) {
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < g->sizes.count && used < 100; i++)
        for (uint32_t k = rp_power_of(powers, i); k > 0 && used < 100; k--)
            used += (size_t)snprintf(text + used, 160 - used, "%s%s", used ? " * " : "",
                                     g->sizes.text[i]);
    return text;
}

/* Then it has no powers, and might be any other such. */
static const char too_often[] = "is of a shape in which a live value stands more than 15 times";

static rp_powers use_powers(const rp_graph *g, const rp_graph_use *u) {
    return rp_buffer_powers(g, &g->buffers[u->buffer]);
}

static bool is_whole(const rp_graph *g, const rp_graph_use *u) {
    return u->offset == 0 && u->size == g->buffers[u->buffer].size;
}

static void verify_operand(rp_verifier *v, const rp_graph_node *n, const rp_graph_operand *o) {
    const rp_graph *g = v->graph;
    const rp_graph_use *u = &rp_node_uses(g, n)[o->use];
    rp_powers there = use_powers(g, u), own = rp_dims_powers(g, o->first_dim, o->rank);
    char text[160], other[160];
    if (own == RP_POWERS_NONE)
        size_error(v, n, u, "%s", too_often);
    else if (there && !is_whole(g, u))
        size_error(v, n, u, "is a part of a buffer that follows %s: it is used as a whole",
                   show_size(g, there, other));
    else if (there && there != own)
        size_error(
            v, n, u,
            "is seen as elements that follow %s, of a buffer that follows %s: it is used with as "
            "many elements as it has",
            own ? show_size(g, own, text) : "nothing", show_size(g, there, other));
    else if (!there && own && o->access == RP_WRITE)
        size_error(v, n, u, "is written up to %s: expected a buffer whose shape says so",
                   show_size(g, own, text));
}

static void verify_member_sizes(rp_verifier *v, const rp_graph_node *n, const rp_graph_member *m) {
    for (uint32_t k = 0; k < m->operand_count; k++) {
        const rp_graph_operand *o = &rp_member_operands(v->graph, m)[k];
        if (!o->absent && o->use != RP_NONE && o->use < n->use_count) verify_operand(v, n, o);
    }
}

void rp_verify_sizes(rp_verifier *v, const rp_graph_node *n) {
    const rp_graph *g = v->graph;
    const rp_graph_use *uses = rp_node_uses(g, n);
    char text[160];
    if (!g->sizes.count || v->status == RP_ERROR_NO_MEMORY) return;
    for (uint32_t i = 0; i < n->member_count; i++)
        verify_member_sizes(v, n, &rp_node_members(g, n)[i]);
    if (n->member_count) return;
    for (uint32_t i = 0; i < n->use_count; i++) {
        rp_powers there = use_powers(g, &uses[i]);
        if (there == RP_POWERS_NONE)
            size_error(v, n, &uses[i], "%s", too_often);
        else if (there && !is_whole(g, &uses[i]))
            size_error(v, n, &uses[i],
                       "is a part of a buffer that follows %s: it is used as a whole",
                       show_size(g, there, text));
    }
    if (n->kind == RP_COPY && n->use_count == 2 && use_powers(g, &uses[0]) &&
        use_powers(g, &uses[0]) != use_powers(g, &uses[1]))
        size_error(v, n, &uses[0],
                   "follows %s, and %s does not: there is less to copy than it takes",
                   show_size(g, use_powers(g, &uses[0]), text), rp_show_use(g, &uses[1]).text);
}
