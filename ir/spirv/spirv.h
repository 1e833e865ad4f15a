/* Internal: what a SPIR-V module says about one of its compute entry points.
 *
 * The one reader of modules, for all who ask: the front end (bindings, access, names), lowering
 * (workgroup memory), the plan writer (what a device must offer) and the plan reader, which holds a
 * kernel's records against it. Two readers would disagree one day, and the plan reader's must do
 * without libraries.
 *
 *   rp_spirv_reader reader;
 *   rp_spirv_reader_init(&reader, allocator);
 *   for each module:
 *       status = rp_spirv_read(&reader, words, count, "main", specs, spec_count, why);
 *       ... look at the reader's results, which live until the next read ...
 *   rp_spirv_reader_free(&reader);
 *
 * What it trusts: nothing. Words may be anything at all: every id and every length is checked, no
 * type may hold itself, there is no recursion, and time and memory are linear in the words and the
 * module's bound of ids (at most RP_SPIRV_MAX_ID_BOUND). It is no validator: of a module that is
 * not valid SPIR-V it says something, or that it is damaged, and never that code leaves a buffer
 * alone which it touches by an instruction of the language.
 *
 * What it takes to be true of valid modules: a pointer into a buffer is the buffer's variable, an
 * access chain on one, or a copy of those. A pointer that goes anywhere else (into a call, a choice,
 * a variable) counts as read and written there; that is all that variable pointers can do. */
#ifndef RP_SPIRV_SPIRV_H
#define RP_SPIRV_SPIRV_H

#include "base/alloc.h"
#include "reprise/image.h"
#include "reprise/types.h"

enum {
    RP_SPIRV_HEADER = 5,             /* words before the first instruction; word 3 bounds the ids */
    RP_SPIRV_MAX_ID_BOUND = 1 << 20, /* tables are indexed by id: a module may not claim more */
};

/* A value for the constants that are decorated with SpecId `id`. */
typedef rp_wide_constant rp_spirv_spec;

/* What a resource is. */
typedef enum rp_spirv_kind {
    RP_SPIRV_STORAGE_BLOCK,
    RP_SPIRV_UNIFORM_BLOCK,
    RP_SPIRV_PUSH_BLOCK, /* set and binding mean nothing */
    RP_SPIRV_STORAGE_IMAGE,
    RP_SPIRV_SAMPLED_IMAGE,  /* without a sampler of its own */
    RP_SPIRV_COMBINED_IMAGE, /* with one */
    RP_SPIRV_SAMPLER,
    RP_SPIRV_STORAGE_TEXELS, /* texel buffers */
    RP_SPIRV_UNIFORM_TEXELS,
    RP_SPIRV_OTHER_IMAGE, /* of several samples, or none that compute shaders have */
    RP_SPIRV_ACCELERATION_STRUCTURE,
    RP_SPIRV_ATOMIC_COUNTER,
} rp_spirv_kind;
/* "a storage image": static text. */
const char *rp_spirv_kind_name(rp_spirv_kind kind);

/* A resource that the module declares, used by the entry point or not. */
typedef struct rp_spirv_resource {
    uint32_t id, type; /* of its variable; of its block, behind pointer and array */
    uint32_t set, binding;
    uint8_t kind;             /* rp_spirv_kind */
    bool array;               /* of descriptors: */
    uint64_t elements;        /* how many, of arrays of arrays in all; UINT64_MAX: not known */
    uint8_t view, texel;      /* of images and texels: rp_view, rp_texel */
    uint8_t format;           /* rp_image_format that is declared; RP_IMAGE_NONE: none, or one that
                               * no image of plans has */
    bool used;                /* the entry point's call tree names it */
    bool reads, writes;       /* and does so to its bytes; .length() does neither */
    bool readonly, writeonly; /* declared: NonWritable, NonReadable, of the variable or of every
                               * member */
    uint64_t size; /* bytes of the block's fixed part, and of one element of its last array when
                    * that has no length; UINT64_MAX: 2^64 or more, or not known */
} rp_spirv_resource;

/* What a resource is as a binding. A view, a format and texels are those of images; a format is declared of
 * storage alone. */
typedef struct rp_spirv_binding {
    uint8_t resource; /* rp_resource */
    uint8_t access;   /* RP_UNIFORM, RP_SAMPLED; RP_READ of storage, whatever the code does to it */
    uint8_t view, format, texel;
} rp_spirv_binding;
/* False for what nobody binds. */
bool rp_spirv_bind(const rp_spirv_resource *resource, rp_spirv_binding *out);

/* What a scalar is made of: symbol, bytes, the element type of the same values. A bool has the bytes
 * that Vulkan wants for one. An address is a pointer to memory outside the module. */
#define RP_SCALAR_LIST(X)                                                                          \
    X(RP_SCALAR_U32, 4, RP_U32)                                                                    \
    X(RP_SCALAR_I32, 4, RP_I32)                                                                    \
    X(RP_SCALAR_F32, 4, RP_F32)                                                                    \
    X(RP_SCALAR_BOOL, 4, RP_BOOL)                                                                  \
    X(RP_SCALAR_U8, 1, RP_U8)                                                                      \
    X(RP_SCALAR_I8, 1, RP_I8)                                                                      \
    X(RP_SCALAR_U16, 2, RP_U16)                                                                    \
    X(RP_SCALAR_I16, 2, RP_I16)                                                                    \
    X(RP_SCALAR_F16, 2, RP_F16)                                                                    \
    X(RP_SCALAR_U64, 8, RP_U64)                                                                    \
    X(RP_SCALAR_I64, 8, RP_I64)                                                                    \
    X(RP_SCALAR_F64, 8, RP_F64)                                                                    \
    X(RP_SCALAR_ADDRESS, 8, RP_RAW)                                                                \
    X(RP_SCALAR_OTHER, 0, RP_RAW)

typedef enum rp_scalar {
#define RP_X(symbol, bytes, dtype) symbol,
    RP_SCALAR_LIST(RP_X)
#undef RP_X
} rp_scalar;
uint32_t rp_scalar_bytes(rp_scalar scalar);
rp_dtype rp_scalar_dtype(rp_scalar scalar);
/* The words of a constant's literal in a module: numbers narrower than a word are extended, by their
 * sign where they have one. */
uint64_t rp_scalar_literal(rp_scalar scalar, uint64_t value);

/* A member of a block, or what each of its elements is made of. */
typedef struct rp_spirv_member {
    uint32_t offset;
    uint64_t size; /* as rp_spirv_resource.size */
    rp_scalar scalar;
    uint32_t type, matrix_stride; /* the stride of the matrices in it, which are */
    bool row_major;
} rp_spirv_member;

/* What a type is. */
typedef enum rp_spirv_form {
    RP_SPIRV_OTHER,
    RP_SPIRV_NUMBER,
    RP_SPIRV_VECTOR,
    RP_SPIRV_MATRIX,
    RP_SPIRV_ARRAY,
    RP_SPIRV_STRUCT,
} rp_spirv_form;

typedef struct rp_spirv_shape {
    uint8_t form;     /* rp_spirv_form */
    rp_scalar scalar; /* of a number */
    bool open;        /* an array without a length: as many elements as the buffer holds */
    uint64_t count;   /* components, columns, elements; UINT64_MAX = not known */
    uint32_t element; /* type of a component, column or element */
    uint32_t stride;  /* bytes from one element of an array to the next; 0 = not said */
} rp_spirv_shape;

typedef struct rp_spirv_constant {
    uint32_t id;   /* SpecId; several constants may share one */
    uint32_t name; /* result id, for rp_spirv_name() */
    rp_scalar scalar;
    uint64_t value; /* its bits */
} rp_spirv_constant;

/* What a cooperative matrix is made of, by Vulkan's numbers (VkComponentTypeKHR). */
#define RP_SPIRV_COMPONENT_LIST(X)                                                                 \
    X(RP_SPIRV_F16, 0, "f16")                                                                      \
    X(RP_SPIRV_F32, 1, "f32")                                                                      \
    X(RP_SPIRV_F64, 2, "f64")                                                                      \
    X(RP_SPIRV_I8, 3, "i8")                                                                        \
    X(RP_SPIRV_I16, 4, "i16")                                                                      \
    X(RP_SPIRV_I32, 5, "i32")                                                                      \
    X(RP_SPIRV_I64, 6, "i64")                                                                      \
    X(RP_SPIRV_U8, 7, "u8")                                                                        \
    X(RP_SPIRV_U16, 8, "u16")                                                                      \
    X(RP_SPIRV_U32, 9, "u32")                                                                      \
    X(RP_SPIRV_U64, 10, "u64")

enum {
#define RP_X(symbol, number, name) symbol = number,
    RP_SPIRV_COMPONENT_LIST(RP_X)
#undef RP_X
        RP_SPIRV_COMPONENT_OTHER = 11
};
const char *rp_spirv_component_name(uint32_t component); /* "?" for another */

/* A product of cooperative matrices: m x k times k x n, added to c. Sizes are 0 where they are not
 * known. */
typedef struct rp_spirv_product {
    uint32_t m, n, k;
    uint8_t a, b, c, result;
} rp_spirv_product;

enum { RP_SPIRV_PRODUCT_TEXT = 64 };
/* "16x16x16 f16 f32": sizes, factors, sums; all four where those of a side differ. */
void rp_spirv_print_product(const rp_spirv_product *product, char text[RP_SPIRV_PRODUCT_TEXT]);

/* A sampled image and a sampler of its own that code puts together: variables, as
 * rp_spirv_resource.id. */
typedef struct rp_spirv_pair {
    uint32_t image, sampler;
} rp_spirv_pair;

typedef struct rp_spirv_id rp_spirv_id; /* reader.h */
typedef struct rp_spirv_layout rp_spirv_layout;

enum { RP_SPIRV_UNSUPPORTED = 96 };

typedef struct rp_spirv_reader {
    rp_allocator allocator;

    /* Results. */
    uint64_t needs; /* rp_plan_need bits of the module */
    char unsupported
        [RP_SPIRV_UNSUPPORTED]; /* something no plan may need, "SPIR-V capability 4472 (...)"; empty =
                           * none */
    rp_spirv_resource *resources;
    uint32_t resource_count, resource_capacity; /* in the order of the module */
    rp_spirv_constant *constants;
    uint32_t constant_count, constant_capacity; /* ascending id */
    rp_spirv_product *products;                 /* each once */
    uint32_t product_count, product_capacity;
    rp_spirv_pair *pairs; /* each once, ascending; none of what a function is called with */
    uint32_t pair_count, pair_capacity;
    uint32_t subgroup; /* size that the module says it relies on; 0: none */
    uint32_t local[3]; /* workgroup size */
    bool local_known;
    uint64_t shared_bytes; /* workgroup memory; UINT64_MAX: too much, or not known */
    bool empty_array;      /* some array type has a length below 1: no driver takes such a module */

    /* Tables of the module that was read last. */
    const uint32_t *words;
    uint32_t count, stamp;
    rp_spirv_id *ids;
    uint32_t id_capacity, bound;
    rp_spirv_layout *layouts; /* of the members of all structs */
    uint32_t layout_count, layout_capacity;
    uint32_t *todo; /* functions to be walked */
    uint32_t todo_count, todo_capacity;
    uint32_t entry_at, size_constant, mode_at; /* words; 0 = none */
    uint64_t stated;                           /* capabilities that stand for several needs */
    const rp_spirv_spec *specs;
    uint32_t spec_count;
} rp_spirv_reader;

void rp_spirv_reader_init(rp_spirv_reader *reader, const rp_allocator *allocator);
void rp_spirv_reader_free(rp_spirv_reader *reader);

/* Reads a module for its compute entry point `entry`, its specialisation constants as `specs`
 * (ascending id; ids that it does not have are ignored) or the words say. RP_ERROR_DAMAGED with the
 * reason in `why`, or RP_ERROR_NO_MEMORY. The words must live as long as the results are looked at.
 */
rp_status rp_spirv_read(rp_spirv_reader *reader, const uint32_t *words, uint32_t count,
                        const char *entry, const rp_spirv_spec *specs, uint32_t spec_count,
                        char why[128]);

/* A module says which subgroup size its code relies on by an OpModuleProcessed of this text and a
 * decimal number: the language has no better word for it, and there it is part of what is hashed,
 * cached and proven. */
#define RP_SPIRV_SUBGROUP "reprise subgroup "
/* The size that a module of valid instructions relies on; 0: none. A walk up to its first type. */
uint32_t rp_spirv_subgroup(const uint32_t *words, uint32_t count);

/* Whether a module states a capability that no plan may need, whatever else it is; the same text. */
bool rp_spirv_refused(const uint32_t *words, uint32_t count, char text[RP_SPIRV_UNSUPPORTED]);

/* What rp_plan_capability_at gives. */
const char *rp_spirv_capability_at(uint32_t index, uint64_t *needs);

/* The constant with SpecId `id`, NULL when there is none. */
const rp_spirv_constant *rp_spirv_find_constant(const rp_spirv_reader *reader, uint32_t id);

/* The OpName of an id, "" without. */
const char *rp_spirv_name(const rp_spirv_reader *reader, uint32_t id);

/* Members of a block type: how many, one of them, and its OpMemberName ("" without; a walk over the
 * module). */
uint32_t rp_spirv_member_count(const rp_spirv_reader *reader, uint32_t type);
rp_spirv_member rp_spirv_get_member(const rp_spirv_reader *reader, uint32_t type, uint32_t index);
const char *rp_spirv_member_name(const rp_spirv_reader *reader, uint32_t type, uint32_t index);
/* What a type of the module is; RP_SPIRV_OTHER for an id that is none. */
rp_spirv_shape rp_spirv_get_shape(const rp_spirv_reader *reader, uint32_t type);

#endif
