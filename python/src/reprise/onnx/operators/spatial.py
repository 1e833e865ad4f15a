"""Operators on grids: convolutions, pools, resizing."""

from __future__ import annotations

from typing import Any, Dict, List

from ..dims import Refused
from ..recorder import Given
from .table import Call, Result, operator

_AUTO_PAD = {"NOTSET": None, "SAME_UPPER": "same_upper", "SAME_LOWER": "same_lower", "VALID": "valid"}


def windows(call: Call, dims: int) -> Dict[str, Any]:
    """What convolutions and pools share."""
    call.refuse("auto_pad", *_AUTO_PAD)
    auto_pad = _AUTO_PAD[call.attribute("auto_pad", "NOTSET")]
    found = {"strides": call.attribute("strides"), "dilations": call.attribute("dilations"), "auto_pad": auto_pad,
             "pads": call.attribute("pads") if auto_pad is None else None}
    for name, value in found.items():
        if name != "auto_pad" and value is not None and len(value) != dims * (1 + (name == "pads")):
            raise Refused(f"{name} {value} of {dims} dimensions")
    plain = {"strides": [1] * dims, "dilations": [1] * dims, "pads": [0] * 2 * dims}
    return {name: value for name, value in found.items() if value is not None and value != plain.get(name)}


def grid(call: Call) -> int:
    """Dimensions beside N and C."""
    dims = len(call.shape(0)) - 2
    if not 1 <= dims <= 3:
        raise Refused(f"is of {list(call.shape(0))}: expected [N, C] and one to three dimensions")
    return dims


@operator("Conv", "ConvTranspose")
def convolution(call: Call) -> Result:
    dims = grid(call)
    attributes = windows(call, dims)
    if call.attribute("group", 1) != 1:
        attributes["groups"] = call.attribute("group")
    transposed = call.step.op == "ConvTranspose"
    if transposed:
        for name in ("output_padding", "output_shape"):
            value = call.attribute(name)
            if value and any(value):
                attributes[name] = value[-dims:]
        if "output_shape" in attributes:
            attributes.pop("pads", None)
    inputs: Dict[str, Given] = {"x": call.value(0), "weight": call[1]}
    if call.maybe(2) is not None:
        inputs["bias"] = call[2]
    return call.r.op(f"conv_transpose{dims}d" if transposed else f"conv{dims}d", inputs, attributes)


@operator("MaxPool", "AveragePool")
def pool(call: Call) -> Result:
    dims = grid(call)
    attributes = windows(call, dims)
    attributes["kernel"] = call.attribute("kernel_shape")
    if call.attribute("ceil_mode", 0):
        attributes["ceil_mode"] = 1
    if call.step.op == "AveragePool":
        if call.attribute("count_include_pad", 0):
            attributes["count_include_pad"] = 1
        return call.r.op(f"avg_pool{dims}d", {"x": call.value(0)}, attributes)
    call.refuse("storage_order", 0)
    if not call.wants(1):
        return call.r.op(f"max_pool{dims}d", {"x": call.value(0)}, attributes)
    out, indices = call.r.apply(f"max_pool{dims}d", {"x": call.value(0)}, attributes, outputs=("out", "indices"))
    return [out, call.r.cast(indices, "i32")]


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(call: Call) -> Result:
    grid(call)
    op = "global_average_pool" if call.step.op == "GlobalAveragePool" else "global_max_pool"
    return call.r.op(op, {"x": call.value(0)})


@operator("Resize")
def resize(call: Call) -> Result:
    x = call.value(0)
    scales, sizes = call.constant(2, "the scales"), call.integers(3, "the sizes")
    axes = call.attribute("axes")
    where = list(range(x.ndim)) if not axes else [call.axis(a, x.ndim) for a in axes]
    call.refuse("mode", "nearest", "linear", "cubic")
    call.refuse("coordinate_transformation_mode", "half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel",
                "half_pixel_symmetric")
    call.refuse("keep_aspect_ratio_policy", "stretch")
    mode = call.attribute("mode", "nearest")
    attributes: Dict[str, Any] = {"mode": mode,
                                  "coordinates": call.attribute("coordinate_transformation_mode", "half_pixel")}
    if mode == "nearest":
        attributes["rounding"] = call.attribute("nearest_mode", "round_prefer_floor")
    if mode == "cubic":
        attributes["cubic_coeff_a"] = call.attribute("cubic_coeff_a", -0.75)
    for name in ("exclude_outside", "antialias"):
        if call.attribute(name, 0):
            attributes[name] = 1
    numbers: List[Any]
    if sizes:
        numbers = sizes
    elif scales is not None and scales.size:
        numbers = [float(s) for s in scales.reshape(-1)]
    else:
        raise Refused("has neither scales nor sizes")
    if len(numbers) != len(where):
        raise Refused(f"{len(numbers)} {'sizes' if sizes else 'scales'} for {len(where)} axes")
    # Axes that stay as they are need not be named.
    changed = [(a, n) for a, n in zip(where, numbers) if n != (x.shape[a] if sizes else 1.0)]
    if not changed:
        return x
    attributes["axes"] = [a for a, _ in changed]
    attributes["sizes" if sizes else "scales"] = [n for _, n in changed]
    return call.r.op("resize", {"x": x}, attributes)
