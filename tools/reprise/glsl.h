/* The kernels that are generated from op nodes, as GLSL. */
#ifndef CLI_GLSL_H
#define CLI_GLSL_H

#include <stdbool.h>
#include "reprise/compiler.h"

/* All of a graph's, one after the other with a line before each: *out is allocated. Prints what is
 * wrong; returns an exit status. `file` is what the graph is from. */
int cli_glsl_all(const char *file, const rp_graph *graph, char **out, size_t *out_size);

/* A file for each: PREFIX-n6.glsl. Returns an exit status. */
int cli_glsl_files(const char *prefix, const rp_graph *graph, bool fast);

#endif
