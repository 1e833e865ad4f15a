#!/usr/bin/env python3
"""data.py make [FOLDER]   writes the inputs of all pipelines beside them, or into FOLDER
data.py check FOLDER    compares FOLDER's results with NumPy's in double precision"""
import pathlib
import shutil
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.resolve().parent))
from safetensors_file import save_safetensors


def inputs():
    random = np.random.default_rng(5)

    def normal(*shape, scale=1.0, dtype=np.float32):
        return (random.normal(size=shape) * scale).astype(dtype)

    places, velocities = normal(256, 4), normal(256, 4, scale=0.1)
    places[:, 3] = random.uniform(0.5, 1, 256) / 256
    velocities[:, 3] = 0
    layers = {"x0": normal(1, 64)}
    shapes = {"q": (64, 64), "k": (32, 64), "v": (32, 64), "o": (64, 64), "gate": (128, 64),
              "up": (128, 64), "down": (64, 128)}
    for b in (f"b{layer}" for layer in range(16)):
        layers |= {f"{b}.norm{i}": 1 + normal(64, scale=0.1) for i in (1, 2)}
        layers |= {f"{b}.{name}": normal(*shape, scale=shape[1] ** -0.5, dtype=np.float16)
                   for name, shape in shapes.items()}
        layers |= {f"{b}.{name}": normal(32, 2, 16, dtype=np.float16) for name in ("keys", "values")}
    arrays = {"sort": random.integers(0, 2 ** 32, 4096, dtype=np.uint32),
              "scan": random.integers(-100, 100, 1024).astype(np.int32),
              "picture": random.uniform(0, 1, (64, 96)).astype(np.float32),
              "fft": normal(64, 64, 2)}
    files = {"bodies": {"places": places, "velocities": velocities}, "layers": layers,
             "fluid": {"start": normal(32, 32, 2, scale=0.2), "ink": normal(32, 32, 2)}}
    return arrays, files


def make(folder=HERE):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays, files = inputs()
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    for name, tensors in files.items():
        save_safetensors(folder / f"{name}.safetensors", tensors)
    if folder.resolve() != HERE.resolve():
        for file in [*HERE.glob("*.yaml"), *HERE.glob("*.comp")]:
            shutil.copy(file, folder)


def bodies(x, v, steps=8, dt=1 / 64, soft=0.05):
    mass, x, v = x[:, 3].astype(float), x[:, :3].astype(float), v[:, :3].astype(float)
    for _ in range(steps):
        d = x[None] - x[:, None]
        r = ((d * d).sum(-1) + soft * soft) ** -1.5
        v = v + dt * (mass[None, :, None] * r[..., None] * d).sum(1)
        x = x + dt * v
    return np.concatenate([x, mass[:, None]], axis=1)


def blur(picture, sigma=1.5):
    k = np.arange(-4, 5)
    weights = np.exp(-k * k / (2 * sigma * sigma))
    weights /= weights.sum()
    for axis in (1, 0):
        margin = [(4, 4) if a == axis else (0, 0) for a in (0, 1)]
        padded = np.pad(picture.astype(float), margin, mode="edge")
        picture = sum(w * np.take(padded, np.arange(i, i + picture.shape[axis]), axis)
                      for i, w in enumerate(weights))
    return picture


def at(field, y, x):
    return field[np.clip(y, 0, len(field) - 1), np.clip(x, 0, len(field) - 1)]


def fluid(flow, dye, steps=2, sweeps=20, dt=0.1):
    n = len(flow)
    flow, dye = flow.astype(float), dye.astype(float)
    y, x = np.mgrid[:n, :n]

    def carry(what):
        px = np.clip(x - dt * n * flow[..., 0], 0, n - 1)
        py = np.clip(y - dt * n * flow[..., 1], 0, n - 1)
        ix, iy = np.floor(px).astype(int), np.floor(py).astype(int)
        fx, fy = (px - ix)[..., None], (py - iy)[..., None]
        top = at(what, iy, ix) * (1 - fx) + at(what, iy, ix + 1) * fx
        below = at(what, iy + 1, ix) * (1 - fx) + at(what, iy + 1, ix + 1) * fx
        return top * (1 - fy) + below * fy

    for _ in range(steps):
        moved, dye = carry(flow), carry(dye)
        divergence = 0.5 * (at(moved, y, x + 1)[..., 0] - at(moved, y, x - 1)[..., 0] +
                            at(moved, y + 1, x)[..., 1] - at(moved, y - 1, x)[..., 1])
        p = np.zeros((n, n))
        for _ in range(sweeps):
            p = 0.25 * (at(p, y, x - 1) + at(p, y, x + 1) + at(p, y - 1, x) + at(p, y + 1, x) -
                        divergence)
        slope = 0.5 * np.stack([at(p, y, x + 1) - at(p, y, x - 1),
                                at(p, y + 1, x) - at(p, y - 1, x)], axis=-1)
        flow = moved - slope
        flow[[0, -1]] = flow[:, [0, -1]] = 0
    return flow, dye


def decoder(w, layers=16, position=5):
    w = {name: array.astype(float) for name, array in w.items()}
    x = w["x0"]

    def norm(value, weight):
        return value / np.sqrt((value * value).mean(-1, keepdims=True) + 1e-5) * weight

    def rotate(value):
        angle = position * 10000.0 ** (-np.arange(8) / 8)
        a, b = value[:, :8], value[:, 8:]
        return np.concatenate([a * np.cos(angle) - b * np.sin(angle),
                               b * np.cos(angle) + a * np.sin(angle)], axis=1)

    for b in (f"b{layer}." for layer in range(layers)):
        n = norm(x, w[b + "norm1"])
        q, k = rotate((n @ w[b + "q"].T).reshape(4, 16)), rotate((n @ w[b + "k"].T).reshape(2, 16))
        keys, values = w[b + "keys"][:position + 1].copy(), w[b + "values"][:position + 1].copy()
        keys[position] = k
        values[position] = (n @ w[b + "v"].T).reshape(2, 16)
        a = np.zeros((4, 16))
        for head in range(4):
            scores = keys[:, head // 2] @ q[head] / 4
            weights = np.exp(scores - scores.max())
            a[head] = weights / weights.sum() @ values[:, head // 2]
        h = x + a.reshape(1, 64) @ w[b + "o"].T
        m = norm(h, w[b + "norm2"])
        g = m @ w[b + "gate"].T
        x = h + (g / (1 + np.exp(-g)) * (m @ w[b + "up"].T)) @ w[b + "down"].T
    return x


def check(folder):
    arrays, files = inputs()
    flow, dye = fluid(files["fluid"]["start"], files["fluid"]["ink"])
    spectrum = np.fft.fft2(arrays["fft"][..., 0] + 1j * arrays["fft"][..., 1])
    wanted = {"sorted": (np.sort(arrays["sort"]), 0), "summed": (np.cumsum(arrays["scan"]), 0),
              "moved": (bodies(*files["bodies"].values()), 1e-5),
              "blurred": (blur(arrays["picture"]), 1e-6),
              "spectrum": (np.stack([spectrum.real, spectrum.imag], axis=-1), 2e-3),
              "flow": (flow, 1e-4), "dye": (dye, 1e-4), "decoded": (decoder(files["layers"]), 2e-2)}
    good = True
    for name, (want, tolerance) in wanted.items():
        error = np.abs(np.load(folder / f"{name}.npy").astype(float) - want).max()
        print(f"{name}: largest error {error:.2e}")
        good &= bool(error <= tolerance)
    return good


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"] and len(sys.argv) <= 3:
        make(*sys.argv[2:])
    elif sys.argv[1:2] == ["check"] and len(sys.argv) == 3:
        sys.exit(0 if check(pathlib.Path(sys.argv[2])) else 1)
    else:
        sys.exit(__doc__)
