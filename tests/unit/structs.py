#!/usr/bin/env python3
"""Public structs and how they may grow: structs.py CC HEADER...

The rule is that of reprise/status.h. A struct of the headers begins with `size_t size`, or stands in one of the
tables below, which say why it need not: who adds one decides. A sized struct is never returned or given by value, a
lent one only handed out by a const pointer; neither lies inside another struct, which would then move when it grows,
and an array of sized ones is only given behind a struct that counts them. The headers also say on which systems they
can be used."""
import re
import subprocess
import sys

LENT = {"rp_pass_report", "rp_pass_info", "rp_composite_info", "rp_pipeline_data", "rp_weight", "rp_target_figure"}

CLOSED = {
    "handles": {"rp_buffer", "rp_kernel", "rp_sampler"},
    "functions and what they are given": {"rp_allocator"},
    "a message and its place": {"rp_diag"},
    "what a plan file states, whose version says so": {"rp_certificate"},
    "a range": {"rp_range", "rp_plan_bytes", "rp_encoder_range"},
    "mips and layers of an image": {"rp_image_part", "rp_encoder_part"},
    "what plan files hold, whose version says so": {"rp_image_shape", "rp_sampler_info"},
    "what a format is, of which there is no more to say": {"rp_image_format_info"},
    "a range and the host's bytes": {"rp_upload", "rp_download", "rp_storage_upload", "rp_storage_download"},
    "a buffer and where it lies": {"rp_binding"},
    "a semaphore as Vulkan's own struct has it": {"rp_semaphore"},
    "an exec and its params, which are sized": {"rp_submission"},
    "a live value by its name": {"rp_plan_live_value"},
    "a name and a value": {"rp_param_value", "rp_attribute", "rp_kernel_given", "rp_weight_name", "rp_kernel_priority"},
    "a number and a value": {"rp_spec_constant", "rp_wide_constant", "rp_encoder_constant", "rp_encoder_param"},
    "a range seen as a tensor": {"rp_operand"},
    "a time of all rounds": {"rp_profile_time"},
}


def strip(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def structs(text):
    """Name and members of each struct that the text defines."""
    return re.findall(r"typedef struct \w+ \{(.*?)^\} (\w+);", text, flags=re.S | re.M)


def problems(text):
    """What is wrong in the text of all headers, as messages."""
    closed = set().union(*CLOSED.values())
    found = {name: members for members, name in structs(text)}
    sized = {name for name, members in found.items() if re.match(r"\s*size_t\s+size;", members)}
    for name in found:
        kinds = (name in sized) + (name in LENT) + (name in closed)
        if kinds == 0:
            yield f"{name} cannot grow: begin it with `size_t size`, or say in this test why it need not"
        if kinds > 1:
            yield f"{name} is of {kinds} kinds"
    for name in (LENT | closed) - set(found):
        yield f"{name} is in this test's tables and in no header"
    for owner, members in found.items():
        for kind in re.findall(r"^\s*(rp_\w+)\s+\w+[;,\[]", members, flags=re.M):
            if kind in sized | LENT:
                yield f"{owner} contains a {kind}, which may grow"
    for declaration in re.findall(r"RP_API\s+([^;{]*?)\s*;", text):
        declaration = " ".join(declaration.split())
        for name in sized | LENT:
            if re.search(rf"\b{name}\b(?! ?\*)", declaration):
                yield f"{name} is given by value: {declaration}"
        for name in LENT:
            if re.search(rf"(?<!const )\b{name} \*", declaration):
                yield f"{name} is the library's and not to be written: {declaration}"


def notices():
    """That the rules above find what breaks them."""
    good = "typedef struct rp_x {\n    size_t size;\n    int a;\n} rp_x;\n"
    tables = "".join(f"typedef struct {n} {{\n    int a;\n}} {n};\n" for n in set(LENT).union(*CLOSED.values()))
    cases = {
        "": None,
        "typedef struct rp_y {\n    int a;\n    size_t size;\n} rp_y;": "rp_y cannot grow",
        "typedef struct rp_range {\n    size_t size;\n} rp_range;": "rp_range is of 2 kinds",
        "typedef struct rp_y {\n    size_t size;\n    rp_x x;\n} rp_y;": "rp_y contains a rp_x",
        "RP_API rp_x rp_get(void);": "rp_x is given by value",
        "RP_API rp_status rp_set(rp_x x);": "rp_x is given by value",
        "RP_API rp_status rp_get(const rp_x *x);": None,
        "RP_API rp_weight *rp_get(void);": "rp_weight is the library's",
        "RP_API const rp_weight *rp_get(void);": None,
    }
    for text, wanted in cases.items():
        said = list(problems(tables + good + text))
        if (wanted is None) != (not said) or (wanted and not any(wanted in message for message in said)):
            yield f"{text!r}: {said}"
    if not any("in no header" in message for message in problems(good)):
        yield "a table entry without a struct is not noticed"


def check_systems(compiler, headers):
    """32 bits are refused with words; where the compiler can make code for them, without a C library."""
    options = [compiler, "-ffreestanding", "-fsyntax-only", "-x", "c", "-m32"]
    if subprocess.run(options + ["-"], input="int x;", text=True, capture_output=True).returncode:
        print("this compiler knows no system of 32 bits: that they are refused is not tested")
        return
    status = next(h for h in headers if h.endswith("/status.h"))
    said = subprocess.run(options + [status], text=True, capture_output=True).stderr
    if "Reprise needs a system of 64 bits" not in said:
        yield f"a system of 32 bits is not refused: {said}"


def main():
    compiler, headers = sys.argv[1], sys.argv[2:]
    text = "\n".join(strip(open(header).read()) for header in headers)
    wrong = [*notices(), *problems(text), *check_systems(compiler, headers)]
    for message in wrong:
        print(message)
    count = len(structs(text))
    if count < 40:
        wrong.append(f"only {count} structs were found")
    print(f"{count} structs in {len(headers)} headers")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
