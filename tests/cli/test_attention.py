"""The composite attention against plain softmax of NumPy in double precision: what a token sees of caches, rings
and pages, of one token and of many, with new rows and without, fused and not."""
import numpy as np

import cli
from cli import INPUT, OK

DTYPES = {"float32": "f32", "float16": "f16", "uint32": "u32", "int32": "i32", "bool": "bool"}


def q8_0(x):
    """What blocks of 32 numbers hold, and what they are."""
    blocks = x.astype("f4").reshape(-1, 32)
    unit = (np.abs(blocks).max(-1) / np.float32(127)).astype("f4")
    inverse = np.where(unit > 1e-30, np.float32(1) / np.where(unit > 0, unit, 1), 0).astype("f4")
    codes = blocks * inverse[:, None]
    codes = np.where(codes < 0, np.ceil(codes - np.float32(0.5)), np.floor(codes + np.float32(0.5)))
    return (codes * unit.astype("f2").astype("f8")[:, None]).reshape(x.shape)


def number(values, sequence):
    return int(max(np.ravel(values)[sequence if np.size(values) > 1 else 0], 0))


class Call:
    """A call of attention: arrays by operand and attributes. q has all of its dimensions: [B, T, H, D]."""

    def __init__(self, arrays, **attrs):
        self.a, self.attrs = arrays, attrs
        self.table = arrays.get("table")
        self.ring, self.window = attrs.get("ring", 0), attrs.get("window", 0)
        k = arrays["k"]
        self.each = k.shape[1]
        self.room = self.each * (self.table.shape[1] if self.table is not None else 1)

    def place(self, sequence, row):
        """The cache or page, and the row in it; None: nowhere."""
        slot = row % self.room if self.ring else row
        if slot >= self.room:
            return None
        if self.table is None:
            return sequence, slot
        page = int(self.table[sequence, slot // self.each])
        return (page, slot % self.each) if 0 <= page < self.a["k"].shape[0] else None

    def added(self, sequence, head, token, row):
        mask = self.a.get("mask")
        if mask is None:
            return 0.0
        slot = row % self.room if self.ring else row
        if mask.ndim == 2:
            value = mask[sequence, slot]
        else:
            b, h, t, _ = mask.shape
            value = mask[min(sequence, b - 1), min(head, h - 1), min(token, t - 1), slot]
        if mask.dtype == bool:
            return 0.0 if value else -np.inf
        return float(value)

    def extent(self, sequence, tokens):
        """The row of the first token, and the rows that there are."""
        position, length = self.a.get("position"), self.a.get("length")
        if length is not None:
            total = number(length, sequence)
        else:
            total = self.room if position is None else number(position, sequence) + tokens
        past = max(total - tokens, 0) if position is None else number(position, sequence)
        if not self.ring:
            return past, range(min(total, self.room))
        return past, range(max(total - self.room, 0), total)

    def put(self, k, v, sequence, first, tokens, store):
        past, rows = self.extent(sequence, tokens)
        for t in range(tokens):
            if self.ring and tokens - t > self.room:
                continue
            place = self.place(sequence, past + t)
            one = tokens == 1 and "q_offsets" not in self.a
            if place is None or (one and self.ring and past + t not in rows):
                continue
            k[place] = store(self.a["key"].reshape(-1, *k.shape[2:])[first + t])
            v[place] = store(self.a["value"].reshape(-1, *v.shape[2:])[first + t])

    def attend(self, k, v, sequence, q, out):
        tokens, heads, size = q.shape
        past, rows = self.extent(sequence, tokens)
        for t in range(tokens):
            for h in range(heads):
                scores, values = [], []
                for row in rows:
                    own, place = past + t, self.place(sequence, row)
                    unseen = self.attrs.get("causal", 1) and row > own or self.window and abs(row - own) >= self.window
                    more = self.added(sequence, h, t, row)
                    if unseen or place is None or more == -np.inf:
                        continue
                    group = h // (heads // k.shape[2])
                    score = q[t, h] @ k[place][group] * (self.attrs.get("scale", 0) or size ** -0.5)
                    cap = self.attrs.get("softcap", 0)
                    scores.append((cap * np.tanh(score / cap) if cap else score) + more)
                    values.append(v[place][group])
                if not scores:
                    continue
                sink = [float(self.a["sinks"][h])] if "sinks" in self.a else []
                weights = np.exp(np.array(scores + sink) - max(scores + sink))
                out[t, h] = weights[:len(scores)] @ np.array(values) / weights.sum()

    def want(self, store):
        q, k, v = (self.a[name].astype("f8") for name in "qkv")
        out = np.zeros(q.shape)
        sequences = [(b, b * q.shape[1], q.shape[1]) for b in range(q.shape[0])]
        if "q_offsets" in self.a:
            offsets = self.a["q_offsets"]
            sequences = [(b, offsets[b], offsets[b + 1] - offsets[b]) for b in range(len(offsets) - 1)]
        flat, result = q.reshape(-1, *q.shape[2:]), out.reshape(-1, *q.shape[2:])
        k, v = store(k), store(v)
        for b, first, tokens in sequences:
            if "key" in self.a:
                self.put(k, v, b, first, tokens, store)
        for b, first, tokens in sequences:
            self.attend(k, v, b, flat[first:first + tokens], result[first:first + tokens])
        return out, k, v


class Attention(cli.Case):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(11)

    def normal(self, *shape):
        return self.random.normal(size=shape).astype("f4")

    def check(self, arrays, dtype="f32", q_shape=None, cache_shape=None, **attrs):
        """Runs a call, with caches of a dtype, and compares the result and the caches."""
        want, k, v = Call(arrays, **attrs).want(
            {"f32": lambda x: x.astype("f8"), "f16": lambda x: x.astype("f2").astype("f8"), "q8_0": q8_0}[dtype])
        q_shape = q_shape or arrays["q"].shape
        lines, arguments, nodes = [], [], []
        for name, array in arrays.items():
            shape = q_shape if name == "q" else array.shape
            if name in "kv" and cache_shape:
                shape = cache_shape
            np.save(self.folder / f"{name}.npy", array.reshape(shape))
            arguments += ["-i", f"{name}={name}.npy"]
            lines.append(f"  {name}: {{kind: in, dtype: {DTYPES[str(array.dtype)]}, shape: {list(shape)}}}")
            if name in "kv":
                lines.append(f"  {name}_cache: {{kind: tmp, dtype: {dtype}, shape: {list(shape)}}}")
                lines.append(f"  {name}_after: {{kind: out, dtype: f32, shape: {list(shape)}}}")
                op = "quantize_q8_0" if dtype == "q8_0" else "cast"
                nodes.append(f"  - {{op: {op}, x: {name}, out: {name}_cache}}")
        lines.append(f"  out: {{kind: out, dtype: f32, shape: {list(q_shape)}}}")
        operands = ", ".join(f"{n}: {n}_cache" if n in "kv" else f"{n}: {n}" for n in arrays)
        given = "".join(f", {n}: {value}" for n, value in attrs.items())
        nodes.append(f"  - {{op: attention, {operands}{given}, out: out}}")
        for name in "kv":
            op = "dequantize" if dtype == "q8_0" else "cast"
            nodes.append(f"  - {{op: {op}, x: {name}_cache, out: {name}_after}}")
        self.write("p.yaml", "reprise: 1\nbuffers:\n" + "\n".join(lines) + "\nnodes:\n" + "\n".join(nodes) + "\n")
        for name in ("out", "k_after", "v_after"):
            arguments += ["-o", f"{name}={name}.npy"]
        self.expect(OK, "run", "p.yaml", *arguments, "--check-against", "-O0", output="bit-equal to -O0")
        for name, cache in (("k_after", k), ("v_after", v)):
            np.testing.assert_allclose(np.load(self.folder / f"{name}.npy").reshape(cache.shape), cache, rtol=1e-6)
        got = np.load(self.folder / "out.npy").reshape(want.shape)
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)

    def cache(self, b, s, g, d):
        return {"k": self.normal(b, s, g, d), "v": self.normal(b, s, g, d)}

    def fresh(self, b, t, g, d):
        return {"key": self.normal(b, t, g, d), "value": self.normal(b, t, g, d)}

    def test_one_token(self):
        whole = {"q": self.normal(1, 1, 4, 32), **self.cache(1, 40, 2, 32)}
        self.check(dict(whole, length=np.array([33], "u4")), q_shape=(4, 32), cache_shape=(40, 2, 32))
        self.check(whole, q_shape=(1, 4, 32), cache_shape=(40, 2, 32))
        self.check(dict(whole, position=np.array([20], "i4")), q_shape=(1, 4, 32), cache_shape=(40, 2, 32), window=6)

    def test_batches_of_one_token(self):
        lengths, at = np.array([41, 0, 17], "u4"), np.array([40, 3, 16], "i4")
        some = {"q": self.normal(3, 1, 4, 32), **self.cache(3, 40, 2, 32), "length": lengths}
        mask = np.where(self.random.random((3, 4, 1, 40)) < 0.3, -np.inf, self.normal(3, 4, 1, 40)).astype("f4")
        self.check(dict(some, mask=mask, sinks=self.normal(4)), "f16", window=20, softcap=2)
        self.check(dict(some, **self.fresh(3, 1, 2, 32), position=at), "q8_0")
        self.check(dict(some, **self.fresh(3, 1, 2, 32), position=np.array([60, 70, 2], "u4"),
                        length=np.array([61, 60, 3], "u4")), "f16", ring=1, window=9)
        table = np.array([[4, 9, 0, 2], [1, 77, 3, -1], [5, 6, 7, 8]], "i4")
        some = {"q": self.normal(3, 1, 4, 32), **self.cache(10, 8, 2, 32), "table": table}
        for dtype in ("f32", "q8_0"):
            self.check(dict(some, **self.fresh(3, 1, 2, 32), position=np.array([19, 30, 7], "u4"),
                            length=np.array([20, 31, 8], "u4")), dtype)

    def test_many_tokens(self):
        some = {"q": self.normal(2, 9, 4, 32), **self.cache(2, 40, 2, 32)}
        self.check(some, causal=0)
        self.check(dict(some, **self.fresh(2, 9, 2, 32), position=np.array([3, 35], "u4")), "q8_0")
        # Sixteen rows: kernels that processors compile in a third of the time.
        some = {"q": self.normal(2, 9, 4, 32), **self.cache(2, 16, 2, 32)}
        self.check(dict(some, length=np.array([12, 5], "i4"), sinks=self.normal(4)), "f16")
        mask = self.random.random((1, 4, 9, 16)) < 0.6
        self.check(dict(some, mask=mask, position=np.array([3, 6], "u4")), window=8)
        self.check(dict(some, **self.fresh(2, 9, 2, 32), position=np.array([30, 15], "u4")), "f16", ring=1,
                   window=12, scale=0.3)
        mask = np.where(self.random.random((2, 24)) < 0.3, -np.inf, 0).astype("f2")
        table = np.array([[3, 9, 0], [1, 2, 5]], "u4")
        some = {"q": self.normal(2, 9, 4, 32), **self.cache(6, 8, 2, 32), "table": table, "mask": mask}
        self.check(dict(some, **self.fresh(2, 9, 2, 32), position=np.array([3, 10], "u4")), "q8_0")

    def test_packed_sequences(self):
        offsets = np.array([0, 9, 9, 21], "u4")
        some = {"q": self.normal(1, 25, 4, 32), **self.cache(3, 16, 2, 32), "q_offsets": offsets}
        self.check(dict(some, length=np.array([14, 4, 16], "u4"), sinks=self.normal(4)), q_shape=(25, 4, 32))
        table = np.array([[3, 9, 0], [1, 2, 5], [4, 6, 7]], "i4")
        some = {"q": self.normal(1, 25, 4, 32), **self.cache(8, 5, 2, 32), "q_offsets": offsets, "table": table}
        self.check(dict(some, **self.fresh(1, 25, 2, 32), position=np.array([2, 0, 11], "u4")), "f16",
                   q_shape=(25, 4, 32), window=7)

    def test_packed_rows(self):
        """Sequences without a cache: each is as it would be alone."""
        q, k, v = self.normal(21, 4, 32), self.normal(16, 2, 32), self.normal(16, 2, 32)
        q_at, k_at = np.array([0, 5, 5, 21], "i4"), np.array([0, 4, 6, 16], "u4")
        arrays = {"q": q, "k": k, "v": v, "q_offsets": q_at, "k_offsets": k_at}
        lines = [f"  {n}: {{kind: in, dtype: {DTYPES[str(a.dtype)]}, shape: {list(a.shape)}}}" for n, a in arrays.items()]
        self.write("p.yaml", "reprise: 1\nbuffers:\n" + "\n".join(lines) + """
  out: {kind: out, dtype: f32, shape: [21, 4, 32]}
nodes:
  - {op: attention, q: q, k: k, v: v, q_offsets: q_offsets, k_offsets: k_offsets, out: out}
""")
        arguments = []
        for name, array in arrays.items():
            np.save(self.folder / f"{name}.npy", array)
            arguments += ["-i", f"{name}={name}.npy"]
        self.expect(OK, "run", "p.yaml", *arguments, "-o", "out=out.npy", "--check-against", "-O0",
                    output="bit-equal to -O0")
        got = np.load(self.folder / "out.npy")
        for b in range(3):
            tokens, rows = slice(q_at[b], q_at[b + 1]), slice(k_at[b], k_at[b + 1])
            alone = Call({"q": q[None, tokens], "k": k[None, rows], "v": v[None, rows]})
            np.testing.assert_allclose(got[tokens], alone.want(lambda x: x)[0][0], rtol=2e-5, atol=2e-5)

    def test_what_is_refused(self):
        """At the node, with what was expected."""
        good = {"q": "[2, 5, 4, 32]", "k": "[2, 9, 2, 32]", "out": "[2, 5, 4, 32]", "n": "[2]", "more": ""}
        for changed, error in (
                ({"q": "[3, 5, 4, 32]", "out": "[3, 5, 4, 32]"}, "q has 3 sequences and k 2 caches, expected as many"),
                ({"q": "[1, 2, 5, 4, 32]"}, "q has 5 dimensions, expected [H, D], [T, H, D] or [B, T, H, D]"),
                ({"q": "[2, 5, 3, 32]", "out": "[2, 5, 3, 32]"}, "q has 3 heads, expected a multiple of the 2 of k and v"),
                ({"n": "[3]"}, "length has 3 elements, expected 1 or as many as sequences, 2"),
                ({"more": ", mask: m"}, "mask is for 3 heads, expected 1 or 4"),
                ({"more": ", key: k"}, "its leading dimensions, T, make 18, expected 10, the leading dimensions of q"),
                ({"q": "[2, 9, 4, 32]", "out": "[2, 9, 4, 32]", "more": ", key: k"}, "key, value and position come together"),
                ({"more": ", k_offsets: n"}, "k_offsets are not possible without q_offsets"),
                ({"more": ", sinks: n"}, "its only dimension, H, is 2, expected 4, the third dimension of q"),
                ({"q": "[2, 5, 2, 32]", "out": "[2, 5, 2, 32]", "more": ", sinks: n"}, "sinks is u32, expected f32, f16 or bf16")):
            c = dict(good, **changed)
            self.write("p.yaml", f"""reprise: 1
buffers:
  q: {{kind: in, dtype: f32, shape: {c["q"]}}}
  k: {{kind: in, dtype: f32, shape: {c["k"]}}}
  m: {{kind: in, dtype: f32, shape: [2, 3, 5, 9]}}
  n: {{kind: in, dtype: u32, shape: {c["n"]}}}
  out: {{kind: out, dtype: f32, shape: {c["out"]}}}
nodes:
  - {{op: attention, q: q, k: k, v: k, length: n, out: out{c["more"]}}}
""")
            self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan", error=["p.yaml:9:", error])


if __name__ == "__main__":
    cli.main()
