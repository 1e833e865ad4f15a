"""NumPy arrays as the bytes of buffers, and back.

Arrays go in as they are where they can: C-contiguous, of the buffer's dtype, in the machine's byte order.
Others are copied once; a dtype that would change values is refused. NumPy has no bf16: buffers of it take
f32, rounded to the nearest even, or 16-bit patterns (u16, or a ``bfloat16`` of the package ml_dtypes), and
give f32. Block-quantised buffers are bytes.
"""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._library import lib, text
from .errors import InvalidError, UsageError

Array = NDArray[Any]
DTypeLike = Union[str, type, "np.dtype[Any]"]
"""``"f32"`` and the other names of the library, or what NumPy takes: ``np.float32``, ``"float32"``."""

RAW = int(lib.RP_RAW)
_NAMES: Dict[str, int] = {}
_code = 0
while lib.rp_dtype_name(_code):
    _NAMES[text(lib.rp_dtype_name(_code))] = _code
    _code += 1
BF16, BOOL = _NAMES["bf16"], _NAMES["bool"]

_NUMPY = {
    "raw": "u1", "f32": "f4", "f16": "f2", "i8": "i1", "u8": "u1", "i32": "i4", "u32": "u4", "q8_0": "u1",
    "q4_0": "u1", "bf16": "f4", "f64": "f8", "i16": "i2", "u16": "u2", "i64": "i8", "u64": "u8", "bool": "?",
}
_FROM_NUMPY = {np.dtype(_NUMPY[name]): name for name in
               ("f32", "f16", "i8", "u8", "i32", "u32", "f64", "i16", "u16", "i64", "u64", "bool")}


def dtype_names() -> Tuple[str, ...]:
    """The names of all dtypes."""
    return tuple(_NAMES)


def dtype_code(dtype: DTypeLike) -> int:
    """The library's number of a dtype."""
    if isinstance(dtype, str) and dtype in _NAMES:
        return _NAMES[dtype]
    if getattr(dtype, "__name__", "") == "bfloat16" or getattr(dtype, "name", "") == "bfloat16":
        return BF16
    try:
        known = _FROM_NUMPY.get(np.dtype(dtype).newbyteorder("="))
    except TypeError:
        known = None
    if known is None:
        raise InvalidError(f"there is no dtype {dtype!r}: expected one of {', '.join(_NAMES)}")
    return _NAMES[known]


def dtype_name(code: int) -> str:
    return text(lib.rp_dtype_name(code)) or f"dtype {code}"


def block(code: int) -> int:
    """Elements of a block: 32 of block-quantised ones, else 1."""
    return int(lib.rp_dtype_block(code))


def host_dtype(code: int) -> "np.dtype[Any]":
    """What arrays of such buffers have."""
    return np.dtype(_NUMPY[dtype_name(code)])


def host_shape(code: int, shape: Sequence[int], nbytes: int) -> Tuple[int, ...]:
    """The shape of an array that has a buffer's bytes: of blocks, their bytes in the last dimension."""
    if code == RAW or not shape:
        return (nbytes,) if code == RAW else tuple(shape)
    if block(code) > 1:
        return (*shape[:-1], shape[-1] // block(code) * int(lib.rp_dtype_size(code)))
    return tuple(shape)


def _round_bf16(array: Array) -> Array:
    """f32 to the upper halves, rounded to the nearest even; a NaN stays one."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    rounded = (bits + (0x7FFF + ((bits >> 16) & 1)).astype(np.uint32)) >> 16
    nan = (bits & 0x7FFFFFFF) > 0x7F800000
    return np.where(nan, bits >> 16 | 0x40, rounded).astype(np.uint16)


def widen_bf16(bits: Array) -> Array:
    """16-bit patterns to f32."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def as_array(value: Any, code: Optional[int] = None) -> Array:
    """What a caller gave, as an array: through DLPack, the array protocols, or of numbers and lists."""
    if isinstance(value, np.ndarray):
        return value
    if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        return np.from_dlpack(value)
    if hasattr(value, "__array__") or hasattr(value, "__array_interface__"):
        return np.asarray(value)
    array = plain(value)
    if code is None:
        if array.dtype == np.float64:
            return array.astype(np.float32)
        return array
    return _numbers(array, code)


def plain(value: Any) -> Array:
    """Numbers and lists of them, in the dtype that NumPy gives them."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # lists of different lengths
        raise InvalidError(f"expected an array: {error}") from None
    if array.dtype == object:
        raise InvalidError(f"expected an array, got {type(value).__name__}")
    return array


def _numbers(array: Array, code: int) -> Array:
    """Plain numbers in the dtype of a buffer, where that holds them."""
    wanted = host_dtype(code)
    if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and wanted.kind in "biu"):
        raise InvalidError(f"expected numbers for {dtype_name(code)}, got {array.dtype}")
    if wanted.kind in "iu" and array.size:
        info = np.iinfo(wanted)
        if int(array.min()) < info.min or int(array.max()) > info.max:
            raise InvalidError(f"a number is outside of {dtype_name(code)}")
    with np.errstate(over="ignore"):
        return array.astype(wanted)


def _fits(name: str, array: Array, code: int) -> Array:
    """The array in the dtype that the buffer's bytes have on the host, without a change of values."""
    wanted = host_dtype(code)
    native = array.dtype.newbyteorder("=")
    if code == RAW:
        if array.dtype.hasobject:
            raise InvalidError(f"{name}: an array of Python objects has no bytes")
        return np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    if code == BF16:
        if array.dtype.name == "bfloat16":
            return np.ascontiguousarray(array).view(np.uint16)
        if native == np.uint16:
            return np.ascontiguousarray(array, np.uint16)
        if native == np.float32:
            return _round_bf16(array)
    elif native == np.float16 and wanted == np.float32:
        return np.ascontiguousarray(array, wanted)
    elif native == wanted or (code == BOOL and native == np.uint8 and not (array > 1).any()):
        return np.ascontiguousarray(array, wanted)
    raise InvalidError(f"{name} is {dtype_name(code)}, got an array of {array.dtype}: "
                       f"convert it, as by .astype(np.{wanted.name})")


def to_bytes(name: str, value: ArrayLike, code: int, shape: Sequence[int], nbytes: int) -> Array:
    """A C-contiguous array of exactly the buffer's bytes."""
    array = as_array(value, code)
    wanted = host_shape(code, shape, nbytes)
    if code != RAW and array.shape != wanted:
        single = array.size == 1 and int(np.prod(wanted)) == 1
        if not single:
            raise InvalidError(f"{name} is {dtype_name(code)}{list(shape)}, got an array of shape "
                               f"{list(array.shape)}" +
                               ("" if wanted == tuple(shape) else f": expected bytes {list(wanted)}"))
    out = _fits(name, array, code)
    if out.nbytes != nbytes:
        raise InvalidError(f"{name} has {nbytes} bytes, got {out.nbytes}")
    return out


def empty_bytes(code: int, shape: Sequence[int], nbytes: int) -> Array:
    """Where the library may put a buffer's bytes: from_bytes() makes a result of them."""
    if code == BF16:
        return np.empty(tuple(shape), np.uint16)
    return np.empty(host_shape(code, shape, nbytes), host_dtype(code))


def from_bytes(code: int, array: Array) -> Array:
    return widen_bf16(array) if code == BF16 else array


def check_host(value: Any, what: str) -> Array:
    """An array that the library may write into."""
    if not isinstance(value, np.ndarray) or not value.flags.c_contiguous or not value.flags.writeable:
        raise UsageError(f"{what}: expected a C-contiguous array that can be written")
    return value
