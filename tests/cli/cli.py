"""What the tests of the command line share: running the program in a folder of its own."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

REPRISE = os.environ.get("REPRISE", "reprise")
SOURCE = pathlib.Path(os.environ.get("REPRISE_SOURCE", pathlib.Path(__file__).parents[2]))
DATA = pathlib.Path(__file__).parent / "data"

OK, INPUT, USAGE, ENVIRONMENT = 0, 1, 2, 3
MAGIC = b"\x89RPLAN\r\n\x1a\n"


class Case(unittest.TestCase):
    """Each test works in a temporary folder that holds a copy of data/."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="reprise-cli-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for file in DATA.iterdir():
            shutil.copy(file, self.folder)

    def run_program(self, *arguments, input=None, env=None, **options):
        # With sanitizers, leaks count where no driver is loaded: drivers keep memory until the end.
        driver = arguments and (arguments[0] in ("run", "profile", "devices") or "device" in arguments)
        leaks = int(not driver)
        environment = {"ASAN_OPTIONS": f"detect_leaks={leaks}", **os.environ, **(env or {})}
        return subprocess.run([REPRISE, *map(str, arguments)], cwd=self.folder, input=input,
                              capture_output=True, timeout=120, env=environment, **options)

    def expect(self, status, *arguments, error=None, output=None, **options):
        """Runs, checks the exit status and that messages hold `error` (a string or several)."""
        result = self.run_program(*arguments, **options)
        out = result.stdout.decode(errors="replace")
        err = result.stderr.decode(errors="replace")
        self.assertEqual(result.returncode, status, f"{arguments}\n{out}\n{err}")
        for text in [error] if isinstance(error, str) else error or []:
            self.assertIn(text, err, f"{arguments}")
        for text in [output] if isinstance(output, str) else output or []:
            self.assertIn(text, out, f"{arguments}")
        if status != OK:
            self.assertIn("error:", err, f"{arguments} failed without a message")
        self.out, self.err, self.raw = out, err, result.stdout
        return out

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def read(self, name):
        return (self.folder / name).read_bytes()

    def files(self):
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}


def main():
    unittest.main(verbosity=2)
