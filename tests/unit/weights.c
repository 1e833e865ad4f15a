/* .safetensors files: what is read, and what is refused. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "reprise/weights.h"
#include "support/unit.h"

static char path[] = "/tmp/reprise-weights-XXXXXX";
static rp_diags *diags;

static void write_file(const void *header, uint64_t claimed, size_t header_size, size_t data) {
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fwrite(&claimed, sizeof claimed, 1, file); /* little-endian */
    fwrite(header, 1, header_size, file);
    for (size_t i = 0; i < data; i++) fputc((int)i, file);
    CU_ASSERT_EQUAL_FATAL(fclose(file), 0);
}

static rp_weights *open_text(const char *header, size_t data) {
    rp_weights *w = NULL;
    write_file(header, strlen(header), strlen(header), data);
    rp_status status = rp_weights_open(NULL, path, diags, &w);
    if (status != RP_OK) CU_ASSERT_EQUAL(status, RP_ERROR_INVALID);
    CU_ASSERT_EQUAL(w != NULL, status == RP_OK);
    return w;
}

static void test_reads(void) {
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},\n"
        "\"b\":{\"dtype\":\"BF16\",\"shape\":[2,2],\"data_offsets\":[12,20]},"
        " \"a.b-c\" : {\"data_offsets\":[0,12], \"shape\":[3], \"dtype\":\"F32\"},"
        "\"none\":{\"dtype\":\"U8\",\"shape\":[0,7],\"data_offsets\":[20,20]},"
        "\"one\":{\"dtype\":\"I8\",\"shape\":[],\"data_offsets\":[20,21]}}   ";
    rp_weights *w = open_text(header, 21);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    CU_ASSERT_EQUAL(rp_weights_count(w), 4);
    rp_weight a = rp_weights_get(w, rp_weights_find(w, "a.b-c"));
    CU_ASSERT_STRING_EQUAL(a.name, "a.b-c");
    CU_ASSERT_EQUAL(a.dtype, RP_F32);
    CU_ASSERT_EQUAL(a.rank, 1);
    CU_ASSERT_EQUAL(a.shape[0], 3);
    CU_ASSERT_EQUAL(a.size, 12);
    CU_ASSERT_EQUAL(memcmp(a.data, "\0\1\2\3", 4), 0);
    rp_weight b = rp_weights_get(w, rp_weights_find(w, "b"));
    CU_ASSERT_STRING_EQUAL(b.type, "BF16");
    CU_ASSERT_EQUAL(b.dtype, RP_RAW);
    CU_ASSERT_EQUAL(*(const uint8_t *)b.data, 12);
    CU_ASSERT_EQUAL(rp_weights_get(w, rp_weights_find(w, "none")).size, 0);
    CU_ASSERT_EQUAL(rp_weights_get(w, rp_weights_find(w, "one")).rank, 0);
    CU_ASSERT_EQUAL(rp_weights_find(w, "nothing"), UINT32_MAX);
    CU_ASSERT_PTR_NULL(rp_weights_get(w, 4).name);
    rp_weights_close(w);
    w = open_text("{}", 0);
    CU_ASSERT_PTR_NOT_NULL(w);
    CU_ASSERT_EQUAL(rp_weights_count(w), 0);
    rp_weights_close(w);
}

static void refuse(const char *header, size_t data, const char *words) {
    rp_weights *w = open_text(header, data);
    CU_ASSERT_PTR_NULL(w);
    const char *message = rp_diags_count(diags) ? rp_diags_get(diags, 0).message : "";
    if (!strstr(message, words)) fprintf(stderr, "  wanted %s\n  got %s\n", words, message);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, words));
    rp_diags_clear(diags);
    rp_weights_close(w);
}

#define ONE(type, shape, offsets)                                                                  \
    "{\"x\":{\"dtype\":" type ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static void test_refuses(void) {
    refuse(ONE("\"F32\"", "[3]", "[0,8]"), 8, "3 values of F32 are not its 8 bytes");
    refuse(ONE("\"F32\"", "[2]", "[0,8]"), 7, "lie outside the data");
    refuse(ONE("\"F32\"", "[2]", "[8,0]"), 8, "lie outside the data");
    refuse(ONE("\"F32\"", "[2]", "[0,8]"), 9, "1 bytes at the end belong to no tensor");
    refuse(ONE("\"F32\"", "[2]", "[1,9]"), 9, "1 bytes before tensor 'x' belong to none");
    refuse(ONE("\"F33\"", "[2]", "[0,8]"), 8, "unknown type 'F33'");
    refuse(ONE("F32", "[2]", "[0,8]"), 8, "'dtype' is no text");
    refuse(ONE("\"F32\"", "2", "[0,8]"), 8, "'shape' is no list");
    refuse(ONE("\"F32\"", "[-2]", "[0,8]"), 8, "something else than whole numbers");
    refuse(ONE("\"F32\"", "[2.0]", "[0,8]"), 8, "something else than whole numbers");
    refuse(ONE("\"F32\"", "[\"2\"]", "[0,8]"), 8, "something else than whole numbers");
    refuse(ONE("\"F32\"", "[4294967296,4294967296,4]", "[0,8]"), 8, "its shape is too large");
    refuse(ONE("\"F32\"", "[4611686018427387904]", "[0,0]"), 0, "are not its 0 bytes");
    refuse(ONE("\"F32\"", "[2]", "[0]"), 8, "no pair of whole numbers");
    refuse(ONE("\"F32\"", "[2]", "[0,99999999999999999999]"), 8, "no pair of whole numbers");
    refuse("{\"x\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "no tensor with dtype, shape");
    refuse("{\"x\":[]}", 0, "no tensor with dtype, shape");
    refuse("{x: {}}", 0, "no tensor with dtype, shape");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},"
           "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
           8, "tensor 'b' overlaps 'a'");
    refuse("{\"a\":1,\"a\":1}", 0, "duplicate key 'a'");
    refuse("{\"a\":", 0, "its header is damaged");
    refuse("[1]", 0, "does not begin with '{'");
    refuse("{} {}", 0, "its header is damaged");
}

static void test_damaged_files(void) {
    rp_weights *w;
    static const uint64_t lengths[] = {
        0, 1, 3, 1000, UINT64_MAX, UINT64_MAX - 7, UINT64_C(1) << 63};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        write_file("{}", lengths[i], 2, 0);
        CU_ASSERT_EQUAL(rp_weights_open(NULL, path, diags, &w), RP_ERROR_INVALID);
    }
    for (size_t size = 0; size < 8; size++) {
        CU_ASSERT_EQUAL(truncate(path, (off_t)size), 0);
        CU_ASSERT_EQUAL(rp_weights_open(NULL, path, diags, &w), RP_ERROR_INVALID);
        CU_ASSERT_PTR_NULL(w);
    }
    CU_ASSERT_EQUAL(rp_weights_open(NULL, "/nonexistent", diags, &w), RP_ERROR_IO);
    CU_ASSERT_EQUAL(rp_weights_open(NULL, "/tmp", diags, &w), RP_ERROR_INVALID);
    CU_ASSERT_EQUAL(rp_weights_open(NULL, NULL, diags, &w), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_weights_open(NULL, path, diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_weights_from_memory(NULL, NULL, 8, path, diags, &w), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_weights_from_memory(NULL, "", 1, path, diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_weights_from_memory(NULL, "\2\0\0\0\0\0\0\0{}", 10, NULL, diags, &w), RP_OK);
    rp_weights_close(w);
    rp_weights_close(NULL);
    CU_ASSERT_EQUAL(rp_weights_count(NULL), 0);
    CU_ASSERT_EQUAL(rp_weights_find(NULL, "x"), UINT32_MAX);
    rp_diags_clear(diags);
}

int main(void) {
    static const rp_test tests[] = {{"reads", test_reads},
                                    {"refuses", test_refuses},
                                    {"damaged files", test_damaged_files},
                                    {0}};
    int descriptor = mkstemp(path);
    if (descriptor < 0) return 99;
    close(descriptor);
    diags = rp_diags_create(NULL);
    int result = rp_run_tests("weights", tests);
    rp_diags_destroy(diags);
    unlink(path);
    return result;
}
