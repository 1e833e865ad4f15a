/* Words of the text form, beyond what base/types.c names: keywords back to values, names, and the
 * scopes of barriers ("compute:rw,indirect:r"), all from the tables in reprise/types.h. The sets
 * are small, so a linear comparison costs less than any index over them. */
#include "graph/keywords.h"

static bool same(const char *keyword, const char *text, size_t length) {
    return strlen(keyword) == length && memcmp(keyword, text, length) == 0;
}

#define RP_MATCH(symbol, value, name, ...)                                                         \
    if (same(name, text, length)) {                                                                \
        *out = symbol;                                                                             \
        return true;                                                                               \
    }

bool rp_dtype_parse(const char *text, size_t length, uint8_t *out) {
    RP_DTYPE_LIST(RP_MATCH)
    return false;
}

bool rp_buffer_kind_parse(const char *text, size_t length, uint8_t *out) {
    RP_BUFFER_KIND_LIST(RP_MATCH)
    return false;
}

bool rp_access_parse(const char *text, size_t length, uint8_t *out) {
    RP_ACCESS_LIST(RP_MATCH)
    return false;
}

bool rp_node_kind_parse(const char *text, size_t length, uint8_t *out) {
    RP_NODE_KIND_LIST(RP_MATCH)
    return false;
}

#define RP_PARSE(name, list)                                                                       \
    bool name(const char *text, size_t length, uint8_t *out) {                                     \
        list(RP_MATCH) return false;                                                               \
    }
RP_PARSE(rp_image_format_parse, RP_IMAGE_FORMAT_LIST)
RP_PARSE(rp_image_dim_parse, RP_IMAGE_DIM_LIST)
RP_PARSE(rp_view_parse, RP_VIEW_LIST)
RP_PARSE(rp_resource_parse, RP_RESOURCE_LIST)
RP_PARSE(rp_texel_parse, RP_TEXEL_LIST)
RP_PARSE(rp_filter_parse, RP_FILTER_LIST)
RP_PARSE(rp_address_parse, RP_ADDRESS_LIST)
RP_PARSE(rp_compare_parse, RP_COMPARE_LIST)
RP_PARSE(rp_border_parse, RP_BORDER_LIST)

/* ---- Fields of samplers ---------------------------------------------------------------------- */

#define FIELD(name, kind)                                                                          \
    { #name, kind, offsetof(rp_sampler_info, name) }
const rp_sampler_field rp_sampler_fields[] = {
    FIELD(mag, RP_SAMPLER_FILTER),        FIELD(min, RP_SAMPLER_FILTER),
    FIELD(mip, RP_SAMPLER_FILTER),        FIELD(u, RP_SAMPLER_ADDRESS),
    FIELD(v, RP_SAMPLER_ADDRESS),         FIELD(w, RP_SAMPLER_ADDRESS),
    FIELD(compare, RP_SAMPLER_COMPARE),   FIELD(border, RP_SAMPLER_BORDER),
    FIELD(unnormalised, RP_SAMPLER_FLAG), FIELD(anisotropy, RP_SAMPLER_NUMBER),
    FIELD(bias, RP_SAMPLER_NUMBER),       FIELD(min_level, RP_SAMPLER_NUMBER),
    FIELD(max_level, RP_SAMPLER_NUMBER)};
const uint32_t rp_sampler_field_count = sizeof rp_sampler_fields / sizeof *rp_sampler_fields;

const rp_sampler_field *rp_sampler_find_field(const char *text, size_t length) {
    for (uint32_t i = 0; i < rp_sampler_field_count; i++)
        if (same(rp_sampler_fields[i].name, text, length)) return &rp_sampler_fields[i];
    return NULL;
}

const char *rp_sampler_word(const rp_sampler_info *info, const rp_sampler_field *field) {
    uint8_t value = ((const uint8_t *)info)[field->offset];
    switch (field->kind) {
    case RP_SAMPLER_FILTER: return rp_filter_name((rp_filter)value);
    case RP_SAMPLER_ADDRESS: return rp_address_name((rp_address)value);
    case RP_SAMPLER_COMPARE: return rp_compare_name((rp_compare)value);
    case RP_SAMPLER_BORDER: return rp_border_name((rp_border)value);
    case RP_SAMPLER_FLAG: return value ? "true" : "false";
    case RP_SAMPLER_NUMBER: break;
    }
    return NULL;
}

bool rp_sampler_set_word(rp_sampler_info *info, const rp_sampler_field *field, const char *text,
                         size_t length) {
    uint8_t *out = (uint8_t *)info + field->offset;
    switch (field->kind) {
    case RP_SAMPLER_FILTER: return rp_filter_parse(text, length, out);
    case RP_SAMPLER_ADDRESS: return rp_address_parse(text, length, out);
    case RP_SAMPLER_COMPARE: return rp_compare_parse(text, length, out);
    case RP_SAMPLER_BORDER: return rp_border_parse(text, length, out);
    case RP_SAMPLER_FLAG:
        *out = same("true", text, length);
        return *out || same("false", text, length);
    case RP_SAMPLER_NUMBER: break;
    }
    return false;
}

const char *rp_sampler_words(const rp_sampler_field *field) {
#define RP_WORD(symbol, code, name) ", " name
    static const char *const words[] = {
        [RP_SAMPLER_FILTER] = RP_FILTER_LIST(RP_WORD),
        [RP_SAMPLER_ADDRESS] = RP_ADDRESS_LIST(RP_WORD),
        [RP_SAMPLER_COMPARE] = RP_COMPARE_LIST(RP_WORD),
        [RP_SAMPLER_BORDER] = RP_BORDER_LIST(RP_WORD),
        [RP_SAMPLER_FLAG] = ", true, false",
        [RP_SAMPLER_NUMBER] = ", a number",
    };
    return words[field->kind] + 2;
}

/* ---- Names ----------------------------------------------------------------------------------- */

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}

bool rp_name_valid(const char *text, size_t length) {
    if (length == 0 || !is_letter(text[0])) return false;
    for (size_t i = 1; i < length; i++)
        if (!is_letter(text[i]) && text[i] != '-' && (text[i] < '0' || text[i] > '9')) return false;
    return true;
}

/* ---- Scopes ---------------------------------------------------------------------------------- */

typedef struct scope_bit {
    uint32_t bit;
    const char *stage;
    char access;
} scope_bit;

static const scope_bit scope_bits[] = {
#define RP_X(symbol, bit, stage, access, ...) {1u << bit, stage, access[0]},
    RP_SCOPE_LIST(RP_X)
#undef RP_X
};

void rp_scope_print(rp_text *text, uint32_t scope) {
    const char *stage =
        NULL; /* the one being printed; the table lists the bits of a stage together */
    for (uint32_t i = 0; i < RP_SCOPE_BITS; i++) {
        const scope_bit *b = &scope_bits[i];
        if (!(scope & b->bit)) continue;
        if (!stage || strcmp(stage, b->stage) != 0) {
            if (stage) rp_text_char(text, ',');
            rp_text_string(text, b->stage);
            rp_text_char(text, ':');
            stage = b->stage;
        }
        rp_text_char(text, b->access);
    }
    if (!stage) rp_text_string(text, "none");
}

/* One "stage:letters" part; its bits are added to *scope, each at most once. */
static bool parse_stage(const char *text, size_t length, uint32_t *scope) {
    const char *colon = memchr(text, ':', length);
    if (!colon || colon + 1 == text + length) return false;
    for (const char *c = colon + 1; c < text + length; c++) {
        uint32_t bit = 0;
        for (uint32_t i = 0; i < RP_SCOPE_BITS; i++)
            if (scope_bits[i].access == *c &&
                same(scope_bits[i].stage, text, (size_t)(colon - text)))
                bit = scope_bits[i].bit;
        if (bit == 0 || (*scope & bit)) return false;
        *scope |= bit;
    }
    return true;
}

bool rp_scope_parse(const char *text, size_t length, uint32_t *out) {
    uint32_t scope = 0;
    *out = RP_SCOPE_NONE;
    if (same("none", text, length)) return true;
    for (size_t at = 0;;) {
        const char *comma = at < length ? memchr(text + at, ',', length - at) : NULL;
        size_t end = comma ? (size_t)(comma - text) : length;
        if (!parse_stage(text + at, end - at, &scope)) return false;
        if (!comma) break;
        at = end + 1;
    }
    *out = scope;
    return true;
}
