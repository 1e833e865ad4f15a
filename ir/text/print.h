/* Internal: the text form, and the pieces of it that the views show as well. */
#ifndef RP_TEXT_PRINT_H
#define RP_TEXT_PRINT_H

#include "base/text.h"
#include "graph/graph.h"

/* RP_FORMAT_TEXT: .rpir, which rp_graph_parse reads. `stats` are the graph's, NULL: it finds them
 * itself. */
rp_status rp_graph_print_text(const rp_graph *graph, const rp_graph_stats *stats, rp_text *text);

/* "image 2d rgba8[512,512] layers 6 mips 3" */
void rp_print_image(rp_text *text, const rp_image_shape *shape);
/* "(mag=nearest, u=repeat)": the fields that are not the default. */
void rp_print_sampler(rp_text *text, const rp_sampler_info *info);
/* " image 2d rgba8", " x 4": what a parameter is; nothing for a single buffer. */
void rp_print_resource(rp_text *text, const rp_graph_param *param);

/* "$name" or "%name", with "[0+64]" unless it is the whole buffer, of an image "[mip 0+1 layer 2+1]". */
void rp_print_range(rp_text *text, const rp_graph *graph, const rp_graph_use *use);

/* " follows $gain[0+4] at 8, ..."; nothing for a buffer that follows nothing. */
void rp_print_follows(rp_text *text, const rp_graph *graph, const rp_graph_buffer *buffer);

/* "rms_norm {eps=1e-06} (r $x:f32[1,2048], r $g:f32[2048], w %n:f32[1,2048])" */
void rp_print_member(rp_text *text, const rp_graph *graph, const rp_graph_node *node,
                     const rp_graph_member *member);

/* "    ; by tiles: 96 tiles of 64 x 64": the variant that computes a member, where there are several
 * or there is something to say of it; nothing for others. */
void rp_print_choice(rp_text *text, const rp_graph *graph, const rp_graph_member *member);

/* What a use of an op is in one word: "rms_norm" for a single member, "fused" for several. */
const char *rp_members_name(const rp_graph *graph, const rp_graph_node *node);

#endif
