/* The text form: every graph in the tree prints and parses back to itself, damaged text is refused
 * with a place and without harm, and time grows with the text, not with its square. */
#include "support/unit.h"

#include <dirent.h>
#include <stdlib.h>
#include <time.h>

#include "base/text.h"
#include "graph/graph.h"
#include "support/read_file.h"

static char *read_golden(const char *folder, const char *name, size_t *out_size) {
    char path[4096];
    snprintf(path, sizeof path, RP_SOURCE_ROOT "/tests/golden/%s/%s", folder, name);
    char *data = read_file(path, out_size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    return data;
}

static bool is_graph(const char *name) {
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".rpir") == 0 && strncmp(name, "bad-", 4) != 0;
}

/* Calls `visit` for the text of every graph in a folder of golden tests; returns how many. */
static unsigned each_graph(const char *folder, void (*visit)(const char *text, size_t size)) {
    char path[4096];
    snprintf(path, sizeof path, RP_SOURCE_ROOT "/tests/golden/%s", folder);
    DIR *dir = opendir(path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    unsigned count = 0;
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (!is_graph(entry->d_name)) continue;
        size_t size;
        char *text = read_golden(folder, entry->d_name, &size);
        visit(text, size);
        free(text);
        count++;
    }
    closedir(dir);
    return count;
}

/* ---- Round trips ----------------------------------------------------------------------------- */

/* print is canonical: printing what it parsed from its own text gives the same bytes. */
static void round_trip_graph(const rp_graph *graph) {
    char *text, *again;
    size_t size, again_size;
    rp_graph *parsed = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_print(graph, RP_FORMAT_TEXT, &text, &size), RP_OK);
    CU_ASSERT_EQUAL(size, strlen(text));
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, size, NULL, NULL, &parsed), RP_OK);
    CU_ASSERT(rp_graph_equal(graph, parsed));
    CU_ASSERT_EQUAL(rp_graph_hash(graph), rp_graph_hash(parsed));
    CU_ASSERT_EQUAL_FATAL(rp_graph_print(parsed, RP_FORMAT_TEXT, &again, &again_size), RP_OK);
    CU_ASSERT_STRING_EQUAL(text, again);
    rp_text_release(parsed, again);
    rp_text_release(graph, text);
    rp_graph_destroy(parsed);
}

static void round_trip(const char *text, size_t size) {
    rp_graph *graph = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, size, NULL, NULL, &graph), RP_OK);
    round_trip_graph(graph);
    rp_graph_destroy(graph);
}

static void round_trips(void) {
    CU_ASSERT(each_graph("graphs", round_trip) >= 15);
    CU_ASSERT(each_graph("ir", round_trip) >= 5);
}

/* ---- Damaged text ---------------------------------------------------------------------------- */

static uint64_t seed;
static unsigned refused, accepted;

static uint32_t random_below(size_t limit) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % limit);
}

/* One of: a byte from a list of likely ones, any byte, a piece cut out, a piece repeated. */
static size_t damage(char *text, size_t size) {
    static const char likely[] = "0123456789abcdef$%@()[]{},:=+->;\"\\ \n\tnrwus";
    size_t at = random_below(size), length = 1 + random_below(20);
    if (length > size - at) length = size - at;
    switch (random_below(4)) {
    case 0: text[at] = likely[random_below(sizeof likely - 1)]; return size;
    case 1: text[at] = (char)random_below(256); return size;
    case 2: memmove(text + at, text + at + length, size - at - length); return size - length;
    default: memmove(text + at + length, text + at, size - at); return size + length;
    }
}

/* Refused text says where; accepted text is a graph like any other. */
static void judge(const char *text, size_t size) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *graph = (rp_graph *)diags;
    rp_status status = rp_graph_parse(NULL, text, size, "f", diags, &graph);
    if (status == RP_OK) {
        CU_ASSERT_EQUAL(rp_diags_error_count(diags), 0);
        round_trip_graph(graph);
        rp_graph_destroy(graph);
        accepted++;
    } else {
        CU_ASSERT_EQUAL(status, RP_ERROR_INVALID);
        CU_ASSERT_PTR_NULL(graph);
        CU_ASSERT(rp_diags_error_count(diags) > 0);
        for (uint32_t i = 0; i < rp_diags_count(diags); i++)
            CU_ASSERT(*rp_diags_get(diags, i).message != '\0');
        refused++;
    }
    rp_diags_destroy(diags);
}

static void damage_often(const char *text, size_t size) {
    if (size > 2000) return; /* the small ones have every statement in them */
    char *copy = malloc(size + 4 * 20);
    for (int i = 0; i < 400; i++) {
        memcpy(copy, text, size);
        size_t length = size;
        for (uint32_t n = 1 + random_below(4); n > 0; n--) length = damage(copy, length);
        /* An own block of exactly this size, so that reading past the end is noticed. */
        char *exact = malloc(length ? length : 1);
        memcpy(exact, copy, length);
        judge(exact, length);
        free(exact);
    }
    free(copy);
}

static void damaged_text(void) {
    seed = 2024;
    refused = accepted = 0;
    each_graph("ir", damage_often);
    each_graph("graphs", damage_often);
    CU_ASSERT(refused > 1000 && accepted > 20);
}

/* Every prefix of a text that has everything in it. */
static void cut_text(void) {
    static const char *const names[] = {"every-form.rpir", "plan.rpir"};
    for (size_t i = 0; i < 2; i++) {
        size_t size;
        char *text = read_golden("ir", names[i], &size);
        for (size_t length = 0; length < size; length++) {
            char *exact = malloc(length ? length : 1);
            memcpy(exact, text, length);
            judge(exact, length);
            free(exact);
        }
        free(text);
    }
}

/* ---- Size ------------------------------------------------------------------------------------ */

static double seconds_to_parse(uint32_t nodes) {
    rp_text text;
    char *data;
    size_t size;
    rp_text_init(&text, NULL);
    rp_text_string(&text, "reprise 1\ngraph big {\n  kern @k spirv - local 1 1 1 (r, w)\n");
    for (uint32_t i = 0; i <= nodes; i++) rp_text_format(&text, "  buf $b%u inout 64\n", i);
    for (uint32_t i = 0; i < nodes; i++)
        rp_text_format(&text, "  n%u = run @k grid 1 1 1 (r $b%u, w $b%u[0+32]) label \"l%u\"\n", i,
                       i, i + 1, i);
    rp_text_string(&text, "}\n");
    CU_ASSERT_EQUAL_FATAL(rp_text_take(&text, &data, &size), RP_OK);
    rp_graph *graph = NULL;
    clock_t before = clock();
    CU_ASSERT_EQUAL(rp_graph_parse(NULL, data, size, NULL, NULL, &graph), RP_OK);
    double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
    CU_ASSERT_EQUAL(graph->nodes_count, nodes);
    rp_graph_destroy(graph);
    free(data);
    return seconds;
}

/* Ten times the text may take ten times the time, with room for a busy machine; the square would be
 * a hundred times. */
static void near_linear(void) {
    double small = seconds_to_parse(5000), large = seconds_to_parse(50000);
    CU_ASSERT(large < 40 * small + 0.05);
    if (large >= 40 * small + 0.05) printf("%.4f s and %.4f s\n", small, large);
}

static void called_wrongly(void) {
    rp_graph *graph = NULL;
    char *text = NULL;
    size_t size = 7;
    CU_ASSERT_EQUAL(rp_graph_parse(NULL, NULL, 0, NULL, NULL, &graph), RP_ERROR_INVALID);
    CU_ASSERT_PTR_NULL(graph);
    graph = rp_graph_create(NULL, "empty");
    CU_ASSERT_EQUAL(rp_graph_print(graph, (rp_format)9, &text, &size), RP_ERROR_USAGE);
    CU_ASSERT(text == NULL && size == 0);
    CU_ASSERT_EQUAL(rp_graph_verify(graph, NULL, NULL), RP_OK);
    round_trip_graph(graph);
    rp_text_release(graph, NULL);
    rp_text_release(NULL, NULL);
    rp_graph_destroy(graph);
}

int main(void) {
    static const rp_test tests[] = {
        {"round trips", round_trips}, {"damaged text", damaged_text},     {"cut text", cut_text},
        {"near linear", near_linear}, {"called wrongly", called_wrongly}, {NULL, NULL}};
    return rp_run_tests("text form", tests);
}
