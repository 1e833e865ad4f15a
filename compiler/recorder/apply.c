/* Ops from C: rp_apply as recorded bytes, and back.
 *
 * A call is kept flat, names and all, because the caller's memory is gone when the recorders are
 * joined: for each operand an rp_tensor and its name, for each attribute its number, whether it has
 * text, its name and its text. Ranges are kept beside, as for every call, and judged at the join,
 * when buffers can be looked at. */
#include "composite/signature.h"
#include "composite/view.h"
#include "recorder/player.h"

/* ---- Recording ------------------------------------------------------------------------------- */

static bool is_text(const char *text) {
    return text && *text && strlen(text) <= UINT16_MAX;
}

const char *rp_apply_wrong(const char *op, const rp_operand *operands, uint32_t operand_count,
                           const rp_attribute *attributes, uint32_t attribute_count) {
    if (!is_text(op)) return "the op's name is NULL, empty or too long";
    if (operand_count > RP_APPLY_MAX_OPERANDS || attribute_count > RP_APPLY_MAX_ATTRS)
        return "more operands or attributes than any op has";
    if ((!operands && operand_count) || (!attributes && attribute_count))
        return "operands or attributes are NULL";
    for (uint32_t i = 0; i < operand_count; i++) {
        if (!is_text(operands[i].name)) return "an operand's name is NULL, empty or too long";
        if (operands[i].rank > RP_MAX_RANK) return "an operand has more than 8 dimensions";
    }
    for (uint32_t i = 0; i < attribute_count; i++) {
        if (!is_text(attributes[i].name)) return "an attribute's name is NULL, empty or too long";
        if (attributes[i].text && strlen(attributes[i].text) > UINT16_MAX)
            return "an attribute's text is longer than 65535 bytes";
    }
    return NULL;
}

static void put_text(rp_text *out, const char *text) {
    rp_text_append(out, text, strlen(text) + 1);
}

static bool put_operand(rp_recorder *r, rp_text *out, const rp_operand *operand) {
    rp_tensor tensor = {.dtype = (uint8_t)operand->dtype};
    if ((unsigned)operand->dtype > UINT8_MAX) tensor.dtype = UINT8_MAX; /* unknown: said later */
    bool good = rp_program_take_shape(r->program, operand->shape, operand->rank, &tensor);
    rp_text_append(out, (const char *)&tensor, sizeof tensor);
    put_text(out, operand->name);
    return good;
}

static void put_attribute(rp_text *out, const rp_attribute *attribute) {
    rp_text_append(out, (const char *)&attribute->number, sizeof attribute->number);
    rp_text_append(out, attribute->text ? "t" : "n", 1);
    put_text(out, attribute->name);
    put_text(out, attribute->text ? attribute->text : "");
}

void rp_apply(rp_recorder *r, const char *op, const rp_operand *operands, uint32_t operand_count,
              const rp_attribute *attributes, uint32_t attribute_count) {
    if (!rp_recorder_is_open(r)) return;
    const char *wrong = rp_apply_wrong(op, operands, operand_count, attributes, attribute_count);
    if (wrong) {
        rp_recorder_fail(r, RP_CALL_APPLY, wrong);
        return;
    }
    rp_range ranges[RP_APPLY_MAX_OPERANDS];
    rp_text bytes;
    bool good = true;
    rp_text_init(&bytes, &r->allocator);
    put_text(&bytes, op);
    for (uint32_t i = 0; i < operand_count; i++) {
        ranges[i] = operands[i].range;
        good &= put_operand(r, &bytes, &operands[i]);
    }
    for (uint32_t i = 0; i < attribute_count; i++) put_attribute(&bytes, &attributes[i]);
    rp_call call = {.kind = RP_CALL_APPLY, .x = operand_count, .y = attribute_count};
    if (bytes.failed)
        rp_recorder_fail(r, RP_CALL_APPLY, NULL);
    else if (!good)
        rp_recorder_fail(r, RP_CALL_APPLY,
                         "a dimension of an operand is no extent of this program");
    else
        rp_recorder_append(r, call, ranges, operand_count, bytes.data, bytes.size);
    rp_text_free(&bytes);
}

/* ---- Playing --------------------------------------------------------------------------------- */

static const char *take(const char **at, size_t size) {
    const char *bytes = *at;
    *at += size;
    return bytes;
}

static const char *take_text(const char **at) {
    return take(at, strlen(*at) + 1);
}

/* Without a dtype: the buffer as it is, or as many of its elements as the range holds. */
static bool own_dtype(rp_player *p, const char *name, const rp_graph_use *use, rp_tensor *tensor) {
    const rp_graph_buffer *b = &p->g->buffers[use->buffer];
    *tensor = (rp_tensor){.dtype = b->dtype};
    return b->dtype != RP_RAW ||
           rp_play_mistake(p, RP_CALL_APPLY,
                           "operand '%.60s': buffer '%s' is raw bytes; give dtype and shape", name,
                           rp_graph_string(p->g, b->name));
}

static bool see_range(rp_player *p, const char *name, const rp_range *range,
                      const rp_graph_use *use, rp_tensor *tensor) {
    char error[RP_VIEW_ERROR];
    bool good;
    rp_graph_use seen = *use;
    if (rp_buffer_is_empty(p->g, &p->g->buffers[use->buffer])) seen.size = 0;
    if (tensor->dtype == RP_RAW) {
        bool whole = range->offset == 0 && range->size == 0;
        if (!own_dtype(p, name, use, tensor)) return false;
        good = rp_view_infer(p->g, &seen, whole ? RP_VIEW_WHOLE : RP_VIEW_BYTES, tensor, error);
    } else if (rp_dtype_size((rp_dtype)tensor->dtype) == 0) {
        return rp_play_mistake(p, RP_CALL_APPLY, "operand '%.60s': unknown dtype", name);
    } else {
        good = rp_view_check(&seen, range->size != 0, tensor, error);
    }
    return good || rp_play_mistake(p, RP_CALL_APPLY, "operand '%.60s': %s", name, error);
}

bool rp_play_seen(rp_player *p, const char *name, const rp_range *range, rp_graph_use *use,
                  rp_tensor *tensor) {
    return rp_play_range(p, &(rp_call){.kind = RP_CALL_APPLY}, range, 0, use) &&
           see_range(p, name, range, use, tensor);
}

static bool play_operand(rp_player *p, const rp_call *c, const char **at, uint32_t index,
                         rp_given_operand *out) {
    const rp_range *range = &p->ranges[c->first_range + index];
    rp_tensor tensor;
    memcpy(&tensor, take(at, sizeof tensor), sizeof tensor);
    for (uint32_t d = 0; d < tensor.rank && p->recorded_sizes; d++) {
        const rp_extent recorded = {tensor.dims[d], tensor.powers[d]};
        tensor.dims[d] = rp_extent_at(p->recorded_sizes, recorded, p->g->sizes.most);
        tensor.powers[d] = rp_graph_varying(p->g, recorded.powers);
    }
    const char *name = take_text(at);
    rp_graph_use use;
    if (!rp_play_seen(p, name, range, &use, &tensor)) return false;
    *out = (rp_given_operand){
        .name = name,
        .argument = {.tensor = tensor, .buffer = use.buffer, .offset = use.offset},
        .fresh = RP_NONE};
    return true;
}

static rp_attribute play_attribute(const char **at) {
    rp_attribute out = {0};
    memcpy(&out.number, take(at, sizeof out.number), sizeof out.number);
    bool has_text = *take(at, 1) == 't';
    out.name = take_text(at);
    const char *text = take_text(at);
    if (has_text) out.text = text;
    return out;
}

bool rp_play_apply(rp_player *p, const rp_call *c) {
    const char *at = (const char *)p->bytes + c->first_byte, *op = take_text(&at);
    rp_given_operand operands[RP_APPLY_MAX_OPERANDS];
    rp_attribute attrs[RP_APPLY_MAX_ATTRS];
    for (uint32_t i = 0; i < c->x; i++)
        if (!play_operand(p, c, &at, i, &operands[i])) return false;
    for (uint32_t i = 0; i < c->y; i++) attrs[i] = play_attribute(&at);
    rp_application x = {.graph = p->g,
                        .op = op,
                        .node = {.kernel = RP_NONE,
                                 .optional = p->optional > 0,
                                 .label = p->label,
                                 .op = p->op,
                                 .pos = {p->call, p->recorder}},
                        .operands = operands,
                        .attrs = attrs,
                        .operand_count = c->x,
                        .attr_count = c->y};
    rp_status status = rp_apply_to_graph(&x);
    p->op = RP_NONE;
    if (status == RP_ERROR_NO_MEMORY) return rp_play_no_memory(p);
    if (status == RP_OK) return true;
    char message[RP_APPLY_MESSAGE];
    rp_apply_message(&x, message);
    return rp_play_mistake(p, RP_CALL_APPLY, "%s", message);
}
