/* Text as vectors: passages of the licences every Debian system has, and hashed character n-grams.
 */
#ifndef EXAMPLE_SEARCH_TEXT_H
#define EXAMPLE_SEARCH_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct passage {
    char *text;       /* one line, spaces folded */
    const char *file; /* the file's name, without folder */
} passage;

typedef struct passages {
    passage *items;
    uint32_t count, capacity;
    char **files;
    uint32_t file_count;
} passages;

/* Cuts every regular file of `folder`, in order of names, into passages of about 300 characters, at
 * the ends of sentences. Copies of a passage in another file are left out. Returns 0, or -1 with a
 * message on stderr. */
int passages_read(passages *out, const char *folder);
void passages_free(passages *p);

/* Counts the character n-grams (3 to 5 long, within words) of `text` into `dims` hashed slots; the
 * sign of each comes from its hash, so that collisions cancel out on average (feature hashing,
 * Weinberger et al., ICML 2009). */
void count_ngrams(const char *text, float *slots, uint32_t dims);

/* Weighs rows[count][dims] and extra[extra_count][dims] by how rare each slot is among the rows
 * (inverse document frequency), and damps large counts. */
void weigh(float *rows, uint32_t count, float *extra, uint32_t extra_count, uint32_t dims);

#endif
