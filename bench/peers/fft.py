#!/usr/bin/env python3
"""Fourier transforms by Reprise, and beside them PyTorch by cuFFT in a CUDA Graph.

f32, signals of random numbers. Chains would grow, so that each replay is one transform, of as many
signals as fill the GPU or of one alone.
"""
import pathlib
import tempfile

import common

# Op, signals, samples; two lengths are rows and columns of an image.
WORKS = [("fft", 1, [2**20]), ("fft", 64, [2**20]), ("rfft", 1, [2**20]), ("ifft", 1, [2**20]), ("fft", 2**16, [1024]),
         ("rfft", 2**16, [400]), ("fft", 1, [10**6]), ("fft", 1, [2**20 + 7]), ("fft2", 16, [1024, 1024]),
         ("rfft2", 1, [4096, 4096])]


def shapes(op, signals, lengths):
    """Of x and of the result, pairs included."""
    front = [signals] if signals > 1 else []
    half = lengths[:-1] + [lengths[-1] // 2 + 1]
    return ([*front, *lengths, *([] if op.startswith("r") else [2])],
            [*front, *(half if op.startswith("r") else lengths), 2])


def pipeline(op, x, y):
    return (f"reprise: 1\nname: fft\nbuffers:\n  x: {{kind: in, dtype: f32, shape: {x}}}\n"
            f"  y: {{kind: out, dtype: f32, shape: {y}}}\nnodes:\n  - {{op: {op}, x: x, out: y}}\n")


def main():
    args = common.arguments(__doc__).parse_args()
    import torch

    common.header(args)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        for op, signals, lengths in WORKS:
            x, y = shapes(op, signals, lengths)
            plan = common.compile_text(args, pipeline(op, x, y), pathlib.Path(folder))
            values = torch.rand(x, device="cuda") - 0.5
            if not op.startswith("r"):
                values = torch.view_as_complex(values)
            call = getattr(torch.fft, op)
            work = f"{op} {' x '.join(map(str, lengths))}" + (f", {signals} of them" if signals > 1 else "")
            common.beside_torch(torch, args, work, plan,
                                {"cuFFT": lambda: common.capture(torch, lambda: call(values))})


if __name__ == "__main__":
    main()
