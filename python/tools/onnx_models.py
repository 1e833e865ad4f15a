#!/usr/bin/env python3
"""Runs ONNX models here and with onnxruntime, compares, and prints a table for docs/onnx.md.

    python3 tools/onnx_models.py MODEL.onnx[,SIZE=NUMBER...] ...

Inputs are random, the same for both: integers of 0 and 1, which all ids and masks may be, floats from 0 to 1.
Exit 1 where a model is not imported or differs by more than 1e-4 of its largest number. It needs onnx and
onnxruntime of PyPI; it is no part of the tests.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import reprise as rp
import reprise.onnx
import reprise.onnx.reader

TOLERANCE = 1e-4


def arrays(model: reprise.onnx.Model) -> "dict[str, np.ndarray]":
    rng = np.random.default_rng(7)
    kinds = {"f32": "f4", "f16": "f2", "f64": "f8", "i64": "i8", "i32": "i4", "bool": "?", "u8": "u1"}
    made = {}
    for name, port in model.inputs.items():
        kind = np.dtype(kinds[port.dtype])
        values = rng.random(port.shape) if kind.kind == "f" else rng.integers(0, 2, port.shape)
        made[name] = values.astype(kind)
    return made


def recent(path: str, folder: str) -> str:
    """The model in a version of the operators that is read: onnx's own converter brings older ones up."""
    import onnx
    import onnx.version_converter
    model = onnx.load(path)
    if max(o.version for o in model.opset_import if not o.domain) >= reprise.onnx.reader.OPSETS[0]:
        return path
    newer = str(Path(folder) / Path(path).name)
    onnx.save(onnx.version_converter.convert_version(model, reprise.onnx.reader.OPSETS[0]), newer)
    return newer


def compare(path: str, sizes: "dict[str, int]") -> str:
    """A row of the table."""
    import onnxruntime
    nodes = len(reprise.onnx.reader.read(path)[0].steps)
    model = reprise.onnx.load(path, sizes=sizes)
    info = model.compile(target=rp.device()).info
    given = arrays(model)
    made = model(**given) if len(model.outputs) > 1 else {next(iter(model.outputs)): model(**given)}
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    wanted = session.run(list(made), given)
    worst = 0.0
    for (name, got), want in zip(made.items(), wanted):
        if got.shape != want.shape or got.dtype != want.dtype:
            raise rp.InvalidError(f"{name} is {got.dtype}{list(got.shape)}, not {want.dtype}{list(want.shape)}")
        scale = max(1.0, float(np.abs(want).max()))
        worst = max(worst, float(np.abs(got.astype("f8") - want.astype("f8")).max()) / scale)
    if not worst <= TOLERANCE:
        raise rp.InvalidError(f"differs by {worst:.2g}: expected at most {TOLERANCE}")
    shapes = ", ".join(f"{n} {list(p.shape)}" for n, p in model.inputs.items())
    figures = f"{nodes} | {info.nodes} | {info.dispatches} | {info.barriers} | {worst:.1e}"
    return f"| {Path(path).stem} | {shapes} | {figures} |"


def main() -> int:
    print("| model | inputs | ONNX nodes | nodes | dispatches | barriers | largest difference |")
    print("|---|---|---|---|---|---|---|")
    failed = 0
    for word in sys.argv[1:]:
        path, *sizes = word.split(",")
        try:
            with tempfile.TemporaryDirectory() as folder:
                print(compare(recent(path, folder), {k: int(v) for k, v in (s.split("=") for s in sizes)}),
                      flush=True)
        except rp.Error as error:
            print(f"| {Path(path).stem} | {error} |", flush=True)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
