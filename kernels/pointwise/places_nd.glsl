// The number of the slice that row i of indices points to, which has a number for each of K dimensions.
uint VALUE(uint i) {
    uint dims[8] = uint[8](O, P, Q, R, S, T, U, V);
    uint slice = 0u;
    bool inside = true;
    for (uint k = 0u; k < K; k++) {
        uint at = to_place(indices(i * K + k), dims[k], indices_DTYPE == U64);
        inside = inside && at < dims[k];
        slice = slice * dims[k] + at;
    }
    return inside ? slice : 0xffffffffu;
}
