"""Sounds whose truth is known: made from sines, or put together from recorded single notes.

All are mono at 44.1 kHz. A *voice* plays one note: five synthetic ones here, and one for each
recorded instrument of the reference data, see `Bank`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip, read_mono
from innerear.data_folders import Folders, clip_path, data_folders
from innerear.reference.manifest import ManifestRow, read_manifests

SAMPLE_RATE = 44_100
FARTHEST = 3.0  # semitones that a recorded note may be moved
RELEASE_S = 0.04  # a recorded note is damped before the next begins

Floats = NDArray[np.float64]
Voice = Callable[[float, float, np.random.Generator], Floats]
"""(f0 in hertz, seconds held, generator) to samples, with whatever rings on after."""


def hz(midi: float) -> float:
    """The frequency of a MIDI pitch.

    >>> hz(69)
    440.0
    """
    return float(440 * 2 ** ((midi - 69) / 12))


def clip(samples: Floats) -> Clip:
    """As a clip, at a peak of 0.5 (silence stays silence)."""
    peak = float(np.abs(samples).max(initial=0.0))
    return Clip((samples * (0.5 / peak if peak else 1.0)).astype(np.float32)[None], SAMPLE_RATE)


def seconds(duration_s: float) -> Floats:
    """The times of the samples."""
    return np.arange(round(duration_s * SAMPLE_RATE)) / SAMPLE_RATE


def edges(samples: Floats, attack_s: float, release_s: float) -> Floats:
    """Raised-cosine edges."""
    shaped = samples.copy()
    for length_s, place in ((attack_s, slice(None)), (release_s, slice(None, None, -1))):
        n = min(round(length_s * SAMPLE_RATE), len(shaped))
        shaped[place][:n] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(n) / max(n, 1))
    return shaped


def partials(f0_hz: Floats | float, t: Floats, levels: Sequence[float], stretch: float = 0.0) -> Floats:
    """A sum of partials n·f0·√(1 + stretch·n²) below 18 kHz; f0 may move over time."""
    cycles = np.cumsum(np.broadcast_to(f0_hz, t.shape)) / SAMPLE_RATE
    top = float(np.max(f0_hz))
    total = np.zeros_like(t)
    for n, level in enumerate(levels, 1):
        ratio = n * (1 + stretch * n * n) ** 0.5
        if level and ratio * top < 18_000:
            total += level * np.sin(2 * np.pi * ratio * cycles + 0.7 * n)
    return total


def sine(f0_hz: float, held_s: float, rng: np.random.Generator) -> Floats:
    """A bare sine with short edges."""
    return edges(partials(f0_hz, seconds(held_s), [1.0]), 0.005, 0.02)


def reed(f0_hz: float, held_s: float, rng: np.random.Generator) -> Floats:
    """Sixteen partials falling by 6 dB an octave, 15 ms to speak."""
    return edges(partials(f0_hz, seconds(held_s), [1 / n for n in range(1, 17)]), 0.015, 0.03)


def blown(f0_hz: float, held_s: float, rng: np.random.Generator) -> Floats:
    """Three partials and breath, 40 ms to speak, a slight vibrato."""
    t = seconds(held_s)
    moved = f0_hz * 2 ** (8 / 1200 * np.sin(2 * np.pi * 5 * t))
    return edges(partials(moved, t, [1, 0.4, 0.1]) + 0.01 * rng.standard_normal(len(t)), 0.04, 0.04)


def plucked(f0_hz: float, held_s: float, rng: np.random.Generator) -> Floats:
    """A stiff string, damped at its end; high partials die first."""
    t = seconds(held_s + 0.05)
    total = np.zeros_like(t)
    for n in range(1, 13):
        total += partials(f0_hz, t, [0.0] * (n - 1) + [1 / n], 2e-4) * np.exp(-t * (1.5 + 0.8 * n))
    return edges(total, 0.002, 0.05)


def ringing(f0_hz: float, held_s: float, rng: np.random.Generator) -> Floats:
    """A bar or a small bell that rings on for 1.5 s whatever comes next."""
    t = seconds(max(held_s, 1.5))
    total = partials(f0_hz, t, [1.0]) * np.exp(-t * 2.5) + 0.4 * partials(f0_hz * 4, t, [1.0]) * np.exp(-t * 8)
    return edges(total, 0.001, 0.05)


SYNTHETIC: dict[str, Voice] = {
    "sine": sine, "reed": reed, "blown": blown, "plucked": plucked, "ringing": ringing,
}  # fmt: skip


@dataclass(frozen=True)
class Played:
    """One recorded note."""

    instrument: str
    family: str
    midi: int
    path: Path

    def samples(self) -> Floats:
        """Mono at 44.1 kHz."""
        return read_mono(self.path, SAMPLE_RATE).mono.astype(np.float64)


class Bank:
    """The recordings of one or several reference data packs.

    `real` holds the notes of sample libraries by instrument, `rendered` those of General MIDI
    programs, `environment` the environmental sounds by class, `speech` the manifest's
    rows of speech. `sources` holds the source of each recording: a split never parts clips of one source.
    `soundfonts` are those that the fit of `instrument` also learns from.
    """

    def __init__(self, folders: Folders, soundfonts: Sequence[Path] = ()) -> None:
        self.soundfonts = tuple(soundfonts)
        self.real: dict[str, list[Played]] = {}
        self.rendered: dict[str, list[Played]] = {}
        self.environment: dict[str, list[Path]] = {}
        self.speech: list[ManifestRow] = []
        self.folders, self.rows = data_folders(folders), read_manifests(folders)
        self.folder = self.folders[0]  # of notes and speech
        self.sources: dict[Path, str] = {}
        for row in self.rows:
            path = self.path(row["file"])
            self.sources[path] = row["source_id"] or row["file"]
            if row["tier"] == "env":
                self.environment.setdefault(row["label"], []).append(path)
            elif row["tier"] == "speech":
                self.speech.append(row)
            if row["tier"] != "notes":
                continue
            is_real = row["set"].startswith("real:")
            name = row["set"].removeprefix("real:") if is_real else row["label_detail"]
            note = Played(name, row["label"], int(row["midi"]), path)
            (self.real if is_real else self.rendered).setdefault(name, []).append(note)

    def path(self, file: str) -> Path:
        """Path of a clip by its name in the manifest."""
        return clip_path(self.folders, file)

    @property
    def all(self) -> list[Played]:
        """Every note."""
        return [note for group in (self.real, self.rendered) for notes in group.values() for note in notes]

    def voice(self, instrument: str) -> Voice:
        """Plays the nearest recorded note, resampled to the pitch asked and damped at its end."""
        notes = self.real.get(instrument) or self.rendered[instrument]
        held: dict[Path, Floats] = {}

        def play(f0_hz: float, held_s: float, rng: np.random.Generator) -> Floats:
            midi = 69 + 12 * np.log2(f0_hz / 440)
            nearest = min(notes, key=lambda note: abs(note.midi - midi))
            if abs(nearest.midi - midi) > FARTHEST:
                raise LookupError(f"{instrument} has no note within {FARTHEST:g} semitones of {midi:.1f}")
            if nearest.path not in held:
                held[nearest.path] = from_onset(nearest.samples())
            moved = resampled(held[nearest.path], 2 ** ((midi - nearest.midi) / 12))
            return edges(moved[: round(held_s * SAMPLE_RATE)], 0, RELEASE_S)

        return play

    def reaches(self, instrument: str, midis: Sequence[float]) -> bool:
        """Whether the instrument has all of these pitches."""
        notes = self.real.get(instrument) or self.rendered[instrument]
        return all(min(abs(note.midi - midi) for note in notes) <= FARTHEST for midi in midis)


def from_onset(samples: Floats, below_peak_db: float = 12.0) -> Floats:
    """From where the level first comes within 12 dB of the highest of its first half second.

    There a listener hears it begin, and a player places the beat: 6 to 15 dB below the maximum, by
    J. Vos, R. Rasch, "The perceptual onset of musical tones", Perception & Psychophysics 29, 1981.
    """
    block = round(0.005 * SAMPLE_RATE)
    power = np.mean(samples[: len(samples) // block * block].reshape(-1, block) ** 2, axis=1)
    first = int(np.argmax(power >= power[:100].max() * 10 ** (-below_peak_db / 10)))
    return edges(samples[first * block :], 0.003, 0)


def resampled(samples: Floats, ratio: float) -> Floats:
    """Played `ratio` times as fast, and so as much higher."""
    if abs(ratio - 1) < 1e-9:
        return samples
    import soxr

    return np.asarray(soxr.resample(samples, SAMPLE_RATE * ratio, SAMPLE_RATE, quality="HQ"))


def mix(events: Sequence[tuple[float, Floats]], duration_s: float, rate: int = SAMPLE_RATE) -> Floats:
    """Sounds at their onsets in seconds, cut at the end."""
    total = np.zeros(round(duration_s * rate))
    for onset_s, samples in events:
        start = round(onset_s * rate)
        part = samples[: max(0, len(total) - start)]
        total[start : start + len(part)] += part
    return total


def phrase(
    voice: Voice, notes: Sequence[tuple[float, float, float]], duration_s: float, rng: np.random.Generator
) -> Clip:
    """(onset, offset, MIDI pitch) played by a voice, each note at a level of its own within 4 dB."""
    played = [(on, voice(hz(midi), off - on, rng) * 10 ** (rng.uniform(-4, 0) / 20)) for on, off, midi in notes]
    return clip(mix(played, duration_s))


def click(rng: np.random.Generator) -> Floats:
    """A tick: 2 ms of noise that dies away."""
    return rng.standard_normal(900) * np.exp(-np.arange(900) / 90)


def block(rng: np.random.Generator, f0_hz: float = 1200.0) -> Floats:
    """A wood block: a short decaying tone."""
    t = seconds(0.12)
    return np.sin(2 * np.pi * f0_hz * t) * np.exp(-t * 45) + 0.3 * np.pad(click(rng), (0, len(t) - 900))


def kick(rng: np.random.Generator) -> Floats:
    """A bass drum: a falling tone and a tick."""
    t = seconds(0.25)
    tone = np.sin(2 * np.pi * np.cumsum(50 + 90 * np.exp(-t * 30)) / SAMPLE_RATE) * np.exp(-t * 14)
    return tone + 0.1 * np.pad(click(rng), (0, len(t) - 900))


def snare(rng: np.random.Generator) -> Floats:
    """A snare drum: a tone under noise."""
    t = seconds(0.2)
    return 0.5 * np.sin(2 * np.pi * 190 * t) * np.exp(-t * 25) + 0.5 * rng.standard_normal(len(t)) * np.exp(-t * 20)


def hat(rng: np.random.Generator) -> Floats:
    """A closed hi-hat: high noise, 12 dB below the drums."""
    t = seconds(0.06)
    return 0.2 * np.diff(rng.standard_normal(len(t) + 1)) * np.exp(-t * 70)


HITS: dict[str, Callable[[np.random.Generator], Floats]] = {
    "click": click, "block": block, "kick": kick, "snare": snare,
}  # fmt: skip


def room(samples: Floats, rng: np.random.Generator, wet: float = 0.15) -> Floats:
    """In a small room: a tail of 0.3 s."""
    from scipy.signal import fftconvolve

    t = seconds(0.3)
    tail = rng.standard_normal(len(t)) * np.exp(-t * 20)
    tail *= wet / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return np.asarray(fftconvolve(samples, tail)[: len(samples)])


def noisy(samples: Floats, rng: np.random.Generator, snr_db: float = 40.0) -> Floats:
    """With white noise this far below its RMS."""
    rms = float(np.sqrt(np.mean(samples**2)))
    return samples + rng.standard_normal(len(samples)) * rms * 10 ** (-snr_db / 20)


def noise(duration_s: float, rng: np.random.Generator) -> Clip:
    """White noise."""
    return clip(rng.standard_normal(round(duration_s * SAMPLE_RATE)))


def silence(duration_s: float) -> Clip:
    """Digital silence."""
    return clip(np.zeros(round(duration_s * SAMPLE_RATE)))
