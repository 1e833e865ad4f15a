"""PNG files as images and as arrays: what is read, what is written, and what is refused."""
import sys

import numpy as np

import cli
from cli import INPUT, OK

sys.path.insert(0, str(cli.SOURCE / "examples"))
from png_file import load_png, save_png

ARRAYS = {"u8": "u1", "u16": "u2", "f32": "f4", "f16": "f2", "bf16": "f4"}


class Pictures(cli.Case):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(11)

    def pixels(self, dtype, *shape):
        return self.random.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)

    def copies(self, buffers):
        """A pipeline that hands each buffer on: x0 to y0, and so on."""
        lines = ["reprise: 1", "buffers:"]
        for i, what in enumerate(buffers):
            lines += [f"  x{i}: {{kind: in, {what}}}", f"  y{i}: {{kind: out, {what}}}"]
        lines += ["nodes:"] + [f"  - copy: {{from: x{i}, to: y{i}}}" for i in range(len(buffers))]
        self.write("p.yaml", "\n".join(lines) + "\n")

    def run_copies(self, inputs, suffix):
        arguments = []
        for i, name in enumerate(inputs):
            arguments += ["-i", f"x{i}={name}", "-o", f"y{i}=y{i}.{suffix}"]
        self.expect(OK, "run", "p.yaml", *arguments)

    def test_arrays_come_back(self):
        """Every dtype and number of channels, out of a file and into one: no number changes that the dtype can hold."""
        cases = [(dtype, channels) for dtype in ARRAYS for channels in (None, 1, 2, 3, 4)]
        self.copies([f"dtype: {dtype}, shape: [5, 7{f', {channels}' if channels else ''}]" for dtype, channels in cases])
        files = []
        for i, (dtype, channels) in enumerate(cases):
            rest = (channels,) if channels and channels > 1 else ()
            pixels = self.pixels("u1" if dtype == "u8" else "u2", 5, 7, *rest)
            save_png(self.folder / f"x{i}.png", pixels)
            files.append((f"x{i}.png", pixels.reshape(5, 7, *((channels,) if channels else ()))))
        self.run_copies([name for name, _ in files], "npy")
        for i, ((dtype, _), (_, pixels)) in enumerate(zip(cases, files)):
            got = np.load(self.folder / f"y{i}.npy")
            self.assertEqual((got.dtype.str[1:], got.shape), (ARRAYS[dtype], pixels.shape))
            if dtype in ("u8", "u16"):
                np.testing.assert_array_equal(got, pixels)
            else:
                bits = {"f32": 24, "f16": 11, "bf16": 8}[dtype]
                np.testing.assert_allclose(got, pixels / 65535, rtol=2.0 ** -bits, atol=2.0 ** -25)
        self.run_copies([name for name, _ in files], "png")
        for i, ((dtype, _), (_, pixels)) in enumerate(zip(cases, files)):
            if dtype in ("u8", "u16", "f32"):
                np.testing.assert_array_equal(load_png(self.folder / f"y{i}.png"), pixels.squeeze())

    def test_files_of_less(self):
        """Fewer bits and fewer channels are extended; more bits are scaled."""
        grey = self.pixels("u1", 4, 6)
        save_png(self.folder / "grey.png", grey)
        colours = self.pixels("u2", 4, 6, 3)
        save_png(self.folder / "colours.png", colours)
        self.copies([f"dtype: {dtype}, shape: [4, 6, {n}]" for dtype, n in (("u8", 3), ("u8", 4), ("u16", 2), ("f32", 1))] +
                    ["dtype: u8, shape: [4, 6, 4]", "dtype: f32, shape: [4, 6, 3]"])
        self.run_copies(["grey.png"] * 4 + ["colours.png"] * 2, "npy")
        got = [np.load(self.folder / f"y{i}.npy") for i in range(6)]
        np.testing.assert_array_equal(got[0], np.stack([grey] * 3, -1))
        np.testing.assert_array_equal(got[1], np.stack([grey] * 3 + [0 * grey + 255], -1))
        np.testing.assert_array_equal(got[2], np.stack([grey * np.uint16(257), 0 * grey.astype("u2") + 65535], -1))
        np.testing.assert_allclose(got[3][..., 0], grey / 255, rtol=1e-6)
        np.testing.assert_array_equal(got[4][..., :3], np.round(colours / 257).astype("u1"))
        np.testing.assert_array_equal(got[4][..., 3], 255)
        np.testing.assert_allclose(got[5], colours / 65535, rtol=1e-6)

    def test_floats_are_clamped(self):
        self.copies(["dtype: f32, shape: [1, 5]"])
        np.save(self.folder / "x.npy", np.array([[-1, 0.5, 7, np.nan, np.inf]], "f4"))
        self.run_copies(["x.npy"], "png")
        self.assertEqual(load_png(self.folder / "y0.png").tolist(), [[0, 32768, 65535, 0, 65535]])

    def test_live_height(self):
        self.write("p.yaml", """reprise: 1
live: {height: {default: 3, max: 9}}
buffers:
  x: {kind: in, dtype: f32, shape: [height, 4]}
  y: {kind: out, dtype: f32, shape: [height, 4]}
nodes:
  - {map: "1 - x", out: y}
""")
        pixels = self.pixels("u2", 7, 4)
        save_png(self.folder / "x.png", pixels)
        self.expect(OK, "run", "p.yaml", "--set", "height=7", "-i", "x=x.png", "-o", "y=y.png")
        np.testing.assert_array_equal(load_png(self.folder / "y.png"), 65535 - pixels)
        self.expect(INPUT, "run", "p.yaml", "-i", "x=x.png", error="x.png: error: is 4 wide and 7 high; 'x' is 4 wide and 3 high")
        self.expect(INPUT, "run", "p.yaml", "--set", "height=0", "-i", "x=x.png", error="a height or a width that PNG does not have")

    def test_what_is_refused(self):
        save_png(self.folder / "colours.png", self.pixels("u1", 4, 6, 3))
        save_png(self.folder / "alpha.png", self.pixels("u1", 4, 6, 4))
        save_png(self.folder / "both.png", self.pixels("u1", 4, 6, 2))
        self.write("broken.png", (self.folder / "alpha.png").read_bytes()[:60])
        for what, file, error in (("dtype: u8, shape: [4, 6]", "colours.png", "has colours, and 'x0' 1 channel: save it as grey"),
                                  ("dtype: u8, shape: [4, 6]", "alpha.png", "save it as grey without alpha"),
                                  ("dtype: f32, shape: [4, 6, 2]", "alpha.png", "has colours, and 'x0' 2 channels: save it as grey"),
                                  ("dtype: f32, shape: [4, 6, 3]", "alpha.png", "an alpha channel, and 'x0' 3 channels: save it without alpha"),
                                  ("dtype: u8, shape: [4, 6, 1]", "both.png", "an alpha channel, and 'x0' 1 channel: save it without alpha"),
                                  ("image: r8, extent: [6, 4]", "colours.png", "save it as grey"),
                                  ("dtype: u8, shape: [4, 6, 4]", "broken.png", "is no PNG that can be read"),
                                  ("dtype: u8, shape: [4, 6, 4]", "none.png", "cannot be opened"),
                                  ("dtype: u8, shape: [3, 6, 4]", "alpha.png", "is 6 wide and 4 high; 'x0' is 6 wide and 3 high"),
                                  ("dtype: i32, shape: [4, 6]", "both.png", "is of a dtype that PNG does not have: expected u8"),
                                  ("dtype: f32, shape: [24]", "both.png", "is no picture: expected [height, width]"),
                                  ("dtype: f32, shape: [4, 6, 5]", "both.png", "1 to 4 channels"),
                                  ("dtype: f32, shape: [1, 4, 6, 1]", "both.png", "1 to 4 channels"),
                                  ("size: 24", "both.png", "expected u8, u16"),
                                  ("image: rgba8, extent: [6, 4], mips: 2", "both.png", "has mips")):
            self.copies([what])
            self.expect(INPUT, "run", "p.yaml", "-i", f"x0={file}", "-o", "y0=y.npy", error=[f"{file}: error:", error])
            self.assertNotIn("y.npy", self.files())
        self.copies(["dtype: i32, shape: [4, 6]"])
        np.save(self.folder / "x.npy", np.zeros((4, 6), "i4"))
        self.expect(INPUT, "run", "p.yaml", "-i", "x0=x.npy", "-o", "y0=y.png", error="buffer 'y0' is of a dtype that PNG does not have")
        self.assertNotIn("y.png", self.files())


if __name__ == "__main__":
    cli.main()
