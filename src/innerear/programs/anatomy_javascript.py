"""How a JavaScript program is built, by its words, brackets and loops.

The language has no library of sounds: an oscillator is a `Math.sin` whose argument moves with time, noise a random
number around 0, a filter a recursion or a function that is named as one. So a technique is recognised by what is in the
arithmetic, as for Python, and by names. What a function does in a loop or at three calls, it does several times.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from innerear.programs.anatomy import Anatomy, Mark
from innerear.programs.anatomy_tokens import Hertz, closing, frequencies, gathered, is_slow, number, read, split, words
from innerear.programs.tokens import Token

_SNAKE = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_HZ = re.compile(r"(^|_)(hz|f\d?|fre?qs?|frequency|frequencies|cutoff|fc|f0s?|pitch|formants?|modes?|partials)(_|$|\d)")
_TABLE = re.compile(r"table|(^|_)lut($|_)|wavetable")
_NOISE = re.compile(r"^(white|pink|brown)?_?(noise|hiss|gauss(ian)?|randn|white)$")
_RANDOM = re.compile(r"^(rand|rnd|rng|random|mulberry32|lcg|prng|frand)\w*$")
_FILTER = re.compile(
    r"biquad|filter|reson|formant|low_?pass|high_?pass|band_?pass|one_?pole|two_?pole|(^|_)(lp|hp|bp|lpf|hpf|bpf|svf)\d?$"
)
_PULSE = re.compile(r"saw|square_?wave|pulse|glott|buzz")
_SLOW = re.compile(r"vib|lfo|trem|wob|drift|flutter|shim|sway|rate|slow|beat|breath|swell|gust|wander")
_TIME = re.compile(r"^(t|tt|time|ph|phase|phi|theta|ang|angle|w?t\d?|ph\w*|[a-z]?phase)$", re.IGNORECASE)
_COEFFICIENT = re.compile(
    r"^(a|b|c|k|r|w|cw|sw|cosw?|sinw?|cs|sn|ci|cr|alpha|win\w*|hann\w*|window\w*|rot\w*)\d?$", re.IGNORECASE
)
_ENVELOPE = re.compile(r"^(e|env|envelope|amp|gain|level|shape|fade|hump|bump)(_|\d|$)")
_RING = re.compile(r"(^|_)(partials?|modes?|modal|ring)(_|$)")
_FEW = 1000  # a loop to a constant up to this is not over samples


@dataclass(frozen=True)
class _Span:
    """A loop or a function: its first token, its body, its index or name, and whether it goes over samples."""

    at: int
    first: int
    last: int
    name: str
    is_samples: bool = False

    def holds(self, index: int) -> bool:
        return self.first <= index <= self.last


@dataclass(frozen=True)
class _Call:
    """A call: its token, its name, and the first and last token of its arguments."""

    at: int
    name: str
    first: int
    last: int


def dissected(code: str) -> tuple[Anatomy, list[Mark]] | None:
    """The anatomy of a program and the lines of its parts; `None` if it is empty or too long."""
    program = read(code, "javascript")
    if not program:
        return None
    found = _Program(program)
    loops = [found.tokens[loop.at].line for loop in found.loops if loop.is_samples and found.stores(loop)]
    return gathered(found.tokens, found.techniques(), loops, found.frequencies(), found.imports())


class _Program:
    def __init__(self, program: list[Token]) -> None:
        self.tokens = program
        self.pairs = closing(program)
        self._known_words: dict[tuple[int, int], set[str]] = {}
        self._known_targets: dict[tuple[int, int], str] = {}
        self.statements = list(self._statements())
        self.of_token = {index: span for span in self.statements for index in range(*span)}
        self.calls = [
            _Call(index, token.text, index + 2, self.pairs[index + 1])
            for index, token in enumerate(program)
            if token.kind == "word" and self._text(index + 1) == "(" and index + 1 in self.pairs
        ]
        self.loops = list(self._loops())
        self.functions = list(self._functions())
        self.set_in = {
            loop: {self._target(span) for span in self.statements if loop.holds(span[0])} - {""}
            for loop in self.loops
            if loop.is_samples
        }
        self.sines = [call for call in self.calls if call.name in ("sin", "cos") and self._oscillates(call)]
        self.put = {
            sine.at: self._target(span)
            for sine in self.sines
            if (span := self.of_token.get(sine.at)) and self._text(span[0]) in ("const", "let")
        }
        self.has_noise = any(self._noises())

    def _text(self, index: int) -> str:
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def _part(self, span: tuple[int, int]) -> list[Token]:
        return self.tokens[slice(*span)]

    def _statements(self) -> Iterator[tuple[int, int]]:
        begun = index = 0
        while index < len(self.tokens):
            token = self.tokens[index]
            if token.kind == "mark" and token.text == "(":
                inner = self.pairs.get(index, index)
                if not any(part.text == "{" for part in self.tokens[index:inner]):
                    index = inner  # a semicolon of a `for` ends no statement
            elif token.kind == "mark" and token.text in ";{}":
                if begun < index:
                    yield begun, index
                begun = index + 1
            index += 1
        if begun < index:
            yield begun, index

    def _block(self, index: int) -> tuple[int, int]:
        """The first and last token of a block or statement."""
        if self._text(index) == "{" and index in self.pairs:
            return index, self.pairs[index]
        end = index
        while end < len(self.tokens) and self._text(end) not in (";", "}"):
            end = self.pairs.get(end, end) + 1
        return index, min(end, len(self.tokens) - 1)

    def _loops(self) -> Iterator[_Span]:
        for index, token in enumerate(self.tokens):
            if token.kind != "word" or self._text(index + 1) != "(" or index + 1 not in self.pairs:
                continue
            end = self.pairs[index + 1]
            if token.text in ("for", "while"):
                first, last = self._block(end + 1)
                head = split(self.tokens[index + 2 : end], ";")
                name = next((part.text for part in head[0] if part.kind == "word" and part.text not in _DECLARES), "")
                yield _Span(
                    index, first, last, name, token.text == "for" and self._is_over_samples(head, first, last, name)
                )
            elif token.text in ("forEach", "map", "reduce") and self._text(index - 1) == ".":
                yield _Span(index, index + 1, end, "")

    def _is_over_samples(self, head: list[list[Token]], first: int, last: int, name: str) -> bool:
        """Whether a loop counts up its index to more than a few, and uses it as time or as the place of a sample."""
        if len(head) < 3 or not name:
            return False
        bounds = [number(token) for token in head[1] if token.kind == "number"]
        if bounds and not words(head[1]) - {name} and max(bounds) <= _FEW:
            return False
        body = self.tokens[first : last + 1]
        is_time = any(
            token.text == name
            and part.text == "/"
            and after.kind == "word"
            and re.search("sr|rate|fs", after.text, re.I)
            for token, part, after in zip(body, body[1:], body[2:], strict=False)
        )
        return is_time or self._stores_at(first, last, name)

    def _stores_at(self, first: int, last: int, name: str) -> bool:
        for index in range(first, last):
            end = self.pairs.get(index)
            if self._text(index) == "[" and end is not None and self._text(index - 1) != "(":
                marks = self._text(end + 1), self._text(end + 2)
                is_set = (marks[0] == "=" and marks[1] != "=") or (marks[0] in "+-*" and marks[1] == "=")
                if is_set and any(token.text == name for token in self.tokens[index:end]):
                    return True
        return False

    def stores(self, loop: _Span) -> bool:
        """Whether a loop sets an element at its own index."""
        return self._stores_at(loop.first, loop.last, loop.name)

    def _functions(self) -> Iterator[_Span]:
        for index, token in enumerate(self.tokens):
            if token.text == "function" and self.tokens[index].kind == "word":
                name = self._text(index + 1) if self._text(index + 1) != "(" else self._text(index - 2)
                start = next(
                    (i for i in range(index, min(index + 60, len(self.tokens))) if self._text(i) == "("), index
                )
                body = self.pairs.get(start, start) + 1
            elif token.text == "=" and self._text(index + 1) == ">":
                back = index - 1
                while back > 0 and self._text(back) != "=" and index - back < 60:
                    back -= 1
                name, body = self._text(back - 1), index + 2
            elif token.text == "class":
                name, body = self._text(index + 1), index + 2
            else:
                continue
            yield _Span(index, *self._block(body), name)

    def _words(self, span: tuple[int, int]) -> set[str]:
        if span not in self._known_words:
            self._known_words[span] = words(self._part(span))
        return self._known_words[span]

    def _target(self, span: tuple[int, int]) -> str:
        """The variable that a statement sets first."""
        if span not in self._known_targets:
            self._known_targets[span] = self._find_target(span)
        return self._known_targets[span]

    def _find_target(self, span: tuple[int, int]) -> str:
        part = self._part(span)
        for place, token in enumerate(part):
            if token.text == "=" and place and (place + 1 >= len(part) or part[place + 1].text not in "=>"):
                back = place - 1
                while back > 0 and part[back].text in "+-*/]":
                    if part[back].text == "]":
                        back = next((i for i in range(back, -1, -1) if part[i].text == "["), 0)
                    back -= 1
                return part[back].text if part[back].kind == "word" else ""
        return ""

    def _oscillates(self, call: _Call) -> bool:
        """Whether a sine makes sound: it moves with time, and is not a filter's coefficient, a window or a vibrato."""
        span = self.of_token.get(call.at, (call.at, call.last))
        argument = self.tokens[call.first : call.last]
        if any(function.holds(call.at) and _FILTER.search(_snake(function.name)) for function in self.functions):
            return False
        target = self._target(span)
        is_raised = self._text(call.at - 4) == "(" and self._text(call.at - 5) == "pow"  # a hump, as of an envelope
        if _COEFFICIENT.match(target) or _ENVELOPE.match(_snake(target)) or is_raised or "log" in self._words(span):
            return False
        if self._text(call.at - 2) == "Math" or self._text(call.at - 1) == ".":
            before = [self._text(index) for index in range(call.at - 5, call.at - 2)]
            if before[1:] == ["-"] or (before[2:] == ["-"] and before[1] in ("1", "0.5")) or before[1:] == [".5", "*"]:
                return False
            if [self._text(index) for index in range(call.at - 6, call.at - 2)][1:3] == ["-", "0.5"]:
                return False
        names = words(argument)
        is_slow_name = any(_SLOW.search(_snake(name)) for name in (names - _CIRCLE) | {target})
        inside = [loop for loop in self.loops if loop.holds(call.at)]
        moving = {name for loop in inside if loop.is_samples for name in (loop.name, *self.set_in[loop])}
        moves = any(_TIME.match(name) for name in names) or bool(names & moving)
        is_written = not names - _CIRCLE - {loop.name for loop in inside if loop.is_samples}  # as in `TAU * 5.1 * t`
        return moves and not is_slow_name and not (is_written and is_slow(argument))

    def _noises(self) -> Iterator[int]:
        """The tokens of random numbers around 0, and calls of what is named noise."""
        for call in self.calls:
            if _NOISE.match(_snake(call.name)):
                yield call.at
            elif _RANDOM.match(call.name):
                near = "".join(self._text(index) for index in range(call.at - 5, call.last + 5))
                if re.search(r"\*2-1|2\*(Math\.)?\w+\(\w*\)-1|-0?\.5", near):
                    yield call.at

    def _is_repeated(self, index: int) -> bool:
        """Whether a token is in a loop that is not over samples, or in a function called in one or three times."""
        if any(loop.holds(index) and not loop.is_samples for loop in self.loops):
            return True
        for function in self.functions:
            if function.name and function.holds(index):
                called = [call.at for call in self.calls if call.name == function.name and not function.holds(call.at)]
                looped = any(loop.holds(at) and not loop.is_samples for loop in self.loops for at in called)
                if looped or len([at for at in called if self._text(at - 1) != "function"]) >= 3:
                    return True
        return False

    def _line(self, index: int) -> int:
        return self.tokens[index].line

    def _named(self, fits: Callable[[str], object]) -> list[int]:
        return [token.line for token in self.tokens if token.kind == "word" and fits(_snake(token.text))]

    def techniques(self) -> dict[str, list[int]]:
        """The lines that show each technique."""
        found: dict[str, list[int]] = defaultdict(list)
        many = [sine for sine in self.sines if self._is_repeated(sine.at)]
        found["additive"] = [self._line(sine.at) for sine in (many or (self.sines if len(self.sines) >= 3 else []))]
        rings = [sine.at for sine in self.sines if self._rings(sine)]
        if any(self._is_repeated(at) for at in rings) or len(rings) >= 3:
            found["modal"] = [self._line(at) for at in rings]
        found["modal"] += [
            self._line(function.at)
            for function in self.functions
            if _RING.search(_snake(function.name)) and "exp" in words(self.tokens[function.first : function.last])
        ]
        found["fm"] = [self._line(sine.at) for sine in self.sines if self._is_modulated(sine)]
        filters = self._filters()
        if self.has_noise:
            found["noise shaping"] = filters
        if filters:
            found["subtractive"] = self._pulses()
        found["wavetable"] = [
            token.line
            for index, token in enumerate(self.tokens)
            if token.kind == "word"
            and _TABLE.search(_snake(token.text))
            and self._text(index + 1) == "["
            and {"%", "&"} & {part.text for part in self.tokens[index + 1 : self.pairs.get(index + 1, index)]}
        ]
        found["karplus-strong"] = self._named(lambda word: "karplus" in word)
        if not found["karplus-strong"] and self.has_noise:
            found["karplus-strong"] = list(self._plucks())
        found["granular"] = self._named(lambda word: word.startswith("grains") or "granular" in word)
        found["granular"] += [self._line(call.at) for call in self.calls if re.match("(add_)?grain", _snake(call.name))]
        found["formant"] = self._named(lambda word: "formant" in word)
        named = {token.text.lower() for token in self.tokens if token.kind == "word"}
        if not found["formant"] and {"f1", "f2"} <= named:
            found["formant"] = self._named(lambda word: word in ("f1", "f2"))
        return found

    def _rings(self, sine: _Call) -> bool:
        """Whether a tone dies away: an exponential in its statement, or a factor that shrinks in its loop."""
        span = self.of_token.get(sine.at, (sine.at, sine.last))
        part = self._part(span)
        if any(a.text == "exp" and c.text == "-" for a, c in zip(part, part[2:], strict=False)):
            return True
        loops = [loop for loop in self.loops if loop.holds(sine.at)]
        if not loops:
            return False
        loop = max(loops, key=lambda one: one.first)
        if not loop.is_samples:
            return False
        body = self.tokens[loop.first : loop.last]
        shrinks = {a.text for a, b, c in zip(body, body[1:], body[2:], strict=False) if b.text == "*" and c.text == "="}
        return bool(shrinks & words(part))

    def _is_modulated(self, sine: _Call) -> bool:
        """Whether a sine's argument holds another one, or a variable that one was put in."""
        if any(sine.first <= other.at <= sine.last for other in self.sines if other is not sine):
            return True
        argument = words(self.tokens[sine.first : sine.last])
        return any(name in argument for at, name in self.put.items() if at != sine.at)

    def _filters(self) -> list[int]:
        """The lines of filters: calls of what is named one, two-pole recursions, and one-pole recursions on noise."""
        lines = [self._line(call.at) for call in self.calls if _FILTER.search(_snake(call.name))]
        for span in self.statements:
            part = self._part(span)
            text = [token.text for token in part]
            target = self._target(span)
            if "+" in text and "=" in text and target and text[text.index("=") - 1] == "+":
                value = text[text.index("=") + 1 :]
                is_control = _SLOW.search(_snake(target))
                if "-" in value and target in value and not is_control and any(map(_is_noise, value)):
                    lines.append(part[0].line)
            if {"y1", "y2"} <= set(text) and "y0" not in text and "=" in text and "*" in text:
                lines.append(part[0].line)
        return lines

    def _pulses(self) -> list[int]:
        """The lines of saws and pulses: `% 1`, a phase less its whole part, the sign of a sine, or by name."""
        lines = self._named(lambda word: _PULSE.search(word))
        for index, token in enumerate(self.tokens):
            span = self.of_token.get(index, (index, index + 1))
            if self._words(span) & {"sin", "cos", "TAU", "TWO_PI", "PI"} and "sign" not in self._words(span):
                continue  # the angle of a sine
            after = [self._text(index + step) for step in (1, 2, 3, 4)]
            if (token.text == "%" and after[0] == "1" and after[1] != ".") or (
                token.text == "-"
                and after[:3] == ["Math", ".", "floor"]
                and self._text(index - 1) in [*after, "phase", "ph"]
            ):
                lines.append(token.line)
            if token.text == "-" and after[:2] == ["=", "1"] and re.match("ph|phase", self._text(index - 1)):
                lines.append(token.line)
            if token.text == "sign" and "sin" in [*after, self._text(index + 5)]:
                lines.append(token.line)
        return lines

    def _plucks(self) -> Iterator[int]:
        """Statements that set an element to the mean of two elements of the same array."""
        for span in self.statements:
            text = [token.text for token in self._part(span)]
            if "=" not in text or "]" not in text[: text.index("=")]:
                continue
            value = text[text.index("=") + 1 :]
            name = self._target(span)
            reads = [i for i in range(len(value) - 1) if value[i] == name and value[i + 1] == "["]
            if len(reads) >= 2 and {"0.5", "2", ".5"} & set(value) | ({"0.498", "0.499", "0.496"} & set(value)):
                yield self._line(span[0])

    def frequencies(self) -> Iterator[Hertz]:
        """Constants in sines and in calls of filters, or set to names for frequencies."""
        for call in self.calls:
            if call.name in ("sin", "cos") or _FILTER.search(_snake(call.name)):
                yield from frequencies(self.tokens[call.first : call.last])
        for index, token in enumerate(self.tokens):
            is_set = self._text(index + 1) in ("=", ":") and self._text(index + 2) not in ("=", ">")
            if token.kind == "word" and is_set and _HZ.search(_snake(token.text).lower()):
                end = self.of_token.get(index, (index, index + 1))[1]
                value = self.tokens[index + 2 : end]
                if self._text(index + 2) in ("[", "(") and index + 2 in self.pairs:
                    value = self.tokens[index + 2 : self.pairs[index + 2]]
                elif self._text(index + 1) == ":" or "," in {part.text for part in value}:
                    value = split(value)[0]
                yield from frequencies(self._outside_powers(value))

    def _outside_powers(self, value: list[Token]) -> list[Token]:
        """Tokens without those of exponents: 69 in `2 ** ((midi - 69) / 12)`."""
        pairs, kept, skip = closing(value), [], 0
        for index, token in enumerate(value):
            if index < skip:
                continue
            kept.append(token)
            follows = [part.text for part in value[index + 1 : index + 3]]
            if token.text == "pow" and follows[:1] == ["("]:
                skip = pairs.get(index + 1, index)
            elif token.text == "*" and follows == ["*", "("]:
                skip = pairs.get(index + 2, index)
        return kept

    def imports(self) -> Iterator[str]:
        """The names of required or imported modules."""
        for index, token in enumerate(self.tokens[:-2]):
            if token.text == "require" and self.tokens[index + 2].kind == "string":
                yield self.tokens[index + 2].text.removeprefix("node:")
            if token.text == "from" and self.tokens[index + 1].kind == "string":
                yield self.tokens[index + 1].text.removeprefix("node:")


def _is_noise(word: str) -> bool:
    return _NOISE.match(_snake(word)) is not None or _RANDOM.match(word) is not None


_DECLARES = {"let", "const", "var"}
_CIRCLE = {
    "TAU",
    "TWO_PI",
    "TWOPI",
    "PI",
    "PI2",
    "Math",
    "SR",
    "RATE",
    "FS",
    "SAMPLE_RATE",
    "sampleRate",
    "sr",
    "fs",
    "t",
}


def _snake(name: str) -> str:
    """A name in lower case, its words apart: `baseFreq` is base_freq."""
    return _SNAKE.sub("_", name).lower()
