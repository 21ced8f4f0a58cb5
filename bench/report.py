"""How long a report takes to write and to open: `python bench/report.py`.

Made-up runs with the probes of edition 1: 688 sounds, then 2,064. Opening is measured in Debian's
Chromium, headless, from the disk: from the request to the list of probes on the screen.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from innerear.report import write_report
from report_made import MODELS, made


def timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def opened(index: Path) -> tuple[float, float]:
    """Seconds until the overview answers a click, and the page's JavaScript heap in MB after 40 probes."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        flags = ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"]
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        start = time.perf_counter()
        page.goto(index.as_uri())
        page.wait_for_selector(".plot svg")
        page.get_by_role("link", name="Probes").click()
        page.wait_for_selector(".list .caption")
        ready = time.perf_counter() - start
        for _ in range(40):
            page.keyboard.press("j")
            page.wait_for_timeout(30)
        heap = page.evaluate("performance.memory.usedJSHeapSize / 1e6")
        browser.close()
    return ready, heap


def measured(models: list[str]) -> tuple[int, float, float, float, float, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = made(folder, models=models)
        first = timed(lambda: write_report(data, folder))
        again = timed(lambda: write_report(data, folder))
        report = folder / "report"
        size = sum(file.stat().st_size for file in report.rglob("*") if file.is_file()) / 1e6
        return len(data.items), first, again, size, *opened(report / "index.html")


def main() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}\n")
    print("| sounds | written, s | again, s | on disk, MB | interactive, s | heap after 40 probes, MB |")
    print("|---|---|---|---|---|---|")
    for models in (MODELS, ["recorded/one-shot", *(f"made/{i}" for i in range(11))]):
        items, *figures = measured(models)
        print(f"| {items} | " + " | ".join(f"{figure:.3g}" for figure in figures) + " |")


if __name__ == "__main__":
    main()
