"""What notebooks show."""

from __future__ import annotations

import json
import os
import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import numpy as np
import pytest
import reprise as rp
from reprise import notebook, ops

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))
import page_document


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


def document_of(page: str) -> dict:
    return json.loads(page_document.text_of(page))


def test_page(program, tmp_path):
    """The page of a program, a graph, a pipeline and a plan, and the data in it."""
    inspection = program.inspect(level=2)
    page, data = inspection.html(), inspection.json()
    assert page.startswith("<!doctype html>") and document_of(page)["forms"][0]["graph"] == data["forms"][0]["graph"]
    form = data["forms"][0]
    assert [p["pass"] for p in form["passes"]][:2] == ["dce", "rename"] and form["graph"]["nodes"] == program.compile(level=2).graph.json()["nodes"]
    assert data["file"] is None and data["source_file"] is None
    written = {n["written"] for n in form["source"]["nodes"]}
    assert any(re.match(r"test_notebook\.py:\d+: p\.output\(", line) for line in written), written
    assert document_of(program.html())["forms"][0]["graph"]["barriers"] == program.compile().graph.json()["barriers"]
    assert document_of(program.graph().html(level=0, target="h200"))["forms"][0]["graph"]["target"]["name"] == "h200"
    passes = program.graph().inspect(passes="dce,schedule=inorder,place=separate,sync").json()["forms"][0]["passes"]
    assert [p["pass"] for p in passes] == ["dce", "schedule=inorder", "place=separate", "sync"]

    plan = program.compile()
    shown = plan.inspect().json()["forms"][0]
    assert shown["graph"] == plan.graph.json() and shown["passes"] == [] and len(shown["source"]["nodes"]) == plan.source.stats["nodes"]
    assert document_of(plan.html())["forms"][0]["graph"] == shown["graph"]
    assert plan.graph.inspect().json()["forms"][0]["graph"] == shown["graph"], "what is compiled is not compiled again"

    profile = {"form": 0, "nodes": [], "groups": []}
    for given in (profile, json.dumps(profile), json.dumps(profile).encode()):
        assert plan.inspect(profile=given).json()["forms"][0]["profile"] == profile
    for wrong in ("[]", b"{", "", "\x00"):
        with pytest.raises(rp.InvalidError):
            plan.inspect(profile=wrong)
    with pytest.raises(rp.InvalidError, match="level"):
        program.html(level=7)

    inspection.save(tmp_path / "page.html")
    inspection.save(str(tmp_path / "page.json"))
    assert document_of((tmp_path / "page.html").read_text()) == json.loads((tmp_path / "page.json").read_text())
    inspection.close()
    with pytest.raises(rp.UsageError, match="closed"):
        inspection.html()


def test_page_of_a_pipeline(tmp_path):
    """Its lines are those of the file or of the text; each form is there."""
    source = """reprise: 1
name: forms
live:
  tokens: {dtype: u32, shape: [1], default: 1, max: 64, ranges: [8]}
buffers:
  x: {kind: in, dtype: f32, shape: [tokens, 16]}
  y: {kind: out, dtype: f32, shape: [tokens, 16]}
nodes:
  - {map: x * 2, out: y}
"""
    (tmp_path / "forms.yaml").write_text(source)
    for pipeline in (rp.load(tmp_path / "forms.yaml"), rp.parse(source, path=tmp_path / "forms.yaml")):
        data = pipeline.inspect().json()
        assert data["source_file"] == str(tmp_path / "forms.yaml")
        assert [f["title"] for f in data["forms"]] == ["form 1 of 2", "form 2 of 2"]
        assert {n["written"].strip() for f in data["forms"] for n in f["source"]["nodes"]} == {"- {map: x * 2, out: y}"}
        assert len(pipeline.compile().inspect().json()["forms"]) == 2


def test_frame(program):
    """In a notebook the page is an element whose scripts see nothing of it."""
    frame = xml.fromstring(program.inspect()._repr_html_())
    assert frame.tag == "iframe" and frame.get("sandbox") == "allow-scripts allow-downloads"
    page = frame.get("srcdoc")
    assert page.startswith("<!doctype html>") and document_of(page)["forms"][0]["graph"]["groups"] == program.compile().graph.json()["groups"]


def test_tables():
    assert "<td>&lt;a&gt;</td>" in notebook.table(["x"], [["<a>"]])
    assert notebook.columns(["a", "b"], [["long", 1]]).split("\n") == ["a     b", "long  1"]
