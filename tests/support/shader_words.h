/* SPIR-V from GLSL, or from its assembly, by shaderc and without the compiler's own front end: for tests of what
 * comes behind it. */
#ifndef RP_TESTS_SHADER_WORDS_H
#define RP_TESTS_SHADER_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* The words of a compute shader for Vulkan 1.2, to be freed. A failure is that of the test. */
uint32_t *rp_shader_words(const char *glsl, const char *name, uint32_t *count);

/* The words of assembly text, to be freed, with their version set (0x00010500 is SPIR-V 1.5); *size in bytes. A
 * failure is that of the test. */
uint32_t *rp_assemble(const char *text, uint32_t version, size_t *size);

#endif
