/* The report as JSON: docs/json.md. What is not known is null. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "message.h"
#include "profile_report.h"

/* A name; bytes that are no UTF-8, as a graph's text may have, become U+FFFD. */
static json_t *text_of(const char *text) {
    json_t *string = text ? json_string(text) : json_null();
    if (string) return string;
    char *fixed = cli_alloc(3 * strlen(text) + 1, 1), *to = fixed;
    for (const char *at = text; *at; at++) {
        if ((unsigned char)*at < 0x80)
            *to++ = *at;
        else
            to += sprintf(to, "\xef\xbf\xbd");
    }
    string = json_string(fixed);
    free(fixed);
    return string;
}

static void set_text(json_t *object, const char *key, const char *text) {
    json_object_set_new(object, key, text_of(text));
}

static void set_count(json_t *object, const char *key, uint64_t value) {
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

/* null for what is negative: it is not known. */
static void set_known(json_t *object, const char *key, double value) {
    json_object_set_new(object, key, value < 0 ? json_null() : json_real(value));
}

static void set_time(json_t *object, const rp_profile_time *time) {
    set_known(object, "median_ns", time->median);
    set_known(object, "least_ns", time->least);
}

static json_t *target_of(const rp_target *target) {
    json_t *object = json_object();
    set_text(object, "name", target->name);
#define RP_X(field, what) set_count(object, #field, target->field);
    RP_TARGET_LIST(RP_X)
#undef RP_X
    return object;
}

static json_t *grid_of(const rp_profile_node *n) {
    if (!n->grid_known) return json_null();
    return json_pack("[I,I,I]", (json_int_t)n->grid[0], (json_int_t)n->grid[1],
                     (json_int_t)n->grid[2]);
}

static json_t *node_of(const cli_profile *p, uint32_t i) {
    const rp_profile_node *n = &p->nodes[i];
    const rp_node_cost *c = &p->costs[i];
    const cli_figures f = cli_profile_figures(p, i);
    json_t *node = json_object();
    set_count(node, "id", n->id);
    set_text(node, "kind", rp_node_kind_name(n->kind));
    set_count(node, "group", n->group);
    set_text(node, "kernel", n->kernel);
    set_text(node, "ops", c->ops);
    set_text(node, "variant", c->variant);
    set_text(node, "decided", c->decided);
    set_text(node, "label", n->label);
    set_time(node, &n->time);
    set_known(node, "share", f.share);
    json_object_set_new(node, "grid", grid_of(n));
    set_known(node, "bytes_read", c->bytes_read);
    set_known(node, "bytes_written", c->bytes_written);
    set_known(node, "bytes_per_second", f.byte_rate);
    set_known(node, "operations", c->operations);
    set_known(node, "operations_per_second", f.operation_rate);
    set_text(node, "ceiling", c->ceiling);
    set_known(node, "memory_ns", c->memory_ns);
    set_known(node, "memory_share", f.memory_share);
    set_known(node, "arithmetic_ns", c->arithmetic_ns);
    set_known(node, "arithmetic_share", f.arithmetic_share);
    set_known(node, "expected_ns", c->expected_ns);
    set_known(node, "expected_factor", f.factor);
    json_object_set_new(node, "off_ns", f.expected ? json_real(f.off) : json_null());
    json_object_set_new(node, "misjudged", json_boolean(f.misjudged));
    set_text(node, "limit", cli_limit_name(cli_profile_limit(p, i)));
    return node;
}

static json_t *group_of(const cli_profile *p, uint32_t index) {
    const cli_group_figures f = cli_profile_group_figures(p, index);
    json_t *group = json_object(), *ids = json_array();
    set_time(group, &f.group.time);
    set_known(group, "longest_ns", f.longest);
    set_known(group, "beyond_ns", f.beyond);
    for (uint32_t i = 0; i < f.group.node_count; i++)
        json_array_append_new(ids, json_integer((json_int_t)p->nodes[f.group.first_node + i].id));
    json_object_set_new(group, "nodes", ids);
    return group;
}

/* Those that stand, behind each group. */
static json_t *barriers_of(const cli_profile *p) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < p->info.groups; i++) {
        const rp_profile_group group = cli_profile_group_figures(p, i).group;
        if (!group.barrier_stands) continue;
        json_t *barrier = json_object();
        set_count(barrier, "before_group", (uint64_t)i + 1);
        set_time(barrier, &group.barrier);
        json_array_append_new(list, barrier);
    }
    return list;
}

/* An entry a line, as people look for one node. */
static void print(json_t *root) {
    const size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);
    const char *key, *begin = "{\n";
    json_t *value, *item;
    size_t i;
    json_object_foreach(root, key, value) {
        bool lines = json_is_object(json_array_get(value, 0));
        printf("%s  \"%s\": ", begin, key);
        begin = ",\n";
        if (!lines) json_dumpf(value, stdout, flags);
        json_array_foreach(lines ? value : NULL, i, item) {
            printf("%s", i ? ",\n    " : "[\n    ");
            json_dumpf(item, stdout, flags);
        }
        if (lines) printf("\n  ]");
    }
    printf("\n}\n");
}

void cli_profile_print_json(const cli_profile *p) {
    json_t *root = json_object(), *whole = json_object(), *groups = json_array(),
           *nodes = json_array();
    set_text(root, "plan", p->plan);
    set_count(root, "form", p->form);
    set_text(root, "device", p->device);
    json_object_set_new(root, "target", target_of(p->about.target));
    set_count(root, "rounds", p->info.rounds);
    set_count(root, "plan_bytes", p->about.plan_bytes);
    json_object_set_new(root, "cached", json_boolean(p->about.cached));
    set_time(whole, &p->info.whole);
    json_object_set_new(root, "whole", whole);
    set_known(root, "groups_sum_ns", p->info.groups_sum);
    set_known(root, "barriers_sum_ns", p->info.barriers_sum);
    set_known(root, "nodes_sum_ns", p->info.nodes_sum);
    set_known(root, "stamp_ns", p->info.stamp);
    for (uint32_t i = 0; i < p->info.groups; i++) json_array_append_new(groups, group_of(p, i));
    json_object_set_new(root, "groups", groups);
    json_object_set_new(root, "barriers", barriers_of(p));
    for (uint32_t i = 0; i < p->info.nodes; i++) json_array_append_new(nodes, node_of(p, i));
    json_object_set_new(root, "nodes", nodes);
    print(root);
    json_decref(root);
}
