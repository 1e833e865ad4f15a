/* reprise kernels: what ops and composites there are, the page of one, and what computes one on a
 * target. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commands.h"
#include "message.h"
#include "output.h"
#include "options.h"
#include "reprise/compiler.h"
#include "reprise/signatures.h"
#include "reprise/ops.h"
#include "target.h"

enum { OPTION_FORMAT = 1, OPTION_TARGET };

static const cli_option options_table[] = {
    {OPTION_FORMAT, 'f', "format", "text|markdown",
     "markdown: the page of every op, as docs/ops.md"},
    {OPTION_TARGET, 0, "target", "NAME|device|FILE",
     "which kernel computes the op there, and which figures decide it"},
    {0},
};

/* An op or a composite. */
typedef struct entry {
    const char *name, *family, *brief;
    bool composite;
} entry;

typedef struct list {
    entry *items;
    uint32_t count;
} list;

/* Ops come ordered by family; composites go behind the ops of theirs. */
static list list_all(void) {
    uint32_t ops = rp_op_count(), composites = 0;
    while (rp_composite_at(composites)) composites++;
    list all = {.items = cli_alloc((size_t)ops + composites + 1, sizeof *all.items)};
    for (uint32_t i = 0; i < ops; i++) {
        const rp_op *op = rp_op_at(i), *next = rp_op_at(i + 1);
        const char *family = rp_op_family(op);
        all.items[all.count++] = (entry){rp_op_name(op), family, rp_op_brief(op), false};
        if (next && !strcmp(rp_op_family(next), family)) continue;
        for (uint32_t k = 0; k < composites; k++) {
            const rp_composite_info *c = rp_composite_at(k);
            if (!strcmp(c->family, family))
                all.items[all.count++] = (entry){c->name, c->family, c->brief, true};
        }
    }
    return all;
}

static void print_list(const list *all) {
    const char *family = "";
    for (uint32_t i = 0; i < all->count; i++) {
        const entry *e = &all->items[i];
        if (strcmp(e->family, family)) printf("%s%s\n", i ? "\n" : "", e->family);
        family = e->family;
        printf("  %-20s %s%s\n", e->name, e->brief, e->composite ? " (composite)" : "");
    }
}

static int print_page(const char *name) {
    char *page;
    rp_status status = rp_kernel_doc(NULL, name, &page);
    if (status != RP_OK) {
        cli_error(NULL, "%s; %s", rp_status_name(status), rp_status_advice(status));
        return cli_exit_status(status);
    }
    fputs(page, stdout);
    rp_op_doc_release(NULL, page);
    return CLI_OK;
}

/* The one place that says what exact means; other pages refer to it. */
static const char exactness[] =
    "### Exact\n\n"
    "**Levels.** On one device every level gives the same bits for every op (`lower=exact`, the "
    "default): f16\nand bf16 are rounded wherever they would have been stored, nothing is "
    "contracted or "
    "reordered, and no compiler knows\na constant, whether it comes from a fill, an attribute or a "
    "literal: the device computes with it as with a\nnumber from memory.\n\n"
    "**IEEE 754.** f32 sums, differences, products, negation, comparisons and conversions are "
    "correctly\nrounded; signed zeros, infinities and NaN are what IEEE 754 says: `x * 0` is "
    "NaN where x is an\ninfinity and -0 where x is negative, `x / 0` is an infinity or NaN. "
    "Quotients, roots and functions are\nas close as their op says, the same for the special "
    "cases. What an op says of its numerics holds on every\ndevice; bits of functions may differ "
    "between devices.\n\n"
    "**NaN.** A NaN is a NaN: its sign and its payload are worth nothing. `--check-against` and "
    "the tests take\nany NaN for any other, and everything else by its bits.\n\n"
    "**Denormals.** A device may take denormal f32 operands and results of arithmetic for zeros of "
    "their\nsign. One that does so does it at every level, for the reason above. Denormal f16 "
    "numbers are ordinary\nnumbers in f32 and are kept; those of bf16 are denormal in f32 too.\n\n"
    "**Integers.** i8 and i16 are computed as i32, u8, u16 and bool as u32, i64 and u64 as they "
    "are: sums, "
    "products and shifts wrap in these 32 or 64 bits, and what is stored in fewer saturates. What "
    "computes with "
    "64 bits needs `shaderInt64`, and its plan says so; what moves or converts such elements, or "
    "finds rows by "
    "them, does not. Numbers of attributes are f32, but for those *like* an operand: where its "
    "elements are integers they are integers that these can be, with all of their bits. Ids, "
    "indices and places are integers of any dtype but bool.\n\n"
    "**Devices.** Generated kernels say `SignedZeroInfNanPreserve` for 32 bits, so plans of ops "
    "need\n`shaderSignedZeroInfNanPreserveFloat32`; `reprise devices` shows what a device has. One "
    "without it refuses\nthe plan by that name. With the pass `lower=fast` that is not asked for, "
    "and none of this page is promised:\ndrivers may contract, and fold constants as they like. "
    "For a "
    "target that converts f16 as IEEE 754 has it\n(`shaderFloat16`, and for 16 bits "
    "`shaderRoundingModeRTE`, "
    "`shaderDenormPreserve` and\n`shaderSignedZeroInfNanPreserve`) all generated kernels ask for "
    "that, and a "
    "plan needs it.\n\n";

/* ---- Which operands may be integers ---------------------------------------------------------- */

enum { MOST_SETS = 64 };

static const rp_dtype integers[] = {RP_BOOL, RP_I8,  RP_U8,  RP_I16, RP_U16,
                                    RP_I32,  RP_U32, RP_I64, RP_U64};
enum { INTEGERS = sizeof integers / sizeof *integers };

static uint32_t integers_of(uint32_t dtypes) {
    uint32_t set = 0;
    for (uint32_t i = 0; i < INTEGERS; i++) set |= (dtypes >> integers[i] & 1) << i;
    return set;
}

static uint32_t size_of(uint32_t set) {
    uint32_t size = 0;
    for (; set; set &= set - 1) size++;
    return size;
}

/* Operands of a signature with just this set, behind its name. */
static void print_with(uint32_t index, uint32_t set, bool *first) {
    rp_signature_info s = {.size = sizeof s};
    rp_signature_operand_info o = {.size = sizeof o};
    const char *before = "";
    if (rp_signature_get(index, &s) != RP_OK || s.composite) return;
    for (uint32_t k = 0; k < s.operand_count; k++) {
        if (rp_signature_get_operand(index, k, &o) != RP_OK || integers_of(o.dtypes) != set)
            continue;
        if (!*before) printf("%s[%s](#%s)", *first ? "" : ", ", s.name, s.name);
        printf("%s `%s`", before, o.name);
        before = ",";
        *first = false;
    }
}

/* A row for each set of dtypes, the largest first. */
static void print_integers(void) {
    uint32_t sets[MOST_SETS], count = 0, ops = rp_signature_count();
    rp_signature_info s = {.size = sizeof s};
    rp_signature_operand_info o = {.size = sizeof o};
    for (uint32_t i = 0; i < ops; i++)
        for (uint32_t k = 0;
             rp_signature_get(i, &s) == RP_OK && !s.composite && k < s.operand_count; k++) {
            if (rp_signature_get_operand(i, k, &o) != RP_OK) continue;
            uint32_t set = integers_of(o.dtypes), at = 0;
            while (at < count && sets[at] != set) at++;
            if (at == count && count < MOST_SETS) sets[count++] = set;
        }
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t k = i; k > 0 && size_of(sets[k]) > size_of(sets[k - 1]); k--) {
            uint32_t other = sets[k];
            sets[k] = sets[k - 1];
            sets[k - 1] = other;
        }
    printf("### Integers\n\nWhat operands of ops may be, beside floats; some of it front ends "
           "convert, as the pages say. Those that are\nnot listed are floats or blocks. Composites "
           "take what their ops do.\n\n| integers | operands |\n|---|---|\n");
    for (uint32_t i = 0; i < count; i++) {
        bool first = true;
        const char *before = "| ";
        if (!sets[i]) continue;
        for (uint32_t d = 0; d < INTEGERS; d++) {
            if (!(sets[i] >> d & 1)) continue;
            printf("%s%s", before, rp_dtype_name(integers[d]));
            before = ", ";
        }
        printf(" | ");
        for (uint32_t k = 0; k < ops; k++) print_with(k, sets[i], &first);
        printf(" |\n");
    }
    printf("\n");
}

static int print_reference(const list *all) {
    printf(
        "# Ops\n\n"
        "Written by `reprise kernels --format markdown` from the definitions in `ir/ops/` and\n"
        "`compiler/composite/`; `./dev bless` writes it again, and a test compares. How to use ops "
        "in a\npipeline is in [yaml.md](yaml.md), from C in [c-api.md](c-api.md).\n\n"
        "Shapes are dimensions by letters: a letter stands for the same number everywhere in an "
        "op,\n`*R` for any leading dimensions whose product is R. Elements are dense and "
        "row-major. f16 and\nbf16 are computed in f32 and rounded to nearest even when "
        "stored.\n\n");
    fputs(exactness, stdout);
    print_integers();
    printf("### By family\n\n");
    const char *family = "";
    for (uint32_t i = 0; i < all->count; i++) {
        const entry *e = &all->items[i];
        if (strcmp(e->family, family)) printf("%s**%s**:", i ? "\n\n" : "", e->family);
        family = e->family;
        printf(" [%s](#%s)", e->name, e->name);
    }
    printf("\n");
    int result = CLI_OK;
    for (uint32_t i = 0; i < all->count && result == CLI_OK; i++) {
        printf("\n");
        result = print_page(all->items[i].name);
    }
    return result;
}

/* What was asked for. */
typedef struct request {
    const char *name, *target;
    cli_texts given; /* OPERAND=TYPE, ATTRIBUTE=VALUE */
    bool markdown;
} request;

static int print_choice(const cli_command *command, const request *r) {
    rp_kernel_given given[CLI_MOST_TEXTS] = {{0}};
    char *names[CLI_MOST_TEXTS] = {0}, *text = NULL;
    rp_target target;
    int result = cli_target_read(r->target ? r->target : "portable", &target);
    for (uint32_t i = 0; i < r->given.count && result == CLI_OK; i++) {
        if (!cli_split(r->given.items[i], &names[i], &given[i].value))
            result = cli_usage(command, "'%s' is not OPERAND=TYPE or ATTRIBUTE=VALUE",
                               r->given.items[i]);
        given[i].name = names[i];
    }
    if (result == CLI_OK) {
        rp_diags *diags = cli_diags();
        rp_status status =
            rp_kernel_choice(NULL, r->name, given, r->given.count, &target, diags, &text);
        result = cli_report(diags, NULL, status);
        if (text) fputs(text, stdout);
        rp_op_doc_release(NULL, text);
        rp_diags_destroy(diags);
    }
    for (uint32_t i = 0; i < r->given.count; i++) free(names[i]);
    return result;
}

static int show_one(const cli_command *command, const list *all, const request *r) {
    const char *name = r->name;
    const char **names = cli_alloc((size_t)all->count + 1, sizeof *names);
    bool found = false;
    for (uint32_t i = 0; i < all->count; i++) {
        names[i] = all->items[i].name;
        found |= !strcmp(names[i], name);
    }
    const char *near = cli_nearest(name, names);
    free(names);
    if (found && (r->target || r->given.count)) return print_choice(command, r);
    if (found) return print_page(name);
    if (near) return cli_usage(command, "no op '%s'; did you mean '%s'?", name, near);
    return cli_usage(command, "no op '%s'; 'reprise kernels' lists them", name);
}

static int take_argument(const cli_command *command, const char *text, request *r) {
    bool given = strchr(text, '=') != NULL;
    if (!given && r->name) return cli_usage(command, "one op at a time; '%s' is too many", text);
    if (given && r->given.count == CLI_MOST_TEXTS)
        return cli_usage(command, "more than %d operands and attributes", CLI_MOST_TEXTS);
    if (given)
        r->given.items[r->given.count++] = text;
    else
        r->name = text;
    return CLI_OK;
}

static int read_options(const cli_command *command, cli_options *options, request *r, int id) {
    switch (id) {
    case CLI_ARGUMENT: return take_argument(command, options->value, r);
    case OPTION_TARGET:
        r->target = options->value;
        return cli_needs_file(command, options->shown, options->value);
    }
    r->markdown = !strcmp(options->value, "markdown");
    if (r->markdown || !strcmp(options->value, "text")) return CLI_OK;
    return cli_usage(command, "--format has no format '%s'; there are: text, markdown",
                     options->value);
}

static int run(const cli_command *command, int argc, char **argv) {
    cli_options options = cli_options_begin(command, argc, argv);
    request r = {0};
    for (int id; (id = cli_options_next(&options)) != CLI_END;) {
        if (id == CLI_HELPED) return CLI_OK;
        if (id == CLI_WRONG) return CLI_USAGE;
        int result = read_options(command, &options, &r, id);
        if (result != CLI_OK) return result;
    }
    if (!r.name && (r.target || r.given.count))
        return cli_usage(command, "--target and operands are of an op: name it");
    list all = list_all();
    int result = CLI_OK;
    if (r.name)
        result = show_one(command, &all, &r);
    else if (r.markdown)
        result = print_reference(&all);
    else
        print_list(&all);
    free(all.items);
    return result;
}

const cli_command cli_kernels = {
    .name = "kernels",
    .arguments = "[NAME [OPERAND=TYPE|ATTRIBUTE=VALUE]...] [options]",
    .brief = "Lists the ops that pipelines are written in, or shows the page of one.",
    .details =
        "A page gives an op's operands with their shapes and dtypes, its attributes, what it\n"
        "computes, and the kernels that may compute it. Composites stand for several ops.\n\n"
        "With --target, or with the types of operands (x=f32[16,384]) and values of attributes\n"
        "(transpose_b=1): the ops that it becomes there, which kernel computes each, about how\n"
        "long that takes, and the figures of the target that decide it.",
    .options = options_table,
    .run = run,
};
