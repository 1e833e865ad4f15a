/* What follows from measured times and from what nodes cost by their definition: once, for the text and the JSON. */
#include <math.h>
#include "profile_report.h"

double cli_profile_workgroups(const cli_profile *p, uint32_t node) {
    const rp_profile_node *n = &p->nodes[node];
    if (!n->grid_known) return -1;
    return (double)n->grid[0] * n->grid[1] * n->grid[2];
}

/* A node is bound by what takes half of its time; what is shorter than two launches has no time to be
 * bound by anything else. */
cli_limit cli_profile_limit(const cli_profile *p, uint32_t node) {
    const rp_node_cost *c = &p->costs[node];
    const rp_target *target = p->about.target;
    double time = p->nodes[node].time.median, groups = cli_profile_workgroups(p, node);
    if (p->nodes[node].kind == RP_FENCE || groups == 0) return LIMIT_NONE;
    if (fmax(c->memory_ns, c->arithmetic_ns) >= time / 2)
        return c->memory_ns >= c->arithmetic_ns ? LIMIT_MEMORY : LIMIT_ARITHMETIC;
    if (time < 2 * (double)target->barrier_ns) return LIMIT_LAUNCH;
    if (groups * (double)target->group_ns / (double)target->multiprocessors >= time / 2)
        return LIMIT_STARTS;
    if (groups > 0 && groups < (double)target->multiprocessors) return LIMIT_WORKGROUPS;
    return c->operations < 0 ? LIMIT_UNKNOWN : LIMIT_LATENCY;
}

const char *cli_limit_name(cli_limit limit) {
    static const char *const names[] = {
#define RP_X(symbol, name, ...) name,
        CLI_LIMIT_LIST(RP_X)
#undef RP_X
    };
    return names[limit];
}

cli_figures cli_profile_figures(const cli_profile *p, uint32_t node) {
    const rp_node_cost *c = &p->costs[node];
    double time = p->nodes[node].time.median;
    bool works = cli_profile_limit(p, node) != LIMIT_NONE && time > 0;
    bool bytes = works && c->bytes_read >= 0 && c->bytes_written >= 0;
    bool operations = works && c->operations > 0;
    bool expected = works && c->expected_ns > 0;
    cli_figures f = {
        .share = p->info.nodes_sum > 0 ? time / p->info.nodes_sum : -1,
        .byte_rate = bytes ? (c->bytes_read + c->bytes_written) / time * 1e9 : -1,
        .operation_rate = operations ? c->operations / time * 1e9 : -1,
        .memory_share = works && c->memory_ns >= 0 ? c->memory_ns / time : -1,
        .arithmetic_share = operations && c->arithmetic_ns >= 0 ? c->arithmetic_ns / time : -1,
        .expected = expected,
        .off = expected ? time - c->expected_ns : 0,
        .factor = expected ? time / c->expected_ns : -1,
    };
    f.misjudged = expected && (f.factor > 2 || f.factor < 0.5);
    return f;
}

cli_group_figures cli_profile_group_figures(const cli_profile *p, uint32_t index) {
    cli_group_figures f = {.group = {.size = sizeof f.group}};
    (void)rp_profile_get_group(p->profile, index, &f.group);
    for (uint32_t i = 0; i < f.group.node_count; i++) {
        double alone = p->nodes[f.group.first_node + i].time.median;
        f.alone += alone;
        f.longest = fmax(f.longest, alone);
    }
    f.beyond = fmax(f.group.time.median - f.longest, 0);
    return f;
}
