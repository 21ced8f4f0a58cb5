"""Reference programs: there for every family, make their sound by themselves, pass what is built."""

import ast

import pytest

from innerear.guard import violation
from innerear.programs import Reference, bank
from innerear.programs.verify import verify
from innerear.records import Outcome
from innerear.suite import edition


def test_every_family_has_a_reference_program():
    families = {(probe.tier, probe.family) for probe in edition().probes}
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


@pytest.mark.slow
def test_all_reference_programs_hold():
    verdicts = list(verify())
    assert [verdict.line() for verdict in verdicts if not verdict.holds] == []
    assert all(verdict.outcome is Outcome.OK for verdict in verdicts)
