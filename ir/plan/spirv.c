/* A SPIR-V module is a header of five words and then instructions, each of which starts with its
 * length: that much can be checked without a table of the language, and is enough to find the
 * capabilities (they come first) and the entry points.
 *
 * What a device must be able to do is read from the capabilities rather than asked of the front
 * end: they are the module's own statement, so a plan cannot promise less than its kernels use. Two
 * needs have no capability, scalar and std430 uniform layout: spirv_layout.c finds those. */
#include "plan/spirv.h"

#include <stdio.h>
#include <string.h>
#include "plan/format.h"

enum {
    SPIRV_MAGIC = 0x07230203,
    SPIRV_VERSION_MAX = 0x00010500, /* what Vulkan 1.2 accepts */
    OP_ENTRY_POINT = 15,
    OP_EXECUTION_MODE = 16,
    OP_CAPABILITY = 17,
    OP_TYPE_IMAGE = 25,
    OP_TYPE_SAMPLER = 26,
    OP_TYPE_SAMPLED_IMAGE = 27,
    GL_COMPUTE = 5
};

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
    {5357, "cooperative matrices"},
    {6022, "cooperative matrices"},
    {6033, "32-bit float atomics"},
    {6034, "64-bit float atomics"},
};

static void note_capability(uint32_t capability, rp_spirv_info *out) {
    for (size_t i = 0; i < sizeof served / sizeof *served; i++) {
        if (served[i].capability != capability) continue;
        out->needs |= served[i].need;
        return;
    }
    if (*out->unsupported) return; /* the first one is enough */
    const char *name = "no name known";
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (refused[i].capability == capability) name = refused[i].name;
    snprintf(out->unsupported, sizeof out->unsupported, "SPIR-V capability %u (%s)", capability,
             name);
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

static void note_mode(uint32_t mode, uint32_t width, rp_spirv_info *out) {
    uint32_t column = width == 16 ? 0 : width == 32 ? 1 : 2;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (modes[i].mode == mode) out->needs |= modes[i].needs[column];
}

/* Storage images of the common formats need no capability beyond Shader. */
static void note_type(uint32_t op, rp_spirv_info *out) {
    if (op < OP_TYPE_IMAGE || op > OP_TYPE_SAMPLED_IMAGE || *out->unsupported) return;
    snprintf(out->unsupported, sizeof out->unsupported, "images and samplers");
}

/* Whether an OpEntryPoint of `length` words is the compute entry point `entry`. */
static bool is_entry(const uint32_t *op, uint32_t length, const char *entry) {
    if (length < 4 || op[1] != GL_COMPUTE) return false;
    size_t name = strlen(entry) + 1; /* the terminator must be there too */
    return name <= (size_t)(length - 3) * 4 && memcmp(op + 3, entry, name) == 0;
}

static bool check_header(const uint32_t *words, uint32_t count, char why[128]) {
    if (count < 5) {
        snprintf(why, 128, "%u words are fewer than the 5 of a SPIR-V header", count);
        return false;
    }
    if (words[0] != SPIRV_MAGIC) {
        snprintf(why, 128, "the first word is %08x, SPIR-V starts with 07230203", words[0]);
        return false;
    }
    if (words[1] < 0x00010000 || words[1] > SPIRV_VERSION_MAX) {
        snprintf(why, 128, "SPIR-V version word %08x, 1.0 to 1.5 are allowed", words[1]);
        return false;
    }
    return true;
}

bool rp_spirv_scan(const uint32_t *words, uint32_t count, const char *entry, rp_spirv_info *out,
                   char why[128]) {
    *out = (rp_spirv_info){0};
    if (!check_header(words, count, why)) return false;
    bool found = false;
    for (uint32_t at = 5; at < count;) {
        uint32_t length = words[at] >> 16, op = words[at] & 0xffff;
        if (length == 0 || length > count - at) {
            snprintf(why, 128, "SPIR-V word %u: an instruction of %u words where %u are left", at,
                     length, count - at);
            return false;
        }
        if (op == OP_CAPABILITY && length == 2) note_capability(words[at + 1], out);
        if (op == OP_ENTRY_POINT && is_entry(words + at, length, entry)) found = true;
        if (op == OP_EXECUTION_MODE && length == 4) note_mode(words[at + 2], words[at + 3], out);
        note_type(op, out);
        at += length;
    }
    if (!found) snprintf(why, 128, "there is no compute entry point '%.64s'", entry);
    return found;
}
