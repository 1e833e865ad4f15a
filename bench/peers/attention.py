#!/usr/bin/env python3
"""Attention of many tokens in PyTorch, beside which `reprise run` of attention_prefill stands.

Scaled dot-product attention of 16-bit floats by the backends that the GPU has, each timed on the GPU
with the queue kept full: at least 0.5 s of work before the first measurement, medians of 60.

    bench/peers/attention.py [--tokens 2048] [--heads 32] [--size 64]

Prints a line for each backend, causal and not: microseconds, and TFLOP/s of the work that a mask leaves.
"""
import argparse
import statistics
import sys

try:
    import torch
    import torch.nn.functional as functional
    from torch.nn.attention import SDPBackend, sdpa_kernel
except ImportError:
    sys.exit("attention.py: needs PyTorch")

BACKENDS = {"flash": SDPBackend.FLASH_ATTENTION, "cudnn": SDPBackend.CUDNN_ATTENTION}
ROUNDS = 60


def median_us(call):
    """Microseconds of one call; all are submitted before the first is waited for."""
    events = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True))
              for _ in range(ROUNDS)]
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    warm = 0.0
    while warm < 500:
        start.record()
        for _ in range(ROUNDS):
            call()
        end.record()
        end.synchronize()
        warm += start.elapsed_time(end)
    for begin, done in events:
        begin.record()
        call()
        done.record()
    torch.cuda.synchronize()
    return 1000 * statistics.median(b.elapsed_time(d) for b, d in events)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name, value in (("tokens", 2048), ("heads", 32), ("size", 64)):
        parser.add_argument("--" + name, type=int, default=value)
    args = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("attention.py: PyTorch sees no GPU")
    shape = (1, args.heads, args.tokens, args.size)
    q, k, v = (torch.randn(shape, device="cuda", dtype=torch.float16) for _ in range(3))
    for causal in (False, True):
        work = 4 * args.tokens ** 2 * args.heads * args.size / (2 if causal else 1)
        for name, backend in BACKENDS.items():
            try:
                with sdpa_kernel(backend):
                    us = median_us(lambda: functional.scaled_dot_product_attention(
                        q, k, v, is_causal=causal))
            except RuntimeError as error:
                print(f"{name:6} {'causal' if causal else 'all':7} not here: {error}")
                continue
            print(f"{name:6} {'causal' if causal else 'all':7} {us:9.1f} us {work / us * 1e-6:7.1f} "
                  f"TFLOP/s")


if __name__ == "__main__":
    main()
