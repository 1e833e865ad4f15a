/* PNG files, for images of one mip and one layer, and for arrays [height, width] and [height, width,
 * channels] of bytes, words of 16 bits or floats.
 *
 * The numbers of a file are those of the buffer: nothing is decoded from sRGB or encoded to it. An image
 * of an `_srgb` format holds encoded numbers, which the device decodes; its file says that it is sRGB.
 * Formats of 8 and 16 bits, unsigned integers and unorm, hold the file's integers. Floats are the
 * integers divided by the largest, and are written with 16 bits, clamped to 0 .. 1. Files of fewer or
 * more bits are scaled, of fewer channels extended (grey to three, alpha the largest); colours and
 * alpha for which there is no channel are refused.
 */
#ifndef CLI_PNG_FILE_H
#define CLI_PNG_FILE_H

#include <stdbool.h>
#include "output.h"
#include "reprise/plan.h"

/* Whether a path ends in ".png". */
bool cli_is_png(const char *path);
/* Whether a buffer can be a PNG file; false after a message that says what to do instead. */
bool cli_png_fits(const char *path, const rp_plan_buffer_info *buffer);
/* The packed texels of a file for a buffer, to be freed. Returns an exit status. */
int cli_png_read(const char *path, const rp_plan_buffer_info *buffer, void **out_texels);
/* Writes a file under its temporary name; NULL after a message. */
cli_output *cli_png_write(const char *path, const rp_plan_buffer_info *buffer, const void *texels);

#endif
