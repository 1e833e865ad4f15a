/* The page: page.html with the style, the scripts and the document in their places.
 *
 * The document stands in a <script> that is none to a browser, where nothing but "</script" and "<!--" means anything to a
 * reader of HTML: every '<' in it is written as an escape of JSON, and a large one is packed (pack.c). The scripts put
 * texts of the document into the page as text and nowhere as markup, and the page's policy lets nothing be loaded. */
#include "inspect/internal.h"

#include "embedded.h"

/* In the order in which they stand in the page. */
static const char *const scripts[] = {"model.js",  "dom.js",      "links.js",  "panel.js",
                                      "passes.js", "overview.js", "lanes.js",  "arena.js",
                                      "tables.js", "time.js",     "search.js", "start.js"};

static const char *source(const char *name) {
    for (uint32_t i = 0; i < rp_page_sources_count; i++)
        if (!strcmp(rp_page_sources[i].name, name)) return rp_page_sources[i].text;
    return "";
}

static void put_scripts(rp_text *page) {
    for (uint32_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        rp_text_string(page, source(scripts[i]));
}

/* A small document as it is, for who looks into the source of the page; a large one packed. */
static bool put_document(rp_text *page, const char *json, size_t size) {
    rp_text ascii;
    rp_text_init(&ascii, &page->allocator);
    rp_inspect_ascii(&ascii, json, size);
    bool ok = !ascii.failed;
    if (size <= RP_INSPECT_PLAIN) {
        rp_text_string(page, "<script type=\"application/json\" id=\"document\">");
        rp_text_append(page, ascii.data, ascii.size);
    } else if (ok) {
        rp_text_format(page, "<script type=\"text/plain\" id=\"document\" data-size=\"%u\">",
                       ascii.size);
        ok = rp_inspect_pack(page, ascii.data, ascii.size);
    }
    rp_text_string(page, "</script>");
    rp_text_free(&ascii);
    return ok;
}

rp_status rp_inspect_page(rp_text *page, const char *json, size_t size) {
    const char *at = source("page.html");
    bool ok = true;
    for (;;) {
        const char *mark = strstr(at, "@@");
        if (!mark) break;
        rp_text_append(page, at, (size_t)(mark - at));
        at = mark + 2;
        size_t length = strcspn(at, "@");
        if (!strncmp(at, "style", length)) rp_text_string(page, source("page.css"));
        if (!strncmp(at, "scripts", length)) put_scripts(page);
        if (!strncmp(at, "document", length)) ok = put_document(page, json, size);
        at += length + strspn(at + length, "@");
    }
    rp_text_string(page, at);
    return ok && !page->failed ? RP_OK : RP_ERROR_NO_MEMORY;
}
