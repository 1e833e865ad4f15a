/* YAML pipelines: whatever the bytes, loading ends with a graph or with errors that name a line.
 * The graph is one that the text form can hold. Kernels come from tests/fuzz/kernels. */
#include "fuzz.h"
#include "reprise/compiler.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > FUZZ_MAX_BYTES / 4) return 0;
    rp_diags *diags = rp_diags_create(NULL);
    rp_pipeline *pipeline = NULL;
    rp_status status =
        rp_pipeline_parse(NULL, (const char *)data, size, RP_TEST_DATA "/kernels/fuzz.yaml", NULL,
                          0, diags, &pipeline);
    if (status == RP_OK) {
        HOLDS(pipeline && rp_diags_error_count(diags) == 0, diags);
        fuzz_round_trip(rp_pipeline_graph(pipeline), diags);
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
