#!/usr/bin/env python3
"""Convolutions of ResNet-18's shapes and depthwise ones, by Reprise and beside it by PyTorch in a CUDA Graph.

Where input and output have one shape they are a chain, each taking the result of the one before, so that a
barrier stands between any two; times are those of one. Bias and ReLU are part of each. Channels stand in front
(nchw) or behind (nhwc), for PyTorch by its memory format. f32 without TF32.
"""
import pathlib
import tempfile

import common

# DTYPE:LAYOUT:NxCxHxM/KERNEL/STRIDE, square images, M channels of the result; a kernel with "d" is depthwise.
SHAPES = [f"{dtype}:{layout}:{n}x{shape}"
          for dtype, layout in (("f32", "nchw"), ("f32", "nhwc"), ("f16", "nchw"), ("f16", "nhwc"))
          for n, shape in ((1, "64x56x64/3/1"), (1, "256x14x256/3/1"), (32, "3x224x64/7/2"), (32, "64x56x64/3/1"),
                           (32, "64x56x128/3/2"), (32, "128x28x128/3/1"), (32, "256x14x256/3/1"),
                           (32, "512x7x512/3/1"), (32, "256x56x64/1/1"), (32, "144x56x144/3d/1"))]
MOST, OPERATIONS = 16, 1e11


class Shape:
    def __init__(self, text):
        self.text = text
        self.dtype, self.layout, sizes = text.split(":")
        sizes, kernel, stride = sizes.split("/")
        self.n, self.c, self.size, self.m = map(int, sizes.split("x"))
        self.groups = self.c if kernel.endswith("d") else 1
        self.kernel, self.stride = int(kernel.rstrip("d")), int(stride)
        self.pad = self.kernel // 2
        self.out = (self.size + 2 * self.pad - self.kernel) // self.stride + 1
        work = 2 * self.n * self.out**2 * self.m * self.c // self.groups * self.kernel**2
        self.count = max(2, min(MOST, int(OPERATIONS / work))) if (self.c, self.size) == (self.m, self.out) else 1

    def laid(self, n, c, h, w):
        return [n, h, w, c] if self.layout == "nhwc" else [n, c, h, w]


def pipeline(s):
    layout = "channels_last" if s.layout == "nhwc" else "channels_first"
    kind = f"dtype: {s.dtype}, shape:"
    lines = ["reprise: 1", "name: convolutions", "buffers:",
             f"  y0: {{kind: in, {kind} {s.laid(s.n, s.c, s.size, s.size)}}}",
             f"  w: {{kind: weight, {kind} {s.laid(s.m, s.c // s.groups, s.kernel, s.kernel)}}}",
             f"  b: {{kind: weight, {kind} [{s.m}]}}",
             f"  y{s.count}: {{kind: out, {kind} {s.laid(s.n, s.m, s.out, s.out)}}}", "nodes:"]
    lines += [f"  - {{op: conv2d, x: y{i}, weight: w, bias: b, strides: {s.stride}, pads: {s.pad}, groups: {s.groups}, "
              f"layout: {layout}, activation: relu, out: {{name: y{i + 1}, dtype: {s.dtype}}}}}" if i + 1 < s.count else
              f"  - {{op: conv2d, x: y{i}, weight: w, bias: b, strides: {s.stride}, pads: {s.pad}, groups: {s.groups}, "
              f"layout: {layout}, activation: relu, out: y{i + 1}}}" for i in range(s.count)]
    return "\n".join(lines) + "\n"


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("shapes", nargs="*", type=Shape, metavar="DTYPE:LAYOUT:NxCxHxM/KERNEL/STRIDE",
                        default=[Shape(text) for text in SHAPES])
    args = parser.parse_args()
    import torch

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    common.header(args)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        for s in args.shapes:
            kind = torch.float16 if s.dtype == "f16" else torch.float32
            form = torch.channels_last if s.layout == "nhwc" else torch.contiguous_format
            x, w = ((torch.rand(shape, device="cuda") / 4 - 0.125).to(kind).contiguous(memory_format=form)
                    for shape in ((s.n, s.c, s.size, s.size), (s.m, s.c // s.groups, s.kernel, s.kernel)))
            b = torch.zeros(s.m, device="cuda", dtype=kind)
            plan = common.compile_text(args, pipeline(s), pathlib.Path(folder))

            def chain():
                y = x
                for _ in range(s.count):
                    y = torch.relu_(torch.nn.functional.conv2d(y, w, b, s.stride, s.pad, 1, s.groups))
                return y

            common.beside_torch(torch, args, f"conv2d {s.text}", plan,
                                {"CUDA Graph": lambda: common.capture(torch, chain)}, s.count)


if __name__ == "__main__":
    main()
