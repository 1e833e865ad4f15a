/* The figures of a target, one after the other, each by a kernel that is busy with one thing.
 *
 * A GPU that has nothing to do runs at a fraction of its clock and takes a while to leave that, so
 * the queue is kept full: first until arithmetic gets no faster, and then before each figure. Of
 * several replays the fastest counts: what else the machine does makes times longer, never shorter.
 * Rates are those of the whole device when it is full, and come in bytes or operations a
 * microsecond. What no kernel can find out (registers, how much a multiprocessor holds) stays as the
 * device's own kind has it. */
#include "measure.h"

#include <math.h>
#include "measure_kernels.h"
#include "measure_work.h"
#include "message.h"
#include "reprise/needs.h"

enum { LANES = 256, STEPS = 1000, FEW_STEPS = 200 };

typedef struct figures {
    measure m;
    rp_target *target;
    bool software;
    double period; /* seconds that one replay should take */
    uint64_t most_bytes;
} figures;

static uint64_t rounded(double value) {
    return value < 1 ? 1 : (uint64_t)llround(value);
}

/* Two digits are what such a figure is good for; a third keeps steps apart. */
static uint64_t three_digits(double value) {
    double unit = 1;
    while (value / unit >= 1000) unit *= 10;
    return rounded(value / unit) * (uint64_t)unit;
}

static void put(uint64_t *figure, double value) {
    if (value > 0 && isfinite(value)) *figure = three_digits(value);
}

/* What one turn of all invocations does, by its time, a microsecond. */
static rp_status measure_rate(figures *f, const measure_work *work, double each, double *out) {
    double seconds = -1;
    *out = -1;
    rp_status status = measure_open(&f->m, work);
    if (status == RP_OK) status = measure_turn(&f->m, f->period, &seconds);
    if (seconds > 0) *out = each / seconds * 1e-6;
    return status;
}

/* Workgroups of 256 that keep all multiprocessors full. */
static uint32_t full_groups(const figures *f) {
    uint64_t held = f->target->resident_invocations / LANES;
    uint64_t groups = f->target->multiprocessors * (f->software ? 1 : held > 4 ? held : 4);
    return groups < 65535 ? (uint32_t)groups : 65535;
}

/* ---- Clock and multiprocessors --------------------------------------------------------------- */

enum { F32_OPS = 2 * 16 };

/* Until arithmetic gets no faster, at most two seconds. */
static rp_status warm_up(figures *f) {
    const measure_work work = {.glsl = measure_f32, .groups = 1024};
    double before = -1, now = -1, begin = measure_now(), last = begin;
    uint32_t slow = 0;
    rp_status status = measure_open(&f->m, &work);
    while (status == RP_OK && slow < 2 && last - begin < (f->software ? 0.2 : 2.0)) {
        status = measure_turn(&f->m, f->period * 4, &now);
        slow = before > 0 && now > before * 0.97 ? slow + 1 : 0;
        if (before < 0 || now < before) before = now;
        last = measure_now();
    }
    return status;
}

/* Workgroups of as many invocations as fit keep one multiprocessor busy each. About how many run at
 * once their rate together says; the number is the largest that takes no longer than one alone. */
static rp_status find_multiprocessors(figures *f) {
    uint32_t local = f->target->invocations < 1024 ? (uint32_t)f->target->invocations : 1024;
    measure_work work = {.glsl = measure_f32, .local = local};
    double alone = -1, together = -1, rate;
    rp_status status = measure_rate(f, &work, 1, &alone);
    work.groups = f->software ? 64 : 4096; /* where beginning with a workgroup takes long, few */
    if (status == RP_OK) status = measure_rate(f, &work, work.groups, &together);
    if (status != RP_OK || alone <= 0 || together <= 0) return status;
    uint32_t about = (uint32_t)rounded(together / alone);
    uint32_t low = about - about / 8, high = about + about / 8 + 2; /* fits; does not */
    while (high - low > 1) {
        work.groups = (low + high) / 2;
        status = measure_rate(f, &work, 1, &rate);
        if (status != RP_OK || rate <= 0) return status;
        if (rate > alone / 1.5)
            low = work.groups;
        else
            high = work.groups;
    }
    f->target->multiprocessors = low;
    return RP_OK;
}

/* Invocations of one workgroup, each with one row of operations that wait for one another, from
 * which on more of them are no faster in all. */
static rp_status find_busy(figures *f) {
    uint32_t most = f->target->invocations < 1024 ? (uint32_t)f->target->invocations : 1024;
    double rates[11] = {0}, best = 0;
    uint32_t count = 0;
    rp_status status = RP_OK;
    if (f->software) return RP_OK; /* a vector's worth */
    for (uint32_t local = 4; local <= most && status == RP_OK; local *= 2, count++) {
        const measure_work work = {.glsl = measure_f32, .local = local, .chains = 1};
        status = measure_rate(f, &work, local, &rates[count]);
        if (rates[count] > best) best = rates[count];
    }
    for (uint32_t i = 0; i < count; i++) {
        if (rates[i] < best * 0.97) continue;
        f->target->busy_invocations = UINT64_C(4) << i;
        break;
    }
    return status;
}

/* ---- Dispatches ------------------------------------------------------------------------------ */

static rp_status measure_dispatches(figures *f) {
    uint32_t count = f->software ? FEW_STEPS : STEPS;
    const measure_work apart = {.glsl = measure_step, .count = count};
    measure_work chain = {.glsl = measure_step, .count = count, .chained = true};
    double seconds;
    chain.groups = (uint32_t)f->target->multiprocessors;
    rp_status status = measure_open(&f->m, &apart);
    if (status == RP_OK) status = measure_replay(&f->m, 0, &seconds);
    if (status != RP_OK) return status;
    put(&f->target->dispatch_ns, seconds / count * 1e9);
    status = measure_open(&f->m, &chain);
    if (status == RP_OK) status = measure_replay(&f->m, 0, &seconds);
    if (status == RP_OK) put(&f->target->barrier_ns, seconds / count * 1e9);
    return status;
}

static rp_status measure_groups(figures *f) {
    const measure_work empty = {.glsl = measure_empty, .groups = 65535, .count = 4};
    measure_work sync = {.glsl = measure_sync};
    double seconds, multiprocessors = (double)f->target->multiprocessors;
    rp_status status = measure_open(&f->m, &empty);
    if (status == RP_OK) status = measure_replay(&f->m, 0, &seconds);
    if (status != RP_OK) return status;
    put(&f->target->group_ns, seconds / (4 * 65535.0) * multiprocessors * 1e9);
    sync.groups = (uint32_t)multiprocessors;
    status = measure_open(&f->m, &sync);
    if (status == RP_OK) status = measure_turn(&f->m, f->period, &seconds);
    if (status == RP_OK) put(&f->target->sync_ns, seconds / 2 * 1e9);
    return status;
}

/* Up to which size a dispatch copies faster than the driver does. */
static rp_status measure_transfers(figures *f) {
    enum { COPIES = 16 };
    uint64_t good = 1;
    bool known = false;
    for (uint64_t part = 4096; part <= 4 << 20; part *= 4) {
        const measure_work driver = {
            .count = COPIES, .copies = true, .part = part, .bytes = part * COPIES};
        measure_work own = driver;
        double by_driver, by_kernel;
        own.glsl = measure_copy;
        own.groups = (uint32_t)(part / 4 / LANES);
        rp_status status = measure_open(&f->m, &driver);
        if (status == RP_OK) status = measure_replay(&f->m, 0, &by_driver);
        if (status == RP_OK) status = measure_open(&f->m, &own);
        if (status == RP_OK) status = measure_replay(&f->m, 0, &by_kernel);
        if (status != RP_OK) return status;
        if (by_driver < 0 || by_kernel < 0) break;
        known = true;
        if (by_kernel > by_driver) break;
        good = part;
    }
    if (known) f->target->transfer_bytes = good;
    return RP_OK;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

enum { IN_FLIGHT = 4 * 16 }; /* bytes of an invocation */

static rp_status read_rate(figures *f, uint64_t bytes, uint32_t groups, double *out) {
    const measure_work work = {.glsl = measure_read, .groups = groups, .bytes = bytes};
    return measure_rate(f, &work, (double)groups * LANES * IN_FLIGHT, out);
}

/* From a buffer that no cache holds; with how many workgroups; and the rate of smaller buffers, of
 * which the largest cache holds those that are read clearly faster. */
static rp_status measure_memory(figures *f) {
    enum { SIZES = 16 };
    rp_target *t = f->target;
    uint32_t groups = full_groups(f), count = 0;
    uint64_t sizes[SIZES];
    double memory, rates[SIZES], best = 0;
    rp_status status = read_rate(f, f->most_bytes, groups, &memory);
    if (status != RP_OK || memory < 0) return status;
    put(&t->memory_rate, memory);
    for (uint64_t bytes = 1 << 20; bytes <= f->most_bytes / 2 && count < SIZES; bytes *= 2) {
        status = read_rate(f, bytes, groups, &rates[count]);
        if (status != RP_OK) return status;
        if (rates[count] > best) best = rates[count];
        sizes[count++] = bytes;
    }
    uint32_t last = count;
    for (uint32_t i = 0; i < count; i++)
        if (rates[i] > sqrt(best * memory)) last = i;
    if (best > 1.2 * memory && last < count) {
        t->cache_bytes = sizes[last];
        put(&t->cache_rate, best);
    } else if (best > 0) {
        put(&t->cache_rate, best); /* no cache to be seen: memory is as fast */
    }
    if (f->software) return RP_OK; /* processors fetch ahead, which no kernel can ask for */
    uint32_t few = (uint32_t)t->multiprocessors / 4;
    for (few = few ? few : 1; few < groups; few += (few + 3) / 4) {
        double rate;
        status = read_rate(f, f->most_bytes, few, &rate);
        if (status != RP_OK || rate < 0) return status;
        if (rate >= 0.9 * memory) break;
    }
    t->flight_bytes = (uint64_t)few * LANES * IN_FLIGHT;
    return RP_OK;
}

/* With what filling it takes. */
static rp_status measure_staging(figures *f) {
    enum { TILE = 512 };
    const measure_work work = {.glsl = measure_shared, .groups = full_groups(f), .bytes = 8192};
    double rate;
    rp_status status = measure_rate(f, &work, (double)work.groups * LANES * TILE * 16, &rate);
    if (status == RP_OK) put(&f->target->shared_rate, rate);
    return status;
}

/* ---- Arithmetic ------------------------------------------------------------------------------ */

static rp_status measure_arithmetic(figures *f) {
    rp_target *t = f->target;
    const struct {
        const char *glsl;
        uint64_t needs, shape;
        double ops; /* of an invocation and turn, or of a subgroup */
        uint64_t *figure;
    } all[] = {
        {measure_f32, 0, 0, F32_OPS * 8, &t->f32_rate},
        {measure_f16, RP_NEED_FLOAT16, 0, 2 * F32_OPS * 8, &t->f16_rate},
        {measure_i8, 0, 0, 8 * 16 * 8, &t->i8_rate},
        {measure_dots, RP_NEED_INT_DOT, 0, 8 * 16 * 8, &t->i8_rate}, /* what stands there counts */
        {measure_matrix_f16, RP_NEED_COOPERATIVE_MATRIX | RP_NEED_FLOAT16,
         RP_MATRIX_16_16_16_F16_F32, 4 * 2.0 * 16 * 16 * 16, &t->matrix_f16_rate},
        {measure_matrix_i8, RP_NEED_COOPERATIVE_MATRIX | RP_NEED_INT8, RP_MATRIX_16_16_32_I8_I32,
         4 * 2.0 * 16 * 16 * 32, &t->matrix_i8_rate},
    };
    for (uint32_t i = 0; i < sizeof all / sizeof *all; i++) {
        const measure_work work = {.glsl = all[i].glsl, .groups = 4 * full_groups(f)};
        double workers = (double)work.groups * LANES, rate;
        if ((t->needs & all[i].needs) != all[i].needs) continue;
        if ((t->matrix_shapes & all[i].shape) != all[i].shape) continue;
        if (all[i].shape) workers /= t->subgroup ? (double)t->subgroup : 32;
        rp_status status = measure_rate(f, &work, workers * all[i].ops, &rate);
        if (status != RP_OK) return status;
        put(all[i].figure, rate);
    }
    return RP_OK;
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* A power of two: what no cache holds, and a binding does. */
static uint64_t large_bytes(const rp_device_info *info, const rp_target *t) {
    uint64_t bytes = UINT64_C(1) << 20, most = UINT64_C(1) << 30;
    if (t->storage_range && t->storage_range < most) most = t->storage_range;
    if (info->memory_bytes / 4 < most) most = info->memory_bytes / 4;
    while (bytes * 2 <= most) bytes *= 2;
    return bytes;
}

rp_status cli_measure(rp_device *device, rp_target *target, bool *out_late, rp_diags *diags) {
    static rp_status (*const steps[])(figures *) = {
        warm_up,          find_multiprocessors, measure_dispatches, measure_groups,
        measure_memory,   measure_arithmetic,   measure_staging,    find_busy,
        measure_transfers};
    static const char *const names[] = {"the clock",        "multiprocessors", "dispatches",
                                        "workgroups",       "memory",          "arithmetic",
                                        "workgroup memory", "latencies",       "copies"};
    rp_device_info info = {.size = sizeof info};
    figures f = {.m = {.device = device, .diags = diags, .deadline = measure_now() + 8.5},
                 .target = target};
    rp_status status = rp_device_get_info(device, &info);
    f.software = info.is_cpu;
    f.period = info.is_cpu ? 0.01 : 0.002;
    f.most_bytes = large_bytes(&info, target);
    if (!target->multiprocessors) target->multiprocessors = 1;
    for (uint32_t i = 0; i < sizeof steps / sizeof *steps && status == RP_OK; i++) {
        cli_progress("measuring %s", names[i]);
        status = steps[i](&f);
    }
    cli_progress(NULL);
    measure_close(&f.m);
    *out_late = f.m.late;
    return status;
}
