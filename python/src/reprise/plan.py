"""Plans: compiled graphs, as the bytes that are replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from . import _arrays, notebook
from ._handles import Handle, Owner
from ._library import cstring, ffi, lib, sized, text
from .errors import Diagnostics, NotFoundError, Place, UsageError, check
from .graph import Graph, PassReport

if TYPE_CHECKING:
    from .device import Device
    from .execs import Exec
    from .inspection import Inspection


class BufferInfo(NamedTuple):
    """A buffer of a plan that the application sees."""

    name: str
    kind: str
    """``in``, ``out``, ``inout``, ``weight`` or ``live``."""
    dtype: str
    shape: Tuple[int, ...]
    """The largest, where it follows live values (``sized``)."""
    nbytes: int
    sized: bool
    settable: bool
    """Of a live one: 0 where its bytes follow others."""
    image: bool
    max_value: int
    number: int

    @property
    def code(self) -> int:
        return _arrays.dtype_code(self.dtype)


class KernelInfo(NamedTuple):
    """A kernel of a plan."""

    name: str
    local_size: Tuple[int, int, int]
    shared_bytes: int
    push_bytes: int
    spirv: bytes


class PlanInfo(NamedTuple):
    """Figures of a plan."""

    name: str
    nodes: int
    dispatches: int
    groups: int
    barriers: int
    barrier_bound: int
    """No order of these nodes needs fewer barriers."""
    arena_bytes: int
    arena_bound_bytes: int
    kernels: int


class Plan(Owner):
    """A plan; it does not change, and any number of threads and execs may use it.

    It has no arrays: ``weights`` are those that the graph came with, and stay in Python
    (:func:`reprise.save_weights` writes them). A pickled plan brings them along.
    """

    reports: List[PassReport]
    """What each pass did, of a plan that was compiled here."""
    weights: Dict[str, Any]
    _node_place: Optional[Callable[[int], Optional[Place]]]

    @classmethod
    def _of(cls, pointer: Any, *, reports: Sequence[PassReport] = (),
            weights: Optional[Mapping[str, Any]] = None,
            node_place: Optional[Callable[[int], Optional[Place]]] = None) -> "Plan":
        self = cls.__new__(cls)
        self._own(Handle("the plan", pointer, lib.rp_plan_destroy))
        self.reports = list(reports)
        self.weights = dict(weights or {})
        self._node_place = node_place
        return self

    def __init__(self, path: Any, *, weights: Optional[Mapping[str, Any]] = None):
        """Opens a file; ``weights`` are arrays by the names of weight buffers, such as those of
        :func:`reprise.open_weights`."""
        out = ffi.new("rp_plan**")
        with Diagnostics() as diags:
            diags.check(lib.rp_plan_open(ffi.NULL, cstring(path, "path"), diags.pointer, out))
        self._own(Handle("the plan", out[0], lib.rp_plan_destroy))
        self.reports = []
        self.weights = {}
        self._node_place = None
        if weights is not None:
            self.weights = {b.name: weights for b in self.buffers.values()
                            if b.kind == "weight" and b.name in weights}
            self.weights = {name: file[name] for name, file in self.weights.items()}

    @classmethod
    def from_bytes(cls, data: bytes, *, name: str = "memory",
                   weights: Optional[Mapping[str, Any]] = None) -> "Plan":
        """A plan of the bytes that ``bytes(plan)`` gives."""
        view = bytes(memoryview(data))
        out = ffi.new("rp_plan**")
        with Diagnostics() as diags:
            diags.check(lib.rp_plan_from_memory(ffi.NULL, ffi.from_buffer(view), len(view), cstring(name),
                                                diags.pointer, out))
        return cls._of(out[0], weights=weights)

    def __bytes__(self) -> bytes:
        size = ffi.new("size_t*")
        with self._handle as plan:
            data = lib.rp_plan_data(plan, size)
            return bytes(ffi.buffer(data, size[0]))

    def __reduce__(self) -> Any:
        weights = {name: np.asarray(array) for name, array in self.weights.items()}
        return (_unpickle, (bytes(self), weights))

    def save(self, path: Any) -> None:
        """Writes the plan, without arrays; nothing is left half-written."""
        with Diagnostics() as diags, self._handle as plan:
            diags.check(lib.rp_plan_save(plan, cstring(path, "path"), diags.pointer))

    # ---- What it is --------------------------------------------------------------------------

    @property
    def info(self) -> PlanInfo:
        i = sized("rp_plan_info")
        with self._handle as plan:
            check(lib.rp_plan_get_info(plan, i))
            return PlanInfo(text(i.name), int(i.nodes), int(i.dispatches), int(i.groups), int(i.barriers),
                            int(i.barrier_bound), int(i.arena_bytes), int(i.arena_bound_bytes), int(i.kernels))

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def forms(self) -> List[str]:
        """Which sizes each of its forms is for, ``"tokens <= 8"``; one without a name where there are no ranges."""
        found, out = [], ffi.new("char[]", 4096)
        with self._handle as plan:
            for i in range(lib.rp_plan_form_count(plan)):
                check(lib.rp_plan_form_title(plan, i, out, len(out)))
                found.append(text(out))
        return found

    @property
    def buffers(self) -> Dict[str, BufferInfo]:
        """The buffers that the application sees, by name."""
        found: Dict[str, BufferInfo] = {}
        b = sized("rp_plan_buffer_info")
        with self._handle as plan:
            for index in range(lib.rp_plan_buffer_count(plan)):
                check(lib.rp_plan_get_buffer(plan, index, b))
                name = text(b.name)
                shape = tuple(int(b.shape[i]) for i in range(b.rank))
                found[name] = BufferInfo(
                    name, text(lib.rp_buffer_kind_name(b.kind)), _arrays.dtype_name(b.dtype),
                    shape, 0 if 0 in shape else int(b.bytes), bool(b.sized), not b.follows,
                    bool(b.image.format), int(b.max_value), index)
        return found

    def buffer(self, name: str) -> BufferInfo:
        """One of them; NotFoundError for a name that the plan has not."""
        return find_buffer(self.buffers, name)

    @property
    def kernels(self) -> List[KernelInfo]:
        k = sized("rp_plan_kernel_info")
        found: List[KernelInfo] = []
        with self._handle as plan:
            for index in range(lib.rp_plan_kernel_count(plan)):
                check(lib.rp_plan_get_kernel(plan, index, k))
                words = bytes(ffi.buffer(k.spirv, k.spirv_bytes)) if k.spirv else b""
                local = (int(k.local_size[0]), int(k.local_size[1]), int(k.local_size[2]))
                found.append(KernelInfo(text(k.name), local, int(k.shared_bytes),
                                        int(k.push_bytes), words))
        return found

    @property
    def needs(self) -> List[str]:
        """What its kernels need of a device beyond what every device has."""
        with self._handle as plan:
            bits = int(lib.rp_plan_needs(plan))
        return [text(lib.rp_plan_need_name(1 << i)) for i in range(64) if bits >> i & 1]

    def shape(self, name: str, **live: int) -> Tuple[int, ...]:
        """The shape of a buffer where live values are as given: ``plan.shape("x", tokens=7)``."""
        b = self.buffer(name)
        values = ffi.new("rp_plan_live_value[]", max(1, len(live)))
        keep = [ffi.new("char[]", cstring(key)) for key in live]
        for i, (key, value) in enumerate(live.items()):
            self.buffer(key)
            if not 0 <= int(value) < 2**32:
                raise UsageError(f"live '{key}' of {value}: expected a number of 32 bits")
            values[i].buffer, values[i].value = keep[i], int(value)
        shape = ffi.new("uint64_t[8]")
        with self._handle as plan:
            check(lib.rp_plan_get_shape(plan, b.number, values, len(live), shape, ffi.NULL),
                  f"the shape of '{name}'")
        return tuple(int(shape[i]) for i in range(len(b.shape)))

    def unwritten(self, name: str) -> List[Tuple[int, int]]:
        """Bytes of a buffer that no node writes, as (offset, size)."""
        index, count = self.buffer(name).number, ffi.new("uint32_t*")
        with self._handle as plan:
            check(lib.rp_plan_get_unwritten(plan, index, ffi.NULL, 0, count))
            ranges = ffi.new("rp_plan_bytes[]", max(1, count[0]))
            check(lib.rp_plan_get_unwritten(plan, index, ranges, count[0], count))
        return [(int(ranges[i].offset), int(ranges[i].size)) for i in range(count[0])]

    def text(self) -> str:
        """The compiled graph as text."""
        with self._handle as plan:
            return text(lib.rp_plan_text(plan, ffi.NULL))

    def source_text(self) -> str:
        """The graph that it was compiled from."""
        with self._handle as plan:
            return text(lib.rp_plan_source_text(plan, ffi.NULL))

    def _graphs(self) -> Tuple[Graph, Graph]:
        compiled, source = ffi.new("rp_graph**"), ffi.new("rp_graph**")
        with Diagnostics() as diags, self._handle as plan:
            diags.check(lib.rp_plan_graphs(plan, diags.pointer, compiled, source))
        return Graph._of(compiled[0]), Graph._of(source[0])

    @property
    def graph(self) -> Graph:
        """The compiled graph: groups, barriers, places in memory."""
        return self._graphs()[0]

    @property
    def source(self) -> Graph:
        """The graph that it was compiled from."""
        return self._graphs()[1]

    def check(self) -> None:
        """Proves the plan again: UnprovenError or DamagedError where it does not compute its source."""
        with Diagnostics() as diags, self._handle as plan:
            diags.check(lib.rp_plan_check(plan, ffi.NULL, diags.pointer, ffi.NULL))

    def open(self, device: "Optional[Device]" = None, **options: Any) -> "Exec":
        """The plan on a device: ``Exec(self, device, ...)``."""
        from .execs import Exec
        return Exec(self, device, **options)

    def html(self, **options: Any) -> str:
        """The page of the compiled graph: ``self.inspect(...).html()``."""
        return self.inspect(**options).html()

    def inspect(self, *, profile: Union[None, str, bytes, Mapping[str, Any]] = None) -> "Inspection":
        """Source and compiled graph of each form. Which passes led from one to the other the plan does not say:
        :meth:`Graph.inspect` does. ``profile`` is what ``reprise profile --format json`` prints."""
        from .inspection import Inspection
        found, title = Inspection._begin(), ffi.new("char[512]")
        compiled, source = ffi.new("rp_graph**"), ffi.new("rp_graph**")
        with self._handle as plan, found._handle as inspection, Diagnostics() as diags:
            count = lib.rp_plan_form_count(plan)
            for i in range(count):
                check(lib.rp_plan_form_title(plan, i, title, 512))
                check(lib.rp_inspection_begin(inspection, title if count > 1 else ffi.NULL))
                diags.check(lib.rp_plan_graphs(lib.rp_plan_form(plan, i), diags.pointer, compiled, source))
                try:
                    check(lib.rp_inspection_add(inspection, source[0], compiled[0]))
                finally:
                    lib.rp_graph_destroy(compiled[0])
                    lib.rp_graph_destroy(source[0])
        found._profile(profile)
        return found

    # ---- For people --------------------------------------------------------------------------

    def summary(self) -> str:
        """What compiling did, pass by pass."""
        i = self.info
        head = (f"{i.name}: {i.dispatches} dispatches in {i.groups} groups, {i.barriers} barriers "
                f"(at least {i.barrier_bound}), arena {i.arena_bytes} bytes (at least {i.arena_bound_bytes})")
        if not self.reports:
            return head
        return head + "\n\n" + notebook.columns(_HEAD, map(_row, self.reports))

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        if self.closed:
            return "<reprise.Plan closed>"
        i = self.info
        return f"<reprise.Plan {i.name!r}: {i.dispatches} dispatches, {i.barriers} barriers>"

    def _repr_svg_(self) -> Optional[str]:
        return None if self.closed else self.graph.svg()

    def _repr_html_(self) -> str:
        if self.closed:
            return notebook.preformatted(repr(self))
        head = notebook.preformatted(self.summary().split("\n")[0])
        table = notebook.table(_HEAD, map(_row, self.reports)) if self.reports else ""
        return head + table + (self.graph.svg() or "")


_HEAD = ("pass", "nodes", "groups", "barriers", "bytes", "ms", "what it did")


def _row(r: PassReport) -> Sequence[Union[str, int]]:
    return (r.name, r.nodes_after, r.groups, r.barriers, r.bytes_after, f"{1e3 * r.seconds:.1f}", r.summary)


def find_buffer(buffers: Mapping[str, BufferInfo], name: str) -> BufferInfo:
    try:
        return buffers[name]
    except (KeyError, TypeError):
        raise NotFoundError(f"the plan has no buffer {name!r}: it has {', '.join(buffers)}") from None


def _unpickle(data: bytes, weights: Dict[str, Any]) -> Plan:
    return Plan.from_bytes(data, weights=weights)


def open_plan(path: Any, *, weights: Optional[Mapping[str, Any]] = None) -> Plan:
    """Opens a plan file."""
    return Plan(path, weights=weights)
