/* What a workgroup of products loads, waits for and computes before its first weights are used: which
 * inputs are brought to shared memory or asked for, and the text that does so. */
#include "lower/matvec.h"

/* Vectors of a copy that a thread has in registers while weights are on their way. */
enum { MOST_HELD = 4 };

/* ---- Which ----------------------------------------------------------------------------------- */

uint64_t rp_matvec_other_bytes(const rp_matvec *m) {
    uint64_t copies = 0;
    for (uint32_t i = 0; i < m->copy_count; i++)
        if (!m->copies[i].first) copies += 16 * m->copies[i].vectors;
    uint64_t results =
        (uint64_t)m->span * rp_matvec_most_cores(m) * m->b * rp_matvec_results_of_row(m);
    return RP_MATVEC_ROW_STEP_BYTES + 4 * results + copies + 16;
}

/* Elements: of x, or of a result. */
static uint64_t most_copied(const rp_matvec *m) {
    uint64_t most = m->k;
    for (uint32_t i = 0; i < m->section_count; i++)
        if (m->sections[i].rows > most) most = m->sections[i].rows;
    return most * m->b;
}

/* Whether the kernel writes anything of the buffer that the operand is in. */
static bool is_written(const rp_emit *e, uint32_t use) {
    const rp_graph_use *uses = rp_node_uses(e->graph, e->node);
    for (uint32_t i = 0; i < e->node->use_count; i++)
        if (uses[i].buffer == uses[use].buffer && rp_access_writes(uses[i].access)) return true;
    return uses[use].access != RP_READ;
}

static bool is_in_copy(const rp_matvec *m, uint32_t use) {
    for (uint32_t i = 0; i < m->copy_count; i++) {
        const rp_matvec_copy *c = &m->copies[i];
        if (m->e->members[c->member].operands[c->operand].use == use) return true;
    }
    return false;
}

static bool is_copied(const rp_matvec *m, uint32_t use) {
    if (is_in_copy(m, use)) return true;
    for (uint32_t i = 0; i < m->single_count; i++)
        if (m->e->members[m->singles[i][0]].operands[m->singles[i][1]].use == use) return true;
    return false;
}

static void add_single(rp_matvec *m, uint32_t member, uint32_t operand) {
    uint8_t dtype = m->e->members[member].operands[operand].dtype;
    if ((dtype != RP_F32 && dtype != RP_U32 && dtype != RP_I32) ||
        m->single_count == RP_MATVEC_MAX_SINGLES)
        return;
    m->singles[m->single_count][0] = member;
    m->singles[m->single_count++][1] = operand;
}

/* Whether an operand is what `use` reads or comes, like it, from before x. */
static bool is_before_x(const rp_matvec *m, const rp_graph_operand *o, uint32_t use) {
    const rp_emit *e = m->e;
    const rp_emit_set *upstream = &e->members[m->cores[0].member].upstream;
    if (o->absent) return false;
    if (o->value == RP_NONE) return o->use == use;
    return rp_emit_has(upstream, e->values[o->value].member);
}

/* Whether nothing but x is made of it: what else is computed, is computed later. */
static bool is_of_x(const rp_matvec *m, uint32_t use) {
    const rp_emit *e = m->e;
    const rp_emit_set *upstream = &e->members[m->cores[0].member].upstream;
    for (uint32_t v = 0; v < e->value_count; v++)
        if (e->values[v].use != RP_NONE && rp_emit_has(upstream, e->values[v].member)) return false;
    for (uint32_t i = 0; i < e->member_count; i++)
        for (uint32_t k = 0; k < e->members[i].call.operand_count; k++)
            if (!rp_emit_has(upstream, i) && (!rp_matvec_is_product(e, i) || k != RP_MATVEC_X) &&
                is_before_x(m, &e->members[i].operands[k], use))
                return false;
    return true;
}

/* Whether a workgroup makes digits of x once, before weights come there: it has blocks of one kind. */
static bool is_staged_once(const rp_matvec *m) {
    for (uint32_t i = 0; i < m->core_count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (m->cores[i].section == m->cores[k].section &&
                m->cores[i].layout != m->cores[k].layout)
                return false;
    return rp_matvec_is_all_columns(m);
}

/* Where a copy can begin in the tile: behind x in digits, as long as no weights come there. 0: nowhere. */
static uint64_t lent_vectors(const rp_matvec *m, uint32_t use) {
    if (!is_staged_once(m) || !is_of_x(m, use)) return 0;
    uint64_t first = (uint64_t)m->parts * m->lanes * RP_MATVEC_COLUMN_VECTORS;
    for (uint32_t i = 0; i < m->copy_count; i++)
        if (m->copies[i].first) first += m->copies[i].vectors;
    return first;
}

/* An input of a member that is in memory, and no larger than x or a result: brought to shared memory
 * before anything is computed of it, so that nobody waits for it later. */
static void add_copy(rp_matvec *m, uint32_t member, uint32_t operand) {
    rp_emit *e = m->e;
    const rp_graph_operand *o = &e->members[member].operands[operand];
    if (o->absent || o->use == RP_NONE || !rp_emit_is_plain(e, member, operand) ||
        rp_emit_is_output(e, member, operand) || is_written(e, o->use) || is_copied(m, o->use))
        return;
    uint64_t elements = rp_tensor_elements(&e->members[member].call.operands[operand]);
    uint64_t bytes = elements * rp_dtype_size((rp_dtype)o->dtype);
    if (rp_node_uses(e->graph, e->node)[o->use].size != bytes)
        return; /* it is seen otherwise, too */
    if (elements == 1) {
        add_single(m, member, operand);
        return;
    }
    if (e->members[member].is_prepared) return;
    uint64_t first = m->tile_is_x ? 0 : lent_vectors(m, o->use);
    uint64_t tile = first + elements / 4 > m->tile_vectors && (first || m->tile_is_x)
                        ? first + elements / 4
                        : m->tile_vectors;
    uint64_t more = m->tile_is_x || first ? 0 : elements / 4 * 16;
    if (o->dtype != RP_F32 || m->copy_count == RP_MATVEC_MAX_COPIES ||
        !rp_matvec_starts_at(e, member, operand, 16) || elements % 4 || elements > most_copied(m) ||
        tile * 16 + more + rp_matvec_other_bytes(m) > rp_matvec_target(m)->shared_bytes)
        return;
    m->tile_vectors = tile;
    bool tiled = m->tile_is_x || first;
    m->copies[m->copy_count++] =
        (rp_matvec_copy){.member = member,
                         .operand = operand,
                         .vectors = elements / 4,
                         .first = first,
                         .name = tiled ? "matvec_tile" : rp_emit_name(e, "copy%u", o->use)};
    m->tile_is_x = false;
}

/* Who waits asks for all of x again and again, and takes the memory's time from those it waits for, unless
 * they have their multiprocessor for themselves. So a workgroup that waits takes so much shared memory
 * that no other one fits beside it: it then begins when one of those before it has ended. */
static void leave_no_room(rp_matvec *m) {
    enum { ALONE_BYTES = 44000 }; /* drivers give workgroups less than twice as much to share */
    uint64_t used = m->tile_vectors * 16 + rp_matvec_other_bytes(m);
    if (!rp_node_waits(m->e->graph, m->e->node) || !rp_target_stages(rp_matvec_target(m)) ||
        rp_matvec_target(m)->shared_bytes < ALONE_BYTES + 16)
        return;
    m->alone = true;
    if (used < ALONE_BYTES) m->tile_vectors += (ALONE_BYTES - used + 15) / 16;
}

static void choose_copies(rp_matvec *m) {
    rp_emit *e = m->e;
    uint32_t product = m->cores[0].member;
    if (!rp_target_stages(rp_matvec_target(m))) return;
    if (rp_emit_is_plain(e, product, RP_MATVEC_X) && m->stage != RP_MATVEC_DIRECT) {
        bool plain = true;
        for (uint8_t i = RP_MATVEC_PLAIN + 1; i < RP_MATVEC_LAYOUTS; i++) plain &= !m->uses[i];
        /* A copy has its rows one behind the other, the tile begins them at fours. */
        bool whole = m->stage == RP_MATVEC_STAGED && plain && (m->b == 1 || m->k % 4 == 0);
        m->tile_is_x = whole;
        /* For digits it is loaded as early, into registers, where nobody waits for it. */
        if (!rp_matvec_is_all_columns(m) || rp_emit_is_tagged(e, product, RP_MATVEC_X))
            add_copy(m, product, RP_MATVEC_X);
        m->tile_is_x = whole && m->copy_count == 1;
    }
    bool x_first = m->tile_is_x;
    m->tile_is_x = false;
    for (uint32_t down = 0; down < 2; down++)
        for (uint32_t i = 0; i < e->member_count; i++)
            if (rp_emit_has(&e->members[product].upstream, i) == !down &&
                !rp_matvec_is_product(e, i))
                for (uint32_t k = 0; k < e->members[i].call.operand_count; k++)
                    if (!down || !rp_emit_is_tagged(e, i, k)) add_copy(m, i, k);
    m->tile_is_x = x_first;
    for (uint32_t i = 0; i < m->copy_count; i++)
        rp_emit_read_copy(e, m->copies[i].member, m->copies[i].operand, m->copies[i].name,
                          m->copies[i].first);
    for (uint32_t i = 0; i < m->single_count; i++)
        rp_emit_read_single(e, m->singles[i][0], m->singles[i][1], rp_emit_name(e, "single%u", i));
}

/* What results meet element by element, and nobody brings to shared memory: other workgroups may still have to
 * store it, so each thread asks for its first element before all else. Rows that go in pairs have
 * two results a thread. */
static void choose_asks(rp_matvec *m) {
    rp_emit *e = m->e;
    const rp_emit_set *upstream = &e->members[m->cores[0].member].upstream;
    const rp_matvec_section *s = &m->sections[0];
    if (m->section_count != 1 || s->pair != RP_NONE) return;
    for (uint32_t i = 0; i < e->member_count; i++)
        for (uint32_t k = 0; k < e->members[i].call.operand_count && !rp_matvec_is_product(e, i);
             k++) {
            const rp_graph_operand *o = &e->members[i].operands[k];
            if (o->absent || o->use == RP_NONE || rp_emit_is_output(e, i, k) ||
                rp_emit_has(upstream, i) || !rp_emit_is_tagged(e, i, k) || is_copied(m, o->use) ||
                rp_emit_is_late(e, o->use))
                continue;
            if (rp_tensor_elements(&e->members[i].call.operands[k]) == m->b * s->rows)
                rp_emit_ask_ahead(e, o->use);
        }
}

/* Whether all that a pair op needs beside its elements is in memory, and in no copy, which comes later. */
static bool is_at_hand(const rp_matvec *m, uint32_t pair) {
    const rp_emit_member *member = &m->e->members[pair];
    for (uint32_t k = 1; k < member->call.operand_count; k++) {
        const rp_graph_operand *o = &member->operands[k];
        if (!o->absent && !rp_emit_is_output(m->e, pair, k) &&
            (o->value != RP_NONE || is_in_copy(m, o->use)))
            return false;
    }
    return true;
}

/* Pairs of rows have something to do that no element is needed for, the angles by which they turn: a
 * thread with one pair at most does it before it waits for x, and brings nothing to shared memory for it. */
static void prepare_pairs(rp_matvec *m) {
    for (uint32_t i = 0; i < m->section_count && m->b == 1; i++) {
        uint32_t pair = m->sections[i].pair;
        if (pair != RP_NONE && m->span / 2 <= m->threads)
            m->e->members[pair].is_prepared = is_at_hand(m, pair);
    }
}

/* What others have brought there is not at hand any more. */
static void leave_unprepared(rp_matvec *m) {
    for (uint32_t i = 0; i < m->section_count; i++) {
        uint32_t pair = m->sections[i].pair;
        if (pair != RP_NONE && !is_at_hand(m, pair)) m->e->members[pair].is_prepared = false;
    }
}

void rp_matvec_choose_early(rp_matvec *m) {
    prepare_pairs(m);
    choose_copies(m);
    leave_unprepared(m);
    choose_asks(m);
    leave_no_room(m);
}

/* ---- As text --------------------------------------------------------------------------------- */

/* Shared memory for x, and for what it is made of. */
void rp_matvec_put_shared(rp_matvec *m) {
    rp_emit *e = m->e;
    if (m->tile_vectors)
        rp_text_string(&e->globals, "shared vec4 matvec_tile[MATVEC_TILE_VECTORS]; // of x\n");
    for (uint32_t i = 0; i < m->copy_count; i++) {
        const rp_matvec_copy *c = &m->copies[i];
        rp_emit_uint(e, rp_emit_name(e, "MATVEC_COPY%u", i), c->vectors);
        if (!c->first && (!m->tile_is_x || i))
            rp_text_format(&e->globals, "shared vec4 %s[MATVEC_COPY%u];\n", c->name, i);
    }
    for (uint32_t i = 0; i < m->single_count; i++)
        rp_text_format(&e->globals, "%s single%u;\n",
                       rp_emit_class(e->members[m->singles[i][0]].operands[m->singles[i][1]].dtype),
                       i);
}

/* How many vectors of a copy each thread holds while weights are on their way; the others come
 * behind them. */
static const char *held_of(rp_matvec *m, uint32_t copy) {
    uint64_t held = (m->copies[copy].vectors + m->threads - 1) / m->threads;
    return rp_emit_uint(m->e, rp_emit_name(m->e, "MATVEC_HELD%u", copy),
                        held < MOST_HELD ? held : MOST_HELD);
}

static bool is_waited_for(const rp_matvec *m, uint32_t copy) {
    return rp_emit_is_tagged(m->e, m->copies[copy].member, m->copies[copy].operand);
}

/* Of a copy that is tagged: how many words each thread holds, of as many elements as it would hold of
 * another at most. */
static const char *words_held_of(rp_matvec *m, uint32_t copy) {
    uint64_t held = (4 * m->copies[copy].vectors + m->threads - 1) / m->threads;
    return rp_emit_uint(m->e, rp_emit_name(m->e, "MATVEC_HELD%u", copy),
                        held < 4 * MOST_HELD ? held : 4 * MOST_HELD);
}

/* Loads them in the order in which they lie. */
static void put_words_held(rp_matvec *m, uint32_t copy, const char *indent) {
    const rp_matvec_copy *c = &m->copies[copy];
    rp_emit_array_type array = rp_emit_array(m->e, c->member, c->operand, NULL);
    rp_text_format(&m->e->main,
                   "%s[[unroll]] for (uint n = 0u; n < %s; n++) {\n"
                   "%s    uint at = gl_LocalInvocationIndex + n * gl_WorkGroupSize.x;\n"
                   "%s    held%u[n] = %s_at(min(at, 4u * MATVEC_COPY%u - 1u));\n"
                   "%s}\n",
                   indent, words_held_of(m, copy), indent, indent, copy, array.name, copy, indent);
}

/* Asks for what a thread's first result meets and others may still have to store. */
static void put_asks(rp_matvec *m, uint32_t section) {
    rp_emit *e = m->e;
    const rp_matvec_section *s = &m->sections[section];
    const char *rows = rp_emit_symbol(e, m->cores[s->first].member, 'M');
    for (uint32_t i = 0; i < e->asked_count; i++)
        rp_text_format(&e->main,
                       "    if (gl_LocalInvocationIndex < matvec_count * %s)\n"
                       "        %s(gl_LocalInvocationIndex / matvec_count * %s + matvec_base +\n"
                       "           gl_LocalInvocationIndex %% matvec_count);\n",
                       rp_emit_symbol(e, m->cores[s->first].member, 'B'),
                       rp_emit_ask_function(e, e->asked[i]), rows);
}

/* The loads of what x and the results are made of go first, before those of weights, which keep the
 * memory busy for longer; they are put to shared memory behind them. Words with tags too: mostly they
 * are there, or it takes so long that by then weights have come. */
void rp_matvec_put_loads(rp_matvec *m, uint32_t section) {
    rp_emit *e = m->e;
    rp_text *to = &e->main;
    put_asks(m, section);
    for (uint32_t i = 0; i < m->single_count; i++)
        rp_text_format(to, "    single%u = %s;\n", i,
                       rp_emit_element(e, m->singles[i][0], m->singles[i][1], NULL, "0u"));
    for (uint32_t i = 0; i < m->copy_count; i++) {
        const rp_matvec_copy *c = &m->copies[i];
        if (is_waited_for(m, i)) {
            rp_text_format(to, "    uint64_t held%u[%s];\n", i, words_held_of(m, i));
            put_words_held(m, i, "    ");
            continue;
        }
        const char *held = held_of(m, i), *at = rp_emit_name(e, "min(at, MATVEC_COPY%u - 1u)", i);
        rp_text_format(to,
                       "    vec4 held%u[%s];\n"
                       "    [[unroll]] for (uint n = 0u; n < %s; n++) {\n"
                       "        uint at = gl_LocalInvocationIndex + n * gl_WorkGroupSize.x;\n"
                       "        held%u[n] = %s;\n"
                       "    }\n",
                       i, held, held, i, rp_emit_element(e, c->member, c->operand, "vec4", at));
    }
}

/* Loads the words of tagged copies again, until all are there: together, so that their ways through
 * memory do not stand behind each other. Other copies are loaded once, and are there. */
static void put_wait(rp_matvec *m) {
    rp_emit *e = m->e;
    rp_text *to = &e->main;
    bool waits = false;
    for (uint32_t i = 0; i < m->copy_count; i++) waits |= is_waited_for(m, i);
    if (!waits) return;
    rp_text_string(to, "    for (uint spins = 0u;; spins++) {\n"
                       "        bool there = true;\n");
    for (uint32_t i = 0; i < m->copy_count; i++)
        if (is_waited_for(m, i))
            rp_text_format(to,
                           "        [[unroll]] for (uint n = 0u; n < %s; n++)\n"
                           "            there = there && is_stored(held%u[n]);\n",
                           words_held_of(m, i), i);
    rp_text_string(to, "        if (subgroupAll(there) || subgroupAny(gives_up(spins))) break;\n");
    for (uint32_t i = 0; i < m->copy_count; i++) {
        const rp_matvec_copy *c = &m->copies[i];
        if (!is_waited_for(m, i)) continue;
        if (!m->alone)
            rp_emit_await(e, to, e->members[c->member].operands[c->operand].use, "        ");
        put_words_held(m, i, "        ");
    }
    rp_text_string(to, "    }\n");
}

/* Where vector `at` of a copy is. */
static const char *place_of(rp_matvec *m, uint32_t copy, const char *at) {
    const rp_matvec_copy *c = &m->copies[copy];
    if (!c->first) return rp_emit_name(m->e, "%s[%s]", c->name, at);
    return rp_emit_name(m->e, "%s[%lluu + %s]", c->name, (unsigned long long)c->first, at);
}

void rp_matvec_put_copies(rp_matvec *m) {
    rp_emit *e = m->e;
    rp_text *to = &e->main;
    put_wait(m);
    for (uint32_t i = 0; i < m->copy_count; i++) {
        const rp_matvec_copy *c = &m->copies[i];
        bool words = is_waited_for(m, i);
        const char *held = words ? words_held_of(m, i) : held_of(m, i);
        const char *place = place_of(m, i, "at");
        if (words)
            rp_text_format(to,
                           "    [[unroll]] for (uint n = 0u; n < %s; n++) {\n"
                           "        uint at = gl_LocalInvocationIndex + n * gl_WorkGroupSize.x;\n"
                           "        if (at >= 4u * MATVEC_COPY%u) continue;\n"
                           "        uint element = %s_element(at);\n"
                           "        %s[element %% 4u] = uintBitsToFloat(uint(held%u[n]));\n"
                           "    }\n",
                           held, i, rp_emit_array(e, c->member, c->operand, NULL).name,
                           place_of(m, i, "element / 4u"), i);
        else
            rp_text_format(to,
                           "    [[unroll]] for (uint n = 0u; n < %s; n++) {\n"
                           "        uint at = gl_LocalInvocationIndex + n * gl_WorkGroupSize.x;\n"
                           "        if (at < MATVEC_COPY%u) %s = held%u[n];\n"
                           "    }\n",
                           held, i, place, i);
        rp_text_format(to,
                       "    for (uint at = gl_LocalInvocationIndex + %s * gl_WorkGroupSize.x%s;\n"
                       "         at < MATVEC_COPY%u; at += gl_WorkGroupSize.x)\n"
                       "        %s = %s;\n",
                       held, words ? " / 4u" : "", i, place,
                       rp_emit_element(e, c->member, c->operand, "vec4", "at"));
    }
    if (m->copy_count) rp_text_string(to, "    barrier();\n");
}

/* What a thread's pair needs beside its elements. */
void rp_matvec_put_prepare(rp_matvec *m, uint32_t section) {
    uint32_t pair = m->sections[section].pair;
    if (pair == RP_NONE || !m->e->members[pair].is_prepared) return;
    rp_text_format(&m->e->main,
                   "    if (gl_LocalInvocationIndex < matvec_count / 2u)\n"
                   "        %s(row%u(2u * gl_LocalInvocationIndex));\n",
                   rp_emit_pair(m->e, pair, "prepare"), section);
}
