/* Validation of a plan, second part: all records but those of nodes. One function a section; each
 * first says where it is (enter), then checks its records in order, so that a message needs to say
 * only what is wrong. Sections are checked before those that refer to them. */
#include "plan/validate.h"

#include "base/checked.h"
#include "base/image.h"
#include "base/scope.h"
#include "base/shape.h"

static const void *enter(rp_plan_validation *check, rp_section section) {
    check->section = section;
    check->record = UINT32_MAX;
    return rp_plan_records(check->plan, section);
}

bool rp_plan_take(rp_plan_validation *check, rp_section section, uint32_t first, uint32_t count) {
    uint32_t *taken = &check->taken[section];
    if (first != *taken || count > rp_plan_count(check->plan, section) - *taken) return false;
    *taken += count;
    return true;
}

/* A string index points to the start of a string, and every string is terminated (check_strings).
 */
bool rp_plan_string_valid(const rp_plan_validation *check, uint32_t string) {
    const char *strings = rp_plan_records(check->plan, RP_SECTION_STRINGS);
    return string < rp_plan_count(check->plan, RP_SECTION_STRINGS) &&
           (string == 0 || strings[string - 1] == '\0');
}

static rp_status check_strings(rp_plan_validation *check) {
    const char *strings = enter(check, RP_SECTION_STRINGS);
    uint32_t count = rp_plan_count(check->plan, RP_SECTION_STRINGS);
    if (count && strings[count - 1] != '\0')
        return rp_plan_damaged(check, "the last string is not terminated");
    return RP_OK;
}

static rp_status check_text(rp_plan_validation *check, rp_section section) {
    const char *text = enter(check, section);
    uint32_t count = rp_plan_count(check->plan, section);
    const char *end = memchr(text, '\0', count);
    if (!end) return rp_plan_damaged(check, "the text is not terminated");
    if (end != text + count - 1)
        return rp_plan_damaged(check, "the text ends at byte %zu of %u", (size_t)(end - text),
                               count - 1);
    return RP_OK;
}

static rp_status check_graph(rp_plan_validation *check) {
    const rp_plan_graph *graph = enter(check, RP_SECTION_GRAPH);
    uint32_t count = rp_plan_count(check->plan, RP_SECTION_GRAPH);
    if (count != 1) return rp_plan_damaged(check, "there are %u records instead of 1", count);
    check->record = 0;
    if (!rp_plan_string_valid(check, graph->name))
        return rp_plan_damaged(check, "the name %u is not a string", graph->name);
    if (graph->arena_bytes > RP_PLAN_MAX_BYTES)
        return rp_plan_damaged(check, "an arena of %llu bytes is too large",
                               (unsigned long long)graph->arena_bytes);
    return RP_OK;
}

static rp_status check_shape(rp_plan_validation *check, const rp_plan_buffer *b) {
    if (b->rank > RP_MAX_RANK || !rp_plan_take(check, RP_SECTION_DIMS, b->first_dim, b->rank))
        return rp_plan_damaged(check,
                               "a shape of rank %u at dimension %u; at most %d at %u are expected",
                               b->rank, b->first_dim, RP_MAX_RANK, check->taken[RP_SECTION_DIMS]);
    if (b->dtype == RP_RAW && b->rank > 0)
        return rp_plan_damaged(check, "a shape of rank %u does not fit element type %s", b->rank,
                               rp_dtype_name((rp_dtype)b->dtype));
    if (b->dtype == RP_RAW) return RP_OK;
    const uint64_t *dims =
        (const uint64_t *)rp_plan_records(check->plan, RP_SECTION_DIMS) + b->first_dim;
    uint64_t bytes;
    if (!rp_shape_has_blocks((rp_dtype)b->dtype, b->rank, dims))
        return rp_plan_damaged(check, "its last dimension is not a multiple of %u",
                               rp_dtype_block((rp_dtype)b->dtype));
    if (!rp_shape_bytes((rp_dtype)b->dtype, b->rank, dims, &bytes))
        return rp_plan_damaged(check, "its shape overflows");
    if (bytes != b->size)
        return rp_plan_damaged(check, "its shape makes %llu bytes, its size is %llu",
                               (unsigned long long)bytes, (unsigned long long)b->size);
    return RP_OK;
}

/* An image has its shape, and the bytes of it. */
static rp_status check_image(rp_plan_validation *check, const rp_plan_buffer *b) {
    const rp_image_shape shape = rp_plan_image(b);
    if (!rp_plan_is_image(b)) {
        if (b->dim || b->mips || b->width || b->height || b->depth || b->layers)
            return rp_plan_damaged(check, "it has fields of an image and is none");
        return RP_OK;
    }
    const char *wrong = rp_image_wrong(&shape);
    if (wrong) return rp_plan_damaged(check, "there is no such image: %s", wrong);
    if (b->kind == RP_LIVE || b->dtype != RP_RAW || b->size != rp_image_bytes(&shape))
        return rp_plan_damaged(check, "an image of %llu bytes, kind %s and element type %s",
                               (unsigned long long)b->size,
                               rp_buffer_kind_name((rp_buffer_kind)b->kind),
                               rp_dtype_name((rp_dtype)b->dtype));
    return RP_OK;
}

static rp_status check_buffer_memory(rp_plan_validation *check, const rp_plan_buffer *b) {
    const rp_plan_graph *graph = rp_plan_records(check->plan, RP_SECTION_GRAPH);
    unsigned long long offset = b->offset, size = b->size;
    if (b->size == 0 || b->size > RP_MAX_BUFFER_BYTES)
        return rp_plan_damaged(check, "a size of %llu bytes is not allowed", size);
    if (b->kind == RP_TMP && rp_plan_is_image(b)) {
        if (b->offset >= rp_plan_count(check->plan, RP_SECTION_BUFFERS))
            return rp_plan_damaged(check, "alias set %llu; there are %u buffers", offset,
                                   rp_plan_count(check->plan, RP_SECTION_BUFFERS));
    } else if (b->kind == RP_TMP) {
        if (b->offset % RP_ARENA_ALIGNMENT)
            return rp_plan_damaged(check, "arena offset %llu is not a multiple of %d", offset,
                                   RP_ARENA_ALIGNMENT);
        if (!rp_range_inside(b->offset, rp_plan_footprint(b, b->size), graph->arena_bytes))
            return rp_plan_damaged(check,
                                   "%llu bytes at arena offset %llu exceed the arena of %llu", size,
                                   offset, (unsigned long long)graph->arena_bytes);
    } else if (b->offset != UINT64_MAX) {
        return rp_plan_damaged(check, "it has arena offset %llu and is no transient", offset);
    }
    if (!rp_plan_take(check, RP_SECTION_FOLLOWS, b->first_follow, b->follow_count))
        return rp_plan_damaged(
            check, "follows %u + %u do not follow those before, or exceed section follows",
            b->first_follow, b->follow_count);
    if (b->kind != RP_LIVE) {
        if (b->first_default != UINT32_MAX || b->max_value != UINT32_MAX || b->follow_count)
            return rp_plan_damaged(check, "it has live values' fields and is not live");
        return RP_OK;
    }
    if (rp_dtype_block((rp_dtype)b->dtype) > 1)
        return rp_plan_damaged(check, "it is live, and of the block-quantised element type %s",
                               rp_dtype_name((rp_dtype)b->dtype));
    if (b->max_value != UINT32_MAX && b->dtype != RP_U32 && b->dtype != RP_I32)
        return rp_plan_damaged(check, "it has a largest value and elements of type %s",
                               rp_dtype_name((rp_dtype)b->dtype));
    if (b->size > RP_MAX_LIVE_BYTES)
        return rp_plan_damaged(check, "%llu bytes of live values exceed %d", size,
                               RP_MAX_LIVE_BYTES);
    if (b->first_default != UINT32_MAX &&
        !rp_plan_take(check, RP_SECTION_BYTES, b->first_default, (uint32_t)b->size))
        return rp_plan_damaged(check,
                               "its %llu first bytes are at %u of section bytes instead of %u",
                               size, b->first_default, check->taken[RP_SECTION_BYTES]);
    return RP_OK;
}

/* What a live buffer follows: the sources are valid themselves where they stand before it. */
static rp_status check_follows(rp_plan_validation *check, uint32_t index) {
    const rp_plan_buffer *buffers = rp_plan_records(check->plan, RP_SECTION_BUFFERS);
    const rp_plan_follow *follows = rp_plan_records(check->plan, RP_SECTION_FOLLOWS);
    const rp_plan_buffer *b = &buffers[index];
    uint64_t end = 0;
    if (b->follow_count && b->max_value != UINT32_MAX)
        return rp_plan_damaged(check, "it follows others and has a largest value");
    for (uint32_t i = 0; i < b->follow_count; i++) {
        const rp_plan_follow *f = &follows[b->first_follow + i];
        const rp_plan_buffer *from = &buffers[f->buffer < index ? f->buffer : index];
        if (f->buffer >= index || from->kind != RP_LIVE || from->follow_count)
            return rp_plan_damaged(check, "it follows buffer %u, which is none to follow",
                                   f->buffer);
        if (f->size == 0 || (f->from | f->to | f->size) % 4 || f->to < end ||
            !rp_range_inside(f->from, f->size, from->size) ||
            !rp_range_inside(f->to, f->size, b->size))
            return rp_plan_damaged(check, "bytes %u + %u of buffer %u do not fit to byte %u",
                                   f->from, f->size, f->buffer, f->to);
        end = (uint64_t)f->to + f->size;
    }
    return RP_OK;
}

static rp_status check_buffers(rp_plan_validation *check) {
    const rp_plan_buffer *buffers = enter(check, RP_SECTION_BUFFERS);
    uint32_t count = rp_plan_count(check->plan, RP_SECTION_BUFFERS), externals = 0;
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        const rp_plan_buffer *b = &buffers[i];
        check->record = i;
        if (!rp_plan_string_valid(check, b->name))
            return rp_plan_damaged(check, "the name %u is not a string", b->name);
        if (!rp_buffer_kind_name((rp_buffer_kind)b->kind) || !rp_dtype_name((rp_dtype)b->dtype))
            return rp_plan_damaged(check, "kind %u or element type %u is unknown", b->kind,
                                   b->dtype);
        if (b->tagged > 1 ||
            (b->tagged && (!rp_plan_in_arena(b) ||
                           (b->dtype != RP_F32 && b->dtype != RP_I32 && b->dtype != RP_U32))))
            return rp_plan_damaged(check, "it is tagged (%u), and no transient of f32, i32 or u32",
                                   b->tagged);
        RP_TRY(check_shape(check, b));
        RP_TRY(check_image(check, b));
        RP_TRY(check_buffer_memory(check, b));
        RP_TRY(check_follows(check, i));
        if (b->kind == RP_TMP) continue;
        if (externals++ != i) return rp_plan_damaged(check, "it stands behind a transient");
        if (b->size > RP_PLAN_MAX_BYTES || (total += b->size) > RP_PLAN_MAX_BYTES)
            return rp_plan_damaged(check, "the sizes of all buffers add up to too much");
    }
    check->plan->external_count = externals;
    return RP_OK;
}

static rp_status check_samplers(rp_plan_validation *check) {
    const rp_plan_sampler *samplers = enter(check, RP_SECTION_SAMPLERS);
    for (uint32_t i = 0; i < rp_plan_count(check->plan, RP_SECTION_SAMPLERS); i++) {
        const rp_sampler_info info = rp_plan_sampler_info(&samplers[i]);
        const char *wrong = rp_sampler_wrong(&info);
        check->record = i;
        if (!rp_plan_string_valid(check, samplers[i].name))
            return rp_plan_damaged(check, "the name %u is not a string", samplers[i].name);
        if (wrong) return rp_plan_damaged(check, "there is no such sampler: %s", wrong);
    }
    return RP_OK;
}

/* What a param is, and that its access goes with it. */
static bool resource_fits(const rp_plan_param *p) {
    bool sampled = p->access == RP_SAMPLED;
    if (!rp_resource_name((rp_resource)p->resource) || !rp_view_name((rp_view)p->view) ||
        !rp_texel_name((rp_texel)p->texel) || p->elements > RP_MAX_USES)
        return false;
    if (p->format && (!rp_image_format_name((rp_image_format)p->format) ||
                      rp_image_format_get((rp_image_format)p->format).texel != p->texel))
        return false;
    switch ((rp_resource)p->resource) {
    case RP_RESOURCE_BUFFER: return !sampled;
    case RP_RESOURCE_IMAGE:
    case RP_RESOURCE_TEXELS: return p->access != RP_UNIFORM && !p->skip;
    case RP_RESOURCE_COMBINED:
    case RP_RESOURCE_SAMPLER: return sampled && !p->skip;
    case RP_RESOURCE_STALL: return p->access == RP_READ_WRITE && !p->skip && !p->elements;
    }
    return false;
}

/* No two params of a kernel share a binding. Seen bindings are bits, cleared again by the same
 * walk: linear, whatever the number of kernels. */
static rp_status check_params(rp_plan_validation *check, const rp_plan_kernel *k,
                              uint64_t seen[1024]) {
    const rp_plan_param *params =
        (const rp_plan_param *)rp_plan_records(check->plan, RP_SECTION_PARAMS) + k->first_param;
    uint32_t bad = UINT32_MAX, checked = 0;
    for (; checked < k->param_count && bad == UINT32_MAX; checked++) {
        const rp_plan_param *p = &params[checked];
        uint32_t bit = (uint32_t)p->set * 256 + p->binding;
        if (!rp_access_name((rp_access)p->access) || !resource_fits(p) ||
            (p->skip && p->access == RP_UNIFORM) || (seen[bit / 64] >> bit % 64 & 1))
            bad = checked;
        seen[bit / 64] |= UINT64_C(1) << bit % 64;
    }
    while (checked-- > 0) {
        uint32_t bit = (uint32_t)params[checked].set * 256 + params[checked].binding;
        seen[bit / 64] &= ~(UINT64_C(1) << bit % 64);
    }
    if (bad == UINT32_MAX) return RP_OK;
    return rp_plan_damaged(check, "param %u (access %u, set %u, binding %u) is invalid or taken",
                           bad, params[bad].access, params[bad].set, params[bad].binding);
}

static rp_status check_specs(rp_plan_validation *check, const rp_plan_kernel *k) {
    const rp_plan_spec *specs =
        (const rp_plan_spec *)rp_plan_records(check->plan, RP_SECTION_SPECS) + k->first_spec;
    for (uint32_t i = 0; i < k->spec_count; i++) {
        if (i && specs[i - 1].id >= specs[i].id)
            return rp_plan_damaged(check, "its specialisation constants are not in order of id");
        if (!rp_constant_fits(specs[i].bytes, specs[i].value))
            return rp_plan_damaged(check, "specialisation constant %u has %u bytes, or more bits",
                                   specs[i].id, specs[i].bytes);
    }
    return RP_OK;
}

static rp_status check_kernels(rp_plan_validation *check) {
    const rp_plan_kernel *kernels = enter(check, RP_SECTION_KERNELS);
    uint64_t seen[1024] = {0};
    for (uint32_t i = 0; i < rp_plan_count(check->plan, RP_SECTION_KERNELS); i++) {
        const rp_plan_kernel *k = &kernels[i];
        check->record = i;
        if (!rp_plan_string_valid(check, k->name) || !rp_plan_string_valid(check, k->entry))
            return rp_plan_damaged(check, "the name %u or the entry %u is not a string", k->name,
                                   k->entry);
        if (!rp_plan_take(check, RP_SECTION_WORDS, k->first_word, k->word_count) ||
            !rp_plan_take(check, RP_SECTION_PARAMS, k->first_param, k->param_count) ||
            !rp_plan_take(check, RP_SECTION_SPECS, k->first_spec, k->spec_count))
            return rp_plan_damaged(
                check, "its words, params or specs do not follow those before, or exceed "
                       "their sections");
        if (k->local[0] == 0 || k->local[1] == 0 || k->local[2] == 0)
            return rp_plan_damaged(check, "a workgroup of %u x %u x %u is empty", k->local[0],
                                   k->local[1], k->local[2]);
        if (k->push_bytes % 4 || k->push_bytes > RP_MAX_PUSH_BYTES)
            return rp_plan_damaged(check,
                                   "%u bytes of push constants: a multiple of 4 up to %d is "
                                   "allowed",
                                   k->push_bytes, RP_MAX_PUSH_BYTES);
        if (k->reserved) return rp_plan_damaged(check, "reserved is not zero");
        RP_TRY(check_params(check, k, seen));
        RP_TRY(check_specs(check, k));
        RP_TRY(rp_plan_check_spirv(check, k));
    }
    return RP_OK;
}

/* A live operand is an integer element of a live buffer. */
static rp_status check_live_operand(rp_plan_validation *check, const rp_expr_op *op) {
    const rp_plan_buffer *buffers = rp_plan_records(check->plan, RP_SECTION_BUFFERS);
    const rp_plan_buffer *b = &buffers[op->buffer];
    uint64_t width = rp_dtype_size((rp_dtype)b->dtype);
    if (b->follow_count)
        return rp_plan_damaged(check, "buffer %u follows others and is read by a grid", op->buffer);
    if (b->kind != RP_LIVE || (b->dtype != RP_U32 && b->dtype != RP_I32))
        return rp_plan_damaged(check, "buffer %u does not hold live 32-bit integers", op->buffer);
    if (!rp_range_inside(op->element * width, width, b->size))
        return rp_plan_damaged(check, "buffer %u has no element %u", op->buffer, op->element);
    return RP_OK;
}

static rp_status check_exprs(rp_plan_validation *check) {
    const rp_plan_expr *exprs = enter(check, RP_SECTION_EXPRS);
    const rp_expr_op *ops = rp_plan_records(check->plan, RP_SECTION_EXPR_OPS);
    uint32_t buffers = rp_plan_count(check->plan, RP_SECTION_BUFFERS);
    for (uint32_t i = 0; i < rp_plan_count(check->plan, RP_SECTION_EXPRS); i++) {
        check->record = i;
        if (!rp_plan_take(check, RP_SECTION_EXPR_OPS, exprs[i].first_op, exprs[i].op_count))
            return rp_plan_damaged(
                check,
                "steps %u + %u do not follow those before, or exceed section expr "
                "ops",
                exprs[i].first_op, exprs[i].op_count);
        const rp_expr_op *code = ops + exprs[i].first_op;
        if (!rp_expr_valid(code, exprs[i].op_count, buffers))
            return rp_plan_damaged(check, "the expression is not well formed");
        for (uint32_t j = 0; j < exprs[i].op_count; j++)
            if (code[j].code == RP_EXPR_LIVE) RP_TRY(check_live_operand(check, &code[j]));
    }
    return RP_OK;
}

/* The largest value of a live element. */
static bool largest(void *context, uint32_t buffer, uint32_t element, int64_t *out) {
    const rp_plan_buffer *buffers = context;
    (void)element;
    *out = buffers[buffer].max_value;
    return true;
}

/* A dimension that follows live values is what they make of it where they are largest: it grows with
 * them, so that is its largest. */
static rp_status check_size(rp_plan_validation *check, const rp_plan_buffer *b, uint64_t dim,
                            uint32_t index) {
    const rp_plan_buffer *buffers = rp_plan_records(check->plan, RP_SECTION_BUFFERS);
    const rp_plan_expr *exprs = rp_plan_records(check->plan, RP_SECTION_EXPRS);
    const rp_expr_op *ops = rp_plan_records(check->plan, RP_SECTION_EXPR_OPS);
    int64_t most = 0;
    const char *why;
    if (b->kind == RP_LIVE)
        return rp_plan_damaged(check, "the shape of a live buffer follows none");
    if (!rp_plan_take(check, RP_SECTION_EXPRS, index, 1))
        return rp_plan_damaged(check, "expression index %u is not the next of %u", index,
                               rp_plan_count(check->plan, RP_SECTION_EXPRS));
    const rp_expr_op *code = ops + exprs[index].first_op;
    for (uint32_t i = 0; i < exprs[index].op_count; i++) {
        const rp_expr_op *op = &code[i];
        bool live = op->code == RP_EXPR_LIVE && buffers[op->buffer].dtype == RP_U32 &&
                    buffers[op->buffer].max_value != UINT32_MAX;
        if (op->code == RP_EXPR_LIVE
                ? !live
                : op->code == RP_EXPR_SUB || op->code == RP_EXPR_MOD || op->code == RP_EXPR_NEG ||
                      (op->code == RP_EXPR_CONST && op->value < 0))
            return rp_plan_damaged(check,
                                   "step %u of expression %u does not grow with live values "
                                   "of u32 that have a largest",
                                   i, index);
    }
    if (!rp_expr_eval(code, exprs[index].op_count, largest, (void *)buffers, &most, &why) ||
        most < 0 || (uint64_t)most != dim)
        return rp_plan_damaged(check, "expression %u is %lld at its largest, the dimension is %llu",
                               index, (long long)most, (unsigned long long)dim);
    return RP_OK;
}

/* As many as dimensions, where some dimension follows live values. */
static rp_status check_sizes(rp_plan_validation *check) {
    const rp_plan_buffer *buffers = rp_plan_records(check->plan, RP_SECTION_BUFFERS);
    const uint64_t *dims = rp_plan_records(check->plan, RP_SECTION_DIMS);
    const uint32_t *sizes = enter(check, RP_SECTION_SIZES);
    uint32_t count = rp_plan_count(check->plan, RP_SECTION_SIZES), followed = 0;
    if (count == 0) return RP_OK;
    if (count != rp_plan_count(check->plan, RP_SECTION_DIMS))
        return rp_plan_damaged(check, "there are %u for %u dimensions", count,
                               rp_plan_count(check->plan, RP_SECTION_DIMS));
    for (uint32_t i = 0; i < rp_plan_count(check->plan, RP_SECTION_BUFFERS); i++)
        for (uint32_t d = 0; d < buffers[i].rank; d++) {
            uint32_t at = check->record = buffers[i].first_dim + d;
            if (sizes[at] == UINT32_MAX) continue;
            RP_TRY(check_size(check, &buffers[i], dims[at], sizes[at]));
            followed++;
        }
    check->record = UINT32_MAX;
    return followed ? RP_OK : rp_plan_damaged(check, "no dimension follows live values");
}

/* Those of the form `tagged`: as many, where some buffer is tagged. */
static rp_status check_tagged_barriers(rp_plan_validation *check) {
    const rp_plan_buffer *buffers = rp_plan_records(check->plan, RP_SECTION_BUFFERS);
    const rp_plan_barrier *barriers = enter(check, RP_SECTION_TAGGED_BARRIERS);
    uint32_t count = rp_plan_count(check->plan, RP_SECTION_TAGGED_BARRIERS), wanted = 0;
    for (uint32_t i = 0; i < rp_plan_count(check->plan, RP_SECTION_BUFFERS); i++)
        if (buffers[i].tagged) wanted = rp_plan_count(check->plan, RP_SECTION_BARRIERS);
    if (count != wanted)
        return rp_plan_damaged(check, "there are %u barriers of the tagged form instead of %u",
                               count, wanted);
    for (uint32_t i = 0; i < count; i++) {
        check->record = i;
        if ((barriers[i].src | barriers[i].dst) & ~(uint32_t)RP_SCOPE_ALL)
            return rp_plan_damaged(check, "scopes %#x -> %#x have unknown bits", barriers[i].src,
                                   barriers[i].dst);
    }
    check->record = UINT32_MAX;
    return RP_OK;
}

static rp_status check_barriers(rp_plan_validation *check) {
    const rp_plan_graph *graph = rp_plan_records(check->plan, RP_SECTION_GRAPH);
    const rp_plan_barrier *barriers = enter(check, RP_SECTION_BARRIERS);
    uint32_t count = rp_plan_count(check->plan, RP_SECTION_BARRIERS), between = 0;
    uint32_t groups = rp_plan_count(check->plan, RP_SECTION_GROUPS);
    if (count != groups + 1)
        return rp_plan_damaged(check,
                               "there are %u barriers for %u groups, one more than groups is "
                               "needed",
                               count, groups);
    for (uint32_t i = 0; i < count; i++) {
        check->record = i;
        if ((barriers[i].src | barriers[i].dst) & ~(uint32_t)RP_SCOPE_ALL)
            return rp_plan_damaged(check, "scopes %#x -> %#x have unknown bits", barriers[i].src,
                                   barriers[i].dst);
        if (i > 0 && i < groups && (barriers[i].src | barriers[i].dst)) between++;
    }
    check->record = UINT32_MAX;
    if (between != graph->barrier_count)
        return rp_plan_damaged(check, "%u barriers stand between groups, the graph states %u",
                               between, graph->barrier_count);
    return RP_OK;
}

static rp_status check_certificate(rp_plan_validation *check) {
    const rp_certificate *certificate = enter(check, RP_SECTION_CERTIFICATE);
    uint32_t count = rp_plan_count(check->plan, RP_SECTION_CERTIFICATE);
    if (count != 1) return rp_plan_damaged(check, "there are %u records instead of 1", count);
    if (certificate->verdict != 1 && certificate->verdict != 2)
        return rp_plan_damaged(check, "the verdict %u is unknown", certificate->verdict);
    return RP_OK;
}

rp_status rp_plan_check_records(rp_plan_validation *check) {
    RP_TRY(check_strings(check));
    RP_TRY(check_graph(check));
    RP_TRY(check_buffers(check));
    RP_TRY(check_kernels(check));
    RP_TRY(check_samplers(check));
    RP_TRY(check_exprs(check));
    RP_TRY(check_sizes(check));
    RP_TRY(check_barriers(check));
    RP_TRY(check_tagged_barriers(check));
    RP_TRY(check_text(check, RP_SECTION_TEXT));
    RP_TRY(check_text(check, RP_SECTION_SOURCE_TEXT));
    return check_certificate(check);
}
