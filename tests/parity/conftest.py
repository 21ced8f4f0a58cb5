"""A checkpoint with random weights, and what `innerear models export` makes of it, for the modules that ask."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from innerear.cli.main import main


@pytest.fixture(scope="module")
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the checkpoint that the module's `CHECKPOINT` names and saves."""
    folder = tmp_path_factory.mktemp("hub")
    _, save = request.module.CHECKPOINT
    save(folder)
    return folder


@pytest.fixture(scope="module")
def cache(request: pytest.FixtureRequest, hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the networks made of it."""
    folder = tmp_path_factory.mktemp("cache")
    name, _ = request.module.CHECKPOINT
    made = CliRunner(env={"INNEREAR_CACHE": str(folder), "INNEREAR_MODELS": ""}).invoke(
        main, ["models", "export", name, "--from", str(hub)]
    )
    assert made.exit_code == 0, made.output
    return folder


@pytest.fixture
def exported(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Embedders find their weights in that cache alone."""
    monkeypatch.setenv("INNEREAR_CACHE", str(cache))
    monkeypatch.delenv("INNEREAR_MODELS", raising=False)
