/* What a device must be able to do, from a module's capabilities: they are its own statement, so a
 * plan cannot promise less than its kernels use. They hold for the whole module, whichever entry
 * point runs. Three needs have no capability: scalar and std430 uniform layout, which types.c finds,
 * and the types of subgroup operations, which code.c finds where they are reached.
 */
#include <stdio.h>
#include "plan/format.h"
#include "spirv/reader.h"

/* Capabilities that a kernel may state: number, the need behind it (0: every device has it). */
static const struct {
    uint16_t capability;
    uint64_t need;
} served[] = {
    {0, 0},                                  /* Matrix */
    {1, 0},                                  /* Shader */
    {9, RP_NEED_FLOAT16},                    /* Float16 */
    {10, RP_NEED_FLOAT64},                   /* Float64 */
    {11, RP_NEED_INT64},                     /* Int64 */
    {12, RP_NEED_INT64_ATOMICS},             /* Int64Atomics */
    {22, RP_NEED_INT16},                     /* Int16 */
    {39, RP_NEED_INT8},                      /* Int8 */
    {61, RP_NEED_SUBGROUP_BASIC},            /* GroupNonUniform */
    {62, RP_NEED_SUBGROUP_VOTE},             /* GroupNonUniformVote */
    {63, RP_NEED_SUBGROUP_ARITHMETIC},       /* GroupNonUniformArithmetic */
    {64, RP_NEED_SUBGROUP_BALLOT},           /* GroupNonUniformBallot */
    {65, RP_NEED_SUBGROUP_SHUFFLE},          /* GroupNonUniformShuffle */
    {66, RP_NEED_SUBGROUP_SHUFFLE_RELATIVE}, /* GroupNonUniformShuffleRelative */
    {67, RP_NEED_SUBGROUP_CLUSTERED},        /* GroupNonUniformClustered */
    {68, RP_NEED_SUBGROUP_QUAD},             /* GroupNonUniformQuad */
    {4423, RP_NEED_SUBGROUP_BALLOT},         /* SubgroupBallotKHR */
    {4431, RP_NEED_SUBGROUP_VOTE},           /* SubgroupVoteKHR */
    {4433, RP_NEED_STORAGE16},               /* StorageBuffer16BitAccess */
    {4434, RP_NEED_UNIFORM16},               /* UniformAndStorageBuffer16BitAccess */
    {4448, RP_NEED_STORAGE8},                /* StorageBuffer8BitAccess */
    {4449, RP_NEED_UNIFORM8},                /* UniformAndStorageBuffer8BitAccess */
    {4464, 0},                               /* DenormPreserve; see modes */
    {4465, 0},                               /* DenormFlushToZero */
    {4466, 0},                               /* SignedZeroInfNanPreserve */
    {4467, 0},                               /* RoundingModeRTE */
    {4468, 0},                               /* RoundingModeRTZ */
    {5345, RP_NEED_MEMORY_MODEL},            /* VulkanMemoryModel */
    {5347, RP_NEED_DEVICE_ADDRESS},          /* PhysicalStorageBufferAddresses */
    {6016, RP_NEED_INT_DOT},                 /* DotProductInputAll */
    {6017, RP_NEED_INT_DOT},                 /* DotProductInput4x8Bit */
    {6018, RP_NEED_INT_DOT},                 /* DotProductInput4x8BitPacked */
    {6019, RP_NEED_INT_DOT},                 /* DotProduct */
    {6022, RP_NEED_COOPERATIVE_MATRIX},      /* CooperativeMatrixKHR */
};

/* Names for those refused that people are likely to meet; the rest are known by their number. */
static const struct {
    uint16_t capability;
    const char *name;
} refused[] = {
    {5, "linkage"},
    {6, "OpenCL kernels"},
    {28, "arrays of uniform buffers"},
    {30, "arrays of storage buffers"},
    {46, "texel buffers"},
    {47, "texel buffers"},
    {50, "images"},
    {4435, "16-bit push constants"},
    {4441, "variable pointers"},
    {4442, "variable pointers"},
    {4450, "8-bit push constants"},
    {4472, "ray queries"},
    {4479, "ray tracing"},
    {5055, "shader clocks"},
    {5301, "arrays of buffers"},
    {5302, "arrays of buffers"},
    {5346, "device scope in the memory model"},
    {5357, "cooperative matrices of SPV_NV_cooperative_matrix"},
    {6033, "32-bit float atomics"},
    {6034, "64-bit float atomics"},
};

void rp_spirv_note_capability(rp_spirv_reader *r, uint32_t capability) {
    for (size_t i = 0; i < sizeof served / sizeof *served; i++) {
        if (served[i].capability != capability) continue;
        r->needs |= served[i].need;
        return;
    }
    if (*r->unsupported) return; /* the first one is enough */
    const char *name = "no name known";
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (refused[i].capability == capability) name = refused[i].name;
    snprintf(r->unsupported, sizeof r->unsupported, "SPIR-V capability %u (%s)", capability, name);
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
