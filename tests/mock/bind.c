/* Where buffers lie: random bindings against a comparison of all pairs, bindings that are wrong, and
 * what moves with rp_exec_bind. */
#include "exec/exec.h"
#include "shared.h"

#include "opened.h"

/* ---- Overlaps -------------------------------------------------------------------------------- */

enum { MOST_SLOTS = 3, MOST_ENTRIES = SHARED_BUFFERS * MOST_SLOTS };

/* One buffer in one slot; it may be bound to what another slot has. */
typedef struct entry {
    shared_place place;
    uint32_t slot;
    bool live;
} entry;

typedef struct layout {
    rp_plan *plan;
    uint32_t slots, entry_count, binding_count;
    entry entries[MOST_ENTRIES];
    rp_binding bindings[MOST_ENTRIES];
    bool state_per_slot;
} layout;

static bool is_shared(const layout *l, uint32_t buffer) {
    if (buffer == RP_UNSET) return false;
    uint8_t kind = rp_plan_buffers(l->plan)[buffer].kind;
    return kind == RP_WEIGHT || (kind == RP_INOUT && !l->state_per_slot);
}

static void bind_one(layout *l, const shared_device *d, const shared_place *p, uint32_t slot) {
    const rp_plan_buffer *buffers = rp_plan_buffers(l->plan);
    const char *name =
        p->buffer == RP_UNSET ? NULL : rp_plan_string(l->plan, buffers[p->buffer].name);
    for (uint32_t s = 0; s < l->slots; s++)
        if (slot == RP_ALL_SLOTS || slot == s || is_shared(l, p->buffer))
            l->entries[l->entry_count++] =
                (entry){*p, s, p->buffer != RP_UNSET && buffers[p->buffer].kind == RP_LIVE};
    l->bindings[l->binding_count++] =
        (rp_binding){name, d->storages[p->storage], p->offset, slot, 0};
}

/* Some buffers for all slots, some for one, some for several with ranges of their own. */
static void make_layout(layout *l, const shared_device *d, rp_random *r) {
    shared_exec e = {.plan = l->plan};
    shared_list(&e, r, true, 4 + rp_random_below(r, 40));
    l->entry_count = l->binding_count = 0;
    for (uint32_t i = 0; i < e.count; i++) {
        shared_place *p = &e.places[i];
        if (p->storage == RP_UNSET) continue;
        if (is_shared(l, p->buffer) || rp_random_percent(r, 40)) {
            bool all = rp_random_percent(r, 50) || !is_shared(l, p->buffer);
            bind_one(l, d, p, all ? RP_ALL_SLOTS : rp_random_below(r, l->slots));
            continue;
        }
        bool whole = rp_random_percent(r, 75);
        for (uint32_t s = 0; s < l->slots; s++) {
            if (!whole && rp_random_percent(r, 40)) continue;
            if (rp_random_percent(r, 70)) {
                uint64_t cells = (SHARED_BYTES - p->bytes) / SHARED_CELL + 1;
                p->offset = rp_random_below(r, (uint32_t)cells) * SHARED_CELL;
            }
            bind_one(l, d, p, s);
        }
    }
}

/* Whether what is bound is bound in every slot. */
static bool is_whole(const layout *l) {
    for (uint32_t i = 0; i < l->entry_count; i++) {
        uint32_t slots = 0;
        for (uint32_t k = 0; k < l->entry_count; k++)
            slots += l->entries[k].place.buffer == l->entries[i].place.buffer;
        if (slots != l->slots) return false;
    }
    return true;
}

/* Whether no two names share bytes that are written; and whether slots do share some. */
static bool is_fine(const layout *l, bool *ordered) {
    bool fine = true;
    *ordered = false;
    for (uint32_t i = 0; i < rp_plan_count(l->plan, RP_SECTION_BUFFERS); i++)
        *ordered |= rp_plan_buffers(l->plan)[i].kind == RP_INOUT && is_shared(l, i);
    for (uint32_t i = 0; i < l->entry_count; i++)
        for (uint32_t k = 0; k < i; k++) {
            const entry *a = &l->entries[i], *b = &l->entries[k];
            bool again = a->place.buffer == b->place.buffer && a->slot != b->slot &&
                         a->place.storage == b->place.storage && a->place.offset == b->place.offset;
            if (!shared_overlap(&a->place, &b->place)) continue;
            if (!a->place.written && !b->place.written) continue;
            if (again && !a->live)
                *ordered = true;
            else
                fine = false;
        }
    if (l->slots == 1) *ordered = false; /* no other slot */
    return fine;
}

static void check_ranges(const layout *l, const shared_device *d, rp_exec *e) {
    for (uint32_t i = 0; i < l->entry_count; i++) {
        const entry *x = &l->entries[i];
        const rp_plan_buffer *buffers = rp_plan_buffers(l->plan);
        rp_range_info range = {.size = sizeof range};
        if (x->place.buffer != RP_UNSET && buffers[x->place.buffer].kind == RP_TMP) continue;
        const char *name = x->place.buffer == RP_UNSET
                               ? NULL
                               : rp_plan_string(l->plan, buffers[x->place.buffer].name);
        CU_ASSERT_EQUAL(rp_exec_get_range(e, x->slot, name, d->diags, &range), RP_OK);
        CU_ASSERT_PTR_EQUAL(range.storage, d->storages[x->place.storage]);
        CU_ASSERT_EQUAL(range.offset, x->place.offset);
        CU_ASSERT_EQUAL(range.bytes, x->place.bytes);
    }
}

static void test_overlaps(void) {
    uint64_t seed = rp_environment("RP_SEED", 1), cases = rp_cases(400, 60);
    uint32_t fine_count = 0, refused = 0, ordered_count = 0, partial = 0;
    for (uint64_t end = seed + cases; seed < end; seed++) {
        rp_random r = {seed};
        shared_device d;
        layout l = {.slots = 1 + rp_random_below(&r, MOST_SLOTS)};
        bool ordered, later = rp_random_percent(&r, 50);
        l.state_per_slot = rp_random_percent(&r, 50);
        shared_open(&d, true);
        l.plan = mock_random_plan(seed % 40, NULL);
        make_layout(&l, &d, &r);
        bool whole = is_whole(&l), fine = is_fine(&l, &ordered) && whole;
        rp_exec_params params = {.size = sizeof params,
                                 .cache_path = "",
                                 .slots = l.slots,
                                 .state_per_slot = l.state_per_slot,
                                 .bindings = l.bindings,
                                 .binding_count = later ? 0 : l.binding_count};
        rp_exec *e = NULL;
        rp_status status = rp_exec_create(d.device, l.plan, &params, d.diags, &e);
        const void *before = NULL;
        if (later) {
            CU_ASSERT_EQUAL(status, RP_OK);
            before = rp_exec_command_buffer(e, 0, 0);
            status = rp_exec_bind(e, l.bindings, l.binding_count, d.diags);
        }
        CU_ASSERT_EQUAL(status, fine ? RP_OK : RP_ERROR_USAGE);
        if (status != (fine ? RP_OK : RP_ERROR_USAGE))
            printf("\n seed %llu", (unsigned long long)seed);
        if (fine) {
            CU_ASSERT_EQUAL(l.slots > 1 && e->ordered, ordered);
            check_ranges(&l, &d, e);
        } else {
            CU_ASSERT_TRUE(
                rp_test_said(d.diags, whole ? "not both only read"
                                            : "bind it in every slot (slot = RP_ALL_SLOTS"));
        }
        if (later && !fine) CU_ASSERT_PTR_EQUAL(rp_exec_command_buffer(e, 0, 0), before);
        fine_count += fine;
        refused += whole && !fine;
        partial += !whole;
        ordered_count += fine && ordered;
        rp_exec_destroy(e);
        rp_plan_destroy(l.plan);
        shared_close(&d);
    }
    CU_ASSERT(fine_count > cases / 8 && refused > cases / 8 && ordered_count > cases / 20);
    CU_ASSERT(partial > cases / 16);
}

/* A long range that is read, a short one in it, and one that is written behind the short one. */
static void test_under_a_long_one(void) {
    static const char long_text[] = "reprise 1\n"
                                    "graph long scheduled placed synced arena 0 {\n"
                                    "  buf $w weight 1024\n"
                                    "  buf $x in 64\n"
                                    "  buf $y out 64\n"
                                    "  kern @k spirv - local 64 1 1 (r, r, w)\n"
                                    "  group 0\n"
                                    "    n0 = run @k grid 1 1 1 (r $w, r $x, w $y)\n"
                                    "}\n";
    mock_reset();
    open_text(long_text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    const rp_storage_params params = {.size = sizeof params, .bytes = 2048};
    rp_storage *mine = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &mine), RP_OK);
    rp_binding bindings[] = {{"w", mine, 0, 0, 0}, {"x", mine, 256, 0, 0}, {"y", mine, 512, 0, 0}};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, bindings, 3, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "w and y lie on the same memory, bytes 512 to 575"));
    bindings[2].offset = 1024;
    CU_ASSERT_EQUAL(rp_exec_bind(exec, bindings, 3, diags), RP_OK);
    rp_storage_release(mine);
    close_all();
}

/* ---- Wrong bindings -------------------------------------------------------------------------- */

static const char text[] = "reprise 1\n"
                           "graph places scheduled placed synced arena 512 {\n"
                           "  buf $x in 256\n"
                           "  buf $w weight 256\n"
                           "  buf $y out 256\n"
                           "  buf $n live u32[2] = 03000000 02000000 max 100\n"
                           "  buf %a tmp 256 at 0\n"
                           "  buf %b tmp 256 at 256\n"
                           "  kern @k spirv - local 64 1 1 (r, r, w)\n"
                           "  kern @u spirv - local 64 1 1 (u, w)\n"
                           "  barrier compute:rwus -> compute:w\n"
                           "  group 0\n"
                           "    n0 = run @k grid {$n} 1 1 (r $x, r $w, w %a)\n"
                           "  barrier compute:w -> compute:u\n"
                           "  group 1\n"
                           "    n1 = run @u grid 1 1 1 (u %a, w $y)\n"
                           "  barrier compute:w -> host:r\n"
                           "}\n";

static rp_storage *make(uint64_t bytes, bool visible) {
    const rp_storage_params params = {
        .size = sizeof params, .bytes = bytes, .host_visible = visible, .name = "mine"};
    rp_storage *storage = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &storage), RP_OK);
    return storage;
}

static void test_wrong(void) {
    mock_reset();
    rp_exec_params params = {.size = sizeof params, .cache_path = "", .slots = 2};
    open_text(text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    rp_storage *mine = make(1024, false), *seen = make(1024, true);
    rp_device *other = mock_open(NULL, NULL);
    rp_storage *foreign = NULL;
    const rp_storage_params small = {.size = sizeof small, .bytes = 1024};
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(other, &small, NULL, &foreign), RP_OK);
    const struct {
        rp_binding binding;
        rp_status status;
        const char *said;
    } cases[] = {
        {{"x", NULL, 0, 0, 0}, RP_ERROR_USAGE, "x cannot be bound: it has no storage"},
        {{"x", foreign, 0, 0, 0}, RP_ERROR_USAGE, "the storage is another device's"},
        {{"x", mine, 0, 2, 0}, RP_ERROR_USAGE, "slot 2: the exec has 2 (from 0), or RP_ALL_SLOTS"},
        {{"x", mine, 784, 0, 0},
         RP_ERROR_USAGE,
         "x has 256 bytes and cannot be bound at byte 784 of mine, which has 1024"},
        {{"x", mine, UINT64_MAX - 15, 0, 0}, RP_ERROR_USAGE, "cannot be bound at byte"},
        {{"x", mine, 8, 0, 0}, RP_ERROR_USAGE, "binds it at multiples of 16"},
        {{"a", mine, 16, 0, 0}, RP_ERROR_USAGE, "binds it at multiples of 64"},
        {{NULL, mine, 16, 0, 0}, RP_ERROR_USAGE, "the arena cannot be bound at byte 16"},
        {{NULL, mine, 576, 0, 0}, RP_ERROR_USAGE, "the arena has 512 bytes"},
        {{"zzz", mine, 0, 0, 0}, RP_ERROR_NOT_FOUND, "no buffer named zzz to bind"},
        {{"n", mine, 0, 0, 0}, RP_ERROR_USAGE, "the host, which cannot see the storage"},
        {{"n", seen, 0, RP_ALL_SLOTS, 0}, RP_ERROR_USAGE, "n and n of another slot"},
        {{"w", mine, 0, 0, 512}, RP_ERROR_USAGE, "slots share it, slot_stride is 0"},
        {{"x", mine, 0, 0, 512}, RP_ERROR_USAGE, "slot_stride goes with RP_ALL_SLOTS"},
        {{"y", mine, 0, RP_ALL_SLOTS, 128}, RP_ERROR_USAGE, "y and y of another slot"},
        {{"y", mine, 0, RP_ALL_SLOTS, 1024}, RP_ERROR_USAGE, "cannot be bound at byte 1024"},
        {{"y", mine, 16, RP_ALL_SLOTS, UINT64_MAX}, RP_ERROR_USAGE, "leads past any storage"},
    };
    const void *commands = rp_exec_command_buffer(exec, 0, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_diags_clear(diags);
        CU_ASSERT_EQUAL(rp_exec_bind(exec, &cases[i].binding, 1, diags), cases[i].status);
        CU_ASSERT_TRUE(rp_test_said(diags, cases[i].said));
        params.bindings = &cases[i].binding;
        params.binding_count = 1;
        rp_exec *none = exec;
        CU_ASSERT_EQUAL(rp_exec_create(device, plan, &params, diags, &none), cases[i].status);
        CU_ASSERT_PTR_NULL(none);
    }
    const rp_binding twice[] = {{"x", mine, 0, RP_ALL_SLOTS, 0}, {"x", mine, 256, 1, 0}};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, twice, 2, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "x cannot be bound: it is bound twice"));
    CU_ASSERT_EQUAL(rp_exec_bind(exec, NULL, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_bind(NULL, twice, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_exec_bind(exec, NULL, 0, diags), RP_OK);
    CU_ASSERT_PTR_EQUAL(rp_exec_command_buffer(exec, 0, 0), commands);
    params.bindings = NULL; /* fewer than it says */
    rp_exec *none = exec;
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &params, diags, &none), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(
        diags, "rp_exec_params.bindings is NULL: expected as many as its count says, 1"));
    CU_ASSERT_PTR_NULL(none);
    params.binding_count = 0;
    params.kernel_count = 2;
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &params, diags, &none), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(
        diags, "rp_exec_params.kernels is NULL: expected as many as its count says, 2"));
    params.kernel_count = 0;
    params.switch_count = 3;
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &params, diags, &none), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "rp_exec_params.switches is NULL"));
    params.switch_count = 0;
    CU_ASSERT_EQUAL(rp_exec_bind(exec, NULL, 4, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "bindings is NULL: expected as many as its count says, 4"));
    params.binding_count = 1;
    params.separate_buffers = 1;
    params.bindings = &(rp_binding){NULL, mine, 0, RP_ALL_SLOTS, 0};
    none = exec;
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, &params, diags, &none), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(
        rp_test_said(diags, "separate_buffers puts each transient in memory of its own"));
    rp_storage_release(foreign);
    rp_device_destroy(other, NULL);
    rp_storage_release(mine);
    rp_storage_release(seen);
    close_all();
}

/* ---- Moving ---------------------------------------------------------------------------------- */

static rp_status bind(const char *name, rp_storage *storage, uint64_t offset, uint32_t slot) {
    const rp_binding binding = {name, storage, offset, slot, 0};
    return rp_exec_bind(exec, &binding, 1, diags);
}

/* What the plan wrote as one buffer it reads as another: the plan knows nothing of that, so the next
 * replay waits on the device. */
static void test_double_buffers(void) {
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    rp_storage *mine = make(512, false);
    mock.races = true;
    for (uint32_t i = 0; i < 4; i++) {
        const rp_binding swap[] = {{"x", mine, i % 2 * 256, 0, 0},
                                   {"y", mine, (i + 1) % 2 * 256, 0, 0}};
        CU_ASSERT_EQUAL(rp_exec_bind(exec, swap, 2, diags), RP_OK);
        uint64_t replay = 0;
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, &replay), RP_OK);
        CU_ASSERT_EQUAL(replay, i + 1);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    }
    rp_storage_release(mine);
    close_all();
}

static void test_busy(void) {
    mock_reset();
    const rp_exec_params params = {.size = sizeof params, .cache_path = "", .slots = 2};
    open_text(text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    rp_storage *mine = make(2048, false);
    const void *first = rp_exec_command_buffer(exec, 0, 0);
    mock.stall = true;
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(bind("x", mine, 0, 0), RP_ERROR_BUSY);
    CU_ASSERT_EQUAL(bind("x", mine, 0, RP_ALL_SLOTS), RP_ERROR_BUSY);
    CU_ASSERT_EQUAL(bind("w", mine, 0, 1), RP_ERROR_BUSY); /* is every slot's */
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    const rp_binding apart[] = {{"x", mine, 1024, RP_ALL_SLOTS, 256},
                                {"y", mine, 1536, RP_ALL_SLOTS, 256}};
    CU_ASSERT_EQUAL(rp_exec_bind(exec, apart, 2, diags), RP_OK);
    first = rp_exec_command_buffer(exec, 0, 0);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    const void *second = rp_exec_command_buffer(exec, 1, 0);
    CU_ASSERT_EQUAL(bind("x", mine, 0, 1), RP_OK);
    CU_ASSERT_PTR_EQUAL(rp_exec_command_buffer(exec, 0, 0), first); /* is left as it is */
    CU_ASSERT_PTR_NOT_EQUAL(rp_exec_command_buffer(exec, 1, 0), second);
    CU_ASSERT_EQUAL(bind("y", mine, 256, 1), RP_OK);
    /* Where slot 1 has it, slot 0 would share what is written: all are recorded otherwise. */
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec,
                                   &(rp_submit_params){.size = sizeof(rp_submit_params), .slot = 1},
                                   diags, NULL),
                    RP_OK);
    CU_ASSERT_EQUAL(bind("y", mine, 256, 0), RP_ERROR_BUSY);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_NOT_EQUAL(strncmp(mock_effects(rp_exec_command_buffer(exec, 1, 0)), "barrier", 7), 0);
    CU_ASSERT_EQUAL(bind("y", mine, 256, 0), RP_OK);
    CU_ASSERT_EQUAL(strncmp(mock_effects(rp_exec_command_buffer(exec, 1, 0)), "barrier", 7), 0);
    CU_ASSERT_EQUAL(strncmp(mock_effects(rp_exec_command_buffer(exec, 0, 0)), "barrier", 7), 0);
    rp_storage_release(mine);
    close_all();
}

/* A slot that is forgotten would have memory of its own: nothing is bound then, at creation and later. */
static void test_partly(void) {
    mock_reset();
    rp_exec_params params = {.size = sizeof params, .cache_path = "", .slots = 3};
    open_text(text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    rp_storage *mine = make(4096, false);
    const struct {
        rp_binding bindings[2];
        const char *said;
    } cases[] = {
        {{{"x", mine, 0, 0, 0}, {"w", mine, 1024, 0, 0}},
         "x is bound in 1 of 3 slots, and not in slot 2: bind it in every slot"},
        {{{"y", mine, 0, 2, 0}, {"y", mine, 256, 1, 0}},
         "y is bound in 2 of 3 slots, and not in slot 0: bind it in every slot"},
        {{{NULL, mine, 0, 0, 0}, {NULL, mine, 512, 2, 0}},
         "the arena is bound in 2 of 3 slots, and not in slot 1: bind it in every slot"},
        {{{"a", mine, 0, 1, 0}, {"x", mine, 1024, RP_ALL_SLOTS, 256}},
         "a is bound in 1 of 3 slots, and not in slot 2: bind it in every slot"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_exec *none = exec;
        rp_diags_clear(diags);
        CU_ASSERT_EQUAL(rp_exec_bind(exec, cases[i].bindings, 2, diags), RP_ERROR_USAGE);
        CU_ASSERT_TRUE(rp_test_said(diags, cases[i].said));
        rp_diags_clear(diags);
        params.bindings = cases[i].bindings;
        params.binding_count = 2;
        CU_ASSERT_EQUAL(rp_exec_create(device, plan, &params, diags, &none), RP_ERROR_USAGE);
        CU_ASSERT_TRUE(rp_test_said(diags, cases[i].said));
    }
    /* What is bound everywhere may move in one slot alone. */
    CU_ASSERT_EQUAL(bind("x", mine, 0, RP_ALL_SLOTS), RP_OK);
    CU_ASSERT_EQUAL(bind("x", mine, 256, 1), RP_OK);
    rp_storage_release(mine);
    close_all();
}

/* Live values go to where they are bound, and the grids that follow from them stay in step. */
static void test_live(void) {
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    rp_storage *seen = make(512, true);
    rp_storage_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_storage_get_info(seen, &info), RP_OK);
    const uint32_t *values = info.mapped, *values_too = values + 64;
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 0, &(uint32_t){7}, 1, diags), RP_OK);
    CU_ASSERT_EQUAL(bind("n", seen, 0, 0), RP_OK);
    CU_ASSERT_EQUAL(values[0], 7);
    CU_ASSERT_EQUAL(values[1], 2);
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 0, &(uint32_t){9}, 1, diags), RP_OK);
    CU_ASSERT_EQUAL(values[0], 9);
    const uint32_t *grid = (const uint32_t *)(exec->slots[0].live.grids + exec->live.grids->offset);
    CU_ASSERT_EQUAL(grid[0], 9);
    CU_ASSERT_EQUAL(bind("n", seen, 256, 0), RP_OK);
    CU_ASSERT_EQUAL(values_too[0], 9);
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 0, &(uint32_t){1}, 1, diags), RP_OK);
    CU_ASSERT_EQUAL(values[0], 9);
    CU_ASSERT_EQUAL(values_too[0], 1);
    rp_storage_release(seen);
    close_all();
}

/* Where an exec has its live values it has grids behind them: no place for a buffer. */
static void test_grids(void) {
    mock_reset();
    mock_unified();
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    rp_range_info range = {.size = sizeof range};
    CU_ASSERT_EQUAL(rp_exec_get_range(exec, 0, "n", diags, &range), RP_OK);
    rp_storage_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_storage_get_info(range.storage, &info), RP_OK);
    CU_ASSERT_TRUE(info.bytes > 256); /* n, and the grid of n0 */
    rp_plan *small = mock_plan("reprise 1\n"
                               "graph small scheduled placed synced arena 0 {\n"
                               "  buf $y out 16\n"
                               "  buf $n live u32[1] = 01000000\n"
                               "  kern @k spirv - local 64 1 1 (w)\n"
                               "  group 0\n"
                               "    n0 = run @k grid {$n} 1 1 (w $y)\n"
                               "}\n");
    rp_exec *other = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, small, &mock_params, diags, &other), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_get_range(other, 0, "n", diags, &range), RP_OK);
    const rp_binding on_grids = {"y", range.storage, range.offset + 256, 0, 0};
    CU_ASSERT_EQUAL(rp_exec_bind(other, &on_grids, 1, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "the exec's grids"));
    rp_exec_destroy(other);
    rp_plan_destroy(small);
    close_all();
}

/* A storage lives as long as somebody holds it: the application, or execs that it is bound to. */
static void test_held(void) {
    mock_reset();
    open_text(text, &mock_params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    rp_storage *mine = make(256, false);
    rp_range_info range = {.size = sizeof range};
    CU_ASSERT_EQUAL(rp_exec_get_range(exec, 0, "y", diags, &range), RP_OK);
    rp_storage *own = rp_storage_retain(range.storage);
    CU_ASSERT_EQUAL(bind("y", mine, 0, 0), RP_OK);
    rp_storage_release(mine);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    char bytes[256];
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, bytes, sizeof bytes, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_storage_read(own, 0, bytes, sizeof bytes, diags), RP_OK);
    CU_ASSERT_EQUAL(bind("y", own, 0, 0), RP_OK); /* and back */
    rp_storage_release(own);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, bytes, sizeof bytes, diags), RP_OK);
    own = rp_storage_retain(range.storage);
    rp_exec_destroy(exec);
    exec = NULL;
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_ERROR_BUSY);
    CU_ASSERT_TRUE(rp_test_said(diags, "still in use by 1 storage"));
    CU_ASSERT_EQUAL(rp_storage_read(own, 0, bytes, sizeof bytes, diags), RP_OK);
    rp_storage_release(own);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"overlaps", test_overlaps},
                                    {"under a long one", test_under_a_long_one},
                                    {"wrong bindings", test_wrong},
                                    {"double buffers", test_double_buffers},
                                    {"busy", test_busy},
                                    {"bound in some slots", test_partly},
                                    {"live values", test_live},
                                    {"grids", test_grids},
                                    {"holding", test_held},
                                    {0}};
    return rp_run_tests("bind", tests);
}
