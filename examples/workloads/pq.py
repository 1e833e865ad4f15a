#!/usr/bin/env python3
"""A product quantiser, trained by pq-train.yaml, and a search among its codes by pq-search.yaml."""
import numpy as np

from workload import Workload


def distances(a, b):
    return ((a[:, None].astype(float) - b[None]) ** 2).sum(-1)


w = Workload(rows=1500, dim=24, parts=4, entries=32, steps=4, k=10)
x = w.normal(w.rows, w.dim)
train = {name: w.sizes[name] for name in ("rows", "dim", "parts", "entries", "steps")}
codebooks, codes = w.run("pq-train", {"x": x}, ["codebooks", "codes"], train)

parts = np.split(x.astype(float), w.parts, axis=1)
books = [part[:w.entries] for part in parts]
for _ in range(w.steps):
    nearest = [distances(part, book).argmin(1) for part, book in zip(parts, books)]
    books = [np.stack([part[near == e].mean(0) if (near == e).any() else book[e] for e in range(w.entries)])
             for part, book, near in zip(parts, books, nearest)]
want = np.stack([distances(part, book).argmin(1) for part, book in zip(parts, books)], axis=1)
w.close("codebooks", codebooks, np.stack(books), 1e-5)
w.equal("codes", codes, want)

search = {name: w.sizes[name] for name in ("rows", "dim", "parts", "entries", "k")}
decoded = np.concatenate([book[code] for book, code in zip(books, want.T)], axis=1)
for queries in (1, 5):
    q = w.normal(queries, w.dim)
    nearest, neighbours = w.run("pq-search", {"q": q, "codebooks": codebooks, "codes": codes},
                                ["distances", "neighbours"], search, ["--set", f"queries={queries}"])
    far = distances(q, decoded)
    order = far.argsort(axis=1, kind="stable")[:, :w.k]
    w.close("distances", nearest, np.take_along_axis(far, order, 1), 1e-5)
    found = np.take_along_axis(far, neighbours.astype(int), 1) # rows of the same codes are as near as each other
    w.close("neighbours", found, np.take_along_axis(far, order, 1), 1e-5)
recall = np.mean([len(set(a) & set(b)) for a, b in zip(neighbours, distances(q, x).argsort(1)[:, :w.k])]) / w.k
print(f"of the {w.k} nearest rows {recall:.0%} are found, in {w.parts} bytes a row")
w.finish()
