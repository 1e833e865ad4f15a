#!/usr/bin/env python3
"""The log-mel spectrogram of a sound that glides up, with an overtone, a click and noise."""
import numpy as np

from workload import Workload, load_png


def mel_filters(bands, bins, rate):
    """Triangles on the mel scale of Slaney, of equal area, as librosa's."""
    def hertz(mel):
        return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))

    top = 15 + 27 / np.log(6.4) * np.log(rate / 2 / 1000)
    edges, at = hertz(np.linspace(0, top, bands + 2)), np.linspace(0, rate / 2, bins)
    rise = (at - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - at) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(np.minimum(rise, fall), 0) * (2 / (edges[2:] - edges[:-2]))[:, None]


w = Workload(samples=16000, frame=400, step=160, bands=40)
time = np.arange(w.samples) / 16000
phase = 2 * np.pi * (300 * time + 1500 * time * time)
sound = 0.4 * np.sin(phase) + 0.1 * np.sin(2 * phase) + w.normal(w.samples, scale=0.001)
sound[w.samples // 2:][:40] += 0.5
sound = sound.astype(np.float32)
filters = mel_filters(w.bands, w.frame // 2 + 1, 16000).astype(np.float32)
mel, = w.run("spectrogram", {"sound": sound, "filters": filters}, ["mel"],
             options=["-o", f"picture={w.folder / 'picture.png'}"])

padded = np.pad(sound.astype(float), w.frame // 2, mode="reflect")
frames = np.lib.stride_tricks.sliding_window_view(padded, w.frame)[::w.step][:-1]
power = abs(np.fft.rfft(frames * np.hanning(w.frame + 1)[:-1])) ** 2
level = np.log10(np.maximum(filters.astype(float) @ power.T, 1e-10))
w.close("mel", mel, (np.maximum(level, level.max() - 8) + 4) / 4, 1e-4)
w.close("picture", load_png(w.folder / "picture.png") / 65535, np.clip(1 + (level[::-1] - level.max()) / 8, 0, 1), 1e-4)
w.finish()
