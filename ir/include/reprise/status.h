/* Statuses, diagnostics and allocators: what every Reprise call has in common.
 *
 * Rules that hold for the whole library, stated once. What the headers call docs/ is installed as
 * share/doc/reprise/docs.
 *  - A function that can fail returns rp_status. On failure every out-parameter is left NULL or
 *    zero, and nothing has been written half.
 *  - Functions that explain their failures take an rp_diags*. NULL is valid and drops the text.
 *  - Destroy functions accept NULL.
 *  - The libraries never print, never exit and never abort.
 *  - Objects are thread-compatible: distinct objects may be used from distinct threads at once; one
 *    object is used by one thread at a time unless its header says more.
 *  - Structs are of one of three kinds, so that a later version breaks no program:
 *      sized   begins with `size_t size`, which the caller sets to the sizeof that it was compiled with,
 *              of what it gives and of what it has filled in; RP_ERROR_USAGE otherwise. Later versions
 *              add members behind; what an older caller does not have is 0, the default. Those of an
 *              array all have the size of the first.
 *      lent    belongs to the library, which hands out a const pointer: later versions add members
 *              behind. To be read, and not to be stepped from one to the next.
 *      closed  everything else: handles, ranges, pairs, elements of arrays. Their members stay as they
 *              are; what there is more to say gets a struct or a call of its own.
 *  - Sizes and offsets are uint64_t bytes, counts are uint32_t, text is UTF-8, integers in files
 *    are little-endian.
 */
#ifndef REPRISE_STATUS_H
#define REPRISE_STATUS_H

#include <stddef.h>
#include <stdint.h>

/* A handle of Vulkan is passed as a void*, and a size in bytes becomes a size_t. */
#if UINTPTR_MAX < UINT64_MAX || SIZE_MAX < UINT64_MAX
#error "Reprise needs a system of 64 bits: pointers and size_t of 64 bits"
#endif

#if defined(__GNUC__)
#define RP_API __attribute__((visibility("default")))
#define RP_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define RP_API
#define RP_PRINTF(fmt, args)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* X-macro: symbol, value, short name, what the caller can do about it. Values are stable. */
#define RP_STATUS_LIST(X)                                                                          \
    X(RP_OK, 0, "ok", "nothing")                                                                   \
    X(RP_ERROR_INVALID, 1, "invalid input", "correct the input the diagnostics point at")          \
    X(RP_ERROR_USAGE, 2, "wrong use of the API", "correct the calling code")                       \
    X(RP_ERROR_NO_MEMORY, 3, "out of host memory", "free memory or use a smaller graph")           \
    X(RP_ERROR_IO, 4, "file cannot be read or written", "check path, permissions and free space")  \
    X(RP_ERROR_DAMAGED, 5, "file is damaged", "compile the plan again")                            \
    X(RP_ERROR_VERSION, 6, "file is of another version", "compile the plan with this version")     \
    X(RP_ERROR_UNPROVEN, 7, "the checker rejected the plan", "report a bug: no pass may do this")  \
    X(RP_ERROR_NO_DEVICE, 8, "no suitable Vulkan device", "install a driver or choose a device")   \
    X(RP_ERROR_UNSUPPORTED, 9, "the device lacks what is needed", "choose another device")         \
    X(RP_ERROR_DEVICE_MEMORY, 10, "out of device memory", "compile with a smaller --arena-limit")  \
    X(RP_ERROR_DEVICE_LOST, 11, "device lost", "destroy the device and create it again")           \
    X(RP_ERROR_BUSY, 12, "still in use", "wait for the exec, or destroy what is alive first")      \
    X(RP_ERROR_TIMEOUT, 13, "timed out", "wait longer")                                            \
    X(RP_ERROR_NOT_FOUND, 14, "no such name", "use a name the plan lists")                         \
    X(RP_ERROR_DRIVER, 15, "the driver failed", "read the diagnostics for the Vulkan result")      \
    X(RP_ERROR_CANCELLED, 16, "cancelled", "nothing: the caller asked for it")                     \
    X(RP_ERROR_STALLED, 17, "a replay gave up waiting", "bring the buffers back, and replay again")

typedef enum rp_status {
#define RP_X(symbol, value, name, advice) symbol = value,
    RP_STATUS_LIST(RP_X)
#undef RP_X
} rp_status;

/* The short name of a status ("invalid input"), never NULL; "unknown status" for other values. */
RP_API const char *rp_status_name(rp_status status);

/* One line on what a caller can do about a status, never NULL. */
RP_API const char *rp_status_advice(rp_status status);

/* The version that a program is compiled against. Before 1.0 a minor version may break the
 * interface; docs/c-api.md says what is promised. */
#define RP_VERSION_MAJOR 0
#define RP_VERSION_MINOR 1
#define RP_VERSION_PATCH 0

/* The version of the library that is linked, "MAJOR.MINOR.PATCH". */
RP_API const char *rp_version(void);

/* ---- Allocators ------------------------------------------------------------------------------ */

/* Where host memory comes from. `resize` behaves as realloc: NULL + size allocates, size is never
 * 0; it returns NULL when there is no memory and then leaves the old block as it was. `release`
 * accepts NULL. Both may be called from any thread that uses an object created with this allocator.
 * Functions that take a const rp_allocator* accept NULL for malloc/realloc/free, and copy the
 * struct: it need not outlive the call, `user` must outlive the objects. */
typedef struct rp_allocator {
    void *(*resize)(void *user, void *block, size_t size);
    void (*release)(void *user, void *block);
    void *user;
} rp_allocator;

/* ---- Diagnostics ----------------------------------------------------------------------------- */

typedef enum rp_severity { RP_NOTE = 0, RP_WARNING = 1, RP_ERROR = 2 } rp_severity;

/* One message. Strings live as long as the rp_diags they came from. `file` may be NULL; line and
 * column count from 1, 0 means unknown. */
typedef struct rp_diag {
    rp_severity severity;
    const char *file;
    uint32_t line;
    uint32_t column;
    const char *message;
} rp_diag;

/* A list of messages in the order they were found. A list keeps its first 100 errors and counts the
 * rest, so that damaged input cannot exhaust memory through its own diagnostics. */
typedef struct rp_diags rp_diags;

/* Creates an empty list. Returns NULL only when there is no memory. */
RP_API rp_diags *rp_diags_create(const rp_allocator *allocator);
RP_API void rp_diags_destroy(rp_diags *diags);
RP_API void rp_diags_clear(rp_diags *diags);

/* Adds a message; `diags` and `file` may be NULL. Never fails: without memory the message is only
 * counted. */
RP_API void rp_diags_add(rp_diags *diags, rp_severity severity, const char *file, uint32_t line,
                         uint32_t column, const char *format, ...) RP_PRINTF(6, 7);

/* How many messages are kept, and how many errors were added in all. */
RP_API uint32_t rp_diags_count(const rp_diags *diags);
RP_API uint32_t rp_diags_error_count(const rp_diags *diags);
/* The message at `index` < rp_diags_count(). */
RP_API rp_diag rp_diags_get(const rp_diags *diags, uint32_t index);

/* Writes "file:line:col: error: message" (parts that are unknown are left out) into `text`, always
 * terminated when size > 0. Returns the length the whole line needs, without the terminator. */
RP_API size_t rp_diag_format(const rp_diag *diag, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
