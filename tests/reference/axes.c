/* References of family axes: positions along each dimension, counted like an odometer. */
#include "reference/reference.h"

#include <math.h>

/* A tensor as the three numbers of dimensions around axis `axis`. */
typedef struct around {
    uint64_t front, along, behind;
} around;

static around split(const rp_tensor *t, double attr, uint32_t more) {
    int axis = (int)attr, rank = t->rank + (int)more;
    if (rank == 0) rank = 1;
    if (axis < 0) axis += rank;
    around a = {1, 1, 1};
    for (int i = 0; i < axis && i < t->rank; i++) a.front *= t->dims[i];
    if (!more && axis < t->rank) a.along = t->dims[axis];
    for (int i = axis + !more; i < t->rank; i++) a.behind *= t->dims[i];
    return a;
}

static void reference_take_range(const rp_op_call *call, rp_op_data *data) {
    around a = split(&call->operands[0], call->attrs[0], 0);
    around made = split(&call->operands[1], call->attrs[0], 0);
    uint64_t count = made.along;
    for (uint64_t f = 0; f < a.front; f++)
        for (uint64_t j = 0; j < count; j++) {
            double n = (double)a.along;
            double place = call->attrs[1] + call->attrs[2] * (double)j;
            place -= floor(place / n) * n;
            for (uint64_t k = 0; k < a.behind; k++)
                data->operands[1][(f * count + j) * a.behind + k] =
                    data->operands[0][(f * a.along + (uint64_t)place) * a.behind + k];
        }
}

static void triangle(const rp_op_call *call, rp_op_data *data, bool upper) {
    const rp_tensor *t = &call->operands[0];
    uint64_t rows = t->dims[t->rank - 2], columns = t->dims[t->rank - 1];
    uint64_t n = rp_tensor_elements(t);
    for (uint64_t i = 0; i < n; i++) {
        double above = (double)(i % columns) - (double)(i / columns % rows) - call->attrs[0];
        bool kept = upper ? above >= 0 : above <= 0;
        data->operands[1][i] = kept ? data->operands[0][i] : 0;
    }
}

static void reference_triu(const rp_op_call *call, rp_op_data *data) {
    triangle(call, data, true);
}

static void reference_tril(const rp_op_call *call, rp_op_data *data) {
    triangle(call, data, false);
}

static void reference_diagonal(const rp_op_call *call, rp_op_data *data) {
    const rp_tensor *t = &call->operands[0];
    int64_t rows = (int64_t)t->dims[t->rank - 2], columns = (int64_t)t->dims[t->rank - 1];
    int64_t count = (int64_t)(rp_tensor_elements(t)) / (rows * columns),
            k = (int64_t)call->attrs[0];
    double *to = data->operands[1];
    for (int64_t b = 0; b < count; b++)
        for (int64_t r = 0; r < rows; r++)
            if (r + k >= 0 && r + k < columns)
                *to++ = data->operands[0][(b * rows + r) * columns + r + k];
}

static void reference_diag(const rp_op_call *call, rp_op_data *data) {
    const rp_tensor *t = &call->operands[0];
    int64_t n = (int64_t)t->dims[t->rank - 1], k = (int64_t)call->attrs[0];
    int64_t size = n + (k < 0 ? -k : k), count = (int64_t)rp_tensor_elements(t) / n;
    for (int64_t i = 0; i < count * size * size; i++) data->operands[1][i] = 0;
    for (int64_t b = 0; b < count; b++)
        for (int64_t i = 0; i < n; i++) {
            int64_t row = k < 0 ? i - k : i, column = k < 0 ? i : i + k;
            data->operands[1][(b * size + row) * size + column] = data->operands[0][b * n + i];
        }
}

/* The place that a number means among n; -1 for none. */
static int64_t place(double number, uint64_t n) {
    if (number < 0) number += (double)n;
    return number >= 0 && number < (double)n ? (int64_t)number : -1;
}

static void reference_take(const rp_op_call *call, rp_op_data *data) {
    around a = split(&call->operands[0], call->attrs[0], 0);
    uint64_t count = rp_tensor_elements(&call->operands[1]);
    double *to = data->operands[2];
    for (uint64_t f = 0; f < a.front; f++)
        for (uint64_t i = 0; i < count; i++) {
            int64_t at = place(data->operands[1][i], a.along);
            for (uint64_t k = 0; k < a.behind; k++)
                *to++ = at < 0 ? 0 : data->operands[0][(f * a.along + (uint64_t)at) * a.behind + k];
        }
}

static void reference_take_along_axis(const rp_op_call *call, rp_op_data *data) {
    around a = split(&call->operands[0], call->attrs[0], 0);
    around to = split(&call->operands[1], call->attrs[0], 0);
    for (uint64_t i = 0; i < to.front * to.along * to.behind; i++) {
        int64_t at = place(data->operands[1][i], a.along);
        uint64_t front = i / (to.along * to.behind), k = i % to.behind;
        data->operands[2][i] =
            at < 0 ? 0 : data->operands[0][(front * a.along + (uint64_t)at) * a.behind + k];
    }
}

static void reference_gather_nd(const rp_op_call *call, rp_op_data *data) {
    const rp_tensor *x = &call->operands[0], *indices = &call->operands[1];
    uint64_t count = indices->dims[indices->rank - 1], rows = rp_tensor_elements(indices) / count;
    uint64_t size = 1;
    for (uint64_t i = count; i < x->rank; i++) size *= x->dims[i];
    for (uint64_t r = 0; r < rows; r++) {
        uint64_t slice = 0;
        bool inside = true;
        for (uint64_t i = 0; i < count; i++) {
            int64_t at = place(data->operands[1][r * count + i], x->dims[i]);
            inside &= at >= 0;
            slice = slice * x->dims[i] + (uint64_t)(at < 0 ? 0 : at);
        }
        for (uint64_t k = 0; k < size; k++)
            data->operands[2][r * size + k] = inside ? data->operands[0][slice * size + k] : 0;
    }
}

static void reference_one_hot(const rp_op_call *call, rp_op_data *data) {
    around a = split(&call->operands[0], call->attrs[1], 1);
    uint64_t depth = split(&call->operands[1], call->attrs[1], 0).along;
    for (uint64_t f = 0; f < a.front; f++)
        for (uint64_t d = 0; d < depth; d++)
            for (uint64_t k = 0; k < a.behind; k++) {
                int64_t at = place(data->operands[0][f * a.behind + k], depth);
                data->operands[1][(f * depth + d) * a.behind + k] = rp_reference_number(
                    call->operands[1].dtype, at == (int64_t)d ? call->attrs[2] : call->attrs[3]);
            }
}

static void reference_places_along_axis(const rp_op_call *call, rp_op_data *data) {
    around a = split(&call->operands[0], call->attrs[0], 0);
    uint64_t length = (uint64_t)call->attrs[1];
    if (!call->operands[1].absent) length = split(&call->operands[1], call->attrs[0], 0).along;
    for (uint64_t i = 0; i < a.front * a.along * a.behind; i++) {
        int64_t at = place(data->operands[0][i], length);
        uint64_t front = i / (a.along * a.behind), k = i % a.behind;
        data->operands[2][i] =
            at < 0 ? 0xffffffffu : (double)((front * length + (uint64_t)at) * a.behind + k);
    }
}

static void reference_places_nd(const rp_op_call *call, rp_op_data *data) {
    const rp_tensor *indices = &call->operands[0];
    uint64_t count = indices->dims[indices->rank - 1], rows = rp_tensor_elements(indices) / count;
    for (uint64_t r = 0; r < rows; r++) {
        double slice = 0;
        for (uint64_t i = 0; i < count; i++) {
            const rp_tensor *shaped = &call->operands[1];
            uint64_t size = shaped->absent ? (uint64_t)call->attrs[i] : shaped->dims[i];
            int64_t at = place(data->operands[0][r * count + i], size);
            slice = at < 0 || slice < 0 ? -1 : slice * (double)size + (double)at;
        }
        data->operands[2][r] = slice < 0 ? 0xffffffffu : slice;
    }
}

/* ---- The table ------------------------------------------------------------------------------- */

static const rp_reference_entry entries[] = {
    {"take_range", reference_take_range},
    {"triu", reference_triu},
    {"tril", reference_tril},
    {"diagonal", reference_diagonal},
    {"diag", reference_diag},
    {"take", reference_take},
    {"take_along_axis", reference_take_along_axis},
    {"gather_nd", reference_gather_nd},
    {"one_hot", reference_one_hot},
    {"places_along_axis", reference_places_along_axis},
    {"places_nd", reference_places_nd},
};

rp_reference *rp_reference_of_axes(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
