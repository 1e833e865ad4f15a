#!/usr/bin/env python3
"""all-MiniLM-L6-v2 with weights made up: one plan for batches of all sizes, of sentences of several lengths.

-D corners=1 tries the largest batches, too. The model as it is:
    -D layers=6 -D width=384 -D heads=12 -D hidden=1536 -D vocabulary=30522 -D places=512"""
from math import erf

import numpy as np

from workload import Workload

w = Workload(layers=2, width=48, heads=4, hidden=96, vocabulary=50, places=256, corners=0)
shapes = {"embeddings.word_embeddings.weight": (w.vocabulary, w.width),
          "embeddings.position_embeddings.weight": (w.places, w.width),
          "embeddings.token_type_embeddings.weight": (2, w.width)}
norms, linears = ["embeddings.LayerNorm"], {}
for b in (f"encoder.layer.{l}" for l in range(w.layers)):
    norms += [f"{b}.attention.output.LayerNorm", f"{b}.output.LayerNorm"]
    linears |= {f"{b}.attention.self.{part}": (w.width, w.width) for part in ("query", "key", "value")}
    linears |= {f"{b}.attention.output.dense": (w.width, w.width), f"{b}.intermediate.dense": (w.hidden, w.width),
                f"{b}.output.dense": (w.width, w.hidden)}
tensors = {name: w.normal(*shape) for name, shape in shapes.items()}
for name in norms:
    tensors |= {f"{name}.weight": 1 + w.normal(w.width, scale=0.1), f"{name}.bias": w.normal(w.width, scale=0.1)}
for name, shape in linears.items():
    tensors |= {f"{name}.weight": w.normal(*shape, scale=2 * shape[1] ** -0.5), f"{name}.bias": w.normal(shape[0], scale=0.1)}
double = {name: tensor.astype(float) for name, tensor in tensors.items()}


def linear(x, name):
    return x @ double[f"{name}.weight"].T + double[f"{name}.bias"]


def norm(x, name):
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-12) * double[f"{name}.weight"] + double[f"{name}.bias"]


def heads(x):
    return x.reshape(len(x), w.heads, -1).swapaxes(0, 1)


def encode(ids):
    """One sentence, without anything that fills it up."""
    x = norm(double["embeddings.word_embeddings.weight"][ids] + double["embeddings.token_type_embeddings.weight"][0] +
             double["embeddings.position_embeddings.weight"][:len(ids)], "embeddings.LayerNorm")
    for b in (f"encoder.layer.{l}" for l in range(w.layers)):
        q, k, v = (heads(linear(x, f"{b}.attention.self.{part}")) for part in ("query", "key", "value"))
        scores = q @ k.swapaxes(1, 2) / q.shape[-1] ** 0.5
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        a = (weights / weights.sum(-1, keepdims=True) @ v).swapaxes(0, 1).reshape(x.shape)
        h = norm(x + linear(a, f"{b}.attention.output.dense"), f"{b}.attention.output.LayerNorm")
        u = linear(h, f"{b}.intermediate.dense")
        x = norm(h + linear(0.5 * u * (1 + np.vectorize(erf)(u / 2 ** 0.5)), f"{b}.output.dense"), f"{b}.output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


plan, weights = w.folder / "minilm.rplan", w.save("minilm", tensors)
sizes = {name: size for name, size in w.sizes.items() if name != "corners"}
w.reprise("compile", w.here / "minilm.yaml", *w.defines(sizes), "--target", "device", "-o", plan)
for batch, tokens in [(1, 1), (1, 16), (3, 7)] + w.corners * [(32, 1), (1, 256), (8, 64), (32, 256)]:
    lengths = np.concatenate([[tokens], w.random.integers(1, tokens + 1, batch - 1)])
    ids = w.random.integers(0, w.vocabulary, (batch, tokens)).astype(np.uint32)
    batches = w.save("batch", {"ids": ids, "mask": np.arange(tokens) < lengths[:, None]})
    sentences, = w.replay(plan, ["sentences"], "--weights", weights, "--weights", batches,
                          "--set", f"batch={batch}", "--set", f"tokens={tokens}")
    want = np.stack([encode(row[:length]) for row, length in zip(ids, lengths)])
    w.close(f"{batch} x {tokens}", sentences, want, 1e-5)
w.finish()
