"""Random ops: the words of Philox 4x32-10 as its authors give them, and what NumPy makes of them."""
import numpy as np

import cli
from cli import INPUT, OK


def philox(counter, key):
    """The four words of each counter, [..., 4] and [2] of uint32, by products of 64 bits."""
    c, k = [counter[..., i].astype("u8") for i in range(4)], [int(word) for word in key]
    low = np.uint64(0xffffffff)
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [b >> np.uint64(32) ^ c[1] ^ np.uint64(k[0]), b & low, a >> np.uint64(32) ^ c[3] ^ np.uint64(k[1]), a & low]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return np.stack(c, -1).astype("u4")


def words(count, seed, offset, stream):
    blocks = [(offset + i) % 2**64 for i in range((count + 3) // 4)]
    counter = np.array([[b % 2**32, b >> 32, stream, 0] for b in blocks], "u4")
    return philox(counter, (seed % 2**32, seed >> 32)).reshape(-1)[:count]


def radius(word):
    """random_radius of kernels/include/random.glsl, operation by operation in f32."""
    f4 = np.float32
    k = np.minimum(word.astype("u8") + 1, 2**32 - 1) # the last word gives 0, below
    top = np.floor(np.log2(k.astype("f8"))).astype("i8")
    n = k << (31 - top).astype("u8")
    above = n >= 0xb504f334
    f = np.where(above, (2**32 - n.astype("i8")).astype(f4) * f4(-2.0**-32), (n.astype("i8") - 2**31).astype(f4) * f4(2.0**-31))
    whole = (top - np.where(above, 31, 32)).astype(f4)
    p = f * f4(-0.0620141515) + f4(0.105308136)
    for c in (-0.106462044, 0.110377939, -0.124507429, 0.142865238, -0.166680015, 0.200000101, -0.249999903, 0.333333333):
        p = p * f + f4(c)
    square = f * f
    rest = square * f * p - f4(0.5) * square
    size = f4(-2) * ((f + (rest - whole * f4(2.12194440e-4))) + whole * f4(0.693359375))
    inverse = (np.uint32(0x5f375a86) - (size.view("u4") >> 1)).view(f4)
    for _ in range(3):
        inverse = inverse * (f4(1.5) - f4(0.5) * size * inverse * inverse)
    return np.where(word == 2**32 - 1, f4(0), size * inverse)


def direction(word):
    f4 = np.float32
    quarter = (word + np.uint32(0x20000000)) >> np.uint32(30)
    r = (word - (quarter << np.uint32(30))).view("i4").astype(f4) * f4(1.4629180792671596e-9)
    t = r * r
    s = t * f4(2.75573192e-6) - f4(1.98412698e-4)
    s = s * t + f4(8.33333333e-3)
    s = s * t - f4(1.66666667e-1)
    s = s * t * r + r
    c = t * f4(-2.75573192e-7) + f4(2.48015873e-5)
    for next in (-1.38888889e-3, 4.16666667e-2, -0.5, 1.0):
        c = c * t + f4(next)
    x, y = np.where(quarter & 1, -s, c), np.where(quarter & 1, c, s)
    return np.where(quarter & 2, -x, x), np.where(quarter & 2, -y, y)


def normals(word):
    r, (x, y) = radius(word[0::2]), direction(word[1::2])
    return np.stack([r * x, r * y], -1).reshape(-1)


def pipeline(count, nodes, buffers=""):
    return f"""reprise: 1
buffers:
  seed: {{kind: in, dtype: u32, shape: [2]}}
  offset: {{kind: in, dtype: u32, shape: [2]}}
{buffers}
nodes:
{nodes}
"""


class Random(cli.Case):
    def test_known_answers(self):
        """The vectors of Random123 for philox4x32-10."""
        for counter, key, want in (
                ([0, 0, 0, 0], (0, 0), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]),
                ([2**32 - 1] * 4, (2**32 - 1,) * 2, [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]),
                ([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], (0xa4093822, 0x299f31d0),
                 [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1])):
            self.assertEqual(philox(np.array([counter], "u4"), key).tolist(), [want])

    def draw(self, text, seed, offset, outputs):
        self.write("p.yaml", text)
        for name, value in (("seed", seed), ("offset", offset)):
            np.save(self.folder / f"{name}.npy", np.array([value % 2**32, value >> 32], "u4"))
        out = [part for name in outputs for part in ("-o", f"{name}={name}.npy")]
        self.expect(OK, "run", "p.yaml", "-i", "seed=seed.npy", "-i", "offset=offset.npy", *out, "--check-against",
                    "-O0", output="bit-equal to -O0")
        return [np.load(self.folder / f"{name}.npy") for name in outputs]

    def test_bits(self):
        count = 4999
        random = np.random.default_rng(5)
        text = pipeline(count, """
  - {op: random_bits, seed: seed, offset: offset, stream: 4000000000, out: w}
  - {op: random_uniform, seed: seed, offset: offset, stream: 1, low: -2.5, high: 0.3, out: u}
  - {op: random_normal, seed: seed, offset: offset, stream: 2, mean: 0.7, scale: 3, out: z}
  - {op: bernoulli, seed: seed, offset: offset, stream: 3, probability: 0.3, out: b}
""", f"""  w: {{kind: out, dtype: u32, shape: [{count}]}}
  u: {{kind: out, dtype: f32, shape: [{count}]}}
  z: {{kind: out, dtype: f32, shape: [{count}]}}
  b: {{kind: out, dtype: u8, shape: [{count}]}}""")
        for offset in (0, 2**32 - 3, int(random.integers(2**63)), 2**64 - 5):
            seed = int(random.integers(2**63)) * 2
            w, u, z, b = self.draw(text, seed, offset, "wuzb")
            np.testing.assert_array_equal(w, words(count, seed, offset, 4000000000))
            f4 = np.float32
            unit = lambda stream: (words(count, seed, offset, stream) >> np.uint32(8)).astype("f4") * f4(2.0**-24)
            np.testing.assert_array_equal(u, f4(-2.5) + unit(1) * (f4(0.3) - f4(-2.5)))
            word = words(count + 1, seed, offset, 2)
            np.testing.assert_array_equal(z, f4(0.7) + f4(3) * normals(word)[:count])
            a, t = word[0::2].astype("f8"), word[1::2] * (2 * np.pi / 2**32)
            r = np.sqrt(-2 * np.log((a + 1) / 2**32))
            exact = np.stack([r * np.cos(t), r * np.sin(t)], -1).reshape(-1)[:count]
            self.assertLess(abs((z - 0.7) / 3 - exact).max(), 2.0**-19)
            np.testing.assert_array_equal(b, unit(3) < f4(0.3))

    def test_normals_are_close_everywhere(self):
        """The two parts over the words where they are delicate: at the ends, and near powers of two."""
        ends = np.concatenate([np.arange(1000), 2**32 - 1 - np.arange(1000)] +
                              [2**k + np.arange(-40, 40) for k in range(6, 32)] + [0xb504f333 + np.arange(-9, 9)])
        word = (ends % 2**32).astype("u4")
        with np.errstate(divide="ignore"):
            want = np.sqrt(-2 * np.log1p((word.astype("f8") + 1 - 2**32) / 2**32))
        self.assertLess((abs(radius(word) - want) / np.maximum(want, 1)).max(), 2.0**-21)
        angle = word * (2 * np.pi / 2**32)
        for got, want in zip(direction(word), (np.cos(angle), np.sin(angle))):
            self.assertLess(abs(got - want).max(), 2.0**-22)

    def test_live_seed_draws_anew(self):
        self.write("live.yaml", """reprise: 1
live: {seed: {dtype: u32, default: 7}}
buffers:
  x: {kind: in, dtype: f32, shape: [257]}
  y: {kind: out, dtype: f32, shape: [257]}
nodes:
  - {op: dropout, x: x, seed: seed, ratio: 0.25, out: y}
""")
        x = np.arange(1, 258, dtype="f4")
        np.save(self.folder / "x.npy", x)
        for seed in (7, 8):
            self.expect(OK, "run", "live.yaml", "--set", f"seed={seed}", "-i", "x=x.npy", "-o", "y=y.npy")
            y = np.load(self.folder / "y.npy")
            dropped = (words(257, seed, 0, 0) >> np.uint32(8)) < 2**22
            self.assertTrue((y[dropped] == 0).all())
            np.testing.assert_allclose(y[~dropped], x[~dropped] / 0.75, rtol=3e-7)

    def sampled(self, logits, seed, top_k, temperature, top_p, min_p, order, stream):
        """The tokens of `sample`, their probabilities, and whether rounding may decide."""
        unit = (words(len(logits), seed, 0, stream) >> np.uint32(8)) * 2.0**-24
        tokens, shares, close = [], [], []
        for row, u in zip(logits.astype("f8"), unit):
            best = np.argsort(-row, kind="stable")[:top_k]
            score = row[best] - row[best[0]]
            heat = temperature or 1.0
            drawn, seen = np.exp(score / heat), np.exp(score / (1 if order == "temperature_last" else heat))
            before = np.cumsum(seen) - seen
            left = (before < top_p * seen.sum()) & (seen >= min_p) & (temperature > 0)
            if top_p >= 1:
                left = (seen >= min_p) & (temperature > 0)
            left[0] = True
            drawn = np.where(left, drawn, 0)
            sums = np.cumsum(drawn)
            at = int(np.argmax(sums > u * sums[-1]))
            edges = np.concatenate([abs(sums / sums[-1] - u), abs(before / seen.sum() - top_p)[1:], abs(seen - min_p)[1:] + (min_p == 0)])
            tokens.append(best[at])
            shares.append(drawn[at] / sums[-1])
            close.append(edges.min() < 3e-6)
        return np.array(tokens), np.array(shares), np.array(close)

    def test_sample(self):
        random = np.random.default_rng(8)
        logits = (random.normal(size=(150, 700)) * 2).astype("f4")
        np.save(self.folder / "logits.npy", logits)
        nodes, settings = [], []
        for i, (k, t, p, m, order) in enumerate(((50, 1, 1, 0, 0), (40, 0.8, 0.95, 0.05, 1), (700, 1.3, 0.7, 0, 0),
                                                 (9, 0, 0.5, 0.5, 0), (300, 0.6, 1, 0.1, 0), (64, 2, 0.9, 0.02, 1))):
            order = "temperature_last" if order else "temperature_first"
            settings.append((k, t, p, m, order, i))
            nodes.append(f"  - {{op: sample, logits: logits, seed: seed, top_k: {k}, temperature: {t}, top_p: {p}, "
                         f"min_p: {m}, order: {order}, stream: {i}, out: t{i}, probability: p{i}}}")
        buffers = "\n".join([f"  logits: {{kind: in, dtype: f32, shape: {list(logits.shape)}}}"] + [
            f"  {name}{i}: {{kind: out, dtype: {dtype}, shape: [{len(logits)}]}}"
            for i in range(len(settings)) for name, dtype in (("t", "u32"), ("p", "f32"))])
        text = pipeline(0, "\n".join(nodes), buffers).replace("  offset: {kind: in, dtype: u32, shape: [2]}\n", "")
        self.write("p.yaml", text)
        seed = 2**40 + 3
        np.save(self.folder / "seed.npy", np.array([seed % 2**32, seed >> 32], "u4"))
        out = [part for i in range(len(settings)) for n in "tp" for part in ("-o", f"{n}{i}={n}{i}.npy")]
        self.expect(OK, "run", "p.yaml", "-i", "seed=seed.npy", "-i", "logits=logits.npy", *out, "--check-against", "-O0",
                    output="bit-equal to -O0")
        for i, (k, t, p, m, order, stream) in enumerate(settings):
            tokens, shares, close = self.sampled(logits, seed, k, t, p, m, order, stream)
            self.assertLess(close.mean(), 0.1)
            np.testing.assert_array_equal(np.load(self.folder / f"t{i}.npy")[~close], tokens[~close], str(settings[i]))
            np.testing.assert_allclose(np.load(self.folder / f"p{i}.npy")[~close], shares[~close], rtol=1e-4)

    def test_sample_of_one_long_row(self):
        """In parts, by settings that change between replays, without some tokens."""
        self.write("p.yaml", """reprise: 1
live: {settings: {dtype: f32, default: [0.7, 0.9, 0.01]}, seed: {dtype: u32, default: 5}}
buffers:
  logits: {kind: in, dtype: f32, shape: [1, 32003]}
  excluded: {kind: in, dtype: u32, shape: [1001]}
  token: {kind: out, dtype: u32, shape: [1]}
  any: {kind: out, dtype: u32, shape: [1]}
nodes:
  - {op: sample, logits: logits, seed: seed, settings: settings, excluded: excluded, top_k: 30, out: token}
  - {op: random_categorical, logits: logits, seed: seed, temperature: 0.5, stream: 4, out: any}
""")
        logits = np.random.default_rng(9).normal(size=(1, 32003)).astype("f4")
        excluded = np.zeros(1001, "u4")
        for token in np.argsort(-logits[0])[:3]:
            excluded[token // 32] |= np.uint32(1 << token % 32)
        np.save(self.folder / "logits.npy", logits)
        np.save(self.folder / "excluded.npy", excluded)
        allowed = np.where(np.isin(np.arange(32003), np.argsort(-logits[0])[:3]), -1e30, logits).astype("f4")
        for seed in (5, 6):
            self.expect(OK, "run", "p.yaml", "--set", f"seed={seed}", "-i", "logits=logits.npy", "-i",
                        "excluded=excluded.npy", "-o", "token=token.npy", "-o", "any=any.npy")
            tokens, _, close = self.sampled(allowed, seed, 30, 0.7, 0.9, 0.01, "temperature_first", 0)
            self.assertFalse(close.any())
            self.assertEqual(np.load(self.folder / "token.npy").tolist(), tokens.tolist())
            u = (words(32003, seed, 0, 4).astype("f8") + 0.5) / 2**32
            noisy = logits[0] / 0.5 - np.log(-np.log1p(-u))
            first, second = np.argsort(-noisy)[:2]
            self.assertGreater(noisy[first] - noisy[second], 1e-4)
            self.assertEqual(np.load(self.folder / "any.npy").tolist(), [first])

    def test_categorical(self):
        """Frequencies are the probabilities."""
        logits = np.array([0, 1, -1, 2.5, -np.inf, np.nan, 0.3], "f4")
        self.write("p.yaml", pipeline(0, "  - {op: random_categorical, logits: logits, seed: seed, offset: offset, out: t}",
                                      "  logits: {kind: in, dtype: f32, shape: [20000, 7]}\n"
                                      "  t: {kind: out, dtype: u32, shape: [20000]}"))
        np.save(self.folder / "logits.npy", np.tile(logits, (20000, 1)))
        np.save(self.folder / "seed.npy", np.array([1, 2], "u4"))
        self.expect(OK, "run", "p.yaml", "-i", "seed=seed.npy", "-i", "offset=seed.npy", "-i", "logits=logits.npy", "-o",
                    "t=t.npy")
        weights = np.where(np.isnan(logits), 0, np.exp(logits.astype("f8")))
        wanted = weights / weights.sum() * 20000
        counts = np.bincount(np.load(self.folder / "t.npy"), minlength=7)
        self.assertEqual(counts[[4, 5]].tolist(), [0, 0])
        some = wanted > 0
        self.assertLess(((counts - wanted)[some] ** 2 / wanted[some]).sum(), 20.5) # one in a thousand is above

    def test_mistakes(self):
        for node, error in (("{op: random_uniform, seed: seed, low: 2, high: 1, out: u}", "low is 2 and high is 1"),
                            ("{op: random_bits, seed: {buffer: three}, out: u}", "seed has 3 words"),
                            ("{op: dropout, x: f, seed: seed, ratio: 1.5, out: u}", "ratio"),
                            ("{op: random_normal, seed: seed, stream: -1, out: f}", "stream"),
                            ("{op: bernoulli, seed: f, out: b}", "seed is f32"),
                            ("{op: sample, logits: f, seed: seed, top_k: 1025, out: new}", "top_k"),
                            ("{op: sample, logits: f, seed: seed, top_p: 1.5, out: new}", "top_p"),
                            ("{op: sample, logits: f, seed: seed, settings: f, out: new}", "settings has 4 numbers"),
                            ("{op: sample, logits: f, seed: {buffer: three}, out: new}", "seed has 3 words"),
                            ("{op: random_categorical, logits: f, seed: seed, temperature: 0, out: new}", "temperature"),
                            ("{op: random_normal, seed: seed, out: new}", "out")):
            self.write("bad.yaml", pipeline(4, "  - " + node, """  three: {kind: in, dtype: u32, shape: [3]}
  f: {kind: inout, dtype: f32, shape: [4]}
  b: {kind: out, dtype: u8, shape: [4]}
  u: {kind: out, dtype: f32, shape: [4]}"""))
            self.expect(INPUT, "compile", "bad.yaml", "-o", "bad.rplan", error=["bad.yaml:10:", error])


if __name__ == "__main__":
    cli.main()
