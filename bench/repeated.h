/* A graph from a file, repeated until it has as many nodes as wanted: the same kernels and buffers
 * again and again, as a decoder does for token after token, but each repetition with output buffers
 * of its own, so that nothing is dead. */
#ifndef REPRISE_BENCH_REPEATED_H
#define REPRISE_BENCH_REPEATED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"

static inline char *read_text(const char *path, size_t *size) {
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    char *text = malloc(*size + 1);
    if (text) *size = fread(text, 1, *size, f);
    fclose(f);
    return text;
}

/* Output buffers of a repetition: a copy of each out buffer. */
static inline void own_outputs(rp_graph *g, uint32_t buffers, uint32_t repetition, uint32_t *map) {
    for (uint32_t b = 0; b < buffers; b++) {
        map[b] = b;
        if (g->buffers[b].kind != RP_OUT || repetition == 0) continue;
        char name[256];
        int length = snprintf(name, sizeof name, "%s.r%u", rp_graph_string(g, g->buffers[b].name),
                              repetition);
        rp_graph_buffer copy = g->buffers[b];
        uint64_t dims[RP_MAX_RANK];
        if (copy.rank) memcpy(dims, g->dims + copy.first_dim, copy.rank * sizeof *dims);
        copy.name = rp_graph_intern(g, name, (size_t)length);
        map[b] = rp_graph_add_buffer(g, &copy, dims);
    }
}

static inline void repeat(rp_graph *g, uint32_t wanted) {
    uint32_t nodes = g->nodes_count, buffers = g->buffers_count, id = g->nodes_count;
    uint32_t *map = malloc(buffers * sizeof *map);
    for (uint32_t r = 1; g->nodes_count < wanted; r++) {
        own_outputs(g, buffers, r, map);
        for (uint32_t i = 0; i < nodes; i++) {
            rp_graph_node n = g->nodes[i];
            rp_graph_use uses[64];
            uint8_t bytes[RP_MAX_PUSH_BYTES];
            for (uint32_t u = 0; u < n.use_count; u++) {
                uses[u] = g->uses[n.first_use + u];
                uses[u].buffer = map[uses[u].buffer];
            }
            if (n.byte_count) memcpy(bytes, g->bytes + n.first_byte, n.byte_count);
            n.id = id++;
            rp_graph_add_node(g, &n, uses, bytes);
        }
    }
    free(map);
}

#endif
