/* Elements of buffers as numbers and as text. */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include <stdbool.h>
#include "reprise/plan.h"

/* What an open plan says of itself and of a buffer, by value. */
static inline rp_plan_info cli_plan_info(const rp_plan *plan) {
    rp_plan_info info = {.size = sizeof info};
    rp_plan_get_info(plan, &info);
    return info;
}

static inline rp_plan_buffer_info cli_plan_buffer(const rp_plan *plan, uint32_t index) {
    rp_plan_buffer_info info = {.size = sizeof info};
    rp_plan_get_buffer(plan, index, &info);
    return info;
}

/* How a buffer's bytes are shown, compared and saved: block-quantised ones as plain bytes. */
rp_plan_buffer_info cli_shown_buffer(const rp_plan_buffer_info *buffer);

/* Element `index` of an array; exact for every dtype. */
double cli_element(rp_dtype dtype, const void *data, uint64_t index);

/* Whether element `index` is the same in both: by its bits, but any NaN is any other. */
bool cli_same_element(rp_dtype dtype, const void *a, const void *b, uint64_t index);

/* Significant digits that tell every value of the dtype apart, for "%.*g". */
int cli_digits(rp_dtype dtype);

/* Parses one number into the bytes of an element: `out` has room for 4. False when it is no number
 * or does not fit the dtype. */
bool cli_parse_element(rp_dtype dtype, const char *text, size_t length, void *out);

/* "$y f32[4096]" */
void cli_buffer_text(const rp_plan_buffer_info *buffer, char *text, size_t size);

/* One line on stdout: the buffer, least, largest and mean element, the first elements. */
void cli_print_summary(const rp_plan_buffer_info *buffer, const void *data);

#endif
