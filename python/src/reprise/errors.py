"""Exceptions, and the diagnostics that they carry."""

from __future__ import annotations

import builtins
import re
import warnings
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Type

from ._library import ffi, lib, text

Place = Tuple[Optional[str], int, int]
"""File, line and column; 0 where one is not known."""


class Diagnostic(NamedTuple):
    """One message of the library, at its place."""

    severity: str
    """``note``, ``warning`` or ``error``."""
    message: str
    file: Optional[str] = None
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = self.file or ""
        if self.line:
            place += (":" if place else "") + str(self.line)
            if self.column:
                place += f":{self.column}"
        return (place + ": " if place else "") + f"{self.severity}: {self.message}"


class RepriseWarning(UserWarning):
    """What the library warns of."""


class Error(Exception):
    """What went wrong. ``diagnostics`` says where and what was expected."""

    status = 0

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic] = ()):
        super().__init__(message)
        self.diagnostics: List[Diagnostic] = list(diagnostics)

    @property
    def file(self) -> Optional[str]:
        """The file of the first error that has a place."""
        return next((d.file for d in self.diagnostics if d.severity == "error" and d.file), None)

    @property
    def line(self) -> int:
        return next((d.line for d in self.diagnostics if d.severity == "error" and d.line), 0)

    @property
    def column(self) -> int:
        return next((d.column for d in self.diagnostics if d.severity == "error" and d.line), 0)


class InvalidError(Error, ValueError):
    """Input that is wrong: a graph, a pipeline, operands of an op, arrays."""


class UsageError(Error, ValueError):
    """A call that cannot be: an object that was closed, an index out of range."""


class NoMemoryError(Error, MemoryError):
    """Out of host memory."""


class FileError(Error, OSError):
    """A file that cannot be read or written."""


class DamagedError(Error, ValueError):
    """A plan file that is damaged."""


class VersionError(Error, ValueError):
    """A plan file of another version."""


class UnprovenError(Error):
    """The checker rejected a compiled graph."""


class NoDeviceError(Error):
    """There is no suitable Vulkan device."""


class UnsupportedError(Error):
    """The device, or the target, lacks what is needed."""


class DeviceMemoryError(Error, MemoryError):
    """Out of device memory."""


class DeviceLostError(Error):
    """The device was lost."""


class BusyError(Error):
    """A replay is in flight, or something is in use."""


class TimeoutError(Error, builtins.TimeoutError):
    """A wait took longer than it may."""


class NotFoundError(Error, LookupError):
    """A name that is not there."""


class DriverError(Error):
    """The Vulkan driver failed."""


class CancelledError(Error):
    """A replay, or what a callback stopped."""


class StalledError(Error):
    """A replay gave up waiting for tagged buffers: its results are not to be used."""


_BY_STATUS: Dict[int, Type[Error]] = {
    lib.RP_ERROR_INVALID: InvalidError,
    lib.RP_ERROR_USAGE: UsageError,
    lib.RP_ERROR_NO_MEMORY: NoMemoryError,
    lib.RP_ERROR_IO: FileError,
    lib.RP_ERROR_DAMAGED: DamagedError,
    lib.RP_ERROR_VERSION: VersionError,
    lib.RP_ERROR_UNPROVEN: UnprovenError,
    lib.RP_ERROR_NO_DEVICE: NoDeviceError,
    lib.RP_ERROR_UNSUPPORTED: UnsupportedError,
    lib.RP_ERROR_DEVICE_MEMORY: DeviceMemoryError,
    lib.RP_ERROR_DEVICE_LOST: DeviceLostError,
    lib.RP_ERROR_BUSY: BusyError,
    lib.RP_ERROR_TIMEOUT: TimeoutError,
    lib.RP_ERROR_NOT_FOUND: NotFoundError,
    lib.RP_ERROR_DRIVER: DriverError,
    lib.RP_ERROR_CANCELLED: CancelledError,
    lib.RP_ERROR_STALLED: StalledError,
}
for _status, _class in _BY_STATUS.items():
    _class.status = _status

_SEVERITIES = ("note", "warning", "error")
# Calls of C in front of a message, which Python did not make: "rp_apply: ...".
_CALL = re.compile(r"^(recorder \d+, call \d+ \()?rp_[a-z_]+\)?: ")
# A node in front of a message that has no place of its own: "n3 and n4 ...".
_NODE = re.compile(r"^n(\d+)\b")

Places = Callable[[Optional[str], int, int], Place]
Nodes = Callable[[int], Optional[Place]]


class Diagnostics:
    """A list of the library's for the time of one call, and what became of it.

    ``places`` turns a place of the library's into one of the user's, for graphs that Python built;
    ``nodes`` finds the place of a node that a message names.
    """

    def __init__(self, places: Optional[Places] = None, nodes: Optional[Nodes] = None):
        self._places = places
        self._nodes = nodes
        self.pointer = lib.rp_diags_create(ffi.NULL)

    def __enter__(self) -> "Diagnostics":
        if not self.pointer:
            raise NoMemoryError("out of host memory")
        return self

    def __exit__(self, *unused: Any) -> None:
        pointer, self.pointer = self.pointer, ffi.NULL
        lib.rp_diags_destroy(pointer)

    def _one(self, index: int) -> Diagnostic:
        d = lib.rp_diags_get(self.pointer, index)
        message = _CALL.sub("", text(d.message))
        file: Optional[str] = text(d.file) if d.file else None
        line, column = int(d.line), int(d.column)
        if self._places and line and not file:
            file, line, column = self._places(file, line, column)
        named = _NODE.match(message)
        if self._nodes and named and not line:
            place = self._nodes(int(named.group(1)))
            if place:
                file, line, column = place
        return Diagnostic(_SEVERITIES[d.severity], message, file, line, column)

    def list(self) -> List[Diagnostic]:
        return [self._one(i) for i in range(lib.rp_diags_count(self.pointer))]

    def check(self, status: int, stacklevel: int = 3) -> List[Diagnostic]:
        """Raises what a status says; warns of what the library warned of."""
        found = self.list()
        if status != lib.RP_OK:
            raise error_of(status, found)
        for d in found:
            if d.severity == "warning":
                warnings.warn(str(d), RepriseWarning, stacklevel=stacklevel)
        return found


def error_of(status: int, found: Sequence[Diagnostic] = (), what: str = "") -> Error:
    name = text(lib.rp_status_name(status))
    lines = [str(d) for d in found if d.severity != "warning"] or [str(d) for d in found]
    message = "\n".join(lines) or f"{what + ': ' if what else ''}{name}"
    return _BY_STATUS.get(int(status), Error)(message, found)


def check(status: int, what: str = "") -> None:
    """Raises what a status says, of calls that give no diagnostics."""
    if status != lib.RP_OK:
        raise error_of(status, (), what)
