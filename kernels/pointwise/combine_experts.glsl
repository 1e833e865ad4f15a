// Element m of vector n: the results of its P experts, in their order.
float VALUE(uint i) {
    uint n = i / M, m = i % M;
    precise float sum = 0.0;
    for (uint e = 0u; e < P; e++) sum = fma(gates(n * P + e), x((n * P + e) * M + m), sum);
    return sum;
}
