/* Copies between the host and device memory, against a model of what every byte is: memory that the
 * host sees and memory that it does not, many ranges and large ones, one thread and several, while
 * replays of other memory are in flight. The validation layer listens. */
#include <pthread.h>
#include <stdlib.h>
#include "gpu.h"
#include "memory/ring.h"

static rp_device *device;

/* Memory as the arena's, that the host does not see on any device. */
static rp_storage *unseen(uint64_t bytes) {
    const rp_storage_wish wish = {.purpose = RP_PURPOSE_ARENA, .size = bytes, .name = "unseen"};
    rp_storage *storage = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_allocate(device, &wish, 1, NULL, &storage), RP_OK);
    rp_device_retain(device, RP_OBJECT_STORAGE);
    CU_ASSERT_PTR_NULL(storage->mapped);
    return storage;
}

static rp_storage *seen(uint64_t bytes) {
    const rp_storage_params params = {.size = sizeof params, .bytes = bytes, .host_visible = 1};
    rp_storage *storage = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &params, NULL, &storage), RP_OK);
    return storage;
}

static uint32_t state;

static uint32_t next(uint32_t below) {
    state = state * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)state >> 8) % below);
}

static void fill(unsigned char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)next(256);
}

/* ---- Random ranges --------------------------------------------------------------------------- */

enum { STORAGES = 3, BYTES = 300000, RANGES = 40 };

/* Uploads go to strips, so that they do not overlap; downloads are anywhere. */
static void round_of_ranges(rp_storage *const *storages, unsigned char (*model)[BYTES]) {
    static unsigned char got[RANGES][BYTES / 8];
    static unsigned char sent[RANGES][BYTES / RANGES];
    rp_storage_upload uploads[RANGES];
    rp_storage_download downloads[RANGES];
    uint32_t which[RANGES], up = next(RANGES + 1), down = next(RANGES + 1);
    for (uint32_t i = 0; i < up; i++) {
        uint32_t strip = BYTES / RANGES, skip = next(strip), size = next(strip - skip);
        uint32_t s = next(STORAGES), at = i * strip + skip;
        fill(sent[i], size);
        memcpy(model[s] + at, sent[i], size);
        uploads[i] = (rp_storage_upload){storages[s], at, size, sent[i]};
    }
    for (uint32_t i = 0; i < down; i++) {
        uint32_t at = next(BYTES), size = next(BYTES / 8);
        if (at + size > BYTES) size = BYTES - at;
        which[i] = next(STORAGES);
        downloads[i] = (rp_storage_download){storages[which[i]], at, size, got[i]};
    }
    const rp_transfer_params params = {.size = sizeof params,
                                       .uploads = uploads,
                                       .upload_count = up,
                                       .downloads = downloads,
                                       .download_count = down};
    CU_ASSERT_EQUAL(rp_device_transfer(device, &params, NULL), RP_OK);
    for (uint32_t i = 0; i < down; i++)
        CU_ASSERT_EQUAL(memcmp(got[i], model[which[i]] + downloads[i].offset, downloads[i].size),
                        0);
}

static void test_ranges(void) {
    rp_storage *storages[STORAGES] = {unseen(BYTES), seen(BYTES), unseen(BYTES)};
    static unsigned char model[STORAGES][BYTES];
    for (uint32_t s = 0; s < STORAGES; s++) {
        fill(model[s], BYTES);
        CU_ASSERT_EQUAL(rp_storage_write(storages[s], 0, model[s], BYTES, NULL), RP_OK);
    }
    for (uint32_t i = 0; i < 50; i++) round_of_ranges(storages, model);
    for (uint32_t s = 0; s < STORAGES; s++) rp_storage_release(storages[s]);
}

/* ---- Large ranges ---------------------------------------------------------------------------- */

static int note(void *user, uint64_t done, uint64_t total) {
    uint64_t *last = user;
    CU_ASSERT_TRUE(done > *last && done <= total);
    *last = done;
    return 0;
}

static void copy_large(rp_storage *storage, uint64_t size) {
    unsigned char *sent = malloc(size), *got = calloc(1, size);
    CU_ASSERT_FATAL(sent && got);
    fill(sent, size);
    uint64_t told = 0;
    const rp_storage_upload upload = {storage, 3, size - 3, sent};
    const rp_storage_download download = {storage, 3, size - 3, got};
    const rp_transfer_params params = {.size = sizeof params,
                                       .uploads = &upload,
                                       .upload_count = 1,
                                       .downloads = &download,
                                       .download_count = 1,
                                       .progress = note,
                                       .user = &told};
    CU_ASSERT_EQUAL(rp_device_transfer(device, &params, NULL), RP_OK);
    CU_ASSERT_EQUAL(told, 2 * (size - 3));
    CU_ASSERT_EQUAL(memcmp(sent, got, size - 3), 0);
    free(sent);
    free(got);
}

/* A software driver is not helped by more threads, so that they must be asked for. */
static void test_large(void) {
    const uint64_t size = 18 * RP_PIECE_BYTES + 4321;
    int is_cpu = device->adapter.info.is_cpu;
    for (int visible = 0; visible < 2; visible++)
        for (int threads = 0; threads < 2; threads++) {
            rp_storage *storage = visible ? seen(size) : unseen(size);
            device->adapter.info.is_cpu = !threads;
            copy_large(storage, size);
            rp_storage_release(storage);
        }
    device->adapter.info.is_cpu = is_cpu;
}

/* ---- Threads --------------------------------------------------------------------------------- */

enum { THREADS = 4 };

typedef struct mover {
    pthread_t thread;
    rp_storage *storage;
    uint32_t seed;
    bool wrong;
} mover;

/* Each has storage of its own; the ring is everybody's. */
static void *move(void *user) {
    mover *m = user;
    enum { SIZE = 3 * RP_PIECE_BYTES };
    unsigned char *sent = malloc(SIZE), *got = calloc(1, SIZE);
    for (uint32_t round = 0; round < 4; round++) {
        uint32_t size = SIZE >> (round * 3);
        memset(sent, (int)(m->seed + round), size);
        m->wrong |= rp_storage_write(m->storage, round, sent, size - 4, NULL) != RP_OK;
        m->wrong |= rp_storage_read(m->storage, round, got, size - 4, NULL) != RP_OK;
        m->wrong |= memcmp(sent, got, size - 4) != 0;
    }
    free(sent);
    free(got);
    return NULL;
}

static void test_threads(void) {
    mover movers[THREADS] = {0};
    for (uint32_t i = 0; i < THREADS; i++) {
        movers[i] = (mover){.storage = unseen(3 * RP_PIECE_BYTES), .seed = 10 * i};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&movers[i].thread, NULL, move, &movers[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(movers[i].thread, NULL);
        CU_ASSERT_FALSE(movers[i].wrong);
        rp_storage_release(movers[i].storage);
    }
}

static void test_silence(void) {
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_device_messages(device, diags), 0);
    gpu_report(diags);
    rp_diags_destroy(diags);
    CU_ASSERT_EQUAL(rp_device_destroy(device, NULL), RP_OK);
}

static void test_open(void) {
    device = gpu_open(1);
}

int main(void) {
    static const rp_test tests[] = {{"open", test_open},       {"random ranges", test_ranges},
                                    {"large", test_large},     {"threads", test_threads},
                                    {"silence", test_silence}, {0}};
    return rp_run_tests("transfers", tests);
}
