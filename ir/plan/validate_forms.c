/* Files of several forms: where the forms lie, and whether they agree on what is there for every replay.
 *
 * Each form is a plan by itself and is validated as one, with what its own largest values are. What is left is
 * what no form can say alone: whoever replays makes the buffers once, of the sizes of the last form, and
 * runs now one form in them and now another. So the buffers that the application sees are the same in all,
 * in this order, and their extents follow live values by the same expressions. Only the largest values of
 * these differ: below the last form's, and so that each form is the first that fits some values. A form in which
 * one is at most 1 runs where it is 1 and nowhere else: factors of extents that follow such values alone may
 * be numbers in it.
 *
 * Cost: linear in the records that are compared, beside that of the forms themselves. */
#include "plan/validate.h"

#include <stdio.h>
#include "base/checked.h"
#include "base/image.h"
#include "plan/forms.h"

bool rp_plan_has_forms(const rp_plan *plan) {
    rp_plan_header header;
    if (plan->size < sizeof header) return false;
    memcpy(&header, plan->data, sizeof header);
    return memcmp(header.magic, RP_PLAN_MAGIC, sizeof header.magic) == 0 &&
           header.version == RP_PLAN_FORMS_VERSION;
}

void rp_plan_free_forms(rp_plan *plan) {
    /* The last form's are the plan's own. */
    for (uint32_t i = 0; i + 1 < plan->form_count; i++)
        rp_release(&plan->allocator, plan->forms[i].image_dims);
    rp_release(&plan->allocator, plan->forms);
    plan->forms = NULL;
    plan->form_count = 0;
}

/* ---- Agreement ------------------------------------------------------------------------------- */

/* A form, held against the last one. */
typedef struct agreement {
    rp_plan_validation *check;
    const rp_plan *form, *last;
    uint32_t index; /* of the form */
} agreement;

static const rp_plan_buffer *buffers_of(const rp_plan *plan) {
    return rp_plan_records(plan, RP_SECTION_BUFFERS);
}

static rp_status differ(const agreement *a, uint32_t buffer, const char *what) {
    return rp_plan_damaged(a->check, "form %u: %s %.60s is not that of the last form", a->index + 1,
                           what, rp_plan_string(a->form, buffers_of(a->form)[buffer].name));
}

static bool same_expr(const rp_plan *a, uint32_t x, const rp_plan *b, uint32_t y) {
    if (x == UINT32_MAX || y == UINT32_MAX) return x == y;
    const rp_plan_expr *ax = (const rp_plan_expr *)rp_plan_records(a, RP_SECTION_EXPRS) + x;
    const rp_plan_expr *by = (const rp_plan_expr *)rp_plan_records(b, RP_SECTION_EXPRS) + y;
    const rp_expr_op *s = rp_plan_records(a, RP_SECTION_EXPR_OPS);
    const rp_expr_op *t = rp_plan_records(b, RP_SECTION_EXPR_OPS);
    return ax->op_count == by->op_count &&
           memcmp(s + ax->first_op, t + by->first_op, ax->op_count * sizeof *s) == 0;
}

/* The expression that an extent follows; UINT32_MAX: it is fixed. */
static uint32_t size_of(const rp_plan *plan, uint32_t dim) {
    const uint32_t *sizes = rp_plan_records(plan, RP_SECTION_SIZES);
    return rp_plan_count(plan, RP_SECTION_SIZES) ? sizes[dim] : UINT32_MAX;
}

/* ---- Extents of a form for exactly one value --------------------------------------------------- */

/* The first step of the operand that ends before `end`. */
static uint32_t operand_of(const rp_expr_op *ops, uint32_t end) {
    for (uint32_t needed = 1; needed > 0;) {
        uint16_t code = ops[--end].code;
        bool leaf = code == RP_EXPR_CONST || code == RP_EXPR_LIVE;
        needed += leaf ? -1u : code == RP_EXPR_NEG ? 0u : 1u;
    }
    return end;
}

typedef struct factor {
    const rp_expr_op *ops;
    uint32_t count;
} factor;

enum { FACTORS = 32 };

/* The factors of a product, in their order; 0: they are more than extents have. */
static uint32_t find_factors(const rp_plan *plan, uint32_t expr, factor out[FACTORS]) {
    const rp_plan_expr *x = (const rp_plan_expr *)rp_plan_records(plan, RP_SECTION_EXPRS) + expr;
    const rp_expr_op *ops =
        (const rp_expr_op *)rp_plan_records(plan, RP_SECTION_EXPR_OPS) + x->first_op;
    uint32_t end = x->op_count, count = 0;
    for (bool more = true; more; count++) {
        if (count == FACTORS) return 0;
        more = ops[end - 1].code == RP_EXPR_MUL;
        uint32_t behind = more ? end - 1 : end, first = more ? operand_of(ops, behind) : 0;
        out[count] = (factor){ops + first, behind - first};
        end = first;
    }
    for (uint32_t i = 0; i < count / 2; i++) {
        factor last = out[count - 1 - i];
        out[count - 1 - i] = out[i];
        out[i] = last;
    }
    return count;
}

static bool one(void *context, uint32_t buffer, uint32_t element, int64_t *out) {
    const agreement *a = context;
    *out = 1;
    return element == 0 && rp_plan_is_exact(a->last, a->form, buffer);
}

/* Takes factors that are numbers in the form out of the list, and multiplies them. */
static bool take_numbers(const agreement *a, factor *list, uint32_t *count, uint64_t *number) {
    uint32_t kept = 0;
    *number = 1;
    for (uint32_t i = 0; i < *count; i++) {
        const char *why;
        int64_t value;
        if (!rp_expr_eval(list[i].ops, list[i].count, one, (void *)a, &value, &why))
            list[kept++] = list[i];
        else if (value < 1 || !rp_mul_u64(*number, (uint64_t)value, number))
            return false;
    }
    *count = kept;
    return true;
}

/* Whether an extent is the last form's where what is exactly 1 in this form is so. */
static bool same_extent(const agreement *a, uint32_t dim, uint32_t of_last) {
    const uint64_t *dims = rp_plan_records(a->form, RP_SECTION_DIMS);
    uint32_t own = size_of(a->form, dim), wanted = size_of(a->last, of_last);
    factor x[FACTORS], y[FACTORS];
    uint64_t number = 0, other = 0;
    if (same_expr(a->form, own, a->last, wanted)) return true;
    if (wanted == UINT32_MAX) return false;
    uint32_t nx = own == UINT32_MAX ? 0 : find_factors(a->form, own, x);
    uint32_t ny = find_factors(a->last, wanted, y);
    if (!ny || (!nx && own != UINT32_MAX) || !take_numbers(a, x, &nx, &number) ||
        !take_numbers(a, y, &ny, &other))
        return false;
    if (own == UINT32_MAX) number = dims[dim];
    bool same = nx == ny && number == other;
    for (uint32_t i = 0; i < nx && same; i++)
        same = x[i].count == y[i].count &&
               memcmp(x[i].ops, y[i].ops, x[i].count * sizeof *x[i].ops) == 0;
    return same;
}

static bool same_shape(const agreement *a, uint32_t buffer) {
    const rp_plan_buffer *x = &buffers_of(a->form)[buffer], *y = &buffers_of(a->last)[buffer];
    const uint64_t *dx = rp_plan_records(a->form, RP_SECTION_DIMS);
    const uint64_t *dy = rp_plan_records(a->last, RP_SECTION_DIMS);
    bool fixed = true;
    for (uint32_t d = 0; d < x->rank; d++) {
        uint32_t follows = size_of(a->last, y->first_dim + d);
        if (!same_extent(a, x->first_dim + d, y->first_dim + d)) return false;
        fixed &= follows == UINT32_MAX;
        if (follows == UINT32_MAX && dx[x->first_dim + d] != dy[y->first_dim + d]) return false;
    }
    return !fixed || x->size == y->size;
}

static uint32_t default_at(const rp_plan *plan, const rp_plan_buffer *b, uint64_t at) {
    const uint8_t *bytes = rp_plan_records(plan, RP_SECTION_BYTES);
    uint32_t value = 0;
    if (b->first_default != UINT32_MAX) memcpy(&value, bytes + b->first_default + at, sizeof value);
    return value;
}

/* The bytes that a live buffer begins with: those of the last form, and where its largest value is another, not
 * more than that. */
static bool same_defaults(const agreement *a, uint32_t buffer) {
    const rp_plan_buffer *x = &buffers_of(a->form)[buffer], *y = &buffers_of(a->last)[buffer];
    const uint8_t *in = rp_plan_records(a->form, RP_SECTION_BYTES);
    const uint8_t *wanted = rp_plan_records(a->last, RP_SECTION_BYTES);
    if (x->max_value != y->max_value) {
        uint32_t most = default_at(a->last, y, 0);
        return default_at(a->form, x, 0) == (most < x->max_value ? most : x->max_value);
    }
    for (uint64_t at = 0; at < x->size; at++) {
        uint8_t has = x->first_default == UINT32_MAX ? 0 : in[x->first_default + at];
        uint8_t wants = y->first_default == UINT32_MAX ? 0 : wanted[y->first_default + at];
        if (has != wants) return false;
    }
    return true;
}

static bool same_follows(const agreement *a, uint32_t buffer) {
    const rp_plan_buffer *x = &buffers_of(a->form)[buffer], *y = &buffers_of(a->last)[buffer];
    const rp_plan_follow *s = rp_plan_records(a->form, RP_SECTION_FOLLOWS);
    const rp_plan_follow *t = rp_plan_records(a->last, RP_SECTION_FOLLOWS);
    return x->follow_count == y->follow_count &&
           (x->follow_count == 0 ||
            memcmp(s + x->first_follow, t + y->first_follow, x->follow_count * sizeof *s) == 0);
}

/* Whether some extent of a buffer follows a live one. */
static bool is_followed(const rp_plan *plan, uint32_t live) {
    const rp_plan_expr *exprs = rp_plan_records(plan, RP_SECTION_EXPRS);
    const rp_expr_op *ops = rp_plan_records(plan, RP_SECTION_EXPR_OPS);
    for (uint32_t d = 0; d < rp_plan_count(plan, RP_SECTION_SIZES); d++) {
        uint32_t expr = size_of(plan, d);
        if (expr == UINT32_MAX) continue;
        for (uint32_t i = 0; i < exprs[expr].op_count; i++) {
            const rp_expr_op *op = &ops[exprs[expr].first_op + i];
            if (op->code == RP_EXPR_LIVE && op->buffer == live) return true;
        }
    }
    return false;
}

/* The largest value is that of the last form, or a smaller one of a size. */
static rp_status check_maximum(const agreement *a, uint32_t buffer) {
    const rp_plan_buffer *x = &buffers_of(a->form)[buffer], *y = &buffers_of(a->last)[buffer];
    if (x->max_value == y->max_value) return RP_OK;
    const char *name = rp_plan_string(a->form, x->name);
    if (y->max_value == UINT32_MAX || x->max_value > y->max_value)
        return rp_plan_damaged(a->check,
                               "form %u: %.60s may be %u, which is more than in the last form",
                               a->index + 1, name, x->max_value);
    if (x->dtype != RP_U32 || x->size != sizeof(uint32_t) || !is_followed(a->last, buffer))
        return rp_plan_damaged(a->check,
                               "form %u: the largest value of %.60s differs from the last form's, "
                               "and no dimension follows it as its only element",
                               a->index + 1, name);
    return RP_OK;
}

static rp_status check_buffer(const agreement *a, uint32_t buffer) {
    const rp_plan_buffer *x = &buffers_of(a->form)[buffer], *y = &buffers_of(a->last)[buffer];
    const rp_image_shape image = rp_plan_image(x), wanted = rp_plan_image(y);
    if (strcmp(rp_plan_string(a->form, x->name), rp_plan_string(a->last, y->name)) != 0)
        return differ(a, buffer, "the name of buffer");
    if (x->kind != y->kind || x->dtype != y->dtype || x->rank != y->rank ||
        !rp_image_same(&image, &wanted))
        return differ(a, buffer, "the kind or type of");
    if (!same_shape(a, buffer)) return differ(a, buffer, "the shape of");
    if (!same_follows(a, buffer)) return differ(a, buffer, "what is followed by");
    if (x->kind != RP_LIVE) return RP_OK;
    RP_TRY(check_maximum(a, buffer));
    return same_defaults(a, buffer) ? RP_OK : differ(a, buffer, "the first value of");
}

static rp_status check_agreement(const agreement *a) {
    const rp_plan_graph *x = rp_plan_records(a->form, RP_SECTION_GRAPH);
    const rp_plan_graph *y = rp_plan_records(a->last, RP_SECTION_GRAPH);
    if (strcmp(rp_plan_string(a->form, x->name), rp_plan_string(a->last, y->name)) != 0)
        return rp_plan_damaged(a->check, "form %u is of graph %.60s, the last form of %.60s",
                               a->index + 1, rp_plan_string(a->form, x->name),
                               rp_plan_string(a->last, y->name));
    if (a->form->external_count != a->last->external_count)
        return rp_plan_damaged(a->check, "form %u has %u buffers to be seen, the last form %u",
                               a->index + 1, a->form->external_count, a->last->external_count);
    for (uint32_t i = 0; i < a->form->external_count; i++) RP_TRY(check_buffer(a, i));
    return RP_OK;
}

/* Whether values that fit `other` fit the form, too. */
static bool covers(const rp_plan *form, const rp_plan *other) {
    for (uint32_t i = 0; i < form->external_count; i++)
        if (buffers_of(form)[i].kind == RP_LIVE &&
            buffers_of(form)[i].max_value < buffers_of(other)[i].max_value)
            return false;
    return true;
}

static rp_status check_order(rp_plan_validation *check, const rp_plan *forms, uint32_t count) {
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (covers(&forms[j], &forms[i]))
                return rp_plan_damaged(check,
                                       "form %u is for no values: form %u before it fits them all",
                                       i + 1, j + 1);
    return RP_OK;
}

/* ---- The file -------------------------------------------------------------------------------- */

static rp_status check_needs(rp_plan_validation *check) {
    const rp_plan *plan = check->plan;
    uint64_t needs = 0;
    for (uint32_t i = 0; i < plan->form_count; i++) needs |= plan->forms[i].header->needs;
    if (plan->header->needs == needs) return RP_OK;
    return rp_plan_damaged(check, "the header says needs %llx, the forms have %llx",
                           (unsigned long long)plan->header->needs, (unsigned long long)needs);
}

static rp_status read_forms(rp_plan_validation *check, uint32_t count, rp_plan *forms) {
    const rp_plan *plan = check->plan;
    const rp_plan_form_place *places = (const void *)(plan->data + sizeof(rp_plan_header));
    uint64_t end = sizeof(rp_plan_header) + count * sizeof *places;
    if (plan->size < end) return rp_plan_damaged(check, "the file ends inside the table of forms");
    for (uint32_t i = 0; i < count; i++) {
        if (places[i].offset != end)
            return rp_plan_damaged(check, "form %u starts at byte %llu instead of %llu", i + 1,
                                   (unsigned long long)places[i].offset, (unsigned long long)end);
        if (!rp_range_inside(end, places[i].size, plan->size))
            return rp_plan_damaged(check, "form %u has %llu bytes, which are not all in the file",
                                   i + 1, (unsigned long long)places[i].size);
        forms[i].allocator = plan->allocator;
        forms[i].file = forms[i].data = plan->data + end;
        forms[i].file_size = forms[i].size = (size_t)places[i].size;
        char name[256];
        snprintf(name, sizeof name, "%.200s, form %u", check->name ? check->name : "plan", i + 1);
        RP_TRY(rp_plan_validate(&forms[i], name, check->diags));
        end += places[i].size;
    }
    if (end != plan->size)
        return rp_plan_damaged(check, "%llu bytes follow the last form",
                               (unsigned long long)(plan->size - end));
    for (uint32_t i = 0; i + 1 < count; i++) {
        const agreement a = {check, &forms[i], &forms[count - 1], i};
        RP_TRY(check_agreement(&a));
    }
    return check_order(check, forms, count);
}

/* The records of the last form become the plan's own. */
static void take_last(rp_plan *plan) {
    const rp_plan *last = &plan->forms[plan->form_count - 1];
    plan->data = last->data;
    plan->size = last->size;
    plan->header = last->header;
    plan->sections = last->sections;
    plan->external_count = last->external_count;
}

rp_status rp_plan_validate_forms(rp_plan *plan, const char *name, rp_diags *diags) {
    rp_plan_validation check = {.plan = plan,
                                .name = name,
                                .diags = diags,
                                .section = RP_SECTION_COUNT,
                                .record = UINT32_MAX};
    plan->header = (const rp_plan_header *)plan->data;
    RP_TRY(rp_plan_check_header(&check, RP_PLAN_FORMS_VERSION));
    uint32_t count = plan->header->section_count;
    if (count < 2 || count > RP_MAX_FORMS)
        return rp_plan_damaged(&check, "the header lists %u forms; a file of forms has 2 to %d",
                               count, RP_MAX_FORMS);
    plan->forms = rp_alloc_zero(&plan->allocator, count, sizeof *plan->forms);
    if (!plan->forms) return RP_ERROR_NO_MEMORY;
    plan->form_count = count;
    rp_status status = read_forms(&check, count, plan->forms);
    if (status == RP_OK) status = check_needs(&check);
    if (status == RP_OK)
        take_last(plan);
    else
        rp_plan_free_forms(plan);
    return status;
}
