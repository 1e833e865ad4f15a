/* Internal: numbers of op attributes as text, whatever the locale of the application is. */
#ifndef RP_BASE_NUMBER_H
#define RP_BASE_NUMBER_H

#include <math.h>
#include "base/text.h"

/* Appends the shortest decimal that reads back to the same number, in the manner of %g but without
 * '+': "1e-06", "0.5", "128", "1e20", "inf", "-inf", "nan". */
void rp_number_print(rp_text *text, double number);

/* Reads what rp_number_print writes, and decimals with or without fraction and exponent. False for
 * other text, for more than 60 characters, and for what is too large for a double. */
bool rp_number_parse(const char *text, size_t length, double *out);

/* Integers of 64 bits that a double does not hold are one and a rest, which is exact: number + rest, the
 * number being the nearest. Of whatever else the rest is 0. What digits alone say is read so; other text, and
 * integers that 64 bits do not hold, as by rp_number_parse. */
bool rp_number_parse_exact(const char *text, size_t length, double *number, double *rest);
void rp_number_print_exact(rp_text *text, double number, double rest);
/* Whether number + rest is an integer from `low` to `high`, and its 64 bits: `low` at least INT64_MIN, `high` at
 * most UINT64_MAX. */
bool rp_number_within(double number, double rest, int64_t low, uint64_t high, uint64_t *bits);

/* Whether they are the same number as text: -0 is not 0, and NaN is NaN. */
static inline bool rp_number_same(double a, double b) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    return a == b && !signbit(a) == !signbit(b);
}

#endif
