"""Finding and loading libreprise, and the thin layer over cffi that everything else stands on.

The library is looked for in this order, and the first that is found is taken:

1. ``REPRISE_LIBRARY``: the path of ``libreprise.so``, or of a folder that has it;
2. the libraries that the package carries, where it was built with them (``reprise/_lib``);
3. ``pkg-config --variable=libdir reprise``;
4. what the system's loader finds (``LD_LIBRARY_PATH``, ``ldconfig``).

cffi releases the interpreter's lock during each call into the library. What may be called from several
threads at once is said by the C headers; what may not is called under a lock of its object
(``_handles.py``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Iterator, List, Tuple

from ._abi import ffi as ffi

# The version whose interface this package was written for; 0.x breaks with each minor version.
ABI = (0, 1)
NAMES = ("libreprise.so.%d.%d" % ABI, "libreprise.so")

_HERE = Path(__file__).resolve().parent


def _from_folder(folder: Path) -> Iterator[str]:
    for sub in (folder, folder / "compiler", folder / "lib"):
        for name in NAMES:
            if (sub / name).exists():
                yield str(sub / name)


def _from_pkg_config() -> Iterator[str]:
    program = shutil.which("pkg-config")
    if program:
        result = subprocess.run([program, "--variable=libdir", "reprise"], capture_output=True, text=True,
                                check=False)
        if result.returncode == 0 and result.stdout.strip():
            yield from _from_folder(Path(result.stdout.strip()))


def _candidates() -> Iterator[str]:
    given = os.environ.get("REPRISE_LIBRARY")
    if given:
        if Path(given).is_dir():
            found = list(_from_folder(Path(given)))
            if not found:
                raise ImportError(f"REPRISE_LIBRARY is {given!r}, a folder without {NAMES[0]}")
            yield found[0]
        yield given
        return
    yield from _from_folder(_HERE / "_lib")
    yield from _from_pkg_config()
    yield from NAMES


def _load() -> Tuple[Any, str]:
    tried: List[str] = []
    for path in _candidates():
        try:
            library = ffi.dlopen(path)
            version = ffi.string(library.rp_version()).decode()
        except (OSError, AttributeError) as error:
            tried.append(f"  {path}: {error}")
            continue
        if tuple(int(part) for part in version.split(".")[:2]) != ABI:
            tried.append(f"  {path}: is version {version}, expected {ABI[0]}.{ABI[1]}")
            continue
        return library, path
    raise ImportError("libreprise was not found; set REPRISE_LIBRARY to libreprise.so or to its folder. "
                      "Tried:\n" + "\n".join(tried))


def _load_weights(beside: str) -> Any:
    """libreprise-weights lies beside libreprise, or where the loader finds it."""
    folder = Path(beside).resolve().parent
    names = [name.replace("libreprise", "libreprise-weights") for name in NAMES]
    paths = [str(f / name) for f in (folder, folder.parent / "weights") for name in names
             if (f / name).exists()]
    for path in paths + names:
        try:
            return ffi.dlopen(path)
        except OSError:
            continue
    raise ImportError(f"libreprise-weights was not found beside {beside}")


lib, path = _load()
weights_lib = _load_weights(path)


def text(pointer: Any) -> str:
    """A C string; "" for NULL."""
    return str(ffi.string(pointer).decode("utf-8", "replace")) if pointer else ""


def cstring(value: Any, what: str = "text") -> bytes:
    """What C can take as a string: text without zeros."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    if not isinstance(value, bytes):
        raise TypeError(f"{what} is {type(value).__name__}, expected str")
    if b"\0" in value:
        raise ValueError(f"{what} holds a zero byte")
    return value


def sized(name: str) -> Any:
    """A new struct of the interface, with its size set."""
    struct = ffi.new(name + "*")
    struct.size = ffi.sizeof(name)
    return struct
