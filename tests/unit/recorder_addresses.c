/* Addresses that recorders push, and what they say is reached through them. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "reprise/compiler.h"
#include "support/unit.h"

static const char *const shader =
    "#version 450\n#extension GL_EXT_buffer_reference : require\n"
    "layout(local_size_x = 64) in;\n"
    "layout(buffer_reference, std430) buffer Words { uint v[]; };\n"
    "layout(binding = 0) buffer Y { uint y[]; };\n"
    "layout(push_constant) uniform P { Words a; Words b; uint n; };\n"
    "void main() { uint i = gl_GlobalInvocationID.x; if (i < n) y[i] = a.v[i] + b.v[i]; }\n";
static const char *const plain = "#version 450\nlayout(binding = 0) buffer Y { uint y[]; };\n"
                                 "layout(push_constant) uniform P { uvec2 n; };\n"
                                 "void main() { y[0] = n.x; }\n";

static struct {
    rp_program *program;
    rp_recorder *r;
    rp_kernel kernel, plain;
    rp_buffer x, y, t, n;
} s;

static rp_buffer buffer(const char *name, rp_buffer_kind kind, uint64_t count) {
    rp_buffer b;
    rp_buffer_params params = {.size = sizeof params,
                               .name = name,
                               .kind = kind,
                               .dtype = RP_U32,
                               .rank = 1,
                               .shape = {count}};
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(s.program, &params, NULL, &b), RP_OK);
    return b;
}

static rp_kernel kernel(const char *name, const char *glsl) {
    rp_kernel k;
    rp_kernel_params params = {.size = sizeof params, .name = name, .glsl = glsl};
    CU_ASSERT_EQUAL_FATAL(rp_program_kernel(s.program, &params, NULL, &k), RP_OK);
    return k;
}

/* 3 calls. */
static void begin(void) {
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "p", &s.program), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(s.program, &s.r), RP_OK);
    s.x = buffer("x", RP_IN, 16);
    s.y = buffer("y", RP_OUT, 16);
    s.t = buffer("t", RP_TMP, 32);
    s.n = buffer("n", RP_LIVE, 4);
    s.kernel = kernel("k", shader);
    s.plain = kernel("plain", plain);
    rp_bind_kernel(s.r, s.kernel);
    rp_bind(s.r, 0, (rp_range){s.y});
    rp_push(s.r, 16, &(uint32_t){16}, 4);
}

static void finish(void) {
    rp_recorder_destroy(s.r);
    rp_program_destroy(s.program);
}

/* Ends a case: the graph's text has each of these. */
static void expect_text(const char *const *wanted) {
    rp_graph *g = NULL;
    char *text = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_program_graph(s.program, &s.r, 1, NULL, &g), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_graph_print(g, RP_FORMAT_TEXT, &text, NULL), RP_OK);
    for (; *wanted; wanted++) {
        if (!strstr(text, *wanted)) fprintf(stderr, "  wanted '%s' in\n%s", *wanted, text);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, *wanted));
    }
    rp_text_release(g, text);
    rp_graph_destroy(g);
    finish();
}

/* Ends a case: joining fails with these words. */
static void expect(const char *where, const char *what) {
    rp_graph *g = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_program_graph(s.program, &s.r, 1, diags, &g), RP_ERROR_INVALID);
    CU_ASSERT_EQUAL_FATAL(rp_diags_error_count(diags), 1);
    const char *message = rp_diags_get(diags, 0).message;
    bool same = strstr(message, where) && strstr(message, what);
    if (!same) fprintf(stderr, "  wanted '%s' '%s', got: %s\n", where, what, message);
    CU_ASSERT_TRUE(same);
    rp_diags_destroy(diags);
    finish();
}

static void test_declared(void) {
    begin();
    rp_fill(s.r, (rp_range){s.t}, 7);
    rp_push_address(s.r, 8, (rp_range){s.t, 64, 32});
    rp_push_address(s.r, 0, (rp_range){s.x, 4});
    rp_use_address(s.r, (rp_range){s.x}, RP_READ);
    rp_use_address(s.r, (rp_range){s.t, 32, 64}, RP_READ);
    rp_dispatch(s.r, 1, 1, 1);
    rp_push_address(s.r, 8, (rp_range){s.x, 8}); /* in its place */
    rp_dispatch(s.r, 1, 1, 1);
    const char *const wanted[] = {
        " push 00000000 00000000 00000000 00000000 10000000 address 0=1+4 8=2+32 "
        "(rw $y, r address $x, r address %t[32+64])",
        "address 0=1+4 8=1+8 (rw $y, r address $x, r address %t[32+64])", NULL};
    expect_text(wanted);
}

/* Another kernel, or other bytes, and nothing of them is left. */
static void test_forgotten(void) {
    begin();
    rp_push_address(s.r, 0, (rp_range){s.x});
    rp_push_address(s.r, 8, (rp_range){s.x});
    rp_use_address(s.r, (rp_range){s.x}, RP_READ);
    rp_push(s.r, 4, &(uint32_t){5}, 4);
    rp_push(s.r, 0, &(uint32_t){6}, 4);
    rp_dispatch(s.r, 1, 1, 1);
    rp_bind_kernel(s.r, s.plain);
    rp_bind(s.r, 0, (rp_range){s.y});
    rp_push(s.r, 0, (uint32_t[]){1, 2}, 8);
    rp_dispatch(s.r, 1, 1, 1);
    const char *const wanted[] = {
        " push 06000000 05000000 00000000 00000000 10000000 address 8=1 (rw $y, r address $x)",
        " push 01000000 02000000 (rw $y)", NULL};
    expect_text(wanted);
}

/* Nothing is said of what is reached: ordered against everything. */
static void test_unknown(void) {
    begin();
    rp_push_address(s.r, 0, (rp_range){s.x, 4});
    rp_push_address(s.r, 8, (rp_range){s.t});
    rp_dispatch(s.r, 1, 1, 1);
    const char *const wanted[] = {" address 0=1+4 8=2 (rw $y, r address $x, rw address %t, any)",
                                  NULL};
    expect_text(wanted);
}

static void test_places(void) {
    begin();
    rp_push_address(s.r, 2, (rp_range){s.x});
    expect("call 4 (rp_push_address): ", "offset 2 and size 8; expected multiples of 4");
    begin();
    rp_push_address(s.r, 16, (rp_range){s.x});
    expect("call 4 (rp_push_address): ", "bytes [16+8] lie outside the push-constant block");
    begin();
    rp_push_address(s.r, 0, (rp_range){{0}});
    expect("call 4 (rp_push_address): ", "the handle is 0");
    begin();
    rp_push_address(s.r, 0, (rp_range){s.x, 64});
    expect("call 4 (rp_push_address): ", "the range starts at 64");
}

static void test_uses(void) {
    begin();
    rp_use_address(s.r, (rp_range){s.x}, RP_UNIFORM);
    expect("call 4 (rp_use_address): ", "expected r, w or rw");
    begin();
    rp_push_address(s.r, 0, (rp_range){s.x});
    rp_push_address(s.r, 8, (rp_range){s.x});
    rp_use_address(s.r, (rp_range){s.x}, RP_WRITE);
    rp_dispatch(s.r, 1, 1, 1);
    expect("call 7 (rp_dispatch): ", "w $x: in buffers are read only");
    begin();
    for (int i = 0; i < 1000; i++) rp_use_address(s.r, (rp_range){s.x}, RP_READ);
    expect("(rp_use_address): ", "more than");
    begin();
    rp_push_address(s.r, 0, (rp_range){s.x});
    rp_push_address(s.r, 8, (rp_range){s.t, 64});
    rp_use_address(s.r, (rp_range){s.x}, RP_READ);
    rp_use_address(s.r, (rp_range){s.t, 0, 64}, RP_READ);
    rp_dispatch(s.r, 1, 1, 1);
    expect("call 8 (rp_dispatch): ", "the address of byte 64 of 't' is pushed");
}

static void test_kernels(void) {
    begin();
    rp_bind_kernel(s.r, s.plain);
    rp_push_address(s.r, 0, (rp_range){s.x});
    expect("call 5 (rp_push_address): ", "kernel 'plain' does not use buffer device addresses");
    begin();
    rp_bind_kernel(s.r, s.plain);
    rp_use_address(s.r, (rp_range){s.x}, RP_READ);
    expect("call 5 (rp_use_address): ", "kernel 'plain' does not use buffer device addresses");
    begin();
    rp_push_address(s.r, 0, (rp_range){s.x});
    rp_dispatch(s.r, 1, 1, 1);
    expect("call 5 (rp_dispatch): ", "push bytes 8 to 11");
    begin();
    rp_push_address(s.r, 0, (rp_range){s.x});
    rp_push_address(s.r, 8, (rp_range){s.x});
    rp_push_live(s.r, 16, (rp_range){s.n, 0, 4});
    rp_dispatch(s.r, 1, 1, 1);
    expect("call 7 (rp_dispatch): ", "its push data cannot follow live values");
}

/* Images have no addresses, whether their use is said or not. */
static void test_images(void) {
    for (int said = 0; said < 2; said++) {
        begin();
        const rp_buffer_params params = {.size = sizeof params,
                                         .name = "i",
                                         .kind = RP_IN,
                                         .image = {RP_IMAGE_R32F, RP_IMAGE_2D, 1, 4, 4, 1, 1}};
        rp_buffer i;
        CU_ASSERT_EQUAL_FATAL(rp_program_buffer(s.program, &params, NULL, &i), RP_OK);
        rp_push_address(s.r, 0, (rp_range){s.x});
        rp_push_address(s.r, 8, (rp_range){i});
        if (said) rp_use_address(s.r, (rp_range){s.x}, RP_READ);
        if (said) rp_use_address(s.r, (rp_range){i}, RP_READ);
        rp_dispatch(s.r, 1, 1, 1);
        expect("(rp_dispatch): ", "$i is no range of a buffer, which alone have addresses");
    }
}

int main(void) {
    const rp_test tests[] = {{"declared", test_declared},
                             {"forgotten", test_forgotten},
                             {"nothing declared", test_unknown},
                             {"places", test_places},
                             {"uses", test_uses},
                             {"kernels", test_kernels},
                             {"images", test_images},
                             {NULL, NULL}};
    return rp_run_tests("recorder addresses", tests);
}
