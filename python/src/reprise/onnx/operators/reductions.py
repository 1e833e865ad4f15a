"""Operators along axes: sums, maxima, softmax, norms, the largest elements."""

from __future__ import annotations

from typing import Callable, Dict, List

import numpy as np

from ...tensor import number_text
from ..dims import Refused, product
from ..recorder import Given, Value
from .table import Call, Result, number, operator, scalar

_REDUCTIONS = {
    "ReduceSum": "reduce_sum", "ReduceMean": "reduce_mean", "ReduceProd": "reduce_prod", "ReduceMin": "reduce_min",
    "ReduceMax": "reduce_max", "ReduceL1": "reduce_l1", "ReduceL2": "reduce_l2",
    "ReduceSumSquare": "reduce_sum_square", "ReduceLogSum": "reduce_log_sum", "ReduceLogSumExp": "reduce_log_sum_exp",
}

# What they are of one number, which they come to where no axis is said to mean none.
_OF_ONE = {"ReduceL1": "abs(a)", "ReduceL2": "abs(a)", "ReduceSumSquare": "a * a", "ReduceLogSum": "log(a)"}


@operator(*_REDUCTIONS)
def reduce(call: Call) -> Result:
    sizes = call.shape(0)
    axes = call.axes(1)
    if not axes:
        if call.attribute("noop_with_empty_axes", 0):
            formula = _OF_ONE.get(call.step.op)
            return call[0] if formula is None else call.r.map(formula, call[0], dtype=call.dtype(0))
        axes = list(range(len(sizes)))
    gone = sorted({call.axis(a, len(sizes)) for a in axes})
    keep = call.attribute("keepdims", 1)
    final = [1 if i in gone else n for i, n in enumerate(sizes) if keep or i not in gone]
    if product([sizes[i] for i in gone]) == 1 and call.step.op in (
            "ReduceSum", "ReduceMean", "ReduceProd", "ReduceMin", "ReduceMax"):
        return call.value(0).view(final)
    value = call.value(0)
    op = _REDUCTIONS[call.step.op]
    if call.step.op == "ReduceL1" and value.dtype[0] in "iu":
        value, op = call.r.map("abs(a)", value, dtype=value.dtype), "reduce_sum"
    return call.r.op(op, {"x": value.view(sizes or (1,))}, {"axes": gone or [0]},
                     dtype=call.dtype(0)).view(final)


@operator("ArgMax", "ArgMin")
def best_place(call: Call) -> Result:
    sizes = call.shape(0)
    axis = call.axis(call.attribute("axis", 0), len(sizes))
    keep = call.attribute("keepdims", 1)
    final = [1 if i == axis else n for i, n in enumerate(sizes) if keep or i != axis]
    op = "reduce_argmax" if call.step.op == "ArgMax" else "reduce_argmin"
    if not call.attribute("select_last_index", 0):
        return call.r.cast(call.r.op(op, {"x": call.value(0)}, {"axis": [axis]}), "i32").view(final)
    last = number(sizes[axis], "the length of the axis") - 1
    back = call.r.window(call[0], axis, last, last + 1, -1)
    return call.r.map(f"{last} - i32(a)", call.r.op(op, {"x": back}, {"axis": [axis]}), dtype="i32").view(final)


def along_last(call: Call, given: Given, axis: int, compute: Callable[[Value], List[Value]]) -> List[Value]:
    """What ``compute`` makes of rows, of lines along any axis."""
    rank = len(given.shape)
    if axis == rank - 1:
        return compute(call.r.value(given))
    order = [i for i in range(rank) if i != axis] + [axis]
    back = [order.index(i) for i in range(rank)]
    return [call.r.transpose(made, back) for made in compute(call.r.transpose(given, order))]


@operator("Softmax", "LogSoftmax")
def softmax(call: Call) -> Result:
    dtype = call.dtype(0)

    def rows(x: Value) -> List[Value]:
        if call.step.op == "Softmax":
            return [call.r.op("softmax", {"x": x}).view(x.shape)]
        total = call.r.op("reduce_log_sum_exp", {"x": x}, {"axes": [x.ndim - 1], "keepdims": 1})
        return [call.r.map("a - b", x, total, dtype=dtype)]

    sizes = call.shape(0)
    if not sizes:
        raise Refused("has no dimension")
    if call.opset >= 13:
        return along_last(call, call[0], call.axis(call.attribute("axis", -1), len(sizes)), rows)
    axis = call.axis(call.attribute("axis", 1), len(sizes))  # all from there on are one, then
    flat = call.value(0).view((product(sizes[:axis]), product(sizes[axis:])))
    return rows(flat)[0].view(sizes)


@operator("Hardmax")
def hardmax(call: Call) -> Result:
    """1 at the first of the largest elements."""
    sizes = call.shape(0)
    axis = call.axis(call.attribute("axis", -1 if call.opset >= 13 else 1), len(sizes))
    shape = sizes
    if call.opset < 13:  # all from there on are one
        shape, axis = (product(sizes[:axis]), product(sizes[axis:])), 1
    place = call.r.op("reduce_argmax", {"x": call.value(0).view(shape)}, {"axis": [axis]})
    place = place.view([1 if i == axis else n for i, n in enumerate(shape)])
    return call.r.map(f"i{axis} == i32(a) ? 1.0 : 0.0", place, dtype=call.dtype(0), shape=shape).view(sizes)


@operator("MeanVarianceNormalization")
def mean_variance_norm(call: Call) -> Result:
    axes = sorted(call.axis(a, len(call.shape(0))) for a in call.attribute("axes", [0, 2, 3]))

    def mean(x: Value) -> Value:
        return call.r.op("reduce_mean", {"x": x}, {"axes": axes, "keepdims": 1})

    apart = call.r.map("a - b", call[0], mean(call.value(0)), dtype=call.dtype(0))
    spread = mean(call.r.map("a * a", apart, dtype="f32"))
    return call.r.map("a / (sqrt(b) + 1e-9)", apart, spread, dtype=call.dtype(0))


@operator("LRN")
def local_response_norm(call: Call) -> Result:
    """The mean of squares of the channels around each: a pool along channels, in which those beyond are zeros."""
    sizes, count = call.shape(0), call.attribute("size")
    if len(sizes) < 2 or not isinstance(count, int) or count < 1:
        raise Refused(f"is of {list(sizes)} and {count} channels: expected [N, C, ...] and 1 or more")
    x = call.value(0).view((sizes[0], 1, sizes[1], product(sizes[2:])))
    around = call.r.op("avg_pool2d", {"x": call.r.map("a * a", x, dtype="f32")},
                       {"kernel": [count, 1], "pads": [(count - 1) // 2, 0, count // 2, 0], "count_include_pad": 1})
    alpha, beta, bias = (number_text(float(call.attribute(name, value))) for name, value in
                         (("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0)))
    return call.r.map(f"a * pow({bias} + {alpha} * b, -{beta})", x, around, dtype=call.dtype(0)).view(sizes)


@operator("LpNormalization")
def lp_norm(call: Call) -> Result:
    """Divided by the norm of each line; zeros stay."""
    call.refuse("p", 2, 1)
    axis = call.axis(call.attribute("axis", -1), len(call.shape(0)))
    op = "reduce_l1" if call.attribute("p", 2) == 1 else "reduce_l2"
    norm = call.r.op(op, {"x": call.value(0)}, {"axes": [axis], "keepdims": 1})
    return call.r.map("b > 0.0 ? a / b : 0.0", call[0], norm, dtype=call.dtype(0))


@operator("TopK")
def top_k(call: Call) -> Result:
    k = int(scalar(call.constant(1, "k"), 0))
    order = "largest" if call.attribute("largest", 1) else "smallest"

    def rows(x: Value) -> List[Value]:
        values, indices = call.r.apply("top_k_large", {"x": x}, {"k": k, "order": order},
                                       outputs=("values", "indices"))
        final = (*x.shape[:-1], k)
        return [values.view(final), call.r.cast(indices, "i32").view(final)]

    return along_last(call, call[0], call.axis(call.attribute("axis", -1), len(call.shape(0))), rows)


@operator("CumSum")
def cumsum(call: Call) -> Result:
    axis = call.axis(int(scalar(call.constant(1, "the axis"), 0)), len(call.shape(0)))
    attributes = {"axis": axis, "exclusive": call.attribute("exclusive", 0), "reverse": call.attribute("reverse", 0)}
    return call.r.op("cumsum", {"x": call.value(0)}, attributes, dtype=call.dtype(0)).view(call.shape(0))


def vector(call: Call, index: int, length: int) -> Given:
    """An input of as many elements, seen as one dimension."""
    given = call[index]
    if product(given.shape) != length:
        raise Refused(f"input {index} is {list(given.shape)}: expected {length} elements")
    if isinstance(given, Value):
        return given.view((length,))
    return call.r.constant(call.step.inputs[index], given.reshape(length)) if given.ndim != 1 else given


@operator("LayerNormalization")
def layer_norm(call: Call) -> Result:
    sizes = call.shape(0)
    axis = call.axis(call.attribute("axis", -1), len(sizes))
    columns = number(product(sizes[axis:]), "the length of a row")
    inputs: Dict[str, Given] = {"x": call.value(0).view((product(sizes[:axis]), columns))}
    for name, index in (("weight", 1), ("bias", 2)):
        given = call.maybe(index) if name == "bias" else call[index]
        if given is not None:
            inputs[name] = vector(call, index, columns) if product(given.shape) == columns else call.r.expand(
                given, sizes[axis:]).view((columns,))
    eps = call.attribute("epsilon", 1e-5)
    results = [call.r.op("layer_norm", inputs, {"eps": eps}).view(sizes)]
    outer = [*sizes[:axis], *[1] * (len(sizes) - axis)]
    if call.wants(1):
        results.append(call.r.op("row_mean", {"x": inputs["x"]}).view(outer))
    if call.wants(2):
        if not call.wants(1):
            results.append(results[0])
        spread = call.r.op("variance", {"x": inputs["x"]})
        results.append(call.r.map(f"1.0 / sqrt(a + {number_text(eps)})", spread, dtype="f32").view(outer))
    return results


def channels(call: Call) -> Value:
    """The first input as [N, C, ...], of which there may be fewer dimensions in ONNX."""
    value = call.value(0)
    if value.ndim < 2:
        raise Refused(f"is of {list(value.shape)}: expected channels")
    return value.view((*value.shape, 1)) if value.ndim == 2 else value


@operator("BatchNormalization")
def batch_norm(call: Call) -> Result:
    if call.attribute("training_mode", 0) or call.wants(1):
        raise Refused("trains: expected a model for inference")
    count = number(call.shape(0)[1], "the number of channels") if len(call.shape(0)) > 1 else 0
    inputs: Dict[str, Given] = {"x": channels(call)}
    inputs.update({name: vector(call, i, count) for i, name in enumerate(("scale", "bias", "mean", "variance"), 1)})
    return call.r.op("batch_norm", inputs, {"eps": call.attribute("epsilon", 1e-5)}).view(call.shape(0))


@operator("InstanceNormalization")
def instance_norm(call: Call) -> Result:
    inputs = {"x": channels(call), "scale": call[1], "bias": call[2]}
    return call.r.op("instance_norm", inputs, {"eps": call.attribute("epsilon", 1e-5)}).view(call.shape(0))


@operator("GroupNormalization")
def group_norm(call: Call) -> Result:
    groups, x = call.attribute("num_groups"), channels(call)
    if not isinstance(groups, int) or groups < 1:
        raise Refused(f"has {groups} groups: expected 1 or more")
    inputs: Dict[str, Given] = {"x": x}
    for name, index in (("scale", 1), ("bias", 2)):
        given = call[index]
        if call.opset < 21:  # one for each group
            times = number(x.shape[1], "the number of channels") // groups
            if isinstance(given, Value):
                given = call.r.op("repeat", {"x": given}, {"repeats": times})
            else:
                given = call.r.constant(call.step.inputs[index], np.repeat(given, times))
        inputs[name] = given
    return call.r.op("group_norm", inputs, {"groups": groups, "eps": call.attribute("epsilon", 1e-5)}).view(
        call.shape(0))
