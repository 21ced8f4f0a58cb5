"""Build a listening test from runs: a folder to send or serve, and a key that you keep.

OUT/
├── index.html, listen.css, listen.js
├── test.js            trials and forms, without model or file names
└── clips/<name>.flac
OUT.key.json           which sound comes from which model
"""

from __future__ import annotations

import datetime
import hmac
import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from itertools import combinations
from pathlib import Path

import msgspec
import numpy as np

from innerear.ask.models.swap import nameable
from innerear.clip import Samples
from innerear.compute.threads import ordered
from innerear.errors import UsageError
from innerear.listening import sounds
from innerear.listening.files import SCALES, Key, KeyClip, KeyTrial, Shown, Test, Trial
from innerear.listening.forms import Card, deal, mixed
from innerear.listening.sources import Source, noise, recordings_of, sources_of
from innerear.records import Probe, digest
from innerear.report.validations import Kind
from innerear.report.write import script
from innerear.run.create import versions
from innerear.run.parts import to_json, write_whole
from innerear.run.progress import Progress, Tally, silent
from innerear.run.run import Run
from innerear.run.whole import new_folder, sweep
from innerear.stats import grouped

ANCHORED_SHARE = 3  # in `ab`, one probe in three also pairs a model with noise or a recording
TOO_ALIKE = 0.5  # share of nameable features in common from which two captions are too alike for one question


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Settings of a listening test. `data`: folder of recordings for anchors; `None` uses noise only."""

    kind: Kind
    seed: int = 0
    trials: int = 40
    anchors: int = 6
    listeners: int = 24
    options: int = 6
    free_text: bool = False
    least_s: float = 10.0
    headphones: bool = True
    title: str = "What do you hear?"
    welcome: str = ""
    models: Sequence[str] = ()
    probes: Sequence[str] | None = None
    data: Path | None = None
    non_commercial: bool = False


@dataclass
class Built:
    """Paths of a new test, and warnings for the experimenter."""

    page: Path
    key: Path
    test: Test
    warnings: list[str] = field(default_factory=list)


def build(
    runs: Sequence[Run], out: Path, wanted: Wanted, key: Path | None = None, progress: Progress = silent
) -> Built:
    """Write the page of a listening test into `out`, and its key next to it.

    Raises:
        UsageError: `out` or the key exists already, or the runs have too few sounds for this test.
    """
    if wanted.free_text and wanted.kind != "identify":
        raise UsageError(f"free text answers 'what do you hear?', which {wanted.kind} does not ask; use kind identify")
    key = key or out.with_name(f"{out.name}.key.json")
    if key.exists() or (out.exists() and any(out.iterdir())):
        existing = key if key.exists() else out
        raise UsageError(f"{existing} exists already, and listeners may have that test; choose another folder")
    if key.resolve().is_relative_to(out.resolve()):
        raise UsageError(f"the key {key} would be in the folder that you send; choose a path outside {out}")
    maker = _Maker(runs, wanted, progress)
    sweep(out.parent)
    with new_folder(out) as part:
        (part / "clips").mkdir()
        test = maker.make(part / "clips")
        with as_file(files("innerear.listening") / "page") as page:
            for name in ("index.html", "listen.css", "listen.js"):
                shutil.copyfile(page / name, part / name)
        (part / "test.js").write_text(script("test", "", msgspec.to_builtins(test)), encoding="ascii")
        write_whole(key, to_json(maker.key(test), indent=1))
    return Built(out / "index.html", key, test, maker.warnings)


@dataclass(frozen=True)
class _Question:
    """A trial before its sounds are given opaque names."""

    sources: tuple[Source, ...]
    probe: Probe
    anchor: bool = False

    @property
    def name(self) -> str:
        return digest(*(msgspec.to_builtins(source.what) for source in self.sources), self.anchor)

    @property
    def card(self) -> Card:
        return Card(self.name, self.probe.id, (self.probe.tier, tuple(sorted(source.who for source in self.sources))))


class _Maker:
    def __init__(self, runs: Sequence[Run], wanted: Wanted, progress: Progress) -> None:
        self.wanted, self.progress = wanted, progress
        self.rng = np.random.default_rng(wanted.seed)
        self.secret = secrets.token_bytes(32)
        self.clips: dict[str, KeyClip] = {}
        self.trials: dict[str, KeyTrial] = {}
        self.checks: dict[str, int] = {}
        self.lengths: dict[str, int] = {}
        self.heard = sources_of(runs, wanted.models, wanted.probes)
        if not self.heard.sources:
            raise UsageError("these runs and models have no audible sound; make sounds with `innerear run`")
        self.probes = self.heard.probes
        recordings = recordings_of(self.probes.values(), wanted.data, wanted.non_commercial)
        self.real, self.credits, self.warnings = recordings.sources, recordings.credits, recordings.warnings

    # ---- questions

    def make(self, folder: Path) -> Test:
        """Write all sounds that the forms need into a folder, and return the test."""
        asked, anchors = (
            (self._pairs, self._anchor_pairs) if self.wanted.kind == "ab" else (self._singles, self._anchors)
        )
        questions, checks = asked(), anchors()
        if not questions:
            raise UsageError("an ab test needs two models with different sounds for the same probe; found none")
        by_name = {question.name: question for question in (*questions, *checks)}
        kinds = [[q.card for q in checks if q.sources[0].what.anchor == kind] for kind in ("real", "noise")]
        kinds = [cards for cards in kinds if cards]
        dealt: list[list[str]] = [[] for _ in range(self.wanted.listeners)]
        heard: list[Counter[str]] = [Counter() for _ in dealt]
        for i, cards in enumerate(kinds):
            per_form = (self.wanted.anchors + i) // len(kinds)
            for form, more, seen in zip(dealt, deal(cards, per_form, len(dealt), self.rng, heard), heard, strict=True):
                form += more
                seen.update(by_name[name].probe.id for name in more)
        trials = deal([q.card for q in questions], self.wanted.trials, len(dealt), self.rng, heard)
        forms = [mixed(some, few, self.rng) for some, few in zip(trials, dealt, strict=True)]
        used = [by_name[name] for name in by_name if any(name in form for form in forms)]
        self._write(used, folder)
        rows = {question.name: self._trial(question) for question in used}
        shown = [
            [Shown(rows[name].id, len(rows[name].clips) > 1 and bool(self.rng.integers(2))) for name in form]
            for form in forms
        ]
        level, *tests = self._checks(folder)
        test = Test(
            title=self.wanted.title, kind=self.wanted.kind, free_text=self.wanted.free_text,
            welcome=self.wanted.welcome, least_s=self.wanted.least_s, clips=dict(sorted(self.lengths.items())),
            trials=sorted(rows.values(), key=lambda trial: trial.id), forms=shown, headphones=tests, level=level,
            scales={name: list(words) for name, words in SCALES.items()} if self.wanted.kind == "rate" else {},
            credits=sorted({self.credits[c.source] for c in self.clips.values() if c.source in self.credits}),
        )  # fmt: skip
        return msgspec.structs.replace(test, test=digest(test))

    def _noise(self, probe: Probe) -> Source:
        return noise(probe, self.wanted.seed)

    def _singles(self) -> list[_Question]:
        return [_Question((source,), self.probes[source.what.probe]) for source in self.heard.sources]

    def _anchors(self) -> list[_Question]:
        """Recordings of the requested sounds, and noises: preferably for tiers in which noise cannot be right."""
        probes = list(self.probes.values())
        plain = [probe for probe in probes if probe.tier != "environment"] or probes
        chosen = [plain[i] for i in self.rng.permutation(len(plain))]
        noises = [_Question((self._noise(probe),), probe, True) for probe in chosen]
        return [_Question((source,), self.probes[name], True) for name, source in self.real.items()] + noises

    def _pairs(self) -> list[_Question]:
        """Every pair of models per probe; for one probe in three also a model with noise or a recording."""
        by_probe = grouped((source.what.probe, source) for source in self.heard.sources)
        pairs = [
            _Question(pair, self.probes[name])
            for name, sources in by_probe.items()
            for pair in combinations(sources, 2)
            if pair[0].what.audio != pair[1].what.audio
        ]
        if not pairs:
            return []
        some = self.rng.permutation(len(by_probe))[::ANCHORED_SHARE]
        for number, name in enumerate(list(by_probe)[i] for i in some):
            models = by_probe[name]
            anchors = [self._noise(self.probes[name])] + ([self.real[name]] if name in self.real else [])
            other = anchors[number // len(models) % len(anchors)]
            pairs.append(_Question((models[number % len(models)], other), self.probes[name]))
        return pairs

    def _anchor_pairs(self) -> list[_Question]:
        if not self.real and self.wanted.anchors:
            self.warnings.append("an ab test without recordings has no anchors, so no listener can be screened by them")
        return [
            _Question((source, self._noise(self.probes[name])), self.probes[name], True)
            for name, source in self.real.items()
        ]

    # ---- sounds and trials under opaque names

    def _name(self, *parts: object) -> str:
        return hmac.digest(self.secret, msgspec.json.encode(parts), "sha256").hex()[:16]

    def _clip_name(self, source: Source) -> str:
        return self._name("clip", msgspec.to_builtins(source.what))

    def _write(self, questions: Iterable[_Question], folder: Path) -> None:
        """Write the sounds, loudness-normalised; in order of name, so that file times give nothing away."""
        sources = {self._clip_name(source): source for question in questions for source in question.sources}
        names = sorted(sources)
        tally = Tally(self.progress, "sounds", 0, len(names))
        made = ordered(lambda name: sounds.presented(sources[name].clip()), names)
        for name, (samples, gain, short) in zip(names, made, strict=True):
            self._put(name, samples, folder)
            what = sources[name].what
            self.clips[name] = msgspec.structs.replace(what, gain_db=round(gain, 2), short_db=round(short, 2))
            tally.add()
        quiet = sum(clip.short_db > 1 for clip in self.clips.values())
        if quiet:
            self.warnings.append(
                f"{quiet} sounds are more than 1 dB below the target loudness, because their peaks leave no headroom"
            )

    def _put(self, name: str, samples: Samples, folder: Path) -> None:
        write_whole(folder / f"{name}.flac", sounds.flac16(samples))
        self.lengths[name] = round(1000 * samples.shape[-1] / sounds.RATE_HZ)

    def _trial(self, question: _Question) -> Trial:
        clips = [self._clip_name(source) for source in question.sources]
        name = self._name("trial", question.name)
        kinds = [source.what.anchor for source in question.sources]
        right = kinds.index("real") if question.anchor and self.wanted.kind == "ab" else None
        if self.wanted.kind == "ab":
            order = self.rng.permutation(2)
            clips = [clips[i] for i in order]
            right = None if right is None else int(np.flatnonzero(order == right)[0])
        options: list[str] = []
        if self.wanted.kind == "identify" and not self.wanted.free_text:
            options = self._options(question.probe)
            right = len(options) if kinds == ["noise"] else options.index(question.probe.caption)
        self.trials[name] = KeyTrial(question.probe.id, right, question.anchor)
        caption = "" if self.wanted.kind == "identify" else question.probe.caption
        return Trial(name, clips, caption, options)

    def _options(self, probe: Probe) -> list[str]:
        """The caption and distinguishable others of its tier, if possible half of them of its family, shuffled."""
        other = [p for p in self.probes.values() if p.tier == probe.tier and not _alike(p, probe)]
        other = [other[i] for i in self.rng.permutation(len(other))]
        near = [p for p in other if p.family == probe.family]
        far = [p for p in other if p.family != probe.family]
        half = max((self.wanted.options - 1) // 2, self.wanted.options - 1 - len(far))
        chosen: list[Probe] = []
        for candidate in (*near[:half], *far, *near[half:]):
            if len(chosen) < self.wanted.options - 1 and not any(_alike(candidate, p) for p in chosen):
                chosen.append(candidate)
        captions = [probe.caption, *(p.caption for p in chosen)]
        return [captions[i] for i in self.rng.permutation(len(captions))]

    def _checks(self, folder: Path) -> list[str]:
        """Write the noise for setting the volume and the headphone checks; returns their names in this order."""
        level = self._name("level")
        self._put(level, sounds.presented(sounds.white(self.wanted.seed, 3.0))[0], folder)
        names = [level]
        for number in range(sounds.CHECKS if self.wanted.headphones else 0):
            name = self._name("headphones", number)
            samples, right = sounds.headphone_check(int(self.rng.integers(2**31)))
            self._put(name, samples, folder)
            self.checks[name] = right
            names.append(name)
        return names

    def key(self, test: Test) -> Key:
        """Everything that is kept from the page."""
        return Key(
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            seed=self.wanted.seed, versions=versions(), runs=self.heard.places,
            probes=list(self.probes.values()), test=test, clips=self.clips,
            trials=self.trials, headphones=self.checks, unheard=self.heard.unheard,
        )  # fmt: skip


def _alike(one: Probe, other: Probe) -> bool:
    """Whether a listener could give both the same name. Pitch is ignored: most listeners cannot name it."""
    if one.caption == other.caption:
        return True
    first, second = ({name for name in nameable(probe) if name[0] != "pitch"} for probe in (one, other))
    return bool(first & second) and len(first & second) >= TOO_ALIKE * min(len(first), len(second))
