/* Memory of the fake driver that file descriptors are of: files in memory, so that what one device
 * writes another one reads. Behind the bytes of one that was allocated here lies what it was
 * allocated as, which an import of an opaque descriptor has to repeat. */
#define _GNU_SOURCE /* memfd_create */
#include "mock_objects.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const VkExternalMemoryHandleTypeFlagBits OPAQUE =
                                                    VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT,
                                                DMA_BUF =
                                                    VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;

typedef struct trailer {
    char magic[8];
    uint64_t size;
    uint32_t type, dedicated;
} trailer;
static const char magic[8] = "mockmem";

void VKAPI_CALL mock_GetPhysicalDeviceExternalBufferProperties(
    VkPhysicalDevice device, const VkPhysicalDeviceExternalBufferInfo *info,
    VkExternalBufferProperties *out) {
    (void)device;
    bool host = info->handleType == VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
    const char *extension = host ? VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME
                            : info->handleType == OPAQUE
                                ? VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME
                                : VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME;
    if (!mock_has_extension(extension))
        mock_wrong("external memory is asked about without its extension");
    out->externalMemoryProperties = (VkExternalMemoryProperties){
        .externalMemoryFeatures =
            host ? VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT : mock.fd_features,
        .compatibleHandleTypes =
            info->handleType | (mock.fd_compatible & info->handleType ? mock.fd_compatible : 0)};
}

static void map(mock_memory *memory, int fd) {
    memory->data = mmap(NULL, memory->file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory->data == MAP_FAILED) mock_wrong("the fake driver cannot map a file");
    memory->fd = fd;
}

static VkResult import(mock_memory *memory, const VkImportMemoryFdInfoKHR *info) {
    struct stat file;
    trailer end = {0};
    if (fstat(info->fd, &file) != 0 || (uint64_t)file.st_size < memory->size)
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    memory->file_bytes = (uint64_t)file.st_size;
    if (info->handleType == OPAQUE) {
        if (memory->file_bytes < sizeof end ||
            pread(info->fd, &end, sizeof end, file.st_size - (off_t)sizeof end) != sizeof end ||
            memcmp(end.magic, magic, sizeof magic) != 0)
            return VK_ERROR_INVALID_EXTERNAL_HANDLE;
        if (end.size != memory->size || end.type != memory->type ||
            end.dedicated != (memory->dedicated != NULL))
            mock_wrong("opaque memory is imported as something else than it was allocated as");
    } else if (!(mock.fd_types >> memory->type & 1)) {
        mock_wrong("a dma-buf is imported as a memory type that it cannot have");
    }
    memory->handle_types = info->handleType;
    map(memory, info->fd); /* the driver's from now on */
    return VK_SUCCESS;
}

VkResult mock_external_allocate(mock_memory *memory, const VkMemoryAllocateInfo *info) {
    const VkImportMemoryFdInfoKHR *imported =
        mock_find(info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR);
    const VkExportMemoryAllocateInfo *exported =
        mock_find(info->pNext, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
    if (!mock_has_extension(VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME))
        mock_wrong("memory of a file descriptor without its extension");
    if ((mock.fd_features & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) && !memory->dedicated)
        mock_wrong("external memory is not dedicated where it must be");
    if (imported) return import(memory, imported);
    memory->handle_types = exported->handleTypes;
    memory->file_bytes = memory->size + sizeof(trailer);
    trailer end = {
        .size = memory->size, .type = memory->type, .dedicated = memory->dedicated != NULL};
    memcpy(end.magic, magic, sizeof magic);
    int fd = memfd_create("mock", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)memory->file_bytes) != 0 ||
        pwrite(fd, &end, sizeof end, (off_t)memory->size) != sizeof end)
        mock_wrong("the fake driver cannot make a file in memory");
    map(memory, fd);
    memset(memory->data, 0xa5, memory->size);
    return VK_SUCCESS;
}

void mock_external_free(mock_memory *memory) {
    munmap(memory->data, memory->file_bytes);
    close(memory->fd);
}

VkResult VKAPI_CALL mock_GetMemoryFdKHR(VkDevice device, const VkMemoryGetFdInfoKHR *info,
                                        int *out) {
    (void)device;
    if (mock_fails("vkGetMemoryFdKHR")) return mock.fail_with;
    const mock_memory *memory = (const mock_memory *)info->memory;
    if (!(memory->handle_types & info->handleType))
        mock_wrong("memory is exported as what it was not allocated for");
    *out = dup(memory->fd);
    return *out >= 0 ? VK_SUCCESS : VK_ERROR_TOO_MANY_OBJECTS;
}

VkResult VKAPI_CALL mock_GetMemoryFdPropertiesKHR(VkDevice device,
                                                  VkExternalMemoryHandleTypeFlagBits type, int fd,
                                                  VkMemoryFdPropertiesKHR *out) {
    (void)device;
    if (mock_fails("vkGetMemoryFdPropertiesKHR")) return mock.fail_with;
    if (type != DMA_BUF) mock_wrong("the memory types of an opaque descriptor are asked for");
    struct stat file;
    if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode)) return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    out->memoryTypeBits = mock.fd_types;
    return VK_SUCCESS;
}
