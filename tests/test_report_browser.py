"""The report in a real browser, from the disk: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

from innerear import records
from innerear.report import Recording, write_report
from report_made import made

pytestmark = pytest.mark.slow

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
TAKEN = "document.title='taken'"
HOSTILE = f'</script><img src=x onerror="{TAKEN}"><script>{TAKEN}</script>\u2028\0\ud800${{1}}'
PIANO = "#/probe/notes/instrument/piano-c4"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync.sync_playwright() as play:
        flags = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
        browser = play.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with its audio; one probe's words are hostile everywhere that words can be."""
    folder = tmp_path_factory.mktemp("run")
    data = made(folder, take=12)
    soundfile.write(folder / "real.wav", np.zeros(44_100, np.float32), 44_100)
    recording = Recording(path=str(folder / "real.wav"), licence="CC0-1.0", attribution=HOSTILE, remark="another pitch")
    first, second = data.items[:2]
    crashed = records.Render(
        key="crashed",
        program="0",
        outcome=records.Outcome.ERROR,
        reason="ValueError: too short",
        log="Traceback (most recent call last):\n",
        exit_code=1,
    )
    asked_first = [records.Message("user", HOSTILE)]
    second_round = [*asked_first, records.Message("assistant", "one"), records.Message("user", "It was too quiet.")]
    rounds = [
        records.Round(asked_first, "one", outcome="ok", heard=HOSTILE),
        records.Round(second_round, HOSTILE, outcome="error", reason="IndexError"),
    ]
    failed = msgspec.structs.replace(second, render=crashed, audio=None, measurements=[])
    hostile = msgspec.structs.replace(
        first,
        program=records.Program(code=f"# {HOSTILE}\nprint('''{HOSTILE}''')\n"),
        render=msgspec.structs.replace(first.render, log=HOSTILE, reason=HOSTILE),
        completion=msgspec.structs.replace(first.completion, text=HOSTILE, messages=second_round, rounds=rounds),
        measurements=[
            msgspec.structs.replace(m, reason=HOSTILE, detail={HOSTILE: HOSTILE}) for m in first.measurements
        ],
    )
    heard = next(i for i, item in enumerate(data.items) if item.completion.probe.startswith("environment"))
    of_class = [
        msgspec.structs.replace(m, detail={**m.detail, "heard": HOSTILE}) if m.metric == "label" else m
        for m in data.items[heard].measurements
    ]
    data.items[heard] = msgspec.structs.replace(data.items[heard], measurements=of_class)
    probe = msgspec.structs.replace(data.probes[0], caption=HOSTILE, details=HOSTILE)
    data.items[2] = msgspec.structs.replace(
        data.items[2],
        program=records.Program(code="import numpy\nimport socket\n", violation="network, line 2: import socket"),
        render=msgspec.structs.replace(crashed, outcome=records.Outcome.PROVENANCE, reason="network, line 2"),
        audio=None,
        measurements=[],
    )
    asked = msgspec.structs.replace(data.asked, command=HOSTILE)
    write_report(
        msgspec.structs.replace(
            data,
            items=[hostile, failed, *data.items[2:]],
            probes=[probe, *data.probes[1:]],
            asked=asked,
            warnings=[*data.warnings, HOSTILE],
            finding=[*data.finding, HOSTILE],
            recordings={data.probes[0].id: recording, "notes/instrument/piano-c4": recording},
        ),
        folder,
    )
    return folder


def until(page: Any, truth: str) -> None:
    """Wait until an expression is true; Playwright's own waiting needs the `eval` that the page forbids."""
    for _ in range(250):
        if page.evaluate(truth):
            return
        page.wait_for_timeout(20)
    pytest.fail(f"not true within 5 s: {truth}")


class Opened:
    """A page of the report, and all that it complained of or asked for."""

    def __init__(self, page: Any, run: Path) -> None:
        self.page, self.run, self.complaints, self.asked = page, run, [], []
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def go(self, view: str = "") -> Any:
        self.page.goto(f"{(self.run / 'report/index.html').as_uri()}{view}")
        self.page.wait_for_selector("html[data-ready]")
        return self.page


@pytest.fixture
def opened(browser: Any, run: Path) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": 1400, "height": 900}, offline=True)
    it = Opened(context.new_page(), run)
    yield it
    context.close()
    assert it.complaints == []
    assert [url for url in it.asked if not url.startswith("file://")] == []


@pytest.mark.parametrize(
    "view",
    [
        "#/",
        "#/tier/notes",
        "#/tier/environment",
        "#/tier/speech",
        "#/probes",
        "#/anatomy",
        PIANO,
        f"{PIANO}?b=baseline/sine",
        f"{PIANO}?b=~real",
        "#/run",
    ],
)
@pytest.mark.parametrize("width", [1400, 360])
def test_a_view_draws_without_a_complaint_and_fits_its_window(opened: Opened, view: str, width: int) -> None:
    opened.page.set_viewport_size({"width": width, "height": 800})
    page = opened.go(view)
    page.wait_for_timeout(300)
    assert page.locator("main h1:visible, main .list a:visible").count()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_overview_shows_each_model_in_the_funnel_and_in_a_plot(opened: Opened) -> None:
    page = opened.go()
    page.locator("summary", has_text="How far the completions got").click()
    assert page.locator(".funnel tbody tr").count() == 1
    page.locator("details details summary", has_text="Floors and ceilings").click()
    assert page.locator(".funnel tbody tr").count() == 4
    page.wait_for_selector(".plot svg")
    assert page.locator(".plot svg").first.get_attribute("aria-description").count("n 60") == 4


def test_the_table_has_a_score_with_its_interval_bounds_and_n(opened: Opened) -> None:
    page = opened.go()
    page.locator("summary", has_text="Every headline as numbers").click()
    row = page.locator(".pivot tr", has_text="FAD, phrases").first
    value, rest = row.locator("td").first.inner_text().split("\n")
    assert re.fullmatch(r"[\d.]+ \[[\d.]+, [\d.]+\]", value)
    assert re.fullmatch(r"real [\d.]+ · noise [\d.]+ · silence [\d.]+ · n 60", rest)


def test_the_first_screen_has_the_sentence_the_scorecard_and_three_sounds(opened: Opened) -> None:
    page = opened.go()
    assert re.match(
        r"recorded/one-shot: it passes \d+ % of the checks in notes", page.locator(".finding .first").inner_text()
    )
    tops = [page.locator(name).first.bounding_box() for name in (".finding", ".card", ".highlights")]
    assert [box["y"] for box in tops] == sorted(box["y"] for box in tops)
    assert tops[-1]["y"] + tops[-1]["height"] <= 900
    assert page.locator(".card").first.locator("td").count() == 4 * 3
    right = page.locator(".card tr", has_text="Is it what was asked?").locator("td").first
    assert re.search(r"\d+ %.*n = 60", right.inner_text(), re.S)
    assert right.locator(".bar").count() == 1


def test_the_sounds_of_the_first_screen_play_one_at_a_time_and_stop_when_it_is_left(opened: Opened) -> None:
    page = opened.go()
    page.wait_for_selector(".highlight .clock:has-text('/')")
    assert 1 <= page.locator(".highlight").count() <= 3
    page.locator(".highlight .play").first.click()
    until(page, "InnerEar.player.live.get('h0').media.currentTime > 0.05")
    page.get_by_role("link", name="Run", exact=True).click()
    until(page, "InnerEar.player.live.size === 0")


def test_the_models_stand_side_by_side_with_the_one_that_is_chosen(opened: Opened) -> None:
    page = opened.go()
    plot = page.locator("svg[aria-label='Differences, paired by probe']").first
    before = plot.get_attribute("aria-description")
    page.get_by_label("Compare all models with").select_option("baseline/sine")
    until(
        page,
        "document.querySelector(\"svg[aria-label^='Differences']\")?.getAttribute('aria-description').includes('recorded')",
    )
    assert "baseline/sine" in before
    assert "recorded/one-shot" in plot.get_attribute("aria-description")


@pytest.mark.parametrize(
    ("tier", "pictures"),
    [
        (
            "notes",
            ["Pitch requested and measured", "Piano roll of requested and detected notes", "Families requested and"],
        ),
        (
            "environment",
            ["Share of sounds whose class is in", "Classes requested and recognised"],
        ),
        (
            "speech",
            [
                "Accuracy by rung of the ladder",
                "Word error rate against",
                "Vowel space",
                "syllable: requested and recognised",
            ],
        ),
    ],
)
def test_each_tier_has_the_pictures_that_fit_it(opened: Opened, tier: str, pictures: list[str]) -> None:
    page = opened.go(f"#/tier/{tier}")
    for name in pictures:
        page.wait_for_selector(f"svg[aria-label^='{name}']")
    assert page.locator("svg[aria-label='passed by family'], svg[aria-label$='by family']").count() == 1
    assert page.locator(".multiples:not(.told) .panel").count() == 4
    assert page.locator("svg[aria-label='Told from real by family, yamnet']").count() == 1
    assert "0.67" in page.locator(".agreement").inner_text()


def test_a_point_of_a_picture_leads_to_its_probe(opened: Opened) -> None:
    page = opened.go("#/tier/notes")
    page.wait_for_selector("svg[aria-label^='Pitch requested'] a")
    page.locator("svg[aria-label^='Pitch requested'] a").nth(4).dispatch_event("click")
    page.wait_for_selector(".probe-head h1")
    assert "#/probe/notes/" in page.url


def test_the_large_pictures_of_a_tier_show_the_model_that_is_chosen(opened: Opened) -> None:
    page = opened.go("#/tier/environment")
    page.get_by_label("Model shown").select_option("baseline/noise")
    page.wait_for_selector("svg[aria-label='Classes requested and recognised, baseline/noise']")
    assert "m=baseline" in page.url


def test_anatomy_names_techniques_beside_the_scores(opened: Opened) -> None:
    page = opened.go("#/anatomy")
    page.wait_for_selector("svg[aria-label='Techniques by model']")
    assert page.locator(".anatomy tbody tr").count() == 4
    page.get_by_label("Filter by tier").select_option("notes")
    page.wait_for_selector(".anatomy td:has-text('12')")


def test_a_program_has_the_marks_of_its_anatomy_on_their_lines(opened: Opened) -> None:
    page = opened.go(PIANO)
    page.wait_for_selector(".code .marks")
    lines = page.locator(".code .text").inner_text().split("\n")
    marks = page.locator(".code .marks").inner_text().split("\n")
    at = next(i for i, line in enumerate(lines) if "261.626" in line)
    assert marks[at] == "261.626 Hz"
    tops = [page.locator(f".code {part}").bounding_box()["height"] for part in (".text", ".marks", ".gutter")]
    assert max(tops) - min(tops) < 25


def test_the_guard_marks_the_line_for_which_a_program_was_not_run(opened: Opened) -> None:
    page = opened.go("#/probe/notes/waveform/sawtooth-110")
    page.wait_for_selector(".code .marks")
    assert page.locator(".code .marks").inner_text().split("\n")[1] == "⚑ guard: network"
    assert page.locator(".silent").inner_text() == "network, line 2"


def test_what_went_wrong_leads_to_the_probes(opened: Opened) -> None:
    page = opened.go("#/tier/speech")
    page.wait_for_selector("svg[aria-label='Failures by model'] a")
    page.locator("svg[aria-label='Failures by model'] a").first.dispatch_event("click")
    page.wait_for_selector(".count")
    assert page.get_by_label("Filter by failure").input_value() == "wrong sound"


def test_every_model_has_a_tile_that_opens_it_and_a_key_opens_the_recording(opened: Opened) -> None:
    page = opened.go(PIANO)
    page.wait_for_selector(".tile")
    assert page.locator(".tile").count() == 5
    page.locator(".tile", has_text="baseline/noise").click()
    page.wait_for_selector("#model-a")
    until(page, "document.querySelector('#model-a')?.value === 'baseline/noise'")
    page.keyboard.press("r")
    page.wait_for_selector(".pane:nth-child(2) .clock:has-text('/ 1.00 s')")
    assert "CC0-1.0" in page.locator(".pane:nth-child(2)").inner_text()
    page.keyboard.press("p")
    until(page, "InnerEar.player.live.get('b').media.currentTime > 0.1")
    page.keyboard.press("r")
    until(page, "!document.querySelector('.pane:nth-child(2)')")


def test_no_audio_is_asked_for_before_it_is_played(opened: Opened) -> None:
    page = opened.go(PIANO)
    page.wait_for_selector(".player .clock:has-text('/ 3.00 s')")
    assert [url for url in opened.asked if url.endswith(".flac")] == []
    page.keyboard.press("Space")
    until(page, "InnerEar.player.live.get('a').media.currentTime > 0.1")
    assert len({url for url in opened.asked if url.endswith(".flac")}) == 1


def test_playing_one_sound_pauses_the_other_and_moves_its_cursor(opened: Opened) -> None:
    page = opened.go(f"{PIANO}?b=baseline/sine")
    page.wait_for_selector(".pane:nth-child(2) .clock:has-text('/')")
    page.get_by_role("button", name="Play the sound of recorded/one-shot").click()
    until(page, "parseFloat(document.querySelector('.pictures').style.getPropertyValue('--at')) > 0.05")
    page.keyboard.press("p")
    until(page, "InnerEar.player.live.get('b').media.currentTime > 0.1")
    assert page.evaluate("InnerEar.player.live.get('a').media.paused")


def test_a_click_on_the_spectrogram_seeks(opened: Opened) -> None:
    page = opened.go(PIANO)
    page.wait_for_selector(".clock:has-text('0.00 / 3.00 s')")
    box = page.locator(".spectrogram").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 40)
    page.wait_for_selector(".clock:has-text('1.50 / 3.00 s')")
    page.keyboard.press("Space")
    until(page, "InnerEar.player.live.get('a').media.currentTime > 1.55")


def test_the_arrows_move_the_cursor_of_a_focused_sound(opened: Opened) -> None:
    page = opened.go(PIANO)
    page.wait_for_selector(".clock:has-text('0.00 / 3.00 s')")
    page.locator(".pictures").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert page.locator(".pictures").get_attribute("aria-valuetext") == "2.94 of 3.00 seconds"


def test_filters_leave_the_probes_that_match(opened: Opened) -> None:
    page = opened.go("#/probes")
    assert page.locator(".list a").count() == 36
    page.get_by_label("Filter by tier").select_option("speech")
    page.wait_for_selector(".count:has-text('12 of 36')")
    page.get_by_label("Filter by tier").select_option("")
    page.get_by_label("Search probes").fill("grand piano C4")
    page.wait_for_selector(".count:has-text('1 of 36')")
    assert page.locator(".list .caption").inner_text() == "a grand piano playing the note C4"
    assert page.evaluate("document.activeElement.id") == "q"


def test_escape_clears_the_search_and_its_filter(opened: Opened) -> None:
    page = opened.go("#/probes?tier=notes&q=piano")
    page.wait_for_selector(".count:has-text('5 of 36')")
    page.get_by_label("Search probes").press("Escape")
    page.wait_for_selector(".count:has-text('12 of 36')")
    assert page.locator("#q").input_value() == ""
    assert "q=" not in page.url
    assert page.evaluate("document.activeElement.id") != "q"


def test_enter_opens_the_first_probe_found_and_back_returns(opened: Opened) -> None:
    page = opened.go("#/probe/notes/waveform/sine-440")
    page.wait_for_selector(".probe-head h1")
    page.keyboard.press("/")
    page.keyboard.type("grand piano C4")
    page.wait_for_selector(".count:has-text('1 of 36')")
    page.keyboard.press("Enter")
    page.wait_for_selector(".probe-head h1:has-text('grand piano')")
    assert page.evaluate("document.activeElement.id") != "q"
    page.go_back()
    page.wait_for_selector(".probe-head h1:not(:has-text('grand piano'))")


def test_a_probe_is_told_in_the_order_of_a_listener(opened: Opened) -> None:
    page = opened.go(f"{PIANO}?b=baseline/sine")
    page.wait_for_selector(".code .text")
    parts = [".player", "h2:has-text('Is it what was asked')", "h2:has-text('Could it be a recording')", ".code"]
    tops = [page.locator(part).first.bounding_box()["y"] for part in parts]
    assert tops == sorted(tops)
    real = page.locator(".realism").first.inner_text()
    assert "real/nearest.flac" in real
    assert "repeats itself" in real


def test_beside_another_program_no_marks_cut_the_code(opened: Opened) -> None:
    page = opened.go(f"{PIANO}?b=baseline/sine")
    page.wait_for_selector(".part:nth-child(2) .code .text")
    assert not page.locator(".code .marks").first.is_visible()
    marked = page.locator(".gutter .marked").all()
    assert any("261.626 Hz" in (one.get_attribute("title") or "") for one in marked)


def test_a_cell_of_few_sounds_is_a_grey_count(browser: Any, tmp_path: Path) -> None:
    data = made(tmp_path, take=3)
    scores = [msgspec.structs.replace(s, n=4, value=0.5) if s.metric == "passed" else s for s in data.scores]
    write_report(msgspec.structs.replace(data, scores=scores), tmp_path)
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto((tmp_path / "report/index.html").as_uri())
    plot = page.locator("svg[aria-label$='by family']").first
    plot.wait_for()
    assert "2/4" in plot.text_content()
    assert plot.locator("[fill='var(--muted)']").count() > 0
    page.close()


def test_levels_stand_in_their_order(opened: Opened) -> None:
    page = opened.go("#/tier/environment")
    page.wait_for_selector("svg[aria-label$='by level']")
    texts = page.locator("svg[aria-label$='by level'] text").all_text_contents()
    assert [text for text in texts if text.startswith("level")] == ["level 2", "level 10"]


def test_a_filter_by_outcome_finds_the_one_that_failed(opened: Opened) -> None:
    page = opened.go("#/probes?outcome=error")
    assert page.locator(".list .caption").all_inner_texts() == ["a plain square wave tone at 220 Hz"]
    page.get_by_role("tab", name="log").first.click()
    page.wait_for_selector("text=Traceback (most recent call last)")
    assert page.locator(".silent").inner_text() == "ValueError: too short"


def test_two_models_stand_side_by_side_on_one_probe(opened: Opened) -> None:
    page = opened.go(PIANO)
    page.get_by_label("Compare with a second model").select_option("baseline/noise")
    page.wait_for_selector(".pane:nth-child(2)")
    left, right = (page.locator(".pane").nth(i).bounding_box() for i in (0, 1))
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] < right["x"]
    assert page.get_by_label("Second model").input_value() == "baseline/noise"
    assert page.locator(".checks thead th").all_inner_texts()[2:] == [
        "Measured, recorded/one-shot",
        "Measured, baseline/noise",
    ]


def test_a_link_leads_back_to_exactly_this_view(opened: Opened, browser: Any) -> None:
    page = opened.go("#/probes?tier=notes")
    page.wait_for_selector(".list .open")
    for key in "jjjjcmt":
        page.keyboard.press(key)
        page.wait_for_timeout(80)
    page.wait_for_selector("[role=tab][aria-selected=true]:has-text('log')")
    again = browser.new_page(viewport={"width": 1400, "height": 900})
    again.goto(page.url)
    again.wait_for_selector(".pane:nth-child(2) .clock:has-text('/')")
    for one in ("h1", ".count", ".list .open", ".pane-head"):
        assert again.locator(one).all_inner_texts() == page.locator(one).all_inner_texts()
    assert again.locator("#model-a").input_value() == page.locator("#model-a").input_value() == "baseline/noise"
    assert again.locator("#model-b").input_value() == page.locator("#model-b").input_value() == "baseline/silence"
    again.close()


def test_keys_walk_play_and_open_the_search_from_any_view(opened: Opened) -> None:
    page = opened.go()
    page.keyboard.press("j")
    page.wait_for_selector(".list .open:nth-child(2)")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.wait_for_selector("h1:has-text('square wave')")
    page.keyboard.press("/")
    until(page, "document.activeElement.id === 'q'")
    page.keyboard.type("jk")
    assert page.locator("#q").input_value() == "jk"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()


def test_a_narrow_window_shows_the_list_or_the_probe(opened: Opened) -> None:
    opened.page.set_viewport_size({"width": 360, "height": 740})
    page = opened.go("#/probes?tier=notes")
    assert not page.locator("#detail").is_visible()
    page.get_by_text("a grand piano playing the note C4").click()
    page.wait_for_selector(".pictures")
    assert not page.locator("#list").is_visible()
    page.get_by_role("link", name="All probes").click()
    page.wait_for_selector(".count:has-text('12 of 36')")


def test_a_chosen_theme_is_kept(opened: Opened) -> None:
    page = opened.go()
    grounds = []
    for _ in range(3):
        page.get_by_role("button", name="Theme").click()
        grounds.append(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    assert len(set(grounds)) == 2
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="Theme").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_every_round_of_a_conversation_is_shown_once(opened: Opened) -> None:
    page = opened.go("#/probe/notes/waveform/sine-440?tab=messages")
    page.wait_for_selector(".messages")
    text = page.locator(".messages").inner_text()
    in_order = ["Round 1 of 2", "the listener", "Round 2 of 2", "IndexError"]
    assert sorted(in_order, key=text.index) == in_order
    assert text.count("It was too quiet.") == 1


def test_hostile_text_stays_text_in_every_view(opened: Opened) -> None:
    page = opened.go("#/")
    assert "onerror" in page.locator(".warnings").inner_text()
    page = opened.go("#/run")
    assert "<script>" in page.locator(".command").inner_text()
    for view, shown in (("#/tier/environment", "svg[aria-label^='Classes requested']"), ("#/anatomy", ".anatomy")):
        page = opened.go(view)
        page.wait_for_selector(shown)
        assert page.locator("main img, main script").count() == 0
        assert page.evaluate("document.title") != "taken"
    for tab in ("program", "log", "messages", "measured", "facts"):
        page = opened.go(f"#/probe/notes/waveform/sine-440?tab={tab}")
        page.wait_for_selector(".tabs")
        page.wait_for_timeout(100)
        if tab != "facts":
            assert "</script><img src=x onerror=" in page.locator("[role=tabpanel]").inner_text(), tab
        assert page.locator("main img:not([src^=sounds])").count() == 0
        assert page.locator("main script").count() == 0
        assert page.evaluate("document.title") != "taken"


def test_the_policy_forbids_scripts_in_the_page_and_requests_to_hosts(browser: Any, run: Path) -> None:
    page = browser.new_page()
    page.goto((run / "report/index.html").as_uri())
    page.wait_for_selector("html[data-ready]")
    broken = page.evaluate(
        """async () => {
            const seen = [];
            document.addEventListener("securitypolicyviolation", (e) => seen.push(e.effectiveDirective));
            document.body.append(Object.assign(document.createElement("script"), { textContent: "window.ran = 1" }));
            document.body.append(Object.assign(document.createElement("img"), { src: "http://127.0.0.1:9/x.png" }));
            await fetch("http://127.0.0.1:9/").catch(() => 0);
            await new Promise((done) => setTimeout(done, 200));
            return [seen.sort(), window.ran ?? null];
        }"""
    )
    page.close()
    assert broken == [["connect-src", "img-src", "script-src-elem"], None]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["#/", "#/tier/notes", "#/tier/speech", PIANO, "#/anatomy", "#/run"])
def test_text_stands_out_from_its_ground(browser: Any, run: Path, scheme: str, view: str) -> None:
    """Contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3) for all text of HTML that is shown."""
    page = browser.new_page(viewport={"width": 1400, "height": 900}, color_scheme=scheme)
    page.goto(f"{(run / 'report/index.html').as_uri()}{view}")
    page.wait_for_timeout(400)
    weak = page.evaluate(
        """() => {
            const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
            const light = (c) => {
                const [r, g, b] = c.map((v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const ground = (node) => {
                for (; node; node = node.parentElement) {
                    const c = rgb(getComputedStyle(node).backgroundColor);
                    if (c.length < 4 || c[3] > 0) return c.slice(0, 3);
                }
                return [255, 255, 255];
            };
            const weak = new Set();
            for (const node of document.querySelectorAll("body *:not(svg *)")) {
                const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim());
                const apart = node.closest("[aria-hidden], .unseen, noscript, option");
                if (!own || apart || !node.checkVisibility()) continue;
                const style = getComputedStyle(node);
                const [a, b] = [light(rgb(style.color).slice(0, 3)), light(ground(node))].sort((x, y) => y - x);
                const ratio = (a + 0.05) / (b + 0.05);
                if (ratio < 4.5) weak.add(`${node.tagName}.${node.className} ${style.color} ${ratio.toFixed(2)}`);
            }
            return [...weak];
        }"""
    )
    page.close()
    assert weak == []


SEEN = {
    "#/": ".headline svg",
    "#/tier/notes": "svg[aria-label^='Pitch requested'] a",
    "#/tier/environment": "svg[aria-label^='Classes requested'] a",
    "#/tier/speech": "svg[aria-label='Vowel space'] a",
    "#/probes": ".clock:has-text('/')",
    "#/anatomy": "svg[aria-label='Techniques by model'] a",
    f"{PIANO}?b=baseline/sine": ".pane:nth-child(2) .clock:has-text('/')",
    "#/run": ".facts",
}
"""Each view, and what is there once it is drawn."""
CONTROLS = {"button", "checkbox", "combobox", "link", "searchbox", "slider", "tab", "textbox"}


@pytest.mark.parametrize("view", SEEN)
def test_every_control_has_a_name(opened: Opened, view: str) -> None:
    """By the names that Chromium itself gives to a screen reader."""
    page = opened.go(view)
    page.wait_for_selector(SEEN[view])
    inside = page.context.new_cdp_session(page)
    nodes = inside.send("Accessibility.getFullAXTree")["nodes"]
    controls = [node for node in nodes if not node["ignored"] and node["role"]["value"] in CONTROLS]
    assert len(controls) > 10
    assert [node for node in controls if not node.get("name", {}).get("value", "").strip()] == []


@pytest.mark.parametrize("view", SEEN)
def test_axe_finds_no_fault(browser: Any, run: Path, view: str) -> None:
    """Rules of WCAG 2.2 A and AA, by axe-core; the package has its axe.min.js."""
    package = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    axe = Path(package.__file__).with_name("axe.min.js")
    page = browser.new_page(viewport={"width": 1400, "height": 900}, bypass_csp=True)
    page.goto(f"{(run / 'report/index.html').as_uri()}{view}")
    page.wait_for_selector(SEEN[view])
    page.add_script_tag(path=axe)
    faults = {}
    for width in (1400, 390):  # a desk and a phone
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        faults[width] = page.evaluate(
            "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })"
            ".then((all) => all.violations.map((v) => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200)]))"
        )
    page.close()
    assert faults == {1400: [], 390: []}


def test_two_thousand_sounds_are_interactive_within_two_seconds(browser: Any, tmp_path: Path) -> None:
    models = ["recorded/one-shot", *(f"baseline/made-{i}" for i in range(11))]
    data = made(tmp_path, models=models, sounds=1)
    assert len(data.items) == 2064
    write_report(data, tmp_path)
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    inside = page.context.new_cdp_session(page)
    inside.send("Performance.enable", {"timeDomain": "threadTicks"})  # whatever else this machine does
    page.goto((tmp_path / "report/index.html").as_uri())
    page.wait_for_selector("html[data-ready]")
    page.get_by_role("link", name="Probes").click()
    page.wait_for_selector(".list .caption")
    busy = {m["name"]: m["value"] for m in inside.send("Performance.getMetrics")["metrics"]}["TaskDuration"]
    assert 0 < busy < 2.0
    page.close()
