"""Digest of a task's content: suite, references and metric versions."""

from __future__ import annotations

from collections.abc import Sequence

from innerear.metrics.registry import every
from innerear.records import digest
from innerear.reference.sets import KINDS, find_reference
from innerear.suite import Suite


def content_digest(suite: Suite, embedders: Sequence[str]) -> str:
    """Digest of the content; passed as a task argument, because Inspect identifies tasks by their arguments."""
    references = {
        f"{kind.name}/{name}": reference.digest
        for kind in KINDS
        for name in embedders
        if (reference := find_reference(kind.name, name))
    }
    versions = [metric.signature() for metric in every()]
    return digest("content", suite.digest, references, versions)
