/* Everything that can be done to execs, in random order: submitted alone and together, in parts, left
 * off, changed, moved, copied to and from, recorded into the application's command buffer. Several
 * execs share memory; between calls the application orders them by their own timelines, which is
 * all that it has to do. Whatever the order, no two accesses race, nothing in use is let go of, and
 * numbers go on. */
#include "exec/exec.h"
#include "shared.h"

enum { EXECS = 3, STEPS = 24, MOST_BYTES = 1024 };

static const char *const pipelines[] = {NULL, "schedule=source,place=separate,sync=full",
                                        "schedule=source,place,sync"};
enum { PIPELINES = sizeof pipelines / sizeof *pipelines };

typedef struct world {
    shared_device d;
    shared_exec execs[EXECS];
    uint32_t count;
    uint64_t seeds[EXECS], submitted[EXECS];
    uint64_t waited[EXECS][EXECS]; /* by exec: the last replay of another that it waits for */
    rp_random r;
    uint32_t steps[16]; /* what was done, by kind */
    unsigned char bytes[MOST_BYTES], fetched[8][MOST_BYTES];
} world;

static void expect(world *w, rp_status status, rp_status wanted) {
    CU_ASSERT_EQUAL(status, wanted);
    if (status == wanted) return;
    for (uint32_t i = 0; i < rp_diags_count(w->d.diags); i++)
        printf("\n  said: %s", rp_diags_get(w->d.diags, i).message);
}

/* The semaphores by which an exec's next replay comes behind those of others. */
static uint32_t wait_for_others(world *w, uint32_t e, rp_semaphore out[EXECS]) {
    uint32_t count = 0;
    for (uint32_t o = 0; o < w->count; o++) {
        if (o == e || w->waited[e][o] == w->submitted[o]) continue;
        out[count++] = (rp_semaphore){rp_exec_timeline(w->execs[o].exec), w->submitted[o], 0};
        w->waited[e][o] = w->submitted[o];
    }
    return count;
}

static uint32_t any_exec(world *w) {
    return rp_random_below(&w->r, w->count);
}

static uint32_t any_slot(world *w, uint32_t e) {
    return rp_random_below(&w->r, w->execs[e].exec->slots_count);
}

/* Up to four copies of a kind that a submission may bring along. */
static uint32_t any_copies(world *w, uint32_t e, bool upload, rp_upload *uploads,
                           rp_download *downloads) {
    uint32_t count = 0;
    const rp_plan *p = w->execs[e].plan;
    if (!rp_random_percent(&w->r, 40)) return 0;
    for (uint32_t i = 0; i < p->external_count && count < 4; i++) {
        const rp_plan_buffer *b = &rp_plan_buffers(p)[i];
        bool fits = upload ? b->kind == RP_IN || b->kind == RP_WEIGHT || b->kind == RP_INOUT
                           : b->kind == RP_OUT || b->kind == RP_INOUT;
        if (!fits || !rp_random_percent(&w->r, 60)) continue;
        const char *name = rp_plan_string(p, b->name);
        if (upload)
            uploads[count] = (rp_upload){.buffer = name, .size = b->size, .data = w->bytes};
        else
            downloads[count] =
                (rp_download){.buffer = name, .size = b->size, .data = w->fetched[count]};
        count++;
    }
    return count;
}

/* Whether an exec has two uploads to one memory, which is refused, or shares what is uploaded with a
 * slot in flight, which is busy: then nothing is submitted. */
static bool was_refused(world *w, rp_status status) {
    if (status != RP_ERROR_USAGE && status != RP_ERROR_BUSY) return false;
    CU_ASSERT_TRUE(rp_diags_error_count(w->d.diags) > 0);
    rp_diags_clear(w->d.diags);
    return true;
}

static void submit_one(world *w) {
    uint32_t e = any_exec(w);
    rp_exec *exec = w->execs[e].exec;
    uint64_t waited[EXECS];
    memcpy(waited, w->waited[e], sizeof waited);
    rp_semaphore waits[EXECS];
    rp_upload uploads[4];
    rp_download downloads[4];
    rp_submit_params params = {.size = sizeof params,
                               .slot = any_slot(w, e),
                               .waits = waits,
                               .wait_count = wait_for_others(w, e, waits),
                               .uploads = uploads,
                               .downloads = downloads,
                               .pieces = rp_random_below(&w->r, 3)};
    params.upload_count = any_copies(w, e, true, uploads, NULL);
    params.download_count = any_copies(w, e, false, NULL, downloads);
    uint64_t replay = 0;
    rp_status status = rp_exec_submit(exec, &params, w->d.diags, &replay);
    if ((params.upload_count || params.download_count) && was_refused(w, status)) {
        memcpy(w->waited[e], waited, sizeof waited);
        return;
    }
    expect(w, status, RP_OK);
    CU_ASSERT_EQUAL(replay, ++w->submitted[e]);
    w->steps[0]++;
    if (!exec->begun.replay) return;
    bool cancel = rp_random_percent(&w->r, 40);
    w->steps[cancel ? 1 : 2]++;
    expect(w, cancel ? rp_exec_cancel(exec, w->d.diags) : rp_exec_continue(exec, 0, w->d.diags),
           RP_OK);
}

/* Several in one call: between those the runtime orders what their replays touch, behind others the
 * first of each waits. */
static void submit_together(world *w) {
    enum { MOST = 5 };
    rp_submission all[MOST] = {{0}};
    rp_submit_params params[MOST];
    rp_semaphore waits[MOST][EXECS];
    uint32_t count = 1 + rp_random_below(&w->r, MOST), of[MOST];
    uint64_t replays[MOST];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t e = of[i] = any_exec(w);
        params[i] =
            (rp_submit_params){.size = sizeof *params, .slot = any_slot(w, e), .waits = waits[i]};
        params[i].wait_count = wait_for_others(w, e, waits[i]);
        all[i] = (rp_submission){w->execs[e].exec, &params[i], rp_random_percent(&w->r, 50)};
    }
    expect(w, rp_device_submit(w->d.device, all, count, w->d.diags, replays), RP_OK);
    for (uint32_t i = 0; i < count; i++) CU_ASSERT_EQUAL(replays[i], ++w->submitted[of[i]]);
    w->steps[3]++;
}

static void wait_some(world *w) {
    uint32_t e = any_exec(w);
    uint64_t replay = rp_random_below(&w->r, (uint32_t)w->submitted[e] + 1);
    rp_status status = rp_exec_wait(w->execs[e].exec, replay, UINT64_MAX, w->d.diags);
    CU_ASSERT_TRUE(status == RP_OK || (status == RP_ERROR_CANCELLED && replay));
    w->steps[4]++;
}

static void change_plan(world *w) {
    uint32_t e = any_exec(w);
    rp_plan *next = mock_random_plan(w->seeds[e], pipelines[rp_random_below(&w->r, PIPELINES)]);
    (void)rp_exec_wait(w->execs[e].exec, 0, UINT64_MAX, w->d.diags);
    expect(w, rp_exec_update(w->execs[e].exec, next, NULL, w->d.diags), RP_OK);
    rp_plan_destroy(w->execs[e].plan);
    w->execs[e].plan = next;
    w->steps[5]++;
}

/* Moves some buffer; where others are it is refused, and everything stays. */
static void move_buffer(world *w) {
    uint32_t e = any_exec(w);
    const rp_plan *p = w->execs[e].plan;
    uint32_t index = rp_random_below(&w->r, p->external_count);
    const rp_plan_buffer *b = &rp_plan_buffers(p)[index];
    if (b->kind == RP_LIVE) return;
    uint64_t cells = (SHARED_BYTES - b->size) / SHARED_CELL + 1;
    const rp_binding binding = {
        rp_plan_string(p, b->name), w->d.storages[rp_random_below(&w->r, SHARED_STORAGES)],
        rp_random_below(&w->r, (uint32_t)cells) * SHARED_CELL, RP_ALL_SLOTS, 0};
    (void)rp_exec_wait(w->execs[e].exec, 0, UINT64_MAX, w->d.diags);
    rp_status status = rp_exec_bind(w->execs[e].exec, &binding, 1, w->d.diags);
    if (was_refused(w, status)) return;
    expect(w, status, RP_OK);
    w->steps[6]++;
    /* What lies where is new: who comes next waits for all. */
    for (uint32_t i = 0; i < w->count; i++)
        for (uint32_t k = 0; k < w->count; k++) w->waited[i][k] = 0;
}

static void use_host(world *w) {
    uint32_t e = any_exec(w), slot = any_slot(w, e);
    const rp_plan *p = w->execs[e].plan;
    rp_exec *exec = w->execs[e].exec;
    for (uint32_t i = 0; i < w->count; i++) /* they share memory */
        (void)rp_exec_wait(w->execs[i].exec, 0, UINT64_MAX, w->d.diags);
    for (uint32_t i = 0; i < p->external_count; i++) {
        const rp_plan_buffer *b = &rp_plan_buffers(p)[i];
        const char *name = rp_plan_string(p, b->name);
        if (b->kind == RP_IN || b->kind == RP_WEIGHT)
            expect(w, rp_exec_write(exec, slot, name, 0, w->bytes, b->size, w->d.diags), RP_OK);
        if (b->kind == RP_OUT || b->kind == RP_INOUT)
            expect(w, rp_exec_read(exec, slot, name, 0, w->bytes, b->size, w->d.diags), RP_OK);
        if (b->kind == RP_LIVE && !b->follow_count && b->max_value != UINT32_MAX)
            expect(w, rp_exec_set_live(exec, slot, name, 0, &(uint32_t){1 + i}, 1, w->d.diags),
                   RP_OK);
    }
    w->steps[7]++;
}

/* Twice in a command buffer of the application, which waits for others as an exec would. */
static void record_own(world *w) {
    uint32_t e = any_exec(w), slot = any_slot(w, e);
    rp_exec *exec = w->execs[e].exec;
    rp_device *device = w->d.device;
    VkCommandPool pool = VK_NULL_HANDLE;
    VkCommandBuffer commands;
    const VkCommandPoolCreateInfo pool_info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                               .queueFamilyIndex = device->adapter.queue_family};
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    device->vk.CreateCommandPool(device->handle, &pool_info, NULL, &pool);
    const VkCommandBufferAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                              .commandPool = pool,
                                              .commandBufferCount = 1};
    device->vk.AllocateCommandBuffers(device->handle, &info, &commands);
    device->vk.BeginCommandBuffer(commands, &begin);
    for (uint32_t i = 0; i < 2; i++)
        expect(w, rp_exec_record(exec, slot, commands, w->d.diags), RP_OK);
    device->vk.EndCommandBuffer(commands);
    rp_semaphore others[EXECS];
    VkSemaphoreSubmitInfo waits[EXECS + 1];
    uint32_t count = wait_for_others(w, e, others);
    for (uint32_t i = 0; i < count; i++)
        waits[i] = (VkSemaphoreSubmitInfo){.semaphore = others[i].handle,
                                           .value = others[i].value,
                                           .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    /* Replays of this exec that the host has not seen end are in the same queue, but those of before
     * a change are not the recording's to order. */
    if (w->submitted[e])
        waits[count++] = (VkSemaphoreSubmitInfo){.semaphore = rp_exec_timeline(exec),
                                                 .value = w->submitted[e],
                                                 .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    uint64_t replay = 0;
    expect(w, rp_exec_reserve(exec, slot, w->d.diags, &replay), RP_OK);
    CU_ASSERT_EQUAL(replay, ++w->submitted[e]);
    const VkCommandBufferSubmitInfo buffer = {.commandBuffer = commands};
    const VkSemaphoreSubmitInfo signal = {.semaphore = rp_exec_timeline(exec),
                                          .value = replay,
                                          .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    const VkSubmitInfo2 submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                  .waitSemaphoreInfoCount = count,
                                  .pWaitSemaphoreInfos = waits,
                                  .commandBufferInfoCount = 1,
                                  .pCommandBufferInfos = &buffer,
                                  .signalSemaphoreInfoCount = 1,
                                  .pSignalSemaphoreInfos = &signal};
    CU_ASSERT_EQUAL(rp_queue_submit(device, 1, &submit), VK_SUCCESS);
    if (rp_random_percent(&w->r, 50)) submit_one(w);
    for (uint32_t i = 0; i < w->count; i++)
        (void)rp_exec_wait(w->execs[i].exec, 0, UINT64_MAX, w->d.diags);
    device->vk.DestroyCommandPool(device->handle, pool, NULL);
    w->steps[8]++;
}

static void (*const kinds[])(world *w) = {submit_one,      submit_one, submit_one,  submit_together,
                                          submit_together, wait_some,  change_plan, move_buffer,
                                          use_host,        record_own};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void open_world(world *w, uint64_t seed) {
    *w = (world){.r = {seed}};
    bool visible = rp_random_percent(&w->r, 40);
    shared_open(&w->d, visible);
    w->count = 1 + rp_random_below(&w->r, EXECS);
    mock.races = true;
    mock.stall = rp_random_percent(&w->r, 50);
    for (uint32_t e = 0; e < w->count; e++) {
        const rp_exec_params params = {.slots = 1 + rp_random_below(&w->r, 3),
                                       .pieces = 1 + rp_random_below(&w->r, 3),
                                       .state_per_slot = rp_random_percent(&w->r, 50)};
        w->seeds[e] = seed * EXECS + e;
        shared_create(&w->d, &w->execs[e], w->seeds[e], &w->r, params, visible);
    }
}

static void test_mixed(void) {
    uint64_t seed = rp_environment("RP_SEED", 1), cases = rp_cases(120, 20);
    uint32_t steps[16] = {0};
    static world w;
    for (uint64_t end = seed + cases; seed < end; seed++) {
        open_world(&w, seed);
        for (uint32_t i = 0; i < STEPS; i++) kinds[rp_random_below(&w.r, KINDS)](&w);
        for (uint32_t e = 0; e < w.count; e++)
            expect(&w, rp_exec_wait(w.execs[e].exec, 0, UINT64_MAX, w.d.diags), RP_OK);
        if (mock.mistake) printf("\n seed %llu", (unsigned long long)seed);
        for (uint32_t e = 0; e < w.count; e++) shared_destroy(&w.execs[e]);
        for (uint32_t i = 0; i < 16; i++) steps[i] += w.steps[i];
        shared_close(&w.d);
    }
    for (uint32_t i = 0; i < 9; i++) CU_ASSERT(steps[i] > cases / 4);
}

int main(void) {
    static const rp_test tests[] = {{"everything", test_mixed}, {0}};
    return rp_run_tests("mixed", tests);
}
