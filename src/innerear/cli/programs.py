"""Programs, recordings and varied suites: `innerear anatomy`, `innerear record`, `innerear probes vary`."""

from __future__ import annotations

import statistics
from collections import Counter
from pathlib import Path

import click

from innerear.cli.options import suite_option
from innerear.errors import UsageError

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.argument("folder", metavar="RUN", type=click.Path(path_type=Path, file_okay=False))


@click.command()
@FOLDER
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON per program.")
def anatomy(folder: Path, as_json: bool) -> None:
    """Show how the programs of RUN are built.

    Per model and strategy: lines of code, frequencies, loops over samples, imports, and synthesis techniques
    with the share of programs that pass all their checks.
    """
    import msgspec

    from innerear.report.dissect import dissect
    from innerear.run.run import Run
    from innerear.text import counted

    rows = dissect(Run(folder))
    if as_json:
        for row in rows:
            click.echo(msgspec.json.encode(row))
        return
    several = len({row.strategy for row in rows}) > 1
    for model, strategy in dict.fromkeys((row.model, row.strategy) for row in rows):
        mine = [row for row in rows if (row.model, row.strategy) == (model, strategy)]
        anatomies = [row.anatomy for row in mine]
        loops = sum(one.sample_loops > 0 for one in anatomies)
        imports = Counter(name for one in anatomies for name in one.imports)
        click.echo(f"{model}{f', {strategy}' if several else ''}: {counted(len(mine), 'program')}")
        click.echo(
            f"  lines {statistics.median(one.lines for one in anatomies):g} (median), "
            f"frequencies written {statistics.median(len(one.frequencies) for one in anatomies):g} (median), "
            f"loops over samples in {loops}"
        )
        click.echo(f"  imports {', '.join(f'{name} {count}' for name, count in imports.most_common(8)) or 'none'}")
        techniques = Counter(technique for one in anatomies for technique in one.techniques)
        for technique, count in techniques.most_common():
            judged = [row.passed for row in mine if technique in row.anatomy.techniques and row.passed is not None]
            share = f"{sum(judged)} of {len(judged)} pass all their checks" if judged else "none judged"
            click.echo(f"  {technique:16} {count:4}  {share}")


@click.command()
@FOLDER
@click.option("--out", type=FILE, required=True, help="A new .jsonl file for the recording.")
@click.option("--model", help="The model to record, if the run has several.")
@click.option("--note", default="", help="Anything else that a reader of the recording must know.")
def record(folder: Path, out: Path, model: str | None, note: str) -> None:
    """Record the completions of RUN for replay.

    Others replay them without an API key, as --model recorded/OUT.jsonl. The first line says where they
    come from: model, date, parameters, strategy and suite.
    """
    from innerear.ask.models.recorded import About, recording
    from innerear.run.parts import write_whole
    from innerear.run.run import Run

    run = Run(folder)
    completions = run.completions()
    names = list(dict.fromkeys(completion.model for completion in completions))
    if model is None and len(names) > 1:
        raise UsageError(f"{folder} has completions of {', '.join(names)}; name one, such as --model {names[0]}")
    if model is not None and model not in names:
        raise UsageError(f"{folder} has no completions of {model!r}; it has {', '.join(names) or 'none'}")
    if out.suffix != ".jsonl" or out.exists():
        raise UsageError(f"--out {out}; wanted a new file that ends in .jsonl")
    chosen = [completion for completion in completions if model in (None, completion.model)]
    asked, name = run.asked, model or (names[0] if names else "")
    about = About(name, run.file.created[:10], asked.parameters, asked.strategy, asked.suite, note)
    lines = recording(chosen, about)
    if not lines:
        raise UsageError(f"{folder} has no completions to record")
    write_whole(out, b"".join(line + b"\n" for line in lines))
    click.echo(f"{out}: {len(lines) - 1} answers; replay them with --model recorded/{out}")


@click.command()
@click.option("--seed", type=click.IntRange(0), required=True, help="Random seed; the same seed gives the same suite.")
@click.option("--out", type=FILE, required=True, help="A new .jsonl file for the suite; use it with --suite OUT.")
@suite_option
def vary(seed: int, out: Path, suite: Path | None) -> None:
    """Make a suite with varied probes of the same kinds.

    Pitches, tempi, counts, words and durations change, and the checks with them.
    """
    from innerear.run.parts import write_whole
    from innerear.suite import load
    from innerear.suite.vary import vary as varied

    if out.suffix != ".jsonl" or out.exists():
        raise UsageError(f"--out {out}; wanted a new file that ends in .jsonl")
    made = varied(load(suite), seed)
    write_whole(out, b"".join(made.lines()))
    click.echo(f"{out}: {len(made.probes)} probes, digest {made.digest}; use them with --suite {out}")
