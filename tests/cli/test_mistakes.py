"""One mistake, one message: each case makes one, and what depends on it stays silent. The message names the
file and the line, says what helps, and nothing is left behind."""
import os
import re
import stat
import threading
import unittest

import numpy as np

import cli
from cli import ENVIRONMENT, INPUT, OK, USAGE

HEAD = "reprise: 1\nname: p\n"
BUFFERS = """buffers:
  x: {kind: in, dtype: f32, shape: [64]}
  w: {kind: weight, dtype: f32, shape: [64]}
  y: {kind: out, dtype: f32, shape: [64]}
"""
ADD = "{op: add, a: n, b: x, out: y}"  # reads what the node before it was to make
Z = "{op: add, a: z, b: z, out: y}"


def add(declaration):
    return BUFFERS + f"  {declaration}\n"


# Ten times the list before it, and so on: too many values from the seventh on, each time for the same reason.
BOMB = "a: &a [x]\n" + "".join(f"{b}: &{b} [{', '.join(['*' + a] * 10)}]\n" for a, b in zip("abcdefghijkl", "bcdefghijklm"))

# Sections before the nodes; the nodes; what the one message says.
YAML = [
    # Nodes that are wrong do not leave their outputs unknown.
    (BUFFERS, ["{op: rms_norm, x: {buffer: x, elements: [0, 100]}, out: n}", ADD], "8:45: error: elements [0, 100]"),
    (BUFFERS, ["{op: rms_norm, x: x, weight: w, outt: n}", ADD], "unknown key 'outt'"),
    (BUFFERS, ["{opp: rms_norm, x: x, out: n}", ADD], "a node has one of the keys"),
    (BUFFERS, ["{op: add, map: x, x: x, out: n}", ADD], "a node is one thing"),
    (BUFFERS, ["{op: , x: x, out: n}", ADD], "op is a text, not nothing"),
    (BUFFERS, ["{op: map, x: x, out: n}", ADD], "a map is written"),
    (BUFFERS, ["{op: rms_nrom, x: x, out: n}", ADD], "did you mean 'rms_norm'?"),
    (BUFFERS, ["{map: , out: n}", ADD], "a formula is a text"),
    (BUFFERS, [f"{{map: \"{'x+' * 2100}x\", out: n}}", ADD], "longer than"),
    (BUFFERS, ["{map: \"x +\", out: n}", ADD], "before the end"),
    (BUFFERS, ["{map: \"sine(x)\", out: n}", ADD], "unknown function 'sine'"),
    (BUFFERS, ["{map: x, out: n, bind: {q: x}}", ADD], "operand 'q' is not in the formula"),
    (BUFFERS, ["{map: \"x + q\", bind: {q: {buffer: x, size: 999}}, out: n}", ADD], "lies outside 'x'"),
    (BUFFERS, ["{map: x, out: n, colour: red}", ADD], "unknown key 'colour'"),
    (BUFFERS, ["{op: add, a: x, b: x, out: [n]}", ADD], "not a list"),
    (BUFFERS, ["{op: add, a: x, b: x, out: {name: n, dtyp: f16}}", ADD], "did you mean 'dtype'?"),
    (BUFFERS, ["{op: add, a: x, b: x, out: {name: n, dtype: f99}}", ADD], "dtype 'f99'"),
    (BUFFERS, ["{op: add, a: x, b: x, out: {name: 3n}}", "{op: add, a: 3n, b: x, out: y}"], "'3n' is not a name"),
    (BUFFERS, ["{op: add, a: x, b: x, out: n, label: [1]}", ADD], "label is a text"),
    (BUFFERS, ["{op: rms_norm, x: x, out: n, eps: abc}", ADD], "unknown parameter 'abc'"),
    (BUFFERS, ["{op: rms_norm, x: x, out: n, eps: -1}", ADD], "eps"),
    (BUFFERS, ["{op: matvec, x: x, weight: w, out: n}", ADD], "expected the shape [M,K]"),
    (BUFFERS, ["{op: add, a: x, b: x, out: x}"], "make it inout, out or tmp"),
    (BUFFERS, ["{op: add, a: x, b: x, out: n, dtype: q4_0}", ADD], "q4_0"),
    (BUFFERS, [], "7:7: error: 'nodes' is empty"),
    (BOMB + BUFFERS, [ADD], "the aliases expand to more than 2^24 values"),
    ("params: {n: {}}\n".replace("{}", "true") + BUFFERS, ["{map: x, out: y}"], "parameter 'n': 'true' is no number"),
    (BUFFERS.replace("64]", "false]", 1), ["{map: x, out: y}"], "dimension: 'false' is no number"),
    (BUFFERS, ["{fill: {to: y, value: true}}"], "8:27: error: f32 value: 'true' is no number"),
    (BUFFERS, ["{op: rms_norm, x: x, out: n, eps: true}", ADD], "'true' is no number"),
    # A name that nothing has is missed once, wherever it stands.
    (BUFFERS, ["{op: add, a: q, b: x, out: n}", "{op: mul, a: q, b: n, out: y}"], "unknown buffer 'q'"),
    (BUFFERS, ["{map: \"q * q\", out: n}", "{map: \"q + n\", out: y}"], "unknown buffer 'q'"),
    (BUFFERS, ["{copy: {from: q, to: y}}", "{copy: {from: q, to: y}}"], "unknown buffer 'q'"),
    (BUFFERS, ["{run: k, bind: {x: x}, threads: [1]}", "{run: k, bind: {x: x}, threads: [1]}"], "unknown kernel 'k'"),
    # Declarations that are wrong do not leave their names unknown.
    (add("z: {kind: inn, dtype: f32, shape: [64]}"), [Z], "7:13: error: kind 'inn'"),
    (add("z: {kind: in, dtype: f33, shape: [64]}"), [Z], "7:24: error: dtype 'f33'"),
    (add("z: {kind: in, dtype: f32, shape: [-1]}"), [Z], "dimension is -1"),
    (add("z: {kind: in, dtype: f32, shape: []}"), [Z], "a single element is [1]"),
    (add("z: {kind: in, dtype: f32, shape: [1,1,1,1,1,1,1,1,1]}"), [Z], "1 to 8 dimensions, not 9"),
    (add("z: {kind: in, dtype: f32}"), [Z], "'shape' is missing"),
    (add("z: {kind: in, dtype: q8_0, shape: [33]}"), [Z], "no multiple"),
    (add("z: {dtype: f32, shape: [64]}"), [Z], "'kind' of buffer 'z' is missing"),
    (add("z: {kind: in, dtype: f32, shape: [64], size: 4}"), [Z], "'size' is for raw buffers"),
    (add("z: {kind: tmp, dtype: f32, shape: [64], data: z.npy}"), [Z], "'data' is for"),
    (add("z: {kind: live, dtype: f32, shape: [64]}"), [Z], "a section of their own"),
    (add("z: 7"), [Z], "a buffer is a map, not text"),
    (add("z:"), [Z], "a buffer is a map, not nothing"),
    (add("3z: {kind: in, dtype: f32, shape: [64]}"), ["{op: add, a: 3z, b: x, out: y}"], "'3z' is not a name"),
    (add("a-b: {kind: in, dtype: f32, shape: [64]}"), ["{map: \"a-b + x\", out: y}"], "'a-b' is not a name"),
    ("buffers: [x, y]\n", [ADD], "'buffers' is a map, not a list"),
    ("live: {z: {dtype: f32, default: 1}}\n" + add("z: {kind: out, dtype: f32, shape: [64]}"),
     ["{op: add, a: x, b: x, out: z}"], "'z' is defined at line 3 already"),
    ("live: {z: {dtype: q4_0}}\n" + BUFFERS, ["{map: \"x * z\", out: y}"], "no block-quantised"),
    ("live: {z: 1.5}\n" + BUFFERS, ["{map: \"x * z\", out: y}"], "is an integer, not '1.5'"),
    ("live: {3z: 1}\n" + BUFFERS, ["{map: \"x * 3z\", out: y}"], "'3z' is not a name"),
    ("params: {k: q}\n" + BUFFERS.replace("64", "k"), ["{map: \"x * k\", out: y}"], "unknown parameter 'q'"),
    ("params: {3k: 64}\n" + BUFFERS.replace("64", "3k"), ["{map: \"x\", out: y}"], "'3k' is not a name"),
    ("params: {k: l, l: k}\n" + BUFFERS.replace("64", "k"), ["{map: \"x\", out: y}"], "depends on itself"),
    ("params: 3\n" + BUFFERS.replace("64", "k"), ["{map: \"x\", out: y}"], "'params' is a map"),
    ("kernels: {k: {glls: add.comp}}\n" + BUFFERS, ["{run: k, bind: {x: x}, threads: [1]}"] * 2, "did you mean 'glsl'?"),
    ("kernels: {k: {glsl: none.comp}}\n" + BUFFERS, ["{run: k, bind: {x: x}, threads: [1]}"], "No such file"),
    ("kernels: {k: {glsl: .}}\n" + BUFFERS, ["{run: k, bind: {x: x}, threads: [1]}"], "it is a folder"),
    ("kernels: {k: {spirv: /dev/zero}}\n" + BUFFERS, ["{run: k, bind: {x: x}, threads: [1]}"], "it is a device"),
    ("kernels: {3k: {glsl: add.comp}}\n" + BUFFERS, ["{run: 3k, bind: {x: x}, threads: [1]}"], "'3k' is not a name"),
    ("kernels: {k: {glsl: add.comp, spec: {Q: 1}}}\n" + BUFFERS, ["{run: k, bind: {x: x}, threads: [1]}"], "no specialisation constant 'Q'"),
    # Texts that want quotes.
    (BUFFERS, ["{map: max(x, w), out: y}"], "'max(x' ends at its ','"),
    (BUFFERS, ["{map: clamp(x, 0, 1), out: n}", ADD], "'clamp(x' ends at its ','"),
    (BUFFERS, ["{op: add, a: x, b: w, out: y, label: first, second}"], "unknown key 'second' in op add, and it has no value: a text with a comma"),
    (BUFFERS, ["{run: k, threads: [ceil_div(3, 4)]}"], "needs quotes"),
    ("params: {a: 1, b: min(3, 4)}\n" + BUFFERS, ["{map: x, out: y}"], "'min(3' ends at its ','"),
    (BUFFERS, ["{map: x > 1 ? w : x, out: y}"], "needs quotes"),
    (BUFFERS, ["{map: !x, out: y}"], "in quotes"),
    (BUFFERS, ["{map: *x, out: y}"], "needs quotes"),
    (BUFFERS, ["{map: @x, out: y}"], "needs quotes"),
]

GRAPH = """  buf $x in 4096
  buf $y out 4096
  kern @k spirv - local 1 1 1 (r, w)
  n0 = run @k grid 1 1 1 (r $x, w $y)
  n1 = run @k grid 1 1 1 (r $x, w $y)
"""
# What is replaced in GRAPH, wherever it stands; the header; what the one message says.
TEXT = [
    ("$x in", "$x inn", None, "3:10: error: expected in, out"),
    ("$x in", "x in", None, "3:7: error: expected '$name'"),
    ("$x in", "%x in", None, "write '$x'"),
    ("buf $x", "bug $x", None, "found 'bug'"),
    ("in 4096", "in", None, "3:12: error: expected the size"),
    ("in 4096", "in f33[4]", None, "3:13: error:"),
    ("in 4096", "in 99999999999999999999", None, "3:13: error:"),
    ("$x", "$3x", None, "3:7: error: '$3x' is no name"),
    ("(r $x", "(r $z", None, "there is no buffer '$z'"),
    ("kern @k", "kern k", None, "5:8: error: expected '@name'"),
    ("kern @k", "kernel @k", None, "5:3: error:"),
    ("local 1 1 1", "local 1 1", None, "5:29: error:"),
    ("(r, w)", "(r, q)", None, "5:35: error:"),
    ("spirv -", "spirv 0", None, "0 is no hash"),
    ("run @k", "run @l", None, "there is no kernel '@l'"),
    ("@k", "@3k", None, "5:8: error: '@3k' is no name"),
    ("", "", "graph g scheduld {", "2:9: error:"),
    ("", "", "graph {", "2:7: error:"),
    ("", "", "graph g", "2:8: error:"),
    ("", "", "grahp g {", "2:1: error:"),
]


# The same in what stands behind: lines of a compiled text, what they become, and what the one message says.
COMPILED = [
    (r"^  group 0$", "  grup 0", "found 'grup'"),
    (r"^  group 0$", "  group zero", "expected the group's number"),
    (r"^  group 0$", "  group", "expected the group's number"),
    (r"^  group 0$", "  group 1", "expected group 0, found group 1"),
    (r"^  group 0\n", "", "a scheduled graph's nodes stand in groups"),
    (r"^  group 1$", "  grup 1", "found 'grup'"),
    (r"^  group 1$", "  group 7", "expected group 1, found group 7"),
    (r"^  group 1\n", "", "a barrier is followed by a group"),
    (r"^  group 2$", "  group 1", "expected group 2, found group 1"),
    (r"^  barrier", "  barier", "found 'barier'"),
    (r" scheduled", "", None),
    (r" scheduled placed", " scheduld placed", None),
    (r" synced", "", None),
]


class OneMessage(cli.Case):
    def one(self, file, *arguments, error):
        before = self.files()
        self.expect(INPUT, *arguments, error=error)
        errors = [line for line in self.err.splitlines() if "error:" in line]
        self.assertEqual(len(errors), 1, self.read(file).decode() + self.err)
        self.assertTrue(errors[0].startswith(f"{file}:"), errors[0])
        self.assertEqual(self.files(), before)
        self.assertEqual(self.out, "")

    def test_pipelines(self):
        for sections, nodes, error in YAML:
            with self.subTest(error=error, nodes=nodes):
                text = "".join(f"  - {node}\n" for node in nodes)
                self.write("bad.yaml", f"{HEAD}{sections}nodes:\n{text}")
                self.one("bad.yaml", "compile", "bad.yaml", "-o", "p.rplan", error=error)

    def test_graph_texts(self):
        for old, new, header, error in TEXT:
            with self.subTest(error=error):
                self.assertIn(old, GRAPH)
                self.write("bad.rpir", "reprise 1\n" + (header or "graph g {") + "\n" + GRAPH.replace(old, new) + "}\n")
                self.one("bad.rpir", "show", "bad.rpir", error=error)

    def test_compiled_texts(self):
        rows = [f"  - {{fill: {{to: {{buffer: t, elements: [{8 * i}, 8]}}, value: {i}}}}}\n" for i in range(4)]
        steps = [f"  - {{run: add, bind: {{a: {a}, b: {a}, sum: {b}}}, threads: [64], push: {{count: 64}}}}\n"
                 for a, b in ("xu", "uv", "vy")]
        self.write("g.yaml", f"{HEAD}{BUFFERS}  t: {{kind: out, dtype: f32, shape: [32]}}\n"
                   "  u: {kind: tmp, dtype: f32, shape: [64]}\n  v: {kind: tmp, dtype: f32, shape: [64]}\n"
                   "kernels: {add: {glsl: add.comp}}\nnodes:\n" + "".join(rows + steps))
        self.expect(OK, "compile", "g.yaml", "-o", "g.rplan")
        text = self.expect(OK, "show", "g.rplan")
        self.assertIn("  group 2\n", text)
        for pattern, new, error in COMPILED:
            with self.subTest(pattern=pattern, new=new):
                self.write("bad.rpir", re.sub(pattern, new, text, count=1, flags=re.M))
                self.assertNotEqual(self.read("bad.rpir").decode(), text)
                self.one("bad.rpir", "show", "bad.rpir", error=error)

    def test_every_part_names_the_file(self):
        """Messages of passes, of the builder of plans and of the runtime too."""
        self.expect(INPUT, "opt", "graph.rpir", "--passes", "schedule,dce", error="graph.rpir: error: pass dce")
        self.expect(INPUT, "opt", "graph.rpir", "--arena-limit", "1", error="graph.rpir: error:")
        self.expect(INPUT, "compile", "pipeline.yaml", "-o", "p.rplan", "-D", "m=1", error="pipeline.yaml: error: no parameter 'm'")
        self.expect(USAGE, "compile", "pipeline.yaml", "-o", "p.rplan", "--passes", "dce,schedule,sync",
                    error="pipeline.yaml: error: ")


# Buffers and nodes that bring one warning.
WARNED = [
    ("  t: {kind: tmp, dtype: f32, shape: [64]}\n",
     ["{fill: {to: {buffer: t, elements: [0, 32]}, value: 1}}", "{op: exp, x: x, out: u}", "{map: \"t + u\", out: y}"]),
    ("  i: {kind: in, dtype: u32, shape: [4], data: i.npy}\n",
     ["{op: scatter_rows, src: {buffer: x, shape: [4, 16]}, index: i, dst: {buffer: y, shape: [4, 16]}}"]),
    ("", ["{run: add, bind: {a: x, b: x, sum: {buffer: y, access: w}}, grid: 1, push: {count: 64}}"]),
]


class OneWarning(cli.Case):
    """What is worth a warning is said of the source, once, whatever is made of it."""

    def warned(self, *arguments):
        self.expect(OK, *arguments)
        self.assertEqual(self.err.count("warning:"), 1, f"{arguments}\n{self.err}")

    def test_once(self):
        np.save(self.folder / "x.npy", np.arange(64, dtype="f4"))
        np.save(self.folder / "i.npy", np.arange(4, dtype="u4"))
        shader = self.read("add.comp").decode().replace("local_size_x = 64", "local_size_x = 32")
        self.write("add.comp", shader)
        for buffers, nodes in WARNED:
            with self.subTest(nodes=nodes):
                self.write("w.yaml", f"{HEAD}buffers:\n  x: {{kind: in, dtype: f32, shape: [64], data: x.npy}}\n"
                           f"  y: {{kind: out, dtype: f32, shape: [64]}}\n{buffers}"
                           "kernels: {add: {glsl: add.comp}}\nnodes:\n" + "".join(f"  - {node}\n" for node in nodes))
                for level in ("-O0", "-O2"):
                    self.warned("compile", "w.yaml", "-o", "w.rplan", level, "--verify-each")
                    if "run" not in nodes[0]:  # what a shader stores is not in texts
                        self.warned("show", "w.rplan")
                        self.warned("check", "w.rplan")
                self.warned("run", "w.yaml", "--check-against", "-O0")


class Files(cli.Case):
    """What may be read, what may be written, and that neither is the other."""

    def setUp(self):
        super().setUp()
        for name in "xw":
            np.save(self.folder / f"{name}.npy", np.arange(1000, dtype="f4"))
        self.write("add.yaml", "reprise: 1\nname: add\nbuffers:\n"
                   "  x: {kind: in, dtype: f32, shape: [1000], data: x.npy}\n"
                   "  y: {kind: out, dtype: f32, shape: [1000]}\n  z: {kind: out, dtype: f32, shape: [1000]}\n"
                   "  t: {kind: tmp, dtype: f32, shape: [1000]}\n"
                   "kernels: {add: {glsl: add.comp}}\nnodes:\n"
                   "  - {run: add, bind: {a: x, b: x, sum: t}, threads: [1000], push: {count: 1000}}\n"
                   "  - {run: add, bind: {a: t, b: x, sum: y}, threads: [1000], push: {count: 1000}}\n"
                   "  - {copy: {from: t, to: z}}\n")

    def refuse(self, status, *arguments, error):
        before = {name: self.read(name) for name in self.files() if os.path.isfile(self.folder / name)}
        self.expect(status, *arguments, error=error)
        after = {name: self.read(name) for name in self.files() if os.path.isfile(self.folder / name)}
        self.assertEqual(before, after)

    def test_one_file_for_two_results(self):
        (self.folder / "sub").mkdir()
        os.symlink("sub", self.folder / "link")
        self.write("a.npy", b"old")
        os.link(self.folder / "a.npy", self.folder / "b.npy")
        os.symlink("a.npy", self.folder / "c.npy")
        absolute = str(self.folder / "new.npy")
        for one, other in (("y.npy", "y.npy"), ("y.npy", "./y.npy"), ("y.npy", "sub/../y.npy"), ("a.npy", "b.npy"),
                           ("a.npy", "c.npy"), ("sub/y.npy", "link/y.npy"), ("new.npy", absolute)):
            self.refuse(USAGE, "run", "add.yaml", "-o", f"y={one}", "-o", f"z={other}", error="twice")
        self.expect(OK, "run", "add.yaml", "-o", "y=y.npy", "-o", "z=sub/y.npy")

    def test_results_over_inputs(self):
        os.link(self.folder / "x.npy", self.folder / "hard.npy")
        os.symlink("x.npy", self.folder / "soft.npy")
        for name in ("x.npy", "./x.npy", "hard.npy", "soft.npy", "add.yaml", "add.comp"):
            self.refuse(USAGE, "run", "add.yaml", "-o", f"y={name}", error=f"{name}: error: is read by this command")
        self.refuse(USAGE, "run", "add.yaml", "-i", "x=w.npy", "-o", "y=w.npy", error="is read by this command")
        self.expect(OK, "run", "add.yaml", "-i", "x=w.npy", "-o", "y=x.npy")  # not read this time
        for command in (("compile", "add.yaml", "-o", "add.yaml"), ("compile", "add.yaml", "-o", "add.comp"),
                        ("opt", "graph.rpir", "-o", "./graph.rpir"), ("show", "graph.rpir", "-o", "graph.rpir")):
            self.refuse(USAGE, *command, error="is read by this command")
        self.expect(OK, "compile", "add.yaml", "-o", "p.rplan")
        self.refuse(USAGE, "run", "p.rplan", "-i", "x=x.npy", "-o", "y=p.rplan", error="is read by this command")

    def test_what_cannot_be_written(self):
        self.write("only.npy", b"kept")
        os.chmod(self.folder / "only.npy", 0o444)
        os.symlink("nowhere/y.npy", self.folder / "lost.npy")
        for name, error in (("only.npy", "is read-only"), ("lost.npy", "leads to no file"), (".", "is a folder"),
                            ("no/y.npy", "no/: No such file"), ("x.npy/y.npy", "Not a directory")):
            self.refuse(ENVIRONMENT, "run", "add.yaml", "-o", f"y={name}", error=f"{name}: error: ")
            self.assertIn(error, self.err)
            self.refuse(ENVIRONMENT, "compile", "add.yaml", "-o", name, error=error)
            self.refuse(ENVIRONMENT, "opt", "graph.rpir", "-o", name, error=error)
        self.assertEqual(stat.S_IMODE(os.stat(self.folder / "only.npy").st_mode), 0o444)

    def test_scratch_memory_is_no_result(self):
        for source in ("add.yaml", "p.rplan"):
            if source == "p.rplan":
                self.expect(OK, "compile", "add.yaml", "-o", source)
            self.refuse(USAGE, "run", source, "-i", "x=x.npy", "-o", "t=t.npy", error=["'t' is a transient", "`kind: out`"])

    def test_devices_and_folders(self):
        """At once: /dev/zero has no end."""
        for path in ("/dev/zero", "/dev/null", ".", "/"):
            what = "is a folder" if path in "./" else "is a device"
            for command in (("show", path), ("check", path), ("compile", path, "-o", "p.rplan"), ("run", path),
                            ("diff", path, "graph.rpir"), ("check", "graph.rpir", "--against", path)):
                self.refuse(INPUT, *command, error=f"{path}: error: {what}")
            self.refuse(INPUT, "run", "add.yaml", "-i", f"x={path}", error=f"{path}: error: {what}; expected a NumPy")
        os.symlink("/dev/zero", self.folder / "zero.safetensors")
        (self.folder / "folder.safetensors").mkdir()
        os.mkfifo(self.folder / "pipe.safetensors")
        for name, what in (("zero", "is a device"), ("folder", "is a folder"), ("pipe", "is a pipe")):
            self.refuse(INPUT, "run", "add.yaml", "-i", f"x={name}.safetensors",
                        error=f"{name}.safetensors: error: {what}; expected a .safetensors file")

    def test_pipes_end(self):
        """More than an array can have is not read."""
        os.mkfifo(self.folder / "fifo")

        def write():
            try:
                with open(self.folder / "fifo", "wb") as pipe:
                    while True:
                        pipe.write(bytes(1 << 16))
            except BrokenPipeError:
                pass
        writer = threading.Thread(target=write)
        writer.start()
        self.expect(INPUT, "run", "add.yaml", "-i", "x=fifo", error="fifo: error: goes on behind")
        writer.join()


if __name__ == "__main__":
    cli.main()
