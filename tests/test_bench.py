"""The benchmarks: each is in the table of bench/README.md, and the quick half is what `make bench` runs."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
BENCH = ROOT / "bench"
TABLE = (BENCH / "README.md").read_text()


def test_the_page_names_every_script_and_no_other():
    assert set(re.findall(r"\[`(\w+\.py)`\]\(\1\)", TABLE)) == {path.name for path in BENCH.glob("*.py")}


def test_make_bench_runs_the_rows_with_a_quick_form():
    quick = set(re.findall(r"\| `python bench/(\w+)\.py --(?:quick|things 20000)` \|", TABLE))
    makefile = (ROOT / "Makefile").read_text()
    looped = re.search(r"for each in ([\w ]+);", makefile)[1].split()
    assert quick == {*looped, "cost"}
    assert all('"--quick"' in (BENCH / f"{name}.py").read_text() for name in looped)
    assert "bench/cost.py --things 20000" in makefile


def test_a_peer_that_is_not_installed_is_named_in_a_line_and_fails_nothing():
    code = "from need import need; need('sys', 'no_such_peer', how='make it'); print('measured')"
    done = subprocess.run([sys.executable, "-c", code], cwd=BENCH, capture_output=True, text=True, check=True)
    assert done.stdout == "not measured: no_such_peer not installed; make it\n"
