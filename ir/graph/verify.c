/* What every well-formed graph obeys; the rules are listed in docs/ir-text.md.
 *
 * Graphs come from text, from YAML, from recorders and out of passes, and all of them go through
 * here, so the code behind (passes, checker, plan writer) can trust indices, ranges and sizes.
 * Errors are collected rather than returned at the first, each at the line of the buffer, kernel or
 * node that is wrong. Nothing here depends on a device; its limits are checked when a plan is
 * instantiated. */
#include "graph/verify.h"

#include <stdio.h>

#include "base/checked.h"
#include "base/image.h"
#include "base/shape.h"
#include "graph/keywords.h"

void rp_verify_error(rp_verifier *v, rp_source_pos pos, const char *format, ...) {
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    rp_diags_add(v->diags, RP_ERROR, v->file, pos.line, pos.column, "%s", message);
    if (v->status == RP_OK) v->status = RP_ERROR_INVALID;
}

enum { SHORT_NAME = 72 };

/* A name as messages show it. Every buffer and kernel has it at hand, so printf is too slow. */
static void shorten(char out[SHORT_NAME], char sigil, const char *name) {
    size_t length = strnlen(name, SHORT_NAME - 2);
    out[0] = sigil;
    memcpy(out + 1, name, length);
    out[1 + length] = '\0';
}

/* Names are unique and have a form that the text can hold. Strings are interned, so a name is known
 * by its index: seen[] has a place for each. */
static void verify_name(rp_verifier *v, bool *seen, uint32_t string, const char *what,
                        rp_source_pos pos) {
    const char *name = rp_graph_string(v->graph, string);
    if (!rp_name_valid(name, strlen(name)))
        rp_verify_error(
            v, pos,
            "'%.60s' cannot name %s: names are letters, digits, '_', '.' and '-', and do "
            "not start with a digit or '-'",
            name, what);
    if (string >= v->graph->strings_count) return;
    if (seen[string]) rp_verify_error(v, pos, "there is another %s '%.60s'", what + 2, name);
    seen[string] = true;
}

/* ---- Buffers --------------------------------------------------------------------------------- */

static void verify_shape(rp_verifier *v, const rp_graph_buffer *b, const char *name) {
    const rp_graph *g = v->graph;
    uint64_t size = 1;
    if (rp_dtype_size((rp_dtype)b->dtype) == 0 || b->rank > RP_MAX_RANK ||
        (b->dtype == RP_RAW && b->rank > 0)) {
        rp_verify_error(v, b->pos, "%s has a type or rank that does not exist", name);
        return;
    }
    if (b->size == 0)
        rp_verify_error(v, b->pos, "%s is empty; a buffer has at least one byte", name);
    if (b->size > RP_MAX_BUFFER_BYTES)
        rp_verify_error(v, b->pos, "%s has %llu bytes; a buffer has at most 2^40", name,
                        (unsigned long long)b->size);
    if (b->dtype == RP_RAW || b->size == 0) return;
    const uint64_t *dims = g->dims + b->first_dim;
    if (!rp_shape_has_blocks((rp_dtype)b->dtype, b->rank, dims)) {
        rp_verify_error(v, b->pos, "%s: the last dimension of a %s shape is a multiple of %u", name,
                        rp_dtype_name((rp_dtype)b->dtype), rp_dtype_block((rp_dtype)b->dtype));
        return;
    }
    if (!rp_shape_bytes((rp_dtype)b->dtype, b->rank, dims, &size)) size = 0;
    if (size != b->size)
        rp_verify_error(v, b->pos, "%s has %llu bytes, but its shape needs %llu", name,
                        (unsigned long long)b->size, (unsigned long long)size);
}

static bool is_integer(const rp_graph_buffer *b) {
    return b->dtype == RP_U32 || b->dtype == RP_I32;
}

/* What is copied, and where to, is inside both buffers; nothing is written twice. */
static void verify_follows(rp_verifier *v, const rp_graph_buffer *b, const char *name) {
    const rp_graph *g = v->graph;
    if (!rp_range_inside(b->first_follow, b->follow_count, g->follows_count)) {
        rp_verify_error(v, b->pos, "%s follows what is not there", name);
        return;
    }
    if (b->max_value != UINT32_MAX)
        rp_verify_error(v, b->pos, "%s has a largest value, but follows others that have theirs",
                        name);
    uint64_t end = 0;
    for (uint32_t i = 0; i < b->follow_count; i++) {
        const rp_graph_follow *f = &g->follows[b->first_follow + i];
        const rp_graph_buffer *other = f->buffer < g->buffers_count ? &g->buffers[f->buffer] : NULL;
        if (!other || other >= b || other->removed) {
            rp_verify_error(v, b->pos, "%s follows a buffer that is not declared before it", name);
            return;
        }
        const char *theirs = rp_graph_string(g, other->name);
        if (other->kind != RP_LIVE || other->follow_count)
            rp_verify_error(v, b->pos, "%s follows %.60s, which is %s", name, theirs,
                            other->kind == RP_LIVE ? "set by nobody itself" : "no live buffer");
        if (f->size == 0 || (f->from | f->to | f->size) % 4)
            rp_verify_error(v, b->pos, "%s follows %.60s[%u+%u] at %u: expected multiples of 4",
                            name, theirs, f->from, f->size, f->to);
        else if (!rp_range_inside(f->from, f->size, other->size) ||
                 !rp_range_inside(f->to, f->size, b->size))
            rp_verify_error(v, b->pos,
                            "%s follows %.60s[%u+%u] at %u: that is outside the %llu bytes of the "
                            "one or the %llu of the other",
                            name, theirs, f->from, f->size, f->to, (unsigned long long)other->size,
                            (unsigned long long)b->size);
        else if (f->to < end)
            rp_verify_error(v, b->pos, "%s follows two at byte %u; what it follows ascends", name,
                            f->to);
        end = (uint64_t)f->to + f->size;
    }
}

static void verify_live(rp_verifier *v, const rp_graph_buffer *b, const char *name) {
    if (b->size > RP_MAX_LIVE_BYTES)
        rp_verify_error(v, b->pos, "%s has %llu bytes; a live buffer has at most %d", name,
                        (unsigned long long)b->size, RP_MAX_LIVE_BYTES);
    if (rp_dtype_block((rp_dtype)b->dtype) > 1)
        rp_verify_error(v, b->pos, "%s is %s; a live buffer is not block-quantised", name,
                        rp_dtype_name((rp_dtype)b->dtype));
    if (b->max_value != UINT32_MAX && !is_integer(b))
        rp_verify_error(v, b->pos, "%s has a largest value, but is neither u32 nor i32", name);
    if (b->first_default == RP_NONE) return;
    if (!rp_range_inside(b->first_default, b->size, v->graph->bytes_count)) {
        rp_verify_error(v, b->pos, "%s: the initial value is shorter than the buffer", name);
        return;
    }
    if (b->max_value == UINT32_MAX || !is_integer(b)) return;
    const uint8_t *p = v->graph->bytes + b->first_default;
    for (uint64_t i = 0; i + 4 <= b->size; i += 4, p += 4) {
        uint32_t value = p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
        if (value <= b->max_value || (b->dtype == RP_I32 && value > INT32_MAX)) continue;
        rp_verify_error(v, b->pos, "%s: element %llu starts as %u, its largest value is %u", name,
                        (unsigned long long)(i / 4), value, b->max_value);
        return;
    }
}

/* An image's bytes are its packed texels, of no type but their format. */
static void verify_image(rp_verifier *v, const rp_graph_buffer *b, const char *name) {
    const char *wrong = rp_image_wrong(&b->image);
    if (wrong)
        rp_verify_error(v, b->pos, "%s is no image that there can be: %s", name, wrong);
    else if (b->dtype != RP_RAW || b->rank || b->size != rp_image_bytes(&b->image))
        rp_verify_error(v, b->pos, "%s has %llu bytes; an image of its shape has %llu", name,
                        (unsigned long long)b->size, (unsigned long long)rp_image_bytes(&b->image));
    if (b->kind == RP_LIVE)
        rp_verify_error(v, b->pos, "%s is live; live values are plain buffers", name);
}

static void verify_buffer(rp_verifier *v, const rp_graph_buffer *b) {
    char name[SHORT_NAME];
    shorten(name, b->kind == RP_TMP ? '%' : '$', rp_graph_string(v->graph, b->name));
    if (!rp_buffer_kind_name((rp_buffer_kind)b->kind)) {
        rp_verify_error(v, b->pos, "%s is of a kind that does not exist", name);
        return;
    }
    if (rp_buffer_is_image(b))
        verify_image(v, b, name);
    else
        verify_shape(v, b, name);
    if (b->kind == RP_LIVE) verify_live(v, b, name);
    if (b->kind == RP_LIVE && b->follow_count) verify_follows(v, b, name);
    if (b->kind != RP_LIVE && b->follow_count)
        rp_verify_error(v, b->pos, "%s follows others, but only live buffers do", name);
    if (b->kind != RP_TMP && b->offset != RP_NOT_PLACED)
        rp_verify_error(v, b->pos, "%s has an arena offset, but only transients lie in the arena",
                        name);
}

/* ---- Kernels --------------------------------------------------------------------------------- */

/* What a parameter is, and that its access goes with it. */
static void verify_resource(rp_verifier *v, const rp_graph_kernel *k, const rp_graph_param *p,
                            const char *name, uint32_t i) {
    bool sampled = p->access == RP_SAMPLED, memory = false;
    const char *wrong = NULL;
    switch ((rp_resource)p->resource) {
    case RP_RESOURCE_BUFFER:
        if (sampled) wrong = "a buffer is not sampled";
        memory = true;
        break;
    case RP_RESOURCE_IMAGE:
    case RP_RESOURCE_TEXELS:
        if (p->access == RP_UNIFORM) wrong = "no image and no texel buffer is uniform";
        break;
    case RP_RESOURCE_COMBINED:
    case RP_RESOURCE_SAMPLER:
        if (!sampled) wrong = "a sampler only samples";
        break;
    case RP_RESOURCE_STALL:
        if (p->access != RP_READ_WRITE || p->elements) wrong = "the word of stalls is one, rw";
        break;
    default: wrong = "a binding of no known kind";
    }
    if (!rp_view_name((rp_view)p->view) || !rp_texel_name((rp_texel)p->texel) ||
        (p->format && !rp_image_format_name((rp_image_format)p->format)))
        wrong = "a view or a format does not exist";
    else if (p->format && rp_image_format_get((rp_image_format)p->format).texel != p->texel)
        wrong = "the format is of another kind of texels";
    else if (!memory && (p->skip || p->min_size))
        wrong = "only buffers have bytes";
    else if (p->elements > RP_MAX_USES)
        wrong = "an array has at most 1024 elements";
    if (wrong)
        rp_verify_error(v, k->pos, "%s: parameter %u is none that there can be: %s", name, i,
                        wrong);
}

static void verify_params(rp_verifier *v, const rp_graph_kernel *k, const char *name) {
    if (!rp_range_inside(k->first_param, k->param_count, v->graph->params_count)) {
        rp_verify_error(v, k->pos, "the parameters of %s do not exist", name);
        return;
    }
    const rp_graph_param *params = v->graph->params + k->first_param;
    if (k->param_count > RP_MAX_PARAMS) {
        rp_verify_error(v, k->pos, "%s has %u parameters, more than %d", name, k->param_count,
                        RP_MAX_PARAMS);
        return;
    }
    for (uint32_t i = 0; i < k->param_count; i++) {
        if (!rp_access_name((rp_access)params[i].access))
            rp_verify_error(v, k->pos, "%s: parameter %u has an access that does not exist", name,
                            i);
        verify_resource(v, k, &params[i], name, i);
        if (params[i].skip && params[i].access == RP_UNIFORM)
            rp_verify_error(v, k->pos, "%s: parameter %u is uniform and skips bytes", name, i);
        for (uint32_t j = 0; j < i; j++)
            if (params[i].set == params[j].set && params[i].binding == params[j].binding)
                rp_verify_error(v, k->pos, "%s: parameters %u and %u share the binding %u.%u", name,
                                j, i, params[i].set, params[i].binding);
    }
}

static void verify_kernel(rp_verifier *v, const rp_graph_kernel *k) {
    const rp_graph *g = v->graph;
    char name[SHORT_NAME];
    shorten(name, '@', rp_graph_string(g, k->name));
    uint64_t threads = 1;
    for (int i = 0; i < 3; i++)
        if (!rp_mul_u64(threads, k->local[i], &threads)) threads = UINT64_MAX;
    if (threads == 0 || threads > UINT32_MAX)
        rp_verify_error(v, k->pos,
                        "%s: the workgroup %u x %u x %u must have at least 1 and fewer than 2^32 "
                        "invocations",
                        name, k->local[0], k->local[1], k->local[2]);
    if (k->push_bytes % 4 || k->push_bytes > RP_MAX_PUSH_BYTES)
        rp_verify_error(v, k->pos,
                        "%s: push data of %u bytes; a multiple of 4 up to %d is possible", name,
                        k->push_bytes, RP_MAX_PUSH_BYTES);
    if (*rp_graph_string(g, k->entry) == '\0')
        rp_verify_error(v, k->pos, "%s has no entry point", name);
    verify_params(v, k, name);
    if (k->spec_count > RP_MAX_PARAMS) {
        rp_verify_error(v, k->pos, "%s has %u specialisation constants, more than %d", name,
                        k->spec_count, RP_MAX_PARAMS);
        return;
    }
    const rp_graph_spec *specs = g->specs + k->first_spec;
    for (uint32_t i = 0; i < k->spec_count; i++) {
        if (!rp_constant_fits(specs[i].bytes, specs[i].value))
            rp_verify_error(v, k->pos, "%s: specialisation constant %u has %u bytes, or more bits",
                            name, specs[i].id, specs[i].bytes);
        for (uint32_t j = 0; j < i; j++)
            if (specs[i].id == specs[j].id)
                rp_verify_error(v, k->pos, "%s sets the specialisation constant %u twice", name,
                                specs[i].id);
    }
}

void rp_verify_declarations(rp_verifier *v) {
    const rp_graph *g = v->graph;
    bool *buffers = rp_alloc_zero(&g->allocator, g->strings_count, sizeof *buffers);
    bool *kernels = rp_alloc_zero(&g->allocator, g->strings_count, sizeof *kernels);
    bool *samplers = rp_alloc_zero(&g->allocator, g->strings_count, sizeof *samplers);
    if (!buffers || !kernels || !samplers) v->status = RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < g->buffers_count && v->status != RP_ERROR_NO_MEMORY; i++) {
        if (g->buffers[i].removed) continue;
        verify_name(v, buffers, g->buffers[i].name, "a buffer", g->buffers[i].pos);
        verify_buffer(v, &g->buffers[i]);
    }
    for (uint32_t i = 0; i < g->kernels_count && v->status != RP_ERROR_NO_MEMORY; i++) {
        if (g->kernels[i].removed) continue;
        verify_name(v, kernels, g->kernels[i].name, "a kernel", g->kernels[i].pos);
        verify_kernel(v, &g->kernels[i]);
    }
    for (uint32_t i = 0; i < g->samplers_count && v->status != RP_ERROR_NO_MEMORY; i++) {
        const rp_graph_sampler *s = &g->samplers[i];
        const char *wrong = rp_sampler_wrong(&s->info);
        verify_name(v, samplers, s->name, "a sampler", s->pos);
        if (wrong)
            rp_verify_error(v, s->pos, "@%.60s is no sampler that there can be: %s",
                            rp_graph_string(g, s->name), wrong);
    }
    rp_release(&g->allocator, buffers);
    rp_release(&g->allocator, kernels);
    rp_release(&g->allocator, samplers);
}

/* ---- The whole ------------------------------------------------------------------------------- */

rp_status rp_graph_verify_parts(const rp_graph *graph, const char *file, rp_diags *diags) {
    rp_verifier v = {.graph = graph, .file = file, .diags = diags};
    rp_verify_declarations(&v);
    if (v.status != RP_ERROR_NO_MEMORY) rp_verify_nodes(&v);
    return v.status;
}

rp_status rp_graph_verify_again(const rp_graph *graph, rp_diags *diags) {
    rp_status status = rp_graph_verify(graph, NULL, NULL);
    return status == RP_ERROR_INVALID ? rp_graph_verify(graph, NULL, diags) : status;
}

rp_status rp_graph_verify(const rp_graph *graph, const char *file, rp_diags *diags) {
    if (!graph) return RP_ERROR_USAGE;
    rp_verifier v = {.graph = graph, .file = file, .diags = diags};
    const char *name = rp_graph_string(graph, graph->name);
    if (!rp_name_valid(name, strlen(name)))
        rp_verify_error(&v, (rp_source_pos){0}, "'%.60s' cannot name a graph", name);
    rp_verify_declarations(&v);
    if (v.status != RP_ERROR_NO_MEMORY) rp_verify_nodes(&v);
    if (v.status == RP_OK) rp_verify_tags(&v);
    if (v.status != RP_ERROR_NO_MEMORY) rp_verify_stages(&v);
    if (v.status == RP_OK) rp_verify_reads(&v);
    if (v.status == RP_OK) rp_verify_promises(&v);
    return v.status;
}
