/* Plans with addresses: through a plan and back, and damaged. */
#include "plan_sample.h"
#include "support/plan_walk.h"

static const char text[] =
    "reprise 1\n"
    "graph sample {\n"
    "  buf $x in 256\n"
    "  buf $y out 256\n"
    "  buf %a tmp 256\n"
    "  kern @k spirv - local 64 1 1 push 24 spec 7=3f800000 3=00000010 (rw)\n"
    "  n0 = fill 00000000 (w %a)\n"
    "  n1 = run @k grid 1 1 1 push 00000000 00000000 00000000 00000000 01000000 00000000 "
    "address 0=1+16 8=2 (rw $y, r address $x, rw address %a[64+64])\n"
    "  n2 = run @k grid 1 1 1 push 01000000 00000000 00000000 00000000 00000000 00000000 "
    "address 12=2 (rw $y, r address $x, rw address %a, any)\n"
    "}\n";

static sample base;
static const uint8_t *good;
static size_t good_size;

static void begin(void) {
    base = sample_make(text);
    good = rp_plan_data(base.plan, &good_size);
}

static void end(void) {
    sample_free(&base);
}

static void test_records(void) {
    begin();
    const rp_plan_address *a = rp_plan_records(base.plan, RP_SECTION_ADDRESSES);
    CU_ASSERT_EQUAL_FATAL(rp_plan_count(base.plan, RP_SECTION_ADDRESSES), 3);
    CU_ASSERT(a[0].node == a[1].node && a[1].node < a[2].node);
    CU_ASSERT(a[0].at == 0 && a[0].use == 1 && a[0].offset == 16);
    CU_ASSERT(a[1].at == 8 && a[1].use == 2 && a[1].offset == 0);
    CU_ASSERT(a[2].at == 12 && a[2].use == 2 && a[2].offset == 0);
    end();
}

/* Every bit flipped, with the hash made right: what still opens is read as the runtime reads it. */
static void test_flipped(void) {
    begin();
    uint8_t *copy = malloc(good_size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, good, good_size);
    for (size_t bit = 0; bit < good_size * 8; bit++) {
        rp_plan *plan = NULL;
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        walk_repair(copy, good_size);
        if (rp_plan_from_memory(NULL, copy, good_size, "t.rplan", NULL, &plan) == RP_OK)
            walk_plan(plan);
        rp_plan_destroy(plan);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(copy);
    end();
}

/* A field of a record, and what is said of the value. */
static void expect(rp_section code, uint32_t record, size_t field, uint32_t value,
                   const char *message) {
    rp_plan *plan = NULL;
    rp_plan_section section;
    rp_diags *diags = rp_diags_create(NULL);
    uint8_t *copy = malloc(good_size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, good, good_size);
    memcpy(&section, copy + sizeof(rp_plan_header) + code * sizeof section, sizeof section);
    CU_ASSERT_TRUE_FATAL(record < section.count);
    memcpy(copy + section.offset + (uint64_t)record * section.stride + field, &value, sizeof value);
    walk_repair(copy, good_size);
    CU_ASSERT_EQUAL(rp_plan_from_memory(NULL, copy, good_size, "t.rplan", diags, &plan),
                    RP_ERROR_DAMAGED);
    CU_ASSERT_TRUE(message_has(diags, message));
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    free(copy);
}

#define ADDRESS(record, field, value, message)                                                     \
    expect(RP_SECTION_ADDRESSES, record, offsetof(rp_plan_address, field), value, message)

static void test_rules(void) {
    begin();
    const rp_plan_address *a = rp_plan_records(base.plan, RP_SECTION_ADDRESSES);
    ADDRESS(0, node, 99, "section addresses, record 0: node index 99 is not that of the next");
    ADDRESS(1, node, a[0].node - 1, "is not that of the next run node");
    ADDRESS(1, node, a[2].node, "is no place for the next address");
    ADDRESS(2, node, a[1].node, "is no place for the next address");
    ADDRESS(0, at, 2, "byte 2 is no place");
    ADDRESS(1, at, 4, "byte 4 is no place");
    ADDRESS(1, at, 12, "byte 12 is no place");
    ADDRESS(1, at, 20, "byte 20 is no place");
    ADDRESS(1, at, UINT32_MAX - 3, "is no place");
    ADDRESS(0, reserved, 1, "byte 0 is no place");
    ADDRESS(0, use, 0, "byte 16 of use 0 is not reached through an address");
    ADDRESS(0, use, 3, "byte 16 of use 3 is not reached through an address");
    ADDRESS(1, offset, 64, "byte 64 of use 2 is not reached through an address");
    end();
}

int main(void) {
    const rp_test tests[] = {{"records", test_records},
                             {"every bit flipped", test_flipped},
                             {"rules", test_rules},
                             {NULL, NULL}};
    return rp_run_tests("plan addresses", tests);
}
