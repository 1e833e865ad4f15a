/* Weights of files in device memory: what is shared, what is refused, cancelling, and every call
 * that can fail. */
#include <stdlib.h>
#include "opened.h"
#include "reprise/weights.h"

/* Two plans that share a and have one of their own; b is BF16 in the file. */
static const char first[] = "reprise 1\n"
                            "graph io scheduled placed synced arena 0 {\n"
                            "  buf $a weight f32[2,3]\n"
                            "  buf $b weight f32[2]\n"
                            "  buf $y out 24\n"
                            "  group 0\n"
                            "    n0 = copy (r $a, w $y)\n"
                            "}\n";
static const char second[] = "reprise 1\n"
                             "graph io scheduled placed synced arena 0 {\n"
                             "  buf $a weight f32[2,3]\n"
                             "  buf $c weight u8[4]\n"
                             "  buf $y out 24\n"
                             "  group 0\n"
                             "    n0 = copy (r $a, w $y)\n"
                             "}\n";

static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                             "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[24,28]},"
                             "\"other\":{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[28,37]}}";
static const char npy[] = "\x93NUMPY\1\0\063\0"
                          "{'descr':'|u1','fortran_order':False,'shape':(4,)} wxyz";

static rp_plan *plans[2];
static rp_weights *files[2];
static char safetensors[8 + sizeof header - 1 + 37];

static void open_files(void) {
    size_t length = sizeof header - 1;
    memcpy(safetensors, &length, 8);
    memcpy(safetensors + 8, header, length);
    for (int i = 0; i < 37; i++) safetensors[8 + length + (size_t)i] = (char)(i + 1);
    CU_ASSERT_EQUAL_FATAL(rp_weights_from_memory(NULL, safetensors, sizeof safetensors,
                                                 "m.safetensors", NULL, &files[0]),
                          RP_OK);
    CU_ASSERT_EQUAL_FATAL(
        rp_weights_from_memory(NULL, npy, sizeof npy - 1, "d/c.npy", NULL, &files[1]), RP_OK);
    plans[0] = mock_plan(first);
    plans[1] = mock_plan(second);
    CU_ASSERT_FATAL(plans[0] && plans[1]);
}

static void close_files(void) {
    for (int i = 0; i < 2; i++) {
        rp_weights_close(files[i]);
        rp_plan_destroy(plans[i]);
    }
}

static rp_weights_load_params all(void) {
    return (rp_weights_load_params){.size = sizeof(rp_weights_load_params),
                                    .plans = (const rp_plan *const *)plans,
                                    .plan_count = 2,
                                    .files = files,
                                    .file_count = 2,
                                    .allocator = &memory.allocator};
}

static void begin(void) {
    mock_reset();
    open_files();
    mock_allocator_init(&memory);
    diags = rp_diags_create(NULL);
    device = mock_open(&memory.allocator, diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
    plan = NULL;
    exec = NULL;
}

static void end(void) {
    close_files();
    close_all();
}

static void expect_bytes(const rp_binding *binding, const void *wanted, size_t size) {
    char got[64];
    CU_ASSERT_EQUAL(rp_storage_read(binding->storage, binding->offset, got, size, diags), RP_OK);
    CU_ASSERT_EQUAL(memcmp(got, wanted, size), 0);
}

typedef struct told {
    uint32_t calls, stop_at;
    uint64_t done, total;
} told;

static int note(void *user, uint64_t done, uint64_t total) {
    told *t = user;
    CU_ASSERT_TRUE(done >= t->done && done <= total);
    t->done = done;
    t->total = total;
    return ++t->calls == t->stop_at;
}

static void test_shares(void) {
    begin();
    told t = {0};
    rp_weights_load_params params = all();
    params.progress = note;
    params.user = &t;
    rp_loaded_weights *loaded = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_weights_load(device, &params, diags, &loaded), RP_OK);
    CU_ASSERT_EQUAL(t.total, 24 + 8 + 4);
    CU_ASSERT_EQUAL(t.done, t.total);
    CU_ASSERT_TRUE(rp_loaded_weights_bytes(loaded) < 3 * 256); /* three arrays, a once */
    rp_binding one[3], two[3];
    uint32_t count = 0;
    CU_ASSERT_EQUAL(rp_loaded_weights_bindings(loaded, plans[0], diags, NULL, 0, &count), RP_OK);
    CU_ASSERT_EQUAL(count, 2);
    CU_ASSERT_EQUAL(rp_loaded_weights_bindings(loaded, plans[0], diags, one, 3, &count), RP_OK);
    CU_ASSERT_EQUAL(rp_loaded_weights_bindings(loaded, plans[1], diags, two, 3, &count), RP_OK);
    CU_ASSERT_STRING_EQUAL(one[0].buffer, "a");
    CU_ASSERT_STRING_EQUAL(one[1].buffer, "b");
    CU_ASSERT_STRING_EQUAL(two[1].buffer, "c");
    CU_ASSERT_PTR_EQUAL(one[0].storage, two[0].storage);
    CU_ASSERT_EQUAL(one[0].offset, two[0].offset);
    const char *data = safetensors + 8 + sizeof header - 1;
    expect_bytes(&one[0], data, 24);
    expect_bytes(&one[1], "\0\0\31\32\0\0\33\34", 8); /* the upper halves */
    expect_bytes(&two[1], "wxyz", 4);

    rp_exec_params exec_params = mock_params;
    exec_params.binding_count = 2;
    rp_exec *execs[2];
    for (int i = 0; i < 2; i++) {
        exec_params.bindings = i ? two : one;
        CU_ASSERT_EQUAL_FATAL(rp_exec_create(device, plans[i], &exec_params, diags, &execs[i]),
                              RP_OK);
    }
    rp_loaded_weights_destroy(loaded); /* the execs hold it */
    for (int i = 0; i < 2; i++) {
        char y[24];
        CU_ASSERT_EQUAL(rp_exec_submit(execs[i], NULL, diags, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(execs[i], 0, UINT64_MAX, diags), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_read(execs[i], 0, "y", 0, y, sizeof y, diags), RP_OK);
        CU_ASSERT_EQUAL(memcmp(y, data, sizeof y), 0);
        rp_exec_destroy(execs[i]);
    }
    end();
}

static void refuse(const rp_weights_load_params *params, rp_status status, const char *words) {
    rp_loaded_weights *loaded = (rp_loaded_weights *)params;
    uint32_t objects = mock.objects;
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_weights_load(device, params, diags, &loaded), status);
    CU_ASSERT_PTR_NULL(loaded);
    CU_ASSERT_TRUE(rp_test_said(diags, words));
    CU_ASSERT_EQUAL(mock.objects, objects);
}

static void test_refuses(void) {
    begin();
    rp_weights_load_params params = all();
    params.file_count = 1;
    refuse(&params, RP_ERROR_NOT_FOUND, "'c' has no data: none of 1 files has an array 'c'");
    const rp_weight_name names[] = {{"a", "other"}, {"c", "other"}};
    params = all();
    params.names = names;
    params.name_count = 2;
    refuse(&params, RP_ERROR_INVALID, "tensor 'other' is U8; buffer 'a' is f32");
    CU_ASSERT_TRUE(rp_test_said(diags, "tensor 'other' has shape (9,); buffer 'c' has shape (4,)"));
    CU_ASSERT_STRING_EQUAL(rp_diags_get(diags, 0).file, "m.safetensors");
    params = all();
    params.size = 0;
    refuse(&params, RP_ERROR_USAGE, "set the member size");
    params = all();
    params.files = NULL;
    refuse(&params, RP_ERROR_USAGE, "none of them NULL");
    rp_loaded_weights *loaded = NULL;
    params = all();
    params.plan_count = 1;
    CU_ASSERT_EQUAL_FATAL(rp_weights_load(device, &params, diags, &loaded), RP_OK);
    uint32_t count = 7;
    rp_binding bindings[2];
    CU_ASSERT_EQUAL(rp_loaded_weights_bindings(loaded, plans[1], diags, bindings, 2, &count),
                    RP_ERROR_NOT_FOUND);
    CU_ASSERT_EQUAL(count, 0);
    CU_ASSERT_TRUE(rp_test_said(diags, "weight buffer 'c' was not loaded"));
    CU_ASSERT_EQUAL(rp_loaded_weights_bindings(loaded, plans[0], diags, NULL, 2, &count),
                    RP_ERROR_USAGE);
    rp_loaded_weights_destroy(loaded);
    rp_loaded_weights_destroy(NULL);
    CU_ASSERT_EQUAL(rp_loaded_weights_bytes(NULL), 0);
    end();
}

static void test_cancel(void) {
    begin();
    for (uint32_t stop = 1;; stop++) {
        told t = {.stop_at = stop};
        rp_weights_load_params params = all();
        params.progress = note;
        params.user = &t;
        rp_loaded_weights *loaded = NULL;
        uint32_t objects = mock.objects;
        rp_status status = rp_weights_load(device, &params, diags, &loaded);
        if (t.calls < stop) {
            CU_ASSERT_EQUAL(status, RP_OK);
            CU_ASSERT_TRUE(stop > 2); /* what lies in files as it is, and what is widened */
            rp_loaded_weights_destroy(loaded);
            break;
        }
        CU_ASSERT_EQUAL(status, RP_ERROR_CANCELLED);
        CU_ASSERT_PTR_NULL(loaded);
        if (stop > 1) CU_ASSERT_EQUAL(mock.objects, objects); /* the first makes the ring */
    }
    end();
}

/* Each call of Vulkan and each allocation fails once: a status, and nothing is left. */
static void test_faults(void) {
    for (int host = 0; host < 2; host++) {
        bool failed = true;
        for (long i = 1; failed; i++) {
            begin();
            rp_weights_load_params params = all();
            if (host)
                memory.fail_at = memory.calls + i;
            else
                mock.fail_at = mock.calls + (uint32_t)i, mock.fail_with = VK_ERROR_UNKNOWN;
            rp_loaded_weights *loaded = NULL;
            rp_status status = rp_weights_load(device, &params, diags, &loaded);
            failed = host ? memory.calls >= memory.fail_at : mock.failed != NULL;
            if (failed) CU_ASSERT_EQUAL(status, host ? RP_ERROR_NO_MEMORY : RP_ERROR_DRIVER);
            CU_ASSERT_EQUAL(loaded != NULL, status == RP_OK);
            CU_ASSERT_TRUE(failed || i > 4);
            mock.fail_at = 0;
            memory.fail_at = 0;
            rp_loaded_weights_destroy(loaded);
            end();
        }
    }
}

int main(void) {
    static const rp_test tests[] = {{"shares", test_shares},
                                    {"refuses", test_refuses},
                                    {"cancel", test_cancel},
                                    {"faults", test_faults},
                                    {0}};
    return rp_run_tests("weights in device memory", tests);
}
