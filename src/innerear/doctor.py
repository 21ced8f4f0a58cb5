"""What works on this machine, and the fix for what does not."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    """One thing that was tried: what, whether it works, and what there is to say of it."""

    what: str
    works: bool
    says: str


def examine() -> Iterator[Finding]:
    """Try everything that a run may need; nothing is downloaded."""
    yield from _jail()
    yield from _embedders()
    yield _cache()
    yield from _models()


def _jail() -> Iterator[Finding]:
    from innerear.jail import probe

    for found in probe():
        if found.missing:
            yield Finding(f"jail {found.way}", False, f"{found.missing}. {found.fix}".strip())
        else:
            layers = ", ".join(f"{name} {value}" for name, value in found.facts.items())
            yield Finding(f"jail {found.way}", True, layers)


def _embedders() -> Iterator[Finding]:
    from innerear.embed import EMBEDDERS, open_embedder
    from innerear.embed.weights import fetch, sources
    from innerear.errors import WeightsUnavailable

    for name in EMBEDDERS:
        try:
            if name in sources():
                fetch(name, may_fetch=False)
            embedder = open_embedder(name)
        except WeightsUnavailable as error:
            yield Finding(f"embedder {name}", False, str(error))
        else:
            yield Finding(f"embedder {name}", True, embedder.signature)


def _cache() -> Finding:
    from innerear.embed.weights import cache_folder

    folder = cache_folder()
    nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if os.access(nearest, os.W_OK):
        return Finding("cache", True, str(folder))
    return Finding("cache", False, f"{folder} cannot be written; name another folder in INNEREAR_CACHE")


def _models() -> Iterator[Finding]:
    yield Finding("models recorded, baseline", True, "need nothing")
    data = os.environ.get("INNEREAR_DATA")
    if data and (Path(data) / "MANIFEST.csv").exists():
        yield Finding("model real", True, data)
    else:
        yield Finding("model real", False, "run `innerear reference fetch FOLDER`, then set INNEREAR_DATA to it")
    if importlib.util.find_spec("openai") is None:
        yield Finding("models openai", False, "pip install 'innerear[openai]'")
    elif not os.environ.get("OPENAI_API_KEY"):
        yield Finding("models openai", False, "set OPENAI_API_KEY (servers named by --base-url may need none)")
    else:
        yield Finding("models openai", True, "a key is set")
