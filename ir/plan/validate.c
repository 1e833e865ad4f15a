/* Validation of a plan: once, when it is opened; afterwards everything downstream trusts the plan.
 *
 * From the outside in, each step relying on those before: the header, the size, the hash, the table
 * of sections, then the records (validate_records.c, validate_spirv.c, validate_nodes.c). The hash
 * finds accidents; all other checks hold against a file whose hash was made to match, so that no
 * input makes a reader of plans touch memory it should not. The layout has no freedom (each section
 * starts where the one before ends, padding is zero), so that equal plans are equal bytes and
 * nothing hides between sections.
 *
 * Stops at the first error: a damaged file has nothing to be corrected by hand.
 * Cost: one pass over the bytes for the hash, one over the records. */
#include "plan/validate.h"

#include <stdio.h>
#include "base/checked.h"
#include "base/hash.h"
#include "plan/fields.h"

rp_status rp_plan_damaged(rp_plan_validation *check, const char *format, ...) {
    char what[256];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (check->section >= RP_SECTION_COUNT)
        rp_diags_add(check->diags, RP_ERROR, check->name, 0, 0, "%s", what);
    else if (check->record == UINT32_MAX)
        rp_diags_add(check->diags, RP_ERROR, check->name, 0, 0, "section %s: %s",
                     rp_plan_layouts[check->section].name, what);
    else
        rp_diags_add(check->diags, RP_ERROR, check->name, 0, 0, "section %s, record %u: %s",
                     rp_plan_layouts[check->section].name, check->record, what);
    return RP_ERROR_DAMAGED;
}

/* Magic and version stay where they are in every version of the format, so that a plan of another
 * version is told from a damaged one. */
static rp_status check_version(rp_plan_validation *check, uint32_t version) {
    const rp_plan_header *header = check->plan->header;
    size_t size = check->plan->size;
    size_t magic = size < sizeof header->magic ? size : sizeof header->magic;
    if (magic == 0) return rp_plan_damaged(check, "the file is empty; compile the plan again");
    if (memcmp(header->magic, RP_PLAN_MAGIC, magic) != 0) {
        if (magic >= 6 && memcmp(header->magic, RP_PLAN_MAGIC, 6) == 0)
            return rp_plan_damaged(check, "line endings were changed on the way: transfer plans as "
                                          "binary files");
        return rp_plan_damaged(check, "not a plan file: it does not start with \\x89RPLAN");
    }
    if (size < sizeof *header)
        return rp_plan_damaged(check,
                               "the file ends after %zu bytes, a plan's header has %zu: it was cut "
                               "off; copy or compile it again",
                               size, sizeof *header);
    if (header->version == version) return RP_OK;
    if (version != RP_PLAN_FORMS_VERSION && header->version == RP_PLAN_FORMS_VERSION)
        return rp_plan_damaged(check, "a form has no forms of its own");
    rp_diags_add(check->diags, RP_ERROR, check->name, 0, 0,
                 "the plan has version %u, this library reads versions %d and %d: %s",
                 header->version, RP_PLAN_VERSION, RP_PLAN_FORMS_VERSION,
                 header->version > RP_PLAN_FORMS_VERSION
                     ? "use a newer Reprise, or compile the plan again "
                       "with this one"
                     : "compile the plan again");
    return RP_ERROR_VERSION;
}

uint64_t rp_plan_content_hash(const rp_plan *plan) {
    size_t start = offsetof(rp_plan_header, needs);
    return rp_hash(plan->data + start, plan->size - start);
}

rp_status rp_plan_check_header(rp_plan_validation *check, uint32_t version) {
    RP_TRY(check_version(check, version));
    const rp_plan *plan = check->plan;
    const rp_plan_header *header = plan->header;
    if (header->file_size != plan->size)
        return rp_plan_damaged(check, "the file has %zu bytes and should have %llu: %s", plan->size,
                               (unsigned long long)header->file_size,
                               plan->size < header->file_size
                                   ? "it was cut off; copy or compile it "
                                     "again"
                                   : "something was appended to it");
    uint64_t hash = check->sealing ? header->content_hash : rp_plan_content_hash(plan);
    if (hash != header->content_hash)
        return rp_plan_damaged(check,
                               "the content hash is %016llx and should be %016llx: bytes were "
                               "changed; copy or compile it again",
                               (unsigned long long)hash, (unsigned long long)header->content_hash);
    for (size_t i = 0; i < sizeof header->reserved; i++)
        if (header->reserved[i])
            return rp_plan_damaged(check, "reserved header bytes are not zero");
    return RP_OK;
}

/* Padding between `from` and `to` must be zero. */
static bool is_zero(const rp_plan *plan, uint64_t from, uint64_t to) {
    while (from < to)
        if (plan->data[from++]) return false;
    return true;
}

static rp_status check_section(rp_plan_validation *check, uint64_t *end) {
    const rp_plan *plan = check->plan;
    const rp_plan_section *s = &plan->sections[check->section];
    uint64_t start = 0, bytes;
    if (s->code != (uint32_t)check->section)
        return rp_plan_damaged(check, "its code is %u instead of %d", s->code, check->section);
    if (s->stride != rp_plan_layouts[check->section].stride)
        return rp_plan_damaged(check, "its records have %u bytes instead of %u", s->stride,
                               rp_plan_layouts[check->section].stride);
    if (!rp_align_u64(*end, 8, &start) || s->offset != start)
        return rp_plan_damaged(check, "it starts at byte %llu instead of %llu",
                               (unsigned long long)s->offset, (unsigned long long)start);
    /* start may lie past the end by padding that is not there */
    if (s->count >= UINT32_MAX || !rp_mul_u64(s->count, s->stride, &bytes) ||
        !rp_range_inside(start, bytes, plan->size))
        return rp_plan_damaged(check,
                               "%llu records of %u bytes at byte %llu do not fit into the "
                               "file's %zu bytes",
                               (unsigned long long)s->count, s->stride, (unsigned long long)start,
                               plan->size);
    if (!is_zero(plan, *end, start))
        return rp_plan_damaged(check, "the padding before it is not zero");
    *end = start + bytes;
    return RP_OK;
}

static rp_status check_sections(rp_plan_validation *check) {
    rp_plan *plan = check->plan;
    uint64_t end = sizeof(rp_plan_header) + RP_SECTION_COUNT * sizeof(rp_plan_section);
    if (plan->size < end)
        return rp_plan_damaged(check, "the file ends inside the table of sections");
    plan->sections = (const rp_plan_section *)(plan->data + sizeof(rp_plan_header));
    for (uint32_t i = 0; i < RP_SECTION_COUNT; i++) {
        check->section = (rp_section)i;
        RP_TRY(check_section(check, &end));
    }
    check->section = RP_SECTION_COUNT;
    uint64_t last;
    if (!rp_align_u64(end, 8, &last) || last != plan->size || !is_zero(plan, end, last))
        return rp_plan_damaged(check, "%llu bytes follow the last section",
                               (unsigned long long)(plan->size - end));
    return RP_OK;
}

static rp_status validate(rp_plan_validation *check) {
    rp_plan *plan = check->plan;
    plan->header = (const rp_plan_header *)plan->data;
    check->section = RP_SECTION_COUNT;
    check->record = UINT32_MAX;
    RP_TRY(rp_plan_check_header(check, RP_PLAN_VERSION));
    if (plan->header->section_count != RP_SECTION_COUNT)
        return rp_plan_damaged(check, "the header lists %u sections, a plan has %d",
                               plan->header->section_count, RP_SECTION_COUNT);
    RP_TRY(check_sections(check));
    rp_spirv_reader_init(&check->spirv, &plan->allocator);
    rp_status status = rp_plan_check_records(check);
    rp_spirv_reader_free(&check->spirv);
    if (status == RP_OK) status = rp_plan_check_nodes(check);
    rp_release(&plan->allocator, check->addressing);
    return status;
}

rp_status rp_plan_validate(rp_plan *plan, const char *name, rp_diags *diags) {
    rp_plan_validation check = {.plan = plan, .name = name, .diags = diags};
    return validate(&check);
}

rp_status rp_plan_seal(rp_plan *plan, const char *name, rp_diags *diags) {
    rp_plan_validation check = {.plan = plan, .name = name, .diags = diags, .sealing = true};
    RP_TRY(validate(&check));
    rp_plan_header *header = (rp_plan_header *)plan->data;
    header->needs = check.needs;
    header->content_hash = rp_plan_content_hash(plan);
    return RP_OK;
}
