"""Formulas of maps that operators of Python and of ONNX share: integers of fewer than 32 bits that wrap, powers."""

from __future__ import annotations

# Bits of the integers that formulas compute with 32.
NARROW = {"i8": 8, "u8": 8, "i16": 16, "u16": 16}
# Powers written out as products. Integers to a larger one are beyond 64 bits but for -1, 0 and 1.
MOST_FACTORS = 64


def wrapped(formula: str, dtype: str) -> str:
    """An integer of 32 bits as one of ``dtype``: a map would saturate, where NumPy and ONNX wrap."""
    bits = NARROW.get(dtype)
    if bits is None:
        return formula
    if dtype.startswith("u"):
        return f"({formula}) & {(1 << bits) - 1}"
    return f"(i32({formula}) << {32 - bits}) >> {32 - bits}"


def integer_cast(formula: str, dtype: str) -> str:
    """An integer as one of another dtype: what its bits hold of it, where ``cast`` saturates."""
    return wrapped(formula, dtype) if dtype in NARROW else f"{dtype}({formula})"


def product(x: str, count: int) -> str:
    """``x`` times itself: squares of squares."""
    if count == 1:
        return x
    half = product(x, count // 2)
    return f"({half} * {half})" if count % 2 == 0 else f"({half} * {half} * {x})"


def whole_power(x: str, exponent: int, of_floats: bool) -> str:
    """A power by a number that is known: ``pow`` of what is below 0 is none."""
    count = abs(exponent)
    if count > MOST_FACTORS and not of_floats:  # of -1, 0 and 1, what is left of others is no number of 64 bits
        count = MOST_FACTORS + count % 2
    if count == 0:
        return f"({x} == {x} ? 1.0 : 1.0)" if of_floats else f"({x} * 0 + 1)"
    if not of_floats:
        if exponent < 0:
            return f"({x} * {x} == 1 ? {x if count % 2 else '1'} : 0)"
        return product(x, count)
    if count <= MOST_FACTORS:
        power = product(x, count)
    else:
        power = f"pow(abs({x}), {float(count)!r})"
        if count % 2:
            power = f"({x} < 0.0 ? -{power} : {power})"
    return f"1.0 / {power}" if exponent < 0 else power


def real_power(x: str, y: str) -> str:
    """A power of floats: of what is below 0 by whole numbers."""
    odd = f"(floor({y} / 2.0) * 2.0 != {y} ? -1.0 : 1.0)"
    of_less = f"({x} < 0.0 && floor({y}) == {y} ? {odd} * pow(-{x}, {y}) : pow({x}, {y}))"
    return f"({y} == 0.0 ? 1.0 : {x} == 1.0 ? 1.0 : {of_less})"


def integer_power(x: str, y: str, bits: int) -> str:
    """A power of integers by integers, modulo 2^bits, bit by bit of the exponent; by one below 0, what is whole of it."""
    steps = bits.bit_length() - 1
    limited = f"min({y}, {bits - 2} + ({y} & 1))"
    factors = [f"(({limited} >> {k} & 1) != 0 ? {product(x, 1 << k)} : 1)" for k in range(steps)]
    return f"({y} < 0 ? ({x} * {x} == 1 ? (({y} & 1) != 0 ? {x} : 1) : 0) : {' * '.join(factors)})"
