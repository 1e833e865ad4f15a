/* The layouts of columns of matrix-vector products (matvec.c): one vector times rows of blocks.
 *
 * A lane has two blocks of columns, which in q8_0 and q4_0 are a multiple of four bytes, and keeps
 * their x in registers for all rows; lanes times two blocks are a part of a row, and a subgroup has one
 * part of each of its rows. It loads a few rows 16 bytes a lane, one lane behind the other, puts them to
 * shared memory of its own, sends for the next, and has each lane read the words that are its columns.
 *
 * x is in digits there (kernels/include/digits.glsl): three words for four elements, which meet four
 * codes by one instruction each. So a code costs a quarter of three products, and no unpacking; for 32 of
 * them there is one conversion. */
#include "lower/matvec.h"

enum { COLUMN_BYTES = 36864 }; /* of weights on their way through shared memory */

uint32_t rp_matvec_column_vectors(const rp_matvec *m, uint8_t layout) {
    return m->lanes / 4 * (layout == RP_MATVEC_COLUMNS_Q8_0 ? 17 : 9);
}

uint32_t rp_matvec_column_rows(const rp_matvec *m, uint8_t layout) {
    uint32_t rows = RP_MATVEC_MOST_ROWS;
    uint64_t bytes = 16 * m->threads / m->lanes * rp_matvec_column_vectors(m, layout);
    uint64_t shared = rp_graph_target(m->e->graph)->shared_bytes;
    uint64_t room = shared > RP_MATVEC_RESERVE ? shared - RP_MATVEC_RESERVE : 0;
    if (room > COLUMN_BYTES) room = COLUMN_BYTES;
    while (rows > 1 && rows * bytes > room) rows /= 2;
    return rows;
}

void rp_matvec_column_globals(rp_matvec *m) {
    rp_emit *e = m->e;
    rp_emit_uint(e, "MATVEC_PARTS", m->parts);
    rp_emit_uint(e, "MATVEC_COLUMN_LANES", m->lanes);
    rp_emit_uint(e, "MATVEC_FOURS", (m->k / 4 + m->threads - 1) / m->threads);
    rp_text_string(&e->functions, rp_matvec_source(e, "matvec/columns_sum"));
    rp_text_char(&e->functions, '\n');
}

void rp_matvec_column_weight(rp_matvec *m, const rp_matvec_core *core) {
    rp_emit *e = m->e;
    bool wide = core->layout == RP_MATVEC_COLUMNS_Q8_0;
    uint32_t vectors = rp_matvec_column_vectors(m, core->layout), number = 0;
    uint32_t rows = rp_matvec_column_rows(m, core->layout);
    for (const rp_matvec_core *c = m->cores; c < core; c++) number += c->section == core->section;
    rp_text_format(&e->functions,
                   "const uint %s_WORDS = %s / 256u * %uu; // of 16 bytes in a row\n", core->prefix,
                   rp_emit_symbol(e, core->member, 'K'), wide ? 17 : 9);
    const struct {
        const char *name;
        uint32_t value;
    } constants[] = {{"PAIR", wide ? 17 : 9}, /* words of 32 bits of two blocks */
                     {"PART", vectors},
                     {"ROWS", rows},
                     {"CHUNK", rows * vectors},
                     {"LOADS", (rows * vectors + m->lanes - 1) / m->lanes},
                     {"UPPER", wide ? 0 : 4}, /* of x, what the upper halves of bytes meet first */
                     {"SIGNS", wide ? 0 : 0x88888888u},
                     {"NUMBER", number}}; /* among the products that it meets */
    for (uint32_t i = 0; i < sizeof constants / sizeof *constants; i++)
        rp_text_format(&e->functions, "const uint %s_%s = %uu;\n", core->prefix, constants[i].name,
                       constants[i].value);
    rp_text_format(&e->functions, "const float %s_UNIT = %s;\n\n", core->prefix,
                   wide ? "1.0" : "0.0625");
    rp_text_format(&e->functions, "uvec4 %s_weight(uint i) {\n    return %s;\n}\n\n", core->prefix,
                   rp_emit_element(e, core->member, RP_MATVEC_WEIGHT, "uvec4", "i"));
    const char *file = wide ? "matvec/columns_q8_0" : "matvec/columns_q4_0";
    rp_emit_core_text(e, &e->functions, core->member, rp_matvec_source(e, file), core->prefix);
    rp_text_char(&e->functions, '\n');
}

/* The next product of the section that has the layout, behind `core`; RP_NONE. */
static uint32_t next_core(const rp_matvec *m, uint32_t section, uint8_t layout, uint32_t from) {
    for (uint32_t i = from; i < m->core_count; i++)
        if (m->cores[i].section == section && m->cores[i].layout == layout) return i;
    return RP_NONE;
}

void rp_matvec_column_shares(rp_matvec *m) {
    rp_text_string(
        &m->e->main,
        "    matvec_lanes = MATVEC_COLUMN_LANES;\n"
        "    matvec_lane = gl_SubgroupInvocationID;\n"
        "    const uint teams = gl_WorkGroupSize.x / MATVEC_COLUMN_LANES / MATVEC_PARTS;\n"
        "    uint part = gl_SubgroupID % MATVEC_PARTS, team = gl_SubgroupID / MATVEC_PARTS;\n");
}

void rp_matvec_column_x(rp_matvec *m) {
    rp_matvec_put(m->e, m->cores[0].member, "matvec/columns_x", NULL, "    ");
}

/* The loads of a product's rows from slot `slot` on. */
static void put_fetch(rp_matvec *m, uint32_t core, const char *slot, const char *indent) {
    const rp_matvec_core *c = &m->cores[core];
    rp_text_format(&m->e->main,
                   "%suint rows[%s_ROWS];\n"
                   "%s[[unroll]] for (uint r = 0u; r < %s_ROWS; r++) rows[r] = row%u(%s + r);\n",
                   indent, c->prefix, indent, c->prefix, c->section, slot);
    rp_matvec_put(m->e, c->member, "matvec/columns_fetch", c->prefix, indent);
}

void rp_matvec_column_first(rp_matvec *m, uint32_t section, uint8_t layout) {
    uint32_t core = next_core(m, section, layout, 0);
    const char *prefix = m->cores[core].prefix;
    rp_text_format(&m->e->main,
                   "    uint slot = team < teams ? team * %s_ROWS : matvec_count;\n"
                   "    const uint step = teams * %s_ROWS;\n"
                   "    uvec4 raws[%s_LOADS];\n"
                   "    if (slot < matvec_count) {\n",
                   prefix, prefix, prefix);
    put_fetch(m, core, "slot", "        ");
    rp_text_string(&m->e->main, "    }\n");
}

/* All products of the layout take turns with each rows: the loads of the next one are on their way
 * while one is computed. */
void rp_matvec_column_loop(rp_matvec *m, uint32_t section, uint8_t layout) {
    rp_text *to = &m->e->main;
    uint32_t first = next_core(m, section, layout, 0), next;
    rp_matvec_put(m->e, m->cores[0].member, "matvec/columns_stage", NULL, "    ");
    rp_text_string(to, "    for (; slot < matvec_count; slot += step) {\n");
    for (uint32_t i = first; i != RP_NONE; i = next) {
        const rp_matvec_core *c = &m->cores[i];
        next = next_core(m, section, layout, i + 1);
        rp_text_string(to, "        {\n");
        rp_matvec_put(m->e, c->member, "matvec/columns_put", c->prefix, "            ");
        rp_text_string(to, next == RP_NONE ? "            if (slot + step < matvec_count) {\n"
                                           : "            {\n");
        put_fetch(m, next == RP_NONE ? first : next, next == RP_NONE ? "slot + step" : "slot",
                  "                ");
        rp_text_string(to, "            }\n");
        rp_matvec_put(m->e, c->member, "matvec/columns", c->prefix, "            ");
        rp_text_string(to, "        }\n");
    }
    rp_text_string(to, "    }\n    if (subgroupAny(any(infinite))) {\n");
    rp_matvec_put(m->e, m->cores[first].member, "matvec/columns_infinite", NULL, "        ");
    rp_text_format(
        to,
        "        for (uint at = team < teams ? team * %s_ROWS : matvec_count; at < matvec_count;\n"
        "             at += step)\n"
        "            for (slot = at; slot < min(at + %s_ROWS, matvec_count); slot++) {\n"
        "                uint row = row%u(slot);\n",
        m->cores[first].prefix, m->cores[first].prefix, section);
    for (uint32_t i = first; i != RP_NONE; i = next_core(m, section, layout, i + 1))
        rp_matvec_put(m->e, m->cores[i].member, "matvec/columns_spread", m->cores[i].prefix,
                      "                ");
    rp_text_string(to, "            }\n    }\n");
}
