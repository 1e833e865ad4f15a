"""Models that were imported: to call, to compile, to save as a pipeline."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from .. import _arrays
from .._arrays import Array
from ..device import Device
from ..device import device as default_device
from ..errors import FileError, InvalidError
from ..execs import Exec
from ..graph import Pipeline, parse
from ..plan import Plan
from ..weights import save_weights
from .dims import Size, value_at
from .importer import Importer
from .reader import read
from .symbols import Symbols
from .text import Text


class Port(NamedTuple):
    """An input or an output, by the name that the model gives it."""

    buffer: str
    """Its name in the pipeline."""
    dtype: str
    shape: Tuple[Size, ...]
    """Numbers, and of dimensions that vary expressions over :attr:`Model.params` and :attr:`Model.live`."""


class Model:
    """An ONNX model as a pipeline; made by :func:`load`.

    Called with arrays, by the order of its inputs or by their names, it runs on the default device, and
    gives the array of its only output, or a dict of arrays by the names of outputs.
    """

    def __init__(self, path: Any, text: Text):
        self._source = Path(path).name
        self._text = text
        result = text.result
        self._symbols = result.symbols
        self.sizes: Dict[str, int] = dict(result.symbols.sizes)
        """Symbolic dimensions that are numbers."""
        self.params: Dict[str, int] = dict(result.symbols.params)
        """Those that are params of the pipeline, and their values."""
        self.live: Dict[str, int] = {name: n[-1] for name, n in result.symbols.live.items()}
        """Those that are live values, and how large they may be."""
        self.weights: Dict[str, Array] = text.weights
        """Arrays by the names of weight buffers."""
        self.inputs: Dict[str, Port] = {
            port.name: Port(b.name, b.dtype, shape)
            for (port, shape), b in zip(result.inputs, result.recorder.inputs)}
        self.outputs: Dict[str, Port] = {name: Port(b.name, b.dtype, shape) for name, b, shape in result.outputs}
        self.text: str = text.yaml(self._source)
        """The pipeline in YAML, without files for its weights."""
        self._exec: Optional[Exec] = None

    @property
    def graph(self) -> Pipeline:
        """The pipeline, with its weights."""
        pipeline = parse(self.text, path=self._source + ".yaml")
        pipeline.weights = self.weights
        return pipeline

    def compile(self, **options: Any) -> Plan:
        """``self.graph.compile(...)``."""
        return self.graph.compile(**options)

    def open(self, device: Optional[Device] = None, **options: Any) -> Exec:
        """The model, compiled for a device and put on it; buffers have the names that :attr:`inputs` and
        :attr:`outputs` tell."""
        found = device or default_device()
        return self.compile(target=found).open(found, **options)

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        if len(arrays) > len(self.inputs):
            raise InvalidError(f"{len(arrays)} arrays for {len(self.inputs)} inputs")
        given = dict(zip(self.inputs, arrays))
        for name, array in named.items():
            if name in given or name not in self.inputs:
                raise InvalidError(f"the model has no input '{name}' left: it has {', '.join(self.inputs)}")
            given[name] = array
        missing = [name for name in self.inputs if name not in given]
        if missing:
            raise InvalidError(f"inputs have to be given: {', '.join(missing)}")
        if self._exec is None or self._exec.closed:
            self._exec = self.open()
        ports = self.inputs
        values = {name: _arrays.as_array(array, _arrays.dtype_code(ports[name].dtype)) for name, array in given.items()}
        sizes = self._symbols.values({name: (ports[name].shape, v.shape) for name, v in values.items()})
        sent: Dict[str, Any] = {ports[name].buffer: v.reshape(v.shape or (1,)) for name, v in values.items()}
        sent.update({name: sizes[name] for name in self.live})
        made = self._exec.submit(sent).result()
        results: Dict[str, Array] = {
            name: np.asarray(made[p.buffer]).reshape([value_at(n, sizes) for n in p.shape])
            for name, p in self.outputs.items()}
        return next(iter(results.values())) if len(results) == 1 else results

    def save(self, path: Any, weights: Any = None) -> None:
        """Writes the pipeline as YAML, and its weights as a ``.safetensors`` file: beside it, where nothing is
        said. Both are written, or none."""
        target = Path(path)
        beside = target.with_suffix(".safetensors") if weights is None else Path(weights)
        if target.resolve() == beside.resolve():
            raise InvalidError(f"{target}: the pipeline and its weights cannot be one file")
        place = os.path.relpath(beside.resolve(), target.resolve().parent) if self.weights else None
        temporary = target.with_name(target.name + ".new")
        try:
            temporary.write_text(self._text.yaml(self._source, place), encoding="utf-8")
            if self.weights:
                save_weights(beside, self.weights)
            temporary.replace(target)
        except OSError as error:
            raise FileError(f"{error.filename or target}: {error.strerror or error}") from None
        finally:
            temporary.unlink(missing_ok=True)

    def __repr__(self) -> str:
        def ports(named: Mapping[str, Port]) -> str:
            return ", ".join(f"{name} {p.dtype}{list(p.shape)}" for name, p in named.items())

        return f"<reprise.onnx.Model {self._source}: {ports(self.inputs)} -> {ports(self.outputs)}>"


def load(path: Any, *, sizes: Optional[Mapping[str, int]] = None, params: Optional[Mapping[str, Union[int, Sequence[int]]]] = None,
         live: Optional[Mapping[str, Union[int, Sequence[int]]]] = None, outputs: Optional[Sequence[str]] = None,
         values: Optional[Mapping[str, Any]] = None, **named: int) -> Model:
    """Imports an ONNX model of opset 11 to 21.

    Symbolic dimensions are given by name, or by input and place, ``"x.0"``, which goes first. They are numbers,
    ``load("m.onnx", batch=4)`` or ``sizes={"batch": 4}``; or ``params`` of the pipeline with a value, and a largest
    one in ``{"tokens": [16, 512]}``, which ``-D`` of the program changes; or ``live`` values with a largest one, ``live={"tokens": 512}``, which
    are set with each replay: a call takes them of its arrays. A list, ``[16, 64, 512]``, asks for forms of the plan for
    smaller sizes, too. ``outputs`` names the values of the model that are wanted, of its outputs or in the midst
    of it; ``values`` gives inputs that are known, ``{"rate": 16000}``, and are none of the pipeline's. What cannot be imported is named in one :class:`reprise.UnsupportedError`, with all nodes.
    """
    symbols = Symbols({**(sizes or {}), **named}, params or {}, live or {})
    return Model(path, Text(Importer(path, symbols, outputs, values or {}).run()))


def ports(path: Any) -> Dict[str, Tuple[Any, ...]]:
    """The dimensions of a model's inputs by name, without an import: numbers, names, or None where they have none."""
    return {port.name: port.dims or () for port in read(path)[0].inputs}


__all__: List[str] = ["Model", "Port", "load", "ports"]
