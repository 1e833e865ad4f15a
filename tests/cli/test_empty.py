"""Dimensions of 0: ops over nothing against NumPy, and what is made of nothing, at every level."""
import unittest

import numpy as np

import cli
from cli import INPUT, OK

F32, U32, I32, INF, NAN = np.float32, np.uint32, np.int32, np.inf, np.nan
NONE = 0xFFFFFFFF


def nothing(*shape, dtype=F32):
    return np.zeros(shape, dtype)


def full(value, *shape, dtype=F32):
    return np.full(shape, value, dtype)


COUNT = np.arange(16, dtype=F32).reshape(2, 8)
# An op with its attributes, its inputs in YAML's names, and its outputs: what is expected of them.
CASES = [
    # Reductions along an axis without elements are those of no numbers.
    ("row_sum", {"x": nothing(4, 0)}, {"out": full(0, 4)}),
    ("row_mean", {"x": nothing(4, 0)}, {"out": full(NAN, 4)}),
    ("row_min", {"x": nothing(4, 0)}, {"out": full(INF, 4)}),
    ("row_max", {"x": nothing(4, 0)}, {"out": full(-INF, 4)}),
    ("argmax", {"x": nothing(4, 0)}, {"out": full(0, 4, dtype=U32)}),
    ("variance", {"x": nothing(4, 0)}, {"out": full(NAN, 4)}),
    ("l2_norm", {"x": nothing(4, 0)}, {"out": full(0, 4)}),
    ("logsumexp", {"x": nothing(4, 0)}, {"out": full(-INF, 4)}),
    ("reduce_sum, axes: [1]", {"x": nothing(2, 0, 3)}, {"out": full(0, 2, 3)}),
    ("reduce_sum", {"x": nothing(2, 0, 3)}, {"out": full(0, 1)}),
    ("reduce_sum, axes: [0]", {"x": nothing(0, 5, dtype=I32)}, {"out": full(0, 5, dtype=I32)}),
    ("reduce_prod, axes: [1]", {"x": nothing(2, 0, 3)}, {"out": full(1, 2, 3)}),
    ("reduce_min, axes: [1]", {"x": nothing(2, 0, 3)}, {"out": full(INF, 2, 3)}),
    ("reduce_max, axes: [0, 1]", {"x": nothing(2, 0, 3)}, {"out": full(-INF, 3)}),
    ("reduce_mean, axes: [1]", {"x": nothing(2, 0, 3)}, {"out": full(NAN, 2, 3)}),
    ("reduce_l1, axes: [1]", {"x": nothing(2, 0, 3)}, {"out": full(0, 2, 3)}),
    ("reduce_l2, axes: [1]", {"x": nothing(2, 0, 3)}, {"out": full(0, 2, 3)}),
    ("reduce_log_sum_exp, axes: [1]", {"x": nothing(2, 0, 3)}, {"out": full(-INF, 2, 3)}),
    ("reduce_argmax, axis: 1", {"x": nothing(2, 0, 3)}, {"out": full(0, 2, 3, dtype=U32)}),
    ("reduce_any, axes: [1]", {"x": nothing(2, 0, 3)}, {"out": full(0, 2, 3, dtype=np.uint8)}),
    ("reduce_all, axes: [1]", {"x": nothing(2, 0, 3)}, {"out": full(1, 2, 3, dtype=np.uint8)}),
    # Products without depth, and without rows.
    ("matmul", {"a": nothing(4, 0), "b": nothing(0, 8)}, {"out": full(0, 4, 8)}),
    ("matmul, transpose_b: 1", {"a": nothing(20, 0), "b": nothing(30, 0)}, {"out": full(0, 20, 30)}),
    ("matmul", {"a": nothing(0, 5), "b": nothing(5, 8)}, {"out": nothing(0, 8)}),
    ("matmul", {"a": nothing(3, 0, dtype=np.int8), "b": nothing(0, 4, dtype=np.int8)},
     {"out": full(0, 3, 4, dtype=I32)}),
    ("matvec", {"x": nothing(1, 0), "weight": nothing(6, 0)}, {"out": full(0, 1, 6)}),
    ("matvec", {"x": nothing(0, 3), "weight": nothing(6, 3)}, {"out": nothing(0, 6)}),
    ("linear", {"x": nothing(12, 0), "weight": nothing(6, 0), "bias": full(2, 6)}, {"out": full(2, 12, 6)}),
    ('einsum, equation: "ij,jk->ik"', {"a": nothing(2, 0), "b": nothing(0, 3)}, {"out": full(0, 2, 3)}),
    ('einsum, equation: "ij->j"', {"a": nothing(0, 3)}, {"out": full(0, 3)}),
    # What is put together with nothing, and taken from it.
    ("concat", {"a": nothing(2, 0), "b": COUNT}, {"out": COUNT}),
    ("concat", {"a": COUNT, "b": nothing(2, 0)}, {"out": COUNT}),
    ("gather_rows", {"table": nothing(0, 8), "ids": np.arange(3)}, {"out": full(0, 3, 8)}),
    ("gather_rows", {"table": COUNT, "ids": nothing(0, dtype=np.int64)}, {"out": nothing(0, 8)}),
    ("take, axis: 1", {"x": nothing(2, 0), "ids": np.arange(3)}, {"out": full(0, 2, 3)}),
    ("one_hot, depth: 4", {"ids": nothing(0, dtype=U32)}, {"out": nothing(0, 4)}),
    ("diag, k: 2", {"x": nothing(0)}, {"out": full(0, 2, 2)}),
    ("pad, axes: [1], pads: [2, 1], value: 7", {"x": nothing(3, 0)}, {"out": full(7, 3, 3)}),
    ("flip, axes: [0]", {"x": nothing(0, 3)}, {"out": nothing(0, 3)}),
    ("roll, shifts: [1], axes: [0]", {"x": nothing(0, 3)}, {"out": nothing(0, 3)}),
    ("tile, repeats: [2, 3]", {"x": nothing(0, 3)}, {"out": nothing(0, 9)}),
    ("transpose", {"x": nothing(0, 3)}, {"out": nothing(3, 0)}),
    ("cumsum, axis: 0", {"x": nothing(0, 3)}, {"out": nothing(0, 3)}),
    ("sort", {"x": nothing(3, 0)}, {"values": nothing(3, 0)}),
    ("argsort", {"x": nothing(3, 0)}, {"out": nothing(3, 0, dtype=U32)}),
    ("slice_axes, starts: [0], ends: [5], axes: [0]", {"x": nothing(0, 3)}, {"out": nothing(0, 3)}),
    ("slice_axes, starts: [1], ends: [1], axes: [1]", {"x": COUNT}, {"out": nothing(2, 0)}),
    ("reduce_variance, axes: [1]", {"x": nothing(2, 0, 3)}, {"out": full(NAN, 2, 3)}),
    ("scatter_nd", {"data": COUNT, "indices": nothing(0, 1, dtype=I32), "updates": nothing(0, 8)}, {"out": COUNT}),
    ("unique", {"x": nothing(0)}, {"values": nothing(0), "count": full(0, 1, dtype=U32)}),
    ("instance_norm", {"x": nothing(2, 0, 3, 3)}, {"out": nothing(2, 0, 3, 3)}),
    # Elementwise, rows that are not there.
    ("softmax", {"x": nothing(0, 8)}, {"out": nothing(0, 8)}),
    ("softmax", {"x": nothing(3, 0)}, {"out": nothing(3, 0)}),
    ("layer_norm", {"x": nothing(0, 8)}, {"out": nothing(0, 8)}),
    ("add", {"a": nothing(0, 8), "b": full(1, 1, 8)}, {"out": nothing(0, 8)}),
    ("add", {"a": nothing(0), "b": full(1, 3, 1)}, {"out": nothing(3, 0)}),
    # Distances in no dimensions, and to nobody.
    ("l2_distance", {"queries": nothing(2, 0), "base": nothing(3, 0)}, {"out": full(0, 2, 3)}),
    ("dot_product", {"queries": nothing(2, 0), "base": nothing(3, 0)}, {"out": full(0, 2, 3)}),
    ("l2_distance", {"queries": full(1, 2, 4), "base": nothing(0, 4)}, {"out": nothing(2, 0)}),
    # Counts of nothing.
    ("histogram_of, low: 0, high: 1, bins: 4", {"x": nothing(0)}, {"counts": full(0, 4, dtype=U32)}),
    ("kmeans_accumulate, clusters: 3", {"x": nothing(0, 4), "assignment": nothing(0, dtype=U32)},
     {"sums": full(0, 3, 4), "counts": full(0, 3, dtype=U32)}),
    ("scatter_elements", {"data": COUNT, "indices": nothing(0, 8, dtype=I32), "updates": nothing(0, 8)}, {"out": COUNT}),
    ("conv2d", {"x": nothing(0, 2, 5, 5), "weight": full(1, 3, 2, 3, 3)}, {"out": nothing(0, 3, 3, 3)}),
    ("conv2d, pads: [1, 1]", {"x": nothing(1, 0, 5, 5), "weight": nothing(3, 0, 3, 3)}, {"out": full(0, 1, 3, 5, 5)}),
    ("rfft", {"x": nothing(0, 8)}, {"out": nothing(0, 5, 2)}),
    ("random_normal", {"seed": full(1, 1, dtype=U32)}, {"out": nothing(0, 3)}),
]


def yaml_dtype(a):
    return {"float32": "f32", "uint32": "u32", "int32": "i32", "int64": "i64", "int8": "i8", "uint8": "u8"}[str(a.dtype)]


class Pipeline:
    """Cases side by side in one pipeline: buffers c3.x, and node 3 of case 3."""

    def __init__(self, cases):
        self.buffers, self.nodes, self.inputs, self.outputs = [], [], {}, {}
        for number, (op, inputs, outputs) in enumerate(cases):
            operands = [f"{name}: c{number}.{name}" for name in [*inputs, *outputs]]
            for kind, arrays, kept in (("in", inputs, self.inputs), ("out", outputs, self.outputs)):
                for name, a in arrays.items():
                    shape = ", ".join(map(str, a.shape))
                    self.buffers.append(f"  c{number}.{name}: {{kind: {kind}, dtype: {yaml_dtype(a)}, shape: [{shape}]}}")
                    kept[f"c{number}.{name}"] = (op, a)
            self.nodes.append(f"  - {{op: {op}, {', '.join(operands)}}}")

    def text(self):
        return "\n".join(["reprise: 1", "buffers:", *self.buffers, "nodes:", *self.nodes, ""])


REFUSED = [
    ("op: top_k, x: x, k: 2, indices: v", "k is 2, but rows of x have 0 elements"),
    ("op: matmul, a: x, b: c, out: v", "0 columns cannot meet 3 rows"),
    ("op: slice, x: x, column: 1, out: v", "x has 0 columns; there is none at 1"),
    ("op: add, a: x, b: c, out: v", "does not broadcast"),
    ("op: row_sum, x: {buffer: x, shape: [4]}, out: v", "the shape needs 16 bytes, the range has 0"),
    ("op: row_sum, x: {buffer: c, rows: [2, 2]}, out: v", "rows [2, 2] reach outside 'c', which has 3"),
    ("copy: {from: x, to: {buffer: c4}}", "r $x has no elements, and w %c4 has some"),
    ("update: {to: t, data: [1.0]}", "has no elements to be written"),
]


class Empty(cli.Case):
    def test_against_numpy(self):
        """Each op by itself over nothing, at every level: and the program says that nothing was written."""
        p = Pipeline(CASES)
        self.write("p.yaml", p.text())
        given = []
        for name, (_, a) in p.inputs.items():
            np.save(self.folder / f"{name}.npy", a)
            given += ["-i", f"{name}={name}.npy"]
        for level in "012":
            self.expect(OK, "compile", f"-O{level}", "p.yaml", "-o", "p.plan")
            self.assertNotIn("warning", self.err)
            self.expect(OK, "check", "p.plan")
            taken = [word for name in p.outputs for word in ("-o", f"{name}={name}.out.npy")]
            self.expect(OK, "run", "p.plan", *given, *taken)
            for name, (op, a) in p.outputs.items():
                found = np.load(self.folder / f"{name}.out.npy")
                self.assertEqual((found.shape, found.dtype), (a.shape, a.dtype), op)
                np.testing.assert_array_equal(found, a, f"{op} at -O{level}")

    def test_no_dispatch(self):
        """What makes nothing is no node, whatever it reads."""
        made = [case for case in CASES if all(a.size == 0 for a in case[2].values())]
        self.write("p.yaml", Pipeline(made).text())
        self.expect(OK, "show", "--stats", "p.yaml", output="(0 dispatches, 0 transfers)")

    def test_views_and_transfers(self):
        """A part of a buffer without elements; copies and fills of nothing; and all of it between other ops."""
        self.write("p.yaml", """reprise: 1
params: {n: 0}
buffers:
  x: {kind: in, dtype: f32, shape: [3, 4]}
  e: {kind: in, dtype: f32, shape: [n, 4]}
  t: {kind: tmp, dtype: f32, shape: [n]}
  kept: {kind: inout, dtype: f32, shape: [3, 4]}
  y: {kind: out, dtype: f32, shape: [4]}
  z: {kind: out, dtype: f32, shape: [n, 4]}
  w: {kind: out, dtype: f32, shape: [1]}
nodes:
  - {op: reduce_sum, x: {buffer: x, rows: [3, 0]}, axes: [0], out: s}
  - {map: "s + 1", out: y}
  - copy: {from: e, to: z}
  - fill: {to: t, value: 1}
  - {op: neg, x: {buffer: kept, rows: [1, 0]}, out: {buffer: kept, rows: [2, 0]}}
  - {op: rms_norm, x: e, out: h}
  - {map: "h * 2", out: g}
  - {op: row_sum, x: {buffer: g, shape: [1, n]}, out: w}
""")
        np.save(self.folder / "x.npy", np.ones((3, 4), F32))
        np.save(self.folder / "e.npy", nothing(0, 4))
        for level in "012":
            self.expect(OK, "run", f"-O{level}", "p.yaml", "-i", "x=x.npy", "-i", "e=e.npy", "-i", "kept=x.npy",
                        "-o", "y=y.npy", "-o", "z=z.npy", "-o", "w=w.npy", "-o", "kept=kept.npy")
            np.testing.assert_array_equal(np.load(self.folder / "y.npy"), full(1, 4))
            np.testing.assert_array_equal(np.load(self.folder / "w.npy"), full(0, 1))
            np.testing.assert_array_equal(np.load(self.folder / "kept.npy"), full(1, 3, 4))
            self.assertEqual(np.load(self.folder / "z.npy").shape, (0, 4))
        self.expect(OK, "run", "p.yaml", "-i", "x=x.npy")  # there is nothing to give for e
        self.expect(INPUT, "run", "-D", "n=2", "p.yaml", "-i", "x=x.npy", error="buffer $e f32[2, 4] of kind in has no data")

    def test_text(self):
        """The text form has them, too; what has nothing to do is left out of what is printed."""
        self.write("g.rpir", "reprise 1\ngraph g {\n  buf $x in f32[4,0]\n  buf $z in f32[0,4]\n  buf $s out f32[4]\n"
                   "  buf $w out f32[0,4]\n  buf $m out f32[1,6]\n  buf $v in f32[1,0]\n  buf $u weight f32[6,0]\n"
                   "  n0 = op row_max (r $x:f32[4,0], w $s:f32[4])\n  n1 = op neg (r $z:f32[0,4], w $w:f32[0,4])\n"
                   "  n2 = op matvec (r $v:f32[1,0], r $u:f32[6,0], w $m:f32[1,6])\n}\n")
        self.assertNotIn("n1 =", self.expect(OK, "show", "g.rpir"))
        for level in "012":
            self.expect(OK, "compile", f"-O{level}", "g.rpir", "-o", "g.plan")
        np.save(self.folder / "x.npy", nothing(4, 0))
        self.expect(OK, "run", "g.plan", "-i", "x=x.npy", "-o", "s=s.npy", "-o", "m=m.npy")
        np.testing.assert_array_equal(np.load(self.folder / "s.npy"), full(-INF, 4))
        np.testing.assert_array_equal(np.load(self.folder / "m.npy"), full(0, 1, 6))

    def test_refused(self):
        for node, message in REFUSED:
            self.write("p.yaml", "reprise: 1\nbuffers:\n  x: {kind: in, dtype: f32, shape: [4, 0]}\n"
                       "  c: {kind: in, dtype: f32, shape: [3, 2]}\n  c4: {kind: tmp, dtype: f32, shape: [4]}\n"
                       f"  t: {{kind: tmp, dtype: f32, shape: [0]}}\nnodes:\n  - {{{node}}}\n")
            self.expect(INPUT, "compile", "p.yaml", "-o", "p.plan", error=["p.yaml:8:", message])


if __name__ == "__main__":
    cli.main()
