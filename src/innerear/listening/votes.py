"""Join answers with the key, and decide which listeners' answers are used.

The exclusion rule is fixed here, before anyone has answered.
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
HIGH, LOW = 4, 2  # of 5: the lowest right rating of a recording's fit, the highest right one of noise


@dataclass(frozen=True)
class Vote:
    """One answer, joined with its entries in the key. `right`: `None` if there is no right answer or it is unknown."""

    listener: str
    answer: Answer
    trial: Trial
    what: KeyTrial
    clips: tuple[KeyClip, ...]
    right: bool | None

    @property
    def clip(self) -> KeyClip:
        """The sound, or the first of two."""
        return self.clips[0]


def votes_of(answers: Answers, key: Key, coding: Coding | None = None) -> list[Vote]:
    """Join a listener's answers with the key."""
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
    if clips[0].anchor == "noise":  # naming the caption is wrong; no other answer can be called right or wrong
        return False if coded else None
    return coded


def _said(probe: Probe) -> str:
    return next((plain(check.text) for check in probe.expect if isinstance(check, Transcript)), "")


def uncoded(votes: Sequence[Vote], captions: Mapping[str, str], coding: Coding) -> list[Uncoded]:
    """List the written answers that neither spelling nor the coding settles, with their counts."""
    counts: dict[tuple[str, str], int] = {}
    for vote in votes:
        if vote.answer.text is not None and vote.right is None:
            name = (vote.what.probe, plain(vote.answer.text))
            if name not in coding:
                counts[name] = counts.get(name, 0) + 1
    return [Uncoded(probe, captions.get(probe, ""), text, n) for (probe, text), n in sorted(counts.items())]


# ---- excluding listeners


def rule(key: Key) -> str:
    """Describe the exclusion rule in words."""
    kind = key.test.kind
    right = {
        "identify": "recordings named, noise called none of the captions",
        "ab": "the recording preferred to noise",
        "rate": f"fit of recordings rated {HIGH} or more of 5, of noise {LOW} or less",
    }[kind]
    words = f"left out: listeners with fewer than {ANCHORS_RIGHT[kind]:.0%} of their anchors right ({right})"
    words += f" if they heard {FEWEST_ANCHORS} or more"
    if key.test.headphones:
        words += f", and listeners who failed any of the {CHECKS} headphone checks"
    return words


def guessers(key: Key) -> float | None:
    """Probability that a listener who guesses passes the rule for anchors, averaged over forms."""
    trials = {trial.id: trial for trial in key.test.trials}
    passing = []
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
        passing.append(sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(least, n + 1)))
    return float(np.mean(passing)) if passing else None


def judge(answers: Answers, votes: Sequence[Vote], key: Key) -> Listener:
    """Decide whether a listener's answers are used."""
    anchors = [vote.right for vote in votes if vote.what.anchor and vote.right is not None]
    heard = [check.choice == key.headphones[check.clip] for check in answers.headphones]
    reasons = []
    if len(anchors) >= FEWEST_ANCHORS and sum(anchors) < ANCHORS_RIGHT[key.test.kind] * len(anchors) - 1e-9:
        reasons.append(f"{sum(anchors)} of {len(anchors)} anchors right")
    if key.test.headphones and sum(heard) < len(key.test.headphones):
        reasons.append(f"{sum(heard)} of {len(key.test.headphones)} headphone checks right")
    return Listener(
        answers.session, answers.listener, len(answers.answers), answers.complete, sum(anchors), len(anchors),
        sum(heard), len(heard), "; ".join(reasons), answers.comment,
    )  # fmt: skip
