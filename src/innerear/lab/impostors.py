"""Impostors: sounds that try to pass as an environmental sound or an instrument, and are neither.

Each *sort* is a function of a generator and a duration; `impostor` makes seeded, varied sounds of it. Two
sorts copy a recording: noise with its long-term spectrum, and with its spectrum and its envelope. The sorts
of `KEPT_OUT` are never used in a fit: they tell whether impostors of an unknown sort are rejected.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.movement import ideal
from innerear.lab.sounds import SAMPLE_RATE, Floats
from innerear.lab.tools import Rng, seeded, slope_noise

Sort = Callable[[Rng, float], Floats]

SHAPES = ("sine", "square", "sawtooth", "triangle")
N_FFT = 2048  # of the long-term spectrum
ENVELOPE_S = 0.01  # block of the envelope of a copy
SPECTRUM, SPECTRUM_AND_ENVELOPE = "spectrum", "spectrum and envelope"


def _log(rng: Rng, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _white(rng: Rng, duration_s: float) -> Floats:
    return rng.standard_normal(round(duration_s * SAMPLE_RATE))


def coloured(rng: Rng, duration_s: float) -> Floats:
    """Noise whose power goes as f^-slope, from blue to brown."""
    return slope_noise(float(rng.uniform(-1, 2.5)), duration_s, rng).mono.astype(np.float64)


def filtered(rng: Rng, duration_s: float) -> Floats:
    """Steady noise, low-passed, band-passed or high-passed at any frequency."""
    from scipy.signal import butter, sosfilt

    low, kind = _log(rng, 80, 6000), rng.choice(["lowpass", "bandpass", "highpass"], p=[0.45, 0.4, 0.15])
    edges = [low, min(20_000.0, low * _log(rng, 1.1, 4))] if kind == "bandpass" else low
    noise = coloured(rng, duration_s) if rng.random() < 0.3 else _white(rng, duration_s)
    return np.asarray(sosfilt(butter(int(rng.integers(1, 5)), edges, kind, fs=SAMPLE_RATE, output="sos"), noise))


def _any_noise(rng: Rng, duration_s: float) -> Floats:
    return (coloured, filtered, _white)[int(rng.integers(3))](rng, duration_s)


def gated(rng: Rng, duration_s: float) -> Floats:
    """Noise switched on and off, regularly or not."""
    rate_hz, duty = _log(rng, 0.4, 14), rng.uniform(0.1, 0.8)
    starts = np.cumsum(rng.uniform(1 - (jitter := rng.choice([0, 0.4])), 1 + jitter, 99)) / rate_hz
    gate = np.zeros(round(duration_s * SAMPLE_RATE))
    for start_s in starts - starts[0] + rng.uniform(0, 0.2):
        first = round(start_s * SAMPLE_RATE)
        gate[first : first + round(duty / rate_hz * SAMPLE_RATE)] = rng.uniform(0.5, 1)
    return _any_noise(rng, duration_s) * gate


def modulated(rng: Rng, duration_s: float) -> Floats:
    """Noise whose amplitude goes up and down as a sine."""
    t, rate_hz, depth = make.seconds(duration_s), _log(rng, 0.1, 40), rng.uniform(0.5, 1)
    swing = 0.5 + 0.5 * np.sin(2 * np.pi * (rate_hz * t + rng.random()))
    return np.asarray(_any_noise(rng, duration_s) * (1 - depth + depth * swing ** rng.choice([1, 2])))


def bursts(rng: Rng, duration_s: float) -> Floats:
    """Bursts of noise that die away, at random times."""
    count, decay = int(rng.integers(1, 12)), _log(rng, 2, 60)
    t = make.seconds(min(duration_s, 6 / decay))
    noise = _any_noise(rng, duration_s)
    fall = np.exp(-decay * t)
    hits = [
        (float(rng.uniform(0, 0.8 * duration_s)), rng.uniform(0.3, 1) * np.roll(noise, turn * 9999)[: len(t)] * fall)
        for turn in range(count)
    ]
    return make.mix(hits, duration_s)


def _wave(rng: Rng, duration_s: float, low_hz: float = 80, high_hz: float = 2000) -> Floats:
    return ideal(str(rng.choice(SHAPES)), _log(rng, low_hz, high_hz), duration_s)


def tone(rng: Rng, duration_s: float) -> Floats:
    """A steady tone of an ideal waveform."""
    return make.edges(_wave(rng, duration_s), _log(rng, 0.002, 0.1), 0.03)


def _strikes(rng: Rng, duration_s: float, one: Callable[[float], Floats]) -> Floats:
    """One sound of its own, or the same several times."""
    count = int(rng.choice([1, 1, 1, 2, 4, 8]))
    sound = one(duration_s)
    return make.mix([(place * duration_s / count, sound) for place in range(count)], duration_s)


def decaying(rng: Rng, duration_s: float) -> Floats:
    """A tone of any waveform that decays as e^-t to e^-20t."""
    decay = _log(rng, 1, 20)
    return _strikes(
        rng, duration_s, lambda s: make.edges(_wave(rng, s) * np.exp(-decay * make.seconds(s)), 0.002, 0.02)
    )


def _shape(rng: Rng, duration_s: float) -> Floats:
    """An envelope: steady, decaying, or swelling."""
    t = make.seconds(duration_s)
    match int(rng.integers(3)):
        case 0:
            return make.edges(np.ones_like(t), _log(rng, 0.005, 0.2), 0.1)
        case 1:
            return make.edges(np.exp(-_log(rng, 0.7, 20) * t), 0.002, 0.02)
        case _:
            return np.sin(np.pi * t / duration_s) ** rng.uniform(0.5, 2)


def frequency_modulated(rng: Rng, duration_s: float) -> Floats:
    """A tone of FM synthesis, with any ratio and index."""
    f0_hz, ratio, index = _log(rng, 60, 1500), float(rng.choice([0.5, 1, 1.41, 2, 3, 3.5, 7])), rng.uniform(0.5, 8)
    whole = int(rng.integers(2))

    def one(held_s: float) -> Floats:
        t, shape = make.seconds(held_s), _shape(rng, held_s)
        deviation = index * (shape if whole else 1.0) * np.sin(2 * np.pi * ratio * f0_hz * t)
        return np.asarray(np.sin(2 * np.pi * f0_hz * t + deviation) * shape)

    return _strikes(rng, duration_s, one)


def additive(rng: Rng, duration_s: float) -> Floats:
    """A sum of 3 to 12 partials, harmonic or not, which share an envelope."""
    f0_hz, count, odd = _log(rng, 60, 1500), int(rng.integers(3, 13)), rng.random() < 0.35
    ratios = np.sort(rng.uniform(1, 8, count)) if odd else np.arange(1, count + 1)
    levels = rng.uniform(0.2, 1, count) / ratios ** rng.uniform(0.3, 1.5)

    def one(held_s: float) -> Floats:
        t = make.seconds(held_s)
        sines = (level * np.sin(2 * np.pi * ratio * f0_hz * t) for ratio, level in zip(ratios, levels, strict=True))
        return np.asarray(sum(sines) * _shape(rng, held_s))

    return _strikes(rng, duration_s, one)


def plucked(rng: Rng, duration_s: float) -> Floats:
    """A string of Karplus and Strong: noise in a delay line that averages neighbours."""
    from scipy.signal import lfilter

    f0_hz, loss, blend = _log(rng, 80, 1000), rng.uniform(0.985, 0.9995), rng.uniform(0.1, 0.5)
    delay = max(2, round(SAMPLE_RATE / f0_hz - blend))

    def one(held_s: float) -> Floats:
        burst = np.zeros(round(held_s * SAMPLE_RATE))
        burst[:delay] = rng.uniform(-1, 1, delay)
        feedback = np.zeros(delay + 2)
        feedback[0], feedback[delay], feedback[delay + 1] = 1, -loss * (1 - blend), -loss * blend
        return np.asarray(lfilter([1], feedback, burst))

    return _strikes(rng, duration_s, one)


def clicks(rng: Rng, duration_s: float) -> Floats:
    """A train of clicks or short beeps."""
    rate_hz, beep = _log(rng, 0.5, 12), rng.random() < 0.5
    one = _wave(rng, rng.uniform(0.01, 0.3)) if beep else make.click(rng) * rng.uniform(0.3, 1)
    return make.mix([(float(s), one) for s in np.arange(0.05, duration_s, 1 / rate_hz)], duration_s)


def swept(rng: Rng, duration_s: float) -> Floats:
    """Noise in a narrow band that moves."""
    t = make.seconds(duration_s)
    low = _any_noise(rng, duration_s)
    smooth = np.convolve(low, np.ones(300) / 300, "same")
    hz = _log(rng, 200, 4000) * 2 ** (rng.uniform(0.3, 2) * np.sin(2 * np.pi * _log(rng, 0.1, 5) * t))
    return np.asarray(smooth * np.cos(2 * np.pi * np.cumsum(hz) / SAMPLE_RATE))


def ring_modulated(rng: Rng, duration_s: float) -> Floats:
    """Two tones multiplied."""
    return tone(rng, duration_s) * _wave(rng, duration_s, 20, 900) * _shape(rng, duration_s)


def glide(rng: Rng, duration_s: float) -> Floats:
    """A tone that glides up, down, or up and down, once or again and again."""
    t, octaves, rate_hz = make.seconds(duration_s), rng.uniform(0.2, 3), _log(rng, 0.2, 8)
    way = np.sin(2 * np.pi * rate_hz * t) if rng.random() < 0.5 else 2 * ((rate_hz * t) % 1) - 1
    cycles = np.cumsum(_log(rng, 100, 1500) * 2 ** (octaves / 2 * way)) / SAMPLE_RATE
    levels = 1 / np.arange(1, int(rng.integers(2, 9))) ** rng.uniform(1, 2)
    return np.asarray(sum(level * np.sin(2 * np.pi * n * cycles) for n, level in enumerate(levels, 1)))


def tones_in_noise(rng: Rng, duration_s: float) -> Floats:
    """A tone or a string under noise."""
    sound = (tone, decaying, plucked, additive)[int(rng.integers(4))](rng, duration_s)
    noise = _any_noise(rng, duration_s)
    mixed: Floats = sound / np.abs(sound).max() + rng.uniform(0.05, 1) * noise / np.abs(noise).max()
    return mixed


SORTS: dict[str, Sort] = {
    "coloured noise": coloured, "filtered noise": filtered, "gated noise": gated, "modulated noise": modulated,
    "bursts of noise": bursts, "tone": tone, "decaying tone": decaying, "FM tone": frequency_modulated,
    "additive tone": additive, "plucked": plucked, "clicks": clicks, "swept noise": swept,
    "ring-modulated tone": ring_modulated, "gliding tone": glide, "tone in noise": tones_in_noise,
}  # fmt: skip
KEPT_OUT = ("ring-modulated tone", "tone in noise")


def impostor(sort: str, turn: int, duration_s: float) -> Clip:
    """The sound number `turn` of a sort; a third of them are in a room, a third have faint noise."""
    rng = seeded("impostor", sort, turn, duration_s)
    samples = SORTS[sort](rng, duration_s)
    return make.clip((make.room, make.noisy, lambda same, _: same)[turn % 3](samples, rng))


def copy(samples: Floats, rng: Rng, envelope: bool, block_s: float = ENVELOPE_S) -> Floats:
    """Noise with the long-term spectrum of a sound, and with its envelope in blocks of `block_s` if asked."""
    from scipy.signal import welch

    hz, power = welch(samples, SAMPLE_RATE, nperseg=min(N_FFT, len(samples)))
    spectrum = np.fft.rfft(rng.standard_normal(len(samples)))
    level = np.sqrt(np.interp(np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE), hz, power))
    noise = np.fft.irfft(spectrum * level, len(samples))
    if not envelope:
        return np.asarray(noise)
    block = round(block_s * SAMPLE_RATE)
    padded = np.pad(samples, (0, -len(samples) % block)).reshape(-1, block)
    rms = np.sqrt(np.mean(padded**2, axis=1))
    centres = (np.arange(len(rms)) + 0.5) * block
    shaped: Floats = noise * np.interp(np.arange(len(samples)), centres, rms)
    return shaped
