/* Traces in the JSON of Chrome's trace events, which Perfetto reads: a process for the host and one for the device, in the
 * latter a track for each slot.
 *
 * The device's clock is its own. Where the driver calibrates it (rp_device_calibrate), it is asked before the first replay and
 * behind the last, and times between lie on the line through the two moments. Elsewhere the end of each replay is put
 * where the host saw it end, which is later than it was: the trace says so ("clock": "host"), and durations are right
 * all the same. */
#include "trace.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "message.h"
#include "output.h"

enum { HOST = 1, DEVICE = 2 };            /* processes */
enum { TRACK_MAIN = 1, TRACK_SLOT = 10 }; /* tracks; those of slots follow */

typedef struct gpu_span {
    double begin_ns, end_ns; /* of the device's clock */
    double begun, seen;      /* microseconds: the host submitted it, and saw it end */
    uint32_t slot, number;
} gpu_span;

static struct {
    json_t *events;
    double zero; /* CLOCK_MONOTONIC, ns */
    rp_calibration moments[2];
    uint32_t moment_count;
    gpu_span *spans;
    uint32_t span_count, span_capacity, slots;
} trace;

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

void cli_trace_begin(void) {
    trace.events = json_array();
    trace.zero = now_ns();
}

bool cli_trace_is_on(void) {
    return trace.events != NULL;
}

double cli_trace_now(void) {
    return (now_ns() - trace.zero) / 1e3;
}

/* ---- Events ---------------------------------------------------------------------------------- */

/* A complete event ("X"); takes over `args`. */
static void add(int process, int track, const char *category, const char *name, double start,
                double end, json_t *args) {
    json_t *event = json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:f}", "name", name, "cat", category,
                              "ph", "X", "pid", process, "tid", track, "ts", start, "dur",
                              end > start ? end - start : 0.0);
    if (args) json_object_set_new(event, "args", args);
    json_array_append_new(trace.events, event);
}

/* The name of a process, or with a track that of a track. */
static void name(int process, int track, const char *what) {
    json_array_append_new(trace.events,
                          json_pack("{s:s, s:s, s:i, s:i, s:{s:s}}", "name",
                                    track ? "thread_name" : "process_name", "ph", "M", "pid",
                                    process, "tid", track, "args", "name", what));
}

void cli_trace_host(const char *category, const char *what, double start, int slot) {
    if (!trace.events) return;
    add(HOST, TRACK_MAIN, category, what, start, cli_trace_now(),
        slot >= 0 ? json_pack("{s:i}", "slot", slot) : NULL);
}

void cli_trace_pass(const rp_pass_report *r) {
    if (!trace.events || !r) return;
    double end = cli_trace_now();
    json_t *args = json_pack("{s:i, s:i, s:i, s:s}", "nodes", (int)r->nodes_after, "groups",
                             (int)r->groups_after, "barriers", (int)r->barriers_after, "summary",
                             r->summary ? r->summary : "");
    add(HOST, TRACK_MAIN, "compile", r->pass, end - r->seconds * 1e6, end, args);
}

static void add_call(const char *call, uint32_t slot, uint32_t number, double start, double end) {
    add(HOST, TRACK_MAIN, "replay", call, start, end,
        json_pack("{s:i, s:i}", "replay", (int)number, "slot", (int)slot));
}

void cli_trace_submit(uint32_t slot, uint32_t number, double start) {
    if (trace.events) add_call("submit", slot, number, start, cli_trace_now());
}

void cli_trace_wait(rp_exec *exec, uint32_t slot, uint32_t number, double begun, double start) {
    if (!trace.events) return;
    double end = cli_trace_now();
    add_call("wait", slot, number, start, end);
    gpu_span span = {.begun = begun, .seen = end, .slot = slot, .number = number};
    if (rp_exec_gpu_span(exec, slot, &span.begin_ns, &span.end_ns) != RP_OK) return;
    if (trace.span_count == trace.span_capacity) {
        trace.span_capacity = 2 * trace.span_capacity + 64;
        gpu_span *more = cli_alloc(trace.span_capacity, sizeof *more);
        if (trace.span_count) memcpy(more, trace.spans, trace.span_count * sizeof *more);
        free(trace.spans);
        trace.spans = more;
    }
    trace.spans[trace.span_count++] = span;
    if (slot >= trace.slots) trace.slots = slot + 1;
}

void cli_trace_calibrate(rp_device *device) {
    rp_calibration moment = {.size = sizeof moment};
    if (!trace.events || rp_device_calibrate(device, &moment) != RP_OK) return;
    trace.moments[trace.moment_count < 2 ? trace.moment_count++ : 1] = moment;
}

/* ---- The device's clock ---------------------------------------------------------------------- */

/* Microseconds of the trace at a moment of the device's clock. */
static double place(double gpu_ns) {
    const rp_calibration *a = &trace.moments[0], *b = &trace.moments[1];
    double host = (double)a->host_ns, passed = gpu_ns - a->gpu_ns, rate = 1;
    if (trace.moment_count == 2 && b->gpu_ns - a->gpu_ns > 1e6)
        rate = ((double)b->host_ns - host) / (b->gpu_ns - a->gpu_ns);
    return (host + passed * rate - trace.zero) / 1e3;
}

static void add_spans(void) {
    for (uint32_t i = 0; i < trace.span_count; i++) {
        const gpu_span *s = &trace.spans[i];
        double length = (s->end_ns - s->begin_ns) / 1e3;
        double begin = trace.moment_count ? place(s->begin_ns) : s->seen - length;
        double end = trace.moment_count ? place(s->end_ns) : s->seen;
        char title[32];
        snprintf(title, sizeof title, "replay %u", s->number);
        if (begin > s->begun)
            add(DEVICE, TRACK_SLOT + (int)s->slot, "queue", "queued", s->begun, begin,
                json_pack("{s:i, s:i}", "replay", (int)s->number, "slot", (int)s->slot));
        add(DEVICE, TRACK_SLOT + (int)s->slot, "replay", title, begin, end,
            json_pack("{s:i, s:f}", "slot", (int)s->slot, "gpu_us", length));
    }
}

int cli_trace_end(const char *path, const char *device) {
    char title[64];
    if (!trace.events) return CLI_OK;
    add_spans();
    name(HOST, 0, "reprise");
    name(HOST, TRACK_MAIN, "host");
    if (trace.span_count) name(DEVICE, 0, device);
    for (uint32_t i = 0; i < trace.slots; i++) {
        snprintf(title, sizeof title, "slot %u", i);
        name(DEVICE, TRACK_SLOT + (int)i, title);
    }
    json_t *root = json_pack("{s:o, s:s, s:{s:s, s:s, s:I}}", "traceEvents", trace.events,
                             "displayTimeUnit", "ns", "otherData", "device", device ? device : "",
                             "clock", trace.moment_count ? "calibrated" : "host", "deviation_ns",
                             (json_int_t)(trace.moment_count ? trace.moments[0].deviation_ns : 0));
    trace.events = NULL;
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    int result = text ? cli_output_whole(path, text, strlen(text)) : CLI_ENVIRONMENT;
    free(text);
    json_decref(root);
    free(trace.spans);
    trace.spans = NULL;
    return result;
}
