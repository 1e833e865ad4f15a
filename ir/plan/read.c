/* Opening plans and looking at them. A plan is used where it lies: a private read-only mapping of
 * the file, or a copy where mapping is not possible (a pipe, a file system without mmap). Nothing
 * is decoded; opening costs one validation and no allocation per record.
 *
 * A file that somebody truncates while it is mapped ends the process on the next read, as with any
 * mapping; rp_plan_save therefore never writes into an existing file, it replaces it. */
#include "plan/validate.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/path.h"
#include "base/sized.h"
#include "spirv/spirv.h"

/* What NumPy has for an image's channels. */
static rp_dtype image_dtype(const rp_image_shape *s) {
    const char *numpy = rp_image_format_get((rp_image_format)s->format).numpy;
    if (s->mips > 1) return RP_RAW;
#define RP_X(symbol, code, name, size, block, descriptor)                                          \
    if (symbol != RP_RAW && (block) == 1 && strcmp(numpy, descriptor) == 0) return symbol;
    RP_DTYPE_LIST(RP_X)
#undef RP_X
    return RP_U32;
}

/* Validates what is in `plan` and hands a copy of it out; releases the bytes on failure. */
static rp_status finish(rp_plan *plan, const char *name, rp_diags *diags, rp_plan **out_plan) {
    plan->data = plan->file;
    plan->size = plan->file_size;
    rp_status status = rp_plan_has_forms(plan) ? rp_plan_validate_forms(plan, name, diags)
                                               : rp_plan_validate(plan, name, diags);
    if (status == RP_OK && !(*out_plan = rp_plan_keep(plan))) status = RP_ERROR_NO_MEMORY;
    if (status == RP_OK) return RP_OK;
    if (plan->mapped)
        munmap((void *)plan->file, plan->file_size);
    else
        rp_release(&plan->allocator, (void *)plan->file);
    return status;
}

static rp_status io_error(rp_diags *diags, const char *path, const char *what, int error) {
    const char *advice = "";
    if (error == ENOENT) advice = "; check the path, or write the plan with 'reprise compile'";
    if (error == EACCES || error == EPERM)
        advice = "; check the permissions of the file and its folder";
    rp_diags_add(diags, RP_ERROR, path, 0, 0, "cannot %s: %s%s", what, strerror(error), advice);
    return RP_ERROR_IO;
}

/* Reads a file whose size is not known beforehand. */
static rp_status read_all(int file, const char *path, rp_diags *diags, rp_plan *plan) {
    uint8_t *data = NULL;
    size_t size = 0, capacity = 0;
    for (;;) {
        if (size == capacity) {
            size_t wanted = capacity ? capacity * 2 : 65536;
            uint8_t *grown = plan->allocator.resize(plan->allocator.user, data, wanted);
            if (!grown) {
                rp_release(&plan->allocator, data);
                return RP_ERROR_NO_MEMORY;
            }
            data = grown;
            capacity = wanted;
        }
        ssize_t got = read(file, data + size, capacity - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            rp_status status = io_error(diags, path, "read the file", errno);
            rp_release(&plan->allocator, data);
            return status;
        }
        if (got == 0) break;
        size += (size_t)got;
    }
    plan->file = data;
    plan->file_size = size;
    return RP_OK;
}

static rp_status load(int file, const char *path, rp_diags *diags, rp_plan *plan) {
    struct stat info;
    if (fstat(file, &info) != 0) return io_error(diags, path, "look at the file", errno);
    if (S_ISREG(info.st_mode) && info.st_size > 0 && (uint64_t)info.st_size <= SIZE_MAX) {
        void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        if (data != MAP_FAILED) {
            plan->file = data;
            plan->file_size = (size_t)info.st_size;
            plan->mapped = true;
            return RP_OK;
        }
    }
    return read_all(file, path, diags, plan);
}

rp_status rp_plan_open(const rp_allocator *allocator, const char *path, rp_diags *diags,
                       rp_plan **out_plan) {
    if (!out_plan) return RP_ERROR_USAGE;
    *out_plan = NULL;
    if (!path) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "rp_plan_open: path is NULL");
        return RP_ERROR_USAGE;
    }
    const char *no_file = rp_path_is_no_file(path, true);
    if (no_file) {
        rp_diags_add(diags, RP_ERROR, path, 0, 0, "%s; expected a compiled plan", no_file);
        return RP_ERROR_IO;
    }
    rp_plan plan = {.allocator = rp_allocator_or_default(allocator)};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return io_error(diags, path, "open the plan", errno);
    rp_status status = load(file, path, diags, &plan);
    close(file); /* a mapping outlives its descriptor */
    if (status != RP_OK) return status;
    return finish(&plan, path, diags, out_plan);
}

rp_status rp_plan_from_memory(const rp_allocator *allocator, const void *data, size_t size,
                              const char *name, rp_diags *diags, rp_plan **out_plan) {
    if (!out_plan) return RP_ERROR_USAGE;
    *out_plan = NULL;
    if (!data && size) {
        rp_diags_add(diags, RP_ERROR, name, 0, 0, "rp_plan_from_memory: data is NULL");
        return RP_ERROR_USAGE;
    }
    rp_plan plan = {.allocator = rp_allocator_or_default(allocator), .file_size = size};
    plan.file = rp_dup(&plan.allocator, data, size);
    if (!plan.file) return RP_ERROR_NO_MEMORY;
    return finish(&plan, name, diags, out_plan);
}

void rp_plan_destroy(rp_plan *plan) {
    if (plan && plan->whole) plan = plan->whole;
    if (!plan || atomic_fetch_sub_explicit(&plan->holders, 1, memory_order_acq_rel) != 1) return;
    rp_allocator allocator = plan->allocator;
    rp_release(&allocator, plan->image_dims);
    rp_plan_free_forms(plan);
    if (plan->mapped)
        munmap((void *)plan->file, plan->file_size);
    else
        rp_release(&allocator, (void *)plan->file);
    rp_release(&allocator, plan);
}

const void *rp_plan_data(const rp_plan *plan, size_t *out_size) {
    if (out_size) *out_size = plan ? plan->file_size : 0;
    return plan ? plan->file : NULL;
}

/* Between groups. */
static uint32_t count_barriers(const rp_plan *plan, rp_section section) {
    const rp_plan_barrier *barriers = rp_plan_records(plan, section);
    uint32_t between = 0;
    for (uint32_t i = 1; i + 1 < rp_plan_count(plan, section); i++)
        between += barriers[i].src || barriers[i].dst;
    return between;
}

static uint32_t count_tagged(const rp_plan *plan) {
    const rp_plan_buffer *buffers = rp_plan_records(plan, RP_SECTION_BUFFERS);
    uint32_t count = 0;
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_BUFFERS); i++)
        count += buffers[i].tagged;
    return count;
}

static const rp_plan_header *file_header(const rp_plan *plan) {
    return (const rp_plan_header *)plan->file;
}

rp_status rp_plan_get_info(const rp_plan *plan, rp_plan_info *info) {
    if (!plan || !info) return RP_ERROR_USAGE;
    const rp_plan_graph *graph = rp_plan_records(plan, RP_SECTION_GRAPH);
    const rp_certificate *certificate = rp_plan_records(plan, RP_SECTION_CERTIFICATE);
    rp_plan_info own = {.name = rp_plan_string(plan, graph->name),
                        .content_hash = file_header(plan)->content_hash,
                        .nodes = rp_plan_count(plan, RP_SECTION_NODES),
                        .dispatches = graph->dispatch_count,
                        .groups = rp_plan_count(plan, RP_SECTION_GROUPS),
                        .barriers = graph->barrier_count,
                        .barrier_bound = graph->barrier_bound,
                        .buffers = rp_plan_count(plan, RP_SECTION_BUFFERS),
                        .kernels = rp_plan_count(plan, RP_SECTION_KERNELS),
                        .arena_bytes = graph->arena_bytes,
                        .arena_bound_bytes = graph->arena_bound_bytes,
                        .certificate = *certificate,
                        .tagged = count_tagged(plan),
                        .tagged_barriers = rp_plan_count(plan, RP_SECTION_TAGGED_BARRIERS)
                                               ? count_barriers(plan, RP_SECTION_TAGGED_BARRIERS)
                                               : graph->barrier_count,
                        .forms = rp_plan_form_count(plan)};
    for (uint32_t i = 0; i < plan->form_count; i++) {
        const rp_plan_graph *form = rp_plan_records(&plan->forms[i], RP_SECTION_GRAPH);
        if (form->arena_bytes > own.arena_bytes) own.arena_bytes = form->arena_bytes;
        if (form->arena_bound_bytes > own.arena_bound_bytes)
            own.arena_bound_bytes = form->arena_bound_bytes;
    }
    return rp_sized_give(&own, sizeof own, info) ? RP_OK : RP_ERROR_USAGE;
}

uint64_t rp_plan_needs(const rp_plan *plan) {
    return plan ? file_header(plan)->needs : 0;
}

const char *rp_plan_capability_at(uint32_t index, uint64_t *needs) {
    return rp_spirv_capability_at(index, needs);
}

uint32_t rp_plan_buffer_count(const rp_plan *plan) {
    return plan ? plan->external_count : 0;
}

rp_status rp_plan_get_buffer(const rp_plan *plan, uint32_t index, rp_plan_buffer_info *info) {
    if (index >= rp_plan_buffer_count(plan) || !info) return RP_ERROR_USAGE;
    const rp_plan_buffer *b =
        (const rp_plan_buffer *)rp_plan_records(plan, RP_SECTION_BUFFERS) + index;
    const uint64_t *dims = rp_plan_records(plan, RP_SECTION_DIMS);
    rp_plan_buffer_info own = {.name = rp_plan_string(plan, b->name),
                               .kind = (rp_buffer_kind)b->kind,
                               .dtype = (rp_dtype)b->dtype,
                               .rank = b->rank,
                               .shape = b->rank ? dims + b->first_dim : NULL,
                               .bytes = b->size,
                               .follows = b->follow_count > 0,
                               .max_value = b->max_value,
                               .image = rp_plan_image(b)};
    const uint32_t *sizes = rp_plan_records(plan, RP_SECTION_SIZES);
    for (uint32_t i = 0; rp_plan_count(plan, RP_SECTION_SIZES) && i < b->rank; i++)
        own.sized |= sizes[b->first_dim + i] != UINT32_MAX;
    if (rp_plan_is_image(b)) {
        uint64_t any[RP_IMAGE_RANK];
        own.dtype = image_dtype(&own.image);
        own.rank = rp_image_array(&own.image, any);
        own.shape = own.rank ? plan->image_dims + (size_t)index * RP_IMAGE_RANK : NULL;
    }
    return rp_sized_give(&own, sizeof own, info) ? RP_OK : RP_ERROR_USAGE;
}

uint32_t rp_plan_kernel_count(const rp_plan *plan) {
    return plan ? rp_plan_count(plan, RP_SECTION_KERNELS) : 0;
}

rp_status rp_plan_get_kernel(const rp_plan *plan, uint32_t index, rp_plan_kernel_info *info) {
    if (index >= rp_plan_kernel_count(plan) || !info) return RP_ERROR_USAGE;
    const rp_plan_kernel *k =
        (const rp_plan_kernel *)rp_plan_records(plan, RP_SECTION_KERNELS) + index;
    const uint32_t *words = rp_plan_records(plan, RP_SECTION_WORDS);
    const rp_plan_kernel_info own = {.name = rp_plan_string(plan, k->name),
                                     .entry = rp_plan_string(plan, k->entry),
                                     .spirv = k->word_count ? words + k->first_word : NULL,
                                     .spirv_bytes = (size_t)k->word_count * sizeof *words,
                                     .local_size = {k->local[0], k->local[1], k->local[2]},
                                     .shared_bytes = k->shared_bytes,
                                     .push_bytes = k->push_bytes};
    return rp_sized_give(&own, sizeof own, info) ? RP_OK : RP_ERROR_USAGE;
}

static const char *text(const rp_plan *plan, rp_section section, size_t *out_size) {
    if (out_size) *out_size = plan ? rp_plan_count(plan, section) - 1 : 0;
    return plan ? rp_plan_records(plan, section) : "";
}

const char *rp_plan_text(const rp_plan *plan, size_t *out_size) {
    return text(plan, RP_SECTION_TEXT, out_size);
}

const char *rp_plan_source_text(const rp_plan *plan, size_t *out_size) {
    return text(plan, RP_SECTION_SOURCE_TEXT, out_size);
}
