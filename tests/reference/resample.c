/* References of family resample: by coordinates as ONNX writes them, and by walking to where padding comes
 * from. */
#include <math.h>

#include "reference/reference.h"

static double attr_of(const rp_op_call *call, const char *name) {
    return call->attrs[rp_op_attr_index(call->op, name, strlen(name))];
}

/* x is [rows, size, c], out [rows, made, c]. */
typedef struct axis {
    int64_t rows, size, made, c;
} axis;

static axis axis_of(const rp_op_call *call) {
    const rp_tensor *x = &call->operands[0], *out = &call->operands[1];
    axis a = {.size = (int64_t)x->dims[x->rank - 2],
              .made = (int64_t)out->dims[out->rank - 2],
              .c = (int64_t)x->dims[x->rank - 1]};
    a.rows = (int64_t)rp_tensor_elements(x) / (a.size * a.c);
    return a;
}

/* ---- Padding --------------------------------------------------------------------------------- */

/* Where element `at` of an axis comes from that goes on for ever: a step at a time, turning at the ends. */
static int64_t walk(int64_t at, int64_t size, uint32_t mode) {
    enum { EDGE = 1, REFLECT, WRAP, SYMMETRIC };
    int64_t step = at < 0 ? -1 : 1, place = 0, way = step;
    if (mode == EDGE) return at < 0 ? 0 : at >= size ? size - 1 : at;
    for (int64_t i = 0; i != at; i += step) {
        int64_t next = place + way;
        bool inside = next >= 0 && next < size;
        if (!inside && mode == WRAP) next = way < 0 ? size - 1 : 0;
        if (!inside && mode != WRAP) way = -way;
        if (!inside && mode == REFLECT) next = size == 1 ? 0 : place + way;
        if (!inside && mode == SYMMETRIC) next = place;
        place = next;
    }
    return place;
}

static void reference_pad(const rp_op_call *call, rp_op_data *data) {
    axis a = axis_of(call);
    int64_t before = (int64_t)attr_of(call, "before");
    uint32_t mode = (uint32_t)attr_of(call, "mode");
    for (int64_t r = 0; r < a.rows; r++)
        for (int64_t y = 0; y < a.made; y++)
            for (int64_t c = 0; c < a.c; c++) {
                int64_t at = y - before;
                bool outside = at < 0 || at >= a.size;
                double *to = &data->operands[1][(r * a.made + y) * a.c + c];
                if (outside && mode == 0)
                    *to = rp_reference_number(call->operands[0].dtype, attr_of(call, "value"));
                else
                    *to = data->operands[0][(r * a.size + walk(at, a.size, mode)) * a.c + c];
            }
}

/* ---- Resizing -------------------------------------------------------------------------------- */

static double coordinate(const rp_op_call *call, const axis *a, int64_t y) {
    enum { HALF_PIXEL, ASYMMETRIC, ALIGN_CORNERS, PYTORCH_HALF_PIXEL, SYMMETRIC };
    double scale = (double)(float)attr_of(call, "scale"), size = (double)a->size;
    double made = (double)a->made, half;
    if (scale == 0) scale = made / size;
    half = (2 * (double)y + 1) / (2 * scale) - 0.5;
    switch ((int)attr_of(call, "coordinates")) {
    case ASYMMETRIC: return (double)y / scale;
    case ALIGN_CORNERS: return a->made == 1 ? 0 : (double)y * (size - 1) / (made - 1);
    case PYTORCH_HALF_PIXEL: return a->made == 1 ? 0 : half;
    case SYMMETRIC: return size / 2 * (1 - made / (scale * size)) + half;
    default: return half;
    }
}

/* Keys' cubic of a distance. */
static double cubic(double t, double a) {
    t = fabs(t);
    if (t >= 2) return 0;
    return t <= 1 ? ((a + 2) * t - (a + 3)) * t * t + 1 : ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
}

/* Numbers that should be whole, up to what doubles lose. */
static double settled(double p) {
    double near = nearbyint(p * 4) / 4;
    return fabs(p - near) < 1e-6 ? near : p;
}

static double nearest(double p, uint32_t rounding) {
    switch (rounding) {
    case 0: return ceil(p - 0.5);
    case 1: return floor(p + 0.5);
    case 2: return floor(p);
    default: return ceil(p);
    }
}

/* Of a sum of elements times weights, `scale` is of the elements alone: a weight comes from a fraction between 0
 * and 1 and a polynomial whose terms cancel, so its error is one of 1, however small the weight is. */
static double resized(const rp_op_call *call, const axis *a, double p, const double *x,
                      double *scale) {
    enum { NEAREST, LINEAR, CUBIC };
    int mode = (int)attr_of(call, "mode");
    double sum = 0, total = 0, first = floor(p);
    bool exclude = mode == CUBIC && attr_of(call, "exclude_outside") != 0;
    if (mode == NEAREST) {
        double at = nearest(p, (uint32_t)attr_of(call, "rounding"));
        at = at < 0 ? 0 : at >= (double)a->size ? (double)a->size - 1 : at;
        return x[(int64_t)at * a->c];
    }
    for (int k = -1; k < 3; k++) {
        double at = first + k, d = p - at;
        double w = mode == CUBIC ? cubic(d, (double)(float)attr_of(call, "cubic_coeff_a"))
                                 : fmax(0, 1 - fabs(d));
        bool outside = at < 0 || at >= (double)a->size;
        if (w == 0 || (p == first && k != 0) || (exclude && outside)) continue;
        at = at < 0 ? 0 : at >= (double)a->size ? (double)a->size - 1 : at;
        sum += w * x[(int64_t)at * a->c];
        *scale += fabs(x[(int64_t)at * a->c]);
        total += w;
    }
    if (!exclude) return sum;
    *scale /= fabs(total);
    return sum / total;
}

/* Where x becomes smaller: all elements by their distances times the scale, the last ones going on. */
static double filtered(const rp_op_call *call, const axis *a, double p, const double *x,
                       double *scale) {
    double narrower = (double)(float)attr_of(call, "scale"), sum = 0, total = 0;
    bool keys = attr_of(call, "mode") == 2, exclude = attr_of(call, "exclude_outside") != 0;
    if (narrower == 0) narrower = (double)a->made / (double)a->size;
    int64_t far = (int64_t)ceil(2 / narrower) + 2, first = (int64_t)floor(p);
    for (int64_t at = first - far; at <= first + far; at++) {
        double t = fabs((double)at - p) * narrower;
        double w = keys ? cubic(t, (double)(float)attr_of(call, "cubic_coeff_a")) : fmax(0, 1 - t);
        int64_t from = at < 0 ? 0 : at >= a->size ? a->size - 1 : at;
        if (w == 0 || (exclude && from != at)) continue;
        sum += w * x[from * a->c];
        *scale += fabs(x[from * a->c]);
        total += w;
    }
    *scale /= fabs(total);
    return sum / total;
}

static bool is_filtered(const rp_op_call *call, const axis *a) {
    double scale = attr_of(call, "scale");
    bool smaller = scale != 0 ? scale < 1 : a->made < a->size;
    return attr_of(call, "antialias") != 0 && attr_of(call, "mode") != 0 && smaller;
}

static void reference_resize(const rp_op_call *call, rp_op_data *data) {
    axis a = axis_of(call);
    for (int64_t r = 0; r < a.rows; r++)
        for (int64_t y = 0; y < a.made; y++)
            for (int64_t c = 0; c < a.c; c++) {
                int64_t to = (r * a.made + y) * a.c + c;
                double scale = 0, p = settled(coordinate(call, &a, y));
                const double *x = data->operands[0] + r * a.size * a.c + c;
                data->operands[1][to] = is_filtered(call, &a) ? filtered(call, &a, p, x, &scale)
                                                              : resized(call, &a, p, x, &scale);
                data->scale[to] = scale;
            }
}

/* ---- The table ------------------------------------------------------------------------------- */

static const rp_reference_entry entries[] = {
    {"pad_axis", reference_pad},
    {"resize_axis", reference_resize},
};

rp_reference *rp_reference_of_resample(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
