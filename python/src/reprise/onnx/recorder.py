"""What an import makes: buffers and nodes of a pipeline, with shapes by the library's own inference.

Each op is recorded in a program, which refuses what the library refuses and says the shapes of results, and
kept as a node of YAML. The program is never compiled: what it means is what the YAML says. Dimensions that
vary are live values of the program, whatever they are in the pipeline: what ops make of their shapes is asked
of the library, too.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from .._arrays import Array, dtype_code, dtype_name, host_dtype
from ..errors import Error
from ..program import Program
from ..tensor import Dim as ProgramDim
from ..tensor import Size as ProgramSize
from ..tensor import Tensor, number_text
from .dims import Dim, Refused, Size, broadcast, parse, product, symbol
from .reader import COMPUTED, narrow

Shape = Tuple[Size, ...]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def varies(shape: Sequence[Size]) -> bool:
    return any(isinstance(n, Dim) for n in shape)


def of_sizes(given: Any) -> bool:
    """Whether an array holds dimensions that vary."""
    return isinstance(given, np.ndarray) and given.dtype == object


class Buffer:
    """A buffer of the pipeline; its name is given when it is written."""

    def __init__(self, hint: str, kind: str, dtype: str, shape: Shape):
        self.hint = hint
        self.kind = kind
        """As in YAML; "size" of a dimension that varies."""
        self.dtype = dtype
        self.shape = shape
        self.name = ""


class Value:
    """A tensor of the model that is computed: elements of a buffer, from ``offset`` on, in a shape.

    The shape is ONNX's, which may have no dimensions.
    """

    def __init__(self, buffer: Buffer, tensor: Tensor, shape: Sequence[Size], offset: int = 0):
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
        return not self.offset and product(self.shape) == product(self.buffer.shape)

    def view(self, shape: Sequence[Size], offset: int = 0) -> "Value":
        """Elements of it in another shape; costs nothing."""
        return Value(self.buffer, self.tensor, shape, self.offset + offset)

    def operand(self) -> Tensor:
        """It as an operand of the program."""
        shape = self.shape or (1,)
        if self.whole and shape == self.buffer.shape:
            return self.tensor
        place = self.offset * host_dtype(dtype_code(self.dtype)).itemsize
        return self.tensor._view(of_program(self.tensor.program, shape), place)


def of_program(program: Program, shape: Sequence[Size]) -> Tuple[ProgramDim, ...]:
    """A shape as a program has it."""
    found: List[ProgramDim] = []
    for n in shape:
        if isinstance(n, Dim) and not n.possible:
            raise Refused(f"a dimension of {n.text}: one grows with all sizes in it")
        found.append(ProgramSize(program, n.text) if isinstance(n, Dim) else int(n))
    return tuple(found)


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
        self.sizes: Dict[str, Tuple[Dim, Value]] = {}
        """Dimensions that vary, by the names that they have in the pipeline."""
        self._known: Dict[int, Tuple[Array, str, str]] = {}
        self._weights: Dict[Tuple[int, str], Value] = {}
        self._computed: Dict[Buffer, Value] = {}

    def input(self, name: str, dtype: str, shape: Shape) -> Value:
        buffer = Buffer(name, "in", dtype, shape or (1,))
        self.inputs.append(buffer)
        made = self.program.input(f"in{len(self.inputs)}", of_program(self.program, buffer.shape), dtype)
        return Value(buffer, made, shape)

    def size(self, name: str, least: int, most: int, asked: int) -> Dim:
        """A dimension that varies; the library is asked with sizes of up to ``asked``."""
        buffer = Buffer(name, "size", "u32", (1,))
        buffer.name = name
        try:
            tensor = self.program.live(name, 1, max=asked)
        except Error as error:
            raise Refused(str(error)) from None
        dim = symbol(name, least, most)
        self.sizes[name] = (dim, Value(buffer, tensor, (1,)))
        return dim

    def _shape_of(self, tensor: Tensor) -> Shape:
        names = {name: dim for name, (dim, _) in self.sizes.items()}
        return tuple(parse(n.expression, names) if isinstance(n, ProgramSize) else n for n in tensor.shape)

    def constant(self, name: str, array: Array, dtype: str = "") -> Array:
        """An array of the model, with the name that its weight will have; of sizes with the dtype of numbers."""
        self._known.setdefault(id(array), (array, name, dtype))
        return array

    def dtype(self, given: Given) -> str:
        """That of a value or an array."""
        if isinstance(given, Value):
            return given.dtype
        if of_sizes(given):
            found = self._known.get(id(given))
            return found[2] if found and found[2] else "i64"
        return dtype_name(dtype_code(given.dtype))

    def _computed_sizes(self, array: Array) -> Value:
        """Dimensions as numbers: a map of live values."""
        items = list(array.reshape(-1))
        parts = [self._formula_of(n) for n in items]
        inputs = {name: value for part in parts for name, value in part[1].items()}
        names = {name: LETTERS[i] for i, name in enumerate(inputs)}
        texts = [_renamed(text, names) for text, _ in parts]
        formula = texts[-1]
        for at in range(len(texts) - 2, -1, -1):
            formula = f"index == {at} ? {texts[at]} : {formula}"
        dtype = self.dtype(array)
        value = self.op("map", {names[name]: value for name, value in inputs.items()}, {"expr": formula},
                        dtype=COMPUTED.get(dtype, dtype), shape=(len(items),))
        return value.view(array.shape)

    def _formula_of(self, n: Any) -> Tuple[str, Dict[str, Value]]:
        """A dimension as a formula over names of sizes in braces, and their values."""
        if not isinstance(n, Dim):
            return number_text(n.item() if hasattr(n, "item") else n), {}
        text = n.formula(lambda name: f"{{{name}}}")
        return text, {name: value for name, (_, value) in self.sizes.items() if f"{{{name}}}" in text}

    def _weight(self, array: Array, dtype: Optional[str]) -> Value:
        kept = self._weights.get((id(array), dtype or ""))
        if kept is not None:
            return kept
        if of_sizes(array):
            return self._computed_sizes(array)
        known, name, _ = self._known.setdefault(id(array), (array, self.hint + ".constant", ""))
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
              dtype: Optional[str] = None, shape: Optional[Sequence[Size]] = None,
              outputs: Sequence[str] = ("out",), wide: bool = False) -> List[Value]:
        """Records an op; what it is given as dtype and shape is that of its first output."""
        values = {name: self.value(given, wide=wide) for name, given in inputs.items()}
        attributes = {name: v for name, v in (attributes or {}).items() if v is not None}
        said: Dict[str, Any] = {name: None for name in outputs}
        if dtype is not None or shape is not None:
            said[outputs[0]] = (dtype, None if shape is None else of_program(self.program, tuple(shape) or (1,)))
        try:
            made = self.program.apply(op, {n: v.operand() for n, v in values.items()}, attributes, outputs=said)
        except Error as error:
            messages = [d.message for d in error.diagnostics if d.severity == "error"]
            raise Refused("; ".join(messages) or str(error)) from None
        buffers = {name: Buffer(self.hint, "tmp", t.dtype, self._shape_of(t)) for name, t in made.items()}
        self.nodes.append(Node(op, values, dict(attributes), buffers, self.label, shape is not None))
        return [Value(buffers[name], made[name], buffers[name].shape) for name in outputs]

    def op(self, op: str, inputs: Mapping[str, Given], attributes: Optional[Mapping[str, Any]] = None,
           **options: Any) -> Value:
        return self.apply(op, inputs, attributes, **options)[0]

    def map(self, formula: str, *operands: Given, dtype: Optional[str] = None,
            shape: Optional[Sequence[Size]] = None) -> Value:
        """A formula over ``a``, ``b``, ``c`` ...; constants of one element, and sizes, stand in it as numbers."""
        texts: Dict[str, str] = {}
        inputs: Dict[str, Value] = {}

        def letter(value: Value) -> str:
            found = next((name for name, v in inputs.items() if v.buffer.kind == "size" and v is value), None)
            if found is None:
                found = LETTERS[len(inputs)]
                inputs[found] = value
            return found

        # A formula has an operand, even where all are single numbers.
        kept = next((g for g in operands if isinstance(g, Value) or g.size > 1), operands[0])
        for name, given in zip(LETTERS, operands):
            if given is kept or isinstance(given, Value) or given.size != 1:
                texts[name] = letter(self.value(given))
            elif of_sizes(given):
                text, sizes = self._formula_of(given.reshape(-1)[0])
                texts[name] = "(" + _renamed(text, {n: letter(v) for n, v in sizes.items()}) + ")"
                if self.dtype(given) in ("f32", "f16", "f64", "bf16"):
                    texts[name] = f"f32{texts[name]}"
            else:
                texts[name] = number_text(narrow(given).reshape(-1)[0].item())
        formula = re.sub(r"\b[a-z]\b", lambda m: texts.get(m.group(), m.group()), formula)
        logical = broadcast(*(tuple(g.shape) for g in operands)) if shape is None else tuple(shape)
        result = self.op("map", inputs, {"expr": formula}, dtype=dtype, shape=shape)
        return result.view(logical)

    def cast(self, given: Value, dtype: str) -> Value:
        if given.dtype == dtype:
            return given
        return self.op("cast", {"x": given}, dtype=dtype, wide=True).view(given.shape)

    def copy(self, given: Value) -> Value:
        return self.op("copy", {"x": given}, wide=True).view(given.shape)

    def places(self, start: Size, count: Size, step: int = 1) -> Value:
        """``start``, ``start + step`` ...: ``count`` integers."""
        text, sizes = self._formula_of(start)
        names = {n: LETTERS[i] for i, n in enumerate(sizes)}
        formula = "i0" if step == 1 else f"i0 * {number_text(step)}"
        if start != 0:
            formula += f" + {_renamed(text, names)}"
        return self.op("map", {names[n]: v for n, v in sizes.items()}, {"expr": formula}, dtype="i32", shape=(count,))

    def expand(self, given: Given, shape: Sequence[Size]) -> Value:
        """Repeated along dimensions of 1."""
        value = self.value(given)
        if product(value.shape) == product(shape):
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
        sizes = [product([value.shape[i] for i in run]) for run in runs]
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
            value = self._permute(value, [product([sizes[r] for r in g]) for g in groups], [0, 2, 1, 3])
            current = current[:at] + [at] + current[at:j] + current[j + 1:]
        return value.view(final)

    def _permute(self, value: Value, sizes: Sequence[Size], order: Sequence[int]) -> Value:
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
                lead = product(a.shape[:axis])
                shape = (*a.shape[:axis], a.shape[axis] + b.shape[axis], *a.shape[axis + 1:])
                rows = [(lead, product(v.shape[axis:])) for v in (a, b)]
                # Sums of sizes are no products: the library is told them.
                said = (lead, rows[0][1] + rows[1][1]) if varies(shape) else None
                joined.append(self.op("concat", {"a": a.view(rows[0]), "b": b.view(rows[1])}, shape=said).view(shape))
            parts = joined + parts[len(parts) // 2 * 2:]
        return parts[0]

    def window(self, given: Given, axis: int, start: Size, count: Size, step: int = 1) -> Value:
        """``count`` elements along an axis: a view where they lie together."""
        value = self.value(given)
        if count == value.shape[axis] and step == 1:
            return value
        shape = (*value.shape[:axis], count, *value.shape[axis + 1:])
        fixed = not varies(value.buffer.shape) and not isinstance(start, Dim)
        if fixed and product(value.shape[:axis]) == 1 and (step == 1 or count == 1):
            return value.view(shape, int(start) * int(product(value.shape[axis + 1:])))
        if isinstance(start, Dim) and not isinstance(start - value.shape[axis], Dim):
            start = start - value.shape[axis]  # from the end
        if isinstance(start, Dim) or isinstance(count, Dim):
            return self.op("take", {"x": value, "ids": self.places(start, count, step)}, {"axis": axis})
        return self.op("take_range", {"x": value}, {"axis": axis, "start": start, "count": count, "step": step})


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """A formula with letters in the place of names in braces."""
    return re.sub(r"\{(\w+)\}", lambda m: names[m.group(1)], text)
