"""What cffi knows of the C interface: src/reprise/_abi.py, made of the public headers.

The headers are run through the C preprocessor, which resolves their tables, and what cffi cannot read
or the package does not use is left out. cffi then makes a module of them ("out-of-line, ABI mode"), so
that importing the package parses no C. The module is kept in the repository, and building the package
needs no compiler for it; its first line says of which declarations it was made.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import cffi

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "python" / "src" / "reprise" / "_abi.py"
FOLDERS = ["ir", "runtime", "weights", "passes", "compiler"]

# cffi knows these types by itself; the headers ask for their limits alone.
STDINT = """
#define UINTPTR_MAX 0xffffffffffffffffU
#define UINT64_MAX UINTPTR_MAX
#define SIZE_MAX UINTPTR_MAX
#define UINT32_MAX 0xffffffffU
#define UINT64_C(x) x
"""


def preprocess() -> str:
    """The headers as plain declarations, in one text."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("stdint.h", STDINT), ("stddef.h", "")):
            Path(folder, name).write_text(text)
        main = Path(folder, "all.h")
        main.write_text("#include <reprise/compiler.h>\n#include <reprise/inspect.h>\n"
                        "#include <reprise/runtime.h>\n"
                        "#include <reprise/weights.h>\n")
        command = [os.environ.get("CC", "cc"), "-E", "-P", "-undef", "-nostdinc", "-I", folder]
        for module_folder in FOLDERS:
            command += ["-I", str(ROOT / module_folder / "include")]
        return subprocess.run(command + [str(main)], check=True, capture_output=True,
                              text=True).stdout


def declarations() -> str:
    text = preprocess()
    # An enum wider than int: the package asks the library for the names of needs.
    text = re.sub(r"__extension__ typedef enum rp_plan_need \{.*?\} rp_plan_need;", "", text,
                  flags=re.S)
    text = text.replace("extern const rp_sampler_info rp_sampler_default;", "")
    # Diagnostics are read, never written, by the package: variadic functions are of no use.
    text = re.sub(r"\s*void rp_diags_add\([^;]*;", "", text)
    text = re.sub(r"\s+", " ", text)
    # A line for each declaration.
    depth, lines, line = 0, [], ""
    for c in text:
        depth += (c == "{") - (c == "}")
        line += c
        if c == ";" and depth == 0:
            lines.append(line.strip())
            line = ""
    return "\n".join(line for line in lines if line != ";") + "\n"


def head() -> str:
    """The module's first line: what it was made of, whatever the version of cffi."""
    digest = hashlib.sha256(declarations().encode()).hexdigest()
    return f"# Made by python/tools/generate.py of declarations {digest}\n"


def module() -> str:
    ffi = cffi.FFI()
    ffi.cdef(declarations())
    ffi.set_source("reprise._abi", None)
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        path = Path(folder, "_abi.py")
        ffi.emit_python_code(str(path))
        return head() + re.sub(r"^#.*\n", "", path.read_text())


def is_current() -> bool:
    return TARGET.read_text().startswith(head())
