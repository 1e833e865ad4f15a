/* Counters: what the runtime did, by exec and by device, always on. Counting is an addition, and
 * reading takes no lock that a submission would wait for.
 *
 * What is said of nodes and barriers is what was recorded into the command buffers that were
 * submitted: barriers are all of them, toward the replay before and the host as well, which a plan's
 * own number (rp_plan_info.barriers) leaves out, around the uploads and downloads of a submission,
 * and between execs of one rp_device_submit. Those of transfers beside submissions, which the host
 * waits for, and of rp_exec_params.markers are not counted. A device counts what its execs do and
 * have done, and the bytes of its own transfers.
 */
#ifndef REPRISE_COUNTERS_H
#define REPRISE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "reprise/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Field, and key in JSON; what it counts. Sizes are bytes. A barrier that orders several kinds of
 * hazard counts under the first of RAW, WAW and WAR; `forced` ones order a fence, a node without
 * declared uses, or everything (-O0). */
#define RP_COUNTER_LIST(X)                                                                         \
    X(replays, "replays submitted")                                                                \
    X(submissions, "calls of vkQueueSubmit2 with replays or copies")                               \
    X(waits, "waits of the host for the GPU")                                                      \
    X(dispatches, "dispatches")                                                                    \
    X(transfers, "copies, fills and updates of plans")                                             \
    X(barriers, "barriers")                                                                        \
    X(barriers_raw, "of them for a read after a write")                                            \
    X(barriers_war, "for a write after a read")                                                    \
    X(barriers_waw, "for a write after a write")                                                   \
    X(barriers_forced, "forced")                                                                   \
    X(bytes_up, "bytes copied from the host")                                                      \
    X(bytes_down, "bytes copied to the host")                                                      \
    X(recordings, "recordings of a slot")                                                          \
    X(record_ns, "nanoseconds in recording and in descriptor sets")                                \
    X(descriptor_sets, "descriptor sets written")                                                  \
    X(pipelines, "pipelines that an exec uses; of a device: that it created")                      \
    X(pipelines_created, "of them created for it, and not found in the device")                    \
    X(pipelines_cached, "of the created ones found in a pipeline cache")                           \
    X(pipeline_ns, "nanoseconds in waiting for pipelines")                                         \
    X(memory_bytes, "device memory that is allocated")                                             \
    X(memory_peak_bytes, "the most that was")                                                      \
    X(replays_tagged, "replays whose readers of tagged buffers waited for elements, not barriers") \
    X(stalls, "times that an exec found that some gave up waiting")

typedef struct rp_counters {
    size_t size; /* sizeof(rp_counters) of the caller */
#define RP_X(field, what) uint64_t field;
    RP_COUNTER_LIST(RP_X)
#undef RP_X
} rp_counters;

#ifdef __cplusplus
}
#endif

#endif
