"""How a program is built, from its syntax tree: synthesis techniques, loops over samples, frequencies, imports.

Nothing is run, and variable names are only hints. Techniques are not exclusive: a program that filters noise and adds
sines has both. A technique counts if its mark is in the code, so a rate of techniques is a rate of marks.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

import msgspec

from innerear.languages import Language
from innerear.programs.syntax import walk, walk_with_parents

TECHNIQUES = (
    "additive", "subtractive", "fm", "wavetable", "karplus-strong", "granular", "modal", "noise shaping", "formant"
)  # fmt: skip
LOWEST_HZ, HIGHEST_HZ = 20.0, 20_000.0
RATES_HZ = {8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000}
_SINES = {"sin", "cos"}
_SHAPES = {"sawtooth", "square"}
_NOISES = {"standard_normal", "normal", "randn", "rand", "uniform", "random", "random_sample"}
_FILTERS = {"lfilter", "sosfilt", "filtfilt", "sosfiltfilt", "fftconvolve", "convolve", "gaussian_filter1d"}
_DESIGNS = re.compile(r"butter|iir|cheby|ellip|bessel|reson|band_?pass|low_?pass|high_?pass|formant|\bfir")
_WINDOWS = {"hann", "hanning", "hamming", "get_window", "tukey", "blackman"}
_HZ = re.compile(r"(^|_)(hz|f\d?|freqs?|frequency|frequencies|cutoff|fc|f0s?|pitch|formants?|modes?|partials)(_|$|\d)")
_TABLE = re.compile(r"table|(^|_)lut($|_)|wavetable")
_NAMED = {ast.Name, ast.Attribute, ast.arg, ast.FunctionDef, ast.Call, ast.Subscript}
_SINE, _EXP, _WINDOW, _RANDOM = 1, 2, 4, 8
_CALLS = {
    **dict.fromkeys(_SINES, _SINE), "exp": _EXP,
    **dict.fromkeys(_WINDOWS, _WINDOW), **dict.fromkeys((*_NOISES, "integers"), _RANDOM),
}  # fmt: skip
"""The groups of functions that are looked for inside other nodes, a bit each."""


class Anatomy(msgspec.Struct, frozen=True):
    """What one program is made of.

    `lines` counts lines with code, `sample_loops` the loops that set one sample at a time; `frequencies` are the
    constants that are frequencies, in hertz, ascending.
    """

    techniques: list[str]
    lines: int
    sample_loops: int
    frequencies: list[float]
    imports: list[str]


class Mark(msgspec.Struct, frozen=True):
    """A line of a program, counted from 1, and the part of its anatomy on it."""

    line: int
    what: str


def anatomy(code: str, language: Language = "python") -> Anatomy | None:
    """What a program is made of; `None` if it cannot be read as its language.

    >>> fm = anatomy("import numpy as np\\nx = np.sin(2 * np.pi * 440 * t + 3 * np.sin(2 * np.pi * 880 * t))\\n")
    >>> fm.techniques, fm.frequencies, fm.imports
    (['fm'], [440.0, 880.0], ['numpy'])
    """
    read = dissected(code, language)
    return read[0] if read else None


def dissected(code: str, language: Language = "python") -> tuple[Anatomy, list[Mark]] | None:
    """The anatomy of a program and the lines of its parts; `None` if it cannot be read as its language.

    >>> [(mark.line, mark.what) for mark in dissected("x = np.sin(440 * t + 3 * np.sin(880 * t))")[1]]
    [(1, 'fm'), (1, '440 Hz'), (1, '880 Hz')]
    """
    if language != "python":
        found: tuple[Anatomy, list[Mark]] | None
        found = import_module(f"innerear.programs.anatomy_{language}").dissected(code)
        return found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            marks = _Marks(ast.parse(code))
            techniques = {name: marks.of(name) for name in TECHNIQUES}
            loops, hertz = list(marks.sample_loops()), list(marks.frequencies())
            whole = Anatomy(
                techniques=[name for name, nodes in techniques.items() if nodes],
                lines=sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in code.splitlines()),
                sample_loops=len(loops),
                frequencies=sorted({hz for _, hz in hertz}),
                imports=sorted(set(marks.imports())),
            )
            parts = [(node, name) for name, nodes in techniques.items() for node in nodes]
            parts += [(loop, "loop over samples") for loop in loops]
            parts += [(node, f"{hz:g} Hz") for node, hz in hertz]
            unique = {(line, what): Mark(line, what) for node, what in parts if (line := getattr(node, "lineno", 0))}
            return whole, sorted(unique.values(), key=lambda mark: mark.line)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _name(node: ast.AST) -> str:
    """The last part of a name: `sin` of `np.sin`."""
    match node:
        case ast.Name(name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.FunctionDef(name=name):
            return name
        case ast.Call(func=function):
            return _name(function)
        case ast.Subscript(value=value):
            return _name(value)
        case _:
            return ""


def _numbers(node: ast.AST) -> Iterator[float]:
    return (value for _, value in _constants(node))


def _constants(node: ast.AST) -> Iterator[tuple[ast.Constant, float]]:
    for part in walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, int | float) and not isinstance(part.value, bool):
            yield part, float(part.value)


class _Marks:
    """The marks of techniques in one program: each technique's method returns the nodes that show it.

    The tree is walked once; what is called inside each node is collected from the leaves up.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.nodes, parents = walk_with_parents(tree)
        self.by_type: dict[type[ast.AST], list[Any]] = {}
        self.by_word: dict[str, list[ast.AST]] = {}
        self._names: dict[ast.AST, str] = {}
        calls = dict.fromkeys(self.nodes, 0)
        for node in self.nodes:
            kind = type(node)
            self.by_type.setdefault(kind, []).append(node)
            if kind in _NAMED and (name := _name(node)):
                self._names[node] = name
                self.by_word.setdefault(name.lower(), []).append(node)
                if kind is ast.Call:
                    calls[node] = _CALLS.get(name, 0)
        for node, parent in zip(reversed(self.nodes), reversed(parents), strict=True):
            calls[parent] |= calls[node]
        self._calls = calls
        self.calls: list[ast.Call] = self.by_type.get(ast.Call, [])
        self.called = {self._names.get(call, "") for call in self.calls}
        self.sines = self.calls_of(_SINES)
        self.loops: list[ast.For | ast.While] = self.of_types(ast.For, ast.While)
        self.repeated = [*self.loops, *self.of_types(ast.GeneratorExp, ast.ListComp)]

    def of(self, technique: str) -> list[ast.AST]:
        """The nodes that show a technique; empty if the program does not use it."""
        nodes: list[ast.AST] = list(getattr(self, technique.replace(" ", "_").replace("-", "_"))())
        return nodes

    def of_types(self, *types: type[ast.AST]) -> list[Any]:
        """The nodes of these types, in the tree's order."""
        if sum(kind in self.by_type for kind in types) < 2:
            return [node for kind in types for node in self.by_type.get(kind, [])]
        return [node for node in self.nodes if type(node) in types]

    def has(self, node: ast.AST, *calls: int) -> bool:
        """Whether a node contains a call of each of these groups of functions."""
        return all(self._calls[node] & group for group in calls)

    def named(self, fits: Callable[[str], object]) -> list[ast.AST]:
        """The nodes whose lower-case name satisfies `fits`."""
        return [node for word, nodes in self.by_word.items() if fits(word) for node in nodes]

    def calls_of(self, names: set[str]) -> list[ast.Call]:
        """The calls of any of these names."""
        return [call for call in self.calls if self._names.get(call) in names] if names else []

    def additive(self) -> Sequence[ast.AST]:
        """Sines in a loop or comprehension, or at least three written out."""
        written_out = [call for call in self.sines if not _slow(call)]
        looped = [node for node in self.repeated if self.has(node, _SINE)]
        return looped or (written_out if len(written_out) >= 3 else [])

    def subtractive(self) -> Sequence[ast.AST]:
        """A sawtooth, square or pulse wave, and a filter."""
        if not self.called & _FILTERS:
            return []
        pulses = [
            node
            for node in self.of_types(ast.BinOp)
            if isinstance(node.op, ast.Mod) and isinstance(node.right, ast.Constant) and node.right.value in (1, 1.0)
        ]
        signs = [call for call in self.calls_of({"sign"}) if self.has(call, _SINE)]
        return [*self.calls_of(_SHAPES), *pulses, *signs]

    def fm(self) -> Sequence[ast.AST]:
        """A sine in the argument of a sine, unless it is as slow as a vibrato."""
        return [
            sine
            for sine in self.sines
            for argument in sine.args
            if self.has(argument, _SINE) and not all(_slow(call) for call in _sines_in(argument))
        ]

    def wavetable(self) -> Sequence[ast.AST]:
        """A table indexed by a phase."""
        looked_up = [
            node
            for node in self.of_types(ast.Subscript)
            if _TABLE.search(self._names.get(node, "").lower())
            and any(
                isinstance(part, ast.BinOp | ast.AugAssign) and isinstance(part.op, ast.Mod)
                for part in walk(node.slice)
            )
        ]
        return looked_up or [call for call in self.calls_of({"interp"}) if _TABLE.search(ast.unparse(call).lower())]

    def karplus_strong(self) -> Sequence[ast.AST]:
        """A loop over samples that feeds back its output from one period ago, excited by noise."""
        by_name = self.named(lambda word: "karplus" in word)
        if by_name or not self.called & _NOISES:
            return by_name
        return [
            store
            for loop in self.sample_loops()
            for store, value in _stores(loop)
            if isinstance(store, ast.Subscript) and _reaches_back(store, value)
        ]

    def granular(self) -> Sequence[ast.AST]:
        """Grains by name, or a loop that adds windowed segments at random positions."""
        by_name = self.named(lambda word: word.startswith("grain") or "granular" in word)
        return by_name or [loop for loop in self.loops if self.has(loop, _WINDOW, _RANDOM) and _adds(loop)]

    def modal(self) -> Sequence[ast.AST]:
        """Sines with exponential decay, in a loop or at least three written out."""
        products = [node for node in self.of_types(ast.BinOp) if isinstance(node.op, ast.Mult)]
        rings = [node for node in products if self.has(node, _EXP, _SINE)]
        looped = any(self.has(node, _EXP, _SINE) for node in self.repeated)
        return rings if looped or len(rings) >= 3 else []

    def noise_shaping(self) -> Sequence[ast.AST]:
        """Noise, and a filter or an inverse FFT."""
        shapes = self.calls_of(_FILTERS | {"irfft", "ifft"})
        return shapes if self.called & _NOISES else []

    def formant(self) -> Sequence[ast.AST]:
        """Formants by name, or F1 and F2."""
        by_name = self.named(lambda word: "formant" in word)
        return by_name or (self.named(lambda word: word in ("f1", "f2")) if {"f1", "f2"} <= self.by_word.keys() else [])

    def sample_loops(self) -> Iterator[ast.For]:
        """Loops over a range that set an element at the loop's own index."""
        for loop in self.loops:
            if not (isinstance(loop, ast.For) and isinstance(loop.target, ast.Name) and _name(loop.iter) == "range"):
                continue
            index, bound = loop.target.id, loop.iter
            written_out = isinstance(bound, ast.Call) and all(isinstance(a, ast.Constant) for a in bound.args)
            few = written_out and max(_numbers(bound), default=0.0) <= 1000
            stores = [s for s, _ in _stores(loop) if isinstance(s, ast.Subscript) and _uses(s.slice, index)]
            if not few and any(not isinstance(s.slice, ast.Slice) for s in stores):
                yield loop

    def frequencies(self) -> Iterator[tuple[ast.AST, float]]:
        """Constants in the arguments of sines and filter designs, or assigned to names for frequencies."""
        powers = [node.right for node in self.of_types(ast.BinOp) if isinstance(node.op, ast.Pow)]
        exponents = {id(part) for power in powers for part in walk(power)}  # 1200 in 2 ** (cents / 1200)
        making = {name for name in self.called if name in _SINES | _SHAPES or _DESIGNS.search(name.lower())}
        for node in self.of_types(ast.Call, ast.Assign, ast.keyword):
            values: list[ast.expr] = []
            match node:
                case ast.Call() if self._names.get(node) in making:
                    values = node.args
                case ast.Assign(targets=[target], value=value) if _HZ.search(_name(target).lower()):
                    values = [value]
                case ast.keyword(arg=str(word), value=value) if _HZ.search(word.lower()):
                    values = [value]
                case _:
                    pass
            for part in values:
                yield from ((node, hz) for node, hz in _constants(part) if _is_hz(hz) and id(node) not in exponents)

    def imports(self) -> Iterator[str]:
        """The top-level names of imported modules."""
        for node in self.of_types(ast.Import, ast.ImportFrom):
            match node:
                case ast.Import(names):
                    yield from (name.name.partition(".")[0] for name in names)
                case ast.ImportFrom(module=str(module)):
                    yield module.partition(".")[0]
                case _:
                    pass


def _is_hz(number: float) -> bool:
    return LOWEST_HZ <= number <= HIGHEST_HZ and number not in RATES_HZ


def _sines_in(node: ast.AST) -> list[ast.Call]:
    return [part for part in walk(node) if isinstance(part, ast.Call) and _name(part) in _SINES]


def _slow(sine: ast.Call) -> bool:
    """Whether a sine's largest constant is below 20 Hz, as for a vibrato or tremolo."""
    numbers = [n for argument in sine.args for n in _numbers(argument) if n not in (0.0, 1.0, 2.0)]
    return bool(numbers) and max(numbers) < LOWEST_HZ


def _stores(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    for part in walk(node):
        if isinstance(part, ast.Assign):
            yield from ((target, part.value) for target in part.targets)
        elif isinstance(part, ast.AugAssign):
            yield part.target, part.value


def _adds(loop: ast.AST) -> bool:
    return any(
        isinstance(node, ast.AugAssign)
        and isinstance(node.target, ast.Subscript)
        and isinstance(node.target.slice, ast.Slice)
        for node in walk(loop)
    )


def _uses(node: ast.AST, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in walk(node))


def _reaches_back(store: ast.Subscript, value: ast.expr) -> bool:
    """Whether y[n] is computed from y[n - period], with a period that is not a constant."""
    return any(
        isinstance(part, ast.Subscript)
        and _name(part) == _name(store)
        and isinstance(part.slice, ast.BinOp)
        and isinstance(part.slice.op, ast.Sub | ast.Mod)
        and not isinstance(part.slice.right, ast.Constant)
        for part in walk(value)
    )
