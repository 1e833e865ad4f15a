"""Blocks by member: push constants, uniform and storage blocks from numbers, and live blocks.

Each shader writes what it finds in its blocks, member by member, to y: what arrives is what was
given, whatever the layout."""
import unittest

import numpy

import cli
from cli import INPUT, OK, USAGE

EXTENSIONS = "\n".join(f"#extension {name} : require" for name in (
    "GL_EXT_scalar_block_layout", "GL_EXT_shader_explicit_arithmetic_types",
    "GL_EXT_shader_16bit_storage", "GL_EXT_shader_8bit_storage"))

PIPELINE = """reprise: 1
params: {n: 5}
live:
  gain: {dtype: f32, default: 0.5}
  eye: {dtype: f32, default: [7, 8, 9]}
  wide: {dtype: f64, default: [0.5, -2]}
  sizes: [3, 4]
%s
buffers:
  y: {kind: out, dtype: f32, shape: [%d]}
kernels:
  k: {glsl: k.comp}
nodes:
  - run: k
    grid: [1]
    bind: {Y: y%s}
%s
"""
STRUCTS = """struct Light { vec3 at; float power; vec2 spot[2]; bool on; };
struct Inner { mat3x2 m; Light lights[2]; };
"""
LIGHTS = "[{at: [1, 2, 3], power: n, spot: [[1, 2], [3, 4]], on: true}, [[4, 5, 6], 0.5, [5, 6, 7, 8], false]]"
LIGHT = [1, 2, 3, 5, 1, 2, 3, 4, 1, 4, 5, 6, 0.5, 5, 6, 7, 8, 0]
MATRIX = [11, 12, 21, 22, 31, 32]


def light(at):
    numbers = [f"{at}.at.{c}" for c in "xyz"] + [f"{at}.power"]
    return numbers + [f"{at}.spot[{i}].{c}" for i in (0, 1) for c in "xy"] + [f"{at}.on"]


def matrix(at, columns, rows):
    return [f"{at}[{i}][{j}]" for i in range(columns) for j in range(rows)]


class Blocks(cli.Case):
    def pipeline(self, shader, numbers, bind="", more="", live=""):
        """A shader of these declarations that writes these expressions."""
        body = "".join(f"    y[{i}] = float({number});\n" for i, number in enumerate(numbers))
        self.write("k.comp", f"#version 450\n{EXTENSIONS}\nlayout(local_size_x = 1) in;\n"
                   f"layout(set = 3, binding = 9) writeonly buffer Y {{ float y[]; }};\n{shader}\n"
                   f"void main() {{\n{body}}}\n")
        self.write("p.yaml", PIPELINE % (live, len(numbers), bind, more))

    def check(self, wanted, shader, numbers, *given, options=(), flat=False, **more):
        self.pipeline(shader, numbers, *given, **more)
        self.expect(OK, "run", "p.yaml", "-o", "y=y.npy", "--check-against", "-O0", *options)
        self.assertNotIn("warning", self.err)
        y = numpy.load(self.folder / "y.npy")
        self.assertEqual(y.tolist(), numpy.float32(wanted).tolist(), f"{shader} {given}")
        if not flat:
            return
        self.write("p.yaml", self.expect(OK, "expand", "p.yaml"))
        self.expect(OK, "run", "p.yaml", "-o", "y=flat.npy", *options)
        self.assertEqual(self.read("y.npy"), self.read("flat.npy"))

    def refused(self, error, shader, numbers, *given, **more):
        self.pipeline(shader, numbers, *given, **more)
        self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan", error=error)

    # ---- Layouts

    def test_layouts(self):
        """The same values in every layout and every kind of block."""
        numbers = matrix("b.m", 3, 2) + light("b.lights[0]") + light("b.lights[1]") + ["last"]
        values = "{b: {m: [[11, 12], [21, 22], [31, 32]], lights: %s}, last: -1}" % LIGHTS
        for kind in ("uniform", "readonly buffer"):
            for layout in ("std140", "std430", "scalar"):
                for order in ("", ", row_major", ", column_major"):
                    self.check(MATRIX + LIGHT + [-1],
                               f"{STRUCTS}layout({layout}{order}, binding = 0) {kind} B {{ Inner b; float last; }};",
                               numbers, f", B: {values}", flat=order == "")
        for layout in ("std430", "scalar"):
            self.check(MATRIX + LIGHT[:9] + [-1],
                       f"{STRUCTS}layout({layout}, push_constant) uniform B {{ mat3x2 m; Light light; float last; }};",
                       matrix("m", 3, 2) + light("light") + ["last"], "",
                       "    push: {m: [[11, 12], [21, 22], [31, 32]], light: %s, last: -1}" % LIGHTS[1:].split(", [[4")[0])

    def test_matrices(self):
        """m[i][j] of what is given is m[i][j] in the shader, nested or flat."""
        for given in ("[[1, 2, 3, 4], [5, 6, 7, 8]]", "[1, 2, 3, 4, 5, 6, 7, 8]"):
            for order in ("row_major", "column_major"):
                self.check(range(1, 9), f"layout(binding = 0) uniform B {{ layout({order}) mat2x4 m; }} b;",
                           matrix("b.m", 2, 4), ", b: {m: %s}" % given)
                self.check(range(1, 9), f"layout(push_constant) uniform B {{ float f; layout({order}) mat2x4 m; }} b;",
                           matrix("b.m", 2, 4), "", "    push: {f: 0, m: %s}" % given)
        self.check([1, 2, 3, 4, 5, 6, 7, 8], "layout(binding = 0) uniform B { mat2 m[2]; };",
                   matrix("m[0]", 2, 2) + matrix("m[1]", 2, 2), ", B: {m: [[[1, 2], [3, 4]], [5, 6, 7, 8]]}")

    def test_numbers(self):
        """Numbers of every width, where the layout has them."""
        block = "{ int8_t a; uint8_t b; int16_t c; f16vec3 d; int64_t e; double f; u16vec2 g[2]; int64_t h; uint64_t i; }"
        names = ["a", "b", "c", "d.x", "d.y", "d.z", "e", "f", "g[0].x", "g[0].y", "g[1].x", "g[1].y", "h", "i >> 60"]
        values = ("{a: -128, b: 255, c: -32768, d: [0.5, -2, 65504], e: -1099511627776, f: 0.125, "
                  "g: [[1, 65535], [3, n]], h: 0x10, i: 0xf000000000000000}")
        wanted = [-128, 255, -32768, 0.5, -2, 65504, -2**40, 0.125, 1, 65535, 3, 5, 16, 15]
        for kind, layout in (("uniform", "std140"), ("uniform", "scalar"), ("readonly buffer", "std430"),
                             ("readonly buffer", "scalar")):
            self.check(wanted, f"layout({layout}, binding = 0) {kind} B {block};", names, f", B: {values}")
        for wrong, error in (("a: 128", "i8 value"), ("b: -1", "u8 value is -1: expected 0 to 255"),
                             ("c: 32768", "i16 value is 32768"), ("d: [0, 0, 1.0e9]", "too large for f16"),
                             ("e: 0.5", "i64 value"), ("g: [1, 2, 3]", "'g' is 2 x 2 x u16: it has 4 values in all"),
                             ("h: x", "unknown parameter 'x'"), ("f: gain", "live value 'gain' is f32: expected f64"),
                             ("c: sizes", "followed by numbers of 32 and 64 bits: those of 'c' have 16")):
            given = ", ".join(p if p.split(":")[0] != wrong.split(":")[0] else wrong for p in (
                "a: 0", "b: 0", "c: 0", "d: [0, 0, 0]", "e: 0", "f: 0", "g: [1, 2, 3, 4]", "h: 0", "i: 0"))
            self.refused(error, f"layout(std430, binding = 0) readonly buffer B {block};", names,
                         ", B: {%s}" % given)

    def test_arrays_without_length(self):
        self.check([3, 1, 2, 3, 8, 9], "layout(binding = 0) readonly buffer B { float v[]; };",
                   ["v.length()", "v[0]", "v[1]", "v[2]", "8", "9"], ", B: {v: [1, 2, 3]}")
        self.check([3, 1, 2, 3], "layout(binding = 0) readonly buffer B { float v[]; };",
                   ["v.length()", "v[0]", "v[1]", "v[2]"], ", B: [1, 2, 3]")
        for given in ("[[1, 2, 3], [4, 5, 6]]", "[1, 2, 3, 4, 5, 6]"):
            self.check([2, 9, 1, 2, 3, 4, 5, 6], "layout(binding = 0) readonly buffer B { uint n; vec3 v[]; };",
                       ["v.length()", "n"] + [f"v[{i}].{c}" for i in (0, 1) for c in "xyz"], ", B: {n: 9, v: %s}" % given)
        self.check([2, 7, 0.5], "struct S { uint u; float f; };\n"
                   "layout(binding = 0) readonly buffer B { S s[]; };", ["s.length()", "s[0].u", "s[1].f"],
                   ", B: {s: [{u: 7, f: 1}, [8, gain]]}")
        self.check([3, 8], "layout(binding = 0) readonly buffer B { float v[]; };", ["v.length()", "v[1]"], ", B: {v: eye}")
        self.refused("5 values are no whole number of elements", "layout(binding = 0) readonly buffer B { vec2 v[]; };",
                     ["v[0].x"], ", B: {v: [1, 2, 3, 4, 5]}")
        self.refused("0 values", "layout(binding = 0) readonly buffer B { vec2 v[]; };", ["v[0].x"], ", B: {v: []}")

    # ---- Live values

    def test_live_values(self):
        shader = """layout(binding = 0) uniform B { vec3 eye; float gain; uvec2 sizes; float twice[2]; uint one; };"""
        names = ["eye.x", "eye.y", "eye.z", "gain", "sizes.x", "sizes.y", "twice[0]", "twice[1]", "one"]
        given = "{eye: eye, gain: gain, sizes: sizes, twice: [gain, 2], one: 'sizes[1]'}"
        self.check([7, 8, 9, 0.5, 3, 4, 0.5, 2, 4], shader, names, f", B: {given}", flat=True)
        self.check([-2, 0.5, -2], "layout(binding = 0) uniform B { double one; dvec2 two; };", ["one", "two.x", "two.y"],
                   ", B: {one: 'wide[1]', two: wide}")
        self.check([1, 2, 3, -1, 5, 6, -1, 2, 6], shader, names, f", B: {given}",
                   options=("--set", "eye=1,2,3", "--set", "gain=-1", "--set", "sizes=5,6"))
        self.check([1, 2, 3, -1, 5, 6, -1, 2, 6], shader.replace("binding = 0", "push_constant, std430"), names, "",
                   f"    push: {given}", options=("--set", "eye=1,2,3", "--set", "gain=-1", "--set", "sizes=5,6"))
        for wrong, error in (("eye: sizes", "live value 'sizes' is u32: expected f32"),
                             ("eye: gain", "live value 'gain' has 1 element: expected 3"),
                             ("gain: eye", "one of them is 'eye[0]'"), ("gain: gain * 2", "stands alone in a block"),
                             ("gain: 'eye[3]'", "outside its 3 elements")):
            parts = dict(p.split(": ", 1) for p in ("eye: eye", "gain: gain", "sizes: sizes", "twice: [1, 2]", "one: 1"))
            parts.update([wrong.split(": ", 1)])
            self.refused(error, shader, names, ", B: {%s}" % ", ".join(f"{k}: {v}" for k, v in parts.items()))

    def test_live_block(self):
        """A live block is set member by member, and keeps what is not set."""
        shader = f"{STRUCTS}layout(binding = 0, row_major) uniform B {{ Inner b; vec3 v[2]; float last; }} camera;"
        names = (matrix("camera.b.m", 3, 2) + light("camera.b.lights[0]") + light("camera.b.lights[1]") +
                 [f"camera.v[{i}].{c}" for i in (0, 1) for c in "xyz"] + ["camera.last"])
        values = "{b: {m: [%s], lights: %s}, v: [1, 2, 3, 4, 5, 6], last: n}" % (", ".join(map(str, MATRIX)), LIGHTS)
        live = "  c: {block: {kernel: k, binding: camera}, default: %s}" % values
        wanted = MATRIX + LIGHT + [1, 2, 3, 4, 5, 6, 5]
        self.check(wanted, shader, names, ", camera: c", live=live, flat=True)
        wanted[0:6] = 1, 2, 3, 4, 5, 6
        wanted[6 + 3] = -3
        wanted[6 + 18:6 + 24] = 9, 8, 7, 6, 5, 4
        self.check(wanted, shader, names, ", camera: c", live=live, options=(
            "--set", "c.b.m=1,2,3,4,5,6", "--set", "c.b.lights[0].power=-3", "--set", "c.v=9,8,7,6,5,4"))
        self.check([0] * len(wanted), shader, names, ", camera: c", live="  c: {block: {kernel: k, binding: 0}}")
        for wrong, error in (("c.b=1", "is a struct"), ("c.v=1,2,3", "has 6 numbers, not 3"),
                             ("c.last=1,2", "has 1 numbers, more are given"), ("c.last=x", "no value of type f32"),
                             ("c.nothing=1", "no buffer 'c.nothing'")):
            self.expect(USAGE, "run", "p.yaml", "--set", wrong, error=error)

    def test_live_block_mistakes(self):
        shader, names = "layout(binding = 0) uniform B { float a; } b;", ["b.a"]
        for live, error in (
                ("{block: {kernel: j, binding: b}}", "unknown kernel 'j'"),
                ("{block: {kernel: k, binding: z}}", "kernel 'k' has no binding 'z' (it has b, Y)"),
                ("{block: {kernel: k}}", "'binding' of this block is missing"),
                ("{block: {kernel: k, binding: b}, dtype: f32}", "unknown key 'dtype'"),
                ("{block: {kernel: k, binding: b}, default: {a: gain}}", "a default is made of numbers"),
                ("{block: {kernel: k, binding: b}, default: {z: 1}}", "has no member 'z'"),
                ("{block: {kernel: k, binding: Y}}", "has no length")):
            self.refused(error, shader, names, ", b: c", live="  c: " + live)
            self.assertEqual(self.err.count("error:"), 2 if "member 'z'" in error else 1, self.err)
        self.refused("'y' is defined at line", shader, names, ", b: y", live="  y: {block: {kernel: k, binding: b}}")

    # ---- Mistakes

    def test_mistakes(self):
        shader, names = STRUCTS + "layout(binding = 0) uniform B { Light l[2]; float a; } b;", ["b.a"]
        for given, error in (
                ("{l: %s}" % LIGHTS, "member 'a' is missing"),
                ("{l: [], a: 1}", "member 'l' has 2 values, not 0"),
                ("{l: 5, a: 1}", "member 'l' has 2 values, not 1"),
                ("{l: [1, 2], a: 1}", "member 'l[0]' is a struct: expected a map of its members"),
                ("{l: [{at: [1, 2]}, [1, 2]], a: 1}", ["member 'l[0].at' has 3 values, not 2", "member 'l[0].on' is missing",
                                                       "member 'l[1]' has 4 members, not 2"]),
                ("{l: [{bt: 1}, {}], a: 1}", "block 'b' of kernel 'k': 'l[0]' has no member 'bt' (it has at, power, spot, on)"),
                ("{l: %s, a: [1, 2]}" % LIGHTS, "member 'a' is a single number, not a list"),
                ("{l: %s, a: {x: 1}}" % LIGHTS, "member 'a' is a single number, not a map"),
                ("{c: 1}", "block 'b' of kernel 'k' has no member 'c' (it has l, a)"),
                ("[]", "block 'b' of kernel 'k' has 2 members, not 0"),
                ("[1, 2, 3]", "block 'b' of kernel 'k' has 2 members, not 3")):
            self.refused(error, shader, names, f", b: {given}")
        self.refused("the shader writes block 'Z': it takes a buffer, and no values",
                     "layout(binding = 0) buffer Z { float z; };", ["z++"], ", Z: {z: 1}")
        self.refused("a block of values has at most 65536; bind a buffer",
                     "layout(binding = 0) readonly buffer B { float v[20000]; };", ["v[3]"], ", B: {v: [1]}")
        # A member called `buffer`
        shader = "layout(binding = 0) uniform B { float buffer_, values; } b;".replace("buffer_", "buffers")
        self.check([1, 2], shader, ["b.buffers", "b.values"], ", b: {buffers: 1, values: 2}")
        self.check([1, 2], shader, ["b.buffers", "b.values"], ", b: {values: {buffers: 1, values: 2}}")

    def test_push_from_another_byte(self):
        """A block that begins behind byte 0 leaves what is in front of it alone."""
        self.check([1, 2, 3], "layout(push_constant) uniform B { layout(offset = 16) vec2 v; layout(offset = 32) float f; };",
                   ["v.x", "v.y", "f"], "", "    push: {v: [1, 2], f: 3}")


if __name__ == "__main__":
    cli.main()
