"""Attention whose sequences, tokens and rows follow live values: one plan at many sizes, against NumPy in double and
against pipelines of numbers."""
import numpy as np

import cli
from cli import INPUT, OK
from test_attention import Call

# A kernel is compiled for seconds on a processor: so few pipelines, of several calls each, at many sizes.
SEVERAL = """reprise: 1
{head}
buffers:
  q: {{kind: in, dtype: f32, shape: [batch, tokens, 4, 8]}}
  k: {{kind: in, dtype: f32, shape: [batch, rows, 2, 8]}}
  v: {{kind: in, dtype: f32, shape: [batch, rows, 2, 8]}}
  mask: {{kind: in, dtype: bool, shape: [batch, rows]}}
  out: {{kind: out, dtype: f32, shape: [batch, tokens, 32]}}
nodes:
  - {{map: 2 * a, bind: {{a: q}}, out: twice}}
  - {{op: attention, q: twice, k: k, v: v, mask: mask, causal: 0, out: o}}
  - {{map: "o + 1", bind: {{o: {{buffer: o, shape: [batch, tokens, 32]}}}}, out: out}}
"""
# Tokens of several sequences one behind the other, each with its own rows; and new rows of a cache.
PACKED = """reprise: 1
{head}
buffers:
  q: {{kind: in, dtype: f32, shape: [tokens, 2, 16]}}
  new: {{kind: in, dtype: f32, shape: [tokens, 1, 16]}}
  offsets: {{kind: in, dtype: u32, shape: [batch + 1]}}
  position: {{kind: in, dtype: u32, shape: [1]}}
  k: {{kind: inout, dtype: f32, shape: [rows, 1, 16]}}
  v: {{kind: inout, dtype: f32, shape: [rows, 1, 16]}}
  out: {{kind: out, dtype: f32, shape: [tokens, 2, 16]}}
  chunk: {{kind: out, dtype: f32, shape: [tokens, 2, 16]}}
nodes:
  - {{op: attention, q: q, k: new, v: new, q_offsets: offsets, k_offsets: offsets, window: 5, out: out}}
  - {{op: attention, q: q, k: k, v: v, key: new, value: new, position: position, out: chunk}}
"""
# One token of each sequence: over as many rows as there are, and over a cache that each puts a row into.
ONE = """reprise: 1
{head}
buffers:
  q: {{kind: in, dtype: f32, shape: [batch, 1, 2 * heads, 8]}}
  k: {{kind: in, dtype: f32, shape: [batch, rows, heads, 8]}}
  v: {{kind: in, dtype: f32, shape: [batch, rows, heads, 8]}}
  new: {{kind: in, dtype: f32, shape: [batch, 1, heads, 8]}}
  position: {{kind: in, dtype: u32, shape: [batch]}}
  ck: {{kind: inout, dtype: f32, shape: [batch, rows, heads, 8]}}
  cv: {{kind: inout, dtype: f32, shape: [batch, rows, heads, 8]}}
  out: {{kind: out, dtype: f32, shape: [batch, 1, 2 * heads, 8]}}
  step: {{kind: out, dtype: f32, shape: [batch, 1, 2 * heads, 8]}}
nodes:
  - {{op: attention, q: q, k: k, v: v, out: out}}
  - {{op: attention, q: q, k: ck, v: cv, key: new, value: new, position: position, out: step}}
"""


class Sizes(cli.Case):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(13)

    def normal(self, *shape):
        return self.random.normal(size=shape).astype("f4")

    def compile(self, text, **live):
        """A plan of live sizes, and beside it the pipeline of params."""
        self.live = live
        sizes = ", ".join(f"{name}: {{max: {most}}}" for name, most in live.items())
        self.write("live.yaml", text.format(head=f"live: {{{sizes}}}"))
        self.write("fixed.yaml", text.format(head="params: {" + ", ".join(f"{name}: 1" for name in live) + "}"))
        self.expect(OK, "compile", "live.yaml", "-o", "live.rplan", "--target", "device")
        self.expect(OK, "check", "live.rplan")

    def run_at(self, sizes, arrays, outputs, fixed=False):
        """The results of the plan at sizes; with `fixed` they have the bits of the pipeline of numbers."""
        inputs = []
        for name, array in arrays.items():
            np.save(self.folder / f"{name}.npy", array)
            inputs += ["-i", f"{name}={name}.npy"]
        outs = [a for o in outputs for a in ("-o", f"{o}=l-{o}.npy")]
        self.expect(OK, "run", "live.rplan", *inputs, *outs, *[a for s, n in zip(self.live, sizes) for a in ("--set", f"{s}={n}")])
        if fixed:
            outs = [a for o in outputs for a in ("-o", f"{o}=f-{o}.npy")]
            self.expect(OK, "run", "fixed.yaml", *inputs, *outs, *[a for s, n in zip(self.live, sizes) for a in ("-D", f"{s}={n}")])
            for o in outputs:
                self.assertEqual(self.read(f"l-{o}.npy"), self.read(f"f-{o}.npy"), o)
        return [np.load(self.folder / f"l-{o}.npy") for o in outputs]

    def close(self, got, want):
        np.testing.assert_allclose(got, want.reshape(got.shape), rtol=1e-4, atol=1e-5)

    def test_several_tokens(self):
        self.compile(SEVERAL, batch=4, tokens=40, rows=16)  # sixteen: kernels that processors compile in a third of the time
        for batch, tokens, rows in ((4, 40, 16), (3, 7, 9), (1, 1, 1), (2, 9, 0), (0, 3, 5), (2, 0, 5)):
            a = {"q": self.normal(batch, tokens, 4, 8), "k": self.normal(batch, rows, 2, 8), "v": self.normal(batch, rows, 2, 8),
                 "mask": self.random.random((batch, rows)) < 0.8}
            out, = self.run_at((batch, tokens, rows), a, ["out"], fixed=(batch, tokens, rows) == (3, 7, 9))
            want, _, _ = Call({**a, "q": 2 * a["q"]}, causal=0).want(lambda x: x.astype("f8"))
            self.assertEqual(out.shape, (batch, tokens, 32))
            self.close(out, want + 1)

    def test_packed_tokens_and_new_rows(self):
        self.compile(PACKED, batch=3, tokens=13, rows=16)
        for batch, tokens, rows in ((3, 13, 16), (2, 9, 12), (1, 1, 5), (3, 1, 5), (3, 2, 4), (3, 0, 7), (2, 6, 4), (0, 4, 0)):
            ends = np.sort(self.random.integers(0, tokens + 1, batch)).astype("u4")
            a = {"q": self.normal(tokens, 2, 16), "new": self.normal(tokens, 1, 16),
                 "offsets": np.concatenate([np.zeros(1, "u4"), ends]).astype("u4"), "position": np.array([3], "u4"),
                 "k": self.normal(rows, 1, 16), "v": self.normal(rows, 1, 16)}
            out, chunk, k, v = self.run_at((batch, tokens, rows), a, ["out", "chunk", "k", "v"], fixed=tokens == 9)
            want = np.zeros(out.shape)
            for first, end in zip(a["offsets"], a["offsets"][1:]):
                q, new = a["q"][None, first:end], a["new"][None, first:end]
                if first < end:
                    want[first:end] = Call({"q": q, "k": new, "v": new}, window=5).want(lambda x: x.astype("f8"))[0][0]
            self.close(out, want)
            call = {"q": a["q"][None], "k": a["k"][None], "v": a["v"][None], "key": a["new"], "value": a["new"],
                    "position": a["position"]}
            want, want_k, want_v = Call(call).want(lambda x: x.astype("f8"))
            self.close(chunk, want)
            self.close(k, want_k)
            self.close(v, want_v)

    def test_one_token(self):
        self.compile(ONE, batch=3, rows=70, heads=2)
        for batch, rows, heads in ((3, 70, 2), (2, 37, 1), (1, 1, 2), (2, 0, 2), (0, 5, 1), (2, 5, 0)):
            a = {"q": self.normal(batch, 1, 2 * heads, 8), "new": self.normal(batch, 1, heads, 8),
                 "position": self.random.integers(0, rows + 1, batch).astype("u4")}
            a |= {name: self.normal(batch, rows, heads, 8) for name in ("k", "v", "ck", "cv")}
            out, step, k, v = self.run_at((batch, rows, heads), a, ["out", "step", "ck", "cv"])
            if heads == 0:
                self.assertEqual((out.shape, k.shape), ((batch, 1, 0, 8), (batch, rows, 0, 8)))
                continue
            want, _, _ = Call({name: a[name] for name in "qkv"}).want(lambda x: x.astype("f8"))
            self.close(out, want)
            call = {"q": a["q"], "k": a["ck"], "v": a["cv"], "key": a["new"][:, 0], "value": a["new"][:, 0],
                    "position": a["position"]}
            want, want_k, want_v = Call(call).want(lambda x: x.astype("f8"))
            self.close(step, want)
            self.close(k, want_k)
            self.close(v, want_v)

    def test_refused(self):
        """What cannot follow sizes says so where it stands."""
        line = "{op: attention, q: h, k: h, v: h, out: z}"
        words = "no kernel can be made: D of attention_prefill follows live sizes, and its kernels are made for fixed numbers"
        self.write("refused.yaml", "reprise: 1\nlive: {tokens: {max: 40}, size: {max: 4}}\nbuffers:\n"
                   "  h: {kind: in, dtype: f32, shape: [tokens, 1, size]}\n  z: {kind: out, dtype: f32, shape: [tokens, 1, size]}\n"
                   f"nodes:\n  - {line}\n")
        self.expect(INPUT, "compile", "refused.yaml", "-o", "p.rplan", error=words)
        self.assertFalse((self.folder / "p.rplan").exists())


if __name__ == "__main__":
    cli.main()
