/* The array at the end of a block: where its elements lie, and how many of them one invocation can
 * write at most. The promise of `w` is held against both (graph/verify_promises.c).
 *
 * The number is a bound, not a guess: a store that is in no loop happens at most once each time its
 * function is called, so counting the stores of the call tree counts what an invocation can write.
 * A block is in a loop when control can come back to it. Where that is not enough (a store in a
 * loop, of a whole array, a pointer handed on, device addresses) nothing is said. Cost: one walk of
 * the words, one of each function for each call, and in functions with loops one of the blocks that
 * may follow each block; all up to a limit. */
#include "kernel/spirv.h"

#include <spirv/unified1/spirv.h>

enum { MAX_DEPTH = 32, MAX_STEPS = 1 << 22 };
/* Of SPV_KHR_cooperative_matrix, which SPIRV-Headers may not have. A store of a matrix is one of many
 * elements: it counts as unknown. */
enum { COOPERATIVE_MATRIX_LOAD = 4457, COOPERATIVE_MATRIX_MUL_ADD = 4459 };

typedef struct finder {
    const uint32_t *words;
    uint32_t count, bound;
    uint32_t *def;    /* id -> the place of the instruction that makes it, 0 = none */
    uint32_t *root;   /* id of a pointer -> its variable, 0 = none */
    uint32_t *stores; /* per variable; RP_NONE: unknown */
    uint32_t *seen;   /* per label: the last search that came there */
    uint32_t *stack;
    uint32_t steps, searches;
    bool lost; /* nothing can be said about stores */
} finder;

static const uint32_t *instruction(const finder *f, uint32_t id) {
    return id < f->bound && f->def[id] ? f->words + f->def[id] : NULL;
}

static uint32_t op_of(const uint32_t *w) {
    return w ? w[0] & 0xffff : SpvOpNop;
}

/* ---- What is defined where ------------------------------------------------------------------- */

/* The place of the result's id in the instructions that matter here; 0 for others. */
static uint32_t result_at(uint32_t op) {
    switch (op) {
    case SpvOpTypeInt:
    case SpvOpTypeFloat:
    case SpvOpTypeVector:
    case SpvOpTypeMatrix:
    case SpvOpLabel:
    case SpvOpTypeArray:
    case SpvOpTypeRuntimeArray:
    case SpvOpTypeStruct:
    case SpvOpTypePointer: return 1;
    case SpvOpVariable:
    case SpvOpFunction:
    case SpvOpAccessChain:
    case SpvOpInBoundsAccessChain:
    case SpvOpCopyObject: return 2;
    }
    return 0;
}

static void index_words(finder *f) {
    for (uint32_t at = RP_SPIRV_HEADER; at < f->count; at += f->words[at] >> 16) {
        const uint32_t *w = f->words + at;
        uint32_t op = op_of(w), id = result_at(op) ? w[result_at(op)] : 0;
        if (op == SpvOpCapability && (w[1] == SpvCapabilityPhysicalStorageBufferAddresses ||
                                      w[1] == SpvCapabilityVariablePointersStorageBuffer ||
                                      w[1] == SpvCapabilityVariablePointers))
            f->lost = true;
        if (id == 0 || id >= f->bound) continue;
        f->def[id] = at;
        if (op == SpvOpVariable)
            f->root[id] = id;
        else if (result_at(op) == 2 && op != SpvOpFunction)
            f->root[id] = f->root[w[3]]; /* made before it is used */
    }
}

/* The literal of a decoration of an id, or of a member of it; false without. */
static bool decoration(const finder *f, uint32_t id, uint32_t member, uint32_t kind,
                       uint32_t *value) {
    for (uint32_t at = RP_SPIRV_HEADER; at < f->count; at += f->words[at] >> 16) {
        const uint32_t *w = f->words + at;
        uint32_t op = op_of(w), length = w[0] >> 16;
        if (op == SpvOpFunction) break;
        if (member == RP_NONE && op == SpvOpDecorate && length > 3 && w[1] == id && w[2] == kind) {
            *value = w[3];
            return true;
        }
        if (member != RP_NONE && op == SpvOpMemberDecorate && length > 4 && w[1] == id &&
            w[2] == member && w[3] == kind) {
            *value = w[4];
            return true;
        }
    }
    return false;
}

/* ---- Layout ---------------------------------------------------------------------------------- */

/* Bytes that a value of a type has, without what lies between its parts; 0 for unknown types, as
 * those with arrays in them. */
static uint32_t value_bytes(const finder *f, uint32_t type) {
    const uint32_t *w = instruction(f, type);
    uint32_t op = op_of(w), sum = 0;
    if (op == SpvOpTypeInt || op == SpvOpTypeFloat) return w[2] / 8;
    if (op == SpvOpTypeVector || op == SpvOpTypeMatrix) return value_bytes(f, w[2]) * w[3];
    for (uint32_t i = 2; op == SpvOpTypeStruct && i < w[0] >> 16; i++) {
        uint32_t part = value_bytes(f, w[i]);
        if (part == 0) return 0;
        sum += part;
    }
    return sum;
}

static uint8_t components_of(const finder *f, uint32_t type) {
    const uint32_t *w = instruction(f, type);
    if (op_of(w) == SpvOpTypeVector) return (uint8_t)w[3];
    return op_of(w) == SpvOpTypeInt || op_of(w) == SpvOpTypeFloat;
}

/* The layout of the array at the end of a variable's block; false when there is none. */
static bool array_layout(const finder *f, uint32_t variable, rp_graph_array *out) {
    const uint32_t *pointer = instruction(f, f->words[f->def[variable] + 1]);
    const uint32_t *block = op_of(pointer) == SpvOpTypePointer ? instruction(f, pointer[3]) : NULL;
    uint32_t members = op_of(block) == SpvOpTypeStruct ? (block[0] >> 16) - 2 : 0, offset;
    if (members == 0) return false;
    const uint32_t *array = instruction(f, block[1 + members]);
    if (op_of(array) != SpvOpTypeRuntimeArray && op_of(array) != SpvOpTypeArray) return false;
    if (!decoration(f, block[1], members - 1, SpvDecorationOffset, &offset) ||
        !decoration(f, array[1], RP_NONE, SpvDecorationArrayStride, &out->stride))
        return false;
    out->offset = offset;
    out->components = components_of(f, array[2]);
    out->element = value_bytes(f, array[2]);
    return out->element > 0;
}

/* ---- Stores ---------------------------------------------------------------------------------- */

static void add_stores(finder *f, uint32_t pointer, uint32_t count) {
    uint32_t variable = pointer < f->bound ? f->root[pointer] : 0;
    if (variable == 0 || f->stores[variable] == RP_NONE) return;
    bool many = count == RP_NONE || f->stores[variable] > MAX_STEPS;
    f->stores[variable] = many ? RP_NONE : f->stores[variable] + count;
}

/* A store through a pointer to anything without an array in it reaches one element. */
static void visit_store(finder *f, uint32_t pointer, bool repeated) {
    const uint32_t *chain = instruction(f, pointer);
    const uint32_t *type = chain ? instruction(f, chain[1]) : NULL;
    bool one = op_of(type) == SpvOpTypePointer && value_bytes(f, type[3]) > 0;
    add_stores(f, pointer, one && !repeated ? 1 : RP_NONE);
}

static bool ends_block(uint32_t op) {
    return op == SpvOpBranch || op == SpvOpBranchConditional || op == SpvOpSwitch ||
           op == SpvOpReturn || op == SpvOpReturnValue || op == SpvOpKill ||
           op == SpvOpUnreachable || op == SpvOpFunctionEnd;
}

/* Puts the blocks that may follow a block on the stack, those that this search has not seen. A
 * literal that looks like a label adds a path, which can only make less known. */
static uint32_t push_followers(finder *f, uint32_t label, uint32_t count) {
    const uint32_t *w = instruction(f, label);
    for (; !ends_block(op_of(w)); w += w[0] >> 16) f->steps++;
    for (uint32_t i = 1; i < w[0] >> 16; i++) {
        if (op_of(instruction(f, w[i])) != SpvOpLabel || f->seen[w[i]] == f->searches) continue;
        f->seen[w[i]] = f->searches;
        f->stack[count++] = w[i];
    }
    return count;
}

/* Whether control can come back to a block. */
static bool is_repeated(finder *f, uint32_t label) {
    f->searches++;
    for (uint32_t count = push_followers(f, label, 0); count > 0 && f->steps < MAX_STEPS;)
        count = push_followers(f, f->stack[count - 1], count - 1);
    return f->seen[label] == f->searches;
}

static bool has_loop(const uint32_t *function) {
    const uint32_t *w = function;
    while (op_of(w) != SpvOpFunctionEnd && op_of(w) != SpvOpLoopMerge) w += w[0] >> 16;
    return op_of(w) == SpvOpLoopMerge;
}

/* Whether an instruction cannot write through a pointer that it names, or has literals among its
 * operands and takes none: a literal might look like the id of one. */
static bool only_looks(uint32_t op) {
    switch (op) {
    case SpvOpLoad:
    case SpvOpArrayLength:
    case SpvOpCompositeExtract:
    case SpvOpCompositeInsert:
    case SpvOpVectorShuffle:
    case SpvOpSwitch:
    case SpvOpLine:
    case SpvOpLabel:
    case SpvOpBranch:
    case SpvOpBranchConditional:
    case SpvOpLoopMerge:
    case SpvOpSelectionMerge:
    case COOPERATIVE_MATRIX_LOAD:
    case COOPERATIVE_MATRIX_MUL_ADD: return true;
    }
    return result_at(op) == 2;
}

/* `again`: the function is called in a loop. */
static void visit_function(finder *f, uint32_t id, uint32_t depth, bool again) {
    const uint32_t *function = instruction(f, id);
    if (op_of(function) != SpvOpFunction || depth > MAX_DEPTH) f->lost = true;
    bool loops = !f->lost && !again && has_loop(function), repeated = again;
    for (const uint32_t *w = function; !f->lost; w += w[0] >> 16) {
        uint32_t op = op_of(w), length = w[0] >> 16;
        if (op == SpvOpFunctionEnd) return;
        if (loops && op == SpvOpLabel) repeated = is_repeated(f, w[1]);
        if (++f->steps > MAX_STEPS) f->lost = true;
        if (op == SpvOpStore) {
            visit_store(f, w[1], repeated);
            continue;
        }
        if (only_looks(op)) continue;
        for (uint32_t i = op == SpvOpExtInst ? 5 : 1; i < length; i++) add_stores(f, w[i], RP_NONE);
        if (op == SpvOpFunctionCall) visit_function(f, w[3], depth + 1, repeated);
    }
}

static uint32_t entry_function(const finder *f, const char *entry) {
    for (uint32_t at = RP_SPIRV_HEADER; at < f->count; at += f->words[at] >> 16) {
        const uint32_t *w = f->words + at;
        if (op_of(w) == SpvOpEntryPoint && w[1] == SpvExecutionModelGLCompute &&
            strcmp((const char *)(w + 3), entry) == 0)
            return w[2];
    }
    return 0;
}

/* ---- Both ------------------------------------------------------------------------------------ */

static void describe(const finder *f, rp_graph_param *params, uint32_t count) {
    for (uint32_t id = 1; id < f->bound; id++) {
        uint32_t set = 0, binding;
        if (f->root[id] != id || !decoration(f, id, RP_NONE, SpvDecorationBinding, &binding))
            continue;
        decoration(f, id, RP_NONE, SpvDecorationDescriptorSet, &set);
        for (uint32_t i = 0; i < count; i++) {
            if (params[i].set != set || params[i].binding != binding) continue;
            rp_graph_array found = {0};
            bool first = params[i].array.stride == 0;
            if (array_layout(f, id, &found) && first) {
                params[i].array = found;
                if (!f->lost && f->stores[id] != RP_NONE) params[i].array.stores = f->stores[id];
            } else {
                params[i].array = (rp_graph_array){.stride = RP_NONE}; /* of two views: neither */
            }
        }
    }
    for (uint32_t i = 0; i < count; i++)
        if (params[i].array.stride == RP_NONE) params[i].array = (rp_graph_array){0};
}

bool rp_spirv_arrays(const rp_allocator *a, const rp_kernel_module *m, rp_graph_param *params,
                     uint32_t count) {
    finder f = {.words = m->words, .count = m->word_count, .bound = m->words[3]};
    f.def = rp_alloc_zero(a, f.bound, sizeof *f.def);
    f.root = rp_alloc_zero(a, f.bound, sizeof *f.root);
    f.stores = rp_alloc_zero(a, f.bound, sizeof *f.stores);
    f.seen = rp_alloc_zero(a, f.bound, sizeof *f.seen);
    f.stack = rp_alloc(a, f.bound, sizeof *f.stack);
    bool room = f.def && f.root && f.stores && f.seen && f.stack;
    if (room) {
        index_words(&f);
        visit_function(&f, entry_function(&f, m->entry), 0, false);
        describe(&f, params, count);
    }
    rp_release(a, f.def);
    rp_release(a, f.root);
    rp_release(a, f.stores);
    rp_release(a, f.seen);
    rp_release(a, f.stack);
    return room;
}
