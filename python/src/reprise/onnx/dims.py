"""Dimensions that vary: what a model computes of its symbolic dimensions, followed as polynomials.

A dimension is an ``int``, or a :class:`Dim`: a sum of products of *atoms* with whole coefficients. An atom is a
symbolic dimension of the model, or a quotient or a limit of a dimension, which is none of its sums. So sums and
differences cancel (``past + tokens - past`` is ``tokens``), two dimensions are one where they are equal for all
values, and nothing else is. What is not decided for all values, as whether ``tokens`` is less than 8, is refused.

The library's sizes are products (docs/yaml.md): a dimension is written as what all its terms have in common,
times the rest, so that the same dimension is always written in the same words.
"""

from __future__ import annotations

import ast
import math
import operator
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence, Tuple, Union

INFINITE = 1 << 62
"""What ends of slices are beyond; numbers of shapes are below."""


class Refused(Exception):
    """Why a node cannot be imported."""


class Undecided(Refused):
    """What is asked of a dimension is not the same for all its values."""


class Atom(NamedTuple):
    """A factor: a symbolic dimension by its name, or an operation on dimensions."""

    text: str
    least: int
    most: int
    operation: str = ""
    operands: "Tuple[Union[int, Dim], ...]" = ()

    def __str__(self) -> str:
        return self.text

    def at(self, values: Mapping[str, int]) -> int:
        if not self.operation:
            return values[self.text]
        return _OPERATIONS[self.operation](*(value_at(n, values) for n in self.operands))


Term = Tuple[Atom, ...]


def _text_of(terms: Mapping[Term, int]) -> str:
    """A sum in words, in one order."""
    words: List[str] = []
    for term in sorted(terms, key=lambda t: (not t, [a.text for a in t])):
        count, names = terms[term], [a.text for a in term]
        words.append(" * ".join([str(count)] * (count != 1 or not names) + names))
    return " + ".join(words)


class Dim:
    """A dimension that varies."""

    __slots__ = ("terms", "text")

    def __init__(self, terms: Mapping[Term, int]):
        self.terms = dict(terms)
        self.text = self._words()
        """It as an expression of a pipeline."""

    def _words(self) -> str:
        shared = math.gcd(*self.terms.values())
        common = list(next(iter(self.terms)))
        for term in self.terms:
            left, common, all_of_them = list(term), [], common
            for a in all_of_them:
                if a in left:
                    left.remove(a)
                    common.append(a)
        rest: Dict[Term, int] = {}
        for term, count in self.terms.items():
            left = list(term)
            for a in common:
                left.remove(a)
            rest[tuple(left)] = count // shared
        if len(rest) == 1:
            shared *= next(iter(rest.values()))
        factors = [a.text for a in common]
        if len(rest) > 1:
            factors.append(f"({_text_of(rest)})" if factors or shared > 1 else _text_of(rest))
        return " * ".join([str(shared)] * (shared != 1) + factors)

    # ---- What it may be ----------------------------------------------------------------------

    def _limit(self, most: bool) -> int:
        total = 0
        for term, count in self.terms.items():
            value = count
            for a in term:
                value *= a.most if most == (count > 0) else a.least
            total += value
        return max(-INFINITE, min(INFINITE, total))

    @property
    def least(self) -> int:
        return self._limit(False)

    @property
    def most(self) -> int:
        return self._limit(True)

    def at(self, values: Mapping[str, int]) -> int:
        """It where symbolic dimensions have these values."""
        total = 0
        for term, count in self.terms.items():
            for a in term:
                count *= a.at(values)
            total += count
        return total

    def formula(self, name: Callable[[str], str]) -> str:
        """It as a formula of a map, of integers; ``name`` says what stands for a symbolic dimension."""
        words = [" * ".join([str(count)] * (count != 1 or not term) + [_formula(a, name) for a in term])
                 for term, count in sorted(self.terms.items(), key=lambda item: [a.text for a in item[0]])]
        return " + ".join(word if not word.startswith("-") else f"({word})" for word in words)

    @property
    def possible(self) -> bool:
        """Whether the library takes it as a dimension: nothing is subtracted."""
        return all(count > 0 for count in self.terms.values())

    # ---- Arithmetic --------------------------------------------------------------------------

    def _sum(self, other: Any, sign: int) -> Any:
        found = terms_of(other)
        if found is None:
            return NotImplemented
        total = dict(self.terms)
        for term, count in found.items():
            total[term] = total.get(term, 0) + sign * count
        return made(total)

    def __add__(self, other: Any) -> Any:
        return self._sum(other, 1)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._sum(other, -1)

    def __rsub__(self, other: Any) -> Any:
        return (-self)._sum(other, 1)

    def __neg__(self) -> "Dim":
        return Dim({term: -count for term, count in self.terms.items()})

    def __mul__(self, other: Any) -> Any:
        found = terms_of(other)
        if found is None:
            return self._scaled(other)
        total: Dict[Term, int] = {}
        for a, m in self.terms.items():
            for b, n in found.items():
                term = tuple(sorted((*a, *b), key=str))
                total[term] = total.get(term, 0) + m * n
        return made(total)

    __rmul__ = __mul__

    def _scaled(self, other: Any) -> Any:
        """Times a number that is not whole, such as the scale of a resize."""
        try:
            by = float(other)
        except (TypeError, ValueError):
            return NotImplemented
        scaled = {term: count * by for term, count in self.terms.items()}
        if any(count != int(count) for count in scaled.values()):
            raise Undecided(f"{self.text} times {by} is no whole number")
        return made({term: int(count) for term, count in scaled.items()})

    def __floordiv__(self, other: Any) -> Any:
        return divided(self, other, "/")

    def __truediv__(self, other: Any) -> Any:
        """Exact, or refused: floats of dimensions are whole numbers here."""
        found = self._exact(whole(other)) if whole(other) is not None else None
        if found is None:
            raise Undecided(f"{self.text} / {other} is no whole number for all sizes")
        return found

    def __rfloordiv__(self, other: Any) -> Any:
        raise Undecided(f"{other} / {self.text} is no dimension that grows with sizes")

    __rtruediv__ = __rfloordiv__

    def __mod__(self, other: Any) -> Any:
        by = whole(other)
        if by and all(count % by == 0 for count in self.terms.values()):
            return 0
        raise Undecided(f"{self.text} % {other} is not the same for all sizes")

    def _exact(self, by: Any) -> Any:
        """The quotient where it has no remainder for any value; None elsewhere."""
        if isinstance(by, Dim):
            if len(by.terms) > 1:
                return 1 if self == by else None
            (divisor, count), = by.terms.items()
        else:
            divisor, count = (), by
        total: Dict[Term, int] = {}
        for term, n in self.terms.items():
            left = list(term)
            for a in divisor:
                if a not in left:
                    return None
                left.remove(a)
            if not count or n % count:
                return None
            total[tuple(left)] = n // count
        return made(total)

    def floor(self) -> "Dim":
        return self

    ceil = rint = floor

    def __int__(self) -> int:
        raise Undecided(f"{self.text} is a size that varies: expected a constant")

    __index__ = __float__ = __int__

    # ---- Comparing ---------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        found = terms_of(other)
        if found is None:
            return NotImplemented
        return bool(self.terms == found)  # that two sizes may have one value says nothing of a model

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def _compared(self, other: Any, compare: Callable[[int, int], bool]) -> bool:
        difference = self - other
        if not isinstance(difference, Dim):
            return compare(difference, 0)
        answers = {compare(difference.least, 0), compare(difference.most, 0)}
        if len(answers) > 1:
            raise Undecided(f"whether {self.text} is less than {other} is not the same for all sizes")
        return answers.pop()

    def __lt__(self, other: Any) -> bool:
        return self._compared(other, operator.lt)

    def __le__(self, other: Any) -> bool:
        return self._compared(other, operator.le)

    def __gt__(self, other: Any) -> bool:
        return self._compared(other, operator.gt)

    def __ge__(self, other: Any) -> bool:
        return self._compared(other, operator.ge)

    def __bool__(self) -> bool:
        return self != 0

    def __repr__(self) -> str:
        return self.text


Size = Union[int, Dim]


def whole(value: Any) -> Any:
    """A dimension or a whole number, as Python has it; None for anything else."""
    if isinstance(value, Dim):
        return value
    try:
        number = value.item() if hasattr(value, "item") else value
        return int(number) if number == int(number) else None
    except (TypeError, ValueError, OverflowError):
        return None


def terms_of(value: Any) -> Any:
    found = whole(value)
    if found is None:
        return None
    return found.terms if isinstance(found, Dim) else {(): found} if found else {}


def made(terms: Mapping[Term, int]) -> Size:
    """A dimension of terms: a number, where no size is in it."""
    kept = {term: count for term, count in terms.items() if count}
    return Dim(kept) if any(kept) else kept.get((), 0)


def symbol(name: str, least: int, most: int) -> Dim:
    """A symbolic dimension."""
    return Dim({(Atom(name, least, most),): 1})


# ---- Operations that are no sums of products -----------------------------------------------------


def _floor(a: int, b: int) -> int:
    return a // b


def _ceil(a: int, b: int) -> int:
    return -(-a // b)


_OPERATIONS: Dict[str, Callable[..., int]] = {"/": _floor, "ceil_div": _ceil, "min": min, "max": max}


def _formula(atom: Atom, name: Callable[[str], str]) -> str:
    """Formulas have no ceil_div."""
    if not atom.operation:
        return f"i32({name(atom.text)})"
    a, b = (n.formula(name) if isinstance(n, Dim) else str(n) for n in atom.operands)
    if atom.operation in ("min", "max"):
        return f"{atom.operation}({a}, {b})"
    return f"(({a} + {int(b) - 1}) / {b})" if atom.operation == "ceil_div" else f"(({a}) / {b})"


def _operation(name: str, a: Size, b: Size) -> Dim:
    x, y = str(a), str(b)
    if name == "/":
        text = f"({x}) / {y}" if isinstance(a, Dim) and len(a.terms) > 1 else f"{x} / {y}"
        text = f"({text})"
    else:
        text = f"{name}({x}, {y})"
    compute = _OPERATIONS[name]
    least, most = compute(least_of(a), least_of(b)), compute(most_of(a), most_of(b))
    return Dim({(Atom(text, least, most, name, (a, b)),): 1})


def divided(a: Any, by: Any, name: str) -> Size:
    """A quotient, rounded down or up: of what varies by a number."""
    a, by = whole(a), whole(by)
    if not isinstance(a, Dim) and not isinstance(by, Dim) and a is not None and by:
        return _OPERATIONS[name](a, by)
    exact = a._exact(by) if isinstance(a, Dim) and by is not None else None
    if exact is not None:
        return exact  # type: ignore[no-any-return]
    if not isinstance(a, Dim) or isinstance(by, Dim) or by is None or by <= 0 or not a.possible:
        raise Undecided(f"{a} / {by} is no dimension that grows with sizes")
    return _operation(name, a, by)


def quotient(a: Size, by: Size) -> Size:
    """A quotient without a remainder."""
    if not isinstance(a, Dim) and not isinstance(by, Dim):
        return a // by
    exact = a._exact(by) if isinstance(a, Dim) else None
    if exact is None:
        raise Undecided(f"{a} / {by} is no whole number for all sizes")
    return exact  # type: ignore[no-any-return]


def limited(a: Size, b: Size, name: str) -> Size:
    """``min`` or ``max``: one of the two, where it is that for all sizes."""
    for x, y in ((a, b), (b, a)):
        try:
            least, most = (x, y) if x <= y else (y, x)
            return least if name == "min" else most
        except Undecided:
            pass
    if not all(n.possible if isinstance(n, Dim) else n >= 0 for n in (a, b)):
        raise Undecided(f"{name}({a}, {b}) is no dimension that grows with sizes")
    return _operation(name, *sorted((a, b), key=str))


def least_of(n: Size) -> int:
    return n.least if isinstance(n, Dim) else n


def most_of(n: Size) -> int:
    return n.most if isinstance(n, Dim) else n


def value_at(n: Size, values: Mapping[str, int]) -> int:
    return n.at(values) if isinstance(n, Dim) else n


# ---- Shapes --------------------------------------------------------------------------------------


def product(shape: Sequence[Size]) -> Size:
    total: Size = 1
    for n in shape:
        total = total * n
    return total


def broadcast(*shapes: Sequence[Size]) -> Tuple[Size, ...]:
    """As NumPy has it. A dimension that varies is repeated for none, and meets itself and 1."""
    rank = max(map(len, shapes))
    found: List[Size] = [1] * rank
    for shape in shapes:
        for i, n in enumerate(shape, rank - len(shape)):
            if n != found[i] and n != 1:
                if found[i] != 1:
                    raise ValueError(f"{found[i]} and {n} elements do not meet along a dimension")
                found[i] = n
    return tuple(found)


# ---- Reading -------------------------------------------------------------------------------------


def parse(text: str, names: Mapping[str, Size]) -> Size:
    """A dimension of an expression: of the library's, or of a model's names of dimensions. ValueError where
    it is none."""
    try:
        return _read(ast.parse(text.replace("$", "").strip(), mode="eval").body, names)
    except (SyntaxError, KeyError, Undecided, TypeError):
        raise ValueError(text) from None


def _read(node: Any, names: Mapping[str, Size]) -> Size:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.BinOp):
        a, b = _read(node.left, names), _read(node.right, names)
        if isinstance(node.op, (ast.Div, ast.FloorDiv)):
            return divided(a, b, "/")
        operations: Dict[Any, Callable[[Any, Any], Size]] = {
            ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}
        return operations[type(node.op)](a, b)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        a, b = (_read(n, names) for n in node.args)
        if node.func.id == "ceil_div":
            return divided(a, b, "ceil_div")
        return limited(a, b, {"min": "min", "max": "max"}[node.func.id])
    raise KeyError(type(node).__name__)

