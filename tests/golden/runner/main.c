/* Golden tests: text in, exact text out.
 *
 *   golden_runner FOLDER [EXPECTED]     RP_BLESS=1 writes the expected files instead of comparing
 *
 * FOLDER/cases.txt has one case a line; '#' starts a comment:
 *
 *   EXPECTED = FILE [passes PIPELINE|-O0|-O1|-O2 [limit BYTES]] VIEW
 *
 * FILE and EXPECTED are names in FOLDER. VIEW is one of
 *   text, json, dot    the graph, or what the passes made of it
 *   diff               what the passes changed; `diff OTHER.rpir`: what differs in OTHER
 *   stats              one line of counts and bounds
 *   decisions          what the passes told of their decisions, and the graph
 *   check              that the checker agrees (with rule 2 alone when there are no passes)
 *   errors             the status and the diagnostics, of a file that is wrong or of passes that
 *                      refuse
 *
 * Lines in a row with the same EXPECTED are written to it one after the other, for tables of many
 * small results. A folder without a single case fails: a suite that ran nothing proves nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "run.h"

enum { LINES_SHOWN = 5 };

typedef struct runner {
    const char *folder, *only;
    bool bless;
    unsigned cases, failures;
    char expected[256]; /* the file that `text` is for; "" = none */
    rp_text text;
} runner;

/* The lines in which two texts differ, side by side; lines that were added or dropped shift the
 * rest, so the first few tell the most. */
static void show_difference(const char *expected, const char *got) {
    unsigned line = 1, shown = 0;
    while ((*expected || *got) && shown < LINES_SHOWN) {
        size_t a = strcspn(expected, "\n"), b = strcspn(got, "\n");
        if (a != b || memcmp(expected, got, a) != 0) {
            fprintf(stderr, "  line %u\n  - %.*s\n  + %.*s\n", line, (int)a, expected, (int)b, got);
            shown++;
        }
        expected += a + (expected[a] == '\n');
        got += b + (got[b] == '\n');
        line++;
    }
}

static void fail(runner *r, const char *message) {
    fprintf(stderr, "FAIL %s: %s\n", r->expected, message);
    r->failures++;
}

static void bless(runner *r, const char *path) {
    FILE *file = fopen(path, "wb");
    bool ok = file && fwrite(r->text.data, 1, r->text.size, file) == r->text.size;
    if (file) ok &= fclose(file) == 0;
    if (!ok) fail(r, "cannot be written");
}

/* Compares what was gathered for the expected file. */
static void finish(runner *r) {
    if (!*r->expected) return;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", r->folder, r->expected);
    rp_text_append(&r->text, "", 0);
    if (r->text.failed)
        fail(r, "out of memory");
    else if (r->bless)
        bless(r, path);
    else {
        size_t size;
        char *expected = read_file(path, &size);
        if (!expected)
            fail(r, "the expected file is missing; RP_BLESS=1 writes it");
        else if (size != r->text.size || memcmp(expected, r->text.data, size) != 0) {
            fail(r, "differs (- expected, + got)");
            show_difference(expected, r->text.data);
        }
        free(expected);
    }
    r->expected[0] = '\0';
    rp_text_free(&r->text);
}

static void run_line(runner *r, char *line, unsigned number) {
    char *words[MAX_WORDS], *rest = line;
    unsigned count = 0;
    line[strcspn(line, "#\n")] = '\0';
    for (char *word; count < MAX_WORDS && (word = strtok_r(rest, " \t\r", &rest)); count++)
        words[count] = word;
    if (count == 0) return;
    if (count < 4 || strcmp(words[1], "=") != 0 || strlen(words[0]) >= sizeof r->expected) {
        fprintf(stderr, "FAIL %s/cases.txt:%u: expected EXPECTED = FILE ... VIEW\n", r->folder,
                number);
        r->failures++;
        return;
    }
    if (r->only && strcmp(r->only, words[0]) != 0) return;
    if (strcmp(r->expected, words[0]) != 0) finish(r);
    strcpy(r->expected, words[0]);
    r->cases++;
    const char *error = run_case(r->folder, words + 2, count - 2, &r->text);
    if (!error) return;
    fail(r, error);
    r->expected[0] = '\0'; /* nothing to compare, and nothing to bless */
    rp_text_free(&r->text);
}

int main(int argc, char **argv) {
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: golden_runner FOLDER [EXPECTED]\n");
        return 2;
    }
    const char *blessing = getenv("RP_BLESS");
    runner r = {.folder = argv[1],
                .only = argc > 2 ? argv[2] : NULL,
                .bless = blessing && strcmp(blessing, "1") == 0};
    char path[4096], line[4096];
    unsigned number = 0;
    rp_text_init(&r.text, NULL);
    snprintf(path, sizeof path, "%s/cases.txt", r.folder);
    FILE *list = fopen(path, "r");
    if (!list) {
        fprintf(stderr, "FAIL %s: cannot be read\n", path);
        return 1;
    }
    while (fgets(line, sizeof line, list)) run_line(&r, line, ++number);
    fclose(list);
    finish(&r);
    printf("%s: %u cases, %u failures%s\n", r.folder, r.cases, r.failures,
           r.bless ? ", blessed" : "");
    if (r.cases == 0) return 1;
    return r.failures > 99 ? 99 : (int)r.failures;
}
