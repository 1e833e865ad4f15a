#!/usr/bin/env python3
"""The 10 nearest of many vectors, by Reprise and beside it by PyTorch on the same GPU.

PyTorch multiplies (f32 without TF32), adds the norms, which it has from before, and takes topk, all in
a CUDA Graph. Reprise compiles the op `knn`, which needs no norms. Buffers hold random numbers.
"""
import pathlib
import tempfile

import common

K = 10


def pipeline(queries, rows, size):
    return f"""reprise: 1
name: nearest
buffers:
  q: {{kind: in, dtype: f32, shape: [{queries}, {size}]}}
  base: {{kind: weight, dtype: f32, shape: [{rows}, {size}]}}
  values: {{kind: out, dtype: f32, shape: [{queries}, {K}]}}
  ids: {{kind: out, dtype: u32, shape: [{queries}, {K}]}}
nodes:
  - {{op: knn, queries: q, base: base, k: {K}, values: values, indices: ids}}
"""


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--size", type=int, default=128, help="of a vector")
    parser.add_argument("--queries", type=int, nargs="+", default=[1, 10, 100, 1000])
    args = parser.parse_args()
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    common.header(args)
    base = torch.rand(args.rows, args.size, device="cuda") / 4 - 0.125
    norms = (base * base).sum(1)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        for count in args.queries:
            q = torch.rand(count, args.size, device="cuda") / 4 - 0.125
            plan = common.compile_text(args, pipeline(count, args.rows, args.size),
                                       pathlib.Path(folder))

            def search():
                return torch.addmm(norms, q, base.T, alpha=-2).topk(K, largest=False)

            common.beside_torch(torch, args, f"{K} nearest of {args.rows} x {args.size}, {count}",
                                plan, {"matmul, topk, CUDA Graph": lambda: common.capture(torch, search)})


if __name__ == "__main__":
    main()
