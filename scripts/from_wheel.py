"""Install the built wheel as a user does, outside the checkout, and run the short form of the demo from it.

    python scripts/from_wheel.py dist/innerear-*.whl [PYTHON]

PYTHON is the interpreter of the fresh environment; by default the one that runs this script.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEMO = ["--suite", "2/core", "--probes", "*/*/t*", "--model", "recorded/one-shot", "--model", "baseline/noise"]
LARGEST_MB = 20  # PyPI's limit is 100


def surprises(wheel: Path) -> list[str]:
    """What is in the wheel and should not be, or is not and should be."""
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    tops = {name.partition("/")[0] for name in names}
    found = [f"a file outside the package: {top}" for top in tops if not top.startswith("innerear")]
    found += [f"tests: {name}" for name in names if "tests/" in name or "/test_" in name or "conftest" in name]
    sounds = (".wav", ".flac", ".ogg", ".mp3", ".onnx", ".tflite", ".pt", ".pyc")
    found += [f"audio, weights or bytecode: {name}" for name in names if name.endswith(sounds)]
    wanted = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src/innerear").rglob("*.py")}
    found += [f"a module is missing: {name}" for name in wanted - set(names)]
    if wheel.stat().st_size > LARGEST_MB * 1e6:
        found.append(f"{wheel.stat().st_size / 1e6:.0f} MB, wanted at most {LARGEST_MB}")
    return found


def main() -> None:
    """Check the wheel named on the command line."""
    wheel = Path(sys.argv[1]).resolve()
    python = sys.argv[2] if len(sys.argv) > 2 else sys.executable
    if found := surprises(wheel):
        sys.exit("\n".join(found))
    with tempfile.TemporaryDirectory(prefix="innerear-wheel-") as name:
        folder = Path(name)
        environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}

        def run(*command: str | Path) -> str:
            done = subprocess.run(
                list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
            return done.stdout

        folder.chmod(0o755)
        run(python, "-m", "venv", "env")
        binaries = folder / "env" / "bin"
        run(binaries / "pip", "install", "--quiet", "--disable-pip-version-check", f"{wheel}[yamnet]")
        where = run(
            binaries / "python", "-c", "import innerear; print(innerear.__file__, innerear.__version__)"
        ).split()
        version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
        if not where[0].startswith(str(folder / "env")) or where[1] != version:
            sys.exit(f"wanted version {version} in {folder}, got {where}")
        sys.stdout.write(run(binaries / "innerear", "run", *DEMO, "--out", "demo"))
        scores = list(csv.DictReader(run(binaries / "innerear", "export", "demo").splitlines()))
        played = {row["model"]: row["value"] for row in scores if row["metric"] == "audible" and row["tier"] == "notes"}
        if played.get("recorded/one-shot") != "1.0" or not (folder / "demo/report/index.html").exists():
            sys.exit(f"the demo did not play: {played}")
    sys.stdout.write(f"{wheel.name} installs and runs the demo with {python}\n")


if __name__ == "__main__":
    main()
