/* Internal: pieces of JSON, for all who write it: strings, and members of an object. A member puts a comma in
 * front of itself: an object begins with one that does not. Names and values of the project's own need no
 * escapes and are written with rp_text_format. */
#ifndef RP_VIEWS_JSON_TEXT_H
#define RP_VIEWS_JSON_TEXT_H

#include "base/text.h"

/* A quoted string. Bytes that are no UTF-8 become U+FFFD: every reader of JSON accepts the result. */
void rp_json_string(rp_text *text, const char *string);
/* The same of `size` bytes, none of them 0. */
void rp_json_bytes(rp_text *text, const char *string, size_t size);

/* ,"key": */
void rp_json_key(rp_text *text, const char *key);
void rp_json_number(rp_text *text, const char *key, uint64_t value);
/* A number, or null for `null`. */
void rp_json_optional(rp_text *text, const char *key, uint64_t value, uint64_t null);
void rp_json_flag(rp_text *text, const char *key, bool value);
/* A string, or null. */
void rp_json_text(rp_text *text, const char *key, const char *value);
/* A number that may have a fraction; null where it is negative, which is how costs say "not known", or no number. */
void rp_json_real(rp_text *text, const char *key, double value);

/* Whether the text is one JSON value (RFC 8259) with nothing behind it but space, nested at most 64 deep. */
bool rp_json_valid(const char *text, size_t size);

#endif
