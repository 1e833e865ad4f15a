/* Internal: what composites along any axes share (axes.c): shapes, lists of axes, messages. */
#ifndef RP_COMPOSITE_AXES_H
#define RP_COMPOSITE_AXES_H

#include "composite/composite.h"

/* The dimensions of an operand that is read; a single element has one. */
rp_tensor rp_axes_shape(const rp_given_operand *operand);
/* The same elements with other dimensions: of an operand that is made. */
rp_given_operand rp_axes_seen(const rp_given_operand *operand, const rp_tensor *shape);
/* What is wrong with attribute `attr`, which is to blame. */
rp_status rp_axes_wrong(rp_expansion *x, uint32_t attr, const char *what);
/* An output's shape: filled in, or compared; leading dimensions of 1 aside. Then the output is made, in
 * `dtype` unless it has one, so that it can be seen with other shapes. */
rp_status rp_axes_make(rp_expansion *x, rp_given_operand *out, const rp_tensor *shape,
                       uint8_t dtype);
/* The axes of list `attr` as numbers from 0, each at most once; all of them where it is not given. */
rp_status rp_axes_read(rp_expansion *x, uint32_t attr, uint32_t rank, rp_int_list *out);

/* A tensor as lines along an axis: so many in front of it and behind. */
typedef struct rp_lines {
    uint64_t front, along, behind;
} rp_lines;
/* Those along the axis that integer `attr` names. */
rp_status rp_axes_around(rp_expansion *x, uint32_t attr, const rp_tensor *shape, rp_lines *out);

/* Joins what lies along some axes by `by` of op reduce_axis, in 32 bits; the others stay, with dimensions of 1
 * between them. `out` is made, or a transient whose dtype may be left open (along.c). */
rp_status rp_along_reduce(rp_expansion *x, const char *by, const rp_given_operand *in,
                          const bool axes[RP_MAX_RANK], rp_given_operand *out);

/* What the elements of lines come to, up to each of them (along.c). `out` is made. */
typedef struct rp_along {
    const char *by; /* of op scan */
    bool exclusive, reverse;
} rp_along;
rp_status rp_along_scan(rp_expansion *x, const rp_along *how, const rp_lines *lines,
                        const rp_given_operand *in, const rp_given_operand *out);

/* Sorts lines along any axis (order.c); `values` and `indices` are made, or NULL. */
rp_status rp_order_lines(rp_expansion *x, const rp_given_operand *in, const rp_lines *lines,
                         bool descending, rp_given_operand *values, rp_given_operand *indices);
/* The k best of each row, in order, by sorting all of them, without those that words of `excluded` (NULL: none) leave
 * out (best.c). Either result may be NULL. */
rp_status rp_order_best(rp_expansion *x, const rp_given_operand *in, rp_given_operand *excluded,
                        bool largest, double k, rp_given_operand *values,
                        rp_given_operand *indices);

/* What elements of a dtype are joined as, and whether small integers are joined as such of 64 bits, which the result is
 * wanted to have. */
uint8_t rp_axes_joined(uint8_t dtype);
bool rp_axes_widens(uint8_t dtype, uint8_t result);
/* What floats that are made of elements are: of integers f32. */
static inline uint8_t rp_axes_floats(uint8_t dtype) {
    return rp_op_is_in(dtype, RP_DT_FLOAT) ? dtype : RP_F32;
}
/* The most, or the least, that what elements are joined as can be, as a formula. */
const char *rp_axes_end(uint8_t joined, bool most);

/* A transient of a shape. */
rp_status rp_axes_temp(rp_expansion *x, const char *name, const rp_tensor *shape, uint8_t dtype,
                       rp_given_operand *out);
/* Elements of rows by their places in them. */
rp_status rp_axes_take(rp_expansion *x, rp_given_operand *rows, rp_given_operand *places,
                       rp_given_operand *out);

/* ---- Entries of the tables -------------------------------------------------------------------- */

#define RP_LIST(name_, default_, low_, high_, brief_)                                              \
    {                                                                                              \
        .name = name_, .brief = brief_, .kind = RP_ATTR_LIST, .low = low_, .high = high_,          \
        .choices = default_                                                                        \
    }
#define RP_REQUIRED_LIST(name_, low_, high_, brief_)                                               \
    {                                                                                              \
        .name = name_, .brief = brief_, .kind = RP_ATTR_LIST, .required = true, .low = low_,       \
        .high = high_                                                                              \
    }
#define RP_AXES(name_, default_)                                                                   \
    RP_LIST(name_, default_, -RP_MAX_RANK, RP_MAX_RANK - 1,                                        \
            "which; negative ones count from the last")

#endif
