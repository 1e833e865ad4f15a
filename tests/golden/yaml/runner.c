/* Golden tests of YAML pipelines: a pipeline in, the exact source graph or the exact messages out.
 *
 *   golden_yaml FOLDER      RP_BLESS=1 in the environment writes the expectations instead
 *
 * Every FOLDER/NAME.yaml is one case, and NAME.expect what must come out: messages, the status when
 * it is not ok, the data files, the graph as text. `# set n=5` in a line of its own overrides a
 * parameter. Hashes of SPIR-V depend on the installed shader compiler and are masked. The graph
 * must also parse back from its text to an equal graph, and so must the pipeline's flat text. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "reprise/compiler.h"
#include "support/read_file.h"

enum { MAX_CASES = 512, MAX_SETS = 8 };

/* "# set name=value" lines. Names are cut out of a copy of the text, which the caller releases. */
static uint32_t find_sets(char *text, rp_param_value *sets) {
    uint32_t count = 0;
    for (char *at = text; count < MAX_SETS && (at = strstr(at, "# set "));) {
        char *name = at + 6, *equals = strchr(name, '=');
        if (!equals) break;
        *equals = '\0';
        sets[count++] = (rp_param_value){name, strtoll(equals + 1, &at, 0)};
    }
    return count;
}

static void append_masked(rp_text *out, const char *text) {
    for (const char *at; (at = strstr(text, " spirv ")); text = at) {
        at += 7;
        rp_text_append(out, text, (size_t)(at - text));
        size_t digits = strspn(at, "0123456789abcdef");
        if (digits) rp_text_char(out, '#');
        at += digits;
    }
    rp_text_string(out, text);
}

static void append_graph(rp_text *out, const rp_pipeline *pipeline, const char *file) {
    const rp_graph *graph = rp_pipeline_graph(pipeline);
    for (uint32_t i = 0; i < rp_pipeline_data_count(pipeline); i++) {
        const rp_pipeline_data *data = rp_pipeline_get_data(pipeline, i);
        rp_text_format(out, "data %s = %s%s%s at %u:%u\n", data->buffer, data->path,
                       data->tensor ? " tensor " : "", data->tensor ? data->tensor : "", data->line,
                       data->column);
    }
    char *text;
    size_t size;
    if (rp_graph_print(graph, RP_FORMAT_TEXT, &text, &size) != RP_OK) {
        rp_text_string(out, "print failed\n");
        return;
    }
    append_masked(out, text);
    rp_graph *again = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    rp_status status = rp_graph_parse(NULL, text, size, file, diags, &again);
    if (status != RP_OK || !rp_graph_equal(graph, again)) {
        rp_text_format(out, "does not parse back: %s\n", rp_status_name(status));
        for (uint32_t i = 0; i < rp_diags_count(diags); i++)
            rp_text_format(out, "  %s\n", rp_diags_get(diags, i).message);
    }
    rp_diags_destroy(diags);
    rp_graph_destroy(again);
    rp_text_release(graph, text);
}

/* The flat text must read as the same graph, and be its own flat text. */
static void check_flat(rp_text *out, const rp_pipeline *pipeline, const char *file) {
    const char *flat = rp_pipeline_flat_text(pipeline);
    const rp_pipeline_source source = {.size = sizeof source,
                                       .path = file,
                                       .text = flat,
                                       .text_size = flat ? strlen(flat) : 0,
                                       .keep_flat = 1};
    rp_pipeline *again = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    rp_status status = flat ? rp_pipeline_read(NULL, &source, diags, &again) : RP_ERROR_USAGE;
    if (status != RP_OK) {
        rp_text_format(out, "the flat text is %s\n%s", rp_status_name(status), flat ? flat : "");
        for (uint32_t i = 0; i < rp_diags_count(diags); i++)
            rp_text_format(out, "  %s\n", rp_diags_get(diags, i).message);
    } else if (!rp_graph_equal(rp_pipeline_graph(pipeline), rp_pipeline_graph(again)) ||
               rp_pipeline_data_count(pipeline) != rp_pipeline_data_count(again)) {
        rp_text_format(out, "the flat text is another graph\n%s", flat);
    } else if (strcmp(flat, rp_pipeline_flat_text(again)) != 0) {
        rp_text_format(out, "the flat text changes:\n%s\n%s", flat, rp_pipeline_flat_text(again));
    }
    rp_pipeline_destroy(again);
    rp_diags_destroy(diags);
}

static void run_case(const char *file, const char *text, size_t size, rp_text *out) {
    char *copy = strdup(text);
    rp_param_value sets[MAX_SETS];
    uint32_t set_count = find_sets(copy, sets);
    rp_diags *diags = rp_diags_create(NULL);
    rp_pipeline *pipeline = NULL;
    const rp_pipeline_source source = {.size = sizeof source,
                                       .path = file,
                                       .text = text,
                                       .text_size = size,
                                       .params = sets,
                                       .param_count = set_count,
                                       .keep_flat = 1};
    rp_status status = rp_pipeline_read(NULL, &source, diags, &pipeline);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        char line[2048];
        rp_diag diag = rp_diags_get(diags, i);
        rp_diag_format(&diag, line, sizeof line);
        rp_text_format(out, "%s\n", line);
    }
    if (status != RP_OK) rp_text_format(out, "status: %s\n", rp_status_name(status));
    if ((status == RP_OK) != (pipeline != NULL))
        rp_text_string(out, "status and result disagree\n");
    if (pipeline) append_graph(out, pipeline, file);
    if (pipeline) check_flat(out, pipeline, file);
    rp_pipeline_destroy(pipeline);
    rp_diags_destroy(diags);
    free(copy);
}

/* Whether the case came out as expected, or was blessed. */
static int check_case(const char *file, int bless) {
    size_t size, expected_size = 0;
    char *text = read_file(file, &size), expect_path[512];
    snprintf(expect_path, sizeof expect_path, "%.*s.expect", (int)strlen(file) - 5, file);
    if (!text) return 0;
    rp_text out;
    rp_text_init(&out, NULL);
    run_case(file, text, size, &out);
    char *expected = read_file(expect_path, &expected_size);
    int good = expected && expected_size == out.size && !memcmp(expected, out.data, out.size);
    if (!good && bless) {
        FILE *to = fopen(expect_path, "wb");
        good = to && fwrite(out.data, 1, out.size, to) == out.size;
        if (to) good &= fclose(to) == 0;
    }
    if (!good)
        fprintf(stderr, "FAIL %s\n--- expected\n%s--- got\n%s", file,
                expected ? expected : "(no file; RP_BLESS=1 writes it)\n", out.data);
    free(expected);
    free(text);
    rp_text_free(&out);
    return good;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv) {
    const char *blessing = getenv("RP_BLESS");
    int bless = blessing && strcmp(blessing, "1") == 0, cases = 0, failures = 0;
    if (argc != 2 || chdir(argv[1]) != 0) {
        fprintf(stderr, "usage: golden_yaml FOLDER\n");
        return 2;
    }
    char *names[MAX_CASES];
    DIR *folder = opendir(".");
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        size_t length = strlen(entry->d_name);
        if (length > 5 && strcmp(entry->d_name + length - 5, ".yaml") == 0 && cases < MAX_CASES)
            names[cases++] = strdup(entry->d_name);
    }
    if (folder) closedir(folder);
    qsort(names, (size_t)cases, sizeof *names, compare_names);
    for (int i = 0; i < cases; i++) {
        failures += !check_case(names[i], bless);
        free(names[i]);
    }
    printf("%s: %d cases, %d failures%s\n", argv[1], cases, failures, bless ? ", blessed" : "");
    return cases == 0 || failures ? 1 : 0; /* a folder without cases proves nothing */
}
