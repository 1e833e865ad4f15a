/* YAML pipelines: whatever the bytes, loading ends with a graph or with errors that name a line.
 * The graph is one that the text form can hold, and so is its flat text. Kernels come from
 * tests/fuzz/kernels. */
#include "fuzz.h"
#include "reprise/compiler.h"

/* The flat text is the same pipeline, unless it is too long for one. */
static void check_flat(const rp_pipeline *pipeline) {
    const char *flat = rp_pipeline_flat_text(pipeline);
    rp_diags *diags = rp_diags_create(NULL);
    rp_pipeline *again = NULL;
    const rp_pipeline_source source = {.size = sizeof source,
                                       .path = RP_TEST_DATA "/kernels/fuzz.yaml",
                                       .text = flat,
                                       .text_size = strlen(flat),
                                       .keep_flat = 1};
    if (source.text_size < 1 << 20) {
        HOLDS(rp_pipeline_read(NULL, &source, diags, &again) == RP_OK, diags);
        HOLDS(rp_graph_equal(rp_pipeline_graph(pipeline), rp_pipeline_graph(again)), diags);
        HOLDS(strcmp(flat, rp_pipeline_flat_text(again)) == 0, diags);
    }
    rp_pipeline_destroy(again);
    rp_diags_destroy(diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > FUZZ_MAX_BYTES / 4) return 0;
    rp_diags *diags = rp_diags_create(NULL);
    rp_pipeline *pipeline = NULL;
    const rp_pipeline_source source = {.size = sizeof source,
                                       .path = RP_TEST_DATA "/kernels/fuzz.yaml",
                                       .text = (const char *)data,
                                       .text_size = size,
                                       .keep_flat = 1};
    rp_status status = rp_pipeline_read(NULL, &source, diags, &pipeline);
    if (status == RP_OK) {
        HOLDS(pipeline && rp_diags_error_count(diags) == 0, diags);
        fuzz_round_trip(rp_pipeline_graph(pipeline), diags);
        check_flat(pipeline);
        for (uint32_t i = 0; i < rp_pipeline_data_count(pipeline); i++)
            HOLDS(rp_pipeline_get_data(pipeline, i)->path != NULL, diags);
    } else {
        HOLDS(!pipeline && rp_diags_error_count(diags) > 0, diags);
        HOLDS(status == RP_ERROR_INVALID || status == RP_ERROR_IO || status == RP_ERROR_UNSUPPORTED,
              diags);
    }
    rp_pipeline_destroy(pipeline);
    rp_diags_destroy(diags);
    return 0;
}
