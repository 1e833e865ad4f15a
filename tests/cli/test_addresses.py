"""Buffer device addresses: pointers in push data, pointers in memory, and what is said of them."""
import numpy

import cli
from cli import INPUT, OK

HEAD = """#version 460
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
layout(local_size_x = 64) in;
"""
FILL = HEAD + """layout(buffer_reference, std430) buffer Numbers { uint v[]; };
layout(binding = 0) readonly buffer X { uint x[]; };
layout(push_constant) uniform P { Numbers to; uint count, add; };
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < count) to.v[i] = x[i] + add;
}
"""
SUM = HEAD + """layout(buffer_reference, std430) readonly buffer Numbers { uint v[]; };
layout(binding = 0) buffer Y { uint y[]; };
layout(push_constant) uniform P { uint64_t a; uvec2 b; uint count; };
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < count) y[i] += Numbers(a).v[i] * 3 + Numbers(b).v[i];
}
"""
# A list in memory: each element says where the next one is.
LINK = HEAD + """layout(buffer_reference) buffer Item;
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Item { Item next; uint value, pad; };
layout(push_constant) uniform P { Item items; uint count; };
layout(binding = 0) readonly buffer X { uint x[]; };
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i >= count) return;
    Item at = Item(uint64_t(items) + 16 * uint64_t(i));
    at.value = x[i];
    at.next = Item(uint64_t(items) + 16 * uint64_t((i * 5 + 3) % count));
}
"""
WALK = HEAD + """layout(buffer_reference) buffer Item;
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer Item { Item next; uint value, pad; };
layout(push_constant) uniform P { Item first; uint steps; };
layout(binding = 0) writeonly buffer Y { uint y[]; };
void main() {
    Item at = first;
    for (uint i = 0; i < gl_GlobalInvocationID.x % steps; i++) at = at.next;
    y[gl_GlobalInvocationID.x] = at.value;
}
"""
# Addresses in a block, by a reference, a number and two words, some in a struct of an array; another block
# of the same class, and push data.
SCENE = HEAD + """layout(buffer_reference, std430) readonly buffer Numbers { uint v[]; };
struct Part { uvec2 at; uint scale; };
layout(binding = 0) buffer Y { uint y[]; };
layout(binding = 3) %s Scene { Numbers a; vec3 tint; uint64_t b; Part parts[2]; uint count; } scene;
layout(binding = 5) uniform Other { uint k[4]; } other;
layout(push_constant) uniform P { uint skip, more; } p;
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i >= scene.count || i < p.skip) return;
    uint sum = p.more + scene.a.v[i] + Numbers(scene.b).v[i] * uint(scene.tint.y);
    for (uint k = 0; k < 2; k++) sum += Numbers(scene.parts[k].at).v[i] * scene.parts[k].scale;
    y[i] += sum * other.k[i %% 4];
}
"""
BLOCK = """reprise: 1
live: {skip: 10}
buffers:
  x: {kind: in, dtype: u32, shape: [256]}
  t: {kind: tmp, dtype: u32, shape: [300]}
  y: {kind: inout, dtype: u32, shape: [256]}
kernels:
  fill: {glsl: fill.comp}
  scene: {glsl: scene.comp}
nodes:
  - {run: fill, bind: {X: x}, threads: [256], push: {to: {address: t, offset: 64}, count: 256, add: 1}, uses: {t: rw}}
  - run: scene
    bind:
      Y: y
      scene: {a: {address: x}, tint: [0, 5, 0], b: {address: t, offset: 64}, parts: [{at: {address: x}, scale: 7}, [{address: t, offset: 64}, 11]], count: 250}
      other: {k: [1, 2, 3, 4]}
    threads: [256]
    push: {skip: skip, more: 3}
    uses: {x: r, t: r}
"""
SUMS = """reprise: 1
name: addresses
buffers:
  x: {kind: in, dtype: u32, shape: [256]}
  t: {kind: tmp, dtype: u32, shape: [300]}
  u: {kind: tmp, dtype: u32, shape: [256]}
  y: {kind: inout, dtype: u32, shape: [256]}
kernels:
  fill: {glsl: fill.comp}
  sum: {glsl: sum.comp}
nodes:
  - {run: fill, bind: {X: x}, threads: [256], push: {to: {address: t, offset: 64}, count: 256, add: 1}%s}
  - {run: fill, bind: {X: x}, threads: [256], push: {to: {address: u}, count: 256, add: 2}%s}
  - {run: sum, bind: {Y: y}, threads: [256], push: {a: {address: t, offset: 64}, b: {address: u}, count: 256}%s}
  - {run: fill, bind: {X: x}, threads: [256], push: {to: {address: u}, count: 256, add: 7}%s}
  - {run: sum, bind: {Y: y}, threads: [256], push: {a: {address: u}, b: {address: x}, count: 256}%s}
"""
DECLARED = (", uses: [{buffer: t, offset: 64, size: 1024, access: w}]", ", uses: {u: w}",
            ", uses: [{buffer: t, offset: 64, size: 1024, access: r}, {buffer: u, access: r}]", ", uses: {u: w}",
            ", uses: {u: r, x: r}")


class Addresses(cli.Case):
    def setUp(self):
        super().setUp()
        if "bufferDeviceAddress" in self.lacks():
            self.skipTest("the device has no buffer addresses")
        for name, text in (("fill", FILL), ("sum", SUM), ("link", LINK), ("walk", WALK)):
            self.write(name + ".comp", text)
        self.x = numpy.arange(256, dtype=numpy.uint32) * 7 % 1001
        numpy.save(self.folder / "x.npy", self.x)

    def lacks(self):
        """The text of the needs that the first device does not serve."""
        devices = self.expect(OK, "devices")
        page = self.expect(OK, "devices", "--needs")
        line = [line for line in devices.splitlines() if line.startswith("   needs")][0]
        bits = line.split("all but")[1].split(",") if "all but" in line else []
        return "".join(row for bit in bits for row in page.splitlines() if row.startswith(f"| {int(bit)} |"))

    def expected(self):
        x = self.x.astype(numpy.int64)
        return (x + 1) * 3 + (x + 2) + (x + 7) * 3 + x

    def test_declared(self):
        """Transients share memory, barriers are narrow, and every level gives the same."""
        self.write("p.yaml", SUMS % DECLARED)
        for level in ("-O0", "-O1", "-O2"):
            self.expect(OK, "run", "p.yaml", "-i", "x=x.npy", "-o", "y=y.npy", level, "--validate")
            self.assertEqual(numpy.load(self.folder / "y.npy").tolist(), self.expected().tolist(), level)
        self.expect(OK, "compile", "p.yaml", "-o", "p.rplan")
        self.expect(OK, "check", "p.rplan")
        self.expect(OK, "check", "p.rplan", "--against", "p.yaml")
        text = self.expect(OK, "show", "p.rplan")
        self.assertIn("w address %t[64+1024]", text)
        self.assertIn("address 0=1 8=2 (rw $y, r address %t[64+1024], r address %", text)
        self.assertNotIn("any", text)
        # Both fills stand in one group: nothing orders them.
        self.assertRegex(text, r"(?s)group 0\n[^\n]*run @fill[^\n]*\n[^\n]*run @fill[^\n]*\n *barrier")
        self.expect(OK, "run", "p.rplan", "-i", "x=x.npy", "-o", "y=y.npy", "--validate", "-n", "3")
        self.assertEqual(numpy.load(self.folder / "y.npy").tolist(), (3 * self.expected()).tolist())
        self.assertEqual(self.expect(OK, "diff", "p.yaml", "p.yaml"), "")

    def test_undeclared(self):
        """What is not said may be anything: each node is ordered against all others."""
        self.write("p.yaml", SUMS % (("",) * 5))
        self.expect(OK, "run", "p.yaml", "-i", "x=x.npy", "-o", "y=y.npy", "--validate", "--check-against", "-O0")
        self.assertEqual(numpy.load(self.folder / "y.npy").tolist(), self.expected().tolist())
        self.expect(OK, "compile", "p.yaml", "-o", "p.rplan")
        text = self.expect(OK, "show", "p.rplan")
        self.assertIn("(r $x, rw address %t, any)", text)
        self.assertEqual(text.count("barrier compute:"), 6, text)
        self.expect(OK, "check", "p.rplan")

    def test_list_in_memory(self):
        """Pointers that a kernel writes and another follows: no push tells of them, the uses do."""
        self.write("p.yaml", """reprise: 1
name: lists
buffers:
  x: {kind: in, dtype: u32, shape: [256]}
  items: {kind: tmp, size: 4096}
  y: {kind: out, dtype: u32, shape: [256]}
kernels:
  link: {glsl: link.comp}
  walk: {glsl: walk.comp}
nodes:
  - {run: link, bind: {X: x}, threads: [256], push: {items: {address: items}, count: 256}, uses: {items: w}}
  - {run: walk, bind: {Y: y}, threads: [256], push: {first: {address: items, offset: 32}, steps: 100},
     uses: {items: r}}
""")
        self.expect(OK, "run", "p.yaml", "-i", "x=x.npy", "-o", "y=y.npy", "--validate", "--check-against", "-O0")
        expected = []
        for i in range(256):
            at = 2
            for _ in range(i % 100):
                at = (at * 5 + 3) % 256
            expected.append(int(self.x[at]))
        self.assertEqual(numpy.load(self.folder / "y.npy").tolist(), expected)

    def scene(self, skip):
        i, x = numpy.arange(256), self.x.astype(numpy.int64)
        sums = (3 + x + (x + 1) * 5 + x * 7 + (x + 1) * 11) * (i % 4 + 1)
        return numpy.where((i >= skip) & (i < 250), sums, 0).tolist()

    def test_in_a_block(self):
        """A uniform and a storage block, with push data that follows a live value and with constants."""
        for kind in ("uniform", "readonly buffer"):
            self.write("scene.comp", SCENE % kind)
            self.write("p.yaml", BLOCK)
            for level in ("-O0", "-O1"):
                self.expect(OK, "run", "p.yaml", "-i", "x=x.npy", "-o", "y=y.npy", level, "--validate", "--set", "skip=20")
                self.assertEqual(numpy.load(self.folder / "y.npy").tolist(), self.scene(20), kind + level)
            self.expect(OK, "compile", "p.yaml", "-o", "p.rplan")
            self.expect(OK, "check", "p.rplan", "--against", "p.yaml")
            self.assertRegex(self.expect(OK, "show", "p.rplan"), r"run @scene-live-block0\.3-\d+ .* address 0=")
            self.write("p.yaml", BLOCK.replace("live: {skip: 10}\n", "").replace("skip: skip", "skip: 30"))
            self.expect(OK, "run", "p.yaml", "-i", "x=x.npy", "-o", "y=y.npy", "--validate")
            self.assertEqual(numpy.load(self.folder / "y.npy").tolist(), self.scene(30), kind)
        for old, new, message in (
                ("count: 250", "count: skip", "holds an address, and cannot follow live values"),
                ("{k: [1, 2, 3, 4]}", "{k: [{address: x}, 2, 3, 4]}", "has no place for an address"),
                ("uses: {x: r, t: r}", "uses: {x: r}", "the address of byte 64 of 't', and 'uses' does not say")):
            self.write("p.yaml", BLOCK.replace(old, new))
            self.expect(INPUT, "compile", "p.yaml", "-o", "q.rplan", error=("p.yaml:1", message))
        self.write("scene.comp", (SCENE % "uniform").replace("Part parts[2]", "Part parts[20]").replace("k < 2", "k < 20"))
        parts = ", ".join(["[{address: x}, 1]"] * 20)
        self.write("p.yaml", BLOCK.replace("[{at: {address: x}, scale: 7}, [{address: t, offset: 64}, 11]]", f"[{parts}]"))
        self.expect(INPUT, "compile", "p.yaml", "-o", "q.rplan", error=("p.yaml:1", "a block of at most 256 bytes"))

    def test_mistakes(self):
        good = list(DECLARED)
        for change, message in (
                ({0: ", uses: {u: w}"}, "this is the address of byte 64 of 't', and 'uses' does not say"),
                ({0: ", uses: {x: w}"}, "'x' is written, but it is an in buffer"),
                ({0: ", uses: {t: u}"}, "access 'u' is not one of: r, w, rw"),
                ({0: ", uses: {nobody: r}"}, "unknown buffer 'nobody'"),
                ({0: ", uses: []"}, "'uses' is {buffer: access} or a list of ranges"),
                ({0: ", uses: [{buffer: t}]"}, "'access' of this use is missing"),
                ({0: ", uses: [{buffer: t, access: w, offset: 68}]"}, "the address of byte 64 of 't'")):
            parts = list(good)
            for index, text in change.items():
                parts[index] = text
            self.write("p.yaml", SUMS % tuple(parts))
            self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan", error=("p.yaml:1", message))
        for old, new, message in (
                ("to: {address: t, offset: 64}", "to: 5", "is a buffer reference: expected {address: buffer}"),
                ("to: {address: t, offset: 64}", "to: {address: t, offset: 1200}", "offset 1200 lies outside 't'"),
                ("to: {address: t, offset: 64}", "to: {address: nobody}", "unknown buffer 'nobody'"),
                ("add: 1", "add: {address: t}", "has no place for an address")):
            self.write("p.yaml", (SUMS % DECLARED).replace(old, new, 1))
            self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan", error=("p.yaml:12:", message))
        self.assertNotIn("p.rplan", self.files())
        self.write("k.comp", "#version 450\nlayout(binding = 0) buffer Y { uint y[]; };\nvoid main() { y[0] = 1; }")
        self.write("p.yaml", (SUMS % DECLARED).replace("fill.comp", "k.comp").replace(
            "bind: {X: x}, threads: [256], push: {to: {address: t, offset: 64}, count: 256, add: 1}",
            "bind: {Y: y}, grid: 1"))
        self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan", error="reaches no memory but what is bound")


if __name__ == "__main__":
    cli.main()
