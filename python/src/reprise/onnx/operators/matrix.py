"""Matrix products."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from ...tensor import number_text
from ..dims import Refused, Size, broadcast
from ..dims import product as elements
from ..recorder import Given, Value
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


def _terms(equation: str, count: int) -> Tuple[List[str], str]:
    text = equation.replace(" ", "")
    if "." in text:
        raise Refused(f"'{equation}': an ellipsis is not known")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if not arrow:
        letters = "".join(terms)
        right = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    if len(terms) != count or any(len(set(t)) != len(t) for t in [*terms, right]):
        raise Refused(f"'{equation}' of {count} inputs, or with a letter twice in one, is not known")
    return terms, right


def _summed(call: Call, given: Given, term: str, keep: str) -> Tuple[Value, str]:
    """Without the letters that nobody else has."""
    value = call.r.value(given)
    axes = [i for i, c in enumerate(term) if c not in keep]
    rest = "".join(c for c in term if c in keep)
    if axes:
        sizes = [n for i, n in enumerate(value.shape) if i not in axes]
        value = call.r.op("reduce_sum", {"x": value}, {"axes": axes}, dtype=value.dtype).view(sizes)
    return value, rest


@operator("Einsum")
def einsum(call: Call) -> Result:
    """Of one input, or of two: a product of batches of matrices."""
    terms, right = _terms(call.attribute("equation", ""), len(call.inputs))
    if len(terms) > 2:
        raise Refused(f"is of {len(terms)} inputs: expected one or two")
    x, first = _summed(call, call[0], terms[0], right + "".join(terms[1:]))
    if len(terms) == 1:
        return call.r.transpose(x, [first.index(c) for c in right])
    y, second = _summed(call, call[1], terms[1], right + first)
    sizes: Dict[str, Size] = {}
    for term, value in ((first, x), (second, y)):
        for letter, n in zip(term, value.shape):
            if sizes.setdefault(letter, n) != n:
                raise Refused(f"dimension '{letter}' is {sizes[letter]} and {n}")
    batch = [c for c in first if c in second and c in right]
    inner = [c for c in first if c in second and c not in right]
    rows = [c for c in first if c not in second]
    columns = [c for c in second if c not in first]

    def arranged(value: Value, term: str, *groups: List[str]) -> Value:
        moved = call.r.transpose(value, [term.index(c) for g in groups for c in g])
        return moved.view([elements([sizes[c] for c in g]) for g in groups])

    found = product(call, arranged(x, first, batch, rows, inner), arranged(y, second, batch, inner, columns))
    order = [*batch, *rows, *columns]
    return call.r.transpose(found.view([sizes[c] for c in order]), [order.index(c) for c in right])
