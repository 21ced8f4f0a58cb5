"""Parallel work on threads, and the end of a process whose threads are at work or that was interrupted."""

import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from innerear.compute.work import Job, Local

LEAVES = {
    "a thread in native code": (
        "import threading, numpy as np\n"
        "def work():\n    while True:\n        np.linalg.svd(np.random.default_rng(0).normal(size=(300, 300)))\n"
        "threading.Thread(target=work, daemon=True).start()\n"
        "leave(7)\n"
    ),
    "an interrupt in a piece of text": (
        "try:\n    exec('raise KeyboardInterrupt')\nexcept KeyboardInterrupt:\n    leave(7, interrupted=True)\n"
    ),
    "nothing left": "leave(7)\n",
}


@pytest.mark.parametrize("name", list(LEAVES))
def test_a_process_leaves_with_its_exit_code_and_all_that_it_said(tmp_path, name):
    program = (
        "import atexit, sys\nfrom innerear.compute.threads import leave\n"
        "atexit.register(lambda: print('put away'))\nprint('said', end=' ')\n"
    )
    (tmp_path / "leaving.py").write_text(program + LEAVES[name])
    words = [sys.executable, "-m", "leaving"]  # as `python -m innerear`: only so does an interrupt outlive sys.exit
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (7, "said put away\n"), done.stderr


class Jails:
    """Opens stand-ins for jails, of which each is used by one thread at a time and by none once it is closed."""

    def __init__(self):
        self.opened = self.closed = 0
        self.wrong = []

    @contextmanager
    def open(self):
        self.opened += 1
        busy, ended = threading.Lock(), threading.Event()

        def run(n):
            if ended.is_set() or not busy.acquire(blocking=False):
                self.wrong.append(n)
                return None
            try:
                ended.wait(0.01 if n >= 0 else 60)  # a negative number runs until its jail closes
                if n == 13:
                    raise ValueError("thirteen")
                if n == 99:
                    raise ZeroDivisionError
                return 2 * n
            finally:
                busy.release()

        try:
            yield run
        finally:
            ended.set()
            self.closed += 1


@pytest.mark.parametrize("threads", [1, 3])
def test_each_thing_is_done_once_and_a_forgiven_error_loses_one(threads):
    jails, found = Jails(), {}
    lost = Local(threads).map(Job(jails.open, shared=False, forgives=(ValueError,)), range(40), found.__setitem__)
    assert found == {n: 2 * n for n in range(40) if n != 13}
    assert [(one.item, one.why) for one in lost] == [(13, "thirteen")]
    assert (jails.opened, jails.closed, jails.wrong) == (threads, threads, [])


def test_another_error_ends_the_work_and_what_was_kept_stays_kept():
    jails, found = Jails(), {}
    with pytest.raises(ZeroDivisionError):
        Local(2).map(Job(jails.open, shared=False), [1, 2, 99, *range(3, 2000)], found.__setitem__)
    assert len(found) < 100
    assert jails.closed == 2


def test_an_interrupt_closes_the_jail_that_a_thread_waits_for():
    def interrupt(n, row):
        raise KeyboardInterrupt

    jails, begin = Jails(), time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        Local(2).map(Job(jails.open, shared=False), [-1, 1, *range(2, 500)], interrupt)
    assert time.monotonic() - begin < 5
    assert jails.closed == 2


def test_nothing_is_opened_for_nothing():
    jails = Jails()
    assert Local(4).map(Job(jails.open), [], lambda *_: None) == []
    assert jails.opened == 0
