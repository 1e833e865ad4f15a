/* Matrix products in parts of k. How many is the op's affair (rp_product_parts). */
#include "composite/split.h"

rp_status rp_product_split(rp_application *application, const rp_op_call *call,
                           rp_given_operand **given, uint64_t parts) {
    enum { A, B, OUT };
    const rp_composite as = {.info.name = call->op->name};
    rp_expansion x = {
        .application = application, .composite = &as, .first_id = application->graph->nodes_count};
    const rp_attribute attrs[] = {{.name = "transpose_a", .number = call->attrs[0]},
                                  {.name = "transpose_b", .number = call->attrs[1]},
                                  {.name = "splits", .number = (double)parts}};
    rp_given_operand partial;
    RP_TRY(rp_expand_label(&x));
    RP_TRY(rp_expand_temp(&x, "partial", &partial));
    RP_TRY(rp_expand_op(&x, "matmul_partial",
                        RP_PARTS({"a", given[A]}, {"b", given[B]}, {"out", &partial}), attrs, 3));
    return rp_expand_op(&x, "matmul_merge", RP_PARTS({"partial", &partial}, {"out", given[OUT]}),
                        RP_NO_ATTRS);
}

/* One vector is a matrix of one row. */
static rp_given_operand as_rows(const rp_given_operand *operand) {
    const rp_tensor *t = &operand->argument.tensor;
    return t->rank == 1 ? rp_expand_seen(operand, 2, (const uint64_t[]){1, t->dims[0]}) : *operand;
}

rp_status rp_product_of_many(rp_application *application, const rp_op_call *call,
                             rp_given_operand **given, uint64_t parts) {
    enum { X, WEIGHT, OUT };
    const rp_composite as = {.info.name = call->op->name};
    rp_expansion x = {
        .application = application, .composite = &as, .first_id = application->graph->nodes_count};
    const rp_attribute transposed = {.name = "transpose_b", .number = 1};
    rp_given_operand rows = as_rows(given[X]), out = as_rows(given[OUT]);
    (void)parts;
    return rp_expand_op(&x, "matmul", RP_PARTS({"a", &rows}, {"b", given[WEIGHT]}, {"out", &out}),
                        &transposed, 1);
}
