"""Is a human voice heard? The check `voice`, and the gate of `unvoiced`: Silero VAD.

A network that says every 32 ms how likely it is that someone speaks (Silero Team, "Silero VAD",
MIT). It hears whispered sentences too, nearly as well as voiced ones; it does not hear a held vowel
as speech: what it was verified on stands in docs/metrics-speech.md.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.checks import Unvoiced, Voice
from innerear.clip import Clip
from innerear.dsp.voice import LEAST_RELIEF_DB, relief_db, track_voice
from innerear.embed.weights import Weights, fetch
from innerear.errors import WeightsUnavailable
from innerear.metrics.base import CheckMetric, Sound, Value

SAMPLE_RATE = 16_000
CHUNK, BEFORE = 512, 64  # samples; each chunk is heard with the 64 before it
MARGIN_S = 0.3  # of silence before and after the sound
LEVEL_DBFS = -26.0  # RMS that each sound is brought to
LIKELY = 0.5
SHORTEST_S = 0.096  # that it must be likely in a row
MOST_VOICED = 0.15  # share of the heard frames with an f0, in a whisper


def open_network(weights: Weights, what: str) -> Any:
    """An ONNX network on one thread of the processor.

    Raises:
        WeightsUnavailable: onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise WeightsUnavailable(f"{what} needs the package onnxruntime: pip install 'innerear[speech]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(weights.path), options, providers=["CPUExecutionProvider"])


@functools.cache
def _network() -> Any:
    return open_network(fetch("silero-vad")["silero_vad.onnx"], "Silero VAD")


def speech(clip: Clip) -> NDArray[np.float32]:
    """The probability of speech in each 32 ms of a clip, from 0.3 s before its start to 0.3 s after its end.

    Raises:
        WeightsUnavailable: the network cannot be had here.
    """
    network = _network()
    samples = clip.at(SAMPLE_RATE)
    rms = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) if len(samples) else 0.0
    if rms < 1e-5:
        return np.zeros(1, np.float32)
    margin = round(MARGIN_S * SAMPLE_RATE)
    samples = np.pad(samples * np.float32(10 ** (LEVEL_DBFS / 20) / rms), margin)
    samples = np.pad(samples, (BEFORE, -len(samples) % CHUNK))
    state, rate = np.zeros((2, 1, 128), np.float32), np.array(SAMPLE_RATE, np.int64)
    found = []
    for start in range(0, len(samples) - BEFORE, CHUNK):
        heard = {"input": samples[None, start : start + BEFORE + CHUNK], "state": state, "sr": rate}
        probability, state = network.run(None, heard)
        found.append(float(probability[0, 0]))
    return np.array(found, np.float32)


def longest_s(probabilities: NDArray[np.float32]) -> float:
    """For how long in a row speech is likely."""
    best = run = 0
    for likely in probabilities >= LIKELY:
        run = run + 1 if likely else 0
        best = max(best, run)
    return best * CHUNK / SAMPLE_RATE


def spoken_s(clip: Clip) -> float:
    """Seconds in a row in which a voice is heard; below `SHORTEST_S` there is none.

    Raises:
        WeightsUnavailable: the network cannot be had here.
    """
    return longest_s(speech(clip))


class VoiceCheck(CheckMetric[Voice]):
    """The check `voice`: seconds in a row in which a human voice is heard.

    Passes from 0.1 s on, unless it is mostly a tone without resonances, some of which the network
    takes for a voice. Without the network it is not measured.
    """

    name, version, unit = "voice", 1, "s"
    label = "Voice present"
    text = "Silero VAD detects a human voice."
    weights = ("silero-vad",)

    def measure(self, sound: Sound, check: Voice) -> Value:
        """The value is in seconds."""
        found = spoken_s(sound.signal)
        if found < SHORTEST_S:
            return Value(found, False, "no voice")
        track = track_voice(sound.signal)
        if 2 * track.voiced.sum() > track.heard.sum() and relief_db(sound.signal, track) < LEAST_RELIEF_DB:
            return Value(found, False, "a tone without resonances")
        return Value(found, True)


class UnvoicedCheck(CheckMetric[Unvoiced]):
    """The check `unvoiced`: share of the heard sound that has an f0, where a voice speaks.

    Passes below 0.15 where Silero hears a voice. A sound with more is voiced whoever made it, so it
    has failed without the network too.
    """

    name, version, unit = "unvoiced", 1, "share voiced"
    label = "Whispered"
    text = "A voice without a fundamental."
    weights = ("silero-vad",)

    def measure(self, sound: Sound, check: Unvoiced) -> Value:
        """The detail holds for how long a voice is heard, in seconds."""
        track = track_voice(sound.signal)
        if not track.heard.any():
            return Value(None, False, "silence")
        share = float(track.voiced.sum() / track.heard.sum())
        if share >= MOST_VOICED:
            return Value(share, False, "it has a fundamental")
        try:
            found = spoken_s(sound.signal)
        except WeightsUnavailable as error:
            return Value.unavailable(error, share)
        passed = found >= SHORTEST_S
        return Value(share, passed, "" if passed else "no voice", {"spoken_s": found})
