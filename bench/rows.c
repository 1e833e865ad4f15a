/* Ops over rows: for the device's own target beside `portable`, which has a workgroup for each long
 * row, and beside a plain shader.
 *
 *   bench_rows                      the shapes below that suit the device, and attention on a GPU
 *   bench_rows attention            that alone
 *   bench_rows OP ROWS LENGTH...    these
 *
 * Each figure is of a chain: the op again and again, each taking the result of the one before, so
 * that a barrier stands between any two, as in a model; nothing is fused. An op with a number for
 * each row, or with long rows, is alone in its replay. Times are the GPU's, of one op, medians with
 * a full queue (busy.h). The plain shader, of chains, is one that anybody would write first: a
 * thread for each row, that goes over it as often as the op needs.
 *
 * Attention of one token over a cache, in f16, is timed for several numbers of parts; how many
 * bytes of the cache are read in a microsecond stands beside. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "busy.h"
#include "fill.h"
#include "reprise/compiler.h"

enum { CHAIN = 16, LONGEST_LINK = 4096 };
static const double PERIOD = 0.1; /* seconds of replays */

static gpu_clock clocks;
static rp_target own;

typedef struct text {
    char data[16384];
    size_t size;
} text;

static void add(text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int size = vsnprintf(t->data + t->size, sizeof t->data - t->size, format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= sizeof t->data - t->size) abort();
    t->size += (size_t)size;
}

static void complain(const char *what, const rp_diags *diags) {
    fprintf(stderr, "bench_rows: %s\n", what);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        fprintf(stderr, "  %s\n", rp_diags_get(diags, i).message);
}

/* ---- One pipeline ---------------------------------------------------------------------------- */

/* Where `length` is not 0, it is what a buffer of that name holds. */
static rp_status time_plan(rp_device *device, const rp_plan *plan, uint32_t length, rp_diags *diags,
                           double *out, unsigned *mhz) {
    const rp_exec_params params = {.size = sizeof params, .timestamps = 1};
    rp_exec *exec = NULL;
    rp_status status = rp_exec_create(device, plan, &params, diags, &exec);
    if (status == RP_OK) status = fill_buffers(exec, plan);
    if (status == RP_OK && length)
        status = rp_exec_write(exec, 0, "length", 0, &length, sizeof length, diags);
    if (status == RP_OK) status = busy_seconds(exec, PERIOD, &clocks, out, mhz);
    rp_exec_destroy(exec);
    return status;
}

/* Microseconds of one replay; negative after a failure, which is told. */
static double time_text(rp_device *device, const text *t, const rp_target *target, bool fused,
                        uint32_t length, uint32_t *dispatches) {
    static unsigned mhz;
    rp_diags *diags = rp_diags_create(NULL);
    rp_pipeline *pipeline = NULL;
    rp_plan *plan = NULL;
    double seconds = -1;
    const rp_pipeline_source source = {
        .size = sizeof source, .text = t->data, .text_size = t->size, .target = target};
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline =
                                         fused ? NULL : "dce,rename,lower,schedule,place,sync",
                                     .lowering = rp_lowering_default()};
    rp_status status = rp_pipeline_read(NULL, &source, diags, &pipeline);
    if (status == RP_OK)
        status = rp_compile(rp_pipeline_graph(pipeline), &options, diags, &plan, NULL);
    if (status == RP_OK) status = time_plan(device, plan, length, diags, &seconds, &mhz);
    rp_plan_info info = {.size = sizeof info};
    if (status == RP_OK) rp_plan_get_info(plan, &info);
    *dispatches = info.dispatches;
    if (status != RP_OK) complain(rp_status_name(status), diags);
    rp_plan_destroy(plan);
    rp_pipeline_destroy(pipeline);
    rp_diags_destroy(diags);
    return seconds * 1e6;
}

/* ---- Ops over rows --------------------------------------------------------------------------- */

typedef struct row_op {
    const char *name;
    bool per_row;
    const char *body; /* of the plain shader, behind `uint o = row * C;` */
} row_op;

static const row_op row_ops[] = {
    {"softmax", false,
     "    float top = X(o), sum = 0.0;\n"
     "    for (uint c = 1u; c < C; c++) top = max(top, X(o + c));\n"
     "    for (uint c = 0u; c < C; c++) sum += exp(X(o + c) - top);\n"
     "    for (uint c = 0u; c < C; c++) Y(o + c) = exp(X(o + c) - top) / sum;\n"},
    {"rms_norm", false,
     "    float sum = 0.0;\n"
     "    for (uint c = 0u; c < C; c++) sum += X(o + c) * X(o + c);\n"
     "    float f = inversesqrt(sum / float(C) + 1e-6);\n"
     "    for (uint c = 0u; c < C; c++) Y(o + c) = X(o + c) * f;\n"},
    {"layer_norm", false,
     "    float sum = 0.0, square = 0.0;\n"
     "    for (uint c = 0u; c < C; c++) sum += X(o + c);\n"
     "    float mean = sum / float(C);\n"
     "    for (uint c = 0u; c < C; c++) square += (X(o + c) - mean) * (X(o + c) - mean);\n"
     "    float f = inversesqrt(square / float(C) + 1e-5);\n"
     "    for (uint c = 0u; c < C; c++) Y(o + c) = (X(o + c) - mean) * f;\n"},
    {"argmax", true,
     "    uint place = 0u;\n"
     "    for (uint c = 1u; c < C; c++) if (X(o + c) > X(o + place)) place = c;\n"
     "    Y(row) = float(place);\n"},
    {"row_sum", true,
     "    float sum = 0.0;\n"
     "    for (uint c = 0u; c < C; c++) sum += X(o + c);\n"
     "    Y(row) = sum;\n"},
};

static const row_op *find_op(const char *name) {
    for (size_t i = 0; i < sizeof row_ops / sizeof *row_ops; i++)
        if (strcmp(row_ops[i].name, name) == 0) return &row_ops[i];
    return NULL;
}

typedef struct shape {
    const char *op;
    uint32_t rows, length;
    bool software; /* short enough for such a device */
} shape;

static const shape shapes[] = {
    {"argmax", 1, 128256, true},      {"softmax", 1, 128256, true},
    {"row_sum", 1, 128256, false},    {"rms_norm", 1, 128256, false},
    {"layer_norm", 1, 128256, false}, {"softmax", 8, 128256, false},
    {"argmax", 64, 128256, false},    {"layer_norm", 16, 384, true},
    {"layer_norm", 128, 384, true},   {"rms_norm", 128, 384, true},
    {"softmax", 128, 384, true},      {"softmax", 192, 16, true},
    {"softmax", 1536, 128, true},     {"layer_norm", 8192, 384, false},
    {"softmax", 98304, 128, false},
};

/* The plain shader, in a file that YAML can name. */
static bool write_shader(const row_op *op, const shape *s, const char *path) {
    FILE *file = fopen(path, "w");
    if (!file) return false;
    fprintf(file,
            "#version 450\nlayout(local_size_x = 64) in;\n"
            "layout(binding = 0) readonly buffer X { float value[]; } x;\n"
            "layout(binding = 1) writeonly buffer Y { float value[]; } y;\n"
            "#define X(i) x.value[i]\n#define Y(i) y.value[i]\n"
            "const uint R = %uu, C = %uu;\nvoid main() {\n"
            "    uint row = gl_GlobalInvocationID.x;\n    if (row >= R) return;\n"
            "    uint o = row * C;\n%s}\n",
            s->rows, s->length, op->body);
    return fclose(file) == 0;
}

static uint32_t links(const row_op *op, const shape *s) {
    return op->per_row || s->length > LONGEST_LINK ? 1 : CHAIN;
}

static const text *chain_of(const row_op *op, const shape *s, const char *shader) {
    static text t;
    bool index = !shader && strcmp(op->name, "argmax") == 0;
    t.size = 0;
    add(&t, "reprise: 1\nname: rows\nbuffers:\n");
    for (uint32_t i = 0; i <= links(op, s); i++) {
        add(&t, "  b%u: {kind: %s, dtype: %s, shape: [%u", i,
            i == 0              ? "in"
            : i == links(op, s) ? "out"
                                : "tmp",
            i && index ? "u32" : "f32", s->rows);
        if (i && op->per_row)
            add(&t, "]}\n");
        else
            add(&t, ", %u]}\n", s->length);
    }
    if (shader) add(&t, "kernels:\n  plain: {glsl: %s}\n", shader);
    add(&t, "nodes:\n");
    for (uint32_t i = 0; i < links(op, s); i++)
        if (shader)
            add(&t, "  - {run: plain, grid: [%u], bind: {x: b%u, y: b%u}}\n", (s->rows + 63) / 64,
                i, i + 1);
        else
            add(&t, "  - {op: %s, x: b%u, out: b%u}\n", op->name, i, i + 1);
    return &t;
}

static int bench_shape(rp_device *device, const shape *s) {
    const row_op *op = find_op(s->op);
    char path[] = "/tmp/bench-rows-XXXXXX.comp";
    uint32_t one, many, plain_count;
    int file = op ? mkstemps(path, 5) : -1;
    if (file < 0 || close(file) || !write_shader(op, s, path)) {
        fprintf(stderr, "bench_rows: there is no op %s, or no place for its shader\n", s->op);
        return 1;
    }
    double portable =
        time_text(device, chain_of(op, s, NULL), NULL, links(op, s) == 1, 0, &one) / links(op, s);
    double here =
        time_text(device, chain_of(op, s, NULL), &own, links(op, s) == 1, 0, &many) / links(op, s);
    double plain = 0; /* of long rows a thread each would take too long */
    if (links(op, s) == CHAIN)
        plain = time_text(device, chain_of(op, s, path), NULL, true, 0, &plain_count) / CHAIN;
    remove(path);
    printf("%-10s %6u x %-6u  portable %10.2f us (%u) | %s %10.2f us (%u)", s->op, s->rows,
           s->length, portable, one / links(op, s), own.name, here, many / links(op, s));
    if (plain > 0) printf(" | plain shader %10.2f us", plain);
    printf("\n");
    fflush(stdout);
    return portable < 0 || here < 0 || plain < 0;
}

/* ---- Attention ------------------------------------------------------------------------------- */

enum { HEADS = 32, GROUPS = 8, HEAD = 64, LAYERS = 8 };

static int bench_attention(rp_device *device, uint32_t rows, uint32_t splits) {
    static text t;
    uint32_t dispatches;
    char chosen[32] = "";
    if (splits) snprintf(chosen, sizeof chosen, ", splits: %u", splits);
    t.size = 0;
    add(&t, "reprise: 1\nname: attention\nbuffers:\n");
    add(&t, "  length: {kind: in, dtype: u32, shape: [1]}\n");
    for (uint32_t i = 0; i <= LAYERS; i++)
        add(&t, "  q%u: {kind: %s, dtype: f32, shape: [%u, %u]}\n", i,
            i == 0        ? "in"
            : i == LAYERS ? "out"
                          : "tmp",
            HEADS, HEAD);
    for (uint32_t i = 0; i < LAYERS; i++)
        for (uint32_t k = 0; k < 2; k++)
            add(&t, "  %c%u: {kind: in, dtype: f16, shape: [%u, %u, %u]}\n", "kv"[k], i, rows,
                GROUPS, HEAD);
    add(&t, "nodes:\n");
    for (uint32_t i = 0; i < LAYERS; i++)
        add(&t, "  - {op: attention, q: q%u, k: k%u, v: v%u, length: length, out: q%u%s}\n", i, i,
            i, i + 1, chosen);
    double us = time_text(device, &t, &own, true, rows, &dispatches) / LAYERS;
    double bytes = 2.0 * 2 * rows * GROUPS * HEAD;
    printf("attention  %6u rows, splits %3u: %8.2f us, %.0f GB/s\n", rows, splits, us,
           bytes / us / 1e3);
    fflush(stdout);
    return us < 0;
}

/* ---- The command line ------------------------------------------------------------------------ */

static int bench_attentions(rp_device *device) {
    static const uint32_t splits[] = {0, 8, 16, 32, 64};
    int failures = 0;
    for (uint32_t rows = 2048; rows <= 32768; rows *= 4)
        for (size_t i = 0; i < sizeof splits / sizeof *splits; i++)
            failures += bench_attention(device, rows, splits[i]);
    return failures;
}

static int bench_all(rp_device *device, bool software) {
    int failures = 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (!software || shapes[i].software) failures += bench_shape(device, &shapes[i]);
    if (!software) failures += bench_attentions(device);
    return failures;
}

int main(int argc, char **argv) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = NULL;
    if (rp_device_create(NULL, NULL, diags, &device) != RP_OK) {
        complain("no device", diags);
        return 3;
    }
    rp_device_info info = {.size = sizeof info};
    rp_device_get_info(device, &info);
    own.size = sizeof own;
    rp_device_target(device, &own);
    snprintf(own.name, sizeof own.name, "own target");
    printf("%s\n", info.name);
    clock_open(&clocks, info.name);
    int failures = 0;
    if (argc == 2 && strcmp(argv[1], "attention") == 0) failures = bench_attentions(device);
    if (argc == 1) failures = bench_all(device, own.resident_groups == 1);
    for (int i = 1; i + 2 < argc; i += 3) {
        const shape s = {argv[i], (uint32_t)strtoul(argv[i + 1], NULL, 10),
                         (uint32_t)strtoul(argv[i + 2], NULL, 10), true};
        failures += s.rows && s.length ? bench_shape(device, &s) : 1;
    }
    clock_close(&clocks);
    rp_device_destroy(device, NULL);
    rp_diags_destroy(diags);
    return failures ? 1 : 0;
}
