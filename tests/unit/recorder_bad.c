/* Every public function of programs and recorders, called wrongly: the message names the recorder,
 * the call and what was expected. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/kernel.h"
#include "reprise/compiler.h"
#include "support/unit.h"

static const char *const shader =
    "#version 450\nlayout(local_size_x = 64) in;\n"
    "layout(binding = 0) readonly buffer X { float x[16]; };\n"
    "layout(set = 1, binding = 3) writeonly buffer Y { float y[]; };\n"
    "layout(push_constant) uniform P { uint n; float factor; };\n"
    "void main() { uint i = gl_GlobalInvocationID.x; if (i < n) y[i] = x[0] * factor; }\n";

/* What every case starts with. */
static struct {
    rp_program *program;
    rp_recorder *r;
    rp_kernel kernel;
    rp_buffer x, y, t, n;
} s;

static rp_buffer buffer(const char *name, rp_buffer_kind kind, rp_dtype dtype, uint64_t count) {
    rp_buffer b;
    rp_buffer_params params = {.size = sizeof params,
                               .name = name,
                               .kind = kind,
                               .dtype = dtype,
                               .rank = 1,
                               .shape = {count}};
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(s.program, &params, NULL, &b), RP_OK);
    return b;
}

static void begin(void) {
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "p", &s.program), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(s.program, &s.r), RP_OK);
    s.x = buffer("x", RP_IN, RP_F32, 16);
    s.y = buffer("y", RP_OUT, RP_F32, 16);
    s.t = buffer("t", RP_TMP, RP_F32, 32);
    s.n = buffer("n", RP_LIVE, RP_U32, 2);
    rp_kernel_params params = {.size = sizeof params, .name = "k", .glsl = shader};
    CU_ASSERT_EQUAL_FATAL(rp_program_kernel(s.program, &params, NULL, &s.kernel), RP_OK);
}

/* A state in which rp_dispatch is right: 5 calls. */
static void begin_bound(void) {
    begin();
    rp_bind_kernel(s.r, s.kernel);
    rp_bind(s.r, 0, (rp_range){s.x});
    rp_bind_in_set(s.r, 1, 3, (rp_range){s.y});
    rp_push(s.r, 0, (uint32_t[2]){0}, 8);
    rp_dispatch(s.r, 1, 1, 1);
}

static void finish(void) {
    rp_recorder_destroy(s.r);
    rp_program_destroy(s.program);
}

static bool has_message(rp_diags *diags, const char *where, const char *what) {
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        rp_diag d = rp_diags_get(diags, i);
        if (d.severity == RP_ERROR && !d.file && d.line == 0 && strstr(d.message, where) &&
            strstr(d.message, what))
            return true;
    }
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        fprintf(stderr, "  wanted '%s' '%s', got: %s\n", where, what,
                rp_diags_get(diags, i).message);
    return false;
}

/* Ends a case: joining must fail with these words, and later calls must have been ignored. */
static void expect(const char *where, const char *what) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *g = (rp_graph *)&s;
    rp_fence(s.r);
    CU_ASSERT_EQUAL(rp_program_graph(s.program, &s.r, 1, diags, &g), RP_ERROR_INVALID);
    CU_ASSERT_PTR_NULL(g);
    CU_ASSERT_EQUAL(rp_diags_error_count(diags), 1);
    CU_ASSERT(has_message(diags, where, what));
    /* Without a list of messages, and once more: the same. */
    CU_ASSERT_EQUAL(rp_program_graph(s.program, &s.r, 1, NULL, &g), RP_ERROR_INVALID);
    rp_diags_destroy(diags);
    finish();
}

/* ---- Handles --------------------------------------------------------------------------------- */

static void test_handles(void) {
    begin();
    rp_bind_kernel(s.r, (rp_kernel){0});
    expect("recorder 1, call 1 (rp_bind_kernel): ", "the handle is 0");
    begin();
    rp_bind_kernel(s.r, (rp_kernel){s.kernel.id + 1});
    expect("recorder 1, call 1 (rp_bind_kernel): ", "was never handed out");
    begin();
    rp_copy(s.r, (rp_range){{0}}, (rp_range){s.t});
    expect("recorder 1, call 1 (rp_copy): ", "the handle is 0");
    begin();
    rp_buffer other = s.x;
    finish();
    begin();
    rp_fill(s.r, (rp_range){other}, 0);
    expect("recorder 1, call 1 (rp_fill): ", "belongs to another program");
}

/* ---- State ----------------------------------------------------------------------------------- */

static void test_no_kernel(void) {
    begin();
    rp_bind(s.r, 0, (rp_range){s.x});
    expect("call 1 (rp_bind): ", "no kernel is bound");
    begin();
    rp_bind_in_set(s.r, 0, 0, (rp_range){s.x});
    expect("call 1 (rp_bind_in_set): ", "no kernel is bound");
    begin();
    rp_bind_access(s.r, 0, 0, RP_READ);
    expect("call 1 (rp_bind_access): ", "no kernel is bound");
    begin();
    rp_push(s.r, 0, &s, 4);
    expect("call 1 (rp_push): ", "no kernel is bound");
    begin();
    rp_dispatch(s.r, 1, 1, 1);
    expect("call 1 (rp_dispatch): ", "no kernel is bound");
    begin();
    rp_dispatch_indirect(s.r, (rp_range){s.x});
    expect("call 1 (rp_dispatch_indirect): ", "no kernel is bound");
    begin();
    rp_dispatch_live(s.r, "n", "1", "1");
    expect("call 1 (rp_dispatch_live): ", "no kernel is bound");
}

static void test_bindings(void) {
    begin_bound();
    rp_bind(s.r, 3, (rp_range){s.x});
    expect("call 6 (rp_bind): ", "has no binding 3 in set 0");
    begin_bound();
    rp_bind(s.r, 0, (rp_range){s.x, 4});
    expect("call 6 (rp_bind): ", "needs at least 64 bytes; the range of 'x' has 60");
    begin_bound();
    rp_bind(s.r, 0, (rp_range){s.x, 64});
    expect("call 6 (rp_bind): ", "'x' has 64 bytes; the range starts at 64");
    begin_bound();
    rp_bind(s.r, 0, (rp_range){s.x, 16, 52});
    expect("call 6 (rp_bind): ", "the range [16+52] ends behind");
    begin_bound();
    rp_bind(s.r, 0, (rp_range){s.x, 16, UINT64_MAX - 8});
    expect("call 6 (rp_bind): ", "ends behind");
    begin_bound();
    rp_bind_kernel(s.r, s.kernel); /* clears bindings */
    rp_dispatch(s.r, 1, 1, 1);
    expect("call 7 (rp_dispatch): ", "binding 0 in set 0 ('X') of kernel 'k' is not bound");
    begin_bound();
    rp_bind_access(s.r, 0, 0, RP_WRITE);
    expect("call 6 (rp_bind_access): ", "block 'X' of kernel 'k': the shader never writes it");
    begin_bound();
    rp_bind_access(s.r, 0, 0, RP_READ_WRITE);
    expect("call 6 (rp_bind_access): ", "block 'X' of kernel 'k': the shader never writes it");
    begin_bound();
    rp_bind_access(s.r, 1, 3, RP_READ);
    expect("call 6 (rp_bind_access): ", "the shader writes it");
    begin_bound();
    rp_bind_access(s.r, 1, 3, (rp_access)77);
    expect("call 6 (rp_bind_access): ", "not an access");
    begin_bound();
    rp_bind_access(s.r, 2, 3, RP_READ);
    expect("call 6 (rp_bind_access): ", "has no binding 3 in set 2");
}

static void test_push(void) {
    begin_bound();
    rp_push(s.r, 2, &s, 4);
    expect("call 6 (rp_push): ", "multiples of 4");
    begin_bound();
    rp_push(s.r, 0, &s, 0);
    expect("call 6 (rp_push): ", "greater than 0");
    begin_bound();
    rp_push(s.r, 4, &s, 8);
    expect("call 6 (rp_push): ", "which has 8 bytes");
    begin_bound();
    rp_push(s.r, UINT32_MAX - 3, &s, 8);
    expect("call 6 (rp_push): ", "which has 8 bytes");
    begin_bound();
    rp_push(s.r, 0, &s, 260);
    expect("call 6 (rp_push): ", "more than 256 bytes");
    begin_bound();
    rp_push(s.r, 0, NULL, 4);
    expect("call 6 (rp_push): ", "NULL");
    begin_bound();
    rp_bind_kernel(s.r, s.kernel); /* clears push data */
    rp_bind(s.r, 0, (rp_range){s.x});
    rp_bind_in_set(s.r, 1, 3, (rp_range){s.y});
    rp_push(s.r, 0, &(uint32_t){1}, 4);
    rp_dispatch(s.r, 1, 1, 1);
    expect("call 10 (rp_dispatch): ", "push bytes 4 to 7 of kernel 'k' are not set");
}

static void test_push_live(void) {
    begin();
    rp_push_live(s.r, 0, (rp_range){s.n, 0, 4});
    expect("call 1 (rp_push_live): ", "no kernel is bound");
    begin_bound();
    rp_push_live(s.r, 0, (rp_range){s.x, 0, 4});
    expect("call 6 (rp_push_live): ", "buffer 'x' is not of kind live");
    begin_bound();
    rp_push_live(s.r, 0, (rp_range){{0}, 0, 4});
    expect("call 6 (rp_push_live): ", "the handle is 0");
    begin_bound();
    rp_push_live(s.r, 0, (rp_range){s.n, 2, 4});
    expect("call 6 (rp_push_live): ", "starts at byte 2 of 'n'; expected a multiple of 4");
    begin_bound();
    rp_push_live(s.r, 2, (rp_range){s.n, 0, 4});
    expect("call 6 (rp_push_live): ", "offset 2 and size 4; expected multiples of 4");
    begin_bound();
    rp_push_live(s.r, 0, (rp_range){s.n, 0, 2});
    expect("call 6 (rp_push_live): ", "offset 0 and size 2; expected multiples of 4");
    begin_bound();
    rp_push_live(s.r, 4, (rp_range){s.n, 0, 8});
    expect("call 6 (rp_push_live): ", "bytes [4+8] lie outside the push-constant block");
    begin_bound();
    rp_push_live(s.r, 0, (rp_range){s.n, 8, 4});
    expect("call 6 (rp_push_live): ", "the range starts at 8");
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

static void test_grids(void) {
    begin_bound();
    rp_dispatch(s.r, 1, 0, 1);
    expect("call 6 (rp_dispatch): ", "1 x 0 x 1");
    begin_bound();
    rp_dispatch_indirect(s.r, (rp_range){s.x, 0, 8});
    expect("call 6 (rp_dispatch_indirect): ", "a grid has 12");
    begin_bound();
    rp_dispatch_indirect(s.r, (rp_range){s.x, 56});
    expect("call 6 (rp_dispatch_indirect): ", "ends behind");
    begin_bound();
    rp_dispatch_indirect(s.r, (rp_range){s.x, 2});
    expect("call 6 (rp_dispatch_indirect): ", "4");
    begin_bound();
    rp_dispatch_live(s.r, "n", NULL, "1");
    expect("call 6 (rp_dispatch_live): ", "an expression is NULL");
    begin_bound();
    rp_dispatch_live(s.r, "n", "1 +", "1");
    expect("call 6 (rp_dispatch_live): ", "grid y, \"1 +\", character 4: ");
    begin_bound();
    rp_dispatch_live(s.r, "m", "1", "1");
    expect("call 6 (rp_dispatch_live): ", "grid x, \"m\"");
    begin_bound();
    rp_dispatch_live(s.r, "x", "1", "1"); /* not a live buffer */
    expect("call 6 (rp_dispatch_live): ", "grid x, \"x\"");
    begin_bound();
    rp_dispatch_live(s.r, "1", "1", "0");
    expect("call 6 (rp_dispatch_live): ", "grid z is 0");
    begin_bound();
    rp_dispatch_live(s.r, "1", "-4", "1");
    expect("call 6 (rp_dispatch_live): ", "grid y is -4");
    begin_bound();
    rp_dispatch_live(s.r, "n[2]", "1", "1");
    expect("call 6 (rp_dispatch_live): ", "n");
}

static void test_transfers(void) {
    begin();
    rp_copy(s.r, (rp_range){s.x}, (rp_range){s.t});
    expect("call 1 (rp_copy): ", "the source has 64 bytes, the destination 128");
    begin();
    rp_copy(s.r, (rp_range){s.x, 0, 32}, (rp_range){s.t, 100, 32});
    expect("call 1 (rp_copy): ", "ends behind");
    begin();
    rp_copy(s.r, (rp_range){s.t, 0, 64}, (rp_range){s.t, 32, 64});
    expect("recorder 1, call 1 (rp_copy): ", "overlap");
    begin();
    rp_copy(s.r, (rp_range){s.t, 0, 64}, (rp_range){s.x});
    expect("recorder 1, call 1 (rp_copy): ", "x");
    begin();
    rp_fill(s.r, (rp_range){s.t, 2, 8}, 0);
    expect("recorder 1, call 1 (rp_fill): ", "multiple");
    begin();
    rp_update(s.r, (rp_range){s.t}, NULL, 4);
    expect("call 1 (rp_update): ", "NULL");
    begin();
    rp_update(s.r, (rp_range){s.t}, &s, 0);
    expect("call 1 (rp_update): ", "the size is 0");
    begin();
    rp_update(s.r, (rp_range){s.t, 0, 8}, &s, 4);
    expect("call 1 (rp_update): ", "4 bytes of data for a range of 8");
    begin();
    rp_update(s.r, (rp_range){s.t}, &s, 65540);
    expect("call 1 (rp_update): ", "more than 65536 bytes");
    begin();
    rp_update(s.r, (rp_range){s.t}, &s, 6);
    expect("recorder 1, call 1 (rp_update): ", "multiple");
}

static void test_labels(void) {
    begin();
    rp_label_end(s.r);
    expect("call 1 (rp_label_end): ", "no label is open");
    begin();
    rp_label_begin(s.r, "a");
    expect("call 3 (rp_label_end): ", "1 label is still open (\"a\")");
    begin();
    rp_label_begin(s.r, NULL);
    expect("call 1 (rp_label_begin): ", "NULL");
    begin();
    rp_label_begin(s.r, "");
    expect("call 1 (rp_label_begin): ", "empty");
    begin();
    rp_op_tag(s.r, NULL);
    expect("call 1 (rp_op_tag): ", "NULL");
    begin();
    rp_op_tag(s.r, "");
    expect("call 1 (rp_op_tag): ", "empty");
    begin();
    rp_fence(s.r);
    rp_fence(s.r);
    rp_label_end(s.r);
    rp_label_begin(s.r, "ignored"); /* as all that follows the first mistake */
    expect("call 3 (rp_label_end): ", "no label is open");
}

static void test_optional(void) {
    begin();
    rp_optional_end(s.r);
    expect("call 1 (rp_optional_end): ", "nothing is open");
    begin();
    rp_optional_begin(s.r);
    rp_optional_begin(s.r);
    rp_optional_end(s.r);
    expect("call 5 (rp_optional_end): ", "missing at the end: 1 still open");
}

static void test_trailing_tag(void) {
    rp_graph *g;
    rp_diags *diags = rp_diags_create(NULL);
    begin();
    rp_op_tag(s.r, "lost");
    CU_ASSERT_EQUAL(rp_program_graph(s.program, &s.r, 1, diags, &g), RP_ERROR_INVALID);
    CU_ASSERT(has_message(diags, "call 2 (rp_op_tag): ", "'lost' has no node"));
    rp_diags_destroy(diags);
    finish();
}

/* What the kinds of buffers allow is the verifier's business; its messages name calls too. */
static void test_verified(void) {
    rp_graph *g;
    rp_diags *diags = rp_diags_create(NULL);
    rp_recorder *second, *both[2];
    begin();
    CU_ASSERT_EQUAL(rp_recorder_create(s.program, &second), RP_OK);
    rp_fill(s.r, (rp_range){s.x}, 0);
    rp_label_end(second);
    both[0] = s.r;
    both[1] = second;
    CU_ASSERT_EQUAL(rp_program_graph(s.program, both, 2, diags, &g), RP_ERROR_INVALID);
    CU_ASSERT(has_message(diags, "recorder 2, call 1 (rp_label_end): ", "no label"));
    rp_diags_clear(diags);
    rp_recorder_destroy(second);
    CU_ASSERT_EQUAL(rp_recorder_create(s.program, &second), RP_OK);
    rp_fence(second);
    rp_fill(second, (rp_range){s.x}, 0);
    both[1] = second;
    CU_ASSERT_EQUAL(rp_program_graph(s.program, both, 2, diags, &g), RP_ERROR_INVALID);
    CU_ASSERT_EQUAL(rp_diags_error_count(diags), 2);
    CU_ASSERT(has_message(diags, "recorder 1, call 1 (rp_fill): ", "$x"));
    CU_ASSERT(has_message(diags, "recorder 2, call 2 (rp_fill): ", "$x"));
    rp_recorder_destroy(second);
    rp_diags_destroy(diags);
    finish();
}

/* ---- Programs -------------------------------------------------------------------------------- */

static void refuse_buffer(rp_buffer_params params, const char *wanted) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_buffer b = {9};
    params.size = sizeof params;
    CU_ASSERT_EQUAL(rp_program_buffer(s.program, &params, diags, &b), RP_ERROR_INVALID);
    CU_ASSERT_EQUAL(b.id, 0);
    CU_ASSERT(has_message(diags, "buffer", wanted));
    rp_diags_destroy(diags);
}

static void test_buffers(void) {
    uint32_t initial = 1;
    begin();
    refuse_buffer((rp_buffer_params){.name = NULL, .bytes = 4}, "NULL is not a name");
    refuse_buffer((rp_buffer_params){.name = "", .bytes = 4}, "'' is not a name");
    refuse_buffer((rp_buffer_params){.name = "1a", .bytes = 4}, "'1a' is not a name");
    refuse_buffer((rp_buffer_params){.name = "a b", .bytes = 4}, "'a b' is not a name");
    refuse_buffer((rp_buffer_params){.name = "a-b", .bytes = 4}, "'a-b' is not a name");
    refuse_buffer((rp_buffer_params){.name = "x", .bytes = 4}, "another of this name");
    refuse_buffer((rp_buffer_params){.name = "a"}, "size greater than 0");
    refuse_buffer((rp_buffer_params){.name = "a", .bytes = 4, .rank = 1}, "expected rank 0");
    refuse_buffer((rp_buffer_params){.name = "a", .bytes = 4, .kind = (rp_buffer_kind)9}, "kind");
    refuse_buffer((rp_buffer_params){.name = "a", .bytes = 4, .dtype = (rp_dtype)99}, "dtype");
    refuse_buffer((rp_buffer_params){.name = "a", .dtype = RP_F32}, "from 1 to 8");
    refuse_buffer((rp_buffer_params){.name = "a", .dtype = RP_F32, .rank = 9}, "from 1 to 8");
    refuse_buffer(
        (rp_buffer_params){.name = "a", .kind = RP_LIVE, .dtype = RP_F32, .rank = 2, .shape = {4}},
        "a dimension of the shape is 0");
    refuse_buffer((rp_buffer_params){.name = "a",
                                     .dtype = RP_F32,
                                     .rank = 2,
                                     .shape = {UINT64_C(1) << 40, UINT64_C(1) << 40}},
                  "more bytes than 64 bits");
    refuse_buffer(
        (rp_buffer_params){.name = "a", .dtype = RP_F32, .rank = 1, .shape = {4}, .bytes = 8},
        "disagree");
    refuse_buffer((rp_buffer_params){.name = "a", .bytes = 65540, .kind = RP_LIVE}, "65536 bytes");
    for (rp_dtype dtype = RP_Q8_0; dtype <= RP_Q4_0; dtype++)
        refuse_buffer(
            (rp_buffer_params){
                .name = "a", .kind = RP_LIVE, .dtype = dtype, .rank = 1, .shape = {32}},
            "a live buffer is not block-quantised");
    refuse_buffer((rp_buffer_params){.name = "a", .bytes = 4, .initial = &initial}, "only live");
    refuse_buffer((rp_buffer_params){.name = "a", .bytes = 4, .max_value = 4}, "only live");
    refuse_buffer((rp_buffer_params){.name = "a", .bytes = UINT64_C(1) << 41}, "at most 2^40");
    rp_buffer_params live = {.size = sizeof live,
                             .name = "a",
                             .kind = RP_LIVE,
                             .dtype = RP_F32,
                             .rank = 1,
                             .shape = {2},
                             .max_value = 4};
    refuse_buffer(live, "u32 and i32 only");
    live.dtype = RP_I32;
    live.initial = (int32_t[2]){-1, 5};
    refuse_buffer(live, "larger than the largest value");
    live.max_value = UINT32_C(1) << 31;
    refuse_buffer(live, "at most 2147483647");
    finish();
}

static void test_kernels(void) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_kernel k = {9};
    begin();
    rp_kernel_params params = {.size = sizeof params, .name = "k", .glsl = shader};
    CU_ASSERT_EQUAL(rp_program_kernel(s.program, &params, diags, &k), RP_ERROR_INVALID);
    CU_ASSERT(has_message(diags, "kernel 'k'", "another of this name"));
    CU_ASSERT_EQUAL(k.id, 0);
    params.name = "k!";
    CU_ASSERT_EQUAL(rp_program_kernel(s.program, &params, diags, &k), RP_ERROR_INVALID);
    CU_ASSERT(has_message(diags, "kernel", "'k!' is not a name"));
    params = (rp_kernel_params){.size = sizeof(rp_kernel_params), .name = "other"};
    CU_ASSERT_EQUAL(rp_program_kernel(s.program, &params, diags, &k), RP_ERROR_INVALID);
    CU_ASSERT(has_message(diags, "kernel 'other'", "either GLSL source or SPIR-V"));
    rp_diags_destroy(diags);
    finish();
}

static void test_null(void) {
    rp_program *p = (rp_program *)&s;
    rp_recorder *r = (rp_recorder *)&s;
    rp_graph *g = (rp_graph *)&s;
    rp_plan *plan = (rp_plan *)&s;
    rp_buffer b;
    rp_kernel k;
    CU_ASSERT_EQUAL(rp_program_create(NULL, NULL, &p), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(p);
    CU_ASSERT_EQUAL(rp_program_create(NULL, "no name", &p), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_create(NULL, "p", NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_recorder_create(NULL, &r), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(r);
    CU_ASSERT_EQUAL(
        rp_program_buffer(NULL, &(rp_buffer_params){.size = sizeof(rp_buffer_params)}, NULL, &b),
        RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(
        rp_program_kernel(NULL, &(rp_kernel_params){.size = sizeof(rp_kernel_params)}, NULL, &k),
        RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_graph(NULL, NULL, 0, NULL, &g), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_compile(NULL, NULL, NULL, &plan, NULL), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(plan);
    begin();
    CU_ASSERT_EQUAL(rp_recorder_create(s.program, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_buffer(s.program, NULL, NULL, &b), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_kernel(s.program, NULL, NULL, &k), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_buffer(s.program,
                                      &(rp_buffer_params){.size = sizeof(rp_buffer_params)}, NULL,
                                      NULL),
                    RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_graph(s.program, NULL, 1, NULL, &g), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_graph(s.program, &s.r, 1, NULL, NULL), RP_ERROR_USAGE);
    rp_recorder *none = NULL;
    CU_ASSERT_EQUAL(rp_program_graph(s.program, &none, 1, NULL, &g), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_create(NULL, "q", &p), RP_OK);
    CU_ASSERT_EQUAL(rp_program_graph(p, &s.r, 1, NULL, &g), RP_ERROR_USAGE);
    rp_program_destroy(p);
    finish();
    rp_program_destroy(NULL);
    rp_recorder_destroy(NULL);
    rp_bind_kernel(NULL, k);
    rp_bind(NULL, 0, (rp_range){{0}});
    rp_bind_in_set(NULL, 0, 0, (rp_range){{0}});
    rp_bind_access(NULL, 0, 0, RP_READ);
    rp_push(NULL, 0, NULL, 0);
    rp_push_live(NULL, 0, (rp_range){{0}});
    rp_push_address(NULL, 0, (rp_range){{0}});
    rp_use_address(NULL, (rp_range){{0}}, RP_READ);
    rp_dispatch(NULL, 1, 1, 1);
    rp_dispatch_indirect(NULL, (rp_range){{0}});
    rp_dispatch_live(NULL, NULL, NULL, NULL);
    rp_copy(NULL, (rp_range){{0}}, (rp_range){{0}});
    rp_fill(NULL, (rp_range){{0}}, 0);
    rp_update(NULL, (rp_range){{0}}, NULL, 0);
    rp_fence(NULL);
    rp_label_begin(NULL, NULL);
    rp_label_end(NULL);
    rp_op_tag(NULL, NULL);
    rp_optional_begin(NULL);
    rp_optional_end(NULL);
}

int main(void) {
    const rp_test tests[] = {{"handles", test_handles},
                             {"no kernel", test_no_kernel},
                             {"bindings", test_bindings},
                             {"push data", test_push},
                             {"live push data", test_push_live},
                             {"grids", test_grids},
                             {"transfers", test_transfers},
                             {"labels and tags", test_labels},
                             {"optional", test_optional},
                             {"a tag at the end", test_trailing_tag},
                             {"verified", test_verified},
                             {"buffers", test_buffers},
                             {"kernels", test_kernels},
                             {"NULL", test_null},
                             {NULL, NULL}};
    return rp_run_tests("wrong calls", tests);
}
