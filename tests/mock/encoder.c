/* Encoders without a program: kernels are SPIR-V with the parameters that are said. */
#include <stdlib.h>
#include "direct_opened.h"

#include "recorder/recorder.h"

static rp_encoder *encoder;

/* Kernels and parameters of the program of random calls, to be changed for a test. */
static rp_encoder_kernel kernels[RP_CALLS_KERNELS];
static rp_encoder_param params[RP_CALLS_KERNELS][RP_MAX_ENCODER_PARAMS + 1];
static const rp_encoder_buffer buffers[] = {{sizeof *buffers, "a", 4096, 0},
                                            {sizeof *buffers, "b", 4096, 0},
                                            {sizeof *buffers, "c", 4096, 1}};

static void describe(void) {
    for (uint32_t i = 0; i < RP_CALLS_KERNELS; i++) {
        const rp_kernel_module *m = &calls.program->modules[i];
        const rp_calls_kernel *k = &rp_calls_kernels[i];
        for (uint32_t j = 0; j < k->binding_count; j++)
            params[i][j] = (rp_encoder_param){k->bindings[j].set, k->bindings[j].binding,
                                              k->bindings[j].access};
        kernels[i] = (rp_encoder_kernel){.size = sizeof(rp_encoder_kernel),
                                         .name = m->name,
                                         .spirv = m->words,
                                         .spirv_size = m->word_count * 4,
                                         .params = params[i],
                                         .param_count = k->binding_count,
                                         .push_bytes = 4};
    }
}

static rp_status create(void) {
    const rp_encoder_params given = {.size = sizeof given,
                                     .kernels = kernels,
                                     .kernel_count = RP_CALLS_KERNELS,
                                     .buffers = buffers,
                                     .buffer_count = 3,
                                     .cache_path = ""};
    rp_diags_clear(diags);
    encoder = (rp_encoder *)1;
    return rp_encoder_create(device, &given, diags, &encoder);
}

static void expect(const char *expected) {
    const char *got = mock_commands(commands.handle);
    CU_ASSERT_STRING_EQUAL(got, expected);
    if (strcmp(got, expected) != 0) printf("\n--- got\n%s--- expected\n%s", got, expected);
}

static void set(uint32_t kernel, uint32_t from, uint32_t to) {
    rp_encoder_set_kernel(encoder, kernel);
    rp_encoder_set_range(encoder, 0, from, 0, 0);
    rp_encoder_set_range(encoder, 1, to, 0, 0);
    rp_encoder_push(encoder, 0, "0123", 4);
}

static void start(void) {
    CU_ASSERT_EQUAL_FATAL(own_commands_begin(device, &commands), VK_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(rp_encoder_begin(encoder, commands.handle, NULL, diags), RP_OK);
}

/* A parameter may be said to do more than its code, and a dispatch to do less than its parameter. */
static void test_access(void) {
    open_all();
    describe();
    CU_ASSERT_EQUAL_FATAL(create(), RP_OK);
    for (uint32_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(rp_encoder_bind(encoder, i, storages[i + 1], 0, diags), RP_OK);
    const rp_encoder_range a = {0, 0, 0}, b = {1, 0, 0};
    start();
    rp_encoder_fill(encoder, &b, 1);
    set(0, 0, 1);
    rp_encoder_dispatch(encoder, 1, 1, 1); /* "mix" writes all of b */
    rp_encoder_copy(encoder, &b, &a);
    set(0, 0, 1);
    CU_ASSERT_EQUAL(rp_encoder_set_access(encoder, 1, RP_READ_WRITE), RP_OK);
    rp_encoder_dispatch(encoder, 1, 1, 1);
    rp_encoder_dispatch(encoder, 2, 1, 1); /* stays so */
    CU_ASSERT_EQUAL(rp_encoder_end(encoder, NULL), RP_OK);
    own_commands_end(device, &commands);
    expect("fill b2+0 4096 00000001\n"
           "barrier transfer:TW -> compute:SW\n"
           "pipeline p0\nset 0 s0\npush 0 30313233\ndispatch 1 1 1\n"
           "barrier compute:SW -> transfer:TR:TW\n"
           "copy b2+0 b1+0 4096\n"
           "barrier compute|transfer:TW:SW -> compute:SR:SW\n"
           "dispatch 1 1 1\n"
           "barrier compute:SW -> compute:SR:SW\n"
           "dispatch 2 1 1\n");
    rp_encoder_destroy(encoder);
    close_all();
}

/* An encoding cannot be said to be done with while it is encoded: its sets stay as they are. */
static void test_done_early(void) {
    open_all();
    describe();
    CU_ASSERT_EQUAL_FATAL(create(), RP_OK);
    for (uint32_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(rp_encoder_bind(encoder, i, storages[i + 1], 0, diags), RP_OK);
    start();
    set(0, 0, 1);
    for (uint32_t i = 0; i < 17; i++) { /* one more than there are at first */
        rp_encoder_set_range(encoder, 0, 0, 64 * i, 64);
        CU_ASSERT_EQUAL(rp_encoder_dispatch(encoder, 1, 1, 1), RP_OK);
        rp_encoder_done(encoder, 1);
    }
    rp_encoder_report report = {.size = sizeof report};
    CU_ASSERT_EQUAL(rp_encoder_end(encoder, &report), RP_OK);
    CU_ASSERT_EQUAL(report.sets_written, 17);
    CU_ASSERT_PTR_NOT_NULL(strstr(mock_commands(commands.handle), "set 0 s16"));
    own_commands_end(device, &commands);
    rp_encoder_destroy(encoder);
    close_all();
}

/* What is read comes before what is written in the very same range, though the parameters are the
 * other way round, and though another call came between two that are the same. */
static void test_in_place_again(void) {
    open_all();
    describe();
    const rp_encoder_param first = params[0][0];
    params[0][0] = params[0][1];
    params[0][1] = first;
    CU_ASSERT_EQUAL_FATAL(create(), RP_OK);
    for (uint32_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(rp_encoder_bind(encoder, i, storages[i + 1], 0, diags), RP_OK);
    const rp_encoder_range b = {1, 0, 0};
    start();
    set(0, 0, 0);
    rp_encoder_dispatch(encoder, 1, 1, 1);
    rp_encoder_fill(encoder, &b, 1);
    rp_encoder_dispatch(encoder, 2, 1, 1);
    CU_ASSERT_EQUAL(rp_encoder_end(encoder, NULL), RP_OK);
    own_commands_end(device, &commands);
    expect("pipeline p0\nset 0 s0\npush 0 30313233\ndispatch 1 1 1\n"
           "fill b2+0 4096 00000001\n"
           "barrier compute:SW -> compute:SR:SW\n"
           "dispatch 2 1 1\n");
    rp_encoder_destroy(encoder);
    close_all();
}

static void push_all(uint32_t kernel, const char *data) {
    rp_encoder_set_kernel(encoder, kernel);
    rp_encoder_set_range(encoder, 0, 0, 0, 0);
    rp_encoder_set_range(encoder, 1, 1, 0, 0);
    rp_encoder_push(encoder, 0, data, kernels[kernel].push_bytes);
}

/* What a kernel with few push constants has left unpushed is pushed by the next with more. */
static void test_push_lengths(void) {
    open_all();
    describe();
    kernels[0].push_bytes = 8;
    CU_ASSERT_EQUAL_FATAL(create(), RP_OK);
    for (uint32_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(rp_encoder_bind(encoder, i, storages[i + 1], 0, diags), RP_OK);
    start();
    push_all(0, "AAAABBBB");
    rp_encoder_dispatch(encoder, 1, 1, 1);
    push_all(0, "AAAACCCC"); /* and nothing runs */
    push_all(1, "AAAA");
    rp_encoder_dispatch(encoder, 2, 1, 1);
    push_all(0, "AAAACCCC");
    rp_encoder_dispatch(encoder, 3, 1, 1);
    push_all(1, "AAAA"); /* all there */
    rp_encoder_dispatch(encoder, 4, 1, 1);
    push_all(0, "AAAACCCC");
    rp_encoder_dispatch(encoder, 5, 1, 1);
    CU_ASSERT_EQUAL(rp_encoder_end(encoder, NULL), RP_OK);
    own_commands_end(device, &commands);
    expect("pipeline p0\nset 0 s0\npush 0 4141414142424242\ndispatch 1 1 1\n"
           "barrier compute:SW -> compute:SR:SW\n"
           "pipeline p1\nset 0 s1\npush 0 41414141\ndispatch 2 1 1\n"
           "barrier compute:SW -> compute:SW\n"
           "pipeline p0\nset 0 s0\npush 0 4141414143434343\ndispatch 3 1 1\n"
           "barrier compute:SW -> compute:SR:SW\n"
           "pipeline p1\nset 0 s1\ndispatch 4 1 1\n"
           "barrier compute:SW -> compute:SW\n"
           "pipeline p0\nset 0 s0\ndispatch 5 1 1\n");
    rp_encoder_destroy(encoder);
    close_all();
}

/* VkBuffers are numbered anew once many are gone: ranges that are set again as they were are still
 * ordered with other calls. */
static void test_numbered_anew(void) {
    enum { MANY = 80 };
    static rp_storage *many[MANY];
    const rp_storage_params storage = {.size = sizeof storage, .bytes = 4096, .uninitialised = 1};
    const rp_encoder_range b = {1, 0, 0};
    open_all();
    describe();
    CU_ASSERT_EQUAL_FATAL(create(), RP_OK);
    CU_ASSERT_EQUAL(rp_encoder_bind(encoder, 0, storages[1], 0, diags), RP_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        CU_ASSERT_EQUAL_FATAL(rp_storage_create(device, &storage, diags, &many[i]), RP_OK);
        CU_ASSERT_EQUAL(rp_encoder_bind(encoder, 1, many[i], 0, diags), RP_OK);
    }
    for (uint32_t frame = 0; frame < 3; frame++) {
        rp_encoder_report report = {.size = sizeof report};
        start();
        set(0, 0, 1);
        rp_encoder_dispatch(encoder, 1, 1, 1);
        rp_encoder_fill(encoder, &b, 1);
        if (frame == 0) /* the next frame numbers anew; the last one is the newest */
            for (uint32_t i = MANY; i-- > 0;)
                CU_ASSERT_EQUAL(rp_encoder_bind(encoder, 1, many[i], 0, diags), RP_OK);
        CU_ASSERT_EQUAL(rp_encoder_end(encoder, &report), RP_OK);
        CU_ASSERT_EQUAL(report.emitted[RP_WAW_HAZARD], 1);
        own_commands_end(device, &commands);
    }
    rp_encoder_destroy(encoder);
    for (uint32_t i = 0; i < MANY; i++) rp_storage_release(many[i]);
    close_all();
}

/* ---- Wrong kernels --------------------------------------------------------------------------- */

static uint32_t broken[64];

static void no_name(void) {
    kernels[1].name = NULL;
}
static void no_spirv(void) {
    kernels[1].spirv = NULL;
}
static void half_words(void) {
    kernels[1].spirv_size -= 2;
}
static void no_params(void) {
    kernels[1].params = NULL;
}
static void damaged(void) {
    kernels[1].spirv = broken;
    kernels[1].spirv_size = sizeof broken;
}
static void no_entry(void) {
    kernels[1].entry = "other";
}
static void param_missing(void) {
    kernels[1].param_count = 1;
}
static void param_uniform(void) {
    params[1][0].access = RP_UNIFORM;
}
static void param_storage(void) {
    params[2][0].access = RP_READ;
}
static void param_read(void) {
    params[1][1].access = RP_READ;
}
static void param_write(void) {
    params[1][1].access = RP_WRITE;
}
static void param_twice(void) {
    params[1][0].binding = 1;
}
static void param_unknown(void) {
    params[1][0].access = (rp_access)7;
}
static void param_far(void) {
    params[1][0].set = RP_MAX_SETS;
}
static void params_many(void) {
    for (uint32_t i = 2; i <= RP_MAX_ENCODER_PARAMS; i++)
        params[1][i] = (rp_encoder_param){0, i, RP_READ};
    kernels[1].param_count = RP_MAX_ENCODER_PARAMS + 1;
}
static void push_odd(void) {
    kernels[1].push_bytes = 6;
}
static void push_short(void) {
    kernels[1].push_bytes = 0;
}
static const rp_encoder_constant constants[] = {{5, 1}, {5, 2}};
static void constants_twice(void) {
    kernels[1].constants = constants;
    kernels[1].constant_count = 2;
}
static void constants_none(void) {
    kernels[1].constant_count = 2;
}

static const struct {
    void (*change)(void);
    const char *what;
} wrong[] = {
    {no_name, "kernel 1: it needs a name"},
    {no_spirv, "kernel 1: it needs a name"},
    {half_words, "kernel 1: it needs a name"},
    {no_params, "kernel 1: it needs a name"},
    {constants_none, "kernel 1: it needs a name"},
    {damaged, "kernel 'add': "},
    {no_entry, "kernel 'add': "},
    {param_missing, "binding 1 of set 0 is used by its SPIR-V and no parameter"},
    {param_uniform,
     "binding 0 of set 0 is a storage buffer in its SPIR-V, read; the parameter says u"},
    {param_storage,
     "binding 0 of set 0 is a uniform buffer in its SPIR-V, read; the parameter says r"},
    {param_read, "a storage buffer in its SPIR-V, read, written; the parameter says r"},
    {param_write, "a storage buffer in its SPIR-V, read, written; the parameter says w"},
    {param_twice, "parameters 0 and 1 are both at binding 1 of set 0"},
    {param_unknown, "parameter 0: access 7"},
    {param_far, "expected sets below 32"},
    {params_many, "65 parameters; at most 64"},
    {push_odd, "6 bytes of push constants"},
    {push_short, "has 4 bytes of push constants, 0 are said to be pushed"},
    {constants_twice, "constant 1: its id does not ascend"},
};

static void test_wrong_kernels(void) {
    open_all();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        describe();
        wrong[i].change();
        CU_ASSERT_EQUAL(create(), RP_ERROR_INVALID);
        CU_ASSERT_PTR_NULL(encoder);
        CU_ASSERT(rp_test_said(diags, wrong[i].what));
    }
    close_all();
}

static void test_usage(void) {
    open_all();
    describe();
    const rp_encoder_params unset = {0};
    const rp_encoder_params none = {.size = sizeof none, .kernel_count = 1};
    const rp_encoder_buffer empty = {.size = sizeof empty, "empty", 0, 0};
    const rp_encoder_params small = {.size = sizeof small, .buffers = &empty, .buffer_count = 1};
    CU_ASSERT_EQUAL(rp_encoder_create(device, &unset, diags, &encoder), RP_ERROR_USAGE);
    CU_ASSERT(rp_test_said(diags, "sizeof(rp_encoder_params)"));
    CU_ASSERT_EQUAL(rp_encoder_create(device, &none, diags, &encoder), RP_ERROR_USAGE);
    /* Every element says how large it is, and all say the same. */
    rp_encoder_params arrays = {
        .size = sizeof arrays, .kernels = kernels, .kernel_count = 2, .buffers = buffers};
    kernels[1].size--;
    CU_ASSERT_EQUAL(rp_encoder_create(device, &arrays, diags, &encoder), RP_ERROR_USAGE);
    CU_ASSERT(rp_test_said(diags, "sizeof(rp_encoder_kernel)"));
    kernels[1].size++;
    const rp_encoder_buffer without = {.name = "x", .bytes = 64};
    arrays.buffers = &without;
    arrays.buffer_count = 1;
    CU_ASSERT_EQUAL(rp_encoder_create(device, &arrays, diags, &encoder), RP_ERROR_USAGE);
    CU_ASSERT(rp_test_said(diags, "sizeof(rp_encoder_buffer)"));
    /* Those of a later version are longer: what is behind is not known here. */
    struct {
        rp_encoder_buffer known;
        uint64_t more[3];
    } later[2] = {{{sizeof *later, "a", 64, 0}, {7}}, {{sizeof *later, "b", 32, 0}, {7}}};
    arrays.kernel_count = 0;
    arrays.buffers = &later->known;
    arrays.buffer_count = 2;
    CU_ASSERT_EQUAL_FATAL(rp_encoder_create(device, &arrays, diags, &encoder), RP_OK);
    CU_ASSERT_EQUAL(encoder->places[1].size, 32);
    rp_encoder_destroy(encoder);
    CU_ASSERT_EQUAL(rp_encoder_create(device, &small, diags, &encoder), RP_ERROR_INVALID);
    CU_ASSERT(rp_test_said(diags, "buffer 0: 0 bytes"));
    CU_ASSERT_EQUAL(rp_encoder_create(NULL, &small, diags, &encoder), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_encoder_create(device, NULL, diags, &encoder), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_encoder_create(device, &small, diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL_FATAL(create(), RP_OK);

    CU_ASSERT_EQUAL(rp_encoder_bind(NULL, 0, storages[1], 0, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_encoder_bind(encoder, 3, storages[1], 0, diags), RP_ERROR_USAGE);
    CU_ASSERT(rp_test_said(diags, "there is no buffer 3"));
    const rp_encoder_range far = {3, 0, 4}, a = {0, 0, 4};
    CU_ASSERT_EQUAL(rp_encoder_fill(encoder, &a, 0), RP_ERROR_USAGE); /* not begun */
    CU_ASSERT_EQUAL(rp_encoder_fill(NULL, &a, 0), RP_ERROR_USAGE);
    start();
    CU_ASSERT_EQUAL(rp_encoder_fill(encoder, &far, 0), RP_ERROR_INVALID);
    CU_ASSERT(rp_test_said(diags, "fill: there is no buffer 3; there are 3"));
    CU_ASSERT_EQUAL(rp_encoder_fence(encoder), RP_ERROR_INVALID); /* it is closed */
    CU_ASSERT_EQUAL(rp_encoder_end(encoder, NULL), RP_ERROR_INVALID);
    start();
    CU_ASSERT_EQUAL(rp_encoder_set_kernel(encoder, 9), RP_ERROR_INVALID);
    CU_ASSERT(rp_test_said(diags, "there is no kernel 9; there are 5"));
    CU_ASSERT_EQUAL(rp_encoder_end(encoder, NULL), RP_ERROR_INVALID);
    start();
    rp_encoder_set_kernel(encoder, 0);
    CU_ASSERT_EQUAL(rp_encoder_set_range(encoder, 2, 0, 0, 0), RP_ERROR_INVALID);
    CU_ASSERT(rp_test_said(diags, "mix: there is no parameter 2; there are 2"));
    CU_ASSERT_EQUAL(rp_encoder_end(encoder, NULL), RP_ERROR_INVALID);
    start();
    CU_ASSERT_EQUAL(rp_encoder_update(encoder, 0, 0, "", 0), RP_ERROR_INVALID);
    CU_ASSERT(rp_test_said(diags, "4 to 65536 bytes"));
    rp_encoder_fail(encoder, RP_ERROR_BUSY, "and this");
    CU_ASSERT(rp_test_said(diags, "and this"));
    CU_ASSERT_EQUAL(rp_encoder_end(encoder, NULL), RP_ERROR_INVALID); /* the first counts */
    start();
    rp_encoder_fail(encoder, RP_ERROR_BUSY, "from above");
    CU_ASSERT_EQUAL(rp_encoder_copy(encoder, &a, &a), RP_ERROR_BUSY);
    CU_ASSERT_EQUAL(rp_encoder_end(encoder, NULL), RP_ERROR_BUSY);
    rp_encoder_fail(encoder, RP_ERROR_BUSY, "to nobody");
    CU_ASSERT_EQUAL(rp_encoder_begin(encoder, NULL, NULL, diags), RP_ERROR_USAGE);
    own_commands_end(device, &commands);
    rp_encoder_done(NULL, 1);
    rp_encoder_destroy(encoder);
    rp_encoder_destroy(NULL);
    close_all();
}

/* Labels go to debug tools where there are some, and are checked where there are none. */
static void test_labels(void) {
    for (int there = 0; there < 2; there++) {
        debug_utils = there;
        open_all();
        describe();
        CU_ASSERT_EQUAL_FATAL(create(), RP_OK);
        CU_ASSERT_EQUAL(rp_encoder_bind(encoder, 0, storages[1], 0, diags), RP_OK);
        const rp_encoder_range a = {0, 0, 4};
        start();
        rp_encoder_label_begin(encoder, "outer");
        rp_encoder_label_begin(encoder, "inner");
        rp_encoder_fill(encoder, &a, 1);
        rp_encoder_label_end(encoder);
        rp_encoder_label_end(encoder);
        CU_ASSERT_EQUAL(rp_encoder_end(encoder, NULL), RP_OK);
        own_commands_end(device, &commands);
        expect(there ? "label outer\nlabel inner\nfill b1+0 4 00000001\nend_label\nend_label\n"
                     : "fill b1+0 4 00000001\n");
        rp_encoder_destroy(encoder);
        close_all();
    }
    debug_utils = false;
}

/* Nothing at all is an encoder too. */
static void test_empty(void) {
    open_all();
    const rp_encoder_params nothing = {.size = sizeof nothing};
    CU_ASSERT_EQUAL_FATAL(rp_encoder_create(device, &nothing, diags, &encoder), RP_OK);
    start();
    CU_ASSERT_EQUAL(rp_encoder_label_begin(encoder, "x"), RP_OK);
    CU_ASSERT_EQUAL(rp_encoder_label_end(encoder), RP_OK);
    CU_ASSERT_EQUAL(rp_encoder_fence(encoder), RP_OK);
    CU_ASSERT_EQUAL(rp_encoder_end(encoder, NULL), RP_OK);
    own_commands_end(device, &commands);
    rp_encoder_destroy(encoder);
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"access", test_access},
                                    {"wrong kernels", test_wrong_kernels},
                                    {"usage", test_usage},
                                    {"labels", test_labels},
                                    {"done early", test_done_early},
                                    {"in place again", test_in_place_again},
                                    {"push lengths", test_push_lengths},
                                    {"numbered anew", test_numbered_anew},
                                    {"empty", test_empty},
                                    {0}};
    return rp_run_tests("encoders", tests);
}
