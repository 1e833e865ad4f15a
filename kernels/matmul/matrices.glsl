// Matrix products by cooperative matrices: of f16, added up in f32, or of i8, added up in i32, which is exact in
// whatever order. A workgroup of 2 x T subgroups makes a tile; a subgroup keeps U x V matrices of C x D sums. As
// many steps of k as are 128 bytes go through shared memory at a time, sixteen bytes to a word.
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
// O: steps of k that are one product: all of them in matmul; in matmul_partial there is a product for each
// O of them, one behind the other.
//
// local: 2 * T * Z
// subgroup: Z
// grid: min(W, 65535), ceil_div(W, 65535), 1

#if a_DTYPE == I8
#define LEFT icoopmatNV<8, gl_ScopeSubgroup, C, F>
#define RIGHT icoopmatNV<8, gl_ScopeSubgroup, I, D>
#define SUMS icoopmatNV<32, gl_ScopeSubgroup, C, D>
#define FOUR ivec4
#define TO_SUMS ivec4
#define PUT(words, n, value) words[n / 4u] |= (uint(value) & 255u) << n % 4u * 8u
const uint WIDTH = 16u; // elements in a word of 16 bytes
#else
#define LEFT fcoopmatNV<16, gl_ScopeSubgroup, C, F>
#define RIGHT fcoopmatNV<16, gl_ScopeSubgroup, I, D>
#define SUMS fcoopmatNV<32, gl_ScopeSubgroup, C, D>
#define FOUR vec4
#define TO_SUMS uintBitsToFloat
#define PUT(words, n, value) words[n / 2u] |= f32_to_f16(value) << n % 2u * 16u
const uint WIDTH = 8u;
#endif

const uint DEPTH = 8u * WIDTH;
// In front of which matrices, by their k, the next tile's sides are loaded: one after the other, or both would
// keep those waiting that multiply. Blocks come second, whose loads are four for each word.
#if b_DTYPE == Q8_0 || b_DTYPE == Q4_0
const uint LEFT_AT = 0u;
const uint RIGHT_AT = F;
#else
const uint LEFT_AT = F;
const uint RIGHT_AT = 0u;
#endif
const uint ROWS = 2u * U * C;
const uint COLUMNS = T * V * D;
const uint THREADS = 2u * T * Z;
const bool IN_PARTS = W > X * Y * G;
// Whether steps of a tile are past the end of its part: of k, or of all of it, which there may be nothing of.
const bool RAGGED = O % DEPTH + (W / (X * Y * G) * O - K) + uint(K == 0u) != 0u;

// Whether lines of a side lie along k, how long they are, and elements of one matrix.
const bool LEFT_ALONG = transpose_a == 0u;
const bool RIGHT_ALONG = transpose_b == 1u;
const uint LEFT_LINE = LEFT_ALONG ? K : H;
const uint RIGHT_LINE = RIGHT_ALONG ? K : N;
const uint LEFT_SIZE = H * K;
const uint RIGHT_SIZE = E == 1u ? 0u : N * K;
// Lines of a side's tile, words in a line, and how many of those a thread loads.
const uint LEFT_LINES = LEFT_ALONG ? ROWS : DEPTH;
const uint LEFT_WORDS = (LEFT_ALONG ? DEPTH : ROWS) / WIDTH;
const uint RIGHT_LINES = RIGHT_ALONG ? COLUMNS : DEPTH;
const uint RIGHT_WORDS = (RIGHT_ALONG ? DEPTH : COLUMNS) / WIDTH;
const uint LEFT_TURNS = LEFT_LINES * LEFT_WORDS / THREADS;
const uint RIGHT_TURNS = RIGHT_LINES * RIGHT_WORDS / THREADS;
const uint LEFT_STRIDE = LEFT_WORDS + 1u;
const uint RIGHT_STRIDE = RIGHT_WORDS + 1u;
const uint RIGHT_FIRST = LEFT_LINES * LEFT_STRIDE;
// A row of a subgroup's matrices on their way out, by fours.
const uint OUT_FOURS = V * D / 4u;
const uint OUT_STRIDE = OUT_FOURS + 1u;
const uint OUT_STEPS = (C * OUT_FOURS + Z - 1u) / Z;
const bool WHOLE = N % 4u == 0u; // rows of results are fours
const uint SIDES = RIGHT_FIRST + RIGHT_LINES * RIGHT_STRIDE;
const uint OUTS = 2u * T * C * OUT_STRIDE;

shared uvec4 tiles[SIDES > OUTS ? SIDES : OUTS];

// The element of a side that a word of its tile begins with.
// twin: H N, LEFT_ALONG RIGHT_ALONG, LEFT_WORDS RIGHT_WORDS, LEFT_SIZE RIGHT_SIZE, left_first right_first
uint left_first(uint batch, uint first_line, uint first_k, uint at) {
    uint line = at / LEFT_WORDS, along = at % LEFT_WORDS * WIDTH;
    uint row = first_line + (LEFT_ALONG ? line : along), k = first_k + (LEFT_ALONG ? along : line);
    return batch * LEFT_SIZE + (LEFT_ALONG ? row * K + k : k * H + row);
}

// What a word is made of, loaded while other tiles are multiplied. Lines of a length that is no multiple of
// its elements come one at a time.
// twin: a b, a_fetch b_fetch, H N, ROWS COLUMNS, LEFT_ALONG RIGHT_ALONG, LEFT_WORDS RIGHT_WORDS,
//     LEFT_LINE RIGHT_LINE, left_first right_first, left_fetch right_fetch
uvec4 left_fetch(uint batch, uint first_line, uint first_k, uint end, uint at) {
    uint line = at / LEFT_WORDS, along = at % LEFT_WORDS * WIDTH;
    uint row = first_line + (LEFT_ALONG ? line : along), k = first_k + (LEFT_ALONG ? along : line);
    if (H % ROWS != 0u && row >= H || RAGGED && k >= end) return uvec4(0u);
    uint i = left_first(batch, first_line, first_k, at), rest = LEFT_LINE - (LEFT_ALONG ? k : row);
    if (LEFT_LINE % WIDTH == 0u) return a_fetch(i);
    uvec4 words = uvec4(0u);
    for (uint n = 0u; n < min(rest, WIDTH); n++) PUT(words, n, a(i + n));
    return words;
}

// twin: a_fetched b_fetched, LEFT_LINE RIGHT_LINE, left_first right_first, left_word right_word
uvec4 left_word(uint batch, uint first_line, uint first_k, uint at, uvec4 words) {
    if (LEFT_LINE % WIDTH != 0u) return words;
    return a_fetched(left_first(batch, first_line, first_k, at), words);
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
    uint product = id / (X * Y), batch = IN_PARTS ? product % G : product, tile = id % (X * Y);
    uint band = tile / (8u * X) * 8u, bands = min(8u, Y - band);
    uint first_row = (band + tile % (8u * X) % bands) * ROWS;
    uint first_column = tile % (8u * X) / bands * COLUMNS;
    uint down = gl_SubgroupID / T * U * C, right = gl_SubgroupID % T * V * D;
    uint first = IN_PARTS ? product / G * O : 0u, end = IN_PARTS ? min(K, first + O) : K;

    SUMS sums[U * V];
    [[unroll]] for (uint i = 0u; i < U * V; i++) sums[i] = SUMS(0);
    uvec4 left_next[LEFT_TURNS], right_next[RIGHT_TURNS];
    [[unroll]] for (uint i = 0u; i < LEFT_TURNS; i++)
        left_next[i] = left_fetch(batch, first_row, first, end, thread + i * THREADS);
    [[unroll]] for (uint i = 0u; i < RIGHT_TURNS; i++)
        right_next[i] = right_fetch(batch, first_column, first, end, thread + i * THREADS);

    for (uint k = first; k < end; k += DEPTH) {
        [[unroll]] for (uint i = 0u; i < LEFT_TURNS; i++) {
            uint at = thread + i * THREADS;
            tiles[at / LEFT_WORDS * LEFT_STRIDE + at % LEFT_WORDS] =
                left_word(batch, first_row, k, at, left_next[i]);
        }
        [[unroll]] for (uint i = 0u; i < RIGHT_TURNS; i++) {
            uint at = thread + i * THREADS;
            tiles[RIGHT_FIRST + at / RIGHT_WORDS * RIGHT_STRIDE + at % RIGHT_WORDS] =
                right_word(batch, first_column, k, at, right_next[i]);
        }
        barrier();
        bool more = k + DEPTH < end;
        [[unroll]] for (uint d = 0u; d < DEPTH; d += F) {
            if (more && d == LEFT_AT)
                [[unroll]] for (uint i = 0u; i < LEFT_TURNS; i++)
                    left_next[i] = left_fetch(batch, first_row, k + DEPTH, end, thread + i * THREADS);
            if (more && d == RIGHT_AT)
                [[unroll]] for (uint i = 0u; i < RIGHT_TURNS; i++)
                    right_next[i] = right_fetch(batch, first_column, k + DEPTH, end, thread + i * THREADS);
            LEFT left[U];
            [[unroll]] for (uint i = 0u; i < U; i++) {
                uint row = down + i * C;
                uint at = LEFT_ALONG ? row * LEFT_STRIDE + d / WIDTH : d * LEFT_STRIDE + row / WIDTH;
                coopMatLoadNV(left[i], tiles, at, LEFT_STRIDE, !LEFT_ALONG);
            }
            [[unroll]] for (uint j = 0u; j < V; j++) {
                uint column = right + j * D;
                uint at = RIGHT_ALONG ? column * RIGHT_STRIDE + d / WIDTH : d * RIGHT_STRIDE + column / WIDTH;
                RIGHT one;
                coopMatLoadNV(one, tiles, RIGHT_FIRST + at, RIGHT_STRIDE, RIGHT_ALONG);
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
    if (WHOLE)
        next = out_ahead(out_place(product, own_row + lane / OUT_FOURS, own_column + lane % OUT_FOURS * 4u));
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
            next = out_ahead(out_place(product, own_row + later / OUT_STEPS * C + m / OUT_FOURS,
                                       own_column + m % OUT_FOURS * 4u));
        uint row = own_row + i * C + n / OUT_FOURS, column = own_column + n % OUT_FOURS * 4u;
        if (n < C * OUT_FOURS && row < H && column < N) {
            FOUR values = TO_SUMS(tiles[part + n / OUT_FOURS * OUT_STRIDE + n % OUT_FOURS]);
            uint to = out_place(product, row, column);
            if (WHOLE) out_store_ahead(to, values, ahead);
            else
                for (uint c = 0u; c < min(N - column, 4u); c++) out_store(to + c, values[c]);
        }
    }
}
