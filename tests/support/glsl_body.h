/* GLSL as the body of a kernel that a graph's text has declared, compiled by shaderc without the
 * compiler's own front end: for tests of what comes behind it. */
#ifndef RP_TESTS_GLSL_BODY_H
#define RP_TESTS_GLSL_BODY_H

#include "graph/graph.h"

/* The kernel has to be there, and the code to compile: else the test ends. What its nodes push is what
 * it takes. */
void rp_give_glsl(rp_graph *graph, const char *kernel, const char *glsl);

#endif
