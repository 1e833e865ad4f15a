/* An allocator for tests: counts live blocks, and fails one request, or all from one on. */
#ifndef RP_TESTS_FAILING_ALLOC_H
#define RP_TESTS_FAILING_ALLOC_H

#include <stdbool.h>
#include <stdlib.h>
#include "reprise/status.h"

typedef struct failing_alloc {
    uint64_t requests; /* so far */
    uint64_t fail_at;  /* this request (from 1) fails; 0 = none */
    bool stay;         /* and all later ones */
    int64_t live;      /* blocks not yet released */
} failing_alloc;

static inline void *failing_resize(void *user, void *block, size_t size) {
    failing_alloc *f = user;
    f->requests++;
    if (f->fail_at && (f->requests == f->fail_at || (f->stay && f->requests > f->fail_at)))
        return NULL;
    void *result = realloc(block, size);
    f->live += !block && result;
    return result;
}

static inline void failing_release(void *user, void *block) {
    failing_alloc *f = user;
    f->live -= block != NULL;
    free(block);
}

static inline rp_allocator failing_allocator(failing_alloc *f) {
    return (rp_allocator){failing_resize, failing_release, f};
}

#endif
