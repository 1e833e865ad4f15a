#!/usr/bin/env python3
"""ResNet-18 with weights made up, narrow and of a small picture."""
import numpy as np

from workload import Workload


def conv(x, weight, stride, pad):
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], (2, 3))[:, :, ::stride, ::stride]
    return np.einsum("ncyxij,mcij->nmyx", windows, weight, optimize=True)


w = Workload(size=40, width=8, stages=2, classes=10)
weights = {}


def add_conv(name, channels, into, kernel):
    weights[f"{name}.weight"] = w.normal(into, channels, kernel, kernel, scale=(channels * kernel * kernel) ** -0.5)


def add_norm(name, channels):
    weights.update({f"{name}.weight": 1 + w.normal(channels, scale=0.1), f"{name}.bias": w.normal(channels, scale=0.1),
                    f"{name}.running_mean": w.normal(channels, scale=0.1),
                    f"{name}.running_var": np.exp(w.normal(channels, scale=0.1))})


def conv_norm(x, conv_name, norm_name, stride=1, pad=1):
    weight, bias, mean, variance = (weights[f"{norm_name}.{part}"].astype(float)[:, None, None]
                                    for part in ("weight", "bias", "running_mean", "running_var"))
    x = conv(x, weights[f"{conv_name}.weight"].astype(float), stride, pad)
    return (x - mean) / np.sqrt(variance + 1e-5) * weight + bias


def relu(x):
    return np.maximum(x, 0)


def network(image):
    x = relu(conv_norm(image.astype(float), "conv1", "bn1", 2, 3))
    x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))) # of numbers that are not negative: 0 is never the largest
    x = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3))[:, :, ::2, ::2].max((-1, -2))
    for i in range(1, w.stages + 1):
        for j in range(2):
            name, stride = f"layer{i}.{j}", 2 if i > 1 and j == 0 else 1
            shortcut = x if stride == 1 else conv_norm(x, f"{name}.downsample.0", f"{name}.downsample.1", 2, 0)
            inner = relu(conv_norm(x, f"{name}.conv1", f"{name}.bn1", stride))
            x = relu(conv_norm(inner, f"{name}.conv2", f"{name}.bn2") + shortcut)
    return x.mean((2, 3)) @ weights["fc.weight"].T.astype(float) + weights["fc.bias"]


add_conv("conv1", 3, w.width, 7)
add_norm("bn1", w.width)
for i in range(1, w.stages + 1):
    wide, before = w.width << i - 1, w.width << max(i - 2, 0)
    for j in range(2):
        for k in (1, 2):
            add_conv(f"layer{i}.{j}.conv{k}", before if (j, k) == (0, 1) else wide, wide, 3)
            add_norm(f"layer{i}.{j}.bn{k}", wide)
    if i > 1:
        add_conv(f"layer{i}.0.downsample.0", before, wide, 1)
        add_norm(f"layer{i}.0.downsample.1", wide)
weights["fc.weight"] = w.normal(w.classes, w.width << w.stages - 1, scale=(w.width << w.stages - 1) ** -0.5)
weights["fc.bias"] = w.normal(w.classes, scale=0.1)
for batch in (1, 2):
    image = w.normal(batch, 3, w.size, w.size)
    scores, = w.run("resnet", {"image": image, **weights}, ["scores"], options=["--set", f"batch={batch}"])
    w.close("scores", scores, network(image), 1e-5)
w.finish()
