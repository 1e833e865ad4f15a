// What joins two numbers of a reduction along an axis or of a scan: 0 sum, 1 product, 2 least, 3
// largest, 4 and 5 the least and the largest with their places. NaN is skipped by all but sums and
// products. fold_none(by, v) is what changes nothing; of 4 and 5 that is no place.
const uint fold_nowhere = 0xffffffffu;

void fold_none(uint by, out float v) {
    v = by == 0u ? 0.0 : by == 1u ? 1.0 : uintBitsToFloat(by == 2u ? 0x7f800000u : by == 3u ? 0xff800000u : 0x7fc00000u);
}

void fold_none(uint by, out int v) {
    v = by == 0u ? 0 : by == 1u ? 1 : by == 2u || by == 4u ? 0x7fffffff : int(0x80000000u);
}

void fold_none(uint by, out uint v) {
    v = by == 0u ? 0u : by == 1u ? 1u : by == 2u || by == 4u ? 0xffffffffu : 0u;
}

// a comes before b: the order of a sum, and which of two equal numbers stays.
float fold(uint by, float a, float b) {
    precise float sum = a + b, product = a * b;
    if (by == 0u) return sum;
    if (by == 1u) return product;
    if (f_isnan(b)) return a;
    if (f_isnan(a)) return b;
    return (by == 2u ? b < a : b > a) ? b : a;
}

int fold(uint by, int a, int b) {
    return by == 0u ? a + b : by == 1u ? a * b : by == 2u ? min(a, b) : max(a, b);
}

uint fold(uint by, uint a, uint b) {
    return by == 0u ? a + b : by == 1u ? a * b : by == 2u ? min(a, b) : max(a, b);
}

bool fold_is_nan(float v) {
    return f_isnan(v);
}

bool fold_is_nan(int v) {
    return false;
}

bool fold_is_nan(uint v) {
    return false;
}
