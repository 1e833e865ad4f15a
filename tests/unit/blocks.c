/* Members of blocks from C: where they lie, and numbers that are put there. C structs are the
 * reference, written out as the layouts of GLSL prescribe. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "graph/graph.h"
#include "kernel/kernel.h"
#include "reprise/compiler.h"
#include "support/shader_words.h"
#include "support/unit.h"

static const char glsl[] =
    "#version 450\n"
    "struct Light { vec3 at; float power; vec2 spot[2]; };\n"
    "layout(std140, binding = 0) uniform Scene { mat3 view; Light lights[2]; bool on; } scene;\n"
    "layout(std430, set = 1, binding = 2) readonly buffer Table { uint count; vec2 rows[]; } "
    "table;\n"
    "layout(binding = 3) writeonly buffer Y { float y[]; };\n"
    "layout(push_constant, std430) uniform Push { vec3 eye; layout(offset = 32) float near[2]; };\n"
    "void main() {\n"
    "    y[0] = scene.view[0].x + scene.lights[1].power + float(scene.on) + "
    "table.rows[table.count].x +\n"
    "           eye.x + near[1];\n"
    "}\n";

/* std140. */
typedef struct light {
    float at[3], power, spot[2][4];
} light;
typedef struct scene {
    float view[3][4];
    light lights[2];
    uint32_t on, rest[3];
} scene;

static rp_diags *diags;
static rp_program *program;
static rp_kernel kernel;

static void create(void) {
    const rp_kernel_params params = {.size = sizeof params, .name = "k", .glsl = glsl};
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "blocks", &program), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_program_kernel(program, &params, diags, &kernel), RP_OK);
}

static rp_block_member member(uint32_t set, uint32_t binding, const char *path) {
    rp_block_member m = {.size = sizeof m};
    rp_status status = rp_program_member(program, kernel, set, binding, path, diags, &m);
    CU_ASSERT_EQUAL(status, RP_OK);
    return m;
}

static void test_members(void) {
    static const struct {
        const char *path;
        uint64_t offset, bytes, numbers;
        rp_dtype dtype;
    } want[] = {
        {"", 0, offsetof(scene, on) + 4, 0, RP_RAW},
        {"view", 0, 16 + 16 + 12, 36, RP_F32},
        {"view[2]", 32, 12, 12, RP_F32},
        {"view[1][2]", 24, 4, 4, RP_F32},
        {"lights[1]", offsetof(scene, lights[1]), offsetof(light, spot) + 16 + 8, 0, RP_RAW},
        {"lights[1].power", offsetof(scene, lights[1].power), 4, 4, RP_F32},
        {"lights[0].spot", offsetof(scene, lights[0].spot), 24, 16, RP_F32},
        {"lights[0].spot[1]", offsetof(scene, lights[0].spot[1]), 8, 8, RP_F32},
        {"on", offsetof(scene, on), 4, 4, RP_U32},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        rp_block_member m = member(0, 0, want[i].path);
        CU_ASSERT_EQUAL(m.offset, want[i].offset);
        CU_ASSERT_EQUAL(m.bytes, want[i].bytes);
        CU_ASSERT_EQUAL(m.number_bytes, want[i].numbers);
        CU_ASSERT_EQUAL(m.dtype, want[i].dtype);
    }
    CU_ASSERT_EQUAL(member(1, 2, "rows").offset, 8);
    CU_ASSERT_EQUAL(member(1, 2, "rows").number_bytes, 0); /* nobody knows how many */
    CU_ASSERT_EQUAL(member(1, 2, "rows[7]").offset, 8 + 7 * 8);
    CU_ASSERT_EQUAL(member(RP_PUSH_SET, 0, "near[1]").offset, 36);
    /* An older caller's struct. */
    uint64_t old[2] = {sizeof old, 77};
    CU_ASSERT_EQUAL(rp_program_member(program, kernel, 0, 0, "on", diags, (void *)old), RP_OK);
    CU_ASSERT_EQUAL(old[1], offsetof(scene, on));
}

static void pack(const char *path, const void *numbers, size_t size, void *block, size_t room) {
    CU_ASSERT_EQUAL(rp_program_pack(program, kernel, 0, 0, path, numbers, size, block, room, diags),
                    RP_OK);
}

static void test_pack(void) {
    scene want = {.view = {{1, 2, 3, -1}, {4, 5, 6, -1}, {7, 8, 9, -1}}}, got;
    memset(&got, 0xcc, sizeof got);
    memset(&want.lights, 0xcc, sizeof want.lights);
    memset(want.rest, 0xcc, sizeof want.rest);
    for (int i = 0; i < 3; i++) memset(&want.view[i][3], 0xcc, 4); /* gaps stay as they are */
    want.on = 1;
    want.lights[1].power = 0.5f;
    want.lights[1].spot[0][0] = 1, want.lights[1].spot[0][1] = 2;
    want.lights[1].spot[1][0] = 3, want.lights[1].spot[1][1] = 4;
    pack("view", (float[]){1, 2, 3, 4, 5, 6, 7, 8, 9}, 36, &got, sizeof got);
    pack("lights[1].power", &(float){0.5f}, 4, &got, sizeof got);
    pack("lights[1].spot", (float[]){1, 2, 3, 4}, 16, &got, sizeof got);
    pack("on", &(uint32_t){1}, 4, &got, offsetof(scene, rest));
    CU_ASSERT_EQUAL(memcmp(&want, &got, sizeof got), 0);
}

/* What is wrong changes nothing. */
static void refuse(rp_status wanted, uint32_t set, const char *path, size_t size, size_t room,
                   const char *why) {
    uint8_t block[256], before[256];
    float numbers[16] = {0};
    memset(block, 0xcc, sizeof block);
    memset(before, 0xcc, sizeof before);
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(
        rp_program_pack(program, kernel, set, 0, path, numbers, size, block, room, diags), wanted);
    CU_ASSERT_EQUAL(memcmp(block, before, sizeof block), 0);
    CU_ASSERT_EQUAL_FATAL(rp_diags_count(diags), 1);
    const char *said = rp_diags_get(diags, 0).message;
    CU_ASSERT_PTR_NOT_NULL(strstr(said, why));
    if (!strstr(said, why)) fprintf(stderr, "  wanted '%s', got '%s'\n", why, said);
}

static void test_mistakes(void) {
    refuse(RP_ERROR_NOT_FOUND, 0, "far", 4, 256, "there is no member 'far'");
    refuse(RP_ERROR_NOT_FOUND, 0, "lights.power", 4, 256, "there is no member 'power'");
    refuse(RP_ERROR_NOT_FOUND, 0, "lights[2].power", 4, 256, "element 2 of 2");
    refuse(RP_ERROR_NOT_FOUND, 0, "lights[x]", 4, 256, "there is no element");
    refuse(RP_ERROR_NOT_FOUND, 0, "lights[0", 4, 256, "there is no element");
    refuse(RP_ERROR_NOT_FOUND, 0, "on[0]", 4, 256, "'[0]' begins at u32: there is no element");
    refuse(RP_ERROR_NOT_FOUND, 0, "on.", 4, 256, "there is no member ''");
    refuse(RP_ERROR_NOT_FOUND, 2, "on", 4, 256, "block 0 in set 2 of kernel 'k': there is no such");
    refuse(RP_ERROR_INVALID, 0, "lights[0]", 4, 256, "no sequence of numbers");
    refuse(RP_ERROR_INVALID, 0, "", 4, 256, "no sequence of numbers");
    refuse(RP_ERROR_INVALID, 0, "view", 40, 256, "has 36 bytes of numbers");
    refuse(RP_ERROR_INVALID, 0, "on", 4, offsetof(scene, on) + 3, "for a block of");
    refuse(RP_ERROR_INVALID, RP_PUSH_SET, "near", 8, 39, "push-constant block of kernel 'k'");
    uint8_t block[64];
    rp_block_member m = {.size = sizeof m};
    CU_ASSERT_EQUAL(rp_program_member(NULL, kernel, 0, 0, "on", NULL, &m), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_member(program, kernel, 0, 0, NULL, NULL, &m), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_member(program, kernel, 0, 0, "on", NULL, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_member(program, (rp_kernel){0}, 0, 0, "on", NULL, &m),
                    RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_pack(NULL, kernel, 0, 0, "on", block, 4, block, 64, NULL),
                    RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_pack(program, kernel, 0, 0, "on", NULL, 4, block, 64, NULL),
                    RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_pack(program, kernel, 0, 0, "on", block, 4, NULL, 64, NULL),
                    RP_ERROR_USAGE);
}

/* Padding of a push-constant block need not be set. */
static void test_push_padding(void) {
    const rp_buffer_params params = {.size = sizeof params,
                                     .name = "y",
                                     .kind = RP_INOUT,
                                     .dtype = RP_F32,
                                     .rank = 1,
                                     .shape = {256}};
    rp_buffer y;
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &params, diags, &y), RP_OK);
    for (int both = 0; both < 2; both++) {
        rp_recorder *r;
        rp_graph *g = NULL;
        uint8_t push[40] = {0};
        CU_ASSERT_EQUAL_FATAL(rp_recorder_create(program, &r), RP_OK);
        rp_bind_kernel(r, kernel);
        rp_bind(r, 0, (rp_range){y, 0, 256});
        rp_bind_in_set(r, 1, 2, (rp_range){y, 256, 256});
        rp_bind(r, 3, (rp_range){y, 512, 256});
        rp_push(r, 0, push, 12);
        if (both) rp_push(r, 32, push, 8);
        rp_dispatch(r, 1, 1, 1);
        rp_diags_clear(diags);
        CU_ASSERT_EQUAL(rp_program_graph(program, &r, 1, diags, &g),
                        both ? RP_OK : RP_ERROR_INVALID);
        if (!both)
            CU_ASSERT_PTR_NOT_NULL(strstr(rp_diags_get(diags, 0).message, "push bytes 32 to 35"));
        rp_graph_destroy(g);
        rp_recorder_destroy(r);
    }
}

/* ---- Modules that nobody compiled ------------------------------------------------------------ */

/* A struct that holds two of the struct before it, and so on: 2^16 numbers from a page of words; 2^14 are the most. */
static void test_many_parts(void) {
    char text[8192];
    int used = snprintf(text, sizeof text,
                        "OpCapability Shader\nOpMemoryModel Logical GLSL450\n"
                        "OpEntryPoint GLCompute %%main \"main\"\n"
                        "OpExecutionMode %%main LocalSize 1 1 1\n"
                        "OpDecorate %%s16 Block\nOpDecorate %%v DescriptorSet 0\n"
                        "OpDecorate %%v Binding 0\n");
    for (int i = 1; i <= 16; i++)
        used += snprintf(text + used, sizeof text - (size_t)used,
                         "OpMemberDecorate %%s%d 0 Offset 0\nOpMemberDecorate %%s%d 1 Offset %u\n",
                         i, i, 4u << (i - 1));
    used += snprintf(text + used, sizeof text - (size_t)used,
                     "%%void = OpTypeVoid\n%%fn = OpTypeFunction %%void\n%%s0 = OpTypeInt 32 0\n");
    for (int i = 1; i <= 16; i++)
        used += snprintf(text + used, sizeof text - (size_t)used,
                         "%%s%d = OpTypeStruct %%s%d %%s%d\n", i, i - 1, i - 1);
    snprintf(text + used, sizeof text - (size_t)used,
             "%%p = OpTypePointer StorageBuffer %%s16\n%%v = OpVariable %%p StorageBuffer\n"
             "%%main = OpFunction %%void None %%fn\n%%l = OpLabel\nOpReturn\nOpFunctionEnd\n");
    size_t size = 0;
    uint32_t *words = rp_assemble(text, 0x00010300, &size);
    const rp_kernel_params params = {.name = "k", .spirv = words, .spirv_size = size};
    rp_kernel_module m;
    CU_ASSERT_EQUAL_FATAL(rp_kernel_build(NULL, &params, diags, NULL, 0, 0, &m), RP_OK);
    CU_ASSERT_EQUAL_FATAL(m.binding_count, 1);
    CU_ASSERT_EQUAL(m.bindings[0].min_size, 4u << 16);
    CU_ASSERT_EQUAL(m.bindings[0].layout, RP_NONE);
    CU_ASSERT_STRING_EQUAL(m.bindings[0].no_layout, "it has too many parts");
    CU_ASSERT_EQUAL(m.layouts.count, 0);
    rp_kernel_free(&m);
    free(words);
}

int main(void) {
    diags = rp_diags_create(NULL);
    const rp_test tests[] = {{"a program", create},
                             {"members", test_members},
                             {"packing", test_pack},
                             {"mistakes", test_mistakes},
                             {"padding of push data", test_push_padding},
                             {"many parts", test_many_parts},
                             {NULL, NULL}};
    int failures = rp_run_tests("blocks by member", tests);
    rp_program_destroy(program);
    rp_diags_destroy(diags);
    return failures;
}
