/* Command buffers of the fake driver, for those who add commands to them. */
#ifndef RP_MOCK_RECORDING_H
#define RP_MOCK_RECORDING_H

#include "mock_objects.h"

typedef struct mock_text {
    char *bytes;
    size_t size, capacity;
} mock_text;

typedef struct mock_transfer {
    const void *checkpoint; /* that alone, and no transfer */
    mock_buffer *from;      /* NULL: fill with the pattern, or `data` */
    mock_buffer *to;
    uint64_t from_offset, to_offset, size;
    uint32_t pattern;
    unsigned char *data;
    mock_image *image; /* of a transition, or used in it; no transfer with the former */
    bool transition;
    VkImageLayout before, after;
} mock_transfer;

typedef struct mock_command_buffer {
    mock_kind kind;
    mock_text text, effects;
    mock_transfer *transfers;
    uint32_t count;
    bool recording, simultaneous;
    uint32_t family;
    mock_use use;

    mock_op *ops;
    uint32_t ops_count, ops_capacity;
    uint32_t commands; /* so far */
    const mock_pipeline *pipeline;
    mock_set *sets[32];
    unsigned char push[256];
    uint32_t push_size;
} mock_command_buffer;

/* A line that has an effect of its own. */
void mock_append_effect(VkCommandBuffer handle, const char *format, ...);
void mock_add_op(VkCommandBuffer handle, mock_op op);
/* A range that the command that is being recorded uses by itself. */
void mock_add_range(VkCommandBuffer handle, VkBuffer buffer, uint64_t lo, uint64_t size,
                    uint32_t scopes);
/* Zeros, to be filled in. */
mock_transfer *mock_add_transfer(VkCommandBuffer handle);
/* "compute:SR:SW"; returns `text`. */
const char *mock_mask_text(uint64_t stages, uint64_t access, char text[160]);

/* mock_image_commands.c */
void mock_change_layout(VkCommandBuffer commands, const VkImageMemoryBarrier2 *barrier);

#endif
