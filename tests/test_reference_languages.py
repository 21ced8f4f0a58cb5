"""Reference programs that are not Python: of the same probes, in every tier, and each its language's own compiler's."""

import shutil
import subprocess
from importlib import resources

import pytest

from innerear.languages import LANGUAGES, Language
from innerear.programs.bank import Reference, bank
from innerear.records import TIERS

CHECKS: dict[Language, list[str]] = {
    "csound": ["csound", "--syntax-check-only"],
    "javascript": ["node", "--check"],
}
"""The command that parses a program, and leaves it at that."""
SHOWN = [shown for language in CHECKS for shown in bank(language)]


@pytest.mark.parametrize("language", CHECKS)
def test_a_language_has_programs_of_the_probes_that_python_has(language):
    shown = bank(language)
    assert {one.probe.id for one in shown} <= {one.probe.id for one in bank()}
    assert {one.probe.tier for one in shown} == set(TIERS)
    assert len({(one.probe.tier, one.probe.family) for one in shown}) >= 8
    kind = LANGUAGES[language].file.partition(".")[2]
    assert len(list(resources.files("innerear.programs").rglob(f"*.{kind}.txt"))) == len(shown)


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: f"{shown.language}-{shown.probe.id}")
def test_a_reference_program_parses_as_its_language(shown: Reference, tmp_path):
    command = CHECKS[shown.language]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not here")
    file = tmp_path / LANGUAGES[shown.language].file
    file.write_text(shown.code)
    done = subprocess.run([*command, file.name], cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert max(map(len, shown.code.splitlines())) <= 130
