/* A user of the runtime library alone: opens a plan and looks at it. */
#include <reprise/runtime.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    rp_plan *plan = NULL;
    if (argc != 2 || rp_plan_open(NULL, argv[1], NULL, &plan) != RP_OK) return 2;
    rp_plan_info info = {.size = sizeof info};
    if (rp_plan_get_info(plan, &info) != RP_OK) return 2;
    printf("%s: %u nodes, %u buffers, version %s\n", info.name, info.nodes,
           rp_plan_buffer_count(plan), rp_version());
    int failed = strcmp(info.name, "consumer") != 0 || info.nodes != 1 ||
                 rp_plan_buffer_count(plan) != 2 || info.certificate.verdict != 1;
    rp_plan_destroy(plan);
    return failed;
}
