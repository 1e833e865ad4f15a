/* Internal: the state that calls are played against, shared by all that plays them. */
#ifndef RP_RECORDER_PLAYER_H
#define RP_RECORDER_PLAYER_H

#include "base/image.h"
#include "kernel/addresses.h"
#include "kernel/live_push.h"
#include "recorder/recorder.h"

typedef struct rp_slot { /* what is bound to one descriptor of the kernel */
    bool bound;
    uint8_t access; /* in the first slot of a binding: what dispatches do to all of it */
    uint8_t format; /* of a texel buffer */
    uint32_t buffer, sampler;
    uint64_t offset, size; /* of a buffer */
    rp_subresources part;  /* of an image, in place of them */
} rp_slot;

typedef struct rp_player rp_player;
struct rp_player {
    const rp_allocator *a;
    const rp_program *program;
    rp_graph *g;                     /* the program's buffers and strings */
    const rp_kernel_module *modules; /* of the program */
    const rp_sizes *recorded_sizes;  /* that operands were recorded at; NULL: those of the graph */
    uint32_t module_count;
    const rp_range *ranges; /* that calls refer to */
    const uint8_t *bytes;
    uint32_t recorder, call; /* numbers for messages, from 1 */
    bool failed, no_memory;

    /* Who plays: takes a node whose uses are those of the kernel's used bindings (node->kernel is
     * the program's; there is room for one more use) or of the transfer, and hears of the first
     * mistake. Push data that follows live values (`live`) is for those who say so. */
    bool takes_live_push;
    bool (*add_node)(rp_player *p, rp_graph_node *node, const rp_graph_use *uses,
                     const uint8_t *bytes);
    void (*mistake)(rp_player *p, rp_call_kind kind, const char *text);
    void *user;

    const rp_kernel_module *module; /* of the bound kernel, NULL = none */
    uint32_t kernel;
    RP_ARRAY(rp_slot, slots);     /* as the module's bindings, of an array one for each element */
    RP_ARRAY(rp_graph_use, uses); /* scratch */
    uint8_t push[RP_MAX_PUSH_BYTES];
    uint64_t pushed;                 /* bit i: bytes 4i to 4i + 3 are set */
    rp_live_push live;               /* which of them follow live values */
    rp_push_addresses addresses;     /* and which are addresses */
    RP_ARRAY(rp_graph_use, reached); /* through addresses */
    rp_text path;                    /* of labels, "a/b" */
    RP_ARRAY(uint32_t, label_ends);  /* length of `path` before each open label */
    uint32_t label, op;              /* strings of the graph, RP_NONE */
    uint32_t optional;               /* open rp_optional_begin */
};

/* A player without calls, and its end. What `a`, `program` and `g` stand for outlives it. */
void rp_player_init(rp_player *p, const rp_allocator *a, const rp_program *program, rp_graph *g);
void rp_player_free(rp_player *p);
/* Back to the state that a recorder begins with. */
void rp_player_restart(rp_player *p);
/* Plays one call; false after a mistake and without memory. */
bool rp_play_call(rp_player *p, const rp_call *c);

/* Reports the first mistake; returns false. */
bool rp_play_mistake(rp_player *p, rp_call_kind kind, const char *format, ...) RP_PRINTF(3, 4);
bool rp_play_no_memory(rp_player *p);
/* The bytes a range stands for. `implied` is the size that 0 stands for, 0 = to the buffer's end.
 */
bool rp_play_range(rp_player *p, const rp_call *c, const rp_range *range, uint64_t implied,
                   rp_graph_use *out);
/* The slots of binding c->y, c->z of the bound kernel, element by element; NULL after a mistake. */
rp_slot *rp_play_slots(rp_player *p, const rp_call *c, const rp_kernel_binding **out_binding);
/* Hands a node over, with the labels of the moment. */
bool rp_play_node(rp_player *p, rp_graph_node *node, const rp_graph_use *uses,
                  const uint8_t *bytes);
/* An op or a composite: apply.c. */
bool rp_play_apply(rp_player *p, const rp_call *c);
/* An operand: the bytes of its range, and the tensor that they are seen as; `tensor` comes with the dtype
 * and the shape that the application gave. */
bool rp_play_seen(rp_player *p, const char *name, const rp_range *range, rp_graph_use *use,
                  rp_tensor *tensor);
/* What is wrong with a call of rp_apply before anything is looked up: static text, or NULL. */
const char *rp_apply_wrong(const char *op, const rp_operand *operands, uint32_t operand_count,
                           const rp_attribute *attributes, uint32_t attribute_count);

/* ---- images.c -------------------------------------------------------------------------------- */

static inline uint32_t rp_binding_elements(const rp_kernel_binding *b) {
    return b->elements ? b->elements : 1;
}

/* Calls that bind. */
bool rp_play_bind_element(rp_player *p, const rp_call *c);
bool rp_play_bind_image(rp_player *p, const rp_call *c);
bool rp_play_bind_sampler(rp_player *p, const rp_call *c);
/* Appends the uses and samplers of a run node: of all bindings that the kernel uses. */
bool rp_play_bound(rp_player *p, rp_call_kind kind, rp_graph_node *node);
/* Copies, blits and clears of images. */
bool rp_play_image_transfer(rp_player *p, const rp_call *c);

#endif
