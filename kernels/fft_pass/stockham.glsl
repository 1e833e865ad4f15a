// The discrete Fourier transform of several signals in shared memory: Stockham's form, which leaves the
// result in order. Each step splits what is left of the length by a radix: butterflies of 16, 8, 4, 2, 3
// and 5 numbers in registers, and for any other factor a sum over its numbers for each result. Powers of two
// come first, so that what is done before each of their steps is a constant. Between a step's
// loads and its stores stands a barrier, so that one array is enough, and signals of 4096 fit.
//
// A workgroup has G neighbouring signals of the A of them. Where signals lie interleaved, neighbours are next
// to each other in memory, and G of them make whole sectors. With B parts, signal p of those that elements
// p, p + B, p + 2 B ... are, is followed by the factors that make the first half of a longer transform
// of it: result k times exp(-2 pi i k p / (B N)). Two numbers are moved at once where they lie together.
//
// Backward is forward with real and imaginary parts exchanged on the way in and on the way out.
//
// M: elements of a signal in memory, all parts; S: of how many signals each element lies side by side;
// P, Q, R: radices of the steps that are powers of two, 1 for none; U, V: how many complex numbers are loaded, and
// stored, at once: 2 where signals, or else elements of one, lie side by side from an even one on.
//
// local: 256
// grid: min(C, 65535), ceil_div(C, 65535), 1
const uint THREADS = 256u;

shared vec2 cells[(G * N + 15u) / 16u * 16u];

// Neighbours in strides of 8, 16, 64 and 256 are in different banks.
uint cell(uint i) {
    return i ^ ((i >> 4) ^ (i >> 8) ^ (i >> 3 & 8u)) & 15u;
}

vec2 times(vec2 a, vec2 b) {
    precise vec2 product = vec2(fma(a.x, b.x, -(a.y * b.y)), fma(a.x, b.y, a.y * b.x));
    return product;
}

vec2 by_i(vec2 a) { // times -i
    return vec2(a.y, -a.x);
}

void two(inout vec2 a, inout vec2 b) {
    precise vec2 sum = a + b, rest = a - b;
    a = sum;
    b = rest;
}

// Results in order.
void four(inout vec2 a, inout vec2 b, inout vec2 c, inout vec2 d) {
    two(a, c);
    two(b, d);
    d = by_i(d);
    two(a, b);
    two(c, d);
    vec2 swap = b;
    b = c;
    c = swap;
}

void radix_2(inout vec2 v[2]) {
    two(v[0], v[1]);
}

void radix_4(inout vec2 v[4]) {
    four(v[0], v[1], v[2], v[3]);
}

void radix_8(inout vec2 v[8]) {
    four(v[0], v[2], v[4], v[6]);
    four(v[1], v[3], v[5], v[7]);
    precise vec2 diagonal = vec2(v[3].x + v[3].y, v[3].y - v[3].x) * 0.707106781;
    precise vec2 other = vec2(v[7].y - v[7].x, -v[7].x - v[7].y) * 0.707106781;
    vec2 odd[4] = vec2[4](v[1], diagonal, by_i(v[5]), other);
    vec2 even[4] = vec2[4](v[0], v[2], v[4], v[6]);
    [[unroll]] for (uint i = 0u; i < 4u; i++) {
        two(even[i], odd[i]);
        v[i] = even[i];
        v[i + 4u] = odd[i];
    }
}

void radix_16(inout vec2 v[16]) {
    const vec2 roots[10] = vec2[10](vec2(1.0, 0.0), vec2(0.923879533, -0.382683432), vec2(0.707106781, -0.707106781),
                                    vec2(0.382683432, -0.923879533), vec2(0.0, -1.0), vec2(0.0), vec2(-0.707106781, -0.707106781),
                                    vec2(0.0), vec2(0.0), vec2(-0.923879533, 0.382683432));
    vec2 turned[16];
    [[unroll]] for (uint i = 0u; i < 4u; i++) four(v[i], v[i + 4u], v[i + 8u], v[i + 12u]);
    [[unroll]] for (uint k = 0u; k < 4u; k++) {
        [[unroll]] for (uint i = 0u; i < 4u; i++) {
            turned[i] = v[4u * k + i];
            if (i * k == 4u)
                turned[i] = by_i(turned[i]);
            else if (i * k > 0u)
                turned[i] = times(turned[i], roots[i * k]);
        }
        four(turned[0], turned[1], turned[2], turned[3]);
        [[unroll]] for (uint i = 0u; i < 4u; i++) v[4u * k + i] = turned[i];
    }
    [[unroll]] for (uint i = 0u; i < 16u; i++) turned[i / 4u + i % 4u * 4u] = v[i];
    v = turned;
}

void radix_3(inout vec2 v[3]) {
    precise vec2 sum = v[1] + v[2], rest = by_i(v[1] - v[2]) * 0.866025404;
    precise vec2 middle = v[0] - sum * 0.5;
    precise vec2 all = v[0] + sum;
    v[0] = all;
    v[1] = middle + rest;
    v[2] = middle - rest;
}

void radix_5(inout vec2 v[5]) {
    precise vec2 outer = v[1] + v[4], inner = v[2] + v[3], first = by_i(v[1] - v[4]), second = by_i(v[2] - v[3]);
    precise vec2 a = v[0] + outer * 0.309016994 - inner * 0.809016994;
    precise vec2 b = v[0] - outer * 0.809016994 + inner * 0.309016994;
    precise vec2 c = first * 0.951056516 + second * 0.587785252;
    precise vec2 d = first * 0.587785252 - second * 0.951056516;
    precise vec2 all = v[0] + outer + inner;
    v[0] = all;
    v[1] = a + c;
    v[2] = b + d;
    v[3] = b - d;
    v[4] = a - c;
}

// The numbers of a butterfly, turned by powers of one root. Powers are products of few others, so that they
// are as exact as the root.
#define TURN(RADIX, done)                                                                              \
    {                                                                                                  \
        vec2 turn = unit_root(low * (COUNT / (done)), N, inverse), powers[4], high = vec2(1.0, 0.0);   \
        powers[0] = high;                                                                              \
        [[unroll]] for (uint i = 1u; i < 4u; i++) powers[i] = times(powers[i - 1u], turn);             \
        turn = times(powers[2], powers[2]);                                                            \
        [[unroll]] for (uint i = 1u; i < RADIX; i++) {                                                 \
            if (i % 4u == 0u) high = i == 4u ? turn : times(high, turn);                               \
            vec2 power = i < 4u ? powers[i] : i % 4u == 0u ? high : times(high, powers[i % 4u]);       \
            held[e][i] = times(held[e][i], power);                                                     \
        }                                                                                              \
    }

#define STAY(RADIX, done)

// One step: `done` is the product of the radices before. Butterfly j takes elements a COUNT-th apart, turned
// unless nothing is done yet, and leaves its results `done` apart.
#define STEP(RADIX, done, TURN, TRANSFORM)                                                             \
    {                                                                                                  \
        const uint COUNT = N / RADIX, ALL = G * COUNT;                                                 \
        const uint EACH = ALL == 0u ? 1u : (ALL + THREADS - 1u) / THREADS;                             \
        vec2 held[EACH][RADIX];                                                                        \
        [[unroll]] for (uint e = 0u; e < EACH; e++) {                                                  \
            uint j = e * THREADS + gl_LocalInvocationIndex;                                            \
            uint from = j / COUNT * N + j % COUNT, low = j % COUNT % (done);                           \
            if (j >= ALL) continue;                                                                    \
            [[unroll]] for (uint i = 0u; i < RADIX; i++) held[e][i] = cells[cell(from + i * COUNT)];   \
            TURN(RADIX, done)                                                                          \
            TRANSFORM(held[e]);                                                                        \
        }                                                                                              \
        barrier();                                                                                     \
        [[unroll]] for (uint e = 0u; e < EACH; e++) {                                                  \
            uint j = e * THREADS + gl_LocalInvocationIndex, place = j % COUNT;                         \
            uint to = j / COUNT * N + place / (done) * (done) * RADIX + place % (done);                \
            if (j >= ALL) continue;                                                                    \
            [[unroll]] for (uint i = 0u; i < RADIX; i++) cells[cell(to + i * (done))] = held[e][i];    \
        }                                                                                              \
        barrier();                                                                                     \
    }

// The same for any radix: each result is a sum of its own.
void step_any(uint radix, uint done, float inverse) {
    const uint ALL = G * N, EACH = (ALL + THREADS - 1u) / THREADS;
    vec2 held[EACH];
    uint count = N / radix, span = done * radix;
    for (uint e = 0u; e < EACH; e++) {
        uint j = e * THREADS + gl_LocalInvocationIndex, place = j % N;
        if (j >= ALL) continue;
        uint low = place % span, from = j - place + place / span * done + low % done, k = 0u;
        precise vec2 sum = vec2(0.0);
        for (uint l = 0u; l < radix; l++) {
            sum += times(cells[cell(from + l * count)], unit_root(k * (N / span), N, inverse));
            k += low;
            k -= k >= span ? span : 0u;
        }
        held[e] = sum;
    }
    barrier();
    for (uint e = 0u; e < EACH; e++) {
        uint j = e * THREADS + gl_LocalInvocationIndex;
        if (j < ALL) cells[cell(j)] = held[e];
    }
    barrier();
}

// Element n of a signal, `at` the first of its element 0 in memory; beyond the end 0. Of half a spectrum
// the other half are the conjugates.
vec2 element(uint n, uint at) {
    bool turned = source == 2u && n > H / 2u;
    if (turned) n = H - n;
    if (n >= M) return vec2(0.0);
    uint i = at + n * S;
    vec2 value = source == 1u ? vec2(x(i), 0.0) : vec2(x(2u * i), x(2u * i + 1u));
    if (turned) value.y = -value.y;
    return value;
}

// Signal and element of the j-th number that a workgroup moves.
uvec2 moved(uint j, bool sides) {
    return sides ? uvec2(j % G, j / G) : uvec2(j / N, j % N);
}

// A result as it is stored.
vec2 finished(uint signal, uint k, vec2 value, float inverse, float inverse_all) {
    if (B > 1u) value = times(value, unit_root(signal / S % B * k, H, inverse_all));
    precise vec2 scaled = value * inverse;
    return direction != 0u ? scaled.yx : value;
}

void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x, first = group * G;
    if (group >= C) return;
    float inverse = f_inverse(float(N));
    if (U == 2u) {
        for (uint j = 2u * gl_LocalInvocationIndex; j < G * N; j += 2u * THREADS) {
            uvec2 from = moved(j, B * S > 1u);
            uint signal = first + from.x, rest = signal / S, n = from.y * B + rest % B;
            vec4 pair = vec4(0.0);
            if (signal < A && n < M) pair = x_4(2u * ((rest / B * M + n) * S + signal % S));
            if (direction != 0u) pair = pair.yxwz;
            uint at = from.x * N + from.y;
            cells[cell(at)] = pair.xy;
            cells[cell(at + (B * S > 1u ? N : 1u))] = pair.zw;
        }
    } else {
        for (uint j = gl_LocalInvocationIndex; j < G * N; j += THREADS) {
            uvec2 from = moved(j, B * S > 1u);
            uint signal = first + from.x, side = signal % S, rest = signal / S;
            vec2 value = vec2(0.0);
            if (signal < A) value = element(from.y * B + rest % B, rest / B * M * S + side);
            cells[cell(from.x * N + from.y)] = direction == 0u ? value : value.yx;
        }
    }
    barrier();
    if (P == 16u) STEP(16u, 1u, STAY, radix_16)
    if (P == 8u) STEP(8u, 1u, STAY, radix_8)
    if (P == 4u) STEP(4u, 1u, STAY, radix_4)
    if (P == 2u) STEP(2u, 1u, STAY, radix_2)
    if (Q == 16u) STEP(16u, P, TURN, radix_16)
    if (Q == 8u) STEP(8u, P, TURN, radix_8)
    if (R == 16u) STEP(16u, P * Q, TURN, radix_16)
    if (R == 8u) STEP(8u, P * Q, TURN, radix_8)
    for (uint done = P * Q * R; done < N;) {
        uint rest = N / done;
        if (rest % 3u == 0u) {
            STEP(3u, done, TURN, radix_3)
            done *= 3u;
        } else if (rest % 5u == 0u) {
            STEP(5u, done, TURN, radix_5)
            done *= 5u;
        } else {
            uint radix = 7u;
            while (rest % radix != 0u) radix += 2u;
            step_any(radix, done, inverse);
            done *= radix;
        }
    }
    float inverse_all = f_inverse(float(H));
    if (V == 2u) {
        for (uint j = 2u * gl_LocalInvocationIndex; j < G * N; j += 2u * THREADS) {
            uvec2 from = moved(j, S > 1u);
            uint signal = first + from.x, rest = signal / S, at = from.x * N + from.y;
            uint place = (rest % B * N + from.y) * S + signal % S;
            if (signal >= A || place >= K) continue;
            vec2 one = finished(signal, from.y, cells[cell(at)], inverse, inverse_all), other;
            if (S > 1u)
                other = finished(signal + 1u, from.y, cells[cell(at + N)], inverse, inverse_all);
            else
                other = finished(signal, from.y + 1u, cells[cell(at + 1u)], inverse, inverse_all);
            out_store_4(2u * (rest / B * K + place), vec4(one, other));
        }
        return;
    }
    for (uint j = gl_LocalInvocationIndex; j < G * N; j += THREADS) {
        uvec2 from = moved(j, S > 1u);
        uint signal = first + from.x, rest = signal / S;
        if (signal >= A) continue;
        vec2 value = finished(signal, from.y, cells[cell(from.x * N + from.y)], inverse, inverse_all);
        uint place = (rest % B * N + from.y) * S + signal % S;
        if (place >= K) continue;
        uint to = rest / B * K + place;
        if (result == 1u) {
            out_store(to, value.x);
        } else {
            out_store(2u * to, value.x);
            out_store(2u * to + 1u, value.y);
        }
    }
}
