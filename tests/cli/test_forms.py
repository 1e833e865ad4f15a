"""Ranges of live sizes: plans of several forms, against NumPy and against pipelines for one range alone."""
import json
import unittest

import numpy as np

import cli
from cli import INPUT, OK, USAGE

PIPELINE = """reprise: 1
params: {{width: 24}}
live: {{tokens: {{max: {most}{ranges}, default: 3}}}}
buffers:
  x: {{kind: in, dtype: f32, shape: [tokens, width]}}
  g: {{kind: weight, dtype: f32, shape: [width]}}
  h: {{kind: inout, dtype: f32, shape: [tokens, width]}}
  y: {{kind: out, dtype: f32, shape: [tokens, width]}}
nodes:
  - {{op: rms_norm, x: x, weight: g, out: n}}
  - {{map: "silu(a) + 1", bind: {{a: n}}, out: y}}
  - {{map: "a + 2 * b", bind: {{a: h, b: y}}, out: h}}
"""
PRODUCT = """reprise: 1
live: {batch: {max: 6, ranges: [3], default: 5}, tokens: {max: 50, ranges: [4, 20]}}
buffers:
  x: {kind: in, dtype: f32, shape: [batch, tokens, 8]}
  y: {kind: out, dtype: f32, shape: [batch, tokens, 8]}
nodes:
  - {op: silu, x: x, out: y}
"""
# What one token has kernels of its own for: a product of one row, a step of attention.
EXACT = """reprise: 1
params: {{heads: 4}}
{head}
buffers:
  x: {{kind: in, dtype: f32, shape: [tokens, 32]}}
  w: {{kind: weight, dtype: f32, shape: [32, 32]}}
  k: {{kind: inout, dtype: f32, shape: [past + tokens, 32]}}
  y: {{kind: out, dtype: f32, shape: [tokens, 32]}}
  sums: {{kind: out, dtype: f32, shape: [past + tokens, tokens]}}
nodes:
  - {{op: linear, x: x, weight: w, out: y}}
  - {{map: "k + 1", out: k}}
  - {{op: matmul, a: k, b: y, transpose_b: 1, out: sums}}
"""
DECODE = """reprise: 1
live: {tokens: {max: 60, ranges: [1, 16]}, position: {max: 60}}
buffers:
  q: {kind: in, dtype: f32, shape: [tokens, 4, 32]}
  new: {kind: in, dtype: f32, shape: [tokens, 4, 32]}
  k: {kind: inout, dtype: f32, shape: [64, 4, 32]}
  v: {kind: inout, dtype: f32, shape: [64, 4, 32]}
  y: {kind: out, dtype: f32, shape: [tokens, 4, 32]}
nodes:
  - {op: attention, q: q, k: k, v: v, key: new, value: new, position: position, out: y}
"""
MOST = [4, 20, 50]
SIZES = [0, 1, 4, 5, 20, 21, 50]


class Forms(cli.Case):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(7)
        self.write("p.yaml", PIPELINE.format(most=50, ranges=", ranges: [4, 20]"))
        for most in MOST:
            self.write(f"alone{most}.yaml", PIPELINE.format(most=most, ranges=""))
        self.g = self.random.normal(size=24).astype("f4")
        np.save(self.folder / "g.npy", self.g)

    def inputs(self, tokens):
        self.x = self.random.normal(size=(tokens, 24)).astype("f4")
        self.h = self.random.normal(size=(tokens, 24)).astype("f4")
        np.save(self.folder / "x.npy", self.x)
        np.save(self.folder / "h.npy", self.h)
        return ["-i", "x=x.npy", "-i", "g=g.npy", "-i", "h=h.npy", "--set", f"tokens={tokens}"]

    def results(self, prefix=""):
        return ["-o", f"y={prefix}y.npy", "-o", f"h={prefix}h2.npy"]

    def load(self, prefix=""):
        return [np.load(self.folder / f"{prefix}{name}.npy") for name in ("y", "h2")]

    def test_values_and_bits(self):
        self.expect(OK, "compile", "p.yaml", "-o", "p.rplan", "--target", "lavapipe")
        for most in MOST:
            self.expect(OK, "compile", f"alone{most}.yaml", "-o", f"alone{most}.rplan", "--target", "lavapipe")
        for tokens in SIZES:
            inputs = self.inputs(tokens)
            most = min(m for m in MOST if m >= tokens)
            self.expect(OK, "run", "p.rplan", *inputs, *self.results())
            self.expect(OK, "run", f"alone{most}.rplan", *inputs, *self.results("a-"))
            y, h = self.load()
            x = self.x.astype("f8")
            n = x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-6) * self.g
            np.testing.assert_allclose(y, n / (1 + np.exp(-n)) + 1, rtol=2e-5, atol=2e-6)
            np.testing.assert_allclose(h, self.h + 2 * y.astype("f8"), rtol=1e-6, atol=1e-6)
            for ours, alone in zip((y, h), self.load("a-")):
                self.assertEqual(ours.tobytes(), alone.tobytes())

    def test_state(self):
        """A state that is carried, and every form of the pipeline against -O0."""
        for tokens in (3, 20, 50):
            self.expect(OK, "run", "p.yaml", *self.inputs(tokens), *self.results(), "-n", "3", "--check-against", "-O0",
                        output="bit-equal to -O0")
            y, h = self.load()
            np.testing.assert_allclose(h, self.h + 6 * y.astype("f8"), rtol=1e-5, atol=1e-5)
        self.expect(OK, "compile", "p.yaml", "-o", "p.rplan")
        self.expect(OK, "run", "p.rplan", *self.inputs(9), "--check-against", "-O2", output="bit-equal to -O2")

    def test_looked_at(self):
        self.expect(OK, "compile", "p.yaml", "-o", "p.rplan", "--dump-after", "source,sync", error="form 2 of 3: tokens <= 20")
        for form in (1, 2, 3):
            self.assertIn(f"max {MOST[form - 1]}\n", self.read(f"reprise-dump/form-{form}/00-source.rpir").decode())
        out = self.expect(OK, "check", "p.rplan")
        self.assertEqual([f"form {i + 1} of 3: tokens <= {m}: proven" in out for i, m in enumerate(MOST)], [True] * 3)
        self.expect(OK, "check", "p.rplan", "--against", "p.yaml", output="form 3 of 3")
        self.expect(OK, "check", "p.rplan", "--form", "2", "--against", "alone20.yaml", output="they see in alone20.yaml")
        self.expect(OK, "check", "p.rplan", "--form", "2", "--against", "p.yaml")
        self.expect(INPUT, "check", "p.rplan", "--against", "alone50.yaml", error="p.rplan: error: has 3 forms, and")
        self.expect(INPUT, "check", "p.rplan", "--form", "1", "--against", "alone20.yaml")
        text = self.expect(OK, "show", "p.rplan")
        self.assertEqual([line for line in text.split("\n") if line.startswith("; form")],
                         [f"; form {i + 1} of 3: tokens <= {m}" for i, m in enumerate(MOST)])
        graphs = json.loads(self.expect(OK, "show", "p.rplan", "--format", "json"))
        self.assertEqual([next(b for b in g["buffers"] if b["name"] == "tokens")["max"] for g in graphs], MOST)
        one = json.loads(self.expect(OK, "show", "p.rplan", "--format", "json", "--form", "2"))
        self.assertEqual(one, graphs[1])
        self.assertEqual(self.expect(OK, "show", "p.yaml", "--format", "dot").count("digraph"), 3)
        self.assertEqual(self.expect(OK, "show", "p.rplan", "--stats").count("barrier bound"), 3)
        self.assertEqual(self.expect(OK, "show", "p.rplan", "--source", "--form", "3"), self.expect(OK, "show", "alone50.yaml"))
        self.expect(USAGE, "show", "p.rplan", "--form", "4", error="has 3 forms; --form 4 is none of them")
        self.expect(USAGE, "show", "alone4.yaml", "--form", "2", error="has 1 form; --form 2")
        self.expect(USAGE, "show", "p.rplan", "--form", "0", error="--form")

    def test_compared(self):
        self.expect(OK, "compile", "p.yaml", "-o", "p.rplan")
        self.expect(OK, "compile", "p.yaml", "-o", "q.rplan")
        self.assertEqual(self.read("p.rplan"), self.read("q.rplan"))
        self.expect(OK, "diff", "p.rplan", "q.rplan")
        self.expect(OK, "compile", "p.yaml", "-o", "q.rplan", "-O0")
        out = self.run_program("diff", "p.rplan", "q.rplan").stdout.decode()
        self.assertIn("form 1 of 3: tokens <= 4\n", out)
        out = self.run_program("diff", "p.yaml", "alone50.yaml").stdout.decode()
        self.assertIn("3 forms against 1", out)
        self.expect(OK, "expand", "p.yaml", "-o", "flat.yaml")
        self.expect(OK, "compile", "flat.yaml", "-o", "q.rplan")
        self.assertEqual(self.read("p.rplan"), self.read("q.rplan"))
        self.expect(USAGE, "opt", "p.yaml", error="has 3 forms, and this takes one graph: choose one with --form")
        self.assertEqual(self.expect(OK, "opt", "p.yaml", "--form", "2"), self.expect(OK, "opt", "alone20.yaml"))
        self.expect(OK, "compile", "p.yaml", "--form", "2", "-o", "q.rplan")
        self.expect(OK, "compile", "alone20.yaml", "-o", "r.rplan")
        self.assertEqual(self.read("q.rplan"), self.read("r.rplan"))

    def test_product(self):
        self.write("product.yaml", PRODUCT)
        self.expect(OK, "compile", "product.yaml", "-o", "p.rplan")
        text = self.expect(OK, "show", "p.rplan")
        for i, title in enumerate(f"batch <= {b}, tokens <= {t}" for b in (3, 6) for t in (4, 20, 50)):
            self.assertIn(f"; form {i + 1} of 6: {title}\n", text)
        self.assertIn("= 03000000 max 3", text)  # the default is 5
        for batch, tokens in ((3, 4), (4, 4), (6, 21)):
            x = self.random.normal(size=(batch, tokens, 8)).astype("f4")
            np.save(self.folder / "x.npy", x)
            self.expect(OK, "run", "p.rplan", "-i", "x=x.npy", "-o", "y=y.npy", "--set", f"batch={batch}", "--set",
                        f"tokens={tokens}")
            y = np.load(self.folder / "y.npy")
            np.testing.assert_allclose(y, x / (1 + np.exp(-x.astype("f8"))), rtol=1e-5, atol=1e-6)

    def test_exactly_one(self):
        """A form in which a size is 1 is a pipeline with the number; 0 runs the next one, and a state is carried."""
        live = "live: {tokens: {max: 50, ranges: [1, 8]}, past: {max: 20, default: 2}}"
        self.write("e.yaml", EXACT.format(head=live))
        self.write("one.yaml", EXACT.format(head="live: {past: {max: 20, default: 2}}").replace("heads: 4", "tokens: 1"))
        self.expect(OK, "compile", "e.yaml", "-o", "e.rplan", "--target", "device")
        self.expect(OK, "check", "e.rplan", output="form 1 of 3: tokens = 1: proven")
        self.expect(OK, "check", "e.rplan", "--form", "1", "--against", "e.yaml")
        one, few = (self.expect(OK, "show", "e.rplan", "--form", form) for form in "12")
        self.assertIn("buf $k inout f32[{$past + $tokens},32]", one)
        self.assertIn("buf $y out f32[1,32]", one)
        self.assertEqual(("matvec" in one, "matvec" in few), (True, False))
        w = self.random.normal(size=(32, 32)).astype("f4")
        np.save(self.folder / "w.npy", w)
        for tokens in (0, 1, 2, 9):
            x = self.random.normal(size=(tokens, 32)).astype("f4")
            k = self.random.normal(size=(tokens + 2, 32)).astype("f4")
            np.save(self.folder / "x.npy", x)
            np.save(self.folder / "k.npy", k)
            names = ("y", "k", "sums")
            run = ["-i", "x=x.npy", "-i", "w=w.npy", "-i", "k=k.npy", "-n", "2"]
            self.expect(OK, "run", "e.rplan", *run, "--set", f"tokens={tokens}", *[a for n in names for a in ("-o", f"{n}=l-{n}.npy")])
            y, after, sums = (np.load(self.folder / f"l-{n}.npy") for n in names)
            np.testing.assert_allclose(y, x.astype("f8") @ w.T.astype("f8"), rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(after, k + 2, rtol=1e-6)
            self.assertEqual(sums.shape, (tokens + 2, tokens))
            if tokens == 1:
                self.expect(OK, "run", "one.yaml", *run, *[a for n in names for a in ("-o", f"{n}=f-{n}.npy")])
                for n in names:
                    self.assertEqual(self.read(f"l-{n}.npy"), self.read(f"f-{n}.npy"), n)
        self.write("decode.yaml", DECODE)
        self.expect(OK, "compile", "decode.yaml", "-o", "d.rplan")
        for form, op, other in (("1", "attention_append", "attention_prefill"), ("2", "attention_prefill", "attention_append")):
            text = self.expect(OK, "show", "d.rplan", "--form", form)
            self.assertEqual((op in text, other in text), (True, False))

    def test_ranges_of_targets(self):
        self.write("auto.yaml", PIPELINE.format(most=50, ranges=", ranges: auto"))
        self.write("few.yaml", PIPELINE.format(most=2, ranges=", ranges: auto").replace("default: 3", "default: 1"))
        self.write("t.target", "name: t\nsize_ranges: 0x14\n")
        for target, most in (("portable", [1, 8, 50]), ("lavapipe", [1, 50]), ("t.target", [4, 16, 50])):
            text = self.expect(OK, "show", "auto.yaml", "--target", target)
            self.assertEqual([line.rsplit(" ", 2)[1:] for line in text.split("\n") if line.startswith("; form")],
                             [["=" if m == 1 else "<=", str(m)] for m in most], target)
        self.assertNotIn("; form", self.expect(OK, "show", "few.yaml", "--target", "t.target"))
        self.write("bad.yaml", PIPELINE.format(most=50, ranges=", ranges: automatic"))
        self.expect(INPUT, "show", "bad.yaml", error="bad.yaml:3:34: error: 'ranges' is a list of numbers, or auto")

    def test_profile(self):
        for tokens, form in ((2, 1), (50, 3)):
            self.expect(OK, "profile", "p.yaml", "--set", f"tokens={tokens}", "-n", "2", error=f"form {form} of 3")

    def test_refused(self):
        self.expect(INPUT, "run", "p.yaml", *self.inputs(51), error="its declared maximum is 50")
        self.expect(OK, "compile", "p.yaml", "-o", "p.rplan")
        data = bytearray(self.read("p.rplan"))
        for size in (0, 63, 64, 80, 111, 112, 200, len(data) // 2, len(data) - 8):
            (self.folder / "cut.rplan").write_bytes(data[:size])
            self.expect(INPUT, "show", "cut.rplan", error="cut.rplan: error: ")
        data[16] = 9
        (self.folder / "new.rplan").write_bytes(data)
        self.expect(INPUT, "show", "new.rplan", error="has version 9, this library reads versions 6 and 8")


if __name__ == "__main__":
    cli.main()
