/* Internal: barriers between execs of one submission that share memory. */
#ifndef RP_RUNTIME_LINKS_H
#define RP_RUNTIME_LINKS_H

#include "exec/exec.h"

/* What is touched, as rp_touches_sort leaves it. */
typedef struct rp_touch_list {
    const rp_touch *touches;
    uint32_t count;
} rp_touch_list;

/* Adds the scopes of a barrier that orders `before` ahead of `after` where they touch the same
 * bytes and one of them writes; adds nothing when they do not. */
void rp_links_scopes(rp_touch_list before, rp_touch_list after, uint32_t *src, uint32_t *dst);

/* A command buffer with just a barrier of those scopes, recorded once and kept by the device. Any
 * thread. */
rp_status rp_links_get(rp_device *device, uint32_t src, uint32_t dst, rp_diags *diags,
                       VkCommandBuffer *out);
void rp_links_free(rp_device *device);

#endif
