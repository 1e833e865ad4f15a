#!/usr/bin/env python3
"""Attention of many tokens, by Reprise and beside it by PyTorch on the same GPU.

PyTorch's scaled dot-product attention of 16-bit floats, by each backend that the GPU has; Reprise
compiles the op `attention_prefill`. Buffers hold random numbers. With --sequences and --tokens lists
each number of sequences is measured with each length, where both together are no more than --most tokens.
"""
import pathlib
import tempfile

import common

BACKENDS = {"flash": "FLASH_ATTENTION", "cuDNN": "CUDNN_ATTENTION"}


def pipeline(sequences, tokens, heads, size, causal):
    shape = f"[{sequences}, {tokens}, {heads}, {size}]"
    return f"""reprise: 1
name: attention
buffers:
  q: {{kind: in, dtype: f16, shape: {shape}}}
  k: {{kind: in, dtype: f16, shape: {shape}}}
  v: {{kind: in, dtype: f16, shape: {shape}}}
  out: {{kind: out, dtype: f16, shape: {shape}}}
nodes:
  - {{op: attention_prefill, q: q, k: k, v: v, causal: {int(causal)}, out: out}}
"""


def make_peer(torch, backend, inputs, causal):
    """A function that makes what is called: attention by one backend alone, in a CUDA Graph."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    def attend():
        with sdpa_kernel(getattr(SDPBackend, backend)):
            return torch.nn.functional.scaled_dot_product_attention(*inputs, is_causal=causal)

    return lambda: common.capture(torch, attend)


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("--sequences", type=int, nargs="+", default=[1])
    parser.add_argument("--tokens", type=int, nargs="+", default=[2048])
    parser.add_argument("--most", type=int, default=2**17)
    parser.add_argument("--heads", type=int, default=32)
    parser.add_argument("--size", type=int, default=64, help="of a head")
    args = parser.parse_args()
    import torch

    common.header(args)
    shapes = [(n, tokens) for n in args.sequences for tokens in args.tokens if n * tokens <= args.most]
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        for sequences, tokens in shapes:
            inputs = [torch.randn(sequences, args.heads, tokens, args.size, device="cuda").half()
                      for _ in range(3)]
            for causal in (False, True):
                text = pipeline(sequences, tokens, args.heads, args.size, causal)
                plan = common.compile_text(args, text, pathlib.Path(folder))
                work = f"attention {sequences} x {tokens} x {args.heads} x {args.size}, f16"
                common.beside_torch(torch, args, work + (", causal" if causal else ""), plan,
                                    {name: make_peer(torch, backend, inputs, causal)
                                     for name, backend in BACKENDS.items()})


if __name__ == "__main__":
    main()
