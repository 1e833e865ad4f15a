/* The runtime: instantiates plans on Vulkan devices and replays them. All of its headers:
 *
 *   reprise/device.h     the Vulkan device, created here or the application's own
 *   reprise/memory.h     an application's own allocator of device memory, such as VMA
 *   reprise/storage.h    device memory that execs and the application share
 *   reprise/exec.h       a plan on a device, and its replays
 *   reprise/pipelines.h  kernels compiled for a device, ahead of execs
 *   reprise/counters.h   what execs and devices count
 *   reprise/profile.h    where the GPU's time goes in replays
 *   reprise/encoder.h    dispatches and transfers encoded at once, without a plan
 */
#ifndef REPRISE_RUNTIME_H
#define REPRISE_RUNTIME_H

#include "reprise/counters.h"
#include "reprise/device.h"
#include "reprise/encoder.h"
#include "reprise/exec.h"
#include "reprise/memory.h"
#include "reprise/pipelines.h"
#include "reprise/profile.h"
#include "reprise/storage.h"

#endif
