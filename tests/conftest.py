"""Where the shared data pack is, if it is here; and a cache that is no user's."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from skips import in_a_line

settings.register_profile("shared-machine", deadline=None)  # a busy machine is no failure
settings.load_profile("shared-machine")

SHARED = Path(os.environ["INNEREAR_SHARED"]).resolve() if os.environ.get("INNEREAR_SHARED") else None
WHY_NOT = "INNEREAR_SHARED is not set: the folder that holds the reference data pack"

# Workers of BLAS that wait for a core take it from one another: tests run side by side.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")
for name in ("INNEREAR_REFERENCES", "OPENAI_API_KEY"):
    os.environ.pop(name, None)
if SHARED:
    os.environ["INNEREAR_MODELS"] = str(SHARED / "data" / "models")
    os.environ["INNEREAR_DATA"] = str(SHARED / "data")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long tests first: a worker that starts one at the end keeps the other worker waiting."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Say in one line, after pytest's own list, what was skipped, and how to have it."""
    yield
    reports = terminalreporter.stats.get("skipped", [])
    if line := in_a_line(str(report.longrepr[-1]) for report in reports if isinstance(report.longrepr, tuple)):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder that holds the data pack."""
    if SHARED is None:
        pytest.skip(WHY_NOT)
    return SHARED


@pytest.fixture(scope="session")
def pack(shared: Path) -> Path:
    """The data pack: MANIFEST.csv, env, notes, speech, models, prompts."""
    return shared / "data"


@pytest.fixture(scope="session")
def recorded_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished run of two recordings, noise and silence. Whoever changes it takes a copy."""
    from innerear import RunConfig, choose, create, evaluate, load, open_model

    suite = load("1")
    models = ["recorded/one-shot", "baseline/noise", "baseline/silence"]
    asked = RunConfig(models=models, suite=suite.name, suite_digest=suite.digest, embedders=["mel"])
    folder = tmp_path_factory.mktemp("recorded") / "few"
    run = create(
        folder,
        asked,
        choose(suite.probes, pattern="notes/waveform/*"),
        command="innerear run --model recorded/one-shot",
    )
    evaluate(run, [open_model(name) for name in models])
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of the session's own, for fixtures of modules too: what `make demo` fetched must not move a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INNEREAR_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        yield
