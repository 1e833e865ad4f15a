#!/usr/bin/env python3
"""Attention of many tokens, by Reprise and beside it by PyTorch on the same GPU.

PyTorch's scaled dot-product attention of 16-bit floats, by each backend that the GPU has; Reprise
compiles the op `attention_prefill`. Buffers hold random numbers.
"""
import pathlib
import tempfile

import common

BACKENDS = {"flash": "FLASH_ATTENTION", "cuDNN": "CUDNN_ATTENTION"}


def pipeline(tokens, heads, size, causal):
    shape = f"[{tokens}, {heads}, {size}]"
    return f"""reprise: 1
name: attention
live:
  past: {{default: 0, max: {tokens}}}
buffers:
  q: {{kind: in, dtype: f16, shape: {shape}}}
  k: {{kind: in, dtype: f16, shape: {shape}}}
  v: {{kind: in, dtype: f16, shape: {shape}}}
  out: {{kind: out, dtype: f16, shape: {shape}}}
nodes:
  - {{op: attention_prefill, q: q, k: k, v: v, past: past, causal: {int(causal)}, out: out}}
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
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--heads", type=int, default=32)
    parser.add_argument("--size", type=int, default=64, help="of a head")
    args = parser.parse_args()
    import torch

    common.header(args)
    inputs = [torch.randn(1, args.heads, args.tokens, args.size, device="cuda").half()
              for _ in range(3)]
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        for causal in (False, True):
            text = pipeline(args.tokens, args.heads, args.size, causal)
            plan = common.compile_text(args, text, pathlib.Path(folder))
            work = f"attention {args.tokens} x {args.heads} x {args.size}, f16"
            common.beside_torch(torch, args, work + (", causal" if causal else ""), plan,
                                {name: make_peer(torch, backend, inputs, causal)
                                 for name, backend in BACKENDS.items()})


if __name__ == "__main__":
    main()
