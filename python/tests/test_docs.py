"""Every snippet of the guide and of the READMEs, run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT


def blocks(page: Path, language: str) -> "list[tuple[int, str]]":
    """(line, text) of each block of a language."""
    text = page.read_text()
    return [(text[:m.start()].count("\n") + 2, m.group(1))
            for m in re.finditer(rf"^```{language}\n(.*?)^```", text, re.M | re.S)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.random.rand(4, 64).astype("f4"))
    return tmp_path


def run_page(page: Path) -> int:
    """A page's Python, one block after the other; a failure has the page's own lines."""
    space: "dict[str, object]" = {"__name__": "page"}
    found = blocks(page, "python")
    for line, text in found:
        exec(compile("\n" * (line - 1) + text, str(page), "exec"), space)
    return len(found)


@pytest.mark.filterwarnings("ignore:.*no node writes:UserWarning")
@pytest.mark.parametrize("page, least", [("docs/python.md", 10), ("README.md", 1), ("python/README.md", 1)])
def test_python(folder, page, least):
    assert run_page(ROOT / page) >= least


def three_ways() -> "dict[str, str]":
    """The blocks of the README's three ways in."""
    text = (ROOT / "README.md").read_text()
    section = text[text.index("## Three ways in"):]
    section = section[:section.index("\n## ", 5)]
    found = dict(re.findall(r"^```(yaml|c|python)\n(.*?)^```", section, re.M | re.S))
    found["command"] = re.search(r"^    (reprise run .*)$", section, re.M).group(1)
    return found


def test_three_ways_in(folder):
    """YAML, C and Python do the same, and take as few lines as it says."""
    ways = three_ways()
    Path("norm.yaml").write_text(ways["yaml"])
    program = os.environ["REPRISE"]
    subprocess.run([program, *ways["command"].split()[1:]], check=True)
    y = np.load("y.npy")
    x = np.load("x.npy").astype("f8")
    want = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6)
    want /= 1 + np.exp(-want)
    np.testing.assert_allclose(y, want, rtol=1e-5)

    space: "dict[str, object]" = {}
    exec(ways["python"], space)
    np.testing.assert_array_equal(space["y"], y)

    build = Path(os.environ["REPRISE_BUILD"])
    Path("main.c").write_text(ways["c"])
    folders = [build / f for f in ("compiler", "runtime", "weights")]
    command = [os.environ.get("CC", "cc"), "-std=c17", "-Wall", "-Wextra", "-Werror", "main.c", "-o", "main"]
    command += [f"-I{ROOT / m / 'include'}" for m in ("ir", "passes", "compiler", "runtime")]
    command += [f for d in folders for f in (f"-L{d}", f"-Wl,-rpath,{d}")] + ["-lreprise", "-lreprise-runtime"]
    subprocess.run(command, check=True)
    x.astype("f4").tofile("x.bin")
    out = subprocess.run(["./main"], check=True, capture_output=True, text=True).stdout
    ones = np.ones(64) / np.sqrt(1 + 1e-6)
    assert float(out) == pytest.approx((ones / (1 + np.exp(-ones)))[0], rel=1e-5)
