// Products of blocks of q8_0 with blocks of q8_0, both along k: what two blocks make is added up as integers, which
// is exact, and meets the product of their scales, which is exact too. So each block of k is rounded once, and the
// blocks are added up in the order of k.
//
// Of 128 threads L lie along the rows of a tile, the others along its columns; each has U x V sums, of rows and
// columns that lie L and 128 / L apart. D blocks of k of all rows and columns are in shared memory at a time, nine
// words each: the codes, and the scale.
//
// G, H: a's matrices and their rows as computed; E: b's, 1 or as many; X, Y: tiles along columns and rows; W: tiles
// in all.
//
// local: 128
// grid: min(W, 65535), ceil_div(W, 65535), 1
const uint BLOCKS = K / 32u;
const uint ACROSS = 128u / L;
const uint ROWS = L * U;
const uint COLUMNS = ACROSS * V;
const uint WORDS = 9u, SCALE = 8u;

shared uint left[ROWS * D * WORDS];
shared uint right[COLUMNS * D * WORDS];

int dot_words(uint a_word, uint b_word, int sum) {
#if NEEDS_INT_DOT
    return sum + dot_i8(int(a_word), int(b_word), 0);
#else
    ivec4 p = ivec4(unpack_i8(a_word)) * ivec4(unpack_i8(b_word));
    return sum + ((p.x + p.y) + (p.z + p.w));
#endif
}

// Blocks `from` to from + D of the lines of a tile; past the end those of the last line, and the last block.
// twin: a_data b_data, left right, ROWS COLUMNS, H N, load_left load_right
void load_left(uint first, uint first_line, uint from) {
    for (uint n = gl_LocalInvocationIndex; n < ROWS * D * WORDS; n += 128u) {
        uint line = min(first_line + n / (D * WORDS), H - 1u), word = n % WORDS;
        uint block = min(from + n / WORDS % D, BLOCKS - 1u);
        uint at = ((first + line) * BLOCKS + block) * 17u;
        left[n] = word == SCALE ? uint(a_data[at])
                                : uint(a_data[at + 1u + 2u * word]) | uint(a_data[at + 2u + 2u * word]) << 16u;
    }
}

void main() {
    uint tile = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x, t = gl_LocalInvocationIndex;
    if (tile >= W) return; // the whole workgroup
    uint batch = tile / (X * Y), row = t / ACROSS, column = t % ACROSS;
    uint first_row = tile / X % Y * ROWS, first_column = tile % X * COLUMNS;
    precise float sums[U * V];
    for (uint i = 0u; i < U * V; i++) sums[i] = 0.0;
    for (uint from = 0u; from < BLOCKS; from += D) {
        barrier(); // those in front are read
        load_left(batch * H, first_row, from);
        load_right(E == 1u ? 0u : batch * N, first_column, from);
        barrier();
        for (uint d = 0u; d < min(D, BLOCKS - from); d++) {
            int products[U * V];
            for (uint i = 0u; i < U * V; i++) products[i] = 0;
            for (uint w = 0u; w < SCALE; w++)
                for (uint i = 0u; i < U; i++)
                    for (uint j = 0u; j < V; j++)
                        products[i * V + j] = dot_words(left[((row + i * L) * D + d) * WORDS + w],
                                                        right[((column + j * ACROSS) * D + d) * WORDS + w],
                                                        products[i * V + j]);
            for (uint i = 0u; i < U; i++)
                for (uint j = 0u; j < V; j++) {
                    precise float scale = f16_to_f32(left[((row + i * L) * D + d) * WORDS + SCALE]) *
                                          f16_to_f32(right[((column + j * ACROSS) * D + d) * WORDS + SCALE]);
                    sums[i * V + j] = fma(float(products[i * V + j]), scale, sums[i * V + j]);
                }
        }
    }
    [[dont_unroll]] for (uint n = 0u; n < U * V; n++) {
        uint y = first_row + row + n / V * L, x = first_column + column + n % V * ACROSS;
        if (y < H && x < N) out_store((batch * H + y) * N + x, sums[n]);
    }
}
