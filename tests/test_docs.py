"""What the docs say can be done, can be done: their Python runs, their commands exist, their links lead somewhere."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from innerear.cli.main import main
from innerear.suite import load

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.S | re.M)


def test_there_are_pages():
    assert len(PAGES) >= 4


def steps(page):
    """What a page runs, in its order, each with the output that the page shows for it."""
    found = re.finditer(
        r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<printed>.*?)^```)?|^```console\n(?P<typed>.*?)^```",
        page.read_text(),
        re.S | re.M,
    )
    for block in found:
        if block["code"]:
            yield block["code"], block["printed"] or ""
        for command, shown in re.findall(r"^\$ (innerear .*)\n((?:(?!\$).*\n)*)", block["typed"] or "", re.M):
            if shown:  # without output it is a way of saying things, in capitals for the reader's own names
                yield shlex.split(command)[1:], shown


def same(printed, shown):
    """Whether two outputs are equal but for digests, and for the last digits of numbers with a point."""
    number = r"-?\d+\.\d+(?:e-?\d+)?"
    bare = [re.sub(r"\b[0-9a-f]{16}\b", "DIGEST", text) for text in (printed, shown)]
    words = [re.sub(number, "NUMBER", text) for text in bare]
    values = [[float(one) for one in re.findall(number, text)] for text in bare]
    return words[0] == words[1] and values[0] == pytest.approx(values[1], rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_runs_prints_what_the_page_shows(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scope = {"__name__": "docs"}
    for work, shown in steps(page):
        if isinstance(work, str):
            exec(compile(work, page.name, "exec"), scope)
            printed = capsys.readouterr().out
        else:
            result = CliRunner().invoke(main, work)
            assert result.exit_code == 0, result.output
            printed = result.stdout
        assert same(printed, shown), f"{work}\nprints\n{printed}\nand the page shows\n{shown}"


@pytest.mark.parametrize(
    ("printed", "alike"),
    [("a 1.0\n", True), ("a 1.000001\n", True), ("a 1.001\n", False), ("b 1.0\n", False), ("a 1.0 2.0\n", False)],
)
def test_outputs_are_told_apart(printed, alike):
    assert same(printed, "a 1.0\n") is alike


def test_the_pages_show_outputs():
    shown = {page.name: sum(bool(output) for _, output in steps(page)) for page in PAGES}
    assert {name: count for name, count in shown.items() if count} == {
        "architecture.md": 5,
        "listening.md": 1,
        "metrics-alone.md": 5,
        "sharing.md": 1,
        "start.md": 2,
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_have_the_options_that_the_page_gives_them(page):
    for block in blocks(page, "(?:sh|console|bash)"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            names = [word.rpartition("/")[2] for word in words]
            if "innerear" not in names:
                continue
            command: click.Command = main
            rest = words[names.index("innerear") + 1 :]
            while isinstance(command, click.Group) and rest and rest[0] in command.commands:
                command = command.commands[rest.pop(0)]
            options = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
            given = {word.partition("=")[0] for word in rest if word.startswith("--")}
            assert given <= options | {"--help", "--version"}, line
            assert not isinstance(command, click.Group) or not rest or rest[0].startswith("-"), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith(("http", "mailto:")):
            assert (page.parent / target).exists(), target


def test_the_readme_fits_on_a_few_screens():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_the_documented_probe_is_a_suite(tmp_path):
    (block,) = blocks(ROOT / "docs" / "start.md", "json")
    (tmp_path / "mine.jsonl").write_text(block)
    (probe,) = load(tmp_path / "mine.jsonl").probes
    assert probe.expect


def test_readme_numbers_and_picture_give_the_same_rates_of_checks():
    readme, numbers = (re.sub(r"\s+", " ", (ROOT / page).read_text()) for page in ("README.md", "docs/numbers.md"))
    drawn = re.findall(r">([^<]+)<", (ROOT / "docs/report/scorecard.svg").read_text())
    picture = " ".join(filter(None, map(str.strip, drawn)))
    rates = re.findall(r"passes (\d+ %) of (\d+) checks", readme)
    assert len(rates) == 2, "notes, and environment"
    for share, n in rates:
        assert f"| {share} of {n} |" in numbers
        assert f"checks passed {share} n {n} of checks passed" in picture
    ((words, n),) = re.findall(r"gets (\d+ %) of its (\d+) words", readme)
    assert f"told no text {words} n {n} of words recognised" in picture
    ((told,),) = [re.findall(r"knows which is which (\d+) times in 100", readme)]
    assert f"environment by aisfx 0.{told} " in picture


def test_the_readme_names_both_commands():
    text = (ROOT / "README.md").read_text()
    assert "make demo" in text
    assert "make test" in text
