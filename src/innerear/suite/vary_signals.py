"""Vary the kinds of tier environment that edition 2 adds: signals and physics.

A signal's frequencies and pattern are fixed by its standard, so its number of cycles changes. What a coded signal
says, and what a physical sound's geometry is, is drawn again, and the truth is computed (`formulas`).
"""

from __future__ import annotations

import math
import random
import re
import string
from collections.abc import Callable

from msgspec.structs import replace

from innerear import checks
from innerear.checks import SignalTone
from innerear.records import Probe
from innerear.suite import formulas
from innerear.suite.changes import WORDS, Change, SeededChange, at, expecting, find, reworded

GROUPS = ("CQD", "MGY", "QRT", "QSL", "TTT", "XXX", "TEST", "DE")
FIVES = ("WORLD", "RADIO", "MODEM", "SOUND", "DATUM", "LIGHT", "PANEL", "QUARK")
FOURS = ("LINE", "CALL", "WIRE", "TAPE", "BAUD", "CODE", "LOOP", "MARK")


def cadence(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the number of cycles; a signal without cycles is followed by more silence."""
    check = find(probe, checks.Cadence)
    if check is None:
        return None
    tones = check.tones
    if len(tones) == 1 and tones[0].end_s == probe.duration_s:
        duration_s = round(probe.duration_s * draw.choice((0.75, 1.25, 1.5)), 1)
        new = [SignalTone(tones[0].start_s, duration_s, tones[0].hz)]
        return expecting(replace(probe, duration_s=duration_s), check, replace(check, tones=new))
    period_s, cycle = _cycle(tones)
    if period_s is None:
        return replace(probe, duration_s=round(probe.duration_s + draw.choice((0.5, 0.8, 1.0)), 1))
    was = round(probe.duration_s / period_s)
    now = draw.choice([n for n in (was - 1, was + 1, was + 2) if n >= 2 and n * period_s <= 24])
    duration_s = at(now * period_s)
    new = [
        SignalTone(at(tone.start_s + n * period_s), at(tone.end_s + n * period_s), tone.hz)
        for n in range(now)
        for tone in cycle
    ]
    details = re.sub(r"\b\w+ cycles\b", lambda _: f"{WORDS[now].capitalize()} cycles", probe.details)
    return expecting(replace(probe, duration_s=duration_s, details=details), check, replace(check, tones=new))


def _cycle(tones: list[SignalTone]) -> tuple[float | None, list[SignalTone]]:
    """The period of a signal and the tones of one cycle; no period if the tones do not repeat."""
    for count in range(1, len(tones)):
        period_s = tones[count].start_s - tones[0].start_s
        pairs = zip(tones, tones[count:], strict=False)
        if all(
            math.isclose(later.start_s - tone.start_s, period_s, abs_tol=1e-6)
            and math.isclose(later.end_s - tone.end_s, period_s, abs_tol=1e-6)
            and later.hz == tone.hz
            for tone, later in pairs
        ):
            return period_s, tones[:count]
    return None, []


def decoded(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the payload."""
    check = find(probe, checks.Decoded)
    if check is None:
        return None
    if check.mode == "morse":
        return _morse(probe, check, draw)
    if check.mode == "dtmf":
        text = _dtmf(check.text, draw)
        swap = (_hyphened(check.text), _hyphened(text)) if check.text.isdigit() else (check.text, text)
    else:
        *head, word = check.text.split()
        text = " ".join([*head, draw.choice([w for w in (FIVES if len(word) == 5 else FOURS) if w != word])])
        swap = (check.text, text)
    varied = replace(probe, caption=probe.caption.replace(*swap))
    return expecting(varied, check, replace(check, text=text)) if varied != probe else None


def _dtmf(text: str, draw: random.Random) -> str:
    """A number kept for fiction, 555-0100 to 555-0199; or as many other keys of the sixteen."""
    if text.isdigit():
        return draw.choice([f"55501{n:02}" for n in range(100) if f"55501{n:02}" != text])
    return "".join(draw.sample("0123456789ABCD*#", len(text)))


def _hyphened(number: str) -> str:
    return f"{number[:3]}-{number[3:]}"


def _morse(probe: Probe, check: checks.Decoded, draw: random.Random) -> Probe | None:
    found = re.search(r"(\d+) words per minute \(PARIS\), on (\d+) Hz", probe.caption)
    if not found:
        return None
    spare_s = probe.duration_s - formulas.morse_s(check.text, int(found[1]))
    words_per_minute = draw.choice([n for n in (12, 15, 18, 20, 22) if n != int(found[1])])
    hz = draw.choice([n for n in (500, 550, 650, 750, 800) if n != int(found[2])])
    if check.text.isalpha():
        text = draw.choice([group for group in GROUPS[:6] if group != check.text])
    else:
        letters = draw.choices(string.ascii_uppercase, k=3)
        text = f"CQ DE {draw.choice('KNW')}{draw.randint(0, 9)}{''.join(letters)}"
    varied = replace(
        probe,
        caption=probe.caption.replace(f" {check.text} ", f" {text} ").replace(
            found[0], f"{words_per_minute} words per minute (PARIS), on {hz} Hz"
        ),
        details=probe.details.replace(f"as {', '.join(check.text)};", f"as {', '.join(text)};"),
        duration_s=math.ceil(2 * (formulas.morse_s(text, words_per_minute) + min(spare_s, 1.0))) / 2,
    )
    return expecting(varied, check, replace(check, text=text))


def echo(probe: Probe, draw: random.Random) -> Probe | None:
    """Move the cliff."""
    check = find(probe, checks.Echo)
    found = re.search(r"(\d+) metres away", probe.caption)
    if check is None or not found:
        return None
    metres = draw.choice([m for m in (60, 68, 75, 95, 102, 110, 120) if m != int(found[1])])
    said = reworded(probe, (f"{found[1]} metres away", f"{metres} metres away"))
    return said and expecting(said, check, replace(check, delay_s=at(formulas.echo_delay_s(metres))))


def decay(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the reverberation time."""
    check = find(probe, checks.DecayTime)
    if check is None:
        return None
    if check.t60_s < 2:
        t60_s = draw.choice([t for t in (0.4, 0.5, 0.7, 0.8, 1.0) if t != check.t60_s])
        swap = (f"{check.t60_s:g} seconds", "one second" if t60_s == 1 else f"{t60_s:g} seconds")
    else:
        t60_s = draw.choice([t for t in (3, 4, 6, 7) if t != check.t60_s])
        swap = (f"{WORDS[round(check.t60_s)]} seconds", f"{WORDS[t60_s]} seconds")
    said = reworded(probe, swap)
    longer_s = round(probe.duration_s + t60_s - check.t60_s, 1)
    return said and expecting(replace(said, duration_s=longer_s), check, replace(check, t60_s=float(t60_s)))


def bouncing(probe: Probe, draw: random.Random) -> Probe | None:
    """Change how high a ball falls from and how much speed it keeps."""
    check = find(probe, checks.Onsets)
    if check is None or "bouncing" not in probe.caption:
        return None
    height_m, kept = draw.choice((0.7, 0.8, 1.2, 1.5)), draw.choice((0.8, 0.82, 0.87, 0.88))
    times_s = formulas.bounces_s(height_m, kept, 7)
    said = reworded(probe, ("from one metre", f"from {height_m:g} metres"), ("keeps 0.85", f"keeps {kept:g}"))
    between_s = at((times_s[-2] + times_s[-1]) / 2)  # the sound ends between two bounces
    new = replace(check, times_s=[at(time) for time in times_s[:-1]])
    return said and expecting(replace(said, duration_s=between_s), check, new)


def well(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the depth of a well."""
    check = find(probe, checks.Onsets)
    found = re.search(r"well (\d+) metres deep", probe.caption)
    if check is None or not found:
        return None
    metres = draw.choice([m for m in (10, 12, 15, 25, 30, 35) if m != int(found[1])])
    said = reworded(probe, (f"{found[1]} metres deep", f"{metres} metres deep"))
    return said and expecting(said, check, replace(check, times_s=[round(formulas.splash_s(metres), 3)]))


def arrivals(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the rate of random clicks; the sound is long enough for some 120 of them."""
    check = find(probe, checks.Arrivals)
    if check is None:
        return None
    rate = draw.choice([n for n in (12, 15, 16, 24, 25, 30) if n != check.rate_hz])
    said = reworded(probe, (f"{check.rate_hz:g} counts", f"{rate} counts"))
    duration_s = float(math.ceil(max(5, 120 / rate)))
    return said and expecting(replace(said, duration_s=duration_s), check, replace(check, rate_hz=float(rate)))


def passing(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the pitch and the speed of a source that passes."""
    check = find(probe, checks.Passing)
    found = re.search(r"(\d+) Hz horn.* at (\d+) metres per second", probe.caption)
    if check is None or not found:
        return None
    hz = draw.choice([n for n in (450, 500, 600, 800, 900) if n != int(found[1])])
    speed = draw.choice([n for n in (20, 25, 28, 35) if n != int(found[2])])
    said = reworded(probe, (f"{found[1]} Hz", f"{hz} Hz"), (f"{found[2]} metres per", f"{speed} metres per"))
    approach_hz, recede_hz = (round(one, 2) for one in formulas.passing_hz(hz, speed))
    return said and expecting(said, check, replace(check, approach_hz=approach_hz, recede_hz=recede_hz))


def rate(probe: Probe, draw: random.Random) -> Probe | None:
    """Change what decides the rate of a machine or an animal."""
    check = find(probe, checks.Rate)
    if check is None:
        return None
    for pattern, values, rate_of, spelt in _MACHINES:
        found = re.search(pattern, probe.caption)
        if found:
            was = float(found[1].replace(",", "")) if found[1][0].isdigit() else float(WORDS.index(found[1]))
            now = draw.choice([value for value in values if value != was])
            said = reworded(probe, (found[0], found[0].replace(found[1], spelt(now))))
            hz = round(rate_of(now), 4)
            varied = said and expecting(said, check, replace(check, hz=hz))
            if varied and "waves" in probe.details:
                varied = replace(varied, duration_s=round(3 / hz, 1))
            return varied
    return _hum(probe, check)


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 10_000 else f"{value:g}"


_MACHINES: tuple[tuple[str, tuple[float, ...], Callable[[float], float], Callable[[float], str]], ...] = (
    (r"four-cylinder .* (\d+) revolutions", (2400, 2700, 3300, 3600, 4200), lambda n: formulas.firing_hz(n, 4), _plain),
    (r"eight-cylinder .* (\d+) revolutions", (540, 660, 720, 750), lambda n: formulas.firing_hz(n, 8), _plain),
    (r"two-bladed .* (\d+) revolutions", (300, 312, 330, 345, 360), lambda n: 2 * n / 60, _plain),
    (r"beating ([\d,]+) times an hour", (18_000, 21_600, 25_200, 36_000), lambda n: n / 3600, _plain),
    (r"pendulum (0\.\d+) metres", (0.6, 0.7, 0.8, 0.9), formulas.pendulum_hz, _plain),
    (r"(\d+) degrees Celsius, by Dolbear", (18, 20, 22, 28, 30), formulas.cricket_hz, _plain),
    (r"every (\w+) seconds", (6, 7, 9, 10), lambda n: 1 / n, lambda n: WORDS[round(n)]),
)
"""What to find in the caption, other values, the rate that follows, and how the value is written."""


def _hum(probe: Probe, check: checks.Rate) -> Probe | None:
    """Take a transformer from 50 Hz mains to 60 Hz: it hums at twice that."""
    band = find(probe, checks.BandLevel)
    said = reworded(probe, ("in Europe", "in North America"))
    if said is None or band is None or check.hz != 100:
        return None
    return expecting(expecting(said, check, replace(check, hz=120.0)), band, replace(band, high_hz=band.high_hz * 1.2))


def bottle(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the volume of a bottle."""
    check = find(probe, checks.Pitch)
    found = re.search(r"(0\.\d+) litres", probe.caption)
    if check is None or not found:
        return None
    litres = draw.choice([v for v in (0.375, 0.5, 0.6, 0.9) if v != float(found[1])])
    said = reworded(probe, (f"{found[1]} litres", f"{litres:g} litres"))
    hz = round(formulas.helmholtz_hz(litres * 1e-3, 0.08, 0.019), 1)
    return said and expecting(said, check, replace(check, f0_hz=hz))


def pipe(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the length of a stopped pipe."""
    check = find(probe, checks.Partials)
    if check is None or "stopped organ pipe" not in probe.caption:
        return None
    metres = draw.choice((0.5, 0.6, 0.7, 0.8, 1.2))
    said = reworded(probe, ("one metre long", f"{metres:g} metres long"))
    return said and expecting(said, check, replace(check, reference_hz=round(formulas.stopped_pipe_hz(metres), 2)))


def starting(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the rates between which a locomotive's puffs speed up."""
    check = find(probe, checks.OnsetTrend)
    if check is None or "puffs" not in probe.caption:
        return None
    low, high = draw.choice([pair for pair in ((1, 3), (1, 5), (2, 5)) if pair != (check.from_hz, check.to_hz)])
    was = f"from {WORDS[round(check.from_hz)]} to {WORDS[round(check.to_hz)]} per second"
    said = reworded(probe, (was, f"from {WORDS[low]} to {WORDS[high]} per second"))
    return said and expecting(said, check, replace(check, from_hz=float(low), to_hz=float(high)))


SEEDED: tuple[SeededChange, ...] = ()
CHANGES: tuple[Change, ...] = (
    cadence, decoded, echo, decay, bouncing, well, arrivals, passing, rate, bottle, pipe, starting,
)  # fmt: skip
