"""Read answers files, which come from strangers. A file that the page cannot have written is refused with a reason."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from innerear.errors import UsageError
from innerear.listening.files import Answer, Answers, Key, Trial, checksum
from innerear.run.parts import UNREADABLE, from_json

LARGEST_BYTES = 4 << 20
SLACK_MS = 400  # tolerance of playback times: coarse browser clocks, plus the tolerance of the page itself


class Refused(msgspec.Struct, frozen=True):
    """A file that was refused, and why."""

    file: str
    reason: str


def read_answers(paths: Sequence[Path], key: Key) -> tuple[list[Answers], list[Refused]]:
    """Read answers from files and from the .json files of folders; returns answers and refused files.

    Of several files of the same session (a listener who saved twice) the longest is kept.

    Raises:
        UsageError: there are no files, or all were refused; the message lists the reasons.
    """
    files = list(_files(paths))
    if not files:
        raise UsageError("no answers found; give the .json files that listeners sent back, or folders of them")
    taken: dict[str, tuple[Path, Answers]] = {}
    refused = []
    for path in files:
        try:
            answers = read_one(path, key)
        except UsageError as error:
            refused.append(Refused(_shown(path), str(error)))
            continue
        before = taken.get(answers.session)
        if before is None:
            taken[answers.session] = (path, answers)
            continue
        more, less = (path, before[0]) if len(answers.answers) > len(before[1].answers) else (before[0], path)
        taken[answers.session] = (path, answers) if more == path else before
        refused.append(
            Refused(
                _shown(less),
                f"the same listener's session is also in {_shown(Path(more.name))}, with as many answers or more",
            )
        )
    if not taken:
        raise UsageError("\n".join(["no answers can be used:", *(f"  {one.file}: {one.reason}" for one in refused)]))
    return [answers for _, answers in taken.values()], refused


def _shown(path: Path) -> str:
    """A path as printable text, whatever bytes are in its name."""
    return os.fsencode(path).decode("utf-8", "replace")


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.glob("*.json") if not file.name.endswith(".key.json"))
        else:
            yield path


def read_one(path: Path, key: Key) -> Answers:
    """Read a listener's answers and check that they answer this test.

    Raises:
        UsageError: they do not; the message says why.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise UsageError("not a regular file")
        if about.st_size > LARGEST_BYTES:
            raise UsageError(f"{about.st_size} bytes are too many; answers have at most {LARGEST_BYTES}")
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}") from error
    try:
        raw = from_json(content, Any)
    except ValueError as error:
        raise UsageError(f"not complete JSON; the file is cut off or not an answers file: {error}") from error
    if not isinstance(raw, dict):
        raise UsageError(f"not an answers file: expected a JSON object, got {type(raw).__name__}")
    try:
        answers = msgspec.convert(raw, Answers)
    except UNREADABLE as error:
        raise UsageError(f"not an answers file: {error}") from error
    if answers.test != key.test.test:
        raise UsageError(f"answers another test: {answers.test[:12]}…; the key is for {key.test.test[:12]}…")
    if answers.checksum != checksum(raw):
        raise UsageError("edited or damaged after the page wrote it: the checksum does not match")
    _check(answers, key)
    return answers


def _check(answers: Answers, key: Key) -> None:
    test = key.test
    form = test.form(answers.listener)
    asked = [shown.trial for shown in form]
    given = [answer.trial for answer in answers.answers]
    if given != asked[: len(given)]:
        raise UsageError(f"its trials are not those of listener {answers.listener} in that order")
    if answers.complete != (len(given) == len(asked)):
        claim = "all" if answers.complete else "not all"
        raise UsageError(f"says that {claim} trials were answered, but has {len(given)} of {len(asked)} answers")
    checks = [check.clip for check in answers.headphones]
    if checks != (test.headphones if given else test.headphones[: len(checks)]):
        raise UsageError("its headphone check does not match the test's")
    trials = {trial.id: trial for trial in test.trials}
    for number, answer in enumerate(answers.answers, 1):
        if reason := _wrong(answer, trials[answer.trial], key):
            raise UsageError(f"answer {number}: {reason}")


def _wrong(answer: Answer, trial: Trial, key: Key) -> str:
    """Why the page cannot have written this answer; empty if it can."""
    test = key.test
    if test.kind == "rate":
        fields, last = {"fit", "natural"}, 0
    elif test.free_text:
        fields, last = {"text"}, 0
    else:
        fields, last = {"choice"}, 1 if test.kind == "ab" else len(trial.options)
    has = {name for name in ("choice", "text", "fit", "natural") if getattr(answer, name) is not None}
    if has != fields:
        return f"has {', '.join(sorted(has)) or 'nothing'}; expected {', '.join(sorted(fields))}"
    if answer.choice is not None and answer.choice > last:
        return f"choice {answer.choice} is not between 0 and {last}"
    if not len(answer.plays) == len(answer.heard_ms) == len(trial.clips):
        return f"counts plays of {len(answer.plays)} sounds; the trial has {len(trial.clips)}"
    for clip, plays, heard in zip(trial.clips, answer.plays, answer.heard_ms, strict=True):
        length = test.clips[clip]
        if plays < 1 or heard < min(length, 1000 * test.least_s) - SLACK_MS:
            return f"a sound of {length} ms was played for {heard} ms, less than the page requires"
        if heard > length + SLACK_MS:
            return f"{heard} ms of playback is longer than the sound ({length} ms)"
    return ""
