/* What is wrong with an application, and what an attribute's value is by its definition. */
#include "composite/application.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"

rp_status rp_apply_error(rp_application *x, rp_blame blame, uint32_t index, const char *format,
                         ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(x->error, sizeof x->error, format, args);
    va_end(args);
    x->blame = blame;
    x->blame_index = index;
    x->error_at = 0;
    return RP_ERROR_INVALID;
}

void rp_apply_message(const rp_application *x, char out[RP_APPLY_MESSAGE]) {
    bool placed = x->blame == RP_BLAME_ATTR && x->error_at;
    const char *text = placed ? x->attrs[x->blame_index].name : "";
    if (strcmp(x->op, "map") == 0) text = "formula";
    if (placed)
        snprintf(out, RP_APPLY_MESSAGE, "%s, character %u: %s", text, x->error_at, x->error);
    else
        snprintf(out, RP_APPLY_MESSAGE, "%s", x->error);
}

/* ---- Attributes ------------------------------------------------------------------------------ */

/* The index of a choice in "a|b|c"; -1 when it is none. */
static int choice_index(const char *choices, const char *text) {
    size_t wanted = strlen(text);
    for (int i = 0; *choices; i++) {
        size_t length = strcspn(choices, "|");
        if (wanted && length == wanted && strncmp(choices, text, length) == 0) return i;
        choices += length + (choices[length] == '|');
    }
    return -1;
}

/* An integer's digits are a number, whatever else a text is. */
static bool is_integer(const char *text) {
    const char *digits = text + (*text == '-');
    return *digits && !digits[strspn(digits, "0123456789")];
}

rp_status rp_attribute_value(rp_application *x, const char *op, const rp_op_attr *attr,
                             uint32_t index, double *out, double *rest) {
    const rp_attribute *given = &x->attrs[index];
    bool choice = attr->kind == RP_ATTR_CHOICE;
    char shown[RP_ATTR_SHOWN];
    *out = given->number;
    *rest = 0;
    bool digits = !choice && given->text && is_integer(given->text) &&
                  rp_number_parse_exact(given->text, strlen(given->text), out, rest);
    if ((given->text != NULL) != choice && !digits)
        return rp_apply_error(x, RP_BLAME_ATTR, index, "attribute '%s' of %s is %s%s", attr->name,
                              op, given->text ? "a number, not text" : "one of ",
                              given->text ? "" : attr->choices);
    if (!attr->like) *rest = 0;
    if (choice) {
        int place = choice_index(attr->choices, given->text);
        *out = place;
        if (place >= 0) return RP_OK;
        return rp_apply_error(x, RP_BLAME_ATTR, index,
                              "attribute '%s' of %s: '%.60s' is none of %s", attr->name, op,
                              given->text, attr->choices);
    }
    if (attr->kind == RP_ATTR_INTEGER && !(*out == floor(*out)))
        return rp_apply_error(x, RP_BLAME_ATTR, index,
                              "attribute '%s' of %s is %g: expected an "
                              "integer",
                              attr->name, op, *out);
    if (isnan(*out) && rp_op_attr_takes_nan(attr)) return RP_OK;
    if (rp_op_attr_overflows(attr, *out))
        return rp_apply_error(x, RP_BLAME_ATTR, index,
                              "attribute '%s' of %s is %.9g: too large for f32", attr->name, op,
                              *out);
    if (*out >= attr->low && *out <= attr->high) return RP_OK;
    return rp_apply_error(x, RP_BLAME_ATTR, index,
                          "attribute '%s' of %s is %s: expected %.9g to %.9g", attr->name, op,
                          rp_op_attr_text(shown, *out, *rest), attr->low, attr->high);
}

/* Reads one integer and what separates it from the next; false where there is none. */
static bool next_integer(const char **at, int64_t *out) {
    char *end;
    errno = 0;
    long long value = strtoll(*at, &end, 10);
    if (end == *at || errno) return false;
    *out = value;
    *at = end + strspn(end, " ");
    *at += **at == ',';
    return true;
}

static bool read_list(const char *text, rp_int_list *out) {
    bool bracket = *text == '[';
    const char *at = text + bracket;
    while (*at && *at != ']')
        if (out->count == RP_ATTR_LIST_MOST || !next_integer(&at, &out->values[out->count++]))
            return false;
    return out->count > 0 && strcmp(at, bracket ? "]" : "") == 0;
}

rp_status rp_attribute_list(rp_application *x, const char *op, const rp_op_attr *attr,
                            uint32_t index, rp_int_list *out) {
    const rp_attribute *given = &x->attrs[index];
    bool good = true;
    *out = (rp_int_list){0};
    if (given->text) {
        good = read_list(given->text, out);
    } else {
        good = given->number == floor(given->number) && fabs(given->number) <= 0x1p53;
        if (good) *out = (rp_int_list){1, {(int64_t)given->number}};
    }
    if (!good)
        return rp_apply_error(x, RP_BLAME_ATTR, index,
                              "attribute '%s' of %s: expected a list of 1 to %d integers",
                              attr->name, op, RP_ATTR_LIST_MOST);
    for (uint32_t i = 0; i < out->count; i++) {
        double value = (double)out->values[i];
        if (value >= attr->low && value <= attr->high) continue;
        return rp_apply_error(x, RP_BLAME_ATTR, index,
                              "attribute '%s' of %s has %.9g: expected %.9g to %.9g", attr->name,
                              op, value, attr->low, attr->high);
    }
    return RP_OK;
}

/* Reads one number and what separates it from the next; false where there is none. */
static bool next_number(const char **at, double *out) {
    size_t length = strcspn(*at, ", ]");
    if (!rp_number_parse(*at, length, out)) return false;
    *at += length + strspn(*at + length, " ");
    *at += **at == ',';
    *at += strspn(*at, " ");
    return true;
}

static bool read_numbers(const char *text, rp_number_list *out) {
    bool bracket = *text == '[';
    const char *at = text + bracket;
    while (*at && *at != ']')
        if (out->count == RP_ATTR_LIST_MOST || !next_number(&at, &out->values[out->count++]))
            return false;
    return out->count > 0 && strcmp(at, bracket ? "]" : "") == 0;
}

rp_status rp_attribute_numbers(rp_application *x, const char *op, const rp_op_attr *attr,
                               uint32_t index, rp_number_list *out) {
    const rp_attribute *given = &x->attrs[index];
    *out = (rp_number_list){1, {given->number}};
    if (given->text) *out = (rp_number_list){0};
    if (given->text && !read_numbers(given->text, out))
        return rp_apply_error(x, RP_BLAME_ATTR, index,
                              "attribute '%s' of %s: expected a list of 1 to %d numbers",
                              attr->name, op, RP_ATTR_LIST_MOST);
    for (uint32_t i = 0; i < out->count; i++) {
        if (out->values[i] >= attr->low && out->values[i] <= attr->high) continue;
        return rp_apply_error(x, RP_BLAME_ATTR, index,
                              "attribute '%s' of %s has %.9g: expected %.9g to %.9g", attr->name,
                              op, out->values[i], attr->low, attr->high);
    }
    return RP_OK;
}

rp_status rp_attribute_text(rp_application *x, const char *op, const rp_op_attr *attr,
                            uint32_t index, const char **out) {
    *out = x->attrs[index].text;
    if (*out) return RP_OK;
    return rp_apply_error(x, RP_BLAME_ATTR, index, "attribute '%s' of %s is a text, not a number",
                          attr->name, op);
}

rp_status rp_attribute_unknown(rp_application *x, const char *op, uint32_t index) {
    return rp_apply_error(x, RP_BLAME_ATTR, index, "%s has no attribute '%.60s'", op,
                          x->attrs[index].name ? x->attrs[index].name : "");
}
