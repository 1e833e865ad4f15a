/* Compiled text to plan, without the passes and without a proof: tests of the runtime also need
 * plans that no compiler would make. */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "graph/graph.h"
#include "mock_objects.h"
#include "reprise/compiler.h"

/* An empty compute shader. The last word makes each kernel's body another one. */
enum { LOCAL_SIZE = 18 }; /* word of the workgroup size */
static const uint32_t body[] = {
    0x07230203, 0x00010000, 0,  99,         0, 0x00020011, 1, /* OpCapability Shader */
    0x0003000e, 0,          1,                                /* OpMemoryModel Logical GLSL450 */
    0x0005000f, 5,          4,  0x6e69616d, 0,                /* OpEntryPoint GLCompute %4 "main" */
    0x00060010, 4,          17, 1,          1, 1, /* OpExecutionMode %4 LocalSize 1 1 1 */
    0x00040047, 7,          1,  3,                /* OpDecorate %7 SpecId 3 */
    0x00020013, 2,                                /* %2 = OpTypeVoid */
    0x00030021, 3,          2,                    /* %3 = OpTypeFunction %2 */
    0x00040015, 6,          32, 0,                /* %6 = OpTypeInt 32 0 */
    0x00040032, 6,          7,  0,                /* %7 = OpSpecConstant %6 0 */
    0x00050036, 2,          4,  0,          3,    /* OpFunction */
    0x000200f8, 5,                                /* OpLabel */
    0x000100fd,                                   /* OpReturn */
    0x00010038,                                   /* OpFunctionEnd */
    0x00020013, 8,                                /* the number of the kernel */
};
enum { BODY_END = sizeof body / sizeof *body - 2 }; /* word of the last instruction */

/* OpExecutionMode %4 SignedZeroInfNanPreserve 32, behind a kernel whose name begins so. */
static const uint32_t exact[] = {0x00040010, 4, 4461, 32};

/* OpModuleProcessed "reprise subgroup 16", before what is said of ids; of a kernel whose name begins
 * with "sized". */
enum { DECORATIONS = 21 };
static const uint32_t sized[] = {0x0006014a, 0x72706572, 0x20657369,
                                 0x67627573, 0x70756f72, 0x00363120};

/* What the kernel does with its bindings, for the fake driver: an OpString of a word for each. */
static uint32_t write_params(const rp_graph *graph, const rp_graph_kernel *kernel, uint32_t *out) {
    if (kernel->param_count == 0 || kernel->param_count > MOCK_PARAMS) return 0;
    out[0] = (2 + kernel->param_count) << 16 | MOCK_PARAMS_OPCODE;
    out[1] = 10;
    for (uint32_t i = 0; i < kernel->param_count; i++) {
        const rp_graph_param *param = &graph->params[kernel->first_param + i];
        out[2 + i] = (uint32_t)param->set << 16 | (uint32_t)param->binding << 8 | param->access;
    }
    return 2 + kernel->param_count;
}

/* An abstract kernel takes what its nodes push. */
static uint32_t push_bytes(const rp_graph *graph, uint32_t kernel) {
    uint32_t bytes = graph->kernels[kernel].push_bytes;
    for (uint32_t i = 0; i < graph->nodes_count; i++)
        if (graph->nodes[i].kernel == kernel && graph->nodes[i].byte_count > bytes)
            bytes = graph->nodes[i].byte_count;
    return bytes;
}

static int give_bodies(rp_graph *graph) {
    for (uint32_t i = 0; i < graph->kernels_count; i++) {
        rp_graph_kernel *kernel = &graph->kernels[i];
        const char *name = rp_graph_string(graph, kernel->name);
        uint32_t words[(sizeof body + sizeof exact + sizeof sized) / 4 + MOCK_PARAMS + 2];
        uint32_t count = BODY_END;
        if (strncmp(name, "abstract", 8) == 0) continue;
        memcpy(words, body, BODY_END * 4);
        memcpy(words + LOCAL_SIZE, kernel->local, sizeof kernel->local);
        if (strncmp(name, "late", 4) == 0) words[1] = 0x00010500;
        if (strncmp(name, "half", 4) == 0) words[6] = 9; /* OpCapability Float16 */
        if (strncmp(name, "exact", 5) == 0) {
            memcpy(words + count, exact, sizeof exact);
            count += sizeof exact / 4;
        }
        count += write_params(graph, kernel, words + count);
        memcpy(words + count, body + BODY_END, sizeof body - BODY_END * 4);
        count += (uint32_t)(sizeof body / 4) - BODY_END;
        words[count - 1] += i;
        if (strncmp(name, "sized", 5) == 0) {
            memmove(words + DECORATIONS + sizeof sized / 4, words + DECORATIONS,
                    (count - DECORATIONS) * 4);
            memcpy(words + DECORATIONS, sized, sizeof sized);
            count += sizeof sized / 4;
        }
        if (!RP_RESERVE(&graph->allocator, graph->words, graph->words_count, graph->words_capacity,
                        count))
            return 0;
        memcpy(graph->words + graph->words_count, words, count * 4);
        kernel->push_bytes = push_bytes(graph, i);
        kernel->first_word = graph->words_count;
        kernel->word_count = count;
        kernel->hash = rp_hash(words, count * 4);
        graph->words_count += count;
    }
    return 1;
}

static void report(rp_diags *diags) {
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        rp_diag diag = rp_diags_get(diags, i);
        char line[512];
        rp_diag_format(&diag, line, sizeof line);
        if (diag.severity == RP_ERROR) fprintf(stderr, "%s\n", line);
    }
}

rp_plan *mock_plan_of(rp_graph *graph) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = NULL;
    if (give_bodies(graph)) {
        const rp_certificate certificate = {.checker_version = RP_CHECKER_VERSION,
                                            .verdict = 2,
                                            .source_hash = rp_graph_hash(graph),
                                            .compiled_hash = rp_graph_hash(graph)};
        rp_plan_build(graph, graph, &certificate, diags, &plan);
    }
    if (!plan) report(diags);
    rp_diags_destroy(diags);
    return plan;
}

rp_plan *mock_plan(const char *text) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *graph = NULL;
    rp_plan *plan = NULL;
    if (rp_graph_parse(NULL, text, strlen(text), "plan", diags, &graph) == RP_OK)
        plan = mock_plan_of(graph);
    else
        report(diags);
    rp_graph_destroy(graph);
    rp_diags_destroy(diags);
    return plan;
}

static void *count_resize(void *user, void *block, size_t size) {
    mock_allocator *allocator = user;
    if (++allocator->calls == allocator->fail_at) return NULL;
    void *result = realloc(block, size);
    if (result && !block) allocator->alive++;
    return result;
}

static void count_release(void *user, void *block) {
    if (block) ((mock_allocator *)user)->alive--;
    free(block);
}

void mock_allocator_init(mock_allocator *allocator) {
    *allocator = (mock_allocator){.allocator = {count_resize, count_release, allocator}};
}
