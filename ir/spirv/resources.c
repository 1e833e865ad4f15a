/* Variables outside functions: resources, and the workgroup memory that they take. */
#include <stdio.h>
#include "base/checked.h"
#include "spirv/reader.h"

enum { SPIRV_LISTS_VARIABLES = 0x00010400 }; /* a version */

const char *rp_spirv_kind_name(rp_spirv_kind kind) {
    switch (kind) {
    case RP_SPIRV_STORAGE_BLOCK: return "a storage buffer";
    case RP_SPIRV_UNIFORM_BLOCK: return "a uniform buffer";
    case RP_SPIRV_PUSH_BLOCK: return "a push-constant block";
    case RP_SPIRV_IMAGE: return "an image";
    case RP_SPIRV_STORAGE_IMAGE: return "a storage image";
    case RP_SPIRV_SAMPLED_IMAGE: return "a sampled image";
    case RP_SPIRV_SAMPLER: return "a sampler";
    case RP_SPIRV_ACCELERATION_STRUCTURE: return "an acceleration structure";
    case RP_SPIRV_ATOMIC_COUNTER: return "an atomic counter";
    }
    return "unknown";
}

/* What a variable of class UniformConstant is. */
static rp_spirv_kind kind_of_constant(const rp_spirv_reader *r, const rp_spirv_id *type) {
    enum { IMAGE_WITHOUT_SAMPLER = 2 };
    switch (rp_spirv_defined_by(r, type)) {
    case OP_TYPE_SAMPLED_IMAGE: return RP_SPIRV_SAMPLED_IMAGE;
    case OP_TYPE_SAMPLER: return RP_SPIRV_SAMPLER;
    case OP_TYPE_ACCELERATION_STRUCTURE: return RP_SPIRV_ACCELERATION_STRUCTURE;
    case OP_TYPE_IMAGE:
        if (r->words[type->at + 7] == IMAGE_WITHOUT_SAMPLER) return RP_SPIRV_STORAGE_IMAGE;
    }
    return RP_SPIRV_IMAGE;
}

/* What a variable is, whose type behind arrays is `type`; false for no resource. */
static bool kind_of(const rp_spirv_reader *r, uint32_t storage_class, const rp_spirv_id *type,
                    rp_spirv_kind *out) {
    switch (storage_class) {
    case CLASS_STORAGE_BUFFER: *out = RP_SPIRV_STORAGE_BLOCK; return true;
    case CLASS_UNIFORM:
        *out = type->decorations & RP_IS_BUFFER_BLOCK ? RP_SPIRV_STORAGE_BLOCK
                                                      : RP_SPIRV_UNIFORM_BLOCK;
        return true;
    case CLASS_PUSH_CONSTANT: *out = RP_SPIRV_PUSH_BLOCK; return true;
    case CLASS_UNIFORM_CONSTANT: *out = kind_of_constant(r, type); return true;
    case CLASS_ATOMIC_COUNTER: *out = RP_SPIRV_ATOMIC_COUNTER; return true;
    }
    return false;
}

/* Before SPIR-V 1.4 an interface lists inputs and outputs only; then every variable counts. */
static void add_shared(rp_spirv_reader *r, const rp_spirv_id *variable, const rp_spirv_id *type) {
    if (r->words[1] >= SPIRV_LISTS_VARIABLES && !(variable->decorations & RP_IN_INTERFACE)) return;
    if (type->size == UINT64_MAX || r->shared_bytes == UINT64_MAX ||
        !rp_align_u64(r->shared_bytes, type->align, &r->shared_bytes) ||
        !rp_add_u64(r->shared_bytes, type->size, &r->shared_bytes))
        r->shared_bytes = UINT64_MAX;
}

rp_status rp_spirv_variable(rp_spirv_reader *r, uint32_t at) {
    const uint32_t *w = r->words + at;
    const rp_spirv_id *pointer = rp_spirv_before(r, w[1], at);
    uint32_t pointed =
        rp_spirv_defined_by(r, pointer) == OP_TYPE_POINTER ? r->words[pointer->at + 3] : 0;
    rp_spirv_id *variable = rp_spirv_entry(r, w[2]);
    variable->root = w[2];
    const rp_spirv_id *type = rp_spirv_before(r, pointed, at);
    uint32_t base = type->base;
    bool array = base != pointed;
    if (w[3] == CLASS_WORKGROUP) add_shared(r, variable, type);
    type = rp_spirv_before(r, base, at);
    rp_spirv_kind kind;
    if (!kind_of(r, w[3], type, &kind)) return RP_OK;
    if (!RP_RESERVE(&r->allocator, r->resources, r->resource_count, r->resource_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    uint32_t declared = variable->decorations | type->decorations;
    r->resources[r->resource_count++] =
        (rp_spirv_resource){.id = w[2],
                            .type = base,
                            .set = variable->set,
                            .binding = variable->binding,
                            .kind = (uint8_t)kind,
                            .array = array,
                            .readonly = declared & RP_IS_NON_WRITABLE,
                            .writeonly = declared & RP_IS_NON_READABLE,
                            .size = type->extent};
    return RP_OK;
}

void rp_spirv_note_uses(rp_spirv_reader *r) {
    for (uint32_t i = 0; i < r->resource_count; i++) {
        rp_spirv_resource *resource = &r->resources[i];
        uint8_t use = rp_spirv_entry(r, resource->id)->use;
        resource->used = use & RP_USED;
        resource->reads = use & RP_READS;
        resource->writes = use & RP_WRITES;
        if (resource->used && resource->kind > RP_SPIRV_PUSH_BLOCK && !*r->unsupported)
            snprintf(r->unsupported, sizeof r->unsupported, "%s",
                     rp_spirv_kind_name((rp_spirv_kind)resource->kind));
    }
}
