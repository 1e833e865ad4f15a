"""ONNX files as data that is checked: arrays, nodes, inputs. Nothing here knows of programs."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from .._arrays import Array
from ..errors import FileError, InvalidError, NotFoundError, UnsupportedError

OPSETS = (11, 21)
"""The first and the last version of the operators that are known."""

# TensorProto.DataType, and how values are computed: f64 as f32.
DTYPES = {1: "f32", 2: "u8", 3: "i8", 4: "u16", 5: "i16", 6: "i32", 7: "i64", 9: "bool", 10: "f16", 11: "f64",
          12: "u32", 13: "u64", 16: "bf16"}
COMPUTED = {"f64": "f32"}
_NARROWED = {np.dtype("f8"): "f4"}


def onnx() -> Any:
    """The package that parses ONNX; only this module needs it."""
    try:
        module = importlib.import_module("onnx")
        importlib.import_module("onnx.numpy_helper")
        importlib.import_module("onnx.defs")
        importlib.import_module("onnx.helper")
        importlib.import_module("onnx.shape_inference")
    except ImportError as error:
        raise NotFoundError(f"reading ONNX files needs the Python package 'onnx' ({error}): "
                            "pip install onnx, or apt install python3-onnx") from None
    return module


class Port(NamedTuple):
    """An input or an output of the model: a dimension is a number, the name of one, or None."""

    name: str
    dtype: str
    dims: Optional[Tuple[Any, ...]]


class Step(NamedTuple):
    """A node of the model."""

    op: str
    name: str
    inputs: Tuple[str, ...]
    outputs: Tuple[str, ...]
    attributes: Dict[str, Any]
    flaw: str = ""
    """What its operator's definition says against it."""


class Body(NamedTuple):
    """A graph: the model's, or a branch of an ``If``."""

    name: str
    constants: Dict[str, Array]
    inputs: List[Port]
    outputs: List[Port]
    steps: List[Step]


def narrow(array: Array) -> Array:
    """f64 as f32, and bf16 as what holds it."""
    kind = _NARROWED.get(array.dtype.newbyteorder("="))
    if array.dtype.name == "bfloat16":
        kind = "f4"
    if kind is None:
        return array
    with np.errstate(over="ignore"):
        return array.astype(kind)


def _text(name: Any) -> str:
    """A name, which is bytes where a damaged file has no text there."""
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


def _external(tensor: Any, folder: Path) -> bytes:
    """The bytes of a tensor that lie in a file beside the model."""
    said = {_text(entry.key): _text(entry.value) for entry in tensor.external_data}
    location = said.get("location", "")
    path = (folder / location).resolve()
    if not location or folder.resolve() not in path.parents:
        raise InvalidError(f"tensor '{tensor.name}' lies in '{location}': expected a file beside the model")
    offset, length = int(said.get("offset", 0)), int(said.get("length", -1))
    size = path.stat().st_size
    if offset < 0 or offset > size or length > size - offset:
        raise InvalidError(f"tensor '{tensor.name}': '{location}' has {size} bytes, which end before it")
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(length if length >= 0 else size - offset)


def _array(tensor: Any, folder: Path) -> Array:
    if tensor.data_type not in DTYPES:
        raise UnsupportedError(f"tensor '{tensor.name}' is of the ONNX data type {tensor.data_type}")
    if any(n < 0 for n in tensor.dims):
        raise InvalidError(f"tensor '{tensor.name}' has a dimension below 0")
    if tensor.data_location == 1:
        held = type(tensor)()
        held.CopyFrom(tensor)
        held.raw_data = _external(tensor, folder)
        held.data_location = 0
        del held.external_data[:]
        tensor = held
    return np.asarray(onnx().numpy_helper.to_array(tensor))


def _port(value: Any) -> Port:
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        raise UnsupportedError(f"'{value.name}' is a {kind or 'value without a type'}: expected a tensor")
    tensor = value.type.tensor_type
    if tensor.elem_type not in DTYPES:
        raise UnsupportedError(f"'{value.name}' is of the ONNX data type {tensor.elem_type}")
    dims: Optional[Tuple[Any, ...]] = None
    if tensor.HasField("shape"):
        dims = tuple(d.dim_value if d.WhichOneof("value") == "dim_value" else _text(d.dim_param) or None
                     for d in tensor.shape.dim)
    return Port(_text(value.name), DTYPES[tensor.elem_type], dims)


def _output(value: Any) -> Port:
    """Outputs of branches need no type; what the model's have is asked for."""
    return _port(value) if value.type.WhichOneof("value") else Port(_text(value.name), "", None)


def _attribute(attribute: Any, folder: Path, opset: int) -> Any:
    value = onnx().helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "raw_data"):
        return _array(value, folder)
    if hasattr(value, "node"):
        return body(value, folder, opset)
    return list(value) if not isinstance(value, (int, float)) and hasattr(value, "__iter__") else value


def _flaw(node: Any, op: str, opset: int) -> str:
    """What a node lacks, or has too much of, by the definition of its operator, where the package has that version."""
    defs = onnx().defs
    if opset > defs.onnx_opset_version() or not defs.has(op, ""):
        return ""
    try:
        schema = defs.get_schema(op, opset, "")
    except Exception:  # an operator of later versions: SchemaError, which is exported since 1.13
        return ""
    for what, names, least, most in (("input", node.input, schema.min_input, schema.max_input),
                                     ("output", node.output, schema.min_output, schema.max_output)):
        if not least <= len(names) <= most:
            expected = str(least) if least == most else f"at least {least}" if most > 1 << 30 else f"{least} to {most}"
            return f"has {len(names)} {what}{'s' * (len(names) != 1)}: expected {expected}"
    for place, (name, formal) in enumerate(zip(node.input, schema.inputs)):
        if not name and formal.option == formal.option.__class__.Single:
            return f"has no input {place}, '{formal.name}'"
    given = {_text(a.name): a for a in node.attribute}
    for name, attribute in schema.attributes.items():
        if attribute.required and name not in given:
            return f"has no attribute '{name}'"
        if name in given and given[name].type and int(given[name].type) != int(attribute.type.value):
            return f"attribute '{name}' is of another type than {str(attribute.type).rpartition('.')[2]}"
    return ""


def body(graph: Any, folder: Path, opset: int) -> Body:
    """A graph's protobuf as data."""
    if len(graph.sparse_initializer):
        raise UnsupportedError("the model has sparse initializers")
    constants = {_text(t.name): _array(t, folder) for t in graph.initializer}
    steps: List[Step] = []
    for at, node in enumerate(graph.node):
        domain, op = _text(node.domain), _text(node.op_type)
        attributes = {_text(a.name): _attribute(a, folder, opset) for a in node.attribute}
        own = domain in ("", "ai.onnx")
        steps.append(Step(op if own else f"{domain}.{op}", _text(node.name) or f"node {at}",
                          tuple(map(_text, node.input)), tuple(map(_text, node.output)), attributes,
                          _flaw(node, op, opset) if own else ""))
    return Body(_text(graph.name), constants, [_port(v) for v in graph.input if _text(v.name) not in constants],
                [_output(v) for v in graph.output], steps)


def read(path: Any) -> Tuple[Body, int]:
    """The model in a file, and the version of its operators; all errors have the file's name."""
    parser = onnx()
    file = Path(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise FileError(f"{file}: {error.strerror or error}") from None
    try:
        model = parser.ModelProto.FromString(data)
    except Exception as error:  # protobuf has no common class for what its parsers raise
        raise InvalidError(f"{file}: no ONNX model: {error}") from None
    if not model.ir_version or not len(model.graph.node) and not len(model.graph.output):
        raise InvalidError(f"{file}: no ONNX model: expected a version and a graph")
    versions = [o.version for o in model.opset_import if o.domain in ("", "ai.onnx")]
    opset = max(versions, default=0)
    if not OPSETS[0] <= opset <= OPSETS[1]:
        raise UnsupportedError(f"{file}: its operators are of version {opset}: expected {OPSETS[0]} to {OPSETS[1]} "
                               "(onnx.version_converter changes it)")
    if not all(v.type.WhichOneof("value") for v in model.graph.output):
        try:
            model = parser.shape_inference.infer_shapes(model)
        except Exception:  # nothing is inferred of models that are large or damaged: outputs are what they are computed as
            pass
    try:
        return body(model.graph, file.parent, opset), opset
    except (InvalidError, UnsupportedError) as error:
        raise type(error)(f"{file}: {error}") from None
    except OSError as error:
        raise FileError(f"{file}: {error.filename or 'data'}: {error.strerror or error}") from None
    except Exception as error:  # what onnx makes of damaged tensors and attributes is of any class
        raise InvalidError(f"{file}: damaged: {error}") from None
