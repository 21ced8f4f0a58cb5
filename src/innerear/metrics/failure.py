"""What went wrong? Failure modes of each sound that fails, the most severe first.

They are derived from the measurements and from the sound. `WORDS` gives their order: failures to
produce a sound come before faults of the sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from innerear import checks
from innerear.clip import Clip
from innerear.dsp.f0 import CLEAR, track_f0
from innerear.dsp.silence import is_silent
from innerear.metrics.base import Sound
from innerear.metrics.signal import right_length
from innerear.records import Measurement, Outcome, Probe, checked

WORDS = {
    "no program": "the reply contains no program",
    "not its own": "the program takes its sound from elsewhere, so it was not run",
    "forbidden": "the program did something that the jail forbids",
    "timeout": "the program ran too long",
    "out of memory": "the program exceeded its memory limit",
    "crashed": "the program ended with an error",
    "no audio": "the program wrote no sound",
    "silent": "the sound is silent",
    "plain noise": "the sound is only noise",
    "bare tone": "a pure tone instead of an instrument",
    "near copy": "the sound is nearly the same as for another probe",
    "wrong length": "the sound is too long or too short",
    "clipped": "the sound is clipped",
    "wrong count": "too many or too few notes or hits",
    "wrong order": "the right notes or sounds in the wrong order",
    "one missing": "one of the requested sounds is missing",
    "right notes, wrong time": "the right notes at the wrong time",
    "right time, wrong notes": "notes at the right time with the wrong pitch",
    "wrong pitch": "the wrong pitch",
    "wrong instrument": "the wrong instrument",
    "another sound": "recognised as a different sound, or not recognised",
    "no voice": "speech was requested, but there is no voice",
    "voice without words": "a voice, but none of the candidate texts",
    "wrong word": "the wrong text",
    "wrong vowel": "the wrong vowel",
    "right word, wrong voice": "the right text, but the wrong speaker or intonation",
    "wrong voice": "a voice with the wrong pitch or intonation",
    "wrong sound": "a check failed for another reason",
}
OF_OUTCOME = {
    Outcome.NO_PROGRAM: "no program", Outcome.FORBIDDEN: "forbidden", Outcome.TIMED_OUT: "timeout",
    Outcome.CPU_LIMIT: "timeout", Outcome.OUT_OF_MEMORY: "out of memory", Outcome.ERROR: "crashed",
    Outcome.PROVENANCE: "not its own",
    Outcome.EXIT_CODE: "crashed", Outcome.NO_AUDIO: "no audio", Outcome.BAD_AUDIO: "no audio",
}  # fmt: skip

SILENT_DBFS = -60.0
CLIPPED_SHARE = 0.01
FLAT = 0.3  # above this spectral flatness (geometric over arithmetic mean of power), a sound is noise
BARE_DB = -30.0  # level of everything but the strongest partial, relative to it, below which a sound is a pure tone
SAME_SHARE = 0.7  # share of the requested notes that must be right in pitch or time
COPY_DB = 1.5  # RMS difference of fingerprints below which two sounds are near copies
COPY_ROWS = 256  # sounds compared with all others at once
PRINT_BANDS, PRINT_TIMES, PRINT_HZ = 32, 24, 16_000
PRINT_RANGE_DB = 60.0


def fingerprint(clip: Clip) -> list[int]:
    """Levels of 24 × 32 (time, frequency) cells in dB, from 0 to 60 for the loudest; [] for silence or a click."""
    from innerear.embed.mel import log_mel

    samples = clip.at(PRINT_HZ)
    if len(samples) < PRINT_TIMES * 160 or is_silent(samples):
        return []
    bands = log_mel(samples)
    if len(bands) < PRINT_TIMES:
        return []
    bands = bands.reshape(len(bands), PRINT_BANDS, -1).mean(axis=2)
    parts = np.array_split(bands, PRINT_TIMES)
    levels = np.stack([part.mean(axis=0) for part in parts])
    return [int(level) for level in np.rint(np.clip(levels - levels.max() + PRINT_RANGE_DB, 0, None)).ravel()]


def texture(clip: Clip) -> tuple[float, float]:
    """Spectral flatness from 0 (tone) to 1 (noise), and the relative level of all but the strongest partial in dB."""
    import scipy.fft

    samples = clip.at(44_100)
    n_fft = 4096
    samples = np.pad(samples, (0, max(0, n_fft - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(samples, n_fft)[:: n_fft // 2]
    power = np.abs(scipy.fft.rfft(frames * np.blackman(n_fft).astype(np.float32), axis=1)) ** 2
    energy = power.sum(axis=1)
    power = power[energy > 1e-3 * energy.max()].astype(np.float64) + 1e-20
    flatness = np.exp(np.log(power[:, 5:1500]).mean(axis=1)) / power[:, 5:1500].mean(axis=1)
    peaks = power.argmax(axis=1)
    near = np.abs(np.arange(power.shape[1]) - peaks[:, None]) <= 4
    rest = np.where(near, 0, power).sum(axis=1) / power.sum(axis=1)
    return float(np.median(flatness)), float(10 * np.log10(max(np.median(rest), 1e-12)))


def copies(prints: dict[str, list[int]], probe_of: dict[str, str]) -> dict[str, str]:
    """Find sounds that nearly equal another probe's; returns that probe by subject (of ties, the first).

    `COPY_ROWS` sounds at a time are compared with all, so memory grows linearly. Fingerprints are integers
    up to 60, so their squared distances are exact in float32.
    """
    subjects = [subject for subject, levels in prints.items() if levels]
    if len(subjects) < 2:
        return {}
    levels = np.array([prints[subject] for subject in subjects], dtype=np.float32)
    squares = np.square(levels).sum(axis=1)
    probes = np.unique([probe_of[subject] for subject in subjects], return_inverse=True)[1]
    most = COPY_DB**2 * levels.shape[1]
    found: dict[str, str] = {}
    for start in range(0, len(subjects), COPY_ROWS):
        rows = slice(start, start + COPY_ROWS)
        apart = levels[rows] @ levels.T
        apart *= -2
        apart += squares
        apart += squares[rows, np.newaxis]
        apart[probes[rows, np.newaxis] == probes] = np.inf
        nearest = apart.argmin(axis=1)
        near = np.flatnonzero(apart[np.arange(len(apart)), nearest] <= most)
        found |= {subjects[start + row]: probe_of[subjects[nearest[row]]] for row in near}
    return found


def words(sound: Sound, rows: Sequence[Measurement], copy_of: str | None) -> list[str]:
    """List the failure modes of a sound from its measurements; none if all measured headline checks passed."""
    render = sound.render
    if render.outcome in OF_OUTCOME:
        return [OF_OUTCOME[render.outcome]]
    failed = failed_checks(sound.probe, rows)
    if not failed or sound.clip is None:
        return []
    found = set(_of_sound(sound, failed))
    if "silent" in found:
        return ["silent"]
    if copy_of is not None:
        found.add("near copy")
    for check, row in failed:
        found |= _of_check(check, row.detail)
    if sound.probe.tier == "speech":
        found |= _of_speech(sound.clip, failed, rows)
    return [word for word in WORDS if word in found] or ["wrong sound"]


OF_THE_VOICE = (checks.VoiceF0, checks.VoiceF0Steps, checks.F0Trend, checks.Unvoiced, checks.Pitch)


def _of_speech(clip: Clip, failed: Sequence[tuple[checks.Check, Measurement]], rows: Sequence[Measurement]) -> set[str]:
    """Failure modes of speech: no voice, no words, wrong words or vowel, or only the voice wrong."""
    if not is_voice(clip):
        return {"no voice"}
    heard = {row.metric: row.detail.get("heard") for row in rows}
    found = set()
    for check, _ in failed:
        match check:
            case checks.Transcript() | checks.Words() | checks.Rhyme():
                found.add("wrong word" if heard.get(checks.kind(check)) else "voice without words")
            case checks.Vowel():
                found.add("wrong vowel" if heard.get("vowel") else "voice without words")
    if not found and any(isinstance(check, OF_THE_VOICE) for check, _ in failed):
        said = any(row.metric in ("transcript", "words", "rhyme") and row.passed for row in rows)
        found.add("right word, wrong voice" if said else "wrong voice")
    return found


def is_voice(clip: Clip) -> bool:
    """Whether a sound has an f0 and formants, or Silero (if installed) detects a voice."""
    from innerear.dsp.voice import LEAST_RELIEF_DB, median_f0, relief_db, track_voice
    from innerear.errors import WeightsUnavailable
    from innerear.metrics.silero import SHORTEST_S, spoken_s

    track = track_voice(clip)
    if median_f0(clip, track) is not None and relief_db(clip, track) >= LEAST_RELIEF_DB:
        return True
    try:
        return spoken_s(clip) >= SHORTEST_S
    except WeightsUnavailable:
        return False


def failed_checks(probe: Probe, rows: Sequence[Measurement]) -> list[tuple[checks.Check, Measurement]]:
    """The headline checks that failed, each with its row."""
    return [(check, row) for check, row in checked(probe, rows) if check.headline and row.passed is False]


def _of_sound(sound: Sound, failed: Sequence[tuple[checks.Check, Measurement]]) -> list[str]:
    assert sound.clip is not None
    levels = sound.render.levels
    level = levels.rms_dbfs if levels else None
    found = []
    if level is None or level < SILENT_DBFS:
        return ["silent"]
    if levels and levels.clipped > CLIPPED_SHARE:
        found.append("clipped")
    if not right_length(sound.clip.duration_s, sound.probe.duration_s):
        found.append("wrong length")
    flatness, rest_db = texture(sound.clip)
    if flatness > FLAT:
        found.append("plain noise")
    if rest_db < BARE_DB and any(isinstance(check, checks.Instrument) for check, _ in failed) and _voiced(sound.clip):
        found.append("bare tone")
    return found


def _voiced(clip: Clip) -> bool:
    track = track_f0(clip.mono, clip.sample_rate)
    return bool(np.any(track.clarity >= CLEAR))


def _of_check(check: checks.Check, detail: dict[str, Any]) -> set[str]:
    """Failure modes according to a failed check's detail."""
    match check:
        case checks.Notes():
            return _of_notes(check, [(float(onset), float(midi)) for onset, midi in detail.get("heard", [])])
        case checks.Onsets() if "heard_s" in detail:
            heard = detail["heard_s"]
            return {"wrong count"} if len(heard) != len(check.times_s) else {"right notes, wrong time"}
        case checks.Events() if "heard" in detail:
            return {"wrong count"}
        case checks.Tune() if detail.get("heard"):
            return _of_tune(detail)
        case checks.Pitches() if detail.get("heard_hz"):
            return _of_pitches(detail)
        case checks.Instrument():
            return {"wrong instrument"}
        case checks.Pitch() if "heard_hz" in detail:
            return {"wrong pitch"}
        case checks.Label():
            return {"another sound"}
        case checks.Sequence() | checks.Together() if "heard" in detail:
            return _of_scene(check, detail["heard"])
    return set()


def _of_tune(detail: dict[str, Any]) -> set[str]:
    if len(detail["heard"]) != detail["asked"]:
        return {"wrong count"}
    return {"wrong pitch"} if detail["edits"] else {"right notes, wrong time"}


def _of_pitches(detail: dict[str, Any]) -> set[str]:
    if detail["extra_s"] or None in detail["cents"]:
        return {"wrong count"}
    return {"right time, wrong notes"}


def _of_scene(check: checks.Sequence | checks.Together, heard: Sequence[str]) -> set[str]:
    """Failure modes of two sounds: swapped, one of them missing, or both."""
    present = [label for label in check.labels if label in heard]
    if not present:
        return {"another sound"}
    if len(present) < len(check.labels):
        return {"one missing"}
    ordered = isinstance(check, checks.Sequence) and list(heard) == check.labels[::-1]
    return {"wrong order"} if ordered else {"wrong sound"}


def _of_notes(check: checks.Notes, heard: Sequence[tuple[float, float]]) -> set[str]:
    asked = [(onset, midi % 12 if check.octave_free else midi) for onset, _, midi in check.notes]
    played = [(onset, midi % 12 if check.octave_free else midi) for onset, midi in heard]
    found = set()
    if len(played) != len(asked):
        found.add("wrong count")
    enough = SAME_SHARE * len(asked)
    in_pitch = _common([round(midi) for _, midi in asked], [round(midi) for _, midi in played])
    in_time = sum(any(abs(onset - at) <= check.onset_tolerance_s for at, _ in played) for onset, _ in asked)
    right_pitches = in_pitch >= enough
    if right_pitches and len(played) == len(asked) and in_time >= enough:
        found.add("wrong order")
    elif right_pitches and in_time < enough:
        found.add("right notes, wrong time")
    elif in_time >= enough and not right_pitches:
        found.add("right time, wrong notes")
    return found


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    return sum(min(first.count(value), second.count(value)) for value in set(first))
