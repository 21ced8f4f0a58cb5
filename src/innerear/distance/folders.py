"""The distances alone, for folders of audio: no models, no probes, no run.

    >>> from innerear.distance.folders import fad                                  # doctest: +SKIP
    >>> fad("recorded/", "generated/").value                            # doctest: +SKIP

A set of sounds is a folder of audio (with its subfolders), one sound file, an `.npz` that `embed`
wrote, or the name of a shipped reference, such as `environment`.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Sequence
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
from innerear.reference import KINDS, find_reference
from innerear.stats import holding
from innerear.text import storable

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff"})
SEED = 0

Progress = Callable[[str, int, int], None]
Source = Path | str


def _silent(what: str, done: int, total: int) -> None:
    """A `Progress` that shows nothing."""


@dataclass(frozen=True, eq=False)
class Embedded:
    """A set of sounds as an embedder hears it; `clips[i]`, of shape (frames, dims), is `names[i]`.

    `silent` counts the clips of digital silence, `skipped` names the files left out.
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
        """Write the set as an npz that `fad`, `kad` and `embed` take in the place of its folder."""
        facts = {
            "signature": self.signature, "digest": self.digest, "seconds": self.seconds,
            "silent": self.silent, "skipped": list(self.skipped),
        }  # fmt: skip
        save_frames(Path(path), self.names, self.clips, self.quantum, facts)

    def facts(self, rank: int) -> SetFacts:
        """How much it holds, given the rank of its covariance."""
        return SetFacts(
            self.name, len(self.clips), sum(map(len, self.clips)), self.clips[0].shape[1], rank, self.digest,
            self.seconds, self.silent, len(self.skipped),
        )  # fmt: skip


@dataclass(frozen=True)
class _Unheard:
    """A set whose sounds are still to be embedded; names are below `root`."""

    name: str
    root: Path
    paths: Sequence[Path]


def embed(
    source: Source,
    embedder: str = "yamnet",
    *,
    loudness: LoudnessRule = "active",
    skip_bad: bool = False,
    progress: Progress = _silent,
) -> Embedded:
    """The frames of a set of sounds.

    Raises:
        UsageError: there is no such set, or it is empty. AudioError: a file cannot be read, and
        is not to be skipped. WeightsUnavailable: the embedder's weights are not here.
    """
    opened = _open(source, embedder)
    ears = open_embedder(embedder, loudness) if isinstance(opened, _Unheard) else None
    return _heard(opened, ears, skip_bad, progress)


def _open(source: Source, embedder: str) -> Embedded | _Unheard:
    path = Path(source)
    if path.is_dir():
        return _open_folder(path)
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return _Unheard(path.name, path.parent, [path])
    if path.is_file():
        return _open_npz(path)
    if (reference := find_reference(str(source), embedder)) is not None:
        clips = reference.kept
        names = [name for name, held in zip(reference.names, reference.held, strict=True) if not held]
        return Embedded(str(source), names, clips, reference.signature, reference.digest)
    raise UsageError(
        f"{source} is no folder, no sound file, no .npz of embeddings, and no reference of {embedder} "
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
    progress: Progress = _silent,
) -> Distance:
    """The Fréchet audio distance of a set of sounds to a reference, with its interval over clips.

    `infinite`: FAD∞, both sets halved by clips. `like_fadtk`: the number that fadtk gives for
    such embeddings, heard at the level they have. `each_clip`: also each clip's own distance.

    Raises:
        UsageError: fewer than two frames in a set, sets of different embedders, `each_clip` along
        with `like_fadtk`; see also `embed`.
    """
    if each_clip and like_fadtk:
        raise UsageError("each clip's own distance is given by our conventions only, not by fadtk's")
    held, made = _both(reference, sounds, embedder, "none" if like_fadtk else "active", skip_bad, progress)
    real, found = Gaussian.of(held.frames), Gaussian.of(made.frames)
    conventions, spread, reach = "float64", None, None
    if like_fadtk:
        conventions = "as-fadtk-1.1.0"
        distance = (
            compat.fadtk_fad_inf(held.clips, made.clips, seed) if infinite else compat.fadtk_fad(held.clips, made.clips)
        )
    elif infinite:
        conventions = f"float64,halves-of-clips,seed:{seed}"
        extrapolated = fad_inf(held.clips, made.clips, seed)
        distance, spread = extrapolated.value, extrapolated.spread
    else:
        distance = frechet_distance(real, found)
        reach = holding(distance, fad_interval(real, made.clips, seed))
    metric = "fad_inf" if infinite else "fad"
    facts = made.facts(found.rank), held.facts(real.rank)
    each = dict(zip(made.names, per_clip(real, made.clips), strict=True)) if each_clip else None
    return _stated(metric, distance, reach, facts, held.signature, conventions, spread=spread, each_clip=each)


def kad(
    reference: Source,
    sounds: Source,
    embedder: str = "yamnet",
    *,
    permutations: int = 0,
    like_kadtk: bool = False,
    skip_bad: bool = False,
    seed: int = SEED,
    progress: Progress = _silent,
) -> Distance:
    """The kernel audio distance of a set of sounds to a reference, with its interval over clips.

    `permutations`: how many to draw for a p-value of "both sets come from one source"; 0 for
    none. `like_kadtk`: the number that kadtk gives for such embeddings, heard at the level they have.

    Raises:
        UsageError: fewer than two clips in a set, a silent reference, sets of different embedders;
        see also `embed`.
    """
    held, made = _both(reference, sounds, embedder, "none" if like_kadtk else "active", skip_bad, progress)
    p = p_value(held.clips, made.clips, seed, permutations) if permutations else None
    if like_kadtk:
        conventions, reach = "as-kadtk-1.1.0", None
        distance = compat.kadtk_kad(held.clips, made.clips)
    else:
        kernel = KernelReference.of(held.clips)
        conventions = f"float64,x100,over-clips,bandwidth:{kernel.bandwidth:.6g}"
        distance = kernel_distance(kernel, made.clips)
        reach = holding(distance, kad_interval(kernel, made.clips, seed))
    facts = made.facts(Gaussian.of(made.frames).rank), held.facts(Gaussian.of(held.frames).rank)
    return _stated("kad", distance, reach, facts, held.signature, conventions, p_value=p)


def _both(
    reference: Source, sounds: Source, embedder: str, loudness: LoudnessRule, skip_bad: bool, progress: Progress
) -> tuple[Embedded, Embedded]:
    opened = [_open(source, embedder) for source in (reference, sounds)]  # both, before anything is embedded
    ears = open_embedder(embedder, loudness) if any(isinstance(one, _Unheard) for one in opened) else None
    real, found = (one.signature if isinstance(one, Embedded) else ears and ears.signature for one in opened)
    if real != found:
        raise UsageError(f"{opened[0].name} was heard by {real}, {opened[1].name} by {found}; wanted the same for both")
    held, made = (_heard(one, ears, skip_bad, progress) for one in opened)
    return held, made


def _stated(
    metric: Any, value: float, reach: tuple[float, float] | None, facts: tuple[SetFacts, SetFacts],
    signature: str, conventions: str, **more: Any,
) -> Distance:  # fmt: skip
    low, high = reach or (None, None)
    of, reference = facts
    return Distance(
        metric=metric, value=value, low=low, high=high, of=of, reference=reference, embedder=signature,
        conventions=conventions, notes=warnings(metric, of, reference), **more,
    )  # fmt: skip


def _open_npz(path: Path) -> Embedded:
    if not zipfile.is_zipfile(path):
        raise UsageError(f"{path} is no sound file ({', '.join(sorted(SUFFIXES))}), and no whole .npz of embeddings")
    stored = load_frames(path)
    facts = stored.facts
    if "signature" not in facts:
        raise UsageError(f"{path} does not say which embedder wrote it; `innerear embed` writes one that does")
    about = {name: facts[name] for name in ("seconds", "silent", "skipped") if name in facts}
    digest = facts.get("digest") or _digest(facts["signature"], stored.clips)
    return Embedded(path.name, stored.names, stored.clips, facts["signature"], digest, **about)


def _open_folder(folder: Path) -> _Unheard:
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and not any(p.startswith(".") for p in path.relative_to(folder).parts)
        and path.is_file()  # a pipe by such a name would never end
    )
    if not paths:
        raise UsageError(f"{folder} holds no audio; wanted files that end in {', '.join(sorted(SUFFIXES))}")
    return _Unheard(folder.name, folder, paths)


def _heard(source: Embedded | _Unheard, embedder: Embedder | None, skip_bad: bool, progress: Progress) -> Embedded:
    if isinstance(source, Embedded):
        return source
    assert embedder is not None, "the caller opens one if a set is unheard"
    paths, folder = source.paths, source.root

    def heard(path: Path) -> tuple[Frames, float, bool] | AudioError:
        try:
            clip = read_mono(path, embedder.sample_rate)
        except AudioError as error:
            return error
        return embedder.embed([clip])[0], clip.duration_s, not clip.samples.any()

    names, clips, seconds, silent, skipped = [], [], 0.0, 0, []
    for number, (path, found) in enumerate(zip(paths, ordered(heard, paths), strict=True), 1):
        name = storable(path.relative_to(folder).as_posix())
        if isinstance(found, AudioError):
            if not skip_bad:
                raise AudioError(f"{found}; --skip-bad leaves such files out and counts them") from found
            skipped.append(name)
        else:
            names.append(name)
            clips.append(found[0])
            seconds += found[1]
            silent += found[2]
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
