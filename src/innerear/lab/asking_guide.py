"""Generate `docs/asking.md` from the code: what each strategy sends for one probe, and how models are named.

`python -m innerear.lab.asking_guide` writes it to standard output.
"""

from __future__ import annotations

import sys

from innerear import records
from innerear.ask.models import MODELS
from innerear.ask.strategies import STRATEGIES, Ask, Heard, Listen, find_strategy
from innerear.records import Message, Outcome, Program
from innerear.suite import edition

PROBE = "notes/waveform/sine-440"
_REPLY = "```python\n# the model's program\n```"
_HEARD = Heard(
    "- Length 2.00 s (2 s were asked for), 44100 Hz.\n"
    "- Level in 10 equal parts of the time, dB: -9 -9 -9 -9 -9 -9 -9 -9 -9 -9; peak -6.0.\n"
    "- Pitch: median 466.2 Hz, 100% of the time; …\n"
    "- A tagger of everyday sounds names it (0 to 1): Sine wave 0.81, Beep, bleep 0.10, …",
    0.5,
)
_HEAD = """\
# Asking

This page is made from the code (`python -m innerear.lab.asking_guide > docs/asking.md`); a test sees that it is
fresh.

## Models

`--model` is one of {providers}, and what follows it: `openai/gpt-4o-mini`, `anthropic/MODEL`,
`recorded/one-shot`, `recorded/FILE.jsonl`, `baseline/informed`, `swap/MODEL`, `real`, `python:module.function`.
Any server that speaks OpenAI's chat completions is asked with `--base-url`:

```sh
innerear run --model openai/llama3 --base-url http://localhost:11434/v1 --out runs/mine
innerear run --model openai/gpt-4o-mini --strategy repair:2 --max-cost 2 --out runs/repaired
innerear record runs/repaired --out repaired.jsonl
innerear anatomy runs/repaired
```

Keys are read from `OPENAI_API_KEY` and `ANTHROPIC_API_KEY`, in the environment or in a `.env` file in the
working directory, and stand in no row, log, report or error. `anthropic/…` uses the endpoint that Anthropic
serves to OpenAI's SDK; `seed` has no effect there. Prices are a table in the package, `models/prices.csv`,
which holds at the makers' own addresses; one's own table of the same form is named in `INNEREAR_PRICES`. Where
no price is known the cost is unknown, and `--max-cost` refuses to begin. At the limit nothing more is asked;
what is in flight still comes in and is kept.

A server that fails, hangs, or sends something else than a completion (a proxy's page, half a body) is asked again,
for as long as `--patience` says (1800 s by default). The bar says what is waited for, how often it was tried, and
when it is given up; `-v` says each retry on a line of its own. A server that never answered is given up after 20 s.

## Where a sound may come from

`--track scratch` (the default) allows Python's library, NumPy and SciPy; `--track library` allows anything
installed and any file. On both, network, other processes, embedded audio, packed data and code made from text
are violations. A program's own files and buffers are its own: it may write an array and load it again. A
violation is the outcome *provenance*, with the line.

A program is looked at twice. The guard reads its text: what is written plainly is named before it runs, and
such a program is not run. What hides from a reader (`getattr(os, "sys" + "tem")`, a path made at run time) is
seen while it runs and ends it, with the same outcome and the line; see [the jail](jail.md#where-a-sound-comes-from).

Embedded audio has one limit: compressed (bzip2), a program's whole text may have 7,000 bytes, be it numbers,
strings, names, comments or operators. The longest of 737 recorded programs has 4,511, a table of 2,500 numbers
of three decimals about 4,250; two seconds of sound at 8 kHz and 8 bits have 16,000, and 63 recordings of speech
of that length, compressed before, 7,303 and more with what unpacks them. So a sound of a second or less, or one
that a speech codec has brought below 7,000 bytes, is not found by this count.

## Was the suite seen?

Every suite file of the package begins with a canary, a line that no probe is and nobody writes by chance. Who
makes a training set can leave out what holds it. A completion that holds it is named at the end of a run and in
the report: its model has seen the file. That no completion holds it says nothing.

```sh
innerear probes vary --seed 7 --out varied.jsonl
innerear run --model openai/gpt-4o-mini --suite varied.jsonl --out runs/varied
```

makes 172 other probes of the same families and kinds of checks: pitches moved, tempi, counts, rates and words
changed, two sounds in the other order, and where a probe has nothing of that kind (a class of sound) another
duration. Caption, details and checks change together. `baseline/informed` passes on seed 7 what it passes on
edition 1, kind by kind, but one instrument: the variants are as hard for bare sines. Sets of other durations have
other distances, so compare checks between suites and distances within one.

## Reference programs

28 programs written by hand, at least one a family, are what `few-shot` shows and what code can reach:
`innerear probes verify` runs each and holds it to all checks of its probe. 27 pass; `environment/scene/five-knocks`
has its five events and is not heard as a door: it stands as falling short, and no check was loosened for it. Eight
programs were changed until a check by YAMNet took them (`instrument`: four of tier notes; `label`: frog, footsteps,
door knock, tried for five knocks): that they pass says that it can be done, not how easily.

## Strategies

`--strategy` is one of {usage}. K and N go from 1 to {most}. What is sent is shown for the probe `{probe}`.

`repair`, `listen` and `best-of` run programs while they ask, in the same jail, with the same limits and into
the same rows as the render stage, so that nothing is run twice. A failure of the jail itself never goes to the
model. What they are told is told by instruments that do not judge: f0 by YIN where the judge uses McLeod's
method, onsets from the level in bands where the judge uses spectral flux. Where there is no second instrument
(whether it ran, is audible, is as long as asked), the score says *seen by the strategy*. So do, under `listen`,
the scores of `instrument`, `label`, `sequence` and `together`: where YAMNet is installed, the model is told the
five names that it gives, and it is YAMNet that judges. `best-of` chooses without it. Every round is kept in
the completion's row (`rounds`).

### What a way of asking is worth

A run is asked with one strategy; two runs of a model are held against each other, probe by probe. The two
recordings that ship are such a pair:

```sh
innerear run --model recorded/one-shot --out runs/direct
innerear run --model recorded/plan --strategy plan --out runs/plan
innerear compare runs/direct runs/plan --out runs/direct-and-plan
```

[What is compared, and what is not](sharing.md). A strategy that is told what is judged (*seen by the strategy*)
has an advantage there that says little: look at the checks that it is not told. The recordings were made in
batches in which the model saw its own earlier replies, so their probes are not independent of one another.
"""


def guide() -> str:
    """The page."""
    from innerear.ask.strategies import MOST, usage

    parts = [_HEAD.format(providers=", ".join(f"`{name}`" for name in MODELS), usage=usage(), most=MOST, probe=PROBE)]
    for name, way in STRATEGIES.items():
        strategy = f"{name}:{1 if name == 'few-shot' else 2}" if way.parameter else name
        parts.append(f"### {name}{':' + way.parameter if way.parameter else ''}\n\n{_about(way.converse)}\n")
        parts.append(f"`--strategy {strategy}` sends:\n")
        parts += _shown(strategy)
    return "\n".join(parts)


def _about(function: object) -> str:
    return " ".join((function.__doc__ or "").split())


def _shown(name: str) -> list[str]:
    """The messages of a whole conversation, each once."""
    probe = next(probe for probe in edition().probes if probe.id == PROBE)
    conversation = find_strategy(name)(probe)
    failing = name.startswith("repair")
    shown: list[Message] = []
    lines: list[str] = []
    sent: object = None
    while True:
        try:
            step = conversation.send(sent)
        except StopIteration:
            return lines
        if isinstance(step, Ask):
            new = [message for message in step.messages if message not in shown]
            shown += new
            if not new:
                lines.append(f"The same again (answer {step.draw + 1}).\n")
            lines += [f"*{message.role}*\n\n````text\n{message.content}\n````\n" for message in new]
            sent = _REPLY
        elif isinstance(step, Listen):
            sent = _HEARD
        else:
            sent = _row(step.program, failing)


def _row(program: Program, failing: bool) -> records.Render:
    if not failing:
        return records.Render("", program.digest, Outcome.OK)
    log = "Traceback (most recent call last):\n  …\nNameError: name 'np' is not defined"
    return records.Render("", program.digest, Outcome.ERROR, "NameError: name 'np' is not defined", log)


if __name__ == "__main__":
    sys.stdout.write(guide())
