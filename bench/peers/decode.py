#!/usr/bin/env python3
"""One step of decoding by a model of Llama-3.2-1B's shape, and beside it PyTorch on the same GPU.

Both go from a token to the next one: embedding, 16 layers, head, argmax. Reprise has weights of f16, q8_0
and q4_0, PyTorch of f16, with a cache of 512 rows; with --compile also what torch.compile makes of it.
Weights are random numbers.
"""
import pathlib
import subprocess
import tempfile

import common

WIDTH, HEADS, GROUPS, HEAD, HIDDEN, WORDS, ROWS, LAYERS = 2048, 32, 8, 64, 8192, 128256, 512, 16


def pipeline(build, dtype):
    command = [str(common.tool(build, "bench_ops")), "step", dtype, "print", str(LAYERS)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def make_step(torch):
    """A function that computes a step, with weights of its own."""
    functional = torch.nn.functional

    def weight(*shape):
        return (torch.randn(*shape, device="cuda") * shape[-1] ** -0.5).half()

    table, last = weight(WORDS, WIDTH), weight(WIDTH)
    layers = [{"first": weight(WIDTH), "q": weight(WIDTH, WIDTH), "k": weight(GROUPS * HEAD, WIDTH),
               "v": weight(GROUPS * HEAD, WIDTH), "o": weight(WIDTH, WIDTH), "second": weight(WIDTH),
               "gate": weight(HIDDEN, WIDTH), "up": weight(HIDDEN, WIDTH),
               "down": weight(WIDTH, HIDDEN), "keys": weight(1, GROUPS, ROWS, HEAD),
               "values": weight(1, GROUPS, ROWS, HEAD)} for _ in range(LAYERS)]
    token = torch.zeros(1, dtype=torch.long, device="cuda")
    position = torch.full((1,), ROWS - 1, dtype=torch.long, device="cuda")
    angles = (ROWS - 1) * 10000.0 ** (-torch.arange(0, HEAD, 2, device="cuda") / HEAD)
    cosine, sine = angles.cos().half(), angles.sin().half()

    def rotate(x):
        a, b = x[..., :HEAD // 2], x[..., HEAD // 2:]
        return torch.cat((a * cosine - b * sine, a * sine + b * cosine), -1)

    def step():
        x = table[token]
        for w in layers:
            n = functional.rms_norm(x, (WIDTH,), w["first"])
            q = rotate(functional.linear(n, w["q"]).view(1, HEADS, 1, HEAD))
            k = rotate(functional.linear(n, w["k"]).view(1, GROUPS, 1, HEAD))
            v = functional.linear(n, w["v"]).view(1, GROUPS, 1, HEAD)
            w["keys"].index_copy_(2, position, k)
            w["values"].index_copy_(2, position, v)
            a = functional.scaled_dot_product_attention(q, w["keys"], w["values"], enable_gqa=True)
            x = x + functional.linear(a.view(1, WIDTH), w["o"])
            n = functional.rms_norm(x, (WIDTH,), w["second"])
            h = functional.silu(functional.linear(n, w["gate"])) * functional.linear(n, w["up"])
            x = x + functional.linear(h, w["down"])
        logits = functional.linear(functional.rms_norm(x, (WIDTH,), last), table)
        return logits.argmax(-1)

    return step


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("--dtypes", nargs="+", default=["f16", "q8_0", "q4_0"])
    parser.add_argument("--compile", action="store_true", help="what torch.compile makes of it, too")
    args = parser.parse_args()
    import torch

    common.header(args)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        step = make_step(torch)
        peers = {"eager in a CUDA Graph": common.capture(torch, step)}
        if args.compile:
            peers["compiled in a CUDA Graph"] = common.capture(
                torch, torch.compile(step, mode="max-autotune-no-cudagraphs"))
        for dtype in args.dtypes:
            plan = common.compile_text(args, pipeline(args.build, dtype), pathlib.Path(folder))
            common.beside_torch(torch, args, f"a step of {LAYERS} layers, {dtype}", plan,
                                {name: lambda call=call: call for name, call in peers.items()})


if __name__ == "__main__":
    main()
