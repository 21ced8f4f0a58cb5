"""Files and folders that are there whole or not at all, names that are a process's own, and disks that take no more."""

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from innerear.embed.batches import read_embeddings
from innerear.embed.store import save_frames
from innerear.errors import DiskFull, UsageError
from innerear.run.whole import STALE_S, locked, new_folder, of_disk, sweep, temporary, write_whole


def child(program: str, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, words)], capture_output=True, text=True, timeout=120
    )


def test_no_two_writers_share_a_temporary_name(tmp_path):
    assert temporary(tmp_path / "a") != temporary(tmp_path / "a")
    assert f".{os.getpid()}-" in temporary(tmp_path / "a").name


def test_a_write_that_does_not_fit_is_one_line_that_names_the_folder_and_leaves_nothing(tmp_path):
    program = (
        "import resource, sys, pathlib\nfrom innerear.errors import DiskFull\n"
        "from innerear.run.whole import write_whole\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    write_whole(pathlib.Path(sys.argv[1]) / 'rows', b'x' * 5000)\n"
        "except DiskFull as error:\n    print(error)\n"
    )
    said = child(program, tmp_path).stdout
    assert said.startswith(f"{tmp_path} is full")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line_that_names_it(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=f"{tmp_path}/file/run cannot be written"):
        write_whole(tmp_path / "file" / "run" / "rows", b"")
    assert isinstance(of_disk(OSError(30, "Read-only file system"), tmp_path), UsageError)
    assert isinstance(of_disk(OSError(28, "No space left on device"), tmp_path), DiskFull)


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path):
    program = (
        "import sys, pathlib\nfrom innerear.run.whole import temporary\nprint(temporary(pathlib.Path(sys.argv[1])))"
    )
    dead = [Path(child(program, tmp_path / "rows").stdout.strip()) for _ in range(2)]
    dead[0].write_bytes(b"half")
    (dead[1] / "sounds").mkdir(parents=True)
    mine = temporary(tmp_path / "rows")
    mine.touch()
    fresh, old = tmp_path / ".of-another-machine.part", tmp_path / ".of-an-older-version.part"
    for path in (fresh, old):
        path.touch()
    os.utime(old, (time.time() - STALE_S - 60,) * 2)
    sweep(tmp_path)
    assert set(tmp_path.iterdir()) == {mine, fresh}


def test_a_folder_that_is_made_is_not_there_until_it_is_whole(tmp_path):
    with suppress(RuntimeError), new_folder(tmp_path / "report") as part:
        (part / "half").touch()
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_of_several_who_make_a_folder_at_once_the_last_one_stays_whole(tmp_path):
    failures = []

    def make(number: int) -> None:
        try:
            for _ in range(50):
                with new_folder(tmp_path / "report") as part:
                    for name in ("a", "b", "c"):
                        (part / name).write_text(str(number))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    assert len({path.read_text() for path in (tmp_path / "report").iterdir()}) == 1


def test_a_lock_keeps_other_processes_out_and_leaves_no_file(tmp_path):
    program = (
        "import sys, pathlib\nfrom innerear.run.whole import locked\nfrom innerear.run.parts import write_whole\n"
        "count = pathlib.Path(sys.argv[1]) / 'count'\n"
        "for _ in range(200):\n    with locked(count.parent):\n"
        "        write_whole(count, str(int(count.read_text()) + 1).encode())\n"
    )
    (tmp_path / "count").write_text("0")
    several = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(2)]
    assert [one.wait(timeout=120) for one in several] == [0, 0]
    assert (tmp_path / "count").read_text() == "400"
    assert [path.name for path in tmp_path.iterdir()] == ["count"]
    with locked(tmp_path / "new"):
        assert (tmp_path / "new").is_dir()


def test_embeddings_are_read_a_thousand_times_while_another_process_merges_them(tmp_path):
    busy = (
        "import sys, pathlib, numpy as np\nfrom innerear.embed.store import save_frames\n"
        "from innerear.embed.batches import compact\n"
        "folder = pathlib.Path(sys.argv[1])\nprint('begun', flush=True)\n"
        "number = 0\n"
        "while (folder / 'go').exists():\n"
        "    for _ in range(3):\n"
        "        number += 1\n"
        "        name = f'sound {number % 12}'\n"
        "        save_frames(folder / f'{number:08d}.npz', [name], [np.ones((2, 3), np.float32)], None)\n"
        "    compact(folder)\n"
    )
    (tmp_path / "go").touch()
    save_frames(tmp_path / "0.npz", ["first"], [np.zeros((2, 3), np.float32)], None)
    with subprocess.Popen([sys.executable, "-c", busy, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        damaged: list[Path] = []
        known: set[str] = set()
        try:
            for _ in range(1100):
                names = set(read_embeddings(tmp_path, lambda path, why: damaged.append(path)))
                assert known <= names, "frames that were there are gone"
                known = names
        finally:
            (tmp_path / "go").unlink()
    assert process.returncode == 0
    assert damaged == []
    assert len(known) == 13
