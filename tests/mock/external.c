/* Memory that several devices see: exported by one, imported by another, handed to and fro; what is
 * wrong about it is refused by name, and no descriptor is lost. */
#define _GNU_SOURCE /* memfd_create */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "mock_objects.h"
#include "support.h"

static const char text[] = "reprise 1\n"
                           "graph one scheduled placed synced arena 0 {\n"
                           "  buf $x in 256\n"
                           "  buf $y out 256\n"
                           "  group 0\n"
                           "    n0 = copy (r $x, w $y)\n"
                           "}\n";

static rp_device *one, *two;
static rp_diags *diags;
static int descriptors; /* that were open in the beginning */

static int count_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    while (folder && readdir(folder)) count++;
    if (folder) closedir(folder);
    return count;
}

static void reset(void) {
    mock_reset();
    mock.extensions_too[0] = VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME;
    mock.extensions_too[1] = VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME;
    mock.extensions_too[2] = VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME;
    descriptors = count_descriptors();
}

static void begin(void) {
    diags = rp_diags_create(NULL);
    one = mock_open(NULL, diags);
    two = mock_open(NULL, diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(one);
    CU_ASSERT_PTR_NOT_NULL_FATAL(two);
}

static void end(void) {
    CU_ASSERT_EQUAL(rp_device_destroy(one, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_device_destroy(two, diags), RP_OK);
    rp_diags_destroy(diags);
    CU_ASSERT_EQUAL(count_descriptors(), descriptors);
    mock_done();
}

static rp_storage *create(rp_storage_params params) {
    rp_storage *storage = NULL;
    params.size = sizeof params;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(one, &params, diags, &storage), RP_OK);
    return storage;
}

static rp_storage_fd export(rp_storage *storage, rp_fd_type type) {
    rp_storage_fd fd = {.size = sizeof fd};
    CU_ASSERT_EQUAL_FATAL(rp_storage_export_fd(storage, type, diags, &fd), RP_OK);
    CU_ASSERT_TRUE(fd.fd >= 0);
    return fd;
}

static rp_storage *import(const rp_storage_fd *fd) {
    rp_storage *storage = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_import_fd(two, fd, diags, &storage), RP_OK);
    return storage;
}

static void expect_bytes(rp_storage *storage, const char *wanted) {
    char bytes[32] = "";
    CU_ASSERT_EQUAL(rp_storage_read(storage, 0, bytes, strlen(wanted) + 1, diags), RP_OK);
    CU_ASSERT_STRING_EQUAL(bytes, wanted);
}

/* ---- Sharing --------------------------------------------------------------------------------- */

/* To and fro, by each kind of descriptor, mapped or not, dedicated or not. */
static void test_share(void) {
    for (int i = 0; i < 16; i++) {
        const rp_fd_type type = i & 1 ? RP_FD_DMA_BUF : RP_FD_OPAQUE;
        const bool visible = i & 2, dedicated = i & 4, both = i & 8;
        reset();
        if (dedicated) mock.fd_features |= VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT;
        begin();
        rp_storage *a = create((rp_storage_params){
            .bytes = 1001,
            .usage = VK_BUFFER_USAGE_VERTEX_BUFFER_BIT,
            .host_visible = visible,
            .exportable = both ? RP_FD_OPAQUE | RP_FD_DMA_BUF : type,
        });
        const uint32_t usage = mock.buffer_usage;
        expect_bytes(a, ""); /* zeros */
        const rp_storage_fd fd = export(a, type);
        CU_ASSERT_EQUAL(fd.size, sizeof fd);
        CU_ASSERT_EQUAL(fd.type, (uint32_t)type);
        CU_ASSERT_EQUAL(fd.bytes, 1001);
        CU_ASSERT_EQUAL(fd.memory_bytes, 1008);
        CU_ASSERT_EQUAL(fd.usage, usage);
        CU_ASSERT_EQUAL(fd.dedicated, dedicated);
        CU_ASSERT_EQUAL(fd.host_visible, visible);
        CU_ASSERT_EQUAL(fd.device[0], 0xd0);
        CU_ASSERT_EQUAL(fd.driver[15], 0xd0);
        rp_storage *b = import(&fd);
        CU_ASSERT_EQUAL(fcntl(fd.fd, F_GETFD), -1); /* the storage's now */
        CU_ASSERT_EQUAL(mock.buffer_usage, usage);
        rp_storage_info info = {.size = sizeof info};
        CU_ASSERT_EQUAL(rp_storage_get_info(b, &info), RP_OK);
        CU_ASSERT_EQUAL(info.bytes, 1001);
        CU_ASSERT_EQUAL(info.offset, 0);
        CU_ASSERT_EQUAL(info.mapped != NULL, visible);

        CU_ASSERT_EQUAL(rp_storage_write(a, 0, "to you", 7, diags), RP_OK);
        CU_ASSERT_EQUAL(rp_storage_hand_over(a, diags), RP_OK);
        CU_ASSERT_EQUAL(mock.handed_over, 1);
        CU_ASSERT_EQUAL(mock.other_family, type == RP_FD_DMA_BUF || both
                                               ? VK_QUEUE_FAMILY_FOREIGN_EXT
                                               : VK_QUEUE_FAMILY_EXTERNAL);
        CU_ASSERT_EQUAL(rp_storage_take_over(b, diags), RP_OK);
        CU_ASSERT_EQUAL(mock.taken_over, 1);
        expect_bytes(b, "to you");
        CU_ASSERT_EQUAL(rp_storage_write(b, 0, "and back", 9, diags), RP_OK);
        CU_ASSERT_EQUAL(rp_storage_hand_over(b, diags), RP_OK);
        CU_ASSERT_EQUAL(rp_storage_take_over(a, diags), RP_OK);
        expect_bytes(a, "and back");
        rp_storage_release(a); /* the other holds the bytes */
        expect_bytes(b, "and back");
        rp_storage_release(b);
        CU_ASSERT_EQUAL(rp_diags_count(diags), 0);
        end();
    }
}

/* Plans on both devices, bound to it; a queue for uploads beside. */
static void test_plans(void) {
    reset();
    diags = rp_diags_create(NULL);
    const rp_device_params params = {.size = sizeof params,
                                     .get_instance_proc_addr = mock_entry(),
                                     .queues = RP_QUEUES_TRANSFER};
    CU_ASSERT_EQUAL_FATAL(rp_device_create(NULL, &params, diags, &one), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_device_create(NULL, &params, diags, &two), RP_OK);
    rp_plan *plan = mock_plan(text);
    rp_storage *a = create((rp_storage_params){.bytes = 256, .exportable = RP_FD_OPAQUE});
    const rp_storage_fd fd = export(a, RP_FD_OPAQUE);
    rp_storage *b = import(&fd);
    const rp_binding out = {"y", a, 0, RP_ALL_SLOTS, 0}, in = {"x", b, 0, RP_ALL_SLOTS, 0};
    rp_exec_params bound = mock_params;
    rp_exec *first, *second;
    bound.binding_count = 1;
    bound.bindings = &out;
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(one, plan, &bound, diags, &first), RP_OK);
    bound.bindings = &in;
    CU_ASSERT_EQUAL_FATAL(rp_exec_create(two, plan, &bound, diags, &second), RP_OK);
    char bytes[256] = "through two devices";
    CU_ASSERT_EQUAL(rp_exec_write(first, 0, "x", 0, bytes, 256, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(first, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(first, 0, UINT64_MAX, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_storage_hand_over(a, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_storage_take_over(b, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(second, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(second, 0, UINT64_MAX, diags), RP_OK);
    memset(bytes, 0, sizeof bytes);
    CU_ASSERT_EQUAL(rp_exec_read(second, 0, "y", 0, bytes, 256, diags), RP_OK);
    CU_ASSERT_STRING_EQUAL(bytes, "through two devices");
    rp_exec_destroy(first);
    rp_exec_destroy(second);
    rp_storage_release(a);
    rp_storage_release(b);
    rp_plan_destroy(plan);
    end();
}

/* Memory of somebody else's: a file, a range of it, the types that the driver says. */
static void test_foreign(void) {
    for (int dedicated = 0; dedicated < 2; dedicated++) {
        reset();
        if (dedicated) mock.fd_features |= VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT;
        mock.fd_types = 1u << 1; /* of those only this one */
        begin();
        int file = memfd_create("foreign", MFD_CLOEXEC);
        CU_ASSERT_EQUAL_FATAL(ftruncate(file, 8192), 0);
        CU_ASSERT_EQUAL(pwrite(file, "somebody's", 11, dedicated ? 0 : 4096), 11);
        rp_storage_fd fd = {.size = sizeof fd,
                            .fd = file,
                            .type = RP_FD_DMA_BUF,
                            .bytes = 1001,
                            .offset = dedicated ? 0 : 4096};
        rp_storage *storage = import(&fd);
        expect_bytes(storage, "somebody's");
        rp_storage_info info = {.size = sizeof info};
        CU_ASSERT_EQUAL(rp_storage_get_info(storage, &info), RP_OK);
        CU_ASSERT_PTR_NULL(info.mapped); /* nobody asked */
        rp_counters counters = {.size = sizeof counters};
        CU_ASSERT_EQUAL(rp_device_get_counters(two, &counters), RP_OK);
        CU_ASSERT_TRUE(counters.memory_bytes <= 2 * (4 << 20)); /* what copies pass through */
        rp_storage_release(storage);
        end();
    }
}

/* ---- What is wrong --------------------------------------------------------------------------- */

static void expect_no_export(rp_storage *storage, uint32_t type, const char *said) {
    rp_storage_fd fd = {.size = sizeof fd, .fd = 7, .bytes = 7};
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_storage_export_fd(storage, (rp_fd_type)type, diags, &fd), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, said));
    CU_ASSERT_EQUAL(fd.fd, -1);
    CU_ASSERT_EQUAL(fd.bytes, 0);
}

static void test_wrong_exports(void) {
    reset();
    begin();
    rp_storage *plain = create((rp_storage_params){.bytes = 64, .name = "plain"});
    rp_storage *opaque =
        create((rp_storage_params){.bytes = 64, .name = "mine", .exportable = RP_FD_OPAQUE});
    expect_no_export(plain, RP_FD_OPAQUE,
                     "plain was not created to be exported as an opaque file descriptor");
    expect_no_export(opaque, RP_FD_DMA_BUF, "mine was not created to be exported as a dma-buf");
    expect_no_export(opaque, 0, "0 is not one rp_fd_type");
    expect_no_export(opaque, RP_FD_OPAQUE | RP_FD_DMA_BUF, "0x201 is not one rp_fd_type");
    rp_storage_fd unset = {0};
    CU_ASSERT_EQUAL(rp_storage_export_fd(opaque, RP_FD_OPAQUE, diags, &unset), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "sizeof(rp_storage_fd)"));
    CU_ASSERT_EQUAL(rp_storage_export_fd(opaque, RP_FD_OPAQUE, diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_storage_hand_over(plain, diags), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(rp_test_said(diags, "plain is seen by its own device alone"));
    CU_ASSERT_EQUAL(rp_storage_take_over(plain, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_storage_hand_over(NULL, diags), RP_ERROR_USAGE);
    rp_storage_release(plain);
    rp_storage_release(opaque);
    end();
}

static void expect_no_create(uint32_t exportable, rp_status status, const char *said) {
    const rp_storage_params params = {
        .size = sizeof params, .bytes = 64, .name = "mine", .exportable = exportable};
    rp_storage *storage = (rp_storage *)1;
    begin();
    CU_ASSERT_EQUAL(rp_storage_create(one, &params, diags, &storage), status);
    CU_ASSERT_PTR_NULL(storage);
    CU_ASSERT_TRUE(rp_test_said(diags, said));
    end();
}

static void test_not_able(void) {
    reset();
    mock.extensions_too[0] = NULL;
    expect_no_create(RP_FD_OPAQUE, RP_ERROR_UNSUPPORTED,
                     "mine needs VK_KHR_external_memory_fd, which device Mock 9000 does not have");
    reset();
    mock.extensions_too[1] = NULL;
    expect_no_create(RP_FD_DMA_BUF, RP_ERROR_UNSUPPORTED,
                     "mine needs VK_EXT_external_memory_dma_buf");
    reset();
    mock.fd_features = VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
    expect_no_create(RP_FD_OPAQUE, RP_ERROR_UNSUPPORTED,
                     "mine: device Mock 9000 cannot export the memory of such a buffer as an "
                     "opaque file descriptor");
    reset();
    mock.fd_compatible = 0;
    expect_no_create(RP_FD_OPAQUE | RP_FD_DMA_BUF, RP_ERROR_UNSUPPORTED,
                     "as an opaque file descriptor and as another kind at once");
    reset();
    expect_no_create(RP_FD_OPAQUE | 2, RP_ERROR_USAGE, "mine: 0x2 are no bits of rp_fd_type");
}

static void expect_no_import(rp_storage_fd fd, rp_status status, const char *said) {
    rp_storage *storage = (rp_storage *)1;
    rp_diags_clear(diags);
    fd.name = "theirs";
    CU_ASSERT_EQUAL(rp_storage_import_fd(two, &fd, diags, &storage), status);
    CU_ASSERT_PTR_NULL(storage);
    CU_ASSERT_TRUE(rp_test_said(diags, said));
}

static void test_wrong_imports(void) {
    reset();
    begin();
    rp_storage *a = create((rp_storage_params){.bytes = 1001, .exportable = RP_FD_OPAQUE});
    const rp_storage_fd right = export(a, RP_FD_OPAQUE);
    rp_storage_fd fd = right;
    fd.size = 0;
    expect_no_import(fd, RP_ERROR_USAGE, "sizeof(rp_storage_fd)");
    fd = right, fd.type = 0;
    expect_no_import(fd, RP_ERROR_USAGE, "theirs: a file descriptor and one rp_fd_type are needed");
    fd = right, fd.type = RP_FD_OPAQUE | RP_FD_DMA_BUF;
    expect_no_import(fd, RP_ERROR_USAGE, "and 0x201");
    fd = right, fd.fd = -1;
    expect_no_import(fd, RP_ERROR_USAGE, "not -1 and 0x1");
    fd = right, fd.bytes = 0;
    expect_no_import(fd, RP_ERROR_USAGE, "theirs cannot have 0 bytes");
    fd = right, fd.usage |= 0x200;
    expect_no_import(fd, RP_ERROR_USAGE, "theirs cannot have the usage VK_BUFFER_USAGE_CONDITION");
    fd = right, fd.device[3] ^= 1;
    expect_no_import(fd, RP_ERROR_USAGE, "theirs was exported by another device or driver");
    fd = right, fd.driver[3] ^= 1;
    expect_no_import(fd, RP_ERROR_USAGE, "theirs was exported by another device or driver");
    fd = right, fd.memory_bytes = 0;
    expect_no_import(fd, RP_ERROR_USAGE, "theirs: memory_bytes must be the size");
    fd = right, fd.memory_bytes = 992;
    expect_no_import(fd, RP_ERROR_USAGE,
                     "theirs, a buffer of 1008 bytes at a multiple of 64, does not lie from byte 0 "
                     "on in memory of 992 bytes");
    fd = right, fd.offset = 64;
    expect_no_import(fd, RP_ERROR_USAGE, "from byte 64 on in memory of 1008 bytes");
    fd = right, fd.offset = 8, fd.memory_bytes = 4096;
    expect_no_import(fd, RP_ERROR_USAGE, "from byte 8 on");
    fd = right, fd.offset = UINT64_MAX - 63;
    expect_no_import(fd, RP_ERROR_USAGE, "from byte 18446744073709551552 on");
    fd = right, fd.dedicated = 1, fd.memory_bytes = 1024;
    expect_no_import(fd, RP_ERROR_USAGE, "in dedicated memory of 1024 bytes");
    fd = right, fd.memory_type = 4;
    expect_no_import(fd, RP_ERROR_USAGE,
                     "theirs is said to be of memory type 4; on Mock 9000 the types of such a "
                     "buffer are the bits of 0xf");
    fd = right, fd.host_visible = 1, fd.memory_type = 0;
    expect_no_import(fd, RP_ERROR_USAGE, "the bits of 0xe");
    fd = right, fd.fd = 1000;
    expect_no_import(fd, RP_ERROR_USAGE, "file descriptor 1000: ");
    int other = memfd_create("other", MFD_CLOEXEC); /* for all that can be seen, memory */
    CU_ASSERT_EQUAL(ftruncate(other, 100), 0);
    fd = right, fd.fd = other;
    expect_no_import(fd, RP_ERROR_USAGE, "Mock 9000 does not take file descriptor");
    mock.fail_call = "vkGetMemoryFdPropertiesKHR";
    mock.fail_with = VK_ERROR_INVALID_EXTERNAL_HANDLE;
    fd.type = RP_FD_DMA_BUF, fd.memory_bytes = 4096;
    expect_no_import(fd, RP_ERROR_USAGE, "is not a dma-buf for Mock 9000");
    CU_ASSERT_TRUE(fcntl(other, F_GETFD) >= 0); /* what was refused stays the caller's */
    close(other);
    mock.fd_types = 0;
    fd = right, fd.type = RP_FD_DMA_BUF;
    expect_no_import(fd, RP_ERROR_UNSUPPORTED, "can be memory of the types 0 on Mock 9000");
    mock.fd_features = VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT;
    expect_no_import(right, RP_ERROR_UNSUPPORTED, "cannot import the memory of such a buffer");
    mock.fd_features = VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
    rp_storage *b = import(&right); /* still good */
    rp_storage_release(a);
    rp_storage_release(b);
    end();
}

/* Descriptors that are no memory do not come as far as the driver, which might wait for one. */
static void test_no_memory(void) {
    int pair[2], ends[2];
    sigset_t none;
    sigemptyset(&none);
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    const struct {
        int fd;
        const char *said;
    } wrong[] = {
        {pair[0], "a socket"},
        {pair[1], "a socket"},
        {ends[0], "a pipe"},
        {ends[1], "a pipe"},
        {open("/", O_RDONLY | O_CLOEXEC), "a directory"},
        {open("/", O_PATH | O_CLOEXEC), "a directory"},
        {open("/proc/self/exe", O_PATH | O_CLOEXEC), "a path that is not opened"},
        {open("/dev/null", O_RDWR | O_CLOEXEC), "a device like /dev/null"},
        {open("/dev/zero", O_RDWR | O_CLOEXEC), "a device like /dev/null"},
        {open("/proc/self/status", O_RDONLY | O_CLOEXEC), "an empty file"},
        {memfd_create("empty", MFD_CLOEXEC), "an empty file"},
        {eventfd(0, EFD_CLOEXEC), "anon_inode:[eventfd]"},
        {timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), "anon_inode:[timerfd]"},
        {epoll_create1(EPOLL_CLOEXEC), "anon_inode:[eventpoll]"},
        {signalfd(-1, &none, SFD_CLOEXEC), "anon_inode:[signalfd]"},
        {inotify_init1(IN_CLOEXEC), "anon_inode:inotify"},
    };
    reset();
    begin();
    rp_storage *a = create((rp_storage_params){.bytes = 1001, .exportable = RP_FD_OPAQUE});
    rp_storage_fd right = export(a, RP_FD_OPAQUE);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        for (int dma = 0; dma < 2; dma++) {
            char said[128];
            rp_storage_fd fd = right;
            fd.fd = wrong[i].fd;
            fd.type = dma ? RP_FD_DMA_BUF : RP_FD_OPAQUE;
            snprintf(said, sizeof said, "theirs: file descriptor %d is %s, not memory", fd.fd,
                     wrong[i].said);
            CU_ASSERT_TRUE(fd.fd >= 0);
            uint32_t calls = mock_calls();
            expect_no_import(fd, RP_ERROR_USAGE, said);
            CU_ASSERT_EQUAL(mock_calls(), calls);
        }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CU_ASSERT_EQUAL(close(wrong[i].fd), 0); /* what was refused stays the caller's */
    rp_storage_release(import(&right));
    rp_storage_release(a);
    descriptors -= (int)(sizeof wrong / sizeof *wrong);
    end();
}

/* An application's device without the extension has the function all the same. */
static void test_not_enabled(void) {
    static int object;
    static const char *const names[] = {VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME};
    for (int enabled = 0; enabled < 2; enabled++) {
        reset();
        mock.queue_family = 1;
        diags = rp_diags_create(NULL);
        const rp_device_import wrapped = {.size = sizeof wrapped,
                                          .get_instance_proc_addr = mock_entry(),
                                          .instance = &object,
                                          .api_version = VK_API_VERSION_1_3,
                                          .physical_device = &object,
                                          .device = &object,
                                          .features = mock_base_features(),
                                          .extensions = names,
                                          .extension_count = (uint32_t)enabled,
                                          .queue = mock_queue(1),
                                          .queue_family = 1};
        const rp_device_params params = {.size = sizeof params, .import = &wrapped};
        CU_ASSERT_EQUAL_FATAL(rp_device_create(NULL, &params, diags, &one), RP_OK);
        const rp_storage_params wanted = {
            .size = sizeof wanted, .bytes = 64, .name = "mine", .exportable = RP_FD_OPAQUE};
        rp_storage *storage = NULL;
        CU_ASSERT_EQUAL(rp_storage_create(one, &wanted, diags, &storage),
                        enabled ? RP_OK : RP_ERROR_UNSUPPORTED);
        if (!enabled)
            CU_ASSERT_TRUE(rp_test_said(diags, "mine needs VK_KHR_external_memory_fd, which device "
                                               "Soft Mock does not have enabled: see "
                                               "rp_device_import.extensions"));
        rp_storage_release(storage);
        two = NULL;
        end();
    }
}

/* ---- Failures -------------------------------------------------------------------------------- */

/* Memory goes from device to device and back. The descriptor is closed by somebody in every case. */
static rp_status live_a_life(const rp_allocator *a, rp_fd_type type) {
    const rp_storage_params params = {.size = sizeof params,
                                      .bytes = 300,
                                      .host_visible = 1,
                                      .exportable = RP_FD_OPAQUE | RP_FD_DMA_BUF};
    rp_storage *first = NULL, *second = NULL;
    rp_storage_fd fd = {.size = sizeof fd, .fd = -1};
    const rp_device_params device_params = {.size = sizeof device_params,
                                            .get_instance_proc_addr = mock_entry()};
    char bytes[8] = "abcdefg";
    one = two = NULL;
    rp_status status = rp_device_create(a, &device_params, diags, &one);
    if (status == RP_OK) status = rp_device_create(a, &device_params, diags, &two);
    if (status == RP_OK) status = rp_storage_create(one, &params, diags, &first);
    if (status == RP_OK) status = rp_storage_write(first, 0, bytes, 8, diags);
    if (status == RP_OK) status = rp_storage_hand_over(first, diags);
    if (status == RP_OK) status = rp_storage_export_fd(first, type, diags, &fd);
    if (status == RP_OK) status = rp_storage_import_fd(two, &fd, diags, &second);
    if (fd.fd >= 0 && !second) CU_ASSERT_EQUAL(close(fd.fd), 0); /* it was still there */
    if (status == RP_OK) status = rp_storage_take_over(second, diags);
    if (status == RP_OK) status = rp_storage_read(second, 0, bytes, 8, diags);
    if (status == RP_OK) CU_ASSERT_STRING_EQUAL(bytes, "abcdefg");
    rp_storage_release(first);
    rp_storage_release(second);
    rp_device_destroy(one, NULL);
    rp_device_destroy(two, NULL);
    return status;
}

static void fail_each(rp_fd_type type, VkResult result, rp_status expected) {
    reset();
    mock_allocator memory;
    mock_allocator_init(&memory);
    CU_ASSERT_EQUAL_FATAL(live_a_life(&memory.allocator, type), RP_OK);
    uint32_t calls = mock.calls;
    long allocations = memory.calls;
    CU_ASSERT_TRUE(calls > 20);
    for (uint32_t i = 1; i <= calls; i++) {
        reset();
        mock.fail_at = i;
        mock.fail_with = result;
        diags = rp_diags_create(NULL);
        rp_status status = live_a_life(NULL, type);
        if (status != expected) printf("\n  call %u, %s: status %d\n", i, mock.failed, status);
        CU_ASSERT_EQUAL(status, expected);
        CU_ASSERT_TRUE(rp_diags_error_count(diags) > 0);
        rp_diags_destroy(diags);
        CU_ASSERT_EQUAL(count_descriptors(), descriptors);
        mock_done();
    }
    for (long i = 1; i <= allocations; i++) {
        reset();
        mock_allocator_init(&memory);
        memory.fail_at = i;
        diags = NULL;
        CU_ASSERT_EQUAL(live_a_life(&memory.allocator, type), RP_ERROR_NO_MEMORY);
        CU_ASSERT_EQUAL(memory.alive, 0);
        CU_ASSERT_EQUAL(count_descriptors(), descriptors);
        mock_done();
    }
}

static void test_failures(void) {
    diags = NULL;
    fail_each(RP_FD_OPAQUE, VK_ERROR_OUT_OF_HOST_MEMORY, RP_ERROR_NO_MEMORY);
    diags = NULL;
    fail_each(RP_FD_OPAQUE, VK_ERROR_UNKNOWN, RP_ERROR_DRIVER);
    diags = NULL;
    fail_each(RP_FD_DMA_BUF, VK_ERROR_OUT_OF_DEVICE_MEMORY, RP_ERROR_DEVICE_MEMORY);
}

int main(void) {
    static const rp_test tests[] = {{"share", test_share},
                                    {"plans on both", test_plans},
                                    {"somebody else's", test_foreign},
                                    {"wrong exports", test_wrong_exports},
                                    {"not able", test_not_able},
                                    {"wrong imports", test_wrong_imports},
                                    {"what is no memory", test_no_memory},
                                    {"not enabled", test_not_enabled},
                                    {"failures", test_failures},
                                    {0}};
    return rp_run_tests("external memory", tests);
}
