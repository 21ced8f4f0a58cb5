"""CLAP scores from frames made by hand, where every number can be worked out; and the order of models."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerear import suite
from innerear.metrics.clap import cosines
from innerear.records import Completion, Item, Outcome, Program, Render, Scope, Score
from innerear.reference.sets import find_reference, save
from innerear.scores.clap import CAPTION, NO_WEIGHTS, captions, clap_scores, classes, embedder_agreement, place
from innerear.scores.groups import Group

PROBES = [probe for probe in suite.edition("1").probes if probe.tier == "environment"][:6]
SIGNATURE = "clap-laion@12345678|sr:48000"


def item(number: int, audio: str | None) -> Item:
    probe = PROBES[number]
    completion = Completion(f"c{number}", probe.id, "m", "direct", 0, [], "")
    outcome = Outcome.OK if audio else Outcome.ERROR
    return Item(probe, completion, Program(None), Render(f"r{number}", "p", outcome, audio=audio))


def group(audios: list[str | None]) -> Group:
    return Group("m", "direct", "environment", [item(i, audio) for i, audio in enumerate(audios)], PROBES)


def frames(heard: dict[str, int]) -> dict[str, np.ndarray]:
    """Every caption an axis of its own; sounds point at the caption of the number given."""
    axes = np.eye(64, dtype=np.float32)
    texts = {CAPTION + caption: axes[i : i + 1] for i, caption in enumerate(captions(PROBES))}
    return texts | {name: axes[i : i + 1] for name, i in heard.items()}


def by_metric(scores: list[Score]) -> dict[str, Score]:
    assert len({score.metric for score in scores}) == len(scores)
    return {score.metric: score for score in scores}


def test_sounds_that_point_at_their_captions_are_right_in_all_ways() -> None:
    heard = {f"a{i}": i for i in range(6)}
    found = by_metric(clap_scores(group(list(heard)), {"clap-laion": (SIGNATURE, frames(heard))}))
    assert found["clap"].value == 1.0
    assert found["clap"].floor["shuffled"] == 0.0
    assert found["clap_rank"].value == 1.0
    assert found["clap_rank"].unit == "of 6"
    assert found["clap_rank"].floor["chance"] == 3.5
    assert found["clap_retrieval"].value == 1.0
    assert found["clap_class"].value == 1.0
    assert found["clap_class"].floor["chance"] == 1 / 50
    assert all(score.n == 6 and score.missing == 0 and score.low is not None for score in found.values())


def test_sounds_that_point_at_others_captions_are_wrong_in_all_ways() -> None:
    heard = {f"a{i}": (i + 1) % 6 for i in range(6)}
    found = by_metric(clap_scores(group(list(heard)), {"clap-laion": (SIGNATURE, frames(heard))}))
    assert found["clap"].value == 0.0
    assert found["clap"].floor["shuffled"] == pytest.approx(1 / 5)
    assert found["clap_retrieval"].value == 0.0
    assert found["clap_class"].value == 0.0


def test_sounds_that_are_not_there_are_missing_and_named() -> None:
    found = by_metric(clap_scores(group(["a0", None, "a2", None, None, None]), {
        "clap-laion": (SIGNATURE, frames({"a0": 0, "a2": 2}))}))  # fmt: skip
    assert "clap" in found
    for score in found.values():
        assert (score.n, score.missing) == (2, 4)


def test_noise_and_silence_stand_beside_as_long_as_each_sound() -> None:
    heard = {f"a{i}": i for i in range(6)}
    anchors = {f"noise/{probe.id}": 0 for probe in PROBES} | {f"silence/{probe.id}": 63 for probe in PROBES}
    found = by_metric(clap_scores(group(list(heard)), {"clap-laion": (SIGNATURE, frames(heard | anchors))}))
    assert found["clap"].floor["noise"] == pytest.approx(1 / 6)
    assert found["clap"].floor["silence"] == 0.0
    assert found["clap_retrieval"].floor["noise"] == pytest.approx(1 / 6)
    assert found["clap_rank"].floor["silence"] == 3.5  # all captions tie


def test_without_weights_there_is_a_row_that_says_so() -> None:
    for embedded, note in (({}, NO_WEIGHTS), ({"clap-laion": None}, "no weights: clap-laion is not available here")):
        (score,) = clap_scores(group([None] * 6), embedded)
        assert (score.metric, score.value, score.missing, score.note) == ("clap", None, 6, note)


def test_without_sounds_there_is_a_row_that_says_so() -> None:
    (score,) = clap_scores(group([None] * 6), {"clap-laion": (SIGNATURE, frames({}))})
    assert (score.value, score.note) == (None, "no sounds and captions were embedded")


def test_two_checkpoints_stand_side_by_side_told_apart_by_their_signatures() -> None:
    heard = {f"a{i}": i for i in range(6)}
    both = {name: (f"{name}@1|sr:48000", frames(heard)) for name in ("clap-laion", "clap-laion-general")}
    scores = [score for score in clap_scores(group(list(heard)), both) if score.metric == "clap"]
    assert [score.signature.split("|")[1] for score in scores] == ["emb:clap-laion@1", "emb:clap-laion-general@1"]


def test_distances_by_other_embedders_are_no_clap_score() -> None:
    (score,) = clap_scores(group(["a0"] * 6), {"mel": ("mel|sr:16000", frames({"a0": 0}))})
    assert score.note == NO_WEIGHTS


def test_a_long_sound_is_the_mean_of_its_windows() -> None:
    texts = np.eye(3, dtype=np.float32)
    np.testing.assert_allclose(cosines(texts[:2], texts), [2**-0.5, 2**-0.5, 0])


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=12), st.data())
def test_places_of_all_add_up_whatever_the_ties(values: list[int], data: st.DataObject) -> None:
    found = np.array(values, dtype=float)
    assert sum(place(found, at) for at in range(len(values))) == len(values) * (len(values) + 1) / 2


def test_there_are_fifty_classes_with_a_caption_each() -> None:
    assert len(classes()) == 50
    assert len(set(classes().values())) == 50


def distances(by_embedder: dict[str, dict[str, float]], kind: str = "notes", **more: Any) -> list[Score]:
    return [
        Score(
            "kad", model, "direct", "notes", value, 10, 0, f"kad|emb:{embedder}@1234|sr:1|v:1", Scope("", kind), **more
        )
        for embedder, values in by_embedder.items()
        for model, value in values.items()
    ]


def test_embedders_that_order_models_alike_agree_whatever_their_scales() -> None:
    (score,) = embedder_agreement(
        distances({"mel": {"a": 1, "b": 2, "c": 3, "d": 9}, "yamnet": {"a": 10, "b": 20, "c": 30, "d": 31}})
    )
    assert (score.value, score.low, score.high, score.n) == (1.0, 1.0, 1.0, 4)
    assert score.detail["pairs"] == 6
    assert (score.group.name, score.group.more) == ("kad", "mel and yamnet")


def test_embedders_that_order_models_the_other_way_disagree() -> None:
    (score,) = embedder_agreement(distances({"mel": {"a": 1, "b": 2, "c": 3}, "yamnet": {"a": 3, "b": 2, "c": 1}}))
    assert (score.value, score.low, score.note) == (-1.0, None, "3 models, too few for an interval")


def test_models_are_compared_within_a_kind_of_sound_only() -> None:
    scores = distances({"mel": {"a": 1, "b": 2}, "yamnet": {"a": 1, "b": 2}})
    scores += distances({"mel": {"a": 100, "b": 200}, "yamnet": {"a": 0.2, "b": 0.1}}, kind="phrases")
    (score,) = embedder_agreement(scores)
    assert score.value == 0.0


def test_agreement_is_kendall_s_tau_of_scipy() -> None:
    from scipy.stats import kendalltau

    rng = np.random.default_rng(0)
    names = [f"m{i}" for i in range(9)]
    one, two = rng.permutation(9).tolist(), rng.permutation(9).tolist()
    (score,) = embedder_agreement(
        distances({"mel": dict(zip(names, one, strict=True)), "yamnet": dict(zip(names, two, strict=True))})
    )
    assert score.value == pytest.approx(kendalltau(one, two).statistic)
    assert score.low is not None
    assert score.high is not None
    assert all(a <= b for a, b in pairwise([-1.0, score.low, score.value, score.high, 1.0]))


def test_floors_are_no_models_that_embedders_rank() -> None:
    values = {"mel": {"a": 1, "b": 2, "baseline/noise": 90, "baseline/silence": 99}}
    values["yamnet"] = {"a": 2, "b": 1, "baseline/noise": 90, "baseline/silence": 99}
    (score,) = embedder_agreement(distances(values))
    assert (score.value, score.n) == (-1.0, 2)


def test_one_embedder_or_one_model_agrees_with_nothing() -> None:
    assert embedder_agreement(distances({"mel": {"a": 1, "b": 2}})) == []
    assert embedder_agreement(distances({"mel": {"a": 1}, "yamnet": {"a": 1}})) == []


def test_held_back_recordings_of_the_classes_are_the_ceiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clap:
        name, signature, quantum = "clap-laion", SIGNATURE, None

    labels = [probe.expect[0].label for probe in PROBES]  # type: ignore[union-attr]
    axes = np.eye(64, dtype=np.float32)
    names = [f"env/{label}/{number}.ogg" for label in labels for number in range(2)]
    clips = [axes[i // 2 : i // 2 + 1] for i in range(len(names))]
    held = [number % 2 == 1 for number in range(len(names))]
    save(tmp_path / "environment.clap-laion.npz", "environment", Clap(), names, clips, held)  # type: ignore[arg-type]
    monkeypatch.setenv("INNEREAR_REFERENCES", str(tmp_path))
    find_reference.cache_clear()
    try:
        heard = {f"a{i}": (i + 1) % 6 for i in range(6)}
        found = by_metric(clap_scores(group(list(heard)), {"clap-laion": (SIGNATURE, frames(heard))}))
        other = by_metric(clap_scores(group(list(heard)), {"clap-laion": ("clap-laion@other|", frames(heard))}))
    finally:
        find_reference.cache_clear()
    assert found["clap"].ceiling == {"real": 1.0}
    assert found["clap_rank"].ceiling == {"real": 1.0}
    assert found["clap_retrieval"].ceiling == {"real": 1.0}
    assert found["clap"].detail["real_clips"] == 6
    assert other["clap"].ceiling == {}  # a reference by other weights is no ceiling
