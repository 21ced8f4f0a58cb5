"""The scorecard as a picture: an SVG of its own, for a README, a paper or a slide.

Each cell is a line from floor (left) to ceiling (right), with the 95 % interval and the value on it, so that further
to the right is always better.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from innerear.scores.cells import QUESTIONS, Cell, Row, tiers_of
from innerear.scores.scorecard_words import figure, headline, visible_differences
from innerear.text import printable

LEFT, COLUMN, LINE, TITLE = 172, 226, 74, 30  # pixels
TRACK = 190
SMALL, HEAD = 5.4, 7.6  # mean widths of a character
MOST_ROWS = 6  # models in one picture

STYLE = """
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;fill:#1d1b18}
.paper{fill:#fdfcfa}.small{font-size:10.5px;fill:#6b665d}.big{font-size:15px;font-weight:650}
.head{font-weight:650}.rule{stroke:#e2ddd3}.track{stroke:#c9c2b4;stroke-width:2}.none{fill:#8d877b;font-style:italic}
.reach{stroke:#a8451c;stroke-width:7;stroke-opacity:.28}.dot{fill:#a8451c}.pale .dot{fill:#8d877b}
.pale .reach{stroke:#8d877b}.pale .big{fill:#6b665d;font-weight:400}
@media(prefers-color-scheme:dark){text{fill:#e8e5df}.paper{fill:#16161a}.small,.pale .big{fill:#a09a8f}
.rule{stroke:#313138}.track{stroke:#4a4a53}.reach{stroke:#ee8f5f}.dot{fill:#ee8f5f}}
"""


def scorecard_svg(rows: Sequence[Row]) -> str:
    """The picture of the models of a scorecard; of its floors and ceilings if there is no model."""
    shown = ([row for row in rows if row.end is None] or list(rows))[:MOST_ROWS]
    tiers = tiers_of(shown)
    width = LEFT + COLUMN * max(1, len(tiers))
    below = list(_below(shown, width))
    height = 34 + len(shown) * (TITLE + LINE * len(QUESTIONS)) + 8 + 14 * len(below)
    title = "; ".join(printable(row.said) for row in shown)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img">',
            f"<title>{_plain(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{width}" height="{height}"/>',
            *_body(shown, tiers, width),
            *(_text(12, height - 14 * (len(below) - place) + 4, line, "small") for place, line in enumerate(below)),
            "</svg>\n",
        )
    )


def _body(shown: Sequence[Row], tiers: Sequence[str], width: int) -> Iterator[str]:
    for place, tier in enumerate(tiers):
        yield _text(LEFT + place * COLUMN, 22, tier.capitalize(), "head")
    top = 34
    for row in shown:
        yield _text(12, top + 19, _cut(row.model, int((width - 24) / HEAD)), "head")
        top += TITLE
        for question, asked in QUESTIONS.items():
            yield f'<line class="rule" x1="12" x2="{width - 12}" y1="{top}" y2="{top}"/>'
            yield _text(12, top + 24, question, "big")
            yield _text(12, top + 41, asked, "small")
            for place, tier in enumerate(tiers):
                if cell := row.cell(question, tier):
                    yield from _cell(cell, LEFT + place * COLUMN, top)
            top += LINE


def _below(shown: Sequence[Row], width: int) -> Iterator[str]:
    """The lines below the cells."""
    yield from _lines("Line: floor to ceiling, right is better; shaded: 95 % interval.", width - 24)
    if seen := visible_differences(shown):
        yield from _lines(f"Smallest visible difference between two systems, “right”: {seen}.", width - 24)


def _cell(cell: Cell, left: int, top: int) -> Iterator[str]:
    if cell.value is None:
        yield _text(left, top + 24, "not measured", "small none")
        for place, line in enumerate(_lines(_short(cell.note), COLUMN - 14)):
            yield _text(left, top + 38 + 13 * place, line, "small")
        return
    count = "" if cell.few and cell.unit == "share" else f"n {cell.n}"
    n = ", ".join(filter(None, [count, cell.lacks]))
    yield f"<g{' class=' + chr(34) + 'pale' + chr(34) if cell.few else ''}>"
    yield f"<title>{_plain(cell.measure)}{_plain('. ' + cell.note if cell.note else '')}</title>"
    yield (
        f'<text x="{left}" y="{top + 22}"><tspan class="big">{_plain(headline(cell))}</tspan>'
        f'<tspan class="small" dx="6">{n}</tspan></text>'
    )
    yield _text(left, top + 37, _brief(cell), "small")
    if not cell.few:
        yield from _line(cell, left, top + 48)
    yield "</g>"


def _line(cell: Cell, left: int, y: int) -> Iterator[str]:
    """The line from floor to ceiling, with the value, its interval and both ends."""
    dot, low, high = (cell.place(value) for value in (cell.value, cell.low, cell.high))
    yield f'<line class="track" x1="{left}" x2="{left + TRACK}" y1="{y}" y2="{y}"/>'
    if low is not None and high is not None:
        ends = sorted((left + low * TRACK, left + high * TRACK))
        yield f'<line class="reach" x1="{ends[0]:.1f}" x2="{ends[1]:.1f}" y1="{y}" y2="{y}"/>'
    if dot is not None:
        yield f'<circle class="dot" cx="{left + dot * TRACK:.1f}" cy="{y}" r="4.5"/>'
    yield _text(left, y + 17, " ".join(filter(None, [cell.floor_by, figure(cell, cell.floor)])), "small")
    high_end = " ".join(filter(None, [cell.ceiling_by, figure(cell, cell.ceiling)]))
    yield _text(left + TRACK, y + 17, high_end, "small", "end")


def _brief(cell: Cell) -> str:
    """What a cell measures, as the page says it."""
    words = {
        "audio": "run", "checks": "of checks passed", "whisper_wer": "of words recognised",
        "told_from_real": "told from real (0.5 is best)", "spread": "of real spread",
    }  # fmt: skip
    said = words[cell.metric].removeprefix("of " if cell.few and cell.unit == "share" else "")
    return said + (f", {cell.kind}" if cell.kind and cell.kind != cell.tier else "")


def _short(note: str) -> str:
    return "needs --attempts 5" if "--attempts" in note else note


def _cut(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 2]} …"


def _lines(text: str, width: int) -> list[str]:
    """Text in at most three lines of about this width in pixels."""
    return textwrap.wrap(text, int(width / SMALL), max_lines=3, placeholder=" …")


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{_plain(text)}</text>'


def _plain(text: str) -> str:
    """Text that cannot end the element it is in."""
    return escape(printable(text), {'"': "&quot;"})
