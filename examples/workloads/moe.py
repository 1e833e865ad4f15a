#!/usr/bin/env python3
"""A mixture of experts, one plan for one token and for many."""
import numpy as np

from workload import Workload

w = Workload(width=64, hidden=96, experts=8, chosen=2)
weights = {"norm": 1 + w.normal(w.width, scale=0.1)}
for name, shape in (("router", (w.experts, w.width)), ("gate", (w.experts, w.hidden, w.width)),
                    ("up", (w.experts, w.hidden, w.width)), ("down", (w.experts, w.width, w.hidden))):
    weights[name] = w.normal(*shape, scale=shape[-1] ** -0.5, dtype=np.float16)
norm, router, gate, up, down = (array.astype(float) for array in weights.values())


def mixture(x):
    n = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * norm
    out = x.copy()
    for token, scores in enumerate(n @ router.T):
        chosen = scores.argsort()[-w.chosen:]
        gates = np.exp(scores[chosen] - scores[chosen].max())
        for expert, weight in zip(chosen, gates / gates.sum()):
            a = gate[expert] @ n[token]
            out[token] += weight * (down[expert] @ (a / (1 + np.exp(-a)) * (up[expert] @ n[token])))
    return out


plan = w.folder / "moe.rplan"
w.reprise("compile", w.here / "moe.yaml", *w.defines(), "-q", "-o", plan)
for tokens in (1, 40, 7):
    x = w.normal(tokens, w.width)
    y, = w.replay(plan, ["y"], "--weights", w.save("moe", {"x": x, **weights}), "--set", f"tokens={tokens}")
    w.close(f"y of {tokens}", y, mixture(x.astype(float)), 1e-4)
w.finish()
