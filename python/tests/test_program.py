"""Programs: what is recorded, results, labels, live values and sizes, kernels of one's own, and places of errors."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import reprise as rp
from reprise import ops

SCALE = """#version 450
layout(local_size_x = 64) in;
layout(binding = 0) readonly buffer X { float v[]; } x;
layout(binding = 1) writeonly buffer Y { float v[]; } y;
layout(push_constant) uniform Push { uint count; float factor; vec2 more; } push;
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < push.count) y.v[i] = push.factor * x.v[i] + push.more.x + push.more.y;
}
"""


def line_of(text: str) -> int:
    lines = Path(__file__).read_text().splitlines()
    return next(n for n, line in enumerate(lines, 1) if text in line and "line_of" not in line)


def test_graph_is_what_was_called():
    p = rp.Program("recorded")
    x = p.input("x", (4, 8))
    w = p.weight("w", np.arange(8, dtype="f4"))
    with p.label("layer"):
        with p.label("norm"):
            h = ops.rms_norm(x, w, eps=1e-5)
        y = ops.silu(h)
    assert p.output("y", y) is y and y.name == "y"
    text = p.graph().text()
    assert "graph recorded" in text and "buf $y out f32[4,8]" in text
    assert 'op rms_norm {eps=1e-05} (r $x:f32[4,8], r $w:f32[8], w %_t0:f32[4,8]) label "layer/norm"' in text
    assert 'op silu (r %_t0:f32[4,8], w $y:f32[4,8]) label "layer"' in text
    assert p["y"] is y and "x" in p and "_t0" in p and "z" not in p


def test_outputs(device):
    """An input, a view, one tensor twice, and a live value are copied; nothing changes what was there."""
    p = rp.Program()
    x = p.input("x", (4, 8))
    gain = p.live("gain", [1.0, 2.0])
    y = x + 1
    p.output("a", y)
    p.output("b", y)
    p.output("c", y[2])
    p.output("d", x)
    p.output("e", gain)
    array = np.random.rand(4, 8).astype("f4")
    out = p.compile().open(device)(x=array)
    np.testing.assert_array_equal(out["a"], array + 1)
    np.testing.assert_array_equal(out["b"], array + 1)
    np.testing.assert_array_equal(out["c"], array[2] + 1)
    np.testing.assert_array_equal(out["d"], array)
    np.testing.assert_array_equal(out["e"], [1, 2])


def test_names():
    p = rp.Program()
    x = p.input("x", 4)
    with pytest.raises(rp.InvalidError, match="there is another of this name"):
        p.input("x", 4)
    for name in ("", "1a", "a-b", "a b", "ä", "a" * 5000 + "-"):
        with pytest.raises(rp.InvalidError, match="is not a name"):
            p.input(name, 4)
    with pytest.raises(rp.InvalidError, match="another of this name"):
        p.output("x", ops.silu(x))
    with pytest.raises(ValueError, match="zero byte"):
        p.input("a\0b", 4)
    with pytest.raises(rp.InvalidError):
        rp.Program("no name")
    p.input("t0", 4)
    p.output("y", ops.silu(x))
    assert p.graph().stats["nodes"] == 2  # the one whose output got no name, too


def test_place_of_a_mistake():
    """At the call, when it is made; the column is that of the call."""
    p = rp.Program()
    x = p.input("x", (4, 8))
    with pytest.raises(rp.InvalidError) as caught:
        y = 1 and ops.rms_norm(x, np.ones(9, "f4"))  # here
        del y
    error = caught.value
    assert (error.file, error.line) == (__file__, line_of("# here"))
    assert error.column in (0, 19)  # 0 before Python 3.11
    assert str(error).startswith(f"{__file__}:{error.line}")
    assert error.diagnostics[0].severity == "error" and "weight is f32[9]" in error.diagnostics[0].message
    with pytest.raises(rp.InvalidError) as caught:
        x.reshape(2, 16) + np.ones(5, "f4")  # broadcast
    assert caught.value.line == line_of("# broadcast")


def test_place_of_what_compiling_finds():
    """At the call as well: the library keeps where each node was made."""
    p = rp.Program()
    x = p.input("x", 4096)
    p.output("y", ops.silu(x))  # too large
    graph = p.graph()
    assert graph.place(0)[:2] == (__file__, line_of("# too large"))
    assert graph.place(1) is None
    narrow = rp.Target.parse("name: narrow\nstorage_range: 16\n")
    with pytest.raises(rp.UnsupportedError, match="target narrow") as caught:
        graph.compile(target=narrow, level=0)
    assert (caught.value.file, caught.value.line) == (__file__, line_of("# too large"))


def test_place_of_a_dispatch():
    """What only a graph shows of a dispatch is said at its line, when it is called."""
    p = rp.Program()
    k = p.kernel("scale", SCALE)
    x = p.input("x", 64)
    with pytest.raises(rp.InvalidError) as caught:
        k(x=x, y=x, threads=64, push={"count": 64, "factor": 1, "more": [0, 0]})  # written input
    assert p.graph().stats["nodes"] == 0  # it was not recorded
    assert (caught.value.file, caught.value.line) == (__file__, line_of("# written input"))


def test_kernel(device):
    p = rp.Program("own")
    k = p.kernel("scale", SCALE)
    assert k.local_size == (64, 1, 1) and k.push_bytes == 16
    assert k.bindings["x"].access == "r" and k.bindings["y"].access == "w"
    x = p.input("x", 100)
    y, z = p.temporary(100), p.result("z", 100)
    gain = p.live("gain", 2.0)
    k(x=x, y=y, threads=100, push={"count": 100, "factor": gain, "more": [0, 1]})
    data = np.array([100], "u4").tobytes() + np.array([0.5, 0, 0], "f4").tobytes()
    k(bind={"x": y, "y": z}, grid=(2, 1, 1), push=data, access={"y": "w"})
    run = p.compile().open(device)
    array = np.arange(100, dtype="f4")
    np.testing.assert_array_equal(run(x=array), (2 * array + 1) / 2)
    np.testing.assert_array_equal(run(x=array, gain=4.0), (4 * array + 1) / 2)


def test_kernel_sources(tmp_path: Path):
    p = rp.Program()
    (tmp_path / "half.glsl").write_text("#define HALF 0.5\n")
    file = tmp_path / "k.comp"
    file.write_text('#version 450\n#include "half.glsl"\nlayout(constant_id = 3) const uint N = 1;\n'
                    "layout(binding = 0) buffer B { float v[]; };\nvoid main() { v[N] = HALF * TIMES; }\n")
    k = p.kernel("file", file=str(file), defines={"TIMES": 3, "NEVER": False}, spec={3: 7})
    assert list(k.bindings) == ["B"]
    with pytest.raises(rp.InvalidError) as caught:
        p.kernel("bad", "#version 450\nvoid main() { nothing = 1; }\n")
    assert caught.value.line == 2 and "'nothing' : undeclared identifier" in str(caught.value)
    with pytest.raises(rp.InvalidError, match="one of the three"):
        p.kernel("none")
    with pytest.raises(rp.InvalidError):
        p.kernel("spirv", spirv=b"not SPIR-V")
    with pytest.raises(rp.InvalidError):
        p.kernel("file", SCALE)


@pytest.mark.parametrize("wrong, message", [
    (dict(threads=64), "x"),
    (dict(x=1), "grid and threads"),
    (dict(threads=64, grid=1), "grid and threads"),
    (dict(threads=0), "0"),
    (dict(threads=(1, 2, 3, 4)), "one to three"),
    (dict(threads=2**50), "32 bits"),
    (dict(nothing=np.ones(4, "f4"), threads=64), "no binding 'nothing': it has x, y"),
    (dict(threads=64, push={"cont": 1}), "cont"),
    (dict(threads=64, push={"count": 1.5}), "expected numbers for u32"),
    (dict(threads=64, push={"more": [1, 2, 3]}), "8 bytes of f32, got 12"),
    (dict(threads=64, push=b"123"), "multiple"),
    (dict(threads=64, access={"y": "maybe"}), "'maybe'"),
    (dict(threads="ceil_div(nothing, 2)"), "nothing"),
])
def test_wrong_dispatch(wrong, message):
    p = rp.Program()
    k = p.kernel("scale", SCALE)
    with pytest.raises(rp.Error, match=message):
        k(**wrong)
    p.output("y", p.input("x", 64) + 1)  # the program is as it was
    assert p.graph().stats["nodes"] == 1


def test_live_and_sizes(device, rng):
    """Shapes that follow live values: one plan for all sizes."""
    p = rp.Program("sized")
    tokens, batch = p.live("tokens", 1, max=6), p.live("batch", 1, max=2)
    x = p.input("x", (batch, tokens, 8))
    h = ops.rms_norm(x)
    assert len(h.shape) == 3 and isinstance(h.shape[1], rp.Size) and h.shape[2] == 8
    y = h.reshape(tokens.as_size() * batch.as_size(), 8)
    p.output("y", y * 2)
    p.output("transposed", ops.transpose(x.reshape(batch.as_size() * tokens.as_size(), 8)))
    p.output("last", x[:, -1] - x[..., 0, :])
    p.output("turned", x[:, ::-1, 6:1:-2])
    p.output("flat", ops.row_max(x.reshape(-1, 4)))
    p.output("best", ops.top_k(x, shape=(batch, tokens, batch)))
    assert x[:, None].reshape(tokens.as_size(), -1).shape == (tokens.as_size(), batch.as_size() * 8)
    with pytest.raises(rp.InvalidError, match="cannot be seen as"):
        x.reshape(-1, 5)
    with pytest.raises(TypeError, match="one that shapes show is left out"):
        ops.top_k(x, k=tokens)
    with pytest.raises(rp.InvalidError, match="follows live values"):
        x[:, 1:3]
    plan = p.compile()
    assert plan.buffer("x").sized and plan.shape("x", tokens=3, batch=2) == (2, 3, 8)
    with plan.open(device) as run:
        for t, b in ((1, 1), (6, 2), (3, 1), (0, 1), (5, 2)):
            array = rng.standard_normal((b, t, 8)).astype("f4")
            out = run(x=array, tokens=t, batch=b)
            want = array.astype("f8") / np.sqrt((array.astype("f8") ** 2).mean(-1, keepdims=True) + 1e-6)
            np.testing.assert_allclose(out["y"], 2 * want.reshape(-1, 8), rtol=1e-5)
            np.testing.assert_array_equal(out["transposed"], array.reshape(-1, 8).T)
            np.testing.assert_array_equal(out["last"], array[:, -1] - array[:, 0] if t else np.zeros((b, 8)))
            np.testing.assert_array_equal(out["turned"], array[:, ::-1, 6:1:-2])
            np.testing.assert_array_equal(out["flat"], array.reshape(-1, 4).max(axis=1))
            np.testing.assert_array_equal(out["best"], np.argsort(-array, axis=2)[:, :, :b])
        run.set(tokens=2, batch=1)
        with pytest.raises(rp.InvalidError, match=r"x is f32\[1, 2, 8\]"):
            run(x=np.zeros((1, 3, 8), "f4"))
        with pytest.raises(rp.InvalidError):
            run.set(tokens=7)
        with pytest.raises(rp.InvalidError):
            run.set(tokens=-1)


def test_ranges(device, rng):
    """A form of the plan for each range of a size, from calls and from YAML."""
    p = rp.Program("ranged")
    n, w = p.live("n", 1, max=40, ranges=[1, 8]), rng.standard_normal((16, 16)).astype("f4")
    p.output("y", ops.linear(p.input("x", (n, 16)), w))
    graph = p.graph()
    assert len(graph.forms) == 3 and graph.forms[2] is graph and "buf $x in f32[1,16]" in graph.forms[0].text()
    plan = graph.compile()
    assert plan.forms == ["n = 1", "n <= 8", "n <= 40"] and rp.Plan.from_bytes(bytes(plan)).forms == plan.forms
    with plan.open(device) as run:
        for size, form in ((1, 0), (2, 1), (0, 1), (40, 2), (1, 0)):
            x = rng.standard_normal((size, 16)).astype("f4")
            np.testing.assert_allclose(run(x=x, n=size), x.astype("f8") @ w.T.astype("f8"), rtol=1e-4, atol=1e-5)
            assert run.form() == form
    yaml = ("reprise: 1\nlive: {n: {max: 9, ranges: [4]}}\nbuffers:\n  x: {kind: in, dtype: f32, shape: [n]}\n"
            "  y: {kind: out, dtype: f32, shape: [n]}\nnodes:\n  - {op: neg, x: x, out: y}\n")
    assert rp.parse(yaml).compile().forms == ["n <= 4", "n <= 9"]
    with rp.parse(yaml.replace("[4]", "auto"), target="lavapipe").compile().open(device) as run:
        assert run.plan.forms == ["n = 1", "n <= 9"] and run(x=np.ones(3, "f4"), n=3).shape == (3,)
    q = rp.Program(target="lavapipe")
    m = q.live("m", 1, max=9, ranges="auto")
    q.output("y", -q.input("x", (m,)))
    assert len(q.graph().forms) == 2 and plan.info.name == "ranged"
    for wrong in ([8, 1], [40], [0], "all", [-1]):
        with pytest.raises(rp.InvalidError):
            p.live("other", 1, max=40, ranges=wrong)


def test_sizes():
    """Expressions of live values, equal when they are the same for all values."""
    p = rp.Program()
    n, m = p.live("n", 1, max=6).as_size(), p.live("m", [1, 2], max=5).as_size(1)
    assert 2 * n * m == m * (n * 2) and hash(2 * n) == hash(n * 2) and n + 1 != n and n != 3
    for size, want in ((3 * n + 1, "3 * $n + 1"), (n.min(4), "min($n, 4)"), (n.max(m), "max($n, $m[1])"),
                       (n.ceil_div(2), "ceil_div($n, 2)"), ((n + 5) // 2, "($n + 5) / 2"), (4 * m, "4 * $m[1]")):
        x = p.input(f"x{len(p._names)}", (size, 8))
        made = ops.row_sum(ops.transpose(x)).reshape(8)  # sizes that ops give
        assert ops.transpose(x).shape == (8, size) and made.shape == (8,)
        assert p._expression(x._marks[0]).replace(" ", "") == want.replace(" ", ""), p._expression(x._marks[0])
    y = p.input("y", (n, m, 4))
    h = ops.row_sum(y)
    assert h.shape == (n, m) and (h.shape[0] * 4).program is p
    assert p.input("z", (h.shape[0] * 4, 2)).shape[0] == 4 * n


def test_sizes_are_checked():
    p, q = rp.Program(), rp.Program()
    n = p.live("n", 1, max=6)
    size = n.as_size()
    assert p.input("v", (size * size, 4)).shape[0] == size * size
    many = size
    for _ in range(14):
        many = many * size
    with pytest.raises(rp.InvalidError, match="more than 15 times"):
        p.input("v15", (many * size,))
    with pytest.raises(TypeError):
        size + 1.5
    with pytest.raises(rp.InvalidError, match="different programs"):
        size + q.live("n", 1, max=6).as_size()
    with pytest.raises(rp.InvalidError, match="another program"):
        q.input("x", (n, 4))
    with pytest.raises(rp.InvalidError):
        p.input("z", (p.live("free", 1), 4))  # no largest value
    with pytest.raises(TypeError):
        p.input("w", (1.5, 4))
    with pytest.raises(TypeError):
        p.input("w", ("n", 4))
    for shape in ((), (-1, 4), (1 << 60,), (1 << 30, 1 << 30), (2,) * 9):
        with pytest.raises(rp.InvalidError):
            p.input("w", shape)


def test_state(device):
    """A state keeps its bytes from one replay to the next."""
    p = rp.Program("counting")
    total = p.state("total", 4)
    step = p.input("step", 4)
    ops.add(total, step, out=total)
    p.output("now", total)
    run = p.compile().open(device)
    for n in range(1, 4):
        np.testing.assert_array_equal(run(step=np.ones(4, "f4")), np.full(4, n))
    run.write("total", np.full(4, 10, "f4"))
    np.testing.assert_array_equal(run(step=np.ones(4, "f4"), outputs=["total"])["total"], np.full(4, 11))


def test_optional(device):
    p = rp.Program()
    x = p.input("x", 4)
    y = p.result("y", 4)
    ops.copy(x, out=y)
    with p.optional("extra"):
        ops.add(y, x, out=y)
    with p.compile().open(device, switches=["extra"]) as run:
        np.testing.assert_array_equal(run(x=np.ones(4, "f4")), np.full(4, 2))
        run.enable("extra", False)
        np.testing.assert_array_equal(run(x=np.ones(4, "f4")), np.ones(4))
        with pytest.raises(rp.NotFoundError):
            run.enable("nothing")
    with pytest.raises(rp.NotFoundError):
        p.compile().open(device, switches=["nothing"])


def test_weights_and_constants(device, rng):
    """Arrays of every dtype come back as they went in."""
    p = rp.Program()
    arrays = {}
    for name in ("f32", "f16", "i8", "u8", "i16", "u16", "i32", "u32", "bool", "f64", "i64", "u64"):
        dtype = "?" if name == "bool" else name[0] + str(int(name[1:]) // 8)
        arrays[name] = (rng.random((3, 4)) * 100).astype(dtype)
        p.output("out_" + name, p.weight("w_" + name, arrays[name]))
    half = rng.standard_normal((3, 4)).astype("f4")
    p.output("out_bf16", p.weight("w_bf16", half, dtype="bf16"))
    big = arrays["i32"].astype(">i4")
    p.output("out_big", p.constant(big))
    p.output("out_cut", p.constant(arrays["f32"][::2, ::-1]))
    p.output("out_scalar", p.constant(np.float32(3)))
    same = np.ones(4, "f4")
    assert p.constant(same) is p.constant(same)
    out = p.compile().open(device)()
    for name, array in arrays.items():
        assert out["out_" + name].dtype == array.dtype
        np.testing.assert_array_equal(out["out_" + name], array)
    np.testing.assert_array_equal(out["out_big"], arrays["i32"])
    np.testing.assert_array_equal(out["out_cut"], arrays["f32"][::2, ::-1])
    np.testing.assert_array_equal(out["out_scalar"], [3])
    np.testing.assert_allclose(out["out_bf16"], half, rtol=2 ** -8)
    assert out["out_bf16"].dtype == np.float32
    bits = half.view("u4")
    even = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16 << 16).view("f4")
    np.testing.assert_array_equal(out["out_bf16"], even)


def test_blocks(device, rng):
    """Block-quantised weights are bytes of blocks."""
    codes = rng.integers(-127, 127, (2, 1, 32)).astype("i1")
    scale = np.array([[0.5], [2.0]], "f2")
    blocks = np.concatenate([scale.view("u1").reshape(2, 1, 2), codes.view("u1")], -1).reshape(2, 34)
    p = rp.Program()
    w = p.weight("w", blocks, dtype="q8_0")
    assert w.shape == (2, 32)
    p.output("y", ops.dequantize(w))
    want = codes.reshape(2, 32) * scale.astype("f4")
    np.testing.assert_array_equal(p.compile().open(device)(), want)
    with pytest.raises(rp.InvalidError, match="takes bytes, 34 for 32"):
        p.weight("v", blocks[:, :33], dtype="q8_0")


def test_threads():
    """Several threads record; every call is there, with its own operands."""
    p = rp.Program()
    x = p.input("x", 8)
    tensors = []

    def record(k: int) -> None:
        for i in range(20):
            tensors.append(ops.scale(x, factor=k * 100 + i + 2))

    threads = [threading.Thread(target=record, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = p.graph().text()
    for k in range(4):
        for i in range(20):
            assert f"op scale {{factor={k * 100 + i + 2}}} (r $x:f32[8]" in text
    assert len({t.name for t in tensors}) == 80
