// Element i of a product: its parts, in the order of k. Eight are loaded before one is added, so that memory
// is waited for once for all of them.
const uint VALUE_BLOCK = 8u;

partial_CLASS VALUE(uint i) {
    precise partial_CLASS sum = partial_CLASS(0);
    for (uint p = 0u; p < A; p += VALUE_BLOCK) {
        partial_CLASS part[VALUE_BLOCK];
        for (uint k = 0u; k < VALUE_BLOCK; k++) part[k] = partial(min(p + k, A - 1u) * B * M * N + i);
        for (uint k = 0u; k < VALUE_BLOCK && p + k < A; k++) sum += part[k];
    }
    return sum;
}
