/* The figures of targets: by name, by number, and what stands in for those that nobody knows. */
#include "target/target.h"

#include <stdio.h>
#include <string.h>
#include "base/sized.h"

const char *const rp_target_keys[RP_TARGET_KEYS] = {
#define RP_X(field, what) #field,
    RP_TARGET_LIST(RP_X)
#undef RP_X
};

bool rp_target_take(const rp_target *given, rp_target *out) {
    bool sized = !given || rp_sized_take(given, out, sizeof *out);
    if (!given || !sized) *out = (rp_target){0};
    out->size = sizeof *out;
    size_t length = strnlen(out->name, sizeof out->name - 1);
    memset(out->name + length, 0, sizeof out->name - length);
    return sized;
}

/* The figures stand behind one another, in the order of the keys. */
uint64_t *rp_target_figure_of(rp_target *target, uint32_t key) {
    return &target->storage_buffers + key;
}

bool rp_target_fill(const rp_target *given, rp_target *out) {
    rp_target known = *rp_target_portable;
    if (!rp_target_take(given, out)) return false;
    if (!given) *out = known;
    for (uint32_t key = 0; key < RP_TARGET_KEYS; key++) {
        uint64_t *figure = rp_target_figure_of(out, key);
        if (*figure == 0) *figure = *rp_target_figure_of(&known, key);
    }
    return true;
}

bool rp_target_same(const rp_target *a, const rp_target *b) {
    return memcmp(a, b, sizeof *a) == 0; /* no padding, and zeros behind the name */
}

uint32_t rp_target_key(const char *text, size_t length) {
    uint32_t key = 0;
    while (key < RP_TARGET_KEYS && (strlen(rp_target_keys[key]) != length ||
                                    memcmp(rp_target_keys[key], text, length) != 0))
        key++;
    return key;
}

/* Zero would mean "not known", which is no figure at all. */
bool rp_target_is_wrong(uint32_t key, uint64_t value, rp_target_fault *fault) {
    const char *name = rp_target_keys[key];
    bool power = strstr(name, "alignment") || strncmp(name, "subgroup", 8) == 0;
    *fault = (rp_target_fault){0};
    if (value == 0)
        snprintf(fault->text, sizeof fault->text, "is 0: leave it out where it is not known");
    else if (power && (value & (value - 1)))
        snprintf(fault->text, sizeof fault->text, "is %llu, expected a power of two",
                 (unsigned long long)value);
    return *fault->text != '\0';
}
