"""Bytes that nobody writes: said when compiling, zero when saved, named when compared. What is expected is
worked out with NumPy."""
import random
import re

import numpy
from cli import OK, Case, main


def pieces(mask):
    """[begin, end) of each stretch of False."""
    edges = numpy.flatnonzero(numpy.diff(numpy.concatenate(([True], mask, [True])).astype(numpy.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2])]


class Results(Case):
    """Random fills of parts of results."""

    def pipeline(self, rng, kinds):
        sizes = {f"r{i}": rng.choice([4, 8, 64, 100, 4096]) for i in range(len(kinds))}
        masks = {name: numpy.zeros(size, bool) for name, size in sizes.items()}
        values = {name: numpy.zeros(size, numpy.uint8) for name, size in sizes.items()}
        lines = ["reprise: 1", "name: parts", "buffers:"]
        places = {}
        for (name, size), kind in zip(sizes.items(), kinds):
            lines.append(f"  {name}: {{kind: {kind}, size: {size}}}")
            places[name] = len(lines)
        lines.append("nodes:")
        for name, size in sizes.items():
            for _ in range(rng.randrange(1, 6)):
                begin = rng.randrange(0, size, 4)
                length = rng.randrange(4, size - begin + 1, 4)
                if rng.random() < 0.2:
                    begin, length = 0, size
                value = rng.randrange(1, 256)
                lines.append(f"  - fill: {{to: {{buffer: {name}, offset: {begin}, size: {length}}}, "
                             f"value: {value * 0x01010101}}}")
                masks[name][begin:begin + length] = True
                values[name][begin:begin + length] = value
        return "\n".join(lines) + "\n", masks, values, places

    def test_random_parts(self):
        rng = random.Random(7)
        warned = 0
        for case in range(30):
            kinds = rng.choices(["out", "inout"], k=rng.randrange(1, 5))
            text, masks, values, places = self.pipeline(rng, kinds)
            self.write("parts.yaml", text)
            self.expect(OK, "compile", "parts.yaml", "-o", "parts.rplan")
            for (name, mask), kind in zip(masks.items(), kinds):
                said = re.findall(rf"parts\.yaml:(\d+):\d+: warning: (.*\${name} .*)", self.err)
                missing = pieces(mask) if kind == "out" else []
                self.assertEqual(len(said), 1 if missing else 0, f"{case}: {text}\n{self.err}")
                self.assertEqual(self.err.count(f"${name} is a result"), len(said), self.err)
                if missing:
                    warned += 1
                    self.assertEqual(int(said[0][0]), places[name])
                    left = int((~mask).sum())
                    self.assertIn(f"no node writes {left} of its {len(mask)} bytes", said[0][1])
                    for begin, end in missing[:4]:
                        self.assertIn(f"{begin} to {end}", said[0][1])
            outputs = [item for name in masks for item in ("-o", f"{name}={name}.npy")]
            self.expect(OK, "run", "parts.yaml", "--check-against", "-O0", *outputs)
            compared = int(sum(mask.sum() for mask in masks.values()))
            self.assertIn(f"bit-equal to -O0: {len(masks)} buffers, {compared} bytes", self.out)
            for name, mask in masks.items():
                for begin, end in pieces(mask)[:4]:
                    self.assertIn(f"not compared: bytes {begin} to {end} of '${name}', which no node writes",
                                  self.out)
                saved = numpy.load(self.folder / f"{name}.npy").view(numpy.uint8)
                numpy.testing.assert_array_equal(saved, values[name])
        self.assertGreater(warned, 10)

    def test_no_node_at_all(self):
        self.write("none.yaml", "reprise: 1\nname: none\nbuffers:\n  y: {kind: out, size: 64}\n"
                                "  z: {kind: out, size: 64}\nnodes:\n  - fill: {to: z, value: 1}\n")
        self.expect(OK, "compile", "none.yaml", "-o", "none.rplan",
                    error="none.yaml:4:3: warning: $y is a result, and no node writes it")
        self.expect(OK, "run", "none.rplan", "-o", "y=y.npy")
        self.assertFalse(numpy.load(self.folder / "y.npy").any())

    def test_many_parts(self):
        nodes = "".join(f"  - fill: {{to: {{buffer: y, offset: {8 * i}, size: 4}}, value: 1}}\n" for i in range(8))
        self.write("many.yaml", "reprise: 1\nname: many\nbuffers:\n  y: {kind: out, size: 64}\nnodes:\n" + nodes)
        self.expect(OK, "run", "many.yaml", "--check-against=-O0", output="4 more ranges of '$y'",
                    error="no node writes 32 of its 64 bytes: 4 to 8, 12 to 16, 20 to 24, 28 to 32, ...")

    def test_a_node_that_may_write_less(self):
        """A live grid may write all it names: no warning, and zeros where it did not."""
        self.write("live.comp", "#version 450\nlayout(local_size_x = 1) in;\n"
                                "layout(binding = 0) writeonly buffer Y { uint v[]; } y;\n"
                                "void main() { y.v[gl_GlobalInvocationID.x] = 7; }\n")
        self.write("live.yaml", "reprise: 1\nname: live\nlive: {n: {dtype: u32, default: 3}}\nbuffers:\n"
                                "  y: {kind: out, dtype: u32, shape: [8]}\nkernels: {k: {glsl: live.comp}}\n"
                                "nodes:\n  - {run: k, bind: {y: y}, threads: [n]}\n")
        self.expect(OK, "run", "live.yaml", "-o", "y=y.npy", "--check-against", "-O0", output="1 buffers, 32 bytes")
        self.assertNotIn("warning", self.err)
        self.assertEqual(numpy.load(self.folder / "y.npy").tolist(), [7, 7, 7, 0, 0, 0, 0, 0])


if __name__ == "__main__":
    main()
