/* Inspections: what the passes did, kept as they do it, and printed as one JSON document.
 *
 * Of each form the document has the source's nodes, the passes with their decisions and changes, and the graph
 * that was left, as docs/json.md has it, with facts that are not in the graph but follow from it. A graph after each pass
 * would be simpler, and ten times as much: what changed from one to the next is what a reader looks for. What
 * is printed of a pass is printed when it has run, so of graphs two are kept: the source and the last.
 * Cost: a copy and a comparison of the graph for each pass, and what the facts cost at the end. */
#include "inspect/internal.h"

#include "base/sized.h"
#include "reprise/compiler.h"
#include "views/views.h"

/* A form that is being told of. */
typedef struct form {
    char *title, *profile; /* NULL: none */
    rp_graph *source, *last;
    rp_text passes;     /* objects with commas between */
    rp_text difference; /* "" or an object */
    double seconds;     /* of all passes */
    bool fast;          /* as pass `lower` was told */
} form;

struct rp_inspection {
    rp_allocator allocator;
    char *file, *text;
    size_t text_size;
    form *forms;
    uint32_t forms_count, forms_capacity;
};

static char *copy(const rp_allocator *a, const char *text, size_t size) {
    char *own = rp_alloc_zero(a, size + 1, 1);
    if (own) memcpy(own, text, size);
    return own;
}

rp_status rp_inspection_create(const rp_allocator *allocator, const rp_inspection_params *params,
                               rp_diags *diags, rp_inspection **out) {
    rp_inspection_params own = {0};
    if (!out) return RP_ERROR_USAGE;
    *out = NULL;
    if (params && !rp_sized_take(params, &own, sizeof own))
        return rp_sized_refuse(diags, "rp_inspection_params");
    rp_allocator a = rp_allocator_or_default(allocator);
    rp_inspection *i = rp_alloc_zero(&a, 1, sizeof *i);
    if (!i) return RP_ERROR_NO_MEMORY;
    i->allocator = a;
    if (own.file) i->file = copy(&a, own.file, strlen(own.file));
    if (own.text) i->text = copy(&a, own.text, own.text_size);
    i->text_size = own.text ? own.text_size : 0;
    if ((own.file && !i->file) || (own.text && !i->text)) {
        rp_inspection_destroy(i);
        return RP_ERROR_NO_MEMORY;
    }
    *out = i;
    return RP_OK;
}

void rp_inspection_destroy(rp_inspection *i) {
    if (!i) return;
    rp_allocator a = i->allocator;
    for (uint32_t f = 0; f < i->forms_count; f++) {
        rp_graph_destroy(i->forms[f].source);
        rp_graph_destroy(i->forms[f].last);
        rp_text_free(&i->forms[f].passes);
        rp_text_free(&i->forms[f].difference);
        rp_release(&a, i->forms[f].title);
        rp_release(&a, i->forms[f].profile);
    }
    rp_release(&a, i->forms);
    rp_release(&a, i->file);
    rp_release(&a, i->text);
    rp_release(&a, i);
}

rp_status rp_inspection_begin(rp_inspection *i, const char *title) {
    if (!i) return RP_ERROR_USAGE;
    if (!RP_RESERVE(&i->allocator, i->forms, i->forms_count, i->forms_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    form f = {0};
    if (title && !(f.title = copy(&i->allocator, title, strlen(title)))) return RP_ERROR_NO_MEMORY;
    rp_text_init(&f.passes, &i->allocator);
    rp_text_init(&f.difference, &i->allocator);
    i->forms[i->forms_count++] = f;
    return RP_OK;
}

/* The form that was begun last; one without a title where none was. NULL without memory. */
static form *current(rp_inspection *i) {
    if (i->forms_count == 0 && rp_inspection_begin(i, NULL) != RP_OK) return NULL;
    return &i->forms[i->forms_count - 1];
}

static rp_status keep(rp_graph **place, const rp_graph *graph) {
    rp_graph *clone = NULL;
    RP_TRY(rp_graph_clone(graph, &clone));
    rp_graph_destroy(*place);
    *place = clone;
    return RP_OK;
}

rp_status rp_inspection_observe(void *inspection, int index, const rp_pass_report *report,
                                const rp_graph *graph) {
    rp_inspection *i = inspection;
    form *f = i ? current(i) : NULL;
    if (!i || !graph || (index >= 0 && !report)) return RP_ERROR_USAGE;
    if (!f) return RP_ERROR_NO_MEMORY;
    if (index < 0) {
        RP_TRY(keep(&f->source, graph));
        return keep(&f->last, graph);
    }
    if (!f->last) return RP_ERROR_USAGE; /* nobody told of the graph before the pass */
    if (!strcmp(report->pass, "lower=fast")) f->fast = true;
    if (f->passes.size) rp_text_string(&f->passes, ",\n");
    f->seconds += report->seconds;
    RP_TRY(rp_inspect_pass(&f->passes, report, f->last, graph));
    return report->changed ? keep(&f->last, graph) : RP_OK;
}

rp_status rp_inspection_add(rp_inspection *i, const rp_graph *source, const rp_graph *compiled) {
    form *f = i ? current(i) : NULL;
    if (!i || !compiled) return RP_ERROR_USAGE;
    if (!f) return RP_ERROR_NO_MEMORY;
    if (source) RP_TRY(keep(&f->source, source));
    return keep(&f->last, compiled);
}

rp_status rp_inspection_profile(rp_inspection *i, const char *json, size_t size) {
    form *f = i ? current(i) : NULL;
    if (!i || !json) return RP_ERROR_USAGE;
    if (!f) return RP_ERROR_NO_MEMORY;
    while (size && memchr(" \n\r\t", json[size - 1], 4)) size--;
    for (; size && memchr(" \n\r\t", json[0], 4); size--) json++;
    if (size == 0 || json[0] != '{' || !rp_json_valid(json, size)) return RP_ERROR_INVALID;
    char *own = copy(&i->allocator, json, size);
    if (!own) return RP_ERROR_NO_MEMORY;
    rp_release(&i->allocator, f->profile);
    f->profile = own;
    return RP_OK;
}

rp_status rp_inspection_compare(rp_inspection *i, const char *name, const rp_graph *other) {
    form *f = i ? current(i) : NULL;
    if (!i || !name || !other) return RP_ERROR_USAGE;
    if (!f) return RP_ERROR_NO_MEMORY;
    if (!f->last) return RP_ERROR_USAGE;
    rp_graph_stats stats = {.size = sizeof stats};
    RP_TRY(rp_graph_get_stats(other, &stats));
    rp_text_free(&f->difference);
    rp_text_init(&f->difference, &i->allocator);
    rp_text_string(&f->difference, "{\"from\":");
    rp_json_string(&f->difference, name);
    rp_text_string(&f->difference, ",\"stats\":");
    rp_stats_print_json(&f->difference, &stats);
    rp_json_key(&f->difference, "changes");
    RP_TRY(rp_inspect_difference(&f->difference, other, f->last));
    rp_text_char(&f->difference, '}');
    return f->difference.failed ? RP_ERROR_NO_MEMORY : RP_OK;
}

/* ---- Printing -------------------------------------------------------------------------------- */

void rp_inspect_list(rp_text *t, const uint32_t *items, uint32_t count) {
    rp_text_char(t, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i) rp_text_char(t, ',');
        rp_text_u64(t, items[i]);
    }
    rp_text_char(t, ']');
}

static void put_raw(rp_text *t, const char *key, const char *value) {
    rp_text_format(t, ",\n\"%s\":", key);
    rp_text_string(t, value && *value ? value : "null");
}

static rp_status put_form(rp_text *t, const rp_inspection *i, const form *f, rp_diags *diags) {
    rp_text_string(t, "{\"title\":");
    if (f->title)
        rp_json_string(t, f->title);
    else
        rp_text_string(t, "null");
    rp_text_string(t, ",\n\"source\":");
    if (f->source)
        rp_inspect_source(t, f->source, i->text, i->text_size);
    else
        rp_text_string(t, "null");
    rp_text_string(t, ",\n\"passes\":[");
    if (f->passes.size) rp_text_append(t, f->passes.data, f->passes.size);
    rp_text_char(t, ']');
    if (f->passes.size) rp_json_real(t, "seconds", f->seconds);
    rp_text_string(t, ",\n\"graph\":");
    if (!f->last) {
        rp_text_string(t, "null,\n\"facts\":null");
    } else {
        RP_TRY(rp_graph_print_json(f->last, t));
        rp_text_string(t, ",\"facts\":");
        RP_TRY(rp_inspect_facts(t, f->last, f->source, f->fast, diags));
    }
    put_raw(t, "profile", f->profile);
    put_raw(t, "difference", f->difference.data);
    rp_text_char(t, '}');
    return f->passes.failed || f->difference.failed ? RP_ERROR_NO_MEMORY : RP_OK;
}

static rp_status put_document(rp_text *t, const rp_inspection *i, rp_diags *diags) {
    rp_text_format(t, "{\"inspection\":1,\n\"reprise\":\"%s\"", rp_version());
    rp_json_text(t, "file", i->file);
    rp_json_text(t, "source_file", i->text ? i->file : NULL); /* whose lines `line` counts */
    rp_text_string(t, ",\n\"forms\":[");
    for (uint32_t f = 0; f < i->forms_count; f++) {
        if (f) rp_text_string(t, ",\n");
        RP_TRY(put_form(t, i, &i->forms[f], diags));
    }
    rp_text_string(t, "]}\n");
    return t->failed ? RP_ERROR_NO_MEMORY : RP_OK;
}

rp_status rp_inspection_print(rp_inspection *i, rp_inspection_format format, rp_diags *diags,
                              char **out_text, size_t *out_size) {
    if (out_text) *out_text = NULL;
    if (out_size) *out_size = 0;
    if (!i || !out_text || (unsigned)format > RP_INSPECTION_PAGE) return RP_ERROR_USAGE;
    rp_text json, page;
    rp_text_init(&json, &i->allocator);
    rp_text_init(&page, &i->allocator);
    rp_status status = put_document(&json, i, diags);
    if (status == RP_OK && format == RP_INSPECTION_JSON)
        status = rp_text_take(&json, out_text, out_size);
    else if (status == RP_OK) {
        status = rp_inspect_page(&page, json.data, json.size);
        if (status == RP_OK) status = rp_text_take(&page, out_text, out_size);
    }
    rp_text_free(&json);
    rp_text_free(&page);
    return status;
}

void rp_inspection_release(const rp_inspection *i, char *text) {
    if (i) rp_release(&i->allocator, text);
}
