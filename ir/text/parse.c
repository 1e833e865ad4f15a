/* The parser of .rpir text; docs/ir-text.md is the grammar.
 *
 * One statement a line, read by recursive descent without recursion: only grid expressions nest,
 * and they bound that themselves. A wrong line is reported and dropped, and parsing goes on with
 * the next one; a name whose declaration was wrong is remembered, so that its users are not
 * reported as well. What a statement means (ranges, access, alignment, stages) is judged by
 * verify.c; here stands only what verify cannot see in the finished graph. Names are found through
 * hash tables, so time is linear in the text. */
#include "graph/keywords.h"
#include "text/parse.h"
#include "graph/verify.h"

/* ---- Header ---------------------------------------------------------------------------------- */

static bool parse_version(rp_parser *p) {
    uint32_t version = 0;
    if (!rp_parse_accept_word(p, "reprise"))
        return rp_parse_expected(p, "'reprise 1' at the start of a graph");
    rp_token t = p->lx.token;
    if (!rp_parse_u32(p, "the version", &version)) return false;
    if (version != 1)
        return RP_FAIL(p, &t, "the text is of version %u, this library reads 1", version);
    return rp_parse_line_end(p);
}

static bool parse_graph_line(rp_parser *p) {
    static const struct {
        const char *word;
        uint32_t bit;
    } stages[] = {{"scheduled", RP_STAGE_SCHEDULED},
                  {"placed", RP_STAGE_PLACED},
                  {"synced", RP_STAGE_SYNCED}};
    if (!rp_parse_accept_word(p, "graph")) return rp_parse_expected(p, "'graph NAME {'");
    rp_token name = rp_parse_take(p);
    if (name.kind != RP_TOKEN_WORD)
        return RP_FAIL(p, &name, "expected the graph's name, found %s", rp_parse_show(&name).text);
    if (!rp_parse_name(p, &name, &p->g->name)) return false;
    for (size_t i = 0; i < 3; i++)
        if (rp_parse_accept_word(p, stages[i].word)) p->g->stages |= stages[i].bit;
    bool arena = rp_parse_accept_word(p, "arena");
    if (arena && !rp_parse_number(p, "the arena's bytes", UINT64_MAX, &p->g->arena_bytes))
        return false;
    if (arena != ((p->g->stages & RP_STAGE_PLACED) != 0))
        return RP_FAIL(p, &name,
                       arena ? "'arena' belongs to a graph that is 'placed'"
                             : "a graph that is 'placed' says 'arena BYTES'");
    if (p->lx.token.mark != '{')
        return rp_parse_expected(
            p, "'scheduled', 'placed', 'synced', 'arena BYTES' (in this order) or '{'");
    rp_lex_next(&p->lx);
    return rp_parse_line_end(p);
}

/* "NAME" key number key number ..." behind `target`. What it does not say is as `portable` has it. */
static bool parse_target(rp_parser *p, const rp_token *first) {
    rp_target target = RP_TARGET_INIT;
    uint32_t string;
    rp_token t = p->lx.token;
    if (p->has_target) return RP_FAIL(p, first, "the graph has another target already");
    p->has_target = true;
    if (p->g->buffers_count || p->g->kernels_count || p->g->nodes_count)
        return RP_FAIL(p, first, "the target stands before buffers, kernels and nodes");
    if (!rp_parse_string(p, "the target's name as a string", &string)) return false;
    const char *name = rp_graph_string(p->g, string);
    if (strlen(name) >= sizeof target.name)
        return RP_FAIL(p, &t, "a target's name has at most %zu bytes", sizeof target.name - 1);
    memcpy(target.name, name, strlen(name));
    while (p->lx.token.kind == RP_TOKEN_WORD) {
        rp_token word = p->lx.token, number;
        uint32_t key = rp_target_key(word.text, word.length);
        rp_target_fault fault;
        if (key == RP_TARGET_KEYS)
            return RP_FAIL(p, &word, "%s is no figure of a target: reprise/target.h lists them",
                           rp_parse_show(&word).text);
        uint64_t *figure = rp_target_figure_of(&target, key);
        if (*figure) return RP_FAIL(p, &word, "%s is given twice", rp_target_keys[key]);
        rp_lex_next(&p->lx);
        number = p->lx.token;
        if (!rp_parse_number(p, rp_target_keys[key], UINT64_MAX, figure)) return false;
        if (rp_target_is_wrong(key, *figure, &fault))
            return RP_FAIL(p, &number, "%s %s", rp_target_keys[key], fault.text);
    }
    rp_graph_set_target(p->g, &target);
    return rp_parse_line_end(p);
}

/* ---- Groups and barriers --------------------------------------------------------------------- */

/* A line that the header does not lead one to expect: said of the first. */
static bool wrong_stage(rp_parser *p, const rp_token *first, const char *stage) {
    p->header_wrong = p->lost_group = true;
    return RP_FAIL(p, first, "%s belongs to a graph that is '%s'", rp_parse_show(first).text,
                   stage);
}

static bool parse_group(rp_parser *p, const rp_token *first) {
    rp_graph *g = p->g;
    if (!(g->stages & RP_STAGE_SCHEDULED) && !p->header_wrong)
        return wrong_stage(p, first, "scheduled");
    p->behind_barrier = false;
    uint32_t wanted = g->group_count++, found;
    rp_token t = p->lx.token;
    if (!rp_parse_u32(p, "the group's number", &found)) return false;
    bool fits = found == wanted || found == wanted + p->group_skew || p->lost_group;
    p->group_skew = found - wanted;
    p->lost_group = false;
    if (!fits) return RP_FAIL(p, &t, "expected group %u, found group %u", wanted, found);
    return rp_parse_line_end(p);
}

/* Barriers up to the one before group `index`, of both forms where there are two; new ones are absent. */
static bool reserve_barriers(rp_parser *p, uint32_t index) {
    rp_graph *g = p->g;
    uint32_t missing = index + 1 > g->barriers_count ? index + 1 - g->barriers_count : 0;
    if (!RP_RESERVE(p->a, g->barriers, g->barriers_count, g->barriers_capacity, missing))
        return rp_parse_no_memory(p);
    while (g->barriers_count <= index) g->barriers[g->barriers_count++] = (rp_graph_barrier){0};
    if (!rp_graph_has_tags(g)) return true;
    if (!RP_RESERVE(p->a, g->tagged_barriers, g->tagged_barriers_count, g->tagged_barriers_capacity,
                    g->barriers_count - g->tagged_barriers_count))
        return rp_parse_no_memory(p);
    while (g->tagged_barriers_count < g->barriers_count)
        g->tagged_barriers[g->tagged_barriers_count++] = (rp_graph_barrier){0};
    return true;
}

/* A scope is words, ':' and ',' without spaces between: their text as a whole. */
static bool parse_scope(rp_parser *p, uint32_t *out) {
    rp_token t = p->lx.token;
    const char *end = t.text;
    while (p->lx.token.text == end && (p->lx.token.kind == RP_TOKEN_WORD ||
                                       p->lx.token.mark == ':' || p->lx.token.mark == ',')) {
        end = p->lx.token.text + p->lx.token.length;
        rp_lex_next(&p->lx);
    }
    t.length = (size_t)(end - t.text);
    if (t.length == 0)
        return rp_parse_expected(p, "stages with access, like compute:rw,indirect:r");
    t.kind = RP_TOKEN_WORD;
    if (rp_scope_parse(t.text, t.length, out)) return true;
    return RP_FAIL(
        p, &t,
        "%s is no scope; there are compute:rwus, transfer:rw, indirect:r and host:r, with "
        "',' between",
        rp_parse_show(&t).text);
}

/* "compute:w -> compute:rw" */
static bool parse_scopes(rp_parser *p, rp_graph_barrier *out) {
    if (!parse_scope(p, &out->src)) return false;
    if (p->lx.token.kind != RP_TOKEN_ARROW) return rp_parse_expected(p, "'->'");
    rp_lex_next(&p->lx);
    return parse_scope(p, &out->dst);
}

static bool parse_barrier(rp_parser *p, const rp_token *first) {
    rp_graph *g = p->g;
    rp_graph_barrier barrier, tagged;
    uint32_t before = g->group_count;
    if (!(g->stages & RP_STAGE_SYNCED) && !p->header_wrong) return wrong_stage(p, first, "synced");
    if (!reserve_barriers(p, before) || !parse_scopes(p, &barrier)) return false;
    tagged = barrier;
    rp_token word = p->lx.token;
    if (rp_parse_accept_word(p, "tagged")) {
        if (!parse_scopes(p, &tagged)) return false;
        if (g->tagged_barriers_count == 0)
            return RP_FAIL(p, &word, "there is no tagged buffer, and so but one form of barriers");
    }
    if (!rp_parse_line_end(p)) return false;
    if (!(barrier.src | barrier.dst | tagged.src | tagged.dst))
        return RP_FAIL(p, first, "a barrier between nothing and nothing is left out");
    const rp_graph_barrier *other = &rp_graph_form(g, RP_FORM_TAGGED)[before];
    if (!p->lost_group &&
        (g->barriers[before].src | g->barriers[before].dst | other->src | other->dst))
        return RP_FAIL(p, first, "there is another barrier in front of group %u", before);
    g->barriers[before] = barrier;
    if (g->tagged_barriers_count) g->tagged_barriers[before] = tagged;
    p->behind_barrier = before > 0;
    return true;
}

/* ---- The whole ------------------------------------------------------------------------------- */

/* Of a line that is wrong, what it declares, most likely: names that nothing has yet. Their users
 * are not reported as well. */
static void poison_rest(rp_parser *p) {
    while (p->status != RP_ERROR_NO_MEMORY && p->lx.token.kind != RP_TOKEN_NEWLINE &&
           p->lx.token.kind != RP_TOKEN_END) {
        rp_token t = rp_parse_take(p);
        bool kernel = t.kind == RP_TOKEN_KERNEL;
        if (kernel || t.kind == RP_TOKEN_EXTERNAL || t.kind == RP_TOKEN_TRANSIENT)
            rp_parse_poison(p, kernel ? &p->kernels : &p->buffers, &t);
    }
}

static bool parse_statement(rp_parser *p) {
    rp_token first = rp_parse_take(p);
    uint32_t id;
    if (rp_parse_node_id(&first, &id)) return rp_parse_node(p, &first, id);
    if (rp_parse_word_is(&first, "target")) return parse_target(p, &first);
    if (rp_parse_word_is(&first, "buf")) return rp_parse_buffer(p);
    if (rp_parse_word_is(&first, "kern")) return rp_parse_kernel(p);
    if (rp_parse_word_is(&first, "samp")) return rp_parse_sampler(p);
    if (rp_parse_word_is(&first, "group")) return parse_group(p, &first);
    if (rp_parse_word_is(&first, "barrier")) return parse_barrier(p, &first);
    p->lost_group = true;
    return RP_FAIL(
        p, &first,
        "expected target, buf, kern, samp, group, barrier, a node like 'n0 = ...' or '}', found %s",
        rp_parse_show(&first).text);
}

/* Goes to the next line that holds something. */
static void next_line(rp_parser *p) {
    rp_lex_skip_line(&p->lx);
    while (p->lx.token.kind == RP_TOKEN_NEWLINE) rp_lex_next(&p->lx);
}

static void parse_text(rp_parser *p) {
    while (p->lx.token.kind == RP_TOKEN_NEWLINE) rp_lex_next(&p->lx);
    if (!parse_version(p)) return; /* something else altogether: one message is enough */
    next_line(p);
    if (!rp_parse_word_is(&p->lx.token, "graph")) {
        rp_parse_expected(p, "'graph NAME {'");
        return;
    }
    p->header_wrong = !parse_graph_line(p);
    next_line(p);
    while (p->status != RP_ERROR_NO_MEMORY && p->lx.token.mark != '}') {
        if (p->lx.token.kind == RP_TOKEN_END) {
            rp_parse_expected(p, "'}' at the end of the graph");
            return;
        }
        if (!parse_statement(p)) poison_rest(p);
        next_line(p);
    }
    if (p->status == RP_ERROR_NO_MEMORY) return;
    rp_lex_next(&p->lx);
    if (!rp_parse_line_end(p)) return;
    next_line(p);
    if (p->lx.token.kind != RP_TOKEN_END) rp_parse_expected(p, "nothing behind the graph");
    if (p->g->stages & RP_STAGE_SYNCED) reserve_barriers(p, p->g->group_count);
}

rp_status rp_graph_parse_again(const rp_allocator *allocator, const char *text, size_t size,
                               const char *file, rp_diags *diags, rp_graph **out_graph) {
    rp_status status = rp_graph_parse(allocator, text, size, file, NULL, out_graph);
    return status == RP_ERROR_INVALID
               ? rp_graph_parse(allocator, text, size, file, diags, out_graph)
               : status;
}

rp_status rp_graph_parse(const rp_allocator *allocator, const char *text, size_t size,
                         const char *file, rp_diags *diags, rp_graph **out_graph) {
    if (!out_graph) return RP_ERROR_USAGE;
    *out_graph = NULL;
    if (!text && size) return RP_ERROR_USAGE;
    rp_parser p = {.g = rp_graph_create(allocator, "graph"), .file = file, .diags = diags};
    if (!p.g) return RP_ERROR_NO_MEMORY;
    p.a = &p.g->allocator;
    rp_text_init(&p.scratch, p.a);
    rp_lex_start(&p.lx, text ? text : "", size);
    parse_text(&p);
    rp_table_free(p.a, &p.buffers);
    rp_table_free(p.a, &p.kernels);
    rp_table_free(p.a, &p.samplers);
    rp_text_free(&p.scratch);

    /* What could be read is verified even so, to report as much as possible at once; but not the
     * stages, where a missing line makes much of the rest look wrong. */
    if (p.status == RP_ERROR_INVALID && !p.g->stages && !p.header_wrong &&
        rp_graph_verify_parts(p.g, file, diags) == RP_ERROR_NO_MEMORY)
        p.status = RP_ERROR_NO_MEMORY;
    if (p.status == RP_OK) p.status = rp_graph_verify(p.g, file, diags);
    if (p.status == RP_OK) rp_graph_drop_idle(p.g);
    if (p.status == RP_OK)
        *out_graph = p.g;
    else
        rp_graph_destroy(p.g);
    return p.status;
}
