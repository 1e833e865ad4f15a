/* Direct mode of the program of random calls, on the fake driver, with all that it stands on; and its
 * end, at which nothing may be left. */
#ifndef RP_MOCK_DIRECT_OPENED_H
#define RP_MOCK_DIRECT_OPENED_H

#include "support.h"
#include "support/own_commands.h"
#include "support/random_calls.h"

#include "direct/encoder.h"
#include "reprise/direct.h"

static rp_diags *diags;
static rp_device *device;
static rp_calls calls;
static rp_direct *direct;
static rp_storage *storages[RP_CALLS_BUFFERS];
static own_commands commands;
static mock_allocator memory;
static bool debug_utils; /* the loader has VK_EXT_debug_utils */

static inline void said(void) {
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        printf("\n  said: %s", rp_diags_get(diags, i).message);
}

/* Exact scopes, not those widened for drivers: it is what is needed that is judged. */
static inline void open_all(void) {
    mock_reset();
    mock.debug_utils = debug_utils;
    mock_allocator_init(&memory);
    diags = rp_diags_create(NULL);
    device = mock_open(&memory.allocator, diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
    device->quirks = 0;
    CU_ASSERT_EQUAL_FATAL(own_commands_create(device, &commands), VK_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(rp_calls_create(&calls, &memory.allocator, diags), RP_OK);
    rp_status status = rp_direct_create(calls.program, device, NULL, diags, &direct);
    if (status != RP_OK) said();
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    for (uint32_t i = 0; i < RP_CALLS_BUFFERS; i++) {
        const rp_storage_params params = {
            .size = sizeof params, .bytes = RP_CALLS_BYTES, .uninitialised = 1};
        storages[i] = NULL;
        if (rp_calls_is_transient(i)) continue; /* get storage of their own */
        CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, diags, &storages[i]), RP_OK);
        CU_ASSERT_EQUAL(rp_direct_bind(direct, calls.buffers[i], storages[i], 0, diags), RP_OK);
    }
}

static inline void close_all(void) {
    CU_ASSERT_EQUAL(rp_device_destroy(device, NULL), RP_ERROR_BUSY); /* it is in use */
    rp_direct_destroy(direct);
    rp_calls_destroy(&calls);
    for (uint32_t i = 0; i < RP_CALLS_BUFFERS; i++) rp_storage_release(storages[i]);
    own_commands_destroy(device, &commands);
    CU_ASSERT_EQUAL(rp_device_destroy(device, diags), RP_OK);
    rp_diags_destroy(diags);
    CU_ASSERT_EQUAL(memory.alive, 0);
    mock_done();
}

static inline rp_recorder *begin(const rp_encoder_begin_params *params) {
    rp_recorder *recorder = NULL;
    CU_ASSERT_EQUAL_FATAL(own_commands_begin(device, &commands), VK_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(rp_direct_begin(direct, commands.handle, params, diags, &recorder),
                          RP_OK);
    return recorder;
}

#endif
