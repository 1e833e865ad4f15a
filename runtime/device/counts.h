/* Internal: counters as they are kept, of an exec or of a device. Any thread. */
#ifndef RP_RUNTIME_COUNTS_H
#define RP_RUNTIME_COUNTS_H

#include <stdatomic.h>

#include "reprise/counters.h"

typedef enum rp_counter {
#define RP_X(field, what) RP_COUNT_##field,
    RP_COUNTER_LIST(RP_X)
#undef RP_X
        RP_COUNTERS
} rp_counter;

typedef struct rp_counts {
    atomic_ullong values[RP_COUNTERS];
} rp_counts;

static inline void rp_count(rp_counts *counts, rp_counter which, uint64_t more) {
    if (more) atomic_fetch_add_explicit(&counts->values[which], more, memory_order_relaxed);
}

/* Memory comes and goes, and the most of it is kept. */
static inline void rp_count_memory(rp_counts *counts, uint64_t more) {
    atomic_ullong *now = &counts->values[RP_COUNT_memory_bytes];
    atomic_ullong *peak = &counts->values[RP_COUNT_memory_peak_bytes];
    unsigned long long sum = atomic_fetch_add_explicit(now, more, memory_order_relaxed) + more;
    unsigned long long most = atomic_load_explicit(peak, memory_order_relaxed);
    while (most < sum && !atomic_compare_exchange_weak_explicit(
                             peak, &most, sum, memory_order_relaxed, memory_order_relaxed)) {
    }
}

static inline void rp_uncount_memory(rp_counts *counts, uint64_t less) {
    atomic_fetch_sub_explicit(&counts->values[RP_COUNT_memory_bytes], less, memory_order_relaxed);
}

static inline rp_counters rp_counts_read(rp_counts *counts) {
    rp_counters out = {.size = sizeof out};
#define RP_X(field, what)                                                                          \
    out.field = atomic_load_explicit(&counts->values[RP_COUNT_##field], memory_order_relaxed);
    RP_COUNTER_LIST(RP_X)
#undef RP_X
    return out;
}

#endif
