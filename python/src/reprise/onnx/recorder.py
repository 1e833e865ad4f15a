"""What an import makes: buffers and nodes of a pipeline, with shapes by the library's own inference.

Each op is recorded in a program, which refuses what the library refuses and says the shapes of results, and
kept as a node of YAML. The program is never compiled: what it means is what the YAML says.
"""

from __future__ import annotations

import math
import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from .._arrays import Array, dtype_code, host_dtype
from ..errors import Error
from ..program import Program
from ..tensor import Tensor, number_text
from .reader import COMPUTED, narrow

Shape = Tuple[int, ...]


class Refused(Exception):
    """Why a node cannot be imported."""


class Buffer:
    """A buffer of the pipeline; its name is given when it is written."""

    def __init__(self, hint: str, kind: str, dtype: str, shape: Shape):
        self.hint = hint
        self.kind = kind
        self.dtype = dtype
        self.shape = shape
        self.name = ""


class Value:
    """A tensor of the model that is computed: elements of a buffer, from ``offset`` on, in a shape.

    The shape is ONNX's, which may have no dimensions.
    """

    def __init__(self, buffer: Buffer, tensor: Tensor, shape: Sequence[int], offset: int = 0):
        self.buffer = buffer
        self.tensor = tensor
        self.shape: Shape = tuple(shape)
        self.offset = offset

    @property
    def dtype(self) -> str:
        return self.buffer.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def whole(self) -> bool:
        return not self.offset and math.prod(self.shape) == math.prod(self.buffer.shape)

    def view(self, shape: Sequence[int], offset: int = 0) -> "Value":
        """Elements of it in another shape; costs nothing."""
        return Value(self.buffer, self.tensor, shape, self.offset + offset)

    def operand(self) -> Tensor:
        """It as an operand of the program."""
        shape = self.shape or (1,)
        if self.whole:
            return self.tensor if shape == self.tensor.shape else self.tensor.reshape(shape)
        flat = self.tensor.reshape(-1)
        return flat[self.offset:self.offset + math.prod(shape)].reshape(shape)


Given = Union[Value, Array]


class Node:
    """An op of the pipeline."""

    def __init__(self, op: str, inputs: Dict[str, Value], attributes: Dict[str, Any], outputs: Dict[str, Buffer],
                 label: str, shaped: bool):
        self.op = op
        self.inputs = inputs
        self.attributes = attributes
        self.outputs = outputs
        self.label = label
        self.shaped = shaped
        """Whether the shape of the result has to be said: its inputs do not tell it."""


class Recorder:
    """Records ops on values; constants that they meet become weights."""

    def __init__(self) -> None:
        self.program = Program("onnx")
        self.nodes: List[Node] = []
        self.inputs: List[Buffer] = []
        self.weights: List[Tuple[Buffer, Array]] = []
        self.label = ""
        self.hint = ""
        self._known: Dict[int, Tuple[Array, str]] = {}
        self._weights: Dict[Tuple[int, str], Value] = {}
        self._computed: Dict[Buffer, Value] = {}

    def input(self, name: str, dtype: str, shape: Shape) -> Value:
        buffer = Buffer(name, "in", dtype, shape or (1,))
        self.inputs.append(buffer)
        return Value(buffer, self.program.input(f"in{len(self.inputs)}", buffer.shape, dtype), shape)

    def constant(self, name: str, array: Array) -> Array:
        """An array of the model, with the name that its weight will have."""
        self._known.setdefault(id(array), (array, name))
        return array

    def _weight(self, array: Array, dtype: Optional[str]) -> Value:
        kept = self._weights.get((id(array), dtype or ""))
        if kept is not None:
            return kept
        if array.size == 0:
            raise Refused("an input has no elements")
        known, name = self._known.setdefault(id(array), (array, self.hint + ".constant"))
        data = np.ascontiguousarray(narrow(array))
        if dtype is not None and data.dtype != host_dtype(dtype_code(dtype)):
            data = data.astype(host_dtype(dtype_code(dtype)))
        tensor = self.program.weight(f"w{len(self.weights)}", shape=data.shape or (1,), dtype=data.dtype)
        buffer = Buffer(name, "weight", tensor.dtype, data.shape or (1,))
        self.weights.append((buffer, data.reshape(buffer.shape)))
        value = self._weights[(id(array), dtype or "")] = Value(buffer, tensor, array.shape)
        return value

    def value(self, given: Given, dtype: Optional[str] = None, wide: bool = False) -> Value:
        """A value to compute with; ``wide`` ones may have 64 bits, as ids do."""
        if not isinstance(given, Value):
            return self._weight(given, dtype)
        if given.dtype in COMPUTED and not wide:
            found = self._computed.get(given.buffer)
            if found is None:
                all_of_it = given.view(given.buffer.shape, -given.offset)
                found = self._computed[given.buffer] = self.cast(all_of_it, COMPUTED[given.dtype])
            return found.view(given.shape, given.offset)
        return given

    # ---- Ops ---------------------------------------------------------------------------------

    def apply(self, op: str, inputs: Mapping[str, Given], attributes: Optional[Mapping[str, Any]] = None, *,
              dtype: Optional[str] = None, shape: Optional[Sequence[int]] = None,
              outputs: Sequence[str] = ("out",), wide: bool = False) -> List[Value]:
        """Records an op; what it is given as dtype and shape is that of its first output."""
        values = {name: self.value(given, wide=wide) for name, given in inputs.items()}
        attributes = {name: v for name, v in (attributes or {}).items() if v is not None}
        said: Dict[str, Any] = {name: None for name in outputs}
        if dtype is not None or shape is not None:
            said[outputs[0]] = (dtype, None if shape is None else tuple(shape) or (1,))
        try:
            made = self.program.apply(op, {n: v.operand() for n, v in values.items()}, attributes, outputs=said)
        except Error as error:
            messages = [d.message for d in error.diagnostics if d.severity == "error"]
            raise Refused("; ".join(messages) or str(error)) from None
        buffers = {name: Buffer(self.hint, "tmp", t.dtype, t.fixed_shape()) for name, t in made.items()}
        self.nodes.append(Node(op, values, dict(attributes), buffers, self.label, shape is not None))
        return [Value(buffers[name], made[name], buffers[name].shape) for name in outputs]

    def op(self, op: str, inputs: Mapping[str, Given], attributes: Optional[Mapping[str, Any]] = None,
           **options: Any) -> Value:
        return self.apply(op, inputs, attributes, **options)[0]

    def map(self, formula: str, *operands: Given, dtype: Optional[str] = None,
            shape: Optional[Sequence[int]] = None) -> Value:
        """A formula over ``a``, ``b``, ``c`` ...; constants of one element stand in it as numbers."""
        names = "abcdefghijklmnopqrstuvwxyz"
        inputs: Dict[str, Value] = {}
        # A formula has an operand, even where all are single numbers.
        kept = next((g for g in operands if isinstance(g, Value) or g.size > 1), operands[0])
        for name, given in zip(names, operands):
            if given is not kept and not isinstance(given, Value) and given.size == 1:
                number = narrow(given).reshape(-1)[0].item()
                text = number_text(number)
                formula = re.sub(rf"\b{name}\b", lambda m: text, formula)
            else:
                inputs[name] = self.value(given)
        logical = np.broadcast_shapes(*(tuple(g.shape) for g in operands)) if shape is None else tuple(shape)
        result = self.op("map", inputs, {"expr": formula}, dtype=dtype, shape=shape)
        return result.view(logical)

    def cast(self, given: Value, dtype: str) -> Value:
        if given.dtype == dtype:
            return given
        return self.op("cast", {"x": given}, dtype=dtype, wide=True).view(given.shape)

    def copy(self, given: Value) -> Value:
        return self.op("copy", {"x": given}, wide=True).view(given.shape)

    def expand(self, given: Given, shape: Sequence[int]) -> Value:
        """Repeated along dimensions of 1."""
        value = self.value(given)
        if math.prod(value.shape) == math.prod(shape):
            return value.view(shape)
        return self.map("index < 0 ? a : a", value, dtype=value.dtype, shape=shape)

    def transpose(self, given: Given, order: Sequence[int]) -> Value:
        """Dimensions in another order: as few ops as dimensions that move apart."""
        value = self.value(given)
        final = tuple(value.shape[i] for i in order)
        kept = [i for i in order if value.shape[i] != 1]
        runs: List[List[int]] = []  # dimensions that stay side by side
        rest = [i for i in range(value.ndim) if value.shape[i] != 1]
        for i in kept:
            if runs and rest.index(runs[-1][-1]) + 1 == rest.index(i):
                runs[-1].append(i)
            else:
                runs.append([i])
        current = sorted(range(len(runs)), key=lambda r: runs[r][0])
        sizes = [math.prod(value.shape[i] for i in run) for run in runs]
        if len(runs) <= 1:
            return value.view(final)
        if len(runs) <= 4:
            return self._permute(value, [sizes[r] for r in current],
                                 [current.index(r) for r in range(len(runs))]).view(final)
        for at in range(len(runs)):
            j = current.index(at)
            if j == at:
                continue
            groups = [current[:at], current[at:j], [current[j]], current[j + 1:]]
            value = self._permute(value, [math.prod(sizes[r] for r in g) for g in groups], [0, 2, 1, 3])
            current = current[:at] + [at] + current[at:j] + current[j + 1:]
        return value.view(final)

    def _permute(self, value: Value, sizes: Sequence[int], order: Sequence[int]) -> Value:
        if list(order) == [1, 0]:
            return self.op("transpose", {"x": value.view(sizes)})
        if list(order) == [0, 2, 1]:
            return self.op("transpose", {"x": value.view(sizes)})
        lead = 4 - len(sizes)
        places = [*range(lead), *(lead + i for i in order)]
        return self.op("permute", {"x": value.view([1] * lead + list(sizes))},
                       {"order": "".join("abcd"[i] for i in places)})

    def concat(self, values: Sequence[Given], axis: int) -> Value:
        """Joined along an axis, in pairs."""
        parts = [self.value(v) for v in values]
        while len(parts) > 1:
            joined: List[Value] = []
            for a, b in zip(parts[::2], parts[1::2]):
                lead = math.prod(a.shape[:axis])
                shape = (*a.shape[:axis], a.shape[axis] + b.shape[axis], *a.shape[axis + 1:])
                flat = self.op("concat", {"a": a.view((lead, math.prod(a.shape) // lead)),
                                          "b": b.view((lead, math.prod(b.shape) // lead))})
                joined.append(flat.view(shape))
            parts = joined + parts[len(parts) // 2 * 2:]
        return parts[0]

    def window(self, given: Given, axis: int, start: int, count: int, step: int = 1) -> Value:
        """``count`` elements along an axis: a view where they lie together."""
        value = self.value(given)
        if count == value.shape[axis] and step == 1:
            return value
        shape = (*value.shape[:axis], count, *value.shape[axis + 1:])
        if count < 1:
            raise Refused("the result has no elements")
        if math.prod(value.shape[:axis]) == 1 and (step == 1 or count == 1):
            return value.view(shape, start * math.prod(value.shape[axis + 1:]))
        return self.op("take_range", {"x": value}, {"axis": axis, "start": start, "count": count, "step": step})

