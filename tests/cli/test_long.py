"""Operands so long that an invocation of Mesa's software drivers would make more turns of loops than
they let it make, compiled for such a driver: right, or refused, and never cut off in silence."""
import unittest

import numpy as np

import cli
from cli import ENVIRONMENT, OK

TURNS = 65535  # after which their loops end


class Long(cli.Case):
    def plan(self, buffers, *nodes, error=None, status=OK):
        """Compiles ops over buffers NAME: (kind, dtype, shape) for target lavapipe."""
        lines = ["reprise: 1", "name: long", "buffers:"]
        lines += [f"  {n}: {{kind: {k}, dtype: {d}, shape: {list(s)}}}" for n, (k, d, s) in buffers.items()]
        lines += ["nodes:"] + [f"  - {node}" for node in nodes]
        self.write("p.yaml", "\n".join(lines) + "\n")
        self.expect(status, "compile", "p.yaml", "--target", "lavapipe", "-o", "p.rplan", error=error)

    def results(self, inputs, *names):
        for name, array in inputs.items():
            np.save(self.folder / f"{name}.npy", array)
        words = [w for n in inputs for w in ("-i", f"{n}={n}.npy")]
        words += [w for n in names for w in ("-o", f"{n}={n}.npy")]
        self.expect(OK, "run", "p.rplan", *words)
        found = [np.load(self.folder / f"{n}.npy") for n in names]
        return found if len(found) > 1 else found[0]

    def rows(self, op, x, shape, dtype="f32"):
        self.plan({"x": ("in", "f32", x.shape), "y": ("out", dtype, shape)}, f"{{op: {op}, x: x, out: y}}")
        return self.results({"x": x}, "y")

    def test_rows(self):
        """As many as a processor's lanes, which have a thread each as long as that goes; one; and one
        that is longer than a workgroup gets through."""
        for r, c in ((8, TURNS // 3 - 10), (8, TURNS // 2), (9, 2 * TURNS), (1, 50 * TURNS), (2, 140 * TURNS)):
            x = np.zeros((r, c), "f4")
            x[:, -1] = np.log(2)
            np.testing.assert_array_equal(self.rows("argmax", x, [r], "u32"), c - 1)
            y = self.rows("softmax", x, x.shape)
            np.testing.assert_allclose(y[:, :-1], 1 / (c + 1), rtol=1e-5)
            np.testing.assert_allclose(y[:, -1], 2 / (c + 1), rtol=1e-5)
            x[:] = 0.5
            np.testing.assert_allclose(self.rows("row_sum", x, [r]), 0.5 * c, rtol=1e-6)
            np.testing.assert_allclose(self.rows("rms_norm", x, x.shape), 1, rtol=1e-3)

    def best(self, op, x, k):
        r = x.shape[0]
        self.plan({"x": ("in", "f32", x.shape), "v": ("out", "f32", [r, k]), "i": ("out", "u32", [r, k])},
                  f"{{op: {op}, x: x, k: {k}, values: v, indices: i}}")
        v, i = self.results({"x": x}, "v", "i")
        np.testing.assert_array_equal(i, np.argsort(-x, axis=1, kind="stable")[:, :k])
        np.testing.assert_array_equal(v, -np.sort(-x, axis=1)[:, :k])

    def test_selecting(self):
        """What comes later is better: then a selection has most to do."""
        for r, n, k in ((16, TURNS - 100, 3), (16, TURNS + 100, 3), (1, 3 * TURNS, 40)):
            self.best("top_k_large" if r == 1 else "top_k", np.sort(np.random.default_rng(n).random((r, n), "f4")), k)

    def test_many_wanted(self):
        """So many that lists are merged in groups first, and groups of groups; equal ones in the order of places."""
        x = np.random.default_rng(5).integers(0, 5000, (2, 60000)).astype("f4")
        for k, splits in ((700, 48), (300, 37), (1024, 100)):
            self.plan({"x": ("in", "f32", x.shape), "i": ("out", "u32", [2, k])},
                      f"{{op: top_k_large, x: x, k: {k}, splits: {splits}, indices: i}}")
            wanted = np.argsort(-x, axis=1, kind="stable")[:, :k]
            np.testing.assert_array_equal(self.results({"x": x}, "i"), wanted)

    def test_nearest(self):
        n, d, k = 3 * TURNS, 8, 5
        rng = np.random.default_rng(7)
        base, query = rng.random((n, d), "f4"), rng.random((1, d), "f4")
        distance = ((base - query) ** 2).sum(1)
        base = base[np.argsort(-distance)]
        self.plan({"q": ("in", "f32", query.shape), "b": ("in", "f32", base.shape), "i": ("out", "u32", [1, k])},
                  f"{{op: knn, queries: q, base: b, k: {k}, indices: i}}")
        np.testing.assert_array_equal(np.sort(self.results({"q": query, "b": base}, "i"))[0], np.arange(n - k, n))

    def test_products(self):
        for k in (4 * TURNS - 1000, 4 * TURNS + 4):
            a, b = np.ones((3, k), "f4"), np.ones((4, k), "f4")
            a[:, -1] = 0.5
            self.plan({"a": ("in", "f32", a.shape), "b": ("in", "f32", b.shape), "y": ("out", "f32", [3, 4])},
                      "{op: matmul, a: a, b: b, transpose_b: 1, out: y}")
            np.testing.assert_array_equal(self.results({"a": a, "b": b}, "y"), k - 0.5)

    def test_refused(self):
        """Where nothing helps, and a warning where it depends on the data."""
        d = TURNS + 10
        self.plan({"q": ("in", "f32", [2, d]), "b": ("in", "f32", [3, d]), "y": ("out", "f32", [2, 3])},
                  "{op: chebyshev, queries: q, base: b, out: y}", status=ENVIRONMENT,
                  error=["p.yaml:8:5: error: n0 (chebyshev) makes about", "turns of loops"])
        self.plan({"x": ("in", "f32", [1, 4 * TURNS]), "i": ("out", "u32", [1, 3])},
                  "{op: top_k, x: x, k: 3, indices: i}",
                  error=["p.yaml:7:5: warning: n0 (top_k) may make about", "target lavapipe"])

    def test_fused(self):
        """What is fused into long rows has loops of its own: then it stays apart, and results are those
        of plain order."""
        n, d = 4000, 512
        rng = np.random.default_rng(3)
        arrays = {"q": rng.random((8, d), "f4"), "b": rng.random((n, d), "f4")}
        self.plan({"q": ("in", "f32", [8, d]), "b": ("in", "f32", [n, d]), "y": ("out", "f32", [8, n])},
                  "{op: manhattan, queries: q, base: b, out: t}", "{op: softmax, x: t, out: y}")
        self.expect(OK, "compile", "p.yaml", "--target", "lavapipe", "-o", "p.rplan", "--dump-after", "fuse",
                    error="decided by loop_turns 65535 of target lavapipe")
        t = np.abs(arrays["q"][:, None].astype("f8") - arrays["b"][None]).sum(2)
        wanted = np.exp(t - t.max(1, keepdims=True))
        wanted /= wanted.sum(1, keepdims=True)
        np.testing.assert_allclose(self.results(arrays, "y"), wanted, rtol=1e-3)


if __name__ == "__main__":
    cli.main()
