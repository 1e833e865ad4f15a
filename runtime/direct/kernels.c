/* The kernels of an encoder: what their SPIR-V does against what they are said to do, what the device
 * offers against what they need, and how they are asked for. All that does not fit is reported at
 * once. */
#include "direct/encoder.h"
#include "base/shape.h"

#include <stdio.h>
#include "base/scope.h"
#include "device/images.h"
#include "plan/fit.h"
#include "spirv/spirv.h"

typedef struct checker {
    const rp_device *owner;
    const rp_adapter *adapter;
    const char *device; /* its name */
    rp_diags *diags;
    rp_fit fit;
    rp_spirv_reader reader;
    const rp_encoder_kernel *kernel;
    rp_encoder_param_info *infos; /* by parameter of the kernel */
    uint32_t number;              /* of the kernel */
    rp_encoder_pairs *pairs;
    uint64_t known; /* bit i: what parameter i is was found in the module */
    uint32_t errors;
} checker;

static void say(void *user, const char *message) {
    const checker *c = user;
    rp_diags_add(c->diags, RP_ERROR, NULL, 0, 0, "%s; device %s", message, c->device);
}

#define FAIL(c, format, ...)                                                                       \
    ((c)->errors++, rp_diags_add((c)->diags, RP_ERROR, NULL, 0, 0, "kernel '%.60s': " format,      \
                                 (c)->kernel->name, __VA_ARGS__))

/* ---- What is given --------------------------------------------------------------------------- */

static void check_params(checker *c) {
    const rp_encoder_kernel *k = c->kernel;
    for (uint32_t i = 0; i < k->param_count; i++) {
        const rp_encoder_param *p = &k->params[i];
        if (!rp_access_name(p->access) || p->set >= RP_MAX_SETS || p->binding > UINT8_MAX)
            FAIL(c,
                 "parameter %u: access %d, set %u, binding %u; expected sets below %d and bindings "
                 "up to 255",
                 i, (int)p->access, p->set, p->binding, RP_MAX_SETS);
        for (uint32_t j = 0; j < i; j++)
            if (k->params[j].set == p->set && k->params[j].binding == p->binding)
                FAIL(c, "parameters %u and %u are both at binding %u of set %u", j, i, p->binding,
                     p->set);
    }
}

/* False when nothing more can be asked of the kernel. */
static bool check_given(checker *c, uint32_t index) {
    const rp_encoder_kernel *k = c->kernel;
    if (!k->name || !k->spirv || k->spirv_size == 0 || k->spirv_size % 4 ||
        k->spirv_size / 4 > UINT32_MAX || (k->param_count && !k->params) ||
        (k->constant_count && !k->constants) || (k->wide_count && !k->wide)) {
        c->errors++;
        rp_diags_add(c->diags, RP_ERROR, NULL, 0, 0,
                     "kernel %u: it needs a name, SPIR-V in whole words, and what it counts",
                     index);
        return false;
    }
    uint32_t before = c->errors;
    if (k->param_count > RP_MAX_ENCODER_PARAMS)
        FAIL(c, "%u parameters; at most %d are possible", k->param_count, RP_MAX_ENCODER_PARAMS);
    else
        check_params(c);
    if (k->push_bytes % 4 || k->push_bytes > RP_MAX_PUSH_BYTES)
        FAIL(c, "%u bytes of push constants; expected a multiple of 4 up to %d", k->push_bytes,
             RP_MAX_PUSH_BYTES);
    for (uint32_t i = 0; i < k->wide_count; i++) {
        if (i && k->wide[i].id <= k->wide[i - 1].id)
            FAIL(c, "constant %u: its id does not ascend", i);
        if (!rp_constant_fits(k->wide[i].bytes, k->wide[i].value))
            FAIL(c, "specialisation constant %u has %u bytes, or more bits", k->wide[i].id,
                 k->wide[i].bytes);
    }
    return c->errors == before;
}

/* ---- What the module does -------------------------------------------------------------------- */

/* The parameter of a block; param_count for none. */
static uint32_t find_param(const rp_encoder_kernel *k, const rp_spirv_resource *r) {
    uint32_t i = 0;
    while (i < k->param_count && (k->params[i].set != r->set || k->params[i].binding != r->binding))
        i++;
    return i;
}

/* What is at a parameter's binding, into its info: several resources may share one. False, with a message,
 * where there is nothing that can be bound. */
static bool learn(checker *c, const rp_spirv_resource *r, uint32_t param,
                  const rp_spirv_binding *is) {
    rp_encoder_param_info *info = &c->infos[param];
    bool first = !(c->known >> param & 1);
    if (r->array && (r->elements == 0 || r->elements > RP_MAX_DESCRIPTORS)) {
        FAIL(c, "binding %u of set %u is an array of descriptors %s; expected 1 to %d", r->binding,
             r->set, r->elements == UINT64_MAX ? "without a known size" : "of another size",
             RP_MAX_DESCRIPTORS);
        return false;
    }
    if (!first && (info->resource != is->resource || info->view != is->view ||
                   info->texel != is->texel || info->elements != r->elements)) {
        FAIL(c, "binding %u of set %u is several different things", r->binding, r->set);
        return false;
    }
    if (!first && info->format != is->format)
        info->format = RP_IMAGE_NONE; /* either may be bound */
    if (first) {
        info->resource = is->resource;
        info->view = is->view;
        info->format = is->format;
        info->texel = is->texel;
        info->elements = (uint16_t)r->elements;
    }
    c->known |= UINT64_C(1) << param;
    return true;
}

static void check_binding(checker *c, const rp_spirv_resource *r) {
    uint32_t i = find_param(c->kernel, r);
    rp_spirv_binding is;
    if (!rp_spirv_bind(r, &is)) {
        FAIL(c, "its SPIR-V uses %s, which cannot be bound",
             rp_spirv_kind_name((rp_spirv_kind)r->kind));
        return;
    }
    if (i == c->kernel->param_count) {
        FAIL(c, "binding %u of set %u is used by its SPIR-V and no parameter", r->binding, r->set);
        return;
    }
    rp_access access = c->kernel->params[i].access;
    rp_encoder_param_info *info = &c->infos[i];
    if (!learn(c, r, i, &is)) return;
    if (is.resource == RP_RESOURCE_BUFFER && r->size > info->min_size) info->min_size = r->size;
    info->reads |= r->reads;
    info->writes |= r->writes;
    if (r->writes) info->allowed &= ~(1u << RP_READ);
    if (r->reads) info->allowed &= ~(1u << RP_WRITE);
    if (is.access != RP_READ)
        info->allowed = (uint8_t)(1u << is.access);
    else
        info->allowed &= ~(1u << RP_UNIFORM | 1u << RP_SAMPLED);
    if (info->allowed >> access & 1) return;
    FAIL(c, "binding %u of set %u is %s in its SPIR-V%s%s; the parameter says %s", r->binding,
         r->set, rp_spirv_kind_name((rp_spirv_kind)r->kind), r->reads ? ", read" : "",
         r->writes ? ", written" : "", rp_access_name(access));
}

static void check_resource(checker *c, const rp_spirv_resource *r) {
    if (!r->used) return;
    if (r->kind != RP_SPIRV_PUSH_BLOCK)
        check_binding(c, r);
    else if (r->size > c->kernel->push_bytes)
        FAIL(c, "its SPIR-V has %llu bytes of push constants, %u are said to be pushed",
             (unsigned long long)r->size, c->kernel->push_bytes);
}

/* What only the module says of a parameter must have been found there. */
static void check_unknown(checker *c) {
    for (uint32_t i = 0; i < c->kernel->param_count; i++)
        if (c->kernel->params[i].access == RP_SAMPLED && !(c->known >> i & 1))
            FAIL(c, "parameter %u is sampled, and its SPIR-V uses nothing at binding %u of set %u",
                 i, c->kernel->params[i].binding, c->kernel->params[i].set);
}

/* The parameter that a variable of the module is; RP_UNSET for none of such a kind. */
static uint32_t param_of(const checker *c, uint32_t id, rp_resource resource) {
    for (uint32_t i = 0; i < c->reader.resource_count; i++) {
        const rp_spirv_resource *r = &c->reader.resources[i];
        uint32_t param = r->id == id ? find_param(c->kernel, r) : c->kernel->param_count;
        if (param < c->kernel->param_count && c->infos[param].resource == resource &&
            c->infos[param].access == RP_SAMPLED)
            return param;
    }
    return RP_UNSET;
}

static rp_status list_pairs(checker *c) {
    for (uint32_t i = 0; i < c->reader.pair_count; i++) {
        uint32_t image = param_of(c, c->reader.pairs[i].image, RP_RESOURCE_IMAGE);
        uint32_t sampler = param_of(c, c->reader.pairs[i].sampler, RP_RESOURCE_SAMPLER);
        rp_encoder_pairs *p = c->pairs;
        if (image == RP_UNSET || sampler == RP_UNSET) continue;
        if (!RP_RESERVE(&c->owner->allocator, p->items, p->count, p->capacity, 1))
            return RP_ERROR_NO_MEMORY;
        p->items[p->count++] = (rp_encoder_pair){c->number, image, sampler};
    }
    return RP_OK;
}

/* The parameters as plans have them. */
static void describe_for_plans(const rp_encoder_kernel *k, const rp_encoder_param_info *infos,
                               rp_plan_param *out) {
    for (uint32_t i = 0; i < k->param_count; i++)
        out[i] = (rp_plan_param){.access = (uint8_t)k->params[i].access,
                                 .set = (uint8_t)k->params[i].set,
                                 .binding = (uint8_t)k->params[i].binding,
                                 .resource = infos[i].resource,
                                 .view = infos[i].view,
                                 .format = infos[i].format,
                                 .texel = infos[i].texel,
                                 .elements = infos[i].elements};
}

static void check_device(checker *c) {
    const rp_spirv_reader *r = &c->reader;
    const rp_encoder_kernel *k = c->kernel;
    char whose[96];
    snprintf(whose, sizeof whose, "kernel '%.60s'", k->name);
    rp_fit_check_needs(&c->fit, whose, r->needs);
    rp_fit_kernel facts = {.name = k->name,
                           .local = r->local,
                           .shared_bytes = r->shared_bytes > UINT32_MAX ? UINT32_MAX
                                                                        : (uint32_t)r->shared_bytes,
                           .push_bytes = k->push_bytes};
    rp_plan_param params[RP_MAX_ENCODER_PARAMS];
    uint32_t descriptors = 0;
    for (uint32_t i = 0; i < k->param_count; i++) {
        uint32_t count = rp_param_descriptors(&c->infos[i]);
        c->infos[i].first = (uint16_t)descriptors;
        descriptors += count;
        if (c->infos[i].resource == RP_RESOURCE_BUFFER)
            *(k->params[i].access == RP_UNIFORM ? &facts.uniform : &facts.storage) += count;
        if (k->params[i].set > facts.set) facts.set = k->params[i].set;
        if (descriptors > RP_MAX_DESCRIPTORS) break;
    }
    if (descriptors > RP_MAX_DESCRIPTORS) {
        FAIL(c, "it binds more than %d descriptors", RP_MAX_DESCRIPTORS);
        return;
    }
    describe_for_plans(k, c->infos, params);
    c->fit.errors += rp_bindings_check(c->owner, k->name, params, k->param_count, c->diags);
    rp_fit_check_kernel(&c->fit, &facts);
}

static void check_products(checker *c) {
    if (!(c->reader.needs & c->adapter->needs & RP_NEED_COOPERATIVE_MATRIX)) return;
    const rp_spirv_product *missing = rp_adapter_missing_product(c->adapter, &c->reader);
    if (!missing) return;
    char text[RP_SPIRV_PRODUCT_TEXT];
    rp_spirv_print_product(missing, text);
    FAIL(c, "it multiplies cooperative matrices of %s, which is none of: %s", text,
         c->adapter->info.matrix_products);
}

static rp_status check_module(checker *c) {
    const rp_encoder_kernel *k = c->kernel;
    rp_spirv_reader *r = &c->reader;
    char why[128];
    rp_status status = rp_spirv_read(r, k->spirv, (uint32_t)(k->spirv_size / 4),
                                     k->entry ? k->entry : "main", k->wide, k->wide_count, why);
    if (status == RP_ERROR_DAMAGED) {
        FAIL(c, "%s", why);
        return RP_OK;
    }
    RP_TRY(status);
    if (*r->unsupported) FAIL(c, "it needs %s", r->unsupported);
    if (r->needs & RP_NEED_DEVICE_ADDRESS)
        FAIL(c, "%s",
             "it uses buffer device addresses: memory that no parameter names cannot be "
             "synchronised");
    if (!r->local_known) FAIL(c, "%s", "its SPIR-V states no workgroup size");
    if (r->empty_array)
        FAIL(c, "%s", "with its specialisation constants an array has a length below 1");
    for (uint32_t i = 0; i < k->wide_count; i++) {
        const rp_spirv_constant *constant = rp_spirv_find_constant(r, k->wide[i].id);
        if (constant && rp_scalar_bytes(constant->scalar) != k->wide[i].bytes)
            FAIL(c, "specialisation constant %u is not %u bits wide", k->wide[i].id,
                 8 * k->wide[i].bytes);
    }
    check_products(c);
    if (!rp_adapter_has_subgroup(c->adapter, r->subgroup))
        FAIL(c, "it is made for subgroups of %u invocations, %u to %u are possible", r->subgroup,
             c->adapter->info.subgroup_least, c->adapter->info.subgroup_most);
    c->known = 0;
    for (uint32_t i = 0; i < r->resource_count; i++) check_resource(c, &r->resources[i]);
    check_unknown(c);
    if (r->local_known) check_device(c);
    return list_pairs(c);
}

_Static_assert(sizeof(rp_wide_constant) == sizeof(rp_plan_spec), "constants are used in place");

/* The constants of a kernel in one list: both are in order of id, or else the result is not. */
static void join(rp_encoder_kernel *k, rp_wide_constant *to) {
    uint32_t count = 0, narrow = 0, wide = 0;
    while (narrow < k->constant_count || wide < k->wide_count) {
        bool first = wide == k->wide_count ||
                     (narrow < k->constant_count && k->constants[narrow].id <= k->wide[wide].id);
        if (first)
            to[count++] =
                (rp_wide_constant){k->constants[narrow].id, 4, k->constants[narrow].value};
        else
            to[count++] = k->wide[wide];
        narrow += first;
        wide += !first;
    }
    k->wide = to;
    k->wide_count = count;
    k->constant_count = 0;
}

rp_status rp_encoder_join_constants(const rp_allocator *a, rp_encoder_kernel *kernels,
                                    uint32_t count, rp_wide_constant **out) {
    size_t all = 0;
    for (uint32_t i = 0; i < count; i++)
        all += (size_t)kernels[i].constant_count + kernels[i].wide_count;
    rp_wide_constant *to = *out = rp_alloc(a, all, sizeof **out);
    if (!to) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        rp_encoder_kernel *k = &kernels[i];
        if ((k->constant_count && !k->constants) || (k->wide_count && !k->wide))
            continue; /* refused */
        join(k, to);
        to += k->wide_count;
    }
    return RP_OK;
}

/* What is known without the module. */
static void describe_params(const rp_encoder_kernel *k, rp_encoder_param_info *infos) {
    const uint8_t storage = 1u << RP_READ | 1u << RP_WRITE | 1u << RP_READ_WRITE;
    for (uint32_t i = 0; i < k->param_count; i++)
        infos[i] = (rp_encoder_param_info){
            .access = (uint8_t)k->params[i].access,
            .read = (uint8_t)rp_scope_of_read(true, false, (uint8_t)k->params[i].access),
            .write = (uint8_t)rp_scope_of_write(true, false, (uint8_t)k->params[i].access),
            .allowed = k->params[i].access == RP_UNIFORM   ? 1u << RP_UNIFORM
                       : k->params[i].access == RP_SAMPLED ? 1u << RP_SAMPLED
                                                           : storage};
}

rp_status rp_encoder_check(rp_device *device, const rp_encoder_kernel *kernels, uint32_t count,
                           rp_diags *diags, rp_encoder_param_info *infos, rp_encoder_pairs *pairs) {
    rp_target target = RP_TARGET_INIT;
    RP_TRY(rp_device_target(device, &target));
    checker c = {.owner = device,
                 .adapter = &device->adapter,
                 .device = device->adapter.info.name,
                 .diags = diags};
    c.fit = (rp_fit){.target = &target, .say = say, .user = &c};
    rp_spirv_reader_init(&c.reader, &device->allocator);
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < count && status == RP_OK; i++) {
        c.kernel = &kernels[i];
        c.number = i;
        c.pairs = pairs;
        c.infos = infos;
        infos += kernels[i].param_count;
        if (!check_given(&c, i)) continue;
        describe_params(&kernels[i], c.infos);
        status = check_module(&c);
    }
    rp_spirv_reader_free(&c.reader);
    RP_TRY(status);
    return c.errors ? RP_ERROR_INVALID : c.fit.errors ? RP_ERROR_UNSUPPORTED : RP_OK;
}

/* ---- Asking for pipelines -------------------------------------------------------------------- */

static void describe(const rp_encoder_kernel *k, const rp_encoder_param_info *infos,
                     uint32_t push_bytes, rp_plan_param *params, rp_kernel_desc *out) {
    describe_for_plans(k, infos, params);
    *out = (rp_kernel_desc){
        .name = k->name,
        .entry = k->entry ? k->entry : "main",
        .words = k->spirv,
        .word_count = (uint32_t)(k->spirv_size / 4),
        .push_bytes = push_bytes,
        .params = params,
        .param_count = k->param_count,
        .specs = (const rp_plan_spec *)k->wide,
        .spec_count = k->wide_count,
    };
}

rp_status rp_encoder_prepare(rp_device *device, const rp_encoder_params *params,
                             const rp_encoder_param_info *infos, rp_diags *diags,
                             rp_preparation **out) {
    const rp_allocator *a = &device->allocator;
    const rp_encoder_kernel *kernels = params->kernels;
    uint32_t count = params->kernel_count, push_bytes = 0, param_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (kernels[i].push_bytes > push_bytes) push_bytes = kernels[i].push_bytes;
        param_count += kernels[i].param_count;
    }
    rp_kernel_desc *descs = rp_alloc(a, count, sizeof *descs);
    rp_plan_param *plan_params = rp_alloc(a, param_count, sizeof *plan_params);
    rp_status status = descs && plan_params ? RP_OK : RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0, at = 0; status == RP_OK && i < count; at += kernels[i++].param_count)
        describe(&kernels[i], infos + at, push_bytes, plan_params + at, &descs[i]);
    if (status == RP_OK)
        status = rp_prepare_kernels(device, descs, count, NULL, params->cache_path, diags, out);
    rp_release(a, descs);
    rp_release(a, plan_params);
    return status;
}
