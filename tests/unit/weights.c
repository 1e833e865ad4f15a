/* .safetensors and .npy files: what is read, and what is refused. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
    rp_weight a = *rp_weights_get(w, rp_weights_find(w, "a.b-c"));
    CU_ASSERT_STRING_EQUAL(a.name, "a.b-c");
    CU_ASSERT_EQUAL(a.dtype, RP_F32);
    CU_ASSERT_EQUAL(a.rank, 1);
    CU_ASSERT_EQUAL(a.shape[0], 3);
    CU_ASSERT_EQUAL(a.size, 12);
    CU_ASSERT_EQUAL(memcmp(a.data, "\0\1\2\3", 4), 0);
    rp_weight b = *rp_weights_get(w, rp_weights_find(w, "b"));
    CU_ASSERT_STRING_EQUAL(b.type, "BF16");
    CU_ASSERT_EQUAL(b.dtype, RP_BF16);
    CU_ASSERT_EQUAL(*(const uint8_t *)b.data, 12);
    CU_ASSERT_EQUAL(rp_weights_get(w, rp_weights_find(w, "none"))->size, 0);
    CU_ASSERT_EQUAL(rp_weights_get(w, rp_weights_find(w, "one"))->rank, 0);
    CU_ASSERT_EQUAL(rp_weights_find(w, "nothing"), UINT32_MAX);
    CU_ASSERT_PTR_NULL(rp_weights_get(w, 4));
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
    refuse(ONE("32", "[2]", "[0,8]"), 8, "'dtype' is no text");
    refuse(ONE("F32", "[2]", "[0,8]"), 8, "its header is damaged");
    refuse(ONE("\"F32\"", "[2e0]", "[0,8]"), 8, "something else than whole numbers");
    refuse(ONE("\"F32\"", "[true]", "[0,8]"), 8, "something else than whole numbers");
    refuse(ONE("\"F32\"", "{}", "[0,8]"), 8, "'shape' is no list");
    refuse(ONE("\"F32\"", "2", "[0,8]"), 8, "'shape' is no list");
    refuse(ONE("\"F32\"", "[-2]", "[0,8]"), 8, "something else than whole numbers");
    refuse(ONE("\"F32\"", "[2.0]", "[0,8]"), 8, "something else than whole numbers");
    refuse(ONE("\"F32\"", "[\"2\"]", "[0,8]"), 8, "something else than whole numbers");
    refuse(ONE("\"F32\"", "[4294967296,4294967296,4]", "[0,8]"), 8, "its shape is too large");
    refuse(ONE("\"F32\"", "[4611686018427387904]", "[0,0]"), 0, "are not its 0 bytes");
    refuse(ONE("\"F32\"", "[2]", "[0]"), 8, "no pair of whole numbers");
    refuse(ONE("\"F32\"", "[2]", "[0,99999999999999999999]"), 8, "too big integer");
    refuse(ONE("\"F32\"", "[2]", "[0,9223372036854775807]"), 8, "lie outside the data");
    refuse("{\"x\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "no tensor with dtype, shape");
    refuse("{\"x\":[]}", 0, "no tensor with dtype, shape");
    refuse("{\"x\":1}", 0, "no tensor with dtype, shape");
    refuse("{x: {}}", 0, "its header is damaged");
    refuse("{'x': {}}", 0, "its header is damaged");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},"
           "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
           8, "tensor 'b' overlaps 'a'");
    refuse("{\"a\":1,\"a\":1}", 0, "duplicate object key");
    refuse("{\"a\":1,\"\\u0061\":1}", 0, "duplicate object key");
    refuse(ONE("\"F32\",\"dtype\":\"F32\"", "[2]", "[0,8]"), 8, "duplicate object key");
    refuse("{\"\\ud83d\":1}", 0, "its header is damaged"); /* half of a pair */
    refuse("{\"\\u0000\":1}", 0, "its header is damaged");
    refuse("{\"\xff\":1}", 0, "its header is damaged");
    refuse("{\"a\":1,}", 0, "its header is damaged");
    refuse("{\"a\":", 0, "its header is damaged");
    refuse("[1]", 0, "does not begin with '{'");
    refuse("{} {}", 0, "its header is damaged");
}

static void not_opened(const char *words) {
    rp_weights *w = NULL;
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_weights_open(NULL, path, diags, &w), RP_ERROR_IO);
    CU_ASSERT_PTR_NULL(w);
    rp_diag diag = rp_diags_get(diags, 0);
    CU_ASSERT_STRING_EQUAL(diag.file, path);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.message, words));
}

/* As deep as the reader goes and deeper: an error, not the end of the stack. */
static void test_depth(void) {
    enum { DEPTH = 100000 };
    char *header = malloc(2 * DEPTH + 16);
    CU_ASSERT_PTR_NOT_NULL_FATAL(header);
    size_t size = (size_t)sprintf(header, "{\"x\":");
    for (size_t i = 0; i < 2 * DEPTH; i++) header[size++] = i < DEPTH ? '[' : ']';
    header[size++] = '}';
    header[size] = '\0';
    refuse(header, 0, "maximum parsing depth reached");
    free(header);
}

/* Names of all lengths and characters, against what was written. */
static void test_names(void) {
    enum { LONG = 100000 };
    char *header = malloc(LONG + 1000), *name = malloc(LONG + 1);
    CU_ASSERT_FATAL(header && name);
    memset(name, 'n', LONG);
    name[LONG] = '\0';
    sprintf(header,
            "{\"\\ud83d\\ude00\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
            "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\":"
            "{\"dtype\":\"\\u0055\\u0038\",\"sh\\u0061pe\":[1],\"data_offsets\":[1,2]},"
            "\"\xc3\xa9\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]},"
            "\"\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[3,4]},"
            "\"%s\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[4,5]}}",
            name);
    rp_weights *w = open_text(header, 5);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    const char *const names[] = {"\xf0\x9f\x98\x80", "\"\\/\b\f\n\r\t\xc3\xa9", "\xc3\xa9", "",
                                 name};
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint32_t found = rp_weights_find(w, names[i]);
        CU_ASSERT_EQUAL(found, i); /* they are in the order of their data */
        rp_weight weight = *rp_weights_get(w, found);
        CU_ASSERT_STRING_EQUAL(weight.name, names[i]);
        CU_ASSERT_EQUAL(*(const uint8_t *)weight.data, i);
    }
    rp_weights_close(w);
    free(header);
    free(name);
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
    unlink(path); /* so that it does not exist */
    not_opened("No such file");
    CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
    not_opened("is a folder; expected a .safetensors file");
    CU_ASSERT_EQUAL(rmdir(path), 0);
    CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
    not_opened("is a pipe; expected"); /* at once, though nobody writes */
    CU_ASSERT_EQUAL(unlink(path), 0);
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

/* ---- .npy ------------------------------------------------------------------------------------ */

/* A file of version 1.0 in memory, with so many bytes of data. */
static size_t npy(unsigned char *file, const char *header, size_t data) {
    size_t length = strlen(header);
    memcpy(file, "\x93NUMPY\1\0", 8);
    file[8] = (unsigned char)length;
    file[9] = (unsigned char)(length >> 8);
    memcpy(file + 10, header, length);
    for (size_t i = 0; i < data; i++) file[10 + length + i] = (unsigned char)i;
    return 10 + length + data;
}

static const char npy_header[] =
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }          \n";

static void test_npy_reads(void) {
    unsigned char file[512];
    size_t size = npy(file, npy_header, 24);
    rp_weights *w;
    CU_ASSERT_EQUAL_FATAL(rp_weights_from_memory(NULL, file, size, "a/b/layer.w.npy", diags, &w),
                          RP_OK);
    CU_ASSERT_EQUAL(rp_weights_count(w), 1);
    CU_ASSERT_EQUAL(rp_weights_find(w, "layer.w"), 0);
    rp_weight a = *rp_weights_get(w, 0);
    CU_ASSERT_STRING_EQUAL(a.name, "layer.w");
    CU_ASSERT_STRING_EQUAL(a.type, "<f4");
    CU_ASSERT_EQUAL(a.dtype, RP_F32);
    CU_ASSERT_EQUAL(a.rank, 2);
    CU_ASSERT_EQUAL(a.shape[1], 3);
    CU_ASSERT_EQUAL(a.size, 24);
    CU_ASSERT_EQUAL(((const unsigned char *)a.data)[23], 23);
    rp_weights_close(w);
    size = npy(file, "{'shape':(),'descr':'<c8','fortran_order':True}", 8);
    CU_ASSERT_EQUAL_FATAL(rp_weights_from_memory(NULL, file, size, NULL, diags, &w), RP_OK);
    CU_ASSERT_STRING_EQUAL(rp_weights_get(w, 0)->name, "array");
    CU_ASSERT_EQUAL(rp_weights_get(w, 0)->dtype, RP_RAW);
    CU_ASSERT_EQUAL(rp_weights_get(w, 0)->rank, 0);
    rp_weights_close(w);
    size = npy(file, "{'descr':'|u1','fortran_order':False,'shape':(1,1,1,1,1,1,1,1,1,7)}", 7);
    CU_ASSERT_EQUAL_FATAL(rp_weights_from_memory(NULL, file, size, NULL, diags, &w), RP_OK);
    CU_ASSERT_EQUAL(rp_weights_get(w, 0)->dtype, RP_U8); /* not raw, nor blocks */
    CU_ASSERT_EQUAL(rp_weights_get(w, 0)->rank, 10);
    rp_weights_close(w);
}

static void refuse_npy(const char *header, size_t data, const char *words) {
    unsigned char file[512];
    rp_weights *w;
    size_t size = npy(file, header, data);
    CU_ASSERT_EQUAL(rp_weights_from_memory(NULL, file, size, "x.npy", diags, &w), RP_ERROR_INVALID);
    CU_ASSERT_PTR_NULL(w);
    rp_diag diag = rp_diags_get(diags, 0);
    if (!strstr(diag.message, words))
        fprintf(stderr, "  wanted %s\n  got %s\n", words, diag.message);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.message, words));
    CU_ASSERT_STRING_EQUAL(diag.file, "x.npy");
    rp_diags_clear(diags);
}

#define NPY(descr, order, shape)                                                                   \
    "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape "}"

static void test_npy_refuses(void) {
    refuse_npy(npy_header, 23, "truncated: shape (2, 3) of '<f4' needs 24 bytes of data");
    refuse_npy(npy_header, 25, "something follows the array");
    refuse_npy(NPY("'<f4'", "True", "(2, 3)"), 24, "Fortran order");
    refuse_npy(NPY("'<f4'", "Maybe", "(2, 3)"), 24, "True or False");
    refuse_npy(NPY("'>f4'", "False", "(2, 3)"), 24, "big-endian");
    refuse_npy(NPY("'<U4'", "False", "(2, 3)"), 24, "plain numbers");
    refuse_npy(NPY("[('a', '<f4')]", "False", "(2, 3)"), 24, "structured arrays");
    refuse_npy(NPY("'<f4'", "False", "(2, -3)"), 24, "whole numbers");
    refuse_npy(NPY("'<f4'", "False", "(4294967296, 4294967296)"), 24, "too large");
    refuse_npy(NPY("'<f4'", "False", "(18446744073709551616,)"), 24, "extent of 'shape'");
    refuse_npy("{'descr': '<f4', 'shape': (6,)}", 24, "one of descr, fortran_order and shape");
    refuse_npy("{'descr': '<f4', 'descr': '<f4'}", 24, "a key stands twice");
    refuse_npy("['descr']", 24, "does not begin with '{'");
    unsigned char file[512];
    size_t size = npy(file, npy_header, 24);
    rp_weights *w;
    for (size_t cut = 0; cut < size; cut++) { /* in a block of just that size, for sanitizers */
        void *part = malloc(cut + 1);
        memcpy(part, file, cut);
        CU_ASSERT_EQUAL(rp_weights_from_memory(NULL, part, cut, "x.npy", diags, &w),
                        RP_ERROR_INVALID);
        CU_ASSERT_PTR_NULL(w);
        free(part);
    }
    rp_diags_clear(diags);
}

static void test_npy_files(void) {
    rp_weights *w;
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    unsigned char bytes[512];
    fwrite(bytes, npy(bytes, npy_header, 24), 1, file);
    CU_ASSERT_EQUAL_FATAL(fclose(file), 0);
    CU_ASSERT_EQUAL(rp_weights_open(NULL, path, diags, &w), RP_OK); /* by its first bytes */
    CU_ASSERT_EQUAL(rp_weights_get(w, 0)->size, 24);
    CU_ASSERT_STRING_EQUAL(rp_weights_get(w, 0)->name, strrchr(path, '/') + 1);
    rp_weights_close(w);
    write_file("{}", 2, 2, 0);
    CU_ASSERT_EQUAL(rp_weights_open_npy(NULL, path, 0, diags, &w), RP_ERROR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(rp_diags_get(diags, 0).message, "not a NumPy .npy file"));
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_weights_open_npy(NULL, "/tmp", 1, diags, &w), RP_ERROR_IO);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(rp_diags_get(diags, 0).message, "is a folder; expected a NumPy .npy file"));
    CU_ASSERT_EQUAL(rp_weights_open_npy(NULL, NULL, 0, diags, &w), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_weights_open_npy(NULL, path, 0, diags, NULL), RP_ERROR_USAGE);
    rp_diags_clear(diags);
}

/* What fits which buffer. */
static void test_checks(void) {
    static const uint64_t shape[] = {2, 3}, six[] = {6};
    unsigned char bytes[512];
    size_t size = npy(bytes, npy_header, 24);
    rp_weights *w;
    CU_ASSERT_EQUAL_FATAL(rp_weights_from_memory(NULL, bytes, size, "w.npy", diags, &w), RP_OK);
    rp_plan_buffer_info b = {.size = sizeof b,
                             .name = "b",
                             .kind = RP_WEIGHT,
                             .dtype = RP_F32,
                             .rank = 2,
                             .shape = shape,
                             .bytes = 24};
    CU_ASSERT_EQUAL(rp_weights_check(w, 0, &b, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_weights_check(w, 1, &b, diags), RP_ERROR_USAGE);
    b.rank = 1, b.shape = six;
    CU_ASSERT_EQUAL(rp_weights_check(w, 0, &b, diags), RP_ERROR_INVALID);
    CU_ASSERT_STRING_EQUAL(rp_diags_get(diags, 0).message,
                           "has shape (2, 3); buffer 'b' has shape (6,)");
    b.dtype = RP_I32;
    CU_ASSERT_EQUAL(rp_weights_check(w, 0, &b, diags), RP_ERROR_INVALID);
    CU_ASSERT_STRING_EQUAL(rp_diags_get(diags, 1).message,
                           "has elements of type '<f4'; buffer 'b' is i32: save it with "
                           "array.astype('<i4')");
    b.dtype = RP_RAW, b.rank = 0;
    CU_ASSERT_EQUAL(rp_weights_check(w, 0, &b, diags), RP_OK);
    b.bytes = 25;
    CU_ASSERT_EQUAL(rp_weights_check(w, 0, &b, diags), RP_ERROR_INVALID);
    CU_ASSERT_STRING_EQUAL(rp_diags_get(diags, 2).message,
                           "has 24 bytes of <f4; buffer 'b' needs 25");
    CU_ASSERT_STRING_EQUAL(rp_diags_get(diags, 2).file, "w.npy");
    rp_weights_close(w);
    rp_diags_clear(diags);
}

int main(void) {
    static const rp_test tests[] = {{"reads", test_reads},
                                    {"refuses", test_refuses},
                                    {"depth", test_depth},
                                    {"names", test_names},
                                    {"damaged files", test_damaged_files},
                                    {".npy", test_npy_reads},
                                    {".npy refused", test_npy_refuses},
                                    {".npy files", test_npy_files},
                                    {"what fits", test_checks},
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
