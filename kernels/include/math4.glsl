// The functions of math.glsl for four numbers at once, to the same bits: where few subgroups are at work, as
// behind products of matrices, four chains of operations side by side hide what one waits for. What is
// rare is asked for once of all four, and then done one by one.

vec4 f_hidden_4(vec4 x) {
    return uintBitsToFloat(floatBitsToUint(x) | f_hidden(0u)); // a zero, though nothing says so
}

vec4 f_inverse_4(vec4 x) {
    return f_hidden_4(1.0 / f_hidden_4(x));
}

vec4 f_quotient_4(vec4 a, vec4 b) {
    return f_hidden_4(f_hidden_4(a) / f_hidden_4(b));
}

bvec4 f_isnan_4(vec4 x) {
    return greaterThan(floatBitsToUint(x) & 0x7fffffffu, uvec4(0x7f800000u));
}

vec4 round_f16_4(vec4 value) {
    uvec4 bits = floatBitsToUint(value), rest = bits & 0x7fffffffu;
    precise vec4 more = uintBitsToFloat(rest) + 0.5;
    precise vec4 tiny = more - 0.5;
    uvec4 size = rest + 0xfffu + (rest >> 13 & 1u) & 0xffffe000u;
    uvec4 none = mix(uvec4(0x7f800000u), uvec4(0x7fc00000u), greaterThan(rest, uvec4(0x7f800000u)));
    size = mix(size, floatBitsToUint(tiny), lessThan(rest, uvec4(0x38800000u)));
    size = mix(none, size, lessThan(rest, uvec4(0x477ff000u)));
    return uintBitsToFloat(size | bits & 0x80000000u);
}

vec4 f_abs_4(vec4 x) {
    return uintBitsToFloat(floatBitsToUint(x) & 0x7fffffffu);
}

vec4 f_neg_4(vec4 x) {
    return uintBitsToFloat(floatBitsToUint(x) ^ f_hidden(0x80000000u));
}

vec4 f_min_4(vec4 a, vec4 b) {
    return vec4(f_min(a.x, b.x), f_min(a.y, b.y), f_min(a.z, b.z), f_min(a.w, b.w));
}

vec4 f_max_4(vec4 a, vec4 b) {
    return vec4(f_max(a.x, b.x), f_max(a.y, b.y), f_max(a.z, b.z), f_max(a.w, b.w));
}

vec4 f_relu_4(vec4 x) {
    return vec4(f_relu(x.x), f_relu(x.y), f_relu(x.z), f_relu(x.w));
}

// Zeros without a sign divide as numbers near 1 do; all else that is not near them is done one by one.
vec4 f_div_4(vec4 a, vec4 b) {
    const uint LOW = 0x2f800000u, RANGE = 0x4f800000u - 0x2f800000u; // 2^-32 to 2^32
    uvec4 bits_a = floatBitsToUint(a), size_b = floatBitsToUint(b) & 0x7fffffffu;
    uvec4 far_a = uvec4(greaterThanEqual((bits_a & 0x7fffffffu) - LOW, uvec4(RANGE)));
    uvec4 far = far_a * uvec4(notEqual(bits_a, uvec4(0u))) | uvec4(greaterThanEqual(size_b - LOW, uvec4(RANGE)));
    if ((far.x | far.y | far.z | far.w) != 0u) {
        vec4 each = vec4(0.0);
        for (uint i = 0u; i < 4u; i++) each[i] = f_div(a[i], b[i]);
        return each;
    }
    vec4 inverse = f_inverse_4(b);
    precise vec4 q = a * inverse;
    precise vec4 better = fma(fma(-q, b, a), inverse, q);
    return better;
}

vec4 f_scale_4(vec4 value, ivec4 k) {
    ivec4 first = k >> 1;
    precise vec4 once = value * uintBitsToFloat(uvec4(first + 127) << 23);
    precise vec4 twice = once * uintBitsToFloat(uvec4(k - first + 127) << 23);
    return twice;
}

vec4 f_exp_small_4(vec4 r) {
    precise vec4 p = fma(r, vec4(1.98412698e-4), vec4(1.38888889e-3));
    p = fma(p, r, vec4(8.33333333e-3));
    p = fma(p, r, vec4(4.16666667e-2));
    p = fma(p, r, vec4(1.66666667e-1));
    p = fma(p, r, vec4(0.5));
    p = fma(p, r, vec4(1.0));
    p = fma(p, r, vec4(1.0));
    return p;
}

vec4 f_exp_4(vec4 x) {
    vec4 y = mix(mix(x, vec4(89.0), greaterThan(x, vec4(89.0))), vec4(-104.0), lessThan(x, vec4(-104.0)));
    vec4 n = roundEven(y * 1.44269504);
    precise vec4 r = y - n * 0.693359375;
    r = r + n * 2.12194440e-4;
    return mix(f_scale_4(f_exp_small_4(r), ivec4(n)), x, f_isnan_4(x));
}

vec4 f_sigmoid_4(vec4 x) {
    precise vec4 value = f_div_4(vec4(1.0), 1.0 + f_exp_4(-x));
    return value;
}

vec4 f_silu_4(vec4 x) {
    precise vec4 value = f_div_4(x, 1.0 + f_exp_4(-x));
    return value;
}

vec4 f_gelu_4(vec4 x) {
    vec4 size = f_abs_4(x);
    precise vec4 square = x * x;
    vec4 high = uintBitsToFloat(floatBitsToUint(x) & 0xfffff000u);
    precise vec4 low = x - high;
    precise vec4 lost = fma(low, low, fma(2.0 * high, low, fma(high, high, -square)));
    precise vec4 t = f_quotient_4(vec4(1.0), fma(size, vec4(0.353553391), vec4(1.0)));
    precise vec4 p = fma(t, vec4(-0.02958606), vec4(0.14253962));
    p = fma(p, t, vec4(-0.244123101));
    p = fma(p, t, vec4(0.139633402));
    p = fma(p, t, vec4(-0.0137270037));
    p = fma(p, t, vec4(0.101519108));
    p = fma(p, t, vec4(0.121507369));
    p = fma(p, t, vec4(0.141193792));
    p = fma(p, t, vec4(0.141042858));
    vec4 y = max(-0.5 * square, vec4(-150.0));
    vec4 n = roundEven(y * 1.44269504);
    precise vec4 r = fma(n, vec4(2.12194440e-4), fma(n, vec4(-0.693359375), y));
    precise vec4 part = f_exp_small_4(r) * fma(lost, vec4(-0.5), vec4(1.0)) * (p * t);
    part = f_scale_4(part, ivec4(n));
    part = mix(part, vec4(0.0), greaterThan(size, vec4(14.6)));
    precise vec4 rest = 1.0 - part;
    precise vec4 value = x * mix(rest, part, lessThan(x, vec4(0.0)));
    return value;
}

vec4 f_gelu_tanh_4(vec4 x) {
    precise vec4 u = 1.59576912 * (x + 0.044715 * x * x * x);
    precise vec4 value = f_div_4(x, 1.0 + f_exp_4(-u));
    return value;
}

vec4 f_tanh_4(vec4 x) {
    vec4 size = f_abs_4(x);
    precise vec4 z = x * x;
    precise vec4 p = fma(z, vec4(-0.000896543426), vec4(0.00334177877));
    p = fma(p, z, vec4(-0.00880469892));
    p = fma(p, z, vec4(0.0218623076));
    p = fma(p, z, vec4(-0.0539678296));
    p = fma(p, z, vec4(0.133333324));
    p = fma(p, z, vec4(-0.333333333));
    p = fma(p * z, x, x);
    precise vec4 t = 1.0 - f_quotient_4(vec4(2.0), f_exp_4(2.0 * size) + 1.0);
    return mix(mix(t, -t, lessThan(x, vec4(0.0))), p, lessThan(size, vec4(0.6)));
}
