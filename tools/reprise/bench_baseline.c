/* Reading, comparing and writing baselines. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench.h"
#include "files.h"
#include "message.h"
#include "output.h"

enum { MOST_BYTES = 1 << 28 };

/* What is counted, and must not grow. */
static const char *const counts[] = {"nodes",           "dispatches", "transfers",
                                     "groups",          "barriers",   "arena_bytes",
                                     "transient_bytes", "bytes",      "kernels"};
enum { COUNTS = sizeof counts / sizeof *counts };

int cli_bench_open(const char *path, bool update, cli_comparison *out) {
    struct stat info;
    json_error_t error;
    if (update && access(path, F_OK) != 0 && errno == ENOENT) {
        out->root = json_pack("{s:i, s:[]}", "baseline", 1, "entries");
        return cli_output_check(path);
    }
    if (update && cli_output_check(path) != CLI_OK) return CLI_ENVIRONMENT;
    size_t size = 0;
    char *text = NULL;
    int descriptor = update ? open(path, O_RDONLY | O_CLOEXEC) /* it may be written over */
                            : cli_file_open(path, "a baseline of 'reprise bench --update'", &info);
    if (descriptor >= 0) text = cli_file_read(descriptor, path, MOST_BYTES, &size);
    if (descriptor >= 0) close(descriptor);
    if (!text) {
        if (update && descriptor < 0) cli_error(path, "cannot be read: %s", strerror(errno));
        return CLI_INPUT;
    }
    out->root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (!out->root) {
        rp_diags *diags = cli_diags();
        rp_diags_add(diags, RP_ERROR, path, (uint32_t)error.line, (uint32_t)error.column,
                     "is no JSON: %s", error.text);
        int result = cli_report(diags, path, RP_ERROR_INVALID);
        rp_diags_destroy(diags);
        return result;
    }
    json_t *entry;
    size_t i;
    bool valid = cli_fact_number(out->root, "baseline", 0) == 1 &&
                 json_is_array(json_object_get(out->root, "entries"));
    json_array_foreach(json_object_get(out->root, "entries"), i, entry) valid &=
        json_is_object(entry) && json_is_object(json_object_get(entry, "counts"));
    if (valid) return CLI_OK;
    cli_error(path, "is no baseline; expected what 'reprise bench --update' writes");
    return CLI_INPUT;
}

/* ---- Entries --------------------------------------------------------------------------------- */

static double bytes_of(const cli_facts *f) {
    json_t *fact;
    size_t i;
    double sum = 0;
    json_array_foreach(json_object_get(f->facts, "nodes"), i, fact) sum +=
        json_number_value(json_object_get(fact, "bytes_read")) +
        json_number_value(json_object_get(fact, "bytes_written"));
    return sum;
}

json_t *cli_bench_entry(const cli_facts *f, const char *passes, const cli_measured *measured) {
    const json_t *stats = json_object_get(f->graph, "stats");
    const char *target = cli_fact_text(json_object_get(f->graph, "target"), "name"),
               *title = cli_fact_text(f->form, "title");
    json_t *entry = json_object(), *all = json_object(), *decided = json_array(), *pass, *decision;
    size_t i, k;
    json_object_set_new(entry, "pipeline", json_string(cli_fact_text(f->graph, "graph")));
    if (title) json_object_set_new(entry, "form", json_string(title));
    json_object_set_new(entry, "target", json_string(target ? target : "portable"));
    json_object_set_new(entry, "passes", json_string(passes));
    for (i = 0; i < COUNTS; i++)
        json_object_set_new(all, counts[i], json_integer(cli_fact_number(stats, counts[i], 0)));
    json_object_set_new(all, "bytes", json_integer((json_int_t)bytes_of(f)));
    json_object_set_new(
        all, "kernels",
        json_integer((json_int_t)json_array_size(json_object_get(f->graph, "kernels"))));
    json_object_set_new(entry, "counts", all);
    json_array_foreach(json_object_get(f->form, "passes"), i, pass)
        json_array_foreach(json_object_get(pass, "decisions"), k, decision)
            json_array_append(decided, json_object_get(decision, "text"));
    json_object_set_new(entry, "decisions", decided);
    if (measured)
        json_object_set_new(
            entry, "times",
            json_pack("{s:{s:f}}", measured->device, "whole_ns", measured->whole_ns));
    return entry;
}

static bool is_same_text(const json_t *a, const json_t *b, const char *key) {
    const char *x = cli_fact_text(a, key), *y = cli_fact_text(b, key);
    return x && y ? !strcmp(x, y) : x == y;
}

/* The entry of the baseline that this one is to be compared with; its index. */
static json_t *find_entry(const cli_comparison *c, const json_t *entry, size_t *out_index) {
    json_t *other;
    size_t i;
    json_array_foreach(json_object_get(c->root, "entries"), i, other) {
        if (!is_same_text(entry, other, "pipeline") || !is_same_text(entry, other, "form") ||
            !is_same_text(entry, other, "target") || !is_same_text(entry, other, "passes"))
            continue;
        if (out_index) *out_index = i;
        return other;
    }
    return NULL;
}

int cli_bench_keep(cli_comparison *c, json_t *entry) {
    size_t index = 0;
    json_t *entries = json_object_get(c->root, "entries"), *old = find_entry(c, entry, &index);
    c->compared++;
    if (!old) return json_array_append(entries, entry) == 0 ? CLI_OK : CLI_ENVIRONMENT;
    json_t *times = json_object_get(old, "times"), *own = json_object_get(entry, "times"),
           *both = json_object();
    if (times) json_object_update(both, times);
    if (own) json_object_update(both, own);
    if (json_object_size(both)) json_object_set(entry, "times", both);
    json_decref(both);
    return json_array_set(entries, index, entry) == 0 ? CLI_OK : CLI_ENVIRONMENT;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

/* A table begins with its first line. */
typedef struct table {
    const json_t *entry;
    bool begun, worse, better;
} table;

static void begin(table *t) {
    const char *form = cli_fact_text(t->entry, "form");
    if (t->begun) return;
    t->begun = true;
    printf("%s for %s%s%s\n", cli_fact_text(t->entry, "pipeline"),
           cli_fact_text(t->entry, "target"), form ? ", " : "", form ? form : "");
    printf("  %-18s %16s %16s\n", "figure", "baseline", "now");
}

static void add_line(table *t, const char *name, double was, double now, bool worse) {
    begin(t);
    printf("  %-18s %16.0f %16.0f  %s\n", name, was, now, worse ? "worse" : "better");
    t->worse |= worse;
    t->better |= !worse;
}

static bool holds(const json_t *list, const char *text) {
    json_t *item;
    size_t i;
    json_array_foreach(list, i, item) if (json_is_string(item) &&
                                          !strcmp(json_string_value(item), text)) return true;
    return false;
}

/* Those of the one that the other does not have. */
static void say_decisions(const json_t *list, const json_t *other, char sign, bool *said) {
    json_t *item;
    size_t i;
    json_array_foreach(list, i, item) {
        if (!json_is_string(item) || holds(other, json_string_value(item))) continue;
        if (!*said) printf("  decisions that changed:\n");
        *said = true;
        printf("    %c %s\n", sign, json_string_value(item));
    }
}

static void compare_times(table *t, const json_t *was, const json_t *now, uint32_t tolerance) {
    const char *device;
    json_t *time;
    json_object_foreach((json_t *)now, device, time) {
        const json_t *old = json_object_get(was, device);
        double before = json_number_value(json_object_get(old, "whole_ns")),
               after = json_number_value(json_object_get(time, "whole_ns"));
        if (!old) {
            printf("%s: no time of %s in the baseline\n", cli_fact_text(t->entry, "pipeline"),
                   device);
        } else if (after > before * (1 + tolerance / 100.0)) {
            add_line(t, "replay, ns", before, after, true);
        } else if (after < before / (1 + tolerance / 100.0)) {
            add_line(t, "replay, ns", before, after, false);
        }
    }
}

int cli_bench_compare(cli_comparison *c, json_t *entry, uint32_t tolerance) {
    const json_t *old = find_entry(c, entry, NULL), *was = json_object_get(old, "counts"),
                 *now = json_object_get(entry, "counts");
    table t = {.entry = entry};
    bool said = false;
    c->compared++;
    if (!old) {
        printf("%s for %s: nothing in the baseline; --update adds it\n",
               cli_fact_text(entry, "pipeline"), cli_fact_text(entry, "target"));
        c->unknown++;
        return CLI_OK;
    }
    for (size_t i = 0; i < COUNTS; i++) {
        json_int_t before = cli_fact_number(was, counts[i], -1),
                   after = cli_fact_number(now, counts[i], 0);
        if (before >= 0 && before != after)
            add_line(&t, counts[i], (double)before, (double)after, after > before);
    }
    compare_times(&t, json_object_get(old, "times"), json_object_get(entry, "times"), tolerance);
    if (t.begun) {
        say_decisions(json_object_get(old, "decisions"), json_object_get(entry, "decisions"), '-',
                      &said);
        say_decisions(json_object_get(entry, "decisions"), json_object_get(old, "decisions"), '+',
                      &said);
    }
    c->worse += t.worse;
    c->better += t.better && !t.worse;
    return CLI_OK;
}

static int by_key(const void *left, const void *right) {
    static const char *const keys[] = {"pipeline", "form", "target", "passes"};
    for (int i = 0; i < 4; i++) {
        const char *a = cli_fact_text(*(json_t *const *)left, keys[i]),
                   *b = cli_fact_text(*(json_t *const *)right, keys[i]);
        int order = strcmp(a ? a : "", b ? b : "");
        if (order) return order;
    }
    return 0;
}

/* In the order of their names, so that files that differ in one entry differ there alone. */
static void sort_entries(json_t *root) {
    json_t *entries = json_object_get(root, "entries"), *sorted = json_array();
    size_t count = json_array_size(entries);
    json_t **items = cli_alloc(count + 1, sizeof *items);
    for (size_t i = 0; i < count; i++) items[i] = json_array_get(entries, i);
    qsort(items, count, sizeof *items, by_key);
    for (size_t i = 0; i < count; i++) json_array_append(sorted, items[i]);
    json_object_set_new(root, "entries", sorted);
    free(items);
}

int cli_bench_end(cli_comparison *c, const char *path, bool update) {
    if (!update) {
        printf("%u compared: %u worse, %u better, %u not in the baseline\n", c->compared, c->worse,
               c->better, c->unknown);
        return c->worse || c->unknown ? CLI_INPUT : CLI_OK;
    }
    sort_entries(c->root);
    char *text = json_dumps(c->root, JSON_INDENT(1) | JSON_SORT_KEYS);
    if (!text) {
        cli_error(path, "out of host memory");
        return CLI_ENVIRONMENT;
    }
    size_t size = strlen(text);
    text[size] = '\n'; /* in place of the end, which is not written */
    int result = cli_output_whole(path, text, size + 1);
    free(text);
    if (result == CLI_OK) cli_say("%s: %u entries written", path, c->compared);
    return result;
}
