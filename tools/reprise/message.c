/* What the program says besides its results.
 *
 * Diagnostics come from the libraries as data; this file alone decides how they look. Colour is
 * used on a terminal only and never when NO_COLOR is set. Results never pass through here, so that
 * `reprise show x > file` stays clean.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "message.h"

static bool quiet, colored, terminal, progress_shown;

void cli_message_init(void) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    terminal = isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
    colored = terminal && !(no_color && *no_color);
}

void cli_set_quiet(void) {
    quiet = true;
}

bool cli_quiet(void) {
    return quiet;
}

static void clear_progress(void) {
    if (!progress_shown) return;
    fputs("\r\x1b[K", stderr);
    progress_shown = false;
}

void cli_progress(const char *format, ...) {
    if (!terminal || quiet) return;
    clear_progress();
    if (!format) return;
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fflush(stderr);
    progress_shown = true;
}

static void say_line(rp_severity severity, const char *place, const char *message) {
    static const char *const words[] = {"note", "warning", "error"};
    static const char *const colors[] = {"\x1b[36m", "\x1b[35m", "\x1b[31m"};
    clear_progress();
    const char *bold = colored ? "\x1b[1m" : "", *reset = colored ? "\x1b[0m" : "";
    const char *color = colored ? colors[severity] : "";
    if (*place) fprintf(stderr, "%s%s:%s ", bold, place, reset);
    fprintf(stderr, "%s%s%s:%s %s\n", bold, color, words[severity], reset, message);
}

static void say_formatted(rp_severity severity, const char *place, const char *format,
                          va_list args) {
    char message[4096];
    vsnprintf(message, sizeof message, format, args);
    say_line(severity, place, message);
}

void cli_error(const char *file, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say_formatted(RP_ERROR, file ? file : "reprise", format, args);
    va_end(args);
}

void cli_note(const char *format, ...) {
    if (quiet) return;
    va_list args;
    va_start(args, format);
    say_formatted(RP_NOTE, "", format, args);
    va_end(args);
}

void cli_say(const char *format, ...) {
    if (quiet) return;
    clear_progress();
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* `input`: what the message is about where it names no file itself. */
static void say_diag(const rp_diag *diag, const char *input) {
    if (quiet && diag->severity != RP_ERROR) return;
    char place[4096];
    const char *file = diag->file ? diag->file : input ? input : "reprise";
    if (diag->line && diag->column)
        snprintf(place, sizeof place, "%s:%u:%u", file, diag->line, diag->column);
    else if (diag->line)
        snprintf(place, sizeof place, "%s:%u", file, diag->line);
    else
        snprintf(place, sizeof place, "%s", file);
    say_line(diag->severity, place, diag->message);
}

int cli_exit_status(rp_status status) {
    switch (status) {
    case RP_OK: return CLI_OK;
    case RP_ERROR_INVALID:
    case RP_ERROR_IO:
    case RP_ERROR_DAMAGED:
    case RP_ERROR_VERSION:
    case RP_ERROR_UNPROVEN:
    case RP_ERROR_NOT_FOUND: return CLI_INPUT;
    case RP_ERROR_USAGE: return CLI_USAGE;
    case RP_ERROR_NO_MEMORY:
    case RP_ERROR_NO_DEVICE:
    case RP_ERROR_UNSUPPORTED:
    case RP_ERROR_DEVICE_MEMORY:
    case RP_ERROR_DEVICE_LOST:
    case RP_ERROR_BUSY:
    case RP_ERROR_TIMEOUT:
    case RP_ERROR_DRIVER:
    case RP_ERROR_CANCELLED:
    case RP_ERROR_STALLED: return CLI_ENVIRONMENT;
    }
    return CLI_ENVIRONMENT;
}

int cli_report(rp_diags *diags, const char *file, rp_status status) {
    uint32_t count = rp_diags_count(diags), kept_errors = 0;
    for (uint32_t i = 0; i < count; i++) {
        rp_diag diag = rp_diags_get(diags, i);
        if (diag.severity == RP_ERROR) kept_errors++;
        say_diag(&diag, file);
    }
    uint32_t errors = rp_diags_error_count(diags);
    if (errors > kept_errors) cli_note("and %u more errors", errors - kept_errors);
    if (status != RP_OK && errors == 0)
        cli_error(file, "%s; %s", rp_status_name(status), rp_status_advice(status));
    rp_diags_clear(diags);
    return cli_exit_status(status);
}

int cli_report_nodes(rp_diags *diags, const char *file, const rp_graph *graph, rp_status status) {
    rp_diags *placed = cli_diags();
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        rp_diag d = rp_diags_get(diags, i);
        uint32_t id, line = 0, column = 0;
        bool node = !d.file && d.line == 0 && sscanf(d.message, "n%" SCNu32, &id) == 1;
        if (node && graph && rp_graph_node_place(graph, id, &line, &column) == RP_OK)
            rp_diags_add(placed, d.severity, NULL, line, column, "%s", d.message);
        else
            rp_diags_add(placed, d.severity, d.file, d.line, d.column, "%s", d.message);
    }
    int result = cli_report(placed, file, status);
    rp_diags_destroy(placed);
    uint32_t kept = rp_diags_count(diags), errors = rp_diags_error_count(diags);
    if (errors > kept) cli_note("and %u more errors", errors - kept);
    rp_diags_clear(diags);
    return result;
}

rp_diags *cli_diags(void) {
    rp_diags *diags = rp_diags_create(NULL);
    if (!diags) {
        cli_error(NULL, "out of host memory");
        exit(CLI_ENVIRONMENT);
    }
    return diags;
}

void *cli_alloc(size_t count, size_t size) {
    void *block = calloc(count, size);
    if (!block) {
        cli_error(NULL, "out of host memory: %zu x %zu bytes", count, size);
        exit(CLI_ENVIRONMENT);
    }
    return block;
}

/* Edits (insert, delete, replace, swap of neighbours) from `a` to `b`, for short words. */
static size_t edit_distance(const char *a, const char *b) {
    enum { MOST = 32 };
    size_t n = strlen(a), m = strlen(b), rows[3][MOST + 1];
    if (n > MOST || m > MOST) return SIZE_MAX;
    for (size_t j = 0; j <= m; j++) rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best) best = above[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                two_above[j - 2] + 1 < best)
                best = two_above[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[n % 3][m];
}

const char *cli_nearest(const char *word, const char *const *names) {
    const char *nearest = NULL;
    size_t limit = strlen(word) / 3 + 1, best = limit + 1;
    for (; *names; names++) {
        size_t distance = edit_distance(word, *names);
        if (distance < best && distance < strlen(*names)) {
            best = distance;
            nearest = *names;
        }
    }
    return nearest;
}
