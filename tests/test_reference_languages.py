"""Reference programs in other languages: of the same probes, in every tier; they parse, and pass all checks."""

import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from innerear.errors import JailUnavailable
from innerear.lab.reference_programs import sounds, verify
from innerear.languages import LANGUAGES, Language
from innerear.programs.bank import bank
from innerear.programs.guard import violation
from innerear.records import TIERS

CHECKS: dict[Language, list[str]] = {
    "csound": ["csound", "--syntax-check-only"],
    "faust": ["faust", "-o", "parsed.cpp"],
    "javascript": ["node", "-e", "process.argv.slice(1).map((f) => new vm.Script(fs.readFileSync(f, 'utf8')))"],
}
"""The command that parses a program and does not run it."""


@pytest.mark.parametrize("language", CHECKS)
def test_a_language_has_programs_of_the_probes_that_python_has(language):
    shown = bank(language)
    assert {one.probe.id for one in shown} <= {one.probe.id for one in bank()}
    assert {one.probe.tier for one in shown} == set(TIERS)
    assert len({(one.probe.tier, one.probe.family) for one in shown}) >= 8
    suffix = Path(LANGUAGES[language].file).suffix
    assert len(list(resources.files("innerear.programs").rglob(f"*{suffix}.txt"))) == len(shown)


@pytest.mark.parametrize("language", CHECKS)
def test_reference_programs_parse_as_their_language(language, tmp_path):
    command = CHECKS[language]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not here")
    files = []
    for number, shown in enumerate(bank(language)):
        assert max(map(len, shown.code.splitlines())) <= 130
        assert violation(shown.code, language=language) is None
        files.append(f"{number}{Path(LANGUAGES[language].file).suffix}")
        (tmp_path / files[-1]).write_text(shown.code)
    for some in [files] if language == "javascript" else [[file] for file in files]:
        run = subprocess.run([*command, *some], cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert run.returncode == 0, run.stderr


def test_the_page_shows_the_programs_that_are_here():
    page = (Path(__file__).parent.parent / "docs/languages-by-example.md").read_text()
    for language in CHECKS:
        (bell,) = (one for one in bank(language) if one.probe.id == "notes/partials/church-bell")
        assert f"\n{bell.code}```\n" in page, "run scripts/languages.py again"
        assert all(f"| `{one.probe.id}` |" in page for one in bank("csound"))


@pytest.mark.slow
@pytest.mark.parametrize("language", CHECKS)
def test_all_reference_programs_pass_all_checks_in_the_jail(language):
    try:
        verdicts = list(verify(language=language))
    except JailUnavailable as missing:
        pytest.skip(str(missing))
    assert [verdict.line() for verdict in verdicts if not verdict.holds] == []
    assert [verdict.line() for verdict in verdicts if verdict.failed] == []


@pytest.mark.slow
def test_the_noise_of_csound_is_seeded():
    if not shutil.which("csound"):
        pytest.skip("csound is not here")
    runs = [[sound.render.audio for _, sound in sounds(bank("csound"))] for _ in range(2)]
    assert runs[0] == runs[1]
