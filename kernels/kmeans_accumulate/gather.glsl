// Sums and counts of the members of each cluster, without atomic additions of floats: the same
// result every time. A workgroup for each cluster and each 64 columns goes through all assignments,
// 2048 at a time: its threads mark members in a bit mask, then add the marked rows up, each thread
// for a column and every so many words of the mask, in order.
//
// local: 256
// grid: C, ceil_div(D, 64), 1

shared uint accumulate_members[64];
shared uint accumulate_count;
shared float accumulate_sums[256];

void main() {
    uint thread = gl_LocalInvocationIndex, cluster = gl_WorkGroupID.x;
    uint columns = 64u; // that share the threads; fewer columns have more threads each
    while (columns / 2u >= D) columns /= 2u;
    uint column = gl_WorkGroupID.y * columns + thread % columns;
    uint lane = thread / columns, lanes = 256u / columns;
    precise float sum = 0.0;
    uint count = 0u;
    if (thread == 0u) accumulate_count = 0u;
    for (uint first = 0u; first < N; first += 2048u) {
        if (thread < 64u) accumulate_members[thread] = 0u;
        barrier();
        for (uint n = 0u; n < 8u; n++) {
            uint j = n * 256u + thread;
            if (first + j >= N || assignment_data[first + j] != cluster) continue;
            atomicOr(accumulate_members[j / 32u], 1u << (j % 32u));
            count++;
        }
        barrier();
        for (uint word = lane; word < 64u && column < D; word += lanes) {
            for (uint bits = accumulate_members[word]; bits != 0u; bits &= bits - 1u) {
                uint row = first + word * 32u + uint(findLSB(bits));
                sum += x(row * D + column);
            }
        }
        barrier();
    }
    accumulate_sums[thread] = sum;
    atomicAdd(accumulate_count, count);
    barrier();
    for (uint span = lanes / 2u; span > 0u; span /= 2u) {
        if (lane < span) {
            precise float both = accumulate_sums[thread] + accumulate_sums[thread + span * columns];
            accumulate_sums[thread] = both;
        }
        barrier();
    }
    if (lane == 0u && column < D) sums_store(cluster * D + column, accumulate_sums[thread]);
    if (thread == 0u && gl_WorkGroupID.y == 0u) counts_store(cluster, accumulate_count);
}
