// Matrix products by cooperative matrices of f16, added up in f32. A workgroup of 2 x T subgroups makes a
// tile; a subgroup keeps U x V matrices of C x D sums. 64 steps of k at a time go through shared memory.
//
// There is one tile of each side, not two: the next one is loaded into registers while this one is
// multiplied, and stored when all are done with it. A second tile would take the room of a second
// workgroup, which hides more. A side lies there as in memory; by which rows matrices are loaded from it is
// a constant. Lines begin 16 bytes off multiples of 128, so that loading matrices meets no bank twice.
// Beyond the edges there are zeros.
//
// B: a's matrices; E: b's, 1 or as many; G, H: matrices and their rows as computed, since all of a is one
// tall matrix where b is one and a is not transposed; X, Y: tiles along columns and rows; W: tiles in all;
// Z: invocations of a subgroup; F, I: both the depth of a matrix, so that the sides' types differ.
//
// local: 2 * T * Z
// subgroup: Z
// grid: min(W, 65535), ceil_div(W, 65535), 1

const uint DEPTH = 64u;
const uint ROWS = 2u * U * C;
const uint COLUMNS = T * V * D;
const uint THREADS = 2u * T * Z;

// Lines of a side's tile, eights of elements in a line, and how many of those a thread loads.
const uint LEFT_LINES = transpose_a == 0u ? ROWS : DEPTH;
const uint LEFT_EIGHTS = (transpose_a == 0u ? DEPTH : ROWS) / 8u;
const uint RIGHT_LINES = transpose_b == 0u ? DEPTH : COLUMNS;
const uint RIGHT_EIGHTS = (transpose_b == 0u ? COLUMNS : DEPTH) / 8u;
const uint LEFT_TURNS = LEFT_LINES * LEFT_EIGHTS / THREADS;
const uint RIGHT_TURNS = RIGHT_LINES * RIGHT_EIGHTS / THREADS;
const uint LEFT_STRIDE = LEFT_EIGHTS + 1u;
const uint RIGHT_STRIDE = RIGHT_EIGHTS + 1u;
const uint RIGHT_FIRST = LEFT_LINES * LEFT_STRIDE;
// A row of a subgroup's matrices on their way out, by fours.
const uint OUT_FOURS = V * D / 4u;
const uint OUT_STRIDE = OUT_FOURS + 1u;
const uint OUT_STEPS = (C * OUT_FOURS + Z - 1u) / Z;
const bool WHOLE = N % 4u == 0u; // rows of results are fours
const uint SIDES = RIGHT_FIRST + RIGHT_LINES * RIGHT_STRIDE;
const uint OUTS = 2u * T * C * OUT_STRIDE;

shared uvec4 tiles[SIDES > OUTS ? SIDES : OUTS];

#define LEFT fcoopmatNV<16, gl_ScopeSubgroup, C, F>
#define RIGHT fcoopmatNV<16, gl_ScopeSubgroup, I, D>
#define SUMS fcoopmatNV<32, gl_ScopeSubgroup, C, D>

// Eight elements of a's tile. Lines of a length that is no multiple of 8 come one element at a time.
uvec4 left_eight(uint batch, uint first_row, uint first_k, uint at) {
    uint line = at / LEFT_EIGHTS, along = at % LEFT_EIGHTS * 8u;
    uint row = first_row + (transpose_a == 0u ? line : along);
    uint k = first_k + (transpose_a == 0u ? along : line);
    if (H % ROWS != 0u && row >= H || K % DEPTH != 0u && k >= K) return uvec4(0u);
    uint i = batch * H * K + (transpose_a == 0u ? row * K + k : k * H + row);
    uint left = transpose_a == 0u ? K - k : H - row; // to the line's end
    if ((transpose_a == 0u ? K : H) % 8u == 0u) return a_halves(i);
    vec4 low = vec4(0.0), high = vec4(0.0);
    for (uint n = 0u; n < min(left, 8u); n++) {
        float value = a(i + n);
        if (n < 4u) low[n] = value;
        else high[n - 4u] = value;
    }
    return f32x8_to_f16(low, high);
}

// The element of b that eight ones of its tile begin with.
uint right_first(uint batch, uint first_column, uint first_k, uint at) {
    uint line = at / RIGHT_EIGHTS, along = at % RIGHT_EIGHTS * 8u;
    uint column = first_column + (transpose_b == 0u ? along : line);
    uint k = first_k + (transpose_b == 0u ? line : along);
    return (E == 1u ? 0u : batch * K * N) + (transpose_b == 0u ? k * N + column : column * K + k);
}

// What those are made of, loaded while other tiles are multiplied, and they themselves.
uvec4 right_fetch(uint batch, uint first_column, uint first_k, uint at) {
    uint line = at / RIGHT_EIGHTS, along = at % RIGHT_EIGHTS * 8u;
    uint column = first_column + (transpose_b == 0u ? along : line);
    uint k = first_k + (transpose_b == 0u ? line : along);
    if (N % COLUMNS != 0u && column >= N || K % DEPTH != 0u && k >= K) return uvec4(0u);
    uint i = right_first(batch, first_column, first_k, at);
    uint left = transpose_b == 0u ? N - column : K - k;
    if ((transpose_b == 0u ? N : K) % 8u == 0u) return b_fetch(i);
    vec4 low = vec4(0.0), high = vec4(0.0);
    for (uint n = 0u; n < min(left, 8u); n++) {
        float value = b(i + n);
        if (n < 4u) low[n] = value;
        else high[n - 4u] = value;
    }
    return f32x8_to_f16(low, high);
}

uvec4 right_eight(uint batch, uint first_column, uint first_k, uint at, uvec4 words) {
    if ((transpose_b == 0u ? N : K) % 8u != 0u) return words;
    return b_fetched(right_first(batch, first_column, first_k, at), words);
}

// The first of four results, or of the nearest there are.
uint out_place(uint batch, uint row, uint column) {
    return (batch * H + min(row, H - 1u)) * N + (WHOLE ? min(column, N - 4u) : column);
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
    uint down = gl_SubgroupID / T * U * C, right = gl_SubgroupID % T * V * D;

    SUMS sums[U * V];
    [[unroll]] for (uint i = 0u; i < U * V; i++) sums[i] = SUMS(0.0);
    uvec4 left_next[LEFT_TURNS], right_next[RIGHT_TURNS];
    [[unroll]] for (uint i = 0u; i < LEFT_TURNS; i++)
        left_next[i] = left_eight(batch, first_row, 0u, thread + i * THREADS);
    [[unroll]] for (uint i = 0u; i < RIGHT_TURNS; i++)
        right_next[i] = right_fetch(batch, first_column, 0u, thread + i * THREADS);

    for (uint k = 0u; k < K; k += DEPTH) {
        [[unroll]] for (uint i = 0u; i < LEFT_TURNS; i++) {
            uint at = thread + i * THREADS;
            tiles[at / LEFT_EIGHTS * LEFT_STRIDE + at % LEFT_EIGHTS] = left_next[i];
        }
        [[unroll]] for (uint i = 0u; i < RIGHT_TURNS; i++) {
            uint at = thread + i * THREADS;
            tiles[RIGHT_FIRST + at / RIGHT_EIGHTS * RIGHT_STRIDE + at % RIGHT_EIGHTS] =
                right_eight(batch, first_column, k, at, right_next[i]);
        }
        barrier();
        if (k + DEPTH < K) {
            [[unroll]] for (uint i = 0u; i < LEFT_TURNS; i++)
                left_next[i] = left_eight(batch, first_row, k + DEPTH, thread + i * THREADS);
            [[unroll]] for (uint i = 0u; i < RIGHT_TURNS; i++)
                right_next[i] = right_fetch(batch, first_column, k + DEPTH, thread + i * THREADS);
        }
        [[unroll]] for (uint d = 0u; d < DEPTH; d += F) {
            LEFT left[U];
            [[unroll]] for (uint i = 0u; i < U; i++) {
                uint row = down + i * C;
                uint at = transpose_a == 0u ? row * LEFT_STRIDE + d / 8u : d * LEFT_STRIDE + row / 8u;
                coopMatLoadNV(left[i], tiles, at, LEFT_STRIDE, transpose_a != 0u);
            }
            [[unroll]] for (uint j = 0u; j < V; j++) {
                uint column = right + j * D;
                uint at = transpose_b == 0u ? d * RIGHT_STRIDE + column / 8u : column * RIGHT_STRIDE + d / 8u;
                RIGHT one;
                coopMatLoadNV(one, tiles, RIGHT_FIRST + at, RIGHT_STRIDE, transpose_b != 0u);
                [[unroll]] for (uint i = 0u; i < U; i++)
                    sums[i * V + j] = coopMatMulAddNV(left[i], one, sums[i * V + j]);
            }
        }
        barrier(); // before the tiles are overwritten
    }

    // A row of matrices at a time, each subgroup through a part of its own. What is fused behind results is
    // there once: in a copy for each row it would push the sums out of registers. What that reads is loaded a
    // step ahead.
    uint part = gl_SubgroupID * C * OUT_STRIDE;
    uint lane = gl_SubgroupInvocationID, own_row = first_row + down, own_column = first_column + right;
    out_AHEAD next;
    if (WHOLE) next = out_ahead(out_place(batch, own_row + lane / OUT_FOURS, own_column + lane % OUT_FOURS * 4u));
    [[dont_unroll]] for (uint step = 0u; step < U * OUT_STEPS; step++) {
        uint i = step / OUT_STEPS, n = step % OUT_STEPS * Z + lane;
        if (step % OUT_STEPS == 0u) {
            subgroupBarrier();
            [[unroll]] for (uint r = 0u; r < U; r++) {
                if (r != i) continue;
                [[unroll]] for (uint j = 0u; j < V; j++)
                    coopMatStoreNV(sums[r * V + j], tiles, part + j * (D / 4u), OUT_STRIDE, false);
            }
            subgroupBarrier();
        }
        out_AHEAD ahead = next;
        uint later = step + 1u, m = later % OUT_STEPS * Z + lane;
        if (WHOLE)
            next = out_ahead(out_place(batch, own_row + later / OUT_STEPS * C + m / OUT_FOURS,
                                       own_column + m % OUT_FOURS * 4u));
        uint row = own_row + i * C + n / OUT_FOURS, column = own_column + n % OUT_FOURS * 4u;
        if (n < C * OUT_FOURS && row < H && column < N) {
            vec4 values = uintBitsToFloat(tiles[part + n / OUT_FOURS * OUT_STRIDE + n % OUT_FOURS]);
            uint to = out_place(batch, row, column);
            if (WHOLE) out_store_ahead(to, values, ahead);
            else
                for (uint c = 0u; c < min(N - column, 4u); c++) out_store(to + c, values[c]);
        }
    }
}
