/* Push constants that follow live values: the SPIR-V that reads them from a buffer, and the graph
 * that recorders make of them. */
#include <stdlib.h>
#include <string.h>
#include "graph/graph.h"
#include "kernel/guard.h"
#include "kernel/live_push.h"
#include "reprise/compiler.h"
#include "support/plan_info.h"
#include "support/shader_words.h"
#include "support/unit.h"

/* ---- SPIR-V ---------------------------------------------------------------------------------- */

static const rp_spirv_resource *resource_at(const rp_spirv_reader *r, uint32_t set,
                                            uint32_t binding) {
    for (uint32_t i = 0; i < r->resource_count; i++)
        if (r->resources[i].kind != RP_SPIRV_PUSH_BLOCK && r->resources[i].set == set &&
            r->resources[i].binding == binding)
            return &r->resources[i];
    return NULL;
}

/* Rewrites the words; what comes out is valid, has no push constants, and at that binding a storage
 * block of `size` bytes that is only read. Everything else is what it was. */
static void rewrite(const uint32_t *words, size_t bytes, const char *entry, uint32_t set,
                    uint32_t binding, uint64_t size) {
    const rp_allocator a = rp_allocator_or_default(NULL);
    uint32_t *out = NULL, count = 0;
    char why[512] = "", said[128] = "";
    rp_spirv_reader before, after;
    rp_spirv_reader_init(&before, &a);
    rp_spirv_reader_init(&after, &a);
    CU_ASSERT_EQUAL_FATAL(rp_guard_validate(words, (uint32_t)(bytes / 4), 1 << 20, why), RP_OK);
    CU_ASSERT_EQUAL_FATAL(
        rp_spirv_push_to_buffer(&a, words, (uint32_t)(bytes / 4), set, binding, &out, &count),
        RP_OK);
    rp_status status = rp_guard_validate(out, count, 1 << 20, why);
    if (status != RP_OK) fprintf(stderr, "\n  %s", why);
    CU_ASSERT_EQUAL(status, RP_OK);
    CU_ASSERT_EQUAL_FATAL(
        rp_spirv_read(&before, words, (uint32_t)(bytes / 4), entry, NULL, 0, said), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_spirv_read(&after, out, count, entry, NULL, 0, said), RP_OK);
    CU_ASSERT_EQUAL(after.resource_count, before.resource_count);
    for (uint32_t i = 0; i < after.resource_count; i++) {
        const rp_spirv_resource *x = &before.resources[i], *y = &after.resources[i];
        CU_ASSERT_NOT_EQUAL(y->kind, RP_SPIRV_PUSH_BLOCK);
        CU_ASSERT(x->used == y->used && x->reads == y->reads && x->writes == y->writes);
        CU_ASSERT_EQUAL(x->size, y->size);
    }
    const rp_spirv_resource *block = resource_at(&after, set, binding);
    CU_ASSERT_PTR_NOT_NULL_FATAL(block);
    CU_ASSERT(block->kind == RP_SPIRV_STORAGE_BLOCK && block->readonly);
    CU_ASSERT_EQUAL(block->size, size);
    CU_ASSERT_EQUAL(after.needs, before.needs);
    rp_spirv_reader_free(&before);
    rp_spirv_reader_free(&after);
    rp_release(&a, out);
}

static const char wide[] =
    "#version 450\nlayout(local_size_x = 64) in;\n"
    "struct Pair { vec2 a; float b; };\n"
    "layout(binding = 0) buffer X { float x[]; };\n"
    "layout(binding = 1) readonly buffer M { mat3 m; uint k; vec4 v; } m;\n"
    "layout(push_constant) uniform P {\n"
    "  uint n; float list[6]; vec3 v; layout(row_major) mat4x3 t; Pair pairs[3]; ivec2 at;\n"
    "} p;\n"
    "float sum(uint i) { float s = 0; for (uint k = 0; k < p.n; k++) s += p.list[(k + i) % 6];\n"
    "  return s; }\n"
    "void main() {\n"
    "  uint i = gl_GlobalInvocationID.x;\n"
    "  vec3 r = p.t * m.v + p.v * m.m;\n"
    "  Pair q = p.pairs[i % 3];\n"
    "  if (i < p.n) x[i] = sum(i) + r.x + q.a.y * q.b + float(p.at.y) + float(m.k);\n"
    "}\n";

/* Both forms that the front end has: optimised, and as the author wrote it, with names. */
static void test_glsl(void) {
    rp_kernel_module m;
    rp_diags *diags = rp_diags_create(NULL);
    const rp_kernel_params params = {.size = sizeof params, .name = "wide", .glsl = wide};
    CU_ASSERT_EQUAL_FATAL(rp_kernel_build(NULL, &params, diags, NULL, 0, 0, &m), RP_OK);
    CU_ASSERT_EQUAL(m.push_bytes, 152);
    rewrite(m.words, (size_t)m.word_count * 4, "main", 1, 0, 152);
    rewrite(m.interface, (size_t)m.interface_count * 4, "main", 3, 200, 152);
    rp_kernel_free(&m);
    rp_diags_destroy(diags);
}

/* Pointers to one type in both classes, declared in either order; two entry points with a block
 * each. */
#define HEAD(extension)                                                                            \
    "OpCapability Shader\n" extension "OpMemoryModel Logical GLSL450\n"                            \
    "OpEntryPoint GLCompute %main \"main\" %X %P\n"                                                \
    "OpEntryPoint GLCompute %other \"other\" %X %Q\n"                                              \
    "OpExecutionMode %main LocalSize 64 1 1\nOpExecutionMode %other LocalSize 1 1 1\n"             \
    "OpName %ptr_push \"pointer\"\n"                                                               \
    "OpDecorate %Block Block\nOpMemberDecorate %Block 0 Offset 0\n"                                \
    "OpMemberDecorate %Block 1 Offset 4\nOpDecorate %run ArrayStride 4\n"                          \
    "OpDecorate %Data Block\nOpMemberDecorate %Data 0 Offset 0\n"                                  \
    "OpDecorate %X DescriptorSet 0\nOpDecorate %X Binding 0\n"                                     \
    "%void = OpTypeVoid\n%fn = OpTypeFunction %void\n%uint = OpTypeInt 32 0\n"                     \
    "%zero = OpConstant %uint 0\n%one = OpConstant %uint 1\n"                                      \
    "%run = OpTypeRuntimeArray %uint\n%Data = OpTypeStruct %run\n"                                 \
    "%Block = OpTypeStruct %uint %uint\n"
#define STORAGE                                                                                    \
    "%ptr_data = OpTypePointer StorageBuffer %Data\n%ptr_word = OpTypePointer StorageBuffer "      \
    "%uint\n%X = OpVariable %ptr_data StorageBuffer\n"
#define PUSH                                                                                       \
    "%ptr_block = OpTypePointer PushConstant %Block\n%ptr_push = OpTypePointer PushConstant "      \
    "%uint\n%P = OpVariable %ptr_block PushConstant\n%Q = OpVariable %ptr_block PushConstant\n"
#define CODE(name, block, member)                                                                  \
    "%" name " = OpFunction %void None %fn\n%" name "_1 = OpLabel\n%" name                         \
    "_2 = OpAccessChain %ptr_push %" block " %" member "\n%" name "_3 = OpLoad %uint %" name       \
    "_2\n%" name "_4 = OpAccessChain %ptr_word %X %zero %" name "_3\nOpStore %" name "_4 %" name   \
    "_3\nOpReturn\nOpFunctionEnd\n"

static void rewrite_text(const char *text, uint32_t version) {
    size_t size = 0;
    uint32_t *words = rp_assemble(text, version, &size);
    rewrite(words, size, "main", 1, 0, 8);
    rewrite(words, size, "other", 1, 0, 8);
    free(words);
}

static void test_assembly(void) {
    rewrite_text(HEAD("") STORAGE PUSH CODE("main", "P", "zero") CODE("other", "Q", "one"),
                 0x00010500);
    rewrite_text(HEAD("") PUSH STORAGE CODE("main", "P", "one") CODE("other", "Q", "one"),
                 0x00010500);
    rewrite_text(HEAD("OpExtension \"SPV_KHR_storage_buffer_storage_class\"\n")
                     PUSH STORAGE CODE("main", "P", "one") CODE("other", "Q", "zero"),
                 0x00010500);
}

/* Older than class StorageBuffer: the module has none, and the extension comes with the block. */
static void test_old(void) {
    static const char text[] =
        "OpCapability Shader\nOpMemoryModel Logical GLSL450\n"
        "OpEntryPoint GLCompute %main \"main\"\nOpExecutionMode %main LocalSize 64 1 1\n"
        "OpDecorate %Block Block\nOpMemberDecorate %Block 0 Offset 0\n"
        "OpDecorate %run ArrayStride 4\nOpDecorate %Data BufferBlock\n"
        "OpMemberDecorate %Data 0 Offset 0\nOpDecorate %X DescriptorSet 0\nOpDecorate %X Binding "
        "0\n"
        "%void = OpTypeVoid\n%fn = OpTypeFunction %void\n%uint = OpTypeInt 32 0\n"
        "%zero = OpConstant %uint 0\n%run = OpTypeRuntimeArray %uint\n%Data = OpTypeStruct %run\n"
        "%Block = OpTypeStruct %uint\n"
        "%ptr_data = OpTypePointer Uniform %Data\n%ptr_word = OpTypePointer Uniform %uint\n"
        "%X = OpVariable %ptr_data Uniform\n"
        "%ptr_block = OpTypePointer PushConstant %Block\n"
        "%ptr_push = OpTypePointer PushConstant %uint\n%P = OpVariable %ptr_block "
        "PushConstant\n" CODE("main", "P", "zero");
    size_t size = 0;
    uint32_t *words = rp_assemble(text, 0x00010000, &size);
    rewrite(words, size, "main", 0, 7, 4);
    free(words);
}

/* ---- Graphs ---------------------------------------------------------------------------------- */

static const char scale[] =
    "#version 450\nlayout(local_size_x = 64) in;\n"
    "layout(binding = 0) readonly buffer X { float x[]; };\n"
    "layout(binding = 1) buffer Y { float y[]; };\n"
    "layout(push_constant) uniform P { uint n; float factor, offset; uint seed[2]; };\n"
    "void main() { uint i = gl_GlobalInvocationID.x;\n"
    "  if (i < n) y[i] = x[i] * factor + offset + float(seed[i % 2]); }\n";
/* The same push data, and all four sets. */
static const char full[] =
    "#version 450\nlayout(local_size_x = 64) in;\n"
    "layout(set = 0, binding = 0) readonly buffer X { float x[]; };\n"
    "layout(set = 3, binding = 0) buffer Y { float y[]; };\n"
    "layout(set = 3, binding = 2) readonly buffer Z { float z[]; };\n"
    "layout(push_constant) uniform P { uint n; float factor, offset; uint seed[2]; };\n"
    "void main() { uint i = gl_GlobalInvocationID.x;\n"
    "  if (i < n) y[i] = z[i] + x[i] * factor + offset + float(seed[i % 2]); }\n";

typedef struct session {
    rp_diags *diags;
    rp_program *p;
    rp_recorder *r;
    rp_buffer x, y, gain, seeds;
    rp_kernel scale, full;
} session;

static session s;

static rp_buffer buffer(const char *name, rp_buffer_kind kind, rp_dtype dtype, uint64_t count) {
    rp_buffer b;
    const rp_buffer_params params = {.size = sizeof params,
                                     .name = name,
                                     .kind = kind,
                                     .dtype = dtype,
                                     .rank = 1,
                                     .shape = {count}};
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(s.p, &params, s.diags, &b), RP_OK);
    return b;
}

static rp_kernel kernel(const char *name, const char *glsl) {
    rp_kernel k;
    const rp_kernel_params params = {.size = sizeof params, .name = name, .glsl = glsl};
    CU_ASSERT_EQUAL_FATAL(rp_program_kernel(s.p, &params, s.diags, &k), RP_OK);
    return k;
}

static void begin(void) {
    s = (session){.diags = rp_diags_create(NULL)};
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "live", &s.p), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(s.p, &s.r), RP_OK);
    s.x = buffer("x", RP_IN, RP_F32, 64);
    s.y = buffer("y", RP_INOUT, RP_F32, 64);
    s.gain = buffer("gain", RP_LIVE, RP_F32, 4);
    s.seeds = buffer("seeds", RP_LIVE, RP_U32, 3);
    s.scale = kernel("scale", scale);
    s.full = kernel("full", full);
}

static void end(void) {
    rp_recorder_destroy(s.r);
    rp_program_destroy(s.p);
    rp_diags_destroy(s.diags);
}

/* The graph's lines that begin with a word, without the hashes of kernels. */
static void lines(const rp_graph *g, const char *word, char *out, size_t size) {
    char *text = NULL;
    size_t used = 0;
    *out = '\0';
    CU_ASSERT_EQUAL_FATAL(rp_graph_print(g, RP_FORMAT_TEXT, &text, NULL), RP_OK);
    for (char *line = text; *line;) {
        size_t length = strcspn(line, "\n"), indent = strspn(line, " ");
        if (strncmp(line + indent, word, strlen(word)) == 0) {
            char *hash = strstr(line, " spirv ");
            if (hash && hash < line + length) memcpy(hash + 7, "################", 16);
            used += (size_t)snprintf(out + used, size - used, "%.*s\n", (int)(length - indent),
                                     line + indent);
        }
        line += length + (line[length] == '\n');
    }
    rp_text_release(g, text);
}

static rp_graph *finish(void) {
    rp_graph *g = NULL;
    rp_status status = rp_program_graph(s.p, &s.r, 1, s.diags, &g);
    for (uint32_t i = 0; i < rp_diags_count(s.diags); i++)
        fprintf(stderr, "\n  %s", rp_diags_get(s.diags, i).message);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    return g;
}

static void holds(const rp_graph *g, const char *word, const char *wanted) {
    char got[2000];
    lines(g, word, got, sizeof got);
    CU_ASSERT_STRING_EQUAL(got, wanted);
    if (strcmp(got, wanted) != 0) fprintf(stderr, "\n%s", got);
}

static void push_numbers(float factor) {
    const struct {
        uint32_t n;
        float factor, offset;
        uint32_t seed[2];
    } push = {64, factor, 0.5f, {1, 2}};
    rp_push(s.r, 0, &push, sizeof push);
}

static void test_graph(void) {
    begin();
    rp_bind_kernel(s.r, s.scale);
    rp_bind(s.r, 0, (rp_range){s.x});
    rp_bind(s.r, 1, (rp_range){s.y});
    push_numbers(2);
    rp_dispatch(s.r, 1, 1, 1); /* n0: as ever */
    rp_push_live(s.r, 4, (rp_range){s.gain, 4, 4});
    rp_dispatch(s.r, 1, 1, 1);                      /* n1 */
    rp_push_live(s.r, 8, (rp_range){s.gain, 8, 4}); /* behind it, as in the block: one piece */
    rp_push_live(s.r, 12, (rp_range){s.seeds, 4, 0});
    rp_dispatch(s.r, 1, 1, 1); /* n2 */
    rp_bind_access(s.r, 0, 1, RP_WRITE);
    rp_dispatch_live(s.r, "seeds", "1", "1");              /* n3: shares n2's block */
    rp_dispatch_indirect(s.r, (rp_range){s.seeds, 0, 12}); /* n4 */
    push_numbers(3);
    rp_bind_access(s.r, 0, 1, RP_READ_WRITE);
    rp_dispatch(s.r, 1, 1, 1); /* n5: nothing follows any more */
    rp_bind_kernel(s.r, s.full);
    rp_bind(s.r, 0, (rp_range){s.x});
    rp_bind_in_set(s.r, 3, 0, (rp_range){s.y});
    rp_bind_in_set(s.r, 3, 2, (rp_range){s.x});
    push_numbers(2);
    rp_push_live(s.r, 4, (rp_range){s.gain, 4, 4});
    rp_dispatch(s.r, 1, 1, 1); /* n6: shares n1's block */
    push_numbers(2.5f);
    rp_push_live(s.r, 8, (rp_range){s.gain, 0, 4});
    rp_dispatch(s.r, 1, 1, 1); /* n7: another constant, another block */
    rp_graph *g = finish();
    holds(g, "buf",
          "buf $x in f32[64]\nbuf $y inout f32[64]\nbuf $gain live f32[4]\n"
          "buf $seeds live u32[3]\n"
          "buf $push-1 live 20 = 40000000 00000000 0000003f 01000000 02000000 follows "
          "$gain[4+4] at 4\n"
          "buf $push-2 live 20 = 40000000 00000000 00000000 00000000 00000000 follows "
          "$gain[4+8] at 4, $seeds[4+8] at 12\n"
          "buf $push-3 live 20 = 40000000 00002040 00000000 01000000 02000000 follows "
          "$gain[0+4] at 8\n");
    holds(g, "kern",
          "kern @scale spirv ################ local 64 1 1 push 20 (r, rw)\n"
          "kern @full spirv ################ local 64 1 1 push 20 (r, rw 3.0, r 3.2)\n"
          "kern @scale-live spirv ################ local 64 1 1 (r, rw, r 1.0)\n"
          "kern @scale-live-w1 spirv ################ local 64 1 1 (r, w, r 1.0)\n"
          "kern @full-live spirv ################ local 64 1 1 (r, rw 3.0, r 3.2, r 3.1)\n");
    char got[2000];
    lines(g, "n", got, sizeof got);
    static const char *const wanted[] = {
        "n0 = run @scale grid 1 1 1 push 40000000 00000040 0000003f 01000000 02000000 (r $x, rw "
        "$y)\n",
        "n1 = run @scale-live grid 1 1 1 (r $x, rw $y, r $push-1)\n",
        "n2 = run @scale-live grid 1 1 1 (r $x, rw $y, r $push-2)\n",
        "n3 = run @scale-live-w1 grid {$seeds} 1 1 (r $x, w $y, r $push-2)\n",
        "n4 = run @scale-live-w1 grid indirect $seeds (r $x, w $y, r $push-2)\n",
        "n5 = run @scale grid 1 1 1 push 40000000 00004040 0000003f 01000000 02000000 (r $x, rw "
        "$y)\n",
        "n6 = run @full-live grid 1 1 1 (r $x, rw $y, r $x, r $push-1)\n",
        "n7 = run @full-live grid 1 1 1 (r $x, rw $y, r $x, r $push-3)\n"};
    for (uint32_t i = 0; i < 8; i++) CU_ASSERT_PTR_NOT_NULL(strstr(got, wanted[i]));
    if (!strstr(got, wanted[7])) fprintf(stderr, "\n%s", got);

    /* The whole way to a plan that is proven, at both levels. */
    for (int level = 0; level < 2; level++) {
        rp_plan *plan = NULL;
        const rp_pass_options options = {
            .size = sizeof options, .pipeline = rp_pass_level(level), .verify_each = 1};
        CU_ASSERT_EQUAL(rp_compile(g, &options, s.diags, &plan, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_plan_check(plan, g, s.diags, NULL), RP_OK);
        uint32_t following = 0;
        for (uint32_t i = 0; i < rp_plan_buffer_count(plan); i++) {
            rp_plan_buffer_info info = plan_buffer(plan, i);
            CU_ASSERT_EQUAL(info.follows, strncmp(info.name, "push-", 5) == 0);
            following += (uint32_t)info.follows;
        }
        CU_ASSERT_EQUAL(following, 3);
        rp_plan_destroy(plan);
    }
    rp_graph_destroy(g);
    end();
}

/* A block that the code does not use takes anything, and nothing follows. */
static void test_unused(void) {
    begin();
    static const char glsl[] = "#version 450\nlayout(local_size_x = 64) in;\n"
                               "layout(binding = 0) buffer Y { float y[]; };\n"
                               "layout(push_constant) uniform P { uint n; };\n"
                               "void main() { y[gl_GlobalInvocationID.x] += 1; }\n";
    rp_bind_kernel(s.r, kernel("unused", glsl));
    rp_bind(s.r, 0, (rp_range){s.y});
    rp_push_live(s.r, 0, (rp_range){s.seeds, 0, 4});
    rp_dispatch(s.r, 1, 1, 1);
    rp_graph *g = finish();
    CU_ASSERT_EQUAL(g->nodes_count, 1);
    CU_ASSERT_EQUAL(g->nodes[0].use_count, 1);
    CU_ASSERT_EQUAL(rp_graph_find_buffer(g, "push-1"), RP_NONE);
    rp_graph_destroy(g);
    end();
}

int main(void) {
    const rp_test tests[] = {{"GLSL", test_glsl},      {"assembly", test_assembly},
                             {"old SPIR-V", test_old}, {"graph", test_graph},
                             {"unused", test_unused},  {NULL, NULL}};
    return rp_run_tests("live push data", tests);
}
