// Selecting the smallest of many: of all pairs (key, index) that the 256 threads of a workgroup
// offer, the smallest `wanted` (at most 1024), in ascending order.
//
// A bound drops most pairs on the spot; the others gather in 2048 places. The first bound comes
// from the least pairs of 64 or 256 threads together: as many as are wanted are not above it.
// When a further turn might not fit, the places are sorted and cut off behind what is wanted, which
// lowers the bound. The worst case, data in descending order, sorts once a turn. Where many are wanted
// a turn is taken in four steps, so that places are not kept free for all of it.
//
// Equal keys are told apart by their indices, so the result does not depend on who came first.
//
// select_begin(); then turns of four pairs from each thread, select_no_pair for none, by all
// threads: select_turn(pairs, wanted, whether it is the first); then select_end(wanted), and pair i
// is select_pairs[i], select_no_pair where there were too few. 18 KiB of shared memory.
const uint select_none = 0xffffffffu;
const uint select_threads = 256u;
const uint select_places = 2048u;
const uint select_offers = 1024u; // of a turn
const uvec2 select_no_pair = uvec2(0xffffffffu);

shared uvec2 select_pairs[2048];
shared uvec2 select_least[256];
shared uvec2 select_bound;
shared uint select_count;

// Keys: unsigned numbers in the order of the values, or in reverse order for the largest ones. -0
// counts as 0, and NaN comes last in both orders.
uint select_key(float number, bool largest) {
    uint bits = floatBitsToUint(number);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0xfffffffeu;
    if (bits == 0x80000000u) bits = 0u;
    uint key = bits ^ (bits >> 31 != 0u ? 0xffffffffu : 0x80000000u);
    return largest ? ~key : key;
}

uint select_key(int number, bool largest) {
    uint key = uint(number) ^ 0x80000000u;
    return largest ? ~key : key;
}

uint select_key(uint number, bool largest) {
    return largest ? ~number : number;
}

// The reverse. Where there was no pair: the value that comes after all others.
float select_float(uint key, uint index, bool largest) {
    if (index == select_none) return uintBitsToFloat(largest ? 0xff800000u : 0x7f800000u);
    if (key == 0xfffffffeu) return uintBitsToFloat(0x7fc00000u);
    uint bits = largest ? ~key : key;
    return uintBitsToFloat(bits ^ (bits >> 31 != 0u ? 0x80000000u : 0xffffffffu));
}

int select_int(uint key, bool largest) {
    return int((largest ? ~key : key) ^ 0x80000000u);
}

uint select_uint(uint key, bool largest) {
    return largest ? ~key : key;
}

// The same of a pair, into a variable of the class that the kernel's values have.
void select_value(uvec2 pair, bool largest, out float value) {
    value = select_float(pair.x, pair.y, largest);
}
void select_value(uvec2 pair, bool largest, out int value) {
    value = select_int(pair.x, largest);
}
void select_value(uvec2 pair, bool largest, out uint value) {
    value = select_uint(pair.x, largest);
}

bool select_before(uvec2 a, uvec2 b) {
    return a.x < b.x || (a.x == b.x && a.y < b.y);
}

uvec2 select_first(uvec2 a, uvec2 b) {
    return select_before(b, a) ? b : a;
}

// An entry of each of `size` invocations of a subgroup, a power of two, in order.
uvec2 select_sort_subgroup(uvec2 entry, uint size) {
    uint lane = gl_SubgroupInvocationID;
    [[unroll]] for (uint run = 2u; run <= size; run *= 2u)
        [[unroll]] for (uint stride = run / 2u; stride > 0u; stride /= 2u) {
            uvec2 other = subgroupShuffleXor(entry, stride);
            bool wants_first = ((lane & stride) == 0u) == ((lane & run) == 0u);
            if (select_before(other, entry) == wants_first) entry = other;
        }
    return entry;
}

void select_begin() {
    if (gl_LocalInvocationIndex == 0u) {
        select_count = 0u;
        select_bound = select_no_pair;
    }
    barrier();
}

// Sorts up to 256 pairs: each thread counts those that come before its own.
void select_rank(uint count) {
    uint t = gl_LocalInvocationIndex, rank = 0u;
    uvec2 own = select_pairs[t];
    if (t < count)
        for (uint i = 0u; i < count; i++) {
            uvec2 other = select_pairs[i];
            rank += uint(select_before(other, own) || (other == own && i < t));
        }
    barrier();
    if (t < count) select_pairs[rank] = own;
    barrier();
}

// Sorts more, bitonically: a power of two.
void select_sort(uint size) {
    for (uint run = 2u; run <= size; run *= 2u) {
        for (uint stride = run / 2u; stride > 0u; stride /= 2u) {
            for (uint i = gl_LocalInvocationIndex; i < size / 2u; i += select_threads) {
                uint a = 2u * i - (i & (stride - 1u)), b = a + stride;
                uvec2 left = select_pairs[a], right = select_pairs[b];
                if (select_before(right, left) == ((a & run) == 0u)) {
                    select_pairs[a] = right;
                    select_pairs[b] = left;
                }
            }
            barrier();
        }
    }
}

// When more than `allowed` places are taken, only those wanted stay. All threads have offered.
void select_settle(uint wanted, uint allowed) {
    barrier();
    uint t = gl_LocalInvocationIndex, count = select_count, size = 512u;
    barrier(); // before anyone offers again
    if (count <= allowed) return;
    while (size < count) size *= 2u;
    if (count <= select_threads) {
        select_rank(count);
    } else {
        for (uint i = count + t; i < size; i += select_threads) select_pairs[i] = select_no_pair;
        barrier();
        select_sort(size);
    }
    if (t == 0u && count >= wanted) {
        select_count = wanted;
        select_bound = select_pairs[wanted - 1u];
    }
    barrier();
}

// A bound from the first turn: that of the least pairs of all threads, or of four together, which
// has `wanted` of them up to it.
void select_guess(uvec2 least, uint wanted) {
    uint t = gl_LocalInvocationIndex, count = wanted <= 32u ? 64u : select_threads, rank = 0u;
    select_least[t] = least;
    barrier();
    if (count == 64u) {
        if (t < 64u) {
            least = select_first(select_first(least, select_least[t + 64u]),
                                 select_first(select_least[t + 128u], select_least[t + 192u]));
            select_least[t] = least;
        }
        barrier();
    }
    if (t < count)
        for (uint i = 0u; i < count; i++) {
            uvec2 other = select_least[i];
            rank += uint(select_before(other, least) || (other == least && i < t));
        }
    if (t < count && rank == wanted - 1u) select_bound = least;
    barrier();
}

void select_turn(uvec2 pairs[4], uint wanted, bool first) {
    if (first && wanted <= 128u)
        select_guess(select_first(select_first(pairs[0], pairs[1]), select_first(pairs[2], pairs[3])),
                     wanted);
    uvec2 bound = select_bound;
    bool many = wanted > select_places / 8u;
    for (uint i = 0u; i < 4u; i++) {
        if (pairs[i] != select_no_pair && !select_before(bound, pairs[i]))
            select_pairs[atomicAdd(select_count, 1u)] = pairs[i];
        if (many) {
            select_settle(wanted, select_places - select_threads);
            bound = select_bound;
        }
    }
    if (!many) select_settle(wanted, select_places - select_offers);
}

void select_end(uint wanted) {
    select_settle(wanted, 0u);
    for (uint i = select_count + gl_LocalInvocationIndex; i < wanted; i += select_threads)
        select_pairs[i] = select_no_pair;
    barrier();
}
