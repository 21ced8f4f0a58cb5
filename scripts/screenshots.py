"""Pictures of our pages for the docs, each set into docs/SET.

`python scripts/screenshots.py report RUN`: of a run; `sharing OUT SITE`: of what `innerear compare --out OUT` and
`innerear leaderboard --out SITE` wrote.

Needs Playwright, Pillow and Debian's chromium. Each picture has few colours, so that it stays small.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

WIDE, NARROW = (1400, 900), (390, 844)
ONE = "recorded/one-shot"
# name: the address, the size, what to wait for, and what to bring to the top
REPORT = {
    "overview": ("#/", WIDE, ".highlight .wave canvas, .highlight .wave div", None),
    "side-by-side": ("#/", WIDE, "svg[aria-label^='Differences']", "#h-pairs"),
    "notes": ("#/tier/notes", WIDE, "svg[aria-label^='Piano roll']", None),
    "instruments": ("#/tier/notes", WIDE, "svg[aria-label^='Families requested']", "h2:has-text('Instrument fam')"),
    "environment": ("#/tier/environment", WIDE, ".pictures-of-tier svg, .pictures-of-tier .note", None),
    "speech": ("#/tier/speech", WIDE, ".pictures-of-tier svg, .pictures-of-tier .note", None),
    "distances": ("#/tier/environment", WIDE, ".multiples svg", "h2:has-text('Distance from')"),
    "probe": (f"#/probe/notes/instrument/piano-c4?a={ONE}", WIDE, ".axis span", None),
    "compared": (
        f"#/probe/environment/animals/dog?a={ONE}&b=baseline/noise",
        WIDE,
        ".pane:nth-child(2) .axis span",
        None,
    ),
    "anatomy": ("#/anatomy", WIDE, "svg[aria-label='Techniques by model']", None),
    "run": ("#/run", WIDE, ".facts", None),
    "narrow": ("#/", NARROW, ".card td", None),
    "narrow-probe": (f"#/probe/notes/tune/fuer-elise?a={ONE}", NARROW, ".axis span", None),
    "dark": (f"#/probe/notes/instrument/piano-c4?a={ONE}", WIDE, ".axis span", None),
}
COMPARISON = {
    "compare": ("#/compare", WIDE, ".differences .pane:nth-child(2) .axis span", None),
    "narrow-compare": ("#/compare", NARROW, ".differences .pane:nth-child(2) .axis span", None),
}
LEADERBOARD = {
    "leaderboard": ("", WIDE, "table td", None),
    "narrow-leaderboard": ("", NARROW, "table td", None),
}


def main() -> int:
    """A PNG for each view; 1 where a page is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="set", required=True)
    parts.add_parser("report").add_argument("run", type=Path)
    sharing = parts.add_parser("sharing")
    sharing.add_argument("comparison", type=Path)
    sharing.add_argument("site", type=Path)
    given = parser.parse_args()
    if given.set == "report":
        pages = {given.run / "report" / "index.html": REPORT}
    else:
        pages = {given.comparison / "report" / "index.html": COMPARISON, given.site / "index.html": LEADERBOARD}
    if missing := [str(page) for page in pages if not page.is_file()]:
        sys.stderr.write(f"{' and '.join(missing)} must be written first\n")
        return 1
    folder = Path("docs") / given.set
    folder.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        views = [(index, name, *view) for index, views in pages.items() for name, view in views.items()]
        for index, name, view, (width, height), wanted, top in views:
            scheme = "dark" if name == "dark" else "light"
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(index.resolve().as_uri() + view)
            size = picture(page, wanted, top, folder / f"{name}.png")
            sys.stdout.write(f"{name}: {size / 1000:.0f} kB\n")
            page.close()
        browser.close()
    return 0


def picture(page: Any, wanted: str, top: str | None, path: Path) -> int:
    """One view as a PNG of at most 256 colours, rare ones among them; its size in bytes."""
    page.wait_for_selector(wanted, state="attached")
    page.wait_for_timeout(500)
    if top:
        page.locator(top).first.evaluate("node => window.scrollTo(0, node.getBoundingClientRect().top + scrollY - 56)")
        page.wait_for_timeout(300)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.png"
        page.screenshot(path=whole)
        from PIL import Image

        image = Image.open(whole).convert("RGB")
        image.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
    return path.stat().st_size


if __name__ == "__main__":
    sys.exit(main())
