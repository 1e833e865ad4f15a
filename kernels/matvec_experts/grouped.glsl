// The same for many vectors: a workgroup has 64 rows of one expert's matrix and looks for the vectors that chose
// it, 256 choices at a time; 32 of them make a tile, whose elements and those of the rows meet in shared memory.
// So a matrix is read once for every 32 vectors that chose it, and nobody sorts the choices: looking through them
// costs four bytes for each, a product thousands. Which place in a tile a vector gets is up to chance, and
// nothing depends on it. Each sum runs over k in order.
//
// What chose no expert that there is gets zeros, from the workgroups of the first.
//
// local: 256
// grid: min(E * C, 65535), ceil_div(E * C, 65535), 1
const uint THREADS = 256u, VECTORS = 32u, ROWS = 64u, DEEP = 32u;

shared uint chosen[THREADS + VECTORS];
shared uint found;
shared float left[DEEP * VECTORS], right[DEEP * ROWS];

// Eight elements of a line from k on; zeros past its end.
void load_vector(uint line, uint k, out float values[8]) {
    if (K % 8u == 0u && k < K) {
        vec4 low, high;
        x_8(line + k, low, high);
        for (uint j = 0u; j < 4u; j++) {
            values[j] = low[j];
            values[j + 4u] = high[j];
        }
    } else {
        for (uint j = 0u; j < 8u; j++) values[j] = k + j < K ? x(line + k + j) : 0.0;
    }
}

void load_row(uint line, uint k, out float values[8]) {
    if (K % 8u == 0u && k < K) {
        vec4 low, high;
        weight_8(line + k, low, high);
        for (uint j = 0u; j < 4u; j++) {
            values[j] = low[j];
            values[j + 4u] = high[j];
        }
    } else {
        for (uint j = 0u; j < 8u; j++) values[j] = k + j < K ? weight(line + k + j) : 0.0;
    }
}

// Products of `count` of those chosen with the rows from `row` on.
void multiply(uint expert, uint row, uint count) {
    uint t = gl_LocalInvocationIndex, own = t % 16u * 4u, vector = t / 16u * 2u;
    precise vec4 sums[2] = vec4[2](vec4(0.0), vec4(0.0));
    for (uint k = 0u; k < K; k += DEEP) {
        float values[8];
        uint line = t / 4u, at = t % 4u * 8u;
        load_row((expert * M + min(row + line, M - 1u)) * K, k + at, values);
        for (uint j = 0u; j < 8u; j++) right[(at + j) * ROWS + line] = values[j];
        if (line < VECTORS) {
            load_vector(chosen[min(line, count - 1u)] / Y * K, k + at, values);
            for (uint j = 0u; j < 8u; j++) left[(at + j) * VECTORS + line] = values[j];
        }
        barrier();
        for (uint d = 0u; d < DEEP; d++) {
            vec4 weights = vec4(right[d * ROWS + own], right[d * ROWS + own + 1u], right[d * ROWS + own + 2u],
                                right[d * ROWS + own + 3u]);
            sums[0] = fma(vec4(left[d * VECTORS + vector]), weights, sums[0]);
            sums[1] = fma(vec4(left[d * VECTORS + vector + 1u]), weights, sums[1]);
        }
        barrier();
    }
    for (uint n = 0u; n < 8u; n++) {
        uint at = vector + n / 4u, to = row + own + n % 4u;
        if (at < count && to < M) out_store(chosen[at] * M + to, sums[n / 4u][n % 4u]);
    }
}

void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x, t = gl_LocalInvocationIndex;
    if (group >= E * C) return;
    uint expert = group / C, row = group % C * ROWS;
    if (t == 0u) found = 0u;
    barrier();
    for (uint first = 0u; first < T; first += THREADS) {
        uint choice = first + t, wanted = choice < T ? to_row(ids(choice)) : expert + 1u;
        if (choice < T && wanted == expert) chosen[atomicAdd(found, 1u)] = choice;
        if (choice < T && wanted >= E && expert == 0u)
            for (uint m = row; m < min(row + ROWS, M); m++) out_store(choice * M + m, 0.0);
        barrier();
        uint all = found;
        bool last = first + THREADS >= T;
        while (all >= (last ? 1u : VECTORS)) {
            uint count = min(all, VECTORS), next = count + t;
            multiply(expert, row, count);
            barrier();
            uint kept = next < all ? chosen[next] : 0u; // the rest moves to the front
            barrier();
            if (next < all) chosen[t] = kept;
            barrier();
            all -= count;
        }
        if (t == 0u) found = all;
        barrier();
    }
}
