#!/usr/bin/env python3
"""Scans, sorts and reductions of large tensors, and beside them PyTorch in a CUDA Graph.

With --plans FOLDER plans are taken from there, and with --write-plans they are written there, so that
what is measured can have been compiled on another machine.
"""
import pathlib
import tempfile

import common

N = 10**8


def works(torch):
    """Name: the pipeline's node, shapes of x and of its results, and PyTorch's call."""
    def of(shape):
        return torch.rand(shape, device="cuda") / 4 - 0.125 if torch else None

    line, square, cube = of([N]), of([10000, 10000]), of([100, 1000, 1000])
    return {
        "cumsum of 10^8": ("cumsum, x: x, out: y", [N], {"y": ("f32", [N])}, lambda: line.cumsum(0)),
        "sort of 10^8, with indices": ("sort, x: x, values: y, indices: i", [N],
                                       {"y": ("f32", [N]), "i": ("u32", [N])}, lambda: line.sort(stable=True)),
        "sort of 10000 rows of 10000": ("sort, x: x, values: y, indices: i", [10000, 10000],
                                        {"y": ("f32", [10000, 10000]), "i": ("u32", [10000, 10000])},
                                        lambda: square.sort(stable=True)),
        "cumsum along axis 0 of 10000 x 10000": ("cumsum, x: x, axis: 0, out: y", [10000, 10000],
                                                 {"y": ("f32", [10000, 10000])}, lambda: square.cumsum(0)),
        "sum over axis 0 of 10000 x 10000": ("reduce_sum, x: x, axes: 0, out: y", [10000, 10000],
                                             {"y": ("f32", [10000])}, lambda: square.sum(0)),
        "sum over axis 1 of 100 x 1000 x 1000": ("reduce_sum, x: x, axes: 1, out: y", [100, 1000, 1000],
                                                 {"y": ("f32", [100, 1000])}, lambda: cube.sum(1)),
        "variance over axes 0 and 2 of 100 x 1000 x 1000": (
            "reduce_variance, x: x, axes: [0, 2], out: y", [100, 1000, 1000], {"y": ("f32", [1000])},
            lambda: cube.var((0, 2), correction=0)),
        "5000 largest of 10^8": ("top_k_large, x: x, k: 5000, values: y, indices: i", [1, N],
                                 {"y": ("f32", [1, 5000]), "i": ("u32", [1, 5000])}, lambda: line.topk(5000)),
    }


def pipeline(node, shape, results):
    lines = ["reprise: 1", "name: along", "buffers:", f"  x: {{kind: in, dtype: f32, shape: {shape}}}"]
    lines += [f"  {name}: {{kind: out, dtype: {dtype}, shape: {dims}}}" for name, (dtype, dims) in results.items()]
    return "\n".join(lines + ["nodes:", f"  - {{op: {node}}}"]) + "\n"


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("--plans", type=pathlib.Path, help="where plans are that were compiled before")
    parser.add_argument("--write-plans", type=pathlib.Path, help="compiles plans for there, and no more")
    args = parser.parse_args()
    if args.write_plans:
        args.write_plans.mkdir(parents=True, exist_ok=True)
        for i, (node, shape, results, _) in enumerate(works(None).values()):
            common.compile_text(args, pipeline(node, shape, results), args.write_plans).rename(
                args.write_plans / f"{i}.rplan")
        return
    import torch

    common.header(args)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        for i, (name, (node, shape, results, call)) in enumerate(works(torch).items()):
            plan = args.plans / f"{i}.rplan" if args.plans else common.compile_text(
                args, pipeline(node, shape, results), pathlib.Path(folder))
            common.beside_torch(torch, args, name, plan,
                                {"CUDA Graph": lambda call=call: common.capture(torch, call)})


if __name__ == "__main__":
    main()
