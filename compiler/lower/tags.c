/* Tagged buffers in the text of a kernel: how their elements lie in memory, are stored, and are waited for.
 *
 * Each element lies in a word of 64 bits, with the tag of the replay that stored it (docs/checker.md). Words
 * are stored and loaded as relaxed atomics: a word is there as a whole or not at all, and nothing else is
 * ordered by it.
 *
 * No load is wider than a word, and with words in order text that takes four elements at once has
 * neighbours four words apart: each load of a subgroup would touch a sector of memory for each of its
 * lanes, and the four together each sector four times. So elements 4a + b of TILE ones in a row lie at
 * b * TILE / 4 + a, where lanes that take
 * fours find neighbours beside each other, and lanes that take one element after the other whole sectors
 * as ever. What is left of the buffer behind the last whole tile lies in order.
 *
 * There are two ways to wait. Most text loads a word again until it is there, and goes on. Where an element
 * is made of many words, as a map may make one, that would have each word's way through memory begin
 * behind the end of the last one's. So there all is computed of whatever words are found, and computed
 * again until all of them were there: nothing that counts happens before. Text takes any number for what it is,
 * an index too, as it takes those of an application. */
#include "lower/internal.h"

#include <string.h>

#include "reprise/needs.h"

/* Elements that are interleaved: 16, 32, 64 and 128 were measured (docs/benchmarks.md). */
enum { TILE = 64, ELEMENT_BYTES = 4 };

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

/* The word of an element, and the element of a word; and how far apart the words of four are that begin at a
 * multiple of four. */
static void put_places(rp_emit *e, const char *name, uint64_t elements) {
    const char *tiled = rp_emit_uint(e, rp_emit_name(e, "%s_TILED", name), elements / TILE * TILE);
    const char *rest = elements % TILE ? rp_emit_name(e, "i >= %s ? ", tiled) : "";
    const char *i = *rest ? "i : " : "", *one = *rest ? "1u : " : "";
    rp_text_format(&e->functions,
                   "uint %s_place(uint i) {\n"
                   "    return %s%si / %uu * %uu + i %% 4u * %uu + i / 4u %% %uu;\n}\n\n"
                   "uint %s_element(uint i) {\n"
                   "    return %s%si / %uu * %uu + i %% %uu * 4u + i / %uu %% 4u;\n}\n\n"
                   "uint %s_apart(uint i) {\n    return %s%s%uu;\n}\n\n",
                   name, rest, i, TILE, TILE, TILE / 4, TILE / 4, name, rest, i, TILE, TILE,
                   TILE / 4, TILE / 4, name, rest, one, TILE / 4);
}

/* The function that stores an element of the array. */
static void put_store(rp_emit *e, const char *name) {
    rp_text_format(&e->functions,
                   "void %s_store(uint i, uint bits) {\n"
                   "    atomicStore(%s[%s_place(i)], tagged_word(bits), gl_ScopeDevice,\n"
                   "                gl_StorageSemanticsBuffer, gl_SemanticsRelaxed);\n}\n\n",
                   name, name, name);
}

/* Those that load a word by its place, and that of an element. */
static void put_loads(rp_emit *e, const char *name) {
    rp_text_format(&e->functions,
                   "uint64_t %s_at(uint place) {\n"
                   "    return atomicLoad(%s[place], gl_ScopeDevice, gl_StorageSemanticsBuffer,\n"
                   "                      gl_SemanticsRelaxed);\n}\n\n"
                   "uint64_t %s_load(uint i) {\n    return %s_at(%s_place(i));\n}\n\n",
                   name, name, name, name, name);
}

/* Those that load one or four words as they are found, and note whether they were there. */
static void put_looks(rp_emit *e, const char *name) {
    rp_text_format(
        &e->functions,
        "uint %s_found(uint64_t a) {\n"
        "    all_stored = all_stored && is_stored(a);\n"
        "    return uint(a);\n}\n\n"
        "uint %s_word(uint i) {\n    return %s_found(%s_load(i));\n}\n\n"
        "uvec4 %s_words(uint i) {\n"
        "    uint at = %s_place(i), apart = %s_apart(i);\n"
        "    return uvec4(%s_found(%s_at(at)), %s_found(%s_at(at + apart)),\n"
        "                 %s_found(%s_at(at + 2u * apart)), %s_found(%s_at(at + 3u * apart)));\n"
        "}\n\n",
        name, name, name, name, name, name, name, name, name, name, name, name, name, name, name);
}

static bool is_asked_ahead(const rp_emit *e, uint32_t use) {
    for (uint32_t i = 0; i < e->asked_count; i++)
        if (e->asked[i] == use) return true;
    return false;
}

void rp_emit_ask_ahead(rp_emit *e, uint32_t use) {
    if (is_asked_ahead(e, use)) return;
    if (RP_RESERVE(&e->allocator, e->asked, e->asked_count, e->asked_capacity, 1))
        e->asked[e->asked_count++] = use;
    else
        rp_emit_no_memory(e);
}

/* What an invocation asked for ahead: the element, and its word as it was found. */
static void put_ask(rp_emit *e, const char *name) {
    rp_text_format(&e->globals,
                   "uint %s_ahead_of = 0xffffffffu;\n"
                   "uint64_t %s_ahead;\n",
                   name, name);
    rp_text_format(&e->functions,
                   "void %s_ask(uint i) {\n"
                   "    %s_ahead_of = i;\n"
                   "    %s_ahead = %s_load(i);\n}\n\n",
                   name, name, name, name);
}

const char *rp_emit_ask_function(rp_emit *e, uint32_t use) {
    return rp_emit_name(e, "%s_ask", rp_emit_tagged_array(e, use).name);
}

/* Those that load one or four, together, again and again until all are there. */
static void put_waits(rp_emit *e, const char *name, bool ahead) {
    const char *found = ahead ? rp_emit_name(e, "i == %s_ahead_of ? %s_ahead : ", name, name) : "";
    rp_text_format(
        &e->functions,
        "uint %s_word(uint i) {\n"
        "    uint64_t a = %s%s_load(i);\n"
        "    for (uint spins = 0u; !is_stored(a) && !gives_up(spins); spins++) a = %s_load(i);\n"
        "    return uint(a);\n}\n\n"
        "uvec4 %s_words(uint i) {\n"
        "    uint at = %s_place(i), apart = %s_apart(i), spins = 0u;\n"
        "    uint64_t a, b, c, d;\n"
        "    do {\n"
        "        a = %s_at(at), b = %s_at(at + apart);\n"
        "        c = %s_at(at + 2u * apart), d = %s_at(at + 3u * apart);\n"
        "    } while (!(is_stored(a) && is_stored(b) && is_stored(c) && is_stored(d)) &&\n"
        "             !gives_up(spins++));\n"
        "    return uvec4(uint(a), uint(b), uint(c), uint(d));\n}\n\n",
        name, found, name, name, name, name, name, name, name, name, name);
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
    put_places(e, name, rp_node_uses(e->graph, e->node)[use].size / ELEMENT_BYTES);
    if (rp_access_writes(rp_node_uses(e->graph, e->node)[use].access)) {
        put_store(e, name);
        return array;
    }
    put_loads(e, name);
    bool ahead = is_asked_ahead(e, use);
    if (ahead) put_ask(e, name);
    if (rp_emit_looks_again(e) || rp_emit_is_late(e, use))
        put_looks(e, name);
    else
        put_waits(e, name, ahead);
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
    const char *words = rp_emit_uint(e, rp_emit_name(e, "b%u_WORDS", use), u->size / ELEMENT_BYTES);
    rp_text_format(to,
                   "%s%s(uint(uint64_t(%s) * (gl_WorkGroupID.x * gl_NumSubgroups + "
                   "gl_SubgroupID) / (gl_NumWorkGroups.x * gl_NumSubgroups)));\n",
                   indent, await, words);
}
