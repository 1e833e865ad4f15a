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
