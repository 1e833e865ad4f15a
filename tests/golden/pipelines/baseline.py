"""The counts of all pipelines against tests/golden/pipelines/baseline.json, by `reprise bench`: what got worse fails, with the
decisions that changed. RP_BLESS=1 writes it anew."""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
# Without `lower`: the counts are those of the graph, and no kernel is compiled for them.
PASSES = "dce,rename,transfers,fuse,schedule,place,sync"
arguments = [os.environ["REPRISE"], "bench", *map(str, sorted(HERE.glob("*.yaml"))), "--baseline", str(HERE / "baseline.json"), "--counts", "--target", "h200", "--passes", PASSES]
if os.environ.get("RP_BLESS") == "1":
    arguments.append("--update")
sys.exit(subprocess.run(arguments).returncode)
