/* Reflection with SPIRV-Cross: blocks, push constants and specialisation constants.
 *
 * What the author declared (set, binding, names, readonly, writeonly, sizes) comes from
 * SPIRV-Cross; what the code does comes from our own walk (spirv_usage.c), and the two are
 * compared: a block that is declared readonly and written, or writeonly and read, would make every
 * proof about the graph wrong. Everything a plan cannot bind is refused: images, samplers, arrays
 * of descriptors.
 *
 * SPIRV-Cross reports failures through its context; its text goes into our message. All its objects
 * belong to the context and go with it. */
#include "kernel/spirv.h"

#include <spirv_cross_c.h>
#include <stdlib.h>

typedef struct reflector {
    const rp_kernel_where *where;
    const rp_allocator *a;
    spvc_context context;
    spvc_compiler compiler;
    spvc_resources resources;
    uint8_t *usage; /* rp_spirv_usage() */
    rp_kernel_module *out;
} reflector;

static rp_status cross_failed(const reflector *r, spvc_result result) {
    if (result == SPVC_ERROR_OUT_OF_MEMORY) return RP_ERROR_NO_MEMORY;
    return rp_kernel_error(r->where, "SPIRV-Cross cannot reflect it: %s",
                           spvc_context_get_last_error_string(r->context));
}

#define CROSS_TRY(r, call)                                                                         \
    do {                                                                                           \
        spvc_result cross_result = (call);                                                         \
        if (cross_result != SPVC_SUCCESS) return cross_failed((r), cross_result);                  \
    } while (0)

static char *copy_text(const rp_allocator *a, const char *text) {
    return rp_dup(a, text ? text : "", strlen(text ? text : "") + 1);
}

static rp_scalar scalar_of(spvc_type type) {
    switch (spvc_type_get_basetype(type)) {
    case SPVC_BASETYPE_UINT32: return RP_SCALAR_U32;
    case SPVC_BASETYPE_INT32: return RP_SCALAR_I32;
    case SPVC_BASETYPE_FP32: return RP_SCALAR_F32;
    case SPVC_BASETYPE_BOOLEAN: return RP_SCALAR_BOOL;
    default: return RP_SCALAR_OTHER; /* a set that grows with SPIRV-Cross */
    }
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

static bool is_declared(const SpvDecoration *list, size_t count, SpvDecoration wanted) {
    for (size_t i = 0; i < count; i++)
        if (list[i] == wanted) return true;
    return false;
}

/* Settles the access of a storage block from what is declared and what is done. */
static rp_status settle_access(reflector *r, spvc_variable_id variable, rp_kernel_binding *b) {
    const SpvDecoration *list;
    size_t count;
    CROSS_TRY(r, spvc_compiler_get_buffer_block_decorations(r->compiler, variable, &list, &count));
    bool read_only = is_declared(list, count, SpvDecorationNonWritable);
    bool write_only = is_declared(list, count, SpvDecorationNonReadable);
    if (read_only && b->writes)
        return rp_kernel_error(r->where,
                               "block '%s' (set %u, binding %u) is declared readonly "
                               "(NonWritable), but the code writes it",
                               b->name, b->set, b->binding);
    if (write_only && b->reads)
        return rp_kernel_error(r->where,
                               "block '%s' (set %u, binding %u) is declared writeonly "
                               "(NonReadable), but the code reads it",
                               b->name, b->set, b->binding);
    b->access = read_only || !b->writes ? RP_READ : write_only ? RP_WRITE : RP_READ_WRITE;
    return RP_OK;
}

/* Where a resource is bound; refuses what does not fit. */
static rp_status find_place(reflector *r, const spvc_reflected_resource *resource,
                            rp_kernel_binding *b) {
    unsigned set =
        spvc_compiler_get_decoration(r->compiler, resource->id, SpvDecorationDescriptorSet);
    unsigned binding =
        spvc_compiler_get_decoration(r->compiler, resource->id, SpvDecorationBinding);
    if (set > 3)
        return rp_kernel_error(r->where, "block '%s' is in set %u; expected a set from 0 to 3",
                               b->name, set);
    if (binding > 255)
        return rp_kernel_error(r->where, "block '%s' has binding %u; expected one from 0 to 255",
                               b->name, binding);
    spvc_type type = spvc_compiler_get_type_handle(r->compiler, resource->type_id);
    if (spvc_type_get_num_array_dimensions(type) > 0)
        return rp_kernel_error(r->where,
                               "block '%s' (set %u, binding %u) is an array of "
                               "descriptors; declare one binding for each block",
                               b->name, set, binding);
    b->set = (uint8_t)set;
    b->binding = (uint8_t)binding;
    return RP_OK;
}

/* Fills in a block whose name is set. */
static rp_status describe_block(reflector *r, const spvc_reflected_resource *resource, bool uniform,
                                rp_kernel_binding *b) {
    RP_TRY(find_place(r, resource, b));
    spvc_type block = spvc_compiler_get_type_handle(r->compiler, resource->base_type_id);
    size_t size = 0;
    CROSS_TRY(r,
              spvc_compiler_get_declared_struct_size_runtime_array(r->compiler, block, 1, &size));
    b->min_size = size;
    if (uniform) {
        b->access = RP_UNIFORM;
        b->reads = true;
        return RP_OK;
    }
    b->reads = r->usage[resource->id] & RP_SPIRV_READS;
    b->writes = r->usage[resource->id] & RP_SPIRV_WRITES;
    return settle_access(r, resource->id, b);
}

/* Puts a block into the list. Two blocks may share a binding (views of one buffer with different
 * element types): together they do what either does. */
static rp_status merge_block(reflector *r, rp_kernel_binding *block, bool *kept) {
    rp_kernel_module *out = r->out;
    for (uint32_t i = 0; i < out->binding_count; i++) {
        rp_kernel_binding *b = &out->bindings[i];
        if (b->set != block->set || b->binding != block->binding) continue;
        if ((b->access == RP_UNIFORM) != (block->access == RP_UNIFORM))
            return rp_kernel_error(r->where,
                                   "blocks '%s' and '%s' share set %u, binding %u, but one "
                                   "is a uniform and the other a storage buffer",
                                   b->name, block->name, b->set, b->binding);
        if (b->access != block->access) b->access = RP_READ_WRITE;
        b->reads |= block->reads;
        b->writes |= block->writes;
        if (block->min_size > b->min_size) b->min_size = block->min_size;
        return RP_OK;
    }
    out->bindings[out->binding_count++] = *block;
    *kept = true;
    return RP_OK;
}

static rp_status add_block(reflector *r, const spvc_reflected_resource *resource, bool uniform) {
    const char *name = spvc_compiler_get_name(r->compiler, resource->id);
    if (!name || !*name) name = spvc_compiler_get_name(r->compiler, resource->base_type_id);
    rp_kernel_binding block = {.name = copy_text(r->a, name)};
    if (!block.name) return RP_ERROR_NO_MEMORY;
    bool kept = false;
    rp_status status = describe_block(r, resource, uniform, &block);
    if (status == RP_OK) status = merge_block(r, &block, &kept);
    if (!kept) rp_release(r->a, block.name);
    return status;
}

static int by_place(const void *a, const void *b) {
    const rp_kernel_binding *x = a, *y = b;
    return (x->set * 256 + x->binding) - (y->set * 256 + y->binding);
}

static rp_status reflect_blocks(reflector *r) {
    const spvc_reflected_resource *list[2];
    size_t count[2];
    CROSS_TRY(r, spvc_resources_get_resource_list_for_type(
                     r->resources, SPVC_RESOURCE_TYPE_STORAGE_BUFFER, &list[0], &count[0]));
    CROSS_TRY(r, spvc_resources_get_resource_list_for_type(
                     r->resources, SPVC_RESOURCE_TYPE_UNIFORM_BUFFER, &list[1], &count[1]));
    r->out->bindings = rp_alloc_zero(r->a, count[0] + count[1], sizeof *r->out->bindings);
    if (!r->out->bindings) return RP_ERROR_NO_MEMORY;
    rp_status status = RP_OK;
    for (int type = 0; type < 2; type++) {
        for (size_t i = 0; i < count[type]; i++) {
            rp_status one = add_block(r, &list[type][i], type == 1);
            if (one == RP_ERROR_NO_MEMORY) return one;
            if (one != RP_OK) status = one; /* go on: report them all */
        }
    }
    qsort(r->out->bindings, r->out->binding_count, sizeof *r->out->bindings, by_place);
    return status;
}

/* ---- What plans cannot bind ------------------------------------------------------------------ */

static rp_status refuse_others(reflector *r) {
    static const struct {
        spvc_resource_type type;
        const char *what;
    } refused[] = {
        {SPVC_RESOURCE_TYPE_SUBPASS_INPUT, "a subpass input"},
        {SPVC_RESOURCE_TYPE_STORAGE_IMAGE, "a storage image"},
        {SPVC_RESOURCE_TYPE_SAMPLED_IMAGE, "a sampled image"},
        {SPVC_RESOURCE_TYPE_ATOMIC_COUNTER, "an atomic counter"},
        {SPVC_RESOURCE_TYPE_SEPARATE_IMAGE, "an image"},
        {SPVC_RESOURCE_TYPE_SEPARATE_SAMPLERS, "a sampler"},
        {SPVC_RESOURCE_TYPE_ACCELERATION_STRUCTURE, "an acceleration structure"},
    };
    rp_status status = RP_OK;
    for (size_t t = 0; t < sizeof refused / sizeof *refused; t++) {
        const spvc_reflected_resource *list;
        size_t count;
        CROSS_TRY(r, spvc_resources_get_resource_list_for_type(r->resources, refused[t].type, &list,
                                                               &count));
        for (size_t i = 0; i < count; i++)
            status = rp_kernel_error(r->where,
                                     "'%s' is %s; kernels work on storage and uniform "
                                     "buffers only",
                                     list[i].name ? list[i].name : "", refused[t].what);
    }
    return status;
}

/* ---- Push constants -------------------------------------------------------------------------- */

static rp_status reflect_member(reflector *r, spvc_type block, spvc_type_id block_id, unsigned i) {
    rp_kernel_member *member = &r->out->members[i];
    unsigned offset;
    size_t size;
    CROSS_TRY(r, spvc_compiler_type_struct_member_offset(r->compiler, block, i, &offset));
    CROSS_TRY(r, spvc_compiler_get_declared_struct_member_size(r->compiler, block, i, &size));
    if (size > RP_MAX_PUSH_BYTES || offset > RP_MAX_PUSH_BYTES - size)
        return rp_kernel_error(r->where,
                               "the push-constant block needs %zu bytes; at most %d are "
                               "allowed",
                               (size_t)offset + size, RP_MAX_PUSH_BYTES);
    spvc_type type =
        spvc_compiler_get_type_handle(r->compiler, spvc_type_get_member_type(block, i));
    member->offset = offset;
    member->size = (uint32_t)size;
    member->scalar = scalar_of(type);
    member->name = copy_text(r->a, spvc_compiler_get_member_name(r->compiler, block_id, i));
    if (!member->name) return RP_ERROR_NO_MEMORY;
    r->out->member_count = i + 1;
    if (offset + size > r->out->push_bytes) r->out->push_bytes = (uint32_t)(offset + size);
    return RP_OK;
}

static int by_offset(const void *a, const void *b) {
    const rp_kernel_member *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static rp_status reflect_push(reflector *r) {
    const spvc_reflected_resource *list;
    size_t count;
    CROSS_TRY(r, spvc_resources_get_resource_list_for_type(
                     r->resources, SPVC_RESOURCE_TYPE_PUSH_CONSTANT, &list, &count));
    if (count == 0) return RP_OK;
    if (count > 1)
        return rp_kernel_error(r->where, "there are %zu push-constant blocks; expected one", count);
    spvc_type block = spvc_compiler_get_type_handle(r->compiler, list[0].base_type_id);
    unsigned members = spvc_type_get_num_member_types(block);
    r->out->members = rp_alloc_zero(r->a, members, sizeof *r->out->members);
    if (!r->out->members) return RP_ERROR_NO_MEMORY;
    for (unsigned i = 0; i < members; i++)
        RP_TRY(reflect_member(r, block, list[0].base_type_id, i));
    qsort(r->out->members, members, sizeof *r->out->members, by_offset);
    if (members > 0 && r->out->members[0].offset != 0)
        return rp_kernel_error(r->where,
                               "the push-constant block starts at byte %u; expected 0: all "
                               "of a block is set by each node",
                               r->out->members[0].offset);
    r->out->push_bytes = (r->out->push_bytes + 3u) & ~3u;
    return RP_OK;
}

/* ---- Specialisation constants ---------------------------------------------------------------- */

static int by_id(const void *a, const void *b) {
    const rp_kernel_constant *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static rp_status reflect_constants(reflector *r) {
    const spvc_specialization_constant *list;
    size_t count;
    CROSS_TRY(r, spvc_compiler_get_specialization_constants(r->compiler, &list, &count));
    rp_kernel_constant *constants = rp_alloc_zero(r->a, count, sizeof *constants);
    if (!constants) return RP_ERROR_NO_MEMORY;
    r->out->constants = constants;
    for (size_t i = 0; i < count; i++) {
        spvc_constant constant = spvc_compiler_get_constant_handle(r->compiler, list[i].id);
        spvc_type type =
            spvc_compiler_get_type_handle(r->compiler, spvc_constant_get_type(constant));
        constants[i].id = list[i].constant_id;
        constants[i].scalar = scalar_of(type);
        constants[i].value = spvc_constant_get_scalar_u32(constant, 0, 0);
        constants[i].name = copy_text(r->a, spvc_compiler_get_name(r->compiler, list[i].id));
        if (!constants[i].name) return RP_ERROR_NO_MEMORY;
        r->out->constant_count++;
    }
    qsort(constants, count, sizeof *constants, by_id);
    return RP_OK;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static rp_status reflect_with(reflector *r, const uint32_t *words, uint32_t count,
                              const char *entry) {
    spvc_parsed_ir ir;
    CROSS_TRY(r, spvc_context_parse_spirv(r->context, words, count, &ir));
    CROSS_TRY(r, spvc_context_create_compiler(r->context, SPVC_BACKEND_NONE, ir,
                                              SPVC_CAPTURE_MODE_TAKE_OWNERSHIP, &r->compiler));
    CROSS_TRY(r, spvc_compiler_set_entry_point(r->compiler, entry, SpvExecutionModelGLCompute));
    CROSS_TRY(r, spvc_compiler_create_shader_resources(r->compiler, &r->resources));
    RP_TRY(rp_spirv_usage(r->where, words, count, &r->usage));
    rp_status refused = refuse_others(r);
    if (refused == RP_ERROR_NO_MEMORY) return refused;
    rp_status blocks = reflect_blocks(r);
    if (blocks == RP_ERROR_NO_MEMORY) return blocks;
    RP_TRY(reflect_push(r));
    RP_TRY(reflect_constants(r));
    return refused != RP_OK ? refused : blocks;
}

rp_status rp_reflect(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                     const char *entry, rp_kernel_module *out) {
    reflector r = {.where = where, .a = where->allocator, .out = out};
    if (spvc_context_create(&r.context) != SPVC_SUCCESS) return RP_ERROR_NO_MEMORY;
    rp_status status = reflect_with(&r, words, count, entry);
    rp_release(r.a, r.usage);
    spvc_context_destroy(r.context);
    return status;
}

void rp_reflect_free(rp_kernel_module *module) {
    const rp_allocator *a = &module->allocator;
    for (uint32_t i = 0; i < module->binding_count; i++) rp_release(a, module->bindings[i].name);
    for (uint32_t i = 0; i < module->member_count; i++) rp_release(a, module->members[i].name);
    for (uint32_t i = 0; i < module->constant_count; i++) rp_release(a, module->constants[i].name);
    rp_release(a, module->bindings);
    rp_release(a, module->members);
    rp_release(a, module->constants);
    module->bindings = NULL;
    module->members = NULL;
    module->constants = NULL;
    module->binding_count = module->member_count = module->constant_count = 0;
}
