/* Recorded calls on a real device, whatever they become: a graph at -O0 and at -O1, replayed twice, and
 * commands of direct mode. Under the validation layer and its synchronisation checks. */
#ifndef RP_TESTS_GPU_RECORDED_H
#define RP_TESTS_GPU_RECORDED_H

#include "gpu.h"
#include "reprise/direct.h"
#include "reprise/image.h"

enum { RECORDED_BUFFERS = 16 };

/* A program, and for each of its buffers that is no transient the bytes that it begins with and ends
 * with: packed ones of an image. */
typedef struct recorded {
    rp_device *device;
    rp_diags *diags;
    rp_program *program;
    uint32_t count;
    struct {
        const char *name;
        rp_buffer handle;
        rp_buffer_kind kind;
        rp_image_shape shape;
        uint64_t size;
        uint8_t *before, *after;
    } buffers[RECORDED_BUFFERS];
} recorded;

typedef void recorded_calls(rp_recorder *recorder, void *user);

/* The device and an empty program; and their end, at which the validation layer has said nothing. */
void recorded_open(recorded *r);
void recorded_close(recorded *r);
/* Of the program; a mistake ends the test. */
rp_buffer recorded_buffer(recorded *r, const char *name, rp_buffer_kind kind, uint64_t bytes);
rp_buffer recorded_image(recorded *r, const char *name, rp_buffer_kind kind, rp_image_shape shape);
rp_kernel recorded_kernel(recorded *r, const char *name, const char *glsl);
rp_sampler recorded_sampler(recorded *r, const char *name, rp_filter filter);
/* The bytes that a buffer begins with, and those with which it ended the last time. */
void *recorded_before(recorded *r, rp_buffer buffer);
void *recorded_after(recorded *r, rp_buffer buffer);

enum { RECORDED_WAYS = 3 }; /* -O0, -O1, direct mode */
/* Submits a VkCommandBuffer and waits for it. */
void recorded_submit(recorded *r, void *commands);
/* Makes the calls in one of the ways, and fills in all `after`. */
void recorded_run(recorded *r, uint32_t way, recorded_calls *calls, void *user);

#endif
