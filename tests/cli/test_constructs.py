"""What devices can do and shaders ask for: one shader for each, run with the validation layer. What is
expected is computed by NumPy. A device without it is told so by name, before anything is created."""
import re
import shutil
import subprocess
import unittest

import numpy

import cli
from cli import INPUT, OK, SOURCE

HEAD = """#version 460
%s
layout(local_size_x = 64) in;
layout(binding = 0) readonly buffer X { %s x[]; };
layout(binding = 1) buffer Y { %s y[]; };
"""
PIPELINE = """reprise: 1
name: constructs
buffers:
  x: {kind: in, dtype: u32, shape: [%d]}
  y: {kind: inout, dtype: u32, shape: [%d]}
kernels:
  k: {%s}
nodes:
  - {run: k, bind: {X: x, Y: y}, threads: [%d]%s}
"""


class Constructs(cli.Case):
    def needs(self):
        """The numbers of the needs that the first device does not have."""
        found = re.search(r"needs +(?:all but ([\d, ]+)|all)", self.expect(OK, "devices"))
        return {int(bit) for bit in (found.group(1) or "").split(",") if bit.strip()}

    def compute(self, x, y, body, extensions="", types=("float", "float"), needs=(), more=""):
        """y after a kernel on x and y, or None where the device lacks one of the needs."""
        self.write("k.comp", HEAD % ("\n".join(f"#extension {e} : require" for e in extensions.split()),
                                     *types) + body)
        numpy.save(self.folder / "x.npy", x.view(numpy.uint32))
        numpy.save(self.folder / "y.npy", y.view(numpy.uint32))
        self.write("p.yaml", PIPELINE % (x.nbytes // 4, y.nbytes // 4, "glsl: k.comp", x.size, more))
        missing = self.needs() & set(needs)
        run = ("run", "p.yaml", "-i", "x=x.npy", "-i", "y=y.npy", "-o", "y=out.npy")
        if missing:
            self.expect(cli.ENVIRONMENT, *run, error="which the device does not have")
            return None
        self.expect(OK, *run, "--validate")
        return numpy.load(self.folder / "out.npy").view(y.dtype)

    def test_float_atomics(self):
        x = (numpy.arange(640) % 7 - 3).astype(numpy.float32)
        y = self.compute(x, numpy.zeros(3, numpy.float32), """void main() {
    uint i = gl_GlobalInvocationID.x;
    atomicAdd(y[0], x[i]);
    if (i == 3) y[2] = atomicExchange(y[1], 5.0);
}""", "GL_EXT_shader_atomic_float", needs=(42, 43))
        if y is not None:
            self.assertEqual(y.tolist(), [x.astype(numpy.float64).sum(), 5, 0])

    def test_float_atomics_in_shared_memory(self):
        x = (numpy.arange(640) % 7 - 3).astype(numpy.float32)
        y = self.compute(x, numpy.zeros(20, numpy.float32), """shared float sum, last;
void main() {
    if (gl_LocalInvocationID.x == 0) { sum = 0; last = 0; }
    barrier();
    atomicAdd(sum, x[gl_GlobalInvocationID.x]);
    if (gl_LocalInvocationID.x == 5) atomicExchange(last, x[gl_GlobalInvocationID.x]);
    barrier();
    if (gl_LocalInvocationID.x == 0) { y[gl_WorkGroupID.x] = sum; y[10 + gl_WorkGroupID.x] = last; }
}""", "GL_EXT_shader_atomic_float", needs=(44, 45))
        if y is not None:
            rows = x.astype(numpy.float64).reshape(10, 64)
            self.assertEqual(y.tolist(), [*rows.sum(1), *rows[:, 5]])

    def test_float_min_and_max(self):
        x = numpy.random.default_rng(3).standard_normal(640).astype(numpy.float32)
        y = self.compute(x, numpy.zeros(12, numpy.float32), """shared float most;
void main() {
    if (gl_LocalInvocationID.x == 0) most = -1e30;
    barrier();
    atomicMin(y[0], x[gl_GlobalInvocationID.x]);
    atomicMax(most, x[gl_GlobalInvocationID.x]);
    barrier();
    if (gl_LocalInvocationID.x == 0) y[1 + gl_WorkGroupID.x] = most;
}""", "GL_EXT_shader_atomic_float2", needs=(50,))
        if y is not None:
            self.assertEqual(y.tolist(), [x.min(), *x.reshape(10, 64).max(1), 0])

    def test_double_atomics(self):
        x = numpy.arange(128).astype(numpy.float64)
        y = self.compute(x, numpy.zeros(1), "void main() { atomicAdd(y[0], x[gl_GlobalInvocationID.x]); }",
                         "GL_EXT_shader_atomic_float", ("double", "double"), (4, 46))
        if y is not None:
            self.assertEqual(y[0], x.sum())

    def test_half_atomics(self):
        x = numpy.arange(128).astype(numpy.float16)
        y = self.compute(x, numpy.zeros(2, numpy.float16),
                         "void main() { atomicMax(y[0], x[gl_GlobalInvocationID.x]); }",
                         "GL_EXT_shader_atomic_float2 GL_EXT_shader_explicit_arithmetic_types",
                         ("float16_t", "float16_t"), (0, 5, 48))
        if y is not None:
            self.assertEqual(y[0], 127)

    def test_int64_atomics(self):
        x = numpy.random.default_rng(4).integers(0, 1 << 62, 640, dtype=numpy.uint64)
        y = self.compute(x, numpy.zeros(12, numpy.uint64), """shared uint64_t most;
void main() {
    if (gl_LocalInvocationID.x == 0) most = 0;
    barrier();
    atomicAdd(y[0], x[gl_GlobalInvocationID.x]);
    atomicMax(most, x[gl_GlobalInvocationID.x]);
    barrier();
    if (gl_LocalInvocationID.x == 0) y[1 + gl_WorkGroupID.x] = most;
}""", "GL_EXT_shader_atomic_int64 GL_EXT_shader_explicit_arithmetic_types_int64",
                         ("uint64_t", "uint64_t"), (3, 14, 41))
        if y is not None:
            self.assertEqual(y.tolist(), [int(x.sum(dtype=numpy.uint64)), *x.reshape(10, 64).max(1), 0])

    def test_clocks(self):
        x = numpy.ones(64, numpy.uint32)
        y = self.compute(x, numpy.zeros(64, numpy.uint32), """void main() {
    uint i = gl_GlobalInvocationID.x;
    uvec2 a = clock2x32ARB(), c = clockRealtime2x32EXT();
    uint sum = 0;
    for (uint k = 0; k < 100 * x[i]; k++) sum += x[(i + k) % 64];
    uvec2 b = clock2x32ARB(), d = clockRealtime2x32EXT();
    bool forth = b.y > a.y || (b.y == a.y && b.x >= a.x);
    bool on = d.y > c.y || (d.y == c.y && d.x >= c.x);
    y[i] = forth && on ? sum : 0;
}""", "GL_ARB_shader_clock GL_EXT_shader_realtime_clock", ("uint", "uint"), (53, 54))
        if y is not None:
            self.assertEqual(y.tolist(), [100] * 64)

    def test_small_push_constants(self):
        x = numpy.arange(64, dtype=numpy.float32)
        push = numpy.float16(1.5).tobytes() + numpy.int16(-7).tobytes() + numpy.uint8(200).tobytes() + bytes(3)
        y = self.compute(x, numpy.zeros(64, numpy.float32), """
layout(push_constant) uniform P { float16_t h; int16_t s; uint8_t b; };
void main() {
    uint i = gl_GlobalInvocationID.x;
    y[i] = float(h) * x[i] + float(int(s)) + float(uint(b));
}""", "GL_EXT_shader_16bit_storage GL_EXT_shader_8bit_storage", needs=(55, 56),
                         more=f', push: "{push[:4].hex()} {push[4:].hex()}"')
        if y is not None:
            self.assertEqual(y.tolist(), (1.5 * x.astype(numpy.float64) + 193).tolist())

    def test_clustered(self):
        x = numpy.arange(64, dtype=numpy.uint32)
        y = self.compute(x, numpy.zeros(64, numpy.uint32),
                         "void main() { y[gl_GlobalInvocationID.x] = "
                         "subgroupClusteredAdd(x[gl_GlobalInvocationID.x], 4); }",
                         "GL_KHR_shader_subgroup_clustered", ("uint", "uint"), (12,))
        if y is not None:
            self.assertEqual(y.tolist(), numpy.repeat(x.reshape(16, 4).sum(1), 4).tolist())

    def test_device_scope(self):
        x = numpy.arange(640, dtype=numpy.uint32)
        y = self.compute(x, numpy.zeros(1, numpy.uint32), """
#pragma use_vulkan_memory_model
void main() {
    atomicAdd(y[0], x[gl_GlobalInvocationID.x], gl_ScopeDevice, gl_StorageSemanticsBuffer,
              gl_SemanticsAcquireRelease);
}""", "GL_KHR_memory_scope_semantics", ("uint", "uint"), (13, 58))
        if y is not None:
            self.assertEqual(y[0], x.sum())

    def test_float_controls(self):
        """In the words of SPIR-V: rounding to even of sums that lie between two floats."""
        x = numpy.random.default_rng(5).standard_normal(64).astype(numpy.float32)
        y = numpy.random.default_rng(6).standard_normal(64).astype(numpy.float32) * 1000
        out = self.compute(x, y.copy(), """#extension GL_EXT_spirv_intrinsics : require
spirv_execution_mode(extensions = ["SPV_KHR_float_controls"], capabilities = [4467], 4462, 32);
void main() { y[gl_GlobalInvocationID.x] += x[gl_GlobalInvocationID.x]; }""", needs=(33,))
        if out is not None:
            self.assertEqual(out.tobytes(), (x + y).tobytes())

    CONSTANTS = """layout(constant_id = 0) const int64_t a = -5l;
layout(constant_id = 1) const uint64_t b = 7ul;
layout(constant_id = 2) const double c = 0.1lf;
layout(constant_id = 3) const float16_t d = 1.5hf;
layout(constant_id = 4) const int16_t e = -300s;
layout(constant_id = 5) const uint16_t f = 60000us;
layout(constant_id = 6) const int8_t g = int8_t(-7);
layout(constant_id = 7) const uint8_t h = uint8_t(200);
layout(constant_id = 8) const bool k = false;
layout(constant_id = 9) const uint n = 3;
void main() {
    double all[] = double[](double(a), double(b), c, double(d), double(int(e)), double(uint(f)), double(int(g)),
                            double(uint(h)), k ? 1.0lf : 0.0lf, double(n));
    uint i = gl_GlobalInvocationID.x;
    if (i < 10) y[i] = all[i] + 0 * x[0];
}"""

    def constants(self, spec):
        self.write("k.comp", HEAD % ("#extension GL_EXT_shader_explicit_arithmetic_types : require", "double",
                                     "double") + self.CONSTANTS)
        numpy.save(self.folder / "x.npy", numpy.ones(64).view(numpy.uint32))
        self.write("p.yaml", PIPELINE % (128, 32, "glsl: k.comp, spec: {" + spec + "}", 64, ""))
        self.write("p.yaml", self.read("p.yaml").decode().replace("buffers:", "params: {m: 9}\nbuffers:"))
        numpy.save(self.folder / "y.npy", numpy.zeros(32, numpy.uint32))

    def test_constants_of_every_width(self):
        """Specialisation constants by number, by expression and left alone; in the plan as well."""
        defaults = [-5, 7, 0.1, 1.5, -300, 60000, -7, 200, 0, 3]
        given = [-(1 << 62) - 1, (1 << 64) - 4096, 1e-200, 0.333251953125, -32768, 65535, -128, 255, 1, 4294967295]
        names = "abcdefghkn"
        half = {0: "m - 10", 2: "m / 2.0", 4: "-(m * m)", 8: "true"}
        for spec, expected in (
                ("", defaults),
                (", ".join(f"{names[i]}: {v}" for i, v in enumerate(given)), given),
                (", ".join(f"{i}: {v}" for i, v in half.items()),
                 [-1, 7, 4.5, 1.5, -81, 60000, -7, 200, 1, 3])):
            self.constants(spec)
            if self.needs() & {0, 1, 2, 3, 4}:
                self.skipTest("the device does not have all types")
            for run in (("p.yaml",), ("p.rplan",)):
                self.expect(OK, "compile", "p.yaml", "-o", "p.rplan")
                self.expect(OK, "run", *run, "-i", "x=x.npy", "-i", "y=y.npy", "-o", "y=out.npy", "--validate")
                out = numpy.load(self.folder / "out.npy").view(numpy.float64)[:10]
                self.assertEqual(out.tolist(), [float(v) for v in expected])
        text = self.expect(OK, "show", "p.rplan")
        self.assertIn("spec 0=ffffffffffffffff 2=4012000000000000 4=ffaf 8=00000001", text)
        self.expect(OK, "check", "p.rplan")

    def test_constants_out_of_range(self):
        for spec, message in (("a: 9223372036854775808", "larger than 9223372036854775807"), ("b: -1", "u64 value is -1"),
                              ("c: x", "'x'"), ("d: 70000", "too large for f16"),
                              ("e: 32768", "i16 value is 32768: expected -32768 to 32767"),
                              ("f: -1", "u16 value is -1: expected 0 to 65535"), ("g: 128", "i8 value is 128"),
                              ("h: 0.5", "u8 value"), ("k: 2", "bool value is 2: expected 0 to 1")):
            self.constants(spec)
            self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan", error=("p.yaml:8:", message))

    def test_small_push_members(self):
        """By name: numbers of every width."""
        x = numpy.arange(64, dtype=numpy.float64)
        y = self.compute(x, numpy.zeros(64), """
layout(push_constant) uniform P { int64_t a; double c; float16_t d[2]; int16_t e; uint8_t h; };
void main() {
    uint i = gl_GlobalInvocationID.x;
    y[i] = x[i] * c + double(a) + double(float(d[0])) + double(float(d[1])) + double(int(e)) + double(uint(h));
}""", "GL_EXT_shader_explicit_arithmetic_types GL_EXT_shader_16bit_storage GL_EXT_shader_8bit_storage",
                         ("double", "double"), (3, 4, 55, 56),
                         ", push: {a: -4294967296, c: 0.25, d: [1.5, -0.25], e: -7, h: 255}")
        if y is not None:
            self.assertEqual(y.tolist(), (x * 0.25 - 4294967296 + 1.25 - 7 + 255).tolist())

    def test_arrays_without_a_size(self):
        """Of images with samplers and of buffers; the pipeline gives the size, in GLSL and in SPIR-V."""
        self.write("k.comp", """#version 450
#extension GL_EXT_nonuniform_qualifier : require
layout(local_size_x = 8, local_size_y = 8) in;
layout(binding = 0) uniform sampler2D images[];
layout(binding = 1) readonly buffer Numbers { float v[]; } numbers[];
layout(binding = 2, rgba32f) writeonly uniform image2D to;
layout(push_constant) uniform P { uint count; };
void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    vec4 sum = vec4(0);
    for (uint i = 0; i < count; i++) sum += texelFetch(images[i], at, 0) * numbers[i].v[0];
    imageStore(to, at, sum);
}
""")
        pipeline = """reprise: 1
buffers:
  a: {kind: in, image: rgba32f, extent: [8, 8]}
  b: {kind: in, image: rgba32f, extent: [8, 8]}
  n: {kind: in, dtype: f32, shape: [128]}
  y: {kind: out, image: rgba32f, extent: [8, 8]}
samplers: {s: {filter: nearest}}
kernels:
  k: {%s}
nodes:
  - run: k
    bind:
      "0.0": [{buffer: a, sampler: s}, {buffer: b, sampler: s}]
      "0.1": [{buffer: n, rows: [0, 1]}, {buffer: n, rows: [64, 1]}]
      "0.2": y
    grid: [1, 1]
    push: {count: 2}
"""
        random = numpy.random.default_rng(3)
        a, b = (random.random((8, 8, 4)).astype(numpy.float32) for _ in range(2))
        n = numpy.zeros(128, numpy.float32)
        n[[0, 64]] = 2, 3
        for name, array in (("a", a), ("b", b), ("n", n)):
            numpy.save(self.folder / f"{name}.npy", array)
        kernels = ["glsl: k.comp"]
        if shutil.which("glslangValidator"):
            subprocess.run(["glslangValidator", "-V", "--target-env", "vulkan1.2", "-o", "k.spv", "k.comp"],
                           cwd=self.folder, check=True, capture_output=True)
            kernels.append("spirv: k.spv")
        for kernel in kernels:
            self.write("p.yaml", pipeline % (kernel + ", arrays: 2"))
            run = ("run", "p.yaml", *(word for i in "abn" for word in ("-i", f"{i}={i}.npy")), "-o", "y=y.npy", "--validate")
            if 63 in self.needs(): # of what it stands for, indexing may be there
                self.expect(OK, "compile", "p.yaml", "-o", "q.rplan")
            else:
                self.expect(OK, *run)
                off = numpy.abs(numpy.load(self.folder / "y.npy") - (2.0 * a + 3.0 * b)).max()
                self.assertLess(off, 1e-5, kernel)
            self.write("p.yaml", pipeline % kernel)
            self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan",
                        error=("p.yaml:9:", "give them one in the shader, or to the kernel ('arrays: 16'"))
            self.write("p.yaml", pipeline % (kernel + ", arrays: 1"))
            self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan", error="has 1 elements, not 2")
            self.write("p.yaml", pipeline % (kernel + ", arrays: 5000"))
            self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan", error="arrays is 5000: expected 1 to 4096")

    def test_formats_of_the_device(self):
        """What no device stores to is said at the line of the node, with the image and what would do."""
        self.write("k.comp", """#version 450
layout(binding = 0) writeonly uniform image2D to;
void main() { imageStore(to, ivec2(gl_GlobalInvocationID.xy), vec4(1)); }
""")
        self.write("p.yaml", """reprise: 1
buffers:
  y: {kind: out, image: rgba8_srgb, extent: [8, 8]}
kernels: {k: {glsl: k.comp}}
nodes:
  - {run: k, bind: {to: y}, grid: [8, 8], label: first}
""")
        message = "n0 (first): y is of format rgba8_srgb, which is not for storage images: take another format"
        for command in ("run", "profile"):
            self.expect(cli.ENVIRONMENT, command, "p.yaml", error="p.yaml:6:5: error: " + message)
        self.expect(OK, "compile", "p.yaml", "-o", "p.rplan")
        self.expect(cli.ENVIRONMENT, "run", "p.rplan", error="p.rplan: error: " + message)

    def test_refused(self):
        """Ray queries are refused at their place, by a name."""
        self.write("k.comp", HEAD % ("#extension GL_EXT_ray_query : require", "uint", "uint") + """
layout(binding = 2) uniform accelerationStructureEXT t;
void main() {
    rayQueryEXT q;
    rayQueryInitializeEXT(q, t, 0, 255, vec3(0), 0.0, vec3(1), 1.0);
    y[0] = rayQueryProceedEXT(q) ? 1 : 0;
}""")
        self.write("p.yaml", PIPELINE % (4, 4, "glsl: k.comp", 4, ""))
        self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan", error=("p.yaml:7:13: error: kernel 'k'",
                                                                        "acceleration structure"))
        self.assertNotIn("p.rplan", self.files())

    def test_page(self):
        self.assertEqual(self.expect(OK, "devices", "--needs"), (SOURCE / "docs/needs.md").read_text())
        self.expect(cli.USAGE, "devices", "--needs", "--limits", error="goes alone")


if __name__ == "__main__":
    cli.main()
