/* Switches: nodes that the host leaves out of a slot's replays, and puts back.
 *
 * Such a node is recorded as an indirect dispatch of a grid in the live block (live.c), which is
 * zeros while it is left out; nothing is recorded again. That is right for a node without which the
 * plan was proven too: what it might not write counted as what was there before. So the compiler
 * took optional nodes and live grids; and so does every other node whose writes are all `rw`, which
 * never end the life of earlier bytes. A `w` does, and is refused.
 *
 * A label names all nodes at it and below it. A node that was made of several has all their labels,
 * and a switch that names some of them alone would leave out the others as well: refused too. */
#include "exec/exec.h"

#include <stdio.h>

/* ---- Names ----------------------------------------------------------------------------------- */

/* "n7" is a node, never a label. */
static bool is_node_name(const char *name, size_t length) {
    size_t digits = 0;
    if (length < 2 || name[0] != 'n') return false;
    for (size_t i = 1; i < length; i++) digits += name[i] >= '0' && name[i] <= '9';
    return digits == length - 1;
}

static bool find_switch(const rp_switches *switches, const char *name, size_t length,
                        uint32_t *out) {
    uint32_t key = rp_table_key(name, length);
    for (uint32_t at = 0; rp_table_next(&switches->by_name, key, &at, out);)
        if (strncmp(switches->names[*out], name, length) == 0 && !switches->names[*out][length])
            return true;
    return false;
}

static rp_status take_name(rp_switches *switches, const rp_allocator *a, const char *name,
                           rp_diags *diags) {
    uint32_t same;
    if (!name || !*name) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "a switch has no name: it is a label, or n and the number of a node");
        return RP_ERROR_USAGE;
    }
    if (find_switch(switches, name, strlen(name), &same)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "the switch %s is given twice", name);
        return RP_ERROR_USAGE;
    }
    char *copy = rp_dup(a, name, strlen(name) + 1);
    if (!copy) return RP_ERROR_NO_MEMORY;
    switches->names[switches->count] = copy;
    return rp_table_add(a, &switches->by_name, rp_table_key(name, strlen(name)), switches->count++)
               ? RP_OK
               : RP_ERROR_NO_MEMORY;
}

rp_status rp_switches_take(rp_switches *switches, const rp_allocator *a, const char *const *names,
                           uint32_t count, rp_diags *diags) {
    if (count == 0) return RP_OK;
    switches->names = rp_alloc_zero(a, count, sizeof *switches->names);
    if (!switches->names) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) RP_TRY(take_name(switches, a, names[i], diags));
    return RP_OK;
}

void rp_switches_free(rp_switches *switches, const rp_allocator *a) {
    for (uint32_t i = 0; i < switches->count; i++) rp_release(a, switches->names[i]);
    rp_release(a, switches->names);
    rp_table_free(a, &switches->by_name);
}

/* ---- Whether a node can be left out ---------------------------------------------------------- */

typedef struct finder {
    const rp_switches *switches;
    const rp_plan *plan;
    const rp_allocator *a;
    rp_switch_map *map;
    bool *used; /* by switch: it names a node */
    rp_diags *diags;
} finder;

static rp_status refuse(finder *f, uint32_t name, const rp_plan_node *node, const char *why,
                        const char *what) {
    rp_diags_add(f->diags, RP_ERROR, NULL, 0, 0, "the switch %s names n%u, which %s%s",
                 f->switches->names[name], node->id, why, what);
    return RP_ERROR_INVALID;
}

static rp_status check_node(finder *f, uint32_t name, const rp_plan_node *node) {
    if (node->kind != RP_RUN)
        return refuse(f, name, node, "is no kernel and cannot be left out: it is a ",
                      rp_node_kind_name((rp_node_kind)node->kind));
    const rp_plan_use *uses = rp_plan_uses(f->plan) + node->first_use;
    const rp_plan_buffer *buffers = rp_plan_buffers(f->plan);
    if (node->grid_kind == RP_GRID_INDIRECT)
        return refuse(f, name, node,
                      "has an indirect grid: who writes the grid can write zeros, to ",
                      rp_plan_string(f->plan, buffers[uses[node->use_count - 1].buffer].name));
    bool sized = node->flags & RP_NODE_SIZED; /* whose grid is as good as a number */
    if (node->flags & RP_NODE_OPTIONAL || (node->grid_kind == RP_GRID_LIVE && !sized)) return RP_OK;
    if (node->flags & RP_NODE_UNKNOWN)
        return refuse(f, name, node,
                      "does not say what it writes: make it optional, or bind what "
                      "it uses",
                      "");
    for (uint32_t i = 0; i < node->use_count; i++) {
        if (uses[i].access != RP_WRITE) continue;
        rp_diags_add(f->diags, RP_ERROR, NULL, 0, 0,
                     "the switch %s names n%u, which overwrites bytes %llu to %llu of %s (use %u "
                     "is w): the plan counts on it. Make the node optional, or the use rw",
                     f->switches->names[name], node->id, (unsigned long long)uses[i].offset,
                     (unsigned long long)(uses[i].offset + uses[i].size - 1),
                     rp_plan_string(f->plan, buffers[uses[i].buffer].name), i);
        return RP_ERROR_INVALID;
    }
    return RP_OK;
}

/* ---- Which nodes a switch names -------------------------------------------------------------- */

/* Whether a label is the name, or below it. */
static bool is_below(const char *label, const char *name) {
    size_t length = strlen(name);
    return label && strncmp(label, name, length) == 0 &&
           (label[length] == '\0' || label[length] == '/');
}

static const char *text_of(const finder *f, uint32_t label) {
    return label == UINT32_MAX ? NULL : rp_plan_string(f->plan, label);
}

/* That a switch names a node: at the end of the list, which is the node's. */
static rp_status add(finder *f, uint32_t node, uint32_t name) {
    rp_switch_map *map = f->map;
    for (uint32_t i = map->first[node]; i < map->items_count; i++)
        if (map->items[i] == name) return RP_OK;
    RP_TRY(check_node(f, name, &rp_plan_nodes(f->plan)[node]));
    f->used[name] = true;
    if (!RP_RESERVE(f->a, map->items, map->items_count, map->items_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    map->items[map->items_count++] = name;
    return RP_OK;
}

static rp_status refuse_part(finder *f, uint32_t name, const rp_plan_node *node, const char *text) {
    rp_diags_add(f->diags, RP_ERROR, NULL, 0, 0,
                 "the switch %s names a part of n%u, which is one kernel for nodes %s%s too: make "
                 "the nodes of the switch optional, so that they stay apart",
                 f->switches->names[name], node->id, text ? "labelled " : "without a label",
                 text ? text : "");
    return RP_ERROR_INVALID;
}

/* The switches that a label is below. Where the node has more, they must be so too. */
static rp_status add_label(finder *f, uint32_t index, const char *label) {
    const rp_plan_node *node = &rp_plan_nodes(f->plan)[index];
    const uint32_t *labels = rp_plan_records(f->plan, RP_SECTION_LABELS);
    for (size_t end = 0; label; end++) {
        uint32_t name;
        if (label[end] != '\0' && label[end] != '/') continue;
        if (!is_node_name(label, end) && find_switch(f->switches, label, end, &name)) {
            for (uint32_t i = 0; i < node->label_count; i++) {
                const char *other = text_of(f, labels[node->first_label + i]);
                if (!is_below(other, f->switches->names[name]))
                    return refuse_part(f, name, node, other);
            }
            RP_TRY(add(f, index, name));
        }
        if (label[end] == '\0') break;
    }
    return RP_OK;
}

static rp_status add_node(finder *f, uint32_t index) {
    const rp_plan_node *node = &rp_plan_nodes(f->plan)[index];
    const uint32_t *labels = rp_plan_records(f->plan, RP_SECTION_LABELS);
    char id[16];
    uint32_t name;
    if (node->kind == RP_FENCE) return RP_OK; /* an order of others, which stays */
    if (node->label_count == 0) RP_TRY(add_label(f, index, text_of(f, node->label)));
    for (uint32_t i = 0; i < node->label_count; i++)
        RP_TRY(add_label(f, index, text_of(f, labels[node->first_label + i])));
    int length = snprintf(id, sizeof id, "n%u", node->id);
    return find_switch(f->switches, id, (size_t)length, &name) ? add(f, index, name) : RP_OK;
}

static rp_status find_nodes(finder *f, uint32_t count) {
    rp_switch_map *map = f->map;
    for (uint32_t i = 0; i < count; i++) {
        map->first[i] = map->items_count;
        RP_TRY(add_node(f, i));
    }
    map->first[count] = map->items_count;
    for (uint32_t i = 0; i < f->switches->count; i++) {
        const char *name = f->switches->names[i];
        if (f->used[i]) continue;
        if (is_node_name(name, strlen(name)))
            rp_diags_add(f->diags, RP_ERROR, NULL, 0, 0,
                         "the plan has no node %s to leave out; one that became part of another "
                         "goes by that one's number",
                         name);
        else
            rp_diags_add(f->diags, RP_ERROR, NULL, 0, 0,
                         "the plan has no node with the label %s, or one below it, to leave out",
                         name);
        return RP_ERROR_NOT_FOUND;
    }
    return RP_OK;
}

/* Forms of a plan number their nodes each by itself. */
static rp_status refuse_numbers(const rp_switches *switches, const rp_plan *plan, rp_diags *diags) {
    if (!plan->whole && plan->form_count == 0) return RP_OK;
    for (uint32_t i = 0; i < switches->count; i++) {
        if (!is_node_name(switches->names[i], strlen(switches->names[i]))) continue;
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s may be another node in each form of the plan: name nodes by a label",
                     switches->names[i]);
        return RP_ERROR_NOT_FOUND;
    }
    return RP_OK;
}

rp_status rp_switch_map_create(rp_switch_map *map, const rp_switches *switches,
                               const rp_allocator *a, const rp_plan *plan, rp_diags *diags) {
    uint32_t count = rp_plan_count(plan, RP_SECTION_NODES);
    map->first = rp_alloc_zero(a, (size_t)count + 1, sizeof *map->first);
    if (!map->first) return RP_ERROR_NO_MEMORY;
    if (switches->count == 0) return RP_OK;
    RP_TRY(refuse_numbers(switches, plan, diags));
    finder f = {.switches = switches, .plan = plan, .a = a, .map = map, .diags = diags};
    f.used = rp_alloc_zero(a, switches->count, sizeof *f.used);
    rp_status status = f.used ? find_nodes(&f, count) : RP_ERROR_NO_MEMORY;
    rp_release(a, f.used);
    return status;
}

void rp_switch_map_free(rp_switch_map *map, const rp_allocator *a) {
    rp_release(a, map->first);
    rp_release(a, map->items);
}

/* ---- Switching ------------------------------------------------------------------------------- */

rp_status rp_exec_enable(rp_exec *exec, uint32_t slot, const char *name, int on, rp_diags *diags) {
    if (!exec || !name) return RP_ERROR_USAGE;
    uint32_t index;
    rp_exec_lock(exec);
    rp_status status = rp_exec_check_slot(exec, slot, diags);
    if (status == RP_OK && !find_switch(&exec->switches, name, strlen(name), &index)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "the exec has no switch %s: name it in rp_exec_params.switches", name);
        status = RP_ERROR_NOT_FOUND;
    }
    if (status == RP_OK) status = rp_exec_require_idle(exec, slot, diags);
    if (status == RP_OK) status = rp_forms_switch(exec, &exec->slots[slot], index, on != 0, diags);
    rp_exec_unlock(exec);
    return status;
}
