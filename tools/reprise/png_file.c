/* PNG by libpng, whose errors come back by longjmp: nothing that must be freed is a local of the frame
 * that it jumps over. */
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include "files.h"
#include "message.h"
#include "png_file.h"
#include "values.h"

/* What a buffer is as a picture: an image, or an array [height, width] or [height, width, channels]. */
typedef struct picture {
    uint32_t width, height, channels, bits;
    bool floats;    /* the file's integers divided by the largest */
    bool bgr;       /* the order of colours in the buffer */
    bool srgb;      /* the numbers are encoded */
    uint64_t count; /* elements */
} picture;

bool cli_is_png(const char *path) {
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, ".png") == 0;
}

/* What an image is in a file; or returns why there is no such file. */
static const char *picture_of_image(const rp_image_shape *s, picture *out) {
    rp_image_format_info format = rp_image_format_get((rp_image_format)s->format);
    const char *numpy = format.numpy ? format.numpy : "";
    out->floats = *numpy && (format.class_of == 'F' || format.class_of == 'D');
    if (s->mips > 1 || s->layers > 1 || s->dim != RP_IMAGE_2D)
        return "has mips, layers or another dimension than 2D";
    if (!out->floats && strcmp(numpy, "u1") != 0 && strcmp(numpy, "u2") != 0)
        return "is of a format that PNG does not have";
    out->width = s->width;
    out->height = s->height;
    out->channels = format.channels;
    out->bits = out->floats || strcmp(numpy, "u2") == 0 ? 16 : 8;
    out->bgr = s->format == RP_IMAGE_BGRA8 || s->format == RP_IMAGE_BGRA8_SRGB;
    out->srgb = format.class_of == 'R';
    return NULL;
}

static const char *picture_of_array(const rp_plan_buffer_info *b, picture *out) {
    uint64_t channels = b->rank == 3 ? b->shape[2] : 1;
    out->floats = b->dtype == RP_F32 || b->dtype == RP_F16 || b->dtype == RP_BF16;
    if (!out->floats && b->dtype != RP_U8 && b->dtype != RP_U16)
        return "is of a dtype that PNG does not have: expected u8, u16, or f32, f16 or bf16 from 0 "
               "to 1";
    if (b->rank < 2 || b->rank > 3 || channels < 1 || channels > 4)
        return "is no picture: expected [height, width], or [height, width, 1 to 4 channels]";
    if (b->shape[0] < 1 || b->shape[0] > INT32_MAX || b->shape[1] < 1 || b->shape[1] > INT32_MAX)
        return "has a height or a width that PNG does not have";
    out->height = (uint32_t)b->shape[0];
    out->width = (uint32_t)b->shape[1];
    out->channels = (uint32_t)channels;
    out->bits = b->dtype == RP_U8 ? 8 : 16;
    return NULL;
}

/* False after a message that says what to do instead. */
static bool picture_of(const char *path, const rp_plan_buffer_info *b, picture *out) {
    *out = (picture){0};
    const char *wrong = b->image.format != RP_IMAGE_NONE ? picture_of_image(&b->image, out)
                                                         : picture_of_array(b, out);
    if (!wrong) {
        out->count = b->bytes / rp_dtype_size(b->dtype);
        return true;
    }
    cli_error(path, "buffer '%s' %s; or use a .npy file", b->name, wrong);
    return false;
}

bool cli_png_fits(const char *path, const rp_plan_buffer_info *buffer) {
    picture p;
    return picture_of(path, buffer, &p);
}

/* ---- libpng ---------------------------------------------------------------------------------- */

typedef struct png_job {
    const char *path;
    const char *name; /* of the buffer */
    png_structp png;
    png_infop info;
    bool writes;
    cli_output *output;
    uint8_t *rows; /* packed, as the file has them */
    picture is;
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

static size_t row_bytes(const picture *p) {
    return (size_t)p->width * p->channels * (p->bits / 8);
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* Nothing of a file is dropped in passing; false after a message. */
static bool holds(const png_job *job, bool coloured, bool alpha) {
    const picture *p = &job->is;
    bool no_colour = coloured && p->channels < 3, no_alpha = alpha && p->channels % 2 == 1;
    if (!no_colour && !no_alpha) return true;
    cli_error(job->path, "has %s, and '%s' %u channel%s: save it%s%s",
              no_colour ? "colours" : "an alpha channel", job->name, p->channels,
              p->channels == 1 ? "" : "s", no_colour ? " as grey" : "",
              no_alpha ? " without alpha" : "");
    return false;
}

/* Asks libpng for as many channels and bits as the buffer has; false after a message. */
static bool ask(png_job *job) {
    png_structp png = job->png;
    const picture *p = &job->is;
    png_byte colour = png_get_color_type(png, job->info), bits = png_get_bit_depth(png, job->info);
    uint32_t width = png_get_image_width(png, job->info);
    uint32_t height = png_get_image_height(png, job->info);
    bool coloured = colour & PNG_COLOR_MASK_COLOR;
    bool alpha = (colour & PNG_COLOR_MASK_ALPHA) || png_get_valid(png, job->info, PNG_INFO_tRNS);
    if (width != p->width || height != p->height) {
        cli_error(job->path, "is %u wide and %u high; '%s' is %u wide and %u high", width, height,
                  job->name, p->width, p->height);
        return false;
    }
    if (!holds(job, coloured, alpha)) return false;
    png_set_expand(png); /* palettes, fewer than 8 bits, tRNS */
    if (p->bits == 8) png_set_scale_16(png);
    if (p->bits == 16) png_set_expand_16(png);
    if (bits == 16 || p->bits == 16) png_set_swap(png); /* to little endian */
    if (p->channels > 2 && !coloured) png_set_gray_to_rgb(png);
    if (p->channels % 2 == 0 && !alpha)
        png_set_add_alpha(png, p->bits == 16 ? 65535 : 255, PNG_FILLER_AFTER);
    if (p->bgr) png_set_bgr(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, job->info);
    return png_get_rowbytes(png, job->info) == row_bytes(p);
}

static bool read_rows(png_job *job, FILE *file) {
    const picture *p = &job->is;
    if (setjmp(png_jmpbuf(job->png))) return false;
    png_init_io(job->png, file);
    png_read_info(job->png, job->info);
    if (!ask(job)) return false;
    job->rows = cli_alloc(p->height, row_bytes(p));
    int passes = png_get_interlace_type(job->png, job->info) == PNG_INTERLACE_NONE ? 1 : 7;
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < p->height; y++)
            png_read_row(job->png, job->rows + y * row_bytes(p), NULL);
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
    png_job job = {.path = path, .name = b->name};
    *out_texels = NULL;
    cli_file_note(path);
    if (!picture_of(path, b, &job.is)) return CLI_INPUT;
    FILE *file = fopen(path, "rb");
    if (!file) {
        cli_error(path, "cannot be opened");
        return CLI_INPUT;
    }
    job.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    job.info = job.png ? png_create_info_struct(job.png) : NULL;
    bool good = job.info && read_rows(&job, file);
    fclose(file);
    if (good && job.is.floats) {
        *out_texels = to_floats(job.rows, b->dtype, job.is.count);
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

static bool write_rows(png_job *job, const uint8_t *rows) {
    static const int colours[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                  PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    const picture *p = &job->is;
    if (setjmp(png_jmpbuf(job->png))) return false;
    png_set_write_fn(job->png, job, on_bytes, on_flush);
    png_set_IHDR(job->png, job->info, p->width, p->height, (int)p->bits, colours[p->channels],
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (p->srgb) png_set_sRGB(job->png, job->info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_write_info(job->png, job->info);
    if (p->bits == 16) png_set_swap(job->png);
    if (p->bgr) png_set_bgr(job->png);
    for (uint32_t y = 0; y < p->height; y++) png_write_row(job->png, rows + y * row_bytes(p));
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
    png_job job = {.path = path, .name = b->name, .writes = true};
    if (!picture_of(path, b, &job.is)) return NULL;
    job.output = cli_output_begin(path);
    if (!job.output) return NULL;
    if (job.is.floats) job.rows = from_floats(texels, b->dtype, job.is.count);
    job.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    job.info = job.png ? png_create_info_struct(job.png) : NULL;
    bool good = job.info && write_rows(&job, job.is.floats ? job.rows : texels) &&
                cli_output_finish(job.output);
    cli_output *output = job.output;
    close_job(&job);
    if (good) return output;
    cli_output_abandon(output);
    return NULL;
}
