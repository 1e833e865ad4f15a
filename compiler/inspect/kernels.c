/* The kernels of a graph: the GLSL that was generated for them, with the lines of each op, and what their modules
 * are made of.
 *
 * Nodes share kernels, and kernels share texts: a text is generated once for each kernel and kept once for all that
 * come out equal. Whose lines are whose is read off the text, whose first comment names its members and values
 * ("// m0: rms_norm -> v0 in b2, m1: map -> v1 in b3") and whose functions are named after them. */
#include "inspect/internal.h"

#include "base/hash.h"
#include "reprise/compiler.h"
#include "spirv/opcodes.h"
#include "spirv/spirv.h"

/* ---- Lines of a text ------------------------------------------------------------------------- */

enum { MOST_VALUES = 256 };

typedef struct owners {
    uint32_t member[MOST_VALUES]; /* of value v0, v1, ...; RP_NONE */
} owners;

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* "m12", not followed by another digit: its number. *at moves behind it. */
static bool read_number(const char **at, const char *end, char letter, uint32_t *out) {
    const char *p = *at;
    if (p >= end || *p != letter) return false;
    uint64_t number = 0;
    const char *digits = ++p;
    for (; p < end && *p >= '0' && *p <= '9' && p - digits < 6; p++)
        number = 10 * number + (uint64_t)(*p - '0');
    if (p == digits) return false;
    *out = (uint32_t)number;
    *at = p;
    return true;
}

/* The first comment that says which value is which member's. */
static void read_owners(const char *text, owners *o) {
    for (uint32_t i = 0; i < MOST_VALUES; i++) o->member[i] = RP_NONE;
    const char *at = strstr(text, "// m0:");
    if (!at) return;
    const char *end = strchr(at, '\n');
    uint32_t member = RP_NONE, value;
    if (!end) end = at + strlen(at);
    while (at < end) {
        bool begins = !is_word(at[-1]);
        const char *p = at;
        if (begins && read_number(&p, end, 'm', &value) && *p == ':')
            member = value;
        else if (begins && read_number(&p, end, 'v', &value) && value < MOST_VALUES && !is_word(*p))
            o->member[value] = member;
        at = p > at ? p : at + 1;
    }
}

/* Whose the first line of a function is: the first name in it that is made of a member or a value. */
static uint32_t owner_of(const owners *o, const char *line, const char *end) {
    for (const char *at = line; at < end; at++) {
        uint32_t number;
        const char *p = at;
        if (at > line && is_word(at[-1]) && at[-1] != '_') continue;
        if (read_number(&p, end, 'm', &number) && (*p == '_' || !is_word(*p))) return number;
        p = at;
        if (read_number(&p, end, 'v', &number) && number < MOST_VALUES &&
            (*p == '_' || !is_word(*p)))
            return o->member[number];
    }
    return RP_NONE;
}

/* A run of lines that are one member's. */
typedef struct part {
    uint32_t first, last, member;
} part;

static void put_part(rp_text *t, const part *p, bool *first) {
    if (p->member == RP_NONE) return;
    rp_text_format(t, "%s[%u,%u,%u]", *first ? "" : ",", p->first, p->last, p->member);
    *first = false;
}

/* [[first line, last line, member], ...], lines from 1: pieces begin in the first column and end in front of the
 * next one; pieces of one member behind one another are one. */
static void put_parts(rp_text *t, const char *text) {
    owners o;
    part now = {.member = RP_NONE};
    bool first = true;
    read_owners(text, &o);
    rp_text_string(t, ",\"parts\":[");
    for (uint32_t line = 1; *text; line++) {
        const char *end = text + strcspn(text, "\n");
        uint32_t owner = end > text && is_word(*text) ? owner_of(&o, text, end) : now.member;
        if (owner != now.member) {
            put_part(t, &now, &first);
            now = (part){line, line, owner};
        }
        if (end > text) now.last = line;
        text = end + (*end == '\n');
    }
    put_part(t, &now, &first);
    rp_text_char(t, ']');
}

/* ---- Texts ----------------------------------------------------------------------------------- */

typedef struct kept_text {
    char *text;
    uint64_t hash;
} kept_text;

typedef struct texts {
    RP_ARRAY(kept_text, items);
} texts;

/* The number of a text, which it takes over; RP_NONE without memory. Texts are few: kernels that differ. */
static uint32_t keep_text(const rp_allocator *a, texts *all, char *text) {
    uint64_t hash = rp_hash(text, strlen(text));
    for (uint32_t i = 0; i < all->items_count; i++) {
        if (all->items[i].hash != hash || strcmp(all->items[i].text, text)) continue;
        rp_release(a, text);
        return i;
    }
    if (!RP_RESERVE(a, all->items, all->items_count, all->items_capacity, 1)) {
        rp_release(a, text);
        return RP_NONE;
    }
    all->items[all->items_count] = (kept_text){text, hash};
    return all->items_count++;
}

static rp_status find_texts(const rp_graph *g, bool fast, texts *all, uint32_t *of_kernel,
                            uint32_t *glsl, rp_diags *diags) {
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        glsl[i] = RP_NONE;
        if (n->kind != RP_RUN || n->member_count == 0 || g->kernels[n->kernel].hash == 0) continue;
        if (of_kernel[n->kernel] == RP_NONE) {
            char *text = NULL;
            RP_TRY(rp_node_glsl(g, i, fast, diags, &text));
            of_kernel[n->kernel] = keep_text(&g->allocator, all, text);
            if (of_kernel[n->kernel] == RP_NONE) return RP_ERROR_NO_MEMORY;
        }
        glsl[i] = of_kernel[n->kernel];
    }
    return RP_OK;
}

/* ---- Modules --------------------------------------------------------------------------------- */

typedef struct module_counts {
    uint32_t instructions, functions, extended, loads, stores, atomics, floats, integers, branches,
        loops, barriers, dots, matrices, subgroups;
} module_counts;

static void count_instruction(module_counts *c, uint32_t op) {
    c->instructions++;
    c->functions += op == OP_FUNCTION;
    c->extended += op == OP_EXT_INST;
    c->loads += op == OP_LOAD || (op >= OP_IMAGE_SAMPLE_FIRST && op <= OP_IMAGE_READ);
    c->stores += op == OP_STORE || op == OP_IMAGE_WRITE;
    c->atomics += (op >= OP_ATOMIC_LOAD && op <= OP_ATOMIC_XOR) || op == OP_ATOMIC_FADD ||
                  op == OP_ATOMIC_FMIN || op == OP_ATOMIC_FMAX;
    /* Arithmetic is from OpSNegate to OpDot, which is 148; between them stand both kinds. */
    bool integer = op == OP_SNEGATE || op == OP_IADD || op == OP_ISUB || op == OP_IMUL ||
                   op == OP_UDIV || op == OP_SDIV || (op >= OP_UMOD && op <= OP_SMOD) ||
                   (op >= OP_SHIFT_RIGHT_LOGICAL && op <= OP_NOT);
    c->integers += integer;
    c->floats += !integer && op > OP_SNEGATE && op <= 148;
    c->branches += op == OP_BRANCH_CONDITIONAL || op == OP_SWITCH;
    c->loops += op == OP_LOOP_MERGE;
    c->barriers += op == 224; /* OpControlBarrier */
    c->dots += op >= OP_DOT_FIRST && op <= OP_DOT_LAST;
    c->matrices += op == OP_COOPERATIVE_MATRIX_MUL_ADD;
    c->subgroups += (op >= OP_GROUP_NON_UNIFORM_FIRST && op <= OP_GROUP_NON_UNIFORM_LAST) ||
                    op == OP_GROUP_NON_UNIFORM_ROTATE;
}

static module_counts count_module(const uint32_t *words, uint32_t count) {
    module_counts c = {0};
    for (uint32_t at = RP_SPIRV_HEADER, length; at < count; at += length) {
        length = words[at] >> 16;
        if (length == 0 || length > count - at) break; /* damaged: what came before counts */
        count_instruction(&c, words[at] & 0xffff);
    }
    return c;
}

static uint64_t invocations_of(const rp_graph_kernel *k) {
    return (uint64_t)k->local[0] * k->local[1] * k->local[2];
}

/* Workgroups that one multiprocessor holds at a time, by what the target says that it has; 0: not known. */
static uint64_t resident(const rp_graph *g, const rp_graph_kernel *k) {
    const rp_target *t = rp_graph_target(g);
    uint64_t invocations = invocations_of(k);
    if (rp_graph_is_portable(g) || !t->resident_groups || !t->resident_invocations || !invocations)
        return 0;
    uint64_t groups = t->resident_invocations / invocations;
    if (groups > t->resident_groups) groups = t->resident_groups;
    if (t->resident_shared && k->shared_bytes && t->resident_shared / k->shared_bytes < groups)
        groups = t->resident_shared / k->shared_bytes;
    return groups;
}

static void put_module(rp_text *t, const rp_graph *g, const rp_graph_kernel *k) {
    if (k->word_count == 0) {
        rp_text_string(t, ",\"spirv\":null");
        return;
    }
    module_counts c = count_module(g->words + k->first_word, k->word_count);
    rp_text_format(t, ",\"spirv\":{\"bytes\":%u", 4 * k->word_count);
    rp_json_number(t, "instructions", c.instructions);
    rp_json_number(t, "functions", c.functions);
    rp_json_number(t, "loads", c.loads);
    rp_json_number(t, "stores", c.stores);
    rp_json_number(t, "atomics", c.atomics);
    rp_json_number(t, "floats", c.floats);
    rp_json_number(t, "integers", c.integers);
    rp_json_number(t, "extended", c.extended);
    rp_json_number(t, "branches", c.branches);
    rp_json_number(t, "loops", c.loops);
    rp_json_number(t, "barriers", c.barriers);
    rp_json_number(t, "dots", c.dots);
    rp_json_number(t, "matrices", c.matrices);
    rp_json_number(t, "subgroups", c.subgroups);
    rp_text_char(t, '}');
}

static void put_kernels(rp_text *t, const rp_graph *g, const texts *all, const uint32_t *of_kernel,
                        uint32_t *users) {
    bool first = true;
    for (uint32_t i = 0; i < g->nodes_count; i++)
        if (g->nodes[i].kind == RP_RUN) users[g->nodes[i].kernel]++;
    rp_text_string(t, "\"glsl\":[");
    for (uint32_t i = 0; i < all->items_count; i++) {
        rp_text_string(t, i ? ",\n{\"text\":" : "\n{\"text\":");
        rp_json_string(t, all->items[i].text);
        put_parts(t, all->items[i].text);
        rp_text_char(t, '}');
    }
    rp_text_string(t, "],\n\"kernels\":[");
    for (uint32_t i = 0; i < g->kernels_count; i++) {
        if (g->kernels[i].removed) continue;
        rp_text_format(t, "%s{\"kernel\":%u", first ? "\n" : ",\n", i);
        first = false;
        rp_json_number(t, "nodes", users[i]);
        rp_json_number(t, "invocations", invocations_of(&g->kernels[i]));
        rp_json_optional(t, "glsl", of_kernel[i], RP_NONE);
        rp_json_optional(t, "resident_groups", resident(g, &g->kernels[i]), 0);
        put_module(t, g, &g->kernels[i]);
        rp_text_char(t, '}');
    }
    rp_text_char(t, ']');
}

rp_status rp_inspect_kernels(rp_text *t, const rp_graph *g, bool fast, uint32_t *glsl,
                             rp_diags *diags) {
    const rp_allocator *a = &g->allocator;
    texts all = {0};
    uint32_t *of_kernel = rp_alloc(a, g->kernels_count, sizeof *of_kernel);
    uint32_t *users = rp_alloc_zero(a, g->kernels_count, sizeof *users);
    rp_status status = of_kernel && users ? RP_OK : RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; status == RP_OK && i < g->kernels_count; i++) of_kernel[i] = RP_NONE;
    if (status == RP_OK) status = find_texts(g, fast, &all, of_kernel, glsl, diags);
    if (status == RP_OK) put_kernels(t, g, &all, of_kernel, users);
    for (uint32_t i = 0; i < all.items_count; i++) rp_release(a, all.items[i].text);
    rp_release(a, all.items);
    rp_release(a, of_kernel);
    rp_release(a, users);
    return status;
}
