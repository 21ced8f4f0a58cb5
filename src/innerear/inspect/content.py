"""The digest of all that is asked and judged: suite, references, and the versions of the metrics."""

from __future__ import annotations

from collections.abc import Sequence

from innerear.metrics import measure as metrics
from innerear.records import digest
from innerear.reference import KINDS, find_reference
from innerear.suite import Suite


def content_digest(suite: Suite, embedders: Sequence[str]) -> str:
    """Inspect tells tasks apart by their arguments; this digest makes their content one of them."""
    references = {
        f"{kind.name}/{name}": reference.digest
        for kind in KINDS
        for name in embedders
        if (reference := find_reference(kind.name, name))
    }
    paths = [*metrics.SOUND_METRICS.values(), *metrics.CHECK_METRICS.values()]
    versions = [metrics.signature(metrics.find_metric(path)) for path in paths]
    return digest("content", suite.digest, references, versions)
