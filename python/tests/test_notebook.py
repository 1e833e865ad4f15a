"""What notebooks show."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as xml

import numpy as np
import pytest
import reprise as rp
from reprise import notebook, ops


@pytest.fixture(scope="module")
def program() -> rp.Program:
    p = rp.Program("shown")
    with p.label("<layer> & more"):
        p.output("y", ops.softmax(ops.linear(p.input("x", (4, 8)), np.ones((8, 8), "f4"))))
    return p


def test_without_graphviz(program, monkeypatch):
    """No picture, and the graph as text in its place."""
    monkeypatch.setenv("PATH", "/nonexistent")
    graph, plan = program.graph(), program.compile()
    for shown in (program, graph, plan):
        assert shown._repr_svg_() is None
    for shown in (program, graph):
        page = shown._repr_html_()
        assert page.startswith("<pre>") and "matvec" in page and "&lt;layer&gt; &amp; more" in page
    xml.fromstring("<div>" + plan._repr_html_() + "</div>")
    assert "<table>" in plan._repr_html_() and "barriers (at least" in plan._repr_html_()


def test_with_graphviz(program, monkeypatch, tmp_path):
    """What `dot` writes, from its <svg> on; a program that fails, hangs or writes nonsense is no picture."""
    def install(script: str) -> None:
        (tmp_path / "dot").write_text("#!/bin/sh\n" + script)
        (tmp_path / "dot").chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    install("echo '<?xml?><!-- made -->'; echo '<svg>'; grep -c digraph; echo '</svg>'\n")
    picture = program.graph()._repr_svg_()
    assert re.fullmatch(r"<svg>\s*1\s*</svg>\s*", picture)
    assert program.graph()._repr_html_() == picture == program._repr_svg_()
    assert program.compile()._repr_html_().endswith("</table>" + program.compile()._repr_svg_())
    for script in ("exit 1\n", "echo nonsense\n", "echo '<svg>'; exit 3\n"):
        install(script)
        assert program.graph().svg() is None
    install("exec sleep 60\n")
    assert notebook.svg("digraph {}", timeout=0.2) is None


def test_tables():
    assert "<td>&lt;a&gt;</td>" in notebook.table(["x"], [["<a>"]])
    assert notebook.columns(["a", "b"], [["long", 1]]).split("\n") == ["a     b", "long  1"]
