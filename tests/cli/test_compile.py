"""compile, opt and check: what they write, that it is the same every time, that it is proven."""
import re
import unittest

import cli
from cli import ENVIRONMENT, INPUT, OK, USAGE


class Compile(cli.Case):
    def test_same_input_same_bytes(self):
        for source in ("graph.rpir", "pipeline.yaml"):
            self.expect(OK, "compile", source, "-o", "a.rplan")
            self.expect(OK, "compile", source, "-o", "b.rplan")
            self.assertEqual(self.read("a.rplan"), self.read("b.rplan"))
            self.assertTrue(self.read("a.rplan").startswith(cli.MAGIC))
            self.expect(OK, "compile", source, "-o", "c.rplan", "-O0")
            self.assertNotEqual(self.read("a.rplan"), self.read("c.rplan"))

    def test_plan_to_stdout(self):
        self.expect(OK, "compile", "graph.rpir", "-o", "a.rplan")
        self.expect(OK, "compile", "graph.rpir", "-o", "-", "-q")
        self.assertEqual(self.read("a.rplan"), self.raw)

    def test_file_mode_and_links(self):
        self.expect(OK, "compile", "graph.rpir", "-o", "a.rplan")
        (self.folder / "probe").touch()
        self.assertEqual((self.folder / "a.rplan").stat().st_mode, (self.folder / "probe").stat().st_mode)
        (self.folder / "link").symlink_to("target.rplan")
        self.write("target.rplan", b"old")
        self.expect(OK, "compile", "graph.rpir", "-o", "link")
        self.assertTrue((self.folder / "link").is_symlink())
        self.assertEqual(self.read("target.rplan"), self.read("a.rplan"))

    def test_failure_leaves_nothing(self):
        self.write("bad.rpir", "reprise 1\ngraph g {\n  n0 = run @nothing grid 1 1 1 ()\n}\n")
        before = self.files()
        self.expect(INPUT, "compile", "bad.rpir", "-o", "p.rplan", error="bad.rpir:3:")
        self.expect(USAGE, "compile", "graph.rpir", "-o", "p.rplan", "--passes", "nothing")
        self.assertEqual(self.files(), before)
        self.write("p.rplan", b"old")
        self.expect(INPUT, "compile", "bad.rpir", "-o", "p.rplan")
        self.assertEqual(self.read("p.rplan"), b"old")

    def test_dumps(self):
        self.expect(OK, "compile", "graph.rpir", "-o", "p.rplan", "--dump-after", "all",
                    "--dump-dir", "out/dumps", "--verify-each")
        names = ["00-source", "01-dce", "02-rename", "03-transfers", "04-fuse", "05-lower",
                 "06-schedule", "07-place", "08-sync"]
        dumps = sorted(path.name for path in (self.folder / "out/dumps").iterdir())
        self.assertEqual(dumps, [name + ".rpir" for name in names])
        for name in dumps:  # each is a graph on its own
            self.expect(OK, "show", f"out/dumps/{name}")
        self.expect(OK, "check", "out/dumps/08-sync.rpir", "--against", "out/dumps/00-source.rpir")
        self.expect(OK, "diff", "out/dumps/08-sync.rpir", "p.rplan")
        for name in names[1:]:  # one line a pass on stderr
            self.assertRegex(self.summary("graph.rpir"), rf"(?m)^{name[3:]} +(un)?changed .*barriers \d+")
        self.assertIn("6->5", self.summary("graph.rpir"))

    def summary(self, source):
        self.expect(OK, "compile", source, "-o", "p.rplan")
        return self.err

    def test_chosen_dumps(self):
        self.expect(OK, "compile", "graph.rpir", "--dump-after", "source,place", "--dump-format",
                    "json", "-O0")
        self.assertEqual({path.name for path in (self.folder / "reprise-dump").iterdir()},
                         {"00-source.json", "03-place-separate.json"})

    def test_dump_folder_that_is_none(self):
        self.expect(cli.ENVIRONMENT, "compile", "graph.rpir", "-o", "p.rplan", "--dump-after", "all",
                    "--dump-dir", "graph.rpir/x", error="graph.rpir/x")
        self.expect(cli.ENVIRONMENT, "compile", "graph.rpir", "-o", "p.rplan", "--dump-after", "all",
                    "--dump-dir", "graph.rpir", error="is no folder")
        self.assertNotIn("p.rplan", self.files())

    def test_arena_limit(self):
        self.write("wide.rpir", wide_graph(8))
        free = self.stats("wide.rpir")
        self.assertEqual(free["barriers"], free["barrier bound"])
        limit = free["arena"] // 2
        limited = self.stats("wide.rpir", "--arena-limit", limit)
        self.assertLessEqual(limited["arena"], limit)
        self.assertGreater(limited["barriers"], free["barriers"])
        self.expect(INPUT, "compile", "wide.rpir", "-o", "none.rplan", "--arena-limit", "1")
        self.assertNotIn("none.rplan", self.files())

    def stats(self, source, *options):
        self.expect(OK, "compile", source, "-o", "s.rplan", *options)
        out = self.expect(OK, "show", "s.rplan", "--stats")
        return {key: int(value) for key, value in re.findall(r"(?m)^([a-z ]+?)  +(\d+)", out)}


def wide_graph(width):
    """`width` chains x -> t -> u, joined one by one: at full width all t live at once."""
    lines = ["reprise 1", "graph wide {", "  buf $x in 4096", "  buf $y out 4096"]
    for i in range(width):
        lines += [f"  buf %t{i} tmp 4096"]
    lines += ["  kern @k spirv - local 64 1 1 (r, w)", "  kern @acc spirv - local 64 1 1 (r, rw)",
              "  n0 = fill 00000000 (w $y)"]
    for i in range(width):
        lines += [f"  n{2 * i + 1} = run @k grid 1 1 1 (r $x, w %t{i})",
                  f"  n{2 * i + 2} = run @acc grid 1 1 1 (r %t{i}, rw $y)"]
    return "\n".join(lines + ["}", ""])


class Opt(cli.Case):
    def test_text_in_text_out(self):
        text = self.expect(OK, "opt", "graph.rpir", "--passes", "dce")
        self.assertNotIn("n4 =", text)
        self.assertIn("n5 =", text)
        self.assertNotIn("scheduled", text)
        self.expect(OK, "opt", "graph.rpir", "--passes", "dce", "-o", "out.rpir")
        self.assertEqual(self.read("out.rpir").decode(), text)
        self.assertEqual(self.expect(OK, "opt", "-", "--passes", "dce", input=self.read("graph.rpir")),
                         text)

    def test_passes_compose(self):
        whole = self.expect(OK, "opt", "graph.rpir")
        self.write("half.rpir", self.expect(OK, "opt", "graph.rpir", "--passes", "dce,rename"))
        self.assertEqual(whole, self.expect(OK, "opt", "half.rpir", "--passes", "schedule,place,sync"))
        self.assertIn("scheduled placed synced", whole)

    def test_pass_out_of_order(self):
        self.expect(USAGE, "opt", "graph.rpir", "--passes", "place", error=["place", "schedule"])
        self.assertEqual(self.out, "")

    def test_level_two_and_last_choice_wins(self):
        self.assertEqual(self.expect(OK, "opt", "graph.rpir", "-O2"), self.expect(OK, "opt", "graph.rpir"))
        self.assertEqual(self.expect(OK, "opt", "graph.rpir", "--passes", "dce", "-O0"),
                         self.expect(OK, "opt", "graph.rpir", "-O0"))


class Check(cli.Case):
    def setUp(self):
        super().setUp()
        self.compiled = self.expect(OK, "opt", "graph.rpir")
        self.write("compiled.rpir", self.compiled)

    def test_proves(self):
        self.expect(OK, "check", "compiled.rpir", "--against", "graph.rpir", output="proven")
        self.expect(OK, "compile", "graph.rpir", "-o", "p.rplan")
        self.expect(OK, "check", "p.rplan", output="the plan's source")
        self.expect(OK, "check", "p.rplan", "--against", "graph.rpir", output="graph.rpir")
        self.expect(OK, "check", "compiled.rpir", "--against", "p.rplan")
        self.expect(OK, "check", "compiled.rpir", error="only the barriers and generated kernels were checked")
        self.expect(OK, "compile", "pipeline.yaml", "-o", "p.rplan")
        self.expect(OK, "check", "p.rplan", "--against", "pipeline.yaml")

    def test_every_removed_barrier_is_noticed(self):
        lines = self.compiled.splitlines(keepends=True)
        barriers = [i for i, line in enumerate(lines) if line.strip().startswith("barrier")]
        self.assertGreaterEqual(len(barriers), 2)
        for i in barriers:
            self.write("broken.rpir", "".join(lines[:i] + lines[i + 1:]))
            self.expect(INPUT, "check", "broken.rpir", "--against", "graph.rpir", error="broken.rpir")

    def test_moved_memory_is_noticed(self):
        moved = re.sub(r"(buf %b tmp 4096 at )\d+", lambda m: m[1] + offset_of(self.compiled, "%d"),
                       self.compiled)
        self.assertNotEqual(moved, self.compiled)
        self.write("broken.rpir", moved)
        self.expect(INPUT, "check", "broken.rpir", "--against", "graph.rpir", error=["%", "n"])

    def test_another_source_is_noticed(self):
        text = self.read("graph.rpir").decode().replace("(r %b, r %d, w $y)", "(r %d, r %b, w $y)")
        self.write("other.rpir", text)
        self.expect(INPUT, "check", "compiled.rpir", "--against", "other.rpir", error="n5")
        self.expect(OK, "compile", "graph.rpir", "-o", "p.rplan")
        self.expect(INPUT, "check", "p.rplan", "--against", "other.rpir", error="n5")

    def test_uncompiled(self):
        self.expect(INPUT, "check", "graph.rpir", "--against", "graph.rpir")
        self.expect(INPUT, "check", "pipeline.yaml", error="expected a graph text or a compiled plan")


def offset_of(text, buffer):
    return re.search(rf"buf {buffer} tmp 4096 at (\d+)", text)[1]


class Targets(cli.Case):
    FILE = """reprise: 1
name: sums
buffers:
  a: {kind: in, dtype: f32, shape: [8]}
  b: {kind: in, dtype: f32, shape: [8]}
  c: {kind: in, dtype: f32, shape: [8]}
  y: {kind: out, dtype: f32, shape: [8]}
nodes:
  - {map: "a + b", out: t}
  - {map: "t * c", out: y}
"""

    def test_limits(self):
        limits = self.expect(OK, "devices", "--limits")
        self.assertRegex(limits, r"(?m)^storage_buffers: \d+ +# ")
        self.write("d.target", limits)
        self.write("s.yaml", self.FILE)
        self.expect(OK, "compile", "s.yaml", "-o", "one.rplan", "--target", "d.target")
        self.expect(OK, "compile", "s.yaml", "-o", "two.rplan", "--target", "device")
        self.assertEqual(self.read("one.rplan"), self.read("two.rplan"))
        self.assertIn("1 dispatches", self.err)
        self.write("small.target", "name: small\nstorage_buffers: 3\n")
        self.expect(OK, "compile", "s.yaml", "-o", "s.rplan", "--target", "small.target",
                    error="2 dispatches")

    def test_measure(self):
        """What is measured can be read again and compiled for, and hides no figure that was known."""
        known = self.expect(OK, "devices", "--limits")
        text = self.expect(OK, "devices", "--measure")
        figures = dict(re.findall(r"(?m)^(\w+): (\d+) ", text))
        for name in ("multiprocessors", "dispatch_ns", "barrier_ns", "memory_rate", "f32_rate"):
            self.assertGreater(int(figures[name]), 0)
        self.assertEqual(re.findall(r"(?m)^(\w+): ", known), re.findall(r"(?m)^(\w+): ", text))
        self.write("my.target", text)
        self.write("s.yaml", self.FILE)
        self.expect(OK, "compile", "s.yaml", "-o", "s.rplan", "--target", "my.target")
        shown = self.expect(OK, "show", "s.rplan")
        self.assertIn(f" barrier_ns {figures['barrier_ns']} ", shown)

    def test_named_targets(self):
        """A plan says what it is for, and its source is expanded for that when it is checked."""
        self.write("k.yaml", """reprise: 1
name: k
buffers:
  q: {kind: in, dtype: f32, shape: [1, 16]}
  base: {kind: weight, dtype: f32, shape: [100000, 16]}
  found: {kind: out, dtype: u32, shape: [1, 10]}
nodes:
  - {op: knn, queries: q, base: base, indices: found, k: 10}
""")
        self.write("few.target", "name: few\nmultiprocessors: 3\n")
        self.expect(OK, "compile", "k.yaml", "-o", "portable.rplan")
        self.assertNotIn("  target ", self.expect(OK, "show", "portable.rplan"))
        parts = lambda text: re.search(r"splits=\d+", text)[0]
        few = parts(self.expect(OK, "show", "k.yaml", "--target", "few.target"))
        self.assertNotEqual(few, parts(self.expect(OK, "show", "--source", "portable.rplan")))
        self.expect(OK, "compile", "k.yaml", "-o", "few.rplan", "--target", "few.target")
        for source in (["--source"], []):
            self.expect(OK, "show", *source, "few.rplan", output=['  target "few" ', few])
        self.assertIn('"target":{"name":"few",', self.expect(OK, "show", "-f", "json", "few.rplan"))
        self.expect(OK, "check", "few.rplan", "--against", "k.yaml")
        self.expect(OK, "check", "portable.rplan", "--against", "k.yaml")
        self.expect(INPUT, "check", "few.rplan", "--against", "portable.rplan")
        self.expect(OK, "show", "k.yaml", "--target", "h200", output='target "h200"')
        self.expect(USAGE, "show", "few.rplan", "--target", "h200", error="--target is for pipelines")
        said = self.run_program("diff", "few.rplan", "portable.rplan").stdout
        self.assertIn(b'~ graph target "few" -> "portable"', said)
        self.assertIn(b"target.multiprocessors 3 -> 128", said)
        said = self.run_program("diff", "k.yaml", "few.rplan", "--target", "few.target").stdout
        self.assertIn(b"~ graph stages", said)
        self.assertNotIn(b"graph target", said)
        self.expect(OK, "opt", "k.yaml", "--target", "few.target", output=few)
        self.expect(OK, "compile", "k.yaml", "-o", "h200.rplan", "--target", "h200", "--dump-after", "fuse")
        self.assertIn("for target h200", self.err)
        # What is named portable is held against its limits.
        self.expect(OK, "compile", "k.yaml", "-o", "named.rplan", "--target", "portable")
        self.assertEqual(self.read("named.rplan"), self.read("portable.rplan"))

    def test_what_does_not_fit(self):
        self.write("s.yaml", self.FILE.replace('"t * c"', '"t * c + a"'))
        self.write("small.target", "name: small\nstorage_buffers: 3\n")
        self.expect(ENVIRONMENT, "compile", "s.yaml", "-o", "s.rplan", "--target", "small.target", error=[
            "10:5: error: n1 (map) binds 4 storage buffers, at most 3 can be bound", "target small"])
        self.assertNotIn("s.rplan", self.files())
        self.write("bad.target", "storage_buffers: 3\nstorage: 4\n")
        self.expect(INPUT, "compile", "s.yaml", "-o", "s.rplan", "--target", "bad.target",
                    error="bad.target:2:1: error: there is no such figure as 'storage'")
        self.expect(INPUT, "compile", "s.yaml", "-o", "s.rplan", "--target", "none.target")
        self.expect(USAGE, "devices", "--device", "0", error="--limits")


if __name__ == "__main__":
    cli.main()
