"""A benchmark whose peer is not installed says so in one line, and fails nothing."""

import sys
from importlib.util import find_spec


def need(*packages: str, how: str) -> None:
    """End the process, with 0, unless these are installed; `how` is said then."""
    if lacking := [name for name in packages if find_spec(name) is None]:
        print(f"not measured: {', '.join(lacking)} not installed; {how}")
        sys.exit(0)
