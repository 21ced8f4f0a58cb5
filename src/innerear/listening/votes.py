"""Answers to votes: each joined with what the key says of it; and whose are used.

A listener is left out by a rule that stands here, before anyone answered.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from innerear.checks import Transcript
from innerear.listening.coding import Coding, plain
from innerear.listening.files import Answer, Answers, Key, KeyClip, KeyTrial, Trial
from innerear.listening.results import Listener, Uncoded
from innerear.listening.sounds import CHECKS
from innerear.records import Probe
from innerear.report.validations import Kind

ANCHORS_RIGHT: Mapping[Kind, float] = {"identify": 2 / 3, "ab": 5 / 6, "rate": 2 / 3}
FEWEST_ANCHORS = 3
HIGH, LOW = 4, 2  # of five: a recording fits at least so well, and noise at most so well


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


def _said(probe: Probe) -> str:
    return next((plain(check.text) for check in probe.expect if isinstance(check, Transcript)), "")


def uncoded(votes: Sequence[Vote], captions: Mapping[str, str], coding: Coding) -> list[Uncoded]:
    """What was written that neither letters nor the coding settle, and by how many."""
    found: dict[tuple[str, str], int] = {}
    for vote in votes:
        if vote.answer.text is not None and vote.right is None:
            name = (vote.what.probe, plain(vote.answer.text))
            if name not in coding:
                found[name] = found.get(name, 0) + 1
    return [Uncoded(probe, captions.get(probe, ""), text, n) for (probe, text), n in sorted(found.items())]


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
