import os
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import hypergeom

from innerear import checks, suite
from innerear.checks import kind
from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.all import BY_FIT, table, verify
from innerear.lab.trials import BUILDERS, KINDS, OF_TIER, trials
from innerear.metrics import identity, instrument
from innerear.metrics.base import Sound
from innerear.metrics.measure import measure
from innerear.metrics.registry import find
from innerear.metrics.verified import (
    LEAST_TRUE,
    MOST_WRONG,
    SHOWN,
    Cell,
    Trial,
    Verified,
    counts_in,
    in_headline,
    shipped,
    variant,
)
from innerear.records import Outcome, Probe, Render

WHOLE = os.environ.get("INNEREAR_WHOLE") == "1"
SHARED = os.environ.get("INNEREAR_SHARED")
needs_shared = pytest.mark.skipif(not SHARED, reason="needs the reference data pack: set INNEREAR_SHARED")
NOTES = [(probe, check) for probe in suite.edition("1").probes if probe.tier == "notes" for check in probe.expect]


def test_every_kind_of_check_of_the_notes_tier_can_be_verified():
    assert {kind(check) for _, check in NOTES} <= {*BUILDERS, "instrument"}


def test_every_kind_of_check_of_the_environment_tier_can_be_verified():
    asked = {
        kind(check) for probe in suite.edition("1").probes if probe.tier == "environment" for check in probe.expect
    }
    assert asked <= {*OF_TIER["environment"], "label", *BY_FIT}


def test_every_check_of_the_environment_tier_says_whether_it_counts():
    asked = [check for probe in suite.edition("1").probes if probe.tier == "environment" for check in probe.expect]
    assert asked
    for check in asked:
        if variant(check, "environment") not in shipped():
            assert in_headline(check, "environment") == (False, "it is not verified")


@needs_shared
@pytest.mark.parametrize("rate_per_s", [1, 2, 4, 8, 20])
def test_a_waveform_that_decays_is_no_mallet(monkeypatch, rate_per_s):
    monkeypatch.setenv("INNEREAR_MODELS", str(Path(str(SHARED)) / "data" / "models"))
    pytest.importorskip("ai_edge_litert", reason="YAMNet's runtime is not here")
    from innerear.lab.movement import ideal

    fall = np.exp(-rate_per_s * make.seconds(3.0))
    check = checks.Instrument(family="mallet", audioset=[])
    passed = [
        instrument.InstrumentCheck()
        .measure(Sound(None, None, make.clip(ideal(shape, f0_hz, 3.0) * fall)), check)
        .passed  # type: ignore[arg-type]
        for shape in ("sine", "square", "sawtooth", "triangle")
        for f0_hz in (196.0, 440.0, 880.0)
    ]
    assert sum(passed) <= 2


def test_the_shipped_outcome_is_of_the_metrics_as_they_are():
    assert shipped()
    for name, one in shipped().items():
        metric = find(name.split(":")[0])
        assert one.version == metric.version, f"{name} has changed: run `innerear checks verify --write`"


def test_every_check_of_the_notes_tier_is_verified_or_counts_in_no_headline():
    for _, check in NOTES:
        counts, why = in_headline(check, "notes")
        assert counts == (not why)
        if variant(check, "notes") not in shipped():
            assert not counts


def test_an_instrument_that_is_not_plainly_played_is_verified_apart():
    found = {
        probe.id.removeprefix("notes/articulation/"): variant(check, probe.tier, probe.expect).removeprefix(
            "instrument:"
        )
        for probe in suite.edition("2").probes
        if probe.family == "articulation"
        for check in probe.expect
        if kind(check) == "instrument"
    }
    assert found == {
        "tremolo": "guitar in tremolo", "crescendo": "reed in crescendo", "decrescendo": "organ in decrescendo",
        "glissando": "brass in glissando", "vibrato": "string", "staccato": "keyboard", "pizzicato": "string",
        "bell-decay": "mallet",
    }  # fmt: skip
    (swelling,) = suite.choose(suite.edition("2").probes, pattern="notes/articulation/crescendo")
    instrument = swelling.expect[-1]
    assert in_headline(instrument, "notes")[0]
    assert not counts_in(swelling, instrument)[0]


def test_pitches_count_and_a_family_that_is_not_verified_does_not():
    assert in_headline(checks.Pitch(f0_hz=440, tolerance_cents=50), "notes")[0]
    assert not in_headline(checks.Pitch(f0_hz=440, tolerance_cents=50, headline=False), "notes")[0]
    assert in_headline(checks.Instrument(family="bagpipe", audioset=[]), "notes") == (False, "it is not verified")


@pytest.mark.parametrize(
    ("column", "passed", "counts"),
    [("synthetic", 8, True), ("synthetic", 7, False), ("noise", 1, True), ("noise", 2, False)],
)
def test_four_in_five_of_the_true_and_one_in_ten_of_the_wrong_is_where_the_line_is(column, passed, counts):
    cells = {"real": Cell(10, 10), column: Cell(passed, 10)}
    assert Verified(1, cells).counts is counts
    assert (LEAST_TRUE, MOST_WRONG) == (0.8, 0.1)


def test_a_check_without_a_true_sound_does_not_count():
    assert not Verified(1, {"noise": Cell(0, 10)}).counts


def test_outcomes_are_counted_by_column_and_told_as_they_come():
    check = checks.Pitch(f0_hz=440, tolerance_cents=50)
    right = make.clip(make.reed(440, 1.0, np.random.default_rng(0)))
    told = []
    found = verify(
        [Trial("synthetic", check, right), Trial("silence", check, make.silence(1))], lambda *one: told.append(one)
    )
    assert found["pitch"].cells == {"synthetic": Cell(1, 1), "silence": Cell(0, 1)}
    assert [passed for _, passed in told] == [True, False]
    row = next(iter(table(found)))
    assert row == ["pitch", "1", "synthetic 100% of 1", "silence 0% of 1", "counts"]


@pytest.mark.parametrize("name", ["chord", "onset_trend", "waveform", "glide"])
def test_without_recordings_a_check_tells_synthetic_sounds_from_wrong_ones(name):
    kept = list(islice(trials([probe for probe, _ in NOTES], None, [name]), 50))
    for one in verify(kept).values():
        assert one.counts, one.why


@needs_shared
@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", KINDS)
def test_the_shipped_outcome_is_what_is_measured(name):
    if name in OF_TIER["environment"]:
        pytest.importorskip("ai_edge_litert", reason="YAMNet's runtime is not here")
    bank = make.Bank(Path(str(SHARED)) / "data")
    found = verify(part(trials(suite.edition("1").probes, bank, [name])))
    for one, outcome in found.items():
        assert not WHOLE or outcome.counts == shipped()[one].counts
        assert set(outcome.cells) == set(shipped()[one].cells)
        for column, cell in outcome.cells.items():
            if column not in SHOWN:  # a handful of sounds that decide nothing
                assert agrees(cell, shipped()[one].cells[column]), (one, column)


def part(made):
    """Every fifth sound of each column; all of them with INNEREAR_WHOLE=1."""
    seen = Counter()
    for trial in made:
        place = (variant(trial.check, trial.tier), trial.column)
        if WHOLE or seen[place] % 5 == 0:
            yield trial
        seen[place] += 1


def agrees(cell, whole):
    """Whether a part's rate is one that drawing it from the whole gives, but for one draw in ten thousand."""
    if WHOLE:
        return cell.rate == pytest.approx(whole.rate, abs=0.03)
    draws = hypergeom(whole.n, whole.passed, cell.n)
    return bool(2 * min(draws.cdf(cell.passed), draws.sf(cell.passed - 1)) > 1e-4)


@pytest.mark.parametrize(("passed", "agreed"), [(20, True), (19, True), (18, False), (10, False)])
def test_a_part_of_twenty_shows_a_check_that_has_changed(passed, agreed):
    assert agrees(Cell(passed, 20), Cell(99, 100)) is agreed


@needs_shared
def test_a_bare_sine_is_no_instrument(monkeypatch):
    monkeypatch.setenv("INNEREAR_MODELS", str(Path(str(SHARED)) / "data" / "models"))
    pytest.importorskip("ai_edge_litert", reason="YAMNet's runtime is not here")
    metric = instrument.InstrumentCheck()
    counted = [name.split(":")[1] for name, one in shipped().items() if name.startswith("instrument:") and one.counts]
    assert counted
    for f0_hz in (110.0, 262.0, 440.0, 988.0):
        clip = make.clip(make.sine(f0_hz, 3.0, np.random.default_rng(0)))
        heard = {
            family: metric.measure(Sound(None, None, clip), checks.Instrument(family=family, audioset=[]))  # type: ignore[arg-type]
            for family in counted
        }
        assert [family for family, value in heard.items() if value.passed] == []


@needs_shared
def test_recorded_notes_are_heard_as_their_family(monkeypatch):
    monkeypatch.setenv("INNEREAR_MODELS", str(Path(str(SHARED)) / "data" / "models"))
    pytest.importorskip("ai_edge_litert", reason="YAMNet's runtime is not here")
    bank = make.Bank(Path(str(SHARED)) / "data")
    for name, family in (("Ixox-nor", "flute"), ("Violin", "string"), ("Marimba", "mallet")):
        for note in (bank.real.get(name) or bank.rendered[name])[::5]:
            check = checks.Instrument(family=family, audioset=[])
            sound = Sound(None, None, make.clip(note.samples()))  # type: ignore[arg-type]
            assert instrument.InstrumentCheck().measure(sound, check).passed


def test_without_yamnet_an_instrument_is_not_measured_and_says_why(monkeypatch, tmp_path):
    from innerear.errors import WeightsUnavailable

    def gone(*_):
        raise WeightsUnavailable("no yamnet here")

    monkeypatch.setattr(identity, "network", gone)
    clip = Clip(np.full((1, 44_100), 0.1, np.float32), 44_100)
    check = checks.Instrument(family="flute", audioset=[])
    probe = Probe("p", "notes", "f", 1, "", "", 1.0, [check])
    rows = measure("c", Sound(probe, Render("", "", Outcome.OK, audio="a"), clip))
    (found,) = [row for row in rows if row.metric == "instrument"]
    assert (found.value, found.passed) == (None, None)
    assert found.reason == "not measured here: no yamnet here"
