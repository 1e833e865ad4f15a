"""ONNX models as pipelines.

::

    import reprise.onnx

    model = reprise.onnx.load("model.onnx", batch=4)
    y = model(x)
    model.save("model.yaml")          # and model.safetensors, for every other program

``python -m reprise.onnx import`` does the last from the command line. Parsing needs the package ``onnx``.
"""

from .model import Model, Port, load, ports

__all__ = ["Model", "Port", "load", "ports"]
