"""NumPy files: what is read, what is refused and with which advice, what is written."""
import os
import struct
import subprocess
import threading
import unittest

import numpy as np

import cli
from cli import ENVIRONMENT, INPUT, OK, USAGE

COPY = """
reprise: 1
name: copy
buffers:
  x: {{kind: in, {type}}}
  y: {{kind: out, {type}}}
nodes:
  - copy: {{from: x, to: y}}
"""


def header(text, version=(1, 0), magic=b"\x93NUMPY", length=None):
    text = text if isinstance(text, bytes) else text.encode()
    size = len(text) if length is None else length
    return magic + bytes(version) + struct.pack("<H" if version[0] == 1 else "<I", size) + text


class Arrays(cli.Case):
    def setUp(self):
        super().setUp()
        self.pipeline("dtype: f32, shape: [3, 4]")
        self.array = np.arange(12, dtype="<f4").reshape(3, 4)

    def pipeline(self, type):
        self.write("copy.yaml", COPY.format(type=type))

    def run_copy(self, status, data, error=None):
        if isinstance(data, np.ndarray):
            np.save(self.folder / "x.npy", data)
        else:
            self.write("x.npy", data)
        self.expect(status, "run", "copy.yaml", "-i", "x=x.npy", "-o", "y=y.npy", error=error)
        if status == OK:
            return np.load(self.folder / "y.npy")
        self.assertNotIn("y.npy", self.files())
        return None

    def test_every_dtype_there_and_back(self):
        rng = np.random.default_rng(7)
        for dtype, numpy_type in (("f32", "<f4"), ("f16", "<f2"), ("i32", "<i4"), ("u32", "<u4"),
                                  ("i8", "i1"), ("u8", "u1"), ("i16", "<i2"), ("u16", "<u2"), ("f64", "<f8"),
                                  ("i64", "<i8"), ("u64", "<u8"), ("bool", "?")):
            for shape in ((8,), (3, 4), (2, 2, 2, 3)):
                if np.prod(shape) * np.dtype(numpy_type).itemsize % 4:
                    continue
                self.pipeline(f"dtype: {dtype}, shape: {list(shape)}")
                data = rng.integers(0, 256, np.prod(shape) * np.dtype(numpy_type).itemsize, "u1")
                data = (data % 2 if dtype == "bool" else data).view(numpy_type).reshape(shape)
                out = self.run_copy(OK, data)
                self.assertEqual((out.dtype, out.shape), (data.dtype, data.shape))
                self.assertEqual(out.tobytes(), data.tobytes())

    def test_summary_of_64_bits(self):
        """All digits are told, also where doubles have one number for several."""
        for dtype, numbers in (("i64", [2**53 + 1, -2**63, 2**63 - 1, -2**63 + 1]), ("u64", [2**64 - 1, 2**53 + 1, 2**53, 2**64 - 2])):
            self.pipeline(f"dtype: {dtype}, shape: [4]")
            np.save(self.folder / "x.npy", np.array(numbers, dtype.replace("i", "int").replace("u64", "uint64")))
            self.expect(OK, "run", "copy.yaml", "-i", "x=x.npy",
                        output=[f"min {min(numbers)} max {max(numbers)} mean", "first " + " ".join(map(str, numbers))])

    def test_bf16_by_way_of_f32(self):
        """NumPy has no bf16: rounded to nearest even on the way in, f32 on the way out."""
        bits = np.concatenate([np.random.default_rng(8).integers(0, 1 << 32, 500, "u4"),
                               np.array([0, 1, 0x8000, 0x18000, 0x7f7f8000, 0x7f7f7fff, 0xff800000,
                                         0x7fc00000, 0x7f800001, 0x3f808000, 0x3f818000, 0x3f818001], "u4")])
        near = ((bits.astype("u8") + 0x7fff + (bits >> 16 & 1)) & 0xffff0000).astype("u4")
        wanted = np.where(np.isnan(bits.view("f4")), bits, near).view("f4")
        self.pipeline("dtype: bf16, shape: [512]")
        out = self.run_copy(OK, bits.view("f4"))
        self.assertEqual(out.dtype.str, "<f4")
        np.testing.assert_array_equal(out, wanted)
        (self.folder / "y.npy").unlink()
        self.run_copy(INPUT, np.zeros(512, "f2"), error="array.astype('<f4')")

    def test_written_header(self):
        self.run_copy(OK, self.array)
        raw = self.read("y.npy")
        self.assertEqual(raw[:8], b"\x93NUMPY\x01\x00")
        length = struct.unpack("<H", raw[8:10])[0]
        self.assertEqual((10 + length) % 64, 0)
        self.assertEqual(raw[9 + length:10 + length], b"\n")
        self.assertEqual(raw, self.read("x.npy"), "the very bytes that NumPy writes")

    def test_versions_and_spellings(self):
        data = self.array.tobytes()
        plain = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }\n"
        for version in ((1, 0), (2, 0), (3, 0)):
            self.assertEqual(self.run_copy(OK, header(plain, version) + data).tobytes(), data)
        for text in ('{"shape":(3,4),"descr":"<f4","fortran_order":False}',
                     "{ 'shape' : ( 3L , 4L ) , 'fortran_order' : False , 'descr' : '<f4' }   "):
            self.assertEqual(self.run_copy(OK, header(text) + data).tobytes(), data)

    def test_damaged_headers(self):
        data = self.array.tobytes()
        good = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }"
        for wrong in ("", "{", "}", "[]", good[:-1], good + "x", good * 2, good.replace("descr", "desc"),
                      good.replace("False", "0"), good.replace("(3, 4)", "[3, 4]"),
                      good.replace("(3, 4)", "(3 4)"), good.replace("(3, 4)", "(-3, 4)"),
                      good.replace("(3, 4)", "(3.0, 4)"), good.replace("(3, 4)", "3"),
                      good.replace("'<f4'", "'<f4"), good.replace("'<f4'", "<f4"),
                      good.replace("'<f4'", "'" + "f" * 100 + "'"),
                      good.replace("(3, 4)", "(" + "1," * 40 + ")"),
                      good.replace("(3, 4)", "(99999999999999999999999,)"),
                      good.replace("'shape'", "'descr'"), good.replace(", 'shape': (3, 4)", ""),
                      good.replace("'<f4'", "'\\x3cf4'"), "\0" * 60):
            self.run_copy(INPUT, header(wrong) + data, error=["x.npy", "header is damaged"])
        self.run_copy(INPUT, header(good, magic=b"\x93NUMPX") + data, error="not a NumPy .npy file")
        self.run_copy(INPUT, header(good, version=(4, 0)) + data, error="1.0, 2.0 and 3.0")
        self.run_copy(INPUT, header(good, version=(2, 0), length=1 << 30) + data, error="65536")
        self.run_copy(INPUT, header(good, length=60000), error="truncated inside its header")
        self.run_copy(INPUT, b"", error="not a NumPy .npy file")
        self.run_copy(INPUT, b"\x93NUMPY\x02\x00\x01\x00", error="truncated inside its header")

    def test_every_truncation_is_refused(self):
        np.save(self.folder / "whole.npy", self.array)
        whole = self.read("whole.npy")
        for length in list(range(0, 80)) + list(range(120, len(whole), 7)):
            self.run_copy(INPUT, whole[:length], error="x.npy")

    def test_wrong_amount_of_data(self):
        np.save(self.folder / "whole.npy", self.array)
        whole = self.read("whole.npy")
        self.run_copy(INPUT, whole[:-1], error=["truncated", "48 bytes", "47"])
        self.run_copy(INPUT, whole + b"\0", error="something follows the array")
        huge = "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }"
        self.run_copy(INPUT, header(huge) + self.array.tobytes(), error="too large")
        empty = "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 18446744073709551615), }"
        self.run_copy(INPUT, header(empty), error="shape (0, 18446744073709551615)")

    def test_byte_order_and_layout(self):
        self.run_copy(INPUT, self.array.astype(">f4"), error=["big-endian", "array.astype('<f4')"])
        self.run_copy(INPUT, np.asfortranarray(self.array), error="np.ascontiguousarray(array)")

    def test_wrong_types(self):
        for other in ("<f8", "<i4", "<u4", "u1", "?"):
            self.run_copy(INPUT, self.array.astype(other), error=["'x' is f32", "array.astype('<f4')"])
        for other in (np.zeros((3, 4), "U2"), np.zeros((3, 4), "S4"), np.zeros((3, 4), "M8[s]")):
            self.run_copy(INPUT, other, error="plain numbers")
        self.run_copy(INPUT, np.zeros((3, 4), [("a", "<f4")]), error="structured")
        self.run_copy(INPUT, header("{'descr': '|O', 'fortran_order': False, 'shape': (3, 4), }") + bytes(96),
                      error="plain numbers")

    def test_wrong_shapes(self):
        for shape in ((4, 3), (12,), (3, 4, 1), (1, 3, 4)):
            self.run_copy(INPUT, np.zeros(shape, "<f4"), error=["has shape (", "shape (3, 4)"])
        self.run_copy(INPUT, np.array(1, "<f4"), error="has shape ()")

    def test_raw_buffers_take_any_type_of_the_right_size(self):
        self.pipeline("size: 48")
        out = self.run_copy(OK, self.array)
        self.assertEqual((out.dtype, out.shape), (np.uint8, (48,)))
        self.assertEqual(out.tobytes(), self.array.tobytes())
        self.run_copy(OK, np.zeros((6,), "<f8"))
        os.remove(self.folder / "y.npy")
        self.run_copy(INPUT, np.zeros((7,), "<f8"), error=["56 bytes", "48"])

    def test_files_that_are_none(self):
        self.expect(INPUT, "run", "copy.yaml", "-i", "x=absent.npy", error="absent.npy: error: cannot be read")
        self.expect(INPUT, "run", "copy.yaml", "-i", "x=.", error="is a folder")

    def test_pipe(self):
        np.save(self.folder / "x.npy", self.array)
        os.mkfifo(self.folder / "fifo")
        def feed():
            (self.folder / "fifo").write_bytes(self.read("x.npy"))
        thread = threading.Thread(target=feed)
        thread.start()
        self.expect(OK, "run", "copy.yaml", "-i", "x=fifo", "-o", "y=y.npy")
        thread.join()
        np.testing.assert_array_equal(np.load(self.folder / "y.npy"), self.array)

    def test_outputs_all_or_none(self):
        np.save(self.folder / "x.npy", self.array)
        run = ["run", "copy.yaml", "-i", "x=x.npy"]
        before = self.files()
        self.expect(ENVIRONMENT, *run, "-o", "y=y.npy", "-o", "y=no/such/folder.npy", error="no/such")
        self.assertEqual(self.files(), before)
        self.expect(ENVIRONMENT, *run, "-o", "y=/dev/full", error="No space left")
        self.expect(USAGE, *run, "-o", "y=y.npy", "-o", "y=y.npy", error="twice")
        self.expect(USAGE, *run, "-o", "z=z.npy", error="no buffer 'z'")
        self.assertEqual(self.files(), before)


if __name__ == "__main__":
    cli.main()
