"""What the data.py of several examples share: writing .safetensors files with NumPy alone."""
import json
import struct

import numpy as np


def save_safetensors(path, tensors):
    """NumPy has no bf16: arrays of u2 are the upper halves of f32."""
    names = {np.dtype(dtype): name for dtype, name in
             (("f4", "F32"), ("f2", "F16"), ("u1", "U8"), ("u4", "U32"), ("i4", "I32"), ("u2", "BF16"), ("?", "BOOL"))}
    header, data = {}, b""
    for name, array in tensors.items():
        header[name] = {"dtype": names[array.dtype], "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
