"""Inspections: what compiling did and why, as one page and as data."""

from __future__ import annotations

import html
import json
import linecache
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Union

from ._handles import Handle, Owner
from ._library import cstring, ffi, lib, sized, text
from .errors import Diagnostics, check

if TYPE_CHECKING:
    from .graph import Graph


class Inspection(Owner):
    """Everything that is known of a compilation (docs/inspection.md); made by :meth:`Graph.inspect` and
    :meth:`Plan.inspect`. A notebook shows its page."""

    @classmethod
    def _begin(cls, graph: "Optional[Graph]" = None) -> "Inspection":
        """An empty one, which knows where the graph's nodes were written."""
        self, params, out = cls.__new__(cls), sized("rp_inspection_params"), ffi.new("rp_inspection**")
        keep: List[Any] = []
        lines = _lines_of(graph) if graph is not None else None
        if graph is not None and graph._file is not None and graph._places is None:
            keep.append(ffi.new("char[]", cstring(graph._file)))
            params.file = keep[-1]
        if lines is not None:
            keep.append(ffi.new("char[]", lines))
            params.text, params.text_size = keep[-1], len(lines)
        with Diagnostics() as diags:
            diags.check(lib.rp_inspection_create(ffi.NULL, params, diags.pointer, out))
        self._own(Handle("the inspection", out[0], lib.rp_inspection_destroy, exclusive=True))
        return self

    def _profile(self, profile: Union[None, str, bytes, Mapping[str, Any]]) -> None:
        """Times, as `reprise profile --format json` prints them, of the form that was told of last."""
        if profile is None:
            return
        data = profile if isinstance(profile, (str, bytes)) else json.dumps(profile)
        data = data.encode() if isinstance(data, str) else data
        with self._handle as inspection:
            check(lib.rp_inspection_profile(inspection, ffi.from_buffer(data), len(data)), "a profile")

    def _print(self, form: int) -> str:
        out = ffi.new("char**")
        with Diagnostics() as diags, self._handle as inspection:
            diags.check(lib.rp_inspection_print(inspection, form, diags.pointer, out, ffi.NULL))
            try:
                return text(out[0])
            finally:
                lib.rp_inspection_release(inspection, out[0])

    def html(self) -> str:
        """The page: one document of HTML that loads nothing."""
        return self._print(lib.RP_INSPECTION_PAGE)

    def json(self) -> Dict[str, Any]:
        """All of it as data (docs/json.md)."""
        return dict(json.loads(self._print(lib.RP_INSPECTION_JSON)))

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes the page, or its data where the path ends with ``.json``."""
        as_data = os.fspath(path).endswith(".json")
        Path(path).write_text(self._print(lib.RP_INSPECTION_JSON) if as_data else self.html(), encoding="utf-8")

    def __repr__(self) -> str:
        return f"<reprise.{type(self).__name__}{' closed' if self.closed else ''}>"

    def _repr_html_(self) -> str:
        """In a frame of its own: its scripts see nothing of the notebook."""
        return (f'<iframe sandbox="allow-scripts allow-downloads" style="width:100%;height:720px;border:1px solid #8888" '
                f'title="Reprise inspection" srcdoc="{html.escape(self.html())}"></iframe>')


def _lines_of(graph: "Graph") -> Optional[bytes]:
    """The text whose lines the graph's places are. Of a program the library has a number for each place: line n of
    this text says which line of which file that is."""
    if graph._places is None:
        return graph._text
    lines = [f"{os.path.basename(file or '')}:{line}: {linecache.getline(file or '', line).strip()}"
             for file, line, _ in graph._places.all()]
    return "\n".join(lines).replace("\0", " ").encode("utf-8", "replace")
