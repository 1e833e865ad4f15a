/* One golden case: what it reads, what it does, and the text that comes out. */
#ifndef RP_TESTS_GOLDEN_RUN_H
#define RP_TESTS_GOLDEN_RUN_H

#include "base/text.h"

enum { MAX_WORDS = 16 };

/* Runs the words behind '=' of a case, appends the result to `out`. `folder` is where files are
 * found. Returns NULL, or a message (static text; diagnostics have gone to stderr). */
const char *run_case(const char *folder, char *const *words, unsigned count, rp_text *out);

/* The whole file, terminated, to be freed by the caller; NULL when it cannot be read. */
char *read_file(const char *path, size_t *out_size);

#endif
