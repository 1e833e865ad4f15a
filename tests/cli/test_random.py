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

    def test_mistakes(self):
        for node, error in (("{op: random_uniform, seed: seed, low: 2, high: 1, out: u}", "low is 2 and high is 1"),
                            ("{op: random_bits, seed: {buffer: three}, out: u}", "seed has 3 words"),
                            ("{op: dropout, x: f, seed: seed, ratio: 1.5, out: u}", "ratio"),
                            ("{op: random_normal, seed: seed, stream: -1, out: f}", "stream"),
                            ("{op: bernoulli, seed: f, out: b}", "seed is f32"),
                            ("{op: random_normal, seed: seed, out: new}", "out")):
            self.write("bad.yaml", pipeline(4, "  - " + node, """  three: {kind: in, dtype: u32, shape: [3]}
  f: {kind: inout, dtype: f32, shape: [4]}
  b: {kind: out, dtype: u8, shape: [4]}
  u: {kind: out, dtype: f32, shape: [4]}"""))
            self.expect(INPUT, "compile", "bad.yaml", "-o", "bad.rplan", error=["bad.yaml:10:", error])


if __name__ == "__main__":
    cli.main()
