"""The scores that embeddings decide, kept by group: a changed check, or another model, does not compute them again.

Distances, realism and diversity take most of the time of scoring, and depend on no measurement.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import msgspec

from innerear.embed.batches import Embedding
from innerear.metrics.group import Group
from innerear.records import Score, digest
from innerear.reference.sets import KINDS, find_reference
from innerear.run.parts import from_json, to_json, write_whole
from innerear.scores.clap import CAPTION, captions
from innerear.scores.distances import ANCHORS

NAME = "heard.json"

Kept = dict[str, list[Score]]
"""The scores of groups by `key_of`."""


class KeptFile(msgspec.Struct, frozen=True):
    """`heard.json`. `seal` is the digest of the scores, so that edited ones are computed again."""

    seal: str
    groups: Kept


def key_of(group: Group, embedded: Mapping[str, Embedding | None], code: int) -> str:
    """The digest of everything that decides a group's scores by embeddings; `code`: the version of how.

    Sounds are named by their content, so which of them an embedder has heard says what it made of them.
    """
    items = [(item.completion.key, item.program.digest, item.render.outcome, item.render.audio) for item in group.items]
    names = {item.render.audio for item in group.items if item.render.audio}
    names |= {f"{anchor}/{probe.id}" for anchor in ANCHORS for probe in group.probes}
    names |= {CAPTION + text for text in captions(group.probes)}
    heard = [
        (name, embedding and (embedding[0], sorted(names & embedding[1].keys())))
        for name, embedding in embedded.items()
    ]
    references = [
        (kind.name, name, reference.digest)
        for name, embedding in embedded.items()
        for kind in KINDS
        if embedding and (reference := find_reference(kind.name, name))
    ]
    of = group.model, group.strategy, group.tier, sorted(group.seen)
    return digest("heard", version("innerear"), code, of, group.probes, items, heard, references)


def read_kept(folder: Path) -> Kept:
    """What a run keeps; nothing if the file is missing, damaged or edited."""
    try:
        found = from_json((folder / NAME).read_bytes(), KeptFile)
    except (OSError, ValueError):
        return {}
    return found.groups if found.seal == _seal(found.groups) else {}


def write_kept(folder: Path, groups: Kept) -> None:
    """Keep the scores of these groups, and of no others."""
    write_whole(folder / NAME, to_json(KeptFile(_seal(groups), groups)))


def _seal(groups: Kept) -> str:
    return hashlib.sha256(to_json(groups)).hexdigest()
