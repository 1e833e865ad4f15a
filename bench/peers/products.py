#!/usr/bin/env python3
"""Chains of matrix products, by Reprise and beside it by PyTorch in a CUDA Graph.

As in bench_products each takes the result of the one before, so that a barrier stands between any two:
x of M x K times weights of N x K, then of K x N, and so on. f32 without TF32. Times are those of one
product.
"""
import pathlib
import tempfile

import common

SHAPES = [
    "f32:32x384x384", "f32:16x1536x384", "f32:128x384x384", "f16:32x384x384", "f32:1024x384x384",
    "f32:8192x384x384", "f32:8192x1536x384", "f16:8192x1536x384", "f32:32x4096x4096",
    "f32:256x256x4096", "f32:4096x4096x4096", "f16:4096x4096x4096",
]
MOST_PRODUCTS, OPERATIONS = 32, 1e11


def shape(text):
    dtype, sizes = text.split(":")
    return dtype, *map(int, sizes.split("x"))


def chain_length(m, n, k):
    return max(2, min(MOST_PRODUCTS, int(OPERATIONS / (2 * m * n * k)))) // 2 * 2


def pipeline(dtype, m, n, k):
    count = chain_length(m, n, k)
    lines = ["reprise: 1", "name: products", "buffers:",
             f"  y0: {{kind: in, dtype: {dtype}, shape: [{m}, {k}]}}",
             f"  w0: {{kind: weight, dtype: {dtype}, shape: [{n}, {k}]}}",
             f"  w1: {{kind: weight, dtype: {dtype}, shape: [{k}, {n}]}}",
             f"  y{count}: {{kind: out, dtype: {dtype}, shape: [{m}, {k}]}}", "nodes:"]
    lines += [f"  - {{op: matmul, a: y{i}, b: w{i % 2}, transpose_b: 1, out: y{i + 1}}}"
              for i in range(count)]
    return "\n".join(lines) + "\n"


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("shapes", nargs="*", type=shape, metavar="DTYPE:MxNxK",
                        default=[shape(text) for text in SHAPES])
    args = parser.parse_args()
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    common.header(args)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        for dtype, m, n, k in args.shapes:
            kind = torch.float16 if dtype == "f16" else torch.float32
            x, *weights = ((torch.rand(size, device="cuda") / 4 - 0.125).to(kind)
                           for size in ((m, k), (n, k), (k, n)))
            count = chain_length(m, n, k)
            plan = common.compile_text(args, pipeline(dtype, m, n, k), pathlib.Path(folder))

            def chain():
                y = x
                for i in range(count):
                    y = torch.nn.functional.linear(y, weights[i % 2])
                return y

            common.beside_torch(torch, args, f"product {m} x {n} x {k}, {dtype}", plan,
                                {"CUDA Graph": lambda: common.capture(torch, chain)}, count)


if __name__ == "__main__":
    main()
