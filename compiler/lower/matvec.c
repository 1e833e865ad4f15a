/* Matrix-vector products: what decoding a language model consists of, and bound by reading weights.
 *
 * There is a workgroup for each multiprocessor, as far as there are rows, with as many rows as the
 * others. Its subgroups compute one after the other, lanes striding along a row with loads of 16
 * bytes; the first weights of the next rows are on their way while the last of these are used.
 * Around that the node may hold what makes x and what becomes of the results:
 *
 *   x         is brought or computed by every workgroup again, normalisation included, into shared
 *             memory: a few thousand elements cost less than a dispatch and a barrier. What it is
 *             made of is loaded first, once, before the first weights, which take longer and for
 *             which nothing has to be waited; and so is what the results meet behind the product.
 *   sections  products whose results meet later (gate and up) are one section: the same workgroups
 *             compute the same rows of each, a loop over columns for all. The others (q, k and v)
 *             follow one another in the grid.
 *   epilogues the rows of a workgroup lie in shared memory at the end, and its threads do
 *             everything downstream of them, element by element; or, where an op like rope needs
 *             two, pair by pair: then a workgroup has a range of pairs, whose rows the op tells.
 *   blocks    of q8_0 and q4_0 have 34 and 18 bytes: no load of them wider than 2 bytes is aligned.
 *             So where rows begin at multiples of 16 bytes a lane loads 16 bytes wherever blocks
 *             begin, and x is staged so that each byte meets its elements, and scales meet zeros.
 *   columns   unpacking a code takes longer than reading it. With an instruction for products of
 *             four bytes codes stay as they are, and one vector becomes digits of 8 bits. A lane has
 *             the same two blocks of columns in each row, so that their digits stay in registers;
 *             rows come to lanes through shared memory. A wide row is for several subgroups.
 *
 * The order of a sum depends on M, K, the weight's dtype and alignment, the target and the
 * subgroup's size alone: whatever is fused to a product, and however its rows are dealt out here, its
 * results are the same bits. */
#include "lower/matvec.h"

#include "base/checked.h"
#include "reprise/needs.h"

enum {
    SMALL_GROUP = 256, /* threads */
    LARGE_GROUP = 512,
    TILE_STEP = 512, /* a chunk of 8 for each of 64 lanes: tiles do not change who adds what */
    MAX_LOADS = 8,
    RESULTS = 2048,  /* sums of a workgroup in shared memory, about */
    FEW_ROWS = 16,   /* for each multiprocessor */
    MANY_TURNS = 16, /* of the rows of a workgroup */
    COLUMNS = 64,    /* two blocks, which are a multiple of 4 bytes */
    MOST_PARTS = 16,
};

/* Loads of 16 bytes of a lane that do not wait for one another, rows times depth: a power of two, so
 * many that all lanes of a busy device together keep its memory busy. */
static uint32_t loads_in_flight(const rp_target *t) {
    uint32_t loads = 1;
    while (loads < MAX_LOADS &&
           16 * loads * t->multiprocessors * t->busy_invocations < t->flight_bytes)
        loads *= 2;
    return loads;
}

/* x is computed by each workgroup: fewer of them, of more threads, where several such are resident
 * and cover each other's barriers. */
static uint32_t choose_threads(const rp_target *t) {
    bool large = t->workgroup_x >= LARGE_GROUP && t->invocations >= LARGE_GROUP &&
                 t->resident_invocations >= 4 * LARGE_GROUP;
    return large ? LARGE_GROUP : SMALL_GROUP;
}

static uint64_t symbol(const rp_emit *e, uint32_t member, char name) {
    return rp_sym(&e->members[member].call, name);
}

/* ---- Products -------------------------------------------------------------------------------- */

/* Whether every index of the weight's array fits 32 bits. */
static bool counts(const rp_emit *e, uint32_t member, bool narrow) {
    uint64_t elements, words = UINT64_MAX;
    if (!rp_mul_u64(symbol(e, member, 'M'), symbol(e, member, 'K'), &elements)) return false;
    switch ((rp_dtype)e->members[member].operands[RP_MATVEC_WEIGHT].dtype) {
    case RP_F32: words = narrow ? elements : elements / 4; break;
    case RP_F16:
    case RP_BF16: words = narrow ? elements : elements / 8; break;
    case RP_Q8_0: words = elements / 32 * 17; break;
    case RP_Q4_0: words = elements / 32 * 9; break;
    case RP_RAW:
    case RP_I8:
    case RP_U8:
    case RP_I32:
    case RP_U32:
    case RP_I16:
    case RP_U16:
    case RP_I64:
    case RP_U64:
    case RP_F64:
    case RP_BOOL: break; /* no weight has one of these */
    }
    return words <= UINT32_MAX - RP_ARENA_ALIGNMENT; /* what stands before a view included */
}

/* Vectors of four elements of x as rows of blocks meet it: for each byte one, or in q4_0 two. */
static uint64_t word_vectors(const rp_matvec *m, uint8_t layout) {
    if (!rp_matvec_is_words(layout)) return 0;
    return m->b * (m->k / 32) * (layout == RP_MATVEC_Q8_0 ? 34 : 36) / 4;
}

/* Vectors of shared memory, where first x lies in digits and then weights of all subgroups do. */
static uint64_t column_vectors(const rp_matvec *m, uint8_t layout) {
    uint64_t x = (uint64_t)m->parts * m->lanes * RP_MATVEC_COLUMN_VECTORS;
    uint64_t weights = (uint64_t)(m->threads / m->lanes) * rp_matvec_column_rows(m, layout) *
                       rp_matvec_column_vectors(m, layout);
    return x > weights ? x : weights;
}

/* Whether one vector's products with blocks are computed in the layouts of columns: its lanes are as
 * many as the target's, and three of four have something to do. */
static bool fits_columns(rp_matvec *m) {
    const rp_target *t = rp_matvec_target(m);
    m->lanes = (uint32_t)t->subgroup;
    if (m->b != 1 || m->k % 256 != 0 || !rp_target_has(t, RP_NEED_INT_DOT) ||
        !rp_target_stages(t) || m->lanes < 8 || m->lanes > 64)
        return false;
    uint64_t part = (uint64_t)COLUMNS * m->lanes, parts = (m->k + part - 1) / part;
    if (parts > MOST_PARTS || 4 * m->k < 3 * parts * part) return false;
    m->parts = (uint32_t)parts;
    for (;; m->threads = SMALL_GROUP) {
        if (column_vectors(m, RP_MATVEC_COLUMNS_Q8_0) * 16 + RP_MATVEC_RESERVE <= t->shared_bytes)
            return m->threads / m->lanes >= parts;
        if (m->threads == SMALL_GROUP) return false;
    }
}

/* A question of the op and the target alone, for the order of its sums is another. */
static uint8_t layout_of(rp_matvec *m, uint32_t member) {
    uint8_t dtype = m->e->members[member].operands[RP_MATVEC_WEIGHT].dtype;
    bool wide = dtype == RP_Q8_0;
    if ((!wide && dtype != RP_Q4_0) || m->k % 256 != 0 ||
        !rp_matvec_starts_at(m->e, member, RP_MATVEC_WEIGHT, 16))
        return RP_MATVEC_PLAIN;
    if (fits_columns(m)) return wide ? RP_MATVEC_COLUMNS_Q8_0 : RP_MATVEC_COLUMNS_Q4_0;
    m->parts = 0;
    uint8_t layout = wide ? RP_MATVEC_Q8_0 : RP_MATVEC_Q4_0;
    bool fits =
        word_vectors(m, layout) * 16 + RP_MATVEC_RESERVE <= rp_matvec_target(m)->shared_bytes;
    return fits ? layout : RP_MATVEC_PLAIN;
}

static uint64_t layout_vectors(const rp_matvec *m, uint8_t layout) {
    return rp_matvec_is_columns(layout) ? column_vectors(m, layout) : word_vectors(m, layout);
}

static void add_core(rp_matvec *m, uint32_t member) {
    rp_emit *e = m->e;
    const rp_graph_operand *o = e->members[member].operands;
    if (m->core_count == RP_MATVEC_MAX_CORES) {
        rp_emit_fail(e, "it has more than %d products", RP_MATVEC_MAX_CORES);
        return;
    }
    bool block = RP_DT(o[RP_MATVEC_WEIGHT].dtype) & RP_DT_BLOCK;
    bool narrow =
        !block && (m->k % 8 != 0 || !rp_matvec_starts_at(e, member, RP_MATVEC_WEIGHT, 16));
    if (m->b > RP_MATVEC_MAX_B || m->k > INT32_MAX || !counts(e, member, narrow)) {
        rp_emit_fail(e, "a product of %llu rows with a weight of %llu x %llu is too large",
                     (unsigned long long)m->b, (unsigned long long)symbol(e, member, 'M'),
                     (unsigned long long)m->k);
        return;
    }
    uint8_t layout = layout_of(m, member);
    m->narrow |= narrow;
    m->uses[layout] = true;
    if (layout_vectors(m, layout) > m->tile_vectors) m->tile_vectors = layout_vectors(m, layout);
    m->cores[m->core_count++] = (rp_matvec_core){.member = member,
                                                 .layout = layout,
                                                 .value = o[RP_MATVEC_OUT].value,
                                                 .section = RP_NONE,
                                                 .narrow = narrow,
                                                 .prefix = rp_emit_name(e, "m%u", member)};
}

/* ---- Sections -------------------------------------------------------------------------------- */

/* Pairs of rows of a section that an op takes two and two: rows of heads of D, of which R / 2 pairs
 * turn and the others stand alone (rope). */
static uint64_t pairs_of(const rp_emit *e, uint32_t pair, uint64_t rows) {
    const rp_op_call *call = &e->members[pair].call;
    uint64_t head = rp_sym(call, 'D');
    return rows / head * (head - rp_sym(call, 'R') / 2);
}

/* Rows of blocks for a subgroup: their words are no multiple of its lanes, so where there are rows
 * enough half a subgroup has one. */
static uint32_t word_rows(const rp_matvec *m, uint64_t rows) {
    return rows > FEW_ROWS * rp_matvec_target(m)->multiprocessors ? 2 : 1;
}

/* Products that meet are computed together: the first of them says where. */
static void find_sections(rp_matvec *m) {
    const rp_shape_member *members = m->e->shape.members;
    for (uint32_t i = 0; i < m->core_count; i++) {
        uint32_t first = members[m->cores[i].member].core, at = 0;
        while (at < m->section_count && m->cores[m->sections[at].first].member != first) at++;
        rp_matvec_section *s = &m->sections[at];
        if (at == m->section_count) {
            m->section_count++;
            *s = (rp_matvec_section){
                .first = i, .pair = members[first].pair, .rows = symbol(m->e, first, 'M')};
            s->word_rows = word_rows(m, s->rows);
            if (s->pair != RP_NONE) s->pairs = pairs_of(m->e, s->pair, s->rows);
        }
        s->cores[s->core_count++] = m->cores[i].value;
        m->cores[i].section = at;
    }
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

/* Workgroups of `span` rows each, up to and including each section; all of them. */
static uint64_t count_groups(rp_matvec *m, uint64_t span) {
    uint64_t groups = 0;
    for (uint32_t i = 0; i < m->section_count; i++) {
        rp_matvec_section *s = &m->sections[i];
        uint64_t units = s->pairs ? s->pairs : s->rows, each = s->pairs ? span / 2 : span;
        groups += units / each + (units % each != 0);
        s->end = groups;
    }
    return groups;
}

/* Rows that the subgroups of a workgroup compute at once. */
static uint64_t rows_at_once(const rp_matvec *m) {
    if (rp_matvec_is_all_columns(m)) return 2; /* a pair */
    uint64_t rows = (uint64_t)m->rows * (m->threads / RP_MATVEC_LANES);
    for (uint32_t i = 0; i < m->section_count; i++)
        if (m->uses[RP_MATVEC_PLAIN] || m->sections[i].word_rows == 1) return rows;
    return rows * 2;
}

/* Workgroups that keep the device busy, one or a few for each multiprocessor. */
static uint64_t enough_groups(const rp_matvec *m) {
    const rp_target *t = rp_matvec_target(m);
    uint64_t each = t->busy_invocations / m->threads;
    return t->multiprocessors * (each ? each : 1);
}

/* More rows for a subgroup look at x less often, which counts where there are several vectors, or
 * weights of few bytes; but they are no use where multiprocessors would have none. */
static void choose_rows(rp_matvec *m, uint32_t loads) {
    bool plain = m->uses[RP_MATVEC_PLAIN];
    uint64_t sums =
        m->b * rp_matvec_most_cores(m); /* of a row: accumulators of a lane, in registers */
    uint64_t enough = enough_groups(m);
    m->rows = plain && m->b < RP_MATVEC_MOST_ROWS ? (uint32_t)m->b : RP_MATVEC_MOST_ROWS;
    while (m->rows & (m->rows - 1)) m->rows--;
    for (; m->rows > 1; m->rows /= 2)
        if (m->rows * sums * 3 <= rp_matvec_target(m)->register_words &&
            m->rows * rp_matvec_most_cores(m) <= loads &&
            count_groups(m, rows_at_once(m)) >= enough / 4 * 3)
            break;
}

/* Sums of a workgroup for which there is shared memory. */
static uint64_t results_that_fit(const rp_matvec *m) {
    uint64_t other = RP_MATVEC_ROW_STEP_BYTES + 16 + 16 * m->tile_vectors;
    uint64_t shared = rp_matvec_target(m)->shared_bytes;
    uint64_t fit = shared > other ? (shared - other) / 4 : 0;
    return fit < RESULTS ? fit : RESULTS;
}

/* As few rows for each workgroup as give work to no more of them: what a subgroup has at a time is all
 * that need be whole. */
static void spread_rows(rp_matvec *m, uint64_t enough) {
    if (m->b > 1) return; /* what a turn computes for all vectors takes longer than what it loads */
    uint32_t unit = rp_matvec_is_all_columns(m) ? 1 : m->rows;
    for (uint32_t i = 0; i < m->section_count; i++)
        if (m->sections[i].pairs && unit == 1) unit = 2;
    while (m->span > unit && count_groups(m, m->span - unit) <= enough) m->span -= unit;
}

static void choose_sizes(rp_matvec *m) {
    uint32_t loads = loads_in_flight(rp_matvec_target(m));
    choose_rows(m, loads);
    uint64_t step = rows_at_once(m), enough = enough_groups(m);
    uint64_t sums = m->b * rp_matvec_most_cores(m) * rp_matvec_results_of_row(m), span = step;
    uint64_t most = results_that_fit(m) / sums / step * step;
    while (span + step <= most && count_groups(m, span) > enough) span += step;
    m->span = (uint32_t)span;
    spread_rows(m, enough);
    /* Where there are many rows, what they begin with does not matter: more is on its way. */
    if (span >= MANY_TURNS * step) loads *= 2;
    uint32_t lines = m->rows * rp_matvec_most_cores(m);
    m->depth = lines < loads ? loads / lines : 1;
    m->word_depth = m->rows > 1 ? 1 : 2;
    rp_emit_grid(m->e, count_groups(m, m->span));
}

/* ---- x --------------------------------------------------------------------------------------- */

static void name_variant(rp_matvec *m, const char *name) {
    for (uint32_t i = 0; i < m->core_count; i++) {
        rp_op_call *call = &m->e->members[m->cores[i].member].call;
        uint8_t layout = m->cores[i].layout;
        const char *own = rp_matvec_is_columns(layout) ? "columns"
                          : rp_matvec_is_words(layout) ? "words"
                                                       : name;
        call->variant = rp_op_variant_find(call->op, own);
    }
}

/* The first product of the plain layout; the layout is used. */
static const rp_matvec_core *plain_core(const rp_matvec *m) {
    uint32_t i = 0;
    while (m->cores[i].layout != RP_MATVEC_PLAIN) i++;
    return &m->cores[i];
}

/* How products of the plain layout get at x: all of it from shared memory where it fits, so that its
 * loads are waited for once; else from where it is. */
static void choose_plain(rp_matvec *m) {
    rp_emit *e = m->e;
    const rp_matvec_core *core = plain_core(m);
    const rp_graph_operand *x = &e->members[core->member].operands[RP_MATVEC_X];
    bool readable = !m->narrow && x->dtype == RP_F32 &&
                    rp_emit_is_plain(e, core->member, RP_MATVEC_X) &&
                    rp_matvec_starts_at(e, core->member, RP_MATVEC_X, 16);
    uint64_t other = rp_matvec_other_bytes(m), shared = rp_matvec_target(m)->shared_bytes;
    if (shared > UINT32_MAX) shared = UINT32_MAX;
    uint32_t room = other < shared ? (uint32_t)(shared - other) / (uint32_t)(4 * m->b) : 0;
    room = room / TILE_STEP * TILE_STEP;
    uint64_t whole = (m->k + TILE_STEP - 1) / TILE_STEP * TILE_STEP;
    m->tile = (uint32_t)m->k;
    if (readable && (whole > room || !rp_target_stages(rp_matvec_target(m)))) {
        m->stage = RP_MATVEC_DIRECT;
        name_variant(m, "direct");
        return;
    }
    if (room == 0) {
        rp_emit_fail(e, "%u products that meet do not fit shared memory", rp_matvec_most_cores(m));
        return;
    }
    m->stage = whole <= room ? RP_MATVEC_STAGED : RP_MATVEC_TILED;
    m->tile = whole <= room ? (uint32_t)((m->k + 3) / 4 * 4) : room;
    if (m->b * m->tile / 4 > m->tile_vectors) m->tile_vectors = m->b * m->tile / 4;
    const char *staged = m->stage == RP_MATVEC_STAGED ? "staged" : "tiled";
    name_variant(m, m->narrow ? "narrow" : staged);
}

static void choose_stage(rp_matvec *m) {
    if (m->tile_vectors * 16 + rp_matvec_other_bytes(m) > rp_matvec_target(m)->shared_bytes)
        rp_emit_fail(m->e, "%u products that meet do not fit shared memory",
                     rp_matvec_most_cores(m));
    else if (m->uses[RP_MATVEC_PLAIN])
        choose_plain(m);
    else
        name_variant(m, "staged"); /* all are of blocks, which have their own */
}

rp_status rp_emit_matvec(rp_emit *e) {
    if (rp_node_powers(e->graph, e->node))
        return rp_emit_fail(e,
                            "it is for a few vectors, whose number is fixed: matmul takes one that "
                            "follows live sizes");
    rp_matvec m = {.e = e, .b = e->shape.rows, .k = e->shape.columns};
    m.threads = choose_threads(rp_matvec_target(&m));
    for (uint32_t i = 0; i < e->member_count && e->status == RP_OK; i++)
        if (rp_matvec_is_product(e, i)) add_core(&m, i);
    if (e->status != RP_OK) return e->status;
    e->local = m.threads;
    if (m.parts) e->subgroup = m.lanes;
    e->extensions |= RP_EMIT_SUBGROUP;
    e->row_mode = RP_EMIT_ROW_FEW;
    e->row_count = (uint32_t)m.b;
    find_sections(&m);
    /* Compilers put loads from what is `readonly` behind the arithmetic, which takes long for blocks.
     * Where all is over in a few rounds that does not matter, and what else they do is of use. */
    for (uint32_t i = 0; i < m.section_count; i++)
        if (!m.uses[RP_MATVEC_PLAIN] && m.sections[i].word_rows > 1) e->keeps_order = true;
    if (rp_matvec_is_all_columns(&m)) e->keeps_order = true;
    choose_sizes(&m);
    choose_stage(&m);
    if (e->status != RP_OK) return e->status;
    e->looks_for_x = !m.uses[RP_MATVEC_PLAIN] || m.stage != RP_MATVEC_DIRECT;
    rp_matvec_choose_early(&m);
    rp_matvec_text(&m);
    return e->status;
}
