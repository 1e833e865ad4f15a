/* Internal: how the values of a block lie in memory.
 *
 * A layout is a tree of numbers, sequences and structs, as the module's offsets and strides say:
 * std140, std430 and scalar are not told apart, and need not be. A vector is a sequence of numbers,
 * a matrix one of its columns, m[i] in the shader's code, whichever way it lies: a row-major one has
 * the stride from row to row inside its columns. */
#ifndef RP_KERNEL_LAYOUT_H
#define RP_KERNEL_LAYOUT_H

#include "base/alloc.h"
#include "reprise/compiler.h"
#include "spirv/spirv.h"

typedef enum rp_block_layout_form {
    RP_BLOCK_NUMBER,
    RP_BLOCK_SEQUENCE,
    RP_BLOCK_STRUCT
} rp_block_layout_form;

typedef struct rp_block_layout {
    char *name;       /* of a struct's member, "" when unknown; NULL for others */
    uint8_t form;     /* rp_block_layout_form */
    rp_scalar scalar; /* number */
    bool open; /* sequence: at the end of a block, of as many elements as there are: count 0 */
    uint32_t offset;        /* bytes from the start of what it lies in */
    uint32_t count, stride; /* sequence: elements, and bytes from one to the next */
    uint32_t first,
        parts;        /* into the table: members in the order of their offsets, or the element */
    uint64_t size;    /* bytes; of an open one as if it were empty */
    uint64_t numbers; /* in it, when those of a sequence are all alike; else 0 */
} rp_block_layout;

/* The layouts of a module's blocks, back to back. */
typedef struct rp_block_layouts {
    rp_block_layout *items;
    uint32_t count, capacity;
} rp_block_layouts;

/* Adds the layout of a block; *out is its index. RP_ERROR_INVALID, with nothing added, for one that
 * no values can be given for: *why says what is in its way. */
rp_status rp_block_layout_add(const rp_allocator *a, rp_block_layouts *layouts,
                              const rp_spirv_reader *reader, uint32_t type, uint32_t *out,
                              const char **why);
void rp_block_layout_free(const rp_allocator *a, rp_block_layouts *layouts);

/* "f32", "vec3"-like names for messages: "3 x f32", "struct", "4 x 4 x f32". */
enum { RP_BLOCK_TEXT = 64 };
void rp_block_layout_print(const rp_block_layouts *layouts, uint32_t index,
                           char text[RP_BLOCK_TEXT]);

/* Follows "camera.lights[2].colour" from a layout: the index of what is there, and its byte from the
 * start; RP_NONE with the reason in `why`. */
enum { RP_BLOCK_WHY = 192 };
uint32_t rp_block_layout_path(const rp_block_layouts *layouts, uint32_t index, const char *path,
                              uint64_t *out_offset, char why[RP_BLOCK_WHY]);

/* The same layout in another table; RP_NONE without memory. */
uint32_t rp_block_layout_copy(const rp_allocator *a, const rp_block_layouts *from, uint32_t index,
                              rp_block_layouts *to);

/* rp_program_member() and rp_program_pack(), of a block with a layout; the size of
 * *out is fine. `owner` is for messages. */
rp_status rp_block_layout_member(const rp_block_layouts *layouts, uint32_t index, const char *owner,
                                 const char *path, rp_diags *diags, rp_block_member *out);
rp_status rp_block_layout_pack(const rp_block_layouts *layouts, uint32_t index, const char *owner,
                               const char *path, const void *numbers, size_t size, void *block,
                               size_t block_size, rp_diags *diags);

#endif
