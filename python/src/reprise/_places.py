"""Where in the user's own source a call comes from."""

from __future__ import annotations

import contextlib
import sys
from itertools import islice
from pathlib import Path
from typing import Dict, List, Optional

from .errors import Place

# Frames of these are not the user's.
_OWN = (str(Path(__file__).resolve().parent), contextlib.__file__)


def caller() -> Place:
    """File, line and column of the innermost call from outside of the package."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith(_OWN):
        frame = frame.f_back
    column = 0
    positions = getattr(frame.f_code, "co_positions", None)  # Python 3.11
    if positions and frame.f_lasti >= 0:
        position = next(islice(positions(), frame.f_lasti // 2, None), None)
        if position and position[2] is not None:
            column = position[2] + 1
    return (frame.f_code.co_filename, frame.f_lineno, column)


class Places:
    """The places of a program's calls, by numbers: the library keeps a number for each node, as its line."""

    def __init__(self) -> None:
        self._places: List[Place] = []
        self._numbers: Dict[Place, int] = {}

    def number(self, place: Place) -> int:
        found = self._numbers.get(place)
        if found is None:
            self._places.append(place)
            found = self._numbers[place] = len(self._places)
        return found

    def all(self) -> List[Place]:
        """In the order of their numbers, from 1 on."""
        return list(self._places)

    def find(self, file: Optional[str], line: int, column: int) -> Place:
        """The place of a number; what is none stays as it is."""
        if file is None and 0 < line <= len(self._places):
            return self._places[line - 1]
        return (file, line, column)
