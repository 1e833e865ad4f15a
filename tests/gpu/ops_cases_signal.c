/* The cases of transforms and windows: lengths of every radix, of primes, padded and cut; signals side by side
 * and in parts. */
#include "ops.h"

#include <stddef.h>

#define FLOATS "f32 f16 bf16"

const op_case op_signal_cases[] = {
    {"fft_pass", "f32[2]", "samples=1", NULL, NULL},
    {"fft_pass", "T[3,16,2] f32[3,16,2]", "samples=16", "f16 bf16", NULL},
    {"fft_pass", "f32[3,16,2] T[3,16,2]", "samples=16", "f16 bf16", NULL},
    {"fft_pass", "f32[5,120,2]", "samples=120 direction=backward", NULL, NULL},
    {"fft_pass", "f32[70,7,2]", "samples=7", NULL, NULL},
    {"fft_pass", "f32[2,1001,2]", "samples=1001 direction=backward", NULL, NULL},
    {"fft_pass", "f32[900]", "samples=900 source=real kept=451", NULL, NULL},
    {"fft_pass", "f32[3,37]", "samples=37 length=64 source=real result=real direction=backward",
     NULL, NULL},
    {"fft_pass", "f32[2,51,2]", "samples=51 length=100 source=half result=real direction=backward",
     NULL, NULL},
    {"fft_pass", "f32[2,30,11,2]", "samples=30 stride=11", NULL, NULL},
    {"fft_pass", "f32[2,30,11,2]", "samples=30 stride=11 kept=123 direction=backward", NULL, NULL},
    {"fft_pass", "f32[2,240,2]", "samples=240 parts=15", NULL, NULL},
    {"fft_pass", "f32[2,61,5,2]", "samples=61 stride=5 parts=4 length=25", NULL, NULL},
    {"fft_pass", "f32[2,40]", "samples=40 length=16 parts=6 source=real direction=backward", NULL,
     NULL},
    {"fft_pass", "f32[2,61,2]",
     "samples=61 length=20 parts=6 source=half result=real direction=backward", NULL, NULL},
    {"fft_pass", "f32[4096,2]", "samples=4096", NULL, NULL},
    {"fft_pass", "f32[2,32,6,2]", "samples=32 stride=6 kept=124", NULL,
     NULL}, /* two at once, side by side */
    {"fft_pass", "f32[3,1024,2]", "samples=1024 parts=8 direction=backward", NULL, NULL},
    {"fft_pass", "f32[2,360,2]", "samples=360 length=384", NULL, NULL},
    {"fft_pass", "f32[2048,2]", "samples=2048 direction=backward", NULL, NULL},
    {"complex_multiply", "T[3,5,2] U[3,5,2]", NULL, FLOATS, FLOATS},
    {"complex_multiply", "f32[3,5,2] f32[5,2] T?", NULL, FLOATS, NULL},
    {"complex_multiply", "f32[2] f32[2]", NULL, NULL, NULL},
    {"complex_multiply", "f32[3,5,4,2] f32[5,2]", "stride=4", NULL, NULL},
    {"chirp", "T[2020]", "length=505", FLOATS, NULL},
    {"chirp", "f32[131072,2]", "length=65521 direction=backward", NULL, NULL},
    {"chirp", "f32[2]", "length=1", NULL, NULL},
    {"chirp_multiply", "T[2,11,3,2] U?", "samples=11 stride=3 length=13", FLOATS, FLOATS},
    {"chirp_multiply", "f32[2,70001]", "samples=70001 length=70001 source=real kept=35001", NULL,
     NULL},
    {"chirp_multiply", "f32[2,6,2]",
     "samples=6 length=11 source=half result=real direction=backward scale=0.1", NULL, NULL},
    {"chirp_multiply", "f32[2]", "samples=1 length=1", NULL, NULL},
    {"hann_window", "T[61]", "periodic=0", FLOATS, NULL},
    {"hann_window", "f32[70003]", NULL, NULL, NULL},
    {"hann_window", "f32[1]", "periodic=0", NULL, NULL},
    {"hamming_window", "T[61]", "periodic=0", FLOATS, NULL},
    {"hamming_window", "f32[64]", "alpha=0.5434782608695652", NULL, NULL},
    {"hamming_window", "f32[1]", NULL, NULL, NULL},
    {"blackman_window", "T[61]", "periodic=0", FLOATS, NULL},
    {"blackman_window", "f32[64]", NULL, NULL, NULL},
    {"blackman_window", "f32[2]", NULL, NULL, NULL},
};
const uint32_t op_signal_case_count = sizeof op_signal_cases / sizeof *op_signal_cases;
