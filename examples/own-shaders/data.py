#!/usr/bin/env python3
"""data.py make         writes x.npy, the input that lies here
data.py check Y [GAIN]  compares a result with NumPy's in double precision"""
import pathlib
import sys

import numpy as np

FOLDER = pathlib.Path(__file__).parent


def make():
    random = np.random.default_rng(7)
    x = random.normal(size=(16, 100)) * np.arange(1, 17)[:, None] + 3
    np.save(FOLDER / "x.npy", x.astype(np.float32))


def check(path, gain=1.0):
    x = np.load(FOLDER / "x.npy").astype(np.float64)
    deviation = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    want = (x - x.mean(axis=1, keepdims=True)) / deviation * float(gain)
    error = np.abs(np.load(path) - want).max()
    print(f"largest error {error:.2e}")
    return error < 1e-4 * float(gain)


if __name__ == "__main__":
    if sys.argv[1:] == ["make"]:
        make()
    elif sys.argv[1:2] == ["check"] and len(sys.argv) in (3, 4):
        sys.exit(0 if check(*sys.argv[2:]) else 1)
    else:
        sys.exit(__doc__)
