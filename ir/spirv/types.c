/* Sizes of types, twice: by the std430 rules, which Vulkan prescribes for workgroup memory without
 * explicit layout, and by the offsets and strides that blocks carry. All in 64 bits; what is larger
 * is UINT64_MAX.
 *
 * And whether a module's blocks need scalarBlockLayout or uniformBufferStandardLayout: two device
 * features that SPIR-V has no capability for. They show only in the numbers: a block whose members
 * lie where the plain rules allow needs neither. Every type gets its alignment under std140
 * (uniform blocks) and std430 (storage blocks); offsets and strides that are no multiple of it mark
 * the type, marks go from elements to what holds them, and at the pointers to blocks they become
 * needs. A vector needs only the alignment of its components and must not straddle 16 bytes, as
 * Vulkan 1.1 allows everywhere. A block that is declared and never used counts too: the device sees
 * it. */
#include "base/checked.h"
#include "plan/format.h"
#include "spirv/reader.h"

static uint32_t max(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

static uint64_t add(uint64_t a, uint64_t b) {
    uint64_t sum;
    return rp_add_u64(a, b, &sum) ? sum : UINT64_MAX;
}

static uint64_t multiply(uint64_t a, uint64_t b) {
    uint64_t product;
    return rp_mul_u64(a, b, &product) ? product : UINT64_MAX;
}

static uint64_t align_up(uint64_t value, uint32_t alignment) {
    uint64_t aligned;
    return rp_align_u64(value, alignment, &aligned) ? aligned : UINT64_MAX;
}

uint32_t rp_scalar_bytes(rp_scalar scalar) {
    switch (scalar) {
#define RP_X(symbol, bytes, dtype)                                                                 \
    case symbol: return bytes;
        RP_SCALAR_LIST(RP_X)
#undef RP_X
    }
    return 0;
}

rp_dtype rp_scalar_dtype(rp_scalar scalar) {
    switch (scalar) {
#define RP_X(symbol, bytes, dtype)                                                                 \
    case symbol: return dtype;
        RP_SCALAR_LIST(RP_X)
#undef RP_X
    }
    return RP_RAW;
}

/* The scalar of a type's class (of 32 bits) and width. */
static rp_scalar scalar_of(rp_scalar of_32, uint32_t bits) {
    static const rp_scalar unsigneds[] = {RP_SCALAR_U8, RP_SCALAR_U16, RP_SCALAR_U32,
                                          RP_SCALAR_U64};
    static const rp_scalar signeds[] = {RP_SCALAR_I8, RP_SCALAR_I16, RP_SCALAR_I32, RP_SCALAR_I64};
    static const rp_scalar floats[] = {RP_SCALAR_OTHER, RP_SCALAR_F16, RP_SCALAR_F32,
                                       RP_SCALAR_F64};
    uint32_t place = bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : 3;
    if (of_32 == RP_SCALAR_U32) return unsigneds[place];
    if (of_32 == RP_SCALAR_I32) return signeds[place];
    return of_32 == RP_SCALAR_F32 ? floats[place] : of_32;
}

static void make_number(rp_spirv_id *t, uint32_t bits, rp_scalar scalar) {
    uint32_t bytes = bits / 8;
    if (bits != 8 && bits != 16 && bits != 32 && bits != 64) return;
    t->component = t->vector = t->align = t->align140 = t->align430 = bytes;
    t->size = t->extent = bytes;
    t->scalar = (uint8_t)scalar_of(scalar, bits);
}

/* Three elements align as four. */
static void make_vector(rp_spirv_id *t, const rp_spirv_id *number, uint32_t count) {
    if (!number->component || number->vector != number->component || count < 2 || count > 4) return;
    t->component = number->component;
    t->vector = number->component * count;
    t->align = t->align140 = t->align430 = number->component * (count == 2 ? 2 : 4);
    t->size = t->extent = t->vector;
    t->scalar = number->scalar;
}

/* Its extent follows from the stride that the member says which has it. */
static void make_matrix(rp_spirv_id *t, const rp_spirv_id *column, uint32_t count) {
    if (!column->component || count < 2 || count > 4) return;
    t->columns = (uint8_t)count;
    t->rows = (uint8_t)(column->vector / column->component);
    t->align140 = max(column->align140, 16);
    t->align430 = t->align = column->align430;
    t->size = multiply(align_up(column->size, column->align), count);
    t->scalar = column->scalar;
}

static uint32_t strided(uint32_t stride, const rp_spirv_id *t) {
    return (stride % t->align140 ? RP_BREAKS_STD140 : 0) |
           (stride % t->align430 ? RP_BREAKS_STD430 : 0);
}

/* `count` is that of the elements, UINT64_MAX when it is not known. */
static void make_array(rp_spirv_id *t, const rp_spirv_id *element, uint64_t count) {
    uint64_t stride = t->array_stride ? t->array_stride : element->extent;
    t->base = element->base;
    t->align140 = max(element->align140, 16);
    t->align430 = element->align430;
    t->align = element->align;
    t->scalar = element->scalar;
    t->size = multiply(align_up(element->size, element->align), count);
    t->extent = multiply(stride, count);
    t->breaks = element->breaks;
    if (t->array_stride) t->breaks |= (uint8_t)strided(t->array_stride, t);
}

/* Which rules do not allow `offset` for something of this type. */
static uint32_t misplaced(const rp_spirv_id *t, uint32_t offset) {
    if (!t->component)
        return (offset % t->align140 ? RP_BREAKS_STD140 : 0) |
               (offset % t->align430 ? RP_BREAKS_STD430 : 0);
    bool straddles =
        t->vector <= 16 ? offset / 16 != ((uint64_t)offset + t->vector - 1) / 16 : offset % 16 != 0;
    bool is_vector = t->vector > t->component;
    return offset % t->component || (is_vector && straddles) ? RP_BREAKS_STD140 | RP_BREAKS_STD430
                                                             : 0;
}

static uint64_t member_extent(const rp_spirv_layout *layout, const rp_spirv_id *t) {
    if (!t->columns) return t->extent;
    return multiply(layout->matrix_stride,
                    layout->decorations & RP_IS_ROW_MAJOR ? t->rows : t->columns);
}

/* An address in a block. */
static void make_address(rp_spirv_id *t) {
    t->component = t->vector = t->align = t->align140 = t->align430 = 8;
    t->size = t->extent = 8;
    t->scalar = RP_SCALAR_ADDRESS;
}

/* The type of a member: made before the struct, or announced before it. */
static const rp_spirv_id *member_type(rp_spirv_reader *r, uint32_t id, uint32_t at) {
    const rp_spirv_id *type = rp_spirv_entry(r, id);
    return type->forward ? type : rp_spirv_before(r, id, at);
}

static void make_struct(rp_spirv_reader *r, rp_spirv_id *t) {
    const uint32_t *members = r->words + t->at + 2;
    uint32_t count = rp_spirv_length(r, t->at) - 2;
    uint32_t all = RP_IS_NON_WRITABLE | RP_IS_NON_READABLE;
    t->align140 = 16;
    t->align = 4;
    t->size = t->extent = 0;
    for (uint32_t i = 0; i < count; i++) {
        const rp_spirv_layout *layout = &r->layouts[t->first_layout + i];
        const rp_spirv_id *m = member_type(r, members[i], t->at);
        uint64_t end = add(layout->offset, member_extent(layout, m));
        if (end > t->extent) t->extent = end;
        t->align140 = max(t->align140, m->align140);
        t->align430 = max(t->align430, m->align430);
        t->align = max(t->align, m->align);
        t->size = add(align_up(t->size, m->align), m->size);
        t->breaks |= (uint8_t)(m->breaks | misplaced(m, layout->offset));
        if (layout->matrix_stride) t->breaks |= (uint8_t)strided(layout->matrix_stride, m);
        all &= layout->decorations;
    }
    t->size = align_up(t->size, t->align);
    if (count) t->decorations |= all;
}

/* What a block behind a pointer asks of the device. */
static void note_block(rp_spirv_reader *r, uint32_t storage_class, const rp_spirv_id *block) {
    if (!(block->decorations & (RP_IS_BLOCK | RP_IS_BUFFER_BLOCK))) return;
    bool uniform = storage_class == CLASS_UNIFORM && !(block->decorations & RP_IS_BUFFER_BLOCK);
    if (block->breaks & RP_BREAKS_STD430)
        r->needs |= RP_NEED_SCALAR_LAYOUT;
    else if (uniform && block->breaks & RP_BREAKS_STD140)
        r->needs |= RP_NEED_UNIFORM_STD430;
}

/* A negative length is that of an empty array. */
uint64_t rp_spirv_array_elements(const rp_spirv_reader *r, const rp_spirv_id *length) {
    if (!length->known) return UINT64_MAX;
    uint32_t id = r->words[length->at + 1];
    bool is_signed =
        id < r->bound && r->ids[id].stamp == r->stamp && r->ids[id].scalar == RP_SCALAR_I32;
    bool negative = is_signed && length->value > INT32_MAX;
    return negative ? 0 : length->value;
}

void rp_spirv_type(rp_spirv_reader *r, uint32_t at) {
    const uint32_t *w = r->words + at;
    rp_spirv_id *t = rp_spirv_entry(r, w[1]);
    switch (rp_spirv_op(r, at)) {
    case OP_TYPE_BOOL: make_number(t, 32, RP_SCALAR_BOOL); return;
    case OP_TYPE_INT: make_number(t, w[2], w[3] ? RP_SCALAR_I32 : RP_SCALAR_U32); return;
    case OP_TYPE_FLOAT: make_number(t, w[2], RP_SCALAR_F32); return;
    case OP_TYPE_VECTOR: make_vector(t, rp_spirv_before(r, w[2], at), w[3]); return;
    case OP_TYPE_MATRIX: make_matrix(t, rp_spirv_before(r, w[2], at), w[3]); return;
    case OP_TYPE_ARRAY: {
        uint64_t count = rp_spirv_array_elements(r, rp_spirv_before(r, w[3], at));
        if (count == 0) r->empty_array = true;
        make_array(t, rp_spirv_before(r, w[2], at), count);
        return;
    }
    case OP_TYPE_RUNTIME_ARRAY:
        make_array(t, rp_spirv_before(r, w[2], at), 1);
        t->size = UINT64_MAX; /* of memory that is not in a buffer */
        return;
    case OP_TYPE_STRUCT: make_struct(r, t); return;
    case OP_TYPE_FORWARD_POINTER:
        if (w[2] != CLASS_PHYSICAL_STORAGE_BUFFER || t->at <= at) return;
        t->forward = true;
        make_address(t);
        return;
    case OP_TYPE_POINTER:
        note_block(r, w[2], rp_spirv_before(r, w[3], at));
        if (w[2] == CLASS_PHYSICAL_STORAGE_BUFFER) make_address(t);
        return;
    }
}

rp_spirv_member rp_spirv_get_member(const rp_spirv_reader *r, uint32_t type, uint32_t index) {
    if (index >= rp_spirv_member_count(r, type)) return (rp_spirv_member){0};
    const rp_spirv_id *t = &r->ids[type];
    const rp_spirv_layout *layout = &r->layouts[t->first_layout + index];
    uint32_t id = r->words[t->at + 2 + index];
    rp_spirv_member member = {
        .offset = layout->offset, .size = UINT64_MAX, .scalar = RP_SCALAR_OTHER};
    if (id >= r->bound || r->ids[id].stamp != r->stamp) return member;
    member.size = member_extent(layout, &r->ids[id]);
    member.scalar = (rp_scalar)r->ids[id].scalar;
    member.type = id;
    member.matrix_stride = layout->matrix_stride;
    member.row_major = layout->decorations & RP_IS_ROW_MAJOR;
    return member;
}

rp_spirv_shape rp_spirv_get_shape(const rp_spirv_reader *r, uint32_t type) {
    rp_spirv_shape shape = {0};
    if (type >= r->bound || r->ids[type].stamp != r->stamp || !r->ids[type].at) return shape;
    const rp_spirv_id *t = &r->ids[type];
    const uint32_t *w = r->words + t->at;
    switch (rp_spirv_defined_by(r, t)) {
    case OP_TYPE_BOOL:
    case OP_TYPE_INT:
    case OP_TYPE_FLOAT:
        shape.form = RP_SPIRV_NUMBER;
        shape.scalar = (rp_scalar)t->scalar;
        return shape;
    case OP_TYPE_POINTER:
        if (t->scalar != RP_SCALAR_ADDRESS) return shape;
        shape.form = RP_SPIRV_NUMBER;
        shape.scalar = RP_SCALAR_ADDRESS;
        return shape;
    case OP_TYPE_VECTOR:
    case OP_TYPE_MATRIX:
        shape.form = t->columns ? RP_SPIRV_MATRIX : RP_SPIRV_VECTOR;
        shape.count = w[3];
        break;
    case OP_TYPE_ARRAY:
        shape.form = RP_SPIRV_ARRAY;
        shape.count = UINT64_MAX;
        if (w[3] < r->bound && r->ids[w[3]].stamp == r->stamp)
            shape.count = rp_spirv_array_elements(r, &r->ids[w[3]]);
        break;
    case OP_TYPE_RUNTIME_ARRAY:
        shape.form = RP_SPIRV_ARRAY;
        shape.open = true;
        break;
    case OP_TYPE_STRUCT:
        shape.form = RP_SPIRV_STRUCT;
        shape.count = rp_spirv_member_count(r, type);
        return shape;
    default: return shape;
    }
    shape.element = w[2];
    shape.stride = t->array_stride;
    return shape;
}
