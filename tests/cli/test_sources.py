"""What a shader is made of beside its own file: includes, preludes and defines, unedited."""
import unittest

import numpy

import cli
from cli import INPUT, OK, USAGE

PIPELINE = """reprise: 1
buffers:
  x: {kind: in, dtype: f32, shape: [64], data: x.npy}
  y: {kind: out, dtype: f32, shape: [64]}
kernels:
  k: {glsl: src/k.comp%s}
nodes:
  - {run: k, bind: {X: x, Y: y}, threads: [64]}
"""
BUFFERS = """layout(local_size_x = 64) in;
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) writeonly buffer Y { float y[]; };
"""
HEAD = "#version 450\n" + BUFFERS
MAIN = "void main() { uint i = gl_GlobalInvocationID.x; y[i] = %s; }\n"


class Sources(cli.Case):
    def setUp(self):
        super().setUp()
        self.x = numpy.linspace(-2, 2, 64, dtype=numpy.float32)
        numpy.save(self.folder / "x.npy", self.x)
        for name in ("src/deep", "lib", "other"):
            (self.folder / name).mkdir(parents=True)

    def result(self, more="", *options):
        self.write("p.yaml", PIPELINE % more)
        self.expect(OK, "run", "p.yaml", "-o", "y=y.npy", *options)
        return numpy.load(self.folder / "y.npy")

    def check(self, wanted, more="", *options):
        y = self.result(more, *options)
        self.assertTrue(numpy.array_equal(y, numpy.float32(wanted)), f"{y[:4]} {numpy.float32(wanted)[:4]}")

    def refused(self, error, more="", *options):
        self.write("p.yaml", PIPELINE % more)
        self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan", *options, error=error)
        self.assertNotIn("p.rplan", self.files())

    # ---- #include

    def test_both_forms_with_and_without_the_extension(self):
        self.write("src/deep/a.glsl", "float a() { return 0.5; }\n")
        self.write("src/b.glsl", '#include <deep/c.glsl>\nfloat b() { return 2 * c(); }')  # no end of line
        self.write("src/deep/c.glsl", '#include "d.glsl"\nfloat c() { return d; }\n')
        self.write("src/deep/d.glsl", "const float d = 4.0;\r\n")
        for extension in ("", "#extension GL_GOOGLE_include_directive : require\n",
                          "#extension GL_ARB_shading_language_include : enable\n"):
            self.write("src/k.comp", "#version 450\n" + extension + BUFFERS + '#include "deep/a.glsl"\n'
                       "#include <b.glsl>\n" + MAIN % "x[i] * a() + b()")
            self.check(self.x * numpy.float32(0.5) + 8)

    def test_folders_in_order(self):
        self.write("src/k.comp", HEAD + '#include "n.glsl"\n' + MAIN % "x[i] + n")
        self.refused(["src/k.comp:5: error: '#include'", "n.glsl"])
        self.write("lib/n.glsl", "const float n = 1.0;\n")
        self.write("other/n.glsl", "const float n = 2.0;\n")
        self.check(self.x + 1, ", include: lib")
        self.check(self.x + 2, ", include: [other, lib]")
        self.check(self.x + 2, "", "-I", "other", "-I", "lib")
        self.check(self.x + 1, ", include: [lib]", "--include", "other")  # the kernel's own go first
        self.write("src/n.glsl", "const float n = 3.0;\n")
        self.check(self.x + 3, ", include: [other, lib]")  # beside the file that includes it

    def test_from_a_folder_of_the_library(self):
        """What an included file includes lies beside it, beside who included it, or in the folders."""
        self.write("src/k.comp", HEAD + '#include "a/top.glsl"\n#include "size.glsl"\n' + MAIN % "x[i] + top() + size")
        (self.folder / "lib/a").mkdir()
        self.write("lib/a/top.glsl", '#include "near.glsl"\n#include "far.glsl"\n#include "size.glsl"\n'
                   "float top() { return near + far + size; }\n")
        self.write("lib/a/near.glsl", "#pragma once\nconst float near = 10.0;\n")
        self.write("other/far.glsl", "const float far = 100.0;\n")
        self.write("src/size.glsl", "#pragma once\nconst float size = 1000.0;\n")
        self.check(self.x + numpy.float32(2110), ", include: [lib, other]")
        self.assertNotIn("warning", self.err)

    def test_lines(self):
        """Messages name the file and the line that the author sees."""
        self.write("src/a.glsl", "\n\nfloat a() { return wrong_a; }\n")
        self.write("pre.glsl", "float pre() {\n return wrong_pre; }\n")
        self.write("src/k.comp", HEAD + '#define A \\\n 1\n#include "a.glsl"\n\n' + MAIN % "wrong_k")
        self.refused(["src/a.glsl:3: error: 'wrong_a'", "src/k.comp:9: error: 'wrong_k'",
                      "pre.glsl:2: error: 'wrong_pre'"], ", prelude: pre.glsl")
        self.write("src/k.comp", HEAD + '#line 700\n' + MAIN % "wrong_k")
        self.refused("src/k.comp:700: error: 'wrong_k'", ", prelude: pre.glsl")

    def test_cycles(self):
        self.write("src/k.comp", HEAD + '#include "a.glsl"\n' + MAIN % "x[i]")
        self.write("src/a.glsl", '#include "b.glsl"\n#include "b.glsl"\n')
        self.write("src/b.glsl", '#include "a.glsl"\n#include "../src/a.glsl"\n')
        self.refused(["it includes itself without end", "a.glsl' includes 'src/b.glsl' includes 'src/"])
        self.write("src/a.glsl", '#ifndef A\n#define A\n#include "b.glsl"\nconst float a = 1.0;\n#endif\n')
        self.write("src/k.comp", HEAD + '#include "a.glsl"\n' + MAIN % "x[i] + a")
        self.check(self.x + 1)
        # A file may include itself as long as a condition ends it.
        self.write("src/a.glsl", "#if !defined ONE\n#define ONE\n#include __FILE__\n#endif\n")
        self.write("src/a.glsl", '#if !defined ONE\n#define ONE\n#include "a.glsl"\n#elif !defined TWO\n#define TWO\n'
                   '#include "a.glsl"\nconst float a = 2.0;\n#endif\n')
        self.check(self.x + 2)

    def test_no_file(self):
        for name, data in {"src/zero.glsl": b"float a;\0", "src/folder": None}.items():
            if data is None:
                (self.folder / name).mkdir()
            else:
                self.write(name, data)
            short = name.split("/")[1]
            self.write("src/k.comp", HEAD + f'#include "{short}"\n' + MAIN % "x[i]")
            self.refused(f"src/k.comp:5: error: '#include' : it ")

    # ---- Defines

    def test_macros_with_parameters(self):
        self.write("src/k.comp", HEAD + MAIN % "F(x[i], TWO) + G()")
        self.check(self.x * self.x * 2 + numpy.float32(0.25),
                   ', defines: {"F(a, b)": (a) * (a) * b, TWO: 2.0, "G()": 0.25}')
        for wrong in ('"F(a"', '"F(a,)"', '"F(1)"', '"F(a)b"', '"1(a)"', '"F (a)"', '"F(a b)"'):
            self.refused("define", ", defines: {%s: 1}" % wrong)

    def test_defines_go_first(self):
        """A define wins over the #define of a file, which is named where it counts."""
        self.write("src/a.glsl", "#ifdef X3\n#define N 3\n#endif\n#define M 7 // seven\n")
        self.write("src/k.comp", HEAD + """/* #define N 5 */
#ifndef N
#define N 6
#endif
#include "a.glsl"
#define \\
  F(x) \\
  (x)
#undef M
#define M 8
""" + MAIN % "F(x[i]) + N + M")
        self.check(self.x + 14)
        self.assertNotIn("note", self.err)
        self.check(self.x * 2 + 3, ', defines: {N: 1, M: 2, "F(x)": ((x) * 2)}')
        self.assertEqual(self.err.count("note"), 3, self.err)
        self.assertIn("src/a.glsl:4: note: '#define M 7 // seven' gives way to 'M=2', which kernel 'k' is built with",
                      self.err)
        self.assertIn("src/k.comp:11: note: '#define F(x) \\' gives way to 'F(x)=((x) * 2)'", self.err)
        self.assertIn("src/k.comp:14: note: '#define M 8' gives way", self.err)
        self.check(self.x + 15, ", defines: {M: 8, N: 7, X3: true}")
        self.assertEqual(self.err.count("note"), 2, self.err)  # N 3, M 7; M 8 says the same
        self.assertIn("src/a.glsl:2: note: '#define N 3' gives way to 'N=7'", self.err)

    # ---- What the compiler gets wrong

    def test_small_types_of_storage_alone(self):
        """Conversions to the type that is there already, of types that are only stored."""
        values = {"float16_t": numpy.linspace(-8, 8, 64, dtype=numpy.float16), "int8_t": numpy.arange(-32, 32, dtype=numpy.int8),
                  "uint8_t": numpy.arange(64, dtype=numpy.uint8)}
        dtypes = {"float16_t": "f16", "int8_t": "i8", "uint8_t": "u8"}
        for name, x in values.items():
            numpy.save(self.folder / "x.npy", x)
            self.write("src/k.comp", f"""#version 450
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_8bit_storage : require
layout(local_size_x = 64) in;
layout(binding = 0) readonly buffer X {{ {name} x[]; }};
layout(binding = 1) writeonly buffer Y {{ {name} y[]; }};
void main() {{ uint i = gl_GlobalInvocationID.x; y[63 - i] = {name}(x[i]); }}""")
            self.write("p.yaml", (PIPELINE % "").replace("dtype: f32", f"dtype: {dtypes[name]}"))
            self.expect(OK, "run", "p.yaml", "-o", "y=y.npy")
            self.assertEqual(numpy.load(self.folder / "y.npy").tobytes(), x[::-1].tobytes())

    # ---- Preludes

    def test_prelude(self):
        self.write("other/pre.glsl", '#include "more.glsl"\n#define SCALE 3\nfloat pre(float v) { return v + more; }\n')
        self.write("other/more.glsl", "const float more = 0.5;\n")
        self.write("src/k.comp", "\ufeff// first\n#version 450 core\n#ifndef NOT\n"
                   "#extension GL_EXT_scalar_block_layout : require\n#endif // done\n" + BUFFERS +
                   MAIN % "SCALE * pre(x[i])")
        self.check(3 * (self.x + numpy.float32(0.5)), ", prelude: other/pre.glsl")
        self.refused("error: '", "")  # without it nothing is defined
        self.refused("cannot read 'none.glsl'", ", prelude: none.glsl")
        self.write("src/k.comp", "#version 450")  # the prelude is all
        self.write("pre.glsl", BUFFERS + MAIN % "-x[i]")
        self.check(-self.x, ", prelude: pre.glsl")

    def test_of_glsl_alone(self):
        for key in ("include: lib", "prelude: pre.glsl", "defines: {A: 1}"):
            self.write("p.yaml", (PIPELINE % (", " + key)).replace("glsl: src/k.comp", "spirv: k.spv"))
            self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan",
                        error=f"'{key.split(':')[0]}' is for GLSL: SPIR-V is compiled already")
        self.write("src/k.comp", HEAD + MAIN % "x[i]")
        self.refused("include", ", include: {a: b}")
        self.refused("include", ", include: [lib, [lib]]")
        self.write("p.yaml", PIPELINE % "")
        self.expect(USAGE, "compile", "p.yaml", "-o", "p.rplan", "-I", error="needs a value")
        self.expect(USAGE, "compile", "p.yaml", "-o", "p.rplan", "-I", "", error="needs a value")


if __name__ == "__main__":
    cli.main()
