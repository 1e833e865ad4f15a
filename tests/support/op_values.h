/* Values of tensors for tests of ops: bytes to doubles and back, and made-up contents.
 *
 * Written without the library's own conversions, so that a mistake there cannot hide here. */
#ifndef RP_TESTS_OP_VALUES_H
#define RP_TESTS_OP_VALUES_H

#include "ops/op.h"
#include "support/random_graph.h"

double rp_value_of_f16(uint16_t bits);
uint16_t rp_f16_of_value(double value); /* nearest, ties to even */
double rp_value_of_bf16(uint16_t bits);
uint16_t rp_bf16_of_value(double value);

/* Dense doubles of a tensor's bytes; blocks are dequantised. */
void rp_values_decode(const rp_tensor *tensor, const void *bytes, double *out);
/* The reverse, as a kernel stores: f32 by rounding, f16 and bf16 through f32, integers as they are.
 * Not for blocks. */
void rp_values_encode(const rp_tensor *tensor, const double *values, void *bytes);

/* Fills a tensor. `how` (NULL: "") is one of
 *   ""            numbers of both signs between -3 and 3; integers of the whole dtype
 *   special       the same, with zeros of both signs, denormals, huge numbers, infinities and NaN
 *   extreme       special without infinities and NaN
 *   tame          special without denormals, which a device may take as zeros, and without numbers
 *                 beyond 2^126, by which it need not divide well
 *   salted        few special ones among ordinary ones, so that not all that follows is NaN
 *   spread=N      of both signs, with magnitudes from 2^-N to 2^N
 *   shift=N       ordinary ones, with N added
 *   finite=N      between -N and N
 *   positive=N    between N / 1000 and N
 *   int=N         whole numbers between -N and N (unsigned: 0 to N): sums of them are exact
 *   below=N       whole numbers from 0 to N - 1
 *   each=N        0, 1, ..., shuffled, then from the start again after N - 1: no number twice
 *                 among the first N
 *   rising=N      0 first, and none less than the one before it, up to N: where parts of N begin
 *   value=V       V everywhere
 *   rows          row by row: zeros, all -inf, one +inf, two +inf, denormals, large numbers, equal
 *                 numbers, a NaN, and ordinary ones
 *   rows=1        the same without the denormals
 *   masks         row by row: -inf at the end, at the front, everywhere, here and there, at both ends;
 *                 numbers between -1 and 1 elsewhere */
void rp_values_fill(rp_random *random, const rp_tensor *tensor, const char *how, void *bytes);

#endif
