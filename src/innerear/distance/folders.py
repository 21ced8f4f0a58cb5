"""Distances between folders of audio, without models, probes or runs.

    >>> from innerear.distance.folders import fad                                  # doctest: +SKIP
    >>> fad("recorded/", "generated/").value                            # doctest: +SKIP

A set of sounds is a folder of audio (including subfolders), one sound file, an `.npz` written by
`embed`, or the name of a bundled reference, such as `environment`.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from innerear.clip import read_mono
from innerear.compute.threads import ordered
from innerear.distance import compat
from innerear.distance.distance import Distance, SetFacts, warnings
from innerear.distance.frechet import fad_inf, fad_interval, frechet_distance, per_clip
from innerear.distance.kernel import KernelReference, kad_interval, p_value
from innerear.distance.kernel import kad as kernel_distance
from innerear.distance.moments import Gaussian
from innerear.embed import Embedder, Frames, open_embedder
from innerear.embed.loudness import LoudnessRule
from innerear.embed.store import load_frames, save_frames
from innerear.errors import AudioError, UsageError
from innerear.reference.sets import KINDS, find_reference
from innerear.run.progress import Progress, silent
from innerear.stats import holding
from innerear.text import storable

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff"})
SEED = 0

Source = Path | str


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

    def save(self, path: Source) -> None:
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
class _Pending:
    """A set whose sounds are not embedded yet; names are relative to `root`."""

    name: str
    root: Path
    paths: Sequence[Path]


def embed(
    source: Source,
    embedder: str = "yamnet",
    *,
    loudness: LoudnessRule = "active",
    skip_bad: bool = False,
    progress: Progress = silent,
) -> Embedded:
    """Embed a set of sounds.

    Raises:
        UsageError: there is no such set, or it is empty.
        AudioError: a file cannot be read and `skip_bad` is false.
        WeightsUnavailable: the embedder's weights are not installed.
    """
    opened = _open(source, embedder)
    model = open_embedder(embedder, loudness) if isinstance(opened, _Pending) else None
    return _embedded(opened, model, skip_bad, progress)


def _open(source: Source, embedder: str) -> Embedded | _Pending:
    path = Path(source)
    if path.is_dir():
        return _open_folder(path)
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return _Pending(path.name, path.parent, [path])
    if path.is_file():
        return _open_npz(path)
    if (reference := find_reference(str(source), embedder)) is not None:
        clips = reference.kept
        names = [name for name, held in zip(reference.names, reference.held, strict=True) if not held]
        return Embedded(str(source), names, clips, reference.signature, reference.digest)
    raise UsageError(
        f"{source} is not a folder, a sound file, an .npz of embeddings or a reference for {embedder} "
        f"({', '.join(kind.name for kind in KINDS)})"
    )


def fad(
    reference: Source,
    sounds: Source,
    embedder: str = "yamnet",
    *,
    infinite: bool = False,
    like_fadtk: bool = False,
    each_clip: bool = False,
    skip_bad: bool = False,
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
    real, made = _both(reference, sounds, embedder, "none" if like_fadtk else "active", skip_bad, progress)
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
    embedder: str = "yamnet",
    *,
    permutations: int = 0,
    like_kadtk: bool = False,
    skip_bad: bool = False,
    seed: int = SEED,
    progress: Progress = silent,
) -> Distance:
    """Kernel audio distance of a set of sounds to a reference, with its interval over clips.

    `permutations`: number of permutations for the p-value of "both sets come from the same source"; 0
    for none. `like_kadtk`: the number that kadtk gives for these embeddings, without loudness
    normalisation.

    Raises:
        UsageError: fewer than two clips in a set, a silent reference, sets from different embedders;
            see also `embed`.
    """
    real, made = _both(reference, sounds, embedder, "none" if like_kadtk else "active", skip_bad, progress)
    p = p_value(real.clips, made.clips, seed, permutations) if permutations else None
    if like_kadtk:
        conventions, bounds = "as-kadtk-1.1.0", None
        distance = compat.kadtk_kad(real.clips, made.clips)
    else:
        kernel = KernelReference.of(real.clips)
        conventions = f"float64,x100,over-clips,bandwidth:{kernel.bandwidth:.6g}"
        distance = kernel_distance(kernel, made.clips)
        bounds = holding(distance, kad_interval(kernel, made.clips, seed))
    facts = made.facts(Gaussian.of(made.frames).rank), real.facts(Gaussian.of(real.frames).rank)
    return _distance("kad", distance, bounds, facts, real.signature, conventions, p_value=p)


def _both(
    reference: Source, sounds: Source, embedder: str, loudness: LoudnessRule, skip_bad: bool, progress: Progress
) -> tuple[Embedded, Embedded]:
    opened = [_open(source, embedder) for source in (reference, sounds)]  # check both before embedding anything
    model = open_embedder(embedder, loudness) if any(isinstance(one, _Pending) for one in opened) else None
    first, second = (one.signature if isinstance(one, Embedded) else model and model.signature for one in opened)
    if first != second:
        raise UsageError(
            f"{opened[0].name} was embedded by {first}, {opened[1].name} by {second}; use the same embedder for both"
        )
    real, made = (_embedded(one, model, skip_bad, progress) for one in opened)
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


def _open_folder(folder: Path) -> _Pending:
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and not any(p.startswith(".") for p in path.relative_to(folder).parts)
        and path.is_file()  # reading a named pipe would block forever
    )
    if not paths:
        raise UsageError(f"{folder} has no audio files; supported are {', '.join(sorted(SUFFIXES))}")
    return _Pending(folder.name, folder, paths)


def _embedded(source: Embedded | _Pending, embedder: Embedder | None, skip_bad: bool, progress: Progress) -> Embedded:
    if isinstance(source, Embedded):
        return source
    assert embedder is not None, "the caller opens one if a set is pending"
    paths, folder = source.paths, source.root

    def embed_file(path: Path) -> tuple[Frames, float, bool] | AudioError:
        try:
            clip = read_mono(path, embedder.sample_rate)
        except AudioError as error:
            return error
        return embedder.embed([clip])[0], clip.duration_s, not clip.samples.any()

    names, clips, seconds, silent, skipped = [], [], 0.0, 0, []
    for number, (path, result) in enumerate(zip(paths, ordered(embed_file, paths), strict=True), 1):
        name = storable(path.relative_to(folder).as_posix())
        if isinstance(result, AudioError):
            if not skip_bad:
                raise AudioError(f"{result}; --skip-bad skips and counts such files") from result
            skipped.append(name)
        else:
            names.append(name)
            clips.append(result[0])
            seconds += result[1]
            silent += result[2]
        progress(f"embeddings of {source.name}", number, len(paths))
    if not clips:
        raise UsageError(f"none of the {len(paths)} audio files of {source.name} can be read")
    digest = _digest(embedder.signature, clips)
    return Embedded(
        storable(source.name), names, clips, embedder.signature, digest, seconds, silent, skipped, embedder.quantum
    )  # fmt: skip


def _digest(signature: str, clips: Sequence[Frames]) -> str:
    content = hashlib.sha256(signature.encode())
    for clip in clips:
        content.update(np.asarray(clip, dtype=np.float32).tobytes())
    return content.hexdigest()[:16]
