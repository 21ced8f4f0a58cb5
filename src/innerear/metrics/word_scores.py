"""Scores of what a recogniser hears: words wrong by family, in noise, and which words and sounds are lost.

A rate is all errors over all words asked for; of one sound no more errors count than it has words, so
that a sentence that is made up weighs no more than silence. A sound that is not there has all its words
wrong. Intervals draw whole sentences: what says the same text is drawn together, since a hard sentence is
hard for whoever says it. Where Whisper cannot be had, the score says so and has no value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import comb
from typing import Any

import msgspec
import numpy as np

from innerear.metrics.base import Metric
from innerear.metrics.group import Group
from innerear.metrics.in_noise import STEPS_DB, threshold_db
from innerear.metrics.open_words import asked_text
from innerear.metrics.pronounce import CONSONANTS, PhoneError, phone_errors, pronunciations, where_in
from innerear.metrics.spelling import readings
from innerear.metrics.verified import shipped
from innerear.records import ALL, Measurement, Scope, Score, Status
from innerear.stats import SEED, Estimate, resampled_sums

NOT_ASKED = f"{Status.UNAVAILABLE}: no row yet; `innerear measure RUN` makes it"
UNVERIFIED = "shown, in no headline: this listener is not verified"
MOST_CONFUSIONS = 20
PLACES = ("initial", "medial", "final")
LEAST_P, FEWEST_WRONG = 0.05, 3
MANNERS = ("stop", "affricate", "fricative", "nasal", "approximant")


@dataclass(frozen=True)
class Said:
    """One sound of a text: its family, how many words were asked, and the row that says what was heard."""

    text: str
    family: str
    words: int
    row: Measurement | None
    steps: tuple[int, ...] = field(default=())

    def errors(self, step: str | None = None) -> int | None:
        """The words that are wrong, at most all; `None` where it was not measured."""
        if self.row is None:
            return None
        if self.row.status is Status.NO_SOUND:
            return self.words
        found = self.row.detail if step is None else self.row.detail.get("steps", {}).get(step, {})
        return min(int(found["errors"]), self.words) if "errors" in found else None


Rows = Sequence[tuple[str, Measurement]]
"""Rows of one metric, each with its probe's id."""


def word_rates(metric: Metric, group: Group, rows: Rows) -> Iterator[Score]:
    """The word error rates of a group of which texts are asked, for all of it and for each family."""
    said = [] if metric.on_request and not rows else list(_said(group, rows))
    for of, mine in _families(said):
        heard = [(one, errors) for one in mine if (errors := one.errors()) is not None]
        known = [one.row for one, _ in heard if one.row is not None]
        detail: dict[str, Any] = {
            "errors": sum(errors for _, errors in heard), "sounds": len(heard),
            "gated": sum(row.detail.get("gate", {}).get("voice") is False for row in known),
        }  # fmt: skip
        detail["uncapped"] = sum(int(row.detail.get("errors", one.words)) for one, _ in heard if (row := one.row))
        if of == "all":
            detail |= what_is_lost([(one.text, one.row.detail.get("wrong", ())) for one, _ in heard if one.row])
        yield _score(group, metric, metric.name, of, mine, heard, detail)


def _said(group: Group, rows: Rows) -> Iterator[Said]:
    """Each sound of a text."""
    asked = [(item.probe, text) for item in group.items if (text := asked_text(item.probe))]
    of_probe: dict[str, list[Measurement]] = {}
    for name, row in rows:
        of_probe.setdefault(name, []).append(row)
    for probe, text in asked:
        mine = of_probe.get(probe.id, [])
        yield Said(text, probe.family, len(readings(text)[0]), mine.pop(0) if mine else None)


def _families(said: Sequence[Said]) -> Iterator[tuple[Scope, list[Said]]]:
    if said:
        yield ALL, list(said)
    for family in dict.fromkeys(one.family for one in said):
        yield Scope("family", family), [one for one in said if one.family == family]


def _score(
    group: Group, metric: Metric, listener: str, of: Scope, asked: Sequence[Said], heard: Sequence[tuple[Said, int]],
    detail: dict[str, Any],
) -> Score:  # fmt: skip
    """All errors over all words, and its interval over sentences; `listener` is the name under which it is verified."""
    words, errors = sum(one.words for one, _ in heard), sum(count for _, count in heard)
    values = np.array([(count, one.words) for one, count in heard], dtype=np.float64).reshape(-1, 2)
    drawn = resampled_sums(values, [one.text for one, _ in heard], SEED)
    low, high = (None, None) if drawn is None else map(float, np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975]))
    found = Estimate(errors / words if words else None, low, high, "bootstrap-sentences")
    return group.score(
        metric.name, found, words, sum(one.words for one in asked) - words, metric.signature().plus("errors/words"),
        group=of, unit="WER", better="lower", note=_note(asked, listener), detail=detail,
    )  # fmt: skip


def _note(said: Sequence[Said], name: str) -> str:
    """What could not be measured here and why, and whether this listener counts."""
    rows = [one.row for one in said if one.row is not None]
    lacking = next((row.reason for row in rows if row.status is Status.UNAVAILABLE), "" if rows else NOT_ASKED)
    found = shipped().get(name)
    counts = found is not None and found.counts
    return "; ".join(filter(None, [lacking, "" if counts else UNVERIFIED]))


def noise_scores(metric: Metric, group: Group, rows: Rows, listener: str) -> Iterator[Score]:
    """The word error rate at each ratio, and the ratio at which half of the words are wrong.

    `listener`: the name under which the listener is verified.
    """
    for of, mine in _families(list(_said(group, rows)) if rows else []):
        by_step = {
            step: [(one, errors) for one in mine if (errors := one.errors(str(step))) is not None] for step in STEPS_DB
        }
        for step, heard in by_step.items():
            detail = {"snr_db": step, "sounds": len(heard)}
            score = _score(group, metric, listener, of, mine, heard, detail)
            yield msgspec.structs.replace(score, metric=f"{metric.name}_{step:+d}")
        if all(by_step.values()):
            yield _threshold(group, metric, listener, of, mine, [by_step[step] for step in STEPS_DB])


def _threshold(
    group: Group,
    metric: Metric,
    listener: str,
    of: Scope,
    asked: Sequence[Said],
    steps: Sequence[Sequence[tuple[Said, int]]],
) -> Score:
    """The ratio at which half of the words are wrong; outside of the steps it has no value, and the note says so."""
    texts = [one.text for one, _ in steps[0]]
    counts = np.array([[errors for _, errors in step] for step in steps], dtype=np.float64).T
    values = np.concatenate([counts, np.array([[one.words] for one, _ in steps[0]], dtype=np.float64)], axis=1)
    sums = values.sum(axis=0)
    value = float(threshold_db(sums[:-1] / sums[-1]))
    drawn = resampled_sums(values, texts, SEED)
    low = high = None
    reach = ""
    if drawn is not None:
        found = threshold_db(drawn[:, :-1] / drawn[:, -1:])
        low, high = (float(x) for x in np.quantile(found, [0.025, 0.975], method="nearest"))
        if not np.isfinite([low, high]).all():
            reach = f"95 % from {_outside(low)} to {_outside(high)}"
    said = "" if np.isfinite(value) else f"not measurable: {_outside(value)}"
    return group.score(
        "speech_reception_threshold", Estimate(_finite(value), _finite(low), _finite(high), "bootstrap-sentences"),
        int(sums[-1]), sum(one.words for one in asked) - int(sums[-1]),
        metric.signature().plus("half of the words", "interpolated"), group=of, unit="dB SNR", better="lower",
        note="; ".join(filter(None, [said, reach, _note(asked, listener)])),
        detail={"sounds": len(steps[0])},
    )  # fmt: skip


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def _outside(value: float) -> str:
    """A threshold in words.

    >>> _outside(float("inf")), _outside(float("-inf")), _outside(2.5)
    ('> 10 dB', '< -5 dB', '2.5 dB')
    """
    if np.isfinite(value):
        return f"{value:.1f} dB"
    return f"> {max(STEPS_DB)} dB" if value > 0 else f"< {min(STEPS_DB)} dB"


def what_is_lost(said: Sequence[tuple[str, Sequence[Sequence[str | None]]]]) -> dict[str, Any]:
    """The words that are heard as others, most frequent first, and what of their sounds is lost.

    `said`: each text with its pairs of a word asked and what was heard for it, of the words that are wrong. If there
    are more errors than words, the listener made up a text, which says nothing of the sounds; nor does a text of which
    no word was heard. Both are left out and counted (`made_up`, `unheard`).

    `phonemes` is over the words of which a pronouncing dictionary has both sides (`pairs`; `unknown`: those it does
    not have). `consonants` says for each place in the word, `manners` for each manner how many were asked, how many
    lost and how many changed into another; a word that was not heard at all counts in neither. `says` is what stands
    out, if anything does.
    """
    words: Counter[tuple[str, str]] = Counter()
    features: Counter[str] = Counter()
    phones: Counter[str] = Counter()
    sounds = Counter[tuple[str, str]]()
    known = unknown = made_up = unheard = 0
    for text, wrong in said:
        asked = Counter(readings(text)[0])
        if len(wrong) > asked.total():
            made_up += 1
            continue
        if len(wrong) == asked.total() and not any(other for _, other in wrong):
            unheard += 1
            continue
        words.update((one or "", other or "") for one, other in wrong)
        for one, other in wrong:
            asked.subtract((one or "").split())
            found = phone_errors(one, other) if one and other else None
            if one is None or other is None:
                continue
            known, unknown = known + (found is not None), unknown + (found is None)
            for error in found or ():
                features.update(f"{feature}, {error.where}" for feature in error.features)
                phones[f"{error.wanted or ''} > {error.heard or ''}"] += 1
            if found is not None:
                sounds.update(_asked(one))
                sounds.update(kind for error in found for kind in _wrong(error))
        for word, count in asked.items():
            for kind in _asked(word):
                sounds[kind] += max(0, count)
    return {
        "confusions": [[*pair, count] for pair, count in words.most_common(MOST_CONFUSIONS)],
        "made_up": made_up, "unheard": unheard,
        "phonemes": {
            "pairs": known, "unknown": unknown, "features": dict(features.most_common()),
            "phones": dict(phones.most_common(MOST_CONFUSIONS)),
            "consonants": {where: _counts(sounds, where) for where in PLACES},
            "manners": {manner: _counts(sounds, manner) for manner in MANNERS},
            "vowels": _counts(sounds, "vowel"),
            "says": _finding(sounds),
        },
    }  # fmt: skip


def _asked(word: str) -> Iterator[tuple[str, str]]:
    """What the sounds of a word count as: each consonant by its place and its manner, each vowel."""
    phones = next(iter(pronunciations(word)), ())
    for place, phone in enumerate(phones):
        for kind in kinds_of(phone, where_in(place, phones)):
            yield kind, "asked"


def _wrong(error: PhoneError) -> Iterator[tuple[str, str]]:
    if error.wanted is not None:
        for kind in kinds_of(error.wanted, error.where):
            yield kind, "lost" if error.heard is None else "changed"


def kinds_of(phone: str, where: str) -> tuple[str, ...]:
    """The kinds that a phoneme is counted in.

    >>> kinds_of("T", "final"), kinds_of("IY", "medial")
    (('final', 'stop'), ('vowel',))
    """
    return (where, CONSONANTS[phone][1]) if phone in CONSONANTS else ("vowel",)


def _counts(sounds: Counter[tuple[str, str]], kind: str) -> dict[str, int]:
    return {what: sounds[kind, what] for what in ("asked", "lost", "changed")}


def _finding(sounds: Counter[tuple[str, str]]) -> str:
    """What stands out: whether consonants go at one place of the word, or of one manner, more than elsewhere.

    Said, with its p, of three or more wrong ones, if Fisher's exact test has p < 0.05. There are eight comparisons,
    for which p is not corrected.
    """
    found = []
    for group, what, name in (
        (PLACES, ("lost",), "{} consonants are lost"),
        (MANNERS, ("lost", "changed"), "{}s are lost or heard as another sound"),
    ):
        for kind in group:
            mine = _wrong_of(sounds, [kind], what)
            rest = _wrong_of(sounds, [other for other in group if other != kind], what)
            p = more_often(*mine, *rest)
            if p < LEAST_P and mine[0] >= FEWEST_WRONG:
                counts = f"{mine[0]} of {mine[1]}, of the others {rest[0]} of {rest[1]}"
                found.append((p, f"{name.format(kind)}: {counts} (p = {p:.2g})"))
    return "; ".join(text for _, text in sorted(found))


def _wrong_of(sounds: Counter[tuple[str, str]], kinds: Sequence[str], what: Sequence[str]) -> tuple[int, int]:
    """How many sounds of these kinds are wrong, of how many that were asked."""
    asked = sum(sounds[kind, "asked"] for kind in kinds)
    return min(asked, sum(sounds[kind, way] for kind in kinds for way in what)), asked


def more_often(wrong: int, asked: int, other_wrong: int, other_asked: int) -> float:
    """Fisher's exact test, one-sided: how likely so many or more of the wrong ones fall on the first by chance.

    >>> round(more_often(3, 4, 1, 4), 4)
    0.2429
    """
    every, all_wrong = asked + other_asked, wrong + other_wrong
    ways = sum(comb(all_wrong, k) * comb(every - all_wrong, asked - k) for k in range(wrong, min(asked, all_wrong) + 1))
    return ways / comb(every, asked)
