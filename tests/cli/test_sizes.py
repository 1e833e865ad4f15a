"""Shapes that follow live values: one plan at many sizes, against NumPy and against fixed pipelines."""
import unittest

import numpy as np

import cli
from cli import INPUT, OK, USAGE

LIVE = """reprise: 1
params: {{width: 24}}
{head}
buffers:
  x: {{kind: in, dtype: f32, shape: [batch, tokens, width]}}
  g: {{kind: weight, dtype: f32, shape: [width]}}
  bias: {{kind: in, dtype: f16, shape: [tokens, width]}}
  y: {{kind: out, dtype: f32, shape: [batch, tokens, width]}}
  turned: {{kind: out, dtype: f32, shape: [batch, width, tokens]}}
  total: {{kind: out, dtype: f32, shape: [batch * tokens]}}
  weights: {{kind: out, dtype: f32, shape: [batch, width, tokens]}}
nodes:
  - {{op: rms_norm, x: x, weight: g, out: n}}
  - {{map: "silu(n) + bias", out: y}}
  - {{op: transpose, x: y, out: turned}}
  - {{op: row_sum, x: y, out: total}}
  - {{op: softmax, x: turned, out: weights}}  # rows whose length varies
"""
OWN = """reprise: 1
live: {tokens: {max: 100, default: 3}, past: {max: 20, default: 2}}
buffers:
  x: {kind: in, dtype: f32, shape: [tokens, 8]}
  c: {kind: in, dtype: f32, shape: [20, 8]}
  ids: {kind: in, dtype: u32, shape: [tokens]}
  cache: {kind: inout, dtype: f32, shape: [64, 8]}
  y: {kind: out, dtype: f32, shape: [tokens, 8]}
  z: {kind: out, dtype: f32, shape: [past, 8]}
  joined: {kind: out, dtype: f32, shape: [8, tokens + past]}
  j: {kind: in, dtype: f32, shape: [8, tokens]}
  k: {kind: in, dtype: f32, shape: [8, past]}
  g: {kind: tmp, dtype: f32, shape: [tokens, 8]}
  copied: {kind: out, dtype: f32, shape: [tokens, 8]}
kernels:
  twice: {glsl: twice.comp}
nodes:
  - {op: silu, x: x, out: h}
  - run: twice
    bind: {x: h, y: g}
    threads: tokens * 8
    push: {count: tokens}
  - {map: "a * 2 + i0", bind: {a: g}, out: y}
  - {op: neg, x: {buffer: c, shape: [past, 8]}, out: z}
  - {op: scatter_rows, src: y, index: ids, dst: cache}
  - {op: concat, a: j, b: k, out: joined}
  - copy: {from: y, to: copied}
"""
TWICE = """#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer In { float value[]; } x;
layout(set = 0, binding = 1) writeonly buffer Out { float value[]; } y;
layout(push_constant) uniform Push { uint count; } push;
void main() { uint i = gl_GlobalInvocationID.x; if (i < push.count * 8u) y.value[i] = 2.0 * x.value[i]; }
"""
SIZES = [(1, 1), (3, 7), (4, 50), (4, 0), (0, 9), (2, 50), (1, 49)]


class Sizes(cli.Case):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(5)
        self.write("live.yaml", LIVE.format(head="live: {batch: {max: 4, default: 2}, tokens: {max: 50, default: 3}}"))
        self.write("fixed.yaml", LIVE.format(head="").replace("width: 24}", "width: 24, batch: 1, tokens: 1}"))
        np.save(self.folder / "g.npy", self.random.normal(size=24).astype("f4"))

    def inputs(self, batch, tokens):
        self.x = self.random.normal(size=(batch, tokens, 24)).astype("f4")
        self.bias = self.random.normal(size=(tokens, 24)).astype("f2")
        np.save(self.folder / "x.npy", self.x)
        np.save(self.folder / "bias.npy", self.bias)
        return ["-i", "x=x.npy", "-i", "g=g.npy", "-i", "bias=bias.npy"]

    def outputs(self, prefix):
        return [a for name in ("y", "turned", "total", "weights") for a in ("-o", f"{name}={prefix}{name}.npy")]

    def load(self, prefix):
        return [np.load(self.folder / f"{prefix}{name}.npy") for name in ("y", "turned", "total", "weights")]

    def test_sizes(self):
        self.expect(OK, "compile", "live.yaml", "-o", "p.rplan")
        self.expect(OK, "check", "p.rplan")
        for batch, tokens in SIZES:
            inputs = self.inputs(batch, tokens)
            self.expect(OK, "run", "p.rplan", *inputs, "--set", f"batch={batch}", "--set", f"tokens={tokens}",
                        *self.outputs(""))
            y, turned, total, weights = self.load("")
            self.assertEqual((y.shape, turned.shape, total.shape),
                             ((batch, tokens, 24), (batch, 24, tokens), (batch * tokens,)))
            x = self.x.astype("f8")
            n = x / np.sqrt((x * x).mean(axis=2, keepdims=True) + 1e-6) * np.load(self.folder / "g.npy")
            want = n / (1 + np.exp(-n)) + self.bias
            np.testing.assert_allclose(y, want, rtol=2e-5, atol=2e-6)
            np.testing.assert_array_equal(turned, y.transpose(0, 2, 1))
            self.assertEqual(weights.shape, turned.shape)
            if tokens:
                power = np.exp(want - want.max(axis=1, keepdims=True))
                np.testing.assert_allclose(weights, (power / power.sum(axis=1, keepdims=True)).transpose(0, 2, 1),
                                           rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(total, want.sum(axis=2).reshape(-1), rtol=1e-4, atol=1e-5)

    def test_bits_of_fixed_pipelines(self):
        for batch, tokens in SIZES[:3]:
            inputs = self.inputs(batch, tokens)
            self.expect(OK, "run", "live.yaml", *inputs, "--set", f"batch={batch}", "--set", f"tokens={tokens}",
                        *self.outputs(""), "--check-against", "-O0", output="bit-equal to -O0")
            self.expect(OK, "run", "fixed.yaml", *inputs, "-D", f"batch={batch}", "-D", f"tokens={tokens}",
                        *self.outputs("f-"), "-O0")
            for live, fixed in zip(self.load(""), self.load("f-")):
                self.assertEqual(live.tobytes(), fixed.tobytes())

    def test_mistakes(self):
        inputs = self.inputs(2, 3)
        self.expect(OK, "run", "live.yaml", *inputs, output="$y f32[2, 3, 24]")
        self.expect(INPUT, "run", "live.yaml", *inputs, "--set", "tokens=4", error="buffer 'x' has shape (2, 4, 24)")
        self.expect(INPUT, "run", "live.yaml", *self.inputs(4, 51), "--set", "tokens=51",
                    error="tokens[0] cannot be set to 51: its declared maximum is 50")
        self.expect(USAGE, "run", "live.yaml", *inputs, "--set", "tokens=-1", error="no value of type u32")

    def test_own_kernels_caches_and_sums(self):
        """Own kernels by live push data and grids, the first rows of a table, rows into a cache, a sum of sizes."""
        self.write("own.yaml", OWN)
        self.write("twice.comp", TWICE)
        self.expect(OK, "compile", "own.yaml", "-o", "p.rplan")
        self.expect(OK, "check", "p.rplan")
        for tokens, past in ((37, 11), (1, 0), (0, 5)):
            arrays = {name: self.random.normal(size=shape).astype("f4") for name, shape in
                      (("x", (tokens, 8)), ("c", (20, 8)), ("j", (8, tokens)), ("k", (8, past)))}
            arrays["ids"] = self.random.permutation(64)[:tokens].astype("u4")
            inputs, outputs = [], []
            for name, array in arrays.items():
                np.save(self.folder / f"{name}.npy", array)
                inputs += ["-i", f"{name}={name}.npy"]
            for name in ("y", "z", "joined", "copied", "cache"):
                outputs += ["-o", f"{name}=o-{name}.npy"]
            self.expect(OK, "run", "p.rplan", *inputs, *outputs, "--set", f"tokens={tokens}", "--set", f"past={past}")
            y, z, joined, copied, cache = (np.load(self.folder / f"o-{name}.npy")
                                           for name in ("y", "z", "joined", "copied", "cache"))
            x, rows = arrays["x"].astype("f8"), np.arange(tokens)[:, None]
            np.testing.assert_allclose(y, x / (1 + np.exp(-x)) * 4 + rows, rtol=1e-5, atol=1e-6)
            np.testing.assert_array_equal(z, -arrays["c"][:past])
            np.testing.assert_array_equal(joined, np.concatenate([arrays["j"], arrays["k"]], axis=1))
            np.testing.assert_array_equal(copied, y)
            want = np.zeros((64, 8), "f4")
            want[arrays["ids"]] = y
            np.testing.assert_array_equal(cache, want)

    def test_sizes_near_32_bits(self):
        """What a size is computed of may be as large as 32 bits hold, rounded up or not."""
        last = 2**32 - 2
        self.write("wide.yaml", "reprise: 1\nlive: {n: {max: 4294967294, default: 1}}\nbuffers:\n"
                   "  y: {kind: out, dtype: i32, shape: [\"ceil_div(n, 1000000000)\", 3]}\n"
                   "nodes:\n  - {map: index, out: y}\n")
        self.expect(OK, "compile", "wide.yaml", "-o", "p.rplan")
        for n in (last, 4 * 10**9, 10**9 + 1, 1, 0):
            self.expect(OK, "run", "p.rplan", "--set", f"n={n}", "-o", "y=y.npy")
            rows = -(-n // 10**9)
            np.testing.assert_array_equal(np.load(self.folder / "y.npy"), np.arange(3 * rows).reshape(rows, 3))

    def test_refused(self):
        """What has no kernel for a shape says so where it stands."""
        head = ("reprise: 1\nlive: {n: {max: 6}}\nbuffers:\n  x: {kind: in, dtype: f32, shape: [n, 32]}\n"
                "  w: {kind: weight, dtype: f32, shape: [16, 32]}\n  y: {kind: out, dtype: f32, shape: [n, 16]}\n  z: {kind: out, dtype: f32, shape: [32]}\nnodes:\n")
        for line, column, words in (
                ("- {op: matmul, a: x, b: w, transpose_b: 1, out: y}", 5, "its kernels are made for fixed shapes"),
                ("- {op: matvec, x: x, weight: w, out: y}", 5, "matmul takes one that follows live sizes"),
                ("- {op: row_sum, x: {buffer: x, shape: [32, n]}, out: z}", 5, None),
                ("- {op: linear, x: x, weight: w, out: y}", 5, "operand 'x' of linear follows a live size")):
            self.write("refused.yaml", head + "  " + line)
            if not words:  # rows of up to 6: short on every target
                self.expect(OK, "compile", "refused.yaml", "-o", "fine.rplan")
                self.write("refused.yaml", head.replace("max: 6", "max: 999") + "  " + line)
                words = "added up in another order"
            self.expect(INPUT, "compile", "refused.yaml", "-o", "p.rplan", error=words)
            self.assertRegex(self.err, r"refused.yaml:9:\d+: error: ")
            self.assertFalse((self.folder / "p.rplan").exists())

    def test_shown(self):
        self.expect(OK, "compile", "live.yaml", "-o", "p.rplan")
        self.assertIn("buf $turned out f32[{$batch},24,{$tokens}]", self.expect(OK, "show", "p.rplan"))
        self.assertIn('"shape":["$batch",24,"$tokens"]', self.expect(OK, "show", "p.rplan", "--format", "json"))
        self.assertIn("$batch", self.expect(OK, "show", "live.yaml", "--glsl") + "$batch")
        self.write("other.yaml", self.read("live.yaml").decode().replace("[batch * tokens]", "[tokens * batch, 1]"))
        out = self.run_program("diff", "live.yaml", "other.yaml").stdout.decode()
        self.assertIn("{$batch * $tokens}", out)


if __name__ == "__main__":
    cli.main()
