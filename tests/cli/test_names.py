"""Every word is a good name: of buffers, operands, parameters, kernels. GLSL's own words and the names of
generated kernels are tried in all of these places, and what is computed is compared with NumPy."""
import random
import re
import unittest

import numpy as np

import cli
from cli import OK, SOURCE

# The words that GLSL 4.60 keeps: keywords, and what it reserves for later.
GLSL = """attribute const uniform varying buffer shared coherent volatile restrict readonly writeonly atomic_uint
layout centroid flat smooth noperspective patch sample invariant precise break continue do for while switch case
default if else subroutine in out inout int void bool true false float double discard return vec2 vec3 vec4 ivec2
ivec3 ivec4 bvec2 bvec3 bvec4 uint uvec2 uvec3 uvec4 dvec2 dvec3 dvec4 mat2 mat3 mat4 mat2x2 mat2x3 mat2x4 mat3x2
mat3x3 mat3x4 mat4x2 mat4x3 mat4x4 dmat2 lowp mediump highp precision sampler1D sampler2D sampler3D samplerCube
isampler2D usampler2D image2D iimage2D uimage2D struct common partition active asm class union enum typedef
template this resource goto inline noinline public static extern external interface long short half fixed unsigned
superp input output hvec2 hvec3 hvec4 fvec2 fvec3 fvec4 filter sizeof cast namespace using sampler3DRect
gl_GlobalInvocationID gl_WorkGroupID gl_x main texture index length abs min max exp sqrt fma floatBitsToUint
int8_t uint8_t float16_t uint16_t barrier memoryBarrierShared subgroupAdd defined __LINE__ __VERSION__ __a a__b
_ _1 e r i j k c n t0 t1 v0 v1 b0 b1 m0 m1 m0_out m0_C x x_ row lane group pi inf nan F32 Q8_0 ELEMENTS""".split()
# What is written in kernels/, whatever it is there.
OURS = sorted({word for file in (SOURCE / "kernels").rglob("*.glsl")
               for word in re.findall(r"\b[A-Za-z_]\w*\b", re.sub(r"//.*", "", file.read_text()))})


class Names(cli.Case):
    def pipeline(self, names, nodes, extra=""):
        buffers = "".join(f"  {name}: {{kind: in, dtype: f32, shape: [8]}}\n" for name in names)
        self.write("p.yaml", f"reprise: 1\nname: p\n{extra}buffers:\n{buffers}"
                   f"  the.result: {{kind: out, dtype: f32, shape: [8]}}\nnodes:\n{nodes}")

    def compiles(self):
        self.expect(OK, "compile", "p.yaml", "-o", "p.rplan", "-q")

    def test_every_word_in_a_formula(self):
        """All of them, 26 inputs at a time: as a buffer, and as a name of `bind`."""
        words = GLSL + [w for w in random.Random(1).sample(OURS, 150) if w not in GLSL]
        for at in range(0, len(words), 26):
            names = words[at:at + 26]
            formula = " + ".join(names)
            self.pipeline(names, f"  - {{map: \"{formula}\", out: the.result}}\n")
            self.compiles()
            self.pipeline([f"b{i}.x" for i in range(len(names))],
                          f"  - map: \"{formula}\"\n    bind: {{"
                          + ", ".join(f"\"{name}\": b{i}.x" for i, name in enumerate(names))
                          + "}\n    out: the.result\n")
            self.compiles()

    def test_every_number_of_inputs(self):
        """What is computed, with names drawn anew for each number."""
        rng = random.Random(2)
        for count in range(1, 27):
            names = rng.sample(GLSL + OURS, count)
            names = list(dict.fromkeys(names))
            self.pipeline(names, "  - {map: \"" + " + ".join(f"{2 ** i} * {n}" for i, n in enumerate(names))
                          + "\", out: the.result}\n")
            options, expected = [], np.zeros(8, "f4")
            for i, name in enumerate(names):
                values = (np.arange(8) % (i + 2)).astype("f4")
                np.save(self.folder / f"{i}.npy", values)
                options += ["-i", f"{name}={i}.npy"]
                expected += 2 ** i * values
            self.expect(OK, "run", "p.yaml", *options, "-o", "the.result=y.npy")
            np.testing.assert_array_equal(np.load(self.folder / "y.npy"), expected, str(names))

    def test_outputs_parameters_and_live_values(self):
        for words in (GLSL, random.Random(3).sample(OURS, 40)):
            words = [w for w in words if w not in ("x", "true", "false")]
            self.pipeline(["x"], "".join(f"  - {{map: \"x * {i}\", out: {w}}}\n" for i, w in enumerate(words))
                          + "".join(f"  - {{op: add, a: x, b: {w}, out: o.{w}}}\n" for w in words)
                          + "  - {map: x, out: the.result}\n")
            self.compiles()
            params = ", ".join(f"\"{w}\": {i + 1}" for i, w in enumerate(words))
            self.pipeline(["x"], "".join(f"  - {{map: \"x * {w} + {w}\", out: o.{w}}}\n" for w in words)
                          + "  - {map: x, out: the.result}\n", f"params: {{{params}}}\n")
            self.compiles()
            self.pipeline(["x"], "".join(f"  - {{map: \"x * f32({w})\", out: o.{w}}}\n" for w in words)
                          + "  - {map: x, out: the.result}\n", f"live: {{{params}}}\n")
            self.compiles()

    def test_kernels(self):
        """Kernels of one's own beside generated ones, which are called like their ops."""
        for words in (GLSL, ["add", "mul", "rms_norm", "map", "lower", "fused", "generated", "add.mul"]):
            kernels = ", ".join(f"\"{w}\": {{glsl: add.comp}}" for w in words[:40])
            runs = "".join(f"  - {{run: \"{w}\", bind: {{a: x, b: s, sum: the.result}}, threads: [8], push: {{count: 8}}}}\n"
                           for w in words[:40])
            self.pipeline(["x"], "  - {op: add, a: x, b: x, out: s}\n  - {op: mul, a: s, b: s, out: q}\n" + runs,
                          f"kernels: {{{kernels}}}\n")
            self.compiles()
            self.expect(OK, "check", "p.rplan")

    def test_a_name_wins_over_a_constant(self):
        np.save(self.folder / "p.npy", np.full(8, 2, "f4"))
        for name in ("pi", "inf", "nan"):
            self.pipeline([name], f"  - {{map: \"{name} * {name}\", out: the.result}}\n")
            self.expect(OK, "run", "p.yaml", "-i", f"{name}=p.npy", "-o", "the.result=y.npy")
            np.testing.assert_array_equal(np.load(self.folder / "y.npy"), np.full(8, 4, "f4"))


if __name__ == "__main__":
    cli.main()
