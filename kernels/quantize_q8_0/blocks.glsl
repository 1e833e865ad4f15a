// Packs blocks of 32 numbers as GGML's q8_0: the largest magnitude / 127 as an f16, then 32 signed
// bytes. A thread for each block, which reads its 32 neighbours once.
//
// Divisions are corrected to the nearest f32, so that the codes are the same on every device.
//
// local: 64
// grid: min(ceil_div(R * C, 2048), 65535), ceil_div(ceil_div(R * C, 2048), 65535), 1

// number / 127: what is left of the number after 127 times the quotient is exact when it is taken
// off in two steps, 128 and -1.
float quantize_by_127(float number) {
    precise float near = number / 127.0;
    precise float rest = (number - 128.0 * near) + near;
    precise float quotient = near + rest * (1.0 / 127.0);
    return quotient;
}

uint quantize_code(float number) {
    if (f_isnan(number)) return 0u;
    float whole = trunc(number);
    if (abs(number - whole) >= 0.5) whole += number < 0.0 ? -1.0 : 1.0; // halves away from 0
    return uint(int(whole)) & 0xffu;
}

void main() {
    uint block = (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * 64u +
                 gl_LocalInvocationIndex;
    if (block >= R * C / 32u) return;
    float numbers[32];
    float most = 0.0;
    for (uint c = 0u; c < 32u; c++) {
        numbers[c] = x(block * 32u + c);
        float size = abs(numbers[c]);
        if (size > most) most = size;
    }
    float unit = quantize_by_127(most);
    float inverse = unit > 1e-30 && unit < 1e30 ? quantize_reciprocal(unit) : 0.0;
    uint at = block * 17u;
    out_data[at] = uint16_t(f32_to_f16(unit > 1e30 ? most : unit));
    for (uint c = 0u; c < 16u; c++) {
        precise float low = numbers[2u * c] * inverse, high = numbers[2u * c + 1u] * inverse;
        out_data[at + 1u + c] = uint16_t(quantize_code(low) | quantize_code(high) << 8);
    }
}
