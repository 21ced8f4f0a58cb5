"""The strategies, each a generator (see `base`). They depend only on the probe, the language and replies."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from innerear import records
from innerear.ask.strategies.base import Ask, Conversation, Heard, Listen, Render
from innerear.ask.strategies.brief import brief_details
from innerear.ask.strategies.feedback import explained, printed
from innerear.ask.strategies.wording import WORDINGS
from innerear.errors import UsageError
from innerear.languages import Language
from innerear.programs.bank import bank
from innerear.programs.extract import extract
from innerear.records import Message, Outcome, Probe, Program, digest


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if line)


def _request(probe: Probe, details: str, language: Language, limit: str = "") -> Message:
    wording = WORDINGS[language]
    return Message(
        "user",
        _lines(
            f"Write a {wording.title} program that synthesises this sound: {probe.caption}.",
            details,
            wording.task(probe),
            limit,
        ),
    )


def _system(language: Language) -> Message:
    return Message("system", f"You write programs that make sound. {WORDINGS[language].only_code}")


def _direct(probe: Probe, language: Language) -> list[Message]:
    return [_system(language), _request(probe, probe.details, language)]


def _ask(messages: list[Message], draw: int = 0) -> Generator[Ask, str, str]:
    return (yield Ask(messages, draw))


def direct(probe: Probe, *, language: Language = "python") -> Conversation:
    """One request for the program. Recordings depend on its wording, so it must not change."""
    return (yield from _ask(_direct(probe, language)))


def brief(probe: Probe, *, language: Language = "python") -> Conversation:
    """The probe as an expert would specify it, with exact figures; the model only has to implement it."""
    details = _lines(probe.details, *brief_details(probe))
    return (yield from _ask([_system(language), _request(probe, details, language)]))


def plan(probe: Probe, *, language: Language = "python") -> Conversation:
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
                        f"Now write a {WORDINGS[language].title} program that synthesises it as you described it.",
                        WORDINGS[language].task(probe),
                        WORDINGS[language].only_code,
                    ),
                ),
            ]
        )
    )


def few_shot(probe: Probe, count: int, *, language: Language = "python") -> Conversation:
    """First K probes of other families with their reference programs, then the probe."""
    others = [shown for shown in bank(language) if shown.probe.family != probe.family]
    if not others:
        raise UsageError(f"few-shot: there are no reference programs in {WORDINGS[language].title} to show")
    others.sort(key=lambda shown: (shown.probe.tier != probe.tier, digest(probe.id, shown.probe.id)))
    shots = []
    for shown in others[:count]:
        shots += [
            _request(shown.probe, shown.probe.details, language),
            Message("assistant", WORDINGS[language].block(shown.code)),
        ]
    return (yield from _ask([_system(language), *shots, _request(probe, probe.details, language)]))


def short(probe: Probe, lines: int, *, language: Language = "python") -> Conversation:
    """The direct request, with at most N lines of code: a weaker system by construction."""
    limit = f"- Use at most {lines} lines of code, none longer than 100 characters."
    return (yield from _ask([_system(language), _request(probe, probe.details, language, limit)]))


def repair(probe: Probe, rounds: int, *, language: Language = "python") -> Conversation:
    """If the program fails, its error is sent back, at most K times."""
    messages = _direct(probe, language)
    text = yield from _ask(messages)
    for _ in range(rounds):
        program = extract(text, language)
        row: records.Render = yield Render(program)
        if row.outcome == Outcome.OK:
            break
        messages = [*messages, Message("assistant", text), _error(row, program, language)]
        text = yield from _ask(messages)
    return text


def _error(row: records.Render, program: Program, language: Language) -> Message:
    said = printed(row.log, language)
    return Message(
        "user",
        _lines(
            f"The program failed ({row.outcome.replace('_', ' ')}): {row.reason}".rstrip(": "),
            f"The end of what it printed:\n{said}" if said else "",
            explained(row, program.code, language),
            "Mend it.",
            WORDINGS[language].only_code,
        ),
    )


def listen(probe: Probe, rounds: int, *, language: Language = "python") -> Conversation:
    """The model gets the listener's report on its sound and may revise the program, at most K times.

    If the program fails, its error is sent back as in `repair`. After a reply without a program the
    previous program counts.
    """
    messages = _direct(probe, language)
    text = yield from _ask(messages)
    for _ in range(rounds):
        row, heard = yield from _render_and_listen(text, language)
        back = _error(row, extract(text, language), language) if heard is None else _report(heard, language)
        messages = [*messages, Message("assistant", text), back]
        reply = yield from _ask(messages)
        if heard is not None and extract(reply, language).code is None:
            break
        text = reply
    return text


def _render_and_listen(
    text: str, language: Language
) -> Generator[Render | Listen, Any, tuple[records.Render, Heard | None]]:
    row = yield Render(extract(text, language))
    heard = (yield Listen(row)) if row.outcome == Outcome.OK else None
    return row, heard


def _report(heard: Heard, language: Language) -> Message:
    only_code = WORDINGS[language].only_code
    return Message(
        "user",
        _lines(
            "The program ran. This is what instruments hear in its sound:",
            heard.words,
            "Where this is not the sound that was asked for, change the program. "
            "Where you would change nothing, reply with the one word DONE.",
            f"Else: {only_code[0].lower()}{only_code[1:]}",
        ),
    )


def best_of(probe: Probe, count: int, *, language: Language = "python") -> Conversation:
    """N answers to the same request; the one that the listener rates highest counts, the first of equals."""
    texts, worths = [], []
    for draw in range(count):
        texts.append((yield from _ask(_direct(probe, language), draw)))
        _, heard = yield from _render_and_listen(texts[-1], language)
        worths.append(-1.0 if heard is None else heard.worth)
    return texts[worths.index(max(worths))]
