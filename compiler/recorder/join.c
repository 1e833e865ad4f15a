/* From recorded calls to a graph: plays the calls of each recorder (player.c) and appends a node for
 * each that does something.
 *
 * A recorder's first mistake ends it, as later calls may only be wrong because of it; the other
 * recorders are still played, so several mistakes are reported at once. rp_graph_verify() then
 * judges what the calls mean together (overlaps, alignment, access allowed by the buffer's kind).
 * Its messages are to name calls as well: nodes carry the number of the call as their line and that
 * of the recorder as their column until then. */
#include "recorder/player.h"

/* What is made of the recorders. */
typedef struct joining {
    rp_recorder *const *recorders;
    rp_diags *diags;
    rp_push_blocks blocks;
} joining;

/* Says something of a call: at its place in the application's source, or else by its number. */
static void say(rp_diags *diags, rp_severity severity, const rp_recorder *r, uint32_t recorder,
                uint32_t call, rp_call_kind kind, const char *text) {
    const rp_call_place *at = rp_recorder_place(r, call);
    const char *file = at && at->file != RP_NONE ? (const char *)r->bytes + at->file : NULL;
    if (at)
        rp_diags_add(diags, severity, file, at->pos.line, at->pos.column, "%s: %s",
                     rp_call_name(kind), text);
    else
        rp_diags_add(diags, severity, NULL, 0, 0, "recorder %u, call %u (%s): %s", recorder, call,
                     rp_call_name(kind), text);
}

static void report(rp_player *p, rp_call_kind kind, const char *text) {
    joining *join = p->user;
    say(join->diags, RP_ERROR, join->recorders[p->recorder - 1], p->recorder, p->call, kind, text);
}

/* A kernel's node names the variant of the kernel that its push data or its uses ask for. */
static bool append_node(rp_player *p, rp_graph_node *node, const rp_graph_use *uses,
                        const uint8_t *bytes) {
    joining *join = p->user;
    if (node->kind == RP_RUN && p->live.words) {
        char why[512];
        rp_status status =
            rp_live_push_apply(p->g, &join->blocks, p->module, &p->live, bytes, node, p->uses, why);
        if (status == RP_ERROR_NO_MEMORY) return rp_play_no_memory(p);
        if (status != RP_OK)
            return rp_play_mistake(p, RP_CALL_PUSH_LIVE,
                                   "the push-constant block of kernel '%s' cannot be a buffer: %s",
                                   p->module->name, why);
    }
    if (node->kind == RP_RUN) {
        uint32_t count = node->use_count;
        if (count && uses[count - 1].indirect) count--;
        node->kernel = rp_kernel_for_uses(p->g, node->kernel, uses, count);
        if (node->kernel == RP_NONE) return rp_play_no_memory(p);
    }
    node->id = p->g->nodes_count;
    return rp_graph_add_node(p->g, node, uses, bytes) != RP_NONE || rp_play_no_memory(p);
}

/* One recorder, from an empty state. */
static void play(rp_player *p, const rp_recorder *r) {
    rp_player_restart(p);
    p->ranges = r->ranges;
    p->bytes = r->bytes;
    for (uint32_t i = 0; i < r->calls_count; i++) {
        p->call = i + 1;
        if (!rp_play_call(p, &r->calls[i])) return;
    }
    p->call = r->calls_count + 1;
    if (r->no_memory)
        rp_play_no_memory(p);
    else if (r->mistake)
        rp_play_mistake(p, r->mistake_kind, "%s", r->mistake);
    else if (p->label_ends_count > 0)
        rp_play_mistake(
            p, RP_CALL_LABEL_END, "missing at the end: %u label%s still open (\"%.100s\")",
            p->label_ends_count, p->label_ends_count == 1 ? " is" : "s are", p->path.data);
    else if (p->optional > 0)
        rp_play_mistake(p, RP_CALL_OPTIONAL_END, "missing at the end: %u still open", p->optional);
    else if (p->op != RP_NONE)
        rp_play_mistake(p, RP_CALL_OP_TAG, "the tag '%.100s' has no node behind it",
                        rp_graph_string(p->g, p->op));
}

static rp_status check_recorders(const rp_program *program, rp_recorder *const *recorders,
                                 uint32_t count, rp_diags *diags) {
    for (uint32_t i = 0; i < count; i++) {
        const char *wrong = !recorders[i]                      ? "is NULL"
                            : recorders[i]->program != program ? "belongs to another program"
                            : recorders[i]->sink == &rp_recorder_list
                                ? NULL
                                : "is one of direct mode, which keeps no calls";
        if (!wrong) continue;
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "recorder %u %s", i + 1, wrong);
        return RP_ERROR_USAGE;
    }
    return RP_OK;
}

static rp_status check_forms(const rp_program *program, rp_diags *diags) {
    uint32_t count = rp_forms_count(program->ranges, program->ranges_count);
    if (count > RP_MAX_FORMS) {
        rp_diags_add(
            diags, RP_ERROR, NULL, 0, 0,
            "the ranges of all sizes make %u forms, one for each combination: %d are the most",
            count, RP_MAX_FORMS);
        return RP_ERROR_INVALID;
    }
    for (uint32_t i = 0; i < program->ranges_count; i++) {
        uint32_t buffer = program->ranges[i].buffer;
        if (rp_graph_sizes_follow(program->base, buffer)) continue;
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "buffer '%s': no dimension follows it: ranges are for sizes",
                     rp_graph_string(program->base, program->base->buffers[buffer].name));
        return RP_ERROR_INVALID;
    }
    return RP_OK;
}

/* Gives the program's buffers the sizes of a form. */
static rp_status take_form(const rp_program *program, uint32_t form, rp_diags *diags,
                           rp_graph *graph) {
    uint32_t count = program->ranges_count, buffers[RP_MAX_FORMS], most[RP_MAX_FORMS];
    char error[RP_SIZE_ERROR], title[256];
    if (count == 0) return RP_OK;
    RP_TRY(check_forms(program, diags));
    rp_forms_most(program->ranges, count, form, most);
    for (uint32_t i = 0; i < count; i++) buffers[i] = program->ranges[i].buffer;
    rp_status status = rp_graph_limit(graph, buffers, most, count, error);
    if (status == RP_OK) return RP_OK;
    rp_forms_title(graph, program->ranges, count, form, title, sizeof title);
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "in the form for %s: %s", title, error);
    return status;
}

/* Clones the program's lists and plays all recorders; the mutex is held. */
static rp_status play_all(rp_program *program, rp_recorder *const *recorders, uint32_t count,
                          uint32_t form, rp_diags *diags, rp_graph **out_graph) {
    RP_TRY(rp_graph_clone(program->base, out_graph));
    RP_TRY(take_form(program, form, diags, *out_graph));
    bool failed = false;
    rp_player p;
    rp_player_init(&p, &program->allocator, program, *out_graph);
    p.modules = program->modules;
    p.module_count = program->modules_count;
    p.recorded_sizes = &program->base->sizes;
    joining join = {.recorders = recorders, .diags = diags};
    p.takes_live_push = true;
    p.add_node = append_node;
    p.mistake = report;
    p.user = &join;
    for (uint32_t i = 0; i < count && !p.no_memory; i++) {
        p.recorder = i + 1;
        play(&p, recorders[i]);
        failed |= p.failed;
    }
    rp_table_free(p.a, &join.blocks.table);
    rp_player_free(&p);
    return p.no_memory ? RP_ERROR_NO_MEMORY : failed ? RP_ERROR_INVALID : RP_OK;
}

/* ---- Verifying ------------------------------------------------------------------------------- */

/* Forwards what the verifier found, with calls in place of line and column. */
static void forward(rp_diags *from, rp_recorder *const *recorders, rp_diags *to) {
    for (uint32_t i = 0; i < rp_diags_count(from); i++) {
        rp_diag d = rp_diags_get(from, i);
        if (d.line == 0) {
            rp_diags_add(to, d.severity, NULL, 0, 0, "%s", d.message);
            continue;
        }
        const rp_recorder *r = recorders[d.column - 1];
        say(to, d.severity, r, d.column, d.line, (rp_call_kind)r->calls[d.line - 1].kind,
            d.message);
    }
}

/* Calls are no places in a file: later messages must not print them as such. */
static void replace(rp_source_pos *pos, rp_recorder *const *recorders) {
    const rp_call_place *at =
        pos->line ? rp_recorder_place(recorders[pos->column - 1], pos->line) : NULL;
    *pos = at ? at->pos : (rp_source_pos){0};
}

static rp_status verify(rp_graph *g, rp_recorder *const *recorders, rp_diags *diags) {
    rp_diags *found = rp_diags_create(&g->allocator);
    if (!found) return RP_ERROR_NO_MEMORY;
    rp_status status = rp_graph_verify(g, NULL, found);
    if (status == RP_OK) rp_graph_drop_idle(g);
    forward(found, recorders, diags);
    rp_diags_destroy(found);
    for (uint32_t i = 0; i < g->nodes_count; i++) replace(&g->nodes[i].pos, recorders);
    for (uint32_t i = 0; i < g->members_count; i++) replace(&g->members[i].pos, recorders);
    for (uint32_t i = 0; i < g->buffers_count; i++) replace(&g->buffers[i].pos, recorders);
    return status;
}

static uint32_t form_count(rp_program *program) {
    pthread_mutex_lock(&program->mutex);
    uint32_t count = rp_forms_count(program->ranges, program->ranges_count);
    pthread_mutex_unlock(&program->mutex);
    return count;
}

uint32_t rp_program_form_count(rp_program *program) {
    return program ? form_count(program) : 0;
}

rp_status rp_program_graph(rp_program *program, rp_recorder *const *recorders,
                           uint32_t recorder_count, rp_diags *diags, rp_graph **out_graph) {
    if (!out_graph) return RP_ERROR_USAGE;
    *out_graph = NULL;
    if (!program) return RP_ERROR_USAGE;
    return rp_program_form(program, recorders, recorder_count, form_count(program) - 1, diags,
                           out_graph);
}

rp_status rp_program_form(rp_program *program, rp_recorder *const *recorders,
                          uint32_t recorder_count, uint32_t form, rp_diags *diags,
                          rp_graph **out_graph) {
    if (!out_graph) return RP_ERROR_USAGE;
    *out_graph = NULL;
    if (!program || (!recorders && recorder_count > 0) || form >= form_count(program))
        return RP_ERROR_USAGE;
    RP_TRY(check_recorders(program, recorders, recorder_count, diags));
    rp_graph *graph = NULL;
    pthread_mutex_lock(&program->mutex);
    rp_status status = play_all(program, recorders, recorder_count, form, diags, &graph);
    pthread_mutex_unlock(&program->mutex);
    if (status == RP_OK) status = verify(graph, recorders, diags);
    if (status != RP_OK) {
        rp_graph_destroy(graph);
        return status;
    }
    *out_graph = graph;
    return RP_OK;
}
