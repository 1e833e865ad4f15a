"""Devices and storage."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from . import _arrays
from ._arrays import Array, DTypeLike
from ._handles import Handle, Owner
from ._library import cstring, ffi, lib, sized, text
from .errors import Diagnostic, Diagnostics, InvalidError, UnsupportedError, UsageError, check
from .target import Target

if TYPE_CHECKING:
    from .execs import Exec
    from .plan import Plan


class DeviceInfo(NamedTuple):
    """A device of the system."""

    name: str
    driver: str
    is_cpu: bool
    suitable: bool
    """Everything that the runtime needs is there."""
    missing: str
    """What is not."""
    memory_bytes: int
    subgroup_size: int


class Memory(NamedTuple):
    """The memory that buffers lie in, in bytes."""

    heap: int
    budget: int
    used: int


def _info(info: Any) -> DeviceInfo:
    return DeviceInfo(text(info.name), text(info.driver), bool(info.is_cpu), bool(info.suitable),
                      text(info.missing), int(info.memory_bytes), int(info.subgroup_size))


def counters_of(struct: Any) -> Dict[str, int]:
    """A struct of counters as a dict."""
    return {name: int(getattr(struct, name)) for name in dir(struct) if name != "size"}


def devices() -> List[DeviceInfo]:
    """The devices of the system, suitable or not."""
    count = ffi.new("uint32_t*")
    with Diagnostics() as diags:
        diags.check(lib.rp_devices(ffi.NULL, 0, count, diags.pointer))
        infos = ffi.new("rp_device_info[]", max(1, count[0]))
        infos[0].size = ffi.sizeof("rp_device_info")
        diags.check(lib.rp_devices(infos, count[0], count, diags.pointer))
    return [_info(infos[i]) for i in range(min(count[0], len(infos)))]


class Device(Owner):
    """A Vulkan device. Any number of threads may use it.

    ``select`` is an index of :func:`devices`, or part of a name; without it the environment variable
    ``REPRISE_DEVICE`` says, or else it is the first suitable device, GPUs first. ``validation`` loads
    the validation layer, whose messages :meth:`messages` gives.
    """

    def __init__(self, select: Union[str, int, None] = None, *, validation: bool = False):
        params = sized("rp_device_params")
        chosen = ffi.new("char[]", cstring(str(select))) if select is not None else ffi.NULL
        params.select = chosen
        params.validation = validation
        out = ffi.new("rp_device**")
        with Diagnostics() as diags:
            diags.check(lib.rp_device_create(ffi.NULL, params, diags.pointer, out))
        self._own(Handle("the device", out[0], lambda p: lib.rp_device_destroy(p, ffi.NULL)))

    @property
    def info(self) -> DeviceInfo:
        info = sized("rp_device_info")
        with self._handle as device:
            check(lib.rp_device_get_info(device, info))
        return _info(info)

    @property
    def target(self) -> Target:
        """Its limits, and what things cost there, to compile for."""
        struct = sized("rp_target")
        with self._handle as device:
            check(lib.rp_device_target(device, struct))
        return Target._of(struct)

    @property
    def counters(self) -> Dict[str, int]:
        """What it did since it was created (``reprise/counters.h``)."""
        struct = sized("rp_counters")
        with self._handle as device:
            check(lib.rp_device_get_counters(device, struct))
        return counters_of(struct)

    @property
    def memory(self) -> Memory:
        struct = sized("rp_device_memory")
        with self._handle as device:
            check(lib.rp_device_get_memory(device, struct))
        return Memory(int(struct.heap_bytes), int(struct.budget_bytes), int(struct.used_bytes))

    def messages(self) -> List[Diagnostic]:
        """What the validation layer said since the last call."""
        with Diagnostics() as diags, self._handle as device:
            lib.rp_device_messages(device, diags.pointer)
            return diags.list()

    def trim(self) -> None:
        """Destroys the pipelines that nobody uses."""
        with self._handle as device:
            lib.rp_device_trim(device)

    def storage(self, content: Union[int, Any], *, name: Optional[str] = None,
                host_visible: bool = False) -> "Storage":
        """Device memory of a number of bytes, zeros at first, or of the bytes of an array.

        Execs share it by ``bind``. ``host_visible``: the host sees it too, by :meth:`Storage.numpy`.
        """
        return Storage(self, content, name=name, host_visible=host_visible)

    def open(self, plan: "Plan", **options: Any) -> "Exec":
        """The plan on this device: ``Exec(plan, self, ...)``."""
        from .execs import Exec
        return Exec(plan, self, **options)

    def __repr__(self) -> str:
        return "<reprise.Device closed>" if self.closed else f"<reprise.Device {self.info.name!r}>"


_default: Optional[Device] = None
_default_lock = threading.Lock()


def device() -> Device:
    """The device that is used where none is said; made by the first call, anew when it was closed."""
    global _default
    with _default_lock:
        if _default is None or _default.closed:
            _default = Device()
        return _default


class _Mapped:
    """The memory behind an array: it stays as long as the array does."""

    def __init__(self, storage: Any, device_handle: Handle, address: int, shape: Tuple[int, ...], typestr: str):
        # Retained: the exec may move, or go.
        self._handle = Handle("mapped memory", lib.rp_storage_retain(storage), lib.rp_storage_release,
                              [device_handle], pinned=True)
        self.__array_interface__ = {"data": (address, False), "shape": shape, "typestr": typestr,
                                    "version": 3}
        weakref.finalize(self, self._handle.release)


def mapped_array(storage: Any, device_handle: Handle, pointer: Any, shape: Sequence[int],
                 dtype: "np.dtype[Any]") -> Array:
    """An array on mapped memory of a storage, which it holds."""
    address = int(ffi.cast("uintptr_t", pointer))
    return np.asarray(_Mapped(storage, device_handle, address, tuple(shape), dtype.str))


class Storage(Owner):
    """Device memory that execs share. It lives as long as this object, or an exec that is bound to it."""

    def __init__(self, device: Device, content: Union[int, Any], *, name: Optional[str] = None,
                 host_visible: bool = False):
        array: Optional[Array] = None
        if isinstance(content, (int, np.integer)) and not isinstance(content, bool):
            nbytes = int(content)
        else:
            array = np.ascontiguousarray(_arrays.as_array(content))
            if array.dtype.hasobject:
                raise InvalidError("an array of Python objects has no bytes")
            nbytes = array.nbytes
        if not 0 < nbytes <= 1 << 40:
            raise InvalidError(f"a storage has 1 to 2^40 bytes, not {nbytes}")
        params = sized("rp_storage_params")
        label = ffi.new("char[]", cstring(name or "storage"))
        params.bytes, params.name, params.host_visible = nbytes, label, host_visible
        params.uninitialised = array is not None
        out = ffi.new("rp_storage**")
        self.device = device
        with Diagnostics() as diags, device._handle as pointer:
            diags.check(lib.rp_storage_create(pointer, params, diags.pointer, out))
            self._own(Handle("the storage", out[0], lib.rp_storage_release, [device._handle]))
        self.nbytes = nbytes
        if array is not None:
            self.write(array)

    def write(self, array: Any, offset: int = 0) -> None:
        """Copies an array's bytes to ``offset``. Replays that use them have been waited for."""
        data = np.ascontiguousarray(_arrays.as_array(array))
        if data.dtype.hasobject:
            raise InvalidError("an array of Python objects has no bytes")
        _check_range(self, offset, data.nbytes)
        with Diagnostics() as diags, self._handle as storage:
            diags.check(lib.rp_storage_write(storage, offset, ffi.from_buffer(data.reshape(-1).view(np.uint8)),
                                             data.nbytes, diags.pointer))

    def read(self, dtype: DTypeLike = "u8", shape: Union[int, Sequence[int], None] = None, offset: int = 0) -> Array:
        """A copy of the bytes from ``offset`` on, all of them without a shape."""
        code = _arrays.dtype_code(dtype)
        size = int(lib.rp_dtype_size(code))
        if shape is None:
            shape = ((self.nbytes - offset) // size,)
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        if any(n < 0 for n in shape):
            raise InvalidError(f"there is no shape {list(shape)}")
        nbytes = size
        for n in shape:
            nbytes *= int(n)
        _check_range(self, offset, nbytes)
        out = _arrays.empty_bytes(code, shape, nbytes)
        with Diagnostics() as diags, self._handle as storage:
            diags.check(lib.rp_storage_read(storage, offset, ffi.from_buffer(out, require_writable=True),
                                            nbytes, diags.pointer))
        return _arrays.from_bytes(code, out)

    def numpy(self, dtype: DTypeLike = "u8", shape: Union[int, Sequence[int], None] = None) -> Array:
        """The memory itself, as an array, where the host sees it (``host_visible``): no copy. Its bytes are
        read and written only while no replay uses them."""
        code = _arrays.dtype_code(dtype)
        wanted = np.dtype(np.uint16) if code == _arrays.BF16 else _arrays.host_dtype(code)
        if shape is None:
            shape = (self.nbytes // wanted.itemsize,)
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        count = wanted.itemsize
        for n in shape:
            if n < 0:
                raise InvalidError(f"there is no shape {list(shape)}")
            count *= int(n)
        _check_range(self, 0, count)
        info = sized("rp_storage_info")
        with self._handle as storage:
            check(lib.rp_storage_get_info(storage, info))
            if not info.mapped:
                raise UnsupportedError("the host does not see this storage: create it with host_visible=True")
            return mapped_array(storage, self.device._handle, info.mapped, shape, wanted)

    def __dlpack__(self, **options: Any) -> Any:
        return self.numpy().__dlpack__(**options)

    def __dlpack_device__(self) -> Tuple[int, int]:
        return (1, 0)  # kDLCPU: what numpy() gives

    def __repr__(self) -> str:
        return f"<reprise.Storage {self.nbytes} bytes{' closed' if self.closed else ''}>"


def _check_range(storage: Storage, offset: int, nbytes: int) -> None:
    if offset < 0 or nbytes <= 0 or offset + nbytes > storage.nbytes:
        raise UsageError(f"the storage has {storage.nbytes} bytes: [{offset}, {offset + nbytes}) is not in it")
