/* The application's own work on the GPU: a compute pass before the plans, which makes this frame's
 * curve, and a graphics pass behind them, which draws their vertices into a picture. Plain Vulkan. */
#ifndef EMBED_PASSES_H
#define EMBED_PASSES_H

#include "vulkan_setup.h"

enum { POINTS = 256, WIDTH = POINTS, HEIGHT = 64, PICTURE_BYTES = WIDTH * HEIGHT, SLOTS = 3 };

typedef struct passes {
    VkDescriptorSetLayout set_layout;
    VkDescriptorPool sets;
    VkDescriptorSet set; /* binding 0: a curve, at a dynamic offset */
    VkPipelineLayout wave_layout, draw_layout;
    VkPipeline wave, draw;
    VkImage image;
    VkDeviceMemory image_memory;
    VkImageView view;
    VkCommandPool pool;
    VkCommandBuffer wave_commands[SLOTS], draw_commands[SLOTS];
} passes;

/* `frames` holds the curves. */
void passes_create(passes *p, const vulkan *vk, VkBuffer frames, VkDeviceSize curve_bytes);
void passes_destroy(passes *p, const vulkan *vk);

/* Recorded anew for each frame: the slot's last frame is done. */
VkCommandBuffer passes_wave(const passes *p, uint32_t slot, uint32_t frame,
                            VkDeviceSize curve_offset);
VkCommandBuffer passes_draw(const passes *p, uint32_t slot, VkBuffer vertices,
                            VkDeviceSize vertices_offset, VkBuffer pictures,
                            VkDeviceSize picture_offset);

#endif
