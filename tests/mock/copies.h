/* Plans, frames and their submissions, for the tests of copies that submissions bring along. */
#ifndef RP_MOCK_COPIES_H
#define RP_MOCK_COPIES_H

#include "opened.h"

/* y is what x was; the kernel is there for its scopes. */
static const char text[] = "reprise 1\n"
                           "graph io scheduled placed synced arena 0 {\n"
                           "  buf $x in 4096\n"
                           "  buf $w weight 256\n"
                           "  buf $y out 4096\n"
                           "  buf $z out 256\n"
                           "  kern @k spirv - local 64 1 1 (r, w)\n"
                           "  barrier transfer:r,transfer:w,compute:r,compute:w -> "
                           "transfer:w,compute:w\n"
                           "  group 0\n"
                           "    n0 = copy (r $x, w $y)\n"
                           "    n1 = run @k grid 1 1 1 (r $w, w $z)\n"
                           "}\n";

/* The same with state that is carried on. */
static const char state_text[] = "reprise 1\n"
                                 "graph io scheduled placed synced arena 0 {\n"
                                 "  buf $x in 4096\n"
                                 "  buf $s inout 4096\n"
                                 "  kern @k spirv - local 64 1 1 (r)\n"
                                 "  barrier transfer:w,compute:r -> transfer:rw\n"
                                 "  group 0\n"
                                 "    n0 = copy (r $x, w $s)\n"
                                 "  barrier transfer:w -> compute:r\n"
                                 "  group 1\n"
                                 "    n1 = run @k grid 1 1 1 (r $s)\n"
                                 "}\n";

enum { FRAMES = 6, BYTES = 4096 };
static unsigned char sent[FRAMES][BYTES], got[FRAMES][BYTES];

static inline void fill_sent(void) {
    for (uint32_t f = 0; f < FRAMES; f++)
        for (uint32_t i = 0; i < BYTES; i++) sent[f][i] = (unsigned char)(f * 37 + i * 11 + 1);
    memset(got, 0, sizeof got);
}

/* Submits a frame with all of x up and all of `result` down. */
static inline rp_status submit(uint32_t slot, uint32_t frame, const char *result,
                               uint64_t *replay) {
    const rp_upload upload = {.buffer = "x", .size = BYTES, .data = sent[frame]};
    const rp_download download = {.buffer = result, .size = BYTES, .data = got[frame]};
    const rp_submit_params params = {.size = sizeof params,
                                     .slot = slot,
                                     .uploads = &upload,
                                     .upload_count = 1,
                                     .downloads = &download,
                                     .download_count = 1};
    return rp_exec_submit(exec, &params, diags, replay);
}

static inline void expect_frame(uint32_t frame) {
    CU_ASSERT_EQUAL(memcmp(sent[frame], got[frame], BYTES), 0);
}

static inline void open_slots(const char *plan_text, uint32_t slots) {
    rp_exec_params params = mock_params;
    params.slots = slots;
    open_text(plan_text, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    fill_sent();
}

#endif
