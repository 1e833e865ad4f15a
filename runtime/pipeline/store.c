/* The store: created with its device, emptied by rp_device_trim, gone with the device. */
#include "pipeline/store.h"

rp_store *rp_store_create(rp_device *device) {
    rp_store *store = rp_alloc_zero(&device->allocator, 1, sizeof *store);
    if (!store) return NULL;
    store->device = device;
    if (pthread_mutex_init(&store->mutex, NULL) != 0) {
        rp_release(&device->allocator, store);
        return NULL;
    }
    return store;
}

void rp_store_destroy(rp_store *store) {
    if (!store) return;
    rp_device *device = store->device;
    rp_layouts_trim(store, true);
    pthread_mutex_destroy(&store->mutex);
    rp_release(&device->allocator, store);
}
