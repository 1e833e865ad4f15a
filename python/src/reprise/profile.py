"""Profiles: where the GPU's time goes in the replays of an exec."""

from __future__ import annotations

from typing import TYPE_CHECKING, List, NamedTuple, Optional, Sequence, Tuple

from . import notebook
from ._library import ffi, lib, sized, text
from .errors import Diagnostics, check

if TYPE_CHECKING:
    from .execs import Exec


class Time(NamedTuple):
    """Of all rounds, in nanoseconds."""

    median: float
    least: float


class GroupTime(NamedTuple):
    """A group: from the end of the barrier before it to the end of the one behind."""

    first_node: int
    node_count: int
    time: Time
    barrier: Optional[Time]
    """Of that the barrier behind it, from the end of the last of the work; None where none stands."""


class NodeTime(NamedTuple):
    """A node alone."""

    id: int
    kind: str
    group: int
    kernel: Optional[str]
    label: Optional[str]
    grid: Tuple[int, int, int]
    time: Time


class Profile:
    """Measured times; it outlives its exec. Made by :meth:`Exec.profile`."""

    def __init__(self, exec: "Exec", *, rounds: int, warm_up: int, slot: int):
        params, out = sized("rp_profile_params"), ffi.new("rp_profile**")
        params.rounds, params.warm_up, params.slot = rounds, warm_up, slot
        with Diagnostics(None, exec.plan._node_place) as diags, exec._handle as pointer:
            diags.check(lib.rp_exec_profile(pointer, params, diags.pointer, out))
        try:
            self._read(out[0])
        finally:
            lib.rp_profile_destroy(out[0])

    def _read(self, profile: object) -> None:
        info, group, node = sized("rp_profile_info"), sized("rp_profile_group"), sized("rp_profile_node")
        check(lib.rp_profile_get_info(profile, info))
        self.rounds = int(info.rounds)
        self.whole = Time(info.whole.median, info.whole.least)
        """A replay as it is submitted."""
        self.groups: List[GroupTime] = []
        self.nodes: List[NodeTime] = []
        for i in range(info.groups):
            check(lib.rp_profile_get_group(profile, i, group))
            self.groups.append(GroupTime(int(group.first_node), int(group.node_count),
                                         Time(group.time.median, group.time.least),
                                         Time(group.barrier.median, group.barrier.least) if group.barrier_stands else None))
        for i in range(info.nodes):
            check(lib.rp_profile_get_node(profile, i, node))
            self.nodes.append(NodeTime(
                int(node.id), text(lib.rp_node_kind_name(node.kind)), int(node.group),
                text(node.kernel) or None, text(node.label) or None, (node.grid[0], node.grid[1], node.grid[2]),
                Time(node.time.median, node.time.least)))

    def _rows(self) -> List[Sequence[object]]:
        return [(f"n{n.id}", n.kernel or n.kind, n.label or "", n.group, f"{n.time.median / 1e3:.2f}",
                 f"{n.time.least / 1e3:.2f}") for n in self.nodes]

    def __str__(self) -> str:
        head = f"{self.whole.median / 1e3:.2f} us a replay (least {self.whole.least / 1e3:.2f}), {self.rounds} rounds"
        return head + "\n\n" + notebook.columns(_HEAD, self._rows())

    def _repr_html_(self) -> str:
        return notebook.preformatted(str(self).split("\n")[0]) + notebook.table(_HEAD, self._rows())


_HEAD = ("node", "kernel", "label", "group", "median us", "least us")
