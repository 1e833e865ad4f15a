/* Descriptor sets, found by what they bind.
 *
 * A set is written once and used by every call that binds the same bytes through the same layout,
 * in this encoding and in later ones: work that comes back writes nothing. Storages are told apart
 * by their serial numbers: a VkBuffer's handle may come back for another one.
 *
 * Work mostly comes in the order in which it came before, so each set knows the one that was used
 * after it: what is asked for is compared with that first, and nothing is hashed.
 *
 * What does not come back is written anew. Sets of a layout stand in a list by their last use; when
 * all are taken, the one that was unused for longest is written again, if the GPU is done with it.
 * Otherwise there are more, in pools that double, so an application that says what is done
 * (rp_encoder_done) has about as many sets as are in flight, and at most as many again. Using a set
 * does not move it in the list: that is made up for when one is asked for, and comes upon it. */
#include "direct/encoder.h"

enum { FIRST_POOL = 16, LARGEST_POOL = 1024 };

#define NONE RP_UNSET

void rp_sets_init(rp_sets *s, rp_device *device) {
    *s = (rp_sets){.device = device, .last = NONE};
}

uint32_t rp_sets_family(rp_sets *s, const rp_set_layout *layout) {
    for (uint32_t i = 0; i < s->family_count; i++)
        if (s->families[i].layout == layout) return i;
    if (!RP_RESERVE(&s->device->allocator, s->families, s->family_count, s->family_capacity, 1))
        return RP_UNSET;
    s->families[s->family_count] = (rp_set_family){layout, NONE, NONE, 0};
    return s->family_count++;
}

void rp_sets_free(rp_sets *s) {
    if (!s->device) return;
    const rp_allocator *a = &s->device->allocator;
    for (uint32_t i = 0; i < s->pool_count; i++)
        s->device->vk.DestroyDescriptorPool(s->device->handle, s->pools[i], NULL);
    rp_release(a, s->pools);
    rp_release(a, s->families);
    rp_release(a, s->all);
    rp_release(a, s->ranges);
    rp_release(a, s->buckets);
    *s = (rp_sets){0};
}

/* ---- Lists and buckets ----------------------------------------------------------------------- */

static void unlink_set(rp_sets *s, rp_set_family *f, uint32_t set) {
    const rp_cached_set *c = &s->all[set];
    *(c->older == NONE ? &f->oldest : &s->all[c->older].newer) = c->newer;
    *(c->newer == NONE ? &f->newest : &s->all[c->newer].older) = c->older;
}

static void append_set(rp_sets *s, rp_set_family *f, uint32_t set) {
    rp_cached_set *c = &s->all[set];
    c->older = f->newest;
    c->newer = NONE;
    *(f->newest == NONE ? &f->oldest : &s->all[f->newest].newer) = set;
    f->newest = set;
}

static uint32_t bucket_of(const rp_sets *s, uint64_t hash) {
    return (uint32_t)(hash >> 32) & (s->bucket_count - 1);
}

static void forget(rp_sets *s, uint32_t set) {
    uint32_t *at = &s->buckets[bucket_of(s, s->all[set].hash)];
    while (*at != set) at = &s->all[*at].chain;
    *at = s->all[set].chain;
    s->all[set].used = 0;
}

static void enter(rp_sets *s, uint32_t set) {
    uint32_t *bucket = &s->buckets[bucket_of(s, s->all[set].hash)];
    s->all[set].chain = *bucket;
    *bucket = set;
}

/* Two buckets for each set. */
static bool grow_buckets(rp_sets *s, uint32_t sets) {
    uint32_t count = s->bucket_count ? s->bucket_count : 64;
    while (count < 2 * sets) count *= 2;
    if (count == s->bucket_count) return true;
    uint32_t *buckets = rp_alloc(&s->device->allocator, count, sizeof *buckets);
    if (!buckets) return false;
    memset(buckets, 0xff, count * sizeof *buckets); /* NONE */
    rp_release(&s->device->allocator, s->buckets);
    s->buckets = buckets;
    s->bucket_count = count;
    for (uint32_t i = 0; i < s->count; i++)
        if (s->all[i].used) enter(s, i);
    return true;
}

/* ---- Making sets ----------------------------------------------------------------------------- */

static rp_status create_pool(rp_sets *s, const rp_set_layout *layout, uint32_t count,
                             rp_diags *diags) {
    VkDescriptorPoolSize sizes[RP_DESCRIPTOR_TYPES];
    uint32_t counts[RP_DESCRIPTOR_TYPES];
    for (uint32_t i = 0; i < RP_DESCRIPTOR_TYPES; i++) counts[i] = count * layout->type_counts[i];
    const VkDescriptorPoolCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
        .maxSets = count,
        .poolSizeCount = rp_pool_sizes(counts, sizes),
        .pPoolSizes = sizes,
    };
    VkDescriptorPool *out = &s->pools[s->pool_count];
    RP_TRY(RP_VK(diags, s->device->vk.CreateDescriptorPool(s->device->handle, &info, NULL, out)));
    s->pool_count++;
    return RP_OK;
}

static rp_status allocate_handles(rp_sets *s, const rp_set_layout *layout, uint32_t count,
                                  VkDescriptorSet *handles, rp_diags *diags) {
    VkDescriptorSetLayout *layouts = rp_alloc(&s->device->allocator, count, sizeof *layouts);
    if (!layouts) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) layouts[i] = layout->handle;
    const VkDescriptorSetAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
        .descriptorPool = s->pools[s->pool_count - 1],
        .descriptorSetCount = count,
        .pSetLayouts = layouts,
    };
    rp_status status =
        RP_VK(diags, s->device->vk.AllocateDescriptorSets(s->device->handle, &info, handles));
    rp_release(&s->device->allocator, layouts);
    return status;
}

/* As many sets again as the family has, all of a pool of their own. Room is made first, so that
 * nothing fails half done but for an empty pool. */
static rp_status add_sets(rp_sets *s, rp_set_family *f, rp_diags *diags) {
    const rp_allocator *a = &s->device->allocator;
    uint32_t count = f->count < FIRST_POOL     ? FIRST_POOL
                     : f->count > LARGEST_POOL ? LARGEST_POOL
                                               : f->count;
    VkDescriptorSet handles[LARGEST_POOL];
    if (!RP_RESERVE(a, s->all, s->count, s->capacity, count) ||
        !RP_RESERVE(a, s->pools, s->pool_count, s->pool_capacity, 1) ||
        !RP_RESERVE(a, s->ranges, s->range_count, s->range_capacity,
                    count * f->layout->descriptor_count) ||
        !grow_buckets(s, s->count + count))
        return RP_ERROR_NO_MEMORY;
    RP_TRY(create_pool(s, f->layout, count, diags));
    RP_TRY(allocate_handles(s, f->layout, count, handles, diags));
    /* In front of the list, the first in front of all: they are taken in order. */
    for (uint32_t i = count; i--;) {
        s->all[s->count + i] = (rp_cached_set){
            .handle = handles[i],
            .family = (uint32_t)(f - s->families),
            .follower = NONE,
            .older = NONE,
            .newer = f->oldest,
            .first_range = s->range_count + i * f->layout->descriptor_count,
        };
        *(f->oldest == NONE ? &f->newest : &s->all[f->oldest].older) = s->count + i;
        f->oldest = s->count + i;
    }
    s->count += count;
    s->range_count += count * f->layout->descriptor_count;
    f->count += count;
    return RP_OK;
}

/* ---- Finding sets ---------------------------------------------------------------------------- */

static uint64_t hash_of(const rp_set_key *key) {
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = key->family;
    for (uint32_t i = 0; i < key->count; i++) {
        const rp_encoder_use *u = &key->uses[key->at[i]];
        hash = (hash ^ u->serial ^ u->lo << 24) * odd;
        hash = (hash ^ hash >> 32 ^ u->hi ^ u->seen) * odd;
    }
    return hash;
}

/* The next time it is expected where it is now. */
static void follow(rp_sets *s, uint32_t set) {
    if (s->last != NONE) s->all[s->last].follower = set;
    s->last = set;
}

uint32_t rp_sets_search(rp_sets *s, const rp_set_key *key, uint64_t number) {
    if (s->bucket_count == 0) return NONE;
    uint32_t set = s->buckets[bucket_of(s, hash_of(key))];
    while (set != NONE && !rp_set_has(s, set, key)) set = s->all[set].chain;
    if (set == NONE) return NONE;
    s->all[set].used = number;
    follow(s, set);
    return set;
}

/* The set of a family that was unused for longest; those in front of it that were used since they were
 * put there go to the end. NONE when the family has no sets. */
static uint32_t oldest(rp_sets *s, rp_set_family *f, uint64_t number) {
    while (f->oldest != NONE && s->all[f->oldest].used > s->all[f->oldest].listed) {
        uint32_t set = f->oldest;
        unlink_set(s, f, set);
        append_set(s, f, set);
        s->all[set].listed = number;
    }
    return f->oldest;
}

rp_status rp_sets_make(rp_sets *s, const rp_set_key *key, const rp_named *named, uint64_t number,
                       rp_diags *diags, uint32_t *out) {
    rp_set_family *f = &s->families[key->family];
    uint32_t set = oldest(s, f, number);
    if (set == NONE || s->all[set].used > s->done) {
        RP_TRY(add_sets(s, f, diags));
        set = f->oldest;
    }
    rp_cached_set *c = &s->all[set];
    if (c->used) forget(s, set);
    rp_set_writer writer;
    rp_set_writer_begin(&writer, s->device);
    rp_set_writer_add(&writer, f->layout, c->handle, named);
    rp_set_writer_flush(&writer);
    s->written++;
    for (uint32_t i = 0; i < key->count; i++) {
        const rp_encoder_use *u = &key->uses[key->at[i]];
        s->ranges[c->first_range + i] =
            (rp_set_range){.serial = u->serial, .lo = u->lo, .hi = u->hi, .seen = u->seen};
    }
    c->hash = hash_of(key);
    enter(s, set);
    unlink_set(s, f, set);
    append_set(s, f, set);
    c->used = c->listed = number;
    follow(s, set);
    *out = set;
    return RP_OK;
}
