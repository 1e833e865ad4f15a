"""Reprise: graphs of GPU work, recorded once, compiled, proven, and replayed as one command buffer.

::

    import numpy as np, reprise as rp
    from reprise import ops

    f = rp.function(lambda x, w: ops.silu(ops.rms_norm(x, w)))
    y = f(np.random.rand(4, 64).astype("f4"), np.ones(64, "f4"))

docs/python.md is the guide.
"""

from __future__ import annotations

from ._arrays import dtype_names
from ._library import lib as _lib
from ._library import path as library_path
from ._library import text as _text
from .device import Device, DeviceInfo, Memory, Storage, device, devices
from .errors import (BusyError, CancelledError, DamagedError, DeviceLostError, DeviceMemoryError, Diagnostic,
                     DriverError, Error, FileError, InvalidError, NoDeviceError, NoMemoryError, NotFoundError,
                     RepriseWarning, StalledError, TimeoutError, UnprovenError, UnsupportedError, UsageError,
                     VersionError)
from .execs import Exec, Replay
from .function import Function, function
from .graph import Data, Graph, PassReport, Pipeline, load, parse
from .inspection import Inspection
from .kernel import Binding, Kernel
from .plan import BufferInfo, KernelInfo, Plan, PlanInfo, open_plan
from .profile import GroupTime, NodeTime, Profile, Time
from .program import Program
from .target import Target
from .tensor import Live, Size, Tensor
from .weights import Bf16, Weights, open_weights, save_weights

from . import ops  # behind the rest: it is made of it

__version__ = _text(_lib.rp_version())

__all__ = [
    "Bf16", "Binding", "BufferInfo", "BusyError", "CancelledError", "DamagedError", "Data", "Device", "DeviceInfo",
    "DeviceLostError", "DeviceMemoryError", "Diagnostic", "DriverError", "Error", "Exec", "FileError", "Function",
    "Graph", "GroupTime", "Inspection", "InvalidError", "Kernel", "KernelInfo", "Live", "Memory", "NoDeviceError",
    "NoMemoryError", "NodeTime", "NotFoundError", "PassReport", "Pipeline", "Plan", "PlanInfo", "Profile",
    "Program", "Replay", "RepriseWarning", "Size", "StalledError", "Storage", "Target", "Tensor", "Time",
    "TimeoutError", "UnprovenError", "UnsupportedError", "UsageError", "VersionError", "Weights", "device",
    "devices", "dtype_names", "function", "library_path", "load", "open_plan", "open_weights", "ops", "parse",
    "save_weights",
]
