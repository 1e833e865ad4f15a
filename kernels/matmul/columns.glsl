// Matrix products for devices that run subgroups of 8 lanes as the vectors of a processor. There
// shared memory is memory like any other, a barrier switches between threads, and what costs most
// is a load, whose lanes go to memory one by one, wherever they go. So loads take four elements,
// none is loaded twice, and all values that are the same for all lanes come from the one that
// loaded them.
//
// A workgroup is one subgroup and makes a tile of U rows, in eights, and 8 * V columns, V of them
// next to each other for each lane, with all sums in registers, or what the compiler makes of them.
// Four steps of k at a time: lane i loads those of row i of each eight.
//
// Each sum runs over k in order. B: a's matrices; E: b's, 1 or as many; G, H: matrices and their
// rows as computed; X, Y: tiles along columns and rows; W: tiles in all.
//
// Of floats, or of i8, whose products are added up in i32.
//
// local: 8
// grid: min(W, 65535), ceil_div(W, 65535), 1

#if a_DTYPE == I8
#define ONE int
#define FOUR ivec4
#define MULTIPLY_ADD(x, y, sum) ((x) * (y) + (sum))
#else
#define ONE float
#define FOUR vec4
#define MULTIPLY_ADD(x, y, sum) fma(x, y, sum)
#endif

const uint EIGHTS = U / 8u;

// How a and b lie in memory: lines of so many elements.
const uint LEFT_LINE = transpose_a == 0u ? K : H;
const uint LEFT_LINES = transpose_a == 0u ? H : K;
const uint RIGHT_LINE = transpose_b == 0u ? N : K;
const uint RIGHT_LINES = transpose_b == 0u ? K : N;

ONE sums[U * V];
ONE results[U * V];
FOUR columns[V]; // four k of each
uint first_left, first_right;

// Four elements of a line; beyond its end the last ones.
FOUR left_quad(uint line, uint at) {
    uint first = first_left + min(line, LEFT_LINES - 1u) * LEFT_LINE;
    if (LEFT_LINE % 4u == 0u) return a_4(first + min(at, LEFT_LINE - 4u));
    FOUR r;
    for (uint i = 0u; i < 4u; i++) r[i] = a(first + min(at + i, LEFT_LINE - 1u));
    return r;
}

FOUR right_quad(uint line, uint at) {
    uint first = first_right + min(line, RIGHT_LINES - 1u) * RIGHT_LINE;
    if (RIGHT_LINE % 4u == 0u) return b_4(first + min(at, RIGHT_LINE - 4u));
    FOUR r;
    for (uint i = 0u; i < 4u; i++) r[i] = b(first + min(at + i, RIGHT_LINE - 1u));
    return r;
}

// Zeros in place of what is past the end of k. Four elements are four k, or have one.
FOUR within(FOUR value, uint k, bool along_k) {
    if (K % 4u == 0u) return value;
    uvec4 at = along_k ? k + uvec4(0u, 1u, 2u, 3u) : uvec4(k);
    return mix(FOUR(0), value, lessThan(at, uvec4(K)));
}

void load_columns(uint first, uint from) {
    const bool along_k = transpose_b == 1u;
    [[unroll]] for (uint c = 0u; c < V; c++) {
        uint k = along_k ? from : from + c % 4u, column = along_k ? first + c : first + c / 4u * 4u;
        FOUR four = within(right_quad(along_k ? column : k, along_k ? k : column), k, along_k);
        if (along_k) columns[c] = four;
        else [[unroll]] for (uint i = 0u; i < 4u; i++) columns[c / 4u * 4u + i][c % 4u] = four[i];
    }
}

// Four k of row `row` of an eight, from what its lanes have loaded.
FOUR row_of(FOUR loaded, uint row) {
    if (transpose_a == 0u) return subgroupBroadcast(loaded, row);
    FOUR r;
    [[unroll]] for (uint i = 0u; i < 4u; i++)
        r[i] = subgroupBroadcast(loaded[row % 4u], row / 4u * 4u + i);
    return r;
}

void multiply(uint row, uint lane, uint from) {
    const bool along_k = transpose_a == 0u;
    [[unroll]] for (uint eight = 0u; eight < EIGHTS; eight++) {
        uint first = row + eight * 8u + (along_k ? lane : lane / 4u * 4u);
        uint k = along_k ? from : from + lane % 4u;
        FOUR loaded = within(left_quad(along_k ? first : k, along_k ? k : first), k, along_k);
        [[unroll]] for (uint i = 0u; i < 8u; i++) {
            FOUR four = row_of(loaded, i);
            [[unroll]] for (uint c = 0u; c < V; c++) {
                uint at = (eight * 8u + i) * V + c;
                ONE sum = MULTIPLY_ADD(four.x, columns[c].x, sums[at]);
                sum = MULTIPLY_ADD(four.y, columns[c].y, sum);
                sum = MULTIPLY_ADD(four.z, columns[c].z, sum);
                sums[at] = MULTIPLY_ADD(four.w, columns[c].w, sum);
            }
        }
    }
}

void main() {
    uint tile = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (tile >= W) return; // the whole workgroup
    uint lane = gl_SubgroupInvocationID, batch = tile / (X * Y);
    uint column = (tile % X * 8u + lane) * V, row = tile / X % Y * U;
    first_left = batch * H * K;
    first_right = E == 1u ? 0u : batch * K * N;
    [[unroll]] for (uint i = 0u; i < U * V; i++) sums[i] = ONE(0);
    for (uint k = 0u; k < K; k += 4u) {
        load_columns(column, k);
        multiply(row, lane, k);
    }
    // Sums that were indexed by variables could not stay in registers: a copy is.
    [[unroll]] for (uint i = 0u; i < U * V; i++) results[i] = sums[i];
    [[dont_unroll]] for (uint i = 0u; i < U && row + i < H; i++)
        [[dont_unroll]] for (uint c = 0u; c < V && column + c < N; c++)
            out_store((batch * H + row + i) * N + column + c, results[i * V + c]);
}
