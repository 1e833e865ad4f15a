/* Programs: the buffers, samplers and kernels that recorders share.
 *
 * A program keeps them in a graph without nodes; joining recorders clones it and appends the nodes
 * (join.c). One mutex guards the lists. Kernels are built outside of it, because
 * compiling GLSL takes milliseconds and several threads may want to at once; only the name is then
 * entered under the lock, so of two kernels with one name the later to finish is refused. */
#include "recorder/recorder.h"

#include <stdatomic.h>
#include <stdio.h>
#include "base/checked.h"
#include "base/shape.h"
#include "base/image.h"
#include "base/sized.h"
#include "graph/keywords.h"

enum { SERIAL_MASK = (1 << (32 - RP_HANDLE_INDEX_BITS)) - 1 };

/* Numbers programs, so that handles of one are noticed in another. */
static atomic_uint next_serial;

rp_status rp_program_create(const rp_allocator *allocator, const char *name,
                            rp_program **out_program) {
    if (!out_program) return RP_ERROR_USAGE;
    *out_program = NULL;
    if (!name || !rp_name_valid(name, strlen(name))) return RP_ERROR_USAGE;
    rp_allocator a = rp_allocator_or_default(allocator);
    rp_program *p = rp_alloc_zero(&a, 1, sizeof *p);
    if (!p) return RP_ERROR_NO_MEMORY;
    p->allocator = a;
    p->base = rp_graph_create(&a, name);
    if (!p->base || pthread_mutex_init(&p->mutex, NULL) != 0) {
        rp_graph_destroy(p->base);
        rp_release(&a, p);
        return RP_ERROR_NO_MEMORY;
    }
    p->serial = atomic_fetch_add(&next_serial, 1) & SERIAL_MASK;
    *out_program = p;
    return RP_OK;
}

rp_status rp_program_set_target(rp_program *program, const rp_target *target) {
    if (!program) return RP_ERROR_USAGE;
    pthread_mutex_lock(&program->mutex);
    rp_status status = rp_graph_set_target(program->base, target);
    pthread_mutex_unlock(&program->mutex);
    return status;
}

void rp_program_destroy(rp_program *program) {
    if (!program) return;
    rp_allocator a = program->allocator;
    for (uint32_t i = 0; i < program->modules_count; i++) rp_kernel_free(&program->modules[i]);
    rp_release(&a, program->modules);
    rp_release(&a, program->extents);
    rp_release(&a, program->ranges);
    rp_table_free(&a, &program->buffer_names);
    rp_table_free(&a, &program->kernel_names);
    rp_table_free(&a, &program->sampler_names);
    rp_graph_destroy(program->base);
    pthread_mutex_destroy(&program->mutex);
    rp_release(&a, program);
}

/* ---- Handles --------------------------------------------------------------------------------- */

uint32_t rp_handle_make(const rp_program *program, uint32_t index) {
    return (program->serial << RP_HANDLE_INDEX_BITS | index) + 1;
}

uint32_t rp_handle_index(const rp_program *program, uint32_t handle, uint32_t count,
                         const char **why) {
    *why = "the handle is 0: it was never created";
    if (handle == 0) return RP_NONE;
    *why = "the handle belongs to another program";
    if ((handle - 1) >> RP_HANDLE_INDEX_BITS != program->serial) return RP_NONE;
    *why = "the handle was never handed out by this program";
    uint32_t index = (handle - 1) & RP_MAX_HANDLES;
    return index < count ? index : RP_NONE;
}

/* ---- Names ----------------------------------------------------------------------------------- */

/* A new name's string in `base`; the mutex is held. */
static rp_status take_name(rp_program *p, const rp_table *names, const char *name, const char *what,
                           rp_diags *diags, uint32_t *out_string) {
    uint32_t other;
    *out_string = rp_graph_intern(p->base, name, strlen(name));
    if (*out_string == RP_NONE) return RP_ERROR_NO_MEMORY;
    if (!rp_table_find(names, *out_string, &other)) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s '%s': there is another of this name", what, name);
    return RP_ERROR_INVALID;
}

static rp_status check_name(const char *name, const char *what, rp_diags *diags) {
    /* '-' is a minus in the expressions of grids, and keeps the names of kernel variants apart. */
    if (name && rp_name_valid(name, strlen(name)) && !strchr(name, '-')) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "%s: %s%.60s%s is not a name; expected letters, digits, '_' and '.', not starting "
                 "with a digit",
                 what, name ? "'" : "", name ? name : "NULL", name ? "'" : "");
    return RP_ERROR_INVALID;
}

static rp_status too_many(const char *what, rp_diags *diags) {
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "a program holds at most %d %s", RP_MAX_HANDLES,
                 what);
    return RP_ERROR_INVALID;
}

/* ---- Buffers --------------------------------------------------------------------------------- */

/* Reports a mistake in a buffer's parameters. */
static rp_status bad_buffer(rp_diags *diags, const rp_buffer_params *p, const char *what) {
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "buffer '%s': %s", p->name, what);
    return RP_ERROR_INVALID;
}

/* Packed bytes of an image. */
static rp_status find_image_size(rp_diags *diags, const rp_buffer_params *p, uint64_t *out_size) {
    const char *wrong = rp_image_wrong(&p->image);
    if (wrong) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "buffer '%s': there is no such image: %s",
                     p->name, wrong);
        return RP_ERROR_INVALID;
    }
    if (p->kind == RP_LIVE)
        return bad_buffer(diags, p, "an image is not live: live values are plain buffers");
    if (p->dtype != RP_RAW || p->rank != 0)
        return bad_buffer(diags, p, "an image has a format and extents; expected no dtype or rank");
    *out_size = rp_image_bytes(&p->image);
    if (p->bytes != 0 && p->bytes != *out_size)
        return bad_buffer(diags, p, "size and image disagree; leave the size 0");
    return RP_OK;
}

/* Bytes of the buffer, from its shape or as given. */
static rp_status find_size(rp_diags *diags, const rp_buffer_params *p, const rp_tensor *shape,
                           uint64_t *out_size) {
    if (p->image.format != RP_IMAGE_NONE) return find_image_size(diags, p, out_size);
    uint32_t element = rp_dtype_size(p->dtype);
    if (element == 0) return bad_buffer(diags, p, "unknown dtype");
    if (p->dtype == RP_RAW) {
        if (p->rank != 0) return bad_buffer(diags, p, "raw bytes have no shape; expected rank 0");
        if (p->bytes == 0) return bad_buffer(diags, p, "raw bytes need a size greater than 0");
        *out_size = p->bytes;
        return RP_OK;
    }
    if (p->rank < 1 || p->rank > RP_MAX_RANK)
        return bad_buffer(diags, p, "the rank of a typed buffer is from 1 to 8");
    uint64_t size = element, block = rp_dtype_block(p->dtype);
    if (shape->dims[p->rank - 1] % block != 0)
        return bad_buffer(diags, p,
                          "the last dimension of a block-quantised buffer is a multiple "
                          "of 32");
    for (uint32_t i = 0; i < p->rank; i++) {
        uint64_t count = i + 1 == p->rank ? shape->dims[i] / block : shape->dims[i];
        if (shape->dims[i] == 0 && p->kind == RP_LIVE)
            return bad_buffer(diags, p,
                              "a live buffer has elements: a dimension of the shape is 0");
        if (shape->powers[i] && p->kind == RP_LIVE)
            return bad_buffer(diags, p, "the shape of a live buffer follows no other");
        if (!rp_mul_u64(size, count, &size))
            return bad_buffer(diags, p, "the shape needs more bytes than 64 bits can count");
    }
    if (p->bytes != 0 && p->bytes != size)
        return bad_buffer(diags, p, "size and shape disagree; leave the size 0");
    *out_size = size ? size : RP_EMPTY_BYTES;
    return RP_OK;
}

/* The largest value of a live buffer, and what it starts with. */
static rp_status check_max(rp_diags *diags, const rp_buffer_params *p, uint64_t size) {
    if (p->max_value == 0 || p->max_value == UINT32_MAX) return RP_OK; /* any */
    if (p->dtype != RP_U32 && p->dtype != RP_I32)
        return bad_buffer(diags, p, "a largest value is for u32 and i32 only");
    if (p->dtype == RP_I32 && p->max_value > INT32_MAX)
        return bad_buffer(diags, p, "the largest value of an i32 is at most 2147483647");
    for (uint64_t at = 0; p->initial && at < size; at += 4) {
        uint32_t value;
        memcpy(&value, (const char *)p->initial + at, sizeof value);
        bool negative = p->dtype == RP_I32 && value > INT32_MAX;
        if (!negative && value > p->max_value)
            return bad_buffer(diags, p, "an initial value is larger than the largest value");
    }
    return RP_OK;
}

static rp_status check_ranges(rp_diags *diags, const rp_buffer_params *p, uint64_t size) {
    uint32_t at;
    bool own = p->range_count != RP_RANGES_AUTO;
    if (p->range_count == 0) return RP_OK;
    if (own && !p->ranges) return bad_buffer(diags, p, "its ranges are NULL");
    if (p->dtype != RP_U32 || size != sizeof(uint32_t))
        return bad_buffer(diags, p, "ranges are for a size, which is one u32");
    if (p->max_value == 0 || p->max_value == UINT32_MAX)
        return bad_buffer(diags, p, "ranges need a largest value, which is that of the last one");
    if (!own) return RP_OK;
    if (p->range_count >= RP_MAX_FORMS)
        return bad_buffer(diags, p, "it has more ranges than a plan has forms");
    const char *wrong = rp_ranges_wrong(p->ranges, p->range_count, p->max_value, &at);
    return wrong ? bad_buffer(diags, p, wrong) : RP_OK;
}

static rp_status check_buffer(rp_diags *diags, const rp_buffer_params *p, const rp_tensor *shape,
                              uint64_t *out_size) {
    if (!rp_buffer_kind_name(p->kind)) return bad_buffer(diags, p, "unknown kind");
    RP_TRY(find_size(diags, p, shape, out_size));
    if (*out_size > RP_MAX_BUFFER_BYTES)
        return bad_buffer(diags, p, "a buffer has at most 2^40 bytes");
    if (p->kind == RP_LIVE && rp_dtype_block(p->dtype) > 1)
        return bad_buffer(diags, p, "a live buffer is not block-quantised");
    if (p->kind == RP_LIVE && *out_size > RP_MAX_LIVE_BYTES)
        return bad_buffer(diags, p, "a live buffer has at most 65536 bytes");
    if (p->kind != RP_LIVE && p->initial)
        return bad_buffer(diags, p, "only live buffers have initial bytes");
    if (p->kind != RP_LIVE && p->max_value)
        return bad_buffer(diags, p, "only live buffers have a largest value");
    if (p->kind != RP_LIVE && p->range_count)
        return bad_buffer(diags, p, "only live buffers have ranges");
    RP_TRY(check_max(diags, p, *out_size));
    return check_ranges(diags, p, *out_size);
}

/* Room for them was made. */
static void add_ranges(rp_program *p, const rp_buffer_params *params, uint32_t buffer) {
    rp_size_ranges *ranges = &p->ranges[p->ranges_count];
    *ranges = (rp_size_ranges){.buffer = buffer};
    if (params->range_count == RP_RANGES_AUTO) {
        const rp_target *target = rp_graph_target(p->base);
        p->ranges_count += rp_ranges_of_target(target, params->max_value, ranges);
    } else if (params->range_count) {
        ranges->count = params->range_count;
        memcpy(ranges->most, params->ranges, params->range_count * sizeof *ranges->most);
        ranges->most[ranges->count++] = params->max_value;
        p->ranges_count++;
    }
}

/* Appends a checked buffer; the mutex is held. Room is made first, so that nothing fails half done.
 */
static rp_status add_buffer(rp_program *p, const rp_buffer_params *params, const rp_tensor *shape,
                            uint64_t size, rp_diags *diags, uint32_t *out_index) {
    rp_graph *g = p->base;
    rp_graph_buffer buffer = {.kind = (uint8_t)params->kind,
                              .dtype = (uint8_t)params->dtype,
                              .rank = (uint8_t)params->rank,
                              .size = size,
                              .offset = RP_NOT_PLACED,
                              .first_default = RP_NONE,
                              .max_value = params->max_value ? params->max_value : UINT32_MAX,
                              .image = params->image};
    if (g->buffers_count >= RP_MAX_HANDLES) return too_many("buffers", diags);
    RP_TRY(take_name(p, &p->buffer_names, params->name, "buffer", diags, &buffer.name));
    if (!rp_table_reserve(&p->allocator, &p->buffer_names, p->buffer_names.count + 1) ||
        !RP_RESERVE(&p->allocator, p->ranges, p->ranges_count, p->ranges_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    uint32_t bytes = params->initial ? (uint32_t)size : 0;
    if (!RP_RESERVE(&g->allocator, g->bytes, g->bytes_count, g->bytes_capacity, bytes))
        return RP_ERROR_NO_MEMORY;
    if (bytes) {
        buffer.first_default = g->bytes_count;
        memcpy(g->bytes + g->bytes_count, params->initial, bytes);
    }
    *out_index = rp_graph_add_shaped(g, &buffer, shape);
    if (*out_index == RP_NONE) return RP_ERROR_NO_MEMORY;
    g->bytes_count += bytes;
    rp_table_add(&p->allocator, &p->buffer_names, buffer.name, *out_index);
    add_ranges(p, params, *out_index);
    return RP_OK;
}

rp_status rp_program_buffer(rp_program *program, const rp_buffer_params *given, rp_diags *diags,
                            rp_buffer *out_buffer) {
    if (!out_buffer) return RP_ERROR_USAGE;
    *out_buffer = (rp_buffer){0};
    rp_buffer_params params;
    if (!program || !given) return RP_ERROR_USAGE;
    if (!rp_sized_take(given, &params, sizeof params))
        return rp_sized_refuse(diags, "rp_buffer_params");
    uint64_t size = 0;
    uint32_t index;
    rp_tensor shape = {0};
    RP_TRY(check_name(params.name, "buffer", diags));
    if (!rp_program_take_shape(program, params.shape, params.rank, &shape))
        return bad_buffer(diags, &params, "a dimension is no extent of this program");
    RP_TRY(check_buffer(diags, &params, &shape, &size));
    pthread_mutex_lock(&program->mutex);
    rp_status status = add_buffer(program, &params, &shape, size, diags, &index);
    pthread_mutex_unlock(&program->mutex);
    if (status == RP_OK) out_buffer->id = rp_handle_make(program, index);
    return status;
}

/* The mutex is held. */
static rp_status make_output(rp_program *p, rp_buffer buffer, const char *name, rp_diags *diags) {
    const char *why;
    uint32_t string, index = rp_handle_index(p, buffer.id, p->base->buffers_count, &why);
    if (index == RP_NONE) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "buffer: %s", why);
        return RP_ERROR_USAGE;
    }
    rp_graph_buffer *b = &p->base->buffers[index];
    if (b->kind != RP_TMP) {
        rp_diags_add(
            diags, RP_ERROR, NULL, 0, 0, "buffer '%s' is of kind %s: only a tmp becomes out",
            rp_graph_string(p->base, b->name), rp_buffer_kind_name((rp_buffer_kind)b->kind));
        return RP_ERROR_INVALID;
    }
    if (name) {
        RP_TRY(take_name(p, &p->buffer_names, name, "buffer", diags, &string));
        if (!rp_table_add(&p->allocator, &p->buffer_names, string, index))
            return RP_ERROR_NO_MEMORY;
        b->name = string;
    }
    b->kind = RP_OUT;
    return RP_OK;
}

rp_status rp_program_output(rp_program *program, rp_buffer buffer, const char *name,
                            rp_diags *diags) {
    if (!program) return RP_ERROR_USAGE;
    if (name) RP_TRY(check_name(name, "buffer", diags));
    pthread_mutex_lock(&program->mutex);
    rp_status status = make_output(program, buffer, name, diags);
    pthread_mutex_unlock(&program->mutex);
    return status;
}

/* ---- Dimensions that follow live values ------------------------------------------------------- */

bool rp_program_take_extent(const rp_program *program, uint64_t number, rp_extent *out) {
    *out = rp_extent_fixed(number);
    if (!rp_program_marks(number)) return true;
    uint64_t index = (number ^ RP_EXTENT_MARK) ^ (uint64_t)program->serial << 32;
    if (index >= program->extents_count) return false;
    *out = program->extents[index];
    return true;
}

bool rp_program_take_shape(rp_program *program, const uint64_t *shape, uint32_t rank,
                           rp_tensor *out) {
    bool marked = false, good = true;
    out->rank = rank <= RP_MAX_RANK ? (uint8_t)rank : 0;
    for (uint32_t i = 0; i < RP_MAX_RANK; i++) {
        out->dims[i] = shape[i];
        out->powers[i] = 0;
        marked |= i < rank && rp_program_marks(shape[i]);
    }
    if (!marked) return true;
    pthread_mutex_lock(&program->mutex);
    for (uint32_t i = 0; i < out->rank && good; i++) {
        rp_extent extent;
        good = rp_program_take_extent(program, shape[i], &extent);
        out->dims[i] = good ? extent.most : 0;
        out->powers[i] = good ? extent.powers : 0;
    }
    pthread_mutex_unlock(&program->mutex);
    return good;
}

rp_status rp_program_give_extent(rp_program *p, rp_extent extent, uint64_t *out) {
    *out = extent.most;
    if (!extent.powers) return RP_OK;
    uint32_t index = 0;
    while (index < p->extents_count && !rp_extent_same(p->extents[index], extent)) index++;
    if (index == p->extents_count) {
        if (!RP_RESERVE(&p->allocator, p->extents, p->extents_count, p->extents_capacity, 1))
            return RP_ERROR_NO_MEMORY;
        p->extents[p->extents_count++] = extent;
    }
    *out = RP_EXTENT_MARK | ((uint64_t)p->serial << 32 ^ index);
    return RP_OK;
}

/* A live buffer by its name, with or without '$'. */
static bool resolve_live(void *context, const char *name, size_t length, uint32_t element,
                         rp_expr_op *out) {
    const rp_program *p = context;
    uint32_t index;
    if (length > 0 && *name == '$') name++, length--;
    uint32_t string = rp_graph_find_string(p->base, name, length);
    if (string == RP_NONE || !rp_table_find(&p->buffer_names, string, &index) ||
        p->base->buffers[index].kind != RP_LIVE || element > UINT16_MAX)
        return false;
    *out = (rp_expr_op){.code = RP_EXPR_LIVE, .element = (uint16_t)element, .buffer = index};
    return true;
}

/* The mutex is held. */
static rp_status add_extent(rp_program *p, const char *text, rp_diags *diags, uint64_t *out) {
    rp_expr expr = {0};
    char error[RP_SIZE_ERROR];
    size_t at = 0;
    rp_extent extent;
    rp_status status =
        rp_expr_parse(&p->allocator, text, strlen(text), resolve_live, p, &expr, error, &at);
    if (status == RP_ERROR_INVALID)
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "dimension \"%.100s\", character %zu: %s", text,
                     at + 1, error);
    if (status != RP_OK) return status;
    status = rp_graph_size(p->base, expr.ops, expr.count, &extent, error);
    rp_expr_free(&p->allocator, &expr);
    if (status == RP_ERROR_INVALID)
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "dimension \"%.100s\": %s", text, error);
    if (status != RP_OK) return status;
    return rp_program_give_extent(p, extent, out);
}

rp_status rp_program_extent(rp_program *program, const char *expression, rp_diags *diags,
                            uint64_t *out_extent) {
    if (!program || !expression || !out_extent) return RP_ERROR_USAGE;
    *out_extent = 0;
    pthread_mutex_lock(&program->mutex);
    rp_status status = add_extent(program, expression, diags, out_extent);
    pthread_mutex_unlock(&program->mutex);
    return status;
}

size_t rp_program_print_extent(rp_program *program, uint64_t number, char *text, size_t size) {
    rp_text out;
    rp_extent extent;
    size_t length = 0;
    if (text && size) *text = '\0';
    if (!program) return 0;
    rp_text_init(&out, &program->allocator);
    pthread_mutex_lock(&program->mutex);
    if (rp_program_take_extent(program, number, &extent))
        rp_graph_print_extent(&out, program->base, extent);
    pthread_mutex_unlock(&program->mutex);
    if (!out.failed && out.size) {
        length = out.size;
        if (text && size) snprintf(text, size, "%s", out.data);
    }
    rp_text_free(&out);
    return length;
}

/* ---- Samplers -------------------------------------------------------------------------------- */

/* Appends a checked sampler; the mutex is held. */
static rp_status add_sampler(rp_program *p, const rp_sampler_params *params, rp_diags *diags,
                             uint32_t *out_index) {
    rp_graph_sampler sampler = {.info = params->info ? *params->info : rp_sampler_default};
    if (p->base->samplers_count >= RP_MAX_HANDLES) return too_many("samplers", diags);
    RP_TRY(take_name(p, &p->sampler_names, params->name, "sampler", diags, &sampler.name));
    if (!rp_table_reserve(&p->allocator, &p->sampler_names, p->sampler_names.count + 1))
        return RP_ERROR_NO_MEMORY;
    *out_index = rp_graph_add_sampler(p->base, &sampler);
    if (*out_index == RP_NONE) return RP_ERROR_NO_MEMORY;
    rp_table_add(&p->allocator, &p->sampler_names, sampler.name, *out_index);
    return RP_OK;
}

rp_status rp_program_sampler(rp_program *program, const rp_sampler_params *given, rp_diags *diags,
                             rp_sampler *out_sampler) {
    if (!out_sampler) return RP_ERROR_USAGE;
    *out_sampler = (rp_sampler){0};
    rp_sampler_params params;
    if (!program || !given) return RP_ERROR_USAGE;
    if (!rp_sized_take(given, &params, sizeof params))
        return rp_sized_refuse(diags, "rp_sampler_params");
    uint32_t index;
    RP_TRY(check_name(params.name, "sampler", diags));
    const char *wrong = params.info ? rp_sampler_wrong(params.info) : NULL;
    if (wrong) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "sampler '%s': there is no such sampler: %s",
                     params.name, wrong);
        return RP_ERROR_INVALID;
    }
    pthread_mutex_lock(&program->mutex);
    rp_status status = add_sampler(program, &params, diags, &index);
    pthread_mutex_unlock(&program->mutex);
    if (status == RP_OK) out_sampler->id = rp_handle_make(program, index);
    return status;
}

/* ---- Kernels --------------------------------------------------------------------------------- */

/* Appends a module and takes it over; the mutex is held. */
static rp_status add_kernel(rp_program *p, const rp_kernel_module *module, rp_diags *diags,
                            uint32_t *out_index) {
    uint32_t name;
    if (p->modules_count >= RP_MAX_HANDLES) return too_many("kernels", diags);
    RP_TRY(take_name(p, &p->kernel_names, module->name, "kernel", diags, &name));
    if (!rp_table_reserve(&p->allocator, &p->kernel_names, p->kernel_names.count + 1) ||
        !RP_RESERVE(&p->allocator, p->modules, p->modules_count, p->modules_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    *out_index = rp_kernel_add(p->base, module, (rp_source_pos){0});
    if (*out_index == RP_NONE) return RP_ERROR_NO_MEMORY;
    p->modules[p->modules_count++] = *module;
    rp_table_add(&p->allocator, &p->kernel_names, name, *out_index);
    return RP_OK;
}

rp_status rp_program_kernel(rp_program *program, const rp_kernel_params *given, rp_diags *diags,
                            rp_kernel *out_kernel) {
    if (!out_kernel) return RP_ERROR_USAGE;
    *out_kernel = (rp_kernel){0};
    rp_kernel_params params;
    if (!program || !given) return RP_ERROR_USAGE;
    if (!rp_sized_take(given, &params, sizeof params))
        return rp_sized_refuse(diags, "rp_kernel_params");
    rp_kernel_module module;
    uint32_t index;
    RP_TRY(check_name(params.name, "kernel", diags));
    RP_TRY(rp_kernel_build(&program->allocator, &params, diags, NULL, 0, 0, &module));
    pthread_mutex_lock(&program->mutex);
    rp_status status = add_kernel(program, &module, diags, &index);
    pthread_mutex_unlock(&program->mutex);
    if (status == RP_OK)
        out_kernel->id = rp_handle_make(program, index);
    else
        rp_kernel_free(&module);
    return status;
}

/* ---- Blocks by member ------------------------------------------------------------------------ */

/* The layout of a block; the mutex is held. */
static rp_status find_block(rp_program *p, rp_kernel kernel, uint32_t set, uint32_t binding,
                            rp_diags *diags, const rp_block_layouts **out, uint32_t *out_index,
                            char owner[160]) {
    const char *why;
    uint32_t index = rp_handle_index(p, kernel.id, p->modules_count, &why);
    if (index == RP_NONE) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "kernel: %s", why);
        return RP_ERROR_USAGE;
    }
    const rp_kernel_module *m = &p->modules[index];
    bool push = set == RP_PUSH_SET;
    const char *no_layout = push && m->push_bytes ? m->no_push_layout : "there is no such block";
    *out = &m->layouts;
    *out_index = push && m->push_bytes ? m->push_layout : RP_NONE;
    for (uint32_t i = 0; i < m->binding_count; i++) {
        if (m->bindings[i].set != set || m->bindings[i].binding != binding) continue;
        *out_index = m->bindings[i].layout;
        no_layout = m->bindings[i].no_layout;
    }
    if (push)
        snprintf(owner, 160, "push-constant block of kernel '%.60s'", m->name);
    else
        snprintf(owner, 160, "block %u in set %u of kernel '%.60s'", binding, set, m->name);
    if (*out_index != RP_NONE) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s: %s", owner, no_layout);
    return RP_ERROR_NOT_FOUND;
}

rp_status rp_program_member(rp_program *program, rp_kernel kernel, uint32_t set, uint32_t binding,
                            const char *path, rp_diags *diags, rp_block_member *out_member) {
    const rp_block_layouts *layouts;
    uint32_t index;
    char owner[160];
    if (!program || !path || !out_member) return RP_ERROR_USAGE;
    const rp_block_member none = {0};
    if (!rp_sized_give(&none, sizeof none, out_member))
        return rp_sized_refuse(diags, "rp_block_member");
    pthread_mutex_lock(&program->mutex);
    rp_status status = find_block(program, kernel, set, binding, diags, &layouts, &index, owner);
    if (status == RP_OK)
        status = rp_block_layout_member(layouts, index, owner, path, diags, out_member);
    pthread_mutex_unlock(&program->mutex);
    return status;
}

rp_status rp_program_pack(rp_program *program, rp_kernel kernel, uint32_t set, uint32_t binding,
                          const char *path, const void *numbers, size_t size, void *block,
                          size_t block_size, rp_diags *diags) {
    const rp_block_layouts *layouts;
    uint32_t index;
    char owner[160];
    if (!program || !path || !numbers || !block) return RP_ERROR_USAGE;
    pthread_mutex_lock(&program->mutex);
    rp_status status = find_block(program, kernel, set, binding, diags, &layouts, &index, owner);
    if (status == RP_OK)
        status = rp_block_layout_pack(layouts, index, owner, path, numbers, size, block, block_size,
                                      diags);
    pthread_mutex_unlock(&program->mutex);
    return status;
}
