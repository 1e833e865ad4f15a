/* Numbers for buffers that nobody gave data for: times of most kernels depend on shapes alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arrays.h"
#include "message.h"
#include "sizes.h"
#include "values.h"

enum { PIECE = 1 << 20 };

static uint64_t next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 16;
}

/* Both signs, from 1/16 to 1. */
static uint16_t half(rp_dtype dtype, uint64_t bits) {
    uint64_t size = dtype == RP_F16 ? 0x2c00 + (bits & 0x0fff) : 0x3d80 + (bits & 0x1ff);
    return (uint16_t)((bits & 0x8000) | size);
}

/* Whole blocks: a scale of f16, so small that numbers are about 1, and bytes behind it. */
static void fill_blocks(uint8_t *bytes, size_t size, size_t block, uint16_t scale,
                        uint64_t *state) {
    for (size_t at = 0; at + block <= size; at += block) {
        memcpy(bytes + at, &scale, sizeof scale);
        for (size_t i = sizeof scale; i < block; i++) bytes[at + i] = (uint8_t)next(state);
    }
}

/* Elements of the type, as many as fit. False for types that stay zero. */
static bool fill(rp_dtype dtype, uint8_t *bytes, size_t size, uint64_t *state) {
    switch (dtype) {
    case RP_F32:
        for (size_t i = 0; i + 4 <= size; i += 4) {
            float value = (float)(next(state) & 0xffff) / 32768.0f - 1;
            memcpy(bytes + i, &value, sizeof value);
        }
        return true;
    case RP_F64:
        for (size_t i = 0; i + 8 <= size; i += 8) {
            double value = (double)(next(state) & 0xffff) / 32768.0 - 1;
            memcpy(bytes + i, &value, sizeof value);
        }
        return true;
    case RP_F16:
    case RP_BF16:
        for (size_t i = 0; i + 2 <= size; i += 2)
            memcpy(bytes + i, &(uint16_t){half(dtype, next(state))}, 2);
        return true;
    case RP_Q8_0: fill_blocks(bytes, size, 34, 0x2000, state); return true; /* 1/128 */
    case RP_Q4_0: fill_blocks(bytes, size, 18, 0x3000, state); return true; /* 1/8 */
    case RP_RAW:
    case RP_I8:
    case RP_U8:
    case RP_I16:
    case RP_U16:
    case RP_I32:
    case RP_U32:
    case RP_I64:
    case RP_U64:
    case RP_BOOL: break;
    }
    return false;
}

/* The largest piece of whole elements and blocks. */
static uint64_t piece_of(rp_dtype dtype) {
    uint64_t block = dtype == RP_Q8_0 ? 34 : dtype == RP_Q4_0 ? 18 : 8;
    return PIECE / block * block;
}

static rp_status make_up(rp_exec *exec, const rp_plan_buffer_info *buffer, uint8_t *bytes,
                         rp_diags *diags) {
    uint64_t state = 0x9e3779b97f4a7c15u, piece = piece_of(buffer->dtype);
    rp_status status = RP_OK;
    for (uint64_t at = 0; at < buffer->bytes && status == RP_OK; at += piece) {
        uint64_t left = buffer->bytes - at, size = left < piece ? left : piece;
        if (!fill(buffer->dtype, bytes, size, &state)) return RP_OK;
        status = rp_exec_write(exec, 0, buffer->name, at, bytes, size, diags);
    }
    return status;
}

int cli_inputs_make_up(const cli_inputs *inputs, const rp_plan *plan, const char *file,
                       rp_exec *exec) {
    rp_diags *diags = cli_diags();
    uint8_t *bytes = cli_alloc(PIECE, 1);
    rp_status status = RP_OK;
    char names[512] = "";
    uint32_t more = 0;
    for (uint32_t i = 0; i < rp_plan_buffer_count(plan) && status == RP_OK; i++) {
        rp_plan_buffer_info buffer = cli_sized_buffer(plan, i);
        if ((buffer.kind != RP_IN && buffer.kind != RP_WEIGHT) || inputs->arrays[i].weight.data)
            continue;
        status = make_up(exec, &buffer, bytes, diags);
        size_t length = strlen(names);
        if (length + strlen(buffer.name) + 3 < sizeof names / 4)
            snprintf(names + length, sizeof names - length, "%s%s", length ? ", " : "",
                     buffer.name);
        else
            more++;
    }
    int result = cli_report(diags, file, status);
    if (result == CLI_OK && *names && more)
        cli_note("no data for %s and %u more: floats are made up, integers are zero", names, more);
    else if (result == CLI_OK && *names)
        cli_note("no data for %s: floats are made up, integers are zero", names);
    free(bytes);
    rp_diags_destroy(diags);
    return result;
}
