/* Numbers that follow live sizes; see sizes.h. */
#include "ops/sizes.h"

#include "base/checked.h"

rp_powers rp_powers_sum(rp_powers a, rp_powers b) {
    rp_powers sum = 0;
    if (a == RP_POWERS_EMPTY || b == RP_POWERS_EMPTY) return RP_POWERS_EMPTY;
    if (a == RP_POWERS_NONE || b == RP_POWERS_NONE) return RP_POWERS_NONE;
    if (a == 0 || b == 0) return a | b;
    for (uint32_t i = 0; i < RP_SIZES; i++) {
        uint32_t power = rp_power_of(a, i) + rp_power_of(b, i);
        if (power >> RP_SIZE_BITS) return RP_POWERS_NONE;
        sum |= rp_powers_of(i, power);
    }
    return sum;
}

rp_extent rp_extent_product(rp_extent a, rp_extent b) {
    rp_extent out = {UINT64_MAX, rp_powers_sum(a.powers, b.powers)};
    rp_mul_u64(a.most, b.most, &out.most);
    return out;
}

uint64_t rp_extent_each(const rp_sizes *sizes, rp_extent extent) {
    uint64_t each = extent.most;
    if (extent.powers == RP_POWERS_EMPTY) return each;
    if (extent.powers == RP_POWERS_NONE) return 1;
    for (uint32_t i = 0; extent.powers && i < sizes->count; i++)
        for (uint32_t k = rp_power_of(extent.powers, i); k > 0; k--) each /= sizes->most[i];
    return each;
}

uint64_t rp_extent_at(const rp_sizes *sizes, rp_extent extent, const uint64_t *at) {
    uint64_t value = rp_extent_each(sizes, extent);
    if (extent.powers == RP_POWERS_EMPTY) return 0;
    for (uint32_t i = 0; extent.powers && i < sizes->count; i++)
        for (uint32_t k = rp_power_of(extent.powers, i); k > 0; k--) value *= at[i];
    return value;
}

static bool read_size(void *context, uint32_t buffer, uint32_t element, int64_t *out) {
    const uint64_t *at = context;
    (void)element;
    *out = (int64_t)at[buffer];
    return true;
}

void rp_sizes_compute(const rp_sizes *sizes, uint64_t *at) {
    for (uint32_t i = 0; i < sizes->count; i++) {
        int64_t value = 0;
        const char *why;
        if (!sizes->step_count[i]) continue;
        bool good =
            rp_expr_eval(sizes->steps[i], sizes->step_count[i], read_size, at, &value, &why);
        at[i] = good ? (uint64_t)value : 0; /* it was computed at its largest */
    }
}

uint32_t rp_sizes_values(const rp_sizes *sizes, uint32_t of) {
    uint32_t values = 0;
    for (uint32_t i = 0; i < sizes->count; i++) {
        if (!(of >> i & 1)) continue;
        if (!sizes->step_count[i]) values |= 1u << i;
        for (uint32_t s = 0; s < sizes->step_count[i]; s++)
            if (sizes->steps[i][s].code == RP_EXPR_LIVE) values |= 1u << sizes->steps[i][s].buffer;
    }
    return values;
}
