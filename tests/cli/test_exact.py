"""What IEEE 754 says of zeros, infinities, NaN and denormals holds at every level, wherever a number
comes from: memory, a fill, an attribute, a literal in a formula."""
import numpy as np

import cli
from cli import OK

CONSTANTS = ["0", "-0.0", "1", "-1", ".inf", "-.inf", ".nan", "1e-40", "-3e-45",
             "1.17549435e-38", "3.4028234663852886e38"]
OPERATORS = {"add": "{a} + {b}", "sub": "{a} - {b}", "mul": "{a} * {b}", "div": "{a} / {b}"}
X = np.array([7, -2, np.nan, np.inf, -np.inf, 0, -0.0, 1e-40, -1e-40, 1.5e-38, 3e38, -3e38, 1],
             "f4")


def number(text):
    return np.float32(float(text.replace(".inf", "inf").replace(".nan", "nan")))


def word(text):
    """The constant as formulas write it."""
    return text.replace(".inf", "inf").replace(".nan", "nan")


def flush(x):
    return np.where(np.abs(x) < np.finfo("f4").tiny, np.copysign(np.float32(0), x), x)


def answers(op, a, b):
    """What IEEE gives, with and without denormals taken as zeros."""
    f = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}[op]
    with np.errstate(all="ignore"):
        plain, flushed = f(a, b, dtype="f4"), f(flush(a), flush(b), dtype="f4")
    return [plain, flush(plain), flushed, flush(flushed)]


def same(got, want, op):
    """Bit for bit, but for NaN and for the last bits of quotients."""
    if np.isnan(want) or np.isnan(got):
        return np.isnan(want) and np.isnan(got)
    if np.signbit(got) != np.signbit(want):
        return False
    if op == "div" and np.isfinite(want) and np.isfinite(got):
        return abs(float(got) - float(want)) <= 3 * abs(float(want)) * 2.0 ** -23 + 1e-44
    return got == want


class Exact(cli.Case):
    def pipeline(self, constants, form):
        """One node for each constant, operator and side; the outputs by name."""
        buffers, nodes, wanted = [], [], {}
        for c, text in enumerate(constants):
            if form == "fill":
                buffers.append(f"  z{c}: {{kind: tmp, dtype: f32, shape: [{len(X)}]}}")
                nodes.append(f"  - {{op: fill, value: {text}, out: z{c}}}")
            for op, formula in OPERATORS.items():
                for side in "lr":
                    name = f"{op}{c}{side}"
                    other = f"z{c}" if form == "fill" else f"({word(text)})"
                    a, b = ("x", other) if side == "l" else (other, "x")
                    buffers.append(f"  {name}: {{kind: out, dtype: f32, shape: [{len(X)}]}}")
                    if form == "fill":
                        nodes.append(f"  - {{op: {op}, a: {a}, b: {b}, out: {name}}}")
                    else:
                        nodes.append(f'  - {{map: "{formula.format(a=a, b=b)}", out: {name}}}')
                    k = np.full(len(X), number(text), "f4")
                    wanted[name] = (op, *((X, k) if side == "l" else (k, X)))
        self.write("exact.yaml", "reprise: 1\nname: exact\nbuffers:\n"
                   f"  x: {{kind: in, dtype: f32, shape: [{len(X)}]}}\n" + "\n".join(buffers) +
                   "\nnodes:\n" + "\n".join(nodes) + "\n")
        np.save(self.folder / "x.npy", X)
        return wanted

    def check(self, constants, form):
        wanted = self.pipeline(constants, form)
        outputs = [text for name in wanted for text in ("-o", f"{name}={name}.npy")]
        self.expect(OK, "run", "exact.yaml", "-i", "x=x.npy", *outputs, "--check-against", "-O0",
                    output="bit-equal to -O0")
        for name, (op, a, b) in wanted.items():
            got = np.load(self.folder / f"{name}.npy")
            for i in range(len(X)):
                with self.subTest(form=form, op=op, a=a[i], b=b[i]):
                    options = [each[i] for each in answers(op, a, b)]
                    self.assertTrue(any(same(got[i], each, op) for each in options),
                                    f"{got[i]!r}, expected {options[0]!r}")

    def test_fills(self):
        self.check(CONSTANTS, "fill")

    def test_literals(self):
        self.check(CONSTANTS, "literal")

    def test_same_operand(self):
        self.write("same.yaml", "reprise: 1\nname: same\nbuffers:\n"
                   f"  x: {{kind: in, dtype: f32, shape: [{len(X)}]}}\n"
                   f"  a: {{kind: out, dtype: f32, shape: [{len(X)}]}}\n"
                   f"  b: {{kind: out, dtype: f32, shape: [{len(X)}]}}\n"
                   'nodes:\n  - {map: "x - x", out: a}\n  - {map: "x / x", out: b}\n')
        np.save(self.folder / "x.npy", X)
        for level in ("-O0", "-O1"):
            self.expect(OK, "run", "same.yaml", level, "-i", "x=x.npy", "-o", "a=a.npy", "-o",
                        "b=b.npy")
            normal = np.isfinite(X) & (np.abs(X) >= np.finfo("f4").tiny)
            difference, quotient = (np.load(self.folder / f) for f in ("a.npy", "b.npy"))
            self.assertTrue(np.isnan(difference[~np.isfinite(X)]).all())
            self.assertTrue((difference[np.isfinite(X)] == 0).all())
            self.assertTrue(np.isnan(quotient[~np.isfinite(X) | (X == 0)]).all())
            self.assertTrue((quotient[normal] == 1).all())

    def test_zero_keeps_its_sign(self):
        """From YAML through text and plan to the bytes; as an op, and as a plain fill."""
        self.write("zero.yaml", "reprise: 1\nname: zero\nbuffers:\n"
                   "  a: {kind: out, dtype: f32, shape: [4]}\n"
                   "  b: {kind: out, dtype: f16, shape: [4]}\n"
                   "  c: {kind: out, dtype: f32, shape: [4]}\n"
                   "  x: {kind: in, dtype: f32, shape: [4]}\n"
                   "  d: {kind: out, dtype: f32, shape: [4]}\n"
                   "  e: {kind: out, dtype: f32, shape: [4]}\n"
                   "nodes:\n  - {op: fill, value: -0.0, out: a}\n"
                   "  - {op: fill, value: -0, out: b}\n"
                   "  - fill: {to: c, value: -0.0}\n"
                   "  - {op: scale, x: x, factor: 1, offset: -0.0, out: d}\n"
                   '  - {map: "x * -0", out: e}\n')
        np.save(self.folder / "x.npy", np.array([-0.0, -0.0, -0.0, -0.0], "f4"))
        shown = self.expect(OK, "show", "zero.yaml", "-o", "zero.rpir") + self.read(
            "zero.rpir").decode()
        self.assertIn("value=-0", shown)
        self.assertIn("offset=-0", shown)
        self.expect(OK, "compile", "zero.yaml", "-o", "zero.rplan")
        names = [text for name in "abcde" for text in ("-o", f"{name}={name}.npy")]
        for file in ("zero.yaml", "zero.rplan"):
            for level in (["-O0"], ["-O1"]) if file == "zero.yaml" else ([],):
                self.expect(OK, "run", file, *level, "-i", "x=x.npy", *names)
                for name, negative in zip("abcde", (True, True, True, True, False)):
                    array = np.load(self.folder / f"{name}.npy")
                    self.assertTrue((array == 0).all(), name)
                    self.assertEqual(np.signbit(array).all(), negative, name)

    def test_nan_is_nan(self):
        """Two NaN of different bits are one result."""
        self.write("nan.yaml", "reprise: 1\nname: nan\nbuffers:\n"
                   "  x: {kind: in, dtype: f32, shape: [2]}\n"
                   "  y: {kind: out, dtype: f32, shape: [2]}\n"
                   'nodes:\n  - {map: "x * 0 - inf * x", out: t}\n  - {map: "-t", out: y}\n')
        np.save(self.folder / "x.npy", np.array([np.inf, 0], "f4"))
        self.expect(OK, "run", "nan.yaml", "-i", "x=x.npy", "--check-against", "-O0",
                    output="bit-equal")


if __name__ == "__main__":
    cli.main()
