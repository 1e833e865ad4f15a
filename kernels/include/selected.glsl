// What is drawn of candidates in order of their scores, the best first: those in select_pairs behind
// select_end(). Sums are taken by a fixed tree, so that the same bits decide wherever the candidates came from.
// Four candidates a thread, neighbours: up to 1024.
shared float sample_sums[256];

shared uint sample_chosen, sample_last;

// The sums of what stands before each of this thread's four, and of all in *total.
vec4 sample_scan(vec4 own, out float total) {
    uint t = gl_LocalInvocationIndex;
    precise float two = own.x + own.y, three = two + own.z, four = three + own.w, before = four;
    for (uint step = 1u; step < 256u; step *= 2u) {
        sample_sums[t] = before;
        barrier();
        precise float more = t >= step ? before + sample_sums[t - step] : before;
        barrier();
        before = more;
    }
    sample_sums[t] = before;
    barrier();
    total = sample_sums[255];
    before = t > 0u ? sample_sums[t - 1u] : 0.0;
    barrier();
    precise vec4 sums = before + vec4(0.0, own.x, two, three);
    return sums;
}
