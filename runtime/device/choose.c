/* Listing the system's devices, and choosing one of them. */
#include "device/device.h"

#include <ctype.h>
#include <stdlib.h>
#include "base/sized.h"
#include "base/text.h"

rp_status rp_adapters_list(const rp_instance *instance, const rp_allocator *a, rp_diags *diags,
                           rp_adapter **out_adapters, uint32_t *out_count) {
    *out_adapters = NULL;
    *out_count = 0;
    const rp_vk *vk = &instance->vk;
    uint32_t count = 0;
    VkResult result = vk->EnumeratePhysicalDevices(instance->handle, &count, NULL);
    if (result == VK_ERROR_INITIALIZATION_FAILED || (result >= 0 && count == 0)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "no Vulkan device: the installed drivers found none they can drive; "
                     "mesa-vulkan-drivers has a software one");
        return RP_ERROR_NO_DEVICE;
    }
    RP_TRY(rp_vk_result(result, "vk->EnumeratePhysicalDevices", diags));

    VkPhysicalDevice *handles = rp_alloc_zero(a, count, sizeof *handles);
    rp_adapter *adapters = rp_alloc_zero(a, count, sizeof *adapters);
    rp_status status = handles && adapters ? RP_OK : RP_ERROR_NO_MEMORY;
    if (status == RP_OK)
        status = RP_VK(diags, vk->EnumeratePhysicalDevices(instance->handle, &count, handles));
    for (uint32_t i = 0; status == RP_OK && i < count; i++)
        status = rp_adapter_read(instance, a, handles[i], diags, &adapters[i]);
    rp_release(a, handles);
    if (status != RP_OK) {
        rp_release(a, adapters);
        return status;
    }
    *out_adapters = adapters;
    *out_count = count;
    return RP_OK;
}

static bool contains_name(const char *name, const char *part) {
    for (; *name; name++) {
        size_t i = 0;
        while (part[i] && name[i] &&
               tolower((unsigned char)name[i]) == tolower((unsigned char)part[i]))
            i++;
        if (!part[i]) return true;
    }
    return false;
}

/* A number beyond the last index is taken as a part of a name: "4090". */
static bool matches(const rp_adapter *adapters, uint32_t count, uint32_t index,
                    const char *select) {
    unsigned long number = strtoul(select, NULL, 10);
    if (strspn(select, "0123456789") == strlen(select) && number < count) return number == index;
    return contains_name(adapters[index].info.name, select);
}

/* One note per device, so that the error before it can be acted on. */
static void list_devices(const rp_adapter *adapters, uint32_t count, rp_diags *diags) {
    for (uint32_t i = 0; i < count; i++) {
        const rp_device_info *info = &adapters[i].info;
        rp_diags_add(diags, RP_NOTE, NULL, 0, 0, "device %u: %s%s%s", i, info->name,
                     info->suitable ? "" : ", which lacks ", info->missing);
    }
}

rp_status rp_adapters_choose(const rp_adapter *adapters, uint32_t count, const char *select,
                             rp_diags *diags, uint32_t *out_index) {
    const char *source = "";
    if (!select || !*select) {
        select = getenv("REPRISE_DEVICE");
        source = " (from REPRISE_DEVICE)";
    }
    bool any = !select || !*select;
    uint32_t matched = UINT32_MAX;
    for (int cpu = 0; cpu < 2; cpu++) /* GPUs before software drivers */
        for (uint32_t i = 0; i < count; i++) {
            if (!!adapters[i].info.is_cpu != !!cpu) continue;
            if (!any && !matches(adapters, count, i, select)) continue;
            matched = i;
            if (!adapters[i].info.suitable) continue;
            *out_index = i;
            return RP_OK;
        }
    if (matched == UINT32_MAX) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "no Vulkan device matches \"%s\"%s; give an index or a part of a name",
                     any ? "" : select, source);
        list_devices(adapters, count, diags);
        return RP_ERROR_NO_DEVICE;
    }
    const rp_device_info *info = &adapters[matched].info;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "%s lacks %s; update its driver or choose another device", info->name,
                 info->missing);
    list_devices(adapters, count, diags);
    return any ? RP_ERROR_NO_DEVICE : RP_ERROR_UNSUPPORTED;
}

rp_status rp_devices(rp_device_info *infos, uint32_t capacity, uint32_t *out_count,
                     rp_diags *diags) {
    if (!out_count) return RP_ERROR_USAGE;
    *out_count = 0;
    if (capacity && !infos) return RP_ERROR_USAGE;
    /* Elements lie as far apart as the caller's header says. */
    size_t stride = capacity ? infos->size : 0;
    rp_device_info first;
    if (capacity && !rp_sized_take(infos, &first, sizeof first))
        return rp_sized_refuse(diags, "rp_device_info");
    rp_allocator a = rp_allocator_or_default(NULL);
    rp_instance instance;
    RP_TRY(rp_instance_open(&instance, NULL, false, diags));
    rp_adapter *adapters;
    uint32_t count;
    rp_status status = rp_adapters_list(&instance, &a, diags, &adapters, &count);
    if (status == RP_OK) {
        for (uint32_t i = 0; i < count && i < capacity; i++) {
            char *info = (char *)infos + i * stride;
            memcpy(info, &stride, sizeof stride);
            (void)rp_sized_give(&adapters[i].info, sizeof *infos, info);
        }
        *out_count = count;
        rp_release(&a, adapters);
    }
    rp_instance_close(&instance);
    return status;
}
