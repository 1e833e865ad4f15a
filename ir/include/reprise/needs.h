/* What a plan needs of a device beyond Vulkan 1.2 with synchronization2 and timeline semaphores.
 *
 * The bits of a plan are rp_plan_needs() of reprise/plan.h. They are found in the SPIR-V of the
 * plan's kernels, in its capabilities, execution modes and code, and stand in the plan file: their
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
    X(RP_NEED_SUBGROUP_SIZE, 40, "subgroups of a size that kernels ask for (subgroupSizeControl)") \
    X(RP_NEED_SHARED_INT64_ATOMICS, 41,                                                            \
      "64-bit atomics in shared memory (shaderSharedInt64Atomics)")                                \
    X(RP_NEED_FLOAT32_ATOMICS, 42, "32-bit float atomics in buffers (shaderBufferFloat32Atomics)") \
    X(RP_NEED_FLOAT32_ADD, 43,                                                                     \
      "atomic 32-bit float adds in buffers "                                                       \
      "(shaderBufferFloat32AtomicAdd)")                                                            \
    X(RP_NEED_SHARED_FLOAT32_ATOMICS, 44,                                                          \
      "32-bit float atomics in shared memory (shaderSharedFloat32Atomics)")                        \
    X(RP_NEED_SHARED_FLOAT32_ADD, 45,                                                              \
      "atomic 32-bit float adds in shared memory (shaderSharedFloat32AtomicAdd)")                  \
    X(RP_NEED_FLOAT64_ATOMICS, 46,                                                                 \
      "64-bit float atomics in buffers "                                                           \
      "(shaderBufferFloat64Atomics, shaderBufferFloat64AtomicAdd)")                                \
    X(RP_NEED_SHARED_FLOAT64_ATOMICS, 47,                                                          \
      "64-bit float atomics in shared memory "                                                     \
      "(shaderSharedFloat64Atomics, shaderSharedFloat64AtomicAdd)")                                \
    X(RP_NEED_FLOAT16_ATOMICS, 48,                                                                 \
      "16-bit float atomics "                                                                      \
      "(shaderBufferFloat16Atomics, shaderBufferFloat16AtomicMinMax, "                             \
      "shaderSharedFloat16Atomics, shaderSharedFloat16AtomicMinMax)")                              \
    X(RP_NEED_FLOAT16_ADD, 49,                                                                     \
      "atomic 16-bit float adds "                                                                  \
      "(shaderBufferFloat16AtomicAdd, shaderSharedFloat16AtomicAdd)")                              \
    X(RP_NEED_FLOAT32_MIN_MAX, 50,                                                                 \
      "atomic 32-bit float min and max "                                                           \
      "(shaderBufferFloat32AtomicMinMax, shaderSharedFloat32AtomicMinMax)")                        \
    X(RP_NEED_FLOAT64_MIN_MAX, 51,                                                                 \
      "atomic 64-bit float min and max "                                                           \
      "(shaderBufferFloat64AtomicMinMax, shaderSharedFloat64AtomicMinMax)")                        \
    X(RP_NEED_SUBGROUP_ROTATE, 52,                                                                 \
      "subgroup rotation in compute (shaderSubgroupRotate, shaderSubgroupRotateClustered)")        \
    X(RP_NEED_SUBGROUP_CLOCK, 53, "clocks of a subgroup (shaderSubgroupClock)")                    \
    X(RP_NEED_DEVICE_CLOCK, 54, "clocks of the device (shaderDeviceClock)")                        \
    X(RP_NEED_PUSH16, 55, "16-bit push constants (storagePushConstant16)")                         \
    X(RP_NEED_PUSH8, 56, "8-bit push constants (storagePushConstant8)")                            \
    X(RP_NEED_VARIABLE_POINTERS, 57,                                                               \
      "variable pointers (variablePointers, variablePointersStorageBuffer)")                       \
    X(RP_NEED_DEVICE_SCOPE, 58,                                                                    \
      "device scope in the Vulkan memory model (vulkanMemoryModelDeviceScope)")                    \
    X(RP_NEED_IMAGE_READ_UNFORMATTED, 59,                                                          \
      "storage images read without a format (shaderStorageImageReadWithoutFormat)")                \
    X(RP_NEED_IMAGE_WRITE_UNFORMATTED, 60,                                                         \
      "storage images written without a format (shaderStorageImageWriteWithoutFormat)")            \
    X(RP_NEED_IMAGE_FORMATS, 61,                                                                   \
      "more formats of storage images (shaderStorageImageExtendedFormats)")                        \
    X(RP_NEED_SPIRV_1_6, 62,                                                                       \
      "SPIR-V 1.6 (of Vulkan 1.3: --target-env vulkan1.2 compiles to SPIR-V 1.5)")                 \
    X(RP_NEED_IMAGE_EXTRAS, 63,                                                                    \
      "cube arrays, gathers at offsets, and arrays of bindings that code indexes "                 \
      "(imageCubeArray, shaderImageGatherExtended, and for sampled images, storage images and "    \
      "storage buffers shader...ArrayDynamicIndexing and shader...ArrayNonUniformIndexing, "       \
      "shaderUniformBufferArrayDynamicIndexing)")

/* Wider than int, which C before C23 does not have. */
__extension__ typedef enum rp_plan_need {
#define RP_X(symbol, bit, name) symbol = UINT64_C(1) << bit,
    RP_PLAN_NEED_LIST(RP_X)
#undef RP_X
} rp_plan_need;

/* The text of RP_PLAN_NEED_LIST for one bit; NULL for anything else. */
RP_API const char *rp_plan_need_name(uint64_t need);

/* The capabilities of SPIR-V that a kernel may state, by index: the name, NULL past the end. *needs
 * (may be NULL) is what a kernel with it may need of a device; which of several, its code says. */
RP_API const char *rp_plan_capability_at(uint32_t index, uint64_t *needs);

#ifdef __cplusplus
}
#endif

#endif
