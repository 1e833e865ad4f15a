/* Arrays of bindings without a size, `uniform sampler2D textures[]`, get one.
 *
 * Vulkan has a capability for them, of descriptors that only a layout counts. A plan counts what a
 * kernel has itself, and a node binds what it wants of an array. So each such type becomes an array of a
 * constant length, and the capability goes; what code does with it stays.
 *
 * An array's length needs a type of integers in front of it, and a module has one of each kind: where it
 * stands further behind, it moves up. Compilers state no capability for indexing what has no size: where
 * code does so, that of an array with a size is stated, by which devices are asked. What comes out is
 * validated by the caller. Cost: some walks over the words, and tables of ids. */
#include "kernel/spirv.h"

#include <spirv/unified1/spirv.h>

typedef struct sizer {
    const uint32_t *from;
    uint32_t count, bound, elements;
    uint8_t *array; /* by id: a type of arrays without a size whose elements are bound */
    uint32_t *of;   /* by id of a pointer type: what it points to */
    uint8_t *kind; /* by id of a variable of such a type: KINDS; 0: none. Of a constant: CONSTANT */
    uint32_t indexed; /* which kinds code indexes, bits */
    bool apart;       /* with indices that differ from invocation to invocation */
    uint32_t number;  /* where the 32-bit integers are defined, a word; 0: nowhere */
    uint32_t first;   /* where the first of the arrays is, a word; 0: there is none */
} sizer;

/* What a descriptor is, and the capabilities for indexing an array of them by what is the same in all
 * invocations, and by what is not. */
enum { SAMPLED = 1, STORED, BUFFER, UNIFORM, TEXELS_IN, TEXELS_OUT, KINDS, CONSTANT = 255 };
static const uint32_t capabilities[KINDS][2] = {
    {0, 0},
    {SpvCapabilitySampledImageArrayDynamicIndexing,
     SpvCapabilitySampledImageArrayNonUniformIndexing},
    {SpvCapabilityStorageImageArrayDynamicIndexing,
     SpvCapabilityStorageImageArrayNonUniformIndexing},
    {SpvCapabilityStorageBufferArrayDynamicIndexing,
     SpvCapabilityStorageBufferArrayNonUniformIndexing},
    {SpvCapabilityUniformBufferArrayDynamicIndexing,
     SpvCapabilityUniformBufferArrayNonUniformIndexing},
    {SpvCapabilityUniformTexelBufferArrayDynamicIndexing,
     SpvCapabilityUniformTexelBufferArrayNonUniformIndexing},
    {SpvCapabilityStorageTexelBufferArrayDynamicIndexing,
     SpvCapabilityStorageTexelBufferArrayNonUniformIndexing},
};

static uint32_t op_at(const sizer *s, uint32_t at) {
    return s->from[at] & 0xffff;
}

static uint32_t length_at(const sizer *s, uint32_t at) {
    return s->from[at] >> 16;
}

#define EACH(s, at) for (uint32_t at = RP_SPIRV_HEADER; at < (s)->count; at += length_at(s, at))

static bool is_bound(uint32_t class) {
    return class == SpvStorageClassUniformConstant || class == SpvStorageClassUniform ||
           class == SpvStorageClassStorageBuffer;
}

/* Types stand in front of variables: one walk finds which arrays are of bindings. */
static void find_arrays(sizer *s) {
    enum { OPEN = 2 };
    EACH(s, at) {
        const uint32_t *w = s->from + at;
        uint32_t op = op_at(s, at);
        if (op == SpvOpTypeRuntimeArray) s->array[w[1]] = OPEN;
        if (op == SpvOpTypePointer) s->of[w[1]] = w[3];
        if (op == SpvOpTypeInt && w[2] == 32 && !s->number) s->number = at;
        if (op == SpvOpVariable && is_bound(w[3]) && s->array[s->of[w[1]]])
            s->array[s->of[w[1]]] = 1;
    }
    EACH(s, at) {
        if (op_at(s, at) != SpvOpTypeRuntimeArray) continue;
        uint8_t *array = &s->array[s->from[at + 1]];
        *array = *array == 1;
        if (*array && !s->first) s->first = at;
    }
}

static uint32_t put(uint32_t *to, const uint32_t *words, uint32_t count) {
    memcpy(to, words, count * sizeof *to);
    return count;
}

/* The kind of a descriptor by the words that define its type; samplers are as sampled images. */
static uint8_t kind_of(const uint32_t *type, uint32_t class) {
    if (class != SpvStorageClassUniformConstant)
        return class == SpvStorageClassUniform ? UNIFORM : BUFFER;
    if ((type[0] & 0xffff) != SpvOpTypeImage) return SAMPLED;
    bool texels = type[3] == SpvDimBuffer, stored = type[7] == 2;
    return texels ? (stored ? TEXELS_OUT : TEXELS_IN) : stored ? STORED : SAMPLED;
}

/* Which kinds are indexed by anything but constants. */
static void find_indices(sizer *s) {
    EACH(s, at) { /* of an array's type its place, in the table of pointers: its own id is none */
        const uint32_t *w = s->from + at;
        uint32_t op = op_at(s, at);
        if (op == SpvOpCapability && w[1] == SpvCapabilityShaderNonUniform) s->apart = true;
        if (op == SpvOpTypeImage || op == SpvOpTypeSampledImage || op == SpvOpTypeSampler ||
            op == SpvOpTypeStruct)
            s->of[w[1]] = at;
        if (op == SpvOpTypeRuntimeArray) s->of[w[1]] = s->of[w[2]];
        if (op == SpvOpConstant) s->kind[w[2]] = CONSTANT;
        if (op == SpvOpVariable && is_bound(w[3]) && s->array[s->of[w[1]]])
            s->kind[w[2]] = kind_of(s->from + s->of[s->of[w[1]]], w[3]);
        bool chain = op == SpvOpAccessChain || op == SpvOpInBoundsAccessChain;
        if (chain && length_at(s, at) > 4 && s->kind[w[3]] && s->kind[w[3]] < KINDS &&
            s->kind[w[4]] != CONSTANT)
            s->indexed |= 1u << s->kind[w[3]];
    }
}

static uint32_t put_capabilities(const sizer *s, uint32_t *to) {
    uint32_t written = 0;
    for (uint32_t kind = 1; kind < KINDS; kind++)
        for (uint32_t apart = 0; apart < 2 && (s->indexed >> kind & 1); apart++) {
            if (apart && !s->apart) continue;
            to[written++] = 2 << 16 | SpvOpCapability;
            to[written++] = capabilities[kind][apart];
        }
    return written;
}

enum { MORE = 4 + 4 + 4 * KINDS }; /* words in front of the first array, and of capabilities */

static uint32_t write_words(const sizer *s, uint32_t *to) {
    uint32_t written = put(to, s->from, RP_SPIRV_HEADER), length = s->bound, type = s->bound + 1;
    bool moved = s->number > s->first;
    if (s->number) type = s->from[s->number + 1];
    to[3] = s->bound + (s->number ? 1 : 2);
    EACH(s, at) {
        const uint32_t *w = s->from + at;
        uint32_t op = op_at(s, at);
        if (op == SpvOpCapability && w[1] == SpvCapabilityRuntimeDescriptorArray) {
            written += put_capabilities(s, to + written);
            continue;
        }
        if (moved && at == s->number) continue;
        if (at == s->first) {
            const uint32_t number[] = {4 << 16 | SpvOpTypeInt, type, 32, 0};
            const uint32_t constant[] = {4 << 16 | SpvOpConstant, type, length, s->elements};
            if (moved || !s->number)
                written += put(to + written, moved ? s->from + s->number : number, 4);
            written += put(to + written, constant, 4);
        }
        if (op == SpvOpTypeRuntimeArray && s->array[w[1]]) {
            const uint32_t array[] = {4 << 16 | SpvOpTypeArray, w[1], w[2], length};
            written += put(to + written, array, 4);
        } else {
            written += put(to + written, w, length_at(s, at));
        }
    }
    return written;
}

rp_status rp_spirv_size_arrays(const rp_allocator *a, uint32_t elements, uint32_t **words,
                               uint32_t *count) {
    sizer s = {.from = *words, .count = *count, .bound = (*words)[3], .elements = elements};
    uint32_t *made = NULL;
    s.array = rp_alloc_zero(a, s.bound, sizeof *s.array);
    s.of = rp_alloc_zero(a, s.bound, sizeof *s.of);
    s.kind = rp_alloc_zero(a, s.bound, sizeof *s.kind);
    bool room = s.array && s.of && s.kind;
    if (room) find_arrays(&s);
    if (room) find_indices(&s);
    if (room && s.first) {
        made = rp_alloc(a, (size_t)s.count + s.count / 3 + MORE, sizeof *made);
        room = made != NULL;
    }
    if (made) {
        uint32_t written = write_words(&s, made);
        rp_release(a, *words);
        *words = made;
        *count = written;
    }
    rp_release(a, s.array);
    rp_release(a, s.of);
    rp_release(a, s.kind);
    return room ? RP_OK : RP_ERROR_NO_MEMORY;
}
