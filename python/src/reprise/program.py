"""Programs: buffers, kernels of your own and ops, recorded call by call."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from . import _arrays
from ._arrays import Array, DTypeLike
from ._handles import Handle, Owner
from ._library import cstring, ffi, lib, sized, text
from ._places import Places, caller
from .errors import Diagnostic, Diagnostics, Error, InvalidError, Place, UsageError, check
from .graph import Graph
from .target import target_pointer
from .tensor import Dim, Live, Shape, Size, Tensor, is_number

if TYPE_CHECKING:
    from .inspection import Inspection
    from .kernel import Kernel
    from .plan import Plan

_MAX_RANK = 8
Attribute = Union[str, int, float, bool, Sequence[Union[int, float]]]


class Program(Owner):
    """A graph that is recorded from Python.

    ::

        p = reprise.Program()
        x = p.input("x", (4, 64))
        w = p.weight("w", np.ones(64, np.float32))
        p.output("y", ops.rms_norm(x, w))
        run = p.compile().open()
        y = run(x=array)

    The graph means its calls one after the other. Several threads may record, one call at a time.
    """

    def __init__(self, name: str = "program", *, target: Any = None):
        out, recorder = ffi.new("rp_program**"), ffi.new("rp_recorder**")
        self.name = name
        self._target = target_pointer(target)
        status = lib.rp_program_create(ffi.NULL, cstring(name, "name"), out)
        if status == lib.RP_ERROR_USAGE:
            raise InvalidError(f"{name!r} cannot name a program: expected letters, digits, '_', '.' and '-'")
        check(status, "a program")
        self._own(Handle("the program", out[0], lib.rp_program_destroy, exclusive=True))
        check(lib.rp_recorder_create(out[0], recorder), "a program")
        self._recorder = Handle("the recorder", recorder[0], lib.rp_recorder_destroy, [self._handle])
        if self._target != ffi.NULL:
            check(lib.rp_program_set_target(out[0], self._target), "a program")
        self._places = Places()
        self._weights: Dict[str, Array] = {}
        self._names: Dict[str, Tensor] = {}
        self._sizes: Dict[int, Size] = {}
        self._extents: Dict[str, int] = {}
        self._constants: Dict[int, Tuple[Any, Tensor]] = {}
        self._outputs: Dict[str, Tensor] = {}
        self._unnamed = 0
        self._lock = threading.RLock()

    # ---- Buffers -----------------------------------------------------------------------------

    def _marks(self, shape: Sequence[Dim]) -> Tuple[int, ...]:
        """Dimensions as the library takes them."""
        marks: List[int] = []
        for n in shape:
            if isinstance(n, Size):
                if n.program is not self:
                    raise InvalidError(f"the size {n} is of another program")
                marks.append(self._extent(n))
            else:
                marks.append(n)
        return tuple(marks)

    def _extent(self, size: Size) -> int:
        with self._lock:
            found = self._extents.get(size.expression)
            if found is None:
                out = ffi.new("uint64_t*")
                with Diagnostics() as diags, self._handle as program:
                    diags.check(lib.rp_program_extent(program, cstring(size.expression), diags.pointer, out))
                found = self._extents[size.expression] = int(out[0])
                self._sizes.setdefault(found, size)
            return found

    def _expression(self, mark: int) -> str:
        """What an extent is, in words that extents are made of."""
        with self._handle as program:
            size = lib.rp_program_print_extent(program, mark, ffi.NULL, 0)
            out = ffi.new("char[]", size + 1)
            lib.rp_program_print_extent(program, mark, out, size + 1)
        return text(out)

    def _dims(self, marks: Sequence[int]) -> Tuple[Dim, ...]:
        """And back: what the library gave as dimensions."""
        dims: List[Dim] = []
        for n in marks:
            if n >> 48 == 0xB5E5:  # no shape has so large ones
                size = self._sizes.get(n)
                if size is None:
                    size = self._sizes[n] = Size(self, self._expression(n))
                    self._extents[size.expression] = n
                dims.append(size)
            else:
                dims.append(n)
        return tuple(dims)

    def _shape(self, shape: Shape) -> Tuple[Dim, ...]:
        dims = (shape,) if isinstance(shape, (int, Size, Live, np.integer)) else tuple(shape)
        if not 1 <= len(dims) <= _MAX_RANK:
            raise InvalidError(f"a shape has 1 to {_MAX_RANK} dimensions, not {len(dims)}")
        fixed: List[Dim] = []
        for n in dims:
            if isinstance(n, Live):
                n = n.as_size()
            if not isinstance(n, Size):
                try:
                    n = n.__index__()
                except AttributeError:
                    raise TypeError(f"a dimension is an integer or a size, not {type(n).__name__}") from None
                if not 0 <= n < 1 << 41:
                    raise InvalidError(f"a dimension of {n}: expected 0 or more, and at most 2^40 bytes in all")
            fixed.append(n)
        return tuple(fixed)

    def _buffer(self, name: str, kind: int, code: int, shape: Sequence[Dim], *, nbytes: int = 0,
                initial: Optional[Array] = None, max_value: int = 0,
                ranges: "Union[Sequence[int], str]" = ()) -> Tensor:
        params = sized("rp_buffer_params")
        label = ffi.new("char[]", cstring(name, "name"))
        marks = self._marks(shape)
        params.name, params.kind, params.dtype = label, kind, code
        params.rank, params.bytes, params.max_value = len(marks), nbytes, max_value
        for i, n in enumerate(marks):
            params.shape[i] = n
        kept = ffi.from_buffer(initial) if initial is not None else ffi.NULL
        params.initial = kept
        limits = ffi.new("uint32_t[]", 1 if ranges == "auto" else [int(n) for n in ranges] or 1)
        if ranges == "auto":
            params.range_count = lib.RP_RANGES_AUTO
        elif ranges:
            params.ranges, params.range_count = limits, len(ranges)
        out = ffi.new("rp_buffer*")
        with Diagnostics() as diags, self._handle as program:
            status = lib.rp_program_buffer(program, params, diags.pointer, out)
            diags.check(status)
        tensor_class = Live if kind == lib.RP_LIVE else Tensor
        tensor = tensor_class(self, name, out.id, code, tuple(shape) or (nbytes,), marks, kind=kind)
        with self._lock:
            self._names[name] = tensor
        return tensor

    def input(self, name: str, shape: Shape, dtype: DTypeLike = "f32") -> Tensor:
        """What the host writes before a replay, and nodes read."""
        return self._buffer(name, lib.RP_IN, _arrays.dtype_code(dtype), self._shape(shape))

    def state(self, name: str, shape: Shape, dtype: DTypeLike = "f32") -> Tensor:
        """What keeps its bytes from one replay to the next; zeros at first."""
        return self._buffer(name, lib.RP_INOUT, _arrays.dtype_code(dtype), self._shape(shape))

    def temporary(self, shape: Shape, dtype: DTypeLike = "f32", *, name: Optional[str] = None) -> Tensor:
        """What lives inside one replay: for what kernels of your own write. Ops make theirs."""
        return self._buffer(name or self._new_name(), lib.RP_TMP, _arrays.dtype_code(dtype), self._shape(shape))

    def weight(self, name: str, array: Any = None, *, shape: Optional[Shape] = None,
               dtype: Optional[DTypeLike] = None) -> Tensor:
        """What stays the same for all replays: an array, which execs of the program's plans begin with, or a
        shape and a dtype for what is loaded later. The array is not copied before: do not change it.

        ``dtype`` with an array stores it so: ``"bf16"`` rounds f32, ``"q8_0"`` and ``"q4_0"`` take bytes of
        blocks, in a last dimension of 34 or 18 bytes for 32 elements.
        """
        if array is None:
            if shape is None:
                raise UsageError(f"weight '{name}' has neither an array nor a shape")
            return self._buffer(name, lib.RP_WEIGHT, _arrays.dtype_code(dtype or "f32"), self._shape(shape))
        given = _arrays.as_array(array)
        code = _arrays.dtype_code(given.dtype if dtype is None else dtype)
        size, block = int(lib.rp_dtype_size(code)), _arrays.block(code)
        dims = given.shape or (1,)
        if block > 1 and shape is None:
            if given.dtype != np.uint8 or dims[-1] % size:
                raise InvalidError(f"weight '{name}' of {_arrays.dtype_name(code)} takes bytes, {size} for "
                                   f"{block} elements, not {given.dtype}{list(dims)}")
            dims = (*dims[:-1], dims[-1] // size * block)
        tensor = self._buffer(name, lib.RP_WEIGHT, code, self._shape(dims if shape is None else shape))
        with self._lock:
            self._weights[name] = _arrays.to_bytes(name, given, code, tensor.fixed_shape(), tensor.nbytes)
        return tensor

    def constant(self, value: Any, dtype: Optional[DTypeLike] = None) -> Tensor:
        """A weight without a name of its own; the same array gives the same tensor."""
        key = id(value)
        with self._lock:
            found = self._constants.get(key)
            if found is None or (dtype is not None and _arrays.dtype_code(dtype) != found[1]._code):
                array = _arrays.as_array(value, None if dtype is None else _arrays.dtype_code(dtype))
                # Kept, so that its id stays its own.
                found = (value, self.weight(self._new_name("_constant"), array, dtype=dtype))
                self._constants[key] = found
            return found[1]

    def live(self, name: str, value: Any = 0, *, shape: Optional[Shape] = None,
             dtype: Optional[DTypeLike] = None, max: int = 0,
             ranges: "Union[Sequence[int], str]" = ()) -> "Live":
        """Values that change between replays at the price of a memcpy. u32 for integers, f32 for floats,
        where no dtype is said. With ``max`` it may stand in shapes: ``p.input("x", (tokens, 64))``. The plan has a
        form for each of ``ranges``, ascending largest values below ``max``, or ``"auto"``: those of the target."""
        array = np.atleast_1d(_arrays.plain(value))
        if dtype is None:
            dtype = "f32" if array.dtype.kind == "f" else "u32" if array.min(initial=0) >= 0 else "i32"
        code = _arrays.dtype_code(dtype)
        dims = self._shape(array.shape if shape is None else shape)
        if array.size == 1:
            array = np.full(tuple(int(n) for n in dims if not isinstance(n, Size)), array.reshape(-1)[0])
        initial = np.ascontiguousarray(_arrays._numbers(array, code))
        if initial.shape != dims:
            raise InvalidError(f"live '{name}' is {list(dims)}, its values are {list(initial.shape)}")
        if not 0 <= max < 1 << 32:
            raise InvalidError(f"a largest value of {max}: expected one of 32 bits")
        if isinstance(ranges, str) and ranges != "auto":
            raise InvalidError(f"ranges of '{ranges}': expected a list of numbers, or auto")
        if not isinstance(ranges, str) and not all(0 <= int(n) < 1 << 32 for n in ranges):
            raise InvalidError(f"ranges of {list(ranges)}: expected numbers of 32 bits")
        tensor = self._buffer(name, lib.RP_LIVE, code, dims, initial=initial, max_value=max, ranges=ranges)
        assert isinstance(tensor, Live)
        return tensor

    def output(self, name: str, tensor: Tensor) -> Tensor:
        """Gives a tensor out, under a name. A view, and what is an input or an output already, is copied."""
        tensor = self._tensor(tensor)
        with self._lock, self._handle as program:
            if tensor._kind == lib.RP_TMP and tensor._whole and self._names.get(tensor.name) is tensor:
                old = tensor.name
                with Diagnostics() as diags:
                    diags.check(lib.rp_program_output(program, (tensor._buffer,), cstring(name, "name"),
                                                      diags.pointer))
                tensor.name, tensor._kind = name, lib.RP_OUT
                self._names[name] = self._names.pop(old)
                self._outputs[name] = tensor
                return tensor
            from . import ops
            out = self._buffer(name, lib.RP_OUT, tensor._code, tensor.shape)
            self._outputs[name] = out
            ops.copy(tensor, out=out)
            return out

    def result(self, name: str, shape: Shape, dtype: DTypeLike = "f32") -> Tensor:
        """An output that is there before what writes it: for kernels of your own, and ``out=`` of ops."""
        out = self._buffer(name, lib.RP_OUT, _arrays.dtype_code(dtype), self._shape(shape))
        self._outputs[name] = out
        return out

    def __getitem__(self, name: str) -> Tensor:
        """The tensor of a buffer's name."""
        return self._names[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def _new_name(self, stem: str = "_t") -> str:
        """Names that begin with "_" are those that nobody gave."""
        with self._lock:
            while True:
                name = f"{stem}{self._unnamed}"
                self._unnamed += 1
                if name not in self._names:
                    return name

    def _tensor(self, value: Any, like: Optional[Tensor] = None) -> Tensor:
        """An operand: a tensor of this program, a number, or an array, which becomes a weight."""
        if isinstance(value, Tensor):
            if value.program is not self:
                raise InvalidError(f"'{value.name}' is a tensor of another program")
            return value
        if is_number(value) and like is not None:
            return self.constant(np.asarray([value], _arrays.host_dtype(like._code)),
                                 like.dtype if _arrays.block(like._code) == 1 else None)
        return self.constant(value)

    # ---- Recording ---------------------------------------------------------------------------

    @contextmanager
    def _call(self) -> "Iterator[Any]":
        """The recorder, at the place of the user's call."""
        place = caller()
        with self._lock, self._handle, self._recorder as recorder:
            lib.rp_source_line(recorder, ffi.NULL, self._places.number(place), 0)
            yield recorder

    def _at(self, error: Error, place: Place) -> Error:
        """The error with the place of the call, where what it says has none."""
        found = [Diagnostic(d.severity, d.message, *place) if not d.line and not d.file else d
                 for d in error.diagnostics]
        lines = [str(d) for d in found if d.severity != "warning"]
        return type(error)("\n".join(lines) or str(error), found)

    def apply(self, op: str, inputs: Mapping[str, Any], attributes: Mapping[str, Attribute], *,
              outputs: Mapping[str, Union[Tensor, None, Tuple[Optional[DTypeLike], Optional[Shape]]]],
              ) -> Dict[str, Tensor]:
        """Records an op: :mod:`reprise.ops` is made of it.

        ``outputs`` says for each name the tensor that it is written to, or ``None``, or a dtype and a
        shape, for one that is made. All outputs are returned.
        """
        place = caller()
        like = next((v for v in inputs.values() if isinstance(v, Tensor)), None)
        tensors = {name: self._tensor(value, like) for name, value in inputs.items()}
        keep: List[Any] = []
        count = len(tensors) + len(outputs)
        operands = ffi.new("rp_operand[]", max(1, count))
        made: Dict[str, Any] = {}
        for at, (name, tensor) in enumerate(tensors.items()):
            _fill_operand(operands[at], name, tensor, keep)
        for at, (name, given) in enumerate(outputs.items(), len(tensors)):
            if isinstance(given, Tensor):
                _fill_operand(operands[at], name, self._tensor(given), keep)
            else:
                made[name] = operands[at]
                label = ffi.new("char[]", cstring(name))
                keep.append(label)
                operands[at].name = label
                dtype, shape = given if given else (None, None)
                if dtype is not None:
                    operands[at].dtype = _arrays.dtype_code(dtype)
                if shape is not None:
                    dims = self._marks(self._shape(shape))
                    operands[at].rank = len(dims)
                    for i, n in enumerate(dims):
                        operands[at].shape[i] = n
        attrs = ffi.new("rp_attribute[]", max(1, len(attributes)))
        for i, (name, value) in enumerate(attributes.items()):
            _fill_attribute(attrs[i], name, value, keep)
        results: Dict[str, Tensor] = {}
        code = cstring(op)
        try:
            with self._lock, self._handle as program:
                with Diagnostics() as diags:
                    diags.check(lib.rp_program_infer(program, code, operands, count, attrs, len(attributes),
                                                     diags.pointer))
                for name, operand in made.items():
                    marks = [int(operand.shape[i]) for i in range(operand.rank)]
                    results[name] = self._buffer(self._new_name(), lib.RP_TMP, operand.dtype,
                                                 self._dims(marks))
                    operand.range.buffer.id = results[name]._buffer
                with self._call() as recorder:
                    lib.rp_apply(recorder, code, operands, count, attrs, len(attributes))
        except Error as error:
            raise self._at(error, place) from None
        for name, given in outputs.items():
            if isinstance(given, Tensor):
                results[name] = given
        return {name: results[name] for name in outputs}

    def _try(self, record: Callable[[Any], None]) -> None:
        """Records calls for a graph of their own: a mistake is raised here, and not kept by the recorder."""
        recorders, out, graph = ffi.new("rp_recorder**"), ffi.new("rp_recorder*[1]"), ffi.new("rp_graph**")
        with self._lock, self._handle as program, Diagnostics(self._places.find) as diags:
            check(lib.rp_recorder_create(program, recorders), "a recorder")
            out[0] = recorders[0]
            try:
                record(recorders[0])
                status = lib.rp_program_graph(program, out, 1, diags.pointer, graph)
                if status != lib.RP_OK:
                    diags.check(status)
                lib.rp_graph_destroy(graph[0])
            finally:
                lib.rp_recorder_destroy(recorders[0])

    @contextmanager
    def label(self, label: str) -> "Iterator[None]":
        """Names the nodes that are recorded inside, in dumps and tools; labels nest."""
        words = cstring(label, "label")
        if len(words) > 65535:  # the recorder would take it for a mistake, and nothing behind it
            raise InvalidError(f"a label of {len(words)} bytes: expected at most 65535")
        with self._call() as recorder:
            lib.rp_label_begin(recorder, words)
        try:
            yield
        finally:
            with self._call() as recorder:
                lib.rp_label_end(recorder)

    @contextmanager
    def optional(self, label: str) -> "Iterator[None]":
        """The ops and dispatches inside may be left out of replays (``switches`` of an exec, by the label)."""
        with self.label(label):
            with self._call() as recorder:
                lib.rp_optional_begin(recorder)
            try:
                yield
            finally:
                with self._call() as recorder:
                    lib.rp_optional_end(recorder)

    def fence(self) -> None:
        """Orders everything before against everything behind: correct programs need none."""
        with self._call() as recorder:
            lib.rp_fence(recorder)

    def kernel(self, name: str, glsl: Optional[str] = None, *, spirv: Optional[bytes] = None,
               file: Optional[str] = None, defines: Optional[Mapping[str, Any]] = None,
               spec: Optional[Mapping[int, Union[int, float, bool]]] = None,
               include: Sequence[str] = (), entry: Optional[str] = None) -> "Kernel":
        """A kernel of your own: GLSL, a file with it, or SPIR-V; see :class:`reprise.Kernel`."""
        from .kernel import Kernel
        return Kernel(self, name, glsl, spirv=spirv, file=file, defines=defines, spec=spec, include=include,
                      entry=entry)

    # ---- The graph ---------------------------------------------------------------------------

    def graph(self) -> Graph:
        """What was recorded so far, in as many forms as live sizes have ranges. The program may go on."""
        recorders, out, forms = ffi.new("rp_recorder*[1]"), ffi.new("rp_graph**"), []
        with self._lock, self._handle as program, self._recorder as recorder:
            recorders[0] = recorder
            for form in range(lib.rp_program_form_count(program)):
                with Diagnostics(self._places.find) as diags:
                    diags.check(lib.rp_program_form(program, recorders, 1, form, diags.pointer, out))
                forms.append(Graph._of(out[0], places=self._places, weights=dict(self._weights)))
        forms[-1]._smaller = tuple(forms[:-1])
        return forms[-1]

    def compile(self, **options: Any) -> "Plan":
        """``self.graph().compile(...)``."""
        return self.graph().compile(**options)

    def inspect(self, **options: Any) -> "Inspection":
        """``self.graph().inspect(...)``."""
        return self.graph().inspect(**options)

    def html(self, **options: Any) -> str:
        """``self.graph().html(...)``."""
        return self.graph().html(**options)

    def _repr_svg_(self) -> Optional[str]:
        return self.graph()._repr_svg_()

    def _repr_html_(self) -> str:
        return self.graph()._repr_html_()

    def __repr__(self) -> str:
        return f"<reprise.Program {self.name!r}{' closed' if self.closed else ''}>"


def _fill_operand(operand: Any, name: str, tensor: Tensor, keep: List[Any]) -> None:
    label = ffi.new("char[]", cstring(name, "an operand's name"))
    keep.append(label)
    operand.name = label
    operand.range.buffer.id = tensor._buffer
    if tensor._whole:
        return
    operand.range.offset = tensor._offset
    operand.dtype = tensor._code
    operand.rank = len(tensor._marks)
    for i, n in enumerate(tensor._marks):
        operand.shape[i] = n


def _fill_attribute(attribute: Any, name: str, value: Attribute, keep: List[Any]) -> None:
    label = ffi.new("char[]", cstring(name, "an attribute's name"))
    keep.append(label)
    attribute.name = label
    if isinstance(value, (Tensor, Size)):
        raise TypeError(f"attribute '{name}' is {value!r}: it is fixed when a program is compiled; one that shapes show is "
                        "left out, and follows that of an output")
    if isinstance(value, str):
        words: Optional[bytes] = cstring(value, name)
    elif is_number(value):
        whole = int(value) if hasattr(value, "__index__") else 0
        words = str(whole).encode() if abs(whole) > 2**53 else None  # digits that a double has not
        attribute.number = 0.0 if words else float(value)  # type: ignore[arg-type]
    else:
        try:
            items = [n.item() if hasattr(n, "item") else n for n in value]  # type: ignore[union-attr]
        except TypeError:
            raise TypeError(f"attribute '{name}' is {type(value).__name__}: expected a number, a text or a "
                            "list of numbers") from None
        if not all(is_number(n) for n in items):
            raise TypeError(f"attribute '{name}': expected a list of numbers")
        words = ", ".join(str(int(n)) if isinstance(n, (bool, int)) else repr(n) for n in items).encode()
    if words is not None:
        pointer = ffi.new("char[]", words)
        keep.append(pointer)
        attribute.text = pointer
