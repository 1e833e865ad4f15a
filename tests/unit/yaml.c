/* The YAML tree: positions, kinds, quoting, aliases and bounds. */
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "yaml/tree.h"

static rp_yaml *parse(const char *text) {
    rp_yaml *yaml = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_yaml_parse(NULL, text, strlen(text), "t", NULL, &yaml), RP_OK);
    return yaml;
}

/* The first message's place and text, "3:8 ...". */
static void expect_error(const char *text, size_t size, const char *expected) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_yaml *yaml = NULL;
    CU_ASSERT_EQUAL(rp_yaml_parse(NULL, text, size, "t", diags, &yaml), RP_ERROR_INVALID);
    CU_ASSERT_PTR_NULL(yaml);
    CU_ASSERT_TRUE(rp_diags_error_count(diags) > 0);
    rp_diag diag = rp_diags_get(diags, 0);
    char got[512];
    snprintf(got, sizeof got, "%u:%u %s", diag.line, diag.column, diag.message);
    if (strcmp(got, expected) != 0) printf("expected '%s'\ngot      '%s'\n", expected, got);
    CU_ASSERT_STRING_EQUAL(got, expected);
    rp_diags_destroy(diags);
}

static void test_positions(void) {
    rp_yaml *yaml = parse("a: 1\nb:\n  - x\n  - \"y z\"\n  - {c: 'd'}\n");
    const rp_yaml_node *root = rp_yaml_root(yaml), *b = rp_yaml_find(root, "b");
    CU_ASSERT_EQUAL(root->kind, RP_YAML_MAP);
    CU_ASSERT_EQUAL(root->count, 2);
    CU_ASSERT_EQUAL(b->kind, RP_YAML_LIST);
    CU_ASSERT_EQUAL(b->count, 3);
    CU_ASSERT_EQUAL(b->items[1]->line, 4);
    CU_ASSERT_EQUAL(b->items[1]->column, 5);
    CU_ASSERT_EQUAL(b->items[1]->text_column, 6);
    CU_ASSERT_TRUE(b->items[1]->exact && b->items[1]->quoted);
    CU_ASSERT_STRING_EQUAL(b->items[1]->text, "y z");
    CU_ASSERT_EQUAL(b->items[1]->length, 3);
    const rp_yaml_node *d = rp_yaml_find(b->items[2], "c");
    CU_ASSERT_EQUAL(d->line, 5);
    CU_ASSERT_EQUAL(d->column, 9);
    CU_ASSERT_PTR_NULL(rp_yaml_find(root, "c"));
    CU_ASSERT_PTR_NULL(rp_yaml_find(b, "a"));
    rp_yaml_destroy(yaml);
}

static void test_scalars(void) {
    rp_yaml *yaml = parse("-\n- ~\n- null\n- ''\n- 'null'\n- \"a\\u0041\"\n- |\n  block\n");
    const rp_yaml_node *root = rp_yaml_root(yaml);
    static const bool null[] = {true, true, true, false, false, false, false};
    static const bool exact[] = {true, true, true, true, true, false, false};
    CU_ASSERT_EQUAL_FATAL(root->count, 7);
    for (uint32_t i = 0; i < 7; i++) {
        CU_ASSERT_EQUAL(rp_yaml_is_null(root->items[i]), null[i]);
        CU_ASSERT_EQUAL(root->items[i]->exact, exact[i]);
    }
    CU_ASSERT_STRING_EQUAL(root->items[6]->text, "block\n");
    CU_ASSERT_STRING_EQUAL(root->items[5]->text, "aA");
    CU_ASSERT_STRING_EQUAL(rp_yaml_kind_name(root), "a list");
    CU_ASSERT_STRING_EQUAL(rp_yaml_kind_name(root->items[0]), "nothing");
    rp_yaml_destroy(yaml);
}

/* "l0" is ten scalars, and each further level ten aliases of the one before. */
static void write_levels(char *text, int levels) {
    strcpy(text, "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i <= levels; i++) {
        char *end = text + strlen(text);
        end += sprintf(end, "l%d: &l%d [", i, i);
        for (int k = 0; k < 10; k++) end += sprintf(end, "%s*l%d", k ? ", " : "", i - 1);
        strcpy(end, "]\n");
    }
}

/* An alias is the very node. Expanded, ten levels would be 10^11 values. */
static void test_aliases(void) {
    char text[4096];
    write_levels(text, 5);
    rp_yaml *yaml = parse(text);
    const rp_yaml_node *node = rp_yaml_find(rp_yaml_root(yaml), "l5");
    for (int i = 5; i > 0; i--) {
        CU_ASSERT_EQUAL(node->count, 10);
        CU_ASSERT_PTR_EQUAL(node->items[0], node->items[9]);
        node = node->items[9];
    }
    CU_ASSERT_PTR_EQUAL(node, rp_yaml_find(rp_yaml_root(yaml), "l0"));
    rp_yaml_destroy(yaml);
    write_levels(text, 10);
    expect_error(text, strlen(text), "8:58 the aliases expand to more than 2^24 values");
}

static void test_anchor_again(void) {
    rp_yaml *yaml = parse("[&a 1, *a, &a 2, *a]");
    const rp_yaml_node *root = rp_yaml_root(yaml);
    CU_ASSERT_STRING_EQUAL(root->items[1]->text, "1");
    CU_ASSERT_STRING_EQUAL(root->items[3]->text, "2");
    rp_yaml_destroy(yaml);
}

static void test_bounds(void) {
    char deep[64];
    memset(deep, '[', 40);
    expect_error(deep, 40, "1:33 lists and maps are nested more than 32 deep");
    char *anchors = malloc(8192);
    int n = snprintf(anchors, 8192, "[");
    for (int i = 0; i < 300; i++) n += snprintf(anchors + n, 8192 - (size_t)n, "&a%d x, ", i);
    expect_error(anchors, (size_t)n, "1:2196 more than 256 anchors");
    free(anchors);
    size_t size = RP_YAML_MAX_BYTES + 1;
    char *huge = calloc(size, 1);
    expect_error(huge, size,
                 "0:0 the file has 16777217 bytes; a pipeline may have 16777216 at most");
    free(huge);
}

static void test_errors(void) {
    expect_error("", 0, "1:1 the file is empty");
    expect_error(NULL, 0, "1:1 the file is empty");
    expect_error("# nothing\n", 10, "1:1 the file is empty");
    expect_error("a: 1\na: 2\n", 10, "2:1 duplicate key 'a': it was given at line 1 already");
    expect_error("{[a]: 1}", 8, "1:2 a key must be plain text");
    expect_error("a\n---\nb\n", 8, "2:1 a second document: a pipeline is one YAML document");
    expect_error("a: \xc3\x28\n", 6, "1:5 not YAML: invalid trailing UTF-8 octet");
    expect_error("a: \"\\0\"", 7, "1:4 a zero byte in text");
    expect_error("a: \0", 4, "1:4 not YAML: control characters are not allowed");
}

/* Both duplicates of a large map are reported; sorting keeps it from being quadratic. */
static void test_large_map(void) {
    enum { KEYS = 100000 };
    char *text = malloc(KEYS * 16);
    int n = 0;
    for (int i = 0; i < KEYS; i++) n += sprintf(text + n, "k%d: %d\n", i, i);
    rp_yaml *yaml = NULL;
    CU_ASSERT_EQUAL(rp_yaml_parse(NULL, text, (size_t)n, NULL, NULL, &yaml), RP_OK);
    CU_ASSERT_EQUAL(rp_yaml_root(yaml)->count, KEYS);
    rp_yaml_destroy(yaml);
    n += sprintf(text + n, "k7: 1\nk99999: 1\n");
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_yaml_parse(NULL, text, (size_t)n, NULL, diags, &yaml), RP_ERROR_INVALID);
    CU_ASSERT_EQUAL(rp_diags_error_count(diags), 2);
    CU_ASSERT_EQUAL(rp_diags_get(diags, 0).line, KEYS + 1);
    CU_ASSERT_EQUAL(rp_diags_get(diags, 1).line, KEYS + 2);
    rp_diags_destroy(diags);
    free(text);
}

static void test_destroy_null(void) {
    rp_yaml_destroy(NULL);
}

/* The keys of a map in their order, "a b c". */
static void expect_keys(const char *text, const char *expected) {
    rp_yaml *yaml = parse(text);
    const rp_yaml_node *root = rp_yaml_root(yaml), *map = rp_yaml_find(root, "m");
    char got[256] = "";
    for (uint32_t i = 0; i < map->count; i++) {
        const rp_yaml_node *value = rp_yaml_value(map, i);
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s=%s", i ? " " : "",
                 rp_yaml_key(map, i)->text, value->kind == RP_YAML_SCALAR ? value->text : "?");
    }
    CU_ASSERT_STRING_EQUAL(got, expected);
    rp_yaml_destroy(yaml);
}

static void test_merge(void) {
    expect_keys("x: &x {a: 1, b: 2}\nm: {b: 3, <<: *x, c: 4}\n", "b=3 c=4 a=1");
    expect_keys("x: &x {a: 1, b: 2}\ny: &y {b: 5, d: 6}\nm: {<<: [*y, *x, *y]}\n", "b=5 d=6 a=1");
    expect_keys("x: &x {a: 1}\ny: &y {<<: *x, a: 2}\nm: {<<: *y}\n", "a=2");
    expect_keys("x: &x {a: 1}\nm: {<<: []}\n", "");
    expect_keys("x: &x {a: 1}\nm: {\"<<\": *x}\n", "<<=?");
    static const char list[] = "m: {<<: [{a: 1}, b]}";
    expect_error(list, sizeof list - 1, "1:5 '<<' takes a map or a list of maps, not text");
}

/* Doubling at each level: 2^30 pairs from 30 lines, and a list of one large map. */
static void test_merge_limits(void) {
    enum { KEYS = 1000, TIMES = 2000, BYTES = 1 << 16 };
    char *text = malloc(BYTES);
    int n = sprintf(text, "m0: &m0 {");
    for (int i = 0; i < KEYS; i++) n += sprintf(text + n, "k%d: 1, ", i);
    n += sprintf(text + n, "}\nm: {<<: [");
    for (int i = 0; i < TIMES; i++) n += sprintf(text + n, "*m0, ");
    n += sprintf(text + n, "]}\n");
    char expected[96];
    snprintf(expected, sizeof expected, "2:5 the merge keys bring more than %d values",
             RP_YAML_MAX_MERGED);
    expect_error(text, (size_t)n, expected);
    free(text);
}

int main(void) {
    static const rp_test tests[] = {
        {"positions", test_positions},
        {"scalars", test_scalars},
        {"aliases", test_aliases},
        {"anchor again", test_anchor_again},
        {"bounds", test_bounds},
        {"errors", test_errors},
        {"large map", test_large_map},
        {"destroy NULL", test_destroy_null},
        {"merge", test_merge},
        {"merge limits", test_merge_limits},
        {NULL, NULL},
    };
    return rp_run_tests("yaml", tests);
}
