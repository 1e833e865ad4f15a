"""SPIR-V that others compiled: from HLSL, by Slang, of a newer version."""
import re
import shutil
import struct
import subprocess
import unittest

import numpy

import cli
from cli import ENVIRONMENT, INPUT, OK

GLSLANG = shutil.which("glslangValidator")

HLSL = """
struct Item { float3 at; uint kind; };
cbuffer Settings : register(b0) { float4x4 view; row_major float2x3 turn; float scale; uint count; float3 tint; bool on; };
float bias;      // these two are in $Global
int2 more[2];
StructuredBuffer<Item> items : register(t1);
RWStructuredBuffer<float4> result : register(u2);
ByteAddressBuffer raw : register(t3);
RWByteAddressBuffer sums : register(u4);
AppendStructuredBuffer<uint> found : register(u5);
groupshared float part[64];

float helper(uint i) { return items[i].at.x * scale + bias; }

[numthreads(64, 1, 1)]
void CSMain(uint3 id : SV_DispatchThreadID, uint local : SV_GroupIndex)
{
    part[local] = helper(id.x);
    GroupMemoryBarrierWithGroupSync();
    if (id.x >= count) return;
    float3 v = mul((float3x3)view, items[id.x].at);
    result[id.x] = float4(v + tint, part[63 - local] + turn[1][2] + more[1].y + (on ? 1 : 0));
    uint old;
    sums.InterlockedAdd(4, raw.Load(4 * id.x), old);
    if (items[id.x].kind == 3) found.Append(id.x);
}

[numthreads(8, 8, 1)]
void Clear(uint3 id : SV_DispatchThreadID) { result[8 * id.y + id.x] = scale; }
"""

PIPELINE = """reprise: 1
live: {bias: {dtype: f32, default: 0.5}}
buffers:
  items: {kind: in, size: 1024, data: items.npy}
  result: {kind: inout, dtype: f32, shape: [64, 4], data: result.npy}
  raw: {kind: in, dtype: u32, shape: [64], data: raw.npy}
  sums: {kind: inout, dtype: u32, shape: [2]}
  found: {kind: inout, dtype: u32, shape: [64]}
  n: {kind: inout, dtype: u32, shape: [1]}
kernels:
  main: {spirv: main.spv, entry: CSMain}
  clear: {spirv: clear.spv, entry: Clear}
nodes:
  - run: clear
    bind: {result: result, Settings: &settings {view: [[1, 2, 3, 0], [4, 5, 6, 0], [7, 8, 9, 0], [0, 0, 0, 1]],
                                                turn: [[1, 2, 3], [4, 5, 6]], scale: 2, count: 40, tint: [10, 20, 30], on: true}}
    grid: 1
  - run: main
    bind: {items: items, result: {buffer: result, access: rw}, raw: raw, sums: sums, found: found, found@count: n,
           Settings: *settings, $Global: {bias: bias, more: [[1, 2], [3, 4]]}}
    threads: 64
"""

GLSL = """#version 450
layout(local_size_x = 64) in;
layout(binding = 0) buffer Y { float y[]; };
void main() { y[gl_GlobalInvocationID.x] += 1.5; }
"""

ONE = """reprise: 1
buffers: {y: {kind: inout, dtype: f32, shape: [64]}}
kernels: {k: {spirv: k.spv}}
nodes:
  - {run: k, bind: {Y: y}, threads: 64}
"""


@unittest.skipUnless(GLSLANG, "needs glslangValidator")
class Modules(cli.Case):
    def compile(self, name, *options):
        subprocess.run([GLSLANG, "-S", "comp", "-V", *options, name], cwd=self.folder, check=True, capture_output=True)

    def test_hlsl(self):
        """Constant buffers, loose uniforms, buffers of every kind, counters, entry points."""
        self.write("k.hlsl", HLSL)
        for entry, name in (("CSMain", "main.spv"), ("Clear", "clear.spv")):
            self.compile("k.hlsl", "-D", "-e", entry, "--target-env", "vulkan1.1", "--auto-map-bindings", "-o", name)
        random = numpy.random.default_rng(5)
        at = random.integers(-8, 8, (64, 3)).astype(numpy.float32)
        kind = random.integers(0, 5, 64).astype(numpy.uint32)
        raw = random.integers(0, 1000, 64).astype(numpy.uint32)
        start = numpy.full((64, 4), -1, numpy.float32)
        numpy.save(self.folder / "items.npy", numpy.concatenate([at.view(numpy.uint32), kind[:, None]], axis=1))
        numpy.save(self.folder / "raw.npy", raw)
        numpy.save(self.folder / "result.npy", start)
        self.write("p.yaml", PIPELINE)
        self.expect(OK, "run", "p.yaml", "--set", "bias=-3", "-o", "result=r.npy", "-o", "sums=s.npy", "-o", "found=f.npy",
                    "-o", "n=n.npy", "--check-against", "-O0")
        result = numpy.load(self.folder / "r.npy")
        wanted = numpy.full((64, 4), 2, numpy.float32)
        view = numpy.arange(1, 10, dtype=numpy.float32).reshape(3, 3)
        wanted[:40, :3] = at[:40] @ view.T + [10, 20, 30]
        wanted[:40, 3] = (at[:, 0] * 2 - 3)[63 - numpy.arange(40)] + 6 + 4 + 1
        self.assertTrue(numpy.array_equal(result, wanted), f"{result}\n{wanted}")
        self.assertEqual(numpy.load(self.folder / "s.npy").tolist(), [0, int(raw[:40].sum())])
        chosen = numpy.flatnonzero(kind[:40] == 3)
        self.assertEqual(numpy.load(self.folder / "n.npy").tolist(), [len(chosen)])
        self.assertEqual(sorted(numpy.load(self.folder / "f.npy")[:len(chosen)].tolist()), chosen.tolist())

    def test_hlsl_without_bindings(self):
        self.write("k.hlsl", HLSL)
        self.compile("k.hlsl", "-D", "-e", "CSMain", "--target-env", "vulkan1.1", "-o", "main.spv")
        self.write("p.yaml", PIPELINE.replace("clear.spv, entry: Clear", "main.spv, entry: CSMain"))
        self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan",
                    error="share set 0, binding 0, but one is a uniform and the other a storage buffer: give each a binding of "
                          "its own (for HLSL, glslangValidator does with --auto-map-bindings")

    def test_versions(self):
        """1.0 to 1.6 run; a target without 1.6 says how to compile, and so does what is newer than all."""
        self.write("k.comp", GLSL)
        self.write("p.yaml", ONE)
        missing = re.search(r"needs +all but ([\d, ]+)", self.expect(OK, "devices"))
        has_16 = not missing or "62" not in missing.group(1).split(", ")
        for version in ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6"):
            if version == "1.6" and not has_16:
                continue
            self.compile("k.comp", "--target-env", f"spirv{version}", "-o", "k.spv")
            self.assertEqual(struct.unpack("<5I", self.read("k.spv")[:20])[1], int(version[2]) << 8 | 0x10000)
            self.expect(OK, "run", "p.yaml", "-o", "y=y.npy")
            self.assertEqual(set(numpy.load(self.folder / "y.npy").tolist()), {1.5})
        limits = self.expect(OK, "devices", "--limits")
        needs = int(re.search(r"^needs: (\w+)", limits, re.M).group(1), 0) & ~(1 << 62) | 1
        self.write("old.target", re.sub(r"^needs: \w+", f"needs: {needs}", limits, flags=re.M))
        self.compile("k.comp", "--target-env", "spirv1.6", "-o", "k.spv")
        self.expect(ENVIRONMENT, "compile", "p.yaml", "--target", "old.target", "-o", "p.rplan",
                    error="SPIR-V 1.6 (of Vulkan 1.3: --target-env vulkan1.2 compiles to SPIR-V 1.5), which the device does not have")
        words = bytearray(self.read("k.spv"))
        words[5] = 7
        self.write("k.spv", bytes(words))
        self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan",
                    error="this is SPIR-V 1.7, 1.6 is the newest that is taken: compile with --target-env vulkan1.3")

    def test_language(self):
        """What a module says of its source language is nobody's business."""
        self.write("k.comp", GLSL)
        self.write("p.yaml", ONE)
        self.compile("k.comp", "--target-env", "vulkan1.2", "-o", "k.spv")
        words = list(struct.unpack(f"<{len(self.read('k.spv')) // 4}I", self.read("k.spv")))
        at = 5
        while words[at] & 0xffff != 3:
            at += words[at] >> 16
        words[at + 1] = 11  # Slang
        self.write("k.spv", struct.pack(f"<{len(words)}I", *words))
        self.expect(OK, "run", "p.yaml", "-o", "y=y.npy")
        words[at] = 100 << 16 | 3  # reaches behind the end
        self.write("k.spv", struct.pack(f"<{at + 4}I", *words[:at + 4]))
        self.expect(INPUT, "compile", "p.yaml", "-o", "p.rplan", error="not valid SPIR-V")


if __name__ == "__main__":
    cli.main()
