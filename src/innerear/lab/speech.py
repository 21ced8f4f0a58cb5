"""The sounds that the checks of the speech tier are tried on, but for `transcript`.

Known truth comes from synthesis (vowels by source and filter, held, whose formants and f0 were put
in), from real speech that was given another voice (its own linear prediction driven with pulses of a
known f0, or with noise, which is a whisper), and from talkers by rule where espeak-ng is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from innerear import checks
from innerear.checks import Check
from innerear.clip import Clip, read_mono
from innerear.lab import sounds as make
from innerear.lab import voices
from innerear.lab.sounds import SAMPLE_RATE, Bank, Floats
from innerear.lab.tools import Pairs, Rng, seeded
from innerear.metrics.formants import speakers_of, vowels
from innerear.metrics.verified import Trial
from innerear.render.talkers import can_say, say

SPEECH_RATE = 16_000
DRAWS = 15  # of each vowel, as talkers differ
F3_HZ = {"men": 2600.0, "women": 2950.0}
PHONEMES = {"i": "i:", "æ": "a", "ɑ": "A:", "u": "u:", "ɛ": "E", "ɔ": "O:"}  # of espeak-ng
VOWEL_OF_DIGIT = {"i": ("three", -1), "u": ("two", -1), "ɛ": ("seven", 0)}
"""The digit that holds a vowel, and whether it is the first or the last of its voice."""
OF_A_VOICE = {"laughing", "crying_baby", "coughing", "sneezing", "breathing", "snoring"}
EXCERPTS = 24  # of real speech for each kind
MARGIN = 2 ** (2 / 12)  # a wrong f0 lies two semitones or more outside


def vowel(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Each vowel as 15 talkers would say it by the table's deviations, in real digits, by rule; then others."""
    for check in _different(pairs):
        assert isinstance(check, checks.Vowel)
        who = speakers_of(check)
        rng = seeded("vowel", check.ipa)
        for _ in range(DRAWS):
            yield Trial("synthetic", check, _drawn(check.ipa, who, rng))
        for name in check.among:
            for ipa in name.split("/") if check.ipa not in name.split("/") else []:
                for _ in range(4):
                    yield Trial("kind", check, _drawn(ipa, who, rng), f"/{ipa}/")
        for f0_hz in (90.0, 120.0, 150.0, 180.0):
            for tone in (make.sine, make.reed, make.blown):
                yield Trial("bare tone", check, make.clip(tone(f0_hz, 1.2, rng)), tone.__name__)
        if can_say("espeak-ng") and check.ipa in PHONEMES:
            for variant in ("m1", "m3", "m7", "klatt", "klatt4"):
                said = say(f"[[h{PHONEMES[check.ipa]}d]]", f"espeak-ng:en-us+{variant}", 80)
                yield Trial("rule-made", check, _voiced_part(said, 0), variant)
        if bank and check.ipa in VOWEL_OF_DIGIT:
            word, part = VOWEL_OF_DIGIT[check.ipa]
            for path in [row["file"] for row in bank.speech if row["set"] == "FSDD" and row["text"] == word]:
                yield Trial("real", check, _voiced_part(read_mono(bank.folder / path, SPEECH_RATE), part), path)


def _drawn(ipa: str, who: str, rng: Rng) -> Clip:
    spoken = vowels(who)[ipa]
    f0_hz = rng.uniform(85, 180) if who == "men" else rng.uniform(160, 240)
    f1_hz, f2_hz = rng.normal(spoken.f1_hz, spoken.f1_sd), rng.normal(spoken.f2_hz, spoken.f2_sd)
    formants = (f1_hz, f2_hz, max(F3_HZ[who], f2_hz + 400))
    return make.clip(voices.vowel(f0_hz, formants, 1.0, rng, float(rng.choice([30, 45, 60]))))


def _voiced_part(clip: Clip, part: int) -> Clip:
    """The middle of the first or the last stretch of a clip that is voiced for 60 ms or more."""
    from innerear.dsp.voice import HOP_S, track_voice

    track = track_voice(clip)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], track.voiced, [False]]).astype(int)))
    lasting = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= 6]
    if not lasting:
        return clip
    start, end = lasting[part]
    cut = (end - start) // 4
    times = track.times_s[[start + cut, end - 1 - cut]] + np.array([-2, 2]) * HOP_S
    first, last = np.clip((times * clip.sample_rate).astype(int), 0, clip.samples.shape[1])
    return Clip(clip.samples[:, first:last], clip.sample_rate)


def voice_f0(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Vowels and real speech at f0s inside and outside of the range; whispers and bare tones at the right one."""
    for check in _different(pairs):
        assert isinstance(check, checks.VoiceF0)
        rng = seeded("voice_f0", check.low_hz, check.high_hz)
        for _ in range(6):
            inside = float(np.exp(rng.uniform(np.log(check.low_hz * 1.05), np.log(check.high_hz / 1.05))))
            outside = _outside(check.low_hz, check.high_hz, rng)
            for column, f0_hz in (("synthetic", inside), ("pitch", outside)):
                spoken = list(vowels("men").values())[int(rng.integers(12))]
                formants = (spoken.f1_hz, spoken.f2_hz, 2700.0)
                yield Trial(column, check, make.clip(voices.vowel(f0_hz, formants, 1.0, rng)), f"{f0_hz:.0f} Hz")
            yield Trial("bare tone", check, make.clip(make.sine(inside, 1.2, rng)), f"{inside:.0f} Hz")
            for speech in _excerpts(bank, 1, rng):
                for column, f0_hz in (("real", inside), ("pitch", outside)):
                    moved = f0_hz * 2 ** (np.cumsum(rng.normal(0, 0.002, len(speech))) / 12)
                    yield Trial(column, check, _revoiced(speech, moved, rng), f"{f0_hz:.0f} Hz")
                yield Trial("kind", check, _revoiced(speech, None, rng), "a whisper")


def _outside(low_hz: float, high_hz: float, rng: Rng) -> float:
    below, above = (70.0, low_hz / MARGIN), (high_hz * MARGIN, 600.0)
    ranges = [pair for pair in (below, above) if pair[1] > pair[0]]
    return float(np.exp(rng.uniform(*np.log(ranges[int(rng.integers(len(ranges)))]))))


def f0_trend(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Real speech and vowels whose f0 stays, and at the end moves by 3 to 8 semitones, or not, or the other way."""
    for check in _different(pairs):
        assert isinstance(check, checks.F0Trend)
        sign = 1 if check.direction == "rise" else -1
        rng = seeded("f0_trend", check.direction)
        for _ in range(DRAWS):
            for column, steps in (
                ("synthetic", sign * rng.uniform(3, 8)),
                ("pitch", -sign * rng.uniform(1, 8)),
                ("pitch", rng.uniform(-0.7, 0.7)),
            ):
                t = make.seconds(rng.uniform(0.6, 1.2))
                base = rng.uniform(95, 220)
                moved = base * 2 ** (steps * np.clip((t / t[-1] - 0.5) / 0.5, 0, 1) / 12)
                spoken = list(vowels("men").values())[int(rng.integers(12))]
                source = voices.pulses(moved, rng)
                made = voices.resonate(source, (spoken.f1_hz, spoken.f2_hz, 2700.0, 3500.0, 4500.0))
                yield Trial(column, check, make.clip(make.edges(made, 0.03, 0.05)), f"{steps:+.1f} semitones")
                for speech in _excerpts(bank, 1, rng):
                    there = rng.uniform(95, 220) * 2 ** (steps * _late(speech) / 12)
                    name = "real" if column == "synthetic" else column
                    yield Trial(name, check, _revoiced(speech, there, rng), f"{steps:+.1f} semitones")
        if can_say("espeak-ng"):
            for talker in ("en-us", "en-us+f2", "en-us+m3", "en-gb", "en-us+klatt"):
                for word in ("really", "tomorrow", "hello"):
                    right, wrong = ("?", ".") if check.direction == "rise" else (".", "?")
                    for column, mark in (("rule-made", right), ("pitch", wrong)):
                        said = say(word + mark, f"espeak-ng:{talker}")
                        yield Trial(column, check, said, f"{word}{mark} {talker}")


def _late(speech: Floats) -> Floats:
    """0 over the first half of what is voiced of a stretch of speech, then rising to 1 over the second."""
    from innerear.dsp.voice import track_voice

    track = track_voice(_clip(speech))
    voiced = np.concatenate([[0.0], np.cumsum(track.voiced)])
    share = np.interp(np.arange(len(speech)) / SPEECH_RATE, [0.0, *track.times_s], voiced / max(voiced[-1], 1))
    return np.asarray(np.clip((share - 0.5) / 0.5, 0, 1))


def voice_f0_steps(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Two real digits or two vowels, each with its f0; the same in the other order, with one f0, and one alone."""
    for check in _different(pairs):
        assert isinstance(check, checks.VoiceF0Steps)
        rng = seeded("voice_f0_steps", check.ranges_hz)
        for _ in range(DRAWS):
            f0s = [float(rng.uniform(low * 1.1, high / 1.1)) for low, high in check.ranges_hz]
            if any(b < a * 2 ** (4 / 12) for a, b in pairwise(f0s)):
                f0s = [low * 1.3 if place == 0 else high / 1.3 for place, (low, high) in enumerate(check.ranges_hz)]
            for voice in (None, bank) if bank else (None,):
                for column, chosen in (
                    ("synthetic" if voice is None else "real", f0s),
                    ("order", f0s[::-1]),
                    ("pitch", [f0s[0]] * len(f0s)),
                    ("count", f0s[:1]),
                ):
                    yield Trial(column, check, _spoken_after(chosen, voice, rng), str([round(f) for f in chosen]))


def _spoken_after(f0s: Sequence[float], bank: Bank | None, rng: Rng) -> Clip:
    parts: list[Floats] = []
    for f0_hz in f0s:
        if bank:
            digits = [row for row in bank.speech if row["set"] == "FSDD"]
            path = bank.folder / digits[int(rng.integers(len(digits)))]["file"]
            speech = read_mono(path, SPEECH_RATE).mono.astype(np.float64)
            made = voices.revoiced(speech, SPEECH_RATE, np.full(len(speech), f0_hz), rng)
            part = make.resampled(made, SPEECH_RATE / SAMPLE_RATE)
        else:
            spoken = list(vowels("men").values())[int(rng.integers(12))]
            part = voices.vowel(f0_hz, (spoken.f1_hz, spoken.f2_hz, 2700.0), 0.5, rng)
        parts += [part / np.abs(part).max(), np.zeros(round(rng.uniform(0.25, 0.5) * SAMPLE_RATE))]
    return make.clip(make.noisy(np.concatenate(parts), rng))


def unvoiced(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Whispers of real speech and by rule; the same speech with its voice, monotone, and noise like it."""
    check = checks.Unvoiced()
    rng = seeded("unvoiced")
    for speech in _excerpts(bank, EXCERPTS, rng):
        yield Trial("real", check, _revoiced(speech, None, rng), "whispered")
        yield Trial("kind", check, _clip(speech), "as it was spoken")
        yield Trial("kind", check, _revoiced(speech, np.full(len(speech), rng.uniform(90, 220)), rng), "monotone")
        loud = np.repeat(np.abs(speech[: len(speech) // 800 * 800]).reshape(-1, 800).mean(axis=1), 800)
        yield Trial("noise", check, _clip(loud * rng.standard_normal(len(loud))), "noise as loud as speech")
    if can_say("espeak-ng"):
        for text in (
            "be quiet",
            "come over here",
            "nobody heard it",
            "leave it there please",
            "not so loud",
            "hush now",
        ):
            for talker in ("en-us+whisper", "en-us+whisperf"):
                yield Trial("rule-made", check, say(text, f"espeak-ng:{talker}"), f"{text} {talker}")
            for talker in ("en-us", "en-us+f2"):
                speech = say(text, f"espeak-ng:{talker}").at(SPEECH_RATE).astype(np.float64)
                yield Trial("rule-made", check, _revoiced(speech, None, rng), f"{text} {talker}, whispered")
            yield Trial("kind", check, say(text, "espeak-ng"), text)


def voice(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Real speech, and by rule; recordings of the world and of instruments; held notes of a voice."""
    check = checks.Voice()
    rng = seeded("voice")
    for speech in _excerpts(bank, EXCERPTS, rng):
        yield Trial("real", check, _clip(speech))
    for row in _some([row for row in bank.speech if row["set"] == "FSDD"] if bank else [], EXCERPTS, rng):
        yield Trial("real", check, read_mono(bank.folder / row["file"], SPEECH_RATE), row["file"])  # type: ignore[union-attr]
    for path in _some(_without_voices(bank), 2 * EXCERPTS, rng):
        yield Trial("kind", check, read_mono(path, SPEECH_RATE), str(path.name))
    for note in _some(bank.all if bank else [], EXCERPTS, rng):
        yield Trial("kind", check, make.clip(note.samples()), note.path.name)
    for f0_hz in (90.0, 110.0, 130.0, 160.0, 190.0, 220.0, 260.0, 330.0):
        for tone in (make.sine, make.reed, make.blown):
            yield Trial("bare tone", check, make.clip(tone(f0_hz, 2.0, rng)), f"{tone.__name__} {f0_hz:.0f} Hz")
    for ipa in ("ɑ", "i", "u", "æ", "ɛ"):
        for f0_hz in (130.0, 220.0):
            spoken = vowels("men")[ipa]
            sung = voices.vowel(f0_hz, (spoken.f1_hz, spoken.f2_hz, 2700.0), 2.0, rng)
            yield Trial("synthetic", check, make.clip(sung), f"/{ipa}/ held at {f0_hz:.0f} Hz")
    if can_say("espeak-ng"):
        for text in ("hello", "no", "la", "be quiet", "water", "seven", "the sky is clear"):
            for talker in ("en-us", "en-us+f2", "en-us+klatt"):
                yield Trial("rule-made", check, say(text, f"espeak-ng:{talker}"), f"{text} {talker}")


def _without_voices(bank: Bank | None) -> list[Path]:
    """Recordings of the world in which nobody is heard."""
    return (
        [path for name, paths in bank.environment.items() if name not in OF_A_VOICE for path in paths] if bank else []
    )


def _different(pairs: Pairs) -> list[Check]:
    return list({repr(check): check for _, check in pairs}.values())


def _excerpts(bank: Bank | None, count: int, rng: Rng) -> Iterator[Floats]:
    """Stretches of 1.2 to 2 s of LibriSpeech, at 16 kHz, each from its loudest half on."""
    rows = [row for row in bank.speech if row["set"] == "LibriSpeech"] if bank else []
    for row in _some(rows, count, rng):
        assert bank is not None
        samples = read_mono(bank.folder / row["file"], SPEECH_RATE).mono.astype(np.float64)
        length = round(rng.uniform(1.2, 2.0) * SPEECH_RATE)
        starts = np.arange(0, max(1, len(samples) - length), SPEECH_RATE // 4)
        power = [float(np.mean(samples[start : start + length] ** 2)) for start in starts]
        start = starts[int(np.argsort(power)[len(power) // 2 :][int(rng.integers(len(power) - len(power) // 2))])]
        yield samples[start : start + length]


def _some(rows: Sequence[object], count: int, rng: Rng) -> list:  # type: ignore[type-arg]
    return [rows[place] for place in rng.permutation(len(rows))[:count]]


def _revoiced(speech: Floats, f0_hz: Floats | None, rng: Rng) -> Clip:
    return _clip(voices.revoiced(speech, SPEECH_RATE, f0_hz, rng))


def _clip(samples: Floats) -> Clip:
    peak = float(np.abs(samples).max(initial=1e-9))
    return Clip((samples * (0.5 / peak)).astype(np.float32)[None], SPEECH_RATE)


BUILDERS: dict[str, Callable[[Pairs, Bank | None], Iterator[Trial]]] = {
    "vowel": vowel, "voice_f0": voice_f0, "f0_trend": f0_trend, "voice_f0_steps": voice_f0_steps,
    "unvoiced": unvoiced, "voice": voice,
}  # fmt: skip
