/* Family random: numbers that are functions of a seed, a counter and their place.
 *
 * Nothing is kept between two of them: element i is a word of Philox 4x32-10 at counter offset + i / 4.
 * So they are pointwise ops without inputs of their shape, computed wherever they are asked for, as often
 * as that is cheapest, and fused like a map; and a replay draws anew when the words of `seed` or `offset`
 * in memory change, a live value for instance.
 *
 * What is made of the words takes sums, differences and products alone (kernels/include/random.glsl): no
 * function in which devices differ. A generator with a state would be cheaper for one number, and would
 * give other numbers on a GPU with another number of threads. */
#include <math.h>

#include "ops/tables.h"

enum { WORDS_TEXT = 150, NORMAL_TEXT = 260 };

/* A number of 64 bits in one or two words, the low one first. */
static bool is_number(rp_op_call *call, const char *name) {
    uint32_t index = rp_op_operand_index(call->op, name, strlen(name));
    uint64_t words = call->operands[index].absent ? 1 : rp_tensor_elements(&call->operands[index]);
    if (words == 1 || words == 2) return true;
    return rp_op_fail(call, "%s has %llu words, expected one, or two with the low one first", name,
                      (unsigned long long)words);
}

static bool rule_random(rp_op_call *call) {
    return is_number(call, "seed") && is_number(call, "offset");
}

/* The kernel works with both as f32. */
static bool rule_uniform(rp_op_call *call) {
    float low = (float)call->attrs[1], high = (float)call->attrs[2];
    if (low <= high && isfinite(high - low)) return rule_random(call);
    return rp_op_fail(call,
                      "low is %.9g and high is %.9g; expected low <= high, and a difference "
                      "that f32 can hold",
                      low, high);
}

/* ---- Drawing from candidates ----------------------------------------------------------------- */

/* What select.glsl keeps at once, and what a workgroup looks at in a turn. */
enum { MOST_CANDIDATES = 1024, TURN = 1024 };

static bool rule_sample(rp_op_call *call) {
    uint64_t k = rp_sym(call, 'K'), rows = rp_sym(call, 'R'), settings = rp_sym(call, 'Y');
    if (k > MOST_CANDIDATES)
        return rp_op_fail(call, "lists have %llu entries, expected up to %d", (unsigned long long)k,
                          MOST_CANDIDATES);
    if (!call->operands[4].absent && settings != 3 && settings != 3 * rows)
        return rp_op_fail(call, "settings has %llu numbers, expected 3, or 3 for each of %llu rows",
                          (unsigned long long)settings, (unsigned long long)rows);
    return rule_random(call);
}

/* At worst what was kept is sorted again after each turn; and two sums over the candidates. */
static double sample_turns(const rp_op_call *call) {
    return ceil((double)rp_sym(call, 'L') * (double)rp_sym(call, 'K') / TURN) * 345 + 640;
}

static const rp_op_variant sample_variants[] = {
    {
        .name = "select",
        .sized = "RYL",
        .when = "always",
        .why = "a workgroup for each row selects the best in shared memory and draws one of them",
        .text = 1000,
        .groups = "R",
        .turns = sample_turns,
    },
    {0},
};

/* ---- The ops --------------------------------------------------------------------------------- */

#define SEEDED_AT(HOOK)                                                                            \
    {.name = "seed",                                                                               \
     .brief = "the key: one word, or two, the low one first",                                      \
     .shape = "*S",                                                                                \
     .dtypes = RP_DT_INDEX,                                                                        \
     .taken = RP_DT_LONG,                                                                          \
     .words = true,                                                                                \
     .hook = HOOK,                                                                                 \
     .sites = 2,                                                                                   \
     .reads = "S"},                                                                                \
    {                                                                                              \
        .name = "offset",                                                                          \
        .brief = "the first block of four elements: one word, or two, the low one first; 0",       \
        .shape = "*O", .dtypes = RP_DT_INDEX, .taken = RP_DT_LONG, .words = true, .hook = HOOK,    \
        .sites = 2, .optional = true, .absent = "0", .reads = "O"                                  \
    }
#define SEEDED SEEDED_AT(false)
#define STREAM                                                                                     \
    {                                                                                              \
        .name = "stream",                                                                          \
        .brief = "numbers of different streams have nothing to do with each other",                \
        .kind = RP_ATTR_INTEGER, .high = UINT32_MAX                                                \
    }
#define OUT(BRIEF, DTYPES, LIKE)                                                                   \
    {                                                                                              \
        .name = "out", .brief = BRIEF, .shape = "*N", .dtypes = DTYPES, .access = RP_WRITE,        \
        .like = LIKE                                                                               \
    }

#define DRAWN                                                                                      \
    "Philox 4x32-10 (Salmon et al., SC 2011) with key (seed, seed >> 32) and counter (b, b >> "    \
    "32, "                                                                                         \
    "stream, 0), b = offset + i / 4; element i takes word i % 4 of the result. "
#define SAME "The same bits on every device. "
#define ANEW                                                                                       \
    "Other numbers for each replay: seed or offset is a live value, or a buffer that the replay "  \
    "itself changes. Ops that draw from one seed and offset have a stream each."

const rp_op rp_ops_random[] = {
    {
        .name = "random_bits",
        .family = "random",
        .brief = "random words",
        .notes = "out[i] is any of the 2^32 words with the same probability. " DRAWN SAME ANEW,
        .form = RP_OP_POINTWISE,
        .text = WORDS_TEXT,
        .operand_count = 3,
        .operands = {SEEDED, OUT("the words", RP_DT(RP_U32), NULL)},
        .attr_count = 1,
        .attrs = {STREAM},
        .flops = 60,
        .rule = rule_random,
    },
    {
        .name = "random_uniform",
        .family = "random",
        .brief = "random numbers between two",
        .notes = "out = low + u * (high - low), each operation rounded to f32; u = (word >> 8) / "
                 "2^24 for the word that random_bits gives, 0 <= u < 1. Of the word f16 outputs "
                 "take the upper 11 bits and bf16 ones the upper 8, so that u does not become 1. "
                 "`high` itself comes out only where the sum is rounded to it. As ONNX's "
                 "RandomUniform, whose bits are not defined. " SAME ANEW,
        .form = RP_OP_POINTWISE,
        .text = WORDS_TEXT,
        .operand_count = 3,
        .operands = {SEEDED, OUT("the numbers", RP_DT_FLOAT, NULL)},
        .attr_count = 3,
        .attrs = {STREAM,
                  {.name = "low",
                   .brief = "the least number",
                   .kind = RP_ATTR_NUMBER,
                   .low = -INFINITY,
                   .high = INFINITY},
                  {.name = "high",
                   .brief = "numbers stay below it",
                   .kind = RP_ATTR_NUMBER,
                   .fallback = 1,
                   .low = -INFINITY,
                   .high = INFINITY}},
        .flops = 62,
        .rule = rule_uniform,
    },
    {
        .name = "random_normal",
        .family = "random",
        .brief = "random numbers of a normal distribution",
        .notes = "out = mean + scale * z, each operation rounded to f32. By Box and Muller: of "
                 "words a and b at 2 j and 2 j + 1 that random_bits gives, z[2 j] = r cos t and "
                 "z[2 j + 1] = r sin t with r = sqrt(-2 log((a + 1) / 2^32)), t = 2 pi b / 2^32; "
                 "|z| <= 6.66. r and z are within 2^-20 of that, made of sums, differences and "
                 "products alone. As ONNX's RandomNormal, whose bits are not defined. " SAME ANEW,
        .form = RP_OP_POINTWISE,
        .text = NORMAL_TEXT,
        .operand_count = 3,
        .operands = {SEEDED, OUT("the numbers", RP_DT_FLOAT, NULL)},
        .attr_count = 3,
        .attrs = {STREAM,
                  {.name = "mean",
                   .brief = "is added",
                   .kind = RP_ATTR_NUMBER,
                   .low = -INFINITY,
                   .high = INFINITY},
                  {.name = "scale",
                   .brief = "the standard deviation",
                   .kind = RP_ATTR_NUMBER,
                   .fallback = 1,
                   .low = -INFINITY,
                   .high = INFINITY}},
        .flops = 120,
        .rule = rule_random,
    },
    {
        .name = "bernoulli",
        .family = "random",
        .brief = "1 with a given probability, else 0",
        .notes = "out[i] = u[i] < p[i], compared as f32, u being what random_uniform gives from 0 "
                 "to 1 in f32. A NaN gives 0. As ONNX's Bernoulli, whose bits are not "
                 "defined. " SAME ANEW,
        .form = RP_OP_POINTWISE,
        .text = WORDS_TEXT,
        .operand_count = 4,
        .operands = {{.name = "p",
                      .brief = "a probability for each element",
                      .shape = "*N",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_SAME,
                      .optional = true,
                      .absent = "0.5"},
                     SEEDED,
                     OUT("1 or 0", RP_DT(RP_U8) | RP_DT(RP_BOOL) | RP_DT_FLOAT, NULL)},
        .attr_count = 2,
        .attrs = {STREAM,
                  {.name = "probability",
                   .brief = "for all elements, where p is left out",
                   .kind = RP_ATTR_NUMBER,
                   .fallback = 0.5,
                   .high = 1}},
        .flops = 61,
        .rule = rule_random,
    },
    {
        .name = "dropout",
        .family = "random",
        .brief = "puts zeros in the place of some elements and makes the others larger",
        .notes = "out[i] = u[i] < ratio ? 0 : x[i] / (1 - ratio), u being what random_uniform "
                 "gives from 0 to 1 in f32; the quotient is within 2.5 ulp. bernoulli of "
                 "probability `ratio` with the same seed, offset and stream is 1 where an element "
                 "is dropped. Where one is, NaN and infinities are, too. As ONNX's Dropout in "
                 "training mode, whose bits are not defined. " ANEW,
        .form = RP_OP_POINTWISE,
        .text = WORDS_TEXT,
        .operand_count = 4,
        .operands = {{.name = "x",
                      .brief = "the elements",
                      .shape = "*N",
                      .dtypes = RP_DT_FLOAT,
                      .at = RP_AT_SAME},
                     SEEDED,
                     OUT("what is left of them", RP_DT_FLOAT, "x")},
        .attr_count = 2,
        .attrs = {STREAM,
                  {.name = "ratio",
                   .brief = "the probability of a zero",
                   .kind = RP_ATTR_NUMBER,
                   .fallback = 0.5,
                   .high = 1}},
        .flops = 66,
        .rule = rule_random,
    },
    {
        .name = "sample_merge",
        .family = "random",
        .brief = "draws one of the best candidates of several lists, as language models do",
        .notes =
            "Of all entries of the lists of a row the K largest are taken, as top_k_merge does. "
            "Entry j weighs w[j] = exp((value[j] - value[0]) / temperature), value[0] being the "
            "largest. Of them are left those that fewer than top_p of all weight stand before "
            "(top_p = 1: all), and of these those with w[j] >= min_p; entry 0 always. One is "
            "drawn: the first that has more than u of the weight that is left up to it, itself "
            "included, u being element r of random_uniform for row r. With `temperature_first`, "
            "Hugging Face's order (TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper, "
            "MinPLogitsWarper), filters see the same weights; with `temperature_last`, that of "
            "llama.cpp's default samplers, they see those of temperature 1. Temperature 0 takes "
            "entry "
            "0. Equal values are as good as each other, infinite ones too; a NaN weighs nothing. "
            "Sums are f32, so near their edges devices may differ. " ANEW,
        .form = RP_OP_KERNEL,
        .operand_count = 7,
        .operands = {{.name = "list_values",
                      .brief = "scores, logits, of each part of a row",
                      .shape = "*R L K",
                      .dtypes = RP_DT_FLOAT,
                      .hook = true,
                      .sites = 2},
                     {.name = "list_indices",
                      .brief = "what they are the scores of; 0xffffffff: a gap",
                      .shape = "*R L K",
                      .dtypes = RP_DT(RP_U32),
                      .hook = true,
                      .sites = 2},
                     SEEDED_AT(true),
                     {.name = "settings",
                      .brief = "temperature, top_p and min_p in place of the attributes, for all "
                               "rows or for each",
                      .shape = "*Y",
                      .dtypes = RP_DT(RP_F32),
                      .optional = true,
                      .hook = true,
                      .absent = "0.0",
                      .reads = "Y"},
                     {.name = "out",
                      .brief = "what was drawn for each row",
                      .shape = "*R",
                      .dtypes = RP_DT(RP_U32),
                      .access = RP_WRITE,
                      .hook = true},
                     {.name = "probability",
                      .brief = "and its share of the weight that was left",
                      .shape = "*R",
                      .dtypes = RP_DT_FLOAT,
                      .access = RP_WRITE,
                      .optional = true,
                      .hook = true}},
        .attr_count = 5,
        .attrs = {STREAM,
                  {.name = "temperature",
                   .brief = "scores are divided by it",
                   .kind = RP_ATTR_NUMBER,
                   .fallback = 1,
                   .high = 1e30},
                  {.name = "top_p",
                   .brief = "share of the weight that the best are taken for; 1: all",
                   .kind = RP_ATTR_NUMBER,
                   .fallback = 1,
                   .high = 1},
                  {.name = "min_p",
                   .brief = "least weight beside the best's; 0: any",
                   .kind = RP_ATTR_NUMBER,
                   .high = 1},
                  {.name = "order",
                   .brief = "whether filters see scores divided by the temperature",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "temperature_first|temperature_last"}},
        .variants = sample_variants,
        .flops = 1000,
        .rule = rule_sample,
    },
};

const uint32_t rp_ops_random_count = sizeof rp_ops_random / sizeof *rp_ops_random;
