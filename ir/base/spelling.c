/* Edit distance with one row of the table, of short words. */
#include "base/spelling.h"

uint32_t rp_edit_distance(const char *a, size_t a_length, const char *b, size_t b_length) {
    uint32_t row[RP_LONGEST_WORD + 1];
    if (a_length > RP_LONGEST_WORD || b_length > RP_LONGEST_WORD) return UINT32_MAX;
    for (uint32_t j = 0; j <= b_length; j++) row[j] = j;
    for (uint32_t i = 1; i <= a_length; i++) {
        uint32_t diagonal = row[0];
        row[0] = i;
        for (uint32_t j = 1; j <= b_length; j++) {
            uint32_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b_length];
}
