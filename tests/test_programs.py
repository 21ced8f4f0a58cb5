"""Reference programs: there for every family, make their sound by themselves, pass what is built."""

import ast
from dataclasses import replace

import pytest

from innerear.lab.reference_programs import FALLS_SHORT, Verdict, verify
from innerear.programs.bank import Reference, bank
from innerear.programs.guard import violation
from innerear.records import Outcome
from innerear.suite import every_probe


def test_every_family_has_a_reference_program():
    families = {(probe.tier, probe.family) for probe in every_probe()}
    assert {(shown.probe.tier, shown.probe.family) for shown in bank()} == families
    assert len(bank()) >= 20


def test_no_program_of_the_bank_lies_where_no_probe_is():
    from importlib import resources

    files = list(resources.files("innerear.programs").rglob("*.py.txt"))
    assert len(files) == len(bank())


@pytest.mark.parametrize("shown", bank(), ids=lambda shown: shown.probe.id)
def test_a_reference_program_makes_its_sound_by_itself(shown):
    assert violation(shown.code) is None
    ast.parse(shown.code)
    assert max(map(len, shown.code.splitlines())) <= 130


def test_one_that_is_wrong_is_told_apart():
    shown = next(shown for shown in bank() if shown.probe.id == "notes/waveform/sine-440")
    flat = Reference(shown.probe, shown.code.replace("440", "430"))
    right, wrong = verify([shown, flat])
    assert right.holds
    assert not wrong.holds
    assert "fails pitch" in wrong.line()


def test_where_a_program_is_known_to_fall_short_it_may_and_nowhere_else():
    verdict = Verdict("environment/scene/five-knocks", Outcome.OK, "", True, True, [], ["label (heard as rain)"], [])
    assert verdict.holds
    assert "falls short of label (heard as rain)" in verdict.line()
    assert not replace(verdict, probe="environment/nature/crickets").holds
    assert not replace(verdict, failed=["label (x)", "events (3)"]).holds
    assert set(FALLS_SHORT) <= {shown.probe.id for shown in bank()}


@pytest.mark.slow
def test_all_reference_programs_hold():
    verdicts = list(verify())
    assert [verdict.line() for verdict in verdicts if not verdict.holds] == []
    assert all(verdict.outcome is Outcome.OK for verdict in verdicts)
