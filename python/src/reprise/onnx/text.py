"""A pipeline's YAML, as a person would write it."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from .._arrays import Array, dtype_code, host_dtype
from .importer import Result
from .recorder import Buffer, Node, Value

_LONGEST = 100
_TAKEN = re.compile(r"^(inf|nan|pi|index|i[0-7]|true|false|null)$", re.IGNORECASE)


class Names:
    """The model's names as a pipeline has them: letters, digits, ``_`` and ``.``, each once."""

    def __init__(self) -> None:
        self.used: Set[str] = set()

    def __call__(self, wanted: str) -> str:
        name = re.sub(r"[^A-Za-z0-9_.]+", "_", wanted.strip("/").replace("/", ".")).strip(".")[:_LONGEST] or "t"
        if not re.match(r"[A-Za-z_]", name) or _TAKEN.match(name):
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
    return str(value) if isinstance(value, (int, str)) else repr(float(value))


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


def _node(node: Node) -> str:
    parts: List[str] = []
    if node.op == "map":
        parts.append(f'map: "{node.attributes["expr"]}"')
        parts.append("bind: {" + ", ".join(f"{k}: {_operand(v)}" for k, v in node.inputs.items()) + "}")
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
        names = Names()
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
        sizes = ", ".join(f"{k} = {v}" for k, v in self.result.sizes.items())
        about = re.sub(r"[^ -~]", "?", source) + (f" with {re.sub('[^ -~]', '?', sizes)}" if sizes else "")
        name = re.sub(r"[^A-Za-z0-9_.]+", "_", self.result.name).strip("_.")[:_LONGEST]
        data = ""
        if weights is not None:
            quoted = weights.replace("\\", "\\\\").replace('"', '\\"')
            data = f', data: "{quoted}"'
        lines = [f"# Imported from {about}.", "reprise: 1",
                 f"name: {name if name[:1].isalpha() else 'onnx'}", "buffers:"]
        lines += [self._buffer(b) for b in self.result.recorder.inputs]
        lines += [self._buffer(b) for b in self.outputs]
        lines += [self._buffer(b, data) for b, _ in self._weights]
        lines += ["nodes:", *map(_node, self.nodes)]
        return "\n".join(lines) + "\n"
