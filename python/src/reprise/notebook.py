"""What notebooks show: graphs as pictures where Graphviz is installed, tables, and text where not."""

from __future__ import annotations

import html
import shutil
import subprocess
from typing import Iterable, Optional, Sequence


def svg(dot: str, timeout: float = 20) -> Optional[str]:
    """A DOT text as SVG; None without Graphviz, and where that takes too long."""
    program = shutil.which("dot")
    if not program:
        return None
    try:
        result = subprocess.run([program, "-Tsvg"], input=dot, capture_output=True, text=True, timeout=timeout,
                                check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    start = result.stdout.find("<svg")
    return result.stdout[start:] if result.returncode == 0 and start >= 0 else None


def preformatted(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre>"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An HTML table; everything in it is text."""
    def line(tag: str, cells: Sequence[object]) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    return "<table>" + line("th", head) + "".join(line("td", row) for row in rows) + "</table>"


def columns(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The same as plain text."""
    lines = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                     for line in lines)
