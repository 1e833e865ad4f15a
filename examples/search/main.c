/* Search: which passages of the licences under /usr/share/common-licenses answer a question?
 *
 * The host turns text into vectors; the pipeline search.yaml finds their lengths, multiplies, and
 * selects the best. It is compiled for the number of passages found, its answer is compared with
 * one computed here in double precision, and it is replayed for a few seconds to show what that
 * costs.
 *
 *   example_search [FOLDER-OF-search.yaml [FOLDER-OF-TEXT]]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <reprise/compiler.h>
#include <reprise/runtime.h>

#include "text.h"

enum { DIMS = 2048, BEST = 3 };

/* Replays end after so many or after so many seconds, whichever comes first: a GPU is done in less
 * than a second, a software device on a small machine takes a tenth of one for each. */
enum { MOST_REPLAYS = 1000, MOST_SECONDS = 8 };

static const char *const questions[] = {
    "May I sell copies of the program for a fee?",
    "Who is liable for damages if the software does not work?",
    "Do I have to give the source code to people who receive the binary?",
    "Can my patent license be terminated if I sue somebody?",
};
enum { QUESTIONS = sizeof questions / sizeof questions[0] };

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int fail(rp_status status, const char *doing, const rp_diags *diags) {
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        char line[512];
        rp_diag d = rp_diags_get(diags, i);
        rp_diag_format(&d, line, sizeof line);
        fprintf(stderr, "%s\n", line);
    }
    fprintf(stderr, "search: %s: %s (%s)\n", doing, rp_status_name(status),
            rp_status_advice(status));
    return status == RP_ERROR_NO_DEVICE ? 3 : 1;
}

/* ---- The work -------------------------------------------------------------------------------- */

typedef struct search {
    passages text;
    float *passage, *question; /* [count][DIMS], [QUESTIONS][DIMS] */
    uint32_t index[QUESTIONS][BEST];
    float score[QUESTIONS][BEST];
    rp_diags *diags;
    rp_pipeline *pipeline;
    rp_plan *plan;
    rp_device *device;
    rp_exec *exec;
} search;

static int make_vectors(search *s) {
    s->passage = calloc((size_t)s->text.count * DIMS, sizeof *s->passage);
    s->question = calloc((size_t)QUESTIONS * DIMS, sizeof *s->question);
    if (!s->passage || !s->question) return -1;
    for (uint32_t i = 0; i < s->text.count; i++)
        count_ngrams(s->text.items[i].text, s->passage + (size_t)i * DIMS, DIMS);
    for (uint32_t i = 0; i < QUESTIONS; i++)
        count_ngrams(questions[i], s->question + (size_t)i * DIMS, DIMS);
    weigh(s->passage, s->text.count, s->question, QUESTIONS, DIMS);
    return 0;
}

static rp_status compile(search *s, const char *folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/search.yaml", folder);
    const rp_param_value params[] = {
        {"passages", s->text.count}, {"questions", QUESTIONS}, {"dims", DIMS}, {"best", BEST}};
    rp_status status = rp_pipeline_load(NULL, path, params, 4, s->diags, &s->pipeline);
    if (status != RP_OK) return status;
    return rp_compile(rp_pipeline_graph(s->pipeline), NULL, s->diags, &s->plan, NULL);
}

static rp_status instantiate(search *s) {
    const rp_exec_params params = {.size = sizeof params, .timestamps = 1};
    rp_status status = rp_device_create(NULL, NULL, s->diags, &s->device);
    if (status == RP_OK) status = rp_exec_create(s->device, s->plan, &params, s->diags, &s->exec);
    if (status == RP_OK)
        status = rp_exec_write(s->exec, 0, "passage", 0, s->passage,
                               (uint64_t)s->text.count * DIMS * sizeof(float), s->diags);
    if (status == RP_OK)
        status = rp_exec_write(s->exec, 0, "question", 0, s->question,
                               (uint64_t)QUESTIONS * DIMS * sizeof(float), s->diags);
    return status;
}

/* ---- The check ------------------------------------------------------------------------------- */

static double cosine(const float *a, const float *b) {
    double ab = 0, aa = 0, bb = 0;
    for (int d = 0; d < DIMS; d++) {
        ab += (double)a[d] * b[d];
        aa += (double)a[d] * a[d];
        bb += (double)b[d] * b[d];
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

/* The r-th score found must be the r-th largest there is, and belong to the passage named with it.
 */
static int check(const search *s) {
    for (uint32_t q = 0; q < QUESTIONS; q++) {
        double best[BEST] = {-2, -2, -2};
        for (uint32_t i = 0; i < s->text.count; i++) {
            double c = cosine(s->question + (size_t)q * DIMS, s->passage + (size_t)i * DIMS);
            for (int r = 0; r < BEST; r++)
                if (c > best[r]) {
                    double swap = best[r];
                    best[r] = c;
                    c = swap;
                }
        }
        for (int r = 0; r < BEST; r++) {
            uint32_t at = s->index[q][r];
            double tolerance = 1e-5;
            if (at >= s->text.count || fabs(s->score[q][r] - best[r]) > tolerance ||
                fabs(cosine(s->question + (size_t)q * DIMS, s->passage + (size_t)at * DIMS) -
                     s->score[q][r]) > tolerance) {
                fprintf(stderr, "search: question %u, place %d: passage %u with %f, expected %f\n",
                        q, r, at, s->score[q][r], best[r]);
                return -1;
            }
        }
    }
    return 0;
}

/* ---- Reports --------------------------------------------------------------------------------- */

static void print_answers(const search *s) {
    for (uint32_t q = 0; q < QUESTIONS; q++) {
        printf("\n%s\n", questions[q]);
        for (int r = 0; r < BEST; r++) {
            const passage *p = &s->text.items[s->index[q][r]];
            printf("  %.3f  %s: %.150s%s\n", s->score[q][r], p->file, p->text,
                   strlen(p->text) > 150 ? "..." : "");
        }
    }
}

static void print_plan(const search *s) {
    rp_plan_info i = {.size = sizeof i};
    rp_plan_get_info(s->plan, &i);
    printf("\nplan: %u dispatches in %u groups, %u barriers (bound %u), arena %.1f MB (bound %.1f "
           "MB), "
           "proven: %llu reads, %llu conflicts\n",
           i.dispatches, i.groups, i.barriers, i.barrier_bound, (double)i.arena_bytes / 1e6,
           (double)i.arena_bound_bytes / 1e6, (unsigned long long)i.certificate.reads_proven,
           (unsigned long long)i.certificate.conflicts_proven);
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static rp_status replay_once(search *s, double *submit, double *gpu) {
    double before = seconds();
    rp_status status = rp_exec_submit(s->exec, NULL, NULL, NULL);
    *submit = seconds() - before;
    if (status == RP_OK) status = rp_exec_wait(s->exec, 0, UINT64_MAX, NULL);
    *gpu = rp_exec_gpu_seconds(s->exec, 0);
    return status;
}

static rp_status replay(search *s) {
    static double submit[MOST_REPLAYS], gpu[MOST_REPLAYS];
    rp_status status = replay_once(s, submit, gpu); /* warm up */
    double start = seconds(), wall = 0;
    int count = 0;
    while (count < MOST_REPLAYS && wall < MOST_SECONDS && status == RP_OK) {
        status = replay_once(s, &submit[count], &gpu[count]);
        count++;
        wall = seconds() - start;
    }
    if (status != RP_OK) return status;
    qsort(submit, (size_t)count, sizeof *submit, compare);
    qsort(gpu, (size_t)count, sizeof *gpu, compare);
    rp_device_info device = {.size = sizeof device};
    status = rp_device_get_info(s->device, &device);
    if (status != RP_OK) return status;
    printf("%d replays on %s: %.1f us wall each, %.1f us on the device, %.1f us of CPU to submit "
           "(medians but for wall)\n",
           count, device.name, wall / count * 1e6, gpu[count / 2] * 1e6, submit[count / 2] * 1e6);
    return RP_OK;
}

static int run(search *s, const char *folder, const char *text) {
    s->diags = rp_diags_create(NULL);
    if (passages_read(&s->text, text) || make_vectors(s)) return 1;
    printf("%u passages from %u files in %s, %d dimensions\n", s->text.count, s->text.file_count,
           text, DIMS);
    rp_status status = compile(s, folder);
    if (status != RP_OK) return fail(status, "compiling search.yaml", s->diags);
    status = instantiate(s);
    if (status != RP_OK) return fail(status, "preparing the device", s->diags);
    status = rp_exec_submit(s->exec, NULL, NULL, NULL);
    if (status == RP_OK) status = rp_exec_wait(s->exec, 0, UINT64_MAX, NULL);
    if (status == RP_OK)
        status = rp_exec_read(s->exec, 0, "best_index", 0, s->index, sizeof s->index, s->diags);
    if (status == RP_OK)
        status = rp_exec_read(s->exec, 0, "best_score", 0, s->score, sizeof s->score, s->diags);
    if (status != RP_OK) return fail(status, "replaying", s->diags);
    if (check(s)) return 1;
    print_answers(s);
    print_plan(s);
    status = replay(s);
    return status == RP_OK ? 0 : fail(status, "replaying", s->diags);
}

int main(int argc, char **argv) {
    search s = {0};
    int result = run(&s, argc > 1 ? argv[1] : EXAMPLE_FOLDER,
                     argc > 2 ? argv[2] : "/usr/share/common-licenses");
    rp_exec_destroy(s.exec);
    rp_device_destroy(s.device, NULL);
    rp_plan_destroy(s.plan);
    rp_pipeline_destroy(s.pipeline);
    rp_diags_destroy(s.diags);
    free(s.passage);
    free(s.question);
    passages_free(&s.text);
    return result;
}
