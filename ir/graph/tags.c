/* Tagged buffers: what a graph says of them, and what verification asks of each.
 *
 * An element of a tagged buffer lies in memory with a tag that says which replay wrote it, in one word
 * of 64 bits. Who reads it reads the word again until the tag is that of the replay at hand: waiting is
 * reading, and no barrier is needed for it. docs/checker.md says what that orders and what not. */
#include "graph/verify.h"

bool rp_graph_has_tags(const rp_graph *g) {
    for (uint32_t i = 0; i < g->buffers_count; i++)
        if (g->buffers[i].tagged && !g->buffers[i].removed) return true;
    return false;
}

bool rp_node_has_tags(const rp_graph *g, const rp_graph_node *n) {
    for (uint32_t i = 0; i < n->use_count; i++)
        if (g->buffers[rp_node_uses(g, n)[i].buffer].tagged) return true;
    return false;
}

bool rp_node_waits(const rp_graph *g, const rp_graph_node *n) {
    for (uint32_t i = 0; i < n->use_count; i++) {
        const rp_graph_use *u = &rp_node_uses(g, n)[i];
        if (g->buffers[u->buffer].tagged && rp_access_reads(u->access)) return true;
    }
    return false;
}

rp_status rp_node_add_tag(rp_graph *g, rp_graph_node *n) {
    if (!RP_RESERVE(&g->allocator, g->bytes, g->bytes_count, g->bytes_capacity, RP_TAG_BYTES))
        return RP_ERROR_NO_MEMORY;
    n->first_byte = g->bytes_count;
    n->byte_count = RP_TAG_BYTES;
    memset(g->bytes + g->bytes_count, 0, RP_TAG_BYTES);
    g->bytes_count += RP_TAG_BYTES;
    return RP_OK;
}

const char *rp_tags_wrong_buffer(const rp_graph_buffer *b) {
    if (b->kind != RP_TMP || rp_buffer_is_image(b)) return "only transient buffers are tagged";
    if (b->dtype != RP_F32 && b->dtype != RP_I32 && b->dtype != RP_U32)
        return "elements with a tag have 4 bytes: f32, i32 or u32";
    return NULL;
}

const char *rp_tags_wrong_use(const rp_graph *g, const rp_graph_node *n, const rp_graph_use *u) {
    const rp_graph_buffer *b = &g->buffers[u->buffer];
    if (n->member_count == 0) return "only kernels made of ops know of tags";
    if (rp_node_powers(g, n)) return "its kernel follows live sizes";
    if (u->offset || u->size != b->size) return "it is used as a whole";
    if (u->access != RP_READ && u->access != RP_WRITE) return "it is read, or written";
    if (u->access == RP_WRITE && !rp_node_is_certain(n))
        return "its writer runs whole in every replay";
    return NULL;
}

/* Of a run node: who waits, and nobody else, has the word of stalls, and with tagged uses the tag comes
 * first in its push data. */
static const char *wrong_run(const rp_graph *g, const rp_graph_node *n, bool tagged) {
    static const uint8_t zeros[RP_TAG_BYTES];
    const rp_graph_kernel *k = &g->kernels[n->kernel];
    uint32_t stalls = 0;
    for (uint32_t i = 0; i < k->param_count; i++)
        stalls += g->params[k->first_param + i].resource == RP_RESOURCE_STALL;
    if (tagged && (n->byte_count < RP_TAG_BYTES ||
                   memcmp(g->bytes + n->first_byte, zeros, sizeof zeros) != 0))
        return "its push data does not begin with 4 bytes of zero, for the tag";
    if (stalls != (uint32_t)rp_node_waits(g, n))
        return "a kernel that reads tagged buffers, and no other, has one word of stalls";
    return NULL;
}

/* ---- Verification ---------------------------------------------------------------------------- */

static void verify_use(rp_verifier *v, const rp_graph_node *n, const rp_graph_use *u,
                       uint32_t *writer) {
    const rp_graph *g = v->graph;
    const rp_graph_buffer *b = &g->buffers[u->buffer];
    const char *wrong = rp_tags_wrong_use(g, n, u);
    if (!wrong && u->access == RP_WRITE && *writer != RP_NONE) wrong = "one node writes it, once";
    if (u->access == RP_WRITE) *writer = n->id;
    if (wrong)
        rp_verify_error(v, n->pos, "n%u: %%%.60s is tagged: %s", n->id, rp_graph_string(g, b->name),
                        wrong);
}

/* `writers` by buffer; NULL where none is tagged. */
static void verify_node(rp_verifier *v, const rp_graph_node *n, uint32_t *writers) {
    const rp_graph *g = v->graph;
    if (n->unknown && writers)
        rp_verify_error(v, n->pos, "n%u may use any memory, and there are tagged buffers", n->id);
    bool tagged = false;
    for (uint32_t k = 0; writers && k < n->use_count; k++) {
        const rp_graph_use *u = &rp_node_uses(g, n)[k];
        if (!g->buffers[u->buffer].tagged) continue;
        verify_use(v, n, u, &writers[u->buffer]);
        tagged = true;
    }
    const char *wrong = n->kind == RP_RUN ? wrong_run(g, n, tagged) : NULL;
    if (wrong)
        rp_verify_error(v, n->pos, "n%u has %stagged uses: %s", n->id, tagged ? "" : "no ", wrong);
}

void rp_verify_tags(rp_verifier *v) {
    const rp_graph *g = v->graph;
    uint32_t *writers = NULL;
    if (rp_graph_has_tags(g)) {
        writers = rp_alloc(&g->allocator, g->buffers_count, sizeof *writers);
        if (!writers) {
            v->status = RP_ERROR_NO_MEMORY;
            return;
        }
    }
    for (uint32_t i = 0; writers && i < g->buffers_count; i++) writers[i] = RP_NONE;
    for (uint32_t i = 0; i < g->nodes_count; i++) verify_node(v, &g->nodes[i], writers);
    for (uint32_t i = 0; writers && i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        if (!b->tagged || b->removed) continue;
        const char *wrong = rp_tags_wrong_buffer(b);
        if (!wrong && writers[i] == RP_NONE) wrong = "nobody writes it";
        if (wrong)
            rp_verify_error(v, b->pos, "%%%.60s is tagged: %s", rp_graph_string(g, b->name), wrong);
    }
    rp_release(&g->allocator, writers);
}
