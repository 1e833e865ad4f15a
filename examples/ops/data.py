#!/usr/bin/env python3
"""data.py make [FOLDER]       writes the inputs of all pipelines beside them, or into FOLDER
data.py check NAME FOLDER   compares FOLDER's results of a pipeline with NumPy's in double precision"""
import pathlib
import shutil
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.resolve().parent))
from safetensors_file import save_safetensors


def random_arrays():
    random = np.random.default_rng(3)

    def normal(*shape, scale=1.0, dtype=np.float32):
        return (random.normal(size=shape) * scale).astype(dtype)

    def weight(rows, columns):
        return normal(rows, columns, scale=columns ** -0.5, dtype=np.float16)

    mlp = {"x": normal(4, 64), "norm.weight": normal(64), "up.weight": weight(256, 64),
           "up.bias": normal(256), "down.weight": weight(64, 256), "down.bias": normal(64)}
    decoder = {"x": normal(1, 64), "norm1": normal(64), "q": weight(64, 64), "k": weight(32, 64),
               "v": weight(32, 64), "o": weight(64, 64), "norm2": normal(64),
               "gate": weight(128, 64), "up": weight(128, 64), "down": weight(64, 128),
               "keys": normal(96, 2, 16, dtype=np.float16),
               "values": normal(96, 2, 16, dtype=np.float16)}
    y, x = np.mgrid[-1:1:48j, -1:1:64j]
    arrays = {"queries": normal(8, 32), "base": normal(5000, 32),
              "picture": random.integers(0, 256, (48, 64, 3)).astype(np.uint8),
              "mean": np.array([0.48, 0.46, 0.41], np.float32),
              "deviation": np.array([0.23, 0.22, 0.22], np.float32),
              "vignette": (1 - 0.3 * (x * x + y * y))[..., None].astype(np.float32)}
    return mlp, decoder, arrays


def make(folder=HERE):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mlp, decoder, arrays = random_arrays()
    save_safetensors(folder / "mlp.safetensors", mlp)
    save_safetensors(folder / "decoder.safetensors", decoder)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    for pipeline in HERE.glob("*.yaml"):
        if folder.resolve() != HERE.resolve():
            shutil.copy(pipeline, folder)


def norm(x, weight):
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-5) * weight


def silu(x):
    return x / (1 + np.exp(-x))


def close(name, got, want, tolerance):
    error = np.abs(got.astype(np.float64) - want).max()
    print(f"{name}: largest error {error:.2e}")
    return error <= tolerance


def check_mlp(folder):
    from math import erf
    w = {k: v.astype(np.float64) for k, v in random_arrays()[0].items()}
    a = norm(w["x"], w["norm.weight"]) @ w["up.weight"].T + w["up.bias"]
    g = 0.5 * a * (1 + np.vectorize(erf)(a / np.sqrt(2)))
    want = w["x"] + g @ w["down.weight"].T + w["down.bias"]
    return close("y", np.load(folder / "y.npy"), want, 1e-4)


def check_knn(folder):
    arrays = random_arrays()[2]
    q, base = arrays["queries"].astype(np.float64), arrays["base"].astype(np.float64)
    distances = ((q[:, None] - base[None]) ** 2).sum(axis=-1)
    got = np.load(folder / "indices.npy")
    best = np.sort(distances, axis=1)[:, :10]
    ranked = np.take_along_axis(distances, got.astype(np.int64), axis=1)
    distinct = all(len(set(row)) == 10 for row in got)
    return (close("distances", np.load(folder / "distances.npy"), best, 1e-4) and
            close("indices", ranked, best, 1e-4) and distinct)


def rotate(x, position):
    """The layout `neox`: element i turns with element i + half."""
    half = x.shape[-1] // 2
    angle = position * 10000.0 ** (-np.arange(half) / half)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle),
                           b * np.cos(angle) + a * np.sin(angle)], axis=-1)


def check_decoder(folder, position=40):
    w = {k: v.astype(np.float64) for k, v in random_arrays()[1].items()}
    n = norm(w["x"], w["norm1"])
    q, k, v = n @ w["q"].T, n @ w["k"].T, n @ w["v"].T
    q, k = rotate(q.reshape(4, 16), position), rotate(k.reshape(2, 16), position)
    keys, values = w["keys"].copy(), w["values"].copy()
    keys[position] = k.astype(np.float16)
    values[position] = v.reshape(2, 16).astype(np.float16)
    out = np.zeros((4, 16))
    for head in range(4):
        scores = keys[:position + 1, head // 2] @ q[head] / 4
        weights = np.exp(scores - scores.max())
        out[head] = weights / weights.sum() @ values[:position + 1, head // 2]
    h = w["x"] + out.reshape(1, 64) @ w["o"].T
    m = norm(h, w["norm2"])
    want = h + (silu(m @ w["gate"].T) * (m @ w["up"].T)) @ w["down"].T
    return (close("y", np.load(folder / "y.npy"), want, 2e-3) and
            close("keys", np.load(folder / "keys.npy"), keys, 2e-3))


def check_image(folder):
    a = random_arrays()[2]
    normal = (a["picture"] / 255 - a["mean"]) / a["deviation"]
    value = (0.5 * np.tanh(normal * 1.1) + 0.5) * a["vignette"]
    want = np.clip(value, 0, 1) * 255
    return close("result", np.load(folder / "result.npy"), want, 0.51)


if __name__ == "__main__":
    checks = {"mlp": check_mlp, "knn": check_knn, "decoder": check_decoder, "image": check_image}
    if sys.argv[1:2] == ["make"] and len(sys.argv) <= 3:
        make(*sys.argv[2:])
    elif sys.argv[1:2] == ["check"] and len(sys.argv) == 4 and sys.argv[2] in checks:
        sys.exit(0 if checks[sys.argv[2]](pathlib.Path(sys.argv[3])) else 1)
    else:
        sys.exit(__doc__)
