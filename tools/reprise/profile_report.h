/* The report of `reprise profile`: measured times beside what they could be. */
#ifndef CLI_PROFILE_REPORT_H
#define CLI_PROFILE_REPORT_H

#include <stdbool.h>
#include "reprise/cost.h"
#include "reprise/runtime.h"

/* Everything that is reported; both arrays have an entry for each node, in the plan's order. */
typedef struct cli_profile {
    const char *plan, *device;
    uint32_t form; /* of the plan, from 0 on */
    rp_profile_info info;
    rp_costs_info about; /* costs */
    const rp_profile *profile;
    rp_profile_node *nodes;
    rp_node_cost *costs;
} cli_profile;

/* What keeps a node from being faster: symbol, name in JSON and in the table, what it means. */
#define CLI_LIMIT_LIST(X)                                                                          \
    X(LIMIT_NONE, "none", "it does nothing: a fence, or a grid of no workgroups")                  \
    X(LIMIT_MEMORY, "memory", "its bytes take half of its time or more at the target's rate")      \
    X(LIMIT_ARITHMETIC, "arithmetic", "the same of its operations")                                \
    X(LIMIT_LAUNCH, "launch", "it is as short as a launch and a barrier")                          \
    X(LIMIT_STARTS, "starts", "starting its many small workgroups takes half of its time or more") \
    X(LIMIT_WORKGROUPS, "workgroups", "fewer workgroups than multiprocessors")                     \
    X(LIMIT_LATENCY, "latency", "none of these: it waits for memory, or computes more than asked") \
    X(LIMIT_UNKNOWN, "unknown", "the same of a kernel whose operations nobody knows")

typedef enum cli_limit {
#define RP_X(symbol, ...) symbol,
    CLI_LIMIT_LIST(RP_X)
#undef RP_X
} cli_limit;
cli_limit cli_profile_limit(const cli_profile *p, uint32_t node);
const char *cli_limit_name(cli_limit limit);

/* Workgroups of a node; negative where the GPU decides, or there are none. */
double cli_profile_workgroups(const cli_profile *p, uint32_t node);

/* What follows for a node; negative where it is not known or the node does nothing. */
typedef struct cli_figures {
    double share;                          /* of the sum of all nodes */
    double byte_rate, operation_rate;      /* a second */
    double memory_share, arithmetic_share; /* of what the target could do in its time */
    bool expected, misjudged; /* there is an estimate; more than twice or less than half of it */
    double off, factor;       /* measured less expected, nanoseconds, may be negative; and by it */
} cli_figures;
cli_figures cli_profile_figures(const cli_profile *p, uint32_t node);

typedef struct cli_group_figures {
    rp_profile_group group;
    double alone, longest; /* of its nodes, each alone: the sum, and the longest */
    double beyond;         /* what the group takes longer than that one */
} cli_group_figures;
cli_group_figures cli_profile_group_figures(const cli_profile *p, uint32_t index);

/* On stdout. `top`: so many nodes and groups at most, the slowest first; 0: all. */
void cli_profile_print(const cli_profile *p, uint32_t top);
/* All of it as JSON. */
void cli_profile_print_json(const cli_profile *p);

#endif
