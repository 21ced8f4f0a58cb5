"""What MkDocs does besides its own: pages from outside docs/, and the sounds of the first page.

A line `<!-- sound: PROBE -->` becomes a player, the measured checks and the program. The sound is made by that
probe's reference program, in the jail, while the site is built.
"""

from __future__ import annotations

import contextlib
import html
import io
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = {"README.md": "guide.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
SOUND = re.compile(r"^<!-- sound: (\S+) -->$", re.M)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from outside docs/, and the sounds that the first page plays."""
    for source, page in OUTSIDE.items():
        files.append(File.generated(config, page, content=_moved((ROOT / source).read_text("utf-8"))))
    for probe in SOUND.findall((ROOT / "docs/index.md").read_text("utf-8")):
        audio, _ = _play(probe)
        files.append(File.generated(config, _address(probe), content=audio))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Point links to the pages from outside docs/ at their place here, and put the sounds in."""
    for source, target in OUTSIDE.items():
        markdown = markdown.replace(f"](../{source}", f"]({target}")
    return SOUND.sub(lambda found: _play(found[1])[1], markdown)


def _moved(text: str) -> str:
    """The text of a page at the root of the repository, for a place in docs/."""
    text = text.replace("](docs/", "](")
    for source, target in OUTSIDE.items():
        text = text.replace(f"]({source}", f"]({target}")
    return re.sub(r"\[([^]]+)\]\((?:LICENSE|NOTICE)\)", r"\1", text)


def _address(probe: str) -> str:
    return f"sounds/{probe.replace('/', '-')}.ogg"


_played: dict[str, tuple[bytes, str]] = {}


def _play(name: str) -> tuple[bytes, str]:
    """The sound of a probe's reference program as Ogg Vorbis, and the HTML that plays it."""
    if name not in _played:
        import soundfile

        from innerear import open_jail
        from innerear.metrics.base import Sound
        from innerear.metrics.registry import metric_of
        from innerear.programs.bank import bank
        from innerear.records import Limits, Render

        (one,) = (one for one in bank() if one.probe.id == name)
        with contextlib.closing(open_jail()) as jail:
            ran = jail.run(one.code, Limits())
        assert ran.clip is not None, f"{name}: {ran.reason}"
        file = io.BytesIO()
        soundfile.write(file, ran.clip.samples.T, ran.clip.sample_rate, format="OGG", subtype="VORBIS")
        sound = Sound(one.probe, Render("", "", ran.outcome), ran.clip)
        rows = []
        for check in one.probe.expect:
            metric = metric_of(check)
            row = metric.measure(sound, check)
            if row.passed is not None and row.value is not None:
                share = metric.unit.startswith("share")
                value = f"{100 * row.value:.0f} %" if share else f"{row.value:.3g} {metric.unit}"
                passed = "passed" if row.passed else "failed"
                rows.append(f"{html.escape(metric.label or metric.name)}: {html.escape(value)}, {passed}")
        _played[name] = (
            file.getvalue(),
            f'<figure class="sound"><figcaption><b>{html.escape(one.probe.caption)}</b></figcaption>'
            f'<audio controls preload="none" src="{_address(name)}"></audio>'
            f"<p>{' · '.join(rows)}</p></figure>\n\n"
            f'??? note "The program"\n\n    ```python\n{_indented(one.code)}\n    ```\n',
        )
    return _played[name]


def _indented(code: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in code.rstrip().splitlines())
