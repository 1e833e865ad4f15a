"""Every public function with each of its pointers NULL in turn: where one must not be, RP_ERROR_USAGE; where one
may be, or nothing can be returned, nothing happens. The functions are those that the headers declare, so that one
which is added is tried without anyone thinking of it."""
import os
import re
import subprocess
import unittest

import cli
from cli import SOURCE

BUILD = os.environ.get("REPRISE_BUILD", SOURCE / "build")
CC = os.environ.get("REPRISE_CC", "cc")
HEADERS = sorted(SOURCE.glob("*/include/reprise/*.h"))

# Pointers that may be NULL, by type and name, as the headers say.
OPTIONAL = {
    ("const rp_allocator *", "allocator"), ("rp_diags *", "diags"), ("const rp_pass_options *", "options"),
    ("rp_pass_reports **", "out_reports"), ("rp_certificate *", "out_certificate"), ("const char *", "file"),
    ("const rp_exec_params *", "params"), ("const rp_device_params *", "params"), ("const char *", "format"),
    ("const rp_prepare_params *", "params"), ("const rp_direct_params *", "params"),
    ("const rp_encoder_begin_params *", "params"),
    ("rp_graph **", "out_source"), ("rp_graph **", "out_compiled"),
}
# The same for one function.
OPTIONAL_IN = {
    ("rp_kernel_choice", "target"), ("rp_program_output", "name"),
    ("rp_preparation_wait", "kernel"),
    ("rp_check", "source"), ("rp_plan_check", "source"), ("rp_plan_from_memory", "name"), ("rp_pipeline_parse", "path"),
    ("rp_weights_from_memory", "path"), ("rp_graph_print", "out_size"), ("rp_graph_diff", "out_size"),
    ("rp_device_destroy", "device"), ("rp_exec_update", "out_report"), ("rp_exec_map", "out_size"),
    ("rp_exec_submit", "params"), ("rp_exec_submit", "out_replay"), ("rp_device_submit", "out_replays"),
    ("rp_exec_get_range", "buffer"), ("rp_encoder_bind", "storage"), ("rp_direct_bind", "storage"),
    ("rp_encoder_end", "report"), ("rp_direct_end", "report"), ("rp_program_set_target", "target"),
    ("rp_exec_profile", "params"), ("rp_costs_create", "source"), ("rp_costs_create", "target"),
    ("rp_inspection_create", "params"), ("rp_inspection_begin", "title"), ("rp_inspection_add", "source"), ("rp_inspection_print", "out_size"),
    ("rp_inspection_observe", "report"), 
    ("rp_plan_choose_form", "values"), ("rp_plan_get_shape", "values"), ("rp_plan_get_shape", "out_bytes"), ("rp_exec_get_shape", "out_bytes"),
}
# Wrong use whatever is given: no replay is begun, there is no VkCommandBuffer here to record into, no storage
# that is shared with others, and one plan.
WRONG_HERE = {"rp_exec_continue", "rp_exec_cancel", "rp_exec_record", "rp_storage_export_fd", "rp_storage_import_fd",
              "rp_storage_hand_over", "rp_storage_take_over", "rp_storage_import_image", "rp_plan_join"}
# The names that they are given are none.
NOT_FOUND = {"rp_kernel_choice"}
# Calls between rp_encoder_begin and rp_encoder_end: a mistake closes the encoding.
ENCODED = {"rp_encoder_push", "rp_encoder_dispatch_indirect", "rp_encoder_copy", "rp_encoder_fill",
           "rp_encoder_update", "rp_encoder_label_begin", "rp_encoder_set_image", "rp_encoder_set_combined",
           "rp_encoder_blit", "rp_encoder_clear"}
# Values of parameters, by type and else by function; others are 0.
VALUES = {
    "const rp_allocator *": "NULL", "rp_diags *": "diags", "const rp_diags *": "diags", "const rp_graph *": "graph",
    "rp_graph *": "graph", "const rp_plan *": "plan", "rp_plan *": "plan", "rp_program *": "program",
    "rp_recorder *": "recorder", "rp_recorder *const *": "&recorder", "const rp_pipeline *": "pipeline",
    "const rp_graph *const *": "(const rp_graph *const []){graph}",
    "const rp_plan *const *": "(const rp_plan *const []){plan}",
    "const rp_weights *": "weights", "const rp_op *": "rp_op_at(0)", "rp_exec *": "exec", "const rp_exec *": "exec",
    "rp_device *": "device", "const rp_device *": "device", "const rp_pass_reports *": "reports",
    "const rp_certificate *": "&certificate", "rp_certificate *": "&certificate", "rp_graph_stats *": "&stats",
    "const rp_pipeline_source *": "&pipeline_source", "const rp_pass_options *": "&options",
    "const rp_buffer_params *": "&buffer_params",
    "const rp_kernel_params *": "&kernel_params", "const rp_param_value *": "&param", "const rp_diag *": "&diag",
    "const rp_exec_params *": "&exec_params", "const rp_device_params *": "&device_params",
    "const rp_prepare_params *": "&prepare_params", "const rp_preparation *": "preparation",
    "rp_preparation *": "preparation", "rp_preparation_progress *": "&progress",
    "const rp_operand *": "&operand", "rp_operand *": "&operand",
    "rp_kernel_interface *": "&interface", "rp_binding_info *": "&binding_info",
    "rp_signature_info *": "&signature", "rp_signature_operand_info *": "&signature_operand",
    "rp_signature_attribute_info *": "&signature_attribute", "const rp_attribute *": "&attribute",
    "const rp_kernel_given *": "&given", "rp_buffer *": "&buffer",
    "rp_kernel *": "&kernel", "rp_sampler *": "&sampler", "const rp_sampler_params *": "&sampler_params", "rp_device_info *": "&info", "const rp_device_import *": "&import",
    "rp_plan_info *": "&plan_info",
    "rp_storage *": "storage", "const rp_storage *": "storage", "rp_storage_info *": "&storage_info",
    "const rp_storage_params *": "&storage_params", "const rp_storage_import *": "&storage_import",
    "const rp_binding *": "&binding", "const rp_submission *": "&submission", "rp_update_report *": "&update_report",
    "const rp_upload *": "&upload", "const rp_download *": "&download",
    "const rp_transfer_params *": "&transfer_params",
    "rp_range_info *": "&range_info", "rp_scopes *": "&scopes", "rp_counters *": "&counters",
    "const rp_plan_buffer_info *": "&asked", "rp_binding *": "&taken",
    "rp_plan_buffer_info *": "&buffer_info", "rp_plan_kernel_info *": "&kernel_info",
    "rp_encoder *": "encoder", "const rp_encoder_params *": "&encoder_params",
    "const rp_encoder_begin_params *": "&encoder_begin", "const rp_encoder_range *": "&encoder_range",
    "rp_encoder_report *": "&encoder_report", "rp_direct *": "direct", "rp_buffer": "direct_buffer",
    "const rp_direct_params *": "&direct_params",
    "const rp_weights_load_params *": "&load_params", "const rp_loaded_weights *": "loaded",
    "const rp_profile_params *": "&profile_params", "const rp_profile *": "profile",
    "rp_block_member *": "&block_member", "rp_profile_info *": "&profile_info", "rp_profile_group *": "&profile_group",
    "rp_profile_node *": "&profile_node", "const rp_costs *": "costs", "rp_costs_info *": "&costs_info",
    "rp_node_cost *": "&node_cost", "rp_inspection *": "inspection", "const rp_inspection *": "inspection",
    "const rp_inspection_params *": "&inspection_params", "rp_inspection_format": "RP_INSPECTION_JSON",
    "rp_calibration *": "&calibration", "double *": "&number",
    "rp_target *": "&target", "const rp_target *": "&target", "const void *": "bytes", "void *": "bytes",
    "char *": "bytes", "const char *": "word", "size_t *": "&size", "uint32_t *": "&count", "uint64_t *": "&wide",
    "rp_format": "RP_FORMAT_TEXT", "size_t": "8", "rp_range": "(rp_range){0}",
    "const rp_encoder_part *": "&encoder_part", "rp_image_part": "(rp_image_part){0}", "rp_sampler": "(rp_sampler){0}", "rp_texel_value": "(rp_texel_value){{0}}", "rp_kernel_": "kernel",
}
COUNTS = {"upload_count", "download_count", "count", "param_count", "operand_count", "attribute_count", "recorder_count", "capacity", "size"}

PROLOGUE = r"""
#include <reprise/compiler.h>
#include <reprise/check.h>
#include <reprise/direct.h>
#include <reprise/inspect.h>
#include <reprise/runtime.h>
#include <reprise/weights.h>
#include <stdio.h>
#include <string.h>

static const char text[] = "reprise 1\ngraph g {\n  buf $x in f32[64]\n  buf $y out f32[64]\n"
                           "  buf $n live u32[2]\n"
                           "  n0 = copy (r $x, w $y)\n}\n";
static const char yaml[] = "reprise: 1\nbuffers: {x: {kind: out, dtype: u32, shape: [4]}}\n"
                           "nodes: [{fill: {to: x, value: 1}}]\n";
static char bytes[256];
static const char word[16] = "x"; /* as long as sizes say */

static void *no_function(void *instance, const char *name) {
    return NULL;
}

static void said(const char *call, rp_status status, rp_status wanted) {
    if (wanted == RP_ERROR_USAGE ? status != wanted : status == RP_ERROR_USAGE)
        printf("%s gives: %s\n", call, rp_status_name(status));
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *graph = NULL, *compiled = NULL, *source = NULL;
    rp_plan *plan = NULL;
    rp_program *program = NULL;
    rp_recorder *recorder = NULL;
    rp_pipeline *pipeline = NULL;
    rp_weights *weights = NULL;
    rp_device *device = NULL;
    rp_exec *exec = NULL;
    rp_pass_reports *reports = NULL;
    rp_certificate certificate = {0};
    rp_graph_stats stats = {.size = sizeof stats};
    rp_pass_options options = {.size = sizeof options};
    rp_buffer_params buffer_params = {.size = sizeof buffer_params, .name = "b", .kind = RP_IN, .dtype = RP_F32, .rank = 1, .shape = {4}};
    rp_kernel_params kernel_params = {.size = sizeof kernel_params, .name = "k", .glsl = "#version 450\nvoid main() {}\n"};
    rp_param_value param = {.name = "x"};
    rp_pipeline_source pipeline_source = {.text = yaml, .size = sizeof yaml - 1};
    rp_diag diag = {.message = "x"};
    rp_exec_params exec_params = {.size = sizeof exec_params, .cache_path = ""};
    rp_device_params device_params = {.size = sizeof device_params};
    rp_prepare_params prepare_params = {.size = sizeof prepare_params, .cache_path = ""};
    rp_preparation_progress progress = {.size = sizeof progress};
    rp_preparation *preparation = NULL;
    rp_storage *storage = NULL;
    rp_storage_params storage_params = {.size = sizeof storage_params, .bytes = 256};
    rp_storage_info storage_info = {.size = sizeof storage_info};
    rp_update_report update_report = {.size = sizeof update_report};
    rp_counters counters = {.size = sizeof counters};
    rp_range_info range_info = {.size = sizeof range_info};
    rp_scopes scopes = {.size = sizeof scopes};
    rp_operand operand = {.name = "x"};
    rp_attribute attribute = {.name = "x"};
    rp_kernel_given given = {"x", "f32[4]"};
    rp_buffer buffer;
    rp_kernel kernel = {0};
    rp_kernel built = {0};
    rp_kernel_interface interface = {.size = sizeof interface};
    rp_binding_info binding_info = {.size = sizeof binding_info};
    rp_signature_info signature = {.size = sizeof signature};
    rp_signature_operand_info signature_operand = {.size = sizeof signature_operand};
    rp_signature_attribute_info signature_attribute = {.size = sizeof signature_attribute};
    rp_buffer transient = {0};
    rp_sampler sampler = {0};
    rp_sampler_params sampler_params = {.size = sizeof sampler_params, .name = "s"};
    rp_device_info info = {.size = sizeof info};
    rp_plan_info plan_info = {.size = sizeof plan_info};
    rp_plan_buffer_info buffer_info = {.size = sizeof buffer_info};
    rp_plan_buffer_info asked = {.size = sizeof asked};
    rp_binding taken;
    rp_plan_kernel_info kernel_info = {.size = sizeof kernel_info};
    rp_upload upload = {.buffer = "x", .size = 4, .data = bytes};
    rp_download download = {.buffer = "y", .size = 4, .data = bytes};
    rp_transfer_params transfer_params = {.size = sizeof transfer_params};
    rp_encoder *encoder = NULL;
    rp_encoder_buffer encoder_buffer = {.size = sizeof encoder_buffer, .name = "b", .bytes = 64};
    static const char header[] = "{\"x\":{\"dtype\":\"F32\",\"shape\":[64],\"data_offsets\":[0,256]}}";
    static char file[8 + sizeof header - 1 + 256];
    file[0] = sizeof header - 1;
    memcpy(file + 8, header, sizeof header - 1);
    rp_encoder_params encoder_params = {.size = sizeof encoder_params, .buffers = &encoder_buffer, .buffer_count = 1, .cache_path = ""};
    rp_encoder_begin_params encoder_begin = {.size = sizeof encoder_begin};
    rp_encoder_report encoder_report = {.size = sizeof encoder_report};
    rp_encoder_range encoder_range = {.size = 8};
    rp_encoder_part encoder_part = {0};
    rp_weights_load_params load_params = {.size = sizeof load_params};
    rp_loaded_weights *loaded = NULL;
    rp_direct *direct = NULL;
    rp_direct_params direct_params = {.size = sizeof direct_params, .cache_path = ""};
    rp_buffer direct_buffer = {0};
    rp_target target = RP_TARGET_INIT;
    rp_profile *profile = NULL;
    rp_profile_params profile_params = {.size = sizeof profile_params, .rounds = 1, .warm_up = 1};
    rp_block_member block_member = {.size = sizeof block_member};
    rp_profile_info profile_info = {.size = sizeof profile_info};
    rp_profile_group profile_group = {.size = sizeof profile_group};
    rp_profile_node profile_node = {.size = sizeof profile_node};
    rp_costs *costs = NULL;
    rp_inspection *inspection = NULL;
    rp_calibration calibration = {.size = sizeof calibration};
    double number = 0;
    rp_inspection_params inspection_params = {.size = sizeof inspection_params};
    rp_costs_info costs_info = {.size = sizeof costs_info};
    rp_node_cost node_cost = {.size = sizeof node_cost};
    rp_device_import import = {.size = sizeof import, .get_instance_proc_addr = no_function, .instance = bytes, .physical_device = bytes};
    /* VkPhysicalDeviceVulkan12Features and 13Features */
    struct { int type; void *next; unsigned members[64]; } later = {53}, chain = {51, &later};
    size_t size;
    uint32_t count;
    uint64_t wide;
    if (rp_graph_parse(NULL, text, sizeof text - 1, NULL, diags, &graph) != RP_OK ||
        rp_compile(graph, NULL, diags, &plan, &reports) != RP_OK || rp_program_create(NULL, "p", &program) != RP_OK ||
        rp_plan_graphs(plan, diags, &compiled, &source) != RP_OK ||
        rp_recorder_create(program, &recorder) != RP_OK ||
        rp_pipeline_parse(NULL, yaml, sizeof yaml - 1, NULL, NULL, 0, diags, &pipeline) != RP_OK ||
        rp_weights_from_memory(NULL, file, sizeof file, NULL, diags, &weights) != RP_OK ||
        rp_device_create(NULL, NULL, diags, &device) != RP_OK ||
        rp_device_prepare(device, plan, &prepare_params, diags, &preparation) != RP_OK ||
        rp_storage_create(device, &storage_params, diags, &storage) != RP_OK ||
        rp_exec_create(device, plan, &exec_params, diags, &exec) != RP_OK ||
        rp_exec_profile(exec, &profile_params, diags, &profile) != RP_OK ||
        rp_costs_create(compiled, source, NULL, diags, &costs) != RP_OK ||
        rp_inspection_create(NULL, NULL, diags, &inspection) != RP_OK ||
        rp_inspection_add(inspection, source, compiled) != RP_OK ||
        rp_weights_load(device, &load_params, diags, &loaded) != RP_OK ||
        rp_plan_get_buffer(plan, 0, &asked) != RP_OK ||
        rp_encoder_create(device, &encoder_params, diags, &encoder) != RP_OK ||
        rp_program_buffer(program, &(rp_buffer_params){.size = sizeof(rp_buffer_params), .name = "d", .kind = RP_IN, .dtype = RP_F32, .rank = 1, .shape = {4}}, diags, &direct_buffer) != RP_OK ||
        rp_program_buffer(program, &(rp_buffer_params){.size = sizeof(rp_buffer_params), .name = "t", .kind = RP_TMP, .dtype = RP_F32, .rank = 1, .shape = {4}}, diags, &transient) != RP_OK ||
        rp_program_kernel(program, &(rp_kernel_params){.size = sizeof(rp_kernel_params), .name = "built", .glsl = "#version 450\nlayout(binding = 0) buffer B { float v; };\nvoid main() { v = 1; }\n"}, diags, &built) != RP_OK ||
        rp_direct_create(program, device, &direct_params, diags, &direct) != RP_OK) {
        fprintf(stderr, "%s\n", rp_diags_get(diags, 0).message);
        return 99;
    }
    rp_storage_get_info(storage, &storage_info);
    rp_storage_import storage_import = {.size = sizeof storage_import, .buffer = storage_info.buffer, .bytes = 256};
    rp_binding binding = {.buffer = "x", .storage = storage};
    rp_submission submission = {.exec = exec};
    /* A real one, which nothing that is called here writes to. */
    void *commands = rp_exec_command_buffer(exec, 0, 0);
    uint32_t live = 0;
    rp_exec_find(exec, "n", &live);
    rp_plan_get_info(plan, &plan_info);
    rp_certificate proven = plan_info.certificate;
"""


def functions():
    """(result, name, [(type, name)]) of all that the headers export."""
    text = "\n".join(re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S) for header in HEADERS)
    text = re.sub(r"^#.*$", "", text, flags=re.M)
    for declaration in re.findall(r"RP_API\s+([^;{]*?\([^;{]*?\))\s*(?:RP_PRINTF\(\d+, \d+\))?;", text):
        declaration = " ".join(declaration.split())
        result, name, inner = re.fullmatch(r"(.*?)\b(rp_\w+)\((.*)\)", declaration).groups()
        params = []
        for param in [] if inner == "void" else inner.split(", "):
            if param != "...":
                params.append(re.fullmatch(r"(.*?)(\w+)", param).groups())
        yield result.strip(), name, [(kind.strip(), word) for kind, word in params]


def value(function, kind, name):
    """A value that is right for a parameter. A pointer of a type that is not in VALUES would be NULL."""
    if name in COUNTS and kind.startswith(("uint", "size_t")):
        return "1" if kind == "uint32_t" else "8"
    if kind.endswith("**"):
        return f"({kind})&(void *){{0}}"
    special = {("rp_inspection_observe", "inspection"): "inspection", ("rp_inspection_observe", "index"): "-1",
               ("rp_needs_enable", "features"): "&chain", ("rp_needs_enable", "api_version"): "(1u << 22 | 3u << 12)",
               ("rp_exec_read", "buffer"): '"y"',
               ("rp_program_get_kernel", "kernel"): "built", ("rp_program_get_binding", "kernel"): "built",
               ("rp_program_output", "buffer"): "transient",
               ("rp_exec_set_live", "buffer"): '"n"', ("rp_exec_set_live_at", "index"): "live",
               ("rp_exec_record", "slot"): "9", ("rp_exec_wait_pieces", "replay"): "1"}
    if (function, name) in special:
        return special[function, name]
    if name in ("compiled", "source") and kind == "const rp_graph *":
        return name
    if function == "rp_plan_build" and name == "certificate":
        return "&proven"
    if function == "rp_graph_parse" and name == "text":
        return "text"
    if name == "command_buffer":
        return "commands"
    return VALUES.get(kind + "_" if kind == "rp_kernel" else kind, "0")


def sized():
    """The structs that begin with their size."""
    text = "\n".join(header.read_text() for header in HEADERS)
    return set(re.findall(r"typedef struct (\w+) \{\s*size_t\s+size;", text))


class Nulls(cli.Case):
    def test_each_size_of_each_function(self):
        """Nobody has set the size of a struct that is given: RP_ERROR_USAGE."""
        calls, tried = [], set()
        for result, function, params in functions():
            for i, (kind, _) in enumerate(params):
                struct = kind.removeprefix("const ").removesuffix(" *")
                if result != "rp_status" or kind == struct or struct not in sized():
                    continue
                arguments = [(f"&({struct}){{0}}" if k == i else value(function, *param))
                             for k, param in enumerate(params)]
                if function in ("rp_encoder_end", "rp_direct_end"):
                    who = function.split("_")[1]
                    more = ", &(rp_recorder *){0}" if who == "direct" else ""
                    calls.append(f"rp_{who}_begin({who}, commands, NULL, diags{more});")
                calls.append(f'said("{function} with a {struct} without size", {function}({", ".join(arguments)}), '
                             "RP_ERROR_USAGE);")
                tried.add(struct)
        # Those that lie behind other structs, and those that the library gives to an application's functions.
        self.assertEqual(sized() - tried, {"rp_encoder_kernel", "rp_encoder_buffer",
                                           "rp_memory_request", "rp_memory"})
        self.run_calls(calls)

    def test_each_pointer_of_each_function(self):
        calls, names = [], set()
        for result, function, params in functions():
            names.add(function)
            for i, (kind, name) in enumerate(params):
                if not kind.endswith("*") or kind.endswith("]"):
                    continue
                arguments = [("NULL" if k == i else value(function, *param)) for k, param in enumerate(params)]
                if function in ("rp_diags_add",) and name == "format":
                    continue  # a format must be one
                if re.search(r"_(destroy|close|clear|release|doc_release)$", function) and name not in (
                        "allocator",) and len(params) == 1:
                    arguments = ["NULL"]
                elif re.search(r"_release$", function):
                    arguments[-1] = "NULL"  # nothing to release
                optional = ((kind, name) in OPTIONAL or (function, name) in OPTIONAL_IN) and (
                    function not in WRONG_HERE)
                call = f"{function}({', '.join(arguments)})"
                shown = f"{function} with {name} NULL"
                if result == "rp_status":
                    # What may be NULL may also fail for another reason: it is no wrong use.
                    well = "RP_ERROR_NOT_FOUND" if function in NOT_FOUND else "RP_OK"
                    calls.append(f'said("{shown}", {call}, {well if optional else "RP_ERROR_USAGE"});')
                else:
                    calls.append(f"{call};")
                if function in ("rp_encoder_end", "rp_direct_end") and name == "report":
                    begin = function.replace("end", "begin")
                    more = ", &(rp_recorder *){0}" if function == "rp_direct_end" else ""
                    who = function.split("_")[1]
                    calls[-1] = (f'said("{begin}", {begin}({who}, commands, NULL, diags{more}), RP_OK);\n    '
                                 + calls[-1])
                if function in ENCODED and name != "encoder":
                    calls[-1] = (f'said("rp_encoder_begin", rp_encoder_begin(encoder, commands, NULL, diags), RP_OK);\n'
                                 f'    if ({call} != RP_ERROR_INVALID || rp_encoder_end(encoder, NULL) != '
                                 f'RP_ERROR_INVALID)\n        puts("{shown} is no mistake");')
                calls[-1] = f'fprintf(stderr, "{shown}\\n");\n    ' + calls[-1]
        self.assertGreater(len(names), 100)
        self.run_calls(calls)

    def run_calls(self, calls):
        source = PROLOGUE + "".join(f"    {call}\n" for call in calls) + "    puts(\"done\");\n    return 0;\n}\n"
        self.write("nulls.c", source)
        libraries = [f"{BUILD}/{folder}/libreprise{name}.so" for folder, name in
                     (("compiler", ""), ("runtime", "-runtime"), ("weights", "-weights"))]
        rpath = [f"-Wl,-rpath,{BUILD}/{folder}" for folder in ("compiler", "runtime", "weights")]
        flags = os.environ.get("REPRISE_CFLAGS", "").split()
        includes = [f"-I{header.parents[1]}" for header in HEADERS]
        subprocess.run([CC, "-std=gnu17", "-w", *flags, *includes, "nulls.c", "-o", "nulls", *libraries, *rpath],
                       cwd=self.folder, check=True)
        result = subprocess.run(["./nulls"], cwd=self.folder, capture_output=True, text=True,
                                env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
        last = result.stderr.strip().splitlines()[-1:]
        self.assertEqual(result.returncode, 0, f"{last} ends the process\n{result.stdout}")
        self.assertEqual(result.stdout, "done\n")


if __name__ == "__main__":
    cli.main()
