"""API keys from a `.env` file in the working directory."""

from __future__ import annotations

import os
from pathlib import Path

from innerear.errors import UsageError

NAMES = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "INNEREAR_PRICES")


def read_env(file: Path) -> None:
    """Set environment variables from the NAME=VALUE lines of a file, if they are in `NAMES` and not yet set.

    Quotes around a value and `export` before a name are dropped; other names are ignored, and so is
    a missing file.

    Raises:
        UsageError: the file cannot be read. Values are never shown.
    """
    try:
        text = file.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{file} cannot be read as text; wanted lines such as OPENAI_API_KEY=…") from None
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and name.strip() in NAMES:
            value = value.strip()
            if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
                value = value[1:-1]
            os.environ.setdefault(name.strip(), value)
