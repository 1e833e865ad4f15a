"""Pipelines in YAML from Python: parameters, data, messages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import reprise as rp
from conftest import ROOT

TEXT = """reprise: 1
name: pipe
params: {n: 8, k: 1.5}
live: {gain: {dtype: f32, default: 2.0}}
buffers:
  x: {kind: in, dtype: f32, shape: [2, n], data: x.npy}
  w: {kind: weight, dtype: f32, shape: [n], data: {file: m.safetensors, tensor: norm}}
  y: {kind: out, dtype: f32, shape: [2, n]}
nodes:
  - {op: rms_norm, x: x, weight: w, out: h}
  - {map: "h * gain * k", out: y}
"""


def folder(tmp_path: Path, n: int) -> "tuple[np.ndarray, np.ndarray]":
    x, w = np.arange(2 * n, dtype="f4").reshape(2, n), np.linspace(0, 1, n, dtype="f4")
    np.save(tmp_path / "x.npy", x)
    rp.save_weights(tmp_path / "m.safetensors", {"norm": w, "other": np.zeros(3)})
    (tmp_path / "pipe.yaml").write_text(TEXT)
    return x, w


def want(x, w, factor):
    x = x.astype("f8")
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6) * w * factor


def test_load(device, tmp_path):
    x, w = folder(tmp_path, 6)
    pipeline = rp.load(tmp_path / "pipe.yaml", n=6, k="3 / 2.0")
    assert {d.buffer for d in pipeline.data} == {"x", "w"} and pipeline.place(0) == (str(tmp_path / "pipe.yaml"), 10, 5)
    run = pipeline.compile().open(device)
    np.testing.assert_allclose(run(), want(x, w, 3.0), rtol=1e-5)
    np.testing.assert_allclose(run(x=2 * x, gain=1.0), want(2 * x, w, 1.5), rtol=1e-5)
    again = rp.parse(TEXT, path=tmp_path / "anything.yaml", params={"n": 6, "k": 0.5}, flat=True)
    np.testing.assert_allclose(again.compile().open(device)(), want(x, w, 1.0), rtol=1e-5)
    assert "params" not in again.flat and rp.load(tmp_path / "pipe.yaml", n=6).flat is None


def test_weights(tmp_path):
    folder(tmp_path, 6)
    with rp.open_weights(tmp_path / "m.safetensors") as file:
        assert list(file) == ["norm", "other"] or set(file) == {"norm", "other"}
        array = file["norm"]
        assert not array.flags.writeable and len(file) == 2 and "nothing" not in file
        with pytest.raises(KeyError):
            file["nothing"]
    np.testing.assert_array_equal(array, np.linspace(0, 1, 6, dtype="f4"))  # it keeps the file
    with pytest.raises(rp.UsageError):
        file["norm"]
    with pytest.raises(rp.FileError):
        rp.open_weights(tmp_path / "nothing.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"123")
    with pytest.raises(rp.Error):
        rp.open_weights(tmp_path / "bad.safetensors")
    everything = {k: np.arange(6).reshape(2, 3).astype(k) for k in
                  ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", ">i4")}
    everything["scalar"] = np.float32(3)
    rp.save_weights(tmp_path / "all.safetensors", everything)
    back = rp.open_weights(tmp_path / "all.safetensors")
    for name, value in everything.items():
        np.testing.assert_array_equal(back[name], value)
        assert back[name].dtype == np.asarray(value).dtype.newbyteorder("=")
    with pytest.raises(rp.InvalidError):
        rp.save_weights(tmp_path / "c.safetensors", {"c": np.zeros(3, "c8")})
    assert not list(tmp_path.glob("*.new"))


def test_bf16_of_files(device, tmp_path):
    """bf16 of a file fits bf16 as it is, and f32 widened; u16 of a file is numbers."""
    bits = np.array([0x3F80, 0xC000, 0x7F80, 0x0000], "u2")
    rp.save_weights(tmp_path / "b.safetensors", {"a": bits.view(rp.Bf16), "b": bits.view(rp.Bf16), "u": bits})
    p = rp.Program()
    for name, dtype in (("a", "bf16"), ("b", "f32"), ("u", "u16")):
        p.output("y_" + name, p.weight(name, shape=4, dtype=dtype))
    out = p.compile().open(device, weights=rp.open_weights(tmp_path / "b.safetensors"))()
    for name in "ab":
        np.testing.assert_array_equal(out["y_" + name], np.array([1, -2, np.inf, 0], "f4"))
    np.testing.assert_array_equal(out["y_u"], bits)
    q = rp.Program()
    q.output("y", q.weight("u", shape=4, dtype="f32"))
    with pytest.raises(rp.InvalidError, match="u is f32"):
        q.compile().open(device, weights=rp.open_weights(tmp_path / "b.safetensors"))


def test_missing_data(device, tmp_path):
    (tmp_path / "pipe.yaml").write_text(TEXT)
    plan = rp.load(tmp_path / "pipe.yaml").compile()
    with pytest.raises(rp.FileError):
        plan.open(device)


@pytest.mark.parametrize("change, line, message", [
    (("op: rms_norm", "op: rms"), 10, "there is no op 'rms'"),
    (("kind: in", "knd: in"), 6, "unknown key 'knd'"),
    (("h * gain", "h * gian"), 11, "gian"),
    (("reprise: 1", "reprise: 7"), 1, "7"),
    (("shape: [n]", "shape: [n + 1]"), 10, "weight is f32[9]"),
])
def test_messages(change, line, message):
    """At file, line and column, as from the command line."""
    with pytest.raises(rp.InvalidError) as caught:
        rp.parse(TEXT.replace(*change), path="some/pipe.yaml")
    error = caught.value
    assert error.file.endswith("pipe.yaml") and error.line == line and error.column > 0 and message in str(error)


def test_wrong_calls(tmp_path):
    with pytest.raises(rp.FileError):
        rp.load(tmp_path / "nothing.yaml")
    with pytest.raises(rp.InvalidError, match="m"):
        rp.parse(TEXT, m=3)
    for wrong in (object(), [1], None, 1j):
        with pytest.raises(TypeError):
            rp.parse(TEXT, n=wrong)
    for text in ("", "nonsense", "a: [", "\x01", "- 1"):
        with pytest.raises(rp.InvalidError):
            rp.parse(text)
    with pytest.raises(ValueError):
        rp.parse("reprise: 1\0")
    with pytest.raises(TypeError):
        rp.parse(3)


def test_images(device, rng):
    """Images are arrays of their texels, in and out."""
    text = """
reprise: 1
buffers:
  a: {kind: in, image: rgba8, extent: [6, 5]}
  b: {kind: out, image: rgba8, extent: [6, 5]}
  c: {kind: out, image: rgba8, extent: [3, 2]}
nodes:
  - copy: {from: a, to: b}
  - clear: {to: c, value: [0, 1, 0, 1]}
"""
    plan = rp.parse(text).compile()
    assert plan.buffer("a").image and plan.buffer("a").shape == (5, 6, 4) and plan.buffer("a").dtype == "u8"
    texels = rng.integers(0, 256, (5, 6, 4)).astype("u1")
    with plan.open(device) as run:
        out = run(a=texels)
        np.testing.assert_array_equal(out["b"], texels)
        np.testing.assert_array_equal(out["c"], np.broadcast_to(np.array([0, 255, 0, 255], "u1"), (2, 3, 4)))
        with pytest.raises(rp.UnsupportedError):
            run.map("b")


def test_live_blocks(device):
    """Raw live values are set by bytes."""
    text = """
reprise: 1
live: {n: 1, v: {shape: [3], dtype: f32, default: [1, 2, 3]}}
buffers:
  y: {kind: out, dtype: f32, shape: [3]}
nodes: [{map: "v * f32(n)", bind: {v: v, n: n}, out: y}]
"""
    with rp.parse(text).compile().open(device) as run:
        np.testing.assert_array_equal(run(n=3), [3, 6, 9])
        np.testing.assert_array_equal(run({"v": [2, 2, 2], "n": 2}), [4, 4, 4])
        run.set_at("v", 1, 7.0)
        assert list(run(outputs="y")) == ["y"] and list(run()) == [4, 14, 4]


def test_warnings_are_warnings():
    with pytest.warns(rp.RepriseWarning, match="no node writes"):
        rp.parse("reprise: 1\n"
                 "buffers: {y: {kind: out, dtype: f32, shape: [4]}, z: {kind: out, dtype: f32, shape: [4]}}\n"
                 "nodes: [{fill: {to: y, value: 0}}]\n")


def test_examples():
    """Pipelines of the repository, through Python as they are."""
    found = 0
    for path in sorted((ROOT / "examples/ops").glob("*.yaml"))[:6]:
        graph = rp.load(path)
        assert graph.stats["nodes"] > 0
        found += 1
    assert found
