/* Cooperative matrices of a physical device: which products it can do. */
#include <stdio.h>
#include "device/device.h"

static uint8_t component(VkComponentTypeKHR type) {
    return (uint32_t)type < RP_SPIRV_COMPONENT_OTHER ? (uint8_t)type : RP_SPIRV_COMPONENT_OTHER;
}

/* Types that no module can name here, and scopes that kernels do not use, are passed over. */
static void keep(rp_adapter *adapter, const VkCooperativeMatrixPropertiesKHR *p) {
    const rp_spirv_product product = {.m = p->MSize,
                                      .n = p->NSize,
                                      .k = p->KSize,
                                      .a = component(p->AType),
                                      .b = component(p->BType),
                                      .c = component(p->CType),
                                      .result = component(p->ResultType)};
    const uint8_t other = RP_SPIRV_COMPONENT_OTHER;
    bool known =
        product.a != other && product.b != other && product.c != other && product.result != other;
    if (!known || p->scope != VK_SCOPE_SUBGROUP_KHR || p->saturatingAccumulation ||
        adapter->product_count == RP_MAX_PRODUCTS)
        return;
    adapter->products[adapter->product_count++] = product;
    char *text = adapter->info.matrix_products, one[RP_SPIRV_PRODUCT_TEXT];
    size_t length = strlen(text), room = sizeof adapter->info.matrix_products - length;
    rp_spirv_print_product(&product, one);
    if (strlen(one) + 3 < room) snprintf(text + length, room, "%s%s", length ? ", " : "", one);
}

rp_status rp_adapter_read_products(const rp_vk *vk, const rp_allocator *a, rp_diags *diags,
                                   rp_adapter *adapter) {
    if (!(adapter->features & RP_FEATURE_COOPERATIVE_MATRIX)) return RP_OK;
    adapter->features &= ~(uint64_t)RP_FEATURE_COOPERATIVE_MATRIX;
    if (!vk->GetPhysicalDeviceCooperativeMatrixPropertiesKHR) return RP_OK;
    uint32_t count = 0;
    RP_TRY(RP_VK(
        diags, vk->GetPhysicalDeviceCooperativeMatrixPropertiesKHR(adapter->handle, &count, NULL)));
    VkCooperativeMatrixPropertiesKHR *all = rp_alloc_zero(a, count, sizeof *all);
    if (!all) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        all[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
    rp_status status = RP_VK(
        diags, vk->GetPhysicalDeviceCooperativeMatrixPropertiesKHR(adapter->handle, &count, all));
    for (uint32_t i = 0; status == RP_OK && i < count; i++) keep(adapter, &all[i]);
    rp_release(a, all);
    if (adapter->product_count) adapter->features |= RP_FEATURE_COOPERATIVE_MATRIX;
    return status;
}

static bool has_product(const rp_adapter *adapter, const rp_spirv_product *product) {
    for (uint32_t i = 0; i < adapter->product_count; i++)
        if (memcmp(&adapter->products[i], product, sizeof *product) == 0) return true;
    return false;
}

const rp_spirv_product *rp_adapter_missing_product(const rp_adapter *adapter,
                                                   const rp_spirv_reader *module) {
    for (uint32_t i = 0; i < module->product_count; i++)
        if (!has_product(adapter, &module->products[i])) return &module->products[i];
    return NULL;
}
