/* The vocabulary of ops: every definition is consistent; calls are checked and inferred; references
 * of families map and rows agree with their formulas, which were written separately. */
#include "graph/keywords.h"
#include "support/unit.h"
#include "support/failing_alloc.h"

#include <math.h>
#include <stdlib.h>

#include "reference/reference.h"
#include "ops/tables.h"

/* ---- Calls written in one line --------------------------------------------------------------- */

static uint8_t dtype_of(const char *text, size_t length) {
    for (uint32_t d = 0; d < 32; d++) {
        const char *name = rp_dtype_name((rp_dtype)d);
        if (name && strlen(name) == length && memcmp(name, text, length) == 0) return (uint8_t)d;
    }
    return RP_RAW;
}

/* "f32[4,8]", "f32", "-" left out, "?" unknown, "f16?" of unknown shape. */
static rp_tensor tensor_of(const char *text, size_t length) {
    rp_tensor t = {0};
    size_t at = strcspn(text, "[? ");
    if (at > length) at = length;
    t.dtype = dtype_of(text, at);
    t.absent = *text == '-';
    if (at < length && text[at] == '?') t.rank = RP_OP_INFER;
    while (at < length && (text[at] == '[' || text[at] == ',') && t.rank < RP_MAX_RANK) {
        t.dims[t.rank++] = strtoull(text + at + 1, NULL, 10);
        at += 1 + strcspn(text + at + 1, ",] ");
    }
    return t;
}

/* A call of `op`; attributes "eps=1e-5 cap=3" or, for a map, the formula. */
static rp_op_call call_of(const char *name, const char *attrs, const char *operands) {
    rp_op_call call;
    const rp_op *op = rp_op_find(name, strlen(name));
    CU_ASSERT_FATAL(op != NULL);
    rp_op_call_init(&call, op, 0);
    for (const char *at = operands; *(at += strspn(at, " "));) {
        size_t length = strcspn(at, " ");
        call.operands[call.operand_count++] = tensor_of(at, length);
        at += length;
    }
    if (op == rp_op_map) call.formula = attrs;
    for (const char *at = attrs; op != rp_op_map && attrs && *(at += strspn(at, " "));) {
        size_t length = strcspn(at, "=");
        uint32_t index = rp_op_attr_index(op, at, length);
        CU_ASSERT_FATAL(index != RP_OP_MISSING);
        call.attrs[index] = strtod(at + length + 1, NULL);
        at += strcspn(at, " ");
    }
    return call;
}

/* ---- The registry ---------------------------------------------------------------------------- */

static void test_registry(void) {
#define RP_X(family) #family,
    static const char *const families[] = {RP_OP_FAMILIES(RP_X)};
#undef RP_X
    enum { FAMILIES = sizeof families / sizeof *families };
    uint32_t count = rp_op_count(), family = 0;
    CU_ASSERT(count > 60);
    for (uint32_t i = 0; i < count; i++) {
        const rp_op *op = rp_op_at(i);
        CU_ASSERT_FATAL(op != NULL);
        const char *name = rp_op_name(op);
        CU_ASSERT(rp_op_find(name, strlen(name)) == op);
        while (family < FAMILIES && strcmp(families[family], rp_op_family(op)) != 0) family++;
        CU_ASSERT(family < FAMILIES); /* in this order, each in one piece */
        CU_ASSERT(strlen(rp_op_brief(op)) > 2);
    }
    CU_ASSERT(rp_op_at(count) == NULL);
    CU_ASSERT(rp_op_at(UINT32_MAX) == NULL);
    CU_ASSERT(rp_op_find("rms_normal", 8) == rp_op_find("rms_norm", 8));
    CU_ASSERT(rp_op_find("rms_norm", 7) == NULL);
    CU_ASSERT(rp_op_find("rms_normal", 10) == NULL);
    CU_ASSERT(rp_op_find("", 0) == NULL);
    CU_ASSERT(rp_op_find(NULL, 0) == NULL);
    CU_ASSERT(rp_op_name(NULL) == NULL && rp_op_family(NULL) == NULL && rp_op_brief(NULL) == NULL);
}

/* Operands have names that a formula and a kernel can use, inputs before outputs. */
static void check_operands(const rp_op *op) {
    bool output = false;
    for (uint32_t i = 0; i < op->operand_count; i++) {
        const rp_op_operand *o = op->operands + i;
        CU_ASSERT(o->name && *o->name && o->brief && *o->brief && o->dtypes);
        if (op != rp_op_map) CU_ASSERT(rp_op_operand_index(op, o->name, strlen(o->name)) == i);
        CU_ASSERT(rp_op_attr_index(op, o->name, strlen(o->name)) == RP_OP_MISSING);
        CU_ASSERT(o->access == RP_READ || o->access == RP_WRITE || o->access == RP_READ_WRITE);
        if (o->access != RP_READ) output = true;
        if (o->access == RP_READ) CU_ASSERT(!output);
        if (o->access == RP_READ && o->optional && op->form != RP_OP_KERNEL)
            CU_ASSERT(o->absent != NULL);
        if (o->like) CU_ASSERT(rp_op_operand_index(op, o->like, strlen(o->like)) < i);
        CU_ASSERT((op->form == RP_OP_ROWS && o->access != RP_READ) == (o->expression != NULL));
    }
    CU_ASSERT(output);
}

static void check_attrs(const rp_op *op) {
    for (uint32_t i = 0; i < op->attr_count; i++) {
        const rp_op_attr *a = op->attrs + i;
        CU_ASSERT(a->name && *a->name && a->brief && *a->brief);
        CU_ASSERT(rp_op_attr_index(op, a->name, strlen(a->name)) == i);
        CU_ASSERT((a->kind == RP_ATTR_CHOICE) == (a->choices != NULL));
        if (a->kind == RP_ATTR_CHOICE || a->required) continue;
        CU_ASSERT(a->low <= a->fallback && a->fallback <= a->high && a->low < a->high);
    }
}

static void test_definitions(void) {
    for (uint32_t i = 0; i < rp_op_count(); i++) {
        const rp_op *op = rp_op_at(i);
        unsigned before = CU_get_number_of_failures();
        CU_ASSERT(op->operand_count >= 1 && op->operand_count <= 12);
        CU_ASSERT(op->attr_count <= RP_OP_MAX_ATTRS && op->step_count <= RP_OP_MAX_STEPS);
        CU_ASSERT(op->notes && *op->notes && rp_reference_of(op));
        CU_ASSERT((op->form == RP_OP_ROWS) == (op->step_count > 0));
        check_operands(op);
        check_attrs(op);
        if (CU_get_number_of_failures() != before) printf("\n    in %s", op->name);
    }
}

static void test_pages(void) {
    for (uint32_t i = 0; i < rp_op_count(); i++) {
        const rp_op *op = rp_op_at(i);
        char *page, word[64];
        CU_ASSERT_FATAL(rp_op_doc(NULL, op, &page) == RP_OK);
        CU_ASSERT(strncmp(page, "## ", 3) == 0);
        CU_ASSERT(strncmp(page + 3, op->name, strlen(op->name)) == 0);
        for (uint32_t k = 0; k < op->operand_count + op->attr_count; k++) {
            snprintf(word, sizeof word, "| `%s` |",
                     k < op->operand_count ? op->operands[k].name
                                           : op->attrs[k - op->operand_count].name);
            CU_ASSERT(strstr(page, word) != NULL);
        }
        CU_ASSERT(strstr(page, "(null)") == NULL);
        rp_op_doc_release(NULL, page);
    }
    char *page;
    const rp_op *softmax = rp_op_find("softmax", 7);
    CU_ASSERT(rp_op_doc(NULL, softmax, &page) == RP_OK);
    static const char *const lines[] = {
        "| `x` | read | `[..., C]`, the dots multiply to R | f32, f16, i8, u8, bf16, i16, u16, "
        "bool |",
        "| `mask` | read, optional (0.0) | broadcasts | f32, f16, bf16, bool |",
        "| `scale` | number, -1e+30 to 1e+30 | 1 | multiplies x |",
        "    top = maximum of x * scale + mask\n"};
    for (uint32_t i = 0; i < 4; i++) CU_ASSERT(strstr(page, lines[i]) != NULL);
    rp_op_doc_release(NULL, page);
    CU_ASSERT(rp_op_doc(NULL, NULL, &page) == RP_ERROR_USAGE && page == NULL);
    CU_ASSERT(rp_op_doc(NULL, softmax, NULL) == RP_ERROR_USAGE);
    rp_op_doc_release(NULL, NULL);
    rp_status status = RP_ERROR_NO_MEMORY;
    for (uint64_t fail_at = 1; status != RP_OK; fail_at++) {
        failing_alloc f = {.fail_at = fail_at};
        rp_allocator a = failing_allocator(&f);
        status = rp_op_doc(&a, softmax, &page);
        CU_ASSERT(status == (f.requests < fail_at ? RP_OK : RP_ERROR_NO_MEMORY));
        CU_ASSERT((status == RP_OK) == (page != NULL));
        rp_op_doc_release(&a, page);
        CU_ASSERT(f.live == 0);
    }
}

static void test_names(void) {
    const rp_op *map = rp_op_map, *norm = rp_op_find("rms_norm", 8);
    CU_ASSERT(strcmp(rp_op_name(map), "map") == 0);
    CU_ASSERT(rp_op_operand_index(map, "a", 1) == 0);
    CU_ASSERT(rp_op_operand_index(map, "z", 1) == 25);
    CU_ASSERT(rp_op_operand_index(map, "A", 1) == RP_OP_MISSING);
    CU_ASSERT(rp_op_operand_index(map, "ab", 2) == RP_OP_MISSING);
    CU_ASSERT(rp_op_operand_index(map, "out", 3) == RP_OP_MAP_OUT);
    CU_ASSERT(rp_op_operand_index(norm, "weight", 6) == 1);
    CU_ASSERT(rp_op_operand_index(norm, "weight", 5) == RP_OP_MISSING);
    CU_ASSERT(rp_op_attr_index(norm, "eps", 3) == 0);
    CU_ASSERT(rp_op_attr_index(norm, "epsilon", 7) == RP_OP_MISSING);
    rp_op_call call = call_of("map", "a", "f32[2] f32[2] f32[2] f32[2]");
    CU_ASSERT(strcmp(rp_op_operand_name(&call, 2), "c") == 0);
    CU_ASSERT(strcmp(rp_op_operand_name(&call, 3), "out") == 0);
    CU_ASSERT(rp_op_operand_of(&call, 2) == map->operands);
    CU_ASSERT(rp_op_operand_of(&call, 3) == map->operands + 1);
    rp_op_call_init(&call, rp_op_find("clamp", 5), 2);
    CU_ASSERT(isnan(call.attrs[0]));
    rp_op_call_init(&call, norm, 3);
    CU_ASSERT(call.attrs[0] == 1e-6 && call.operand_count == 3);
}

static void test_tensors(void) {
    static const struct {
        const char *text;
        uint64_t elements, bytes;
    } cases[] = {{"f32[4,8]", 32, 128},
                 {"f16[3]", 3, 6},
                 {"f32", 1, 4},
                 {"-", 0, 0},
                 {"q8_0[2,64]", 128, 136},
                 {"q4_0[32]", 32, 18},
                 {"u8[1,2,3,4,5,6,7,8]", 40320, 40320},
                 {"f32[4294967296,4294967296]", UINT64_MAX, UINT64_MAX},
                 {"f32[9223372036854775807]", INT64_MAX, UINT64_MAX}};
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_tensor t = tensor_of(cases[i].text, strlen(cases[i].text));
        rp_allocator a = rp_allocator_or_default(NULL);
        rp_text text;
        rp_text_init(&text, &a);
        rp_tensor_print(&text, &t);
        CU_ASSERT(strcmp(text.data, cases[i].text) == 0);
        CU_ASSERT(rp_tensor_elements(&t) == cases[i].elements);
        CU_ASSERT(rp_tensor_bytes(&t) == cases[i].bytes);
        rp_text_free(&text);
    }
}

/* ---- Checking -------------------------------------------------------------------------------- */

static const struct {
    const char *op, *attrs, *operands;
} good_calls[] = {
    {"add", NULL, "f32[4,8] f32[4,8] f32[4,8]"},
    {"add", NULL, "f32[4,8] f32[8] f32[4,8]"},
    {"add", NULL, "f32[4,1] f32[8] f16[4,8]"},
    {"add", NULL, "f32 i8[8] f32[1,8]"},
    {"add", NULL, "i32 u32[1] i32"},
    {"cast", NULL, "f32[7] u8[7]"},
    {"clamp", "low=-1 high=inf", "f32[3] f32[3]"},
    {"map", "a * b + c", "f32[4,8] f32[8] f32 f32[4,8]"},
    {"map", "1.0", "f32[2] f32[2]"},
    {"map", "z + a",
     "f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 "
     "f32 f32 f32 f32 f32 f32 f32 f32"},
    {"rms_norm", NULL, "f32[4,8] f32[8] f32[4,8]"},
    {"rms_norm", "eps=0", "f16[8] - f32[1,8]"},
    {"rms_norm", NULL, "f32[2,3,8] f32[8] f32[6,8]"}, /* leading ones count by their product */
    {"row_sum", NULL, "u8[5] f32"},
    {"row_sum", NULL, "f32[2,3,5] f32[3,2]"},
    {"softmax", "scale=0.125", "f32[2,3,5] f32[3,5] f32[2,3,5]"},
    {"softmax", NULL, "f32[2,3,5] - f32[2,3,5]"},
    {"argmax", NULL, "f32[1,1] u32"},
    {"l2_normalize", NULL, "f32[9,7] f32[9,7] f32[9]"},
    {"l2_normalize", NULL, "f32[9,7] f32[9,7] -"},
};

static void test_good(void) {
    for (uint32_t i = 0; i < sizeof good_calls / sizeof *good_calls; i++) {
        rp_op_call call = call_of(good_calls[i].op, good_calls[i].attrs, good_calls[i].operands);
        bool good = rp_op_check(&call);
        if (!good) printf("\n    %s: %s", good_calls[i].operands, call.error);
        CU_ASSERT(good && call.error[0] == '\0');
        CU_ASSERT(rp_op_check(&call)); /* again: nothing is left over */
    }
}

static const struct {
    const char *op, *attrs, *operands, *error;
} bad_calls[] = {
    {"rms_norm", NULL, "f32[4,8] f32[9] f32[4,8]",
     "rms_norm: weight is f32[9]: its only dimension, C, is 9, expected 8, the last dimension of x "
     "f32[4,8]"},
    {"rms_norm", NULL, "f32[4,8] - f32[5,8]",
     "rms_norm: out is f32[5,8]: its leading dimensions, R, make 5, expected 4, the leading "
     "dimensions of x f32[4,8]"},
    {"row_sum", NULL, "f32[4,8] f32[3]",
     "row_sum: out is f32[3]: its elements, R, are 3, expected 4, the leading dimensions of x "
     "f32[4,8]"},
    {"rms_norm", NULL, "f32[4,8] f32[1,8] f32[4,8]",
     "rms_norm: weight is f32[1,8], expected the shape [C]"},
    {"rms_norm", NULL, "f32 - f32", "rms_norm: x is f32, expected the shape [...,C]"},
    {"rms_norm", NULL, "i32[4,8] - f32[4,8]",
     "rms_norm: x is i32, expected f32, f16, i8, u8, bf16, i16, u16 or bool"},
    {"rms_norm", NULL, "f32[4,8] - u8[4,8]", "rms_norm: out is u8, expected f32, f16 or bf16"},
    {"rms_norm", NULL, "f32[4,8] -", "rms_norm: it takes 3 operands, not 2"},
    {"rms_norm", NULL, "- - f32[4,8]", "rms_norm: x is missing"},
    {"rms_norm", NULL, "f32[4,8] - -", "rms_norm: out is missing"},
    {"rms_norm", "eps=-1", "f32[8] - f32[8]", "rms_norm: attribute eps is -1, expected 0 to 1"},
    {"rms_norm", "eps=nan", "f32[8] - f32[8]", "rms_norm: attribute eps is not a number"},
    {"rms_norm", "eps=inf", "f32[8] - f32[8]", "rms_norm: attribute eps is inf, expected 0 to 1"},
    {"scale", "factor=1e39", "f32[8] f32[8]",
     "scale: attribute factor is 1e+39, too large for f32"},
    {"scale", "offset=-3.5e38", "f32[8] f32[8]", "attribute offset is -3.5e+38, too large for f32"},
    {"clamp", "low=-1e39 high=inf", "f32[3] f32[3]", "attribute low is -1e+39, too large for f32"},
    {"clamp", "low=0 high=1e308", "f32[3] f32[3]", "attribute high is 1e+308, too large for f32"},
    {"add_scaled", "factor=4e38", "f32 f32 f32", "attribute factor is 4e+38, too large for f32"},
    {"add", NULL, "f32[4,8] f32[7] f32[4,8]",
     "add: b is f32[7], which does not broadcast to [4,8]"},
    {"add", NULL, "f32[8] f32[8] f32[4,8]",
     "add: out is f32[4,8], but the inputs broadcast to [8]"},
    {"add", NULL, "f32[4,8] f32[8] f32[8]",
     "add: out is f32[8], but the inputs broadcast to [4,8]"},
    {"add", NULL, "f32 f32 f32[2]", "add: out is f32[2], but the inputs broadcast to a single"},
    {"add", NULL, "f32[65536,65536] f32 f32[65536,65536]",
     "add: a is f32[65536,65536]: it has more than 4278190080 elements"},
    {"add", NULL, "f32[4294967296,4294967296] f32 f32[2]", "it has more than 4278190080 elements"},
    {"add", NULL, "f32[65536,1] f32[65536] f32[65536,65536]",
     "add: out is f32[65536,65536]: it has more than"},
    {"sub", NULL, "u8[3] u8[3] u8[3]",
     "sub: a is u8, expected f32, f16, i8, i32, u32, bf16, i16, i64 or u64"},
    {"sqrt", NULL, "q8_0[32] f32[32]", "sqrt: x is q8_0, expected f32, f16 or bf16"},
    {"sqrt", NULL, "raw[32] f32[32]", "sqrt: x is raw, expected f32, f16 or bf16"},
    {"equal", NULL, "f32[3] f32[3] f32[3]", "equal: out is f32, expected u8"},
    {"clamp", NULL, "f32[3] f32[3]", "clamp: attribute low is missing"},
    {"clamp", "low=2 high=1", "f32[3] f32[3]",
     "clamp: attribute low is 2, more than high, which is 1"},
    {"softmax", NULL, "f32[2,3,5] f32[2,5] f32[2,3,5]",
     "softmax: mask is f32[2,5], which does not broadcast to"},
    {"softmax", NULL, "f32[3,5] f32[2,3,5] f32[3,5]",
     "softmax: mask is f32[2,3,5], which does not broadcast to out f32[3,5]"},
    {"l2_normalize", NULL, "f32[9,7] f32[9,7] f32[7]",
     "l2_normalize: norms is f32[7]: its elements, R, are 7, expected 9"},
    {"add", "expr", "f32 f32 f32", ""},
    {"map", NULL, "f32 f32", "map: attribute expr is missing"},
    {"map", "a", "f32", "map: in 'a', column 1: unknown name 'a'"},
    {"map", "i0 + a", "f32 f32", "map: in 'i0 + a', column 1: unknown name 'i0'"},
    {"map", "a + i2", "f32[3,5] f32[3,5]", "map: in 'a + i2', column 5: unknown name 'i2'"},
    {"map", "index", "u8[3,715827883]", "out has 2147483649 elements; the place of more than"},
    {"map", "a + c", "f32 f32 f32", "map: in 'a + c', column 5: unknown name 'c'"},
    {"map", "a + out", "f32 f32", "unknown name 'out'"},
    {"map", "a +", "f32 f32", "map: in 'a +', column 4: expected a number"},
    {"map", "a & 1", "f32 f32", "'&' takes integers, not f32"},
    {"map", "a", "q8_0[32] f32[32]", "map: a is q8_0, expected"},
    {"map", "a", "f32[3] f32[4]", "map: out is f32[4], but the inputs broadcast to [3]"},
    {"map", "a + i1", "f32[3,2] f32[4,5]",
     "map: out is f32[4,5], but the inputs broadcast to [3,2]"},
    {"map", "a + i0", "f32[3,2] f32[2]", "map: out is f32[2], but the inputs broadcast to [3,2]"},
    {"map", "a", "f32[3] -", "map: out is missing"},
    {"map", "a", "f32? f32[3]", "map: a has 255 dimensions; at most 8 are possible"},
};

static void test_bad(void) {
    for (uint32_t i = 0; i < sizeof bad_calls / sizeof *bad_calls; i++) {
        bool formula = bad_calls[i].attrs && strcmp(bad_calls[i].attrs, "expr") == 0;
        rp_op_call call =
            call_of(bad_calls[i].op, formula ? NULL : bad_calls[i].attrs, bad_calls[i].operands);
        const char *expected = bad_calls[i].error;
        if (formula) {
            call.formula = "a + b";
            expected = "add: it takes no attribute expr";
        }
        bool good = rp_op_check(&call);
        bool told = strstr(call.error, expected) != NULL;
        if (good || !told) printf("\n    %s: %s", bad_calls[i].operands, call.error);
        CU_ASSERT(!good && told);
    }
}

/* Dtypes and ranks that no enum has, and text that is longer than a message. */
static void test_damaged(void) {
    rp_op_call call = call_of("add", NULL, "f32[3] f32[3] f32[3]");
    call.operands[0].dtype = 200;
    CU_ASSERT(!rp_op_check(&call) && strstr(call.error, "a is of an unknown dtype"));
    call = call_of("add", NULL, "f32[3] f32[3] f32[3]");
    call.operands[1].rank = 9;
    CU_ASSERT(!rp_op_check(&call) && strstr(call.error, "b has 9 dimensions"));
    call = call_of("map", "a", "f32 f32");
    call.operand_count = UINT32_MAX;
    CU_ASSERT(!rp_op_check(&call));
    call = call_of("rms_norm", NULL, "f32[8] - f32[8]");
    call.operands[0].rank = call.operands[2].rank = 8;
    for (uint32_t i = 0; i < 8; i++) call.operands[0].dims[i] = UINT64_MAX - i;
    CU_ASSERT(!rp_op_check(&call) && strlen(call.error) < sizeof call.error);
    char formula[4096];
    memset(formula, '(', sizeof formula);
    formula[sizeof formula - 1] = '\0';
    call = call_of("map", formula, "f32 f32");
    CU_ASSERT(!rp_op_check(&call) && strlen(call.error) < sizeof call.error);
    CU_ASSERT(!rp_op_fail(&call, "%0300d", 7) && strlen(call.error) == sizeof call.error - 1);
}

/* What the page of an op says an output's dtype is when none is given: "default f32", "default that
 * of `x`", the same "or f32" where it cannot be, or the only one there is. RP_RAW: it does not say.
 */
static rp_dtype documented_default(const char *page, const rp_op_call *call, uint32_t output) {
    char row[64], name[64] = "";
    const rp_op_operand *operand = rp_op_operand_of(call, output);
    snprintf(row, sizeof row, "| `%s` | ", operand->name);
    const char *line = strstr(page, row), *end = line ? strchr(line, '\n') : NULL;
    const char *said = line ? strstr(line, "; default ") : NULL;
    uint8_t dtype = RP_RAW;
    if (!said || said > end) {
        for (uint32_t d = 1; d < 32; d++)
            if (operand->dtypes == RP_DT(d)) return (rp_dtype)d;
        return RP_RAW;
    }
    said += strlen("; default ");
    if (sscanf(said, "that of `%60[^`]`", name) == 1) {
        uint32_t like = rp_op_operand_index(call->op, name, strlen(name));
        CU_ASSERT_FATAL(like < call->operand_count);
        dtype = call->operands[like].dtype;
        if (operand->dtypes >> dtype & 1) return (rp_dtype)dtype;
        said = strstr(said, "` or ") + 5;
    }
    CU_ASSERT(rp_dtype_parse(said, strcspn(said, " |"), &dtype));
    return (rp_dtype)dtype;
}

/* Infers the outputs anew; those that need a shape are left alone. */
static uint32_t check_defaults(rp_op_call call) {
    uint32_t checked = 0;
    char *page;
    for (uint32_t k = 0; k < call.operand_count; k++)
        if (rp_op_operand_of(&call, k)->access == RP_WRITE && !call.operands[k].absent)
            call.operands[k] = (rp_tensor){.dtype = RP_RAW, .rank = RP_OP_INFER};
    if (!rp_op_infer(&call)) return 0;
    CU_ASSERT_FATAL(rp_op_doc(NULL, call.op, &page) == RP_OK);
    for (uint32_t k = 0; k < call.operand_count; k++) {
        if (rp_op_operand_of(&call, k)->access != RP_WRITE || call.operands[k].absent) continue;
        rp_dtype said = documented_default(page, &call, k);
        if (said != call.operands[k].dtype)
            printf("\n    %s: %s is %s, documented is %s", call.op->name,
                   rp_op_operand_name(&call, k), rp_dtype_name((rp_dtype)call.operands[k].dtype),
                   rp_dtype_name(said));
        CU_ASSERT(said == call.operands[k].dtype);
        checked++;
    }
    rp_op_doc_release(NULL, page);
    return checked;
}

/* Every op's outputs get the dtype that its page promises: all element-wise ops over all dtypes,
 * and the good calls of the others. */
static void test_defaults(void) {
    uint32_t checked = 0;
    for (uint32_t i = 0; i < sizeof good_calls / sizeof *good_calls; i++)
        if (strcmp(good_calls[i].op, "map") != 0) /* its formula says: front ends see to that */
            checked += check_defaults(
                call_of(good_calls[i].op, good_calls[i].attrs, good_calls[i].operands));
    for (uint32_t i = 0; i < rp_op_count(); i++) {
        const rp_op *op = rp_op_at(i);
        for (uint32_t d = 1; d < 32; d++) {
            char text[256] = "", one[32];
            bool fits = strcmp(op->family, "map") == 0 && op != rp_op_map && rp_dtype_name(d);
            for (uint32_t k = 0; fits && k < op->operand_count; k++) {
                bool read = op->operands[k].access == RP_READ;
                fits = !read || (op->operands[k].dtypes >> d & 1);
                snprintf(one, sizeof one, "%s%s", k ? " " : "", read ? rp_dtype_name(d) : "?");
                strcat(text, one);
            }
            if (fits) checked += check_defaults(call_of(op->name, NULL, text));
        }
    }
    CU_ASSERT(checked > 150);
}

static void test_infer(void) {
    static const struct {
        const char *op, *attrs, *operands, *outputs; /* or what is wrong */
    } cases[] = {
        {"add", NULL, "f16[4,1] f32[8] ?", "f16[4,8]"},
        {"add", NULL, "f32 f32 ?", "f32"},
        {"add", NULL, "f32[3] f32[1,3] f16?", "f16[1,3]"},
        {"equal", NULL, "f32[3] i8[3] ?", "u8[3]"},
        {"scale", NULL, "i8[3] ?", "f32[3]"},
        {"cast", NULL, "f32[3] i8?", "i8[3]"},
        {"cast", NULL, "f32[3] ?", "f32[3]"},
        {"cast", NULL, "i8[3] ?", "f32[3]"},
        {"map", "a > b", "f16[2,3] u8[3] ?", "f16[2,3]"},
        {"rms_norm", NULL, "f16[2,3,8] - ?", "f16[2,3,8]"},
        {"rms_norm", NULL, "u8[8] - ?", "f32[8]"},
        {"row_sum", NULL, "f32[2,3,8] ?", "f32[2,3]"},
        {"row_sum", NULL, "f32[8] ?", "f32"},
        {"row_mean", NULL, "f32[2,3,8] f16[6]", "f16[6]"},
        {"argmin", NULL, "f16[4,5] ?", "u32[4]"},
        {"l2_normalize", NULL, "f16[4,5] ? ?", "f16[4,5] f32[4]"},
        {"l2_normalize", NULL, "f16[4,5] ? -", "f16[4,5] -"},
        {"softmax", NULL, "f32[2,3,5] f32[1,5] ?", "f32[2,3,5]"},
        {"add", NULL, "f32[3] f32[4] ?", "add: b is f32[4], which does not broadcast to [3]"},
        {"add", NULL, "? f32[4] ?", "add: a is raw, expected"},
        {"row_sum", NULL, "f32[4,8] i8?", "row_sum: out is i8, expected f32, f16 or bf16"},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_op_call call = call_of(cases[i].op, cases[i].attrs, cases[i].operands);
        rp_allocator a = rp_allocator_or_default(NULL);
        rp_text found;
        rp_text_init(&found, &a);
        if (!rp_op_infer(&call)) rp_text_string(&found, call.error);
        for (uint32_t k = 0; k < call.operand_count && !*call.error; k++) {
            if (rp_op_operand_of(&call, k)->access == RP_READ) continue;
            if (found.size) rp_text_char(&found, ' ');
            rp_tensor_print(&found, call.operands + k);
        }
        bool right = strncmp(found.data, cases[i].outputs, strlen(cases[i].outputs)) == 0;
        if (!right) printf("\n    %s %s: %s", cases[i].op, cases[i].operands, found.data);
        CU_ASSERT(right);
        if (!*call.error) CU_ASSERT(rp_op_check(&call)); /* what was inferred is right */
        rp_text_free(&found);
    }
}

static void test_questions(void) {
    rp_op_call call = call_of("rms_norm", NULL, "f32[4,8] f32[8] f32[4,8]");
    rp_op_cost cost;
    CU_ASSERT_FATAL(rp_op_check(&call));
    CU_ASSERT(rp_sym(&call, 'R') == 4 && rp_sym(&call, 'C') == 8 && rp_sym(&call, 'Z') == 0);
    CU_ASSERT(rp_op_product(&call, "RC") == 32 && rp_op_product(&call, "RRC") == 128);
    CU_ASSERT(rp_op_product(&call, NULL) == 1);
    CU_ASSERT(rp_op_reads_at(&call, 0) == RP_AT_ROW && rp_op_reads_at(&call, 1) == RP_AT_ANY);
    rp_op_cost_of(&call, &cost);
    /* x * x and the sum; two products; once for each row rsqrt and /, eight each, and + */
    CU_ASSERT(cost.flops == 32 * 2 + 32 * 2 + 4 * 17);
    CU_ASSERT(cost.loads[0] == 64 && cost.loads[1] == 32 && cost.loads[2] == 32);
    call = call_of("rms_norm", NULL, "f32[4,8] - f32[4,8]");
    CU_ASSERT_FATAL(rp_op_check(&call));
    rp_op_cost_of(&call, &cost);
    CU_ASSERT(cost.loads[1] == 0);
    call = call_of("map", "a * b + a", "f32[4,8] f32[8] f32[4,8]");
    CU_ASSERT_FATAL(rp_op_check(&call));
    CU_ASSERT(strcmp(rp_op_formula(&call), "a * b + a") == 0);
    CU_ASSERT(rp_op_reads_at(&call, 0) == RP_AT_SAME && rp_op_reads_at(&call, 1) == RP_AT_ANY);
    rp_op_cost_of(&call, &cost);
    CU_ASSERT(cost.flops == 64 && cost.loads[0] == 32 && cost.loads[1] == 32 &&
              cost.loads[2] == 32);
    call = call_of("add", NULL, "f32[1,8] f32[8] f32[1,8]");
    CU_ASSERT_FATAL(rp_op_check(&call));
    CU_ASSERT(rp_op_reads_at(&call, 1) == RP_AT_SAME);
    CU_ASSERT(strcmp(rp_op_formula(&call), "a + b") == 0);
    call = call_of("softmax", NULL, "f32[4,8] f32[8] f32[4,8]");
    CU_ASSERT_FATAL(rp_op_check(&call));
    CU_ASSERT(rp_op_reads_at(&call, 1) == RP_AT_ANY);
    call = call_of("softmax", NULL, "f32[4,8] f32[4,8] f32[4,8]");
    CU_ASSERT_FATAL(rp_op_check(&call));
    CU_ASSERT(rp_op_reads_at(&call, 1) == RP_AT_ROW);
}

/* ---- Variants -------------------------------------------------------------------------------- */

/* Each op of form kernel has some, told apart by their names; the last is for every call. */
static void test_variants(void) {
    for (uint32_t i = 0; i < rp_op_count(); i++) {
        const rp_op *op = rp_op_at(i);
        CU_ASSERT_EQUAL(op->variants != NULL, op->form == RP_OP_KERNEL);
        if (!op->variants) continue;
        CU_ASSERT_PTR_NOT_NULL_FATAL(op->variants->name);
        for (const rp_op_variant *v = op->variants; v->name; v++) {
            CU_ASSERT_PTR_EQUAL(rp_op_variant_find(op, v->name), v);
            CU_ASSERT(v->when && v->why);
            bool always = !v->fits && !v->needs;
            if (!v[1].name && !op->product) CU_ASSERT(always && strcmp(v->when, "always") == 0);
            if (v[1].name && !op->product) CU_ASSERT_FALSE(always);
        }
        CU_ASSERT_PTR_NULL(rp_op_variant_find(op, "none"));
    }
}

static void test_choice(void) {
    rp_op_call call = call_of("matmul", NULL, "f32[100,64] f32[64,48] f32[100,48]");
    CU_ASSERT_FATAL(rp_op_check(&call));
    CU_ASSERT_PTR_NULL(call.variant);
    CU_ASSERT(rp_op_fitting(&call, NULL) >= 1);
    rp_op_choose_after(&call, NULL, 1000);
    const rp_op_variant *last = call.op->variants;
    while (last[1].name) last++;
    CU_ASSERT_PTR_EQUAL(call.variant, last);
    double across = (double)rp_sym(&call, 'X'), down = (double)rp_sym(&call, 'Y');
    CU_ASSERT(across >= 1 && down >= 1 && rp_sym(&call, 'W') == (uint64_t)(across * down));
    rp_op_cost cost;
    rp_op_cost_of(&call, &cost);
    CU_ASSERT(cost.loads[0] == 100 * 64 * across && cost.loads[1] == 64 * 48 * down);
    CU_ASSERT(rp_op_sites(&call, 0) == last->sites[0] && rp_op_sites(&call, 2) == last->sites[2]);
    rp_op_size size;
    rp_op_size_of(&call, &size);
    CU_ASSERT(size.element >= last->text);
    CU_ASSERT_FATAL(rp_op_check(&call)); /* forgets the choice */
    CU_ASSERT_PTR_NULL(call.variant);
    call = call_of("neg", NULL, "f32[4] f32[4]");
    CU_ASSERT_FATAL(rp_op_check(&call));
    rp_op_choose(&call, NULL);
    CU_ASSERT_PTR_NULL(call.variant);
    CU_ASSERT_EQUAL(rp_op_fitting(&call, NULL), 0);
}

int main(void) {
    static const rp_test tests[] = {{"the registry", test_registry},
                                    {"definitions", test_definitions},
                                    {"pages", test_pages},
                                    {"names", test_names},
                                    {"tensors", test_tensors},
                                    {"variants", test_variants},
                                    {"choice of variants", test_choice},
                                    {"good calls", test_good},
                                    {"bad calls", test_bad},
                                    {"damaged calls", test_damaged},
                                    {"inference", test_infer},
                                    {"documented dtypes", test_defaults},
                                    {"access and cost", test_questions},
                                    {NULL, NULL}};
    return rp_run_tests("op_definitions", tests);
}
