"""The comparison and the leaderboard in a real browser, from the disk: read, sort, hear; hostile names stay text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from innerear.records import Completion
from innerear.run.parts import read_rows, write_whole
from innerear.run.run import Run
from innerear.sharing.compare import compare
from innerear.sharing.compare_page import write_comparison
from innerear.sharing.leaderboard import leaderboard
from innerear.sharing.pack import pack
from test_report_browser import HOSTILE, browser, until  # noqa: F401

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("recorded_run")]
NAME = HOSTILE.replace("\ud800", "").replace("\0", "")


def renamed(folder: Path, out: Path, name: str) -> Path:
    """A copy of a run whose first model has another name."""
    shutil.copytree(folder, out)
    file = json.loads((out / "run.json").read_text())
    before, file["asked"]["models"][0] = file["asked"]["models"][0], name
    write_whole(out / "run.json", json.dumps(file).encode())
    rows = list(read_rows(out / "completions", Completion).values())
    for path in (out / "completions").glob("*.jsonl"):
        path.unlink()
    rows = [msgspec.structs.replace(row, model=name) if row.model == before else row for row in rows]
    write_whole(out / "completions" / "1.jsonl", b"\n".join(map(msgspec.json.encode, rows)))
    return out


@pytest.fixture(scope="module")
def compared(recorded_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    hostile = renamed(recorded_run, folder / "run", NAME)
    return write_comparison(compare([hostile], [NAME, "baseline/noise"]), folder / "page")


@pytest.fixture(scope="module")
def site(recorded_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board")
    hostile = renamed(recorded_run, folder / "run", NAME)
    (folder / "packs").mkdir()
    pack(Run(hostile), folder / "packs" / "hostile <b> & 'name'.zip")
    pack(Run(recorded_run), folder / "packs" / "plain.zip")
    return leaderboard(folder / "packs", folder / "site").page


class Opened:
    """A page, and all that it complained of or asked for."""

    def __init__(self, page: Any) -> None:
        self.page, self.complaints, self.asked = page, [], []
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def go(self, page: Path, view: str = "") -> Any:
        self.page.goto(f"{page.as_uri()}{view}")
        self.page.wait_for_selector("html[data-ready]")
        return self.page


@pytest.fixture
def opened(browser: Any) -> Iterator[Opened]:  # noqa: F811
    context = browser.new_context(viewport={"width": 1400, "height": 900}, offline=True)
    it = Opened(context.new_page())
    yield it
    context.close()
    assert it.complaints == []
    assert [url for url in it.asked if not url.startswith("file://")] == []


@pytest.mark.parametrize("width", [1400, 360])
def test_both_pages_fit_their_window(opened: Opened, compared: Path, site: Path, width: int) -> None:
    opened.page.set_viewport_size({"width": width, "height": 800})
    for page in (compared, site):
        shown = opened.go(page)
        shown.wait_for_timeout(300)
        assert shown.locator("main h1").is_visible()
        assert shown.evaluate("document.documentElement.scrollWidth") <= width


def test_a_comparison_opens_on_its_view_with_the_biggest_difference_open(opened: Opened, compared: Path) -> None:
    page = opened.go(compared)
    assert page.evaluate("location.hash") == "#/compare"
    page.wait_for_selector(".differences .pane:nth-child(2) .clock:has-text('/ 2.00 s')")
    assert page.locator(".row").count() == 4
    row = page.locator(".tests tbody tr").first.inner_text()
    assert "−100.0" in row
    assert "not significant" in row, "four probes can show nothing"
    assert page.locator(".row .by").first.inner_text() == "▼ −100.0"


def test_a_difference_that_no_test_could_see_is_a_dash(opened: Opened, compared: Path) -> None:
    page = opened.go(compared)
    seen = page.evaluate("InnerEar.state.index.comparison.tests.map((t) => t.visible)")
    cells = page.locator(".tests tbody td:nth-child(7)").all_inner_texts()
    assert [cell == "–" for cell in cells] == [value is None for value in seen]
    assert page.evaluate("InnerEar.state.index.comparison.tests.length") == len(cells)


def test_both_sounds_of_a_probe_are_played_from_the_keyboard(opened: Opened, compared: Path) -> None:
    page = opened.go(compared)
    page.wait_for_selector(".differences .pane:nth-child(2) .clock:has-text('/')")
    assert [url for url in opened.asked if url.endswith(".flac")] == []
    page.keyboard.press("Space")
    until(page, "InnerEar.player.live.get('a').media.currentTime > 0.1")
    page.keyboard.press("p")
    until(page, "InnerEar.player.live.get('b').media.currentTime > 0.1")
    assert page.evaluate("InnerEar.player.live.get('a').media.paused")


def test_the_keys_walk_the_differences_and_a_link_leads_back(opened: Opened, compared: Path) -> None:
    page = opened.go(compared)
    page.wait_for_selector(".differences .pane:nth-child(2) .clock:has-text('/')")
    page.keyboard.press("j")
    page.wait_for_selector(".differences li:nth-child(2) .pane:nth-child(2) .clock:has-text('/')")
    assert page.locator(".panes").count() == 1
    again = opened.go(compared, page.evaluate("location.hash"))
    again.wait_for_selector(".differences li:nth-child(2) .pane")
    again.get_by_role("link", name="Programs, checks and messages of both").click()
    again.wait_for_selector(".checks")
    assert again.locator(".pane").count() == 2


def test_what_is_shown_can_be_chosen(opened: Opened, compared: Path) -> None:
    page = opened.go(compared)
    page.locator("#show").select_option("better")
    until(page, "document.querySelectorAll('.row').length === 0")
    page.locator("#show").select_option("worse")
    until(page, "document.querySelectorAll('.row').length === 4")
    page.locator("#metric").select_option("audible")
    until(page, "document.querySelectorAll('.row').length === 0")


def test_hostile_names_are_text_on_both_pages(opened: Opened, compared: Path, site: Path) -> None:
    page = opened.go(compared)
    assert "onerror=" in page.locator("h1").inner_text()
    for page in (opened.go(compared), opened.go(site)):
        page.wait_for_timeout(200)
        assert page.locator("main img:not([src^=sounds])").count() == 0
        assert page.locator("main script").count() == 0
        assert page.evaluate("document.title") != "taken"
    assert "onerror=" in page.locator(".card").first.inner_text()
    assert "onerror=" in page.locator(".standings tbody").first.inner_text()
    assert "hostile <b> & 'name'" in page.locator(".standings tbody").first.inner_text()


def test_a_table_sorts_by_the_column_that_is_pressed_and_keeps_the_focus(opened: Opened, site: Path) -> None:
    page = opened.go(site)
    heads = page.locator(".standings thead button").all_inner_texts()
    place = next(i for i, text in enumerate(heads) if text.startswith("FAD"))

    def values() -> list[float]:
        cells = page.locator(f".standings tbody tr td:nth-child({place + 2}) b").all_inner_texts()
        return [float(cell.replace("−", "-").replace(",", "")) for cell in cells]

    page.locator(".standings thead button").nth(place).focus()
    page.keyboard.press("Enter")
    until(
        page, f"document.querySelectorAll('.standings thead th')[{place + 1}].getAttribute('aria-sort') === 'ascending'"
    )
    assert values() == sorted(values())
    page.keyboard.press("Enter")
    until(
        page,
        f"document.querySelectorAll('.standings thead th')[{place + 1}].getAttribute('aria-sort') === 'descending'",
    )
    assert values() == sorted(values(), reverse=True)


def test_each_number_of_the_board_has_its_interval_its_ends_and_its_n(opened: Opened, site: Path) -> None:
    page = opened.go(site)
    row = page.locator("tbody tr", has=page.locator("th a", has_text="recorded/one-shot")).first
    text = " ".join(row.locator("td").all_inner_texts())
    assert "n 4" in text
    assert "[" in text
    assert "noise" in text
    assert "real" in text


def test_on_a_phone_no_column_is_cut_and_daggers_are_explained(opened: Opened, site: Path) -> None:
    page = opened.go(site)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("[...document.querySelectorAll('.board .wide')].every((e) => e.scrollWidth <= e.clientWidth)")
    daggers = page.locator(".standings td", has_text="†").count()
    assert bool(daggers) == page.locator(".board .note", has_text="†").first.is_visible()


def test_the_page_of_a_run_opens_from_the_board_and_plays(opened: Opened, site: Path) -> None:
    page = opened.go(site)
    page.locator("tbody th a", has_text="recorded/one-shot").first.click()
    page.wait_for_selector("html[data-ready]")
    page.get_by_role("link", name="Probes").click()
    page.locator(".list a").first.click()
    page.wait_for_selector(".clock:has-text('/')")
    page.keyboard.press("Space")
    until(page, "InnerEar.player.live.get('a').media.currentTime > 0.1")
