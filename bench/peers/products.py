"""The chains of bench_products in PyTorch: `products.py [DTYPE M N K]...`

Each chain is captured into a CUDA Graph, weights as rows of x's length (x @ w.T), f32 without TF32.
Times are medians of replays by CUDA events, after replays in a row as in bench_products."""
import statistics
import sys
import time

import torch

SHAPES = [
    ("f32", 32, 384, 384), ("f32", 16, 384, 384), ("f32", 16, 1536, 384), ("f32", 128, 384, 384),
    ("f32", 128, 1536, 384), ("f16", 32, 384, 384), ("f32", 1024, 384, 384),
    ("f32", 1024, 1536, 384), ("f32", 8192, 384, 384), ("f32", 8192, 1536, 384),
    ("f32", 32, 4096, 4096), ("f32", 256, 256, 4096), ("f32", 2048, 2048, 2048),
    ("f32", 4096, 4096, 4096), ("f16", 4096, 4096, 4096),
]
REPLAYS, MOST_PRODUCTS, OPERATIONS = 40, 32, 1e11
FIRST_SECONDS, NEXT_SECONDS = 2, 0.25  # of warming up


def measure(dtype, m, n, k, warm_seconds):
    kind = torch.float16 if dtype == "f16" else torch.float32
    operations = 2.0 * m * n * k
    count = max(2, min(MOST_PRODUCTS, int(OPERATIONS / operations))) // 2 * 2
    x = (torch.rand(m, k, device="cuda") / 4 - 0.125).to(kind)
    weights = [(torch.rand(rows, columns, device="cuda") / 4 - 0.125).to(kind)
               for rows, columns in ((n, k), (k, n))]

    def chain():
        y = x
        for i in range(count):
            y = torch.nn.functional.linear(y, weights[i % 2])
        return y

    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            chain()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        chain()
    start = time.monotonic()
    while time.monotonic() - start < warm_seconds:
        for _ in range(10):
            graph.replay()
        torch.cuda.synchronize()
    times = []
    for _ in range(REPLAYS):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        graph.replay()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) * 1e-3)
    each = statistics.median(times) / count
    print(f"{dtype:5} {m:6} {n:6} {k:6} {count:9} {each * 1e6:12.2f} {operations / each * 1e-9:10.1f}",
          flush=True)


def main():
    torch.backends.cuda.matmul.allow_tf32 = False
    given = sys.argv[1:]
    shapes = [(given[i], *map(int, given[i + 1:i + 4])) for i in range(0, len(given), 4)] or SHAPES
    print(torch.cuda.get_device_name(), torch.__version__)
    print(f"{'dtype':5} {'M':>6} {'N':>6} {'K':>6} {'products':>9} {'us':>12} {'GFLOP/s':>10}")
    for i, shape in enumerate(shapes):
        measure(*shape, NEXT_SECONDS if i else FIRST_SECONDS)


main()
