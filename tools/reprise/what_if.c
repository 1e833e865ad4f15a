/* What would become of a graph if it were another: it is compiled again as that, and the figures are compared.
 *
 * A range is another text of the source. A fusion is an option of the passes. A transient with memory of its own is
 * placed at the end of the arena between the passes place and sync: everything else stays where it was, so what changes is
 * what the sharing did. */
#include "explain.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "level.h"
#include "message.h"
#include "reprise/compiler.h"
#include "reprise/inspect.h"

/* ---- Reading --------------------------------------------------------------------------------- */

static bool read_node(const char **at, uint32_t *out) {
    char *end;
    if (**at != 'n' || !isdigit((unsigned char)(*at)[1])) return false;
    unsigned long id = strtoul(*at + 1, &end, 10);
    if (id >= UINT32_MAX) return false;
    *out = (uint32_t)id;
    *at = end;
    return true;
}

static bool read_fused(const char *at, cli_what_if *out) {
    do {
        if (out->fused_count == sizeof out->fused / sizeof *out->fused) return false;
        uint32_t id;
        if (!read_node(&at, &id)) return false;
        for (uint32_t i = 0; i < out->fused_count; i++)
            if (out->fused[i] == id) return false;
        out->fused[out->fused_count++] = id;
    } while (*at == ',' && *++at);
    return *at == '\0' && out->fused_count > 1;
}

/* "$h[0+64]" and nothing behind it. */
static bool read_range(const char *text, cli_what_if *out) {
    const char *at = text + 1 + strcspn(text + 1, "[");
    if ((*text != '$' && *text != '%') || at == text + 1 || *at != '[') return false;
    at++;
    size_t digits = strspn(at, "0123456789");
    if (digits == 0 || digits > 19 || at[digits] != '+') return false;
    at += digits + 1;
    digits = strspn(at, "0123456789");
    if (digits == 0 || digits > 19 || strcmp(at + digits, "]") != 0) return false;
    out->range = text;
    return true;
}

int cli_what_if_read(const cli_command *command, const char *text, cli_what_if *out) {
    *out = (cli_what_if){0};
    if (!strncmp(text, "no-reuse=", 9) && text[9]) {
        out->change = CHANGE_NO_REUSE;
        out->buffer = text + 9 + strspn(text + 9, "%$");
        return CLI_OK;
    }
    if (!strncmp(text, "range=", 6)) {
        const char *at = text + 6;
        out->change = CHANGE_RANGE;
        if (read_node(&at, &out->node) && *at == ':' && read_range(at + 1, out)) return CLI_OK;
    }
    if (!strncmp(text, "fuse=", 5)) {
        out->change = CHANGE_FUSE;
        if (read_fused(text + 5, out)) return CLI_OK;
    }
    return cli_usage(
        command,
        "--what-if is no-reuse=BUFFER, range=nID:BUFFER[OFFSET+SIZE] or fuse=nID,nID; got '%s'",
        text);
}

/* ---- Other graphs ---------------------------------------------------------------------------- */

static int wrong(const char *file, rp_status status) {
    rp_diags *diags = cli_diags();
    int result = cli_report(diags, file, status);
    rp_diags_destroy(diags);
    return result;
}

/* Runs the passes; `into` may be NULL. */
static int compile(const rp_graph *graph, const rp_pass_options *passes, const char *file,
                   rp_inspection *into, rp_graph **out) {
    rp_pass_options own = *passes;
    rp_graph *compiled = NULL;
    rp_diags *diags = cli_diags();
    own.lowering = rp_lowering_default();
    own.observer = into ? rp_inspection_observe : NULL;
    own.observer_user = into;
    int result = cli_report(diags, file, rp_passes_run(graph, &own, diags, &compiled, NULL, NULL));
    rp_diags_destroy(diags);
    if (out)
        *out = compiled;
    else
        rp_graph_destroy(compiled);
    return result;
}

/* text[from .. to) becomes `with`. */
static char *replace(const char *text, size_t from, size_t to, const char *with) {
    size_t size = strlen(text), more = strlen(with);
    char *out = cli_alloc(size - (to - from) + more + 1, 1);
    memcpy(out, text, from);
    memcpy(out + from, with, more);
    memcpy(out + from + more, text + to, size - to + 1);
    return out;
}

static bool is_name(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-';
}

/* The line that begins with `start` behind spaces; NULL. */
static const char *find_line(const char *text, const char *start) {
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *at = line + strspn(line, " ");
        if (!strncmp(at, start, strlen(start))) return at;
    }
    return NULL;
}

/* What is wrong with a text that nobody has written is told of the change, without a line. */
static int parse(const char *text, const char *file, rp_graph **out) {
    rp_diags *diags = cli_diags();
    rp_status status = rp_graph_parse(NULL, text, strlen(text), NULL, diags, out);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        rp_diag diag = rp_diags_get(diags, i);
        if (diag.severity == RP_ERROR) cli_error(file, "--what-if: %s", diag.message);
    }
    int result = rp_diags_error_count(diags) ? cli_exit_status(status) : wrong(file, status);
    rp_diags_destroy(diags);
    return result;
}

/* The source with another range of one node. */
static int make_range(const cli_what_if *what, const rp_graph *graph, const char *file,
                      rp_graph **out) {
    char start[32], *text = NULL;
    int result = wrong(file, rp_graph_print(graph, RP_FORMAT_TEXT, &text, NULL));
    if (result != CLI_OK) return result;
    size_t length = strcspn(what->range, "[");
    snprintf(start, sizeof start, "n%u = ", what->node);
    const char *line = find_line(text, start), *end = line ? line + strcspn(line, "\n") : NULL,
               *found = NULL;
    for (const char *at = line; at && at + length <= end && !found; at++)
        if (!strncmp(at, what->range, length) && !is_name(at[length])) found = at;
    if (!found) {
        cli_error(file,
                  "n%u does not use %.*s: --what-if range=nID:BUFFER[OFFSET+SIZE] names a node of "
                  "the source and one of its buffers",
                  what->node, (int)length, what->range);
        result = CLI_INPUT;
    } else {
        size_t from = (size_t)(found - text), to = from + length;
        if (text[to] == '[') to += strcspn(text + to, "]") + 1;
        char *other = replace(text, from, to, what->range);
        result = parse(other, file, out);
        free(other);
    }
    rp_text_release(graph, text);
    return result;
}

/* Where the buffer is, its bytes there, and the arena's. */
static bool find_buffer(const rp_graph *graph, const char *name, json_int_t *size,
                        json_int_t *arena) {
    char *text = NULL;
    json_error_t error;
    bool found = false;
    if (rp_graph_print(graph, RP_FORMAT_JSON, &text, NULL) != RP_OK) return false;
    json_t *root = json_loads(text, JSON_DECODE_INT_AS_REAL, &error), *buffer;
    size_t i;
    json_array_foreach(json_object_get(root, "buffers"), i, buffer) {
        if (strcmp(cli_fact_text(buffer, "name"), name) ||
            cli_fact_number(buffer, "offset", -1) < 0)
            continue;
        *size = cli_fact_number(buffer, "size", 0) *
                (json_is_true(json_object_get(buffer, "tagged")) ? 2 : 1);
        found = true;
    }
    *arena = cli_fact_number(json_object_get(root, "stats"), "arena_bytes", 0);
    json_decref(root);
    rp_text_release(graph, text);
    return found;
}

/* The placed graph with the buffer at the end of the arena. */
static int move_buffer(const char *name, const rp_graph *placed, const char *file, rp_graph **out) {
    char *text = NULL, start[300], with[64];
    json_int_t size = 0, arena = 0;
    if (!find_buffer(placed, name, &size, &arena)) {
        cli_error(file,
                  "%%%s has no place in the arena after compiling: it stays in a kernel, or is "
                  "none of the transients",
                  name);
        return CLI_INPUT;
    }
    int result = wrong(file, rp_graph_print(placed, RP_FORMAT_TEXT, &text, NULL));
    if (result != CLI_OK) return result;
    arena = (arena + 255) / 256 * 256;
    snprintf(start, sizeof start, "buf %%%.250s ", name);
    const char *line = find_line(text, start), *place = line ? strstr(line, " at ") : NULL;
    size_t from = (size_t)(place - text) + 4;
    snprintf(with, sizeof with, "%" JSON_INTEGER_FORMAT, arena);
    char *moved = replace(text, from, from + strspn(text + from, "0123456789"), with);
    rp_text_release(placed, text);
    char *header = strstr(moved, " arena ");
    from = (size_t)(header - moved) + 7;
    snprintf(with, sizeof with, "%" JSON_INTEGER_FORMAT, arena + (size + 255) / 256 * 256);
    char *whole = replace(moved, from, from + strspn(moved + from, "0123456789"), with);
    result = parse(whole, file, out);
    free(moved);
    free(whole);
    return result;
}

static int compile_without_reuse(const char *name, const rp_graph *graph,
                                 const rp_pass_options *passes, const char *file,
                                 rp_inspection *into) {
    const char *pipeline = passes->pipeline ? passes->pipeline : rp_pass_level(1);
    const char *sync = strstr(pipeline, ",sync");
    rp_graph *placed = NULL, *moved = NULL, *compiled = NULL;
    rp_pass_options own = *passes;
    if (!sync || strchr(sync + 1, ',')) {
        cli_error(file, "--what-if no-reuse needs passes that end with sync");
        return CLI_USAGE;
    }
    char *before = replace(pipeline, (size_t)(sync - pipeline), strlen(pipeline), "");
    own.pipeline = before;
    int result = compile(graph, &own, file, NULL, &placed);
    if (result == CLI_OK) result = move_buffer(name, placed, file, &moved);
    own.pipeline = sync + 1;
    own.target = NULL; /* it is the graph's */
    if (result == CLI_OK) result = compile(moved, &own, file, NULL, &compiled);
    if (result == CLI_OK) result = wrong(file, rp_inspection_add(into, graph, compiled));
    rp_graph_destroy(placed);
    rp_graph_destroy(moved);
    rp_graph_destroy(compiled);
    free(before);
    return result;
}

int cli_what_if_check(const cli_what_if *what, const cli_facts *now) {
    for (uint32_t i = 0; i < what->fused_count; i++) {
        if (cli_fact(now->inside, what->fused[i])) continue;
        cli_error(now->file, "has no node n%u after compiling, which --what-if names",
                  what->fused[i]);
        return CLI_INPUT;
    }
    return CLI_OK;
}

int cli_what_if_compile(const cli_what_if *what, const rp_graph *graph,
                        const rp_pass_options *passes, const char *file, rp_inspection *into) {
    rp_pass_options own = *passes;
    rp_graph *other = NULL;
    int result = CLI_OK;
    switch (what->change) {
    case CHANGE_NOTHING: return compile(graph, passes, file, into, NULL);
    case CHANGE_NO_REUSE: return compile_without_reuse(what->buffer, graph, passes, file, into);
    case CHANGE_FUSE:
        own.fused = what->fused;
        own.fused_count = what->fused_count;
        return compile(graph, &own, file, into, NULL);
    case CHANGE_RANGE:
        result = make_range(what, graph, file, &other);
        if (result == CLI_OK) result = compile(other, passes, file, into, NULL);
        rp_graph_destroy(other);
    }
    return result;
}

/* ---- Saying ---------------------------------------------------------------------------------- */

static double expected(const cli_facts *f) {
    json_t *fact;
    size_t i;
    double sum = 0;
    json_array_foreach(json_object_get(f->facts, "nodes"), i, fact) sum +=
        json_number_value(json_object_get(fact, "expected_ns"));
    return sum;
}

static void say_figure(const char *name, double now, double then, const char *unit) {
    const char *judged = then < now ? "  better" : then > now ? "  worse" : "";
    printf("  %-18s %14.*f -> %14.*f%s%s\n", name, *unit ? 2 : 0, now, *unit ? 2 : 0, then, unit,
           judged);
}

/* Whether all nodes that should be one kernel are. */
static void say_fused(const cli_what_if *what, const cli_facts *then) {
    const json_t *first = cli_fact(then->inside, what->fused[0]);
    for (uint32_t i = 1; i < what->fused_count; i++) {
        if (first && cli_fact(then->inside, what->fused[i]) == first) continue;
        printf("n%u and n%u are not one kernel then either: it is no matter of cost.\n",
               what->fused[0], what->fused[i]);
    }
}

void cli_what_if_say(const cli_what_if *what, const cli_facts *now, const cli_facts *then) {
    static const struct {
        const char *key, *name;
    } figures[] = {{"nodes", "nodes"},
                   {"groups", "groups"},
                   {"barriers", "barriers"},
                   {"barrier_bound", "barrier bound"},
                   {"arena_bytes", "arena bytes"},
                   {"arena_bound_bytes", "arena bound"},
                   {"transient_bytes", "unshared bytes"}};
    const json_t *a = json_object_get(now->graph, "stats"),
                 *b = json_object_get(then->graph, "stats");
    bool same = true;
    if (what->change == CHANGE_FUSE) say_fused(what, then);
    printf("What would be:\n");
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        json_int_t x = cli_fact_number(a, figures[i].key, 0),
                   y = cli_fact_number(b, figures[i].key, 0);
        if (x != y) say_figure(figures[i].name, (double)x, (double)y, "");
        same &= x == y;
    }
    double x = expected(now) / 1e3, y = expected(then) / 1e3;
    if (x != y) say_figure("expected", x, y, " us");
    if (same && x == y) printf("  the same figures: nothing is won or lost\n");
}
