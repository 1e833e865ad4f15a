#!/usr/bin/env python3
"""Lloyd's algorithm until no point moves, from the first points as centroids."""
import numpy as np

from workload import Workload


def lloyd(x, centroids):
    """Centroids, assignment, and how many points moved in each step up to the first without."""
    x, centroids, nearest, moved = x.astype(float), centroids.astype(float), np.zeros(len(x), int), []
    while not moved or moved[-1]:
        now = ((x[:, None] - centroids[None]) ** 2).sum(-1).argmin(1)
        moved.append(int((now != nearest).sum()))
        centroids = np.stack([x[now == c].mean(0) if (now == c).any() else centroids[c]
                              for c in range(len(centroids))])
        nearest = now
    return centroids, nearest, moved


w = Workload(points=2000, dim=8, clusters=12, steps=4)
x = w.normal(w.points, w.dim) + 3 * w.normal(w.clusters, w.dim)[w.random.integers(0, w.clusters, w.points)]
state = [x[:w.clusters], np.zeros(w.points, np.uint32)]
moved = []
while not moved or moved[-1]: # a replay after the other; an application keeps the exec, and uploads nothing again
    *state, last = w.run("kmeans", {"x": x, "centroids": state[0], "nearest": state[1]}, ["centroids", "nearest", "moved"])
    moved += last.tolist()
centroids, nearest, steps = lloyd(x, x[:w.clusters])
w.equal("moved", np.array(moved[:len(steps)]), np.array(steps))
w.equal("nearest", state[1], nearest)
w.close("centroids", state[0], centroids, 1e-5)
w.finish()
