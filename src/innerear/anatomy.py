"""How is a program built? Read from its syntax tree; nothing is run, names of variables are hints only.

Techniques are not exclusive: a program that filters noise and adds sines has both. A technique is
named where its mark is there, so a rate of techniques is a rate of marks.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

import msgspec

TECHNIQUES = (
    "additive", "subtractive", "fm", "wavetable", "karplus-strong", "granular", "modal", "noise shaping", "formant"
)  # fmt: skip
LOWEST_HZ, HIGHEST_HZ = 20.0, 20_000.0
_RATES_HZ = {8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000}
_SINES = {"sin", "cos"}
_SHAPES = {"sawtooth", "square"}
_NOISES = {"standard_normal", "normal", "randn", "rand", "uniform", "random", "random_sample"}
_FILTERS = {"lfilter", "sosfilt", "filtfilt", "sosfiltfilt", "fftconvolve", "convolve", "gaussian_filter1d"}
_DESIGNS = re.compile(r"butter|iir|cheby|ellip|bessel|reson|band_?pass|low_?pass|high_?pass|formant|\bfir")
_WINDOWS = {"hann", "hanning", "hamming", "get_window", "tukey", "blackman"}
_HZ = re.compile(r"(^|_)(hz|f\d?|freqs?|frequency|frequencies|cutoff|fc|f0s?|pitch|formants?|modes?|partials)(_|$|\d)")
_TABLE = re.compile(r"table|(^|_)lut($|_)|wavetable")


class Anatomy(msgspec.Struct, frozen=True):
    """One program: what it is made of.

    `lines` holds those with code; `sample_loops` the loops that set one sample at a time;
    `frequencies` the written constants that are frequencies, in hertz, rising.
    """

    techniques: list[str]
    lines: int
    sample_loops: int
    frequencies: list[float]
    imports: list[str]


def anatomy(code: str) -> Anatomy | None:
    """What a program is made of; `None` for what is no Python.

    >>> found = anatomy("import numpy as np\\nx = np.sin(2 * np.pi * 440 * t + 3 * np.sin(2 * np.pi * 880 * t))\\n")
    >>> found.techniques, found.frequencies, found.imports
    (['fm'], [440.0, 880.0], ['numpy'])
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(code)
            marks = _Marks(tree)
            found = [name for name in TECHNIQUES if getattr(marks, name.replace(" ", "_").replace("-", "_"))()]
            return Anatomy(
                techniques=found,
                lines=sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in code.splitlines()),
                sample_loops=sum(1 for _ in marks.sample_loops()),
                frequencies=sorted(set(marks.frequencies())),
                imports=sorted(set(marks.imports())),
            )
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _name(node: ast.AST) -> str:
    """The last word of a name: `sin` of `np.sin`."""
    match node:
        case ast.Name(name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.FunctionDef(name=name):
            return name
        case ast.Call(func=function):
            return _name(function)
        case ast.Subscript(value=value):
            return _name(value)
        case _:
            return ""


def _has(node: ast.AST, names: set[str]) -> bool:
    return any(isinstance(part, ast.Call) and _name(part) in names for part in ast.walk(node))


def _numbers(node: ast.AST) -> Iterator[float]:
    for part in ast.walk(node):
        match part:
            case ast.Constant(int(value) | float(value)) if not isinstance(value, bool):
                yield float(value)
            case _:
                pass


class _Marks:
    """What there is in one program that tells a technique."""

    def __init__(self, tree: ast.Module) -> None:
        self.nodes = list(ast.walk(tree))
        self.calls = [node for node in self.nodes if isinstance(node, ast.Call)]
        self.called = {_name(call) for call in self.calls}
        self.words = {_name(node).lower() for node in self.nodes} - {""}
        self.sines = [call for call in self.calls if _name(call) in _SINES]
        self.loops = [node for node in self.nodes if isinstance(node, ast.For | ast.While)]
        repeats = (ast.GeneratorExp, ast.ListComp)
        self.repeated = [*self.loops, *(node for node in self.nodes if isinstance(node, repeats))]

    def additive(self) -> bool:
        """Sines in a loop, or three written out."""
        inside = any(_has(node, _SINES) for node in self.repeated)
        return inside or len([call for call in self.sines if not _slow(call)]) >= 3

    def subtractive(self) -> bool:
        """A sawtooth, a square or a pulse, and a filter."""
        pulses = any(
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Mod)
            and isinstance(node.right, ast.Constant)
            and node.right.value in (1, 1.0)
            for node in self.nodes
        )
        signs = any(_name(call) == "sign" and _has(call, _SINES) for call in self.calls)
        return bool(self.called & _FILTERS) and (bool(self.called & _SHAPES) or pulses or signs)

    def fm(self) -> bool:
        """A sine within the argument of a sine, unless it is as slow as a vibrato."""
        return any(
            _has(argument, _SINES) and not all(_slow(call) for call in _sines_in(argument))
            for sine in self.sines
            for argument in sine.args
        )

    def wavetable(self) -> bool:
        """A table that a phase looks up."""
        return any(
            isinstance(node, ast.Subscript)
            and _TABLE.search(_name(node).lower())
            and any(isinstance(part, ast.Mod) for part in ast.walk(node.slice))
            for node in self.nodes
        ) or any(_name(call) == "interp" and _TABLE.search(ast.unparse(call).lower()) for call in self.calls)

    def karplus_strong(self) -> bool:
        """A loop over samples that takes its own past from a period ago, begun with noise."""
        if any("karplus" in word for word in self.words):
            return True
        if not self.called & _NOISES:
            return False
        return any(
            isinstance(store, ast.Subscript) and _reaches_back(store, value)
            for loop in self.sample_loops()
            for store, value in _stores(loop)
        )

    def granular(self) -> bool:
        """Grains by name, or a loop that adds windowed pieces at random places."""
        if any(word.startswith("grain") or "granular" in word for word in self.words):
            return True
        return any(_has(loop, _WINDOWS) and _has(loop, _NOISES | {"integers"}) and _adds(loop) for loop in self.loops)

    def modal(self) -> bool:
        """Sines that each die away, in a loop or several written out."""
        rings = [
            node
            for node in self.nodes
            if isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Mult)
            and _has(node, {"exp"})
            and _has(node, _SINES)
        ]
        return bool(rings) and (len(rings) >= 3 or any(_has(n, {"exp"}) and _has(n, _SINES) for n in self.repeated))

    def noise_shaping(self) -> bool:
        """Noise, and a filter or a shape of its spectrum."""
        return bool(self.called & _NOISES) and bool(self.called & (_FILTERS | {"irfft", "ifft"}))

    def formant(self) -> bool:
        """Formants by name, or F1 and F2."""
        return any("formant" in word for word in self.words) or {"f1", "f2"} <= self.words

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

    def frequencies(self) -> Iterator[float]:
        """Constants in a sine's argument, in the arguments of a filter's design, or under a name for frequencies."""
        for node in self.nodes:
            given: list[ast.expr] = []
            match node:
                case ast.Call() if _name(node) in _SINES | _SHAPES or _DESIGNS.search(_name(node).lower()):
                    given = node.args
                case ast.Assign(targets=[target], value=value) if _HZ.search(_name(target).lower()):
                    given = [value]
                case ast.keyword(arg=str(word), value=value) if _HZ.search(word.lower()):
                    given = [value]
                case _:
                    pass
            for part in given:
                yield from (hz for hz in _numbers(part) if _is_hz(hz))

    def imports(self) -> Iterator[str]:
        """The modules by their first word."""
        for node in self.nodes:
            match node:
                case ast.Import(names):
                    yield from (name.name.partition(".")[0] for name in names)
                case ast.ImportFrom(module=str(module)):
                    yield module.partition(".")[0]
                case _:
                    pass


def _is_hz(number: float) -> bool:
    return LOWEST_HZ <= number <= HIGHEST_HZ and number not in _RATES_HZ


def _sines_in(node: ast.AST) -> list[ast.Call]:
    return [part for part in ast.walk(node) if isinstance(part, ast.Call) and _name(part) in _SINES]


def _slow(sine: ast.Call) -> bool:
    """A sine of a written frequency below 20 Hz: a vibrato, a tremolo."""
    numbers = [n for argument in sine.args for n in _numbers(argument) if n not in (0.0, 1.0, 2.0)]
    return bool(numbers) and max(numbers) < LOWEST_HZ


def _stores(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    for part in ast.walk(node):
        if isinstance(part, ast.Assign):
            yield from ((target, part.value) for target in part.targets)
        elif isinstance(part, ast.AugAssign):
            yield part.target, part.value


def _adds(loop: ast.AST) -> bool:
    return any(
        isinstance(node, ast.AugAssign)
        and isinstance(node.target, ast.Subscript)
        and isinstance(node.target.slice, ast.Slice)
        for node in ast.walk(loop)
    )


def _uses(node: ast.AST, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node))


def _reaches_back(store: ast.Subscript, value: ast.expr) -> bool:
    """y[n] from y[n - period], where the period is no written number."""
    return any(
        isinstance(part, ast.Subscript)
        and _name(part) == _name(store)
        and isinstance(part.slice, ast.BinOp)
        and isinstance(part.slice.op, ast.Sub | ast.Mod)
        and not isinstance(part.slice.right, ast.Constant)
        for part in ast.walk(value)
    )
