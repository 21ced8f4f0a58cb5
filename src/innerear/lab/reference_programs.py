"""Run the reference programs and measure each with all checks of its probe."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from innerear.languages import Language
from innerear.metrics.base import Sound
from innerear.metrics.measure import measure
from innerear.metrics.signal import right_length
from innerear.metrics.verified import counts_in
from innerear.programs.bank import Reference, bank
from innerear.programs.guard import guarded
from innerear.records import Limits, Outcome, Program, Render
from innerear.render.render import load, render_all
from innerear.run.keys import render_key
from innerear.scores.score import AUDIBLE_DBFS

FALLS_SHORT = {
    "notes/instrument/piano-c4": {"instrument"},
    "notes/articulation/glissando": {"instrument"},
    "notes/chord/c-major": {"instrument"},
    "environment/animals/frog": {"label"},
    "environment/human/footsteps": {"label"},
    "environment/domestic/door-wood-knock": {"label"},
    "environment/scene/five-knocks": {"label"},  # by two ears too: five single knocks are a clock or steps
    "speech/sentence/harvard-1-01": {"transcript"},
    "speech/speaker/woman": {"words"},
}
"""Kinds of check that a reference program in Python fails, of `label` and `instrument` by one ear alone.

Those are known by two ears, but by five-knocks: the fit of a single ear is coarser.
"""


@dataclass(frozen=True)
class Verdict:
    """What came of one reference program; each list names kinds of check, `failed` with the reason.

    `counted`: whether it passes all checks that count in headlines; `None` without such a check.
    """

    probe: str
    outcome: Outcome
    reason: str
    audible: bool
    right_length: bool
    passed: list[str]
    failed: list[str]
    not_measured: list[str]
    counted: bool | None = None
    language: Language = "python"

    @property
    def holds(self) -> bool:
        """Whether it runs, is heard, is as long as asked, and fails no check but where it is known to fall short."""
        failed = {what.split()[0] for what in self.failed}
        known = FALLS_SHORT.get(self.probe, set()) if self.language == "python" else set()
        return self.outcome is Outcome.OK and self.audible and self.right_length and failed <= known

    def line(self) -> str:
        """All of it in one line."""
        said = [] if self.outcome is Outcome.OK else [f"{self.outcome}: {self.reason}"]
        said += [] if self.audible else ["not audible"]
        said += [] if self.right_length else ["not as long as asked"]
        said += [f"{'falls short of' if self.holds else 'fails'} {what}" for what in self.failed]
        said += [f"passes {', '.join(self.passed)}"] if self.passed else []
        said += [f"not measured here: {', '.join(self.not_measured)}"] if self.not_measured else []
        where = "" if self.language == "python" else f"{self.language:10} "
        return f"{'ok' if self.holds else 'no':3} {where}{self.probe:36} {'; '.join(said)}"


def verify(
    references: Sequence[Reference] | None = None, jail: str = "auto", language: Language = "python"
) -> Iterator[Verdict]:
    """A verdict on each program: all of the bank of a language by default.

    Raises:
        JailUnavailable: this machine cannot isolate programs, or a tool of their language is not here.
    """
    chosen = bank(language) if references is None else references
    for reference, sound in sounds(chosen, jail):
        yield _judge(reference, sound)


def sounds(references: Sequence[Reference], jail: str = "auto") -> Iterator[tuple[Reference, Sound]]:
    """Run reference programs and yield each with its sound.

    Raises:
        JailUnavailable: as for `verify`.
    """
    for language in dict.fromkeys(reference.language for reference in references):
        yield from _sounds([reference for reference in references if reference.language == language], jail, language)


def _sounds(chosen: Sequence[Reference], jail: str, language: Language) -> Iterator[tuple[Reference, Sound]]:
    from innerear.jail import open_jail

    limits = Limits()
    programs = [
        guarded(Program(reference.code, duration_s=reference.probe.duration_s, language=language))
        for reference in chosen
    ]
    with tempfile.TemporaryDirectory() as folder:
        audio = Path(folder)
        rows: dict[str, Render] = {}
        render_all(
            programs,
            lambda row: rows.update({row.key: row}),
            audio,
            limits,
            open_jail=lambda: open_jail(jail, language=language),
        )
        for reference, program in zip(chosen, programs, strict=True):
            row = rows[render_key(program, limits, 0)]
            yield reference, Sound(reference.probe, row, load(row, audio) if row.audio else None)


def _judge(reference: Reference, sound: Sound) -> Verdict:
    probe, row = reference.probe, sound.render
    measured = [row for row in measure(probe.id, sound) if row.check is not None]
    counting = [
        row.passed
        for row in measured
        if row.passed is not None and counts_in(probe, probe.expect[row.check or 0], row.detail)[0]
    ]
    level = row.levels.rms_dbfs if row.levels else None
    return Verdict(
        probe=probe.id,
        outcome=row.outcome,
        reason=row.reason,
        audible=level is not None and level >= AUDIBLE_DBFS,
        right_length=row.duration_s is not None and right_length(row.duration_s, probe.duration_s),
        passed=[m.metric for m in measured if m.passed],
        failed=[f"{m.metric} ({m.reason or m.value})" for m in measured if m.passed is False],
        not_measured=[m.metric for m in measured if m.passed is None],
        counted=all(counting) if counting else None,
        language=reference.language,
    )
