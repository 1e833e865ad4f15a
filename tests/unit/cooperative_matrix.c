/* Cooperative matrices: what GLSL says with GL_NV_cooperative_matrix becomes SPV_KHR_cooperative_matrix,
 * which is validated, reflected and read for what a device must be able to do. */
#include "kernel/spirv.h"
#include "plan/format.h"
#include "support/unit.h"

#include <spirv/unified1/spirv.h>
#include <stdlib.h>

enum { CAPABILITY = 6022, TYPE = 4456, LOAD = 4457, STORE = 4458, PRODUCT = 4459 };

static const char head[] = "#version 450\n"
                           "#pragma use_vulkan_memory_model\n"
                           "#extension GL_KHR_memory_scope_semantics : require\n"
                           "#extension GL_NV_cooperative_matrix : require\n"
                           "#extension GL_NV_integer_cooperative_matrix : require\n"
                           "#extension GL_EXT_shader_explicit_arithmetic_types : require\n"
                           "#extension GL_KHR_shader_subgroup_basic : require\n"
                           "#extension GL_EXT_shader_16bit_storage : require\n"
                           "#extension GL_EXT_shader_8bit_storage : require\n"
                           "layout(local_size_x = 32) in;\n"
                           "layout(constant_id = 0) const uint M = 16;\n"
                           "layout(constant_id = 1) const uint N = 8;\n"
                           "layout(constant_id = 2) const uint K = 16;\n"
                           "layout(constant_id = 3) const uint KB = 16;\n"
                           "layout(constant_id = 4) const bool turned = true;\n";

static const char halves[] = "layout(binding = 0) readonly buffer A { float16_t a[]; };\n"
                             "layout(binding = 1) readonly buffer B { float16_t b[]; };\n"
                             "layout(binding = 2) writeonly buffer C { float16_t c[]; };\n"
                             "shared uvec4 tile[64];\n"
                             "#define LEFT fcoopmatNV<16, gl_ScopeSubgroup, M, K>\n"
                             "#define RIGHT fcoopmatNV<16, gl_ScopeSubgroup, KB, N>\n"
                             "#define SUMS fcoopmatNV<32, gl_ScopeSubgroup, M, N>\n"
                             "#define RESULT fcoopmatNV<16, gl_ScopeSubgroup, M, N>\n";

static const char product[] =
    "SUMS sums[2];\n"
    "void main() {\n"
    "  sums[0] = sums[1] = SUMS(0.0);\n"
    "  for (uint i = 0; i < 4; i++) {\n"
    "    LEFT left; RIGHT right[2];\n"
    "    coopMatLoadNV(left, a, i * 16, 64, false);\n"
    "    coopMatLoadNV(right[0], b, i * 16, 64, turned);\n"
    "    coopMatLoadNV(right[1], tile, i * 2, 8, true);\n"
    "    for (uint j = 0; j < 2; j++) sums[j] = coopMatMulAddNV(left, right[j], sums[j]);\n"
    "  }\n"
    "  sums[0] += SUMS(1.0);\n" /* such sums end the optimiser */
    "  RESULT r = RESULT(sums[0]) * float16_t(2);\n"
    "  for (uint i = 0; i < M * N / gl_SubgroupSize; i++) r[i] += float16_t(sums[1][i]);\n"
    "  coopMatStoreNV(r, c, 0, N, false);\n"
    "}\n";

static const char integers[] = "layout(binding = 0) readonly buffer A { int8_t a[]; };\n"
                               "layout(binding = 1) readonly buffer B { int8_t b[]; };\n"
                               "layout(binding = 2) buffer C { int c[]; };\n"
                               "void main() {\n"
                               "  icoopmatNV<8, gl_ScopeSubgroup, M, K> left;\n"
                               "  icoopmatNV<8, gl_ScopeSubgroup, KB, N> right;\n"
                               "  icoopmatNV<32, gl_ScopeSubgroup, M, N> sums;\n"
                               "  coopMatLoadNV(left, a, 0, K, false);\n"
                               "  coopMatLoadNV(right, b, 0, K, true);\n"
                               "  coopMatLoadNV(sums, c, 0, N, false);\n"
                               "  sums = coopMatMulAddNV(left, right, sums);\n"
                               "  coopMatStoreNV(sums, c, 0, N, false);\n"
                               "}\n";

static const char one_type[] = "layout(binding = 0) buffer A { float16_t a[]; };\n"
                               "void main() {\n"
                               "  fcoopmatNV<16, gl_ScopeSubgroup, 16, 16> left, right;\n"
                               "  fcoopmatNV<16, gl_ScopeSubgroup, 16, 16> sums;\n"
                               "  coopMatLoadNV(left, a, 0, 16, false);\n"
                               "  coopMatLoadNV(right, a, 0, 16, false);\n"
                               "  sums = coopMatMulAddNV(left, right, left);\n"
                               "  coopMatStoreNV(sums, a, 0, 16, false);\n"
                               "}\n";

static const char with_length[] =
    "layout(binding = 0) buffer A { uint a; };\n"
    "void main() {\n"
    "  fcoopmatNV<32, gl_ScopeSubgroup, M, N> sums = fcoopmatNV<32, gl_ScopeSubgroup, M, N>(1.0);\n"
    "  a = sums.length();\n"
    "}\n";

static rp_status build(const rp_allocator *a, const char *buffers, const char *body,
                       rp_diags *diags, rp_kernel_module *out) {
    char text[4096];
    snprintf(text, sizeof text, "%s%s%s", head, buffers, body);
    const rp_kernel_params params = {.name = "k", .glsl = text};
    rp_status status = rp_kernel_build(a, &params, diags, NULL, 0, 0, out);
    for (uint32_t i = 0; status == RP_ERROR_INVALID && i < rp_diags_count(diags); i++)
        if (!strstr(rp_diags_get(diags, i).message, "cooperative matri"))
            fprintf(stderr, "\n  %s", rp_diags_get(diags, i).message);
    return status;
}

static rp_kernel_module made(const char *buffers, const char *body) {
    rp_kernel_module m;
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL_FATAL(build(NULL, buffers, body, diags, &m), RP_OK);
    rp_diags_destroy(diags);
    return m;
}

/* The n-th instruction with this opcode; NULL when there are fewer. */
static uint32_t *find(uint32_t *words, uint32_t count, uint32_t op, uint32_t n) {
    for (uint32_t at = 5; at < count; at += words[at] >> 16)
        if ((words[at] & 0xffff) == op && n-- == 0) return words + at;
    return NULL;
}

static uint32_t how_many(uint32_t *words, uint32_t count, uint32_t op) {
    uint32_t n = 0;
    while (find(words, count, op, n)) n++;
    return n;
}

/* The value of a constant. */
static uint32_t value_of(uint32_t *words, uint32_t count, uint32_t id) {
    const uint32_t *w;
    for (uint32_t n = 0; (w = find(words, count, SpvOpConstant, n)); n++)
        if (w[2] == id) return w[3];
    return UINT32_MAX;
}

static uint32_t use_of(uint32_t *words, uint32_t count, uint32_t type) {
    const uint32_t *w;
    for (uint32_t n = 0; (w = find(words, count, TYPE, n)); n++)
        if (w[1] == type) return value_of(words, count, w[6]);
    return UINT32_MAX;
}

static void expect_khr(uint32_t *words, uint32_t count) {
    char why[512] = "";
    for (uint32_t op = SpvOpTypeCooperativeMatrixNV; op <= SpvOpCooperativeMatrixLengthNV; op++)
        CU_ASSERT_PTR_NULL(find(words, count, op, 0));
    const uint32_t *extension = NULL;
    for (uint32_t n = 0; (extension = find(words, count, SpvOpExtension, n)); n++) {
        CU_ASSERT(strcmp((const char *)(extension + 1), "SPV_NV_cooperative_matrix") != 0);
        if (strcmp((const char *)(extension + 1), "SPV_KHR_cooperative_matrix") == 0) break;
    }
    CU_ASSERT_PTR_NOT_NULL(extension);
    const rp_allocator a = rp_allocator_or_default(NULL);
    rp_status status = rp_spirv_check(&a, words, count, why);
    CU_ASSERT_EQUAL(status, RP_OK);
    if (status != RP_OK) fprintf(stderr, "\n  %s", why);
}

static rp_spirv_reader read_module(const rp_kernel_module *m, const rp_spirv_spec *specs,
                                   uint32_t spec_count) {
    rp_spirv_reader r;
    char why[128];
    rp_spirv_reader_init(&r, NULL);
    CU_ASSERT_EQUAL_FATAL(
        rp_spirv_read(&r, m->words, m->word_count, "main", specs, spec_count, why), RP_OK);
    return r;
}

static void test_product(void) {
    rp_kernel_module m = made(halves, product);
    uint32_t *both[2] = {m.words, m.interface}, counts[2] = {m.word_count, m.interface_count};
    for (uint32_t i = 0; i < 2; i++) {
        expect_khr(both[i], counts[i]);
        CU_ASSERT_EQUAL(how_many(both[i], counts[i], TYPE), 4);
        CU_ASSERT_EQUAL(how_many(both[i], counts[i], LOAD), 3);
        CU_ASSERT_EQUAL(how_many(both[i], counts[i], STORE), 1);
        uint32_t uses[4] = {0};
        for (uint32_t n = 0; n < 4; n++) {
            uint32_t use = use_of(both[i], counts[i], find(both[i], counts[i], TYPE, n)[1]);
            CU_ASSERT_FATAL(use < 3);
            uses[use]++;
        }
        CU_ASSERT(uses[0] == 1 && uses[1] == 1 && uses[2] == 2); /* the results are like sums */
        /* a by rows; the tile by columns; b by an expression over the constant `turned`. */
        uint32_t rows = 0, columns = 0, chosen = 0;
        for (uint32_t n = 0; n < 3; n++) {
            uint32_t layout = value_of(both[i], counts[i], find(both[i], counts[i], LOAD, n)[4]);
            rows += layout == 0;
            columns += layout == 1;
            chosen += layout == UINT32_MAX;
        }
        CU_ASSERT(rows == 1 && columns == 1 && chosen == 1);
        CU_ASSERT_EQUAL(value_of(both[i], counts[i], find(both[i], counts[i], STORE, 0)[3]), 0);
    }
    CU_ASSERT_PTR_NOT_NULL(find(m.interface, m.interface_count, SpvOpName, 0));
    CU_ASSERT_PTR_NULL(find(m.words, m.word_count, SpvOpName, 0));
    CU_ASSERT_EQUAL_FATAL(m.binding_count, 3);
    CU_ASSERT_EQUAL(m.bindings[0].access, RP_READ);
    CU_ASSERT_EQUAL(m.bindings[1].access, RP_READ);
    CU_ASSERT_EQUAL(m.bindings[2].access, RP_WRITE);
    CU_ASSERT_EQUAL(m.shared_bytes, 1024);
    rp_spirv_reader r = read_module(&m, NULL, 0);
    CU_ASSERT_STRING_EQUAL(r.unsupported, "");
    CU_ASSERT_EQUAL(r.needs, RP_NEED_COOPERATIVE_MATRIX | RP_NEED_MEMORY_MODEL | RP_NEED_FLOAT16 |
                                 RP_NEED_STORAGE16 | RP_NEED_SUBGROUP_BASIC);
    rp_spirv_reader_free(&r);
    rp_kernel_free(&m);
}

/* Sizes follow the constants; each product is listed once. */
static void test_shapes(void) {
    rp_kernel_module m = made(halves, product);
    char text[RP_SPIRV_PRODUCT_TEXT];
    rp_spirv_reader r = read_module(&m, NULL, 0);
    CU_ASSERT_EQUAL_FATAL(r.product_count, 1);
    rp_spirv_print_product(&r.products[0], text);
    CU_ASSERT_STRING_EQUAL(text, "16x8x16 f16 f32");
    rp_spirv_reader_free(&r);
    const rp_spirv_spec specs[] = {{0, 4, 8}, {1, 4, 32}, {2, 4, 4}, {3, 4, 4}};
    r = read_module(&m, specs, 4);
    CU_ASSERT_EQUAL_FATAL(r.product_count, 1);
    rp_spirv_print_product(&r.products[0], text);
    CU_ASSERT_STRING_EQUAL(text, "8x32x4 f16 f32");
    rp_spirv_reader_free(&r);
    const rp_wide_constant given[] = {{0, 4, 8}, {4, 4, 0}};
    CU_ASSERT_EQUAL(rp_kernel_specialise(&m, given, 2, NULL, NULL, 0, 0), RP_OK);
    rp_kernel_free(&m);
}

/* Which integers have a sign is said by the product. */
static void test_signs(void) {
    rp_kernel_module m = made("", integers);
    expect_khr(m.words, m.word_count);
    const uint32_t *w = find(m.words, m.word_count, PRODUCT, 0);
    CU_ASSERT_EQUAL(w[0] >> 16, 7);
    CU_ASSERT_EQUAL(w[6], 1 | 2 | 4 | 8);
    rp_spirv_reader r = read_module(&m, NULL, 0);
    CU_ASSERT_EQUAL_FATAL(r.product_count, 1);
    char text[RP_SPIRV_PRODUCT_TEXT];
    rp_spirv_print_product(&r.products[0], text);
    CU_ASSERT_STRING_EQUAL(text, "16x8x16 i8 i32");
    CU_ASSERT_EQUAL(m.bindings[2].access, RP_READ_WRITE);
    rp_spirv_reader_free(&r);
    rp_kernel_free(&m);
}

static void test_refused(void) {
    rp_kernel_module m;
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(build(NULL, "", one_type, diags, &m), RP_ERROR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(rp_diags_get(diags, 0).message, "cooperative matrices of one type are two of"));
    CU_ASSERT_EQUAL(build(NULL, "", with_length, diags, &m), RP_ERROR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(rp_diags_get(diags, 1).message, "rows * columns / gl_Subg"));
    rp_diags_destroy(diags);
}

/* ---- SPIR-V that comes as it is -------------------------------------------------------------- */

static rp_status take(const uint32_t *words, uint32_t count, rp_diags *diags) {
    rp_kernel_module m;
    const rp_kernel_params params = {.name = "k", .spirv = words, .spirv_size = (size_t)count * 4};
    rp_status status = rp_kernel_build(NULL, &params, diags, NULL, 0, 0, &m);
    if (status == RP_OK) {
        CU_ASSERT_EQUAL(m.word_count, count);
        CU_ASSERT_EQUAL(memcmp(m.words, words, (size_t)count * 4), 0); /* nothing to change */
    }
    rp_kernel_free(&m);
    return status;
}

static void expect_refused(const rp_kernel_module *m, uint32_t at, uint32_t word,
                           const char *wanted) {
    rp_diags *diags = rp_diags_create(NULL);
    uint32_t old = m->words[at];
    m->words[at] = word;
    CU_ASSERT_EQUAL(take(m->words, m->word_count, diags), RP_ERROR_INVALID);
    bool said = rp_diags_count(diags) && strstr(rp_diags_get(diags, 0).message, wanted);
    CU_ASSERT(said);
    if (!said && rp_diags_count(diags))
        fprintf(stderr, "\n  said: %s", rp_diags_get(diags, 0).message);
    m->words[at] = old;
    rp_diags_destroy(diags);
}

/* Validated too, in what both forms have and in what only KHR has. */
static void test_khr(void) {
    rp_kernel_module m = made(halves, product);
    CU_ASSERT_EQUAL(take(m.words, m.word_count, NULL), RP_OK);
    uint32_t *w = m.words, count = m.word_count, *p = find(w, count, PRODUCT, 0);
    expect_refused(&m, (uint32_t)(p - w) + 3, p[4], "a product takes matrices of use A, B and");
    expect_refused(&m, (uint32_t)(p - w) + 5, p[3], "a product takes matrices of use A, B and");
    uint32_t *type = find(w, count, TYPE, 0), *load = find(w, count, LOAD, 0);
    expect_refused(&m, (uint32_t)(type - w) + 6, type[1], "use is a constant 0, 1 or 2");
    expect_refused(&m, (uint32_t)(load - w) + 4, type[1], "layout is a constant 0 (rows) or 1");
    for (uint32_t n = 0; (type = find(w, count, TYPE, n)); n++)
        if (use_of(w, count, type[1]) == 2)
            expect_refused(&m, (uint32_t)(load - w) + 4, type[6], "layout is a constant 0");
    expect_refused(&m, (uint32_t)(load - w) + 3, load[1], "not valid SPIR-V");
    expect_refused(&m, (uint32_t)(load - w), 5u << 16 | LOAD, "not valid SPIR-V");
    rp_kernel_free(&m);
}

/* The same matrix for both sides, which KHR tells apart by use alone. */
static void test_by_use_alone(void) {
    rp_kernel_module m = made(halves, product);
    uint32_t *type = NULL, sizes[2] = {0};
    for (uint32_t n = 0; (type = find(m.words, m.word_count, TYPE, n)); n++)
        if (use_of(m.words, m.word_count, type[1]) == 0) memcpy(sizes, type + 4, sizeof sizes);
    for (uint32_t n = 0; (type = find(m.words, m.word_count, TYPE, n)); n++)
        if (use_of(m.words, m.word_count, type[1]) == 1) memcpy(type + 4, sizes, sizeof sizes);
    CU_ASSERT_EQUAL(take(m.words, m.word_count, NULL), RP_OK);
    rp_kernel_free(&m);
}

/* A plan may not hold what no driver is asked to take. */
static void test_nv_in_plans(void) {
    rp_kernel_module m = made(halves, product);
    for (uint32_t n = 0; n < 8; n++) {
        uint32_t *capability = find(m.words, m.word_count, SpvOpCapability, n);
        if (capability && capability[1] == CAPABILITY) capability[1] = 5357;
    }
    rp_spirv_reader r = read_module(&m, NULL, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.unsupported, "SPV_NV_cooperative_matrix"));
    rp_spirv_reader_free(&r);
    rp_kernel_free(&m);
}

/* Any word may be anything: the translation for the validator stays within the words. */
static void test_damage(void) {
    rp_kernel_module m = made(halves, product);
    uint32_t *words = malloc((size_t)m.word_count * 4), refused = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(words);
    for (uint32_t at = 3; at < m.word_count; at++)
        for (uint32_t i = 0; i < 4; i++) {
            const uint32_t others[] = {0, UINT32_MAX, m.words[at] + 1, m.words[at] ^ 1u << 16};
            uint32_t *out = NULL, count = 0;
            char why[512];
            memcpy(words, m.words, (size_t)m.word_count * 4);
            words[at] = others[i];
            rp_status status =
                rp_matrices_to_nv(&m.allocator, words, m.word_count, &out, &count, why);
            CU_ASSERT(status == RP_OK || status == RP_ERROR_INVALID);
            refused += status != RP_OK;
            rp_release(&m.allocator, out);
        }
    CU_ASSERT(refused > 10);
    for (uint32_t size = 0; size < m.word_count; size++) { /* and behind a cut */
        uint32_t *out = NULL, count = 0, *cut = malloc((size_t)size * 4 + 1);
        char why[512];
        CU_ASSERT_PTR_NOT_NULL_FATAL(cut);
        memcpy(cut, m.words, (size_t)size * 4);
        rp_matrices_to_nv(&m.allocator, cut, size, &out, &count, why);
        rp_release(&m.allocator, out);
        free(cut);
    }
    free(words);
    rp_kernel_free(&m);
}

/* ---- Without memory -------------------------------------------------------------------------- */

static long allocations_left, blocks;

static void *scarce(void *user, void *block, size_t size) {
    (void)user;
    if (allocations_left-- <= 0) return NULL;
    void *result = realloc(block, size);
    if (result && !block) blocks++;
    return result;
}

static void give_back(void *user, void *block) {
    (void)user;
    blocks -= block != NULL;
    free(block);
}

static void test_no_memory(void) {
    const rp_allocator a = {scarce, give_back, NULL};
    rp_status status = RP_ERROR_NO_MEMORY;
    uint32_t n = 0;
    for (; status == RP_ERROR_NO_MEMORY && n < 300; n++) {
        rp_kernel_module m;
        allocations_left = n;
        status = build(&a, halves, product, NULL, &m);
        allocations_left = 1000;
        rp_kernel_free(&m);
        CU_ASSERT_EQUAL(blocks, 0);
    }
    CU_ASSERT_EQUAL(status, RP_OK);
    CU_ASSERT(n > 20);
}

int main(void) {
    static const rp_test tests[] = {{"a product", test_product},
                                    {"shapes", test_shapes},
                                    {"signs", test_signs},
                                    {"what is refused", test_refused},
                                    {"SPIR-V of KHR", test_khr},
                                    {"types by use alone", test_by_use_alone},
                                    {"NV in plans", test_nv_in_plans},
                                    {"damage", test_damage},
                                    {"no memory", test_no_memory},
                                    {0}};
    return rp_run_tests("cooperative matrices", tests);
}
