// Random numbers are functions of their place: Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel
// random numbers: as easy as 1, 2, 3", SC 2011) makes four words of a counter and a key. Written out, since
// turns of loops are counted (docs/fusion.md).
uvec4 random_round(uvec4 counter, uvec2 key) {
    uint high0, low0, high1, low1;
    umulExtended(0xd2511f53u, counter.x, high0, low0);
    umulExtended(0xcd9e8d57u, counter.z, high1, low1);
    return uvec4(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
}

uvec4 random_words(uvec4 counter, uvec2 key) {
    const uvec2 STEP = uvec2(0x9e3779b9u, 0xbb67ae85u);
    counter = random_round(counter, key);
    counter = random_round(counter, key + STEP);
    counter = random_round(counter, key + 2u * STEP);
    counter = random_round(counter, key + 3u * STEP);
    counter = random_round(counter, key + 4u * STEP);
    counter = random_round(counter, key + 5u * STEP);
    counter = random_round(counter, key + 6u * STEP);
    counter = random_round(counter, key + 7u * STEP);
    counter = random_round(counter, key + 8u * STEP);
    return random_round(counter, key + 9u * STEP);
}

// The words of block `block`, counted from `first` on, of a stream.
uvec4 random_block(uvec2 key, uvec2 first, uint block, uint stream_number) {
    uint carry, least = uaddCarry(first.x, block, carry);
    return random_words(uvec4(least, first.y + carry, stream_number, 0u), key);
}

// 0 to 1 - 2^-24, in steps of 2^-24.
float random_unit(uint word) {
    return float(word >> 8) * 5.9604644775390625e-8;
}

// sqrt(-2 log(u)) of u = (word + 1) / 2^32. Only sums, differences and products of normal numbers, which
// every device rounds alike: so no fma(), which may be one operation or two, and no quotient or root of a
// device's own. u is (1 + f) 2^whole with f from sqrt(1/2) - 1 to sqrt(2) - 1; log(1 + f) is a polynomial.
float random_radius(uint word) {
    if (word == 0xffffffffu) return 0.0;
    uint k = word + 1u, top = uint(findMSB(k)), n = k << (31u - top);
    bool above = n >= 0xb504f334u; // 2^31.5
    float f = above ? float(0u - n) * -2.3283064365386963e-10 : float(n - 0x80000000u) * 4.656612873077393e-10;
    float whole = float(int(top) - (above ? 31 : 32));
    precise float p = f * -0.0620141515 + 0.105308136;
    p = p * f - 0.106462044;
    p = p * f + 0.110377939;
    p = p * f - 0.124507429;
    p = p * f + 0.142865238;
    p = p * f - 0.166680015;
    p = p * f + 0.200000101;
    p = p * f - 0.249999903;
    p = p * f + 0.333333333;
    precise float square = f * f;
    precise float rest = square * f * p - 0.5 * square;
    precise float least = f + (rest - whole * 2.12194440e-4);
    precise float size = -2.0 * (least + whole * 0.693359375);
    precise float inverse = uintBitsToFloat(0x5f375a86u - (floatBitsToUint(size) >> 1));
    precise float halved = 0.5 * size;
    inverse = inverse * (1.5 - halved * inverse * inverse); // Newton's steps to 1 / sqrt(size)
    inverse = inverse * (1.5 - halved * inverse * inverse);
    inverse = inverse * (1.5 - halved * inverse * inverse);
    precise float root = size * inverse;
    return root;
}

// Cosine and sine of 2 pi word / 2^32, by the same operations alone. Quarters of the circle are taken out of
// the integer.
vec2 random_direction(uint word) {
    uint quarter = (word + 0x20000000u) >> 30;
    float r = float(int(word - (quarter << 30))) * 1.4629180792671596e-9;
    precise float t = r * r;
    precise float s = t * 2.75573192e-6 - 1.98412698e-4;
    s = s * t + 8.33333333e-3;
    s = s * t - 1.66666667e-1;
    s = s * t * r + r;
    precise float c = t * -2.75573192e-7 + 2.48015873e-5;
    c = c * t - 1.38888889e-3;
    c = c * t + 4.16666667e-2;
    c = c * t - 0.5;
    c = c * t + 1.0;
    vec2 turned = (quarter & 1u) == 0u ? vec2(c, s) : vec2(-s, c);
    return (quarter & 2u) == 0u ? turned : -turned;
}

// Two numbers of the normal distribution out of two words: the transform of Box and Muller.
vec2 random_normals(uvec2 words) {
    precise vec2 pair = random_radius(words.x) * random_direction(words.y);
    return pair;
}
