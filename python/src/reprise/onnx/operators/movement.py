"""Operators that move elements: shapes, slices, gathers, scatters."""

from __future__ import annotations

from typing import List, Sequence, Tuple

import numpy as np

from ..dims import Dim, Refused, Size, broadcast, divided, product, quotient
from ..folding import limit, span
from ..reader import COMPUTED, DTYPES
from ..recorder import Given, Value, of_sizes
from .table import Call, Result, number, operator, scalar


def reshaped(given: Given, shape: Sequence[Size]) -> Given:
    if product(given.shape) != product(shape):
        raise Refused(f"{list(given.shape)} cannot be seen as {list(shape)}")
    return given.view(tuple(shape)) if isinstance(given, Value) else given.reshape([int(n) for n in shape])


def numbers(sizes: Sequence[Size]) -> Given:
    """Sizes as an array: of objects, where one varies."""
    return np.asarray(sizes, object if any(isinstance(n, Dim) for n in sizes) else "i8")


@operator("Shape")
def shape(call: Call) -> Result:
    sizes = call.shape(0)
    end = call.attribute("end")
    return numbers(sizes[call.attribute("start", 0):len(sizes) if end is None else end])


@operator("Size")
def size(call: Call) -> Result:
    return reshaped(numbers([product(call.shape(0))]), ())


@operator("EyeLike")
def eye(call: Call) -> Result:
    if len(call.shape(0)) != 2:
        raise Refused(f"is of {list(call.shape(0))}: expected two dimensions")
    rows, columns = call.fixed(0, "a side")
    limit((rows, columns))
    dtype = DTYPES.get(call.attribute("dtype", 0), call.dtype(0))
    return np.eye(rows, columns, call.attribute("k", 0), {"f32": "f4", "f16": "f2", "bool": "?"}.get(dtype, "i8"))


@operator("Reshape")
def reshape(call: Call) -> Result:
    wanted = call.sizes(1, "the shape")
    sizes = call.shape(0)
    if wanted is None:
        raise Refused("has no shape")
    if not call.attribute("allowzero", 0):
        if any(n == 0 and i >= len(sizes) for i, n in enumerate(wanted)):
            raise Refused(f"{list(sizes)} cannot be seen as {wanted}")
        wanted = [sizes[i] if n == 0 else n for i, n in enumerate(wanted)]
    if wanted.count(-1) == 1:
        rest = product([n for n in wanted if n != -1])
        wanted[wanted.index(-1)] = quotient(product(sizes), rest) if rest != 0 else 0
    return reshaped(call[0], wanted)


@operator("Flatten")
def flatten(call: Call) -> Result:
    sizes = call.shape(0)
    axis = call.attribute("axis", 1)
    axis = axis + len(sizes) if axis < 0 else axis
    return reshaped(call[0], (product(sizes[:axis]), product(sizes[axis:])))


@operator("Squeeze")
def squeeze(call: Call) -> Result:
    sizes = call.shape(0)
    axes = call.axes(1)
    gone = [i for i, n in enumerate(sizes) if n == 1] if axes is None else [call.axis(a, len(sizes)) for a in axes]
    return reshaped(call[0], [n for i, n in enumerate(sizes) if i not in gone])


@operator("Unsqueeze")
def unsqueeze(call: Call) -> Result:
    axes = call.axes(1) or []
    rank = len(call.shape(0)) + len(axes)
    new = {call.axis(a, rank) for a in axes}
    rest = iter(call.shape(0))
    if len(new) != len(axes):
        raise Refused(f"axes {axes} name one twice")
    return reshaped(call[0], [1 if i in new else next(rest) for i in range(rank)])


@operator("Transpose")
def transpose(call: Call) -> Result:
    rank = len(call.shape(0))
    order = call.attribute("perm") or list(range(rank))[::-1]
    if sorted(order) != list(range(rank)):
        raise Refused(f"perm {order} of {rank} dimensions")
    return call.r.transpose(call[0], order)


def image(call: Call) -> Tuple[Size, Size, Size, Size]:
    sizes = call.shape(0)
    if len(sizes) != 4:
        raise Refused(f"is of {list(sizes)}: expected [N, C, H, W]")
    return sizes[0], sizes[1], sizes[2], sizes[3]


@operator("DepthToSpace")
def depth_to_space(call: Call) -> Result:
    call.refuse("mode", "DCR", "CRD")
    n, c, h, w = image(call)
    c = number(c, "the number of channels")
    b = call.attribute("blocksize")
    if not b or c % (b * b):
        raise Refused(f"{c} channels in blocks of {b}")
    if call.attribute("mode", "DCR") == "DCR":
        split = reshaped(call.value(0), (n, b, b, c // b // b, h, w))
        moved = call.r.transpose(split, [0, 3, 4, 1, 5, 2])
    else:
        split = reshaped(call.value(0), (n, c // b // b, b, b, h, w))
        moved = call.r.transpose(split, [0, 1, 4, 2, 5, 3])
    return moved.view((n, c // b // b, h * b, w * b))


@operator("SpaceToDepth")
def space_to_depth(call: Call) -> Result:
    n, c, h, w = image(call)
    b = call.attribute("blocksize")
    if not b or h % b or w % b:
        raise Refused(f"{h} x {w} elements in blocks of {b}")
    split = reshaped(call.value(0), (n, c, h // b, b, w // b, b))
    return call.r.transpose(split, [0, 3, 5, 1, 2, 4]).view((n, c * (b * b), h // b, w // b))


@operator("Concat")
def concat(call: Call) -> Result:
    every = [call[i] for i in range(len(call.inputs))]
    parts = [part for part in every if product(part.shape) != 0] or every
    rank = len(parts[0].shape)
    axis = call.axis(call.attribute("axis", 0), rank)
    for part in parts:
        if [n for i, n in enumerate(part.shape) if i != axis] != [
                n for i, n in enumerate(parts[0].shape) if i != axis]:
            raise Refused(f"joins {list(parts[0].shape)} and {list(part.shape)} along axis {axis}")
    dtype = call.r.dtype(parts[0])
    dtype = COMPUTED.get(dtype, dtype)
    return call.r.concat([call.r.value(p, dtype) for p in parts], axis)


@operator("Split")
def split(call: Call) -> Result:
    sizes = call.shape(0)
    axis = call.axis(call.attribute("axis", 0), len(sizes))
    parts = call.sizes(1, "the split") or call.attribute("split")
    if parts is None:
        count = call.attribute("num_outputs") or len(call.step.outputs)
        length = sizes[axis]
        if isinstance(length, Dim):
            parts = [quotient(length, count)] * count
        else:
            each = -(-length // count)
            parts = [min(each, length - each * i) for i in range(count)]
    if sum(parts) != sizes[axis] or any(n < 0 for n in parts):
        raise Refused(f"splits {sizes[axis]} elements into {parts}")
    starts = [sum(parts[:i]) for i in range(len(parts))]
    return [call.r.window(call[0], axis, start, count) for start, count in zip(starts, parts)]


@operator("Slice")
def slices(call: Call) -> Result:
    sizes = call.shape(0)
    starts, ends = call.sizes(1, "the start") or [], call.sizes(2, "the end") or []
    axes = call.integers(3, "axes")
    steps = call.integers(4, "steps") or [1] * len(starts)
    axes = list(range(len(starts))) if axes is None else axes
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise Refused(f"{len(starts)} starts, {len(ends)} ends, {len(axes)} axes and {len(steps)} steps")
    result = call[0]
    for axis, start, end, by in zip(axes, starts, ends, steps):
        axis = call.axis(axis, len(sizes))
        first, count = span(start, end, by, sizes[axis])
        result = call.r.window(result, axis, first, count, by)
    return result


@operator("Gather")
def gather(call: Call) -> Result:
    sizes = call.shape(0)
    axis = call.axis(call.attribute("axis", 0), len(sizes))
    ids = call[1]
    final = (*sizes[:axis], *ids.shape, *sizes[axis + 1:])
    if not isinstance(ids, Value) and ids.size == 1:
        place = ids.reshape(-1)[0]
        place = place if isinstance(place, Dim) else int(place)
        place = place + sizes[axis] if place < 0 else place
        if place < 0 or place >= sizes[axis]:
            raise Refused(f"takes element {place} of {sizes[axis]}")
        return call.r.window(call[0], axis, place, 1).view(final)
    if not isinstance(ids, Value) and not of_sizes(ids) and not isinstance(sizes[axis], Dim):
        ids = np.where(ids < 0, ids + sizes[axis], ids)
        if ids.size and (ids.min() < 0 or ids.max() >= sizes[axis]):
            raise Refused(f"takes elements {ids.min()} to {ids.max()} of {sizes[axis]}")
        return call.r.op("take", {"x": call.value(0), "ids": ids}, {"axis": axis}).view(final)
    found = call.r.op("take", {"x": call.value(0), "ids": call.value(1, wide=True)}, {"axis": axis}, wide=True)
    return found.view(final)


@operator("GatherElements")
def gather_elements(call: Call) -> Result:
    """Of what lies in front, where the indices reach less far along other axes."""
    axis = call.axis(call.attribute("axis", 0), len(call.shape(0)))
    x = call.value(0)
    for i, n in enumerate(call.shape(1)):
        if i != axis:
            x = call.r.window(x, i, 0, n)
    return call.r.op("take_along_axis", {"x": x, "indices": call.value(1)}, {"axis": axis})


@operator("GatherND")
def gather_nd(call: Call) -> Result:
    sizes, places, batches = call.shape(0), call.shape(1), call.attribute("batch_dims", 0)
    if not 0 <= batches < min(len(sizes), len(places)) or sizes[:batches] != places[:batches]:
        raise Refused(f"has {batches} batch dimensions of {list(sizes)} and {list(places)}")
    length = number(places[-1], "the length of a place")
    final = (*places[:-1], *sizes[batches + length:])
    x, indices = call.value(0), call.value(1)
    if batches:  # those and the first dimension behind them become one, in which each batch begins further on
        if not length:
            raise Refused("has places of no numbers")
        count = number(sizes[batches], "the first dimension behind the batches")
        batch = "0"
        for i in range(batches):
            batch = f"i{i}" if i == 0 else f"({batch} * {number(sizes[i], 'a batch dimension')} + i{i})"
        x = x.view((product(sizes[:batches + 1]), *sizes[batches + 1:]))
        indices = call.r.map(f"i{len(places) - 1} == 0 ? (a < 0 ? a + {count} : a) + {batch} * {count} : a", indices,
                             dtype="i32").view(places)
    return call.r.op("gather_nd", {"x": x, "indices": indices}).view(final)


@operator("ReverseSequence")
def reverse_sequence(call: Call) -> Result:
    """Elements in front of a length, which each sequence has, in the other order."""
    sizes = call.shape(0)
    batch, time = (call.axis(call.attribute(name, default), len(sizes)) for name, default in
                   (("batch_axis", 1), ("time_axis", 0)))
    lengths = call.value(1)
    if batch == time or lengths.shape != (sizes[batch],):
        raise Refused(f"reverses along axis {time} of {list(sizes)}, batches along {batch} with {list(lengths.shape)} lengths")
    lengths = lengths.view([n if i == batch else 1 for i, n in enumerate(sizes)])
    places = call.r.map(f"i{time} < i32(a) ? i32(a) - 1 - i{time} : i{time}", lengths, dtype="i32", shape=sizes)
    return call.r.op("take_along_axis", {"x": call.value(0), "indices": places}, {"axis": time})


@operator("Compress")
def compress(call: Call) -> Result:
    condition = call.constant(1, "the condition")
    axis = call.attribute("axis")
    if condition is None or of_sizes(condition):
        raise Refused("has no condition of constants")
    x, sizes = call.value(0), call.shape(0)
    if axis is None:
        x, axis, sizes = x.view((product(sizes),)), 0, (product(sizes),)
    axis = call.axis(axis, len(sizes))
    ids = np.flatnonzero(condition.reshape(-1)).astype("i4")
    if isinstance(sizes[axis], Dim) or ids.size and ids.max() >= sizes[axis]:
        raise Refused(f"takes element {ids.max(initial=0)} of {sizes[axis]}")
    return call.r.op("take", {"x": x, "ids": ids}, {"axis": axis})


@operator("ScatterND", "ScatterElements")
def scatter(call: Call) -> Result:
    call.refuse("reduction", "none", "add", "mul", "min", "max")
    attributes = {"reduction": call.attribute("reduction", "none")}
    if call.step.op == "ScatterElements":
        attributes["axis"] = call.axis(call.attribute("axis", 0), len(call.shape(0)))
    op = "scatter_nd" if call.step.op == "ScatterND" else "scatter_elements"
    dtype = call.dtype(0)
    inputs = {"data": call.r.value(call[0], dtype), "indices": call.value(1), "updates": call.r.value(call[2], dtype)}
    sizes, places = call.shape(0), call.shape(1)
    axis = attributes.get("axis")
    if axis is not None and len(places) == len(sizes) and any(
            n != m for i, (n, m) in enumerate(zip(sizes, places)) if i != axis):
        # Of what lies in front along other axes, too: each update with its whole place.
        where = "".join(f"i{len(sizes)} == {i} ? i{i} : " for i in range(len(sizes)) if i != axis)
        index = call.r.map(f"{where}i32(a)", inputs["indices"].view((*places, 1)), dtype="i32", shape=(*places, len(sizes)))
        count = product(places)
        inputs.update(indices=index.view((count, len(sizes))), updates=inputs["updates"].view((count,)))
        op, attributes = "scatter_nd", {"reduction": attributes["reduction"]}
    return call.r.op(op, inputs, attributes).view(call.shape(0))


@operator("Expand")
def expand(call: Call) -> Result:
    wanted = call.sizes(1, "the shape") or []
    return call.r.expand(call[0], broadcast(call.shape(0), tuple(wanted)))


@operator("ConstantOfShape")
def constant_of_shape(call: Call) -> Result:
    """Of a shape that varies: any other is folded."""
    value = np.asarray(call.attribute("value", np.zeros(1, "f4"))).reshape(-1)[:1]
    shape = call.sizes(0, "the shape") or []
    dtype = call.r.dtype(value)
    return call.r.op("fill", {}, {"value": float(value[0])}, dtype=COMPUTED.get(dtype, dtype), shape=shape)


@operator("Range")
def places(call: Call) -> Result:
    """Of integers that vary: any other is folded."""
    bounds = [call.sizes(i, what) for i, what in enumerate(("the start", "the limit", "the step"))]
    (start,), (end,), (by,) = (b or [0] for b in bounds)
    if call.dtype(0) not in ("i16", "i32", "i64"):
        raise Refused("counts floats that vary: expected integers")
    step = number(by, "the step")
    if step == 0:
        raise Refused("counts in steps of 0")
    count = divided(end - start if step > 0 else start - end, abs(step), "ceil_div")
    if count < 1:
        raise Refused("the result has no elements")
    return call.r.places(start, count, step)


@operator("Tile")
def tile(call: Call) -> Result:
    times = call.integers(1, "the repetitions") or []
    if all(n == 1 for n in times):
        return call[0]
    if any(n < 0 for n in times):
        raise Refused(f"repeats {times} times")
    return call.r.op("tile", {"x": call.value(0)}, {"repeats": times})


@operator("Trilu")
def trilu(call: Call) -> Result:
    op = "triu" if call.attribute("upper", 1) else "tril"
    k = int(scalar(call.constant(1, "k"), 0))
    return call.r.op(op, {"x": call.value(0)}, {"k": k}).view(call.shape(0))


@operator("OneHot")
def one_hot(call: Call) -> Result:
    depth = int(scalar(call.constant(1, "the depth"), 0))
    pair = call.constant(2, "the pair of values")
    if pair is None or pair.size != 2:
        raise Refused("has no pair of values")
    off, on = (float(n) for n in pair.reshape(-1))
    rank = len(call.shape(0)) + 1
    axis = call.axis(call.attribute("axis", -1), rank)
    final: List[Size] = list(call.shape(0))
    final.insert(axis, depth)
    ids = call.r.map(f"i32(a) < 0 ? i32(a) + {depth} : i32(a)", call.value(0), dtype="i32").view(call.shape(0))
    if not ids.shape:
        ids, axis = ids.view((1,)), 1
    return call.r.op("one_hot", {"ids": ids}, {"depth": depth, "axis": axis, "on": on, "off": off},
                     dtype=call.dtype(2)).view(final)


@operator("Pad")
def pad(call: Call) -> Result:
    call.refuse("mode", "constant", "reflect", "edge", "wrap")
    pads = call.integers(1, "pads") or []
    axes = call.integers(3, "axes")
    rank = len(call.shape(0))
    where = list(range(rank)) if axes is None else [call.axis(a, rank) for a in axes]
    if len(pads) != 2 * len(where):
        raise Refused(f"{len(pads)} pads for {len(where)} axes")
    full = [0] * (2 * rank)
    for i, axis in enumerate(where):
        full[axis], full[rank + axis] = pads[i], pads[len(where) + i]
    if not any(full):
        return call[0]
    value = scalar(call.constant(2, "the value"), 0.0)
    return call.r.op("pad", {"x": call.value(0)}, {"pads": full, "mode": call.attribute("mode", "constant"),
                                                   "value": value})
