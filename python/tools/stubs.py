"""What type checkers and editors know of the ops: src/reprise/ops.pyi, made of what the library says.

The package itself makes its functions when it is imported.
"""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any, Dict, List

from reprise import ops

TARGET = Path(__file__).resolve().parents[1] / "src" / "reprise" / "ops.pyi"

HEAD = '''"""Made by python/tools/generate.py of what the library says."""

from typing import Any, Dict, Literal, Mapping, NamedTuple, Optional, Sequence, Tuple, Union, overload

from numpy.typing import ArrayLike

from ._arrays import DTypeLike
from .program import Program
from .tensor import Shape, Tensor

Input = Union[Tensor, ArrayLike]
Out = Union[Tensor, Mapping[str, Tensor], None]
'''

REST = '''
signatures: Dict[str, Signature]

def document(name: str) -> str: ...
'''

KINDS = {"number": "float", "integer": "int", "choice": "str", "integers": "Union[int, Sequence[int]]",
         "numbers": "Union[float, Sequence[float]]", "formula": "str"}
COMMON = {"dtype": "Optional[DTypeLike] = ...", "shape": "Optional[Shape] = ...", "out": "Out = ...",
          "program": "Optional[Program] = ..."}


def named_tuple(kind: type) -> str:
    """What a type checker knows of a named tuple of the package."""
    lines = [f"class {kind.__name__}(NamedTuple):"]
    for name, annotation in kind.__annotations__.items():
        lines.append(f"    {name}: {getattr(annotation, '__forward_arg__', annotation)}")
    for name, value in vars(kind).items():
        if isinstance(value, property) and value.fget:
            lines += ["    @property", f"    def {name}(self) -> {value.fget.__annotations__['return']}: ..."]
    return "\n".join(lines) + "\n"


def default(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "..."
    return repr(value)


def parameter(signature: "ops.Signature", p: inspect.Parameter, outputs: str) -> str:
    if p.kind is inspect.Parameter.VAR_KEYWORD:
        return f"**{p.name}: Input"
    if p.name == "outputs":
        return f"outputs: {outputs}"
    attribute = next((a for a in signature.attributes if a.name == p.name), None)
    if attribute:
        kind = KINDS[attribute.kind]
        if attribute.choices:
            kind = "Literal[" + ", ".join(map(repr, attribute.choices)) + "]"
        if attribute.required:
            return f"{p.name}: {kind}"
        if p.default is None:
            return f"{p.name}: Optional[{kind}] = None"
        return f"{p.name}: {kind} = {default(p.default)}"
    if p.name in COMMON and not any(o.name == p.name for o in signature.inputs):
        return f"{p.name}: {COMMON[p.name]}"
    return f"{p.name}: Input" if p.default is inspect.Parameter.empty else f"{p.name}: Optional[Input] = ..."


def field(name: str) -> str:
    """An output's; tuples have methods of some of their names."""
    return f"    {name}: Tensor" + ("  # type: ignore[assignment]" if name in ("count", "index") else "")


def outputs_of(names: List[str], some: bool, classes: Dict[str, str]) -> str:
    """The class of several outputs: all of them, or those that the caller names."""
    name = ("_Some_" if some else "_All_") + "_".join(names)
    base = "Tuple[Tensor, ...]" if some else "NamedTuple"
    classes[name] = "\n".join([f"class {name}({base}):", *map(field, names)]) + "\n"
    return name


def result(signature: "ops.Signature", classes: Dict[str, str]) -> str:
    required = [o.name for o in signature.results if not o.optional] or [o.name for o in signature.results[:1]]
    changed = [o for o in signature.inputs if o.access == "rw"]
    if (len(required) if signature.results else len(changed)) == 1:
        return "Tensor"
    return outputs_of(required, False, classes) if signature.results else f"Tuple[{', '.join(['Tensor'] * len(changed))}]"


def function(signature: "ops.Signature", classes: Dict[str, str]) -> str:
    parameters = list(inspect.signature(getattr(ops, signature.name)).parameters.values())

    def define(outputs: str, gives: str) -> str:
        parts: List[str] = []
        star = False
        for p in parameters:
            if p.kind is inspect.Parameter.KEYWORD_ONLY and not star:
                parts.append("*")
                star = True
            parts.append(parameter(signature, p, outputs))
        return f"def {signature.name}({', '.join(parts)}) -> {gives}: ...\n"

    if len(signature.results) < 2:
        return define("None = ...", result(signature, classes))
    return ("@overload\n" + define("None = ...", result(signature, classes)) + "@overload\n" +
            define("Sequence[str]", outputs_of([o.name for o in signature.results], True, classes)))


def module() -> str:
    tuples = "\n".join(named_tuple(kind) for kind in (ops.Operand, ops.Attribute, ops.Signature))
    classes: Dict[str, str] = {}
    functions = "".join(function(s, classes) for s in ops.signatures.values())
    return HEAD + "\n" + tuples + REST + "\n" + "".join(classes.values()) + functions


def is_current() -> bool:
    return TARGET.read_text() == module()
