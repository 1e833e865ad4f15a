/* Memory that other devices, processes and APIs see, by file descriptors.
 *
 * Both sides have a VkBuffer of their own on it. What an importer must repeat of the exporter, since
 * a driver that is told otherwise may do anything, goes along with the descriptor in rp_storage_fd,
 * and is compared with what can be asked. */
#define _GNU_SOURCE /* O_PATH */
#include "memory/storage.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "base/checked.h"
#include "base/sized.h"
#include "plan/format.h"

static const struct {
    uint32_t type;
    const char *name, *extension;
} fd_types[] = {
#define RP_X(symbol, number, name, extension) {symbol, name, extension},
    RP_FD_TYPE_LIST(RP_X)
#undef RP_X
};
enum { FD_TYPE_COUNT = sizeof fd_types / sizeof *fd_types };

/* ---- What a device can do -------------------------------------------------------------------- */

static rp_status check_extension(const rp_device *device, const char *name, const char *extension,
                                 rp_diags *diags) {
    const rp_vk *vk = &device->vk;
    bool loaded = vk->GetMemoryFdKHR && vk->GetMemoryFdPropertiesKHR;
    if (loaded && (device->adapter.extensions & rp_extension_find(extension))) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s needs %s, which device %s does not have%s", name,
                 extension, device->adapter.info.name,
                 device->owned ? "" : " enabled: see rp_device_import.extensions");
    return RP_ERROR_UNSUPPORTED;
}

static VkExternalMemoryProperties ask(const rp_device *device, uint32_t type,
                                      VkBufferUsageFlags usage) {
    const VkPhysicalDeviceExternalBufferInfo asked = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
        .usage = usage,
        .handleType = (VkExternalMemoryHandleTypeFlagBits)type};
    VkExternalBufferProperties able = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
    device->vk.GetPhysicalDeviceExternalBufferProperties(device->adapter.handle, &asked, &able);
    return able.externalMemoryProperties;
}

rp_status rp_external_check(const rp_device *device, const rp_storage_wish *wish,
                            VkBufferUsageFlags usage, rp_diags *diags) {
    uint32_t types = wish->fd ? wish->fd->type : wish->exportable;
    uint32_t unknown = types;
    for (size_t i = 0; i < FD_TYPE_COUNT; i++) unknown &= ~fd_types[i].type;
    if (unknown) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s: %#x are no bits of rp_fd_type", wish->name,
                     unknown);
        return RP_ERROR_USAGE;
    }
    RP_TRY(check_extension(device, wish->name, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME, diags));
    for (size_t i = 0; i < FD_TYPE_COUNT; i++) {
        if (!(types & fd_types[i].type)) continue;
        RP_TRY(check_extension(device, wish->name, fd_types[i].extension, diags));
        const VkExternalMemoryProperties able = ask(device, fd_types[i].type, usage);
        VkExternalMemoryFeatureFlags wanted = wish->fd ? VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT
                                                       : VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT;
        if ((able.externalMemoryFeatures & wanted) && !(types & ~able.compatibleHandleTypes))
            continue;
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s: device %s cannot %s the memory of such a buffer as %s%s", wish->name,
                     device->adapter.info.name, wish->fd ? "import" : "export", fd_types[i].name,
                     able.externalMemoryFeatures & wanted ? " and as another kind at once" : "");
        return RP_ERROR_UNSUPPORTED;
    }
    return RP_OK;
}

static const char *name_of(uint32_t type) {
    for (size_t i = 0; i < FD_TYPE_COUNT; i++)
        if (fd_types[i].type == type) return fd_types[i].name;
    return NULL;
}

/* ---- Export ---------------------------------------------------------------------------------- */

rp_status rp_storage_export_fd(rp_storage *storage, rp_fd_type type, rp_diags *diags,
                               rp_storage_fd *out_fd) {
    if (!out_fd) return RP_ERROR_USAGE;
    rp_storage_fd own = {.fd = -1};
    if (!rp_sized_give(&own, sizeof own, out_fd)) return rp_sized_refuse(diags, "rp_storage_fd");
    if (!storage) return RP_ERROR_USAGE;
    if (!name_of(type)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%#x is not one rp_fd_type", (unsigned)type);
        return RP_ERROR_USAGE;
    }
    rp_device *device = storage->device;
    const rp_block *block = storage->block;
    if (!block || !(block->exportable & type)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s was not created to be exported as %s: see rp_storage_params.exportable",
                     storage->name, name_of(type));
        return RP_ERROR_USAGE;
    }
    const VkMemoryGetFdInfoKHR info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
        .memory = block->handle,
        .handleType = (VkExternalMemoryHandleTypeFlagBits)type,
    };
    own = (rp_storage_fd){
        .fd = -1,
        .type = type,
        .bytes = storage->size,
        .memory_bytes = block->size,
        .memory_type = block->type,
        .usage = storage->usage,
        .dedicated = block->dedicated != VK_NULL_HANDLE,
        .host_visible = storage->purpose == RP_PURPOSE_VISIBLE,
    };
    memcpy(own.device, device->adapter.device_uuid, sizeof own.device);
    memcpy(own.driver, device->adapter.driver_uuid, sizeof own.driver);
    RP_TRY(RP_VK(diags, device->vk.GetMemoryFdKHR(device->handle, &info, &own.fd)));
    rp_sized_give(&own, sizeof own, out_fd);
    return RP_OK;
}

/* ---- Import ---------------------------------------------------------------------------------- */

static bool is_other(const uint8_t said[16], const uint8_t own[16]) {
    static const uint8_t none[16];
    return memcmp(said, none, 16) != 0 && memcmp(said, own, 16) != 0;
}

/* What has no name in the file system says in /proc what it is: eventfd, timerfd, io_uring and the
 * like. Drivers may have such descriptors of memory, of names that nobody knows; Linux itself has
 * dma-bufs alone, before 5.3. Its own go by brackets or one of these. */
static const char *what_of_linux(int fd, char *text, size_t size) {
    static const char *const known[] = {"[", "inotify", "sync", "bpf", "btf", "kvm"};
    static const char scheme[] = "anon_inode:";
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, text, size - 1);
    text[length > 0 ? length : 0] = '\0';
    if (strncmp(text, scheme, sizeof scheme - 1) != 0) return NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(text + sizeof scheme - 1, known[i], strlen(known[i])) == 0) return text;
    return NULL;
}

/* What a descriptor is that no driver makes memory of, NULL when it may be memory; `text` is room for
 * it. A driver that looks into such a one may wait there for ever, or take its bytes for memory. */
static const char *what_else(int fd, char *text, size_t size) {
    struct stat s;
    if (fstat(fd, &s) != 0) return NULL; /* using it says why */
    if (S_ISSOCK(s.st_mode)) return "a socket";
    if (S_ISFIFO(s.st_mode)) return "a pipe";
    if (S_ISDIR(s.st_mode)) return "a directory";
    if (S_ISBLK(s.st_mode)) return "a block device";
    if (S_ISCHR(s.st_mode) && isatty(fd)) return "a terminal";
    if (S_ISCHR(s.st_mode) && major(s.st_rdev) == 1) return "a device like /dev/null";
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_PATH)) return "a path that is not opened";
    if (S_ISREG(s.st_mode) && s.st_size == 0) return "an empty file";
    return what_of_linux(fd, text, size);
}

/* What can be seen without asking the driver. */
static rp_status check_fd(const rp_device *device, const rp_storage_fd *fd, rp_diags *diags) {
    const rp_adapter *adapter = &device->adapter;
    if (!name_of(fd->type) || fd->fd < 0) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s: a file descriptor and one rp_fd_type are needed, not %d and %#x",
                     fd->name, fd->fd, (unsigned)fd->type);
        return RP_ERROR_USAGE;
    }
    char text[64];
    const char *other = what_else(fd->fd, text, sizeof text);
    if (other) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s: file descriptor %d is %s, not memory",
                     fd->name, fd->fd, other);
        return RP_ERROR_USAGE;
    }
    if (fd->bytes == 0 || fd->bytes > RP_MAX_BUFFER_BYTES) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s cannot have %llu bytes: 1 to %llu are possible", fd->name,
                     (unsigned long long)fd->bytes, (unsigned long long)RP_MAX_BUFFER_BYTES);
        return RP_ERROR_USAGE;
    }
    if (fd->type != RP_FD_OPAQUE) return RP_OK;
    if (is_other(fd->device, adapter->device_uuid) || is_other(fd->driver, adapter->driver_uuid)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s was exported by another device or driver than %s: an opaque file "
                     "descriptor is for the same one",
                     fd->name, adapter->info.name);
        return RP_ERROR_USAGE;
    }
    if (fd->memory_bytes == 0) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s: memory_bytes must be the size that the memory was allocated with",
                     fd->name);
        return RP_ERROR_USAGE;
    }
    return RP_OK;
}

/* The types that a descriptor of the system can be imported as. */
static rp_status choose_type(rp_device *device, const rp_storage *storage,
                             const rp_buffer_needs *needs, rp_diags *diags, rp_block *block) {
    VkMemoryFdPropertiesKHR able = {.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR};
    VkResult result = device->vk.GetMemoryFdPropertiesKHR(
        device->handle, (VkExternalMemoryHandleTypeFlagBits)block->fd->type, block->fd->fd, &able);
    if (result == VK_ERROR_INVALID_EXTERNAL_HANDLE)
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "file descriptor %d is not %s for %s",
                     block->fd->fd, name_of(block->fd->type), device->adapter.info.name);
    RP_TRY(rp_vk_result(result, "vk->GetMemoryFdPropertiesKHR", diags));
    if (rp_memory_choose_type(&device->adapter, storage->purpose,
                              able.memoryTypeBits & needs->memory.memoryTypeBits, &block->type))
        return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "%s: file descriptor %d can be memory of the types %#x on %s, and its buffer of "
                 "%#x: none will do",
                 storage->name, block->fd->fd, able.memoryTypeBits, device->adapter.info.name,
                 needs->memory.memoryTypeBits);
    return RP_ERROR_UNSUPPORTED;
}

/* The type of opaque memory is told. */
static rp_status check_type(const rp_device *device, const rp_storage *storage,
                            const rp_buffer_needs *needs, rp_diags *diags, rp_block *block) {
    VkMemoryPropertyFlags required, wanted;
    rp_memory_flags(&device->adapter, storage->purpose, &required, &wanted);
    uint32_t able = needs->memory.memoryTypeBits & rp_memory_types(&device->adapter, required);
    block->type = block->fd->memory_type;
    if (block->type < 32 && able >> block->type & 1) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "%s is said to be of memory type %u; on %s the types of such a buffer are the "
                 "bits of %#x",
                 storage->name, block->type, device->adapter.info.name, able);
    return RP_ERROR_USAGE;
}

rp_status rp_external_lay_out(rp_device *device, const rp_storage *storage,
                              const rp_buffer_needs *needs, rp_diags *diags, rp_block *block) {
    const rp_storage_fd *fd = block->fd;
    uint64_t end;
    if (fd->dedicated || needs->requires_dedicated) block->dedicated = storage->handle;
    block->offset = fd->offset;
    block->size = fd->memory_bytes;
    if (block->size == 0) {
        off_t length = lseek(fd->fd, 0, SEEK_END);
        if (length > 0) block->size = (uint64_t)length;
    }
    /* Dedicated memory is as large as its buffer; a file of the system may be larger. */
    if (fd->type != RP_FD_OPAQUE && block->dedicated && block->size > needs->memory.size)
        block->size = needs->memory.size;
    if (fd->offset % needs->memory.alignment || !rp_add_u64(fd->offset, needs->memory.size, &end) ||
        end > block->size ||
        (block->dedicated && (fd->offset || block->size != needs->memory.size))) {
        rp_diags_add(
            diags, RP_ERROR, NULL, 0, 0,
            "%s, a buffer of %llu bytes at a multiple of %llu, does not lie from byte %llu "
            "on in %s %llu bytes",
            storage->name, (unsigned long long)needs->memory.size,
            (unsigned long long)needs->memory.alignment, (unsigned long long)fd->offset,
            block->dedicated ? "dedicated memory of" : "memory of",
            (unsigned long long)block->size);
        return RP_ERROR_USAGE;
    }
    return fd->type == RP_FD_OPAQUE ? check_type(device, storage, needs, diags, block)
                                    : choose_type(device, storage, needs, diags, block);
}

rp_status rp_storage_import_fd(rp_device *device, const rp_storage_fd *given, rp_diags *diags,
                               rp_storage **out_storage) {
    if (!out_storage) return RP_ERROR_USAGE;
    *out_storage = NULL;
    rp_storage_fd fd;
    if (!device || !given) return RP_ERROR_USAGE;
    if (!rp_sized_take(given, &fd, sizeof fd)) return rp_sized_refuse(diags, "rp_storage_fd");
    if (!fd.name) fd.name = "imported memory";
    RP_TRY(check_fd(device, &fd, diags));
    RP_TRY(rp_storage_check_usage(fd.usage, fd.name, diags));
    const rp_storage_wish wish = {
        .purpose = fd.host_visible ? RP_PURPOSE_VISIBLE : RP_PURPOSE_BUFFERS,
        .usage = fd.usage,
        .size = fd.bytes,
        .name = fd.name,
        .fd = &fd,
    };
    RP_TRY(rp_storage_allocate(device, &wish, 1, diags, out_storage));
    close(fd.fd); /* Vulkan has one of its own */
    (*out_storage)->external = fd.type;
    (*out_storage)->known = true;
    rp_device_retain(device, RP_OBJECT_STORAGE);
    return RP_OK;
}

/* ---- Taking turns ---------------------------------------------------------------------------- */

typedef struct turn {
    const rp_storage *storage;
    bool over; /* to the others */
} turn;

static void record_turn(rp_device *device, VkCommandBuffer commands, const void *user) {
    const turn *t = user;
    uint32_t families[2], count = rp_device_families(device, families);
    /* A dma-buf may be another driver's; an opaque descriptor never is. */
    bool foreign = (t->storage->external & RP_FD_DMA_BUF) &&
                   (device->adapter.extensions & RP_EXTENSION_FOREIGN);
    uint32_t others = foreign ? VK_QUEUE_FAMILY_FOREIGN_EXT : VK_QUEUE_FAMILY_EXTERNAL;
    uint32_t own = count > 1 ? VK_QUEUE_FAMILY_IGNORED : families[0];
    const VkAccessFlags2 all = VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT;
    const VkBufferMemoryBarrier2 barrier = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER_2,
        .srcStageMask = t->over ? VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT : VK_PIPELINE_STAGE_2_NONE,
        .srcAccessMask = t->over ? all : VK_ACCESS_2_NONE,
        .dstStageMask = t->over ? VK_PIPELINE_STAGE_2_NONE : VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
        .dstAccessMask = t->over ? VK_ACCESS_2_NONE : all,
        .srcQueueFamilyIndex = t->over ? own : others,
        .dstQueueFamilyIndex = t->over ? others : own,
        .buffer = t->storage->handle,
        .size = VK_WHOLE_SIZE,
    };
    const VkDependencyInfo dependency = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                         .bufferMemoryBarrierCount = 1,
                                         .pBufferMemoryBarriers = &barrier};
    device->vk.CmdPipelineBarrier2(commands, &dependency);
}

static rp_status take_turn(rp_storage *storage, bool over, rp_diags *diags) {
    if (!storage) return RP_ERROR_USAGE;
    if (!storage->external) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s is seen by its own device alone: it is neither exportable nor imported "
                     "from a file descriptor",
                     storage->name);
        return RP_ERROR_USAGE;
    }
    const turn t = {storage, over};
    return rp_submit_once(storage->device, record_turn, &t, diags);
}

rp_status rp_storage_hand_over(rp_storage *storage, rp_diags *diags) {
    return take_turn(storage, true, diags);
}

rp_status rp_storage_take_over(rp_storage *storage, rp_diags *diags) {
    return take_turn(storage, false, diags);
}
