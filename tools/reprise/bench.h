/* Baselines: JSON with the counts, decisions and times of pipelines. */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "explain.h"
#include "measure_whole.h"

typedef struct cli_comparison {
    json_t *root; /* the baseline */
    uint32_t compared, worse, better, unknown;
} cli_comparison;

/* Reads a baseline; with `update` a file that is not there yet is an empty one. An exit status after messages. */
int cli_bench_open(const char *path, bool update, cli_comparison *out);

/* What is now, as an entry of a baseline; `measured` NULL: no time. */
json_t *cli_bench_entry(const cli_facts *facts, const char *passes, const cli_measured *measured);
/* Compares with the entry of the same pipeline, form, target and passes, and prints what differs. */
int cli_bench_compare(cli_comparison *comparison, json_t *entry, uint32_t tolerance);
/* Puts it in that one's place; times of other devices stay. */
int cli_bench_keep(cli_comparison *comparison, json_t *entry);
/* The last line, and with `update` the file. CLI_INPUT when something got worse. */
int cli_bench_end(cli_comparison *comparison, const char *path, bool update);

#endif
