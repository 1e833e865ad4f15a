#!/usr/bin/env python3
"""A Llama with weights made up reads a prompt and goes on, a token at a time; each step's logits and what is drawn
from them are compared."""
import numpy as np

from workload import Workload


def bf16(x):
    """The upper halves of f32, rounded to the nearest even, as u16; and the numbers that they are."""
    bits = x.astype(np.float32).view(np.uint32)
    upper = (bits + 0x7fff + (bits >> 16 & 1)) >> 16
    return upper.astype(np.uint16), (upper << 16).view(np.float32).astype(float)


def uniform(seed, offset):
    """The first number of random_uniform: Philox 4x32-10."""
    counter, key = [offset, 0, 0, 0], [seed, 0]
    for _ in range(10):
        a, b = counter[0] * 0xD2511F53, counter[2] * 0xCD9E8D57
        counter = [b >> 32 ^ counter[1] ^ key[0], b & 0xffffffff, a >> 32 ^ counter[3] ^ key[1], a & 0xffffffff]
        key = [(key[0] + 0x9E3779B9) % 2 ** 32, (key[1] + 0xBB67AE85) % 2 ** 32]
    return (counter[0] >> 8) / 2 ** 24


def draw(logits, seed, offset, temperature, top_p, min_p):
    order = np.argsort(-logits, kind="stable")[:50]
    if temperature == 0:
        return order[0]
    weights = np.exp((logits[order] - logits[order[0]]) / temperature)
    weights = weights[weights.cumsum() - weights < top_p * weights.sum()]
    weights = weights[weights >= min_p]
    return order[np.argmax(weights.cumsum() > uniform(seed, offset) * weights.sum())]


class Llama:
    def __init__(self, w, tensors):
        self.w, self.tensors = w, tensors
        self.keys, self.values = np.zeros((2, w.layers, w.context, w.groups, w.width // w.heads))

    def linear(self, x, name):
        return x @ self.tensors[f"{name}.weight"].T

    def norm(self, x, name):
        return x / np.sqrt((x * x).mean() + 1e-5) * self.tensors[f"{name}.weight"]

    def rotate(self, x, position):
        half = x.shape[-1] // 2
        angle = position * 10000.0 ** (-np.arange(half) / half)
        a, b = x[:, :half], x[:, half:]
        return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], axis=1)

    def attend(self, l, q, position):
        out = np.zeros_like(q)
        for head in range(self.w.heads):
            group = head * self.w.groups // self.w.heads
            scores = self.keys[l, :position + 1, group] @ q[head] / q.shape[1] ** 0.5
            weights = np.exp(scores - scores.max())
            out[head] = weights / weights.sum() @ self.values[l, :position + 1, group]
        return out.reshape(-1)

    def step(self, token, position):
        x = self.tensors["model.embed_tokens.weight"][token]
        for l in range(self.w.layers):
            b = f"model.layers.{l}"
            n = self.norm(x, f"{b}.input_layernorm")
            q, k, v = (self.linear(n, f"{b}.self_attn.{part}_proj").reshape(-1, self.w.width // self.w.heads) for part in "qkv")
            self.keys[l, position] = self.rotate(k, position).astype(np.float16)
            self.values[l, position] = v.astype(np.float16)
            h = x + self.linear(self.attend(l, self.rotate(q, position), position), f"{b}.self_attn.o_proj")
            m = self.norm(h, f"{b}.post_attention_layernorm")
            gate = self.linear(m, f"{b}.mlp.gate_proj")
            x = h + self.linear(gate / (1 + np.exp(-gate)) * self.linear(m, f"{b}.mlp.up_proj"), f"{b}.mlp.down_proj")
        return self.linear(self.norm(x, "model.norm"), "lm_head")


w = Workload(layers=2, width=64, heads=4, groups=2, hidden=96, vocabulary=100, context=48)
shapes = {"model.embed_tokens": (w.vocabulary, w.width), "model.norm": (w.width,), "lm_head": (w.vocabulary, w.width)}
for b in (f"model.layers.{l}" for l in range(w.layers)):
    narrow = w.groups * w.width // w.heads
    shapes |= {f"{b}.input_layernorm": (w.width,), f"{b}.post_attention_layernorm": (w.width,),
               f"{b}.self_attn.q_proj": (w.width, w.width), f"{b}.self_attn.k_proj": (narrow, w.width),
               f"{b}.self_attn.v_proj": (narrow, w.width), f"{b}.self_attn.o_proj": (w.width, w.width),
               f"{b}.mlp.gate_proj": (w.hidden, w.width), f"{b}.mlp.up_proj": (w.hidden, w.width),
               f"{b}.mlp.down_proj": (w.width, w.hidden)}
made = {f"{name}.weight": bf16(1 + w.normal(*shape, scale=0.1) if len(shape) == 1 else
                               w.normal(*shape, scale=3 * shape[1] ** -0.5 if name == "lm_head" else shape[1] ** -0.5))
        for name, shape in shapes.items()}
model = Llama(w, {name: numbers for name, (_, numbers) in made.items()})
weights = w.save("llama", {name: halves for name, (halves, _) in made.items()})
plan = w.folder / "llama.rplan"
w.reprise("compile", w.here / "llama.yaml", *w.defines(), "-q", "-o", plan)

prompt, steps, seed, state = [17, 3, 88, 42], 9, 5, {}
written = prompt[0]
for position in range(steps):
    token = prompt[position] if position < len(prompt) else written
    settings = (0, 1, 0) if position < 5 else (0.8, 0.95, 0.05) # the best token, then one by chance
    state["token"] = np.array([token], np.uint32)
    state["token"], logits, state["keys"], state["values"] = w.replay(
        plan, ["token", "logits", "keys", "values"], "--weights", weights, "--weights", w.save("state", state),
        "--set", f"position={position}", "--set", f"length={position + 1}", "--set", f"seed={seed}",
        "--set", f"settings={','.join(map(str, settings))}")
    want = model.step(token, position)
    w.close(f"logits at {position}", logits[0], want, 2e-4)
    written = draw(want, seed, position, *settings)
    w.equal(f"token behind {position}", state["token"], np.array([written]))
w.close("keys", state["keys"], model.keys, 1e-3)
w.finish()
