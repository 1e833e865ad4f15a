/* PNG by libpng, whose errors come back by longjmp: nothing that must be freed is a local of the frame
 * that it jumps over. */
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include "files.h"
#include "message.h"
#include "png_file.h"
#include "values.h"

static bool is_float(const rp_image_format_info *format) {
    return format->class_of == 'F' || format->class_of == 'D';
}

bool cli_is_png(const char *path) {
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, ".png") == 0;
}

bool cli_png_fits(const char *path, const rp_plan_buffer_info *b) {
    const rp_image_shape *s = &b->image;
    rp_image_format_info format = rp_image_format_get((rp_image_format)s->format);
    const char *wrong = NULL;
    bool bits = strcmp(format.numpy ? format.numpy : "", "u1") == 0 ||
                strcmp(format.numpy ? format.numpy : "", "u2") == 0 || is_float(&format);
    if (s->format == RP_IMAGE_NONE)
        wrong = "is no image";
    else if (s->mips > 1 || s->layers > 1 || s->dim != RP_IMAGE_2D)
        wrong = "has mips, layers or another dimension than 2D";
    else if (!bits || !*format.numpy)
        wrong = "is of a format that PNG does not have";
    if (!wrong) return true;
    cli_error(path, "buffer '%s' %s: use a .npy file", b->name, wrong);
    return false;
}

/* ---- libpng ---------------------------------------------------------------------------------- */

typedef struct png_job {
    const char *path;
    png_structp png;
    png_infop info;
    bool writes;
    cli_output *output;
    uint8_t *rows; /* packed, as the file has them */
    uint32_t channels, bits;
} png_job;

static void on_error(png_structp png, png_const_charp message) {
    const png_job *job = png_get_error_ptr(png);
    cli_error(job->path, "%s: %s", job->writes ? "cannot be written" : "is no PNG that can be read",
              message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png, (void)message; /* of chunks that are not looked at */
}

static void close_job(png_job *job) {
    if (job->writes)
        png_destroy_write_struct(&job->png, &job->info);
    else
        png_destroy_read_struct(&job->png, &job->info, NULL);
    free(job->rows);
}

static size_t row_bytes(const png_job *job, const rp_image_shape *s) {
    return (size_t)s->width * job->channels * (job->bits / 8);
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* Asks libpng for as many channels and bits as the image has; false after a message. */
static bool ask(png_job *job, const rp_plan_buffer_info *b) {
    png_structp png = job->png;
    png_byte colour = png_get_color_type(png, job->info), bits = png_get_bit_depth(png, job->info);
    uint32_t width = png_get_image_width(png, job->info);
    uint32_t height = png_get_image_height(png, job->info);
    bool coloured = colour & PNG_COLOR_MASK_COLOR;
    bool alpha = (colour & PNG_COLOR_MASK_ALPHA) || png_get_valid(png, job->info, PNG_INFO_tRNS);
    if (width != b->image.width || height != b->image.height) {
        cli_error(job->path, "is %u x %u; image '%s' is %u x %u", width, height, b->name,
                  b->image.width, b->image.height);
        return false;
    }
    if (job->channels < 3 && (coloured || (alpha && job->channels == 1))) {
        cli_error(job->path, "has %s, and image '%s' %u channel%s: save it as grey%s",
                  coloured ? "colours" : "an alpha channel", b->name, job->channels,
                  job->channels == 1 ? "" : "s", coloured ? "" : " without alpha");
        return false;
    }
    png_set_expand(png); /* palettes, fewer than 8 bits, tRNS */
    if (job->bits == 8) png_set_scale_16(png);
    if (job->bits == 16) png_set_expand_16(png);
    if (bits == 16 || job->bits == 16) png_set_swap(png); /* to little endian */
    if (job->channels == 4 && !coloured) png_set_gray_to_rgb(png);
    if (job->channels % 2 == 0 && !alpha)
        png_set_add_alpha(png, job->bits == 16 ? 65535 : 255, PNG_FILLER_AFTER);
    if (b->image.format == RP_IMAGE_BGRA8 || b->image.format == RP_IMAGE_BGRA8_SRGB)
        png_set_bgr(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, job->info);
    return png_get_rowbytes(png, job->info) == row_bytes(job, &b->image);
}

static bool read_rows(png_job *job, FILE *file, const rp_plan_buffer_info *b) {
    const rp_image_shape *s = &b->image;
    if (setjmp(png_jmpbuf(job->png))) return false;
    png_init_io(job->png, file);
    png_read_info(job->png, job->info);
    if (!ask(job, b)) return false;
    job->rows = cli_alloc(s->height, row_bytes(job, s));
    int passes = png_get_interlace_type(job->png, job->info) == PNG_INTERLACE_NONE ? 1 : 7;
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < s->height; y++)
            png_read_row(job->png, job->rows + y * row_bytes(job, s), NULL);
    png_read_end(job->png, NULL);
    return true;
}

/* Integers of 16 bits as floats from 0 to 1. */
static void *to_floats(const uint8_t *rows, rp_dtype dtype, uint64_t count) {
    size_t width = rp_dtype_size(dtype);
    uint8_t *out = cli_alloc((size_t)count, width);
    for (uint64_t i = 0; i < count; i++) {
        uint16_t number;
        char text[32];
        memcpy(&number, rows + 2 * i, sizeof number);
        snprintf(text, sizeof text, "%.9g", number / 65535.0);
        (void)cli_parse_element(dtype, text, strlen(text), out + i * width);
    }
    return out;
}

int cli_png_read(const char *path, const rp_plan_buffer_info *b, void **out_texels) {
    rp_image_format_info format = rp_image_format_get((rp_image_format)b->image.format);
    *out_texels = NULL;
    cli_file_note(path);
    if (!cli_png_fits(path, b)) return CLI_INPUT;
    FILE *file = fopen(path, "rb");
    if (!file) {
        cli_error(path, "cannot be opened");
        return CLI_INPUT;
    }
    bool floats = is_float(&format);
    png_job job = {.path = path,
                   .channels = format.channels,
                   .bits = floats || strcmp(format.numpy, "u2") == 0 ? 16 : 8};
    job.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    job.info = job.png ? png_create_info_struct(job.png) : NULL;
    bool good = job.info && read_rows(&job, file, b);
    fclose(file);
    uint64_t count = b->bytes / rp_dtype_size(b->dtype);
    if (good && floats) {
        *out_texels = to_floats(job.rows, b->dtype, count);
    } else if (good) {
        *out_texels = job.rows;
        job.rows = NULL;
    }
    close_job(&job);
    return good ? CLI_OK : CLI_INPUT;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void on_bytes(png_structp png, png_bytep data, png_size_t size) {
    const png_job *job = png_get_io_ptr(png);
    if (!cli_output_write(job->output, data, size)) png_longjmp(png, 1); /* it has said why */
}

static void on_flush(png_structp png) {
    (void)png;
}

static bool write_rows(png_job *job, const rp_image_shape *s, const uint8_t *rows, bool srgb) {
    static const int colours[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, 0,
                                  PNG_COLOR_TYPE_RGB_ALPHA};
    if (setjmp(png_jmpbuf(job->png))) return false;
    png_set_write_fn(job->png, job, on_bytes, on_flush);
    png_set_IHDR(job->png, job->info, s->width, s->height, (int)job->bits, colours[job->channels],
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (srgb) png_set_sRGB(job->png, job->info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_write_info(job->png, job->info);
    if (job->bits == 16) png_set_swap(job->png);
    if (s->format == RP_IMAGE_BGRA8 || s->format == RP_IMAGE_BGRA8_SRGB) png_set_bgr(job->png);
    for (uint32_t y = 0; y < s->height; y++) png_write_row(job->png, rows + y * row_bytes(job, s));
    png_write_end(job->png, NULL);
    return true;
}

static uint8_t *from_floats(const void *texels, rp_dtype dtype, uint64_t count) {
    uint8_t *out = cli_alloc((size_t)count, sizeof(uint16_t));
    for (uint64_t i = 0; i < count; i++) {
        double value = cli_element(dtype, texels, i);
        uint16_t number = value >= 1 ? 65535 : value > 0 ? (uint16_t)(value * 65535 + 0.5) : 0;
        memcpy(out + 2 * i, &number, sizeof number); /* NaN is 0 */
    }
    return out;
}

cli_output *cli_png_write(const char *path, const rp_plan_buffer_info *b, const void *texels) {
    rp_image_format_info format = rp_image_format_get((rp_image_format)b->image.format);
    if (!cli_png_fits(path, b)) return NULL;
    bool floats = is_float(&format);
    png_job job = {.path = path,
                   .writes = true,
                   .channels = format.channels,
                   .bits = floats || strcmp(format.numpy, "u2") == 0 ? 16 : 8};
    job.output = cli_output_begin(path);
    if (!job.output) return NULL;
    if (floats) job.rows = from_floats(texels, b->dtype, b->bytes / rp_dtype_size(b->dtype));
    job.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    job.info = job.png ? png_create_info_struct(job.png) : NULL;
    bool good = job.info &&
                write_rows(&job, &b->image, floats ? job.rows : texels, format.class_of == 'R') &&
                cli_output_finish(job.output);
    cli_output *output = job.output;
    close_job(&job);
    if (good) return output;
    cli_output_abandon(output);
    return NULL;
}
