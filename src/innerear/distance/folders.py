"""Distances between sets of sounds, without models, probes or runs.

    >>> from innerear import fad                                  # doctest: +SKIP
    >>> fad("recorded/", "generated/").value                      # doctest: +SKIP

A set of sounds is a folder of audio (including subfolders), one sound file, an `.npz` written by
`embed`, or the name of a bundled reference, such as `environment`. In Python also clips, or their embeddings: an
array of shape (frames, dims), in which each frame counts as a clip, or a list of such arrays, one per clip.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from innerear import plugins
from innerear.clip import Clip, read_mono
from innerear.compute.threads import ordered
from innerear.distance import compat
from innerear.distance.distance import Distance, SetFacts, warnings
from innerear.distance.frechet import fad_inf, fad_interval, frechet_distance, per_clip
from innerear.distance.kernel import KernelReference, kad_interval
from innerear.distance.kernel import kad as kernel_distance
from innerear.distance.moments import Gaussian, stack
from innerear.distance.permutation import permutation_test
from innerear.embed import Embedder, Frames, open_embedder
from innerear.embed.loudness import LoudnessRule
from innerear.embed.store import load_frames, save_frames
from innerear.embed.weights import cache_folder
from innerear.errors import AudioError, InnerEarError, UsageError
from innerear.reference.sets import KINDS, find_reference
from innerear.run.progress import Progress, silent
from innerear.stats import holding
from innerear.text import storable

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff"})
SEED = 0

Source = Any
"""A set of sounds: a path or name, an `Embedded`, a `Clip`, a list of clips, an array, or a list of arrays."""
CACHE = "embedded"
"""The folder in the cache that keeps the embeddings of folders."""
GIVEN = "given"
"""The embedder in the signature of arrays, of which only the dims are known."""


@dataclass(frozen=True, eq=False)
class Embedded:
    """An embedded set of sounds; `clips[i]`, of shape (frames, dims), belongs to `names[i]`.

    `silent`: number of clips of digital silence. `skipped`: names of unreadable files.
    """

    name: str
    names: Sequence[str]
    clips: Sequence[Frames]
    signature: str
    digest: str
    seconds: float | None = None
    silent: int = 0
    skipped: Sequence[str] = ()
    quantum: float | None = None

    @property
    def frames(self) -> Frames:
        """All frames of all clips, shape (frames, dims)."""
        return np.concatenate(self.clips)

    def save(self, path: Path | str) -> None:
        """Write the set as an npz that `fad`, `kad` and `embed` accept instead of its folder."""
        facts = {
            "signature": self.signature, "digest": self.digest, "seconds": self.seconds,
            "silent": self.silent, "skipped": list(self.skipped),
        }  # fmt: skip
        save_frames(Path(path), self.names, self.clips, self.quantum, facts)

    def facts(self, rank: int) -> SetFacts:
        """The size of the set, given the rank of its covariance."""
        return SetFacts(
            self.name, len(self.clips), sum(map(len, self.clips)), self.clips[0].shape[1], rank, self.digest,
            self.seconds, self.silent, len(self.skipped),
        )  # fmt: skip


@dataclass(frozen=True)
class Pending:
    """A set whose sounds are not embedded yet, by name: files or clips."""

    name: str
    sounds: Mapping[str, Path | Clip]

    @property
    def on_disk(self) -> bool:
        """Whether all sounds are files."""
        return all(isinstance(sound, Path) for sound in self.sounds.values())


def embed(
    source: Source,
    embedder: str | Embedder = "yamnet",
    *,
    loudness: LoudnessRule = "active",
    skip_bad: bool = False,
    cache: bool = True,
    progress: Progress = silent,
) -> Embedded:
    """Embed a set of sounds.

    `embedder`: a name, or an object that is one. `cache`: keep the embeddings of files in the cache folder, by the
    content of the files and the embedder's signature, and use those that are there.

    Raises:
        UsageError: there is no such set, or it is empty.
        AudioError: a file cannot be read and `skip_bad` is false.
        WeightsUnavailable: the embedder's weights are not installed.
    """
    opened = _open(source, embedder)
    model = _opened(embedder, loudness) if isinstance(opened, Pending) else None
    return _embedded(opened, model, skip_bad, cache, progress)


def _opened(embedder: str | Embedder, loudness: LoudnessRule) -> Embedder:
    if not isinstance(embedder, str):
        return embedder
    plugins.use_named(embedder)
    return open_embedder(embedder, loudness)


def _open(source: Source, embedder: str | Embedder) -> Embedded | Pending:
    if isinstance(source, Embedded):
        return source
    if not isinstance(source, str | Path):
        return _open_objects(source)
    path = Path(source)
    if path.is_dir():
        return _open_folder(path)
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return Pending(path.name, {storable(path.name): path})
    if path.is_file():
        return _open_npz(path)
    name = embedder if isinstance(embedder, str) else embedder.name
    if (reference := find_reference(str(source), name)) is not None:
        clips = reference.kept
        names = [name for name, held in zip(reference.names, reference.held, strict=True) if not held]
        return Embedded(str(source), names, clips, reference.signature, reference.digest)
    if not name:  # the sounds themselves are wanted
        raise UsageError(f"{source} is not a folder of sounds or a sound file")
    raise UsageError(
        f"{source} is not a folder, a sound file, an .npz of embeddings or a reference for {name} "
        f"({', '.join(kind.name for kind in KINDS)})"
    )


def open_sounds(source: Source) -> Embedded | Pending:
    """A set of sounds that is not to be embedded.

    Raises:
        UsageError: there is no such set, or it is empty.
    """
    return _open(source, "")


def _open_objects(source: Any) -> Embedded | Pending:
    """Clips, or arrays of embeddings."""
    sounds = [source] if isinstance(source, Clip) else list(source)
    if sounds and all(isinstance(sound, Clip) for sound in sounds):
        return Pending("clips", {f"{number:04}": sound for number, sound in enumerate(sounds)})
    frames, sizes = stack(source if isinstance(source, np.ndarray) else [np.asarray(sound) for sound in sounds])
    clips: Any = np.split(frames, np.cumsum(sizes)[:-1])
    names = [f"{number:04}" for number in range(len(clips))]
    signature = f"{GIVEN}|dims:{frames.shape[1]}"
    return Embedded("array", names, clips, signature, _digest(signature, clips))


def fad(
    reference: Source,
    sounds: Source,
    embedder: str | Embedder = "yamnet",
    *,
    infinite: bool = False,
    like_fadtk: bool = False,
    each_clip: bool = False,
    skip_bad: bool = False,
    cache: bool = True,
    seed: int = SEED,
    progress: Progress = silent,
) -> Distance:
    """Fréchet audio distance of a set of sounds to a reference, with its interval over clips.

    `infinite`: FAD∞, with both sets halved by clips. `like_fadtk`: the number that fadtk gives for these
    embeddings, without loudness normalisation. `each_clip`: also the distance of each single clip.

    Raises:
        UsageError: fewer than two frames in a set, sets from different embedders, `each_clip` together
            with `like_fadtk`; see also `embed`.
    """
    if each_clip and like_fadtk:
        raise UsageError("distances of single clips are not available with fadtk's conventions")
    real, made = _both(reference, sounds, embedder, "none" if like_fadtk else "active", skip_bad, cache, progress)
    real_gaussian, made_gaussian = Gaussian.of(real.frames), Gaussian.of(made.frames)
    conventions, spread, bounds = "float64", None, None
    if like_fadtk:
        conventions = "as-fadtk-1.1.0"
        distance = (
            compat.fadtk_fad_inf(real.clips, made.clips, seed) if infinite else compat.fadtk_fad(real.clips, made.clips)
        )
    elif infinite:
        conventions = f"float64,halves-of-clips,seed:{seed}"
        extrapolated = fad_inf(real.clips, made.clips, seed)
        distance, spread = extrapolated.value, extrapolated.spread
    else:
        distance = frechet_distance(real_gaussian, made_gaussian)
        bounds = holding(distance, fad_interval(real_gaussian, made.clips, seed))
    metric = "fad_inf" if infinite else "fad"
    facts = made.facts(made_gaussian.rank), real.facts(real_gaussian.rank)
    by_clip = dict(zip(made.names, per_clip(real_gaussian, made.clips), strict=True)) if each_clip else None
    return _distance(metric, distance, bounds, facts, real.signature, conventions, spread=spread, each_clip=by_clip)


def kad(
    reference: Source,
    sounds: Source,
    embedder: str | Embedder = "yamnet",
    *,
    permutations: int = 0,
    like_kadtk: bool = False,
    skip_bad: bool = False,
    cache: bool = True,
    seed: int = SEED,
    progress: Progress = silent,
) -> Distance:
    """Kernel audio distance of a set of sounds to a reference, with its interval over clips.

    `permutations`: least number of permutations for the p-value of "both sets come from the same source"; 0
    for none (see `permutation.permutation_test`). `like_kadtk`: the number that kadtk gives for these embeddings,
    without loudness normalisation.

    Raises:
        UsageError: fewer than two clips in a set, a silent reference, sets from different embedders;
            see also `embed`.
    """
    real, made = _both(reference, sounds, embedder, "none" if like_kadtk else "active", skip_bad, cache, progress)
    tested = permutation_test(real.clips, made.clips, seed, permutations) if permutations else None
    if like_kadtk:
        conventions, bounds = "as-kadtk-1.1.0", None
        distance = compat.kadtk_kad(real.clips, made.clips)
    else:
        kernel = KernelReference.of(real.clips)
        conventions = f"float64,x100,over-clips,bandwidth:{kernel.bandwidth:.6g}"
        distance = kernel_distance(kernel, made.clips)
        bounds = holding(distance, kad_interval(kernel, made.clips, seed))
    facts = made.facts(Gaussian.of(made.frames).rank), real.facts(Gaussian.of(real.frames).rank)
    p = {"p_value": tested.p, "p_low": tested.low, "p_high": tested.high} if tested else {}
    return _distance("kad", distance, bounds, facts, real.signature, conventions, **p)


def _both(
    reference: Source,
    sounds: Source,
    embedder: str | Embedder,
    loudness: LoudnessRule,
    skip_bad: bool,
    cache: bool,
    progress: Progress,
) -> tuple[Embedded, Embedded]:
    opened = [_open(source, embedder) for source in (reference, sounds)]  # check both before embedding anything
    model = _opened(embedder, loudness) if any(isinstance(one, Pending) for one in opened) else None
    first, second = (one.signature if isinstance(one, Embedded) else model and model.signature for one in opened)
    if first != second:
        raise UsageError(
            f"{opened[0].name} was embedded by {first}, {opened[1].name} by {second}; use the same embedder for both"
        )
    real, made = (_embedded(one, model, skip_bad, cache, progress) for one in opened)
    return real, made


def _distance(
    metric: Any, value: float, bounds: tuple[float, float] | None, facts: tuple[SetFacts, SetFacts],
    signature: str, conventions: str, **more: Any,
) -> Distance:  # fmt: skip
    low, high = bounds or (None, None)
    of, reference = facts
    return Distance(
        metric=metric, value=value, low=low, high=high, of=of, reference=reference, embedder=signature,
        conventions=conventions, notes=warnings(metric, of, reference), **more,
    )  # fmt: skip


def _open_npz(path: Path) -> Embedded:
    if not zipfile.is_zipfile(path):
        raise UsageError(
            f"{path} is not a sound file ({', '.join(sorted(SUFFIXES))}), nor a complete .npz of embeddings"
        )
    stored = load_frames(path)
    facts = stored.facts
    if "signature" not in facts:
        raise UsageError(f"{path} does not name its embedder; write the file with `innerear embed`")
    about = {name: facts[name] for name in ("seconds", "silent", "skipped") if name in facts}
    digest = facts.get("digest") or _digest(facts["signature"], stored.clips)
    return Embedded(path.name, stored.names, stored.clips, facts["signature"], digest, **about)


def _open_folder(folder: Path) -> Pending:
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and not any(p.startswith(".") for p in path.relative_to(folder).parts)
        and path.is_file()  # reading a named pipe would block forever
    )
    if not paths:
        raise UsageError(f"{folder} has no audio files; supported are {', '.join(sorted(SUFFIXES))}")
    return Pending(folder.name, {storable(path.relative_to(folder).as_posix()): path for path in paths})


def _embedded(
    source: Embedded | Pending, embedder: Embedder | None, skip_bad: bool, cache: bool, progress: Progress
) -> Embedded:
    if isinstance(source, Embedded):
        return source
    assert embedder is not None, "the caller opens one if a set is pending"
    kept = _kept(source, embedder) if cache and source.on_disk else None
    if kept is not None and (found := _from_cache(kept, source.name)) is not None and (skip_bad or not found.skipped):
        progress(f"embeddings of {source.name}", len(source.sounds), len(source.sounds))
        return found

    def embed_one(sound: Path | Clip) -> tuple[Frames, float, bool] | AudioError:
        try:
            clip = sound if isinstance(sound, Clip) else read_mono(sound, embedder.sample_rate)
        except AudioError as error:
            return error
        return embedder.embed([clip])[0], clip.duration_s, not clip.samples.any()

    names, clips, seconds, silent, skipped = [], [], 0.0, 0, []
    results = zip(source.sounds, ordered(embed_one, list(source.sounds.values())), strict=True)
    for number, (name, result) in enumerate(results, 1):
        if isinstance(result, AudioError):
            if not skip_bad:
                raise AudioError(f"{result}; --skip-bad skips and counts such files") from result
            skipped.append(name)
        else:
            names.append(name)
            clips.append(result[0])
            seconds += result[1]
            silent += result[2]
        progress(f"embeddings of {source.name}", number, len(source.sounds))
    if not clips:
        raise UsageError(f"none of the {len(source.sounds)} audio files of {source.name} can be read")
    digest = _digest(embedder.signature, clips)
    embedded = Embedded(
        storable(source.name), names, clips, embedder.signature, digest, seconds, silent, skipped, embedder.quantum
    )
    if kept is not None:
        with suppress(OSError, InnerEarError):  # a cache that cannot be written costs only time
            kept.parent.mkdir(parents=True, exist_ok=True)
            embedded.save(kept)
    return embedded


def _kept(source: Pending, embedder: Embedder) -> Path:
    """Where in the cache the embeddings of these files are, by their names and content and by the embedder."""
    content = hashlib.sha256(embedder.signature.encode())
    for name, path in source.sounds.items():
        assert isinstance(path, Path), "only files are kept"
        content.update(f"\0{name}\0".encode())
        try:
            with path.open("rb") as file:
                content.update(hashlib.file_digest(file, "sha256").digest())
        except OSError:
            content.update(b"unreadable")
    return cache_folder() / CACHE / f"{content.hexdigest()[:32]}.npz"


def _from_cache(path: Path, name: str) -> Embedded | None:
    """The embeddings of a set in the cache; `None` if they are not there or damaged."""
    try:
        return replace(_open_npz(path), name=storable(name)) if path.exists() else None
    except UsageError:
        return None


def _digest(signature: str, clips: Sequence[Frames]) -> str:
    content = hashlib.sha256(signature.encode())
    for clip in clips:
        content.update(np.asarray(clip, dtype=np.float32).tobytes())
    return content.hexdigest()[:16]
