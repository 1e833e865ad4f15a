/* What the fuzz targets share. A target fails by aborting: libFuzzer keeps the input that did it,
 * and the replay program (replay.c) makes the test fail. */
#ifndef RP_TESTS_FUZZ_H
#define RP_TESTS_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "reprise/graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_MAX_BYTES = 64 << 10 };

static inline void fuzz_fail(const char *file, int line, const char *what, const rp_diags *diags) {
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        rp_diag diag = rp_diags_get(diags, i);
        char text[1024];
        rp_diag_format(&diag, text, sizeof text);
        fprintf(stderr, "  %s\n", text);
    }
    abort();
}

/* Something that holds for every input. `diags` (may be NULL) is shown when it does not. */
#define HOLDS(condition, diags)                                                                    \
    do {                                                                                           \
        if (!(condition)) fuzz_fail(__FILE__, __LINE__, #condition, (diags));                      \
    } while (0)

/* The graph's text parses back to an equal graph that prints the same text. */
static inline void fuzz_round_trip(const rp_graph *graph, rp_diags *diags) {
    char *text = NULL, *again = NULL;
    size_t size = 0;
    rp_graph *parsed = NULL;
    rp_status status = rp_graph_print(graph, RP_FORMAT_TEXT, &text, &size);
    HOLDS(status == RP_OK, diags);
    status = rp_graph_parse(NULL, text, size, "printed", diags, &parsed);
    HOLDS(status == RP_OK, diags);
    HOLDS(rp_graph_equal(graph, parsed), diags);
    HOLDS(rp_graph_hash(graph) == rp_graph_hash(parsed), diags);
    status = rp_graph_print(parsed, RP_FORMAT_TEXT, &again, NULL);
    HOLDS(status == RP_OK && strcmp(text, again) == 0, diags);
    rp_text_release(graph, text);
    rp_text_release(parsed, again);
    rp_graph_destroy(parsed);
}

#endif
