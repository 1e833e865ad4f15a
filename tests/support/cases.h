/* How many cases a test of random input tries: RP_CASES in the environment, or its own number, of
 * which the sanitizers' build takes a part. There each case costs many times as much, and what it
 * looks for, faults of memory and undefined behaviour, the first cases of each kind show; that all
 * results are right the other build has found. */
#ifndef RP_TESTS_CASES_H
#define RP_TESTS_CASES_H

#include <stdint.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { RP_PART = 6 };
#else
enum { RP_PART = 1 };
#endif

/* A number from the environment. */
static inline uint64_t rp_environment(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

/* `usual` cases, or at least so many that each kind has its chance. */
static inline uint64_t rp_cases(uint64_t usual, uint64_t least) {
    uint64_t part = usual / RP_PART;
    return rp_environment("RP_CASES", part > least ? part : least);
}

#endif
