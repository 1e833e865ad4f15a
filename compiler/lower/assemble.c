/* Assembling: the pieces of an rp_emit and the helpers that they mention, in the order in which
 * they make a shader. */
#include "lower/internal.h"

/* Every use has a binding, also one that the formulas do not look at. */
static void declare_rest(rp_emit *e) {
    for (uint32_t m = 0; m < e->member_count; m++)
        for (uint32_t k = 0; k < e->members[m].call.operand_count; k++) {
            const rp_graph_operand *o = &e->members[m].operands[k];
            bool known = o->absent || o->use == RP_NONE;
            for (uint32_t i = 0; !known && i < e->arrays_count; i++)
                known = e->arrays[i].use == o->use;
            if (!known) rp_emit_array(e, m, k, NULL);
        }
}

/* What the shader computes, in names that do not depend on the graph: who reads it sees where each
 * part comes from. */
static void put_members(const rp_emit *e, rp_text *to) {
    rp_text_string(to, "//");
    for (uint32_t m = 0; m < e->member_count; m++) {
        const rp_op_call *call = &e->members[m].call;
        rp_text_format(to, "%s m%u: %s", m ? "," : "", m, call->op->name);
        if (call->variant) rp_text_format(to, " by %s", call->variant->name);
        for (uint32_t i = 0; i < e->value_count; i++) {
            const rp_emit_value *v = &e->values[i];
            if (v->member != m) continue;
            rp_text_format(to, " -> v%u", i);
            if (v->use != RP_NONE) rp_text_format(to, " in b%u", v->use);
        }
    }
    rp_text_char(to, '\n');
}

static void put_header(rp_emit *e, rp_text *to) {
    bool precise = *rp_emit_precise(e) != '\0', halves = rp_emit_has_halves(e);
    rp_text_string(to, "#version 450\n");
    put_members(e, to);
    if (e->subgroup) rp_text_format(to, "// subgroup: %u\n", e->subgroup);
    if (e->extensions & RP_EMIT_MATRICES)
        rp_text_string(to, "#pragma use_vulkan_memory_model\n"
                           "#extension GL_KHR_memory_scope_semantics : require\n"
                           "#extension GL_NV_cooperative_matrix : require\n"
                           "#extension GL_EXT_control_flow_attributes : require\n");
    if (e->extensions & RP_EMIT_INTEGER_MATRICES)
        rp_text_string(to, "#extension GL_NV_integer_cooperative_matrix : require\n");
    if (precise || halves || (e->extensions & RP_EMIT_DOTS))
        rp_text_string(to, "#extension GL_EXT_spirv_intrinsics : require\n");
    if (e->extensions & RP_EMIT_8BIT)
        rp_text_string(to, "#extension GL_EXT_shader_8bit_storage : require\n");
    if (e->extensions & RP_EMIT_16BIT)
        rp_text_string(to, "#extension GL_EXT_shader_16bit_storage : require\n");
    if (halves || (e->extensions & (RP_EMIT_8BIT | RP_EMIT_16BIT | RP_EMIT_MATRICES)))
        rp_text_string(to, "#extension GL_EXT_shader_explicit_arithmetic_types : require\n");
    if (e->extensions & RP_EMIT_SUBGROUP)
        rp_text_string(to, "#extension GL_KHR_shader_subgroup_basic : require\n"
                           "#extension GL_KHR_shader_subgroup_arithmetic : require\n"
                           "#extension GL_KHR_shader_subgroup_ballot : require\n"
                           "#extension GL_KHR_shader_subgroup_vote : require\n"
                           "#extension GL_KHR_shader_subgroup_shuffle : require\n");
    if (e->extensions & RP_EMIT_TAGS)
        rp_text_string(to, "#extension GL_KHR_memory_scope_semantics : require\n"
                           "#extension GL_EXT_shader_atomic_int64 : require\n");
    if (e->extensions & (RP_EMIT_TAGS | RP_EMIT_INT64))
        rp_text_string(to, "#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require\n");
    if (e->extensions & RP_EMIT_UNROLL)
        rp_text_string(to, "#extension GL_EXT_control_flow_attributes : require\n");
    /* As rp_make_exact() says it of the module; who optimises it before that must know, too. */
    if (precise) rp_text_string(to, "spirv_execution_mode(capabilities = [4466], 4461, 32);\n");
    /* All kernels for a target say the same, for a driver may keep denormals of 32 bits, too, where those
     * of 16 are to be kept. */
    if (halves)
        rp_text_string(to, "spirv_execution_mode(capabilities = [4464], 4459, 16);\n"
                           "spirv_execution_mode(capabilities = [4467], 4462, 16);\n");
    rp_text_format(to, "layout(local_size_x = %u) in;\n\n", e->local);
}

static void put_constants(const rp_emit *e, rp_text *to) {
    for (uint32_t i = 0; i < e->constants_count; i++)
        rp_text_format(to, "layout(constant_id = %u) const uint %s = 1u;\n", i,
                       e->constants[i].name);
    if (e->constants_count) rp_text_char(to, '\n');
}

static void put_piece(const rp_text *piece, rp_text *to) {
    if (piece->size == 0) return;
    rp_text_append(to, piece->data, piece->size);
    if (piece->data[piece->size - 1] != '\n') rp_text_char(to, '\n');
    rp_text_char(to, '\n');
}

/* In front of all that main() does: what has to be waited for. A product's composer has put that behind
 * the first weights. */
static void put_await(rp_emit *e) {
    static const char begin[] = "void main() {\n";
    if (e->shape.kind == RP_SHAPE_MATVEC || !rp_node_waits(e->graph, e->node)) return;
    if (rp_emit_looks_again(e)) return;
    rp_text text;
    rp_text_init(&text, &e->allocator);
    const char *at = e->main.data ? strstr(e->main.data, begin) : NULL;
    if (!at) {
        rp_emit_fail(e, "its text has no main() to wait in");
        return;
    }
    at += strlen(begin);
    rp_text_append(&text, e->main.data, (size_t)(at - e->main.data));
    for (uint32_t i = 0; i < e->node->use_count; i++) {
        const rp_graph_use *u = &rp_node_uses(e->graph, e->node)[i];
        if (e->graph->buffers[u->buffer].tagged && rp_access_reads(u->access) &&
            !rp_emit_is_late(e, i))
            rp_emit_await(e, &text, i, "    ");
    }
    rp_text_string(&text, at);
    rp_text_free(&e->main);
    e->main = text;
}

rp_status rp_emit_assemble(rp_emit *e) {
    if (e->status != RP_OK) return e->status;
    declare_rest(e);
    put_await(e);
    rp_emit_sizes(e);
    if (e->status != RP_OK) return e->status;
    rp_text body, helpers, whole;
    rp_text_init(&body, &e->allocator);
    rp_text_init(&helpers, &e->allocator);
    rp_text_init(&whole, &e->allocator);
    put_piece(&e->globals, &body);
    put_piece(&e->functions, &body);
    put_piece(&e->main, &body);
    rp_emit_helpers(e, &body, &helpers);
    /* What text of kernels/ uses shows in its names. */
    if ((body.data && strstr(body.data, "ubgroup")) ||
        (helpers.data && strstr(helpers.data, "ubgroup")))
        e->extensions |= RP_EMIT_SUBGROUP;
    if (body.data && strstr(body.data, "coopmatNV")) e->extensions |= RP_EMIT_MATRICES;
    if (body.data && strstr(body.data, "icoopmatNV")) e->extensions |= RP_EMIT_INTEGER_MATRICES;
    if (body.data && strstr(body.data, "dot_i8(")) e->extensions |= RP_EMIT_DOTS;
    if (body.data && strstr(body.data, "int64_t")) e->extensions |= RP_EMIT_INT64;
    if (body.data && strstr(body.data, "unroll]]")) e->extensions |= RP_EMIT_UNROLL;
    put_header(e, &whole);
    put_constants(e, &whole);
    put_piece(&e->buffers, &whole);
    if (helpers.data) rp_text_append(&whole, helpers.data, helpers.size);
    if (body.data) rp_text_append(&whole, body.data, body.size);
    bool failed = body.failed || helpers.failed || e->buffers.failed || e->globals.failed ||
                  e->functions.failed || e->main.failed;
    rp_text_free(&body);
    rp_text_free(&helpers);
    rp_release(&e->allocator, e->glsl);
    e->glsl = NULL;
    rp_status status = rp_text_take(&whole, &e->glsl, NULL);
    if (status != RP_OK) rp_text_free(&whole);
    if (failed) status = RP_ERROR_NO_MEMORY;
    if (e->status == RP_OK) e->status = status;
    return e->status;
}
