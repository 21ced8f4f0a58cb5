"""How a Csound program is built, by its opcodes, the variables between them, its tables and its score.

An opcode is a mark of a technique by itself (`pluck`, `fof`, `foscil`) or through what its variables carry: noise that
reaches a filter, an oscillator in the frequency of another one. An instrument that the score plays three times at once
is a loop over partials. What a user's opcode does, it does wherever it is called.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from innerear.programs.anatomy import Anatomy, Mark
from innerear.programs.anatomy_tokens import (
    MOST_TOKENS,
    Hertz,
    closing,
    frequencies,
    gathered,
    is_slow,
    number,
    split,
    words,
)
from innerear.programs.tokens import Token, tokens

_OPCODES = {
    "oscillator": "poscil poscil3 oscil oscili oscil3 oscilikt osciln oscils oscil1 oscil1i",
    "pulse": "vco vco2 buzz gbuzz mpulse squinewave",
    "noise": "noise rand randh randi random randomh randomi pinkish pinker fractalnoise gauss gaussian unirand bexprnd "
    "linrand trirand birnd dust dust2 gendy gendyx gendyc rnd31",
    "filter": "tone tonex atone atonex butterlp butterhp butterbp butterbr butlp buthp butbp butbr reson resonx resonr "
    "resonz resony areson moogladder moogladder2 moogvcf moogvcf2 lpf18 biquad biquada rbjeq pareq eqfil lowpass2 "
    "lowres lowresx svfilter statevar bqrez rezzy clfilt filter2 zfilter2 vlowres diode_ladder K35_lpf K35_hpf "
    "zdf_1pole zdf_2pole zdf_ladder tbvcf fofilter nlfilt mvclpf1 mvclpf2 mvclpf3 mvclpf4 mvchpf spf skf svn bob",
    "exponential": "expon expseg expsega expsegb expsegr transeg transegb transegr xadsr mxadsr exp",
    "phase": "phasor phasorbnk",
    "table": "table tablei table3 tab ptable ptablei ptable3",
    "additive": "adsyn adsynt adsynt2 hsboscil",
    "fm": "foscil foscili crossfm crossfmi crosspm crosspmi crossfmpm fmb3 fmbell fmmetal fmpercfl fmrhode fmwurlie",
    "karplus-strong": "pluck wgpluck wgpluck2 repluck",
    "granular": "grain grain2 grain3 granule partikkel syncgrain syncloop sndwarp sndwarpst fog",
    "modal": "mode marimba vibes gogobel barmodel prepiano",
    "formant": "fof fof2 vosim voice fmvoice",
}
_KINDS = {opcode: kind for kind, opcodes in _OPCODES.items() for opcode in opcodes.split()}
_BY_THEMSELVES = ("additive", "fm", "karplus-strong", "granular", "modal", "formant")
_SECTION = re.compile(r"<Cs(Instruments|Score)>(.*?)</Cs\1>", re.IGNORECASE | re.DOTALL)
_RATE = re.compile(r"^g?[aik](?=[A-Z_]|[a-z])")
_HZ = re.compile(r"(^|_)(hz|fre?q\w*|frequency|cps|f\d|f|cf|fc|pitch|fund\w*|cut(off)?|fo|pch)$", re.IGNORECASE)
_PULSES = re.compile(r"gl?ot|saw|pul", re.IGNORECASE)
_CONVERTED = {"cent", "semitone", "octave", "cpsmidinn", "cpspch", "cpsoct", "mtof", "ampdb", "ampdbfs", "exp"}
_SOUNDS = {"oscillator", "pulse", "noise"}


@dataclass
class _Call:
    """An opcode with its arguments, and the variables on the left of its line."""

    name: str
    line: int
    arguments: list[list[Token]]
    to: list[str]

    def argument(self, place: int) -> list[Token]:
        return self.arguments[place] if place < len(self.arguments) else []

    @property
    def is_audio(self) -> bool:
        return any(name.startswith(("a", "ga")) or name == ":a" for name in self.to)


@dataclass
class _Body:
    """The lines of an instrument or of a user's opcode. `played` counts how often at once."""

    name: str
    lines: list[list[Token]] = field(default_factory=list)
    played: int = 1
    carried: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    calls: list[_Call] = field(default_factory=list)


def dissected(code: str) -> tuple[Anatomy, list[Mark]] | None:
    """The anatomy of a program and the lines of its parts; `None` without instruments or if it is too long."""
    sections = {match[1].lower(): _lines(code, match) for match in _SECTION.finditer(code)}
    if not sections.get("instruments") or sum(len(line) for lines in sections.values() for line in lines) > MOST_TOKENS:
        return None
    found = _Orchestra(sections["instruments"], sections.get("score", []))
    return gathered(
        [token for lines in sections.values() for line in lines for token in line],
        found.techniques(),
        list(found.sample_loops()),
        found.frequencies(),
        [],
    )


def _lines(code: str, section: re.Match[str]) -> list[list[Token]]:
    before = code.count("\n", 0, section.start(2))
    lines: dict[int, list[Token]] = defaultdict(list)
    for token in tokens(section[2], "csound"):
        lines[token.line].append(Token(token.kind, token.text, token.line + before))
    return list(lines.values())


class _Orchestra:
    def __init__(self, instruments: list[list[Token]], score: list[list[Token]]) -> None:
        self.bodies = [_Body("")]
        self.score = [_apart(line) for line in score if line[0].kind == "word" and line[0].text[0] in "if"]
        body = self.bodies[0]
        for line in instruments:
            if line[0].text in ("instr", "opcode"):
                body = _Body(line[1].text if len(line) > 1 else "")
                self.bodies.append(body)
            elif line[0].text in ("endin", "endop"):
                body = self.bodies[0]
            else:
                body.lines.append(line)
        self.kinds: dict[str, set[str]] = {name: {kind} for name, kind in _KINDS.items()}
        self.shared: dict[str, set[str]] = defaultdict(set)
        for body in self.bodies:  # opcodes are defined before they are used
            self._follow(body)
        for body in self.bodies:
            self._follow(body)
        self._count_players()

    def _follow(self, body: _Body) -> None:
        """Find what the variables of a body carry: each what the opcodes and variables on its lines do."""
        body.calls = [call for line in body.lines for call in self._calls(line)]
        for _ in range(2):
            for line in body.lines:
                targets = _targets(line)
                carried: set[str] = set()
                for token in line:
                    if token.kind == "word":
                        carried |= self._carried(body, token.text)
                is_read = "table" in carried and any(_PULSES.search(name) for name in targets)
                for name in targets:
                    (self.shared if name.startswith("g") else body.carried)[name] |= carried
                    if is_read:
                        body.carried[name].add("pulse")
        if body.name and not body.name[0].isdigit():
            used = {kind for call in body.calls for kind in self.kinds.get(call.name, ())}
            sounds = used & (_SOUNDS | {"filter", "exponential"})
            if any(line and line[0].text == "xout" for line in body.lines):
                self.kinds[body.name] = sounds

    def _carried(self, body: _Body, word: str) -> set[str]:
        return self.kinds.get(word) or (self.shared if word.startswith("g") else body.carried).get(word, set())

    def _calls(self, line: list[Token]) -> Iterator[_Call]:
        pairs = closing(line)
        targets = _targets(line)
        for index, token in enumerate(line):
            if token.kind != "word" or token.text not in self.kinds or token.text in targets:
                continue
            rest, to = index + 1, targets
            if rest + 1 < len(line) and line[rest].text == ":" and line[rest + 1].kind == "word":
                to = [f":{line[rest + 1].text}"]
                rest += 2
            if (
                rest < len(line)
                and line[rest].text == "("
                and (rest in pairs)
                and (to != targets or "=" in _text(line))
            ):
                yield _Call(token.text, token.line, split(line[rest + 1 : pairs[rest]]), to)
            else:
                yield _Call(token.text, token.line, split(line[rest:]), to)

    def _count_players(self) -> None:
        """How often each instrument is played at once, by the score or by a loop."""
        starts = Counter((line[1].text, line[2].text) for line in self.score if line[0].text == "i" and len(line) > 2)
        at_once: dict[str, int] = defaultdict(int)
        for (name, _), count in starts.items():
            at_once[name] = max(at_once[name], count)
        for body in self.bodies:
            depth = 0
            for line in body.lines:
                first = line[0].text
                depth += first in ("while", "until") or "loop_lt" in words(line)
                depth -= first in ("od", "enduntil")
                if first in ("schedule", "event_i") and depth > 0:
                    parts = split(line[1:])
                    parts = parts[1:] if first == "event_i" else parts
                    if len(parts) > 1 and not words(parts[1]):
                        at_once[_text(parts[0])] = max(at_once[_text(parts[0])], 3)
        for body in self.bodies:
            calls_itself = any(call.name == body.name for call in body.calls)
            body.played = 3 if calls_itself else at_once.get(body.name, 1)

    def techniques(self) -> dict[str, list[int]]:
        """The lines that show each technique."""
        found: dict[str, list[int]] = defaultdict(list)
        centres = [call.argument(1) for body in self.bodies for call in body.calls if "filter" in self.kinds[call.name]]
        has_formants = {"f1", "f2"} <= {_plain(word).lower() for centre in centres for word in words(centre)}
        for body in self.bodies:
            tones = [call for call in body.calls if self._is_tone(call)]
            rings = [call for call in tones if self._rings(body, call)]
            if len(tones) * body.played >= 3:
                found["additive"] += [call.line for call in tones]
            if len(rings) * body.played >= 3:
                found["modal"] += [call.line for call in rings]
            for call in body.calls:
                kinds = self.kinds[call.name]
                for name in _BY_THEMSELVES:
                    if name in kinds:
                        found[name].append(call.line)
                if "filter" in kinds and call.is_audio:
                    through = set().union(*(self._carried(body, word) for word in words(call.argument(0))))
                    if "noise" in through:
                        found["noise shaping"].append(call.line)
                    if "pulse" in through:
                        found["subtractive"].append(call.line)
                if self._is_tone(call) and self._is_modulated(body, call):
                    found["fm"].append(call.line)
                if self._reads_a_wave(body, call):
                    found["wavetable"].append(call.line)
            for line in body.lines:
                named = {word.lower() for word in words(line)}
                if any("formant" in word for word in named) or (
                    has_formants and {"f1", "f2"} & {_plain(word) for word in named}
                ):
                    found["formant"].append(line[0].line)
        return found

    def _is_tone(self, call: _Call) -> bool:
        kinds = self.kinds[call.name]
        if "oscillator" not in kinds or not call.is_audio:
            return False
        return call.name not in _KINDS or not _is_slow(call.argument(1))

    def _rings(self, body: _Body, call: _Call) -> bool:
        """Whether a tone dies away exponentially: in its level, or where its variable is multiplied."""
        if "exponential" in self.kinds[call.name] or any(
            "exponential" in self._carried(body, word) for word in words(call.argument(0))
        ):
            return True
        own = set(call.to)
        return any(
            own & words(line) and any("exponential" in self._carried(body, word) for word in words(line) - own)
            for line in body.lines
            if "*" in {token.text for token in line}
        )

    def _is_modulated(self, body: _Body, call: _Call) -> bool:
        places = call.arguments[1:2] + call.arguments[3:4]
        return any(
            word.startswith(("a", "ga")) and "oscillator" in self._carried(body, word)
            for place in places
            for word in words(place)
        ) or any(self._is_tone(other) for other in body.calls if other is not call and _holds(call.argument(1), other))

    def _reads_a_wave(self, body: _Body, call: _Call) -> bool:
        kinds = self.kinds[call.name]
        if not call.is_audio:
            return False
        if "table" in kinds:
            return any("phase" in self._carried(body, word) for word in words(call.argument(0)))
        if call.name in _KINDS and "oscillator" in kinds and self._is_tone(call) and call.argument(2):
            return _text(call.argument(2)) in self.waves
        return False

    @property
    def waves(self) -> set[str]:
        """The names and numbers of tables that hold one period of more than a sine."""
        found = set()
        for line in self.bodies[0].lines:
            if "ftgen" in words(line):
                parts = split(line[2:])
                if _is_wave([_text(part) for part in parts[3:]]):
                    found |= {line[0].text, _text(parts[0])}
        for line in self.score:
            if line[0].text == "f":
                values = [token.text for token in line if token.kind == "number"]
                if _is_wave(values[3:]):
                    found.add(values[0])
        return found

    def sample_loops(self) -> Iterator[int]:
        """The lines of loops that write one sample, or one element of a table, at a time."""
        for body in self.bodies:
            begun = 0
            for line in body.lines:
                if line[0].text in ("while", "until"):
                    begun = line[0].line
                elif line[0].text in ("od", "enduntil"):
                    begun = 0
                elif begun and words(line) & {"vaset", "tablew", "tabw", "tableiw", "tablewkt"}:
                    yield begun
                    begun = 0

    def frequencies(self) -> Iterator[Hertz]:
        """Constants in the place of a frequency, or in what is named one; also in the score."""
        for body in self.bodies:
            fields: set[str] = set()
            for call in body.calls:
                if call.name in _KINDS and _KINDS[call.name] not in ("noise", "exponential", "table", "phase"):
                    fields |= {word for word in words(call.argument(1)) if re.fullmatch(r"p\d+", word)}
                    yield from frequencies(call.argument(1))
                    if _KINDS[call.name] == "formant":
                        yield from frequencies(call.argument(2))
            for line in body.lines:
                if any(_HZ.search(_plain(name)) for name in _targets(line)):
                    line = _outside(line)
                    fields |= {word for word in words(line) if re.fullmatch(r"p\d+", word) and word != "p3"}
                    if not words(line) & {"jitter", "rspline", "jspline", "ftgen"}:
                        yield from frequencies(line)
            for line in self.score:
                values = [token for token in line if token.kind == "number"]
                if line[0].text == "i" and values and values[0].text == body.name:
                    columns = {int(name[1:]) - 1 for name in fields}
                    yield from frequencies(values[column] for column in columns if column < len(values))


def _apart(line: list[Token]) -> list[Token]:
    """A line of the score with its letter apart: `i1 0` as `i 1 0`."""
    letter, rest = line[0].text[0], line[0].text[1:]
    first = [Token("word", letter, line[0].line)]
    return [*first, Token("number", rest, line[0].line), *line[1:]] if rest else line


def _targets(line: list[Token]) -> list[str]:
    """The variables that a line sets."""
    if (len(line) > 1 and line[1].text == "=") or _text(line[1:3]) in ("+=", "-=", "*=", "/="):
        return [line[0].text]
    names = []
    for index, token in enumerate(line):
        if token.kind != "word" or token.text in _KINDS:
            break
        names.append(token.text)
        if index + 1 >= len(line) or line[index + 1].text != ",":
            is_followed = index + 1 < len(line) and line[index + 1].kind == "word"
            return names if is_followed or _text(line[index + 1 : index + 2]) == "=" else []
    return names if len(names) == len(line) else _commas(line)


def _commas(line: list[Token]) -> list[str]:
    names = []
    for index in range(0, len(line) - 1, 2):
        if line[index].kind != "word" or line[index].text in _KINDS:
            return []
        names.append(line[index].text)
        if line[index + 1].text != ",":
            return names if line[index + 1].kind == "word" or line[index + 1].text == "=" else []
    return []


def _is_slow(frequency: list[Token]) -> bool:
    """Whether an oscillator is a vibrato or an envelope: below 20 Hz, or once in a note."""
    is_ratio = any(token.text == "*" for token in frequency)  # 3 in `kcps * 3`
    return "p3" in words(frequency) or (is_slow(frequency) and not is_ratio)


def _outside(line: list[Token]) -> list[Token]:
    """A line without what is in functions whose argument is not a frequency."""
    pairs, kept, skip = closing(line), [], 0
    for index, token in enumerate(line):
        if index >= skip:
            kept.append(token)
            if token.text in _CONVERTED and line[index + 1 : index + 2] and index + 1 in pairs:
                skip = pairs[index + 1]
    return kept


def _plain(name: str) -> str:
    """A variable's name without the letters of its rate: `kF1` is F1."""
    return _RATE.sub("", name)


def _text(part: list[Token]) -> str:
    return "".join(token.text for token in part)


def _holds(part: list[Token], call: _Call) -> bool:
    return any(token.line == call.line and token.text == call.name for token in part)


def _is_wave(values: list[str]) -> bool:
    """Whether the rest of a table's definition, from the number of its routine, draws a wave with harmonics."""
    if not values:
        return False
    routine = values[0].lstrip("-")
    if routine in ("10", "11"):
        return len([value for value in values[1:] if number(Token("number", value, 0))]) > 1
    return routine in ("5", "6", "7", "8", "9", "19", "25", "27", "30", "33", "34")
