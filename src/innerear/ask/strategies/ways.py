"""The strategies, each a generator (see `base`). They depend only on the probe and replies."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from innerear import records
from innerear.ask.strategies.base import Ask, Conversation, Heard, Listen, Render
from innerear.ask.strategies.brief import brief_details
from innerear.programs.bank import bank
from innerear.programs.extract import extract
from innerear.records import Message, Outcome, Probe, digest

ONLY_CODE = "Reply with one complete Python program in a single fenced code block, and nothing else."
TASK = """\
- Write {duration_s:g} seconds of mono audio at 44100 Hz to the file output.wav in the working directory.
- Use only the Python standard library, NumPy and SciPy.
- Make the sound from scratch: no recordings, no text-to-speech engine, no network, no other files."""
LONGEST_ERROR = 2000  # last characters of a program's output that are sent back to the model


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if line)


def _request(probe: Probe, details: str, limit: str = "") -> Message:
    return Message(
        "user",
        _lines(
            f"Write a Python program that synthesises this sound: {probe.caption}.",
            details,
            TASK.format(duration_s=probe.duration_s),
            limit,
        ),
    )


_SYSTEM = Message("system", f"You write programs that make sound. {ONLY_CODE}")


def _direct(probe: Probe) -> list[Message]:
    return [_SYSTEM, _request(probe, probe.details)]


def _ask(messages: list[Message], draw: int = 0) -> Generator[Ask, str, str]:
    return (yield Ask(messages, draw))


def direct(probe: Probe) -> Conversation:
    """One request for the program. Recordings depend on its wording, so it must not change."""
    return (yield from _ask(_direct(probe)))


def brief(probe: Probe) -> Conversation:
    """The probe as an expert would specify it, with exact figures; the model only has to implement it."""
    return (yield from _ask([_SYSTEM, _request(probe, _lines(probe.details, *brief_details(probe)))]))


def plan(probe: Probe) -> Conversation:
    """First a description of the sound in acoustic terms, then the program."""
    messages = [
        Message("system", "You write programs that make sound."),
        Message(
            "user",
            _lines(
                f"Think about how this sound is heard: {probe.caption}.",
                probe.details,
                "Describe its sources, its spectrum, its envelope and its course in time, with figures in "
                "hertz, decibels and seconds, in at most 200 words. Do not write code yet.",
            ),
        ),
    ]
    description = yield from _ask(messages)
    return (
        yield from _ask(
            [
                *messages,
                Message("assistant", description),
                Message(
                    "user",
                    _lines(
                        "Now write a Python program that synthesises it as you described it.",
                        TASK.format(duration_s=probe.duration_s),
                        ONLY_CODE,
                    ),
                ),
            ]
        )
    )


def few_shot(probe: Probe, count: int) -> Conversation:
    """First K probes of other families with their reference programs, then the probe."""
    others = [shown for shown in bank() if shown.probe.family != probe.family]
    others.sort(key=lambda shown: (shown.probe.tier != probe.tier, digest(probe.id, shown.probe.id)))
    shots = []
    for shown in others[:count]:
        shots += [
            _request(shown.probe, shown.probe.details),
            Message("assistant", f"```python\n{shown.code}```"),
        ]
    return (yield from _ask([_SYSTEM, *shots, _request(probe, probe.details)]))


def short(probe: Probe, lines: int) -> Conversation:
    """The direct request, with at most N lines of code: a weaker system by construction."""
    limit = f"- Use at most {lines} lines of code, none longer than 100 characters."
    return (yield from _ask([_SYSTEM, _request(probe, probe.details, limit)]))


def repair(probe: Probe, rounds: int) -> Conversation:
    """If the program fails, its error is sent back, at most K times."""
    messages = _direct(probe)
    text = yield from _ask(messages)
    for _ in range(rounds):
        row: records.Render = yield Render(extract(text))
        if row.outcome == Outcome.OK:
            break
        messages = [*messages, Message("assistant", text), _error(row)]
        text = yield from _ask(messages)
    return text


def _error(row: records.Render) -> Message:
    return Message(
        "user",
        _lines(
            f"The program failed ({row.outcome.replace('_', ' ')}): {row.reason}".rstrip(": "),
            f"The end of what it printed:\n{row.log[-LONGEST_ERROR:].strip()}" if row.log.strip() else "",
            "Mend it.",
            ONLY_CODE,
        ),
    )


def listen(probe: Probe, rounds: int) -> Conversation:
    """The model gets the listener's report on its sound and may revise the program, at most K times.

    If the program fails, its error is sent back as in `repair`. After a reply without a program the
    previous program counts.
    """
    messages = _direct(probe)
    text = yield from _ask(messages)
    for _ in range(rounds):
        row, heard = yield from _render_and_listen(text)
        back = _error(row) if heard is None else _report(heard)
        messages = [*messages, Message("assistant", text), back]
        reply = yield from _ask(messages)
        if heard is not None and extract(reply).code is None:
            break
        text = reply
    return text


def _render_and_listen(text: str) -> Generator[Render | Listen, Any, tuple[records.Render, Heard | None]]:
    row = yield Render(extract(text))
    heard = (yield Listen(row)) if row.outcome == Outcome.OK else None
    return row, heard


def _report(heard: Heard) -> Message:
    return Message(
        "user",
        _lines(
            "The program ran. This is what instruments hear in its sound:",
            heard.words,
            "Where this is not the sound that was asked for, change the program. "
            "Where you would change nothing, reply with the one word DONE.",
            f"Else: {ONLY_CODE[0].lower()}{ONLY_CODE[1:]}",
        ),
    )


def best_of(probe: Probe, count: int) -> Conversation:
    """N answers to the same request; the one that the listener rates highest counts, the first of equals."""
    texts, worths = [], []
    for draw in range(count):
        texts.append((yield from _ask(_direct(probe), draw)))
        _, heard = yield from _render_and_listen(texts[-1])
        worths.append(-1.0 if heard is None else heard.worth)
    return texts[worths.index(max(worths))]
