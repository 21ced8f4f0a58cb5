"""Realism and diversity of a run: held-back recordings in place of its sounds, so what must come out is known."""

import numpy as np
import pytest

from innerear.dsp.telltales import WORDS
from innerear.embed.batches import Embedding
from innerear.records import Completion, Item, Outcome, Program, Render, Score
from innerear.reference.sets import find_reference
from innerear.scores.diversity import diversity_scores
from innerear.scores.groups import Group
from innerear.scores.realism import NO_CLASS, class_of, realism_scores
from innerear.suite import edition

SPACES = ("yamnet-levelled", "telltales")


def played(attempts: int, changed: float = 0.0, copies: bool = False) -> tuple[Group, dict[str, Embedding | None]]:
    """A group whose sounds are held-back recordings of the right class, moved by `changed` deviations."""
    probes = [probe for probe in edition().probes if probe.tier == "environment" and class_of(probe)]
    items, embedded = [], {}
    for name in SPACES:
        reference = find_reference("environment", name)
        assert reference is not None
        frames = {}
        deviation = np.concatenate(reference.clips).std(axis=0)
        for number, probe in enumerate(probes):
            frames[f"noise/{probe.id}"] = reference.clips[0] + 50 * deviation
            mine = [i for i, label in enumerate(reference.classes) if label == class_of(probe)]
            chosen = sorted(mine, key=lambda i: not reference.held[i])[: 1 if copies else attempts]
            for attempt in range(attempts):
                clip = reference.clips[chosen[attempt % len(chosen)]]
                frames[f"{probe.id}/{attempt}"] = clip + np.float32(changed) * deviation * (1 + number % 2)
        embedded[name] = (reference.signature, frames)
    for probe in probes:
        for attempt in range(attempts):
            key = f"{probe.id}/{attempt}"
            code = "same" if copies else key
            completion = Completion(key, probe.id, "m", "direct", attempt, [], code)
            items.append(Item(probe, completion, Program(code), Render(key, key, Outcome.OK, audio=key)))
    return Group("m", "direct", "environment", items, probes), embedded


def by_name(scores: list[Score], group: str = "environment") -> dict[str, Score]:
    return {score.metric: score for score in scores if score.group in (group, "all")}


def test_recordings_are_not_told_from_recordings_and_changed_ones_are() -> None:
    same = by_name(realism_scores(*played(1)))["told_from_real"]
    assert same.value is not None
    assert same.low <= 0.5 <= same.high
    assert same.floor["noise"] == 1.0
    assert same.ceiling["real"] == pytest.approx(0.5, abs=0.03)
    made = by_name(realism_scores(*played(1, changed=3.0)))
    assert made["told_from_real"].value > 0.95
    assert made["told_from_real"].detail["given_away"][0][1] > 0.9
    assert len(made["told_from_real"].detail["telling"]) == 5
    assert made["proximity"].value < 0.1
    each = made["told_from_real"].detail["each"]
    assert len(each) == made["told_from_real"].n
    (first,) = (one for one in each.values() if one["rank"] == 1)
    assert set(first) == {"told", "log_odds", "rank", "descriptor", "deviations", "words"}
    assert first["words"] in {words for pair in WORDS.values() for words in pair}


def test_each_sound_names_the_recording_it_is_nearest_to() -> None:
    typical = by_name(realism_scores(*played(1)))["proximity"]
    rank, nearest = typical.detail["each"]["environment/animals/dog"]
    assert 0 <= rank <= 1
    assert nearest.startswith("env/dog/")
    precision, density = typical.detail["classes"]["dog"]
    assert 0 <= precision <= 1
    assert density >= 0
    assert 0.3 < typical.value < 0.7
    assert typical.ceiling["real"] == pytest.approx(0.5, abs=0.06)


def test_families_with_eight_probes_have_scores_of_their_own() -> None:
    groups = {score.group for score in realism_scores(*played(1)) if score.metric == "told_from_real"}
    assert groups >= {"environment", "animals", "nature", "human", "domestic", "urban"}


def test_without_levelled_sounds_there_are_no_scores_of_realism() -> None:
    group, _ = played(1)
    assert realism_scores(group, {"yamnet": None}) == []


def test_probes_without_a_class_of_recordings_say_so() -> None:
    group, embedded = played(1)
    probes = [probe for probe in edition().probes if probe.family == "rhyme"]
    items = [Item(p, i.completion, i.program, i.render) for p, i in zip(probes, group.items, strict=False)]
    (score,) = realism_scores(Group("m", "direct", "speech", items, probes), embedded)
    assert (score.metric, score.value, score.note) == ("told_from_real", None, NO_CLASS)


def test_missing_weights_are_said() -> None:
    group, _ = played(1)
    (score,) = realism_scores(group, {"yamnet-levelled": None})
    assert score.value is None
    assert "no weights" in score.note


def test_programs_that_all_failed_are_a_score_that_says_so() -> None:
    group, embedded = played(1)
    assert embedded["yamnet-levelled"] is not None
    signature, frames = embedded["yamnet-levelled"]
    noise = {name: clip for name, clip in frames.items() if name.startswith("noise/")}
    for score in realism_scores(group, {"yamnet-levelled": (signature, noise)}):
        assert (score.value, score.note) == (None, "no program made a sound")


def test_one_attempt_is_not_measured_and_says_what_to_do() -> None:
    scores = by_name(diversity_scores(*played(1)))
    for name in ("vendi", "identical_programs"):
        assert scores[name].value is None
        assert "--attempts 5" in scores[name].note


def test_copies_are_named_and_recordings_are_varied() -> None:
    copies = by_name(diversity_scores(*played(3, copies=True)))
    assert copies["vendi"].value == pytest.approx(1)
    assert copies["near_copies"].value == 1
    assert copies["identical_programs"].value == 1
    assert copies["identical_programs"].detail["same"]["environment/animals/dog"] == [[0, 1, 2]]
    varied = by_name(diversity_scores(*played(3)))
    assert varied["spread"].value == pytest.approx(1, abs=0.25)
    assert varied["vendi"].value == pytest.approx(varied["vendi"].ceiling["real"], rel=0.15)
    assert varied["near_copies"].value < 0.1
    assert varied["identical_programs"].value == 0
