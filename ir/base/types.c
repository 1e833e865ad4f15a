/* Names and sizes of the closed sets in reprise/types.h and needs.h, from the same tables as the enums. The
 * values come from files and from C callers, so each function answers for values outside its set.
 */
#include "reprise/types.h"

#include <stddef.h>
#include "reprise/needs.h"

#define RP_CASE(symbol, value, name, ...)                                                          \
    case symbol: return name;

const char *rp_dtype_name(rp_dtype dtype) {
    switch (dtype) { RP_DTYPE_LIST(RP_CASE) }
    return NULL;
}

uint32_t rp_dtype_size(rp_dtype dtype) {
    switch (dtype) {
#define RP_X(symbol, value, name, size, block, numpy)                                              \
    case symbol: return size;
        RP_DTYPE_LIST(RP_X)
#undef RP_X
    }
    return 0;
}

uint32_t rp_dtype_block(rp_dtype dtype) {
    switch (dtype) {
#define RP_X(symbol, value, name, size, block, numpy)                                              \
    case symbol: return block;
        RP_DTYPE_LIST(RP_X)
#undef RP_X
    }
    return 0;
}

const char *rp_buffer_kind_name(rp_buffer_kind kind) {
    switch (kind) { RP_BUFFER_KIND_LIST(RP_CASE) }
    return NULL;
}

const char *rp_access_name(rp_access access) {
    switch (access) { RP_ACCESS_LIST(RP_CASE) }
    return NULL;
}

const char *rp_node_kind_name(rp_node_kind kind) {
    switch (kind) { RP_NODE_KIND_LIST(RP_CASE) }
    return NULL;
}

const char *rp_plan_need_name(uint64_t need) {
    switch (need) {
#define RP_X(symbol, bit, name)                                                                    \
    case symbol: return name;
        RP_PLAN_NEED_LIST(RP_X)
#undef RP_X
    }
    return NULL;
}

const char *rp_hazard_name(rp_hazard_kind kind) {
    switch (kind) { RP_HAZARD_LIST(RP_CASE) }
    return NULL;
}
