/* The page: page.html with the style, the scripts and the document in their places.
 *
 * The document stands in a <script> of type application/json, where nothing but "</script" and "<!--" means
 * anything to a reader of HTML: every '<' in it is written as an escape of JSON. The scripts put texts of the document
 * into the page as text and nowhere as markup, and the page's policy lets nothing be loaded. */
#include "inspect/internal.h"

#include "embedded.h"

/* In the order in which they stand in the page. */
static const char *const scripts[] = {"model.js",  "dom.js",    "links.js", "panel.js",
                                      "passes.js", "lanes.js",  "arena.js", "tables.js",
                                      "time.js",   "search.js", "start.js"};

static const char *source(const char *name) {
    for (uint32_t i = 0; i < rp_page_sources_count; i++)
        if (!strcmp(rp_page_sources[i].name, name)) return rp_page_sources[i].text;
    return "";
}

static void put_scripts(rp_text *page) {
    for (uint32_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        rp_text_string(page, source(scripts[i]));
}

static void put_document(rp_text *page, const char *json, size_t size) {
    for (const char *end = json + size; json < end;) {
        const char *angle = memchr(json, '<', (size_t)(end - json));
        rp_text_append(page, json, (size_t)((angle ? angle : end) - json));
        if (!angle) return;
        rp_text_string(page, "\\u003c");
        json = angle + 1;
    }
}

void rp_inspect_page(rp_text *page, const char *json, size_t size) {
    const char *at = source("page.html");
    for (;;) {
        const char *mark = strstr(at, "@@");
        if (!mark) break;
        rp_text_append(page, at, (size_t)(mark - at));
        at = mark + 2;
        size_t length = strcspn(at, "@");
        if (!strncmp(at, "style", length)) rp_text_string(page, source("page.css"));
        if (!strncmp(at, "scripts", length)) put_scripts(page);
        if (!strncmp(at, "document", length)) put_document(page, json, size);
        at += length + strspn(at + length, "@");
    }
    rp_text_string(page, at);
}
