/* What the tests of images on a real device share: graphs from text whose kernels are GLSL, and packed
 * texels. */
#ifndef RP_TESTS_GPU_IMAGES_H
#define RP_TESTS_GPU_IMAGES_H

#include "device/device.h"
#include "gpu.h"
#include "reprise/image.h"

/* The GLSL of a kernel that the text names. */
typedef struct images_kernel {
    const char *name, *glsl;
} images_kernel;

/* A plan of a source graph, compiled at the level of `gpu_compile`. The list ends with a NULL name. */
rp_plan *images_plan(const char *text, const images_kernel *kernels, int level);

/* The only device, with the validation layer and its synchronisation checks. */
rp_device *images_open(void);
/* Nothing was said, and the device goes. */
void images_close(rp_device *device);

/* Bytes that differ from place to place and from seed to seed. */
void images_fill(uint8_t *bytes, uint64_t size, uint32_t seed);
/* One replay of slot 0, waited for. */
void images_replay(rp_exec *exec);

/* A VkImage of the application: 2D, r32ui. */
typedef struct images_own {
    VkImage image;
    VkDeviceMemory memory;
    uint32_t width, height;
} images_own;

images_own images_make_own(rp_device *device, uint32_t width, uint32_t height,
                           VkImageUsageFlags usage);
void images_drop_own(rp_device *device, images_own *own);
/* A storage of it. */
rp_storage *images_lend(rp_device *device, const images_own *own, VkImageUsageFlags usage,
                        VkImageLayout before, VkImageLayout after);

#endif
