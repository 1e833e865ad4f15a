/* The section `kernels`: compiles and reflects each shader once, and sets specialisation constants.
 *
 * All kernels are read, then all are built, at once where there are cores for it, then all are
 * entered. Whatever is wrong with one is reported when its turn to be entered comes: messages are
 * in the order of the file. Constants may be named, and their values are typed by the shader, so a
 * kernel is built first and specialised afterwards. A kernel that does not build is entered with
 * RP_NONE: nodes that run it stay silent. Kernels are built even when no node runs them: a mistake
 * in a shader should not wait for its first use. */
#include "yaml/pipeline.h"

#include <stdio.h>

enum { NOT_READ = RP_ERROR_USAGE }; /* of a job: what is wrong with it has been said */

/* ---- Specialisation constants ---------------------------------------------------------------- */

static const rp_kernel_constant *find_constant(const rp_kernel_module *module,
                                               const rp_yaml_node *key) {
    bool number = key->length && key->length < 10 && !key->text[strspn(key->text, "0123456789")];
    uint32_t id = 0;
    for (const char *c = key->text; number && *c; c++) id = id * 10 + (uint32_t)(*c - '0');
    for (uint32_t i = 0; i < module->constant_count; i++) {
        const rp_kernel_constant *constant = &module->constants[i];
        if (number ? constant->id == id : strcmp(constant->name, key->text) == 0) return constant;
    }
    return NULL;
}

static void list_constants(const rp_kernel_module *module, rp_name_list *list) {
    for (uint32_t i = 0; i < module->constant_count; i++) {
        const rp_kernel_constant *c = &module->constants[i];
        rp_list_add(list, "%u%s%.40s", c->id, c->name[0] ? " = " : "", c->name);
    }
}

static bool read_spec_value(rp_reader *r, const rp_yaml_node *node, rp_scalar scalar,
                            rp_wide_constant *out) {
    uint8_t bytes[8] = {0};
    out->bytes = rp_scalar_bytes(scalar);
    if (out->bytes == 0) return rp_read_error(r, node, "this constant cannot be set");
    if (!rp_read_number(r, node, rp_scalar_dtype(scalar), bytes)) return false;
    memcpy(&out->value, bytes, sizeof out->value); /* little-endian */
    return true;
}

static bool specialise(rp_reader *r, const rp_yaml_node *node, rp_kernel_module *module) {
    if (!node) return true;
    if (!rp_read_map(r, node, "'spec'", NULL)) return false;
    if (node->count > RP_MAX_PARAMS)
        return rp_read_error(r, node, "more than %d specialisation constants", RP_MAX_PARAMS);
    rp_wide_constant specs[RP_MAX_PARAMS];
    bool good = true;
    for (uint32_t i = 0; i < node->count; i++) {
        const rp_yaml_node *key = rp_yaml_key(node, i);
        const rp_kernel_constant *constant = find_constant(module, key);
        if (!constant) {
            rp_name_list list = {0};
            list_constants(module, &list);
            good = rp_read_error(r, key, "the kernel has no specialisation constant '%.*s' (%s%s)",
                                 RP_CLIP(key), list.length ? "it has " : "it has none", list.text);
            continue;
        }
        specs[i].id = constant->id;
        for (uint32_t j = 0; good && j < i; j++) /* by id and by name */
            if (specs[j].id == specs[i].id)
                good = rp_read_error(r, key, "specialisation constant %u is given twice",
                                     constant->id);
        good &= read_spec_value(r, rp_yaml_value(node, i), constant->scalar, &specs[i]);
    }
    if (!good) return false;
    rp_status status = rp_kernel_specialise(module, specs, node->count, r->diags,
                                            rp_read_file(r, node), node->line, node->column);
    if (status == RP_ERROR_NO_MEMORY) return rp_read_no_memory(r);
    r->failed |= status != RP_OK;
    return status == RP_OK;
}

/* ---- Kernels --------------------------------------------------------------------------------- */

/* What becomes of one key of the section. */
typedef struct item {
    const rp_yaml_node *key, *node;
    rp_shader_text shader;
} item;

/* Reads what a job needs; its mistakes wait in its own list for the job's turn. */
static void prepare(rp_reader *r, item *x, rp_kernel_job *job) {
    rp_diags *diags = r->diags;
    job->diags = rp_diags_create(&r->a);
    if (!job->diags) {
        rp_read_no_memory(r);
        return;
    }
    r->diags = job->diags;
    job->status = rp_read_shader(r, x->key, x->node, &x->shader, &job->params) ? RP_OK : NOT_READ;
    r->diags = diags;
    const rp_yaml_node *source = x->shader.source;
    if (source)
        job->place = (rp_kernel_place){rp_read_file(r, source), source->line, source->column};
}

static void forward(rp_diags *from, rp_diags *to) {
    for (uint32_t i = 0; i < rp_diags_count(from); i++) {
        rp_diag d = rp_diags_get(from, i);
        rp_diags_add(to, d.severity, d.file, d.line, d.column, "%s", d.message);
    }
}

/* Moves the module into the graph and the reader. */
static bool keep_module(rp_reader *r, item *x, rp_kernel_module *module, uint32_t *index) {
    if (!specialise(r, rp_yaml_find(x->node, "spec"), module)) return false;
    if (!RP_RESERVE(&r->a, r->modules, r->module_count, r->module_capacity, 1))
        return rp_read_no_memory(r);
    *index = rp_kernel_add(r->graph, module, rp_read_pos(x->key));
    if (*index == RP_NONE) return rp_read_no_memory(r);
    r->modules[r->module_count++] = *module;
    *module = (rp_kernel_module){0};
    rp_pipeline *p = r->pipeline;
    if (!RP_RESERVE(&r->a, p->files, p->files_count, p->files_capacity, 2))
        return rp_read_no_memory(r);
    p->files[p->files_count++] = x->shader.path;
    x->shader.path = NULL;
    if (x->shader.prelude_path) p->files[p->files_count++] = x->shader.prelude_path;
    x->shader.prelude_path = NULL;
    return true;
}

/* Reports what a job found, and enters its kernel. */
static void take(rp_reader *r, item *x, rp_kernel_job *job) {
    rp_name name = {x->key->text, x->key, RP_NONE};
    const rp_name *other = rp_names_find(&r->kernel_names, x->key->text, x->key->length);
    if (other) { /* two repetitions, or two files: a map has a key once */
        rp_read_error(r, x->key, "kernel '%s' is defined at line %u already", x->key->text,
                      other->node->line);
        return;
    }
    forward(job->diags, r->diags);
    if (job->status == RP_ERROR_NO_MEMORY) {
        rp_read_no_memory(r);
        return;
    }
    if (job->status == RP_OK) {
        keep_module(r, x, &job->module, &name.value);
    } else if (job->status == RP_ERROR_INVALID) {
        /* The errors name the shader's lines; several kernels may share a shader. */
        const rp_yaml_node *source = x->shader.source;
        if (job->params.glsl)
            rp_diags_add(r->diags, RP_NOTE, rp_read_file(r, source), source->line, source->column,
                         "kernel '%s' is built from this file", x->key->text);
        r->failed = true;
    }
    if (!r->no_memory && !rp_names_add(&r->a, &r->kernel_names, &name)) rp_read_no_memory(r);
}

static void release(rp_reader *r, item *x, rp_kernel_job *job) {
    rp_free_shader(r, &x->shader);
    rp_diags_destroy(job->diags);
    rp_kernel_free(&job->module);
}

static void tell(void *user, uint32_t done, uint32_t total) {
    const rp_pipeline_source *source = ((const rp_reader *)user)->source;
    source->progress(source->progress_user, "kernels compiled", done, total);
}

bool rp_read_kernels(rp_reader *r, const rp_yaml_node *node) {
    if (!rp_read_map(r, node, "'kernels'", NULL)) {
        r->kernel_names.broken = true;
        return false;
    }
    uint32_t count = node->count;
    item *items = rp_alloc_zero(&r->a, count, sizeof *items);
    rp_kernel_job *jobs = rp_alloc_zero(&r->a, count, sizeof *jobs);
    if (!items || !jobs) rp_read_no_memory(r);
    uint32_t prepared = 0;
    for (; prepared < count && !r->no_memory; prepared++) {
        item *x = &items[prepared];
        *x = (item){.key = rp_yaml_key(node, prepared), .node = rp_yaml_value(node, prepared)};
        rp_text_init(&x->shader.defines, &r->a);
        prepare(r, x, &jobs[prepared]);
    }
    if (!r->no_memory)
        rp_kernel_build_all(&r->a, jobs, count, r->source->progress ? tell : NULL, r);
    for (uint32_t i = 0; i < count && !r->no_memory; i++) take(r, &items[i], &jobs[i]);
    for (uint32_t i = 0; i < prepared; i++) release(r, &items[i], &jobs[i]);
    rp_release(&r->a, items);
    rp_release(&r->a, jobs);
    return !r->failed;
}
