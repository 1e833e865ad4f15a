/* bench_embed: what the cases share. Each case is a file of its own; a case sets itself up, compares
 * its ways with compare(), and takes itself down. */
#ifndef REPRISE_BENCH_EMBED_H
#define REPRISE_BENCH_EMBED_H

#include <reprise/compiler.h>

#include "../plain.h"

typedef struct row {
    const char *group, *way, *against;
    double wall, cpu; /* seconds of one operation, medians */
    double ratio;     /* of wall time to the way it is held against, median of the rounds'; CPU time
                       * where the case is about that */
    double bytes;     /* of one operation; 0 where no bytes count */
    double submits, waits; /* of one operation; negative where they are not counted */
} row;

enum { MAX_ROWS = 64 };

typedef struct bench {
    plain plain;
    rp_diags *diags;
    rp_device *device;
    uint32_t rounds;
    uint64_t upload_bytes;
    row rows[MAX_ROWS];
    uint32_t row_count;
} bench;

/* One way of doing what a case is about. */
typedef struct way {
    const char *name;
    int (*run)(bench *b, void *state);    /* timed */
    int (*settle)(bench *b, void *state); /* behind it, not timed; NULL: nothing */
    uint32_t against;                     /* index of the way that it is held against */
} way;

typedef struct comparison {
    const char *group;
    const way *ways;
    uint32_t count;
    void *state;
    uint32_t rounds;     /* 0: the program's */
    uint32_t operations; /* in a run; 0: 1 */
    uint64_t bytes;      /* of an operation */
    bool by_cpu;         /* ratios are of CPU time of the calling thread */
    bool counted;        /* count submissions and waits of the rp_device */
} comparison;

/* Runs all ways in turn, round by round, in the order given and then in others; prints a table, and
 * adds its rows to the bench. */
int compare(bench *b, const comparison *c);

/* A plan of recorded calls: `record` adds buffers and kernels and records. */
int plan_of(bench *b, int (*record)(bench *b, rp_program *program, rp_recorder *r, void *user),
            void *user, rp_plan **out_plan);

/* Name, what it compares. */
#define CASES(X)                                                                                   \
    X(submit, "a replay with 2 waits and 2 signals against bare vkQueueSubmit2")                   \
    X(frame, "a frame with 4 KiB in and out against one command buffer with both copies")          \
    X(upload, "bytes from the host to the device against memcpy and against staging by hand")      \
    X(chain, "plan to plan against one command buffer with a barrier between dispatches")          \
    X(change, "changing 1 of 1000 nodes, tier by tier, against recording 1000 again")              \
    X(ring, "three slots against one, with host and device at work, and the same by hand")         \
    X(pipelines, "the second exec of a plan with 60 kernels against the first, and by hand")

#define X(name, what) int bench_##name(bench *b);
CASES(X)
#undef X

#endif
