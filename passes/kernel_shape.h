/* Internal: what kernel some ops become together.
 *
 * A function of the ops and of who reads whom, nothing else. Fusion asks before it merges nodes;
 * lowering asks again when it composes a node's kernel, whoever made the node: fusion, a pipeline
 * without it, or a person who wrote a graph by hand. So what one accepts the other can make.
 *
 * A generated kernel has one of four shapes, decided by the forms of its ops. Every value that
 * stays inside is a function of its element's index, so an op in front of the shape's core may be
 * read at any index; an op behind the core may only ask for the core's result at its own element
 * (or the other one of its pair, or its row's), because that is all that a thread has at hand. */
#ifndef RP_PASSES_KERNEL_SHAPE_H
#define RP_PASSES_KERNEL_SHAPE_H

#include "graph/graph.h"

enum {
    RP_SHAPE_MEMBERS = 256,
    RP_SHAPE_REASON = 320, /* bytes of a reason */
    /* Of one kernel, in instructions, about: rp_shape_size(). What fusion makes, and what is made
     * of nodes that others fused. Compilers take more than linear time for one function, and all
     * is one function for them; a kernel of the first size takes about a third of a second. */
    RP_SHAPE_FUSED_SIZE = 4000,
    RP_SHAPE_LARGEST_SIZE = 40000,
    RP_SHAPE_WIDE_GROUP = 1024, /* elements of wide rows that a workgroup has */
};

typedef enum rp_shape_kind {
    RP_SHAPE_MAP,    /* pointwise ops (and scatters at the end) over one number of elements */
    RP_SHAPE_ROWS,   /* ops over the same rows, and pointwise ops around them */
    RP_SHAPE_KERNEL, /* one kernel op, pointwise ops in front of its hooks and behind */
    RP_SHAPE_MATVEC, /* matrix-vector products over one x, with what makes x and what takes rows */
} rp_shape_kind;

/* What an output depends on, and so where its elements can be asked for. */
typedef enum rp_shape_place {
    RP_SHAPE_FRONT,   /* only memory and other such values: any element, any time */
    RP_SHAPE_ELEMENT, /* ROWS: an element of the row. MATVEC: x itself, behind a row operation */
    RP_SHAPE_PER_ROW, /* one number for each row */
    RP_SHAPE_WIDE,    /* ROWS: an element of rows of another length, made with their row's numbers:
                       * of rows that several workgroups share */
    RP_SHAPE_BEHIND,  /* KERNEL, MATVEC: an element of the core's result */
} rp_shape_place;

typedef struct rp_shape_member {
    /* Given: */
    uint32_t id;            /* for reasons */
    const rp_op_call *call; /* checked */
    rp_op_size size;
    uint32_t source[RP_OP_MAX_OPERANDS]; /* input: the earlier member whose output it is; RP_NONE:
                                          * it comes from memory */
    uint8_t output[RP_OP_MAX_OPERANDS];  /* and which of its operands */
    uint32_t stored;                     /* bit k: output k goes to memory */
    uint32_t x; /* a product's first input: the same number for the same bytes */
    /* Found: */
    uint8_t place[RP_OP_MAX_OPERANDS]; /* of outputs: rp_shape_place */
    uint32_t core; /* KERNEL: which output of the core a member BEHIND follows. MATVEC: the first of
                    * the products that meet, of a product and of a member BEHIND it */
    uint32_t pair; /* MATVEC, of such a first product: who needs pairs of its rows; RP_NONE */
} rp_shape_member;

typedef struct rp_shape {
    rp_shape_member *members;
    uint32_t count;
    /* Found: */
    rp_shape_kind kind;
    uint32_t first;         /* the core, the first product, or the first op over rows; RP_NONE */
    uint64_t rows, columns; /* ROWS; MATVEC: of x */
    uint64_t parts;         /* ROWS: of each row, `rows` being those of all; 0: rows are whole */
    uint64_t wide;          /* ROWS: elements of all rows of another length; 0: there are none */
    uint64_t elements;      /* MAP */
    /* rows, columns, wide, elements as they follow live sizes */
    rp_extent all_rows, all_columns, all_wide, all_elements;
    rp_extent whole; /* ROWS: elements of all rows, rows times columns */
    double size;     /* in instructions, about */
    char reason[RP_SHAPE_REASON];
} rp_shape;

/* Of so few members the elements of a row may be in the text several times: those of four at once. */
enum { RP_SHAPE_FEW = 6 };

/* Workgroups that share a wide row, and go over its reductions each. */
static inline uint64_t rp_shape_wide_groups(const rp_shape *s) {
    uint64_t length = s->wide && s->rows ? s->wide / s->rows : 0;
    return length / RP_SHAPE_WIDE_GROUP + (length % RP_SHAPE_WIDE_GROUP != 0);
}

/* Elements that an op goes over: of its first output; of a scatter those of its source. */
uint64_t rp_shape_domain(const rp_op_call *call);
rp_extent rp_shape_domain_extent(const rp_op_call *call);

/* Whether an op element by element reads an input at its own index alone: then the input is there
 * already, whoever else reads it there. */
bool rp_shape_reads_here(const rp_op_call *call, uint32_t operand);

/* Whether one generated kernel can compute the members: fills in what is found, or `reason` and
 * returns false. Which buffers they touch, and in what order, is others' affair; so is how large
 * the kernel may be. */
bool rp_shape_find(rp_shape *shape);

#endif
