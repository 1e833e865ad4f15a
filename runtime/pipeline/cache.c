/* The pipeline cache on disk: one file per set of kernels and driver. The key is what pipelines are
 * made of, not the whole plan: compiled again with other barriers or another arena, a plan finds
 * its pipelines. It is read when the device lacks one of them, and written when all are there. The
 * cache makes things faster and nothing else: whatever fails here, pipelines are created.
 *
 * A file is our header and the driver's bytes. Drivers are known to crash on damaged cache data, so
 * nothing reaches the driver before our header, the hash of the bytes, and the standard header
 * inside them all match this very device. Anything else is ignored and replaced. Files
 * appear whole or not at all (base/new_file.h). */
#include "pipeline/store.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/new_file.h"

#define CACHE_MAGIC "RPCACHE1"

enum { MAX_CACHE_BYTES = 1 << 28 }; /* a file larger than this is not ours */

typedef struct cache_header {
    char magic[8];
    uint64_t kernels_hash;
    uint32_t vendor, device, driver_version, reserved;
    uint8_t uuid[VK_UUID_SIZE];
    uint64_t size, hash; /* of the driver's bytes, which follow */
} cache_header;

static cache_header header_of(const rp_cache *cache, const void *data, uint64_t size) {
    const VkPhysicalDeviceProperties *properties = &cache->device->adapter.properties;
    cache_header header = {
        .kernels_hash = cache->kernels_hash,
        .vendor = properties->vendorID,
        .device = properties->deviceID,
        .driver_version = properties->driverVersion,
        .size = size,
        .hash = rp_hash(data, size),
    };
    memcpy(header.magic, CACHE_MAGIC, sizeof header.magic);
    memcpy(header.uuid, properties->pipelineCacheUUID, sizeof header.uuid);
    return header;
}

/* The file's path, or NULL in *out when there is nowhere to keep it. */
static rp_status make_path(rp_cache *cache, const char *folder, char **out) {
    *out = NULL;
    rp_text text;
    rp_text_init(&text, &cache->device->allocator);
    if (folder)
        rp_text_string(&text, folder);
    else if (!rp_cache_folder(&text))
        return RP_OK;
    cache_header header = header_of(cache, "", 0);
    rp_text_format(&text, "/%016llx-%016llx.cache", (unsigned long long)cache->kernels_hash,
                   (unsigned long long)rp_hash(&header, sizeof header));
    return rp_text_take(&text, out, NULL);
}

/* The driver's bytes start with a header that Vulkan defines. */
static bool driver_header_fits(const rp_cache *cache, const uint8_t *data, uint64_t size) {
    const VkPhysicalDeviceProperties *properties = &cache->device->adapter.properties;
    VkPipelineCacheHeaderVersionOne header;
    if (size < sizeof header) return false;
    memcpy(&header, data, sizeof header);
    return header.headerSize >= sizeof header && header.headerSize <= size &&
           header.headerVersion == VK_PIPELINE_CACHE_HEADER_VERSION_ONE &&
           header.vendorID == properties->vendorID && header.deviceID == properties->deviceID &&
           memcmp(header.pipelineCacheUUID, properties->pipelineCacheUUID, VK_UUID_SIZE) == 0;
}

/* The driver's bytes; NULL when there is no good file. */
static uint8_t *load(rp_cache *cache, uint64_t *out_size) {
    *out_size = 0;
    FILE *file = fopen(cache->path, "rb");
    if (!file) return NULL;
    const rp_allocator *a = &cache->device->allocator;
    uint8_t *data = NULL;
    cache_header header;
    if (fread(&header, sizeof header, 1, file) == 1 && header.size <= MAX_CACHE_BYTES)
        data = rp_alloc(a, header.size, 1);
    bool good = data && fread(data, 1, header.size, file) == header.size && fgetc(file) == EOF;
    fclose(file);
    if (good) {
        cache_header expected = header_of(cache, data, header.size);
        good = memcmp(&header, &expected, sizeof header) == 0 &&
               driver_header_fits(cache, data, header.size);
    }
    if (!good) {
        rp_release(a, data);
        return NULL;
    }
    *out_size = header.size;
    cache->loaded_hash = header.hash;
    return data;
}

rp_status rp_cache_plan(rp_cache *cache, rp_device *device, uint64_t kernels_hash,
                        const char *folder) {
    cache->device = device;
    cache->handle = device->pipeline_cache;
    cache->kernels_hash = kernels_hash;
    cache->asked = folder != NULL;
    if (cache->handle || (folder && !*folder)) return RP_OK;
    return make_path(cache, folder, &cache->path);
}

void rp_cache_open(rp_cache *cache) {
    if (!cache->path) return;
    rp_device *device = cache->device;
    uint64_t size;
    uint8_t *data = load(cache, &size);
    const VkPipelineCacheCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
        .initialDataSize = size,
        .pInitialData = data,
    };
    if (device->vk.CreatePipelineCache(device->handle, &info, NULL, &cache->handle) < 0)
        cache->handle = VK_NULL_HANDLE;
    rp_release(&device->allocator, data);
}

/* 0, or an errno. */
static int store(rp_cache *cache, const void *data, uint64_t size) {
    cache_header header = header_of(cache, data, size);
    if (header.hash == cache->loaded_hash) return 0;
    rp_make_folders(cache->path);
    rp_new_file file;
    int error = rp_new_file_open(&cache->device->allocator, cache->path, &file);
    if (error) return error;
    error = rp_new_file_append(&file, &header, sizeof header);
    if (!error) error = rp_new_file_append(&file, data, size);
    if (!error) return rp_new_file_commit(&file, cache->path);
    rp_new_file_abandon(&file);
    return error;
}

static void save_data(rp_cache *cache) {
    rp_device *device = cache->device;
    size_t size = 0;
    if (device->vk.GetPipelineCacheData(device->handle, cache->handle, &size, NULL) != VK_SUCCESS ||
        size == 0 || size > MAX_CACHE_BYTES)
        return;
    void *data = rp_alloc(&device->allocator, size, 1);
    if (!data) return;
    if (device->vk.GetPipelineCacheData(device->handle, cache->handle, &size, data) == VK_SUCCESS)
        cache->error = store(cache, data, size);
    rp_release(&device->allocator, data);
}

void rp_cache_close(rp_cache *cache, bool save) {
    if (!cache->path || !cache->handle) return;
    rp_device *device = cache->device;
    if (save) save_data(cache);
    device->vk.DestroyPipelineCache(device->handle, cache->handle, NULL);
    cache->handle = VK_NULL_HANDLE;
}

void rp_cache_free(rp_cache *cache) {
    if (cache->device) rp_release(&cache->device->allocator, cache->path);
}
