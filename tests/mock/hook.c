/* Memory from an application's allocator: everything comes from there and goes back, what is asked
 * for is what the buffer needs, wrong answers are refused by name, and failures leave nothing. */
#include <stdlib.h>
#include "mock_objects.h"
#include "support.h"

static const char text[] = "reprise 1\n"
                           "graph io scheduled placed synced arena 4096 {\n"
                           "  buf $x in 4096\n"
                           "  buf $w weight 4096\n"
                           "  buf $y out 4096\n"
                           "  buf $n live u32[1] = 01000000\n"
                           "  buf %t tmp 4096 at 0\n"
                           "  kern @k spirv - local 64 1 1 (r, r, w)\n"
                           "  group 0\n"
                           "    n0 = run @k grid {$n} 1 1 (r $x, r $w, w %t)\n"
                           "  barrier compute:r -> transfer:w\n"
                           "  group 1\n"
                           "    n1 = copy (r $x, w $y)\n"
                           "}\n";

typedef enum spoil {
    RIGHT,
    NO_MEMORY,
    TYPE,
    HUGE_TYPE,
    OFFSET,
    OVERFLOW_END,
    PAST_HEAP,
    UNMAPPED
} spoil;

/* The application's allocator: memory of its own for each request, from the third multiple of the
 * alignment on. */
static struct pool {
    int calls, alive, locked;
    int fail_at;
    VkResult fail_with;
    spoil spoil;
    uint32_t purposes; /* that were asked for, as bits */
    rp_memory_request asked[64];
    char names[64][32];
} pool;

static void check_request(const rp_memory_request *asked) {
    CU_ASSERT_EQUAL(asked->size, sizeof *asked);
    CU_ASSERT_EQUAL(pool.locked, 0);
    CU_ASSERT_PTR_NOT_NULL(asked->buffer);
    CU_ASSERT_TRUE(asked->bytes > 0 && asked->alignment > 0 && asked->type_bits);
    CU_ASSERT_EQUAL(asked->wanted_flags & asked->required_flags, asked->required_flags);
    for (uint32_t i = 0; i < mock.memory.memoryTypeCount; i++)
        if (asked->type_bits >> i & 1)
            CU_ASSERT_EQUAL(mock.memory.memoryTypes[i].propertyFlags & asked->required_flags,
                            asked->required_flags);
}

static uint32_t type_of(const rp_memory_request *asked) {
    uint32_t found = UINT32_MAX;
    for (uint32_t i = 0; i < mock.memory.memoryTypeCount; i++) {
        VkMemoryPropertyFlags flags = mock.memory.memoryTypes[i].propertyFlags;
        bool best = (flags & asked->wanted_flags) == asked->wanted_flags;
        if ((asked->type_bits >> i & 1) && (best || found == UINT32_MAX)) found = i;
    }
    return found;
}

static void spoil_answer(rp_memory *memory) {
    switch (pool.spoil) {
    case RIGHT: break;
    case NO_MEMORY: memory->memory = NULL; break;
    case TYPE: memory->type = mock.memory.memoryTypeCount; break;
    case HUGE_TYPE: memory->type = 32; break;
    case OFFSET: memory->offset += 1; break;
    case OVERFLOW_END: memory->offset = UINT64_MAX - 63; break;
    case PAST_HEAP: {
        const VkMemoryType *type = &mock.memory.memoryTypes[memory->type];
        memory->offset = mock.memory.memoryHeaps[type->heapIndex].size / 64 * 64;
        break;
    }
    case UNMAPPED: memory->mapped = NULL; break;
    }
}

static int32_t on_allocate(void *user, const rp_memory_request *asked, rp_memory *memory) {
    struct pool *p = user;
    check_request(asked);
    CU_ASSERT_EQUAL(memory->size, sizeof *memory);
    CU_ASSERT_PTR_NULL(memory->memory);
    if (p->calls < 64) {
        p->asked[p->calls] = *asked;
        snprintf(p->names[p->calls], sizeof p->names[0], "%s", asked->name);
    }
    p->purposes |= 1u << asked->purpose;
    if (++p->calls == p->fail_at) return p->fail_with;
    const VkMemoryAllocateFlagsInfo flags = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
        .flags = asked->device_address ? VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT : 0};
    const VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                       .pNext = &flags,
                                       .allocationSize = 3 * asked->alignment + asked->bytes,
                                       .memoryTypeIndex = type_of(asked)};
    VkDeviceMemory handle;
    VkResult result = mock_AllocateMemory(NULL, &info, NULL, &handle);
    if (result != VK_SUCCESS) return result;
    mock_memory *m = (mock_memory *)handle;
    memory->memory = memory->token = handle;
    memory->offset = 3 * asked->alignment;
    memory->type = info.memoryTypeIndex;
    memory->mapped = m->visible ? m->data + memory->offset : NULL;
    spoil_answer(memory);
    p->alive++;
    return VK_SUCCESS;
}

static void on_release(void *user, const rp_memory *memory) {
    struct pool *p = user;
    CU_ASSERT_EQUAL(memory->size, sizeof *memory);
    CU_ASSERT_EQUAL(p->locked, 0);
    mock_FreeMemory(NULL, memory->token, NULL);
    p->alive--;
}

static void on_lock(void *user, void *queue) {
    (void)queue;
    ((struct pool *)user)->locked++;
}
static void on_unlock(void *user, void *queue) {
    (void)queue;
    ((struct pool *)user)->locked--;
}

static VkPhysicalDevice physical;

static void begin(void) {
    uint32_t count = 1;
    mock_reset();
    pool = (struct pool){0};
    CU_ASSERT_EQUAL(mock_EnumeratePhysicalDevices(NULL, &count, &physical), VK_SUCCESS);
    mock.calls = 0; /* that was not the runtime's */
}

static rp_status open_device(const rp_allocator *a, rp_diags *diags, rp_device **out) {
    static int object;
    static const char *const extensions[] = {VK_EXT_MEMORY_PRIORITY_EXTENSION_NAME,
                                             VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME};
    VkPhysicalDeviceMemoryPriorityFeaturesEXT priority = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PRIORITY_FEATURES_EXT,
        .pNext = (void *)(uintptr_t)mock_base_features(),
        .memoryPriority = mock.memory_priority};
    VkPhysicalDeviceBufferDeviceAddressFeatures address = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES,
        .pNext = &priority,
        .bufferDeviceAddress = mock.device_address};
    const rp_device_import import = {.size = sizeof import,
                                     .get_instance_proc_addr = mock_entry(),
                                     .instance = &object,
                                     .api_version = VK_API_VERSION_1_3,
                                     .physical_device = physical,
                                     .device = &object,
                                     .features = &address,
                                     .extensions = extensions,
                                     .extension_count = mock.extensions_too[0] ? 2 : 0,
                                     .queue = &object,
                                     .queue_family = 1,
                                     .lock = on_lock,
                                     .unlock = on_unlock,
                                     .user = &pool,
                                     .allocate = on_allocate,
                                     .release = on_release,
                                     .allocator = &pool};
    const rp_device_params params = {.size = sizeof params, .import = &import};
    return rp_device_create(a, &params, diags, out);
}

/* Everything that takes memory, once: slots, live values, markers, copies, a ring, storage. */
static rp_status live_a_life(const rp_allocator *a, const rp_plan *plan, rp_diags *diags) {
    rp_device *device = NULL;
    rp_exec *exec = NULL;
    rp_storage *storage = NULL;
    const rp_exec_params exec_params = {
        .size = sizeof exec_params, .cache_path = "", .slots = 2, .markers = 1};
    const rp_storage_params storage_params = {
        .size = sizeof storage_params, .bytes = 100, .host_visible = 1, .name = "seen"};
    static unsigned char x[4096], y[4096];
    for (uint32_t i = 0; i < sizeof x; i++) x[i] = (unsigned char)(i * 7);
    memset(y, 0, sizeof y);
    rp_status status = open_device(a, diags, &device);
    if (status == RP_OK) status = rp_exec_create(device, plan, &exec_params, diags, &exec);
    if (status == RP_OK) status = rp_exec_write(exec, 0, "w", 0, x, sizeof x, diags);
    const rp_upload in = {.buffer = "x", .size = sizeof x, .data = x};
    const rp_download out = {.buffer = "y", .size = sizeof y, .data = y};
    const rp_submit_params submit = {.size = sizeof submit,
                                     .slot = 1,
                                     .uploads = &in,
                                     .upload_count = 1,
                                     .downloads = &out,
                                     .download_count = 1};
    if (status == RP_OK) status = rp_exec_submit(exec, &submit, diags, NULL);
    if (status == RP_OK) status = rp_exec_wait(exec, 0, UINT64_MAX, diags);
    if (status == RP_OK) CU_ASSERT_EQUAL(memcmp(x, y, sizeof x), 0);
    if (status == RP_OK) status = rp_storage_create(device, &storage_params, diags, &storage);
    if (status == RP_OK) {
        rp_counters counters = {.size = sizeof counters};
        CU_ASSERT_EQUAL(rp_device_get_counters(device, &counters), RP_OK);
        CU_ASSERT_TRUE(counters.memory_bytes >= 7 * 4096);
    }
    if (status == RP_OK) status = rp_storage_write(storage, 0, x, 100, diags);
    rp_exec_destroy(exec);
    rp_storage_release(storage);
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_OK);
    return status;
}

static void test_everything(void) {
    for (int unified = 0; unified < 2; unified++) {
        begin();
        if (unified) mock_unified();
        rp_plan *plan = mock_plan(text);
        rp_diags *diags = rp_diags_create(NULL);
        CU_ASSERT_EQUAL(live_a_life(NULL, plan, diags), RP_OK);
        CU_ASSERT_EQUAL(rp_diags_count(diags), 0);
        CU_ASSERT_TRUE(pool.calls > 8);
        CU_ASSERT_EQUAL(mock.memory_allocations, (uint32_t)pool.calls); /* nobody else's */
        CU_ASSERT_EQUAL(pool.alive, 0);
        CU_ASSERT_EQUAL(pool.purposes, (1u << RP_PURPOSE_ARENA | 1u << RP_PURPOSE_BUFFERS |
                                        1u << RP_PURPOSE_VISIBLE | 1u << RP_PURPOSE_LIVE |
                                        1u << RP_PURPOSE_STAGING));
        rp_diags_destroy(diags);
        rp_plan_destroy(plan);
        mock_done();
    }
}

/* ---- Requests -------------------------------------------------------------------------------- */

static void test_requests(void) {
    for (int able = 0; able < 2; able++) {
        begin();
        mock.device_address = mock.prefers_dedicated = mock.memory_priority = able;
        mock.extensions_too[0] = VK_EXT_MEMORY_PRIORITY_EXTENSION_NAME;
        rp_diags *diags = rp_diags_create(NULL);
        rp_device *device = NULL;
        rp_storage *storage = NULL;
        CU_ASSERT_EQUAL_FATAL(open_device(NULL, diags, &device), RP_OK);
        const rp_storage_params params = {.size = sizeof params,
                                          .bytes = 1001,
                                          .name = "vertices",
                                          .priority = 0.25f,
                                          .usage =
                                              able ? VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT : 0,
                                          .uninitialised = 1};
        CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &storage), RP_OK);
        const rp_memory_request *asked = &pool.asked[0];
        rp_storage_info info = {.size = sizeof info};
        CU_ASSERT_EQUAL(rp_storage_get_info(storage, &info), RP_OK);
        CU_ASSERT_STRING_EQUAL(pool.names[0], "vertices");
        CU_ASSERT_EQUAL(asked->purpose, RP_PURPOSE_BUFFERS);
        CU_ASSERT_PTR_EQUAL(asked->buffer, info.buffer);
        CU_ASSERT_EQUAL(asked->bytes, 1008); /* as the fake driver wants */
        CU_ASSERT_EQUAL(asked->alignment, 64);
        CU_ASSERT_EQUAL(asked->type_bits, 0xf);
        CU_ASSERT_EQUAL(asked->required_flags, 0);
        CU_ASSERT_EQUAL(asked->wanted_flags, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
        CU_ASSERT_EQUAL(asked->priority, 0.25f);
        CU_ASSERT_EQUAL(asked->device_address, able);
        CU_ASSERT_EQUAL(asked->prefers_dedicated, able);
        CU_ASSERT_EQUAL(asked->requires_dedicated, 0);
        rp_storage_release(storage);
        CU_ASSERT_EQUAL(pool.alive, 0);
        /* Types that want features of their own are not offered. */
        mock.memory.memoryTypes[3].propertyFlags |= VK_MEMORY_PROPERTY_PROTECTED_BIT;
        CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_OK);
        CU_ASSERT_EQUAL_FATAL(open_device(NULL, diags, &device), RP_OK);
        CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &storage), RP_OK);
        CU_ASSERT_EQUAL(pool.asked[1].type_bits, 0x7);
        rp_storage_release(storage);
        CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_OK);
        rp_diags_destroy(diags);
        mock_done();
    }
}

/* What others are to see is allocated here, since Vulkan wants that said. */
static void test_exportable(void) {
    begin();
    mock.extensions_too[0] = VK_EXT_MEMORY_PRIORITY_EXTENSION_NAME;
    mock.extensions_too[1] = VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME;
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = NULL;
    rp_storage *storage = NULL;
    CU_ASSERT_EQUAL_FATAL(open_device(NULL, diags, &device), RP_OK);
    const rp_storage_params params = {
        .size = sizeof params, .bytes = 64, .uninitialised = 1, .exportable = RP_FD_OPAQUE};
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &storage), RP_OK);
    CU_ASSERT_EQUAL(pool.calls, 0);
    rp_storage_release(storage);
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_OK);
    rp_diags_destroy(diags);
    mock_done();
}

/* ---- Answers --------------------------------------------------------------------------------- */

static void expect_create(rp_status status, const char *said) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = NULL;
    rp_storage *storage = (rp_storage *)1;
    CU_ASSERT_EQUAL_FATAL(open_device(NULL, diags, &device), RP_OK);
    const rp_storage_params params = {
        .size = sizeof params, .bytes = 1001, .name = "mine", .host_visible = 1};
    CU_ASSERT_EQUAL(rp_storage_create(device, &params, diags, &storage), status);
    CU_ASSERT_PTR_NULL(storage);
    CU_ASSERT_TRUE(rp_test_said(diags, said));
    CU_ASSERT_EQUAL(pool.alive, 0);
    rp_counters counters = {.size = sizeof counters};
    CU_ASSERT_EQUAL(rp_device_get_counters(device, &counters), RP_OK);
    CU_ASSERT_EQUAL(counters.memory_bytes, 0);
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_OK);
    rp_diags_destroy(diags);
    mock_done();
}

static void test_wrong_answers(void) {
    static const struct {
        spoil spoil;
        const char *said;
    } cases[] = {
        {NO_MEMORY, "the application's allocator gives no VkDeviceMemory, and VK_SUCCESS"},
        {TYPE, "gives memory type 4; those that will do are the bits of 0xe"},
        {HUGE_TYPE, "gives memory type 32; those that will do are the bits of 0xe"},
        {OFFSET, "gives an offset of 193, which is no multiple of 64"},
        {OVERFLOW_END, "gives an offset of 18446744073709551552, past the end of a heap of"},
        {PAST_HEAP, "past the end of a heap of"},
        {UNMAPPED, "asked for 1008 bytes for mine on Mock 9000, the application's allocator gives "
                   "no mapped pointer, where the host is to see the memory"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        pool.spoil = cases[i].spoil;
        expect_create(RP_ERROR_USAGE, cases[i].said);
        CU_ASSERT_EQUAL(pool.calls, 1);
    }
}

static void test_no_memory(void) {
    static const struct {
        VkResult result;
        rp_status status;
        const char *said;
    } cases[] = {
        {VK_ERROR_OUT_OF_DEVICE_MEMORY, RP_ERROR_DEVICE_MEMORY,
         "out of device memory on Mock 9000: the application's allocator gives no 1008 bytes for "
         "mine (VK_ERROR_OUT_OF_DEVICE_MEMORY)"},
        {VK_ERROR_OUT_OF_HOST_MEMORY, RP_ERROR_NO_MEMORY, "VK_ERROR_OUT_OF_HOST_MEMORY"},
        {VK_ERROR_DEVICE_LOST, RP_ERROR_DEVICE_LOST, "VK_ERROR_DEVICE_LOST"},
        {VK_ERROR_UNKNOWN, RP_ERROR_DEVICE_MEMORY, "out of device memory"},
        {VK_INCOMPLETE, RP_ERROR_DEVICE_MEMORY, "gives no 1008 bytes for mine (VK_INCOMPLETE)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        pool.fail_at = 1;
        pool.fail_with = cases[i].result;
        expect_create(cases[i].status, cases[i].said);
    }
}

/* Both of the pair, or neither. */
static void test_half(void) {
    begin();
    static int object;
    rp_device_import import = {.size = sizeof import,
                               .get_instance_proc_addr = mock_entry(),
                               .instance = &object,
                               .physical_device = &object,
                               .device = &object,
                               .features = mock_base_features(),
                               .queue = &object,
                               .queue_family = 1,
                               .allocate = on_allocate};
    const rp_device_params params = {.size = sizeof params, .import = &import};
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = (rp_device *)1;
    CU_ASSERT_EQUAL(rp_device_create(NULL, &params, diags, &device), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(device);
    CU_ASSERT_TRUE(rp_test_said(
        diags, "rp_device_import.release is NULL: expected both of allocate and release"));
    rp_diags_destroy(diags);
    mock_done();
}

/* ---- Failures -------------------------------------------------------------------------------- */

/* Each call of the hook, each call of Vulkan (some of them the hook's), each allocation of ours. */
static void test_failures(void) {
    begin();
    rp_plan *plan = mock_plan(text);
    mock_allocator memory;
    mock_allocator_init(&memory);
    CU_ASSERT_EQUAL_FATAL(live_a_life(&memory.allocator, plan, NULL), RP_OK);
    int hooks = pool.calls;
    uint32_t calls = mock.calls;
    long allocations = memory.calls;
    for (int i = 1; i <= hooks; i++) {
        begin();
        pool.fail_at = i;
        pool.fail_with = VK_ERROR_OUT_OF_DEVICE_MEMORY;
        rp_diags *diags = rp_diags_create(NULL);
        CU_ASSERT_EQUAL(live_a_life(NULL, plan, diags), RP_ERROR_DEVICE_MEMORY);
        CU_ASSERT_TRUE(rp_test_said(diags, "out of device memory on Mock 9000: the application's"));
        CU_ASSERT_EQUAL(pool.alive, 0);
        rp_diags_destroy(diags);
        mock_done();
    }
    for (uint32_t i = 1; i <= calls; i++) {
        begin();
        mock.fail_at = i;
        mock.fail_with = VK_ERROR_OUT_OF_HOST_MEMORY;
        rp_status status = live_a_life(NULL, plan, NULL);
        CU_ASSERT_TRUE(status == RP_ERROR_NO_MEMORY || status == RP_OK);
        CU_ASSERT_EQUAL(pool.alive, 0);
        mock_done();
    }
    for (long i = 1; i <= allocations; i++) {
        begin();
        mock_allocator_init(&memory);
        memory.fail_at = i;
        rp_status status = live_a_life(&memory.allocator, plan, NULL);
        CU_ASSERT_TRUE(status == RP_ERROR_NO_MEMORY || status == RP_OK);
        CU_ASSERT_EQUAL(pool.alive, 0);
        CU_ASSERT_EQUAL(memory.alive, 0);
        mock_done();
    }
    rp_plan_destroy(plan);
}

int main(void) {
    static const rp_test tests[] = {
        {"everything", test_everything}, {"requests", test_requests},
        {"exportable", test_exportable}, {"wrong answers", test_wrong_answers},
        {"no memory", test_no_memory},   {"half a pair", test_half},
        {"failures", test_failures},     {0}};
    return rp_run_tests("an application's allocator", tests);
}
