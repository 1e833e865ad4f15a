/* Whether a kernel's blocks need scalarBlockLayout or uniformBufferStandardLayout: two device
 * features that SPIR-V has no capability for. They show only in the numbers: a block whose members
 * lie where the plain rules allow needs neither.
 *
 * First walk: every type gets its alignment under std140 (uniform blocks) and std430 (storage
 * blocks). A type is declared before it is used, so one walk in order does it. Second walk: offsets
 * and strides that are no multiple of that alignment mark the type they belong to; a vector needs
 * only the alignment of its components and must not straddle 16 bytes, as Vulkan 1.1 allows
 * everywhere. Third walk, in order again: a type that holds a marked type is marked, and at the
 * pointers to blocks the marks become needs. A block that is declared and never used counts too.
 * Cost: 24 bytes per id. */
#include "plan/spirv.h"

#include "base/alloc.h"
#include "plan/format.h"

enum {
    OP_TYPE_INT = 21,
    OP_TYPE_FLOAT = 22,
    OP_TYPE_VECTOR = 23,
    OP_TYPE_MATRIX = 24,
    OP_TYPE_ARRAY = 28,
    OP_TYPE_RUNTIME_ARRAY = 29,
    OP_TYPE_STRUCT = 30,
    OP_TYPE_POINTER = 32,
    OP_DECORATE = 71,
    OP_MEMBER_DECORATE = 72,
    CLASS_UNIFORM = 2,
    DECORATION_BLOCK = 2,
    DECORATION_BUFFER_BLOCK = 3,
    DECORATION_ARRAY_STRIDE = 6,
    DECORATION_MATRIX_STRIDE = 7,
    DECORATION_OFFSET = 35,
    MAX_IDS = 1 << 22 /* SPIR-V's own limit */
};

enum { STD140 = 1, STD430 = 2, BLOCK = 4, BUFFER_BLOCK = 8 };

typedef struct type {
    uint32_t at; /* word of its declaration, 0 = none */
    uint32_t align140, align430;
    uint32_t scalar; /* bytes of the number, or of a vector's component; else 0 */
    uint32_t size;   /* bytes of a number or a vector, else 0 */
    uint32_t marks;  /* rules it does not keep, and decorations */
} type;

typedef struct layout {
    const uint32_t *words;
    uint32_t count, ids;
    type *types;
    uint64_t needs;
} layout;

static uint32_t max(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

/* The type `id`, or one without demands. */
static type lookup(const layout *l, uint32_t id) {
    return id < l->ids && l->types[id].at ? l->types[id] : (type){.align140 = 1, .align430 = 1};
}

static void declare(layout *l, uint32_t at, uint32_t length, uint32_t op) {
    const uint32_t *w = l->words + at;
    if (op < OP_TYPE_INT || op > OP_TYPE_STRUCT || length < 3 || w[1] >= l->ids) return;
    type t = {.at = at, .align140 = 1, .align430 = 1};
    type element = lookup(l, w[2]);
    if (op == OP_TYPE_INT || op == OP_TYPE_FLOAT) {
        t.scalar = t.size = t.align140 = t.align430 = max(w[2] / 8, 1);
    } else if (op == OP_TYPE_VECTOR && length > 3) {
        t.scalar = element.scalar;
        t.size = element.scalar * w[3];
        t.align140 = t.align430 = max(element.scalar * (w[3] == 2 ? 2 : 4), 1);
    } else if (op == OP_TYPE_MATRIX || op == OP_TYPE_ARRAY || op == OP_TYPE_RUNTIME_ARRAY) {
        t.align140 = max(element.align140, 16);
        t.align430 = element.align430;
    } else if (op == OP_TYPE_STRUCT) {
        t.align140 = 16;
        for (uint32_t i = 2; i < length; i++) {
            element = lookup(l, w[i]);
            t.align140 = max(t.align140, element.align140);
            t.align430 = max(t.align430, element.align430);
        }
    }
    l->types[w[1]] = t;
}

/* Which rules do not allow `offset` for something of this type. */
static uint32_t misplaced(const type *t, uint32_t offset) {
    if (t->scalar) { /* a number or a vector */
        bool straddles = t->size <= 16
                             ? offset / 16 != (uint64_t)(offset + (uint64_t)t->size - 1) / 16
                             : offset % 16 != 0;
        bool vector = t->size > t->scalar;
        return offset % t->scalar || (vector && straddles) ? STD140 | STD430 : 0;
    }
    return (offset % t->align140 ? STD140 : 0) | (offset % t->align430 ? STD430 : 0);
}

static void decorate(layout *l, const uint32_t *w, uint32_t length) {
    if (length < 3 || w[1] >= l->ids) return;
    type *t = &l->types[w[1]];
    if (w[2] == DECORATION_BLOCK) t->marks |= BLOCK;
    if (w[2] == DECORATION_BUFFER_BLOCK) t->marks |= BUFFER_BLOCK;
    if (w[2] != DECORATION_ARRAY_STRIDE || length < 4 || !t->at) return;
    t->marks |= (w[3] % t->align140 ? STD140 : 0) | (w[3] % t->align430 ? STD430 : 0);
}

static void decorate_member(layout *l, const uint32_t *w, uint32_t length) {
    if (length < 5 || w[1] >= l->ids || !l->types[w[1]].at) return;
    type *t = &l->types[w[1]];
    const uint32_t *declared = l->words + t->at;
    if ((declared[0] & 0xffff) != OP_TYPE_STRUCT || w[2] >= (declared[0] >> 16) - 2) return;
    type member = lookup(l, declared[2 + w[2]]);
    if (w[3] == DECORATION_OFFSET) t->marks |= misplaced(&member, w[4]);
    if (w[3] == DECORATION_MATRIX_STRIDE)
        t->marks |= (w[4] % member.align140 ? STD140 : 0) | (w[4] % member.align430 ? STD430 : 0);
}

/* Marks go from elements to what holds them, */
static void inherit(layout *l, const uint32_t *w, uint32_t length, uint32_t op) {
    uint32_t last =
        op == OP_TYPE_STRUCT ? length : 3; /* the element; an array's length is no type */
    for (uint32_t i = 2; i < last; i++)
        l->types[w[1]].marks |= lookup(l, w[i]).marks & (STD140 | STD430);
}

/* and from blocks into the needs. */
static void collect(layout *l, const uint32_t *w, uint32_t length, uint32_t op) {
    if (op < OP_TYPE_MATRIX || op > OP_TYPE_POINTER || length < 3 || w[1] >= l->ids) return;
    if (op != OP_TYPE_POINTER) {
        inherit(l, w, length, op);
        return;
    }
    uint32_t marks = length > 3 ? lookup(l, w[3]).marks : 0;
    if (!(marks & (BLOCK | BUFFER_BLOCK))) return;
    bool uniform = w[2] == CLASS_UNIFORM && !(marks & BUFFER_BLOCK);
    if (marks & STD430)
        l->needs |= RP_NEED_SCALAR_LAYOUT;
    else if (uniform && (marks & STD140))
        l->needs |= RP_NEED_UNIFORM_STD430;
}

typedef enum walk { DECLARE, DECORATE, COLLECT } walk;

static void visit_all(layout *l, walk which) {
    for (uint32_t at = 5, length; at < l->count; at += length) {
        const uint32_t *w = l->words + at;
        uint32_t op = w[0] & 0xffff;
        length = w[0] >> 16;
        switch (which) {
        case DECLARE: declare(l, at, length, op); break;
        case DECORATE:
            if (op == OP_DECORATE) decorate(l, w, length);
            if (op == OP_MEMBER_DECORATE) decorate_member(l, w, length);
            break;
        case COLLECT: collect(l, w, length, op); break;
        }
    }
}

rp_status rp_spirv_layout_needs(const rp_allocator *a, const uint32_t *words, uint32_t count,
                                uint64_t *needs) {
    layout l = {.words = words, .count = count, .ids = words[3] < MAX_IDS ? words[3] : MAX_IDS};
    l.types = rp_alloc_zero(a, l.ids, sizeof *l.types);
    if (!l.types) return RP_ERROR_NO_MEMORY;
    visit_all(&l, DECLARE);
    visit_all(&l, DECORATE);
    visit_all(&l, COLLECT);
    rp_release(a, l.types);
    *needs |= l.needs;
    return RP_OK;
}
