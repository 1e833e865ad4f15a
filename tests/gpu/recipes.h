/* The recipes of docs/embedding.md: the page shows parts of these files, word by word, which a test of
 * the documentation compares. Each runs on an application's own device, with the validation layer and
 * its synchronisation checks listening, and its results are looked at.
 *
 * The plans: t[i] = x[i] * w[i], y[i] = t[i] + add, in u32; that of `later_plan` multiplies by 3 in
 * between, and that of `adapted_plan` may make t[i] = 5 * x[i] * w[i]. */
#ifndef RP_TESTS_RECIPES_H
#define RP_TESTS_RECIPES_H

#include "../../examples/embed/vulkan_setup.h"

#include <stdio.h>
#include <string.h>
#include "reprise/compiler.h"
#include "reprise/runtime.h"
#include "reprise/weights.h"
#include "support/unit.h"

enum { COUNT = 256, BYTES = COUNT * sizeof(uint32_t), SLOTS = 3 };

extern vulkan vk;
extern rp_diags *diags;
extern rp_device *device;
extern rp_plan *plan, *later_plan, *adapted_plan;
extern VkCommandPool pool;
extern bool shares_fd, shares_dma_buf; /* the device can, and has it enabled */

void check(rp_status status);
rp_exec *create(const rp_exec_params *params);
rp_storage *create_storage(uint64_t bytes);
/* x[i] = i + first in one slot, and w[i] = 2. */
void write_inputs(rp_exec *exec, uint32_t slot, uint32_t first);
void replay_once(rp_exec *exec);
/* y[i] = factor * (i + first) + add. */
void expect_values(const uint32_t *y, uint32_t factor, uint32_t first, uint32_t add);
void expect_results(rp_exec *exec, uint32_t slot, uint32_t factor, uint32_t first, uint32_t add);

void test_weights_once(void);
void test_arena(void);
void test_host_visible(void);
void test_allocator(void);
void test_shared(void);
void test_uploads(void);
void test_bytes_of_an_exec(void);
void test_frames(void);
void test_slots(void);
void test_bytes_in_a_submission(void);
void test_timeline(void);
void test_chain(void);
void test_record(void);
void test_pieces(void);
void test_cancel(void);
void test_live(void);
void test_switches(void);
void test_bind(void);
void test_update(void);
void test_prepare(void);
void test_counters(void);

#endif
