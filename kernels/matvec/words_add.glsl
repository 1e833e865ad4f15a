// The sum over the lanes that share a row.
float matvec_add(float sum) {
    for (uint apart = matvec_lanes / 2u; apart > 0u; apart /= 2u)
        sum += subgroupShuffleXor(sum, apart);
    return sum;
}
