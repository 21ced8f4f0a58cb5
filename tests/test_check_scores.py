"""Scores from checks, on made-up outcomes of real probes."""

import pytest
from msgspec.structs import replace

from innerear import suite
from innerear.checks import kind
from innerear.metrics.ears import with_ears
from innerear.metrics.verified import counts_in, in_headline
from innerear.records import Completion, Item, Measurement, Outcome, Program, Render, Scope, Status, digest
from innerear.scores.checks import check_scores
from innerear.scores.comparisons import comparisons
from innerear.scores.ends import with_ends
from innerear.scores.groups import groups_of

PROBES = suite.edition("1").probes
NOTES = [p for p in PROBES if p.tier == "notes" and any(counts_in(p, check)[0] for check in p.expect)]


def made(model, probes, passes, attempts=1):
    """Items of a model, with rows of their checks that pass as `passes(place, attempt)` says."""
    items = []
    for place, probe in enumerate(probes):
        for attempt in range(attempts):
            key = digest(model, probe.id, attempt)
            completion = Completion(key, probe.id, model, "direct", attempt, [], "")
            passed = bool(passes(place, attempt))
            rows = [Measurement("k", key, "m", 0.0, passed, check=index) for index in range(len(probe.expect))]
            items.append(Item(probe, completion, Program("x"), Render(key, key, Outcome.OK), rows))
    return items


def scored(*sets):
    groups = list(groups_of([item for items in sets for item in items]))
    return with_ends([score for group in groups for score in check_scores(group)]), comparisons(groups)


def changed(items, row):
    """The items with other rows: `row(check, old)`."""
    return [replace(item, measurements=[row(check, old) for check, old in item.checked]) for item in items]


def the(scores, **wanted):
    return next(s for s in scores if all(getattr(s, name) == value for name, value in wanted.items()))


def test_a_sound_passes_where_every_check_that_counts_is_passed():
    scores, _ = scored(made("m", NOTES, lambda place, _: place % 4 == 0))
    share = sum(place % 4 == 0 for place in range(len(NOTES))) / len(NOTES)
    assert the(scores, metric="passed", group="all").value == pytest.approx(share)
    assert the(scores, metric="passed", group="all").n == len(NOTES)


@pytest.mark.parametrize("all_pass", [True, False])
def test_the_interval_of_checks_that_all_or_none_pass_is_as_wide_as_their_probes_allow(all_pass):
    scores, _ = scored(made("m", NOTES[:10], lambda *_: all_pass))
    checks, passed = (the(scores, metric=name, group="all") for name in ("checks", "passed"))
    assert checks.n > passed.n == 10
    assert (checks.low, checks.high) == pytest.approx((passed.low, passed.high))
    assert checks.high - checks.low == pytest.approx(0.278, abs=0.001)


def test_what_does_not_count_changes_no_sum():
    scores, _ = scored(
        changed(
            made("m", NOTES, lambda *_: True),
            lambda check, row: row if in_headline(check, "notes")[0] else replace(row, passed=False),
        )
    )
    assert the(scores, metric="checks", group="all").value == 1
    assert "not counted" in the(scores, metric="instrument").note


def test_families_and_levels_add_up_to_the_tier():
    scores, _ = scored(made("m", NOTES, lambda place, _: place % 3))
    whole = the(scores, metric="checks", group="all")
    for sort in ("family", "level"):
        parts = [s for s in scores if s.metric == "checks" and s.group.sort == sort]
        assert sum(part.n for part in parts) == whole.n
        assert sum(part.n * part.value for part in parts) == pytest.approx(whole.n * whole.value)


def test_pass_at_k_rises_with_k_and_is_there_only_with_attempts():
    scores, _ = scored(made("m", NOTES, lambda place, attempt: (place + attempt) % 3 == 0, attempts=3))
    assert [the(scores, metric=f"pass@{k}").value for k in (1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1.0])
    alone, _ = scored(made("m", NOTES, lambda *_: True))
    assert not [s for s in alone if s.metric.startswith("pass@")]


def test_informed_stands_among_the_floors_and_moves_no_scale():
    scores, _ = scored(
        made("m", NOTES, lambda place, _: place % 2),
        made("baseline/noise", NOTES, lambda *_: False),
        made("baseline/informed", NOTES, lambda place, _: place % 4),
    )
    score = the(scores, model="m", metric="passed", group="all")
    assert set(score.floor) == {"noise", "informed"}
    assert score.detail["normalised_between"] == [0, 1]
    assert score.detail["normalised"] == pytest.approx(score.value)


def test_two_models_are_compared_probe_by_probe_and_the_baseline_comes_second():
    _, compared = scored(made("baseline/noise", NOTES, lambda *_: False), made("m", NOTES, lambda *_: True))
    score = the(compared, metric="checks_difference")
    assert (score.model, score.group, score.value, score.n) == ("m", Scope("vs", "baseline/noise"), 1, len(NOTES))
    assert score.detail["p_holm"] < 0.001


def test_a_tier_with_few_checks_that_count_stands_in_no_trend():
    _, compared = scored(made("m", PROBES, lambda *_: True))
    counted = {
        tier: sum(any(counts_in(p, check)[0] for check in p.expect) for p in PROBES if p.tier == tier)
        >= 0.5 * sum(p.tier == tier for p in PROBES)
        for tier in ("notes", "environment", "speech")
    }
    trends = [score for score in compared if score.metric == "tier_trend"]
    assert bool(trends) == (sum(counted.values()) > 1)
    for trend in trends:
        assert set(trend.detail["tiers"]) == {tier for tier, enough in counted.items() if enough}


def test_of_two_tiers_the_trend_names_both_and_claims_no_more():
    few = [p for p in PROBES if p.tier == "environment" and any(counts_in(p, check)[0] for check in p.expect)]
    both = [*NOTES, *few]
    _, compared = scored(made("m", both, lambda place, _: place < len(NOTES)))
    trend = the(compared, metric="tier_trend")
    assert trend.note.startswith("worse in environment than in notes")


def without(items, lacks, why="not measured here: YAMNet's weights are missing"):
    """The same on a machine that lacks what the checks of some places need."""

    def lacking(check, row):
        return replace(row, value=None, passed=None, reason=why, status=Status.UNAVAILABLE)

    return [changed([item], lacking)[0] if lacks(place) else item for place, item in enumerate(items)]


def test_a_rate_over_fewer_checks_than_there_are_says_how_many_were_not_run_and_why():
    every = the(scored(made("m", NOTES, lambda *_: True))[0], metric="checks", group="all")
    scores, _ = scored(without(made("m", NOTES, lambda *_: True), lambda place: place % 4 == 0))
    for name in ("checks", "passed"):
        score = the(scores, metric=name, group="all")
        checks = the(scores, metric="checks", group="all")
        assert score.note == (
            f"{checks.n} of {every.n} checks run; {every.n - checks.n} not run: YAMNet's weights are missing"
        )
    assert checks.missing == every.n - checks.n > 0
    assert every.note == ""


def test_what_was_not_measured_yet_is_named_as_not_run():
    first, *others = made("m", NOTES[:20], lambda *_: True)
    note = the(scored([replace(first, measurements=[]), *others])[0], metric="checks", group="all").note
    assert note.endswith("not run: not measured yet")


def test_a_rate_of_a_tier_over_few_checks_says_that_it_is_no_headline():
    few, enough = (scored(made("m", NOTES[:n], lambda *_: True))[0] for n in (3, 20))
    assert "too few for a headline" in the(few, metric="checks", group="all").note
    assert the(enough, metric="checks", group="all").note == ""


@pytest.mark.parametrize("ears", ["both", "yamnet", "aisfx"])
def test_missing_and_silent_sounds_count_as_those_that_the_ears_of_the_run_heard(ears):
    """A model of whose programs a third crash is judged on as many checks as one whose programs all run."""
    probes = [p for p in PROBES if p.id.startswith("environment/") and any(kind(c) == "label" for c in p.expect)]

    def run(model, crashes):
        return [
            changed([item], lambda _, row, n=n: replace(row, detail=heard(crashes(n))))[0]
            for n, item in enumerate(made(model, probes, lambda place, _: not crashes(place)))
        ]

    def heard(crashed):
        return {"heard": None} if crashed else {"heard": "rain", "identity": 0.5, "ears": ears}

    every, some = run("every", lambda _: False), run("some", lambda place: place % 3 == 0)
    scores, _ = scored(with_ears(every + some))
    ns = {model: the(scores, model=model, metric="checks", group="all").n for model in ("every", "some")}
    assert ns["every"] == ns["some"]
    fewer = sum(not counts_in(p, check, {"ears": ears})[0] for p in probes for check in p.expect)
    assert ns["every"] == sum(len(p.expect) for p in probes) - fewer
    assert with_ears(some) != some
    assert with_ears(replace(item, measurements=[]) for item in some) == [replace(i, measurements=[]) for i in some]
