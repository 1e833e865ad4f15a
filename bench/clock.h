/* The clock of the GPU while a benchmark runs, where it can be read: idle GPUs run at a fraction of
 * their clock, take a while to leave that, and a figure without it says nothing.
 *
 * nvidia-smi prints it ten times a second into a pipe; whoever measures asks for the lowest that it
 * has said since it was asked last. Elsewhere nothing is known. */
#ifndef REPRISE_BENCH_CLOCK_H
#define REPRISE_BENCH_CLOCK_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct gpu_clock {
    FILE *pipe; /* NULL: nothing is known */
    char line[64];
    size_t length;
    unsigned least, most; /* MHz: since it was asked last, 0 for nothing; that the GPU can reach */
} gpu_clock;

/* `device`: the name that Vulkan gives it. */
static inline void clock_open(gpu_clock *clock, const char *device) {
    memset(clock, 0, sizeof *clock);
    if (!strstr(device, "NVIDIA")) return;
    clock->pipe = popen("exec nvidia-smi -i 0 --query-gpu=clocks.sm,clocks.max.sm "
                        "--format=csv,noheader,nounits -lms 100 2>/dev/null",
                        "r");
    if (clock->pipe) fcntl(fileno(clock->pipe), F_SETFL, O_NONBLOCK);
}

static inline void clock_read(gpu_clock *clock) {
    char c;
    while (clock->pipe && read(fileno(clock->pipe), &c, 1) == 1) {
        if (c != '\n') {
            if (clock->length + 1 < sizeof clock->line) clock->line[clock->length++] = c;
            continue;
        }
        unsigned now = 0;
        clock->line[clock->length] = '\0';
        clock->length = 0;
        if (sscanf(clock->line, "%u, %u", &now, &clock->most) != 2) continue;
        if (!clock->least || now < clock->least) clock->least = now;
    }
}

/* The lowest, in MHz, since this was called last; 0: not known. */
static inline unsigned clock_least(gpu_clock *clock) {
    clock_read(clock);
    unsigned least = clock->least;
    clock->least = 0;
    return least;
}

/* Whether the GPU has run since then at what it can reach, as far as that is known. */
static inline bool clock_is_high(gpu_clock *clock) {
    if (!clock->pipe) return true;
    unsigned least = clock_least(clock);
    return least && least >= clock->most * 0.95;
}

/* nvidia-smi ends at the next line that it cannot write. */
static inline void clock_close(gpu_clock *clock) {
    if (clock->pipe) pclose(clock->pipe);
    clock->pipe = NULL;
}

#endif
