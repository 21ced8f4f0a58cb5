"""`swap/OTHER-MODEL`: a floor. Answers each probe with OTHER's completion for a different probe.

Within a tier the set of sounds is the same; only the probes are permuted. A model reaches this score
without understanding the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from innerear import checks
from innerear.ask.models.base import Local, Options, Reply
from innerear.records import TIERS, Completion, Message, Probe, digest

SEED = 1


class Swap(Local):
    """OTHER's completions, each given to another probe of the tier (see `derange`)."""

    def __init__(self, other: str, options: Options) -> None:
        self.name = f"swap/{other}"
        self.after: str | None = other
        self._donors: dict[str, str] = {}
        self._answers: dict[tuple[str, int], Completion] = {}

    def prepare(self, probes: Sequence[Probe], completions: Iterable[Completion]) -> None:
        """Pair the probes, and index OTHER's completions; the first per probe and attempt counts."""
        self._donors = derange(probes)
        self._answers = {}
        for completion in completions:
            if completion.model == self.after:
                self._answers.setdefault((completion.probe, completion.attempt), completion)

    def _donated(self, probe: Probe, attempt: int) -> Completion | None:
        donor = self._donors.get(probe.id)
        return self._answers.get((donor, attempt)) if donor else None

    def identity(self, probe: Probe, attempt: int) -> str | None:
        """The key of the other probe's completion; `None` if there is none."""
        completion = self._donated(probe, attempt)
        return completion.key if completion else None

    async def ask(self, probe: Probe, messages: Sequence[Message], attempt: int) -> Reply:
        """The other probe's answer."""
        completion = self._donated(probe, attempt)
        assert completion is not None, "generate asks only where there is an identity"
        return Reply(completion.text, completion.finish_reason, recording=completion.recording)


def derange(probes: Sequence[Probe]) -> dict[str, str]:
    """Permute the probes within each tier so that no probe keeps its place.

    Pairs share as little as possible of what the checks ask for (class, instrument, words, vowel, pitch),
    then have similar durations; ties are broken with a fixed seed. A tier with a single probe is left
    out. The optimum, by `scipy.optimize.linear_sum_assignment`.
    """
    from scipy.optimize import linear_sum_assignment

    pairs: dict[str, str] = {}
    for tier in TIERS:
        members = [probe for probe in probes if probe.tier == tier]
        if len(members) < 2:
            continue
        asked = [nameable(probe) for probe in members]
        shared = np.array([[len(a & b) for b in asked] for a in asked])
        seconds = np.array([probe.duration_s for probe in members])
        rng = np.random.default_rng([SEED, int(digest(tier)[:8], 16)])
        cost = 1e3 * shared + np.abs(seconds[:, None] - seconds) + 1e-3 * rng.random(shared.shape)
        np.fill_diagonal(cost, 1e9)
        for probe, other in zip(members, linear_sum_assignment(cost)[1], strict=True):
            pairs[probe.id] = members[other].id
    return pairs


def nameable(probe: Probe) -> set[tuple[str, Any]]:
    """The attributes that a listener could name in this probe's sound."""
    named: set[tuple[str, Any]] = set()
    for check in probe.expect:
        match check:
            case checks.Label():
                named.add(("label", check.label))
            case checks.Sequence() | checks.Together():
                named.update(("label", label) for label in check.labels)
            case checks.Instrument():
                named.add(("instrument", check.family))
            case checks.Transcript(text=text) | checks.Words(text=text) | checks.Rhyme(word=text):
                named.update(("word", word) for word in text.lower().split())
            case checks.Tune(title=title):
                named.add(("tune", title))
            case checks.Decoded(text=text):
                named.add(("payload", text))
            case checks.Rate(hz=hz):
                named.add(("rate", hz))
            case checks.Speaker(kind=kind):
                named.add(("speaker", kind))
            case checks.Vowel():
                named.add(("vowel", check.ipa))
            case checks.Pitch():
                named.add(("pitch", round(12 * np.log2(check.f0_hz / 440)) % 12))
            case _:
                pass
    return named
