/* Internal: bf16, the upper half of an f32. Rounded to nearest, ties to even; NaN stays NaN. And f16 as f32. */
#ifndef RP_BASE_BFLOAT_H
#define RP_BASE_BFLOAT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline float rp_bf16_to_f32(uint16_t half) {
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Exactly: the product moves the exponent, of denormals too. */
static inline float rp_f16_to_f32(uint16_t half) {
    uint32_t bits = (uint32_t)(half & 0x7fff) << 13, sign = (uint32_t)(half & 0x8000) << 16;
    bool special = (half & 0x7c00) == 0x7c00;
    float value;
    memcpy(&value, &bits, sizeof value);
    value *= 0x1p112f;
    memcpy(&bits, &value, sizeof bits);
    bits |= sign | (special ? 0x7f800000 : 0);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint16_t rp_bf16_of_f32(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* Rounded once: the f32 between is the one toward zero, with its last bit set unless it is exact, so
 * that it is neither a tie nor below one where the double is not. */
static inline uint16_t rp_bf16_of_double(double value) {
    float near = (float)value;
    uint32_t bits;
    memcpy(&bits, &near, sizeof bits);
    double error = (double)near - value;
    if (error != 0) { /* NaN, infinities of the double: 0 or NaN */
        bool beyond = (error > 0) == (value > 0);
        if (error == error && beyond) bits--;
        if (error == error) bits |= 1;
    }
    memcpy(&near, &bits, sizeof near);
    return rp_bf16_of_f32(near);
}

#endif
