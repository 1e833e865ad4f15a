/* YAML pipelines: the public functions and the order of work.
 *
 * Sections are read in the order in which they depend on one another, whatever their order in the
 * file: params, blocks, live, buffers, kernels, nodes; the last four without repetitions,
 * conditions and uses of blocks, which expand.c resolves as soon as what they name is known. Each
 * goes on after a mistake, so that one run reports all of them; what depends on a broken definition
 * stays silent. Only a graph without mistakes is verified, by the same rules as every graph, with
 * positions that point into the YAML: the checks here are those that can point closer, at the very
 * value.
 *
 * Cost: linear in the text and in the graph; compiling the shaders is most of it. */
#include "yaml/expand.h"

#include "base/sized.h"

static bool read_version(rp_reader *r, const rp_yaml_node *root) {
    const rp_yaml_node *node = rp_yaml_find(root, "reprise");
    if (!node) return rp_read_error(r, root, "'reprise: 1' is missing: is this a pipeline?");
    if (rp_yaml_is(node, "1")) return true;
    bool text = node->kind == RP_YAML_SCALAR && !rp_yaml_is_null(node);
    const char *given = text ? node->text : rp_yaml_kind_name(node);
    return rp_read_error(r, node, "version %.60s of the format: this version of Reprise reads 1",
                         given);
}

static bool create_graph(rp_reader *r, const rp_yaml_node *root) {
    const rp_yaml_node *name = rp_yaml_find(root, "name");
    if (name && !rp_read_name(r, name, "name")) name = NULL;
    r->graph = rp_graph_create(&r->a, name ? name->text : "pipeline");
    r->pipeline->graph = r->graph;
    if (!r->graph) return rp_read_no_memory(r);
    rp_graph_set_target(r->graph, r->source->target);
    return true;
}

static void no_nodes(rp_reader *r, const rp_yaml_node *root) {
    const rp_yaml_node *node = rp_yaml_find(root, "nodes");
    rp_read_error(r, node ? node : root, "'nodes' is %s: a pipeline without work",
                  node ? "empty" : "missing");
}

static void read_sections(rp_reader *r, const rp_yaml_node *root, const rp_param_value *params,
                          uint32_t param_count) {
    static const char *const keys[] = {"reprise", "name",     "include", "params", "blocks", "live",
                                       "buffers", "samplers", "kernels", "nodes",  NULL};
    rp_read_map(r, root, "a pipeline", keys);
    if (root->kind != RP_YAML_MAP || !read_version(r, root) || !create_graph(r, root)) return;
    rp_sections all, flat = {0};
    rp_read_includes(r, root, &all);
    const struct section {
        const char *name;
        const rp_yaml_node *node;
        const rp_yaml_node **flat;
        bool (*read)(rp_reader *, const rp_yaml_node *);
    } sections[] = {{"live", all.live, &flat.live, rp_read_live},
                    {"buffers", all.buffers, &flat.buffers, rp_read_buffers},
                    {"samplers", all.samplers, &flat.samplers, rp_read_samplers},
                    {"kernels", all.kernels, &flat.kernels, rp_read_kernels},
                    {"nodes", all.nodes, &flat.nodes, rp_read_nodes}};
    if (r->no_memory) return;
    rp_read_params(r, all.params, params, param_count);
    if (all.blocks && !r->no_memory) rp_read_blocks(r, all.blocks);
    for (uint32_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (r->no_memory || r->expansion.full) return;
        const rp_yaml_node *node = sections[i].node;
        if (node) node = rp_expand(r, node, sections[i].name);
        *sections[i].flat = node;
        if (sections[i].read == rp_read_nodes) rp_read_live_blocks(r);
        if (node)
            sections[i].read(r, node);
        else if (!all.nodes && sections[i].read == rp_read_nodes)
            no_nodes(r, root);
    }
    if (r->source->keep_flat && !r->failed && !r->no_memory) rp_flat_print(r, root, &flat);
}

/* Buffer names still point into the YAML text, which goes away. The graph's own strings stay where
 * they are from here on. */
static void keep_names(rp_reader *r) {
    rp_pipeline *p = r->pipeline;
    for (uint32_t i = 0; i < p->data_count; i++) {
        const char *name = p->data[i].buffer;
        const rp_name *found = rp_names_find(&r->buffer_names, name, strlen(name));
        p->data[i].buffer = rp_graph_string(p->graph, p->graph->buffers[found->value].name);
    }
}

static rp_status finish(rp_reader *r) {
    if (r->no_memory) return RP_ERROR_NO_MEMORY;
    if (r->failed) return RP_ERROR_INVALID;
    RP_TRY(rp_graph_verify(r->graph, r->file, r->diags));
    if (!rp_check_ranges(r)) return RP_ERROR_INVALID;
    rp_graph_drop_idle(r->graph);
    keep_names(r);
    return RP_OK;
}

static void free_reader(rp_reader *r) {
    rp_release(&r->a, r->params);
    rp_release(&r->a, r->blocks);
    for (uint32_t i = 0; i < r->included_count; i++) rp_yaml_destroy(r->included[i]);
    rp_release(&r->a, r->included);
    rp_table_free(&r->a, &r->reported);
    rp_release(&r->a, r->notes);
    rp_release(&r->a, r->waiting);
    rp_table_free(&r->a, &r->note_table);
    rp_names_free(&r->a, &r->block_names);
    rp_names_free(&r->a, &r->index_names);
    for (uint32_t i = 0; i < r->module_count; i++) rp_kernel_free(&r->modules[i]);
    rp_release(&r->a, r->modules);
    for (uint32_t i = 0; i < r->kept_count; i++) rp_release(&r->a, r->kept[i]);
    rp_release(&r->a, r->kept);
    rp_release(&r->a, r->range_nodes);
    rp_table_free(&r->a, &r->push_blocks.table);
    rp_names_free(&r->a, &r->param_names);
    rp_names_free(&r->a, &r->buffer_names);
    rp_names_free(&r->a, &r->kernel_names);
    rp_names_free(&r->a, &r->sampler_names);
}

/* Reads the text for one form: a smaller one, or with `limits` NULL the largest, and then the ranges, which are the
 * caller's. */
static rp_status read_form(const rp_allocator *a, const rp_pipeline_source *source,
                           const char *text, size_t size, const rp_form_limits *limits,
                           rp_diags *diags, rp_pipeline **out_pipeline, rp_size_ranges **out_ranges,
                           uint32_t *out_count) {
    rp_reader r = {
        .a = *a, .diags = diags, .file = source->path, .source = source, .limits = limits};
    *out_ranges = NULL;
    *out_count = 0;
    r.pipeline = rp_alloc_zero(&r.a, 1, sizeof *r.pipeline);
    if (!r.pipeline) return RP_ERROR_NO_MEMORY;
    r.pipeline->allocator = r.a;
    rp_yaml *yaml = NULL;
    rp_status status = rp_yaml_parse(&r.a, text, size, source->path, diags, &yaml);
    if (status == RP_OK) {
        read_sections(&r, rp_yaml_root(yaml), source->params, source->param_count);
        status = finish(&r);
    }
    free_reader(&r);
    rp_yaml_destroy(yaml);
    *out_ranges = r.ranges;
    *out_count = r.ranges_count;
    if (status == RP_OK)
        *out_pipeline = r.pipeline;
    else
        rp_pipeline_destroy(r.pipeline);
    return status;
}

/* What was said of a form that cannot be is passed on, with which one it is; warnings were said of the largest. */
static void pass_on(rp_diags *from, const rp_graph *graph, const rp_form_limits *limits,
                    rp_diags *to) {
    char title[256];
    for (uint32_t i = 0; i < rp_diags_count(from); i++) {
        rp_diag d = rp_diags_get(from, i);
        rp_diags_add(to, d.severity, d.file, d.line, d.column, "%s", d.message);
    }
    rp_forms_title(graph, limits->ranges, limits->count, limits->form, title, sizeof title);
    rp_diags_add(to, RP_NOTE, NULL, 0, 0, "that is in the form for %s", title);
}

static rp_status read_forms(const rp_allocator *a, const rp_pipeline_source *source,
                            const char *text, size_t size, const rp_size_ranges *ranges,
                            uint32_t count, rp_diags *diags, rp_pipeline *out) {
    rp_pipeline_source again = *source;
    again.keep_flat = 0;
    rp_status status = RP_OK;
    for (uint32_t i = 0; i + 1 < rp_forms_count(ranges, count) && status == RP_OK; i++) {
        const rp_form_limits limits = {ranges, count, i};
        rp_pipeline *form = NULL;
        rp_size_ranges *none;
        uint32_t none_count;
        rp_diags *own = diags ? rp_diags_create(a) : NULL;
        if (diags && !own) return RP_ERROR_NO_MEMORY;
        status = read_form(a, &again, text, size, &limits, own, &form, &none, &none_count);
        if (status == RP_OK) {
            out->forms[out->forms_count++] = form->graph;
            form->graph = NULL;
        } else {
            pass_on(own, out->graph, &limits, diags);
        }
        rp_pipeline_destroy(form);
        rp_diags_destroy(own);
    }
    return status;
}

static rp_status read_text(const rp_allocator *a, const rp_pipeline_source *source,
                           const char *text, size_t size, rp_diags *diags,
                           rp_pipeline **out_pipeline) {
    rp_pipeline *pipeline = NULL;
    rp_size_ranges *ranges;
    uint32_t count;
    rp_status status = read_form(a, source, text, size, NULL, diags, &pipeline, &ranges, &count);
    if (status == RP_OK) status = read_forms(a, source, text, size, ranges, count, diags, pipeline);
    if (status == RP_OK) {
        pipeline->ranges = ranges;
        pipeline->ranges_count = count;
        *out_pipeline = pipeline;
        return RP_OK;
    }
    rp_release(a, ranges);
    rp_pipeline_destroy(pipeline);
    return status;
}

rp_status rp_pipeline_read(const rp_allocator *allocator, const rp_pipeline_source *given,
                           rp_diags *diags, rp_pipeline **out_pipeline) {
    if (!out_pipeline) return RP_ERROR_USAGE;
    *out_pipeline = NULL;
    rp_pipeline_source own;
    const rp_pipeline_source *source = &own;
    if (!given) return RP_ERROR_USAGE;
    if (!rp_sized_take(given, &own, sizeof own))
        return rp_sized_refuse(diags, "rp_pipeline_source");
    rp_target target;
    if (!rp_target_take(own.target, &target)) return rp_sized_refuse(diags, "rp_target");
    if ((!source->path && !source->text) || (!source->text && source->text_size) ||
        (!source->params && source->param_count) ||
        (!source->include_folders && source->include_folder_count))
        return RP_ERROR_USAGE;
    for (uint32_t i = 0; i < source->include_folder_count; i++)
        if (!source->include_folders[i] || !*source->include_folders[i]) return RP_ERROR_USAGE;
    rp_allocator a = rp_allocator_or_default(allocator);
    if (source->text)
        return read_text(&a, source, source->text, source->text_size, diags, out_pipeline);
    char *text, why[256];
    uint32_t size;
    rp_status status = rp_file_read(&a, source->path, RP_YAML_MAX_BYTES, &text, &size, why);
    if (status == RP_ERROR_IO)
        rp_diags_add(diags, RP_ERROR, source->path, 0, 0, "cannot read the file: %s", why);
    if (status != RP_OK) return status;
    status = read_text(&a, source, text, size, diags, out_pipeline);
    rp_release(&a, text);
    return status;
}

rp_status rp_pipeline_parse(const rp_allocator *allocator, const char *text, size_t size,
                            const char *path, const rp_param_value *params, uint32_t param_count,
                            rp_diags *diags, rp_pipeline **out_pipeline) {
    if (!text && size) {
        if (out_pipeline) *out_pipeline = NULL;
        return RP_ERROR_USAGE;
    }
    const rp_pipeline_source source = {.size = sizeof source,
                                       .path = path,
                                       .text = text ? text : "",
                                       .text_size = size,
                                       .params = params,
                                       .param_count = param_count};
    return rp_pipeline_read(allocator, &source, diags, out_pipeline);
}

rp_status rp_pipeline_load(const rp_allocator *allocator, const char *path,
                           const rp_param_value *params, uint32_t param_count, rp_diags *diags,
                           rp_pipeline **out_pipeline) {
    const rp_pipeline_source source = {
        .size = sizeof source, .path = path, .params = params, .param_count = param_count};
    return rp_pipeline_read(allocator, &source, diags, out_pipeline);
}

void rp_pipeline_destroy(rp_pipeline *pipeline) {
    if (!pipeline) return;
    rp_allocator a = pipeline->allocator;
    for (uint32_t i = 0; i < pipeline->data_count; i++) {
        rp_release(&a, (void *)pipeline->data[i].path);
        rp_release(&a, (void *)pipeline->data[i].tensor);
    }
    rp_release(&a, pipeline->data);
    for (uint32_t i = 0; i < pipeline->files_count; i++) rp_release(&a, pipeline->files[i]);
    rp_release(&a, pipeline->files);
    rp_release(&a, pipeline->flat);
    rp_block_layout_free(&a, &pipeline->layouts);
    rp_release(&a, pipeline->live_blocks);
    rp_release(&a, pipeline->ranges);
    rp_graph_destroy(pipeline->graph);
    for (uint32_t i = 0; i < pipeline->forms_count; i++) rp_graph_destroy(pipeline->forms[i]);
    rp_release(&a, pipeline);
}

rp_status rp_pipeline_form_title(const rp_pipeline *pipeline, uint32_t index, char *text,
                                 size_t size) {
    if (index >= rp_pipeline_form_count(pipeline) || !text || !size) return RP_ERROR_USAGE;
    rp_forms_title(pipeline->graph, pipeline->ranges, pipeline->ranges_count, index, text, size);
    return RP_OK;
}

uint32_t rp_pipeline_form_count(const rp_pipeline *pipeline) {
    return pipeline ? pipeline->forms_count + 1 : 0;
}

const rp_graph *rp_pipeline_form(const rp_pipeline *pipeline, uint32_t index) {
    if (index >= rp_pipeline_form_count(pipeline)) return NULL;
    return index < pipeline->forms_count ? pipeline->forms[index] : pipeline->graph;
}

const rp_graph *rp_pipeline_graph(const rp_pipeline *pipeline) {
    return pipeline ? pipeline->graph : NULL;
}

uint32_t rp_pipeline_data_count(const rp_pipeline *pipeline) {
    return pipeline ? pipeline->data_count : 0;
}

const rp_pipeline_data *rp_pipeline_get_data(const rp_pipeline *pipeline, uint32_t index) {
    return pipeline && index < pipeline->data_count ? &pipeline->data[index] : NULL;
}

uint32_t rp_pipeline_file_count(const rp_pipeline *pipeline) {
    return pipeline ? pipeline->files_count : 0;
}

const char *rp_pipeline_get_file(const rp_pipeline *pipeline, uint32_t index) {
    return pipeline && index < pipeline->files_count ? pipeline->files[index] : NULL;
}

const char *rp_pipeline_flat_text(const rp_pipeline *pipeline) {
    return pipeline ? pipeline->flat : NULL;
}
