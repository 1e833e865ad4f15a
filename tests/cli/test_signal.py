"""Fourier transforms, convolutions and windows against NumPy, in double precision."""
import os

import numpy as np

import cli
from cli import INPUT, OK

SEED = int(os.environ.get("RP_SEED", "1"))
CASES = int(os.environ.get("RP_CASES", "4"))  # transforms in one pipeline


def pairs(z):
    return np.stack([z.real, z.imag], -1).astype("f4")


def numbers(p):
    return p[..., 0].astype("f8") + 1j * p[..., 1]


class Signal(cli.Case):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(SEED)
        self.buffers, self.nodes, self.inputs, self.wanted = [], [], {}, {}

    def normal(self, *shape):
        return self.random.normal(size=shape).astype("f4")

    def signal(self, shape, complex):
        return numbers(self.normal(*shape, 2)) if complex else self.normal(*shape).astype("f8")

    def buffer(self, kind, array):
        name = f"{kind}{len(self.buffers)}"
        self.buffers.append(f"  {name}: {{kind: {kind}, dtype: f32, shape: {list(array.shape)}}}")
        return name

    def add(self, op, attrs, arrays, want):
        """A node `op` of the arrays, of which NumPy makes `want`."""
        parts, names = [], ("x", "window") if op == "stft" else ("a", "b") if len(arrays) == 2 else ("x",)
        for operand, array in zip(names, arrays):
            data = pairs(array) if np.iscomplexobj(array) else array.astype("f4")
            name = self.buffer("in", data)
            self.inputs[name] = data
            parts.append(f"{operand}: {name}")
        want = pairs(want) if np.iscomplexobj(want) else want
        out = self.buffer("out", want)
        self.wanted[out] = want, op, attrs, [a.shape for a in arrays]
        parts += [f"{key}: {value}" for key, value in attrs.items()]
        self.nodes.append(f"  - {{{', '.join([f'op: {op}', *parts, f'out: {out}'])}}}")

    def run_all(self):
        self.write("p.yaml", "\n".join(["reprise: 1", "buffers:", *self.buffers, "nodes:", *self.nodes]) + "\n")
        arguments = []
        for name, data in self.inputs.items():
            np.save(self.folder / f"{name}.npy", data)
            arguments += ["-i", f"{name}={name}.npy"]
        for name in self.wanted:
            arguments += ["-o", f"{name}={name}.npy"]
        self.expect(OK, "run", "p.yaml", *arguments, "--check-against", "-O0", output="bit-equal to -O0")
        for name, (want, *what) in self.wanted.items():
            got = np.load(self.folder / f"{name}.npy")
            error = np.sqrt(((got - want) ** 2).mean() / max((want ** 2).mean(), 1e-30))
            self.assertLess(error, 1e-6, f"seed {SEED}: {what}")
            self.assertLess(abs(got - want).max(), 2e-5 * max(abs(want).max(), 1e-3), f"seed {SEED}: {what}")

    def test_any_axis_and_length(self):
        pick = self.random.integers
        for _ in range(CASES):
            op = self.random.choice(["fft", "ifft", "rfft", "irfft"])
            rank, axis = pick(1, 4), 0
            shape = [int(pick(1, 6)) for _ in range(rank)]
            axis = int(pick(-rank, rank))
            shape[axis] = int(self.random.choice([1, 2, 3, 8, 17, 60, 64, 97, 126, 210, 256, 1009]))
            attrs, length = {"axis": axis} if axis != -1 or pick(2) else {}, None
            if pick(2) or (op == "irfft" and shape[axis] == 1):
                attrs["length"] = length = int(pick(1, 300))
            x = self.signal(shape, op != "rfft")
            self.add(op, attrs, [x], getattr(np.fft, op)(x, length, axis))
        self.run_all()

    def test_two_passes(self):
        for op, attrs, shape in (("ifft", {"axis": 0}, [6000, 3]), ("irfft", {"length": 10125}, [2, 5063])):
            x = self.signal(shape, op != "rfft")
            self.add(op, attrs, [x], getattr(np.fft, op)(x, attrs.get("length"), attrs.get("axis", -1)))
        self.run_all()

    def test_large_primes(self):
        long = [("rfft", {}, [2, 10007])] if CASES > 4 else [] # many kernels
        for op, attrs, shape in (("ifft", {"axis": 0}, [131, 2]), ("irfft", {"length": 139}, [70]), *long):
            x = self.signal(shape, op != "rfft")
            self.add(op, attrs, [x], getattr(np.fft, op)(x, attrs.get("length"), attrs.get("axis", -1)))
        self.run_all()

    def test_two_dimensions(self):
        for op, shape in (("ifft2", [2, 16, 9]), ("rfft2", [3, 7, 64]), ("irfft2", [7, 33])):
            x = self.signal(shape, op != "rfft2")
            self.add(op, {}, [x], getattr(np.fft, op)(x))
        self.run_all()

    def test_convolution(self):
        def convolve(a, b, mode):
            full = np.stack([np.convolve(row, other) for row, other in zip(a, np.broadcast_to(b, (len(a), b.shape[-1])))])
            n, k = a.shape[-1], b.shape[-1]
            start, count = {"full": (0, n + k - 1), "same": ((k - 1) // 2, n), "valid": (k - 1, n - k + 1)}[mode]
            return full[:, start:start + count]
        for mode, a, b in (("full", [2, 100], [1, 30]), ("same", [2, 108], [2, 22]), ("same", [2, 22], [2, 108]),
                           ("valid", [1, 108], [1, 22])): # 129 and 135: all are transforms of 135
            a, b = self.signal(a, False), self.signal(b, False)
            self.add("fft_convolve", {"mode": mode}, [a, b], convolve(a, b, mode))
        self.run_all()

    def test_frames(self):
        for shape, length, step, windowed in (([1000], 128, 50, True), ([2, 3, 200], 31, 31, False),
                                              ([2, 64], 64, 7, True), ([300], 10, 97, False)):
            x, window = self.signal(shape, False), self.signal([length], False)
            frames = np.lib.stride_tricks.sliding_window_view(x, length, axis=-1)[..., ::step, :]
            self.add("stft", {"step": step} if windowed else {"step": step, "length": length},
                     [x, window] if windowed else [x], np.fft.rfft(frames * (window if windowed else 1)))
        self.run_all()

    def test_windows(self):
        for op, window in (("hann_window", np.hanning), ("hamming_window", np.hamming), ("blackman_window", np.blackman)):
            for n in (1, 3, 61):
                self.add(op, {"periodic": 0}, [], window(n))
                self.add(op, {}, [], window(n + 1)[:-1] if n > 1 else np.ones(1))
        self.run_all()

    def test_one_pipeline(self):
        """A spectrogram: frames cut by shape, a window in front of the transform, back again behind it."""
        self.write("p.yaml", """reprise: 1
buffers:
  x: {kind: in, dtype: f32, shape: [40, 256]}
  power: {kind: out, dtype: f32, shape: [40, 129]}
  y: {kind: out, dtype: f32, shape: [40, 256]}
nodes:
  - {op: hann_window, out: {name: w, shape: [256], dtype: f32}}
  - {map: "x * w", out: frames}
  - {op: rfft, x: frames, out: spectrum}
  - {map: "spectrum * spectrum", out: squares}
  - {op: row_sum, x: {buffer: squares, shape: [40, 129, 2]}, out: power}
  - {op: irfft, x: spectrum, out: y}
""")
        x = self.normal(40, 256)
        np.save(self.folder / "x.npy", x)
        self.expect(OK, "run", "p.yaml", "-i", "x=x.npy", "-o", "power=power.npy", "-o", "y=y.npy", "--check-against",
                    "-O0", output="bit-equal to -O0")
        frames = x * np.hanning(257)[:-1]
        want = abs(np.fft.rfft(frames)) ** 2
        np.testing.assert_allclose(np.load(self.folder / "power.npy"), want, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(np.load(self.folder / "y.npy"), frames, atol=1e-5)

    def test_mistakes(self):
        head = """reprise: 1
buffers:
  z: {kind: in, dtype: f32, shape: [3, 10, 2]}
  x: {kind: in, dtype: f32, shape: [3, 10007]}
  k: {kind: in, dtype: f32, shape: [2, 5]}
  y: {kind: out, dtype: f32, shape: [3, 10, 3]}
nodes:
"""
        for node, error in (("{op: fft, x: x, out: t}", "x is f32[3,10007], expected signals of pairs"),
                            ("{op: fft, x: z, axis: 2, out: t}", "axis is 2, expected -2 to 1"),
                            ("{op: fft, x: z, out: y}", "out is f32[3,10,3], expected f32[3,10,2]"),
                            ("{op: rfft, x: x, length: 5000011, out: t}", "a length of 5000011, above 4194304, is no"),
                            ("{op: rfft, x: x, length: 5000011, out: t}", "2, 3 and 5 is 5038848"),
                            ("{op: irfft, x: {buffer: z, shape: [30, 1, 2]}, out: t}", "give its length"),
                            ("{op: fft2, x: {buffer: k, shape: [5, 2]}, out: t}", "expected matrices of pairs"),
                            ("{op: fft, x: z, size: 3, out: t}", "unknown key 'size' in op fft"),
                            ("{op: fft_convolve, a: x, b: k, out: t}", "a has 3 rows and b 2"),
                            ("{op: fft_convolve, a: k, b: {buffer: x, rows: [0, 1]}, mode: valid, out: t}", "b is longer"),
                            ("{op: stft, x: x, step: 4, out: t}", "Give its length, or a window"),
                            ("{op: stft, x: k, length: 6, step: 1, out: t}", "x has 5 elements, less than a frame of 6"),
                            ("{op: stft, x: x, length: 4, step: 1, out: y}", "make 1, expected 3, the leading dimensions of x"),
                            ("{op: stft, x: x, window: {buffer: k, rows: [0, 1], shape: [5]}, length: 4, step: 1, out: t}",
                             "window has 5 elements, expected 4"),
                            ("{op: stft, x: x, length: 4, step: 0, out: t}", "step"),
                            ("{op: fft_pass, x: z, samples: 7, out: t}", "no whole signals of 14"),
                            ("{op: fft_pass, x: z, samples: 10, kept: 11, out: t}", "kept is 11"),
                            ("{op: hann_window, out: t}", "shape of out must be given")):
            self.write("bad.yaml", head + "  - " + node + "\n")
            self.expect(INPUT, "compile", "bad.yaml", "-o", "bad.rplan", error=["bad.yaml:8:", error])


if __name__ == "__main__":
    cli.main()
