#!/usr/bin/env python3
"""One step of decoding by a model of Llama-3.2-1B's shape, and beside it PyTorch on the same GPU.

Both go from a token to the next one: embedding, 16 layers, head, argmax, with a cache of as many rows as
--tokens say (0: the token alone). Reprise has weights of f16, q8_0 and q4_0, at -O1 and at -O2, PyTorch of
f16, eager and as torch.compile makes it, each in a CUDA Graph. All take turns in one run; what PyTorch
cannot do there is left out and said, and nothing is begun behind --seconds. Weights are random numbers.

    decode.py --save FOLDER      compiles the plans alone, for --target
    decode.py --plans FOLDER     measures those, on a machine without a compiler
"""
import json
import pathlib
import re
import statistics
import subprocess
import time

import common

WIDTH, HEADS, GROUPS, HEAD, HIDDEN, WORDS, LAYERS = 2048, 32, 8, 64, 8192, 128256, 16
MOST_TOKENS = 2048  # that the pipeline's cache holds
BEGIN = time.monotonic()


# ---- Reprise ---------------------------------------------------------------------------------------

def pipeline(build, dtype, layers):
    command = [str(common.tool(build, "bench_ops")), "step", dtype, "print", str(layers)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def barriers(build, plan):
    """Between groups, in the form that replays take."""
    command = [str(common.tool(build, "reprise")), "show", "--stats", str(plan)]
    stats = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"^tagged form +(\d+)", stats, re.M) or re.search(r"^barriers +(\d+)", stats, re.M)
    return int(found[1])


def save_plans(args, folder):
    folder.mkdir(parents=True, exist_ok=True)
    saved = []
    for dtype in args.dtypes:
        (folder / "pipeline.yaml").write_text(pipeline(args.build, dtype, args.layers))
        for level in args.levels:
            name = f"step-{dtype}{level}.rplan"
            common.compile_plan(args.build, folder / "pipeline.yaml", folder / name, args.target, level)
            saved.append({"plan": name, "dtype": dtype, "level": level, "layers": args.layers,
                          "target": args.target, "barriers": barriers(args.build, folder / name)})
    (folder / "pipeline.yaml").unlink()
    (folder / "plans.json").write_text(json.dumps(saved, indent=1) + "\n")


class Plan:
    def __init__(self, args, folder, entry):
        self.dtype, self.level, self.barriers = entry["dtype"], entry["level"], entry["barriers"]
        self.layers = entry["layers"]
        self.replays = common.Replays(args.build, folder / entry["plan"], args.milliseconds)
        self.round(1)  # warms up
        self.times = {}

    def round(self, length):
        _, gpu = self.replays.round(length=length, position=length - 1)
        return gpu

    def measure(self, length):
        self.times.setdefault(length, []).append(self.round(length))


# ---- PyTorch ---------------------------------------------------------------------------------------

class Torch:
    """Steps of the same shape, with weights of its own."""

    def __init__(self, torch, layers):
        self.torch = torch
        torch.set_grad_enabled(False)

        def weight(*shape):
            return (torch.randn(*shape, device="cuda") * shape[-1] ** -0.5).half()

        self.weight = weight
        self.table, self.last = weight(WORDS, WIDTH), weight(WIDTH)
        self.weights = [{"first": weight(WIDTH), "q": weight(WIDTH, WIDTH),
                         "k": weight(GROUPS * HEAD, WIDTH), "v": weight(GROUPS * HEAD, WIDTH),
                         "o": weight(WIDTH, WIDTH), "second": weight(WIDTH),
                         "gate": weight(HIDDEN, WIDTH), "up": weight(HIDDEN, WIDTH),
                         "down": weight(WIDTH, HIDDEN)} for _ in range(layers)]

    def step(self, length):
        """A function that computes one, with a cache of so many rows."""
        torch, functional = self.torch, self.torch.nn.functional
        table, last = self.table, self.last
        layers = [dict(w, keys=self.weight(1, GROUPS, length, HEAD),
                       values=self.weight(1, GROUPS, length, HEAD)) for w in self.weights]
        token = torch.zeros(1, dtype=torch.long, device="cuda")
        position = torch.full((1,), length - 1, dtype=torch.long, device="cuda")
        angles = (length - 1) * 10000.0 ** (-torch.arange(0, HEAD, 2, device="cuda") / HEAD)
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


def open_torch(args):
    """PyTorch on a GPU, or None and why."""
    try:
        import torch
        return Torch(torch, args.layers)
    except Exception as error:  # not installed, no GPU, no driver: all of them
        print(f"without PyTorch: {str(error).splitlines()[0]}", flush=True)
        return None


def has_time(args, what):
    if time.monotonic() - BEGIN < args.seconds:
        return True
    print(f"no time left for {what}", flush=True)
    return False


def capture(args, peers, name, make):
    """Adds a captured step to the peers, unless PyTorch fails to make it."""
    if not has_time(args, name):
        return
    begin = time.monotonic()
    try:
        peers[name] = make()
    except Exception as error:
        print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0]}", flush=True)
        return
    print(f"{name}: made in {time.monotonic() - begin:.0f} s", flush=True)


# ---- Both ------------------------------------------------------------------------------------------

def measure(args, peers, plans, length):
    """In turn: each peer, and behind each all plans. Medians of the peers' by name."""
    torch = args.torch and args.torch.torch
    times = {}
    for _ in range(args.rounds):
        for name in list(peers) or [None]:
            if name:
                times.setdefault(name, []).append(common.gpu_seconds(torch, peers[name]))
            for plan in plans:
                plan.measure(length)
    return {name: statistics.median(found) for name, found in times.items()}


def print_rows(args, plans, theirs, tokens, length):
    for dtype in dict.fromkeys(plan.dtype for plan in plans):
        for plan in (p for p in plans if p.dtype == dtype):
            ours = statistics.median(plan.times[length])
            spread = max(plan.times[length]) - min(plan.times[length])
            common.row(tokens, dtype, plan.level, plan.barriers, common.micro(ours), common.micro(spread),
                       plan.replays.clock() or "",
                       *(f"{common.micro(theirs[name])} ({ours / theirs[name]:.2f})" if name in theirs
                         else "" for name in args.names))


def run(args, folder):
    plans = [Plan(args, folder, entry) for entry in json.loads((folder / "plans.json").read_text())
             if entry["dtype"] in args.dtypes and entry["level"] in args.levels]
    args.layers = plans[0].layers
    args.torch = None if args.no_torch else open_torch(args)
    args.names = ["eager", "max-autotune"] if args.torch else []
    rows = []
    for tokens in args.tokens:
        length, peers = max(tokens, 1), {}
        if args.torch and has_time(args, f"{tokens} tokens beside PyTorch"):
            torch, step = args.torch.torch, args.torch.step(length)
            capture(args, peers, "eager", lambda: common.capture(torch, step))
            capture(args, peers, "max-autotune", lambda: common.capture(
                torch, torch.compile(step, mode="max-autotune-no-cudagraphs")))
        rows.append((measure(args, peers, plans, length), tokens, length))
    names = [f"PyTorch {name} us (Reprise / it)" for name in args.names]
    print()
    common.row("tokens", "weights", "level", "barriers", "us", "spread", "MHz", *names)
    print("|" + "---|" * (7 + len(names)), flush=True)
    for theirs, tokens, length in rows:
        print_rows(args, plans, theirs, tokens, length)
    for plan in plans:
        plan.replays.close()


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("--dtypes", nargs="+", default=["f16", "q8_0", "q4_0"])
    parser.add_argument("--levels", nargs="+", default=["1", "2"], choices=["0", "1", "2"])
    parser.add_argument("--tokens", nargs="+", type=int, default=[512, 0, 2048], help="in the cache")
    parser.add_argument("--layers", type=int, default=LAYERS)
    parser.add_argument("--rounds", type=int, default=2, help="of everything, in turn")
    parser.add_argument("--milliseconds", type=int, default=300, help="that a plan is replayed for in a round")
    parser.add_argument("--seconds", type=int, default=140, help="behind which PyTorch begins nothing more")
    common.plan_arguments(parser)
    args = parser.parse_args()
    args.levels = [f"-O{level}" for level in args.levels]
    if max(args.tokens) > MOST_TOKENS or min(args.tokens) < 0:
        parser.error(f"the cache holds 0 to {MOST_TOKENS} tokens")
    common.with_plans(args, save_plans, run)


if __name__ == "__main__":
    main()
