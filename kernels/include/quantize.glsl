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
