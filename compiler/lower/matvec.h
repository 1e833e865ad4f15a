/* Internal: what matvec.c decides and matvec_text.c writes down. */
#ifndef RP_LOWER_MATVEC_H
#define RP_LOWER_MATVEC_H

#include "lower/internal.h"

enum {
    RP_MATVEC_LANES = 32, /* that a subgroup is expected to have */
    RP_MATVEC_MAX_B = RP_OP_PRODUCT_VECTORS,
    RP_MATVEC_MAX_CORES = 24, /* each has a weight of its own, and a kernel has as many buffers */
    RP_MATVEC_X = 0,
    RP_MATVEC_WEIGHT = 1,
    RP_MATVEC_OUT = 2,
    RP_MATVEC_MOST_ROWS = 4,         /* of a subgroup at once */
    RP_MATVEC_RESERVE = 6144,        /* bytes of shared memory beside x in the layouts of blocks */
    RP_MATVEC_ROW_STEP_BYTES = 2304, /* of those that reductions in front of x take */
    RP_MATVEC_COLUMN_VECTORS = 13,   /* of 16 bytes, of the x of a lane's columns in digits */
    RP_MATVEC_MAX_COPIES = 4,
    RP_MATVEC_MAX_SINGLES = 8,
};

typedef enum rp_matvec_stage {
    RP_MATVEC_DIRECT, /* x is read from memory where it is needed */
    RP_MATVEC_STAGED, /* all of x is computed into shared memory first */
    RP_MATVEC_TILED,  /* a part of x at a time */
} rp_matvec_stage;

/* How weights lie in memory and are loaded, and so how x has to lie to meet them. */
typedef enum rp_matvec_layout {
    RP_MATVEC_PLAIN, /* elements in order; of blocks a few codes and a scale at a time */
    RP_MATVEC_Q8_0,  /* rows of blocks, 16 bytes at a time */
    RP_MATVEC_Q4_0,
    RP_MATVEC_COLUMNS_Q8_0, /* the same by shared memory; x is in digits, in registers */
    RP_MATVEC_COLUMNS_Q4_0,
    RP_MATVEC_LAYOUTS
} rp_matvec_layout;

static inline bool rp_matvec_is_columns(uint8_t layout) {
    return layout == RP_MATVEC_COLUMNS_Q8_0 || layout == RP_MATVEC_COLUMNS_Q4_0;
}

static inline bool rp_matvec_is_words(uint8_t layout) {
    return layout == RP_MATVEC_Q8_0 || layout == RP_MATVEC_Q4_0;
}

/* One product of the node. */
typedef struct rp_matvec_core {
    uint32_t member, value; /* whose output has that value number */
    uint32_t section;
    bool narrow;        /* one weight a load */
    uint8_t layout;     /* rp_matvec_layout */
    const char *prefix; /* of its functions and variables */
} rp_matvec_core;

/* Products whose results meet: computed by the same workgroups, a row of each at a time. */
typedef struct rp_matvec_section {
    uint32_t cores[RP_MATVEC_MAX_CORES], core_count; /* value numbers */
    uint32_t first;                                  /* core */
    uint32_t pair;                                   /* member of a RP_AT_PAIR op; RP_NONE */
    uint64_t rows, end;                              /* M; the workgroup after its last */
    uint64_t pairs;                                  /* of rows; 0: rows are not paired */
    uint32_t word_rows; /* of blocks that a subgroup has at a time: its lanes share them evenly */
} rp_matvec_section;

/* An operand that x is made of, brought to shared memory as it is. */
typedef struct rp_matvec_copy {
    uint32_t member, operand;
    uint64_t vectors; /* of four elements */
    uint64_t first;   /* where they begin in the array of that name */
    const char *name;
} rp_matvec_copy;

typedef struct rp_matvec {
    rp_emit *e;
    rp_matvec_core cores[RP_MATVEC_MAX_CORES];
    rp_matvec_section sections[RP_MATVEC_MAX_CORES];
    uint32_t core_count, section_count;
    uint64_t b, k;
    uint32_t threads;      /* of a workgroup */
    uint32_t rows;         /* that a subgroup computes at once */
    uint32_t depth;        /* chunks of a row that a lane loads at once */
    uint32_t word_depth;   /* words of 16 bytes of a row of blocks */
    uint32_t span;         /* rows of a workgroup */
    uint32_t tile;         /* elements of each row of x in shared memory */
    uint64_t tile_vectors; /* four elements each, of x in shared memory, whatever the layout */
    uint32_t lanes;        /* of a subgroup, in the layouts of columns */
    uint32_t parts; /* of a row, each for a subgroup, in the layouts of columns; 0: none has one */
    rp_matvec_stage stage;
    bool narrow; /* one of the cores is */
    bool uses[RP_MATVEC_LAYOUTS];
    rp_matvec_copy copies[RP_MATVEC_MAX_COPIES];
    uint32_t copy_count;
    uint32_t singles[RP_MATVEC_MAX_SINGLES][2]; /* member, operand: of one element, read early */
    uint32_t single_count;
    bool tile_is_x;        /* the one copy is x itself, where it is read */
    bool alone;            /* it waits, and no other workgroup shares its multiprocessor */
    const char *row_steps; /* function for what reductions stand before x; NULL */
} rp_matvec;

static inline const rp_target *rp_matvec_target(const rp_matvec *m) {
    return rp_graph_target(m->e->graph);
}

static inline bool rp_matvec_is_product(const rp_emit *e, uint32_t member) {
    return e->members[member].call.op->product;
}

static inline bool rp_matvec_starts_at(const rp_emit *e, uint32_t member, uint32_t operand,
                                       uint32_t alignment) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    return rp_node_uses(e->graph, e->node)[o->use].offset % alignment == 0;
}

static inline uint32_t rp_matvec_most_cores(const rp_matvec *m) {
    uint32_t most = 0;
    for (uint32_t i = 0; i < m->section_count; i++)
        if (m->sections[i].core_count > most) most = m->sections[i].core_count;
    return most;
}

/* Sums that a row of a product is added up of. */
static inline uint64_t rp_matvec_results_of_row(const rp_matvec *m) {
    return m->parts ? m->parts : 1;
}

/* Whether all products have layouts of columns, whose rows are dealt out one by one. */
static inline bool rp_matvec_is_all_columns(const rp_matvec *m) {
    return !m->uses[RP_MATVEC_PLAIN] && !m->uses[RP_MATVEC_Q8_0] && !m->uses[RP_MATVEC_Q4_0];
}

/* ---- matvec_pieces.c ------------------------------------------------------------------------- */

/* A file of kernels/. */
const char *rp_matvec_source(rp_emit *e, const char *name);
/* Appends a file's statements to main with `indent` in front of each line: they stand inside. */
void rp_matvec_put(rp_emit *e, uint32_t member, const char *name, const char *prefix,
                   const char *indent);
/* ---- matvec_columns.c: the layouts of columns, as statements of main -------------------------- */

/* 16 bytes each of what a subgroup has of a row in a layout of columns, and how many rows it has at a time. */
uint32_t rp_matvec_column_vectors(const rp_matvec *m, uint8_t layout);
uint32_t rp_matvec_column_rows(const rp_matvec *m, uint8_t layout);
/* Constants, and the function that adds up the parts of a row. */
void rp_matvec_column_globals(rp_matvec *m);
/* The function that loads from a weight, and what products with it take. */
void rp_matvec_column_weight(rp_matvec *m, const rp_matvec_core *core);
/* Which rows and which part of them a subgroup has; fours of x; the first loads of weights; and then
 * digits of x, and all rows. */
void rp_matvec_column_shares(rp_matvec *m);
void rp_matvec_column_x(rp_matvec *m);
void rp_matvec_column_first(rp_matvec *m, uint32_t section, uint8_t layout);
void rp_matvec_column_loop(rp_matvec *m, uint32_t section, uint8_t layout);

/* ---- matvec_early.c: before the first weights are used ---------------------------------------- */

/* Shared memory beside x. */
uint64_t rp_matvec_other_bytes(const rp_matvec *m);
/* Decides what comes early, once sizes are known, and takes the shared memory for it. */
void rp_matvec_choose_early(rp_matvec *m);
/* Shared memory for x, and for what it is made of. */
void rp_matvec_put_shared(rp_matvec *m);
/* Loads, in front of those of a section's first weights; then, behind them, what needs none of these, and what
 * waits for them. */
void rp_matvec_put_loads(rp_matvec *m, uint32_t section);
void rp_matvec_put_prepare(rp_matvec *m, uint32_t section);
void rp_matvec_put_copies(rp_matvec *m);

/* ---- matvec_text.c --------------------------------------------------------------------------- */

/* Writes functions and main() once everything is decided. */
void rp_matvec_text(rp_matvec *m);

#endif
