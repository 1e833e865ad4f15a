/* The base library: arithmetic, allocation, text, diagnostics, names, hashing. */
#include <math.h>
#include "support/unit.h"
#include "support/failing_alloc.h"

#include "base/bfloat.h"
#include "base/checked.h"
#include "base/scope.h"
#include "base/shape.h"
#include "base/spelling.h"
#include "base/hash.h"
#include "base/text.h"
#include "reprise/types.h"

static void checked_arithmetic(void) {
    uint64_t out = 7;
    CU_ASSERT(rp_add_u64(UINT64_MAX - 1, 1, &out) && out == UINT64_MAX);
    CU_ASSERT(!rp_add_u64(UINT64_MAX, 1, &out) && out == UINT64_MAX);
    CU_ASSERT(rp_mul_u64(UINT64_C(1) << 32, UINT32_MAX, &out) && out == UINT64_MAX - UINT32_MAX);
    CU_ASSERT(!rp_mul_u64(UINT64_C(1) << 32, UINT64_C(1) << 32, &out));
    CU_ASSERT(rp_mul_u64(UINT64_MAX, 0, &out) && out == 0);
    CU_ASSERT(rp_align_u64(1, 256, &out) && out == 256);
    CU_ASSERT(rp_align_u64(256, 256, &out) && out == 256);
    CU_ASSERT(!rp_align_u64(UINT64_MAX - 254, 256, &out));
    CU_ASSERT(rp_range_inside(0, 4, 4) && rp_range_inside(4, 0, 4));
    CU_ASSERT(!rp_range_inside(1, 4, 4) && !rp_range_inside(5, 0, 4));
    CU_ASSERT(!rp_range_inside(8, UINT64_MAX - 4, 64));
    CU_ASSERT(rp_ranges_overlap(0, 4, 3, 4) && !rp_ranges_overlap(0, 4, 4, 4));
}

static void allocation(void) {
    failing_alloc f = {0};
    rp_allocator a = failing_allocator(&f);
    void *block = rp_alloc(&a, 0, 8);
    CU_ASSERT_PTR_NOT_NULL(block); /* NULL always means failure */
    rp_release(&a, block);
    CU_ASSERT_PTR_NULL(rp_alloc(&a, SIZE_MAX, 2));
    CU_ASSERT_PTR_NULL(rp_alloc_zero(&a, SIZE_MAX / 2, 4));

    uint32_t *items = NULL, capacity = 0;
    CU_ASSERT(RP_RESERVE(&a, items, 0, capacity, 3) && capacity >= 3);
    uint32_t before = capacity;
    CU_ASSERT(!rp_grow(&a, (void **)&items, &capacity, UINT32_MAX, 1, 4)); /* 32-bit counts */
    f.fail_at = f.requests + 1;
    CU_ASSERT(!RP_RESERVE(&a, items, before, capacity, 1));
    CU_ASSERT_EQUAL(capacity, before);
    rp_release(&a, items);
    CU_ASSERT_EQUAL(f.live, 0);
}

/* Numbers of every length, at both ends of it, against printf. */
static void numbers(void) {
    uint64_t power = 1;
    for (int digits = 1; digits <= 20; digits++, power *= 10)
        for (int k = 0; k < 3; k++) {
            const uint64_t value = k == 0 ? power - 1 : k == 1 ? power : power + power / 3;
            char expected[24];
            rp_text t;
            rp_text_init(&t, NULL);
            rp_text_u64(&t, value);
            snprintf(expected, sizeof expected, "%llu", (unsigned long long)value);
            CU_ASSERT_STRING_EQUAL(t.data, expected);
            CU_ASSERT_EQUAL(t.size, strlen(expected));
            rp_text_free(&t);
        }
}

/* Bytes as digits, in groups or not. */
static void hex(void) {
    static const uint8_t bytes[] = {0x00, 0x9f, 0xa0, 0xff, 0x12};
    rp_text t;
    rp_text_init(&t, NULL);
    rp_text_hex(&t, bytes, 5, 4);
    rp_text_hex(&t, bytes, 2, 0);
    rp_text_hex(&t, bytes, 0, 4);
    CU_ASSERT_STRING_EQUAL(t.data, " 009fa0ff 12009f");
    CU_ASSERT_EQUAL(t.size, strlen(t.data));
    rp_text_free(&t);
}

static void text(void) {
    rp_text t;
    char *data;
    size_t size;
    rp_text_init(&t, NULL);
    rp_text_u64(&t, 0);
    rp_text_char(&t, ' ');
    rp_text_u64(&t, UINT64_MAX);
    rp_text_format(&t, " %s %d ", "x", -1);
    rp_text_quoted(&t, "a\"b\\c\n\t\x01\x7f\xc3\xa9");
    CU_ASSERT_EQUAL(rp_text_take(&t, &data, &size), RP_OK);
    CU_ASSERT_STRING_EQUAL(
        data, "0 18446744073709551615 x -1 \"a\\\"b\\\\c\\n\\t\\u0001\\u007f\xc3\xa9\"");
    CU_ASSERT_EQUAL(size, strlen(data));
    free(data);

    CU_ASSERT_EQUAL(rp_text_take(&t, &data, NULL), RP_OK); /* nothing appended: empty, not NULL */
    CU_ASSERT_STRING_EQUAL(data, "");
    free(data);

    failing_alloc f = {.fail_at = 2, .stay = true};
    rp_allocator a = failing_allocator(&f);
    rp_text_init(&t, &a);
    for (int i = 0; i < 1000; i++) rp_text_string(&t, "0123456789");
    CU_ASSERT(t.failed);
    CU_ASSERT_EQUAL(rp_text_take(&t, &data, &size), RP_ERROR_NO_MEMORY);
    CU_ASSERT(data == NULL && size == 0 && f.live == 0);
}

static void diagnostics(void) {
    rp_diags *d = rp_diags_create(NULL);
    char line[64];
    for (uint32_t i = 0; i < 150; i++) rp_diags_add(d, RP_ERROR, "f", i, 1, "message %u", i);
    CU_ASSERT_EQUAL(rp_diags_count(d), 100);
    CU_ASSERT_EQUAL(rp_diags_error_count(d), 150);
    rp_diag last = rp_diags_get(d, 99);
    CU_ASSERT_EQUAL(rp_diag_format(&last, line, sizeof line), strlen("f:99:1: error: message 99"));
    CU_ASSERT_STRING_EQUAL(line, "f:99:1: error: message 99");
    rp_diag none = rp_diags_get(d, 100);
    CU_ASSERT_STRING_EQUAL(none.message, "");
    rp_diags_clear(d);
    CU_ASSERT(rp_diags_count(d) == 0 && rp_diags_error_count(d) == 0);
    rp_diags_destroy(d);

    const rp_diag forms[] = {{RP_WARNING, NULL, 0, 0, "m"},
                             {RP_NOTE, "f", 0, 0, "m"},
                             {RP_ERROR, "f", 3, 0, "m"},
                             {RP_ERROR, NULL, 3, 4, "m"}};
    const char *expected[] = {"warning: m", "f: note: m", "f:3: error: m", "3:4: error: m"};
    for (size_t i = 0; i < 4; i++) {
        rp_diag_format(&forms[i], line, sizeof line);
        CU_ASSERT_STRING_EQUAL(line, expected[i]);
    }
    char small[4];
    CU_ASSERT_EQUAL(rp_diag_format(&forms[0], small, sizeof small), 10);
    CU_ASSERT_STRING_EQUAL(small, "war");

    rp_diags_add(NULL, RP_ERROR, NULL, 0, 0, "dropped");
    CU_ASSERT(rp_diags_count(NULL) == 0 && rp_diags_error_count(NULL) == 0);
    rp_diags_destroy(NULL);
    for (uint64_t n = 1; n < 12; n++) { /* without memory, errors are still counted */
        failing_alloc f = {.fail_at = n, .stay = true};
        rp_allocator a = failing_allocator(&f);
        d = rp_diags_create(&a);
        for (int i = 0; i < 3; i++) rp_diags_add(d, RP_ERROR, "file", 1, 1, "text");
        if (d) CU_ASSERT_EQUAL(rp_diags_error_count(d), 3);
        rp_diags_destroy(d);
        CU_ASSERT_EQUAL(f.live, 0);
    }
}

static void spelling(void) {
    static const struct {
        const char *a, *b;
        uint32_t distance;
    } cases[] = {{"", "", 0},         {"", "abc", 3},         {"relu", "relu", 0},
                 {"relu", "reul", 2}, {"silu", "sillu", 1},   {"kitten", "sitting", 3},
                 {"ab", "ba", 2},     {"abcdef", "xbcdey", 2}};
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *a = cases[i].a, *b = cases[i].b;
        CU_ASSERT_EQUAL(rp_edit_distance(a, strlen(a), b, strlen(b)), cases[i].distance);
        CU_ASSERT_EQUAL(rp_edit_distance(b, strlen(b), a, strlen(a)), cases[i].distance);
    }
    const char *longer = "an_operand_with_a_name_of_33_lette";
    CU_ASSERT_EQUAL(rp_edit_distance("x", 1, longer, strlen(longer)), UINT32_MAX);
}

static void scopes(void) {
    const uint32_t compute =
        RP_SCOPE_COMPUTE_R | RP_SCOPE_COMPUTE_W | RP_SCOPE_COMPUTE_U | RP_SCOPE_COMPUTE_S;
    const uint32_t transfer = RP_SCOPE_TRANSFER_R | RP_SCOPE_TRANSFER_W;
    CU_ASSERT_EQUAL(RP_SCOPE_BITS, 8);
    CU_ASSERT_EQUAL(RP_SCOPE_ANY, compute | transfer | RP_SCOPE_INDIRECT_R);
    CU_ASSERT_EQUAL(rp_scope_writes(), RP_SCOPE_COMPUTE_W | RP_SCOPE_TRANSFER_W);
    CU_ASSERT_EQUAL(rp_scope_stage(RP_SCOPE_COMPUTE_U), compute);
    CU_ASSERT_EQUAL(rp_scope_stage(RP_SCOPE_COMPUTE_S), compute);
    CU_ASSERT_EQUAL(rp_scope_stage(RP_SCOPE_TRANSFER_W), transfer);
    CU_ASSERT_EQUAL(rp_scope_stage(RP_SCOPE_INDIRECT_R), RP_SCOPE_INDIRECT_R);
    CU_ASSERT_EQUAL(rp_scope_stage(RP_SCOPE_HOST_R), RP_SCOPE_HOST_R);
    CU_ASSERT_EQUAL(rp_scope_stage(RP_SCOPE_NONE), 0);
}

static void names(void) {
    CU_ASSERT_STRING_EQUAL(rp_status_name(RP_ERROR_DAMAGED), "file is damaged");
    CU_ASSERT_STRING_EQUAL(rp_status_name((rp_status)99), "unknown status");
    for (int i = 0; i <= RP_ERROR_CANCELLED; i++)
        CU_ASSERT(*rp_status_advice((rp_status)i) != '\0');
    CU_ASSERT(*rp_status_advice((rp_status)99) != '\0');
    CU_ASSERT_STRING_EQUAL(rp_version(), REPRISE_VERSION); /* what the build says */
    CU_ASSERT_STRING_EQUAL(rp_dtype_name(RP_F16), "f16");
    CU_ASSERT_EQUAL(rp_dtype_size(RP_F16), 2);
    CU_ASSERT_STRING_EQUAL(rp_buffer_kind_name(RP_INOUT), "inout");
    CU_ASSERT_STRING_EQUAL(rp_access_name(RP_READ_WRITE), "rw");
    CU_ASSERT_STRING_EQUAL(rp_node_kind_name(RP_UPDATE), "update");
    CU_ASSERT_STRING_EQUAL(rp_hazard_name(RP_ORDER), "order");
    CU_ASSERT_PTR_NULL(rp_dtype_name((rp_dtype)99));
    CU_ASSERT_EQUAL(rp_dtype_size((rp_dtype)99), 0);
    CU_ASSERT_PTR_NULL(rp_buffer_kind_name((rp_buffer_kind)99));
    CU_ASSERT_PTR_NULL(rp_access_name((rp_access)99));
    CU_ASSERT_PTR_NULL(rp_node_kind_name((rp_node_kind)99));
    CU_ASSERT_PTR_NULL(rp_hazard_name((rp_hazard_kind)99));
}

/* Every bf16, the points between neighbours and the numbers next to these. */
static void bfloats(void) {
    uint32_t wrong = 0;
    for (uint32_t bits = 0; bits < 0x7f80; bits++) {
        double unit = ldexp(1, (int)(bits >> 7 ? bits >> 7 : 1) - 134);
        double value = ((bits & 127) + (bits >> 7 ? 128 : 0)) * unit, middle = value + unit / 2;
        uint32_t even = bits + (bits & 1);
        wrong += (double)rp_bf16_to_f32((uint16_t)bits) != value;
        wrong += rp_bf16_of_double(value) != bits || rp_bf16_of_double(-value) != (bits | 0x8000);
        wrong += rp_bf16_of_double(middle) != even || rp_bf16_of_f32((float)middle) != even;
        wrong += rp_bf16_of_double(middle * (1 + 1e-15)) != bits + 1;
        wrong += rp_bf16_of_double(-middle * (1 - 1e-15)) != (bits | 0x8000);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(rp_bf16_of_double(1e300), 0x7f80);
    CU_ASSERT_EQUAL(rp_bf16_of_double(-INFINITY), 0xff80);
    CU_ASSERT_EQUAL(rp_bf16_of_double(1e-300), 0);
    CU_ASSERT(isnan(rp_bf16_to_f32(rp_bf16_of_double(NAN))));
    for (uint32_t bits = 0x7f800001; bits <= 0x7fffffff; bits += 0xffff) { /* NaN of any kind */
        float nan;
        memcpy(&nan, &bits, sizeof nan);
        wrong += !isnan(rp_bf16_to_f32(rp_bf16_of_f32(nan)));
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* Every f16, of both signs, exactly. */
static void halves(void) {
    uint32_t wrong = 0;
    for (uint32_t bits = 0; bits < 0x7c00; bits++) {
        int exponent = (int)(bits >> 10);
        double value = ldexp((bits & 1023) + (exponent ? 1024 : 0), (exponent ? exponent : 1) - 25);
        wrong += (double)rp_f16_to_f32((uint16_t)bits) != value;
        wrong += (double)rp_f16_to_f32((uint16_t)(bits | 0x8000)) != -value;
    }
    for (uint32_t bits = 0x7c01; bits < 0x8000; bits++)
        wrong += !isnan(rp_f16_to_f32((uint16_t)bits));
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(signbit(rp_f16_to_f32(0x8000)));
    CU_ASSERT_EQUAL(rp_f16_to_f32(0x7c00), INFINITY);
    CU_ASSERT_EQUAL(rp_f16_to_f32(0xfc00), -INFINITY);
}

static void shapes(void) {
    static const struct {
        rp_dtype dtype;
        uint32_t rank;
        uint64_t dims[3], bytes; /* 0: refused */
    } shapes[] = {{RP_F32, 0, {0}, 4},
                  {RP_F16, 2, {3, 5}, 30},
                  {RP_BF16, 2, {3, 5}, 30},
                  {RP_I8, 1, {7}, 7},
                  {RP_RAW, 1, {7}, 7},
                  {RP_Q8_0, 2, {3, 64}, 3 * 2 * 34},
                  {RP_Q4_0, 3, {2, 3, 32}, 6 * 18},
                  {RP_Q4_0, 1, {48}, 0},
                  {RP_Q8_0, 2, {32, 3}, 0},
                  {RP_Q8_0, 0, {0}, 0},
                  {RP_Q8_0, 2, {UINT64_MAX, 32}, 0},
                  {RP_U32, 2, {UINT64_C(1) << 32, UINT64_C(1) << 30}, 0},
                  {(rp_dtype)99, 1, {4}, 0}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        uint64_t bytes = 0;
        bool fine = rp_shape_bytes(shapes[i].dtype, shapes[i].rank, shapes[i].dims, &bytes);
        CU_ASSERT_EQUAL(fine, shapes[i].bytes != 0);
        CU_ASSERT_EQUAL(bytes, shapes[i].bytes);
    }
    CU_ASSERT_EQUAL(rp_dtype_block(RP_F32), 1);
    CU_ASSERT_EQUAL(rp_dtype_block(RP_Q4_0), 32);
    CU_ASSERT_EQUAL(rp_dtype_block((rp_dtype)99), 0);
    CU_ASSERT_EQUAL(rp_dtype_size(RP_Q8_0), 34);
}

/* Values of `xxhsum -H3`, so that hashes stored in files stay comparable. */
static void hashing(void) {
    CU_ASSERT_EQUAL(rp_hash("", 0), UINT64_C(0x2d06800538d394c2));
    CU_ASSERT_EQUAL(rp_hash("abc", 3), UINT64_C(0x78af5f94892f3950));
    CU_ASSERT_NOT_EQUAL(rp_hash_mix(1, "abc", 3), rp_hash_mix(2, "abc", 3));
}

int main(void) {
    static const rp_test tests[] = {{"checked arithmetic", checked_arithmetic},
                                    {"allocation", allocation},
                                    {"text", text},
                                    {"numbers", numbers},
                                    {"hex", hex},
                                    {"diagnostics", diagnostics},
                                    {"names", names},
                                    {"scopes", scopes},
                                    {"spelling", spelling},
                                    {"bf16", bfloats},
                                    {"f16", halves},
                                    {"shapes", shapes},
                                    {"hashing", hashing},
                                    {NULL, NULL}};
    return rp_run_tests("base", tests);
}
