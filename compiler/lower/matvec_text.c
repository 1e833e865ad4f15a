/* The GLSL of matrix-vector products: what matvec.c decided, written down.
 *
 *   functions  readers of x and the stage; loads of each weight (kernels/matvec); epilogues
 *   main       a function for each section, and main() which finds the section of a workgroup
 *
 * The loops over columns are text of kernels/matvec, put into the sections as statements: arrays of
 * sums stay local variables, which compilers keep in registers. */
#include "lower/matvec.h"

/* ---- Weights and x --------------------------------------------------------------------------- */

static const char *layout_name(uint8_t layout) {
    return layout == RP_MATVEC_Q8_0 ? "q8_0" : "q4_0";
}

/* Of rows of blocks, 16 bytes at a time. */
static void put_words(rp_matvec *m, const rp_matvec_core *core) {
    rp_emit *e = m->e;
    bool wide = core->layout == RP_MATVEC_Q8_0;
    rp_text_format(&e->functions,
                   "const uint %s_WORDS = %s / 256u * %uu, %s_BLOCK = %uu, %s_PARTS = %uu;\n\n"
                   "uvec4 %s_weight(uint i) {\n    return %s;\n}\n\n",
                   core->prefix, rp_emit_symbol(e, core->member, 'K'), wide ? 17 : 9, core->prefix,
                   wide ? 34 : 18, core->prefix, wide ? 4 : 8, core->prefix,
                   rp_emit_element(e, core->member, RP_MATVEC_WEIGHT, "uvec4", "i"));
    rp_emit_core_text(e, &e->functions, core->member,
                      rp_matvec_source(e, wide ? "matvec/words_q8_0" : "matvec/words_q4_0"),
                      core->prefix);
    rp_text_char(&e->functions, '\n');
}

/* The function that loads from a weight, and the text that makes chunks of what it loads. */
static void put_weight(rp_matvec *m, const rp_matvec_core *core) {
    static const char *const files[] = {[RP_F32] = "matvec/f32",
                                        [RP_F16] = "matvec/f16",
                                        [RP_Q8_0] = "matvec/q8_0",
                                        [RP_Q4_0] = "matvec/q4_0",
                                        [RP_BF16] = "matvec/bf16"};
    rp_emit *e = m->e;
    uint8_t dtype = e->members[core->member].operands[RP_MATVEC_WEIGHT].dtype;
    if (core->layout != RP_MATVEC_PLAIN) {
        (rp_matvec_is_columns(core->layout) ? rp_matvec_column_weight : put_words)(m, core);
        return;
    }
    if (dtype >= sizeof files / sizeof *files || !files[dtype]) {
        rp_emit_fail(e, "weights of %s are not known here", rp_dtype_name(dtype));
        return;
    }
    bool half = core->narrow && (RP_DT(dtype) & RP_DT_HALF);
    const char *type = NULL, *result = "uint", *before = "uint(", *behind = ")";
    if (core->narrow) {
        result = "float";
    } else if (RP_DT(dtype) & RP_DT_FLOAT) {
        type = result = dtype == RP_F32 ? "vec4" : "uvec4";
    }
    if (half)
        before = dtype == RP_F16 ? "f16_to_f32(uint(" : "bf16_to_f32(uint(", behind = "))";
    else if (core->narrow || type)
        before = behind = "";
    const char *element = rp_emit_element(e, core->member, RP_MATVEC_WEIGHT, type, "i");
    rp_text_format(&e->functions, "%s %s_weight(uint i) {\n    return %s%s%s;\n}\n\n", result,
                   core->prefix, before, element, behind);
    if (core->narrow) return;
    rp_emit_core_text(e, &e->functions, core->member, rp_matvec_source(e, files[dtype]),
                      core->prefix);
    rp_text_char(&e->functions, '\n');
}

static void put_x(rp_matvec *m) {
    rp_emit *e = m->e;
    uint32_t member = m->cores[0].member;
    bool direct = m->stage == RP_MATVEC_DIRECT;
    for (uint8_t layout = RP_MATVEC_PLAIN + 1; layout < RP_MATVEC_LAYOUTS; layout++)
        if (m->uses[layout] && rp_matvec_is_words(layout)) {
            const char *file = rp_emit_name(e, "matvec/words_stage_%s", layout_name(layout));
            rp_emit_core_text(e, &e->functions, member, rp_matvec_source(e, file), NULL);
            rp_text_char(&e->functions, '\n');
        }
    if (!m->uses[RP_MATVEC_PLAIN]) return;
    if (direct)
        rp_text_format(&e->functions, "vec4 matvec_x(uint i) {\n    return %s;\n}\n\n",
                       rp_emit_element(e, member, RP_MATVEC_X, "vec4", "i"));
    const char *fours = m->stage == RP_MATVEC_STAGED ? "matvec/staged_4" : "matvec/staged_parts_4";
    const char *staged = m->k % 4 == 0 ? fours : "matvec/staged";
    rp_emit_core_text(e, &e->functions, member,
                      rp_matvec_source(e, direct ? "matvec/direct" : staged), NULL);
    rp_text_char(&e->functions, '\n');
}

/* ---- Sections -------------------------------------------------------------------------------- */

static bool in_layout(const rp_matvec *m, uint32_t core, uint32_t section, uint8_t layout) {
    return m->cores[core].section == section && m->cores[core].layout == layout;
}

/* The row of a slot of the workgroup, whose rows are those from matvec_base on; or the pairs from
 * there on, a slot each for their first and second row. */
static void put_row(rp_matvec *m, uint32_t section) {
    rp_emit *e = m->e;
    const rp_matvec_section *s = &m->sections[section];
    rp_text_format(&e->main, "uint row%u(uint slot) {\n    slot = min(slot, matvec_count - 1u);\n",
                   section);
    if (s->pair == RP_NONE) {
        rp_text_string(&e->main, "    return matvec_base + slot;\n}\n\n");
        return;
    }
    const char *pair = rp_emit_pair(e, s->pair, "pair");
    const char *first = rp_emit_pair(e, s->pair, "first");
    rp_text_format(&e->main,
                   "    uint row = %s(matvec_base + slot / 2u);\n"
                   "    return slot %% 2u == 0u ? row : %s(row);\n}\n\n",
                   first, pair);
}

/* The text of each of the section's products of a layout. */
static void put_each(rp_matvec *m, uint32_t section, uint8_t layout, bool narrow, const char *file,
                     const char *indent) {
    for (uint32_t i = m->sections[section].first; i < m->core_count; i++)
        if (in_layout(m, i, section, layout) && m->cores[i].narrow == narrow)
            rp_matvec_put(m->e, m->cores[i].member, file, m->cores[i].prefix, indent);
}

static bool has_wide(const rp_matvec *m, uint32_t section, uint8_t layout) {
    for (uint32_t i = m->sections[section].first; i < m->core_count; i++)
        if (in_layout(m, i, section, layout) && !m->cores[i].narrow) return true;
    return false;
}

/* What stands before x. */
static void put_before(rp_matvec *m, uint32_t section, bool first) {
    if (first) {
        rp_matvec_put_prepare(m, section);
        rp_matvec_put_copies(m);
    }
    if (m->row_steps && first) rp_text_format(&m->e->main, "    %s();\n", m->row_steps);
}

/* Brings x to where products of the layout read it, with what stands before. */
static void put_stage(rp_matvec *m, uint32_t section, uint8_t layout, bool first) {
    rp_text *to = &m->e->main;
    put_before(m, section, first);
    if (layout != RP_MATVEC_PLAIN)
        rp_text_format(to, "    stage_%s();\n", layout_name(layout));
    else if (m->stage == RP_MATVEC_STAGED && !m->tile_is_x)
        rp_text_string(to, m->k % 4 == 0 ? "    matvec_stage();\n" : "    matvec_stage(0u);\n");
}

/* The last ones' scales of the round before, of each product of blocks. */
static void put_last(rp_matvec *m, uint32_t section, uint8_t layout, const char *indent) {
    for (uint32_t i = m->sections[section].first; i < m->core_count; i++)
        if (in_layout(m, i, section, layout))
            rp_text_format(
                &m->e->main,
                "%sfloat %s_last[2u * MATVEC_ROWS];\n"
                "%s[[unroll]] for (uint i = 0u; i < 2u * MATVEC_ROWS; i++) %s_last[i] = 0.0;\n",
                indent, m->cores[i].prefix, indent, m->cores[i].prefix);
}

/* The first product of the section that has the layout. */
static const rp_matvec_core *core_of(const rp_matvec *m, uint32_t section, uint8_t layout) {
    uint32_t i = m->sections[section].first;
    while (!in_layout(m, i, section, layout)) i++;
    return &m->cores[i];
}

/* The loop over columns of MATVEC_ROWS rows, from `first` to `end`: of all products at once, which
 * look at the same x. */
static void put_columns(rp_matvec *m, uint32_t section, uint8_t layout, const char *indent) {
    rp_emit *e = m->e;
    rp_text *to = &e->main;
    bool words = layout != RP_MATVEC_PLAIN;
    const char *inner = rp_emit_name(e, "%s    ", indent);
    const char *begin = words ? "0u" : "first / 8u", *end = "end / 8u";
    const char *step = words ? "MATVEC_WORD_DEPTH" : "MATVEC_DEPTH";
    if (words) {
        put_last(m, section, layout, indent);
        end = rp_emit_name(e, "%s_WORDS", core_of(m, section, layout)->prefix);
    }
    if (has_wide(m, section, layout)) {
        rp_text_format(to,
                       "%sfor (uint round = %s; round < %s; round += %s * matvec_lanes) {\n"
                       "%sbool last = round + %s * matvec_lanes >= %s;\n"
                       "%suint next = last ? %s : round + %s * matvec_lanes;\n"
                       "%sbool more = !last || ahead;\n",
                       indent, begin, end, step, inner, step, end, inner, begin, step, inner);
        put_each(m, section, layout, false, words ? "matvec/words_next" : "matvec/wide_next",
                 inner);
        put_each(m, section, layout, false, words ? "matvec/words_wide" : "matvec/wide", inner);
        rp_text_format(to, "%s}\n", indent);
    }
    put_each(m, section, layout, true, "matvec/narrow", indent);
}

static void put_rows(rp_matvec *m, uint32_t section, const char *name, const char *slot,
                     const char *indent) {
    rp_text_format(&m->e->main,
                   "%suint %s[MATVEC_ROWS];\n"
                   "%s[[unroll]] for (uint r = 0u; r < MATVEC_ROWS; r++) %s[r] = row%u(%s + r);\n",
                   indent, name, indent, name, section, slot);
}

static void put_sums(rp_matvec *m, uint32_t section, uint8_t layout) {
    const char *b = rp_emit_symbol(m->e, m->cores[m->sections[section].first].member, 'B');
    for (uint32_t i = m->sections[section].first; i < m->core_count; i++)
        if (in_layout(m, i, section, layout))
            rp_text_format(&m->e->main,
                           "        precise float %s_sums[MATVEC_ROWS * %s];\n"
                           "        [[unroll]] for (uint i = 0u; i < MATVEC_ROWS * %s; i++) "
                           "%s_sums[i] = 0.0;\n",
                           m->cores[i].prefix, b, b, m->cores[i].prefix);
}

/* Sums over lanes, to matvec_results. */
static void put_results(rp_matvec *m, uint32_t section, uint8_t layout) {
    rp_text *to = &m->e->main;
    const char *b = rp_emit_symbol(m->e, m->cores[m->sections[section].first].member, 'B');
    rp_text_format(to, "        [[unroll]] for (uint i = 0u; i < MATVEC_ROWS * %s; i++) {\n", b);
    for (uint32_t i = m->sections[section].first, n = 0; i < m->core_count; i++) {
        if (m->cores[i].section != section) continue;
        if (m->cores[i].layout == layout)
            rp_text_format(
                to,
                "            float sum%u = %s(%s_sums[i]);\n"
                "            if (matvec_lane == 0u && slot + i / %s < matvec_count)\n"
                "                matvec_results[%uu * MATVEC_RESULTS + slot * %s + i] = sum%u;\n",
                n, layout == RP_MATVEC_PLAIN ? "subgroupAdd" : "matvec_add", m->cores[i].prefix, b,
                n, b, n);
        n++;
    }
    rp_text_string(to, "        }\n");
}

/* Which lanes share a row, and which rows the lane begins with: slots `turn` + `share` of the
 * workgroup, of `step` at a time. */
static void put_shares(rp_matvec *m, uint32_t section, uint8_t layout) {
    rp_emit *e = m->e;
    rp_text *to = &e->main;
    rp_text_string(to, "    uint lanes = gl_WorkGroupSize.x / gl_NumSubgroups;\n");
    if (layout == RP_MATVEC_PLAIN)
        rp_text_string(to, "    matvec_lanes = lanes;\n");
    else
        rp_text_format(to, "    matvec_lanes = lanes / %s;\n",
                       rp_emit_uint(e, rp_emit_name(e, "MATVEC_WORD_ROWS%u", section),
                                    m->sections[section].word_rows));
    rp_text_string(to, "    matvec_lane = gl_SubgroupInvocationID % matvec_lanes;\n"
                       "    uint share = gl_SubgroupInvocationID / matvec_lanes * MATVEC_ROWS;\n"
                       "    uint turn = gl_SubgroupID * (lanes / matvec_lanes) * MATVEC_ROWS;\n"
                       "    uint step = gl_NumSubgroups * (lanes / matvec_lanes) * MATVEC_ROWS;\n");
}

/* Rows in turn, with all columns: the first weights of the next rows are loaded while the last of
 * these are used. */
static void put_whole(rp_matvec *m, uint32_t section, uint8_t layout, bool first) {
    rp_text *to = &m->e->main;
    const char *k = rp_emit_symbol(m->e, m->cores[m->sections[section].first].member, 'K');
    bool words = layout != RP_MATVEC_PLAIN;
    rp_text_format(to, "    uint slot = turn + share;\n    const uint first = 0u, end = %s;\n", k);
    if (first) rp_matvec_put_loads(m, section);
    put_rows(m, section, "rows", "slot", "    ");
    put_each(m, section, layout, false, words ? "matvec/words_fetch" : "matvec/fetch", "    ");
    put_stage(m, section, layout, first);
    rp_text_string(to, "    for (; turn < matvec_count; turn += step) {\n"
                       "        bool ahead = turn + step < matvec_count;\n"
                       "        slot = turn + share;\n");
    put_rows(m, section, "after", "slot + step", "        ");
    put_sums(m, section, layout);
    put_columns(m, section, layout, "        ");
    put_results(m, section, layout);
    rp_text_string(
        to, "        [[unroll]] for (uint r = 0u; r < MATVEC_ROWS; r++) rows[r] = after[r];\n"
            "    }\n");
}

/* The same with x in parts, which all subgroups bring and use together. */
static void put_tiled(rp_matvec *m, uint32_t section, uint8_t layout, bool first) {
    rp_text *to = &m->e->main;
    const char *k = rp_emit_symbol(m->e, m->cores[m->sections[section].first].member, 'K');
    if (first) rp_matvec_put_loads(m, section);
    put_stage(m, section, layout, first);
    rp_text_string(to, "    for (; turn - turn % step < matvec_count; turn += step) {\n"
                       "        uint slot = turn + share;\n"
                       "        const bool ahead = false;\n");
    put_rows(m, section, "rows", "slot", "        ");
    put_rows(m, section, "after", "slot", "        ");
    put_sums(m, section, layout);
    rp_text_format(to,
                   "        for (uint first = 0u; first < %s; first += MATVEC_TILE) {\n"
                   "            uint end = min(first + MATVEC_TILE, %s);\n",
                   k, k);
    put_each(m, section, layout, false, "matvec/fetch", "            ");
    rp_text_string(to, "            matvec_stage(first);\n"
                       "            if (turn < matvec_count) {\n");
    put_columns(m, section, layout, "                ");
    rp_text_string(to, "            }\n        }\n");
    put_results(m, section, layout);
    rp_text_string(to, "    }\n");
}

/* Whether x is in memory and can be loaded before all else: no copy of it, and nobody waits for it. */
static bool is_loaded_early(const rp_matvec *m) {
    const rp_emit *e = m->e;
    uint32_t member = m->cores[0].member, use = e->members[member].operands[RP_MATVEC_X].use;
    for (uint32_t i = 0; i < m->copy_count; i++)
        if (e->members[m->copies[i].member].operands[m->copies[i].operand].use == use) return false;
    return rp_emit_is_plain(e, member, RP_MATVEC_X) && !rp_emit_is_tagged(e, member, RP_MATVEC_X);
}

/* Rows of blocks that come through shared memory, x being in registers; what makes x is loaded first. */
static void put_columns_layout(rp_matvec *m, uint32_t section, uint8_t layout, bool first) {
    bool early = is_loaded_early(m);
    rp_matvec_column_shares(m);
    if (first) rp_matvec_put_loads(m, section);
    if (early) rp_matvec_column_x(m);
    rp_matvec_column_first(m, section, layout);
    put_before(m, section, first);
    if (!first) rp_text_string(&m->e->main, "    barrier(); // nobody reads the tile any more\n");
    if (!early) rp_matvec_column_x(m);
    rp_matvec_column_loop(m, section, layout);
}

/* The products of one layout of a workgroup's rows, into matvec_results. */
static void put_layout(rp_matvec *m, uint32_t section, uint8_t layout, bool first) {
    rp_text_string(&m->e->main, "    {\n");
    if (rp_matvec_is_columns(layout)) {
        put_columns_layout(m, section, layout, first);
        rp_text_string(&m->e->main, "    }\n");
        return;
    }
    put_shares(m, section, layout);
    if (layout == RP_MATVEC_PLAIN && m->stage == RP_MATVEC_TILED)
        put_tiled(m, section, layout, first);
    else
        put_whole(m, section, layout, first);
    rp_text_string(&m->e->main, "    }\n");
}

/* All products of a workgroup's rows: x lies in shared memory in one layout at a time. */
static void put_products(rp_matvec *m, uint32_t section) {
    bool first = true;
    for (uint8_t layout = 0; layout < RP_MATVEC_LAYOUTS; layout++) {
        bool uses = false;
        for (uint32_t i = m->sections[section].first; i < m->core_count; i++)
            uses |= in_layout(m, i, section, layout);
        if (uses) put_layout(m, section, layout, first);
        first &= !uses;
    }
    rp_text_string(&m->e->main, "    barrier();\n");
}

/* From matvec_results to everything downstream. */
static void put_finish(rp_matvec *m, uint32_t section) {
    rp_emit *e = m->e;
    const rp_matvec_section *s = &m->sections[section];
    rp_text *to = &e->main;
    const char *b = rp_emit_symbol(e, m->cores[s->first].member, 'B');
    const char *rows = rp_emit_symbol(e, m->cores[s->first].member, 'M');
    const char *epilogue = rp_emit_epilogue(e, s->cores, s->core_count);
    bool pairs = s->pair != RP_NONE;
    rp_text_format(to,
                   "    uint units = matvec_count%s;\n"
                   "    [[dont_unroll]] for (uint i = gl_LocalInvocationIndex; i < units * %s; i "
                   "+= gl_WorkGroupSize.x) "
                   "{\n"
                   "        uint slot = i %% units%s, b = i / units;\n",
                   pairs ? " / 2u" : "", b, pairs ? " * 2u" : "");
    if (pairs)
        rp_text_format(to, "        %s(b * %s + row%u(slot), b * %s + row%u(slot + 1u)", epilogue,
                       rows, section, rows, section);
    else
        rp_text_format(to, "        %s(b * %s + matvec_base + slot", epilogue, rows);
    for (uint32_t i = s->first, n = 0; i < m->core_count; i++) {
        if (m->cores[i].section != section) continue;
        bool columns = rp_matvec_is_columns(m->cores[i].layout);
        for (uint32_t j = 0; j <= pairs; j++)
            rp_text_format(to,
                           columns ? ",\n            matvec_sum(%uu * MATVEC_SPAN + slot%s)"
                                   : ",\n            matvec_results[%uu * MATVEC_RESULTS + "
                                     "(slot%s) * %s + b]",
                           n, j ? " + 1u" : "", b);
        n++;
    }
    rp_text_string(to, ");\n    }\n}\n\n");
}

static void put_section(rp_matvec *m, uint32_t section) {
    const rp_matvec_section *s = &m->sections[section];
    rp_emit *e = m->e;
    bool pairs = s->pair != RP_NONE;
    const char *units = rp_emit_symbol(e, m->cores[s->first].member, 'M');
    if (pairs) units = rp_emit_uint(e, rp_emit_name(e, "MATVEC_PAIRS%u", section), s->pairs);
    put_row(m, section);
    rp_text_format(&e->main,
                   "void section%u(uint group) {\n"
                   "    matvec_base = group * (MATVEC_SPAN%s);\n"
                   "    matvec_count = min(MATVEC_SPAN%s, %s - matvec_base)%s;\n",
                   section, pairs ? " / 2u" : "", pairs ? " / 2u" : "", units,
                   pairs ? " * 2u" : "");
    put_products(m, section);
    put_finish(m, section);
}

/* ---- The whole ------------------------------------------------------------------------------- */

static void put_main(rp_matvec *m) {
    rp_text *to = &m->e->main;
    rp_text_format(to,
                   "void main() {\n"
                   "    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;\n"
                   "    if (group >= MATVEC_END%u) return;\n",
                   m->section_count - 1);
    for (uint32_t i = 0; i < m->section_count; i++) {
        rp_text_string(to, i ? "    else " : "    ");
        if (i + 1 < m->section_count) rp_text_format(to, "if (group < MATVEC_END%u) ", i);
        if (i)
            rp_text_format(to, "section%u(group - MATVEC_END%u);\n", i, i - 1);
        else
            rp_text_string(to, "section0(group);\n");
    }
    rp_text_string(to, "}\n");
}

void rp_matvec_text(rp_matvec *m) {
    rp_emit *e = m->e;
    uint32_t most = 0;
    for (uint32_t i = 0; i < m->section_count; i++) {
        const rp_matvec_section *s = &m->sections[i];
        if (s->core_count > most) most = s->core_count;
        for (uint32_t j = 0; j < s->core_count; j++)
            rp_emit_core(e, s->cores[j], s->pair == RP_NONE ? 1 : 2);
        rp_emit_uint(e, rp_emit_name(e, "MATVEC_END%u", i), s->end);
    }
    rp_emit_uint(e, "MATVEC_ROWS", m->rows);
    rp_emit_uint(e, "MATVEC_DEPTH", m->depth);
    rp_emit_uint(e, "MATVEC_SPAN", m->span);
    if (m->uses[RP_MATVEC_PLAIN]) rp_emit_uint(e, "MATVEC_TILE", m->tile);
    if (m->tile_vectors) rp_emit_uint(e, "MATVEC_TILE_VECTORS", m->tile_vectors);
    if (m->uses[RP_MATVEC_Q8_0] || m->uses[RP_MATVEC_Q4_0]) {
        rp_emit_uint(e, "MATVEC_WORD_DEPTH", m->word_depth);
        rp_text_string(&e->functions, rp_matvec_source(e, "matvec/words_add"));
        rp_text_char(&e->functions, '\n');
    }
    rp_text_format(
        &e->globals,
        "uint matvec_lane, matvec_lanes; // of those that share a row\n"
        "uint matvec_base, matvec_count; // the rows of the workgroup\n"
        "// Products of the workgroup's rows: by product, row, row of x.\n"
        "// In the layouts of columns, by part in place of the row of x, of which there is one.\n"
        "const uint MATVEC_RESULTS = MATVEC_SPAN * %s%s; // of a product\n"
        "shared float matvec_results[%uu * MATVEC_RESULTS];\n",
        rp_emit_symbol(e, m->cores[0].member, 'B'), m->parts ? " * MATVEC_PARTS" : "", most);
    rp_matvec_put_shared(m);
    if (m->parts) rp_matvec_column_globals(m);
    m->row_steps = rp_emit_row_steps(e, m->cores[0].member, RP_MATVEC_X);
    put_x(m);
    for (uint32_t i = 0; i < m->core_count; i++) put_weight(m, &m->cores[i]);
    for (uint32_t i = 0; i < m->section_count; i++) put_section(m, i);
    put_main(m);
}
