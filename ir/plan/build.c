/* Packing a compiled graph into a plan. Each section is a growing run of bytes; records are
 * appended in the order that validation expects, the owned ones (uses of a node, params of a
 * kernel, ...) right when their owner is, so that pieces follow each other without gap. At the end
 * the sections are joined and the result is validated where it lies, by the code that opens plans:
 * what is written is what is read. That also finds what the kernels need of a device, so SPIR-V is
 * read once; only where something is wrong with it is it read again, for a message that names the
 * kernel's line.
 *
 * Equal graphs give equal bytes: strings are numbered in the order of first use rather than in that
 * of the graph's table, whose order depends on the graph's history; padding and unused fields are
 * fixed. Buffers and kernels that a pass removed are left out; transients come last. Linear in the
 * graph. */
#include "base/checked.h"
#include "graph/graph.h"
#include "plan/build.h"
#include "plan/validate.h"
#include "text/print.h"

typedef struct builder {
    const rp_graph *graph, *source;
    rp_diags *diags;
    rp_text sections[RP_SECTION_COUNT];
    uint32_t *strings;    /* graph string -> plan string, RP_NONE = not written yet */
    uint32_t *of_source;  /* the same of strings of the source; those of labels alone */
    rp_table by_id;       /* id -> node of the source; empty when nothing was fused */
    uint32_t *buffers;    /* graph buffer -> plan buffer, RP_NONE = removed */
    uint32_t *kernels;    /* graph kernel -> plan kernel, RP_NONE = removed */
    rp_graph_stats stats; /* of the graph */
    bool sized;           /* the shape of some buffer follows live sizes */
} builder;

static const uint32_t strides[] = {
#define RP_X(symbol, code, type, name) sizeof(type),
    RP_SECTION_LIST(RP_X)
#undef RP_X
};

/* How many records a section has so far: the index of the next one. */
static uint32_t next(const builder *b, rp_section section) {
    return b->sections[section].size / strides[section];
}

static void put(builder *b, rp_section section, const void *record, size_t count) {
    rp_text_append(&b->sections[section], record, count * strides[section]);
}

static uint32_t put_string(builder *b, uint32_t string) {
    if (string == RP_NONE) return UINT32_MAX;
    if (b->strings[string] == RP_NONE) {
        const char *text = rp_graph_string(b->graph, string);
        b->strings[string] = next(b, RP_SECTION_STRINGS);
        put(b, RP_SECTION_STRINGS, text, strlen(text) + 1);
    }
    return b->strings[string];
}

/* A string of the source, which may have been forgotten in the graph. */
static uint32_t put_source_string(builder *b, uint32_t string) {
    if (string == RP_NONE) return UINT32_MAX;
    if (b->of_source[string] != RP_NONE) return b->of_source[string];
    const char *text = rp_graph_string(b->source, string);
    uint32_t known = rp_graph_find_string(b->graph, text, strlen(text));
    b->of_source[string] = known == RP_NONE ? next(b, RP_SECTION_STRINGS) : put_string(b, known);
    if (known == RP_NONE) put(b, RP_SECTION_STRINGS, text, strlen(text) + 1);
    return b->of_source[string];
}

/* Code over live buffers; they stand before who asks. */
static uint32_t put_code(builder *b, const rp_expr_op *ops, uint32_t count) {
    rp_plan_expr to = {next(b, RP_SECTION_EXPR_OPS), count};
    for (uint32_t i = 0; i < count; i++) {
        rp_expr_op op = ops[i];
        if (op.code == RP_EXPR_LIVE) op.buffer = b->buffers[op.buffer];
        put(b, RP_SECTION_EXPR_OPS, &op, 1);
    }
    put(b, RP_SECTION_EXPRS, &to, 1);
    return next(b, RP_SECTION_EXPRS) - 1;
}

static uint32_t put_expr(builder *b, uint32_t expr) {
    const rp_graph_expr *from = &b->graph->exprs[expr];
    return put_code(b, b->graph->expr_ops + from->first_op, from->op_count);
}

/* What the dimensions of a buffer follow, where some buffer's do. */
static rp_status put_sizes(builder *b, const rp_graph_buffer *from) {
    const rp_graph *g = b->graph;
    for (uint32_t i = 0; b->sized && i < from->rank; i++) {
        rp_extent dim = {g->dims[from->first_dim + i], g->dim_powers[from->first_dim + i]};
        uint32_t expr = UINT32_MAX;
        rp_expr code = {0};
        if (dim.powers) {
            RP_TRY(rp_graph_size_code(g, dim, &code));
            expr = put_code(b, code.ops, code.count);
        }
        rp_expr_free(&g->allocator, &code);
        put(b, RP_SECTION_SIZES, &expr, 1);
    }
    return RP_OK;
}

static rp_status put_buffer(builder *b, const rp_graph_buffer *from) {
    bool live = from->kind == RP_LIVE;
    bool has_default = live && from->first_default != RP_NONE;
    rp_plan_buffer to = {.name = put_string(b, from->name),
                         .kind = from->kind,
                         .dtype = from->dtype,
                         .rank = from->rank,
                         .first_dim = next(b, RP_SECTION_DIMS),
                         .max_value = live ? from->max_value : UINT32_MAX,
                         .size = from->size,
                         .offset = from->kind == RP_TMP ? from->offset : UINT64_MAX,
                         .first_default = has_default ? next(b, RP_SECTION_BYTES) : UINT32_MAX,
                         .first_follow = next(b, RP_SECTION_FOLLOWS),
                         .follow_count = from->follow_count,
                         .format = from->image.format,
                         .dim = from->image.dim,
                         .tagged = from->tagged,
                         .mips = from->image.mips,
                         .width = from->image.width,
                         .height = from->image.height,
                         .depth = from->image.depth,
                         .layers = from->image.layers};
    for (uint32_t i = 0; i < from->follow_count; i++) {
        const rp_graph_follow *f = &b->graph->follows[from->first_follow + i];
        put(b, RP_SECTION_FOLLOWS,
            &(rp_plan_follow){b->buffers[f->buffer], f->from, f->to, f->size}, 1);
    }
    if (from->rank) put(b, RP_SECTION_DIMS, b->graph->dims + from->first_dim, from->rank);
    if (has_default)
        put(b, RP_SECTION_BYTES, b->graph->bytes + from->first_default, (size_t)from->size);
    put(b, RP_SECTION_BUFFERS, &to, 1);
    return put_sizes(b, from);
}

/* What the application sees first, then transients. */
static rp_status put_buffers(builder *b) {
    const rp_graph *g = b->graph;
    for (uint32_t i = 0; i < g->buffers_count; i++)
        b->sized |= !g->buffers[i].removed && rp_buffer_powers(g, &g->buffers[i]) != 0;
    for (int transients = 0; transients <= 1; transients++) {
        for (uint32_t i = 0; i < g->buffers_count; i++) {
            const rp_graph_buffer *from = &g->buffers[i];
            if (from->removed || (from->kind == RP_TMP) != transients) continue;
            b->buffers[i] = next(b, RP_SECTION_BUFFERS);
            RP_TRY(put_buffer(b, from));
        }
    }
    return RP_OK;
}

/* In ascending order of id, by selection: kernels have a handful. */
static void put_specs(builder *b, const rp_graph_kernel *k) {
    uint64_t from = 0; /* smallest id that may come next */
    for (uint32_t done = 0; done < k->spec_count; done++) {
        const rp_graph_spec *least = NULL;
        for (uint32_t i = 0; i < k->spec_count; i++) {
            const rp_graph_spec *s = &b->graph->specs[k->first_spec + i];
            if (s->id >= from && (!least || s->id < least->id)) least = s;
        }
        if (!least) return; /* an id twice: its first value stands */
        put(b, RP_SECTION_SPECS, &(rp_plan_spec){least->id, least->bytes, least->value}, 1);
        from = (uint64_t)least->id + 1;
    }
}

static void put_kernel(builder *b, const rp_graph_kernel *k) {
    const rp_graph *g = b->graph;
    rp_plan_kernel to = {.name = put_string(b, k->name),
                         .entry = put_string(b, k->entry),
                         .hash = k->hash,
                         .first_word = next(b, RP_SECTION_WORDS),
                         .word_count = k->word_count,
                         .local = {k->local[0], k->local[1], k->local[2]},
                         .shared_bytes = k->shared_bytes,
                         .push_bytes = k->push_bytes,
                         .first_param = next(b, RP_SECTION_PARAMS),
                         .param_count = k->param_count,
                         .first_spec = next(b, RP_SECTION_SPECS)};
    if (k->word_count) put(b, RP_SECTION_WORDS, g->words + k->first_word, k->word_count);
    for (uint32_t i = 0; i < k->param_count; i++) {
        const rp_graph_param *p = &g->params[k->first_param + i];
        const rp_plan_param to_param = {.access = p->access,
                                        .set = p->set,
                                        .binding = p->binding,
                                        .skip = p->skip,
                                        .resource = p->resource,
                                        .view = p->view,
                                        .format = p->format,
                                        .texel = p->texel,
                                        .elements = p->elements};
        put(b, RP_SECTION_PARAMS, &to_param, 1);
    }
    put_specs(b, k);
    to.spec_count = next(b, RP_SECTION_SPECS) - to.first_spec;
    put(b, RP_SECTION_KERNELS, &to, 1);
}

static void put_kernels(builder *b) {
    for (uint32_t i = 0; i < b->graph->kernels_count; i++) {
        if (b->graph->kernels[i].removed) continue;
        b->kernels[i] = next(b, RP_SECTION_KERNELS);
        put_kernel(b, &b->graph->kernels[i]);
    }
}

static void put_samplers(builder *b) {
    for (uint32_t i = 0; i < b->graph->samplers_count; i++) {
        const rp_graph_sampler *from = &b->graph->samplers[i];
        rp_plan_sampler to = {.name = put_string(b, from->name)};
        memcpy(&to.mag, &from->info, sizeof from->info);
        put(b, RP_SECTION_SAMPLERS, &to, 1);
    }
}

static void put_uses(builder *b, const rp_graph_node *n) {
    for (uint32_t i = 0; i < n->use_count; i++) {
        const rp_graph_use *from = &b->graph->uses[n->first_use + i];
        rp_plan_use to = {.buffer = b->buffers[from->buffer],
                          .access = from->access,
                          .indirect = from->indirect,
                          .step = from->addressed ? RP_USE_ADDRESSED : from->step,
                          .format = from->format,
                          .offset = from->offset,
                          .size = from->size};
        put(b, RP_SECTION_USES, &to, 1);
    }
}

/* The label of an op that a node computes. */
static uint32_t put_label_of(builder *b, const rp_graph_node *n, uint32_t member) {
    uint32_t source;
    if (!rp_table_find(&b->by_id, b->graph->members[n->first_member + member].id, &source))
        return put_string(b, n->label);
    return put_source_string(b, b->source->nodes[source].label);
}

/* Labels are those of the source: the graph keeps one for each node, and who leaves out a label
 * must know what else a node computes. Returns how many. */
static uint32_t put_labels(builder *b, const rp_graph_node *n) {
    rp_text *section = &b->sections[RP_SECTION_LABELS];
    uint32_t own = put_string(b, n->label), first = next(b, RP_SECTION_LABELS);
    if (n->member_count < 2) return 0;
    for (uint32_t i = 0; i < n->member_count; i++) {
        uint32_t label = put_label_of(b, n, i), count = next(b, RP_SECTION_LABELS), at = first;
        const uint32_t *labels = (const uint32_t *)(const void *)section->data;
        while (at < count && labels[at] != label) at++;
        if (at == count) put(b, RP_SECTION_LABELS, &label, 1);
    }
    if (section->failed) return 0;
    const uint32_t *labels = (const uint32_t *)(const void *)section->data;
    if (next(b, RP_SECTION_LABELS) == first + 1 && labels[first] == own)
        section->size -= sizeof *labels;
    return next(b, RP_SECTION_LABELS) - first;
}

static uint8_t node_flags(const rp_graph_node *n) {
    if (n->kind != RP_RUN) return 0;
    bool sized = n->kind == RP_RUN && n->member_count && n->grid_kind == RP_GRID_LIVE;
    return (uint8_t)((n->unknown ? RP_NODE_UNKNOWN : 0) | (n->optional ? RP_NODE_OPTIONAL : 0) |
                     (sized ? RP_NODE_SIZED : 0));
}

static void put_node(builder *b, const rp_graph_node *n) {
    bool run = n->kind == RP_RUN, bytes = run || n->kind == RP_UPDATE || n->kind == RP_CLEAR;
    rp_plan_node to = {.id = n->id,
                       .kind = n->kind,
                       .grid_kind = run ? n->grid_kind : RP_GRID_DIRECT,
                       .flags = node_flags(n),
                       .kernel = run ? b->kernels[n->kernel] : UINT32_MAX,
                       .first_use = next(b, RP_SECTION_USES),
                       .use_count = n->use_count,
                       .first_sampler = next(b, RP_SECTION_SAMPLER_REFS),
                       .sampler_count = n->sampler_count,
                       .first_byte = next(b, RP_SECTION_BYTES),
                       .byte_count = bytes ? n->byte_count : 0,
                       .pattern = n->kind == RP_FILL || n->kind == RP_BLIT ? n->pattern : 0,
                       .label = put_string(b, n->label),
                       .op = put_string(b, n->op),
                       .group = n->group,
                       .first_label = next(b, RP_SECTION_LABELS)};
    to.label_count = put_labels(b, n);
    if (run && n->grid_kind == RP_GRID_LIVE) to.live_mask = n->live_mask;
    for (int i = 0; i < 3 && run && n->grid_kind != RP_GRID_INDIRECT; i++)
        to.grid[i] = to.live_mask >> i & 1 ? put_expr(b, n->grid[i]) : n->grid[i];
    put_uses(b, n);
    if (n->sampler_count)
        put(b, RP_SECTION_SAMPLER_REFS, b->graph->sampler_refs + n->first_sampler,
            n->sampler_count);
    for (uint32_t i = 0; i < n->address_count; i++) {
        const rp_graph_address *a = &b->graph->addresses[n->first_address + i];
        put(b, RP_SECTION_ADDRESSES,
            &(rp_plan_address){
                .node = next(b, RP_SECTION_NODES), .at = a->at, .use = a->use, .offset = a->offset},
            1);
    }
    if (to.byte_count) put(b, RP_SECTION_BYTES, b->graph->bytes + n->first_byte, to.byte_count);
    put(b, RP_SECTION_NODES, &to, 1);
}

static void put_nodes_and_groups(builder *b) {
    const rp_graph *g = b->graph;
    for (uint32_t i = 0; i < g->nodes_count; i++) put_node(b, &g->nodes[i]);
    for (uint32_t group = 0, at = 0; group < g->group_count; group++) {
        uint32_t first = at;
        while (at < g->nodes_count && g->nodes[at].group == group) at++;
        put(b, RP_SECTION_GROUPS, &(rp_plan_group){first, at - first}, 1);
    }
    for (uint32_t i = 0; i < g->barriers_count; i++)
        put(b, RP_SECTION_BARRIERS, &g->barriers[i], 1);
    for (uint32_t i = 0; i < g->tagged_barriers_count; i++)
        put(b, RP_SECTION_TAGGED_BARRIERS, &g->tagged_barriers[i], 1);
}

/* A section's bytes are a text already; its terminator belongs to it. The room is a guess: a node
 * takes that much with its barrier, and a text that grows is copied again and again. */
static rp_status put_text(builder *b, rp_section section, const rp_graph *graph,
                          const rp_graph_stats *stats) {
    enum { NODE_BYTES = 240, DECLARATION_BYTES = 40 };
    uint64_t declarations = (uint64_t)graph->buffers_count + graph->kernels_count;
    rp_text_reserve(&b->sections[section],
                    graph->nodes_count * (uint64_t)NODE_BYTES + declarations * DECLARATION_BYTES);
    RP_TRY(rp_graph_print_text(graph, stats, &b->sections[section]));
    put(b, section, "", 1);
    return RP_OK;
}

static rp_status put_graph(builder *b) {
    b->stats.size = sizeof b->stats;
    RP_TRY(rp_graph_get_stats(b->graph, &b->stats));
    rp_plan_graph to = {.name = put_string(b, b->graph->name),
                        .barrier_count = b->stats.barriers,
                        .barrier_bound = b->stats.barrier_bound,
                        .dispatch_count = b->stats.dispatches,
                        .arena_bytes = b->stats.arena_bytes,
                        .arena_bound_bytes = b->stats.arena_bound_bytes};
    put(b, RP_SECTION_GRAPH, &to, 1);
    return RP_OK;
}

static rp_status find_sources(builder *b) {
    const rp_graph *g = b->graph;
    bool fused = false;
    for (uint32_t i = 0; i < g->nodes_count && !fused; i++) fused = g->nodes[i].member_count > 1;
    for (uint32_t i = 0; fused && i < b->source->nodes_count; i++)
        if (!rp_table_set(&g->allocator, &b->by_id, b->source->nodes[i].id, i))
            return RP_ERROR_NO_MEMORY;
    return RP_OK;
}

/* Room for the records that there will be, as far as it is known: what grows is copied again and again.
 * Where there is none, appending says so. */
static void reserve(builder *b) {
    const rp_graph *g = b->graph;
    const struct {
        rp_section section;
        uint32_t count;
    } counts[] = {{RP_SECTION_BUFFERS, g->buffers_count}, {RP_SECTION_KERNELS, g->kernels_count},
                  {RP_SECTION_NODES, g->nodes_count},     {RP_SECTION_USES, g->uses_count},
                  {RP_SECTION_WORDS, g->words_count},     {RP_SECTION_BYTES, g->bytes_count},
                  {RP_SECTION_GROUPS, g->group_count},    {RP_SECTION_BARRIERS, g->barriers_count}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        rp_text_reserve(&b->sections[counts[i].section],
                        (uint64_t)counts[i].count * strides[counts[i].section]);
}

static rp_status fill_sections(builder *b, const rp_certificate *certificate) {
    RP_TRY(find_sources(b));
    reserve(b);
    RP_TRY(put_graph(b));
    RP_TRY(put_buffers(b));
    put_kernels(b);
    put_samplers(b);
    put_nodes_and_groups(b);
    RP_TRY(put_text(b, RP_SECTION_TEXT, b->graph, &b->stats));
    RP_TRY(put_text(b, RP_SECTION_SOURCE_TEXT, b->source, NULL));
    put(b, RP_SECTION_CERTIFICATE, certificate, 1);
    return RP_OK;
}

/* The offsets of all sections; returns the file's size, 0 without memory for one of them. */
static uint64_t lay_out(const builder *b, rp_plan_section table[RP_SECTION_COUNT]) {
    uint64_t end = sizeof(rp_plan_header) + RP_SECTION_COUNT * sizeof(rp_plan_section);
    for (uint32_t i = 0; i < RP_SECTION_COUNT; i++) {
        if (b->sections[i].failed) return 0;
        table[i] = (rp_plan_section){
            .code = i, .stride = strides[i], .offset = end, .count = next(b, (rp_section)i)};
        end = (end + b->sections[i].size + 7) & ~UINT64_C(7);
    }
    return end;
}

/* All sections behind their table, in one block. */
static rp_status join(const builder *b, uint8_t **out_data, uint64_t *out_size) {
    rp_plan_section table[RP_SECTION_COUNT];
    uint64_t size = lay_out(b, table);
    uint8_t *data = size ? rp_alloc(&b->graph->allocator, size, 1) : NULL;
    if (!data) return RP_ERROR_NO_MEMORY;
    rp_plan_header header = {
        .version = RP_PLAN_VERSION, .section_count = RP_SECTION_COUNT, .file_size = size};
    memcpy(header.magic, RP_PLAN_MAGIC, sizeof header.magic);
    memcpy(data, &header, sizeof header);
    memcpy(data + sizeof header, table, sizeof table);
    for (uint32_t i = 0; i < RP_SECTION_COUNT; i++) {
        uint64_t bytes = b->sections[i].size, end = table[i].offset + bytes;
        if (bytes) memcpy(data + table[i].offset, b->sections[i].data, bytes);
        memset(data + end, 0, ((end + 7) & ~UINT64_C(7)) - end);
    }
    *out_data = data;
    *out_size = size;
    return RP_OK;
}

/* ---- What is wrong with a kernel ------------------------------------------------------------- */

static rp_status scan_kernel(const builder *b, rp_spirv_reader *spirv, const rp_graph_kernel *k) {
    if (k->removed || k->word_count == 0) return RP_OK;
    const char *name = rp_graph_string(b->graph, k->name);
    char why[128];
    rp_status status = rp_spirv_read(spirv, b->graph->words + k->first_word, k->word_count,
                                     rp_graph_string(b->graph, k->entry), NULL, 0, why);
    if (status == RP_ERROR_DAMAGED) {
        rp_diags_add(b->diags, RP_ERROR, NULL, k->pos.line, k->pos.column, "kernel @%s: %s", name,
                     why);
        return RP_ERROR_INVALID;
    }
    RP_TRY(status);
    if (!*spirv->unsupported) return RP_OK;
    rp_diags_add(b->diags, RP_ERROR, NULL, k->pos.line, k->pos.column,
                 "kernel @%s needs %s, which plans cannot serve: kernels work on storage and "
                 "uniform buffers",
                 name, spirv->unsupported);
    return RP_ERROR_UNSUPPORTED;
}

/* Reports every kernel that cannot be part of a plan. */
static rp_status scan_kernels(const builder *b) {
    rp_spirv_reader spirv;
    rp_status status = RP_OK;
    rp_spirv_reader_init(&spirv, &b->graph->allocator);
    for (uint32_t i = 0; i < b->graph->kernels_count && status != RP_ERROR_NO_MEMORY; i++) {
        rp_status one = scan_kernel(b, &spirv, &b->graph->kernels[i]);
        if (status == RP_OK || one == RP_ERROR_NO_MEMORY) status = one;
    }
    rp_spirv_reader_free(&spirv);
    return status;
}

/* ---- The plan -------------------------------------------------------------------------------- */

static rp_status make_plan(const builder *b, rp_plan **out_plan) {
    const rp_allocator *a = &b->graph->allocator;
    const char *name = rp_graph_string(b->graph, b->graph->name);
    uint8_t *data = NULL;
    uint64_t size = 0;
    RP_TRY(join(b, &data, &size));
    rp_plan plan = {.allocator = *a, .file = data, .file_size = size, .data = data, .size = size};
    rp_status status = rp_plan_seal(&plan, name, NULL);
    if (status == RP_ERROR_DAMAGED) {
        status = scan_kernels(b);
        if (status == RP_OK) status = rp_plan_seal(&plan, name, b->diags);
    }
    if (status == RP_OK && !(*out_plan = rp_plan_keep(&plan))) status = RP_ERROR_NO_MEMORY;
    if (status != RP_OK) rp_release(a, data);
    return status;
}

static bool has_ops(const rp_graph *g, rp_diags *diags) {
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        if (n->kind != RP_OP) continue;
        rp_diags_add(diags, RP_ERROR, NULL, n->pos.line, n->pos.column,
                     "a plan cannot be built: n%u is an op, not a kernel: pass lower has not run",
                     n->id);
        return true;
    }
    return false;
}

static bool is_for(const rp_certificate *certificate, const rp_graph *compiled,
                   const rp_graph *source, const char **what) {
    if (certificate->compiled_hash != rp_graph_hash(compiled))
        *what = "the certificate is for another compiled graph: check this one";
    else if (certificate->source_hash != rp_graph_hash(source))
        *what = "the certificate is for another source graph: check against this one";
    return !*what;
}

/* What the caller must have done before. */
static rp_status check_call(const rp_graph *compiled, const rp_graph *source,
                            const rp_certificate *certificate, bool proven, rp_diags *diags) {
    const char *what = NULL;
    if (!compiled || !source || !certificate)
        what = "a graph or the certificate is NULL";
    else if (!(compiled->stages & RP_STAGE_SCHEDULED))
        what = "the graph is not scheduled: run the passes schedule, place and sync first";
    else if (!(compiled->stages & RP_STAGE_PLACED))
        what = "the graph is not placed: run the passes place and sync first";
    else if (!(compiled->stages & RP_STAGE_SYNCED))
        what = "the graph has no barriers: run the pass sync first";
    if (!what && (proven || is_for(certificate, compiled, source, &what)))
        return has_ops(compiled, diags) ? RP_ERROR_USAGE : RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "a plan cannot be built: %s", what);
    return RP_ERROR_USAGE;
}

/* Sizes that no device has, and that would overflow when added up. */
static rp_status check_sizes(const rp_graph *g, rp_diags *diags) {
    uint64_t total = 0;
    bool fits = g->arena_bytes <= RP_PLAN_MAX_BYTES;
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        if (b->removed || b->kind == RP_TMP) continue;
        fits = fits && rp_add_u64(total, b->size, &total) && total <= RP_PLAN_MAX_BYTES;
    }
    if (fits) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "the buffers of graph %s add up to more than 2^62 bytes",
                 rp_graph_string(g, g->name));
    return RP_ERROR_INVALID;
}

static uint32_t *make_map(const rp_graph *g, uint32_t count) {
    uint32_t *map = rp_alloc(&g->allocator, count, sizeof *map);
    if (map) memset(map, 0xff, (size_t)count * sizeof *map);
    return map;
}

static rp_status build(const rp_graph *compiled, const rp_graph *source,
                       const rp_certificate *certificate, rp_diags *diags, rp_plan **out_plan) {
    RP_TRY(rp_graph_verify_again(compiled, diags));
    RP_TRY(check_sizes(compiled, diags));
    builder b = {.graph = compiled, .source = source, .diags = diags};
    for (int i = 0; i < RP_SECTION_COUNT; i++) rp_text_init(&b.sections[i], &compiled->allocator);
    b.strings = make_map(compiled, compiled->strings_count);
    b.of_source = make_map(compiled, source->strings_count);
    b.buffers = make_map(compiled, compiled->buffers_count);
    b.kernels = make_map(compiled, compiled->kernels_count);
    rp_status status = RP_ERROR_NO_MEMORY;
    if (b.strings && b.of_source && b.buffers && b.kernels) status = fill_sections(&b, certificate);
    if (status == RP_OK) status = make_plan(&b, out_plan);
    for (int i = 0; i < RP_SECTION_COUNT; i++) rp_text_free(&b.sections[i]);
    rp_table_free(&compiled->allocator, &b.by_id);
    rp_release(&compiled->allocator, b.strings);
    rp_release(&compiled->allocator, b.of_source);
    rp_release(&compiled->allocator, b.buffers);
    rp_release(&compiled->allocator, b.kernels);
    return status;
}

rp_status rp_plan_build_proven(const rp_graph *compiled, const rp_graph *source,
                               const rp_certificate *certificate, rp_diags *diags,
                               rp_plan **out_plan) {
    *out_plan = NULL;
    RP_TRY(check_call(compiled, source, certificate, true, diags));
    return build(compiled, source, certificate, diags, out_plan);
}

rp_status rp_plan_build(const rp_graph *compiled, const rp_graph *source,
                        const rp_certificate *certificate, rp_diags *diags, rp_plan **out_plan) {
    if (!out_plan) return RP_ERROR_USAGE;
    *out_plan = NULL;
    RP_TRY(check_call(compiled, source, certificate, false, diags));
    return build(compiled, source, certificate, diags, out_plan);
}
