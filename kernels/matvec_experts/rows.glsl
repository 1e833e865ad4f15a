// Products with the chosen matrix alone, for few vectors: each has its own, so weights are read once for each of
// them. A team of 32 threads makes four results, of which each thread takes eight neighbouring elements of every
// 256, so that x is loaded once for four rows; then the team adds up by a fixed tree.
//
// C: workgroups along the rows of a matrix; Y: how many choices share a vector.
//
// local: 256
// grid: min(T * C, 65535), ceil_div(T * C, 65535), 1
const uint TEAM = 32u, EACH = 4u, ROWS = 32u;

shared vec4 sums[256];

void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x, t = gl_LocalInvocationIndex;
    if (group >= T * C) return;
    uint choice = group / C, row = group % C * ROWS + t / TEAM * EACH, lane = t % TEAM;
    uint expert = to_row(ids(choice)), from = choice / Y * K;
    precise vec4 total = vec4(0.0);
    for (uint k = lane * 8u; expert < E && k < K; k += TEAM * 8u) {
        float values[8];
        if (K % 8u == 0u) {
            vec4 low, high;
            x_8(from + k, low, high);
            for (uint j = 0u; j < 4u; j++) {
                values[j] = low[j];
                values[j + 4u] = high[j];
            }
        } else {
            for (uint j = 0u; j < 8u; j++) values[j] = k + j < K ? x(from + k + j) : 0.0;
        }
        for (uint i = 0u; i < EACH; i++) {
            uint at = (expert * M + min(row + i, M - 1u)) * K + k;
            if (K % 8u == 0u) {
                vec4 low, high;
                weight_8(at, low, high);
                for (uint j = 0u; j < 4u; j++) total[i] = fma(values[j], low[j], total[i]);
                for (uint j = 0u; j < 4u; j++) total[i] = fma(values[j + 4u], high[j], total[i]);
            } else {
                for (uint j = 0u; j < 8u && k + j < K; j++) total[i] = fma(values[j], weight(at + j), total[i]);
            }
        }
    }
    sums[t] = total;
    barrier();
    for (uint stride = TEAM / 2u; stride > 0u; stride /= 2u) {
        if (lane < stride) {
            precise vec4 sum = sums[t] + sums[t + stride];
            sums[t] = sum;
        }
        barrier();
    }
    if (lane < EACH && row + lane < M) out_store(choice * M + row + lane, sums[t - lane][lane]);
}
