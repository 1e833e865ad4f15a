/* Images in direct mode on the fake driver: random calls, whose stream is judged by the rules of Vulkan
 * alone; the very commands; sets and views that come back; and images that the application lends. */
#include "direct_images.h"

#include "hazards.h"

enum { SEQUENCES = 60, CALLS = 40 };

static rp_encoder_report end(void) {
    rp_encoder_report report = {.size = sizeof report};
    rp_status status = rp_direct_end(direct, &report);
    for (uint32_t i = 0; status != RP_OK && i < rp_diags_count(diags); i++)
        printf("\n  said: %s", rp_diags_get(diags, i).message);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    CU_ASSERT_EQUAL_FATAL(own_commands_end(device, &commands), VK_SUCCESS);
    return report;
}

/* What was written since the last time. */
static void expect(const char *got, const char *expected) {
    CU_ASSERT_STRING_EQUAL(got, expected);
    if (strcmp(got, expected) != 0) printf("\n--- got\n%s--- expected\n%s", got, expected);
}

static void forget_descriptors(void) {
    *mock.descriptors = '\0';
}

/* ---- Random calls ---------------------------------------------------------------------------- */

static uint32_t sum(const uint32_t *counts) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < RP_HAZARD_KINDS; i++) total += counts[i];
    return total;
}

/* What kernels do to their bindings; pipelines are made in the order of kernels. */
static size_t list_bindings(hazard_binding *out) {
    static const char *const access[] = {
        [RP_READ] = "SR", [RP_WRITE] = "SW", [RP_READ_WRITE] = "SRSW", [RP_SAMPLED] = "SS"};
    size_t count = 0;
    for (uint32_t i = 0; i < RP_SHOTS_KERNELS; i++)
        for (uint32_t j = 0; j < rp_shots_kernels[i].binding_count; j++) {
            const rp_shots_binding *b = &rp_shots_kernels[i].bindings[j];
            out[count++] = (hazard_binding){i, 0, b->binding, access[b->access], b->element};
        }
    return count;
}

static void test_random(void) {
    hazard_binding bindings[16];
    size_t count = list_bindings(bindings);
    uint32_t elided = 0, independent = 0, emitted[RP_HAZARD_KINDS] = {0};
    open_all();
    hazard_forget_sets();
    for (uint64_t seed = 1; seed <= SEQUENCES; seed++) {
        rp_shots_make(&shots, begin(), seed, CALLS);
        const rp_encoder_report report = end();
        hazard_sets(mock.descriptors);
        forget_descriptors();
        hazard_stream *stream = hazard_read(mock_commands(commands.handle), bindings, count);
        CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
        bool ok = hazard_ordered(stream, false) && hazard_minimal(stream);
        if (!ok) printf("  seed %llu\n", (unsigned long long)seed);
        CU_ASSERT(ok);
        CU_ASSERT_EQUAL(hazard_barriers(stream), sum(report.emitted));
        /* What clears or copies several mips is several commands. */
        CU_ASSERT_EQUAL(report.dispatches + report.transfers,
                        sum(report.emitted) + sum(report.elided) + report.independent);
        CU_ASSERT(hazard_nodes(stream) >= report.dispatches + report.transfers);
        for (uint32_t i = 0; i < RP_HAZARD_KINDS; i++) emitted[i] += report.emitted[i];
        elided += sum(report.elided);
        independent += report.independent;
        hazard_free(stream);
        rp_direct_done(direct, report.number);
    }
    for (uint32_t i = 0; i < RP_ORDER; i++) CU_ASSERT(emitted[i] > 10);
    CU_ASSERT(elided > 100 && independent > 100);
    close_all();
}

/* ---- Commands -------------------------------------------------------------------------------- */

/* Of mip m one layer has 128 >> 2 * m bytes; three of the first mip are 384. */
static void test_commands(void) {
    open_all();
    forget_descriptors();
    rp_recorder *r = begin();
    const rp_image_part s = {shots.images[1], 0, 1, 1, 1}, t = {shots.images[2], 0, 1, 0, 1};
    rp_clear(r, (rp_image_part){shots.images[1]}, (rp_texel_value){.u = {7}});
    rp_copy_image(r, s, t);
    rp_bind_kernel(r, shots.kernels[1]); /* samples s, adds to t */
    rp_bind_combined(r, 0, 0, 0, (rp_image_part){shots.images[1]}, shots.near);
    rp_bind_image(r, 0, 1, 0, t);
    rp_push(r, 0, "abcd", 4);
    rp_dispatch(r, 1, 1, 1);
    rp_bind_image(r, 0, 1, 0, (rp_image_part){shots.images[2], 1, 1, 2, 1}); /* not conflicting */
    rp_dispatch(r, 1, 1, 1);
    rp_copy_from_image(r, (rp_image_part){shots.images[2], 1, 1, 2, 1},
                       (rp_range){shots.buffers[0], 256});
    rp_make_mips(r, (rp_image_part){shots.images[1], .first_layer = 2}, RP_FILTER_NEAREST);
    rp_copy_to_image(r, (rp_range){shots.buffers[0]}, (rp_image_part){shots.images[1], 1});
    const rp_encoder_report report = end();
    expect(mock_commands(commands.handle),
           "clear i1+0 384 00000007\n"
           "clear i1+384 96 00000007\n"
           "barrier transfer:TW -> transfer:TR\n"
           "copy i1+128 i2+0 128\n"
           "barrier transfer:TW -> compute:SR:SW:SS\n"
           "pipeline p0\nset 0 s0\npush 0 61626364\ndispatch 1 1 1\n"
           "set 0 s1\ndispatch 1 1 1\n"
           "barrier compute:SW -> transfer:TR\n"
           "download i2+448 b0+256 32\n"
           "barrier compute|transfer:TW -> transfer:TW\n"
           "blit nearest i1+256 i1+448 32 from 128\n"
           "barrier transfer:TW -> transfer:TW\n"
           "upload i1+384 b0+0 96\n");
    expect(mock.descriptors, "s0.0 combined i1+0 480 sampler 0\ns0.1 image i2+0 128\n"
                             "s1.0 combined i1+0 480 sampler 0\ns1.1 image i2+448 32\n");
    CU_ASSERT_EQUAL(report.dispatches, 2);
    CU_ASSERT_EQUAL(report.transfers, 5);
    CU_ASSERT_EQUAL(report.sets_written, 2);
    close_all();
}

/* Elements, texels, samplers: what is set stays, and what comes back is found. */
static void test_sets(void) {
    open_all();
    rp_recorder *r = begin();
    forget_descriptors();
    rp_bind_kernel(r, shots.kernels[2]);
    rp_bind_image(r, 0, 0, 1, (rp_image_part){shots.images[0], 1, 1, 2, 1});
    rp_bind_image(r, 0, 0, 0, (rp_image_part){shots.images[0], 0, 1, 1, 1});
    rp_bind_sampler(r, 0, 1, 0, shots.near);
    rp_bind(r, 2, (rp_range){shots.buffers[0], 0, 256});
    rp_bind_image(r, 0, 3, 0, (rp_image_part){shots.images[1], 0, 1, 0, 1});
    rp_push(r, 0, "abcd", 4);
    rp_dispatch(r, 1, 1, 1);
    rp_bind_image(r, 0, 0, 1, (rp_image_part){shots.images[0], 0, 1, 2, 1});
    rp_dispatch(r, 1, 1, 1);
    rp_bind_image(r, 0, 0, 1, (rp_image_part){shots.images[0], 1, 1, 2, 1});
    rp_dispatch(r, 1, 1, 1); /* the first set again */
    rp_bind_kernel(r, shots.kernels[3]);
    rp_bind_texels(r, 0, 0, 0, (rp_range){shots.buffers[0], 512, 512}, RP_IMAGE_RG32UI);
    rp_bind_image(r, 0, 1, 0, (rp_image_part){shots.images[1], 0, 1, 0, 1});
    rp_push(r, 0, "abcd", 4);
    rp_dispatch(r, 1, 1, 1);
    rp_bind_texels(r, 0, 0, 0, (rp_range){shots.buffers[0], 512, 512}, RP_IMAGE_RGBA8UI);
    rp_dispatch(r, 1, 1, 1); /* another view of the same bytes */
    rp_encoder_report report = end();
    CU_ASSERT_EQUAL(report.sets_written, 4);
    expect(mock.descriptors,
           "s0.0 sampled i0+128 128\ns0.0[1] sampled i0+448 32\ns0.1 sampler sampler 0\n"
           "s0.2 storage b0+0 256\ns0.3 image i1+0 128\n"
           "s1.0 sampled i0+128 128\ns1.0[1] sampled i0+256 128\ns1.1 sampler sampler 0\n"
           "s1.2 storage b0+0 256\ns1.3 image i1+0 128\n"
           "s16.0 uniform texels b0+512 512\ns16.1 image i1+0 128\n"
           "s17.0 uniform texels b0+512 512\ns17.1 image i1+0 128\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(mock_commands(commands.handle), "set 0 s0\n"));
    close_all();
}

/* An image is bound anew while it is encoded: what is set moves with it, views go with their storage. */
static void test_rebinding(void) {
    open_all();
    rp_recorder *r = begin();
    const rp_image_part t = {shots.images[2], 0, 1, 0, 1};
    rp_storage *other = make_image(device, rp_shots_shape, "other"); /* i4 */
    forget_descriptors();
    rp_bind_kernel(r, shots.kernels[1]);
    rp_bind_combined(r, 0, 0, 0, (rp_image_part){shots.images[1], 1, 1, 1, 1}, shots.near);
    rp_bind_image(r, 0, 1, 0, t);
    rp_push(r, 0, "abcd", 4);
    rp_dispatch(r, 1, 1, 1);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, shots.images[1], other, 0, diags), RP_OK);
    rp_dispatch(r, 1, 1, 1);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, shots.images[1], images[1], 0, diags), RP_OK);
    rp_dispatch(r, 1, 1, 1); /* as the first */
    const rp_encoder_report report = end();
    CU_ASSERT_EQUAL(report.sets_written, 2);
    expect(mock.descriptors, "s0.0 combined i1+416 32 sampler 0\ns0.1 image i2+0 128\n"
                             "s1.0 combined i4+416 32 sampler 0\ns1.1 image i2+0 128\n");
    int objects = mock.objects;
    rp_storage_release(other);
    CU_ASSERT(mock.objects <= objects - 3); /* with its memory and its view, sets or not */
    rp_recorder *again = begin();
    CU_ASSERT_EQUAL(rp_direct_bind(direct, shots.images[1], NULL, 0, diags), RP_OK);
    rp_bind_kernel(again, shots.kernels[1]);
    rp_bind_image(again, 0, 1, 0, t);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, shots.images[2], NULL, 0, diags), RP_OK);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, shots.images[1], images[1], 0, diags), RP_OK);
    rp_bind_combined(again, 0, 0, 0, (rp_image_part){shots.images[1], 1, 1, 1, 1}, shots.near);
    rp_push(again, 0, "abcd", 4);
    rp_dispatch(again, 1, 1, 1);
    CU_ASSERT_EQUAL(rp_direct_end(direct, NULL), RP_ERROR_INVALID);
    CU_ASSERT(rp_test_said(diags, "sum: parameter 1 has no range"));
    own_commands_end(device, &commands);
    close_all();
}

/* ---- Lent images ----------------------------------------------------------------------------- */

/* They come into GENERAL once, in front of their first use, and go back at the end. */
static void test_lent(void) {
    open_all();
    rp_storage *lent = NULL;
    rp_storage_image params = {.size = sizeof params,
                               .image = images[1]->image,
                               .shape = rp_shots_shape,
                               .usage = images[1]->usage,
                               .before = VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL,
                               .after = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                               .name = "lent"};
    CU_ASSERT_EQUAL_FATAL(rp_storage_import_image(device, &params, diags, &lent), RP_OK);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, shots.images[1], lent, 0, diags), RP_OK);
    for (int round = 0; round < 2; round++) {
        rp_recorder *r = begin();
        rp_clear(r, (rp_image_part){shots.images[2], 1}, (rp_texel_value){.u = {7}});
        rp_copy_image(r, (rp_image_part){shots.images[1], 1}, (rp_image_part){shots.images[2], 1});
        rp_clear(r, (rp_image_part){shots.images[1], 1}, (rp_texel_value){.u = {8}});
        end();
        expect(mock_commands(commands.handle), "clear i2+384 96 00000007\n"
                                               "image i1 5 -> 1 all:MW -> all:MR:MW\n"
                                               "barrier transfer:TW -> transfer:TW\n"
                                               "copy i1+384 i2+384 96\n"
                                               "barrier transfer -> transfer:TW\n"
                                               "clear i1+384 96 00000008\n"
                                               "image i1 1 -> 6 all:MW -> all:MR:MW\n");
    }
    /* One that nobody uses stays where it is; and after a mistake nothing goes back. */
    rp_clear(begin(), (rp_image_part){shots.images[2], 1}, (rp_texel_value){.u = {7}});
    end();
    expect(mock_commands(commands.handle), "clear i2+384 96 00000007\n");
    rp_recorder *r = begin();
    rp_clear(r, (rp_image_part){shots.images[1]}, (rp_texel_value){.u = {7}});
    rp_label_end(r);
    CU_ASSERT_EQUAL(rp_direct_end(direct, NULL), RP_ERROR_INVALID);
    own_commands_end(device, &commands);
    CU_ASSERT_PTR_NULL(strstr(mock_commands(commands.handle), "1 -> 6"));
    /* A dispatch borrows, too; and bound elsewhere on the way it goes back all the same. */
    r = begin();
    rp_bind_kernel(r, shots.kernels[0]);
    rp_image_part s = {shots.images[1], 0, 1, 0, 1};
    rp_bind_image(r, 0, 0, 0, (rp_image_part){shots.images[0], 0, 1, 0, 1});
    rp_bind_image(r, 0, 1, 0, s);
    rp_push(r, 0, "abcd", 4);
    rp_dispatch(r, 1, 1, 1);
    CU_ASSERT_EQUAL(rp_direct_bind(direct, shots.images[1], images[1], 0, diags), RP_OK);
    rp_storage_release(lent); /* the encoding holds it until it ends */
    end();
    expect(mock_commands(commands.handle),
           "image i1 5 -> 1 all:MW -> all:MR:MW\n"
           "pipeline p0\nset 0 s0\npush 0 61626364\ndispatch 1 1 1\n"
           "image i1 1 -> 6 all:MW -> all:MR:MW\n");
    close_all();
}

int main(void) {
    static const rp_test tests[] = {{"random calls", test_random}, {"commands", test_commands},
                                    {"sets", test_sets},           {"rebinding", test_rebinding},
                                    {"lent images", test_lent},    {0}};
    return rp_run_tests("images in direct mode", tests);
}
