/* What the handles of the fake driver point to. */
#ifndef RP_MOCK_OBJECTS_H
#define RP_MOCK_OBJECTS_H

#include <stddef.h>
#include "mock_vulkan.h"

typedef enum mock_kind {
    MOCK_DEAD,
    MOCK_INSTANCE,
    MOCK_DEVICE,
    MOCK_MEMORY,
    MOCK_BUFFER,
    MOCK_DESCRIPTOR_POOL,
    MOCK_DESCRIPTOR_SET,
    MOCK_SET_LAYOUT,
    MOCK_LAYOUT,
    MOCK_MODULE,
    MOCK_PIPELINE,
    MOCK_CACHE,
    MOCK_QUERY_POOL,
    MOCK_SEMAPHORE,
    MOCK_COMMAND_POOL,
    MOCK_COMMAND_BUFFER,
    MOCK_MESSENGER,
} mock_kind;

typedef struct mock_object {
    mock_kind kind;
    uint32_t number; /* in the order of creation, by kind where tests print it */
} mock_object;

typedef struct mock_memory {
    mock_kind kind;
    uint64_t size;
    unsigned char *data;
    bool visible;
} mock_memory;

/* Until when a submission uses something: while mock.stall holds it back, it is in flight. */
typedef struct mock_use {
    uint32_t semaphore; /* by its number */
    uint64_t value;     /* 0: never used */
} mock_use;

typedef struct mock_buffer {
    mock_kind kind;
    uint32_t number;
    uint64_t size, offset;
    mock_memory *memory;
    mock_use use;
} mock_buffer;

typedef struct mock_set_layout {
    mock_kind kind;
    uint32_t storage, uniform;
} mock_set_layout;

typedef struct mock_pool { /* of descriptors or of commands */
    mock_kind kind;
    void **children;
    uint32_t count;
} mock_pool;

typedef struct mock_semaphore {
    mock_kind kind;
    uint32_t number;
    uint64_t value, pending;
} mock_semaphore;

/* Next numbers; mock_reset sets them to zero. */
extern struct mock_numbers { uint32_t buffers, sets, pipelines, other, semaphores; } mock_numbers;

void mock_wrong(const char *rule);
/* Counts one up, under the lock; returns what it was. */
uint32_t mock_count(uint32_t *counter);
/* The version of Vulkan in use: the lesser of the instance's and the device's. */
uint32_t mock_version(void);
/* Counts a call; true when it is the one to fail. */
bool mock_fails(const char *call);
void *mock_new(mock_kind kind, size_t size);
void mock_delete(void *handle, mock_kind kind);
/* Runs the transfers of a command buffer, which is in flight for the time of `use`. */
void mock_execute(VkCommandBuffer commands, mock_use use);
bool mock_in_flight(mock_use use);

/* Every function that the runtime knows. */
#define MOCK_DECLARE(name) extern __typeof__(*(PFN_vk##name)0) mock_##name;
#define RP_VK_GLOBAL MOCK_DECLARE
#define RP_VK_INSTANCE MOCK_DECLARE
#define RP_VK_INSTANCE_OPTIONAL MOCK_DECLARE
#define RP_VK_DEVICE MOCK_DECLARE
#define RP_VK_DEVICE_KHR MOCK_DECLARE
#define RP_VK_DEVICE_OPTIONAL MOCK_DECLARE
#include "driver/functions.def"

#endif
