#include "exec/runs.h"

#include "driver/quirks.h"
#include "plan/format.h"
#include "reprise/needs.h"
#include "spirv/join.h"

/* ---- Which dispatches ------------------------------------------------------------------------ */

/* A dispatch whose grid and bytes are those of the plan, of a kernel that is made of ops, as all with tagged buffers are, binds
 * nothing but storage buffers and is pushed nothing but a tag. */
static bool can_be_phase(const rp_exec *exec, uint32_t index) {
    const rp_plan *plan = exec->plan;
    const rp_plan_node *node = &rp_plan_nodes(plan)[index];
    if (node->kind != RP_RUN || (node->flags & (RP_NODE_UNKNOWN | RP_NODE_OPTIONAL)) ||
        node->grid_kind != RP_GRID_DIRECT || exec->live.of_node[index] != RP_UNSET)
        return false;
    uint64_t workgroups = (uint64_t)node->grid[0] * node->grid[1];
    if (workgroups > INT32_MAX || workgroups * node->grid[2] > INT32_MAX) return false;
    const rp_plan_kernel *kernel = &rp_plan_kernels(plan)[node->kernel];
    if (kernel->push_bytes > sizeof(uint32_t) || !rp_node_is_tagged(plan, node)) return false;
    for (uint32_t i = 0; i < kernel->param_count; i++) {
        const rp_plan_param *p = &rp_plan_params(plan)[kernel->first_param + i];
        bool buffer = p->resource == RP_RESOURCE_BUFFER || p->resource == RP_RESOURCE_STALL;
        if (!buffer || p->access == RP_UNIFORM || p->set != 0 || p->elements != 0) return false;
    }
    for (uint32_t i = 0; i < node->use_count; i++)
        if (rp_plan_uses(plan)[node->first_use + i].step == RP_USE_ADDRESSED) return false;
    return kernel->param_count > 0;
}

/* What is worth it for a dispatch alone, as measured: kernels that read blocks and wait for words. */
static bool reads_blocks(const rp_plan *plan, const rp_plan_node *node) {
    for (uint32_t i = 0; i < node->use_count; i++) {
        const rp_plan_use *use = &rp_plan_uses(plan)[node->first_use + i];
        const rp_plan_buffer *buffer = &rp_plan_buffers(plan)[use->buffer];
        bool blocks = buffer->dtype == RP_Q8_0 || buffer->dtype == RP_Q4_0;
        if (blocks && buffer->kind == RP_WEIGHT && use->access == RP_READ) return true;
    }
    return false;
}

static const uint32_t *words_of(const rp_plan *plan, const rp_plan_kernel *kernel) {
    return (const uint32_t *)rp_plan_records(plan, RP_SECTION_WORDS) + kernel->first_word;
}

/* One kernel has one size of workgroups and of subgroups. */
static bool are_alike(const rp_plan *plan, uint32_t a, uint32_t b) {
    const rp_plan_kernel *x = &rp_plan_kernels(plan)[rp_plan_nodes(plan)[a].kernel],
                         *y = &rp_plan_kernels(plan)[rp_plan_nodes(plan)[b].kernel];
    return memcmp(x->local, y->local, sizeof x->local) == 0 &&
           rp_spirv_subgroup(words_of(plan, x), x->word_count) ==
               rp_spirv_subgroup(words_of(plan, y), y->word_count);
}

/* Takes a group into a run, if all of it goes with what is there. */
static bool extend(const rp_exec *exec, rp_run *run, const rp_plan_group *group) {
    if (run->phases + group->node_count > RP_RUN_MOST_PHASES) return false;
    for (uint32_t i = 0; i < group->node_count; i++) {
        uint32_t node = group->first_node + i;
        if (!can_be_phase(exec, node) || !are_alike(exec->plan, run->first_node, node))
            return false;
    }
    run->phases += group->node_count;
    run->end_group++;
    return true;
}

static bool is_cut(const rp_exec *exec, uint32_t group) {
    for (uint32_t i = 0; i < exec->pieces; i++)
        if (exec->cuts[i] == group) return true;
    return false;
}

/* The run of several phases that begins with a group; fewer than two are none. */
static rp_run find_long(const rp_exec *exec, uint32_t group) {
    const rp_plan_group *groups = rp_plan_records(exec->plan, RP_SECTION_GROUPS);
    const rp_plan_barrier *barriers = rp_plan_records(exec->plan, RP_SECTION_TAGGED_BARRIERS);
    uint32_t count = rp_plan_count(exec->plan, RP_SECTION_GROUPS);
    rp_run run = {.first_node = groups[group].first_node, .end_group = group, .kernel = RP_UNSET};
    do {
        if (!extend(exec, &run, &groups[run.end_group])) break;
    } while (run.end_group < count && barriers[run.end_group].src == 0 &&
             !is_cut(exec, run.end_group));
    return run;
}

static rp_status add(rp_exec *exec, const rp_run *run, uint32_t *capacity) {
    rp_runs *runs = &exec->runs;
    if (!RP_RESERVE(&exec->device->allocator, runs->items, runs->count, *capacity, 1))
        return RP_ERROR_NO_MEMORY;
    runs->of_node[run->first_node] = runs->count;
    runs->items[runs->count++] = *run;
    runs->usage = VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
    return RP_OK;
}

/* Images change hands at boundaries, and what marks nodes stands between them: neither is in a long run. */
static rp_status find_runs(rp_exec *exec) {
    const rp_plan *plan = exec->plan;
    const rp_plan_group *groups = rp_plan_records(plan, RP_SECTION_GROUPS);
    uint32_t count = rp_plan_count(plan, RP_SECTION_GROUPS), capacity = 0;
    bool persist = exec->params.joining == RP_JOINING_PERSISTENT && exec->waits &&
                   !(exec->device->quirks & RP_QUIRK_SHORT_LOOPS) && !exec->params.markers &&
                   exec->takeovers_count == 0;
    for (uint32_t g = 0; g < count;) {
        rp_run run = persist ? find_long(exec, g) : (rp_run){0};
        if (run.phases > 1) {
            RP_TRY(add(exec, &run, &capacity));
            g = run.end_group;
            continue;
        }
        for (uint32_t i = 0; i < groups[g].node_count; i++) {
            uint32_t node = groups[g].first_node + i;
            run = (rp_run){.first_node = node, .phases = 1, .kernel = RP_UNSET};
            if (can_be_phase(exec, node) && reads_blocks(plan, &rp_plan_nodes(plan)[node]))
                RP_TRY(add(exec, &run, &capacity));
        }
        g++;
    }
    return RP_OK;
}

rp_status rp_runs_plan(rp_exec *exec, rp_diags *diags) {
    const uint64_t needs = RP_NEED_DEVICE_ADDRESS | RP_NEED_INT64;
    const rp_device *device = exec->device;
    uint32_t nodes = rp_plan_count(exec->plan, RP_SECTION_NODES);
    rp_joining joining = exec->params.joining;
    if (joining != RP_JOINING_AUTO && joining != RP_JOINING_OFF &&
        joining != RP_JOINING_PERSISTENT) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "rp_exec_params.joining is %d: no rp_joining",
                     (int)joining);
        return RP_ERROR_USAGE;
    }
    bool wanted = joining == RP_JOINING_PERSISTENT || (joining == RP_JOINING_AUTO && exec->waits &&
                                                       (device->quirks & RP_QUIRK_CHECKED_LOADS));
    if (!wanted || (device->adapter.needs & needs) != needs) return RP_OK;
    exec->runs.of_node = rp_alloc(&device->allocator, nodes, sizeof *exec->runs.of_node);
    if (!exec->runs.of_node) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < nodes; i++) exec->runs.of_node[i] = RP_UNSET;
    return find_runs(exec);
}

/* ---- Kernels --------------------------------------------------------------------------------- */

rp_run_parts rp_run_list_parts(const rp_plan *plan, const rp_run *run) {
    const rp_plan_node *nodes = rp_plan_nodes(plan) + run->first_node;
    rp_run_parts parts = {.count = 0};
    for (uint32_t p = 0; p < run->phases; p++) {
        uint32_t i = 0;
        while (i < parts.count && parts.kernels[i] != nodes[p].kernel) i++;
        if (i == parts.count) parts.kernels[parts.count++] = nodes[p].kernel;
        parts.of[p] = i;
    }
    return parts;
}

static rp_status take_part(const rp_plan *plan, const rp_allocator *a, uint32_t kernel,
                           rp_spirv_part *out) {
    const rp_plan_kernel *k = &rp_plan_kernels(plan)[kernel];
    const rp_plan_spec *specs =
        (const rp_plan_spec *)rp_plan_records(plan, RP_SECTION_SPECS) + k->first_spec;
    rp_spirv_spec *own = rp_alloc_zero(a, k->spec_count, sizeof *own);
    *out = (rp_spirv_part){.words = words_of(plan, k),
                           .word_count = k->word_count,
                           .entry = rp_plan_string(plan, k->entry),
                           .specs = own,
                           .spec_count = k->spec_count};
    if (!own) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < k->spec_count; i++)
        own[i] = (rp_spirv_spec){.id = specs[i].id, .value = specs[i].value};
    return RP_OK;
}

/* Whether the device has what the joined kernel takes. */
static bool fits(const rp_exec *exec, const rp_run *run, const rp_spirv_joined *joined) {
    const VkPhysicalDeviceLimits *limits = &exec->device->adapter.properties.limits;
    return joined->shared_bytes <= limits->maxComputeSharedMemorySize &&
           (uint64_t)joined->rows * run->phases * RP_RUN_ROW_BYTES <= limits->maxUniformBufferRange;
}

/* Leaves `out` empty for what cannot be joined. */
static rp_status join(const rp_exec *exec, const rp_run *run, rp_spirv_joined *out) {
    const rp_allocator *a = &exec->device->allocator;
    const rp_run_parts parts = rp_run_list_parts(exec->plan, run);
    rp_spirv_part of[RP_RUN_MOST_PHASES] = {0};
    char why[128];
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < parts.count && status == RP_OK; i++)
        status = take_part(exec->plan, a, parts.kernels[i], &of[i]);
    if (status == RP_OK)
        status = rp_spirv_join(a, of, parts.count, parts.of, run->phases, out, why);
    for (uint32_t i = 0; i < parts.count; i++) rp_release(a, (void *)of[i].specs);
    if (status == RP_OK && !fits(exec, run, out)) {
        rp_release(a, out->words);
        *out = (rp_spirv_joined){0};
    }
    return status == RP_ERROR_NO_MEMORY ? status : RP_OK;
}

/* What joined kernels bind: their table, and the words of the probe. */
static const rp_plan_param params[] = {
    {.access = RP_UNIFORM, .binding = 0, .resource = RP_RESOURCE_BUFFER},
    {.access = RP_READ_WRITE, .binding = 1, .resource = RP_RESOURCE_BUFFER}};

static rp_status describe(const rp_exec *exec, rp_run *run, uint32_t number,
                          rp_spirv_joined *joined, rp_kernel_desc *out) {
    const char *name = run->phases > 1 ? "persistent" : "by address";
    *out = (rp_kernel_desc){.name = name};
    RP_TRY(join(exec, run, joined));
    if (!joined->words) return RP_OK;
    run->rows = joined->rows;
    run->kernel = number;
    *out = (rp_kernel_desc){.name = name,
                            .entry = "main",
                            .words = joined->words,
                            .word_count = joined->word_count,
                            .push_bytes = sizeof(uint32_t),
                            .params = params,
                            .param_count = sizeof params / sizeof *params};
    return RP_OK;
}

/* There are none any more. */
static void give_up(rp_exec *exec) {
    rp_runs *runs = &exec->runs;
    rp_preparation_destroy(runs->pipelines);
    rp_release(&exec->device->allocator, runs->of_node);
    runs->pipelines = NULL;
    runs->of_node = NULL;
    runs->count = 0;
}

static rp_status ask_for_kernels(rp_exec *exec, rp_diags *diags) {
    rp_runs *runs = &exec->runs;
    const rp_allocator *a = &exec->device->allocator;
    rp_kernel_desc *descs = rp_alloc_zero(a, runs->count, sizeof *descs);
    rp_spirv_joined *joined = rp_alloc_zero(a, runs->count, sizeof *joined);
    rp_status status = descs && joined ? RP_OK : RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < runs->count && status == RP_OK; i++)
        status = describe(exec, &runs->items[i], i, &joined[i], &descs[i]);
    if (status == RP_OK)
        status = rp_prepare_kernels(exec->device, descs, runs->count, NULL, exec->params.cache_path,
                                    diags, &runs->pipelines);
    for (uint32_t i = 0; i < runs->count && joined; i++) rp_release(a, joined[i].words);
    rp_release(a, descs);
    rp_release(a, joined);
    return status;
}

/* A driver that takes no joined kernel takes the plan's. Where something else failed, the next who needs them asks anew. */
static rp_status create_kernels(rp_exec *exec, rp_diags *diags) {
    rp_runs *runs = &exec->runs;
    RP_TRY(ask_for_kernels(exec, diags));
    rp_status status =
        rp_prepared_wait(runs->pipelines, RP_UNSET, RP_PIPELINE_RARE, UINT64_MAX, NULL);
    if (status == RP_ERROR_DRIVER) {
        give_up(exec);
        return RP_OK;
    }
    if (status == RP_OK) return RP_OK;
    status = rp_prepared_wait(runs->pipelines, RP_UNSET, RP_PIPELINE_RARE, 0, diags);
    rp_preparation_destroy(runs->pipelines);
    runs->pipelines = NULL;
    return status;
}

/* ---- The whole ------------------------------------------------------------------------------- */

rp_status rp_runs_prepare(rp_exec *exec, rp_slot *slot, rp_diags *diags) {
    rp_runs *runs = &exec->runs;
    if (runs->count && !runs->pipelines) RP_TRY(create_kernels(exec, diags));
    if (runs->count == 0) return RP_OK;
    if (!runs->probe) RP_TRY(rp_run_probe_create(exec, diags));
    RP_TRY(rp_run_sets_create(exec, slot, diags));
    return rp_runs_find_workgroups(exec, slot, diags);
}

void rp_runs_free(rp_exec *exec) {
    rp_runs *runs = &exec->runs;
    rp_preparation_destroy(runs->pipelines);
    rp_storage_drop(runs->probe);
    rp_release(&exec->device->allocator, runs->items);
    rp_release(&exec->device->allocator, runs->of_node);
}

const rp_run *rp_run_at(const rp_exec *exec, const rp_slot *slot, rp_recording recording,
                        uint32_t node) {
    const rp_runs *runs = &exec->runs;
    if (!runs->of_node || runs->of_node[node] == RP_UNSET || !slot->run_sets.of) return NULL;
    uint32_t number = runs->of_node[node];
    const rp_run *run = &runs->items[number];
    bool recorded = run->phases == 1 || recording != RP_RECORD_BARRIERS;
    return recorded && run->kernel != RP_UNSET && slot->run_sets.of[number] ? run : NULL;
}

uint32_t rp_runs_spare(const rp_exec *exec, const rp_slot *slot, rp_recording recording) {
    uint32_t spare = 0;
    for (uint32_t i = 0; i < exec->runs.count; i++)
        if (rp_run_at(exec, slot, recording, exec->runs.items[i].first_node))
            spare += exec->runs.items[i].phases - 1;
    return spare;
}
