/* Plans that become the forms of one. What the file then says is validated like any file that is read: whether
 * they agree is not found out here. */
#include "base/checked.h"
#include "plan/validate.h"
#include "reprise/plan_build.h"

static rp_status refuse(rp_diags *diags, const char *what) {
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "rp_plan_join: %s", what);
    return RP_ERROR_USAGE;
}

static rp_status check_call(const rp_plan *const *forms, uint32_t count, rp_diags *diags) {
    if (!forms) return refuse(diags, "no plans are given");
    if (count < 2) return refuse(diags, "a plan of forms has 2 at least");
    if (count > RP_MAX_FORMS) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%u forms are too many for a plan: it holds at most %d", count, RP_MAX_FORMS);
        return RP_ERROR_USAGE;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!forms[i]) return refuse(diags, "a plan is NULL");
        if (forms[i]->form_count) return refuse(diags, "a plan has forms already");
    }
    return RP_OK;
}

static rp_status write_file(const rp_plan *const *forms, uint32_t count, rp_plan *out) {
    uint64_t size = sizeof(rp_plan_header) + count * sizeof(rp_plan_form_place);
    rp_plan_header header = {.version = RP_PLAN_FORMS_VERSION, .section_count = count};
    memcpy(header.magic, RP_PLAN_MAGIC, sizeof header.magic);
    for (uint32_t i = 0; i < count; i++) {
        header.needs |= forms[i]->header->needs;
        if (!rp_add_u64(size, forms[i]->size, &size)) return RP_ERROR_NO_MEMORY;
    }
    header.file_size = size;
    uint8_t *file = rp_alloc(&out->allocator, size, 1);
    if (!file) return RP_ERROR_NO_MEMORY;
    out->file = out->data = file;
    out->file_size = out->size = (size_t)size;
    rp_plan_form_place place = {sizeof header + count * sizeof place, 0};
    for (uint32_t i = 0; i < count; i++) {
        place.size = forms[i]->size;
        memcpy(file + sizeof header + i * sizeof place, &place, sizeof place);
        memcpy(file + place.offset, forms[i]->data, forms[i]->size);
        place.offset += place.size;
    }
    memcpy(file, &header, sizeof header);
    header.content_hash = rp_plan_content_hash(out);
    memcpy(file, &header, sizeof header);
    return RP_OK;
}

rp_status rp_plan_join(const rp_allocator *allocator, const rp_plan *const *forms, uint32_t count,
                       rp_diags *diags, rp_plan **out_plan) {
    if (!out_plan) return RP_ERROR_USAGE;
    *out_plan = NULL;
    RP_TRY(check_call(forms, count, diags));
    rp_plan plan = {.allocator = rp_allocator_or_default(allocator)};
    RP_TRY(write_file(forms, count, &plan));
    const rp_plan_graph *graph = rp_plan_records(forms[0], RP_SECTION_GRAPH);
    rp_status status = rp_plan_validate_forms(&plan, rp_plan_string(forms[0], graph->name), diags);
    if (status == RP_OK && !(*out_plan = rp_plan_keep(&plan))) status = RP_ERROR_NO_MEMORY;
    if (status != RP_OK) rp_release(&plan.allocator, (void *)plan.file);
    return status == RP_ERROR_DAMAGED ? RP_ERROR_INVALID : status;
}
