/* What fails leaves things as they were: each call that makes, moves, changes or submits, with each
 * Vulkan call and each allocation on its way made to fail. Afterwards the execs are looked at in all
 * that shows, the same call is made again and succeeds, and nothing is left over. */
#include "exec/exec.h"
#include "mock_objects.h"
#include "support.h"

#include <stdlib.h>

#define BUFFERS                                                                                    \
    "  buf $x in 256\n"                                                                            \
    "  buf $w weight 256\n"                                                                        \
    "  buf $s inout 256\n"                                                                         \
    "  buf $y out 256\n"                                                                           \
    "  buf $n live u32[2] = 03000000 02000000 max 100\n"                                           \
    "  kern @k spirv - local 64 1 1 push 4 (r, r, w)\n"                                            \
    "  kern @l spirv - local 64 1 1 (r, rw)\n"

static const char first_text[] =
    "reprise 1\n"
    "graph first scheduled placed synced arena 256 {\n" BUFFERS "  buf %a tmp 256 at 0\n"
    "  barrier compute:rw,transfer:rw -> compute:rw,transfer:rw\n"
    "  group 0\n"
    "    n0 = run @k grid {$n} 1 1 push 01000000 (r $x, r $w, w %a)\n"
    "  barrier compute:w -> compute:r\n"
    "  group 1\n"
    "    n1 = run @l grid 1 1 1 (r %a, rw $s)\n"
    "  barrier compute:w -> transfer:r\n"
    "  group 2\n"
    "    n2 = copy (r $s, w $y)\n"
    "}\n";
/* A larger arena, other kernels, fewer groups, more grids. */
static const char second_text[] =
    "reprise 1\n"
    "graph second scheduled placed synced arena 1024 {\n" BUFFERS "  buf %a tmp 1024 at 0\n"
    "  kern @m spirv - local 64 1 1 (u, r, w)\n"
    "  barrier compute:rw,transfer:rw -> compute:rw,transfer:rw\n"
    "  group 0\n"
    "    n0 = run @m grid {$n[1]} 1 1 (u $x, r $w, w %a)\n"
    "    n1 = run @l grid {$n} 1 1 (r $x, rw $s)\n"
    "  barrier compute:w -> transfer:r\n"
    "  group 1\n"
    "    n2 = copy (r $s, w $y)\n"
    "}\n";

/* What every call is tried on: two execs of two slots that share a storage. */
typedef struct world {
    mock_allocator memory;
    rp_diags *diags;
    rp_device *device;
    rp_plan *plans[2];
    rp_storage *mine, *more;
    rp_exec *execs[2];
    VkSemaphore semaphores[20];

    /* What calls make, to be let go at the end. */
    rp_storage *made_storage;
    rp_exec *made_exec;
} world;

static rp_status create_exec(world *w, rp_exec **out) {
    const rp_binding bindings[] = {{"w", w->mine, 0, 0, 0},
                                   {"s", w->mine, 256, RP_ALL_SLOTS, 256},
                                   {"y", w->mine, 768, RP_ALL_SLOTS, 256}};
    const rp_exec_params params = {.size = sizeof params,
                                   .cache_path = "",
                                   .timestamps = 1,
                                   .slots = 2,
                                   .state_per_slot = 1,
                                   .pieces = 3,
                                   .bindings = bindings,
                                   .binding_count = 3};
    return rp_exec_create(w->device, w->plans[0], &params, w->diags, out);
}

static void open_world(world *w) {
    *w = (world){0};
    mock_reset();
    mock_allocator_init(&w->memory);
    w->diags = rp_diags_create(NULL);
    w->device = mock_open(&w->memory.allocator, w->diags);
    w->plans[0] = mock_plan(first_text);
    w->plans[1] = mock_plan(second_text);
    const rp_storage_params params = {.size = sizeof params, .bytes = 4096};
    bool fine = w->device && w->plans[0] && w->plans[1];
    fine = fine && rp_storage_create(w->device, &params, w->diags, &w->mine) == RP_OK;
    fine = fine && rp_storage_create(w->device, &params, w->diags, &w->more) == RP_OK;
    for (uint32_t i = 0; i < 2; i++) fine = fine && create_exec(w, &w->execs[i]) == RP_OK;
    CU_ASSERT_TRUE_FATAL(fine);
    const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    for (uint32_t i = 0; i < 20; i++)
        w->device->vk.CreateSemaphore(w->device->handle, &info, NULL, &w->semaphores[i]);
}

static void close_world(world *w) {
    rp_exec_destroy(w->made_exec);
    for (uint32_t i = 0; i < 2; i++) rp_exec_destroy(w->execs[i]);
    for (uint32_t i = 0; i < 20; i++)
        w->device->vk.DestroySemaphore(w->device->handle, w->semaphores[i], NULL);
    rp_storage_release(w->made_storage);
    rp_storage_release(w->mine);
    rp_storage_release(w->more);
    CU_ASSERT_EQUAL(rp_device_destroy(w->device, w->diags), RP_OK);
    for (uint32_t i = 0; i < 2; i++) rp_plan_destroy(w->plans[i]);
    rp_diags_destroy(w->diags);
    CU_ASSERT_EQUAL(w->memory.alive, 0);
    mock_done();
}

/* ---- What shows of execs --------------------------------------------------------------------- */

static void add(char **text, const char *more) {
    size_t size = *text ? strlen(*text) : 0;
    *text = realloc(*text, size + strlen(more) + 1);
    if (!*text) abort();
    strcpy(*text + size, more);
}

static char *look(const world *w) {
    static const char *const buffers[] = {NULL, "x", "w", "s", "y", "n"};
    char *text = NULL, line[256];
    for (uint32_t i = 0; i < 2; i++) {
        rp_exec *e = w->execs[i];
        snprintf(line, sizeof line, "plan %p submitted %llu begun %llu+%u wait %llu ordered %d\n",
                 (const void *)e->plan, (unsigned long long)e->submitted,
                 (unsigned long long)e->begun.replay, e->begun.next_piece,
                 (unsigned long long)e->wait_for, e->ordered);
        add(&text, line);
        for (uint32_t s = 0; s < 2; s++) {
            const rp_slot *slot = &e->slots[s];
            snprintf(line, sizeof line, "replay %llu left off %u reserved %d wait %llu\n",
                     (unsigned long long)slot->replay, slot->left_off, slot->reserved,
                     (unsigned long long)slot->wait_for);
            add(&text, line);
            for (uint32_t p = 0; p < rp_exec_piece_count(e); p++)
                add(&text, mock_effects(rp_exec_command_buffer(e, s, p)));
            for (uint32_t b = 0; b < sizeof buffers / sizeof *buffers; b++) {
                rp_range_info range = {.size = sizeof range};
                CU_ASSERT_EQUAL(rp_exec_get_range(e, s, buffers[b], NULL, &range), RP_OK);
                snprintf(line, sizeof line, "%s at %p+%llu %llu\n",
                         buffers[b] ? buffers[b] : "arena", (const void *)range.storage,
                         (unsigned long long)range.offset, (unsigned long long)range.bytes);
                add(&text, line);
            }
            const uint32_t *n = (const uint32_t *)slot->live.mapped[4];
            snprintf(line, sizeof line, "n %u %u grid %u\n", n[0], n[1],
                     *(const uint32_t *)(slot->live.grids + e->live.grids->offset));
            add(&text, line);
        }
    }
    return text;
}

/* ---- The calls ------------------------------------------------------------------------------- */

static rp_status try_storage(world *w) {
    const rp_storage_params params = {
        .size = sizeof params, .bytes = 1000, .host_visible = 1, .name = "made"};
    rp_storage *storage = w->mine;
    rp_status status = rp_storage_create(w->device, &params, w->diags, &storage);
    CU_ASSERT_EQUAL(storage == NULL, status != RP_OK);
    w->made_storage = storage;
    return status;
}

static rp_status try_import(world *w) {
    rp_storage_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_storage_get_info(w->mine, &info), RP_OK);
    const rp_storage_import import = {
        .size = sizeof import, .buffer = info.buffer, .offset = 256, .bytes = 512};
    rp_storage *storage = w->mine;
    rp_status status = rp_storage_import_buffer(w->device, &import, w->diags, &storage);
    CU_ASSERT_EQUAL(storage == NULL, status != RP_OK);
    w->made_storage = storage;
    return status;
}

static rp_status try_create(world *w) {
    rp_exec *exec = w->execs[0];
    rp_status status = create_exec(w, &exec);
    CU_ASSERT_EQUAL(exec == NULL, status != RP_OK);
    w->made_exec = exec;
    return status;
}

static rp_status try_bind(world *w) {
    const rp_binding bindings[] = {{"x", w->more, 0, RP_ALL_SLOTS, 512},
                                   {"w", w->more, 1536, 0, 0},
                                   {NULL, w->more, 2048, RP_ALL_SLOTS, 0}};
    return rp_exec_bind(w->execs[0], bindings, 3, w->diags);
}

static rp_status try_update(world *w) {
    return rp_exec_update(w->execs[0], w->plans[1], NULL, w->diags);
}

static rp_status try_submit(world *w) {
    rp_semaphore signals[20];
    for (uint32_t i = 0; i < 20; i++) signals[i] = (rp_semaphore){w->semaphores[i], 0, 0};
    const rp_submit_params params = {
        .size = sizeof params, .slot = 1, .signals = signals, .signal_count = 20};
    return rp_exec_submit(w->execs[0], &params, w->diags, NULL);
}

static rp_status try_submit_both(world *w) {
    const rp_submission both[] = {{w->execs[0], NULL}, {w->execs[1], NULL}, {w->execs[0], NULL}};
    uint64_t replays[3];
    return rp_device_submit(w->device, both, 3, w->diags, replays);
}

static rp_status try_begin(world *w) {
    rp_semaphore signals[15];
    for (uint32_t i = 0; i < 15; i++) signals[i] = (rp_semaphore){w->semaphores[i], 0, 0};
    const rp_submit_params params = {
        .size = sizeof params, .signals = signals, .signal_count = 15, .pieces = 1};
    return rp_exec_submit(w->execs[0], &params, w->diags, NULL);
}

static rp_status try_continue(world *w) {
    return rp_exec_continue(w->execs[0], 0, w->diags);
}

static rp_status try_cancel(world *w) {
    return rp_exec_cancel(w->execs[0], w->diags);
}

static rp_status try_reserve(world *w) {
    uint64_t replay = 0;
    rp_status status = rp_exec_reserve(w->execs[0], 1, w->diags, &replay);
    if (status == RP_OK) mock_signal(rp_exec_timeline(w->execs[0]), replay);
    return status;
}

static rp_status try_copies(world *w) {
    char bytes[256] = "bytes";
    rp_status status = rp_exec_write(w->execs[0], 1, "x", 0, bytes, 256, w->diags);
    if (status == RP_OK) status = rp_exec_read(w->execs[0], 0, "y", 0, bytes, 256, w->diags);
    if (status == RP_OK) status = rp_storage_write(w->more, 7, bytes, 100, w->diags);
    return status;
}

static const struct {
    const char *name;
    rp_status (*before)(world *w); /* NULL: nothing */
    rp_status (*call)(world *w);
    uint32_t vulkan, allocations; /* that are made on the way, at least */
} calls[] = {
    {"create a storage", NULL, try_storage, 8, 4},
    {"import a storage", NULL, try_import, 0, 2},
    {"create an exec", NULL, try_create, 30, 30},
    {"bind", NULL, try_bind, 12, 10},
    {"bind after replays", try_submit_both, try_bind, 12, 10},
    {"update", NULL, try_update, 20, 20},
    {"update after replays", try_submit_both, try_update, 20, 20},
    {"submit", NULL, try_submit, 1, 1},
    {"submit both", NULL, try_submit_both, 5, 3},
    {"begin", NULL, try_begin, 5, 2},
    {"continue", try_begin, try_continue, 1, 1},
    {"cancel", try_begin, try_cancel, 1, 1},
    {"reserve", NULL, try_reserve, 0, 0},
    {"copies", NULL, try_copies, 5, 1},
};

/* Makes the call with a fault in it, then again without. False when the fault never came. */
static bool fail_once(uint32_t c, bool allocation, uint32_t number, VkResult result,
                      rp_status expected) {
    world w;
    open_world(&w);
    if (calls[c].before) CU_ASSERT_EQUAL(calls[c].before(&w), RP_OK);
    for (uint32_t i = 0; i < 2; i++) (void)rp_exec_wait(w.execs[i], 0, UINT64_MAX, NULL);
    char *before = look(&w);
    if (allocation)
        w.memory.fail_at = w.memory.calls + (long)number;
    else
        mock.fail_at = mock.calls + number;
    mock.fail_with = result;
    rp_diags_clear(w.diags);
    rp_status status = calls[c].call(&w);
    bool came = allocation ? w.memory.calls >= w.memory.fail_at : mock.failed != NULL;
    mock.fail_with = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    mock.fail_at = 0;
    w.memory.fail_at = 0;
    if (!came || status == RP_OK) { /* what is an optimisation may fail */
        CU_ASSERT_EQUAL(status, RP_OK);
    } else {
        char *after = look(&w);
        bool fine = status == expected && strcmp(before, after) == 0 &&
                    (allocation || rp_diags_error_count(w.diags) > 0);
        CU_ASSERT_TRUE(fine);
        if (!fine)
            printf("\n %s, %s %u (%s): status %d\n%s---\n%s", calls[c].name,
                   allocation ? "allocation" : "call", number, mock.failed ? mock.failed : "",
                   status, before, after);
        free(after);
        CU_ASSERT_EQUAL(calls[c].call(&w), RP_OK);
    }
    free(before);
    if (w.execs[0]->begun.replay) CU_ASSERT_EQUAL(rp_exec_continue(w.execs[0], 0, w.diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(w.execs[0], NULL, w.diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(w.execs[0], 0, UINT64_MAX, w.diags), RP_OK);
    close_world(&w);
    return came;
}

static void fail_all(bool allocation, VkResult result, rp_status expected) {
    for (uint32_t c = 0; c < sizeof calls / sizeof *calls; c++) {
        uint32_t number = 1;
        while (number < 1000 && fail_once(c, allocation, number, result, expected)) number++;
        uint32_t wanted = allocation ? calls[c].allocations : calls[c].vulkan;
        CU_ASSERT_TRUE(number > wanted);
        if (number <= wanted) printf("\n %s: %u on the way\n", calls[c].name, number - 1);
    }
}

static void test_host_memory(void) {
    fail_all(false, VK_ERROR_OUT_OF_HOST_MEMORY, RP_ERROR_NO_MEMORY);
}

static void test_device_memory(void) {
    fail_all(false, VK_ERROR_OUT_OF_DEVICE_MEMORY, RP_ERROR_DEVICE_MEMORY);
}

static void test_allocations(void) {
    fail_all(true, VK_ERROR_OUT_OF_DEVICE_MEMORY, RP_ERROR_NO_MEMORY);
}

int main(void) {
    static const rp_test tests[] = {{"out of host memory", test_host_memory},
                                    {"out of device memory", test_device_memory},
                                    {"our allocations", test_allocations},
                                    {0}};
    return rp_run_tests("stay", tests);
}
