/* Pipelines: 60 kernels that no cache has seen, then the same again. */
#include <stdlib.h>

#include "embed.h"

enum { KERNELS = 60 };

typedef struct pipelines_state {
    uint32_t seed; /* of the next kernels */
    rp_plan *plan, *next_plan;
    rp_exec *first, *new_first, *second;
    rp_plan *hand, *next_hand; /* for its SPIR-V */
    VkPipelineCache cache, next_cache;
    plain_kernel kernels[KERNELS];
} pipelines_state;

/* Kernels are told apart by a constant, which grows from plan to plan. */
static int record_kernels(bench *b, rp_program *program, rp_recorder *r, void *user) {
    static const char format[] =
        "#version 450\n"
        "layout(local_size_x = 64) in;\n"
        "layout(binding = 0) buffer Data { float v[]; } data;\n"
        "shared float part[64];\n"
        "void main() {\n"
        "    uint i = gl_GlobalInvocationID.x, l = gl_LocalInvocationIndex;\n"
        "    part[l] = data.v[i] * %u.0;\n"
        "    for (uint step = 32; step > 0; step /= 2) {\n"
        "        barrier();\n"
        "        if (l < step) part[l] += exp(part[l + step]) / (1.0 + abs(part[l]));\n"
        "    }\n"
        "    barrier();\n"
        "    data.v[i] = data.v[i] / (part[0] + sqrt(abs(data.v[i])));\n"
        "}\n";
    uint32_t *seed = user;
    rp_buffer data;
    TRY(rp_program_buffer(
        program,
        &(rp_buffer_params){
            .size = sizeof(rp_buffer_params), .name = "data", .kind = RP_INOUT, .bytes = 256},
        b->diags, &data));
    for (uint32_t k = 0; k < KERNELS; k++) {
        char name[32], glsl[1024];
        rp_kernel kernel;
        snprintf(name, sizeof name, "k%u", k);
        snprintf(glsl, sizeof glsl, format, ++*seed);
        TRY(rp_program_kernel(
            program,
            &(rp_kernel_params){.size = sizeof(rp_kernel_params), .name = name, .glsl = glsl},
            b->diags, &kernel));
        rp_bind_kernel(r, kernel);
        rp_bind(r, 0, (rp_range){data});
        rp_dispatch(r, 1, 1, 1);
    }
    return 0;
}

/* ---- By hand --------------------------------------------------------------------------------- */

static int create_by_hand(bench *b, pipelines_state *s, const rp_plan *plan,
                          VkPipelineCache cache) {
    for (uint32_t k = 0; k < KERNELS; k++) {
        rp_plan_kernel_info kernel = {.size = sizeof kernel};
        TRY(rp_plan_get_kernel(plan, k, &kernel));
        TRY(plain_kernel_create(&b->plain, &kernel, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, cache,
                                &s->kernels[k]));
    }
    return 0;
}

static int run_first_by_hand(bench *b, void *state) {
    pipelines_state *s = state;
    const VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
    TRY(vk.CreatePipelineCache(b->plain.device, &info, NULL, &s->next_cache));
    return create_by_hand(b, s, s->next_hand, s->next_cache);
}

static int run_second_by_hand(bench *b, void *state) {
    pipelines_state *s = state;
    return create_by_hand(b, s, s->hand, s->cache);
}

static int settle_second_by_hand(bench *b, void *state) {
    pipelines_state *s = state;
    for (uint32_t k = 0; k < KERNELS; k++) plain_kernel_destroy(&b->plain, &s->kernels[k]);
    return 0;
}

/* New kernels for the next time; those that were just created are what "again" means. */
static int settle_first_by_hand(bench *b, void *state) {
    pipelines_state *s = state;
    TRY(settle_second_by_hand(b, state));
    vk.DestroyPipelineCache(b->plain.device, s->cache, NULL);
    rp_plan_destroy(s->hand);
    s->cache = s->next_cache;
    s->hand = s->next_hand;
    return plan_of(b, record_kernels, &s->seed, &s->next_hand);
}

/* ---- With execs ------------------------------------------------------------------------------ */

static const rp_exec_params no_cache = {.size = sizeof no_cache, .cache_path = ""};

static int run_first(bench *b, void *state) {
    pipelines_state *s = state;
    return rp_exec_create(b->device, s->next_plan, &no_cache, b->diags, &s->new_first);
}

static int settle_first(bench *b, void *state) {
    pipelines_state *s = state;
    rp_exec_destroy(s->first);
    rp_plan_destroy(s->plan);
    rp_device_trim(b->device);
    s->first = s->new_first;
    s->plan = s->next_plan;
    return plan_of(b, record_kernels, &s->seed, &s->next_plan);
}

static int run_second(bench *b, void *state) {
    pipelines_state *s = state;
    return rp_exec_create(b->device, s->plan, &no_cache, b->diags, &s->second);
}

static int settle_second(bench *b, void *state) {
    pipelines_state *s = state;
    (void)b;
    rp_exec_destroy(s->second);
    return 0;
}

int bench_pipelines(bench *b) {
    static const way ways[] = {
        {"by hand: 60 pipelines, a new cache", run_first_by_hand, settle_first_by_hand, 0},
        {"by hand: again, with that cache", run_second_by_hand, settle_second_by_hand, 0},
        {"rp_exec_create, the first", run_first, settle_first, 0},
        {"rp_exec_create, the second", run_second, settle_second, 2},
    };
    /* Kernels of another run, which the driver may have kept, are others. */
    pipelines_state s = {.seed = (uint32_t)rand() % 1000000};
    TRY(plan_of(b, record_kernels, &s.seed, &s.next_plan));
    TRY(plan_of(b, record_kernels, &s.seed, &s.next_hand));
    const comparison c = {"60 pipelines", ways, 4, &s, .rounds = b->rounds / 40 + 3};
    TRY(compare(b, &c));
    rp_exec_destroy(s.first);
    rp_plan_destroy(s.plan);
    rp_plan_destroy(s.next_plan);
    rp_plan_destroy(s.hand);
    rp_plan_destroy(s.next_hand);
    vk.DestroyPipelineCache(b->plain.device, s.cache, NULL);
    return 0;
}
