/* .safetensors and .npy files: whatever the bytes, every array of a file that opens lies inside them, and is
 * as large as its shape says where a dtype takes it. */
#include "fuzz.h"
#include "reprise/weights.h"

static void check(const rp_weights *w, const uint8_t *data, size_t size) {
    for (uint32_t i = 0; i < rp_weights_count(w); i++) {
        rp_weight weight = *rp_weights_get(w, i);
        const uint8_t *begin = weight.data;
        HOLDS(weight.name && weight.type, NULL);
        HOLDS(begin >= data && begin <= data + size, NULL);
        HOLDS(weight.size <= (uint64_t)(data + size - begin), NULL);
        uint64_t bytes = rp_dtype_size(weight.dtype);
        for (uint32_t d = 0; d < weight.rank && d < RP_MAX_RANK; d++) bytes *= weight.shape[d];
        if (weight.dtype != RP_RAW && weight.rank <= RP_MAX_RANK) HOLDS(bytes == weight.size, NULL);
        HOLDS(rp_weights_find(w, weight.name) == i, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > FUZZ_MAX_BYTES || !size) return 0;
    rp_diags *diags = rp_diags_create(NULL);
    rp_weights *w = NULL;
    rp_status status = rp_weights_from_memory(NULL, data, size, "fuzz", diags, &w);
    if (status == RP_OK) {
        check(w, data, size);
    } else {
        HOLDS(status == RP_ERROR_INVALID, diags);
        HOLDS(!w && rp_diags_error_count(diags) > 0, diags);
    }
    rp_weights_close(w);
    rp_diags_destroy(diags);
    return 0;
}
