/* Radix sort, the lowest byte first. Keys of one sort are much alike (ids, sizes), so most of their
 * eight bytes are the same in all of them and cost nothing; comparing would mispredict every other
 * branch. */
#include "base/sort.h"

enum { FEW = 24, DIGITS = 256 };

/* Few items are sooner put where they belong than counted. */
static void sort_few(rp_sort_item *items, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        rp_sort_item item = items[i];
        uint32_t at = i;
        for (; at > 0 && items[at - 1].key > item.key; at--) items[at] = items[at - 1];
        items[at] = item;
    }
}

static void sort_byte(const rp_sort_item *from, rp_sort_item *to, uint32_t count, uint32_t shift) {
    uint32_t next[DIGITS] = {0};
    for (uint32_t i = 0; i < count; i++) next[from[i].key >> shift & (DIGITS - 1)]++;
    for (uint32_t d = 0, sum = 0; d < DIGITS; d++) {
        uint32_t here = next[d];
        next[d] = sum;
        sum += here;
    }
    for (uint32_t i = 0; i < count; i++) to[next[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
}

bool rp_sort(const rp_allocator *a, rp_sort_item *items, uint32_t count) {
    if (count <= FEW) {
        sort_few(items, count);
        return true;
    }
    uint64_t differ = 0;
    for (uint32_t i = 1; i < count; i++) differ |= items[i].key ^ items[0].key;
    if (differ == 0) return true;
    rp_sort_item *scratch = rp_alloc(a, count, sizeof *scratch);
    if (!scratch) return false;
    rp_sort_item *from = items, *to = scratch;
    for (uint32_t shift = 0; shift < 64; shift += 8) {
        if (!(differ >> shift & (DIGITS - 1))) continue;
        sort_byte(from, to, count, shift);
        rp_sort_item *swap = from;
        from = to;
        to = swap;
    }
    if (from != items) memcpy(items, from, count * sizeof *items);
    rp_release(a, scratch);
    return true;
}
