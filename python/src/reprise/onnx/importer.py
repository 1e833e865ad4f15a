"""From the nodes of a model to the nodes of a pipeline, in the model's order."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple, Union

import numpy as np

from .._arrays import as_array, dtype_code, host_dtype
from ..errors import InvalidError, UnsupportedError
from .dims import Refused, Size
from .folding import fold
from .operators import OPERATORS, Call
from .reader import Body, Port, Step, read
from .recorder import Buffer, Given, Recorder, Value, of_sizes
from .symbols import Symbols


class _Unknown:
    """What a node that cannot be imported would have made."""


UNKNOWN = _Unknown()
FOLDED = ("Constant", "NonZero")
"""What only constants can have made."""
Known = Union[Given, _Unknown]


class Result(NamedTuple):
    """What an import gives."""

    recorder: Recorder
    name: str
    inputs: List[Tuple[Port, Tuple[Size, ...]]]
    outputs: List[Tuple[str, Buffer, Tuple[Size, ...]]]
    symbols: Symbols


class Importer:
    """One import of one model."""

    def __init__(self, path: Any, symbols: Symbols, outputs: Optional[Sequence[str]], values: Mapping[str, Any]):
        self.path = Path(path)
        self.body, self.opset = read(path)
        self.symbols = symbols
        self.wanted = outputs
        self._fix(values)
        self.recorder = Recorder()
        self.unknown: Dict[str, List[str]] = {}
        self.refused: List[str] = []

    def _fix(self, values: Mapping[str, Any]) -> None:
        """Inputs that are known become constants."""
        ports = {port.name: port for port in self.body.inputs}
        for name, value in values.items():
            port = ports.get(name)
            if port is None:
                raise InvalidError(f"{self.path}: the model has no input '{name}': it has {', '.join(ports)}")
            array = as_array(value, dtype_code(port.dtype)).astype(host_dtype(dtype_code(port.dtype)))
            if port.dims is not None and len(port.dims) != array.ndim:
                raise InvalidError(f"{self.path}: input '{name}' is {list(array.shape)}: expected {list(port.dims)}")
            self.body.constants[name] = array
            self.body.inputs.remove(port)

    # ---- Nodes -------------------------------------------------------------------------------

    def _fault(self, step: Step, message: str) -> None:
        line = f"{step.op} '{step.name}': {message}"
        if line not in self.refused:
            self.refused.append(line)

    def _branch(self, step: Step, known: Dict[str, Known]) -> Optional[List[Known]]:
        """The branch that an ``If`` takes, where that is known now."""
        condition = known.get(step.inputs[0]) if step.inputs else None
        if isinstance(condition, _Unknown):
            return None
        if condition is None or isinstance(condition, Value):
            raise Refused("the model computes the condition: expected one of shapes and constants")
        if condition.size != 1:
            raise Refused(f"the condition is {list(condition.shape)}: expected one element")
        taken = step.attributes["then_branch" if condition.reshape(-1)[0] else "else_branch"]
        if not isinstance(taken, Body):
            raise Refused("has no branch")
        inner = dict(known)
        self._constants(taken, inner)
        self._run(taken.steps, inner)
        return [inner.get(port.name, UNKNOWN) for port in taken.outputs]

    def _step(self, step: Step, known: Dict[str, Known]) -> Optional[Sequence[Known]]:
        """What a node makes; None where it cannot be known."""
        if step.flaw:
            raise Refused(step.flaw)
        if step.op == "If":
            return self._branch(step, known)
        inputs: List[Optional[Known]] = []
        for name in step.inputs:
            if name and name not in known:
                raise Refused(f"reads '{name}', which nothing makes before it")
            inputs.append(known[name] if name else None)
        if any(isinstance(x, _Unknown) for x in inputs):
            return None
        given: List[Optional[Given]] = [x for x in inputs if not isinstance(x, _Unknown)]
        arrays = [x for x in given if x is None or isinstance(x, np.ndarray)]
        if len(arrays) == len(given):
            dtypes = ["" if x is None else self.recorder.dtype(x) for x in arrays]
            folded, dtype = fold(step, arrays, dtypes)
            if folded is not None:
                return [self.recorder.constant(step.outputs[0], folded, dtype)]
        operator = OPERATORS.get(step.op)
        if operator is None:
            raise Refused("is of what is not known when the model is imported")
        self.recorder.label = step.name
        self.recorder.hint = next(filter(None, step.outputs), step.name)
        result = operator(Call(step, given, self.recorder, self.opset))
        made: Sequence[Known] = [result] if isinstance(result, (Value, np.ndarray)) else result
        for value in made:
            if isinstance(value, Value) and value.buffer.kind == "tmp" and len(made) > 1:
                self._rename(value, step, made)
        return made

    def _rename(self, value: Value, step: Step, made: Sequence[Known]) -> None:
        name = step.outputs[made.index(value)] if made.index(value) < len(step.outputs) else ""
        if name and value.buffer.hint == self.recorder.hint:
            value.buffer.hint = name

    def _run(self, steps: Sequence[Step], known: Dict[str, Known]) -> None:
        here: Set[str] = set()
        for step in steps:
            again = here.intersection(filter(None, step.outputs))
            here.update(step.outputs)
            made: Optional[Sequence[Known]] = None
            if step.op not in OPERATORS and step.op not in ("If", *FOLDED):
                self.unknown.setdefault(step.op, []).append(step.name)
            else:
                try:
                    if again:
                        raise Refused(f"makes '{min(again)}', which a node before it makes")
                    made = self._step(step, known)
                except (Refused, UnsupportedError, InvalidError) as error:
                    self._fault(step, str(error))
                except Exception as error:  # attributes and shapes of damaged models are wrong in any way
                    self._fault(step, f"{type(error).__name__}: {error}")
            for index, name in enumerate(step.outputs):
                if name:
                    known[name] = made[index] if made is not None and index < len(made) else UNKNOWN

    def _constants(self, body: Body, known: Dict[str, Known]) -> None:
        for name, array in body.constants.items():
            known[name] = self.recorder.constant(name, array)

    # ---- The whole ---------------------------------------------------------------------------

    def _outputs(self) -> List[Port]:
        if self.wanted is None:
            return self.body.outputs
        made = {name for step in self.body.steps for name in step.outputs}
        ports = {port.name: port for port in self.body.outputs}
        for name in self.wanted:
            if name not in ports and name not in made:
                raise InvalidError(f"{self.path}: the model has no output '{name}': it has {', '.join(ports)}")
        return [ports.get(name, Port(name, "", None)) for name in self.wanted]

    def run(self) -> Result:
        r = self.recorder
        outputs = self._outputs()
        try:
            shapes = self.symbols.shapes(self.body.inputs, self.recorder)
        except (InvalidError, UnsupportedError) as error:
            raise type(error)(f"{self.path}: {error}") from None
        known: Dict[str, Known] = {}
        self._constants(self.body, known)
        for port, shape in shapes:
            known[port.name] = r.input(port.name, port.dtype, shape)
        self._run(needed(self.body.steps, [port.name for port in outputs]), known)
        self._complain()
        results: List[Tuple[str, Buffer, Tuple[Size, ...]]] = []
        for port in outputs:
            found = known.get(port.name)
            if found is None or isinstance(found, _Unknown):
                raise InvalidError(f"{self.path}: nothing makes the output '{port.name}'")
            value = self._output(port, found)
            results.append((port.name, value.buffer, value.shape))
        return Result(r, self.body.name, shapes, results, self.symbols)

    def _output(self, port: Port, found: Given) -> Value:
        """A buffer of its own, of the output's dtype."""
        r = self.recorder
        r.label, r.hint = "", port.name
        if not isinstance(found, Value) and port.dtype and found.size and not of_sizes(found):
            found = r.constant(port.name + ".value", found.astype(host_dtype(dtype_code(port.dtype))))
        try:
            value = r.value(found, wide=True)
            if port.dtype and value.dtype != port.dtype:
                value = r.cast(value, port.dtype)
            if value.buffer.kind != "tmp" or not value.whole or (value.shape or (1,)) != value.buffer.shape:
                value = r.copy(value)
        except Refused as error:
            raise UnsupportedError(f"{self.path}: output '{port.name}': {error}") from None
        value.buffer.kind, value.buffer.hint = "out", port.name
        return value

    def _complain(self) -> None:
        if not self.unknown and not self.refused:
            return
        count = sum(map(len, self.unknown.values())) + len(self.refused)
        lines = [f"{op} is not known: {len(names)} node{'s' * (len(names) > 1)}, {listed(names)}"
                 for op, names in sorted(self.unknown.items())]
        raise UnsupportedError("\n  ".join([
            f"{self.path}: {count} node{'s' * (count > 1)} cannot be imported", *lines, *self.refused]))


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names for a message."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _reads(step: Step) -> Set[str]:
    """What a node reads, in its branches too."""
    names = set(step.inputs)
    for value in step.attributes.values():
        if isinstance(value, Body):
            names.update(*(_reads(s) for s in value.steps), (p.name for p in value.outputs))
    return names


def needed(steps: Sequence[Step], outputs: Sequence[str]) -> List[Step]:
    """The nodes that the outputs stand on."""
    wanted = set(outputs)
    kept: List[Step] = []
    for step in reversed(steps):
        if wanted.intersection(filter(None, step.outputs)):
            wanted |= _reads(step)
            kept.append(step)
    return kept[::-1]

