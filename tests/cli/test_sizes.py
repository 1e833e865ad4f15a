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
  joined: {kind: out, dtype: f32, shape: [8, 3 * (tokens + past)]}
  j: {kind: in, dtype: f32, shape: [8, 3 * tokens]}
  k: {kind: in, dtype: f32, shape: [8, 3 * past]}
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
# A layer of a sentence encoder and the mean of its tokens: batch and length vary together.
ENCODER = """reprise: 1
params: {{width: 32, heads: 4, size: 8}}
{head}
buffers:
  ids: {{kind: in, dtype: u32, shape: [batch, tokens]}}
  words: {{kind: weight, dtype: f32, shape: [50, width]}}
  g: {{kind: weight, dtype: f32, shape: [width]}}
  b: {{kind: weight, dtype: f32, shape: [width]}}
  q: {{kind: weight, dtype: f32, shape: [width, width]}}
  k: {{kind: weight, dtype: f32, shape: [width, width]}}
  v: {{kind: weight, dtype: f32, shape: [width, width]}}
  o: {{kind: weight, dtype: f32, shape: [width, width]}}
  y: {{kind: out, dtype: f32, shape: [batch, width]}}
nodes:
  - {{op: gather_rows, table: words, ids: ids, out: x0}}
  - {{op: layer_norm, x: x0, weight: g, bias: b, out: x}}
  - {{op: linear, x: x, weight: q, bias: b, out: xq}}
  - {{op: linear, x: x, weight: k, out: xk}}
  - {{op: linear, x: x, weight: v, out: xv}}
  - {{op: permute, x: {{buffer: xq, shape: [batch, tokens, heads, size]}}, order: acbd, out: hq}}
  - {{op: permute, x: {{buffer: xk, shape: [batch, tokens, heads, size]}}, order: acbd, out: hk}}
  - {{op: permute, x: {{buffer: xv, shape: [batch, tokens, heads, size]}}, order: acbd, out: hv}}
  - {{op: matmul, a: hq, b: hk, transpose_b: 1, out: scores}}
  - {{op: softmax, x: scores, scale: 0.353553391, out: shares}}
  - {{op: matmul, a: shares, b: hv, out: heads_out}}
  - {{op: permute, x: heads_out, order: acbd, out: joined}}
  - {{op: linear, x: {{buffer: joined, shape: [batch, tokens, width]}}, weight: o, out: a}}
  - {{map: "x + a", out: x1}}
  - {{op: layer_norm, x: x1, weight: g, bias: b, out: x2}}
  - {{op: reduce_mean, x: x2, axes: "1", out: y}}
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
                      (("x", (tokens, 8)), ("c", (20, 8)), ("j", (8, 3 * tokens)), ("k", (8, 3 * past)))}
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

    def products(self, lines, live, shapes, points, dtypes={}, exact=None, tolerance=1e-5):
        """Runs a pipeline of live sizes and the same of params; results of `exact` points have equal bits."""
        head = "live: {" + ", ".join(f"{name}: {{max: {most}}}" for name, most in live.items()) + "}\n"
        params = "params: {" + ", ".join(f"{name}: 1" for name in live) + "}\n"
        body = "buffers:\n" + "".join(
            f"  {name}: {{kind: {kind}, dtype: {dtypes.get(name, 'f32')}, shape: [{', '.join(map(str, shape))}]}}\n"
            for name, (kind, shape) in shapes.items()) + "nodes:\n" + "".join(f"  - {line}\n" for line in lines)
        self.write("l.yaml", "reprise: 1\n" + head + body)
        self.write("f.yaml", "reprise: 1\n" + params + body)
        self.expect(OK, "compile", "l.yaml", "-o", "l.rplan", "--target", "device")
        self.expect(OK, "check", "l.rplan")
        for point in points:
            sizes, inputs = dict(zip(live, point)), []
            outputs = [name for name, (kind, _) in shapes.items() if kind == "out"]
            arrays = {}
            for name, (kind, shape) in shapes.items():
                if kind == "out":
                    continue
                dims = [eval(str(d), {}, dict(sizes)) for d in shape]
                dtype = {"f32": "f4", "f16": "f2", "i8": "i1", "u32": "u4"}[dtypes.get(name, "f32")]
                array = self.random.normal(size=dims) if dtype[0] == "f" else self.random.integers(0, 9, size=dims)
                arrays[name] = array.astype(dtype)
                np.save(self.folder / f"{name}.npy", arrays[name])
                inputs += ["-i", f"{name}={name}.npy"]
            sets = [a for name, size in sizes.items() for a in ("--set", f"{name}={size}")]
            self.expect(OK, "run", "l.rplan", *inputs, *sets, *[a for o in outputs for a in ("-o", f"{o}=l-{o}.npy")])
            results = {o: np.load(self.folder / f"l-{o}.npy") for o in outputs}
            if exact is None or point in exact:
                self.expect(OK, "run", "f.yaml", *inputs, *[a.replace("--set", "-D") for a in sets],
                            *[a for o in outputs for a in ("-o", f"{o}=f-{o}.npy")])
                for o in outputs:
                    self.assertEqual(results[o].tobytes(), np.load(self.folder / f"f-{o}.npy").tobytes(), (point, o))
            yield sizes, arrays, results

    def test_encoder(self):
        """One plan for all batches and lengths of an encoder: against NumPy, and the bits of pipelines of numbers."""
        self.write("live.yaml", ENCODER.format(head="live: {batch: {max: 4, default: 2}, tokens: {max: 40, default: 3}}"))
        self.write("fixed.yaml", ENCODER.format(head="").replace("size: 8}", "size: 8, batch: 1, tokens: 1}"))
        shapes = {"words": (50, 32), "g": (32,), "b": (32,), "q": (32, 32), "k": (32, 32), "v": (32, 32), "o": (32, 32)}
        w = {name: (self.random.normal(size=shape) * 0.3).astype("f4") for name, shape in shapes.items()}
        inputs = []
        for name, array in w.items():
            np.save(self.folder / f"{name}.npy", array)
            inputs += ["-i", f"{name}={name}.npy"]
        self.expect(OK, "compile", "live.yaml", "-o", "p.rplan", "--target", "device")
        self.expect(OK, "check", "p.rplan")

        def norm(x):
            x = x - x.mean(axis=-1, keepdims=True)
            return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-5) * w["g"] + w["b"]

        def heads(x):
            return x.reshape(*x.shape[:2], 4, 8).transpose(0, 2, 1, 3)
        for batch, tokens in ((4, 40), (3, 17), (1, 1), (2, 0), (0, 5), (2, 33)):
            ids = self.random.integers(0, 50, size=(batch, tokens)).astype("u4")
            np.save(self.folder / "ids.npy", ids)
            self.expect(OK, "run", "p.rplan", *inputs, "-i", "ids=ids.npy", "--set", f"batch={batch}", "--set",
                        f"tokens={tokens}", "-o", "y=y.npy")
            y = np.load(self.folder / "y.npy")
            self.assertEqual(y.shape, (batch, 32))
            if tokens == 0:
                self.assertTrue(np.isnan(y).all())  # the mean of nothing
                continue
            x = norm(w["words"].astype("f8")[ids])
            scores = heads(x @ w["q"].T + w["b"]) @ heads(x @ w["k"].T).transpose(0, 1, 3, 2) * 0.353553391
            shares = np.exp(scores - scores.max(axis=-1, keepdims=True)) if scores.size else scores
            shares = shares / shares.sum(axis=-1, keepdims=True)
            joined = (shares @ heads(x @ w["v"].T)).transpose(0, 2, 1, 3).reshape(batch, tokens, 32)
            x = norm(x + joined @ w["o"].T)
            np.testing.assert_allclose(y, x.mean(axis=1), rtol=2e-4, atol=2e-5)
            if (batch, tokens) == (3, 17):
                self.expect(OK, "run", "fixed.yaml", *inputs, "-i", "ids=ids.npy", "-D", f"batch={batch}", "-D",
                            f"tokens={tokens}", "-o", "y=f.npy")
                self.assertEqual(y.tobytes(), np.load(self.folder / "f.npy").tobytes())

    def test_products(self):
        """Rows, columns and depths of products; what is around them; nothing on either side."""
        shapes = {"x": ("in", ["m", "k"]), "w": ("in", ["n", "k"]), "b": ("in", ["n"]), "y": ("out", ["m", "n"])}
        lines = ["{map: x * 2, out: d}", "{op: matmul, a: d, b: w, transpose_b: 1, out: p}", '{map: "p + b", out: y}']
        points = ((70, 50, 90), (33, 7, 41), (5, 1, 3), (3, 0, 9), (0, 4, 4), (2, 3, 0))
        for _, a, r in self.products(lines, {"m": 70, "k": 50, "n": 90}, shapes, points, exact=points[:1]):
            np.testing.assert_allclose(r["y"], a["x"] * 2.0 @ a["w"].T.astype("f8") + a["b"], rtol=1e-4, atol=1e-4)
        shapes = {"x": ("in", ["m", 64]), "w": ("weight", [24, 64]), "y": ("out", ["m", 24])}
        for _, a, r in self.products(["{op: matvec, x: x, weight: w, out: y}"], {"m": 6}, shapes,
                                     ((6,), (1,), (0,)), {"w": "f16"}, exact=()):
            np.testing.assert_allclose(r["y"], a["x"].astype("f8") @ a["w"].T.astype("f8"), rtol=1e-4, atol=1e-5)

    def test_composites(self):
        """What becomes several ops follows sizes through all of them: search, scans, means, transforms, sorting."""
        shapes = {"x": ("in", ["n", 6]), "q": ("in", ["m", 6]), "at": ("out", ["m", 3]), "sums": ("out", ["n", 6]),
                  "mean": ("out", [6]), "lines": ("in", ["m", 12]), "spectra": ("out", ["m", 7, 2]),
                  "ordered": ("out", ["n * 6"])}
        dtypes = {"at": "u32"}
        lines = ["{op: knn, queries: q, base: x, k: 3, indices: at}", "{op: cumsum, x: x, axis: 0, out: sums}",
                 '{op: reduce_mean, x: x, axes: "0", out: mean}', "{op: rfft, x: lines, out: spectra}",
                 "{op: sort, x: {buffer: x, shape: [n * 6]}, values: ordered}"]
        for sizes, a, r in self.products(lines, {"n": 70, "m": 5}, shapes, ((70, 5), (41, 2), (2, 1), (9, 0)), dtypes,
                                         exact=((70, 5),)):
            x, q = a["x"].astype("f8"), a["q"].astype("f8")
            near = np.argsort(((q[:, None] - x[None]) ** 2).sum(axis=2), axis=1)[:, :3].astype("u4")
            want = np.full((sizes["m"], 3), 0xffffffff, "u4")
            want[:, :near.shape[1]] = near
            np.testing.assert_array_equal(r["at"], want)
            np.testing.assert_allclose(r["sums"], x.cumsum(axis=0), rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(r["mean"], x.mean(axis=0), rtol=1e-5, atol=1e-6)
            spectra = np.fft.rfft(a["lines"].astype("f8"))
            np.testing.assert_allclose(r["spectra"], np.stack([spectra.real, spectra.imag], axis=2), atol=1e-5)
            np.testing.assert_array_equal(r["ordered"], np.sort(a["x"].reshape(-1)))

    def test_axes(self):
        """Along any axis, in front of which and behind which lengths vary, its own too: what would be an attribute is
        asked of shapes."""
        shapes = {"x": ("in", ["a", "b", "c"]), "at": ("in", ["a", 3, "c"]), "u": ("in", ["a", 3, "c"]),
                  "places": ("in", ["n", 2]), "v": ("in", ["n", "c"]), "d": ("in", [4, "c"]), "w": ("in", [2, 3, 2, 2]),
                  "image": ("in", ["a", 2, "b", "c"]),
                  "turned": ("out", ["a", "b", "c"]), "tiled": ("out", ["2 * a", "b", "3 * c"]), "last": ("out", ["a", 1, "c"]),
                  "mean": ("out", ["b"]), "most": ("out", ["a", "c"]), "ordered": ("out", ["a", "b", "c"]),
                  "sums": ("out", ["a", "b", "c"]), "put": ("out", ["a", "b", "c"]), "product": ("out", ["b", "a", 4]),
                  "larger": ("out", ["a", 3, "2 * b", "2 * c"]), "sized": ("out", ["a", "2 * b", "3 * c"]),
                  "fitted": ("out", ["a", 4, "c"]), "pooled": ("out", ["a", 2, "b / 2", "c / 2"]),
                  "moved": ("out", ["3 * a", "c"]), "squares": ("in", ["a", "c", "b", "c"]), "traces": ("out", ["b", "a"])}
        lines = ["{op: flip, x: x, axes: [1, 2], out: f}", "{op: roll, x: f, shifts: [2, -3], axes: [1, 2], out: turned}",
                 "{op: tile, x: x, repeats: [2, 1, 3], out: tiled}",
                 "{op: slice_axes, x: x, starts: [-1], ends: [2147483647], axes: [1], out: last}",
                 "{op: reduce_mean, x: x, axes: [0, 2], out: mean}", "{op: reduce_argmax, x: x, axis: 1, out: most}",
                 "{op: sort, x: x, axis: 1, values: ordered}",
                 "{op: scatter_elements, data: x, indices: at, updates: u, axis: 1, reduction: add, out: sums}",
                 "{op: scatter_nd, data: x, indices: places, updates: v, reduction: max, out: put}",
                 '{op: einsum, a: x, b: d, equation: "abc,dc->bad", out: product}',
                 "{op: conv_transpose2d, x: image, weight: w, strides: 2, out: larger}",
                 "{op: resize, x: x, scales: [2, 3], coordinates: asymmetric, rounding: floor, out: sized}",
                 '{op: einsum, a: squares, equation: "acbc->ba", out: traces}',
                 "{op: kmeans_step, x: v, centroids: {buffer: u, shape: [3 * a, c]}, out: moved}",
                 "{op: resize, x: x, sizes: [4], axes: [1], mode: linear, out: fitted}",
                 "{op: max_pool2d, x: image, kernel: 2, strides: 2, out: pooled}"]
        dtypes = {"at": "u32", "places": "u32", "most": "u32"}
        live = {"a": 5, "b": 9, "c": 7, "n": 6}
        points = ((5, 9, 7, 6), (1, 1, 1, 1), (2, 8, 1, 3), (0, 3, 2, 2), (2, 0, 3, 1), (3, 4, 0, 0))
        for sizes, i, r in self.products(lines, live, shapes, points, dtypes, exact=()):
            a, b, c, _ = sizes.values()
            x = i["x"]
            np.testing.assert_array_equal(r["turned"], np.roll(x[:, ::-1, ::-1], (2, -3), (1, 2)) if x.size else x)
            np.testing.assert_array_equal(r["tiled"], np.tile(x, (2, 1, 3)))
            np.testing.assert_array_equal(r["last"], x[:, -1:] if b else np.zeros((a, 1, c)))
            if a * c:
                np.testing.assert_allclose(r["mean"], x.astype("f8").mean(axis=(0, 2)), rtol=1e-5, atol=1e-6)
            np.testing.assert_array_equal(r["most"], x.argmax(axis=1) if b else np.zeros((a, c)))
            np.testing.assert_array_equal(r["ordered"], np.sort(x, axis=1))
            sums, put = x.astype("f8"), x.copy()
            for f, j, k in np.ndindex(i["at"].shape):
                if i["at"][f, j, k] < b:
                    sums[f, i["at"][f, j, k], k] += i["u"][f, j, k]
            for (f, j), v in zip(i["places"], i["v"]):
                if f < a and j < b:
                    put[f, j] = np.maximum(put[f, j], v)
            np.testing.assert_allclose(r["sums"], sums, rtol=1e-6, atol=1e-6)
            np.testing.assert_array_equal(r["put"], put)
            np.testing.assert_allclose(r["product"], np.einsum("abc,dc->bad", x.astype("f8"), i["d"]), rtol=1e-5, atol=1e-5)
            want = np.zeros((a, 3, b, 2, c, 2)) + np.einsum("nihw,iojk->nohjwk", i["image"].astype("f8"), i["w"])
            np.testing.assert_allclose(r["larger"], want.reshape(r["larger"].shape), rtol=1e-5, atol=1e-5)
            np.testing.assert_array_equal(r["sized"], x.repeat(2, axis=1).repeat(3, axis=2))
            place = (np.arange(4)[:, None] + 0.5) * b / 4 - 0.5
            at, part = np.floor(place).astype(int), place - np.floor(place)
            ends = [x.astype("f8")[:, np.clip(at + i, 0, b - 1)[:, 0]] if b else np.zeros((a, 4, c)) for i in (0, 1)]
            np.testing.assert_allclose(r["fitted"], ends[0] * (1 - part) + ends[1] * part, rtol=1e-5, atol=1e-6)
            windows = i["image"][:, :, :b // 2 * 2, :c // 2 * 2].reshape(a, 2, b // 2, 2, c // 2, 2)
            np.testing.assert_allclose(r["traces"], np.einsum("acbc->ba", i["squares"].astype("f8")), rtol=1e-5, atol=1e-5)
            moved = i["u"].reshape(3 * a, c).astype("f8")
            if moved.size:
                nearest = ((i["v"].astype("f8")[:, None] - moved) ** 2).sum(axis=2).argmin(axis=1)
                for cluster in set(nearest):
                    moved[cluster] = i["v"][nearest == cluster].mean(axis=0)
            np.testing.assert_allclose(r["moved"], moved, rtol=1e-5, atol=1e-6)
            np.testing.assert_array_equal(r["pooled"], windows.max(axis=(3, 5), initial=-9))

    def test_how_many(self):
        """How many are searched for follows a live value, as the shape of what is written does; distinct ones and depths."""
        shapes = {"x": ("in", ["m", "n"]), "ids": ("in", ["m"]), "q": ("in", ["n"]), "base": ("weight", [4100, 3]),
                  "y": ("in", ["m", 3]), "values": ("out", ["m", "k"]), "at": ("out", ["m", "k"]), "near": ("out", ["m", "k"]),
                  "distinct": ("out", ["n"]), "counts": ("out", ["n"]), "count": ("out", [1]), "hot": ("out", ["m", "n"]),
                  "seed": ("in", [1]), "drawn": ("out", ["m"])}
        lines = ["{op: sample, logits: x, seed: seed, temperature: 0, out: drawn}", "{op: top_k, x: x, values: values, indices: at}", "{op: knn, queries: y, base: base, indices: near}",
                 "{op: unique, x: q, values: distinct, counts: counts, count: count}", "{op: one_hot, ids: ids, out: hot}"]
        dtypes = {name: "u32" for name in ("seed", "drawn", "ids", "q", "at", "near", "distinct", "counts", "count")}
        points = ((5, 300, 20), (1, 1, 1), (2, 37, 7), (3, 5, 0), (0, 2, 3), (3, 4, 6))
        for sizes, i, r in self.products(lines, {"m": 5, "n": 300, "k": 20}, shapes, points, dtypes, exact=()):
            m, n, k = sizes.values()
            values, at = np.full((m, k), -np.inf), np.full((m, k), 0xffffffff)
            order = np.argsort(-i["x"], axis=1, kind="stable")[:, :k]
            values[:, :n], at[:, :n] = np.take_along_axis(i["x"], order, axis=1), order
            np.testing.assert_array_equal(r["values"], values)
            np.testing.assert_array_equal(r["at"], at)
            np.testing.assert_array_equal(r["drawn"], i["x"].argmax(axis=1) if n else [])
            apart = ((i["y"].astype("f8")[:, None] - i["base"].astype("f8")) ** 2).sum(axis=2)
            np.testing.assert_array_equal(r["near"], np.argsort(apart, axis=1)[:, :k])
            distinct, counts = np.unique(i["q"], return_counts=True)
            for got, want in ((r["distinct"], distinct), (r["counts"], counts)):
                np.testing.assert_array_equal(got, np.concatenate([want, np.zeros(n - len(want))]))
            self.assertEqual(r["count"], [len(distinct)])
            np.testing.assert_array_equal(r["hot"], i["ids"][:, None] == np.arange(n))

    def test_nothing(self):
        """What is made of an input of which there is nothing: a sum of 0, the least of inf, elements of 0."""
        lines = ["{op: row_sum, x: t, out: sum}", "{op: row_min, x: t, out: least}",
                 "{op: gather_rows, table: x, ids: ids, out: rows}", "{op: slice, x: x, row: 0, rows: 1, out: first}",
                 "{op: reduce_max, x: x, axes: \"0\", out: most}", "{op: transpose, x: x, out: t}"]
        shapes = {"x": ("in", ["n", 8]), "ids": ("in", [3]), "sum": ("out", [8]), "least": ("out", [8]),
                  "rows": ("out", [3, 8]), "first": ("out", [1, 8]), "most": ("out", [8])}
        for sizes, a, r in self.products(lines[-1:] + lines[:-1], {"n": 20}, shapes, ((20,), (0,)), {"ids": "u32"},
                                         exact=((20,),)):
            if sizes["n"] == 0:
                for name, want in (("sum", 0), ("least", np.inf), ("rows", 0), ("first", 0), ("most", -np.inf)):
                    np.testing.assert_array_equal(r[name], np.full(r[name].shape, want, "f4"), name)

    def test_refused(self):
        """What cannot follow sizes says so where it stands."""
        head = ("reprise: 1\nlive: {n: {max: 6}}\nbuffers:\n  x: {kind: in, dtype: f32, shape: [n, 32]}\n"
                "  w: {kind: weight, dtype: f32, shape: [16, 32]}\n  y: {kind: out, dtype: f32, shape: [n, 32]}\nnodes:\n")
        for line, words in (
                ("- {op: fft, x: {buffer: x, shape: [8, n, 2, 2]}, axis: 0, out: z}",
                 "attribute stride of fft_pass would be another: it cannot follow sizes"),
                ("- {op: top_k, x: x, k: n, indices: z}",
                 "attribute 'k': 'n' is a live value: leave it out, and let the shape of an output say how many there are"),
                ("- {op: top_k, x: x, indices: z}", "neither attribute k nor the shape of indices says how many"),
                ("- {op: knn, queries: x, base: w, indices: z}",
                 "neither it nor the shape of an output says how many are wanted"),
                ("- {op: linear, x: w, weight: w, bias: {buffer: x, shape: [n, 32]}, out: z}", "linear: bias has")):
            self.write("refused.yaml", head + "  " + line)
            self.expect(INPUT, "compile", "refused.yaml", "-o", "p.rplan", error=words)
            self.assertRegex(self.err, r"refused.yaml:8:\d+: error: ")
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
