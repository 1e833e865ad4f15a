"""Integers of every dtype, to their last bit: what NumPy and Python's own integers give.

Many formulas are one kernel, chosen by the element's place: drivers take longer to compile than to compute."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

import numpy as np
import pytest
import reprise as rp
from reprise import ops

DTYPES = {"i8": "i1", "u8": "u1", "i16": "i2", "u16": "u2", "i32": "i4", "u32": "u4", "i64": "i8", "u64": "u8", "bool": "?"}


def drawn(dtype: str, count: int, seed: int) -> np.ndarray:
    """Numbers of the whole dtype, every other one a special one."""
    random = np.random.default_rng(seed)
    if dtype == "bool":
        return random.integers(0, 2, count).astype("?")
    info = np.iinfo(DTYPES[dtype])
    low, high = int(info.min), int(info.max)
    special = [n for n in (0, 1, 2, 3, -1, -2, -7, 31, 32, 63, 64, 127, -128, 2**31, -2**31, 2**32 - 1, 2**53 + 1, low, low + 1,
                           high - 1, high) if low <= n <= high]
    whole = random.integers(low, high, count, dtype=info.dtype, endpoint=True)
    return np.where(random.random(count) < 0.5, random.choice(np.array(special, info.dtype), count), whole)


class Numbers:
    """What formulas compute with a type: integers that wrap."""

    def __init__(self, bits: int, signed: bool):
        self.bits, self.signed = bits, signed

    def __call__(self, value: int) -> int:
        value &= 2**self.bits - 1
        return value - 2**self.bits if self.signed and value >> self.bits - 1 else value

    def divide(self, a: int, b: int) -> int:
        return 0 if b == 0 else self(abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1))

    def remainder(self, a: int, b: int) -> int:
        return 0 if b == 0 else self(a - (abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)) * b)


def computed_as(dtype: str) -> Numbers:
    return Numbers(64 if dtype in ("i64", "u64") else 32, dtype[0] == "i")


def meet(a: Numbers, b: Numbers) -> Numbers:
    return Numbers(max(a.bits, b.bits), a.signed or b.signed)


FORMULAS: Dict[str, Callable[[Numbers, int, int], int]] = {
    "a + b": lambda n, a, b: a + b,
    "a - b": lambda n, a, b: a - b,
    "a * b": lambda n, a, b: a * b,
    "a / b": lambda n, a, b: n.divide(a, b),
    "a % b": lambda n, a, b: n.remainder(a, b),
    "a & b": lambda n, a, b: a & b,
    "a | b": lambda n, a, b: a | b,
    "a ^ b": lambda n, a, b: a ^ b,
    "min(a, b)": lambda n, a, b: min(a, b),
    "max(a, b)": lambda n, a, b: max(a, b),
    "clamp(b, a, 100)": lambda n, a, b: min(max(b, a), 100),
    "a < b ? a : b": lambda n, a, b: a if a < b else b,
    "a == b": lambda n, a, b: a == b,
    "a >= b || !b": lambda n, a, b: a >= b or b == 0,
}
"""Of both, in the type in which they meet."""

ALONE: Dict[str, Callable[[Numbers, int], int]] = {
    "-a": lambda n, a: -a,
    "~a": lambda n, a: ~a,
    "abs(a)": lambda n, a: abs(a),
    "sign(a)": lambda n, a: (a > 0) - (a < 0),
    "relu(a)": lambda n, a: max(a, 0),
    "bits(a)": lambda n, a: bin(a & 2**n.bits - 1).count("1"),
    "a << 7": lambda n, a: a << 7,
    "a >> 37": lambda n, a: a >> 37 % n.bits,
    "a << a": lambda n, a: a << a % n.bits,
}
"""Of the first, in its own type."""


def stored(dtype: str, value: int) -> int:
    if dtype == "bool":
        return int(value != 0)
    info = np.iinfo(DTYPES[dtype])
    return min(max(value, int(info.min)), int(info.max))


def chosen(formulas: List[str]) -> str:
    """One formula of all, by the row."""
    text = formulas[-1]
    for i in range(len(formulas) - 1, 0, -1):
        text = f"i0 == {i - 1} ? ({formulas[i - 1]}) : ({text})"
    return text


PAIRS = [("i64", "i64"), ("u64", "u64"), ("i64", "u64"), ("u64", "i32"), ("u32", "i64"), ("i32", "u32"), ("u32", "u32"),
         ("i8", "i64"), ("u16", "u8"), ("bool", "u64"), ("i16", "i16")]


@pytest.mark.parametrize("first,second", PAIRS)
def test_formulas(first: str, second: str) -> None:
    columns = 96
    both, alone = list(FORMULAS), list(ALONE)
    number, own = meet(computed_as(first), computed_as(second)), computed_as(first)
    result = ("i" if number.signed else "u") + str(number.bits)
    p = rp.Program("integers")
    a, b = p.input("a", (1, columns), first), p.input("b", (1, columns), second)
    p.output("both", ops.map(chosen([f"{result}({f})" for f in both]), a=a, b=b, shape=(len(both), columns), dtype=result))
    kind = ("i" if own.signed else "u") + str(own.bits)
    p.output("alone", ops.map(chosen([f"{kind}({f})" for f in alone]), a=a, shape=(len(alone), columns), dtype=kind))
    x, y = drawn(first, columns, 1), drawn(second, columns, 2)
    found = p.compile().open()(a=x[None], b=y[None])
    for row, formula in enumerate(both):
        expected = [number(int(FORMULAS[formula](number, number(int(v)), number(int(w))))) for v, w in zip(x, y)]
        assert found["both"][row].tolist() == expected, formula
    for row, formula in enumerate(alone):
        expected = [own(int(ALONE[formula](own, int(v)))) for v in x]
        assert found["alone"][row].tolist() == expected, formula


def test_conversions() -> None:
    """From every dtype to every other: what is stored saturates."""
    names = [*DTYPES, "f32"]
    p = rp.Program("conversions")
    values: Dict[str, Any] = {d: drawn(d, 64, 3) for d in DTYPES}
    values["f32"] = np.array([0, -0.5, 1.5, -3, 2**31, -2**31, 2**32, 2**63, -2**63, 2**64, 1e20, -1e20, np.nan, np.inf, -np.inf] * 2, "f4")
    for d in names:
        x = p.input(d, len(values[d]), d)
        for to in ("i64", "u64", "i32", "u8", "f32") if d in ("i64", "u64") else ("i64", "u64"):
            p.output(f"{d}_{to}", ops.cast(x, dtype=to))
    found = p.compile().open()(**values)
    for name, result in found.items():
        d, to = name.split("_")
        for value, got in zip(values[d], result):
            if to == "f32":
                assert got == np.float32(value if d == "f32" else int(value)), name
            elif d == "f32" and np.isnan(value):
                assert got == 0
            elif d == "f32" and np.isinf(value):
                assert int(got) == stored(to, 2**70 if value > 0 else -2**70)
            else:
                assert int(got) == stored(to, int(value)), (name, value)


def test_constants() -> None:
    """Numbers to their last digit, in formulas, beside tensors, and in pipelines."""
    p = rp.Program("constants")
    x = p.input("x", 3, "i64")
    p.output("a", x - 9007199254740993)
    p.output("b", x * 0 + (-2**63))
    p.output("c", ops.map("u64(a) ^ 18446744073709551615", a=x, dtype="u64"))
    p.output("d", x // 1000000007 * 1000000007 + x % 1000000007)
    given = np.array([2**53 + 1, -1, 2**63 - 1])
    found = p.compile().open()(x=given)
    assert found["a"].tolist() == [0, -(2**53) - 2, 2**63 - 1 - 2**53 - 1]
    assert found["b"].tolist() == [-2**63] * 3
    assert found["c"].tolist() == [2**64 - 1 - (2**53 + 1), 0, 2**63]
    assert found["d"].tolist() == given.tolist() and found["d"].dtype == np.int64
    with pytest.raises(rp.InvalidError, match="is no number of 64 bits"):
        x + 2**64


@pytest.mark.parametrize("dtype", ["i64", "u64"])
def test_along_axes(dtype: str) -> None:
    """Reductions, scans, orders and updates of 64 bits, wrapping, to the last bit."""
    shape, kind = (5, 77), DTYPES[dtype]
    p = rp.Program("along")
    x = p.input("x", shape, dtype)
    expected: Dict[str, Any] = {}
    value = drawn(dtype, 5 * 77, 5).reshape(shape)
    value[:, 40:] = value[:, :37]  # equal ones
    with np.errstate(over="ignore"):
        for name, of in (("sum", np.sum), ("prod", np.prod), ("min", np.min), ("max", np.max)):
            p.output(name, getattr(ops, f"reduce_{name}")(x, axes=[1]))
            expected[name] = of(value, axis=1)
        p.output("all", ops.reduce_sum(x))
        expected["all"] = value.sum()
        p.output("any", ops.reduce_any(x, axes=[0]))
        expected["any"] = value.any(0)
        for name, along in (("argmin", np.argmin), ("argmax", np.argmax)):
            p.output(name, getattr(ops, f"reduce_{name}")(x, axis=[0]))
            expected[name] = along(value, axis=0)
        p.output("cumsum", ops.cumsum(x, axis=1))
        expected["cumsum"] = value.cumsum(1, dtype=kind)
        p.output("cummax", ops.cummax(x, axis=0))
        expected["cummax"] = np.maximum.accumulate(value, 0)
        where = p.input("where", (1, 77), "bool")
        p.output("least", ops.reduce_min(x, where, axes=[1]))
        chosen_ones = drawn("bool", 77, 6)[None]
        expected["least"] = np.min(value, axis=1, where=chosen_ones, initial=np.iinfo(kind).max)
        ordered = ops.sort(x, axis=1, outputs=("values", "indices"))
        p.output("sorted", ordered.values)
        p.output("places", ordered.indices)
        expected["sorted"], expected["places"] = np.sort(value, axis=1), np.argsort(value, axis=1, kind="stable")
        p.output("down", ops.argsort(x, axis=0, order="descending"))
        expected["down"] = 4 - np.argsort(value[::-1], axis=0, kind="stable")[::-1]
        distinct = ops.unique(x, outputs=("values", "counts", "count"))
        for name in ("values", "counts", "count"):
            p.output(name, getattr(distinct, name))
        data = p.input("data", (9,), dtype)
        at = p.input("at", (77,), "i64")
        p.output("added", ops.scatter_elements(data, at, x[0], reduction="add"))
    given = drawn(dtype, 9, 7)
    places = np.random.default_rng(8).integers(-9, 9, 77)
    expected["added"] = given.copy()
    np.add.at(expected["added"], places, value[0])
    found = p.compile().open()(x=value, where=chosen_ones, data=given, at=places)
    distinct_values, counts = np.unique(value, return_counts=True)
    assert found["count"][0] == len(counts)
    assert found["values"][:len(counts)].tolist() == distinct_values.tolist()
    assert found["counts"][:len(counts)].tolist() == counts.tolist()
    for name, wanted in expected.items():
        assert found[name].tolist() == np.atleast_1d(wanted).tolist(), name
    assert found["sum"].dtype == np.dtype(kind) == found["cumsum"].dtype


def test_wider_results() -> None:
    """Sums of smaller integers as integers of 64 bits, by `dtype`, as NumPy has them; long lines, in parts and sorted
    by digits."""
    p = rp.Program("wider")
    x = p.input("x", (3, 300), "i32")
    y = p.input("y", (70000,), "u16")
    p.output("sum", ops.reduce_sum(x, axes=[1], dtype="i64"))
    p.output("squares", ops.reduce_sum_square(x, axes=[1], dtype="u64"))
    p.output("steps", ops.cumsum(x, axis=1, dtype="i64"))
    p.output("long", ops.reduce_sum(y, dtype="u64"))
    p.output("sorted", ops.sort(ops.cast(y[:3000], dtype="i64") * 1000003))
    value, other = drawn("i32", 900, 9).reshape(3, 300), drawn("u16", 70000, 10)
    found = p.compile().open()(x=value, y=other)
    assert found["sum"].tolist() == value.sum(1).tolist()
    assert found["squares"].tolist() == (value.astype("i8") ** 2).sum(1).tolist()
    assert found["steps"].tolist() == value.cumsum(1).tolist()
    assert int(found["long"]) == int(other.sum())
    assert np.array_equal(found["sorted"], np.sort(other[:3000].astype("i8") * 1000003))


def test_best() -> None:
    """The best of each row, of 64 bits, which are sorted."""
    p = rp.Program("best")
    x = p.input("x", (3, 50), "i64")
    best = ops.top_k_large(x, k=4, outputs=("values", "indices"))
    p.output("values", best.values)
    p.output("places", best.indices)
    value = drawn("i64", 150, 11).reshape(3, 50)
    found = p.compile().open()(x=value)
    order = 49 - np.argsort(value[:, ::-1], axis=1, kind="stable")[:, ::-1][:, :4]
    assert found["places"].tolist() == order.tolist()
    assert found["values"].tolist() == np.take_along_axis(value, order, 1).tolist()


VALUES = {"i64": [-2**63, -2**63 + 1, -2**53 - 1, 2**32 + 1, 2**62 + 1, 2**63 - 1],
          "u64": [2**53 + 1, 2**63 - 1, 2**63 + 1, 2**64 - 2, 2**64 - 1],
          "i32": [-2**31, -2**24 - 1, 2**31 - 1], "u32": [2**24 + 1, 2**32 - 1]}
"""Whose digits f32, and those of 64 bits whose digits f64 has not."""


@pytest.mark.parametrize("level", [0, 1])
def test_numbers_of_ops(level: int) -> None:
    """What becomes elements, or bounds them, is exact: from Python, and through text and JSON."""
    p = rp.Program("numbers")
    expected: Dict[str, Any] = {}
    given: Dict[str, np.ndarray] = {}
    for dtype, values in VALUES.items():
        kind = DTYPES[dtype]
        x = p.input(f"x_{dtype}", 40, dtype)
        at = p.input(f"at_{dtype}", 3, "i64")
        given[x.name], given[at.name] = drawn(dtype, 40, 20), np.array([1, 0, -1])
        for i, value in enumerate(values):
            name = f"{dtype}_{i}"
            p.output(f"fill_{name}", ops.fill(shape=3, value=value, dtype=dtype, program=p))
            expected[f"fill_{name}"] = np.full(3, value, kind)
            p.output(f"pad_{name}", ops.pad(x, pads=[0, 2], value=value))
            expected[f"pad_{name}"] = np.append(given[x.name], np.full(2, value, kind))
            p.output(f"hot_{name}", ops.one_hot(at, depth=2, on=value, off=values[0], dtype=dtype))
            expected[f"hot_{name}"] = np.array([[values[0], value], [value, values[0]], [values[0], value]], kind)
            p.output(f"count_{name}", ops.iota(shape=4, start=value, dtype=dtype, program=p))
            with np.errstate(over="ignore"):
                expected[f"count_{name}"] = np.array(value, kind) + np.arange(4).astype(kind)
                p.output(f"scale_{name}", ops.scale(x, factor=value, offset=values[-1]))
                expected[f"scale_{name}"] = given[x.name] * np.array(value, kind) + np.array(values[-1], kind)
            p.output(f"clamp_{name}", ops.clamp(x, low=values[0], high=value))
            expected[f"clamp_{name}"] = np.clip(given[x.name], np.array(values[0], kind), np.array(value, kind))
        p.output(f"bounded_{dtype}", ops.clamp(x, low=-np.inf, high=2**70))  # beyond what there is
        expected[f"bounded_{dtype}"] = given[x.name]
    graph = p.graph()
    again = rp.Graph(graph.text())
    assert again == graph
    written = {(a, int(v)) for n in graph.json()["nodes"] for m in n["members"] for a, v in m["attrs"].items()
               if m["op"] in ("fill", "iota") and (float(v) == v or int(v) != int(float(v)))}
    assert written >= {("value", v) for values in VALUES.values() for v in values}
    assert written >= {("start", v) for values in VALUES.values() for v in values}
    found = again.compile(level=level).open()(**given)
    for name, wanted in expected.items():
        assert found[name].tolist() == wanted.tolist(), name


def test_numbers_in_pipelines() -> None:
    """The same from YAML: literals, hexadecimal, and expressions over parameters."""
    texts = {"a": "9223372036854775807", "b": "-9223372036854775808", "c": "large + 1", "d": "-large - 2", "e": "0x20000000000001",
             "f": "18446744073709551615", "g": "0xfffffffffffffffe", "h": "9223372036854775809", "i": "'(1 << 60) + 1'"}
    lines = [f"  {n}: {{kind: out, dtype: {'u64' if n in 'fgh' else 'i64'}, shape: [2]}}" for n in texts]
    nodes = [f"  - {{op: fill, value: {text}, out: {n}}}" for n, text in texts.items()]
    source = "\n".join(["reprise: 1", "params: {large: 9007199254740992}", "buffers:", *lines, "nodes:", *nodes])
    found = rp.parse(source).compile().open()()
    wanted = [2**63 - 1, -2**63, 2**53 + 1, -2**53 - 2, 2**53 + 1, 2**64 - 1, 2**64 - 2, 2**63 + 1, 2**60 + 1]
    assert [int(found[n][0]) for n in texts] == wanted
    with pytest.raises(rp.InvalidError, match="expected an integer from -9223372036854775808 to 9223372036854775807"):
        rp.parse(source.replace(texts["a"], "9223372036854775808"))


@pytest.mark.parametrize("dtype", ["i32", "u32", "i64", "u64"])
def test_rows(dtype: str) -> None:
    """Ops over rows, exact where integers are what they give, else of floats; those of integers by other reductions."""
    kind = DTYPES[dtype]
    value = drawn(dtype, 6 * 37, 12).reshape(2, 3, 37)
    value[1, :, 20:] = value[1, :, :17]
    expected: Dict[str, Any] = {}
    p = rp.Program("rows")
    x = p.input("x", (2, 3, 37), dtype)
    for name, of in (("row_sum", np.sum), ("row_min", np.min), ("row_max", np.max), ("argmin", np.argmin), ("argmax", np.argmax)):
        p.output(name, getattr(ops, name)(x + 1))
        with np.errstate(over="ignore"):
            same = {"dtype": kind} if of is np.sum else {}  # sums wrap, as those of reduce_sum
            expected[name] = of(value + np.array(1, kind), axis=-1, **same)
    best = ops.top_k(x, k=5, outputs=("values", "indices"))
    p.output("values", best.values)
    p.output("places", ops.top_k(x, k=5, order="smallest"))
    expected["values"] = -np.sort(-value.astype(object), axis=-1)[..., :5]
    expected["places"] = np.argsort(value, axis=-1, kind="stable")[..., :5]
    p.output("mean", ops.row_mean(x))
    p.output("softmax", ops.softmax(x, scale=1e-9))
    p.output("halves", ops.l2_normalize(x, dtype="f16"))
    p.output("moments", ops.moments(x))
    plan = p.compile()
    found = plan.open()(x=value)
    for name, wanted in expected.items():
        assert found[name].tolist() == wanted.tolist(), name
    assert found["row_max"].dtype == np.dtype(kind) == found["values"].dtype and found["argmax"].dtype == np.uint32
    floats = value.astype("f4").astype("f8")
    assert np.allclose(found["mean"], floats.mean(-1), rtol=1e-5, atol=np.abs(floats).max() * 1e-6)
    assert np.allclose(found["moments"], floats.mean(-1), rtol=1e-5, atol=np.abs(floats).max() * 1e-6)
    assert found["halves"].dtype == np.float16
    scores = np.exp((floats - floats.max(-1, keepdims=True)) * np.float32(1e-9))
    assert np.allclose(found["softmax"], scores / scores.sum(-1, keepdims=True), rtol=1e-4, atol=1e-30)
    if dtype != "i32":
        return
    plain = p.compile(level=0).open()(x=value)
    for name, array in found.items():
        assert plain[name].tobytes() == array.tobytes(), name


@pytest.mark.parametrize("dtype", ["i64", "u8"])
def test_counts(dtype: str) -> None:
    """Lengths, positions and pages of any integers: as of i32 and u32."""
    random = np.random.default_rng(13)
    q, k, v = (random.standard_normal(s).astype("f4") for s in ((2, 1, 2, 8), (2, 16, 1, 8), (2, 16, 1, 8)))
    pages = random.standard_normal((6, 8, 1, 8)).astype("f4")

    def run(counts: str) -> Dict[str, np.ndarray]:
        p = rp.Program("counts")
        queries = p.input("q", q.shape)
        length = p.input("length", (2,), counts)
        table = p.input("table", (2, 2), counts)
        p.output("plain", ops.attention(queries, p.input("k", k.shape), p.input("v", v.shape), length=length))
        cache = p.input("pages", pages.shape)
        p.output("paged", ops.attention(queries, cache, cache, length=length, table=table))
        given = {"q": q, "k": k, "v": v, "pages": pages, "length": np.array([5, 16], DTYPES[counts]),
                 "table": np.array([[4, 1], [0, 5]], DTYPES[counts])}
        return dict(p.compile().open()(**given))

    found, wanted = run(dtype), run("u32")
    for name, array in wanted.items():
        assert found[name].tobytes() == array.tobytes(), name


def test_taken_wrongly() -> None:
    p = rp.Program("wrong")
    x = p.input("x", (3, 7), "i64")
    with pytest.raises(rp.InvalidError, match="row_max has no attribute 'axes'"):
        p.apply("row_max", {"x": x}, {"axes": 0}, outputs={"out": None})
    with pytest.raises(rp.InvalidError, match="top_k.*k is 9, but rows have 7 elements"):
        ops.top_k(x, k=9)
    with pytest.raises(rp.InvalidError, match="softmax.*mask is f32"):
        ops.softmax(x, p.input("mask", (4, 7)))


@pytest.mark.parametrize("dtype", ["i32", "u32", "i64", "u64"])
def test_histogram(dtype: str) -> None:
    """Bins of integers over all that there are, and over ranges that f32 and f64 do not tell apart."""
    value, info = drawn(dtype, 3000, 14), np.iinfo(DTYPES[dtype])
    near = int(info.max) - 200
    value[:1500] = np.array([near + n for n in np.random.default_rng(15).integers(-20, 201, 1500).tolist()], DTYPES[dtype])
    cases = [(int(info.min), int(info.max), 7, "skip"), (near, near + 150, 150, "clamp"), (near, near + 100, 33, "skip"),
             (int(info.min), int(info.min) + 3, 1000, "clamp")]
    p = rp.Program("histogram")
    x = p.input("x", 3000, dtype)
    for i, (low, high, bins, outside) in enumerate(cases):
        p.output(f"h{i}", ops.histogram_of(x, low=low, high=high, bins=bins, outside=outside))
    found = p.compile().open()(x=value)
    for i, (low, high, bins, outside) in enumerate(cases):
        wanted = [0] * bins
        for n in map(int, value):
            if low <= n <= high or outside == "clamp":
                wanted[min((min(max(n, low), high) - low) * bins // (high - low), bins - 1)] += 1
        assert found[f"h{i}"].tolist() == wanted, i
    if dtype in ("i64", "u64"):
        with pytest.raises(rp.InvalidError, match="attribute low is 0.5, expected an integer from"):
            ops.histogram_of(x, low=0.5, high=9, bins=3)
    with pytest.raises(rp.InvalidError, match=f"low is {near} and high is {near}; low must be the smaller one"):
        ops.histogram_of(x, low=near, high=near, bins=3)


@pytest.mark.parametrize("dtype", ["i64", "u16"])
def test_places_given(dtype: str) -> None:
    """Places and counts, which are u32, as models have them."""
    value = np.random.default_rng(16).integers(-9, 9, (3, 20)).astype("f4")
    p = rp.Program("given")
    x = p.input("x", (3, 20))
    wide = p.input("wide", (3, 20), "i64")

    def calls(d: Any) -> Dict[str, Any]:
        other = {"dtype": d} if d else {}
        q = np.ones((2, 4), "f4")
        found = {"argmax": ops.argmax(x, **other), "argmin": ops.argmin(wide, **other),
                 "reduce": ops.reduce_argmax(x, axis=[0], **other), "order": ops.argsort(x, axis=1, **other),
                 "best": ops.top_k(x, k=3, **other), "large": ops.top_k_large(wide, k=3, **other),
                 "near": ops.knn(q, x[:, :4], k=2, **other), "drawn": ops.random_categorical(x, np.array([7], "u4"), **other),
                 "bins": ops.histogram_of(x, low=-9, high=9, bins=3, **other)}
        target = p.temporary((3, 20), d or "u32")
        ops.sort(x, axis=1, outputs=("values", "indices"), out={"indices": target})
        counts = p.temporary((60,), d or "u32")
        ops.unique(wide, outputs=("values", "counts", "count"), out={"counts": counts})
        return {**found, "sorted": target, "counts": counts[:5]}

    for name, tensor in calls(dtype).items():
        p.output(name, tensor)
    for name, tensor in calls(None).items():
        p.output(f"{name}_u32", tensor)
    found = p.compile().open()(x=value, wide=value.astype("i8") << 40)
    for name in calls(dtype):
        assert found[name].dtype == np.dtype(DTYPES[dtype]) and found[f"{name}_u32"].dtype == np.uint32
        assert found[name].tolist() == found[f"{name}_u32"].tolist(), name


@pytest.mark.parametrize("dtype", ["u8", "i64", "bool"])
def test_as_floats(dtype: str) -> None:
    """What floats are computed of takes integers, as floats: functions, means, distances, moments."""
    random = np.random.default_rng(17)
    base, queries = (random.integers(0, 2 if dtype == "bool" else 100, (n, 6)).astype(DTYPES[dtype]) for n in (30, 2))
    p = rp.Program("floats")
    b, q = p.input("base", (30, 6), dtype), p.input("queries", (2, 6), dtype)
    p.output("near", ops.knn(q, b, k=4))
    p.output("others", ops.knn(q, b, np.arange(30) % 3 == 0, k=4))
    p.output("distance", ops.l2_distance(q, b))
    p.output("spectrum", ops.rfft(b))
    p.output("frames", ops.stft(b.reshape(180), np.hanning(8).astype("f4"), step=4))
    p.output("root", ops.sqrt(b))
    p.output("half", ops.log(b, dtype="f16"))
    p.output("variance", ops.moments(b, outputs="variance").variance)
    if dtype != "bool":
        grid = b.reshape(2, 3, 30)
        p.output("groups", ops.group_norm(grid, groups=3))
        p.output("batch", ops.batch_norm(grid, mean=np.ones(3, "f4"), variance=np.full(3, 4, "f4"), eps=0))
        p.output("largest", ops.global_max_pool(grid))
        p.output("mean", ops.global_average_pool(grid))
        p.output("pooled", ops.avg_pool1d(b.reshape(1, 30, 6), kernel=[2]))
    found = p.compile().open()(base=base, queries=queries)
    floats = base.astype("f8")
    distance = np.sqrt(((queries.astype("f8")[:, None] - floats[None]) ** 2).sum(-1))
    assert np.allclose(found["distance"], distance**2, rtol=1e-5)
    assert found["near"].tolist() == np.argsort(distance, axis=1, kind="stable")[:, :4].tolist()
    others = np.where(np.arange(30) % 3 == 0, np.inf, distance)
    assert found["others"].tolist() == np.argsort(others, axis=1, kind="stable")[:, :4].tolist()
    spectra = np.fft.rfft(floats)
    assert np.allclose(found["spectrum"], np.stack([spectra.real, spectra.imag], -1), atol=1e-3)
    frames = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(floats.ravel(), 8)[::4] * np.hanning(8))
    assert np.allclose(found["frames"], np.stack([frames.real, frames.imag], -1), atol=1e-3)
    assert np.allclose(found["root"], np.sqrt(floats), rtol=1e-6) and found["root"].dtype == np.float32
    assert found["half"].dtype == np.float16
    assert np.allclose(found["variance"], floats.var(1), rtol=1e-5, atol=1e-5)
    if dtype != "bool":
        assert found["largest"].dtype == base.dtype and found["largest"].ravel().tolist() == base.reshape(6, 30).max(1).tolist()
        rows = floats.reshape(6, 30)
        normal = (rows - rows.mean(1, keepdims=True)) / np.sqrt(rows.var(1, keepdims=True) + 1e-5)
        assert np.allclose(found["groups"].reshape(6, 30), normal, rtol=1e-4, atol=1e-4) and found["groups"].dtype == np.float32
        assert np.allclose(found["batch"].reshape(6, 30), (rows - 1) / 2, rtol=1e-6)
        assert np.allclose(found["mean"].ravel(), floats.reshape(6, 30).mean(1), rtol=1e-6)
        assert np.allclose(found["pooled"].reshape(30, 5), (floats[:, 1:] + floats[:, :-1]) / 2)


@pytest.mark.parametrize("dtype, order", [("i64", "largest"), ("u64", "smallest"), ("i8", "smallest"), ("f32", "largest")])
def test_best_without(dtype: str, order: str) -> None:
    """More than kernels keep, or of 64 bits, where elements are left out: gaps follow behind all others."""
    random, n, k = np.random.default_rng(18), 1300, 1100
    value = random.standard_normal((2, n)).astype("f4").round(1) + np.float32(0) if dtype == "f32" else drawn(dtype, 2 * n, 19).reshape(2, n)
    out = random.random(n) < 0.3
    words = np.packbits(out, bitorder="little")
    words = np.append(words, np.zeros(-len(words) % 4, "u1")).view("u4")
    p = rp.Program("without")
    x, excluded = p.input("x", (2, n), dtype), p.input("excluded", len(words), "u32")
    found = ops.top_k_large(x, excluded, k=k, order=order, outputs=("values", "indices"))
    p.output("values", found.values)
    p.output("places", found.indices)
    mask = p.input("mask", n, "bool")
    p.output("by_mask", ops.top_k_large(x, mask, k=k, order=order))
    p.output("best", ops.top_k_large(x, mask, k=3, order=order))
    p.output("alone", ops.top_k(x, mask, k=3, order=order))
    if dtype == "i64":
        p.output("few", ops.top_k(x, excluded, k=5, order=order))
        with pytest.raises(rp.InvalidError, match="excluded has 2 words of 32 bits, but rows of x have 1300 elements"):
            ops.top_k(x, excluded[:2], k=5)
    result = p.compile().open()(x=value, excluded=words, mask=out)
    assert result["by_mask"].tolist() == result["places"].tolist() and result["best"].tolist() == result["places"][:, :3].tolist()
    assert result["alone"].tolist() == result["best"].tolist()
    kept = n - int(out.sum())
    for row in range(2):
        ranked = sorted((i for i in range(n) if not out[i]),
                        key=lambda i: (value[row, i].item() * (-1 if order == "largest" else 1), i))
        assert result["places"][row].tolist() == ranked[:k] + [2**32 - 1] * (k - kept)
        last = (-np.inf if order == "largest" else np.inf) if dtype == "f32" else getattr(np.iinfo(DTYPES[dtype]), "min" if order == "largest" else "max")
        assert result["values"][row].tolist() == [value[row, i].item() for i in ranked[:k]] + [last] * (k - kept)
        if dtype == "i64":
            assert result["few"][row].tolist() == ranked[:5]


@pytest.mark.parametrize("dtypes", [("i64", "i32"), ("u64", "u8"), ("i16", "i8"), ("bool", "u16")])
def test_products(dtypes: "tuple[str, str]") -> None:
    """Products of matrices of integers, wrapping: in 64 bits where an operand has so many, else in 32."""
    a, b = (drawn(d, n, 21).reshape(s) for d, n, s in ((dtypes[0], 2 * 3 * 5, (2, 3, 5)), (dtypes[1], 5 * 4, (5, 4))))
    wide = any("64" in d for d in dtypes)
    kind = ("i" if dtypes[0][0] == "i" else "u") + ("8" if wide else "4")
    with np.errstate(over="ignore"):
        wanted = (a.astype(kind)[..., None] * b.astype(kind)).sum(-2, dtype=kind)
    p = rp.Program("products")
    x, y = p.input("a", a.shape, dtypes[0]), p.input("b", b.shape, dtypes[1])
    p.output("plain", x @ y)
    p.output("turned", ops.matmul(x, ops.transpose(y), transpose_b=1))
    p.output("rows", ops.linear(x, ops.transpose(y)))
    p.output("vectors", ops.matvec(x[0, :1], ops.transpose(y)))
    p.output("columns", ops.matmul(ops.transpose(x), y, transpose_a=1))
    p.output("three", ops.einsum(x, y, y, equation="bmk,kn,kn->bn"))
    found = p.compile().open()(a=a, b=b)
    for name in ("plain", "turned", "rows", "columns"):
        assert found[name].dtype == np.dtype(kind) and found[name].tolist() == wanted.tolist(), name
    assert found["vectors"].tolist() == wanted[0, :1].tolist()
    with np.errstate(over="ignore"):
        three = (a.astype(kind).sum(1, dtype=kind)[..., None] * b.astype(kind) * b.astype(kind)).sum(1, dtype=kind)
    assert found["three"].tolist() == three.tolist()


@pytest.mark.parametrize("dtype", ["u8", "u64"])
def test_bits(dtype: str) -> None:
    """Sets of bits lie in integers of any size; seeds of 64 bits are their words."""
    base, queries = drawn(dtype, 40 * 8, 22).reshape(40, 8), drawn(dtype, 3 * 8, 23).reshape(3, 8)
    base[:5] = base[5:10] ^ 1
    p = rp.Program("bits")
    b, q = p.input("base", base.shape, dtype), p.input("queries", queries.shape, dtype)
    p.output("distance", ops.hamming(q, b))
    p.output("near", ops.knn(q, b, k=4, metric="hamming"))
    p.output("share", ops.jaccard_bits(q, b))
    p.output("drawn", ops.random_bits(p.constant(np.array([5 + (7 << 32)])), shape=9))
    p.output("same", ops.random_bits(p.constant(np.array([5, 7], "u4")), shape=9))
    found = p.compile().open()(base=base, queries=queries)
    sets = [np.unpackbits(v.view("u1").reshape(len(v), -1), axis=1).astype("i4") for v in (queries, base)]
    wanted = (sets[0][:, None] != sets[1][None]).sum(-1)
    assert found["distance"].tolist() == wanted.tolist()
    assert found["near"].tolist() == np.argsort(wanted, axis=1, kind="stable")[:, :4].tolist()
    both, either = (sets[0][:, None] & sets[1][None]).sum(-1), (sets[0][:, None] | sets[1][None]).sum(-1)
    assert np.allclose(found["share"], 1 - both / np.maximum(either, 1), atol=1e-6)
    assert found["drawn"].tolist() == found["same"].tolist()
    if dtype == "u8":
        with pytest.raises(rp.InvalidError, match=r"hamming: queries is u8\[3,7\], expected rows of a number of words of 32 bits"):
            ops.hamming(p.input("odd", (3, 7), "u8"), p.input("odd_base", (9, 7), "u8"))
