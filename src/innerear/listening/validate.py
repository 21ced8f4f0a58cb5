"""Do the metrics agree with people? Rank correlation of every metric with listeners' answers, per sound.

A sound's value is how often it was identified (`identify`) or its mean rating (`rate`). For `ab`, the
difference of the metric between the two sounds of a pair is correlated with how often the first was
preferred. FAD is a distance between sets, so the distance of each single sound to its reference is
used instead; "told from real" is an AUC of a set, so the log-odds that the sound is a made one are.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from innerear.distance.frechet import per_clip
from innerear.distance.moments import Gaussian
from innerear.embed import LEVELLED, TELLTALES, reads_captions
from innerear.embed.batches import Embedding, read_embeddings
from innerear.errors import UsageError
from innerear.listening import people
from innerear.listening.answers import Refused
from innerear.listening.coding import Coding
from innerear.listening.files import SCALES, Answers, Key
from innerear.listening.score import ALL_TIERS, score_answers
from innerear.listening.votes import Vote, votes_of
from innerear.metrics.clap import cosines
from innerear.metrics.measure import paired
from innerear.metrics.registry import find
from innerear.metrics.verified import counts_in
from innerear.records import Better, Item, Scope, Score, Signature
from innerear.reference.sets import find_reference, kind_of
from innerear.report.validations import Best, Validation
from innerear.run.parts import to_json, write_whole
from innerear.run.run import Run, embeddings_folder
from innerear.scores.clap import CAPTION, place
from innerear.scores.groups import groups_of
from innerear.scores.identity import Grade
from innerear.scores.realism import name_of, per_sound
from innerear.stats import central_95

Array = NDArray[np.float64]

GRADES: tuple[Grade, ...] = get_args(Grade)
LEAST_COVERED = 0.5  # share of the sounds that need a value for a metric to be called the best
FEWEST_SOUNDS = 8  # a rank correlation over fewer sounds says nothing


@dataclass
class Values:
    """A metric's value per completion, if it has one. `signature`: how it was computed."""

    signature: Signature
    better: Better
    by_completion: dict[str, float] = field(default_factory=dict)


def validate(
    run: Run, answers: Sequence[Answers], refused: Sequence[Refused], key: Key, coding: Coding | None = None
) -> Validation:
    """Correlate the metrics of a run with listeners' answers, and save the result in the run.

    Raises:
        UsageError: the test has none of the run's sounds, or no answers can be used.
    """
    items = {item.completion.key: item for item in run.items()}
    if not any(clip.completion in items for clip in key.clips.values()):
        raise UsageError(f"the test has no sound of {run.folder}; it was built from {_names(key)}")
    results = score_answers(answers, refused, key, coding)
    out = {one.session for one in results.listeners if one.out}
    votes = [vote for one in answers if one.session not in out for vote in votes_of(one, key, coding)]
    votes = [v for v in votes if not v.what.anchor and all(clip.completion in items for clip in v.clips)]
    if not votes:
        raise UsageError("no listener's answers can be used; " + results.rule)
    values = sound_values(run, list(items.values()))
    measures = {"identify": ("identified",), "ab": ("preferred",), "rate": tuple(SCALES)}[key.test.kind]
    rows = [row for measure in measures for row in _correlations(measure, votes, values, key)]
    found = Validation(
        test=key.test.test,
        kind=key.test.kind,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        rule=results.rule,
        guessers=results.guessers,
        listeners=len(results.listeners) - len(out),
        left_out=[f"listener {one.listener}: {one.out}" for one in results.listeners if one.out],
        scores=_shown(results.scores),
        everyone=_shown(results.everyone),
        correlations=rows,
        best=list(_best(rows)),
    )
    write_whole(run.folder / "listening" / f"{found.test}.json", to_json(found, indent=1))
    return found


def _names(key: Key) -> str:
    return ", ".join(place.folder for place in key.runs)


def _shown(scores: Sequence[Score]) -> list[Score]:
    """Without the rows of single probes."""
    return [score for score in scores if score.group.sort != "probe"]


# ---- metric values per sound


def sound_values(run: Run, items: Sequence[Item]) -> dict[str, Values]:
    """Every metric that has a value for single sounds: checks, measurements, CLAP, distance to recordings."""
    found: dict[str, Values] = {}

    def put(name: str, signature: Signature, better: Better, item: Item, value: float) -> None:
        found.setdefault(name, Values(signature, better)).by_completion[item.completion.key] = value

    for item in paired(run.measurements(), items):
        _measured(item, put)
    levelled = {}
    for name in run.asked.embedders:
        if name in run.file.signatures:
            frames = read_embeddings(embeddings_folder(run, name))
            if name in (*LEVELLED, TELLTALES):
                levelled[name] = run.file.signatures[name], frames
            else:
                _embedded(name, run.file.signatures[name], frames, items, put)
    _realistic(items, levelled, put)
    return found


Put = Callable[[str, Signature, Better, Item, float], None]


def _measured(item: Item, put: Put) -> None:
    counted = []
    for row in item.measurements:
        metric = find(row.metric)
        name, how = row.metric, metric.signature()
        if row.check is not None:
            for grade in (grade for grade in GRADES if grade in row.detail):
                put(grade, how.plus(grade), "higher", item, float(row.detail[grade]))
            if row.passed is not None:
                put(name, how.plus("passed"), "higher", item, float(row.passed))
                if counts_in(item.probe, item.probe.expect[row.check], row.detail)[0]:
                    counted.append(row.passed)
            name = f"{name}_{metric.value_is}"
            how = how.plus("size" if metric.value_is == "error" else "value")
        if row.value is not None and row.metric != "format":
            put(name, how, metric.better, item, abs(row.value) if metric.value_is == "error" else row.value)
    if counted:
        put("checks", Signature.of(checks="counted").plus("share", v=1), "higher", item, float(np.mean(counted)))


def _realistic(items: Sequence[Item], levelled: Mapping[str, Embedding | None], put: Put) -> None:
    """How surely each sound is told from recordings of its class, and how near it is to them."""
    for group in groups_of(items):
        by_name = {name_of(item): item for item in group.items}
        for name, signature, better, values in per_sound(group, levelled):
            for sound, value in values.items():
                put(name, signature, better, by_name[sound], value)


def _embedded(
    name: str, signature: str, frames: Mapping[str, NDArray[np.float32]], items: Sequence[Item], put: Put
) -> None:
    heard = [(item, frames[audio]) for item in items if (audio := item.render.audio) is not None and audio in frames]
    if reads_captions(name):
        captions: dict[str, list[str]] = {}
        for item in items:
            mine = captions.setdefault(item.probe.tier, [])
            if item.probe.caption not in mine and CAPTION + item.probe.caption in frames:
                mine.append(item.probe.caption)
        for item, sound in heard:
            texts = captions[item.probe.tier]
            if item.probe.caption in texts:
                near = cosines(sound, np.concatenate([frames[CAPTION + text] for text in texts]))
                right = texts.index(item.probe.caption)
                put(f"clap ({name})", Signature.of("clap", emb=signature, v=1), "higher", item, float(near[right]))
                put(
                    f"clap_rank ({name})",
                    Signature.of("clap_rank", emb=signature, v=1),
                    "lower",
                    item,
                    place(near, right),
                )
    gaussians: dict[str, Gaussian] = {}
    for item, sound in heard:
        of = kind_of(item.probe)
        reference = find_reference(of.name, name) if of else None
        if of is None or reference is None or reference.signature != signature:
            continue
        if of.name not in gaussians:
            gaussians[of.name] = Gaussian.of(np.concatenate(reference.kept))
        distance = per_clip(gaussians[of.name], [sound])[0]
        if distance is not None:
            put(f"fad of one ({name})", Signature.of("fad", "per-clip", emb=signature, v=1), "lower", item, distance)


# ---- listeners' answers per sound


def _correlations(measure: str, votes: Sequence[Vote], values: Mapping[str, Values], key: Key) -> Iterator[Score]:
    known = [(vote, said) for vote in votes if (said := _said(measure, vote)) is not None]
    tiers = list(dict.fromkeys(vote.clip.tier for vote, _ in known))
    models = list(dict.fromkeys(clip.model for vote, _ in known for clip in vote.clips))
    for tier in [*tiers, *([ALL_TIERS] if len(tiers) > 1 else [])]:
        mine = [pair for pair in known if tier in (ALL_TIERS, pair[0].clip.tier)]
        for model in ["", *(models if measure != "preferred" and len(models) > 1 else [])]:
            some = [pair for pair in mine if not model or pair[0].clip.model == model]
            if not some:
                continue
            table = _Table(some)
            how = Signature.of(of=measure, test=key.test.test[:12], listeners=len(table.listeners))
            for name, metric in values.items():
                row = table.against(metric)
                if row is None:
                    continue
                value, interval, n, note = row
                drawn = interval.how if interval else "ci:none"
                yield Score(
                    name, model, "", tier, value, n, len(table.units) - n,
                    str(Signature.of("spearman").plus(metric.signature, how, drawn, v=1)),
                    group=Scope("", measure), better=metric.better, low=interval.low if interval else None,
                    high=interval.high if interval else None, note=note,
                )  # fmt: skip


def _said(measure: str, vote: Vote) -> float | None:
    if measure == "identified":
        return None if vote.right is None else float(vote.right)
    if measure == "preferred":
        return float(vote.answer.choice == 0)
    return float(getattr(vote.answer, measure))


class _Table:
    """Answers as a table of listeners by sounds, to be correlated with metrics."""

    def __init__(self, pairs: Sequence[tuple[Vote, float]]) -> None:
        units = {vote.trial.id: vote for vote, _ in pairs}
        self.units = [tuple(clip.completion for clip in vote.clips) for vote in units.values()]
        self.probes, self.n_probes = people.codes([vote.what.probe for vote in units.values()])
        self.listeners = list(dict.fromkeys(vote.listener for vote, _ in pairs))
        self._drawn: dict[bytes, tuple[Array, Array, str]] = {}  # by which sounds have a value
        rows = {name: i for i, name in enumerate(self.listeners)}
        columns = {name: i for i, name in enumerate(units)}
        self.total, self.count = (np.zeros((len(rows), len(columns))) for _ in range(2))
        for vote, said in pairs:
            self.total[rows[vote.listener], columns[vote.trial.id]] += said
            self.count[rows[vote.listener], columns[vote.trial.id]] += 1

    def against(self, metric: Values) -> tuple[float | None, people.Interval | None, int, str] | None:
        """Spearman's rho, its interval, the number of sounds, why it is missing; `None` if no sound has a value."""
        by = metric.by_completion
        kept = np.array([all(sound in by for sound in unit) for unit in self.units])
        n = int(kept.sum())
        if n == 0:
            return None
        sounds = [unit for unit, keep in zip(self.units, kept, strict=True) if keep]
        of = np.array([by[unit[0]] - (by[unit[1]] if len(unit) > 1 else 0.0) for unit in sounds])
        total, count, probes = self.total[:, kept], self.count[:, kept], self.probes[kept]
        if n < FEWEST_SOUNDS:
            return None, None, n, f"too few sounds (has {n}, needs {FEWEST_SOUNDS})"
        value = spearman(of, total.sum(axis=0) / count.sum(axis=0))
        if value is None:
            return None, None, n, "all values are equal"
        key = kept.tobytes()
        if key not in self._drawn:
            self._drawn[key] = _draw(total, count, probes)
        weights, ranks, how = self._drawn[key]
        return value, _interval(_weighted_ranks(of, weights), ranks, weights, how), n, ""


def _draw(total: Array, count: Array, probes: NDArray[np.intp]) -> tuple[Array, Array, str]:
    """Bootstrap over whole listeners and whole probes.

    Returns the sounds' weights and the ranks of their answers, both of shape (draws, sounds), and how
    they were drawn.
    """
    rng = np.random.default_rng(0)
    _, probes = np.unique(probes, return_inverse=True)
    n_probes = int(probes.max()) + 1
    of_listeners = people.draws(len(total), people.COSTLY_RESAMPLES, rng)
    asked = of_listeners @ count
    said = np.divide(of_listeners @ total, asked, out=np.zeros_like(asked), where=asked > 0)
    weights = people.draws(n_probes, people.COSTLY_RESAMPLES, rng)[:, probes] * (asked > 0)
    ranks = np.concatenate([_weighted_ranks(*row) for row in zip(said, weights[:, None, :], strict=True)])
    return weights, ranks, people.drawn(len(total), n_probes)


def _weighted_ranks(values: Array, weights: Array) -> Array:
    """Ranks of values (sounds,) with each counted as often as its weight; shape of the weights."""
    below = (values[:, None] < values[None, :]) + 0.5 * (values[:, None] == values[None, :])
    ranks: Array = weights @ below
    return ranks


def _interval(first: Array, second: Array, weights: Array, how: str) -> people.Interval | None:
    """Interval of the rank correlation over draws; all arrays of shape (draws, sounds)."""
    n = np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    a, b = (ranks - (weights * ranks).sum(axis=1, keepdims=True) / n for ranks in (first, second))
    scale = np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
    some = scale > 1e-9
    if some.mean() < 0.5:
        return None
    return people.Interval(*central_95((weights * a * b).sum(axis=1)[some] / scale[some]), how)


def spearman(first: Array, second: Array) -> float | None:
    """Spearman's rank correlation, ties with mean ranks; `None` if all values on one side are equal.

    >>> spearman(np.array([1.0, 2.0, 5.0]), np.array([3.0, 4.0, 4.5]))
    1.0
    """
    from scipy.stats import spearmanr

    if len(first) < 2 or not np.ptp(first) or not np.ptp(second):
        return None
    return float(spearmanr(first, second).statistic)


def _best(rows: Sequence[Score]) -> Iterator[Best]:
    """For each tier and measure, the metric with the largest correlation whose interval excludes 0.

    Metrics with a value for fewer than half of the sounds are not considered: they cover other sounds.
    """
    for tier, measure in dict.fromkeys((row.tier, row.group) for row in rows):
        mine = [
            (abs(row.value), _size(row), row.metric)
            for row in rows
            if (row.tier, row.group, row.model) == (tier, measure, "")
            and row.value is not None
            and row.n >= LEAST_COVERED * (row.n + row.missing)
        ]
        sure = [(value, reach, name) for value, reach, name in mine if reach and reach[0] > 0]
        if not sure:
            yield Best(tier, measure, None)
            continue
        _, (low, _), name = max(sure)
        rivals = [other for _, reach, other in mine if other != name and reach and reach[1] >= low]
        yield Best(tier, measure, name, rivals)


def _size(row: Score) -> tuple[float, float] | None:
    """Interval of the absolute correlation; it starts at 0 if the interval includes 0."""
    if row.low is None or row.high is None:
        return None
    if row.low > 0:
        return row.low, row.high
    if row.high < 0:
        return -row.high, -row.low
    return 0.0, max(-row.low, row.high)
