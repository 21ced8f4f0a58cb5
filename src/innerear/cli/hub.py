"""Runs and suites on the Hugging Face hub: `innerear push`, `innerear pull`."""

from __future__ import annotations

from pathlib import Path

import click

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
