"""Runs and suites on the Hugging Face hub: `innerear push`, `innerear pull`."""

from __future__ import annotations

from pathlib import Path

import click

from innerear.cli.options import RunFolder
from innerear.errors import UsageError


@click.command()
@click.argument("source", metavar="RUN|SUITE.jsonl", type=click.Path(path_type=Path, exists=True))
@click.argument("repo", metavar="OWNER/NAME")
@click.option("--licence", "--license", default="unknown", show_default=True, metavar="ID", help="The licence as the hub names it, such as cc-by-4.0.")  # fmt: skip
@click.option("--private", is_flag=True, help="Make the dataset private, if it is a new one.")
@click.option("--as-is", is_flag=True, help="As for `innerear pack`.")
def push(source: Path, repo: str, licence: str, private: bool, as_is: bool) -> None:
    """Upload RUN or your own suite to the Hugging Face hub.

    It becomes the dataset OWNER/NAME, with a card. A run is packed as by `innerear pack`, without API
    keys or local paths. Log in first (`hf auth login`, or set HF_TOKEN).
    """
    from innerear.cli.dotenv import read_env
    from innerear.run.run import Run
    from innerear.sharing import hub

    read_env(Path(".env"))  # to find its keys in what is uploaded
    if source.is_dir():
        address = hub.push_run(Run(source), repo, licence=licence, private=private, as_is=as_is)
    elif as_is:
        raise UsageError("--as-is is for runs; a suite holds no programs")
    else:
        address = hub.push_suite(source, repo, licence=licence, private=private)
    click.echo(address)


@click.command()
@click.argument("repo", metavar="OWNER/NAME")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new run folder, or a new .jsonl file for a suite.")  # fmt: skip
@click.option("--revision", help="A branch, tag or commit; the newest by default.")
def pull(repo: str, out: Path, revision: str | None) -> None:
    """Download a run or a suite from the Hugging Face hub.

    It comes from the dataset OWNER/NAME. Its content is not trusted, and no program in it is run.
    """
    from innerear.run.run import Run
    from innerear.sharing import hub

    found = hub.pull(repo, out, revision)
    if isinstance(found, Run):
        click.echo(f"{out}  {len(found.completions())} completions; next: innerear score {out}")
    else:
        click.echo(f"{out}  {len(found.probes)} probes, digest {found.digest}")


@click.command("eval-results")
@click.argument("folder", metavar="RUN", type=RunFolder())
@click.option("--benchmark", required=True, metavar="OWNER/NAME", help="The suite's dataset on the hub, made by `innerear push`.")  # fmt: skip
@click.option("--model", required=True, metavar="NAME", help="The model of RUN.")
@click.option("--strategy", default="", help="The strategy, if RUN has several.")
@click.option("--source", default="", metavar="URL", help="Where the run can be seen, such as its own dataset.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Output file, such as innerear.yaml.")  # fmt: skip
def eval_results(folder: Path, benchmark: str, model: str, strategy: str, source: str, out: Path) -> None:
    """Write a model's scores in RUN for its repository on the hub.

    The file belongs into `.eval_results/` of the model's repository, where the hub shows it on the
    model's page and on the leaderboard of the benchmark.
    """
    from innerear.run.parts import write_whole
    from innerear.run.run import Run
    from innerear.sharing.eval_results import eval_results

    write_whole(out, eval_results(Run(folder), model, strategy, benchmark, source))
    click.echo(f"{out}; next: hf upload OWNER/MODEL {out} .eval_results/{out.name} --create-pr")
