"""What several examples share: PNG files of 8 and 16 bits, by their specification, with NumPy alone."""
import struct
import zlib

import numpy as np

CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4} # by colour type


def save_png(path, pixels):
    """pixels: u8 or u16, [height, width] or [height, width, channels]."""
    height, width, *rest = pixels.shape
    form = {channels: form for form, channels in CHANNELS.items()}[rest[0] if rest else 1]
    head = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, form, 0, 0, 0)
    lines = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder(">"))).view(np.uint8).reshape(height, -1)
    body = zlib.compress(np.pad(lines, ((0, 0), (1, 0))).tobytes())
    chunks = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks))


def load_png(path):
    """[height, width], or [height, width, channels] where there are several."""
    data, at, packed = path.read_bytes(), 8, b""
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8:at + 8 + size]
        assert zlib.crc32(kind + body) == struct.unpack_from(">I", data, at + 8 + size)[0]
        if kind == b"IHDR":
            width, height, depth, form, *_ = struct.unpack(">IIBBBBB", body)
        packed += body if kind == b"IDAT" else b""
        at += 12 + size
    step = CHANNELS[form] * depth // 8 # bytes of a pixel
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + step * width)
    rows, above, nothing = [], np.zeros((width, step), int), np.zeros(step, int)
    for line in lines:
        row = line[1:].reshape(width, step).astype(int)
        if line[0] == 2:
            row = (row + above) % 256
        elif line[0]: # what depends on the pixel before it
            for i in range(width):
                left, corner = (row[i - 1], above[i - 1]) if i else (nothing, nothing)
                guess = left + above[i] - corner
                off = np.abs(guess - left), np.abs(guess - above[i]), np.abs(guess - corner)
                near = np.where(off[1] <= off[2], above[i], corner)
                near = np.where((off[0] <= off[1]) & (off[0] <= off[2]), left, near)
                row[i] = (row[i] + {1: left, 3: (left + above[i]) // 2, 4: near}[line[0]]) % 256
        rows.append(row)
        above = row
    pixels = np.stack(rows).astype(np.uint8).view(f">u{depth // 8}").reshape(height, width, -1)
    return pixels.astype(f"u{depth // 8}")[..., 0 if CHANNELS[form] == 1 else slice(None)]
