"""Ops as functions: all of them are there, and compute what NumPy computes in double precision."""

from __future__ import annotations

import inspect
import itertools
import re

import numpy as np
import pytest
import reprise as rp
from conftest import ROOT
from reprise import ops


def test_all_are_there():
    """As many as docs/ops.md has pages, each with its page."""
    pages = [line[3:] for line in (ROOT / "docs/ops.md").read_text().splitlines() if line.startswith("## ")]
    assert sorted(ops.signatures) == sorted(pages)
    for name, signature in ops.signatures.items():
        function = getattr(ops, name)
        assert function.__doc__ == ops.document(name) and f"## {name}\n" in function.__doc__
        assert function.__name__ == name
        parameters = inspect.signature(function).parameters
        for o in signature.inputs if name != "map" else ():
            assert (parameters[o.name].default is inspect.Parameter.empty) == (not o.optional)
        for a in signature.attributes:
            assert (parameters[a.name].default is inspect.Parameter.empty) == a.required
            if a.kind == "choice" and not a.required:
                assert a.default in a.choices


DIMS = {letter: n for letter, n in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", itertools.cycle([4, 8, 2, 4, 8, 32]))}


def synthesise(p: rp.Program, signature: "ops.Signature", only_required: bool, nothing: str = ""):
    """Operands and attributes for any op, by its shapes' letters, one of which may be 0: right for many, wrong for
    others."""
    inputs = {}
    for o in signature.inputs:
        if o.optional and only_required:
            continue
        letters = (o.shape or "").replace("*", "").replace("...", "").replace("1", "").split()
        shape = [0 if letter == nothing else DIMS.get(letter, 4) for letter in letters] or [4, 32]
        dtype = next((d for d in ("f32", "u32", "i32") if d in o.dtypes or not o.dtypes), o.dtypes[0] if o.dtypes
                     else "f32")
        if dtype in ("q8_0", "q4_0"):
            shape[-1] = min(shape[-1] * 32, 32)
        make = p.state if o.access == "rw" else p.input
        inputs[o.name] = make(f"{o.name}_{len(p._names)}", shape, dtype)
    attributes = {}
    for a in signature.attributes:
        if a.required:
            attributes[a.name] = {"number": 1.0, "integer": 2, "choice": (a.choices or ("",))[0], "integers": [1],
                                  "numbers": [1.0], "formula": "1.0"}[a.kind]
    return inputs, attributes


def letters_of(signature: "ops.Signature"):
    """Those of its shapes, and none."""
    return ["", *sorted({c for o in signature.inputs for c in o.shape or "" if c in DIMS})]


def test_each_call_ends_well():
    """Each op on operands that its letters ask for, none or one of them 0: tensors, or an InvalidError at this line;
    never anything else."""
    made = 0
    for name, signature in ops.signatures.items():
        for only_required, nothing in itertools.product((True, False), letters_of(signature)):
            p = rp.Program("each")
            inputs, attributes = synthesise(p, signature, only_required, nothing)
            extra = {"program": p, "shape": (4, 32)} if not inputs else {}
            try:
                result = getattr(ops, name)(**inputs, **attributes, **extra)
            except rp.InvalidError as error:
                assert error.file == __file__ and error.line > 0 and error.column > 0, error
                continue
            for tensor in result if isinstance(result, tuple) else (result,):
                assert isinstance(tensor, rp.Tensor) and tensor.program is p
                assert tensor.dtype in rp.dtype_names() and tensor.shape
            made += 1
            text = p.graph().text() if not any(o.access == "rw" for o in signature.inputs) else name
            assert name in text or signature.composite or nothing
    assert made > len(ops.signatures), made


@pytest.mark.parametrize("wrong, message", [
    (lambda x: ops.rms_norm(), "missing a required argument: 'x'"),
    (lambda x: ops.rms_norm(x, epsilon=1), "'epsilon'"),
    (lambda x: ops.clamp(x, 0, 1), "too many positional"),
    (lambda x: ops.rms_norm(x, out=3), "out is int"),
])
def test_wrong_calls(wrong, message):
    p = rp.Program()
    with pytest.raises(TypeError, match=message):
        wrong(p.input("x", (4, 8)))


@pytest.mark.parametrize("wrong, message", [
    (lambda p, x: ops.rms_norm(x, np.ones(9, "f4")), "weight is f32\\[9\\]"),
    (lambda p, x: ops.top_k(x, k=2, outputs=["best"]), "no output 'best': it has values, indices"),
    (lambda p, x: ops.top_k(x, k=2, order="biggest"), "'biggest'"),
    (lambda p, x: ops.map("a +", a=x), "formula, character"),
    (lambda p, x: ops.iota(program=p), "iota"),
    (lambda p, x: ops.silu(rp.Program("other").input("x", 4), program=p), "another program"),
    (lambda p, x: ops.silu(x, dtype="f12"), "no dtype 'f12'"),
    (lambda p, x: ops.silu(x, out=p.temporary((3, 8))), "out"),
    (lambda p, x: ops.flip(x, axes=[7]), "7"),
    (lambda p, x: x.reshape(5, -1), "cannot be seen"),
    (lambda p, x: x @ x, "matmul"),
    (lambda p, x: x + 2**64, "64 bits"),
])
def test_wrong_values(wrong, message):
    p = rp.Program()
    with pytest.raises(rp.InvalidError, match=message):
        wrong(p, p.input("x", (4, 8)))
    p.output("y", ops.silu(p["x"]))  # the program is as it was
    assert p.graph().stats["nodes"] == 1


def test_wrong_uses():
    p = rp.Program()
    x = p.input("x", (4, 8))
    with pytest.raises(TypeError, match="has no value"):
        bool(x == x)
    with pytest.raises(TypeError, match="of integers"):
        x // 2
    with pytest.raises(TypeError):
        x + "2"
    with pytest.raises(TypeError):
        x @ 2
    with pytest.raises(TypeError, match="an index is"):
        x["a"]
    with pytest.raises(IndexError):
        x[4]
    with pytest.raises(IndexError):
        x[0, 0, 0]
    with pytest.raises(IndexError):
        x[..., ...]
    with pytest.raises(rp.UsageError, match="give program="):
        ops.iota(shape=4)
    with pytest.raises(rp.UsageError):
        ops.silu(x, out=x, dtype="f16")


def test_results():
    """One output is a tensor, several are a named tuple; optional ones are there when they are named."""
    p = rp.Program()
    x = p.input("x", (4, 32))
    assert isinstance(ops.top_k(x, k=4), rp.Tensor)
    both = ops.top_k(x, k=4, outputs=("values", "indices"))
    assert both.values.dtype == "f32" and both.indices.dtype == "u32" and both.values.shape == (4, 4)
    one = ops.top_k(x, k=4, outputs=["values"])
    assert len(one) == 1 and one[0].dtype == "f32"
    quantised = ops.quantize_i8(x)
    assert quantised.codes.dtype == "i8" and quantised.scale.shape == (4,)
    given = p.result("r", (4, 32), "f16")
    assert ops.silu(x, out=given) is given
    counts = p.state("counts", 8, "u32")
    assert ops.histogram(x, counts, low=0, high=1, bins=8) is counts
    assert ops.silu(x, dtype="f16").dtype == "f16"
    assert ops.iota(shape=(2, 3), program=p).shape == (2, 3)


def close(got, want, tolerance=2e-6):
    want = np.asarray(want)
    assert got.shape == want.shape
    np.testing.assert_allclose(got.astype(np.float64), want.astype(np.float64), rtol=tolerance, atol=tolerance)


def test_operators(device, rng):
    """One plan with all operators, against NumPy in double precision."""
    a, b = rng.standard_normal((4, 8)).astype("f4"), rng.standard_normal((4, 8)).astype("f4")
    v = rng.standard_normal(8).astype("f4")
    i = rng.integers(-9, 9, (4, 8)).astype("i4")
    d = rng.choice([-3, -2, 2, 3], (4, 8)).astype("i4")
    A, B, V = a.astype("f8"), b.astype("f8"), v.astype("f8")
    p = rp.Program("operators", target=device)
    x, y, w = p.input("a", a.shape), p.input("b", b.shape), p.weight("v", v)
    n, m = p.input("i", i.shape, "i32"), p.input("d", d.shape, np.int32)
    cases = {
        "add": (x + y, A + B), "radd": (1.5 + x, 1.5 + A), "row": (x + w, A + V), "array": (x + v, A + V),
        "left": (v - x, V - A), "sub": (x - y, A - B), "rsub": (2 - x, 2 - A), "mul": (x * y * 0.5, A * B * 0.5),
        "div": (x / (y * y + 1), A / (B * B + 1)), "rdiv": (1 / (x * x + 1), 1 / (A * A + 1)),
        "neg": (-x, -A), "abs": (abs(x), abs(A)), "pow": (abs(x) ** 2.0, A ** 2),
        "truediv": (n / m, i / d), "floordiv": (n // m, i // d), "mod": (n % m, i % d), "floor2": (n // 4, i // 4),
        "mod2": (n % -4, i % -4), "int": (n * 3 - m, i * 3 - d), "mixed": (n + x, i + A),
        "and": (n & 7, i & 7), "or": (n | m, i | d), "xor": (n ^ m, i ^ d), "shift": ((n & 7) << 2, (i & 7) << 2),
        "lt": (x < y, A < B), "le": (n <= m, i <= d), "gt": (x > 0.25, A > 0.25), "eq": (n == 3, i == 3),
        "ne": (n != m, i != d), "not": (~(x < y), ~(A < B)), "inv": (~n, ~i),
        "matmul": (x @ y.T, A @ B.T), "vector": (x @ w, A @ V), "dot": (w @ w, [V @ V]),
        "rows": (x[1:3] + 1, A[1:3] + 1), "one": (x[-1], A[-1]), "element": (x[2, 3:6] * 2, A[2, 3:6] * 2),
        "columns": (x[:, 2:5], A[:, 2:5]), "steps": (x[::2, ::-1], A[::2, ::-1]), "new": (x[None, 1], A[None, 1]),
        "dots": (x[..., 0], A[..., 0]), "seen": (x.reshape(2, -1).T, A.reshape(2, -1).T),
        "cast": (x.astype("i32"), np.trunc(A)),
    }
    for name, (tensor, _) in cases.items():
        p.output(name + "_", tensor)
    out = p.compile().open(device)(a=a, b=b, i=i, d=d)
    for name, (tensor, want) in cases.items():
        got = out[name + "_"]
        assert got.dtype == np.asarray(want).dtype or got.dtype.kind in "fi", name
        close(got, want, 1e-5)
    assert out["lt_"].dtype == bool and out["floordiv_"].dtype == np.int32 and out["cast_"].dtype == np.int32


def test_integers_wrap(device, rng):
    """Operators of two of a dtype, and of one and a number: NumPy's dtype, and its bits, with each dtype in turn."""
    cases = {
        "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "pow": lambda a, b: a ** (b & 7),
        "add5": lambda a, b: a + 5, "rsub": lambda a, b: 3 - a, "mul7": lambda a, b: a * 7, "square": lambda a, b: a ** 2,
        "cube": lambda a, b: a ** 3, "one": lambda a, b: a ** 0, "neg": lambda a, b: -a, "abs": lambda a, b: abs(a), "inv": lambda a, b: ~a,
        "and": lambda a, b: a & 6, "or": lambda a, b: a | b, "xor": lambda a, b: a ^ b, "left": lambda a, b: a << 3, "right": lambda a, b: b >> 2,
        "floor": lambda a, b: a // 7, "mod": lambda a, b: a % 7, "floors": lambda a, b: a // (b | 1), "mods": lambda a, b: a % (b | 1),
        "rpow": lambda a, b: 2 ** (b & 3), "true": lambda a, b: (a < b) & True,
    }
    kinds = ["i1", "u1", "i2", "u2", "i4", "u4"]
    p, given, wanted = rp.Program("wrap", target=device), {}, {}
    for at, (name, case) in enumerate(cases.items()):
        for kind in (kinds[at % 6], kinds[(at + 1 + at // 6) % 6]):
            info = np.iinfo(kind)
            a, b = rng.integers(info.min, info.max, (2, 64), kind, endpoint=True)
            a[:3], b[:3] = (info.min, info.max, 0), (info.max, info.min + (kind[0] == "i"), 1)
            given.update({f"{name}.{kind}.{letter}": array for letter, array in (("a", a), ("b", b))})
            p.output(f"{name}.{kind}", case(*(p.input(f"{name}.{kind}.{letter}", 64, kind) for letter in "ab")))
            with np.errstate(over="ignore"):
                wanted[f"{name}.{kind}"] = case(a, b)
    out = p.compile().open(device)(given)
    for name, want in wanted.items():
        assert out[name].dtype == want.dtype, name
        np.testing.assert_array_equal(out[name], want, name)


def test_powers(device):
    """Of numbers on both sides of 0, by whole ones on both sides of 0, written out and computed."""
    a = np.array([-3, -1.5, -1, 0, 1, 0.25, 2, 7, -40], "f4")
    powers = [0, 1, 2, 3, -1, -2, 5, 8.0, -3.0, 65, 66, 0.5, 2.5]
    p = rp.Program("powers", target=device)
    x, i = p.input("x", 9), p.input("i", 9, "i32")
    by = np.array(powers[:9], "f4")
    for at, power in enumerate(powers):
        p.output(f"y{at}", x ** power)
    p.output("many", x.reshape(9, 1) ** p.weight("by", by))
    p.output("base", (-2.0) ** i)
    p.output("ints", i ** 2.0)
    with pytest.raises(rp.InvalidError, match="to a power below 0"):
        i ** -1
    out = p.compile().open(device)(x=a, i=np.arange(-4, 5, dtype="i4"))
    with np.errstate(all="ignore"):
        for at, power in enumerate(powers):
            want = (a.astype("f8") ** power).astype("f4")
            np.testing.assert_allclose(out[f"y{at}"], want, 2e-5, err_msg=str(power))
        np.testing.assert_allclose(out["many"], (a.astype("f8")[:, None] ** by).astype("f4"), 2e-5)
    np.testing.assert_allclose(out["base"], (-2.0) ** np.arange(-4, 5), 2e-5)
    assert out["ints"].dtype == np.float32 and out["ints"].tolist() == [16, 9, 4, 1, 0, 1, 4, 9, 16]


def test_ops_compute(device, rng):
    """A chain of ops of several families, one plan."""
    x, w = rng.standard_normal((4, 64)).astype("f4"), rng.standard_normal((32, 64)).astype("f4")
    p = rp.Program("chain")
    h = ops.rms_norm(p.input("x", x.shape), np.ones(64, "f4"), eps=1e-5)
    z = ops.linear(h, w)
    p.output("probabilities", ops.softmax(z))
    top = ops.top_k(z, k=3, outputs=("values", "indices"))
    p.output("values", top.values)
    p.output("indices", top.indices)
    p.output("mean", ops.reduce_mean(z, axes=[0, 1], keepdims=1))
    out = p.compile().open(device)(x=x)
    X = x.astype("f8")
    Z = X / np.sqrt((X * X).mean(-1, keepdims=True) + 1e-5) @ w.astype("f8").T
    E = np.exp(Z - Z.max(-1, keepdims=True))
    close(out["probabilities"], E / E.sum(-1, keepdims=True), 1e-5)
    close(out["mean"], Z.mean(keepdims=True), 1e-5)
    order = np.argsort(-Z, -1)[:, :3]
    assert (out["indices"] == order).all()
    close(out["values"], np.take_along_axis(Z, order, -1), 1e-5)


@pytest.mark.parametrize("batch, shape", [((2, 3), (2, 1, 1, 8)), ((3, 2), (3, 1, 8, 8)), ((2, 2), (2, 1, 8, 1))])
def test_repeated_behind_products(device, rng, batch, shape):
    """What is added behind a product, repeated along any of its dimensions: for any device, and for this one."""
    q, k = (rng.standard_normal((*batch, 8, 8)).astype("f4") for _ in "qk")
    mask = rng.standard_normal(shape).astype("f4")
    p = rp.Program("masked")
    product = ops.matmul(p.input("q", q.shape), p.input("k", k.shape))
    p.output("y", ops.map("a + b", a=product, b=p.input("mask", shape)))
    for target in (None, device):
        plan = p.compile(target=target)
        assert plan.info.dispatches == 1
        close(plan.open(device)(q=q, k=k, mask=mask), q.astype("f8") @ k + mask, 1e-5)


def test_products_of_blocks():
    """Rows of blocks times rows of blocks, one and many: the quantised numbers' products, in double precision."""
    rng = np.random.default_rng(8)
    w = rng.standard_normal((70, 160)).astype("f4")
    for rows in (1, 5, 33):
        x = rng.standard_normal((rows, 160)).astype("f4")
        p = rp.Program("blocks")
        q, v = (ops.quantize_q8_0(p.input(name, a.shape)) for name, a in (("x", x), ("w", w)))
        p.output("y", ops.linear(q, v, np.ones(70, "f4")))
        p.output("z", ops.matvec(q, v) if rows <= 8 else ops.matmul(q, v, transpose_b=1))
        p.output("qx", ops.dequantize(q))
        p.output("qw", ops.dequantize(v))
        found = [p.compile(level=level).open()(x=x, w=w) for level in (0, 1, 2)]
        exact = found[0]["qx"].astype("f8") @ found[0]["qw"].astype("f8").T
        size = np.abs(found[0]["qx"]).astype("f8") @ np.abs(found[0]["qw"]).astype("f8").T
        assert (np.abs(found[0]["z"] - exact) <= 4e-7 * size).all() and (found[0]["y"] != found[0]["z"]).any()
        for other in found[1:]:
            for name in "yz":
                np.testing.assert_array_equal(other[name], found[0][name])


# What composites are called right with, where letters alone do not say it: shapes, dtypes but f32, and attributes.
CALLS = {
    "where": ({"condition": ((4, 8), "bool"), "x": (4, 8), "y": (8,)}, {}),
    "roll": ({"x": (4, 8)}, {"shifts": [1], "axes": [0]}),
    "tile": ({"x": (4, 8)}, {"repeats": [2, 1]}),
    "slice_axes": ({"x": (4, 8)}, {"starts": [1], "ends": [3], "axes": [0]}),
    "scatter_elements": ({"data": (4, 8), "indices": ((2, 8), "i32"), "updates": (2, 8)}, {"axis": 0}),
    "scatter_nd": ({"data": (4, 8), "indices": ((3, 1), "i32"), "updates": (3, 8)}, {}),
    "einsum": ({"a": (4, 8), "b": (8, 3)}, {"equation": "ij,jk->ik"}),
    "lora": ({"x": (4, 8), "weight": (6, 8), "a": (2, 8), "b": (6, 2)}, {}),
    "attention": ({"q": (4, 8), "k": (6, 2, 8), "v": (6, 2, 8)}, {}),
    "pq_search": ({"queries": (4, 8), "codebooks": (2, 16, 4), "codes": ((9, 2), "u8")}, {"k": 2}),
    "knn": ({"queries": (4, 8), "base": (9, 8)}, {"k": 2}),
    "kmeans_assign": ({"x": (9, 8), "centroids": (3, 8)}, {}),
    "kmeans_step": ({"x": (9, 8), "centroids": (3, 8)}, {}),
    **{f"conv{n}d": ({"x": (2, 3, *[5] * n), "weight": (4, 3, *[2] * n)}, {}) for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": ({"x": (2, 3, *[5] * n), "weight": (3, 4, *[2] * n)}, {}) for n in (1, 2, 3)},
    **{f"{kind}_pool{n}d": ({"x": (2, 3, *[5] * n)}, {"kernel": [2]}) for kind in ("max", "avg") for n in (1, 2, 3)},
    **{f"global_{kind}_pool": ({"x": (2, 3, 5, 5)}, {}) for kind in ("max", "average")},
    "batch_norm": ({"x": (2, 3, 5, 5), "mean": (3,), "variance": (3,)}, {}),
    "group_norm": ({"x": (2, 4, 5, 5), "scale": (4,)}, {"groups": 2}),
    "instance_norm": ({"x": (2, 3, 5, 5), "bias": (3,)}, {}),
    "pad": ({"x": (4, 8)}, {"pads": [1, 1, 2, 2]}),
    "resize": ({"x": (4, 8)}, {"sizes": [8, 4]}),
    "histogram_of": ({"x": (4, 8)}, {"low": 0.0, "high": 1.0, "bins": 4}),
    "sample": ({"logits": (4, 32), "seed": ((1,), "u32")}, {"top_k": 4}),
    "random_categorical": ({"logits": (4, 32), "seed": ((1,), "u32")}, {}),
    **{name: ({"x": (4, 6, 2)}, {}) for name in ("fft", "ifft", "fft2", "ifft2", "irfft", "irfft2")},
    **{name: ({"x": (4, 6)}, {}) for name in ("rfft", "rfft2")},
    "fft_convolve": ({"a": (4, 9), "b": (4, 3)}, {}),
    "stft": ({"x": (4, 32), "window": (8,)}, {"step": 4}),
    "top_k_large": ({"x": (4, 32)}, {"k": 2}),
}


def call_of(p: rp.Program, signature: "ops.Signature"):
    """Shapes, dtypes and attributes that a composite takes."""
    if signature.name in CALLS:
        inputs, attributes = CALLS[signature.name]
        given = {k: v if isinstance(v[-1], str) else (v, "f32") for k, v in inputs.items()}
        return given, attributes
    tensors, attributes = synthesise(p, signature, True)
    return {k: (t.shape, t.dtype) for k, t in tensors.items()}, attributes


def test_composites_name_their_operands():
    """Each composite with each operand of every other dtype, of another rank, and with each dimension another: it takes
    that, or the message speaks of an operand that was written, at this line."""
    refused = 0
    for name, signature in ops.signatures.items():
        if not signature.composite:
            continue
        right, attributes = call_of(rp.Program("right"), signature)

        def call(inputs):
            p = rp.Program("wrong")
            given = {k: p.input(k, s, d) for k, (s, d) in inputs.items()}
            return getattr(ops, name)(**given, **attributes)

        call(right)
        for operand, (shape, dtype) in right.items():
            others = [(shape, d) for d in ("f64", "i64", "u8", "i8", "i32", "u32", "bool", "f16") if d != dtype]
            others += [((*shape[:-1], 32), d) for d in ("q8_0", "q4_0")]
            others += [((*shape, 3), dtype), (shape[:-1] or (2, 3), dtype), ((2, *shape), dtype)]
            others += [((*shape[:i], shape[i] + 1, *shape[i + 1:]), dtype) for i in range(len(shape))]
            for other in others:
                try:
                    call({**right, operand: other})
                except rp.InvalidError as error:
                    refused += 1
                    said = str(error).split(f"{name}: ", 1)[-1].split("attribute", 1)
                    names = [o.name for o in (*signature.inputs, *signature.results)]
                    assert len(said) > 1 or any(re.search(rf"\b{n}\b", said[0]) for n in names), (other, str(error))
                    assert error.file == __file__ and error.line > 0 and error.column > 0, error
    assert refused > 500, refused
