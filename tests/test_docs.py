"""What the docs say can be done, can be done: their Python runs, their commands exist, their links lead somewhere."""

import re
import shlex
from pathlib import Path

import click
import pytest

from innerear.cli import main
from innerear.suite import load

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.S | re.M)


def test_there_are_pages():
    assert len(PAGES) >= 4


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_run(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scope = {"__name__": "docs"}
    for code in blocks(page, "python"):
        exec(compile(code, page.name, "exec"), scope)


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


def test_the_readmes_probe_is_a_suite(tmp_path):
    (block,) = blocks(ROOT / "README.md", "json")
    (tmp_path / "mine.jsonl").write_text(block)
    (probe,) = load(tmp_path / "mine.jsonl").probes
    assert probe.expect


def test_the_readme_names_both_commands():
    text = (ROOT / "README.md").read_text()
    assert "make demo" in text
    assert "make test" in text
