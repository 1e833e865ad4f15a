"""``python -m reprise.onnx import MODEL.onnx -o model.yaml``."""

from __future__ import annotations

import argparse
import sys
from typing import Dict, List, Optional

from ..errors import Error
from .model import load


def _numbers(option: str, words: List[str], several: bool, parser: argparse.ArgumentParser) -> Dict[str, List[int]]:
    found: Dict[str, List[int]] = {}
    for word in words:
        name, equals, value = word.rpartition("=")
        numbers = value.split(",")
        if not name or not equals or not all(n.isdigit() for n in numbers) or (len(numbers) > 1 and not several):
            parser.error(f"{option} {word}: expected NAME=NUMBER" + ("[,NUMBER...]" if several else ""))
        found[name] = [int(n) for n in numbers]
    return found


def _values(words: List[str], parser: argparse.ArgumentParser) -> Dict[str, float]:
    found: Dict[str, float] = {}
    for word in words:
        name, equals, value = word.rpartition("=")
        try:
            found[name] = int(value) if value.lstrip("+-").isdigit() else float(value)
        except ValueError:
            equals = ""
        if not name or not equals:
            parser.error(f"--value {word}: expected NAME=NUMBER")
    return found


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m reprise.onnx", description="ONNX models as pipelines.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    make = commands.add_parser("import", help="write a model as YAML and its weights as safetensors")
    make.add_argument("model", metavar="MODEL.onnx")
    make.add_argument("-o", dest="output", required=True, metavar="FILE.yaml", help="the pipeline")
    make.add_argument("--weights", metavar="FILE.safetensors", help="its weights; beside it where nothing is said")
    make.add_argument("-D", dest="sizes", action="append", default=[], metavar="NAME=NUMBER",
                      help="a symbolic dimension is this number")
    make.add_argument("--param", dest="params", action="append", default=[], metavar="NAME=NUMBER",
                      help="it is a param of the pipeline, of this value; NUMBER,MAX says how large it may become")
    make.add_argument("--live", dest="live", action="append", default=[], metavar="NAME=MAX",
                      help="it is a live value of up to MAX; MAX1,MAX2,... are forms of the plan for smaller sizes, too")
    make.add_argument("--value", dest="values", action="append", default=[], metavar="NAME=NUMBER",
                      help="an input that is known")
    make.add_argument("--output", dest="outputs", action="append", metavar="NAME",
                      help="a value that is wanted, in place of the model's outputs")
    given = parser.parse_args(arguments)
    sizes = {name: numbers[0] for name, numbers in _numbers("-D", given.sizes, False, parser).items()}
    params = _numbers("--param", given.params, True, parser)
    live = _numbers("--live", given.live, True, parser)
    try:
        model = load(given.model, sizes=sizes, params=params, live=live, outputs=given.outputs,
                     values=_values(given.values, parser))
        model.save(given.output, given.weights)
    except Error as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
