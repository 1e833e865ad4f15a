/* Internal: the GLSL that shaderc gets for a kernel: its author's files as they are, with what
 * whoever asks for the kernel puts in front and in place of it.
 *
 *   glsl.c          compiling, and shaderc's messages
 *   glsl_text.c     directives: the version, where a prelude goes, definitions that give way
 *   glsl_include.c  #include: folders, cycles, the prelude, files that want to be read once
 *   glsl_mend.c     what comes out that is not valid */
#ifndef RP_KERNEL_GLSL_H
#define RP_KERNEL_GLSL_H

#include "kernel/guard.h"
#include "kernel/spirv.h"

/* A #define in a file whose name the kernel's `defines` have: it gives way. */
typedef struct rp_glsl_own {
    char *file, *text; /* "TILE 16", its first line */
    uint32_t line, define;
    bool counts; /* it stands where the preprocessor looks */
} rp_glsl_own;

enum { RP_GLSL_WHY = 768 };

typedef struct rp_glsl_file rp_glsl_file;

typedef struct rp_glsl_id { /* of a file, whatever its path: rp_path_identity() */
    uint64_t number[2];
} rp_glsl_id;

typedef struct rp_glsl_source {
    const rp_kernel_where *where;
    const rp_kernel_params *params;
    const char *file;                /* the shader's name in messages */
    char *text;                      /* of the shader, as it is compiled */
    bool mark;                       /* leave a mark where a definition gives way */
    bool checked;                    /* what is wrong with the shader itself was said */
    bool no_memory;                  /* for an include */
    bool full;                       /* too much was included: that is said, */
    char why[RP_GLSL_WHY];           /* in these words */
    uint32_t file_count, byte_count; /* included */
    RP_ARRAY(rp_glsl_own, own);
    RP_ARRAY(rp_glsl_file *, open); /* being included, outermost first */
    RP_ARRAY(rp_glsl_id, once);     /* read, and not to be read again */
} rp_glsl_source;

/* RP_ERROR_INVALID after messages: for a version without compute shaders, and defines that are
 * none. What was made is to be freed whatever comes back. */
rp_status rp_glsl_source_make(const rp_kernel_where *where, const rp_kernel_params *params,
                              rp_glsl_source *out);
void rp_glsl_source_free(rp_glsl_source *source);
/* Makes ready to be read again from the start. */
rp_status rp_glsl_source_again(rp_glsl_source *source, bool mark);

/* A copy of the text of `file` in which definitions that give way are blank, or leave their marks;
 * NULL without memory. */
char *rp_glsl_give_way(rp_glsl_source *source, const char *file, const char *text);
/* Which of the definitions left their marks in what the preprocessor made. */
void rp_glsl_find_marks(rp_glsl_source *source, const char *text);
/* Blanks each `#pragma once`; returns whether there was one. */
bool rp_glsl_take_once(char *text);

/* Makes words that shaderc made valid where it is known to fail. */
rp_status rp_glsl_mend(const rp_allocator *a, uint32_t *words, uint32_t count);

/* What the shader includes behind its version and extensions, for a prelude. */
#define RP_GLSL_PRELUDE "reprise: the prelude"

/* shaderc's callbacks; `user` is the source. */
shaderc_include_result *rp_glsl_resolve(void *user, const char *requested, int type,
                                        const char *requesting, size_t depth);
void rp_glsl_release(void *user, shaderc_include_result *result);

#endif
