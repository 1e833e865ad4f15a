"""A caller who gets everything wrong gets exceptions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import reprise as rp
from reprise import ops


@pytest.fixture(scope="module")
def run(device) -> rp.Exec:
    p = rp.Program("hostile")
    p.live("n", 3, shape=4, dtype="i32", max=9)
    for dtype in ("f32", "f16", "i8", "u32", "bool", "bf16", "i64"):
        p.output("y_" + dtype, p.input("x_" + dtype, (2, 3), dtype))
    return p.compile().open(device)


class Lies:
    """Says that it is an array."""

    def __init__(self, **interface):
        self.__array_interface__ = {"version": 3, "shape": (2, 3), "typestr": "<f4", **interface}


class Raises:
    @property
    def __array_interface__(self):
        raise RuntimeError("mine")


VALUES = [None, "text", b"bytes", object(), {}, {"a": 1}, [[1, 2], [3]], [object()] * 6, 1 + 2j, np.zeros((2, 3), "c8"),
          np.array([["a"] * 3] * 2), np.zeros((2, 3), "M8[s]"), np.zeros((2, 3), object), np.zeros((3, 2), "f4"),
          np.zeros((2, 3, 1), "f4"), np.zeros((0, 3), "f4"), np.zeros(7, "f4"), np.float32(1), lambda: 1,
          np.zeros((2, 3), [("a", "f4")]), np.zeros((2, 3), "f8"), np.zeros((2, 3), "f4") + 0j, rp,
          rp.Tensor, iter([1]), float("nan"), 10**400, -(2**70), [2**70] * 6, np.void(b"123456"), Lies(),
          Lies(shape="x"), Raises()]


@pytest.mark.parametrize("dtype", ["f32", "f16", "i8", "u32", "bool", "bf16", "i64"])
def test_arrays(run, dtype):
    good = 0
    for value in VALUES:
        try:
            run.write("x_" + dtype, value)
            good += 1
        except (rp.InvalidError, rp.UsageError, TypeError, ValueError, OverflowError, RuntimeError):
            pass
    assert good <= 3  # arrays that are exactly right for one of the dtypes


def test_dtypes_are_not_converted(run):
    """Every NumPy dtype for every buffer: exactly those of the same values are taken, in any byte order."""
    takes = {"f32": ["f4", "f2"], "f16": ["f2"], "i8": ["i1"], "u32": ["u4"], "bool": ["?", "u1"], "bf16": ["f4", "u2"],
             "i64": ["i8"]}
    for (name, right), kind, order in itertools.product(
            takes.items(), ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"], "<>"):
        array = np.array([[0, 1, 0], [1, 1, 0]]).astype(order + kind)
        if kind in right:
            run.write("x_" + name, array)
            got = run(outputs=["y_" + name])["y_" + name]
            if kind != "u2":
                np.testing.assert_array_equal(got, array)
        else:
            with pytest.raises(rp.InvalidError, match="convert it"):
                run.write("x_" + name, array)
    with pytest.raises(rp.InvalidError):
        run.write("x_bool", np.full((2, 3), 2, "u1"))


def test_numbers(run):
    """Lists of Python numbers are converted where the dtype holds them."""
    run.write("x_i8", [[-128, 127, 0], [1, 2, 3]])
    run.write("x_f16", [[1, 2.5, 1e9], [float("nan"), float("inf"), 0]])
    for wrong in ([[128, 0, 0], [0, 0, 0]], [[-129, 0, 0], [0, 0, 0]], [[0.5, 0, 0], [0, 0, 0]]):
        with pytest.raises(rp.InvalidError):
            run.write("x_i8", wrong)
    for wrong in ([[-1, 0, 0], [0, 0, 0]], [[2**32, 0, 0], [0, 0, 0]], [[2**64, 0, 0], [0, 0, 0]]):
        with pytest.raises(rp.InvalidError):
            run.write("x_u32", wrong)


def test_names(run):
    for name in ("nothing", "", None, 3, b"x_f32", ("x",), "y_f32", "n"):
        with pytest.raises((rp.NotFoundError, rp.UsageError)):
            run.write(name, np.zeros((2, 3), "f4"))
    for name in ("nothing", None, [], "x_f32"):
        with pytest.raises((rp.NotFoundError, rp.UsageError)):
            run.read(name)
    with pytest.raises((rp.NotFoundError, rp.UsageError)):
        run(outputs=["x_f32"])
    for slot in (-1, 1, 10**20):
        with pytest.raises(rp.UsageError):
            run.read("y_f32", slot=slot)
    with pytest.raises(TypeError):
        run.read("y_f32", slot="0")


def test_live(run):
    run.set(n=[1, 2, 3, 9])
    run.set(n=0)
    run.set_at("n", 2, [5, 6])
    run.set(n=np.array([1, 2, 3, 4], "i4"))
    for wrong in ([1, 2, 3], [1] * 5, 10, [1, 2, 3, 10], 1.5, "1", None, object(), 2**31, -(2**40), np.zeros(4, "f4"),
                  np.zeros(4, "i8"), [[1], [2, 3]]):
        with pytest.raises((rp.InvalidError, TypeError)):
            run.set(n=wrong)
    for element, value in ((4, 1), (-1, 1), (3, [1, 2]), (0, [1] * 5)):
        with pytest.raises(rp.InvalidError):
            run.set_at("n", element, value)
    with pytest.raises(rp.NotFoundError):
        run.set(m=1)
    with pytest.raises(rp.UsageError):
        run.set(x_f32=1)


def test_calls(run):
    """What is no name, no time and no count is said to be that."""
    replay = run.submit()
    for timeout in (-1, float("nan"), -float("inf")):
        with pytest.raises(rp.UsageError, match="a timeout of"):
            replay.wait(timeout)
    assert replay.wait(float("inf")).done()
    for number in (-1, 10**6):
        with pytest.raises(rp.UsageError, match="replay"):
            run.wait(number)
    for rounds in (-1, 2**40):
        with pytest.raises(rp.UsageError, match="rounds"):
            run.profile(rounds=rounds)
    for wrong in (np.zeros((2, 3), "f4"), 3, [1]):
        with pytest.raises(TypeError, match="by name"):
            run(wrong)
        with pytest.raises(TypeError, match="expected a plan"):
            run.update(wrong)


def test_exec_parameters(run):
    for wrong in (dict(slots=0), dict(slots=65), dict(slots=-1), dict(tags="maybe")):
        with pytest.raises(rp.InvalidError):
            run.plan.open(run.device, **wrong)
    for wrong in (dict(slots="2"), dict(nothing=1), dict(switches=[3]), dict(weights=3, bind=3)):
        with pytest.raises((TypeError, AttributeError)):
            run.plan.open(run.device, **wrong)
    with pytest.raises(TypeError):
        rp.Exec(bytes(run.plan), run.device)


def test_with(device):
    """Whatever can be closed is closed by with."""
    with rp.Program() as p:
        p.output("y", p.input("x", 4) + 1)
        with p.graph() as graph, p.compile() as plan, plan.open(device) as run, device.storage(16) as storage, graph.inspect() as page:
            assert run(x=np.zeros(4, "f4"))[0] == 1 and page.html()
            inside = [graph, plan, run, storage, page, p]
    assert all(thing.closed for thing in inside) and not device.closed


def test_closed_objects(device):
    p = rp.Program()
    x = p.input("x", 4)
    y = p.output("y", ops.silu(x))
    k = p.kernel("k", "#version 450\nlayout(binding = 0) buffer B { float v; };\nvoid main() { v = 1; }\n")
    graph, plan = p.graph(), p.compile()
    p.close()
    with p.closed and pytest.raises(rp.UsageError, match="the program is closed"):
        x + 1
    for call in (lambda: ops.silu(y), lambda: k(B=x, grid=1), p.graph, lambda: p.input("z", 4),
                 lambda: p.output("w", x), lambda: p.live("l", 1), lambda: p.kernel("m",
                 "#version 450\nvoid main() {}\n")):
        with pytest.raises(rp.UsageError, match="is closed"):
            call()
    run = plan.open(device)
    plan.close()
    graph.close()
    np.testing.assert_allclose(run(x=np.zeros(4, "f4")), np.zeros(4))  # the exec keeps its plan
    for call in (graph.text, graph.compile, plan.text, lambda: bytes(plan), lambda: plan.open(device),
                 lambda: plan.save("nothing.rplan"), lambda: graph == graph, lambda: hash(graph)):
        with pytest.raises(rp.UsageError, match="is closed"):
            call()
    assert "closed" in repr(plan) and "closed" in repr(graph) and "closed" in repr(p)
    replay = run.submit(x=np.zeros(4, "f4"))
    run.close()
    for call in (lambda: run(), replay.result, replay.done, lambda: run.read("y"), lambda: run.map("x"), run.wait,
                 lambda: run.counters, lambda: run.profile(), lambda: run.update(plan)):
        with pytest.raises(rp.UsageError, match="closed"):
            call()
    other = rp.Device()
    run = rp.parse(PIPELINE).compile().open(other)
    storage = other.storage(64)
    other.close()
    for call in (lambda: run(), lambda: other.info, lambda: other.storage(64), lambda: storage.read(),
                 lambda: run.plan.open(other), lambda: run.map("x")):
        with pytest.raises(rp.UsageError, match="closed"):
            call()


PIPELINE = """
reprise: 1
buffers:
  x: {kind: in, dtype: f32, shape: [4]}
  y: {kind: out, dtype: f32, shape: [4]}
nodes:
  - {op: silu, x: x, out: y}
"""


def test_huge_sizes():
    """Sizes that no memory has are refused where they are said, or when a device is asked for them."""
    p = rp.Program()
    with pytest.raises(rp.InvalidError):
        p.input("a", (1 << 20, 1 << 20), "f64")
    x = p.input("x", (1 << 19, 1 << 19))
    p.output("y", ops.silu(x) if False else x[0:1])
    with pytest.raises(rp.InvalidError):
        ops.repeat(x, repeats=1 << 30)
    q = rp.Program()
    z = q.input("z", 1 << 38, "u8")
    q.output("w", z[5:9])
    with pytest.raises(rp.Error):
        q.compile().open()


def test_attributes():
    p = rp.Program()
    x = p.input("x", (4, 8))
    for wrong in ("1e-5", None.__class__, object(), [1, 2], {}, 1 + 1j):
        with pytest.raises((rp.InvalidError, TypeError)):
            ops.rms_norm(x, eps=wrong)
    for wrong in (-1, float("inf"), 1e300, float("nan")):
        try:
            ops.rms_norm(x, eps=wrong)
        except rp.InvalidError:
            pass
    for wrong in ([], [1, "a"], "zero", [1.5], [10**30], object(), range(20)):
        with pytest.raises((rp.InvalidError, TypeError)):
            ops.flip(x, axes=wrong)
    with pytest.raises(ValueError):
        ops.map("a\0", a=x)
    with pytest.raises(rp.InvalidError):
        ops.map("a" * 10000, a=x)
    with pytest.raises(rp.InvalidError):
        ops.map("+".join(f"a{i}" for i in range(30)), **{f"a{i}": x for i in range(30)})


def test_anything_with_anything(python):
    """Every public method of every kind of object, and every function, with arguments from everywhere, closed objects
    among them: exceptions, however often."""
    out = python('''
import inspect, random, warnings
import numpy as np
import reprise as rp
from reprise import ops

warnings.simplefilter("ignore")

def objects():
    p = rp.Program("p")
    n = p.live("n", 1, max=4)
    x = p.input("x", (4, 8))
    k = p.kernel("k", "#version 450\\nlayout(binding = 0) buffer B { float v[]; };\\nvoid main() { v[0] = 1; }\\n")
    p.output("y", x + n)
    plan = p.compile()
    run = plan.open(rp.device(), slots=2)
    return [p, n, x, 2 * n.as_size(), k, p.graph(), plan, run, run.submit(x=np.ones((4, 8), "f4")), rp.device(),
            rp.device().storage(64, host_visible=True), rp.Target("h200"), rp.function(lambda a: a + 1), rp.parse(
            "reprise: 1\\nbuffers: {y: {kind: out, dtype: f32, shape: [4]}}\\nnodes: [{fill: {to: y, value: 0}}]\\n")]

closed = [o for o in objects() if hasattr(o, "close") and not isinstance(o, rp.Device)]
for o in closed:
    o.close()
rng = random.Random(11)
count = 0
for round in range(3):
    living = objects()
    anything = [None, 0, 1, -1, 2**31, 2**63, 2**64, 10**30, 1.5, float("nan"), float("inf"), "", "x", "y", "n", "n0",
                "a" * 70000, "\\0", "\\ud800", b"", b"x", bytes(64), [], [1], [[1], [2, 3]], (), (4, 8), (2**62,) * 3,
                {}, {"x": 1}, {"y": None}, np.ones((4, 8), "f4"), np.ones(3), np.zeros(0, "f4"),
                np.ones((4, 8), ">f4")[::-1], object(), lambda *a: None, slice(None), Ellipsis, rp,
                np.float32(1), *living, *closed]
    skip = {"close", "release", "profile", "wait", "plans"}
    calls = [(o, name) for o in living for name in dir(type(o)) if name not in skip and callable(getattr(type(o), name))
             and (not name.startswith("_") or name in ("__getitem__", "__add__", "__matmul__", "__eq__", "__call__",
                                                       "__mod__", "__rsub__", "__contains__"))]
    functions = [(module, name) for module, names in ((rp, rp.__all__), (ops, ops.__all__)) for name in names
                 if callable(getattr(module, name)) and name not in ("Device", "device", "function", "Function")]
    for o, name in calls * 12 + functions * 3:
        arguments = [rng.choice(anything) for _ in range(rng.randrange(4))]
        try:
            keywords = list(inspect.signature(getattr(o, name)).parameters)
        except (TypeError, ValueError):
            keywords = []
        named = {rng.choice(keywords): rng.choice(anything) for _ in range(rng.randrange(3)) if keywords}
        named.pop("rounds", None)
        try:
            result = getattr(o, name)(*arguments, **named)
            repr(result)
            if hasattr(result, "__enter__") and not hasattr(result, "close"):
                with result:
                    pass
        except (rp.Error, TypeError, ValueError, LookupError, OverflowError, AttributeError, RuntimeError, OSError,
                MemoryError, NotImplementedError, ZeroDivisionError) as error:
            count += 1
        except UserWarning:
            pass
print("ended well", count)
''')
    assert "ended well" in out.stdout
