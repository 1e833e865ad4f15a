/* Signatures: what rp_apply can be called with, as data: the operands and attributes of every op and
 * composite. For front ends that are made of them, in other languages above all: an op that is added is
 * there without a change. docs/ops.md is the same for people.
 *
 * The structs are filled in by the calls behind them; the caller has set their `size`. RP_ERROR_USAGE
 * otherwise, for NULL, and for an index out of range. Strings are static. */
#ifndef REPRISE_SIGNATURES_H
#define REPRISE_SIGNATURES_H

#include "reprise/ops.h"
#include "reprise/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_signature_info {
    size_t size;
    const char *name, *family, *brief;
    int composite; /* 1: stands for several ops */
    int formula;   /* 1: `map`, whose inputs are the names of its formula */
    uint32_t operand_count, attribute_count;
} rp_signature_info;

/* The ops first, by family, then the composites. */
RP_API uint32_t rp_signature_count(void);
RP_API rp_status rp_signature_get(uint32_t index, rp_signature_info *info);

typedef struct rp_signature_operand_info {
    size_t size;
    const char *name, *brief;
    rp_access access; /* r: an input; w: an output, all of which is written; rw: changed in place */
    int optional;     /* may be left out; an output then is not computed */
    uint32_t dtypes;  /* that it may have: bit 1 << rp_dtype each. 0: as its ops take */
    const char
        *shape; /* letters, "*R C" (docs/ops.md); NULL: broadcasts. An output without: what the
                        * inputs broadcast to */
    const char
        *like; /* an output: it has the dtype of this input where none is said; NULL: another */
} rp_signature_operand_info;
/* Inputs first, in the order of the reference. A map has one of its inputs, as a pattern, and `out`. */
RP_API rp_status rp_signature_get_operand(uint32_t signature, uint32_t index,
                                          rp_signature_operand_info *info);

/* What an attribute's value is. */
typedef enum rp_attribute_kind {
    RP_ATTRIBUTE_NUMBER,   /* rp_attribute.number, or an integer as text */
    RP_ATTRIBUTE_INTEGER,  /* the same, a whole one */
    RP_ATTRIBUTE_CHOICE,   /* rp_attribute.text: one of `choices` */
    RP_ATTRIBUTE_INTEGERS, /* rp_attribute.text: a list, "0, -1" */
    RP_ATTRIBUTE_NUMBERS,  /* the same of numbers */
    RP_ATTRIBUTE_FORMULA,  /* rp_attribute.text: of a map; or an equation, as the op says */
} rp_attribute_kind;

typedef struct rp_signature_attribute_info {
    size_t size;
    const char *name, *brief;
    rp_attribute_kind kind;
    int required;
    double fallback;  /* of a number, an integer; of a choice the index. NaN where it is required */
    double low, high; /* of numbers and integers, and of each in a list; both ends included */
    const char
        *choices; /* "neox|interleaved"; of a list: what it is when left out, for people; else
                          * NULL */
} rp_signature_attribute_info;
RP_API rp_status rp_signature_get_attribute(uint32_t signature, uint32_t index,
                                            rp_signature_attribute_info *info);

#ifdef __cplusplus
}
#endif

#endif
