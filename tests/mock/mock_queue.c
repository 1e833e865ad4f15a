/* The fake driver's queue: semaphores, and what was submitted.
 *
 * Transfers run when they are submitted. When a batch is done is kept apart: batches are done in the
 * order in which they were submitted, each behind what it waits for, and none while mock.stall holds
 * them back, except when somebody waits without end. */
#include "mock_objects.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static mock_batch *batches; /* all since mock_reset: the batch of number n is the (n - 1)-th */
static uint32_t batch_count, batch_capacity;
static uint64_t done; /* the number of the last batch that is done */

static void *need(void *block) {
    if (!block) abort();
    return block;
}

void mock_queue_reset(void) {
    for (uint32_t i = 0; i < batch_count; i++) {
        free(batches[i].waits);
        free(batches[i].signals);
        free(batches[i].commands);
    }
    free(batches);
    batches = NULL;
    batch_count = batch_capacity = 0;
    done = 0;
    mock_skip_barrier = mock_barriers = 0;
    mock_race_forget(NULL);
}

const mock_batch *mock_log(uint32_t *count) {
    *count = batch_count;
    return batches;
}

/* Of each queue, written without a lock: it is for its user to have one. */
static uint32_t used[8];

static bool lost(void) { /* nothing is in flight on such a device */
    return mock.lost || mock.fail_with == VK_ERROR_DEVICE_LOST;
}

bool mock_in_flight(mock_use use) {
    return !mock.quiet && use > done && !lost();
}

/* ---- When batches are done ------------------------------------------------------------------- */

static uint64_t value_of(const mock_semaphore *semaphore) {
    return __atomic_load_n(&semaphore->value, __ATOMIC_RELAXED);
}

static void set_value(mock_semaphore *semaphore, uint64_t value) {
    __atomic_store_n(&semaphore->value, value, __ATOMIC_RELAXED);
}

static bool may_run(const mock_batch *batch) {
    for (uint32_t i = 0; i < batch->wait_count; i++) {
        const mock_semaphore *semaphore = batch->waits[i].semaphore;
        if (value_of(semaphore) < (semaphore->binary ? 1 : batch->waits[i].value)) return false;
    }
    return true;
}

static void finish(const mock_batch *batch) {
    for (uint32_t i = 0; i < batch->wait_count; i++) {
        mock_semaphore *semaphore = (mock_semaphore *)batch->waits[i].semaphore;
        if (semaphore->binary) set_value(semaphore, 0);
    }
    for (uint32_t i = 0; i < batch->signal_count; i++) {
        mock_semaphore *semaphore = (mock_semaphore *)batch->signals[i].semaphore;
        set_value(semaphore, semaphore->binary ? 1 : batch->signals[i].value);
    }
    done++;
}

void mock_finish(void) {
    while (!mock.lost && done < batch_count && may_run(&batches[done])) finish(&batches[done]);
}

void mock_signal(const void *handle, uint64_t value) {
    mock_semaphore *semaphore = (mock_semaphore *)handle;
    if (value <= value_of(semaphore)) mock_wrong("a timeline goes backwards");
    if (value > semaphore->pending) semaphore->pending = value;
    set_value(semaphore, value);
    if (!mock.stall) mock_finish();
}

/* ---- Semaphores ------------------------------------------------------------------------------ */

VkResult VKAPI_CALL mock_CreateSemaphore(VkDevice device, const VkSemaphoreCreateInfo *info,
                                         const VkAllocationCallbacks *a, VkSemaphore *out) {
    (void)device, (void)a;
    if (mock_fails("vkCreateSemaphore")) return mock.fail_with;
    const VkSemaphoreTypeCreateInfo *type = info->pNext;
    mock_semaphore *semaphore = mock_new(MOCK_SEMAPHORE, sizeof *semaphore);
    semaphore->number = mock_count(&mock_numbers.semaphores);
    semaphore->binary = !type || type->semaphoreType == VK_SEMAPHORE_TYPE_BINARY;
    *out = (VkSemaphore)semaphore;
    return VK_SUCCESS;
}

static bool names(const mock_semaphore_use *uses, uint32_t count, const void *semaphore) {
    for (uint32_t i = 0; i < count; i++)
        if (uses[i].semaphore == semaphore) return true;
    return false;
}

void VKAPI_CALL mock_DestroySemaphore(VkDevice device, VkSemaphore handle,
                                      const VkAllocationCallbacks *a) {
    (void)device, (void)a;
    for (uint64_t i = done; handle && !mock.quiet && !lost() && i < batch_count; i++)
        if (names(batches[i].waits, batches[i].wait_count, (const void *)handle) ||
            names(batches[i].signals, batches[i].signal_count, (const void *)handle))
            mock_wrong("a semaphore is destroyed while a submission uses it");
    mock_delete((void *)handle, MOCK_SEMAPHORE);
}

/* The host has seen that value. */
static void seen(const mock_semaphore *semaphore, uint64_t value) {
    for (uint32_t i = batch_count; i-- > 0 && mock.races;)
        for (uint32_t j = 0; j < batches[i].signal_count; j++) {
            const mock_semaphore_use *signal = &batches[i].signals[j];
            if (signal->semaphore != semaphore || signal->value > value) continue;
            mock_race_done(i + 1, batches[i].queue);
            return;
        }
}

VkResult VKAPI_CALL mock_GetSemaphoreCounterValue(VkDevice device, VkSemaphore handle,
                                                  uint64_t *out) {
    (void)device;
    if (mock_fails("vkGetSemaphoreCounterValue")) return mock.fail_with;
    if (mock.lost) return VK_ERROR_DEVICE_LOST;
    *out = value_of((mock_semaphore *)handle);
    seen((mock_semaphore *)handle, *out);
    return VK_SUCCESS;
}

VkResult VKAPI_CALL mock_WaitSemaphores(VkDevice device, const VkSemaphoreWaitInfo *info,
                                        uint64_t timeout) {
    (void)device;
    if (mock_fails("vkWaitSemaphores")) return mock.fail_with;
    if (mock.quiet) sched_yield(); /* a wait takes time */
    const struct timespec pause = {.tv_nsec = 1000000L * mock.wait_ms};
    if (mock.wait_ms) nanosleep(&pause, NULL);
    mock_count(&mock.waits);
    mock_semaphore *semaphore = (mock_semaphore *)info->pSemaphores[0];
    if (value_of(semaphore) >= info->pValues[0]) {
        seen(semaphore, info->pValues[0]);
        return VK_SUCCESS;
    }
    if (mock.lost) return VK_ERROR_DEVICE_LOST;
    if (timeout != UINT64_MAX) return VK_TIMEOUT;
    while (mock.quiet && value_of(semaphore) < info->pValues[0]) sched_yield();
    if (mock.quiet) return VK_SUCCESS;
    while (done < batch_count && value_of(semaphore) < info->pValues[0]) {
        if (!may_run(&batches[done])) break;
        finish(&batches[done]);
    }
    if (value_of(semaphore) < info->pValues[0])
        mock_wrong("a wait for a value that nothing signals never ends");
    seen(semaphore, info->pValues[0]);
    return VK_SUCCESS;
}

/* ---- Submitting ------------------------------------------------------------------------------ */

static mock_semaphore_use *copy_uses(const VkSemaphoreSubmitInfo *infos, uint32_t count) {
    mock_semaphore_use *uses = need(malloc((count + 1) * sizeof *uses));
    for (uint32_t i = 0; i < count; i++)
        uses[i] = (mock_semaphore_use){(const void *)infos[i].semaphore,
                                       ((const mock_semaphore *)infos[i].semaphore)->number,
                                       infos[i].value, infos[i].stageMask};
    return uses;
}

static const mock_batch *add_batch(const VkSubmitInfo2 *submit) {
    if (batch_count == batch_capacity) {
        batch_capacity = batch_capacity * 2 + 16;
        batches = need(realloc(batches, batch_capacity * sizeof *batches));
    }
    mock_batch *batch = &batches[batch_count++];
    *batch = (mock_batch){
        .call = mock.submits,
        .queue = mock.queue,
        .waits = copy_uses(submit->pWaitSemaphoreInfos, submit->waitSemaphoreInfoCount),
        .wait_count = submit->waitSemaphoreInfoCount,
        .signals = copy_uses(submit->pSignalSemaphoreInfos, submit->signalSemaphoreInfoCount),
        .signal_count = submit->signalSemaphoreInfoCount,
        .commands = need(malloc((submit->commandBufferInfoCount + 1) * sizeof *batch->commands)),
        .command_count = submit->commandBufferInfoCount,
    };
    for (uint32_t i = 0; i < batch->command_count; i++)
        batch->commands[i] = submit->pCommandBufferInfos[i].commandBuffer;
    return batch;
}

/* What a wait in the latest batch orders: the batches up to the one that signals the value, of a
 * timeline the first that comes to it, of a binary semaphore the last. */
static void order(const mock_semaphore_use *wait) {
    const mock_semaphore *semaphore = wait->semaphore;
    const mock_semaphore_use *found = NULL;
    uint32_t number = 0;
    for (uint32_t i = 0; i + 1 < batch_count && (semaphore->binary || !found); i++)
        for (uint32_t j = 0; j < batches[i].signal_count; j++) {
            const mock_semaphore_use *signal = &batches[i].signals[j];
            if (signal->number != wait->number) continue;
            if (!semaphore->binary && signal->value < wait->value) continue;
            found = signal;
            number = i + 1;
        }
    if (!found) return;
    const mock_race_signal signal = {number, found->stages, batches[number - 1].queue};
    mock_race_wait(&signal, wait->stages, batches[batch_count - 1].queue);
}

static void check_signal(const mock_semaphore_use *signal) {
    mock_semaphore *semaphore = (mock_semaphore *)signal->semaphore;
    if (semaphore->binary ? semaphore->pending == 1 : signal->value <= semaphore->pending)
        mock_wrong(semaphore->binary ? "a binary semaphore is signalled twice"
                                     : "a timeline goes backwards");
    semaphore->pending = semaphore->binary ? 1 : signal->value;
}

static void check_wait(const mock_semaphore_use *wait) {
    mock_semaphore *semaphore = (mock_semaphore *)wait->semaphore;
    if (!semaphore->binary) return;
    if (!semaphore->pending) mock_wrong("a binary semaphore is waited for that nothing signals");
    semaphore->pending = 0;
}

static void submit_at_once(VkQueue queue, uint32_t count, const VkSubmitInfo2 *submits) {
    for (uint32_t i = 0; i < mock.family_count && i < sizeof used / sizeof *used; i++)
        if (queue == mock_queue(i)) used[i]++;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < submits[i].commandBufferInfoCount; j++)
            mock_execute(submits[i].pCommandBufferInfos[j].commandBuffer, queue, 0);
        for (uint32_t j = 0; j < submits[i].signalSemaphoreInfoCount; j++) {
            const VkSemaphoreSubmitInfo *info = &submits[i].pSignalSemaphoreInfos[j];
            mock_semaphore *semaphore = (mock_semaphore *)info->semaphore;
            set_value(semaphore, semaphore->binary ? 1 : info->value);
        }
    }
}

VkResult VKAPI_CALL mock_QueueSubmit2(VkQueue queue, uint32_t count, const VkSubmitInfo2 *submits,
                                      VkFence fence) {
    (void)fence;
    if (mock_fails("vkQueueSubmit2")) return mock.fail_with;
    if (mock.lost) return VK_ERROR_DEVICE_LOST;
    if (mock.quiet) {
        submit_at_once(queue, count, submits);
        return VK_SUCCESS;
    }
    mock.queue = queue;
    mock.submits++;
    mock.batches += count;
    mock.submitted_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const mock_batch *batch = add_batch(&submits[i]);
        for (uint32_t j = 0; j < batch->wait_count; j++) {
            check_wait(&batch->waits[j]);
            if (mock.races) order(&batch->waits[j]);
        }
        for (uint32_t j = 0; j < batch->command_count; j++) {
            if (mock.submitted_count < sizeof mock.submitted / sizeof *mock.submitted)
                mock.submitted[mock.submitted_count++] = batch->commands[j];
            mock_execute((VkCommandBuffer)batch->commands[j], queue, batch_count);
        }
        for (uint32_t j = 0; j < batch->signal_count; j++) check_signal(&batch->signals[j]);
    }
    if (!mock.stall) mock_finish();
    return VK_SUCCESS;
}

VkResult VKAPI_CALL mock_QueueWaitIdle(VkQueue queue) {
    (void)queue;
    if (mock_fails("vkQueueWaitIdle")) return mock.fail_with;
    mock_count(&mock.idle_waits);
    mock_finish();
    return VK_SUCCESS;
}

/* ---- Of a lost device ------------------------------------------------------------------------ */

void VKAPI_CALL mock_GetQueueCheckpointData2NV(VkQueue queue, uint32_t *count,
                                               VkCheckpointData2NV *out) {
    const VkPipelineStageFlags2 stages[] = {VK_PIPELINE_STAGE_2_TOP_OF_PIPE_BIT,
                                            VK_PIPELINE_STAGE_2_BOTTOM_OF_PIPE_BIT};
    uint32_t have = 0;
    if (!mock.lost || queue != mock_queue(mock.queue_family))
        mock_wrong("checkpoints are asked for without need, or of another queue");
    for (uint32_t i = 0; i < 2 && have < *count; i++) {
        if (!mock.checkpoints[i]) continue;
        out[have].stage = stages[i];
        out[have++].pCheckpointMarker = (void *)mock.checkpoints[i];
    }
    *count = have;
}

VkResult VKAPI_CALL mock_GetPhysicalDeviceCalibrateableTimeDomainsEXT(VkPhysicalDevice device,
                                                                      uint32_t *count,
                                                                      VkTimeDomainEXT *out) {
    (void)device;
    if (mock_fails("vkGetPhysicalDeviceCalibrateableTimeDomainsEXT")) return mock.fail_with;
    const VkTimeDomainEXT domains[] = {VK_TIME_DOMAIN_DEVICE_EXT,
                                       VK_TIME_DOMAIN_CLOCK_MONOTONIC_EXT};
    uint32_t room = *count;
    *count = room < 2 ? room : 2;
    for (uint32_t i = 0; i < *count; i++) out[i] = domains[i];
    return room < 2 ? VK_INCOMPLETE : VK_SUCCESS;
}

VkResult VKAPI_CALL mock_GetCalibratedTimestampsEXT(VkDevice device, uint32_t count,
                                                    const VkCalibratedTimestampInfoEXT *infos,
                                                    uint64_t *out, uint64_t *deviation) {
    (void)device;
    if (mock_fails("vkGetCalibratedTimestampsEXT")) return mock.fail_with;
    for (uint32_t i = 0; i < count; i++)
        out[i] = infos[i].timeDomain == VK_TIME_DOMAIN_DEVICE_EXT ? 1000 : 5000000;
    *deviation = 40;
    return VK_SUCCESS;
}

VkResult VKAPI_CALL mock_GetDeviceFaultInfoEXT(VkDevice device, VkDeviceFaultCountsEXT *counts,
                                               VkDeviceFaultInfoEXT *out) {
    (void)device;
    if (mock_fails("vkGetDeviceFaultInfoEXT")) return mock.fail_with;
    const VkDeviceFaultAddressInfoEXT address = {VK_DEVICE_FAULT_ADDRESS_TYPE_WRITE_INVALID_EXT,
                                                 0xdead000, 4096};
    if (!out) {
        *counts = (VkDeviceFaultCountsEXT){counts->sType, NULL, 6, 1, 100};
        return VK_SUCCESS;
    }
    if (counts->vendorBinarySize) mock_wrong("more is asked for than there is room");
    strcpy(out->description, "page fault");
    for (uint32_t i = 0; i < counts->addressInfoCount; i++) out->pAddressInfos[i] = address;
    if (counts->vendorInfoCount)
        *out->pVendorInfos = (VkDeviceFaultVendorInfoEXT){"MMU", 0x17, 0x2a};
    return counts->addressInfoCount < 6 ? VK_INCOMPLETE : VK_SUCCESS;
}
