/* The report as text: what the whole takes, the nodes and the groups by time. */
#include "profile_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "message.h"

/* ---- Numbers --------------------------------------------------------------------------------- */

enum { CELL = 32 };

/* Three digits and a unit: "33.6 MB", "1.20 T". */
static const char *scaled(double value, const char *unit, char out[CELL]) {
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P"};
    int i = 0;
    if (value < 0) return "?";
    while (value >= 999.5 && i < 5) {
        value /= 1000;
        i++;
    }
    int decimals = value >= 99.95 || i == 0 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(out, CELL, "%.*f %s%s", decimals, value, prefixes[i], unit);
    return out;
}

static const char *micros(double ns, char out[CELL]) {
    if (ns < 0) return "?";
    snprintf(out, CELL, "%.2f", ns / 1e3);
    return out;
}

static const char *percent(double share, char out[CELL]) {
    if (share < 0) return "-";
    snprintf(out, CELL, "%.*f%%", share < 0.0995 ? 1 : 0, 100 * share);
    return out;
}

/* ---- Order ----------------------------------------------------------------------------------- */

/* The order of places by what is measured there, the slowest first; equal ones as they were. */
static uint32_t *sorted(const double *times, uint32_t count) {
    uint32_t *order = cli_alloc((size_t)count + 1, sizeof *order);
    uint32_t *other = cli_alloc((size_t)count + 1, sizeof *other);
    for (uint32_t i = 0; i < count; i++) order[i] = i;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t i = 0; i < count; i += 2 * width) {
            size_t a = i, a_end = i + width < count ? i + width : count;
            size_t b = a_end, b_end = i + 2 * width < count ? i + 2 * width : count;
            for (size_t k = i; k < b_end; k++)
                other[k] = a < a_end && (b == b_end || times[order[a]] >= times[order[b]])
                               ? order[a++]
                               : order[b++];
        }
        memcpy(order, other, count * sizeof *order);
    }
    free(other);
    return order;
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static void print_head(const cli_profile *p) {
    const rp_target *t = p->about.target;
    char a[CELL], b[CELL], c[CELL];
    printf("%s on %s, %u rounds\n", p->plan, p->device, p->info.rounds);
    printf("ceilings of target %s: memory %s, f32 %s", t->name,
           scaled((double)t->memory_rate * 1e6, "B/s", a),
           scaled((double)t->f32_rate * 1e6, "op/s", b));
    if (t->matrix_f16_rate)
        printf(", matrices of f16 %s", scaled((double)t->matrix_f16_rate * 1e6, "op/s", a));
    printf("\n");
    if (p->about.cached)
        printf("all of its %s lie in the caches between replays: %s there\n",
               scaled((double)p->about.plan_bytes, "B", a),
               scaled((double)t->cache_rate * 1e6, "B/s", c));
}

static void print_whole(const cli_profile *p) {
    double whole = p->info.whole.median, nodes = p->info.nodes_sum;
    char a[CELL], b[CELL];
    printf("\n%-8s %10s us   as it is replayed; the fastest round %s us\n", "whole",
           micros(whole, a), micros(p->info.whole.least, b));
    printf("%-8s %10s us   the sum of the groups, each with its barrier\n", "groups",
           micros(p->info.groups_sum, a));
    printf("%-8s %10s us   of that the barriers, each behind the last of the work before it\n",
           "barriers", micros(p->info.barriers_sum, a));
    printf("%-8s %10s us   the sum of the nodes, each alone", "nodes", micros(nodes, a));
    if (nodes < whole)
        printf(": %s us go into barriers, drains and launches", micros(whole - nodes, b));
    else if (p->info.groups < p->info.nodes)
        printf(": %s us are saved by nodes that overlap", micros(nodes - whole, b));
    printf("\n");
}

static const char *kind_name(rp_node_kind kind) {
    return kind == RP_COPY     ? "copy"
           : kind == RP_FILL   ? "fill"
           : kind == RP_UPDATE ? "update"
                               : "fence";
}

static void print_what(const cli_profile *p, uint32_t i) {
    const rp_node_cost *c = &p->costs[i];
    const char *kernel = p->nodes[i].kernel;
    printf("%s", c->ops ? c->ops : kernel ? kernel : kind_name(p->nodes[i].kind));
    if (c->variant) printf(" by %s", c->variant);
    if (c->decided) printf(" (%s)", c->decided);
    if (p->nodes[i].label) printf(" [%s]", p->nodes[i].label);
    printf("\n");
}

static void print_node(const cli_profile *p, uint32_t i) {
    const rp_profile_node *n = &p->nodes[i];
    const rp_node_cost *c = &p->costs[i];
    const cli_figures f = cli_profile_figures(p, i);
    double groups = cli_profile_workgroups(p, i);
    char id[CELL], count[CELL] = "-", t[CELL], s[CELL], e[CELL], by[CELL], r[CELL], m[CELL];
    char op[CELL], or [CELL], a[CELL];
    snprintf(id, sizeof id, "n%u", n->id);
    if (groups >= 0) snprintf(count, sizeof count, "%.0f", groups);
    printf("%-7s %5u %10s %6s %9s %9s %10s %6s %8s %10s %6s %8s  %-10s  ", id, n->group,
           micros(n->time.median, t), percent(f.share, s), micros(c->expected_ns, e),
           c->bytes_read < 0 ? "?" : scaled(c->bytes_read + c->bytes_written, "B", by),
           f.byte_rate < 0 ? "-" : scaled(f.byte_rate, "B/s", r), percent(f.memory_share, m),
           scaled(c->operations, "", op),
           f.operation_rate < 0 ? "-" : scaled(f.operation_rate, "/s", or),
           percent(f.arithmetic_share, a), count, cli_limit_name(cli_profile_limit(p, i)));
    print_what(p, i);
}

static void print_left(uint32_t shown, uint32_t count, const char *what) {
    if (shown < count) printf("and %u %s more: --top 0 shows all\n", count - shown, what);
}

static void print_nodes(const cli_profile *p, uint32_t top) {
    uint32_t count = p->info.nodes, shown = top && top < count ? top : count;
    double *times = cli_alloc((size_t)count + 1, sizeof *times);
    for (uint32_t i = 0; i < count; i++) times[i] = p->nodes[i].time.median;
    uint32_t *order = sorted(times, count);
    printf("\n%-7s %5s %10s %6s %9s %9s %10s %6s %8s %10s %6s %8s  %-10s  %s\n", "node", "group",
           "alone us", "share", "expected", "bytes", "rate", "of it", "ops", "rate", "of it",
           "grid", "limit", "kernel");
    for (uint32_t i = 0; i < shown; i++) print_node(p, order[i]);
    print_left(shown, count, "nodes");
    free(order);
    free(times);
}

static void print_group(const cli_profile *p, uint32_t index) {
    const cli_group_figures f = cli_profile_group_figures(p, index);
    double share = p->info.groups_sum > 0 ? f.group.time.median / p->info.groups_sum : -1;
    char t[CELL], s[CELL], a[CELL], l[CELL], b[CELL];
    printf("%-7u %10s %6s %10s %10s %10s  ", index, micros(f.group.time.median, t),
           percent(share, s), micros(f.alone, a), micros(f.longest, l),
           f.group.barrier_stands ? micros(f.group.barrier.median, b) : "-");
    for (uint32_t i = 0; i < f.group.node_count && i < 8; i++)
        printf("%sn%u", i ? " " : "", p->nodes[f.group.first_node + i].id);
    printf("%s\n", f.group.node_count > 8 ? " ..." : "");
}

static void print_groups(const cli_profile *p, uint32_t top) {
    uint32_t count = p->info.groups, shown = top && top < count ? top : count;
    double *times = cli_alloc((size_t)count + 1, sizeof *times);
    for (uint32_t i = 0; i < count; i++)
        times[i] = cli_profile_group_figures(p, i).group.time.median;
    uint32_t *order = sorted(times, count);
    printf("\n%-7s %10s %6s %10s %10s %10s  %s\n", "group", "us", "share", "alone us", "longest",
           "barrier", "nodes");
    for (uint32_t i = 0; i < shown; i++) print_group(p, order[i]);
    print_left(shown, count, "groups");
    free(order);
    free(times);
}

/* What the compiler had expected, where it was wrong: by how many microseconds, the most in front. */
static void print_estimates(const cli_profile *p, uint32_t top) {
    uint32_t count = 0, *places = cli_alloc((size_t)p->info.nodes + 1, sizeof *places);
    double *off = cli_alloc((size_t)p->info.nodes + 1, sizeof *off);
    for (uint32_t i = 0; i < p->info.nodes; i++) {
        const cli_figures f = cli_profile_figures(p, i);
        if (!f.misjudged) continue;
        off[count] = fabs(f.off);
        places[count++] = i;
    }
    uint32_t *order = sorted(off, count), shown = top && top < count ? top : count;
    if (count)
        printf("\n%-9s %10s %10s %10s %8s  %-10s  %s\n", "misjudged", "alone us", "expected",
               "off by us", "factor", "limit", "kernel");
    for (uint32_t k = 0; k < shown; k++) {
        uint32_t i = places[order[k]];
        const cli_figures f = cli_profile_figures(p, i);
        char id[CELL], t[CELL], e[CELL];
        snprintf(id, sizeof id, "n%u", p->nodes[i].id);
        printf("%-9s %10s %10s %+10.2f %8.2f  %-10s  ", id, micros(p->nodes[i].time.median, t),
               micros(p->costs[i].expected_ns, e), f.off / 1e3, f.factor,
               cli_limit_name(cli_profile_limit(p, i)));
        print_what(p, i);
    }
    if (count) print_left(shown, count, "nodes");
    free(order);
    free(places);
    free(off);
}

void cli_profile_print(const cli_profile *p, uint32_t top) {
    print_head(p);
    print_whole(p);
    print_nodes(p, top);
    if (p->info.groups > 1) print_groups(p, top);
    print_estimates(p, top);
}
