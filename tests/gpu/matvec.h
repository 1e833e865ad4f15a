/* Programs of matrix-vector products, run and compared: what the files of test matvec share. */
#ifndef RP_TESTS_MATVEC_H
#define RP_TESTS_MATVEC_H

#include "gpu.h"

enum { MAX_BUFFERS = 256 };

typedef struct matvec_tests {
    rp_device *device;
    const rp_target *target; /* that programs are compiled for; NULL: `portable` */
    uint32_t fused;          /* programs that were compared */
    uint32_t programs;       /* that were come to */
    uint32_t products;       /* dtypes that were come to, each with shapes of their own */
    enum { ALL, EVEN, ODD, COLUMNS } turn; /* which of the programs are compared */
} matvec_tests;

extern matvec_tests T;

/* What the buffers that others see hold after a run, by index in the graph. */
typedef struct contents {
    uint8_t *bytes[MAX_BUFFERS];
} contents;

/* ---- matvec_run.c ---------------------------------------------------------------------------- */

void *need(void *block);
rp_tensor tensor_of(const rp_graph *g, uint32_t buffer);
/* For T.target. */
rp_graph *parse(const char *text);
/* The same bytes for a buffer of the same name, whatever else the graph holds. */
void fill(const rp_graph *g, uint32_t buffer, uint8_t *bytes);
/* At -O0; or, with GPU_ALL_TAGGED, with all tagged that can be, and replays one behind the other, of which
 * the first leaves words that are old for the next ones. */
void run(const rp_graph *g, int level, contents *out);
void release(contents *c);
/* All results are equal to the bit, and none is zeros alone. */
void compare(const rp_graph *plain, const contents *a, const rp_graph *fused, const contents *b);

/* ---- matvec_waits.c -------------------------------------------------------------------------- */

/* Products whose inputs other kernels store meanwhile, for a target like this one. */
void check_waiting(rp_target *target);

#endif
