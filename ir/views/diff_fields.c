/* The fields by which two graphs are compared; see diff.h.
 *
 * Each field writes its value as text. A field that does not apply writes nothing, which the report
 * calls "none". Adding a property to graphs means adding one function and one line of a table here.
 */
#include "views/diff.h"

#include "base/hash.h"
#include "text/print.h"
#include "graph/reasons.h"

static void sampler_subject(rp_text *t, const rp_graph *g, uint32_t i) {
    rp_text_string(t, "samp @");
    rp_text_string(t, rp_graph_string(g, g->samplers[i].name));
}

static void sampler_info(rp_text *t, const rp_graph *g, uint32_t i) {
    rp_print_sampler(t, &g->samplers[i].info);
}

static void kernel_subject(rp_text *t, const rp_graph *g, uint32_t i) {
    rp_text_string(t, "kern @");
    rp_text_string(t, rp_graph_string(g, g->kernels[i].name));
}

static void kernel_spirv(rp_text *t, const rp_graph *g, uint32_t i) {
    if (g->kernels[i].hash == 0)
        rp_text_char(t, '-');
    else
        rp_text_format(t, "%016llx", (unsigned long long)g->kernels[i].hash);
}

static void kernel_entry(rp_text *t, const rp_graph *g, uint32_t i) {
    rp_text_string(t, rp_graph_string(g, g->kernels[i].entry));
}

static void kernel_local(rp_text *t, const rp_graph *g, uint32_t i) {
    const uint32_t *local = g->kernels[i].local;
    rp_text_format(t, "%u %u %u", local[0], local[1], local[2]);
}

static void kernel_shared(rp_text *t, const rp_graph *g, uint32_t i) {
    rp_text_u64(t, g->kernels[i].shared_bytes);
}

static void kernel_push(rp_text *t, const rp_graph *g, uint32_t i) {
    rp_text_u64(t, g->kernels[i].push_bytes);
}

static void kernel_spec(rp_text *t, const rp_graph *g, uint32_t i) {
    const rp_graph_kernel *k = &g->kernels[i];
    for (uint32_t s = 0; s < k->spec_count; s++)
        rp_text_format(t, "%s%u=%0*llx", s ? " " : "", g->specs[k->first_spec + s].id,
                       (int)(2 * g->specs[k->first_spec + s].bytes),
                       (unsigned long long)g->specs[k->first_spec + s].value);
}

static void kernel_params(rp_text *t, const rp_graph *g, uint32_t i) {
    const rp_graph_kernel *k = &g->kernels[i];
    rp_text_char(t, '(');
    for (uint32_t p = 0; p < k->param_count; p++) {
        const rp_graph_param *param = &g->params[k->first_param + p];
        rp_text_format(t, "%s%s %u.%u", p ? ", " : "", rp_access_name(param->access), param->set,
                       param->binding);
        if (param->skip) rp_text_format(t, " skip %u", param->skip);
        rp_print_resource(t, param);
    }
    rp_text_char(t, ')');
}

static void buffer_kind(rp_text *t, const rp_graph *g, uint32_t i) {
    rp_text_string(t, rp_buffer_kind_name(g->buffers[i].kind));
}

static void buffer_type(rp_text *t, const rp_graph *g, uint32_t i) {
    const rp_graph_buffer *b = &g->buffers[i];
    if (rp_buffer_is_image(b)) {
        rp_print_image(t, &b->image);
        return;
    }
    rp_text_string(t, rp_dtype_name(b->dtype));
    for (uint32_t d = 0; d < b->rank; d++) {
        rp_text_char(t, d ? ',' : '[');
        rp_graph_print_dim(t, g, b->first_dim + d);
    }
    if (b->rank) rp_text_char(t, ']');
}

static void buffer_size(rp_text *t, const rp_graph *g, uint32_t i) {
    rp_text_u64(t, g->buffers[i].size);
}

static void buffer_offset(rp_text *t, const rp_graph *g, uint32_t i) {
    const rp_graph_buffer *b = &g->buffers[i];
    if (b->kind == RP_TMP && b->offset != RP_NOT_PLACED) rp_text_u64(t, b->offset);
}

static void buffer_tagged(rp_text *t, const rp_graph *g, uint32_t i) {
    if (g->buffers[i].tagged) rp_text_string(t, "yes");
}

static void buffer_max(rp_text *t, const rp_graph *g, uint32_t i) {
    const rp_graph_buffer *b = &g->buffers[i];
    if (b->kind == RP_LIVE && b->max_value != UINT32_MAX) rp_text_u64(t, b->max_value);
}

/* Bytes by length and hash: they may be many. */
static void print_bytes(rp_text *t, const rp_graph *g, uint32_t first, uint64_t count) {
    if (count == 0) return;
    rp_text_format(t, "%llu bytes %016llx", (unsigned long long)count,
                   (unsigned long long)rp_hash(g->bytes + first, count));
}

static void buffer_default(rp_text *t, const rp_graph *g, uint32_t i) {
    const rp_graph_buffer *b = &g->buffers[i];
    if (b->kind == RP_LIVE && b->first_default != RP_NONE)
        print_bytes(t, g, b->first_default, b->size);
}

static void buffer_follows(rp_text *t, const rp_graph *g, uint32_t i) {
    rp_text follows;
    rp_text_init(&follows, &g->allocator);
    if (g->buffers[i].kind == RP_LIVE) rp_print_follows(&follows, g, &g->buffers[i]);
    if (follows.size) rp_text_string(t, follows.data + strlen(" follows "));
    t->failed |= follows.failed;
    rp_text_free(&follows);
}

static void buffer_brief(rp_text *t, const rp_graph *g, uint32_t i) {
    rp_buffer_print(t, g, i);
    rp_text_format(t, " %s ", rp_buffer_kind_name(g->buffers[i].kind));
    buffer_size(t, g, i);
}

static void node_subject(rp_text *t, const rp_graph *g, uint32_t i) {
    rp_text_char(t, 'n');
    rp_text_u64(t, g->nodes[i].id);
}

static void node_work(rp_text *t, const rp_graph *g, uint32_t i) {
    const rp_graph_node *n = &g->nodes[i];
    rp_text_string(t, rp_node_kind_name(n->kind));
    if (n->kind == RP_OP) {
        rp_text_char(t, ' ');
        rp_text_string(t, rp_members_name(g, n));
    }
    if (n->kind != RP_RUN) return;
    rp_text_string(t, " @");
    rp_text_string(t, rp_graph_string(g, g->kernels[n->kernel].name));
}

static void node_brief(rp_text *t, const rp_graph *g, uint32_t i) {
    node_subject(t, g, i);
    rp_text_char(t, ' ');
    node_work(t, g, i);
}

static const char *live_name(void *context, uint32_t buffer) {
    const rp_graph *g = context;
    return rp_graph_string(g, g->buffers[buffer].name);
}

static void node_grid(rp_text *t, const rp_graph *g, uint32_t i) {
    const rp_graph_node *n = &g->nodes[i];
    if (n->kind != RP_RUN) return;
    if (n->grid_kind == RP_GRID_INDIRECT) {
        rp_text_string(t, "indirect");
        return;
    }
    for (uint32_t d = 0; d < 3; d++) {
        if (d) rp_text_char(t, ' ');
        if (n->grid_kind == RP_GRID_LIVE && (n->live_mask >> d & 1)) {
            const rp_graph_expr *e = &g->exprs[n->grid[d]];
            rp_text_char(t, '{');
            rp_expr_print(t, g->expr_ops + e->first_op, e->op_count, live_name, (void *)g);
            rp_text_char(t, '}');
        } else {
            rp_text_u64(t, n->grid[d]);
        }
    }
}

/* The words of push data as the text form writes them; longer data by hash. */
static void node_data(rp_text *t, const rp_graph *g, uint32_t i) {
    const rp_graph_node *n = &g->nodes[i];
    if (n->kind == RP_FILL)
        rp_text_format(t, "%08x", n->pattern);
    else if (n->kind == RP_BLIT)
        rp_text_string(t, rp_filter_name((rp_filter)n->pattern));
    else if (n->byte_count > RP_MAX_PUSH_BYTES || n->kind == RP_UPDATE)
        print_bytes(t, g, n->first_byte, n->byte_count);
    else
        for (uint32_t k = 0; k < n->byte_count; k++)
            rp_text_format(t, k && k % 4 == 0 ? " %02x" : "%02x", g->bytes[n->first_byte + k]);
}

static void node_uses(rp_text *t, const rp_graph *g, uint32_t i) {
    const rp_graph_node *n = &g->nodes[i];
    rp_text_string(t, n->unknown ? n->use_count ? "unknown (" : "unknown" : "(");
    for (uint32_t k = 0; k < n->use_count; k++) {
        const rp_graph_use *u = &rp_node_uses(g, n)[k];
        if (k) rp_text_string(t, ", ");
        if (u->step) rp_text_string(t, u->step == RP_USE_ELEMENT ? "next " : "also ");
        rp_text_string(t, u->indirect ? "grid" : rp_access_name(u->access));
        rp_text_string(t, u->addressed ? " address " : " ");
        rp_print_range(t, g, u);
        if (u->format)
            rp_text_format(t, " as %s", rp_image_format_name((rp_image_format)u->format));
    }
    if (!n->unknown || n->use_count) rp_text_char(t, ')');
    for (uint32_t k = 0; k < n->sampler_count; k++)
        rp_text_format(t, "%s @%s", k ? "," : " by",
                       rp_graph_string(g, g->samplers[g->sampler_refs[n->first_sampler + k]].name));
}

static void node_addresses(rp_text *t, const rp_graph *g, uint32_t i) {
    const rp_graph_node *n = &g->nodes[i];
    for (uint32_t k = 0; k < n->address_count; k++) {
        const rp_graph_address *a = &g->addresses[n->first_address + k];
        rp_text_format(t, "%s%u=%u+%llu", k ? " " : "", a->at, a->use,
                       (unsigned long long)a->offset);
    }
}

static void node_members(rp_text *t, const rp_graph *g, uint32_t i) {
    const rp_graph_node *n = &g->nodes[i];
    for (uint32_t k = 0; k < n->member_count; k++) {
        const rp_graph_member *m = &rp_node_members(g, n)[k];
        rp_text_format(t, "%sn%u = ", k ? "; " : "", m->id);
        rp_print_member(t, g, n, m);
    }
}

static void node_optional(rp_text *t, const rp_graph *g, uint32_t i) {
    if (g->nodes[i].optional) rp_text_string(t, "yes");
}

static void node_label(rp_text *t, const rp_graph *g, uint32_t i) {
    if (g->nodes[i].label != RP_NONE) rp_text_quoted(t, rp_graph_string(g, g->nodes[i].label));
}

static void node_op(rp_text *t, const rp_graph *g, uint32_t i) {
    if (g->nodes[i].op != RP_NONE) rp_text_quoted(t, rp_graph_string(g, g->nodes[i].op));
}

static const rp_diff_field kernel_fields[] = {
    {"spirv", kernel_spirv},     {"entry", kernel_entry}, {"local", kernel_local},
    {"shared", kernel_shared},   {"push", kernel_push},   {"spec", kernel_spec},
    {"interface", kernel_params}};
static const rp_diff_field sampler_fields[] = {{"fields", sampler_info}};
static const rp_diff_field buffer_fields[] = {
    {"kind", buffer_kind},       {"type", buffer_type},    {"size", buffer_size},
    {"at", buffer_offset},       {"max", buffer_max},      {"default", buffer_default},
    {"follows", buffer_follows}, {"tagged", buffer_tagged}};
static const rp_diff_field node_fields[] = {
    {"work", node_work},   {"grid", node_grid},         {"data", node_data},
    {"uses", node_uses},   {"members", node_members},   {"op", node_op},
    {"label", node_label}, {"optional", node_optional}, {"addresses", node_addresses}};

static uint32_t kernel_count(const rp_graph *g) {
    return g->kernels_count;
}
static bool kernel_present(const rp_graph *g, uint32_t i) {
    return !g->kernels[i].removed;
}
static const char *kernel_name(const rp_graph *g, uint32_t i) {
    return rp_graph_string(g, g->kernels[i].name);
}
static uint64_t kernel_key(const rp_graph *g, uint32_t i) {
    return rp_hash(kernel_name(g, i), strlen(kernel_name(g, i)));
}
static uint32_t sampler_count(const rp_graph *g) {
    return g->samplers_count;
}
static bool sampler_present(const rp_graph *g, uint32_t i) {
    (void)g, (void)i;
    return true;
}
static const char *sampler_name(const rp_graph *g, uint32_t i) {
    return rp_graph_string(g, g->samplers[i].name);
}
static uint64_t sampler_key(const rp_graph *g, uint32_t i) {
    return rp_hash(sampler_name(g, i), strlen(sampler_name(g, i)));
}
static uint32_t buffer_count(const rp_graph *g) {
    return g->buffers_count;
}
static bool buffer_present(const rp_graph *g, uint32_t i) {
    return !g->buffers[i].removed;
}
static const char *buffer_name(const rp_graph *g, uint32_t i) {
    return rp_graph_string(g, g->buffers[i].name);
}
static uint64_t buffer_key(const rp_graph *g, uint32_t i) {
    return rp_hash(buffer_name(g, i), strlen(buffer_name(g, i)));
}
static uint32_t node_count(const rp_graph *g) {
    return g->nodes_count;
}
static bool node_present(const rp_graph *g, uint32_t i) {
    return (void)g, (void)i, true;
}
static const char *node_name(const rp_graph *g, uint32_t i) {
    return (void)g, (void)i, "";
}
static uint64_t node_key(const rp_graph *g, uint32_t i) {
    return g->nodes[i].id;
}

#define FIELDS(list) list, sizeof list / sizeof *list

const rp_diff_category rp_diff_kernels = {"kernels",      kernel_count,         kernel_present,
                                          kernel_key,     kernel_name,          kernel_subject,
                                          kernel_subject, FIELDS(kernel_fields)};
const rp_diff_category rp_diff_samplers = {"samplers",      sampler_count,         sampler_present,
                                           sampler_key,     sampler_name,          sampler_subject,
                                           sampler_subject, FIELDS(sampler_fields)};
const rp_diff_category rp_diff_buffers = {"buffers",    buffer_count,         buffer_present,
                                          buffer_key,   buffer_name,          rp_buffer_print,
                                          buffer_brief, FIELDS(buffer_fields)};
const rp_diff_category rp_diff_nodes = {"nodes",   node_count,   node_present, node_key,
                                        node_name, node_subject, node_brief,   FIELDS(node_fields)};

static void graph_name(rp_text *t, const rp_graph *g, uint32_t i) {
    (void)i;
    rp_text_string(t, rp_graph_string(g, g->name));
}

static void graph_stages(rp_text *t, const rp_graph *g, uint32_t i) {
    (void)i;
    if (rp_graph_has(g, RP_STAGE_SCHEDULED)) rp_text_string(t, "scheduled ");
    if (rp_graph_has(g, RP_STAGE_PLACED)) rp_text_string(t, "placed ");
    if (rp_graph_has(g, RP_STAGE_SYNCED)) rp_text_string(t, "synced ");
    if (t->size) t->data[--t->size] = '\0';
}

static void graph_arena(rp_text *t, const rp_graph *g, uint32_t i) {
    (void)i;
    if (rp_graph_has(g, RP_STAGE_PLACED)) rp_text_u64(t, g->arena_bytes);
}

static void graph_groups(rp_text *t, const rp_graph *g, uint32_t i) {
    (void)i;
    if (rp_graph_has(g, RP_STAGE_SCHEDULED)) rp_text_u64(t, g->group_count);
}

static void graph_target(rp_text *t, const rp_graph *g, uint32_t i) {
    (void)i;
    rp_text_quoted(t, g->target.name);
}

/* target.barrier_ns and its like: one function for each figure. */
#define RP_X(field, what)                                                                          \
    static void target_##field(rp_text *t, const rp_graph *g, uint32_t i) {                        \
        (void)i;                                                                                   \
        if (g->target.field) rp_text_u64(t, g->target.field);                                      \
    }
RP_TARGET_LIST(RP_X)
#undef RP_X

static void graph_subject(rp_text *t, const rp_graph *g, uint32_t i) {
    (void)g, (void)i;
    rp_text_string(t, "graph");
}

static const rp_diff_field graph_fields[] = {{"name", graph_name},
                                             {"stages", graph_stages},
                                             {"arena", graph_arena},
                                             {"groups", graph_groups},
#define RP_X(field, what) {"target." #field, target_##field},
                                             RP_TARGET_LIST(RP_X)
#undef RP_X
                                                 {"target", graph_target}};
const rp_diff_category rp_diff_graph = {.plural = "graph",
                                        .subject = graph_subject,
                                        .fields = graph_fields,
                                        .field_count = sizeof graph_fields / sizeof *graph_fields};
