#!/usr/bin/env python3
"""Whole models, and beside them PyTorch on the same GPU, in one run.

  MiniLM   a sentence encoder of six layers, at 1 x 16, 8 x 128 and 64 x 128 tokens
  decode   256 tokens one by one, by a model of Llama-3.2-1B's shape whose cache grows from nothing
  ResNet   ResNet-18 at batch 1 and 16

PyTorch runs each eager, and compiled in a CUDA Graph; for decoding, where a graph has one shape, with a cache of full
length and a mask. Times of MiniLM and ResNet are the GPU's with a full queue; that of decoding is the wall's, host
included, for all tokens. Weights are random numbers. What PyTorch cannot do there is left out and said.

    models.py --save FOLDER --target h200      compiles the plans alone
    models.py --plans FOLDER --build FOLDER    measures them, on a machine without a compiler
"""
import json
import pathlib
import statistics
import sys
import time

import numpy as np

import common
import decode
import minilm

SHAPES = [(1, 16), (8, 128), (64, 128)]
BATCHES = [1, 16]
STAGES = [(64, 1), (128, 2), (256, 2), (512, 2)]
RESNET = pathlib.Path(__file__).resolve().parents[2] / "examples" / "workloads" / "resnet.yaml"


# ---- Plans -----------------------------------------------------------------------------------------

def resnet(dtype, batch):
    """The workload's pipeline for a batch of this size, and of this dtype."""
    text = RESNET.read_text()
    text = text.replace("live: {batch: {default: 1, max: 32}}\n", "").replace("params: {", f"params: {{batch: {batch}, ")
    return text.replace("dtype: f32", f"dtype: {dtype}")


def save_plans(args, folder):
    folder.mkdir(parents=True, exist_ok=True)
    saved, path = [], folder / "pipeline.yaml"

    def save(work, text, level="-O1", **entry):
        path.write_text(text)
        plan = f"{work.replace(' ', '-')}.rplan"
        defines = {name: entry[name] for name in ("batch", "tokens") if work.startswith("MiniLM")}
        common.compile_plan(args.build, path, folder / plan, args.target, level, **defines)
        saved.append({"work": work, "plan": plan, **entry})

    for dtype in args.dtypes:
        for batch, tokens in SHAPES:
            save(f"MiniLM {batch} x {tokens} {dtype}", minilm.pipeline(dtype), kind="minilm", dtype=dtype, batch=batch, tokens=tokens)
        for batch in BATCHES:
            save(f"ResNet-18 {batch} {dtype}", resnet(dtype, batch), kind="resnet", dtype=dtype, batch=batch)
    save(f"decode {args.tokens} f16", decode.pipeline(args.build, "f16", args.layers), "-O2", kind="decode", dtype="f16",
         layers=args.layers)
    path.unlink()
    (folder / "plans.json").write_text(json.dumps(saved, indent=1) + "\n")


# ---- PyTorch ---------------------------------------------------------------------------------------

def torch_minilm(torch, entry):
    kind = torch.float16 if entry["dtype"] == "f16" else torch.float32
    rng = np.random.default_rng(1)
    weights = {name: (rng.standard_normal(shape) * 0.05).astype(np.float32) for name, shape in minilm.shapes().items()}
    shape = (entry["batch"], entry["tokens"])
    ids, mask = torch.randint(0, 30000, shape, device="cuda"), torch.ones(shape, device="cuda", dtype=kind)
    return {name: (lambda call: lambda: call(ids, mask))(minilm.torch_model(torch, weights, kind, compiled))
            for name, compiled in (("eager", False), ("compiled", True))}


def torch_resnet(torch, entry):
    """The network as torchvision has it: batch normalisation, folded by nobody."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, inner, width, stride):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(inner, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
            self.conv2, self.bn2 = nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
            self.short = nn.Sequential() if inner == width else nn.Sequential(
                nn.Conv2d(inner, width, 1, stride, bias=False), nn.BatchNorm2d(width))

        def forward(self, x):
            y = torch.relu(self.bn1(self.conv1(x)))
            return torch.relu(self.bn2(self.conv2(y)) + self.short(x))

    blocks, inner = [], 64
    for width, stride in STAGES:
        blocks += [Block(inner, width, stride), Block(width, width, 1)]
        inner = width
    model = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
                          *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))
    kind = torch.float16 if entry["dtype"] == "f16" else torch.float32
    model = model.cuda().to(kind).eval()
    x = torch.rand(entry["batch"], 3, 224, 224, device="cuda", dtype=kind)
    last = model.to(memory_format=torch.channels_last)
    y = x.contiguous(memory_format=torch.channels_last)
    fast = torch.compile(last, mode="max-autotune-no-cudagraphs")
    return {"eager": lambda: last(y), "compiled": lambda: fast(y)}


def torch_decode(torch, layers, tokens):
    """Functions that write all tokens: eager with a cache that grows, and one graph of a step over a cache of full
    length, where a mask hides what was not written yet. The token, too, stays on the GPU."""
    model = decode.Torch(torch, layers)
    functional, weights = torch.nn.functional, model.weights
    shape = (1, decode.GROUPS, tokens, decode.HEAD)
    caches = [(torch.zeros(shape, device="cuda").half(), torch.zeros(shape, device="cuda").half()) for _ in weights]
    token, position = torch.zeros(1, dtype=torch.long, device="cuda"), torch.zeros(1, dtype=torch.long, device="cuda")
    places = torch.arange(tokens, device="cuda")
    rates = 10000.0 ** (-torch.arange(0, decode.HEAD, 2, device="cuda") / decode.HEAD)
    half = decode.HEAD // 2

    def one_layer(x, w, keys, values, length, position, cosine, sine, mask):
        def rotate(t):
            a, b = t[..., :half], t[..., half:]
            return torch.cat((a * cosine - b * sine, a * sine + b * cosine), -1)

        n = functional.rms_norm(x, (decode.WIDTH,), w["first"])
        q = rotate(functional.linear(n, w["q"]).view(1, decode.HEADS, 1, decode.HEAD))
        k = rotate(functional.linear(n, w["k"]).view(1, decode.GROUPS, 1, decode.HEAD))
        v = functional.linear(n, w["v"]).view(1, decode.GROUPS, 1, decode.HEAD)
        keys.index_copy_(2, position, k)
        values.index_copy_(2, position, v)
        seen = (keys[:, :, :length], values[:, :, :length]) if length else (keys, values)
        a = functional.scaled_dot_product_attention(q, *seen, attn_mask=mask, enable_gqa=True)
        x = x + functional.linear(a.view(1, decode.WIDTH), w["o"])
        n = functional.rms_norm(x, (decode.WIDTH,), w["second"])
        h = functional.silu(functional.linear(n, w["gate"])) * functional.linear(n, w["up"])
        return x + functional.linear(h, w["down"])

    def step(length, layer=one_layer):
        """With a number of rows, or all of them behind a mask."""
        x = model.table[token]
        angles = position * rates
        cosine, sine = angles.cos().half(), angles.sin().half()
        mask = None if length else (places <= position).view(1, 1, 1, tokens)

        for w, (keys, values) in zip(weights, caches):
            x = layer(x, w, keys, values, length, position, cosine, sine, mask)
        token.copy_(functional.linear(functional.rms_norm(x, (decode.WIDTH,), model.last), model.table).argmax(-1))
        position.add_(1)

    def eager():
        position.zero_()
        for length in range(1, tokens + 1):
            step(length)

    def captured(call):
        position.zero_()
        replay = common.capture(torch, call)

        def loop():
            position.zero_()
            for _ in range(tokens):
                replay()

        return loop

    return {"eager": lambda: eager, "CUDA Graph": lambda: captured(lambda: step(0)),
            "compiled, CUDA Graph": lambda: captured(  # layer by layer: all of them at once compile for over five minutes
                (lambda fast: lambda: step(0, fast))(torch.compile(one_layer, mode="max-autotune-no-cudagraphs")))}


def wall_seconds(torch, call, seconds=1.0):
    """Median of calls, each until the GPU is done."""
    times, begin = [], time.monotonic()
    while not times or time.monotonic() - begin < seconds:
        start = time.perf_counter()
        call()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


# ---- Both ------------------------------------------------------------------------------------------

def graph_of(torch, call):
    return lambda: common.capture(torch, call)


def beside(torch, args, entry, plan):
    calls = {"minilm": torch_minilm, "resnet": torch_resnet}[entry["kind"]](torch, entry)
    peers = {"eager": lambda: calls["eager"]}
    peers.update({f"{name}, CUDA Graph": graph_of(torch, call) for name, call in calls.items()})
    for name, make in peers.items():
        try:
            common.beside_torch(torch, args, entry["work"], plan, {name: make})
        except Exception as error:
            print(f"{entry['work']}, {name}: {type(error).__name__}: {str(error).splitlines()[0]}", file=sys.stderr, flush=True)


def beside_decode(torch, args, entry, plan):
    """Replays for all tokens, and PyTorch's loops, in turn."""
    replays = common.Replays(args.build, plan, 1000)
    replays.round(length=1, position=0)  # warms up
    replays.times.clear()

    def ours():
        return replays.round(length=f"1..{args.tokens}", position=f"0..{args.tokens - 1}")[0]

    for name, make in torch_decode(torch, entry["layers"], args.tokens).items():
        try:
            call = make()
            call()
            theirs = wall_seconds(torch, call)
        except Exception as error:
            print(f"{entry['work']}, {name}: {type(error).__name__}: {str(error).splitlines()[0]}", file=sys.stderr, flush=True)
            continue
        mine = statistics.median([ours(), ours()])
        common.row(entry["work"], common.micro(mine), replays.clock() or "", name, common.micro(theirs), f"{mine / theirs:.2f}")
    replays.close()


def alone(args, entry, plan):
    """Without PyTorch."""
    replays = common.Replays(args.build, plan)
    values = {"length": f"1..{args.tokens}", "position": f"0..{args.tokens - 1}"} if entry["kind"] == "decode" else {}
    wall, gpu = [replays.round(**values) for _ in range(2)][-1]
    common.row(entry["work"], common.micro(wall if values else gpu), replays.clock() or "", "", "", "")
    replays.close()


def measure(args, folder):
    torch = None
    if not args.no_torch:
        import torch
        torch.set_grad_enabled(False)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
    common.header(args)
    for entry in json.loads((folder / "plans.json").read_text()):
        plan = folder / entry["plan"]
        if torch is None:
            alone(args, entry, plan)
        elif entry["kind"] == "decode":
            beside_decode(torch, args, entry, plan)
        else:
            beside(torch, args, entry, plan)


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("--dtypes", nargs="+", default=["f32", "f16"], choices=["f32", "f16"], help="of MiniLM and ResNet")
    parser.add_argument("--tokens", type=int, default=256, help="that are decoded")
    parser.add_argument("--layers", type=int, default=decode.LAYERS, help="of the model that decodes")
    common.plan_arguments(parser)
    args = parser.parse_args()
    common.with_plans(args, save_plans, measure)


if __name__ == "__main__":
    main()
