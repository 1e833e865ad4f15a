"""Ops along axes against NumPy, with attributes drawn at random."""
import os
import unittest
import warnings

import numpy as np

import cli
from cli import INPUT, OK

SEED = int(os.environ.get("RP_SEED", 5))
CASES = int(os.environ.get("RP_CASES", 11))  # nodes of a pipeline, about; above 14 more of what compiles long


class Pipeline:
    """Nodes with inputs and what NumPy makes of them; one run computes them all."""

    def __init__(self, case):
        self.case, self.buffers, self.nodes, self.inputs, self.about, self.wanted = case, [], [], [], [], {}

    def input(self, array):
        array = np.ascontiguousarray(array)
        name = f"i{len(self.inputs)}"
        self.buffers.append(f"  {name}: {{kind: in, dtype: {self.dtype(array)}, shape: {list(array.shape)}}}")
        np.save(self.case.folder / f"{name}.npy", array)
        self.inputs += ["-i", f"{name}={name}.npy"]
        return name

    @staticmethod
    def dtype(array):
        return {"f4": "f32", "i4": "i32", "u4": "u32", "i8": "i64", "f2": "f16", "i1": "i8", "u1": "u8", "b1": "bool",
                "i2": "i16", "u2": "u16"}[array.dtype.str[1:]]

    def add(self, op, want, out="out", **keys):
        want = np.ascontiguousarray(want)
        name = f"o{len(self.wanted)}"
        self.buffers.append(f"  {name}: {{kind: out, dtype: {self.dtype(want)}, shape: {list(want.shape)}}}")
        text = "".join(f", {k}: {v}" for k, v in keys.items() if v is not None)
        self.nodes.append(f"  - {{op: {op}{text}, {out}: {name}}}")
        self.about.append(self.nodes[-1])
        self.wanted[name] = want

    def also(self, want):
        """What else the last node makes, in the buffer that comes next."""
        self.add("", want)
        self.nodes.pop()

    def check(self, rtol=0):
        lines = ["reprise: 1", "name: axes", "buffers:", *self.buffers, "nodes:", *self.nodes]
        self.case.write("axes.yaml", "\n".join(lines) + "\n")
        outputs = [part for name in self.wanted for part in ("-o", f"{name}={name}.npy")]
        self.case.expect(OK, "run", "axes.yaml", *self.inputs, *outputs, "--check-against", "-O0")
        for (name, want), node in zip(self.wanted.items(), self.about):
            got = np.load(self.case.folder / f"{name}.npy")
            self.case.assertEqual(got.dtype, want.dtype, node)
            if rtol:
                np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol, err_msg=node)
            else:
                np.testing.assert_array_equal(got, want, err_msg=node)


class Axes(cli.Case):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(SEED)

    def pick(self, *choices):
        return choices[self.random.integers(len(choices))]

    def integers(self, low, high, shape=()):
        value = self.random.integers(low, high, shape)
        return value.tolist() if shape == () else value

    def array(self, rank=None, dtype="f4"):
        shape = self.random.integers(1, 7, rank or self.integers(1, 5))
        return self.random.integers(-9, 9, shape).astype(dtype)

    def axes(self, x):
        """Some axes, a few of them counted from the end, and the same as a tuple."""
        chosen = self.random.permutation(x.ndim)[:self.integers(1, x.ndim + 1)]
        chosen = [int(a) - x.ndim * self.integers(0, 2) for a in chosen]
        return chosen, tuple(chosen)

    def test_moves(self):
        p = Pipeline(self)
        for i in range(CASES):
            x = self.array(dtype=self.pick("f4", "i4", "u1"))
            axes, some = self.axes(x)
            all_axes = self.integers(0, 4) == 0
            kind = i % 4
            if kind == 0:
                p.add("flip", np.flip(x, None if all_axes else some), x=p.input(x), axes=None if all_axes else axes)
            elif kind == 1:
                shifts = self.integers(-20, 20, len(axes)).tolist()
                if all_axes:
                    p.add("roll", np.roll(x, shifts[0]), x=p.input(x), shifts=shifts[0])
                else:
                    p.add("roll", np.roll(x, shifts, some), x=p.input(x), shifts=shifts, axes=axes)
            elif kind == 2:
                repeats = self.integers(1, 4, self.integers(1, 4)).tolist()
                p.add("tile", np.tile(x, repeats), x=p.input(x), repeats=repeats)
                p.add("repeat", np.repeat(x, repeats[0], axes[0]), x=p.input(x), repeats=repeats[0], axis=axes[0])
            else:
                cut, starts, ends, steps = [slice(None)] * x.ndim, [], [], []
                for a in axes:
                    start, end = sorted(self.integers(0, x.shape[a] + 1, 2).tolist())
                    end += start == end
                    start = min(start, x.shape[a] - 1)
                    step = self.integers(1, 4)
                    if self.integers(0, 2):
                        cut[a] = slice(end - 1, start - 1 if start else None, -step)
                        start, end, step = end - 1, start - 1 if start else -1000, -step
                        start = min(start, x.shape[a] - 1)
                    else:
                        cut[a] = slice(start, end, step)
                    starts.append(start)
                    ends.append(end)
                    steps.append(step)
                p.add("slice_axes", x[tuple(cut)], x=p.input(x), starts=starts, ends=ends, axes=axes, steps=steps)
        p.check()

    def test_places(self):
        p = Pipeline(self)
        for i in range(CASES):
            x = self.array(rank=self.integers(2, 5), dtype=self.pick("f4", "i4", "f2"))
            axis = self.integers(-x.ndim, x.ndim)
            n, kind, ints = x.shape[axis], i % 7, self.pick("i4", "i8", "i2")
            if kind == 0:
                ids = self.integers(-n, n, (3, 2)).astype(ints)
                p.add("take", np.take(x, ids, axis), x=p.input(x), ids=p.input(ids), axis=axis)
            elif kind == 1:
                shape = list(x.shape)
                shape[axis] = self.integers(1, 9)
                at = self.integers(-n, n, shape).astype(ints)
                p.add("take_along_axis", np.take_along_axis(x, at.astype("i8"), axis), x=p.input(x), indices=p.input(at),
                      axis=axis)
            elif kind == 2:
                k = self.integers(1, x.ndim + 1)
                at = np.stack([self.integers(-d, d, (5, 2)) for d in x.shape[:k]], -1).astype(ints)
                p.add("gather_nd", x[tuple(np.moveaxis(at, -1, 0))], x=p.input(x), indices=p.input(at))
            elif kind == 3:
                ids, depth = self.integers(-5, 5, x.shape[:3]).astype(ints), 5
                axis = self.integers(-ids.ndim - 1, ids.ndim + 1)
                want = np.moveaxis(np.where(np.eye(depth)[ids], 3, -2), -1, axis).astype("f4")
                p.add("one_hot", want, ids=p.input(ids), depth=depth, axis=axis, on=3, off=-2)
            elif kind == 4:
                k = self.integers(-4, 5)
                op, f = self.pick(("triu", np.triu), ("tril", np.tril))
                p.add(op, f(x, k), x=p.input(x), k=k)
            elif kind == 5:
                k = self.integers(1 - x.shape[-2], x.shape[-1])
                p.add("diagonal", np.diagonal(x, k, -2, -1), x=p.input(x), k=k)
                p.add("diag", np.diag(x.reshape(-1), k), x=p.input(x.reshape(-1)), k=k)
            else:
                condition = self.random.integers(0, 2, x.shape[-1:]).astype("?")
                p.add("where", np.where(condition, x, -x), x=p.input(x), y=p.input(-x), condition=p.input(condition))
        p.check()

    def reductions(self):
        """Name, what NumPy makes of float64, and whether elements are positive."""
        return (("sum", np.sum, 0), ("mean", np.mean, 0), ("prod", np.prod, 1), ("min", np.min, 0), ("max", np.max, 0),
                ("l1", lambda x, a, keepdims: np.abs(x).sum(a, keepdims=keepdims), 0),
                ("l2", lambda x, a, keepdims: np.sqrt((x * x).sum(a, keepdims=keepdims)), 0),
                ("sum_square", lambda x, a, keepdims: (x * x).sum(a, keepdims=keepdims), 0),
                ("log_sum", lambda x, a, keepdims: np.log(x.sum(a, keepdims=keepdims)), 1),
                ("log_sum_exp", lambda x, a, keepdims: np.log(np.exp(x).sum(a, keepdims=keepdims)), 0),
                ("variance", np.var, 0))

    def test_reductions_of_floats(self):
        p = Pipeline(self)
        all_of_them = self.reductions()
        for i in range(CASES):
            name, f, positive = all_of_them[(i + SEED) % len(all_of_them)]
            shape = self.random.integers(1, 9, self.integers(1, 6))
            x = self.random.uniform(0.5 if positive else -2, 2, shape).astype("f4")
            axes, some = self.axes(x)
            keep, whole = self.integers(0, 2), self.integers(0, 4) == 0
            want = f(x.astype("f8"), None if whole else some, keepdims=bool(keep))
            p.add(f"reduce_{name}", np.atleast_1d(want).astype("f4"), x=p.input(x), axes=None if whole else axes,
                  keepdims=keep)
        p.check(3e-5)

    def test_reductions_of_integers(self):
        p = Pipeline(self)
        kinds = (("sum", np.sum), ("prod", np.prod), ("min", np.min), ("max", np.max), ("any", np.any), ("all", np.all),
                 ("argmin", np.argmin), ("argmax", np.argmax), ("mean", np.mean))
        for i in range(CASES):
            name, f = kinds[(i + SEED) % len(kinds)]
            x = self.random.integers(-3, 4, self.random.integers(1, 6, self.integers(1, 5)))
            x = x.astype(self.pick("i4", "i1", "i2", "u4", "u1"))
            axes, some = self.axes(x)
            if name.startswith("arg"):
                axis = self.integers(-x.ndim, x.ndim)
                want, key = f(x, axis).astype("u4"), {"axis": axis}
            else:
                want, key = f(x, some), {"axes": axes}
            if name in ("sum", "prod"):
                want = want.astype("i4" if x.dtype.kind == "i" else "u4")
            elif name == "mean":
                want = want.astype("f4")
            p.add(f"reduce_{name}", np.atleast_1d(want), x=p.input(x), **key)
        p.check(1e-6)

    def test_reductions_where(self):
        """Of some elements, as NumPy's where; masks of any shape that broadcasts, and such that leave nothing out, or all."""
        p = Pipeline(self)
        kinds = (("sum", np.sum, 0), ("mean", np.mean, 0), ("min", np.min, np.inf), ("max", np.max, -np.inf), ("prod", np.prod, 1),
                 ("any", np.any, 0), ("all", np.all, 1), ("sum_square", lambda x, a, where, **k: (x * x).sum(a, where=where, **k), 0),
                 ("l1", lambda x, a, where, **k: np.abs(x).sum(a, where=where, **k), 0),
                 ("l2", lambda x, a, where, **k: np.sqrt((x * x).sum(a, where=where, **k)), 0),
                 ("log_sum", lambda x, a, where, **k: np.log(x.sum(a, where=where, **k)), 0))
        for i in range(2 * CASES):
            name, f, nothing = kinds[(i + SEED) % len(kinds)]
            x = self.random.integers(0 if name == "log_sum" else -3, 4, self.random.integers(1, 7, self.integers(1, 5)))
            x = x.astype(self.pick("f4", "f2", "i4", "i1", "u1"))
            mask = [1 if self.integers(0, 3) == 0 else dim for dim in x.shape][self.integers(0, x.ndim):]
            where = self.random.integers(0, 2 if self.integers(0, 4) else 1, mask).astype(self.pick("?", "u1", "i4"))
            axes, some = self.axes(x)
            least = name in ("min", "max")
            if least and x.dtype.kind != "f":
                nothing = (np.iinfo(x.dtype).max if name == "min" else np.iinfo(x.dtype).min)
            floats = x.dtype.kind == "f" or name in ("mean", "l1", "l2", "log_sum")
            wide = x.astype("f8") if floats else x if least else x.astype("i8")
            with warnings.catch_warnings(): # of means of nothing
                warnings.simplefilter("ignore")
                want = f(wide, some, where=where != 0, **({"initial": nothing} if least else {}))
            if name in ("sum", "prod", "sum_square") and x.dtype.kind != "f":
                want = want.astype("i4" if x.dtype.kind == "i" else "u4")
            elif name not in ("any", "all"):
                want = want.astype(x.dtype if x.dtype.kind == "f" or least else "f4")
            p.add(f"reduce_{name}", np.atleast_1d(want), x=p.input(x), where=p.input(where), axes=axes)
        p.check(2e-3)

    def test_scans(self):
        p = Pipeline(self)
        kinds = (("sum", np.cumsum), ("prod", np.cumprod), ("max", np.maximum.accumulate), ("min", np.minimum.accumulate))
        for i in range(CASES):
            name, f = kinds[i % 4]
            x = self.random.integers(-3, 4, self.random.integers(1, 40, self.integers(1, 4)))
            x = x.astype(self.pick("i4", "u4") if name == "prod" else self.pick("f4", "i4"))
            axis, reverse = self.integers(-x.ndim, x.ndim), self.integers(0, 2)
            exclusive = self.integers(0, 2) if name == "sum" else 0
            y = np.flip(x, axis) if reverse else x
            want = f(y, axis=axis).astype(x.dtype)
            if exclusive:
                want = (want - y).astype(x.dtype)
            p.add(f"cum{name}", np.flip(want, axis) if reverse else want, x=p.input(x), axis=axis, reverse=reverse,
                  exclusive=exclusive)
        p.check()

    def test_long_lines_in_parts(self):
        """Parts of one long line, and of lines side by side."""
        p = Pipeline(self)
        for shape, axis in (((70001,), 0), ((9000, 11), 0), ((2, 40000), 1)):
            x = self.random.integers(-99, 99, shape).astype("i4")
            name = p.input(x)
            p.add("reduce_sum", np.atleast_1d(x.sum(axis)).astype("i4"), x=name, axes=axis)
            p.add("reduce_argmax", np.atleast_1d(x.argmax(axis)).astype("u4"), x=name, axis=axis)
            p.add("cumsum", x.cumsum(axis).astype("i4"), x=name, axis=axis)
            p.add("cumsum", np.flip(np.flip(x, axis).cumsum(axis), axis).astype("i4") - x, x=name, axis=axis, reverse=1,
                  exclusive=1)
        p.check()
        shown = self.expect(OK, "show", "--source", "axes.yaml")
        self.assertIn("op scan {exclusive=1", shown)

    def test_sort(self):
        p = Pipeline(self)
        some = (((3, 5, 7), 1), ((3000, 2), 0), ((2, 1500), -1), ((40,), 0), ((5003,), 0))
        for shape, axis in some if CASES > 14 else some[:3]:
            dtype = self.pick("f4", "f2", "i4", "u4", "i1", "u1", "i2", "u2")
            x = self.random.integers(0 if dtype[0] == "u" else -90, 90, shape).astype(dtype)
            if dtype[0] == "f":
                x[self.random.random(shape) < 0.05] = np.nan
            name, down = p.input(x), self.integers(0, 2)
            order = "descending" if down else "ascending"
            keys = np.where(np.isnan(x), np.inf, -x.astype("f8") if down else x)
            at = np.argsort(keys, axis, kind="stable")
            places = f"o{len(p.wanted) + 1}"
            p.add("sort", np.take_along_axis(x, at, axis), "values", x=name, axis=axis, order=order, indices=places)
            p.also(at.astype("u4"))
            p.add("argsort", at.astype("u4"), x=name, axis=axis, order=order)
        x = self.random.normal(size=(2, 4000)).astype("f4")
        p.add("top_k_large", np.argsort(-x, 1, kind="stable")[:, :1500].astype("u4"), "indices", x=p.input(x), k=1500)
        p.check()

    def test_unique(self):
        p = Pipeline(self)
        some = ((3000, "f4"), (60, "i4"), (1, "u1"), (1025, "i2"))
        for size, dtype in some if CASES > 14 else some[:2]:
            x = self.random.integers(0, size // 3 + 1, size).astype(dtype)
            if dtype == "f4":
                x[::97] = np.nan
            values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
            pad = lambda a, to: np.pad(a, (0, size - a.size)).astype(to)
            other = [f"o{len(p.wanted) + k}" for k in range(1, 4)]
            p.add("unique", pad(values, dtype), "values", x=p.input(x), counts=other[0], inverse=other[1], count=other[2])
            for want in (pad(counts, "u4"), inverse.astype("u4"), np.array([values.size], "u4")):
                p.also(want)
        p.check()

    def test_scatter(self):
        p = Pipeline(self)
        joins = {"add": np.add, "mul": np.multiply, "min": np.minimum, "max": np.maximum}
        for i in range(10):
            how = ("none", "add", "mul", "min", "max")[i % 5]
            x = self.random.integers(1, 4, self.random.integers(2, 6, 3)).astype(self.pick("f4", "i4"))
            want = x.copy()
            if i < 5:
                axis, shape = self.integers(-3, 3), list(x.shape)
                n = shape[axis]
                shape[axis] = n if how == "none" else self.integers(1, 2000 // x.size)
                at = self.integers(-n, n, shape)
                if how == "none":
                    at = np.argsort(self.random.random(shape), axis)
                updates = self.random.integers(1, 3, shape).astype(x.dtype)
                grid = list(np.indices(shape))
                grid[axis] = at
                op, keys = "scatter_elements", {"axis": axis}
            else:
                k = self.integers(1, 4)
                count = self.integers(1, 30)
                places = [self.integers(-d, d, count) for d in x.shape[:k]]
                if how == "none":
                    count = 1
                    places = [a[:1] for a in places]
                at, grid = np.stack(places, -1), places
                updates = self.random.integers(1, 3, (count, *x.shape[k:])).astype(x.dtype)
                op, keys = "scatter_nd", {}
            if how == "none":
                want[tuple(grid)] = updates
            else:
                joins[how].at(want, tuple(grid), updates)
            p.add(op, want, data=p.input(x), indices=p.input(at.astype("i8")), updates=p.input(updates),
                  reduction=how, **keys)
        p.check()

    def test_large(self):
        """What is cut into parts on a large device compiles, whatever is cut how often."""
        for node, shape in (("sort, x: x, values: y, indices: z", 10**8), ("argsort, x: x, axis: 0, out: z", [10**6, 3]),
                            ("top_k_large, x: x, k: 5000, values: y, indices: z", [2, 10**7]),
                            ("unique, x: x, values: y, counts: z, inverse: w, count: v", 10**7),
                            ("reduce_variance, x: x, axes: [0, 2], out: y", [3000, 7, 3001]),
                            ("reduce_log_sum_exp, x: x, axes: [0, 2], out: y", [3000, 7, 3001]),
                            ("reduce_prod, x: x, axes: [0, 2, 4], out: y", [90, 3, 90, 3, 90]),
                            ("cumsum, x: x, reverse: 1, out: y", 4 * 10**9),
                            ("reduce_argmax, x: x, axis: 0, out: z", [10**6, 2]),
                            ("scatter_elements, data: x, indices: ids, updates: x, reduction: add, out: y", 10**7)):
            for target in ("h200", "portable"):
                ids = "" if "ids" not in node else f"  ids: {{kind: in, dtype: i32, shape: {shape}}}\n"
                self.write("large.yaml", f"reprise: 1\nname: large\nbuffers:\n  x: {{kind: in, dtype: f32, shape: {shape}}}\n{ids}"
                           f"nodes:\n  - {{op: {node}}}\n")
                self.expect(OK, "show", "--source", "large.yaml", "--target", target)

    def wrong(self, node, error, at=None, x="[3, 4]"):
        """`at`: the text that the message points at; None: the op's name."""
        at = at or node.split(": ")[1].split(",")[0]
        column = f"  - {node}".index(at) + 1
        self.write("wrong.yaml", "reprise: 1\nname: wrong\nbuffers:\n"
                   f"  x: {{kind: in, dtype: f32, shape: {x}}}\n  ids: {{kind: in, dtype: i32, shape: [2, 2]}}\n"
                   f"nodes:\n  - {node}\n")
        self.expect(INPUT, "compile", "wrong.yaml", "-o", "p.rplan", error=[f"wrong.yaml:7:{column}: error:", error])
        self.assertNotIn("p.rplan", self.files())

    def test_mistakes(self):
        self.wrong("{op: flip, x: x, axes: [0, 2], out: y}", "2 is none of 2: expected -2 to 1", "[0, 2]")
        self.wrong("{op: flip, x: x, axes: [0, -2], out: y}", "an axis is given twice", "[0, -2]")
        self.wrong("{op: flip, x: x, axes: [], out: y}", "has 0 integers, expected 1 to 16", "[]")
        self.wrong("{op: flip, x: x, axes: [1.5], out: y}", "1.5", "1.5")
        self.wrong("{op: flip, x: x, axes: {a: 1}, out: y}", "", "{a: 1}")
        self.wrong("{op: roll, x: x, shifts: [1, 2], out: y}", "without axes expected a single integer", "[1, 2]")
        self.wrong("{op: roll, x: x, shifts: [1, 2], axes: 0, out: y}", "one integer, or as many", "[1, 2]")
        self.wrong("{op: roll, x: x, out: y}", "attribute 'shifts' of roll is missing")
        self.wrong("{op: tile, x: x, repeats: [0], out: y}", "expected 1 to", "[0]")
        self.wrong("{op: tile, x: x, repeats: [65536, 65536], out: y}", "more than")
        self.wrong("{op: repeat, x: x, repeats: 2, axis: 2, out: y}", "2 is none of 2", "2, out")
        self.wrong("{op: slice_axes, x: x, starts: 0, ends: [1, 2], out: y}", "an integer for each axis", "[1, 2]")
        self.wrong("{op: take_range, x: x, step: 0, count: 1, out: y}", "step is 0")
        self.wrong("{op: take_range, x: x, axis: 2, count: 1, out: y}", "axis is 2; x has 2 dimensions")
        self.wrong("{op: take, x: x, ids: ids, axis: -3, out: y}", "axis is -3")
        self.wrong("{op: take_along_axis, x: x, indices: ids, axis: 0, out: y}", "expected that of x, 4")
        self.wrong("{op: gather_nd, x: {buffer: x, shape: [12]}, indices: ids, out: y}", "rows of 2")
        self.wrong("{op: one_hot, ids: ids, depth: 3, axis: 3, out: y}", "out has 3 dimensions")
        self.wrong("{op: one_hot, ids: ids, depth: 3, on: 1.5, dtype: u8, out: y}", "an integer from 0 to 255, as out is u8")
        self.wrong("{op: one_hot, ids: ids, depth: 4000000000, out: y}", "more than")
        self.wrong("{op: diagonal, x: x, k: 4, out: y}", "no such diagonal")
        self.wrong("{op: sort, x: x, axis: 2, values: y}", "2 is none of 2: expected -2 to 1", "2, values")
        self.wrong("{op: top_k_large, x: x, k: 1025, indices: y}", "k is 1025, but rows have 4 elements")
        self.wrong("{op: scatter_elements, data: x, indices: ids, updates: x, out: y}", "expected 4, the elements of indices")
        self.wrong("{op: scatter_nd, data: x, indices: ids, updates: x, out: y}", "the shape of the slices")
        self.wrong("{op: reduce_sum, x: x, axes: 2, out: y}", "2 is none of 2: expected -2 to 1", "2, out")
        self.wrong("{op: reduce_sum, x: x, keepdims: 2, out: y}", "expected 0 to 1", "2, out")
        self.wrong("{op: reduce_sum, x: x, where: {buffer: ids, shape: [1, 3]}, axes: 0, out: y}", "where has 3 elements along axis 1 of x, expected 4 or 1")
        self.wrong("{op: reduce_sum, x: x, where: {buffer: ids, shape: [1, 1, 3]}, axes: 0, out: y}", "where has 3 dimensions, expected up to 2")
        self.wrong("{op: reduce_sum, x: x, where: x, axes: 0, out: y}", "'?' takes conditions and integers (compare with != 0), not f32")
        self.wrong("{op: reduce_argmin, x: x, axis: [0, 1], out: y}", "expected one axis", "[0, 1]")
        self.wrong("{op: reduce_variance, x: x, axes: 0, correction: 3, out: y}", "as many as elements", "3, out")
        self.wrong("{op: cumsum, x: x, axis: -3, out: y}", "-3 is none of 2: expected -2 to 1", "-3")
        self.wrong("{op: cumsum, x: x, exclusive: 0.5, out: y}", "0.5", "0.5")
        self.wrong("{op: reduce_sum, x: x, axes: 0, out: ids}", "ids", "ids")


if __name__ == "__main__":
    cli.main()
