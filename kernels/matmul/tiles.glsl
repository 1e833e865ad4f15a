// Matrix products by tiles of registers over tiles of shared memory, for devices whose arithmetic
// would wait for memory otherwise. A thread keeps U x V sums in registers. Of 32 threads L lie along
// the rows of a tile, the others along its columns; I times J such blocks make a tile. C groups of
// so many threads each take a part of k, where there are too few tiles to keep a device busy, and
// their sums are added in the order of k.
//
// D steps of k at a time are in shared memory, twice: while one half is multiplied, the next steps
// are on their way into registers, and from there go to the other half. Two turns are one in the
// loop, so that which half it is is a constant. Fences keep the loads in front of the arithmetic and
// the stores behind it; a compiler that moves either makes them wait. Loads past the end are of the
// last elements: that costs less than a branch.
//
// In shared memory the elements of one k lie next to each other, so that a thread reads four rows,
// or columns, at once. What lies along k in memory is turned on the way there: some room behind each
// four k lets neighbours write to different banks.
//
// Each part's sums run over k in order. B: a's matrices; E: b's, 1 or as many; G, H: matrices and
// their rows as computed; X, Y: tiles along columns and rows; W: tiles in all; T: shared memory, in
// words of 16 bytes. O: steps of k that are one product: all of them in matmul; in matmul_partial
// there is a product for each O of them, one behind the other.
//
// Of floats, or of i8, whose products are added up in i32. With integer dot products an element is four i8
// of consecutive k in a word, and but for K and O all steps of k are words.
//
// local: 32 * I * J * C
// grid: min(W, 65535), ceil_div(W, 65535), 1
// order: kept

#if a_DTYPE == I8
#define ONE int
#define FOUR ivec4
#else
#define ONE float
#define FOUR vec4
#endif
// Steps of k in all, and in a product.
#if NEEDS_INT_DOT
const uint STEPS = (K + 3u) / 4u;
const uint PART = (O + 3u) / 4u;
#else
const uint STEPS = K;
const uint PART = O;
#endif

const uint ACROSS = 32u / L;
const uint THREADS = 32u * I * J; // of a part
const uint ROWS = I * L * U;
const uint COLUMNS = J * ACROSS * V;
const uint QUADS = D / 4u;
const uint LEFT_QUAD = 4u * ROWS + 128u / D; // floats that four k take
const uint RIGHT_QUAD = 4u * COLUMNS + 128u / D;
const uint LEFT = QUADS * LEFT_QUAD / 4u; // a half of a's, in FOUR
const uint RIGHT = QUADS * RIGHT_QUAD / 4u;
const uint LEFT_LOADS = (ROWS * QUADS + THREADS - 1u) / THREADS;
const uint RIGHT_LOADS = (COLUMNS * QUADS + THREADS - 1u) / THREADS;
const uint TURNS = (PART + 2u * D * C - 1u) / (2u * D * C);
const bool WHOLE = PART % (2u * D * C) == 0u && W / (X * Y * G) * PART == STEPS; // no step is past the end

// How a and b lie in memory: along k or not, lines of so many elements, or bytes.
const bool LEFT_ALONG = transpose_a == 0u;
const bool RIGHT_ALONG = transpose_b == 1u;
const uint LEFT_LINE = LEFT_ALONG ? K : H;
const uint LEFT_LINES = LEFT_ALONG ? H : K;
const uint RIGHT_LINE = RIGHT_ALONG ? K : N;
const uint RIGHT_LINES = RIGHT_ALONG ? N : K;

// A thread's rows lie next to each other by TALL, and results are handed on in as many rounds as it
// has such.
const uint TALL = U % 4u == 0u ? 4u : U;
const uint ROUNDS = U / TALL;
const uint ROUND_ROWS = I * L * TALL;
const uint QUADS_ACROSS = COLUMNS / 4u;
const uint ROUND_TURNS = (ROUND_ROWS * QUADS_ACROSS + THREADS * C - 1u) / (THREADS * C);

shared FOUR tiles[T];

uint thread, part;
uint first_left, first_right, first_row, first_column, end;
uint own_row, own_column; // this thread's first ones in a tile: by TALL rows, by 4 columns
FOUR sums[U * V / 4u];
FOUR left_next[LEFT_LOADS];
FOUR right_next[RIGHT_LOADS];

void fence() {
    subgroupBarrier();
}

// The bits of a thread's number alternate between rows and columns, so that those who read at once
// meet few banks twice.
void find_place() {
    thread = gl_LocalInvocationIndex % THREADS;
    part = gl_LocalInvocationIndex / THREADS;
    uint lane = thread % 32u, block = thread / 32u;
    uint down = lane / ACROSS, across = lane % ACROSS;
    if (L == 8u) {
        down = lane >> 1u & 1u | lane >> 3u << 1u;
        across = lane & 1u | (lane >> 2u & 1u) << 1u;
    }
    own_row = block % I * L * ROUNDS + down;
    own_column = block / I * ACROSS * (V / 4u) + across;
}

// ---- From memory ----

// Four elements of a line; words of four i8 along k, of the last of which what is past the end of k is 0.
#if NEEDS_INT_DOT

// twin: a b, a_4 b_4, a_bytes b_bytes, H N, LEFT_ALONG RIGHT_ALONG, first_left first_right,
//     left_quad right_quad
ivec4 left_quad(uint line, uint at) {
    ivec4 r;
    if (LEFT_ALONG) {
        uint first = first_left + min(line, H - 1u) * K;
        if (K % 16u == 0u) return ivec4(a_bytes(first + min(4u * at, K - 16u)));
        for (uint i = 0u; i < 4u; i++) {
            ivec4 four;
            for (uint c = 0u; c < 4u; c++) {
                uint k = 4u * (at + i) + c;
                four[c] = k < K ? a(first + k) : 0;
            }
            r[i] = int(to_bytes(four));
        }
        return r;
    }
    ivec4 lines[4];
    for (uint c = 0u; c < 4u; c++) {
        uint k = 4u * line + c, first = first_left + min(k, K - 1u) * H;
        if (H % 4u == 0u) lines[c] = a_4(first + min(at, H - 4u));
        else for (uint i = 0u; i < 4u; i++) lines[c][i] = a(first + min(at + i, H - 1u));
        if (k >= K) lines[c] = ivec4(0);
    }
    for (uint i = 0u; i < 4u; i++)
        r[i] = int(to_bytes(ivec4(lines[0][i], lines[1][i], lines[2][i], lines[3][i])));
    return r;
}

#else

// twin: a b, a_4 b_4, LEFT_LINE RIGHT_LINE, LEFT_LINES RIGHT_LINES, first_left first_right,
//     left_quad right_quad
FOUR left_quad(uint line, uint at) {
    uint first = first_left + min(line, LEFT_LINES - 1u) * LEFT_LINE;
    if (LEFT_LINE % 4u == 0u) return a_4(first + min(at, LEFT_LINE - 4u));
    FOUR r;
    for (uint i = 0u; i < 4u; i++) r[i] = a(first + min(at + i, LEFT_LINE - 1u));
    return r;
}

#endif

// Zeros in place of what is past the end of these k. Four elements are four k, or have one.
FOUR within(FOUR value, uint k, bool along_k) {
    if (WHOLE) return value;
    uvec4 at = along_k ? k + uvec4(0u, 1u, 2u, 3u) : uvec4(k);
    return mix(FOUR(0), value, lessThan(at, uvec4(end)));
}

// twin: ROWS COLUMNS, LEFT_ALONG RIGHT_ALONG, LEFT_LOADS RIGHT_LOADS, first_row first_column,
//     left_quad right_quad, left_next right_next, load_left load_right
void load_left(uint from) {
    [[unroll]] for (uint i = 0u; i < LEFT_LOADS; i++) {
        uint n = thread + i * THREADS;
        uint k = from + (LEFT_ALONG ? n % QUADS * 4u : n / (ROWS / 4u));
        uint row = first_row + (LEFT_ALONG ? n / QUADS : n % (ROWS / 4u) * 4u);
        left_next[i] = within(left_quad(LEFT_ALONG ? row : k, LEFT_ALONG ? k : row), k, LEFT_ALONG);
    }
}

void load(uint from) {
    load_left(from);
    load_right(from);
}

// ---- To shared memory ----

// The n-th four of a tile that has `edge` rows, or columns, and four k in `quad` floats.
void keep(uint tile, uint edge, uint quad, uint n, bool along_k, FOUR value) {
    if (along_k) {
        uint at = n % QUADS * quad + n / QUADS, which = at % 4u;
        at = tile + at / 4u;
        tiles[at][which] = value.x;
        tiles[at + edge / 4u][which] = value.y;
        tiles[at + edge / 2u][which] = value.z;
        tiles[at + edge / 4u * 3u][which] = value.w;
    } else {
        uint k = n / (edge / 4u);
        tiles[tile + (k / 4u * quad + k % 4u * edge) / 4u + n % (edge / 4u)] = value;
    }
}

// twin: ROWS COLUMNS, LEFT_ALONG RIGHT_ALONG, LEFT_QUAD RIGHT_QUAD, LEFT_LOADS RIGHT_LOADS,
//     left_next right_next, store_left store_right
void store_left(uint tile) {
    [[unroll]] for (uint i = 0u; i < LEFT_LOADS; i++) {
        uint n = thread + i * THREADS;
        if (ROWS * QUADS % THREADS == 0u || n < ROWS * QUADS)
            keep(tile, ROWS, LEFT_QUAD, n, LEFT_ALONG, left_next[i]);
    }
}

void store(uint half_) {
    uint first = part * 2u * (LEFT + RIGHT);
    store_left(first + half_ * LEFT);
    store_right(first + 2u * LEFT + half_ * RIGHT);
}

// ---- Arithmetic ----

FOUR multiply_add(ONE x, FOUR y, FOUR sum) {
#if NEEDS_INT_DOT
    return sum + ivec4(dot_i8(x, y.x, 0), dot_i8(x, y.y, 0), dot_i8(x, y.z, 0), dot_i8(x, y.w, 0));
#elif a_DTYPE == I8
    return x * y + sum;
#else
    return fma(vec4(x), y, sum);
#endif
}

void multiply_k(uint left, uint right) {
    ONE down[U];
    FOUR across[V / 4u];
    [[unroll]] for (uint c = 0u; c < V / 4u; c++) across[c] = tiles[right + own_column + c * ACROSS];
    if (TALL == 4u) {
        [[unroll]] for (uint c = 0u; c < U / 4u; c++) {
            FOUR four = tiles[left + own_row + c * L];
            [[unroll]] for (uint i = 0u; i < 4u; i++) down[c * 4u + i] = four[i];
        }
    } else {
        [[unroll]] for (uint i = 0u; i < U; i++)
            down[i] = tiles[left + (own_row * U + i) / 4u][(own_row * U + i) % 4u];
    }
    [[unroll]] for (uint i = 0u; i < U; i++)
        [[unroll]] for (uint c = 0u; c < V / 4u; c++)
            sums[i * (V / 4u) + c] = multiply_add(down[i], across[c], sums[i * (V / 4u) + c]);
}

void multiply(uint half_) {
    uint left = part * 2u * (LEFT + RIGHT) + half_ * LEFT;
    uint right = part * 2u * (LEFT + RIGHT) + 2u * LEFT + half_ * RIGHT;
    [[unroll]] for (uint quad = 0u; quad < QUADS; quad++)
        [[unroll]] for (uint k = 0u; k < 4u; k++)
            multiply_k(left + (quad * LEFT_QUAD + k * ROWS) / 4u,
                       right + (quad * RIGHT_QUAD + k * COLUMNS) / 4u);
}

// ---- Results ----

// The row and column of the four results that come n-th in a round.
uvec2 place_of(uint round_, uint n) {
    uint r = n / QUADS_ACROSS;
    return uvec2(first_row + (r / (L * TALL) * ROUNDS + round_) * L * TALL + r % (L * TALL),
                 first_column + n % QUADS_ACROSS * 4u);
}

// Loads all that is read behind a round's results; past the end that of the last ones.
void load_ahead(uint round_, uint batch, out out_AHEAD ahead[ROUND_TURNS]) {
    [[unroll]] for (uint i = 0u; i < ROUND_TURNS; i++) {
        uint n = gl_LocalInvocationIndex + i * THREADS * C;
        uvec2 at = min(place_of(round_, n), uvec2(H - 1u, N - 4u));
        ahead[i] = out_ahead((batch * H + at.x) * N + at.y);
    }
}

// Through shared memory, so that the parts of k meet, neighbours store neighbours, and what is done
// with results is in the text once a round. What that reads is on its way before the first is stored:
// turn by turn each would be waited for.
void hand_on(uint round_, uint batch) {
    out_AHEAD ahead[ROUND_TURNS];
    if (N % 4u == 0u) load_ahead(round_, batch, ahead);
    barrier(); // tiles, or the round before, are read
    uint row = (own_row / (L * ROUNDS) * L + own_row % (L * ROUNDS)) * TALL;
    [[unroll]] for (uint i = 0u; i < TALL; i++)
        [[unroll]] for (uint c = 0u; c < V / 4u; c++)
            tiles[(part * ROUND_ROWS + row + i) * QUADS_ACROSS + own_column + c * ACROSS] =
                sums[(round_ * TALL + i) * (V / 4u) + c];
    barrier();
    [[dont_unroll]] for (uint turn = 0u; turn < ROUND_TURNS; turn++) {
        uint n = gl_LocalInvocationIndex + turn * THREADS * C;
        out_AHEAD now = ahead[0];
        [[unroll]] for (uint i = 1u; i < ROUND_TURNS; i++)
            if (i == turn) now = ahead[i];
        uvec2 at = place_of(round_, n);
        if (n >= ROUND_ROWS * QUADS_ACROSS || at.x >= H || at.y >= N) continue;
        FOUR sum = tiles[n];
        for (uint p = 1u; p < C; p++) sum += tiles[p * ROUND_ROWS * QUADS_ACROSS + n];
        uint to = (batch * H + at.x) * N + at.y;
        if (N % 4u == 0u)
            out_store_ahead(to, sum, now);
        else
            for (uint i = 0u; i < 4u && at.y + i < N; i++) out_store(to + i, sum[i]);
    }
}

void main() {
    uint tile = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (tile >= W) return; // the whole workgroup
    find_place();
    uint batch = tile / (X * Y) % G, product = tile / (X * Y * G);
    first_column = tile % X * COLUMNS;
    first_row = tile / X % Y * ROWS;
    first_left = batch * H * K;
    first_right = E == 1u ? 0u : batch * K * N;
    [[unroll]] for (uint i = 0u; i < U * V / 4u; i++) sums[i] = FOUR(0);

    end = min(STEPS, product * PART + PART);
    uint first = product * PART + part * TURNS * 2u * D;
    if (TURNS > 0u) load(first); // there may be no k at all
    for (uint turn = 0u; turn < TURNS; turn++)
        [[unroll]] for (uint half_ = 0u; half_ < 2u; half_++) {
            store(half_);
            barrier();
            load(first + min(turn * 2u + half_ + 1u, TURNS * 2u - 1u) * D);
            fence();
            multiply(half_);
            fence();
        }
    [[unroll]] for (uint round_ = 0u; round_ < ROUNDS; round_++) hand_on(round_, product * G + batch);
}
