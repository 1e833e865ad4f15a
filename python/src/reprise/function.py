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

    def _trace(self, given: "_Arguments") -> Tuple[Program, List[str], Any]:
        name = "".join(c if c.isascii() and (c.isalnum() or c in "_.-") else "_" for c in self.__name__).strip("_.-") or "function"
        p = Program(name if not name[0].isdigit() else "f" + name, target=self._options.get("target", self.device))
        inputs = {n: p.input(n, a.shape or (1,), a.dtype) for n, a in given.arrays.items()}
        result = self._body(*given.filled(given.args, inputs), **given.filled(given.kwargs, inputs))
        several = list(result.values() if isinstance(result, dict) else result) if isinstance(
            result, (dict, tuple, list)) else []
        outputs = [result] if isinstance(result, Tensor) else several
        if not outputs or not all(isinstance(t, Tensor) for t in outputs):
            raise InvalidError(f"{self.__name__} returned {_described(result)}: expected a tensor, or "
                               "several in a tuple or a dict")
        labels = [f"out{i}" if f"out{i}" not in inputs else f"out{i}.result" for i in range(len(outputs))]
        for label, tensor in zip(labels, outputs):
            p.output(label, tensor)
        return p, labels, list(result) if isinstance(result, dict) else not isinstance(result, Tensor)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        given = _Arguments(bound)
        with self._lock:
            found = self._execs.get(given.key)
            if found is None or found[0].closed:
                p, labels, form = self._trace(given)
                with p:
                    found = (p.compile(**self._options).open(self.device), labels, form)
                self._execs[given.key] = found
        exec, labels, form = found
        values = exec.submit(given.arrays).result()
        results = [values[label] for label in labels]
        if isinstance(form, list):
            return dict(zip(form, results))
        return tuple(results) if form else results[0]

    def plans(self) -> List[Any]:
        """The plans that were made so far, one for each shape that was met."""
        with self._lock:
            return [entry[0].plan for entry in self._execs.values()]

    def __repr__(self) -> str:
        return f"<reprise.Function {self.__name__}>"


class _Arguments:
    """What a call was given: arrays, which become inputs, wherever they stand in lists, tuples and dicts, and what else
    there is, of which each value has a plan of its own."""

    def __init__(self, bound: inspect.BoundArguments):
        self.arrays: Dict[str, Any] = {}
        key: List[Any] = []
        for at, (name, value) in enumerate(bound.arguments.items()):
            place = name if name.isascii() else f"arg.{at}"
            bound.arguments[name] = self._taken(place, name, value, key)
        self.args, self.kwargs = bound.args, bound.kwargs
        self.key = tuple(key)

    def _taken(self, place: str, name: str, value: Any, key: List[Any]) -> Any:
        """The value with names in the place of arrays; what tells it from others goes into ``key``."""
        if _is_data(value):
            array = _arrays.as_array(value)
            self.arrays[place] = array
            key.append((place, array.shape, array.dtype.str, array.dtype.name))
            return _Place(place)
        if isinstance(value, (list, tuple, dict)):
            key.append((type(value), len(value), *(value if isinstance(value, dict) else ())))
            inner = value.values() if isinstance(value, dict) else value
            items = [self._taken(f"{place}.{i}", name, item, key) for i, item in enumerate(inner)]
            return _like(value, items)
        try:  # 1, 1.0 and True are equal, and mean other dtypes; a NaN is no other's equal
            hash(value)
            key.append((type(value), repr(value) if isinstance(value, (float, complex, np.inexact)) else value))
        except TypeError:
            raise InvalidError(f"argument '{name}' has a {type(value).__name__}: expected arrays, constants that can be "
                               "hashed, or lists, tuples and dicts of these") from None
        return value

    def filled(self, value: Any, inputs: Dict[str, Tensor]) -> Any:
        """The arguments with tensors in the place of arrays."""
        if isinstance(value, _Place):
            return inputs[value.name]
        if isinstance(value, (list, tuple, dict)):
            inner = value.values() if isinstance(value, dict) else value
            return _like(value, [self.filled(item, inputs) for item in inner])
        return value


class _Place:
    """Where an array stood."""

    def __init__(self, name: str):
        self.name = name


def _like(value: Any, items: List[Any]) -> Any:
    """A list, a tuple, named or not, or a dict with other items."""
    if isinstance(value, dict):
        return dict(zip(value, items))
    if hasattr(value, "_fields"):
        return type(value)(*items)
    return items if isinstance(value, list) else tuple(items)


def _described(result: Any) -> str:
    if isinstance(result, (dict, tuple, list)):
        inner = result.values() if isinstance(result, dict) else result
        odd = next((type(t).__name__ for t in inner if not isinstance(t, Tensor)), "")
        return f"a {type(result).__name__} with a {odd}" if odd else f"an empty {type(result).__name__}"
    return type(result).__name__


def _is_data(value: Any) -> bool:
    """Arrays; numbers of NumPy are constants, as Python's are."""
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
    replay the plan that is there. Arrays may stand in lists, tuples and dicts. What is no array (numbers, texts) is a
    constant: each value has a plan of its own. ``options`` are those of :meth:`Graph.compile`. Any thread may call it.
    """
    if body is None:
        return lambda later: Function(later, device, options)
    return Function(body, device, options)
