/* Writes NumPy .npy files; libreprise-weights reads them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "npy.h"

/* NumPy's descriptor of a dtype. */
static const char *descriptor_of(rp_dtype dtype) {
    switch (dtype) {
#define RP_X(symbol, code, keyword, bytes, block, numpy)                                           \
    case symbol: return (numpy)[1] > '1' ? "<" numpy : "|" numpy;
        RP_DTYPE_LIST(RP_X)
#undef RP_X
    }
    return "|u1";
}

/* "(3, 4)", as NumPy writes it. */
static void shape_text(uint32_t rank, const uint64_t *shape, char *text, size_t size) {
    size_t length = 0;
    length += (size_t)snprintf(text, size, "(");
    for (uint32_t i = 0; i < rank && length < size; i++)
        length +=
            (size_t)snprintf(text + length, size - length, "%s%" PRIu64, i ? ", " : "", shape[i]);
    if (length < size) snprintf(text + length, size - length, rank == 1 ? ",)" : ")");
}

size_t cli_npy_header(rp_dtype dtype, uint32_t rank, const uint64_t *shape,
                      char header[CLI_NPY_HEADER]) {
    char text[256];
    shape_text(rank, shape, text, sizeof text);
    int length = snprintf(header + 10, CLI_NPY_HEADER - 10,
                          "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
                          descriptor_of(dtype), text);
    size_t total = ((size_t)length + 10 + 1 + 63) / 64 * 64;
    memset(header + 10 + length, ' ', total - 10 - (size_t)length);
    header[total - 1] = '\n';
    memcpy(header, "\x93NUMPY\1\0", 8);
    header[8] = (char)((total - 10) & 0xff);
    header[9] = (char)((total - 10) >> 8);
    return total;
}
