/* The kernels that are generated from op nodes, as GLSL: all of them as one text, or a file each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "glsl.h"
#include "message.h"
#include "output.h"

/* Calls `take` for every node that has generated GLSL; it returns an exit status. */
typedef int glsl_taker(void *user, const char *title, const char *text);

static int each_node(const char *file, const rp_graph *graph, bool fast, glsl_taker *take,
                     void *user) {
    rp_graph_stats stats = {.size = sizeof stats};
    rp_status status = rp_graph_get_stats(graph, &stats);
    rp_diags *diags = cli_diags();
    int result = CLI_OK;
    for (uint32_t i = 0; status == RP_OK && i < stats.nodes && result == CLI_OK; i++) {
        char *text = NULL, title[256];
        status = rp_node_glsl(graph, i, fast, diags, &text);
        if (status == RP_OK && text && *text) {
            rp_node_title(graph, i, title, sizeof title);
            result = take(user, title, text);
        }
        rp_text_release(graph, text);
    }
    int reported = cli_report(diags, file, status);
    rp_diags_destroy(diags);
    return result != CLI_OK ? result : reported;
}

typedef struct joined {
    char *text;
    size_t size;
} joined;

static int join(void *user, const char *title, const char *text) {
    joined *all = user;
    size_t more = strlen(title) + strlen(text) + 64;
    char *larger = realloc(all->text, all->size + more);
    if (!larger) {
        cli_error(NULL, "out of host memory");
        return CLI_ENVIRONMENT;
    }
    all->text = larger;
    all->size += (size_t)snprintf(larger + all->size, more, "%s// ---- %s ----\n%s",
                                  all->size ? "\n" : "", title, text);
    return CLI_OK;
}

int cli_glsl_all(const char *file, const rp_graph *graph, char **out, size_t *out_size) {
    joined all = {0};
    int result = each_node(file, graph, false, join, &all);
    if (result == CLI_OK && !all.text) {
        cli_note("%s: no node is computed by a generated kernel", file);
        all.text = cli_alloc(1, 1);
    }
    *out = all.text;
    *out_size = all.size;
    return result;
}

static int write_one(void *user, const char *title, const char *text) {
    char path[4096];
    int id = (int)strcspn(title, " ");
    int length = snprintf(path, sizeof path, "%s-%.*s.glsl", (const char *)user, id, title);
    if (length < 0 || (size_t)length >= sizeof path) {
        cli_error(user, "the path is too long");
        return CLI_ENVIRONMENT;
    }
    return cli_output_whole(path, text, strlen(text));
}

int cli_glsl_files(const char *prefix, const rp_graph *graph, bool fast) {
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", prefix);
    return each_node(prefix, graph, fast, write_one, copy);
}
