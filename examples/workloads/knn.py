#!/usr/bin/env python3
"""Exact nearest neighbours of random queries among random rows."""
import numpy as np

from workload import Workload

w = Workload(rows=5000, dim=32, k=10)
base = w.normal(w.rows, w.dim)
for queries in (1, 9):
    q = w.normal(queries, w.dim)
    distances, neighbours = w.run("knn", {"q": q, "base": base}, ["distances", "neighbours"],
                                  options=["--set", f"queries={queries}"])
    want = ((q[:, None].astype(float) - base[None]) ** 2).sum(-1)
    order = want.argsort(axis=1, kind="stable")[:, :w.k]
    w.close("distances", distances, np.take_along_axis(want, order, 1), 1e-5)
    w.equal("neighbours", neighbours, order)
w.finish()
