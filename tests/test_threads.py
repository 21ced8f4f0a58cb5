"""The end of a process whose threads are at work, or that was interrupted: its exit code is what was asked for."""

import subprocess
import sys

import pytest

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
