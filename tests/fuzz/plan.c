/* Plans: no bytes make the reader of plans, or whoever trusts an open one, touch memory they should
 * not. Each input is tried as it is, and with the header's fixed fields, size and hash made right,
 * which is what gets past the first checks. What opens is read to its last byte, the way the
 * runtime does. */
#include "fuzz.h"
#include "reprise/plan_build.h"
#include "support/plan_walk.h"

static void try_open(const uint8_t *data, size_t size) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = NULL;
    rp_status status = rp_plan_from_memory(NULL, data, size, "fuzz.rplan", diags, &plan);
    if (status == RP_OK) {
        walk_plan(plan);
        rp_graph *compiled = NULL, *source = NULL;
        rp_plan_graphs(plan, diags, &compiled, &source);
        rp_graph_destroy(compiled);
        rp_graph_destroy(source);
    } else {
        HOLDS(status == RP_ERROR_DAMAGED || status == RP_ERROR_VERSION, diags);
        HOLDS(!plan && rp_diags_error_count(diags) == 1, diags);
    }
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > FUZZ_MAX_BYTES) return 0;
    try_open(data, size);
    uint8_t *copy = malloc(size + 1);
    if (!copy) return 0;
    memcpy(copy, data, size);
    walk_repair(copy, size);
    try_open(copy, size);
    free(copy);
    return 0;
}
