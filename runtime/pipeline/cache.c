/* The pipeline cache on disk: one file per set of kernels and driver. The key is what pipelines are
 * made of, not the whole plan: compiled again with other barriers or another arena, a plan finds
 * its pipelines.
 *
 * A file is our header and the driver's bytes. Drivers are known to crash on damaged cache data, so
 * nothing reaches the driver before our header, the hash of the bytes, and the standard header
 * inside them all match this very device. Anything else is ignored and replaced. Files
 * appear whole or not at all (base/new_file.h). */
#include "pipeline/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/hash.h"
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

/* Reads the driver's bytes; NULL in *out when there is no good file. */
static rp_status load(rp_cache *cache, uint8_t **out, uint64_t *out_size) {
    *out = NULL;
    *out_size = 0;
    FILE *file = cache->path ? fopen(cache->path, "rb") : NULL;
    if (!file) return RP_OK;
    const rp_allocator *a = &cache->device->allocator;
    rp_status status = RP_OK;
    uint8_t *data = NULL;
    cache_header header;
    if (fread(&header, sizeof header, 1, file) == 1 && header.size <= MAX_CACHE_BYTES) {
        data = rp_alloc(a, header.size, 1);
        if (!data) status = RP_ERROR_NO_MEMORY;
    }
    bool good = data && fread(data, 1, header.size, file) == header.size && fgetc(file) == EOF;
    fclose(file);
    if (good) {
        cache_header expected = header_of(cache, data, header.size);
        good = memcmp(&header, &expected, sizeof header) == 0 &&
               driver_header_fits(cache, data, header.size);
    }
    if (!good) {
        rp_release(a, data);
        return status;
    }
    *out = data;
    *out_size = header.size;
    cache->loaded_hash = header.hash;
    return RP_OK;
}

/* Everything of a plan that its pipelines and their layouts depend on. */
static uint64_t hash_kernels(const rp_plan *plan) {
    const rp_plan_kernel *kernels = rp_plan_kernels(plan);
    const rp_plan_param *params = rp_plan_records(plan, RP_SECTION_PARAMS);
    const rp_plan_spec *specs = rp_plan_records(plan, RP_SECTION_SPECS);
    uint64_t hash = 0;
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_KERNELS); i++) {
        const rp_plan_kernel *k = &kernels[i];
        const char *entry = rp_plan_string(plan, k->entry);
        const uint64_t parts[] = {k->hash, k->push_bytes, k->param_count, k->spec_count};
        hash = rp_hash_mix(hash, parts, sizeof parts);
        hash = rp_hash_mix(hash, entry, strlen(entry));
        hash = rp_hash_mix(hash, params + k->first_param, k->param_count * sizeof *params);
        hash = rp_hash_mix(hash, specs + k->first_spec, k->spec_count * sizeof *specs);
    }
    return hash;
}

rp_status rp_cache_create(rp_cache *cache, rp_device *device, const rp_plan *plan,
                          const char *folder, rp_diags *diags) {
    cache->device = device;
    cache->kernels_hash = hash_kernels(plan);
    cache->asked = folder != NULL;
    if (!folder || *folder) RP_TRY(make_path(cache, folder, &cache->path));
    uint8_t *data;
    uint64_t size;
    RP_TRY(load(cache, &data, &size));
    const VkPipelineCacheCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
        .initialDataSize = size,
        .pInitialData = data,
    };
    rp_status status =
        RP_VK(diags, device->vk.CreatePipelineCache(device->handle, &info, NULL, &cache->handle));
    rp_release(&device->allocator, data);
    return status;
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

void rp_cache_save(rp_cache *cache, rp_diags *diags) {
    if (!cache->path) return;
    rp_device *device = cache->device;
    size_t size = 0;
    if (device->vk.GetPipelineCacheData(device->handle, cache->handle, &size, NULL) != VK_SUCCESS ||
        size == 0 || size > MAX_CACHE_BYTES)
        return;
    void *data = rp_alloc(&device->allocator, size, 1);
    if (!data) return;
    int error = 0;
    if (device->vk.GetPipelineCacheData(device->handle, cache->handle, &size, data) == VK_SUCCESS)
        error = store(cache, data, size);
    if (error && cache->asked)
        rp_diags_add(diags, RP_WARNING, cache->path, 0, 0,
                     "the pipeline cache cannot be written: %s", strerror(error));
    rp_release(&device->allocator, data);
}

void rp_cache_free(rp_cache *cache) {
    rp_device *device = cache->device;
    if (!device) return;
    device->vk.DestroyPipelineCache(device->handle, cache->handle, NULL);
    rp_release(&device->allocator, cache->path);
    memset(cache, 0, sizeof *cache);
}
