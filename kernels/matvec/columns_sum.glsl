// A row's product: what its parts add up to.
float matvec_sum(uint row) {
    precise float sum = matvec_results[row * MATVEC_PARTS];
    for (uint part = 1u; part < MATVEC_PARTS; part++) sum += matvec_results[row * MATVEC_PARTS + part];
    return sum;
}
