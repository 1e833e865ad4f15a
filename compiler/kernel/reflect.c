/* Reflection: from what a module says (spirv/spirv.h) to what a plan can bind.
 *
 * The entry point's own resources decide. What it does not use is kept as a binding that may be
 * bound, so that an author who binds a block that happens to be unused is not told that it does not
 * exist, and that does nothing. Everything a plan cannot bind is refused, the most telling reason
 * first. What a kernel reaches through device addresses cannot be seen here: nodes say it. */
#include "kernel/spirv.h"

#include <spirv/unified1/spirv.h>
#include <stdlib.h>
#include "plan/format.h"

enum { MOST_ELEMENTS = 4096 }; /* of one array of bindings */

typedef struct reflector {
    const rp_kernel_where *where;
    const rp_allocator *a;
    rp_spirv_reader *reader;
    rp_kernel_module *out;
} reflector;

static char *copy_text(const rp_allocator *a, const char *text) {
    return rp_dup(a, text, strlen(text) + 1);
}

/* ---- What plans do not offer ----------------------------------------------------------------- */

static rp_status refuse_others(const reflector *r) {
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < r->reader->resource_count; i++) {
        const rp_spirv_resource *resource = &r->reader->resources[i];
        rp_spirv_binding any;
        if (!resource->used || rp_spirv_bind(resource, &any) ||
            resource->kind == RP_SPIRV_PUSH_BLOCK)
            continue;
        status = rp_kernel_error(r->where,
                                 "'%s' is %s; kernels bind buffers, texel buffers, images of one "
                                 "sample and samplers",
                                 rp_spirv_name(r->reader, resource->id),
                                 rp_spirv_kind_name((rp_spirv_kind)resource->kind));
    }
    return status;
}

static rp_status check_needs(const reflector *r) {
    RP_TRY(refuse_others(r));
    if (r->reader->unsupported[0]) return rp_kernel_not_offered(r->where, r->reader->unsupported);
    return RP_OK;
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

static rp_status reflect_sizes(const reflector *r) {
    const rp_spirv_reader *reader = r->reader;
    const uint32_t *local = reader->local;
    if (!reader->local_known)
        return rp_kernel_error(r->where,
                               "the workgroup size cannot be found: it needs LocalSize, or a "
                               "WorkgroupSize of 32-bit integer constants");
    if (local[0] == 0 || local[1] == 0 || local[2] == 0)
        return rp_kernel_error(r->where,
                               "the workgroup size is %u x %u x %u; each must be at least 1",
                               local[0], local[1], local[2]);
    if (reader->shared_bytes > UINT32_MAX)
        return rp_kernel_error(r->where,
                               "the shared variables are larger than 4 GiB, or have a length "
                               "that is not an expression over 32-bit integers");
    memcpy(r->out->local, local, sizeof r->out->local);
    r->out->empty_array = reader->empty_array;
    r->out->addresses = (reader->needs & RP_NEED_DEVICE_ADDRESS) != 0;
    r->out->shared_bytes = (uint32_t)reader->shared_bytes;
    return RP_OK;
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

bool rp_kernel_contradicts(const rp_kernel_binding *b) {
    return (b->readonly && b->writes) || (b->writeonly && b->reads);
}

/* From what is declared and what is done. */
static void settle_access(rp_kernel_binding *b) {
    if (b->access == RP_UNIFORM || b->access == RP_SAMPLED) return;
    b->access = RP_READ_WRITE;
    if (rp_kernel_contradicts(b)) return;
    if (!b->writes)
        b->access = RP_READ;
    else if (b->writeonly)
        b->access = RP_WRITE;
}

/* What does not fit is refused, when the entry point uses it. */
static rp_status check_block(const reflector *r, const rp_spirv_resource *resource,
                             const char *name) {
    if (resource->set > 3)
        return rp_kernel_error(r->where, "block '%s' is in set %u; expected a set from 0 to 3",
                               name, resource->set);
    if (resource->binding > 255)
        return rp_kernel_error(r->where, "block '%s' has binding %u; expected one from 0 to 255",
                               name, resource->binding);
    if (resource->array && (resource->elements == 0 || resource->elements > MOST_ELEMENTS))
        return rp_kernel_error(r->where,
                               "'%s' (set %u, binding %u) is an array of bindings %s: give it a "
                               "size from 1 to %d",
                               name, resource->set, resource->binding,
                               resource->elements == UINT64_MAX ? "without a known size"
                                                                : "of a size that no plan has",
                               MOST_ELEMENTS);
    rp_spirv_binding what;
    (void)rp_spirv_bind(resource, &what);
    if (what.resource == RP_RESOURCE_BUFFER && resource->size == UINT64_MAX)
        return rp_kernel_error(r->where,
                               "block '%s' (set %u, binding %u) has 2^64 bytes or more, or a "
                               "length that is not an expression over 32-bit integers",
                               name, resource->set, resource->binding);
    return RP_OK;
}

static bool fits(const rp_spirv_resource *resource) {
    rp_spirv_binding any;
    return resource->set <= 3 && resource->binding <= 255 && rp_spirv_bind(resource, &any) &&
           (!resource->array || (resource->elements && resource->elements <= MOST_ELEMENTS));
}

/* A block without a layout is one of which the whole is bound, or given as bytes. */
static rp_status add_layout(const reflector *r, uint32_t type, uint32_t *out, const char **why) {
    rp_status status = rp_block_layout_add(r->a, &r->out->layouts, r->reader, type, out, why);
    return status == RP_ERROR_INVALID ? RP_OK : status;
}

/* HLSL numbers the registers of each kind by themselves, and gives some buffers, such as counters, none. */
#define RP_HLSL_BINDINGS                                                                           \
    " (for HLSL, glslangValidator does with --auto-map-bindings and, where registers are equal, "  \
    "--shift-texture-binding and the like, dxc with -fvk-t-shift)"

/* Puts a binding into the list that is there already. Two blocks may share one (views of a buffer with different
 * element types): together they do what either does. */
static rp_status merge_block(const reflector *r, const rp_spirv_resource *from, const char *name,
                             rp_kernel_binding *b) {
    bool uniform = from->kind == RP_SPIRV_UNIFORM_BLOCK;
    rp_spirv_binding is;
    (void)rp_spirv_bind(from, &is);
    if (b->resource != is.resource || b->elements != (uint32_t)from->elements ||
        (b->access == RP_SAMPLED) != (is.access == RP_SAMPLED) || b->view != is.view ||
        b->texel != is.texel)
        return rp_kernel_error(r->where,
                               "'%s' and '%s' share set %u, binding %u, but are different things: "
                               "give each a binding of its own" RP_HLSL_BINDINGS,
                               b->name, name, b->set, b->binding);
    if (b->format != is.format) b->format = RP_IMAGE_NONE; /* either may be bound */
    if ((b->access == RP_UNIFORM) != uniform)
        return rp_kernel_error(
            r->where,
            "blocks '%s' and '%s' share set %u, binding %u, but one "
            "is a uniform and the other a storage buffer: give each a binding of "
            "its own" RP_HLSL_BINDINGS,
            b->name, name, b->set, b->binding);
    b->reads |= from->reads;
    b->writes |= from->writes;
    b->readonly &= from->readonly;
    b->writeonly &= from->writeonly;
    if (from->size > b->min_size) b->min_size = from->size;
    return RP_OK;
}

static rp_kernel_binding *find_binding(const rp_kernel_module *m, uint32_t set, uint32_t binding) {
    for (uint32_t i = 0; i < m->binding_count; i++)
        if (m->bindings[i].set == set && m->bindings[i].binding == binding) return &m->bindings[i];
    return NULL;
}

static rp_status add_block(const reflector *r, const rp_spirv_resource *resource) {
    const char *name = rp_spirv_name(r->reader, resource->id);
    if (!*name) name = rp_spirv_name(r->reader, resource->type);
    if (resource->used) RP_TRY(check_block(r, resource, name));
    if (!fits(resource)) return RP_OK;
    rp_kernel_binding *b = find_binding(r->out, resource->set, resource->binding);
    if (b && !resource->used) return RP_OK;
    if (b) return merge_block(r, resource, name, b);
    b = &r->out->bindings[r->out->binding_count];
    rp_spirv_binding is;
    (void)rp_spirv_bind(resource, &is);
    *b = (rp_kernel_binding){.name = copy_text(r->a, name),
                             .set = (uint8_t)resource->set,
                             .binding = (uint8_t)resource->binding,
                             .access = is.access,
                             .used = resource->used,
                             .reads = resource->reads || (is.access != RP_READ && resource->used),
                             .writes = resource->writes,
                             .readonly = resource->readonly,
                             .writeonly = resource->writeonly,
                             .elements = (uint32_t)resource->elements,
                             .resource = is.resource,
                             .view = is.view,
                             .format = is.format,
                             .texel = is.texel};
    if (b->resource == RP_RESOURCE_BUFFER) b->min_size = resource->size;
    if (!b->name) return RP_ERROR_NO_MEMORY;
    r->out->binding_count++;
    b->layout = RP_NONE;
    b->no_layout = "it is no block";
    return b->resource == RP_RESOURCE_BUFFER
               ? add_layout(r, resource->type, &b->layout, &b->no_layout)
               : RP_OK;
}

static int by_place(const void *a, const void *b) {
    const rp_kernel_binding *x = a, *y = b;
    return (x->set * 256 + x->binding) - (y->set * 256 + y->binding);
}

/* Those that are used come first: they say what a binding is. */
static rp_status reflect_blocks(const reflector *r) {
    const rp_spirv_reader *reader = r->reader;
    r->out->bindings = rp_alloc_zero(r->a, reader->resource_count, sizeof *r->out->bindings);
    if (!r->out->bindings) return RP_ERROR_NO_MEMORY;
    rp_status status = RP_OK;
    for (int used = 1; used >= 0; used--) {
        for (uint32_t i = 0; i < reader->resource_count; i++) {
            const rp_spirv_resource *resource = &reader->resources[i];
            if (resource->kind == RP_SPIRV_PUSH_BLOCK || resource->used != (used == 1)) continue;
            rp_status one = add_block(r, resource);
            if (one == RP_ERROR_NO_MEMORY) return one;
            if (one != RP_OK) status = one; /* go on: report them all */
        }
    }
    for (uint32_t i = 0; i < r->out->binding_count; i++) settle_access(&r->out->bindings[i]);
    if (r->out->binding_count)
        qsort(r->out->bindings, r->out->binding_count, sizeof *r->out->bindings, by_place);
    return status;
}

/* ---- Push constants -------------------------------------------------------------------------- */

/* Marks the words that hold members; they and the block must fit. */
static rp_status reflect_member(const reflector *r, uint32_t block, uint32_t i) {
    rp_spirv_member said = rp_spirv_get_member(r->reader, block, i);
    if (said.size > RP_MAX_PUSH_BYTES || said.offset > RP_MAX_PUSH_BYTES - said.size)
        return rp_kernel_error(r->where,
                               "the push-constant block needs %llu bytes; at most %d are "
                               "allowed",
                               (unsigned long long)said.size + said.offset, RP_MAX_PUSH_BYTES);
    uint32_t end = said.offset + (uint32_t)said.size;
    if (end > r->out->push_bytes) r->out->push_bytes = end;
    return RP_OK;
}

/* The words of a layout that hold numbers. */
static uint64_t used_words(const rp_block_layouts *layouts, uint32_t index, uint64_t offset) {
    const rp_block_layout *l = &layouts->items[index];
    uint64_t words = 0;
    switch ((rp_block_layout_form)l->form) {
    case RP_BLOCK_NUMBER:
        for (uint64_t word = offset / 4; word <= (offset + l->size - 1) / 4; word++)
            words |= UINT64_C(1) << word;
        break;
    case RP_BLOCK_SEQUENCE:
        for (uint32_t i = 0; i < l->count; i++)
            words |= used_words(layouts, l->first, offset + (uint64_t)i * l->stride);
        break;
    case RP_BLOCK_STRUCT:
        for (uint32_t i = l->first; i < l->first + l->parts; i++)
            words |= used_words(layouts, i, offset + layouts->items[i].offset);
        break;
    }
    return words;
}

/* The block that the entry point uses, else the only one there is; NULL for none. */
static const rp_spirv_resource *find_push(const reflector *r, rp_status *status) {
    const rp_spirv_resource *used = NULL, *any = NULL;
    uint32_t used_count = 0, count = 0;
    for (uint32_t i = 0; i < r->reader->resource_count; i++) {
        const rp_spirv_resource *resource = &r->reader->resources[i];
        if (resource->kind != RP_SPIRV_PUSH_BLOCK) continue;
        any = resource;
        count++;
        if (!resource->used) continue;
        used = resource;
        used_count++;
    }
    if (used_count > 1)
        *status = rp_kernel_error(r->where, "there are %u push-constant blocks; expected one",
                                  used_count);
    return used ? used : count == 1 ? any : NULL;
}

static rp_status reflect_push(const reflector *r) {
    rp_status status = RP_OK;
    const rp_spirv_resource *block = find_push(r, &status);
    if (!block || status != RP_OK) return status;
    uint32_t members = rp_spirv_member_count(r->reader, block->type);
    for (uint32_t i = 0; i < members; i++) RP_TRY(reflect_member(r, block->type, i));
    r->out->push_bytes = (r->out->push_bytes + 3u) & ~3u;
    r->out->push_used = block->used;
    RP_TRY(add_layout(r, block->type, &r->out->push_layout, &r->out->no_push_layout));
    /* Where nothing is known of what lies where, all of it counts. */
    r->out->push_words = UINT64_MAX;
    if (r->out->push_layout != RP_NONE &&
        r->out->layouts.items[r->out->push_layout].size > r->out->push_bytes) {
        r->out->push_layout = RP_NONE;
        r->out->no_push_layout = "its members overlap";
    }
    if (r->out->push_layout != RP_NONE)
        r->out->push_words = used_words(&r->out->layouts, r->out->push_layout, 0);
    return RP_OK;
}

/* ---- Specialisation constants ---------------------------------------------------------------- */

static rp_status reflect_constants(const reflector *r) {
    const rp_spirv_reader *reader = r->reader;
    rp_kernel_constant *constants = rp_alloc_zero(r->a, reader->constant_count, sizeof *constants);
    if (!constants) return RP_ERROR_NO_MEMORY;
    r->out->constants = constants;
    for (uint32_t i = 0; i < reader->constant_count; i++) {
        const rp_spirv_constant *from = &reader->constants[i];
        constants[i] =
            (rp_kernel_constant){.name = copy_text(r->a, rp_spirv_name(reader, from->name)),
                                 .id = from->id,
                                 .scalar = from->scalar,
                                 .value = from->value};
        if (!constants[i].name) return RP_ERROR_NO_MEMORY;
        r->out->constant_count++;
    }
    return RP_OK;
}

uint32_t rp_spirv_set_constant(uint32_t *words, uint32_t count, uint32_t id, rp_scalar scalar,
                               uint64_t value) {
    uint32_t found = 0;
    uint64_t literal = rp_scalar_literal(scalar, value);
    /* Decorations come before constants, and few constants have ids: a walk per decoration is fine.
     */
    for (uint32_t at = RP_SPIRV_HEADER; at < count; at += words[at] >> 16) {
        const uint32_t *d = words + at;
        if ((d[0] & 0xffff) == SpvOpFunction) break;
        if ((d[0] & 0xffff) != SpvOpDecorate || d[2] != SpvDecorationSpecId || d[3] != id) continue;
        for (uint32_t i = at; i < count; i += words[i] >> 16) {
            uint32_t op = words[i] & 0xffff, length = words[i] >> 16;
            if (op == SpvOpFunction) break;
            bool is_bool = op == SpvOpSpecConstantTrue || op == SpvOpSpecConstantFalse;
            if ((!is_bool && op != SpvOpSpecConstant) || words[i + 2] != d[1]) continue;
            if (is_bool)
                words[i] = length << 16 | (value ? SpvOpSpecConstantTrue : SpvOpSpecConstantFalse);
            else
                words[i + 3] = (uint32_t)literal;
            if (!is_bool && length > 4) words[i + 4] = (uint32_t)(literal >> 32);
            found++;
        }
    }
    return found;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static rp_status read_words(const reflector *r, const uint32_t *words, uint32_t count,
                            const char *entry) {
    char why[128];
    rp_status status = rp_spirv_read(r->reader, words, count, entry, NULL, 0, why);
    return status == RP_ERROR_DAMAGED ? rp_kernel_error(r->where, "%s", why) : status;
}

static rp_status reflect_with(const reflector *r, const uint32_t *words, uint32_t count,
                              const char *entry) {
    RP_TRY(read_words(r, words, count, entry));
    RP_TRY(check_needs(r));
    RP_TRY(reflect_blocks(r));
    RP_TRY(reflect_push(r));
    RP_TRY(reflect_constants(r));
    return reflect_sizes(r);
}

rp_status rp_reflect(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                     const char *entry, rp_kernel_module *out) {
    rp_spirv_reader reader;
    rp_spirv_reader_init(&reader, where->allocator);
    reflector r = {.where = where, .a = where->allocator, .reader = &reader, .out = out};
    rp_status status = reflect_with(&r, words, count, entry);
    rp_spirv_reader_free(&reader);
    return status;
}

rp_status rp_reflect_usage(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                           const char *entry, rp_kernel_module *m) {
    rp_spirv_reader reader;
    rp_spirv_reader_init(&reader, where->allocator);
    reflector r = {.where = where, .reader = &reader};
    rp_status status = read_words(&r, words, count, entry);
    for (uint32_t i = 0; status == RP_OK && i < m->binding_count; i++)
        m->bindings[i].used = m->bindings[i].reads = m->bindings[i].writes = false;
    if (status == RP_OK) m->push_used = false;
    for (uint32_t i = 0; status == RP_OK && i < reader.resource_count; i++) {
        const rp_spirv_resource *resource = &reader.resources[i];
        if (resource->kind == RP_SPIRV_PUSH_BLOCK && resource->used) m->push_used = true;
        if (!resource->used || resource->kind == RP_SPIRV_PUSH_BLOCK) continue;
        rp_kernel_binding *b = find_binding(m, resource->set, resource->binding);
        if (!b) continue;
        b->used = true;
        b->reads |= resource->reads || b->access == RP_UNIFORM || b->access == RP_SAMPLED;
        b->writes |= resource->writes;
    }
    for (uint32_t i = 0; status == RP_OK && i < m->binding_count; i++)
        settle_access(&m->bindings[i]);
    rp_spirv_reader_free(&reader);
    return status;
}

void rp_reflect_free(rp_kernel_module *module) {
    const rp_allocator *a = &module->allocator;
    for (uint32_t i = 0; i < module->binding_count; i++) rp_release(a, module->bindings[i].name);
    for (uint32_t i = 0; i < module->constant_count; i++) rp_release(a, module->constants[i].name);
    rp_release(a, module->bindings);
    rp_block_layout_free(a, &module->layouts);
    rp_release(a, module->constants);
    module->bindings = NULL;
    module->constants = NULL;
    module->binding_count = module->constant_count = 0;
}
