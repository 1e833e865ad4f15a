#!/usr/bin/env python3
"""All comparisons of this folder that this machine can run, in one table.

Where PyTorch sees a GPU those beside PyTorch, else that beside ONNX Runtime. What cannot run says why,
on stderr, and the others go on; then the exit status is 1."""
import pathlib
import subprocess
import sys

import common

HERE = pathlib.Path(__file__).parent
ON_GPU = [["products.py"], ["along.py"], ["nearest.py"], ["nearest.py", "--size", "768", "--queries", "1", "100"],
          ["convolutions.py"], ["fft.py"], ["maps.py"],
          ["attention.py"], ["attention.py", "--heads", "16", "--size", "128"],
          ["attention.py", "--sequences", "1", "8", "32", "--tokens", "16", "128", "1024", "4096"],
          ["minilm.py", "torch", "--dtypes", "f32", "f16"], ["decode.py"], ["models.py"]]
ON_PROCESSOR = [["minilm.py", "onnx"]]


def has_gpu():
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def main():
    parser = common.arguments(__doc__, None)
    args = parser.parse_args()
    common.header(args)
    failed = []
    for words in ON_GPU if has_gpu() else ON_PROCESSOR:
        command = [sys.executable, str(HERE / words[0]), *words[1:], "--no-header", "--build",
                   str(args.build)]
        command += ["--target", args.target] if args.target else []
        if subprocess.run(command).returncode:
            failed.append(" ".join(words))
    if failed:
        sys.exit("run.py: failed: " + "; ".join(failed))


if __name__ == "__main__":
    main()
