"""Pipelines in ops: run, compiled, shown as GLSL, and wrong."""
import pathlib
import re
import unittest

import numpy as np

import cli
from cli import INPUT, OK, USAGE


class Ops(cli.Case):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(11)
        self.x = random.normal(size=(3, 200)).astype("f4")
        self.g = random.normal(size=200).astype("f4")
        np.save(self.folder / "x.npy", self.x)
        np.save(self.folder / "g.npy", self.g)
        self.inputs = ["-i", "x=x.npy", "-i", "g=g.npy"]

    def check(self):
        x = self.x.astype("f8")
        n = x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-6) * self.g
        want = n / (1 + np.exp(-n)) * x
        np.testing.assert_allclose(np.load(self.folder / "y.npy"), want, rtol=2e-5, atol=2e-6)

    def test_run(self):
        self.expect(OK, "run", "ops.yaml", *self.inputs, "-o", "y=y.npy", "--check-against", "-O0",
                    output="bit-equal to -O0")
        self.check()

    def test_places(self):
        self.write("places.yaml", """reprise: 1
params: {size: 61}
buffers:
  x: {kind: in, dtype: f32, shape: [5, 7, 3]}
  y: {kind: out, dtype: f32, shape: [5, 7, 3]}
  w: {kind: out, dtype: f32, shape: ["size"]}
  s: {kind: out, dtype: f32, shape: [5]}
nodes:
  - {map: "i2 > i0 ? x : 100 * i0 + 10 * i1 + i2 - index", out: y}
  - {map: "0.5 - 0.5 * cos(2 * pi * index / size)", out: {name: hann, shape: [size], dtype: f32}}
  - {map: "hann * hann", out: w}
  - {map: "i0 % 3 == 1 ? y : -y", bind: {y: {buffer: y, shape: [5, 21]}}, out: {name: t, shape: [5, 21]}}
  - {op: row_sum, x: t, out: s}
""")
        x = np.random.default_rng(3).normal(size=(5, 7, 3)).astype("f4")
        np.save(self.folder / "x3.npy", x)
        self.expect(OK, "run", "places.yaml", "-i", "x=x3.npy", "-o", "y=y.npy", "-o", "w=w.npy", "-o", "s=s.npy",
                    "--check-against", "-O0", output="bit-equal to -O0")
        i0, i1, i2 = np.indices(x.shape)
        want = np.where(i2 > i0, x, 100 * i0 + 10 * i1 + i2 - np.arange(x.size).reshape(x.shape))
        np.testing.assert_array_equal(np.load(self.folder / "y.npy"), want.astype("f4"))
        np.testing.assert_allclose(np.load(self.folder / "w.npy"), np.hanning(62)[:-1] ** 2, atol=1e-6)
        sums = (want * np.where(i0 % 3 == 1, 1, -1)).sum(axis=(1, 2))
        np.testing.assert_allclose(np.load(self.folder / "s.npy"), sums, rtol=1e-5, atol=1e-3)

    def test_places_that_are_not_there(self):
        head = "reprise: 1\nbuffers:\n  x: {kind: in, dtype: f32, shape: [4, 5]}\n  y: {kind: out, dtype: f32, shape: [4, 5]}\nnodes:\n"
        for node, error in (('{map: "x + i2", out: y}', "i2"), ('{map: "x + i8", out: y}', "'i8'"),
                            ('{map: "i0 + i1", out: new}', "out must be given"),
                            ('{map: "1.5", out: y}', "fill")):
            self.write("bad.yaml", head + "  - " + node + "\n")
            self.expect(INPUT, "compile", "bad.yaml", "-o", "bad.rplan", error=["bad.yaml:6:", error])
        self.write("named.yaml", head.replace("x:", "i0:") + "  - {map: i0 * 2, out: y}\n") # the buffer's name
        np.save(self.folder / "i0.npy", np.arange(20, dtype="f4").reshape(4, 5))
        self.expect(OK, "run", "named.yaml", "-i", "i0=i0.npy", "-o", "y=y.npy")
        np.testing.assert_array_equal(np.load(self.folder / "y.npy").reshape(-1), np.arange(20) * 2)

    def test_plan(self):
        self.expect(OK, "compile", "ops.yaml", "-o", "p.rplan")
        self.expect(OK, "check", "p.rplan")
        self.expect(OK, "run", "p.rplan", *self.inputs, "-o", "y=y.npy")
        self.check()
        out = self.expect(OK, "show", "p.rplan")
        self.assertIn("rms_norm", out)
        self.assertIn("for {", out)
        self.assertIn("op map", self.expect(OK, "show", "--source", "p.rplan"))

    def test_check_derives_kernels(self):
        self.expect(OK, "show", "ops.yaml", "-o", "ops.rpir")
        for lower in ("lower", "lower=fast"):
            passes = f"dce,rename,fuse,{lower},schedule,place,sync"
            compiled = self.expect(OK, "opt", "ops.rpir", "--passes", passes)
            self.write("compiled.rpir", compiled)
            self.expect(OK, "check", "compiled.rpir", "--against", "ops.rpir")
            for pattern, error in ((r"grid (\d+)", "its grid is"), (r"0=(\w+)", "specialisation constant 0"),
                                   (r"spirv (\w+)", "its SPIR-V is not"), (r"local (\d+)", "its workgroup is")):
                wrong = re.sub(pattern, lambda m: m[0][:-1] + ("1" if m[0][-1] == "2" else "2"), compiled, count=1)
                self.assertNotEqual(wrong, compiled)
                self.write("wrong.rpir", wrong)
                self.expect(INPUT, "check", "wrong.rpir", "--against", "ops.rpir", error=error)

    def test_opt_takes_and_gives_op_nodes(self):
        self.expect(OK, "show", "ops.yaml", "-o", "ops.rpir")
        fused = self.expect(OK, "opt", "ops.rpir", "--passes", "dce,rename,fuse")
        self.assertIn("fused {", fused)
        self.expect(OK, "opt", "-", "--passes", "lower", input=fused.encode(), output="for {")

    def test_glsl(self):
        out = self.expect(OK, "show", "--glsl", "ops.yaml")
        self.assertIn("// ---- n0 rms_norm", out)
        self.assertIn("// ---- n1 map", out)
        self.assertIn("void main()", out)
        self.expect(OK, "compile", "ops.yaml", "-o", "p.rplan")
        out = self.expect(OK, "show", "--glsl", "p.rplan", "-o", "all.glsl")
        self.assertEqual(self.read("all.glsl").count(b"// ---- n"), 1)
        self.expect(OK, "show", "--glsl", "graph.rpir", output="")
        self.assertIn("no node is computed by a generated kernel", self.err)
        self.expect(USAGE, "show", "--glsl", "--stats", "ops.yaml", error="not both")

    def test_dumps_hold_the_glsl(self):
        self.expect(OK, "compile", "ops.yaml", "-O1", "--dump-after", "fuse", "--dump-dir", "d")
        files = sorted(path.name for path in (self.folder / "d").iterdir())
        self.assertEqual(len(files), 2, files)
        self.assertTrue(files[0].endswith(".glsl") or files[1].endswith(".glsl"), files)
        glsl = next(path for path in (self.folder / "d").glob("*.glsl"))
        self.assertIn("void main()", glsl.read_text())

    def test_decisions_are_told(self):
        self.write("apart.rpir", """reprise 1
graph g {
  buf $x in f32[64]
  buf $y out f32[64]
  buf $z out f32[64]
  buf $v out f32[8]
  buf %a tmp f32[64]
  buf %b tmp f32[64]
  buf %c tmp f32[64]
  kern @k spirv - local 1 1 1 (r, w)
  n0 = op neg (r $x:f32[64], w %a:f32[64])
  n1 = run @k grid 1 1 1 (r %a, w $y)
  n2 = op neg (r $x:f32[64], w %b:f32[64])
  n3 = op exp (r %b:f32[64], w $z:f32[64])
  n4 = op neg (r $z:f32[64], w %c:f32[64])
  n5 = op neg (r %c[0+32]:f32[8], w $v:f32[8])
}
""")
        self.expect(OK, "opt", "apart.rpir", "--passes", "fuse", "--dump-after", "fuse",
                    "--dump-dir", "d")
        for line in ["kept apart: n0 -> n1 (%a): n1 is no op",
                     "kept apart: n3 -> n4 ($z): it is a result and must be in memory",
                     "kept apart: n4 -> n5 (%c): only a part of it is read",
                     "fused n3 (map): n2 n3"]:
            self.assertIn(line, self.err)
        self.assertIn("3 candidates were kept apart", self.err)
        self.assertEqual(self.err.count("kept apart: "), 3)
        self.expect(OK, "opt", "apart.rpir", "--passes", "fuse")
        self.assertNotIn("kept apart: ", self.err)

    def test_mistakes(self):
        text = (self.folder / "ops.yaml").read_text()
        self.write("bad.yaml", text.replace("weight: g", "weight: x"))
        self.expect(INPUT, "compile", "bad.yaml", "-o", "p.rplan",
                    error=["bad.yaml:9:10: error:", "weight is f32[3,200]"])
        self.write("bad.yaml", text.replace("rms_norm", "rmsnorm"))
        self.expect(INPUT, "run", "bad.yaml", error="did you mean 'rms_norm'?")
        self.write("bad.yaml", text.replace("silu(n)", "silu(n"))
        self.expect(INPUT, "run", "bad.yaml", error="bad.yaml:10:")
        self.assertNotIn("p.rplan", self.files())


class Views(cli.Case):
    """Operands that begin at any element, of any dtype; what stands around an output stays."""

    def run_both(self, nodes, buffers, inputs, name, like):
        body = "".join(f"  {k}: {{kind: {v}}}\n" for k, v in buffers.items())
        body = body.replace("{kind: ", "{").replace("}}", "}")
        self.write("v.yaml", f"reprise: 1\nname: v\nbuffers:\n{body}nodes:\n{nodes}")
        given = []
        for key, value in inputs.items():
            np.save(self.folder / f"{key}.npy", value)
            given += ["-i", f"{key}={key}.npy"]
        self.expect(OK, "run", "v.yaml", *given, "-o", f"{name}=out.npy", "--check-against", "-O0",
                    output="bit-equal to -O0")
        return np.load(self.folder / "out.npy").reshape(like.shape)

    def test_differences(self):
        x = np.random.default_rng(3).normal(size=64).astype("f4")
        got = self.run_both(
            "  - {map: 'b - a', bind: {a: {buffer: x, elements: [0, 63]},"
            " b: {buffer: x, elements: [1, 63]}}, out: y}\n",
            {"x": "kind: in, dtype: f32, shape: [64]", "y": "kind: out, dtype: f32, shape: [63]"},
            {"x": x}, "y", x[1:])
        np.testing.assert_array_equal(got, x[1:] - x[:-1])
        self.expect(OK, "compile", "v.yaml", "-o", "v.rplan")
        self.expect(OK, "check", "v.rplan")
        self.assertIn("(r skip 4, r, w)", self.expect(OK, "show", "v.rplan"))
        glsl = self.expect(OK, "show", "--glsl", "v.rplan")
        self.assertIn("b0[b0_first + i]", glsl)
        self.assertIn("b1[i]", glsl)

    def test_every_dtype(self):
        random = np.random.default_rng(4)
        for dtype in ("f32", "f16", "i8", "u8", "i32", "u32"):
            kind = {"f": "f", "i": "i", "u": "u"}[dtype[0]] + str(int(dtype[1:]) // 8)
            x = random.integers(0, 60, 301).astype(kind)
            y = np.zeros(300, kind)
            # A transient that begins anywhere, written, read and written over, and an inout.
            got = self.run_both(
                f"  - {{op: cast, x: {{buffer: x, elements: [37, 90]}},"
                f" out: {{buffer: t, elements: [5, 90]}}}}\n"
                f"  - {{map: 'a + b', bind: {{a: {{buffer: t, elements: [5, 90]}},"
                f" b: {{buffer: x, elements: [1, 90]}}}}, out: {{buffer: y, elements: [3, 90]}}}}\n"
                f"  - {{op: cast, x: {{buffer: t, elements: [6, 89]}},"
                f" out: {{buffer: y, elements: [101, 89]}}}}\n",
                {"x": f"kind: in, dtype: {dtype}, shape: [301]",
                 "t": f"kind: tmp, dtype: {dtype}, shape: [95]",
                 "y": f"kind: inout, dtype: {dtype}, shape: [300]"},
                {"x": x, "y": y}, "y", y)
            want = y.copy()
            want[3:93] = x[37:127].astype("f8") + x[1:91]
            want[101:190] = x[38:127]
            np.testing.assert_array_equal(got, want, dtype)

    def test_wide_loads(self):
        """Products and attention load 16 bytes at once where they may."""
        random = np.random.default_rng(5)
        for begin in (1, 4, 8):
            for dtype, kind in (("f32", "f4"), ("f16", "f2"), ("bf16", "f4")):
                w = random.normal(size=40 * 64 + 64).astype(kind)
                if dtype == "bf16":
                    w = (w.view("u4") & 0xffff0000).view("f4")
                x = random.normal(size=64 + 64).astype("f4")
                y = np.zeros(40, "f4")
                got = self.run_both(
                    f"  - {{op: matvec, x: {{buffer: x, elements: [{begin}, 64], shape: [1, 64]}},"
                    f" weight: {{buffer: w, elements: [{begin}, 2560], shape: [40, 64]}}, out: y}}\n",
                    {"x": "kind: in, dtype: f32, shape: [128]",
                     "w": f"kind: in, dtype: {dtype}, shape: [2624]",
                     "y": "kind: out, dtype: f32, shape: [1, 40]"},
                    {"x": x, "w": w}, "y", y)
                want = (w[begin:begin + 2560].reshape(40, 64).astype("f8")
                        @ x[begin:begin + 64].astype("f8"))
                np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)

    def test_attention_appends(self):
        """The token's row is put into the cache and takes part, wherever it belongs: in the last part, within,
        behind what takes part, behind the cache."""
        heads, groups, size, rows = 4, 2, 32, 70
        self.write("append.yaml", f"""reprise: 1
buffers:
  q: {{kind: in, dtype: f32, shape: [{heads}, {size}]}}
  key: {{kind: in, dtype: f32, shape: [{groups}, {size}]}}
  value: {{kind: in, dtype: f32, shape: [{groups}, {size}]}}
  k: {{kind: inout, dtype: f16, shape: [{rows}, {groups}, {size}]}}
  v: {{kind: inout, dtype: f16, shape: [{rows}, {groups}, {size}]}}
  at: {{kind: in, dtype: u32, shape: [1]}}
  n: {{kind: in, dtype: u32, shape: [1]}}
  out: {{kind: out, dtype: f32, shape: [{heads}, {size}]}}
nodes:
  - {{op: attention, q: q, k: k, v: v, key: key, value: value, position: at, length: n, out: out, splits: 3}}
""")
        random = np.random.default_rng(7)
        q, key, value = (random.normal(size=(n, size)).astype("f4") for n in (heads, groups, groups))
        caches = random.normal(size=(2, rows, groups, size)).astype("f2")
        for at, length in ((64, 65), (3, 70), (50, 20), (rows, 40), (9, 0)):
            given = {"q": q, "key": key, "value": value, "k": caches[0], "v": caches[1],
                     "at": np.array([at], "u4"), "n": np.array([length], "u4")}
            arguments = []
            for name, array in given.items():
                np.save(self.folder / f"{name}.npy", array)
                arguments += ["-i", f"{name}={name}.npy"]
            for name in ("out", "k", "v"):
                arguments += ["-o", f"{name}={name}_after.npy"]
            self.expect(OK, "run", "append.yaml", *arguments, "--check-against", "-O0", output="bit-equal to -O0")
            want = caches.copy()
            if at < rows:
                want[:, at] = key, value
            for name, cache in zip("kv", want):
                np.testing.assert_array_equal(np.load(self.folder / f"{name}_after.npy"), cache)
            k, v = want[:, :length].astype("f8")
            for head, got in enumerate(np.load(self.folder / "out_after.npy")):
                scores = k[:, head // 2] @ q[head] / size ** 0.5
                weights = np.exp(scores - scores.max()) if length else scores
                mean = weights @ v[:, head // 2] / weights.sum() if length else np.zeros(size)
                np.testing.assert_allclose(got, mean, rtol=1e-5, atol=1e-6)

    def test_between_elements(self):
        self.write("v.yaml", """reprise: 1
name: v
buffers:
  x: {kind: in, dtype: f32, shape: [64]}
  y: {kind: out, dtype: f32, shape: [8]}
nodes:
  - {op: neg, x: {buffer: x, offset: 6, size: 32}, out: y}
""")
        self.expect(INPUT, "compile", "v.yaml", "-o", "v.rplan", error=[
            "v.yaml:7:38: error: the view begins at byte 6: an element of f32 begins at a multiple "
            "of 4"])


class Composites(cli.Case):
    """Every composite against NumPy, fused and not."""

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(5)
        normal = lambda *shape: random.normal(size=shape).astype("f4")
        self.a = {"x": normal(20, 12), "w": normal(5, 12), "bias": normal(5),
                  "base": normal(9001, 12), "centroids": normal(3, 12), "q": normal(6, 16),
                  "keys": normal(700, 2, 16), "values": normal(700, 2, 16),
                  "books": normal(4, 16, 3), "excluded": np.zeros(282, "u4")}
        for name, array in self.a.items():
            np.save(self.folder / f"{name}.npy", array)

    def run_all(self):
        """The results, in double precision's company."""
        inputs = [f"-i{name}={name}.npy" for name in self.a]
        names = ["wide", "narrow", "near", "near_dot", "best", "where", "moved", "nearest", "distance",
                 "counts", "attended", "pq"]
        self.expect(OK, "run", "composites.yaml", *inputs, "--check-against", "-O0",
                    *[f"-o{name}={name}.out.npy" for name in names], output="bit-equal to -O0")
        return {name: np.load(self.folder / f"{name}.out.npy") for name in names}

    def close(self, got, want):
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)

    def test_composites(self):
        a = {name: array.astype("f8") for name, array in self.a.items()}
        x, base, centroids = a["x"], a["base"], a["centroids"]
        distances = ((x[:, None] - base[None]) ** 2).sum(-1)
        left_out = np.argsort(distances, axis=1)[:, 0]  # the nearest one of each query
        for i in left_out:
            self.a["excluded"][i // 32] |= np.uint32(1) << np.uint32(i % 32)
        np.save(self.folder / "excluded.npy", self.a["excluded"])
        got = self.run_all()
        self.close(got["wide"], x @ a["w"].T + a["bias"])
        self.close(got["narrow"], x[2:5] @ a["w"].T)
        distances[:, left_out] = np.inf
        np.testing.assert_array_equal(got["near"], np.argsort(distances, axis=1)[:, :7])
        np.testing.assert_array_equal(got["near_dot"], np.argsort(-x @ base.T, axis=1)[:, :7])
        order = np.argsort(base.ravel())[:7]
        np.testing.assert_array_equal(got["where"][0], order)
        self.close(got["best"][0], base.ravel()[order])
        to_centroids = ((x[:, None] - centroids[None]) ** 2).sum(-1)
        nearest = to_centroids.argmin(axis=1)
        np.testing.assert_array_equal(got["nearest"], nearest)
        self.close(got["distance"], to_centroids.min(axis=1))
        moved = [x[nearest == c].mean(axis=0) if (nearest == c).any() else centroids[c]
                 for c in range(3)]
        self.close(got["moved"], moved)
        clamped = np.clip(x.ravel(), -2, 2.5)
        np.testing.assert_array_equal(got["counts"], np.histogram(clamped, 9, (-2, 2.5))[0])
        scores = np.einsum("hd,shd->hs", a["q"], a["keys"][:300].repeat(3, axis=1)) / 4
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        self.close(got["attended"], np.einsum("hs,shd->hd", weights,
                                              a["values"][:300].repeat(3, axis=1)))
        parts, books = base.reshape(-1, 4, 3), a["books"]
        codes = ((parts[:, :, None] - books[None]) ** 2).sum(-1).argmin(-1)
        decoded = books[np.arange(4), codes].reshape(-1, 12)
        pq = ((x[:, None] - decoded[None]) ** 2).sum(-1)
        self.close(got["pq"], np.sort(pq, axis=1)[:, :7])


if __name__ == "__main__":
    cli.main()
