/* Conformance cases for hazards, ordering and renaming, as one table.
 *
 * Each case is a little graph: `name R buffers W buffers U buffers` (read,
 * write, update in place) in source order, where a buffer is a letter
 * other than R, W and U (64 bytes), or one with a byte range, `P:0-512`. `|` is a fence, a bare
 * name is a node whose uses are unknown. Buffers named in `tmp` are transients, all others keep
 * their bytes (inout). The expected result lists the groups: `a c | b` means that a and c run
 * together, then b.
 *
 * The cases are those that captured-graph executors are known to get wrong or to do with more
 * barriers than needed: whole-buffer tracking, off-by-one overlap, look-ahead windows, reused
 * scratch, dispatches without annotation. Their numbers are kept: B hazards, R order and renaming;
 * the C and S cases, which need a device, are tests/gpu/stages.c. Not here: B24, which counts the
 * calls of a tracker that we do not have, and C4, splitting a recording into two command buffers.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"
#include "reprise/passes.h"
#include "support/unit.h"

#define INORDER "rename,schedule=inorder,place,sync"
#define PACK "rename,schedule,place,sync"

typedef struct conformance_case {
    const char *id, *pipeline, *tmp, *text, *want;
} conformance_case;

static const conformance_case cases[] = {
    {"B1", INORDER, "", "a R A; b R A", "a b"},
    {"B2", INORDER, "", "a W A; b R A", "a | b"},
    {"B3", INORDER, "", "a R A; b W A", "a | b"},
    {"B4", "schedule=inorder,place,sync", "", "a W A; b W A", "a | b"},
    {"B4 renamed", INORDER, "", "a W A; b W A", "a b"}, /* what a wrote is read by nobody */
    {"B5", INORDER, "", "a W A; b U B; c R C", "a b c"},
    {"B6", INORDER, "", "a W A; b R A; c R A", "a | b c"},
    {"B7 in order", INORDER, "", "a W X; b R X; c W Y; d R Y", "a | b c | d"},
    {"B7", PACK, "", "a W X; b R X; c W Y; d R Y", "a c | b d"},
    {"B8", INORDER, "", "a W P:0-512; b W P:512-1024", "a b"},
    {"B8 swapped", INORDER, "", "a W P:512-1024; b W P:0-512", "a b"},
    {"B9", INORDER, "", "a R B W A; b R A; c R A", "a | b c"},
    {"B10", INORDER, "", "a W P:0-64; b W P:64-128", "a b"},
    {"B11", INORDER, "", "a W P:64-128; b W P:0-64", "a b"},
    {"B12", INORDER, "", "a W P:0-65; b R P:64-128", "a | b"},
    {"B13", INORDER, "", "k W C:0-64; v W C:64-128; t R C:0-128 W Y", "k v | t"},
    {"B14", INORDER, "", "a W A; b R A W B; c R A W C; d R B C W D", "a | b c | d"},
    {"B15", INORDER, "", "n R X W N; q R N W Q; k R N W K; v R N W V; r R Q W S; s R K W T",
     "n | q k v | r s"},
    {"B16", INORDER, "", "l R H W L; c U L; g R L W I", "l | c | g"},
    {"B17", INORDER, "", "a R A W B; b R B W C; c W A", "a | b c"},
    {"B18", INORDER, "", "a W A; |; b R A", "a | b"},
    {"B18 apart", INORDER, "", "a W A; |; b W B", "a | b"},
    {"B19", INORDER, "", "|; a W A; b W B", "a b"},
    {"B20", INORDER, "", "a W A; |; |; |; b W B", "a | b"},
    {"B20 trailing", INORDER, "", "a W A; b W B; |; |", "a b"},
    {"B21", INORDER, "", "a W A; u; c R A", "a | u | c"},
    {"B21 packed", PACK, "", "a W A; u; c W C", "a | u | c"},
    {"B22", INORDER, "T", "m R Q K V W T; r R T W O; p R O W Y", "m | r | p"},
    {"B23", INORDER, "", "q R N W Q; k R N W K; v R N W V", "q k v"},
    {"R1", PACK, "", "a W A; b R A W B; c W C", "a c | b"},
    {"R2", PACK, "", "a W A; b R A W B; c R B W C; d W D", "a d | b | c"},
    {"R3", PACK, "", "a W A; b R A W B; c W A", "a c | b"},
    {"R4", PACK, "", "a W A; b R A C W B; c W C", "a | b | c"},
    {"R5", PACK, "", "a W A; b R A W B; s R X W Y; c W C", "a s c | b"},
    {"R6", PACK, "", "a W A; s R A W B; c W C", "a c | s"},
    {"R8", PACK, "", "a W A; b R A W B; c W C; d R C W D", "a c | b d"},
    {"R9", PACK, "", "a W A; b R A W B; u", "a | b | u"},
    {"R10", PACK, "", "a; |; b", "a | b"},
    {"R11", PACK, "", "a W A; b R A W B; c R B W C; x W X; y R X W Y; z R Y W Z",
     "a x | b y | c z"},
    {"R12", PACK, "S", "m R X W S; g R S W A; n R X W S; h R S W B", "m n | g h"},
    {"R13", PACK, "", "a W A; b R A W B; z W C", "a z | b"},
};

/* ---- From the notation to a graph ------------------------------------------------------------ */

enum { BUFFER_SIZE = 1024 };

static bool is_access(char c) {
    return c == 'R' || c == 'W' || c == 'U';
}

static void declare(rp_graph *g, const conformance_case *c, uint32_t known[128]) {
    for (int i = 0; i < 128; i++) known[i] = RP_NONE;
    for (const char *p = c->text; *p; p++) {
        if (!isupper((unsigned char)*p) || is_access(*p) || known[(int)*p] != RP_NONE) continue;
        rp_graph_buffer b = {.name = rp_graph_intern(g, p, 1),
                             .kind = strchr(c->tmp, *p) ? RP_TMP : RP_INOUT,
                             .size = BUFFER_SIZE,
                             .offset = RP_NOT_PLACED,
                             .first_default = RP_NONE};
        known[(int)*p] = rp_graph_add_buffer(g, &b, NULL);
    }
}

/* Reads the uses behind a node's name: access letters, each followed by its buffers. */
static uint32_t read_uses(const uint32_t *known, const char *p, const char *end,
                          rp_graph_use *uses) {
    uint32_t count = 0;
    uint8_t access = RP_READ;
    for (; p < end; p++) {
        if (*p == ' ') continue;
        if (is_access(*p)) {
            access = *p == 'R' ? RP_READ : *p == 'W' ? RP_WRITE : RP_READ_WRITE;
            continue;
        }
        uses[count] = (rp_graph_use){.buffer = known[(int)*p], .access = access, .size = 64};
        if (p + 1 < end && p[1] == ':') {
            char *stop;
            uses[count].offset = strtoull(p + 2, &stop, 10);
            uses[count].size = strtoull(stop + 1, &stop, 10) - uses[count].offset;
            p = stop - 1;
        }
        count++;
    }
    return count;
}

static rp_graph *read_case(const conformance_case *c) {
    rp_graph *g = rp_graph_create(NULL, "conformance");
    uint32_t known[128], id = 0;
    declare(g, c, known);
    for (const char *p = c->text; *p;) {
        while (*p == ' ' || *p == ';') p++;
        const char *end = p + strcspn(p, ";");
        rp_graph_use uses[16];
        rp_graph_node node = {.id = id++, .kernel = RP_NONE, .label = RP_NONE, .op = RP_NONE};
        node.pos.line = 1;
        if (*p == '|') {
            node.kind = RP_FENCE;
        } else {
            node.kind = RP_RUN;
            node.use_count = read_uses(known, p + 1, end, uses);
            node.unknown = node.use_count == 0;
            for (int i = 0; i < 3; i++) node.grid[i] = 1;
            rp_graph_param params[16];
            for (uint32_t i = 0; i < node.use_count; i++)
                params[i] = (rp_graph_param){
                    .access = uses[i].access, .binding = (uint8_t)i, .name = RP_NONE};
            rp_graph_kernel kernel = {.name = rp_graph_intern(g, p, 1),
                                      .entry = rp_graph_intern(g, "main", 4),
                                      .local = {1, 1, 1},
                                      .param_count = node.use_count};
            node.kernel = rp_graph_add_kernel(g, &kernel, params, NULL, NULL);
        }
        rp_graph_add_node(g, &node, uses, NULL);
        p = end;
    }
    return g;
}

/* ---- From a compiled graph to the notation --------------------------------------------------- */

static void write_groups(const rp_graph *g, char *out, size_t size) {
    uint32_t group = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        if (n->kind == RP_FENCE) continue;
        if (n->group != group && out[0]) strncat(out, " |", size - strlen(out) - 1);
        group = n->group;
        if (out[0]) strncat(out, " ", size - strlen(out) - 1);
        strncat(out, rp_graph_string(g, g->kernels[n->kernel].name), size - strlen(out) - 1);
    }
}

static void print_diags(const char *id, const rp_diags *diags) {
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        char line[512];
        rp_diag d = rp_diags_get(diags, i);
        rp_diag_format(&d, line, sizeof line);
        fprintf(stderr, "%s: %s\n", id, line);
    }
}

static void test_table(void) {
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const conformance_case *c = &cases[i];
        rp_diags *diags = rp_diags_create(NULL);
        rp_graph *source = read_case(c), *compiled = NULL;
        rp_pass_options options = {
            .size = sizeof options, .pipeline = c->pipeline, .verify_each = 1};
        char got[256] = "";
        rp_status status = rp_passes_run(source, &options, diags, &compiled, NULL, NULL);
        CU_ASSERT_EQUAL(status, RP_OK);
        if (status == RP_OK) write_groups(compiled, got, sizeof got);
        if (strcmp(got, c->want) != 0)
            fprintf(stderr, "%s: %s\n  want %s\n  got  %s\n", c->id, c->text, c->want, got);
        CU_ASSERT_STRING_EQUAL(got, c->want);
        if (status == RP_OK) {
            rp_graph_stats stats = {.size = sizeof stats};
            CU_ASSERT_EQUAL(rp_graph_get_stats(compiled, &stats), RP_OK);
            CU_ASSERT_EQUAL(stats.barriers + 1, stats.groups);
        }
        print_diags(c->id, diags);
        rp_graph_destroy(source);
        rp_graph_destroy(compiled);
        rp_diags_destroy(diags);
    }
}

/* R7: a node that nothing holds back joins the first group however far behind it stands. */
static void test_no_window(void) {
    static const int counts[] = {62, 63, 1000};
    for (int k = 0; k < 3; k++) {
        char *text = malloc(64 * 1200);
        int at = sprintf(text,
                         "reprise 1\ngraph far {\n buf $a inout 64\n buf $b inout 64\n"
                         " buf $c inout 64\n buf $f inout 65536\n kern @w spirv - local 1 1 1 (w)\n"
                         " kern @m spirv - local 1 1 1 (r, w)\n n0 = run @w grid 1 1 1 (w $a)\n"
                         " n1 = run @m grid 1 1 1 (r $a, w $b)\n");
        for (int i = 0; i < counts[k]; i++)
            at +=
                sprintf(text + at, " n%d = run @m grid 1 1 1 (r $b, w $f[%d+64])\n", i + 2, i * 64);
        at += sprintf(text + at, " n%d = run @w grid 1 1 1 (w $c)\n}\n", counts[k] + 2);
        rp_graph *source = NULL, *compiled = NULL;
        rp_pass_options options = {.size = sizeof options, .pipeline = PACK};
        CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, (size_t)at, "far", NULL, &source), RP_OK);
        CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, &options, NULL, &compiled, NULL, NULL), RP_OK);
        CU_ASSERT_EQUAL(compiled->group_count, 3);
        CU_ASSERT_EQUAL(compiled->nodes[1].id, (uint32_t)counts[k] + 2);
        CU_ASSERT_EQUAL(compiled->nodes[1].group, 0);
        rp_graph_destroy(source);
        rp_graph_destroy(compiled);
        free(text);
    }
}

int main(void) {
    static const rp_test tests[] = {
        {"table of cases", test_table}, {"R7: no look-ahead window", test_no_window}, {NULL, NULL}};
    return rp_run_tests("conformance", tests);
}
