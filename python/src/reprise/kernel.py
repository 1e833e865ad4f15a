"""Kernels of your own: GLSL or SPIR-V, bound by the names of the shader."""

from __future__ import annotations

import operator
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple, Union, cast

import numpy as np

from . import _arrays
from ._library import cstring, ffi, lib, sized, text
from ._places import caller
from .errors import Diagnostics, Error, InvalidError, NotFoundError
from .tensor import Size, Tensor

if TYPE_CHECKING:
    from .program import Program

_PUSH = 0xFFFFFFFF
Grid = Union[int, str, Size, Sequence[Union[int, str, Size]]]


class Binding(NamedTuple):
    """What a shader binds."""

    name: str
    set: int
    binding: int
    access: str
    """``r``, ``w``, ``rw``, ``u`` or ``s``."""
    resource: str
    elements: int


def _word(value: Union[int, float, bool]) -> int:
    """The 32 bits of a constant."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return int(struct.unpack("<I", struct.pack("<f", value))[0])
    if not -(2**31) <= value < 2**32:
        raise InvalidError(f"a constant of {value} has more than 32 bits")
    return int(value) & 0xFFFFFFFF


class Kernel:
    """A kernel of a program; calling it records a dispatch.

    ::

        scale = p.kernel("scale", glsl)
        scale(x=x, y=y, threads=x.size, push={"count": x.size, "factor": 0.5})

    Keywords are the names of the shader's bindings (:attr:`bindings`); ``bind`` is a mapping for names that
    are no keywords. ``grid`` counts workgroups, ``threads`` invocations: one to three numbers, or texts that
    are expressions over live values. ``push`` gives each member of the push-constant block by its name, or is
    bytes; a live value may stand for a member of its size. ``access`` says otherwise than the shader what
    it does to a binding.
    """

    def __init__(self, program: "Program", name: str, glsl: Optional[str] = None, *,
                 spirv: Optional[bytes] = None, file: Optional[str] = None,
                 defines: Optional[Mapping[str, Any]] = None,
                 spec: Optional[Mapping[int, Union[int, float, bool]]] = None,
                 include: Sequence[str] = (), entry: Optional[str] = None):
        if sum(source is not None for source in (glsl, spirv, file)) - (glsl is not None and file is not None) != 1:
            raise InvalidError("a kernel is GLSL, a file with GLSL, or SPIR-V: expected one of the three")
        if glsl is None and file is not None:
            glsl = Path(file).read_text()
        params = sized("rp_kernel_params")
        keep: List[Any] = []

        def pointer(value: Any, what: str) -> Any:
            keep.append(ffi.new("char[]", cstring(value, what)))
            return keep[-1]

        params.name = pointer(name, "name")
        if glsl is not None:
            params.glsl = pointer(glsl, "glsl")
            place = caller()
            params.glsl_file = pointer(file or f"{place[0]}:{place[1]}:{name}.comp", "file")
        else:
            words = bytes(spirv or b"")
            keep.append(ffi.new("uint32_t[]", max(1, len(words) // 4)))
            ffi.memmove(keep[-1], words, len(words) // 4 * 4)
            params.spirv, params.spirv_size = keep[-1], len(words)
        if entry is not None:
            params.entry = pointer(entry, "entry")
        texts = [pointer(d if v is None else f"{d}={int(v) if isinstance(v, bool) else v}", "a define")
                 for d, v in (defines or {}).items() if v is not False]
        keep.append(ffi.new("char*[]", texts or 1))
        params.defines, params.define_count = keep[-1], len(texts)
        folders = [pointer(folder, "include") for folder in include]
        keep.append(ffi.new("char*[]", folders or 1))
        params.include_folders, params.include_folder_count = keep[-1], len(folders)
        constants = ffi.new("rp_spec_constant[]", max(1, len(spec or {})))
        for i, (number, value) in enumerate((spec or {}).items()):
            constants[i].id, constants[i].value = number, _word(value)
        params.spec, params.spec_count = constants, len(spec or {})
        out = ffi.new("rp_kernel*")
        self.program = program
        self.name = name
        with Diagnostics() as diags, program._handle as handle:
            diags.check(lib.rp_program_kernel(handle, params, diags.pointer, out))
        self._id = int(out.id)
        self._reflect()

    def _reflect(self) -> None:
        info, binding = sized("rp_kernel_interface"), sized("rp_binding_info")
        self.bindings: Dict[str, Binding] = {}
        """By name; by ``"set.binding"`` where a shader gives none."""
        with Diagnostics() as diags, self.program._handle as handle:
            diags.check(lib.rp_program_get_kernel(handle, (self._id,), diags.pointer, info))
            for i in range(info.binding_count):
                diags.check(lib.rp_program_get_binding(handle, (self._id,), i, diags.pointer, binding))
                name = text(binding.name) or f"{binding.set}.{binding.binding}"
                self.bindings[name] = Binding(name, binding.set, binding.binding,
                                              text(lib.rp_access_name(binding.access)),
                                              text(lib.rp_resource_name(binding.resource)), binding.elements)
        self.local_size = (int(info.local_size[0]), int(info.local_size[1]), int(info.local_size[2]))
        self.push_bytes = int(info.push_bytes)

    # ---- Dispatching -------------------------------------------------------------------------

    def __call__(self, *, grid: Optional[Grid] = None, threads: Optional[Grid] = None,
                 push: Union[Mapping[str, Any], bytes, None] = None,
                 access: Optional[Mapping[str, str]] = None, bind: Optional[Mapping[str, Any]] = None,
                 **bindings: Any) -> None:
        given = {**(bind or {}), **bindings}
        place = caller()
        counts = self._grid(grid, threads)
        try:
            bound = [(self._binding(name), self.program._tensor(value)) for name, value in given.items()]
            promised = [(self._binding(name), _access(name, word)) for name, word in (access or {}).items()]
            pushed = self._push(push)

            def record(recorder: Any) -> None:
                lib.rp_bind_kernel(recorder, (self._id,))
                for b, tensor in bound:
                    lib.rp_bind_in_set(recorder, b.set, b.binding, _range(tensor))
                for b, code in promised:
                    lib.rp_bind_access(recorder, b.set, b.binding, code)
                for offset, data in pushed:
                    if isinstance(data, bytes):
                        lib.rp_push(recorder, offset, data, len(data))
                    else:
                        lib.rp_push_live(recorder, offset, _range(data))
                if all(isinstance(n, int) for n in counts):
                    lib.rp_dispatch(recorder, *counts)
                else:
                    lib.rp_dispatch_live(recorder, *(cstring(str(n)) for n in counts))

            self.program._try(record)
            with self.program._call() as recorder:
                record(recorder)
        except Error as error:
            raise self.program._at(error, place) from None

    def _binding(self, name: str) -> Binding:
        if name not in self.bindings:
            raise NotFoundError(f"kernel '{self.name}' has no binding '{name}': it has "
                                f"{', '.join(self.bindings) or 'none'}")
        return self.bindings[name]

    def _grid(self, grid: Optional[Grid], threads: Optional[Grid]) -> List[Union[int, str]]:
        given = grid if grid is not None else threads
        if given is None or (grid is not None and threads is not None):
            raise InvalidError(f"kernel '{self.name}' needs one of grid and threads")
        axes = list(given) if isinstance(given, (tuple, list)) else [given]
        if not 1 <= len(axes) <= 3:
            raise InvalidError("a grid has one to three numbers")
        out: List[Union[int, str]] = []
        for axis, n in enumerate(axes):
            local = self.local_size[axis] if grid is None else 1
            if isinstance(n, Size):
                n = n.expression
            elif isinstance(n, Tensor):
                n = n.name
            if isinstance(n, str):
                out.append(f"ceil_div({n}, {local})" if local > 1 else n)
                continue
            count = -(-operator.index(cast(int, n)) // local)
            if not 0 < count < 1 << 32:
                raise InvalidError(f"a grid of {n}: expected 1 or more workgroups, counted with 32 bits")
            out.append(count)
        return out + [1] * (3 - len(out))

    def _push(self, push: Union[Mapping[str, Any], bytes, None]) -> List[Tuple[int, Any]]:
        """What goes where in the push-constant block."""
        if push is None:
            return []
        if isinstance(push, (bytes, bytearray)):
            return [(0, bytes(push))]
        out: List[Tuple[int, Any]] = []
        block = ffi.new("char[256]")  # the most that there is
        words: Set[int] = set()  # that constants are in; several may share one
        for path, value in push.items():
            member = sized("rp_block_member")
            with Diagnostics() as diags, self.program._handle as handle:
                diags.check(lib.rp_program_member(handle, (self._id,), _PUSH, 0, cstring(path, "a member"),
                                                  diags.pointer, member))
                if isinstance(value, Tensor):
                    out.append((int(member.offset), value))
                    continue
                numbers = _numbers(path, value, member)
                diags.check(lib.rp_program_pack(handle, (self._id,), _PUSH, 0, cstring(path),
                                                ffi.from_buffer(numbers), numbers.nbytes, block, 256,
                                                diags.pointer))
            words.update(range(member.offset // 4, -(-(member.offset + member.bytes) // 4)))
        data = ffi.buffer(block, 256)[:]
        return [(4 * word, data[4 * word:4 * word + 4]) for word in sorted(words)] + out

    def __repr__(self) -> str:
        return f"<reprise.Kernel {self.name!r} ({', '.join(self.bindings)})>"


def _access(name: str, word: str) -> int:
    codes = {text(lib.rp_access_name(i)): i for i in range(5)}
    if word not in codes:
        raise InvalidError(f"access {word!r} of '{name}': expected one of {', '.join(codes)}")
    return codes[word]


def _numbers(path: str, value: Any, member: Any) -> Any:
    """The numbers of a member, back to back."""
    if member.dtype == lib.RP_RAW:
        raise InvalidError(f"'{path}' holds no numbers of one type: give its members, or bytes")
    array = _arrays.plain(value)
    numbers = np.ascontiguousarray(_arrays._numbers(array, int(member.dtype))).reshape(-1)
    if numbers.nbytes != member.number_bytes:
        raise InvalidError(f"'{path}' has {member.number_bytes} bytes of {_arrays.dtype_name(member.dtype)}, "
                           f"got {numbers.nbytes}")
    return numbers


def _range(tensor: Tensor) -> Any:
    size = 0 if tensor._whole else tensor.nbytes
    return ((tensor._buffer,), tensor._offset, size)
