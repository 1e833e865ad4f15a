// Selecting the smallest of many: keeps, in shared memory and in ascending order, the smallest
// `wanted` (at most 1024) of all pairs (key, index) that the 256 threads of a workgroup offer.
//
// A pair that is not smaller than the last one wanted is dropped on the spot; the others gather in
// a room of 2048 places. When a further round of 1024 offers might not fit, the room is sorted and
// merged into the list, which lowers the bar. Of data in random order few pairs get past the bar;
// the worst case, data in descending order, sorts once a round.
//
// Equal keys are told apart by their indices, so the result does not depend on who came first.
//
// select_begin(); then rounds of at most 4 select_offer() by each thread, each ended by all threads
// with select_round(wanted); then select_end(wanted), and pair i is select_keys[i],
// select_indices[i], or select_none where there were too few. 24 KiB of shared memory.
const uint select_none = 0xffffffffu;
const uint select_threads = 256u;
const uint select_list = 1024u;
const uint select_room = 2048u;
const uint select_offers = 1024u; // of a round

shared uint select_keys[1024];
shared uint select_indices[1024];
shared uint select_room_keys[2048];
shared uint select_room_indices[2048];
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

bool select_before(uint key, uint index, uint other_key, uint other_index) {
    return key < other_key || (key == other_key && index < other_index);
}

void select_begin() {
    for (uint i = gl_LocalInvocationIndex; i < 1024u; i += select_threads) {
        select_keys[i] = select_none;
        select_indices[i] = select_none;
    }
    if (gl_LocalInvocationIndex == 0u) select_count = 0u;
    barrier();
}

void select_offer(uint key, uint index, uint wanted) {
    if (!select_before(key, index, select_keys[wanted - 1u], select_indices[wanted - 1u])) return;
    uint place = atomicAdd(select_count, 1u);
    select_room_keys[place] = key;
    select_room_indices[place] = index;
}

// Bitonic sort of the first `size` places of the room, a power of two.
void select_sort(uint size) {
    for (uint run = 2u; run <= size; run *= 2u) {
        for (uint stride = run / 2u; stride > 0u; stride /= 2u) {
            for (uint j = 0u; j < select_room / 2u; j += select_threads) {
                uint i = j + gl_LocalInvocationIndex;
                if (i >= size / 2u) continue;
                uint a = 2u * i - (i & (stride - 1u)), b = a + stride;
                uint key_a = select_room_keys[a], index_a = select_room_indices[a];
                uint key_b = select_room_keys[b], index_b = select_room_indices[b];
                if (select_before(key_b, index_b, key_a, index_a) == ((a & run) == 0u)) {
                    select_room_keys[a] = key_b;
                    select_room_indices[a] = index_b;
                    select_room_keys[b] = key_a;
                    select_room_indices[b] = index_a;
                }
            }
            barrier();
        }
    }
}

// Merges the sorted room into the list: the smaller ones of an ascending list and of another one
// backwards are the smallest of both, and rise and fall once, so that log2 steps sort them.
void select_merge(uint size, uint list) {
    for (uint i = gl_LocalInvocationIndex; i < list; i += select_threads) {
        uint from = list - 1u - i;
        if (from < size && select_before(select_room_keys[from], select_room_indices[from],
                                         select_keys[i], select_indices[i])) {
            select_keys[i] = select_room_keys[from];
            select_indices[i] = select_room_indices[from];
        }
    }
    barrier();
    for (uint stride = list / 2u; stride > 0u; stride /= 2u) {
        for (uint j = 0u; j < select_list / 2u; j += select_threads) {
            uint i = j + gl_LocalInvocationIndex;
            if (i >= list / 2u) continue;
            uint a = 2u * i - (i & (stride - 1u)), b = a + stride;
            uint key_a = select_keys[a], index_a = select_indices[a];
            uint key_b = select_keys[b], index_b = select_indices[b];
            if (select_before(key_b, index_b, key_a, index_a)) {
                select_keys[a] = key_b;
                select_indices[a] = index_b;
                select_keys[b] = key_a;
                select_indices[b] = index_a;
            }
        }
        barrier();
    }
}

void select_settle(uint wanted, uint allowed) {
    barrier();
    uint count = select_count;
    barrier(); // before anyone offers again
    if (count <= allowed) return;
    uint size = 1u, list = 1u;
    while (size < count) size *= 2u;
    while (list < wanted) list *= 2u;
    for (uint i = count + gl_LocalInvocationIndex; i < size; i += select_threads) {
        select_room_keys[i] = select_none;
        select_room_indices[i] = select_none;
    }
    if (gl_LocalInvocationIndex == 0u) select_count = 0u;
    barrier();
    select_sort(size);
    select_merge(size, list);
}

void select_round(uint wanted) {
    select_settle(wanted, select_room - select_offers);
}

void select_end(uint wanted) {
    select_settle(wanted, 0u);
}
