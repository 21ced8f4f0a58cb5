"""Check a recording that somebody contributes: `python -m innerear.lab.recordings FILE.jsonl`."""

from __future__ import annotations

import sys

from innerear.ask.models.recorded import problems
from innerear.errors import InnerEarError
from innerear.suite import every_probe


def main(names: list[str]) -> int:
    """Print what the recordings lack, one line each; 1 if anything."""
    probes = {probe.id: probe for probe in every_probe()}
    found = []
    for name in names:
        try:
            found += [f"{name}: {line}" for line in problems(name, probes)]
        except InnerEarError as error:
            found.append(str(error))
    sys.stdout.writelines(f"{line}\n" for line in found)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
