"""How much of a text is heard in noise: word errors at four signal-to-noise ratios.

In silence much speech is understood alike; noise spreads it. The noise has the long-term spectrum of real
speech and is the same for every sound of one text at one ratio. What is asked of a group is the speech
reception threshold, the ratio at which half of the words are wrong (R. Plomp, A. M. Mimpen, "Improving the
reliability of testing the speech reception threshold for sentences", Audiology 1979).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip
from innerear.metrics.base import Sound, SoundMetric, Value
from innerear.metrics.group import Group
from innerear.metrics.open_words import WhisperWer, asked_text, hear
from innerear.metrics.whisper import MODEL, SAMPLE_RATE, transcribe
from innerear.metrics.word_errors import compare
from innerear.records import Measurement, Probe, Remark, Score

Floats = NDArray[np.float64]

STEPS_DB = (10, 5, 0, -5)
HALF = 0.5  # of the words wrong, at the threshold
MARGIN_S = 0.5  # of noise alone, before and after the sound
FRAME = SAMPLE_RATE // 50  # 20 ms
ACTIVE_DB = 15.9  # below the active level, from which on a frame is active (ITU-T P.56)
BANDS_HZ = (
    100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000, 1250, 1600, 2000, 2500, 3150, 4000, 5000, 6300
)  # fmt: skip
SPEECH_DB = (
    -14.1, -13.4, -12.6, -11.0, -10.5, -11.2, -10.2, -9.0, -9.9, -12.1, -13.9, -15.3, -15.3, -16.3, -16.5, -17.2, -17.2,
    -16.1, -19.6,
)  # fmt: skip
"""The long-term level of real speech in each third-octave band, dB re the whole: the mean over 55 speakers of
LibriSpeech, LJSpeech and CMU ARCTIC (94 sentences), each sentence at the same active level."""


def active_level_db(samples: NDArray[np.floating]) -> float:
    """The level in dB re full scale over the frames in which there is speech; -inf for silence.

    After ITU-T P.56, method B, by frames of 20 ms: those within 15.9 dB of the level that they have together.
    """
    frames = np.asarray(samples, dtype=np.float64)[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.mean(frames**2, axis=1) if len(frames) else np.zeros(1)
    active = power[power > 0]
    while len(active):
        kept = active[active > active.mean() * 10 ** (-ACTIVE_DB / 10)]
        if len(kept) == len(active):
            return float(10 * np.log10(active.mean()))
        active = kept
    return -np.inf


def speech_noise(count: int, seed: Sequence[object]) -> Floats:
    """Noise with the spectrum of speech, RMS 1, at 16 kHz: as many samples as asked, the same for the same seed."""
    digits = hashlib.sha256("|".join(map(str, seed)).encode()).digest()
    rng = np.random.default_rng(np.frombuffer(digits, np.uint32))
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    density_db = np.array(SPEECH_DB) - 10 * np.log10(np.array(BANDS_HZ) * (2 ** (1 / 6) - 2 ** (-1 / 6)))
    gain_db = np.interp(np.log(np.maximum(hz, 1)), np.log(BANDS_HZ), density_db)
    gain_db -= 12 * np.log2(np.maximum(BANDS_HZ[0] / np.maximum(hz, 1), 1))  # an octave, below the lowest band
    samples = np.fft.irfft(spectrum * 10 ** (gain_db / 20), count)
    return np.asarray(samples / np.sqrt(np.mean(samples**2)))


def in_noise(clip: Clip, snr_db: float, text: str) -> Clip:
    """The sound at 16 kHz in noise, which begins 0.5 s before it and ends 0.5 s after it."""
    samples = np.pad(clip.at(SAMPLE_RATE).astype(np.float64), round(MARGIN_S * SAMPLE_RATE))
    level_db = active_level_db(samples) - snr_db
    noise = speech_noise(len(samples), ("speech in noise", text, snr_db))
    mixed = samples + noise * 10 ** (level_db / 20)
    return Clip(mixed.astype(np.float32)[None], SAMPLE_RATE)


class InNoise(SoundMetric):
    """Word error rate of Whisper tiny.en in speech-shaped noise, the mean over +10, +5, 0 and -5 dB; at most 1.

    All words are wrong if Silero VAD hears no voice in the sound without noise. Four times the cost of
    `whisper_wer`, so it is measured if it is asked for.
    """

    name, version, unit = "whisper_in_noise", 1, "WER"
    label = "Word error rate in noise"
    text = "The mean at four SNRs."
    better = "lower"
    weights = ("whisper-tiny.en", "silero-vad")
    fitted = "pronunciations.txt.xz"
    on_request = True
    excused_by = (Remark.ANOTHER_TEXT,)

    def applies(self, probe: Probe) -> bool:
        """Where a text is asked for."""
        return bool(asked_text(probe))

    def measure(self, sound: Sound) -> Value:
        """The detail holds, at each ratio in dB, what was heard and how many of the words were wrong."""
        text = asked_text(sound.probe)
        voice = hear(sound.signal).voice
        heard = {snr_db: transcribe(in_noise(sound.signal, snr_db, text)) if voice else "" for snr_db in STEPS_DB}
        found = {snr_db: compare(text, said) for snr_db, said in heard.items()}
        steps = {
            str(snr_db): {"heard": heard[snr_db], "errors": one.errors, "words": one.words}
            for snr_db, one in found.items()
        }
        rate = float(np.mean([one.capped / one.words for one in found.values()]))
        return Value(rate, None, "" if voice else "no voice", {"listener": MODEL, "steps": steps})

    def combine(self, group: Group, rows: Sequence[tuple[str, Measurement]]) -> Iterator[Score]:
        """The word error rate at each ratio, and the speech reception threshold."""
        from innerear.metrics.word_scores import noise_scores

        return noise_scores(self, group, rows, WhisperWer.name)


def threshold_db(rates: NDArray[np.floating]) -> NDArray[np.float64]:
    """The ratio in dB at which half of the words are wrong, of rates (..., steps) in the order of `STEPS_DB`.

    Between two steps on a straight line, through rates that were made to rise as the noise does (pooled
    with their neighbours where they do not). inf: more than half are wrong at the best ratio, -inf: fewer
    than half at the worst.
    """
    rates = np.asarray(rates, dtype=np.float64)
    count = rates.shape[-1]
    sums = np.concatenate([np.zeros((*rates.shape[:-1], 1)), np.cumsum(rates, axis=-1)], axis=-1)
    rising = np.stack(
        [
            np.max(
                [
                    np.min([(sums[..., b + 1] - sums[..., a]) / (b + 1 - a) for b in range(i, count)], axis=0)
                    for a in range(i + 1)
                ],
                axis=0,
            )
            for i in range(count)
        ],
        axis=-1,
    )
    found = np.where(rising[..., 0] > HALF, np.inf, -np.inf)
    for i in range(count - 1):
        low, high = rising[..., i], rising[..., i + 1]
        share = (HALF - low) / np.maximum(high - low, 1e-12)
        crossed = (low <= HALF) & (high > HALF)
        found = np.where(crossed, STEPS_DB[i] + share * (STEPS_DB[i + 1] - STEPS_DB[i]), found)
    return found
