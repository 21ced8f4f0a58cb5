"""How hard a probe is: the share that passes, and the item-rest correlation, by hand and by their laws."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from innerear.run.run import Run
from innerear.scores.difficulty import FEWEST, csv_rows, is_floor, level_of, passes, probe_stats, shipped
from innerear.suite import edition

PROBES = edition("1").probes[:4]
A, B, C, D = (probe.id for probe in PROBES)


def results(table):
    return {f"system {i}": dict(zip((A, B, C, D), row, strict=True)) for i, row in enumerate(table)}


LADDER = [[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 0]]


def test_shares_levels_and_correlations_are_those_of_a_table_worked_out_by_hand():
    easy, second, third, hard = probe_stats(PROBES, results(LADDER))
    assert [stats.share for stats in (easy, second, third, hard)] == pytest.approx([1, 5 / 6, 4 / 6, 2 / 6])
    assert [stats.level for stats in (easy, second, third, hard)] == [1, 1, 2, 4]
    assert (easy.item_rest, easy.why) == (None, "every system passes")
    rest = [np.mean(row[:3]) for row in LADDER]
    assert hard.item_rest == pytest.approx(np.corrcoef([row[3] for row in LADDER], rest)[0, 1])
    assert hard.item_rest > 0.4


def test_a_probe_that_the_weak_pass_and_the_strong_fail_has_a_negative_correlation():
    table = [[a, b, c, 1 - d] for a, b, c, d in LADDER]
    assert probe_stats(PROBES, results(table))[3].item_rest < -0.4


def test_with_few_systems_the_level_is_a_guess_and_there_is_no_correlation():
    stats = probe_stats(PROBES, results(LADDER[: FEWEST - 1]))[1]
    assert (stats.level, stats.item_rest, stats.guess) == (None, None, PROBES[1].level)
    assert stats.why == "5 of 6 systems: the level is the authors' guess"
    (nothing,) = probe_stats(PROBES[:1], {})
    assert (nothing.systems, nothing.share, nothing.why) == (0, None, "no system has a verdict on it")


def test_a_system_that_has_no_verdict_on_a_probe_does_not_count_there():
    table = results(LADDER)
    del table["system 0"][D]
    stats = probe_stats(PROBES, table)[3]
    assert (stats.systems, stats.share, stats.level) == (5, pytest.approx(1 / 5), None)


@given(st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=FEWEST, max_size=9), st.randoms())
@example([*[[0.0] * 4] * (FEWEST - 1), [0.0, 0.0, 1.0, 5e-324]], Random(0))
def test_the_order_of_the_systems_does_not_matter_and_correlations_are_in_range(table, random):
    systems = list(results(table).items())
    before = probe_stats(PROBES, dict(systems))
    random.shuffle(systems)
    for one, other in zip(before, probe_stats(PROBES, dict(systems)), strict=True):
        assert one.share == pytest.approx(other.share)
        assert one.level is not None
        if one.item_rest is not None and other.item_rest is not None:
            assert -1.0000001 <= one.item_rest <= 1.0000001


@given(st.floats(0, 1), st.floats(0, 1))
def test_what_more_systems_pass_is_no_harder(one, other):
    assert (level_of(one) - level_of(other)) * (one - other) <= 0


def test_floors_enter_neither_the_share_nor_the_level_but_the_second_correlation():
    floors = {f"baseline/{name} · direct": dict.fromkeys((A, B, C, D), 0.0) for name in ("silence", "noise", "sine")}
    knowing = {"baseline/informed · direct": {A: 0.0, B: 0.0, C: 0.0, D: 1.0}}
    few = results(LADDER[:3])
    for before, after in zip(probe_stats(PROBES, few), probe_stats(PROBES, few | floors | knowing), strict=True):
        assert (before.share, before.systems, before.level, before.item_rest, before.with_floors) == (
            after.share, after.systems, after.level, after.item_rest, None,
        )  # fmt: skip
    hard = probe_stats(PROBES, few | floors | knowing)[3]
    item, rest = [1, 0, 0, 0, 0, 0], [1, 1, 2 / 3, 0, 0, 0]
    assert hard.with_floors == pytest.approx(np.corrcoef(item, rest)[0, 1])


def test_what_ships_is_of_the_probes_of_edition_2_and_nothing_passes_for_silence():
    results = shipped()
    ids = {probe.id for probe in edition("2").probes}
    assert {probe for rates in results.values() for probe in rates} <= ids
    assert not any(results["baseline/silence · direct"].values())
    assert len(results["baseline/silence · direct"]) == len(results["baseline/noise · direct"]) > 300
    lines = list(csv_rows(edition("2").probes, results))
    read = {name: column for name, *column in zip(*lines, strict=True)}
    for system, rates in results.items():
        assert {probe: float(share) for probe, share in zip(read["probe"], read[system], strict=True) if share} == rates


def test_the_tables_of_the_docs_are_what_the_command_prints():
    typed = [sys.executable, "-m", "innerear", "probes", "table"]
    printed = subprocess.run(typed, capture_output=True, text=True, check=True).stdout.strip()
    page = (Path(__file__).parent.parent / "docs" / "suite.md").read_text()
    for part in printed.split("\n\n"):
        assert part in page, "docs/suite.md: run `innerear probes table` and paste its tables"


def test_a_run_is_a_column_beside_what_ships(recorded_run):
    typed = [sys.executable, "-m", "innerear", "probes", "table", str(recorded_run), "--suite", "1"]
    alone = subprocess.run(typed, capture_output=True, text=True, check=True).stdout
    assert alone.startswith("| family | probes | judged | one-shot |")
    both = subprocess.run([*typed, "--shipped"], capture_output=True, text=True, check=True).stdout
    assert " | espeak-ng | " in both.splitlines()[0]


def test_floors_are_no_systems_and_the_command_shows_each_probe(recorded_run):
    found = passes(Run(recorded_run))
    assert [system for system in found if not is_floor(system)] == ["recorded/one-shot · direct"]
    assert set(found["recorded/one-shot · direct"].values()) <= {0.0, 1.0}
    command = [sys.executable, "-m", "innerear", "probes", "stats", str(recorded_run), "--suite", "1"]
    shown = subprocess.run(
        [*command, "--probes", "notes/waveform/*"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(shown) == 4
    assert "of 1" in shown[0]
    assert "level 1?" in shown[0]
    lines = subprocess.run([*command, "--json", "--probes", "notes/waveform/sine-440"], capture_output=True, check=True)
    (row,) = map(json.loads, lines.stdout.splitlines())
    assert row["by"] == {"recorded/one-shot · direct": row["share"]}
