/* Playing calls: against the state that a command encoder has (kernel, bindings, push data, labels),
 * each that does something becomes a node, which is handed to whoever plays. O(1) a call, apart from
 * finding a binding among those of its kernel. */
#include "recorder/player.h"

#include <stdarg.h>
#include <stdio.h>
#include "base/checked.h"

void rp_player_init(rp_player *p, const rp_allocator *a, const rp_program *program, rp_graph *g) {
    *p = (rp_player){.a = a, .program = program, .g = g, .label = RP_NONE, .op = RP_NONE};
    rp_text_init(&p->path, a);
}

void rp_player_free(rp_player *p) {
    rp_release(p->a, p->slots);
    rp_release(p->a, p->uses);
    rp_release(p->a, p->reached);
    rp_release(p->a, p->label_ends);
    rp_text_free(&p->path);
}

void rp_player_restart(rp_player *p) {
    p->call = 0;
    p->failed = false;
    p->module = NULL;
    p->slots_count = p->label_ends_count = p->path.size = 0;
    p->reached_count = p->addresses.count = 0;
    p->label = p->op = RP_NONE;
    p->optional = 0;
}

bool rp_play_mistake(rp_player *p, rp_call_kind kind, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!p->failed) p->mistake(p, kind, text);
    p->failed = true;
    return false;
}

bool rp_play_no_memory(rp_player *p) {
    p->no_memory = true;
    return false;
}

static const char *buffer_name(const rp_player *p, uint32_t buffer) {
    return rp_graph_string(p->g, p->g->buffers[buffer].name);
}

bool rp_play_range(rp_player *p, const rp_call *c, const rp_range *range, uint64_t implied,
                   rp_graph_use *out) {
    const char *why;
    rp_call_kind kind = (rp_call_kind)c->kind;
    uint32_t index = rp_handle_index(p->program, range->buffer.id, p->g->buffers_count, &why);
    if (index == RP_NONE) return rp_play_mistake(p, kind, "buffer: %s", why);
    uint64_t total = p->g->buffers[index].size;
    if (range->offset >= total)
        return rp_play_mistake(p, kind, "buffer '%s' has %llu bytes; the range starts at %llu",
                               buffer_name(p, index), (unsigned long long)total,
                               (unsigned long long)range->offset);
    uint64_t size = range->size ? range->size : implied ? implied : total - range->offset;
    if (!rp_range_inside(range->offset, size, total))
        return rp_play_mistake(p, kind,
                               "buffer '%s' has %llu bytes; the range [%llu+%llu] ends behind them",
                               buffer_name(p, index), (unsigned long long)total,
                               (unsigned long long)range->offset, (unsigned long long)size);
    *out = (rp_graph_use){.buffer = index, .offset = range->offset, .size = size};
    return true;
}

/* ---- State ----------------------------------------------------------------------------------- */

static bool play_bind_kernel(rp_player *p, const rp_call *c) {
    const char *why;
    uint32_t index = rp_handle_index(p->program, c->x, p->module_count, &why);
    if (index == RP_NONE) return rp_play_mistake(p, RP_CALL_BIND_KERNEL, "kernel: %s", why);
    const rp_kernel_module *module = &p->modules[index];
    uint32_t slots = 0;
    for (uint32_t i = 0; i < module->binding_count; i++)
        slots += rp_binding_elements(&module->bindings[i]);
    p->slots_count = 0;
    if (!RP_RESERVE(p->a, p->slots, p->slots_count, p->slots_capacity, slots))
        return rp_play_no_memory(p);
    for (uint32_t i = 0; i < module->binding_count; i++)
        for (uint32_t e = 0; e < rp_binding_elements(&module->bindings[i]); e++)
            p->slots[p->slots_count++] = (rp_slot){.access = module->bindings[i].access};
    p->module = module;
    p->kernel = index;
    p->pushed = p->live.words = 0;
    p->reached_count = p->addresses.count = 0;
    memset(p->push, 0, sizeof p->push);
    return true;
}

rp_slot *rp_play_slots(rp_player *p, const rp_call *c, const rp_kernel_binding **out_binding) {
    rp_call_kind kind = (rp_call_kind)c->kind;
    if (!p->module) {
        rp_play_mistake(p, kind, "no kernel is bound; call rp_bind_kernel first");
        return NULL;
    }
    rp_slot *slots = p->slots;
    for (uint32_t i = 0; i < p->module->binding_count; i++) {
        *out_binding = &p->module->bindings[i];
        if ((*out_binding)->set == c->y && (*out_binding)->binding == c->z) return slots;
        slots += rp_binding_elements(*out_binding);
    }
    rp_play_mistake(p, kind, "kernel '%s' has no binding %u in set %u; it has %u bindings",
                    p->module->name, c->z, c->y, p->module->binding_count);
    return NULL;
}

static bool play_bind_access(rp_player *p, const rp_call *c) {
    const rp_kernel_binding *b;
    rp_slot *s = rp_play_slots(p, c, &b);
    if (!s) return false;
    const char *why = b->used ? rp_kernel_access_error(b, (rp_access)c->x) : NULL;
    if (why)
        return rp_play_mistake(p, RP_CALL_BIND_ACCESS, "block '%s' of kernel '%s': %s", b->name,
                               p->module->name, why);
    s->access = (uint8_t)c->x;
    return true;
}

/* Whether bytes of the push-constant block can be set. */
static bool check_push(rp_player *p, rp_call_kind kind, uint32_t offset, uint64_t size) {
    if (!p->module)
        return rp_play_mistake(p, kind, "no kernel is bound; call rp_bind_kernel first");
    if (offset % 4 != 0 || size % 4 != 0 || size == 0)
        return rp_play_mistake(p, kind,
                               "offset %u and size %llu; expected multiples of 4, and a size "
                               "greater than 0",
                               offset, (unsigned long long)size);
    if (rp_range_inside(offset, size, p->module->push_bytes)) return true;
    return rp_play_mistake(p, kind,
                           "bytes [%u+%llu] lie outside the push-constant block of kernel "
                           "'%s', which has %u bytes",
                           offset, (unsigned long long)size, p->module->name,
                           p->module->push_bytes);
}

/* Forgets the addresses among bytes that are set anew. */
static void drop_addresses(rp_player *p, uint32_t offset, uint64_t size) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->addresses.count; i++)
        if (!rp_ranges_overlap(p->addresses.items[i].at, 8, offset, size))
            p->addresses.items[kept++] = p->addresses.items[i];
        else
            memset(p->push + p->addresses.items[i].at, 0, 8);
    p->addresses.count = kept;
}

/* Where what is reached through addresses is taken. */
static bool takes_addresses(rp_player *p, rp_call_kind kind) {
    if (!p->takes_live_push)
        return rp_play_mistake(p, kind,
                               "what is encoded at once binds its buffers: it has no addresses");
    if (p->module && !p->module->addresses)
        return rp_play_mistake(p, kind, "kernel '%s' does not use buffer device addresses",
                               p->module->name);
    return true;
}

static bool play_push_address(rp_player *p, const rp_call *c) {
    rp_graph_use use;
    if (!takes_addresses(p, RP_CALL_PUSH_ADDRESS) ||
        !rp_play_range(p, c, &p->ranges[c->first_range], 0, &use) ||
        !check_push(p, RP_CALL_PUSH_ADDRESS, c->x, 8))
        return false;
    drop_addresses(p, c->x, 8);
    memset(p->push + c->x, 0, 8);
    p->pushed |= UINT64_C(3) << c->x / 4;
    p->live.words &= ~(UINT64_C(3) << c->x / 4);
    p->addresses.items[p->addresses.count++] =
        (rp_pushed_address){.at = c->x, .buffer = use.buffer, .offset = use.offset};
    return true;
}

static bool play_use_address(rp_player *p, const rp_call *c) {
    rp_graph_use use;
    if (!p->module)
        return rp_play_mistake(p, RP_CALL_USE_ADDRESS,
                               "no kernel is bound; call rp_bind_kernel first");
    if (!takes_addresses(p, RP_CALL_USE_ADDRESS) ||
        !rp_play_range(p, c, &p->ranges[c->first_range], 0, &use))
        return false;
    if (c->x > RP_READ_WRITE)
        return rp_play_mistake(p, RP_CALL_USE_ADDRESS, "the access is %u; expected r, w or rw",
                               c->x);
    if (p->reached_count == RP_MAX_PARAMS)
        return rp_play_mistake(p, RP_CALL_USE_ADDRESS, "more than %d uses", RP_MAX_PARAMS);
    if (!RP_RESERVE(p->a, p->reached, p->reached_count, p->reached_capacity, 1))
        return rp_play_no_memory(p);
    use.access = (uint8_t)c->x;
    use.addressed = true;
    p->reached[p->reached_count++] = use;
    return true;
}

static bool play_push(rp_player *p, const rp_call *c) {
    if (!check_push(p, RP_CALL_PUSH, c->x, c->size)) return false;
    drop_addresses(p, c->x, c->size);
    memcpy(p->push + c->x, p->bytes + c->first_byte, c->size);
    for (uint32_t i = c->x / 4; i < (c->x + c->size) / 4; i++) {
        p->pushed |= UINT64_C(1) << i;
        p->live.words &= ~(UINT64_C(1) << i);
    }
    return true;
}

static bool play_push_live(rp_player *p, const rp_call *c) {
    rp_graph_use use;
    if (!p->takes_live_push)
        return rp_play_mistake(p, RP_CALL_PUSH_LIVE,
                               "what is encoded at once has no live values: use rp_push");
    if (!rp_play_range(p, c, &p->ranges[c->first_range], 0, &use)) return false;
    if (p->g->buffers[use.buffer].kind != RP_LIVE)
        return rp_play_mistake(p, RP_CALL_PUSH_LIVE, "buffer '%s' is not of kind live",
                               buffer_name(p, use.buffer));
    if (use.offset % 4 != 0)
        return rp_play_mistake(p, RP_CALL_PUSH_LIVE,
                               "the range starts at byte %llu of '%s'; expected a multiple of 4",
                               (unsigned long long)use.offset, buffer_name(p, use.buffer));
    if (!check_push(p, RP_CALL_PUSH_LIVE, c->x, use.size)) return false;
    for (uint32_t i = 0; i < use.size / 4; i++) {
        uint32_t word = c->x / 4 + i;
        p->pushed |= UINT64_C(1) << word;
        p->live.words |= UINT64_C(1) << word;
        p->live.buffer[word] = use.buffer;
        p->live.offset[word] = (uint32_t)use.offset + 4 * i;
    }
    return true;
}

/* Makes `path` the label of the nodes that follow. */
static bool intern_label(rp_player *p) {
    p->label = RP_NONE;
    if (p->path.size == 0) return true;
    p->label = rp_graph_intern(p->g, p->path.data, p->path.size);
    return p->label != RP_NONE || rp_play_no_memory(p);
}

static bool play_label_begin(rp_player *p, const rp_call *c) {
    if (c->size <= 1) return rp_play_mistake(p, RP_CALL_LABEL_BEGIN, "the label is empty");
    if (!RP_RESERVE(p->a, p->label_ends, p->label_ends_count, p->label_ends_capacity, 1))
        return rp_play_no_memory(p);
    p->label_ends[p->label_ends_count++] = p->path.size;
    if (p->path.size) rp_text_char(&p->path, '/');
    rp_text_append(&p->path, (const char *)p->bytes + c->first_byte, c->size - 1);
    return p->path.failed ? rp_play_no_memory(p) : intern_label(p);
}

static bool play_label_end(rp_player *p) {
    if (p->label_ends_count == 0)
        return rp_play_mistake(p, RP_CALL_LABEL_END,
                               "no label is open; each rp_label_end needs its "
                               "rp_label_begin");
    p->path.size = p->label_ends[--p->label_ends_count];
    return intern_label(p);
}

static bool play_op_tag(rp_player *p, const rp_call *c) {
    if (c->size <= 1) return rp_play_mistake(p, RP_CALL_OP_TAG, "the tag is empty");
    p->op = rp_graph_intern(p->g, (const char *)p->bytes + c->first_byte, c->size - 1);
    return p->op != RP_NONE || rp_play_no_memory(p);
}

static bool play_optional_end(rp_player *p) {
    if (p->optional == 0)
        return rp_play_mistake(p, RP_CALL_OPTIONAL_END,
                               "nothing is open; each rp_optional_end needs its "
                               "rp_optional_begin");
    p->optional--;
    return true;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

/* A fence orders what is optional as well, and is not left out itself. */
bool rp_play_node(rp_player *p, rp_graph_node *node, const rp_graph_use *uses,
                  const uint8_t *bytes) {
    node->optional = p->optional > 0 && node->kind != RP_FENCE;
    node->label = p->label;
    node->op = p->op;
    node->pos = (rp_source_pos){p->call, p->recorder};
    p->op = RP_NONE;
    return p->add_node(p, node, uses, bytes);
}

/* What is reached through addresses, behind what is bound. */
static bool add_reached(rp_player *p, rp_call_kind kind, rp_graph_node *node) {
    uint32_t bound = node->use_count, lost;
    if (!p->module->addresses) return true;
    if (p->live.words)
        return rp_play_mistake(p, kind,
                               "kernel '%s' uses buffer device addresses: its push data cannot "
                               "follow live values",
                               p->module->name);
    if (!RP_RESERVE(p->a, p->uses, p->uses_count, p->uses_capacity,
                    bound + p->reached_count + RP_MAX_PUSH_ADDRESSES + 2))
        return rp_play_no_memory(p);
    for (uint32_t i = 0; i < p->reached_count; i++) p->uses[node->use_count++] = p->reached[i];
    rp_push_addresses addresses = p->addresses;
    rp_status status =
        rp_addresses_apply(p->g, &addresses, p->reached_count > 0, node, p->uses, bound, &lost);
    if (status == RP_ERROR_NO_MEMORY) return rp_play_no_memory(p);
    if (status == RP_OK) return true;
    return rp_play_mistake(p, kind,
                           "the address of byte %llu of '%s' is pushed, and no rp_use_address says "
                           "what is done there",
                           (unsigned long long)addresses.items[lost].offset,
                           buffer_name(p, addresses.items[lost].buffer));
}

/* Uses and push data of the bound kernel. */
static bool add_run(rp_player *p, const rp_call *c, rp_graph_node *node,
                    const rp_graph_use *indirect) {
    rp_call_kind kind = (rp_call_kind)c->kind;
    if (!p->module)
        return rp_play_mistake(p, kind, "no kernel is bound; call rp_bind_kernel first");
    if (!rp_play_bound(p, kind, node)) return false;
    for (uint32_t i = 0; i < rp_kernel_push_bytes(p->module) / 4; i++)
        if (!(p->pushed >> i & 1) && p->module->push_words >> i & 1)
            return rp_play_mistake(p, kind,
                                   "push bytes %u to %u of kernel '%s' are not set; all of its %u "
                                   "bytes must be",
                                   i * 4, i * 4 + 3, p->module->name, p->module->push_bytes);
    node->kind = RP_RUN;
    node->kernel = p->kernel;
    node->byte_count = rp_kernel_push_bytes(p->module);
    if (!add_reached(p, kind, node)) return false;
    if (indirect) p->uses[node->use_count++] = *indirect;
    return rp_play_node(p, node, p->uses, p->push);
}

static bool play_dispatch(rp_player *p, const rp_call *c) {
    rp_graph_node node = {.grid_kind = RP_GRID_DIRECT, .grid = {c->x, c->y, c->z}};
    if (c->x == 0 || c->y == 0 || c->z == 0)
        return rp_play_mistake(p, RP_CALL_DISPATCH,
                               "the grid is %u x %u x %u; each must be at least 1", c->x, c->y,
                               c->z);
    return add_run(p, c, &node, NULL);
}

static bool play_dispatch_indirect(rp_player *p, const rp_call *c) {
    rp_graph_node node = {.grid_kind = RP_GRID_INDIRECT};
    rp_graph_use use;
    if (!rp_play_range(p, c, &p->ranges[c->first_range], 12, &use)) return false;
    if (use.size < 12)
        return rp_play_mistake(p, RP_CALL_DISPATCH_INDIRECT,
                               "the range has %llu bytes; a grid has 12",
                               (unsigned long long)use.size);
    use.size = 12;
    use.access = RP_READ;
    use.indirect = true;
    return add_run(p, c, &node, &use);
}

/* A live buffer by its name, with or without '$'. */
static bool resolve_live(void *context, const char *name, size_t length, uint32_t element,
                         rp_expr_op *out) {
    rp_player *p = context;
    if (length > 0 && *name == '$') name++, length--;
    uint32_t index;
    uint32_t string = rp_graph_intern(p->g, name, length);
    if (string == RP_NONE) return rp_play_no_memory(p);
    /* Strings of `base` have the same index in its clone. */
    if (!rp_table_find(&p->program->buffer_names, string, &index) ||
        p->g->buffers[index].kind != RP_LIVE || element > UINT16_MAX)
        return false;
    *out = (rp_expr_op){.code = RP_EXPR_LIVE, .element = (uint16_t)element, .buffer = index};
    return true;
}

/* One axis of a live grid: an expression, or a number. */
static bool add_axis(rp_player *p, const char *text, uint32_t axis, rp_graph_node *node) {
    rp_expr expr = {0};
    char error[128];
    size_t at = 0;
    rp_status status = rp_expr_parse(p->a, text, strlen(text), resolve_live, p, &expr, error, &at);
    if (status == RP_ERROR_NO_MEMORY || p->no_memory) {
        rp_expr_free(p->a, &expr);
        return rp_play_no_memory(p);
    }
    if (status != RP_OK)
        return rp_play_mistake(p, RP_CALL_DISPATCH_LIVE, "grid %c, \"%.100s\", character %zu: %s",
                               "xyz"[axis], text, at + 1, error);
    bool constant = expr.count == 1 && expr.ops[0].code == RP_EXPR_CONST;
    int64_t value = constant ? expr.ops[0].value : 1;
    node->grid[axis] = (uint32_t)value;
    if (!constant) {
        node->grid[axis] = rp_graph_add_expr(p->g, expr.ops, expr.count);
        node->live_mask |= (uint8_t)(1u << axis);
    }
    rp_expr_free(p->a, &expr);
    if (value < 1 || value > UINT32_MAX)
        return rp_play_mistake(p, RP_CALL_DISPATCH_LIVE,
                               "grid %c is %lld; expected 1 to 4294967295", "xyz"[axis],
                               (long long)value);
    return constant || node->grid[axis] != RP_NONE || rp_play_no_memory(p);
}

static bool play_dispatch_live(rp_player *p, const rp_call *c) {
    rp_graph_node node = {.grid_kind = RP_GRID_LIVE};
    const char *text = (const char *)p->bytes + c->first_byte;
    for (uint32_t axis = 0; axis < 3; axis++, text += strlen(text) + 1)
        if (!add_axis(p, text, axis, &node)) return false;
    if (node.live_mask == 0) node.grid_kind = RP_GRID_DIRECT;
    return add_run(p, c, &node, NULL);
}

static bool play_copy(rp_player *p, const rp_call *c) {
    rp_graph_node node = {.kind = RP_COPY, .kernel = RP_NONE, .use_count = 2};
    rp_graph_use uses[2];
    const rp_range *ranges = &p->ranges[c->first_range];
    if (!rp_play_range(p, c, &ranges[0], 0, &uses[0]) ||
        !rp_play_range(p, c, &ranges[1], 0, &uses[1]))
        return false;
    if (uses[0].size != uses[1].size)
        return rp_play_mistake(p, RP_CALL_COPY,
                               "the source has %llu bytes, the destination %llu; expected "
                               "the same",
                               (unsigned long long)uses[0].size, (unsigned long long)uses[1].size);
    uses[0].access = RP_READ;
    uses[1].access = RP_WRITE;
    return rp_play_node(p, &node, uses, NULL);
}

static bool play_fill(rp_player *p, const rp_call *c) {
    rp_graph_node node = {.kind = RP_FILL, .kernel = RP_NONE, .pattern = c->x, .use_count = 1};
    rp_graph_use use;
    if (!rp_play_range(p, c, &p->ranges[c->first_range], 0, &use)) return false;
    use.access = RP_WRITE;
    return rp_play_node(p, &node, &use, NULL);
}

static bool play_update(rp_player *p, const rp_call *c) {
    rp_graph_node node = {
        .kind = RP_UPDATE, .kernel = RP_NONE, .use_count = 1, .byte_count = c->size};
    rp_graph_use use;
    if (!rp_play_range(p, c, &p->ranges[c->first_range], c->size, &use)) return false;
    if (use.size != c->size)
        return rp_play_mistake(p, RP_CALL_UPDATE,
                               "%u bytes of data for a range of %llu; expected the same", c->size,
                               (unsigned long long)use.size);
    use.access = RP_WRITE;
    return rp_play_node(p, &node, &use, p->bytes + c->first_byte);
}

static bool play_fence(rp_player *p) {
    rp_graph_node node = {.kind = RP_FENCE, .kernel = RP_NONE};
    return rp_play_node(p, &node, NULL, NULL);
}

/* ---- The calls ------------------------------------------------------------------------------- */

bool rp_play_call(rp_player *p, const rp_call *c) {
    switch ((rp_call_kind)c->kind) {
    case RP_CALL_BIND_KERNEL: return play_bind_kernel(p, c);
    case RP_CALL_BIND:
    case RP_CALL_BIND_IN_SET:
    case RP_CALL_BIND_ELEMENT:
    case RP_CALL_BIND_TEXELS: return rp_play_bind_element(p, c);
    case RP_CALL_BIND_IMAGE:
    case RP_CALL_BIND_COMBINED: return rp_play_bind_image(p, c);
    case RP_CALL_BIND_SAMPLER: return rp_play_bind_sampler(p, c);
    case RP_CALL_BIND_ACCESS: return play_bind_access(p, c);
    case RP_CALL_PUSH: return play_push(p, c);
    case RP_CALL_PUSH_LIVE: return play_push_live(p, c);
    case RP_CALL_PUSH_ADDRESS: return play_push_address(p, c);
    case RP_CALL_USE_ADDRESS: return play_use_address(p, c);
    case RP_CALL_DISPATCH: return play_dispatch(p, c);
    case RP_CALL_DISPATCH_INDIRECT: return play_dispatch_indirect(p, c);
    case RP_CALL_DISPATCH_LIVE: return play_dispatch_live(p, c);
    case RP_CALL_APPLY: return rp_play_apply(p, c);
    case RP_CALL_COPY: return play_copy(p, c);
    case RP_CALL_COPY_IMAGE:
    case RP_CALL_COPY_TO_IMAGE:
    case RP_CALL_COPY_FROM_IMAGE:
    case RP_CALL_BLIT:
    case RP_CALL_MAKE_MIPS:
    case RP_CALL_CLEAR: return rp_play_image_transfer(p, c);
    case RP_CALL_FILL: return play_fill(p, c);
    case RP_CALL_UPDATE: return play_update(p, c);
    case RP_CALL_FENCE: return play_fence(p);
    case RP_CALL_LABEL_BEGIN: return play_label_begin(p, c);
    case RP_CALL_LABEL_END: return play_label_end(p);
    case RP_CALL_OP_TAG: return play_op_tag(p, c);
    case RP_CALL_OPTIONAL_BEGIN: p->optional++; return true;
    case RP_CALL_OPTIONAL_END: return play_optional_end(p);
    }
    return false;
}
