"""Compares what is generated in the package with the headers and the library, or writes it anew.

    RP_BLESS=1 python3 python/tools/generate.py     # or: RP_BLESS=1 ctest -L golden

REPRISE_LIBRARY is the library of the build. Written are src/reprise/_abi.py (declarations.py) and
src/reprise/ops.pyi (stubs.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def check(name: str) -> bool:
    """One of the two; `stubs` imports the package, so it comes when declarations are right."""
    sys.path[:0] = [str(HERE), str(HERE.parent / "src")]
    maker = __import__(name)
    if maker.is_current():
        return True
    if os.environ.get("RP_BLESS"):
        maker.TARGET.write_text(maker.module())
        print(f"wrote {maker.TARGET}")
        return True
    print(f"{maker.TARGET} is out of date: RP_BLESS=1 ctest -L golden writes it anew")
    return False


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(not check(sys.argv[1]))
    # Each in an interpreter of its own: the second imports what the first may have written.
    results = [subprocess.run([sys.executable, __file__, name], check=False).returncode
               for name in ("declarations", "stubs")]
    sys.exit(any(results))
