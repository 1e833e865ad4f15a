/* Graphs as data: building, copying, equality and hash, scopes, reordering, verification of graphs
 * that no text can express, and every failing allocation on the way. */
#include "support/unit.h"
#include "support/failing_alloc.h"

#include "graph/graph.h"

/* One of everything that equality looks at. */
static const char base_text[] =
    "reprise 1\n"
    "graph base {\n"
    "  buf $x in f32[4,4]\n"
    "  buf $y out 64\n"
    "  buf %t tmp 64\n"
    "  buf $pos live u32[2] = 01000000 02000000 max 9\n"
    "  buf $push live 16 = 05000000 00000000 00000000 00000000 follows $pos[4+4] at 4, $pos at 8\n"
    "  kern @k spirv 12 entry \"go\" local 8 1 1 shared 4 push 4 spec 1=00000002 (r, w 0.3)\n"
    "  kern @l spirv - local 1 1 1 (r, w)\n"
    "  n0 = run @k grid 1 2 3 push 00000001 (r $x, w %t) label \"a\" op o\n"
    "  n1 = fill 00000007 (w $y[0+32])\n"
    "  n2 = update 01020304 (w $y[32+4])\n"
    "  n3 = run @l grid {$pos[1] + 2} 1 1 (r %t, w $y[36+28])\n"
    "  n4 = run @l grid indirect %t[0+12] (r $x, w %t[32+32])\n"
    "  n5 = run @l grid 1 1 1\n"
    "  n6 = copy (r %t[0+8], w $y[0+8])\n"
    "  n7 = fence\n"
    "}\n";

static rp_graph *parse(const char *text) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *graph = NULL;
    rp_graph_parse(NULL, text, strlen(text), "test", diags, &graph);
    for (uint32_t i = 0; !graph && i < rp_diags_count(diags); i++) {
        rp_diag diag = rp_diags_get(diags, i);
        printf("%u:%u: %s\n", diag.line, diag.column, diag.message);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(graph);
    rp_diags_destroy(diags);
    return graph;
}

/* ---- Equality -------------------------------------------------------------------------------- */

/* Each edit makes a graph that differs in one thing. */
static void every_difference_counts(void) {
    static const char *const edits[][2] = {
        {"graph base", "graph bass"},
        {"$x in f32", "$x in u32"},
        {"$x in", "$x inout"},
        {"f32[4,4]", "f32[2,8]"},
        {"f32[4,4]", "f32[16]"},
        {"f32[4,4]", "64"},
        {"%t tmp 64", "%t tmp 68"},
        {"= 01000000 02000000 ", ""},
        {"= 01000000", "= 03000000"},
        {"$pos[4+4] at 4", "$pos[0+4] at 4"},
        {"[4+4] at 4", "[4+4] at 0"},
        {", $pos at 8", ", $pos[0+4] at 8"},
        {", $pos at 8", ""},
        {" max 9", " max 8"},
        {" max 9", ""},
        {"spirv 12", "spirv 13"},
        {"\"go\"", "\"gone\""},
        {"local 8 1 1", "local 8 1 2"},
        {"shared 4", "shared 8"},
        {"1=00000002", "1=00000003"},
        {"1=00000002", "2=00000002"},
        {"1=00000002", "1=00000002 2=00000000"},
        {"w 0.3", "w 0.4"},
        {"w 0.3", "w 1.3"},
        {"spirv - local 1 1 1 (r, w)", "spirv - local 1 1 1 shared 4 (r, w)"},
        {"grid 1 2 3", "grid 1 2 4"},
        {"push 00000001", "push 00000002"},
        {"(r $x, w %t) label", "(r $x, w %t[0+32]) label"},
        {"(r $x, w %t) label", "(r $x, rw %t) label"},
        {"(r $x, w %t) label", "(r $pos, w %t) label"},
        {"label \"a\"", "optional label \"a\""},
        {"label \"a\"", "label \"b\""},
        {"label \"a\" ", ""},
        {"label \"a\"", "label \"\""},
        {"op o\n", "op p\n"},
        {" op o\n", "\n"},
        {"fill 00000007", "fill 00000008"},
        {"[0+32]", "[4+28]"},
        {"update 01020304", "update 01020305"},
        {"$pos[1] + 2", "$pos[0] + 2"},
        {"$pos[1] + 2", "$pos[1] - 2"},
        {"$pos[1] + 2", "$pos[1] + 3"},
        {"$pos[1] + 2", "2 + $pos[1]"},
        {"{$pos[1] + 2} 1 1", "1 {$pos[1] + 2} 1"},
        {"{$pos[1] + 2} 1 1", "2 1 1"},
        {"indirect %t[0+12]", "indirect %t[4+12]"},
        {"indirect %t[0+12]", "1 1 1"},
        {"n5 = run @l grid 1 1 1\n", "n5 = run @l grid 1 1 1 (r $x, w $y)\n"},
        {"n5 = run @l grid 1 1 1", "n5 = run @k grid 1 1 1 push 00000000"},
        {"  n7 = fence\n", ""},
        {"n7 = fence", "n8 = fence"},
        {"n6 = copy (r %t[0+8], w $y[0+8])", "n6 = copy (r %t[8+8], w $y[0+8])"},
    };
    rp_graph *base = parse(base_text), *again = parse(base_text);
    CU_ASSERT(rp_graph_equal(base, base) && rp_graph_equal(base, again));
    CU_ASSERT_EQUAL(rp_graph_hash(base), rp_graph_hash(again));
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        char text[4096];
        const char *at = strstr(base_text, edits[i][0]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - base_text), base_text, edits[i][1],
                 at + strlen(edits[i][0]));
        rp_graph *other = parse(text);
        bool differs = !rp_graph_equal(base, other) && !rp_graph_equal(other, base) &&
                       rp_graph_hash(base) != rp_graph_hash(other);
        CU_ASSERT(differs);
        if (!differs) printf("not noticed: %s -> %s\n", edits[i][0], edits[i][1]);
        rp_graph_destroy(other);
    }
    rp_graph_destroy(base);
    rp_graph_destroy(again);
}

static const char plan_text[] = "reprise 1\n"
                                "graph plan scheduled placed synced arena 512 {\n"
                                "  buf $x in 64\n"
                                "  buf %t tmp 64 at 0\n"
                                "  buf $y out 64\n"
                                "  kern @k spirv - local 1 1 1 (r, w)\n"
                                "  barrier compute:w -> compute:w\n"
                                "  group 0\n"
                                "    n0 = run @k grid 1 1 1 (r $x, w %t)\n"
                                "  barrier compute:w -> compute:r\n"
                                "  group 1\n"
                                "    n1 = run @k grid 1 1 1 (r %t, w $y)\n"
                                "    n2 = fence\n"
                                "  barrier compute:w -> host:r\n"
                                "}\n";

static void every_stage_counts(void) {
    rp_graph *base = parse(plan_text), *other;
    uint64_t hash = rp_graph_hash(base);
#define CHANGED(change)                                                                            \
    CU_ASSERT_EQUAL_FATAL(rp_graph_clone(base, &other), RP_OK);                                    \
    CU_ASSERT(rp_graph_equal(base, other) && rp_graph_hash(other) == hash);                        \
    change;                                                                                        \
    CU_ASSERT(!rp_graph_equal(base, other) && rp_graph_hash(other) != hash);                       \
    rp_graph_destroy(other)
    CHANGED(other->arena_bytes = 1024);
    CHANGED(other->buffers[1].offset = 256);
    CHANGED(other->nodes[2].group = 0);
    CHANGED(other->group_count = 3);
    CHANGED(other->barriers[0].dst = 0);
    CHANGED(other->barriers[1].src |= RP_SCOPE_TRANSFER_W);
    CHANGED(other->barriers[2] = (rp_graph_barrier){0});
    CHANGED(other->stages &= ~(uint32_t)RP_STAGE_SYNCED);
    uint32_t swapped[] = {0, 2, 1};
    CHANGED(CU_ASSERT_EQUAL(rp_graph_reorder(other, swapped), RP_OK));
#undef CHANGED
    /* What the text does not hold does not count. */
    CU_ASSERT_EQUAL_FATAL(rp_graph_clone(base, &other), RP_OK);
    other->nodes[0].pos.line = 99;
    other->params[0].name = 0;
    other->params[0].min_size = 16;
    CU_ASSERT(rp_graph_equal(base, other) && rp_graph_hash(other) == hash);
    rp_graph_destroy(other);
    rp_graph_destroy(base);
}

/* A removed buffer shifts the indices behind it, which no text shows. */
static void removed_is_absent(void) {
    const char *with = "reprise 1\ngraph a {\n  buf $x in 4\n  buf %gone tmp 4\n  buf $y out 4\n"
                       "  kern @gone spirv - local 1 1 1 ()\n  kern @k spirv - local 1 1 1 (r, w)\n"
                       "  n0 = run @k grid 1 1 1 (r $x, w $y)\n}\n";
    const char *without = "reprise 1\ngraph a {\n  buf $x in 4\n  buf $y out 4\n"
                          "  kern @k spirv - local 1 1 1 (r, w)\n"
                          "  n0 = run @k grid 1 1 1 (r $x, w $y)\n}\n";
    rp_graph *a = parse(with), *b = parse(without);
    char *a_text, *b_text;
    CU_ASSERT(!rp_graph_equal(a, b));
    a->buffers[1].removed = true;
    a->kernels[0].removed = true;
    CU_ASSERT(rp_graph_equal(a, b) && rp_graph_equal(b, a));
    CU_ASSERT_EQUAL(rp_graph_hash(a), rp_graph_hash(b));
    CU_ASSERT_EQUAL(rp_graph_find_buffer(a, "gone"), RP_NONE);
    CU_ASSERT_EQUAL(rp_graph_find_kernel(a, "gone"), RP_NONE);
    CU_ASSERT_EQUAL(rp_graph_verify(a, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_graph_print(a, RP_FORMAT_TEXT, &a_text, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_graph_print(b, RP_FORMAT_TEXT, &b_text, NULL), RP_OK);
    CU_ASSERT_STRING_EQUAL(a_text, b_text);
    rp_text_release(a, a_text);
    rp_text_release(b, b_text);
    rp_graph_destroy(a);
    rp_graph_destroy(b);
}

/* ---- Building -------------------------------------------------------------------------------- */

static void strings(void) {
    rp_graph *g = rp_graph_create(NULL, "g");
    char name[32];
    uint32_t first = rp_graph_intern(g, "abcdef", 6);
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "name-%d", i);
        uint32_t at = rp_graph_intern(g, name, strlen(name));
        CU_ASSERT_EQUAL(rp_graph_intern(g, name, strlen(name)), at);
        CU_ASSERT_STRING_EQUAL(rp_graph_string(g, at), name);
    }
    CU_ASSERT_EQUAL(rp_graph_intern(g, "abcdef", 6), first);
    /* A prefix of an own string, while the table grows under it. */
    for (uint32_t n = 0; n < 6; n++) {
        uint32_t part = rp_graph_intern(g, rp_graph_string(g, first), n);
        CU_ASSERT_EQUAL(strlen(rp_graph_string(g, part)), n);
        CU_ASSERT_EQUAL(memcmp(rp_graph_string(g, part), "abcdef", n), 0);
    }
    CU_ASSERT_STRING_EQUAL(rp_graph_string(g, RP_NONE), "");
    CU_ASSERT_EQUAL(rp_graph_intern(g, "long", SIZE_MAX), RP_NONE);
    rp_graph_destroy(g);
    rp_graph_destroy(NULL);
}

/* NULL where something must be. */
static void wrong_calls(void) {
    rp_graph *g = rp_graph_create(NULL, "g"), *out = g;
    rp_graph_stats stats = {.size = sizeof stats};
    char *text = "";
    size_t size = 7;
    CU_ASSERT_EQUAL(rp_graph_parse(NULL, "", 0, NULL, NULL, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_graph_parse(NULL, NULL, 1, NULL, NULL, &out), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(out);
    CU_ASSERT_EQUAL(rp_graph_parse(NULL, NULL, 0, NULL, NULL, &out), RP_ERROR_INVALID);
    CU_ASSERT_EQUAL(rp_graph_clone(NULL, &out), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_graph_clone(g, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_graph_verify(NULL, NULL, NULL), RP_ERROR_USAGE);
    CU_ASSERT(rp_graph_equal(NULL, NULL) && !rp_graph_equal(g, NULL) && !rp_graph_equal(NULL, g));
    CU_ASSERT_EQUAL(rp_graph_hash(NULL), 0);
    CU_ASSERT_EQUAL(rp_graph_print(NULL, RP_FORMAT_TEXT, &text, &size), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(text);
    CU_ASSERT_EQUAL(size, 0);
    CU_ASSERT_EQUAL(rp_graph_print(g, RP_FORMAT_TEXT, NULL, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_graph_print(g, (rp_format)9, &text, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_graph_diff(NULL, g, &text, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_graph_diff(g, NULL, &text, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_graph_diff(g, g, NULL, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_graph_get_stats(NULL, &stats), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_graph_get_stats(g, NULL), RP_ERROR_USAGE);
    rp_text_release(NULL, NULL);
    rp_graph_destroy(g);
}

/* Items may be copies of the graph's own, whose array moves when it grows. */
static void own_items(void) {
    rp_graph *g = parse(base_text);
    for (int i = 0; i < 100; i++) {
        uint32_t b = rp_graph_add_buffer(g, &g->buffers[0], g->dims);
        CU_ASSERT(b != RP_NONE && g->buffers[b].size == 64);
        CU_ASSERT_EQUAL(g->dims[g->buffers[b].first_dim + 1], 4);
        uint32_t k = rp_graph_add_kernel(g, &g->kernels[0], g->params, g->specs, NULL);
        CU_ASSERT(k != RP_NONE && g->params[g->kernels[k].first_param + 1].binding == 3);
        uint32_t n = rp_graph_add_node(g, &g->nodes[0], g->uses, g->bytes);
        CU_ASSERT(n != RP_NONE && g->uses[g->nodes[n].first_use + 1].access == RP_WRITE);
        uint32_t e = rp_graph_add_expr(g, g->expr_ops, 3);
        CU_ASSERT(e != RP_NONE && g->expr_ops[g->exprs[e].first_op + 2].code == RP_EXPR_ADD);
    }
    rp_graph_destroy(g);
}

static void copies(void) {
    rp_graph *g = parse(base_text), *copy;
    const uint32_t words[] = {0x07230203, 1, 2};
    rp_graph_kernel k = g->kernels[1];
    k.name = rp_graph_intern(g, "bodied", 6);
    k.word_count = 3;
    CU_ASSERT_NOT_EQUAL(rp_graph_add_kernel(g, &k, NULL, NULL, words), RP_NONE);
    CU_ASSERT_EQUAL_FATAL(rp_graph_clone(g, &copy), RP_OK);
    rp_graph_destroy(g); /* the copy holds nothing of it */
    CU_ASSERT_EQUAL(copy->words[copy->kernels[2].first_word + 2], 2);
    CU_ASSERT_EQUAL(rp_graph_find_kernel(copy, "bodied"), 2);
    CU_ASSERT_EQUAL(rp_graph_find_buffer(copy, "pos"), 3);
    CU_ASSERT_EQUAL(rp_graph_find_buffer(copy, "nope"), RP_NONE);
    CU_ASSERT_EQUAL(rp_graph_verify(copy, NULL, NULL), RP_OK);
    rp_graph_destroy(copy);
}

/* ---- Scopes ---------------------------------------------------------------------------------- */

static void scopes(void) {
    rp_text text;
    rp_text_init(&text, NULL);
    for (uint32_t scope = 0; scope <= RP_SCOPE_ALL; scope++) {
        uint32_t parsed = 999;
        text.size = 0;
        rp_scope_print(&text, scope);
        CU_ASSERT(rp_scope_parse(text.data, text.size, &parsed));
        CU_ASSERT_EQUAL(parsed, scope);
    }
    text.size = 0;
    rp_scope_print(&text, RP_SCOPE_ALL);
    CU_ASSERT_STRING_EQUAL(text.data, "compute:rwus,transfer:rw,indirect:r,host:r");
    rp_text_free(&text);

    uint32_t out;
    CU_ASSERT(rp_scope_parse("host:r,compute:ur", 17, &out)); /* any order is read */
    CU_ASSERT_EQUAL(out, RP_SCOPE_HOST_R | RP_SCOPE_COMPUTE_U | RP_SCOPE_COMPUTE_R);
    static const char *const wrong[] = {
        "",           "compute",    "compute:", ":r",          "compute:x",          "host:w",
        "compute:rr", "compute:r,", ",host:r",  "none,host:r", "compute:r,compute:r"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CU_ASSERT(!rp_scope_parse(wrong[i], strlen(wrong[i]), &out));
        CU_ASSERT_EQUAL(out, RP_SCOPE_NONE);
    }
    CU_ASSERT_EQUAL(rp_scope_normalise_src(RP_SCOPE_ANY),
                    RP_SCOPE_COMPUTE_W | RP_SCOPE_TRANSFER_W | RP_SCOPE_INDIRECT_R);
    CU_ASSERT_EQUAL(rp_scope_normalise_src(RP_SCOPE_COMPUTE_R), RP_SCOPE_COMPUTE_R);
}

static void scopes_of_uses(void) {
    rp_graph_node run = {.kind = RP_RUN}, copy = {.kind = RP_COPY};
    rp_graph_use r = {.access = RP_READ}, w = {.access = RP_WRITE}, rw = {.access = RP_READ_WRITE};
    rp_graph_use u = {.access = RP_UNIFORM}, indirect = {.access = RP_READ, .indirect = true};
    CU_ASSERT_EQUAL(rp_use_read_scope(&run, &r), RP_SCOPE_COMPUTE_R);
    CU_ASSERT_EQUAL(rp_use_write_scope(&run, &r), RP_SCOPE_NONE);
    CU_ASSERT_EQUAL(rp_use_read_scope(&run, &w), RP_SCOPE_NONE);
    CU_ASSERT_EQUAL(rp_use_write_scope(&run, &w), RP_SCOPE_COMPUTE_W);
    CU_ASSERT_EQUAL(rp_use_read_scope(&run, &rw), RP_SCOPE_COMPUTE_R);
    CU_ASSERT_EQUAL(rp_use_write_scope(&run, &rw), RP_SCOPE_COMPUTE_W);
    CU_ASSERT_EQUAL(rp_use_read_scope(&run, &u), RP_SCOPE_COMPUTE_U);
    CU_ASSERT_EQUAL(rp_use_read_scope(&run, &indirect), RP_SCOPE_INDIRECT_R);
    CU_ASSERT_EQUAL(rp_use_write_scope(&run, &indirect), RP_SCOPE_NONE);
    CU_ASSERT_EQUAL(rp_use_read_scope(&copy, &r), RP_SCOPE_TRANSFER_R);
    CU_ASSERT_EQUAL(rp_use_write_scope(&copy, &w), RP_SCOPE_TRANSFER_W);
}

/* ---- Verification of what only C can build --------------------------------------------------- */

static bool rejected(rp_graph *g) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_status status = rp_graph_verify(g, "file", diags);
    bool said = rp_diags_error_count(diags) > 0;
    rp_diags_destroy(diags);
    return status == RP_ERROR_INVALID && said;
}

static void wrong_data(void) {
    rp_graph *base = parse(base_text), *plan = parse(plan_text), *g;
#define WRONG(of, change)                                                                          \
    CU_ASSERT_EQUAL_FATAL(rp_graph_clone(of, &g), RP_OK);                                          \
    change;                                                                                        \
    CU_ASSERT(rejected(g));                                                                        \
    rp_graph_destroy(g)
    WRONG(base, g->name = rp_graph_intern(g, "a b", 3));
    WRONG(base, g->buffers[0].name = rp_graph_intern(g, "1", 1));
    WRONG(base, g->buffers[0].name = g->buffers[1].name);
    WRONG(base, g->buffers[0].kind = 99);
    WRONG(base, g->buffers[0].dtype = 99);
    WRONG(base, g->buffers[0].rank = 9);
    WRONG(base, g->buffers[1].rank = 1); /* raw bytes have no shape */
    WRONG(base, g->buffers[0].size = 60);
    WRONG(base, g->dims[0] = UINT64_MAX);
    WRONG(base, g->buffers[3].first_default = g->bytes_count - 4);
    WRONG(base, g->follows[0].buffer = 99);
    WRONG(base, g->follows[0].buffer = 4); /* itself */
    WRONG(base, g->follows[0].buffer = 0); /* not live */
    WRONG(base, g->follows[0].from = 8);
    WRONG(base, g->follows[0].from = 2);
    WRONG(base, g->follows[0].to = 16);
    WRONG(base, g->follows[0].to = 5);
    WRONG(base, g->follows[0].size = 0);
    WRONG(base, g->follows[0].size = 8); /* runs into the next */
    WRONG(base, g->follows[1].to = 4);
    WRONG(base, g->follows[1].size = UINT32_MAX - 3);
    WRONG(base, g->buffers[4].first_follow = 1);
    WRONG(base, g->buffers[4].follow_count = 3);
    WRONG(base, g->buffers[4].max_value = 7);
    WRONG(base, g->buffers[3].follow_count = 1); /* what is followed follows nothing */
    WRONG(base, g->buffers[1].follow_count = 1); /* not live */
    WRONG(base, g->expr_ops[0].buffer = 4);      /* a grid reads what is followed */
    WRONG(base, g->kernels[0].name = RP_NONE);
    WRONG(base, g->kernels[1].name = g->kernels[0].name);
    WRONG(base, g->kernels[0].local[1] = 0);
    WRONG(base, g->kernels[0].push_bytes = 3);
    WRONG(base, g->kernels[0].param_count = 257);
    WRONG(base, g->kernels[0].param_count = g->params_count + 1);
    WRONG(base, g->kernels[0].first_param = UINT32_MAX);
    WRONG(base, g->kernels[0].spec_count = 257);
    WRONG(base, g->params[0].access = 9);
    WRONG(base, g->params[0].min_size = 65);
    WRONG(base, g->nodes[0].kind = 9);
    WRONG(base, g->nodes[0].kernel = 2);
    WRONG(base, g->nodes[0].kernel = RP_NONE);
    WRONG(base, g->kernels[0].removed = true);
    WRONG(base, g->buffers[2].removed = true);
    WRONG(base, g->nodes[0].grid_kind = 7);
    WRONG(base, g->nodes[0].grid[1] = 0);
    WRONG(base, g->nodes[3].live_mask = 0);
    WRONG(base, g->nodes[3].live_mask = 9);
    WRONG(base, g->nodes[3].grid[0] = 1);
    WRONG(base, g->expr_ops[0].buffer = 99);
    WRONG(base, g->expr_ops[0].buffer = 0);
    WRONG(base, g->expr_ops[0].element = 2);
    WRONG(base, g->exprs[0].op_count = 2);
    WRONG(base, g->buffers[3].name = rp_graph_intern(g, "a-b", 3)); /* a - b in an expression */
    WRONG(base, g->uses[g->nodes[0].first_use].buffer = 99);
    WRONG(base, g->uses[g->nodes[0].first_use].access = 99);
    WRONG(base, g->uses[g->nodes[0].first_use].indirect = true);
    WRONG(base, g->uses[g->nodes[4].first_use + 2].indirect = false);
    WRONG(base, g->uses[g->nodes[4].first_use + 2].access = RP_UNIFORM);
    WRONG(base, g->nodes[4].use_count = 0);
    WRONG(base, g->nodes[5].use_count = 1);
    WRONG(base, g->nodes[7].use_count = 1);
    WRONG(base, g->nodes[7].unknown = true);
    WRONG(base, g->nodes[4].optional = true); /* its grid is indirect */
    WRONG(base, g->nodes[6].optional = true); /* a copy */
    WRONG(base, g->nodes[7].optional = true);
    WRONG(base, g->nodes[2].byte_count = 8);
    WRONG(base, g->nodes[1].id = 0);
    WRONG(base, g->nodes[7].id = RP_NONE);
    WRONG(base, g->group_count = 1);
    WRONG(base, g->stages = RP_STAGE_PLACED);
    WRONG(base, g->buffers[2].offset = 0);
    WRONG(plan, g->nodes[2].group = 2);
    WRONG(plan, g->nodes[0].group = 1);
    WRONG(plan, g->nodes[2].id = 0);
    WRONG(plan, g->group_count = 3);
    WRONG(plan, g->barriers_count = 2);
    WRONG(plan, g->barriers[1].dst = 1 << RP_SCOPE_BITS);
    WRONG(plan, g->stages &= ~(uint32_t)RP_STAGE_SYNCED);
    WRONG(plan, g->stages &= ~(uint32_t)RP_STAGE_SCHEDULED);
    WRONG(plan, g->buffers[1].offset = RP_NOT_PLACED);
    WRONG(plan, g->buffers[1].offset = 128);
    WRONG(plan, g->buffers[1].offset = UINT64_MAX & ~UINT64_C(255));
    WRONG(plan, g->arena_bytes = 0);
#undef WRONG
    rp_graph_destroy(base);
    rp_graph_destroy(plan);
}

/* ---- Without memory -------------------------------------------------------------------------- */

/* Everything a graph goes through, in one status. */
static rp_status life(const rp_allocator *a, const char *source) {
    rp_graph *graph = NULL, *copy = NULL;
    char *text = NULL;
    size_t size = 0;
    rp_status status = rp_graph_parse(a, source, strlen(source), "f", NULL, &graph);
    if (status == RP_OK) status = rp_graph_clone(graph, &copy);
    if (status == RP_OK) status = rp_graph_print(copy, RP_FORMAT_TEXT, &text, &size);
    if (status == RP_OK) {
        uint32_t order[16];
        for (uint32_t i = 0; i < copy->nodes_count; i++) order[i] = i;
        status = rp_graph_reorder(copy, order);
    }
    if (status == RP_OK) CU_ASSERT(rp_graph_equal(graph, copy));
    rp_text_release(copy, text);
    rp_graph_destroy(copy);
    rp_graph_destroy(graph);
    return status;
}

static void without_memory(void) {
    const char *const sources[] = {base_text, plan_text};
    for (int s = 0; s < 2; s++) {
        uint64_t total = 0;
        for (uint64_t n = 0; n <= total; n++) {
            failing_alloc f = {.fail_at = n};
            rp_allocator a = failing_allocator(&f);
            rp_status status = life(&a, sources[s]);
            CU_ASSERT_EQUAL(status, n ? RP_ERROR_NO_MEMORY : RP_OK);
            if (status == RP_OK && n)
                printf("request %llu went unnoticed\n", (unsigned long long)n);
            CU_ASSERT_EQUAL(f.live, 0);
            if (n == 0) total = f.requests;
        }
        CU_ASSERT(total > 40);
    }
}

static void test_node_place(void) {
    static const char text[] = "reprise 1\ngraph g {\n  buf $y out 64\n"
                               "  n7 = fill 00000000 (w $y)\n  n9 = fill 00000001 (w $y)\n}\n";
    rp_graph *g = NULL;
    uint32_t line = 0, column = 0;
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, strlen(text), "t", NULL, &g), RP_OK);
    CU_ASSERT_EQUAL(rp_graph_node_place(g, 9, &line, &column), RP_OK);
    CU_ASSERT_TRUE(line == 5 && column == 3);
    CU_ASSERT_EQUAL(rp_graph_node_place(g, 8, &line, &column), RP_ERROR_NOT_FOUND);
    CU_ASSERT_EQUAL(rp_graph_node_place(NULL, 9, &line, &column), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_graph_node_place(g, 9, NULL, &column), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_graph_node_place(g, 9, &line, NULL), RP_ERROR_USAGE);
    rp_graph_destroy(g);
}

int main(void) {
    static const rp_test tests[] = {{"where nodes stand", test_node_place},
                                    {"every difference counts", every_difference_counts},
                                    {"every stage counts", every_stage_counts},
                                    {"removed is absent", removed_is_absent},
                                    {"strings", strings},
                                    {"wrong calls", wrong_calls},
                                    {"own items", own_items},
                                    {"copies", copies},
                                    {"scopes", scopes},
                                    {"scopes of uses", scopes_of_uses},
                                    {"wrong data", wrong_data},
                                    {"without memory", without_memory},
                                    {NULL, NULL}};
    return rp_run_tests("graph", tests);
}
