#include "recorded.h"

#include <stdlib.h>

#include "memory/storage.h"
#include "support/own_commands.h"

static void check(recorded *r, rp_status status) {
    if (status != RP_OK) gpu_report(r->diags);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
}

void recorded_open(recorded *r) {
    *r = (recorded){.device = gpu_open(1), .diags = rp_diags_create(NULL)};
    check(r, rp_program_create(NULL, "recorded", &r->program));
}

void recorded_close(recorded *r) {
    rp_program_destroy(r->program);
    for (uint32_t i = 0; i < r->count; i++) {
        free(r->buffers[i].before);
        free(r->buffers[i].after);
    }
    rp_diags_clear(r->diags);
    CU_ASSERT_EQUAL(rp_device_messages(r->device, r->diags), 0);
    gpu_report(r->diags);
    rp_diags_destroy(r->diags);
    CU_ASSERT_EQUAL(rp_device_destroy(r->device, NULL), RP_OK);
}

static rp_buffer add(recorded *r, const rp_buffer_params *params, uint64_t size) {
    rp_buffer made;
    CU_ASSERT_FATAL(r->count < RECORDED_BUFFERS);
    check(r, rp_program_buffer(r->program, params, r->diags, &made));
    r->buffers[r->count].name = params->name;
    r->buffers[r->count].handle = made;
    r->buffers[r->count].kind = params->kind;
    r->buffers[r->count].shape = params->image;
    r->buffers[r->count].size = size;
    r->buffers[r->count].before = calloc(size, 1);
    r->buffers[r->count++].after = calloc(size, 1);
    return made;
}

rp_buffer recorded_buffer(recorded *r, const char *name, rp_buffer_kind kind, uint64_t bytes) {
    const rp_buffer_params params = {
        .size = sizeof params, .name = name, .kind = kind, .bytes = bytes};
    return add(r, &params, bytes);
}

rp_buffer recorded_image(recorded *r, const char *name, rp_buffer_kind kind, rp_image_shape shape) {
    const rp_buffer_params params = {
        .size = sizeof params, .name = name, .kind = kind, .image = shape};
    return add(r, &params, rp_image_bytes(&shape));
}

rp_kernel recorded_kernel(recorded *r, const char *name, const char *glsl) {
    const rp_kernel_params params = {.size = sizeof params, .name = name, .glsl = glsl};
    rp_kernel made;
    check(r, rp_program_kernel(r->program, &params, r->diags, &made));
    return made;
}

rp_sampler recorded_sampler(recorded *r, const char *name, rp_filter filter) {
    rp_sampler_info info = rp_sampler_default;
    info.mag = info.min = info.mip = (uint8_t)filter;
    const rp_sampler_params params = {.size = sizeof params, .name = name, .info = &info};
    rp_sampler made;
    check(r, rp_program_sampler(r->program, &params, r->diags, &made));
    return made;
}

static uint32_t index_of(const recorded *r, rp_buffer buffer) {
    uint32_t i = 0;
    while (i < r->count && r->buffers[i].handle.id != buffer.id) i++;
    CU_ASSERT_FATAL(i < r->count);
    return i;
}

void *recorded_before(recorded *r, rp_buffer buffer) {
    return r->buffers[index_of(r, buffer)].before;
}

void *recorded_after(recorded *r, rp_buffer buffer) {
    return r->buffers[index_of(r, buffer)].after;
}

/* ---- As a graph ------------------------------------------------------------------------------ */

static bool is_read(const recorded *r, uint32_t i) {
    return r->buffers[i].kind == RP_OUT || r->buffers[i].kind == RP_INOUT;
}

static void run_graph(recorded *r, int level, recorded_calls *calls, void *user) {
    rp_recorder *recorder;
    rp_graph *graph = NULL;
    check(r, rp_recorder_create(r->program, &recorder));
    calls(recorder, user);
    check(r, rp_program_graph(r->program, &recorder, 1, r->diags, &graph));
    rp_plan *plan = gpu_compile(graph, level);
    rp_exec *exec = gpu_exec(r->device, plan, NULL);
    for (int replay = 0; replay < 2; replay++) {
        for (uint32_t i = 0; i < r->count; i++)
            if (r->buffers[i].kind != RP_TMP && r->buffers[i].kind != RP_OUT)
                check(r, rp_exec_write(exec, 0, r->buffers[i].name, 0, r->buffers[i].before,
                                       r->buffers[i].size, r->diags));
        check(r, rp_exec_submit(exec, NULL, r->diags, NULL));
        check(r, rp_exec_wait(exec, 0, UINT64_MAX, r->diags));
    }
    for (uint32_t i = 0; i < r->count; i++)
        if (is_read(r, i))
            check(r, rp_exec_read(exec, 0, r->buffers[i].name, 0, r->buffers[i].after,
                                  r->buffers[i].size, r->diags));
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    rp_graph_destroy(graph);
    rp_recorder_destroy(recorder);
}

/* ---- At once --------------------------------------------------------------------------------- */

void recorded_submit(recorded *r, void *commands) {
    const VkCommandBufferSubmitInfo buffer = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                              .commandBuffer = commands};
    const VkSubmitInfo2 submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                  .commandBufferInfoCount = 1,
                                  .pCommandBufferInfos = &buffer};
    CU_ASSERT_EQUAL_FATAL(rp_queue_submit(r->device, 1, &submit), VK_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(r->device->vk.QueueWaitIdle(r->device->queue), VK_SUCCESS);
}

static void run_direct(recorded *r, recorded_calls *calls, void *user) {
    rp_storage *storages[RECORDED_BUFFERS] = {0};
    rp_direct *direct = NULL;
    own_commands commands;
    CU_ASSERT_EQUAL_FATAL(own_commands_create(r->device, &commands), VK_SUCCESS);
    check(r, rp_direct_create(r->program, r->device, NULL, r->diags, &direct));
    for (uint32_t i = 0; i < r->count; i++) {
        const rp_storage_params params = {
            .size = sizeof params,
            .bytes = r->buffers[i].size,
            .name = r->buffers[i].name,
            .usage = r->buffers[i].shape.format ? 0
                                                : VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT |
                                                      VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT,
            .image = r->buffers[i].shape};
        if (r->buffers[i].kind == RP_TMP) continue;
        check(r, rp_storage_create(r->device, &params, r->diags, &storages[i]));
        check(r, rp_direct_bind(direct, r->buffers[i].handle, storages[i], 0, r->diags));
    }
    for (int round = 0; round < 2; round++) {
        rp_encoder_report report = {.size = sizeof report};
        rp_recorder *recorder;
        for (uint32_t i = 0; i < r->count; i++)
            if (storages[i])
                check(r, rp_storage_write(storages[i], 0, r->buffers[i].before, r->buffers[i].size,
                                          r->diags));
        CU_ASSERT_EQUAL_FATAL(own_commands_begin(r->device, &commands), VK_SUCCESS);
        check(r, rp_direct_begin(direct, commands.handle, NULL, r->diags, &recorder));
        calls(recorder, user);
        check(r, rp_direct_end(direct, &report));
        CU_ASSERT_EQUAL_FATAL(own_commands_end(r->device, &commands), VK_SUCCESS);
        CU_ASSERT_EQUAL(round == 0 || report.sets_written == 0, true); /* they are there */
        recorded_submit(r, commands.handle);
        rp_direct_done(direct, report.number);
    }
    for (uint32_t i = 0; i < r->count; i++)
        if (is_read(r, i))
            check(r, rp_storage_read(storages[i], 0, r->buffers[i].after, r->buffers[i].size,
                                     r->diags));
    for (uint32_t i = 0; i < r->count; i++) rp_storage_release(storages[i]);
    rp_direct_destroy(direct);
    own_commands_destroy(r->device, &commands);
}

void recorded_run(recorded *r, uint32_t way, recorded_calls *calls, void *user) {
    for (uint32_t i = 0; i < r->count; i++) memset(r->buffers[i].after, 0, r->buffers[i].size);
    if (way < 2)
        run_graph(r, (int)way, calls, user);
    else
        run_direct(r, calls, user);
}
