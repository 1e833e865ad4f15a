/* Internal to random_graph.c, which would be too long with it: what a random graph is before it is
 * built, and how it is built. */
#ifndef RP_TESTS_RANDOM_GRAPH_BUILD_H
#define RP_TESTS_RANDOM_GRAPH_BUILD_H

#include <stdio.h>
#include <stdlib.h>

#include "base/image.h"
#include "support/random_graph.h"

enum { ADDRESSED_BYTES = 12 };
enum { FOLLOWER_WORDS = 3 }; /* of a live buffer that follows the one before */
enum { MAX_USES = 12 };

typedef struct spec_buffer {
    uint8_t kind;
    uint32_t words;       /* of no image */
    rp_image_shape image; /* format RP_IMAGE_NONE: none */
} spec_buffer;

typedef struct spec_node {
    uint8_t kind, grid_kind;
    bool unknown, optional;
    uint32_t grid, number; /* number: in push data, so that no two nodes compute the same */
    uint32_t use_count;
    rp_graph_use uses[MAX_USES]; /* an indirect grid comes last */
} spec_node;

struct rp_random_graph {
    uint64_t seed;
    spec_buffer *buffers;
    uint32_t buffer_count;
    spec_node *nodes;
    uint32_t node_count;
};

/* Tests have no use for going on without memory. */
static inline void *need(void *block) {
    if (!block) abort();
    return block;
}

static uint32_t live_buffer(const rp_random_graph *g) {
    uint32_t i = 0;
    while (g->buffers[i].kind != RP_LIVE) i++;
    return i;
}

static uint64_t bytes_of(const spec_buffer *b) {
    return b->image.format ? rp_image_bytes(&b->image) : b->words * UINT64_C(4);
}

static uint32_t intern(rp_graph *g, const char *text) {
    uint32_t string = rp_graph_intern(g, text, strlen(text));
    if (string == RP_NONE) abort();
    return string;
}

/* Two words of the live buffer `other`, with a constant between them. */
static void follow(rp_graph *g, rp_graph_buffer *item, uint32_t other) {
    if (!RP_RESERVE(&g->allocator, g->follows, g->follows_count, g->follows_capacity, 2)) abort();
    item->first_follow = g->follows_count;
    item->follow_count = 2;
    g->follows[g->follows_count++] = (rp_graph_follow){other, 4, 0, 4};
    g->follows[g->follows_count++] = (rp_graph_follow){other, 12, 8, 4};
}

static void build_buffer(rp_graph *g, const spec_buffer *b, uint32_t index) {
    static const char letters[] = {'x', 'y', 's', 'w', 't', 'l'}; /* by kind */
    char name[32];
    snprintf(name, sizeof name, "%c%u", letters[b->kind], index);
    uint64_t dim = b->words;
    bool typed = b->kind == RP_LIVE;
    rp_graph_buffer item = {.name = intern(g, name),
                            .kind = b->kind,
                            .dtype = typed ? RP_U32 : RP_RAW,
                            .rank = typed,
                            .size = bytes_of(b),
                            .offset = RP_NOT_PLACED,
                            .image = b->image,
                            .first_default = RP_NONE,
                            .max_value = UINT32_MAX};
    if (b->kind == RP_LIVE) {
        if (!RP_RESERVE(&g->allocator, g->bytes, g->bytes_count, g->bytes_capacity, item.size))
            abort();
        item.first_default = g->bytes_count;
        if (b->words == FOLLOWER_WORDS)
            follow(g, &item, index - 1);
        else
            item.max_value = 100;
        for (uint32_t i = 0; i < item.size; i++) g->bytes[g->bytes_count++] = i % 4 ? 0 : i + 1;
    }
    if (rp_graph_add_buffer(g, &item, &dim) == RP_NONE) abort();
}

/* As what a kernel sees some layers of an image. */
static uint8_t view_of(const rp_image_shape *s, uint32_t layers) {
    switch ((rp_image_dim)s->dim) {
    case RP_IMAGE_1D: return layers > 1 ? RP_VIEW_1D_ARRAY : RP_VIEW_1D;
    case RP_IMAGE_2D: return layers > 1 ? RP_VIEW_2D_ARRAY : RP_VIEW_2D;
    case RP_IMAGE_3D: return RP_VIEW_3D;
    case RP_IMAGE_CUBE: break;
    }
    return layers == 1   ? RP_VIEW_2D
           : layers == 6 ? RP_VIEW_CUBE
           : layers % 6  ? RP_VIEW_2D_ARRAY
                         : RP_VIEW_CUBE_ARRAY;
}

/* What a use needs of its parameter; a format where the number is odd. */
static rp_graph_param param_of(const rp_graph *g, const rp_graph_use *u, uint32_t number) {
    const rp_graph_buffer *b = &g->buffers[u->buffer];
    rp_graph_param p = {.access = u->access, .name = RP_NONE};
    rp_subresources s;
    uint8_t format = rp_buffer_is_image(b) ? b->image.format : u->format;
    if (!format) return p;
    p.resource = RP_RESOURCE_TEXELS;
    p.texel = (uint8_t)rp_image_format_get((rp_image_format)format).texel;
    if (number % 2) p.format = format;
    if (!rp_buffer_is_image(b)) return p;
    if (!rp_image_subresources(&b->image, u->offset, u->size, &s)) abort();
    bool combined = u->access == RP_SAMPLED && number % 3;
    p.resource = combined ? RP_RESOURCE_COMBINED : RP_RESOURCE_IMAGE;
    p.view = view_of(&b->image, s.layers);
    return p;
}

/* One kernel for each list of parameters, named after it: "k_rrw". Where it samples an image without
 * its sampler, a sampler stands behind all others; one with an "a" at the end is pushed an address. */
static uint32_t build_kernel(rp_graph *g, const spec_node *n, uint32_t uses, bool addressed) {
    static const char letters[] = {'r', 'w', 'b', 'u', 's'}; /* by access */
    char name[MAX_USES * 40 + 40] = "k_";
    rp_graph_param list[MAX_USES + 1];
    uint32_t params = 0;
    bool sampler = false;
    for (uint32_t i = 0; i < uses; i++) {
        if (n->uses[i].step == RP_USE_ELEMENT && !list[params - 1].elements)
            list[params - 1].elements = MAX_USES + n->number % 2;
        if (n->uses[i].step) continue;
        list[params] = param_of(g, &n->uses[i], n->number + i);
        sampler |= list[params].resource == RP_RESOURCE_IMAGE && n->uses[i].access == RP_SAMPLED;
        params++;
    }
    if (sampler)
        list[params++] = (rp_graph_param){.access = RP_SAMPLED,
                                          .resource = RP_RESOURCE_SAMPLER,
                                          .elements = n->number % 3,
                                          .name = RP_NONE};
    for (uint32_t i = 0; i < params; i++) {
        const rp_graph_param *p = &list[i];
        size_t at = strlen(name);
        list[i].binding = (uint8_t)i;
        name[at++] = letters[p->access];
        name[at] = '\0';
        if (p->resource)
            snprintf(name + at, sizeof name - at, "%u.%u.%u.%u.%u_", p->resource, p->view,
                     p->format, p->texel, p->elements);
    }
    if (addressed) strcat(name, "a");
    uint32_t found = rp_graph_find_kernel(g, n->unknown ? "unknown" : name);
    if (found != RP_NONE) return found;
    rp_graph_kernel item = {.name = intern(g, n->unknown ? "unknown" : name),
                            .entry = intern(g, "main"),
                            .local = {64, 1, 1},
                            .param_count = params,
                            .spec_count = 4};
    const rp_graph_spec specs[] = {{7, 4, params}, {3, 4, 0x3f800000}, {9, 8, params}, {1, 2, 7}};
    found = rp_graph_add_kernel(g, &item, list, specs, NULL);
    if (found == RP_NONE) abort();
    return found;
}

/* As many samplers as its parameters need. */
static void add_samplers(rp_graph *g, rp_graph_node *item, const spec_node *n) {
    rp_graph node = *g;
    rp_graph_use uses[MAX_USES];
    rp_graph_node seen = *item;
    rp_descriptor d = {0};
    memcpy(uses, n->uses, sizeof uses);
    node.uses = uses;
    seen.first_use = 0;
    const rp_descriptor_source source = rp_node_descriptors(&node, &seen);
    while (rp_descriptor_step(&source, &d)) {
    }
    if (!RP_RESERVE(&g->allocator, g->sampler_refs, g->sampler_refs_count, g->sampler_refs_capacity,
                    d.next_sampler))
        abort();
    item->first_sampler = g->sampler_refs_count;
    item->sampler_count = d.next_sampler;
    for (uint32_t i = 0; i < d.next_sampler; i++)
        g->sampler_refs[g->sampler_refs_count++] = (n->number + i) % g->samplers_count;
}

static void build_samplers(rp_graph *g) {
    rp_graph_sampler near = {.name = intern(g, "near"), .info = rp_sampler_default};
    rp_graph_sampler shadow = {.name = intern(g, "shadow"), .info = rp_sampler_default};
    near.info.mag = near.info.min = near.info.mip = RP_FILTER_NEAREST;
    shadow.info.compare = RP_COMPARE_LESS;
    shadow.info.max_level = 2.5f;
    if (rp_graph_add_sampler(g, &near) == RP_NONE || rp_graph_add_sampler(g, &shadow) == RP_NONE)
        abort();
}

/* Behind the number in the push data. */
static void add_address(rp_graph *g, rp_graph_node *item, uint32_t use) {
    if (!RP_RESERVE(&g->allocator, g->addresses, g->addresses_count, g->addresses_capacity, 1))
        abort();
    item->first_address = g->addresses_count;
    item->address_count = 1;
    item->byte_count = ADDRESSED_BYTES;
    g->addresses[g->addresses_count++] = (rp_graph_address){4, use, 0};
}

static void build_node(rp_graph *g, const rp_random_graph *random, const spec_node *n) {
    uint8_t data[256];
    rp_graph_node item = {.id = n->number,
                          .kind = n->kind,
                          .grid_kind = n->grid_kind,
                          .unknown = n->unknown,
                          .optional = n->optional,
                          .kernel = RP_NONE,
                          .use_count = n->use_count,
                          .label = RP_NONE,
                          .op = RP_NONE};
    if (n->kind == RP_RUN) {
        uint32_t bound = 0;
        while (bound < n->use_count && !n->uses[bound].indirect && !n->uses[bound].addressed)
            bound++;
        bool addressed = bound < n->use_count && n->uses[bound].addressed;
        item.kernel = build_kernel(g, n, bound, addressed);
        item.byte_count = 4;
        if (addressed) add_address(g, &item, bound);
        for (uint32_t i = 0; i < 3; i++) item.grid[i] = i == 0 ? n->grid : 1;
        if (n->grid_kind == RP_GRID_INDIRECT) memset(item.grid, 0, sizeof item.grid);
    }
    if (n->grid_kind == RP_GRID_LIVE) {
        rp_expr_op op = {.code = RP_EXPR_LIVE,
                         .element = (uint16_t)(n->number % 4),
                         .buffer = live_buffer(random)};
        item.live_mask = 1;
        item.grid[0] = rp_graph_add_expr(g, &op, 1);
        if (item.grid[0] == RP_NONE) abort();
    }
    if (n->kind == RP_RUN && !n->unknown && g->samplers_count) add_samplers(g, &item, n);
    if (n->kind == RP_FILL) item.pattern = n->number;
    if (n->kind == RP_BLIT) item.pattern = RP_FILTER_NEAREST;
    if (n->kind == RP_CLEAR) item.byte_count = 16;
    if (n->kind == RP_UPDATE) item.byte_count = (uint32_t)n->uses[0].size;
    for (uint32_t i = 0; i < item.byte_count; i++) data[i] = (uint8_t)(n->number >> (i % 4 * 8));
    if (item.address_count) memset(data + 4, 0, ADDRESSED_BYTES - 4);
    if (rp_graph_add_node(g, &item, n->uses, data) == RP_NONE) abort();
}

rp_graph *rp_random_graph_build(const rp_random_graph *random) {
    char name[32];
    snprintf(name, sizeof name, "random_%llu", (unsigned long long)random->seed);
    rp_graph *g = need(rp_graph_create(NULL, name));
    for (uint32_t i = 0; i < random->buffer_count; i++) build_buffer(g, &random->buffers[i], i);
    for (uint32_t i = 0; i < random->buffer_count && !g->samplers_count; i++)
        if (random->buffers[i].image.format) build_samplers(g);
    for (uint32_t i = 0; i < random->node_count; i++) build_node(g, random, &random->nodes[i]);
    return g;
}

#endif
