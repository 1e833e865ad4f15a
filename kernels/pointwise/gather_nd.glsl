// Element [r, c] is element c of the slice of x at indices[r, :], numbers of its first K dimensions.
out_CLASS VALUE(uint i) {
    uint dims[8] = uint[8](O, P, Q, R, S, T, U, V);
    uint slice = 0u;
    bool inside = true;
    for (uint k = 0u; k < K; k++) {
        uint at = to_place(indices(i / C * K + k), dims[k], indices_DTYPE == U64);
        inside = inside && at < dims[k];
        slice = slice * dims[k] + at;
    }
    if (!inside) return out_CLASS(0);
    return x(slice * C + i % C);
}
