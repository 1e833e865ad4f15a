#!/usr/bin/env python3
"""The edges of a painted picture: photo.png in, edges.png out."""
import numpy as np

from workload import Workload, load_png, save_png


def paint(width, height):
    """Hills under a sun, of bytes."""
    y, x = np.mgrid[0:1:height * 1j, 0:width / height:width * 1j]
    sky = np.stack([0.9 - 0.5 * y, 0.75 - 0.35 * y, 0.55 + 0 * y], -1)[::-1]
    picture = np.where((np.hypot(x - 1.0, y - 0.3) < 0.13)[..., None], [1.0, 0.95, 0.7], sky)
    for k, colour in enumerate(([0.45, 0.5, 0.6], [0.3, 0.42, 0.35], [0.12, 0.2, 0.12])):
        ridge = 0.5 + 0.15 * k + 0.12 * np.sin(3 * x + 2 * k) + 0.03 * np.sin(17 * x + 5 * k)
        picture = np.where((y > ridge)[..., None], colour, picture)
    return (255 * picture + 0.5).astype(np.uint8)


w = Workload(width=192, height=128)
photo = paint(w.width, w.height)
save_png(w.folder / "photo.png", photo)
w.reprise("run", w.here / "sobel.yaml", *w.defines(), "-i", f"photo={w.folder / 'photo.png'}", "-o", f"edges={w.folder / 'edges.png'}")
grey = np.pad(photo / 255 @ [0.2126, 0.7152, 0.0722], 1, mode="edge")
across = sum(weight * (grey[dy:dy + w.height, 2:] - grey[dy:dy + w.height, :-2]) for dy, weight in enumerate((1, 2, 1)))
down = sum(weight * (grey[2:, dx:dx + w.width] - grey[:-2, dx:dx + w.width]) for dx, weight in enumerate((1, 2, 1)))
w.close("edges", load_png(w.folder / "edges.png") / 65535, np.clip(np.hypot(across, down), 0, 1), 1e-5)
w.finish()
