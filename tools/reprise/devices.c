/* reprise devices: the Vulkan devices of this machine and whether plans can run on them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commands.h"
#include "measure.h"
#include "message.h"
#include "reprise/runtime.h"

enum { OPTION_LIMITS = 1, OPTION_MEASURE, OPTION_DEVICE, OPTION_NEEDS };

static const cli_option options_table[] = {
    {OPTION_LIMITS, 0, "limits", NULL, "print one device's limits, for compile --target"},
    {OPTION_MEASURE, 0, "measure", NULL, "the same with what things cost there, measured"},
    {OPTION_DEVICE, 0, "device", "N|NAME", "the device of --limits and --measure"},
    {OPTION_NEEDS, 0, "needs", NULL, "print what plans may need of a device, as docs/needs.md"},
    {0},
};

/* What a figure says stands behind it, for who changes the file. */
static void print_target(const rp_target *target) {
    char text[4096];
    size_t length = rp_target_print(target, text, sizeof text);
    for (char *line = text, *end; length < sizeof text && *line; line = end + 1) {
        end = strchr(line, '\n');
        if (!end) break;
        *end = '\0';
        const rp_target_figure *figure = NULL;
        for (uint32_t i = 0; !figure && rp_target_figure_at(i); i++) {
            size_t name = strlen(rp_target_figure_at(i)->name);
            if (strncmp(line, rp_target_figure_at(i)->name, name) == 0 && line[name] == ':')
                figure = rp_target_figure_at(i);
        }
        if (figure)
            printf("%-34s # %s\n", line, figure->brief);
        else
            printf("%s\n", line);
    }
}

static int print_limits(const char *select, bool measured) {
    rp_device *device = NULL;
    rp_target target = RP_TARGET_INIT;
    bool late = false;
    const rp_device_params params = {.size = sizeof params, .select = select};
    rp_diags *diags = cli_diags();
    rp_status status = rp_device_create(NULL, &params, diags, &device);
    if (status == RP_OK) status = rp_device_target(device, &target);
    if (status == RP_OK && measured) status = cli_measure(device, &target, &late, diags);
    int result = cli_report(diags, NULL, status);
    if (result == CLI_OK) print_target(&target);
    if (result == CLI_OK && late)
        cli_note("the device is slow or busy: some costs were not measured, and stand as they are "
                 "for its kind");
    rp_device_destroy(device, NULL);
    rp_diags_destroy(diags);
    return result;
}

/* The names of the capabilities that may bring a need. */
static void print_capabilities(uint64_t need) {
    const char *name;
    uint64_t needs;
    bool any = false;
    for (uint32_t i = 0; (name = rp_plan_capability_at(i, &needs)); i++) {
        if (!(need ? needs & need : needs == 0)) continue;
        printf("%s%s", any ? ", " : "", name);
        any = true;
    }
    if (!any) printf("none: its code, layout or modes");
}

/* docs/needs.md: made of the tables that plans are written by. */
static void print_needs(void) {
    printf("# What a plan may need of a device\n\n"
           "This page is what `reprise devices --needs` prints.\n\n"
           "Every device that plans run on has Vulkan 1.2 with synchronization2 and timeline "
           "semaphores. What a kernel\nuses beyond that is read from its SPIR-V when a plan is "
           "built, stands in the plan, and is compared with the\ndevice when an exec is made: "
           "`reprise run` names what is missing. `reprise devices` lists what a device has\nof "
           "these; an application with a device of its own enables them with `rp_needs_enable` "
           "([embedding.md](embedding.md)).\nA kernel that states a capability which is not on "
           "this page is refused, with the capability's name, at its\nplace in the pipeline.\n\n"
           "## Needs\n\n| bit | need | capabilities of SPIR-V that bring it |\n|---|---|---|\n");
    for (uint32_t bit = 0; bit < 64; bit++) {
        const char *name = rp_plan_need_name(UINT64_C(1) << bit);
        if (!name) continue;
        printf("| %" PRIu32 " | %s | ", bit, name);
        print_capabilities(UINT64_C(1) << bit);
        printf(" |\n");
    }
    printf(
        "\nWhere a capability brings one of several needs, the code that the entry point reaches "
        "says which: atomics in\nbuffers or in shared memory, clocks of the subgroup or of the "
        "device.\n\n## Capabilities that need nothing\n\n");
    print_capabilities(0);
    printf(". Those of floats (`DenormPreserve` and the like) come with an execution\nmode, which "
           "says for how many bits and so brings one of the needs 23 to 37.\n\n## Not offered\n\n"
           "Ray tracing and ray queries: no node builds an acceleration structure. Arrays of "
           "bindings without a size: the kernel\ngives them one (`arrays` in YAML). Images of "
           "several samples, atomics on images of floats. Linkage, OpenCL kernels, and\n"
           "what belongs to other stages than compute (16-bit inputs, helper invocations).\n");
}

static void print_device(uint32_t index, const rp_device_info *d) {
    printf("%" PRIu32 "  %s\n", index, d->name);
    printf("   driver          %s\n", d->driver);
    printf("   kind            %s\n", d->is_cpu ? "software" : "GPU");
    printf("   Vulkan          %u.%u.%u\n", d->vulkan_version >> 22,
           d->vulkan_version >> 12 & 0x3ff, d->vulkan_version & 0xfff);
    printf("   memory          %" PRIu64 " MiB, one binding at most %" PRIu64 " bytes\n",
           d->memory_bytes >> 20, d->max_storage_range);
    printf("   workgroup       at most %" PRIu32 " x %" PRIu32 " x %" PRIu32 ", %" PRIu32
           " invocations, %" PRIu32 " bytes shared\n",
           d->max_workgroup_size[0], d->max_workgroup_size[1], d->max_workgroup_size[2],
           d->max_workgroup_invocations, d->max_shared_bytes);
    printf("   grid            at most %" PRIu32 " x %" PRIu32 " x %" PRIu32 "\n", d->max_groups[0],
           d->max_groups[1], d->max_groups[2]);
    printf("   subgroup        %" PRIu32 "\n", d->subgroup_size);
    printf("   push constants  %" PRIu32 " bytes\n", d->max_push_bytes);
    printf("   float controls  %s\n", *d->float_controls ? d->float_controls : "none");
    printf("   matrices        %s\n", *d->matrix_products ? d->matrix_products : "none");
    printf("   queue family    %" PRIu32 ", %s, timestamps of %" PRIu32 " bits\n", d->queue_family,
           d->queue_draws ? "computes and draws" : "computes", d->timestamp_bits);
    printf("   descriptors     %" PRIu32 " storage and %" PRIu32 " uniform buffers, %" PRIu32
           " of all kinds, in %" PRIu32 " sets\n",
           d->max_storage_buffers, d->max_uniform_buffers, d->max_resources,
           d->max_descriptor_sets);
    printf("   needs           ");
    bool any = false;
    for (uint32_t bit = 0; bit < 64; bit++) {
        if (!rp_plan_need_name(UINT64_C(1) << bit) || (d->needs >> bit & 1)) continue;
        printf("%s%" PRIu32, any ? ", " : "all but ", bit);
        any = true;
    }
    printf(any ? "\n" : "all\n");
    if (d->suitable)
        printf("   suitable        yes\n");
    else
        printf("   suitable        no: %s\n", d->missing);
}

static int run(const cli_command *command, int argc, char **argv) {
    cli_options options = cli_options_begin(command, argc, argv);
    const char *select = NULL;
    bool limits = false, measured = false, needs = false;
    for (int id; (id = cli_options_next(&options)) != CLI_END;) {
        if (id == CLI_HELPED) return CLI_OK;
        if (id == CLI_WRONG) return CLI_USAGE;
        if (id == CLI_ARGUMENT)
            return cli_usage(command, "takes no argument; got '%s'", options.value);
        if (id == OPTION_LIMITS) limits = true;
        if (id == OPTION_MEASURE) limits = measured = true;
        if (id == OPTION_DEVICE) select = options.value;
        if (id == OPTION_NEEDS) needs = true;
    }
    if (needs && limits) return cli_usage(command, "--needs is of no device: it goes alone");
    if (select && !limits)
        return cli_usage(command, "--device chooses for --limits and --measure alone");
    if (needs) {
        print_needs();
        return CLI_OK;
    }
    if (limits) return print_limits(select, measured);
    rp_device_info infos[32] = {{.size = sizeof *infos}};
    uint32_t count = 0;
    rp_diags *diags = cli_diags();
    rp_status status = rp_devices(infos, 32, &count, diags);
    if (status == RP_OK && count == 0) status = RP_ERROR_NO_DEVICE;
    int result = cli_report(diags, NULL, status);
    rp_diags_destroy(diags);
    for (uint32_t i = 0; status == RP_OK && i < count && i < 32; i++) print_device(i, &infos[i]);
    return result;
}

const cli_command cli_devices = {
    .name = "devices",
    .arguments = "[--needs|--limits|--measure [--device N|NAME]]",
    .brief = "Lists the Vulkan devices of this machine.",
    .details =
        "The first suitable GPU is used, or else the first suitable software driver. --device, or\n"
        "the environment variable REPRISE_DEVICE, chooses another by index or part of its name.",
    .options = options_table,
    .run = run,
};
