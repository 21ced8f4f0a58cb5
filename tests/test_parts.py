"""Rows on disk: whole or not at all, the first of a key wins, compaction loses nothing."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerear.errors import UsageError
from innerear.run.parts import Writer, compact, read_rows


class Row(msgspec.Struct, frozen=True):
    key: str
    value: int = 0


def test_a_row_is_on_disk_when_keep_returns(tmp_path):
    writer = Writer(tmp_path, Row)
    writer.keep(Row("a", 1))
    assert read_rows(tmp_path, Row) == {"a": Row("a", 1)}


def test_the_first_row_of_a_key_wins(tmp_path):
    writer = Writer(tmp_path, Row)
    writer.keep(Row("a", 1))
    writer.keep(Row("a", 2))
    assert read_rows(tmp_path, Row)["a"].value == 1


@given(parts=st.lists(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 99)), min_size=1), max_size=6))
def test_compaction_changes_no_row(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("parts")
    writer = Writer(folder, Row)
    for part in parts:
        writer.keep(*(Row(*pair) for pair in part))
    before = read_rows(folder, Row)
    compact(folder, Row)
    assert read_rows(folder, Row) == before
    assert len(list(folder.glob("*.jsonl"))) <= 1


def test_a_writer_leaves_one_part_file(tmp_path):
    with Writer(tmp_path, Row) as writer:
        for i in range(10):
            writer.keep(Row(str(i)))
    assert len(list(tmp_path.glob("*.jsonl"))) == 1
    assert len(read_rows(tmp_path, Row)) == 10


def test_rows_that_wait_are_written_when_an_error_ends_the_writer(tmp_path):
    with suppress(RuntimeError), Writer(tmp_path, Row, every_s=60) as writer:
        writer.keep(Row("a"))
        raise RuntimeError
    assert "a" in read_rows(tmp_path, Row)


def test_a_torn_line_names_its_file_and_line(tmp_path):
    (tmp_path / "1.jsonl").write_text('{"key":"a"}\n{"key":')
    with pytest.raises(UsageError, match=r"1\.jsonl, line 2"):
        read_rows(tmp_path, Row)


def test_reading_goes_on_while_another_process_compacts(tmp_path):
    busy = (
        "import sys, pathlib\nfrom tests_row import Row\nfrom innerear.run.parts import Writer, compact\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "for i in range(300):\n    Writer(folder, Row).keep(Row(str(i)))\n    compact(folder, Row)\n"
    )
    module = tmp_path / "module"
    module.mkdir()
    (module / "tests_row.py").write_text(
        "import msgspec\nclass Row(msgspec.Struct):\n    key: str\n    value: int = 0\n"
    )
    folder = tmp_path / "rows"
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(module)}
    with subprocess.Popen([sys.executable, "-c", busy, str(folder)], env=environment) as process:
        most = 0
        while process.poll() is None:
            found = len(read_rows(folder, Row))
            assert found >= most
            most = found
    assert process.returncode == 0
    assert len(read_rows(folder, Row)) == 300


def test_kill_9_loses_no_row_that_was_kept(tmp_path: Path):
    program = (
        "import sys, pathlib, msgspec\nfrom innerear.run.parts import Writer\n"
        "class Row(msgspec.Struct):\n    key: str\n"
        "writer = Writer(pathlib.Path(sys.argv[1]), Row)\n"
        "for i in range(10**6):\n    writer.keep(Row(str(i)))\n    print(i, flush=True)\n"
    )
    folder = tmp_path / "rows"
    with subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(50)]
        time.sleep(0.05)
        process.kill()
        said += [int(line) for line in process.stdout.read().split()]
    assert {str(i) for i in said} <= set(read_rows(folder, Row))
