/* What explain says, from the document of an inspection (docs/json.md, "Inspections") and from nothing else: it could
 * be said of any. All of it goes to stdout. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <jansson.h>
#include <stdbool.h>
#include "reprise/inspect.h"
#include "source.h"

/* What is asked for: n17, b3 (the barrier before group 3), a buffer, two nodes, or all of it. */
typedef enum cli_subject {
    SUBJECT_ALL,
    SUBJECT_NODE,
    SUBJECT_PAIR,
    SUBJECT_BARRIER,
    SUBJECT_BUFFER
} cli_subject;

typedef struct cli_question {
    cli_subject subject;
    uint32_t id, other; /* of a node: its id; of a pair both; of a barrier its group */
    const char *name;   /* of a buffer, without its sigil */
} cli_question;

/* A form of a document, with what is looked up in it. */
typedef struct cli_facts {
    const char *file, *source_file; /* what lines are those of; NULL: not known */
    json_t *form, *graph, *facts;   /* borrowed */
    json_t *nodes, *node_facts, *buffers, *buffer_facts; /* objects by id, owned */
    json_t *inside; /* source id -> the node that does its work */
} cli_facts;

/* The document of an inspection, to be released; NULL after a message. */
json_t *cli_facts_document(const char *file, rp_inspection *inspection);

/* Of a form of the document `root`. False where it has no graph. */
bool cli_facts_open(const char *file, const json_t *root, json_t *form, cli_facts *out);
void cli_facts_close(cli_facts *facts);

json_t *cli_fact(const json_t *by_id, json_int_t id); /* NULL: there is none */
json_int_t cli_fact_integer(const json_t *value);
json_int_t cli_fact_number(const json_t *object, const char *key, json_int_t missing);
const char *cli_fact_text(const json_t *object, const char *key); /* NULL */
/* "1536 bytes", "2.00 MB" */
const char *cli_fact_bytes(double bytes, char text[32]);

/* CLI_OK, or CLI_INPUT after a message where there is no such thing. */
int cli_explain(const cli_facts *facts, const cli_question *question);

/* ---- What if (what_if.c) ---- */

typedef enum cli_change { CHANGE_NOTHING, CHANGE_NO_REUSE, CHANGE_RANGE, CHANGE_FUSE } cli_change;

typedef struct cli_what_if {
    cli_change change;
    const char *buffer, *range; /* "h", "$h[0+64]" */
    uint32_t node;
    uint32_t fused[64], fused_count;
} cli_what_if;

/* Reads "no-reuse=%h", "range=n7:%h[0+64]" or "fuse=n3,n4". CLI_OK, or CLI_USAGE after a message. */
int cli_what_if_read(const cli_command *command, const char *text, cli_what_if *out);

/* Whether the nodes that it names are there. CLI_OK, or CLI_INPUT after a message. */
int cli_what_if_check(const cli_what_if *what, const cli_facts *now);
/* Compiles the graph as it would be then, tells `into` of it, and leaves what came of it. An exit status after
 * messages. */
int cli_what_if_compile(const cli_what_if *what, const rp_graph *graph,
                        const rp_pass_options *passes, const char *file, rp_inspection *into);
/* What is better and what is worse: figures of two documents. */
void cli_what_if_say(const cli_what_if *what, const cli_facts *now, const cli_facts *then);

#endif
