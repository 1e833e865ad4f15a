/* Names of statuses, and the version. */
#include "reprise/status.h"

const char *rp_status_name(rp_status status) {
    switch (status) {
#define RP_X(symbol, value, name, advice)                                                          \
    case symbol: return name;
        RP_STATUS_LIST(RP_X)
#undef RP_X
    }
    return "unknown status";
}

const char *rp_status_advice(rp_status status) {
    switch (status) {
#define RP_X(symbol, value, name, advice)                                                          \
    case symbol: return advice;
        RP_STATUS_LIST(RP_X)
#undef RP_X
    }
    return "report a bug";
}

const char *rp_version(void) {
    return REPRISE_VERSION;
}
