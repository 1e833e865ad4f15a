/* The runtime on the device at hand: every kind of node, live values, replays in a row, execs side
 * by side, the application's own device, the pipeline cache. */
#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include "device/device.h"
#include "gpu.h"
#include "support/plan_info.h"

static rp_device *device;
static rp_plan *plan;

static void test_devices(void) {
    rp_device_info infos[8] = {{.size = sizeof *infos}};
    uint32_t count = 0, suitable = 0;
    CU_ASSERT_EQUAL(rp_devices(infos, 8, &count, NULL), RP_OK);
    CU_ASSERT_TRUE(count > 0);
    for (uint32_t i = 0; i < count && i < 8; i++) {
        suitable += infos[i].suitable != 0;
        CU_ASSERT_TRUE(*infos[i].name && *infos[i].driver);
        CU_ASSERT_EQUAL(*infos[i].missing == '\0', infos[i].suitable);
        if (infos[i].suitable) {
            CU_ASSERT_TRUE(infos[i].memory_bytes > 0);
            CU_ASSERT_TRUE(infos[i].subgroup_size > 0);
        }
    }
    CU_ASSERT_TRUE(suitable > 0);
    CU_ASSERT_EQUAL(rp_devices(NULL, 0, &count, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_devices(NULL, 1, &count, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_devices(infos, 1, NULL, NULL), RP_ERROR_USAGE);
    infos[0].size = 0; /* not set */
    CU_ASSERT_EQUAL(rp_devices(infos, 8, &count, NULL), RP_ERROR_USAGE);
    infos[0].size = SIZE_MAX / 16; /* nor here: elements would lie anywhere */
    CU_ASSERT_EQUAL(rp_devices(infos, 8, &count, NULL), RP_ERROR_USAGE);
    /* A caller of a later version, whose structs are longer. */
    struct {
        rp_device_info known;
        uint64_t later;
    } longer[4] = {{.known = {.size = sizeof *longer}, .later = 7}};
    CU_ASSERT_EQUAL(rp_devices(&longer->known, 4, &count, NULL), RP_OK);
    for (uint32_t i = 0; i < count && i < 4; i++) {
        CU_ASSERT_EQUAL(longer[i].known.size, sizeof *longer);
        CU_ASSERT_TRUE(*longer[i].known.name);
        CU_ASSERT_EQUAL(longer[i].later, 0);
    }
    rp_device_info info = {.size = sizeof info};
    CU_ASSERT_EQUAL(rp_device_get_info(device, &info), RP_OK);
    printf("(%s) ", info.name);
}

/* Both levels, both ways to lay out transients, and with timestamps. */
static void test_everything(void) {
    rp_graph *graph = gpu_everything();
    for (int level = 0; level < 2; level++)
        for (int separate = 0; separate < 2; separate++) {
            rp_plan *leveled = gpu_compile(graph, level);
            const rp_exec_params params = {.size = sizeof params,
                                           .cache_path = "",
                                           .separate_buffers = separate,
                                           .timestamps = 1};
            rp_exec *exec = gpu_exec(device, leveled, &params);
            for (int i = 0; i < 3; i++) gpu_check_everything(exec);
            CU_ASSERT_EQUAL(rp_exec_completed(exec), 3);
            double seconds = rp_exec_gpu_seconds(exec, 0);
            CU_ASSERT_TRUE(seconds >= 0 && seconds < 10);
            rp_exec_destroy(exec);
            rp_plan_destroy(leveled);
        }
    rp_graph_destroy(graph);
}

/* Live values from replay to replay, nothing re-recorded: an empty grid, the largest one. */
static void test_live(void) {
    rp_exec *exec = gpu_exec(device, plan, NULL);
    const void *commands = rp_exec_command_buffer(exec, 0, 0);
    static const uint32_t counts[] = {0, 1, 64, 65, GPU_COUNT, 3};
    static uint32_t x[GPU_COUNT], zero[GPU_COUNT], y[GPU_COUNT];
    for (uint32_t i = 0; i < GPU_COUNT; i++) x[i] = i + 1;
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, sizeof x, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "w", 0, zero, sizeof zero, NULL), RP_OK);
    for (uint32_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        const uint32_t live[2] = {counts[c], c + 1};
        CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "s", 0, zero, sizeof zero, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 0, live, 2, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, y, sizeof y, NULL), RP_OK);
        uint32_t wrong = 0;
        for (uint32_t i = 0; i < GPU_COUNT; i++)
            wrong += y[i] != gpu_expected_y(i, x[i], 0, 0, live[0], live[1], 1);
        CU_ASSERT_EQUAL(wrong, 0);
    }
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 0, &(uint32_t){GPU_COUNT + 1}, 1, diags),
                    RP_ERROR_INVALID);
    CU_ASSERT_EQUAL(rp_diags_error_count(diags), 1);
    rp_diags_destroy(diags);
    CU_ASSERT_EQUAL(rp_exec_command_buffer(exec, 0, 0), commands);
    rp_exec_destroy(exec);
}

/* Twenty replays without a wait between: s adds up, so a replay that overtakes another shows. */
static void test_replays_in_a_row(void) {
    rp_exec *exec = gpu_exec(device, plan, NULL);
    static uint32_t zero[GPU_COUNT], s[GPU_COUNT];
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, zero, sizeof zero, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "w", 0, zero, sizeof zero, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "s", 0, zero, sizeof zero, NULL), RP_OK);
    for (int i = 0; i < 20; i++) CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_completed(exec), 20);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "s", 0, s, sizeof s, NULL), RP_OK);
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < GPU_COUNT; i++)
        wrong += s[i] != gpu_expected_y(GPU_COUNT, 0, 0, 0, 0, 0, 20);
    CU_ASSERT_EQUAL(wrong, 0);
    rp_exec_submit(exec, NULL, NULL, NULL);
    rp_exec_destroy(exec); /* with a replay in flight */
}

/* Bytes at odd places, and a second write that leaves the rest alone. */
static void test_access(void) {
    rp_exec *exec = gpu_exec(device, plan, NULL);
    unsigned char sent[GPU_COUNT * 4], got[GPU_COUNT * 4];
    for (uint32_t i = 0; i < sizeof sent; i++) sent[i] = (unsigned char)(i * 7);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "s", 0, sent, sizeof sent, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "s", 1001, "abc", 3, NULL), RP_OK);
    memcpy(sent + 1001, "abc", 3);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "s", 0, got, sizeof got, NULL), RP_OK);
    CU_ASSERT_EQUAL(memcmp(sent, got, sizeof got), 0);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "s", 999, got, 7, NULL), RP_OK);
    CU_ASSERT_EQUAL(memcmp(sent + 999, got, 7), 0);
    uint64_t size = 0;
    void *data;
    if (rp_exec_map(exec, 0, "s", NULL, &data, &size) == RP_OK) {
        unsigned char *mapped = data;
        CU_ASSERT_EQUAL(size, sizeof sent);
        CU_ASSERT_EQUAL(memcmp(mapped, sent, sizeof sent), 0);
        mapped[5] = 99;
        CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "s", 5, got, 1, NULL), RP_OK);
        CU_ASSERT_EQUAL(got[0], 99);
    }
    rp_exec_destroy(exec);
}

static void *replay_thread(void *argument) {
    rp_exec *exec = argument;
    for (int i = 0; i < 20; i++)
        if (rp_exec_submit(exec, NULL, NULL, NULL) != RP_OK ||
            rp_exec_wait(exec, 0, UINT64_MAX, NULL) != RP_OK)
            return exec;
    return NULL;
}

/* Four execs of one plan on four threads. */
static void test_threads(void) {
    rp_exec *execs[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) execs[i] = gpu_exec(device, plan, NULL);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, replay_thread, execs[i]), 0);
    for (int i = 0; i < 4; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        CU_ASSERT_PTR_NULL(failed);
        gpu_check_everything(execs[i]);
        rp_exec_destroy(execs[i]);
    }
}

/* ---- The application's own device ------------------------------------------------------------ */

static int depth, locked;
static void on_lock(void *user, void *queue) {
    CU_ASSERT_PTR_NOT_NULL(queue);
    locked += *(int *)user += 1;
}
static void on_unlock(void *user, void *queue) {
    CU_ASSERT_PTR_NOT_NULL(queue);
    *(int *)user -= 1;
}

/* Waits on the queue by an own timeline semaphore after submitting the recorded commands. */
static void submit_by_hand(const rp_vk *vk, VkDevice own, VkQueue queue, VkCommandBuffer commands) {
    const VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                        .pNext = &type};
    VkSemaphore semaphore;
    CU_ASSERT_EQUAL_FATAL(vk->CreateSemaphore(own, &info, NULL, &semaphore), VK_SUCCESS);
    const uint64_t value = 1;
    const VkCommandBufferSubmitInfo buffer = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                              .commandBuffer = commands};
    const VkSemaphoreSubmitInfo signal = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                          .semaphore = semaphore,
                                          .value = value,
                                          .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    const VkSubmitInfo2 submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                  .commandBufferInfoCount = 1,
                                  .pCommandBufferInfos = &buffer,
                                  .signalSemaphoreInfoCount = 1,
                                  .pSignalSemaphoreInfos = &signal};
    const VkSemaphoreWaitInfo wait = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                      .semaphoreCount = 1,
                                      .pSemaphores = &semaphore,
                                      .pValues = &value};
    CU_ASSERT_EQUAL(vk->QueueSubmit2(queue, 1, &submit, VK_NULL_HANDLE), VK_SUCCESS);
    CU_ASSERT_EQUAL(vk->WaitSemaphores(own, &wait, UINT64_MAX), VK_SUCCESS);
    vk->DestroySemaphore(own, semaphore, NULL);
}

static void test_import(void) {
    /* The application: its own instance and device, made with the same helpers. */
    rp_instance instance;
    rp_allocator a = rp_allocator_or_default(NULL);
    rp_adapter *adapters;
    uint32_t count, index;
    CU_ASSERT_EQUAL_FATAL(rp_instance_open(&instance, NULL, false, NULL), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_adapters_list(&instance, &a, NULL, &adapters, &count), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_adapters_choose(adapters, count, NULL, NULL, &index), RP_OK);
    const rp_adapter adapter = adapters[index];
    rp_release(&a, adapters);
    rp_feature_chain features;
    rp_feature_chain_link(&features, adapter.extensions, adapter.version);
    rp_features_set(&features, adapter.features);
    const char *const extensions[] = {VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME};
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue_info = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                                .queueFamilyIndex = adapter.queue_family,
                                                .queueCount = 1,
                                                .pQueuePriorities = &priority};
    const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                     .pNext = &features.core,
                                     .queueCreateInfoCount = 1,
                                     .pQueueCreateInfos = &queue_info,
                                     .enabledExtensionCount = adapter.vulkan_1_3 ? 0 : 1,
                                     .ppEnabledExtensionNames = extensions};
    VkDevice own = VK_NULL_HANDLE;
    VkQueue queue;
    rp_vk vk = instance.vk;
    CU_ASSERT_EQUAL_FATAL(vk.CreateDevice(adapter.handle, &info, NULL, &own), VK_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(rp_vk_load_device(&vk, own, adapter.vulkan_1_3, NULL), RP_OK);
    vk.GetDeviceQueue(own, adapter.queue_family, 0, &queue);

    void *entry;
    memcpy(&entry, &vk.GetInstanceProcAddr, sizeof entry);
    const rp_device_import import = {.size = sizeof import,
                                     .get_instance_proc_addr = entry,
                                     .instance = instance.handle,
                                     .api_version = VK_API_VERSION_1_3,
                                     .physical_device = adapter.handle,
                                     .device = own,
                                     .features = &features,
                                     .extensions = extensions,
                                     .extension_count = info.enabledExtensionCount,
                                     .queue = queue,
                                     .queue_family = adapter.queue_family,
                                     .lock = on_lock,
                                     .unlock = on_unlock,
                                     .user = &depth};
    rp_device *wrapped = NULL;
    CU_ASSERT_EQUAL_FATAL(
        rp_device_create(NULL,
                         &(rp_device_params){.size = sizeof(rp_device_params), .import = &import},
                         NULL, &wrapped),
        RP_OK);
    rp_exec *exec = gpu_exec(wrapped, plan, NULL);
    gpu_check_everything(exec);
    CU_ASSERT_TRUE(locked > 0);
    CU_ASSERT_EQUAL(depth, 0);

    /* One more replay, submitted by the application itself. */
    uint32_t before, after;
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "s", 40, &before, 4, NULL), RP_OK);
    submit_by_hand(&vk, own, queue, rp_exec_command_buffer(exec, 0, 0));
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "s", 40, &after, 4, NULL), RP_OK);
    CU_ASSERT_NOT_EQUAL(before, after);
    rp_exec_destroy(exec);
    rp_device_destroy(wrapped, NULL);
    vk.DestroyDevice(own, NULL); /* still there, and still ours */
    rp_instance_close(&instance);
}

/* ---- The pipeline cache ---------------------------------------------------------------------- */

/* The path of the one file in a folder; false unless there is exactly one. */
static bool only_file(const char *folder, char path[512]) {
    uint32_t count = 0;
    DIR *directory = opendir(folder);
    if (!directory) return false;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (*entry->d_name == '.') continue;
        count++;
        snprintf(path, 512, "%s/%s", folder, entry->d_name);
    }
    closedir(directory);
    return count == 1;
}

static rp_counters gpu_counters(rp_exec *exec) {
    rp_counters counters = {.size = sizeof counters};
    CU_ASSERT_EQUAL(rp_exec_get_counters(exec, &counters), RP_OK);
    return counters;
}

static void test_cache(void) {
    char folder[] = "/tmp/reprise-gpu-XXXXXX", path[512];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    const rp_exec_params params = {.size = sizeof params, .cache_path = folder};
    for (int i = 0; i < 4; i++) {
        rp_device_trim(device);
        rp_exec *exec = gpu_exec(device, plan, &params);
        rp_counters counters = gpu_counters(exec);
        CU_ASSERT_EQUAL(counters.pipelines, 4);
        CU_ASSERT_EQUAL(counters.pipelines_created, 4);
        CU_ASSERT_TRUE(counters.pipelines_cached <= counters.pipelines_created);
        gpu_check_everything(exec);
        rp_exec_destroy(exec);
        CU_ASSERT_TRUE_FATAL(only_file(folder, path));
        if (i == 0) continue; /* 1 finds a good file, 2 a cut one, 3 one with a wrong byte */
        FILE *file = fopen(path, "r+b");
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        int failed = i == 1 ? ftruncate(fileno(file), 70) : fseek(file, 64, SEEK_SET);
        if (i > 1) fputc(0x5a, file);
        CU_ASSERT_EQUAL(failed | fclose(file), 0);
    }
    unlink(path);
    rmdir(folder);
}

/* ---- Pipelines ahead of need ----------------------------------------------------------------- */

static void *create_thread(void *argument) {
    rp_exec **out = argument;
    const rp_exec_params params = {.size = sizeof params, .cache_path = ""};
    return rp_exec_create(device, plan, &params, NULL, out) == RP_OK ? NULL : argument;
}

/* Prepared in the background, some of it waited for, the rest called off or not; then execs that
 * are created at the same time share what there is. */
static void test_prepare(void) {
    for (int cancelled = 0; cancelled < 2; cancelled++) {
        rp_device_trim(device);
        rp_preparation *preparation = NULL;
        const rp_prepare_params params = {
            .size = sizeof params, .cache_path = "", .priority = RP_PIPELINE_RARE};
        CU_ASSERT_EQUAL_FATAL(rp_device_prepare(device, plan, &params, NULL, &preparation), RP_OK);
        rp_plan_kernel_info kernel = plan_kernel(plan, 1);
        CU_ASSERT_EQUAL(rp_preparation_wait(preparation, kernel.name, UINT64_MAX, NULL), RP_OK);
        if (cancelled) rp_preparation_cancel(preparation);
        rp_exec *execs[3];
        pthread_t threads[3];
        for (int i = 0; i < 3; i++)
            CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, create_thread, &execs[i]), 0);
        uint32_t created = 0;
        for (int i = 0; i < 3; i++) {
            void *failed = NULL;
            pthread_join(threads[i], &failed);
            CU_ASSERT_PTR_NULL_FATAL(failed);
            rp_counters counters = gpu_counters(execs[i]);
            CU_ASSERT_EQUAL(counters.pipelines, 4);
            created += counters.pipelines_created;
            gpu_check_everything(execs[i]);
        }
        CU_ASSERT_TRUE(cancelled ? created < 4 : created == 0);
        rp_preparation_progress progress = {sizeof progress};
        CU_ASSERT_EQUAL(rp_preparation_get_progress(preparation, &progress), RP_OK);
        CU_ASSERT_EQUAL(progress.ready, 4);
        for (int i = 0; i < 3; i++) rp_exec_destroy(execs[i]);
        rp_preparation_destroy(preparation);
    }
    /* An exec that is there before its pipelines. */
    rp_device_trim(device);
    const rp_exec_params params = {
        .size = sizeof params, .cache_path = "", .priority = RP_PIPELINE_RARE};
    rp_exec *exec = gpu_exec(device, plan, &params);
    gpu_check_everything(exec);
    CU_ASSERT_EQUAL(gpu_counters(exec).pipelines_created, 4);
    rp_exec_destroy(exec);
}

/* First and last: what the tests between share. */
static void set_up(void) {
    device = gpu_open(0);
    rp_graph *graph = gpu_everything();
    plan = gpu_compile(graph, 1);
    rp_graph_destroy(graph);
}

static void tear_down(void) {
    rp_plan_destroy(plan);
    rp_device_destroy(device, NULL);
}

int main(void) {
    static const rp_test tests[] = {{"set up", set_up},
                                    {"devices", test_devices},
                                    {"everything", test_everything},
                                    {"live values", test_live},
                                    {"replays in a row", test_replays_in_a_row},
                                    {"host access", test_access},
                                    {"threads", test_threads},
                                    {"own device", test_import},
                                    {"pipeline cache", test_cache},
                                    {"pipelines ahead", test_prepare},
                                    {"tear down", tear_down},
                                    {0}};
    return rp_run_tests("runtime on a device", tests);
}
