"""The guard for Faust: sound files, foreign functions, and libraries other than the standard ones."""

from __future__ import annotations

from collections.abc import Iterator

from innerear.programs.tokens import tokens

STANDARD = frozenset(
    f"{name}.lib"
    for name in (
        "aanl", "all", "analyzers", "basics", "compressors", "debug", "delays", "demos", "dx7", "effect", "envelopes",
        "fds", "filter", "filters", "hoa", "instruments", "instrument", "interpolators", "linearalgebra", "math",
        "maths", "maxmsp", "mi", "misceffects", "motion", "music", "noises", "oscillator", "oscillators",
        "phaflangers", "physmodels", "platform", "quantizers", "reducemaps", "reverbs", "routes", "sf", "signal",
        "signals", "spats", "stdfaust", "synths", "tonestacks", "tubes", "vaeffects", "version", "wdmodels",
        "webaudio",
    )
)  # fmt: skip
"""The libraries that come with Faust, without that for sound files."""
_FOREIGN = {"ffunction", "fconstant", "fvariable"}


def violations(code: str) -> Iterator[tuple[int, str]]:
    """Yield the line and kind of each violation."""
    found = tokens(code, "faust")
    for at, token in enumerate(found):
        if token.kind != "word":
            continue
        following = [one.text for one in found[at + 1 : at + 3]]
        if token.text == "soundfile" and following[:1] == ["("]:
            yield token.line, "a file is read"
        elif token.text in _FOREIGN and following[:1] == ["("]:
            yield token.line, "foreign code"
        elif (
            token.text in ("import", "library", "component")
            and following[:1] == ["("]
            and (len(following) < 2 or following[1] not in STANDARD)
        ):
            yield token.line, "a file is read"
