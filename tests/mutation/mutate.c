/* Changing compiled graphs; see mutate.h. */
#include "mutate.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include "support/read_file.h"

static void *need(void *block) {
    if (!block) abort();
    return block;
}

/* ---- Dependences ----------------------------------------------------------------------------- */

typedef struct finder {
    const rp_graph *g;
    uint32_t *
        *writer; /* per buffer and word, of images byte: which use wrote it last, RP_NONE: none */
    uint32_t *node_of; /* use -> node */
    dependences out;
    uint32_t capacity;
} finder;

static void add_dependence(finder *f, uint32_t use, uint32_t reader, uint32_t read_use,
                           uint64_t at) {
    uint32_t writer = f->node_of[use];
    /* A reader meets its writers in stretches: looking at the last few items is enough. */
    for (uint32_t i = f->out.count; i-- > 0 && i + 8 > f->out.count;) {
        const dependence *d = &f->out.items[i];
        if (d->reader == reader && d->read_use == read_use && d->writer == writer &&
            f->g->nodes[writer].first_use + d->write_use == use)
            return;
    }
    if (f->out.count == f->capacity) {
        f->capacity = f->capacity ? f->capacity * 2 : 64;
        f->out.items = need(realloc(f->out.items, f->capacity * sizeof *f->out.items));
    }
    f->out.items[f->out.count++] =
        (dependence){writer, use - f->g->nodes[writer].first_use, reader, read_use, at};
}

static uint32_t unit(const rp_graph *g, uint32_t buffer) {
    return rp_buffer_is_image(&g->buffers[buffer]) ? 1 : 4;
}

static void read_words(finder *f, uint32_t buffer, uint64_t offset, uint64_t size, uint32_t node,
                       uint32_t use) {
    uint32_t bytes = unit(f->g, buffer);
    for (uint64_t w = offset / bytes; w < (offset + size) / bytes; w++) {
        uint32_t by = f->writer[buffer][w];
        if (by != RP_NONE && (node == RP_NONE || f->node_of[by] != node))
            add_dependence(f, by, node, use, w * bytes);
    }
}

static void visit_node(finder *f, uint32_t index) {
    const rp_graph_node *n = &f->g->nodes[index];
    const rp_graph_use *uses = rp_node_uses(f->g, n);
    for (uint32_t i = 0; i < n->use_count; i++)
        if (rp_access_reads(uses[i].access))
            read_words(f, uses[i].buffer, uses[i].offset, uses[i].size, index, i);
    for (uint32_t i = 0; i < n->use_count; i++) {
        uint32_t bytes = unit(f->g, uses[i].buffer);
        for (uint64_t w = 0; rp_access_writes(uses[i].access) && w < uses[i].size / bytes; w++)
            f->writer[uses[i].buffer][uses[i].offset / bytes + w] = n->first_use + i;
    }
}

static int by_id(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

dependences find_dependences(const rp_graph *g) {
    finder f = {.g = g};
    f.writer = need(calloc(g->buffers_count + 1, sizeof *f.writer));
    f.node_of = need(calloc(g->uses_count + 1, sizeof *f.node_of));
    uint64_t *order = need(calloc(g->nodes_count + 1, sizeof *order));
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        uint64_t bytes = g->buffers[i].size / unit(g, i) * 4 + 4;
        f.writer[i] = need(malloc(bytes));
        memset(f.writer[i], 0xff, bytes);
    }
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        order[i] = (uint64_t)g->nodes[i].id << 32 | i;
        for (uint32_t k = 0; k < g->nodes[i].use_count; k++)
            f.node_of[g->nodes[i].first_use + k] = i;
    }
    qsort(order, g->nodes_count, sizeof *order, by_id);
    for (uint32_t i = 0; i < g->nodes_count; i++) visit_node(&f, (uint32_t)order[i]);
    for (uint32_t i = 0; i < g->buffers_count; i++)
        if (!g->buffers[i].removed && rp_buffer_has_result(&g->buffers[i]))
            read_words(&f, i, 0, g->buffers[i].size, RP_NONE, i);
    for (uint32_t i = 0; i < g->buffers_count; i++) free(f.writer[i]);
    free(f.writer);
    free(f.node_of);
    free(order);
    return f.out;
}

/* ---- Changes --------------------------------------------------------------------------------- */

rp_graph *mutant_of(const rp_graph *g) {
    rp_graph *copy = NULL;
    if (rp_graph_clone(g, &copy) != RP_OK) abort();
    return copy;
}

void sort_by_group(rp_graph *g) {
    for (uint32_t i = 1; i < g->nodes_count; i++) { /* nearly sorted: a change moves one or two */
        rp_graph_node n = g->nodes[i];
        uint32_t k = i;
        for (; k > 0 && g->nodes[k - 1].group > n.group; k--) g->nodes[k] = g->nodes[k - 1];
        g->nodes[k] = n;
    }
}

void drop_node(rp_graph *g, uint32_t index) {
    g->nodes_count--;
    memmove(g->nodes + index, g->nodes + index + 1, (g->nodes_count - index) * sizeof *g->nodes);
}

rp_graph *apart_from(const rp_graph *g, uint32_t node, uint32_t pair) {
    const rp_graph_node *n = &g->nodes[node];
    const rp_graph_use *read = &g->uses[n->first_use + pair / n->use_count];
    const rp_graph_use *write = &g->uses[n->first_use + pair % n->use_count];
    if (n->kind != RP_RUN || read->access != RP_READ || write->access != RP_WRITE ||
        read->buffer != write->buffer || read->offset != write->offset || read->size < 8 ||
        g->buffers[write->buffer].kind != RP_TMP)
        return NULL;
    rp_graph *m = mutant_of(g);
    rp_graph_buffer *b = &m->buffers[write->buffer];
    b->size += 4;
    if (b->offset != RP_NOT_PLACED) {
        b->offset = (m->arena_bytes + RP_ARENA_ALIGNMENT - 1) / RP_ARENA_ALIGNMENT *
                    (uint64_t)RP_ARENA_ALIGNMENT;
        m->arena_bytes = b->offset + b->size;
    }
    m->uses[write - g->uses].offset += 4;
    for (uint32_t later = node + 1; later < g->nodes_count; later++)
        for (uint32_t u = 0; u < g->nodes[later].use_count; u++) {
            rp_graph_use *use = &m->uses[g->nodes[later].first_use + u];
            if (use->buffer == write->buffer) use->offset += 4;
        }
    return m;
}

bool objects(const rp_graph *compiled, const rp_graph *source, char said[RP_WHY]) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_certificate certificate;
    rp_status status = rp_check(compiled, source, NULL, diags, &certificate);
    snprintf(said, RP_WHY, "%s",
             rp_diags_count(diags) ? rp_diags_get(diags, 0).message : "nothing");
    bool objected =
        status == RP_ERROR_UNPROVEN && rp_diags_error_count(diags) > 0 && certificate.verdict == 0;
    if (!objected && status != RP_OK) abort(); /* no other status has a place here */
    rp_diags_destroy(diags);
    return objected;
}

rp_graph *compile_with(const rp_graph *source, const char *pipeline, char why[RP_WHY]) {
    rp_graph *compiled = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    rp_pass_options options = {.size = sizeof options, .pipeline = pipeline};
    if (rp_passes_run(source, &options, diags, &compiled, NULL, NULL) != RP_OK)
        rp_why_diags(why, pipeline, diags);
    rp_diags_destroy(diags);
    return compiled;
}

/* ---- Real graphs ----------------------------------------------------------------------------- */

uint32_t each_real_graph(graph_visit *visit, void *context) {
    const char *folder = RP_SOURCE_ROOT "/tests/golden/graphs";
    uint32_t count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *e; directory && (e = readdir(directory));) {
        size_t length = strlen(e->d_name), size;
        if (length < 5 || strcmp(e->d_name + length - 5, ".rpir") != 0) continue;
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        char *text = read_file(path, &size);
        rp_graph *g = NULL;
        if (text && rp_graph_parse(NULL, text, size, path, NULL, &g) == RP_OK) {
            visit(context, e->d_name, g);
            count++;
        }
        rp_graph_destroy(g);
        free(text);
    }
    if (directory) closedir(directory);
    return count;
}
