// For scales of blocks, which GGML divides by exactly: Vulkan lets a quotient be off by 2.5 units.

// 1 / number: products of halves show exactly what near * number is off 1.
float quantize_reciprocal(float number) {
    precise float near = 1.0 / number, product = number * near;
    precise float a = number * 4097.0, b = near * 4097.0;
    precise float a_high = a - (a - number), b_high = b - (b - near);
    precise float a_low = number - a_high, b_low = near - b_high;
    precise float lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) +
                         a_low * b_low;
    precise float rest = (1.0 - product) - lost;
    precise float quotient = near + rest * near;
    return quotient;
}

// number / 127: what is left of the number after 127 times the quotient is exact when it is taken
// off in two steps, 128 and -1.
float quantize_by_127(float number) {
    precise float near = number / 127.0;
    precise float rest = (number - 128.0 * near) + near;
    precise float quotient = near + rest * (1.0 / 127.0);
    return quotient;
}

// The scale of a block of q8_0 whose largest magnitude is `most`, as the bits of an f16; and what its numbers
// are multiplied with to be rounded to codes. The same on every device, for divisions are exact.
float quantize_q8_inverse(float most, out uint scale_bits) {
    float unit = quantize_by_127(most);
    scale_bits = f32_to_f16(unit > 1e30 ? most : unit);
    return unit > 1e-30 && unit < 1e30 ? quantize_reciprocal(unit) : 0.0;
}

uint quantize_q8_code(float number) {
    if (f_isnan(number)) return 0u;
    float whole = trunc(number);
    if (abs(number - whole) >= 0.5) whole += number < 0.0 ? -1.0 : 1.0; // halves away from 0
    return uint(int(whole)) & 0xffu;
}

// A block of q8_0 as words of 16 bits: the scale, then two codes in each.
void quantize_q8_block(float numbers[32], out uint words[17]) {
    float most = 0.0;
    for (uint c = 0u; c < 32u; c++) {
        float size = abs(numbers[c]);
        if (size > most) most = size;
    }
    float inverse = quantize_q8_inverse(most, words[0]);
    for (uint c = 0u; c < 16u; c++) {
        precise float low = numbers[2u * c] * inverse, high = numbers[2u * c + 1u] * inverse;
        words[1u + c] = quantize_q8_code(low) | quantize_q8_code(high) << 8;
    }
}
