"""Three sounds of a run to play first: the best, the worst, and the most surprising, each by a stated rule."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import msgspec

from innerear.records import Probe, Score, checked
from innerear.report.data import Item
from innerear.scores.ends import end_name
from innerear.scores.scorecard import EARS


class Highlight(msgspec.Struct, frozen=True):
    """A sound to play: its index among the items, why it was chosen, and what was measured of it."""

    name: str
    item: int
    rule: str
    said: str


class _Heard(msgspec.Struct, frozen=True):
    """A sound of the model: counted checks passed, of how many, and its rank among recordings (0.5 is typical)."""

    item: int
    passed: int
    of: int
    rank: float | None


def highlights(
    items: Sequence[Item], probes: Collection[Probe], scores: Sequence[Score], recorded: Collection[str]
) -> list[Highlight]:
    """Up to three sounds of the first model that is not a floor or ceiling.

    Only sounds with a counted check are chosen from; if any of them has a recording to play next to it (`recorded`,
    probe ids), only those that do.
    """
    every = _heard(items, probes, scores)
    heard = [one for one in every if items[one.item].completion.probe in recorded] or every
    found: list[Highlight] = []

    def take(name: str, rule: str, among: Sequence[_Heard], key: Callable[[_Heard], tuple[float, ...]]) -> None:
        left = [one for one in among if one.item not in {chosen.item for chosen in found}]
        if left:
            best = max(left, key=key)
            found.append(Highlight(name, best.item, rule, _said(best)))

    known = [one for one in heard if one.rank is not None]
    right = [one for one in heard if one.passed == one.of]
    wrong = [one for one in heard if not one.passed]
    closest, farthest = (
        (f"of these, the {end} recordings of its class" if known else "of these, the one with the most checks")
        for end in ("closest to", "farthest from")
    )
    take(
        "Best", f"passes all of its checks; {closest}", right,
        lambda one: (one.rank if one.rank is not None else -1.0, one.of),
    )  # fmt: skip
    take(
        "Worst", f"passes none of its checks; {farthest}", wrong,
        lambda one: (-one.rank if one.rank is not None else -2.0, one.of),
    )  # fmt: skip
    nearest = max((one for one in known if one.passed < one.of), key=lambda one: one.rank or 0.0, default=None)
    if nearest is not None and (nearest.rank or 0.0) >= 0.5:
        take(
            "Most surprising", "fails a check, though no farther from recordings of its class than most of them are",
            [nearest], lambda one: (0.0,),
        )  # fmt: skip
    else:
        take(
            "Most surprising", "passes all of its checks, though far from every recording of its class",
            [one for one in known if one.passed == one.of], lambda one: (-(one.rank or 0.0), one.of),
        )  # fmt: skip
    return found


def _heard(items: Sequence[Item], probes: Collection[Probe], scores: Sequence[Score]) -> list[_Heard]:
    model = next((item.completion.model for item in items if not end_name(item.completion.model)), None)
    by_id = {probe.id: probe for probe in probes}
    ranks = _ranks([s for s in scores if s.metric == "proximity" and s.model == model])
    heard = []
    for place, item in enumerate(items):
        if item.completion.model != model or not item.audio:
            continue
        rows = checked(by_id[item.completion.probe], item.measurements)
        passed = [row.passed for check, row in rows if check.headline and row.passed is not None]
        attempt = item.completion.attempt
        name = f"{item.completion.probe}#{attempt}" if attempt else item.completion.probe
        if passed:
            heard.append(_Heard(place, sum(passed), len(passed), ranks.get(name)))
    return heard


def _ranks(proximity: Sequence[Score]) -> dict[str, float]:
    """The rank of each sound among recordings, by the first of the ears that has one."""
    order = [ear for ear in reversed(EARS) if any(s.embedder == ear for s in proximity)]
    return {
        name: rank
        for ear in order
        for s in proximity
        if s.embedder == ear
        for name, (rank, _) in s.detail.get("each", {}).items()
    }


def _said(one: _Heard) -> str:
    checks = f"passes {one.passed} of {one.of} check{'s' if one.of != 1 else ''}"
    if one.rank is None:
        return checks
    return f"{checks}; {one.rank:.0%} of recordings are as far from their class"
