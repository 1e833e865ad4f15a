/* Reading equations of einsum, in two steps: what is written, then what it means for shapes.
 *
 * The dimensions that an ellipsis stands for become labels, too, counted from the last: so they broadcast
 * as letters do, where one of 1 meets any other, and nothing behind this file knows of them. */
#include "composite/equation.h"

#include <stdio.h>

#include "composite/axes.h"

enum { ELLIPSIS = RP_EQUATION_LABELS };

/* One term as it is written. */
typedef struct term {
    uint32_t begin, count, letters;
    uint8_t symbols[RP_MAX_RANK + 1]; /* letters, and ELLIPSIS at most once */
    uint32_t at[RP_MAX_RANK + 1];     /* where they stand in the text */
} term;

typedef struct reader {
    rp_expansion *x;
    uint32_t attr;
    const char *text;
    rp_given_operand *const *operands;
    term terms[RP_EQUATION_TERMS], out;
    bool has_out;
    uint32_t widest;                    /* dimensions of an ellipsis */
    uint32_t uses[RP_EQUATION_LABELS];  /* how often each label stands in terms */
    uint32_t owner[RP_EQUATION_LABELS]; /* the operand that its size comes from */
    rp_equation *equation;
} reader;

/* ---- What is written ------------------------------------------------------------------------- */

static int letter_of(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    return c >= 'a' && c <= 'z' ? 26 + c - 'a' : -1;
}

static char letter_name(uint32_t label) {
    return (char)(label < 26 ? 'A' + label : 'a' + label - 26);
}

static bool has_ellipsis(const term *t) {
    return t->count > t->letters;
}

static rp_status add_symbol(reader *r, term *t, uint32_t at, uint8_t symbol) {
    bool letter = symbol != ELLIPSIS;
    if (!letter && has_ellipsis(t))
        return rp_expand_wrong_at(r->x, r->attr, at, "has a second '...' in a term");
    if (letter && t->letters == RP_MAX_RANK)
        return rp_expand_wrong_at(r->x, r->attr, at,
                                  "has more than %d letters in a term, up to '%c'", RP_MAX_RANK,
                                  letter_name(symbol));
    t->symbols[t->count] = symbol;
    t->at[t->count++] = at;
    t->letters += letter;
    return RP_OK;
}

/* The terms in front of "->", and the one behind it. */
static rp_status read_text(reader *r) {
    const char *text = r->text;
    term *t = &r->terms[0];
    r->equation->term_count = 1;
    for (uint32_t at = 0; text[at]; at++) {
        char c = text[at];
        int letter = letter_of(c);
        if (c == ' ') continue;
        if (letter >= 0) {
            RP_TRY(add_symbol(r, t, at, (uint8_t)letter));
        } else if (strncmp(text + at, "...", 3) == 0) {
            RP_TRY(add_symbol(r, t, at, ELLIPSIS));
            at += 2;
        } else if (strncmp(text + at, "->", 2) == 0 && !r->has_out) {
            r->has_out = true;
            t = &r->out;
            t->begin = ++at;
        } else if (c == ',' && !r->has_out) {
            if (r->equation->term_count == RP_EQUATION_TERMS)
                return rp_expand_wrong_at(r->x, r->attr, at, "has more than %d terms",
                                          RP_EQUATION_TERMS);
            t = &r->terms[r->equation->term_count++];
            t->begin = at + 1;
        } else {
            return rp_expand_wrong_at(r->x, r->attr, at, "has '%c' there: expected letters%s",
                                      c >= ' ' && c < 127 ? c : '?',
                                      r->has_out ? " or '...' of one result"
                                                 : ", '...', ',' or '->'");
        }
    }
    return RP_OK;
}

/* ---- What it means --------------------------------------------------------------------------- */

static rp_status bind_size(reader *r, uint32_t label, uint32_t operand, uint64_t size,
                           uint32_t at) {
    uint64_t *known = &r->equation->sizes[label];
    if (r->uses[label]++ == 0 || *known == 1) {
        if (r->uses[label] == 1 || size != 1) r->owner[label] = operand;
        *known = size;
        return RP_OK;
    }
    if (size == 1 || size == *known) return RP_OK;
    char what[16] = "'...'";
    if (label < RP_EQUATION_LETTERS) snprintf(what, sizeof what, "'%c'", letter_name(label));
    return rp_expand_wrong_at(r->x, r->attr, at, "has %s as %llu in %s, but as %llu in %s", what,
                              (unsigned long long)size, r->operands[operand]->name,
                              (unsigned long long)*known, r->operands[r->owner[label]]->name);
}

/* A letter twice in one term is a diagonal: nothing broadcasts there. */
static rp_status check_diagonal(reader *r, uint32_t operand, const rp_labels *labels,
                                const rp_tensor *shape, uint32_t at) {
    uint32_t last = labels->count - 1;
    for (uint32_t i = 0; i < last; i++)
        if (labels->at[i] == labels->at[last] && shape->dims[i] != shape->dims[last])
            return rp_expand_wrong_at(
                r->x, r->attr, at, "has '%c' as %llu and as %llu in %s",
                letter_name(labels->at[last]), (unsigned long long)shape->dims[i],
                (unsigned long long)shape->dims[last], r->operands[operand]->name);
    return RP_OK;
}

static rp_status wrong_rank(reader *r, const term *t, uint32_t operand, uint32_t rank) {
    return rp_expand_wrong_at(r->x, r->attr, t->count ? t->at[0] : t->begin,
                              "has %u letters%s for %s, which has %u dimensions", t->letters,
                              has_ellipsis(t) ? " beside '...'" : "", r->operands[operand]->name,
                              rank);
}

static rp_status bind_term(reader *r, uint32_t index) {
    const term *t = &r->terms[index];
    const rp_tensor shape = rp_axes_shape(r->operands[index]);
    rp_labels *out = &r->equation->terms[index];
    if (t->count == 0 && rp_tensor_elements(&shape) == 1) return RP_OK;
    if (has_ellipsis(t) ? shape.rank < t->letters : shape.rank != t->letters)
        return wrong_rank(r, t, index, shape.rank);
    uint32_t dots = shape.rank - t->letters;
    if (dots > r->widest) r->widest = dots;
    for (uint32_t i = 0; i < t->count; i++) {
        bool letter = t->symbols[i] != ELLIPSIS;
        for (uint32_t k = letter ? 1 : dots; k-- > 0;) {
            uint8_t label = (uint8_t)(letter ? t->symbols[i] : RP_EQUATION_LETTERS + k);
            out->at[out->count++] = label;
            if (letter) RP_TRY(check_diagonal(r, index, out, &shape, t->at[i]));
            RP_TRY(bind_size(r, label, index, shape.dims[out->count - 1], t->at[i]));
        }
    }
    return RP_OK;
}

static rp_status put_out(reader *r, uint32_t label, uint32_t at) {
    rp_labels *out = &r->equation->out;
    if (out->count == RP_MAX_RANK)
        return rp_expand_wrong_at(r->x, r->attr, at, "gives more than %d dimensions", RP_MAX_RANK);
    out->at[out->count++] = (uint8_t)label;
    return RP_OK;
}

static rp_status put_ellipsis(reader *r, uint32_t at) {
    for (uint32_t k = r->widest; k-- > 0;) RP_TRY(put_out(r, RP_EQUATION_LETTERS + k, at));
    return RP_OK;
}

/* Without "->": what an ellipsis stands for, then the letters that are there once, in their order. */
static rp_status imply_out(reader *r) {
    RP_TRY(put_ellipsis(r, 0));
    for (uint32_t i = 0; i < RP_EQUATION_LETTERS; i++)
        if (r->uses[i] == 1) RP_TRY(put_out(r, i, 0));
    return RP_OK;
}

static rp_status bind_out(reader *r) {
    const term *t = &r->out;
    if (!r->has_out) return imply_out(r);
    if (r->widest && !has_ellipsis(t))
        return rp_expand_wrong_at(r->x, r->attr, t->begin,
                                  "has no '...' in its result for the %u dimensions of '...'",
                                  r->widest);
    for (uint32_t i = 0; i < t->count; i++) {
        uint8_t symbol = t->symbols[i];
        if (symbol == ELLIPSIS) {
            RP_TRY(put_ellipsis(r, t->at[i]));
            continue;
        }
        if (!r->uses[symbol])
            return rp_expand_wrong_at(r->x, r->attr, t->at[i],
                                      "has '%c' in its result, and in no operand",
                                      letter_name(symbol));
        for (uint32_t k = 0; k < i; k++)
            if (t->symbols[k] == symbol)
                return rp_expand_wrong_at(r->x, r->attr, t->at[i], "has '%c' twice in its result",
                                          letter_name(symbol));
        RP_TRY(put_out(r, symbol, t->at[i]));
    }
    return RP_OK;
}

rp_status rp_equation_read(rp_expansion *x, uint32_t attr, rp_given_operand *const *operands,
                           uint32_t count, rp_equation *out) {
    reader r = {
        .x = x, .attr = attr, .text = x->texts[attr], .operands = operands, .equation = out};
    *out = (rp_equation){0};
    RP_TRY(read_text(&r));
    if (out->term_count != count)
        return rp_expand_wrong(x, attr, "has %u terms for %u operands", out->term_count, count);
    for (uint32_t i = 0; i < count; i++) RP_TRY(bind_term(&r, i));
    return bind_out(&r);
}
