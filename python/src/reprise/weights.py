"""Arrays in ``.safetensors`` and ``.npy`` files."""

from __future__ import annotations

import json
import struct
import threading
import weakref
from collections.abc import Mapping as MappingBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional

import numpy as np

from . import _arrays
from ._arrays import Array
from ._handles import Handle
from ._library import cstring, ffi, text
from ._library import weights_lib as lib
from .errors import Diagnostics, InvalidError, NotFoundError

# Of .safetensors, which have no others; the types of .npy files are NumPy's own.
_TYPES = {"F64": "f8", "F32": "f4", "F16": "f2", "BF16": "u2", "I64": "i8", "I32": "i4", "I16": "i2", "I8": "i1",
          "U64": "u8", "U32": "u4", "U16": "u2", "U8": "u1", "BOOL": "?"}


class _View:
    """The bytes of an array in a mapped file, which stays open as long as the array lives."""

    def __init__(self, handle: Handle, pointer: Any, size: int):
        self._file = Handle("an array of a file", True, lambda p: None, [handle], pinned=True)
        weakref.finalize(self, self._file.release)
        address = int(ffi.cast("uintptr_t", pointer))
        self.__array_interface__ = {"data": (address, True), "shape": (size,), "typestr": "|u1", "version": 3}


if TYPE_CHECKING:
    _Array = np.ndarray[Any, np.dtype[Any]]
else:
    _Array = np.ndarray


class Bf16(_Array):
    """bf16 as patterns of 16 bits, of a file: other arrays of u16 are numbers."""


class Weights(MappingBase):  # type: ignore[type-arg]
    """The arrays of a file by name, read-only and mapped: their bytes are read when they are looked at.

    bf16 arrays, which NumPy has not, are patterns of 16 bits (:class:`Bf16`), which buffers of bf16 take as
    they are and buffers of f32 widened.
    """

    def __init__(self, path: Any):
        out = ffi.new("rp_weights**")
        with Diagnostics() as diags:
            diags.check(lib.rp_weights_open(ffi.NULL, cstring(path, "path"), diags.pointer, out))
        self._handle = Handle("the file of weights", out[0], lib.rp_weights_close)
        weakref.finalize(self, self._handle.release)
        self.path = str(path)
        with self._handle as weights:
            self._names = [text(lib.rp_weights_get(weights, i).name)
                           for i in range(lib.rp_weights_count(weights))]

    def close(self) -> None:
        """Lets go of the file; arrays that were taken keep it mapped."""
        self._handle.close()

    def __enter__(self) -> "Weights":
        return self

    def __exit__(self, *unused: Any) -> None:
        self.close()

    def __getitem__(self, name: str) -> Array:
        with self._handle as weights:
            index = lib.rp_weights_find(weights, cstring(name, "a name"))
            w = lib.rp_weights_get(weights, index)
            if not w:
                raise KeyError(name)
            kind = text(w.type)
            if w.rank > 8:
                raise InvalidError(f"{self.path}: array '{name}' has {w.rank} dimensions")
            shape = tuple(int(w.shape[i]) for i in range(w.rank))
            dtype = np.dtype(_TYPES[kind] if kind in _TYPES else kind)
            size = int(w.size)
            flat = np.asarray(_View(self._handle, w.data, size)) if size else np.empty(0, np.uint8)
        array = flat.view(dtype).reshape(shape)
        return array.view(Bf16) if kind == "BF16" else array

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"<reprise.Weights {self.path!r}: {len(self)} arrays>"


class FileArray:
    """An array in a file, opened when it is needed: what ``data`` of a pipeline names."""

    _open: Dict[str, "weakref.ref[Weights]"] = {}
    _lock = threading.Lock()

    def __init__(self, path: str, name: str):
        self.path = path
        self.name = name

    def load(self) -> Array:
        with FileArray._lock:
            reference = FileArray._open.get(self.path)
            file = reference() if reference else None
            if file is None:
                file = Weights(self.path)
                FileArray._open[self.path] = weakref.ref(file)
        name = self.name if self.name in file else next(iter(file), "") if len(file) == 1 else self.name
        if name not in file:
            raise NotFoundError(f"{self.path}: there is no array '{self.name}'")
        return file[name]

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> Array:
        array = self.load()
        return array if dtype is None else array.astype(dtype)


def for_buffer(arrays: Mapping[str, Any], name: str, code: int) -> Any:
    """An array for a buffer of a dtype; bf16 of a file fits buffers of f32 too, and is widened."""
    value = arrays[name]
    if isinstance(value, FileArray):
        value = value.load()
    wide = _arrays.dtype_name(code) == "f32" and isinstance(value, Bf16)
    return _arrays.widen_bf16(np.asarray(value)) if wide else value


def save_weights(path: Any, arrays: Mapping[str, Any]) -> None:
    """Writes arrays as a ``.safetensors`` file. Arrays of u16 are written as U16, bf16 of ml_dtypes as BF16."""
    names = {np.dtype(v): k for k, v in _TYPES.items() if k != "BF16"}
    header: Dict[str, Any] = {}
    blocks: List[Array] = []
    at = 0
    for name, value in arrays.items():
        array = np.ascontiguousarray(_arrays.as_array(value))
        bf16 = isinstance(value, Bf16) or array.dtype.name == "bfloat16"
        kind = "BF16" if bf16 else names.get(array.dtype.newbyteorder("="))
        if kind is None:
            raise InvalidError(f"array '{name}' of {array.dtype} cannot be written")
        if kind != "BF16":
            array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        header[name] = {"dtype": kind, "shape": list(np.shape(value)), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
        blocks.append(array)
    text_ = json.dumps(header).encode()
    text_ += b" " * (-len(text_) % 8)
    target = Path(path)
    temporary = target.with_name(target.name + ".new")
    try:
        with open(temporary, "wb") as file:
            file.write(struct.pack("<Q", len(text_)) + text_)
            for block in blocks:
                file.write(block.reshape(-1).view(np.uint8).data)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def open_weights(path: Any) -> Weights:
    """The arrays of a ``.safetensors`` or ``.npy`` file."""
    return Weights(path)
