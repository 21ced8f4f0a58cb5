"""The cost model of docs/scale.md beside a simulation with recorded durations, and the docs' table beside the model."""

import importlib.util
import json
from pathlib import Path

import pytest

BENCH = Path(__file__).parent.parent / "bench"


@pytest.fixture(scope="module")
def cost():
    spec = importlib.util.spec_from_file_location("cost", BENCH / "cost.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def recorded():
    return json.loads((BENCH / "scale.json").read_text())["durations_s"]


def test_one_core_takes_the_sum_of_all(cost):
    assert cost.simulated([0.5], 100, 1, 0.0) == pytest.approx(50)


def test_a_thousand_cores_are_no_faster_than_their_driver(cost):
    assert cost.simulated([0.01], 5000, 1000, 0.002) == pytest.approx(10, rel=0.05)


@pytest.mark.parametrize("stage", ["program", "mel", "measured"])
@pytest.mark.parametrize("cores", [2, 16, 128, 512])
def test_the_formula_is_near_the_simulation(cost, recorded, stage, cores):
    n, driver_s = 20_000, 0.001
    found = cost.simulated(recorded[stage], n, cores, driver_s)
    assert cost.modelled(recorded[stage], n, cores, driver_s) == pytest.approx(found, rel=0.15, abs=3)


def test_the_table_of_the_docs_is_what_the_command_prints(cost, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["cost.py"])
    cost.main()
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    docs = (BENCH.parent / "docs" / "scale.md").read_text()
    for formula, simulated in zip(lines[::2], lines[1::2], strict=True):
        pairs = list(zip(formula[2:], simulated[2:], strict=True))
        cells = [f"{int(one):,} ({int(other):,})" for one, other in pairs[:3]]
        cells += [f"{float(one):.1f} ({float(other):.1f})" for one, other in pairs[3:]]
        assert f"| {int(formula[0]):,} | {' | '.join(cells)} |\n" in docs
