/* Recipes: where the bytes are. */
#include "recipes.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- Memory ---------------------------------------------------------------------------------- */

/* w[i] = 2 in a file of its own. */
static void save_weights(const char *path) {
    char header[128];
    int length = snprintf(header, sizeof header,
                          "{'descr': '<u4', 'fortran_order': False, 'shape': (%d,)}\n", COUNT);
    FILE *out = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    fwrite("\x93NUMPY\1", 1, 8, out);
    fputc(length, out);
    fputc(0, out);
    fwrite(header, 1, (size_t)length, out);
    for (uint32_t i = 0; i < COUNT; i++) fwrite(&(uint32_t){2}, 1, 4, out);
    CU_ASSERT_EQUAL_FATAL(fclose(out), 0);
}

void test_weights_once(void) {
    char folder[] = "/tmp/reprise-recipes-XXXXXX", path[64];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/w.npy", folder);
    save_weights(path);

    rp_weights *file;
    check(rp_weights_open(NULL, path, diags, &file)); /* w.npy; or a .safetensors file */
    const rp_plan *const plans[] = {plan, later_plan};
    const rp_weights_load_params load = {
        .size = sizeof load, .plans = plans, .plan_count = 2, .files = &file, .file_count = 1};
    rp_loaded_weights *weights;
    check(rp_weights_load(device, &load, diags, &weights));
    rp_weights_close(file);

    rp_exec *execs[2];
    for (uint32_t e = 0; e < 2; e++) {
        rp_binding bindings[8];
        rp_exec_params params = {.size = sizeof params, .bindings = bindings};
        check(rp_loaded_weights_bindings(weights, plans[e], diags, bindings, 8,
                                         &params.binding_count));
        check(rp_exec_create(device, plans[e], &params, diags, &execs[e]));
    }
    rp_loaded_weights_destroy(weights); /* the execs hold what they read */

    uint32_t x[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) x[i] = i;
    for (uint32_t e = 0; e < 2; e++) {
        check(rp_exec_write(execs[e], 0, "x", 0, x, sizeof x, diags));
        check(rp_exec_submit(execs[e], NULL, diags, NULL));
        check(rp_exec_wait(execs[e], 0, UINT64_MAX, diags));
        expect_results(execs[e], 0, e ? 6 : 2, 0, 0);
        rp_exec_destroy(execs[e]);
    }
    CU_ASSERT_EQUAL(remove(path) | remove(folder), 0);
}

void test_arena(void) {
    rp_plan_info first = {.size = sizeof first}, second = {.size = sizeof second};
    check(rp_plan_get_info(plan, &first));
    check(rp_plan_get_info(later_plan, &second));
    uint64_t bytes =
        first.arena_bytes > second.arena_bytes ? first.arena_bytes : second.arena_bytes;

    rp_storage *arena = create_storage(bytes);
    const rp_binding binding = {.buffer = NULL, .storage = arena, .slot = RP_ALL_SLOTS};
    const rp_exec_params params = {.size = sizeof params, .bindings = &binding, .binding_count = 1};
    rp_exec *a, *b;
    check(rp_exec_create(device, plan, &params, diags, &a));
    check(rp_exec_create(device, later_plan, &params, diags, &b));
    rp_storage_release(arena);

    write_inputs(a, 0, 0);
    write_inputs(b, 0, 0);
    const rp_submission both[] = {{a, NULL}, {b, NULL}};
    check(rp_device_submit(device, both, 2, diags, NULL));
    check(rp_exec_wait(b, 0, UINT64_MAX, diags));
    check(rp_exec_wait(a, 0, UINT64_MAX, diags));
    expect_results(a, 0, 2, 0, 0);
    expect_results(b, 0, 6, 0, 0);
    rp_exec_destroy(a);
    rp_exec_destroy(b);
}

void test_host_visible(void) {
    const rp_storage_params params = {
        .size = sizeof params, .bytes = 2 * BYTES, .host_visible = 1, .name = "results"};
    rp_storage *storage;
    check(rp_storage_create(device, &params, diags, &storage));
    const rp_binding bindings[] = {{"x", storage, 0, RP_ALL_SLOTS, 0},
                                   {"y", storage, BYTES, RP_ALL_SLOTS, 0}};
    const rp_exec_params bound = {.size = sizeof bound, .bindings = bindings, .binding_count = 2};
    rp_exec *exec = create(&bound);
    write_inputs(exec, 0, 0);

    void *x, *y;
    check(rp_exec_map(exec, 0, "x", diags, &x, NULL));
    check(rp_exec_map(exec, 0, "y", diags, &y, NULL));
    ((uint32_t *)x)[0] = 0; /* while the slot is idle */
    check(rp_exec_submit(exec, NULL, diags, NULL));
    check(rp_exec_wait(exec, 0, UINT64_MAX, diags));
    expect_values(y, 2, 0, 0);

    rp_exec_destroy(exec);
    rp_storage_release(storage);
}

/* ---- The host's bytes ------------------------------------------------------------------------ */

enum { LAYERS = 3, LAYER_BYTES = 3 << 20 };

/* Tells the user, and goes on. */
static int on_progress(void *user, uint64_t done, uint64_t total) {
    *(double *)user = (double)done / (double)total;
    return 0; /* anything else stops */
}

void test_uploads(void) {
    static uint32_t layers[LAYERS][LAYER_BYTES / 4], back[LAYER_BYTES / 4];
    for (uint32_t i = 0; i < LAYERS; i++)
        for (uint32_t k = 0; k < LAYER_BYTES / 4; k++) layers[i][k] = i + k;
    rp_storage *weights = create_storage(LAYERS * LAYER_BYTES);

    rp_storage_upload uploads[LAYERS];
    for (uint32_t i = 0; i < LAYERS; i++)
        uploads[i] = (rp_storage_upload){weights, i * LAYER_BYTES, LAYER_BYTES, layers[i]};
    double shown = 0;
    const rp_transfer_params params = {.size = sizeof params,
                                       .uploads = uploads,
                                       .upload_count = LAYERS,
                                       .progress = on_progress,
                                       .user = &shown};
    check(rp_device_transfer(device, &params, diags));

    CU_ASSERT_EQUAL(shown, 1);
    check(rp_storage_read(weights, 2 * LAYER_BYTES, back, sizeof back, diags));
    CU_ASSERT_EQUAL(memcmp(back, layers[2], sizeof back), 0);
    rp_storage_release(weights);
}

void test_bytes_of_an_exec(void) {
    uint32_t x[COUNT], w[COUNT], y[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) x[i] = i, w[i] = 2;
    rp_exec *exec = create(NULL);

    const rp_upload in[] = {{.buffer = "x", .size = sizeof x, .data = x},
                            {.buffer = "w", .size = sizeof w, .data = w}};
    check(rp_exec_transfer(exec, 0, in, 2, NULL, 0, diags));
    check(rp_exec_submit(exec, NULL, diags, NULL));
    check(rp_exec_wait(exec, 0, UINT64_MAX, diags));
    check(rp_exec_read(exec, 0, "y", 0, y, sizeof y, diags)); /* one range */

    expect_values(y, 2, 0, 0);
    rp_exec_destroy(exec);
}

void test_frames(void) {
    const rp_exec_params params = {.size = sizeof params, .slots = SLOTS};
    rp_exec *exec = create(&params);
    write_inputs(exec, 0, 0);

    uint32_t x[COUNT], y[SLOTS][COUNT];
    uint64_t replays[SLOTS] = {0};
    for (uint32_t frame = 0; frame < 10; frame++) {
        uint32_t slot = frame % SLOTS;
        if (replays[slot]) {
            check(rp_exec_wait(exec, replays[slot], UINT64_MAX, diags)); /* y[slot] is there */
            expect_values(y[slot], 2, frame - SLOTS, 0);
        }
        for (uint32_t i = 0; i < COUNT; i++) x[i] = i + frame;
        const rp_upload in = {.buffer = "x", .size = sizeof x, .data = x};
        const rp_download out = {.buffer = "y", .size = sizeof y[slot], .data = y[slot]};
        const rp_submit_params submit = {.size = sizeof submit,
                                         .slot = slot,
                                         .uploads = &in,
                                         .upload_count = 1,
                                         .downloads = &out,
                                         .download_count = 1};
        check(rp_exec_submit(exec, &submit, diags, &replays[slot])); /* x was read */
    }
    check(rp_exec_wait(exec, 0, UINT64_MAX, diags));
    for (uint32_t frame = 7; frame < 10; frame++) expect_values(y[frame % SLOTS], 2, frame, 0);
    rp_exec_destroy(exec);
}
