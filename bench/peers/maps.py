#!/usr/bin/env python3
"""Ops that go along elements, of 64 Mi of them, by Reprise and beside it by PyTorch in a CUDA Graph.

What they cost is memory: each is read once and written once.
"""
import pathlib
import tempfile

import common

N = 1 << 26
KINDS = {"f32": "float32", "f16": "float16", "bf16": "bfloat16", "u8": "uint8"}


class Work:
    """`inputs` are dtype and shape by name, `node` the pipeline's and `call` PyTorch's way to say it."""

    def __init__(self, name, inputs, out, node, call):
        self.name, self.inputs, self.out, self.node, self.call = name, inputs, out, node, call

    def pipeline(self):
        buffers = [f"  {name}: {{kind: in, dtype: {dtype}, shape: {list(shape)}}}"
                   for name, (dtype, shape) in self.inputs.items()]
        buffers.append(f"  y: {{kind: out, dtype: {self.out[0]}, shape: {list(self.out[1])}}}")
        return "\n".join(["reprise: 1", "name: maps", "buffers:", *buffers, "nodes:", f"  - {self.node}", ""])

    def peer(self, torch):
        tensors = {name: torch.randint(0, 255, shape, dtype=torch.uint8, device="cuda") if dtype == "u8"
                   else torch.randn(shape, device="cuda").to(getattr(torch, KINDS[dtype]))
                   for name, (dtype, shape) in self.inputs.items()}
        return lambda: self.call(torch, **tensors)


def works():
    for dtype in ("f32", "f16", "bf16"):
        one = (dtype, (N,))
        yield Work(f"add {dtype}", {"a": one, "b": one}, one, "{op: add, a: a, b: b, out: y}",
                   lambda torch, a, b: torch.add(a, b))
        yield Work(f"relu {dtype}", {"x": one}, one, "{op: relu, x: x, out: y}", lambda torch, x: torch.relu(x))
        yield Work(f"gelu {dtype}", {"x": one}, one, "{op: gelu, x: x, out: y}",
                   lambda torch, x: torch.nn.functional.gelu(x))
        rows = (dtype, (N // 1024, 1024))
        yield Work(f"bias of rows and relu {dtype}", {"x": rows, "b": (dtype, (1024,))}, rows,
                   '{map: "max(x + b, 0)", out: y}', lambda torch, x, b: torch.relu(x + b))
    yield Work("heads to the front f16", {"x": ("f16", (64, 1024, 16, 64))}, ("f16", (64, 16, 1024, 64)),
               "{op: permute, x: x, order: acbd, out: y}", lambda torch, x: x.permute(0, 2, 1, 3).contiguous())
    yield Work("pixels u8 to f32", {"x": ("u8", (N,))}, ("f32", (N,)), '{map: "x / 255", out: y}',
               lambda torch, x: x.float() / 255)


def main():
    args = common.arguments(__doc__).parse_args()
    import torch

    common.header(args)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        for work in works():
            plan = common.compile_text(args, work.pipeline(), pathlib.Path(folder))
            call = work.peer(torch)
            common.beside_torch(torch, args, work.name, plan,
                                {"CUDA Graph": lambda call=call: common.capture(torch, call)})


if __name__ == "__main__":
    main()
