"""Wrong pipelines, shaders, graphs, plans and machines: the message, the status, nothing left behind."""
import random
import struct
import unittest

import numpy as np

import cli
from cli import ENVIRONMENT, INPUT, OK, USAGE


class Pipelines(cli.Case):
    """Each case changes one thing of data/pipeline.yaml; the message points at its line."""

    def wrong(self, old, new, *errors, line=None, count=1):
        text = self.read("pipeline.yaml").decode()
        self.assertIn(old, text)
        changed = text.replace(old, new, count)
        self.write("bad.yaml", changed)
        if line is None:
            # The first line that differs.
            pairs = zip(text.splitlines(), changed.splitlines() + [""] * 9)
            line = next(i for i, (a, b) in enumerate(pairs, 1) if a != b)
        before = self.files()
        self.expect(INPUT, "compile", "bad.yaml", "-o", "p.rplan", error=[f"bad.yaml:{line}:", *errors])
        self.assertEqual(self.files(), before)
        self.assertEqual(self.out, "")

    def test_unknown_keys_and_wrong_types(self):
        self.wrong("name: pipeline", "nmae: pipeline", "nmae")
        self.wrong("kind: in,", "kind: in, colour: red,", "colour")
        self.wrong("kind: in,", "kind: inward,", "inward")
        self.wrong("dtype: f32", "dtype: f31", "f31")
        self.wrong("shape: [n]}\n  w", "shape: {n: 1}}\n  w")
        self.wrong("threads: [n, 1, 1]", "threads: [n, 1, 1, 1]")
        self.wrong("push: {count: n}", "push: [n, n]")
        self.wrong("push: {count: n}", "push: {cuont: n}", "cuont")
        self.wrong("reprise: 1", "reprise: 2", "version")
        self.wrong("reprise: 1", "reprise: one")
        self.wrong("reprise: 1", "reprise:", "version nothing of the format")

    def test_undefined_names(self):
        self.wrong("run: scale", "run: sclae", "sclae")
        self.wrong("bind: {x: x,", "bind: {x: z,", "z")
        self.wrong("bind: {x: x,", "bind: {q: x,", "q")
        self.wrong("shape: [n]", "shape: [m]", "m")
        self.wrong("{from: next,", "{from: nxet,", "nxet")

    def test_parameters(self):
        self.wrong("params: {n: 1000}", "params: {n: m, m: n}", line=5)
        self.wrong("params: {n: 1000}", "params: {n: -1}", line=9)
        self.wrong("shape: [n]", "shape: [n / 0]")
        self.wrong("shape: [n]", "shape: [n * 9223372036854775807]")
        self.wrong("shape: [n]", "shape: [n - 1001]")
        self.expect(INPUT, "compile", "pipeline.yaml", "-o", "p.rplan", "-D", "n=-1", error="pipeline.yaml:")
        self.expect(INPUT, "compile", "pipeline.yaml", "-o", "p.rplan", "-D", "k=1", error="k")
        self.expect(INPUT, "compile", "pipeline.yaml", "-o", "p.rplan", "-D", "n=4611686018427387904")

    def test_bindings_and_ranges(self):
        self.wrong("bind: {x: x, y: once, factor: factor}", "bind: {x: x, y: once}", "factor")
        self.wrong("{x: x, y: once,", "{x: x, y: x,", "x")  # writes an input
        self.wrong("{x: x, y: once,", "{x: {buffer: x, access: w}, y: once,", "x")  # the shader reads it
        self.wrong("{x: x, y: once,", "{x: {buffer: x, offset: 4000}, y: once,", "outside")
        self.wrong("{x: x, y: once,", "{x: {buffer: x, offset: -4}, y: once,")
        self.wrong("{x: x, y: once,", "{x: {buffer: x, rows: [999, 2]}, y: once,", "outside")
        self.wrong("{x: once, y: twice,", "{x: {buffer: twice, elements: [0, 500]}, y: twice,", "twice")
        self.wrong("{to: unused, value: 0}", "{to: {buffer: unused, offset: 2, size: 4}, value: 0}", "4")
        self.wrong("{from: next, to: total}", "{from: {buffer: next, rows: [0, 20]}, to: {buffer: total, rows: [0, 10]}}", "40")
        self.wrong("threads: [n, 1, 1]", "grid: [0, 1, 1]")
        self.wrong("threads: [n, 1, 1]", "grid: [4294967296, 1, 1]")

    def test_yaml_itself(self):
        for text in ("", "# nothing\n", "[1, 2]\n", "reprise: 1\n", "reprise: 1\nnodes: []\nnodes: []\n",
                     "reprise: 1\nname: 'open\n", "reprise: 1\n\tname: x\n", "\xff\xfe", "&a [*a]",
                     "reprise: 1\nname: !!binary x\n"):
            self.write("bad.yaml", text)
            self.expect(INPUT, "compile", "bad.yaml", "-o", "p.rplan", error="bad.yaml")
            self.assertNotIn("p.rplan", self.files())

    def test_several_mistakes_at_once(self):
        text = self.read("pipeline.yaml").decode()
        text = text.replace("kind: in,", "kind: inn,").replace("{from: next,", "{from: nxt,")
        self.write("bad.yaml", text)
        self.expect(INPUT, "compile", "bad.yaml", "-o", "p.rplan", error=["inn", "nxt"])


class Shaders(cli.Case):
    def shader(self, old, new, error, status=INPUT, command="compile"):
        text = self.read("scale.comp").decode()
        self.assertIn(old, text)
        self.write("scale.comp", text.replace(old, new))
        self.expect(status, "compile", "pipeline.yaml", "-o", "p.rplan", error=error)
        self.assertNotIn("p.rplan", self.files())

    def test_glsl_that_does_not_compile(self):
        self.shader("factor.v;", "faktor.v;", ["scale.comp:10:", "faktor"])

    def test_missing_shader(self):
        self.write("bad.yaml", self.read("pipeline.yaml").decode().replace("scale.comp", "absent.comp"))
        self.expect(INPUT, "compile", "bad.yaml", "-o", "p.rplan", error=["bad.yaml:18:", "absent.comp"])

    def test_spirv_that_is_none(self):
        for data in (b"", b"\x03\x02\x23\x07", b"not spir-v at all", bytes(64),
                     struct.pack("<5I", 0x07230203, 0x00010500, 0, 1 << 31, 0)):
            self.write("bad.spv", data)
            self.write("bad.yaml", self.read("pipeline.yaml").decode().replace("glsl: scale.comp",
                                                                               "spirv: bad.spv"))
            self.expect(INPUT, "compile", "bad.yaml", "-o", "p.rplan", error="bad.yaml:18:18: error: kernel 'scale'")


class DeviceLimits(cli.Case):
    def run_scale(self, old, new, error):
        text = self.read("scale.comp").decode()
        self.write("scale.comp", text.replace(old, new))
        for name in "xw":
            np.save(self.folder / f"{name}.npy", np.zeros(1000, "f4"))
        before = self.files()
        self.expect(ENVIRONMENT, "run", "pipeline.yaml", "-i", "x=x.npy", "-i", "w=w.npy", "-o", "y=y.npy",
                    error=["scale", *error])
        self.assertEqual(self.files(), before)

    def test_workgroup_too_large(self):
        self.run_scale("local_size_x = 64", "local_size_x = 1024, local_size_y = 8", ["8192"])

    def test_too_much_shared_memory(self):
        self.run_scale("void main() {", "shared float big[1 << 22];\nvoid main() { big[0] = 1;", ["16777216"])


class Graphs(cli.Case):
    def graph(self, body, *errors):
        self.write("bad.rpir", f"reprise 1\ngraph g {{\n{body}\n}}\n")
        for command in ("show", "opt", "check"):
            self.expect(INPUT, command, "bad.rpir", error=["bad.rpir:", *errors])
            self.assertEqual(self.out, "")
        self.expect(INPUT, "compile", "bad.rpir", "-o", "p.rplan")
        self.assertNotIn("p.rplan", self.files())

    def test_wrong_graphs(self):
        buffers = "  buf $x in 4096\n  buf $y out 4096\n  kern @k spirv - local 1 1 1 (r, w)\n"
        self.graph(buffers + "  n0 = run @k grid 1 1 1 (r $x[4090+10], w $y)", ":6:")
        self.graph(buffers + "  n0 = run @k grid 1 1 1 (r $x[18446744073709551615+2], w $y)", ":6:")
        self.graph(buffers + "  n0 = run @k grid 0 1 1 (r $x, w $y)", ":6:")
        self.graph(buffers + "  n0 = run @k grid 1 1 1 (r $z, w $y)", ":6:", "z")
        self.graph(buffers + "  n0 = run @k grid 1 1 1 (r $y, w $x)", ":6:")
        self.graph("  buf $x in 0", ":3:")
        self.graph("  buf $x in 99999999999999999999", ":3:")
        self.graph("  buf $x in 4096\n  buf $x in 4096", ":4:")
        self.graph("  nonsense", ":3:")

    def test_several_errors_at_once(self):
        self.graph("  buf $x inn 4096\n  buf $y oot 4096", "bad.rpir:3:", "bad.rpir:4:")

    def test_files_of_no_kind(self):
        self.write("thing", "hello\n")
        self.expect(INPUT, "show", "thing", error="neither a YAML pipeline")
        self.write("empty.rpir", "")
        self.expect(INPUT, "show", "empty.rpir", error="empty.rpir")
        self.expect(INPUT, "show", ".", error="is a folder")
        self.expect(INPUT, "show", "-", input=b"", error="<stdin>")


class Plans(cli.Case):
    def setUp(self):
        super().setUp()
        self.expect(OK, "compile", "pipeline.yaml", "-o", "p.rplan", "-q")
        self.plan = self.read("p.rplan")

    def refused(self, data, *errors):
        self.write("bad.rplan", data)
        for command in ("show", "check", "run"):
            self.expect(INPUT, command, "bad.rplan", error=["bad.rplan", *errors])
            self.assertEqual(self.out, "")

    def test_truncated(self):
        for length in (0, 7, 8, 16, 63, 64, 100, len(self.plan) // 2, len(self.plan) - 1):
            self.refused(self.plan[:length])

    def test_longer(self):
        self.refused(self.plan + b"\0")

    def test_another_version(self):
        newer = bytearray(self.plan)
        newer[16] += 3
        self.refused(bytes(newer), "version")
        newer[16] -= 1  # that of a file of several forms, which it is not
        self.refused(bytes(newer), "form 1 starts at byte")
        newer[16] -= 1  # that of one before
        self.refused(bytes(newer), "version")

    def test_flipped_bits(self):
        rng = random.Random(5)
        for _ in range(60):
            flipped = bytearray(self.plan)
            at = rng.randrange(8, len(flipped))  # behind the magic, that decides the kind of the file
            flipped[at] ^= 1 << rng.randrange(8)
            self.write("bad.rplan", bytes(flipped))
            self.expect(INPUT, "check", "bad.rplan", error="bad.rplan")


class Machine(cli.Case):
    """No device, and not enough memory."""

    def setUp(self):
        super().setUp()
        self.none = {"VK_ICD_FILENAMES": "/nonexistent.json", "VK_DRIVER_FILES": "/nonexistent.json"}
        for name in "xw":
            np.save(self.folder / f"{name}.npy", np.zeros(1000, "f4"))
        self.run_pipeline = ["run", "pipeline.yaml", "-i", "x=x.npy", "-i", "w=w.npy", "-o", "y=y.npy"]

    def test_no_device(self):
        self.expect(ENVIRONMENT, "devices", env=self.none, error="Vulkan")
        self.expect(ENVIRONMENT, *self.run_pipeline, env=self.none, error="Vulkan")
        self.assertNotIn("y.npy", self.files())
        # Everything but running works without one, and wrong input is found first.
        self.expect(OK, "compile", "pipeline.yaml", "-o", "p.rplan", env=self.none)
        self.expect(OK, "check", "p.rplan", env=self.none)
        self.expect(INPUT, "run", "pipeline.yaml", env=self.none, error="has no data")

    def test_no_such_device(self):
        for choice in ("99", "Voodoo"):
            self.expect(ENVIRONMENT, *self.run_pipeline, "--device", choice, error=choice)
            self.expect(ENVIRONMENT, *self.run_pipeline, env={"REPRISE_DEVICE": choice}, error=choice)
        self.expect(OK, *self.run_pipeline, "--device", "0")

    def test_more_memory_than_there_is(self):
        self.write("huge.yaml", "reprise: 1\nname: huge\nbuffers:\n"
                   "  y: {kind: out, dtype: u32, shape: [137438953472]}\n"
                   "nodes:\n  - fill: {to: y, value: 1}\n")
        self.expect(ENVIRONMENT, "run", "huge.yaml", "-o", "y=y.npy")
        self.assertNotIn("y.npy", self.files())


if __name__ == "__main__":
    cli.main()
