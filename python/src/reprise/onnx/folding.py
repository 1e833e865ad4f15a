"""Operators on constants, in NumPy: what exporters compute shapes with vanishes.

Arrays of dimensions that vary hold objects (``dims.py``), with which NumPy computes by their own operators.
"""

from __future__ import annotations

import math
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from .._arrays import Array
from .dims import Dim, Refused, Size, divided, limited, whole
from .reader import DTYPES, Step
from .recorder import of_sizes

LARGEST = 1 << 24
"""Elements of a result: what is larger is left to the device."""

Fold = Callable[[Step, List[Any]], Any]
FOLDS: Dict[str, Fold] = {}
NUMPY = {1: "f4", 2: "u1", 3: "i1", 4: "u2", 5: "i2", 6: "i4", 7: "i8", 9: "?", 10: "f2", 11: "f8", 12: "u4",
         13: "u8"}


def _fold(*names: str) -> Callable[[Fold], Fold]:
    def add(function: Fold) -> Fold:
        FOLDS.update({name: function for name in names})
        return function
    return add


def _simple(name: str, function: Callable[..., Any]) -> None:
    FOLDS[name] = lambda step, x: function(*x)


def _divide(a: Array, b: Array) -> Array:
    if of_sizes(a) or of_sizes(b):
        return np.asarray(np.frompyfunc(lambda m, n: divided(m, n, "/"), 2, 1)(a, b), object)
    if a.dtype.kind == "f":
        return np.asarray(a / b)
    quotient = np.abs(a) // np.abs(b)
    return np.asarray(np.sign(a) * np.sign(b) * quotient, a.dtype)


_FUNCTIONS: Dict[str, Callable[..., Any]] = {
        "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": _divide, "Neg": np.negative, "Abs": np.abs,
        "Floor": np.floor, "Ceil": np.ceil, "Sqrt": np.sqrt, "Exp": np.exp, "Log": np.log, "Sign": np.sign,
        "Equal": np.equal, "Less": np.less, "Greater": np.greater, "LessOrEqual": np.less_equal,
        "GreaterOrEqual": np.greater_equal, "And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor,
        "Not": np.logical_not, "Where": np.where, "Round": np.round, "Identity": lambda x: x,
        "Reciprocal": lambda x: np.asarray(1 / x, x.dtype)}
for _name, _function in _FUNCTIONS.items():
    _simple(_name, _function)

FOLDS["Pow"] = lambda step, x: np.power(x[0], x[1]).astype(x[0].dtype)
FOLDS["Mod"] = lambda step, x: np.fmod(*x) if step.attributes.get("fmod") else np.mod(*x)


@_fold("Max", "Min", "Sum")
def _several(step: Step, x: List[Any]) -> Any:
    function: Any = {"Max": np.maximum, "Min": np.minimum, "Sum": np.add}[step.op]
    if step.op != "Sum" and any(map(of_sizes, x)):
        function = np.frompyfunc(lambda a, b: limited(a, b, step.op.lower()), 2, 1)
    result = x[0]
    for other in x[1:]:
        result = function(result, other)
    return result


@_fold("Cast")
def _cast(step: Step, x: List[Any]) -> Any:
    kind = NUMPY.get(step.attributes["to"])
    if kind is None:
        raise Refused(f"casts to the ONNX data type {step.attributes['to']}")
    if of_sizes(x[0]):
        return x[0] if kind != "?" else x[0] != 0
    with np.errstate(invalid="ignore", over="ignore"):
        return x[0].astype(kind)


@_fold("CastLike")
def _cast_like(step: Step, x: List[Any]) -> Any:
    return x[0].astype(x[1].dtype)


@_fold("Size")
def _size(step: Step, x: List[Any]) -> Any:
    return np.asarray(x[0].size, "i8")


@_fold("Constant")
def _constant(step: Step, x: List[Any]) -> Any:
    for name, kind in (("value", None), ("value_float", "f4"), ("value_floats", "f4"), ("value_int", "i8"),
                       ("value_ints", "i8")):
        if name in step.attributes:
            return np.asarray(step.attributes[name], kind)
    raise Refused("is neither an array nor numbers")


@_fold("ConstantOfShape")
def _constant_of_shape(step: Step, x: List[Any]) -> Any:
    value = np.asarray(step.attributes.get("value", np.zeros(1, "f4")))
    if of_sizes(x[0]):
        return NotImplemented
    shape = tuple(int(n) for n in x[0])
    limit(shape)
    return np.full(shape, value.reshape(-1)[0], value.dtype)


@_fold("Range")
def _range(step: Step, x: List[Any]) -> Any:
    if any(map(of_sizes, x)):
        return NotImplemented
    start, end, by = (a.reshape(-1)[0] for a in x)
    limit([max(0, math.ceil((float(end) - float(start)) / float(by)))])
    return np.arange(start, end, by, dtype=x[0].dtype)


@_fold("EyeLike")
def _eye(step: Step, x: List[Any]) -> Any:
    if x[0].ndim != 2:
        raise Refused(f"is of {list(x[0].shape)}: expected two dimensions")
    rows, columns = x[0].shape
    kind = NUMPY.get(step.attributes.get("dtype", 0), x[0].dtype)
    return np.eye(rows, columns, step.attributes.get("k", 0), kind)


@_fold("Concat")
def _concat(step: Step, x: List[Any]) -> Any:
    return np.concatenate(x, step.attributes["axis"])


@_fold("Gather")
def _gather(step: Step, x: List[Any]) -> Any:
    return np.take(x[0], x[1], step.attributes.get("axis", 0))


@_fold("Transpose")
def _transpose(step: Step, x: List[Any]) -> Any:
    return np.ascontiguousarray(np.transpose(x[0], step.attributes.get("perm")))


@_fold("Expand")
def _expand(step: Step, x: List[Any]) -> Any:
    if of_sizes(x[1]):
        return NotImplemented
    shape = np.broadcast_shapes(x[0].shape, tuple(int(n) for n in x[1]))
    limit(shape)
    return np.broadcast_to(x[0], shape).copy()


@_fold("Tile")
def _tile(step: Step, x: List[Any]) -> Any:
    limit([n * int(k) for n, k in zip(x[0].shape, x[1])])
    return np.tile(x[0], x[1])


@_fold("Slice")
def _slice(step: Step, x: List[Any]) -> Any:
    data, starts, ends = x[:3]
    axes: Any = x[3] if len(x) > 3 and x[3] is not None else range(len(starts))
    steps: Any = x[4] if len(x) > 4 and x[4] is not None else [1] * len(starts)
    if any(map(of_sizes, x[1:])):
        return NotImplemented
    index = [slice(None)] * data.ndim
    for axis, start, end, by in zip(axes, starts, ends, steps):
        index[int(axis)] = clamped(int(start), int(end), int(by), data.shape[int(axis)])
    return data[tuple(index)].copy()


@_fold("CumSum")
def _cumsum(step: Step, x: List[Any]) -> Any:
    if step.attributes.get("exclusive") or step.attributes.get("reverse"):
        return NotImplemented
    return np.cumsum(x[0], int(x[1].reshape(-1)[0]), dtype=x[0].dtype)


@_fold("NonZero")
def _nonzero(step: Step, x: List[Any]) -> Any:
    return np.stack(np.nonzero(x[0])).astype("i8")


@_fold("ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin")
def _reduce(step: Step, x: List[Any]) -> Any:
    axes: Any = x[1] if len(x) > 1 and x[1] is not None else step.attributes.get("axes")
    if axes is None and step.attributes.get("noop_with_empty_axes"):
        return x[0]
    function: Any = {"ReduceProd": np.prod, "ReduceSum": np.sum, "ReduceMax": np.max, "ReduceMin": np.min}[step.op]
    where = None if axes is None else tuple(int(n) for n in axes)
    result = function(x[0], axis=where, keepdims=bool(step.attributes.get("keepdims", 1)))
    return np.asarray(result, x[0].dtype)


def clamped(start: int, end: int, by: int, length: int) -> slice:
    """ONNX's slice along an axis as Python's."""
    if by == 0:
        raise Refused("slices in steps of 0")
    begin, stop, by = slice(start, end, by).indices(length)
    return slice(begin, None if by < 0 and stop < 0 else stop, by)


def span(start: Size, end: Size, by: int, length: Size) -> Tuple[Size, Size]:
    """The first element of ONNX's slice along an axis, and how many there are."""
    if not any(isinstance(n, Dim) for n in (start, end, length)):
        taken = range(int(length))[clamped(int(start), int(end), by, int(length))]
        return (taken[0] if taken else 0), len(taken)
    if by == 0:
        raise Refused("slices in steps of 0")
    least: Size = 0 if by > 0 else -1
    most: Size = length if by > 0 else length - 1

    def within(n: Size) -> Size:
        if n < 0:
            n = n + length
        return limited(limited(n, least, "max"), most, "min")

    first, last = within(start), within(end)
    count = last - first if by > 0 else first - last
    return first, divided(limited(count, 0, "max"), abs(by), "ceil_div")


def limit(shape: Sequence[int]) -> None:
    """Refuses what no exporter computes with constants."""
    if any(n < 0 for n in shape) or math.prod(int(n) for n in shape) > LARGEST:
        raise Refused(f"makes a constant of {list(shape)}: expected at most {LARGEST} elements")


_OF_SIZES = {"Add", "Sub", "Mul", "Div", "Neg", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "Where", "Identity",
             "Mod", "Max", "Min", "Sum", "Cast", "CastLike", "Size", "Concat", "Gather", "Transpose", "Tile", "Slice",
             "ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin", "Constant", "Floor", "Ceil", "Round", "Expand"}
"""Operators that dimensions which vary may go through."""


def _dtype_of_sizes(step: Step, dtypes: List[str]) -> str:
    if step.op == "Cast":
        return DTYPES.get(step.attributes["to"], "i64")
    if step.op == "CastLike":
        return dtypes[1]
    return "i64" if step.op == "Size" else dtypes[1 if step.op == "Where" else 0]


def _fold_sizes(step: Step, inputs: List[Optional[Array]], dtypes: List[str]) -> Tuple[Optional[Array], str]:
    if step.op not in _OF_SIZES:
        return None, ""
    dtype = _dtype_of_sizes(step, dtypes)
    if step.op in ("Floor", "Ceil", "Round"):  # they are whole
        return inputs[0], dtype
    function = FOLDS[step.op]
    if step.op == "Div" and dtype[0] == "f":
        result: Any = np.frompyfunc(lambda a, b: a / b, 2, 1)(*inputs)
    else:
        result = function(step, inputs)
    if result is NotImplemented or result is None:
        return None, ""
    array = np.asarray(result)
    if of_sizes(array) and not any(isinstance(n, Dim) for n in array.reshape(-1)):
        numbers = [n if dtype[0] == "f" else whole(n) for n in array.reshape(-1)]
        array = np.asarray(numbers, "f4" if dtype[0] == "f" else "i8").reshape(array.shape)
    return array, dtype


def fold(step: Step, inputs: List[Optional[Array]], dtypes: List[str]) -> Tuple[Optional[Array], str]:
    """The result of an operator that is known here, and the dtype of dimensions in it."""
    function = FOLDS.get(step.op)
    if function is None or any(x is not None and x.size > LARGEST for x in inputs):
        return None, ""
    if any(map(of_sizes, inputs)):
        return _fold_sizes(step, inputs, dtypes)
    with np.errstate(all="ignore"):
        result = function(step, inputs)
    return (None if result is NotImplemented or result is None else np.asarray(result)), ""
