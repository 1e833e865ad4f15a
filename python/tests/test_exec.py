"""Execs: arrays in and out, futures, slots, storage, maps, updates, profiles; and plans and graphs."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading

import numpy as np
import pytest
import reprise as rp
from reprise import ops

N = 256


@pytest.fixture(scope="module")
def plan() -> rp.Plan:
    """y = gain * w * x + 1, and the largest of y."""
    p = rp.Program("twice")
    x, w = p.input("x", (4, N)), p.weight("w", np.full(N, 2, "f4"))
    y = x * w * p.live("gain", 1.0) + 1
    p.output("y", y)
    p.output("top", ops.row_max(y))
    return p.compile()


def inputs(k: float) -> np.ndarray:
    return np.arange(4 * N, dtype="f4").reshape(4, N) * np.float32(k)


def right(out, k: float, gain: float = 1) -> bool:
    want = inputs(k) * 2 * np.float32(gain) + 1
    return np.array_equal(out["y"], want) and np.array_equal(out["top"], want.max(-1))


def test_call(device, plan):
    with plan.open(device) as run:
        assert right(run(x=inputs(1)), 1)
        assert right(run({"x": inputs(2)}, gain=0.5), 2, 0.5)
        assert right(run(), 2, 0.5)  # inputs and live values stay
        only = run(outputs=["top"])
        assert list(only) == ["top"]
        assert run(outputs=[]) == {}
        run.set(gain=3)
        run.write("x", inputs(1))
        run.write("w", np.full(N, 4, "f4"))
        run()
        np.testing.assert_array_equal(run.read("y"), inputs(1) * 12 + 1)
        assert run.counters["replays"] == 6 and run.completed == 6
        assert run.counters["barriers"] >= 0 and run.gpu_seconds() is None
    with plan.open(device, timestamps=True) as run:
        run(x=inputs(1))
        assert run.gpu_seconds() > 0


def test_futures(device, plan):
    """Slots replay side by side; results may be asked for in any order, once or twice."""
    with plan.open(device, slots=3) as run:
        replays = [run.submit(x=inputs(k + 1), slot=k, gain=k + 1) for k in range(3)]
        assert [r.number for r in replays] == [1, 2, 3]
        for k in (2, 0, 1):
            assert right(replays[k].result(timeout=60), k + 1, k + 1)
            assert replays[k].done() and right(replays[k].wait().result(), k + 1, k + 1)
        again = [run.submit(x=inputs(k), slot=0) for k in (5, 6)]  # one slot: the one behind the other
        run.wait()
        assert right(again[0].result(), 5) and right(again[1].result(), 6)
        with pytest.raises(rp.UsageError):
            run.wait(99)
        with pytest.raises(rp.UsageError, match="slot 3"):
            run.submit(slot=3)


def test_await(device, plan):
    async def main() -> None:
        with plan.open(device, slots=2) as run:
            first, second = run.submit(x=inputs(1)), run.submit(x=inputs(2), slot=1)
            assert right(await first, 1) and right(await second, 2)

    asyncio.run(main())


def test_threads(device, plan):
    """Many threads on one exec, each with a slot of its own, and on one slot."""
    wrong = []
    with plan.open(device, slots=4) as run:
        def work(slot: int) -> None:
            for k in range(10):
                if not right(run(x=inputs(slot * 100 + k), slot=slot, gain=slot + 1), slot * 100 + k, slot + 1):
                    wrong.append((slot, k))

        threads = [threading.Thread(target=work, args=(slot,)) for slot in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        def same(k: int) -> None:
            if not right(run.submit(x=inputs(k), slot=0).result(), k):
                wrong.append(k)

        threads = [threading.Thread(target=same, args=(k,)) for k in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_arrays(device, plan):
    """What is taken as an array, and in which forms."""
    class Foreign:
        """An array of another library: DLPack alone."""

        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **options):
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self):
            return (1, 0)

    x = inputs(1)
    with plan.open(device) as run:
        for given in (x.astype(">f4"), np.asfortranarray(x), x[::-1][::-1], x.tolist(), Foreign(x.copy()),
                      x.reshape(4, N).view(), memoryview(x), x.astype("f2")):
            assert right(run(x=given), 1)
        read_only = x.copy()
        read_only.flags.writeable = False
        assert right(run(x=read_only), 1)


def test_storage(device, plan):
    """Execs share what they are bound to, and hold it."""
    weights = device.storage(np.full(N, 3, "f4"))
    between = device.storage(4 * 4 * N, name="between", host_visible=True)
    assert weights.nbytes == 4 * N and between.nbytes == 16 * N
    first = plan.open(device, bind={"w": weights, "y": between})
    second = plan.open(device, bind={"x": (between, 0), "w": weights})
    weights.close()  # the execs hold it
    first(x=inputs(1), outputs=["top"])
    out = second()
    want = (inputs(1) * 3 + 1) * 3 + 1
    np.testing.assert_array_equal(out["y"], want)
    np.testing.assert_array_equal(between.numpy("f32", (4, N)), inputs(1) * 3 + 1)
    np.testing.assert_array_equal(between.read("f32", (N,), offset=4 * N), (inputs(1) * 3 + 1)[1])
    view = np.from_dlpack(between)
    assert view.nbytes == between.nbytes
    between.write(np.zeros((4, N), "f4"))
    assert not view.any()
    second()
    np.testing.assert_array_equal(second.read("y"), np.ones((4, N)))
    with pytest.raises(rp.UsageError, match="closed"):
        weights.read()
    with pytest.raises(rp.UsageError, match="closed"):
        first.bind(w=weights)
    for wrong in ({"nothing": between}, {"x": (between, 3)}, {"x": (between, 16 * N)}, {"x": (between, -256)}):
        with pytest.raises((rp.UsageError, rp.NotFoundError)):
            plan.open(device, bind=wrong)
    with pytest.raises(TypeError):
        plan.open(device, bind={"x": np.zeros(4)})
    other = device.storage(4 * N)
    second.bind(w=other)
    other.write(np.full(N, 5, "f4"))
    second.write("w", np.full(N, 5, "f4"))


def test_storage_wrong(device):
    s = device.storage(64)
    for wrong in (0, -1, 1 << 50):
        with pytest.raises(rp.InvalidError):
            device.storage(wrong)
    with pytest.raises(rp.InvalidError):
        device.storage(np.array([object()]))
    for call in (lambda: s.read("f32", (17,)), lambda: s.read("f32", (4,), offset=60), lambda: s.read(offset=-4),
                 lambda: s.write(np.zeros(65, "u1")), lambda: s.write(np.zeros(4, "u1"), offset=62),
                 lambda: s.read("f32", (1 << 62, 1 << 62))):
        with pytest.raises(rp.UsageError):
            call()
    with pytest.raises(rp.InvalidError):
        s.read("f32", (-4, -4))
    visible = device.storage(64, host_visible=True)
    with pytest.raises(rp.UsageError):
        visible.numpy("f32", (17,))
    with pytest.raises(rp.InvalidError):
        visible.numpy("f32", (-1,))
    array = visible.numpy("f32")
    array[:] = 7
    visible.close()
    assert (array == 7).all()  # the array holds the memory


def test_map(device, plan):
    """No copy: where the device's memory is the host's. It outlives the exec, and the device's close()."""
    run = plan.open(device)
    x, y = run.map("x"), run.map("y")
    assert x.shape == (4, N) and x.dtype == np.float32
    x[:] = inputs(1)
    run(outputs=[])
    np.testing.assert_array_equal(y, inputs(1) * 2 + 1)
    with pytest.raises(rp.UsageError):
        run.map("gain")
    with pytest.raises(rp.NotFoundError):
        run.map("nothing")
    run.close()
    np.testing.assert_array_equal(y, inputs(1) * 2 + 1)
    y[:] = 0


def test_update(device, plan):
    p = rp.Program("another")
    x, w = p.input("x", (4, N)), p.weight("w", np.full(N, 2, "f4"))
    y = x * w * p.live("gain", 1.0) + 2
    p.output("y", y)
    p.output("top", ops.row_max(y))
    with plan.open(device) as run:
        run(x=inputs(1))
        report = run.update(p.compile())
        assert report["buffers_kept"] == 5
        np.testing.assert_array_equal(run()["y"], inputs(1) * 2 + 2)
        q = rp.Program("other")
        q.output("z", ops.silu(q.input("x", 4)))
        with pytest.raises(rp.InvalidError):
            run.update(q.compile())
        np.testing.assert_array_equal(run()["y"], inputs(1) * 2 + 2)


def test_profile(device, plan):
    with plan.open(device) as run:
        run(x=inputs(1))
        before = run.read("y")
        profile = run.profile(rounds=2, warm_up=1)
        np.testing.assert_array_equal(run.read("y"), before)
    assert profile.rounds == 2 and profile.whole.median > 0
    assert len(profile.nodes) == plan.info.nodes and len(profile.groups) == plan.info.groups
    assert all(g.barrier is None or g.barrier.median >= g.barrier.least >= 0 for g in profile.groups)
    assert "us a replay" in str(profile) and "<table>" in profile._repr_html_()


def test_device(device):
    infos = rp.devices()
    assert device.info in infos and device.info.suitable
    assert device.target.figures["subgroup"] > 0 and device.counters["memory_bytes"] >= 0
    assert device.memory.heap > 0 and device.messages() == []
    device.trim()
    assert rp.device() is device
    with pytest.raises(rp.NoDeviceError):
        rp.Device("no such device")
    with pytest.raises(ValueError):
        rp.Device("a\0b")


# ---- Plans and graphs ----------------------------------------------------------------------------


def test_plan(device, plan, tmp_path):
    plan.check()
    assert plan.name == "twice" and plan.info.barriers >= plan.info.barrier_bound
    assert {b.kind for b in plan.buffers.values()} == {"in", "out", "weight", "live"}
    assert plan.buffer("x").shape == (4, N) and plan.buffer("x").dtype == "f32"
    assert all(k.spirv for k in plan.kernels) and isinstance(plan.needs, list)
    assert plan.unwritten("y") == [] and "graph twice" in plan.text() and "op map" in plan.source_text()
    assert plan.source == plan.source and plan.source != plan.graph
    assert [r.name for r in plan.reports][:2] == ["dce", "rename"]
    assert "barriers (at least" in str(plan) and "dce" in str(plan)
    path = tmp_path / "twice.rplan"
    plan.save(path)
    assert path.read_bytes() == bytes(plan)
    rp.save_weights(tmp_path / "w.safetensors", plan.weights)
    again = rp.open_plan(path, weights=rp.open_weights(tmp_path / "w.safetensors"))
    assert again.reports == [] and right(again.open(device)(x=inputs(1)), 1)
    carried = pickle.loads(pickle.dumps(plan))
    assert right(carried.open(device)(x=inputs(1)), 1)
    assert bytes(rp.Plan.from_bytes(bytes(plan))) == bytes(plan)
    bare = rp.open_plan(path)
    assert right(bare.open(device, weights={"w": np.full(N, 2, "f4")})(x=inputs(1)), 1)
    for name in ("nothing", 3):
        with pytest.raises(rp.NotFoundError):
            plan.buffer(name)
    with pytest.raises(TypeError):
        copy.copy(plan)


def test_damaged_plans(plan, tmp_path, rng):
    data = bytes(plan)
    for wrong in (10**13, None, "text", [1]):
        with pytest.raises(TypeError):
            rp.Plan.from_bytes(wrong)
    for cut in (0, 1, 100, len(data) - 1):
        with pytest.raises(rp.Error):
            rp.Plan.from_bytes(data[:cut])
    for _ in range(50):
        broken = bytearray(data)
        broken[rng.integers(len(data))] ^= 1 << rng.integers(8)
        with pytest.raises((rp.DamagedError, rp.VersionError)):
            rp.Plan.from_bytes(bytes(broken))
    with pytest.raises(rp.FileError):
        rp.open_plan(tmp_path / "nothing.rplan")
    with pytest.raises(rp.FileError):
        plan.save(tmp_path / "no" / "folder.rplan")
    with pytest.raises(ValueError):
        rp.open_plan("a\0b")


def test_graph(plan):
    graph = plan.source
    text = graph.text()
    assert rp.Graph(text) == graph and hash(rp.Graph(text)) == hash(graph) and graph != 3
    assert graph.json()["graph"] == "twice" and graph.dot().startswith("digraph")
    assert graph.stats["dispatches"] == graph.stats["nodes"] and graph.diff(graph) == ""
    assert graph.diff(plan.graph) != ""
    with pytest.raises(rp.InvalidError) as caught:
        rp.Graph("reprise 1\ngraph g {\n  nonsense\n}\n", "g.rpir")
    assert (caught.value.file, caught.value.line) == ("g.rpir", 3)
    parsed = rp.Graph(text, "g.rpir")
    assert parsed.place(0)[0] == "g.rpir" and parsed.place(0)[1] > 1
    seen, told = [], []
    first = graph.compile(observer=lambda i, report, g: seen.append((i, report and report.name, g.stats["nodes"])),
                          progress=lambda what, done, total: told.append((what, done, total)))
    assert seen[0][:2] == (-1, None) and [s[1] for s in seen[1:]] == [r.name for r in first.reports]
    assert bytes(first) == bytes(graph.compile()) and graph.compile(passes="lower,schedule,place,sync").info.nodes
    for wrong in (dict(level=3), dict(level="1"), dict(passes="nothing"), dict(passes="sync")):
        with pytest.raises((rp.InvalidError, rp.UsageError)):
            graph.compile(**wrong)
    with pytest.raises(rp.NotFoundError):
        graph.compile(target="nothing")
    with pytest.raises(TypeError):
        graph.compile(target=3)


def test_comparing_from_both_sides(plan):
    """Two threads compare the same two graphs, each from its own side."""
    a, b = plan.graph, plan.source
    pairs = [(a, b), (b, a)] * 2
    threads = [threading.Thread(target=lambda x=x, y=y: [(x == y, x.diff(y)) for _ in range(50)]) for x, y in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_callbacks_raise(plan):
    """What a callback raises comes out of the call, and stops it; the graph is as it was."""
    graph = plan.source

    def stop(*unused):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        graph.compile(observer=stop)
    calls = []

    def late(index, report, g):
        calls.append(index)
        if index == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        graph.compile(observer=late)
    assert calls[-1] == 2
    with pytest.raises(KeyError):
        rp.parse("reprise: 1\nbuffers: {y: {kind: out, dtype: f32, shape: [4]}}\nkernels: {k: {glsl: k.comp}}\n"
                 "nodes: [{fill: {to: y, value: 0}}]\n", progress=stop, path=__file__)
    assert graph.compile().info.nodes


def test_targets():
    assert rp.Target.builtin()[0] == "portable"
    target = rp.Target("h200")
    assert rp.Target.parse(str(target)).figures == target.figures and target.name == "h200"
    with pytest.raises(rp.NotFoundError, match="portable"):
        rp.Target("nothing")
    with pytest.raises(rp.InvalidError) as caught:
        rp.Target.parse("name: x\nnothing: 3\n", "my.target")
    assert (caught.value.file, caught.value.line) == ("my.target", 2)


def test_function(device, rng):
    traced = []

    @rp.function(device=device, level=2)
    def norm(x, w, power=1, *, names=False):
        traced.append(x.shape)
        y = ops.rms_norm(x, w)
        for _ in range(power - 1):
            y = y * y
        return {"y": y, "top": ops.row_max(y)} if names else y

    for rows in (2, 4, 2):
        x, w = rng.standard_normal((rows, 8)).astype("f4"), rng.standard_normal(8).astype("f4")
        want = x.astype("f8") / np.sqrt((x.astype("f8") ** 2).mean(-1, keepdims=True) + 1e-6) * w
        np.testing.assert_allclose(norm(x, w), want, rtol=1e-5)
    assert traced == [(2, 8), (4, 8)] and len(norm.plans()) == 2
    np.testing.assert_allclose(norm(x, w=w, power=2), want ** 2, rtol=1e-5)
    out = norm(x, w, names=True)
    np.testing.assert_allclose(out["top"], want.max(-1), rtol=1e-5)
    with pytest.raises(TypeError):
        norm(x)
    with pytest.raises(rp.InvalidError, match="weight is"):
        norm(x, np.ones(9, "f4"))
    with pytest.raises(rp.InvalidError, match="expected a tensor"):
        rp.function(lambda x: 3)(x)
    summed = rp.function(lambda x, axes, scale: ops.reduce_sum(x, axes=axes) * scale, device=device)
    np.testing.assert_allclose(summed(x, (0, 1), np.float32(2)), [2 * x.sum(dtype="f8")], rtol=1e-5)
    np.testing.assert_allclose(summed(x, axes=(0,), scale=1), x.sum(0, dtype="f8"), rtol=1e-5)
    np.testing.assert_allclose(summed(x, [0], 1), x.sum(0, dtype="f8"), rtol=1e-5)
    times = rp.function(lambda x, by: x * by, device=device)  # equal constants of other types are others
    ones = np.ones(2, "i4")
    assert [times(ones, by).dtype for by in (2, 2.0, np.float32(2), 2)] == ["i4", "f4", "f4", "i4"] and len(times.plans()) == 3
    nested = rp.function(lambda *parts, scale, **more: {"y": parts[0]["a"] * scale[0] + parts[1][0] - more["é"]}, device=device)
    got = nested({"a": ones, "n": 1}, [ones], scale=(3, "x"), é=5 * ones)
    assert got["y"].tolist() == [-1, -1] and len(nested.plans()) == 1
    assert rp.function(lambda out0: out0 + 1, device=device)(ones).tolist() == [2, 2]
    with pytest.raises(rp.InvalidError, match="argument 'by' has a set"):
        times(ones, {1})
    first, second = rp.function(lambda x: (x + 1, x * 2))(x)
    np.testing.assert_array_equal(first, x + 1)
    np.testing.assert_array_equal(second, x * 2)
