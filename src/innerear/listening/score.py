"""Score the answers of a listening test: what listeners identified, preferred, and how they rated it.

Every score is given with and without the listeners that the rule excludes. Completions without an
audible sound count as missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from innerear.listening import people
from innerear.listening.answers import Refused
from innerear.listening.coding import Coding
from innerear.listening.files import SCALES, Answers, Key, KeyClip, Unheard
from innerear.listening.results import Results
from innerear.listening.votes import Vote, guessers, judge, rule, uncoded, votes_of
from innerear.records import ALL, Scope, Score, Signature
from innerear.stats import wilson

ALL_TIERS = "all"


def score_answers(
    answers: Sequence[Answers], refused: Sequence[Refused], key: Key, coding: Coding | None = None
) -> Results:
    """Compute all scores of a test. `coding` says which written answers are right, if spelling does not settle it."""
    by_listener = {one.session: votes_of(one, key, coding) for one in answers}
    listeners = [judge(one, by_listener[one.session], key) for one in answers]
    used = [vote for one in listeners if not one.out for vote in by_listener[one.session]]
    every = [vote for votes in by_listener.values() for vote in votes]
    left_out = any(one.out for one in listeners)
    return Results(
        test=key.test.test,
        kind=key.test.kind,
        rule=rule(key),
        guessers=guessers(key),
        listeners=listeners,
        refused=list(refused),
        scores=scores(used, key),
        everyone=scores(every, key) if left_out else [],
        uncoded=uncoded(every, {probe.id: probe.caption for probe in key.probes}, coding or {}),
    )


def scores(votes: Sequence[Vote], key: Key) -> list[Score]:
    """Scores and agreement per tier, then over all tiers together."""
    rows: list[Score] = []
    tiers = list(dict.fromkeys(vote.clip.tier for vote in votes))
    for tier in [*tiers, *([ALL_TIERS] if len(tiers) > 1 else [])]:
        of_tier = [vote for vote in votes if tier in (ALL_TIERS, vote.clip.tier)]
        missing: dict[tuple[str, str], list[Unheard]] = {}
        for row in key.unheard:
            if tier in (ALL_TIERS, row.tier):
                missing.setdefault((row.model, row.strategy), []).append(row)
        scorer = _Tier(tier, of_tier, key, missing)
        rows += {"identify": scorer.identified, "ab": scorer.preferred, "rate": scorer.rated}[key.test.kind]()
        rows += scorer.agreement()
    return rows


class _Tier:
    """The votes of one tier, or of all."""

    def __init__(
        self, tier: str, votes: Sequence[Vote], key: Key, missing: Mapping[tuple[str, str], Sequence[Unheard]]
    ) -> None:
        self.tier, self.votes, self.key, self.missing = tier, votes, key, missing
        self.captions = {probe.id: probe.caption for probe in key.probes}
        self.how = Signature.of(test=key.test.test[:12], listeners=len({vote.listener for vote in votes}))

    def _entrants(self) -> Iterator[tuple[str, str, list[Vote]]]:
        by: dict[tuple[str, str], list[Vote]] = {}
        for vote in self.votes:
            if not vote.what.anchor and not vote.clip.anchor:
                by.setdefault(_who(vote.clip), []).append(vote)
        for (model, strategy), votes in sorted(by.items()):
            yield model, strategy, votes

    def _groups(self, votes: Sequence[Vote]) -> Iterator[tuple[Scope, list[Vote]]]:
        """All, then each family, then each probe."""
        yield ALL, list(votes)
        if self.tier == ALL_TIERS:
            return
        for name in dict.fromkeys(vote.clip.family for vote in votes):
            yield Scope("", name), [vote for vote in votes if vote.clip.family == name]
        for name in sorted({vote.what.probe for vote in votes}):
            yield Scope("probe", name), [vote for vote in votes if vote.what.probe == name]

    def _anchors(self, kind: str) -> list[Vote]:
        return [vote for vote in self.votes if vote.what.anchor and vote.clip.anchor == kind]

    def identified(self) -> list[Score]:
        """Share of answers that name the requested sound, with chance, noise and recordings for comparison."""
        rows = []
        for model, strategy, of_entrant in self._entrants():
            for group, votes in self._groups(of_entrant):
                known = [vote for vote in votes if vote.right is not None]
                options = [len(vote.trial.options) for vote in votes if vote.trial.options]
                how = "free-text" if self.key.test.free_text else f"options:{np.mean(options):.3g}"
                floor: dict[str, float | None] = {"chance": float(np.mean([1 / n for n in options]))} if options else {}
                named = [self._names_caption(v) for v in self._anchors("noise") if _in(v, group)]
                if named:
                    floor["noise"] = float(np.mean(named))
                real = [vote.right for vote in self._anchors("real") if _in(vote, group) and vote.right is not None]
                rows.append(
                    self._mean(
                        "identified", model, strategy, group, known, [float(v.right or 0) for v in known], how, True,
                        asked=len(votes), unit="share", floor=floor,
                        ceiling={"real": float(np.mean(real))} if real else {},
                    )
                )  # fmt: skip
        return rows

    def _names_caption(self, vote: Vote) -> bool:
        """Whether the answer is the caption of the probe, whatever sound was played."""
        if not vote.trial.options:
            return vote.right is False
        return [*vote.trial.options, ""][vote.answer.choice or 0] == self.captions[vote.what.probe]

    def rated(self) -> list[Score]:
        """Mean ratings on both scales, 1 to 5, with noise and recordings for comparison."""
        rows = []
        for model, strategy, of_entrant in self._entrants():
            for group, votes in self._groups(of_entrant):
                for scale in SCALES:
                    ends = {
                        kind: float(np.mean(values))
                        for kind in ("noise", "real")
                        if (values := [getattr(v.answer, scale) for v in self._anchors(kind) if _in(v, group)])
                    }
                    rows.append(
                        self._mean(
                            scale, model, strategy, group, votes, [float(getattr(v.answer, scale)) for v in votes],
                            "scale:1-5", False, unit="of 5",
                            floor={"noise": ends["noise"]} if "noise" in ends else {},
                            ceiling={"real": ends["real"]} if "real" in ends else {},
                        )
                    )  # fmt: skip
        return rows

    def _mean(
        self, metric: str, model: str, strategy: str, group: Scope, votes: Sequence[Vote], values: Sequence[float],
        how: str, share: bool, asked: int = 0, **more: object,
    ) -> Score:  # fmt: skip
        unheard = [row for row in self.missing.get((model, strategy), []) if _row_in(row, group)]
        if group.sort == "probe":  # a single probe: one sound, so only listeners vary
            bounds = wilson(round(sum(values)), len(values)) if share and values else None
            interval = people.Interval(*bounds, "ci:wilson") if bounds else None
            interval = interval or people.mean_interval(
                values, [v.listener for v in votes], [v.what.probe for v in votes]
            )
        else:
            interval = people.mean_interval(values, [v.listener for v in votes], [v.what.probe for v in votes], share)
        value = float(np.mean(values)) if values else None
        clips = len({vote.what.probe for vote in votes})
        detail: dict[str, object] = {"sounds": clips, "listeners": len({vote.listener for vote in votes})}
        if share and value is not None:
            detail["of_all"] = value * clips / (clips + len(unheard)) if clips + len(unheard) else None
        if asked > len(votes):
            detail["uncoded"] = asked - len(votes)
        return Score(
            metric, model, strategy, self.tier, value, len(values), len(unheard),
            str(Signature.of(metric, how).plus(self.how, interval.how if interval else "ci:none", v=1)),
            group=group, better="higher", low=interval.low if interval else None,
            high=interval.high if interval else None, detail=detail, **more,  # type: ignore[arg-type]
        )  # fmt: skip

    def preferred(self) -> list[Score]:
        """Bradley-Terry strengths and win rates, over all answers except those to anchor trials."""
        rows = []
        choices = list(self._choices())
        drawn = people.drawn(len({c.listener for c in choices}), len({c.probe for c in choices}))
        how = Signature.of("preferred", "bradley-terry", prior=f"{people.PRIOR_WINS:g}").plus(self.how, drawn, v=1)
        strengths = people.bradley_terry(choices)
        ends = {name: strengths[name].value for name in ("noise|", "real|") if name in strengths}
        for name, strength in strengths.items():
            model, _, strategy = name.partition("|")
            rows.append(
                Score(
                    "preferred", model, strategy, self.tier, strength.value, strength.of,
                    len(self.missing.get((model, strategy), [])),
                    str(how), unit="log-odds", better="higher", low=strength.low, high=strength.high,
                    floor={"noise": ends["noise|"]} if "noise|" in ends else {},
                    ceiling={"real": ends["real|"]} if "real|" in ends else {},
                    detail={"won": strength.won, "of": strength.of},
                )
            )  # fmt: skip
        return [*rows, *self._won()]

    def _choices(self) -> Iterator[people.Choice]:
        for vote in self.votes:
            if vote.what.anchor or vote.answer.choice is None:
                continue
            names = [f"{clip.model}|{clip.strategy}" for clip in vote.clips]
            winner, loser = names[vote.answer.choice], names[1 - vote.answer.choice]
            yield people.Choice(winner, loser, vote.listener, vote.what.probe)

    def _won(self) -> Iterator[Score]:
        """How often each model was preferred to another model (noise and recordings excluded)."""
        between = [v for v in self.votes if not v.what.anchor and not any(clip.anchor for clip in v.clips)]
        for model, strategy in sorted({_who(clip) for vote in between for clip in vote.clips}):
            of_entrant = [vote for vote in between if (model, strategy) in map(_who, vote.clips)]
            for group, votes in self._groups(of_entrant):
                won = [float(_who(v.clips[v.answer.choice or 0]) == (model, strategy)) for v in votes]
                yield self._mean(
                    "won", model, strategy, group, votes, won, "of:models", True, unit="share", floor={"chance": 0.5}
                )

    def agreement(self) -> list[Score]:
        """Krippendorff's alpha over sounds or pairs, without anchors, which would raise it."""
        votes = [vote for vote in self.votes if not vote.what.anchor]
        if self.key.test.kind == "rate":
            return [self._alpha(scale, "ordinal", votes, partial(_rating, scale)) for scale in SCALES]
        if self.key.test.free_text:
            return [self._alpha("right", "nominal", [v for v in votes if v.right is not None], lambda v: str(v.right))]
        return [self._alpha("choice", "nominal", votes, _chosen)]

    def _alpha(self, name: str, level: people.Level, votes: Sequence[Vote], of: Callable[[Vote], str]) -> Score:
        counts = np.zeros((0, 1))
        if votes:
            units, n_units = people.codes([vote.trial.id for vote in votes])
            values, n_values = people.codes([of(vote) for vote in votes])
            counts = np.zeros((n_units, n_values))
            np.add.at(counts, (units, values), 1.0)
        value = people.alpha(counts, level) if int(np.sum(counts.sum(axis=1) >= 2)) >= people.FEWEST else None
        interval = people.alpha_interval(counts, level) if value is not None else None
        low, high = (interval.low, interval.high) if interval else (None, None)
        several = int(np.sum(counts.sum(axis=1) >= 2))
        return Score(
            "alpha", "", "", self.tier, value, several, len(counts) - several,
            str(Signature.of("alpha", level, of=name).plus(self.how, interval.how if interval else "ci:none", v=1)),
            group=Scope("", name), better="higher", low=low, high=high,
            note="" if value is not None else "too few sounds with two or more listeners, or all answers are equal",
        )  # fmt: skip


def _who(clip: KeyClip) -> tuple[str, str]:
    return clip.model, clip.strategy


def _rating(scale: str, vote: Vote) -> str:
    return str(getattr(vote.answer, scale))


def _chosen(vote: Vote) -> str:
    """The chosen caption, or the index of the chosen sound."""
    choice = vote.answer.choice or 0
    return [*vote.trial.options, ""][choice] if vote.trial.options else str(choice)


def _in(vote: Vote, group: Scope) -> bool:
    """Whether an anchor is compared with this group: all anchors for all, a family's for a family."""
    return group in (ALL, vote.clip.family, vote.what.probe)


def _row_in(row: Unheard, group: Scope) -> bool:
    return group in (ALL, row.family, row.probe)
