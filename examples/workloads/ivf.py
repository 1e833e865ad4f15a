#!/usr/bin/env python3
"""An inverted file, trained by ivf-train.yaml and searched by ivf-search.yaml."""
import numpy as np

from workload import Workload


def distances(a, b):
    return ((a[:, None].astype(float) - b[None]) ** 2).sum(-1)


w = Workload(rows=3000, dim=16, lists=20, steps=5, probes=4, k=10)
base = w.normal(w.rows, w.dim) * np.exp(w.normal(w.rows, 1)) # dense in the middle: lists of all lengths
train = {name: w.sizes[name] for name in ("rows", "dim", "lists", "steps")}
index = ["centroids", "sorted", "ids", "begin", "count"]
found = dict(zip(index, w.run("ivf-train", {"base": base}, index, train)))

centroids = base[:w.lists].astype(float)
for _ in range(w.steps):
    cell = distances(base, centroids).argmin(1)
    centroids = np.stack([base[cell == c].mean(0, float) if (cell == c).any() else centroids[c] for c in range(w.lists)])
cell = distances(base, centroids).argmin(1)
count = np.bincount(cell, minlength=w.lists)
ids = cell.argsort(kind="stable")
w.close("centroids", found["centroids"], centroids, 1e-5)
w.equal("ids", found["ids"], ids)
w.equal("sorted", found["sorted"], base[ids])
w.equal("begin", found["begin"], count.cumsum() - count)
w.equal("count", found["count"], count)

search = {name: w.sizes[name] for name in ("rows", "dim", "lists", "probes", "k")} | {"longest": count.max()}
for queries in (1, 6):
    q = base[:queries] + w.normal(queries, w.dim, scale=0.1)
    nearest, neighbours = w.run("ivf-search", {"q": q, **found}, ["distances", "neighbours"], search,
                                ["--set", f"queries={queries}"])
    exact = distances(q, base)
    probed = distances(q, found["centroids"]).argsort(axis=1, kind="stable")[:, :w.probes]
    seen = np.where((cell[None, :, None] == probed[:, None]).any(-1), exact, np.inf)
    order = seen.argsort(axis=1, kind="stable")[:, :w.k]
    w.close("distances", nearest, np.take_along_axis(seen, order, 1), 1e-5)
    w.equal("neighbours", neighbours, order)
recall = np.mean([len(set(a) & set(b)) for a, b in zip(neighbours, exact.argsort(1)[:, :w.k])]) / w.k
print(f"of the {w.k} nearest rows {recall:.0%} are found, in lists of {count.min()} to {count.max()} rows")
w.finish()
