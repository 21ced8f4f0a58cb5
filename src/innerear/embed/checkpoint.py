"""Tensors out of a torch checkpoint, without torch and without running anything that is in it.

A checkpoint is a zip with a pickle, which says how tensors lie in the other files. Pickle is a
small language whose programs may call anything; here its instructions are read one by one by
`pickletools`, which runs none, and only those are followed that build dicts, tuples and tensors.
Names are words here, never imported. Any other instruction or name is refused.
"""

from __future__ import annotations

import pickletools
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.errors import WeightsUnavailable

MOST_PICKLE_BYTES = 4 << 20
STORAGES = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8", "IntStorage": "<i4",
    "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}  # fmt: skip


@dataclass(frozen=True)
class _Name:
    """A global name that a pickle speaks of."""

    path: str


class _Refused(ValueError):
    """An instruction, a name or a value that no checkpoint of tensors needs."""


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """The tensors of a checkpoint by name: of the dict that it holds, or of the first dict in a tuple.

    Raises:
        WeightsUnavailable: it is not a zip as `torch.save` writes it, or holds more than tensors and numbers.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            stored = _stored(archive)
    except (
        OSError,
        EOFError,
        RuntimeError,
        struct.error,
        zipfile.BadZipFile,
        ValueError,
        LookupError,
        TypeError,
    ) as error:
        line = str(error).strip().splitlines()[:1]
        raise WeightsUnavailable(
            f"{path} is not a supported checkpoint: {''.join(line)[:200] or type(error).__name__}"
        ) from error
    tensors = next((one for one in stored if isinstance(one, dict)), {}) if isinstance(stored, tuple) else stored
    if not isinstance(tensors, dict):
        raise WeightsUnavailable(f"{path} is not a supported checkpoint: it has no dict of tensors")
    return {str(name): tensor for name, tensor in tensors.items() if isinstance(tensor, np.ndarray)}


def _stored(archive: zipfile.ZipFile) -> Any:
    """What the pickle of a checkpoint describes."""
    entries = {entry.filename: entry for entry in archive.infolist()}
    if len(entries) != len(archive.infolist()):
        raise _Refused("two of its files have one name")
    programs = [name for name in entries if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(programs) != 1:
        raise _Refused(f"it has {len(programs)} files data.pkl, wanted one")
    folder = programs[0].removesuffix("data.pkl")

    def content(name: str) -> bytes:
        entry = entries.get(name)
        if entry is None:
            raise _Refused(f"it has no {name}")
        if entry.compress_type != zipfile.ZIP_STORED:
            raise _Refused(f"{name} is compressed, which torch never does")
        return archive.read(entry)

    if (big_endian := f"{folder}byteorder") in entries and content(big_endian) != b"little":
        raise _Refused("its numbers are big-endian")
    if entries[programs[0]].file_size > MOST_PICKLE_BYTES:
        raise _Refused(f"its data.pkl has {entries[programs[0]].file_size} bytes")
    storages: dict[str, NDArray[Any]] = {}

    def storage(key: str, kind: str) -> NDArray[Any]:
        if key not in storages:
            storages[key] = np.frombuffer(content(f"{folder}data/{key}"), STORAGES[kind])
        return storages[key]

    return _Reader(storage).read(content(programs[0]))


class _Reader:
    """Follows the instructions of one pickle, as far as they build dicts, lists, tuples, numbers and tensors."""

    def __init__(self, storage: Callable[[str, str], NDArray[Any]]) -> None:
        self._storage = storage
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def read(self, pickle: bytes) -> Any:
        """What it builds."""
        for instruction, argument, place in pickletools.genops(pickle):
            name = instruction.name
            if name == "STOP":
                return self._pop()
            if name in PLAIN:
                self._stack.append(PLAIN[name](argument))
            elif follow := FOLLOWED.get(name):
                follow(self, argument)
            else:
                raise _Refused(f"its pickle has {name} at byte {place}, which tensors do not need")
        raise _Refused("its pickle has no end")

    def _pop(self) -> Any:
        if not self._stack or (self._marks and len(self._stack) <= self._marks[-1]):
            raise _Refused("its pickle takes what is not there")
        return self._stack.pop()

    def _since_mark(self) -> list[Any]:
        if not self._marks:
            raise _Refused("its pickle takes what is not there")
        start = self._marks.pop()
        found, self._stack = self._stack[start:], self._stack[:start]
        return found

    def _mark(self, _: Any) -> None:
        self._marks.append(len(self._stack))

    def _put(self, place: int) -> None:
        value = self._pop()
        self._stack.append(value)
        self._memo[place] = value

    def _get(self, place: int) -> None:
        if place not in self._memo:
            raise _Refused("its pickle takes what is not there")
        self._stack.append(self._memo[place])

    def _tuple(self, count: int | None) -> None:
        values = self._since_mark() if count is None else [self._pop() for _ in range(count)][::-1]
        self._stack.append(tuple(values))

    def _set_items(self, values: list[Any]) -> None:
        target = self._pop()
        if not isinstance(target, dict) or len(values) % 2:
            raise _Refused("its pickle sets the items of what is not a dict")
        for key, value in zip(values[::2], values[1::2], strict=True):
            if not isinstance(key, str | int):
                raise _Refused(f"its pickle has a key of type {type(key).__name__}")
            target[key] = value
        self._stack.append(target)

    def _append(self, values: list[Any]) -> None:
        target = self._pop()
        if not isinstance(target, list):
            raise _Refused("its pickle appends to what is not a list")
        target += values
        self._stack.append(target)

    def _global(self, argument: str) -> None:
        path = argument.replace(" ", ".")
        if path not in CALLED and path.removeprefix("torch.") not in STORAGES:
            raise _Refused(f"its pickle speaks of {path[:100]}, which tensors do not need")
        self._stack.append(_Name(path))

    def _call(self, _: Any) -> None:
        arguments, called = self._pop(), self._pop()
        if not isinstance(called, _Name) or called.path not in CALLED or not isinstance(arguments, tuple):
            raise _Refused("its pickle calls what is not a function of tensors")
        self._stack.append(CALLED[called.path](*arguments))

    def _build(self, _: Any) -> None:
        """The state of an object, which here is the metadata of a dict or the byte order of a number: left out."""
        self._pop()
        self._stack.append(self._pop())

    def _persistent(self, _: Any) -> None:
        """A storage: ('storage', its type, its file, the device it was on, its length)."""
        match self._pop():
            case ("storage", _Name(path), str(key), str(), int(length)) if path.removeprefix("torch.") in STORAGES:
                if not key.isalnum():
                    raise _Refused(f"it has a tensor in {key[:50]!r}")
                found = self._storage(key, path.removeprefix("torch."))
                if len(found) != length:
                    raise _Refused(f"data/{key} holds {len(found)} numbers, wanted {length}")
                self._stack.append(found)
            case _:
                raise _Refused("its pickle refers to what is not a storage of tensors")


def _tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, *_: Any
) -> NDArray[Any]:  # whether it takes a gradient, and its hooks
    """A tensor whose numbers lie one after the other in a storage."""
    if not isinstance(storage, np.ndarray) or storage.ndim != 1:
        raise _Refused("a tensor has no storage")
    whole = (offset, *shape, *strides)
    if len(shape) != len(strides) or not all(type(one) is int and 0 <= one < 1 << 40 for one in whole):
        raise _Refused(f"a tensor has the shape {shape} and the strides {strides}"[:200])
    size, wanted = 1, []
    for length in reversed(shape):
        wanted.append(size)
        size *= length
    if any(length != 1 and step != right for length, step, right in zip(shape, strides, wanted[::-1], strict=True)):
        raise _Refused(f"a tensor of shape {shape} has strides {strides}, wanted its numbers one after the other"[:200])
    if offset + size > len(storage):
        raise _Refused(f"a tensor of shape {shape} ends after its storage"[:200])
    return storage[offset : offset + size].reshape(shape)


def _ordered_dict(*arguments: Any) -> dict[Any, Any]:
    if arguments:
        raise _Refused("its pickle makes a dict in another way")
    return {}


def _scalar(kind: Any, content: Any) -> int:
    """A number of NumPy's, of eight bytes, little-endian."""
    if not isinstance(content, bytes) or len(content) != 8:
        raise _Refused("its pickle has a number of another size")
    return int(struct.unpack("<q", content)[0])


def _encoded(text: Any, coding: Any) -> bytes:
    if not isinstance(text, str) or coding != "latin1":
        raise _Refused("its pickle has bytes in another coding")
    return text.encode("latin1")


CALLED: Mapping[str, Callable[..., Any]] = {
    "collections.OrderedDict": _ordered_dict,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.dtype": lambda kind, *_: str(kind),
    "_codecs.encode": _encoded,
}
"""What a pickle may call, and what is done instead."""

PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "NONE": lambda _: None, "NEWTRUE": lambda _: True, "NEWFALSE": lambda _: False,
    "EMPTY_DICT": lambda _: {}, "EMPTY_LIST": lambda _: [], "EMPTY_TUPLE": lambda _: (),
    **dict.fromkeys(
        ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE"), lambda value: value
    ),
}  # fmt: skip
"""The instructions that put a value on the stack."""

FOLLOWED: Mapping[str, Callable[[_Reader, Any], None]] = {
    "PROTO": lambda reader, _: None,
    "FRAME": lambda reader, _: None,
    "MARK": _Reader._mark,
    "BINPUT": _Reader._put, "LONG_BINPUT": _Reader._put,
    "BINGET": _Reader._get, "LONG_BINGET": _Reader._get,
    "TUPLE": lambda reader, _: reader._tuple(None),
    "TUPLE1": lambda reader, _: reader._tuple(1),
    "TUPLE2": lambda reader, _: reader._tuple(2),
    "TUPLE3": lambda reader, _: reader._tuple(3),
    "SETITEM": lambda reader, _: reader._set_items([reader._pop(), reader._pop()][::-1]),
    "SETITEMS": lambda reader, _: reader._set_items(reader._since_mark()),
    "APPEND": lambda reader, _: reader._append([reader._pop()]),
    "APPENDS": lambda reader, _: reader._append(reader._since_mark()),
    "GLOBAL": _Reader._global,
    "REDUCE": _Reader._call,
    "BUILD": _Reader._build,
    "BINPERSID": _Reader._persistent,
}  # fmt: skip
"""The other instructions that are followed."""
