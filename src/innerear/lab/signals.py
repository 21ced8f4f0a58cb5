"""Trial sounds for the checks of signals and physics: `decoded`, `echo`, `decay_time`, `arrivals`, `passing`, `rate`.

All are made here, with their own texts, rates and rooms, at several sample rates, levels and noises; nothing is
taken from the suite. Each sort of wrong sound has a column of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from innerear import checks
from innerear.checks import Check
from innerear.clip import Clip
from innerear.dsp.decoders.dtmf import tones_hz
from innerear.dsp.decoders.fsk import BELL202, RTTY, Modem, ita2
from innerear.dsp.decoders.morse import elements
from innerear.lab import sounds as make
from innerear.lab.sounds import Bank, Floats
from innerear.lab.tools import Rng, seeded, slope_noise
from innerear.metrics.verified import Trial
from innerear.records import Probe

TURNS = 40
RATES = (8000, 11_025, 16_000, 22_050, 44_100, 48_000)  # Hz
SOUND_M_S = 343.2  # at 20 degrees Celsius
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def finished(samples: Floats, rate: int, rng: Rng, noise_db: tuple[float, float] = (25, 60)) -> Clip:
    """As a clip at a level of its own, in white noise so many dB below its RMS."""
    rms = float(np.sqrt(np.mean(samples**2)))
    noisy = samples + rng.standard_normal(len(samples)) * rms * 10 ** (-rng.uniform(*noise_db) / 20)
    peak = 10 ** (-rng.uniform(1, 26) / 20)
    return Clip((noisy * peak / max(float(np.abs(noisy).max()), 1e-9)).astype(np.float32)[None], rate)


def seconds(duration_s: float, rate: int) -> Floats:
    """The times of the samples."""
    return np.arange(round(duration_s * rate)) / rate


def gate(spans: Sequence[tuple[float, float]], duration_s: float, rate: int, edge_s: float) -> Floats:
    """1 in the spans (seconds) and 0 outside, with linear edges inside them."""
    t = seconds(duration_s, rate)
    total = np.zeros(len(t))
    for start, end in spans:
        inside = (t >= start) & (t < end)
        total[inside] = np.minimum((t[inside] - start + 1 / rate), (end - t[inside])) / max(edge_s, 1 / rate)
    return np.clip(total, 0, 1)


def floors(check: Check, duration_s: float, rng: Rng) -> Iterator[Trial]:
    """A sweep and random clicks asked to be something."""
    rate = int(rng.choice(RATES[2:]))
    t = seconds(duration_s, rate)
    low, high = rng.uniform(100, 400), rng.uniform(2500, 6000)
    sweep = np.sin(2 * np.pi * np.cumsum(low * (high / low) ** (t / duration_s)) / rate)
    yield Trial("sweep", check, finished(sweep, rate, rng))
    if not isinstance(check, checks.Arrivals):
        hits = np.sort(rng.uniform(0, duration_s - 0.05, rng.integers(4, 30)))
        yield Trial("random clicks", check, finished(_hits(hits, "burst", duration_s, rate, rng), rate, rng))


def nothing(check: Check, duration_s: float) -> Iterator[Trial]:
    """Silence, and white, pink or brown noise, for kinds that are verified in several variants."""
    rng = seeded("nothing", repr(check))
    yield Trial("silence", check, make.silence(duration_s))
    yield Trial("noise", check, slope_noise(float(rng.integers(3)), duration_s, rng))


def altered(text: str, alphabet: str, rng: Rng) -> Iterator[tuple[str, str]]:
    """The text with one character wrong, one missing, one twice, two swapped."""
    places = [i for i, sign in enumerate(text) if sign != " "]
    i = int(rng.choice(places))
    yield "one wrong character", text[:i] + str(rng.choice([c for c in alphabet if c != text[i]])) + text[i + 1 :]
    yield "one missing", text[:i] + text[i + 1 :]
    yield "one twice", text[: i + 1] + text[i:]
    swaps = [i for i in places if i + 1 in places and text[i] != text[i + 1]]
    if swaps:
        i = int(rng.choice(swaps))
        yield "two swapped", text[:i] + text[i + 1] + text[i] + text[i + 2 :]


def dtmf_signal(
    keys: str, rng: Rng, off: tuple[float, float] = (0.0, 0.0), only: int | None = None
) -> tuple[Floats, int]:
    """Keys as pairs of tones. `off`: relative error of row and column; `only`: one of the two tones."""
    rate = int(rng.choice(RATES))
    tone_s, gap_s, lead_s = rng.uniform(0.05, 0.2), rng.uniform(0.045, 0.2), rng.choice([0, 0.1, 0.4])
    spans = [(lead_s + i * (tone_s + gap_s), lead_s + i * (tone_s + gap_s) + tone_s) for i in range(len(keys))]
    duration_s = spans[-1][1] + rng.uniform(0.05, 0.5)
    t = seconds(duration_s, rate)
    total = np.zeros(len(t))
    twist = 10 ** (rng.uniform(-4, 4) / 20)
    for key, span in zip(keys, spans, strict=True):
        row, column = (hz * (1 + o) for hz, o in zip(tones_hz(key), off, strict=True))
        wave = (only != 1) * np.sin(2 * np.pi * row * t) + (only != 0) * twist * np.sin(2 * np.pi * column * t)
        total += wave * gate([span], duration_s, rate, rng.choice([0.0, 0.002, 0.005]))
    if rng.uniform() < 0.25:  # an overdriven line
        total = np.tanh(1.2 * total)
    return total, rate


def dtmf(rng: Rng) -> Iterator[Trial]:
    """A number of four to ten keys, and what it is not."""
    text = "".join(rng.choice(list("0123456789*#ABCD"), rng.integers(4, 11)))
    check = checks.Decoded(mode="dtmf", text=text)
    off = (rng.uniform(-0.012, 0.012), rng.uniform(-0.012, 0.012))
    yield Trial("synthetic", check, finished(*dtmf_signal(text, rng, off), rng, (15, 60)))
    for column, other in altered(text, "0123456789", rng):
        yield Trial(column, check, finished(*dtmf_signal(other, rng), rng))
    wrong = rng.choice([-1, 1]) * rng.uniform(0.04, 0.08)
    yield Trial("off frequency", check, finished(*dtmf_signal(text, rng, (wrong, rng.choice([0.0, wrong]))), rng))
    yield Trial("one tone of two", check, finished(*dtmf_signal(text, rng, only=int(rng.integers(2))), rng))
    yield from floors(check, 3.0, rng)
    yield from nothing(check, 3.0)


def words_of(rng: Rng, alphabet: str, n: int) -> str:
    """A few random words."""
    return " ".join("".join(rng.choice(list(alphabet), rng.integers(2, 6))) for _ in range(n))


def morse_signal(spans: Sequence[tuple[float, float]], rng: Rng) -> tuple[Floats, int]:
    """Tones at these times in dots, keyed by hand or by machine."""
    rate = int(rng.choice(RATES))
    dot_s = 1.2 / rng.uniform(8, 30)  # PARIS: 1.2 s / words per minute
    hand = rng.choice([0, 0.05, 0.1])
    lead_s = float(rng.choice([0.0, 0.2]))
    moved = [(a + hand * rng.uniform(-1, 1), b + hand * rng.uniform(-1, 1)) for a, b in spans]
    times = [(lead_s + max(a, 0) * dot_s, lead_s + b * dot_s) for a, b in moved]
    duration_s = times[-1][1] + rng.uniform(0.02, 1.0)
    t, hz = seconds(duration_s, rate), rng.uniform(400, 1000)
    tone = np.sin(2 * np.pi * hz * t)
    match int(rng.integers(3)):
        case 0:
            tone = np.sign(tone) * 0.5
        case 1:
            tone = tone + 0.3 * np.sin(4 * np.pi * hz * t)
    return tone * gate(times, duration_s, rate, min(rng.uniform(0.001, 0.008), 0.25 * dot_s)), rate


def morse(rng: Rng) -> Iterator[Trial]:
    """One to four words, and what they are not."""
    text = words_of(rng, LETTERS + "0123456789", int(rng.integers(1, 5)))
    check = checks.Decoded(mode="morse", text=text)
    yield Trial("synthetic", check, finished(*morse_signal(elements(text), rng), rng, (10, 60)))
    for column, other in altered(text, LETTERS, rng):
        yield Trial(column, check, finished(*morse_signal(elements(other), rng), rng))
    spans = elements(text)
    i = int(rng.integers(len(spans)))
    change = 2.0 if spans[i][1] - spans[i][0] < 2 else -2.0
    wrong = [*spans[:i], (spans[i][0], spans[i][1] + change), *((a + change, b + change) for a, b in spans[i + 1 :])]
    yield Trial("dot for dash", check, finished(*morse_signal(wrong, rng), rng))
    run, now = [], 0.0
    for start, end in spans:
        run.append((now, now + end - start))
        now += end - start + 1
    yield Trial("no gaps between letters", check, finished(*morse_signal(run, rng), rng))
    if " " in text:
        yield Trial("no gaps between words", check, finished(*morse_signal(elements(text.replace(" ", "")), rng), rng))
    gaps = [(a, b) for (_, a), (b, _) in pairwise(spans)]
    yield Trial("gaps sound, tones do not", check, finished(*morse_signal(gaps, rng), rng))
    yield from floors(check, 4.0, rng)
    yield from nothing(check, 4.0)


def fsk_signal(
    codes: Sequence[int], modem: Modem, rng: Rng, *, stop: float = 1.0, start: bool = True, parity: bool = False,
    reverse: bool = False,
) -> tuple[Floats, int]:  # fmt: skip
    """Characters with start and stop bits, idle before and after; the phase is continuous, or jumps at each change."""
    rate = int(rng.choice(RATES if modem.space_hz < 3000 else RATES[2:]))
    bit_s = 1 / (modem.baud * (1 + rng.uniform(-0.01, 0.01)))
    runs: list[tuple[bool, float]] = [(True, rng.uniform(0.1, 0.6))]
    for code in codes:
        bits = [bool(code >> i & 1) for i in range(modem.data_bits)]
        bits = bits[::-1] if reverse else bits
        bits += [(sum(bits) - codes[0].bit_count()) % 2 == 1] if parity else []  # of the first character, a space
        runs += [(False, bit_s)] * start + [(is_mark, bit_s) for is_mark in bits]
        runs.append((True, stop * bit_s + (rng.uniform(0, 5) * bit_s if rng.uniform() < 0.1 else 0)))
    runs.append((True, rng.uniform(0.05, 0.5)))
    ends = np.cumsum([length for _, length in runs])
    t = seconds(float(ends[-1]), rate)
    bit = np.minimum(np.searchsorted(ends, t, side="right"), len(runs) - 1)
    is_mark = np.array([mark for mark, _ in runs])[bit]
    hz = np.where(is_mark, modem.mark_hz, modem.space_hz)
    cycles = np.cumsum(hz) / rate if rng.uniform() < 0.7 else hz * t
    level = np.where(is_mark, 1.0, 10 ** (rng.uniform(-3, 3) / 20))
    total = level * np.sin(2 * np.pi * cycles)
    return np.pad(total, (int(rng.choice([0, 0.2]) * rate), int(rng.choice([0, 0.3]) * rate))), rate


def changed(modem: Modem, baud: float = 1.0, mark_hz: float | None = None, space_hz: float | None = None) -> Modem:
    """A modem at another speed or with other tones."""
    mark, space = mark_hz or modem.mark_hz, space_hz or modem.space_hz
    return Modem(modem.baud * baud, mark, space, 0, modem.data_bits, modem.rest)


def modem_trials(
    mode: str, text: str, modem: Modem, encode: Callable[[str], Sequence[int]], others: Sequence[Modem],
    speeds: Sequence[float], stop: float, rng: Rng,
) -> Iterator[Trial]:  # fmt: skip
    """A text sent by a modem, and what it is not."""
    check = checks.Decoded(mode=mode, text=text)  # type: ignore[arg-type]

    def sent(codes: Sequence[int], modem: Modem, **how: object) -> Clip:
        return finished(*fsk_signal(codes, modem, rng, **{"stop": stop, **how}), rng)  # type: ignore[arg-type]

    codes = encode(text)
    loud = fsk_signal(codes, modem, rng, stop=stop)
    yield Trial("synthetic", check, finished(*loud, rng, (15, 60)))
    for column, other in altered(text, LETTERS, rng):
        yield Trial(column, check, sent(encode(other), modem))
    swapped = changed(modem, mark_hz=modem.space_hz, space_hz=modem.mark_hz)
    yield Trial("mark and space swapped", check, sent(codes, swapped))
    yield Trial("other speed", check, sent(codes, changed(modem, float(rng.choice(speeds)))))
    yield Trial("other tones", check, sent(codes, others[int(rng.integers(len(others)))]))
    yield Trial("no start bits", check, sent(codes, modem, start=False))
    yield Trial("most significant first", check, sent(codes, modem, reverse=True))
    yield Trial("a parity bit", check, sent(codes, modem, parity=True))
    yield from floors(check, 2.0, rng)
    yield from nothing(check, 2.0)


def bell202(rng: Rng) -> Iterator[Trial]:
    """Bell 202, against V.23, Bell 103, V.21 and other speeds."""
    text = words_of(rng, LETTERS + LETTERS.lower() + "0123456789", int(rng.integers(2, 4)))
    others = [changed(BELL202, mark_hz=mark, space_hz=space) for mark, space in
              ((1300, 2100), (1270, 1070), (980, 1180), (1200, 1800), (1200, 2400))]  # fmt: skip
    speeds = (0.25, 0.5, 0.9, 1.1, 2)
    yield from modem_trials("bell202", text, BELL202, lambda text: list(text.encode()), others, speeds, 1, rng)


def rtty(rng: Rng) -> Iterator[Trial]:
    """Radioteletype, against other shifts and speeds, and ASCII."""
    text = words_of(rng, LETTERS + "0123456789" * (rng.uniform() < 0.3), int(rng.integers(2, 4)))
    others = [changed(RTTY, mark_hz=mark, space_hz=space) for mark, space in
              ((2125, 2210), (2125, 2325), (2125, 2550), (2125, 2975), (1275, 1445), (2295, 2465), (2175, 2345))
              ]  # fmt: skip
    speeds = (0.5, 0.9, 1.1, 50 / 45.45, 75 / 45.45, 2)
    stop = float(rng.choice([1, 1.5, 2]))
    yield from modem_trials("rtty", text, RTTY, ita2, others, speeds, stop, rng)
    check = checks.Decoded(mode="rtty", text=text)
    ascii_modem = Modem(RTTY.baud, RTTY.mark_hz, RTTY.space_hz, 0, 8, 0.5)
    yield Trial("ASCII", check, finished(*fsk_signal(list(text.encode()), ascii_modem, rng), rng))


def decoded(rng: Rng, turn: int) -> Iterator[Trial]:
    """Every mode: random texts, and the same texts wrong."""
    for mode in (dtmf, morse, bell202, rtty):
        yield from mode(seeded("decoded", mode.__name__, turn))


def pop(sort: str, rate: int, rng: Rng) -> Floats:
    """A short loud sound: a click, a hand clap (three bursts in 25 ms) or a balloon (a thump and hiss)."""
    t = seconds(0.08, rate)
    hiss = rng.standard_normal(len(t))
    if sort == "click":
        return hiss * np.exp(-t / 0.001)
    if sort == "clap":
        starts = (0, rng.uniform(0.006, 0.011), rng.uniform(0.014, 0.025))
        return hiss * sum(
            np.exp(-np.maximum(t - s, 0) / 0.006) * (t >= s) * (0.5 + 0.25 * i) for i, s in enumerate(starts)
        )
    return np.sin(2 * np.pi * rng.uniform(150, 400) * t) * np.exp(-t / 0.012) + hiss * np.exp(-t / 0.004)


def laid(parts: Sequence[tuple[float, Floats]], duration_s: float, rate: int) -> Floats:
    """Sounds at their times in seconds."""
    total = np.zeros(round(duration_s * rate))
    for at_s, part in parts:
        first = round(at_s * rate)
        part = part[: max(0, len(total) - first)]
        total[first : first + len(part)] += part
    return total


def duller(samples: Floats, rate: int, hz: float) -> Floats:
    """Through a first-order low-pass."""
    from scipy.signal import butter, sosfilt

    return np.asarray(sosfilt(butter(1, min(hz, 0.45 * rate), fs=rate, output="sos"), samples))


def echo(rng: Rng, turn: int) -> Iterator[Trial]:
    """A pop and its echo from a wall: the same pop or another, duller and weaker; also a train of fainter echoes."""
    rate = int(rng.choice(RATES))
    sort = ("click", "clap", "balloon")[turn % 3]
    delay_s, at_s = rng.uniform(0.2, 1.2), rng.choice([0, 0.1, 0.3])
    check = checks.Echo(delay_s=round(delay_s, 4), tolerance=0.03)
    first = pop(sort, rate, rng)
    again = duller(first if turn % 2 else pop(sort, rate, rng), rate, rng.uniform(1500, 9000))
    gain = 10 ** (-rng.uniform(4, 35) / 20) * np.abs(first).max() / np.abs(again).max()
    tail_s = rng.uniform(0.1, 0.4)
    outdoors = (
        0.003 * rng.standard_normal(round(tail_s * rate)) * np.exp(-np.arange(round(tail_s * rate)) / rate / 0.05)
    )
    duration_s = 2.6 * delay_s + at_s + 0.3

    def sound(echoes: Sequence[tuple[float, float]]) -> Clip:
        parts = [(at_s, first), (at_s, outdoors * np.abs(first).max())]
        parts += [(at_s + d, again * gain * g) for d, g in echoes]
        return finished(laid(parts, duration_s, rate), rate, rng, (35, 70))

    echoes = [(delay_s, 1.0)] + ([(2 * delay_s, 0.3)] if turn % 4 == 0 else [])
    yield Trial("synthetic", check, sound(echoes), sort)
    yield Trial("no echo", check, sound([]))
    yield Trial("half the delay", check, sound([(delay_s / 2, 1.0)]))
    yield Trial("half and whole", check, sound([(delay_s / 2, 1.0), (delay_s, 0.5)]))
    yield Trial("twice the delay", check, sound([(2 * delay_s, 1.0)]))
    yield Trial("10 % off", check, sound([(delay_s * rng.choice([0.9, 1.1]), 1.0)]))
    beats = np.arange(at_s, duration_s - 0.1, delay_s)
    yield Trial("regular claps", check, finished(laid([(b, first) for b in beats], duration_s, rate), rate, rng))
    parts = [(at_s, 0.3 * first), (at_s + delay_s, first)]
    yield Trial("louder than the clap", check, finished(laid(parts, duration_s, rate), rate, rng))
    tail = tail_noise(duration_s, delay_s * 2, rate, rng)
    yield Trial("reverberation", check, finished(laid([(at_s, tail)], duration_s, rate), rate, rng))
    yield from floors(check, duration_s, rng)


def tail_noise(duration_s: float, t60_s: float, rate: int, rng: Rng) -> Floats:
    """Noise that decays by 60 dB in T60."""
    t = seconds(duration_s, rate)
    return rng.standard_normal(len(t)) * 10 ** (-3 * t / t60_s)


def comb_room(duration_s: float, t60_s: float, rate: int, rng: Rng) -> Floats:
    """The impulse response of eight combs and four all-passes: M. Schroeder, "Natural sounding artificial
    reverberation", J. Audio Eng. Soc. 10, 1962. Each comb decays by 60 dB in T60.
    """
    from scipy.signal import lfilter

    impulse = np.zeros(round(duration_s * rate))
    impulse[0] = 1.0
    total = np.zeros(len(impulse))
    for _ in range(8):
        delay = round(rng.uniform(0.025, 0.05) * rate)
        a = np.zeros(delay + 1)
        a[0], a[-1] = 1, -(10 ** (-3 * delay / rate / t60_s))
        total += lfilter([1], a, impulse)
    for delay_s in (0.0051, 0.0017, 0.0031, 0.0007):
        delay = max(1, round(delay_s * rate))
        b, a = np.zeros(delay + 1), np.zeros(delay + 1)
        b[0], b[-1], a[0], a[-1] = -0.7, 1, 1, -0.7
        total = lfilter(b, a, total)
    return total


def decay_time(rng: Rng, turn: int) -> Iterator[Trial]:
    """Decaying noise and Schroeder's combs, excited by a pop; wrong by a factor, straight fades, tones, no room."""
    from scipy.signal import fftconvolve

    rate = int(rng.choice(RATES))
    t60_s = float(np.exp(rng.uniform(np.log(0.4), np.log(6))))
    duration_s = max(1.0, t60_s * rng.uniform(1.0, 1.6))
    check = checks.DecayTime(t60_s=round(t60_s, 2), tolerance=float(rng.choice([0.15, 0.2])))
    at_s = float(rng.choice([0, 0.1]))
    first = pop(("click", "clap", "balloon")[turn % 3], rate, rng)
    lead = 10 ** (rng.uniform(-10, 10) / 20)  # of the pop over its reverberation

    def sound(tail: Floats, noise_db: tuple[float, float] = (40, 70), wet: bool = True) -> Clip:
        tail = tail / np.abs(tail).max()
        if wet:
            tail = fftconvolve(tail, first)[: len(tail)]
            tail = tail / np.abs(tail).max()
        parts = [(at_s, tail), (at_s, lead * first / np.abs(first).max())]
        return finished(laid(parts, duration_s + at_s, rate), rate, rng, noise_db)

    if turn % 2:
        yield Trial("synthetic", check, sound(tail_noise(duration_s, t60_s, rate, rng)), "noise")
    else:
        yield Trial("synthetic", check, sound(comb_room(duration_s, t60_s, rate, rng)), "combs")
    for column, factor in (
        ("half as long", 0.5),
        ("0.7 as long", 0.7),
        ("1.4 as long", 1.4),
        ("twice as long", 2.0),
    ):
        yield Trial(column, check, sound(tail_noise(duration_s, factor * t60_s, rate, rng)))
    t = seconds(duration_s, rate)
    for column, length in (("straight fade", 1.0), ("short straight fade", 0.66)):
        fade = np.maximum(1 - t / min(length * t60_s, duration_s), 0)
        yield Trial(column, check, sound(rng.standard_normal(len(t)) * fade, wet=False))
    held = rng.standard_normal(len(t)) * (t < 0.8 * min(t60_s, duration_s))
    yield Trial("held, then cut", check, sound(held, wet=False))
    tones = rng.uniform(300, 1500, 1 + turn % 4)
    ringing = np.sin(2 * np.pi * np.outer(t, tones)).sum(axis=1) * 10 ** (-3 * t / t60_s)
    yield Trial("ringing tone", check, sound(ringing, (50, 70), wet=False))
    dry = tail_noise(duration_s, 0.1, rate, rng)
    yield Trial("no room", check, sound(dry))
    yield from floors(check, duration_s, rng)


def _hits(
    times_s: Sequence[float] | Floats, sort: str, duration_s: float, rate: int, rng: Rng, spread_db: float = 3
) -> Floats:
    """Clicks at times: single samples, bursts of noise, tones that ring for 2 to 6 ms, or square ticks."""
    t = seconds(0.03, rate)
    tau, hz = rng.uniform(0.0006, 0.003), rng.uniform(1000, min(4000, 0.4 * rate))
    parts = []
    for at_s in times_s:
        match sort:
            case "sample":
                hit = (t == 0) * 1.0
            case "burst":
                hit = rng.standard_normal(len(t)) * np.exp(-t / tau)
            case "ring":
                hit = np.sin(2 * np.pi * hz * t + 0.3) * np.exp(-t / (2 * tau))
            case _:
                hit = np.where(t < 0.001, 1.0, np.where(t < 0.002, -0.6, 0.0))
        parts.append((float(at_s), hit * 10 ** (rng.normal(0, spread_db) / 20)))
    return laid(parts, duration_s, rate)


def arrivals(rng: Rng, turn: int) -> Iterator[Trial]:
    """A Poisson process of clicks; wrong: regular and nearly regular trains, bursts, half and double rate."""
    rate = int(rng.choice(RATES))
    hz = rng.uniform(6, 40)
    duration_s = 130 / hz
    check = checks.Arrivals(rate_hz=round(hz, 2), tolerance=0.25, variation=(0.75, 1.3))
    sort = ("sample", "burst", "ring", "square")[turn % 4]
    spread_db = float(rng.choice([0, 2, 5]))

    def sound(gaps: Floats) -> Clip:
        times = np.cumsum(gaps)
        times = times[times < duration_s - 0.01]
        return finished(_hits(times, sort, duration_s, rate, rng, spread_db), rate, rng, (15, 50))

    n = 400
    yield Trial("synthetic", check, sound(rng.exponential(1 / hz, n)), sort)
    yield Trial("regular", check, sound(np.full(n, 1 / hz)))
    yield Trial("nearly regular", check, sound(rng.uniform(0.5, 1.5, n) / hz))
    yield Trial("third of four", check, sound(rng.gamma(4, 1 / (4 * hz), n)))
    in_burst = rng.integers(4, 8)
    gaps = np.where(np.arange(n) % in_burst == 0, rng.exponential(in_burst / hz, n), 0.1 / hz)
    yield Trial("bursts", check, sound(gaps))
    yield Trial("half the rate", check, sound(rng.exponential(2 / hz, n)))
    pairs = np.where(np.arange(n) % 2, 0.15, 1.85) / hz
    yield Trial("regular pairs", check, sound(pairs))
    yield Trial("twice the rate", check, sound(rng.exponential(0.5 / hz, n)))
    yield from floors(check, duration_s, rng)


def passing_source(
    f0_hz: Floats | float, t: Floats, rate: int, speed_m_s: float, nearest_m: float, at_s: float
) -> Floats:
    """Phase in cycles and level of a source on a straight line, as received: shape (2, samples).

    What arrives at t was emitted at t' = t - r(t')/c; for a uniform motion that is a quadratic equation.
    """
    s, v, c = t - at_s, speed_m_s, SOUND_M_S
    root = np.sqrt(c**2 * nearest_m**2 + v**2 * c**2 * s**2 - v**2 * nearest_m**2)
    emitted = (c**2 * s - root) / (c**2 - v**2)
    return np.stack([f0_hz * emitted, nearest_m / np.hypot(nearest_m, v * emitted)])


TIMBRES: dict[str, Sequence[float]] = {
    "sine": [1], "horn": [1 / n for n in range(1, 12)], "square": [n % 2 / n for n in range(1, 16)],
    "hollow": [0.4, 1, 0.6, 0.5, 0.2, 0.2],
}  # fmt: skip


def voiced(cycles: Floats, level: Floats, timbre: str) -> Floats:
    """A sound from its phase in cycles."""
    return level * sum(a * np.sin(2 * np.pi * n * cycles + n) for n, a in enumerate(TIMBRES[timbre], 1) if a)


def passing(rng: Rng, turn: int) -> Iterator[Trial]:
    """Sources past a listener; wrong: glides, steps, other speed, time and pitch, backwards."""
    rate = int(rng.choice(RATES[2:]))
    timbre = list(TIMBRES)[turn % 4]
    f0, speed, nearest_m = rng.uniform(200, 1100), rng.uniform(18, 50), rng.uniform(4, 12)
    duration_s = rng.uniform(5, 9)
    at_s = duration_s * rng.uniform(0.35, 0.65)
    before, after = f0 / (1 - speed / SOUND_M_S), f0 / (1 + speed / SOUND_M_S)
    check = checks.Passing(
        approach_hz=round(before, 2), recede_hz=round(after, 2), closest_s=round(at_s, 2), tolerance=0.01,
        time_tolerance_s=0.25,
    )  # fmt: skip
    t = seconds(duration_s, rate)

    def sound(cycles: Floats, level: Floats) -> Clip:
        return finished(voiced(cycles, np.maximum(level, 0.03), timbre), rate, rng, (20, 60))

    if turn % 2:
        yield Trial("synthetic", check, sound(*passing_source(f0, t, rate, speed, nearest_m, at_s)), timbre)
    else:  # as programs do it: the shift of the present place, without the time the sound takes
        along = speed * (t - at_s)
        moved = f0 / (1 + speed * along / np.hypot(along, nearest_m) / SOUND_M_S)
        level = nearest_m / np.hypot(nearest_m, along) if turn % 4 else np.ones(len(t))
        yield Trial("synthetic", check, sound(np.cumsum(moved) / rate, level), timbre)
    near = np.exp(-(((t - at_s) / 1.2) ** 2))
    x = t / duration_s
    yield Trial("linear glide", check, sound(np.cumsum(before + (after - before) * x) / rate, near))
    wide = np.cumsum(before + (after - before) * (0.5 - 0.5 * np.cos(np.pi * x))) / rate
    yield Trial("slow fall", check, sound(wide, near))
    yield Trial("a step", check, sound(np.cumsum(np.where(t < at_s, before, after)) / rate, near))
    for column, factor in (("half as fast", 0.5), ("1.5 as fast", 1.5)):
        yield Trial(column, check, sound(*passing_source(f0, t, rate, factor * speed, nearest_m, at_s)))
    late = at_s + rng.choice([-1, 1]) * rng.uniform(0.7, 1.2)
    yield Trial("another time", check, sound(*passing_source(f0, t, rate, speed, nearest_m, late)))
    other = f0 * (1 + rng.choice([-1, 1]) * rng.uniform(0.025, 0.1))
    yield Trial("another pitch", check, sound(*passing_source(other, t, rate, speed, nearest_m, at_s)))
    cycles, level = passing_source(f0, t, rate, speed, nearest_m, at_s)
    yield Trial("backwards", check, sound(cycles[::-1], level[::-1]))
    yield Trial("steady", check, sound(f0 * t, level))
    yield from floors(check, duration_s, rng)


def _events(sort: str, times_s: Floats, period_s: float, duration_s: float, rate: int, rng: Rng) -> Floats:
    """Events at times: ticks, tick and tock, an escapement, chirps, waves of surf, the slap of rotor blades."""
    t = seconds(min(0.12, period_s), rate)
    parts: list[tuple[float, Floats]] = []
    base = np.zeros(round(duration_s * rate))
    hz = rng.uniform(800, 2500)
    for i, at_s in enumerate(times_s):
        match sort:
            case "ticks":
                parts.append((at_s, rng.standard_normal(len(t)) * np.exp(-t / 0.003)))
            case "tick and tock":
                low = i % 2
                tone = np.sin(2 * np.pi * hz * (0.7 if low else 1) * t) * np.exp(-t / 0.012)
                parts.append((at_s, tone * (0.5 if low else 1)))
            case "escapement":
                for lag_s, gain in ((0, 0.4), (0.004, 0.7), (0.009, 1.0)):
                    hit = np.sin(2 * np.pi * 1.5 * hz * t) * np.exp(-t / 0.0015)
                    parts.append((at_s + lag_s, gain * hit * (0.7 if i % 2 else 1)))
            case "chirps":
                syllable = seconds(0.045 * period_s, rate)
                wave = np.sin(2 * np.pi * 0.35 * min(rate, 14_000) * syllable)
                shaped = wave * np.sin(np.pi * np.arange(len(wave)) / len(wave)) ** 2
                parts += [(at_s + k * 0.085 * period_s, (0.6 + 0.13 * k) * shaped) for k in range(4)]
            case "waves":
                far = seconds(duration_s, rate) - at_s - 0.4 * period_s
                rise, fall = 0.15 * period_s, 0.22 * period_s
                base += rng.uniform(0.7, 1) * np.exp(-((far / np.where(far < 0, rise, fall)) ** 2))
            case "blades":
                far = seconds(duration_s, rate) - at_s - 0.2 * period_s
                base += np.exp(-((far / (0.12 * period_s)) ** 2))
    if sort in ("waves", "blades"):
        hiss = duller(rng.standard_normal(len(base)), rate, 600 if sort == "blades" else 2000)
        return hiss * (base + rng.uniform(0.05, 0.25))
    return laid(parts, duration_s, rate)


def rate_events(rng: Rng, turn: int) -> Iterator[Trial]:
    """Regular events below 20 Hz, and what they are not."""
    sort = ("ticks", "tick and tock", "escapement", "chirps", "waves", "blades")[turn % 6]
    rate = int(rng.choice(RATES[2:]))
    lowest, highest, tolerance, jitter = {
        "ticks": (0.7, 10, 0.02, 0.01), "tick and tock": (0.8, 6, 0.01, 0.004), "escapement": (3, 10, 0.01, 0.004),
        "chirps": (0.8, 4, 0.08, 0.04), "waves": (0.1, 0.4, 0.12, 0.04), "blades": (6, 19, 0.03, 0.004),
    }[sort]  # fmt: skip
    hz = float(np.exp(rng.uniform(np.log(lowest), np.log(highest))))
    check = checks.Rate(hz=round(hz, 3), tolerance=tolerance)
    count = int(rng.integers(3, 5)) if sort == "waves" else int(rng.integers(8, 30))
    duration_s = count / hz

    def sound(times_s: Floats, factor: float = 1.0) -> Clip:
        times_s = times_s[(times_s >= 0) & (times_s < duration_s - 0.02 / hz)]
        return finished(_events(sort, times_s, 1 / hz / max(factor, 1), duration_s, rate, rng), rate, rng, (15, 50))

    def even(factor: float) -> Floats:
        n = np.arange(int(duration_s * hz * factor) + 1)
        return np.asarray((n + jitter * rng.uniform(-1, 1, len(n)) + rng.uniform(0, 0.3) * (n[0] == 0)) / (hz * factor))

    yield Trial("synthetic", check, sound(even(1)), sort)
    if count >= 6:
        yield Trial("half the rate", check, sound(even(0.5), 0.5), sort)
    yield Trial("twice the rate", check, sound(even(2), 2), sort)
    yield Trial("three times", check, sound(even(3), 3), sort)
    off = 1 + rng.choice([-1, 1]) * max(2.5 * tolerance, 0.05)
    yield Trial("a little off", check, sound(even(off), off), sort)
    yield Trial("1.5 times", check, sound(even(1.5), 1.5), sort)
    if count >= 6:
        yield Trial("at random", check, sound(np.sort(rng.uniform(0, duration_s, count))), sort)
        x = np.arange(count) / count
        yield Trial("faster and faster", check, sound(duration_s * (1 - (1 - x) ** 1.7)), sort)
    t = seconds(duration_s, rate)
    yield Trial("steady tone", check, finished(np.sin(2 * np.pi * 300 * t), rate, rng))
    yield from floors(check, duration_s, rng)
    yield from nothing(check, duration_s)


def _engine(hz: float, duration_s: float, rate: int, rng: Rng, sort: str, cylinders: int) -> Floats:
    """Periodic sounds: an engine's pulses (cylinders differ), bursts of noise, half orders, a hum, a sine."""
    t = seconds(duration_s, rate)
    if sort == "sine":
        return np.sin(2 * np.pi * hz * t)
    if sort == "hum":
        of_hum = (1, rng.uniform(0.3, 1), rng.uniform(0.1, 0.6), rng.uniform(0.05, 0.4), 0.1)
        return np.asarray(sum(a * np.sin(2 * np.pi * n * hz * t + n * n) for n, a in enumerate(of_hum, 1)))
    if sort == "partials":
        total = sum(np.sin(2 * np.pi * n * hz * t + rng.uniform(0, 6)) / n for n in range(1, 9))
        for n in range(1, 3 * cylinders):
            if n % cylinders:
                total = total + 0.12 / (1 + n / cylinders) * np.sin(
                    2 * np.pi * n * hz / cylinders * t + rng.uniform(0, 6)
                )
        return np.asarray(total)
    levels = rng.uniform(0.75, 1, cylinders)
    count = int(duration_s * hz)
    times = (np.arange(count) + rng.normal(0, 0.01, count)) / hz
    tau, body_hz = 0.25 / hz, rng.uniform(80, 250)
    short = seconds(min(2 / hz, 0.1), rate)
    parts = []
    for i, at_s in enumerate(times):
        wave = np.sin(2 * np.pi * body_hz * short) if sort == "pulses" else rng.standard_normal(len(short))
        parts.append((max(float(at_s), 0.0), levels[i % cylinders] * wave * np.exp(-short / tau)))
    return laid(parts, duration_s, rate) + 0.05 * rng.standard_normal(len(t))


def rate_period(rng: Rng, turn: int) -> Iterator[Trial]:
    """Engines and hums from 20 Hz, and what they are not."""
    sort = ("pulses", "bursts", "partials", "hum", "sine")[turn % 5]
    rate = int(rng.choice(RATES[2:]))
    hz = float(np.exp(rng.uniform(np.log(22), np.log(160))))
    cylinders = int(rng.choice([1, 2, 3, 4, 8]))
    check = checks.Rate(hz=round(hz, 3), tolerance=float(rng.choice([0.01, 0.02])))
    duration_s = rng.uniform(2, 5)

    def sound(factor: float, cylinders: int = cylinders) -> Clip:
        return finished(_engine(hz * factor, duration_s, rate, rng, sort, cylinders), rate, rng, (20, 60))

    yield Trial("synthetic", check, sound(1), f"{sort}, {cylinders}")
    yield Trial("half the rate", check, sound(0.5, 1), sort)
    yield Trial("twice the rate", check, sound(2, 1), sort)
    yield Trial("a quarter", check, sound(0.25, 1), sort)
    yield Trial("three times", check, sound(3, 1), sort)
    yield Trial("5 % off", check, sound(1 + rng.choice([-0.05, 0.05])), sort)
    yield Trial("1.5 times", check, sound(1.5), sort)
    t = seconds(duration_s, rate)
    yield Trial("buzz at half the rate", check, finished(np.sign(np.sin(np.pi * hz * t)), rate, rng))
    yield from floors(check, duration_s, rng)
    yield from nothing(check, duration_s)


def rate(rng: Rng, turn: int) -> Iterator[Trial]:
    """Events and periods, at half, double and other rates."""
    yield from rate_events(seeded("rate", "events", turn), turn)
    yield from rate_period(seeded("rate", "period", turn), turn)


Builder = Callable[[Sequence[tuple[Probe, Check]], Bank | None], Iterator[Trial]]


def _every(trials: Callable[[Rng, int], Iterator[Trial]], turns: int = TURNS) -> Builder:
    """The builder that makes so many right sounds, each with its wrong ones."""

    def build(pairs: Sequence[tuple[Probe, Check]], bank: Bank | None) -> Iterator[Trial]:
        for turn in range(turns):
            yield from trials(seeded(trials.__name__, turn), turn)

    return build


BUILDERS: dict[str, Builder] = {
    "decoded": _every(decoded), "echo": _every(echo), "decay_time": _every(decay_time),
    "arrivals": _every(arrivals), "passing": _every(passing), "rate": _every(rate, 60),
}  # fmt: skip
