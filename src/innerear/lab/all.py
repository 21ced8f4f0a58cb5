"""Verify all checks: rule-based ones on sounds of known truth, fitted ones on held-out sounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress

from innerear import suite
from innerear.compute.threads import ordered
from innerear.errors import WeightsUnavailable
from innerear.lab.identity import Ears, by_ear
from innerear.lab.sounds import Bank
from innerear.lab.trials import KINDS, trials
from innerear.metrics.base import Sound
from innerear.metrics.registry import metric_of
from innerear.metrics.verified import SHOWN, TRUE, Cell, Trial, Verified, in_order, variant
from innerear.records import Outcome, Probe, Render, Status
from innerear.run.parts import write_whole

FITTED = ("instrument", "label")
BY_FIT = {"sequence": "label", "together": "label"}
"""Kinds that the classifier of another kind judges; they are verified with its fits."""


def kinds() -> tuple[str, ...]:
    """The kinds that can be verified."""
    return (*KINDS, *FITTED, *BY_FIT, "transcript", "words", "rhyme", "rhyme:digits")


def verify_all(
    chosen: Sequence[str], bank: Bank | None, keep: Callable[[Trial, bool], None] | None = None
) -> dict[str, Verified]:
    """Results by variant. Checks that need recordings or networks that are not here are skipped."""
    probes = suite.edition("1").probes
    found: dict[str, Verified] = {}
    for name in chosen:
        if name in KINDS:
            with suppress(WeightsUnavailable):
                found |= verify(trials(probes, bank, [name]), keep)
    for name in FITTED:
        wanted = {name, *(kind for kind, of in BY_FIT.items() if of == name)} & {*chosen}
        if wanted and bank is not None:
            with suppress(WeightsUnavailable):
                results = fit(name, bank)[1]
                found |= {one: result for one, result in results.items() if one.split(":")[0] in wanted}
    if "transcript" in chosen and bank is not None:
        from innerear.lab.words import verify_words
        from innerear.metrics.words import shipped

        found |= verify_words(probes, bank, shipped(), keep)
    from innerear.lab.heard import verify_heard
    from innerear.lab.rhymes import verify_digits, verify_rhymes

    for name, how in (("words", verify_heard), ("rhyme", verify_rhymes), ("rhyme:digits", verify_digits)):
        if name in chosen:
            with suppress(WeightsUnavailable):
                found |= how(bank, keep)
    return found


def fit(name: str, bank: Bank, ears: Ears = by_ear) -> tuple[Callable[[], None], dict[str, Verified]]:
    """Fit a check to the recordings: what writes it where it ships, and how it does on what was left out.

    `ears` hear a sound of the fit; another function may remember what they heard.

    Raises:
        WeightsUnavailable: an ear is not here.
    """
    from innerear.metrics.identity import pack, path_of

    if name == "label":
        from innerear.lab.classes import fit_and_verify as fit_classes
        from innerear.metrics import classes

        fits, table, found = fit_classes(bank, ears)  # and of the kinds that it judges as well
        files = {classes.shipped_path(): classes.table(table)}
    else:
        from innerear.lab.instruments import fit_and_verify as fit_instruments

        fits, found = fit_instruments(bank, ears)
        files = {}
    files[path_of(name)] = pack({ear: one.classifier for ear, one in fits.items()})

    def save() -> None:
        for path, content in files.items():
            write_whole(path, content)

    return save, found


def passes(trial: Trial) -> bool:
    """What the check says of the trial's sound.

    Raises:
        WeightsUnavailable: the check needs weights that are not here.
    """
    metric = metric_of(trial.check)
    clip = trial.clip
    probe = Probe("verify", trial.tier, "verify", 1, "", "", clip.duration_s, [trial.check])
    render = Render("verify", "verify", Outcome.OK, sample_rate=clip.sample_rate, samples=clip.samples.shape[1])
    value = metric.measure(Sound(probe, render, clip), trial.check)
    if value.status is Status.UNAVAILABLE:
        raise WeightsUnavailable(f"{trial.check.__struct_config__.tag} cannot be verified here: {value.cause}")
    return bool(value.passed)


def verify(trials: Iterable[Trial], keep: Callable[[Trial, bool], None] | None = None) -> dict[str, Verified]:
    """Try every sound, and sum up by variant and column. `keep` is told of each outcome."""
    counted: dict[str, dict[str, list[bool]]] = {}
    versions: dict[str, int] = {}
    for trial, outcome in ordered(lambda trial: (trial, passes(trial)), trials):
        name = variant(trial.check, trial.tier)
        if keep:
            keep(trial, outcome)
        counted.setdefault(name, {}).setdefault(trial.column, []).append(outcome)
        versions[name] = metric_of(trial.check).version
    return {
        name: Verified(
            versions[name],
            {c: Cell(sum(columns[c]), len(columns[c])) for c in in_order(columns)},
        )
        for name, columns in counted.items()
    }


def table(found: dict[str, Verified]) -> Iterator[list[str]]:
    """Per check: name, version, the right and the wrong sounds that passed by column, whether it counts."""
    for name, one in found.items():
        right: list[str] = []
        wrong: list[str] = []
        for column in in_order(one.cells):
            cell = one.cells[column]
            (right if column in (*TRUE, *SHOWN) else wrong).append(f"{column} {cell.rate:.0%} of {cell.n}")
        yield [name, str(one.version), ", ".join(right), ", ".join(wrong), "counts" if one.counts else one.why]
