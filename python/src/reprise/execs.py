"""Execs: plans on a device, ready to be replayed."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from typing import TYPE_CHECKING, Any, Dict, Generator, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from . import _arrays
from ._arrays import Array
from ._handles import Handle, Owner
from ._library import cstring, ffi, lib, sized, text
from .device import Device, Storage, counters_of, device as default_device, mapped_array
from .errors import Diagnostics, InvalidError, TimeoutError, UsageError, check
from .plan import BufferInfo, Plan, find_buffer
from .weights import for_buffer

if TYPE_CHECKING:
    from .profile import Profile

Binding = Union[Storage, Tuple[Storage, int]]
Arrays = Dict[str, Array]
_ALL_SLOTS = 0xFFFFFFFF
_TAGS = {"auto": lib.RP_TAGS_AUTO, "off": lib.RP_TAGS_OFF, "on": lib.RP_TAGS_ON}
# A wait is cut in so long ones, so that an interrupt from the keyboard is heard.
_WAIT_NS = 50_000_000


class Replay:
    """One replay, as a future: ``done()``, ``wait()``, ``result()``, and ``await``."""

    def __init__(self, exec: "Exec", number: int, downloads: List[Tuple[BufferInfo, Array]]):
        self.exec = exec
        self.number = number
        """Counted from 1 by exec."""
        self._downloads = downloads

    def done(self) -> bool:
        """Whether it is done, without waiting; what went wrong is raised."""
        return self.exec._wait(self.number, 0)

    def wait(self, timeout: Optional[float] = None) -> "Replay":
        """Waits, for so many seconds at most: TimeoutError."""
        self.exec.wait(self.number, timeout)
        return self

    def result(self, timeout: Optional[float] = None) -> Arrays:
        """Waits, and gives the outputs by name."""
        self.wait(timeout)
        return {b.name: _arrays.from_bytes(b.code, array) for b, array in self._downloads}

    def __await__(self) -> "Generator[Any, None, Arrays]":
        return asyncio.get_running_loop().run_in_executor(None, self.result).__await__()

    def __repr__(self) -> str:
        return f"<reprise.Replay {self.number} of {self.exec!r}>"


class Exec(Owner):
    """A plan on a device. Calling it runs one replay and waits for its outputs.

    ``slots`` replays may be in flight at once, each with inputs, outputs and live values of its own. ``bind``
    puts buffers into storage that execs share: ``{"w": storage}``, or with an offset ``{"w": (storage, 256)}``.
    ``weights`` are arrays for weight buffers, by name; those that the plan came with need none. ``switches``
    are labels whose nodes :meth:`enable` leaves out. ``state_per_slot`` gives each slot ``inout`` buffers of
    its own. ``cache`` is the folder of the pipeline cache, "" for none. ``tags`` is said by ``rp_tags`` of the
    C interface.

    Threads may use an exec side by side; what two do to one slot is theirs to order.
    """

    def __init__(self, plan: Plan, device: Optional[Device] = None, *, slots: int = 1,
                 bind: Optional[Mapping[str, Binding]] = None, weights: Optional[Mapping[str, Any]] = None,
                 switches: Sequence[str] = (), state_per_slot: bool = False, timestamps: bool = False,
                 cache: Optional[str] = None, tags: str = "auto"):
        if not isinstance(plan, Plan):
            raise TypeError(f"expected a plan, got {type(plan).__name__}")
        if not 1 <= slots <= int(lib.RP_MAX_SLOTS):
            raise InvalidError(f"{slots} slots: expected 1 to {lib.RP_MAX_SLOTS}")
        if tags not in _TAGS:
            raise InvalidError(f"tags of {tags!r}: expected one of {', '.join(_TAGS)}")
        self.plan = plan
        self.device = device or default_device()
        self.slots = slots
        self._buffers = plan.buffers
        self._lock = threading.Lock()
        self._submitted = 0
        params = sized("rp_exec_params")
        keep: List[Any] = []
        params.slots, params.state_per_slot, params.timestamps = slots, state_per_slot, timestamps
        params.tags = _TAGS[tags]
        if cache is not None:
            keep.append(ffi.new("char[]", cstring(cache, "cache")))
            params.cache_path = keep[-1]
        bindings, storages = _bindings(bind or {}, keep)
        params.bindings, params.binding_count = bindings, len(bind or {})
        names = [ffi.new("char[]", cstring(name, "a switch")) for name in switches]
        keep.append(ffi.new("char*[]", names or 1))
        params.switches, params.switch_count = keep[-1], len(names)
        out = ffi.new("rp_exec**")
        with Diagnostics(None, plan._node_place) as diags, self.device._handle as device_pointer, \
                plan._handle as plan_pointer, _Held(storages):
            diags.check(lib.rp_exec_create(device_pointer, plan_pointer, params, diags.pointer, out))
            self._own(Handle("the exec", out[0], lib.rp_exec_destroy, [self.device._handle]))
        self._load(weights or {}, bind or {})

    def _load(self, weights: Mapping[str, Any], bound: Mapping[str, Binding]) -> None:
        """Writes what buffers begin with."""
        for b in self._buffers.values():
            if b.name in bound or b.kind not in ("weight", "in", "inout"):
                continue
            if b.kind == "weight" and b.name in weights:
                array = for_buffer(weights, b.name, b.code)
            elif b.name in self.plan.weights:
                array = for_buffer(self.plan.weights, b.name, b.code)
            else:
                continue
            for slot in range(self.slots if b.kind == "in" else 1):
                self._write(b, array, slot, b.shape, b.nbytes)

    # ---- Buffers -----------------------------------------------------------------------------

    def _slot(self, slot: int) -> int:
        if not 0 <= slot < self.slots:
            raise UsageError(f"slot {slot}: the exec has {self.slots}")
        return slot

    def _find(self, name: str, kinds: Tuple[str, ...], what: str) -> BufferInfo:
        b = find_buffer(self._buffers, name)
        if b.kind not in kinds:
            raise UsageError(f"'{name}' is of kind {b.kind}: {what} is for {', '.join(kinds)}")
        return b

    def _extent(self, b: BufferInfo, slot: int) -> Tuple[Tuple[int, ...], int]:
        """Shape and bytes at the slot's live values."""
        if not b.sized:
            return b.shape, b.nbytes
        shape, size = ffi.new("uint64_t[8]"), ffi.new("uint64_t*")
        with Diagnostics() as diags, self._handle as pointer:
            diags.check(lib.rp_exec_get_shape(pointer, slot, cstring(b.name), shape, size, diags.pointer))
        return tuple(int(shape[i]) for i in range(len(b.shape))), int(size[0])

    def shape(self, name: str, slot: int = 0) -> Tuple[int, ...]:
        """The shape of a buffer at the live values that are set."""
        return self._extent(find_buffer(self._buffers, name), self._slot(slot))[0]

    def form(self, slot: int = 0) -> int:
        """The form that a replay runs at the live values that are set, a place in :attr:`Plan.forms`."""
        with self._handle as pointer:
            return int(lib.rp_exec_get_form(pointer, self._slot(slot)))

    def _write(self, b: BufferInfo, array: Any, slot: int, shape: Sequence[int], nbytes: int) -> None:
        data = _arrays.to_bytes(b.name, array, b.code, shape, nbytes)
        if nbytes == 0:
            return
        with Diagnostics() as diags, self._handle as pointer:
            diags.check(lib.rp_exec_write(pointer, slot, cstring(b.name), 0, ffi.from_buffer(data), nbytes,
                                          diags.pointer))

    def write(self, name: str, array: Any, slot: int = 0) -> None:
        """Copies an array into a buffer of kind in, inout or weight; the slot is idle."""
        b = self._find(name, ("in", "inout", "weight"), "writing")
        self._write(b, array, self._slot(slot), *self._extent(b, slot))

    def read(self, name: str, slot: int = 0) -> Array:
        """A copy of a buffer of kind out or inout; the slot is idle."""
        b = self._find(name, ("out", "inout"), "reading")
        shape, nbytes = self._extent(b, self._slot(slot))
        out = _arrays.empty_bytes(b.code, shape, nbytes)
        if nbytes:
            with Diagnostics() as diags, self._handle as pointer:
                diags.check(lib.rp_exec_read(pointer, slot, cstring(b.name), 0,
                                             ffi.from_buffer(out, require_writable=True), nbytes,
                                             diags.pointer))
        return _arrays.from_bytes(b.code, out)

    def map(self, name: str, slot: int = 0) -> Array:
        """The memory of a buffer itself, where host and device share it: no copy. UnsupportedError elsewhere.
        It is read and written only while the slot is idle. bf16 is patterns of 16 bits here."""
        b = find_buffer(self._buffers, name)
        shape, nbytes = self._extent(b, self._slot(slot))
        data, size, place = ffi.new("void**"), ffi.new("uint64_t*"), sized("rp_range_info")
        with Diagnostics() as diags, self._handle as pointer:
            diags.check(lib.rp_exec_map(pointer, slot, cstring(name), diags.pointer, data, size))
            diags.check(lib.rp_exec_get_range(pointer, slot, cstring(name), diags.pointer, place))
            like = _arrays.empty_bytes(b.code, (0,), 0)
            dims = _arrays.host_shape(b.code, shape, nbytes)
            return mapped_array(place.storage, self.device._handle, data[0], dims, like.dtype)

    def set(self, values: Optional[Mapping[str, Any]] = None, *, slot: int = 0, **live: Any) -> None:
        """Sets live values: ``exec.set(gain=2.0, tokens=7)``, or by a mapping for names with dots."""
        for name, value in {**(values or {}), **live}.items():
            self.set_at(name, 0, value, slot=slot, _whole=True)

    def set_at(self, name: str, element: int, value: Any, *, slot: int = 0, _whole: bool = False) -> None:
        """Sets elements of a live value from one on."""
        b = self._find(name, ("live",), "setting")
        size = b.nbytes // int(lib.rp_dtype_size(b.code))
        if isinstance(value, np.ndarray) and b.code != _arrays.RAW:
            array = _arrays._fits(name, value, b.code).reshape(-1)
        elif b.code == _arrays.RAW:
            array = _arrays._fits(name, np.frombuffer(value, np.uint8) if isinstance(value, (bytes, bytearray))
                                  else np.asarray(value), b.code)
        else:
            array = np.ascontiguousarray(_arrays.as_array(value, b.code)).reshape(-1)
        count = array.nbytes // int(lib.rp_dtype_size(b.code))
        if _whole and count == 1 and size > 1:
            array, count = np.repeat(array, size), size
        if element < 0 or element + count > size or (_whole and count != size):
            raise InvalidError(f"live '{name}' has {size} elements, got {count}" +
                               (f" from {element} on" if element else ""))
        with Diagnostics() as diags, self._handle as pointer:
            diags.check(lib.rp_exec_set_live(pointer, self._slot(slot), cstring(name), element,
                                             ffi.from_buffer(array), count, diags.pointer))

    def enable(self, switch: str, on: bool = True, *, slot: int = 0) -> None:
        """Leaves the nodes of a switch out of the slot's replays, or puts them back."""
        with Diagnostics() as diags, self._handle as pointer:
            diags.check(lib.rp_exec_enable(pointer, self._slot(slot), cstring(switch, "switch"), bool(on),
                                           diags.pointer))

    # ---- Replaying ---------------------------------------------------------------------------

    def submit(self, inputs: Optional[Mapping[str, Any]] = None, *, slot: int = 0,
               outputs: Optional[Iterable[str]] = None, **arrays: Any) -> Replay:
        """Submits one replay and returns without waiting.

        Arrays are copied to the slot's inputs before it, live values are set (the slot is idle then), and
        ``outputs``, all of kind out where nothing is said, are copied behind it for ``result()``.
        """
        self._slot(slot)
        if inputs is not None and not isinstance(inputs, Mapping):
            raise TypeError(f"arrays are given by name, run(x=array), and not as {type(inputs).__name__}")
        given = {**(inputs or {}), **arrays}
        live = {name: given.pop(name) for name in list(given) if find_buffer(self._buffers, name).kind == "live"}
        self.set(live, slot=slot)
        names = [b.name for b in self._buffers.values() if b.kind == "out"] if outputs is None else (
            [outputs] if isinstance(outputs, str) else list(outputs))
        keep: List[Any] = []
        uploads, downloads = ffi.new("rp_upload[]", max(1, len(given))), ffi.new("rp_download[]", max(1, len(names)))
        up = down = 0
        for name, value in given.items():
            b = self._find(name, ("in", "inout", "weight"), "an input")
            shape, nbytes = self._extent(b, slot)
            data = _arrays.to_bytes(name, value, b.code, shape, nbytes)
            if nbytes == 0:
                continue
            keep += [data, ffi.from_buffer(data)]
            uploads[up].index, uploads[up].size, uploads[up].data = b.number, nbytes, keep[-1]
            up += 1
        results: List[Tuple[BufferInfo, Array]] = []
        for name in names:
            b = self._find(name, ("out", "inout"), "an output")
            shape, nbytes = self._extent(b, slot)
            out = _arrays.empty_bytes(b.code, shape, nbytes)
            results.append((b, out))
            if nbytes == 0:
                continue
            keep += [out, ffi.from_buffer(out, require_writable=True)]
            downloads[down].index, downloads[down].size, downloads[down].data = b.number, nbytes, keep[-1]
            down += 1
        params, number = sized("rp_submit_params"), ffi.new("uint64_t*")
        params.slot, params.uploads, params.upload_count = slot, uploads, up
        params.downloads, params.download_count = downloads, down
        with Diagnostics() as diags, self._handle as pointer, self._lock:
            status = lib.rp_exec_submit(pointer, params, diags.pointer, number)
            self._submitted = max(self._submitted, int(number[0]))
            if status == lib.RP_OK and down:
                self._handle.keep.append((int(number[0]), keep))  # the library writes there until a wait
            diags.check(status)
        return Replay(self, int(number[0]), results)

    def _wait(self, number: int, timeout_ns: int) -> bool:
        """Whether a replay, and all before it, are done within the time."""
        last = number or self._submitted  # others may submit meanwhile
        with Diagnostics() as diags, self._handle as pointer:
            status = lib.rp_exec_wait(pointer, number, timeout_ns, diags.pointer)
            if status == lib.RP_ERROR_TIMEOUT:
                return False
            if status == lib.RP_OK:
                with self._lock:
                    self._handle.keep[:] = [k for k in self._handle.keep if k[0] > last]
            diags.check(status)
            return True

    def wait(self, number: int = 0, timeout: Optional[float] = None) -> None:
        """Waits for a replay by its number, and all before it; 0: all that were submitted."""
        if number < 0:
            raise UsageError(f"there is no replay {number}")
        if timeout is not None and not timeout >= 0:
            raise UsageError(f"a timeout of {timeout}: expected 0 seconds or more, or None")
        end = None if timeout is None or timeout == math.inf else time.monotonic() + timeout
        while True:
            left = _WAIT_NS if end is None else max(0, min(_WAIT_NS, int(1e9 * (end - time.monotonic()))))
            if self._wait(number, left):
                return
            if end is not None and time.monotonic() >= end:
                raise TimeoutError(f"replay {number or 'of all'} was not done within {timeout} s")

    def __call__(self, inputs: Optional[Mapping[str, Any]] = None, *, slot: int = 0,
                 outputs: Optional[Iterable[str]] = None, **arrays: Any) -> Any:
        """Runs one replay: arrays in by name, outputs back; the array itself where there is one output, else
        a dict by name."""
        result = self.submit(inputs, slot=slot, outputs=outputs, **arrays).result()
        if len(result) == 1 and outputs is None:
            return next(iter(result.values()))
        return result

    # ---- Changing ----------------------------------------------------------------------------

    def bind(self, **storages: Binding) -> None:
        """Moves buffers of the idle exec to other storage; bytes are not moved."""
        keep: List[Any] = []
        bindings, held = _bindings(storages, keep)
        with Diagnostics() as diags, self._handle as pointer, _Held(held):
            diags.check(lib.rp_exec_bind(pointer, bindings, len(storages), diags.pointer))

    def update(self, plan: Plan) -> Dict[str, int]:
        """Gives the idle exec another plan with the same buffers; they keep their bytes. What was kept and
        created is returned."""
        if not isinstance(plan, Plan):
            raise TypeError(f"expected a plan, got {type(plan).__name__}")
        report = sized("rp_update_report")
        with Diagnostics() as diags, self._handle as pointer, plan._handle as other:
            diags.check(lib.rp_exec_update(pointer, other, report, diags.pointer))
        self.plan = plan
        self._buffers = plan.buffers
        return {name: int(getattr(report, name)) for name in dir(report) if name not in ("size", "result")}

    # ---- Figures -----------------------------------------------------------------------------

    @property
    def counters(self) -> Dict[str, int]:
        """What it did since it was created (``reprise/counters.h``)."""
        struct = sized("rp_counters")
        with self._handle as pointer:
            check(lib.rp_exec_get_counters(pointer, struct))
        return counters_of(struct)

    @property
    def completed(self) -> int:
        """The number of the last replay that is known to be done."""
        with self._handle as pointer:
            return int(lib.rp_exec_completed(pointer))

    def gpu_seconds(self, slot: int = 0) -> Optional[float]:
        """GPU time of the slot's last replay, with ``timestamps``; None where it is not known."""
        with self._handle as pointer:
            seconds = float(lib.rp_exec_gpu_seconds(pointer, self._slot(slot)))
        return seconds if seconds >= 0 else None

    def profile(self, *, rounds: int = 20, warm_up: int = 0, slot: int = 0) -> "Profile":
        """Measures where the time goes, by group and node; buffers are left as they were."""
        from .profile import Profile
        for what, count in (("rounds", rounds), ("warm_up", warm_up)):
            if not 0 <= count < 1 << 32:
                raise UsageError(f"{count} {what}: expected 0 or more")
        return Profile(self, rounds=rounds, warm_up=warm_up, slot=self._slot(slot))

    def lost_node(self) -> Optional[str]:
        """Where the device was lost, when it was."""
        with self._handle as pointer:
            return text(lib.rp_exec_lost_node(pointer)) or None

    def __repr__(self) -> str:
        return f"<reprise.Exec of {self.plan!r}{' closed' if self.closed else ''}>"


class _Held:
    """Storages that stay open during a call."""

    def __init__(self, storages: Sequence[Storage]):
        self._storages = storages
        self._entered: List[Storage] = []

    def __enter__(self) -> None:
        try:
            for storage in self._storages:
                storage._handle.__enter__()
                self._entered.append(storage)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *unused: Any) -> None:
        while self._entered:
            self._entered.pop()._handle.__exit__()


def _bindings(given: Mapping[str, Binding], keep: List[Any]) -> Tuple[Any, List[Storage]]:
    array = ffi.new("rp_binding[]", max(1, len(given)))
    storages: List[Storage] = []
    for i, (name, binding) in enumerate(given.items()):
        storage, offset = binding if isinstance(binding, tuple) else (binding, 0)
        if not isinstance(storage, Storage):
            raise TypeError(f"'{name}' is bound to {type(storage).__name__}: expected a storage")
        if not 0 <= offset < 1 << 63:
            raise UsageError(f"'{name}' is bound at an offset of {offset}")
        if storage.closed:
            raise UsageError("the storage is closed")
        keep.append(ffi.new("char[]", cstring(name, "a buffer")))
        array[i].buffer, array[i].storage = keep[-1], storage._handle._pointer
        array[i].offset, array[i].slot = offset, _ALL_SLOTS
        storages.append(storage)
    return array, storages
