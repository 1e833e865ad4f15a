/* The counters of `reprise run --counters`, as a table or as JSON. */
#include "counters.h"

#include <stdio.h>

typedef struct row {
    const char *name, *what;
    uint64_t exec, device;
} row;

static void print_json(const row *rows, size_t count) {
    const char *const names[] = {"exec", "device"};
    printf("{\n");
    for (int device = 0; device < 2; device++) {
        printf("  \"%s\": {\n", names[device]);
        for (size_t i = 0; i < count; i++)
            printf("    \"%s\": %llu%s\n", rows[i].name,
                   (unsigned long long)(device ? rows[i].device : rows[i].exec),
                   i + 1 < count ? "," : "");
        printf("  }%s\n", device ? "" : ",");
    }
    printf("}\n");
}

static void print_text(const row *rows, size_t count) {
    printf("%-18s %14s %14s\n", "counter", "exec", "device");
    for (size_t i = 0; i < count; i++)
        if (rows[i].exec || rows[i].device)
            printf("%-18s %14llu %14llu  %s\n", rows[i].name, (unsigned long long)rows[i].exec,
                   (unsigned long long)rows[i].device, rows[i].what);
}

void cli_counters_print(rp_exec *exec, rp_device *device, int json) {
    rp_counters own = {.size = sizeof own}, all = {.size = sizeof all};
    (void)rp_exec_get_counters(exec, &own);
    (void)rp_device_get_counters(device, &all);
    const row rows[] = {
#define RP_X(field, what) {#field, what, own.field, all.field},
        RP_COUNTER_LIST(RP_X)
#undef RP_X
    };
    size_t count = sizeof rows / sizeof *rows;
    if (json)
        print_json(rows, count);
    else
        print_text(rows, count);
}
