"""Kernels as they are: what a shader declares and does not do, and what it does all the same."""
import os
import pty
import subprocess
import unittest

import numpy

import cli
from cli import INPUT, OK, REPRISE

PIPELINE = """reprise: 1
name: shaders
buffers:
  x: {kind: in, dtype: f32, shape: [64]}
  y: {kind: inout, dtype: f32, shape: [64]}
  z: {kind: out, dtype: f32, shape: [64]}
kernels:
  k: {glsl: k.comp}
  l: {glsl: l.comp}
nodes:
  - {run: k, bind: {X: x, Y: y%s}, threads: [64]}
  - {run: l, bind: {X: x, Z: z}, threads: [64]}
"""
HEAD = """#version 450
layout(local_size_x = 64) in;
layout(binding = 0) readonly buffer X { float x[]; };
"""


class Shaders(cli.Case):
    def setUp(self):
        super().setUp()
        self.x = numpy.linspace(-2, 2, 64, dtype=numpy.float32)
        self.y = numpy.linspace(1, 5, 64, dtype=numpy.float32)
        numpy.save(self.folder / "x.npy", self.x)
        numpy.save(self.folder / "y.npy", self.y)
        self.write("l.comp", HEAD + """layout(binding = 1) writeonly buffer Z { float z[]; };
void main() { z[gl_GlobalInvocationID.x] = x[gl_GlobalInvocationID.x] + 1; }""")

    def run_both(self):
        """Runs, and returns y; the plan of -O1 and the oracle agree."""
        self.expect(OK, "run", "p.yaml", "-i", "x=x.npy", "-i", "y=y.npy", "-o", "y=out.npy",
                    "--check-against", "-O0")
        return numpy.load(self.folder / "out.npy")

    def test_writeonly_that_is_read(self):
        self.write("p.yaml", PIPELINE % "")
        self.write("k.comp", HEAD + """layout(binding = 1) writeonly buffer Y { float y[]; };
void main() { y[gl_GlobalInvocationID.x] *= x[gl_GlobalInvocationID.x]; }""")
        y = self.run_both()
        self.assertEqual(self.err.count("warning"), 1, self.err)
        self.assertIn("p.yaml:8:13: warning: kernel 'k': block 'Y' (set 0, binding 1) is declared writeonly "
                      "(NonReadable), but the code reads it: taken as rw", self.err)
        self.assertEqual(y.tobytes(), (self.y * self.x).tobytes())
        self.expect(OK, "compile", "p.yaml", "-o", "p.rplan")
        self.assertRegex(self.expect(OK, "show", "p.rplan"), r"run @k .*rw \$y")

    def test_atomic_on_writeonly(self):
        self.write("p.yaml", PIPELINE % "")
        self.write("k.comp", HEAD + """layout(binding = 1) writeonly buffer Y { uint y[]; };
void main() { atomicAdd(y[gl_GlobalInvocationID.x], x[0] < 100 ? 1 : 2); }""")
        y = self.run_both()
        self.assertEqual(self.err.count("warning"), 1, self.err)
        self.assertEqual(y.tobytes(), (self.y.view(numpy.uint32) + 1).tobytes())

    def test_binding_without_use(self):
        body = HEAD + """layout(binding = 1) buffer Y { float y[]; };
layout(binding = 2) buffer Never { float never[1000]; };
layout(push_constant) uniform P { uint n; };
void main() { if (never.length() == 3) never[0] = n; y[gl_GlobalInvocationID.x] += x[gl_GlobalInvocationID.x]; }"""
        self.write("k.comp", body)
        texts = []
        for more in ("", ", Never: z", ", Never: {buffer: x, offset: 4, size: 8, access: w}", ", Never: y"):
            self.write("p.yaml", PIPELINE % more)
            y = self.run_both()
            self.assertNotIn("warning", self.err)
            self.assertEqual(y.tobytes(), (self.y + self.x).tobytes())
            self.expect(OK, "compile", "p.yaml", "-o", "p.rplan")
            texts.append(self.expect(OK, "show", "p.rplan"))
        self.assertEqual(len(set(texts)), 1)  # it changes nothing
        self.write("p.yaml", PIPELINE % ", Never: nobody")
        self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan", error="nobody")
        self.write("p.yaml", PIPELINE % ", Nowhere: z")
        self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan", error="has no binding 'Nowhere'")

    def test_refused_before_it_is_optimised(self):
        """The optimiser would take minutes for this one."""
        lines = "\n".join(f"v = v * mat4({i}) * inverse(v);" for i in range(300))
        self.write("p.yaml", PIPELINE % "")
        self.write("k.comp", HEAD + f"""layout(set = 4, binding = 1) buffer Y {{ mat4 y[]; }};
void main() {{ mat4 v = mat4(x[0]);\n{lines}\ny[0] = v; }}""")
        self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan", error="is in set 4")

    def test_progress(self):
        lines = "\n".join(f"v = v * sin(v + {i}) + cos(v * {i}.5);" for i in range(2500))
        self.write("p.yaml", PIPELINE % "")
        self.write("k.comp", HEAD + f"""layout(binding = 1) buffer Y {{ float y[]; }};
void main() {{ float v = x[0];\n{lines}\ny[gl_GlobalInvocationID.x] = v; }}""")
        master, terminal = pty.openpty()
        environment = {**os.environ, "TERM": "xterm"}
        program = subprocess.Popen([REPRISE, "compile", "p.yaml", "-o", "p.rplan"], cwd=self.folder,
                                   stderr=terminal, stdout=subprocess.DEVNULL, env=environment)
        os.close(terminal)
        said = b""
        try:
            while part := os.read(master, 4096):
                said += part
        except OSError:  # the other end is closed
            pass
        os.close(master)
        self.assertEqual(program.wait(120), OK)
        self.assertRegex(said.decode(), "[01] of 2 kernels compiled")


if __name__ == "__main__":
    cli.main()
