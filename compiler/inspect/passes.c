/* What a pass decided, by the lines of its report, and what it changed, by comparing the graphs before and
 * behind it. */
#include "inspect/internal.h"

#include "views/diff.h"

/* A line of a report begins with one of these; they are the kinds of decisions. */
static const char *const decisions[] = {"fused", "kept apart", "tagged", "left"};

static const char *kind_of(const char *line, size_t length) {
    for (uint32_t i = 0; i < sizeof decisions / sizeof *decisions; i++) {
        size_t n = strlen(decisions[i]);
        if (length > n && !memcmp(line, decisions[i], n) &&
            !strchr("abcdefghijklmnopqrstuvwxyz", line[n]))
            return decisions[i];
    }
    return "other";
}

/* The ids of the nodes that a line names, "n12", each as often as it does. */
static void put_named_nodes(rp_text *t, const char *line, size_t length) {
    bool first = true;
    rp_text_string(t, ",\"nodes\":[");
    for (size_t i = 0; i < length; i++) {
        bool begins = i == 0 || strchr(" (,:>", line[i - 1]);
        if (!begins || line[i] != 'n') continue;
        size_t end = i + 1;
        uint64_t id = 0;
        while (end < length && line[end] >= '0' && line[end] <= '9' && id < RP_NONE)
            id = 10 * id + (uint64_t)(line[end++] - '0');
        if (end == i + 1 || id >= RP_NONE || (end < length && !strchr(" ,:)\n", line[end])))
            continue;
        if (!first) rp_text_char(t, ',');
        rp_text_u64(t, id);
        first = false;
    }
    rp_text_char(t, ']');
}

static void put_decisions(rp_text *t, const char *lines) {
    bool first = true;
    rp_text_string(t, ",\"decisions\":[");
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        rp_text_format(t, "%s{\"kind\":\"%s\"", first ? "\n" : ",\n", kind_of(lines, length));
        put_named_nodes(t, lines, length);
        rp_json_key(t, "text");
        rp_json_bytes(t, lines, length);
        rp_text_char(t, '}');
        first = false;
        lines += length + (lines[length] == '\n');
    }
    rp_text_char(t, ']');
}

/* ---- Differences ----------------------------------------------------------------------------- */

typedef struct listing {
    rp_text *text;
    uint32_t lines;
} listing;

static const char *sign_name(char sign) {
    return sign == '+' ? "added" : sign == '-' ? "removed" : sign == '>' ? "moved" : "changed";
}

/* "nodes" -> "node" */
static void put_singular(rp_text *t, const char *plural) {
    size_t length = strlen(plural);
    rp_text_append(t, plural, plural[length - 1] == 's' ? length - 1 : length);
}

static void put_line(void *context, const rp_diff_line *line) {
    listing *l = context;
    if (l->lines++ >= RP_INSPECT_LINES) return;
    rp_text_format(l->text, "%s{\"how\":\"%s\",\"what\":\"", l->lines > 1 ? ",\n" : "\n",
                   sign_name(line->sign));
    put_singular(l->text, line->what);
    rp_text_char(l->text, '"');
    rp_json_optional(l->text, "id", line->id, RP_NONE);
    rp_json_key(l->text, "text");
    const char *shown = line->text + 2; /* behind the sign */
    size_t length = strlen(shown), kept = length;
    if (kept > RP_INSPECT_LINE)
        for (kept = RP_INSPECT_LINE; kept && (shown[kept] & 0xc0) == 0x80;) kept--;
    rp_json_bytes(l->text, shown, kept);
    if (kept < length) rp_json_flag(l->text, "cut", true);
    rp_text_char(l->text, '}');
}

rp_status rp_inspect_difference(rp_text *t, const rp_graph *before, const rp_graph *after) {
    rp_text summary;
    listing l = {.text = t};
    rp_text_init(&summary, &after->allocator);
    rp_text_string(t, "{\"lines\":[");
    rp_status status = rp_diff_each(before, after, put_line, &l, &summary);
    rp_text_char(t, ']');
    rp_json_text(t, "summary", summary.data ? summary.data : "");
    if (l.lines > RP_INSPECT_LINES) rp_json_number(t, "left_out", l.lines - RP_INSPECT_LINES);
    rp_text_char(t, '}');
    if (summary.failed) status = RP_ERROR_NO_MEMORY;
    rp_text_free(&summary);
    return status;
}

rp_status rp_inspect_pass(rp_text *t, const rp_pass_report *r, const rp_graph *before,
                          const rp_graph *after) {
    rp_text_string(t, "{\"pass\":");
    rp_json_string(t, r->pass);
    rp_json_flag(t, "changed", r->changed);
    rp_json_real(t, "seconds", r->seconds);
    rp_json_number(t, "nodes_before", r->nodes_before);
    rp_json_number(t, "nodes", r->nodes_after);
    rp_json_number(t, "groups", r->groups_after);
    rp_json_number(t, "barriers", r->barriers_after);
    rp_json_number(t, "bytes_before", r->transient_bytes_before);
    rp_json_number(t, "bytes", r->transient_bytes_after);
    rp_json_text(t, "summary", r->summary);
    put_decisions(t, r->details ? r->details : "");
    rp_json_key(t, "changes");
    rp_status status = rp_inspect_difference(t, before, after);
    rp_text_char(t, '}');
    return t->failed ? RP_ERROR_NO_MEMORY : status;
}
