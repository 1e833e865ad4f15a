/* Leaving with -1, and a line that says where, when a call of the library fails. */
#ifndef REPRISE_BENCH_TRY_H
#define REPRISE_BENCH_TRY_H

#include <stdio.h>

#include <reprise/status.h>

#define TRY(call)                                                                                  \
    do {                                                                                           \
        rp_status try_status = (call);                                                             \
        if (try_status != RP_OK) {                                                                 \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call,                          \
                    rp_status_name(try_status));                                                   \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

#endif
