/* SPIR-V with its push constants in a buffer.
 *
 * A push-constant block and a storage block are the same type, laid out by the same rules; only the
 * storage class of the variable and of all pointers into it differs, and the variable then has a
 * descriptor. So the words are copied with
 *   - class PushConstant replaced by StorageBuffer in pointer types and variables
 *   - the binding, and NonWritable, in front of the first decoration: there is one, that of the block
 *   - the extension that has class StorageBuffer, for modules older than it
 * A module may then declare the same pointer twice, which is allowed of pointers: those into the
 * block stay apart from others.
 *
 * What comes out is validated by the caller. Cost: two walks over the words. */
#include "kernel/live_push.h"

#include <spirv/unified1/spirv.h>

enum { CLASS_IS_CORE = 0x00010300 }; /* the version that has StorageBuffer without an extension */

static const char extension[] = "SPV_KHR_storage_buffer_storage_class";

typedef struct writer {
    const uint32_t *from;
    uint32_t count;
    uint32_t *to;
    uint32_t written;
    uint32_t set, binding;
} writer;

static uint32_t op_at(const writer *w, uint32_t at) {
    return w->from[at] & 0xffff;
}

static uint32_t length_at(const writer *w, uint32_t at) {
    return w->from[at] >> 16;
}

static bool has_extension(const writer *w) {
    for (uint32_t at = RP_SPIRV_HEADER; at < w->count; at += length_at(w, at))
        if (op_at(w, at) == SpvOpExtension &&
            strcmp((const char *)(w->from + at + 1), extension) == 0)
            return true;
    return false;
}

static void put(writer *w, const uint32_t *words, uint32_t count) {
    memcpy(w->to + w->written, words, (size_t)count * sizeof *words);
    w->written += count;
}

static void put_extension(writer *w) {
    uint32_t words[1 + sizeof extension / 4 + 1] = {0};
    words[0] = (uint32_t)(sizeof words / 4) << 16 | SpvOpExtension;
    memcpy(words + 1, extension, sizeof extension);
    put(w, words, sizeof words / 4);
}

enum { DECORATION_WORDS = 4 + 4 + 3 };

/* A module may have a block for each entry point: they share the binding. */
static void put_decorations(writer *w) {
    for (uint32_t at = RP_SPIRV_HEADER; at < w->count; at += length_at(w, at)) {
        if (op_at(w, at) != SpvOpVariable || w->from[at + 3] != SpvStorageClassPushConstant)
            continue;
        uint32_t id = w->from[at + 2];
        const uint32_t words[DECORATION_WORDS] = {
            4 << 16 | SpvOpDecorate, id, SpvDecorationDescriptorSet, w->set,
            4 << 16 | SpvOpDecorate, id, SpvDecorationBinding,       w->binding,
            3 << 16 | SpvOpDecorate, id, SpvDecorationNonWritable,
        };
        put(w, words, DECORATION_WORDS);
    }
}

static void put_instruction(writer *w, uint32_t at) {
    uint32_t *to = w->to + w->written, op = op_at(w, at);
    put(w, w->from + at, length_at(w, at));
    if (op == SpvOpTypePointer && to[2] == SpvStorageClassPushConstant)
        to[2] = SpvStorageClassStorageBuffer;
    if (op == SpvOpVariable && to[3] == SpvStorageClassPushConstant)
        to[3] = SpvStorageClassStorageBuffer;
}

static bool decorates(uint32_t op) {
    return (op >= SpvOpDecorate && op <= SpvOpGroupMemberDecorate) || op == SpvOpDecorateId ||
           op == SpvOpDecorateString || op == SpvOpMemberDecorateString;
}

static void put_all(writer *w) {
    bool extended = w->from[1] >= CLASS_IS_CORE || has_extension(w), decorated = false;
    put(w, w->from, RP_SPIRV_HEADER);
    for (uint32_t at = RP_SPIRV_HEADER; at < w->count; at += length_at(w, at)) {
        if (!extended && op_at(w, at) != SpvOpCapability) {
            put_extension(w);
            extended = true;
        }
        if (!decorated && decorates(op_at(w, at))) {
            put_decorations(w);
            decorated = true;
        }
        put_instruction(w, at);
    }
}

rp_status rp_spirv_push_to_buffer(const rp_allocator *a, const uint32_t *words, uint32_t count,
                                  uint32_t set, uint32_t binding, uint32_t **out_words,
                                  uint32_t *out_count) {
    *out_words = NULL;
    *out_count = 0;
    writer w = {.from = words, .count = count, .set = set, .binding = binding};
    size_t room = count + sizeof extension / 4 + 2;
    for (uint32_t at = RP_SPIRV_HEADER; at < count; at += length_at(&w, at))
        if (op_at(&w, at) == SpvOpVariable) room += DECORATION_WORDS;
    w.to = rp_alloc(a, room, sizeof *w.to);
    if (!w.to) return RP_ERROR_NO_MEMORY;
    put_all(&w);
    *out_words = w.to;
    *out_count = w.written;
    return RP_OK;
}
