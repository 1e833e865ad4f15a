/* Allocation with overflow checks, and array growth by doubling: amortised O(1) per element. An
 * array of small elements starts with FIRST_BYTES: a text would be moved three times before it
 * holds a line. */
#include "base/alloc.h"

#include <stdlib.h>

enum { FIRST_ELEMENTS = 8, FIRST_BYTES = 64 };

static void *default_resize(void *user, void *block, size_t size) {
    (void)user;
    return realloc(block, size);
}

static void default_release(void *user, void *block) {
    (void)user;
    free(block);
}

rp_allocator rp_allocator_or_default(const rp_allocator *given) {
    if (given) return *given;
    return (rp_allocator){.resize = default_resize, .release = default_release};
}

bool rp_allocator_is_default(const rp_allocator *allocator) {
    return allocator->resize == default_resize;
}

void *rp_alloc(const rp_allocator *a, size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / size) return NULL;
    size_t bytes = count * size;
    return a->resize(a->user, NULL, bytes ? bytes : 1);
}

void *rp_alloc_zero(const rp_allocator *a, size_t count, size_t size) {
    void *block = rp_alloc(a, count, size);
    if (block) memset(block, 0, count * size);
    return block;
}

void *rp_dup(const rp_allocator *a, const void *data, size_t size) {
    void *block = rp_alloc(a, size, 1);
    if (block && size) memcpy(block, data, size);
    return block;
}

void rp_release(const rp_allocator *a, void *block) {
    if (block) a->release(a->user, block);
}

bool rp_grow(const rp_allocator *a, void **block, uint32_t *capacity, uint32_t count,
             uint32_t extra, size_t element_size) {
    uint64_t need = (uint64_t)count + extra;
    if (need > UINT32_MAX) return false;
    uint64_t wanted = (uint64_t)*capacity * 2;
    if (wanted < FIRST_ELEMENTS) wanted = FIRST_ELEMENTS;
    if (wanted * element_size < FIRST_BYTES) wanted = FIRST_BYTES / element_size;
    if (wanted < need) wanted = need;
    if (wanted > UINT32_MAX) wanted = UINT32_MAX;
    if (wanted > SIZE_MAX / element_size) return false;
    void *grown = a->resize(a->user, *block, (size_t)wanted * element_size);
    if (!grown) return false;
    *block = grown;
    *capacity = (uint32_t)wanted;
    return true;
}
