"""The table of operators: from an ONNX operator to a function that records it."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from ..._arrays import Array
from ..dims import Dim, Refused, Size
from ..reader import COMPUTED, Step
from ..recorder import Given, Recorder, Value, of_sizes

Result = Union[Given, Sequence[Given]]


class Call:
    """A node that is imported: its inputs as values or constants, and what records ops."""

    def __init__(self, step: Step, inputs: List[Optional[Given]], recorder: Recorder, opset: int):
        self.step = step
        self.inputs = inputs
        self.r = recorder
        self.opset = opset

    def __getitem__(self, index: int) -> Given:
        """An input that must be there."""
        given = self.maybe(index)
        if given is None:
            raise Refused(f"has no input {index}")
        return given

    def maybe(self, index: int) -> Optional[Given]:
        return self.inputs[index] if index < len(self.inputs) else None

    def value(self, index: int, wide: bool = False) -> Value:
        return self.r.value(self[index], wide=wide)

    def shape(self, index: int) -> Tuple[Size, ...]:
        return tuple(self[index].shape)

    def fixed(self, index: int, what: str) -> Tuple[int, ...]:
        """The shape of an input, which may not vary."""
        return tuple(number(n, what) for n in self.shape(index))

    def dtype(self, index: int) -> str:
        """What an input is computed as."""
        name = self.r.dtype(self[index])
        return COMPUTED.get(name, name)

    def constant(self, index: int, what: str) -> Optional[Array]:
        """An input that has to be known when the model is imported."""
        given = self.maybe(index)
        if isinstance(given, Value):
            raise Refused(f"{what} is computed by the model: expected a constant")
        return given

    def integers(self, index: int, what: str) -> Optional[List[int]]:
        """Numbers that go into an attribute, which no size may."""
        found = self.sizes(index, what)
        return None if found is None else [number(n, what) for n in found]

    def axes(self, index: int, name: str = "axes") -> Optional[List[int]]:
        """Axes, or counts along one: an input, and an attribute before version 13."""
        found = self.integers(index, name)
        said: Optional[List[int]] = self.attribute(name)
        return said if found is None else found

    def sizes(self, index: int, what: str) -> Optional[List[Size]]:
        """Numbers that may be sizes."""
        array = self.constant(index, what)
        if array is None:
            return None
        return [n if isinstance(n, Dim) else int(n) for n in array.reshape(-1)]

    def attribute(self, name: str, default: Any = None) -> Any:
        return self.step.attributes.get(name, default)

    def refuse(self, name: str, *fine: Any) -> None:
        """Refuses an attribute that is none of what is fine."""
        value = self.attribute(name, fine[0])
        if value not in fine:
            raise Refused(f"{name} {value!r} is not known: expected {' or '.join(map(repr, fine))}")

    def axis(self, axis: int, rank: int) -> int:
        if not -rank <= axis < max(rank, 1):
            raise Refused(f"axis {axis} of {rank} dimensions")
        return axis + rank if axis < 0 else axis

    def wants(self, index: int) -> bool:
        """Whether somebody may use an output."""
        return index < len(self.step.outputs) and bool(self.step.outputs[index])


def number(n: Size, what: str) -> int:
    if isinstance(n, Dim):
        raise Refused(f"{what} is {n.text}, which varies: expected a number")
    return int(n)


Operator = Callable[[Call], Result]
OPERATORS: Dict[str, Operator] = {}


def operator(*names: str) -> Callable[[Operator], Operator]:
    """Enters a function for operators of these names."""
    def add(function: Operator) -> Operator:
        OPERATORS.update({name: function for name in names})
        return function
    return add


def scalar(array: Optional[Array], default: float) -> float:
    if of_sizes(array):
        raise Refused(f"{np.asarray(array).reshape(-1)[0]} varies: expected a number")
    return default if array is None else float(np.asarray(array).reshape(-1)[0])
