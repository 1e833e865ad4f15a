/* Damaged plans. Cut off at every length, every bit flipped, every bit flipped with the hash made
 * right again (then validation proper is on its own, and what still opens is read as the runtime
 * reads it), and one case for each rule with the message it must give. */
#include "plan_damage.h"

static void begin(void) {
    base = sample_make(sample_text);
    good = rp_plan_data(base.plan, &good_size);
}

static void end(void) {
    sample_free(&base);
}

static void test_cut_off(void) {
    begin();
    rp_diags *diags = rp_diags_create(NULL);
    for (size_t size = 0; size < good_size; size++) {
        uint8_t *copy = copy_of(size);
        CU_ASSERT_EQUAL(open_bytes(copy, size, diags), RP_ERROR_DAMAGED);
        walk_repair(copy, size); /* a length and a hash that fit do not help either */
        CU_ASSERT_EQUAL(open_bytes(copy, size, diags), RP_ERROR_DAMAGED);
        free(copy);
    }
    rp_diags_destroy(diags);
    end();
}

static void test_flipped(void) {
    begin();
    rp_diags *diags = rp_diags_create(NULL);
    uint8_t *copy = copy_of(good_size);
    for (size_t bit = 0; bit < good_size * 8; bit++) {
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        rp_status status = open_bytes(copy, good_size, diags);
        bool version = bit / 8 >= offsetof(rp_plan_header, version) &&
                       bit / 8 < offsetof(rp_plan_header, section_count);
        /* One bit away lies the version of files of forms, which this is not one of. */
        bool forms = bit == offsetof(rp_plan_header, version) * 8 &&
                     (RP_PLAN_VERSION ^ 1) == RP_PLAN_FORMS_VERSION;
        CU_ASSERT_EQUAL(status, version && !forms ? RP_ERROR_VERSION : RP_ERROR_DAMAGED);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CU_ASSERT_EQUAL(open_bytes(copy, good_size, diags), RP_OK);
    free(copy);
    rp_diags_destroy(diags);
    end();
}

static void test_flipped_and_repaired(void) {
    begin();
    rp_diags *diags = rp_diags_create(NULL);
    uint8_t *copy = copy_of(good_size);
    size_t refused = 0, opened = 0;
    for (size_t bit = 0; bit < good_size * 8; bit++) {
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        walk_repair(copy, good_size);
        rp_status status = open_bytes(copy, good_size, diags);
        CU_ASSERT_TRUE(status == RP_OK || status == RP_ERROR_DAMAGED);
        *(status == RP_OK ? &opened : &refused) += 1;
        memcpy(copy, good, good_size);
    }
    /* Texts, names, numbers without a rule: these open. Both must have happened. */
    CU_ASSERT_TRUE(refused > good_size / 2 && opened > 0);
    free(copy);
    rp_diags_destroy(diags);
    end();
}

static void test_versions(void) {
    begin();
    rp_diags *diags = rp_diags_create(NULL);
    uint8_t *copy = copy_of(good_size);
    uint32_t version = RP_PLAN_FORMS_VERSION + 1;
    memcpy(copy + offsetof(rp_plan_header, version), &version, sizeof version);
    CU_ASSERT_EQUAL(open_bytes(copy, good_size, diags), RP_ERROR_VERSION);
    CU_ASSERT_TRUE(message_has(diags, "the plan has version 9, this library reads versions 6 and "
                                      "8: use a newer Reprise"));
    version = RP_PLAN_VERSION - 1;
    memcpy(copy + offsetof(rp_plan_header, version), &version, sizeof version);
    CU_ASSERT_EQUAL(open_bytes(copy, good_size, diags), RP_ERROR_VERSION);
    CU_ASSERT_TRUE(
        message_has(diags, "has version 5, this library reads versions 6 and 8: compile"));
    /* a transfer as text turns \r\n into \n */
    memcpy(copy, good, good_size);
    memmove(copy + 6, copy + 7, 9);
    CU_ASSERT_EQUAL(open_bytes(copy, good_size, diags), RP_ERROR_DAMAGED);
    CU_ASSERT_TRUE(message_has(diags, "transfer plans as binary files"));
    free(copy);
    rp_diags_destroy(diags);
    end();
}

/* ---- One rule each --------------------------------------------------------------------------- */

/* Indices in the sample's plan: see test_records in plan.c for how it lies. */
enum { X = 0, W = 1, N = 2, P = 5, TMP = 6, SCALE = 0, ADD = 2 };

static const rule rules[] = {
    {RP_SECTION_GRAPH, 0, FIELD(rp_plan_graph, name), 1 << 20, "the name 1048576 is not a string"},
    {RP_SECTION_GRAPH, 0, FIELD(rp_plan_graph, name), 1, "the name 1 is not a string"},
    {RP_SECTION_GRAPH, 0, FIELD(rp_plan_graph, arena_bytes), UINT64_MAX, "is too large"},
    {RP_SECTION_GRAPH, 0, FIELD(rp_plan_graph, arena_bytes), 256, "exceed the arena of 256"},
    {RP_SECTION_GRAPH, 0, FIELD(rp_plan_graph, dispatch_count), 9, "the graph states 9"},
    {RP_SECTION_GRAPH, 0, FIELD(rp_plan_graph, barrier_count), 9, "the graph states 9"},
    {RP_SECTION_BUFFERS, X, FIELD(rp_plan_buffer, kind), 6, "section buffers, record 0: kind 6"},
    {RP_SECTION_BUFFERS, X, FIELD(rp_plan_buffer, dtype), 99, "element type 99 is unknown"},
    {RP_SECTION_BUFFERS, X, FIELD(rp_plan_buffer, dtype), RP_F16, "its shape makes 128 bytes"},
    {RP_SECTION_BUFFERS, X, FIELD(rp_plan_buffer, dtype), RP_Q8_0,
     "its last dimension is not a multiple of 32"},
    {RP_SECTION_BUFFERS, X, FIELD(rp_plan_buffer, dtype), RP_RAW, "does not fit element type raw"},
    {RP_SECTION_BUFFERS, X, FIELD(rp_plan_buffer, rank), 9, "a shape of rank 9"},
    {RP_SECTION_BUFFERS, X, FIELD(rp_plan_buffer, first_dim), 1,
     "a shape of rank 2 at dimension 1"},
    {RP_SECTION_BUFFERS, X, FIELD(rp_plan_buffer, tagged), 1, "it is tagged"},
    {RP_SECTION_BUFFERS, X, FIELD(rp_plan_buffer, offset), 0, "is no transient"},
    {RP_SECTION_BUFFERS, X, FIELD(rp_plan_buffer, max_value), 5, "is not live"},
    {RP_SECTION_BUFFERS, W, FIELD(rp_plan_buffer, size), 0, "a size of 0 bytes"},
    {RP_SECTION_BUFFERS, W, FIELD(rp_plan_buffer, size), UINT64_MAX,
     "a size of 18446744073709551615"},
    {RP_SECTION_BUFFERS, N, FIELD(rp_plan_buffer, first_default), 1, "are at 1 of section bytes"},
    {RP_SECTION_BUFFERS, X, FIELD(rp_plan_buffer, first_follow), 1, "follows 1 + 0 do not follow"},
    {RP_SECTION_BUFFERS, P, FIELD(rp_plan_buffer, follow_count), 3, "exceed section follows"},
    {RP_SECTION_BUFFERS, P, FIELD(rp_plan_buffer, follow_count), 1, "follows 2 + 0 do not follow"},
    {RP_SECTION_BUFFERS, P, FIELD(rp_plan_buffer, max_value), 1, "elements of type raw"},
    {RP_SECTION_BUFFERS, P, FIELD(rp_plan_buffer, kind), RP_IN, "is not live"},
    {RP_SECTION_FOLLOWS, 0, FIELD(rp_plan_follow, buffer), P, "follows buffer 5, which is none"},
    {RP_SECTION_FOLLOWS, 0, FIELD(rp_plan_follow, buffer), X, "follows buffer 0, which is none"},
    {RP_SECTION_FOLLOWS, 0, FIELD(rp_plan_follow, buffer), UINT32_MAX, "which is none to follow"},
    {RP_SECTION_FOLLOWS, 0, FIELD(rp_plan_follow, from), 8, "bytes 8 + 4 of buffer 2 do not fit"},
    {RP_SECTION_FOLLOWS, 0, FIELD(rp_plan_follow, from), 2, "bytes 2 + 4 of buffer 2 do not fit"},
    {RP_SECTION_FOLLOWS, 0, FIELD(rp_plan_follow, to), 16, "do not fit to byte 16"},
    {RP_SECTION_FOLLOWS, 0, FIELD(rp_plan_follow, size), 0, "bytes 4 + 0 of buffer 2 do not fit"},
    {RP_SECTION_FOLLOWS, 1, FIELD(rp_plan_follow, to), 4, "do not fit to byte 4"},
    {RP_SECTION_EXPR_OPS, 0, FIELD(rp_expr_op, buffer), P, "buffer 5 follows others"},
    {RP_SECTION_BUFFERS, TMP, FIELD(rp_plan_buffer, offset), 128, "not a multiple of 256"},
    {RP_SECTION_BUFFERS, TMP, FIELD(rp_plan_buffer, offset), 1 << 20, "exceed the arena"},
    {RP_SECTION_BUFFERS, TMP + 1, FIELD(rp_plan_buffer, kind), RP_OUT, "is no transient"},
    {RP_SECTION_DIMS, 0, 0, 8, UINT64_MAX, "its shape overflows"},
    {RP_SECTION_KERNELS, SCALE, FIELD(rp_plan_kernel, entry), 3, "the entry 3 is not a string"},
    {RP_SECTION_KERNELS, SCALE, FIELD(rp_plan_kernel, word_count), 1 << 30,
     "exceed their sections"},
    {RP_SECTION_KERNELS, SCALE, FIELD(rp_plan_kernel, first_param), 1,
     "do not follow those before"},
    {RP_SECTION_KERNELS, SCALE, FIELD(rp_plan_kernel, local), 0, "a workgroup of 0 x"},
    {RP_SECTION_KERNELS, SCALE, FIELD(rp_plan_kernel, local), 32, "workgroups of 32 x 1 x 1"},
    {RP_SECTION_KERNELS, SCALE, FIELD(rp_plan_kernel, push_bytes), 6, "6 bytes of push constants"},
    {RP_SECTION_KERNELS, SCALE, FIELD(rp_plan_kernel, push_bytes), 8, "4 bytes of push data"},
    {RP_SECTION_KERNELS, SCALE, FIELD(rp_plan_kernel, hash), 7, "the hash of its SPIR-V is not"},
    {RP_SECTION_KERNELS, SCALE, FIELD(rp_plan_kernel, reserved), 7, "reserved is not zero"},
    {RP_SECTION_PARAMS, 0, FIELD(rp_plan_param, access), 5, "param 0 (access 5"},
    {RP_SECTION_PARAMS, 1, FIELD(rp_plan_param, binding), 0,
     "param 1 (access 2, set 0, binding 0)"},
    {RP_SECTION_PARAMS, 0, FIELD(rp_plan_param, access), RP_UNIFORM, "does not fit the kernel's u"},
    {RP_SECTION_PARAMS, 0, FIELD(rp_plan_param, skip), 4, "is not 4 behind a multiple of 256"},
    {RP_SECTION_PARAMS, 1, FIELD(rp_plan_param, resource), RP_RESOURCE_STALL,
     "has 1 words of stalls, and it reads no tagged buffers"},
    {RP_SECTION_SPECS, 0, FIELD(rp_plan_spec, id), 7, "not in order of id"},
    {RP_SECTION_WORDS, 0, 0, 4, 0x03022307, "SPIR-V starts with 07230203"},
    {RP_SECTION_WORDS, 1, 0, 4, 0x00010700, "1.0 to 1.6 are allowed"},
    {RP_SECTION_WORDS, 5, 0, 4, 17, "an instruction of 0 words"},
    {RP_SECTION_WORDS, 12, 0, 4, 99 << 16 | 15, "an instruction of 99 words where"},
    {RP_SECTION_WORDS, 8, 0, 4, 5379, "helper invocations"},
    {RP_SECTION_WORDS, 8, 0, 4, 9, "which the header does not state"},
    {RP_SECTION_WORDS, 15, 0, 4, 0x6e696178, "no compute entry point 'main'"},
    {RP_SECTION_WORDS, 13, 0, 4, 0, "no compute entry point 'main'"},
    {RP_SECTION_CERTIFICATE, 0, FIELD(rp_certificate, verdict), 0, "the verdict 0 is unknown"},
    {RP_SECTION_BARRIERS, 1, FIELD(rp_plan_barrier, src), 1 << RP_SCOPE_BITS, "unknown bits"},
    {RP_SECTION_EXPRS, 0, FIELD(rp_plan_expr, op_count), 1 << 20, "exceed section expr ops"},
    {RP_SECTION_EXPR_OPS, 0, FIELD(rp_expr_op, code), 11, "not well formed"},
    {RP_SECTION_EXPR_OPS, 0, FIELD(rp_expr_op, code), RP_EXPR_ADD, "not well formed"},
    {RP_SECTION_EXPR_OPS, 0, FIELD(rp_expr_op, buffer), X, "does not hold live 32-bit integers"},
    {RP_SECTION_EXPR_OPS, 0, FIELD(rp_expr_op, buffer), 99, "not well formed"},
    {RP_SECTION_EXPR_OPS, 0, FIELD(rp_expr_op, element), 2, "buffer 2 has no element 2"},
    {RP_SECTION_GROUPS, 0, FIELD(rp_plan_group, node_count), 0, "section groups, record 0"},
    {RP_SECTION_GROUPS, 0, FIELD(rp_plan_group, node_count), 1 << 20, "exceed 6"},
};

static void test_rules(void) {
    begin();
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) expect(&rules[i]);
    end();
}

/* The record of the node with an id, and of its first use. */
static uint32_t node_of(uint32_t id, uint32_t *use) {
    const rp_plan_node *nodes = rp_plan_records(base.plan, RP_SECTION_NODES);
    uint32_t i = 0;
    while (i < rp_plan_count(base.plan, RP_SECTION_NODES) && nodes[i].id != id) i++;
    CU_ASSERT_TRUE_FATAL(i < rp_plan_count(base.plan, RP_SECTION_NODES));
    *use = nodes[i].first_use;
    return i;
}

typedef struct node_rule {
    uint32_t id;
    size_t offset, size;
    uint64_t value;
    const char *message;
} node_rule;

static const node_rule node_rules[] = {
    {1, FIELD(rp_plan_node, kind), 8, "node kind 8 is unknown"},
    {1, FIELD(rp_plan_node, kind), RP_OP, "it is an op, which no plan can replay"},
    {1, FIELD(rp_plan_node, kind), RP_FENCE, "fields that a fence does not have"},
    {1, FIELD(rp_plan_node, kernel), 7, "kernel index 7 is outside 0.."},
    {1, FIELD(rp_plan_node, grid_kind), 3, "grid kind 3"},
    {1, FIELD(rp_plan_node, grid_kind), 0, "grid kind 0 with live mask 3"},
    {1, FIELD(rp_plan_node, live_mask), 9, "live mask 9"},
    {1, FIELD(rp_plan_node, grid), 77, "expression index 77 is not the next"},
    {1, FIELD(rp_plan_node, byte_count), 1 << 30, "exceed section bytes"},
    {1, FIELD(rp_plan_node, use_count), 1 << 30, "exceed section uses"},
    {1, FIELD(rp_plan_node, use_count), 1, "its uses do not fit kernel 0: there are more or fewer"},
    {1, FIELD(rp_plan_node, first_use), 1 << 30, "do not follow those before"},
    {1, FIELD(rp_plan_node, flags), 8, "fields that a run does not have"},
    {3, FIELD(rp_plan_node, flags), RP_NODE_SIZED, "with live mask 0 is unknown"},
    {0, FIELD(rp_plan_node, flags), RP_NODE_OPTIONAL, "fields that a fill does not have"},
    {3, FIELD(rp_plan_node, flags), RP_NODE_OPTIONAL, "it is optional and its grid is indirect"},
    {1, FIELD(rp_plan_node, pattern), 2, "fields that a run does not have"},
    {1, FIELD(rp_plan_node, label), 2, "is not a string"},
    {1, FIELD(rp_plan_node, op), 1 << 30, "is not a string"},
    {1, FIELD(rp_plan_node, group), 77, "its group is 77"},
    {6, FIELD(rp_plan_node, grid), 0, "the grid is empty"},
    {3, FIELD(rp_plan_node, grid), 1, "an indirect grid has constants"},
    {0, FIELD(rp_plan_node, kernel), 0, "fields that a fill does not have"},
    {2, FIELD(rp_plan_node, kind), RP_FILL, "fields that a fill does not have"},
    {5, FIELD(rp_plan_node, kind), RP_FILL, "2 uses instead of 1"},
};

/* Rules of uses: the use is `which` of the node. */
typedef struct use_rule {
    uint32_t id, which;
    size_t offset, size;
    uint64_t value;
    const char *message;
} use_rule;

static const use_rule use_rules[] = {
    {1, 0, FIELD(rp_plan_use, buffer), 77, "use 0: buffer index 77 is outside 0..9"},
    {1, 0, FIELD(rp_plan_use, access), 5, "use 0: access 5"},
    {1, 1, FIELD(rp_plan_use, access), RP_UNIFORM, "use 1: access u does not fit"},
    {1, 0, FIELD(rp_plan_use, access), RP_WRITE, "use 0: writes buffer 0 of kind in"},
    {1, 0, FIELD(rp_plan_use, offset), 4, "use 0: bytes 4 + 256 are not inside"},
    {1, 0, FIELD(rp_plan_use, offset), UINT64_MAX, "are not inside"},
    {1, 0, FIELD(rp_plan_use, size), 0, "are not inside"},
    {1, 0, FIELD(rp_plan_use, indirect), 1, "use 0 is not what param 0 of kernel 0 sees"},
    {1, 0, FIELD(rp_plan_use, indirect), 2, "a flag is unknown"},
    {3, 3, FIELD(rp_plan_use, indirect), 0, "4 uses do not fit its grid"},
    {3, 3, FIELD(rp_plan_use, size), 8, "the indirect grid is not 12 bytes"},
    {5, 0, FIELD(rp_plan_use, size), 252, "differ in size or overlap"},
    {5, 1, FIELD(rp_plan_use, access), RP_READ_WRITE, "other accesses than a copy has"},
    {0, 0, FIELD(rp_plan_use, size), 253, "not multiples of 4"},
    {2, 0, FIELD(rp_plan_use, size), 8, "12 bytes of data for a range of 8"},
};

static void test_node_rules(void) {
    begin();
    uint32_t use;
    for (size_t i = 0; i < sizeof node_rules / sizeof *node_rules; i++) {
        const node_rule *r = &node_rules[i];
        expect(&(rule){RP_SECTION_NODES, node_of(r->id, &use), r->offset, r->size, r->value,
                       r->message});
    }
    for (size_t i = 0; i < sizeof use_rules / sizeof *use_rules; i++) {
        const use_rule *r = &use_rules[i];
        node_of(r->id, &use);
        expect(&(rule){RP_SECTION_USES, use + r->which, r->offset, r->size, r->value, r->message});
    }
    end();
}

/* ---- Rules that need a plan of their own ----------------------------------------------------- */

/* Live values of blocks: nothing that makes plans makes one. */
static void test_live_blocks(void) {
    static const char text[] = "reprise 1\ngraph g {\n  buf $l live u8[34]\n  buf $y out 64\n"
                               "  kern @k spirv - local 1 1 1 (r, w)\n"
                               "  n0 = run @k grid 1 1 1 (r $l, w $y)\n}\n";
    static const struct {
        uint8_t dtype;
        uint64_t dim;
        uint32_t max;
        const char *message;
    } cases[] = {
        {RP_Q8_0, 32, UINT32_MAX, "it is live, and of the block-quantised element type q8_0"},
        {RP_Q4_0, 32, UINT32_MAX, "its shape makes 18 bytes"},
        {RP_U8, 34, 7, "it has a largest value and elements of type u8"}};
    sample s = sample_make(text);
    rp_diags *diags = rp_diags_create(NULL);
    good = rp_plan_data(s.plan, &good_size);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *copy = copy_of(good_size);
        patch(copy,
              &(rule){RP_SECTION_BUFFERS, 0, FIELD(rp_plan_buffer, dtype), cases[i].dtype, ""});
        patch(copy,
              &(rule){RP_SECTION_BUFFERS, 0, FIELD(rp_plan_buffer, max_value), cases[i].max, ""});
        patch(copy, &(rule){RP_SECTION_DIMS, 0, 0, 8, cases[i].dim, ""});
        CU_ASSERT_EQUAL(open_bytes(copy, good_size, diags), RP_ERROR_DAMAGED);
        CU_ASSERT_TRUE(message_has(diags, cases[i].message));
        free(copy);
    }
    rp_diags_destroy(diags);
    sample_free(&s);
}

/* Labels of a node that was several. */
static void test_labels(void) {
    static const rule cases[] = {
        {RP_SECTION_NODES, 0, FIELD(rp_plan_node, first_label), 1, "labels 1 + 3 do not follow"},
        {RP_SECTION_NODES, 0, FIELD(rp_plan_node, label_count), 4, "exceed section labels"},
        {RP_SECTION_NODES, 0, FIELD(rp_plan_node, label_count), 2, "1 of 3 records belong to"},
        {RP_SECTION_NODES, 0, FIELD(rp_plan_node, flags), RP_NODE_OPTIONAL, "more labels than one"},
        {RP_SECTION_LABELS, 1, 0, 4, 3, "its label 3 is not a string"},
        {RP_SECTION_LABELS, 2, 0, 4, 1 << 20, "its label 1048576 is not a string"}};
    rp_plan *plan = sample_compile(SAMPLE_FUSED(" label \"a\"", "", " label \"b\""));
    rp_diags *diags = rp_diags_create(NULL);
    good = rp_plan_data(plan, &good_size);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *copy = copy_of(good_size);
        patch(copy, &cases[i]);
        CU_ASSERT_EQUAL(open_bytes(copy, good_size, diags), RP_ERROR_DAMAGED);
        CU_ASSERT_TRUE(message_has(diags, cases[i].message));
        free(copy);
    }
    rp_diags_destroy(diags);
    rp_plan_destroy(plan);
}

/* A copy between two transients: they may not meet in the arena, to the byte. */
static void test_copy_in_arena(void) {
    static const char text[] = "reprise 1\ngraph g {\n  buf $x in 512\n  buf $y out 260\n"
                               "  buf %a tmp 512\n  buf %b tmp 516\n"
                               "  n0 = copy (r $x, w %a)\n"
                               "  n1 = copy (r %a[252+260], w %b[256+260])\n"
                               "  n2 = copy (r %b[256+260], w $y)\n}\n";
    static const struct {
        uint64_t a, b; /* in the arena: the copy reads a + 252, writes b + 256, 260 bytes each */
        rp_status status;
    } cases[] = {{0, 512, RP_OK},
                 {512, 0, RP_OK},
                 {0, 256, RP_OK},
                 {256, 256, RP_ERROR_DAMAGED},
                 {0, 0, RP_ERROR_DAMAGED},
                 {768, 256, RP_OK},
                 {512, 256, RP_ERROR_DAMAGED}};
    const rp_pass_options as_it_is = {.size = sizeof as_it_is, .pipeline = "schedule,place,sync"};
    sample s = {.source = sample_source(text)};
    CU_ASSERT_EQUAL_FATAL(
        rp_passes_run(s.source, &as_it_is, NULL, &s.compiled, &s.certificate, NULL), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_plan_build(s.compiled, s.source, &s.certificate, NULL, &s.plan),
                          RP_OK);
    rp_diags *diags = rp_diags_create(NULL);
    good = rp_plan_data(s.plan, &good_size);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *copy = copy_of(good_size);
        patch(copy, &(rule){RP_SECTION_GRAPH, 0, FIELD(rp_plan_graph, arena_bytes), 4096, ""});
        patch(copy, &(rule){RP_SECTION_BUFFERS, 2, FIELD(rp_plan_buffer, offset), cases[i].a, ""});
        patch(copy, &(rule){RP_SECTION_BUFFERS, 3, FIELD(rp_plan_buffer, offset), cases[i].b, ""});
        CU_ASSERT_EQUAL(open_bytes(copy, good_size, diags), cases[i].status);
        if (cases[i].status != RP_OK)
            CU_ASSERT_TRUE(message_has(diags, "its two ranges differ in size or overlap"));
        free(copy);
    }
    rp_diags_destroy(diags);
    sample_free(&s);
}

/* ---- The table of sections ------------------------------------------------------------------- */

static void test_table(void) {
    static const struct {
        size_t offset, size;
        uint64_t value;
        const char *message;
    } cases[] = {{FIELD(rp_plan_section, code), 4, "section nodes: its code is 4 instead of 8"},
                 {FIELD(rp_plan_section, stride), 48, "have 48 bytes instead of 72"},
                 {FIELD(rp_plan_section, offset), 500, "section nodes: it starts at byte 500"},
                 {FIELD(rp_plan_section, count), UINT64_MAX, "do not fit into the file"},
                 {FIELD(rp_plan_section, count), UINT64_MAX / 56 + 2, "do not fit into the file"},
                 {FIELD(rp_plan_section, count), 5, "section uses: it starts at byte"}};
    begin();
    rp_diags *diags = rp_diags_create(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *copy = copy_of(good_size);
        memcpy(copy + sizeof(rp_plan_header) + RP_SECTION_NODES * sizeof(rp_plan_section) +
                   cases[i].offset,
               &cases[i].value, cases[i].size);
        walk_repair(copy, good_size);
        CU_ASSERT_EQUAL(open_bytes(copy, good_size, diags), RP_ERROR_DAMAGED);
        CU_ASSERT_TRUE(message_has(diags, cases[i].message));
        free(copy);
    }
    rp_diags_destroy(diags);
    end();
}

/* Bytes behind the last section. (Every bit of `needs` has a meaning.) */
static void test_header(void) {
    begin();
    rp_diags *diags = rp_diags_create(NULL);
    uint8_t *copy = calloc(1, good_size + 8);
    memcpy(copy, good, good_size);
    CU_ASSERT_EQUAL(open_bytes(copy, good_size + 8, diags), RP_ERROR_DAMAGED);
    CU_ASSERT_TRUE(message_has(diags, "something was appended"));
    walk_repair(copy, good_size + 8);
    CU_ASSERT_EQUAL(open_bytes(copy, good_size + 8, diags), RP_ERROR_DAMAGED);
    CU_ASSERT_TRUE(message_has(diags, "bytes follow the last section"));
    free(copy);
    rp_diags_destroy(diags);
    end();
}

/* A plan whose texts are not what was proven opens, and gives no graphs. */
static void test_other_text(void) {
    begin();
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *compiled = NULL, *source = NULL;
    rp_plan *plan = NULL;
    uint8_t *copy = copy_of(good_size);
    const char *text = rp_plan_source_text(base.plan, NULL);
    size_t at = (size_t)(strstr(text, "ffffffff") - (const char *)good);
    copy[at] = 'e';
    walk_repair(copy, good_size);
    CU_ASSERT_EQUAL_FATAL(rp_plan_from_memory(NULL, copy, good_size, "t", diags, &plan), RP_OK);
    CU_ASSERT_EQUAL(rp_plan_graphs(plan, diags, &compiled, &source), RP_ERROR_DAMAGED);
    CU_ASSERT_TRUE(message_has(diags, "source text of the plan: error: the graph has hash"));
    CU_ASSERT_PTR_NULL(compiled);
    CU_ASSERT_PTR_NULL(source);
    rp_plan_destroy(plan);
    free(copy);
    rp_diags_destroy(diags);
    end();
}

/* Records that obey every rule of opening, and are not those of the plan's text. */
static const rule other_records[] = {
    {RP_SECTION_STRINGS, 1, 0, 1, 'A', "section strings, record 1: it is 65, the plan's text says"},
    {RP_SECTION_GRAPH, 0, FIELD(rp_plan_graph, barrier_bound), 9,
     "section graph, record 0, field barrier_bound: it is 9, the plan's text says"},
    {RP_SECTION_BUFFERS, N, FIELD(rp_plan_buffer, max_value), 65,
     "section buffers, record 2 (n), field max_value: it is 65, the plan's text says 64"},
    {RP_SECTION_BUFFERS, TMP + 1, FIELD(rp_plan_buffer, offset), 0,
     "section buffers, record 7 (b), field offset: it is 0, the plan's text says"},
    {RP_SECTION_KERNELS, SCALE, FIELD(rp_plan_kernel, shared_bytes), 32,
     "section kernels, record 0 (@scale), field shared_bytes: it is 32, the plan's text says 0"},
    {RP_SECTION_SPECS, 1, FIELD(rp_plan_spec, value), 0, "section specs, record 1, field value"},
    {RP_SECTION_NODES, 0, FIELD(rp_plan_node, pattern), 1,
     "section nodes, record 0 (n0), field pattern: it is 1, the plan's text says 0"},
    {RP_SECTION_BYTES, 0, 0, 1, 65, "section bytes, record 0: it is 65, the plan's text says 64"},
    {RP_SECTION_BARRIERS, 0, FIELD(rp_plan_barrier, src), 0, "section barriers, record 0, field"},
    {RP_SECTION_EXPR_OPS, 1, FIELD(rp_expr_op, value), 63, "section expr ops, record 1, field"},
};

static void expect_other(uint8_t *copy, const char *message) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *compiled = NULL;
    rp_plan *plan = NULL;
    walk_repair(copy, good_size);
    CU_ASSERT_EQUAL_FATAL(rp_plan_from_memory(NULL, copy, good_size, "t", diags, &plan), RP_OK);
    CU_ASSERT_EQUAL(rp_plan_graphs(plan, diags, &compiled, NULL), RP_ERROR_DAMAGED);
    CU_ASSERT_PTR_NULL(compiled);
    CU_ASSERT_TRUE(message_has(diags, message));
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
}

static void test_other_records(void) {
    begin();
    for (size_t i = 0; i < sizeof other_records / sizeof *other_records; i++) {
        rule first = other_records[i];
        uint8_t *copy = copy_of(good_size);
        if (first.size > 8) first.size = 4;
        patch(copy, &first);
        expect_other(copy, first.message);
        free(copy);
    }
    uint8_t *copy = copy_of(good_size); /* two uses of one node change places */
    uint32_t use, size = sizeof(rp_plan_use);
    node_of(6, &use);
    uint8_t *at = copy + base.plan->sections[RP_SECTION_USES].offset + (size_t)(use + 1) * size;
    memcpy(at, good + (at - copy) + size, size);
    memcpy(at + size, good + (at - copy), size);
    expect_other(copy, "(of n6), field buffer");
    memcpy(copy, good, good_size);
    copy[offsetof(rp_plan_header, needs)] |= RP_NEED_FLOAT16;
    expect_other(copy, "header, field needs: it is 0x9, the plan's kernels need 0x8");
    memcpy(copy, good, good_size); /* a comment: nothing reads it, and yet */
    const char *text = rp_plan_text(base.plan, NULL), *comment = strstr(text, "; nodes");
    copy[comment + 2 - (const char *)good] = 'N';
    expect_other(copy, "section text, line 3 is not how the graph in it is written");
    free(copy);
    end();
}

int main(void) {
    static const rp_test tests[] = {{"cut off", test_cut_off},
                                    {"flipped", test_flipped},
                                    {"flipped and repaired", test_flipped_and_repaired},
                                    {"versions", test_versions},
                                    {"rules", test_rules},
                                    {"node rules", test_node_rules},
                                    {"live blocks", test_live_blocks},
                                    {"labels", test_labels},
                                    {"copy in the arena", test_copy_in_arena},
                                    {"table", test_table},
                                    {"header", test_header},
                                    {"other text", test_other_text},
                                    {"other records", test_other_records},
                                    {0}};
    return rp_run_tests("plan damage", tests);
}
