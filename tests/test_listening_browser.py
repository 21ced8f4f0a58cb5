"""A listening test in a real browser, from its first page to an answers file that can be read."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from innerear import stages, suite
from innerear.listening import Results, Wanted, build, read_answers, read_key, score_answers, validate
from innerear.listening.files import Answers, checksum
from innerear.run.parts import from_json, to_json
from listening_made import answered, made_run, short, tone

pytestmark = pytest.mark.slow

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
TAKEN = "document.title='taken'"
HOSTILE = f'</script><img src=x onerror="{TAKEN}"><script>{TAKEN}</script>\u2028'
FEW = {"trials": 3, "anchors": 1, "listeners": 2, "options": 4}


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
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A test of each kind, over two models; one caption is hostile."""
    folder = tmp_path_factory.mktemp("listening")
    probes = [msgspec.structs.replace(p, caption=f"{p.caption} {HOSTILE}") for p in suite.edition("1").probes[:5]]
    run = made_run(folder / "run", {"first": tone(0.3, 0.5), "second": tone(0.1, 0.45)}, probes)
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("identify", {"headphones": True}),
        ("ab", {"headphones": False}),
        ("rate", {"headphones": False}),
        ("keys", {"headphones": False, "kind": "identify"}),
        ("free", {"headphones": False, "kind": "identify", "free_text": True}),
    ]
    return {
        name: build([run], folder / name, Wanted(**{"kind": name, **FEW, **more, "welcome": HOSTILE}))
        for name, more in kinds
    }


class Visit:
    """A visit to a test's page, and all that it complained of or asked for."""

    def __init__(self, browser: Any, page: Path, **context: Any) -> None:
        self.context = browser.new_context(offline=True, accept_downloads=True, **context)
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.address = f"{page.as_uri()}?listener=2"
        self.open()

    def open(self) -> None:
        self.page = self.context.new_page()
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(self.address)
        self.page.wait_for_selector("html[data-ready]")

    def done(self) -> None:
        self.context.close()
        assert self.complaints == []
        assert [url for url in self.asked if not url.startswith(("file://", "blob:", "data:"))] == []

    def begin(self) -> None:
        """To the first question, or the headphone check, past the noise by which the volume is set."""
        self.page.click("#start")
        self.page.click('[data-play="0"]')
        self.until("document.querySelector('#next').getAttribute('aria-disabled') === 'false'")
        self.page.click("#next")

    def h1(self) -> str:
        return str(self.page.inner_text("h1"))

    def until(self, truth: str) -> None:
        """Wait until an expression is true; Playwright's own waiting needs the `eval` that the page forbids."""
        for _ in range(500):
            if self.page.evaluate(truth):
                return
            self.page.wait_for_timeout(20)
        pytest.fail(f"not true within 10 s: {truth}")

    def listen(self) -> None:
        """Hear every sound on the page to its end."""
        for place in range(self.page.locator("[data-play]").count()):
            self.page.click(f'[data-play="{place}"]')
            self.until(f"document.querySelectorAll('.sound .small')[{place}].textContent.startsWith('played')")
            # A sound counts as heard just before it ends, and a press before that would pause it.
            self.until(f"!document.querySelector('[data-play=\"{place}\"]').classList.contains('on')")

    def next(self) -> None:
        before = self.page.inner_text(".bar")
        self.page.click("#next")
        self.until(f"document.querySelector('.bar')?.innerText !== {json.dumps(before)}")

    def saved(self) -> dict[str, Any]:
        with self.page.expect_download() as download:
            self.page.click("#save")
        content: dict[str, Any] = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
        return content


def walk(visit: Visit, choose: Any) -> dict[str, Any]:
    visit.begin()
    while visit.h1() not in ("Done. Thank you!", "Stopped. Thank you!"):
        visit.listen()
        choose(visit.page)
        visit.next()
    return visit.saved()


CHOOSE = {
    "identify": lambda page: page.check('input[name="choice"] >> nth=0'),
    "ab": lambda page: page.check('input[name="choice"] >> nth=1'),
    "rate": lambda page: (page.check('input[name="fit"] >> nth=3'), page.check('input[name="natural"] >> nth=1')),
    "free": lambda page: page.fill("#text", "ein Ton, 𝄞 \u2028"),
}


@pytest.mark.parametrize("kind", list(CHOOSE))
def test_from_the_first_page_to_a_scored_answers_file(browser, built, kind, tmp_path):
    test = built[kind].test
    visit = Visit(browser, built[kind].page)
    content = walk(visit, CHOOSE[kind])
    visit.done()
    (tmp_path / "answers.json").write_text(json.dumps(content, indent=1))
    key = read_key(built[kind].key)
    (answers,), refused = read_answers([tmp_path], key)
    results = score_answers([answers], refused, key)
    assert results.refused == []
    assert [one.answers for one in results.listeners] == [len(test.form(2))]
    assert from_json(to_json(results), Results) == results
    assert answers.checksum == checksum(content)
    assert answers.test == test.test
    assert answers.complete
    assert [answer.trial for answer in answers.answers] == [shown.trial for shown in test.form(2)]
    assert [check.clip for check in answers.headphones] == test.headphones
    trials = {trial.id: trial for trial in test.trials}
    for answer, shown in zip(answers.answers, test.form(2), strict=True):
        clips = trials[answer.trial].clips
        assert len(answer.plays) == len(answer.heard_ms) == len(clips)
        assert all(heard <= test.clips[clip] for heard, clip in zip(answer.heard_ms, clips, strict=True))
        if kind == "ab":  # the second of what was shown was chosen, whichever that is
            assert answer.choice == (0 if shown.swapped else 1)
        elif kind == "free":
            assert answer.text == "ein Ton, 𝄞"
        elif kind == "rate":
            assert (answer.fit, answer.natural) == (4, 2)


def test_captions_and_welcome_are_text_and_never_markup(browser, built):
    visit = Visit(browser, built["rate"].page)
    assert "<script>" in visit.page.inner_text("main")
    visit.begin()
    assert "onerror" in visit.page.inner_text("#caption")
    assert visit.page.title() == "What do you hear?"
    visit.done()


def test_no_answer_counts_before_the_sound_was_heard(browser, built):
    visit = Visit(browser, built["free"].page)
    visit.begin()
    visit.page.fill("#text", "a tone")
    before = visit.page.inner_text(".bar")
    visit.page.click("#next", force=True)  # it says that it is disabled, and why
    assert visit.page.inner_text(".bar") == before
    assert "Listen to the sound first" in visit.page.inner_text("#why")
    visit.listen()
    visit.next()
    visit.done()


def test_the_volume_is_set_by_a_noise_that_was_played(browser, built):
    visit = Visit(browser, built["free"].page)
    visit.page.click("#start")
    visit.page.click("#next", force=True)
    assert visit.h1() == "Set your volume"
    assert visit.page.inner_text("#why") == "Play the noise first."
    visit.done()


def test_the_reason_why_it_does_not_go_on_is_that_of_now_and_moves_nothing(browser, built):
    visit = Visit(browser, built["ab"].page, viewport={"width": 380, "height": 760})
    visit.begin()
    height = visit.page.evaluate("document.documentElement.scrollHeight")
    visit.page.click("#next", force=True)
    reason = "document.querySelector('#why').textContent"
    assert "sound A" in visit.page.evaluate(reason)
    visit.page.click('[data-play="0"]')
    visit.until(f"{reason}.includes('sound B')")
    visit.page.click('[data-play="1"]')
    visit.until(f"{reason}.includes('Choose one')")
    assert visit.page.evaluate("document.documentElement.scrollHeight") == height
    CHOOSE["ab"](visit.page)
    visit.until(f"{reason} === ''")
    visit.done()


def test_both_scales_have_keys_of_their_own(browser, built):
    visit = Visit(browser, built["rate"].page)
    visit.begin()
    visit.page.keyboard.press("4")
    visit.page.keyboard.press("0")
    assert visit.page.is_checked('input[name="fit"] >> nth=3')
    assert visit.page.is_checked('input[name="natural"] >> nth=4')
    visit.done()


def test_the_space_bar_chooses_where_it_stands_on_an_option_that_is_not_chosen(browser, built):
    visit = Visit(browser, built["rate"].page)
    visit.begin()
    visit.page.focus('input[name="natural"] >> nth=0')
    visit.page.keyboard.press("Space")
    assert visit.page.is_checked('input[name="natural"] >> nth=0')
    visit.done()


def test_a_closed_page_goes_on_where_it_was(browser, built):
    visit = Visit(browser, built["rate"].page)
    visit.begin()
    visit.listen()
    CHOOSE["rate"](visit.page)
    visit.next()
    visit.listen()
    visit.page.check('input[name="fit"] >> nth=4')
    place = visit.page.inner_text(".bar")
    visit.page.close()
    visit.open()
    assert visit.page.inner_text(".bar") == place
    assert visit.page.is_checked('input[name="fit"] >> nth=4')
    visit.page.check('input[name="natural"] >> nth=0')
    visit.next()  # what was heard before still counts
    visit.done()


def test_a_browser_that_keeps_nothing_still_gives_a_file(browser, built):
    visit = Visit(browser, built["ab"].page)
    visit.context.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }})")
    visit.page.close()
    visit.open()
    content = walk(visit, CHOOSE["ab"])
    assert content["checksum"] == checksum(content)
    visit.done()


def test_the_keyboard_alone_is_enough(browser, built):
    visit = Visit(browser, built["keys"].page)
    page = visit.page
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "start":
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    visit.until("document.querySelector('#next').getAttribute('aria-disabled') === 'false'")
    page.keyboard.press("Enter")
    while visit.h1() != "Done. Thank you!":
        before = page.inner_text(".bar")
        page.keyboard.press("Space")
        visit.until("document.querySelector('.sound .small').textContent.startsWith('played')")
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        visit.until(f"document.querySelector('.bar')?.innerText !== {json.dumps(before)}")
    content = visit.saved()
    assert {answer["choice"] for answer in content["answers"]} == {1}
    visit.done()


def test_who_stops_early_sends_what_there_is(browser, built):
    visit = Visit(browser, built["free"].page)
    visit.page.on("dialog", lambda dialog: dialog.accept())
    visit.begin()
    visit.listen()
    visit.page.fill("#text", "a tone")
    visit.next()
    visit.page.click("#stop")
    content = visit.saved()
    assert len(content["answers"]) == 1
    assert content["complete"] is False
    visit.page.fill("#comment", "no more time")
    assert "once more" in visit.page.inner_text("main [role=status]")
    assert visit.saved()["comment"] == "no more time"
    visit.done()


def test_plays_are_counted(browser, built):
    visit = Visit(browser, built["free"].page)
    visit.begin()
    visit.listen()
    visit.page.click('[data-play="0"]')
    visit.until("document.querySelector('.sound .small').textContent.startsWith('played 2 times')")
    visit.done()


def test_a_press_in_the_last_moment_of_a_sound_plays_it_anew_and_before_that_pauses_it(browser, built):
    visit = Visit(browser, built["free"].page)
    hold = "class extends Audio { constructor(...given) { super(...given); made.push(this); } }"
    visit.context.add_init_script(f"window.made = []; window.Audio = {hold}")
    visit.page.close()
    visit.open()
    visit.begin()

    def pressed_between(low: float, high: float) -> Any:
        """Press the button at such a time, by a clock in the page; whether it plays then, and where."""
        visit.page.evaluate(
            "pressed = null; audio = made.at(-1); button = document.querySelector('[data-play]');"
            "timer = setInterval(() => { if (audio.paused) button.click();"
            f"else if (audio.currentTime > {low} && audio.currentTime < {high}) {{"
            "button.click(); clearInterval(timer); pressed = [!audio.paused, audio.currentTime]; } }, 5)"
        )
        visit.until("pressed !== null")
        return visit.page.evaluate("pressed")

    playing, place = pressed_between(0.1, 0.3)
    assert not playing
    assert 0.1 < place < 0.35
    assert pressed_between(0.38, 0.5) == [True, 0]
    visit.until("document.querySelector('.sound .small').textContent.includes(' times')")
    visit.done()


@pytest.mark.parametrize("text", ["", "abc", "ü€𝄞" * 40, "x" * 55, "x" * 56, "x" * 64, "x" * 1000])
def test_the_pages_sha256_is_pythons(browser, built, text):
    visit = Visit(browser, built["free"].page)
    assert visit.page.evaluate("(text) => InnerEar.sha256(text)", text) == hashlib.sha256(text.encode()).hexdigest()
    visit.done()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", list(CHOOSE))
def test_nothing_is_cut_off_in_a_narrow_window(browser, built, kind, scheme):
    visit = Visit(browser, built[kind].page, viewport={"width": 320, "height": 640}, color_scheme=scheme)
    visit.begin()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 320
    sizes = "[...document.querySelectorAll('button, .option')].map((e) => e.getBoundingClientRect().height)"
    assert min(visit.page.evaluate(sizes)) >= 44  # what a thumb hits
    visit.done()


@pytest.mark.parametrize("width", [360, 1400])
def test_the_report_shows_what_people_heard_and_which_metrics_agree(browser, tmp_path, width):
    probes = short([p for p in suite.edition("1").probes if p.family == "instrument"][:10])
    run = made_run(tmp_path / "run", {"first": tone(0.3, 0.1), "second": tone(0.1, 0.1)}, probes)
    for kind in ("identify", "rate"):
        few = {"trials": 10, "anchors": 2, "listeners": 4, "headphones": False}
        key = read_key(build([run], tmp_path / kind, Wanted(kind=kind, **few)).key)

        def answer(trial, what, clips, kind=kind):
            liked = clips[0].model == "first"
            rated = {"fit": 5 if liked else 2, "natural": 3}
            return rated if kind == "rate" else {"choice": what.right if liked else len(trial.options)}

        answers = [msgspec.convert(answered(key, i, answer), Answers) for i in range(1, 6)]
        validate(run, answers, [], key)
    page = stages.report(run)
    visit = Visit(browser, page, viewport={"width": width, "height": 800})
    visit.page.click('#nav a[href="#/people"]')
    visit.until("document.querySelector('h1').innerText === 'Listening tests'")
    text = visit.page.inner_text("main")
    assert "5 listeners" in text
    assert "Identified by listeners" in text
    assert "Krippendorff" in text
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    visit.done()
