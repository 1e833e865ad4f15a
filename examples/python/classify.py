#!/usr/bin/env python3
"""What a picture shows, by any classifier that is an ONNX file.

    ./classify.py MODEL.onnx PICTURE.png... [--labels LABELS.txt] [--mean M,M,M --std S,S,S] [--size N]

A model takes [batch, 3, height, width] or [batch, height, width, 3], of as many pictures as there are here: its
batch is a live value. Where height and width are symbolic, --size says them.
"""
import argparse
import pathlib
import sys

import numpy as np
import reprise.onnx

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from png_file import load_png  # noqa: E402


def scaled(picture, height, width):
    """Another size: each texel the mean of those that it covers."""
    for axis, n in ((0, height), (1, width)):
        edges = np.linspace(0, picture.shape[axis], n + 1)
        picture = np.stack([picture.take(range(int(a), max(int(a) + 1, int(b))), axis).mean(axis)
                            for a, b in zip(edges, edges[1:])], axis)
    return picture


def load(path, size, most):
    """The model for batches of up to `most`, and the height, width and place of channels that it wants."""
    (name, dims), *_ = reprise.onnx.ports(path).items()
    first = dims[1] == 3
    grid = {axis: dims[axis] if isinstance(dims[axis], int) else size for axis in ((2, 3) if first else (1, 2))}
    sizes = {f"{name}.{axis}": n for axis, n in grid.items() if not isinstance(dims[axis], int)}
    live = {} if isinstance(dims[0], int) else {f"{name}.0": max(2, most)}
    return reprise.onnx.load(path, sizes=sizes, live=live), tuple(grid.values()), first


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--labels", type=pathlib.Path)
    parser.add_argument("--mean", default="0.485,0.456,0.406")
    parser.add_argument("--std", default="0.229,0.224,0.225")
    parser.add_argument("--size", type=int, default=224)
    given = parser.parse_args()
    mean, std = (np.array([float(n) for n in text.split(",")], "f4") for text in (given.mean, given.std))
    model, (height, width), first = load(given.model, given.size, len(given.pictures))
    pictures = [scaled(load_png(pathlib.Path(path))[..., :3] / np.float32(255), height, width) for path in given.pictures]
    batch = ((np.stack(pictures) - mean) / std).astype("f4")
    scores = model(batch.transpose(0, 3, 1, 2) if first else batch)
    labels = given.labels.read_text().splitlines() if given.labels else []
    for path, row in zip(given.pictures, scores.reshape(len(pictures), -1)):
        for place in np.argsort(-row)[:5]:
            print(f"{path}: {row[place]:.3f} {labels[place] if place < len(labels) else place}")


if __name__ == "__main__":
    main()
