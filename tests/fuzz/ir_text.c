/* IR text: whatever the bytes, parsing ends with a graph or with errors that say where. A graph
 * that parses also prints, in every form; its text parses back to the same graph; and its copy and
 * its difference with itself are what they should be. */
#include "fuzz.h"

static void views(const rp_graph *graph, rp_diags *diags) {
    for (int format = RP_FORMAT_TEXT; format <= RP_FORMAT_DOT; format++) {
        char *text = NULL;
        size_t size = 0;
        rp_status status = rp_graph_print(graph, (rp_format)format, &text, &size);
        HOLDS(status == RP_OK && strlen(text) == size, diags);
        rp_text_release(graph, text);
    }
    rp_graph_stats stats = {.size = sizeof stats};
    HOLDS(rp_graph_get_stats(graph, &stats) == RP_OK, diags);
}

static void copies(const rp_graph *graph, rp_diags *diags) {
    rp_graph *copy = NULL;
    char *text = NULL;
    size_t size = 1;
    HOLDS(rp_graph_clone(graph, &copy) == RP_OK, diags);
    HOLDS(rp_graph_equal(graph, copy) && rp_graph_hash(graph) == rp_graph_hash(copy), diags);
    HOLDS(rp_graph_verify(copy, "copy", diags) == RP_OK, diags);
    HOLDS(rp_graph_diff(graph, copy, &text, &size) == RP_OK && size == 0, diags);
    rp_text_release(graph, text);
    rp_graph_destroy(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > FUZZ_MAX_BYTES) return 0;
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *graph = NULL;
    rp_status status = rp_graph_parse(NULL, (const char *)data, size, "fuzz.rpir", diags, &graph);
    if (status == RP_OK) {
        HOLDS(graph && rp_diags_error_count(diags) == 0, diags);
        fuzz_round_trip(graph, diags);
        views(graph, diags);
        copies(graph, diags);
    } else {
        HOLDS(status == RP_ERROR_INVALID && !graph, diags);
        HOLDS(rp_diags_error_count(diags) > 0, diags);
        rp_diag first = rp_diags_get(diags, 0);
        HOLDS(first.file && first.message && *first.message, diags);
    }
    rp_graph_destroy(graph);
    rp_diags_destroy(diags);
    return 0;
}
