/* Explaining in words what the document of an inspection says. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "explain.h"
#include "message.h"

enum { MOST = 12 }; /* things of a list */

static json_t *node_of(const cli_facts *f, json_int_t id) {
    json_t *node = cli_fact(f->nodes, id);
    return node ? node : cli_fact(f->inside, id);
}

/* ---- Words ----------------------------------------------------------------------------------- */

static void say_buffer(const cli_facts *f, json_int_t id) {
    const json_t *b = cli_fact(f->buffers, id);
    const char *kind = b ? cli_fact_text(b, "kind") : NULL;
    printf("%s%s", kind && !strcmp(kind, "tmp") ? "%" : "$", b ? cli_fact_text(b, "name") : "?");
}

static void say_work(const json_t *node) {
    json_t *members = json_object_get(node, "members"), *member;
    size_t i;
    printf("n%" JSON_INTEGER_FORMAT, cli_fact_number(node, "id", 0));
    if (!json_array_size(members)) printf(" %s", cli_fact_text(node, "name"));
    json_array_foreach(members, i, member) printf(" %s", cli_fact_text(member, "op"));
}

static void say_ids(const json_t *list, const char *nothing) {
    size_t i, count = json_array_size(list);
    for (i = 0; i < count && i < MOST; i++)
        printf("%sn%" JSON_INTEGER_FORMAT, i ? ", " : "",
               cli_fact_integer(json_array_get(list, i)));
    if (count > MOST) printf(" and %zu more", count - MOST);
    if (count == 0) printf("%s", nothing);
}

static const char *say_time(double ns, char text[32]) {
    if (ns < 1)
        snprintf(text, 32, "less than 1 ns");
    else if (ns < 1000)
        snprintf(text, 32, "%.0f ns", ns);
    else
        snprintf(text, 32, "%.2f us", ns / 1e3);
    return text;
}

static void say_boundary(const cli_facts *f, json_int_t at) {
    json_int_t groups = (json_int_t)json_array_size(json_object_get(f->graph, "groups"));
    if (at == 0)
        printf("the barrier before the plan");
    else if (at >= groups)
        printf("the barrier at the end");
    else
        printf("the barrier before group %" JSON_INTEGER_FORMAT, at);
}

/* What the later node says that it uses, where that is more than the bytes that are shared. */
static void say_named(const cli_facts *f, const json_t *h) {
    json_int_t buffer = cli_fact_number(h, "buffer", -1), first = cli_fact_number(h, "offset", 0);
    json_int_t size = cli_fact_number(h, "size", 0);
    const json_t *node = cli_fact(f->nodes, cli_fact_number(h, "to", -1));
    json_t *use;
    size_t i;
    char bytes[32];
    json_array_foreach(json_object_get(node, "uses"), i, use) {
        json_int_t offset = cli_fact_number(use, "offset", 0),
                   all = cli_fact_number(use, "size", 0);
        if (cli_fact_number(use, "buffer", -1) != buffer || all <= size) continue;
        if (offset > first || first + size > offset + all) continue;
        printf(" of the %s that it names", cli_fact_bytes((double)all, bytes));
        return;
    }
}

/* "n7 reads %h (4096 bytes), which n3 wrote" */
static void say_hazard(const cli_facts *f, const json_t *h) {
    const char *kind = cli_fact_text(h, "kind");
    json_int_t from = cli_fact_number(h, "from", 0), to = cli_fact_number(h, "to", -1);
    json_int_t buffer = cli_fact_number(h, "buffer", -1),
               earlier = cli_fact_number(h, "from_buffer", -1);
    char bytes[32];
    if (to < 0)
        printf("the host");
    else
        printf("n%" JSON_INTEGER_FORMAT, to);
    if (json_is_true(json_object_get(h, "next_replay"))) printf(" of the next replay");
    if (buffer < 0 || !strcmp(kind, "order")) {
        printf(" comes behind n%" JSON_INTEGER_FORMAT ", one of which may touch anything", from);
        return;
    }
    printf(" %s ", !strcmp(kind, "raw") ? "reads" : "overwrites");
    say_buffer(f, buffer);
    json_int_t size = cli_fact_number(h, "size", 0), offset = cli_fact_number(h, "offset", 0);
    bool whole = offset == 0 && size == cli_fact_number(cli_fact(f->buffers, buffer), "size", -1);
    if (whole)
        printf(" (all %s)", cli_fact_bytes((double)size, bytes));
    else
        printf("[%" JSON_INTEGER_FORMAT "+%" JSON_INTEGER_FORMAT "]", offset, size);
    if (!whole) say_named(f, h);
    printf(", which n%" JSON_INTEGER_FORMAT " %s", from, !strcmp(kind, "war") ? "reads" : "writes");
    if (earlier >= 0 && earlier != buffer) {
        printf(" as ");
        say_buffer(f, earlier);
        printf(": they share memory");
    }
}

/* Whether hazard `index` of a barrier is ordered by nothing else. */
static bool is_alone(const cli_facts *f, const json_t *barrier, size_t index) {
    json_t *fact, *at;
    size_t i, k;
    json_int_t group = cli_fact_number(barrier, "before_group", 0);
    json_array_foreach(json_object_get(f->facts, "barriers"), i, fact) {
        if (cli_fact_number(fact, "before_group", -1) != group) continue;
        json_array_foreach(json_object_get(fact, "alone"), k,
                           at) if (cli_fact_integer(at) == (json_int_t)index) return true;
    }
    return false;
}

typedef bool hazard_wanted(const json_t *hazard, const void *context);

/* Of a reader that waits for elements, in the form in which it does. */
static void say_waits(const json_t *hazard) {
    if (json_is_true(json_object_get(hazard, "waits")))
        printf("; in the tagged form n%" JSON_INTEGER_FORMAT " waits for all of it",
               cli_fact_number(hazard, "to", 0));
}

/* The hazards that are wanted, a line each; how many there are. */
static size_t say_hazards(const cli_facts *f, hazard_wanted *wanted, const void *context) {
    json_t *barrier, *hazard;
    size_t i, k, count = 0;
    json_array_foreach(json_object_get(f->graph, "barriers"), i, barrier) {
        json_array_foreach(json_object_get(barrier, "hazards"), k, hazard) {
            if (!wanted(hazard, context) || count++ >= 2 * MOST) continue;
            printf("  %s: ", cli_fact_text(hazard, "kind"));
            say_hazard(f, hazard);
            printf("; ordered by ");
            say_boundary(f, cli_fact_number(barrier, "before_group", 0));
            printf("%s", is_alone(f, barrier, k) ? " alone" : ", and by others");
            say_waits(hazard);
            printf("\n");
        }
    }
    if (count > 2 * MOST) printf("  and %zu more\n", count - 2 * MOST);
    return count;
}

static bool ends_at(const json_t *h, const void *id) {
    return cli_fact_number(h, "to", -1) == *(const json_int_t *)id;
}

static bool is_between(const json_t *h, const void *ids) {
    const json_int_t *pair = ids;
    json_int_t from = cli_fact_number(h, "from", -1), to = cli_fact_number(h, "to", -1);
    return (from == pair[0] && to == pair[1]) || (from == pair[1] && to == pair[0]);
}

static bool is_about(const json_t *h, const void *id) {
    json_int_t buffer = *(const json_int_t *)id;
    return cli_fact_number(h, "buffer", -1) == buffer ||
           cli_fact_number(h, "from_buffer", -1) == buffer;
}

/* Whether a decision names a node of the list. */
static bool names_any(const json_t *decision, const json_t *ids) {
    json_t *named, *id;
    size_t i, k;
    json_array_foreach(json_object_get(decision, "nodes"), i, named) json_array_foreach(
        ids, k, id) if (cli_fact_integer(named) == cli_fact_integer(id)) return true;
    return false;
}

/* Decisions that name nodes of both lists; `second` may be NULL. How many. */
static size_t say_decisions(const cli_facts *f, const json_t *first, const json_t *second) {
    json_t *pass, *decision;
    size_t i, k, count = 0;
    json_array_foreach(json_object_get(f->form, "passes"), i, pass) {
        json_array_foreach(json_object_get(pass, "decisions"), k, decision) {
            if (!names_any(decision, first) || (second && !names_any(decision, second))) continue;
            if (count++ < 2 * MOST)
                printf("  %s: %s\n", cli_fact_text(pass, "pass"), cli_fact_text(decision, "text"));
        }
    }
    if (count > 2 * MOST) printf("  and %zu more\n", count - 2 * MOST);
    return count;
}

/* ---- A node ---------------------------------------------------------------------------------- */

static void say_source(const cli_facts *f, const json_t *node) {
    json_t *id, *source, *sources = json_object_get(json_object_get(f->form, "source"), "nodes");
    size_t i, k;
    json_array_foreach(json_object_get(node, "source"), i, id) {
        json_array_foreach(sources, k, source) {
            if (cli_fact_number(source, "id", -1) != cli_fact_integer(id)) continue;
            json_int_t line = cli_fact_number(source, "line", 0);
            const char *text = cli_fact_text(source, "text"),
                       *written = cli_fact_text(source, "written");
            if (!text && written) text = written + strspn(written, " \t");
            printf("  n%" JSON_INTEGER_FORMAT, cli_fact_integer(id));
            if (line && f->source_file)
                printf(" at %s:%" JSON_INTEGER_FORMAT, f->source_file, line);
            else if (line)
                printf(" at line %" JSON_INTEGER_FORMAT, line);
            printf(": %s\n", text ? text : "");
        }
    }
}

static void say_place(const cli_facts *f, const json_t *node, const json_t *fact) {
    json_int_t group = cli_fact_number(node, "group", -1),
               groups = (json_int_t)json_array_size(json_object_get(f->graph, "groups"));
    json_int_t earliest = cli_fact_number(fact, "earliest", group),
               latest = cli_fact_number(fact, "latest", group);
    if (group < 0) {
        printf("Not scheduled yet.\n");
        return;
    }
    printf("Place: group %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT ". ", group, groups);
    if (earliest == latest)
        printf("It can stand nowhere else: ");
    else
        printf("It could stand in groups %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT ": ",
               earliest, latest);
    printf("it needs ");
    say_ids(json_object_get(fact, "after"), "nothing that another node computes");
    printf(".%s\n", json_is_true(json_object_get(fact, "critical"))
                        ? " It is on a longest path: whatever runs one group later behind it makes "
                          "the plan longer."
                        : "");
}

static void say_cost(const json_t *fact) {
    double read = json_number_value(json_object_get(fact, "bytes_read")),
           written = json_number_value(json_object_get(fact, "bytes_written"));
    const json_t *expected = json_object_get(fact, "expected_ns"),
                 *memory = json_object_get(fact, "memory_ns"),
                 *operations = json_object_get(fact, "operations");
    char a[32], b[32], time[32];
    if (!json_object_get(fact, "bytes_read")) return;
    printf("Cost: %s read, %s written", cli_fact_bytes(read, a), cli_fact_bytes(written, b));
    if (operations) printf(", %.0f operations", json_number_value(operations));
    if (memory)
        printf("; the bytes alone take %s at the target's rate",
               say_time(json_number_value(memory), time));
    if (expected)
        printf("; %s expected, its launch included", say_time(json_number_value(expected), time));
    printf(".\n");
    if (cli_fact_text(fact, "variant"))
        printf("Variant: %s%s%s.\n", cli_fact_text(fact, "variant"),
               cli_fact_text(fact, "decided") ? ": " : "",
               cli_fact_text(fact, "decided") ? cli_fact_text(fact, "decided") : "");
}

/* The one hazard that a node's place hangs on: without it another group would be possible. */
static void say_changes(const cli_facts *f, const json_t *node, const json_t *fact) {
    json_t *after = json_object_get(fact, "after"), *id;
    json_int_t group = cli_fact_number(node, "group", 0);
    size_t i, last = 0;
    json_int_t who = -1;
    json_array_foreach(after, i, id) {
        if (cli_fact_number(node_of(f, cli_fact_integer(id)), "group", -1) != group - 1) continue;
        who = cli_fact_integer(id);
        last++;
    }
    printf("What would change it: ");
    if (group == 0)
        printf("nothing, it runs first.\n");
    else if (last == 1)
        printf("it stands behind n%" JSON_INTEGER_FORMAT
               " alone; if the two shared no byte, or were one kernel, it could run a group "
               "earlier (explain n%" JSON_INTEGER_FORMAT " n%" JSON_INTEGER_FORMAT ").\n",
               who, who, cli_fact_number(node, "id", 0));
    else if (last)
        printf("%zu nodes of the group before would all have to leave its bytes alone.\n", last);
    else
        printf("it is not held by the group before: a lower peak of memory, or a limit, keeps it "
               "where it is.\n");
}

static int explain_node(const cli_facts *f, json_int_t id) {
    json_t *node = node_of(f, id), *fact;
    if (!node) {
        json_t *ids = json_pack("[I]", id);
        cli_error(f->file, "has no node n%" JSON_INTEGER_FORMAT " after compiling", id);
        say_decisions(f, ids, NULL);
        json_decref(ids);
        return CLI_INPUT;
    }
    json_int_t own = cli_fact_number(node, "id", id);
    fact = cli_fact(f->node_facts, own);
    if (own != id)
        printf("n%" JSON_INTEGER_FORMAT " is computed by n%" JSON_INTEGER_FORMAT ".\n", id, own);
    say_work(node);
    printf("\n");
    say_source(f, node);
    say_place(f, node, fact);
    say_cost(fact);
    printf("What orders it:\n");
    if (!say_hazards(f, ends_at, &own)) printf("  nothing\n");
    printf("What was decided:\n");
    if (!say_decisions(f, json_object_get(node, "source"), NULL))
        printf("  nothing that names it\n");
    if (cli_fact_number(node, "group", -1) >= 0) say_changes(f, node, fact);
    return CLI_OK;
}

/* ---- Two nodes ------------------------------------------------------------------------------- */

static int explain_pair(const cli_facts *f, json_int_t a, json_int_t b) {
    json_t *first = node_of(f, a), *second = node_of(f, b);
    if (!first || !second) {
        cli_error(f->file, "has no node n%" JSON_INTEGER_FORMAT " after compiling", first ? b : a);
        return CLI_INPUT;
    }
    if (first == second) {
        printf("n%" JSON_INTEGER_FORMAT " and n%" JSON_INTEGER_FORMAT " are one kernel: ", a, b);
        say_work(first);
        printf("\n");
        say_decisions(f, json_object_get(first, "source"), NULL);
        return CLI_OK;
    }
    const json_int_t ids[2] = {cli_fact_number(first, "id", a), cli_fact_number(second, "id", b)};
    say_work(first);
    printf(" in group %" JSON_INTEGER_FORMAT ", ", cli_fact_number(first, "group", -1));
    say_work(second);
    printf(" in group %" JSON_INTEGER_FORMAT "\nWhat orders them:\n",
           cli_fact_number(second, "group", -1));
    if (!say_hazards(f, is_between, ids))
        printf("  nothing of their own: no byte of the one is one that the other writes, or others "
               "between them order it\n");
    printf("Why they are not one kernel:\n");
    if (!say_decisions(f, json_object_get(first, "source"), json_object_get(second, "source")))
        printf("  fuse never had them as a pair: no value goes from the one to the other, or one "
               "is no op\n");
    return CLI_OK;
}

/* ---- A barrier ------------------------------------------------------------------------------- */

static bool is_tagged(const cli_facts *f) {
    return cli_fact_number(json_object_get(f->graph, "stats"), "tagged", 0) > 0;
}

/* What stands there where readers of tagged buffers wait for elements. */
static void say_tagged_form(const json_t *barrier) {
    const char *src = cli_fact_text(barrier, "tagged_src"),
               *dst = cli_fact_text(barrier, "tagged_dst");
    if (!json_object_get(barrier, "tagged_src")) return;
    if (!strcmp(src, "none") && !strcmp(dst, "none"))
        printf("In the tagged form it does not stand there: readers wait for elements.\n");
    else
        printf("In the tagged form: %s -> %s.\n", src, dst);
}

static int explain_barrier(const cli_facts *f, json_int_t group) {
    json_t *barrier, *hazard, *found = NULL;
    size_t i, alone = 0, shared = 0;
    json_array_foreach(json_object_get(f->graph, "barriers"), i,
                       barrier) if (cli_fact_number(barrier, "before_group", -1) == group) found =
        barrier;
    if (!found) {
        json_t *barriers = json_object_get(f->graph, "barriers");
        size_t count = json_array_size(barriers);
        json_int_t first = cli_fact_number(json_array_get(barriers, 0), "before_group", 0),
                   last = count ? cli_fact_number(json_array_get(barriers, count - 1),
                                                  "before_group", 0)
                                : 0;
        if (count == 0)
            cli_error(f->file, "has no barriers after compiling");
        else
            cli_error(f->file,
                      "has no barrier before group %" JSON_INTEGER_FORMAT
                      "; it has %zu, from b%" JSON_INTEGER_FORMAT " to b%" JSON_INTEGER_FORMAT,
                      group, count, first, last);
        return CLI_INPUT;
    }
    say_boundary(f, group);
    printf(": %s -> %s\n", cli_fact_text(found, "src"), cli_fact_text(found, "dst"));
    json_t *hazards = json_object_get(found, "hazards");
    json_array_foreach(hazards, i, hazard) {
        bool only = is_alone(f, found, i);
        alone += only;
        shared += only && cli_fact_number(hazard, "from_buffer", -1) !=
                              cli_fact_number(hazard, "buffer", -1);
        if (i >= 3 * MOST) continue;
        printf("  %s: ", cli_fact_text(hazard, "kind"));
        say_hazard(f, hazard);
        printf("%s", only ? "" : "; ordered by another barrier, too");
        say_waits(hazard);
        printf("\n");
    }
    if (json_array_size(hazards) > 3 * MOST)
        printf("  and %zu more\n", json_array_size(hazards) - 3 * MOST);
    say_tagged_form(found);
    printf("Without it%s: ", is_tagged(f) ? " in the form with all barriers" : "");
    if (alone == 0)
        printf("nothing would break: other barriers order all of this.\n");
    else if (alone == shared)
        printf("%zu hazards would be ordered by nothing, all because transients share memory "
               "(--what-if no-reuse=NAME).\n",
               alone);
    else
        printf("%zu of %zu hazards would be ordered by nothing.\n", alone,
               json_array_size(hazards));
    printf("What would change it: ");
    if (alone == 1)
        printf("it stands for one hazard; if its nodes touched other bytes (--what-if "
               "range=nID:BUFFER[OFFSET+SIZE]) or were one kernel (--what-if fuse=nA,nB), it would "
               "go.\n");
    else if (alone)
        printf(
            "all of these %zu would have to go: the nodes touch other bytes, or are one kernel.\n",
            alone);
    else
        printf("it may be left out; -O1 would not put it there.\n");
    return CLI_OK;
}

/* ---- A buffer -------------------------------------------------------------------------------- */

static int explain_buffer(const cli_facts *f, const char *name) {
    json_t *buffer, *found = NULL, *pair;
    size_t i, shares = 0;
    char bytes[32];
    json_array_foreach(json_object_get(f->graph, "buffers"), i,
                       buffer) if (!strcmp(cli_fact_text(buffer, "name"), name)) found = buffer;
    if (!found) {
        cli_error(f->file,
                  "has no buffer '%s' after compiling: a value that stays in a kernel has none",
                  name);
        return CLI_INPUT;
    }
    json_int_t id = cli_fact_number(found, "id", 0), offset = cli_fact_number(found, "offset", -1);
    const json_t *fact = cli_fact(f->buffer_facts, id);
    say_buffer(f, id);
    printf(": %s, %s", cli_fact_text(found, "kind"),
           cli_fact_bytes((double)cli_fact_number(found, "size", 0), bytes));
    if (offset >= 0) printf(", at byte %" JSON_INTEGER_FORMAT " of the arena", offset);
    printf("\nWritten by ");
    say_ids(json_object_get(fact, "writers"), "the host alone");
    printf("; read by ");
    say_ids(json_object_get(fact, "readers"), "nobody");
    printf(".\n");
    if (cli_fact_number(fact, "first_group", -1) >= 0)
        printf("Alive from group %" JSON_INTEGER_FORMAT " to group %" JSON_INTEGER_FORMAT ".\n",
               cli_fact_number(fact, "first_group", 0), cli_fact_number(fact, "last_group", 0));
    if (json_is_true(json_object_get(found, "tagged")))
        printf(
            "Tagged: each element lies in a word with the number of its replay, %s of words in "
            "all, which outlive the replay and share memory with nothing. Readers wait for words "
            "in place of a barrier.\n",
            cli_fact_bytes(2 * (double)cli_fact_number(found, "size", 0), bytes));
    json_array_foreach(json_object_get(f->facts, "aliases"), i, pair) {
        json_int_t a = cli_fact_integer(json_array_get(pair, 0)),
                   b = cli_fact_integer(json_array_get(pair, 1));
        if (a != id && b != id) continue;
        if (shares < MOST) {
            printf("%s", shares ? ", " : "Shares memory with ");
            say_buffer(f, a == id ? b : a);
        }
        shares++;
    }
    if (shares > MOST) printf(" and %zu more", shares - MOST);
    if (shares) printf(".\n");
    json_int_t fullest = cli_fact_number(f->facts, "fullest_group", -1);
    if (offset >= 0 && fullest >= 0) {
        json_int_t bound =
            cli_fact_number(json_object_get(f->graph, "stats"), "arena_bound_bytes", 0);
        bool here = fullest >= cli_fact_number(fact, "first_group", 0) &&
                    fullest <= cli_fact_number(fact, "last_group", -1);
        printf("The arena is as large as it is for group %" JSON_INTEGER_FORMAT
               ", in which %s are alive; this buffer %s.\n",
               fullest, cli_fact_bytes((double)bound, bytes),
               here ? "is one of them" : "is not among them");
    }
    printf("What is ordered for it:\n");
    if (!say_hazards(f, is_about, &id)) printf("  nothing\n");
    return CLI_OK;
}

/* ---- All ------------------------------------------------------------------------------------- */

static int explain_all(const cli_facts *f) {
    const json_t *stats = json_object_get(f->graph, "stats");
    json_t *pass;
    size_t i;
    char a[32], b[32], c[32];
    printf("%s: %" JSON_INTEGER_FORMAT " nodes in %" JSON_INTEGER_FORMAT
           " groups with %" JSON_INTEGER_FORMAT
           " barrier%s between them; the longest path has %" JSON_INTEGER_FORMAT
           " nodes, so no order needs fewer than %" JSON_INTEGER_FORMAT ".\n",
           cli_fact_text(f->graph, "graph"), cli_fact_number(stats, "nodes", 0),
           cli_fact_number(stats, "groups", 0), cli_fact_number(stats, "barriers", 0),
           cli_fact_number(stats, "barriers", 0) == 1 ? "" : "s",
           cli_fact_number(f->facts, "longest_path", 0),
           cli_fact_number(stats, "barrier_bound", 0));
    if (is_tagged(f))
        printf("In the tagged form %" JSON_INTEGER_FORMAT
               " of these barriers stand: readers of %" JSON_INTEGER_FORMAT
               " buffers wait for elements.\n",
               cli_fact_number(stats, "tagged_barriers", 0), cli_fact_number(stats, "tagged", 0));
    printf("Transients take %s of arena; %s are alive at once at most, and %s they would take "
           "unshared.\n",
           cli_fact_bytes((double)cli_fact_number(stats, "arena_bytes", 0), a),
           cli_fact_bytes((double)cli_fact_number(stats, "arena_bound_bytes", 0), b),
           cli_fact_bytes((double)cli_fact_number(stats, "transient_bytes", 0), c));
    json_array_foreach(json_object_get(f->form, "passes"), i, pass)
        printf("  %s: %s\n", cli_fact_text(pass, "pass"), cli_fact_text(pass, "summary"));
    return CLI_OK;
}

int cli_explain(const cli_facts *f, const cli_question *q) {
    switch (q->subject) {
    case SUBJECT_ALL: return explain_all(f);
    case SUBJECT_NODE: return explain_node(f, q->id);
    case SUBJECT_PAIR: return explain_pair(f, q->id, q->other);
    case SUBJECT_BARRIER: return explain_barrier(f, q->id);
    case SUBJECT_BUFFER: return explain_buffer(f, q->name);
    }
    return CLI_USAGE;
}
