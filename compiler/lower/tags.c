/* Tagged buffers in the text of a kernel: how their elements lie in memory, are stored, and are waited for.
 *
 * Each element lies in a word of 64 bits, with the tag of the replay that stored it (docs/checker.md). Words
 * are stored and loaded as relaxed atomics: a word is there as a whole or not at all, and nothing else is
 * ordered by it.
 *
 * There are two ways to wait. Most text loads a word again until it is there, and goes on. Where an element
 * is made of many words, as a map may make one, that would have each word's way through memory begin
 * behind the end of the last one's. So there all is computed of whatever words are found, and computed
 * again until all of them were there: nothing that counts happens before. Text takes any number for what it is,
 * an index too, as it takes those of an application. */
#include "lower/internal.h"

#include <string.h>

#include "reprise/needs.h"

/* How often a word is loaded in vain before a kernel gives up: about a second on an H200. */
enum { MOST_SPINS = 1 << 20 };

/* An invocation's loops may end after some turns: each time that it looks again takes one, and with all
 * that is computed from what it looked at those of that. */
static uint64_t most_spins(const rp_emit *e) {
    double most = (double)rp_graph_target(e->graph)->loop_turns / 4;
    if (most == 0) return MOST_SPINS;
    double each = 1;
    for (uint32_t i = 0; rp_emit_looks_again(e) && i < e->member_count; i++)
        each += rp_op_element_turns(&e->members[i].call);
    most = most / each;
    return most < 1 ? 1 : most < MOST_SPINS ? (uint64_t)most : MOST_SPINS;
}

/* What a kernel with tagged uses has beside them: the tag of the replay in its push data and, if it
 * waits, the word of stalls, in the binding behind those of the uses. */
static void put_replay(rp_emit *e) {
    if (!rp_emit_add_function(e, "replay_tag")) return;
    e->extensions |= RP_EMIT_TAGS;
    rp_text_string(&e->buffers, "layout(push_constant) uniform Replay { uint replay_tag; };\n");
    if (!rp_node_waits(e->graph, e->node)) return;
    rp_emit_uint(e, "STALL_SPINS", most_spins(e));
    rp_text_format(&e->buffers,
                   "layout(binding = %u) coherent buffer Block_stall { uint stall; };\n",
                   e->node->use_count);
}

bool rp_emit_looks_again(const rp_emit *e) {
    return e->shape.kind == RP_SHAPE_MAP && rp_node_waits(e->graph, e->node);
}

/* The function that stores an element of the array. */
static void put_store(rp_emit *e, const char *name) {
    rp_text_format(&e->functions,
                   "void %s_store(uint i, uint bits) {\n"
                   "    atomicStore(%s[i], tagged_word(bits), gl_ScopeDevice,\n"
                   "                gl_StorageSemanticsBuffer, gl_SemanticsRelaxed);\n}\n\n",
                   name, name);
}

/* Those that load one or four words as they are found, and note whether they were there. */
static void put_looks(rp_emit *e, const char *name) {
    rp_text_format(&e->functions,
                   "uint %s_word(uint i) {\n"
                   "    uint64_t a = %s_load(i);\n"
                   "    all_stored = all_stored && is_stored(a);\n"
                   "    return uint(a);\n}\n\n"
                   "uvec4 %s_words(uint i) {\n"
                   "    return uvec4(%s_word(i), %s_word(i + 1u), %s_word(i + 2u), %s_word(i + "
                   "3u));\n}\n\n",
                   name, name, name, name, name, name, name);
}

/* Those that load one or four, together, again and again until all are there. */
static void put_waits(rp_emit *e, const char *name) {
    rp_text_format(
        &e->functions,
        "uint %s_word(uint i) {\n"
        "    uint64_t a = %s_load(i);\n"
        "    for (uint spins = 0u; !is_stored(a) && !gives_up(spins); spins++) a = %s_load(i);\n"
        "    return uint(a);\n}\n\n"
        "uvec4 %s_words(uint i) {\n"
        "    uint64_t a, b, c, d;\n"
        "    uint spins = 0u;\n"
        "    do {\n"
        "        a = %s_load(i), b = %s_load(i + 1u), c = %s_load(i + 2u), d = %s_load(i + 3u);\n"
        "    } while (!(is_stored(a) && is_stored(b) && is_stored(c) && is_stored(d)) &&\n"
        "             !gives_up(spins++));\n"
        "    return uvec4(uint(a), uint(b), uint(c), uint(d));\n}\n\n",
        name, name, name, name, name, name, name, name);
}

rp_emit_array_type rp_emit_tagged_array(rp_emit *e, uint32_t use) {
    const char *name = rp_emit_name(e, "b%u", use);
    rp_emit_array_type array = {use, "uint64_t", name, NULL};
    if (!rp_emit_add_function(e, rp_emit_name(e, "%s_word", name))) return array;
    put_replay(e);
    if (!RP_RESERVE(&e->allocator, e->arrays, e->arrays_count, e->arrays_capacity, 1)) {
        rp_emit_no_memory(e);
        return array;
    }
    e->arrays[e->arrays_count++] = array;
    rp_text_format(&e->buffers,
                   "layout(binding = %u) coherent buffer Block_%s { uint64_t %s[]; };\n", use, name,
                   name);
    if (rp_access_writes(rp_node_uses(e->graph, e->node)[use].access)) {
        put_store(e, name);
        return array;
    }
    rp_text_format(&e->functions,
                   "uint64_t %s_load(uint i) {\n"
                   "    return atomicLoad(%s[i], gl_ScopeDevice, gl_StorageSemanticsBuffer,\n"
                   "                      gl_SemanticsRelaxed);\n}\n\n",
                   name, name);
    if (rp_emit_looks_again(e) || rp_emit_is_late(e, use))
        put_looks(e, name);
    else
        put_waits(e, name);
    return array;
}

const char *rp_emit_tagged_element(rp_emit *e, const rp_emit_array_type *array, uint8_t dtype,
                                   const char *type, const char *index) {
    const char *bits = type && strstr(type, "vec4")
                           ? rp_emit_name(e, "%s_words((%s) * 4u)", array->name, index)
                           : rp_emit_name(e, "%s_word(%s)", array->name, index);
    return dtype == RP_F32   ? rp_emit_name(e, "uintBitsToFloat(%s)", bits)
           : dtype != RP_I32 ? bits
           : bits && type    ? rp_emit_name(e, "%s(%s)", type, bits)
                             : rp_emit_name(e, "int(%s)", bits);
}

const char *rp_emit_tagged_store(rp_emit *e, uint32_t member, uint32_t operand, const char *index,
                                 const char *value) {
    rp_emit_array_type array = rp_emit_tagged_array(e, e->members[member].operands[operand].use);
    uint8_t dtype = e->members[member].operands[operand].dtype;
    const char *bits = dtype == RP_F32 ? "floatBitsToUint" : "uint";
    return rp_emit_name(e, "%s_store(%s, %s(%s))", array.name, index, bits, value);
}

/* The first product of the node; RP_NONE. */
static uint32_t first_product(const rp_emit *e) {
    for (uint32_t i = 0; i < e->member_count; i++)
        if (e->members[i].call.op->product) return i;
    return RP_NONE;
}

/* Whether an operand is read for the x of products alone, which is computed in such a loop, too; what rows are
 * reduced for is not. */
static bool is_for_x(const rp_emit *e, uint32_t product, uint32_t member, uint32_t operand) {
    if (!e->looks_for_x || rp_emit_has_rows(e, product, 0)) return false;
    return e->members[member].call.op->product ? operand == 0
                                               : rp_emit_has(&e->members[product].upstream, member);
}

bool rp_emit_is_late(const rp_emit *e, uint32_t use) {
    uint32_t product = first_product(e);
    bool late = true;
    /* What is brought to shared memory is waited for there, once, in front of the loop. */
    for (uint32_t i = 0; i < e->copies_count; i++) late &= e->copies[i].use != use;
    for (uint32_t i = 0; i < e->member_count; i++) {
        const rp_emit_member *m = &e->members[i];
        for (uint32_t k = 0; k < m->call.operand_count; k++)
            if (!m->operands[k].absent && m->operands[k].use == use)
                late &= rp_op_operand_of(&m->call, k)->late || is_for_x(e, product, i, k);
    }
    return late;
}

/* Of a subgroup one invocation waits for one word, so that all of them together do not keep the memory
 * busy that others are waited for with. */
static const char *await_function(rp_emit *e, uint32_t use) {
    const char *name = rp_emit_tagged_array(e, use).name;
    const char *await = rp_emit_name(e, "%s_await", name);
    if (rp_emit_add_function(e, await))
        rp_text_format(&e->functions,
                       "void %s(uint i) {\n"
                       "    uint spins = 0u;\n"
                       "    if (subgroupElect())\n"
                       "        while (!is_stored(%s_load(i)) && !gives_up(spins)) spins++;\n"
                       "    subgroupBarrier();\n}\n\n",
                       await, name);
    return await;
}

const char *rp_emit_await_function(rp_emit *e, uint32_t member, uint32_t operand) {
    return await_function(e, e->members[member].operands[operand].use);
}

void rp_emit_await(rp_emit *e, rp_text *to, uint32_t use, const char *indent) {
    const rp_graph_use *u = &rp_node_uses(e->graph, e->node)[use];
    const char *await = await_function(e, use);
    const char *words = rp_emit_uint(e, rp_emit_name(e, "b%u_WORDS", use), u->size / 4);
    rp_text_format(to,
                   "%s%s(uint(uint64_t(%s) * (gl_WorkGroupID.x * gl_NumSubgroups + "
                   "gl_SubgroupID) / (gl_NumWorkGroups.x * gl_NumSubgroups)));\n",
                   indent, await, words);
}
