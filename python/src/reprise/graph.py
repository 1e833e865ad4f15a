"""Graphs as data: what a program or a pipeline means, and what compiling made of it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Union

from . import notebook
from ._arrays import Array
from ._handles import Handle, Owner, both
from ._library import cstring, ffi, lib, sized, text
from ._places import Places
from .errors import Diagnostics, InvalidError, Place, check
from .target import target_pointer

if TYPE_CHECKING:
    from .inspection import Inspection
    from .plan import Plan

Progress = Callable[[str, int, int], Any]
Observer = Callable[[int, Optional["PassReport"], "Graph"], Any]


class PassReport(NamedTuple):
    """What one pass did."""

    name: str
    changed: bool
    nodes_before: int
    nodes_after: int
    groups: int
    barriers: int
    bytes_before: int
    bytes_after: int
    seconds: float
    summary: str
    details: str


def report_of(r: Any) -> PassReport:
    return PassReport(getattr(r, "pass") and text(getattr(r, "pass")), bool(r.changed), int(r.nodes_before),
                      int(r.nodes_after), int(r.groups_after), int(r.barriers_after),
                      int(r.transient_bytes_before), int(r.transient_bytes_after), float(r.seconds),
                      text(r.summary), text(r.details))


class Graph(Owner):
    """A graph; it does not change. Its text is that of ``.rpir`` files (docs/ir-text.md)."""

    _places: Optional[Places] = None
    _file: Optional[str] = None
    _text: Optional[bytes] = None
    _smaller: "tuple[Graph, ...]" = ()
    weights: Mapping[str, Array]
    """What weight buffers begin with, where the graph came with arrays."""

    @classmethod
    def _of(cls, pointer: Any, *, places: Optional[Places] = None,
            weights: Optional[Dict[str, Array]] = None, file: Optional[str] = None) -> "Graph":
        self = cls.__new__(cls)
        self._own(Handle("the graph", pointer, lib.rp_graph_destroy, exclusive=True))
        self._places = places
        self._file = file
        self.weights = weights or {}
        return self

    def __init__(self, source: str, file: str = "graph"):
        """Parses the text of a graph."""
        data, out = cstring(source, "source"), ffi.new("rp_graph**")
        with Diagnostics() as diags:
            diags.check(lib.rp_graph_parse(ffi.NULL, data, len(data), cstring(file), diags.pointer, out))
        self._own(Handle("the graph", out[0], lib.rp_graph_destroy, exclusive=True))
        self._file = file
        self._text = data
        self.weights = {}

    # ---- Views -------------------------------------------------------------------------------

    def _print(self, form: int) -> str:
        out = ffi.new("char**")
        with self._handle as graph:
            check(lib.rp_graph_print(graph, form, out, ffi.NULL))
            try:
                return text(out[0])
            finally:
                lib.rp_text_release(graph, out[0])

    def text(self) -> str:
        """The graph as text, with statistics and the reason of each barrier in comments."""
        return self._print(lib.RP_FORMAT_TEXT)

    def json(self) -> Dict[str, Any]:
        """The graph as data (docs/json.md)."""
        return dict(json.loads(self._print(lib.RP_FORMAT_JSON)))

    def dot(self) -> str:
        """The graph for Graphviz."""
        return self._print(lib.RP_FORMAT_DOT)

    def svg(self) -> Optional[str]:
        """The graph as SVG; None where there is no Graphviz."""
        return notebook.svg(self.dot())

    def html(self, **options: Any) -> str:
        """The page of what compiling this does, and why: ``self.inspect(...).html()``."""
        return self.inspect(**options).html()

    def inspect(self, *, level: int = 1, passes: Optional[str] = None, target: Any = None,
                profile: Union[None, str, bytes, Mapping[str, Any]] = None) -> "Inspection":
        """Compiles it for the record: the passes with their reasons, and the graph that is left, of each form. One that is
        compiled already is shown as it is.

        ``level``, ``passes`` and ``target`` are those of :meth:`compile`; ``profile`` is what
        ``reprise profile --format json`` prints, of the last form.
        """
        from .inspection import Inspection
        found, options = Inspection._begin(self), sized("rp_pass_options")
        pipeline = ffi.new("char[]", cstring(passes, "passes")) if passes is not None else _level(level)
        struct, out = target_pointer(target), ffi.new("rp_graph**")
        options.pipeline, options.target = pipeline, struct
        options.lowering, options.observer = lib.rp_lowering_default(), lib.rp_inspection_observe
        for i, form in enumerate(self.forms):
            with form._handle as graph, found._handle as inspection, self._diagnostics() as diags:
                title = cstring(f"form {i + 1} of {len(self.forms)}") if self._smaller else ffi.NULL
                check(lib.rp_inspection_begin(inspection, title))
                if form.stats["stages"]:
                    check(lib.rp_inspection_add(inspection, ffi.NULL, graph))
                    continue
                options.observer_user = inspection
                diags.check(lib.rp_passes_run(graph, options, diags.pointer, out, ffi.NULL, ffi.NULL))
                lib.rp_graph_destroy(out[0])
        found._profile(profile)
        return found

    def diff(self, other: "Graph") -> str:
        """What changed to the other, by node and buffer; "" where they are the same."""
        out = ffi.new("char**")
        with both(self._handle, other._handle) as (a, b):
            check(lib.rp_graph_diff(a, b, out, ffi.NULL))
            try:
                return text(out[0])
            finally:
                lib.rp_text_release(a, out[0])

    @property
    def stats(self) -> Dict[str, int]:
        """Nodes, barriers and bytes (``rp_graph_stats``)."""
        struct = sized("rp_graph_stats")
        with self._handle as graph:
            check(lib.rp_graph_get_stats(graph, struct))
        return {name: int(getattr(struct, name)) for name in dir(struct) if name != "size"}

    def place(self, node: int) -> Optional[Place]:
        """File, line and column of the call, or of the text, that made node ``n<node>``."""
        line, column = ffi.new("uint32_t*"), ffi.new("uint32_t*")
        with self._handle as graph:
            if lib.rp_graph_node_place(graph, node, line, column) != lib.RP_OK:
                return None
        if self._places:
            return self._places.find(None, int(line[0]), int(column[0]))
        return (self._file, int(line[0]), int(column[0]))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Graph):
            return NotImplemented
        with both(self._handle, other._handle) as (a, b):
            return bool(lib.rp_graph_equal(a, b))

    def __hash__(self) -> int:
        with self._handle as graph:
            return int(lib.rp_graph_hash(graph))

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        if self.closed:
            return f"<reprise.{type(self).__name__} closed>"
        s = self.stats
        return f"<reprise.{type(self).__name__}: {s['nodes']} nodes, {s['dispatches']} dispatches>"

    def _repr_svg_(self) -> Optional[str]:
        return self.svg()

    def _repr_html_(self) -> str:
        return self.svg() or notebook.preformatted(self.text())

    # ---- Compiling ---------------------------------------------------------------------------

    def _diagnostics(self) -> Diagnostics:
        def place(file: Optional[str], line: int, column: int) -> Place:
            if self._places:
                return self._places.find(file, line, column)
            return (file or self._file, line, column)

        return Diagnostics(place, self.place)

    @property
    def forms(self) -> "List[Graph]":
        """The graphs of all forms of its plan, where live sizes have ranges; the last one is this."""
        return [*self._smaller, self]

    def compile(self, *, level: int = 1, passes: Optional[str] = None, target: Any = None,
                arena_limit: int = 0, progress: Optional[Progress] = None,
                observer: Optional[Observer] = None) -> "Plan":
        """Runs the passes and the checker, for each form of the graph, and gives the plan of all.

        ``level`` is 0, 1 or 2, ``passes`` a pipeline of passes in its place. ``target`` is a
        :class:`Target`, its name or a device. ``progress`` is told ``(what, done, total)``; ``observer``
        sees the graph after each pass, and stops the compiling by an exception.
        """
        from .plan import Plan
        pipeline = ffi.new("char[]", cstring(passes, "passes")) if passes is not None else _level(level)
        options = sized("rp_pass_options")
        target_struct = target_pointer(target)
        options.pipeline, options.arena_limit, options.target = pipeline, arena_limit, target_struct
        raised: List[BaseException] = []

        # References to the callbacks are held by these names until the call has returned.
        tell = _progress_callback(progress, raised)
        observe = _observer_callback(observer, raised)
        options.progress, options.observer = tell, observe
        forms = self.forms
        out, reports = ffi.new("rp_plan**"), ffi.new("rp_pass_reports*[]", len(forms))
        found: List[PassReport] = []
        try:
            with ExitStack() as used, self._diagnostics() as diags:
                graphs = ffi.new("rp_graph*[]", [used.enter_context(form._handle) for form in forms])
                status = lib.rp_compile_forms(graphs, len(forms), options, diags.pointer, out, reports)
                if raised:
                    lib.rp_plan_destroy(out[0])
                    raise raised[0]
                diags.check(status)
            for one in reports:
                found += [report_of(lib.rp_pass_reports_get(one, i)) for i in range(lib.rp_pass_reports_count(one))]
        finally:
            for one in reports:
                lib.rp_pass_reports_destroy(one)
        return Plan._of(out[0], reports=found, weights=dict(self.weights), node_place=self.place)


def _level(level: int) -> Any:
    pipeline = lib.rp_pass_level(level) if level in (0, 1, 2) else ffi.NULL
    if not pipeline:
        raise InvalidError(f"there is no level {level!r}: expected 0, 1 or 2")
    return pipeline


def _progress_callback(progress: Optional[Progress], raised: List[BaseException]) -> Any:
    if progress is None:
        return ffi.NULL
    told = progress

    def tell(user: Any, what: Any, done: int, total: int) -> None:
        if not raised:
            try:
                told(text(what), done, total)
            except BaseException as error:  # it must not go through C; raised again behind the call
                raised.append(error)

    return ffi.callback("rp_pass_progress", tell)


def _observer_callback(observer: Optional[Observer], raised: List[BaseException]) -> Any:
    if observer is None:
        return ffi.NULL
    told = observer

    def observe(user: Any, index: int, report: Any, graph: Any) -> int:
        try:
            told(index, report_of(report) if report else None, Graph._of(_clone(graph)))
        except BaseException as error:
            raised.append(error)
            return int(lib.RP_ERROR_CANCELLED)
        return int(lib.RP_OK)

    return ffi.callback("rp_pass_observer", observe)


# ---- Pipelines in YAML ---------------------------------------------------------------------------


class Data(NamedTuple):
    """A file that a pipeline names for a buffer."""

    buffer: str
    path: str
    tensor: Optional[str]


class Pipeline(Graph):
    """The graph of a pipeline in YAML (docs/yaml.md); made by :func:`load` and :func:`parse`."""

    data: List[Data]
    """Files with what buffers begin with: :meth:`Plan.open` reads them."""
    files: List[str]
    """What it was made from beside its own file."""
    flat: Optional[str]
    """The pipeline without parameters, repetitions and blocks, where it was asked for."""


def load(path: Any, *, target: Any = None, include: "list[str] | tuple[str, ...]" = (), flat: bool = False,
         progress: Optional[Progress] = None, params: Optional[Mapping[str, Any]] = None,
         **values: Any) -> Pipeline:
    """Reads a pipeline from a YAML file. Parameters are given by keyword, ``load("x.yaml", n=5)``, or by
    ``params``: integers, floats, or texts of expressions."""
    return _read(cstring(path, "path"), None, target, include, flat, progress, {**(params or {}), **values})


def parse(source: str, *, path: Any = "pipeline.yaml", target: Any = None,
          include: "list[str] | tuple[str, ...]" = (), flat: bool = False,
          progress: Optional[Progress] = None, params: Optional[Mapping[str, Any]] = None,
          **values: Any) -> Pipeline:
    """The same from text. ``path`` names it in messages, and its folder is where files are looked for."""
    return _read(cstring(path, "path"), cstring(source, "source"), target, include, flat, progress,
                 {**(params or {}), **values})


def _read(path: bytes, source: Optional[bytes], target: Any, include: Any, flat: bool,
          progress: Optional[Progress], values: Mapping[str, Any]) -> Pipeline:
    params = sized("rp_pipeline_source")
    keep: List[Any] = [ffi.new("char[]", path)]
    params.path = keep[0]
    if source is not None:
        keep.append(ffi.new("char[]", source))
        params.text, params.text_size = keep[-1], len(source)
    overrides = ffi.new("rp_param_value[]", max(1, len(values)))
    for i, (name, value) in enumerate(values.items()):
        keep.append(ffi.new("char[]", cstring(name, "a parameter")))
        overrides[i].name = keep[-1]
        whole = isinstance(value, int) or (hasattr(value, "__index__") and not isinstance(value, str))
        if whole and -(2**63) <= int(value) < 2**63:
            overrides[i].value = int(value)
            continue
        if not isinstance(value, (str, float, int)):
            raise TypeError(f"parameter '{name}' is {type(value).__name__}: expected a number or a text")
        keep.append(ffi.new("char[]", cstring(value if isinstance(value, str) else repr(value))))
        overrides[i].text = keep[-1]
    params.params, params.param_count = overrides, len(values)
    struct = target_pointer(target)
    params.target, params.keep_flat = struct, flat
    folders = [ffi.new("char[]", cstring(folder, "include")) for folder in include]
    array = ffi.new("char*[]", folders or 1)
    params.include_folders, params.include_folder_count = array, len(folders)
    raised: List[BaseException] = []
    tell = _progress_callback(progress, raised)
    params.progress = tell
    out = ffi.new("rp_pipeline**")
    with Diagnostics() as diags:
        status = lib.rp_pipeline_read(ffi.NULL, params, diags.pointer, out)
        if raised:
            lib.rp_pipeline_destroy(out[0])
            raise raised[0]
        diags.check(status, stacklevel=5)
    try:
        file, forms = path.decode("utf-8", "replace"), lib.rp_pipeline_form_count(out[0])
        self = Pipeline._of(_clone(lib.rp_pipeline_graph(out[0])), file=file)
        assert isinstance(self, Pipeline)
        self._smaller = tuple(Graph._of(_clone(lib.rp_pipeline_form(out[0], i)), file=file) for i in range(forms - 1))
        self.data = list(_data(out[0]))
        self._text = source if source is not None else _content(file)
        self.files = [text(lib.rp_pipeline_get_file(out[0], i))
                      for i in range(lib.rp_pipeline_file_count(out[0]))]
        self.flat = text(lib.rp_pipeline_flat_text(out[0])) if flat else None
        self.weights = _arrays_of(self.data)
        return self
    finally:
        lib.rp_pipeline_destroy(out[0])


def _content(file: str) -> Optional[bytes]:
    """What a pipeline was read from, to show its lines."""
    try:
        return Path(file).read_bytes()
    except OSError:
        return None


def _clone(graph: Any) -> Any:
    out = ffi.new("rp_graph**")
    check(lib.rp_graph_clone(graph, out))
    return out[0]


def _data(pipeline: Any) -> "Iterator[Data]":
    for i in range(lib.rp_pipeline_data_count(pipeline)):
        d = lib.rp_pipeline_get_data(pipeline, i)
        yield Data(text(d.buffer), text(d.path), text(d.tensor) if d.tensor else None)


def _arrays_of(data: List[Data]) -> Mapping[str, Any]:
    from .weights import FileArray
    return {d.buffer: FileArray(d.path, d.tensor or d.buffer) for d in data}
