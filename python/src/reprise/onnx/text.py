"""A pipeline's YAML, as a person would write it."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from .._arrays import Array, dtype_code, host_dtype
from .dims import Dim
from .importer import Result
from .recorder import LETTERS, Buffer, Node, Value
from .symbols import TAKEN

_LONGEST = 100


class Names:
    """The model's names as a pipeline has them: letters, digits, ``_`` and ``.``, each once."""

    def __init__(self, used: Sequence[str] = ()) -> None:
        self.used: Set[str] = set(used)

    def __call__(self, wanted: str) -> str:
        name = re.sub(r"[^A-Za-z0-9_.]+", "_", wanted.strip("/").replace("/", ".")).strip(".")[:_LONGEST] or "t"
        if not re.match(r"[A-Za-z_]", name) or name.lower() in TAKEN:
            name = "_" + name
        found, count = name, 1
        while found in self.used:
            count += 1
            found = f"{name}_{count}"
        self.used.add(found)
        return found


def _live(nodes: Sequence[Node], outputs: Sequence[Buffer]) -> List[Node]:
    """The nodes that the outputs stand on: casts may have been for nothing."""
    wanted = set(outputs)
    kept: List[Node] = []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs.values()):
            wanted.update(v.buffer for v in node.inputs.values())
            kept.append(node)
    return kept[::-1]


def _list(items: Sequence[Any]) -> str:
    return "[" + ", ".join(_number(n) for n in items) + "]"


def _number(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return _list(value)
    if isinstance(value, Dim):
        return f'"{value.text}"' if "," in value.text else value.text
    if isinstance(value, str):
        return value if re.fullmatch(r"\w+", value) else f'"{value}"'
    return str(value) if isinstance(value, int) else repr(float(value))


def _operand(value: Value) -> str:
    shape = value.shape or (1,)
    if value.whole and shape == value.buffer.shape:
        return value.buffer.name
    offset = value.offset * host_dtype(dtype_code(value.dtype)).itemsize
    place = f", offset: {offset}" if offset else ""
    return f"{{buffer: {value.buffer.name}{place}, shape: {_list(shape)}}}"


def _made(node: Node, buffer: Buffer) -> str:
    """An output: with a dtype where its inputs do not say it, and a shape where it is larger than they are."""
    said: List[str] = []
    if buffer.kind != "out":
        if buffer.dtype != "f32" or any(v.dtype != "f32" for v in node.inputs.values()):
            said.append(f"dtype: {buffer.dtype}")
        if node.shaped:
            said.append(f"shape: {_list(buffer.shape)}")
    return f"{{name: {buffer.name}, {', '.join(said)}}}" if said else buffer.name


def _map(node: Node, params: Set[str]) -> List[str]:
    """A formula: params stand in it by their names, and live values are bound as buffers are."""
    names = {letter: v.buffer.name for letter, v in node.inputs.items() if v.buffer.name in params}
    free = iter(letter for letter in LETTERS if letter not in names.values())
    bound = {letter: next(free) for letter in node.inputs if letter not in names}
    formula = re.sub(r"\b[a-z]\b", lambda m: bound.get(m.group(), names.get(m.group(), m.group())),
                     node.attributes["expr"])
    operands = ", ".join(f"{bound[k]}: {_operand(v)}" for k, v in node.inputs.items() if k in bound)
    return [f'map: "{formula}"', *([f"bind: {{{operands}}}"] if operands else [])]


def _node(node: Node, params: Set[str]) -> str:
    parts: List[str] = []
    if node.op == "map":
        parts += _map(node, params)
    else:
        parts.append(f"op: {node.op}")
        parts += [f"{k}: {_operand(v)}" for k, v in node.inputs.items()]
        parts += [f"{k}: {_number(v)}" for k, v in node.attributes.items()]
    parts += [f"{k}: {_made(node, b)}" for k, b in node.outputs.items()]
    label = re.sub(r"[^A-Za-z0-9_./-]+", "_", node.label).strip("/")
    if label:
        parts.append(f"label: {label}")
    return "  - {" + ", ".join(parts) + "}"


class Text:
    """An import as YAML, with the names that its buffers have there."""

    def __init__(self, result: Result):
        outputs = [buffer for _, buffer, _ in result.outputs]
        self.nodes = _live(result.recorder.nodes, outputs)
        used = {v.buffer for node in self.nodes for v in node.inputs.values()}
        names = Names([*result.symbols.params, *result.symbols.live])
        self.result = result
        for buffer in [*result.recorder.inputs, *outputs]:
            buffer.name = names(buffer.hint)
        kept = [(b, array) for b, array in result.recorder.weights if b in used]
        for buffer, _ in kept:
            buffer.name = names(buffer.hint)
        for node in self.nodes:
            for buffer in node.outputs.values():
                buffer.name = buffer.name or names(buffer.hint)
        self.outputs = outputs
        self.weights: Dict[str, Array] = {b.name: array for b, array in kept}
        self._weights: List[Tuple[Buffer, Array]] = kept

    def _buffer(self, buffer: Buffer, data: str = "") -> str:
        return f"  {buffer.name}: {{kind: {buffer.kind}, dtype: {buffer.dtype}, shape: {_list(buffer.shape)}{data}}}"

    def yaml(self, source: str, weights: Optional[str] = None) -> str:
        """The file; ``weights`` is the path of their file as it stands there."""
        symbols = self.result.symbols
        sizes = ", ".join(f"{k} = {v}" for k, v in symbols.sizes.items())
        about = re.sub(r"[^ -~]", "?", source) + (f" with {re.sub('[^ -~]', '?', sizes)}" if sizes else "")
        name = re.sub(r"[^A-Za-z0-9_.]+", "_", self.result.name).strip("_.")[:_LONGEST]
        data = ""
        if weights is not None:
            quoted = weights.replace("\\", "\\\\").replace('"', '\\"')
            data = f', data: "{quoted}"'
        lines = [f"# Imported from {about}.", "reprise: 1",
                 f"name: {name if name[:1].isalpha() else 'onnx'}"]
        if symbols.params:
            limits = ", ".join(f"{k} up to {n}" for k, n in symbols.most.items())
            lines.append("params: {" + ", ".join(f"{k}: {v}" for k, v in symbols.params.items()) + "}" +
                         (f" # {limits}" if limits else ""))
        if symbols.live:
            lines.append("live:")
            for k, values in symbols.live.items():
                ranges = f", ranges: {values[:-1]}" if len(values) > 1 else ""
                lines.append(f"  {k}: {{max: {values[-1]}, default: 1{ranges}}}")
        lines.append("buffers:")
        lines += [self._buffer(b) for b in self.result.recorder.inputs]
        lines += [self._buffer(b) for b in self.outputs]
        lines += [self._buffer(b, data) for b, _ in self._weights]
        lines += ["nodes:", *(_node(node, set(symbols.params)) for node in self.nodes)]
        return "\n".join(lines) + "\n"
