/* Direct mode of the program of random calls with images, on the fake driver, with all that it stands on;
 * and its end, at which nothing may be left. */
#ifndef RP_MOCK_DIRECT_IMAGES_H
#define RP_MOCK_DIRECT_IMAGES_H

#include "mock_objects.h"
#include "support.h"
#include "support/own_commands.h"
#include "support/random_images.h"

#include "direct/encoder.h"
#include "reprise/direct.h"

enum { TEXEL_USAGE = VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT };

/* Images are numbered as they are made: x, s, t, then the transient a; buffers: w, then v. */
static const char *const image_names[RP_SHOTS_IMAGES] = {"x", "s", "t", "a"};
static const char *const buffer_names[RP_SHOTS_BUFFERS] = {"w", "v"};

static rp_diags *diags;
static rp_device *device;
static rp_shots shots;
static rp_direct *direct;
static rp_storage *images[RP_SHOTS_IMAGES], *buffers[RP_SHOTS_BUFFERS];
static own_commands commands;
static mock_allocator memory;

static inline rp_program *make_program(rp_shots *s, const rp_allocator *allocator) {
    rp_program *program = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_program_create(allocator, "shots", &program), RP_OK);
    for (uint32_t i = 0; i < RP_SHOTS_IMAGES; i++) {
        const rp_buffer_params params = {.size = sizeof params,
                                         .name = image_names[i],
                                         .kind = rp_shots_image_kind(i),
                                         .image = rp_shots_shape};
        CU_ASSERT_EQUAL(rp_program_buffer(program, &params, NULL, &s->images[i]), RP_OK);
    }
    for (uint32_t i = 0; i < RP_SHOTS_BUFFERS; i++) {
        const rp_buffer_params params = {.size = sizeof params,
                                         .name = buffer_names[i],
                                         .kind = rp_shots_buffer_kind(i),
                                         .bytes = RP_SHOTS_BYTES};
        CU_ASSERT_EQUAL(rp_program_buffer(program, &params, NULL, &s->buffers[i]), RP_OK);
    }
    CU_ASSERT_EQUAL_FATAL(rp_shots_create(s, program, NULL), RP_OK);
    s->whole = true;
    return program;
}

static inline rp_storage *make_image(rp_device *on, rp_image_shape shape, const char *name) {
    const rp_storage_params params = {.size = sizeof params, .image = shape, .name = name};
    rp_storage *storage = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(on, &params, diags, &storage), RP_OK);
    return storage;
}

/* Exact scopes, not those widened for drivers: it is what is needed that is judged. */
static inline void open_all(void) {
    mock_reset();
    mock_allocator_init(&memory);
    diags = rp_diags_create(NULL);
    device = mock_open(&memory.allocator, diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
    device->quirks = 0;
    CU_ASSERT_EQUAL_FATAL(own_commands_create(device, &commands), VK_SUCCESS);
    rp_program *program = make_program(&shots, &memory.allocator);
    CU_ASSERT_EQUAL_FATAL(rp_direct_create(program, device, NULL, diags, &direct), RP_OK);
    for (uint32_t i = 0; i < RP_SHOTS_IMAGES; i++) {
        images[i] = NULL;
        if (rp_shots_image_kind(i) == RP_TMP) continue; /* gets storage of its own */
        images[i] = make_image(device, rp_shots_shape, image_names[i]);
        CU_ASSERT_EQUAL(rp_direct_bind(direct, shots.images[i], images[i], 0, diags), RP_OK);
    }
    const rp_storage_params params = {.size = sizeof params,
                                      .bytes = RP_SHOTS_BYTES,
                                      .usage = TEXEL_USAGE,
                                      .name = "w",
                                      .uninitialised = 1};
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &buffers[0]), RP_OK);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, shots.buffers[0], buffers[0], 0, diags), RP_OK);
}

static inline void close_all(void) {
    rp_direct_destroy(direct);
    rp_program_destroy(shots.program);
    for (uint32_t i = 0; i < RP_SHOTS_IMAGES; i++) rp_storage_release(images[i]);
    rp_storage_release(buffers[0]);
    own_commands_destroy(device, &commands);
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_OK);
    rp_diags_destroy(diags);
    CU_ASSERT_EQUAL(memory.alive, 0);
    mock_done();
}

static inline rp_recorder *begin(void) {
    rp_recorder *recorder = NULL;
    CU_ASSERT_EQUAL_FATAL(own_commands_begin(device, &commands), VK_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(rp_direct_begin(direct, commands.handle, NULL, diags, &recorder), RP_OK);
    return recorder;
}

#endif
