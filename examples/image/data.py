#!/usr/bin/env python3
"""data.py make [FOLDER]   paints photo.npy, a mountain lake in the evening, here or in FOLDER
data.py check FOLDER    compares FOLDER's picture.png, pyramid.npy and glow.npy with NumPy's in
                        double precision"""
import pathlib
import shutil
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.resolve().parent))
from png_file import load_png

WIDTH, HEIGHT, LEVELS, SIGMA, EXPOSURE, GLARE = 512, 384, 5, 1.8, 1.0, 0.25


def smooth(low, high, x):
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def noise(x, y, seed):
    """Values between 0 and 1 at the whole numbers, and smooth ones in between."""
    table = np.random.default_rng(seed).random((64, 64))
    i, j = np.floor(x).astype(int), np.floor(y).astype(int)
    u, v = smooth(0, 1, x - i), smooth(0, 1, y - j)
    at = lambda a, b: table[b % 64, a % 64]
    top = at(i, j) * (1 - u) + at(i + 1, j) * u
    return top * (1 - v) + (at(i, j + 1) * (1 - u) + at(i + 1, j + 1) * u) * v


def clouds(x, y, seed, octaves=6):
    return sum(noise(x * 2 ** k, y * 2 ** k, seed + k) / 2 ** (k + 1) for k in range(octaves))


def colour(*rgb):
    return np.array(rgb, dtype=float)


def land(x, y):
    """The light that comes from (x, y): x from -1.33 to 1.33, y from 0 at the shore to 1 at the top."""
    sun, height = (0.42, 0.37), np.clip(y, 0, 1)[..., None]
    far = np.hypot(x - sun[0], y - sun[1])[..., None]
    light = colour(0.9, 0.42, 0.2) * np.exp(-4 * height) + colour(0.1, 0.2, 0.42) * (0.35 + height)
    light = light + colour(2.4, 1.1, 0.4) * np.exp(-7 * far)
    light = light + colour(90, 66, 34) * (1 - smooth(0.030, 0.036, far))
    veil = smooth(0.45, 0.75, clouds(x * 2, y * 7 + 3, 11))[..., None] * smooth(0.1, 0.5, height)
    lit = colour(0.5, 0.3, 0.3) + colour(1.6, 0.7, 0.3) * np.exp(-4 * far)
    light = light * (1 - 0.6 * veil) + veil * lit
    ridges = ((0.26, 0.34, 0.75), (0.15, 0.30, 0.45), (0.05, 0.20, 0.15))
    for k, (base, rough, haze) in enumerate(ridges):
        ridge = base + rough * (clouds(x * 1.7 + 9 * k, np.full_like(x, 0.5), 31 + 8 * k, 7) - 0.45)
        slope = clouds(x * 5 + y * 3, y * 9 + k, 71 + k)[..., None]
        snow = smooth(0.22, 0.30, y + 0.1 * slope[..., 0])[..., None] * (k == 0)
        rock = colour(0.05, 0.06, 0.07) * (0.4 + 1.4 * slope) * (1 - snow)
        rock = rock + snow * colour(0.55, 0.42, 0.42) * (0.3 + slope)
        mist = colour(0.8, 0.42, 0.26) * (0.35 + 0.9 * np.exp(-3 * far))
        rock = rock * (1 - haze) + haze * 0.5 * mist * np.exp(-2 * height)
        inside = smooth(-0.003, 0.003, ridge - y)[..., None]
        light = light * (1 - inside) + inside * rock
    return light


def photo():
    row, column = np.mgrid[0:HEIGHT, 0:WIDTH]
    x, y = (column + 0.5 - WIDTH / 2) / HEIGHT * 2, 0.62 - (row + 0.5) / HEIGHT
    y = y / 0.62
    depth = np.clip(-y, 0.003, None)
    wave = clouds(x * 3 / (depth + 0.15), 1.6 / (depth + 0.04), 5) - 0.5
    mirrored = np.clip(depth * 1.02 + 0.28 * wave * (0.05 + depth), 0, 1)
    lake = land(x + 0.05 * wave * depth, mirrored)
    lake = lake * (0.28 + 0.5 * np.exp(-3 * depth[..., None])) + colour(0.004, 0.010, 0.014)
    light = np.where((y < 0)[..., None], lake, land(x, y))
    bank = -0.50 - 0.10 * np.cos(x * 1.3 + 2)
    bank = bank + 0.06 * clouds(x * 4, x * 0 + 1, 3) + 0.05 * noise(x * 70, x * 0, 8)
    grass = colour(0.020, 0.022, 0.010) * (0.3 + 2 * clouds(x * 30, y * 8, 21)[..., None])
    light = np.where((y < bank)[..., None], grass, light)
    firs = ((-1.16, 0.72, 0.20), (-0.98, 0.44, 0.15), (-1.30, 0.50, 0.17), (1.22, 0.30, 0.14))
    for at, top, wide in firs:
        down = top - y # wider from top to bottom, in tiers
        half = wide * down * (0.55 + 0.45 * ((down * 9) % 1))
        half = half * (0.75 + 0.5 * noise(x * 40, y * 60, 2))
        tree = (down > 0) & (np.abs(x - at) < np.where(y < bank, 0, half))
        needles = colour(0.012, 0.018, 0.014) * (0.5 + clouds(x * 40, y * 40, 17)[..., None])
        light = np.where(tree[..., None], needles, light)
    grain = np.random.default_rng(1).normal(size=(HEIGHT, WIDTH, 1))
    light = np.clip(light * (1 + 0.02 * grain), 0, 1000)
    return np.concatenate([light, np.ones((HEIGHT, WIDTH, 1))], axis=-1).astype(np.float16)


def make(folder=HERE):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "photo.npy", photo())
    if folder.resolve() != HERE.resolve():
        for file in [*HERE.glob("*.yaml"), *HERE.glob("*.comp")]:
            shutil.copy(file, folder)


def halves(x):
    return (x[0::2, 0::2] + x[1::2, 0::2] + x[0::2, 1::2] + x[1::2, 1::2]) / 4


def blurred(x):
    weights = np.exp(-0.5 * (np.arange(-4, 5) / SIGMA) ** 2)
    weights /= weights.sum()
    for axis in (1, 0):
        wide = np.pad(x, [(4, 4) if a == axis else (0, 0) for a in range(3)], mode="edge")
        places = np.arange(x.shape[axis])
        x = sum(w * np.take(wide, places + k, axis=axis) for k, w in enumerate(weights))
    return x


def drawn(x):
    """An image over the whole picture, as a linear sampler reads it at the middle of each pixel."""
    for axis, size in ((0, HEIGHT), (1, WIDTH)):
        place = (np.arange(size) + 0.5) / size * x.shape[axis] - 0.5
        first = np.floor(place).astype(int)
        part = (place - first).reshape([-1 if a == axis else 1 for a in range(3)])
        at = lambda i: np.take(x, np.clip(i, 0, x.shape[axis] - 1), axis=axis)
        x = at(first) * (1 - part) + at(first + 1) * part
    return x


def toned(light):
    light = np.clip(light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14), 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def close(name, got, want, relative, absolute):
    off = np.abs(got - want) - absolute - relative * np.abs(want)
    good = got.shape == want.shape and bool((off <= 0).all())
    print(f"{name}: {'agrees' if good else 'DIFFERS'}, at most {np.abs(got - want).max():.3g} off")
    return good


def unpacked(array):
    """Mip by mip, from the packed bytes of a chain."""
    flat, at = array.view(np.float16), 0 # an array of bytes, which numbers of any format may be
    for level in range(LEVELS):
        shape = (HEIGHT >> level + 1, WIDTH >> level + 1, 4)
        yield flat[at:at + np.prod(shape)].reshape(shape).astype(float)
        at += np.prod(shape)
    assert at == flat.size


def check(folder):
    folder = pathlib.Path(folder)
    light = np.load(folder / "photo.npy").astype(float)
    good, around, level = True, 0, halves(light)
    pairs = zip(unpacked(np.load(folder / "pyramid.npy")), unpacked(np.load(folder / "glow.npy")))
    for k, (small, glow) in enumerate(pairs):
        good &= close(f"pyramid, mip {k}", small, level, 2e-3, 1e-4) # each mip is rounded to f16
        good &= close(f"glow, mip {k}", glow, blurred(level), 5e-3, 1e-4)
        around = around + drawn(blurred(level))[..., :3]
        level = halves(level)
    want = 255 * toned(EXPOSURE * (light[..., :3] * (1 - GLARE) + around / LEVELS * GLARE))
    picture = load_png(folder / "picture.png").astype(float)
    good &= close("picture", picture[..., :3], want, 0, 1.5) & bool((picture[..., 3] == 255).all())
    mean = np.abs(picture[..., :3] - want).mean()
    print(f"picture: {mean:.3g} off in the mean; rounding alone is 0.25")
    return good and mean < 0.3


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"] and len(sys.argv) <= 3:
        make(*sys.argv[2:])
    elif sys.argv[1:2] == ["check"] and len(sys.argv) == 3:
        sys.exit(0 if check(sys.argv[2]) else 1)
    else:
        sys.exit(__doc__)
