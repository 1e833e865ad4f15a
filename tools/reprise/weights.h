/* Arrays from .safetensors and .npy files. */
#ifndef CLI_WEIGHTS_H
#define CLI_WEIGHTS_H

#include <stdbool.h>
#include "reprise/plan.h"
#include "reprise/weights.h"

/* Every .safetensors file is opened once, however many arrays are taken from it, and what is wrong
 * with a file is said once, however many would be. */
typedef struct cli_weights {
    rp_weights **files; /* NULL: could not be opened */
    char **paths;
    uint32_t count;
} cli_weights;

/* "model.safetensors" and "model.safetensors:layer.0.weight": where the path ends; 0 for a file of
 * another kind. */
size_t cli_weights_path(const char *text);

/* Opens a file, unless it is open. Prints what is wrong; returns an exit status. Neither is called
 * for one that was refused. */
int cli_weights_open(cli_weights *weights, const char *path, size_t length, uint32_t *out_file);
/* Opens a .npy file; of a pipe no more is read than an array of `most` bytes may have. */
int cli_weights_open_npy(cli_weights *weights, const char *path, uint64_t most, uint32_t *out_file);
/* Whether one of the two has failed for this file, and has said so. */
bool cli_weights_refused(const cli_weights *weights, const char *path, size_t length);
void cli_weights_close(cli_weights *weights);

/* The array for a buffer: its dtype and shape must be the buffer's; raw buffers take any of the
 * right size, block-quantised ones the bytes of their blocks as U8. It may have to be converted. */
int cli_weights_take(const cli_weights *weights, uint32_t file, const char *tensor,
                     const rp_plan_buffer_info *buffer, rp_weight *out);
/* The same for the one array of a .npy file. */
int cli_weights_take_npy(const cli_weights *weights, uint32_t file,
                         const rp_plan_buffer_info *buffer, rp_weight *out);
/* Whether a file has an array of this name. */
bool cli_weights_has(const cli_weights *weights, uint32_t file, const char *tensor);

#endif
