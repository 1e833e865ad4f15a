"""The package itself: what is generated is up to date, types are right, the library is found as promised."""

from __future__ import annotations

import ctypes.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import reprise as rp
from conftest import ROOT

PYTHON = ROOT / "python"


def test_version_is_that_of_the_headers():
    header = (ROOT / "ir/include/reprise/status.h").read_text()
    parts = [re.search(rf"#define RP_VERSION_{p} (\d+)", header).group(1) for p in ("MAJOR", "MINOR", "PATCH")]
    assert rp.__version__ == ".".join(parts)
    assert f'version = "{rp.__version__}"' in (PYTHON / "pyproject.toml").read_text()


def mypy(tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    program = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path.parent / "mypy"), *arguments]
    return subprocess.run(program, cwd=PYTHON, capture_output=True, text=True, timeout=300,
                          env={**os.environ, "MYPYPATH": str(PYTHON / "src")}, check=False)


def test_types(tmp_path: Path):
    """The package is right by mypy --strict, and so is what uses it as the guide does; what is wrong is found."""
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text('''
from typing import Any, Tuple
import numpy as np
import reprise as rp
from reprise import ops

p = rp.Program("typed")
tokens = p.live("tokens", 1, max=8)
x: rp.Tensor = p.input("x", (tokens, 64), "f32")
y: rp.Tensor = ops.rms_norm(x, np.ones(64, np.float32), eps=1e-5)
codes, scale = ops.quantize_i8(y)
both: Tuple[rp.Tensor, ...] = ops.top_k(y, k=4, outputs=("values", "indices"))
some = ops.top_k(y, k=4, outputs=("values", "indices"))
values: rp.Tensor = some.values
scales: rp.Tensor = ops.quantize_i8(y).scale
with rp.device() as device, device.storage(16) as storage, p.graph() as graph:
    pair: Tuple[rp.Storage, rp.Graph] = storage, graph
z: rp.Tensor = 2 * y + codes @ codes.T - y[0]
plan: rp.Plan = p.compile(level=2, target="h200")
exec: rp.Exec = plan.open(slots=2)
replay: rp.Replay = exec.submit(x=np.zeros((1, 64), np.float32))
array: Any = replay.result(timeout=1.0)["y"]
''')
    wrong.write_text('''
import reprise as rp
from reprise import ops
p = rp.Program(3)
x = p.input("x", "4")
ops.rms_norm(x, epsilon=1)
ops.top_k(x, k=4, order="biggest")
ops.no_such_op(x)
ops.top_k(x, k=4, outputs=("values", "indices")).places
''')
    result = mypy(tmp_path, "--config-file", str(PYTHON / "pyproject.toml"), "-p", "reprise")
    assert result.returncode == 0, result.stdout + result.stderr
    result = mypy(tmp_path, "--strict", "--config-file", str(PYTHON / "pyproject.toml"), str(right))
    assert result.returncode == 0, result.stdout + result.stderr
    result = mypy(tmp_path, "--config-file", str(PYTHON / "pyproject.toml"), str(wrong))
    lines = re.findall(r"wrong\.py:(\d+): error", result.stdout)
    assert set(lines) == {"4", "5", "6", "7", "8", "9"}, result.stdout


def folder_of_library() -> Path:
    return Path(rp.library_path).resolve().parent


IMPORT = "import reprise; print(reprise.library_path)"


def test_library_by_environment(python):
    """The variable names the file, or its folder; it is the only place that is then looked at."""
    folder = folder_of_library()
    file = next(folder.glob("libreprise.so.*.*.*"), folder / Path(rp.library_path).name)
    for given in (folder, file):
        out = python(IMPORT, REPRISE_LIBRARY=str(given)).stdout
        assert out.startswith(str(folder))
    for given in ("/nonexistent/libreprise.so", "/"):
        result = python(IMPORT, 1, REPRISE_LIBRARY=given)
        assert "ImportError" in result.stderr and "REPRISE_LIBRARY" in result.stderr


def test_library_by_pkg_config(python, tmp_path: Path):
    if not shutil.which("pkg-config"):
        pytest.fail("pkg-config is not installed")
    (tmp_path / "reprise.pc").write_text(f"libdir={folder_of_library()}\nName: reprise\nVersion: 0\n"
                                         "Description: -\n")
    out = python(IMPORT, REPRISE_LIBRARY="", PKG_CONFIG_PATH=str(tmp_path)).stdout
    carried = Path(rp.__file__).parent / "_lib"
    assert out.startswith(str(carried if carried.exists() else folder_of_library()))


def test_library_by_the_loader(python):
    """Last what the system finds, by its name alone; the other libraries in the same way."""
    build = Path(os.environ["REPRISE_BUILD"])
    folders = ":".join(str(build / name) for name in ("compiler", "runtime", "weights"))
    result = python(IMPORT, REPRISE_LIBRARY="", PATH="/nonexistent", LD_LIBRARY_PATH=folders)
    carried = Path(rp.__file__).parent / "_lib"
    assert carried.exists() or result.stdout == "libreprise.so.0.1\n"
    if carried.exists() or ctypes.util.find_library("reprise"):
        return  # there is another one
    result = python(IMPORT, 1, REPRISE_LIBRARY="", PATH="/nonexistent", LD_LIBRARY_PATH="")
    assert "set REPRISE_LIBRARY" in result.stderr and "libreprise.so.0.1: " in result.stderr


def test_library_of_another_version(python, tmp_path: Path):
    """A library that says another version is not taken."""
    source = tmp_path / "other.c"
    source.write_text('const char *rp_version(void) { return "9.7.0"; }')
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", str(source), "-o",
                    str(tmp_path / "libreprise.so")], check=True)
    result = python(IMPORT, 1, REPRISE_LIBRARY=str(tmp_path))
    assert "is version 9.7.0, expected 0.1" in result.stderr
