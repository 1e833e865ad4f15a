/* Family cluster: the steps of k-means that are not distances.
 *
 * Assigning rows to clusters is l2_distance and argmin, fused into one kernel by the compiler. The
 * sums of the members of each cluster are gathered, not scattered: each cluster goes through all
 * assignments for its members. That reads the assignments once for each cluster, which costs
 * little beside the rows themselves, and adds in a fixed order, so that training gives the same
 * centroids every time; scattering needs atomic additions of floats, which do neither everywhere.
 */
#include "ops/tables.h"

/* For 2048 rows a look at each, at the words of their mask, and at each of one cluster's, which may be
 * all: a column has at least four threads, and as many as 256 divided by a power of two. */
static double accumulate_turns(const rp_op_call *call) {
    uint64_t rows = rp_sym(call, 'N'), columns = 64;
    while (columns / 2 >= rp_sym(call, 'D')) columns /= 2;
    double lanes = 256.0 / (double)columns;
    return (double)rows / 2048 * (9 + 64 / lanes) + (double)rows / lanes;
}

static const rp_op_variant accumulate_variants[] = {
    {
        .name = "gather",
        .sized = "*",
        .when = "always",
        .why = "each cluster goes through all assignments: a fixed order of sums",
        .text = 200,
        .reads = {[1] = "NC"},
        .turns = accumulate_turns,
    },
    {0},
};

const rp_op rp_ops_cluster[] = {
    {
        .name = "kmeans_accumulate",
        .family = "cluster",
        .brief = "sums and numbers of the rows that are assigned to each cluster",
        .notes = "Sums are f32 in a fixed order, the same every time. Counts are exact. Rows whose "
                 "assignment is no cluster are left out; clusters without rows have sums and "
                 "counts of 0. Infinities and NaN follow IEEE 754.",
        .form = RP_OP_KERNEL,
        .operand_count = 4,
        .operands = {{.name = "x",
                      .brief = "the rows",
                      .shape = "N D",
                      .dtypes = RP_DT_FLOAT,
                      .hook = true},
                     {.name = "assignment",
                      .brief = "the cluster of each row",
                      .shape = "N",
                      .dtypes = RP_DT(RP_U32)},
                     {.name = "sums",
                      .brief = "the sum of each cluster's rows",
                      .shape = "C D",
                      .dtypes = RP_DT(RP_F32),
                      .access = RP_WRITE,
                      .hook = true},
                     {.name = "counts",
                      .brief = "how many they are",
                      .shape = "C",
                      .dtypes = RP_DT(RP_U32),
                      .access = RP_WRITE,
                      .hook = true}},
        .attr_count = 1,
        .attrs = {{.name = "clusters",
                   .brief = "how many clusters there are; 0: as sums has",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'C',
                   .shown = true,
                   .high = 65535}},
        .length = "N",
        .variants = accumulate_variants,
        .flops = 1,
    },
    {
        .name = "kmeans_update",
        .family = "cluster",
        .brief = "new centroids: the mean of each cluster's rows",
        .notes = "A cluster without rows keeps its old centroid. Counts above 2^24 are rounded to "
                 "f32.",
        .form = RP_OP_POINTWISE,
        .operand_count = 4,
        .operands = {{.name = "sums",
                      .brief = "the sum of each cluster's rows",
                      .shape = "C D",
                      .dtypes = RP_DT(RP_F32),
                      .at = RP_AT_SAME},
                     {.name = "counts",
                      .brief = "how many they are",
                      .shape = "C",
                      .dtypes = RP_DT(RP_U32)},
                     {.name = "centroids",
                      .brief = "the old ones",
                      .shape = "C D",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_SAME},
                     {.name = "out",
                      .brief = "the new ones; may be in the place of the old",
                      .shape = "C D",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE,
                      .like = "centroids"}},
        .flops = 1,
    },
};

const uint32_t rp_ops_cluster_count = sizeof rp_ops_cluster / sizeof *rp_ops_cluster;
