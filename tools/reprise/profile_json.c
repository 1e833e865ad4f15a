/* The report as JSON: docs/json.md. What is not known is null. */
#include <stdio.h>
#include "profile_report.h"

static void print_string(const char *text) {
    if (!text) {
        printf("null");
        return;
    }
    putchar('"');
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at == '"' || *at == '\\')
            printf("\\%c", *at);
        else if (*at < 0x20)
            printf("\\u%04x", *at);
        else
            putchar(*at);
    }
    putchar('"');
}

/* Members of an object, each with a comma in front of it but the first. */
static void name(const char *key, bool first) {
    printf("%s\"%s\": ", first ? "" : ", ", key);
}

static void add_string(const char *key, const char *value) {
    name(key, false);
    print_string(value);
}

static void add_number(const char *key, double value) {
    name(key, false);
    if (value < 0)
        printf("null");
    else
        printf("%.17g", value);
}

static void add_time(const rp_profile_time *time, bool first) {
    name("median_ns", first);
    printf("%.17g", time->median);
    add_number("least_ns", time->least);
}

static void print_target(const rp_target *target) {
    printf("  \"target\": {");
    name("name", true);
    print_string(target->name);
#define RP_X(field, what)                                                                          \
    name(#field, false);                                                                           \
    printf("%llu", (unsigned long long)target->field);
    RP_TARGET_LIST(RP_X)
#undef RP_X
    printf("},\n");
}

static void print_node(const cli_profile *p, uint32_t i) {
    const rp_profile_node *n = &p->nodes[i];
    const rp_node_cost *c = &p->costs[i];
    printf("    {");
    name("id", true);
    printf("%u", n->id);
    add_string("kind", rp_node_kind_name(n->kind));
    add_number("group", n->group);
    add_string("kernel", n->kernel);
    add_string("ops", c->ops);
    add_string("variant", c->variant);
    add_string("decided", c->decided);
    add_string("label", n->label);
    add_time(&n->time, false);
    name("grid", false);
    if (n->grid_known)
        printf("[%u, %u, %u]", n->grid[0], n->grid[1], n->grid[2]);
    else
        printf("null");
    add_number("bytes_read", c->bytes_read);
    add_number("bytes_written", c->bytes_written);
    add_number("operations", c->operations);
    add_string("ceiling", c->ceiling);
    add_number("memory_ns", c->memory_ns);
    add_number("arithmetic_ns", c->arithmetic_ns);
    add_number("expected_ns", c->expected_ns);
    add_string("limit", cli_limit_name(cli_profile_limit(p, i)));
    printf("}%s\n", i + 1 < p->info.nodes ? "," : "");
}

static void print_group(const cli_profile *p, uint32_t index) {
    rp_profile_group group = {.size = sizeof group};
    (void)rp_profile_get_group(p->profile, index, &group);
    printf("    {");
    add_time(&group.time, true);
    name("nodes", false);
    for (uint32_t i = 0; i < group.node_count; i++)
        printf("%s%u", i ? ", " : "[", p->nodes[group.first_node + i].id);
    printf("%s]}%s\n", group.node_count ? "" : "[", index + 1 < p->info.groups ? "," : "");
}

void cli_profile_print_json(const cli_profile *p) {
    printf("{\n  \"plan\": ");
    print_string(p->plan);
    printf(",\n  \"device\": ");
    print_string(p->device);
    printf(",\n");
    print_target(p->about.target);
    printf("  \"rounds\": %u,\n  \"plan_bytes\": %llu,\n  \"cached\": %s,\n  \"whole\": {",
           p->info.rounds, (unsigned long long)p->about.plan_bytes,
           p->about.cached ? "true" : "false");
    add_time(&p->info.whole, true);
    printf("},\n  \"groups_sum_ns\": %.17g,\n  \"nodes_sum_ns\": %.17g,\n  \"stamp_ns\": %.17g,\n",
           p->info.groups_sum, p->info.nodes_sum, p->info.stamp);
    printf("  \"groups\": [\n");
    for (uint32_t i = 0; i < p->info.groups; i++) print_group(p, i);
    printf("  ],\n  \"nodes\": [\n");
    for (uint32_t i = 0; i < p->info.nodes; i++) print_node(p, i);
    printf("  ]\n}\n");
}
