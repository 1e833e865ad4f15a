#include "support/random_calls.h"

#include <string.h>

#define HEAD                                                                                       \
    "#version 450\n"                                                                               \
    "layout(local_size_x = 64) in;\n"                                                              \
    "layout(push_constant) uniform Push { uint p; };\n"
#define WORDS(set, binding, mode, name)                                                            \
    "layout(set = " #set ", binding = " #binding ") " mode " buffer " #name                        \
    "s { uint v[]; } " #name ";\n"
#define BODY(statement)                                                                            \
    "void main() {\n"                                                                              \
    "    uint step = gl_NumWorkGroups.x * 64, n = uint(b.v.length());\n"                           \
    "    for (uint i = gl_GlobalInvocationID.x; i < n; i += step) " statement "\n"                 \
    "}\n"

const rp_calls_kernel rp_calls_kernels[RP_CALLS_KERNELS] = {
    {"mix",
     HEAD WORDS(0, 1, "readonly", a) WORDS(0, 0, "writeonly", b)
         BODY("b.v[i] = a.v[i % a.v.length()] * 1664525u + p + i;"),
     {{0, 1, RP_READ}, {0, 0, RP_WRITE}},
     2},
    {"add",
     HEAD WORDS(0, 0, "readonly", a) WORDS(0, 1, "", b)
         BODY("b.v[i] = b.v[i] * 5u + (a.v[i % a.v.length()] ^ p);"),
     {{0, 0, RP_READ}, {0, 1, RP_READ_WRITE}},
     2},
    {"uni",
     HEAD "layout(set = 0, binding = 0) uniform U { uvec4 v[4]; } u;\n" WORDS(0, 1, "", b)
         BODY("b.v[i] = b.v[i] * 3u + u.v[i & 3u].x + p;"),
     {{0, 0, RP_UNIFORM}, {0, 1, RP_READ_WRITE}},
     2},
    {"sets",
     HEAD WORDS(0, 0, "readonly", a) WORDS(1, 2, "writeonly", b) WORDS(1, 0, "readonly", c)
         BODY("b.v[i] = (a.v[i % a.v.length()] >> 1) + c.v[i % c.v.length()] * p;"),
     {{0, 0, RP_READ}, {1, 2, RP_WRITE}, {1, 0, RP_READ}},
     3},
    {"count",
     HEAD WORDS(0, 3, "", b) BODY("b.v[i] += p * 2654435761u + i;"),
     {{0, 3, RP_READ_WRITE}},
     1},
};

static const rp_buffer_kind kinds[RP_CALLS_BUFFERS] = {RP_IN,    RP_INOUT, RP_INOUT,
                                                       RP_INOUT, RP_TMP,   RP_TMP};

bool rp_calls_is_transient(uint32_t buffer) {
    return kinds[buffer] == RP_TMP;
}

rp_status rp_calls_create(rp_calls *c, const rp_allocator *allocator, rp_diags *diags) {
    static const char *const names[RP_CALLS_BUFFERS] = {"x", "s", "t", "u", "a", "b"};
    memset(c, 0, sizeof *c);
    rp_status status = rp_program_create(allocator, "calls", &c->program);
    for (uint32_t i = 0; status == RP_OK && i < RP_CALLS_BUFFERS; i++) {
        const rp_buffer_params buffer = {
            .size = sizeof buffer, .name = names[i], .kind = kinds[i], .bytes = RP_CALLS_BYTES};
        status = rp_program_buffer(c->program, &buffer, diags, &c->buffers[i]);
    }
    for (uint32_t i = 0; status == RP_OK && i < RP_CALLS_KERNELS; i++) {
        const rp_kernel_params kernel = {.size = sizeof kernel,
                                         .name = rp_calls_kernels[i].name,
                                         .glsl = rp_calls_kernels[i].glsl};
        status = rp_program_kernel(c->program, &kernel, diags, &c->kernels[i]);
    }
    return status;
}

void rp_calls_destroy(rp_calls *c) {
    rp_program_destroy(c->program);
}

/* ---- Ranges ---------------------------------------------------------------------------------- */

typedef struct bytes {
    uint32_t buffer;
    uint64_t offset, size;
} bytes;

static bool overlap(const bytes *a, const bytes *b) {
    return a->buffer == b->buffer && a->offset < b->offset + b->size &&
           b->offset < a->offset + a->size;
}

/* Few places, so that the same bytes come again in other company. */
static bytes random_bytes(rp_random *r, uint32_t alignment, bool write) {
    bytes b = {.buffer = write ? 1 + rp_random_below(r, RP_CALLS_BUFFERS - 1)
                               : rp_random_below(r, RP_CALLS_BUFFERS)};
    if (rp_random_percent(r, 30)) return (bytes){b.buffer, 0, RP_CALLS_BYTES};
    uint64_t unit = rp_random_percent(r, 70) ? RP_CALLS_BYTES / 8 : alignment;
    uint64_t count = RP_CALLS_BYTES / unit;
    b.offset = unit * rp_random_below(r, (uint32_t)count);
    b.size = unit * (1 + rp_random_below(r, 2));
    if (b.offset + b.size > RP_CALLS_BYTES) b.size = RP_CALLS_BYTES - b.offset;
    return b;
}

static rp_range range_of(const rp_calls *c, const bytes *b) {
    return (rp_range){c->buffers[b->buffer], b->offset, b->size};
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static bool writes(rp_access access) {
    return access == RP_WRITE || access == RP_READ_WRITE;
}

/* Whether range i fits those before it: one kernel's ranges do not share bytes that it writes, but for
 * "mix" in place. */
static bool fits(uint32_t kernel, const bytes *ranges, uint32_t i) {
    const rp_calls_binding *bindings = rp_calls_kernels[kernel].bindings;
    for (uint32_t j = 0; j < i; j++) {
        bool written = writes(bindings[i].access) || writes(bindings[j].access);
        if (!written || !overlap(&ranges[i], &ranges[j])) continue;
        if (kernel != 0 || ranges[i].offset != ranges[j].offset || ranges[i].size != ranges[j].size)
            return false;
    }
    return true;
}

static void dispatch(const rp_calls *c, rp_recorder *rec, rp_random *r, bool indirect) {
    uint32_t kernel = rp_random_below(r, RP_CALLS_KERNELS);
    const rp_calls_kernel *k = &rp_calls_kernels[kernel];
    const bytes grid = {4, 0, 12};
    bytes ranges[3];
    for (uint32_t i = 0; i < k->binding_count; i++) {
        bool write = writes(k->bindings[i].access);
        if (kernel == 0 && i == 1 && ranges[0].buffer != 0 && rp_random_percent(r, 15))
            ranges[1] = ranges[0]; /* in place */
        else
            do ranges[i] = random_bytes(r, RP_CALLS_ALIGNMENT, write);
            while (!fits(kernel, ranges, i) || (indirect && write && overlap(&ranges[i], &grid)));
    }
    uint32_t push = (uint32_t)rp_random_next(r);
    rp_bind_kernel(rec, c->kernels[kernel]);
    for (uint32_t i = 0; i < k->binding_count; i++)
        rp_bind_in_set(rec, k->bindings[i].set, k->bindings[i].binding, range_of(c, &ranges[i]));
    rp_push(rec, 0, &push, sizeof push);
    if (!indirect) {
        rp_dispatch(rec, 1 + rp_random_below(r, 3), 1, 1);
        return;
    }
    const uint32_t groups[3] = {1 + rp_random_below(r, 3), 1, 1};
    rp_update(rec, range_of(c, &grid), groups, sizeof groups);
    rp_dispatch_indirect(rec, range_of(c, &grid));
}

static void transfer(const rp_calls *c, rp_recorder *rec, rp_random *r) {
    bytes to = random_bytes(r, 4, true), from;
    uint32_t words[16];
    switch (rp_random_below(r, 3)) {
    case 0:
        do {
            from = random_bytes(r, 4, false);
            if (from.offset + to.size > RP_CALLS_BYTES) from.offset = RP_CALLS_BYTES - to.size;
            from.size = to.size;
        } while (overlap(&from, &to));
        rp_copy(rec, range_of(c, &from), range_of(c, &to));
        return;
    case 1: rp_fill(rec, range_of(c, &to), (uint32_t)rp_random_next(r)); return;
    default:
        for (uint32_t i = 0; i < 16; i++) words[i] = (uint32_t)rp_random_next(r);
        to.size = 4 * (1 + rp_random_below(r, 16));
        if (to.offset + to.size > RP_CALLS_BYTES) to.offset = RP_CALLS_BYTES - to.size;
        rp_update(rec, range_of(c, &to), words, (uint32_t)to.size);
        return;
    }
}

void rp_calls_make(const rp_calls *c, rp_recorder *rec, uint64_t seed, uint32_t count,
                   bool fences) {
    rp_random r = {seed};
    for (uint32_t i = 0; i < RP_CALLS_BUFFERS; i++)
        if (rp_calls_is_transient(i)) rp_fill(rec, (rp_range){c->buffers[i]}, (uint32_t)seed + i);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t what = rp_random_below(&r, 100);
        bool labelled = rp_random_percent(&r, 10);
        if (labelled) rp_label_begin(rec, "part");
        if (what < 60)
            dispatch(c, rec, &r, false);
        else if (what < 70)
            dispatch(c, rec, &r, true);
        else if (what < 97 || !fences)
            transfer(c, rec, &r);
        else
            rp_fence(rec);
        if (labelled) rp_label_end(rec);
    }
}
