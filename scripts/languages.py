"""The page on reference programs in several languages, and its picture: `python scripts/languages.py`.

Runs the reference programs of the probes that every language has, in the jail, and writes
docs/languages-by-example.md and docs/report/languages.svg. `ruff format docs` then sets the Python on the page.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from xml.sax.saxutils import escape

from innerear.lab.reference_programs import sounds
from innerear.languages import LANGUAGES, Language
from innerear.metrics.base import Sound
from innerear.metrics.measure import measure
from innerear.metrics.registry import metric_of
from innerear.programs.anatomy import anatomy
from innerear.programs.bank import Reference, bank
from innerear.records import Probe
from innerear.report.pictures import png, spectrogram

PAGE, PICTURE = Path("docs/languages-by-example.md"), Path("docs/report/languages.svg")
EXAMPLE = "notes/partials/church-bell"
PICTURED = (EXAMPLE, "environment/urban/siren", "speech/syllable/sa")
WIDTH, HEIGHT, LEFT, TOP, ROW = 240, 120, 10, 50, 160
STYLE = """
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;fill:#1d1b18}
.paper{fill:#fdfcfa}.pale{fill:#6b665d;font-size:11px}
@media(prefers-color-scheme:dark){text{fill:#e8e5df}.paper{fill:#16161a}.pale{fill:#a09a8f}}
"""
Made = dict[tuple[str, Language], tuple[Reference, Sound]]

TEXT = """\
# One probe, four languages

The same sound can be asked for in [four languages](languages.md). {count} probes of all three tiers have a reference
program in each of them. These programs prove that passing is possible in that language, show what that looks like
when it is written by hand, and are the examples that `few-shot` sends.

```sh
innerear probes verify --language csound --language faust --language javascript
```

## Side by side

![Spectrograms of three probes in four languages](report/languages.svg)

From left to right Python, Csound, Faust and JavaScript. The sounds are not copies of each other: each is made with what
its language has.

## A church bell

The probe `{example}` asks for {caption}.
Its check is that the partials are in the ratios of a tuned bell: hum, prime, tierce, quint and nominal.

| | {titles} |
|---|{rules}|
{scores}

{programs}

Python computes whole arrays at once. Csound defines a partial once, as an instrument, and its score plays it seven
times at the same moment. Faust strikes seven resonators with one impulse. JavaScript has no library: every sample is
a sum in a loop, and the program writes the header of the file itself.

## The same probes in each language

Every check of each program, in bold what fails. Errors in cents, deviations or dB are best at 0, shares and F-measures
at 100 %. Log odds (of `label` and `instrument`) and distance (of `transcript`) have a threshold for each class or set
of texts.

| probe | check | {titles} |
|---|---|{rules}|
{table}

{lines}
"""


def main() -> int:
    """Write the page and the picture."""
    ids = set.intersection(*({one.probe.id for one in bank(language)} for language in LANGUAGES))
    chosen = [one for language in LANGUAGES for one in bank(language) if one.probe.id in ids]
    made: Made = {(one.probe.id, one.language): (one, sound) for one, sound in sounds(chosen)}
    probes = [one.probe for one in bank() if one.probe.id in ids]
    example = next(probe for probe in probes if probe.id == EXAMPLE)
    by_id = {probe.id: probe for probe in probes}
    PAGE.write_text(
        TEXT.format(
            count=len(probes),
            titles=" | ".join(spec.title for spec in LANGUAGES.values()),
            rules="|".join("---" for _ in LANGUAGES),
            pictured=", ".join(by_id[name].caption for name in PICTURED),
            example=EXAMPLE,
            caption=example.caption,
            scores="\n".join(_scores(example, made)),
            programs="\n".join(_program(made[EXAMPLE, language][0]) for language in LANGUAGES),
            table="\n".join(line for probe in probes for line in _checks(probe, made)),
            lines=_lines(probes, made),
        ),
        encoding="utf-8",
    )
    PICTURE.write_text(_picture(made, by_id), encoding="utf-8")
    sys.stdout.write(f"{PAGE}, {PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB\n")
    return 0


def _values(probe: Probe, sound: Sound) -> dict[int, str]:
    """The value of each check in words, by its index."""
    said = {}
    for row in measure(probe.id, sound):
        if row.check is None:
            continue
        metric = metric_of(probe.expect[row.check])
        if row.value is None:
            value = "right" if row.passed else "wrong"
        elif metric.unit.startswith(("share", "F")):
            value = f"{100 * row.value:.0f} %"
        else:
            value = f"{row.value:.3g} {metric.unit.rpartition(', ')[2]}"
        said[row.check] = value if row.passed else f"**{value}: {row.reason or 'fails'}**"
    return said


def _checks(probe: Probe, made: Made) -> list[str]:
    """The rows of a probe in the table, one per check."""
    found = [_values(probe, made[probe.id, language][1]) for language in LANGUAGES]
    return [
        f"| `{probe.id}` | {metric_of(check).label or metric_of(check).name} | "
        + " | ".join(values[index] for values in found)
        + " |"
        for index, check in enumerate(probe.expect)
    ]


def _scores(probe: Probe, made: Made) -> list[str]:
    """What is said of the example in each language: checks, length, lines and techniques."""
    built = [anatomy(made[probe.id, language][0].code, language) for language in LANGUAGES]
    rows = [line.split(" | ", 1)[1].removesuffix(" |") for line in _checks(probe, made)]
    length = " | ".join(f"{made[probe.id, language][1].render.duration_s or 0:.2f} s" for language in LANGUAGES)
    lines = " | ".join(str(one.lines if one else 0) for one in built)
    techniques = " | ".join(", ".join(one.techniques if one else []) for one in built)
    return [f"| {row} |" for row in (*rows, f"length | {length}", f"lines | {lines}", f"techniques | {techniques}")]


def _program(one: Reference) -> str:
    spec = LANGUAGES[one.language]
    return f"*{spec.title}*\n\n```{spec.tags[0]}\n{one.code.rstrip()}\n```\n"


def _lines(probes: list[Probe], made: Made) -> str:
    """How long the programs are in each language."""
    counts = {}
    for language, spec in LANGUAGES.items():
        built = [anatomy(made[probe.id, language][0].code, language) for probe in probes]
        counts[spec.title] = sum(one.lines for one in built if one)
    said = ", ".join(f"{title} {count}" for title, count in counts.items())
    return f"Lines of code of all {len(probes)} programs together: {said}."


def _picture(made: Made, probes: dict[str, Probe]) -> str:
    """The spectrograms of some probes, a row each, a column per language."""
    width, height = LEFT + len(LANGUAGES) * (WIDTH + 10), TOP + len(PICTURED) * ROW
    parts = [
        f'<text x="{LEFT + column * (WIDTH + 10)}" y="20" font-weight="650">{spec.title}</text>'
        for column, spec in enumerate(LANGUAGES.values())
    ]
    for row, name in enumerate(PICTURED):
        y = TOP + row * ROW
        caption = f"“{probes[name].caption}”, {probes[name].duration_s:g} s, mel scale to 20 kHz"
        parts.append(f'<text class="pale" x="{LEFT}" y="{y - 7}">{escape(caption)}</text>')
        for column, language in enumerate(LANGUAGES):
            clip = made[name, language][1].clip
            if clip is not None:
                shades = spectrogram(clip)
                thinned = shades[:, :: max(1, shades.shape[1] // WIDTH)]
                data = base64.b64encode(png(thinned)).decode()
                parts.append(
                    f'<image x="{LEFT + column * (WIDTH + 10)}" y="{y}" width="{WIDTH}" height="{HEIGHT}" '
                    f'preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'
                )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img"><title>Spectrograms of three probes in four languages</title><style>{STYLE}</style>'
        f'<rect class="paper" width="{width}" height="{height}"/>{"".join(parts)}</svg>\n'
    )


if __name__ == "__main__":
    sys.exit(main())
