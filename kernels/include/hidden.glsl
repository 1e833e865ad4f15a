// Constants that no compiler knows. What is fused decides what is a constant, and what a compiler
// computes from constants is not what the device computes: it keeps denormals that the device takes
// for zeros, and has no error where the device's function has one. So every number of a formula, an
// attribute or a fill is as unknown as one from memory: no workgroup's place equals the number of
// workgroups, but nothing says so.
uint f_hidden(uint bits) {
    uint zero = uint(gl_WorkGroupID.x == gl_NumWorkGroups.x) +
                uint(gl_WorkGroupID.y == gl_NumWorkGroups.y);
    return bits | zero; // an exclusive or would cancel out where it is done twice
}

float f_hidden(float number) {
    return uintBitsToFloat(f_hidden(floatBitsToUint(number)));
}

// The same of the number with these bits.
float f_number(uint bits) {
    return uintBitsToFloat(f_hidden(bits));
}

float f_number(float number) {
    return f_hidden(number);
}

// The device's own quotients and roots, which Vulkan lets be off by a few units. Where a compiler sees
// one of them taken of another, it makes one of two: 1 / sqrt(1 / x) became sqrt(x), in the fused
// kernel alone, and other bits came out. So it sees neither what goes in nor what comes out.
float f_quotient(float a, float b) {
    return f_hidden(f_hidden(a) / f_hidden(b));
}

float f_inverse(float x) {
    return f_hidden(1.0 / f_hidden(x));
}

float f_root(float x) {
    return f_hidden(sqrt(f_hidden(x)));
}

float f_inverse_root(float x) {
    return f_hidden(inversesqrt(f_hidden(x)));
}
