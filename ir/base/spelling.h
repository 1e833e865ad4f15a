/* Internal: how near two words are, for suggesting what was meant. */
#ifndef RP_BASE_SPELLING_H
#define RP_BASE_SPELLING_H

#include <stddef.h>
#include <stdint.h>

enum { RP_LONGEST_WORD = 32 };

/* How many letters must be added, dropped or changed to make one word of the other; UINT32_MAX when
 * either is longer than RP_LONGEST_WORD: suggestions are for words one mistypes. */
uint32_t rp_edit_distance(const char *a, size_t a_length, const char *b, size_t b_length);

#endif
