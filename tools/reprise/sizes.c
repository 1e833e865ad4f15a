/* The live sizes of a run. A command has one run, so they are kept here, beside the options that gave
 * them; whatever asks for a buffer's shape gets that of this run. */
#include "sizes.h"

#include <stdlib.h>
#include "message.h"
#include "values.h"

typedef uint64_t shape[RP_MAX_RANK];

static rp_plan_live_value *values;
static uint32_t value_count;
static shape *shapes; /* of the buffers that were asked for, by index */
static uint32_t shape_count;

void cli_sizes_note(const char *buffer, uint32_t element, uint32_t value) {
    rp_plan_live_value *more = realloc(values, (value_count + 1) * sizeof *values);
    if (!more) abort();
    values = more;
    values[value_count++] = (rp_plan_live_value){buffer, element, value};
}

rp_plan_buffer_info cli_sized_buffer(const rp_plan *plan, uint32_t index) {
    rp_plan_buffer_info info = cli_plan_buffer(plan, index);
    bool empty = false;
    for (uint32_t i = 0; i < info.rank; i++) empty |= info.shape[i] == 0;
    if (!info.sized && !empty) return info;
    if (!shapes) {
        shape_count = rp_plan_buffer_count(plan);
        shapes = cli_alloc(shape_count, sizeof *shapes);
    }
    uint64_t bytes = info.bytes;
    if (index >= shape_count ||
        rp_plan_get_shape(plan, index, values, value_count, shapes[index], &bytes) != RP_OK)
        return info; /* a value that the runtime refuses, too, and says why */
    info.shape = shapes[index];
    info.bytes = bytes;
    return info;
}

void cli_sizes_free(void) {
    free(values);
    free(shapes);
    values = NULL;
    shapes = NULL;
    value_count = shape_count = 0;
}
