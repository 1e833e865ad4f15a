"""What the workloads share. Each NAME.py makes data for NAME.yaml, runs it, and compares what comes out with
NumPy in double precision:

    ./NAME.py [FOLDER] [-D PARAM=VALUE]...

FOLDER (made where it is missing; `data` otherwise) gets the data and the results. Sizes are small ones without -D.
Every command is printed as it can be typed; the program is $REPRISE, or `reprise` of the path."""
import os
import pathlib
import shlex
import subprocess
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from png_file import load_png, save_png # noqa: F401, for the workloads
from safetensors_file import save_safetensors


class Workload:
    """A folder, the sizes, and whether all was as it should be. Sizes are attributes: workload.rows."""
    here = pathlib.Path(__file__).parent

    def __init__(self, **sizes):
        arguments = sys.argv[1:]
        self.folder = pathlib.Path("data")
        self.sizes = sizes
        self.good = True
        self.random = np.random.default_rng(7)
        while arguments:
            first = arguments.pop(0)
            name, _, value = arguments.pop(0).partition("=") if first == "-D" and arguments else ("", "", "")
            if name in sizes and value.isdigit():
                sizes[name] = int(value)
            elif first.startswith("-"):
                sys.exit(f"{__doc__}\nSizes here: {' '.join(f'{n}={v}' for n, v in sizes.items())}")
            else:
                self.folder = pathlib.Path(first)
        self.__dict__.update(sizes)
        self.folder.mkdir(parents=True, exist_ok=True)

    def normal(self, *shape, scale=1.0, dtype=np.float32):
        return (self.random.normal(size=shape) * scale).astype(dtype)

    def save(self, name, arrays):
        """Writes NAME.safetensors, and returns its path."""
        path = self.folder / f"{name}.safetensors"
        save_safetensors(path, arrays)
        return path

    def run(self, pipeline, arrays, outputs, sizes=None, options=()):
        """Runs a pipeline over arrays by the names of its buffers; returns those of `outputs`."""
        return self.replay(self.here / f"{pipeline}.yaml", outputs, "--weights", self.save(pipeline, arrays),
                           *self.defines(sizes), *options)

    def replay(self, file, outputs, *options):
        """Runs a pipeline or a plan once; returns the arrays of `outputs`."""
        outs = [word for name in outputs for word in ("-o", f"{name}={self.folder / name}.npy")]
        self.reprise("run", file, *options, *outs)
        return [np.load(self.folder / f"{name}.npy") for name in outputs]

    def defines(self, sizes=None):
        return [word for name, value in (sizes or self.sizes).items() for word in ("-D", f"{name}={value}")]

    def reprise(self, *command):
        command = [str(word) for word in command]
        print("reprise", shlex.join(command), flush=True)
        try:
            status = subprocess.run([os.environ.get("REPRISE", "reprise"), *command]).returncode
        except FileNotFoundError as error:
            sys.exit(f"{error}; set REPRISE to where it was built or installed")
        if status != 0:
            sys.exit(status)

    def close(self, name, got, want, tolerance):
        """Compares, relative to the largest number of `want`."""
        want = np.asarray(want, dtype=float)
        error = np.abs(got.astype(float) - want).max() / max(np.abs(want).max(), 1e-30) if want.size else 0.0
        self.judge(name, got.shape == want.shape and error <= tolerance, f"largest error {error:.1e}")

    def equal(self, name, got, want):
        wrong = int((got != want).sum()) if got.shape == want.shape else got.size
        self.judge(name, wrong == 0, f"{wrong} of {got.size} differ")

    def judge(self, name, good, figure):
        print(f"{name}: {figure}{'' if good else ', WRONG'}")
        self.good &= bool(good)

    def finish(self):
        sys.exit(0 if self.good else 1)
