/* Kernels: the steps from GLSL or SPIR-V to a module, specialisation, and the way into a graph.
 *
 * Specialisation constants are set by writing them into a copy of the words and reflecting that:
 * one way to find the workgroup size, array lengths and block sizes, with or without constants, and
 * the validator sees what the driver will make of them (an array of length 0 is caught here). The
 * words that are kept are those without: the driver specialises. */
#include "kernel/kernel.h"

#include <stdio.h>
#include "base/checked.h"
#include "base/hash.h"
#include "base/shape.h"
#include "base/text.h"
#include "kernel/spirv.h"

void rp_kernel_free(rp_kernel_module *module) {
    if (!module->allocator.resize) return;
    const rp_allocator *a = &module->allocator;
    rp_reflect_free(module);
    rp_release(a, module->name);
    rp_release(a, module->entry);
    rp_release(a, module->words);
    rp_release(a, module->interface);
    *module = (rp_kernel_module){0};
}

const char *rp_kernel_access_error(const rp_kernel_binding *binding, rp_access access) {
    if (binding->access == RP_SAMPLED)
        return access == RP_SAMPLED ? NULL : "the shader only samples it: expected s";
    if (binding->access == RP_UNIFORM)
        return access == RP_UNIFORM ? NULL
                                    : "the shader declares it as a uniform block: expected u";
    switch (access) {
    case RP_READ: return binding->writes ? "the shader writes it: expected w or rw" : NULL;
    case RP_WRITE:
        if (!binding->writes) return "the shader never writes it: expected r";
        return binding->reads ? "the shader reads it: expected rw" : NULL;
    case RP_READ_WRITE:
        return binding->writes || binding->access == RP_READ_WRITE
                   ? NULL
                   : "the shader never writes it: expected r";
    case RP_SAMPLED: return "the shader samples nothing there: expected r, w or rw";
    case RP_UNIFORM: return "the shader declares it as a storage block: expected r, w or rw";
    }
    return "not an access: expected r, w, rw or u";
}

/* ---- Building -------------------------------------------------------------------------------- */

static rp_status check_params(const rp_kernel_where *where, const rp_kernel_params *params) {
    if ((params->glsl != NULL) == (params->spirv != NULL))
        return rp_kernel_error(where, "expected either GLSL source or SPIR-V words%s",
                               params->glsl ? ", not both" : "");
    if (params->define_count > 0 && !params->defines)
        return rp_kernel_error(where, "%u defines are announced, but the list is NULL",
                               params->define_count);
    if (params->include_folder_count > 0 && !params->include_folders)
        return rp_kernel_error(where, "%u include folders are announced, but the list is NULL",
                               params->include_folder_count);
    for (uint32_t i = 0; i < params->include_folder_count; i++)
        if (!params->include_folders[i] || !*params->include_folders[i])
            return rp_kernel_error(where, "include folder %u is %s; expected a path", i,
                                   params->include_folders[i] ? "empty" : "NULL");
    if (params->spirv && params->define_count > 0)
        return rp_kernel_error(where,
                               "defines are for GLSL; SPIR-V takes specialisation constants");
    if (params->spirv && params->prelude)
        return rp_kernel_error(where, "a prelude is for GLSL; SPIR-V is compiled already");
    if (params->glsl && params->entry && strcmp(params->entry, "main") != 0)
        return rp_kernel_error(where, "the entry point of GLSL is 'main', not '%s'", params->entry);
    if (params->spirv && params->spirv_size % 4 != 0)
        return rp_kernel_error(where, "%zu bytes are not a whole number of 32-bit SPIR-V words",
                               params->spirv_size);
    if (params->spirv && params->spirv_size / 4 < RP_SPIRV_HEADER)
        return rp_kernel_error(where, "%zu bytes are too few for SPIR-V; its header alone has 20",
                               params->spirv_size);
    if (params->spirv && params->spirv_size / 4 > UINT32_MAX)
        return rp_kernel_error(where, "the SPIR-V is larger than 16 GiB");
    return RP_OK;
}

/* Arrays of bindings without a size, in words that are valid, get the size that is asked for. */
static rp_status size_arrays(const rp_kernel_where *where, const rp_kernel_params *params,
                             const rp_kernel_module *m, uint32_t **words, uint32_t *count) {
    if (!params->array_elements) return RP_OK;
    RP_TRY(rp_spirv_size_arrays(where->allocator, params->array_elements, words, count));
    return rp_spirv_validate(where, *words, *count, m->entry);
}

/* Validates words, and makes of them what everything later looks at. */
static rp_status take_valid(const rp_kernel_where *where, const rp_kernel_params *params,
                            const rp_kernel_module *m, uint32_t **words, uint32_t *count) {
    RP_TRY(rp_spirv_validate(where, *words, *count, m->entry));
    RP_TRY(size_arrays(where, params, m, words, count));
    return rp_matrices_to_khr(where, words, count);
}

/* The words that say what the author declared, validated. */
static rp_status take_interface(const rp_kernel_where *where, const rp_kernel_params *params,
                                rp_kernel_module *m) {
    if (params->glsl) {
        RP_TRY(rp_glsl_compile(where, params, RP_GLSL_PLAIN, &m->interface, &m->interface_count));
        return take_valid(where, params, m, &m->interface, &m->interface_count);
    }
    m->words = rp_dup(where->allocator, params->spirv, params->spirv_size);
    m->word_count = (uint32_t)(params->spirv_size / 4);
    if (!m->words) return RP_ERROR_NO_MEMORY;
    rp_spirv_forget_language(m->words, m->word_count);
    return take_valid(where, params, m, &m->words, &m->word_count);
}

/* The words that a driver gets. What optimised code does to a binding replaces what the unoptimised
 * code might do. */
static rp_status take_words(const rp_kernel_where *where, const rp_kernel_params *params,
                            rp_kernel_module *m) {
    if (params->glsl) {
        RP_TRY(rp_matrices_words(where->allocator, m->interface, m->interface_count, &m->words,
                                 &m->word_count));
        if (!m->words) {
            RP_TRY(rp_glsl_compile(where, params, RP_GLSL_OPTIMISED, &m->words, &m->word_count));
            if (m->words) {
                RP_TRY(rp_spirv_validate(where, m->words, m->word_count, m->entry));
                RP_TRY(size_arrays(where, params, m, &m->words, &m->word_count));
            } else {
                RP_TRY(rp_spirv_without_names(where->allocator, m->interface, m->interface_count,
                                              &m->words, &m->word_count));
            }
        }
        RP_TRY(rp_reflect_usage(where, m->words, m->word_count, m->entry, m));
    }
    m->hash = rp_hash(m->words, (size_t)m->word_count * 4);
    if (m->hash == 0) m->hash = 1; /* 0 marks abstract kernels */
    return RP_OK;
}

/* Reflects a module with the constants as they stand in `interface`; fills in all that depends on
 * them. */
static rp_status reflect(const rp_kernel_where *where, const rp_kernel_module *words,
                         const uint32_t *interface, uint32_t count, rp_kernel_module *out) {
    RP_TRY(rp_reflect(where, interface, count, words->entry, out));
    if (!words->interface || !words->words) return RP_OK;
    return rp_reflect_usage(where, words->words, words->word_count, words->entry, out);
}

/* The facts win over what is declared: the author is told. */
static void warn_of_contradictions(const rp_kernel_where *where, const rp_kernel_module *m) {
    for (uint32_t i = 0; i < m->binding_count; i++) {
        const rp_kernel_binding *b = &m->bindings[i];
        if (!b->used || !rp_kernel_contradicts(b)) continue;
        rp_kernel_warn(where,
                       "block '%s' (set %u, binding %u) is declared %s, but the code %s it: taken "
                       "as rw",
                       b->name, b->set, b->binding,
                       b->readonly && b->writes ? "readonly (NonWritable)"
                                                : "writeonly (NonReadable)",
                       b->readonly && b->writes ? "writes" : "reads");
    }
}

static rp_status check_specs(const rp_kernel_where *where, const rp_kernel_module *m,
                             const rp_wide_constant *specs, uint32_t count);

/* The constants of both lists, of which the first is of 32 bits. */
static rp_status gather_specs(const rp_kernel_where *where, const rp_kernel_params *params,
                              rp_wide_constant **out) {
    if ((params->spec_count && !params->spec) || (params->wide_count && !params->wide))
        return rp_kernel_error(where,
                               "%u specialisation constants are announced, but the list is NULL",
                               params->spec ? params->wide_count : params->spec_count);
    uint64_t count = (uint64_t)params->spec_count + params->wide_count;
    if (count > RP_MAX_PARAMS)
        return rp_kernel_error(where, "%llu specialisation constants, more than %d",
                               (unsigned long long)count, RP_MAX_PARAMS);
    *out = rp_alloc(where->allocator, (size_t)count, sizeof **out);
    if (!*out) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < params->spec_count; i++)
        (*out)[i] = (rp_wide_constant){params->spec[i].id, 4, params->spec[i].value};
    if (params->wide_count)
        memcpy(*out + params->spec_count, params->wide, params->wide_count * sizeof **out);
    return RP_OK;
}

static rp_status build_specialised(const rp_kernel_where *where, const rp_kernel_params *params,
                                   const rp_wide_constant *specs, uint32_t count,
                                   rp_kernel_module *m);

/* A kernel that is refused is refused before it is optimised, which takes most of the time. */
static rp_status build(const rp_kernel_where *where, const rp_kernel_params *params,
                       rp_kernel_module *m) {
    RP_TRY(check_params(where, params));
    const char *entry = params->entry ? params->entry : "main";
    m->name = rp_dup(where->allocator, where->kernel, strlen(where->kernel) + 1);
    m->entry = rp_dup(where->allocator, entry, strlen(entry) + 1);
    if (!m->name || !m->entry) return RP_ERROR_NO_MEMORY;
    RP_TRY(take_interface(where, params, m));
    rp_wide_constant *specs = NULL;
    RP_TRY(gather_specs(where, params, &specs));
    rp_status status =
        build_specialised(where, params, specs, params->spec_count + params->wide_count, m);
    rp_release(where->allocator, specs);
    return status;
}

static rp_status build_specialised(const rp_kernel_where *where, const rp_kernel_params *params,
                                   const rp_wide_constant *specs, uint32_t count,
                                   rp_kernel_module *m) {
    const uint32_t *interface = m->interface ? m->interface : m->words;
    RP_TRY(reflect(where, m, interface, m->interface ? m->interface_count : m->word_count, m));
    RP_TRY(check_specs(where, m, specs, count));
    RP_TRY(take_words(where, params, m));
    warn_of_contradictions(where, m);
    return rp_kernel_specialise(m, specs, count, where->diags, where->place.file, where->place.line,
                                where->place.column);
}

rp_status rp_kernel_build(const rp_allocator *allocator, const rp_kernel_params *params,
                          rp_diags *diags, const char *file, uint32_t line, uint32_t column,
                          rp_kernel_module *out) {
    *out = (rp_kernel_module){.allocator = rp_allocator_or_default(allocator)};
    rp_allocator a = out->allocator;
    rp_kernel_where where = {&a, diags, params->name ? params->name : "", {file, line, column}};
    rp_status status = build(&where, params, out);
    if (status != RP_OK) {
        rp_kernel_free(out);
        *out = (rp_kernel_module){0};
    }
    return status;
}

/* ---- Specialising ---------------------------------------------------------------------------- */

static rp_kernel_constant *find_constant(const rp_kernel_module *m, uint32_t id) {
    for (uint32_t i = 0; i < m->constant_count; i++)
        if (m->constants[i].id == id) return &m->constants[i];
    return NULL;
}

/* The ids a module has, for a message: "0, 3, 4". */
static void list_ids(const rp_kernel_module *m, char *text, size_t size) {
    size_t used = 0;
    snprintf(text, size, "none");
    for (uint32_t i = 0; i < m->constant_count && used + 16 < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%u", i ? ", " : "", m->constants[i].id);
}

/* The width of the value is that of the constant. */
static rp_status check_width(const rp_kernel_where *where, const rp_kernel_constant *constant,
                             const rp_wide_constant *spec) {
    uint32_t bytes = rp_scalar_bytes(constant->scalar);
    if (bytes == 0)
        return rp_kernel_error(where, "specialisation constant %u cannot be set", spec->id);
    const char *type = rp_dtype_name(rp_scalar_dtype(constant->scalar));
    if (spec->bytes != bytes)
        return rp_kernel_error(where,
                               "specialisation constant %u is %s, and its value has %u bytes: "
                               "expected %u%s",
                               spec->id, type, spec->bytes, bytes,
                               spec->bytes == 4 ? ", in the list `wide`" : "");
    if (!rp_constant_fits(bytes, spec->value))
        return rp_kernel_error(where, "specialisation constant %u is %s: %#llx has more bits",
                               spec->id, type, (unsigned long long)spec->value);
    return RP_OK;
}

static rp_status check_specs(const rp_kernel_where *where, const rp_kernel_module *m,
                             const rp_wide_constant *specs, uint32_t count) {
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < count; i++) {
        const rp_kernel_constant *constant = find_constant(m, specs[i].id);
        char ids[160];
        list_ids(m, ids, sizeof ids);
        if (!constant)
            status = rp_kernel_error(where, "there is no specialisation constant %u; it has %s",
                                     specs[i].id, ids);
        else if (check_width(where, constant, &specs[i]) != RP_OK)
            status = RP_ERROR_INVALID;
        for (uint32_t j = 0; j < i; j++)
            if (specs[j].id == specs[i].id)
                status = rp_kernel_error(where, "specialisation constant %u is given twice",
                                         specs[i].id);
    }
    return status;
}

/* Reflects `words`, a copy of the interface with the constants written into it, into `fresh`. */
static rp_status reflect_specialised(const rp_kernel_where *where, const rp_kernel_module *m,
                                     const rp_wide_constant *specs, uint32_t spec_count,
                                     uint32_t *words, uint32_t count, rp_kernel_module *fresh) {
    for (uint32_t i = 0; i < m->constant_count; i++)
        if (m->constants[i].specialised)
            rp_spirv_set_constant(words, count, m->constants[i].id, m->constants[i].scalar,
                                  m->constants[i].value);
    for (uint32_t i = 0; i < spec_count; i++) {
        const rp_kernel_constant *constant = find_constant(m, specs[i].id);
        uint64_t value = specs[i].value;
        if (constant->scalar == RP_SCALAR_BOOL) value = value != 0;
        if (rp_spirv_set_constant(words, count, specs[i].id, constant->scalar, value) == 0)
            return rp_kernel_error(where, "specialisation constant %u cannot be set", specs[i].id);
    }
    RP_TRY(rp_spirv_validate(where, words, count, m->entry));
    RP_TRY(reflect(where, m, words, count, fresh));
    if (fresh->empty_array)
        return rp_kernel_error(where,
                               "with these specialisation constants an array has a length below "
                               "1; expected at least 1");
    for (uint32_t i = 0; i < fresh->constant_count; i++) {
        const rp_kernel_constant *old = find_constant(m, fresh->constants[i].id);
        fresh->constants[i].specialised = old && old->specialised;
        for (uint32_t s = 0; s < spec_count; s++)
            if (specs[s].id == fresh->constants[i].id) fresh->constants[i].specialised = true;
    }
    return RP_OK;
}

/* Moves everything that reflection found from `fresh` to `m`. */
static void replace_interface(rp_kernel_module *m, rp_kernel_module *fresh) {
    rp_kernel_module old = *m;
    memcpy(m->local, fresh->local, sizeof m->local);
    m->shared_bytes = fresh->shared_bytes;
    m->empty_array = fresh->empty_array;
    m->addresses = fresh->addresses;
    m->push_bytes = fresh->push_bytes;
    m->push_used = fresh->push_used;
    m->bindings = fresh->bindings, m->binding_count = fresh->binding_count;
    m->push_words = fresh->push_words;
    m->push_layout = fresh->push_layout, m->no_push_layout = fresh->no_push_layout;
    m->layouts = fresh->layouts;
    m->constants = fresh->constants, m->constant_count = fresh->constant_count;
    rp_reflect_free(&old);
}

rp_status rp_kernel_specialise(rp_kernel_module *module, const rp_wide_constant *specs,
                               uint32_t count, rp_diags *diags, const char *file, uint32_t line,
                               uint32_t column) {
    if (count == 0) return RP_OK;
    rp_allocator a = module->allocator;
    rp_kernel_where where = {&a, diags, module->name, {file, line, column}};
    RP_TRY(check_specs(&where, module, specs, count));
    const uint32_t *from = module->interface ? module->interface : module->words;
    uint32_t word_count = module->interface ? module->interface_count : module->word_count;
    uint32_t *words = rp_dup(&a, from, (size_t)word_count * 4);
    if (!words) return RP_ERROR_NO_MEMORY;
    rp_kernel_module fresh = {.allocator = a};
    rp_status status = reflect_specialised(&where, module, specs, count, words, word_count, &fresh);
    rp_release(&a, words);
    if (status == RP_OK)
        replace_interface(module, &fresh);
    else
        rp_reflect_free(&fresh);
    return status;
}

/* ---- Into a graph ---------------------------------------------------------------------------- */

/* The index of a name, RP_NONE for an empty one; false without memory. */
static bool intern_name(rp_graph *graph, const char *name, uint32_t *out) {
    *out = RP_NONE;
    if (!name || !*name) return true;
    *out = rp_graph_intern(graph, name, strlen(name));
    return *out != RP_NONE;
}

static bool fill_lists(rp_graph *graph, const rp_kernel_module *m, rp_graph_param *params,
                       rp_graph_spec *specs, rp_graph_kernel *kernel) {
    for (uint32_t i = 0; i < m->binding_count; i++) {
        const rp_kernel_binding *b = &m->bindings[i];
        if (!b->used) continue;
        rp_graph_param *param = &params[kernel->param_count++];
        *param = (rp_graph_param){.access = b->access,
                                  .set = b->set,
                                  .binding = b->binding,
                                  .min_size = b->min_size,
                                  .resource = b->resource,
                                  .view = b->view,
                                  .format = b->format,
                                  .texel = b->texel,
                                  .elements = b->elements};
        if (!intern_name(graph, b->name, &param->name)) return false;
    }
    if (!rp_spirv_arrays(&graph->allocator, m, params, kernel->param_count)) return false;
    for (uint32_t i = 0; i < m->constant_count; i++)
        /* Several constants may share an id: a workgroup size and the constant that loops use. */
        if (m->constants[i].specialised &&
            (kernel->spec_count == 0 || specs[kernel->spec_count - 1].id != m->constants[i].id))
            specs[kernel->spec_count++] = (rp_graph_spec){
                m->constants[i].id, rp_scalar_bytes(m->constants[i].scalar), m->constants[i].value};
    return true;
}

uint32_t rp_kernel_add(rp_graph *graph, const rp_kernel_module *m, rp_source_pos pos) {
    const rp_allocator *a = &graph->allocator;
    rp_graph_param *params = rp_alloc(a, m->binding_count, sizeof *params);
    rp_graph_spec *specs = rp_alloc(a, m->constant_count, sizeof *specs);
    rp_graph_kernel kernel = {.hash = m->hash,
                              .word_count = m->word_count,
                              .pos = pos,
                              .shared_bytes = m->shared_bytes,
                              .push_bytes = rp_kernel_push_bytes(m)};
    memcpy(kernel.local, m->local, sizeof kernel.local);
    uint32_t index = RP_NONE;
    if (params && specs && fill_lists(graph, m, params, specs, &kernel) &&
        intern_name(graph, m->name, &kernel.name) && intern_name(graph, m->entry, &kernel.entry))
        index = rp_graph_add_kernel(graph, &kernel, params, specs, m->words);
    rp_release(a, params);
    rp_release(a, specs);
    return index;
}

/* Which parameters promise more with these uses than the kernel says: `rw` there, `w` in all uses. */
static void find_promises(const rp_graph *g, const rp_graph_kernel *k, const rp_graph_use *uses,
                          uint32_t count, bool more[RP_MAX_PARAMS]) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < k->param_count; i++) {
        const rp_graph_param *param = &g->params[k->first_param + i];
        more[i] = param->access == RP_READ_WRITE && at < count;
        if (param->resource == RP_RESOURCE_SAMPLER) continue;
        for (bool first = true; at < count && (first || uses[at].step != RP_USE_PARAM); at++) {
            more[i] &= uses[at].access == RP_WRITE;
            first = false;
        }
    }
}

/* Appends the copy; its words and constants are those of the kernel. */
static uint32_t add_variant(rp_graph *graph, uint32_t kernel, uint32_t name, const bool *more) {
    rp_graph_kernel copy = graph->kernels[kernel];
    copy.name = name;
    if (!RP_RESERVE(&graph->allocator, graph->params, graph->params_count, graph->params_capacity,
                    copy.param_count))
        return RP_NONE;
    const rp_graph_param *from = graph->params + copy.first_param;
    rp_graph_param *to = graph->params + graph->params_count;
    for (uint32_t i = 0; i < copy.param_count; i++) {
        to[i] = from[i];
        if (more[i]) to[i].access = RP_WRITE;
    }
    copy.first_param = graph->params_count;
    uint32_t index = rp_graph_add_kernel(graph, &copy, NULL, NULL, NULL);
    if (index != RP_NONE) graph->params_count += copy.param_count;
    return index;
}

/* Front ends give no kernel a name with a '-', so this one is free: "scale-w1-3". */
uint32_t rp_kernel_for_uses(rp_graph *graph, uint32_t kernel, const rp_graph_use *uses,
                            uint32_t use_count) {
    const rp_graph_kernel *k = &graph->kernels[kernel];
    bool more[RP_MAX_PARAMS];
    rp_text text;
    rp_text_init(&text, &graph->allocator);
    find_promises(graph, k, uses, use_count, more);
    for (uint32_t i = 0; i < k->param_count; i++) {
        if (!more[i]) continue;
        if (text.size == 0)
            rp_text_format(&text, "%s-w", rp_graph_string(graph, k->name));
        else
            rp_text_char(&text, '-');
        rp_text_format(&text, "%u", i);
    }
    uint32_t index = kernel;
    if (text.failed) {
        index = RP_NONE;
    } else if (text.size) {
        uint32_t name = rp_graph_intern(graph, text.data, text.size);
        index = name == RP_NONE ? RP_NONE : rp_graph_find_kernel(graph, text.data);
        if (name != RP_NONE && index == RP_NONE) index = add_variant(graph, kernel, name, more);
    }
    rp_text_free(&text);
    return index;
}
