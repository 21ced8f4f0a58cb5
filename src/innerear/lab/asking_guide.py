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
SHOWN_WITH = {"few-shot": 1, "short": 12}
"""Parameters shown that are not 2."""
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

This page is generated from the code (`python -m innerear.lab.asking_guide > docs/asking.md`); a test checks that it
is up to date.

## Models

`--model` starts with one of {providers}.
Examples: `openai/gpt-4o-mini`, `anthropic/MODEL`, `recorded/one-shot`, `recorded/FILE.jsonl`,
`baseline/informed`, `swap/MODEL`, `real`, `python:module.function`. For any server that speaks
OpenAI's chat completions, give its address with `--base-url`:

```sh
innerear run --model openai/llama3 --base-url http://localhost:11434/v1 --out runs/mine
innerear run --model openai/gpt-4o-mini --strategy repair:2 --max-cost 2 --out runs/repaired
innerear record runs/repaired --out repaired.jsonl
innerear anatomy runs/repaired
```

Keys are read from `OPENAI_API_KEY` and `ANTHROPIC_API_KEY`, in the environment or in a `.env` file in the working
directory. They are never written to a row, log, report or error. `anthropic/…` uses the endpoint that Anthropic
provides for OpenAI's SDK; `seed` has no effect there.

Prices come from a table in the package, `ask/models/prices.csv`, which applies to the vendors' own addresses. To use
your own table, in the same format, name it in `INNEREAR_PRICES`. If the price of a model is not known, its cost is
unknown and `--max-cost` refuses to start. Once the limit is reached no further request is sent; replies to requests in
flight are still kept.

If a server fails, hangs, or returns something that is not a completion (a proxy's page, half a body), the request is
retried for up to `--patience` (1800 s by default). The progress bar shows what it is waiting for, the number of tries,
and when it will give up; `-v` prints each retry. A server that has never answered is given up after 20 s.

## Where a sound may come from

This is about Python; [other languages](languages.md#what-a-program-may-not-do) have rules of their own.

`--track scratch` (the default) allows the Python standard library, NumPy and SciPy. `--track library` allows any
installed package and any file. On both tracks, network access, other processes, embedded audio, packed data and code
made from text are violations. A program may write an array to a file of its own and load it again. A violation has the
outcome *provenance*, with the line.

A program is checked twice. First the guard reads its text: a program with a visible violation is not run. What the text
hides (`getattr(os, "sys" + "tem")`, a path built at run time) is caught while the program runs. The program is ended
and has the same outcome, with the line; see [the jail](jail.md#where-a-sound-comes-from).

Embedded audio has one limit: compressed with bzip2, the whole text of a program (numbers, strings, names, comments,
operators) may be at most 7,000 bytes. The longest of 737 recorded programs has 4,511 bytes, and a table of
2,500 numbers with three decimals about 4,250. Two seconds of sound at 8 kHz and 8 bits have 16,000 bytes; 63 recordings
of speech of that length, compressed first, have 7,303 or more including the code that unpacks them. A sound of a second
or less, or one that a speech codec brings below 7,000 bytes, is not detected by this count.

## Was the suite in the training data?

Every suite file in the package begins with a canary: a line that is not a probe and that nobody writes by chance.
Anyone who builds a training set can exclude files that contain it. If a completion contains the canary, the end of the
run and the report say so: that model has seen the file. If no completion contains it, that proves nothing.

```sh
innerear probes vary --seed 7 --out varied.jsonl
innerear run --model openai/gpt-4o-mini --suite varied.jsonl --out runs/varied
```

The first command makes another probe of each, with the same family and kinds of checks. It changes pitches, tempi,
counts, rates and words, or the order of two sounds; [see what changes in edition 2](suite.md#variants). A probe without
any of these (a class of sound) gets another duration. Caption, details and checks change together. On seed 7,
`baseline/informed` passes as many checks of each kind as on edition 1, except for one instrument: the variants are as
hard for pure tones. Sets with other durations have other distances, so compare checks between suites, and distances
within one.

## Reference programs

{programs} programs written for this project, at least one per family, are the examples that `few-shot` shows. They
also show what code can reach: `innerear probes verify` runs each one and applies all checks of its probe. Of the 28 for
edition 1, 27 pass. `environment/scene/five-knocks` has five events but is not recognised as a door: it fails, and the
check was not loosened for it. Eight programs were edited until a check by YAMNet passed them (`instrument`: four of the
notes tier; `label`: frog, footsteps, door knock, and an attempt at five knocks). That they pass shows that it can be
done, not how easily. Of those for edition 2, `speech/nonsense-sentence/sus-06` was chosen among four by the recogniser
of `words`, and `speech/speaker/woman` is not understood by it in any of four: it falls short as well.

## Strategies

`--strategy` is one of {usage}. K and N are 1 to {most}; for `short`, 1 to
{longest}. The messages below are for the probe `{probe}`.

`repair`, `listen` and `best-of` run programs while they ask. These programs run in the same jail, with the same limits,
and are stored in the same rows as in the render stage, so nothing is run twice. A failure of the jail itself is never
shown to the model. The listener does not use the instruments that judge: its f0 comes from YIN (the judge uses
McLeod's method), its onsets from the level in bands (the judge uses spectral flux). For some things there is no second
instrument (did it run, is it audible, is it the right length); their scores say *seen by the strategy*. Under `listen`,
so do the scores of `instrument`, `label`, `sequence` and `together`: if YAMNet is installed, the model is told YAMNet's
top five labels, and YAMNet is also the judge. `best-of` chooses without YAMNet. Every round is kept in the completion's
row (`rounds`).

### Other languages than Python

The language of the programs is part of a strategy's full name, after an `@`: `direct@csound`, `repair:2@javascript`,
`best-of:4@faust`. A run asks its strategy in each of the languages of `--language` ([languages](languages.md)).

### What a strategy is worth

A run uses one strategy. To compare two strategies, compare two runs of the same model, probe by probe. The
[recordings](recordings.md) in the package are of one model:

```sh
innerear run --suite 1 --model recorded/one-shot --out runs/direct
innerear run --suite 1 --model recorded/plan --strategy plan --out runs/plan
innerear compare runs/direct runs/plan --out runs/direct-and-plan
```

See [what is compared, and what is not](sharing.md). A strategy that is told what is judged (*seen by the strategy*) has
an advantage on those scores that says little: look at the checks that it is not told. The recordings were made in
batches in which the model saw its own earlier replies, so their probes are not independent of one another.
"""


def guide() -> str:
    """The page."""
    from innerear.ask.strategies import LONGEST, MOST, usage
    from innerear.programs.bank import bank

    providers = ", ".join(f"`{name}`" for name in (*MODELS, "python"))
    head = _HEAD.format(
        providers=providers, usage=usage(), most=MOST, longest=LONGEST, probe=PROBE, programs=len(bank())
    )
    parts = [head]
    for name, way in STRATEGIES.items():
        strategy = f"{name}:{SHOWN_WITH.get(name, 2)}" if way.parameter else name
        parts.append(f"### {name}{':' + way.parameter if way.parameter else ''}\n\n{_about(way.converse)}\n")
        parts.append(f"`--strategy {strategy}` sends:\n")
        parts += _shown(strategy)
    return "\n".join(parts)


def _about(function: object) -> str:
    return " ".join((function.__doc__ or "").split())


def _shown(name: str) -> list[str]:
    """The messages of a whole conversation, each once."""
    probe = next(probe for probe in edition("1").probes if probe.id == PROBE)
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
