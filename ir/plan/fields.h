/* Internal: the fields of every record in a plan, as data: for messages that name one, and for the
 * test that changes each of them.
 *
 * A list says F(record, field, elements) for each field in order, the elements of an array being 1
 * for a plain one, and N(type) for sections of plain numbers. fields.c holds the lists against the
 * records at compile time: every byte of a record belongs to exactly one field of its list.
 */
#ifndef RP_PLAN_FIELDS_H
#define RP_PLAN_FIELDS_H

#include "plan/format.h"

#define RP_FIELDS_char(F, N) N(char)
#define RP_FIELDS_uint8_t(F, N) N(uint8_t)
#define RP_FIELDS_uint32_t(F, N) N(uint32_t)
#define RP_FIELDS_uint64_t(F, N) N(uint64_t)

#define RP_FIELDS_rp_plan_header(F, N)                                                             \
    F(rp_plan_header, magic, 16)                                                                   \
    F(rp_plan_header, version, 1)                                                                  \
    F(rp_plan_header, section_count, 1)                                                            \
    F(rp_plan_header, file_size, 1)                                                                \
    F(rp_plan_header, content_hash, 1)                                                             \
    F(rp_plan_header, needs, 1)                                                                    \
    F(rp_plan_header, reserved, 16)

#define RP_FIELDS_rp_plan_section(F, N)                                                            \
    F(rp_plan_section, code, 1)                                                                    \
    F(rp_plan_section, stride, 1)                                                                  \
    F(rp_plan_section, offset, 1)                                                                  \
    F(rp_plan_section, count, 1)

#define RP_FIELDS_rp_plan_graph(F, N)                                                              \
    F(rp_plan_graph, name, 1)                                                                      \
    F(rp_plan_graph, barrier_count, 1)                                                             \
    F(rp_plan_graph, barrier_bound, 1)                                                             \
    F(rp_plan_graph, dispatch_count, 1)                                                            \
    F(rp_plan_graph, arena_bytes, 1)                                                               \
    F(rp_plan_graph, arena_bound_bytes, 1)

#define RP_FIELDS_rp_plan_buffer(F, N)                                                             \
    F(rp_plan_buffer, name, 1)                                                                     \
    F(rp_plan_buffer, kind, 1)                                                                     \
    F(rp_plan_buffer, dtype, 1)                                                                    \
    F(rp_plan_buffer, rank, 1)                                                                     \
    F(rp_plan_buffer, format, 1)                                                                   \
    F(rp_plan_buffer, first_dim, 1)                                                                \
    F(rp_plan_buffer, max_value, 1)                                                                \
    F(rp_plan_buffer, size, 1)                                                                     \
    F(rp_plan_buffer, offset, 1)                                                                   \
    F(rp_plan_buffer, first_default, 1)                                                            \
    F(rp_plan_buffer, first_follow, 1)                                                             \
    F(rp_plan_buffer, follow_count, 1)                                                             \
    F(rp_plan_buffer, dim, 1)                                                                      \
    F(rp_plan_buffer, tagged, 1)                                                                   \
    F(rp_plan_buffer, mips, 1)                                                                     \
    F(rp_plan_buffer, width, 1)                                                                    \
    F(rp_plan_buffer, height, 1)                                                                   \
    F(rp_plan_buffer, depth, 1)                                                                    \
    F(rp_plan_buffer, layers, 1)

#define RP_FIELDS_rp_plan_sampler(F, N)                                                            \
    F(rp_plan_sampler, name, 1)                                                                    \
    F(rp_plan_sampler, mag, 1)                                                                     \
    F(rp_plan_sampler, min, 1)                                                                     \
    F(rp_plan_sampler, mip, 1)                                                                     \
    F(rp_plan_sampler, u, 1)                                                                       \
    F(rp_plan_sampler, v, 1)                                                                       \
    F(rp_plan_sampler, w, 1)                                                                       \
    F(rp_plan_sampler, compare, 1)                                                                 \
    F(rp_plan_sampler, border, 1)                                                                  \
    F(rp_plan_sampler, unnormalised, 1)                                                            \
    F(rp_plan_sampler, reserved, 3)                                                                \
    F(rp_plan_sampler, anisotropy, 1)                                                              \
    F(rp_plan_sampler, bias, 1)                                                                    \
    F(rp_plan_sampler, min_level, 1)                                                               \
    F(rp_plan_sampler, max_level, 1)

#define RP_FIELDS_rp_plan_follow(F, N)                                                             \
    F(rp_plan_follow, buffer, 1)                                                                   \
    F(rp_plan_follow, from, 1)                                                                     \
    F(rp_plan_follow, to, 1)                                                                       \
    F(rp_plan_follow, size, 1)

#define RP_FIELDS_rp_plan_kernel(F, N)                                                             \
    F(rp_plan_kernel, name, 1)                                                                     \
    F(rp_plan_kernel, entry, 1)                                                                    \
    F(rp_plan_kernel, hash, 1)                                                                     \
    F(rp_plan_kernel, first_word, 1)                                                               \
    F(rp_plan_kernel, word_count, 1)                                                               \
    F(rp_plan_kernel, local, 3)                                                                    \
    F(rp_plan_kernel, shared_bytes, 1)                                                             \
    F(rp_plan_kernel, push_bytes, 1)                                                               \
    F(rp_plan_kernel, first_param, 1)                                                              \
    F(rp_plan_kernel, param_count, 1)                                                              \
    F(rp_plan_kernel, first_spec, 1)                                                               \
    F(rp_plan_kernel, spec_count, 1)                                                               \
    F(rp_plan_kernel, reserved, 1)

#define RP_FIELDS_rp_plan_param(F, N)                                                              \
    F(rp_plan_param, access, 1)                                                                    \
    F(rp_plan_param, set, 1)                                                                       \
    F(rp_plan_param, binding, 1)                                                                   \
    F(rp_plan_param, skip, 1)                                                                      \
    F(rp_plan_param, resource, 1)                                                                  \
    F(rp_plan_param, view, 1)                                                                      \
    F(rp_plan_param, format, 1)                                                                    \
    F(rp_plan_param, texel, 1)                                                                     \
    F(rp_plan_param, elements, 1)

#define RP_FIELDS_rp_plan_spec(F, N)                                                               \
    F(rp_plan_spec, id, 1)                                                                         \
    F(rp_plan_spec, bytes, 1)                                                                      \
    F(rp_plan_spec, value, 1)

#define RP_FIELDS_rp_plan_node(F, N)                                                               \
    F(rp_plan_node, id, 1)                                                                         \
    F(rp_plan_node, kind, 1)                                                                       \
    F(rp_plan_node, grid_kind, 1)                                                                  \
    F(rp_plan_node, live_mask, 1)                                                                  \
    F(rp_plan_node, flags, 1)                                                                      \
    F(rp_plan_node, kernel, 1)                                                                     \
    F(rp_plan_node, grid, 3)                                                                       \
    F(rp_plan_node, first_use, 1)                                                                  \
    F(rp_plan_node, use_count, 1)                                                                  \
    F(rp_plan_node, first_sampler, 1)                                                              \
    F(rp_plan_node, sampler_count, 1)                                                              \
    F(rp_plan_node, first_byte, 1)                                                                 \
    F(rp_plan_node, byte_count, 1)                                                                 \
    F(rp_plan_node, pattern, 1)                                                                    \
    F(rp_plan_node, label, 1)                                                                      \
    F(rp_plan_node, op, 1)                                                                         \
    F(rp_plan_node, group, 1)                                                                      \
    F(rp_plan_node, first_label, 1)                                                                \
    F(rp_plan_node, label_count, 1)

#define RP_FIELDS_rp_plan_use(F, N)                                                                \
    F(rp_plan_use, buffer, 1)                                                                      \
    F(rp_plan_use, access, 1)                                                                      \
    F(rp_plan_use, indirect, 1)                                                                    \
    F(rp_plan_use, step, 1)                                                                        \
    F(rp_plan_use, format, 1)                                                                      \
    F(rp_plan_use, offset, 1)                                                                      \
    F(rp_plan_use, size, 1)

#define RP_FIELDS_rp_plan_address(F, N)                                                            \
    F(rp_plan_address, node, 1)                                                                    \
    F(rp_plan_address, at, 1)                                                                      \
    F(rp_plan_address, use, 1)                                                                     \
    F(rp_plan_address, reserved, 1)                                                                \
    F(rp_plan_address, offset, 1)

#define RP_FIELDS_rp_plan_form_place(F, N)                                                         \
    F(rp_plan_form_place, offset, 1)                                                               \
    F(rp_plan_form_place, size, 1)

#define RP_FIELDS_rp_plan_group(F, N)                                                              \
    F(rp_plan_group, first_node, 1)                                                                \
    F(rp_plan_group, node_count, 1)

#define RP_FIELDS_rp_plan_barrier(F, N)                                                            \
    F(rp_plan_barrier, src, 1)                                                                     \
    F(rp_plan_barrier, dst, 1)

#define RP_FIELDS_rp_plan_expr(F, N)                                                               \
    F(rp_plan_expr, first_op, 1)                                                                   \
    F(rp_plan_expr, op_count, 1)

#define RP_FIELDS_rp_expr_op(F, N)                                                                 \
    F(rp_expr_op, code, 1)                                                                         \
    F(rp_expr_op, element, 1)                                                                      \
    F(rp_expr_op, buffer, 1)                                                                       \
    F(rp_expr_op, value, 1)

#define RP_FIELDS_rp_certificate(F, N)                                                             \
    F(rp_certificate, checker_version, 1)                                                          \
    F(rp_certificate, verdict, 1)                                                                  \
    F(rp_certificate, source_hash, 1)                                                              \
    F(rp_certificate, compiled_hash, 1)                                                            \
    F(rp_certificate, reads_proven, 1)                                                             \
    F(rp_certificate, conflicts_proven, 1)

typedef struct rp_plan_field {
    const char *name;          /* "" for a plain number */
    uint32_t offset, elements; /* bytes into the record; 1 unless it is an array */
    uint32_t size;             /* bytes of one element: 1, 2, 4 or 8 */
} rp_plan_field;

typedef struct rp_plan_layout {
    const char *name; /* of the section: "nodes"; "header" and "table" for what is none */
    uint32_t stride;  /* bytes of a record */
    const rp_plan_field *fields;
    uint32_t field_count;
} rp_plan_layout;

/* Of the records of a section, of the header, and of the entries in the table of sections. */
extern const rp_plan_layout rp_plan_layouts[RP_SECTION_COUNT];
extern const rp_plan_layout rp_plan_header_layout, rp_plan_table_layout;
/* Of the table of a file of forms. */
extern const rp_plan_layout rp_plan_forms_layout;

#endif
