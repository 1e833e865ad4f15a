/* Fails each allocation of an operation in turn: first only the n-th, then the n-th and all after
 * it, for n = 1, 2, ... until the operation no longer gets that far. Each time the status must be
 * RP_ERROR_NO_MEMORY, nothing may leak, and a sanitizer build must stay quiet; without failures the
 * operation must succeed, and must have allocated something at all. */
#ifndef RP_TESTS_FAULT_H
#define RP_TESTS_FAULT_H

#include <stdio.h>
#include "support/failing_alloc.h"
#include "support/unit.h"

/* One operation with everything it allocates, cleaned up again. `context` is the test's. */
typedef rp_status fault_operation(const rp_allocator *allocator, void *context);

enum { FAULT_MOST_REQUESTS = 100000 };

static inline void fault_each(fault_operation *operation, void *context) {
    for (int stay = 0; stay <= 1; stay++) {
        uint64_t failed = 0;
        for (uint64_t n = 1; n < FAULT_MOST_REQUESTS; n++) {
            failing_alloc state = {.fail_at = n, .stay = stay};
            rp_allocator allocator = failing_allocator(&state);
            rp_status status = operation(&allocator, context);
            bool reached = state.requests >= n;
            rp_status expected = reached ? RP_ERROR_NO_MEMORY : RP_OK;
            if (status != expected || state.live != 0)
                fprintf(stderr, "\nallocation %llu%s: status %d, %lld blocks left\n",
                        (unsigned long long)n, stay ? " and later" : "", status,
                        (long long)state.live);
            CU_ASSERT_EQUAL(status, expected);
            CU_ASSERT_EQUAL(state.live, 0);
            if (!reached) break;
            failed++;
        }
        CU_ASSERT_TRUE(failed > 0);
    }
}

#endif
