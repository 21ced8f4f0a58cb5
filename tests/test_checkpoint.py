"""Checkpoints: tensors are read, and whatever else is in them is refused and never run."""

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from innerear.embed.checkpoint import read_tensors
from innerear.errors import WeightsUnavailable

NUMBERS = np.arange(12, dtype=np.float32)
PROTO = b"\x80\x02"


def word(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def name(path: str) -> bytes:
    module, _, attribute = path.rpartition(".")
    return f"c{module}\n{attribute}\n".encode()


def whole(number: int) -> bytes:
    return b"J" + struct.pack("<i", number)


def row(*numbers: int) -> bytes:
    return b"(" + b"".join(map(whole, numbers)) + b"t"


def tensor(
    shape: tuple[int, ...] = (3, 4), strides: tuple[int, ...] = (4, 1), offset: int = 0,
    key: str = "0", length: int = 12, kind: str = "torch.FloatStorage",
) -> bytes:  # fmt: skip
    """What `torch.save` writes of a tensor."""
    storage = b"(" + word("storage") + name(kind) + word(key) + word("cpu") + whole(length) + b"tQ"
    hooks = name("collections.OrderedDict") + b")R"
    rest = whole(offset) + row(*shape) + row(*strides) + b"\x89" + hooks
    return name("torch._utils._rebuild_tensor_v2") + b"(" + storage + rest + b"tR"


def held(value: bytes) -> bytes:
    """A dict with one value, as a whole pickle."""
    return PROTO + b"}" + word("w") + value + b"s."


def save(path: Path, program: bytes, compress: int = zipfile.ZIP_STORED, **more: bytes) -> Path:
    with zipfile.ZipFile(path, "w", compress) as archive:
        archive.writestr("archive/data.pkl", program)
        archive.writestr("archive/data/0", NUMBERS.tobytes())
        for file, content in more.items():
            archive.writestr(f"archive/{file}", content)
    return path


def refused(path: Path, why: str) -> None:
    with pytest.raises(WeightsUnavailable, match=why) as error:
        read_tensors(path)
    assert "\n" not in str(error.value)


def test_a_tensor_is_read_with_its_shape(tmp_path: Path) -> None:
    found = read_tensors(save(tmp_path / "c.pth", held(tensor())))
    np.testing.assert_array_equal(found["w"], NUMBERS.reshape(3, 4))


def test_a_tensor_may_begin_within_its_storage(tmp_path: Path) -> None:
    found = read_tensors(save(tmp_path / "c.pth", held(tensor((4,), (1,), offset=8))))
    np.testing.assert_array_equal(found["w"], NUMBERS[8:])


@pytest.mark.parametrize(
    "path",
    ["os.system", "posix.system", "builtins.eval", "builtins.getattr", "torch.load", "numpy.load", "pickle.loads"],
)
def test_a_name_that_tensors_do_not_need_is_refused(tmp_path: Path, path: str) -> None:
    refused(save(tmp_path / "c.pth", held(name(path))), f"speaks of {path}")


class Hostile:
    """What runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_runs_a_command_is_refused_and_does_not_run_it(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "it ran"
    program = pickle.dumps(OrderedDict(w=Hostile(mark)), protocol)
    path = save(tmp_path / "c.pth", program)
    refused(path, "not a supported checkpoint")
    assert not mark.exists()
    pickle.loads(program)  # noqa: S301  the attack is a real one
    assert mark.exists()


@pytest.mark.parametrize(
    ("program", "why"),
    [
        (PROTO + b"R.", "takes what is not there"),
        (PROTO + b"t.", "takes what is not there"),
        (PROTO + b"h\x07.", "takes what is not there"),
        (PROTO + b"(}tQ.", "not a storage"),
        (PROTO + word("a") + b")R.", "calls what is not a function"),
        (PROTO + name("collections.OrderedDict") + name("torch.FloatStorage") + b"R.", "calls what is not"),
        (PROTO + name("torch.FloatStorage") + b")R.", "calls what is not a function"),
        (PROTO + b"]" + word("a") + word("b") + b"s.", "not a dict"),
        (PROTO + b"N.", "no dict of tensors"),
        (PROTO, "no end|exhausted"),
        (b"", "no end|exhausted"),
        (PROTO + b"cos\nsystem\n" + word("true") + b"\x85R.", "speaks of os.system"),
        (PROTO + word("os") + word("system") + b"\x93.", "STACK_GLOBAL"),
        (PROTO + b"\x82\x01.", "EXT1"),
        (b"ios\nsystem\n.", "INST"),
        (PROTO + b"(" + name("collections.OrderedDict") + b"o.", "OBJ"),
        (PROTO + name("collections.OrderedDict") + b")\x81.", "NEWOBJ"),
        (held(name("_codecs.encode") + word("cm0=") + word("base64") + b"\x86R"), "another coding"),
        (held(tensor(key="../../etc/passwd")), "tensor in"),
        (held(tensor(key="7")), "no archive/data/7"),
        (held(tensor(length=13)), "holds 12 numbers, wanted 13"),
        (held(tensor((4, 4))), "ends after its storage"),
        (held(tensor(offset=1)), "ends after its storage"),
        (held(tensor(offset=-1)), "the shape"),
        (held(tensor((3, -4))), "the shape"),
        (held(tensor((3,))), "the shape"),
        (held(tensor((100000, 100000), (0, 0))), "one after the other"),
        (held(tensor(kind="torch.UntypedStorage")), "speaks of torch.UntypedStorage"),
        (held(tensor(kind="torch.DoubleStorage")), "holds 6 numbers, wanted 12"),
    ],
)  # fmt: skip
def test_a_damaged_or_hostile_pickle_is_one_line(tmp_path: Path, program: bytes, why: str) -> None:
    refused(save(tmp_path / "c.pth", program), why)


def test_what_is_not_a_checkpoint_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "c.pth"
    path.write_bytes(pickle.dumps({"w": 1}))
    refused(path, "not a zip file")
    refused(tmp_path / "none.pth", "No such file")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/b.txt", "")
    refused(path, "0 files data.pkl")


def test_a_compressed_one_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = held(tensor()) + b"\0" * (1 << 20)
    refused(save(tmp_path / "c.pth", bomb, zipfile.ZIP_DEFLATED), "compressed")


def test_a_pickle_of_many_megabytes_is_not_read(tmp_path: Path) -> None:
    refused(save(tmp_path / "c.pth", PROTO + b"N0" * (3 << 20) + b"."), "bytes")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.integers(0, 10_000))
def test_any_damage_gives_tensors_or_one_line(place: int, value: int, cut: int, tmp_path: Path) -> None:
    content = io.BytesIO()
    save(content, held(tensor()))  # type: ignore[arg-type]
    damaged = bytearray(content.getvalue())
    damaged[place % len(damaged)] = value
    path = tmp_path / "c.pth"
    path.write_bytes(damaged[: max(1, len(damaged) - cut % 40)] if cut % 3 == 0 else damaged)
    try:
        found = read_tensors(path)
    except WeightsUnavailable as error:
        found, line = {}, str(error)
    else:
        line = ""
    assert "\n" not in line
    assert all(isinstance(one, np.ndarray) for one in found.values())
