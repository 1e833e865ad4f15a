"""Functions on arrays, compiled when they are called."""

from __future__ import annotations

import inspect
import threading
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from . import _arrays
from .device import Device
from .device import device as default_device
from .errors import InvalidError
from .execs import Exec
from .program import Program
from .tensor import Tensor


class Function:
    """Made by :func:`function`."""

    def __init__(self, body: Callable[..., Any], device: Optional[Device], options: Dict[str, Any]):
        self._body = body
        self._given = device
        self._options = options
        self._lock = threading.Lock()
        self._execs: Dict[Any, Tuple[Exec, List[str], Any]] = {}
        self._signature = inspect.signature(body)
        self.__doc__ = body.__doc__
        self.__name__ = getattr(body, "__name__", "function")
        self.__wrapped__ = body

    @property
    def device(self) -> Device:
        """Where it runs: plans are compiled for it, unless ``target`` says for what else."""
        return self._given or default_device()

    def _trace(self, names: List[str], arrays: List[Any], rest: Dict[str, Any]) -> Tuple[Program, List[str], Any]:
        name = "".join(c if c.isalnum() or c in "_.-" else "_" for c in self.__name__).strip("_") or "function"
        p = Program(name if not name[0].isdigit() else "f" + name, target=self._options.get("target", self.device))
        inputs = {n: p.input(n, a.shape or (1,), a.dtype) for n, a in zip(names, arrays)}
        bound = self._signature.bind_partial()
        bound.arguments.update({n: inputs.get(n, rest.get(n)) for n in self._signature.parameters
                                if n in inputs or n in rest})
        result = self._body(*bound.args, **bound.kwargs)
        several = list(result.values() if isinstance(result, dict) else result) if isinstance(
            result, (dict, tuple, list)) else []
        outputs = [result] if isinstance(result, Tensor) else several
        if not outputs or not all(isinstance(t, Tensor) for t in outputs):
            raise InvalidError(f"{self.__name__} returned {type(result).__name__}: expected a tensor, or "
                               "several in a tuple or a dict")
        labels = [f"out{i}" for i in range(len(outputs))]
        for label, tensor in zip(labels, outputs):
            p.output(label, tensor)
        return p, labels, list(result) if isinstance(result, dict) else not isinstance(result, Tensor)

    def _exec(self, given: Dict[str, Any]) -> Tuple[Exec, List[str], Any, Dict[str, Any]]:
        arrays = {n: _arrays.as_array(v) for n, v in given.items() if _is_data(v)}
        rest = {n: v for n, v in given.items() if n not in arrays}
        key = (tuple((n, a.shape, a.dtype.str) for n, a in arrays.items()), tuple(sorted(rest.items())))
        with self._lock:
            found = self._execs.get(key)
            if found is None or found[0].closed:
                p, labels, form = self._trace(list(arrays), list(arrays.values()), rest)
                with p:
                    found = (p.compile(**self._options).open(self.device), labels, form)
                self._execs[key] = found
        return (*found, arrays)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        exec, labels, form, arrays = self._exec(dict(bound.arguments))
        values = exec.submit(arrays).result()
        found = [values[label] for label in labels]
        if isinstance(form, list):
            return dict(zip(form, found))
        return tuple(found) if form else found[0]

    def plans(self) -> List[Any]:
        """The plans that were made so far, one for each shape that was met."""
        with self._lock:
            return [entry[0].plan for entry in self._execs.values()]

    def __repr__(self) -> str:
        return f"<reprise.Function {self.__name__}>"


def _is_data(value: Any) -> bool:
    """Arrays; numbers of NumPy, lists and tuples are constants like axes and shapes."""
    array = any(hasattr(value, name) for name in ("__array__", "__array_interface__", "__dlpack__"))
    return array and not isinstance(value, np.generic)


def function(body: Optional[Callable[..., Any]] = None, *, device: Optional[Device] = None, **options: Any) -> Any:
    """A function of tensors as one of arrays.

    ::

        @reprise.function
        def norm(x, w):
            return ops.rms_norm(x, w)

        y = norm(array, weights)

    It is traced, compiled and put on the device when it meets arrays of new shapes or dtypes; the same shapes
    replay the plan that is there. Arguments that are no arrays (numbers, texts, tuples) are constants: each value
    has a plan of its own. ``options`` are those of :meth:`Graph.compile`. Any thread may call it.
    """
    if body is None:
        return lambda later: Function(later, device, options)
    return Function(body, device, options)
