/* Numbers for the buffers of a benchmark. */
#ifndef REPRISE_BENCH_FILL_H
#define REPRISE_BENCH_FILL_H

#include <stdlib.h>
#include <string.h>

#include "reprise/runtime.h"

static inline uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

/* Random elements: floats in [-1/8, 1/8), scales of blocks the same, integers below 512 (token,
 * position, length). */
static inline void make_elements(uint8_t *bytes, uint64_t size, rp_dtype dtype, uint32_t *state) {
    uint32_t block = dtype == RP_Q8_0 ? 34 : dtype == RP_Q4_0 ? 18 : 4;
    for (uint64_t i = 0; i + block <= size; i += block) {
        uint32_t word = next_random(state);
        float f = ((float)(word >> 8) / 16777216.0f - 0.5f) / 4;
        if (dtype == RP_F32)
            memcpy(bytes + i, &f, 4);
        else if (dtype == RP_U32 || dtype == RP_I32)
            memcpy(bytes + i, &(uint32_t){word % 512}, 4);
        else if (dtype == RP_F16)
            memcpy(bytes + i, &(uint32_t){(word & 0x83ff83ff) | 0x2c002c00}, 4);
        else if (dtype == RP_BF16)
            memcpy(bytes + i, &(uint32_t){(word & 0x80ff80ff) | 0x3d003d00}, 4);
        else
            for (uint32_t k = 0; k < block; k++)
                bytes[i + k] = (uint8_t)(k == 1 ? 0x20 | (word >> 3 & 0x83) : next_random(state));
    }
}

/* Everything that a replay reads. Memory that was never written has been seen to be read at less
 * than half the speed, and zeros at more than the usual. */
static inline rp_status fill_buffers(rp_exec *exec, const rp_plan *plan) {
    enum { CHUNK = 34 * 18 * 65536 };
    uint8_t *chunk = malloc(CHUNK);
    uint32_t state = 1;
    rp_status status = chunk ? RP_OK : RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < rp_plan_buffer_count(plan); i++) {
        rp_plan_buffer_info b = {.size = sizeof b};
        rp_plan_get_buffer(plan, i, &b);
        if (b.kind == RP_TMP || b.kind == RP_OUT || b.kind == RP_LIVE) continue;
        for (uint64_t at = 0; at < b.bytes && status == RP_OK; at += CHUNK) {
            uint64_t size = b.bytes - at < CHUNK ? b.bytes - at : CHUNK;
            if (at == 0) make_elements(chunk, size, b.dtype, &state);
            status = rp_exec_write(exec, 0, b.name, at, chunk, size, NULL);
        }
    }
    free(chunk);
    return status;
}

#endif
