/* What a shader's code does to the buffers it is given, so that `readonly` and `writeonly` can be
 * compared with the facts, and a block that says neither and is never written counts as read only.
 *
 * In valid SPIR-V without variable pointers a pointer into a buffer is the buffer's variable or an
 * access chain on one, and is defined before it is used: one walk from front to back finds the
 * variable behind every load, store and atomic. Anything that is not understood counts as both
 * reading and writing: a pointer handed to an instruction not listed here, and, for all buffers, a
 * pointer that comes from anywhere else (a function's parameter, a choice between pointers). */
#include "kernel/spirv.h"

#include <spirv/unified1/spirv.h>

typedef struct usage {
    const uint32_t *words;
    uint32_t count, bound;
    uint8_t *flags;     /* per variable */
    uint32_t *root;     /* id of a pointer -> its variable, 0 = none */
    bool *pointer_type; /* id of a type -> whether it points into a buffer */
    bool lost;          /* a pointer of unknown origin exists */
} usage;

static bool is_buffer_class(uint32_t storage_class) {
    return storage_class == SpvStorageClassUniform ||
           storage_class == SpvStorageClassStorageBuffer ||
           storage_class == SpvStorageClassPhysicalStorageBuffer;
}

static void note(usage *u, uint32_t id, uint8_t flags) {
    if (id < u->bound && u->root[id]) u->flags[u->root[id]] |= flags;
}

/* Whether an instruction has literals among its operands, or is harmless with a pointer: comparing
 * a literal with ids would find uses that are none. */
static bool takes_no_pointer(uint32_t op) {
    switch (op) {
    case SpvOpCompositeExtract:
    case SpvOpCompositeInsert:
    case SpvOpVectorShuffle:
    case SpvOpSwitch:
    case SpvOpLine:
    case SpvOpNoLine:
    case SpvOpLabel:
    case SpvOpBranch:
    case SpvOpBranchConditional:
    case SpvOpLoopMerge:
    case SpvOpSelectionMerge:
    case SpvOpFunction:
    case SpvOpArrayLength: return true;
    }
    return false;
}

/* Atomics on memory; those that take the pointer as their first operand have no result. */
static bool is_atomic(uint32_t op) {
    return (op >= SpvOpAtomicLoad && op <= SpvOpAtomicXor) || op == SpvOpAtomicFlagTestAndSet ||
           op == SpvOpAtomicFlagClear || op == SpvOpAtomicFAddEXT || op == SpvOpAtomicFMinEXT ||
           op == SpvOpAtomicFMaxEXT;
}

static void visit_atomic(usage *u, const uint32_t *w, uint32_t op) {
    if (op == SpvOpAtomicStore)
        note(u, w[1], RP_SPIRV_WRITES);
    else if (op == SpvOpAtomicLoad)
        note(u, w[3], RP_SPIRV_READS);
    else
        note(u, op == SpvOpAtomicFlagClear ? w[1] : w[3], RP_SPIRV_READS | RP_SPIRV_WRITES);
}

/* An instruction of a function's body. */
static void visit_code(usage *u, const uint32_t *w, uint32_t op, uint32_t length) {
    switch (op) {
    case SpvOpAccessChain:
    case SpvOpInBoundsAccessChain:
    case SpvOpPtrAccessChain:
    case SpvOpInBoundsPtrAccessChain:
    case SpvOpCopyObject: u->root[w[2]] = u->root[w[3]]; return;
    case SpvOpLoad:
        note(u, w[3], RP_SPIRV_READS);
        if (u->pointer_type[w[1]]) u->lost = true;
        return;
    case SpvOpStore:
        note(u, w[1], RP_SPIRV_WRITES);
        note(u, w[2], RP_SPIRV_READS | RP_SPIRV_WRITES); /* the pointer itself is stored away */
        return;
    case SpvOpCopyMemory:
        note(u, w[1], RP_SPIRV_WRITES);
        note(u, w[2], RP_SPIRV_READS);
        return;
    }
    if (is_atomic(op)) {
        visit_atomic(u, w, op);
        return;
    }
    if (takes_no_pointer(op)) return;
    if (length > 2 && w[1] < u->bound && u->pointer_type[w[1]]) u->lost = true;
    for (uint32_t i = op == SpvOpExtInst ? 5 : 1; i < length; i++)
        note(u, w[i], RP_SPIRV_READS | RP_SPIRV_WRITES);
}

static void visit_all(usage *u) {
    bool in_code = false;
    for (uint32_t at = RP_SPIRV_HEADER; at < u->count; at += u->words[at] >> 16) {
        const uint32_t *w = u->words + at;
        uint32_t op = w[0] & 0xffff, length = w[0] >> 16;
        if (op == SpvOpFunction) in_code = true;
        if (in_code) {
            visit_code(u, w, op, length);
        } else if (op == SpvOpTypePointer) {
            u->pointer_type[w[1]] = is_buffer_class(w[2]);
        } else if (op == SpvOpVariable && is_buffer_class(w[3])) {
            u->root[w[2]] = w[2];
        }
    }
    for (uint32_t id = 0; u->lost && id < u->bound; id++)
        if (u->root[id] == id) u->flags[id] = RP_SPIRV_READS | RP_SPIRV_WRITES;
    u->flags[0] = 0; /* 0 is no id */
}

rp_status rp_spirv_usage(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                         uint8_t **out_flags) {
    const rp_allocator *a = where->allocator;
    usage u = {.words = words, .count = count, .bound = words[3]};
    u.flags = rp_alloc_zero(a, u.bound, sizeof *u.flags);
    u.root = rp_alloc_zero(a, u.bound, sizeof *u.root);
    u.pointer_type = rp_alloc_zero(a, u.bound, sizeof *u.pointer_type);
    bool ok = u.flags && u.root && u.pointer_type;
    if (ok) visit_all(&u);
    rp_release(a, u.root);
    rp_release(a, u.pointer_type);
    if (!ok) rp_release(a, u.flags);
    *out_flags = ok ? u.flags : NULL;
    return ok ? RP_OK : RP_ERROR_NO_MEMORY;
}
