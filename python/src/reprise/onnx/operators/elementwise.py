"""Operators on each element: arithmetic, comparisons, activations, casts."""

from __future__ import annotations

import numpy as np

from ..._arrays import dtype_code, host_dtype
from ..._formulas import NARROW, integer_cast, integer_power, real_power, whole_power, wrapped
from ...tensor import number_text
from ..dims import Refused, broadcast
from ..reader import COMPUTED, DTYPES, narrow
from ..recorder import Given, Value, of_sizes
from .table import Call, Result, operator, scalar

# By formula, in the dtype of the first input.
_UNARY = {
    "Abs": "abs(a)", "Ceil": "ceil(a)", "Cos": "cos(a)", "Erf": "erf(a)", "Exp": "exp(a)", "Floor": "floor(a)",
    "Log": "log(a)", "Neg": "-a", "Reciprocal": "1.0 / a", "Relu": "max(a, 0)", "Round": "round(a)",
    "Sigmoid": "sigmoid(a)", "Sign": "sign(a)", "Sin": "sin(a)", "Softsign": "a / (1.0 + abs(a))",
    "Softplus": "max(a, 0.0) + log(1.0 + exp(-abs(a)))", "Sqrt": "sqrt(a)", "Tan": "sin(a) / cos(a)", "Tanh": "tanh(a)",
    "HardSwish": "a * clamp(a / 6.0 + 0.5, 0.0, 1.0)",
    "Mish": "a * tanh(max(a, 0.0) + log(1.0 + exp(-abs(a))))", "BitwiseNot": "~a", "Cosh": "0.5 * (exp(a) + exp(-a))",
    # The difference has no digits left where both are about 1.
    "Sinh": "abs(a) < 0.5 ? a + a * a * a * (0.16666667 + a * a * (0.008333333 + a * a * 0.0001984127)) "
            ": 0.5 * (exp(a) - exp(-a))",
}
# With numbers of attributes, and what they are where nothing is said.
_WITH_ATTRIBUTES = {
    "LeakyRelu": ("a < 0.0 ? {alpha} * a : a", {"alpha": 0.01}),
    "Elu": ("a < 0.0 ? {alpha} * (exp(a) - 1.0) : a", {"alpha": 1.0}),
    "Celu": ("max(a, 0.0) + min({alpha} * (exp(a / {alpha}) - 1.0), 0.0)", {"alpha": 1.0}),
    "Selu": ("{gamma} * (a > 0.0 ? a : {alpha} * (exp(a) - 1.0))",
             {"alpha": 1.67326319217681884765625, "gamma": 1.05070102214813232421875}),
    "HardSigmoid": ("clamp({alpha} * a + {beta}, 0.0, 1.0)", {"alpha": 0.2, "beta": 0.5}),
    "ThresholdedRelu": ("a > {alpha} ? a : 0.0", {"alpha": 1.0}),
    "Shrink": ("a < -{lambd} ? a + {bias} : a > {lambd} ? a - {bias} : 0.0", {"lambd": 0.5, "bias": 0.0}),
}
_FLOATS = ("f32", "f16", "bf16")
_BINARY = {"Add": "a + b", "Sub": "a - b", "Mul": "a * b", "Div": "a / b", "PRelu": "a < 0 ? a * b : a",
           "BitwiseAnd": "a & b", "BitwiseOr": "a | b", "BitwiseXor": "a ^ b"}
_TRUTH = {"Equal": "a == b", "Less": "a < b", "Greater": "a > b", "LessOrEqual": "a <= b", "GreaterOrEqual": "a >= b",
          "And": "a != 0 && b != 0", "Or": "a != 0 || b != 0", "Xor": "(a != 0) != (b != 0)", "Not": "a == 0",
          "IsNaN": "isnan(a)"}


@operator(*_UNARY)
def unary(call: Call) -> Result:
    return mapped(call, _UNARY[call.step.op], call[0])


def mapped(call: Call, formula: str, *operands: Given) -> Value:
    """A formula in the dtype of the first input, which integers keep by wrapping."""
    return call.r.map(wrapped(formula, call.dtype(0)), *operands, dtype=call.dtype(0))


@operator(*_WITH_ATTRIBUTES)
def with_attributes(call: Call) -> Result:
    formula, defaults = _WITH_ATTRIBUTES[call.step.op]
    numbers = {name: number_text(float(call.attribute(name, value))) for name, value in defaults.items()}
    return call.r.map(formula.format(**numbers), call[0], dtype=call.dtype(0))


@operator(*_BINARY)
def binary(call: Call) -> Result:
    return mapped(call, _BINARY[call.step.op], call[0], call[1])


@operator("BitShift")
def shift(call: Call) -> Result:
    call.refuse("direction", "LEFT", "RIGHT")
    return mapped(call, "a << b" if call.attribute("direction") == "LEFT" else "a >> b", call[0], call[1])


@operator(*_TRUTH)
def truth(call: Call) -> Result:
    operands = [call[i] for i in range(len(call.inputs))]
    return call.r.map(_TRUTH[call.step.op], *operands, dtype="bool")


@operator("IsInf")
def is_inf(call: Call) -> Result:
    up, down = call.attribute("detect_positive", 1), call.attribute("detect_negative", 1)
    formula = {(1, 1): "isinf(a)", (1, 0): "a == inf", (0, 1): "a == -inf"}.get((up, down), "a < a")
    return call.r.map(formula, call[0], dtype="bool")


@operator("Gelu")
def gelu(call: Call) -> Result:
    call.refuse("approximate", "none", "tanh")
    formula = "gelu_tanh(a)" if call.attribute("approximate") == "tanh" else "gelu(a)"
    return call.r.map(formula, call[0], dtype=call.dtype(0))


@operator("Clip")
def clip(call: Call) -> Result:
    operands, formula = [call[0]], "a"
    for index, function in ((1, "max"), (2, "min")):
        limit = call.maybe(index)
        if limit is not None:
            operands.append(limit)
            formula = f"{function}({formula}, {'abc'[len(operands) - 1]})"
    return call.r.map(formula, *operands, dtype=call.dtype(0)).view(call.shape(0)) if len(operands) > 1 else call[0]


@operator("Pow")
def power(call: Call) -> Result:
    """Powers by numbers that are known are products; those of integers by integers are exact."""
    x, exponent = call[0], call[1]
    floats = call.dtype(0) in _FLOATS
    if not isinstance(exponent, Value) and exponent.size == 1 and not of_sizes(exponent):
        number = float(exponent.reshape(-1)[0])
        shape = broadcast(call.shape(0), call.shape(1))
        if number == 0.5 and floats:
            return call.r.map("sqrt(a)", x, dtype=call.dtype(0)).view(shape)
        if abs(number) < 2**31 and number == int(number):
            return mapped(call, whole_power("a", int(number), floats), x).view(shape)
    by_floats = call.dtype(1) in _FLOATS
    if floats or by_floats:
        return call.r.map(real_power("a" if floats else "f32(a)", "b" if by_floats else "f32(b)"), x, exponent,
                          dtype=call.dtype(0))
    return mapped(call, integer_power("a", "b", 64 if call.dtype(0) in ("i64", "u64") else 32), x, exponent)


@operator("Mod")
def modulo(call: Call) -> Result:
    dtype = call.dtype(0)
    if dtype in ("f32", "f16", "bf16"):
        formula = "a - b * trunc(a / b)"
    elif call.attribute("fmod", 0):
        formula = "a % b"
    else:
        formula = "a % b + ((a % b != 0 && (a < 0) != (b < 0)) ? b : 0)"
    return call.r.map(formula, call[0], call[1], dtype=dtype)


@operator("Max", "Min", "Sum", "Mean")
def several(call: Call) -> Result:
    """Of any number of inputs."""
    result: Given = call[0]
    formula = {"Max": "max(a, b)", "Min": "min(a, b)"}.get(call.step.op, "a + b")
    for index in range(1, len(call.inputs)):
        result = mapped(call, formula, result, call[index])
    if call.step.op == "Mean":
        result = call.r.map(f"a / {float(len(call.inputs))}", result, dtype=call.dtype(0))
    return result


@operator("Where")
def where(call: Call) -> Result:
    return call.r.map("a != 0 ? b : c", call[0], call[1], call[2], dtype=call.dtype(1))


@operator("Cast", "CastLike")
def cast(call: Call) -> Result:
    to = call.attribute("to")
    target = call.dtype(1) if call.step.op == "CastLike" else DTYPES.get(to)
    if target is None:
        raise Refused(f"casts to the ONNX data type {to}")
    dtype = COMPUTED.get(target, target)
    x = call[0]
    if not isinstance(x, Value) and not of_sizes(x):
        return call.r.constant(call.r.hint, narrow(x).astype(host_dtype(dtype_code(dtype))))
    x = call.value(0)
    integers = (*NARROW, "i32", "u32", "i64", "u64")
    if dtype in integers and x.dtype in integers and x.dtype != dtype:
        return call.r.map(integer_cast("a", dtype), x, dtype=dtype)
    return call.r.cast(x, dtype)


@operator("Identity", "Dropout")
def identity(call: Call) -> Result:
    if call.step.op == "Dropout":
        training = scalar(call.constant(2, "training_mode"), 0)
        if training and scalar(call.constant(1, "the ratio"), 0.5):
            raise Refused("drops elements: expected a model for inference")
        if call.wants(1):
            return [call[0], call.r.op("fill", {}, {"value": 1.0}, dtype="bool", shape=call.shape(0))]
    return call[0]
