/* The GLSL of matrix-vector products: what matvec.c decided, written down.
 *
 *   functions  readers of x and the stage; loads of each weight (kernels/matvec); epilogues
 *   main       a function for each section, and main() which finds the section of a workgroup
 *
 * The loops over columns are text of kernels/matvec, put into the sections as statements: arrays of
 * sums stay local variables, which compilers keep in registers. */
#include "lower/matvec.h"

static const char *source(rp_emit *e, const char *name) {
    const char *text = rp_kernel_source(name);
    if (!text) rp_emit_fail(e, "kernels/%s.glsl is missing", name);
    return text ? text : "";
}

/* Appends a file's statements with `indent` in front of each line: they stand inside. */
static void put_inside(rp_emit *e, uint32_t member, const char *name, const char *prefix,
                       const char *indent) {
    rp_text text;
    rp_text_init(&text, &e->allocator);
    rp_emit_core_text(e, &text, member, source(e, name), prefix);
    if (text.failed) rp_emit_no_memory(e);
    for (uint32_t i = 0; !text.failed && i < text.size;) {
        uint32_t end = i;
        while (end < text.size && text.data[end] != '\n') end++;
        rp_text_string(&e->main, indent);
        rp_text_append(&e->main, text.data + i, end - i);
        rp_text_char(&e->main, '\n');
        i = end + 1;
    }
    rp_text_free(&text);
}

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
                      source(e, wide ? "matvec/words_q8_0" : "matvec/words_q4_0"), core->prefix);
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
        put_words(m, core);
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
    rp_emit_core_text(e, &e->functions, core->member, source(e, files[dtype]), core->prefix);
    rp_text_char(&e->functions, '\n');
}

static void put_x(rp_matvec *m) {
    rp_emit *e = m->e;
    uint32_t member = m->cores[0].member;
    bool direct = m->stage == RP_MATVEC_DIRECT;
    if (m->tile_vectors)
        rp_text_string(&e->globals, "shared vec4 matvec_tile[MATVEC_TILE_VECTORS]; // of x\n");
    for (uint8_t layout = RP_MATVEC_PLAIN + 1; layout < RP_MATVEC_LAYOUTS; layout++)
        if (m->uses[layout]) {
            const char *file = rp_emit_name(e, "matvec/words_stage_%s", layout_name(layout));
            rp_emit_core_text(e, &e->functions, member, source(e, file), NULL);
            rp_text_char(&e->functions, '\n');
        }
    if (!m->uses[RP_MATVEC_PLAIN]) return;
    if (direct)
        rp_text_format(&e->functions, "vec4 matvec_x(uint i) {\n    return %s;\n}\n\n",
                       rp_emit_element(e, member, RP_MATVEC_X, "vec4", "i"));
    rp_emit_core_text(e, &e->functions, member,
                      source(e, direct ? "matvec/direct" : "matvec/staged"), NULL);
    rp_text_char(&e->functions, '\n');
}

/* ---- Sections -------------------------------------------------------------------------------- */

/* Counts the rows of the workgroup, for a section with pairs: looks for those that are the first of
 * theirs. Their order varies from run to run, but each row's result does not depend on it. */
static void put_find(rp_matvec *m, uint32_t section) {
    rp_emit *e = m->e;
    const rp_matvec_section *s = &m->sections[section];
    const char *rows = rp_emit_symbol(e, m->cores[s->first].member, 'M');
    const char *pair = rp_emit_pair(e, s->pair);
    rp_text_format(&e->main,
                   "// The rows of a workgroup: of those in its window that are the first of their "
                   "pair, and\n// the second ones, wherever they are.\n"
                   "uint find%u(uint group) {\n"
                   "    if (gl_LocalInvocationIndex == 0u) matvec_count = 0u;\n"
                   "    barrier();\n"
                   "    uint row = group * (MATVEC_SLOTS / 2u) + gl_LocalInvocationIndex;\n"
                   "    if (gl_LocalInvocationIndex < MATVEC_SLOTS / 2u && row < %s) {\n"
                   "        uint other = %s(row);\n"
                   "        if (row <= other && other < %s) {\n"
                   "            uint slot = atomicAdd(matvec_count, 2u);\n"
                   "            matvec_rows[slot] = row;\n"
                   "            matvec_rows[slot + 1u] = other;\n"
                   "        }\n"
                   "    }\n"
                   "    barrier();\n"
                   "    return matvec_count;\n"
                   "}\n\n",
                   section, rows, pair, rows);
}

/* The loops over columns of the section's products of one layout, and what brings x there. `first`:
 * nothing has brought anything yet. */
static void put_columns(rp_matvec *m, uint32_t section, uint8_t layout, bool first) {
    rp_emit *e = m->e;
    rp_text *to = &e->main;
    const rp_matvec_section *s = &m->sections[section];
    const char *k = rp_emit_symbol(e, m->cores[s->first].member, 'K');
    bool words = layout != RP_MATVEC_PLAIN;
    if (!words && m->stage == RP_MATVEC_TILED)
        rp_text_format(to,
                       "        for (uint first = 0u; first < %s; first += MATVEC_TILE) {\n"
                       "            uint end = min(first + MATVEC_TILE, %s);\n",
                       k, k);
    else
        rp_text_format(to, "        {\n            uint first = 0u, end = %s;\n", k);
    for (uint32_t i = s->first; i < m->core_count; i++)
        if (m->cores[i].section == section && m->cores[i].layout == layout && !m->cores[i].narrow)
            put_inside(e, m->cores[i].member, words ? "matvec/words_fetch" : "matvec/fetch",
                       m->cores[i].prefix, "            ");
    if (m->row_steps && first)
        rp_text_format(to, "            if (turn == 0u && first == 0u) %s();\n", m->row_steps);
    if (words)
        rp_text_format(to, "            if (turn == 0u) stage_%s();\n", layout_name(layout));
    else if (m->stage == RP_MATVEC_STAGED)
        rp_text_string(to, "            if (turn == 0u) matvec_stage(0u);\n");
    else if (m->stage == RP_MATVEC_TILED)
        rp_text_string(to, "            matvec_stage(first);\n");
    rp_text_string(to, "            if (slot < count) {\n");
    for (uint32_t i = s->first; i < m->core_count; i++)
        if (m->cores[i].section == section && m->cores[i].layout == layout)
            put_inside(e, m->cores[i].member,
                       words                ? "matvec/words_wide"
                       : m->cores[i].narrow ? "matvec/narrow"
                                            : "matvec/wide",
                       m->cores[i].prefix, "                ");
    rp_text_string(to, "            }\n        }\n");
}

/* The products of one layout of a workgroup's rows, into matvec_results. */
static void put_layout(rp_matvec *m, uint32_t section, uint8_t layout, bool first) {
    rp_emit *e = m->e;
    const rp_matvec_section *s = &m->sections[section];
    rp_text *to = &e->main;
    const char *b = rp_emit_symbol(e, m->cores[s->first].member, 'B');
    rp_text_format(
        to,
        "    for (uint turn = 0u; turn < count; turn += gl_NumSubgroups * MATVEC_ROWS) {\n"
        "        uint slot = turn + gl_SubgroupID * MATVEC_ROWS;\n"
        "        uint rows[MATVEC_ROWS];\n"
        "        for (uint r = 0u; r < MATVEC_ROWS; r++)\n"
        "            rows[r] = %smin(slot + r, count - 1u)%s;\n",
        s->pair == RP_NONE ? "base + " : "matvec_rows[", s->pair == RP_NONE ? "" : "]");
    for (uint32_t i = s->first; i < m->core_count; i++)
        if (m->cores[i].section == section && m->cores[i].layout == layout)
            rp_text_format(
                to,
                "        precise float %s_sums[MATVEC_ROWS * %s];\n"
                "        for (uint i = 0u; i < MATVEC_ROWS * %s; i++) %s_sums[i] = 0.0;\n",
                m->cores[i].prefix, b, b, m->cores[i].prefix);
    put_columns(m, section, layout, first);
    rp_text_format(to, "        for (uint i = 0u; i < MATVEC_ROWS * %s; i++) {\n", b);
    for (uint32_t i = s->first, n = 0; i < m->core_count; i++) {
        if (m->cores[i].section != section) continue;
        if (m->cores[i].layout == layout)
            rp_text_format(
                to,
                "            float sum%u = subgroupAdd(%s_sums[i]);\n"
                "            if (matvec_lane == 0u && slot + i / %s < count)\n"
                "                matvec_results[%uu * MATVEC_SLOTS * %s + slot * %s + i] = "
                "sum%u;\n",
                n, m->cores[i].prefix, b, n, b, b, n);
        n++;
    }
    rp_text_string(to, "        }\n    }\n");
}

/* All products of a workgroup's rows: x lies in shared memory in one layout at a time. */
static void put_products(rp_matvec *m, uint32_t section) {
    bool first = true;
    for (uint8_t layout = 0; layout < RP_MATVEC_LAYOUTS; layout++) {
        bool uses = false;
        for (uint32_t i = m->sections[section].first; i < m->core_count; i++)
            uses |= m->cores[i].section == section && m->cores[i].layout == layout;
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
    rp_text_format(
        to,
        "    uint units = count%s;\n"
        "    for (uint i = gl_LocalInvocationIndex; i < units * %s; i += gl_WorkGroupSize.x) "
        "{\n"
        "        uint slot = i %% units%s, b = i / units;\n",
        pairs ? " / 2u" : "", b, pairs ? " * 2u" : "");
    if (pairs)
        rp_text_format(to, "        %s(b * %s + matvec_rows[slot], b * %s + matvec_rows[slot + 1u]",
                       epilogue, rows, rows);
    else
        rp_text_format(to, "        %s(b * %s + base + slot", epilogue, rows);
    for (uint32_t n = 0; n < s->core_count; n++)
        for (uint32_t j = 0; j <= pairs; j++)
            rp_text_format(to,
                           ",\n            matvec_results[(%uu * MATVEC_SLOTS + slot%s) * %s + b]",
                           n, j ? " + 1u" : "", b);
    rp_text_string(to, ");\n    }\n}\n\n");
}

static void put_section(rp_matvec *m, uint32_t section) {
    const rp_matvec_section *s = &m->sections[section];
    rp_emit *e = m->e;
    bool pairs = s->pair != RP_NONE;
    if (pairs) put_find(m, section);
    rp_text_format(&e->main, "void section%u(uint %s) {\n", section, pairs ? "count" : "group");
    if (!pairs)
        rp_text_format(
            &e->main,
            "    uint base = group * MATVEC_SLOTS, count = min(MATVEC_SLOTS, %s - base);\n",
            rp_emit_symbol(e, m->cores[s->first].member, 'M'));
    put_products(m, section);
    put_finish(m, section);
}

/* ---- The whole ------------------------------------------------------------------------------- */

static bool has_pairs(const rp_matvec *m) {
    for (uint32_t i = 0; i < m->section_count; i++)
        if (m->sections[i].pair != RP_NONE) return true;
    return false;
}

/* "    if (group < END0) ...; else if ..." over the sections, in the order of their workgroups. */
static void put_switch(rp_matvec *m, const char *pairs, const char *plain) {
    rp_text *to = &m->e->main;
    for (uint32_t i = 0; i < m->section_count; i++) {
        bool last = i + 1 == m->section_count;
        rp_text_string(to, i ? "    else " : "    ");
        if (!last) rp_text_format(to, "if (group < MATVEC_END%u) ", i);
        const char *format = m->sections[i].pair != RP_NONE ? pairs : plain;
        for (const char *c = format; *c; c++) {
            if (*c == '#')
                rp_text_u64(to, i);
            else if (*c == '@' && i)
                rp_text_format(to, "group - MATVEC_END%u", i - 1);
            else if (*c == '@')
                rp_text_string(to, "group");
            else
                rp_text_char(to, *c);
        }
        rp_text_char(to, '\n');
    }
}

static void put_main(rp_matvec *m) {
    rp_emit *e = m->e;
    bool pairs = has_pairs(m);
    rp_text_format(&e->main,
                   "void main() {\n"
                   "    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;\n"
                   "    if (group >= MATVEC_END%u) return;\n"
                   "    matvec_lanes = gl_WorkGroupSize.x / gl_NumSubgroups;\n"
                   "    matvec_lane = gl_SubgroupInvocationID;\n",
                   m->section_count - 1);
    if (pairs) {
        rp_text_string(&e->main, "    uint count = 1u;\n");
        put_switch(m, "count = find#(@);", "count = 1u;");
        rp_text_string(&e->main, "    if (count == 0u) return;\n");
    }
    put_switch(m, "section#(count);", "section#(@);");
    rp_text_string(&e->main, "}\n");
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
    rp_emit_uint(e, "MATVEC_SLOTS", (uint64_t)m->rows * (m->threads / RP_MATVEC_LANES));
    if (m->uses[RP_MATVEC_PLAIN]) rp_emit_uint(e, "MATVEC_TILE", m->tile);
    if (m->tile_vectors) rp_emit_uint(e, "MATVEC_TILE_VECTORS", m->tile_vectors);
    if (m->uses[RP_MATVEC_Q8_0] || m->uses[RP_MATVEC_Q4_0])
        rp_emit_uint(e, "MATVEC_WORD_DEPTH", m->word_depth);
    rp_text_format(&e->globals,
                   "uint matvec_lane, matvec_lanes; // of the subgroup\n"
                   "// Products of the workgroup's rows: by product, row, row of x.\n"
                   "shared float matvec_results[%uu * MATVEC_SLOTS * %s];\n",
                   most, rp_emit_symbol(e, m->cores[0].member, 'B'));
    if (has_pairs(m))
        rp_text_string(&e->globals, "shared uint matvec_rows[MATVEC_SLOTS], matvec_count;\n");
    m->row_steps = rp_emit_row_steps(e, m->cores[0].member, RP_MATVEC_X);
    put_x(m);
    for (uint32_t i = 0; i < m->core_count; i++) put_weight(m, &m->cores[i]);
    for (uint32_t i = 0; i < m->section_count; i++) put_section(m, i);
    put_main(m);
}
