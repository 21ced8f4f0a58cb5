"""Trial sounds for `decoded`: DTMF, Morse code, Bell 202 and radioteletype."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from innerear import checks
from innerear.clip import Clip
from innerear.dsp.decoders.dtmf import tones_hz
from innerear.dsp.decoders.fsk import BELL202, RTTY, Modem, ita2
from innerear.dsp.decoders.morse import elements
from innerear.lab.signals.tools import RATES, finished, floors, gate, nothing, seconds
from innerear.lab.sounds import Floats
from innerear.lab.tools import Rng, seeded
from innerear.metrics.verified import Trial

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


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
