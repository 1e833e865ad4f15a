/* Ranges of buffers as tensors; see view.h. */
#include "composite/view.h"

#include <stdio.h>
#include "base/shape.h"

/* Elements of a range of whole rows, or of blocks where there is one dimension. */
static void shape_of_rows(const rp_graph *graph, const rp_graph_use *range, rp_tensor *tensor) {
    const rp_graph_buffer *b = &graph->buffers[range->buffer];
    tensor->powers[0] = 0;
    if (range->size == 0)
        tensor->dims[0] = 0;
    else if (b->rank == 1)
        tensor->dims[0] =
            range->size / rp_dtype_size((rp_dtype)b->dtype) * rp_dtype_block((rp_dtype)b->dtype);
    else
        tensor->dims[0] = range->size / (b->size / tensor->dims[0]);
}

bool rp_view_infer(const rp_graph *graph, const rp_graph_use *range, rp_view_part part,
                   rp_tensor *tensor, char error[RP_VIEW_ERROR]) {
    const rp_graph_buffer *b = &graph->buffers[range->buffer];
    if (tensor->dtype == b->dtype && part != RP_VIEW_BYTES) {
        rp_graph_shape(graph, b->first_dim, b->rank, tensor);
        if (part == RP_VIEW_ROWS) shape_of_rows(graph, range, tensor);
        return true;
    }
    uint64_t width = rp_dtype_size((rp_dtype)tensor->dtype);
    if (range->size % width != 0) {
        snprintf(error, RP_VIEW_ERROR,
                 "%llu bytes of '%.60s' are no whole number of %s: give a shape",
                 (unsigned long long)range->size, rp_graph_string(graph, b->name),
                 rp_dtype_name((rp_dtype)tensor->dtype));
        return false;
    }
    tensor->rank = 1;
    tensor->dims[0] = range->size / width * rp_dtype_block((rp_dtype)tensor->dtype);
    return true;
}

bool rp_view_check(const rp_graph_use *range, bool sized, const rp_tensor *tensor,
                   char error[RP_VIEW_ERROR]) {
    rp_dtype dtype = (rp_dtype)tensor->dtype;
    uint64_t bytes = 0;
    bool empty = rp_shape_is_empty(tensor->rank, tensor->dims);
    if (!rp_shape_has_blocks(dtype, tensor->rank, tensor->dims))
        snprintf(error, RP_VIEW_ERROR, "the last dimension of %s is a multiple of %u",
                 rp_dtype_name(dtype), rp_dtype_block(dtype));
    else if (!empty && !rp_shape_bytes(dtype, tensor->rank, tensor->dims, &bytes))
        snprintf(error, RP_VIEW_ERROR, "the shape needs more bytes than 64 bits can count");
    else if (bytes > range->size || (sized && bytes != range->size))
        snprintf(error, RP_VIEW_ERROR, "the shape needs %llu bytes, the range has %llu",
                 (unsigned long long)bytes, (unsigned long long)range->size);
    else
        return true;
    return false;
}
