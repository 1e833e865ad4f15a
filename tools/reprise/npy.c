/* Reads and writes NumPy .npy files.
 *
 * A file is a magic, a version, the length of a header, the header (a Python dict literal with the
 * keys descr, fortran_order and shape) and the elements. The header is parsed by a reader for
 * exactly that grammar: files come from strangers, so lengths are bounded, sizes are checked for
 * overflow, and the file must end where its shape says. The elements are mapped, not copied.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "files.h"
#include "message.h"
#include "npy.h"

enum { MAX_HEADER = 1 << 16 };

/* ---- The file's bytes ------------------------------------------------------------------------ */

/* A pipe has no size to map: it is read until it ends. */
static int map_file(const char *path, uint64_t most, cli_npy *npy) {
    struct stat info;
    int descriptor = cli_file_open(path, "a NumPy .npy file", &info);
    if (descriptor < 0) return CLI_INPUT;
    if (S_ISREG(info.st_mode) && info.st_size > 0) {
        void *block = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        npy->mapped = block != MAP_FAILED;
        npy->block = npy->mapped ? block : NULL;
        npy->block_size = npy->mapped ? (size_t)info.st_size : 0;
        if (!npy->block) cli_error(path, "cannot be mapped: %s", strerror(errno));
    } else {
        npy->block = cli_file_read(descriptor, path, most, &npy->block_size);
    }
    close(descriptor);
    return npy->block ? CLI_OK : CLI_INPUT;
}

/* ---- The header, a Python dict --------------------------------------------------------------- */

typedef struct header_reader {
    const char *at, *end;
    const char *problem; /* the first one; NULL while all is well */
} header_reader;

static void skip_space(header_reader *r) {
    while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at) r->at++;
}

static bool take(header_reader *r, char c) {
    skip_space(r);
    if (r->at >= r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static void problem(header_reader *r, const char *text) {
    if (!r->problem) r->problem = text;
}

static void read_string(header_reader *r, char *text, size_t size) {
    text[0] = '\0';
    skip_space(r);
    char quote = r->at < r->end ? *r->at : '\0';
    if (quote != '\'' && quote != '"') {
        problem(r, "a quoted string was expected");
        return;
    }
    size_t length = 0;
    for (r->at++; r->at < r->end && *r->at != quote; r->at++) {
        if (*r->at == '\\' || *r->at < ' ' || length + 1 >= size) {
            problem(r, "a string is too long or has escapes");
            return;
        }
        text[length++] = *r->at;
        text[length] = '\0';
    }
    if (!take(r, quote)) problem(r, "a string does not end");
}

static bool read_bool(header_reader *r) {
    skip_space(r);
    size_t left = (size_t)(r->end - r->at);
    bool yes = left >= 4 && !memcmp(r->at, "True", 4);
    bool no = left >= 5 && !memcmp(r->at, "False", 5);
    if (!yes && !no) problem(r, "'fortran_order' must be True or False");
    r->at += yes ? 4 : no ? 5 : 0;
    return yes;
}

static uint64_t read_extent(header_reader *r) {
    uint64_t value = 0;
    bool any = false;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++, any = true) {
        uint64_t digit = (uint64_t)(*r->at - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            problem(r, "an extent of 'shape' is too large");
            return 0;
        }
        value = value * 10 + digit;
    }
    if (!any) problem(r, "'shape' must be a tuple of whole numbers");
    take(r, 'L'); /* Python 2 wrote long integers so */
    return value;
}

static void read_shape(header_reader *r, cli_npy *npy) {
    if (!take(r, '(')) problem(r, "'shape' must be a tuple");
    bool comma = true;
    while (!r->problem && !take(r, ')')) {
        if (!comma) problem(r, "'shape' lacks a comma");
        if (npy->rank == CLI_NPY_MAX_RANK) problem(r, "'shape' has more than 32 dimensions");
        if (r->problem) return;
        npy->shape[npy->rank++] = read_extent(r);
        comma = take(r, ',');
    }
}

enum { KEY_DESCR = 1, KEY_ORDER = 2, KEY_SHAPE = 4 };

static const char *read_header(const char *text, size_t size, cli_npy *npy, bool *fortran) {
    header_reader r = {.at = text, .end = text + size};
    unsigned seen = 0;
    if (!take(&r, '{')) problem(&r, "it does not begin with '{'");
    while (!r.problem && !take(&r, '}')) {
        char key[16];
        read_string(&r, key, sizeof key);
        if (!take(&r, ':')) problem(&r, "a ':' was expected");
        unsigned bit = !strcmp(key, "descr")           ? KEY_DESCR
                       : !strcmp(key, "fortran_order") ? KEY_ORDER
                       : !strcmp(key, "shape")         ? KEY_SHAPE
                                                       : 0;
        if (!bit) problem(&r, "it has a key other than descr, fortran_order and shape");
        if (seen & bit) problem(&r, "a key stands twice");
        seen |= bit;
        if (r.problem) break;
        skip_space(&r);
        if (bit == KEY_DESCR && r.at < r.end && *r.at == '[')
            problem(&r, "structured arrays are not supported; save one field");
        else if (bit == KEY_DESCR)
            read_string(&r, npy->descr, sizeof npy->descr);
        else if (bit == KEY_ORDER)
            *fortran = read_bool(&r);
        else
            read_shape(&r, npy);
        if (!take(&r, ',') && (skip_space(&r), r.at >= r.end || *r.at != '}'))
            problem(&r, "a ',' or '}' was expected");
    }
    if (!r.problem && seen != (KEY_DESCR | KEY_ORDER | KEY_SHAPE))
        problem(&r, "one of descr, fortran_order and shape is missing");
    skip_space(&r);
    if (!r.problem && r.at != r.end) problem(&r, "something follows the '}'");
    return r.problem;
}

/* ---- Checking -------------------------------------------------------------------------------- */

/* Finds the header in the block. Returns a problem or NULL. */
static const char *find_header(const cli_npy *npy, const char **text, size_t *size) {
    const unsigned char *bytes = npy->block;
    if (npy->block_size < 10 || memcmp(bytes, "\x93NUMPY", 6))
        return "not a NumPy .npy file (its magic is missing)";
    if (bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0)
        return "a .npy format version other than 1.0, 2.0 and 3.0";
    size_t start = bytes[6] == 1 ? 10 : 12;
    if (npy->block_size < start) return "truncated inside its header";
    uint64_t length = bytes[8] | (uint64_t)bytes[9] << 8;
    if (start == 12) length |= (uint64_t)bytes[10] << 16 | (uint64_t)bytes[11] << 24;
    if (length > MAX_HEADER) return "its header is longer than 65536 bytes";
    if (length > npy->block_size - start) return "truncated inside its header";
    *text = (const char *)bytes + start;
    *size = (size_t)length;
    return NULL;
}

static int check_type(const char *path, cli_npy *npy) {
    const char *d = npy->descr;
    unsigned long size = d[0] && d[1] ? strtoul(d + 2, NULL, 10) : 0;
    if (!strchr("<>=|", d[0]) || !d[0] || !strchr("fiubc", d[1]) || size == 0 || size > 64) {
        cli_error(path, "its elements are of type '%s'; expected plain numbers such as '<f4'", d);
        return CLI_INPUT;
    }
    npy->item_size = (uint32_t)size;
    if (d[0] == '>' && size > 1) {
        cli_error(path, "its elements are big-endian ('%s'); save it with array.astype('<%s')", d,
                  d + 1);
        return CLI_INPUT;
    }
    return CLI_OK;
}

static int check_size(const char *path, cli_npy *npy, uint64_t available) {
    uint64_t size = npy->item_size;
    bool empty = false;
    for (uint32_t i = 0; i < npy->rank; i++) empty |= npy->shape[i] == 0;
    for (uint32_t i = 0; i < npy->rank && !empty; i++) {
        if (npy->shape[i] > UINT64_MAX / size) {
            cli_error(path, "its shape is too large: more than 2^64 bytes");
            return CLI_INPUT;
        }
        size *= npy->shape[i];
    }
    npy->size = empty ? 0 : size;
    if (npy->size == available) return CLI_OK;
    char shape[256];
    cli_npy_shape_text(npy->rank, npy->shape, shape, sizeof shape);
    cli_error(path, "%s: shape %s of '%s' needs %" PRIu64 " bytes of data, the file has %" PRIu64,
              available < npy->size ? "truncated" : "something follows the array", shape,
              npy->descr, npy->size, available);
    return CLI_INPUT;
}

int cli_npy_open(const char *path, uint64_t most, cli_npy *out) {
    *out = (cli_npy){0};
    uint64_t room = MAX_HEADER + 12;
    int status = map_file(path, most > UINT64_MAX - room ? UINT64_MAX : most + room, out);
    if (status != CLI_OK) return status;
    const char *text = NULL;
    size_t length = 0;
    bool fortran = false;
    const char *wrong = find_header(out, &text, &length);
    if (wrong) {
        cli_error(path, "%s", wrong);
        status = CLI_INPUT;
    } else if ((wrong = read_header(text, length, out, &fortran))) {
        cli_error(path, "its .npy header is damaged: %s", wrong);
        status = CLI_INPUT;
    } else if (fortran && out->rank > 1) {
        cli_error(path, "is in Fortran order; save it with np.ascontiguousarray(array)");
        status = CLI_INPUT;
    }
    if (status == CLI_OK) status = check_type(path, out);
    if (status == CLI_OK) {
        out->data = text + length;
        status =
            check_size(path, out, out->block_size - (uint64_t)(text + length - (char *)out->block));
    }
    if (status != CLI_OK) cli_npy_close(out);
    return status;
}

void cli_npy_close(cli_npy *npy) {
    if (npy->mapped)
        munmap(npy->block, npy->block_size);
    else
        free(npy->block);
    *npy = (cli_npy){0};
}

/* NumPy's descriptor of a dtype. */
static const char *descriptor_of(rp_dtype dtype) {
    switch (dtype) {
#define RP_X(symbol, code, keyword, bytes, block, numpy)                                           \
    case symbol: return (numpy)[1] > '1' ? "<" numpy : "|" numpy;
        RP_DTYPE_LIST(RP_X)
#undef RP_X
    }
    return "|u1";
}

bool cli_same_shape(uint32_t rank, const uint64_t *shape, uint32_t other_rank,
                    const uint64_t *other) {
    static const uint64_t one = 1;
    if (rank == 0) rank = 1, shape = &one;
    if (other_rank == 0) other_rank = 1, other = &one;
    return rank == other_rank && rank <= RP_MAX_RANK && !memcmp(shape, other, rank * sizeof *shape);
}

int cli_npy_fits(const cli_npy *npy, const char *path, const char *buffer, rp_dtype dtype,
                 uint32_t rank, const uint64_t *shape, uint64_t size) {
    if (dtype == RP_RAW) {
        if (npy->size == size) return CLI_OK;
        cli_error(path, "has %" PRIu64 " bytes of data; buffer '%s' needs %" PRIu64, npy->size,
                  buffer, size);
        return CLI_INPUT;
    }
    const char *wanted = descriptor_of(dtype);
    if (strcmp(npy->descr + 1, wanted + 1)) {
        cli_error(path,
                  "has elements of type '%s'; buffer '%s' is %s: save it with "
                  "array.astype('%s')",
                  npy->descr, buffer, rp_dtype_name(dtype), wanted);
        return CLI_INPUT;
    }
    if (rp_dtype_block(dtype) > 1) { /* NumPy has no such elements: the bytes, in any shape */
        if (npy->size == size) return CLI_OK;
        cli_error(path, "has %" PRIu64 " bytes; buffer '%s' has %" PRIu64 " bytes of %s", npy->size,
                  buffer, size, rp_dtype_name(dtype));
        return CLI_INPUT;
    }
    if (cli_same_shape(npy->rank, npy->shape, rank, shape)) return CLI_OK;
    char have[256], want[256];
    cli_npy_shape_text(npy->rank, npy->shape, have, sizeof have);
    cli_npy_shape_text(rank, shape, want, sizeof want);
    cli_error(path, "has shape %s; buffer '%s' has shape %s", have, buffer, want);
    return CLI_INPUT;
}

/* ---- Writing --------------------------------------------------------------------------------- */

void cli_npy_shape_text(uint32_t rank, const uint64_t *shape, char *text, size_t size) {
    size_t length = 0;
    length += (size_t)snprintf(text, size, "(");
    for (uint32_t i = 0; i < rank && length < size; i++)
        length +=
            (size_t)snprintf(text + length, size - length, "%s%" PRIu64, i ? ", " : "", shape[i]);
    if (length < size) snprintf(text + length, size - length, rank == 1 ? ",)" : ")");
}

size_t cli_npy_header(rp_dtype dtype, uint32_t rank, const uint64_t *shape,
                      char header[CLI_NPY_HEADER]) {
    char shape_text[256];
    cli_npy_shape_text(rank, shape, shape_text, sizeof shape_text);
    int length = snprintf(header + 10, CLI_NPY_HEADER - 10,
                          "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
                          descriptor_of(dtype), shape_text);
    size_t total = ((size_t)length + 10 + 1 + 63) / 64 * 64;
    memset(header + 10 + length, ' ', total - 10 - (size_t)length);
    header[total - 1] = '\n';
    memcpy(header, "\x93NUMPY\1\0", 8);
    header[8] = (char)((total - 10) & 0xff);
    header[9] = (char)((total - 10) >> 8);
    return total;
}
