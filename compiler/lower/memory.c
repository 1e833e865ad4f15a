/* Reading what is in memory: functions of an element's index that load one element, four or eight,
 * or sixteen bytes of them as cooperative matrices take them: eight f16, or sixteen i8.
 *
 * A load takes as long for 16 bytes as for 2. So four elements are one load of the widest type that
 * lies where the operand begins; where it begins elsewhere (a view may begin at any element), they
 * are four loads. Values are the same to the bit. Blocks are unpacked, each word of them loaded
 * once. */
#include "lower/internal.h"

/* ---- One ------------------------------------------------------------------------------------- */

static void put_block_element(rp_emit *e, uint32_t member, uint32_t operand, const char *name) {
    const char *unit = rp_emit_element(e, member, operand, NULL, "block");
    if (e->members[member].operands[operand].dtype == RP_Q8_0)
        rp_text_format(&e->functions,
                       "float %s(uint i) {\n"
                       "    uint block = i / 32u * 17u, k = i %% 32u;\n"
                       "    uint pair = uint(%s);\n"
                       "    int code = int(pair << (24u - 8u * (k %% 2u))) >> 24;\n"
                       "    %sfloat r = float(code) * f16_to_f32(uint(%s));\n"
                       "    return r;\n"
                       "}\n\n",
                       name, rp_emit_element(e, member, operand, NULL, "block + 1u + k / 2u"),
                       rp_emit_precise(e), unit);
    else
        rp_text_format(&e->functions,
                       "float %s(uint i) {\n"
                       "    uint block = i / 32u * 9u, k = i %% 32u;\n"
                       "    uint pair = uint(%s);\n"
                       "    uint code = pair >> (8u * (k %% 2u) + k / 16u * 4u) & 15u;\n"
                       "    %sfloat r = (float(code) - 8.0) * f16_to_f32(uint(%s));\n"
                       "    return r;\n"
                       "}\n\n",
                       name, rp_emit_element(e, member, operand, NULL, "block + 1u + k % 16u / 2u"),
                       rp_emit_precise(e), unit);
}

static void read_instead(rp_emit *e, uint32_t member, uint32_t operand, rp_emit_copy copy) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    copy.use = o->use;
    copy.dtype = o->dtype;
    if (RP_RESERVE(&e->allocator, e->copies, e->copies_count, e->copies_capacity, 1))
        e->copies[e->copies_count++] = copy;
    else
        rp_emit_no_memory(e);
}

void rp_emit_read_copy(rp_emit *e, uint32_t member, uint32_t operand, const char *name,
                       uint64_t first) {
    read_instead(e, member, operand, (rp_emit_copy){.name = name, .first = first});
}

void rp_emit_read_single(rp_emit *e, uint32_t member, uint32_t operand, const char *name) {
    read_instead(e, member, operand, (rp_emit_copy){.name = name, .single = true});
}

/* The vector of a copy with the element i. */
static const char *copied_vector(rp_emit *e, const rp_emit_copy *copy) {
    if (!copy->first) return rp_emit_name(e, "%s[i / 4u]", copy->name);
    return rp_emit_name(e, "%s[%lluu + i / 4u]", copy->name, (unsigned long long)copy->first);
}

/* Where an operand is read from instead of memory; NULL: nowhere. */
static const rp_emit_copy *copy_of(const rp_emit *e, const rp_graph_operand *o) {
    for (uint32_t i = 0; i < e->copies_count; i++)
        if (e->copies[i].use == o->use && e->copies[i].dtype == o->dtype) return &e->copies[i];
    return NULL;
}

const char *rp_emit_memory(rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    const char *name = rp_emit_name(e, "r%u_%s", o->use, rp_dtype_name((rp_dtype)o->dtype));
    if (!rp_emit_add_function(e, name)) return name;
    const rp_emit_copy *copy = copy_of(e, o);
    const char *element = !copy          ? rp_emit_element(e, member, operand, NULL, "i")
                          : copy->single ? copy->name
                                         : rp_emit_name(e, "%s[i %% 4u]", copied_vector(e, copy));
    const char *before = "", *behind = "";
    switch ((rp_dtype)o->dtype) {
    case RP_Q8_0:
    case RP_Q4_0: put_block_element(e, member, operand, name); return name;
    case RP_F16: before = "f16_to_f32(uint(", behind = "))"; break;
    case RP_BF16: before = "bf16_to_f32(uint(", behind = "))"; break;
    case RP_I16:
    case RP_I8: before = "int(", behind = ")"; break;
    case RP_RAW:
    case RP_BOOL:
    case RP_U16:
    case RP_U8: before = "uint(", behind = ")"; break;
    case RP_F64:
    case RP_I64:
    case RP_U64:
    case RP_F32:
    case RP_I32:
    case RP_U32: break;
    }
    rp_text_format(&e->functions, "%s %s(uint i) {\n    return %s%s%s;\n}\n\n",
                   rp_emit_class(o->dtype), name, before, element, behind);
    return name;
}

/* ---- Types ----------------------------------------------------------------------------------- */

bool rp_emit_absent_is_uint(const rp_emit *e, uint32_t member, uint32_t operand) {
    const char *value = rp_op_operand_of(&e->members[member].call, operand)->absent;
    size_t length = value ? strlen(value) : 0;
    return length && value[length - 1] == 'u';
}

const char *rp_emit_type_4(const rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    if (rp_op_is_long(&e->members[member].call, operand))
        return o->dtype == RP_I64 ? "i64vec4" : "u64vec4";
    const char *type = rp_emit_class(o->absent ? RP_F32 : o->dtype);
    if (o->absent && rp_emit_absent_is_uint(e, member, operand)) type = "uint";
    return *type == 'f' ? "vec4" : *type == 'i' ? "ivec4" : "uvec4";
}

static bool begins_at(const rp_emit *e, uint32_t member, uint32_t operand, uint32_t alignment) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    return rp_node_uses(e->graph, e->node)[o->use].offset % alignment == 0;
}

const char *rp_emit_load_type(const rp_emit *e, uint32_t member, uint32_t operand, uint32_t width) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    uint32_t bytes = width * (uint32_t)rp_dtype_size((rp_dtype)o->dtype);
    if (rp_dtype_block((rp_dtype)o->dtype) != 1 || bytes > 16 ||
        !begins_at(e, member, operand, bytes))
        return NULL;
    if (o->dtype == RP_F32) return "vec4";
    if (o->dtype == RP_I32) return "ivec4";
    return bytes == 4 ? "uint" : bytes == 8 ? "uvec2" : "uvec4";
}

/* ---- Four and eight -------------------------------------------------------------------------- */

const char *rp_emit_unpack_4(rp_emit *e, uint8_t dtype, const char *words) {
    switch ((rp_dtype)dtype) {
    case RP_F16: return rp_emit_name(e, "f16x4_to_f32(%s)", words);
    case RP_BF16: return rp_emit_name(e, "bf16x4_to_f32(%s)", words);
    case RP_I8: return rp_emit_name(e, "unpack_i8(%s)", words);
    case RP_BOOL:
    case RP_U8: return rp_emit_name(e, "unpack_u8(%s)", words);
    case RP_I16: return rp_emit_name(e, "unpack_i16(%s)", words);
    case RP_U16: return rp_emit_name(e, "unpack_u16(%s)", words);
    case RP_F64:
    case RP_I64:
    case RP_U64:
    case RP_RAW:
    case RP_F32:
    case RP_I32:
    case RP_U32:
    case RP_Q8_0:
    case RP_Q4_0: break;
    }
    return words;
}

/* `  uint w0 = ...; uint w1 = ...;`: the 16-bit words of a block that hold elements k to k + 2n - 1
 * of q8_0; of q4_0 they hold as many in each half. */
static void put_words(rp_emit *e, uint32_t member, uint32_t operand, uint32_t count) {
    bool wide = e->members[member].operands[operand].dtype == RP_Q8_0;
    rp_text_format(&e->functions, "    uint at = block + 1u + k %s/ 2u;\n", wide ? "" : "% 16u ");
    for (uint32_t n = 0; n < count; n++)
        rp_text_format(&e->functions, "    uint w%u = uint(%s);\n", n,
                       rp_emit_element(e, member, operand, NULL, rp_emit_name(e, "at + %uu", n)));
    if (!wide)
        for (uint32_t n = 0; n < count; n++)
            rp_text_format(&e->functions, "    w%u = w%u >> (k / 16u * 4u) & 0xf0fu;\n", n, n);
}

/* `width` elements of blocks: each word of a block is loaded once. */
static void put_blocks(rp_emit *e, uint32_t member, uint32_t operand, const char *name,
                       uint32_t width) {
    rp_text *to = &e->functions;
    bool wide = e->members[member].operands[operand].dtype == RP_Q8_0;
    rp_text_format(
        to, width == 4 ? "vec4 %s(uint i) {\n" : "void %s(uint i, out vec4 low, out vec4 high) {\n",
        name);
    rp_text_format(to, "    uint block = i / 32u * %uu, k = i %% 32u;\n", wide ? 17u : 9u);
    put_words(e, member, operand, width / 2);
    rp_text_format(to, "    float scale = f16_to_f32(uint(%s));\n",
                   rp_emit_element(e, member, operand, NULL, "block"));
    for (uint32_t n = 0; n < width / 4; n++)
        rp_text_format(to,
                       wide
                           ? "    %svec4 r%u = vec4(unpack_i8(w%u | w%u << 16)) * scale;\n"
                           : "    %svec4 r%u = (vec4(unpack_u8(w%u | w%u << 16)) - 8.0) * scale;\n",
                       rp_emit_precise(e), n, 2 * n, 2 * n + 1);
    rp_text_string(to,
                   width == 4 ? "    return r0;\n}\n\n" : "    low = r0;\n    high = r1;\n}\n\n");
}

/* Four elements, each as the reader of one gives it. */
void rp_emit_put_four(rp_emit *e, const char *type, const char *name, const char *one) {
    rp_text_format(&e->functions,
                   "%s %s(uint i) {\n    return %s(%s(i), %s(i + 1u), %s(i + 2u), %s(i + 3u));\n"
                   "}\n\n",
                   type, name, type, one, one, one, one);
}

void rp_emit_put_eight(rp_emit *e, const char *type, const char *name, const char *four) {
    rp_text_format(&e->functions,
                   "void %s(uint i, out %s low, out %s high) {\n"
                   "    low = %s(i);\n    high = %s(i + 4u);\n}\n\n",
                   name, type, type, four, four);
}

const char *rp_emit_memory_4(rp_emit *e, uint32_t member, uint32_t operand) {
    uint8_t dtype = e->members[member].operands[operand].dtype;
    const char *one = rp_emit_memory(e, member, operand);
    const char *name = rp_emit_name(e, "%s_4", one);
    if (!rp_emit_add_function(e, name)) return name;
    const char *type = rp_emit_type_4(e, member, operand);
    const char *load = rp_emit_load_type(e, member, operand, 4);
    const rp_emit_copy *copy = copy_of(e, &e->members[member].operands[operand]);
    if (RP_DT(dtype) & RP_DT_BLOCK) {
        put_blocks(e, member, operand, name, 4);
    } else if (copy && !copy->single) {
        rp_text_format(&e->functions, "vec4 %s(uint i) {\n    return %s;\n}\n\n", name,
                       copied_vector(e, copy));
    } else if (load && !copy) {
        const char *words = rp_emit_element(e, member, operand, load, "i / 4u");
        rp_text_format(&e->functions, "%s %s(uint i) {\n    return %s;\n}\n\n", type, name,
                       rp_emit_unpack_4(e, dtype, words));
    } else {
        rp_emit_put_four(e, type, name, one);
    }
    return name;
}

const char *rp_emit_memory_8(rp_emit *e, uint32_t member, uint32_t operand) {
    uint8_t dtype = e->members[member].operands[operand].dtype;
    const char *type = rp_emit_type_4(e, member, operand);
    const char *load = rp_emit_load_type(e, member, operand, 8);
    const char *name = rp_emit_name(e, "%s_8", rp_emit_memory(e, member, operand));
    if (e->status != RP_OK || !rp_emit_add_function(e, name)) return name;
    if (RP_DT(dtype) & RP_DT_BLOCK) {
        put_blocks(e, member, operand, name, 8);
    } else if (load) {
        bool half = rp_emit_type_bytes(load) == 16;
        const char *words = rp_emit_element(e, member, operand, load, "i / 8u");
        rp_text_format(&e->functions,
                       "void %s(uint i, out %s low, out %s high) {\n    %s words = %s;\n"
                       "    low = %s;\n    high = %s;\n}\n\n",
                       name, type, type, load, words,
                       rp_emit_unpack_4(e, dtype, half ? "words.xy" : "words.x"),
                       rp_emit_unpack_4(e, dtype, half ? "words.zw" : "words.y"));
    } else {
        rp_emit_put_eight(e, type, name, rp_emit_memory_4(e, member, operand));
    }
    return name;
}

/* ---- Sixteen bytes for matrices -------------------------------------------------------------- */

/* Of blocks: a word's two codes at a time, as f16, times the scale, which rounds once. */
static void put_block_halves(rp_emit *e, uint32_t member, uint32_t operand, const char *name) {
    rp_text *to = &e->functions;
    bool wide = e->members[member].operands[operand].dtype == RP_Q8_0;
    const char *two = wide ? "i8x2_halves" : "u4x2_halves";
    rp_text_format(to, "uvec4 %s(uint i) {\n    uint block = i / 32u * %uu, k = i %% 32u;\n", name,
                   wide ? 17u : 9u);
    put_words(e, member, operand, 4);
    rp_text_format(to, "    f16vec2 scale = unpackFloat2x16(uint(%s) * 0x10001u);\n",
                   rp_emit_element(e, member, operand, NULL, "block"));
    rp_text_format(to,
                   "    return uvec4(%s(w0, scale), %s(w1, scale), %s(w2, scale), %s(w3, scale));\n"
                   "}\n\n",
                   two, two, two, two);
}

/* Blocks that are whole words of 32 bits in all, and begin at one: eight codes are in two of three
 * words, the scale is half of a fourth. Odd blocks begin in the middle of a word. */
static void put_block_fetch(rp_emit *e, uint32_t member, uint32_t operand, const char *name) {
    const rp_tensor *t = &e->members[member].call.operands[operand];
    bool wide = e->members[member].operands[operand].dtype == RP_Q8_0;
    const char *const at[] = {"at", "at + 1u", "min(at + 2u, last)", "block / 2u"};
    rp_text_format(&e->functions,
                   "uvec4 %s(uint i) {\n    uint block = i / 32u * %uu, k = i %% 32u;\n"
                   "    uint at = (block + 1u + k %s/ 2u) / 2u, last = %s;\n    return uvec4(",
                   name, wide ? 17u : 9u, wide ? "" : "% 16u ",
                   rp_emit_uint(e, rp_emit_name(e, "%s_last", name), rp_tensor_bytes(t) / 4 - 1));
    for (uint32_t n = 0; n < 4; n++)
        rp_text_format(&e->functions, "%s%s", n ? ", " : "",
                       rp_emit_element(e, member, operand, "uint", at[n]));
    rp_text_string(&e->functions, ");\n}\n\n");
}

static void put_block_fetched(rp_emit *e, uint32_t member, uint32_t operand, const char *name) {
    bool wide = e->members[member].operands[operand].dtype == RP_Q8_0;
    rp_text_format(&e->functions,
                   "uvec4 %s(uint i, uvec4 words) {\n"
                   "    bool odd = i / 32u %% 2u == 1u;\n"
                   "    uvec2 codes = odd ? words.xy : words.xy >> 16 | words.yz << 16;\n"
                   "    uint scale_bits = odd ? words.w >> 16 : words.w & 0xffffu;\n"
                   "    f16vec2 scale = unpackFloat2x16(scale_bits | scale_bits << 16);\n",
                   name);
    if (!wide)
        rp_text_string(&e->functions, "    codes = codes >> (i % 32u / 16u * 4u) & 0xf0f0f0fu;\n");
    const char *two = wide ? "i8x2_halves" : "u4x2_halves";
    rp_text_format(&e->functions,
                   "    return uvec4(%s(codes.x, scale), %s(codes.x >> 16, scale), "
                   "%s(codes.y, scale), %s(codes.y >> 16, scale));\n}\n\n",
                   two, two, two, two);
}

/* Whether words of 32 bits hold all of an operand's blocks. */
static bool is_of_words(const rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_tensor *t = &e->members[member].call.operands[operand];
    return (RP_DT(t->dtype) & RP_DT_BLOCK) && rp_tensor_bytes(t) % 4 == 0 &&
           begins_at(e, member, operand, 4);
}

uint32_t rp_emit_words_width(const rp_emit *e, uint32_t member, uint32_t operand) {
    return RP_DT(e->members[member].operands[operand].dtype) & RP_DT_BYTE ? 16 : 8;
}

const char *rp_emit_words_name(rp_emit *e, uint32_t member, uint32_t operand, const char *one) {
    bool bytes = rp_emit_words_width(e, member, operand) == 16;
    return rp_emit_name(e, bytes ? "%s_bytes" : "%s_halves", one);
}

void rp_emit_put_words(rp_emit *e, uint32_t member, uint32_t operand, const char *name,
                       const char *eight) {
    const char *type = rp_emit_type_4(e, member, operand);
    if (rp_emit_words_width(e, member, operand) == 8)
        rp_text_format(&e->functions,
                       "uvec4 %s(uint i) {\n    vec4 low, high;\n    %s(i, low, high);\n"
                       "    return f32x8_to_f16(low, high);\n}\n\n",
                       name, eight);
    else
        rp_text_format(
            &e->functions,
            "uvec4 %s(uint i) {\n    %s a, b, c, d;\n    %s(i, a, b);\n"
            "    %s(i + 8u, c, d);\n"
            "    return uvec4(to_bytes(a), to_bytes(b), to_bytes(c), to_bytes(d));\n}\n\n",
            name, type, eight, eight);
}

const char *rp_emit_memory_words(rp_emit *e, uint32_t member, uint32_t operand) {
    uint8_t dtype = e->members[member].operands[operand].dtype;
    uint32_t width = rp_emit_words_width(e, member, operand);
    const char *name = rp_emit_words_name(e, member, operand, rp_emit_memory(e, member, operand));
    if (e->status != RP_OK || !rp_emit_add_function(e, name)) return name;
    bool stored = dtype == RP_F16 || width == 16; /* as they are wanted */
    const char *load = stored ? rp_emit_load_type(e, member, operand, width) : NULL;
    if (RP_DT(dtype) & RP_DT_BLOCK)
        put_block_halves(e, member, operand, name);
    else if (load)
        rp_text_format(
            &e->functions, "uvec4 %s(uint i) {\n    return %s;\n}\n\n", name,
            rp_emit_element(e, member, operand, load, width == 16 ? "i / 16u" : "i / 8u"));
    else
        rp_emit_put_words(e, member, operand, name, rp_emit_memory_8(e, member, operand));
    return name;
}

const char *rp_emit_memory_pair(rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    const char *load = o->dtype == RP_F16 ? rp_emit_load_type(e, member, operand, 4) : NULL;
    if (!load || copy_of(e, o)) return NULL;
    const char *name = rp_emit_name(e, "%s_pair", rp_emit_memory(e, member, operand));
    if (e->status == RP_OK && rp_emit_add_function(e, name))
        rp_text_format(&e->functions, "uvec2 %s(uint i) {\n    return %s;\n}\n\n", name,
                       rp_emit_element(e, member, operand, load, "i / 4u"));
    return name;
}

const char *rp_emit_memory_fetch(rp_emit *e, uint32_t member, uint32_t operand) {
    if (!is_of_words(e, member, operand)) return rp_emit_memory_words(e, member, operand);
    const char *name = rp_emit_name(e, "%s_fetch", rp_emit_memory(e, member, operand));
    if (e->status == RP_OK && rp_emit_add_function(e, name))
        put_block_fetch(e, member, operand, name);
    return name;
}

const char *rp_emit_memory_fetched(rp_emit *e, uint32_t member, uint32_t operand) {
    const char *name = rp_emit_name(e, "%s_fetched", rp_emit_memory(e, member, operand));
    if (e->status != RP_OK || !rp_emit_add_function(e, name)) return name;
    if (is_of_words(e, member, operand))
        put_block_fetched(e, member, operand, name);
    else
        rp_emit_put_fetched(e, name);
    return name;
}

void rp_emit_put_fetched(rp_emit *e, const char *name) {
    rp_text_format(&e->functions, "uvec4 %s(uint i, uvec4 words) {\n    return words;\n}\n\n",
                   name);
}

/* ---- In text of kernels/ ---------------------------------------------------------------------- */

const char *rp_emit_text_class(const rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_op_call *call = &e->members[member].call;
    uint8_t dtype = call->operands[operand].dtype;
    if (!rp_op_is_long(call, operand)) return rp_emit_class(dtype);
    return dtype == RP_I64 ? "int64_t" : "uint64_t";
}
