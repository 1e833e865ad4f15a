"""What symbolic dimensions of a model are in its pipeline: numbers, params or live values."""

from __future__ import annotations

import keyword
import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ..errors import InvalidError, UnsupportedError
from .dims import Dim, Refused, Size, parse, value_at
from .reader import Port
from .recorder import Recorder

LARGEST = (1 << 31) - 1
TAKEN = {"inf", "nan", "pi", "index", "true", "false", "null", "min", "max", "abs", "ceil_div", "pow", "floor", "ceil",
         "round", "trunc", "sqrt", "exp", "exp2", "log", "log2", "sin", "cos", "tan", *(f"i{n}" for n in range(8))}
"""What names in expressions and formulas mean already."""


def numbers(name: str, given: Any, count: int) -> List[int]:
    """One number, or up to ``count`` in a list."""
    several = list(given) if isinstance(given, (list, tuple)) else [given]
    for n in several:
        if isinstance(n, bool) or not hasattr(n, "__index__") or not 0 <= int(n) <= LARGEST:
            raise InvalidError(f"{name} is {n}: expected 0 or more")
    if not 0 < len(several) <= count or sorted(set(several)) != several:
        expected = "one number" if count == 1 else "numbers that ascend"
        raise InvalidError(f"{name} is {given}: expected {expected}")
    return [int(n) for n in several]


class Symbols:
    """The symbolic dimensions of one import."""

    def __init__(self, sizes: Mapping[str, Any], params: Mapping[str, Any], live: Mapping[str, Any]):
        self.sizes: Dict[str, int] = {}
        """Numbers, by the model's names."""
        self.params: Dict[str, int] = {}
        """Params of the pipeline and their values, by its names."""
        self.most: Dict[str, int] = {}
        """How large they may be, where that was said."""
        self.live: Dict[str, List[int]] = {}
        """Live values of the pipeline: the largest values of each form of the plan, the last of all."""
        self.names: Dict[str, str] = {}
        """Names of the pipeline by those of the model."""
        for kind, given in (("sizes", sizes), ("params", params), ("live", live)):
            for name in given:
                if name in self.names:
                    raise InvalidError(f"{name} is given twice")
                self.names[name] = name if kind == "sizes" else self._name(name)
        self.sizes = {name: numbers(name, n, 1)[0] for name, n in sizes.items()}
        for name, given in params.items():
            value, *most = numbers(name, given, 2)
            if value < 1:
                raise InvalidError(f"{name} is {value}: a param begins at 1 or more")
            self.params[self.names[name]] = value
            self.most.update({self.names[name]: n for n in most})
        self.live = {self.names[name]: numbers(name, n, 16) for name, n in live.items()}
        for name, values in self.live.items():
            if values[0] < 2:
                raise InvalidError(f"{name} is up to {values[0]}: expected 2 or more")
        self._dims: Dict[str, Size] = dict(self.sizes)

    def _name(self, name: str) -> str:
        """A name of letters, digits and "_" that means nothing else."""
        found = re.sub(r"\W", "_", name, flags=re.ASCII)[:60] or "size"
        if not re.match("[A-Za-z_]", found) or found in TAKEN or keyword.iskeyword(found):
            found = "_" + found
        base, count = found, 1
        while found in self.names.values():
            count += 1
            found = f"{base}_{count}"
        return found

    # ---- Inputs ------------------------------------------------------------------------------

    def shapes(self, ports: Sequence[Port], recorder: Recorder) -> List[Tuple[Port, Tuple[Size, ...]]]:
        """The inputs' shapes; sizes that are missing are named all at once."""
        for name in self.params:
            self._add(name, recorder, self.most.get(name, LARGEST))
        for name, values in self.live.items():
            self._add(name, recorder, values[-1])
        found: List[Tuple[Port, Tuple[Size, ...]]] = []
        missing: Dict[str, List[str]] = {}
        used: Set[str] = set()
        for port in ports:
            if port.dims is None:
                raise UnsupportedError(f"input '{port.name}' has no number of dimensions")
            shape: List[Size] = []
            for axis, n in enumerate(port.dims):
                place = f"{port.name}.{axis}"
                key = n if isinstance(n, str) and place not in self.names else place
                if isinstance(n, int) and n >= 0:
                    shape.append(n)
                    continue
                known = self._dims.get(key)
                used.add(key)
                if known is None and isinstance(n, str):
                    known = self._computed(n, used)
                if known is None:
                    missing.setdefault(key, []).append(f"dimension {axis} of {port.name}")
                shape.append(1 if known is None else known)
            found.append((port, tuple(shape)))
        if missing:
            which = "; ".join(f"{key} ({', '.join(where)})" for key, where in missing.items())
            raise InvalidError(f"sizes have to be given: {which}")
        strange = sorted(set(self.names) - used)
        if strange:
            known_names = f"it has {', '.join(sorted(used))}" if used else "it has none"
            raise InvalidError(f"the model has no size '{strange[0]}': {known_names}")
        return found

    def _add(self, name: str, recorder: Recorder, most: int) -> None:
        # Of params the library is asked with small numbers; nothing is decided by how large they are.
        asked = most if name in self.live else max(2, self.params[name])
        try:
            dim = recorder.size(name, 1, most, asked)
        except Refused as error:
            raise InvalidError(str(error)) from None
        self._dims.update({key: dim for key, own in self.names.items() if own == name})

    def _computed(self, text: str, used: Set[str]) -> Optional[Size]:
        """A dimension that is named by what it is, as \"past + tokens\"."""
        names = {key: dim for key, dim in self._dims.items() if key.isidentifier()}
        try:
            found = parse(text, names)
        except ValueError:
            return None
        used.discard(text)
        used.update(name for name in names if re.search(rf"\b{name}\b", text))
        return found

    # ---- Values ------------------------------------------------------------------------------

    def values(self, shapes: Mapping[str, Tuple[Sequence[Size], Sequence[int]]]) -> Dict[str, int]:
        """What live values are where inputs, by name, have these shapes."""
        values = dict(self.params)
        pairs = [(name, want, got) for name, (dims, shape) in shapes.items() for want, got in zip(dims, shape)]
        for name, (dims, shape) in shapes.items():
            if len(dims) != len(shape):
                raise InvalidError(f"input '{name}' is {list(shape)}: expected {list(dims)}")
        while True:
            new = {symbol: number for _, want, got in pairs
                   for symbol, number in _solved(want, got, values).items()}
            if not new:
                break
            values.update(new)
        for name, ranges in self.live.items():
            if name not in values:
                raise InvalidError(f"no shape of an input tells {name}")
            if not 1 <= values[name] <= ranges[-1]:
                raise InvalidError(f"{name} is {values[name]}: expected 1 to {ranges[-1]}")
        for name, (dims, shape) in shapes.items():
            if [value_at(n, values) for n in dims] != list(shape):
                where = ", ".join(f"{k} = {v}" for k, v in values.items())
                raise InvalidError(f"input '{name}' is {list(shape)}: expected {list(dims)}" +
                                   (f" with {where}" if where else ""))
        return values


def _solved(dim: Size, number: int, values: Mapping[str, int]) -> Dict[str, int]:
    """The one symbol of a dimension that is not known yet, where it tells it."""
    if not isinstance(dim, Dim):
        return {}
    names = {atom.text for term in dim.terms for atom in term}
    if any(atom.operation for term in dim.terms for atom in term):
        return {}
    unknown = names - set(values)
    if len(unknown) != 1:
        return {}
    name = unknown.pop()
    none, one = (dim.at({**values, name: n}) for n in (0, 1))
    if one == none or any([a.text for a in term].count(name) > 1 for term in dim.terms) or (number - none) % (one - none):
        return {}
    return {name: (number - none) // (one - none)}
