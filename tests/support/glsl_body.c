#include "support/glsl_body.h"

#include <stdlib.h>
#include "base/hash.h"
#include "support/shader_words.h"
#include "support/unit.h"

void rp_give_glsl(rp_graph *g, const char *name, const char *glsl) {
    uint32_t index = rp_graph_find_kernel(g, name);
    CU_ASSERT_NOT_EQUAL_FATAL(index, RP_NONE);
    uint32_t count, *words = rp_shader_words(glsl, name, &count);
    CU_ASSERT_FATAL(count > 0 &&
                    RP_RESERVE(&g->allocator, g->words, g->words_count, g->words_capacity, count));
    memcpy(g->words + g->words_count, words, count * sizeof *words);
    rp_graph_kernel *k = &g->kernels[index];
    k->first_word = g->words_count;
    k->word_count = count;
    k->hash = rp_hash(words, count * sizeof *words);
    for (uint32_t i = 0; i < g->nodes_count; i++)
        if (g->nodes[i].kind == RP_RUN && g->nodes[i].kernel == index)
            k->push_bytes = g->nodes[i].byte_count;
    g->words_count += count;
    free(words);
}
