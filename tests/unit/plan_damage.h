/* What the tests of damaged plans share: a plan that is good, and a field of it that is not. */
#ifndef RP_TESTS_PLAN_DAMAGE_H
#define RP_TESTS_PLAN_DAMAGE_H

#include "plan_sample.h"
#include "support/plan_walk.h"

static sample base;
static const uint8_t *good;
static size_t good_size;

/* The status of opening; what opens is walked. Exactly one message belongs to a failure. */
static inline rp_status open_bytes(const uint8_t *data, size_t size, rp_diags *diags) {
    rp_plan *plan = NULL;
    rp_diags_clear(diags);
    rp_status status = rp_plan_from_memory(NULL, data, size, "t.rplan", diags, &plan);
    if (status == RP_OK) walk_plan(plan);
    CU_ASSERT_EQUAL(plan != NULL, status == RP_OK);
    CU_ASSERT_EQUAL(rp_diags_error_count(diags), status != RP_OK);
    rp_plan_destroy(plan);
    return status;
}

/* A copy whose allocation ends where the plan ends. */
static inline uint8_t *copy_of(size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, good, size);
    return copy;
}

/* Writes `value` into field `field` of a record, and expects the message. */
typedef struct rule {
    rp_section section;
    uint32_t record;
    size_t offset, size; /* of the field */
    uint64_t value;
    const char *message;
} rule;

#define FIELD(type, field) offsetof(type, field), sizeof(((type *)0)->field)

static inline void patch(uint8_t *data, const rule *r) {
    rp_plan_section section;
    memcpy(&section, data + sizeof(rp_plan_header) + r->section * sizeof section, sizeof section);
    CU_ASSERT_TRUE_FATAL(r->record < section.count && r->size <= 8);
    memcpy(data + section.offset + (uint64_t)r->record * section.stride + r->offset, &r->value,
           r->size);
    walk_repair(data, good_size);
}

static inline void expect(const rule *r) {
    rp_diags *diags = rp_diags_create(NULL);
    uint8_t *copy = copy_of(good_size);
    rule first = *r;
    if (first.size > 8) first.size = 4; /* an array: its first element */
    patch(copy, &first);
    CU_ASSERT_EQUAL(open_bytes(copy, good_size, diags), RP_ERROR_DAMAGED);
    CU_ASSERT_TRUE(rp_diags_count(diags) == 1 && message_has(diags, r->message));
    free(copy);
    rp_diags_destroy(diags);
}

#endif
