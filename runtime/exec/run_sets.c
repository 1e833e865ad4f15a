/* What a slot has for runs: a table of addresses for each, and a set that binds it. And the probe, which says with how
 * many workgroups a run of several phases is dispatched. */
#include "driver/barrier.h"
#include "exec/runs.h"
#include "memory/storage.h"
#include "pipeline/bound.h"
#include "spirv/join.h"

/* ---- Tables ---------------------------------------------------------------------------------- */

static uint64_t table_bytes(const rp_run *run) {
    return (uint64_t)run->rows * run->phases * RP_RUN_ROW_BYTES;
}

/* Where the table of a run lies among those of all; of one more than there are: where they end. */
static uint64_t table_at(const rp_exec *exec, uint32_t number) {
    uint64_t alignment = exec->device->adapter.properties.limits.minUniformBufferOffsetAlignment;
    uint64_t at = 0;
    for (uint32_t i = 0; i < number; i++) {
        at += table_bytes(&exec->runs.items[i]);
        at = (at + alignment - 1) / alignment * alignment;
    }
    return at;
}

/* Of an imported VkBuffer nobody says what it was created for. */
static bool has_address(const rp_exec *exec, const rp_storage *storage) {
    return !storage->imported && !rp_storage_lacks_usage(storage, exec->runs.usage);
}

/* Whether all that a node binds has an address: what the application lends may not. */
static bool has_addresses(const rp_exec *exec, const rp_slot *slot, uint32_t node) {
    const rp_plan_node *n = &rp_plan_nodes(exec->plan)[node];
    for (uint32_t i = 0; i < n->use_count; i++) {
        const rp_plan_use *use = &rp_plan_uses(exec->plan)[n->first_use + i];
        if (!has_address(exec, slot->places[use->buffer].storage)) return false;
    }
    return exec->live.stall_size == 0 || has_address(exec, slot->live_block.storage);
}

/* The rows of a phase: its grid, and where what its node binds lies. Of what the code does not name there is no
 * address. */
static void fill_rows(const rp_exec *exec, const rp_slot *slot, const rp_run *run, uint32_t phase,
                      uint32_t *rows) {
    uint32_t node = run->first_node + phase, room = 2 * (run->rows - RP_SPIRV_JOIN_ADDRESSES);
    const rp_device *device = exec->device;
    const rp_descriptors *d = &slot->descriptors;
    const rp_set *set = &d->sets[d->node_sets[d->of_node[node]]];
    rp_spirv_join_grid(rp_plan_nodes(exec->plan)[node].grid, rows);
    for (uint32_t i = 0; i < set->layout->binding_count; i++) {
        const VkDescriptorBufferInfo *named = &d->infos[set->first_info + i].buffer;
        uint32_t binding = set->layout->bindings[i].binding;
        const VkBufferDeviceAddressInfo info = {
            .sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO, .buffer = named->buffer};
        uint64_t address = device->vk.GetBufferDeviceAddress(device->handle, &info) + named->offset;
        if (binding < room)
            memcpy(rows + 4 * RP_SPIRV_JOIN_ADDRESSES + 2 * binding, &address, sizeof address);
    }
}

/* Whether all that a run binds has an address in a slot. */
static bool is_reached(const rp_exec *exec, const rp_slot *slot, const rp_run *run) {
    for (uint32_t p = 0; p < run->phases; p++)
        if (!has_addresses(exec, slot, run->first_node + p)) return false;
    return run->kernel != RP_UNSET;
}

/* Says which runs have a table. */
static rp_status fill_tables(const rp_exec *exec, rp_slot *slot, bool *reached, rp_diags *diags) {
    const rp_runs *runs = &exec->runs;
    const rp_storage_wish wish = {.purpose = RP_PURPOSE_LIVE,
                                  .usage = VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT,
                                  .size = table_at(exec, runs->count),
                                  .priority = exec->params.memory_priority,
                                  .name = "the addresses of joined kernels"};
    if (wish.size == 0) return RP_OK;
    RP_TRY(rp_storage_allocate(exec->device, &wish, 1, diags, &slot->run_sets.tables));
    memset(slot->run_sets.tables->mapped, 0, wish.size);
    for (uint32_t i = 0; i < runs->count; i++) {
        const rp_run *run = &runs->items[i];
        uint8_t *table = slot->run_sets.tables->mapped + table_at(exec, i);
        reached[i] = is_reached(exec, slot, run);
        for (uint32_t p = 0; p < run->phases && reached[i]; p++)
            fill_rows(exec, slot, run, p,
                      (uint32_t *)(table + (size_t)p * run->rows * RP_RUN_ROW_BYTES));
    }
    return RP_OK;
}

/* ---- Sets ------------------------------------------------------------------------------------ */

/* Layouts of the runs that are reached; how many. */
static uint32_t list_layouts(const rp_exec *exec, const bool *reached, VkDescriptorSetLayout *out) {
    const rp_runs *runs = &exec->runs;
    uint32_t count = 0;
    for (uint32_t i = 0; i < runs->count; i++)
        if (reached[i])
            out[count++] =
                rp_prepared_layout(runs->pipelines, runs->items[i].kernel)->sets[0]->handle;
    return count;
}

static rp_status allocate_sets(const rp_exec *exec, rp_slot *slot,
                               const VkDescriptorSetLayout *layouts, uint32_t count,
                               VkDescriptorSet *out, rp_diags *diags) {
    rp_device *device = exec->device;
    const VkDescriptorPoolSize sizes[] = {{VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, count},
                                          {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, count}};
    const VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .maxSets = count,
                                             .poolSizeCount = sizeof sizes / sizeof *sizes,
                                             .pPoolSizes = sizes};
    RP_TRY(RP_VK(
        diags, device->vk.CreateDescriptorPool(device->handle, &pool, NULL, &slot->run_sets.pool)));
    const VkDescriptorSetAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                              .descriptorPool = slot->run_sets.pool,
                                              .descriptorSetCount = count,
                                              .pSetLayouts = layouts};
    return RP_VK(diags, device->vk.AllocateDescriptorSets(device->handle, &info, out));
}

static void write_set(const rp_exec *exec, const rp_slot *slot, uint32_t number) {
    const rp_run *run = &exec->runs.items[number];
    const rp_storage *tables = slot->run_sets.tables, *probe = exec->runs.probe;
    const rp_named named[] = {
        {.buffer = {tables->handle, tables->offset + table_at(exec, number), table_bytes(run)}},
        {.buffer = {probe->handle, probe->offset, probe->size}}};
    rp_set_writer writer;
    rp_set_writer_begin(&writer, exec->device);
    rp_set_writer_add(&writer, rp_prepared_layout(exec->runs.pipelines, run->kernel)->sets[0],
                      slot->run_sets.of[number], named);
    rp_set_writer_flush(&writer);
}

rp_status rp_run_sets_create(const rp_exec *exec, rp_slot *slot, rp_diags *diags) {
    const rp_runs *runs = &exec->runs;
    const rp_allocator *a = &exec->device->allocator;
    slot->run_sets.of = rp_alloc_zero(a, runs->count, sizeof *slot->run_sets.of);
    bool *reached = rp_alloc_zero(a, runs->count, sizeof *reached);
    VkDescriptorSetLayout *layouts = rp_alloc(a, runs->count, sizeof *layouts);
    VkDescriptorSet *sets = rp_alloc(a, runs->count, sizeof *sets);
    rp_status status = slot->run_sets.of && reached && layouts && sets ? RP_OK : RP_ERROR_NO_MEMORY;
    if (status == RP_OK) status = fill_tables(exec, slot, reached, diags);
    uint32_t count = status == RP_OK ? list_layouts(exec, reached, layouts) : 0;
    if (count) status = allocate_sets(exec, slot, layouts, count, sets, diags);
    for (uint32_t i = 0, next = 0; count && status == RP_OK && i < runs->count; i++) {
        if (!reached[i]) continue;
        slot->run_sets.of[i] = sets[next++];
        write_set(exec, slot, i);
    }
    rp_release(a, reached);
    rp_release(a, layouts);
    rp_release(a, sets);
    return status;
}

void rp_runs_free_slot(const rp_exec *exec, rp_slot *slot) {
    rp_device *device = exec->device;
    if (slot->run_sets.pool)
        device->vk.DestroyDescriptorPool(device->handle, slot->run_sets.pool, NULL);
    rp_storage_drop(slot->run_sets.tables);
    rp_release(&device->allocator, slot->run_sets.of);
    slot->run_sets = (rp_run_sets){0};
}

/* ---- The probe ------------------------------------------------------------------------------- */

/* Its words, as rp_spirv_join has them; those that the host reads are a copy. */
enum { CAME, FAILED, PROBE_WORDS };

typedef struct probing {
    const rp_exec *exec;
    const rp_run *run;
    VkDescriptorSet set;
    const rp_storage *copy;
    uint32_t workgroups;
} probing;

rp_status rp_run_probe_create(rp_exec *exec, rp_diags *diags) {
    const rp_storage_wish wish = {.purpose = RP_PURPOSE_ARENA,
                                  .size = PROBE_WORDS * sizeof(uint32_t),
                                  .priority = exec->params.memory_priority,
                                  .name = "the probe of persistent kernels"};
    return rp_storage_allocate(exec->device, &wish, 1, diags, &exec->runs.probe);
}

static void record_probe(rp_device *device, VkCommandBuffer commands, const void *user) {
    const probing *p = user;
    const rp_vk *vk = &device->vk;
    const rp_preparation *pipelines = p->exec->runs.pipelines;
    const rp_storage *words = p->exec->runs.probe;
    const VkBufferCopy region = {words->offset, p->copy->offset, words->size};
    const uint32_t no_tag = 0;
    rp_bound bound;
    rp_bound_begin(&bound, vk, commands);
    vk->CmdFillBuffer(commands, words->handle, words->offset, words->size, 0);
    rp_barrier_full(vk, commands);
    rp_bind_pipeline(&bound, rp_prepared_pipeline(pipelines, p->run->kernel),
                     rp_prepared_layout(pipelines, p->run->kernel));
    rp_bind_set(&bound, 0, p->set);
    rp_bind_push(&bound, &no_tag, sizeof no_tag);
    vk->CmdDispatch(commands, p->workgroups, 1, 1);
    rp_barrier_full(vk, commands);
    vk->CmdCopyBuffer(commands, words->handle, p->copy->handle, 1, &region);
    rp_barrier_full(vk, commands);
}

/* Whether so many workgroups are on the device at once. */
static rp_status try_workgroups(const probing *p, rp_diags *diags, bool *out) {
    volatile const uint32_t *words = (const void *)p->copy->mapped;
    RP_TRY(rp_submit_once(p->exec->device, record_probe, p, diags));
    *out = words[CAME] == p->workgroups && words[FAILED] == 0;
    return RP_OK;
}

/* The most that any phase has: more would have nothing to do. */
static uint32_t most_workgroups(const rp_exec *exec, const rp_run *run) {
    const rp_plan_node *nodes = rp_plan_nodes(exec->plan) + run->first_node;
    uint32_t most = 1;
    for (uint32_t i = 0; i < run->phases; i++) {
        uint32_t own = nodes[i].grid[0] * nodes[i].grid[1] * nodes[i].grid[2];
        if (own > most) most = own;
    }
    return most;
}

/* Half as many, and half of those, until they are there together. */
static rp_status find_resident(probing *p, rp_diags *diags, bool *there) {
    for (;;) {
        RP_TRY(try_workgroups(p, diags, there));
        if (*there || p->workgroups == 1) return RP_OK;
        p->workgroups /= 2;
    }
}

/* A phase alone has all its own, in the order of its own. Of several, threads of a processor, which other work shares, are not
 * sure to be there together: one is. */
static rp_status find_workgroups(const rp_exec *exec, rp_run *run, probing *p, rp_diags *diags) {
    uint32_t limit = exec->device->adapter.properties.limits.maxComputeWorkGroupCount[0];
    uint32_t most = most_workgroups(exec, run);
    bool alone = run->phases == 1, is_cpu = exec->device->adapter.info.is_cpu;
    bool there = alone ? most <= limit : is_cpu;
    p->workgroups = !alone && is_cpu ? 1 : most < limit ? most : limit;
    if (!alone && !there) RP_TRY(find_resident(p, diags, &there));
    run->workgroups = p->workgroups;
    if (!there) run->kernel = RP_UNSET;
    return RP_OK;
}

rp_status rp_runs_find_workgroups(rp_exec *exec, const rp_slot *slot, rp_diags *diags) {
    rp_runs *runs = &exec->runs;
    const rp_storage_wish wish = {.purpose = RP_PURPOSE_STAGING,
                                  .size = PROBE_WORDS * sizeof(uint32_t),
                                  .name = "what a probe found"};
    rp_storage *copy = NULL;
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < runs->count && status == RP_OK; i++) {
        probing p = {.exec = exec, .run = &runs->items[i], .set = slot->run_sets.of[i]};
        if (runs->items[i].kernel == RP_UNSET || runs->items[i].workgroups || !p.set) continue;
        if (!copy) status = rp_storage_allocate(exec->device, &wish, 1, diags, &copy);
        p.copy = copy;
        if (status == RP_OK) status = find_workgroups(exec, &runs->items[i], &p, diags);
    }
    rp_storage_drop(copy);
    return status;
}
