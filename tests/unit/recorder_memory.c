/* Programs and recorders without memory: whichever allocation fails, from the program to the graph,
 * the status says so and nothing is held. */
#include <stdlib.h>
#include "kernel/kernel.h"
#include "reprise/compiler.h"
#include "support/unit.h"

static const char *const shader = "#version 450\nlayout(local_size_x = 32) in;\n"
                                  "layout(push_constant) uniform P { uint size, from; };\n"
                                  "layout(binding = 0) readonly buffer X { uint x[16]; };\n"
                                  "layout(set = 1, binding = 3) writeonly buffer Y { uint y[]; };\n"
                                  "void main() { y[gl_GlobalInvocationID.x % size] = x[from]; }\n";

static uint32_t allocations_left, blocks;

static void *scarce(void *user, void *block, size_t size) {
    (void)user;
    if (allocations_left == 0) return NULL;
    allocations_left--;
    void *result = realloc(block, size);
    blocks += !block && result;
    return result;
}

static void give_back(void *user, void *block) {
    (void)user;
    blocks -= block != NULL;
    free(block);
}

/* Everything from the program to the graph. */
static rp_status everything(const rp_allocator *a, const rp_kernel_params *kernel) {
    rp_program *p;
    rp_recorder *r;
    rp_graph *g = NULL;
    rp_buffer x, n, y;
    rp_kernel k = {0};
    uint32_t data[2] = {0};
    rp_status status = rp_program_create(a, "p", &p);
    if (status != RP_OK) return status;
    rp_buffer_params params = {.size = sizeof params, .name = "x", .kind = RP_IN, .bytes = 64};
    rp_buffer_params live = {.size = sizeof live,
                             .name = "n",
                             .kind = RP_LIVE,
                             .dtype = RP_U32,
                             .rank = 1,
                             .shape = {2},
                             .initial = data};
    status = rp_program_buffer(p, &params, NULL, &x);
    params.name = "y";
    params.kind = RP_OUT;
    if (status == RP_OK) status = rp_program_buffer(p, &params, NULL, &y);
    if (status == RP_OK) status = rp_program_buffer(p, &live, NULL, &n);
    if (status == RP_OK) status = rp_program_kernel(p, kernel, NULL, &k);
    if (status == RP_OK) status = rp_recorder_create(p, &r);
    if (status == RP_OK) {
        rp_label_begin(r, "a");
        rp_bind_kernel(r, k);
        rp_bind(r, 0, (rp_range){x});
        rp_bind_in_set(r, 1, 3, (rp_range){y});
        rp_push(r, 0, data, 8);
        rp_push_live(r, 4, (rp_range){n, 0, 4});
        rp_op_tag(r, "t");
        rp_optional_begin(r);
        rp_dispatch_live(r, "n + n[1]", "2", "1");
        rp_optional_end(r);
        rp_label_end(r);
        rp_update(r, (rp_range){y}, data, 8);
        status = rp_program_graph(p, &r, 1, NULL, &g);
        rp_graph_destroy(g);
        rp_recorder_destroy(r);
    }
    rp_program_destroy(p);
    return status;
}

/* The same with images, samplers and arrays of bindings. */
static const char *const image_shader =
    "#version 450\nlayout(local_size_x = 8) in;\n"
    "layout(binding = 0) uniform sampler2DArray x[2];\n"
    "layout(binding = 1, r32f) uniform writeonly image2D y;\n"
    "layout(binding = 2) uniform samplerBuffer t;\n"
    "void main() {\n"
    "    ivec2 p = ivec2(gl_GlobalInvocationID.xy);\n"
    "    imageStore(y, p, texelFetch(x[0], ivec3(p, 0), 0) + texelFetch(x[1], ivec3(p, 0), 1) +\n"
    "                     texelFetch(t, p.x));\n"
    "}\n";

static rp_status images(const rp_allocator *a, const rp_kernel_params *kernel) {
    const rp_image_shape shape = {RP_IMAGE_R32F, RP_IMAGE_2D, 4, 8, 8, 1, 3};
    const rp_buffer_params buffers[3] = {
        {.size = sizeof *buffers, .name = "x", .kind = RP_INOUT, .image = shape},
        {.size = sizeof *buffers, .name = "y", .kind = RP_OUT, .image = shape},
        {.size = sizeof *buffers, .name = "t", .kind = RP_IN, .bytes = 256}};
    const rp_sampler_params params = {.size = sizeof params, .name = "s"};
    rp_program *p;
    rp_recorder *r;
    rp_graph *g = NULL;
    rp_buffer b[3] = {{0}};
    rp_kernel k = {0};
    rp_sampler s = {0};
    rp_status status = rp_program_create(a, "p", &p);
    if (status != RP_OK) return status;
    for (int i = 0; status == RP_OK && i < 3; i++)
        status = rp_program_buffer(p, &buffers[i], NULL, &b[i]);
    if (status == RP_OK) status = rp_program_sampler(p, &params, NULL, &s);
    if (status == RP_OK) status = rp_program_kernel(p, kernel, NULL, &k);
    if (status == RP_OK) status = rp_recorder_create(p, &r);
    if (status == RP_OK) {
        rp_bind_kernel(r, k);
        rp_bind_combined(r, 0, 0, 0, (rp_image_part){b[0]}, s);
        rp_bind_combined(r, 0, 0, 1, (rp_image_part){b[0], .first_layer = 1}, s);
        rp_bind_image(r, 0, 1, 0, (rp_image_part){b[1], .layers = 1});
        rp_bind_texels(r, 0, 2, 0, (rp_range){b[2]}, RP_IMAGE_RGBA8);
        rp_dispatch(r, 1, 8, 1);
        rp_make_mips(r, (rp_image_part){b[1], .layers = 1}, RP_FILTER_LINEAR);
        rp_clear(r, (rp_image_part){b[0]}, (rp_texel_value){.f = {1}});
        rp_copy_to_image(r, (rp_range){b[2]}, (rp_image_part){b[0], 0, 1, 0, 1});
        status = rp_program_graph(p, &r, 1, NULL, &g);
        rp_graph_destroy(g);
        rp_recorder_destroy(r);
    }
    rp_program_destroy(p);
    return status;
}

/* Whichever allocation fails. */
static void fail_each(const char *shader_text,
                      rp_status (*run)(const rp_allocator *, const rp_kernel_params *)) {
    const rp_allocator a = {scarce, give_back, NULL};
    rp_kernel_module module; /* as SPIR-V: compiling GLSL for each allocation would take long */
    rp_kernel_params glsl = {.size = sizeof glsl, .name = "k", .glsl = shader_text};
    CU_ASSERT_EQUAL_FATAL(rp_kernel_build(NULL, &glsl, NULL, NULL, 0, 0, &module), RP_OK);
    const rp_kernel_params spirv = {.size = sizeof spirv,
                                    .name = "k",
                                    .spirv = module.words,
                                    .spirv_size = (size_t)module.word_count * 4};
    rp_status status = RP_ERROR_NO_MEMORY;
    uint32_t n = 0;
    for (; status == RP_ERROR_NO_MEMORY && n < 5000; n++) {
        allocations_left = n;
        status = run(&a, &spirv);
        CU_ASSERT_EQUAL(blocks, 0);
    }
    CU_ASSERT_EQUAL(status, RP_OK);
    CU_ASSERT(n > 50);
    rp_kernel_free(&module);
}

static void test_no_memory(void) {
    fail_each(shader, everything);
    fail_each(image_shader, images);
    const rp_allocator a = {scarce, give_back, NULL};
    rp_kernel_params glsl = {.size = sizeof glsl, .name = "k", .glsl = shader};
    rp_kernel_module module;
    rp_status status = RP_ERROR_NO_MEMORY;
    uint32_t n;
    for (n = 0; status == RP_ERROR_NO_MEMORY && n < 200; n++) {
        allocations_left = n;
        status = rp_kernel_build(&a, &glsl, NULL, NULL, 0, 0, &module);
        rp_kernel_free(&module);
        CU_ASSERT_EQUAL(blocks, 0);
    }
    CU_ASSERT_EQUAL(status, RP_OK);
    CU_ASSERT(n > 10);
}

int main(void) {
    const rp_test tests[] = {{"no memory", test_no_memory}, {NULL, NULL}};
    return rp_run_tests("recorders without memory", tests);
}
