"""Ops over grids: convolutions, pooling and norms in random shapes and layouts, against NumPy in double precision.

RP_CASES=n   so many random calls of each kind in place of a few
RP_SEED=n    others
"""
import itertools
import os

import numpy as np

import cli
from cli import INPUT, OK

CASES = int(os.environ.get("RP_CASES", "2"))
SEED = int(os.environ.get("RP_SEED", "1"))


def first(x, last):
    """Channels in front, whatever the layout was."""
    return np.moveaxis(x, -1, 1) if last else x


def laid(x, last):
    return np.moveaxis(x, 1, -1) if last else x


def windows(x, kernel, strides, pads, dilations, ceil=False, fill=0.0, beyond=None):
    """[N, C, windows..., elements of a window]: what each window sees."""
    dims = len(kernel)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    sizes = []
    for i in range(dims):
        size, begin, end = x.shape[2 + i], pads[i], pads[dims + i]
        steps = -(-(size + begin + end - spans[i]) // strides[i]) if ceil else (size + begin + end - spans[i]) // strides[i]
        if ceil and steps * strides[i] >= size + begin:
            steps -= 1
        sizes.append(steps + 1)
    padded = np.pad(x, [(0, 0)] * 2 + [(pads[i], pads[dims + i]) for i in range(dims)], constant_values=fill)
    # What windows of rounded sizes see beyond the padding.
    more = [max(0, (sizes[i] - 1) * strides[i] + spans[i] - padded.shape[2 + i]) for i in range(dims)]
    padded = np.pad(padded, [(0, 0)] * 2 + [(0, m) for m in more], constant_values=fill if beyond is None else beyond)
    seen = []
    for tap in itertools.product(*map(range, kernel)):
        index = tuple(slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in zip(tap, dilations, sizes, strides))
        seen.append(padded[(slice(None), slice(None)) + index])
    return np.stack(seen, -1)


def convolve(x, w, groups, strides, pads, dilations):
    seen = windows(x, w.shape[2:], strides, pads, dilations)
    n, c, taps, places = seen.shape[0], seen.shape[1], seen.shape[-1], seen.shape[2:-1]
    seen = seen.reshape(n, groups, c // groups, -1, taps)
    weight = w.reshape(groups, w.shape[0] // groups, c // groups, taps)
    return np.einsum("ngcpt,gmct->ngmp", seen, weight).reshape(n, -1, *places)


def convolve_transposed(x, w, groups, strides, pads, dilations, more):
    """What each element of x gives to what its window is over."""
    dims = len(strides)
    n, c, sizes = x.shape[0], x.shape[1], x.shape[2:]
    made = w.shape[1]
    whole = [(s - 1) * t + d * (k - 1) + 1 + m for s, t, d, k, m in zip(sizes, strides, dilations, w.shape[2:], more)]
    out = np.zeros((n, groups * made, *whole))
    grouped = x.reshape(n, groups, c // groups, *sizes)
    weight = w.reshape(groups, c // groups, made, *w.shape[2:])
    for tap in itertools.product(*map(range, w.shape[2:])):
        index = tuple(slice(t * d, t * d + (size - 1) * s + 1, s) for t, d, size, s in zip(tap, dilations, sizes, strides))
        given = np.einsum("ngc...,gcm->ngm...", grouped, weight[(slice(None),) * 3 + tap])
        out[(slice(None), slice(None)) + index] += given.reshape(n, groups * made, *sizes)
    return out[(slice(None),) * 2 + tuple(slice(pads[i], whole[i] - pads[dims + i]) for i in range(dims))]


ACTIVATIONS = {
    "none": lambda v: v, "relu": lambda v: np.maximum(v, 0), "relu6": lambda v: np.clip(v, 0, 6),
    "silu": lambda v: v / (1 + np.exp(-v)), "sigmoid": lambda v: 1 / (1 + np.exp(-v)), "tanh": np.tanh,
}


class Spatial(cli.Case):
    """Many calls are one pipeline: compiling and running them together is what makes them cheap."""

    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(SEED)
        self.buffers, self.nodes, self.wanted, self.arguments = [], [], {}, []

    def pick(self, *choices):
        return choices[self.random.integers(len(choices))]

    def numbers(self, count, low, high):
        return [int(v) for v in self.random.integers(low, high + 1, count)]

    def give(self, values, dtype="f32"):
        name = f"b{len(self.buffers)}"
        kept = values.astype({"f32": "f4", "f16": "f2", "i8": "i1"}[dtype])
        self.buffers.append(f"  {name}: {{kind: in, dtype: {dtype}, shape: {list(values.shape)}}}")
        np.save(self.folder / f"{name}.npy", kept)
        self.arguments += ["-i", f"{name}={name}.npy"]
        return name, kept.astype("f8")

    def tensor(self, *shape, dtype="f32"):
        return self.give(self.random.integers(-9, 9, shape) if dtype == "i8" else self.random.normal(size=shape), dtype)

    def want(self, values, tolerance, dtype="f32"):
        name = f"y{len(self.wanted)}"
        self.buffers.append(f"  {name}: {{kind: out, dtype: {dtype}, shape: {list(values.shape)}}}")
        self.wanted[name] = values, tolerance
        self.arguments += ["-o", f"{name}={name}.npy"]
        return name

    def node(self, op, **keys):
        self.nodes.append(f"  - {{op: {op}, " + ", ".join(f"{k}: {v}" for k, v in keys.items() if v is not None) + "}")

    def run_all(self, target=None):
        self.write("p.yaml", "reprise: 1\nname: p\nbuffers:\n" + "\n".join(self.buffers) + "\nnodes:\n" + "\n".join(self.nodes) + "\n")
        if target:
            self.expect(OK, "compile", "-q", "p.yaml", "-o", "p.rplan", "--target", target)
            self.expect(OK, "run", "p.rplan", *self.arguments)
        else:
            self.expect(OK, "run", "p.yaml", *self.arguments, "--check-against", "-O0", output="bit-equal to -O0")
        for (name, (want, tolerance)), node in zip(self.wanted.items(), self.nodes):
            got = np.load(self.folder / f"{name}.npy").astype("f8")
            np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance, err_msg=node)

    def window(self, dims):
        kernel, strides = self.numbers(dims, 1, 3), self.numbers(dims, 1, 3)
        dilations, pads = self.numbers(dims, 1, 2), self.numbers(2 * dims, 0, 2)
        return kernel, strides, dilations, pads

    def sizes(self, dims, spans, pads):
        return [max(1, spans[i] - pads[i] - pads[dims + i]) + int(self.random.integers(0, 5)) for i in range(dims)]

    def same(self, how, sizes, kernel, strides, dilations):
        pads = [[], []]
        for size, k, s, d in zip(sizes, kernel, strides, dilations):
            missing = max(0, ((size + s - 1) // s - 1) * s + (k - 1) * d + 1 - size)
            less = missing // 2
            pads[0].append(less if how == "same_upper" else missing - less)
            pads[1].append(missing - pads[0][-1])
        return pads[0] + pads[1]

    def one_convolution(self, dims, transposed=False, channels=(1, 2, 5)):
        kernel, strides, dilations, pads = self.window(dims)
        spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
        groups, each, made = self.pick(1, 1, 2, 3), self.pick(*channels), self.pick(1, 3, 8, 9)
        last, n = self.pick(True, False), self.pick(1, 2, 3)
        dtype = self.pick("f32", "f32", "f16", "i8")
        act = "relu" if dtype == "i8" else self.pick(*ACTIVATIONS)
        x, xs = self.tensor(*laid(np.empty((n, groups * each, *self.sizes(dims, spans, pads))), last).shape, dtype=dtype)
        shape = (groups * each, made, *kernel) if transposed else (groups * made, each, *kernel)
        w, ws = self.tensor(*laid(np.empty(shape), last).shape, dtype="i8" if dtype == "i8" else "f32")
        keys = {"strides": strides, "dilations": dilations, "groups": groups, "activation": act,
                "layout": "channels_last" if last else "channels_first"}
        xs, ws = first(xs, last), first(ws, last)
        how = self.pick("notset", "notset", "valid", "same_upper", "same_lower")
        if transposed:
            more = [int(self.random.integers(0, max(s, d))) for s, d in zip(strides, dilations)]
            whole = [(s - 1) * t + span + m for s, t, span, m in zip(xs.shape[2:], strides, spans, more)]
            pads = [min(p, (whole[i % dims] - 1) // 2) for i, p in enumerate(pads)]
            keys["output_padding"] = more
            if how == "notset":
                keys["pads"] = pads
            else:
                keys["auto_pad"] = how
                left = [s * t for s, t in zip(xs.shape[2:], strides)]
                if how == "valid":
                    keys["output_shape"] = left = [max(1, w - int(self.random.integers(0, 4))) for w in whole]
                cut = [max(0, w - n) for w, n in zip(whole, left)]
                less = [c // 2 if how == "same_upper" else c - c // 2 for c in cut]
                pads = less + [c - l for c, l in zip(cut, less)]
            want = convolve_transposed(xs, ws, groups, strides, pads, dilations, more)
        elif how == "valid" and any(s < k for s, k in zip(xs.shape[2:], spans)) or how == "notset":
            want = convolve(xs, ws, groups, strides, pads, dilations)
            keys |= {"pads": pads}
        else:
            used = [0] * 2 * dims if how == "valid" else self.same(how, xs.shape[2:], kernel, strides, dilations)
            want = convolve(xs, ws, groups, strides, used, dilations)
            keys |= {"auto_pad": how}
        if self.pick(True, False) and dtype != "i8":
            keys["bias"], bias = self.tensor(groups * made)
            want = want + bias.reshape(-1, *[1] * dims)
        want = laid(ACTIVATIONS[act](want), last)
        out = self.want(want, {"f32": 2e-5, "f16": 4e-3, "i8": 0}[dtype], "i32" if dtype == "i8" else dtype)
        self.node(f"conv{'_transpose' if transposed else ''}{dims}d", x=x, weight=w, out=out, **keys)

    def test_convolutions(self):
        for _ in range(CASES):
            for dims in (1, 2, 3):
                self.one_convolution(dims)
        self.run_all()

    def test_copies(self):
        """Channels brought behind and filled up, as pays on GPUs: on one with matrices, which no kernel can use here."""
        self.write("matrices.target", "name: matrices\nmatrix_shapes: 0x20\n")
        for _ in range(CASES):
            for dims in (1, 2, 3):
                self.one_convolution(dims, channels=(3, 4, 8, 12))
        self.run_all("portable")
        self.run_all("matrices.target")

    def test_transposed(self):
        for _ in range(max(1, CASES // 2)):
            for dims in (1, 2, 3):
                self.one_convolution(dims, transposed=True)
        self.run_all()

    def one_pool(self, dims, kind):
        kernel, strides, dilations, pads = self.window(dims)
        spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
        pads = [min(p, spans[i % dims] - 1) for i, p in enumerate(pads)]
        last, ceil, n, c = self.pick(True, False), self.pick(0, 1), self.pick(1, 2), self.pick(1, 3)
        x, xs = self.tensor(*laid(np.empty((n, c, *self.sizes(dims, spans, pads))), last).shape)
        xs = first(xs, last)
        how = dict(kernel=kernel, strides=strides, pads=pads, dilations=dilations, ceil=bool(ceil))
        keys = {"kernel": kernel, "strides": strides, "pads": pads, "dilations": dilations, "ceil_mode": ceil,
                "layout": "channels_last" if last else "channels_first"}
        if kind == "max":
            seen = windows(xs, fill=-np.inf, **how)
            places = np.arange(xs.size).reshape(laid(xs, last).shape)
            if self.pick(True, False):
                places = np.broadcast_to(np.arange(np.prod(xs.shape[2:])).reshape(xs.shape[2:]), xs.shape)
                keys["of"] = "plane"
            else:
                places = first(places, last)
            chosen = np.argmax(seen, -1)[..., None]
            # A window that sees nothing has no place.
            where = np.take_along_axis(windows(places.astype("f8"), fill=2.0**32 - 1, **how), chosen, -1)[..., 0]
            out = self.want(laid(seen.max(-1), last), 0)
            self.node(f"max_pool{dims}d", x=x, out=out, **keys)
            self.node(f"max_pool{dims}d", x=x, out=f"t{len(self.nodes)}", indices=self.want(laid(where, last), 0, "u32"), **keys)
            return
        all_count = self.pick(0, 1)
        ones = windows(np.ones_like(xs), fill=float(all_count), beyond=0.0, **how).sum(-1)
        mean = windows(xs, **how).sum(-1) / np.maximum(ones, 1)
        self.node(f"avg_pool{dims}d", x=x, out=self.want(laid(mean, last), 1e-5), count_include_pad=all_count, **keys)

    def test_pooling(self):
        for _ in range(CASES):
            for dims in (1, 2, 3):
                self.one_pool(dims, "max")
                self.one_pool(dims, "avg")
        for last, op in itertools.product((False, True), ("average", "max")):
            x, xs = self.tensor(2, 3, 5, 4)
            shape = (2, 1, 1, 4) if last else (2, 3, 1, 1)
            want = (xs.mean if op == "average" else xs.max)(axis=(1, 2) if last else (2, 3)).reshape(shape)
            self.node(f"global_{op}_pool", x=x, out=self.want(want, 1e-5), layout="channels_last" if last else "channels_first")
        self.run_all()

    def one_norm(self, kind):
        dims, last, eps = self.pick(0, 1, 2, 3), self.pick(True, False), self.pick(1e-5, 1e-3)
        groups, each = self.pick(1, 2, 3), self.pick(1, 2)
        sizes = self.numbers(dims, 1, 6)
        c = groups * each
        x, xs = self.tensor(*laid(np.empty((self.pick(1, 2), c, *sizes)), last).shape)
        xs, keys = first(xs, last), {"eps": eps, "layout": "channels_last" if last else "channels_first"}
        channel = (-1, *[1] * dims)
        if kind == "batch":
            keys["mean"], mean = self.tensor(c)
            keys["variance"], variance = self.give(self.random.uniform(0.1, 3, c))
            want = (xs - mean.reshape(channel)) / np.sqrt(variance.reshape(channel) + eps)
        else:
            if kind == "group":
                keys["groups"] = groups
            rows = xs.reshape(xs.shape[0], groups if kind == "group" else c, -1)
            rows = (rows - rows.mean(-1, keepdims=True)) / np.sqrt(rows.var(-1, keepdims=True) + eps)
            want = rows.reshape(xs.shape)
        if self.pick(True, False):
            keys["scale"], scale = self.tensor(c)
            want = want * scale.reshape(channel)
        if self.pick(True, False):
            keys["bias"], bias = self.tensor(c)
            want = want + bias.reshape(channel)
        self.node(f"{kind}_norm", x=x, out=self.want(laid(want, last), 1e-4), **keys)

    def test_norms(self):
        for _ in range(CASES):
            for kind in ("batch", "group", "instance"):
                self.one_norm(kind)
        self.run_all()

    def test_pads(self):
        for _ in range(3 * CASES):
            shape = self.numbers(self.pick(1, 2, 3, 4), 1, 6)
            axes = sorted(self.random.permutation(len(shape))[:self.random.integers(1, len(shape) + 1)].tolist())
            pads = np.zeros((len(shape), 2), int)
            pads[axes] = self.random.integers(-1, 8, (len(axes), 2))
            mode = self.pick("constant", "edge", "reflect", "wrap", "symmetric")
            x, xs = self.tensor(*shape)
            cut = np.minimum(pads, 0)
            kept = np.array(shape) + cut.sum(-1)
            if kept.min() < 1:
                continue
            part = xs[tuple(slice(-c[0], -c[0] + k) for c, k in zip(cut, kept))]
            value = {"constant_values": 1.5} if mode == "constant" else {}
            want = part
            if mode == "wrap": # NumPy before 1.25 starts anew at each copy
                for axis, (before, after) in enumerate(np.maximum(pads, 0)):
                    want = np.take(want, np.arange(-before, want.shape[axis] + after), axis, mode="wrap")
            else:
                want = np.pad(part, np.maximum(pads, 0), mode=mode, **value)
            keys = {"value": 1.5} if value else {}
            self.node("pad", x=x, out=self.want(want, 0), mode=mode, pads=pads[axes].T.reshape(-1).tolist(),
                      axes=[int(a) - self.pick(0, len(shape)) for a in axes], **keys)
        self.run_all()

    def one_resize(self):
        """One axis after the other, as ONNX's reference does it: coordinates, weights, elements."""
        shape = self.numbers(self.pick(1, 2, 4), 1, 7)
        axes = sorted(self.random.permutation(len(shape))[:self.random.integers(1, min(len(shape), 2) + 1)].tolist())
        mode = self.pick("nearest", "linear", "cubic")
        coordinates = self.pick("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "half_pixel_symmetric")
        rounding = self.pick("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
        exclude, a, filtered = self.pick(0, 1), self.pick(-0.75, -0.5), self.pick(0, 1)
        x, xs = self.tensor(*shape)
        keys = {"mode": mode, "coordinates": coordinates, "rounding": rounding, "axes": axes, "exclude_outside": exclude,
                "cubic_coeff_a": a, "antialias": filtered}
        if self.pick(True, False):
            scales = [self.pick(*[s for s in (0.5, 0.6, 1.0, 1.5, 2.0, 2.3, 3.0) if int(s * shape[axis] + 1e-9) >= 1]) for axis in axes]
            sizes = [int(s * shape[axis] + 1e-9) for s, axis in zip(scales, axes)]
            keys["scales"] = scales
        else:
            keys["sizes"] = sizes = self.numbers(len(axes), 1, 12)
            scales = [size / shape[axis] for size, axis in zip(sizes, axes)]
        want = xs
        for axis, made, scale in zip(axes, sizes, scales):
            if "scales" in keys and scale == 1:
                continue
            want = self.resized(want, axis, made, scale, mode, coordinates, rounding, exclude, a, filtered)
        self.node("resize", x=x, out=self.want(want, 0 if mode == "nearest" else 2e-5), **keys)

    def resized(self, x, axis, made, scale, mode, coordinates, rounding, exclude, a, filtered):
        size, y = x.shape[axis], np.arange(made)
        p = (y + 0.5) / scale - 0.5
        if coordinates == "asymmetric":
            p = y / scale
        elif coordinates == "align_corners":
            p = y * (size - 1) / (made - 1) if made > 1 else 0.0 * y
        elif coordinates == "pytorch_half_pixel" and made == 1:
            p = 0.0 * y
        elif coordinates == "half_pixel_symmetric":
            p = size / 2 * (1 - made / (scale * size)) + p
        whole = np.round(p * 2) / 2
        p = np.where(abs(p - whole) < 1e-9, whole, p)
        if mode == "nearest":
            index = {"round_prefer_floor": np.ceil(p - 0.5), "round_prefer_ceil": np.floor(p + 0.5),
                     "floor": np.floor(p), "ceil": np.ceil(p)}[rounding]
            return np.take(x, np.clip(index, 0, size - 1).astype(int), axis)
        narrower = min(scale, 1) if filtered else 1
        reach = int(np.ceil(2 / narrower)) + 1
        index = np.floor(p)[:, None] + np.arange(-reach, reach + 1)
        t = abs(p[:, None] - index) * narrower
        if mode == "linear":
            weight = np.maximum(0, 1 - t)
        else:
            weight = np.where(t <= 1, ((a + 2) * t - (a + 3)) * t * t + 1, np.where(t < 2, ((a * t - 5 * a) * t + 8 * a) * t - 4 * a, 0))
        if exclude and (mode == "cubic" or narrower < 1):
            weight = np.where((index < 0) | (index >= size), 0, weight)
        if exclude and mode == "cubic" or narrower < 1:
            weight = weight / weight.sum(-1, keepdims=True)
        seen = np.take(np.moveaxis(x, axis, -1), np.clip(index, 0, size - 1).astype(int), -1)
        return np.moveaxis((seen * weight).sum(-1), -1, axis)

    def test_resizes(self):
        for _ in range(5 * CASES):
            self.one_resize()
        self.run_all()

    def test_too_many_windows(self):
        """What windows see of five images has more elements than an op may: three of them, then two."""
        self.write("big.yaml", """reprise: 1
name: big
buffers:
  x: {kind: in, dtype: f16, shape: [5, 128, 1024, 1024]}
  w: {kind: weight, dtype: f16, shape: [8, 128, 3, 3]}
  v: {kind: weight, dtype: f16, shape: [128, 32, 6, 6]}
  y: {kind: out, dtype: f16, shape: [5, 8, 1024, 1024]}
  z: {kind: out, dtype: f16, shape: [5, 32, 1026, 1026]}
nodes:
  - {op: conv2d, x: x, weight: w, pads: 1, out: y}
  - {op: conv_transpose2d, x: x, weight: v, pads: [1, 2, 2, 1], out: z}
""")
        out = self.expect(OK, "show", "big.yaml")
        image, made = 128 * 2**21, 8 * 2**21
        for line in (f"r $x[0+{3 * image}]:f16[3,128,1048576]", f"w $y[0+{3 * made}]:f16[3,8,1048576]",
                     f"r $x[{3 * image}+{2 * image}]:f16[2,128,1048576]", f"w $y[{3 * made}+{2 * made}]:f16[2,8,1048576]",
                     f"w $z[{3 * 64 * 1026**2}+{2 * 64 * 1026**2}]:f16[2,32,1,1026,1026]"):
            self.assertIn(line, out)
        self.assertEqual((out.count("op unfold"), out.count("op fold")), (2, 2))

    def test_mistakes_of_sizes(self):
        for keys, error in [("op: resize, sizes: [4, 0]", ["bad.yaml:7:25: error:", "has 0: expected 1 to"]),
                            ("op: resize", "expected one of sizes and scales"),
                            ("op: resize, sizes: 3, scales: 2", "there are both sizes and scales"),
                            ("op: resize, scales: [2, 0.01], axes: [0, 1]", ["bad.yaml:7:26: error:", "a scale of 0.01 makes 0"]),
                            ("op: resize, scales: [1, 2, 3, 4]", "x has 3 dimensions, and numbers for 4"),
                            ("op: resize, scales: [1, a]", "bad.yaml:7:30: error:"),
                            ("op: resize, scales: 2, axes: [3]", ["bad.yaml:7:35: error:", "has 3, expected -3 to 2"]),
                            ("op: resize, scales: 2, axes: [1, -2]", "has axis 1 twice"),
                            ("op: resize, sizes: [2, 2], axes: 1", "has 2 numbers, expected 1 or 1"),
                            ("op: pad, pads: [1, 2, 3]", ["bad.yaml:7:21: error:", "has 3 numbers, expected 2 for each axis"]),
                            ("op: pad", "'pads' of pad is missing"),
                            ("op: pad, pads: [-3, -3], axes: 2", "cuts off more than the 5 elements of axis 2"),
                            ("op: pad, pads: 1, value: .5e39", "too large for f32"),
                            ("op: pad, pads: 2000000000", "has 2e+09: expected")]:
            self.write("bad.yaml", "reprise: 1\nname: p\nbuffers:\n  x: {kind: in, dtype: f32, shape: [2, 4, 5]}\n"
                       "  y: {kind: out, dtype: f32, shape: [2, 4, 5]}\nnodes:\n  - {" + keys + ", x: x, out: y}\n")
            self.expect(INPUT, "compile", "bad.yaml", "-o", "bad.rplan", error=error)

    def test_mistakes(self):
        pipeline = """reprise: 1
name: spatial
buffers:
  x: {kind: in, dtype: f32, shape: [2, 6, 8, 9]}
  w: {kind: in, dtype: f32, shape: [4, 3, 3, 3]}
  b: {kind: in, dtype: f32, shape: [4]}
  y: {kind: out, dtype: f32, shape: [2, 4, 6, 7]}
nodes:
  - op: conv2d
    x: x
    weight: w
    bias: b
    groups: 2
    strides: [1, 1]
    out: y
"""
        self.write("good.yaml", pipeline)
        self.expect(OK, "compile", "good.yaml", "-o", "p.rplan")
        for old, new, error in [
                ("strides: [1, 1]", "strides: [1, 1, 1]", ["bad.yaml:14:14: error:", "'strides' of conv2d has 3 numbers, expected 1 or 2"]),
                ("strides: [1, 1]", "strides: [1, 0]", ["bad.yaml:14:14: error:", "has 0: expected 1 to"]),
                ("strides: [1, 1]", "strides: []", ["bad.yaml:14:14: error:", "has 0 integers"]),
                ("strides: [1, 1]", "strides: [1, x]", ["bad.yaml:14:18: error:"]),
                ("strides: [1, 1]", "strides: 2", ["out is f32[2,4,6,7], expected f32[2,4,3,4]"]),
                ("strides: [1, 1]", "pads: [1, 1, 1]", ["bad.yaml:14:11: error:", "has 3 numbers, expected 1, 2 or 4"]),
                ("strides: [1, 1]", "pads: 1\n    auto_pad: valid", ["bad.yaml:15:15: error:", "and so does pads"]),
                ("strides: [1, 1]", "dilations: 5", ["a window spans 11 elements along h, and x has 8 with the padding"]),
                ("groups: 2", "groups: 3", ["bad.yaml:13:13: error:", "'groups' of conv2d is 3"]),
                ("groups: 2", "groups: 1", ["x has 6 channels, expected 3"]),
                ("shape: [4]", "shape: [5]", ["bias is f32[5]: its only dimension, M, is 5, expected 4, the first dimension of weight"]),
                ("[4, 3, 3, 3]", "[4, 3, 3]", ["weight has 3 dimensions, expected 4"]),
                ("op: conv2d", "op: conv3d", ["weight has 4 dimensions, expected 5"])]:
            self.assertIn(old, pipeline)
            self.write("bad.yaml", pipeline.replace(old, new))
            self.expect(INPUT, "compile", "bad.yaml", "-o", "bad.rplan", error=error)
            self.assertNotIn("bad.rplan", self.files())


if __name__ == "__main__":
    cli.main()
