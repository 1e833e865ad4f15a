// Products of i8 by cooperative matrices, added up in i32: exact, in whatever order. A workgroup of 2 x 2
// subgroups makes a tile; a subgroup keeps U x U matrices of C x D sums. 128 steps of k at a time go through
// shared memory, sixteen bytes to a word of 16.
//
// As in `matrices` the next tile is loaded into registers while this one is multiplied, a side lies in shared
// memory as in memory, and lines begin 16 bytes off multiples of 128. Beyond the edges there are zeros.
//
// B: a's matrices; E: b's, 1 or as many; G, H: matrices and their rows as computed, since all of a is one
// tall matrix where b is one and a is not transposed; X, Y: tiles along columns and rows; W: tiles in all;
// Z: invocations of a subgroup; F, I: both the depth of a matrix, so that the sides' types differ.
//
// local: 4 * Z
// subgroup: Z
// grid: min(W, 65535), ceil_div(W, 65535), 1

const uint DEPTH = 128u;
const uint WIDTH = 16u; // elements in 16 bytes
const uint ROWS = 2u * U * C;
const uint COLUMNS = 2u * U * D;
const uint THREADS = 4u * Z;

// Lines of a side's tile, sixteens of elements in a line, and how many of those a thread loads.
const uint LEFT_LINES = transpose_a == 0u ? ROWS : DEPTH;
const uint LEFT_SIXTEENS = (transpose_a == 0u ? DEPTH : ROWS) / WIDTH;
const uint RIGHT_LINES = transpose_b == 0u ? DEPTH : COLUMNS;
const uint RIGHT_SIXTEENS = (transpose_b == 0u ? COLUMNS : DEPTH) / WIDTH;
const uint LEFT_TURNS = LEFT_LINES * LEFT_SIXTEENS / THREADS;
const uint RIGHT_TURNS = RIGHT_LINES * RIGHT_SIXTEENS / THREADS;
const uint LEFT_STRIDE = LEFT_SIXTEENS + 1u;
const uint RIGHT_STRIDE = RIGHT_SIXTEENS + 1u;
const uint RIGHT_FIRST = LEFT_LINES * LEFT_STRIDE;
// A row of a subgroup's matrices on their way out, by fours.
const uint OUT_FOURS = U * D / 4u;
const uint OUT_STRIDE = OUT_FOURS + 1u;
const uint SIDES = RIGHT_FIRST + RIGHT_LINES * RIGHT_STRIDE;
const uint OUTS = 4u * C * OUT_STRIDE;

shared uvec4 tiles[SIDES > OUTS ? SIDES : OUTS];

#define LEFT icoopmatNV<8, gl_ScopeSubgroup, C, F>
#define RIGHT icoopmatNV<8, gl_ScopeSubgroup, I, D>
#define SUMS icoopmatNV<32, gl_ScopeSubgroup, C, D>

// Sixteen elements of a's tile. Lines of a length that is no multiple of 16 come one element at a time.
uvec4 left_sixteen(uint batch, uint first_row, uint first_k, uint at) {
    uint line = at / LEFT_SIXTEENS, along = at % LEFT_SIXTEENS * WIDTH;
    uint row = first_row + (transpose_a == 0u ? line : along);
    uint k = first_k + (transpose_a == 0u ? along : line);
    if (H % ROWS != 0u && row >= H || K % DEPTH != 0u && k >= K) return uvec4(0u);
    uint i = batch * H * K + (transpose_a == 0u ? row * K + k : k * H + row);
    uint left = min(transpose_a == 0u ? K - k : H - row, WIDTH); // to the line's end
    if ((transpose_a == 0u ? K : H) % WIDTH == 0u) return a_bytes(i);
    uvec4 r = uvec4(0u);
    for (uint n = 0u; n < left; n++) r[n / 4u] |= (uint(a(i + n)) & 255u) << n % 4u * 8u;
    return r;
}

uvec4 right_sixteen(uint batch, uint first_column, uint first_k, uint at) {
    uint line = at / RIGHT_SIXTEENS, along = at % RIGHT_SIXTEENS * WIDTH;
    uint column = first_column + (transpose_b == 0u ? along : line);
    uint k = first_k + (transpose_b == 0u ? line : along);
    if (N % COLUMNS != 0u && column >= N || K % DEPTH != 0u && k >= K) return uvec4(0u);
    uint i = (E == 1u ? 0u : batch * K * N) + (transpose_b == 0u ? k * N + column : column * K + k);
    uint left = min(transpose_b == 0u ? N - column : K - k, WIDTH);
    if ((transpose_b == 0u ? N : K) % WIDTH == 0u) return b_bytes(i);
    uvec4 r = uvec4(0u);
    for (uint n = 0u; n < left; n++) r[n / 4u] |= (uint(b(i + n)) & 255u) << n % 4u * 8u;
    return r;
}

void main() {
    uint id = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (id >= W) return; // the whole workgroup
    uint thread = gl_LocalInvocationIndex;
    // Eight rows of tiles go through all columns together: what they read stays in the caches.
    uint batch = id / (X * Y), tile = id % (X * Y);
    uint band = tile / (8u * X) * 8u, bands = min(8u, Y - band);
    uint first_row = (band + tile % (8u * X) % bands) * ROWS;
    uint first_column = tile % (8u * X) / bands * COLUMNS;
    uint down = gl_SubgroupID / 2u * U * C, right = gl_SubgroupID % 2u * U * D;

    SUMS sums[U * U];
    [[unroll]] for (uint i = 0u; i < U * U; i++) sums[i] = SUMS(0);
    uvec4 left_next[LEFT_TURNS], right_next[RIGHT_TURNS];
    [[unroll]] for (uint i = 0u; i < LEFT_TURNS; i++)
        left_next[i] = left_sixteen(batch, first_row, 0u, thread + i * THREADS);
    [[unroll]] for (uint i = 0u; i < RIGHT_TURNS; i++)
        right_next[i] = right_sixteen(batch, first_column, 0u, thread + i * THREADS);

    for (uint k = 0u; k < K; k += DEPTH) {
        [[unroll]] for (uint i = 0u; i < LEFT_TURNS; i++) {
            uint at = thread + i * THREADS;
            tiles[at / LEFT_SIXTEENS * LEFT_STRIDE + at % LEFT_SIXTEENS] = left_next[i];
        }
        [[unroll]] for (uint i = 0u; i < RIGHT_TURNS; i++) {
            uint at = thread + i * THREADS;
            tiles[RIGHT_FIRST + at / RIGHT_SIXTEENS * RIGHT_STRIDE + at % RIGHT_SIXTEENS] = right_next[i];
        }
        barrier();
        if (k + DEPTH < K) {
            [[unroll]] for (uint i = 0u; i < LEFT_TURNS; i++)
                left_next[i] = left_sixteen(batch, first_row, k + DEPTH, thread + i * THREADS);
            [[unroll]] for (uint i = 0u; i < RIGHT_TURNS; i++)
                right_next[i] = right_sixteen(batch, first_column, k + DEPTH, thread + i * THREADS);
        }
        [[unroll]] for (uint d = 0u; d < DEPTH; d += F) {
            LEFT left[U];
            [[unroll]] for (uint i = 0u; i < U; i++) {
                uint row = down + i * C;
                uint at = transpose_a == 0u ? row * LEFT_STRIDE + d / WIDTH : d * LEFT_STRIDE + row / WIDTH;
                coopMatLoadNV(left[i], tiles, at, LEFT_STRIDE, transpose_a != 0u);
            }
            [[unroll]] for (uint j = 0u; j < U; j++) {
                uint column = right + j * D;
                uint at = transpose_b == 0u ? d * RIGHT_STRIDE + column / WIDTH
                                            : column * RIGHT_STRIDE + d / WIDTH;
                RIGHT one;
                coopMatLoadNV(one, tiles, RIGHT_FIRST + at, RIGHT_STRIDE, transpose_b != 0u);
                [[unroll]] for (uint i = 0u; i < U; i++)
                    sums[i * U + j] = coopMatMulAddNV(left[i], one, sums[i * U + j]);
            }
        }
        barrier(); // before the tiles are overwritten
    }

    // A row of matrices at a time, each subgroup through a part of its own; what is fused behind results is
    // there once.
    uint part = gl_SubgroupID * C * OUT_STRIDE;
    [[dont_unroll]] for (uint i = 0u; i < U; i++) {
        subgroupBarrier();
        [[unroll]] for (uint r = 0u; r < U; r++) {
            if (r != i) continue;
            [[unroll]] for (uint j = 0u; j < U; j++)
                coopMatStoreNV(sums[r * U + j], tiles, part + j * (D / 4u), OUT_STRIDE, false);
        }
        subgroupBarrier();
        [[dont_unroll]] for (uint n = gl_SubgroupInvocationID; n < C * OUT_FOURS; n += Z) {
            uint row = first_row + down + i * C + n / OUT_FOURS;
            uint column = first_column + right + n % OUT_FOURS * 4u;
            if (row >= H || column >= N) continue;
            ivec4 values = ivec4(tiles[part + n / OUT_FOURS * OUT_STRIDE + n % OUT_FOURS]);
            uint to = (batch * H + row) * N + column;
            if (N % 4u == 0u) {
                out_store_4(to, values);
            } else {
                for (uint c = 0u; c < min(N - column, 4u); c++) out_store(to + c, values[c]);
            }
        }
    }
}
