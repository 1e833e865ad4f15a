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
    case RP_SPIRV_STORAGE_IMAGE: return "a storage image";
    case RP_SPIRV_SAMPLED_IMAGE: return "a sampled image";
    case RP_SPIRV_COMBINED_IMAGE: return "a sampled image with its sampler";
    case RP_SPIRV_SAMPLER: return "a sampler";
    case RP_SPIRV_STORAGE_TEXELS: return "a storage texel buffer";
    case RP_SPIRV_UNIFORM_TEXELS: return "a uniform texel buffer";
    case RP_SPIRV_OTHER_IMAGE: return "an image of several samples, or of a pass that draws";
    case RP_SPIRV_ACCELERATION_STRUCTURE: return "an acceleration structure";
    case RP_SPIRV_ATOMIC_COUNTER: return "an atomic counter";
    }
    return "unknown";
}

bool rp_spirv_bind(const rp_spirv_resource *r, rp_spirv_binding *out) {
    static const uint8_t resources[] = {
        [RP_SPIRV_STORAGE_BLOCK] = RP_RESOURCE_BUFFER,
        [RP_SPIRV_UNIFORM_BLOCK] = RP_RESOURCE_BUFFER,
        [RP_SPIRV_STORAGE_IMAGE] = RP_RESOURCE_IMAGE,
        [RP_SPIRV_SAMPLED_IMAGE] = RP_RESOURCE_IMAGE,
        [RP_SPIRV_COMBINED_IMAGE] = RP_RESOURCE_COMBINED,
        [RP_SPIRV_SAMPLER] = RP_RESOURCE_SAMPLER,
        [RP_SPIRV_STORAGE_TEXELS] = RP_RESOURCE_TEXELS,
        [RP_SPIRV_UNIFORM_TEXELS] = RP_RESOURCE_TEXELS,
    };
    *out = (rp_spirv_binding){0};
    if (r->kind >= sizeof resources || r->kind == RP_SPIRV_PUSH_BLOCK) return false;
    bool sampled = r->kind == RP_SPIRV_SAMPLED_IMAGE || r->kind == RP_SPIRV_COMBINED_IMAGE ||
                   r->kind == RP_SPIRV_SAMPLER || r->kind == RP_SPIRV_UNIFORM_TEXELS;
    out->resource = resources[r->kind];
    out->access = r->kind == RP_SPIRV_UNIFORM_BLOCK ? RP_UNIFORM : sampled ? RP_SAMPLED : RP_READ;
    bool viewed = out->resource == RP_RESOURCE_IMAGE || out->resource == RP_RESOURCE_COMBINED;
    if (viewed) out->view = r->view;
    if (viewed || out->resource == RP_RESOURCE_TEXELS) out->texel = r->texel;
    if (!sampled) out->format = r->format;
    return true;
}

/* Formats by SPIR-V's numbers. */
static const uint8_t formats[] = {
    RP_IMAGE_NONE,         RP_IMAGE_RGBA32F,     RP_IMAGE_RGBA16F,   RP_IMAGE_R32F,
    RP_IMAGE_RGBA8,        RP_IMAGE_RGBA8_SNORM, RP_IMAGE_RG32F,     RP_IMAGE_RG16F,
    RP_IMAGE_R11G11B10F,   RP_IMAGE_R16F,        RP_IMAGE_RGBA16,    RP_IMAGE_RGB10A2,
    RP_IMAGE_RG16,         RP_IMAGE_RG8,         RP_IMAGE_R16,       RP_IMAGE_R8,
    RP_IMAGE_RGBA16_SNORM, RP_IMAGE_RG16_SNORM,  RP_IMAGE_RG8_SNORM, RP_IMAGE_R16_SNORM,
    RP_IMAGE_R8_SNORM,     RP_IMAGE_RGBA32I,     RP_IMAGE_RGBA16I,   RP_IMAGE_RGBA8I,
    RP_IMAGE_R32I,         RP_IMAGE_RG32I,       RP_IMAGE_RG16I,     RP_IMAGE_RG8I,
    RP_IMAGE_R16I,         RP_IMAGE_R8I,         RP_IMAGE_RGBA32UI,  RP_IMAGE_RGBA16UI,
    RP_IMAGE_RGBA8UI,      RP_IMAGE_R32UI,       RP_IMAGE_RGB10A2UI, RP_IMAGE_RG32UI,
    RP_IMAGE_RG16UI,       RP_IMAGE_RG8UI,       RP_IMAGE_R16UI,     RP_IMAGE_R8UI};

/* What an OpTypeImage is; what it shows goes to `out`. */
static rp_spirv_kind kind_of_image(rp_spirv_reader *r, const rp_spirv_id *type,
                                   rp_spirv_resource *out) {
    enum { DIM_1D, DIM_2D, DIM_3D, DIM_CUBE, DIM_BUFFER = 5, WITH_SAMPLER = 1, STORAGE = 2 };
    static const uint8_t views[][2] = {{RP_VIEW_1D, RP_VIEW_1D_ARRAY},
                                       {RP_VIEW_2D, RP_VIEW_2D_ARRAY},
                                       {RP_VIEW_3D, RP_VIEW_3D},
                                       {RP_VIEW_CUBE, RP_VIEW_CUBE_ARRAY}};
    const uint32_t *w = r->words + type->at;
    const rp_spirv_id *sampled = rp_spirv_before(r, w[2], type->at);
    bool integer = rp_spirv_defined_by(r, sampled) == OP_TYPE_INT;
    bool is_signed = integer && r->words[sampled->at + 3] != 0;
    bool known = w[7] == WITH_SAMPLER || w[7] == STORAGE;
    out->texel = integer ? (is_signed ? RP_TEXEL_INT : RP_TEXEL_UINT) : RP_TEXEL_FLOAT;
    out->format = w[8] < sizeof formats ? formats[w[8]] : RP_IMAGE_NONE;
    if (!known || w[6] || (w[3] == DIM_3D && w[5]) || (w[3] > DIM_CUBE && w[3] != DIM_BUFFER) ||
        w[8] >= sizeof formats)
        return RP_SPIRV_OTHER_IMAGE;
    if (w[3] == DIM_BUFFER)
        return w[7] == STORAGE ? RP_SPIRV_STORAGE_TEXELS : RP_SPIRV_UNIFORM_TEXELS;
    out->view = views[w[3]][w[5] != 0];
    return w[7] == STORAGE ? RP_SPIRV_STORAGE_IMAGE : RP_SPIRV_SAMPLED_IMAGE;
}

/* What a variable of class UniformConstant is. */
static rp_spirv_kind kind_of_constant(rp_spirv_reader *r, const rp_spirv_id *type,
                                      rp_spirv_resource *out) {
    switch (rp_spirv_defined_by(r, type)) {
    case OP_TYPE_SAMPLED_IMAGE: {
        const rp_spirv_id *image = rp_spirv_before(r, r->words[type->at + 2], type->at);
        if (rp_spirv_defined_by(r, image) != OP_TYPE_IMAGE) return RP_SPIRV_OTHER_IMAGE;
        rp_spirv_kind kind = kind_of_image(r, image, out);
        return kind == RP_SPIRV_SAMPLED_IMAGE ? RP_SPIRV_COMBINED_IMAGE : kind;
    }
    case OP_TYPE_SAMPLER: return RP_SPIRV_SAMPLER;
    case OP_TYPE_ACCELERATION_STRUCTURE: return RP_SPIRV_ACCELERATION_STRUCTURE;
    case OP_TYPE_IMAGE: return kind_of_image(r, type, out);
    }
    return RP_SPIRV_OTHER_IMAGE;
}

/* How many descriptors an array of them has, and one of arrays. */
static uint64_t count_descriptors(rp_spirv_reader *r, uint32_t type, uint32_t at) {
    uint64_t count = 1;
    for (;;) {
        const rp_spirv_id *t = rp_spirv_before(r, type, at);
        uint32_t made = rp_spirv_defined_by(r, t);
        if (made == OP_TYPE_RUNTIME_ARRAY) return UINT64_MAX;
        if (made != OP_TYPE_ARRAY) return count;
        uint32_t element = r->words[t->at + 2], length = r->words[t->at + 3];
        at = t->at; /* an element is defined before its array: this ends */
        uint64_t elements = rp_spirv_array_elements(r, rp_spirv_before(r, length, at));
        if (!rp_mul_u64(count, elements, &count)) return UINT64_MAX;
        type = element;
    }
}

/* What a variable is, whose type behind arrays is `type`; false for no resource. */
static bool kind_of(rp_spirv_reader *r, uint32_t storage_class, const rp_spirv_id *type,
                    rp_spirv_resource *out) {
    rp_spirv_kind kind;
    switch (storage_class) {
    case CLASS_STORAGE_BUFFER: kind = RP_SPIRV_STORAGE_BLOCK; break;
    case CLASS_UNIFORM:
        kind = type->decorations & RP_IS_BUFFER_BLOCK ? RP_SPIRV_STORAGE_BLOCK
                                                      : RP_SPIRV_UNIFORM_BLOCK;
        break;
    case CLASS_PUSH_CONSTANT: kind = RP_SPIRV_PUSH_BLOCK; break;
    case CLASS_UNIFORM_CONSTANT: kind = kind_of_constant(r, type, out); break;
    case CLASS_ATOMIC_COUNTER: kind = RP_SPIRV_ATOMIC_COUNTER; break;
    default: return false;
    }
    out->kind = (uint8_t)kind;
    return true;
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
    rp_spirv_resource made = {.id = w[2], .type = base, .array = array};
    if (!kind_of(r, w[3], type, &made)) return RP_OK;
    if (!RP_RESERVE(&r->allocator, r->resources, r->resource_count, r->resource_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    uint32_t declared = variable->decorations | type->decorations;
    made.set = variable->set;
    made.binding = variable->binding;
    made.readonly = declared & RP_IS_NON_WRITABLE;
    made.writeonly = declared & RP_IS_NON_READABLE;
    made.size = type->extent;
    made.elements = array ? count_descriptors(r, pointed, at) : 0;
    r->resources[r->resource_count++] = made;
    return RP_OK;
}

/* What no code can write, wherever its handle is handed on to. */
static bool is_sampled(rp_spirv_kind kind) {
    return kind == RP_SPIRV_SAMPLED_IMAGE || kind == RP_SPIRV_COMBINED_IMAGE ||
           kind == RP_SPIRV_SAMPLER || kind == RP_SPIRV_UNIFORM_TEXELS;
}

void rp_spirv_note_uses(rp_spirv_reader *r) {
    for (uint32_t i = 0; i < r->resource_count; i++) {
        rp_spirv_resource *resource = &r->resources[i];
        uint8_t use = rp_spirv_entry(r, resource->id)->use;
        resource->used = use & RP_USED;
        resource->reads = use & RP_READS;
        resource->writes = (use & RP_WRITES) && !is_sampled((rp_spirv_kind)resource->kind);
        if (resource->used && resource->kind >= RP_SPIRV_OTHER_IMAGE && !*r->unsupported)
            snprintf(r->unsupported, sizeof r->unsupported, "%s",
                     rp_spirv_kind_name((rp_spirv_kind)resource->kind));
    }
}
