/* Validation of a plan: a kernel's records against its SPIR-V.
 *
 * The records are what everything else relies on: layouts are made from them, barriers were proven
 * for them, and a driver takes push constants and descriptors as they say. So a module may not do
 * more than its record: bind what the record does not list, read or write where the record does
 * not, read push data behind its end, take more workgroup memory or another workgroup size. It may
 * do less, as an optimiser removes what a shader declared.
 *
 * Cost: one read of each module (spirv/spirv.h) with one table of ids for all, and a sorted list
 * where a kernel has more than a few params. */
#include "plan/validate.h"

#include <stdlib.h>
#include "base/hash.h"

_Static_assert(sizeof(rp_plan_spec) == sizeof(rp_spirv_spec), "a plan's specs are read in place");

/* What a kernel's messages begin with. */
static const char *name_of(const rp_plan_validation *check, const rp_plan_kernel *k) {
    return rp_plan_string(check->plan, k->name);
}

/* The kernel at hand uses buffer device addresses: its nodes are asked of what. */
static rp_status note_addressing(rp_plan_validation *check) {
    uint32_t count = rp_plan_count(check->plan, RP_SECTION_KERNELS);
    if (!check->addressing)
        check->addressing =
            rp_alloc_zero(&check->plan->allocator, count, sizeof *check->addressing);
    if (!check->addressing) return RP_ERROR_NO_MEMORY;
    check->addressing[check->record] = 1;
    return RP_OK;
}

static rp_status check_needs(rp_plan_validation *check, const rp_plan_kernel *k) {
    const rp_spirv_reader *r = &check->spirv;
    if (*r->unsupported)
        return rp_plan_damaged(check, "kernel '%.60s': it needs %s", name_of(check, k),
                               r->unsupported);
    check->needs |= r->needs;
    if (r->needs & RP_NEED_DEVICE_ADDRESS) RP_TRY(note_addressing(check));
    if (check->sealing) return RP_OK;
    uint64_t missing = r->needs & ~check->plan->header->needs;
    if (!missing) return RP_OK;
    return rp_plan_damaged(check,
                           "kernel '%.60s': its SPIR-V needs %#llx, which the header does not "
                           "state",
                           name_of(check, k), (unsigned long long)missing);
}

/* A constant that the module lacks was optimised away. */
static rp_status check_constants(rp_plan_validation *check, const rp_plan_kernel *k,
                                 const rp_spirv_spec *specs) {
    for (uint32_t i = 0; i < k->spec_count; i++) {
        const rp_spirv_constant *c = rp_spirv_find_constant(&check->spirv, specs[i].id);
        if (c && rp_scalar_bytes(c->scalar) != specs[i].bytes)
            return rp_plan_damaged(check,
                                   "kernel '%.60s': its record sets specialisation constant %u to "
                                   "%u bits, in its SPIR-V it has another width",
                                   name_of(check, k), specs[i].id, 8 * specs[i].bytes);
    }
    return RP_OK;
}

static rp_status check_sizes(rp_plan_validation *check, const rp_plan_kernel *k) {
    const rp_spirv_reader *r = &check->spirv;
    if (!r->local_known)
        return rp_plan_damaged(check, "kernel '%.60s': its SPIR-V states no workgroup size",
                               name_of(check, k));
    if (memcmp(r->local, k->local, sizeof r->local) != 0)
        return rp_plan_damaged(check,
                               "kernel '%.60s': its record says workgroups of %u x %u x %u, its "
                               "SPIR-V %u x %u x %u",
                               name_of(check, k), k->local[0], k->local[1], k->local[2],
                               r->local[0], r->local[1], r->local[2]);
    if (r->empty_array)
        return rp_plan_damaged(check,
                               "kernel '%.60s': with its specialisation constants an array of its "
                               "SPIR-V has a length below 1",
                               name_of(check, k));
    if (r->shared_bytes > k->shared_bytes)
        return rp_plan_damaged(check,
                               "kernel '%.60s': its record says %u bytes of workgroup memory, its "
                               "SPIR-V has %llu",
                               name_of(check, k), k->shared_bytes,
                               (unsigned long long)r->shared_bytes);
    return RP_OK;
}

static uint32_t place(uint32_t set, uint32_t binding) {
    return set << 8 | binding; /* both were checked to fit */
}

static int by_place(const void *a, const void *b) {
    const rp_plan_param *x = *(const rp_plan_param *const *)a;
    const rp_plan_param *y = *(const rp_plan_param *const *)b;
    uint32_t p = place(x->set, x->binding), q = place(y->set, y->binding);
    return (p > q) - (p < q);
}

/* The param of a binding in a list sorted by place; NULL for none. */
static const rp_plan_param *find_param(const rp_plan_param *const *list, uint32_t count,
                                       const rp_spirv_resource *resource) {
    if (resource->set > UINT8_MAX || resource->binding > UINT8_MAX || count == 0) return NULL;
    const rp_plan_param key = {.set = (uint8_t)resource->set,
                               .binding = (uint8_t)resource->binding};
    const rp_plan_param *wanted = &key;
    const rp_plan_param *const *found = bsearch(&wanted, list, count, sizeof *list, by_place);
    return found ? *found : NULL;
}

static rp_status check_push(rp_plan_validation *check, const rp_plan_kernel *k,
                            const rp_spirv_resource *block) {
    if (block->size <= k->push_bytes) return RP_OK;
    return rp_plan_damaged(check,
                           "kernel '%.60s': its record says %u bytes of push constants, the block "
                           "of its SPIR-V has %llu",
                           name_of(check, k), k->push_bytes, (unsigned long long)block->size);
}

/* Whether what is bound is what the module sees: a record may know more of a format, and what a block
 * is for. */
static bool same_resource(const rp_plan_param *said, const rp_spirv_binding *is) {
    if (said->resource == RP_RESOURCE_STALL)
        return is->resource == RP_RESOURCE_BUFFER && is->access != RP_UNIFORM;
    return said->resource == is->resource && said->view == is->view && said->texel == is->texel &&
           (said->access == RP_UNIFORM) == (is->access == RP_UNIFORM) &&
           (said->access == RP_SAMPLED) == (is->access == RP_SAMPLED) &&
           (is->resource != RP_RESOURCE_IMAGE || is->access == RP_SAMPLED ||
            said->format == is->format || !is->format || !said->format);
}

/* A binding that the code uses, and its param (NULL = it has none). */
static rp_status check_binding(rp_plan_validation *check, const rp_plan_kernel *k,
                               const rp_spirv_resource *resource, const rp_plan_param *param) {
    rp_spirv_binding is;
    if (!rp_spirv_bind(resource, &is))
        return rp_plan_damaged(check, "kernel '%.60s': binding %u of set %u is %s in its SPIR-V",
                               name_of(check, k), resource->binding, resource->set,
                               rp_spirv_kind_name((rp_spirv_kind)resource->kind));
    if (!param)
        return rp_plan_damaged(check,
                               "kernel '%.60s': its SPIR-V uses binding %u of set %u, which its "
                               "record does not have",
                               name_of(check, k), resource->binding, resource->set);
    const char *says = rp_access_name((rp_access)param->access), *does = NULL;
    bool reads = param->access != RP_WRITE;
    bool writes = param->access == RP_WRITE || param->access == RP_READ_WRITE;
    if (!same_resource(param, &is))
        does = resource->kind == RP_SPIRV_UNIFORM_BLOCK   ? "has a uniform block"
               : resource->kind == RP_SPIRV_STORAGE_BLOCK ? "has a storage block"
                                                          : "has something else";
    else if (param->elements != resource->elements)
        does = "has an array of another size";
    else if (resource->writes && !writes)
        does = "writes it";
    else if (resource->reads && !reads)
        does = "reads it";
    if (!does) return RP_OK;
    return rp_plan_damaged(check,
                           "kernel '%.60s': its record says '%s' for binding %u of set %u, its "
                           "SPIR-V %s",
                           name_of(check, k), says, resource->binding, resource->set, does);
}

static rp_status check_resources(rp_plan_validation *check, const rp_plan_kernel *k,
                                 const rp_plan_param *const *params) {
    const rp_spirv_reader *r = &check->spirv;
    for (uint32_t i = 0; i < r->resource_count; i++) {
        const rp_spirv_resource *resource = &r->resources[i];
        if (!resource->used) continue;
        if (resource->kind == RP_SPIRV_PUSH_BLOCK)
            RP_TRY(check_push(check, k, resource));
        else
            RP_TRY(check_binding(check, k, resource, find_param(params, k->param_count, resource)));
    }
    return RP_OK;
}

static rp_status check_interface(rp_plan_validation *check, const rp_plan_kernel *k) {
    const rp_allocator *a = &check->plan->allocator;
    const rp_plan_param *params =
        (const rp_plan_param *)rp_plan_records(check->plan, RP_SECTION_PARAMS) + k->first_param;
    const rp_plan_param **sorted = rp_alloc(a, k->param_count, sizeof *sorted);
    if (!sorted) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < k->param_count; i++) sorted[i] = &params[i];
    if (k->param_count) qsort(sorted, k->param_count, sizeof *sorted, by_place);
    rp_status status = check_resources(check, k, sorted);
    rp_release(a, sorted);
    return status;
}

rp_status rp_plan_check_spirv(rp_plan_validation *check, const rp_plan_kernel *k) {
    if (k->word_count == 0) return RP_OK;
    const uint32_t *words =
        (const uint32_t *)rp_plan_records(check->plan, RP_SECTION_WORDS) + k->first_word;
    const rp_spirv_spec *specs =
        (const rp_spirv_spec *)rp_plan_records(check->plan, RP_SECTION_SPECS) + k->first_spec;
    char why[128];
    rp_status status =
        rp_spirv_read(&check->spirv, words, k->word_count, rp_plan_string(check->plan, k->entry),
                      specs, k->spec_count, why);
    if (status == RP_ERROR_DAMAGED)
        return rp_plan_damaged(check, "kernel '%.60s': %s", name_of(check, k), why);
    RP_TRY(status);
    RP_TRY(check_needs(check, k));
    RP_TRY(check_constants(check, k, specs));
    RP_TRY(check_sizes(check, k));
    RP_TRY(check_interface(check, k));
    if (rp_hash(words, (size_t)k->word_count * 4) != k->hash)
        return rp_plan_damaged(check, "kernel '%.60s': the hash of its SPIR-V is not %016llx",
                               name_of(check, k), (unsigned long long)k->hash);
    return RP_OK;
}
