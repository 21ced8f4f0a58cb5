"""The scores of a run: `scores.json`, computed again only if its inputs have changed.

Of those by embeddings, only the groups whose sounds have changed are; `kept` has the others.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

from innerear.compute.work import Executor
from innerear.embed.batches import parts_of, read_embeddings
from innerear.metrics import verified
from innerear.metrics.measure import paired
from innerear.metrics.registry import every
from innerear.records import Score, digest
from innerear.reference.sets import digests_of
from innerear.run.parts import from_json, to_json, write_whole
from innerear.run.progress import Progress, Say
from innerear.run.rows import ScoreFile as ScoreFile
from innerear.run.run import Run, embeddings_folder
from innerear.scores.kept import read_kept, write_kept
from innerear.scores.score import VERSION, score


def score_run(run: Run, progress: Progress, machines: Executor | None, say: Say) -> list[Score]:
    """The scores in `scores.json`, or new ones if its inputs have changed.

    `say` gets a line per damaged file, with the command that repairs it.
    """
    items, rows, signatures = run.items(), run.measurements(), run.file.signatures
    folders = {name: embeddings_folder(run, name) for name in run.asked.embedders if name in signatures}
    parts = {name: [path.name for path in parts_of(folder)] for name, folder in folders.items()}
    outcomes = [(item.completion.key, item.render.key, item.render.outcome) for item in items]
    stamps = [metric.plugin for metric in every() if metric.plugin]
    inputs = digest(
        outcomes,
        sorted(rows),
        parts,
        signatures,
        run.probes,
        digests_of(run.asked.embedders),
        verified.shipped(),
        version("innerear"),
        VERSION,
        *stamps,
    )
    path = run.folder / "scores.json"
    before = _scores_before(path, say)
    if before is not None and before.inputs == _sealed(inputs, before.scores):
        return before.scores
    damaged: dict[Path, str] = {}
    embedded = {
        name: (signatures[name], read_embeddings(folders[name], damaged.__setitem__)) if name in folders else None
        for name in run.asked.embedders
    }
    for why in damaged.values():
        say(f"{why}; its sounds count as missing until `innerear embed {run.folder}` embeds them again")
    kept = read_kept(run.folder)
    found = score(paired(rows, items), embedded, progress, machines, kept)
    write_kept(run.folder, kept)
    content = ScoreFile("" if damaged else _sealed(inputs, found), found)  # computed again once the damage is repaired
    write_whole(path, to_json(content, indent=1))
    return found


def _sealed(inputs: str, scores: list[Score]) -> str:
    """A digest of the inputs and of the scores themselves, so that edited scores are not taken for computed ones."""
    return digest(inputs, hashlib.sha256(to_json(scores)).hexdigest())


def _scores_before(path: Path, say: Say) -> ScoreFile | None:
    """The previous scores, if they can be read."""
    try:
        return from_json(path.read_bytes(), ScoreFile) if path.exists() else None
    except (OSError, ValueError) as error:
        say(f"{path} is damaged, or of another version ({error}); it is made again")
        return None
