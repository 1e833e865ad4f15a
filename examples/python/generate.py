#!/usr/bin/env python3
"""A model of Llama's shape that writes, token by token: one plan, a cache that keeps its rows, a length that grows.

    ./generate.py [COUNT]

Weights are random, so what it writes is none of sense; one replay is one token.
"""
import sys

import numpy as np
import reprise as rp
from reprise import ops

SIZES = dict(layers=2, width=64, heads=4, groups=2, hidden=128, words=100, context=64)


def random_weights(seed=1, **s):
    """As many as a model of these sizes has."""
    rng = np.random.default_rng(seed)
    kv = s["width"] * s["groups"] // s["heads"]

    def matrix(rows, columns):
        return (rng.standard_normal((rows, columns)) * columns ** -0.5).astype("f4")

    layers = [{"q": matrix(s["width"], s["width"]), "k": matrix(kv, s["width"]), "v": matrix(kv, s["width"]),
               "o": matrix(s["width"], s["width"]), "gate": matrix(s["hidden"], s["width"]),
               "up": matrix(s["hidden"], s["width"]), "down": matrix(s["width"], s["hidden"])} for _ in range(s["layers"])]
    return {"table": matrix(s["words"], s["width"]), "head": 3 * matrix(s["words"], s["width"]), "layers": layers}


def step(weights, **s):
    """One step: the token at a position to the next one, which stays in `token`."""
    p = rp.Program("generate")
    head = s["width"] // s["heads"]
    position, length = p.live("position", 0, max=s["context"] - 1), p.live("length", 1, max=s["context"])
    token = p.state("token", 1, "u32")
    keys, values = (p.state(name, (s["layers"], s["context"], s["groups"], head)) for name in ("keys", "values"))
    x = ops.gather_rows(weights["table"], token)
    for layer, w in enumerate(weights["layers"]):
        with p.label(f"layer{layer}"):
            n = ops.rms_norm(x)
            q, k, v = (ops.linear(n, w[name]).reshape(1, -1, head) for name in "qkv")
            q, k = ops.rope(q, position), ops.rope(k, position)
            a = ops.attention(q[0], keys[layer], values[layer], key=k, value=v[0], position=position, length=length)
            x = x + ops.linear(a.reshape(1, -1), w["o"])
            x = ops.swiglu_ffn(ops.rms_norm(x), w["gate"], w["up"], w["down"], residual=x)
    logits = ops.linear(ops.rms_norm(x), weights["head"])
    p.output("logits", logits)
    ops.argmax(logits, out=token)
    return p


def generate(run, prompt, count):
    """The tokens behind a prompt, and the logits of each step."""
    written, logits = list(prompt), []
    for at in range(len(prompt) + count - 1):
        if at < len(prompt):
            run.write("token", np.array([prompt[at]], "u4"))
        logits.append(run(position=at, length=at + 1))
        if at + 1 >= len(prompt):
            written.append(int(run.read("token")[0]))
    return written, np.concatenate(logits)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    with step(random_weights(**SIZES), **SIZES).compile(target=rp.device()).open() as run:
        print(*generate(run, [17, 3, 42], count)[0])


if __name__ == "__main__":
    main()
