"""Answers to scores: what people heard, preferred, and how they rated it; and whose answers can be used.

A listener is left out by a rule that stands here, before anyone answered; every score is given with
and without those left out. Sounds that nobody could hear (no sound, silence) count as missing.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from innerear.checks import Transcript
from innerear.errors import UsageError
from innerear.listening import people
from innerear.listening.answers import Refused
from innerear.listening.files import SCALES, Answer, Answers, Key, KeyClip, KeyTrial, Kind, Trial, Unheard
from innerear.listening.results import Listener, Results, Uncoded
from innerear.listening.sounds import CHECKS
from innerear.records import Probe, Score
from innerear.stats import wilson

ANCHORS_RIGHT: Mapping[Kind, float] = {"identify": 2 / 3, "ab": 5 / 6, "rate": 2 / 3}
FEWEST_ANCHORS = 3
HIGH, LOW = 4, 2  # of five: a recording fits at least so well, and noise at most so well
ALL = "all"


Coding = Mapping[tuple[str, str], bool]
"""For a probe and a text, in lower case, whether it is right."""


@dataclass(frozen=True)
class Vote:
    """One answer, joined with what the key says of it. `right`: where there is a right answer, and it is known."""

    listener: str
    answer: Answer
    trial: Trial
    what: KeyTrial
    clips: tuple[KeyClip, ...]
    right: bool | None

    @property
    def clip(self) -> KeyClip:
        """The sound, where there is one."""
        return self.clips[0]


def score_answers(
    answers: Sequence[Answers], refused: Sequence[Refused], key: Key, coding: Coding | None = None
) -> Results:
    """All scores of a test. `coding` says which written answers are right, where that is not a matter of letters."""
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
        uncoded=_uncoded(every, {probe.id: probe.caption for probe in key.probes}, coding or {}),
    )


# ---- whose answers are used


def rule(key: Key) -> str:
    """Who is left out, in words."""
    kind = key.test.kind
    right = {
        "identify": "name a recording, and find noise to be none of the captions",
        "ab": "prefer a recording to noise",
        "rate": f"find that a recording fits at least {HIGH}, and noise at most {LOW}, of 5",
    }[kind]
    words = f"left out: who does not {right} in at least {ANCHORS_RIGHT[kind]:.0%} of the anchors that they heard"
    words += f" (where those are {FEWEST_ANCHORS} or more)"
    if key.test.headphones:
        words += f", or hears the tone of the headphone check fewer than {CHECKS} times of {CHECKS}"
    return words


def guessers(key: Key) -> float | None:
    """How likely one who answers by chance is to keep to the rule for anchors, on average over forms."""
    trials = {trial.id: trial for trial in key.test.trials}
    found = []
    for form in key.test.forms:
        chances = [
            {"identify": 1 / (1 + len(trials[s.trial].options)), "ab": 1 / 2, "rate": 2 / 5}[key.test.kind]
            for s in form
            if key.trials[s.trial].anchor and not key.test.free_text
        ]
        if len(chances) < FEWEST_ANCHORS:
            return None
        n, p = len(chances), float(np.mean(chances))
        least = math.ceil(ANCHORS_RIGHT[key.test.kind] * n - 1e-9)
        found.append(sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(least, n + 1)))
    return float(np.mean(found)) if found else None


def judge(answers: Answers, votes: Sequence[Vote], key: Key) -> Listener:
    """Whether a listener's answers are used."""
    anchors = [vote.right for vote in votes if vote.what.anchor and vote.right is not None]
    heard = [check.choice == key.headphones[check.clip] for check in answers.headphones]
    reasons = []
    if len(anchors) >= FEWEST_ANCHORS and sum(anchors) < ANCHORS_RIGHT[key.test.kind] * len(anchors) - 1e-9:
        reasons.append(f"{sum(anchors)} of {len(anchors)} anchors right")
    if key.test.headphones and sum(heard) < len(key.test.headphones):
        reasons.append(f"the headphone check right {sum(heard)} times of {len(key.test.headphones)}")
    return Listener(
        answers.session, answers.listener, len(answers.answers), answers.complete, sum(anchors), len(anchors),
        sum(heard), len(heard), "; ".join(reasons), answers.comment,
    )  # fmt: skip


def votes_of(answers: Answers, key: Key, coding: Coding | None = None) -> list[Vote]:
    """A listener's answers, each joined with what the key says of it."""
    texts = {probe.id: said for probe in key.probes for said in [_said(probe)] if said}
    trials = {trial.id: trial for trial in key.test.trials}
    votes = []
    for answer in answers.answers:
        trial, what = trials[answer.trial], key.trials[answer.trial]
        clips = tuple(key.clips[clip] for clip in trial.clips)
        right = _right(answer, what, clips, key, texts, coding or {})
        votes.append(Vote(answers.session, answer, trial, what, clips, right))
    return votes


def _right(
    answer: Answer, what: KeyTrial, clips: tuple[KeyClip, ...], key: Key, texts: Mapping[str, str], coding: Coding
) -> bool | None:
    if key.test.kind == "rate":
        fit = answer.fit or 0
        return None if not what.anchor else fit >= HIGH if clips[0].anchor == "real" else fit <= LOW
    if answer.text is None:
        return None if what.right is None else answer.choice == what.right
    said = plain(answer.text)
    coded = coding.get((what.probe, said))
    if coded is None and what.probe in texts and texts[what.probe] in (said, said.removeprefix("the word ")):
        coded = True
    if clips[0].anchor == "noise":  # what names the caption is wrong; all else cannot be told from right
        return False if coded else None
    return coded


def plain(text: str) -> str:
    """A written answer in lower case, without punctuation.

    >>> plain("  The WORD:  'Yes!' ")
    'the word yes'
    """
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower()))


def _said(probe: Probe) -> str:
    return next((plain(check.text) for check in probe.expect if isinstance(check, Transcript)), "")


# ---- scores


def scores(votes: Sequence[Vote], key: Key) -> list[Score]:
    """The scores of what listeners answered, by tier and of all tiers together; then how they agree."""
    found: list[Score] = []
    tiers = list(dict.fromkeys(vote.clip.tier for vote in votes))
    for tier in [*tiers, *([ALL] if len(tiers) > 1 else [])]:
        mine = [vote for vote in votes if tier in (ALL, vote.clip.tier)]
        missing: dict[tuple[str, str], list[Unheard]] = {}
        for row in key.unheard:
            if tier in (ALL, row.tier):
                missing.setdefault((row.model, row.strategy), []).append(row)
        made = _Tier(tier, mine, key, missing)
        found += {"identify": made.identified, "ab": made.preferred, "rate": made.rated}[key.test.kind]()
        found += made.agreement()
    return found


class _Tier:
    """The votes of one tier, or of all."""

    def __init__(
        self, tier: str, votes: Sequence[Vote], key: Key, missing: Mapping[tuple[str, str], Sequence[Unheard]]
    ) -> None:
        self.tier, self.votes, self.key, self.missing = tier, votes, key, missing
        self.captions = {probe.id: probe.caption for probe in key.probes}
        self.how = f"test:{key.test.test[:12]}|listeners:{len({vote.listener for vote in votes})}"

    def _entrants(self) -> Iterator[tuple[str, str, list[Vote]]]:
        by: dict[tuple[str, str], list[Vote]] = {}
        for vote in self.votes:
            if not vote.what.anchor and not vote.clip.anchor:
                by.setdefault(_who(vote.clip), []).append(vote)
        for (model, strategy), mine in sorted(by.items()):
            yield model, strategy, mine

    def _groups(self, votes: Sequence[Vote]) -> Iterator[tuple[str, list[Vote]]]:
        """All, then each family, then each probe."""
        yield ALL, list(votes)
        if self.tier == ALL:
            return
        for name in dict.fromkeys(vote.clip.family for vote in votes):
            yield name, [vote for vote in votes if vote.clip.family == name]
        for name in sorted({vote.what.probe for vote in votes}):
            yield name, [vote for vote in votes if vote.what.probe == name]

    def _anchors(self, kind: str) -> list[Vote]:
        return [vote for vote in self.votes if vote.what.anchor and vote.clip.anchor == kind]

    def identified(self) -> list[Score]:
        """The share of answers that name what was asked for; beside chance, recordings, and noise so named."""
        found = []
        for model, strategy, mine in self._entrants():
            for group, votes in self._groups(mine):
                known = [vote for vote in votes if vote.right is not None]
                options = [len(vote.trial.options) for vote in votes if vote.trial.options]
                how = "free-text" if self.key.test.free_text else f"options:{np.mean(options):.3g}"
                floor: dict[str, float | None] = {"chance": float(np.mean([1 / n for n in options]))} if options else {}
                named = [self._names_caption(v) for v in self._anchors("noise") if _in(v, group)]
                if named:
                    floor["noise"] = float(np.mean(named))
                real = [vote.right for vote in self._anchors("real") if _in(vote, group) and vote.right is not None]
                found.append(
                    self._mean(
                        "identified", model, strategy, group, known, [float(v.right or 0) for v in known], how, True,
                        asked=len(votes), unit="share", floor=floor,
                        ceiling={"real": float(np.mean(real))} if real else {},
                    )
                )  # fmt: skip
        return found

    def _names_caption(self, vote: Vote) -> bool:
        """Whether the answer is the caption of the probe, whatever was heard."""
        if not vote.trial.options:
            return vote.right is False
        return [*vote.trial.options, ""][vote.answer.choice or 0] == self.captions[vote.what.probe]

    def rated(self) -> list[Score]:
        """The means of both scales, 1 to 5; beside noise and recordings."""
        found = []
        for model, strategy, mine in self._entrants():
            for group, votes in self._groups(mine):
                for scale in SCALES:
                    ends = {
                        kind: float(np.mean(values))
                        for kind in ("noise", "real")
                        if (values := [getattr(v.answer, scale) for v in self._anchors(kind) if _in(v, group)])
                    }
                    found.append(
                        self._mean(
                            scale, model, strategy, group, votes, [float(getattr(v.answer, scale)) for v in votes],
                            "scale:1-5", False, unit="of 5",
                            floor={"noise": ends["noise"]} if "noise" in ends else {},
                            ceiling={"real": ends["real"]} if "real" in ends else {},
                        )
                    )  # fmt: skip
        return found

    def _mean(
        self, metric: str, model: str, strategy: str, group: str, votes: Sequence[Vote], values: Sequence[float],
        how: str, share: bool, asked: int = 0, **more: object,
    ) -> Score:  # fmt: skip
        unheard = [row for row in self.missing.get((model, strategy), []) if _row_in(row, group)]
        if "/" in group:  # a probe: one sound, so listeners are all there is to draw
            right = sum(values)
            reach = wilson(round(right), len(values)) if share and values else None
            interval = people.Interval(*reach, "ci:wilson") if reach else None
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
            f"{metric}|{how}|{self.how}|{interval.how if interval else 'ci:none'}|v:1",
            group=group, better="higher", low=interval.low if interval else None,
            high=interval.high if interval else None, detail=detail, **more,  # type: ignore[arg-type]
        )  # fmt: skip

    def preferred(self) -> list[Score]:
        """Strengths by Bradley and Terry, and how often each won, over all answers but those to anchors."""
        found = []
        choices = list(self._choices())
        made = people.bradley_terry(choices)
        ends = {name: made[name].value for name in ("noise|", "real|") if name in made}
        for name, strength in made.items():
            model, _, strategy = name.partition("|")
            found.append(
                Score(
                    "preferred", model, strategy, self.tier, strength.value, strength.of,
                    len(self.missing.get((model, strategy), [])),
                    f"preferred|bradley-terry|prior:{people.PRIOR_WINS:g}|{self.how}"
                    f"|{people.drawn(len({c.listener for c in choices}), len({c.probe for c in choices}))}|v:1",
                    unit="log-odds", better="higher", low=strength.low, high=strength.high,
                    floor={"noise": ends["noise|"]} if "noise|" in ends else {},
                    ceiling={"real": ends["real|"]} if "real|" in ends else {},
                    detail={"won": strength.won, "of": strength.of},
                )
            )  # fmt: skip
        return [*found, *self._won()]

    def _choices(self) -> Iterator[people.Choice]:
        for vote in self.votes:
            if vote.what.anchor or vote.answer.choice is None:
                continue
            names = [f"{clip.model}|{clip.strategy}" for clip in vote.clips]
            winner, loser = names[vote.answer.choice], names[1 - vote.answer.choice]
            yield people.Choice(winner, loser, vote.listener, vote.what.probe)

    def _won(self) -> Iterator[Score]:
        """How often each model was preferred to another model."""
        between = [v for v in self.votes if not v.what.anchor and not any(clip.anchor for clip in v.clips)]
        for model, strategy in sorted({_who(clip) for vote in between for clip in vote.clips}):
            mine = [vote for vote in between if (model, strategy) in map(_who, vote.clips)]
            for group, votes in self._groups(mine):
                won = [float(_who(v.clips[v.answer.choice or 0]) == (model, strategy)) for v in votes]
                yield self._mean(
                    "won", model, strategy, group, votes, won, "of:models", True, unit="share", floor={"chance": 0.5}
                )

    def agreement(self) -> list[Score]:
        """Krippendorff's alpha of the answers to each sound or pair, anchors left out: they would raise it."""
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
            f"alpha|{level}|of:{name}|{self.how}|{interval.how if interval else 'ci:none'}|v:1",
            group=name, better="higher", low=low, high=high,
            note="" if value is not None else "too few sounds that two listeners heard, or all answers are one",
        )  # fmt: skip


def _who(clip: KeyClip) -> tuple[str, str]:
    return clip.model, clip.strategy


def _rating(scale: str, vote: Vote) -> str:
    return str(getattr(vote.answer, scale))


def _chosen(vote: Vote) -> str:
    """The caption that was chosen, or which of two sounds."""
    choice = vote.answer.choice or 0
    return [*vote.trial.options, ""][choice] if vote.trial.options else str(choice)


def _in(vote: Vote, group: str) -> bool:
    """Whether an anchor stands beside a group: the whole tier's anchors for all, a family's for a family."""
    return group in (ALL, vote.clip.family, vote.what.probe)


def _row_in(row: Unheard, group: str) -> bool:
    return group in (ALL, row.family, row.probe)


# ---- written answers


def _uncoded(votes: Sequence[Vote], captions: Mapping[str, str], coding: Coding) -> list[Uncoded]:
    found: dict[tuple[str, str], int] = {}
    for vote in votes:
        if vote.answer.text is not None and vote.right is None:
            name = (vote.what.probe, plain(vote.answer.text))
            if name not in coding:
                found[name] = found.get(name, 0) + 1
    return [Uncoded(probe, captions.get(probe, ""), text, n) for (probe, text), n in sorted(found.items())]


COLUMNS = ("probe", "caption", "text", "count", "right")


def write_coding(path: Path, rows: Sequence[Uncoded]) -> None:
    """A table to be filled in by someone who does not know whose sounds they were: `right` is 1 or 0."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        # a cell that a spreadsheet would take for a formula starts with an apostrophe
        writer.writerows([row.probe, row.caption, _inert(row.text), row.count, ""] for row in rows)


def _inert(text: str) -> str:
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


def read_coding(path: Path) -> dict[tuple[str, str], bool]:
    """Read the table that `write_coding` wrote, with `right` filled in; rows without it stay uncoded.

    Raises:
        UsageError: it is no such table; the message has the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as a table: {error}") from error
    coded = {}
    for number, row in enumerate(rows, 2):
        right = (row.get("right") or "").strip()
        if right not in ("", "0", "1") or not row.get("probe") or row.get("text") is None:
            raise UsageError(f"{path}, line {number}: wanted probe, text, and right as 1 or 0 or empty; got {right!r}")
        if right:
            coded[str(row["probe"]), plain(str(row["text"]))] = right == "1"
    return coded
