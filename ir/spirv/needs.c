/* What a device must be able to do, from a module's capabilities: they are its own statement, so a
 * plan cannot promise less than its kernels use. They hold for the whole module, whichever entry
 * point runs. Some needs have no capability: scalar and std430 uniform layout, which types.c finds,
 * the types of subgroup operations, and atomics on floats that neither add nor compare; and some
 * capabilities stand for several. These code.c finds where they are reached.
 */
#include <stdio.h>
#include "plan/format.h"
#include "spirv/reader.h"

/* Capabilities that a kernel may state: number, name, the needs behind it (0: every device has it).
 * Where there are several, the code says which: it is the first one where the code has none of
 * them, as the device sees what is stated. */
static const struct {
    uint16_t capability;
    const char *name;
    uint64_t need, others;
} served[] = {
    {0, "Matrix", 0, 0},
    {1, "Shader", 0, 0},
    {9, "Float16", RP_NEED_FLOAT16, 0},
    {10, "Float64", RP_NEED_FLOAT64, 0},
    {11, "Int64", RP_NEED_INT64, 0},
    {12, "Int64Atomics", RP_NEED_INT64_ATOMICS, RP_NEED_SHARED_INT64_ATOMICS},
    {22, "Int16", RP_NEED_INT16, 0},
    {25, "ImageGatherExtended", RP_NEED_IMAGE_EXTRAS, 0},
    {28, "UniformBufferArrayDynamicIndexing", RP_NEED_IMAGE_EXTRAS, 0},
    {29, "SampledImageArrayDynamicIndexing", RP_NEED_IMAGE_EXTRAS, 0},
    {30, "StorageBufferArrayDynamicIndexing", RP_NEED_IMAGE_EXTRAS, 0},
    {31, "StorageImageArrayDynamicIndexing", RP_NEED_IMAGE_EXTRAS, 0},
    {34, "ImageCubeArray", RP_NEED_IMAGE_EXTRAS, 0},
    {39, "Int8", RP_NEED_INT8, 0},
    {43, "Sampled1D", 0, 0},
    {44, "Image1D", 0, 0},
    {45, "SampledCubeArray", RP_NEED_IMAGE_EXTRAS, 0},
    {46, "SampledBuffer", 0, 0},
    {47, "ImageBuffer", 0, 0},
    {49, "StorageImageExtendedFormats", RP_NEED_IMAGE_FORMATS, 0},
    {50, "ImageQuery", 0, 0},
    {55, "StorageImageReadWithoutFormat", RP_NEED_IMAGE_READ_UNFORMATTED, 0},
    {56, "StorageImageWriteWithoutFormat", RP_NEED_IMAGE_WRITE_UNFORMATTED, 0},
    {61, "GroupNonUniform", RP_NEED_SUBGROUP_BASIC, 0},
    {62, "GroupNonUniformVote", RP_NEED_SUBGROUP_VOTE, 0},
    {63, "GroupNonUniformArithmetic", RP_NEED_SUBGROUP_ARITHMETIC, 0},
    {64, "GroupNonUniformBallot", RP_NEED_SUBGROUP_BALLOT, 0},
    {65, "GroupNonUniformShuffle", RP_NEED_SUBGROUP_SHUFFLE, 0},
    {66, "GroupNonUniformShuffleRelative", RP_NEED_SUBGROUP_SHUFFLE_RELATIVE, 0},
    {67, "GroupNonUniformClustered", RP_NEED_SUBGROUP_CLUSTERED, 0},
    {68, "GroupNonUniformQuad", RP_NEED_SUBGROUP_QUAD, 0},
    {4423, "SubgroupBallotKHR", RP_NEED_SUBGROUP_BALLOT, 0},
    {4431, "SubgroupVoteKHR", RP_NEED_SUBGROUP_VOTE, 0},
    {4433, "StorageBuffer16BitAccess", RP_NEED_STORAGE16, 0},
    {4434, "UniformAndStorageBuffer16BitAccess", RP_NEED_UNIFORM16, 0},
    {4435, "StoragePushConstant16", RP_NEED_PUSH16, 0},
    {4441, "VariablePointersStorageBuffer", RP_NEED_VARIABLE_POINTERS, 0},
    {4442, "VariablePointers", RP_NEED_VARIABLE_POINTERS, 0},
    {4448, "StorageBuffer8BitAccess", RP_NEED_STORAGE8, 0},
    {4449, "UniformAndStorageBuffer8BitAccess", RP_NEED_UNIFORM8, 0},
    {4450, "StoragePushConstant8", RP_NEED_PUSH8, 0},
    {4464, "DenormPreserve", 0, 0}, /* for these five see modes */
    {4465, "DenormFlushToZero", 0, 0},
    {4466, "SignedZeroInfNanPreserve", 0, 0},
    {4467, "RoundingModeRTE", 0, 0},
    {4468, "RoundingModeRTZ", 0, 0},
    {5055, "ShaderClockKHR", RP_NEED_SUBGROUP_CLOCK, RP_NEED_DEVICE_CLOCK},
    {5301, "ShaderNonUniform", RP_NEED_IMAGE_EXTRAS, 0},
    {5304, "UniformTexelBufferArrayDynamicIndexing", RP_NEED_IMAGE_EXTRAS, 0},
    {5305, "StorageTexelBufferArrayDynamicIndexing", RP_NEED_IMAGE_EXTRAS, 0},
    {5307, "SampledImageArrayNonUniformIndexing", RP_NEED_IMAGE_EXTRAS, 0},
    {5308, "StorageBufferArrayNonUniformIndexing", RP_NEED_IMAGE_EXTRAS, 0},
    {5309, "StorageImageArrayNonUniformIndexing", RP_NEED_IMAGE_EXTRAS, 0},
    {5345, "VulkanMemoryModel", RP_NEED_MEMORY_MODEL, 0},
    {5346, "VulkanMemoryModelDeviceScope", RP_NEED_DEVICE_SCOPE, 0},
    {5347, "PhysicalStorageBufferAddresses", RP_NEED_DEVICE_ADDRESS, 0},
    {5612, "AtomicFloat32MinMaxEXT", RP_NEED_FLOAT32_MIN_MAX, 0},
    {5613, "AtomicFloat64MinMaxEXT", RP_NEED_FLOAT64_MIN_MAX, 0},
    {5616, "AtomicFloat16MinMaxEXT", RP_NEED_FLOAT16_ATOMICS, 0},
    {6016, "DotProductInputAll", RP_NEED_INT_DOT, 0},
    {6017, "DotProductInput4x8Bit", RP_NEED_INT_DOT, 0},
    {6018, "DotProductInput4x8BitPacked", RP_NEED_INT_DOT, 0},
    {6019, "DotProduct", RP_NEED_INT_DOT, 0},
    {6022, "CooperativeMatrixKHR", RP_NEED_COOPERATIVE_MATRIX, 0},
    {6026, "GroupNonUniformRotateKHR", RP_NEED_SUBGROUP_ROTATE, 0},
    {6033, "AtomicFloat32AddEXT", RP_NEED_FLOAT32_ADD, RP_NEED_SHARED_FLOAT32_ADD},
    {6034, "AtomicFloat64AddEXT", RP_NEED_FLOAT64_ATOMICS, RP_NEED_SHARED_FLOAT64_ATOMICS},
    {6095, "AtomicFloat16AddEXT", RP_NEED_FLOAT16_ADD, 0},
};
enum { SERVED = sizeof served / sizeof *served };

/* Names for those refused that people are likely to meet; the rest are known by their number. */
static const struct {
    uint16_t capability;
    const char *name;
} refused[] = {
    {5, "linkage"},
    {6, "OpenCL kernels"},
    {27, "images of several samples"},
    {36, "images with coordinates in texels (rectangles)"},
    {37, "images with coordinates in texels (rectangles)"},
    {40, "input attachments, which compute has not"},
    {41, "sparse images"},
    {48, "images of several samples"},
    {4428, "explicit layout of shared memory"},
    {4174, "tensors"},
    {4175, "tensors"},
    {4436, "16-bit inputs, which compute has not"},
    {4471, "ray queries: no node builds an acceleration structure"},
    {4472, "ray queries: no node builds an acceleration structure"},
    {4479, "ray tracing: no node builds an acceleration structure"},
    {5288, "derivatives in compute"},
    {5302, "arrays of bindings without a size"},
    {5350, "derivatives in compute"},
    {5357, "cooperative matrices of SPV_NV_cooperative_matrix"},
    {5379, "helper invocations, which compute has not"},
};

const char *rp_spirv_capability_at(uint32_t index, uint64_t *needs) {
    if (index >= SERVED) return NULL;
    if (needs) *needs = served[index].need | served[index].others;
    return served[index].name;
}

/* The bit of a capability that stands for several needs: they are few. */
static uint64_t stated_bit(size_t index) {
    uint32_t before = 0;
    for (size_t i = 0; i < index; i++) before += served[i].others != 0;
    return UINT64_C(1) << before;
}

static void refuse(uint32_t capability, char text[RP_SPIRV_UNSUPPORTED]) {
    const char *name = "no name known";
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (refused[i].capability == capability) name = refused[i].name;
    snprintf(text, RP_SPIRV_UNSUPPORTED, "SPIR-V capability %u (%s)", capability, name);
}

void rp_spirv_note_capability(rp_spirv_reader *r, uint32_t capability) {
    for (size_t i = 0; i < SERVED; i++) {
        if (served[i].capability != capability) continue;
        if (served[i].others)
            r->stated |= stated_bit(i);
        else
            r->needs |= served[i].need;
        return;
    }
    if (!*r->unsupported) refuse(capability, r->unsupported); /* the first one is enough */
}

bool rp_spirv_refused(const uint32_t *words, uint32_t count, char text[RP_SPIRV_UNSUPPORTED]) {
    for (uint32_t at = RP_SPIRV_HEADER; at < count; at += words[at] >> 16) {
        uint32_t op = words[at] & 0xffff, length = words[at] >> 16;
        if (op != OP_CAPABILITY || length < 2 || length > count - at) return false;
        bool known = false;
        for (size_t i = 0; i < SERVED; i++) known |= served[i].capability == words[at + 1];
        if (known) continue;
        refuse(words[at + 1], text);
        return true;
    }
    return false;
}

void rp_spirv_note_stated(rp_spirv_reader *r) {
    for (size_t i = 0; i < SERVED; i++)
        if (served[i].others && (r->stated & stated_bit(i)) &&
            !(r->needs & (served[i].need | served[i].others)))
            r->needs |= served[i].need;
}

/* ---- Needs of code --------------------------------------------------------------------------- */

void rp_spirv_note_clock(rp_spirv_reader *r, uint32_t scope) {
    const rp_spirv_id *id = rp_spirv_entry(r, scope);
    bool subgroup = id->known && id->value == SCOPE_SUBGROUP;
    bool device = id->known && id->value == SCOPE_DEVICE;
    if (!device) r->needs |= RP_NEED_SUBGROUP_CLOCK;
    if (!subgroup) r->needs |= RP_NEED_DEVICE_CLOCK;
}

/* What atomics on floats need: of buffers, of workgroup memory. */
typedef struct atomic_needs {
    uint64_t buffer, shared;
} atomic_needs;

static atomic_needs needs_of_floats(uint32_t op, uint32_t bytes) {
    bool adds = op == OP_ATOMIC_FADD, compares = op == OP_ATOMIC_FMIN || op == OP_ATOMIC_FMAX;
    switch (bytes) {
    case 2:
        return adds ? (atomic_needs){RP_NEED_FLOAT16_ADD, RP_NEED_FLOAT16_ADD}
                    : (atomic_needs){RP_NEED_FLOAT16_ATOMICS, RP_NEED_FLOAT16_ATOMICS};
    case 4:
        if (compares) return (atomic_needs){RP_NEED_FLOAT32_MIN_MAX, RP_NEED_FLOAT32_MIN_MAX};
        return adds ? (atomic_needs){RP_NEED_FLOAT32_ADD, RP_NEED_SHARED_FLOAT32_ADD}
                    : (atomic_needs){RP_NEED_FLOAT32_ATOMICS, RP_NEED_SHARED_FLOAT32_ATOMICS};
    case 8:
        if (compares) return (atomic_needs){RP_NEED_FLOAT64_MIN_MAX, RP_NEED_FLOAT64_MIN_MAX};
        return (atomic_needs){RP_NEED_FLOAT64_ATOMICS, RP_NEED_SHARED_FLOAT64_ATOMICS};
    }
    return (atomic_needs){0, 0};
}

void rp_spirv_note_atomic(rp_spirv_reader *r, uint32_t op, uint32_t pointer) {
    const rp_spirv_id *value = rp_spirv_entry(r, rp_spirv_type_of(r, pointer));
    if (rp_spirv_defined_by(r, value) != OP_TYPE_POINTER) return;
    uint32_t memory = r->words[value->at + 2];
    const rp_spirv_id *type = rp_spirv_entry(r, r->words[value->at + 3]);
    atomic_needs needs = {0, 0};
    if (rp_spirv_defined_by(r, type) == OP_TYPE_FLOAT)
        needs = needs_of_floats(op, type->component);
    else if (rp_spirv_defined_by(r, type) == OP_TYPE_INT && type->component == 8)
        needs = (atomic_needs){RP_NEED_INT64_ATOMICS, RP_NEED_SHARED_INT64_ATOMICS};
    if (memory == CLASS_IMAGE && (needs.buffer || needs.shared) && !*r->unsupported)
        snprintf(r->unsupported, sizeof r->unsupported,
                 "atomics on images of floats or of 64 bits: those of r32i and r32ui do");
    r->needs |= memory == CLASS_WORKGROUP ? needs.shared : needs.buffer;
}

/* Whether a subgroup operation on values of the type needs more than that operation. */
static bool is_extended(rp_spirv_reader *r, uint32_t type) {
    const rp_spirv_id *entry = rp_spirv_entry(r, type);
    if (rp_spirv_defined_by(r, entry) == OP_TYPE_VECTOR)
        entry = rp_spirv_entry(r, r->words[entry->at + 2]);
    switch (rp_spirv_defined_by(r, entry)) {
    case OP_TYPE_INT: return r->words[entry->at + 2] != 32;
    case OP_TYPE_FLOAT: return r->words[entry->at + 2] == 16;
    }
    return false;
}

void rp_spirv_note_subgroup(rp_spirv_reader *r, uint32_t op, uint32_t result_type) {
    const uint64_t types = RP_NEED_FLOAT16 | RP_NEED_INT8 | RP_NEED_INT16 | RP_NEED_INT64;
    /* Of values that are compared the type is not known, only that of the answer: when the module
     * has any such type, it may be one. */
    if (op == OP_GROUP_NON_UNIFORM_ALL_EQUAL ? (r->needs & types) != 0
                                             : is_extended(r, result_type))
        r->needs |= RP_NEED_SUBGROUP_TYPES;
}

/* Float controls: what a device must be able to do depends on the width, which the mode states. */
static const struct {
    uint16_t mode;
    uint64_t needs[3]; /* for 16, 32 and 64 bits */
} modes[] = {
    {4459, {RP_NEED_DENORM16, RP_NEED_DENORM32, RP_NEED_DENORM64}}, /* DenormPreserve */
    {4460, {RP_NEED_FLUSH16, RP_NEED_FLUSH32, RP_NEED_FLUSH64}},    /* DenormFlushToZero */
    {4461, {RP_NEED_EXACT16, RP_NEED_EXACT32, RP_NEED_EXACT64}},    /* SignedZeroInfNanPreserve */
    {4462, {RP_NEED_EVEN16, RP_NEED_EVEN32, RP_NEED_EVEN64}},       /* RoundingModeRTE */
    {4463, {RP_NEED_TOWARD_ZERO16, RP_NEED_TOWARD_ZERO32, RP_NEED_TOWARD_ZERO64}},
};

void rp_spirv_note_float_mode(rp_spirv_reader *r, uint32_t mode, uint32_t width) {
    uint32_t column = width == 16 ? 0 : width == 32 ? 1 : 2;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (modes[i].mode == mode) r->needs |= modes[i].needs[column];
}

/* ---- Subgroup size --------------------------------------------------------------------------- */

uint32_t rp_spirv_subgroup_at(const uint32_t *instruction) {
    static const char text[] = RP_SPIRV_SUBGROUP;
    const char *said = (const char *)(instruction + 1), *end = said + (*instruction >> 16) * 4 - 4;
    if (end - said < (ptrdiff_t)sizeof text || memcmp(said, text, sizeof text - 1) != 0) return 0;
    uint32_t size = 0;
    for (said += sizeof text - 1; said < end && *said >= '0' && *said <= '9' && size < 1000; said++)
        size = size * 10 + (uint32_t)(*said - '0');
    return size;
}

uint32_t rp_spirv_subgroup(const uint32_t *words, uint32_t count) {
    for (uint32_t at = RP_SPIRV_HEADER; at < count; at += words[at] >> 16) {
        uint32_t op = words[at] & 0xffff;
        if (op == OP_FUNCTION || op == OP_TYPE_VOID) break;
        if (op == OP_MODULE_PROCESSED && rp_spirv_subgroup_at(words + at))
            return rp_spirv_subgroup_at(words + at);
    }
    return 0;
}
