/* NumPy .npy files, format versions 1.0, 2.0 and 3.0: a file of one array.
 *
 * A file is a magic, a version, the length of a header, the header (a Python dict literal with the
 * keys descr, fortran_order and shape) and the elements. The header is parsed by a reader for
 * exactly that grammar: files come from strangers, so lengths are bounded, sizes are checked for
 * overflow, and the file must end where its shape says. */
#include <inttypes.h>
#include <stdlib.h>
#include "file.h"

enum { MAX_HEADER = 1 << 16, NPY_MAX_RANK = 32 };

typedef struct npy_array {
    char descr[RP_NPY_DESCR]; /* "<f4" */
    uint32_t item_size;       /* bytes of an element */
    uint32_t rank;
    uint64_t shape[NPY_MAX_RANK];
    uint64_t size; /* bytes */
} npy_array;

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

static void read_shape(header_reader *r, npy_array *npy) {
    if (!take(r, '(')) problem(r, "'shape' must be a tuple");
    bool comma = true;
    while (!r->problem && !take(r, ')')) {
        if (!comma) problem(r, "'shape' lacks a comma");
        if (npy->rank == NPY_MAX_RANK) problem(r, "'shape' has more than 32 dimensions");
        if (r->problem) return;
        npy->shape[npy->rank++] = read_extent(r);
        comma = take(r, ',');
    }
}

enum { KEY_DESCR = 1, KEY_ORDER = 2, KEY_SHAPE = 4 };

static const char *read_header(const char *text, size_t size, npy_array *npy, bool *fortran) {
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
static const char *find_header(const rp_weights *w, const char **text, size_t *size) {
    const uint8_t *bytes = w->block;
    if (w->block_size < 10 || memcmp(bytes, "\x93NUMPY", 6))
        return "not a NumPy .npy file (its magic is missing)";
    if (bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0)
        return "a .npy format version other than 1.0, 2.0 and 3.0";
    size_t start = bytes[6] == 1 ? 10 : 12;
    if (w->block_size < start) return "truncated inside its header";
    uint64_t length = bytes[8] | (uint64_t)bytes[9] << 8;
    if (start == 12) length |= (uint64_t)bytes[10] << 16 | (uint64_t)bytes[11] << 24;
    if (length > MAX_HEADER) return "its header is longer than 65536 bytes";
    if (length > w->block_size - start) return "truncated inside its header";
    *text = (const char *)bytes + start;
    *size = (size_t)length;
    return NULL;
}

static rp_status check_type(const rp_weights *w, npy_array *npy) {
    const char *d = npy->descr;
    unsigned long size = d[0] && d[1] ? strtoul(d + 2, NULL, 10) : 0;
    if (!strchr("<>=|", d[0]) || !d[0] || !strchr("fiubc", d[1]) || size == 0 || size > 64) {
        return rp_weights_fail(
            w, "its elements are of type '%s'; expected plain numbers such as '<f4'", d);
    }
    npy->item_size = (uint32_t)size;
    if (d[0] == '>' && size > 1) {
        return rp_weights_fail(
            w, "its elements are big-endian ('%s'); save it with array.astype('<%s')", d, d + 1);
    }
    return RP_OK;
}

static rp_status check_size(const rp_weights *w, npy_array *npy, uint64_t available) {
    uint64_t size = npy->item_size;
    bool empty = false;
    for (uint32_t i = 0; i < npy->rank; i++) empty |= npy->shape[i] == 0;
    for (uint32_t i = 0; i < npy->rank && !empty; i++) {
        if (npy->shape[i] > UINT64_MAX / size) {
            return rp_weights_fail(w, "its shape is too large: more than 2^64 bytes");
        }
        size *= npy->shape[i];
    }
    npy->size = empty ? 0 : size;
    if (npy->size == available) return RP_OK;
    char shape[256];
    rp_shape_text(npy->rank, npy->shape, shape, sizeof shape);
    return rp_weights_fail(
        w, "%s: shape %s of '%s' needs %" PRIu64 " bytes of data, the file has %" PRIu64,
        available < npy->size ? "truncated" : "something follows the array", shape, npy->descr,
        npy->size, available);
}

/* The dtype whose buffers take these elements; RP_RAW where there is none. */
static rp_dtype dtype_of(const char *descr) {
    static const struct {
        rp_dtype dtype;
        const char *numpy;
    } dtypes[] = {
#define RP_X(symbol, code, keyword, bytes, block, numpy) {symbol, numpy},
        RP_DTYPE_LIST(RP_X)
#undef RP_X
    };
    for (uint32_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) /* raw and blocks are bytes too */
        if (dtypes[i].dtype != RP_RAW && rp_dtype_block(dtypes[i].dtype) == 1 &&
            strcmp(descr + 1, dtypes[i].numpy) == 0)
            return dtypes[i].dtype;
    return RP_RAW;
}

/* What a file of one array calls it: the file's name without folder and ending. */
static char *name_of(const rp_weights *w) {
    const char *begin = w->path ? strrchr(w->path, '/') : NULL;
    begin = begin ? begin + 1 : w->path ? w->path : "array";
    size_t length = strlen(begin);
    if (length > 4 && strcmp(begin + length - 4, ".npy") == 0) length -= 4;
    char *name = rp_alloc_zero(&w->allocator, length + 1, 1);
    if (name) memcpy(name, begin, length);
    return name;
}

bool rp_npy_begins(const void *data, size_t size) {
    return size >= 6 && memcmp(data, "\x93NUMPY", 6) == 0;
}

rp_status rp_npy_read(rp_weights *w) {
    const char *text = NULL;
    size_t length = 0;
    bool fortran = false;
    npy_array npy = {0};
    const char *wrong = find_header(w, &text, &length);
    if (wrong) return rp_weights_fail(w, "%s", wrong);
    wrong = read_header(text, length, &npy, &fortran);
    if (wrong) return rp_weights_fail(w, "its .npy header is damaged: %s", wrong);
    if (fortran && npy.rank > 1)
        return rp_weights_fail(w, "is in Fortran order; save it with np.ascontiguousarray(array)");
    RP_TRY(check_type(w, &npy));
    const char *data = text + length;
    RP_TRY(check_size(w, &npy, w->block_size - (uint64_t)(data - (const char *)w->block)));
    w->items = rp_alloc_zero(&w->allocator, 1, sizeof *w->items);
    w->npy_name = name_of(w);
    if (!w->items || !w->npy_name) return RP_ERROR_NO_MEMORY;
    memcpy(w->npy_descr, npy.descr, sizeof w->npy_descr);
    *w->items = (rp_weight){.name = w->npy_name,
                            .type = w->npy_descr,
                            .dtype = dtype_of(npy.descr),
                            .rank = npy.rank,
                            .data = data,
                            .size = npy.size};
    uint32_t kept = npy.rank < RP_MAX_RANK ? npy.rank : RP_MAX_RANK;
    memcpy(w->items->shape, npy.shape, kept * sizeof *npy.shape);
    w->count = 1;
    return RP_OK;
}
