"""What commands take for a run folder: a path, or an address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class RunFolder(click.ParamType):  # type: ignore[type-arg]
    """A path, or the address of a folder elsewhere."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The folder that a word names."""
        from innerear.folders import folder

        found = folder(value)
        if "://" not in str(value) and found.is_file():
            self.fail(f"{value} is a file, wanted a folder", param, ctx)
        return found
