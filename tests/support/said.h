/* What diagnostics say. */
#ifndef RP_TESTS_SUPPORT_SAID_H
#define RP_TESTS_SUPPORT_SAID_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "reprise/status.h"

/* Whether some message has this part; where none has, all are printed. */
static inline bool rp_test_said(rp_diags *diags, const char *part) {
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        if (strstr(rp_diags_get(diags, i).message, part)) return true;
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        printf("\n  said: %s", rp_diags_get(diags, i).message);
    printf("\n  wanted: %s\n", part);
    return false;
}

#endif
