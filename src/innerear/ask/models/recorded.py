"""Replay recorded completions: for demonstrations, tests, and use without an API key.

A recording is JSON Lines with at least `probe`, `messages`, `text` (and `attempt`, 0 by default):
the completions of a run are one. The messages must equal those sent now. A file may be compressed (`.jsonl.xz`).
Its first line may say where it comes from: `{"about": {"model": …, "date": …, "parameters": …}}` (see `About`).
A row of programs in another language than Python names it: `"language": "csound"`.
A built-in recording NAME is all files `NAME.jsonl` and `NAME.PART.jsonl.xz`, such as `one-shot.edition-2.jsonl.xz`.
"""

from __future__ import annotations

import lzma
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from innerear.ask.models.base import Local, NotRecorded, Options, Reply
from innerear.ask.strategies import find_strategy
from innerear.errors import RecordingMismatch, UsageError
from innerear.languages import Language, bare, full_name
from innerear.records import Completion, Message, Probe, Round, digest
from innerear.run.parts import UNREADABLE


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a recording comes from: its first line.

    `date` is ISO 8601 (2026-11-28), `parameters` are the sampling parameters as they were sent; `note` has anything
    else that a reader must know.
    """

    model: str
    date: str
    parameters: dict[str, Any]
    strategy: str = ""
    suite: str = ""
    note: str = ""


class _First(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    about: About


FIRST = b'{"about"'
"""How a first line begins that is not an answer."""


class _Row(msgspec.Struct, frozen=True):
    probe: str
    messages: list[Message]
    text: str
    attempt: int = 0
    finish_reason: str | None = None
    usage: dict[str, int] | None = None
    rounds: list[Round] | msgspec.UnsetType = msgspec.UNSET  # not part of the digest if unset
    language: Language | msgspec.UnsetType = msgspec.UNSET

    def reply_to(self, messages: Sequence[Message]) -> Reply | None:
        """The recorded answer to these messages, which may be those of an earlier round."""
        sent = list(messages)
        for past in self.rounds or ():
            if past.messages == sent:
                return Reply(past.text, past.finish_reason)
        if self.messages == sent:
            return Reply(self.text, self.finish_reason, self.usage)
        rest = self.messages[len(sent) :]
        if self.messages[: len(sent)] == sent and rest[0].role == "assistant":
            return Reply(rest[0].content)
        return None


class Recorded(Local):
    """`recorded/NAME`, a built-in recording, or `recorded/PATH.jsonl`, your own."""

    converses = True

    def __init__(self, name: str, options: Options) -> None:
        self.name = f"recorded/{name}"
        self._rows: dict[tuple[str, int], list[_Row]] = {}
        for row in _read(name):
            self._rows.setdefault((row.probe, row.attempt), []).append(row)
        every = (row.language or "python" for rows in self._rows.values() for row in rows)
        self.languages = frozenset(every)

    def prepare(self, probes: Sequence[Probe], completions: Iterable[Completion]) -> None:
        """Check that at least one of the probes was recorded.

        Raises:
            UsageError: none was.
        """
        known = {name for name, _ in self._rows}
        if probes and not any(probe.id in known for probe in probes):
            raise UsageError(
                f"{self.name} has none of the {len(probes)} probes asked for, such as {probes[0].id}; it has "
                f"{len(known)} others. Choose the suite and the probes that were recorded, or record again"
            )

    def lacks(self, probes: Sequence[Probe], attempts: int) -> str:
        """How many answers it has and an example of those that it does not have; empty if it has all."""
        asked = [(probe.id, attempt) for attempt in range(attempts) for probe in probes]
        missing = [one for one in asked if one not in self._rows]
        if not missing:
            return ""
        what = "probes" if attempts == 1 else f"answers ({len(probes)} probes, {attempts} attempts each)"
        probe, attempt = missing[0]
        first = probe if attempts == 1 else f"attempt {attempt} of {probe}"
        held = len(asked) - len(missing)
        return f"{self.name} has {held} of the {len(asked)} {what}; it skips the others, such as {first}"

    def _find(self, probe: Probe, attempt: int) -> list[_Row]:
        try:
            return self._rows[probe.id, attempt]
        except KeyError:
            attempts = sum(known == probe.id for known, _ in self._rows)
            held = f"{attempts} attempt{'s' if attempts != 1 else ''} of probe {probe.id!r}"
            raise NotRecorded(
                f"{self.name} holds {held}, wanted attempt {attempt}; "
                "choose the probes and attempts that were recorded, or record again"
            ) from None

    def identity(self, probe: Probe, attempt: int) -> str:
        """The digest of what was recorded."""
        return digest(*self._find(probe, attempt))

    async def ask(self, probe: Probe, messages: Sequence[Message], attempt: int) -> Reply:
        """Return the recorded answer to these messages."""
        rows = self._find(probe, attempt)
        for row in rows:
            if reply := row.reply_to(messages):
                return reply
        raise RecordingMismatch(
            f"{self.name} was recorded with other messages for probe {probe.id!r}: "
            f"{_difference(rows[0], messages)}; "
            "use the suite and the strategy of the recording, or record again"
        )


def recording(completions: Sequence[Completion], about: About | None = None) -> list[bytes]:
    """The lines of a recording of these completions; each answer of `best-of` becomes its own attempt.

    Completions that are real recordings are skipped. `about` becomes the first line.
    """
    lines: list[bytes] = []
    for completion in completions:
        if completion.recording is not None:
            continue
        draws = find_strategy(completion.strategy).draws
        if draws > 1 and completion.rounds:
            rows = [
                _Row(completion.probe, held.messages, held.text, completion.attempt * draws + draw, held.finish_reason)
                for draw, held in enumerate(completion.rounds)
            ]
        else:
            rows = [
                _Row(
                    completion.probe,
                    completion.messages,
                    completion.text,
                    completion.attempt,
                    completion.finish_reason,
                    completion.usage,
                    completion.rounds or msgspec.UNSET,
                )
            ]
        if completion.language != "python":
            rows = [msgspec.structs.replace(row, language=completion.language) for row in rows]
        lines += map(msgspec.json.encode, rows)
    return [msgspec.json.encode(_First(about)), *lines] if about and lines else lines


def about(name: str) -> About | None:
    """Where a recording says that it comes from; `None` if it does not.

    Raises:
        UsageError: no such recording, or its first line is not as it should be.
    """
    where, data = _files(name)[0]
    first = data.splitlines()[0] if data.strip() else b""
    if not first.startswith(FIRST):
        return None
    try:
        return msgspec.json.decode(first, type=_First).about
    except UNREADABLE as error:
        raise UsageError(f"recording {where}, line 1: {error}") from error


def recorded_texts(name: str) -> list[str]:
    """The answers of a recording."""
    return [row.text for row in _read(name)]


def problems(name: str, probes: Mapping[str, Probe]) -> list[str]:
    """What a recording lacks to be contributed, one line each: see docs/recordings.md.

    Args:
        name: the recording, as after `recorded/`.
        probes: the probes of all editions, by id.
    """
    found, said = [], about(name)
    if said is None:
        found.append(
            'the first line does not say where it comes from: {"about": {"model": …, "date": …, "parameters": …}}'
        )
    elif not said.model.strip():
        found.append("`about` names no model")
    elif not re.fullmatch(r"\d{4}-\d\d-\d\d(T.*)?", said.date):
        found.append(f"the date {said.date!r} is not as in 2026-11-28")
    kind = bare((said and said.strategy) or "direct")
    seen: set[tuple[str, int, str]] = set()
    for row in _read(name):
        language = row.language or "python"
        strategy = find_strategy(full_name(kind, language))
        place = f"attempt {row.attempt} of {row.probe}"
        if (row.probe, row.attempt, language) in seen:
            found.append(f"{place} is there twice")
        seen.add((row.probe, row.attempt, language))
        if row.probe not in probes:
            found.append(f"{place}: no edition has this probe")
        elif row.reply_to(strategy.opening(probes[row.probe])) is None:
            found.append(f"{place} was asked in other words than the strategy {strategy.name} sends")
        if not row.text.strip():
            found.append(f"{place} has no answer")
    return found


def _difference(row: _Row, messages: Sequence[Message]) -> str:
    for number, (was, now) in enumerate(zip(row.messages, messages, strict=False), 1):
        if was != now:
            pairs = enumerate(zip(was.content, now.content, strict=False))
            at = next((i for i, (a, b) in pairs if a != b), 0)
            span = slice(max(0, at - 20), at + 40)
            return f"message {number} has {was.content[span]!r}, wanted {now.content[span]!r}"
    return f"it has {len(row.messages)} messages, wanted {len(messages)}"


def _read(name: str) -> list[_Row]:
    rows: list[_Row] = []
    for where, data in _files(name):
        decoder = msgspec.json.Decoder(_Row)
        for number, line in enumerate(data.splitlines(), 1):
            if line.strip() and not (number == 1 and line.startswith(FIRST)):
                try:
                    rows.append(decoder.decode(line))
                except UNREADABLE as error:
                    raise UsageError(f"recording {where}, line {number}: {error}") from error
    return rows


def _files(name: str) -> list[tuple[str, bytes]]:
    """The files of a recording, each with its name: one's own, or all that ship under this name."""
    try:
        if name.endswith((".jsonl", ".jsonl.xz")):
            return [(name, _unpacked(name, Path(name).read_bytes()))]
    except (OSError, lzma.LZMAError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"the recording {name} cannot be read: {why}") from error
    shipped = sorted((resources.files("innerear.ask.models") / "recordings").iterdir(), key=lambda file: file.name)
    found = [
        (file.name, _unpacked(file.name, file.read_bytes())) for file in shipped if file.name.split(".")[0] == name
    ]
    if not found:
        names = dict.fromkeys(file.name.split(".")[0] for file in shipped)
        raise UsageError(
            f"no recording {name!r}; there are {', '.join(names)}, "
            "or give the path of your own file: recorded/PATH.jsonl"
        )
    return found


def _unpacked(name: str, data: bytes) -> bytes:
    return lzma.decompress(data) if name.endswith(".xz") else data
