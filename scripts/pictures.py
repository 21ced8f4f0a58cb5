"""The README's pictures, from a run: `python scripts/pictures.py RUN`.

docs/report/scorecard.svg is the scorecard of its models; docs/report/sound.svg is the spectrogram of one sound with
the beginning of the program that made it.
"""

from __future__ import annotations

import argparse
import base64
import sys
from pathlib import Path
from xml.sax.saxutils import escape

from innerear import stages
from innerear.render.render import load
from innerear.report.pictures import png, spectrogram
from innerear.report.scorecard_picture import scorecard_svg
from innerear.run.run import Run
from innerear.scores.scorecard import scorecard
from innerear.text import printable

DOCS = Path("docs") / "report"
LINES, LINE, TOP = 30, 14.5, 30  # of the program, and pixels
STYLE = """
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;fill:#1d1b18}
.code{font:11px ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}
.paper{fill:#fdfcfa}.pale{fill:#6b665d}
@media(prefers-color-scheme:dark){text{fill:#e8e5df}.paper{fill:#16161a}.pale{fill:#a09a8f}}
"""


def sound_svg(run: Run, probe: str, model: str) -> str:
    """The spectrogram of a sound, and the first lines of its program to the right of it."""
    item = next(i for i in run.items() if (i.probe.id, i.completion.model) == (probe, model))
    picture = base64.b64encode(png(spectrogram(load(item.render, run.audio)))).decode()
    lines = (item.program.code or "").splitlines()
    height = TOP + LINE * (LINES + 1) + 12
    shown = [*lines[:LINES], *([f"… {len(lines) - LINES} more lines"] if len(lines) > LINES else [])]
    code = "".join(
        f'<text class="code{" pale" if line.lstrip().startswith(("#", "…")) else ""}" x="404" '
        f'y="{TOP + 10 + LINE * place:g}" xml:space="preserve">{escape(printable(line))}</text>'
        for place, line in enumerate(shown)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="{height:g}" viewBox="0 0 1000 {height:g}" '
        f'role="img"><title>{escape(printable(item.probe.caption))}: its spectrogram and its program</title>'
        f'<style>{STYLE}</style><rect class="paper" width="1000" height="{height:g}"/>'
        f'<text x="8" y="19" font-weight="650">“{escape(printable(item.probe.caption))}”, by {escape(model)}</text>'
        f'<image x="8" y="{TOP}" width="380" height="{LINE * (LINES + 1) - 18:g}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{picture}"/>'
        f'<text class="pale" x="8" y="{height - 10:g}" font-size="11">0 to {item.render.duration_s:g} s, '
        f"mel scale to 20 kHz</text>{code}</svg>\n"
    )


def main() -> int:
    """Write both pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--probe", default="environment/urban/siren")
    parser.add_argument("--model", default="recorded/one-shot")
    given = parser.parse_args()
    run = Run(given.run)
    for name, text in (
        ("scorecard.svg", scorecard_svg(scorecard(stages.score(run)))),
        ("sound.svg", sound_svg(run, given.probe, given.model)),
    ):
        (DOCS / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{DOCS / name}: {len(text) / 1000:.0f} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
