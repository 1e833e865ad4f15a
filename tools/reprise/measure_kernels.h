/* What `reprise devices --measure` runs: small kernels, each busy with one thing.
 *
 * Every one binds `data`, which holds zeros, `out`, and `control`: how often to repeat, and a mask.
 * No compiler knows that data holds zeros, so what was read can decide where to read next, and what
 * was computed has to be, although nothing is ever written. */
#ifndef CLI_MEASURE_KERNELS_H
#define CLI_MEASURE_KERNELS_H

#define MEASURE_HEAD                                                                               \
    "layout(local_size_x = LOCAL) in;\n"                                                           \
    "layout(binding = 0) readonly buffer Data { uvec4 data[]; };\n"                                \
    "layout(binding = 1) buffer Out { uint result[]; };\n"                                         \
    "layout(binding = 2) readonly buffer Control { uint turns, mask, one, never; };\n"
#define GLSL(...) "#version 450\n" MEASURE_HEAD #__VA_ARGS__
#define GLSL_WITH(extensions, ...) "#version 450\n" extensions MEASURE_HEAD #__VA_ARGS__

/* Nothing. */
static const char measure_empty[] = GLSL(void main() {
    if (turns == never) result[0] = 1u;
});

/* Reads and writes one word of its own: what a dependent dispatch takes beside its start. */
static const char measure_step[] = GLSL(void main() {
    if (gl_GlobalInvocationID.x == 0u) result[0] += one;
});

/* Four loads of 16 bytes at once from each invocation, which then are waited for. A workgroup goes
 * from one 16 KiB to others without order, so that it finds nothing in a cache of its own. */
static const char measure_read[] = GLSL(void main() {
    uint block = gl_WorkGroupID.x * 2654435761u;
    for (uint i = 0u; i < turns; i++) {
        uint at = block * 1024u + gl_LocalInvocationIndex;
        uvec4 a = data[at & mask];
        uvec4 b = data[at + 256u & mask];
        uvec4 c = data[at + 512u & mask];
        uvec4 d = data[at + 768u & mask];
        uvec4 all = a | b | c | d;
        block = block * 1664525u + 1013904223u + (all.x | all.y | all.z | all.w);
    }
    if (block == never) result[0] = block;
});

/* What staging is for: a tile is loaded, and then everybody reads all of it. */
static const char measure_shared[] = GLSL(shared vec4 tile[512]; void main() {
    uint lane = gl_LocalInvocationIndex;
    vec4 sum = vec4(0.0);
    for (uint i = 0u; i < turns; i++) {
        tile[lane] = uintBitsToFloat(data[lane + i & mask]);
        tile[lane + 256u] = uintBitsToFloat(data[lane + 256u + i & mask]);
        barrier();
        for (uint k = 0u; k < 512u; k += 8u) {
            sum += tile[k + lane & 511u] + tile[k + 1u + lane & 511u];
            sum += tile[k + 2u + lane & 511u] + tile[k + 3u + lane & 511u];
            sum += tile[k + 4u + lane & 511u] + tile[k + 5u + lane & 511u];
            sum += tile[k + 6u + lane & 511u] + tile[k + 7u + lane & 511u];
        }
        barrier();
    }
    if (sum.x + sum.y + sum.z + sum.w != 0.0) result[0] = 1u;
});

/* Multiplications and additions in CHAINS independent rows, 16 of each at a time. */
static const char measure_f32[] = GLSL(void main() {
    float a[CHAINS];
    float x = float(one), y = uintBitsToFloat(data[0].x);
    for (uint c = 0u; c < CHAINS; c++) a[c] = float(gl_LocalInvocationIndex + c);
    for (uint i = 0u; i < turns; i++)
        for (uint k = 0u; k < 16u; k++)
            for (uint c = 0u; c < CHAINS; c++) a[c] = fma(a[c], x, y);
    float sum = 0.0;
    for (uint c = 0u; c < CHAINS; c++) sum += a[c];
    if (sum == -1.0) result[0] = 1u;
});

static const char measure_f16[] = GLSL_WITH(
    "#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require\n", void main() {
        f16vec2 a[CHAINS];
        f16vec2 x = f16vec2(float(one)), y = f16vec2(uintBitsToFloat(data[0].x));
        for (uint c = 0u; c < CHAINS; c++) a[c] = f16vec2(float(gl_LocalInvocationIndex + c));
        for (uint i = 0u; i < turns; i++)
            for (uint k = 0u; k < 16u; k++)
                for (uint c = 0u; c < CHAINS; c++) a[c] = fma(a[c], x, y);
        f16vec2 sum = f16vec2(0.0);
        for (uint c = 0u; c < CHAINS; c++) sum += a[c];
        if (float(sum.x + sum.y) == -1.0) result[0] = 1u;
    });

/* Products of four bytes, as kernels compute them without an instruction for it. */
static const char measure_i8[] = GLSL(
    int product(uint u, uint v) {
        ivec4 p = ivec4(u << 24, u << 16, u << 8, u) >> 24;
        ivec4 q = ivec4(v << 24, v << 16, v << 8, v) >> 24;
        p *= q;
        return p.x + p.y + p.z + p.w;
    } void main() {
        int a[CHAINS];
        uint x = one * 0x01010101u + gl_LocalInvocationIndex;
        for (uint c = 0u; c < CHAINS; c++) a[c] = int(data[0].x + c);
        for (uint i = 0u; i < turns; i++)
            for (uint k = 0u; k < 16u; k++)
                for (uint c = 0u; c < CHAINS; c++) a[c] += product(x, uint(a[c]));
        int sum = 0;
        for (uint c = 0u; c < CHAINS; c++) sum ^= a[c];
        if (sum == int(never)) result[0] = 1u;
    });

/* The same with the instruction, of kernels/include/dots.glsl. */
static const char measure_dots[] = GLSL_WITH(
    "#extension GL_EXT_spirv_intrinsics : require\n"
    "spirv_instruction(extensions = [\"SPV_KHR_integer_dot_product\"], capabilities = [6018, "
    "6019], "
    "id = 4450)\n"
    "int dot_i8(int a, int b, spirv_literal int format);\n",
    void main() {
        int a[CHAINS];
        int x = int(one * 0x01010101u + gl_LocalInvocationIndex);
        for (uint c = 0u; c < CHAINS; c++) a[c] = int(data[0].x + c);
        for (uint i = 0u; i < turns; i++)
            for (uint k = 0u; k < 16u; k++)
                for (uint c = 0u; c < CHAINS; c++) a[c] += dot_i8(x, a[c], 0);
        int sum = 0;
        for (uint c = 0u; c < CHAINS; c++) sum ^= a[c];
        if (sum == int(never)) result[0] = 1u;
    });

/* Barriers of a workgroup. */
static const char measure_sync[] = GLSL(shared uint word; void main() {
    uint sum = 0u;
    for (uint i = 0u; i < turns; i++) {
        if (gl_LocalInvocationIndex == 0u) word = i;
        barrier();
        sum += word;
        barrier();
    }
    if (sum == never) result[0] = 1u;
});

/* Products of cooperative matrices, four sums at a time. Types of factors differ by the names of
 * their sizes alone: that is how the compiler tells left from right. */
static const char measure_matrix_f16[] = GLSL_WITH(
    "#extension GL_KHR_memory_scope_semantics : require\n"
    "#extension GL_NV_cooperative_matrix : require\n"
    "#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require\n"
    "layout(constant_id = 0) const uint M = 16u;\n"
    "layout(constant_id = 1) const uint N = 16u;\n"
    "layout(constant_id = 2) const uint K = 16u;\n"
    "layout(constant_id = 3) const uint L = 16u;\n"
    "#define LEFT fcoopmatNV<16, gl_ScopeSubgroup, M, K>\n"
    "#define RIGHT fcoopmatNV<16, gl_ScopeSubgroup, L, N>\n"
    "#define SUM fcoopmatNV<32, gl_ScopeSubgroup, M, N>\n",
    void main() {
        LEFT a = LEFT(float16_t(float(one)));
        RIGHT b = RIGHT(float16_t(uintBitsToFloat(data[0].x)));
        SUM s[4];
        for (uint c = 0u; c < 4u; c++) s[c] = SUM(float(gl_WorkGroupID.x + c));
        for (uint i = 0u; i < turns; i++)
            for (uint c = 0u; c < 4u; c++) s[c] = coopMatMulAddNV(a, b, s[c]);
        float sum = 0.0;
        for (uint c = 0u; c < 4u; c++) sum += s[c][0];
        if (sum == -1.0) result[0] = 1u;
    });

static const char measure_matrix_i8[] = GLSL_WITH(
    "#extension GL_KHR_memory_scope_semantics : require\n"
    "#extension GL_NV_cooperative_matrix : require\n"
    "#extension GL_NV_integer_cooperative_matrix : require\n"
    "#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require\n"
    "layout(constant_id = 0) const uint M = 16u;\n"
    "layout(constant_id = 1) const uint N = 16u;\n"
    "layout(constant_id = 2) const uint K = 32u;\n"
    "layout(constant_id = 3) const uint L = 32u;\n"
    "#define LEFT icoopmatNV<8, gl_ScopeSubgroup, M, K>\n"
    "#define RIGHT icoopmatNV<8, gl_ScopeSubgroup, L, N>\n"
    "#define SUM icoopmatNV<32, gl_ScopeSubgroup, M, N>\n",
    void main() {
        LEFT a = LEFT(int8_t(int(one)));
        RIGHT b = RIGHT(int8_t(int(data[0].x)));
        SUM s[4];
        for (uint c = 0u; c < 4u; c++) s[c] = SUM(int(gl_WorkGroupID.x + c));
        for (uint i = 0u; i < turns; i++)
            for (uint c = 0u; c < 4u; c++) s[c] = coopMatMulAddNV(a, b, s[c]);
        int sum = 0;
        for (uint c = 0u; c < 4u; c++) sum += s[c][0];
        if (sum == int(never)) result[0] = 1u;
    });

/* A copy as the op `copy` makes it. */
static const char measure_copy[] =
    "#version 450\n"
    "layout(local_size_x = LOCAL) in;\n"
    "layout(binding = 0) readonly buffer Data { uint data[]; };\n"
    "layout(binding = 1) writeonly buffer Out { uint result[]; };\n"
    "void main() { result[gl_GlobalInvocationID.x] = data[gl_GlobalInvocationID.x]; }\n";

#endif
