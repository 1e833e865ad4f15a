// The same as wide.glsl, one weight at a time: for rows that do not start at 16 bytes.
for (uint k = first + matvec_lane; k < end; k += matvec_lanes)
    for (uint r = 0u; r < MATVEC_ROWS; r++) {
        float weight = VALUE_weight(rows[r] * K + k);
        for (uint b = 0u; b < B; b++)
            VALUE_sums[r * B + b] += weight * matvec_quad(b, k / 4u)[k % 4u];
    }
