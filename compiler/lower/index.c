/* Indices: which element of an operand an element of its member needs.
 *
 * Operands are broadcast, by NumPy's rules or by the symbols of their shapes. Both are put as axes
 * of the member's elements with a stride each; axes that are stepped through alike are one, so that
 * an operand of the same shape has the same index, and one repeated along rows takes one division.
 */
#include "lower/internal.h"

bool rp_emit_is_per_row(const rp_emit *e, uint32_t member, uint32_t operand) {
    const char *shape = rp_op_operand_of(&e->members[member].call, operand)->shape;
    return e->members[member].call.op->form == RP_OP_ROWS && shape && !strchr(shape, 'C');
}

/* A dimension of a member's elements, and how far a step along it goes in an operand. */
typedef struct axis {
    rp_extent size, stride; /* stride 0: the operand is repeated */
} axis;

enum { MAX_AXES = RP_MAX_RANK + 4 };

/* Drops axes of one element and joins those that are stepped through alike. */
static uint32_t collapse(axis *axes, uint32_t count) {
    uint32_t out = 0;
    for (uint32_t i = 0; i < count; i++) {
        rp_extent run = rp_extent_product(axes[i].stride, axes[i].size);
        if (axes[i].size.most == 1) continue;
        if (axes[i].stride.most == 0) run = rp_extent_fixed(0);
        if (out && rp_extent_same(axes[out - 1].stride, run)) {
            axes[out - 1] =
                (axis){rp_extent_product(axes[out - 1].size, axes[i].size), axes[i].stride};
            continue;
        }
        axes[out++] = axes[i];
    }
    return out;
}

/* NumPy's rules: aligned at the last dimension; what has size 1 is repeated. */
static uint32_t broadcast_axes(const rp_tensor *from, const rp_tensor *to, axis *axes) {
    rp_extent stride = rp_extent_fixed(1), none = rp_extent_fixed(0);
    for (uint32_t i = 0; i < to->rank; i++) {
        uint32_t d = to->rank - 1 - i, f = from->rank - 1 - i;
        rp_extent own = rp_extent_fixed(1);
        if (i < from->rank) own = (rp_extent){from->dims[f], from->powers[f]};
        axes[d] = (axis){{to->dims[d], to->powers[d]}, own.most == 1 ? none : stride};
        stride = rp_extent_product(stride, own);
    }
    return to->rank;
}

/* By symbols: "*R C" and "*R" have R in common. */
static uint32_t symbol_axes(const rp_op_call *call, const char *from, const char *to, axis *axes) {
    uint32_t count = 0;
    for (const char *c = to; *c; c++) {
        if (*c < 'A' || *c > 'Z' || count == MAX_AXES) continue;
        rp_extent stride = rp_extent_fixed(0);
        const char *own = strchr(from, *c);
        if (own) {
            stride = rp_extent_fixed(1);
            for (own++; *own; own++)
                if (*own >= 'A' && *own <= 'Z')
                    stride = rp_extent_product(stride, rp_sym_extent(call, *own));
        }
        axes[count++] = (axis){rp_sym_extent(call, *c), stride};
    }
    return count;
}

/* The expression of an operand's index for element `index` of what the axes describe. */
static const char *axis_index(rp_emit *e, uint32_t member, uint32_t operand, axis *axes,
                              uint32_t count, const char *index) {
    const char *name =
        rp_emit_name(e, "m%u_%s", member, rp_op_operand_name(&e->members[member].call, operand));
    count = collapse(axes, count);
    rp_text text;
    rp_text_init(&text, &e->allocator);
    rp_extent inner = rp_extent_fixed(1);
    for (uint32_t i = count; i-- > 0; inner = rp_extent_product(inner, axes[i].size)) {
        if (axes[i].stride.most == 0) continue;
        if (text.size) rp_text_string(&text, " + ");
        rp_text_string(&text, index);
        if (inner.most > 1)
            rp_text_format(&text, " / %s",
                           rp_emit_extent(e, rp_emit_name(e, "%s_step%u", name, i), inner));
        if (i > 0)
            rp_text_format(&text, " %% %s",
                           rp_emit_extent(e, rp_emit_name(e, "%s_size%u", name, i), axes[i].size));
        if (axes[i].stride.most > 1)
            rp_text_format(
                &text, " * %s",
                rp_emit_extent(e, rp_emit_name(e, "%s_stride%u", name, i), axes[i].stride));
    }
    const char *out = text.failed ? "" : rp_emit_name(e, "%s", text.size ? text.data : "0u");
    if (text.failed) rp_emit_no_memory(e);
    rp_text_free(&text);
    return out;
}

static uint32_t first_output(const rp_emit *e, uint32_t member) {
    const rp_op_call *call = &e->members[member].call;
    for (uint32_t i = 0; i < call->operand_count; i++)
        if (rp_emit_is_output(e, member, i) && !call->operands[i].absent) return i;
    return call->operand_count - 1;
}

/* The axes of a member's elements (rows: with `per_row`) with the operand's strides, and how many
 * there are; 0 where it has an element for each, or one for all. */
static uint32_t find_axes(rp_emit *e, uint32_t member, uint32_t operand, bool per_row, axis *axes) {
    const rp_op_call *call = &e->members[member].call;
    const rp_op_operand *o = rp_op_operand_of(call, operand);
    const rp_tensor *tensor = &call->operands[operand];
    uint32_t count, out = first_output(e, member);
    bool rows = call->op->form == RP_OP_ROWS;
    uint64_t elements = rp_tensor_elements(tensor);
    uint64_t all = !rows     ? rp_tensor_elements(&call->operands[out])
                   : per_row ? rp_sym(call, 'R')
                             : rp_sym(call, 'R') * rp_sym(call, 'C');
    if (elements == all || elements == 1) return 0;
    if (rows && o->shape) {
        count = symbol_axes(call, o->shape, per_row ? "*R" : "*R C", axes);
    } else if (rows) { /* a mask: broadcast to the rows as the first input has them */
        count = broadcast_axes(tensor, &call->operands[0], axes);
    } else if (o->shape && rp_op_operand_of(call, out)->shape) {
        count = symbol_axes(call, o->shape, rp_op_operand_of(call, out)->shape, axes);
    } else {
        count = broadcast_axes(tensor, &call->operands[out], axes);
    }
    uint64_t covered = 1;
    for (uint32_t i = 0; i < count; i++) covered *= axes[i].size.most;
    if (covered != all) {
        rp_emit_fail(e, "operand %s of %s has no place for each element",
                     rp_op_operand_name(call, operand), call->op->name);
        return 0;
    }
    return count;
}

const char *rp_emit_index(rp_emit *e, uint32_t member, uint32_t operand, const char *index,
                          bool per_row) {
    const rp_tensor *tensor = &e->members[member].call.operands[operand];
    axis axes[MAX_AXES];
    if (tensor->absent) return "0u";
    uint32_t count = find_axes(e, member, operand, per_row, axes);
    if (e->status != RP_OK) return "0u";
    if (count == 0) return rp_tensor_elements(tensor) == 1 ? "0u" : index;
    return axis_index(e, member, operand, axes, count, index);
}

const char *rp_emit_place(rp_emit *e, uint32_t member, uint32_t place, const char *index) {
    const rp_op_call *call = &e->members[member].call;
    const rp_tensor *out = &call->operands[first_output(e, member)];
    if (place == RP_FORMULA_INDEX) return rp_emit_name(e, "int(%s)", index);
    rp_extent inner = rp_extent_fixed(1);
    for (uint32_t d = place + 1; d < out->rank; d++)
        inner = rp_extent_product(inner, (rp_extent){out->dims[d], out->powers[d]});
    const char *text = rp_emit_name(e, "int(%s", index);
    if (inner.most > 1)
        text =
            rp_emit_name(e, "%s / %s", text,
                         rp_emit_extent(e, rp_emit_name(e, "m%u_inner%u", member, place), inner));
    if (place > 0)
        text = rp_emit_name(e, "%s %% %s", text,
                            rp_emit_extent(e, rp_emit_name(e, "m%u_size%u", member, place),
                                           (rp_extent){out->dims[place], out->powers[place]}));
    return rp_emit_name(e, "%s)", text);
}

rp_emit_run rp_emit_run_of(rp_emit *e, uint32_t member, uint32_t operand, uint32_t width,
                           bool per_row) {
    const rp_tensor *tensor = &e->members[member].call.operands[operand];
    axis axes[MAX_AXES];
    if (tensor->absent) return RP_RUN_NONE;
    uint32_t count = find_axes(e, member, operand, per_row, axes);
    if (e->status != RP_OK) return RP_RUN_NONE;
    if (count == 0) return rp_tensor_elements(tensor) == 1 ? RP_RUN_SAME : RP_RUN_TOGETHER;
    count = collapse(axes, count);
    if (count == 0 || rp_emit_each(e, axes[count - 1].size) % width != 0) return RP_RUN_NONE;
    if (axes[count - 1].stride.most == 0) return RP_RUN_SAME;
    bool aligned = axes[count - 1].stride.most == 1;
    for (uint32_t i = 0; i + 1 < count; i++)
        aligned &= rp_emit_each(e, axes[i].stride) % width == 0;
    return aligned ? RP_RUN_TOGETHER : RP_RUN_NONE;
}
