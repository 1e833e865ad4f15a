/* Direct mode used wrongly, and without memory or a driver that works: a status, a message that says
 * which call, and nothing left. */
#include <stdlib.h>
#include "direct_opened.h"

/* ---- Mistakes -------------------------------------------------------------------------------- */

static rp_range all(uint32_t buffer) {
    return (rp_range){calls.buffers[buffer]};
}

static void bound(rp_recorder *r, uint32_t kernel) {
    rp_bind_kernel(r, calls.kernels[kernel]);
    rp_bind(r, 0, all(1));
    rp_bind(r, 1, all(2));
    rp_push(r, 0, "0123", 4);
}

static void no_kernel(rp_recorder *r) {
    rp_dispatch(r, 1, 1, 1);
}
static void no_kernel_to_bind(rp_recorder *r) {
    rp_bind(r, 0, all(1));
}
static void no_kernel_to_push(rp_recorder *r) {
    rp_push(r, 0, "0123", 4);
}
static void kernel_zero(rp_recorder *r) {
    rp_bind_kernel(r, (rp_kernel){0});
}
static void kernel_of_none(rp_recorder *r) {
    rp_bind_kernel(r, (rp_kernel){calls.kernels[0].id + 100});
}
static void buffer_zero(rp_recorder *r) {
    rp_fill(r, (rp_range){{0}}, 0);
}
static void buffer_of_none(rp_recorder *r) {
    bound(r, 0);
    rp_bind(r, 1, (rp_range){{calls.buffers[0].id + 100}});
}
static void binding_of_none(rp_recorder *r) {
    bound(r, 0);
    rp_bind(r, 7, all(1));
}
static void set_of_none(rp_recorder *r) {
    bound(r, 0);
    rp_bind_in_set(r, 1, 0, all(1));
}
static void range_outside(rp_recorder *r) {
    bound(r, 0);
    rp_bind(r, 0, (rp_range){calls.buffers[1], 4000, 200});
}
static void range_behind(rp_recorder *r) {
    rp_fill(r, (rp_range){calls.buffers[1], 4096, 0}, 0);
}
static void range_small(rp_recorder *r) {
    bound(r, 2);
    rp_bind(r, 0, (rp_range){calls.buffers[1], 0, 32});
}
static void not_bound(rp_recorder *r) {
    rp_bind_kernel(r, calls.kernels[0]);
    rp_bind(r, 0, all(1));
    rp_push(r, 0, "0123", 4);
    rp_dispatch(r, 1, 1, 1);
}
static void not_pushed(rp_recorder *r) {
    rp_bind_kernel(r, calls.kernels[0]);
    rp_bind(r, 0, all(1));
    rp_bind(r, 1, all(2));
    rp_dispatch(r, 1, 1, 1);
}
static void push_outside(rp_recorder *r) {
    bound(r, 0);
    rp_push(r, 4, "0123", 4);
}
static void push_odd(rp_recorder *r) {
    bound(r, 0);
    rp_push(r, 0, "0123", 3);
}
static void push_null(rp_recorder *r) {
    bound(r, 0);
    rp_push(r, 0, NULL, 4);
}
static void push_much(rp_recorder *r) {
    static const char data[300];
    bound(r, 0);
    rp_push(r, 0, data, 300);
}
static void empty_grid(rp_recorder *r) {
    bound(r, 0);
    rp_dispatch(r, 1, 0, 1);
}
static void large_grid(rp_recorder *r) {
    bound(r, 0);
    rp_dispatch(r, 1, 65536, 1);
}
static void odd_grid(rp_recorder *r) {
    bound(r, 0);
    rp_dispatch_indirect(r, (rp_range){calls.buffers[3], 6, 12});
}
static void short_grid(rp_recorder *r) {
    bound(r, 0);
    rp_dispatch_indirect(r, (rp_range){calls.buffers[3], 0, 8});
}
static void grid_at_end(rp_recorder *r) {
    bound(r, 0);
    rp_dispatch_indirect(r, (rp_range){calls.buffers[3], 4088, 0});
}
static void grid_written(rp_recorder *r) {
    bound(r, 1);
    rp_dispatch_indirect(r, (rp_range){calls.buffers[2], 0, 12});
}
static void uniform_written(rp_recorder *r) {
    bound(r, 2);
    rp_bind(r, 1, all(1));
    rp_dispatch(r, 1, 1, 1);
}
static void overlap_partly(rp_recorder *r) {
    bound(r, 0);
    rp_bind(r, 0, (rp_range){calls.buffers[1], 0, 512});
    rp_bind(r, 1, (rp_range){calls.buffers[1], 256, 512});
    rp_dispatch(r, 1, 1, 1);
}
static void read_only_written(rp_recorder *r) {
    bound(r, 0);
    rp_bind(r, 0, all(0));
    rp_dispatch(r, 1, 1, 1);
}
static void read_only_filled(rp_recorder *r) {
    rp_fill(r, all(0), 0);
}
static void access_contradicted(rp_recorder *r) {
    bound(r, 0);
    rp_bind_access(r, 0, 0, RP_READ);
}
static void access_unknown(rp_recorder *r) {
    bound(r, 0);
    rp_bind_access(r, 0, 0, (rp_access)9);
}
static void misaligned(rp_recorder *r) {
    bound(r, 0);
    rp_bind(r, 0, (rp_range){calls.buffers[1], 4, 64});
    rp_dispatch(r, 1, 1, 1);
}
static void misaligned_uniform(rp_recorder *r) {
    bound(r, 2);
    rp_bind(r, 0, (rp_range){calls.buffers[1], 16, 64});
    rp_dispatch(r, 1, 1, 1);
}
static void copy_sizes(rp_recorder *r) {
    rp_copy(r, (rp_range){calls.buffers[1], 0, 8}, (rp_range){calls.buffers[2], 0, 4});
}
static void copy_overlap(rp_recorder *r) {
    rp_copy(r, (rp_range){calls.buffers[1], 0, 8}, (rp_range){calls.buffers[1], 4, 8});
}
static void fill_odd(rp_recorder *r) {
    rp_fill(r, (rp_range){calls.buffers[1], 2, 4}, 0);
}
static void update_odd(rp_recorder *r) {
    rp_update(r, (rp_range){calls.buffers[1], 0, 0}, "0123456", 6);
}
static void update_size(rp_recorder *r) {
    rp_update(r, (rp_range){calls.buffers[1], 0, 8}, "0123", 4);
}
static void update_null(rp_recorder *r) {
    rp_update(r, (rp_range){calls.buffers[1], 0, 4}, NULL, 4);
}
static void live_grid(rp_recorder *r) {
    bound(r, 0);
    rp_dispatch_live(r, "1", "1", "1");
}
static void live_push(rp_recorder *r) {
    bound(r, 0);
    rp_push_live(r, 0, all(3));
}
static void an_op(rp_recorder *r) {
    const rp_operand operands[] = {{"a", all(1)}, {"b", all(2)}, {"out", all(3)}};
    rp_apply(r, "add", operands, 3, NULL, 0);
}
static void label_empty(rp_recorder *r) {
    rp_label_begin(r, "");
}
static void label_null(rp_recorder *r) {
    rp_label_begin(r, NULL);
}
static void label_closed(rp_recorder *r) {
    rp_label_end(r);
}
static void label_open(rp_recorder *r) {
    rp_label_begin(r, "a");
}
static void optional_closed(rp_recorder *r) {
    rp_optional_begin(r);
    rp_optional_end(r);
    rp_optional_end(r);
}
static void optional_open(rp_recorder *r) {
    rp_optional_begin(r);
}
static void buffer_gone(rp_recorder *r) {
    bound(r, 0);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, calls.buffers[1], NULL, 0, diags), RP_OK);
    rp_dispatch(r, 1, 1, 1);
}
static void buffer_nowhere(rp_recorder *r) {
    CU_ASSERT_EQUAL(rp_direct_bind(direct, calls.buffers[1], NULL, 0, diags), RP_OK);
    rp_fill(r, all(1), 0);
}

static const struct {
    void (*make)(rp_recorder *r);
    const char *call, *what; /* in messages */
    rp_status status;
} mistakes[] = {
    {no_kernel, "call 1 (rp_dispatch)", "no kernel is set", RP_ERROR_INVALID},
    {no_kernel_to_bind, "call 1 (rp_bind)", "no kernel is bound", RP_ERROR_INVALID},
    {no_kernel_to_push, "call 1 (rp_push)", "no kernel is set", RP_ERROR_INVALID},
    {kernel_zero, "call 1 (rp_bind_kernel)", "the handle is 0", RP_ERROR_INVALID},
    {kernel_of_none, "call 1 (rp_bind_kernel)", "kernel: the handle was never", RP_ERROR_INVALID},
    {buffer_zero, "call 1 (rp_fill)", "buffer: the handle is 0", RP_ERROR_INVALID},
    {buffer_of_none, "call 5 (rp_bind)", "buffer: the handle was never", RP_ERROR_INVALID},
    {binding_of_none, "call 5 (rp_bind)", "'mix' has no binding 7 in set 0", RP_ERROR_INVALID},
    {set_of_none, "call 5 (rp_bind_in_set)", "no binding 0 in set 1", RP_ERROR_INVALID},
    {range_outside, "call 5 (rp_bind)", "bytes [4000+200] are no range", RP_ERROR_INVALID},
    {range_behind, "call 1 (rp_fill)", "s has 4096 bytes", RP_ERROR_INVALID},
    {range_small, "call 5 (rp_bind)", "needs at least 64 bytes", RP_ERROR_INVALID},
    {not_bound, "call 4 (rp_dispatch)", "parameter 1 has no range", RP_ERROR_INVALID},
    {not_pushed, "call 4 (rp_dispatch)", "push bytes 0 and on are not set", RP_ERROR_INVALID},
    {push_outside, "call 5 (rp_push)", "push bytes [4+4]", RP_ERROR_INVALID},
    {push_odd, "call 5 (rp_push)", "push bytes [0+3]", RP_ERROR_INVALID},
    {push_null, "call 5 (rp_push)", "the data is NULL", RP_ERROR_INVALID},
    {push_much, "call 5 (rp_push)", "more than 256 bytes", RP_ERROR_INVALID},
    {empty_grid, "call 5 (rp_dispatch)", "the grid is 1 x 0 x 1", RP_ERROR_INVALID},
    {large_grid, "call 5 (rp_dispatch)", "takes 1 to 65535 x 65535", RP_ERROR_INVALID},
    {odd_grid, "call 5 (rp_dispatch_indirect)", "at a multiple of 4", RP_ERROR_INVALID},
    {short_grid, "call 5 (rp_dispatch_indirect)", "8 bytes for a grid of 12", RP_ERROR_INVALID},
    {grid_at_end, "call 5 (rp_dispatch_indirect)", "bytes [4088+12] are no", RP_ERROR_INVALID},
    {grid_written, "call 5 (rp_dispatch_indirect)", "a grid or a uniform", RP_ERROR_INVALID},
    {uniform_written, "call 6 (rp_dispatch)", "a grid or a uniform", RP_ERROR_INVALID},
    {overlap_partly, "call 7 (rp_dispatch)", "only the very same range", RP_ERROR_INVALID},
    {read_only_written, "call 6 (rp_dispatch)", "writes x, which is read only", RP_ERROR_INVALID},
    {read_only_filled, "call 1 (rp_fill)", "writes x, which is read only", RP_ERROR_INVALID},
    {access_contradicted, "call 5 (rp_bind_access)", "with access r:", RP_ERROR_INVALID},
    {access_unknown, "call 5 (rp_bind_access)", "of no known kind", RP_ERROR_INVALID},
    {misaligned, "call 6 (rp_dispatch)", "storage buffers at multiples of 16",
     RP_ERROR_UNSUPPORTED},
    {misaligned_uniform, "call 6 (rp_dispatch)", "uniform buffers at multiples of 64",
     RP_ERROR_UNSUPPORTED},
    {copy_sizes, "call 1 (rp_copy)", "has 8 bytes, the destination 4", RP_ERROR_INVALID},
    {copy_overlap, "call 1 (rp_copy)", "s and s overlap", RP_ERROR_INVALID},
    {fill_odd, "call 1 (rp_fill)", "are multiples of 4", RP_ERROR_INVALID},
    {update_odd, "call 1 (rp_update)", "are multiples of 4", RP_ERROR_INVALID},
    {update_size, "call 1 (rp_update)", "another size than the data", RP_ERROR_INVALID},
    {update_null, "call 1 (rp_update)", "the data is NULL", RP_ERROR_INVALID},
    {live_grid, "call 5 (rp_dispatch_live)", "has no live grids", RP_ERROR_INVALID},
    {live_push, "call 5 (rp_push_live)", "has no live values", RP_ERROR_INVALID},
    {an_op, "call 1 (rp_apply)", "compiles no ops", RP_ERROR_INVALID},
    {label_empty, "call 1 (rp_label_begin)", "a label is empty", RP_ERROR_INVALID},
    {label_null, "call 1 (rp_label_begin)", "the text is NULL", RP_ERROR_INVALID},
    {label_closed, "call 1 (rp_label_end)", "no label is open", RP_ERROR_INVALID},
    {label_open, NULL, "1 label is still open", RP_ERROR_INVALID},
    {optional_closed, "call 3 (rp_optional_end)", "nothing is open", RP_ERROR_INVALID},
    {optional_open, NULL, "call 2 (rp_optional_end): missing at the end", RP_ERROR_INVALID},
    {buffer_gone, "call 5 (rp_dispatch)", "parameter 0 has no range", RP_ERROR_INVALID},
    {buffer_nowhere, "call 1 (rp_fill)", "s is not bound to a storage", RP_ERROR_INVALID},
};

static void test_mistakes(void) {
    open_all();
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        rp_encoder_report report = {.size = sizeof report, .dispatches = 77};
        rp_diags_clear(diags);
        CU_ASSERT_EQUAL(rp_direct_bind(direct, calls.buffers[1], storages[1], 0, diags), RP_OK);
        rp_recorder *r = begin(NULL);
        mistakes[i].make(r);
        bool open = !mistakes[i].call;
        if (!open) rp_dispatch(r, 0, 0, 0); /* ignored: the first mistake counts */
        rp_status status = rp_direct_end(direct, &report);
        CU_ASSERT_EQUAL(status, mistakes[i].status);
        CU_ASSERT_EQUAL(report.dispatches, 0);
        CU_ASSERT(open || rp_test_said(diags, mistakes[i].call));
        CU_ASSERT(rp_test_said(diags, mistakes[i].what));
        CU_ASSERT_EQUAL(rp_diags_error_count(diags), 1);
        own_commands_end(device, &commands);
    }
    /* All is well again. */
    CU_ASSERT_EQUAL(rp_direct_bind(direct, calls.buffers[1], storages[1], 0, diags), RP_OK);
    rp_recorder *r = begin(NULL);
    rp_calls_make(&calls, r, 1, 20, true);
    CU_ASSERT_EQUAL(rp_direct_end(direct, NULL), RP_OK);
    own_commands_end(device, &commands);
    close_all();
}

/* What the program got after the rp_direct is said to be that. */
static void test_late(void) {
    static const char text[] = "#version 450\nlayout(local_size_x = 1) in;\nvoid main() {}\n";
    open_all();
    const rp_buffer_params params = {
        .size = sizeof params, .name = "late", .kind = RP_TMP, .dtype = RP_RAW, .bytes = 64};
    const rp_kernel_params kernel_params = {
        .size = sizeof kernel_params, .name = "late", .glsl = text};
    rp_buffer buffer;
    rp_kernel kernel;
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(calls.program, &params, diags, &buffer), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_program_kernel(calls.program, &kernel_params, diags, &kernel), RP_OK);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, buffer, storages[1], 0, diags), RP_ERROR_USAGE);
    CU_ASSERT(rp_test_said(diags, "buffer: it was made after the rp_direct"));
    for (int i = 0; i < 2; i++) {
        rp_diags_clear(diags);
        rp_recorder *r = begin(NULL);
        if (i == 0)
            rp_bind_kernel(r, kernel);
        else
            rp_fill(r, (rp_range){buffer}, 0);
        CU_ASSERT_EQUAL(rp_direct_end(direct, NULL), RP_ERROR_INVALID);
        CU_ASSERT(
            rp_test_said(diags, i ? "buffer: it was made after" : "kernel: it was made after"));
        own_commands_end(device, &commands);
    }
    close_all();
}

/* Calls outside of an encoding are ignored, as those of a recorder that has failed. */
static void test_outside(void) {
    open_all();
    rp_recorder *r = begin(NULL), *other = NULL;
    CU_ASSERT_EQUAL(rp_direct_begin(direct, commands.handle, NULL, diags, &other), RP_ERROR_BUSY);
    CU_ASSERT_PTR_NULL(other);
    CU_ASSERT(rp_test_said(diags, "is encoding already"));
    CU_ASSERT_EQUAL(rp_direct_end(direct, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_direct_end(direct, NULL), RP_ERROR_USAGE);
    rp_fill(r, all(1), 0);
    rp_dispatch(r, 1, 1, 1);
    rp_bind(r, 0, all(1));
    rp_recorder_destroy(r); /* it belongs to `direct` */
    own_commands_end(device, &commands);
    CU_ASSERT_STRING_EQUAL(mock_commands(commands.handle) ? mock_commands(commands.handle) : "",
                           "");
    /* It is no recorder of a graph. */
    rp_graph *graph = (rp_graph *)1;
    CU_ASSERT_EQUAL(rp_program_graph(calls.program, &r, 1, diags, &graph), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(graph);
    CU_ASSERT(rp_test_said(diags, "recorder 1 is one of direct mode"));
    close_all();
}

static void test_usage(void) {
    open_all();
    rp_direct *none = (rp_direct *)1;
    rp_recorder *r = (rp_recorder *)1;
    rp_encoder_report report = {0};
    const rp_direct_params unset = {0};
    const rp_encoder_begin_params begin_unset = {0};
    CU_ASSERT_EQUAL(rp_direct_create(calls.program, device, &unset, diags, &none), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(none);
    CU_ASSERT(rp_test_said(diags, "sizeof(rp_direct_params)"));
    CU_ASSERT_EQUAL(rp_direct_create(NULL, device, NULL, diags, &none), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_direct_create(calls.program, NULL, NULL, diags, &none), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_direct_create(calls.program, device, NULL, diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_direct_begin(NULL, commands.handle, NULL, diags, &r), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(r);
    CU_ASSERT_EQUAL(rp_direct_begin(direct, NULL, NULL, diags, &r), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_direct_begin(direct, commands.handle, NULL, diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_direct_begin(direct, commands.handle, &begin_unset, diags, &r),
                    RP_ERROR_USAGE);
    CU_ASSERT(rp_test_said(diags, "sizeof(rp_encoder_begin_params)"));
    CU_ASSERT_EQUAL(rp_direct_end(NULL, NULL), RP_ERROR_USAGE);
    r = begin(NULL);
    CU_ASSERT_EQUAL(rp_direct_end(direct, &report), RP_ERROR_USAGE); /* its size is not set */
    CU_ASSERT_EQUAL(rp_direct_end(direct, NULL), RP_OK);
    own_commands_end(device, &commands);

    CU_ASSERT_EQUAL(rp_direct_bind(NULL, calls.buffers[1], NULL, 0, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, (rp_buffer){0}, NULL, 0, diags), RP_ERROR_USAGE);
    CU_ASSERT(rp_test_said(diags, "buffer: the handle is 0"));
    CU_ASSERT_EQUAL(rp_direct_bind(direct, calls.buffers[1], storages[2], 4, diags),
                    RP_ERROR_USAGE);
    CU_ASSERT(rp_test_said(diags, "s has 4096 bytes; at byte 4 of storage, which has 4096"));
    rp_direct_done(NULL, 1);
    rp_direct_done(direct, 1000); /* was never encoded */
    rp_direct_destroy(NULL);
    close_all();
}

/* Storage of another device; a buffer and a kernel that came later. */
static void test_strangers(void) {
    open_all();
    rp_device *other = mock_open(NULL, diags);
    const rp_storage_params params = {.size = sizeof params, .bytes = 4096, .uninitialised = 1};
    rp_storage *storage;
    CU_ASSERT_EQUAL_FATAL(rp_storage_create(other, &params, diags, &storage), RP_OK);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, calls.buffers[1], storage, 0, diags), RP_ERROR_USAGE);
    CU_ASSERT(rp_test_said(diags, "lies on another device"));
    rp_storage_release(storage);
    CU_ASSERT_EQUAL(rp_device_destroy(other, diags), RP_OK);

    const rp_buffer_params late = {
        .size = sizeof late, .name = "late", .kind = RP_INOUT, .bytes = 64};
    rp_buffer buffer;
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(calls.program, &late, diags, &buffer), RP_OK);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, buffer, storages[1], 0, diags), RP_ERROR_USAGE);
    rp_recorder *r = begin(NULL);
    rp_fill(r, (rp_range){buffer}, 0);
    CU_ASSERT_EQUAL(rp_direct_end(direct, NULL), RP_ERROR_INVALID);
    own_commands_end(device, &commands);
    close_all();
}

/* A device for which the kernels are too much. */
static void test_limits(void) {
    open_all();
    rp_direct *none = NULL;
    device->adapter.properties.limits.maxPushConstantsSize = 2;
    device->adapter.properties.limits.maxBoundDescriptorSets = 1;
    CU_ASSERT_EQUAL(rp_direct_create(calls.program, device, NULL, diags, &none),
                    RP_ERROR_UNSUPPORTED);
    CU_ASSERT_PTR_NULL(none);
    CU_ASSERT(rp_test_said(diags, "mix"));
    CU_ASSERT(rp_test_said(diags, "sets"));
    CU_ASSERT(rp_diags_error_count(diags) >= RP_CALLS_KERNELS);
    close_all();
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static uint32_t calls_before_destroy;

/* Everything that there is to do with direct mode, once, up to the first failure. */
static rp_status live_a_life(rp_program *program, const rp_calls *c, const rp_allocator *allocator,
                             rp_diags *to) {
    const rp_device_params device_params = {.size = sizeof device_params,
                                            .get_instance_proc_addr = mock_entry(),
                                            .pipeline_threads = -1};
    const rp_direct_params params = {.size = sizeof params, .cache_path = ""};
    const rp_storage_params storage_params = {
        .size = sizeof storage_params, .bytes = RP_CALLS_BYTES, .uninitialised = 1};
    rp_device *own = NULL;
    rp_direct *d = NULL;
    rp_storage *bound_storages[RP_CALLS_BUFFERS] = {0};
    own_commands c2 = {0};
    rp_status status = rp_device_create(allocator, &device_params, to, &own);
    if (status == RP_OK) mock_spared(own_commands_create(own, &c2));
    if (status == RP_OK) status = rp_direct_create(program, own, &params, to, &d);
    for (uint32_t i = 0; status == RP_OK && i < RP_CALLS_BUFFERS; i++) {
        if (rp_calls_is_transient(i)) continue;
        status = rp_storage_create(own, &storage_params, to, &bound_storages[i]);
        if (status == RP_OK) status = rp_direct_bind(d, c->buffers[i], bound_storages[i], 0, to);
    }
    for (uint32_t i = 0; status == RP_OK && i < 2; i++) {
        rp_recorder *r = NULL;
        mock_spared(own_commands_begin(own, &c2));
        status = rp_direct_begin(d, c2.handle, NULL, to, &r);
        rp_calls_make(c, r, 3 + i, 60, true);
        rp_status ended = rp_direct_end(d, NULL);
        if (status == RP_OK) status = ended;
        mock_spared(own_commands_end(own, &c2));
    }
    calls_before_destroy = mock.calls;
    rp_direct_destroy(d);
    for (uint32_t i = 0; i < RP_CALLS_BUFFERS; i++) rp_storage_release(bound_storages[i]);
    if (c2.pool) own_commands_destroy(own, &c2);
    rp_device_destroy(own, NULL);
    return status;
}

static void fail_each_call(VkResult result, rp_status expected) {
    rp_calls c;
    mock_reset();
    CU_ASSERT_EQUAL_FATAL(rp_calls_create(&c, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL_FATAL(live_a_life(c.program, &c, NULL, NULL), RP_OK);
    uint32_t count = calls_before_destroy, failed = 0;
    for (uint32_t i = 1; i <= count; i++) {
        mock_reset();
        mock.fail_at = i;
        mock.fail_with = result;
        rp_diags *to = rp_diags_create(NULL);
        rp_status status = live_a_life(c.program, &c, NULL, to);
        /* Caches are but an optimisation. */
        bool ours = mock.failed && !strstr(mock.failed, "PipelineCache");
        failed += ours;
        bool fine = ours ? status == expected && rp_diags_error_count(to) > 0 : true;
        if (!fine || mock.objects || mock.mistake)
            printf("\n  call %u, %s: status %d, %u errors, %d objects left, mistake %s\n", i,
                   mock.failed ? mock.failed : "none", status, rp_diags_error_count(to),
                   mock.objects, mock.mistake ? mock.mistake : "none");
        CU_ASSERT(fine);
        rp_diags_destroy(to);
        mock_done();
    }
    CU_ASSERT(failed > 40);
    rp_calls_destroy(&c);
}

static void test_vulkan(void) {
    fail_each_call(VK_ERROR_OUT_OF_DEVICE_MEMORY, RP_ERROR_DEVICE_MEMORY);
    fail_each_call(VK_ERROR_OUT_OF_HOST_MEMORY, RP_ERROR_NO_MEMORY);
    fail_each_call(VK_ERROR_DEVICE_LOST, RP_ERROR_DEVICE_LOST);
}

static void test_allocations(void) {
    rp_calls c;
    mock_allocator count;
    mock_reset();
    CU_ASSERT_EQUAL_FATAL(rp_calls_create(&c, NULL, NULL), RP_OK);
    mock_allocator_init(&count);
    CU_ASSERT_EQUAL_FATAL(live_a_life(c.program, &c, &count.allocator, NULL), RP_OK);
    long total = count.calls;
    CU_ASSERT(total > 50);
    for (long i = 1; i <= total; i++) {
        mock_reset();
        mock_allocator_init(&count);
        count.fail_at = i;
        CU_ASSERT_EQUAL(live_a_life(c.program, &c, &count.allocator, NULL), RP_ERROR_NO_MEMORY);
        CU_ASSERT_EQUAL(count.alive, 0);
        mock_done();
    }
    rp_calls_destroy(&c);
}

/* The program's own allocator, which direct mode uses for what it adds. */
static void test_program_allocations(void) {
    rp_calls c;
    mock_allocator count;
    mock_reset();
    mock_allocator_init(&count);
    CU_ASSERT_EQUAL_FATAL(rp_calls_create(&c, &count.allocator, NULL), RP_OK);
    long alive = count.alive, before = count.calls;
    CU_ASSERT_EQUAL_FATAL(live_a_life(c.program, &c, NULL, NULL), RP_OK);
    long total = count.calls - before;
    CU_ASSERT(total > 8);
    for (long i = 1; i <= total; i++) {
        mock_reset();
        count.fail_at = count.calls + i;
        CU_ASSERT_EQUAL(live_a_life(c.program, &c, NULL, NULL), RP_ERROR_NO_MEMORY);
        CU_ASSERT_EQUAL(count.alive, alive);
        mock_done();
    }
    rp_calls_destroy(&c);
    CU_ASSERT_EQUAL(count.alive, 0);
}

int main(void) {
    static const rp_test tests[] = {{"mistakes", test_mistakes},
                                    {"late", test_late},
                                    {"outside", test_outside},
                                    {"usage", test_usage},
                                    {"strangers", test_strangers},
                                    {"limits", test_limits},
                                    {"Vulkan calls", test_vulkan},
                                    {"allocations", test_allocations},
                                    {"the program's allocations", test_program_allocations},
                                    {0}};
    return rp_run_tests("direct mode, wrongly", tests);
}
