/* Large documents in the page: ASCII text in which what stood before is named instead of written again.
 *
 * The JSON of an inspection says the same names thousands of times: a graph of a thousand ops takes three
 * megabytes, of which a tenth is news. A deflate of one's own that browsers take apart themselves would be smaller
 * by a third, and needs binary in base64, promises and a library here. This is an LZ77 whose output is text: '~' and
 * four digits of base 85 stand for 6 to 90 characters that begin up to 614,125 characters before. Digits leave out '<', so
 * that nothing in it ends a script element. model.js takes it apart. */
#include "inspect/internal.h"

enum {
    LEAST = 6, /* characters of a match; it takes 5 */
    BASE = 85,
    MOST = LEAST + BASE - 1,
    WINDOW = BASE * BASE * BASE,
    TRIES = 24, /* earlier places that are looked at */
    HASH_BITS = 16,
};

/* ---- Making it ASCII ------------------------------------------------------------------------- */

static uint32_t read_utf8(const unsigned char **at) {
    const unsigned char *s = *at;
    uint32_t more = s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3, code = s[0] & (0x3fu >> more);
    for (uint32_t i = 1; i <= more; i++) code = code << 6 | (s[i] & 0x3f);
    *at += more + 1;
    return code;
}

/* Readers of HTML take "\r\n" for one character; between values, where alone it stands in JSON, a space does. */
void rp_inspect_ascii(rp_text *t, const char *json, size_t size) {
    const unsigned char *at = (const unsigned char *)json, *end = at + size, *from = at;
    while (at < end) {
        if (*at < 0x80 && *at != '<' && *at != '~' && *at != '\r') {
            at++;
            continue;
        }
        rp_text_append(t, (const char *)from, (size_t)(at - from));
        uint32_t code = *at < 0x80 ? *at++ : read_utf8(&at);
        if (code == '\r')
            rp_text_char(t, ' ');
        else if (code < 0x10000)
            rp_text_format(t, "\\u%04x", code);
        else
            rp_text_format(t, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
                           0xdc00 + (code & 0x3ff));
        from = at;
    }
    rp_text_append(t, (const char *)from, (size_t)(end - from));
}

/* ---- Matches --------------------------------------------------------------------------------- */

typedef struct packer {
    const char *text;
    size_t size;
    uint32_t *last;   /* by hash: the last place with these characters, + 1 */
    uint32_t *before; /* by place in the window: the one before it with the same hash, + 1 */
} packer;

static uint32_t hash_at(const char *s) {
    uint32_t a, b;
    memcpy(&a, s, 4);
    memcpy(&b, s + 2, 4);
    return (a * 2654435761u ^ b * 2246822519u) >> (32 - HASH_BITS);
}

static void note(packer *p, size_t at) {
    if (at + LEAST > p->size) return;
    uint32_t *last = &p->last[hash_at(p->text + at)];
    p->before[at % WINDOW] = *last;
    *last = (uint32_t)at + 1;
}

/* The longest match of what stands at `at`; 0: none. */
static size_t find(const packer *p, size_t at, size_t *out_distance) {
    size_t best = 0, room = p->size - at < MOST ? p->size - at : MOST;
    if (room < LEAST) return 0;
    uint32_t next = p->last[hash_at(p->text + at)];
    for (uint32_t i = 0; i < TRIES && next && at - (next - 1) < WINDOW && best < room; i++) {
        size_t from = next - 1, length = 0;
        if (p->text[from + best] == p->text[at + best])
            while (length < room && p->text[from + length] == p->text[at + length]) length++;
        if (length >= LEAST && length > best) {
            best = length;
            *out_distance = at - from;
        }
        next = p->before[from % WINDOW];
    }
    return best;
}

static void put_digit(rp_text *t, size_t digit) {
    char c = (char)('(' + digit);
    rp_text_char(t, c < '<' ? c : (char)(c + 1));
}

static void put_match(rp_text *t, size_t length, size_t distance) {
    rp_text_char(t, '~');
    put_digit(t, length - LEAST);
    put_digit(t, distance / (BASE * BASE));
    put_digit(t, distance / BASE % BASE);
    put_digit(t, distance % BASE);
}

bool rp_inspect_pack(rp_text *t, const char *ascii, size_t size) {
    packer p = {.text = ascii,
                .size = size,
                .last = rp_alloc_zero(&t->allocator, (size_t)1 << HASH_BITS, sizeof *p.last),
                .before = rp_alloc_zero(&t->allocator, WINDOW, sizeof *p.before)};
    bool ok = p.last && p.before && size < UINT32_MAX;
    for (size_t at = 0; ok && at < size;) {
        size_t distance = 0, length = find(&p, at, &distance);
        if (length)
            put_match(t, length, distance);
        else
            rp_text_char(t, ascii[at]);
        for (size_t end = at + (length ? length : 1); at < end; at++) note(&p, at);
    }
    rp_release(&t->allocator, p.last);
    rp_release(&t->allocator, p.before);
    return ok && !t->failed;
}
