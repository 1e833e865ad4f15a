/* What front ends in other languages stand on: signatures as data, the types of outputs before they are
 * made, what reflection found of a kernel, and places of calls in the application's own source. */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "reprise/compiler.h"
#include "support/unit.h"

static rp_diags *diags;
static rp_program *program;

static void begin(void) {
    diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "p", &program), RP_OK);
}

static void end(void) {
    rp_program_destroy(program);
    rp_diags_destroy(diags);
}

static rp_buffer buffer(const char *name, rp_buffer_kind kind, rp_dtype dtype, uint64_t first,
                        uint64_t second, uint32_t max) {
    const rp_buffer_params params = {.size = sizeof params,
                                     .name = name,
                                     .kind = kind,
                                     .dtype = dtype,
                                     .rank = second ? 2 : 1,
                                     .shape = {first, second},
                                     .max_value = max};
    rp_buffer out;
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &params, diags, &out), RP_OK);
    return out;
}

static bool says(const char *words) {
    uint32_t count = rp_diags_count(diags);
    const char *last = count ? rp_diags_get(diags, count - 1).message : "nothing";
    if (strstr(last, words)) return true;
    fprintf(stderr, "\n  expected \"%s\"\n  got \"%s\"", words, last);
    return false;
}

/* ---- Signatures ------------------------------------------------------------------------------ */

static uint32_t find(const char *name, rp_signature_info *info) {
    *info = (rp_signature_info){.size = sizeof *info};
    for (uint32_t i = 0; rp_signature_get(i, info) == RP_OK; i++)
        if (strcmp(info->name, name) == 0) return i;
    return UINT32_MAX;
}

/* All that there is, as the other lists have it. */
static void test_signatures(void) {
    rp_signature_info info = {.size = sizeof info};
    uint32_t count = rp_op_count();
    while (rp_composite_at(count - rp_op_count())) count++;
    CU_ASSERT_EQUAL(rp_signature_count(), count);
    CU_ASSERT_EQUAL(rp_signature_get(count, &info), RP_ERROR_USAGE);
    for (uint32_t i = 0; i < count; i++) {
        CU_ASSERT_EQUAL_FATAL(rp_signature_get(i, &info), RP_OK);
        CU_ASSERT_EQUAL(info.composite, i >= rp_op_count());
        CU_ASSERT_STRING_EQUAL(info.name, info.composite ? rp_composite_at(i - rp_op_count())->name
                                                         : rp_op_name(rp_op_at(i)));
        uint32_t outputs = 0;
        for (uint32_t k = 0; k < info.operand_count; k++) {
            rp_signature_operand_info o = {.size = sizeof o};
            CU_ASSERT_EQUAL_FATAL(rp_signature_get_operand(i, k, &o), RP_OK);
            CU_ASSERT_PTR_NOT_NULL_FATAL(o.name);
            CU_ASSERT(o.access == RP_READ || o.access == RP_WRITE || o.access == RP_READ_WRITE);
            CU_ASSERT(info.composite || o.dtypes != 0);
            outputs += o.access != RP_READ;
        }
        for (uint32_t k = 0; k < info.attribute_count; k++) {
            rp_signature_attribute_info a = {.size = sizeof a};
            CU_ASSERT_EQUAL_FATAL(rp_signature_get_attribute(i, k, &a), RP_OK);
            CU_ASSERT_PTR_NOT_NULL_FATAL(a.name);
            CU_ASSERT(!a.required || isnan(a.fallback));
            CU_ASSERT(a.kind != RP_ATTRIBUTE_CHOICE || strchr(a.choices, '|'));
        }
        CU_ASSERT(outputs > 0);
        rp_signature_operand_info o = {.size = sizeof o};
        rp_signature_attribute_info a = {.size = sizeof a};
        CU_ASSERT_EQUAL(rp_signature_get_operand(i, info.operand_count, &o), RP_ERROR_USAGE);
        CU_ASSERT_EQUAL(rp_signature_get_attribute(i, info.attribute_count, &a), RP_ERROR_USAGE);
    }
}

/* What is said of single ones. */
static void test_signature(void) {
    rp_signature_info info;
    rp_signature_operand_info o = {.size = sizeof o};
    rp_signature_attribute_info a = {.size = sizeof a};
    uint32_t rope = find("rope", &info);
    CU_ASSERT_EQUAL(rp_signature_get_operand(rope, 0, &o), RP_OK);
    CU_ASSERT_STRING_EQUAL(o.name, "x");
    CU_ASSERT_EQUAL(o.access, RP_READ);
    CU_ASSERT(o.dtypes & 1u << RP_F32 && !(o.dtypes & 1u << RP_RAW));
    bool choice = false;
    for (uint32_t k = 0; k < info.attribute_count; k++) {
        CU_ASSERT_EQUAL(rp_signature_get_attribute(rope, k, &a), RP_OK);
        choice |= a.kind == RP_ATTRIBUTE_CHOICE && strncmp(a.choices, "neox|", 5) == 0;
    }
    CU_ASSERT(choice);
    uint32_t map = find("map", &info);
    CU_ASSERT(info.formula && !info.composite);
    CU_ASSERT_EQUAL(rp_signature_get_attribute(map, 0, &a), RP_OK);
    CU_ASSERT_EQUAL(a.kind, RP_ATTRIBUTE_FORMULA);
    CU_ASSERT(a.required && isnan(a.fallback));
    uint32_t flip = find("flip", &info);
    CU_ASSERT(info.composite && !info.formula);
    CU_ASSERT_EQUAL(rp_signature_get_attribute(flip, 0, &a), RP_OK);
    CU_ASSERT_EQUAL(a.kind, RP_ATTRIBUTE_INTEGERS);
    /* A caller that knows less, and one that forgot its size. */
    struct {
        rp_signature_info info;
        uint64_t behind;
    } old = {.info = {.size = offsetof(rp_signature_info, composite)}, .behind = 7};
    old.info.composite = 5;
    CU_ASSERT_EQUAL(rp_signature_get(flip, &old.info), RP_OK);
    CU_ASSERT(old.info.composite == 5 && old.behind == 7);
    old.info.size = 0;
    CU_ASSERT_EQUAL(rp_signature_get(flip, &old.info), RP_ERROR_USAGE);
    o.size = a.size = 0;
    CU_ASSERT_EQUAL(rp_signature_get_operand(flip, 0, &o), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_signature_get_attribute(flip, 0, &a), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_signature_get(flip, NULL), RP_ERROR_USAGE);
}

/* ---- Types of outputs ------------------------------------------------------------------------ */

/* Infers, makes the output, and wants the graph to take it. */
static void agrees(const char *op, rp_operand *operands, uint32_t count, const rp_attribute *attrs,
                   uint32_t attr_count, rp_dtype dtype, const char *text) {
    rp_operand *out = &operands[count - 1];
    rp_recorder *r;
    rp_graph *graph;
    char *printed;
    CU_ASSERT_EQUAL_FATAL(rp_program_infer(program, op, operands, count, attrs, attr_count, diags),
                          RP_OK);
    CU_ASSERT_EQUAL(out->dtype, dtype);
    rp_buffer_params params = {
        .size = sizeof params, .name = "y", .kind = RP_OUT, .dtype = out->dtype, .rank = out->rank};
    memcpy(params.shape, out->shape, sizeof params.shape);
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &params, diags, &out->range.buffer), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(program, &r), RP_OK);
    rp_apply(r, op, operands, count, attrs, attr_count);
    CU_ASSERT_EQUAL_FATAL(rp_program_graph(program, &r, 1, diags, &graph), RP_OK);
    CU_ASSERT_EQUAL(rp_graph_print(graph, RP_FORMAT_TEXT, &printed, NULL), RP_OK);
    if (!strstr(printed, text)) fprintf(stderr, "\n  wanted %s\n  in %s", text, printed);
    CU_ASSERT_PTR_NOT_NULL(strstr(printed, text));
    rp_text_release(graph, printed);
    rp_graph_destroy(graph);
    rp_recorder_destroy(r);
}

static void test_infer(void) {
    begin();
    rp_buffer x = buffer("x", RP_IN, RP_F32, 4, 8, 0), g = buffer("g", RP_WEIGHT, RP_F32, 8, 0, 0);
    rp_operand norm[] = {{.name = "x", .range = {.buffer = x}},
                         {.name = "weight", .range = {.buffer = g}},
                         {.name = "out"}};
    agrees("rms_norm", norm, 3, NULL, 0, RP_F32, "$y out f32[4,8]");
    end();
    begin(); /* a map of a part, with the dtype said */
    x = buffer("x", RP_IN, RP_F32, 4, 8, 0);
    rp_operand map[] = {{.name = "v", .range = {x, 32, 64}}, {.name = "out", .dtype = RP_F16}};
    const rp_attribute formula = {.name = "expr", .text = "v * v"};
    agrees("map", map, 2, &formula, 1, RP_F16, "$y out f16[16]");
    end();
    begin(); /* a composite; both of its operands are the same buffer */
    x = buffer("x", RP_IN, RP_F32, 4, 8, 0);
    rp_operand linear[] = {{.name = "x", .range = {.buffer = x}},
                           {.name = "weight", .range = {.buffer = x}},
                           {.name = "out"}};
    agrees("linear", linear, 3, NULL, 0, RP_F32, "$y out f32[4,4]");
    end();
    begin(); /* dimensions that follow live values */
    uint64_t n;
    buffer("n", RP_LIVE, RP_U32, 1, 0, 9);
    CU_ASSERT_EQUAL_FATAL(rp_program_extent(program, "2 * n", diags, &n), RP_OK);
    rp_operand sized[] = {{.name = "x", .range = {.buffer = buffer("x", RP_IN, RP_F32, n, 8, 0)}},
                          {.name = "out"}};
    agrees("transpose", sized, 2, NULL, 0, RP_F32, "$y out f32[8,{2 * $n}]");
    end();
    begin(); /* a number for each row: an extent that nobody had asked for */
    uint64_t rows;
    buffer("n", RP_LIVE, RP_U32, 1, 0, 9);
    CU_ASSERT_EQUAL_FATAL(rp_program_extent(program, "n", diags, &rows), RP_OK);
    rp_operand sums[] = {{.name = "x",
                          .range = {.buffer = buffer("x", RP_IN, RP_F32, rows, 32, 0)},
                          .dtype = RP_F32,
                          .rank = 2,
                          .shape = {0, 8}},
                         {.name = "out"}};
    CU_ASSERT_EQUAL_FATAL(rp_program_extent(program, "4 * n", diags, &sums[0].shape[0]), RP_OK);
    agrees("row_sum", sums, 2, NULL, 0, RP_F32, "$y out f32[{4 * $n}]");
    end();
    begin(); /* a composite that writes a sum of live values into a formula */
    uint64_t sum;
    buffer("n", RP_LIVE, RP_U32, 1, 0, 9);
    buffer("past", RP_LIVE, RP_U32, 1, 0, 5);
    CU_ASSERT_EQUAL_FATAL(rp_program_extent(program, "past + n", diags, &sum), RP_OK);
    rp_operand mean[] = {{.name = "x", .range = {.buffer = buffer("x", RP_IN, RP_F32, sum, 32, 0)}},
                         {.name = "out"}};
    const rp_attribute axes = {.name = "axes", .text = "0"};
    agrees("reduce_mean", mean, 2, &axes, 1, RP_F32, "$y out f32[32]");
    end();
}

/* One number for one extent, however it is written, and its expression. */
static void test_extents(void) {
    uint64_t a, b, c, again, out;
    char text[64];
    begin();
    buffer("n", RP_LIVE, RP_U32, 1, 0, 9);
    buffer("m", RP_LIVE, RP_U32, 1, 0, 5);
    CU_ASSERT_EQUAL(rp_program_extent(program, "2 * n * m", diags, &a), RP_OK);
    CU_ASSERT_EQUAL(rp_program_extent(program, "m * (n + n)", diags, &b), RP_OK);
    CU_ASSERT_EQUAL(rp_program_extent(program, "m + 7", diags, &c), RP_OK);
    CU_ASSERT(a == b || rp_program_print_extent(program, b, NULL, 0) > 0);
    CU_ASSERT_NOT_EQUAL(a, c);
    const uint64_t each[] = {a, b, c};
    for (int i = 0; i < 3; i++) {
        size_t length = rp_program_print_extent(program, each[i], text, sizeof text);
        CU_ASSERT(length > 0 && length == strlen(text));
        CU_ASSERT_EQUAL(rp_program_extent(program, text, diags, &again), RP_OK);
        CU_ASSERT_EQUAL(again, each[i]);
        CU_ASSERT_EQUAL(rp_program_print_extent(program, each[i], text, 4), length);
        CU_ASSERT_EQUAL(strlen(text), 3);
    }
    CU_ASSERT_EQUAL(rp_program_print_extent(program, a, text, sizeof text), strlen("2 * $n * $m"));
    CU_ASSERT_STRING_EQUAL(text, "2 * $n * $m");
    CU_ASSERT_EQUAL(rp_program_print_extent(program, 12, text, sizeof text), 2);
    CU_ASSERT_STRING_EQUAL(text, "12");
    out = a ^ 0xffff; /* of no extent */
    CU_ASSERT_EQUAL(rp_program_print_extent(program, out, text, sizeof text), 0);
    CU_ASSERT_STRING_EQUAL(text, "");
    CU_ASSERT_EQUAL(rp_program_print_extent(NULL, a, text, sizeof text), 0);
    end();
}

static void test_infer_wrong(void) {
    begin();
    rp_buffer x = buffer("x", RP_IN, RP_F32, 4, 8, 0), g = buffer("g", RP_WEIGHT, RP_F32, 9, 0, 0);
    const rp_operand good[] = {{.name = "x", .range = {.buffer = x}},
                               {.name = "weight", .range = {.buffer = g}},
                               {.name = "out"}};
    rp_operand o[3];
#define INFER(op, count) (memcpy(o, good, sizeof o), infer_with(op, o, count))
#define infer_with(op, o, count) rp_program_infer(program, op, o, count, NULL, 0, diags)
    CU_ASSERT_EQUAL(INFER("rms_norm", 3), RP_ERROR_INVALID);
    CU_ASSERT(says("weight is f32[9]: its only dimension, C, is 9, expected 8"));
    CU_ASSERT_EQUAL(o[2].rank, 0);
    CU_ASSERT_EQUAL(INFER("rms", 3), RP_ERROR_INVALID);
    CU_ASSERT(says("there is no op 'rms'"));
    CU_ASSERT_EQUAL(INFER("", 3), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(INFER("silu", 1), RP_ERROR_INVALID);
    CU_ASSERT(says("'out' of silu is missing"));
    rp_operand input[] = {{.name = "x"}, {.name = "out"}};
    CU_ASSERT_EQUAL(infer_with("silu", input, 2), RP_ERROR_INVALID);
    CU_ASSERT(says("is read: 'x' must be made before"));
    rp_operand alien[] = {{.name = "x", .range = {.buffer = {x.id + 1000}}}, {.name = "out"}};
    CU_ASSERT_EQUAL(infer_with("silu", alien, 2), RP_ERROR_INVALID);
    CU_ASSERT(says("never handed out by this program"));
    rp_operand outside[] = {{.name = "x", .range = {x, 64, 128}}, {.name = "out"}};
    CU_ASSERT_EQUAL(infer_with("silu", outside, 2), RP_ERROR_INVALID);
    CU_ASSERT(says("ends behind them"));
    rp_operand odd[] = {{.name = "x", .range = {.buffer = x}}, {.name = "out", .dtype = 99}};
    CU_ASSERT_EQUAL(infer_with("silu", odd, 2), RP_ERROR_INVALID);
    CU_ASSERT(says("unknown dtype"));
    rp_operand extent[] = {{.name = "x", .range = {.buffer = x}},
                           {.name = "out",
                            .dtype = RP_F32,
                            .rank = 1,
                            .shape = {UINT64_C(0xb5e5) << 48 | UINT64_C(0xffffffffffff)}}};
    CU_ASSERT_EQUAL(infer_with("silu", extent, 2), RP_ERROR_INVALID);
    CU_ASSERT(says("no extent of this program"));
    const rp_attribute formula = {.name = "expr", .text = "x +"};
    rp_operand map[] = {{.name = "x", .range = {.buffer = x}}, {.name = "out"}};
    CU_ASSERT_EQUAL(rp_program_infer(program, "map", map, 2, &formula, 1, diags), RP_ERROR_INVALID);
    CU_ASSERT(says("formula, character 4"));
    CU_ASSERT_EQUAL(rp_program_infer(NULL, "map", map, 2, &formula, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_infer(program, "map", NULL, 2, &formula, 1, diags), RP_ERROR_USAGE);
    end();
}

/* ---- Kernels --------------------------------------------------------------------------------- */

static const char glsl[] =
    "#version 450\n"
    "layout(local_size_x = 8, local_size_y = 4) in;\n"
    "layout(binding = 1) writeonly buffer To { float to[]; } y;\n"
    "layout(binding = 0) readonly buffer From { float from[]; };\n"
    "layout(set = 1, binding = 3) uniform Spare { float spare; } left;\n"
    "layout(push_constant) uniform Push { float factor; uint n; };\n"
    "void main() { y.to[gl_GlobalInvocationID.x] = factor * from[gl_GlobalInvocationID.x + n]; }\n";

static void test_kernel(void) {
    begin();
    const rp_kernel_params params = {.size = sizeof params, .name = "scale", .glsl = glsl};
    rp_kernel kernel;
    rp_kernel_interface k = {.size = sizeof k};
    rp_binding_info b = {.size = sizeof b};
    CU_ASSERT_EQUAL_FATAL(rp_program_kernel(program, &params, diags, &kernel), RP_OK);
    CU_ASSERT_EQUAL(rp_program_get_kernel(program, kernel, diags, &k), RP_OK);
    CU_ASSERT_STRING_EQUAL(k.name, "scale");
    CU_ASSERT(k.local_size[0] == 8 && k.local_size[1] == 4 && k.local_size[2] == 1);
    CU_ASSERT(k.push_bytes == 8 && k.binding_count == 3);
    static const struct {
        const char *name;
        uint32_t set, binding;
        rp_access access;
        int used;
    } want[] = {
        {"From", 0, 0, RP_READ, 1}, {"y", 0, 1, RP_WRITE, 1}, {"left", 1, 3, RP_UNIFORM, 0}};
    for (uint32_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(rp_program_get_binding(program, kernel, i, diags, &b), RP_OK);
        CU_ASSERT_STRING_EQUAL(b.name, want[i].name);
        CU_ASSERT(b.set == want[i].set && b.binding == want[i].binding);
        CU_ASSERT(b.access == want[i].access && !b.used == !want[i].used);
        CU_ASSERT(b.resource == RP_RESOURCE_BUFFER && b.elements == 0);
    }
    CU_ASSERT_EQUAL(rp_program_get_binding(program, kernel, 3, diags, &b), RP_ERROR_USAGE);
    CU_ASSERT(says("has 3 bindings: there is no number 3"));
    CU_ASSERT_PTR_NULL(b.name);
    CU_ASSERT_EQUAL(rp_program_get_kernel(program, (rp_kernel){0}, diags, &k), RP_ERROR_USAGE);
    CU_ASSERT(says("the handle is 0"));
    CU_ASSERT_EQUAL(rp_program_get_binding(program, (rp_kernel){0}, 0, diags, &b), RP_ERROR_USAGE);
    k.size = b.size = 0;
    CU_ASSERT_EQUAL(rp_program_get_kernel(program, kernel, diags, &k), RP_ERROR_USAGE);
    CU_ASSERT(says("sizeof(rp_kernel_interface)"));
    CU_ASSERT_EQUAL(rp_program_get_binding(program, kernel, 0, diags, &b), RP_ERROR_USAGE);
    CU_ASSERT(says("sizeof(rp_binding_info)"));
    CU_ASSERT_EQUAL(rp_program_get_kernel(NULL, kernel, diags, &k), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_get_kernel(program, kernel, diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_get_binding(NULL, kernel, 0, diags, &b), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_get_binding(program, kernel, 0, diags, NULL), RP_ERROR_USAGE);
    end();
}

/* ---- Places ---------------------------------------------------------------------------------- */

static void silu(rp_recorder *r, rp_buffer x, rp_buffer out) {
    const rp_operand operands[] = {{.name = "x", .range = {.buffer = x}},
                                   {.name = "out", .range = {.buffer = out}}};
    rp_apply(r, "silu", operands, 2, NULL, 0);
}

/* The last message is at this place. */
static bool is_at(const char *file, uint32_t line, uint32_t column) {
    uint32_t count = rp_diags_count(diags);
    if (count == 0) return false;
    rp_diag d = rp_diags_get(diags, count - 1);
    return (file ? d.file && strcmp(d.file, file) == 0 : !d.file) && d.line == line &&
           d.column == column;
}

/* Of a mistake that is seen at once, when calls are joined, by the whole graph, and while compiling. */
static void test_places(void) {
    for (int kind = 0; kind < 4; kind++) {
        begin();
        rp_recorder *r;
        rp_graph *graph = NULL;
        rp_plan *plan = NULL;
        uint32_t line, column;
        rp_buffer x = buffer("x", RP_IN, RP_F32, 8, 0, 0), y = buffer("y", RP_OUT, RP_F32, 8, 0, 0),
                  z = buffer("z", RP_OUT, RP_F32, 9, 0, 0);
        CU_ASSERT_EQUAL_FATAL(rp_recorder_create(program, &r), RP_OK);
        rp_source_line(r, "model.py", 3, 1);
        rp_source_line(r, "model.py", 4, 9);
        silu(r, x, y);
        rp_source_line(r, "layers.py", 70, 2);
        if (kind == 0) rp_label_begin(r, NULL);
        if (kind == 1) silu(r, x, z);
        if (kind == 2) silu(r, y, x);
        if (kind == 3) silu(r, y, y);
        rp_source_line(r, NULL, 80, 0);
        silu(r, x, y);
        rp_source_line(r, "unused.py", 0, 0);
        silu(r, y, y);
        rp_status status = rp_program_graph(program, &r, 1, diags, &graph);
        CU_ASSERT_EQUAL(status, kind == 3 ? RP_OK : RP_ERROR_INVALID);
        if (kind < 3) {
            CU_ASSERT(is_at("layers.py", 70, 2));
            CU_ASSERT(says(kind == 0 ? "rp_label_begin: the text is NULL" : "rp_apply: "));
        } else {
            CU_ASSERT_EQUAL(rp_graph_node_place(graph, 0, &line, &column), RP_OK);
            CU_ASSERT(line == 4 && column == 9);
            CU_ASSERT_EQUAL(rp_graph_node_place(graph, 1, &line, &column), RP_OK);
            CU_ASSERT(line == 70 && column == 2);
            CU_ASSERT_EQUAL(rp_graph_node_place(graph, 2, &line, &column), RP_OK);
            CU_ASSERT(line == 80 && column == 0);
            CU_ASSERT_EQUAL(rp_graph_node_place(graph, 3, &line, &column), RP_ERROR_NOT_FOUND);
            rp_target narrow = {.size = sizeof narrow, .name = "narrow", .storage_range = 16};
            const rp_pass_options options = {
                .size = sizeof options, .pipeline = rp_pass_level(0), .target = &narrow};
            CU_ASSERT_EQUAL(rp_compile(graph, &options, diags, &plan, NULL), RP_ERROR_UNSUPPORTED);
            bool found = false;
            for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
                rp_diag d = rp_diags_get(diags, i);
                found |= !d.file && d.line == 70 && d.column == 2;
            }
            CU_ASSERT(found);
        }
        rp_plan_destroy(plan);
        rp_graph_destroy(graph);
        rp_recorder_destroy(r);
        end();
    }
    rp_source_line(NULL, "model.py", 1, 1);
}

/* A transient that becomes a result, and what may not. */
static void test_output(void) {
    begin();
    rp_recorder *r;
    rp_graph *graph = NULL;
    char *text;
    rp_buffer x = buffer("x", RP_IN, RP_F32, 8, 0, 0), t = buffer("t", RP_TMP, RP_F32, 8, 0, 0);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(program, &r), RP_OK);
    silu(r, x, t);
    CU_ASSERT_EQUAL(rp_program_output(program, x, "y", diags), RP_ERROR_INVALID);
    CU_ASSERT(says("'x' is of kind in"));
    CU_ASSERT_EQUAL(rp_program_output(program, t, "x", diags), RP_ERROR_INVALID);
    CU_ASSERT(says("there is another of this name"));
    CU_ASSERT_EQUAL(rp_program_output(program, t, "no name", diags), RP_ERROR_INVALID);
    CU_ASSERT_EQUAL(rp_program_output(program, (rp_buffer){0}, "y", diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_output(NULL, t, "y", diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_program_output(program, t, "y", diags), RP_OK);
    CU_ASSERT_EQUAL(rp_program_output(program, t, NULL, diags), RP_ERROR_INVALID);
    CU_ASSERT(says("'y' is of kind out"));
    CU_ASSERT_EQUAL_FATAL(rp_program_graph(program, &r, 1, diags, &graph), RP_OK);
    CU_ASSERT_EQUAL(rp_graph_print(graph, RP_FORMAT_TEXT, &text, NULL), RP_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "buf $y out f32[8]"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "n0 = op silu (r $x:f32[8], w $y:f32[8])"));
    rp_text_release(graph, text);
    rp_graph_destroy(graph);
    rp_recorder_destroy(r);
    end();
}

int main(void) {
    static const rp_test tests[] = {{"signatures", test_signatures},
                                    {"one signature", test_signature},
                                    {"types of outputs", test_infer},
                                    {"extents", test_extents},
                                    {"wrong calls", test_infer_wrong},
                                    {"kernels", test_kernel},
                                    {"places of calls", test_places},
                                    {"results", test_output},
                                    {NULL, NULL}};
    return rp_run_tests("front ends", tests);
}
