"""How long a report takes to write and to open: `python bench/report.py`.

Made-up runs with the probes of edition 1: 688 sounds, then 2,064, of which 688 are drawn each time. Writing is given in
seconds of the clock and of the processor; on a machine that has other work only the second says
something. Opening is measured in Debian's Chromium, headless, from the disk: from the request to an
overview with its plots that has answered a click, and the memory of the page's own process (PSS)
after 40 probes were walked through.
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


def timed(work) -> tuple[float, float]:
    """Seconds of the clock, and of the processor over all threads."""
    start, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - cpu


def renderer_mb() -> float:
    """The largest proportional set size of the pages' processes that this process started, in MB."""
    sizes = [0.0]
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"--type=renderer" in (entry / "cmdline").read_bytes() and ours(entry):
                rollup = (entry / "smaps_rollup").read_text()
                sizes.append(
                    next(float(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1e3
                )
        except (OSError, StopIteration):
            continue  # it ended while it was looked at
    return max(sizes)


def ours(process: Path) -> bool:
    """Whether a process descends from this one."""
    pid = int(process.name)
    while pid > 1 and pid != os.getpid():
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid == os.getpid()


def opened(index: Path) -> tuple[float, float, float, float]:
    """Seconds until the overview answers a click, by the clock and of the page's own thread; MB after 40 probes."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        flags = ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"]
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        inside = page.context.new_cdp_session(page)
        inside.send("Performance.enable", {"timeDomain": "threadTicks"})
        start = time.perf_counter()
        page.goto(index.as_uri())
        page.wait_for_selector(".plot svg")
        page.get_by_role("link", name="Probes").click()
        page.wait_for_selector(".list .caption")
        ready = time.perf_counter() - start
        busy = {m["name"]: m["value"] for m in inside.send("Performance.getMetrics")["metrics"]}["TaskDuration"]
        for _ in range(40):
            page.keyboard.press("j")
            page.wait_for_timeout(30)
        page.wait_for_selector(".axis span", state="attached")
        heap = page.evaluate("performance.memory.usedJSHeapSize / 1e6")
        whole = renderer_mb()
        browser.close()
    return ready, busy, heap, whole


def measured(models: list[str]) -> tuple[int, list[float]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = made(folder, models=models, sounds=4)
        first, cpu = timed(lambda: write_report(data, folder))
        (folder / "report" / "index.html").unlink()  # a whole report would be left as it is
        again, _ = timed(lambda: write_report(data, folder))
        report = folder / "report"
        size = sum(file.stat().st_size for file in report.rglob("*") if file.is_file()) / 1e6
        return len(data.items), [first, cpu, again, size, *opened(report / "index.html")]


HEADS = [
    "sounds",
    "written, s",
    "of the processor, s",
    "again, s",
    "on disk, MB",
    "interactive, s",
    "page's thread, s",
    "heap, MB",
    "process, MB",
]


def main() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}\n")
    print(f"| {' | '.join(HEADS)} |")
    print("|---" * len(HEADS) + "|")
    for models in (MODELS, ["recorded/one-shot", *(f"made/{i}" for i in range(11))]):
        items, figures = measured(models)
        print(f"| {items} | " + " | ".join(f"{figure:.3g}" for figure in figures) + " |", flush=True)


if __name__ == "__main__":
    main()
