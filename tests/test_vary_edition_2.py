"""Variants of edition 2: what the prompt says and what the check expects agree, by formulas written again here."""

import itertools
import math
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innerear import checks, suite
from innerear.records import Probe
from innerear.suite.vary import WORDS, vary

EDITION = suite.edition("2")
SEEDS = st.integers(0, 10**6)
C, G = 343.2, 9.81


def both(seed):
    return list(zip(EDITION.probes, vary(EDITION, seed).probes, strict=True))


def said(probe: Probe, pattern: str) -> float:
    """A number in the prompt, in digits or as a word."""
    found = re.search(pattern, f"{probe.caption}. {probe.details}")
    assert found, (pattern, probe.caption)
    text = found[1].replace(",", "")
    return float(WORDS.index(text)) if text in WORDS else float(text)


def hz_of(name: str) -> float:
    letter, sign, octave = re.fullmatch(r"([A-G])( sharp|#| flat|b)? ?(\d)", name).groups()
    signs = {" sharp": 1, "#": 1, " flat": -1, "b": -1}
    step = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[letter] + signs.get(sign, 0)
    return 440 * 2 ** ((step - 9) / 12 + int(octave) - 4)


@given(SEEDS)
@settings(max_examples=10)
def test_every_probe_is_another_one_with_the_same_kinds_of_check(seed):
    for before, after in both(seed):
        assert after.id == f"{before.id}/varied-{seed}"
        assert [*map(checks.kind, after.expect)] == [*map(checks.kind, before.expect)]
        assert (after.caption, after.details, after.duration_s) != (before.caption, before.details, before.duration_s)
        suite.validate(after)


@given(SEEDS)
@settings(max_examples=10)
def test_no_two_variants_ask_for_the_same_tune_or_words(seed):
    families = ("tune", "rhyme", "passage", "digit-string", "nonsense-sentence", "singing", "tone")
    spoken = Counter((probe.caption, probe.details) for _, probe in both(seed) if probe.family in families)
    assert spoken.most_common(1)[0][1] == 1


@given(SEEDS)
@settings(max_examples=25)
def test_physics_follows_from_the_geometry_that_is_told(seed):
    for before, after in both(seed):
        if before.family != "physics":
            continue
        check, name = after.expect[0], before.id.rpartition("/")[2]
        match name:
            case "canyon-echo":
                assert check.delay_s == pytest.approx(2 * said(after, r"(\d+) metres") / C, rel=1e-3)
            case "cathedral" | "bathroom":
                assert check.t60_s == said(after, r"reverberation time of (\S+) second")
                assert after.duration_s >= check.t60_s + 0.8
            case "ping-pong-ball":
                speed = math.sqrt(2 * G * said(after, r"from (\S+) metre"))
                kept, time, times = said(after, r"keeps (\S+) of"), 0.0, []
                time = speed / G
                while len(times) < len(check.times_s) + 1:
                    times.append(time)
                    speed *= kept
                    time += 2 * speed / G
                assert check.times_s == pytest.approx(times[:-1], abs=1e-3)
                assert times[-2] + 0.05 < after.duration_s < times[-1] - 0.05
            case "stone-in-a-well":
                depth = said(after, r"(\d+) metres deep")
                assert check.times_s == pytest.approx([math.sqrt(2 * depth / G) + depth / C], abs=1e-3)
            case "geiger-counter":
                assert check.rate_hz == said(after, r"at (\d+) counts")
                assert check.rate_hz * after.duration_s >= 119
            case "ambulance-passing":
                hz, speed = said(after, r"(\d+) Hz"), said(after, r"at (\d+) metres per")
                assert check.approach_hz == pytest.approx(hz / (1 - speed / C), abs=0.01)
                assert check.recede_hz == pytest.approx(hz / (1 + speed / C), abs=0.01)
            case "four-cylinder-engine":
                assert check.hz == pytest.approx(said(after, r"(\d+) revolutions") / 30)
            case "v8-idle":
                assert check.hz == pytest.approx(said(after, r"(\d+) revolutions") / 15)
            case "helicopter-two-blades":
                assert check.hz == pytest.approx(said(after, r"(\d+) revolutions") / 30)
            case "transformer-hum":
                assert check.hz == (100 if "Europe" in after.caption else 120)
            case "watch":
                assert check.hz == pytest.approx(said(after, r"beating ([\d,]+) times") / 3600)
            case "grandfather-clock":
                assert 1 / check.hz == pytest.approx(
                    math.pi * math.sqrt(said(after, r"(\S+) metres long") / G), rel=1e-3
                )
            case "crickets-25-degrees":
                assert said(after, r"(\d+) degrees") == pytest.approx(10 + (60 * check.hz - 40) / 7, abs=0.01)
            case "bottle":
                volume, area = said(after, r"(\S+) litres") / 1000, math.pi * 0.0095**2
                hz = C / (2 * math.pi) * math.sqrt(area / (volume * (0.08 + 1.463 * 0.0095)))
                assert check.f0_hz == pytest.approx(hz, rel=1e-3)
            case "stopped-pipe":
                assert check.reference_hz == pytest.approx(C / 4 / said(after, r"pipe (\S+) metre"), rel=1e-3)
            case "speeding-up-train":
                assert (check.from_hz, check.to_hz) == (
                    said(after, r"from (\w+) to"),
                    said(after, r"to (\w+) per second"),
                )
            case "surf":
                assert 1 / check.hz == pytest.approx(said(after, r"every (\w+) seconds"), rel=1e-3)
                assert after.duration_s == pytest.approx(3 / check.hz, abs=0.1)
            case _:
                raise AssertionError(f"no formula for {name}")


def test_the_edition_itself_follows_from_the_same_formulas():
    assert [probe.family for probe in EDITION.probes].count("physics") == 18
    for before, after in both(0):
        if before.id == "environment/physics/bottle":
            ratio = (said(before, r"(\S+) litres") / said(after, r"(\S+) litres")) ** 0.5
            assert after.expect[0].f0_hz == pytest.approx(before.expect[0].f0_hz * ratio, rel=1e-3)
        if before.id == "environment/physics/grandfather-clock":
            ratio = (said(before, r"(\S+) metres long") / said(after, r"(\S+) metres long")) ** 0.5
            assert after.expect[0].hz == pytest.approx(before.expect[0].hz * ratio, rel=1e-3)


@given(SEEDS)
@settings(max_examples=15)
def test_a_signal_keeps_its_frequencies_and_its_pattern_and_fills_the_time(seed):
    for before, after in both(seed):
        was, now = before.expect[0], after.expect[0]
        match now:
            case checks.Cadence():
                shorter = min(len(was.tones), len(now.tones))
                assert {tuple(tone.hz) for tone in now.tones} == {tuple(tone.hz) for tone in was.tones}
                if len(now.tones) > 1:
                    assert now.tones[: shorter - 1] == was.tones[: shorter - 1]
                    starts = [tone.start_s for tone in now.tones]
                    gap_s = max(b - a for a, b in itertools.pairwise(starts))
                    assert starts[-1] + gap_s >= after.duration_s - 1e-6 or now.tones == was.tones
                assert now.tones[-1].end_s <= after.duration_s + 1e-6
                cycles = re.search(r"(\w+) cycles", after.details)
                if cycles:
                    assert after.duration_s == 4 * WORDS.index(cycles[1].lower())
            case checks.Decoded():
                assert now.text != was.text
                assert now.text in after.caption.replace("-", "")
                assert was.text not in after.caption.replace("-", "")
                letters = re.search(r"as ((?:[A-Z], )+[A-Z]);", after.details)
                assert (letters is None) == ("as one group" not in after.caption)
                if letters:
                    assert letters[1].replace(", ", "") == now.text


@given(SEEDS)
@settings(max_examples=15)
def test_tunes_grooves_and_scales_are_those_that_are_told(seed):
    for before, after in both(seed):
        text = f"{after.caption} {after.details}"
        for was, now in zip(before.expect, after.expect, strict=True):
            match now:
                case checks.Tune() if after.family == "tune":
                    assert now.title != was.title
                    assert after.caption == f"{before.caption.partition(' playing ')[0]} playing {now.title}"
                    assert f"{len(now.notes)} notes" in after.details
                    assert all(len(setting) == len(now.notes) for setting in now.also)
                case checks.Tune():
                    assert now.title != was.title
                case checks.Groove():
                    assert f"{now.bpm:g} " in text
                    assert after.duration_s == pytest.approx(now.bars * now.beats_per_bar * 60 / now.bpm, abs=1e-3)
                case checks.Pitches() if "ABA-" in text:
                    low = said(after, r"A = (\d+) Hz")
                    high = low * 2 ** (said(after, r"B (\w+) semitones") / 12)
                    assert now.f0_hz[:4] == pytest.approx([low, high, low, low])
                case checks.Pitches():
                    named = re.search(r"([A-G]\d) = (\S+) Hz", text)
                    first = float(named[2]) if named else said(after, r"(\d+) Hz") * (8 if "eighth to" in text else 1)
                    assert now.f0_hz[0] == pytest.approx(first, rel=1e-5)
                    ratios = [[hz / check.f0_hz[0] for hz in check.f0_hz] for check in (was, now)]
                    assert ratios[1] == pytest.approx(ratios[0], rel=1e-4)
                    if named:
                        assert hz_of(named[1]) == pytest.approx(first, rel=1e-4)
                        assert ("major" not in text) or f"{named[1][0]} major" in text
                        assert (" on " not in after.caption) or f"on {named[1]}" in after.caption
                        assert "to C5" not in text or named[1] == "C4"
                case checks.Partials() if "B =" in text:
                    b, f0 = said(after, r"B = (\S+)\."), said(after, r"fundamental (\d+) Hz")
                    assert said(after, r"f_0 = (\d+) Hz") == f0
                    hz = [n * f0 * math.sqrt(1 + b * n * n) for n in range(1, 11)]
                    assert [now.reference_hz * ratio for ratio in now.ratios] == pytest.approx(hz, rel=1e-4)
                case checks.Partials() if after.tier == "notes":
                    note = re.search(r"\b([A-G](?: sharp| flat)? ?\d)\b", after.caption)
                    told = re.search(r"(\d+(?:\.\d+)?) Hz", text)
                    assert now.reference_hz == pytest.approx(float(told[1]) if told else hz_of(note[1]), rel=1e-4)
                    assert now.ratios == was.ratios
                case checks.Shepard(tones=None):
                    assert now.step_semitones == pytest.approx(
                        (12 if "rising" in text else -12) / said(after, r"octave in (\w+) seconds")
                    )
                    assert ("falls by" in text) == ("falling" in text)
                    assert after.duration_s == 12 / abs(now.step_semitones)
                case checks.Shepard():
                    step = {"a semitone": 1, "a whole tone": 2, "a minor third": 3}[
                        re.search(r"tones, (.+) apart", text)[1]
                    ]
                    assert now.step_semitones == (step if " ascending" in text else -step)
                    assert now.tones == said(after, r"(\w+) tones,") == 12 / step
                    assert after.duration_s == now.tones / 2
                    ordinal = {13: "thirteenth", 7: "seventh", 5: "fifth"}[now.tones + 1]
                    assert f"the {ordinal} tone would be the first" in text


@given(SEEDS)
@settings(max_examples=15)
def test_words_are_those_in_the_quotes(seed):
    for before, after in both(seed):
        kinds = {checks.kind(check): check for check in after.expect}
        if "words" in kinds and after.family != "singing":
            quoted = re.search(r"'(.*)'", after.caption)[1]
            assert kinds["words"].text == re.sub(r"[^a-z ]", "", quoted.lower())
            assert after.caption != before.caption
        if "rhyme" in kinds:
            assert kinds["rhyme"].word == kinds["words"].text
            assert kinds["rhyme"].word in kinds["rhyme"].among
            assert len(set(kinds["rhyme"].among)) == 6
        if after.family == "digit-string":
            assert len(kinds["words"].text.split()) == 5
            assert set(kinds["words"].text.split()) <= set(WORDS[:10])
        if after.family == "speaker":
            assert after.expect[1:] == before.expect[1:]


def test_the_same_seed_is_the_same_suite_and_a_variant_can_be_varied_again():
    assert vary(EDITION, 7).digest == vary(EDITION, 7).digest
    assert len({vary(EDITION, seed).digest for seed in range(5)}) == 5
    assert len(vary(vary(EDITION, 1), 2).probes) == 353
