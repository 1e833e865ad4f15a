/* Internal to kernel_shape.c: how large a kernel becomes. */
#ifndef RP_PASSES_KERNEL_SIZE_H
#define RP_PASSES_KERNEL_SIZE_H

#include "kernel_shape.h"

/* Of a shape whose places are known: its instructions, about, once every call is replaced by what
 * is called. */
double rp_shape_size(const rp_shape *shape);

#endif
