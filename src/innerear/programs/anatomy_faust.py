"""How a Faust program is built, by its library's functions and the definitions that lead to them.

A definition carries what the functions and definitions in it do, so `os.osc(hz + mod)` is frequency modulation if
`mod` is defined by an oscillator. A part of the standard library that is used counts as an import: `os`, `fi`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from innerear.programs.anatomy import Anatomy, Mark
from innerear.programs.anatomy_tokens import Hertz, closing, frequencies, gathered, is_slow, read, split, words
from innerear.programs.tokens import Token

_HZ = re.compile(r"(^|_)(hz|f\d?|fre?qs?|frequency|cutoff|fc|f0s?|pitch|formants?)(_|$|\d)", re.IGNORECASE)
_KINDS = {
    "tone": r"os\.(osc\w*|quadosc\w*)|sin|cos|so\.\w+",
    "pulse": r"os\.(lf_)?(saw(?!pos)|square|pulsetrain|imptrain|triangle|CZsaw)\w*",
    "noise": r"no\.\w+",
    "filter": r"fi\.(?!(?:dcblocker|zero|pole)\b)\w+|ve\.\w+",
    "decay": r"exp|en\.(ar|adsr|are|adsre|asr|asre)|ba\.tau2pole",
    "phase": r"os\.(phasor|lf_sawpos\w*|hsp_phasor\w*)",
    "repeat": r"sum|par|prod",
    "fm": r"sy\.fm|os\.oscp\w*fm",
    "karplus-strong": r"pm\.(ks|\w*[gG]uitar\w*|elecGuitar|violin\w*|openString\w*)|sy\.combString",
    "modal": r"pm\.(modeFilter|modalModel|\w*[bB]ell\w*|marimba\w*|djembe\w*|\w*Bar\w*)|sy\.additiveDrum",
    "formant": r"pm\.(formant\w*|SFFormant\w*|vocal\w*)",
}
_PATTERNS = {kind: re.compile(pattern) for kind, pattern in _KINDS.items()}
_BY_THEMSELVES = ("fm", "karplus-strong", "modal", "formant")


@dataclass(frozen=True)
class _Call:
    """A function with its full name, its definition and its arguments."""

    name: str
    line: int
    definition: str
    arguments: list[list[Token]]
    is_repeated: bool


def dissected(code: str) -> tuple[Anatomy, list[Mark]] | None:
    """The anatomy of a program and the lines of its parts; `None` without a process or if it is too long."""
    found = _Program(read(code, "faust") or [])
    if "process" not in found.definitions:
        return None
    imports = {name.partition(".")[0] for name in (call.name for call in found.calls) if "." in name}
    return gathered(found.tokens, found.techniques(), [], found.frequencies(), imports)


class _Program:
    def __init__(self, program: list[Token]) -> None:
        self.tokens = program
        self.pairs = closing(program)
        self.definitions: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for first, last in self._statements():
            part = program[first:last]
            equals = next((place for place, token in enumerate(part) if token.text == "="), None)
            if equals and part[0].kind == "word":
                self.definitions[part[0].text].append((first, last))
        self.calls = list(self._calls())
        self.carried: dict[str, set[str]] = defaultdict(set)
        for _ in range(4):  # as deep as definitions are followed
            for name, spans in self.definitions.items():
                for span in spans:
                    self.carried[name] |= self.kinds(self.tokens[slice(*span)], but=name)

    def _statements(self) -> list[tuple[int, int]]:
        """Definitions, also those inside `with` and `letrec`: they begin after `;` or `{` and end at `;`."""
        found, opened = [], [0]
        for index, token in enumerate(self.tokens):
            if token.kind != "mark":
                continue
            if token.text == "{":
                opened.append(index + 1)
            elif token.text == "}" and len(opened) > 1:
                opened.pop()
            elif token.text == ";":
                found.append((opened[-1], index))
                opened[-1] = index + 1
        return found

    def _calls(self) -> list[_Call]:
        owners: dict[int, tuple[str, int]] = {}
        for name, spans in self.definitions.items():
            for first, last in spans:
                for index in range(first, last):
                    inner = owners.get(index)
                    if inner is None or inner[1] < first:
                        owners[index] = (name, first)
        loops = [
            (index, self.pairs[index + 1])
            for index, token in enumerate(self.tokens)
            if token.text in ("sum", "par", "prod") and index + 1 in self.pairs
        ]
        found = []
        for index, token in enumerate(self.tokens):
            if token.kind != "word" or (index and self.tokens[index - 1].text == "."):
                continue
            name, after = self._name(index)
            end = self.pairs.get(after) if after < len(self.tokens) and self.tokens[after].text == "(" else None
            arguments = split(self.tokens[after + 1 : end]) if end else []
            is_repeated = any(first < index < last for first, last in loops)
            found.append(_Call(name, token.line, owners.get(index, ("", 0))[0], arguments, is_repeated))
        return found

    def _name(self, index: int) -> tuple[str, int]:
        """A word with the library's part before it, and the token after it."""
        if (
            index + 2 < len(self.tokens)
            and self.tokens[index + 1].text == "."
            and self.tokens[index + 2].kind == "word"
        ):
            return f"{self.tokens[index].text}.{self.tokens[index + 2].text}", index + 3
        return self.tokens[index].text, index + 1

    def kinds(self, part: list[Token], but: str = "") -> set[str]:
        """What the functions and definitions in some tokens do."""
        found: set[str] = set()
        for place, token in enumerate(part):
            if token.kind == "word":
                follows = part[place + 1 : place + 3]
                dotted = [other.text for other in follows][:1] == ["."] and len(follows) > 1
                name = f"{token.text}.{follows[1].text}" if dotted else token.text
                found |= _kinds(name)
                if token.text != but:
                    found |= self.carried.get(token.text, set())
        return found

    def techniques(self) -> dict[str, list[int]]:
        """The lines that show each technique."""
        found: dict[str, list[int]] = defaultdict(list)
        used = {kind for call in self.calls for kind in _kinds(call.name)}
        tones = [call for call in self.calls if "tone" in _kinds(call.name) and self._sounds(call)]
        many = [call for call in tones if self._times(call) >= 3]
        found["additive"] = [call.line for call in (many or (tones if len(tones) >= 3 else []))]
        rings = [call for call in tones if "decay" in self.carried[call.definition]]
        if sum(self._times(call) for call in rings) >= 3:
            found["modal"] = [call.line for call in rings]
        for call in self.calls:
            kinds = _kinds(call.name)
            for name in _BY_THEMSELVES:
                if name in kinds:
                    found[name].append(call.line)
            if "filter" in kinds and "noise" in used:
                found["noise shaping"].append(call.line)
            if "pulse" in kinds and ("filter" in used or "formant" in used):
                found["subtractive"].append(call.line)
            if call in tones and any("tone" in self.kinds(part) and not self._is_slow(part) for part in call.arguments):
                found["fm"].append(call.line)
            if call.name in ("rdtable", "rwtable") and "phase" in self.carried[call.definition]:
                found["wavetable"].append(call.line)
            if call.name.lower().startswith("grain") or "granular" in call.name.lower():
                found["granular"].append(call.line)
            if "formant" in call.name.lower():
                found["formant"].append(call.line)
        if not found["formant"] and {"f1", "f2"} <= {call.name.lower() for call in self.calls}:
            found["formant"] = [call.line for call in self.calls if call.name.lower() in ("f1", "f2")]
        return found

    def _sounds(self, call: _Call) -> bool:
        """Whether a sine makes sound, rather than a vibrato, an envelope or a filter's coefficient."""
        if not call.arguments or self._is_slow(call.arguments[0]):
            return False
        moves = words(call.arguments[0]) & {"time", "t", "phase", "left"} or "phase" in self.kinds(call.arguments[0])
        return call.name not in ("sin", "cos") or bool(moves)

    def _is_slow(self, part: list[Token]) -> bool:
        """Whether all oscillators that lead to some tokens are below 20 Hz; without any, whether its constants are."""
        names, found = words(part), [call for call in self.calls if _holds(part, call)]
        for _ in range(4):
            inner = [call for call in self.calls if call.definition in names]
            names |= {call.name for call in inner}
            found += inner
        tones = [call for call in found if "tone" in _kinds(call.name) and call.arguments]
        return all(is_slow(call.arguments[0]) for call in tones) if tones else is_slow(part)

    def _times(self, call: _Call) -> int:
        """How often a function sounds at once: in a sum, or by the uses of its definition."""
        if call.is_repeated:
            return 3
        uses = [use for use in self.calls if use.name == call.definition and use.definition != call.definition]
        return 3 if any(use.is_repeated for use in uses) else max(1, len(uses))

    def frequencies(self) -> list[Hertz]:
        """Constants in the first argument of oscillators and filters, or of definitions named as frequencies."""
        found: list[Hertz] = []
        for call in self.calls:
            kinds = _kinds(call.name) & {"tone", "pulse", "filter", "modal", "formant"}
            is_own = call.name in self.definitions and bool(
                self.carried[call.name] & {"tone", "pulse", "filter", "modal"}
            )
            if (kinds or is_own) and call.name not in ("sin", "cos"):
                for argument in call.arguments[:2]:
                    found += frequencies(argument)
        for name, spans in self.definitions.items():
            if _HZ.search(name):
                for first, last in spans:
                    found += frequencies(self.tokens[first:last])
        return found


def _kinds(name: str) -> set[str]:
    return {kind for kind, pattern in _PATTERNS.items() if pattern.fullmatch(name)}


def _holds(part: list[Token], call: _Call) -> bool:
    return any(token.line == call.line and token.text == call.name.partition(".")[0] for token in part)
