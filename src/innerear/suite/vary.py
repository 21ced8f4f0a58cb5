"""Varied probes of the same kinds: `vary` changes pitches, tempi, counts, words and durations, and the checks.

Use it if a model may have been trained on the suite. A probe's caption and details are rewritten where
they use the phrases of the editions (`A4`, `F sharp 4`, `in C major`, `440 Hz`, `120
beats per minute`, `exactly three times`, `20 metres deep`), and its checks with it; figures that are not judged are
left unchanged. A probe without such phrases gets another duration. The kinds of edition 2 are in `vary_notes`,
`vary_signals` and `vary_speech`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from innerear import checks
from innerear.errors import UsageError
from innerear.records import Probe, digest
from innerear.suite import Suite, vary_notes, vary_signals, vary_speech
from innerear.suite.changes import NAMES as NAMES
from innerear.suite.changes import STEPS
from innerear.suite.changes import WORDS as WORDS
from innerear.suite.changes import at as _at

SIGNS = {"": 0, "sharp": 1, "#": 1, "flat": -1, "b": -1}
SEMITONES = (-4, -3, -2, -1, 1, 2, 3, 4)
LOWEST_MIDI = {"bass guitar": 28, "guitar playing": 40, "double bass": 28, "cello": 36, "violin": 55, "tuba": 29}
"""The lowest notes of instruments that play near them in edition 1."""
SLOWNESS = (0.8, 1.2, 1.25)  # those that keep a tempo a whole number of beats per minute are used
COUNTS = range(2, 9)
_COUNT = "|".join(WORDS[1:])
_SIGN = r"(?: (sharp|flat)|([b#]))?"
_NOTE = re.compile(rf"\b([A-G]){_SIGN} ?(\d)\b")
_KEY = re.compile(
    rf"(?:\b(an?) )?\b([A-G]){_SIGN}(?=(?: (?:major|minor|natural minor|dorian|blues|dominant|diminished)\b|sus\d))"
)
_UPPER = re.compile(rf"(?<=the upper )([A-G]){_SIGN}\b")


def vary(suite: Suite, seed: int) -> Suite:
    """Vary every probe of a suite; the same seed gives the same suite on any machine.

    A variant of `notes/instrument/piano-c4` is `notes/instrument/piano-c4/varied-SEED`. Tier, family,
    level and the kinds of checks do not change.
    """
    if seed < 0:
        raise UsageError(f"--seed {seed}; wanted 0 or more")
    probes = [varied(probe, seed) for probe in suite.probes]
    named = [replace(probe, id=f"{probe.id}/varied-{seed}") for probe in probes]
    return Suite(f"{suite.name}, varied by seed {seed}", named, suite.canary)


def varied(probe: Probe, seed: int) -> Probe:
    """Vary one probe in every respect that applies, or else in its duration."""
    draw = random.Random(int(digest("vary", seed, probe.id), 16))
    changed = probe
    for change in (_pitch, _tempo, _count, _rate, _speed_up, _order, _voice, _words, partial(_sentence, seed)):
        changed = change(changed, draw) or changed
    for module in (vary_notes, vary_signals, vary_speech):
        for change in (*module.CHANGES, *(partial(change, seed) for change in module.SEEDED)):
            changed = change(changed, draw) or changed
    if changed == probe:
        changed = _duration(probe, draw)
    return changed


def _pitch(probe: Probe, draw: random.Random) -> Probe | None:
    """Transpose all pitches by the same interval; a named tune may be in any key."""
    if any(isinstance(check, checks.Tune) for check in probe.expect):
        return None
    text = f"{probe.caption} {probe.details}"
    if re.search(r"\b\d+ Hz\b", text):
        return _hertz(probe, draw)
    if not (_NOTE.search(text) or _KEY.search(text)):
        return None
    midi = [note for check in probe.expect for note in _midi(check)]
    least = next((low for words, low in LOWEST_MIDI.items() if words in probe.caption), 0)
    steps = draw.choice([step for step in SEMITONES if min(midi, default=60) + step >= least])

    def note(found: re.Match[str]) -> str:
        number = 12 * int(found[4]) + _class(found, 1) + steps
        return f"{NAMES[number % 12]}{' ' if len(NAMES[number % 12]) > 1 else ''}{number // 12}"

    def key(found: re.Match[str]) -> str:
        name = NAMES[(_class(found, 2) + steps) % 12]
        article = ("an " if name[0] in "AEF" else "a ") if found[1] else ""
        return article + (name if not found.string[found.end() :].startswith("sus") else name.replace(" ", ""))

    def upper(found: re.Match[str]) -> str:
        return NAMES[(_class(found, 1) + steps) % 12]

    def said(words: str) -> str:
        return _UPPER.sub(upper, _KEY.sub(key, _NOTE.sub(note, words)))

    return replace(
        probe,
        caption=said(probe.caption).replace(" on the open string", ""),
        details=said(probe.details),
        expect=[_transposed(check, steps) for check in probe.expect],
    )


def _class(found: re.Match[str], letter: int) -> int:
    return STEPS[found[letter]] + SIGNS[found[letter + 1] or found[letter + 2] or ""]


def _midi(check: checks.Check) -> Sequence[int]:
    match check:
        case checks.Pitch(midi=int() as midi):
            return [midi]
        case checks.Notes():
            return [midi for _, _, midi in check.notes]
        case checks.Chord():
            return check.midi
    return []


def _transposed(check: checks.Check, steps: int) -> checks.Check:
    ratio = 2 ** (steps / 12)
    match check:
        case checks.Partials():
            return replace(check, reference_hz=round(check.reference_hz * ratio, 3))
        case checks.Pitch():
            midi = None if check.midi is None else check.midi + steps
            return replace(check, f0_hz=round(check.f0_hz * ratio, 3), midi=midi)
        case checks.Notes():
            return replace(check, notes=[(start, stop, midi + steps) for start, stop, midi in check.notes])
        case checks.Chord():
            return replace(check, midi=[midi + steps for midi in check.midi])
        case checks.Glide():
            return replace(check, from_hz=round(check.from_hz * ratio, 3), to_hz=round(check.to_hz * ratio, 3))
    return check


def _hertz(probe: Probe, draw: random.Random) -> Probe | None:
    pitch = next((check for check in probe.expect if isinstance(check, checks.Pitch)), None)
    if pitch is None:
        return None
    hz = round(pitch.f0_hz * 2 ** draw.choice([-0.7, -0.4, 0.3, 0.6]))
    return replace(
        probe,
        caption=probe.caption.replace(f"{pitch.f0_hz:g} Hz", f"{hz} Hz"),
        expect=[replace(check, f0_hz=float(hz)) if check is pitch else check for check in probe.expect],
    )


_TEMPO = re.compile(r"\b(\d+)(?= beats per minute)")
_SECONDS = re.compile(r"\b(\d+(?:\.\d+)?)(?= seconds\b)")


def _tempo(probe: Probe, draw: random.Random) -> Probe | None:
    """Stretch all times and the duration by the same factor."""
    timed = any(isinstance(check, checks.Notes | checks.Onsets) for check in probe.expect)
    text = f"{probe.caption} {probe.details}"
    if not timed or not (_TEMPO.search(text) or _SECONDS.search(text)):
        return None
    tempi = [int(found) for found in _TEMPO.findall(text)]
    slower = draw.choice([one for one in SLOWNESS if all(bpm / one % 1 == 0 for bpm in tempi)] or SLOWNESS)

    def said(words: str) -> str:
        words = _TEMPO.sub(lambda found: f"{int(found[1]) / slower:g}", words)
        return _SECONDS.sub(lambda found: f"{float(found[1]) * slower:g}", words)

    def stretched(check: checks.Check) -> checks.Check:
        match check:
            case checks.Notes():
                return replace(check, notes=[(_at(a * slower), _at(b * slower), midi) for a, b, midi in check.notes])
            case checks.Onsets():
                return replace(check, times_s=[_at(time * slower) for time in check.times_s])
        return check

    return replace(
        probe,
        caption=said(probe.caption),
        details=said(probe.details),
        duration_s=_at(probe.duration_s * slower),
        expect=[stretched(check) for check in probe.expect],
    )


def _count(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the number of events, or of repeated notes of the same length."""
    for check in probe.expect:
        match check:
            case checks.Events(count=was) if was > 1:
                other = draw.choice([n for n in COUNTS if abs(n - was) in (1, 2)])
                return _recounted(probe, was, other, replace(check, count=other), check)
            case checks.Notes(notes=notes) if len({midi for *_, midi in notes}) == 1:
                other = draw.choice([len(notes) - 2, len(notes) - 1])
                return _recounted(probe, len(notes), other, replace(check, notes=notes[:other]), check)
    if probe.expect and isinstance(probe.expect[0], checks.Transcript):
        return _counted_aloud(probe, draw)
    return None


def _recounted(probe: Probe, was: int, other: int, new: checks.Check, old: checks.Check) -> Probe | None:
    if not re.search(rf"\b{WORDS[was]}\b", probe.caption):
        return None
    duration_s = new.notes[-1][1] if isinstance(new, checks.Notes) else probe.duration_s
    return replace(
        probe,
        caption=re.sub(rf"\b{WORDS[was]}\b", WORDS[other], probe.caption),
        duration_s=duration_s,
        expect=[new if check is old else check for check in probe.expect],
    )


def _counted_aloud(probe: Probe, draw: random.Random) -> Probe | None:
    found = re.search(rf"from ({_COUNT}) to ({_COUNT})", probe.caption)
    if not found:
        return None
    first, last = WORDS.index(found[1]), WORDS.index(found[2])
    move = draw.choice([1, 2, 3, 4])
    words = WORDS[first + move : last + move + 1]
    return replace(
        probe,
        caption=probe.caption.replace(found[0], f"from {words[0]} to {words[-1]}"),
        expect=[replace(check, text=" ".join(words)) if isinstance(check, checks.Transcript) else check
                for check in probe.expect],
    )  # fmt: skip


def _rate(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the rate of vibrato or tremolo."""
    check = next((check for check in probe.expect if isinstance(check, checks.Modulation)), None)
    if check is None:
        return None
    was = int(check.rate_hz)
    other = draw.choice([was - 2, was - 1, was + 1, was + 2])
    pattern = re.compile(rf"\b({was}|{WORDS[was]})(?= (?:times|strokes) per second)", re.IGNORECASE)
    if not pattern.search(probe.details):
        return None

    def said(found: re.Match[str]) -> str:
        word = str(other) if found[1].isdigit() else WORDS[other]
        return word.capitalize() if found[1][0].isupper() else word

    new = replace(check, rate_hz=float(other))
    expect = [new if one is check else one for one in probe.expect]
    return replace(probe, details=pattern.sub(said, probe.details), expect=expect)


def _speed_up(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the rates between which strokes speed up or slow down."""
    check = next((check for check in probe.expect if isinstance(check, checks.OnsetTrend)), None)
    found = re.search(rf"\b({_COUNT}) clicks? per second at first and ({_COUNT}) per second", probe.details)
    if check is None or not found:
        return None
    low, high = draw.choice([(1, 3), (1, 5), (2, 5)])
    slows = draw.random() < 0.5
    first, last = (high, low) if slows else (low, high)
    new = replace(check, direction="slow" if slows else "accelerate", from_hz=float(first), to_hz=float(last))
    clicks = "click" if first == 1 else "clicks"
    said = f"{WORDS[first]} {clicks} per second at first and {WORDS[last]} per second"
    return replace(
        probe,
        caption=probe.caption.replace("speeds up", "slows down") if slows else probe.caption,
        details=probe.details.replace(found[0], said),
        expect=[new if one is check else one for one in probe.expect],
    )


def _order(probe: Probe, draw: random.Random) -> Probe | None:
    """Swap the order of two sounds."""
    check = next((check for check in probe.expect if isinstance(check, checks.Sequence)), None)
    parts = re.fullmatch(r"(.+?)(, then | followed by )(.+)", probe.caption)
    if check is None or not parts or len(check.labels) != 2:
        return None
    new = replace(check, labels=check.labels[::-1])
    expect = [new if one is check else one for one in probe.expect]
    return replace(probe, caption=f"{parts[3]}{parts[2]}{parts[1]}", expect=expect)


def _voice(probe: Probe, draw: random.Random) -> Probe | None:
    """Ask for a voice at a given pitch."""
    voice = next((check for check in probe.expect if isinstance(check, checks.VoiceF0)), None)
    if voice is None or not any(isinstance(check, checks.Vowel) for check in probe.expect):
        return None
    hz = draw.choice([95, 105, 115, 125, 135, 145])
    new = replace(voice, low_hz=round(hz / 1.12, 1), high_hz=round(hz * 1.12, 1))
    details = f"{probe.details.rstrip('.')}, at a pitch of {hz} Hz."
    return replace(probe, details=details, expect=[new if check is voice else check for check in probe.expect])


SYLLABLES = (("mo", "so", "bo", "lo"), ("mee", "see", "bee", "lee"), ("moo", "soo", "boo", "loo"))
TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
PLAIN = ("box", "truck", "chicken", "garbage", "juice", "lemons", "planks", "sheet", "background", "stockings")
SAID = {  # the words of a prosody probe, and what may replace them
    "really": ("ready", "today", "again"),
    "hello": ("water", "banana"),
    "be quiet": ("come here", "go home"),
    "hey": ("stop", "go"),
}
SENTENCES = (
    "The boy was there when the sun rose.",
    "A rod is used to catch pink salmon.",
    "The source of the huge river is the clear spring.",
    "Kick the ball straight and follow through.",
    "Help the woman get back to her feet.",
    "A pot of tea helps to pass the evening.",
    "Smoky fires lack flame and heat.",
    "The soft cushion broke the man's fall.",
    "The salt breeze came across from the sea.",
    "The girl at the booth sold fifty bonds.",
)
"""The second list of "IEEE Recommended Practice for Speech Quality Measurements", 1969 (Harvard sentences)."""


def _words(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the words; for a closed set, to a set of the same kind."""
    check = next((check for check in probe.expect if isinstance(check, checks.Transcript)), None)
    if check is None:
        return None
    if check.closed_set is not None:
        banks = {4: SYLLABLES, 10: (TEENS,) if "zero" in check.closed_set else (PLAIN,)}.get(len(check.closed_set))
        if banks is None or check.text not in check.closed_set:
            return None
        bank = draw.choice(banks)
        text = bank[check.closed_set.index(check.text)]
        return _says(probe, check, text, replace(check, text=text, closed_set=list(bank)))
    if check.text == "yes no":
        return _exchanged(probe, check)
    if check.text in SAID:
        text = draw.choice(SAID[check.text])
        return _says(probe, check, text, replace(check, text=text))
    return None


def _sentence(seed: int, probe: Probe, draw: random.Random) -> Probe | None:
    """Change the sentence: those of a suite are shifted by the seed, so that all stay different."""
    found = re.search(r"sentence/harvard-1-(\d+)$", probe.id)
    check = next((check for check in probe.expect if isinstance(check, checks.Transcript)), None)
    if check is None or not found:
        return None
    text = SENTENCES[(int(found[1]) + seed) % len(SENTENCES)]
    return _says(probe, check, text, replace(check, text=text))


def _says(probe: Probe, old: checks.Transcript, text: str, new: checks.Transcript) -> Probe | None:
    caption = probe.caption.replace(f"'{old.text}", f"'{text}")
    if caption == probe.caption:
        return None
    return replace(probe, caption=caption, expect=[new if check is old else check for check in probe.expect])


def _exchanged(probe: Probe, check: checks.Transcript) -> Probe | None:
    """Swap the speakers and the words of a dialogue."""
    parts = re.fullmatch(r"(.+) and then (.+)", probe.caption)
    if not parts:
        return None
    expect: list[checks.Check] = []
    for one in probe.expect:
        if one is check:
            expect.append(replace(check, text="no yes"))
        elif isinstance(one, checks.VoiceF0Steps):
            expect.append(replace(one, ranges_hz=one.ranges_hz[::-1]))
        else:
            expect.append(one)
    return replace(probe, caption=f"{parts[2]} and then {parts[1]}", expect=expect)


def _duration(probe: Probe, draw: random.Random) -> Probe:
    shares = [0.8, 1.2, 1.4]
    return replace(probe, duration_s=_at(probe.duration_s * draw.choice(shares)))
