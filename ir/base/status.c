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

#define TEXT_OF(number) #number
#define DOTTED(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *rp_version(void) {
    return DOTTED(RP_VERSION_MAJOR, RP_VERSION_MINOR, RP_VERSION_PATCH);
}
