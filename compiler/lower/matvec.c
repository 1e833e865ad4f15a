/* Matrix-vector products: what decoding a language model consists of, and bound by reading weights.
 *
 * A subgroup computes a few rows at once, its lanes striding along them with loads of 16 bytes.
 * Around that the node may hold what makes x and what becomes of the results:
 *
 *   x         is computed by every workgroup again, normalisation included, into shared memory: a
 *             few thousand elements cost less than a dispatch and a barrier. One that is in memory
 *             as it is gets read in place.
 *   sections  products whose results meet later (gate and up) are one section: the same workgroups
 *             compute the same rows of each. The others (q, k and v) follow one another in the
 * grid. epilogues the rows of a workgroup lie in shared memory at the end, and its threads do
 *             everything downstream of them, element by element; or, where an op like rope needs
 *             two, pair by pair. Then a workgroup looks which of a window of rows are the first of
 *             their pairs and computes these with their partners, wherever they are.
 *
 *   blocks    of q8_0 and q4_0 have 34 and 18 bytes: no load of them wider than 2 bytes is aligned.
 *             So where rows begin at multiples of 16 bytes a lane loads 16 bytes wherever blocks
 *             begin, and x is staged so that each byte meets its elements, and scales meet zeros.
 *
 * The order of a sum depends on K, the weight's dtype and alignment, the target and the subgroup's
 * size alone: whatever is fused to a product, and however many rows or tiles are chosen here, its results are
 * the same bits.
 *
 * Rows for a subgroup: more of them read x less often and keep more loads in flight, fewer make
 * more workgroups, which matters as long as there are not several for each processor. */
#include "lower/matvec.h"

#include "base/checked.h"

enum {
    ROW_STEP_BYTES = 2304,
    TILE_STEP = 512, /* a chunk of 8 for each of 64 lanes: tiles do not change who adds what */
    MAX_LOADS = 8,
    WORD_RESERVE = 6144, /* bytes of shared memory beside x in the layout of blocks */
};

static const rp_target *target_of(const rp_matvec *m) {
    return rp_graph_target(m->e->graph);
}

/* Loads of 16 bytes of a lane that do not wait for one another, rows times depth: a power of two, so
 * many that all lanes of a busy device together keep its memory busy. */
static uint32_t loads_in_flight(const rp_target *t) {
    uint32_t loads = 1;
    while (loads < MAX_LOADS &&
           16 * loads * t->multiprocessors * t->busy_invocations < t->flight_bytes)
        loads *= 2;
    return loads;
}

/* Elements that are staged in less time than they are met one by one: a quarter of workgroup
 * memory, where that is faster than caches at all. */
static uint64_t small_x(const rp_target *t) {
    return rp_target_stages(t) ? t->shared_bytes / (4 * sizeof(float)) : 0;
}

/* x is computed by each workgroup: fewer of them, of more threads, where several such are resident
 * and cover each other's barriers. */
static uint32_t choose_threads(const rp_target *t) {
    enum { SMALL = 256, LARGE = 512 };
    bool large =
        t->workgroup_x >= LARGE && t->invocations >= LARGE && t->resident_invocations >= 4 * LARGE;
    return large ? LARGE : SMALL;
}

static bool is_product(const rp_emit *e, uint32_t member) {
    return e->members[member].call.op->product;
}

static uint64_t symbol(const rp_emit *e, uint32_t member, char name) {
    return rp_sym(&e->members[member].call, name);
}

/* ---- Products -------------------------------------------------------------------------------- */

static bool starts_at(const rp_emit *e, uint32_t member, uint32_t operand, uint32_t alignment) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    return rp_node_uses(e->graph, e->node)[o->use].offset % alignment == 0;
}

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
    case RP_U32: break; /* no weight has one of these */
    }
    return words <= UINT32_MAX - RP_ARENA_ALIGNMENT; /* what stands before a view included */
}

/* Vectors of four elements of x as rows of blocks meet it: for each byte one, or in q4_0 two. */
static uint64_t word_vectors(const rp_matvec *m, uint8_t layout) {
    if (layout == RP_MATVEC_PLAIN) return 0;
    return m->b * (m->k / 32) * (layout == RP_MATVEC_Q8_0 ? 34 : 36) / 4;
}

/* A question of the op and the target alone, for the order of its sums is another. */
static uint8_t layout_of(const rp_matvec *m, uint32_t member) {
    uint8_t dtype = m->e->members[member].operands[RP_MATVEC_WEIGHT].dtype;
    uint8_t layout = dtype == RP_Q8_0   ? RP_MATVEC_Q8_0
                     : dtype == RP_Q4_0 ? RP_MATVEC_Q4_0
                                        : RP_MATVEC_PLAIN;
    bool fits = m->k % 256 == 0 && starts_at(m->e, member, RP_MATVEC_WEIGHT, 16) &&
                word_vectors(m, layout) * 16 + WORD_RESERVE <= target_of(m)->shared_bytes;
    return fits ? layout : RP_MATVEC_PLAIN;
}

static void add_core(rp_matvec *m, uint32_t member) {
    rp_emit *e = m->e;
    const rp_graph_operand *o = e->members[member].operands;
    if (m->core_count == RP_MATVEC_MAX_CORES) {
        rp_emit_fail(e, "it has more than %d products", RP_MATVEC_MAX_CORES);
        return;
    }
    bool block = RP_DT(o[RP_MATVEC_WEIGHT].dtype) & RP_DT_BLOCK;
    bool narrow = !block && (m->k % 8 != 0 || !starts_at(e, member, RP_MATVEC_WEIGHT, 16));
    if (m->b > RP_MATVEC_MAX_B || m->k > INT32_MAX || !counts(e, member, narrow)) {
        rp_emit_fail(e, "a product of %llu rows with a weight of %llu x %llu is too large",
                     (unsigned long long)m->b, (unsigned long long)symbol(e, member, 'M'),
                     (unsigned long long)m->k);
        return;
    }
    uint8_t layout = layout_of(m, member);
    m->narrow |= narrow;
    m->uses[layout] = true;
    if (word_vectors(m, layout) > m->tile_vectors) m->tile_vectors = word_vectors(m, layout);
    m->cores[m->core_count++] = (rp_matvec_core){.member = member,
                                                 .layout = layout,
                                                 .value = o[RP_MATVEC_OUT].value,
                                                 .section = RP_NONE,
                                                 .narrow = narrow,
                                                 .prefix = rp_emit_name(e, "m%u", member)};
}

/* ---- Sections -------------------------------------------------------------------------------- */

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
        }
        s->cores[s->core_count++] = m->cores[i].value;
        m->cores[i].section = at;
    }
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

/* Workgroups up to and including each section; all of them. */
static uint64_t count_groups(rp_matvec *m, uint32_t rows) {
    uint64_t groups = 0;
    for (uint32_t i = 0; i < m->section_count; i++) {
        rp_matvec_section *s = &m->sections[i];
        uint64_t slots = (uint64_t)rows * (m->threads / RP_MATVEC_LANES);
        if (s->pair != RP_NONE) slots /= 2; /* rows in the window of a workgroup */
        groups += s->rows / slots + (s->rows % slots != 0);
        s->end = groups;
    }
    return groups;
}

static uint32_t most_cores(const rp_matvec *m) {
    uint32_t most = 0;
    for (uint32_t i = 0; i < m->section_count; i++)
        if (m->sections[i].core_count > most) most = m->sections[i].core_count;
    return most;
}

/* Shared memory beside x. */
static uint64_t other_bytes(const rp_matvec *m, uint32_t rows) {
    uint64_t slots = (uint64_t)rows * (m->threads / RP_MATVEC_LANES);
    return ROW_STEP_BYTES + 4 * slots * (most_cores(m) * m->b + 1) + 16;
}

static void choose_rows(rp_matvec *m) {
    const rp_target *t = target_of(m);
    uint64_t sums = m->b * most_cores(m); /* of a row: accumulators of a lane, in registers */
    uint32_t loads = loads_in_flight(t);
    /* Unpacking blocks takes as long as loading them: rows that share x count for more. */
    uint64_t enough = (m->uses[RP_MATVEC_PLAIN] ? 1024 : 512) * t->multiprocessors / m->threads;
    for (m->rows = loads < 4 ? loads : 4; m->rows > 1; m->rows /= 2)
        if (m->rows * sums * 3 <= t->register_words && count_groups(m, m->rows) >= enough &&
            m->tile_vectors * 16 + other_bytes(m, m->rows) <= t->shared_bytes)
            break;
    m->depth = loads / m->rows;
    m->word_depth = m->rows > 1 ? 1 : 2;
    rp_emit_grid(m->e, count_groups(m, m->rows));
}

static void name_variant(rp_matvec *m, const char *name) {
    for (uint32_t i = 0; i < m->core_count; i++) {
        rp_op_call *call = &m->e->members[m->cores[i].member].call;
        bool words = m->cores[i].layout != RP_MATVEC_PLAIN;
        call->variant = rp_op_variant_find(call->op, words ? "words" : name);
    }
}

/* The first product of the plain layout; the layout is used. */
static const rp_matvec_core *plain_core(const rp_matvec *m) {
    uint32_t i = 0;
    while (m->cores[i].layout != RP_MATVEC_PLAIN) i++;
    return &m->cores[i];
}

/* How products of the plain layout get at x. */
static void choose_plain(rp_matvec *m) {
    rp_emit *e = m->e;
    const rp_matvec_core *core = plain_core(m);
    const rp_graph_operand *x = &e->members[core->member].operands[RP_MATVEC_X];
    m->tile = (uint32_t)m->k;
    if (!m->narrow && x->dtype == RP_F32 && m->b * m->k > small_x(target_of(m)) &&
        rp_emit_is_plain(e, core->member, RP_MATVEC_X) &&
        starts_at(e, core->member, RP_MATVEC_X, 16)) {
        m->stage = RP_MATVEC_DIRECT;
        name_variant(m, "direct");
        return;
    }
    uint64_t other = other_bytes(m, m->rows), shared = target_of(m)->shared_bytes;
    if (shared > UINT32_MAX) shared = UINT32_MAX;
    uint32_t room = other < shared ? (uint32_t)(shared - other) / (uint32_t)(4 * m->b) : 0;
    room = room / TILE_STEP * TILE_STEP;
    if (room == 0) {
        rp_emit_fail(e, "%u products that meet do not fit shared memory", most_cores(m));
        return;
    }
    uint64_t whole = (m->k + TILE_STEP - 1) / TILE_STEP * TILE_STEP;
    m->stage = whole <= room ? RP_MATVEC_STAGED : RP_MATVEC_TILED;
    m->tile = whole <= room ? (uint32_t)((m->k + 3) / 4 * 4) : room;
    if (m->b * m->tile / 4 > m->tile_vectors) m->tile_vectors = m->b * m->tile / 4;
    const char *staged = m->stage == RP_MATVEC_STAGED ? "staged" : "tiled";
    name_variant(m, m->narrow ? "narrow" : staged);
}

static void choose_stage(rp_matvec *m) {
    if (m->tile_vectors * 16 + other_bytes(m, m->rows) > target_of(m)->shared_bytes)
        rp_emit_fail(m->e, "%u products that meet do not fit shared memory", most_cores(m));
    else if (m->uses[RP_MATVEC_PLAIN])
        choose_plain(m);
    else
        name_variant(m, "words");
}

rp_status rp_emit_matvec(rp_emit *e) {
    rp_matvec m = {.e = e, .b = e->shape.rows, .k = e->shape.columns};
    for (uint32_t i = 0; i < e->member_count && e->status == RP_OK; i++)
        if (is_product(e, i)) add_core(&m, i);
    if (e->status != RP_OK) return e->status;
    e->local = m.threads = choose_threads(target_of(&m));
    e->extensions |= RP_EMIT_SUBGROUP;
    e->row_mode = RP_EMIT_ROW_FEW;
    e->row_count = (uint32_t)m.b;
    find_sections(&m);
    choose_rows(&m);
    choose_stage(&m);
    if (e->status != RP_OK) return e->status;
    rp_matvec_text(&m);
    return e->status;
}
