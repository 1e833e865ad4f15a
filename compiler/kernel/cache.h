/* Internal: compiled kernels, by the text they were compiled from. */
#ifndef RP_KERNEL_CACHE_H
#define RP_KERNEL_CACHE_H

#include "base/alloc.h"

/* 128 bits of the text and of what else the words depend on. */
typedef struct rp_kernel_key {
    uint64_t bits[2];
} rp_kernel_key;
rp_kernel_key rp_kernel_key_of(const char *text, const char *options);

/* Finds words: in memory, else on disk. *out_words is allocated with `a`, NULL where there are
 * none; only want of memory is a failure. Thread-safe. */
rp_status rp_kernel_cache_find(const rp_allocator *a, rp_kernel_key key, uint32_t **out_words,
                               uint32_t *out_count);

/* Keeps words in memory and on disk, as far as that is possible. Thread-safe. */
void rp_kernel_cache_keep(rp_kernel_key key, const uint32_t *words, uint32_t count);

#endif
