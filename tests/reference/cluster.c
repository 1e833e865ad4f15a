/* References of family cluster. */
#include <math.h>

#include "reference/reference.h"

/* x, assignment, sums, counts. */
static void reference_accumulate(const rp_op_call *call, rp_op_data *data) {
    uint64_t rows = rp_sym(call, 'N'), d = rp_sym(call, 'D'), clusters = rp_sym(call, 'C');
    double *sums = data->operands[2], *counts = data->operands[3];
    for (uint64_t i = 0; i < clusters * d; i++) sums[i] = 0;
    for (uint64_t c = 0; counts && c < clusters; c++) counts[c] = 0;
    for (uint64_t n = 0; n < rows; n++) {
        if (data->operands[1][n] >= (double)clusters) continue;
        uint64_t c = (uint64_t)data->operands[1][n];
        if (counts) counts[c]++;
        for (uint64_t j = 0; j < d; j++) {
            sums[c * d + j] += data->operands[0][n * d + j];
            if (data->scale) data->scale[c * d + j] += fabs(data->operands[0][n * d + j]);
        }
    }
}

/* sums, counts, centroids, out. */
static void reference_update(const rp_op_call *call, rp_op_data *data) {
    uint64_t clusters = rp_sym(call, 'C'), d = rp_sym(call, 'D');
    for (uint64_t i = 0; i < clusters * d; i++) {
        double members = data->operands[1][i / d];
        data->operands[3][i] = members > 0 ? data->operands[0][i] / members : data->operands[2][i];
    }
}

/* ---- The table ------------------------------------------------------------------------------- */

static const rp_reference_entry entries[] = {
    {"kmeans_accumulate", reference_accumulate},
    {"kmeans_update", reference_update},
};

rp_reference *rp_reference_of_cluster(const char *name) {
    return rp_reference_among(entries, sizeof entries / sizeof *entries, name);
}
