/* Looking things up in the document of an inspection. */
#include <inttypes.h>
#include <stdio.h>
#include "explain.h"
#include "message.h"

static json_t *by_id(json_t *list, const char *key) {
    json_t *map = json_object(), *item;
    char name[32];
    size_t i;
    json_array_foreach(list, i, item) {
        snprintf(name, sizeof name, "%" JSON_INTEGER_FORMAT, cli_fact_number(item, key, -1));
        json_object_set(map, name, item);
    }
    return map;
}

bool cli_facts_open(const char *file, const json_t *root, json_t *form, cli_facts *out) {
    json_t *graph = json_object_get(form, "graph"), *facts = json_object_get(form, "facts"), *node,
           *id;
    size_t i, k;
    char name[32];
    *out = (cli_facts){.file = file,
                       .source_file = cli_fact_text(root, "source_file"),
                       .form = form,
                       .graph = graph,
                       .facts = facts};
    if (!json_is_object(graph) || !json_is_object(facts)) return false;
    out->nodes = by_id(json_object_get(graph, "nodes"), "id");
    out->node_facts = by_id(json_object_get(facts, "nodes"), "id");
    out->buffers = by_id(json_object_get(graph, "buffers"), "id");
    out->buffer_facts = by_id(json_object_get(facts, "buffers"), "buffer");
    out->inside = json_object();
    json_array_foreach(json_object_get(graph, "nodes"), i, node)
        json_array_foreach(json_object_get(node, "source"), k, id) {
        snprintf(name, sizeof name, "%" JSON_INTEGER_FORMAT, cli_fact_integer(id));
        json_object_set(out->inside, name, node);
    }
    return true;
}

void cli_facts_close(cli_facts *facts) {
    json_decref(facts->nodes);
    json_decref(facts->node_facts);
    json_decref(facts->buffers);
    json_decref(facts->buffer_facts);
    json_decref(facts->inside);
    *facts = (cli_facts){0};
}

json_t *cli_fact(const json_t *map, json_int_t id) {
    char name[32];
    snprintf(name, sizeof name, "%" JSON_INTEGER_FORMAT, id);
    return json_object_get(map, name);
}

/* Integers go up to 2^64 - 1, which Jansson reads as reals alone: those of ids, counts and bytes are exact. */
json_int_t cli_fact_integer(const json_t *value) {
    double number = json_number_value(value);
    return number >= 9e18 ? INT64_MAX : (json_int_t)number;
}

json_int_t cli_fact_number(const json_t *object, const char *key, json_int_t missing) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? cli_fact_integer(value) : missing;
}

const char *cli_fact_text(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

const char *cli_fact_bytes(double bytes, char text[32]) {
    if (bytes < 1e4)
        snprintf(text, 32, "%.0f bytes", bytes);
    else if (bytes < 1048576)
        snprintf(text, 32, "%.6g KiB", bytes / 1024);
    else
        snprintf(text, 32, "%.6g MiB", bytes / 1048576);
    return text;
}

/* The document of an inspection; NULL after a message. */
json_t *cli_facts_document(const char *file, rp_inspection *inspection) {
    char *text = NULL;
    json_error_t error;
    rp_diags *diags = cli_diags();
    rp_status status = rp_inspection_print(inspection, RP_INSPECTION_JSON, diags, &text, NULL);
    json_t *root = NULL;
    if (cli_report(diags, file, status) == CLI_OK &&
        !(root = json_loads(text, JSON_DECODE_INT_AS_REAL, &error)))
        cli_error(file, "its inspection is no JSON: %s", error.text);
    rp_diags_destroy(diags);
    rp_inspection_release(inspection, text);
    return root;
}
