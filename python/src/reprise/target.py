"""Targets: what a compile knows of the device that a plan is for."""

from __future__ import annotations

from typing import Any, Dict, List

from ._library import cstring, ffi, lib, sized, text
from .errors import Diagnostics, NotFoundError


def _figures() -> List[str]:
    names: List[str] = []
    while lib.rp_target_figure_at(len(names)):
        names.append(text(lib.rp_target_figure_at(len(names)).name))
    return names


class Target:
    """Limits of a device and what things cost there; one that is built in by its name.

    ``Target("portable")``, ``Target("h200")``, ``device.target``, or :meth:`parse` of a file's text.
    """

    _struct: Any

    def __init__(self, name: str = "portable"):
        found = lib.rp_target_builtin(cstring(name, "name"))
        if not found:
            raise NotFoundError(f"there is no target {name!r}: built in are {', '.join(Target.builtin())}")
        self._struct = sized("rp_target")
        size = min(int(found.size), ffi.sizeof("rp_target"))
        ffi.memmove(self._struct, found, size)
        self._struct.size = ffi.sizeof("rp_target")

    @classmethod
    def _of(cls, struct: Any) -> "Target":
        self = cls.__new__(cls)
        self._struct = struct
        return self

    @classmethod
    def parse(cls, source: str, file: str = "target") -> "Target":
        """One from the text of a file, as ``reprise devices --measure`` writes it."""
        struct = sized("rp_target")
        data = cstring(source, "source")
        with Diagnostics() as diags:
            diags.check(lib.rp_target_parse(data, len(data), cstring(file), diags.pointer, struct))
        return cls._of(struct)

    @staticmethod
    def builtin() -> List[str]:
        """The names of those that are built in."""
        names: List[str] = []
        while lib.rp_target_list(len(names)):
            names.append(text(lib.rp_target_list(len(names)).name))
        return names

    @property
    def name(self) -> str:
        return text(self._struct.name)

    @property
    def figures(self) -> Dict[str, int]:
        """All figures that are known, by name."""
        found = {name: int(getattr(self._struct, name)) for name in _figures() if hasattr(self._struct, name)}
        return {name: value for name, value in found.items() if value}

    def __str__(self) -> str:
        size = lib.rp_target_print(self._struct, ffi.NULL, 0)
        out = ffi.new("char[]", size + 1)
        lib.rp_target_print(self._struct, out, size + 1)
        return text(out)

    def __repr__(self) -> str:
        return f"<reprise.Target {self.name!r}>"


def target_pointer(target: Any) -> Any:
    """A target, a name, a device or None, as what the library takes; keep the result while it is used."""
    if target is None:
        return ffi.NULL
    if isinstance(target, str):
        target = Target(target)
    if not isinstance(target, Target) and hasattr(target, "target"):
        target = target.target
    if not isinstance(target, Target):
        raise TypeError(f"expected a target, its name or a device, got {type(target).__name__}")
    return target._struct
