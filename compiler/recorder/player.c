/* What playing any call needs: to say what is wrong with it, and to find its bytes. */
#include "recorder/player.h"

#include <stdarg.h>
#include <stdio.h>
#include "base/checked.h"

bool rp_play_mistake(rp_player *p, rp_call_kind kind, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    rp_diags_add(p->diags, RP_ERROR, NULL, 0, 0, "recorder %u, call %u (%s): %s", p->recorder,
                 p->call, rp_call_name(kind), text);
    p->failed = true;
    return false;
}

bool rp_play_no_memory(rp_player *p) {
    p->no_memory = true;
    return false;
}

static const char *buffer_name(const rp_player *p, uint32_t buffer) {
    return rp_graph_string(p->g, p->g->buffers[buffer].name);
}

bool rp_play_range(rp_player *p, const rp_call *c, const rp_range *range, uint64_t implied,
                   rp_graph_use *out) {
    const char *why;
    rp_call_kind kind = (rp_call_kind)c->kind;
    uint32_t index = rp_handle_index(p->program, range->buffer.id, p->g->buffers_count, &why);
    if (index == RP_NONE) return rp_play_mistake(p, kind, "buffer: %s", why);
    uint64_t total = p->g->buffers[index].size;
    if (range->offset >= total)
        return rp_play_mistake(p, kind, "buffer '%s' has %llu bytes; the range starts at %llu",
                               buffer_name(p, index), (unsigned long long)total,
                               (unsigned long long)range->offset);
    uint64_t size = range->size ? range->size : implied ? implied : total - range->offset;
    if (!rp_range_inside(range->offset, size, total))
        return rp_play_mistake(p, kind,
                               "buffer '%s' has %llu bytes; the range [%llu+%llu] ends behind them",
                               buffer_name(p, index), (unsigned long long)total,
                               (unsigned long long)range->offset, (unsigned long long)size);
    *out = (rp_graph_use){.buffer = index, .offset = range->offset, .size = size};
    return true;
}
