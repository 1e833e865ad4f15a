"""Tensors of a program: what ops take and give, with NumPy's operators."""

from __future__ import annotations

import functools
import math
import re
from typing import (TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, TypeVar, Union,
                    cast)

import numpy as np

from . import _arrays
from ._arrays import DTypeLike
from ._formulas import NARROW, integer_power, real_power, whole_power, wrapped
from ._library import lib
from .errors import InvalidError

if TYPE_CHECKING:
    from .program import Program

Number = Union[int, float, bool]


F = TypeVar("F", bound=Callable[..., Any])


def _operator(takes: Callable[[Any], bool]) -> Callable[[F], F]:
    """An operator that leaves to Python what it does not take."""
    def decorate(method: F) -> F:
        @functools.wraps(method)
        def checked(self: Any, other: Any) -> Any:
            return method(self, other) if takes(other) else NotImplemented

        return cast(F, checked)

    return decorate


def _is_dimension(value: Any) -> bool:
    return isinstance(value, Size) or (isinstance(value, int) and not isinstance(value, bool))


class Size:
    """A dimension that follows live values, as an expression over them: ``8 * batch * tokens``.

    It stands in shapes in the place of a number. ``+``, ``*`` and ``//`` by a number, :func:`min`-like
    :meth:`min` and :meth:`max`, and :meth:`ceil_div` are possible.
    """

    def __init__(self, program: "Program", expression: str):
        self.program = program
        self.expression = expression

    def _with(self, other: "Union[Size, int]", form: str) -> "Size":
        if isinstance(other, Size):
            if other.program is not self.program:
                raise InvalidError("the two sizes are of different programs")
            return Size(self.program, form.format(f"({self.expression})", f"({other.expression})"))
        if not _is_dimension(other):
            raise TypeError(f"a size and {type(other).__name__}: expected an integer or a size")
        return Size(self.program, form.format(f"({self.expression})", other))

    @_operator(_is_dimension)
    def __add__(self, other: "Union[Size, int]") -> "Size":
        return self._with(other, "{0} + {1}")

    @_operator(_is_dimension)
    def __radd__(self, other: "Union[Size, int]") -> "Size":
        return self._with(other, "{1} + {0}")

    @_operator(_is_dimension)
    def __mul__(self, other: "Union[Size, int]") -> "Size":
        return self._with(other, "{0} * {1}")

    @_operator(_is_dimension)
    def __rmul__(self, other: "Union[Size, int]") -> "Size":
        return self._with(other, "{1} * {0}")

    @_operator(_is_dimension)
    def __floordiv__(self, other: int) -> "Size":
        return self._with(other, "{0} / {1}")

    def min(self, other: "Union[Size, int]") -> "Size":
        return self._with(other, "min({0}, {1})")

    def max(self, other: "Union[Size, int]") -> "Size":
        return self._with(other, "max({0}, {1})")

    def ceil_div(self, other: int) -> "Size":
        return self._with(other, "ceil_div({0}, {1})")

    def __eq__(self, other: object) -> bool:
        """Whether the two are the same for all values."""
        if not isinstance(other, Size):
            return NotImplemented
        return self.program is other.program and self.program._extent(self) == self.program._extent(other)

    def __hash__(self) -> int:
        return hash(self.program._extent(self))

    def __repr__(self) -> str:
        return f"<{self.expression}>"


Dim = Union[int, Size]


def number_text(value: Number) -> str:
    """A number as a formula has it."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            raise InvalidError(f"{value} is no number of 64 bits")
        if value == -(2**63):
            return f"({value + 1} - 1)"  # 2**63 alone is u64
        return str(value) if value >= 0 else f"({value})"
    value = float(value)
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "(-inf)"
    text = repr(value)
    text = text if "." in text or "e" in text else text + ".0"
    return text if not text.startswith("-") else f"({text})"


def is_number(value: Any) -> bool:
    """A Python or NumPy number, and no array."""
    return isinstance(value, (bool, int, float)) or (
        getattr(value, "shape", None) == () and hasattr(value, "dtype") and value.dtype.kind in "biuf")


def _plain(value: Any) -> Number:
    """A number of NumPy's as one of Python's."""
    return value.item() if hasattr(value, "item") else value  # type: ignore[no-any-return]


def _float_dtype(value: Any) -> bool:
    """Whether an operand that is no number has floats."""
    if isinstance(value, Tensor):
        return value._is_float()
    return np.asarray(value).dtype.kind == "f"


def _is_array(value: Any) -> bool:
    return hasattr(value, "__array__") or hasattr(value, "__array_interface__") or isinstance(value, (list, tuple))


def _is_matrix(value: Any) -> bool:
    return isinstance(value, Tensor) or _is_array(value)


def _is_operand(value: Any) -> bool:
    return is_number(value) or _is_matrix(value)


class Tensor:
    """A range of a buffer of a program, seen as a tensor: a dtype and a shape, dense and row-major.

    Made by :class:`Program` and by :mod:`reprise.ops`. Operators with tensors, numbers and arrays are
    formulas (``map`` of :mod:`reprise.ops`): a f32 with an integer is f32, integers of fewer than 32 bits
    give 32 bits, and where both sides have one dtype, or one is an integer of Python's, it is kept and wraps. ``/`` is that
    of floats, ``//`` and ``%`` are of integers and round down, as in Python; integers to the power of integers are integers. Comparisons give bool. ``x[2:5]`` and ``x[1]``
    along the first dimension, and :meth:`reshape`, are views and cost nothing; other slices are ops.
    """

    __slots__ = ("program", "name", "dtype", "shape", "_buffer", "_code", "_offset", "_marks", "_whole",
                 "_kind", "__weakref__")
    # Arrays on the left side leave operators to tensors.
    __array_ufunc__ = None

    def __init__(self, program: "Program", name: str, buffer: int, code: int, shape: Tuple[Dim, ...],
                 marks: Tuple[int, ...], *, kind: int, offset: int = 0, whole: bool = True):
        self.program = program
        self.name = name
        """The name of its buffer."""
        self.dtype = _arrays.dtype_name(code)
        self.shape = shape
        self._buffer = buffer
        self._code = code
        self._offset = offset
        self._marks = marks
        self._whole = whole
        self._kind = kind

    # ---- What it is --------------------------------------------------------------------------

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        """Elements; of a shape that follows live values there is none that is known."""
        return math.prod(self.fixed_shape())

    @property
    def nbytes(self) -> int:
        return self.size // _arrays.block(self._code) * int(lib.rp_dtype_size(self._code))

    def _is_fixed(self) -> bool:
        return not any(isinstance(n, Size) for n in self.shape)

    def fixed_shape(self) -> Tuple[int, ...]:
        """The shape, where it follows no live values."""
        if not self._is_fixed():
            raise InvalidError(f"the shape {list(self.shape)} of '{self.name}' follows live values")
        return tuple(int(n) for n in self.shape)  # type: ignore[arg-type]

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a tensor without dimensions has no length")
        return self.fixed_shape()[0]

    def __iter__(self) -> "Iterator[Tensor]":
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        raise TypeError("a tensor has no value while a program is built: run the program first")

    def __repr__(self) -> str:
        dims = ", ".join(str(n) for n in self.shape)
        return f"<reprise.Tensor {self.name} {self.dtype}[{dims}]>"

    # ---- Views -------------------------------------------------------------------------------

    def _view(self, shape: Sequence[Dim], offset: int) -> "Tensor":
        fixed = tuple(shape)
        return Tensor(self.program, self.name, self._buffer, self._code, fixed,
                      self.program._marks(fixed), kind=self._kind, offset=offset, whole=False)

    def reshape(self, *shape: Any) -> "Tensor":
        """The same elements in another shape: a view. One dimension may be -1."""
        dims: List[Dim] = list(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else list(shape)
        if not self._is_fixed() or any(isinstance(n, Size) for n in dims):
            if any(n == -1 for n in dims if not isinstance(n, Size)):
                dims = self._completed(dims)
            return self._view(dims, self._offset)
        size, known = self.size, 1
        for n in dims:
            known *= 1 if n == -1 else int(n)  # type: ignore[arg-type]
        if dims.count(-1) == 1 and known > 0 and size % known == 0:
            dims[dims.index(-1)] = size // known
            known = size
        if known != size or any(int(n) < 0 for n in dims):  # type: ignore[arg-type]
            raise InvalidError(f"{self.dtype}{list(self.shape)} cannot be seen as {dims}")
        return self._view(dims, self._offset)

    def _completed(self, dims: List[Dim]) -> List[Dim]:
        """A shape whose -1 is what the others leave of this one: sizes that are in neither, and a number."""
        sizes = [n for n in self.shape if isinstance(n, Size)]
        number = math.prod(n for n in self.shape if not isinstance(n, Size))
        fits = dims.count(-1) == 1
        for n in dims:
            if isinstance(n, Size):
                fits &= n in sizes
                sizes = [*sizes[:sizes.index(n)], *sizes[sizes.index(n) + 1:]] if fits else sizes
            elif n != -1:
                fits &= n > 0 and number % n == 0
                number //= n if fits else 1
        if not fits:
            raise InvalidError(f"{self.dtype}{list(self.shape)} cannot be seen as {dims}")
        rest: Dim = number
        for size in reversed(sizes):
            rest = size if rest == 1 else size * rest
        return [rest if not isinstance(n, Size) and n == -1 else n for n in dims]

    def __getitem__(self, key: Any) -> "Tensor":
        keys = list(key) if isinstance(key, tuple) else [key]
        shape = self.shape
        dots = [i for i, k in enumerate(keys) if k is Ellipsis]  # == would make an op of a tensor
        if len(dots) > 1:
            raise IndexError("more than one ellipsis in an index")
        given = sum(1 for k in keys if k is not None and k is not Ellipsis)
        if given > len(shape):
            raise IndexError(f"{given} indices for a tensor of {len(shape)} dimensions")
        at = dots[0] if dots else len(keys)
        keys[at:at + 1] = [slice(None)] * (len(shape) - given)
        return _index(self, keys)

    @property
    def T(self) -> "Tensor":
        """The last two dimensions in the other order."""
        from . import ops
        return ops.transpose(self)

    def astype(self, dtype: DTypeLike) -> "Tensor":
        """The values in another dtype."""
        from . import ops
        return self if _arrays.dtype_code(dtype) == self._code else ops.cast(self, dtype=dtype)

    # ---- Operators ---------------------------------------------------------------------------

    def _formula(self, formula: str, other: Any = None, dtype: Optional[str] = None) -> "Tensor":
        """A formula of ``a``, this tensor, and ``b``; integers of fewer than 32 bits wrap."""
        from . import ops
        operands: Dict[str, Any] = {"a": self}
        if other is not None:
            if is_number(other):
                formula = re.sub(r"\bb\b", number_text(_plain(other)), formula)
            else:
                operands["b"] = other
        return ops.map(wrapped(formula, dtype or ""), dtype=dtype, **operands)

    def _kept(self, other: Any) -> Optional[str]:
        """The dtype that an operation with integers keeps, where the library's own rule is another one."""
        if is_number(other):
            return self.dtype if self.dtype in NARROW and not isinstance(_plain(other), float) else None
        return self.dtype if isinstance(other, Tensor) and other.dtype == self.dtype != "bool" else None

    def _arithmetic(self, operator: str, other: Any, reflected: bool) -> "Tensor":
        return self._formula(f"b {operator} a" if reflected else f"a {operator} b", other, self._kept(other))

    @_operator(_is_operand)
    def __add__(self, other: Any) -> "Tensor":
        return self._arithmetic("+", other, False)

    @_operator(_is_operand)
    def __radd__(self, other: Any) -> "Tensor":
        return self._arithmetic("+", other, True)

    @_operator(_is_operand)
    def __sub__(self, other: Any) -> "Tensor":
        return self._arithmetic("-", other, False)

    @_operator(_is_operand)
    def __rsub__(self, other: Any) -> "Tensor":
        return self._arithmetic("-", other, True)

    @_operator(_is_operand)
    def __mul__(self, other: Any) -> "Tensor":
        return self._arithmetic("*", other, False)

    @_operator(_is_operand)
    def __rmul__(self, other: Any) -> "Tensor":
        return self._arithmetic("*", other, True)

    def _is_float(self) -> bool:
        return self.dtype in ("f32", "f16", "bf16")

    def _divide(self, other: Any, reflected: bool) -> "Tensor":
        a = "a" if self._is_float() else "f32(a)"
        b = "b" if isinstance(other, Tensor) and other._is_float() else "f32(b)"
        return self._formula(f"{b} / {a}" if reflected else f"{a} / {b}", other)

    @_operator(_is_operand)
    def __truediv__(self, other: Any) -> "Tensor":
        return self._divide(other, False)

    @_operator(_is_operand)
    def __rtruediv__(self, other: Any) -> "Tensor":
        return self._divide(other, True)

    def _integers(self, other: Any, reflected: bool, remainder: bool) -> "Tensor":
        if isinstance(other, float) or self._is_float() or (isinstance(other, Tensor) and other._is_float()):
            raise TypeError("// and % are of integers; ops.map has floor(a / b) of floats")
        x, y = ("b", "a") if reflected else ("a", "b")
        wrong = f"({x} % {y} != 0 && ({x} < 0) != ({y} < 0))"
        formula = f"{x} % {y} + ({wrong} ? {y} : 0)" if remainder else f"{x} / {y} - ({wrong} ? 1 : 0)"
        return self._formula(formula, other, self._kept(other))

    @_operator(_is_operand)
    def __floordiv__(self, other: Any) -> "Tensor":
        return self._integers(other, False, False)

    @_operator(_is_operand)
    def __rfloordiv__(self, other: Any) -> "Tensor":
        return self._integers(other, True, False)

    @_operator(_is_operand)
    def __mod__(self, other: Any) -> "Tensor":
        return self._integers(other, False, True)

    @_operator(_is_operand)
    def __rmod__(self, other: Any) -> "Tensor":
        return self._integers(other, True, True)

    def _power(self, other: Any, reflected: bool) -> "Tensor":
        number = _plain(other) if is_number(other) else None
        x, y = ("b", "a") if reflected else ("a", "b")
        base_is_float = isinstance(number, float) if reflected and number is not None else (
            _float_dtype(other) if reflected else self._is_float())
        by_float = self._is_float() if reflected else (isinstance(number, float) if number is not None else _float_dtype(other))
        if number is not None and not reflected and number == number and abs(number) < 2**31 and number == int(number):
            if base_is_float or by_float:
                return self._formula(whole_power("a" if base_is_float else "f32(a)", int(number), True),
                                     dtype=self.dtype if base_is_float else None)
            if number < 0:
                raise InvalidError("integers to a power below 0 are no integers: expected 0 or more, or a float")
            return self._formula(whole_power("a", int(number), False), dtype=self._kept(other))
        if base_is_float or by_float:
            return self._formula(real_power(x if base_is_float else f"f32({x})", y if by_float else f"f32({y})"), other)
        wide = "64" in self.dtype or "64" in str(getattr(other, "dtype", ""))
        return self._formula(integer_power(x, y, 64 if wide else 32), other, self._kept(other))

    @_operator(_is_operand)
    def __pow__(self, other: Any) -> "Tensor":
        return self._power(other, False)

    @_operator(_is_operand)
    def __rpow__(self, other: Any) -> "Tensor":
        return self._power(other, True)

    def __neg__(self) -> "Tensor":
        return self._formula("-a", dtype=self.dtype)

    def __pos__(self) -> "Tensor":
        return self

    def __abs__(self) -> "Tensor":
        return self._formula("abs(a)", dtype=self.dtype)

    def __invert__(self) -> "Tensor":
        if self.dtype == "bool":
            return self._formula("a == 0", dtype="bool")
        return self._formula("~a", dtype=self.dtype)

    def _bits(self, operator: str, other: Any, reflected: bool) -> "Tensor":
        both = self.dtype == "bool" and (isinstance(other, bool) or getattr(other, "dtype", None) == "bool")
        return self._formula(f"b {operator} a" if reflected else f"a {operator} b", other,
                             "bool" if both and operator in "&|^" else self._kept(other))

    @_operator(_is_operand)
    def __and__(self, other: Any) -> "Tensor":
        return self._bits("&", other, False)

    @_operator(_is_operand)
    def __rand__(self, other: Any) -> "Tensor":
        return self._bits("&", other, True)

    @_operator(_is_operand)
    def __or__(self, other: Any) -> "Tensor":
        return self._bits("|", other, False)

    @_operator(_is_operand)
    def __ror__(self, other: Any) -> "Tensor":
        return self._bits("|", other, True)

    @_operator(_is_operand)
    def __xor__(self, other: Any) -> "Tensor":
        return self._bits("^", other, False)

    @_operator(_is_operand)
    def __rxor__(self, other: Any) -> "Tensor":
        return self._bits("^", other, True)

    @_operator(_is_operand)
    def __lshift__(self, other: Any) -> "Tensor":
        return self._bits("<<", other, False)

    @_operator(_is_operand)
    def __rshift__(self, other: Any) -> "Tensor":
        return self._bits(">>", other, False)

    @_operator(_is_operand)
    def __rlshift__(self, other: Any) -> "Tensor":
        return self._bits("<<", other, True)

    @_operator(_is_operand)
    def __rrshift__(self, other: Any) -> "Tensor":
        return self._bits(">>", other, True)

    def _compare(self, operator: str, other: Any) -> "Tensor":
        return self._formula(f"a {operator} b", other, dtype="bool")

    @_operator(_is_operand)
    def __lt__(self, other: Any) -> "Tensor":
        return self._compare("<", other)

    @_operator(_is_operand)
    def __le__(self, other: Any) -> "Tensor":
        return self._compare("<=", other)

    @_operator(_is_operand)
    def __gt__(self, other: Any) -> "Tensor":
        return self._compare(">", other)

    @_operator(_is_operand)
    def __ge__(self, other: Any) -> "Tensor":
        return self._compare(">=", other)

    @_operator(_is_operand)
    def __eq__(self, other: Any) -> "Tensor":  # type: ignore[override]
        return self._compare("==", other)

    @_operator(_is_operand)
    def __ne__(self, other: Any) -> "Tensor":  # type: ignore[override]
        return self._compare("!=", other)

    __hash__ = object.__hash__

    @_operator(_is_matrix)
    def __matmul__(self, other: Any) -> "Tensor":
        from . import ops
        return _product(ops, self, other)

    @_operator(_is_matrix)
    def __rmatmul__(self, other: Any) -> "Tensor":
        from . import ops
        return _product(ops, other, self)


class Live(Tensor):
    """A live value of a program: a tensor, and a dimension of shapes where it has a ``max``."""

    __slots__ = ()

    def as_size(self, element: Optional[int] = None) -> Size:
        """It as a dimension, or an element of it: ``8 * tokens.as_size()``."""
        return Size(self.program, self.name if element is None else f"{self.name}[{element}]")


Shape = Union[Dim, Live, Sequence[Union[Dim, Live]]]
"""What stands for a shape: a dimension, or several; live values are dimensions."""


def _product(ops: Any, a: Any, b: Any) -> "Tensor":
    """NumPy's matmul: a vector is a row on the left and a column on the right, and no dimension of the result."""
    program = a.program if isinstance(a, Tensor) else b.program
    a, b = program._tensor(a), program._tensor(b)
    left, right = a.ndim == 1, b.ndim == 1
    result = ops.matmul(a.reshape(1, a.shape[0]) if left else a, b.reshape(b.shape[0], 1) if right else b)
    shape = list(result.shape)
    if right:
        del shape[-1]
    if left:
        del shape[-1 if right else -2]
    return result.reshape(shape or [1]) if left or right else result  # type: ignore[no-any-return]


def _steps(key: Any, n: int) -> Tuple[int, int, int]:
    """Start, step and count of a slice of n elements."""
    if not isinstance(key, slice):
        raise TypeError(f"an index is an integer, a slice, None or ..., not {type(key).__name__}: "
                        "ops.take and ops.gather_nd take tensors of indices")
    start, stop, step = key.indices(n)
    return start, step, len(range(start, stop, step))


def _index(t: Tensor, keys: List[Any]) -> Tensor:
    """Basic indexing: views while only the first dimension that is longer than 1 is cut, else ops."""
    from . import ops
    axis = 0
    kept: List[Dim] = []  # dimensions of the result
    for key in keys:
        if key is None:
            kept.append(1)
            continue
        shape = t.shape
        n = shape[axis]
        if isinstance(n, Size):
            t = _cut_size(ops, t, axis, n, key)
            kept += [n] if isinstance(key, slice) else []
            axis += 1
            continue
        if isinstance(key, int) or hasattr(key, "__index__"):
            place = key.__index__()
            if not -n <= place < n:
                raise IndexError(f"index {place} is out of a dimension of {n}")
            start, step, count = place % n, 1, 1
        else:
            start, step, count = _steps(key, n)
            kept.append(count)
        if count == 0 and t._is_fixed():
            t = t._view((*shape[:axis], 0, *shape[axis + 1:]), t._offset)
        elif (start, step, count) != (0, 1, n):
            t = _cut(ops, t, axis, start, step, count)
        axis += 1
    return t if tuple(kept) == t.shape else t.reshape(kept or [1])


def _cut_size(ops: Any, t: Tensor, axis: int, n: Size, key: Any) -> Tensor:
    """Of a dimension that follows live values: all of it, in either order, or its first or last slice."""
    if isinstance(key, slice) and key == slice(None):
        return t
    if isinstance(key, slice) and key == slice(None, None, -1):
        return ops.flip(t, axes=[axis])  # type: ignore[no-any-return]
    if not isinstance(key, slice) and key in (0, -1):
        return ops.take_range(t, axis=axis, start=int(key), count=1)  # type: ignore[no-any-return]
    raise InvalidError(f"dimension {axis} of '{t.name}', {n}, follows live values: expected :, ::-1, 0 or -1")


def _cut(ops: Any, t: Tensor, axis: int, start: int, step: int, count: int) -> Tensor:
    if not t._is_fixed():
        return ops.take_range(t, axis=axis, start=start, step=step, count=count)  # type: ignore[no-any-return]
    shape = t.fixed_shape()
    if (step == 1 or count == 1) and all(n == 1 for n in shape[:axis]):
        row = int(lib.rp_dtype_size(t._code))
        inner = math.prod(shape[axis + 1:])
        if axis + 1 == len(shape):
            if start % _arrays.block(t._code) or count % _arrays.block(t._code):
                raise InvalidError(f"a slice of {t.dtype} is whole blocks of {_arrays.block(t._code)}")
            offset = start // _arrays.block(t._code) * row
        else:
            offset = start * (inner // _arrays.block(t._code)) * row
        return t._view([*shape[:axis], count, *shape[axis + 1:]], t._offset + offset)
    return ops.take_range(t, axis=axis, start=start, step=step, count=count)  # type: ignore[no-any-return]
