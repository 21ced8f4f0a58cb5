"""What a release repeats in several places is the same there."""

import json
import re
import tomllib
from pathlib import Path

import innerear

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_version_is_that_of_the_installed_package_and_of_the_citation():
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.M)
    assert cited is not None
    assert cited[1] == PROJECT["version"] == innerear.__version__


def test_every_page_has_its_place_in_the_site():
    named = re.findall(r"([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M)
    assert len(named) == len(set(named))
    assert set(named) >= {page.name for page in (ROOT / "docs").glob("*.md")}


def test_the_image_runs_the_same_demo_as_make_demo():
    (run,) = re.findall(r"innerear (run .*?) --out", (ROOT / "Makefile").read_text().replace("\\\n\t\t", ""))
    (said,) = re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.M)
    assert run in json.loads(said)[-1]


def test_the_image_is_given_what_the_wheel_is_built_from():
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert kept >= {"src", "pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]}
