// Constants that no compiler knows. What is fused decides what is a constant, and what a compiler
// computes from constants is not what the device computes: it keeps denormals that the device takes
// for zeros, and has no error where the device's function has one. So every number of a formula, an
// attribute or a fill is as unknown as one from memory: no workgroup's place equals the number of
// workgroups, but nothing says so.
uint f_hidden(uint bits) {
    uint zero = uint(gl_WorkGroupID.x == gl_NumWorkGroups.x) +
                uint(gl_WorkGroupID.y == gl_NumWorkGroups.y);
    return bits ^ zero;
}

// The same of the number with these bits.
float f_number(uint bits) {
    return uintBitsToFloat(f_hidden(bits));
}

float f_number(float number) {
    return uintBitsToFloat(f_hidden(floatBitsToUint(number)));
}
