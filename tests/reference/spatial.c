/* References of family spatial: loops over the grid and the window as they are written in ONNX. */
#include <math.h>

#include "reference/reference.h"

/* An operand as a grid: how many there are, channels, and three dimensions. */
typedef struct grid {
    uint64_t count, channels, size[3];
    bool last;
} grid;

/* Where the windows are and what they have. */
typedef struct windows {
    int64_t stride[3], dilation[3], pad[3], pad_end[3];
    uint64_t kernel[3], taps;
} windows;

static double attr_of(const rp_op_call *call, const char *name) {
    return call->attrs[rp_op_attr_index(call->op, name, strlen(name))];
}

static int64_t along(const rp_op_call *call, const char *what, uint32_t axis) {
    char name[32] = "";
    strcat(strcat(strcat(name, what), "_"), (const char *const[]){"d", "h", "w"}[axis]);
    uint32_t index = rp_op_attr_index(call->op, name, strlen(name));
    return index == RP_OP_MISSING ? 0 : (int64_t)call->attrs[index];
}

static grid grid_of(const rp_op_call *call, uint32_t operand) {
    const rp_tensor *t = &call->operands[operand];
    grid g = {.count = 1, .last = attr_of(call, "channels_last") != 0};
    for (uint32_t i = 0; i + 4 < t->rank; i++) g.count *= t->dims[i];
    const uint64_t *dims = t->dims + t->rank - 4;
    g.channels = dims[g.last ? 3 : 0];
    for (uint32_t i = 0; i < 3; i++) g.size[i] = dims[g.last ? i : i + 1];
    return g;
}

static uint64_t at(const grid *g, uint64_t n, uint64_t c, const uint64_t place[3]) {
    uint64_t index = (place[0] * g->size[1] + place[1]) * g->size[2] + place[2];
    uint64_t plane = g->size[0] * g->size[1] * g->size[2];
    return g->last ? (n * plane + index) * g->channels + c : (n * g->channels + c) * plane + index;
}

static windows windows_of(const rp_op_call *call, const uint64_t kernel[3]) {
    windows w = {.taps = 1};
    for (uint32_t i = 0; i < 3; i++) {
        w.stride[i] = along(call, "stride", i);
        w.dilation[i] = along(call, "dilation", i);
        w.pad[i] = along(call, "pad", i);
        w.pad_end[i] = along(call, "pad_end", i);
        w.kernel[i] = kernel ? kernel[i] : (uint64_t)along(call, "kernel", i);
        w.taps *= w.kernel[i];
    }
    return w;
}

/* What element t of a window sees: false in the padding; *padded: beyond that. */
static bool see(const windows *w, const grid *g, const uint64_t window[3], uint64_t t,
                uint64_t place[3], bool *beyond) {
    bool within = true;
    *beyond = false;
    for (uint32_t i = 3; i-- > 0; t /= w->kernel[i]) {
        int64_t p = (int64_t)window[i] * w->stride[i] - w->pad[i] +
                    (int64_t)(t % w->kernel[i]) * w->dilation[i];
        within &= p >= 0 && p < (int64_t)g->size[i];
        *beyond |= p >= (int64_t)g->size[i] + w->pad_end[i];
        place[i] = (uint64_t)p;
    }
    return within;
}

/* The next place of a grid; false after the last. */
static bool next(const grid *g, uint64_t place[3]) {
    for (uint32_t i = 3; i-- > 0; place[i] = 0)
        if (++place[i] < g->size[i]) return true;
    return false;
}

static void reference_unfold(const rp_op_call *call, rp_op_data *data) {
    grid x = grid_of(call, 0), out = grid_of(call, 1);
    windows w = windows_of(call, NULL);
    for (uint64_t n = 0; n < x.count; n++)
        for (uint64_t c = 0; c < x.channels; c++)
            for (uint64_t t = 0; t < w.taps; t++) {
                uint64_t window[3] = {0}, place[3];
                bool beyond;
                do {
                    bool within = see(&w, &x, window, t, place, &beyond);
                    uint64_t channel = x.last ? t * x.channels + c : c * w.taps + t;
                    data->operands[1][at(&out, n, channel, window)] =
                        within ? data->operands[0][at(&x, n, c, place)] : 0;
                } while (next(&out, window));
            }
}

/* Windows put what they have where unfold would have taken it. */
static void reference_fold(const rp_op_call *call, rp_op_data *data) {
    grid x = grid_of(call, 0), out = grid_of(call, 1);
    windows w = windows_of(call, NULL);
    uint64_t elements = rp_tensor_elements(&call->operands[1]);
    for (uint64_t i = 0; i < elements; i++) data->operands[1][i] = 0;
    for (uint64_t n = 0; n < x.count; n++)
        for (uint64_t c = 0; c < out.channels; c++)
            for (uint64_t t = 0; t < w.taps; t++) {
                uint64_t window[3] = {0}, place[3];
                bool beyond;
                do {
                    if (!see(&w, &out, window, t, place, &beyond)) continue;
                    uint64_t channel = x.last ? t * out.channels + c : c * w.taps + t;
                    double one = data->operands[0][at(&x, n, channel, window)];
                    uint64_t to = at(&out, n, c, place);
                    data->operands[1][to] = rp_reference_in_f32(data->operands[1][to] + one);
                    data->scale[to] += fabs(one);
                } while (next(&x, window));
            }
    uint8_t dtype = call->operands[0].dtype;
    double least = dtype == RP_I32 ? 0x1p31 : 0; /* those of 64 bits are small here */
    for (uint64_t i = 0; i < elements && (dtype == RP_I32 || dtype == RP_U32); i++) {
        double sum = data->operands[1][i];
        data->operands[1][i] = sum - 0x1p32 * floor((sum + least) * 0x1p-32);
    }
}

static void reference_conv(const rp_op_call *call, rp_op_data *data) {
    grid x = grid_of(call, 0), weight = grid_of(call, 1), out = grid_of(call, 2);
    windows w = windows_of(call, weight.size);
    uint64_t groups = (uint64_t)attr_of(call, "groups"), made = out.channels / groups;
    for (uint64_t n = 0; n < x.count; n++)
        for (uint64_t m = 0; m < out.channels; m++) {
            uint64_t window[3] = {0}, place[3];
            do {
                double sum = 0, scale = 0;
                for (uint64_t t = 0; t < w.taps; t++) {
                    bool beyond;
                    uint64_t tap[3] = {t / (w.kernel[1] * w.kernel[2]),
                                       t / w.kernel[2] % w.kernel[1], t % w.kernel[2]};
                    if (!see(&w, &x, window, t, place, &beyond)) continue;
                    for (uint64_t u = 0; u < weight.channels; u++) {
                        uint64_t channel = m / made * weight.channels + u;
                        double term = data->operands[0][at(&x, n, channel, place)] *
                                      data->operands[1][at(&weight, m, u, tap)];
                        sum = rp_reference_in_f32(sum + term);
                        scale += fabs(term);
                    }
                }
                uint64_t to = at(&out, n, m, window);
                bool bytes = call->operands[0].dtype == RP_I8;
                data->operands[2][to] =
                    bytes ? sum - 0x1p32 * floor((sum + 0x1p31) * 0x1p-32) : sum;
                data->scale[to] = scale;
            } while (next(&out, window));
        }
}

/* ---- Pooling --------------------------------------------------------------------------------- */

typedef struct pooled {
    double most, sum, size;
    uint64_t where, seen, counted;
} pooled;

static pooled pool(const rp_op_call *call, const rp_op_data *data, uint64_t n, uint64_t c,
                   const uint64_t window[3]) {
    grid x = grid_of(call, 0);
    windows w = windows_of(call, NULL);
    pooled p = {.most = -INFINITY, .where = 0xffffffff};
    if (call->operands[0].dtype == RP_U8) p.most = 0;
    if (call->operands[0].dtype == RP_I8) p.most = -2147483648.0;
    for (uint64_t t = 0; t < w.taps; t++) {
        uint64_t place[3];
        bool beyond, within = see(&w, &x, window, t, place, &beyond);
        p.counted += !beyond;
        if (!within) continue;
        uint64_t index = at(&x, n, c, place);
        double one = data->operands[0][index];
        p.seen++;
        p.sum += one;
        p.size += fabs(one);
        if (isnan(one) || (p.where != 0xffffffff && one <= p.most)) continue;
        p.most = one;
        p.where = index;
    }
    return p;
}

static void each_window(const rp_op_call *call, rp_op_data *data,
                        double (*value)(const rp_op_call *call, const pooled *p, double *scale)) {
    grid out = grid_of(call, 1);
    for (uint64_t n = 0; n < out.count; n++)
        for (uint64_t c = 0; c < out.channels; c++) {
            uint64_t window[3] = {0};
            do {
                pooled p = pool(call, data, n, c, window);
                double scale = 0;
                uint64_t to = at(&out, n, c, window);
                data->operands[1][to] = value(call, &p, &scale);
                data->scale[to] = scale;
            } while (next(&out, window));
        }
}

static double largest(const rp_op_call *call, const pooled *p, double *scale) {
    (void)call;
    (void)scale;
    return p->most;
}

static double place_of_largest(const rp_op_call *call, const pooled *p, double *scale) {
    grid x = grid_of(call, 0);
    uint64_t plane = x.size[0] * x.size[1] * x.size[2];
    (void)scale;
    if (attr_of(call, "of") == 0 || p->where == 0xffffffff) return (double)p->where;
    return (double)(x.last ? p->where / x.channels % plane : p->where % plane);
}

static double average(const rp_op_call *call, const pooled *p, double *scale) {
    bool all = attr_of(call, "count_include_pad") != 0;
    double count = (double)(all ? p->counted : p->seen);
    if (count == 0) return 0;
    *scale = p->size / count;
    return p->sum / count;
}

static void reference_max(const rp_op_call *call, rp_op_data *data) {
    each_window(call, data, largest);
}

static void reference_argmax(const rp_op_call *call, rp_op_data *data) {
    each_window(call, data, place_of_largest);
}

static void reference_average(const rp_op_call *call, rp_op_data *data) {
    each_window(call, data, average);
}

/* ---- The table ------------------------------------------------------------------------------- */

static const rp_reference_entry entries[] = {
    {"unfold", reference_unfold},      {"fold", reference_fold},
    {"conv_direct", reference_conv},   {"pool_max", reference_max},
    {"pool_argmax", reference_argmax}, {"pool_average", reference_average},
};

rp_reference *rp_reference_of_spatial(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
