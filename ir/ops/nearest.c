/* nearest_partial: the search of a base in one op, and how it is computed.
 *
 * A distance op and top_k_partial are the same search, fused; here distance and selection know of
 * each other. The results are the same to the bit, whatever the variant: a distance is what the
 * metric's op gives.
 *
 * Few queries are bound by reading the base: variant `stream` reads it once for all queries of a
 * workgroup. For many, arithmetic is what counts: variant `tiles` filters by products of tiles, and
 * computes the distances of what is left. */
#include "ops/nearest.h"

#include "ops/op_formula.h"
#include "target/target.h"

enum { QUERIES, BASE, EXCLUDED, VALUES }; /* operands */
enum { ATTR_METRIC };

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static void bind(rp_op_call *call, char symbol, uint64_t value) {
    call->symbols[symbol - 'A'] = value;
}

bool rp_nearest_rule(rp_op_call *call) {
    uint64_t n = rp_sym(call, 'N'), words = rp_sym(call, 'W'), parts = rp_sym(call, 'P');
    bool bits = call->attrs[ATTR_METRIC] == RP_NEAREST_HAMMING;
    const rp_tensor *values = &call->operands[VALUES];
    if (parts > n)
        return rp_op_fail(call, "splits is %llu, but base has %llu rows", (unsigned long long)parts,
                          (unsigned long long)n);
    if (!call->operands[EXCLUDED].absent && words < ceil_div(n, 32))
        return rp_op_fail(call, "excluded has %llu words of 32 bits, but base has %llu rows",
                          (unsigned long long)words, (unsigned long long)n);
    for (uint32_t i = QUERIES; i <= BASE; i++)
        if ((call->operands[i].dtype == RP_U32) != bits)
            return rp_op_fail(
                call, "%s is %s, but metric %s compares %s", rp_op_operand_name(call, i),
                rp_dtype_name((rp_dtype)call->operands[i].dtype),
                bits ? "hamming" : "other than hamming", bits ? "words of u32" : "floats");
    if (!values->absent && values->dtype != RP_RAW && (values->dtype == RP_U32) != bits)
        return rp_op_fail(call, "values is %s; distances of this metric are %s",
                          rp_dtype_name((rp_dtype)values->dtype), bits ? "u32" : "floats");
    return true;
}

/* ---- stream ---------------------------------------------------------------------------------- */

/* Threads and registers for the queries of a workgroup: 4 sums each; 16 elements of each of 4 rows
 * are on their way, `ahead` times. More on its way hides more of memory's latency, as far as
 * registers go; with few queries a workgroup looks at its lists only every `turns` turns. Measured
 * on one large GPU. */
typedef struct stream_shape {
    uint8_t queries; /* up to so many */
    uint8_t ahead, turns;
    uint16_t threads;
    uint16_t registers; /* that it takes */
} stream_shape;

static const stream_shape stream_shapes[] = {
    {2, 4, 4, 256, 186},
    {4, 4, 2, 256, 186},
    {10, 2, 1, 512, 128},
    {8, 1, 1, 256, 96}, /* where registers are few, or unknown */
};
enum { STREAM_SHAPES = sizeof stream_shapes / sizeof *stream_shapes };

enum { LIST = 64, ROW_OF_RANK = 256, FEW_BYTES = 1024 };

typedef struct stream_plan {
    const stream_shape *shape;
    uint64_t groups, queries, list, staged;
} stream_plan;

/* Places of a list: twice what is wanted. */
static uint64_t list_of(uint64_t k) {
    uint64_t places = LIST;
    while (places < 2 * k) places *= 2;
    return places;
}

static stream_plan plan_stream(uint64_t queries, uint64_t length, uint64_t k,
                               const rp_target *target) {
    stream_plan p = {.list = list_of(k)};
    uint64_t room = target->shared_bytes - FEW_BYTES, row = (length + 15) / 16 * 64;
    for (uint32_t i = 0; i < STREAM_SHAPES; i++) {
        p.shape = &stream_shapes[i];
        bool fits = p.shape->registers <= target->register_words &&
                    p.shape->threads <= target->invocations && !rp_target_is_software(target);
        if (fits && queries <= p.shape->queries) break;
        if (i + 2 == STREAM_SHAPES && fits) break; /* the largest, several times */
    }
    uint64_t most = p.shape->queries;
    while (most > 1 && most * (row + 8 * p.list) > room) most--;
    p.groups = ceil_div(queries, most);
    p.queries = ceil_div(queries, p.groups);
    p.staged = p.queries * (row + 8 * p.list) <= room;
    return p;
}

static void bind_stream(rp_op_call *call, const rp_target *target) {
    stream_plan p = plan_stream(rp_sym(call, 'Q'), rp_sym(call, 'D'), rp_sym(call, 'K'), target);
    uint64_t steps = rp_sym(call, 'D') / 16, ahead = p.shape->ahead;
    while (ahead > 1 && steps % ahead != 0) ahead /= 2;
    bind(call, 'B', p.groups);
    bind(call, 'C', p.list);
    bind(call, 'G', p.queries);
    bind(call, 'H', ahead);
    bind(call, 'R', p.shape->turns);
    bind(call, 'S', p.staged && steps ? p.queries * steps * 4 : 1);
    bind(call, 'T', p.shape->threads);
}

static void explain_stream(const rp_op_call *call, const rp_target *target, rp_text *text) {
    (void)target;
    rp_text_format(text, "%llu queries a workgroup of %llu threads",
                   (unsigned long long)rp_sym(call, 'G'), (unsigned long long)rp_sym(call, 'T'));
}

/* ---- The table ------------------------------------------------------------------------------- */

const rp_op_variant rp_nearest_variants[] = {
    {
        .name = "stream",
        .when = "always",
        .why = "reads the base once for up to 10 queries; four threads share four rows, whose "
               "elements are on their way long before they are needed",
        .text = 2000,
        .threads = 512,
        .groups = "BP",
        .sites = {9, 10, 1, 2, 1},
        .reads = {"BPD", "BND"},
        .bind = bind_stream,
        .explain = explain_stream,
    },
    {0},
};

/* ---- Parts ----------------------------------------------------------------------------------- */

enum { PART_ROWS = 1024, MOST_PARTS = 1024 }; /* rows that are worth a part */

uint64_t rp_nearest_parts(uint64_t queries, uint64_t rows, uint64_t length, uint64_t k,
                          const rp_target *target) {
    stream_plan p = plan_stream(queries, length, k, target);
    uint64_t parts = target->multiprocessors / p.groups;
    parts = least(least(parts, rows / PART_ROWS), MOST_PARTS);
    return parts < 1 ? 1 : parts;
}
