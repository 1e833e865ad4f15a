"""Arrays from .safetensors files: by the pipeline, by -i, by --weights, and what does not fit."""
import json
import struct
import unittest

import numpy as np

import cli
from cli import INPUT, OK, USAGE

NAMES = {"<f4": "F32", "<f2": "F16", "|i1": "I8", "|u1": "U8", "<i4": "I32", "<u4": "U32",
         "<i8": "I64", "<u2": "BF16"}


def safetensors(tensors):
    header, data = {"__metadata__": {"format": "np"}}, b""
    for name, array in tensors.items():
        header[name] = {"dtype": NAMES[array.dtype.str], "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


COPY = """reprise: 1
name: copy
buffers:
  w: {{kind: weight, dtype: {dtype}, shape: {shape}{data}}}
  y: {{kind: out, dtype: {dtype}, shape: {shape}}}
nodes:
  - copy: {{from: w, to: y}}
"""


class Weights(cli.Case):
    def setUp(self):
        super().setUp()
        self.tensors = {"w": np.arange(6, dtype="f4").reshape(2, 3), "h": np.array([1.5, -0.0, np.inf, 6e-8, 65504, -1 / 3], "f2"),
                        "b": np.array([0x3f80, 0xc000, 0x7f80, 0x0001], "u2"),
                        "q": np.arange(68, dtype="u1"), "wide": np.arange(6, dtype="i8")}
        self.write("m.safetensors", safetensors(self.tensors))

    def pipeline(self, dtype="f32", shape="[2, 3]", data=""):
        self.write("p.yaml", COPY.format(dtype=dtype, shape=shape, data=f", data: {data}" if data else ""))

    def copied(self, *options, source="p.yaml"):
        self.expect(OK, "run", source, "-o", "y=y.npy", *options)
        return np.load(self.folder / "y.npy")

    def test_named_by_the_pipeline(self):
        for data in ("{file: m.safetensors, tensor: w}", "m.safetensors", "{file: m.safetensors}"):
            self.pipeline(data=data)
            np.testing.assert_array_equal(self.copied(), self.tensors["w"])
        self.pipeline("f16", "[6]", "{file: m.safetensors, tensor: h}")
        np.testing.assert_array_equal(self.copied(), self.tensors["h"])

    def test_named_by_options(self):
        self.pipeline()
        for options in (["-i", "w=m.safetensors"], ["-i", "w=m.safetensors:w"],
                        ["--weights", "m.safetensors"]):
            np.testing.assert_array_equal(self.copied(*options), self.tensors["w"])
        self.write("n.safetensors", safetensors({"w": self.tensors["w"] + 1}))
        both = ["--weights", "n.safetensors", "--weights", "m.safetensors"]
        np.testing.assert_array_equal(self.copied(*both), self.tensors["w"] + 1)
        np.testing.assert_array_equal(self.copied(*both, "-i", "w=m.safetensors"), self.tensors["w"])

    def test_plans_take_them_too(self):
        self.pipeline(data="m.safetensors")
        self.expect(OK, "compile", "p.yaml", "-o", "p.rplan")
        self.expect(INPUT, "run", "p.rplan", error="has no data")
        np.testing.assert_array_equal(self.copied("--weights", "m.safetensors", source="p.rplan"),
                                      self.tensors["w"])

    def test_conversions(self):
        self.pipeline("f32", "[4]", "{file: m.safetensors, tensor: b}")
        np.testing.assert_array_equal(self.copied(), np.array([1, -2, np.inf, 2.0**-133], "f4"))
        self.pipeline("bf16", "[4]", "{file: m.safetensors, tensor: b}")
        np.testing.assert_array_equal(self.copied(), np.array([1, -2, np.inf, 2.0**-133], "f4"))
        for source in ("{file: m.safetensors, tensor: h}", "h.npy"):
            np.save(self.folder / "h.npy", self.tensors["h"])
            self.pipeline("f32", "[6]", source)
            np.testing.assert_array_equal(self.copied(), self.tensors["h"])
        self.pipeline("q8_0", "[2, 32]", "{file: m.safetensors, tensor: q}")
        np.testing.assert_array_equal(self.copied(), self.tensors["q"])
        np.save(self.folder / "q.npy", self.tensors["q"][::-1].copy())
        np.testing.assert_array_equal(self.copied("-i", "w=q.npy"), self.tensors["q"][::-1])

    def test_what_does_not_fit(self):
        for tensor, dtype, shape, error in (
                ("x", "f32", "[2, 3]", "has no tensor 'x'"),
                ("wid", "f32", "[2, 3]", "did you mean 'wide'?"),
                ("w", "f16", "[2, 3]", "tensor 'w' is F32; buffer 'w' is f16"),
                ("w", "f32", "[3, 2]", "has shape (2, 3); buffer 'w' has shape (3, 2)"),
                ("w", "f32", "[6]", "has shape (2, 3)"),
                ("b", "f16", "[4]", "BF16 fits buffers of bf16 and f32"),
                ("h", "bf16", "[6]", "F16 fits buffers of f16 and f32"),
                ("w", "bf16", "[2, 3]", "tensor 'w' is F32; buffer 'w' is bf16"),
                ("wide", "i32", "[6]", "is I64"),
                ("q", "q8_0", "[1, 32]", "68 bytes of U8; buffer 'w' needs 34 of U8"),
                ("w", "q4_0", "[1, 32]", "24 bytes of F32")):
            self.pipeline(dtype, shape, f"{{file: m.safetensors, tensor: {tensor}}}")
            self.expect(INPUT, "run", "p.yaml", error=[error, "p.yaml:4:"])
        self.pipeline()
        self.expect(INPUT, "run", "p.yaml", "--weights", "none.safetensors", error="cannot be read")
        self.write("bad.safetensors", b"no such thing")
        self.pipeline(data="m.safetensors")  # needs none of them
        for name in ("none.safetensors", "/", "bad.safetensors"):
            self.expect(INPUT, "run", "p.yaml", "--weights", name, error=f"{name}: error: ")
            self.assertEqual(self.err.count("error:"), 1, self.err)
        self.pipeline(shape="[7]")
        self.expect(INPUT, "run", "p.yaml", "--weights", "m.safetensors", error="has shape (2, 3)")
        self.write("p.yaml", COPY.replace("w:", "other:").replace("from: w", "from: other")
                   .format(dtype="f32", shape="[6]", data=""))
        self.expect(INPUT, "run", "p.yaml", "--weights", "m.safetensors",
                    error="no file of --weights has it")
        self.expect(USAGE, "run", "p.yaml", "--weights", error="needs a value")

    def test_a_file_is_complained_of_once(self):
        """However many buffers take their data from it, and however they say so."""
        names = "abc"
        def write(name, data):
            lines = ["reprise: 1", "name: many", "buffers:"]
            for n in names:
                own = f", data: {data.format(n)}" if data else ""
                lines.append(f"  {n}: {{kind: weight, dtype: f32, shape: [6]{own}}}")
            lines += ["  y: {kind: out, dtype: f32, shape: [6]}", "nodes:"]
            lines += [f"  - copy: {{from: {n}, to: y}}" for n in names]
            self.write(name, "\n".join(lines) + "\n")
        write("plain.yaml", "")
        self.write("bad.safetensors", b"no such thing")
        self.write("bad.npy", b"no such thing")
        for file in ("none.safetensors", "/", "bad.safetensors", "none.npy", "bad.npy"):
            runs = [["plain.yaml", *[w for n in names for w in ("-i", f"{n}={file}")]]]
            write("file.yaml", file)
            runs.append(["file.yaml"])
            if not file.endswith(".npy"):
                write("tensor.yaml", f"{{{{file: {file}, tensor: t{{0}}}}}}")
                runs += [["tensor.yaml"], ["plain.yaml", "--weights", file, "--weights", file]]
            for command in ("run", "profile"):
                for words in runs:
                    self.expect(INPUT, command, *words, error=f"{file}: error: ")
                    self.assertEqual(self.err.count("error:"), 1, self.err)
                    self.assertLessEqual(self.err.count("\n"), 2, self.err)

    def test_damaged_files(self):
        good = safetensors(self.tensors)
        self.pipeline(data="bad.safetensors")
        for bad in (b"", good[:7], good[:20], good[:-1], good + b"x", b"\xff" * 100,
                    good.replace(b'"F32"', b'"F99"'), b"\x93NUMPY" + good):
            self.write("bad.safetensors", bad)
            self.expect(INPUT, "run", "p.yaml", error="bad.safetensors: error:")


if __name__ == "__main__":
    cli.main()
