/* Internal: keywords of the text form back to values. Each returns false for an unknown word and
 * then leaves *out alone. The way from values to keywords is in reprise/types.h and image.h. */
#ifndef RP_GRAPH_KEYWORDS_H
#define RP_GRAPH_KEYWORDS_H

#include "graph/graph.h"

bool rp_dtype_parse(const char *text, size_t length, uint8_t *out);
bool rp_buffer_kind_parse(const char *text, size_t length, uint8_t *out);
bool rp_access_parse(const char *text, size_t length, uint8_t *out);
bool rp_node_kind_parse(const char *text, size_t length, uint8_t *out);
bool rp_image_format_parse(const char *text, size_t length, uint8_t *out);
bool rp_image_dim_parse(const char *text, size_t length, uint8_t *out);
bool rp_view_parse(const char *text, size_t length, uint8_t *out);
bool rp_resource_parse(const char *text, size_t length, uint8_t *out);
bool rp_texel_parse(const char *text, size_t length, uint8_t *out);
bool rp_filter_parse(const char *text, size_t length, uint8_t *out);
bool rp_address_parse(const char *text, size_t length, uint8_t *out);
bool rp_compare_parse(const char *text, size_t length, uint8_t *out);
bool rp_border_parse(const char *text, size_t length, uint8_t *out);

/* A field of a sampler by its name: what it is (a set of reprise/image.h, a flag, a number), and where.
 * false for an unknown name. */
typedef enum rp_sampler_field_kind {
    RP_SAMPLER_FILTER,
    RP_SAMPLER_ADDRESS,
    RP_SAMPLER_COMPARE,
    RP_SAMPLER_BORDER,
    RP_SAMPLER_FLAG,
    RP_SAMPLER_NUMBER,
} rp_sampler_field_kind;
typedef struct rp_sampler_field {
    const char *name;
    rp_sampler_field_kind kind;
    size_t offset; /* in rp_sampler_info: of a uint8_t, of a number a float */
} rp_sampler_field;
extern const rp_sampler_field rp_sampler_fields[];
extern const uint32_t rp_sampler_field_count;
const rp_sampler_field *rp_sampler_find_field(const char *text, size_t length); /* NULL: unknown */
static inline float rp_sampler_number(const rp_sampler_info *info, const rp_sampler_field *field) {
    float number;
    memcpy(&number, (const char *)info + field->offset, sizeof number);
    return number;
}
/* The keyword of a field that is no number, NULL for a value outside its set; and the way back. */
const char *rp_sampler_word(const rp_sampler_info *info, const rp_sampler_field *field);
bool rp_sampler_set_word(rp_sampler_info *info, const rp_sampler_field *field, const char *text,
                         size_t length);
/* "linear, nearest": what a field may be, for messages. */
const char *rp_sampler_words(const rp_sampler_field *field);

/* Whether text can name a graph, a buffer or a kernel: letters, digits, '_', '.' and '-', not
 * starting with a digit or '-'. */
bool rp_name_valid(const char *text, size_t length);

#endif
