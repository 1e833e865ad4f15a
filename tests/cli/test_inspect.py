"""show, diff and devices: text that parses again, JSON with the documented fields, DOT."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import cli
from cli import DATA, INPUT, OK, SOURCE


class Show(cli.Case):
    def setUp(self):
        super().setUp()
        self.expect(OK, "compile", "graph.rpir", "-o", "p.rplan", "-q")

    def test_text_is_a_fixed_point(self):
        for file in ("graph.rpir", "p.rplan", "pipeline.yaml"):
            text = self.expect(OK, "show", file)
            self.write("again.rpir", text)
            self.assertEqual(self.expect(OK, "show", "again.rpir"), text)
            self.expect(OK, "diff", file, "again.rpir")

    def test_kind_by_content(self):
        for file in ("graph.rpir", "p.rplan", "pipeline.yaml"):
            text = self.expect(OK, "show", file)
            shutil.copy(self.folder / file, self.folder / "renamed.txt")
            self.assertEqual(self.expect(OK, "show", "renamed.txt"), text)
            self.assertEqual(self.expect(OK, "show", "-", input=self.read(file)), text)

    def test_source_of_a_plan(self):
        self.assertEqual(self.expect(OK, "show", "p.rplan", "--source"), self.expect(OK, "show", "graph.rpir"))

    def test_json(self):
        for arguments in (["graph.rpir"], ["p.rplan"], ["pipeline.yaml"]):
            graph = json.loads(self.expect(OK, "show", *arguments, "--format", "json"))
            self.assertLessEqual({"graph", "buffers", "nodes", "groups", "barriers", "stats"}, graph.keys())
            self.assertLessEqual({"nodes", "groups", "barriers", "barrier_bound", "arena_bytes",
                                  "arena_bound_bytes"}, graph["stats"].keys())
            for buffer in graph["buffers"]:
                self.assertLessEqual({"id", "name", "kind", "size", "offset"}, buffer.keys())
            for node in graph["nodes"]:
                self.assertLessEqual({"id", "kind", "name", "label", "group", "source", "uses"}, node.keys())
                for use in node["uses"]:
                    self.assertLessEqual({"access", "buffer", "offset", "size"}, use.keys())

    def test_json_says_what_text_says(self):
        graph = json.loads(self.expect(OK, "show", "p.rplan", "-f", "json"))
        text = self.expect(OK, "show", "p.rplan")
        self.assertEqual(graph["graph"], "two_chains")
        self.assertEqual(len(graph["nodes"]), len(re.findall(r"(?m)^ +n\d+ = ", text)))
        self.assertEqual(len(graph["groups"]), len(re.findall(r"(?m)^ +group ", text)))
        between = [b for b in graph["barriers"] if 0 < b["before_group"] < len(graph["groups"])]
        self.assertEqual(len(between), graph["stats"]["barriers"])
        self.assertEqual(graph["stats"]["barriers"], 2)
        self.assertEqual(graph["stats"]["barrier_bound"], 2)
        self.assertTrue(all(b["hazards"] for b in between), "every barrier has a reason")
        arena = {b["name"]: b["offset"] for b in graph["buffers"]}
        self.assertIsNone(arena["x"] if "x" in arena else arena["$x"])

    def test_dot(self):
        for file in ("graph.rpir", "p.rplan"):
            dot = self.expect(OK, "show", file, "--format=dot")
            self.check_dot(dot)
            for node in ("n0", "n5"):
                self.assertIn(node, dot)

    def check_dot(self, dot):
        if shutil.which("dot"):
            subprocess.run(["dot", "-Tsvg"], input=dot.encode(), check=True, capture_output=True)
        # Without Graphviz: a digraph whose brackets and quotes close.
        self.assertRegex(dot, r"^(//.*\n)*\s*digraph\b")
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', dot)
        for left, right in ("{}", "[]"):
            self.assertEqual(bare.count(left), bare.count(right))
        self.assertEqual(bare.count('"') % 2, 0)
        self.assertTrue(dot.rstrip().endswith("}"))

    def test_stats(self):
        out = self.expect(OK, "show", "p.rplan", "--stats")
        self.assertRegex(out, r"(?m)^barriers +2$")
        self.assertRegex(out, r"(?m)^buffer +\$y out ")
        self.expect(OK, "show", "graph.rpir", "--stats", output="barrier bound")

    def test_stats_of_tags(self):
        tags = str(SOURCE / "tests/golden/views/tags.txt")
        out = self.expect(OK, "show", tags, "--stats")
        self.assertRegex(out, r"(?m)^tagged buffers +2, 1024 bytes of words$")
        self.assertRegex(out, r"(?m)^barriers +3$")
        self.assertRegex(out, r"(?m)^tagged form +1 barriers$")
        self.assertNotIn("tagged", self.expect(OK, "show", "p.rplan", "--stats"))
        stats = json.loads(self.expect(OK, "show", tags, "-f", "json"))["stats"]
        self.assertEqual([stats[k] for k in ("tagged", "tagged_bytes", "tagged_barriers")], [2, 1024, 1])

    def test_output_file(self):
        text = self.expect(OK, "show", "p.rplan")
        self.expect(OK, "show", "p.rplan", "-o", "shown.rpir")
        self.assertEqual(self.read("shown.rpir").decode(), text)

    def test_parameters(self):
        self.assertIn("f32[77]", self.expect(OK, "show", "pipeline.yaml", "-D", "n=77"))
        self.expect(INPUT, "show", "pipeline.yaml", "-D", "m=77", error="m")


class Diff(cli.Case):
    def test_equal(self):
        self.assertEqual(self.expect(OK, "diff", "graph.rpir", "graph.rpir"), "")
        self.write("spaced.rpir", self.read("graph.rpir").decode().replace("  ", "\t\t") + "; end\n")
        self.assertEqual(self.expect(OK, "diff", "graph.rpir", "spaced.rpir"), "")

    def test_names_what_changed(self):
        def diff(a, b):
            result = self.run_program("diff", a, b)
            self.assertEqual(result.returncode, INPUT)
            self.assertEqual(result.stderr, b"")
            return result.stdout.decode()
        text = self.read("graph.rpir").decode()
        self.write("other.rpir", text.replace("n3 = run @k grid 16 1 1", "n3 = run @k grid 8 1 1"))
        out = diff("graph.rpir", "other.rpir")
        self.assertIn("n3", out)
        self.assertNotIn("n2", out)
        self.expect(OK, "compile", "graph.rpir", "-o", "p.rplan", "-q")
        self.assertIn("n4", diff("graph.rpir", "p.rplan"))
        self.assertIn("x", diff("pipeline.yaml", "graph.rpir"))

    def test_wrong_input(self):
        self.expect(INPUT, "diff", "graph.rpir", "absent.rpir", error="absent.rpir")


class Devices(cli.Case):
    def test_lists(self):
        out = self.expect(OK, "devices")
        self.assertRegex(out, r"(?m)^0  \S")
        self.assertRegex(out, r"(?m)^   suitable +yes$")


class Expand(cli.Case):
    """expand: a flat pipeline, which is the same graph."""
    TEXT = """# gone
reprise: 1
include: sub/blocks.yaml
params: {n: 8, f: 0.5}
live: {length: {default: 4, max: n}}
buffers:
  x: {kind: in, dtype: f32, shape: [n], data: x.npy}
  "y{i}": {repeat: {i: 2}, kind: out, dtype: f32, shape: [n]}
nodes:
  - {use: half, repeat: {i: 2}, x: x, out: "y{i}", times: i + 1, label: "h{i}"}
"""
    BLOCKS = """blocks:
  half:
    params: {x: , out: , times: }
    nodes: [{map: x * f * times, out: out}]
"""

    def setUp(self):
        super().setUp()
        (self.folder / "sub").mkdir()
        self.write("p.yaml", self.TEXT)
        self.write("sub/blocks.yaml", self.BLOCKS)

    def test_flat(self):
        text = self.expect(OK, "expand", "p.yaml", "-D", "f=0.25")
        self.assertNotRegex(text, r"params|repeat|use|include|blocks|gone|\{i|\bf\b")
        self.assertIn("* 0.25 * 2", text)
        self.assertIn("max: 8", text)
        self.expect(OK, "expand", "p.yaml", "-D", "f=0.25", "-o", "flat.yaml")
        self.assertEqual(self.read("flat.yaml"), text.encode())
        self.assertEqual(self.expect(OK, "expand", "flat.yaml"), text)
        self.expect(OK, "expand", "p.yaml", "-o", "same.yaml")
        self.expect(OK, "diff", "p.yaml", "same.yaml")
        self.assertEqual(self.expect(OK, "expand", "-", input=text.encode()), text)

    def test_an_included_file_is_an_input(self):
        self.expect(cli.ENVIRONMENT, "expand", "p.yaml", "-o", "sub/blocks.yaml")
        self.assertEqual(self.read("sub/blocks.yaml"), self.BLOCKS.encode())

    def test_examples(self):
        examples = pathlib.Path(os.environ["REPRISE_SOURCE"]) / "examples"
        for pipeline in (examples / "ops" / "decoder.yaml", examples / "by-hand" / "layers.yaml"):
            self.expect(OK, "expand", str(pipeline), "-o", "flat.yaml")
            self.expect(OK, "diff", str(pipeline), "flat.yaml")

    def test_mistakes(self):
        self.expect(cli.USAGE, "expand")
        self.expect(cli.USAGE, "expand", "p.yaml", "p.yaml")
        self.expect(cli.USAGE, "expand", "p.yaml", "-D", "f")
        self.expect(cli.USAGE, "expand", "p.yaml", "-D", "f=abc")
        self.expect(INPUT, "expand", "graph.rpir")
        self.expect(INPUT, "expand", "p.yaml", "-D", "g=1")


if __name__ == "__main__":
    cli.main()
