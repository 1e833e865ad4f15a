/* The lists of fields.h as tables. For each record a second structure is made of bytes alone, in
 * the order of its list: it has no padding, so where all its fields stand as they do in the record,
 * and both end together, the list names every byte once. A field that is added to a record, moved,
 * resized or left out of its list does not compile. */
#include "plan/fields.h"

/* The bytes of a record by its list, and whether they lie as the record has them. */
#define BYTES(type, field, elements) uint8_t field[sizeof(((type *)0)->field)];
#define BYTES_OF(type) uint8_t number[sizeof(type)];
#define LIES(type, field, elements)                                                                \
    _Static_assert(offsetof(struct listed, field) == offsetof(type, field) &&                      \
                       sizeof(((type *)0)->field) % (elements) == 0 &&                             \
                       sizeof(((type *)0)->field) / (elements) <= sizeof(uint64_t),                \
                   "list of fields: " #type "." #field);
#define LIES_NOT(type)
#define CHECK(symbol, type)                                                                        \
    static inline void check_##symbol(void) {                                                      \
        struct listed {                                                                            \
            RP_FIELDS_##type(BYTES, BYTES_OF)                                                      \
        };                                                                                         \
        RP_FIELDS_##type(LIES, LIES_NOT);                                                          \
        _Static_assert(sizeof(struct listed) == sizeof(type), "list of fields: " #type);           \
    }

#define ENTRY(type, field, elements)                                                               \
    {#field, offsetof(type, field), elements, sizeof(((type *)0)->field) / (elements)},
#define ENTRY_OF(type) {"", 0, 1, sizeof(type)},
#define TABLE(symbol, type)                                                                        \
    CHECK(symbol, type)                                                                            \
    static const rp_plan_field fields_##symbol[] = {RP_FIELDS_##type(ENTRY, ENTRY_OF)};

#define RP_X(symbol, code, type, name) TABLE(symbol, type)
RP_SECTION_LIST(RP_X)
#undef RP_X
TABLE(header, rp_plan_header)
TABLE(table, rp_plan_section)
TABLE(forms, rp_plan_form_place)

#define LAYOUT(symbol, type, name)                                                                 \
    { name, sizeof(type), fields_##symbol, sizeof fields_##symbol / sizeof *fields_##symbol }

const rp_plan_layout rp_plan_layouts[RP_SECTION_COUNT] = {
#define RP_X(symbol, code, type, name) LAYOUT(symbol, type, name),
    RP_SECTION_LIST(RP_X)
#undef RP_X
};
const rp_plan_layout rp_plan_header_layout = LAYOUT(header, rp_plan_header, "header");
const rp_plan_layout rp_plan_table_layout = LAYOUT(table, rp_plan_section, "table");
const rp_plan_layout rp_plan_forms_layout = LAYOUT(forms, rp_plan_form_place, "table of forms");
