/* The list of diagnostics. Messages are copied; beyond RP_MAX_KEPT only the errors are counted. */
#include "base/text.h"

#include <stdio.h>

enum { RP_MAX_KEPT = 100 };

struct rp_diags {
    rp_allocator allocator;
    rp_diag *items; /* file and message are owned */
    uint32_t count, capacity;
    uint32_t errors;
};

rp_diags *rp_diags_create(const rp_allocator *allocator) {
    rp_allocator a = rp_allocator_or_default(allocator);
    rp_diags *diags = rp_alloc_zero(&a, 1, sizeof *diags);
    if (diags) diags->allocator = a;
    return diags;
}

void rp_diags_clear(rp_diags *diags) {
    if (!diags) return;
    for (uint32_t i = 0; i < diags->count; i++) {
        rp_release(&diags->allocator, (void *)diags->items[i].file);
        rp_release(&diags->allocator, (void *)diags->items[i].message);
    }
    diags->count = diags->errors = 0;
}

void rp_diags_destroy(rp_diags *diags) {
    if (!diags) return;
    rp_diags_clear(diags);
    rp_release(&diags->allocator, diags->items);
    rp_allocator a = diags->allocator;
    rp_release(&a, diags);
}

void rp_diags_add(rp_diags *diags, rp_severity severity, const char *file, uint32_t line,
                  uint32_t column, const char *format, ...) {
    if (!diags) return;
    if (severity == RP_ERROR) diags->errors++;
    if (diags->count >= RP_MAX_KEPT) return;
    if (!RP_RESERVE(&diags->allocator, diags->items, diags->count, diags->capacity, 1)) return;

    rp_text text;
    rp_text_init(&text, &diags->allocator);
    va_list args;
    va_start(args, format);
    rp_text_vformat(&text, format, args);
    va_end(args);
    char *message = NULL;
    if (rp_text_take(&text, &message, NULL) != RP_OK) return;
    char *path = NULL;
    if (file && !(path = rp_dup(&diags->allocator, file, strlen(file) + 1))) {
        rp_release(&diags->allocator, message);
        return;
    }
    diags->items[diags->count++] = (rp_diag){severity, path, line, column, message};
}

uint32_t rp_diags_count(const rp_diags *diags) {
    return diags ? diags->count : 0;
}

uint32_t rp_diags_error_count(const rp_diags *diags) {
    return diags ? diags->errors : 0;
}

rp_diag rp_diags_get(const rp_diags *diags, uint32_t index) {
    if (!diags || index >= diags->count) return (rp_diag){.message = ""};
    return diags->items[index];
}

static const char *severity_name(rp_severity severity) {
    switch (severity) {
    case RP_NOTE: return "note";
    case RP_WARNING: return "warning";
    case RP_ERROR: return "error";
    }
    return "error";
}

size_t rp_diag_format(const rp_diag *diag, char *text, size_t size) {
    char place[32] = "";
    if (!text) size = 0;
    if (size) text[0] = '\0';
    if (!diag || !diag->message) return 0;
    if (diag->line && diag->column)
        snprintf(place, sizeof place, "%u:%u: ", diag->line, diag->column);
    else if (diag->line)
        snprintf(place, sizeof place, "%u: ", diag->line);
    int length = snprintf(text, size, "%s%s%s%s: %s", diag->file ? diag->file : "",
                          diag->file ? (*place ? ":" : ": ") : "", place,
                          severity_name(diag->severity), diag->message);
    return length < 0 ? 0 : (size_t)length;
}
