"""Mixtures of experts and low-rank adapters against NumPy in double precision."""
import numpy as np

import cli
from cli import INPUT, OK


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


class Experts(cli.Case):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(4)

    def weights(self, *shape):
        return (self.random.normal(size=shape) / np.sqrt(shape[-1])).astype("f4")

    def run_pipeline(self, arrays, out, node):
        buffers = "\n".join(f"  {n}: {{kind: in, dtype: f32, shape: {list(a.shape)}}}" for n, a in arrays.items())
        self.write("p.yaml", f"reprise: 1\nbuffers:\n{buffers}\n  out: {{kind: out, dtype: f32, shape: {list(out)}}}\n"
                             f"nodes:\n  - {node}\n")
        arguments = []
        for name, array in arrays.items():
            np.save(self.folder / f"{name}.npy", array)
            arguments += ["-i", f"{name}={name}.npy"]
        self.expect(OK, "run", "p.yaml", *arguments, "-o", "out=out.npy", "--check-against", "-O0",
                    output="bit-equal to -O0")
        return np.load(self.folder / "out.npy")

    def moe(self, a, experts, gates):
        d = {name: array.astype("f8") for name, array in a.items()}
        scores = d["x"] @ d["router"].T
        ids = np.argsort(-scores, axis=-1, kind="stable")[:, :experts]
        chosen = np.take_along_axis(softmax(scores), ids, -1)
        if gates == "chosen":
            chosen /= chosen.sum(axis=-1, keepdims=True)
        out = d["residual"].copy() if "residual" in d else np.zeros_like(d["x"])
        for n, row in enumerate(d["x"]):
            for e, share in zip(ids[n], chosen[n]):
                g = d["gate"][e] @ row
                out[n] += share * (d["down"][e] @ (g / (1 + np.exp(-g)) * (d["up"][e] @ row)))
        return out

    def test_mixtures(self):
        for rows, size, hidden, experts, k, gates, residual in ((1, 64, 96, 8, 2, "chosen", True),
                                                                (3, 40, 24, 5, 3, "all", False),
                                                                (37, 24, 33, 4, 2, "chosen", False)):
            arrays = {"x": self.weights(rows, size) * 5, "router": self.weights(experts, size),
                      "gate": self.weights(experts, hidden, size), "up": self.weights(experts, hidden, size),
                      "down": self.weights(experts, size, hidden)}
            if residual:
                arrays["residual"] = self.weights(rows, size)
            operands = ", ".join(f"{name}: {name}" for name in arrays)
            got = self.run_pipeline(arrays, (rows, size), f"{{op: moe_ffn, {operands}, experts: {k}, gates: {gates}, out: out}}")
            np.testing.assert_allclose(got, self.moe(arrays, k, gates), atol=2e-6)

    def test_adapter(self):
        for rows in (2, 20):
            a = {"x": self.weights(rows, 48), "w": self.weights(30, 48), "a": self.weights(4, 48), "b": self.weights(30, 4),
                 "bias": self.weights(30)}
            got = self.run_pipeline(a, (rows, 30), "{op: lora, x: x, weight: w, a: a, b: b, bias: bias, scale: 0.5, out: out}")
            d = {name: array.astype("f8") for name, array in a.items()}
            np.testing.assert_allclose(got, d["x"] @ d["w"].T + 0.5 * (d["x"] @ d["a"].T) @ d["b"].T + d["bias"], atol=1e-6)

    def test_mistakes(self):
        head = """reprise: 1
buffers:
  x: {kind: in, dtype: f32, shape: [2, 8]}
  r: {kind: in, dtype: f32, shape: [4, 8]}
  w: {kind: in, dtype: f32, shape: [4, 6, 8]}
  ids: {kind: in, dtype: u32, shape: [3]}
  d: {kind: in, dtype: f32, shape: [4, 8, 6]}
nodes:
"""
        for node, error in (("{op: moe_ffn, x: x, router: r, gate: w, up: w, down: d, experts: 5, out: t}", "k is 5"),
                            ("{op: moe_ffn, x: x, router: r, gate: w, up: w, down: w, experts: 2, out: t}", "dimension, D, is 6, expected 8, the"),
                            ("{op: moe_ffn, x: x, router: r, gate: w, up: w, down: d, out: t}", "experts"),
                            ("{op: matvec_experts, x: x, weight: w, ids: ids, out: t}", "x has 2 vectors and ids are 3"),
                            ("{op: lora, x: x, weight: r, a: r, b: r, out: t}", "is 8, expected 4, the first dimension of a")):
            self.write("bad.yaml", head + "  - " + node + "\n")
            self.expect(INPUT, "compile", "bad.yaml", "-o", "bad.rplan", error=["bad.yaml:9:", error])

    def test_shapes_by_letters(self):
        """A dimension of another size is an error wherever it is, though ops would broadcast it, or take it."""
        composites = {
            "moe_ffn": ({"x": "ND", "router": "ED", "gate": "EFD", "up": "EFD", "down": "EDF", "residual": "ND", "out": "ND"},
                        ", experts: 2"),
            "lora": ({"x": "NK", "weight": "MK", "a": "LK", "b": "ML", "bias": "M", "out": "NM"}, ""),
            "linear": ({"x": "NK", "weight": "MK", "bias": "M", "out": "NM"}, ""),
            "swiglu_ffn": ({"x": "ND", "gate": "FD", "up": "FD", "down": "DF", "residual": "ND", "out": "ND"}, "")}
        sizes = dict(zip("NDEFKML", (2, 8, 4, 6, 12, 5, 3)))
        for op, (operands, more) in composites.items():
            shapes = {name: [sizes[letter] for letter in letters] for name, letters in operands.items()}
            wrong = [(None, None, None)]
            for name, letters in operands.items():
                # A letter that no other operand has says itself what it is.
                wrong += [(name, at, size) for at, letter in enumerate(letters) for size in (1, shapes[name][at] + 1)
                          if sum(letter in other for other in operands.values()) > 1]
            for name, at, size in wrong:
                lines = ["reprise: 1", "buffers:"]
                for buffer, shape in shapes.items():
                    shape = [size if (buffer, d) == (name, at) else n for d, n in enumerate(shape)]
                    lines.append(f"  {buffer}: {{kind: {'out' if buffer == 'out' else 'in'}, dtype: f32, shape: {shape}}}")
                keys = ", ".join(f"{buffer}: {buffer}" for buffer in shapes)
                self.write("bad.yaml", "\n".join([*lines, "nodes:", f"  - {{op: {op}, {keys}{more}}}"]) + "\n")
                if name is None:
                    self.expect(OK, "compile", "bad.yaml", "-o", "bad.rplan")
                else:
                    self.expect(INPUT, "compile", "bad.yaml", "-o", "bad.rplan",
                                error=[f"bad.yaml:{len(lines) + 2}:10: error: {op}: ", "expected"])


if __name__ == "__main__":
    cli.main()
