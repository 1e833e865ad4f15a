"""Shaders that cannot write what `w` promises, and elements that lie apart where the buffer's do not. What is
expected is counted here."""
import random
import re

from cli import OK, Case, main


# type of an element: its components, the buffer's dtype, bytes of a component
TYPES = {
    "float": (1, "f32", 4), "vec2": (2, "f32", 4), "vec3": (3, "f32", 4), "vec4": (4, "f32", 4),
    "uint": (1, "u32", 4), "uvec2": (2, "u32", 4), "uvec3": (3, "u32", 4), "ivec3": (3, "i32", 4),
    "ivec4": (4, "i32", 4),
}

# elements that are neither scalar nor vector: declaration, bytes, stride
STRUCTS = {
    "struct E { vec2 a; float b; };": (12, 16), "struct E { vec3 a; float b; };": (16, 16),
    "struct E { vec3 a; };": (12, 16), "struct E { float a; vec4 b; };": (20, 32),
    "struct E { float a; float b; float c; };": (12, 12), "struct E { mat3 m; };": (36, 48),
    "struct E { mat2 m; float a; };": (20, 24), "struct E { uvec2 a; ivec2 b; };": (16, 16),
}

SHADER = """#version 450
layout(local_size_x = 16) in;
HEAD
layout(binding = 0) readonly buffer X { TYPE v[]; } x;
layout(binding = 1) QUALIFIER buffer Y { TYPE v[]; } y;
uint index = gl_GlobalInvocationID.x;
void put(uint i) { y.v[i] = x.v[0]; }
void main() {
    BODY
}
"""


class Promises(Case):
    """Kernels whose stores can be counted, and their buffers."""

    def compile(self, cases):
        """Compiles one node for each case; returns the warnings of each: a list of texts."""
        kernels, buffers, nodes = [], [], []
        for i, case in enumerate(cases):
            text = SHADER.replace("TYPE", case["type"]).replace("BODY", case["body"])
            text = text.replace("HEAD", case.get("head", ""))
            self.write(f"k{i}.comp", text.replace("QUALIFIER", case.get("qualifier", "writeonly")))
            kernels.append(f"  k{i}: {{glsl: k{i}.comp}}")
            for name, kind in (("x", "in"), ("y", "inout")):
                what = case.get(name) or case["y"]
                buffers.append(f"  {name}{i}: {{kind: {kind}, {what}}}")
            access = case.get("access")
            y = f"{{buffer: y{i}, access: {access}}}" if access else f"y{i}"
            nodes.append(f"  - {{run: k{i}, bind: {{x: x{i}, y: {y}}}, grid: {case.get('grid', 1)}}}")
        head = ["reprise: 1", "name: promises", "live: {n: {dtype: u32, default: 1}}", "buffers:", *buffers,
                "kernels:", *kernels, "nodes:"]
        self.write("promises.yaml", "\n".join(head + nodes) + "\n")
        self.expect(OK, "compile", "promises.yaml", "-o", "promises.rplan")
        found = [[] for _ in cases]
        for line in self.err.splitlines():
            match = re.match(r"promises\.yaml:(\d+):\d+: warning: n(\d+): (.*)", line)
            if match:
                self.assertEqual(int(match[1]), len(head) + 1 + int(match[2]))
                found[int(match[2])].append(match[3])
        self.assertEqual(self.err.count("warning:"), sum(len(said) for said in found), self.err)
        return found

    def test_stores_and_elements(self):
        rng = random.Random(3)
        cases = []
        for _ in range(60):
            type_ = rng.choice(list(TYPES))
            components, dtype, width = TYPES[type_]
            stores, grid = rng.randrange(1, 4), rng.randrange(1, 4)
            stride = width * (4 if components == 3 else components)
            elements = max(1, grid * 16 * stores + rng.choice([-5, -1, 0, 0, 1, 7]))
            body = rng.choice([
                " ".join(f"y.v[index * {stores} + {k}] = x.v[{k}];" for k in range(stores)),
                " ".join(f"put(index * {stores} + {k});" for k in range(stores)),
                "if (index > 5) { " + " ".join(f"y.v[index + {k}] = x.v[index];" for k in range(stores)) + " }",
            ])
            cases.append({"type": type_, "body": body, "grid": grid, "y": f"size: {elements * stride}",
                          "few": grid * 16 * stores < elements, "gaps": components == 3,
                          "numbers": f"its {grid * 16} invocations write at most {grid * 16 * stores} of "
                                     f"{elements} elements"})
        self.assertGreater(sum(c["few"] and not c["gaps"] for c in cases), 5)
        for case, said in zip(cases, self.compile(cases)):
            self.assertEqual(len(said), int(case["few"] or case["gaps"]), f"{case} {said}")
            if case["gaps"]:
                self.assertIn("have 12 bytes at a stride of 16", said[0])
                self.assertIn("the 4 bytes of padding in each are never written, which w promises", said[0])
            elif case["few"]:
                self.assertIn(case["numbers"], said[0])
                self.assertIn("fill it first and declare the use rw", said[0])

    def test_structs(self):
        cases = []
        for declaration, (size, stride) in STRUCTS.items():
            for count in (16, 17):
                cases.append({"head": declaration, "type": "E", "body": "y.v[index] = x.v[0];",
                              "y": f"size: {count * stride}", "size": size, "stride": stride, "few": count == 17})
        cases.append({"head": "struct E { float a[3]; };", "type": "E", "body": "y.v[index] = x.v[0];",
                      "y": "size: 1200", "size": 12, "stride": 12, "few": False}) # too much to follow
        for case, said in zip(cases, self.compile(cases)):
            gaps = case["stride"] > case["size"]
            self.assertEqual(len(said), int(gaps or case["few"]), f"{case} {said}")
            if gaps:
                self.assertIn(f"have {case['size']} bytes at a stride of {case['stride']}", said[0])
            elif case["few"]:
                self.assertIn("16 invocations write at most 16 of 17", said[0])

    def test_what_cannot_be_known(self):
        one = "y.v[index] = x.v[index];"
        y = "dtype: f32, shape: [1000]"
        cases = [
            {"body": "for (uint i = index; i < 1000; i += 16) y.v[i] = x.v[i];"},
            {"body": "uint i = index; while (x.v[i] > 0.0) y.v[i++] = 1.0;"},
            {"body": "for (int k = 0; k < 40; k++) put(index * 40 + k);"},
            {"body": "for (int k = 0; k < int(x.v[0]); k++) { put(k); if (x.v[k] > 0.0) break; }"},
            {"body": "uint i = index; do { for (int k = 0; k < 3; k++) i += 1; y.v[i] = 1.0; } while (x.v[i] > 0.0);"},
            # a loop, but no store in it
            {"body": "float s = 0.0; for (int k = 0; k < int(x.v[0]); k++) s += x.v[k]; y.v[index] = s;", "warns": True},
            {"body": "float s = 0.0; y.v[index] = 1.0; while (x.v[uint(s)] > 0.0) s += x.v[uint(s)]; "
                     "if (s > 2.0) y.v[index + 16] = s; else put(index);", "warns": True},
            {"body": "if (index >= 1000) return; float s = 1.0; for (int k = 0; k < 9; k++) { if (x.v[k] == s) continue; "
                     "s += x.v[k] * s; } put(index);", "warns": True},
            {"body": one, "access": "rw"},
            {"body": one, "qualifier": ""},
            {"body": one, "grid": "[n]"},
            {"body": one, "grid": 63},
            {"body": one, "qualifier": "", "access": "w", "warns": True},
            {"body": one, "warns": True},
        ]
        cases = [{"type": "float", "y": y, **case} for case in cases]
        for case, said in zip(cases, self.compile(cases)):
            self.assertEqual(len(said), int(case.get("warns", False)), f"{case} {said}")

    def test_dense_data(self):
        """Reading vec3: warned of where the buffer's shape says that nothing lies between elements."""
        dense = "element i is at byte 16 * i, not 12 * i"
        body = "y.v[index] = x.v[index];"
        cases = []
        for type_, dtype in (("vec3", "f32"), ("uvec3", "u32"), ("ivec3", "i32")):
            for shape, warns in (("[16, 3]", True), ("[16, 4]", False), ("[48]", True), ("[64]", False),
                                 ("[2, 8, 3]", True), ("[8, 8]", False), ("[50]", True)):
                cases.append({"type": type_, "x": f"dtype: {dtype}, shape: {shape}", "warns": warns})
            cases.append({"type": type_, "x": "size: 768", "warns": False})
            cases.append({"type": type_, "x": "dtype: f16, shape: [64, 6]", "warns": False})
        cases = [{"body": body, "y": "size: 256", "access": "rw", **case} for case in cases]
        for case, said in zip(cases, self.compile(cases)):
            self.assertEqual(len(said), int(case["warns"]), f"{case} {said}")
            if case["warns"]:
                self.assertIn(dense, said[0])
                self.assertNotIn("promises", said[0])
        said = self.compile([{"type": "vec3", "body": body, "y": "dtype: f32, shape: [16, 3]", "x": "size: 256"}])
        self.assertIn(dense, said[0][0])
        self.assertIn("which w promises", said[0][0])


if __name__ == "__main__":
    main()
