"""What the comparisons share: files of weights, replays by the command line, PyTorch's times, tables.

A GPU that waits for the host lowers its clock, so nothing is measured before the queue has been full
for a while, and the lowest clock is shown beside the figures."""
import argparse
import json
import pathlib
import statistics
import struct
import subprocess
import tempfile
import time

import numpy as np

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
KINDS = {"F32": np.float32, "F16": np.float16, "I64": np.int64}


def read_safetensors(path):
    """The tensors of a file by name."""
    data = memoryview(pathlib.Path(path).read_bytes())
    size, = struct.unpack_from("<Q", data)
    header = json.loads(bytes(data[8:8 + size]))
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], KINDS[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def write_safetensors(path, tensors):
    names = {np.dtype(kind): name for name, kind in KINDS.items()}
    header, at = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": names[array.dtype], "shape": list(array.shape),
                        "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            file.write(np.ascontiguousarray(array))


# ---- Reprise ---------------------------------------------------------------------------------------

def tool(build, name):
    return pathlib.Path(build) / ("tools" if name == "reprise" else "bench") / name


def compile_plan(build, pipeline, plan, target, level="-O1", **defines):
    command = [tool(build, "reprise"), "compile", "-q", level, pipeline, "-o", plan, "--target", target]
    for name, value in defines.items():
        command += ["-D", f"{name}={value}"]
    subprocess.run([str(word) for word in command], check=True)
    return plan


def compile_text(args, text, folder, **defines):
    (folder / "pipeline.yaml").write_text(text)
    return compile_plan(args.build, folder / "pipeline.yaml", folder / "plan.rplan", args.target,
                        **defines)


def run_plan(build, plan, weights, inputs, output, folder):
    """The result of one replay; `inputs` are arrays by name."""
    command = [tool(build, "reprise"), "run", "-q", plan, "--weights", weights]
    for name, array in inputs.items():
        np.save(folder / f"{name}.npy", array)
        command += ["-i", f"{name}={folder / name}.npy"]
    command += ["-o", f"{output}={folder / output}.npy"]
    subprocess.run([str(word) for word in command], check=True)
    return np.load(folder / f"{output}.npy")


class Replays:
    """A plan on the device, which replay_rounds replays for a while whenever it is asked to."""

    def __init__(self, build, plan, milliseconds=300):
        command = [str(tool(build, "replay_rounds")), str(plan), str(milliseconds)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.device = self.process.stdout.readline().strip()
        self.times = []

    def round(self, **values):
        """Seconds from submission to completion, and of the GPU alone with a full queue; with these
        numbers in buffers of those names."""
        self.process.stdin.write(" ".join(f"{name}={value}" for name, value in values.items()) + "\n")
        self.process.stdin.flush()
        words = self.process.stdout.readline().split()
        if len(words) != 3:
            raise RuntimeError("replay_rounds gave up")
        self.times.append((float(words[0]) * 1e-6, float(words[1]) * 1e-6, int(words[2])))
        return self.times[-1][:2]

    def clock(self):
        return min(mhz for _, _, mhz in self.times)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


# ---- PyTorch ---------------------------------------------------------------------------------------

def capture(torch, call):
    """A CUDA Graph of the call."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay


def gpu_seconds(torch, call, seconds=0.15, warm=0.15):
    """Median of the GPU's time of one call among many that are submitted one behind the other."""
    def burst(count):
        events = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]
        for event in events[:-1]:
            event.record()
            call()
        events[-1].record()
        torch.cuda.synchronize()
        return [a.elapsed_time(b) * 1e-3 for a, b in zip(events, events[1:])]

    each = max(statistics.median(burst(3)), 1e-6)
    count = max(3, min(400, int(0.02 / each)))
    times, begin = [], time.monotonic()
    while time.monotonic() - begin < warm:
        burst(count)
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        times += burst(count)
    return statistics.median(times)


# ---- Comparisons -----------------------------------------------------------------------------------

def arguments(about, target="device"):
    parser = argparse.ArgumentParser(description=about.split("\n")[0])
    parser.add_argument("--target", default=target, help="that pipelines are compiled for")
    parser.add_argument("--build", type=pathlib.Path, default=BUILD, help="where Reprise was built")
    parser.add_argument("--no-header", action="store_true", help="rows alone")
    return parser


def plan_arguments(parser):
    """Plans may be compiled on another machine than the one that measures them."""
    parser.add_argument("--save", type=pathlib.Path, metavar="FOLDER", help="compile plans alone")
    parser.add_argument("--plans", type=pathlib.Path, metavar="FOLDER", help="measure those of --save")
    parser.add_argument("--no-torch", action="store_true", help="Reprise alone")


def with_plans(args, save, measure):
    """Compiles plans by save(args, folder), measures them by measure(args, folder), or does one of the two."""
    if args.save:
        save(args, args.save)
    elif args.plans:
        measure(args, args.plans)
    else:
        with tempfile.TemporaryDirectory() as folder:
            save(args, pathlib.Path(folder))
            measure(args, pathlib.Path(folder))


def row(*cells):
    """A line of the table, at once, so that a run that is cut short leaves what it had."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def header(args):
    if not args.no_header:
        row("work", "Reprise us", "MHz", "peer", "us", "Reprise / peer")
        print("|---|---|---|---|---|---|", flush=True)


def micro(seconds):
    return f"{seconds * 1e6:.1f}"


def beside_torch(torch, args, work, plan, peers, count=1):
    """Rows for one plan: GPU time of Reprise, which is measured again behind each peer, and of each
    peer. Those are given by functions that make what is called. `count`: times are those of a part of
    so many that are equal."""
    replays = Replays(args.build, plan)
    replays.round()
    replays.times.clear()
    replays.round()
    for name, make in peers.items():
        theirs = gpu_seconds(torch, make())
        replays.round()
        ours = statistics.median(gpu for _, gpu, _ in replays.times)
        row(work, micro(ours / count), replays.clock() or "", name, micro(theirs / count),
            f"{ours / theirs:.2f}")
    replays.close()
