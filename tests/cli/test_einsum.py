"""einsum against numpy.einsum in double precision, by equations drawn at random and by known ones."""
import os
import string
import unittest

import numpy as np

import cli
from cli import INPUT, OK

SEED = int(os.environ.get("RP_SEED", 5))
CASES = int(os.environ.get("RP_CASES", 16))  # equations of a test, about
DTYPES = {"f4": "f32", "f2": "f16", "i1": "i8", "i2": "i16", "i4": "i32", "u1": "u8", "u4": "u32"}
OPERANDS = "abcdefgh"


class Einsum(cli.Case):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(SEED)

    def below(self, limit):
        return int(self.random.integers(limit))

    def numbers(self, shape, dtype):
        if dtype in ("f4", "f2") and self.below(2):
            return self.random.normal(size=shape).astype(dtype)
        low = 0 if dtype[0] == "u" else -3
        return self.random.integers(low, 4, shape).astype(dtype)

    def term(self, sizes, dots):
        """Letters with '...' among them, perhaps, and the shape; some dimensions are 1 and broadcast."""
        letters = [str(l) for l in self.random.choice(sorted(sizes), self.below(4))]
        if letters and self.below(6) == 0:
            letters.insert(self.below(len(letters) + 1), letters[0])
        shape = [sizes[l] if letters.count(l) > 1 or self.below(8) else 1 for l in letters]
        if dots is not None and self.below(2):
            own = dots[self.below(len(dots) + bool(letters)):]  # a single element has one dimension, too
            at = self.below(len(letters) + 1)
            letters.insert(at, "...")
            shape[at:at] = [n if self.below(4) else 1 for n in own]
        return letters, shape

    def result(self, terms):
        """What stands behind "->", or none."""
        once = sorted({l for t in terms for l in t} - {"..."})
        if self.below(4) == 0:
            return None
        out = [str(l) for l in self.random.permutation(once)[:self.below(4)]]
        if any("..." in t for t in terms):
            out.insert(self.below(len(out) + 1), "...")
        return out

    def equation(self):
        sizes = {l: 1 + self.below(6) for l in self.random.permutation(list("ijklmAB"))[:5]}
        dots = self.random.integers(1, 4, 2).tolist() if self.below(3) == 0 else None
        terms, shapes = zip(*[self.term(sizes, dots) for _ in range(1 + self.below(4))])
        out = self.result(terms)
        space = " " * (self.below(8) == 0)
        text = ("," + space).join("".join(t) for t in terms)
        return text + ("" if out is None else space + "->" + space + "".join(out)), shapes

    def kinds(self, count):
        kind = self.below(5)
        if kind < 2:
            return ["f4"] * count
        if kind == 2:
            return [("f4", "f2")[self.below(2)] for _ in range(count)]
        return [(("i1", "i2", "i4") if kind == 3 else ("u1", "u4"))[self.below(2)] for _ in range(count)]

    def run_all(self, cases, *options):
        """Cases are equations, arrays and, where it is not NumPy's of small numbers, what is wanted."""
        buffers, nodes, arguments, wanted = [], [], [], []
        for i, (equation, arrays, want, dtype) in enumerate(cases):
            keys = ""
            for name, x in zip(OPERANDS, arrays):
                file = f"i{i}{name}"
                np.save(self.folder / f"{file}.npy", x.reshape(x.shape or 1))
                arguments += ["-i", f"{file}={file}.npy"]
                buffers.append(f"  {file}: {{kind: in, dtype: {DTYPES[x.dtype.str[1:]]}, shape: {list(x.shape) or [1]}}}")
                keys += f", {name}: {file}"
            buffers.append(f"  o{i}: {{kind: out, dtype: {dtype}, shape: {list(want.shape) or [1]}}}")
            nodes.append(f"  - {{op: einsum, equation: '{equation}'{keys}, out: o{i}}}")
            arguments += ["-o", f"o{i}=o{i}.npy"]
            wanted.append((nodes[-1], want))
        lines = ["reprise: 1", "name: einsum", "buffers:", *buffers, "nodes:", *nodes]
        self.write("einsum.yaml", "\n".join(lines) + "\n")
        self.expect(OK, "run", "einsum.yaml", *arguments, *options)
        for i, (about, want) in enumerate(wanted):
            got = np.load(self.folder / f"o{i}.npy")
            if want.dtype == np.float64:
                narrow = got.dtype == np.float16
                scale = np.abs(want).max(initial=1)
                np.testing.assert_allclose(got, want, rtol=0, atol=scale * (1e-3 if narrow else 3e-6), err_msg=about)
            else:
                np.testing.assert_array_equal(got, want.reshape(got.shape).astype(got.dtype), err_msg=about)

    def case(self, equation, arrays):
        dtypes = [x.dtype.str[1:] for x in arrays]
        floats = dtypes[0][0] == "f"
        wide = np.float64 if floats else np.int64
        want = np.asarray(np.einsum(equation.replace(" ", ""), *[x.astype(wide) for x in arrays]))
        want = want.reshape(want.shape or (1,))
        terms, _, out = equation.replace(" ", "").partition("->")
        moved = len(arrays) == 1 and "->" in equation and set(terms) <= set(out)
        if floats:
            dtype = "f16" if set(dtypes) == {"f2"} else "f32"
        else:
            dtype = DTYPES[dtypes[0]] if moved else "u32" if dtypes[0][0] == "u" else "i32"
        return equation, arrays, want, dtype

    def test_random(self):
        cases = []
        while len(cases) < CASES:
            equation, shapes = self.equation()
            if not equation:
                continue  # YAML has no empty text
            dtypes = self.kinds(len(shapes))
            if len(shapes) == 1 and dtypes[0] not in ("f4", "f2") and "->" not in equation:
                continue  # whether it is moved alone is not seen by its text
            cases.append(self.case(equation, [self.numbers(s, d) for s, d in zip(shapes, dtypes)]))
        self.run_all(cases, "--check-against", "-O0")

    def test_known(self):
        """What people write, each way a pair is computed, and dimensions in orders that need moves."""
        shapes = {
            "bhqd,bhkd->bhqk": [(2, 3, 5, 8), (2, 3, 7, 8)], "bqhd,bkhd->bhqk": [(2, 5, 3, 8), (2, 7, 3, 8)],
            "bhqk,bhkd->bqhd": [(2, 3, 5, 7), (2, 3, 7, 8)], "ij,jk": [(4, 5), (5, 6)], "ij,kj->ki": [(9, 5), (12, 5)],
            "ji,jk->ik": [(5, 10), (5, 6)], "mk,k->m": [(9, 32), (32,)], "k,mk->m": [(32,), (9, 32)],
            "k,km->m": [(32,), (32, 9)], "bk,mk->bm": [(9, 32), (6, 32)], "i,j->ji": [(3,), (4,)], "i,i": [(40,), (40,)],
            "bi,bi->b": [(3, 40), (3, 40)], "bij,bj->bi": [(3, 4, 5), (3, 5)], "ii": [(6, 6)], "ii->i": [(6, 6)],
            "iji->j": [(4, 3, 4)], "ijij->ji": [(3, 4, 3, 4)], "...ii->...": [(2, 3, 4, 4)], "i...->...": [(5, 2, 3)],
            "...ij,...jk": [(2, 1, 3, 4), (5, 4, 6)], "ijk->kji": [(2, 3, 4)], "abcdefgh->hgfedcba": [(2,) * 8],
            "abcdefgh->hbdfcega": [(2, 3, 2, 2, 2, 2, 2, 3)], "ij,jk,kl->il": [(3, 9), (9, 2), (2, 12)],
            "ea,fb,abcd,gc,hd->efgh": [(3, 2), (4, 3), (2, 3, 4, 5), (2, 4), (3, 5)], "->": [(1,)], ",ij->ji": [(1,), (2, 3)],
            "ikj,kl->ijl": [(3, 5, 4), (5, 6)], "kl,ikj->lij": [(5, 6), (3, 5, 4)], "i,i,i->i": [(7,), (7,), (7,)],
            "a,b,c,d,e,f,g,h->hgfedcba": [(2,)] * 8, "ij->": [(70, 90)], "Zza,zZ->a": [(3, 4, 5), (4, 3)],
            "iij,jkk->ik": [(3, 3, 4), (4, 5, 5)], "ij,ij->ij": [(1, 4), (3, 1)]}
        cases = []
        for equation, own in shapes.items():
            for dtype in ("f4", "i1") if len(cases) % 5 == 0 else ("f4",):
                arrays = [self.numbers(shape, dtype) for shape in own]
                cases.append(self.case(equation, arrays if equation not in ("->", ",ij->ji") else
                                       [arrays[0].reshape(()), *arrays[1:]]))
        self.run_all(cases)

    def bad(self, equation, message, column=None, shapes=((2, 3), (3, 4)), more="", dtype="f32", names="ab"):
        buffers = "".join(f"  x{i}: {{kind: in, dtype: {dtype}, shape: {list(s)}}}\n" for i, s in enumerate(shapes))
        keys = "".join(f", {n}: x{i}" for i, n in zip(range(len(shapes)), names))
        line = f"  - {{op: einsum, equation: '{equation}'{keys}, out: {more or 'y'}}}"
        self.write("bad.yaml", f"reprise: 1\nname: bad\nbuffers:\n{buffers}nodes:\n{line}\n")
        at = "" if column is None else f"bad.yaml:{5 + len(shapes)}:{line.index(equation) + 1 + column}: error: "
        self.expect(INPUT, "compile", "bad.yaml", "-o", "bad.rplan", error=at + message)
        self.assertNotIn("bad.rplan", self.files())

    def test_mistakes(self):
        of = "attribute 'equation' of einsum "
        for equation, message, column in (
                ("ij,j1->i", of + "has '1' there", 4), ("ij,jk->i,k", of + "has ',' there", 8),
                ("ij,jk->i->k", of + "has '-' there", 8), ("ij,j.k", of + "has '.' there", 4), ("ij-jk", of + "has '-'", 2),
                ("ij,jk->iq", of + "has 'q' in its result, and in no operand", 8),
                ("ij,jk->iki", of + "has 'i' twice in its result", 9),
                ("ij,ik->jk", of + "has 'i' as 3 in b, but as 2 in a", 3),
                ("ii,ij", of + "has 'i' as 2 and as 3 in a", 1), ("ijk,jk", of + "has 3 letters for a, which has 2", 0),
                ("ij,j", of + "has 1 letters for b, which has 2 dimensions", 3),
                ("ij,", of + "has 0 letters for b, which has 2 dimensions", 3),
                ("ijl...,jk", of + "has 3 letters beside '...' for a, which has 2", 0),
                ("......,ij", of + "has a second '...' in a term", 3),
                ("...i,ij->i", of + "has no '...' in its result for the 1 dimensions of '...'", 8),
                ("i...,i...->...", of + "has 'i' as 3 in b, but as 2 in a", 5),
                ("...i,...j->...", of + "has '...' as 3 in b, but as 2 in a", 5),
                ("abcdefghi,jk", of + "has more than 8 letters in a term, up to 'i'", 8),
                ("a,b,c,d,e,f,g,h,i", of + "has more than 8 terms", 15)):
            self.bad(equation, message, column)
        self.bad("ij", of + "has 1 terms for 2 operands")
        self.bad("ij,jk,kl", of + "has 3 terms for 2 operands")
        self.bad("ij,jk", "einsum: there is an operand 'c' but none 'b'", names="ac")
        self.bad("ij,jk", "[2,5], expected", more="{name: y, dtype: f32, shape: [2, 5]}")
        self.bad("ij,jk", "einsum: out is i32, expected f32, f16 or bf16", more="{name: y, dtype: i32}")
        self.bad("ij,jk", "einsum: out is i8, expected i32", more="{name: y, dtype: i8}", dtype="i8")
        self.bad("ij,jk", "expected operands of floats, of signed integers or of unsigned ones", dtype="f64")
        self.bad("abcdef,ghijkl", of + "gives more than 8 dimensions", shapes=((2,) * 6,) * 2)

    def moves(self, equation, *shapes):
        """Nodes of a compiled equation, by op."""
        self.write("plan.yaml", "reprise: 1\nname: plan\nbuffers:\n" + "".join(
            f"  x{i}: {{kind: in, dtype: f32, shape: {list(s)}}}\n" for i, s in enumerate(shapes)) +
            "  y: {kind: out, dtype: f32, shape: [%d]}\n" % np.einsum(equation, *map(np.ones, shapes)).size +
            f"nodes:\n  - {{op: einsum, equation: '{equation}'" +
            "".join(f", {n}: x{i}" for i, n in zip(range(len(shapes)), OPERANDS)) + ", out: {name: z}}\n" +
            "  - {op: copy, x: z, out: y}\n")
        self.expect(OK, "compile", "plan.yaml", "-o", "plan.rplan", "-O0", "--dump-after", "all")
        dump, = (self.folder / "reprise-dump").glob("00-*.rpir")
        text = dump.read_text()
        return [line.split()[3] for line in text.splitlines() if " = op " in line and "einsum" in line]

    def test_layouts(self):
        """No permute where a product takes operands as they lie; and the order that multiplies least."""
        for equation, ops, *shapes in (
                ("bhqd,bhkd->bhqk", ["matmul"], (2, 3, 50, 8), (2, 3, 70, 8)), ("ij,jk", ["matmul"], (40, 50), (50, 60)),
                ("ij,kj->ki", ["matmul"], (9, 50), (12, 50)), ("ji,jk->ik", ["matmul"], (50, 10), (50, 60)),
                ("ji,kj->ki", ["matmul"], (50, 10), (60, 50)), ("ikj,kl->ijl", ["matmul"], (3, 5, 4), (5, 6)),
                ("kl,ikj->ijl", ["matmul"], (5, 6), (3, 5, 4)), ("bk,mk->bm", ["matvec"], (4, 32), (9, 32)),
                ("mk,k->m", ["matvec"], (9, 32), (32,)), ("bij,bj->bi", ["map", "row_sum"], (3, 4, 5), (3, 5)),
                ("i,j->ij", ["map"], (3,), (4,)), ("ijk->kij", ["permute"], (3, 4, 5)), ("ij->j", ["reduce_axis"], (3, 4)),
                ("ij->i", ["row_sum"], (3, 4)), ("ii->i", ["take_range"], (4, 4)),
                ("bqhd,bkhd->bhqk", ["permute", "permute", "matmul"], (2, 50, 3, 8), (2, 70, 3, 8)),
                ("ij,jk,k->i", ["matvec", "matvec"], (90, 80), (80, 70), (70,))):
            self.assertEqual(self.moves(equation, *shapes), ops, equation)


if __name__ == "__main__":
    cli.main()
