/* Formulas: whatever the text, parsing ends with nodes in evaluation order or with a message and a
 * place; what passes the check has a value of its type for any inputs; and a map with it is an op
 * whose graph prints and parses back, and which has GLSL.
 *
 * An input is "TYPES FORMULA": a letter for the type of the result, then one for each of the names
 * a, b, ... up to eight: f f32, h f16, g bf16, i i32, c i8, u u32, b u8, l i64, m u64. "ffi a * b" */
#include "fuzz.h"

#include <math.h>

#include "graph/graph.h"
#include "ops/formula.h"
#include "reference/reference.h"
#include "reprise/compiler.h"

enum { MAX_NAMES = 8, ERROR_SIZE = 160 };

typedef struct input {
    uint8_t result, dtypes[MAX_NAMES]; /* rp_dtype */
    uint32_t count;
    const char *text; /* not terminated */
    size_t size;
} input;

static bool read_dtype(char letter, uint8_t *out) {
    static const char letters[] = "fhicubglm";
    static const uint8_t dtypes[] = {RP_F32, RP_F16,  RP_I32, RP_I8, RP_U32,
                                     RP_U8,  RP_BF16, RP_I64, RP_U64};
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (found) *out = dtypes[found - letters];
    return found != NULL;
}

static bool read_input(const uint8_t *data, size_t size, input *out) {
    const char *text = (const char *)data;
    size_t at = 1;
    *out = (input){0};
    if (size < 3 || !read_dtype(*text, &out->result)) return false;
    for (; at < size && text[at] != ' '; at++) {
        if (out->count == MAX_NAMES) return false;
        if (!read_dtype(text[at], &out->dtypes[out->count++])) return false;
    }
    if (at == size || out->count == 0) return false;
    out->text = text + at + 1;
    out->size = size - at - 1;
    return true;
}

static bool look_up(void *context, const char *name, size_t length, uint32_t *out) {
    const input *in = context;
    if (length != 1 || *name < 'a' || (uint32_t)(*name - 'a') >= in->count) return false;
    *out = (uint32_t)(*name - 'a');
    return true;
}

/* ---- The nodes ------------------------------------------------------------------------------- */

static void check_nodes(const rp_formula *f) {
    HOLDS(f->count > 0 && f->count <= RP_FORMULA_MAX_NODES, NULL);
    for (uint32_t i = 0; i < f->count; i++)
        for (uint32_t k = 0; k < rp_formula_arity(f->nodes[i].code); k++)
            HOLDS(f->nodes[i].args[k] < i, NULL);
}

static bool is_in(double v, double low, double high) {
    return v >= low && v <= high && v == floor(v);
}

static void check_value(const rp_formula *f, const double *names) {
    double scale = -1, v = rp_formula_eval_scaled(f, names, &scale);
    switch ((rp_formula_type)f->nodes[f->count - 1].type) {
    case RP_TYPE_F32: break;
    case RP_TYPE_I32: HOLDS(is_in(v, INT32_MIN, INT32_MAX), NULL); break;
    case RP_TYPE_U32: HOLDS(is_in(v, 0, UINT32_MAX), NULL); break;
    case RP_TYPE_I64: HOLDS(is_in(v, -0x1p63, 0x1p63), NULL); break;
    case RP_TYPE_U64: HOLDS(is_in(v, 0, 0x1p64), NULL); break;
    case RP_TYPE_BOOL: HOLDS(is_in(v, 0, 1), NULL); break;
    case RP_TYPE_NUMBER: HOLDS(!"a type was left open", NULL);
    }
    HOLDS(!(scale < 0), NULL);
}

/* Values that a name of the dtype may have, the awkward ones among them. */
static double value_of(uint8_t dtype, uint32_t which) {
    static const double floats[] = {0, -0.0, 1.5, -3, NAN, INFINITY, -INFINITY, 1e-40, 3e38, 65519};
    static const double integers[] = {0,  1,  -1,  2147483647.0, -2147483648.0, 4294967295.0,
                                      31, 63, 255, -0x1p63};
    enum { COUNT = sizeof floats / sizeof *floats };
    bool is_float = rp_op_formula_type(dtype) == RP_TYPE_F32;
    return rp_reference_store(dtype, (is_float ? floats : integers)[which % COUNT]);
}

static void check_values(const input *in, const rp_formula *f) {
    double names[MAX_NAMES];
    for (uint32_t round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < MAX_NAMES; i++)
            names[i] = value_of(in->dtypes[i], round + i * (3 + round));
        check_value(f, names);
    }
    HOLDS(rp_formula_flops(f) >= 0 && isfinite(rp_formula_flops(f)), NULL);
}

/* ---- As an op -------------------------------------------------------------------------------- */

static void check_glsl(const rp_graph *graph, rp_diags *diags) {
    for (int fast = 0; fast < 2; fast++) {
        char *text = NULL;
        HOLDS(rp_node_glsl(graph, 0, fast, diags, &text) == RP_OK, diags);
        HOLDS(strstr(text, "void main()") != NULL, diags);
        rp_text_release(graph, text);
    }
}

static uint32_t add_buffer(rp_graph *graph, const char *name, uint8_t kind, uint8_t dtype) {
    const uint64_t dims[] = {4};
    rp_graph_buffer buffer = {.name = rp_graph_intern(graph, name, strlen(name)),
                              .kind = kind,
                              .dtype = dtype,
                              .rank = 1,
                              .size = 4 * rp_dtype_size(dtype),
                              .offset = RP_NOT_PLACED,
                              .first_default = RP_NONE,
                              .max_value = UINT32_MAX};
    return rp_graph_add_buffer(graph, &buffer, dims);
}

/* `accepted` is what parser and check said of the formula. */
static void try_map(const input *in, bool accepted) {
    rp_op_argument arguments[MAX_NAMES + 1] = {0};
    rp_graph *graph = rp_graph_create(NULL, "formula");
    rp_diags *diags = rp_diags_create(NULL);
    HOLDS(graph && diags, diags);
    for (uint32_t i = 0; i <= in->count; i++) {
        char name[2] = {i < in->count ? (char)('a' + i) : 'y', '\0'};
        uint8_t dtype = i < in->count ? in->dtypes[i] : in->result;
        arguments[i].tensor = (rp_tensor){.dtype = dtype, .rank = 1, .dims = {4}};
        arguments[i].buffer = add_buffer(graph, name, i < in->count ? RP_IN : RP_OUT, dtype);
    }
    rp_graph_attr attr = {.name = rp_graph_intern(graph, "expr", 4),
                          .text = rp_graph_intern(graph, in->text, in->size)};
    rp_graph_node node = {.label = RP_NONE, .op = RP_NONE};
    uint32_t index =
        rp_graph_add_op(graph, &node, rp_op_find("map", 3), arguments, in->count + 1, &attr, 1);
    HOLDS(index == 0, diags);
    rp_status status = rp_graph_verify(graph, "formula", diags);
    HOLDS(status == (accepted ? RP_OK : RP_ERROR_INVALID), diags);
    if (accepted) {
        fuzz_round_trip(graph, diags);
        check_glsl(graph, diags);
    }
    rp_diags_destroy(diags);
    rp_graph_destroy(graph);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in;
    if (size > FUZZ_MAX_BYTES || !read_input(data, size, &in)) return 0;
    rp_allocator heap = rp_allocator_or_default(NULL);
    rp_formula formula;
    uint8_t types[MAX_NAMES];
    char error[ERROR_SIZE];
    size_t at = 0;
    memset(error, 'x', sizeof error);
    rp_status status =
        rp_formula_parse(&heap, in.text, in.size, look_up, &in, &formula, error, &at);
    bool accepted = status == RP_OK;
    if (accepted) {
        check_nodes(&formula);
        for (uint32_t i = 0; i < MAX_NAMES; i++) types[i] = rp_op_formula_type(in.dtypes[i]);
        accepted = rp_formula_check(&formula, types, error);
        if (accepted) check_values(&in, &formula);
    } else {
        HOLDS(status == RP_ERROR_INVALID && at <= in.size && !formula.nodes, NULL);
    }
    HOLDS(accepted || (memchr(error, '\0', sizeof error) && *error), NULL);
    rp_formula_free(&heap, &formula);
    /* Strings of a graph end at their first zero. */
    if (!memchr(in.text, '\0', in.size)) try_map(&in, accepted);
    return 0;
}
