"""Quantised operators: numbers as bytes, with a scale and a zero point.

A code stands for ``(code - zero) * scale``. Products are of i8 and exact, with sums in i32: codes of u8 are
shifted by 128, and so are their zero points. What zero points then add up to is taken away behind the product:

    sum (a - z)(b - y)  =  sum a b  -  z sum b  -  y sum a  +  K z y
"""

from __future__ import annotations

from typing import List, Optional, Tuple

import numpy as np

from ..._arrays import Array
from ..dims import Dim, Refused, Size, product
from ..reader import DTYPES
from ..recorder import Given, Value
from .matrix import multiplied
from .spatial import grid, windows
from .table import Call, Result, operator

_LIMITS = {"i8": (-128, 127), "u8": (0, 255), "i16": (-32768, 32767), "u16": (0, 65535)}


# ---- Scales and zero points ----------------------------------------------------------------------


def ranked(given: Given, shape: List[Size]) -> Given:
    return given.view(shape) if isinstance(given, Value) else given.reshape([int(n) for n in shape])


def placed(call: Call, given: Given, axis: int, rank: int) -> Given:
    """A scale or a zero point: one number, or one for each element along an axis."""
    if len(given.shape) == 0 or product(given.shape) == 1:
        return ranked(given, [])
    if len(given.shape) != 1:
        return given  # it broadcasts as it is
    axis = call.axis(axis, rank)
    shape: List[Size] = [1] * rank
    shape[axis] = given.shape[0]
    return ranked(given, shape)


def blocks(call: Call, given: Given, axis: int) -> Given:
    """Scales of blocks along an axis, one for each element of them."""
    size = call.attribute("block_size", 0)
    if not size:
        return given
    if isinstance(given, Value):
        raise Refused("scales of blocks are computed by the model: expected constants")
    x, axis = call.fixed(0, "the shape"), call.axis(axis, len(call.shape(0)))
    return np.repeat(given, size, axis)[tuple(slice(0, n) for n in x)]


def quantised(call: Call, x: Given, scale: Given, zero: Optional[Given], dtype: str) -> Value:
    """Numbers as codes: the nearest, halves to even."""
    least, most = _LIMITS[dtype]
    if zero is None:
        return call.r.map(f"clamp(round(f32(a) / f32(b)), {least}.0, {most}.0)", x, scale, dtype=dtype)
    return call.r.map(f"clamp(round(f32(a) / f32(b)) + f32(c), {least}.0, {most}.0)", x, scale, zero, dtype=dtype)


@operator("QuantizeLinear")
def quantize_linear(call: Call) -> Result:
    rank, axis = len(call.shape(0)), call.attribute("axis", 1)
    zero = call.maybe(2)
    said = DTYPES.get(call.attribute("output_dtype", 0))
    dtype = call.r.dtype(zero) if zero is not None else said or "u8"
    if dtype not in _LIMITS:
        raise Refused(f"makes {dtype}: expected one of {', '.join(_LIMITS)}")
    scale = placed(call, blocks(call, call[1], axis), axis, rank)
    if zero is not None:
        zero = placed(call, blocks(call, zero, axis), axis, rank)
        zero = None if not isinstance(zero, Value) and not zero.any() else zero
    return quantised(call, call[0], scale, zero, dtype)


@operator("DequantizeLinear")
def dequantize_linear(call: Call) -> Result:
    rank, axis = len(call.shape(0)), call.attribute("axis", 1)
    scale = placed(call, blocks(call, call[1], axis), axis, rank)
    zero, dtype = call.maybe(2), call.dtype(1)
    if zero is None or (not isinstance(zero, Value) and not zero.any()):
        return call.r.map("f32(a) * b", call[0], scale, dtype=dtype)
    zero = placed(call, blocks(call, zero, axis), axis, rank)
    return call.r.map("f32(i32(a) - i32(b)) * c", call[0], zero, scale, dtype=dtype)


@operator("DynamicQuantizeLinear")
def dynamic(call: Call) -> Result:
    """By the least and the largest number, 0 among them."""
    x = call.value(0)
    axes = {"axes": list(range(max(1, x.ndim)))}
    flat = x.view(x.shape or (1,))
    least, most = (call.r.op(op, {"x": flat}, axes).view(()) for op in ("reduce_min", "reduce_max"))
    scale = call.r.map("max(b, 0.0) > min(a, 0.0) ? (max(b, 0.0) - min(a, 0.0)) / 255.0 : 1.0", least, most, dtype="f32")
    zero = call.r.map("clamp(round(-min(a, 0.0) / b), 0.0, 255.0)", least, scale, dtype="u8")
    return [quantised(call, x, scale, zero, "u8"), scale, zero]


# ---- Products ------------------------------------------------------------------------------------


class Codes:
    """Codes of i8, and the zero point that they have there: numbers, a value, or None for 0."""

    def __init__(self, call: Call, index: int, zero: Optional[Given], axis: int):
        given = call[index]
        dtype = call.r.dtype(given)
        if dtype not in ("u8", "i8"):
            raise Refused(f"input {index} is {dtype}: expected u8 or i8")
        shift = 128 if dtype == "u8" else 0
        self.zero: Optional[Given] = None
        if isinstance(zero, Value):
            self.zero = call.r.map(f"i32(a) - {shift}", zero, dtype="i32") if shift else zero
        else:
            wide: Array = np.asarray(0 if zero is None else zero).astype("i4")
            if not isinstance(given, Value):  # constants less their zero point are codes, mostly
                less = given.astype("i4") - placed(call, wide, axis, len(given.shape))
                if less.min(initial=0) >= -128 and less.max(initial=0) <= 127:
                    given, wide, shift = less, np.asarray(0, "i4"), 0
            if (wide - shift).any():
                self.zero = wide - shift
        if isinstance(given, Value):
            self.codes: Given = call.r.map("i32(a) - 128", given, dtype="i8") if shift else given
        else:
            self.codes = call.r.constant(call.step.inputs[index], (given.astype("i4") - shift).astype("i1"))


def total(call: Call, codes: Given, axes: List[int]) -> Given:
    """Sums of codes along axes, which stay."""
    if not isinstance(codes, Value):
        return np.asarray(codes.astype("i4").sum(tuple(axes), keepdims=True, dtype="i4"))
    shape = [1 if i in axes else n for i, n in enumerate(codes.shape)]
    return call.r.op("reduce_sum", {"x": codes}, {"axes": axes}, dtype="i32").view(shape)


def corrected(call: Call, sums: Value, parts: List[Tuple[Given, Given]], both: Optional[Tuple[Given, Given, Size]]) -> Value:
    """Sums of products, less what zero points add to them."""
    for zero, of in parts:
        sums = call.r.map("a - i32(b) * i32(c)", sums, zero, of, dtype="i32")
    if both is not None:
        count = np.asarray([both[2]], object if isinstance(both[2], Dim) else "i4")
        sums = call.r.map("a + i32(b) * i32(c) * i32(d)", sums, both[0], both[1], count, dtype="i32")
    return sums


def matrices(call: Call, a: Codes, b: Codes) -> Value:
    """A product of codes."""
    x, y = a.codes, b.codes
    rows = placed(call, a.zero, -2, max(2, len(x.shape))) if a.zero is not None else None
    columns = placed(call, b.zero, -1, max(2, len(y.shape))) if b.zero is not None else None
    if len(x.shape) < 2 or len(y.shape) < 2:
        raise Refused("multiplies vectors: expected matrices")
    sums = multiplied(call, call.r.value(x), call.r.value(y), dtype="i32")
    parts: List[Tuple[Given, Given]] = []
    if rows is not None:
        parts.append((rows, total(call, y, [len(y.shape) - 2])))
    if columns is not None:
        parts.append((columns, total(call, x, [len(x.shape) - 1])))
    both = (rows, columns, x.shape[-1]) if rows is not None and columns is not None else None
    return corrected(call, sums, parts, both)


@operator("MatMulInteger")
def matmul_integer(call: Call) -> Result:
    return matrices(call, Codes(call, 0, call.maybe(2), -2), Codes(call, 1, call.maybe(3), -1))


def convolved(call: Call, x: Codes, w: Codes) -> Value:
    """A convolution of codes; what stands beside the grid counts for nothing, whatever the zero point is."""
    dims = grid(call)
    attributes = windows(call, dims)
    groups = call.attribute("group", 1)
    if groups != 1:
        attributes["groups"] = groups
    codes, weight, zero = call.r.value(x.codes), w.codes, x.zero
    pads = attributes.get("pads")
    if zero is not None and not isinstance(zero, Value) and zero.size == 1 and pads:
        del attributes["pads"]
        full = [0, 0, *pads[:dims], 0, 0, *pads[dims:]]
        codes = call.r.op("pad", {"x": codes}, {"pads": full, "value": int(zero.reshape(-1)[0])})
    op = f"conv{dims}d"
    sums = call.r.op(op, {"x": codes, "weight": weight}, attributes, dtype="i32")
    if zero is not None:
        if "pads" in attributes or "auto_pad" in attributes:
            inside = np.ones([1, *(n if not isinstance(n, Dim) else 0 for n in codes.shape[1:])], "i1")
            if not inside.size:
                raise Refused("pads an image whose size varies, with a zero point that is no constant")
            of: Given = call.r.op(op, {"x": inside, "weight": weight}, attributes, dtype="i32")
        else:
            each = total(call, weight, list(range(1, dims + 2)))
            of = ranked(each, [1, weight.shape[0], *[1] * dims])
        sums = corrected(call, sums, [(ranked(zero, [1] * (dims + 2)), of)], None)
    if w.zero is not None:
        sums = _less_windows(call, sums, codes, w, zero, dims, attributes)
    return sums


def _less_windows(call: Call, sums: Value, codes: Value, w: Codes, zero: Optional[Given], dims: int,
                  attributes: "dict[str, object]") -> Value:
    """Less the weight's zero point times the sums of windows, which a weight of ones makes."""
    if zero is not None and ("pads" in attributes or "auto_pad" in attributes):
        raise Refused("pads, and both have zero points that are no constants: expected a weight whose zero point is one")
    groups = call.attribute("group", 1)
    channels, inner = w.codes.shape[0], list(w.codes.shape[1:])
    ones = np.ones([groups, *(int(n) for n in inner)], "i1")
    windows_of = call.r.op(f"conv{dims}d", {"x": codes, "weight": ones}, attributes, dtype="i32")
    if groups > 1:
        windows_of = call.r.op("repeat", {"x": windows_of}, {"repeats": int(channels) // groups, "axis": 1})
    assert w.zero is not None
    each = placed(call, w.zero, 0, dims + 1)
    each = ranked(each, [1, *each.shape]) if len(each.shape) else each
    both = (ranked(zero, [1] * (dims + 2)), each, product(inner)) if zero is not None else None
    return corrected(call, sums, [(each, windows_of)], both)


@operator("ConvInteger")
def conv_integer(call: Call) -> Result:
    return convolved(call, Codes(call, 0, call.maybe(2), 0), Codes(call, 1, call.maybe(3), 0))


def scaled(call: Call, sums: Value, scales: List[Given], zero: Given) -> Value:
    """Sums as codes of the result: ``scales`` are those of both sides and of the result."""
    if all(not isinstance(s, Value) for s in scales):
        a, b, c = (np.asarray(s, "f4") for s in scales)
        factor: Given = np.asarray(a * b / c, "f4")
    else:
        factor = call.r.map("a * b / c", *scales, dtype="f32")
    dtype = call.r.dtype(zero)
    least, most = _LIMITS[dtype]
    return call.r.map(f"clamp(round(f32(a) * b) + f32(c), {least}.0, {most}.0)", sums, factor, zero, dtype=dtype)


@operator("QLinearMatMul")
def qlinear_matmul(call: Call) -> Result:
    """a, its scale and zero point, b and its, and those of the result."""
    sums = matrices(call, Codes(call, 0, call[2], -2), Codes(call, 3, call[5], -1))
    rank = max(2, sums.ndim)
    scales = [placed(call, call[1], -2, rank), placed(call, call[4], -1, rank), placed(call, call[6], -2, rank)]
    return scaled(call, sums, scales, placed(call, call[7], -2, rank))


@operator("QLinearConv")
def qlinear_conv(call: Call) -> Result:
    """x, its scale and zero point, the weight and its, those of the result, and a bias in i32."""
    sums = convolved(call, Codes(call, 0, call[2], 0), Codes(call, 3, call[5], 0))
    if call.maybe(8) is not None:
        sums = call.r.map("a + b", sums, placed(call, call[8], 1, sums.ndim), dtype="i32")
    scales = [placed(call, call[i], 1, sums.ndim) for i in (1, 4, 6)]
    return scaled(call, sums, scales, placed(call, call[7], 1, sums.ndim))
