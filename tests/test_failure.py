import tracemalloc

import numpy as np

from innerear import checks
from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.sounds import SYNTHETIC
from innerear.lab.tools import seeded
from innerear.metrics import failure
from innerear.metrics.base import Sound
from innerear.metrics.failure import COPY_DB, WORDS, copies, fingerprint, words
from innerear.metrics.measure import measure
from innerear.records import Measurement, Outcome, Probe, RawLevels, Render

TUNE = [(0.0, 0.5, 60), (0.5, 1.0, 64), (1.0, 1.5, 67), (1.5, 2.0, 72), (2.0, 2.5, 69)]
CHECK = checks.Notes(notes=TUNE, onset_tolerance_s=0.05, pitch_tolerance_cents=50)


def sound(clip, expect=(CHECK,), outcome=Outcome.OK, clipped=0.0):
    probe = Probe("p", "notes", "scale", 2, "a tune", "", 2.5, list(expect))
    rms = float(np.sqrt(np.mean(clip.samples**2))) if clip else 0
    levels = RawLevels(0.5, 20 * np.log10(rms) if rms else None, 0.0, clipped) if clip else None
    samples = clip.samples.shape[1] if clip else None
    render = Render("k", "p", outcome, sample_rate=44_100, channels=1, samples=samples, levels=levels)
    return Sound(probe, render, clip)


def said(clip, **more):
    made = sound(clip, **more)
    rows = [row for row in measure("s", made) if row.metric == "notes"]
    return words(made, rows, None)


def tune(notes):
    return make.phrase(SYNTHETIC["reed"], [(float(a), float(b), float(m)) for a, b, m in notes], 2.5, seeded(0))


def test_the_right_tune_has_no_failure():
    assert said(tune(TUNE)) == []


def test_the_right_notes_later_are_at_the_wrong_time():
    assert said(tune([(a + 0.2, b + 0.2, m) for a, b, m in TUNE])) == ["right notes, wrong time"]


def test_other_notes_at_the_right_time_are_wrong_notes():
    assert said(tune([(a, b, m + 1) for a, b, m in TUNE])) == ["right time, wrong notes"]


def test_the_notes_backwards_are_in_the_wrong_order():
    assert said(tune([(a, b, m) for (a, b, _), (_, _, m) in zip(TUNE, TUNE[::-1], strict=True)])) == ["wrong order"]


def test_two_notes_for_five_are_a_wrong_count():
    assert "wrong count" in said(tune(TUNE[:2]))


def test_noise_is_noise():
    assert "plain noise" in said(make.noise(2.5, seeded(0)))


def test_silence_is_silent_and_nothing_else():
    assert said(make.silence(2.5)) == ["silent"]


def test_what_the_jail_says_comes_before_all():
    assert words(sound(None, outcome=Outcome.FORBIDDEN), [], None) == ["forbidden"]
    assert words(sound(None, outcome=Outcome.CPU_LIMIT), [], None) == ["timeout"]


def test_a_short_and_clipped_sound_is_called_both():
    assert said(Clip(tune(TUNE).samples[:, :40_000], 44_100), clipped=0.2)[:2] == ["wrong length", "clipped"]


def test_a_sound_given_for_two_probes_is_a_near_copy_whatever_its_level():
    one, other = tune(TUNE), tune([(a, b, 132 - m) for a, b, m in TUNE])
    quiet = Clip(one.samples * np.float32(0.5), 44_100)
    prints = {"a": fingerprint(one), "b": fingerprint(quiet), "c": fingerprint(other), "d": []}
    assert copies(prints, {"a": "p1", "b": "p2", "c": "p3", "d": "p4"}) == {"a": "p2", "b": "p1"}


def test_the_same_probe_twice_is_no_copy():
    same = fingerprint(tune(TUNE))
    assert copies({"a": same, "b": same}, {"a": "p1", "b": "p1"}) == {}


def test_every_word_is_explained():
    assert all(text and text[0].islower() for text in WORDS.values())


def scene(check, heard):
    made = sound(make.phrase(SYNTHETIC["reed"], [(0, 2.5, 60)], 2.5, seeded(0)), expect=(check,))
    kind = type(check).__struct_config__.tag
    return words(made, [Measurement("k", "s", kind, 0.0, False, "", {"heard": heard}, check=0)], None)


def test_scenes_fail_as_another_sound_one_missing_or_another_order():
    check = checks.Sequence(labels=["dog", "rain"])
    assert scene(check, ["rain", "dog"]) == ["wrong order"]
    assert scene(check, ["dog", "train"]) == ["one missing"]
    assert scene(check, ["cat", "train"]) == ["another sound"]
    assert scene(checks.Together(labels=["dog", "rain"]), ["rain"]) == ["one missing"]
    assert scene(checks.Label(label="dog", among="esc50"), "cat") == ["another sound"]


def made_prints(count, seed=0):
    """Prints of which some are near copies of others, exact ones and ties among them; each of one of six probes."""
    rng = np.random.default_rng(seed)
    sources = rng.integers(0, 61, (count // 4, 768))
    chosen = sources[rng.integers(len(sources), size=count)]
    nudged = np.clip(chosen + rng.integers(-1, 2, chosen.shape) * (rng.random((count, 1)) < 0.6), 0, 60)
    prints = {f"s{i}": row.tolist() for i, row in enumerate(nudged)}
    return prints, {subject: f"p{rng.integers(6)}" for subject in prints}


def nearest_of_all(prints, probe_of):
    """The same by the whole table of distances in whole numbers."""
    subjects = list(prints)
    levels = np.array([prints[subject] for subject in subjects])
    apart = np.square(levels[:, None] - levels).sum(axis=2)
    found = {}
    for place, subject in enumerate(subjects):
        others = [i for i, other in enumerate(subjects) if probe_of[other] != probe_of[subject]]
        nearest = min(others, key=lambda i: (apart[place, i], i))
        if np.sqrt(apart[place, nearest] / 768) <= COPY_DB:
            found[subject] = probe_of[subjects[nearest]]
    return found


def test_copies_found_in_blocks_are_those_of_the_whole_table_of_distances(monkeypatch):
    monkeypatch.setattr(failure, "COPY_ROWS", 7)
    prints, probe_of = made_prints(100)
    found = copies(prints, probe_of)
    assert found == nearest_of_all(prints, probe_of)
    assert 10 < len(found) < 100


def test_twice_the_sounds_take_twice_the_memory_and_not_four_times():
    def peak(count):
        prints, probe_of = made_prints(count)
        tracemalloc.start()
        copies(prints, probe_of)
        largest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return largest

    assert peak(2000) < 2.5 * peak(1000)
