/* What a plan needs of a device beyond Vulkan 1.2 with synchronization2 and timeline semaphores.
 *
 * The bits of a plan are rp_plan_needs() of reprise/plan.h. They are found in the SPIR-V of the
 * plan's kernels, in its capabilities and execution modes, and stand in the plan file: their
 * numbers are part of its format. An application with a VkDevice of its own asks for them before it
 * creates the device, and enables them with rp_needs_enable and rp_needs_extensions of
 * reprise/device.h. Subgroup operations and float controls are properties that a device has or has
 * not; the others are features that must be enabled.
 */
#ifndef REPRISE_NEEDS_H
#define REPRISE_NEEDS_H

#include "reprise/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Symbol, bit, what it is called in messages with the name of Vulkan's feature or property. */
#define RP_PLAN_NEED_LIST(X)                                                                       \
    X(RP_NEED_FLOAT16, 0, "16-bit floats in shaders (shaderFloat16)")                              \
    X(RP_NEED_INT8, 1, "8-bit integers in shaders (shaderInt8)")                                   \
    X(RP_NEED_INT16, 2, "16-bit integers in shaders (shaderInt16)")                                \
    X(RP_NEED_INT64, 3, "64-bit integers in shaders (shaderInt64)")                                \
    X(RP_NEED_FLOAT64, 4, "64-bit floats in shaders (shaderFloat64)")                              \
    X(RP_NEED_STORAGE16, 5, "16-bit storage buffers (storageBuffer16BitAccess)")                   \
    X(RP_NEED_STORAGE8, 6, "8-bit storage buffers (storageBuffer8BitAccess)")                      \
    X(RP_NEED_SUBGROUP_BASIC, 7, "basic subgroup operations in compute")                           \
    X(RP_NEED_SUBGROUP_VOTE, 8, "subgroup vote in compute")                                        \
    X(RP_NEED_SUBGROUP_ARITHMETIC, 9, "subgroup arithmetic in compute")                            \
    X(RP_NEED_SUBGROUP_BALLOT, 10, "subgroup ballot in compute")                                   \
    X(RP_NEED_SUBGROUP_SHUFFLE, 11, "subgroup shuffle in compute")                                 \
    X(RP_NEED_SUBGROUP_CLUSTERED, 12, "subgroup clustered operations in compute")                  \
    X(RP_NEED_MEMORY_MODEL, 13, "the Vulkan memory model (vulkanMemoryModel)")                     \
    X(RP_NEED_INT64_ATOMICS, 14, "64-bit buffer atomics (shaderBufferInt64Atomics)")               \
    X(RP_NEED_SCALAR_LAYOUT, 15, "scalar block layout (scalarBlockLayout)")                        \
    X(RP_NEED_UNIFORM_STD430, 16, "std430 uniform buffers (uniformBufferStandardLayout)")          \
    X(RP_NEED_DEVICE_ADDRESS, 17, "buffer device addresses (bufferDeviceAddress)")                 \
    X(RP_NEED_UNIFORM16, 18, "16-bit uniform buffers (uniformAndStorageBuffer16BitAccess)")        \
    X(RP_NEED_UNIFORM8, 19, "8-bit uniform buffers (uniformAndStorageBuffer8BitAccess)")           \
    X(RP_NEED_SUBGROUP_SHUFFLE_RELATIVE, 20, "relative subgroup shuffle in compute")               \
    X(RP_NEED_SUBGROUP_QUAD, 21, "subgroup quad operations in compute")                            \
    X(RP_NEED_INT_DOT, 22, "integer dot products (shaderIntegerDotProduct)")                       \
    X(RP_NEED_EXACT16, 23,                                                                         \
      "signed zero, inf and NaN in 16-bit floats "                                                 \
      "(shaderSignedZeroInfNanPreserveFloat16)")                                                   \
    X(RP_NEED_EXACT32, 24,                                                                         \
      "signed zero, inf and NaN in 32-bit floats "                                                 \
      "(shaderSignedZeroInfNanPreserveFloat32)")                                                   \
    X(RP_NEED_EXACT64, 25,                                                                         \
      "signed zero, inf and NaN in 64-bit floats "                                                 \
      "(shaderSignedZeroInfNanPreserveFloat64)")                                                   \
    X(RP_NEED_DENORM16, 26, "denormals of 16-bit floats (shaderDenormPreserveFloat16)")            \
    X(RP_NEED_DENORM32, 27, "denormals of 32-bit floats (shaderDenormPreserveFloat32)")            \
    X(RP_NEED_DENORM64, 28, "denormals of 64-bit floats (shaderDenormPreserveFloat64)")            \
    X(RP_NEED_FLUSH16, 29, "16-bit denormals flushed (shaderDenormFlushToZeroFloat16)")            \
    X(RP_NEED_FLUSH32, 30, "32-bit denormals flushed (shaderDenormFlushToZeroFloat32)")            \
    X(RP_NEED_FLUSH64, 31, "64-bit denormals flushed (shaderDenormFlushToZeroFloat64)")            \
    X(RP_NEED_EVEN16, 32, "16-bit rounding to even (shaderRoundingModeRTEFloat16)")                \
    X(RP_NEED_EVEN32, 33, "32-bit rounding to even (shaderRoundingModeRTEFloat32)")                \
    X(RP_NEED_EVEN64, 34, "64-bit rounding to even (shaderRoundingModeRTEFloat64)")                \
    X(RP_NEED_TOWARD_ZERO16, 35, "16-bit rounding toward zero (shaderRoundingModeRTZFloat16)")     \
    X(RP_NEED_TOWARD_ZERO32, 36, "32-bit rounding toward zero (shaderRoundingModeRTZFloat32)")     \
    X(RP_NEED_TOWARD_ZERO64, 37, "64-bit rounding toward zero (shaderRoundingModeRTZFloat64)")     \
    X(RP_NEED_SUBGROUP_TYPES, 38,                                                                  \
      "subgroup operations on 16-bit floats and 8-, 16- and 64-bit integers "                      \
      "(shaderSubgroupExtendedTypes)")                                                             \
    X(RP_NEED_COOPERATIVE_MATRIX, 39, "cooperative matrices (cooperativeMatrix)")                  \
    X(RP_NEED_SUBGROUP_SIZE, 40, "subgroups of a size that kernels ask for (subgroupSizeControl)")

/* Wider than int, which C before C23 does not have. */
__extension__ typedef enum rp_plan_need {
#define RP_X(symbol, bit, name) symbol = UINT64_C(1) << bit,
    RP_PLAN_NEED_LIST(RP_X)
#undef RP_X
} rp_plan_need;

/* The text of RP_PLAN_NEED_LIST for one bit; NULL for anything else. */
RP_API const char *rp_plan_need_name(uint64_t need);

#ifdef __cplusplus
}
#endif

#endif
