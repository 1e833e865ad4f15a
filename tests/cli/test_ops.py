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
