"""``python -m reprise.onnx import MODEL.onnx -o model.yaml``."""

from __future__ import annotations

import argparse
import sys
from typing import Dict, List, Optional

from ..errors import Error
from .model import load


def _sizes(words: List[str], parser: argparse.ArgumentParser) -> Dict[str, int]:
    sizes: Dict[str, int] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals or not value.isdigit():
            parser.error(f"-D {word}: expected NAME=NUMBER")
        sizes[name] = int(value)
    return sizes


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m reprise.onnx", description="ONNX models as pipelines.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    make = commands.add_parser("import", help="write a model as YAML and its weights as safetensors")
    make.add_argument("model", metavar="MODEL.onnx")
    make.add_argument("-o", dest="output", required=True, metavar="FILE.yaml", help="the pipeline")
    make.add_argument("--weights", metavar="FILE.safetensors", help="its weights; beside it where nothing is said")
    make.add_argument("-D", dest="sizes", action="append", default=[], metavar="NAME=NUMBER",
                      help="a symbolic dimension")
    make.add_argument("--output", dest="outputs", action="append", metavar="NAME",
                      help="a value that is wanted, in place of the model's outputs")
    given = parser.parse_args(arguments)
    try:
        model = load(given.model, sizes=_sizes(given.sizes, parser), outputs=given.outputs)
        model.save(given.output, given.weights)
    except Error as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
