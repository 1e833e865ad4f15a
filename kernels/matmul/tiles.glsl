// Matrix products by tiles. A workgroup of 16 x 16 threads makes a tile of U * 16 rows and as many
// columns: 16 steps of k at a time go through shared memory, where each element is used U * 16
// times, and every thread keeps U x U sums in registers. A thread's rows and columns are 16 apart,
// so neighbours read neighbouring words of shared memory.
//
// Each sum runs over k in order, so results do not depend on the tile's size. Beyond the edges the
// tiles hold zeros.
//
// B: a's matrices; E: b's, 1 or as many; G, H: matrices and their rows as computed, since all of a
// is one tall matrix where b is one and a is not transposed; X, Y: tiles along columns and rows; W:
// tiles in all.
//
// local: 256
// grid: min(W, 65535), ceil_div(W, 65535), 1

const uint EDGE = U * 16u;
const uint DEPTH = 16u;

// One word more than the edge, so that writing along k meets no bank twice.
shared float left_tile[DEPTH * (EDGE + 1u)];
shared float right_tile[DEPTH * (EDGE + 1u)];

// The place in a tile that a thread fills in its n-th turn. What is contiguous in memory is read by
// neighbouring threads.
void place(uint n, bool along_k, out uint k, out uint edge) {
    uint at = n * 256u + gl_LocalInvocationIndex;
    k = along_k ? at % DEPTH : at / EDGE;
    edge = along_k ? at / DEPTH : at % EDGE;
}

void load_left(uint batch, uint first_row, uint first_k) {
    for (uint n = 0u; n < U; n++) {
        uint k, edge;
        place(n, transpose_a == 0u, k, edge);
        uint row = first_row + edge;
        float value = 0.0;
        if (row < H && first_k + k < K) {
            uint at = transpose_a == 0u ? row * K + first_k + k : (first_k + k) * H + row;
            value = a(batch * H * K + at);
        }
        left_tile[k * (EDGE + 1u) + edge] = value;
    }
}

void load_right(uint batch, uint first_column, uint first_k) {
    for (uint n = 0u; n < U; n++) {
        uint k, edge;
        place(n, transpose_b != 0u, k, edge);
        uint column = first_column + edge;
        float value = 0.0;
        if (column < N && first_k + k < K) {
            uint at = transpose_b == 0u ? (first_k + k) * N + column : column * K + first_k + k;
            value = b((E == 1u ? 0u : batch * K * N) + at);
        }
        right_tile[k * (EDGE + 1u) + edge] = value;
    }
}

void main() {
    uint tile = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (tile >= W) return; // the whole workgroup
    uint first_column = tile % X * EDGE;
    uint first_row = tile / X % Y * EDGE;
    uint batch = tile / (X * Y);
    uint right = gl_LocalInvocationIndex % 16u;
    uint down = gl_LocalInvocationIndex / 16u;

    float sums[U * U];
    for (uint i = 0u; i < U * U; i++) sums[i] = 0.0;
    for (uint first_k = 0u; first_k < K; first_k += DEPTH) {
        load_left(batch, first_row, first_k);
        load_right(batch, first_column, first_k);
        barrier();
        for (uint k = 0u; k < DEPTH; k++) {
            float row[U], column[U];
            for (uint i = 0u; i < U; i++) {
                row[i] = left_tile[k * (EDGE + 1u) + down + 16u * i];
                column[i] = right_tile[k * (EDGE + 1u) + right + 16u * i];
            }
            for (uint i = 0u; i < U; i++)
                for (uint j = 0u; j < U; j++)
                    sums[i * U + j] = fma(row[i], column[j], sums[i * U + j]);
        }
        barrier(); // before the tiles are overwritten
    }

    for (uint i = 0u; i < U; i++)
        for (uint j = 0u; j < U; j++) {
            uint row = first_row + down + 16u * i;
            uint column = first_column + right + 16u * j;
            if (row < H && column < N) out_store((batch * H + row) * N + column, sums[i * U + j]);
        }
}
