"""Matrix products."""

from __future__ import annotations

from typing import Optional

from ...tensor import number_text
from ..dims import Refused, broadcast
from ..dims import product as elements
from ..recorder import Value
from .table import Call, Result, operator


def product(call: Call, a: Value, b: Value, dtype: Optional[str] = None) -> Value:
    """The product of matrices, batches of which broadcast."""
    batch = broadcast(a.shape[:-2], b.shape[:-2])
    final = (*batch, a.shape[-2], b.shape[-1])
    if elements(b.shape[:-2]) == 1:  # one matrix for all rows
        flat = call.r.op("matmul", {"a": a.view((elements(a.shape[:-1]), a.shape[-1])),
                                    "b": b.view(b.shape[-2:])}, dtype=dtype)
        return flat.view(final)
    count = elements(batch)
    a = call.r.expand(a, (*batch, *a.shape[-2:])).view((count, *a.shape[-2:]))
    b = call.r.expand(b, (*batch, *b.shape[-2:])).view((count, *b.shape[-2:]))
    return call.r.op("matmul", {"a": a, "b": b}, dtype=dtype).view(final)


def multiplied(call: Call, a: Value, b: Value, dtype: Optional[str] = None) -> Value:
    """As NumPy's matmul: a vector is a row on the left and a column on the right."""
    if not a.shape or not b.shape:
        raise Refused("multiplies numbers: expected matrices")
    batch = broadcast(a.shape[:-2], b.shape[:-2])
    rows, columns = a.shape[-2:-1], b.shape[-1:] if b.ndim > 1 else ()
    left = a if a.ndim > 1 else a.view((1, *a.shape))
    right = b if b.ndim > 1 else b.view((*b.shape, 1))
    return product(call, left, right, dtype).view((*batch, *rows, *columns))


@operator("MatMul")
def matmul(call: Call) -> Result:
    return multiplied(call, call.value(0), call.value(1))


@operator("Gemm")
def gemm(call: Call) -> Result:
    alpha, beta = float(call.attribute("alpha", 1.0)), float(call.attribute("beta", 1.0))
    attributes = {name: 1 for name, of in (("transpose_a", "transA"), ("transpose_b", "transB"))
                  if call.attribute(of, 0)}
    result = call.r.op("matmul", {"a": call.value(0), "b": call[1]}, attributes)
    left = "a" if alpha == 1 else f"{number_text(alpha)} * a"
    if call.maybe(2) is not None and beta:
        right = "b" if beta == 1 else f"{number_text(beta)} * b"
        return call.r.map(f"{left} + {right}", result, call[2], dtype=call.dtype(0))
    return result if alpha == 1 else call.r.map(left, result, dtype=call.dtype(0))


@operator("Einsum")
def einsum(call: Call) -> Result:
    if not 1 <= len(call.inputs) <= 8:
        raise Refused(f"is of {len(call.inputs)} inputs: expected one to eight")
    inputs = {letter: call[i] for i, letter in zip(range(len(call.inputs)), "abcdefgh")}
    equation = call.attribute("equation", "").replace(" ", "")
    result = call.r.op("einsum", inputs, {"equation": equation}, dtype=call.dtype(0))
    left, arrow, right = equation.partition("->")
    kept = right if arrow else [c for c in left if c.isalpha() and left.count(c) == 1] + ["..."] * ("..." in left)
    return result if kept else result.view(())
