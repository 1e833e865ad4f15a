"""explain and its what-if, and bench without a device: words and figures that hold against the JSON."""
import json
import unittest

import cli
from cli import INPUT, OK, SOURCE, USAGE

GRAPHS = SOURCE / "tests/golden/graphs"
FUSION = SOURCE / "tests/golden/fusion"


class Explain(cli.Case):
    def explain(self, *arguments):
        return self.expect(OK, "explain", *arguments)

    def test_node(self):
        out = self.explain("graph.rpir", "n5")
        self.assertIn("n5 at graph.rpir:18: n5 = run @j", out)
        self.assertIn("group 2 of 3. It can stand nowhere else: it needs n1, n3", out)
        self.assertIn("raw: n5 reads %b (all 4096 bytes), which n1 writes; ordered by the barrier before group 2 alone", out)
        self.assertIn("2 nodes of the group before would all have to leave its bytes alone", out)
        self.assertIn("it needs n0", self.explain("graph.rpir", "n1"))
        self.assertIn("nothing, it runs first", self.explain("graph.rpir", "n0"))
        self.expect(INPUT, "explain", "graph.rpir", "n4", error="graph.rpir: error: has no node n4 after compiling")

    def test_everything_of_golden_graphs(self):
        """Whatever is asked for of what there is has an answer."""
        for path in (GRAPHS / "moe-expert-loop.rpir", GRAPHS / "umap-epoch.rpir", FUSION / "decoder-layer.rpir"):
            graph = json.loads(self.expect(OK, "show", path, "--format", "inspection"))["forms"][0]["graph"]
            for node in graph["nodes"][:6]:
                self.assertTrue(self.explain(path, f"n{node['id']}").startswith(f"n{node['id']} "))
            for barrier in graph["barriers"][:4]:
                out = self.explain(path, f"b{barrier['before_group']}")
                self.assertIn(f"{barrier['src']} -> {barrier['dst']}", out)
                for kind in {h["kind"] for h in barrier["hazards"]}:
                    self.assertIn(f"  {kind}: ", out)
            for buffer in graph["buffers"][:4]:
                self.assertIn(buffer["name"] + ": " + buffer["kind"], self.explain(path, buffer["name"]))
            self.assertIn(f"{len(graph['nodes'])} nodes in {len(graph['groups'])} groups", self.explain(path))

    def test_pair(self):
        self.assertIn("raw: n1 reads %a", self.explain("graph.rpir", "n0", "n1"))
        self.assertIn("nothing of their own", self.explain("graph.rpir", "n0", "n3"))
        self.assertIn("n2 needs it in memory", self.explain(FUSION / "other-reader.rpir", "n0", "n1"))
        out = self.explain("ops.yaml", "n0", "n1")
        self.assertIn("n0 and n1 are one kernel", out)

    def test_barrier(self):
        out = self.explain("graph.rpir", "b1", "-O0")
        self.assertIn("before group 1", out)
        self.assertIn("nothing would break", self.explain("graph.rpir", "b2", "-O0"))
        self.expect(INPUT, "explain", "graph.rpir", "b9", error="no barrier before group 9")
        self.expect(INPUT, "explain", "graph.rpir", "nothing", error="no buffer 'nothing'")

    def test_tagged_buffers(self):
        self.expect(OK, "compile", "waiting.rpir", "-o", "waiting.rplan", "--target", "h200", "--passes",
                    "dce,fuse,schedule,flow=all,lower,place,sync", error="1 barriers (bound 1, 0 where readers wait)")
        out = self.explain("waiting.rplan", "b1")
        self.assertIn("which n0 writes; in the tagged form n1 waits for all of it", out)
        self.assertIn("In the tagged form it does not stand there", out)
        self.assertIn("Without it in the form with all barriers: 1 of 1", out)
        out = self.explain("waiting.rplan", "b2")
        self.assertIn("In the tagged form: compute:w -> host:r", out)
        out = self.explain("waiting.rplan", "p")
        self.assertIn("Tagged: each element lies in a word", out)
        self.assertIn("768 bytes of words in all", out)
        self.assertNotIn("Tagged", self.explain("waiting.rplan", "y"))
        self.assertIn("In the tagged form 0 of these barriers stand: readers of 1 buffers wait", self.explain("waiting.rplan"))
        self.assertNotIn("tagged", self.explain("waiting.rpir", "b1"))

    def test_what_if_range(self):
        """Two nodes that meet in a buffer of which each needs its own half."""
        self.write("halves.rpir", """reprise 1
graph halves {
  buf $x in 512
  buf $y out 512
  buf $z out 256
  kern @k spirv - local 64 1 1 (r, w)
  n0 = run @k grid 1 1 1 (r $x, w $y[0+256])
  n1 = run @k grid 1 1 1 (r $y, w $z)
}
""")
        out = self.explain("halves.rpir", "b1", "--what-if", "range=n1:$y[256+256]")
        self.assertIn("Without it: 1 of 1 hazards", out)
        self.assertRegex(out, r"barriers +1 -> +0  better")
        self.assertRegex(self.explain("halves.rpir", "--what-if", "range=n1:$y[0+256]"), r"expected|same figures")
        self.expect(INPUT, "explain", "halves.rpir", "--what-if", "range=n1:$x[0+4]", error="n1 does not use $x")
        self.expect(INPUT, "explain", "halves.rpir", "--what-if", "range=n1:$y[0+1000]", error="halves.rpir: error: --what-if: the range 0+1000 ends behind")

    def test_what_if_fusion(self):
        """A fusion that the estimate refuses, and one that is no matter of cost."""
        path = FUSION / "recompute.rpir"
        graph = json.loads(self.expect(OK, "show", path, "--format", "inspection"))["forms"][0]
        refused = [d for p in graph["passes"] for d in p["decisions"] if "estimated" in d["text"]]
        self.assertTrue(refused)
        a, b = refused[0]["nodes"][:2]
        out = self.explain(path, "--what-if", f"fuse=n{a},n{b}")
        self.assertRegex(out, r"nodes +\d+ -> +\d+  better")
        self.assertRegex(out, r"expected +[\d.]+ -> +[\d.]+ us  worse")
        self.assertIn("no matter of cost", self.explain(FUSION / "other-reader.rpir", "--what-if", "fuse=n0,n1"))

    def test_what_if_no_reuse(self):
        out = self.explain(GRAPHS / "moe-expert-loop.rpir", "--what-if", "no-reuse=%se.3")
        self.assertRegex(out, r"arena bytes +32768 -> +36864  worse")
        self.assertNotIn("barriers", out, "sharing never needs a barrier of its own")
        self.expect(INPUT, "explain", "graph.rpir", "--what-if", "no-reuse=x", error="no place in the arena")

    def test_what_if_of_a_plan(self):
        """A plan has its source: what would be is what would be of that, by the passes that made the plan, for its target."""
        for options, change in ((["-O1"], "no-reuse=%se.3"), (["-O0"], "fuse=n1,n2"), (["-O2", "--target", "h200"], "no-reuse=%se.3")):
            self.expect(OK, "compile", GRAPHS / "moe-expert-loop.rpir", "-o", "m.rplan", "-q", *options)
            with self.subTest(options):
                said = [self.run_program("explain", file, "--what-if", change, *more).stdout.decode() for file, more in ((GRAPHS / "moe-expert-loop.rpir", options), ("m.rplan", []))]
                self.assertIn("What would be:", said[0])
                self.assertEqual(*said)

    def test_wrong_use(self):
        for wrong in ("fuse=n1", "fuse=1,2", "fuse=n1,n1", "fuse=n1,n2,n1", "range=n1:x[0+4]", "range=n1:$x", "range=n1:$x[0+4", "range=n1:$x[0+4]]", "range=n1:$x[+4]", "range=n1:$x[0+]",
                      "range=n1:$x[0]", "range=n1:$[0+4]", "range=n1:$x[-1+4]", "range=n1:$x[0+99999999999999999999]", "no-reuse=", "else"):
            self.expect(USAGE, "explain", "graph.rpir", "--what-if", wrong, error="--what-if is no-reuse=")
        self.expect(INPUT, "explain", "graph.rpir", "--what-if", "fuse=n0,n99", error="has no node n99 after compiling, which --what-if names")
        self.expect(INPUT, "explain", "graph.rpir", "b99", error="has no barrier before group 99; it has")
        self.write("empty.rpir", "reprise 1\ngraph empty {\n}\n")
        self.expect(INPUT, "explain", "empty.rpir", "b0", error="has no barriers after compiling")
        self.expect(USAGE, "explain", error="names no file")
        self.expect(USAGE, "explain", "graph.rpir", "n1", "n2", "n3", error="too many")
        self.expect(OK, "compile", "graph.rpir", "-o", "p.rplan", "-q")
        for option in ("-O1", "--target=h200", "--passes=dce"):
            self.expect(USAGE, "explain", "p.rplan", option, error="already compiled")
        self.expect(OK, "compile", "graph.rpir", "--passes", "schedule=inorder,place=separate,sync", "-o", "q.rplan", "-q")
        self.expect(INPUT, "explain", "q.rplan", "--what-if", "fuse=n0,n1", error="q.rplan: error: no level makes this plan of its source")
        self.assertTrue(self.explain("p.rplan", "n5").startswith("n5 "))


class Tour(cli.Case):
    """What docs/inspection.md says of examples/inspection."""

    def explain(self, name, *arguments):
        return self.expect(OK, "explain", SOURCE / "examples/inspection" / f"{name}.rpir", *arguments)

    def test_needless_barrier(self):
        out = self.explain("ring", "b1", "--what-if", "range=n1:$ring[65536+65536]")
        self.assertIn("n1 reads $ring[0+65536] of the 256 KiB that it names, which n0 writes", out)
        self.assertRegex(out, r"groups +3 -> +2  better\n +barriers +2 -> +1  better")

    def test_refused_fusion(self):
        self.assertIn("n2 needs it in memory", self.explain("reader", "n0", "n1"))
        self.assertIn("no matter of cost", self.explain("reader", "--what-if", "fuse=n0,n1"))
        self.assertIn("n0 and n1 are one kernel", self.explain("reader-fixed", "n0", "n1"))
        self.assertIn("take 0 bytes of arena", self.explain("reader-fixed"))

    def test_large_arena(self):
        out = self.explain("late", "volume")
        self.assertIn("read by n1, n4.\nAlive from group 0 to group 4.", out)
        self.assertIn("in which 12 MiB are alive; this buffer is one of them", out)
        self.assertIn("take 12 MiB of arena", self.explain("late"))
        self.assertRegex(self.explain("late-fixed"), r"take 8\.00391 MiB of arena")


class Bench(cli.Case):
    def bench(self, status, *arguments, **options):
        return self.expect(status, "bench", *arguments, "--baseline", "b.json", "--counts", **options)

    def test_counts(self):
        self.bench(OK, "graph.rpir", "ops.yaml", "--update")
        self.assertIn("2 compared: 0 worse", self.bench(OK, "graph.rpir", "ops.yaml"))
        baseline = json.loads(self.read("b.json"))
        names = [e["pipeline"] for e in baseline["entries"]]
        self.assertEqual(names, sorted(names))
        entry = next(e for e in baseline["entries"] if e["pipeline"] == "two_chains")
        graph = json.loads(self.expect(OK, "show", "graph.rpir", "--format", "inspection"))["forms"][0]["graph"]
        self.assertEqual(entry["counts"]["barriers"], graph["stats"]["barriers"])
        self.assertEqual(entry["counts"]["kernels"], len(graph["kernels"]))
        for key in entry["counts"]:
            for change, status, word in ((-1, INPUT, "worse"), (1, OK, "better")):
                if entry["counts"][key] + change < 0:
                    continue
                entry["counts"][key] += change
                self.write("b.json", json.dumps(baseline))
                result = self.run_program("bench", "graph.rpir", "--baseline", "b.json", "--counts")
                self.assertEqual(result.returncode, status)
                self.assertRegex(result.stdout.decode(), rf"{key} +-?\d+ +\d+  {word}")
                entry["counts"][key] -= change
        del entry["counts"]["bytes"]
        self.write("b.json", json.dumps(baseline))
        self.bench(OK, "graph.rpir")

    def test_decisions(self):
        self.bench(OK, "ops.yaml", "--update")
        baseline = json.loads(self.read("b.json"))
        was = baseline["entries"][0]["decisions"][0]
        baseline["entries"][0]["decisions"][0] = "another decision"
        baseline["entries"][0]["counts"]["nodes"] -= 1
        self.write("b.json", json.dumps(baseline))
        out = self.run_program("bench", "ops.yaml", "--baseline", "b.json", "--counts").stdout.decode()
        self.assertIn("    - another decision", out)
        self.assertIn("    + " + was, out)

    def test_what_is_kept(self):
        self.bench(OK, "graph.rpir", "--update")
        self.bench(OK, "graph.rpir", "-O0", "--update")
        self.assertEqual(len(json.loads(self.read("b.json"))["entries"]), 2, "levels have entries of their own")
        self.bench(OK, "graph.rpir", "--update")
        self.assertEqual(len(json.loads(self.read("b.json"))["entries"]), 2)
        result = self.run_program("bench", "ops.yaml", "--baseline", "b.json", "--counts")
        self.assertEqual(result.returncode, INPUT)
        self.assertIn(b"nothing in the baseline", result.stdout)

    def test_wrong_use(self):
        self.expect(USAGE, "bench", "graph.rpir", error="needs --baseline")
        self.expect(USAGE, "bench", "--baseline", "b.json", error="names no pipeline")
        self.bench(USAGE, "graph.rpir", "-n", "3", error="--counts measures nothing")
        self.bench(INPUT, "graph.rpir", error="cannot be read")
        for wrong in ("", "{", "[]", '{"baseline": 2, "entries": []}', '{"baseline": 1, "entries": [1]}'):
            self.write("b.json", wrong)
            self.bench(INPUT, "graph.rpir", error="b.json")
            self.assertRegex(self.err.splitlines()[0], r"^b\.json(:\d+)*: error: (is no JSON|is no baseline)")


if __name__ == "__main__":
    unittest.main()
