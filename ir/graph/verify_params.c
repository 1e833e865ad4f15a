/* Uses against the parameters of their kernel: access, sizes, and for images what a view can show. A
 * message names the binding, says what the kernel declares there and what the graph has, and what would
 * do. */
#include "graph/verify.h"

#include <stdio.h>

#include "base/checked.h"
#include "base/image.h"

#define NODE_ERROR(v, n, format, ...)                                                              \
    rp_verify_error((v), (n)->pos, "n%u: " format, (n)->id, __VA_ARGS__)

/* One descriptor of a node. */
typedef struct bound {
    const rp_graph_node *node;
    const rp_graph_kernel *kernel;
    const rp_graph_param *param;
    const rp_graph_use *uses; /* `count` pieces */
    uint32_t count, index;    /* of the first use among the node's */
} bound;

enum { WHY = RP_MISFIT_TEXT };

static rp_seen_as seen_as(const rp_graph_param *p) {
    return (rp_seen_as){p->view, p->format, p->texel, p->access == RP_SAMPLED};
}

static bool misfit_texels(const rp_graph *g, const bound *d, char why[WHY]) {
    const rp_graph_use *u = d->uses;
    const rp_seen_as as = seen_as(d->param);
    if (!rp_buffer_is_image(&g->buffers[u->buffer]))
        return rp_texels_misfit(&as, u->format, u->offset, u->size, why);
    snprintf(why, WHY, "the kernel sees a buffer as texels there, and this is an image");
    return true;
}

static bool misfit_image(const rp_graph *g, const bound *d, char why[WHY]) {
    const rp_graph_use *u = d->uses;
    const rp_graph_buffer *b = &g->buffers[u->buffer];
    const rp_seen_as as = seen_as(d->param);
    rp_subresources s;
    if (!rp_buffer_is_image(b)) {
        snprintf(why, WHY, "the kernel sees an image there, and this is a buffer");
    } else if (!rp_image_subresources(&b->image, u->offset, u->size, &s)) {
        snprintf(why, WHY, "the range is no part of the image");
    } else {
        s.mips += d->count - 1;
        return rp_image_misfit(&as, &b->image, &s, why);
    }
    return true;
}

/* What a use is, against what its parameter sees; false when they fit. */
static bool misfit(const rp_graph *g, const bound *d, char why[WHY]) {
    const rp_graph_use *u = d->uses;
    if (d->param->resource == RP_RESOURCE_TEXELS) return misfit_texels(g, d, why);
    if (u->format) {
        snprintf(why, WHY, "only texels have a format of their own");
        return true;
    }
    if (d->param->resource != RP_RESOURCE_BUFFER) return misfit_image(g, d, why);
    if (!rp_buffer_is_image(&g->buffers[u->buffer])) return false;
    snprintf(why, WHY, "the kernel sees a buffer there, and this is an image");
    return true;
}

/* Pieces of a descriptor are the same layers of mips that follow each other. */
static bool pieces_follow(const rp_graph *g, const rp_graph_use *uses, uint32_t count) {
    rp_subresources first, s;
    const rp_image_shape *shape = &g->buffers[uses[0].buffer].image;
    if (count > 1 && !rp_image_subresources(shape, uses[0].offset, uses[0].size, &first))
        return false;
    for (uint32_t i = 1; i < count; i++)
        if (uses[i].buffer != uses[0].buffer || uses[i].access != uses[0].access ||
            uses[i].format != uses[0].format ||
            !rp_image_subresources(shape, uses[i].offset, uses[i].size, &s) ||
            first.layers == shape->layers || s.mips != 1 || s.first_mip != first.first_mip + i ||
            s.first_layer != first.first_layer || s.layers != first.layers)
            return false;
    return true;
}

/* How many samplers the kernel's parameters take with these uses. */
static uint32_t samplers_of(const rp_graph *g, const rp_graph_node *n) {
    const rp_descriptor_source source = rp_node_descriptors(g, n);
    rp_descriptor d = {0};
    while (rp_descriptor_step(&source, &d)) {
    }
    return d.next_sampler;
}

static void verify_samplers(rp_verifier *v, const rp_graph_node *n) {
    const rp_graph *g = v->graph;
    const rp_graph_kernel *k = &g->kernels[n->kernel];
    uint32_t expected = samplers_of(g, n);
    if (n->sampler_count != expected)
        NODE_ERROR(v, n, "%u samplers, but @%.60s takes %u there", n->sampler_count,
                   rp_graph_string(g, k->name), expected);
    else if (!rp_range_inside(n->first_sampler, n->sampler_count, g->sampler_refs_count))
        NODE_ERROR(v, n, "%s", "has samplers that are not there");
    for (uint32_t i = 0; i < n->sampler_count && n->sampler_count == expected; i++)
        if (g->sampler_refs[n->first_sampler + i] >= g->samplers_count)
            NODE_ERROR(v, n, "%s", "has a sampler that does not exist");
}

/* Coordinates that count texels are those of one mip, in one or two dimensions. */
static void verify_unnormalised(rp_verifier *v, const bound *d, uint32_t ref) {
    const rp_graph *g = v->graph;
    const rp_graph_node *n = d->node;
    rp_subresources s;
    if (ref >= n->sampler_count ||
        !rp_range_inside(n->first_sampler, n->sampler_count, g->sampler_refs_count))
        return; /* said */
    uint32_t index = g->sampler_refs[n->first_sampler + ref];
    if (index >= g->samplers_count || !g->samplers[index].info.unnormalised ||
        !rp_image_subresources(&g->buffers[d->uses->buffer].image, d->uses->offset, d->uses->size,
                               &s))
        return;
    if (s.mips > 1 || d->count > 1 ||
        (d->param->view != RP_VIEW_1D && d->param->view != RP_VIEW_2D))
        NODE_ERROR(v, n,
                   "use %u is %s: @%.60s counts texels, so one mip of a 1d or 2d image is read "
                   "through it",
                   d->index, rp_show_use(g, d->uses).text,
                   rp_graph_string(g, g->samplers[index].name));
}

static void verify_bound(rp_verifier *v, const bound *d) {
    const rp_graph *g = v->graph;
    const rp_graph_node *n = d->node;
    const rp_graph_use *u = d->uses;
    const rp_graph_param *p = d->param;
    const char *kernel = rp_graph_string(g, d->kernel->name);
    uint32_t skip = n->member_count ? rp_use_skip(u) : 0;
    bool widened = p->access == RP_WRITE && u->access == RP_READ_WRITE; /* by a pass */
    char why[WHY];
    if (u->access != p->access && !widened)
        NODE_ERROR(v, n, "use %u is %s, but @%.60s declares %s there", d->index,
                   rp_show_use(g, u).text, kernel, rp_access_name((rp_access)p->access));
    bool wrong = misfit(g, d, why);
    if (!wrong && !pieces_follow(g, u, d->count)) {
        snprintf(why, sizeof why, "its pieces are not the same layers of one mip after the other");
        wrong = true;
    }
    if (wrong)
        NODE_ERROR(v, n, "use %u is %s: %s (@%.60s, binding %u.%u)", d->index,
                   rp_show_use(g, u).text, why, kernel, p->set, p->binding);
    if (p->skip != skip)
        NODE_ERROR(v, n, "use %u is %s, but @%.60s skips %u bytes there; expected %u", d->index,
                   rp_show_use(g, u).text, kernel, p->skip, skip);
    if (u->size < p->min_size)
        NODE_ERROR(v, n, "use %u is %s, but @%.60s needs at least %llu bytes there", d->index,
                   rp_show_use(g, u).text, kernel, (unsigned long long)p->min_size);
}

void rp_verify_params(rp_verifier *v, const rp_graph_node *n) {
    const rp_graph *g = v->graph;
    const rp_graph_kernel *k = &g->kernels[n->kernel];
    const rp_descriptor_source source = rp_node_descriptors(g, n);
    verify_samplers(v, n);
    for (rp_descriptor d = {0}; rp_descriptor_step(&source, &d);) {
        if (d.use_count == 0) continue;
        const bound one = {n,
                           k,
                           &g->params[k->first_param + d.param],
                           &rp_node_uses(g, n)[d.first_use],
                           d.use_count,
                           d.first_use};
        verify_bound(v, &one);
        if (one.param->resource == RP_RESOURCE_COMBINED) verify_unnormalised(v, &one, d.sampler);
    }
}
