/* The need of cube arrays, gathers and indexed arrays of bindings stands for nine features of Vulkan, of
 * which a kernel mostly asks one and a device may lack another. So the capabilities that each module
 * states are held against the features themselves, and the message names the one that is missing. */
#include "device/images.h"

#include "spirv/spirv.h"

enum { OP_CAPABILITY = 17 };

static const struct {
    uint32_t capability;
    uint64_t feature;
} asked[] = {
    {25, RP_FEATURE_GATHER},                /* ImageGatherExtended */
    {28, RP_FEATURE_UNIFORM_INDEXING},      /* UniformBufferArrayDynamicIndexing */
    {29, RP_FEATURE_SAMPLED_INDEXING},      /* SampledImageArrayDynamicIndexing */
    {30, RP_FEATURE_BUFFER_INDEXING},       /* StorageBufferArrayDynamicIndexing */
    {31, RP_FEATURE_IMAGE_INDEXING},        /* StorageImageArrayDynamicIndexing */
    {34, RP_FEATURE_CUBE_ARRAYS},           /* ImageCubeArray */
    {45, RP_FEATURE_CUBE_ARRAYS},           /* SampledCubeArray */
    {5304, RP_FEATURE_SAMPLED_INDEXING},    /* of texel buffers: comes with that of images */
    {5305, RP_FEATURE_IMAGE_INDEXING},      /* the same */
    {5307, RP_FEATURE_SAMPLED_NON_UNIFORM}, /* SampledImageArrayNonUniformIndexing */
    {5308, RP_FEATURE_BUFFER_NON_UNIFORM},  /* StorageBufferArrayNonUniformIndexing */
    {5309, RP_FEATURE_IMAGE_NON_UNIFORM},   /* StorageImageArrayNonUniformIndexing */
};

/* The features behind what a module states: capabilities are its first instructions. */
static uint64_t features_of(const uint32_t *words, uint32_t count) {
    uint64_t features = 0;
    for (uint32_t at = RP_SPIRV_HEADER; at + 1 < count && (words[at] & 0xffff) == OP_CAPABILITY;
         at += 2)
        for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
            if (asked[i].capability == words[at + 1]) features |= asked[i].feature;
    return features;
}

void rp_extras_check(const rp_device *device, const rp_plan *plan, rp_diags *diags,
                     uint32_t *errors) {
    const uint32_t *words = rp_plan_records(plan, RP_SECTION_WORDS);
    uint64_t said = 0;
    if (!(plan->header->needs & RP_NEED_IMAGE_EXTRAS)) return;
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_KERNELS); i++) {
        const rp_plan_kernel *k = &rp_plan_kernels(plan)[i];
        const char *name = rp_plan_string(plan, k->name);
        uint64_t missing =
            features_of(words + k->first_word, k->word_count) & ~device->adapter.features & ~said;
        for (; missing; missing &= missing - 1) {
            rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                         "kernel @%s needs the feature %s, which the device does not have, or was "
                         "created without: do without it, or choose another device; device %s",
                         name ? name : "", rp_feature_name(missing & (0 - missing)),
                         device->adapter.info.name);
            said |= missing & (0 - missing);
            ++*errors;
        }
    }
}
