"""All ops and composites of the library, as functions.

They are made when the package is imported of what the library says of them, so that an op which is added
there is here without a change; ``help(ops.rms_norm)`` is its page of docs/ops.md. Inputs come in the order
of that page, by position or name; attributes by name. What every function takes beside them:

``dtype``, ``shape``
    of the first output, where the op leaves them open
``out``
    the tensor that the first output is written to, or a dict of tensors by the names of outputs
``outputs``
    which outputs are computed, by name: optional ones are left out else. The result is then a tuple
``program``
    where no input is a tensor of a program: ops that make something of nothing

Arrays and numbers may stand for inputs: they become weights of the program. The result is the tensor of the
only output, or a named tuple of them.
"""

from __future__ import annotations

import inspect
from collections import namedtuple
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ._library import ffi, lib, sized, text
from .errors import InvalidError, UsageError, check
from .program import Program
from .tensor import Tensor

_KINDS = {lib.RP_ATTRIBUTE_NUMBER: "number", lib.RP_ATTRIBUTE_INTEGER: "integer",
          lib.RP_ATTRIBUTE_CHOICE: "choice", lib.RP_ATTRIBUTE_INTEGERS: "integers",
          lib.RP_ATTRIBUTE_NUMBERS: "numbers", lib.RP_ATTRIBUTE_FORMULA: "formula"}


class Operand(NamedTuple):
    """An operand of an op, as the library defines it."""

    name: str
    brief: str
    access: str
    optional: bool
    dtypes: Tuple[str, ...]
    shape: Optional[str]


class Attribute(NamedTuple):
    """An attribute of an op, as the library defines it."""

    name: str
    brief: str
    kind: str
    required: bool
    default: Any
    choices: Tuple[str, ...]


class Signature(NamedTuple):
    """An op or a composite, as the library defines it."""

    name: str
    family: str
    brief: str
    composite: bool
    formula: bool
    operands: Tuple[Operand, ...]
    attributes: Tuple[Attribute, ...]

    @property
    def inputs(self) -> Tuple[Operand, ...]:
        """What is read, or changed in place."""
        return tuple(o for o in self.operands if o.access != "w")

    @property
    def results(self) -> Tuple[Operand, ...]:
        """What is made."""
        return tuple(o for o in self.operands if o.access == "w")


def _read(index: int) -> Optional[Signature]:
    info, o, a = sized("rp_signature_info"), sized("rp_signature_operand_info"), sized("rp_signature_attribute_info")
    if lib.rp_signature_get(index, info) != lib.RP_OK:
        return None
    operands: List[Operand] = []
    for k in range(info.operand_count):
        check(lib.rp_signature_get_operand(index, k, o))
        dtypes = tuple(text(lib.rp_dtype_name(d)) for d in range(32) if o.dtypes >> d & 1)
        operands.append(Operand(text(o.name), text(o.brief), text(lib.rp_access_name(o.access)), bool(o.optional),
                                dtypes, text(o.shape) if o.shape else None))
    attributes: List[Attribute] = []
    for k in range(info.attribute_count):
        check(lib.rp_signature_get_attribute(index, k, a))
        kind = _KINDS[a.kind]
        choices = tuple(text(a.choices).split("|")) if kind == "choice" else ()
        default: Any = None if kind in ("integers", "numbers") or a.required else float(a.fallback)
        if kind == "integer" and default is not None:
            default = int(default)
        if kind == "choice" and not a.required:
            default = choices[int(a.fallback)]
        attributes.append(Attribute(text(a.name), text(a.brief), kind, bool(a.required), default, choices))
    return Signature(text(info.name), text(info.family), text(info.brief), bool(info.composite),
                     bool(info.formula), tuple(operands), tuple(attributes))


signatures: Dict[str, Signature] = {}
"""What the library says of each function here."""


def document(name: str) -> str:
    """The page of an op or a composite, in Markdown."""
    out = ffi.new("char**")
    check(lib.rp_kernel_doc(ffi.NULL, name.encode(), out), name)
    try:
        return text(out[0])
    finally:
        lib.rp_op_doc_release(ffi.NULL, out[0])


# ---- Calls ---------------------------------------------------------------------------------------


def _outputs(signature: Signature, out: Any, outputs: Optional[Sequence[str]], dtype: Any,
             shape: Any) -> Tuple[Dict[str, Any], List[str]]:
    """The outputs of a call by name, a tensor or the dtype and the shape of one that is made; and those that
    are given back."""
    results = signature.results
    names = [o.name for o in results]
    required = [o.name for o in results if not o.optional]
    wanted = required or names[:1]
    if outputs is not None:
        wanted = [outputs] if isinstance(outputs, str) else list(outputs)
    given: Dict[str, Any] = {}
    if isinstance(out, Tensor):
        if not names:
            raise UsageError(f"{signature.name} has no output: it changes what it is given")
        given[names[0]] = out
    elif isinstance(out, Mapping):
        given.update(out)
    elif out is not None:
        raise TypeError(f"out is {type(out).__name__}: expected a tensor, or a dict of tensors by output")
    for name in [*wanted, *given]:
        if name not in names:
            raise InvalidError(f"{signature.name} has no output '{name}': it has {', '.join(names) or 'none'}")
    order = list(dict.fromkeys([*wanted, *(given if outputs is None else ())]))
    made: Dict[str, Any] = {name: given.get(name) for name in dict.fromkeys([*order, *given, *required])}
    if (dtype is not None or shape is not None) and order:
        if made[order[0]] is not None:
            raise UsageError("out has a dtype and a shape of its own")
        made[order[0]] = (dtype, shape)
    return made, order


def _program_of(values: Sequence[Any], made: Mapping[str, Any], program: Optional[Program], name: str) -> Program:
    for value in [*values, *made.values()]:
        if isinstance(value, Tensor):
            if program is not None and value.program is not program:
                raise InvalidError(f"'{value.name}' is a tensor of another program")
            return value.program
    if program is None:
        raise UsageError(f"{name}: no input is a tensor of a program: give program=")
    return program


def _result(signature: Signature, made: Mapping[str, Tensor], inputs: Mapping[str, Any],
            order: Sequence[str], outputs: Optional[Sequence[str]]) -> Any:
    if not order:  # it changes operands in place
        changed = [inputs[o.name] for o in signature.inputs if o.access == "rw" and o.name in inputs]
        return changed[0] if len(changed) == 1 else tuple(changed)
    if len(order) == 1 and outputs is None:
        return made[order[0]]
    return namedtuple(f"{signature.name}_outputs", order)(*(made[n] for n in order))  # type: ignore[misc]


def _call(signature: Signature, bound: inspect.BoundArguments) -> Any:
    given = bound.arguments
    out, outputs = given.pop("out", None), given.pop("outputs", None)
    made, order = _outputs(signature, out, outputs, given.pop("dtype", None), given.pop("shape", None))
    program = given.pop("program", None)
    if signature.formula:
        inputs = dict(given.pop("operands", {}))
    else:
        inputs = {o.name: given[o.name] for o in signature.inputs if given.get(o.name) is not None}
    attributes = {a.name: given[a.name] for a in signature.attributes if given.get(a.name) is not None}
    owner = _program_of(list(inputs.values()), made, program, signature.name)
    results = owner.apply(signature.name, inputs, attributes, outputs=made)
    return _result(signature, results, inputs, order, outputs)


def _parameters(signature: Signature) -> List[inspect.Parameter]:
    plain, named = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    parameters: List[inspect.Parameter] = []
    if signature.formula:
        parameters.append(inspect.Parameter("expr", plain))
    else:
        # Python wants what may be left out behind what may not: such inputs are given by name from there on.
        optional = False
        for o in signature.inputs:
            optional |= o.optional
            keyword = optional and not o.optional
            parameters.append(inspect.Parameter(o.name, named if keyword else plain,
                                                default=None if o.optional else inspect.Parameter.empty))
        for a in signature.attributes:
            default = inspect.Parameter.empty if a.required else a.default
            parameters.append(inspect.Parameter(a.name, named, default=default))
    for name in ("dtype", "shape", "out", "outputs", "program"):
        parameters.append(inspect.Parameter(name, named, default=None))
    if signature.formula:
        parameters.append(inspect.Parameter("operands", inspect.Parameter.VAR_KEYWORD))
    order = {plain: 0, named: 1, inspect.Parameter.VAR_KEYWORD: 2}
    return sorted(parameters, key=lambda p: order[p.kind])


def _function(signature: Signature) -> Callable[..., Any]:
    parameters = inspect.Signature(_parameters(signature))

    def op(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = parameters.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{signature.name}() {error}; it is {signature.name}{parameters}") from None
        return _call(signature, bound)

    op.__name__ = op.__qualname__ = signature.name
    op.__module__ = __name__
    op.__signature__ = parameters  # type: ignore[attr-defined]
    return op


def _make() -> None:
    index = 0
    while True:
        signature = _read(index)
        if signature is None:
            return
        function = _function(signature)
        function.__doc__ = document(signature.name)
        signatures[signature.name] = signature
        globals()[signature.name] = function
        index += 1


_make()
__all__ = ["Attribute", "Operand", "Signature", "document", "signatures", *signatures]
