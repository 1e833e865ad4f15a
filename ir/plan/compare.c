/* Whether a plan's records say what its texts say: they are compared with those that the texts
 * make, byte by byte. Plans have no freedom in their layout, so whatever differs is a difference in
 * meaning, and nothing of a record can be overlooked. Linear in the file. */
#include "plan/compare.h"

#include "base/text.h"
#include "plan/fields.h"

/* Where two records first differ: "grid[1]". */
typedef struct place {
    const rp_plan_field *field;
    uint32_t element;
} place;

static uint64_t number_at(const void *bytes, uint32_t size) {
    uint64_t value = 0; /* the format and the machine are little-endian */
    memcpy(&value, bytes, size);
    return value;
}

static place find_field(const rp_plan_layout *layout, const uint8_t *a, const uint8_t *b) {
    place found = {0};
    for (uint32_t i = 0; i < layout->field_count && !found.field; i++) {
        const rp_plan_field *f = &layout->fields[i];
        for (uint32_t e = 0; e < f->elements && !found.field; e++) {
            uint32_t at = f->offset + e * f->size;
            if (memcmp(a + at, b + at, f->size) != 0) found = (place){f, e};
        }
    }
    return found;
}

/* " (n7)": what people call a record whose number they have never seen. */
static void print_title(rp_text *text, const rp_plan *plan, rp_section section, uint32_t record) {
    const rp_plan_node *nodes = rp_plan_records(plan, RP_SECTION_NODES);
    const rp_plan_kernel *kernels = rp_plan_records(plan, RP_SECTION_KERNELS);
    const rp_plan_buffer *buffers = rp_plan_records(plan, RP_SECTION_BUFFERS);
    if (section == RP_SECTION_NODES)
        rp_text_format(text, " (n%u)", nodes[record].id);
    else if (section == RP_SECTION_KERNELS)
        rp_text_format(text, " (@%s)", rp_plan_string(plan, kernels[record].name));
    else if (section == RP_SECTION_BUFFERS)
        rp_text_format(text, " (%s)", rp_plan_string(plan, buffers[record].name));
    if (section != RP_SECTION_USES) return;
    while (record - nodes->first_use >= nodes->use_count) nodes++;
    rp_text_format(text, " (of n%u)", nodes->id);
}

static uint32_t line_of(const char *text, uint32_t at) {
    uint32_t line = 1;
    for (uint32_t i = 0; i < at; i++) line += text[i] == '\n';
    return line;
}

static void print_difference(rp_text *text, const rp_plan *plan, const rp_plan *made,
                             rp_section section, uint32_t record) {
    const rp_plan_layout *layout = &rp_plan_layouts[section];
    const uint8_t *a = rp_plan_records(plan, section), *b = rp_plan_records(made, section);
    if (section == RP_SECTION_TEXT || section == RP_SECTION_SOURCE_TEXT) {
        rp_text_format(text, "section %s, line %u is not how the graph in it is written",
                       layout->name, line_of((const char *)a, record));
        return;
    }
    a += (size_t)record * layout->stride;
    b += (size_t)record * layout->stride;
    place at = find_field(layout, a, b);
    uint32_t offset = at.field->offset + at.element * at.field->size;
    rp_text_format(text, "section %s, record %u", layout->name, record);
    print_title(text, plan, section, record);
    if (*at.field->name) rp_text_format(text, ", field %s", at.field->name);
    if (at.field->elements > 1) rp_text_format(text, "[%u]", at.element);
    rp_text_format(text, ": it is %llu, the plan's text says %llu",
                   (unsigned long long)number_at(a + offset, at.field->size),
                   (unsigned long long)number_at(b + offset, at.field->size));
}

/* Appends what differs first. Sections aside a plan is free to state its device needs alone. */
static void print_first(rp_text *text, const rp_plan *plan, const rp_plan *made) {
    for (uint32_t i = 0; i < RP_SECTION_COUNT && text->size == 0; i++) {
        rp_section section = (rp_section)i;
        const uint8_t *a = rp_plan_records(plan, section), *b = rp_plan_records(made, section);
        uint32_t count = rp_plan_count(plan, section), stride = rp_plan_layouts[i].stride;
        uint32_t same = 0, least = rp_plan_count(made, section);
        if (count < least) least = count;
        while (same < least &&
               memcmp(a + (size_t)same * stride, b + (size_t)same * stride, stride) == 0)
            same++;
        if (same < least)
            print_difference(text, plan, made, section, same);
        else if (count != rp_plan_count(made, section))
            rp_text_format(text, "section %s: it has %u records, the plan's text makes %u",
                           rp_plan_layouts[i].name, count, rp_plan_count(made, section));
    }
    if (text->size == 0)
        rp_text_format(text, "header, field needs: it is %#llx, the plan's kernels need %#llx",
                       (unsigned long long)plan->header->needs,
                       (unsigned long long)made->header->needs);
}

rp_status rp_plan_compare(const rp_plan *plan, const rp_plan *made, rp_diags *diags) {
    if (plan->size == made->size && memcmp(plan->data, made->data, plan->size) == 0) return RP_OK;
    rp_text text;
    rp_text_init(&text, &plan->allocator);
    print_first(&text, plan, made);
    rp_status status = text.failed ? RP_ERROR_NO_MEMORY : RP_ERROR_DAMAGED;
    if (status == RP_ERROR_DAMAGED)
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s: what would run is not what the plan says of itself; compile it again",
                     text.data);
    rp_text_free(&text);
    return status;
}
