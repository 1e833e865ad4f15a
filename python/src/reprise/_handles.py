"""Who owns what the library made, and when it is destroyed.

A handle is one object of the library's. It keeps those that it was made of (an exec its device), so an
object goes only when nothing stands on it, whatever order Python lets go of things. Three ways lead to the
end of a handle:

* its Python object dies: the handle is released, and destroyed when no other stands on it;
* ``close()``: at once, and what stands on it first. What the user still sees in memory (arrays on mapped
  storage) is pinned: it goes with the last array, and its device after it;
* the interpreter ends: by ``weakref.finalize``, the youngest first.

A thread that is in a call holds the handle (``with handle as pointer``): ``close()`` in another one waits
for it. A fork leaves the child with objects whose threads and device are the parent's: they are refused
there, and never destroyed.
"""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import contextmanager
from typing import Any, Callable, Iterator, List, Optional, Tuple, TypeVar

from .errors import UsageError

# Guards the counts below, of all handles: it is held for a few lines, never during a call into the library.
# Reentrant, since Python may collect garbage, and so release a handle, anywhere.
_lock = threading.RLock()
_idle = threading.Condition(_lock)
_generation = 0


def _forked() -> None:
    global _generation, _lock, _idle
    _generation += 1
    _lock = threading.RLock()  # another thread may have held it when the process forked
    _idle = threading.Condition(_lock)


os.register_at_fork(after_in_child=_forked)


class Handle:
    """One object of the library's."""

    def __init__(self, what: str, pointer: Any, destroy: Callable[[Any], Any],
                 parents: "Optional[List[Handle]]" = None, *, exclusive: bool = False, pinned: bool = False):
        self.what = what
        self._pointer = pointer
        self._destroy = destroy
        self._parents: "List[Handle]" = list(parents or [])
        self._children: "List[Handle]" = []
        self._users: List[int] = []
        self._pinned = pinned
        self._closed = False
        self._released = False
        self._generation = _generation
        # For objects that one thread uses at a time.
        self._exclusive = threading.RLock() if exclusive else None
        self.keep: List[Any] = []
        """What the library still looks at: arrays of transfers in flight."""
        with _lock:
            for parent in self._parents:
                if parent._closed:
                    break
                parent._children.append(self)
            else:
                return
        for parent in self._parents:
            if self in parent._children:
                parent._children.remove(self)
        destroy(pointer)
        raise UsageError(f"{parent.what} is closed")

    # ---- Use ---------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether it can be used no more, here: closed, or the parent's of a process that was forked."""
        return self._closed or self._generation != _generation

    def __enter__(self) -> Any:
        if self._exclusive:
            self._exclusive.acquire()
        with _lock:
            if self._generation == _generation and not self._closed:
                self._users.append(threading.get_ident())
                return self._pointer
        if self._exclusive:
            self._exclusive.release()
        if self._generation != _generation:
            raise UsageError(f"{self.what} was made before this process was forked")
        raise UsageError(f"{self.what} is closed")

    def __exit__(self, *unused: Any) -> None:
        with _lock:
            self._users.remove(threading.get_ident())
            if not self._users:
                _idle.notify_all()
        if self._exclusive:
            self._exclusive.release()

    # ---- The end -----------------------------------------------------------------------------

    def close(self) -> None:
        """Ends the handle, and before it what stands on it."""
        if self._generation != _generation:
            return
        with _lock:
            if threading.get_ident() in self._users:
                raise UsageError(f"{self.what} is in use by the call that this comes from")
            children = [child for child in reversed(self._children) if not child._pinned]
            already, self._closed = self._closed, True
        if not already:
            for child in children:
                child.close()
            with _lock:
                while self._users:
                    _idle.wait()
        self.release()

    def release(self) -> None:
        """Nobody sees the handle any more: it goes when nothing stands on it."""
        if self._generation != _generation:
            return
        with _lock:
            self._released = self._closed = True
            if self._children or self._users or self._pointer is None:
                return
            pointer, self._pointer = self._pointer, None
            parents, self._parents = self._parents, []
        self._destroy(pointer)
        self.keep.clear()
        with _lock:
            for parent in parents:
                parent._children.remove(self)
            orphans = [parent for parent in parents if parent._released and not parent._children]
        for parent in orphans:
            parent.release()


@contextmanager
def both(a: Handle, b: Handle) -> "Iterator[Tuple[Any, Any]]":
    """Two handles at once, in one order whichever is asked for first: two threads may compare the same two."""
    first, second = sorted((a, b), key=id)
    with first as x, second as y:
        yield (x, y) if first is a else (y, x)


Self = TypeVar("Self", bound="Owner")


class Owner:
    """A Python object that stands for a handle; it is closed by ``with`` and by ``close()``."""

    _handle: Handle

    def _own(self, handle: Handle) -> None:
        self._handle = handle
        weakref.finalize(self, handle.release)

    @property
    def closed(self) -> bool:
        """Whether it was closed, or something that it stands on."""
        return self._handle.closed

    def close(self) -> None:
        """Lets go of it now, and of what stands on it; using it afterwards is a UsageError."""
        self._handle.close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *unused: Any) -> None:
        self.close()

    def __copy__(self) -> Any:
        raise TypeError(f"{type(self).__name__} objects cannot be copied")

    def __deepcopy__(self, memo: Any) -> Any:
        raise TypeError(f"{type(self).__name__} objects cannot be copied")
